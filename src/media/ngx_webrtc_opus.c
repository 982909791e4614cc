
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Opus packets: see ngx_webrtc_opus.h.  RFC 6716.
 */


#include "ngx_webrtc_opus.h"


/* samples; chosen: what browsers send, and their jitter buffers are made for */
#define NGX_WEBRTC_OPUS_PACKET    960

/* 3.2.5: bits of the frame count byte */
#define NGX_WEBRTC_OPUS_VBR       0x80
#define NGX_WEBRTC_OPUS_PADDING   0x40
#define NGX_WEBRTC_OPUS_COUNT     0x3f


static ngx_uint_t ngx_webrtc_opus_frame_samples(u_char toc);
static ngx_int_t ngx_webrtc_opus_parse_many(ngx_webrtc_opus_t *opus, u_char *p,
    u_char *end);
static u_char *ngx_webrtc_opus_padding(u_char *p, u_char **end);
static ngx_int_t ngx_webrtc_opus_split(ngx_webrtc_opus_t *opus, u_char *p,
    u_char *end, ngx_uint_t vbr);
static u_char *ngx_webrtc_opus_length(u_char *p, u_char *end, uint16_t *len);
static ngx_uint_t ngx_webrtc_opus_equal(ngx_webrtc_opus_t *opus,
    ngx_uint_t first, ngx_uint_t n);
static size_t ngx_webrtc_opus_bytes(ngx_webrtc_opus_t *opus, ngx_uint_t first,
    ngx_uint_t n);
static u_char *ngx_webrtc_opus_print_length(u_char *p, size_t len);


size_t
ngx_webrtc_opus_samples(u_char *p, size_t n)
{
    size_t  frames, samples;

    if (n < 1) {
        return 0;
    }

    switch (p[0] & 3) {

    case 0:
        frames = 1;
        break;

    case 3:
        frames = (n < 2) ? 0 : (p[1] & NGX_WEBRTC_OPUS_COUNT);
        break;

    default:
        frames = 2;
        break;
    }

    samples = frames * ngx_webrtc_opus_frame_samples(p[0]);

    return samples <= NGX_WEBRTC_OPUS_SAMPLES_MAX ? samples : 0;
}


ngx_int_t
ngx_webrtc_opus_parse(ngx_webrtc_opus_t *opus, u_char *p, size_t n)
{
    u_char      *end;
    ngx_uint_t   code;

    if (ngx_webrtc_opus_samples(p, n) == 0) {
        return NGX_DECLINED;
    }

    end = p + n;
    code = p[0] & 3;

    opus->toc = *p++;
    opus->samples = ngx_webrtc_opus_frame_samples(opus->toc);

    if (code == 3) {
        return ngx_webrtc_opus_parse_many(opus, p, end);
    }

    opus->n = code ? 2 : 1;

    return ngx_webrtc_opus_split(opus, p, end, code == 2);
}


ngx_uint_t
ngx_webrtc_opus_fit(ngx_webrtc_opus_t *opus, ngx_uint_t first, size_t max)
{
    ngx_uint_t  n;

    n = ngx_max(NGX_WEBRTC_OPUS_PACKET / opus->samples, 1);
    n = ngx_min(n, opus->n - first);

    while (n && ngx_webrtc_opus_bytes(opus, first, n) > max) {
        n--;
    }

    return n;
}


size_t
ngx_webrtc_opus_print(ngx_webrtc_opus_t *opus, ngx_uint_t first, ngx_uint_t n,
    u_char *buf, size_t max)
{
    u_char      *p;
    ngx_uint_t   i, vbr, code;

    if (ngx_webrtc_opus_bytes(opus, first, n) > max) {
        return 0;
    }

    vbr = !ngx_webrtc_opus_equal(opus, first, n);
    code = (n == 1) ? 0 : (n > 2) ? 3 : vbr ? 2 : 1;

    p = buf;

    *p++ = (u_char) ((opus->toc & 0xfc) | code);

    if (code == 3) {
        *p++ = (u_char) ((vbr ? NGX_WEBRTC_OPUS_VBR : 0) | n);
    }

    for (i = first; vbr && i < first + n - 1; i++) {
        p = ngx_webrtc_opus_print_length(p, opus->size[i]);
    }

    for (i = first; i < first + n; i++) {
        p = ngx_cpymem(p, opus->frame[i], opus->size[i]);
    }

    return p - buf;
}


/* 3.1, Table 2 */

static ngx_uint_t
ngx_webrtc_opus_frame_samples(u_char toc)
{
    ngx_uint_t  config;

    static const uint16_t  silk[] = { 480, 960, 1920, 2880 };

    config = toc >> 3;

    if (config < 12) {
        return silk[config & 3];
    }

    if (config < 16) {
        return (config & 1) ? 960 : 480;
    }

    return 120 << (config & 3);
}


/* 3.2.5: code 3 */

static ngx_int_t
ngx_webrtc_opus_parse_many(ngx_webrtc_opus_t *opus, u_char *p, u_char *end)
{
    u_char  count;

    /* samples() has seen it: 1..48 */

    count = *p++;

    opus->n = count & NGX_WEBRTC_OPUS_COUNT;

    if (count & NGX_WEBRTC_OPUS_PADDING) {
        p = ngx_webrtc_opus_padding(p, &end);

        if (p == NULL) {
            return NGX_DECLINED;
        }
    }

    return ngx_webrtc_opus_split(opus, p, end, count & NGX_WEBRTC_OPUS_VBR);
}


/* takes the padding off the end; NULL: more than there is */

static u_char *
ngx_webrtc_opus_padding(u_char *p, u_char **end)
{
    size_t  len;
    u_char  b;

    len = 0;

    do {
        if (p == *end) {
            return NULL;
        }

        b = *p++;
        len += (b == 255) ? 254 : b;

    } while (b == 255);

    if (len > (size_t) (*end - p)) {
        return NULL;
    }

    *end -= len;

    return p;
}


/* opus->n frames: with lengths, but for the last one, or all equal */

static ngx_int_t
ngx_webrtc_opus_split(ngx_webrtc_opus_t *opus, u_char *p, u_char *end,
    ngx_uint_t vbr)
{
    size_t      len;
    ngx_uint_t  i;

    for (i = 0; vbr && i < opus->n - 1; i++) {

        p = ngx_webrtc_opus_length(p, end, &opus->size[i]);

        if (p == NULL) {
            return NGX_DECLINED;
        }
    }

    if (!vbr) {

        len = end - p;

        if (len % opus->n || len / opus->n > NGX_WEBRTC_OPUS_FRAME_MAX) {
            return NGX_DECLINED;
        }

        for (i = 0; i < opus->n; i++) {
            opus->size[i] = (uint16_t) (len / opus->n);
        }
    }

    for (i = 0; i < opus->n; i++) {

        len = end - p;

        if (vbr && i == opus->n - 1) {

            if (len > NGX_WEBRTC_OPUS_FRAME_MAX) {
                return NGX_DECLINED;
            }

            opus->size[i] = (uint16_t) len;
        }

        if (opus->size[i] > len) {
            return NGX_DECLINED;
        }

        opus->frame[i] = p;
        p += opus->size[i];
    }

    return NGX_OK;
}


/* 3.2.1 */

static u_char *
ngx_webrtc_opus_length(u_char *p, u_char *end, uint16_t *len)
{
    if (p == end) {
        return NULL;
    }

    *len = *p++;

    if (*len >= 252) {

        if (p == end) {
            return NULL;
        }

        *len += 4 * *p++;
    }

    return p;
}


static ngx_uint_t
ngx_webrtc_opus_equal(ngx_webrtc_opus_t *opus, ngx_uint_t first, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = first + 1; i < first + n; i++) {
        if (opus->size[i] != opus->size[first]) {
            return 0;
        }
    }

    return 1;
}


/* of a packet of n frames, as print() makes it */

static size_t
ngx_webrtc_opus_bytes(ngx_webrtc_opus_t *opus, ngx_uint_t first, ngx_uint_t n)
{
    size_t      len;
    ngx_uint_t  i, vbr;

    vbr = !ngx_webrtc_opus_equal(opus, first, n);
    len = 1 + (n > 2);

    for (i = first; i < first + n; i++) {

        len += opus->size[i];

        if (vbr && i < first + n - 1) {
            len += (opus->size[i] >= 252) ? 2 : 1;
        }
    }

    return len;
}


static u_char *
ngx_webrtc_opus_print_length(u_char *p, size_t len)
{
    if (len < 252) {
        *p++ = (u_char) len;
        return p;
    }

    *p++ = (u_char) (252 + (len & 3));
    *p++ = (u_char) ((len - 252) >> 2);

    return p;
}
