
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What an upstream sends, as its bytes tell.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_sniff.h"
#include "tap.h"

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


static const struct {
    const char  *bytes;
    const char  *name;
} heads[] = {
    { "<!DOCTYPE html><html>", "HTML" },
    { "\r\n  <HTML lang=\"en\">", "HTML" },
    { "\xef\xbb\xbf<html>", "HTML" },
    { "<?xml version=\"1.0\"?><MPD>", "XML" },
    { "{\"error\": \"not found\"}", "JSON" },
    { "[1, 2]", "JSON" },
    { "#EXTM3U\n#EXT-X-VERSION:3", "a playlist" },
    { "v=0\r\no=- 0 0 IN IP4", "SDP" },
    { "\xff\xd8\xff\xe0\x10JFIF", "JPEG" },
    { "\x89PNG\r\n\x1a\n", "PNG" },
    { "GIF89a", "GIF" },
    { "%PDF-1.7", "PDF" },
    { "PK\x03\x04\x14", "ZIP" },
    { "\x1f\x8b\x08", "gzip" },
    { "404 page not found", "text" },
    { "FLV\x01\x05\x01", NULL },
    { "\x47\x40\x11\x10\x42\xf0\x25", NULL },
    { "\x1a\x45\xdf\xa3", NULL },
    { "ab", NULL },
    { "", NULL },
};


static const struct {
    const char  *name;
    ngx_uint_t   video;
    ngx_uint_t   codec;
    const char  *bytes;
    const char  *want;
    ngx_uint_t   fourcc;
} tags[] = {
    { "enhanced, start", 1, 0, "hvc1\x01\x01", "hevc", 1 },
    { "enhanced, frames", 1, 1, "hvc1\x00\x00\x00", "hevc", 1 },
    { "enhanced, frames without times", 1, 3, "av01\x0a", "av1", 1 },
    { "12", 1, 12, "\x01\x00\x00\x00\x00", "hevc", 0 },
    { "13", 1, 13, "\x01\x00\x00\x00", "av1", 0 },
    { "VP6", 1, 4, "\x00\x01\x02\x03", NULL, 0 },
    { "enhanced audio", 0, 9, "Opus\x00", "opus", 1 },
    { "AAC", 0, 10, "\x01\x21\x10\x04", NULL, 0 },
    { "nothing", 1, 0, "", NULL, 0 },
};


/*
 * Transport packets by a letter each:
 *
 *   c  a PES packet begins, clear        m  more of one
 *   s  scrambled                         S  scrambled with the odd key
 *   p  a PES packet with a scrambled payload
 *   a  same, behind an adaptation field  A  adaptation field only
 *   n  null packet, scrambled            t  a table
 *   e  broken on the way                 g  200 bytes of something else
 */

static size_t
packet(u_char *p, char c)
{
    size_t       i;
    const char  *hex;
    unsigned     b;

    if (c == 'g') {
        ngx_memset(p, 0x11, 200);
        return 200;
    }

    hex = (c == 'c') ? "47410010" "000001e0" "000084"
        : (c == 'm') ? "47010011" "000001e0" "0000a4"
        : (c == 's') ? "47410090"
        : (c == 'S') ? "474100d0"
        : (c == 'p') ? "47410010" "000001e0" "0000a0"
        : (c == 'a') ? "47410030" "0700ffffffffffff" "000001bd" "0000b0"
        : (c == 'A') ? "474100a0" "b7"
        : (c == 'n') ? "475fff90"
        : (c == 't') ? "47400010" "0000b00d"
        : "47c10090";

    ngx_memset(p, 0xff, NGX_WEBRTC_SNIFF_TS);

    for (i = 0; sscanf(hex, "%2x", &b) == 1; hex += 2) {
        p[i++] = (u_char) b;
    }

    return NGX_WEBRTC_SNIFF_TS;
}


static const struct {
    const char  *packets;         /* 40 times */
    ngx_uint_t   clear;
    ngx_uint_t   scrambled;
    ngx_uint_t   verdict;
} streams[] = {
    /* the first five packets are not counted */

    { "tccmm", 78, 0, 0 },
    { "tsSsS", 0, 156, 1 },
    { "tmmmmmsSsSsS", 0, 240, 1 },
    { "tpmpampm", 0, 157, 1 },
    { "tsSscS", 39, 157, 0 },
    { "tnnAem", 0, 0, 0 },
    { "ggg", 0, 0, 0 },
    { "gs", 0, 0, 0 },
    { "gsSsSsSsSsS", 0, 200, 1 },
};


static void
test_ts(void)
{
    size_t               n, at, step;
    ngx_uint_t           i, k;
    const char          *c;
    ngx_webrtc_sniff_t   s;

    static u_char        buf[131072];
    static const size_t  steps[] = { 131072, 1316, 100, 1 };

    for (i = 0; i < nelts(streams); i++) {

        n = 0;

        for (k = 0; k < 40; k++) {
            for (c = streams[i].packets; *c; c++) {
                n += packet(buf + n, *c);
            }
        }

        for (k = 0; k < nelts(steps); k++) {

            ngx_memzero(&s, sizeof(ngx_webrtc_sniff_t));

            for (at = 0; at < n; at += step) {
                step = ngx_min(steps[k], n - at);
                ngx_webrtc_sniff(&s, buf + at, step);
            }

            tap_is_int(s.clear, streams[i].clear, "%s, by %d: clear",
                       streams[i].packets, (int) steps[k]);
            tap_is_int(s.scrambled, streams[i].scrambled,
                       "%s, by %d: scrambled", streams[i].packets,
                       (int) steps[k]);
            tap_is_int(ngx_webrtc_sniff_scrambled(&s), streams[i].verdict,
                       "%s, by %d: verdict", streams[i].packets,
                       (int) steps[k]);
        }
    }
}


static int
same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}


int
main(void)
{
    u_char              *p;
    size_t               n, k;
    ngx_uint_t           i, fourcc;
    const char          *name;
    ngx_webrtc_sniff_t   s;

    for (i = 0; i < nelts(heads); i++) {

        n = strlen(heads[i].bytes);

        ngx_memzero(&s, sizeof(ngx_webrtc_sniff_t));
        ngx_webrtc_sniff(&s, (u_char *) heads[i].bytes, n);

        tap_ok(same(ngx_webrtc_sniff_name(&s), heads[i].name), "head %d: %s",
               (int) i, heads[i].name ? heads[i].name : "none");

        ngx_memzero(&s, sizeof(ngx_webrtc_sniff_t));

        for (k = 0; k < n; k++) {
            ngx_webrtc_sniff(&s, (u_char *) heads[i].bytes + k, 1);
        }

        tap_ok(same(ngx_webrtc_sniff_name(&s), heads[i].name),
               "head %d, byte by byte", (int) i);
    }

    for (i = 0; i < nelts(tags); i++) {

        p = (u_char *) tags[i].bytes;
        n = (tags[i].bytes[0] == '\0') ? 0 : 4;

        name = ngx_webrtc_sniff_flv(tags[i].video, tags[i].codec, p, n,
                                    &fourcc);

        tap_ok(same(name, tags[i].want), "tag %s: %s", tags[i].name,
               name ? name : "none");
        tap_is_int(fourcc, tags[i].fourcc, "tag %s: FourCC", tags[i].name);
    }

    test_ts();

    return tap_done();
}
