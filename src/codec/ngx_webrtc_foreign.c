
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * One packetizer for all codecs that WebRTC does not have: see
 * ngx_webrtc_foreign.h.
 */


#include "ngx_webrtc_foreign.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_unpack.h"


/* the only set of parameters there is */
#define NGX_WEBRTC_FOREIGN_CONFIG  0


#define ngx_webrtc_foreign_row(name, codec)                                   \
    {                                                                         \
        ngx_string(name), NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_##codec, 0, -1,  \
        90000, NGX_WEBRTC_CODEC_NO_PT, NGX_WEBRTC_CODEC_NO_PT, 0,             \
        &ngx_webrtc_codec_no_fmtp, &ngx_webrtc_foreign_pack, NULL,            \
        &ngx_webrtc_foreign_unpack                                            \
    }


static ngx_int_t ngx_webrtc_foreign_config(ngx_webrtc_pack_t *pack, u_char *p,
    size_t n);
static ngx_int_t ngx_webrtc_foreign_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_foreign_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_foreign_slices(ngx_webrtc_pack_t *pack, u_char *p,
    size_t n, ngx_uint_t flags, ngx_uint_t first, ngx_uint_t last);
static ngx_int_t ngx_webrtc_foreign_unpack_payload(ngx_webrtc_unpack_t *u,
    u_char *p, size_t n, ngx_uint_t flags);


static const ngx_webrtc_pack_ops_t  ngx_webrtc_foreign_pack = {
    ngx_webrtc_foreign_config,
    ngx_webrtc_foreign_probe,
    ngx_webrtc_foreign_frame
};


static const ngx_webrtc_unpack_ops_t  ngx_webrtc_foreign_unpack = {
    ngx_webrtc_foreign_unpack_payload,
    NULL
};


const ngx_webrtc_codec_t  ngx_webrtc_codecs_foreign[] = {
    ngx_webrtc_foreign_row("MPEG-1", MPEG1),
    ngx_webrtc_foreign_row("MPEG-2", MPEG2),
    ngx_webrtc_foreign_row("MPEG-4", MPEG4),
    ngx_webrtc_foreign_row("MJPEG", MJPEG),
    ngx_webrtc_foreign_row("H263", H263),
    ngx_webrtc_foreign_row("FLV1", FLV1),
    ngx_webrtc_foreign_row("VP6F", VP6F),
    ngx_webrtc_foreign_row("VP6A", VP6A),
    ngx_webrtc_foreign_row("VC-1", VC1),
    ngx_webrtc_foreign_row("WMV3", WMV3),
    ngx_webrtc_foreign_row("ProRes", PRORES),
    ngx_webrtc_foreign_row("DNxHD", DNXHD),
    ngx_webrtc_foreign_row("JPEG2000", JPEG2000),
    ngx_webrtc_foreign_row("DV", DV)
};


static ngx_int_t
ngx_webrtc_foreign_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    return ngx_webrtc_params_put(&pack->params, NGX_WEBRTC_FOREIGN_CONFIG, 0,
                                 p, n)
           == NGX_DECLINED
           ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_webrtc_foreign_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    frame->key = pack->key;
    frame->picture = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_foreign_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    ngx_int_t            rc;
    ngx_uint_t           flags;
    ngx_webrtc_param_t  *config;

    config = NULL;
    flags = 0;

    if (frame->key) {
        flags = NGX_WEBRTC_PKT_KEY;
        config = ngx_webrtc_params_get(&pack->params,
                                       NGX_WEBRTC_FOREIGN_CONFIG);
    }

    if (config) {
        rc = ngx_webrtc_foreign_slices(pack,
                                       pack->params.data + config->offset,
                                       config->size,
                                       flags|NGX_WEBRTC_PKT_PARAMS, 1, 0);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_webrtc_foreign_slices(pack, frame->data, frame->size, flags,
                                     config == NULL, 1);
}


static ngx_int_t
ngx_webrtc_foreign_slices(ngx_webrtc_pack_t *pack, u_char *p, size_t n,
    ngx_uint_t flags, ngx_uint_t first, ngx_uint_t last)
{
    size_t      size, len, parts;
    ngx_int_t   rc;
    ngx_uint_t  f;

    size = ngx_webrtc_pack_split(n, 0, pack->max, &parts);

    while (n) {

        len = ngx_min(size, n);

        f = flags;

        if (first) {
            f |= NGX_WEBRTC_PKT_FIRST;
            first = 0;
        }

        if (last && len == n) {
            f |= NGX_WEBRTC_PKT_MARKER|NGX_WEBRTC_PKT_LAST;
        }

        rc = pack->out(pack->ctx, p, len, f);

        if (rc != NGX_OK) {
            return rc;
        }

        p += len;
        n -= len;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_foreign_unpack_payload(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    ngx_uint_t flags)
{
    ngx_webrtc_unpack_put(u, p, n);

    if (flags & NGX_WEBRTC_PKT_PARAMS) {

        /* it comes before the picture */

        if (u->config + n != u->n) {
            return NGX_DECLINED;
        }

        u->config = u->n;
    }

    return NGX_OK;
}
