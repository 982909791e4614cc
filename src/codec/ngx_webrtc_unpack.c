
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Depacketizers: what codecs have in common.  See ngx_webrtc_unpack.h.
 */


#include "ngx_webrtc_unpack.h"
#include "ngx_webrtc_red.h"


static const u_char  ngx_webrtc_unpack_start_code[] = { 0, 0, 0, 1 };


const ngx_webrtc_unpack_ops_t  ngx_webrtc_unpack_audio_ops = {
    ngx_webrtc_unpack_audio,
    NULL
};


ngx_int_t
ngx_webrtc_unpack_init(ngx_webrtc_unpack_t *u, const ngx_webrtc_codec_t *codec)
{
    if (codec->unpack == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(u, sizeof(ngx_webrtc_unpack_t));

    u->ops = codec->unpack;

    return NGX_OK;
}


void
ngx_webrtc_unpack_begin(ngx_webrtc_unpack_t *u)
{
    u->n = 0;
    u->config = 0;
    u->nlayers = 0;
    u->open = 0;
}


ngx_int_t
ngx_webrtc_unpack_payload(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    ngx_uint_t flags)
{
    return n ? u->ops->payload(u, p, n, flags) : NGX_OK;
}


ngx_int_t
ngx_webrtc_unpack_end(ngx_webrtc_unpack_t *u)
{
    if (u->open || u->n == u->config) {
        return NGX_DECLINED;
    }

    return u->ops->end ? u->ops->end(u) : NGX_OK;
}


void
ngx_webrtc_unpack_put(ngx_webrtc_unpack_t *u, const u_char *p, size_t n)
{
    ngx_memcpy(u->data + u->n, p, n);
    u->n += n;
}


ngx_int_t
ngx_webrtc_unpack_audio(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    ngx_uint_t flags)
{
    ngx_uint_t              count;
    ngx_webrtc_red_block_t  blocks[NGX_WEBRTC_RED_BLOCKS], *primary;

    if (!(flags & NGX_WEBRTC_PKT_RED)) {
        ngx_webrtc_unpack_put(u, p, n);
        return NGX_OK;
    }

    if (ngx_webrtc_red_parse(p, n, blocks, &count) != NGX_OK) {
        return NGX_DECLINED;
    }

    primary = &blocks[count - 1];

    ngx_webrtc_unpack_put(u, primary->data, primary->n);

    return NGX_OK;
}


void
ngx_webrtc_unpack_nal(ngx_webrtc_unpack_t *u, u_char *p, size_t n)
{
    ngx_webrtc_unpack_put(u, ngx_webrtc_unpack_start_code, 4);
    ngx_webrtc_unpack_put(u, p, n);
}


ngx_int_t
ngx_webrtc_unpack_nals(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    size_t header)
{
    size_t  len;

    while (n) {

        if (n < 2) {
            return NGX_DECLINED;
        }

        len = (p[0] << 8) | p[1];
        p += 2;
        n -= 2;

        if (len < header || len > n) {
            return NGX_DECLINED;
        }

        ngx_webrtc_unpack_nal(u, p, len);

        p += len;
        n -= len;
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_unpack_fragment(ngx_webrtc_unpack_t *u, u_char *nal, size_t header,
    u_char *p, size_t n, ngx_uint_t start, ngx_uint_t end)
{
    /* RFC 6184, 5.8, and RFC 7798, 4.4.3 */

    if (start) {

        if (u->open) {
            return NGX_DECLINED;
        }

        ngx_webrtc_unpack_nal(u, nal, header);
        u->open = 1;

    } else if (!u->open) {
        return NGX_DECLINED;
    }

    ngx_webrtc_unpack_put(u, p, n);

    if (end) {
        u->open = 0;
    }

    return NGX_OK;
}
