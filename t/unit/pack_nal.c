
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.264 and H.265 packetizers on streams of x264 and x265: depacketized after
 * RFC 6184 and RFC 7798, the same NAL units must come out, with parameter sets
 * in front of key frames.  Frame kinds, sizes and profiles: ffprobe, and the
 * types in the NAL unit headers as a dump shows them.
 */


#include "media.h"
#include "ngx_webrtc_h264.h"
#include "ngx_webrtc_h265.h"
#include "ngx_webrtc_codecs.h"

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


/* NAL units one behind the other, each with four bytes of length */

typedef struct {
    u_char      data[MEDIA_MAX];
    size_t      size;
    ngx_uint_t  n;
} nals_t;


static media_file_t  file;
static media_out_t   out;
static nals_t        sent, got;


/* avcC and hvcC as FFmpeg's mp4 muxer made them of these streams */

static u_char  avcc[] =
    "\x01\x64\x00\x0c\xff\xe1\x00\x1a\x67\x64\x00\x0c\xac\xd9\x41\x41\x9f"
    "\x9f\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x42\x99\x60"
    "\x01\x00\x06\x68\xeb\xe0\x84\xb2\x2c\xfd\xf8\xf8\x00";

static u_char  hvcc[] =
    "\x01\x01\x60\x00\x00\x00\x90\x00\x00\x00\x00\x00\x3c\xf0\x00\xfc\xfd"
    "\xf8\xf8\x00\x00\x0f\x03\x20\x00\x01\x00\x18\x40\x01\x0c\x01\xff\xff"
    "\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x3c\x95\x94"
    "\x09\x21\x00\x01\x00\x2b\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00"
    "\x00\x03\x00\x00\x03\x00\x3c\xa0\x0a\x08\x0b\x9f\x79\x65\x65\x92\x4c"
    "\xaf\x01\x68\x08\x00\x00\x03\x00\x08\x00\x00\x03\x00\xc8\x40\x22\x00"
    "\x01\x00\x07\x44\x01\xc1\x72\xb4\x62\x40";

static u_char  pps_h264[] = "\x68\xeb\xe0\x84\xb2\x2c";


typedef struct {
    const char     *name;
    const char     *path;
    ngx_uint_t      codec;
    ngx_uint_t      header;
    u_char          aud;
    u_char         *conf;
    size_t          conf_n;
    uint32_t        profile;
    const char     *kinds;      /* K key, P referenced, b discardable */
} stream_t;


static const stream_t  streams[] = {

    { "h264", "t/data/media/bframes.h264", NGX_WEBRTC_CODEC_H264, 1, 0x09,
      avcc, sizeof(avcc) - 1, 0x64000c, "KPPbbPPbKPPbbP" },

    { "h265", "t/data/media/bframes.h265", NGX_WEBRTC_CODEC_H265, 2, 0x46,
      hvcc, sizeof(hvcc) - 1, 0x01003c, "KPPbbPPbKPPbbP" },
};


static void
nals_add(nals_t *l, u_char *p, size_t n)
{
    if (l->size + 4 + n > MEDIA_MAX) {
        abort();
    }

    l->data[l->size++] = (u_char) (n >> 24);
    l->data[l->size++] = (u_char) (n >> 16);
    l->data[l->size++] = (u_char) (n >> 8);
    l->data[l->size++] = (u_char) n;
    memcpy(l->data + l->size, p, n);
    l->size += n;
    l->n++;
}


static ngx_uint_t
nal_type(const stream_t *s, u_char *p)
{
    return (s->header == 1) ? (p[0] & 0x1f) : ((p[0] >> 1) & 0x3f);
}


/*
 * The receiver.  fu collects a fragmented NAL unit.  Returns 0 where something
 * breaks the RFC.
 */

static int
depacketize(const stream_t *s, nals_t *l)
{
    size_t             n, len, fu_n, i, hd;
    u_char            *p, *end;
    ngx_uint_t         type, count;
    static u_char      fu[MEDIA_MAX];

    fu_n = 0;
    hd = s->header;

    for (i = 0; i < out.n; i++) {
        p = out.data[i];
        n = out.size[i];
        end = p + n;
        type = nal_type(s, p);

        if (type == (hd == 1 ? 28 : 49)) {

            if (n < hd + 2) {
                return 0;
            }

            if (p[hd] & 0x80) {

                if (fu_n || (p[hd] & 0x40)) {
                    return 0;
                }

                if (hd == 1) {
                    fu[fu_n++] = (p[0] & 0xe0) | (p[1] & 0x1f);

                } else {
                    fu[fu_n++] = (p[0] & 0x81) | ((p[2] & 0x3f) << 1);
                    fu[fu_n++] = p[1];
                }

            } else if (fu_n == 0) {
                return 0;
            }

            memcpy(fu + fu_n, p + hd + 1, n - hd - 1);
            fu_n += n - hd - 1;

            if (p[hd] & 0x40) {
                nals_add(l, fu, fu_n);
                fu_n = 0;
            }

            continue;
        }

        if (fu_n) {
            return 0;
        }

        if (type == (hd == 1 ? 24 : 48)) {
            count = 0;

            for (p += hd; p < end; p += len) {

                if (end - p < 2) {
                    return 0;
                }

                len = (p[0] << 8) | p[1];
                p += 2;

                if (len == 0 || len > (size_t) (end - p)) {
                    return 0;
                }

                nals_add(l, p, len);
                count++;
            }

            if (count < 2) {
                return 0;
            }

            continue;
        }

        if (type >= (hd == 1 ? 24 : 48)) {
            return 0;
        }

        nals_add(l, p, n);
    }

    return fu_n == 0;
}


/*
 * What must come of an access unit: parameter sets of the configuration in
 * front of a key frame, then the rest without them and without delimiters.
 */

static void
expect(const stream_t *s, u_char *p, size_t n, char kind)
{
    size_t      i, j, k;
    ngx_uint_t  type;

    sent.size = 0;
    sent.n = 0;

    if (kind == 'K') {

        if (s->header == 1) {
            nals_add(&sent, s->conf + 8, 26);
            nals_add(&sent, s->conf + 37, 6);

        } else {
            nals_add(&sent, s->conf + 28, 24);
            nals_add(&sent, s->conf + 57, 43);
            nals_add(&sent, s->conf + 105, 7);
        }
    }

    for (i = 0; i + 3 < n; i = j) {

        while (!(p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 1)) {
            i++;
        }

        i += 3;

        for (j = i; j < n; j++) {
            if (j + 2 < n && p[j] == 0 && p[j + 1] == 0 && p[j + 2] <= 1) {
                break;
            }
        }

        for (k = j; k > i && p[k - 1] == 0; k--) { /* void */ }

        type = nal_type(s, p + i);

        if (s->header == 1 ? (type != 7 && type != 8 && type != 9)
                           : (type < 32 || type > 35))
        {
            nals_add(&sent, p + i, k - i);
        }
    }
}


/* Annex B -> four bytes of length; p, n with start codes of any kind */

static size_t
to_lengths(u_char *dst, u_char *p, size_t n)
{
    size_t             len;
    u_char            *nal, *d;
    ngx_webrtc_nal_t   it;

    d = dst;

    ngx_webrtc_nal_init(&it, p, n, 0);

    while (ngx_webrtc_nal_next(&it, &nal, &len) == NGX_OK) {
        *d++ = (u_char) (len >> 24);
        *d++ = (u_char) (len >> 16);
        *d++ = (u_char) (len >> 8);
        *d++ = (u_char) len;
        d = ngx_cpymem(d, nal, len);
    }

    return d - dst;
}


static void
test_stream(const stream_t *s, size_t max, ngx_uint_t lengths)
{
    char                 kind;
    size_t               n, pos;
    u_char              *au;
    ngx_int_t            rc;
    ngx_uint_t           i, from, to, bad;
    ngx_webrtc_pack_t    pack;
    ngx_webrtc_frame_t   frame;
    ngx_webrtc_track_t   track;
    static u_char        copy[MEDIA_MAX];

    media_read(&file, s->path);

    tap_is_int(ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(s->codec), max,
                                    media_out, &out), NGX_OK, "%s init",
               s->name);

    tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_AGAIN,
               "%s nothing known yet", s->name);

    if (lengths) {
        tap_is_int(ngx_webrtc_pack_config(&pack, s->conf, s->conf_n), NGX_OK,
                   "%s config", s->name);
        tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_OK,
                   "%s known from config", s->name);
    }

    bad = 0;
    pos = 0;

    for (i = 0; s->kinds[i]; i++) {
        kind = s->kinds[i];

        au = media_annexb(&file, &pos, &n, s->aud);

        if (au == NULL) {
            tap_ok(0, "%s frame %d is missing", s->name, (int) i);
            return;
        }

        expect(s, au, n, kind);

        if (lengths) {
            n = to_lengths(copy, au, n);
            au = copy;
        }

        if (ngx_webrtc_pack_probe(&pack, au, n, &frame) != NGX_OK
            || !frame.picture
            || frame.key != (kind == 'K')
            || frame.discardable != (kind == 'b'))
        {
            tap_diag("frame %d: key %d discardable %d", (int) i, frame.key,
                     frame.discardable);
            bad++;
        }

        rc = ngx_webrtc_pack_frame(&pack, au, n, &frame);

        if (rc != NGX_OK || !media_flags(&out, pack.max, &frame)) {
            tap_diag("frame %d: %d", (int) i, (int) rc);
            bad++;
        }

        /* parameter sets are alone in the first packets of a key frame */

        if ((kind == 'K') != !!(out.flags[0] & NGX_WEBRTC_PKT_PARAMS)
            || (out.flags[out.n - 1] & NGX_WEBRTC_PKT_PARAMS))
        {
            tap_diag("frame %d: flags", (int) i);
            bad++;
        }

        /* fragments are equal */

        for (from = 0; from < out.n; from = to) {
            to = from + 1;

            if (nal_type(s, out.data[from]) != (s->header == 1 ? 28 : 49)) {
                continue;
            }

            while (!(out.data[to - 1][s->header] & 0x40)) {
                to++;
            }

            if (!media_equal(&out, from, to, to - from - 1)) {
                bad++;
            }
        }

        got.size = 0;
        got.n = 0;

        if (!depacketize(s, &got)
            || got.size != sent.size
            || memcmp(got.data, sent.data, got.size) != 0)
        {
            tap_diag("frame %d: %d NAL units, %d bytes, want %d, %d",
                     (int) i, (int) got.n, (int) got.size, (int) sent.n,
                     (int) sent.size);
            bad++;
        }

        media_free(&out);
    }

    tap_ok(media_annexb(&file, &pos, &n, s->aud) == NULL, "%s all frames",
           s->name);
    tap_is_int(bad, 0, "%s max %d %s", s->name, (int) max,
               lengths ? "lengths" : "annex b");

    tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_OK, "%s known",
               s->name);
    tap_is_int(track.kind, NGX_WEBRTC_VIDEO, "%s kind", s->name);
    tap_is_int(track.codec, s->codec, "%s codec", s->name);
    tap_is_int(track.clock_rate, 90000, "%s clock rate", s->name);
    tap_is_int(track.profile, s->profile, "%s profile", s->name);
    tap_is_int(track.width, 320, "%s width", s->name);
    tap_is_int(track.height, 180, "%s height", s->name);
}


/* small H.264 frames whose packets are written down */

typedef struct {
    const char  *name;
    const char  *in;            /* Annex B */
    size_t       in_n;
    ngx_int_t    rc;
    ngx_uint_t   n;             /* packets */
    const char  *want[3];
    size_t       want_n[3];
    ngx_uint_t   flags[3];
} small_t;

#define S(s)   s, sizeof(s) - 1
#define F      NGX_WEBRTC_PKT_FIRST
#define L      (NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER)
#define K      NGX_WEBRTC_PKT_KEY
#define P      NGX_WEBRTC_PKT_PARAMS
#define D      NGX_WEBRTC_PKT_DISCARD


/* two parameter sets of the stream above, known from an avcC */

static const small_t  smalls[] = {

    { "single NAL unit", S("\0\0\0\1\x41\x9a\x01"), NGX_OK, 1,
      { "\x41\x9a\x01" }, { 3 }, { F|L } },

    { "aggregated, NRI is the maximum",
      S("\0\0\0\1\x09\xf0\0\0\1\x06\x01\x01\x00\x80\0\0\1\x41\x9a\x01"
        "\0\0\1\x21\x9a\x02\0\0"), NGX_OK, 1,
      { "\x58\0\x05\x06\x01\x01\x00\x80\0\x03\x41\x9a\x01\0\x03\x21\x9a\x02" },
      { 18 }, { F|L } },

    { "F is kept", S("\0\0\1\xc1\x9a\x01\0\0\1\x01\x9a\x02"), NGX_OK, 1,
      { "\xd8\0\x03\xc1\x9a\x01\0\x03\x01\x9a\x02" }, { 11 }, { F|L } },

    { "discardable", S("\0\0\1\x01\x9e\x01"), NGX_OK, 1,
      { "\x01\x9e\x01" }, { 3 }, { F|L|D } },

    { "filler, padding SEI, delimiter and end left out",
      S("\0\0\0\1\x09\xf0\0\0\1\x06\x03\x02\xff\xff\x80\0\0\1\x41\x9a\x01"
        "\0\0\1\x0c\xff\xff\x80\0\0\1\x0a\0\0\1\x0b"), NGX_OK, 1,
      { "\x41\x9a\x01" }, { 3 }, { F|L } },

    { "other layers and reserved types left out",
      S("\0\0\1\x6e\x01\x02\0\0\1\x41\x9a\x01\0\0\1\x74\x01\x02"
        "\0\0\1\x78\x01\x02\0\0\1\x7c\x01\x02\0\0\1\x00\x01"), NGX_OK, 1,
      { "\x41\x9a\x01" }, { 3 }, { F|L } },

    { "key frame gets the parameter sets",
      S("\0\0\1\x65\x88\x84"), NGX_OK, 2,
      { "\x78\x00\x1a\x67\x64\x00\x0c\xac\xd9\x41\x41\x9f\x9f\x01\x10\x00\x00"
        "\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x42\x99\x60\x00\x06\x68\xeb\xe0"
        "\x84\xb2\x2c",
        "\x65\x88\x84" }, { 37, 3 }, { F|K|P, L|K } },

    { "parameter sets alone", S("\0\0\1\x68\xeb\xe0\x84\xb2\x2c"),
      NGX_DECLINED, 0, { NULL }, { 0 }, { 0 } },

    { "parameter sets in a frame between",
      S("\0\0\1\x68\xeb\xe0\x84\xb2\x2c\0\0\1\x41\x9a\x01"), NGX_OK, 1,
      { "\x78\0\x06\x68\xeb\xe0\x84\xb2\x2c\0\x03\x41\x9a\x01" }, { 14 },
      { F|L } },

    { "a newer picture parameter set in a key frame",
      S("\0\0\1\x68\xeb\xe0\x84\xb2\x2d\0\0\1\x65\x88\x84"), NGX_OK, 2,
      { "\x78\x00\x1a\x67\x64\x00\x0c\xac\xd9\x41\x41\x9f\x9f\x01\x10\x00\x00"
        "\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x42\x99\x60\x00\x06\x68\xeb\xe0"
        "\x84\xb2\x2d",
        "\x65\x88\x84" }, { 37, 3 }, { F|K|P, L|K } },

    { "no start code", S("\x65\x88\x84\x01"), NGX_DECLINED, 0,
      { NULL }, { 0 }, { 0 } },

    { "nothing to see", S("\0\0\1\x09\xf0"), NGX_DECLINED, 0,
      { NULL }, { 0 }, { 0 } },

    { "zeros", S("\0\0\0\0\0\0\1\0\0\0"), NGX_DECLINED, 0,
      { NULL }, { 0 }, { 0 } },
};


static void
test_small(void)
{
    ngx_uint_t           i, k;
    ngx_webrtc_pack_t    pack;
    const small_t       *t;
    static u_char        buf[256];

    (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(NGX_WEBRTC_CODEC_H264),
                                0, media_out, &out);
    (void) ngx_webrtc_pack_config(&pack, avcc, sizeof(avcc) - 1);

    pack.length_size = 0;

    for (i = 0; i < nelts(smalls); i++) {
        t = &smalls[i];

        memcpy(buf, t->in, t->in_n);

        tap_is_int(ngx_webrtc_pack_frame(&pack, buf, t->in_n, NULL), t->rc,
                   "%s: result", t->name);
        tap_is_int(out.n, t->n, "%s: packets", t->name);

        for (k = 0; k < out.n && k < t->n; k++) {
            tap_is_mem(out.data[k], out.size[k], t->want[k], t->want_n[k],
                       "%s: packet %d", t->name, (int) k);
            tap_is_int(out.flags[k], t->flags[k], "%s: flags %d", t->name,
                       (int) k);
        }

        media_free(&out);
    }
}


/* recovery points count only where there is no IDR */

static void
test_recovery(void)
{
    ngx_uint_t           i, keys;
    ngx_webrtc_pack_t    pack;
    ngx_webrtc_frame_t   frame;
    u_char               rec[] = "\0\0\1\x06\x06\x01\x84\x80\0\0\1\x41\x9a\x01";
    u_char               idr[] = "\0\0\1\x65\x88\x84";

    (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(NGX_WEBRTC_CODEC_H264),
                                0, media_out, &out);

    (void) ngx_webrtc_pack_probe(&pack, rec, sizeof(rec) - 1, &frame);
    tap_is_int(frame.key, 0, "no key frame without parameter sets");
    (void) ngx_webrtc_pack_probe(&pack, idr, sizeof(idr) - 1, &frame);
    tap_is_int(frame.key, 0, "nor an IDR picture");

    (void) ngx_webrtc_pack_config(&pack, avcc, sizeof(avcc) - 1);
    pack.length_size = 0;

    (void) ngx_webrtc_pack_probe(&pack, rec, sizeof(rec) - 1, &frame);
    tap_is_int(frame.key, 1, "recovery point at the beginning");

    (void) ngx_webrtc_pack_probe(&pack, idr, sizeof(idr) - 1, &frame);
    tap_is_int(frame.key, 1, "IDR");

    for (i = 0, keys = 0; i < 300; i++) {
        (void) ngx_webrtc_pack_probe(&pack, rec, sizeof(rec) - 1, &frame);
        keys += frame.key;
    }

    tap_is_int(keys, 0, "no recovery points within 300 frames of an IDR");

    (void) ngx_webrtc_pack_probe(&pack, rec, sizeof(rec) - 1, &frame);
    tap_is_int(frame.key, 1, "recovery point after 300 frames");
}


static void
test_errors(void)
{
    ngx_uint_t           i;
    ngx_webrtc_pack_t    pack;
    ngx_webrtc_track_t   track;
    u_char               cut[] = "\0\0\0\x03\x41\x9a\x01\0\0\0\x04\x41\x9a";
    u_char               two[] = "\0\x03\x41\x9a\x01\0\0\0\x02\x41\x9b";
    static u_char        big[4096];

    tap_is_int(ngx_webrtc_pack_init(&pack,
                                    ngx_webrtc_codec(NGX_WEBRTC_CODEC_RED), 0,
                                    media_out, &out), NGX_DECLINED,
               "no packetizer for RED");
    tap_is_int(ngx_webrtc_pack_init(&pack,
                                    ngx_webrtc_codec(NGX_WEBRTC_CODEC_N), 0,
                                    media_out, &out), NGX_DECLINED,
               "no packetizer for what is no codec");

    (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(NGX_WEBRTC_CODEC_H264),
                                0, media_out, &out);

    for (i = 0; i < sizeof(avcc) - 1; i++) {

        /* the last 4 bytes are of High profiles only and may be absent */

        if (ngx_webrtc_pack_config(&pack, avcc, i)
            != ((i == 0 || i >= 43) ? NGX_OK : NGX_DECLINED))
        {
            break;
        }
    }

    tap_is_int(i, sizeof(avcc) - 1, "avcC cut anywhere");

    for (i = 1; i < sizeof(hvcc) - 1; i++) {
        ngx_webrtc_pack_t  h265;

        (void) ngx_webrtc_pack_init(&h265,
                                    ngx_webrtc_codec(NGX_WEBRTC_CODEC_H265), 0,
                                    media_out, &out);

        if (ngx_webrtc_pack_config(&h265, hvcc, i) != NGX_DECLINED) {
            break;
        }
    }

    tap_is_int(i, sizeof(hvcc) - 1, "hvcC cut anywhere");

    avcc[1]++;
    avcc[2]++;
    (void) ngx_webrtc_pack_config(&pack, avcc, sizeof(avcc) - 1);
    avcc[1]--;
    avcc[2]--;

    tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_OK, "track");
    tap_is_int(track.profile, 0x64000c, "profile is that of the SPS");

    tap_is_int(ngx_webrtc_pack_frame(&pack, cut, sizeof(cut) - 1, NULL),
               NGX_DECLINED, "length past the end");
    tap_is_int(out.n, 0, "nothing came out");
    tap_is_int(ngx_webrtc_pack_frame(&pack, cut, 0, NULL), NGX_DECLINED,
               "empty frame");

    pack.length_size = 2;

    tap_is_int(ngx_webrtc_pack_frame(&pack, two, sizeof(two) - 1, NULL),
               NGX_OK, "two bytes of length, an empty NAL unit");
    tap_is_int(out.n, 1, "one packet");
    tap_is_mem(out.data[0], out.size[0],
               "\x58\0\x03\x41\x9a\x01\0\x02\x41\x9b", 10, "its bytes");
    media_free(&out);

    /* the callback's result ends the frame */

    pack.length_size = 0;
    memcpy(big, "\0\0\1\x41\x9a", 5);
    memset(big + 5, 0x55, sizeof(big) - 5);

    out.fail = 2;
    tap_is_int(ngx_webrtc_pack_frame(&pack, big, sizeof(big), NULL),
               NGX_ERROR, "error of the callback");
    tap_is_int(out.n, 2, "and no payload after it");
    out.fail = 0;
    media_free(&out);
}


static void
test_params(void)
{
    ngx_uint_t             i;
    ngx_webrtc_params_t    ps;
    ngx_webrtc_param_t    *set;
    static u_char          a[NGX_WEBRTC_PARAMS_SIZE];

    ngx_webrtc_params_clear(&ps);

    memset(a, 0x11, sizeof(a));

    tap_is_int(ngx_webrtc_params_put(&ps, 8, 1, a, 100), NGX_OK, "put");
    tap_is_int(ngx_webrtc_params_put(&ps, 7, 0, a, 1000), NGX_OK, "put");
    tap_is_int(ngx_webrtc_params_put(&ps, 8, 0, pps_h264, 6), NGX_OK, "put");
    tap_is_int(ngx_webrtc_params_put(&ps, 8, 1, a, 100), NGX_DONE, "same");
    tap_is_int(ngx_webrtc_params_put(&ps, 7, 1, a, 943), NGX_DECLINED,
               "too large");
    tap_is_int(ngx_webrtc_params_put(&ps, 7, 0, a, 1942), NGX_OK,
               "fits in place of the old one");
    tap_is_int(ngx_webrtc_params_put(&ps, 7, 0, a, 1943), NGX_DECLINED,
               "one byte too many");
    tap_is_int(ps.n, 3, "three sets");
    tap_is_int(ps.used, 2048, "all room used");

    tap_is_int(ps.sets[0].type, 7, "sorted by type");
    tap_is_int(ps.sets[1].id, 0, "sorted by id");
    tap_is_int(ps.sets[2].id, 1, "sorted by id");

    set = ngx_webrtc_params_get(&ps, 8);
    tap_is_mem(ps.data + set->offset, set->size, pps_h264, 6, "moved whole");
    tap_ok(ngx_webrtc_params_get(&ps, 13) == NULL, "none of that type");
    tap_ok(ngx_webrtc_params_has(&ps, a, 100), "has");
    tap_ok(!ngx_webrtc_params_has(&ps, a, 99), "has not");

    ngx_webrtc_params_clear(&ps);

    for (i = 0; i < NGX_WEBRTC_PARAMS_MAX; i++) {
        if (ngx_webrtc_params_put(&ps, 8, 15 - i, a, i + 1) != NGX_OK) {
            break;
        }
    }

    tap_is_int(i, NGX_WEBRTC_PARAMS_MAX, "sixteen sets");
    tap_is_int(ngx_webrtc_params_put(&ps, 8, 16, a, 1), NGX_DECLINED,
               "a seventeenth");
    tap_is_int(ps.sets[0].id, 0, "sorted");
    tap_is_int(ps.sets[0].size, 16, "sorted");
    tap_is_int(ps.sets[15].size, 1, "sorted");
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < nelts(streams); i++) {
        test_stream(&streams[i], 0, 0);
        test_stream(&streams[i], 0, 1);
        test_stream(&streams[i], 64, 0);
        test_stream(&streams[i], 100, 1);
        test_stream(&streams[i], 1440, 0);
    }

    test_small();
    test_recovery();
    test_errors();
    test_params();

    return tap_done();
}
