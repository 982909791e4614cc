
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * AV1 packetizer on a stream of libaom: depacketized after "RTP Payload Format
 * For AV1", 4.4, the same OBUs must come out, without temporal delimiters and
 * size fields.  Key frames, sizes and av1C: FFmpeg.
 */


#include "media.h"
#include "ngx_webrtc_obu.h"
#include "ngx_webrtc_codecs.h"

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


typedef struct {
    u_char      data[MEDIA_MAX];
    size_t      size;
    ngx_uint_t  n;
} obus_t;


static media_file_t  file;
static media_out_t   out;
static obus_t        sent, got;

/* av1C: four bytes, then the sequence header with its size field */

static u_char  av1c[] =
    "\x81\x00\x0c\x00\x0a\x0b\x00\x00\x00\x04\x3c\xfe\xcc\xda\xf9\x00\x40";


static void
obus_add(obus_t *l, u_char *p, size_t n)
{
    l->data[l->size++] = (u_char) (n >> 16);
    l->data[l->size++] = (u_char) (n >> 8);
    l->data[l->size++] = (u_char) n;
    memcpy(l->data + l->size, p, n);
    l->size += n;
    l->n++;
}


static u_char *
leb128(u_char *p, u_char *end, size_t *v)
{
    int  shift;

    for (*v = 0, shift = 0; p < end && shift < 28; shift += 7) {
        *v |= (size_t) (*p & 0x7f) << shift;

        if (!(*p++ & 0x80)) {
            return p;
        }
    }

    return NULL;
}


static int
depacketize(obus_t *l)
{
    size_t          n, obu_n;
    u_char         *p, *end, h;
    ngx_uint_t      i, k, w, more;
    static u_char   obu[MEDIA_MAX];

    obu_n = 0;
    more = 0;

    for (i = 0; i < out.n; i++) {
        p = out.data[i];
        end = p + out.size[i];
        h = *p++;

        if (h & 0x07) {
            return 0;                       /* reserved bits */
        }

        if (!!(h & 0x80) != more) {
            return 0;                       /* Z, and Y of the one before */
        }

        if (!!(h & 0x08) != (i == 0 && (out.flags[0] & NGX_WEBRTC_PKT_KEY))) {
            return 0;                       /* N */
        }

        w = (h >> 4) & 3;
        more = (h >> 6) & 1;

        if (!more && i + 1 < out.n) {
            return 0;                       /* a frame of its own */
        }

        for (k = 1; p < end; k++) {

            if (k == w) {
                n = end - p;

            } else {
                p = leb128(p, end, &n);

                if (p == NULL || n == 0 || n > (size_t) (end - p)) {
                    return 0;
                }
            }

            memcpy(obu + obu_n, p, n);
            obu_n += n;
            p += n;

            if (p < end || !more) {

                if (obu[0] & 0x02) {
                    return 0;               /* has_size */
                }

                obus_add(l, obu, obu_n);
                obu_n = 0;
            }
        }

        if (w && k != w + 1) {
            return 0;
        }
    }

    return !more && obu_n == 0;
}


/* a temporal unit in the low-overhead format, all OBUs with size */

static void
expect(u_char *p, size_t size)
{
    size_t          n, hd;
    u_char         *end, type, h[2];
    static u_char   obu[MEDIA_MAX];

    sent.size = 0;
    sent.n = 0;

    for (end = p + size; p < end; p += n) {
        type = (*p >> 3) & 0x0f;
        hd = (*p & 0x04) ? 2 : 1;
        h[0] = *p++ & 0xfd;

        if (hd == 2) {
            h[1] = *p++;
        }

        p = leb128(p, end, &n);

        if (p == NULL) {
            abort();
        }

        if (type != 2 && type != 8 && type != 15) {
            memcpy(obu, h, hd);
            memcpy(obu + hd, p, n);
            obus_add(&sent, obu, hd + n);
        }
    }
}


static void
test_stream(size_t max, ngx_uint_t strip)
{
    size_t               n, pos;
    u_char              *p;
    ngx_int_t            rc;
    ngx_uint_t           i, bad;
    const char          *kinds = "KPPPPKPP";
    ngx_webrtc_pack_t    pack;
    ngx_webrtc_frame_t   frame;
    ngx_webrtc_track_t   track;

    media_read(&file, "t/data/media/av1.ivf");

    (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(NGX_WEBRTC_CODEC_AV1),
                                max, media_out, &out);

    tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_AGAIN,
               "nothing known");

    if (strip) {
        tap_is_int(ngx_webrtc_pack_config(&pack, av1c, sizeof(av1c) - 1),
                   NGX_OK, "av1C");
        tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_OK,
                   "known from av1C");
    }

    bad = 0;
    pos = 0;

    for (i = 0; kinds[i]; i++) {
        p = media_ivf(&file, &pos, &n);

        if (p == NULL) {
            tap_ok(0, "frame %d is missing", (int) i);
            return;
        }

        expect(p, n);

        if (strip && p[0] == 0x12 && p[2] == 0x0a) {
            /* without delimiter and sequence header, as in MP4 it may be */
            p += 2 + 2 + p[3];
            n = file.data + pos - p;
        }

        rc = ngx_webrtc_pack_probe(&pack, p, n, &frame);

        if (rc != NGX_OK || frame.key != (kinds[i] == 'K')) {
            tap_diag("frame %d: probe %d, key %d", (int) i, (int) rc,
                     frame.key);
            bad++;
        }

        rc = ngx_webrtc_pack_frame(&pack, p, n, &frame);

        if (rc != NGX_OK || !media_flags(&out, pack.max, &frame)
            || !media_equal(&out, 0, out.n, out.n + 4))
        {
            tap_diag("frame %d: %d", (int) i, (int) rc);
            bad++;
        }

        got.size = 0;
        got.n = 0;

        if (!depacketize(&got) || got.size != sent.size
            || memcmp(got.data, sent.data, got.size) != 0)
        {
            tap_diag("frame %d: %d OBUs, %d bytes, want %d, %d", (int) i,
                     (int) got.n, (int) got.size, (int) sent.n,
                     (int) sent.size);
            bad++;
        }

        media_free(&out);
    }

    tap_is_int(bad, 0, "max %d%s", (int) max, strip ? ", av1C" : "");

    tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_OK, "known");
    tap_is_int(track.width, 320, "width");
    tap_is_int(track.height, 180, "height");
    tap_is_int(track.profile, 0, "profile, tier and level");
}


/*
 * Temporal units of many OBUs: tile groups of all lengths, in all payload
 * sizes.  What comes in goes out, in no more packets than need be, and all
 * packets but the last are full.
 */

static void
test_many(void)
{
    size_t               n, size, max, total;
    ngx_uint_t           count, i, k, bad, cases;
    uint32_t             seed;
    ngx_webrtc_pack_t    pack;
    ngx_webrtc_frame_t   frame;
    static u_char        data[MEDIA_MAX];

    bad = 0;
    cases = 0;
    seed = 7;

    for (count = 1; count <= 40; count++) {
        for (max = 64; max <= 1440; max += 172) {

            memcpy(data, "\x12\x00\x1a\x01\x30", 5);   /* TD, frame header */
            n = 5;
            total = 2;

            for (i = 0; i < count; i++) {
                seed = seed * 1664525 + 1013904223;

                size = (seed >> 12) % ((count & 1) ? 30 : 400);
                size += (seed >> 28) ? 0 : 110;

                data[n++] = (i % 3 == 2) ? 0x26 : 0x22;     /* tile group */

                if (i % 3 == 2) {
                    data[n++] = 0x08;                       /* extension */
                }

                if (size > 127) {
                    data[n++] = (u_char) (size | 0x80);
                    data[n++] = (u_char) (size >> 7);

                } else {
                    data[n++] = (u_char) size;
                }

                for (k = 0; k < size; k++) {
                    data[n++] = (u_char) (seed + k);
                }

                total += size + 2;
            }

            (void) ngx_webrtc_pack_init(&pack,
                                        ngx_webrtc_codec(NGX_WEBRTC_CODEC_AV1),
                                        max, media_out, &out);

            expect(data, n);

            got.size = 0;
            got.n = 0;

            cases++;

            if (ngx_webrtc_pack_probe(&pack, data, n, &frame) != NGX_OK
                || ngx_webrtc_pack_frame(&pack, data, n, &frame) != NGX_OK
                || !media_flags(&out, pack.max, &frame)
                || !depacketize(&got)
                || got.size != sent.size
                || memcmp(got.data, sent.data, got.size) != 0)
            {
                tap_diag("%d OBUs, max %d", (int) count, (int) max);
                bad++;
            }

            /* lengths: two bytes an OBU, three a packet; none half empty */

            if (out.n > (total + 2 * count) / (max - 4) + 1) {
                tap_diag("%d OBUs, max %d: %d packets of %d bytes",
                         (int) count, (int) max, (int) out.n, (int) total);
                bad++;
            }

            media_free(&out);
        }
    }

    tap_is_int(bad, 0, "%d temporal units of many OBUs", (int) cases);
}


static const struct {
    const char  *name;
    u_char       data[24];
    size_t       n;
    ngx_int_t    rc;
    ngx_uint_t   packets;
    u_char       want[24];
    size_t       want_n;
} smalls[] = {

    { "one OBU, W 1", { 0x12, 0x00, 0x32, 0x03, 0x30, 0xaa, 0xbb }, 7,
      NGX_OK, 1, { 0x10, 0x30, 0x30, 0xaa, 0xbb }, 5 },

    { "no size field", { 0x12, 0x00, 0x30, 0x30, 0xaa, 0xbb }, 6,
      NGX_OK, 1, { 0x10, 0x30, 0x30, 0xaa, 0xbb }, 5 },

    { "two OBUs, W 2", { 0x2a, 0x01, 0x04, 0x32, 0x02, 0x30, 0xaa }, 7,
      NGX_OK, 1, { 0x20, 0x02, 0x28, 0x04, 0x30, 0x30, 0xaa }, 7 },

    { "three OBUs, W 3",
      { 0x2a, 0x01, 0x04, 0x1a, 0x01, 0x30, 0x22, 0x02, 0xaa, 0xbb }, 10,
      NGX_OK, 1,
      { 0x30, 0x02, 0x28, 0x04, 0x02, 0x18, 0x30, 0x20, 0xaa, 0xbb }, 10 },

    { "four OBUs, W 0",
      { 0x1a, 0x01, 0x30, 0x22, 0x01, 0xaa, 0x22, 0x01, 0xbb, 0x22, 0x00 },
      11, NGX_OK, 1,
      { 0x00, 0x02, 0x18, 0x30, 0x02, 0x20, 0xaa, 0x02, 0x20, 0xbb, 0x01,
        0x20 }, 12 },

    { "padding and tile list left out",
      { 0x7a, 0x02, 0x00, 0x80, 0x32, 0x01, 0x30, 0x42, 0x01, 0x00 }, 10,
      NGX_OK, 1, { 0x10, 0x30, 0x30 }, 3 },

    { "size past the end", { 0x32, 0x04, 0x30, 0xaa, 0xbb }, 5,
      NGX_DECLINED, 0, { 0 }, 0 },

    { "forbidden bit", { 0xb2, 0x01, 0x30 }, 3, NGX_DECLINED, 0, { 0 }, 0 },

    { "delimiter alone", { 0x12, 0x00 }, 2, NGX_DECLINED, 0, { 0 }, 0 },

    { "extension cut", { 0x36 }, 1, NGX_DECLINED, 0, { 0 }, 0 },

    { "size of nine bytes",
      { 0x32, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x30 },
      11, NGX_DECLINED, 0, { 0 }, 0 },
};


static void
test_small(void)
{
    u_char             *p;
    ngx_uint_t          i;
    ngx_webrtc_pack_t   pack;

    for (i = 0; i < nelts(smalls); i++) {

        (void) ngx_webrtc_pack_init(&pack,
                                    ngx_webrtc_codec(NGX_WEBRTC_CODEC_AV1), 0,
                                    media_out, &out);

        p = malloc(smalls[i].n);
        memcpy(p, smalls[i].data, smalls[i].n);

        tap_is_int(ngx_webrtc_pack_frame(&pack, p, smalls[i].n, NULL),
                   smalls[i].rc, "%s", smalls[i].name);
        tap_is_int(out.n, smalls[i].packets, "%s: packets", smalls[i].name);

        if (out.n) {
            tap_is_mem(out.data[0], out.size[0], smalls[i].want,
                       smalls[i].want_n, "%s: bytes", smalls[i].name);
        }

        media_free(&out);
        free(p);
    }
}


int
main(void)
{
    test_stream(0, 0);
    test_stream(0, 1);
    test_stream(64, 0);
    test_stream(65, 1);
    test_stream(1440, 0);

    test_many();
    test_small();

    return tap_done();
}
