
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Opus: packets and what is in them (RFC 6716, 3), packetizer and format
 * parameters (RFC 7587).  See ngx_webrtc_opus.h, ngx_webrtc_pack.h,
 * ngx_webrtc_codec.h.
 */


#include "ngx_webrtc_opus.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_unpack.h"
#include "ngx_webrtc_fmtp.h"


/* samples; chosen: browsers send that, their jitter buffers expect it */
#define NGX_WEBRTC_OPUS_PACKET    960

/* 3.2.5: bits of the frame count byte */
#define NGX_WEBRTC_OPUS_VBR       0x80
#define NGX_WEBRTC_OPUS_PADDING   0x40
#define NGX_WEBRTC_OPUS_COUNT     0x3f


/* bytes of a packet without sound: a TOC alone, or with one byte; an encoder
 * with DTX makes such packets when nothing need be sent */
#define NGX_WEBRTC_OPUS_DTX  2


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
static ngx_int_t ngx_webrtc_opus_pack_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_uint_t ngx_webrtc_opus_channels(u_char *p, size_t n);
static ngx_uint_t ngx_webrtc_opus_stereo(const ngx_str_t *fmtp);
static u_char *ngx_webrtc_opus_answer(u_char *p, u_char *end,
    const ngx_str_t *fmtp, ngx_uint_t stereo, ngx_uint_t sending);
static u_char *ngx_webrtc_opus_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels);


static const ngx_webrtc_pack_ops_t  ngx_webrtc_opus_pack = {
    NULL,
    ngx_webrtc_pack_audio,
    ngx_webrtc_opus_pack_frame
};


static const ngx_webrtc_depay_ops_t  ngx_webrtc_opus_depay = {
    NULL, NULL, 0, NGX_WEBRTC_OPUS_DTX, ngx_webrtc_opus_channels, NULL, NULL, 0
};


static const ngx_webrtc_codec_fmtp_t  ngx_webrtc_opus_fmtp = {
    NULL,
    NULL,
    ngx_webrtc_opus_stereo,
    ngx_webrtc_opus_answer,
    ngx_webrtc_opus_offer
};


/*
 * RFC 7587, 7: "opus/48000/2" whatever the number of channels.  The payload
 * type is the one that all browsers use.
 */

const ngx_webrtc_codec_t  ngx_webrtc_codec_opus = {
    ngx_string("opus"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_OPUS, 2, -1, 48000,
    111, NGX_WEBRTC_CODEC_NO_PT, 0,
    &ngx_webrtc_opus_fmtp,
    &ngx_webrtc_opus_pack,
    &ngx_webrtc_opus_depay,
    &ngx_webrtc_unpack_audio_ops
};


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


/* strips the padding at the end; NULL: longer than the packet */

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


/* opus->n frames: all but the last one with lengths, or all equal */

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


static ngx_int_t
ngx_webrtc_opus_pack_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    size_t             n;
    ngx_int_t          rc;
    ngx_uint_t         i, count;
    ngx_webrtc_opus_t  opus;

    /* RFC 7587, 4.2: exactly one Opus packet */

    if (frame->size <= pack->max) {
        return pack->out(pack->ctx, frame->data, frame->size,
                         NGX_WEBRTC_PACK_AUDIO);
    }

    /* several frames are sent one by one; a single one cannot be split */

    if (ngx_webrtc_opus_parse(&opus, frame->data, frame->size) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (i = 0; i < opus.n; i++) {
        if (opus.size[i] >= pack->max) {
            return NGX_DECLINED;
        }
    }

    for (i = 0; i < opus.n; i += count) {

        count = ngx_webrtc_opus_fit(&opus, i, pack->max);
        n = ngx_webrtc_opus_print(&opus, i, count, pack->buf, pack->max);

        rc = pack->out(pack->ctx, pack->buf, n, NGX_WEBRTC_PACK_AUDIO);

        if (rc != NGX_OK) {
            return rc;
        }

        pack->tick += (int32_t) (count * opus.samples);
    }

    return NGX_OK;
}


/* RFC 6716, 3.1: bit "s" of the TOC */

static ngx_uint_t
ngx_webrtc_opus_channels(u_char *p, size_t n)
{
    return (n && (p[0] & 0x04)) ? 2 : 1;
}


/* RFC 7587, 6.1: a publisher that says so */

static ngx_uint_t
ngx_webrtc_opus_stereo(const ngx_str_t *fmtp)
{
    ngx_str_t  value;

    if (ngx_webrtc_fmtp_find(fmtp, "sprop-stereo", &value) != NGX_OK
        && ngx_webrtc_fmtp_find(fmtp, "stereo", &value) != NGX_OK)
    {
        return 0;
    }

    return value.len == 1 && value.data[0] == '1';
}


static u_char *
ngx_webrtc_opus_answer(u_char *p, u_char *end, const ngx_str_t *fmtp,
    ngx_uint_t stereo, ngx_uint_t sending)
{
    u_char  *start;

    static const ngx_str_t    one = ngx_string("1");
    static const char *const  names[] = { "minptime", "useinbandfec", NULL };

    /* RFC 7587, 6.1: lets a publisher with DTX use it */

    static const char *const  names_in[] = { "minptime", "useinbandfec",
                                             "usedtx", NULL };

    start = p;

    p = ngx_webrtc_fmtp_repeat(p, end, start, fmtp,
                               sending ? names : names_in);

    if (!stereo) {
        return p;
    }

    /*
     * RFC 7587, 7: "stereo" is what we would receive, "sprop-stereo" is what we
     * send; receivers look at either
     */

    p = ngx_webrtc_fmtp_add(p, end, start, "stereo", &one);

    return sending ? ngx_webrtc_fmtp_add(p, end, start, "sprop-stereo", &one)
                   : p;
}


static u_char *
ngx_webrtc_opus_offer(u_char *p, u_char *end, uint32_t profile,
    ngx_uint_t channels)
{
    (void) profile;

    return ngx_slprintf(p, end, "minptime=10;useinbandfec=1%s",
                        (channels == 2) ? ";stereo=1;sprop-stereo=1" : "");
}
