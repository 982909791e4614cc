
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What the headers of a stream say that a decoder has to be able to do:
 * sequence parameter sets of x264 and x265, expected by their options; and what
 * packetizer and depacketizer make of them.
 */


#include "media.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_h264.h"
#include "ngx_webrtc_h265.h"


static media_out_t  out;


static const struct {
    const char  *name;
    int          h265;
    u_char       data[128];
    size_t       n;
    uint8_t      depth;
    uint8_t      chroma;
    uint8_t      traits;
    uint8_t      reorder;
} rows[] = {

    { "x264 without B-frames", 0,
      { 0x67, 0x64, 0x00, 0x0c, 0xac, 0xb2, 0x02, 0x83, 0x3f, 0x3e,
        0x02, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x06,
        0x41, 0xe2, 0x85, 0x49 },
      24, 8, NGX_WEBRTC_CHROMA_420, 0, 0 },
    { "x264 defaults", 0,
      { 0x67, 0x64, 0x00, 0x0c, 0xac, 0xd9, 0x41, 0x41, 0x9f, 0x9f,
        0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03,
        0x03, 0x20, 0xf1, 0x42, 0x99, 0x60 },
      26, 8, NGX_WEBRTC_CHROMA_420, 0, 2 },
    { "x264 B-frames without pyramid", 0,
      { 0x67, 0x64, 0x00, 0x0c, 0xac, 0xd1, 0x01, 0x41, 0x9f, 0x9f,
        0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03,
        0x03, 0x20, 0xf1, 0x42, 0x91, 0x20 },
      26, 8, NGX_WEBRTC_CHROMA_420, 0, 1 },
    { "x264 with hrd", 0,
      { 0x67, 0x64, 0x00, 0x0d, 0xac, 0xd1, 0x01, 0x41, 0x9f, 0x9f,
        0x01, 0x6a, 0x02, 0x04, 0x04, 0x80, 0x00, 0x00, 0x03, 0x00,
        0x80, 0x00, 0x00, 0x19, 0x30, 0x10, 0x00, 0xf4, 0x20, 0x00,
        0x3d, 0x09, 0xc9, 0x86, 0x00, 0xf1, 0x42, 0x91, 0x20 },
      39, 8, NGX_WEBRTC_CHROMA_420, 0, 1 },
    { "x264 baseline", 0,
      { 0x67, 0x42, 0xc0, 0x0c, 0xd9, 0x01, 0x41, 0x9f, 0x9f, 0x01,
        0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03,
        0x20, 0xf1, 0x42, 0xa4, 0x80 },
      25, 8, NGX_WEBRTC_CHROMA_420, 0, 0 },
    { "x264 interlaced", 0,
      { 0x67, 0x64, 0x00, 0x15, 0xac, 0xe4, 0x05, 0x0c, 0xfc, 0x98,
        0x08, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x19,
        0x0f, 0x8a, 0x15, 0x24 },
      24, 8, NGX_WEBRTC_CHROMA_420, NGX_WEBRTC_TRACK_INTERLACED, 0 },
    { "x264 10 bit", 0,
      { 0x67, 0x6e, 0x00, 0x0c, 0xa6, 0xcb, 0x20, 0x28, 0x33, 0xf3,
        0xe0, 0x22, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03,
        0x00, 0x64, 0x1e, 0x28, 0x54, 0x90 },
      26, 10, NGX_WEBRTC_CHROMA_420, 0, 0 },
    { "x264 4:2:2", 0,
      { 0x67, 0x7a, 0x00, 0x0c, 0xbc, 0xb2, 0x02, 0x83, 0x3f, 0x1b,
        0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03,
        0x01, 0x90, 0x78, 0xa1, 0x52, 0x40 },
      26, 8, NGX_WEBRTC_CHROMA_422, 0, 0 },
    { "x264 4:4:4 10 bit", 0,
      { 0x67, 0xf4, 0x00, 0x0c, 0x90, 0xd9, 0x64, 0x05, 0x06, 0x7e,
        0x37, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
        0x03, 0x03, 0x20, 0xf1, 0x42, 0xa4, 0x80 },
      27, 10, NGX_WEBRTC_CHROMA_444, 0, 0 },
    { "x264 gray", 0,
      { 0x67, 0x64, 0x00, 0x0c, 0xf2, 0xc8, 0x0a, 0x0c, 0xfc, 0x6e,
        0x02, 0xd9, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03,
        0x00, 0x32, 0x0f, 0x14, 0x2a, 0x48 },
      26, 8, NGX_WEBRTC_CHROMA_MONO, 0, 0 },
    { "x265 without B-frames", 1,
      { 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90,
        0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3c, 0xa0, 0x0a,
        0x08, 0x0c, 0x1f, 0x3e, 0x5b, 0xa4, 0xa4, 0xc2, 0xf0, 0x16,
        0x80, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x0c,
        0x84 },
      41, 8, NGX_WEBRTC_CHROMA_420, 0, 0 },
    { "x265 defaults", 1,
      { 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90,
        0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3c, 0xa0, 0x0a,
        0x08, 0x0b, 0x9f, 0x79, 0x65, 0x66, 0x92, 0x4c, 0xaf, 0x01,
        0x68, 0x08, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03,
        0x00, 0xc8, 0x40 },
      43, 8, NGX_WEBRTC_CHROMA_420, 0, 2 },
    { "x265 10 bit", 1,
      { 0x42, 0x01, 0x01, 0x02, 0x20, 0x00, 0x00, 0x03, 0x00, 0x90,
        0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3c, 0xa0, 0x0a,
        0x08, 0x0c, 0x1f, 0x3b, 0x65, 0xba, 0x4a, 0x4c, 0x2f, 0x01,
        0x68, 0x08, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03,
        0x00, 0xc8, 0x40 },
      43, 10, NGX_WEBRTC_CHROMA_420, 0, 0 },
    { "x265 4:2:2 12 bit", 1,
      { 0x42, 0x01, 0x01, 0x04, 0x08, 0x00, 0x00, 0x03, 0x00, 0x99,
        0x08, 0x00, 0x00, 0x03, 0x00, 0x00, 0x3c, 0xb0, 0x0a, 0x08,
        0x0c, 0x1f, 0x1a, 0x52, 0x96, 0xe9, 0x29, 0x30, 0xbc, 0x05,
        0xa0, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x03,
        0x03, 0x21 },
      42, 12, NGX_WEBRTC_CHROMA_422, 0, 0 },
    { "x265 fields", 1,
      { 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x40,
        0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3c, 0xa0, 0x0a,
        0x08, 0x0c, 0x16, 0x5b, 0xa4, 0xa4, 0xc2, 0xff, 0xf0, 0x01,
        0x00, 0x00, 0xf6, 0x86, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80,
        0x00, 0x00, 0x0c, 0x84 },
      44, 8, NGX_WEBRTC_CHROMA_420, NGX_WEBRTC_TRACK_INTERLACED, 0 },

    { "a camera without VUI", 0,
      { 0x67, 0x4d, 0x00, 0x1f, 0x9a, 0x66, 0x02, 0x80, 0x2d, 0x80 }, 10, 8,
      NGX_WEBRTC_CHROMA_420, 0, NGX_WEBRTC_REORDER_UNKNOWN },
};


static ngx_int_t
parse(ngx_uint_t i, u_char *p, size_t n, ngx_webrtc_h264_sps_t *h264,
    ngx_webrtc_h265_sps_t *h265)
{
    return rows[i].h265 ? ngx_webrtc_h265_sps(p, n, h265)
                        : ngx_webrtc_h264_sps(p, n, h264);
}


static void
test_sets(void)
{
    size_t                  n;
    ngx_uint_t              i, wrong;
    u_char                 *p;
    ngx_webrtc_h264_sps_t   a, cut;
    ngx_webrtc_h265_sps_t   b, cutb;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        ngx_memzero(&a, sizeof(a));
        ngx_memzero(&b, sizeof(b));

        p = malloc(rows[i].n);
        memcpy(p, rows[i].data, rows[i].n);

        tap_is_int(parse(i, p, rows[i].n, &a, &b), NGX_OK, "%s: parsed",
                   rows[i].name);
        tap_is_int(rows[i].h265 ? b.depth : a.depth, rows[i].depth,
                   "%s: depth", rows[i].name);
        tap_is_int(rows[i].h265 ? b.chroma : a.chroma, rows[i].chroma,
                   "%s: chroma", rows[i].name);
        tap_is_int(rows[i].h265 ? b.traits : a.traits, rows[i].traits,
                   "%s: traits", rows[i].name);
        tap_is_int(rows[i].h265 ? b.reorder : a.reorder, rows[i].reorder,
                   "%s: reordering", rows[i].name);

        free(p);

        /* one that is cut has the same, or does not say how many */

        wrong = 0;

        for (n = 1; n < rows[i].n; n++) {
            p = malloc(n);
            memcpy(p, rows[i].data, n);

            if (parse(i, p, n, &cut, &cutb) == NGX_OK) {
                wrong += rows[i].h265
                         ? (cutb.reorder != b.reorder
                            && cutb.reorder != NGX_WEBRTC_REORDER_UNKNOWN)
                         : (cut.reorder != a.reorder
                            && cut.reorder != NGX_WEBRTC_REORDER_UNKNOWN);
            }

            free(p);
        }

        tap_is_int(wrong, 0, "%s: never another number when it is cut",
                   rows[i].name);
    }
}


/* an access unit: start code, the set, and a picture */

static size_t
unit(u_char *buf, ngx_uint_t i, const char *rest, size_t n)
{
    u_char  *p;

    p = ngx_cpymem(buf, "\0\0\0\1", 4);
    p = ngx_cpymem(p, rows[i].data, rows[i].n);
    p = ngx_cpymem(p, rest, n);

    return p - buf;
}


static void
test_pack(void)
{
    size_t               n;
    u_char               buf[256];
    ngx_uint_t           i;
    ngx_webrtc_pack_t    pack;
    ngx_webrtc_frame_t   frame;
    ngx_webrtc_track_t   track;

    static const char    idr[] = "\0\0\1\x68\xee\x3c\x80\0\0\1\x65\x88\x84";
    static const char    irap[] = "\0\0\1\x26\x01\xaf\x08";
    static const char    rec[] = "\0\0\1\x06\x06\x01\x84\x80\0\0\1\x41\x9a\x01";
    static const char    rec5[] = "\0\0\1\x4e\x01\x06\x01\x84\x80"
                                  "\0\0\1\x02\x01\xd0\x09";

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(rows[i].h265
                                               ? NGX_WEBRTC_CODEC_H265
                                               : NGX_WEBRTC_CODEC_H264),
                                    0, media_out, &out);

        n = rows[i].h265 ? unit(buf, i, irap, sizeof(irap) - 1)
                         : unit(buf, i, idr, sizeof(idr) - 1);

        tap_is_int(ngx_webrtc_pack_probe(&pack, buf, n, &frame), NGX_OK,
                   "%s: probed", rows[i].name);

        (void) ngx_webrtc_pack_track(&pack, &track);

        tap_is_int(track.depth, rows[i].depth, "%s: depth of the track",
                   rows[i].name);
        tap_is_int(track.chroma, rows[i].chroma, "%s: chroma of the track",
                   rows[i].name);
        tap_is_int(track.traits, rows[i].traits
                   | ((rows[i].reorder == 0 || rows[i].reorder == 0xff)
                      ? 0 : NGX_WEBRTC_TRACK_REORDERED),
                   "%s: traits of the track", rows[i].name);
    }

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        if (rows[i].reorder || rows[i].traits) {
            continue;
        }

        (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(rows[i].h265
                                               ? NGX_WEBRTC_CODEC_H265
                                               : NGX_WEBRTC_CODEC_H264),
                                    0, media_out, &out);

        n = rows[i].h265 ? unit(buf, i, rec5, sizeof(rec5) - 1)
                         : unit(buf, i, rec, sizeof(rec) - 1);

        (void) ngx_webrtc_pack_probe(&pack, buf, n, &frame);

        tap_is_int(frame.key, 1, "%s: a recovery point at the beginning",
                   rows[i].name);
        tap_is_int(pack.track.traits, NGX_WEBRTC_TRACK_NO_IDR,
                   "%s: is no IDR picture", rows[i].name);

        n = rows[i].h265 ? unit(buf, i, irap, sizeof(irap) - 1)
                         : unit(buf, i, idr, sizeof(idr) - 1);

        (void) ngx_webrtc_pack_probe(&pack, buf, n, &frame);

        tap_is_int(frame.key, 1, "%s: a key frame", rows[i].name);
        tap_is_int(pack.track.traits, 0, "%s: is one", rows[i].name);
    }

    /* another encoder: with B-frames, and without again; twice */

    (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(NGX_WEBRTC_CODEC_H264),
                                0, media_out, &out);

    for (i = 0; i < 4; i++) {
        n = unit(buf, 1 - i % 2, idr, sizeof(idr) - 1);

        (void) ngx_webrtc_pack_probe(&pack, buf, n, &frame);

        tap_is_int(pack.track.traits, i % 2 ? 0 : NGX_WEBRTC_TRACK_REORDERED,
                   "then %s", rows[1 - i % 2].name);
    }
}


/* a publisher's packet; returns whether the track has news */

static ngx_uint_t
input(ngx_webrtc_depay_t *d, const void *p, size_t n, uint32_t ts,
    ngx_uint_t marker)
{
    ngx_webrtc_depay_info_t     info;
    ngx_webrtc_depay_packet_t   pkt;

    ngx_memzero(&pkt, sizeof(pkt));

    pkt.payload = malloc(n);
    memcpy(pkt.payload, p, n);
    pkt.n = n;
    pkt.ts = ts;
    pkt.marker = marker ? 1 : 0;

    (void) ngx_webrtc_depay_input(d, &pkt, &info);

    free(pkt.payload);

    return info.changed;
}


static void
test_depay(void)
{
    uint32_t            ts;
    ngx_uint_t          i, news;
    ngx_webrtc_depay_t  d;

    static const struct {
        const char  *name;
        uint32_t     step;        /* to the second frame's timestamp */
        uint8_t      traits;
    } steps[] = {
        { "forwards", 3600, 0 },
        { "backwards", (uint32_t) -3600, NGX_WEBRTC_TRACK_REORDERED },
        { "far back: another source", (uint32_t) -900000, 0 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        (void) ngx_webrtc_depay_init(&d, ngx_webrtc_codec(rows[i].h265
                                               ? NGX_WEBRTC_CODEC_H265
                                               : NGX_WEBRTC_CODEC_H264));

        tap_is_int(input(&d, rows[i].data, rows[i].n, 1000, 0), 1,
                   "%s: published, has news", rows[i].name);
        tap_is_int(d.track.depth, rows[i].depth, "%s: depth", rows[i].name);
        tap_is_int(d.track.chroma, rows[i].chroma, "%s: chroma",
                   rows[i].name);
        tap_is_int(d.track.traits, rows[i].traits
                   | ((rows[i].reorder == 0 || rows[i].reorder == 0xff)
                      ? 0 : NGX_WEBRTC_TRACK_REORDERED),
                   "%s: traits", rows[i].name);
        tap_is_int(input(&d, rows[i].data, rows[i].n, 1000, 0), 0,
                   "%s: and no news again", rows[i].name);
    }

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {

        (void) ngx_webrtc_depay_init(&d,
                                     ngx_webrtc_codec(NGX_WEBRTC_CODEC_H264));

        /* any wrap is in between */

        ts = 1800;

        (void) input(&d, rows[0].data, rows[0].n, ts, 0);
        (void) input(&d, "\x68\xee\x3c\x80", 4, ts, 0);
        (void) input(&d, "\x65\x88\x84", 3, ts, 1);

        news = input(&d, "\x41\x9a\x24", 3, ts + steps[i].step, 1);

        tap_is_int(d.track.traits, steps[i].traits, "%s: traits",
                   steps[i].name);
        tap_is_int(news, steps[i].traits != 0, "%s: news", steps[i].name);
    }

    /* intra refresh, after the IDR picture of its beginning */

    (void) ngx_webrtc_depay_init(&d, ngx_webrtc_codec(NGX_WEBRTC_CODEC_H264));

    (void) input(&d, rows[0].data, rows[0].n, 0, 0);
    (void) input(&d, "\x68\xee\x3c\x80", 4, 0, 0);
    (void) input(&d, "\x65\x88\x84", 3, 0, 1);

    for (i = 1, news = 0; i <= 400; i++) {

        if (i % 50 == 0) {
            news += input(&d, "\x06\x06\x01\xc4\x80", 5, i * 3600, 0);
        }

        news += input(&d, "\x41\x9a\x24", 3, i * 3600, 1);
    }

    tap_is_int(news, 1, "intra refresh is news once");
    tap_is_int(d.track.traits, NGX_WEBRTC_TRACK_NO_IDR, "no IDR picture");

    tap_is_int(input(&d, "\x65\x88\x84", 3, i * 3600, 1), 1, "then one is");
    tap_is_int(d.track.traits, 0, "as if there had always been");
}


int
main(void)
{
    test_sets();
    test_pack();
    test_depay();

    return tap_done();
}
