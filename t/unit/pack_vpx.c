
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * VP8 and VP9 packetizers on streams of libvpx: depacketized after RFC 7741,
 * 4.2 and RFC 9628, 4.2, the same frames must come out.  Key frames and sizes:
 * ffprobe.
 */


#include "media.h"
#include "ngx_webrtc_vp8.h"
#include "ngx_webrtc_vp9.h"
#include "ngx_webrtc_codecs.h"

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


typedef struct {
    const char  *name;
    const char  *path;
    ngx_uint_t   codec;
    const char  *kinds;
    uint16_t     pid;           /* to begin with */
} stream_t;


static const stream_t  streams[] = {
    { "vp8", "t/data/media/vp8.ivf", NGX_WEBRTC_CODEC_VP8, "KPPPPKPP", 0 },
    { "vp8 wrap", "t/data/media/vp8.ivf", NGX_WEBRTC_CODEC_VP8, "KPPPPKPP",
      0x7ffd },
    { "vp9", "t/data/media/vp9.ivf", NGX_WEBRTC_CODEC_VP9, "KPPPPKPP", 0 },
    { "vp9 wrap", "t/data/media/vp9.ivf", NGX_WEBRTC_CODEC_VP9, "KPPPPKPP",
      0x7ffd },
};


static media_file_t  file;
static media_out_t   out;


/* the size of the descriptor of a VP8 payload, or 0: not as it should be */

static size_t
vp8_descriptor(ngx_uint_t i, uint16_t pid, ngx_uint_t discardable)
{
    u_char  *p;

    p = out.data[i];

    if (out.size[i] < 5
        || p[0] != (0x80 | (discardable ? 0x20 : 0) | (i == 0 ? 0x10 : 0))
        || p[1] != 0x80
        || p[2] != (0x80 | (pid >> 8))
        || p[3] != (pid & 0xff))
    {
        return 0;
    }

    return 4;
}


static size_t
vp9_descriptor(ngx_uint_t i, uint16_t pid, ngx_uint_t key)
{
    u_char         *p, flags;
    static u_char   ss[] = { 0x18, 0x01, 0x40, 0x00, 0xb4, 0x01, 0x04, 0x01 };

    p = out.data[i];

    flags = 0x80;
    flags |= key ? 0 : 0x40;
    flags |= (i == 0) ? 0x08 : 0;
    flags |= (i == out.n - 1) ? 0x04 : 0;
    flags |= (key && i == 0) ? 0x02 : 0;

    if (out.size[i] < 4
        || p[0] != flags
        || p[1] != (0x80 | (pid >> 8))
        || p[2] != (pid & 0xff))
    {
        return 0;
    }

    if (flags & 0x02) {
        if (out.size[i] < 12 || memcmp(p + 3, ss, 8) != 0) {
            return 0;
        }

        return 11;
    }

    return 3;
}


static void
test_stream(const stream_t *s, size_t max)
{
    size_t               n, pos, got, hd;
    u_char              *p;
    uint16_t             pid;
    ngx_int_t            rc;
    ngx_uint_t           i, k, bad, key;
    ngx_webrtc_pack_t    pack;
    ngx_webrtc_frame_t   frame;
    ngx_webrtc_track_t   track;
    static u_char        data[MEDIA_MAX];

    media_read(&file, s->path);

    (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(s->codec), max,
                                media_out, &out);

    pid = s->pid;
    pack.picture_id = pid;

    tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_AGAIN,
               "%s nothing known", s->name);

    bad = 0;
    pos = 0;

    for (i = 0; s->kinds[i]; i++) {
        p = media_ivf(&file, &pos, &n);

        if (p == NULL) {
            tap_ok(0, "%s frame %d is missing", s->name, (int) i);
            return;
        }

        key = (s->kinds[i] == 'K');

        rc = ngx_webrtc_pack_probe(&pack, p, n, &frame);

        if (rc != NGX_OK || frame.key != key || frame.hidden) {
            tap_diag("frame %d: probe %d, key %d", (int) i, (int) rc,
                     frame.key);
            bad++;
        }

        rc = ngx_webrtc_pack_frame(&pack, p, n, &frame);

        if (rc != NGX_OK || !media_flags(&out, pack.max, &frame)
            || !media_equal(&out, 0, out.n, out.n - 1))
        {
            tap_diag("frame %d: %d", (int) i, (int) rc);
            bad++;
        }

        got = 0;

        for (k = 0; k < out.n; k++) {
            hd = (s->codec == NGX_WEBRTC_CODEC_VP8)
                 ? vp8_descriptor(k, pid, frame.discardable)
                 : vp9_descriptor(k, pid, key);

            if (hd == 0) {
                tap_diag("frame %d packet %d: descriptor", (int) i, (int) k);
                bad++;
                break;
            }

            memcpy(data + got, out.data[k] + hd, out.size[k] - hd);
            got += out.size[k] - hd;
        }

        if (got != n || memcmp(data, p, n) != 0) {
            tap_diag("frame %d: %d bytes of %d", (int) i, (int) got, (int) n);
            bad++;
        }

        media_free(&out);

        pid = (pid + 1) & 0x7fff;
    }

    tap_is_int(bad, 0, "%s max %d", s->name, (int) max);

    tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_OK, "%s known",
               s->name);
    tap_is_int(track.width, 320, "%s width", s->name);
    tap_is_int(track.height, 180, "%s height", s->name);
    tap_is_int(track.profile, 0, "%s profile", s->name);
}


/*
 * VP8 interframe headers made with the encoder of RFC 6386, 7.3 (in Python):
 * all flags 0 but those named.
 */

static const struct {
    const char  *name;
    u_char       data[32];
    size_t       n;
    ngx_int_t    rc;
    int          key;
    int          show;
    int          discardable;
} vp8s[] = {
    { "refreshes nothing",
      { 0x11, 0x20, 0x00, 0x11, 0x66, 0xd0, 0x00, 0x85, 0xa0, 0x00 }, 10,
      NGX_OK, 0, 1, 1 },
    { "refreshes nothing, hidden",
      { 0x01, 0x20, 0x00, 0x11, 0x66, 0xd0, 0x00, 0x85, 0xa0, 0x00 }, 10,
      NGX_OK, 0, 0, 1 },
    { "quantizer deltas",
      { 0x11, 0x20, 0x00, 0x11, 0x66, 0xd2, 0xb5, 0x60, 0x21, 0x68,
        0x00 }, 11,
      NGX_OK, 0, 1, 1 },
    { "segments as before",
      { 0x11, 0x20, 0x00, 0x84, 0x51, 0x00, 0x98, 0x21, 0x25, 0x30 }, 10,
      NGX_OK, 0, 1, 1 },
    { "loop filter deltas as before",
      { 0x11, 0x20, 0x00, 0x11, 0x73, 0x68, 0x00, 0x42, 0xd0, 0x00 }, 10,
      NGX_OK, 0, 1, 1 },
    { "refreshes last",
      { 0x11, 0x20, 0x00, 0x11, 0x66, 0xd0, 0x00, 0x95, 0xa0, 0x00 }, 10,
      NGX_OK, 0, 1, 0 },
    { "refreshes golden",
      { 0x11, 0x20, 0x00, 0x11, 0x66, 0xd0, 0x22, 0x16, 0x80, 0x00 }, 10,
      NGX_OK, 0, 1, 0 },
    { "refreshes altref",
      { 0x11, 0x20, 0x00, 0x11, 0x66, 0xd0, 0x12, 0x16, 0x80, 0x00 }, 10,
      NGX_OK, 0, 1, 0 },
    { "copies to golden",
      { 0x11, 0x20, 0x00, 0x11, 0x66, 0xd0, 0x04, 0x85, 0xa0, 0x00 }, 10,
      NGX_OK, 0, 1, 0 },
    { "copies to altref",
      { 0x11, 0x20, 0x00, 0x11, 0x66, 0xd0, 0x02, 0x85, 0xa0, 0x00 }, 10,
      NGX_OK, 0, 1, 0 },
    { "keeps probabilities",
      { 0x11, 0x20, 0x00, 0x11, 0x66, 0xd0, 0x00, 0xa5, 0xa0, 0x00 }, 10,
      NGX_OK, 0, 1, 0 },
    { "segment map",
      { 0x11, 0x20, 0x00, 0xcd, 0xa4, 0x0a, 0x20, 0x13, 0x04, 0x24,
        0xa6, 0x00 }, 12,
      NGX_OK, 0, 1, 0 },
    { "segment data",
      { 0x11, 0x20, 0x00, 0xa6, 0x20, 0xc0, 0x2a, 0x6e, 0x27, 0xa2,
        0x01, 0x30, 0x42, 0x4a, 0x60 }, 15,
      NGX_OK, 0, 1, 0 },
    { "segment map and data",
      { 0x11, 0x20, 0x00, 0xe5, 0xa0, 0xc0, 0x2a, 0x6e, 0x3b, 0x48,
        0x14, 0x40, 0x26, 0x08, 0x49, 0x4c, 0x00 }, 17,
      NGX_OK, 0, 1, 0 },
    { "loop filter deltas",
      { 0x11, 0x20, 0x00, 0x11, 0x7a, 0xad, 0x56, 0xab, 0x55, 0xb6,
        0x80, 0x04, 0x2d, 0x00, 0x00 }, 15,
      NGX_OK, 0, 1, 0 },
    { "cut", { 0x11, 0x00 }, 2, NGX_DECLINED, 0, 0, 0 },
    { "key frame cut",
      { 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4 }, 9,
      NGX_DECLINED, 0, 0, 0 },
    { "key frame", { 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0 },
      10, NGX_OK, 1, 1, 0 },
    { "bad start code", { 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2b, 0x40, 0x01, 0xb4,
      0 }, 10, NGX_DECLINED, 0, 0, 0 },
    { "interframe cut", { 0x11, 0x00, 0x00, 0x00 }, 4, NGX_OK, 0, 1, 0 },
    { "bad version", { 0x19, 0x00, 0x00, 0x00 }, 4, NGX_DECLINED, 0, 0, 0 },
};


static void
test_vp8(void)
{
    u_char            *p;
    ngx_uint_t         i;
    ngx_int_t          rc;
    ngx_webrtc_vp8_t   vp8;

    for (i = 0; i < nelts(vp8s); i++) {

        /* its own block, for the sanitizer */

        p = malloc(vp8s[i].n);
        memcpy(p, vp8s[i].data, vp8s[i].n);

        rc = ngx_webrtc_vp8_parse(p, vp8s[i].n, &vp8);

        tap_is_int(rc, vp8s[i].rc, "vp8 %s", vp8s[i].name);

        if (rc == NGX_OK) {
            tap_is_int(vp8.key, vp8s[i].key, "vp8 %s: key", vp8s[i].name);
            tap_is_int(vp8.show, vp8s[i].show, "vp8 %s: show", vp8s[i].name);
            tap_is_int(vp8.discardable, vp8s[i].discardable,
                       "vp8 %s: discardable", vp8s[i].name);
        }

        free(p);
    }
}


/* VP9 headers by the syntax tables of 6.2 and Annex B */

static const struct {
    const char  *name;
    u_char       data[24];
    size_t       n;
    ngx_int_t    rc;
    int          key;
    int          show;
    uint16_t     width;
    uint8_t      profile;
} vp9s[] = {

    /* 10 0 0 0 0 1 0, 49 83 42, 001 0 1920-1 1080-1 */
    { "key frame, profile 0",
      { 0x82, 0x49, 0x83, 0x42, 0x20, 0x77, 0xf0, 0x43, 0x70 }, 9,
      NGX_OK, 1, 1, 1920, 0 },

    /* 10 1 0 0 0 1 0, sync, 001 0 000 (4:4:4, reserved) */
    { "key frame, profile 1",
      { 0xa2, 0x49, 0x83, 0x42, 0x20, 0x0e, 0xfe, 0x08, 0x6e }, 9,
      NGX_OK, 1, 1, 1920, 1 },

    /* 10 0 1 0 0 1 0, sync, 0 (10 bit) 010 0 */
    { "key frame, profile 2",
      { 0x92, 0x49, 0x83, 0x42, 0x20, 0x3b, 0xf8, 0x21, 0xb8 }, 9,
      NGX_OK, 1, 1, 1920, 2 },

    { "key frame cut", { 0x82, 0x49, 0x83, 0x42, 0x20, 0x77, 0xf0, 0x43 }, 8,
      NGX_DECLINED, 0, 0, 0, 0 },
    { "bad sync code", { 0x82, 0x49, 0x83, 0x43, 0x20, 0x77, 0xf0, 0x43, 0x70 },
      9, NGX_DECLINED, 0, 0, 0, 0 },
    { "bad marker", { 0x42 }, 1, NGX_DECLINED, 0, 0, 0, 0 },
    { "interframe", { 0x86 }, 1, NGX_OK, 0, 1, 0, 0 },
    { "hidden interframe", { 0x84 }, 1, NGX_OK, 0, 0, 0, 0 },
    { "show existing frame", { 0x88 }, 1, NGX_OK, 0, 1, 0, 0 },

    /* two frames of 1 byte, a hidden one and a shown one */
    { "superframe", { 0x84, 0x86, 0xc1, 0x01, 0x01, 0xc1 }, 6,
      NGX_OK, 0, 1, 0, 0 },
    { "superframe, all hidden", { 0x84, 0x84, 0xc1, 0x01, 0x01, 0xc1 }, 6,
      NGX_OK, 0, 0, 0, 0 },
    { "superframe, sizes of two bytes",
      { 0x84, 0x86, 0xc9, 0x01, 0x00, 0x01, 0x00, 0xc9 }, 8,
      NGX_OK, 0, 1, 0, 0 },
    { "superframe, key frame first",
      { 0x82, 0x49, 0x83, 0x42, 0x20, 0x77, 0xf0, 0x43, 0x70, 0x86,
        0xc1, 0x09, 0x01, 0xc1 }, 14, NGX_OK, 1, 1, 1920, 0 },
    { "superframe of nothing", { 0xc0, 0x00, 0xc0 }, 3,
      NGX_DECLINED, 0, 0, 0, 0 },
};


static void
test_vp9(void)
{
    u_char            *p;
    ngx_int_t          rc;
    ngx_uint_t         i;
    ngx_webrtc_vp9_t   vp9;

    for (i = 0; i < nelts(vp9s); i++) {
        p = malloc(vp9s[i].n);
        memcpy(p, vp9s[i].data, vp9s[i].n);

        rc = ngx_webrtc_vp9_parse(p, vp9s[i].n, &vp9);

        tap_is_int(rc, vp9s[i].rc, "vp9 %s", vp9s[i].name);

        if (rc == NGX_OK) {
            tap_is_int(vp9.key, vp9s[i].key, "vp9 %s: key", vp9s[i].name);
            tap_is_int(vp9.show, vp9s[i].show, "vp9 %s: show", vp9s[i].name);
            tap_is_int(vp9.width, vp9s[i].width, "vp9 %s: width",
                       vp9s[i].name);
            tap_is_int(vp9.height, vp9s[i].width ? 1080 : 0,
                       "vp9 %s: height", vp9s[i].name);
            tap_is_int(vp9.profile, vp9s[i].profile, "vp9 %s: profile",
                       vp9s[i].name);
        }

        free(p);
    }
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < nelts(streams); i++) {
        test_stream(&streams[i], 0);
        test_stream(&streams[i], 64);
        test_stream(&streams[i], 1000);
    }

    test_vp8();
    test_vp9();

    return tap_done();
}
