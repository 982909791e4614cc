
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Opus packets, RFC 6716, 3.
 */


#include "media.h"

#include "ngx_webrtc_opus.h"
#include "ngx_webrtc_codecs.h"

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


static media_out_t  out;


/* in a frame of n bytes each is n */

static const struct {
    const char  *name;
    const char  *hex;
    ngx_uint_t   samples;         /* of all; 0: malformed as the TOC says */
    ngx_uint_t   n;               /* frames; 0: malformed */
    uint16_t     size[6];
} packets[] = {
    { "code 0", "78" "030303", 960, 1, { 3 } },
    { "code 0, 10 ms of SILK", "00" "0101", 480, 1, { 2 } },
    { "code 0, 60 ms of SILK", "18" "01", 2880, 1, { 1 } },
    { "code 0, 2.5 ms of CELT", "80" "01", 120, 1, { 1 } },
    { "code 0, hybrid of 20 ms", "68" "01", 960, 1, { 1 } },
    { "code 0, nothing in it (DTX)", "78", 960, 1, { 0 } },
    { "code 1", "79" "0202" "0202", 1920, 2, { 2, 2 } },
    { "code 1, odd", "79" "020202", 1920, 0, { 0 } },
    { "code 2", "7a" "01" "01" "0202", 1920, 2, { 1, 2 } },
    { "code 2, 120 ms", "1a" "01" "01" "0202", 5760, 2, { 1, 2 } },
    { "code 2, no length", "7a", 1920, 0, { 0 } },
    { "code 2, a length too long", "7a" "03" "0101", 1920, 0, { 0 } },
    { "code 2, half a length", "7a" "fc", 1920, 0, { 0 } },
    { "code 2, the second empty", "7a" "02" "0202", 1920, 2, { 2, 0 } },
    { "code 3, CBR", "7b" "03" "0202" "0202" "0202", 2880, 3, { 2, 2, 2 } },
    { "code 3, CBR, one", "7b" "01" "0202", 960, 1, { 2 } },
    { "code 3, CBR, not divisible", "7b" "03" "02020202", 2880, 0, { 0 } },
    { "code 3, VBR", "7b" "83" "01" "02" "01" "0202" "030303", 2880, 3,
      { 1, 2, 3 } },
    { "code 3, VBR, padding", "7b" "c2" "02" "01" "01" "0202" "0000", 1920, 2,
      { 1, 2 } },
    { "code 3, CBR, padding", "7b" "42" "01" "0101" "00", 1920, 2, { 1, 1 } },
    { "code 3, more padding than there is", "7b" "42" "09" "0101", 1920, 0,
      { 0 } },
    { "code 3, padding without an end", "7b" "42" "ff", 1920, 0, { 0 } },
    { "code 3, no count", "7b", 0, 0, { 0 } },
    { "code 3, no frames", "7b" "00" "01", 0, 0, { 0 } },
    { "code 3, 6 frames, 120 ms", "7b" "06" "010101010101", 5760, 6,
      { 1, 1, 1, 1, 1, 1 } },
    { "code 3, 7 frames, 140 ms", "7b" "07" "01010101010101", 0, 0, { 0 } },
    { "code 3, 49 frames of 2.5 ms", "83" "31" "01", 0, 0, { 0 } },
    { "nothing", "", 0, 0, { 0 } },
};


static void
test_parse(void)
{
    size_t              n;
    u_char              buf[64], *p;
    unsigned            b;
    ngx_uint_t          i, k, bad;
    const char         *hex;
    ngx_webrtc_opus_t   opus;

    for (i = 0; i < nelts(packets); i++) {

        n = 0;

        for (hex = packets[i].hex; sscanf(hex, "%2x", &b) == 1; hex += 2) {
            buf[n++] = (u_char) b;
        }

        p = malloc(n ? n : 1);
        ngx_memcpy(p, buf, n);

        ngx_memzero(&opus, sizeof(ngx_webrtc_opus_t));

        tap_is_int(ngx_webrtc_opus_samples(p, n), packets[i].samples,
                   "%s: samples", packets[i].name);
        tap_is_int(ngx_webrtc_opus_parse(&opus, p, n),
                   packets[i].n ? NGX_OK : NGX_DECLINED, "%s",
                   packets[i].name);

        if (packets[i].n) {

            tap_is_int(opus.n, packets[i].n, "%s: frames", packets[i].name);

            bad = 0;

            for (k = 0; k < packets[i].n; k++) {
                bad += (opus.size[k] != packets[i].size[k]);
            }

            tap_is_int(bad, 0, "%s: their sizes", packets[i].name);
        }

        free(p);
    }
}


/* a packet of code 3 with frames of these sizes, each of bytes of its number */

static size_t
build(u_char *p, u_char config, const uint16_t *size, ngx_uint_t n)
{
    u_char      *q;
    ngx_uint_t   i;

    q = p;

    *q++ = (u_char) (config << 3 | 3);
    *q++ = (u_char) (0x80 | n);

    for (i = 0; i + 1 < n; i++) {

        if (size[i] < 252) {
            *q++ = (u_char) size[i];

        } else {
            *q++ = (u_char) (252 + size[i] % 4);
            *q++ = (u_char) ((size[i] - (252 + size[i] % 4)) / 4);
        }
    }

    for (i = 0; i < n; i++) {
        ngx_memset(q, (int) i + 1, size[i]);
        q += size[i];
    }

    return q - p;
}


/* through the packetizer: packets that come out, and the frames in each */

static const struct {
    const char  *name;
    u_char       config;
    ngx_uint_t   n;
    uint16_t     size[48];
    ngx_uint_t   packets;
    ngx_uint_t   frames;          /* of all but the last one */
    int32_t      ticks;           /* between two */
} cuts[] = {
    { "120 ms, 80 kbit/s", 15, 6, { 200, 210, 190, 205, 251, 252 }, 6, 1,
      960 },
    { "120 ms, 500 kbit/s", 15, 6, { 1149, 1100, 1149, 1100, 1000, 1 }, 6, 1,
      960 },
    { "120 ms, 2 of 60", 3, 2, { 700, 700 }, 2, 1, 2880 },
    { "80 ms, 4 of 20, CBR", 31, 4, { 400, 400, 400, 400 }, 4, 1, 960 },
    { "40 ms, 4 of 10", 30, 4, { 400, 300, 400, 300 }, 2, 2, 960 },
    { "20 ms, 8 of 2.5, too much for one", 28, 8,
      { 300, 300, 300, 300, 300, 300, 300, 300 }, 3, 3, 360 },
    { "120 ms, 48 of 2.5", 28, 48,
      { 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
        30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
        30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 31 },
      6, 8, 960 },
    { "one frame of 1150, which no packet has room for", 15, 2,
      { 1150, 100 }, 0, 0, 0 },
};


static void
test_cut(void)
{
    size_t              n;
    u_char             *p;
    ngx_uint_t          i, k, f, frames, bad;
    ngx_webrtc_opus_t   opus;
    ngx_webrtc_pack_t   pack;

    for (i = 0; i < nelts(cuts); i++) {

        p = malloc(65536);
        n = build(p, cuts[i].config, cuts[i].size, cuts[i].n);

        if (n <= NGX_WEBRTC_PACK_PAYLOAD) {
            tap_fail("%s: %d bytes", cuts[i].name, (int) n);
        }

        media_free(&out);

        tap_is_int(ngx_webrtc_pack_init(&pack,
                                        ngx_webrtc_codec(NGX_WEBRTC_CODEC_OPUS),
                                        0, media_out, &out), NGX_OK,
                   "%s: init", cuts[i].name);

        out.pack = &pack;

        tap_is_int(ngx_webrtc_pack_frame(&pack, p, n, NULL),
                   cuts[i].packets ? NGX_OK : NGX_DECLINED, "%s: packed",
                   cuts[i].name);
        tap_is_int(out.n, cuts[i].packets, "%s: packets", cuts[i].name);

        bad = 0;
        frames = 0;

        for (k = 0; k < out.n; k++) {

            bad += (out.size[k] > NGX_WEBRTC_PACK_PAYLOAD);
            bad += (out.tick[k] != (int32_t) k * cuts[i].ticks);
            bad += (out.flags[k]
                    != (NGX_WEBRTC_PKT_FIRST|NGX_WEBRTC_PKT_LAST));

            if (ngx_webrtc_opus_parse(&opus, out.data[k], out.size[k])
                != NGX_OK)
            {
                bad++;
                continue;
            }

            bad += (opus.toc >> 3 != cuts[i].config);
            bad += (k + 1 < out.n && opus.n != cuts[i].frames);

            for (f = 0; f < opus.n; f++, frames++) {
                bad += (opus.size[f] != cuts[i].size[frames]);
                bad += (opus.frame[f][0] != frames + 1);
                bad += (opus.frame[f][opus.size[f] - 1] != frames + 1);
            }
        }

        tap_is_int(bad, 0, "%s: all as they were", cuts[i].name);
        tap_is_int(frames, cuts[i].packets ? cuts[i].n : 0, "%s: frames",
                   cuts[i].name);

        media_free(&out);
        free(p);
    }
}


int
main(void)
{
    test_parse();
    test_cut();

    return tap_done();
}
