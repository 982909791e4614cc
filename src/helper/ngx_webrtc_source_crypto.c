
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Encrypted segments: see ngx_webrtc_source_crypto.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/aes.h>

#include "ngx_webrtc_source_crypto.h"


#define NGX_WEBRTC_SOURCE_CRYPTO_BLOCK   16

/* bytes; chosen: as libavformat's own */
#define NGX_WEBRTC_SOURCE_CRYPTO_BUFFER  32768


typedef struct {
    AVIOContext             *inner;
    struct AVAES            *aes;
    u_char                  *pos;       /* of plain[] */
    u_char                  *last;
    size_t                   held;      /* bytes in data[] */
    ngx_uint_t               end;       /* unsigned  end:1; */
    u_char                   iv[NGX_WEBRTC_SOURCE_CRYPTO_BLOCK];
    u_char                   data[NGX_WEBRTC_SOURCE_CRYPTO_BUFFER];
    u_char                   plain[NGX_WEBRTC_SOURCE_CRYPTO_BUFFER];
} ngx_webrtc_source_crypto_t;


static int ngx_webrtc_source_crypto_option(AVDictionary **options,
    const char *name, u_char *block);
static int ngx_webrtc_source_crypto_read(void *opaque, uint8_t *buf, int size);
static int ngx_webrtc_source_crypto_more(ngx_webrtc_source_crypto_t *c);
static int64_t ngx_webrtc_source_crypto_seek(void *opaque, int64_t offset,
    int whence);
static void ngx_webrtc_source_crypto_free(ngx_webrtc_source_crypto_t *c);


int
ngx_webrtc_source_crypto_io(AVIOContext *inner, AVDictionary **options,
    AVIOContext **pb)
{
    int                          rc;
    u_char                      *buf, key[NGX_WEBRTC_SOURCE_CRYPTO_BLOCK];
    ngx_webrtc_source_crypto_t  *c;

    c = av_mallocz(sizeof(ngx_webrtc_source_crypto_t));
    if (c == NULL) {
        return AVERROR(ENOMEM);
    }

    c->inner = inner;

    if (ngx_webrtc_source_crypto_option(options, "key", key) < 0
        || ngx_webrtc_source_crypto_option(options, "iv", c->iv) < 0)
    {
        ngx_webrtc_source_crypto_free(c);
        return AVERROR(EINVAL);
    }

    buf = NULL;
    rc = AVERROR(ENOMEM);

    c->aes = av_aes_alloc();

    if (c->aes) {
        rc = av_aes_init(c->aes, key, NGX_WEBRTC_SOURCE_CRYPTO_BLOCK * 8, 1);
    }

    ngx_explicit_memzero(key, sizeof(key));

    if (rc >= 0) {
        rc = AVERROR(ENOMEM);
        buf = av_malloc(NGX_WEBRTC_SOURCE_CRYPTO_BUFFER);
    }

    if (buf) {
        *pb = avio_alloc_context(buf, NGX_WEBRTC_SOURCE_CRYPTO_BUFFER, 0, c,
                                 ngx_webrtc_source_crypto_read, NULL,
                                 ngx_webrtc_source_crypto_seek);
        if (*pb) {
            (*pb)->seekable = 0;
            return 0;
        }
    }

    av_free(buf);
    ngx_webrtc_source_crypto_free(c);

    return rc;
}


ngx_uint_t
ngx_webrtc_source_crypto_is(AVIOContext *pb)
{
    return pb && pb->seek == ngx_webrtc_source_crypto_seek;
}


AVIOContext *
ngx_webrtc_source_crypto_close(AVIOContext *pb)
{
    AVIOContext                 *inner;
    ngx_webrtc_source_crypto_t  *c;

    c = pb->opaque;
    inner = c->inner;

    ngx_webrtc_source_crypto_free(c);

    av_freep(&pb->buffer);
    avio_context_free(&pb);

    return inner;
}


/* a block in hexadecimal digits */

static int
ngx_webrtc_source_crypto_option(AVDictionary **options, const char *name,
    u_char *block)
{
    ngx_int_t           n;
    ngx_uint_t          i;
    AVDictionaryEntry  *e;

    e = options ? av_dict_get(*options, name, NULL, AV_DICT_MATCH_CASE) : NULL;

    if (e == NULL
        || ngx_strlen(e->value) != 2 * NGX_WEBRTC_SOURCE_CRYPTO_BLOCK)
    {
        return AVERROR(EINVAL);
    }

    for (i = 0; i < NGX_WEBRTC_SOURCE_CRYPTO_BLOCK; i++) {

        n = ngx_hextoi((u_char *) e->value + 2 * i, 2);

        if (n == NGX_ERROR) {
            return AVERROR(EINVAL);
        }

        block[i] = (u_char) n;
    }

    return av_dict_set(options, name, NULL, AV_DICT_MATCH_CASE);
}


static int
ngx_webrtc_source_crypto_read(void *opaque, uint8_t *buf, int size)
{
    ngx_webrtc_source_crypto_t *c = opaque;

    int  n;

    while (c->pos == c->last) {

        n = ngx_webrtc_source_crypto_more(c);

        if (n < 0) {
            return n;
        }
    }

    n = ngx_min(size, c->last - c->pos);

    ngx_memcpy(buf, c->pos, n);
    c->pos += n;

    return n;
}


/* a block is held back until the end is known: the last one has the padding */

static int
ngx_webrtc_source_crypto_more(ngx_webrtc_source_crypto_t *c)
{
    int     n;
    size_t  size;
    u_char  padding;

    if (c->end) {
        return AVERROR_EOF;
    }

    n = avio_read_partial(c->inner, c->data + c->held,
                          NGX_WEBRTC_SOURCE_CRYPTO_BUFFER - (int) c->held);

    if (n == 0 || n == AVERROR_EOF) {
        c->end = 1;

    } else if (n < 0) {
        return n;

    } else {
        c->held += n;
    }

    size = (c->end || c->held == 0) ? c->held : c->held - 1;
    size -= size % NGX_WEBRTC_SOURCE_CRYPTO_BLOCK;

    if (size == 0) {
        return 0;
    }

    av_aes_crypt(c->aes, c->plain, c->data,
                 (int) (size / NGX_WEBRTC_SOURCE_CRYPTO_BLOCK), c->iv, 1);

    c->held -= size;
    ngx_memmove(c->data, c->data + size, c->held);

    c->pos = c->plain;
    c->last = c->plain + size;

    padding = c->last[-1];

    if (c->end && padding <= NGX_WEBRTC_SOURCE_CRYPTO_BLOCK) {
        c->last -= padding;
    }

    return 0;
}


/* hls reads from the beginning to the end */

static int64_t
ngx_webrtc_source_crypto_seek(void *opaque, int64_t offset, int whence)
{
    return AVERROR(ENOSYS);
}


static void
ngx_webrtc_source_crypto_free(ngx_webrtc_source_crypto_t *c)
{
    av_free(c->aes);
    ngx_explicit_memzero(c, sizeof(ngx_webrtc_source_crypto_t));
    av_free(c);
}
