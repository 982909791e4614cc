
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Playlists of HLS, as they are and as they should not be.  RFC 8216.
 */


#include "ngx_webrtc_source_playlist.h"
#include "tap.h"


#define HEAD  "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
#define SEG   "#EXTINF:2.000000,\nlive7.ts\n"


typedef struct {
    const char  *name;
    const char  *text;
    ngx_int_t    rc;           /* of the end */
    uint64_t     sequence;
    uint64_t     segments;
    ngx_uint_t   ended;
} row_t;


static const row_t  rows[] = {

    { "live", HEAD "#EXT-X-MEDIA-SEQUENCE:7\n" SEG SEG SEG, NGX_OK, 7, 3, 0 },
    { "CRLF", "#EXTM3U\r\n#EXT-X-MEDIA-SEQUENCE:7\r\n#EXTINF:2,\r\na.ts\r\n",
      NGX_OK, 7, 1, 0 },
    { "a byte order mark", "\xef\xbb\xbf" HEAD SEG, NGX_OK, 0, 1, 0 },
    { "without a number: 0 (4.3.3.2)", HEAD SEG SEG, NGX_OK, 0, 2, 0 },
    { "without segments", HEAD "#EXT-X-MEDIA-SEQUENCE:12\n", NGX_OK, 12, 0,
      0 },
    { "ended", HEAD SEG "#EXT-X-ENDLIST\n", NGX_OK, 0, 1, 1 },
    { "ended, the last line is not", HEAD SEG "#EXT-X-ENDLIST", NGX_OK, 0, 1,
      1 },
    { "ended anywhere (4.3.3.4)", HEAD "#EXT-X-ENDLIST\n" SEG, NGX_OK, 0, 1,
      1 },
    { "64 bits", HEAD "#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n" SEG,
      NGX_OK, 18446744073709551615ULL, 1, 0 },
    { "no number", HEAD "#EXT-X-MEDIA-SEQUENCE:\n" SEG, NGX_OK, 0, 1, 0 },
    { "a long line", HEAD "#EXTINF:2.000000,title title title title title "
      "title title title title title title title title\na.ts\n" SEG, NGX_OK, 0,
      2, 0 },
    { "an URL that looks like a tag", HEAD SEG "x#EXT-X-ENDLIST\n", NGX_OK, 0,
      1, 0 },

    { "a master playlist", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n",
      NGX_DECLINED, 0, 0, 0 },
    { "nothing", "", NGX_DECLINED, 0, 0, 0 },
    { "the first line only begins so", "#EXTM3U8\n" SEG, NGX_DECLINED, 0, 0,
      0 },
    { "not the first line", "\n" HEAD SEG, NGX_DECLINED, 0, 0, 0 },
    { "a page", "<html>\n", NGX_DECLINED, 0, 0, 0 },
    { "MPEG-TS", "G@\x11\x10 0123456789012345678901234567890123456789012345"
      "678901234567890123456789", NGX_DECLINED, 0, 0, 0 },

    { NULL, NULL, 0, 0, 0, 0 }
};


/* more of one kind than there may be; without an end */

static const struct {
    const char  *name;
    const char  *line;
    ngx_uint_t   most;         /* lines that pass */
    const char  *cause;
} limits[] = {
    { "variants", "#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n", 128,
      "too many variants" },
    { "renditions", "#EXT-X-MEDIA:TYPE=AUDIO\n", 128, "too many variants" },
    { "segments", "#EXTINF:1,\na\n", 100000, "too many segments" },
    { "initialization sections", "#EXT-X-MAP:URI=a\n", 100000,
      "too many segments" },
    { "a line", "x", 65536, "too long a line" },
    { "comments", "# sixteen bytes\n", 8 * 1024 * 1024 / 16,
      "too many bytes" },
    { NULL, NULL, 0, NULL }
};


static void
limit(ngx_uint_t i)
{
    size_t                         len;
    ngx_int_t                      rc;
    ngx_uint_t                     n;
    ngx_webrtc_source_playlist_t   pl;

    ngx_memzero(&pl, sizeof(ngx_webrtc_source_playlist_t));

    len = ngx_strlen(limits[i].line);
    rc = ngx_webrtc_source_playlist_feed(&pl, (const u_char *) "#EXTM3U\n",
                                         8);

    for (n = 0; rc == NGX_OK && n < 2 * limits[i].most; n++) {
        rc = ngx_webrtc_source_playlist_feed(&pl,
                                         (const u_char *) limits[i].line, len);
    }

    tap_is_int(rc, NGX_DECLINED, "endless %s: refused", limits[i].name);
    tap_ok(n == limits[i].most || n == limits[i].most + 1,
           "  after %d (%d)", (int) limits[i].most, (int) n);
    tap_is_str(pl.cause ? pl.cause : "", limits[i].cause, "  why");
    tap_is_int(ngx_webrtc_source_playlist_end(&pl), NGX_DECLINED,
               "  and it is none");
}


int
main(void)
{
    size_t                         n, i, len;
    const row_t                   *r;
    ngx_webrtc_source_playlist_t   pl;

    for (r = rows; r->name; r++) {

        len = ngx_strlen(r->text);

        /* whole, and in pieces of each size */

        for (n = ngx_max(len, 1); n > 0; n--) {

            ngx_memzero(&pl, sizeof(ngx_webrtc_source_playlist_t));

            for (i = 0; i < len; i += n) {
                if (ngx_webrtc_source_playlist_feed(&pl,
                                              (const u_char *) r->text + i,
                                              ngx_min(n, len - i))
                    != NGX_OK)
                {
                    break;
                }
            }

            if (ngx_webrtc_source_playlist_end(&pl) != r->rc
                || (r->rc == NGX_OK
                    && (pl.sequence != r->sequence
                        || pl.segments != r->segments
                        || pl.ended != r->ended)))
            {
                break;
            }
        }

        tap_is_int(n, 0, "%s, whole and in pieces", r->name);
    }

    for (i = 0; limits[i].name; i++) {
        limit(i);
    }

    return tap_done();
}
