
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * HLS playlists: see ngx_webrtc_source_playlist.h.  RFC 8216, 4.1: lines end
 * with LF or CRLF.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_playlist.h"


/* RFC 8216, 4.1: a playlist is UTF-8 without a byte order mark, yet some have
 * one */
#define NGX_WEBRTC_SOURCE_PLAYLIST_BOM  "\xef\xbb\xbf"


static void ngx_webrtc_source_playlist_limit(
    ngx_webrtc_source_playlist_t *pl);
static void ngx_webrtc_source_playlist_line(ngx_webrtc_source_playlist_t *pl);
static ngx_uint_t ngx_webrtc_source_playlist_tag(
    ngx_webrtc_source_playlist_t *pl, const char *tag);
static uint64_t ngx_webrtc_source_playlist_number(u_char *p, u_char *last);


ngx_int_t
ngx_webrtc_source_playlist_feed(ngx_webrtc_source_playlist_t *pl,
    const u_char *p, size_t n)
{
    const u_char  *last;

    for (last = p + n; p < last && !pl->isnt && pl->cause == NULL; p++) {

        pl->bytes++;
        pl->longest++;

        if (*p == '\n') {
            ngx_webrtc_source_playlist_line(pl);
            pl->longest = 0;
        }

        ngx_webrtc_source_playlist_limit(pl);

        if (*p == '\n') {
            continue;
        }

        if (pl->n < NGX_WEBRTC_SOURCE_PLAYLIST_LINE) {
            pl->line[pl->n++] = *p;

        } else if (!pl->is) {
            /* the first line is a short one */
            pl->isnt = 1;
        }
    }

    return (pl->isnt || pl->cause) ? NGX_DECLINED : NGX_OK;
}


static void
ngx_webrtc_source_playlist_limit(ngx_webrtc_source_playlist_t *pl)
{
    if (!pl->is) {
        /* media is of any size */
        return;
    }

    if (pl->bytes > NGX_WEBRTC_SOURCE_PLAYLIST_BYTES) {
        pl->cause = "too many bytes";

    } else if (pl->longest > NGX_WEBRTC_SOURCE_PLAYLIST_LONGEST) {
        pl->cause = "too long a line";

    } else if (pl->segments + pl->maps > NGX_WEBRTC_SOURCE_PLAYLIST_SEGMENTS) {
        pl->cause = "too many segments";

    } else if (pl->variants > NGX_WEBRTC_SOURCE_PLAYLIST_VARIANTS) {
        pl->cause = "too many variants";
    }
}


ngx_int_t
ngx_webrtc_source_playlist_end(ngx_webrtc_source_playlist_t *pl)
{
    if (pl->n) {
        ngx_webrtc_source_playlist_line(pl);
    }

    ngx_webrtc_source_playlist_limit(pl);

    return (pl->is && !pl->isnt && !pl->master && pl->cause == NULL)
           ? NGX_OK : NGX_DECLINED;
}


static void
ngx_webrtc_source_playlist_line(ngx_webrtc_source_playlist_t *pl)
{
    u_char  *p;

    p = pl->line;

    while (pl->n && (p[pl->n - 1] == '\r' || p[pl->n - 1] == ' ')) {
        pl->n--;
    }

    if (!pl->is) {

        if (pl->n > 3 && ngx_memcmp(p, NGX_WEBRTC_SOURCE_PLAYLIST_BOM, 3) == 0)
        {
            pl->n -= 3;
            ngx_memmove(p, p + 3, pl->n);
        }

        /* RFC 8216, 4.3.1.1: "It MUST be the first line" */

        if (pl->n == sizeof("#EXTM3U") - 1
            && ngx_webrtc_source_playlist_tag(pl, "#EXTM3U"))
        {
            pl->is = 1;

        } else {
            pl->isnt = 1;
        }

    } else if (ngx_webrtc_source_playlist_tag(pl, "#EXTINF:")) {
        pl->segments++;

    } else if (ngx_webrtc_source_playlist_tag(pl, "#EXT-X-MEDIA-SEQUENCE:")) {
        pl->sequence = ngx_webrtc_source_playlist_number(
                           p + sizeof("#EXT-X-MEDIA-SEQUENCE:") - 1,
                           p + pl->n);

    } else if (ngx_webrtc_source_playlist_tag(pl, "#EXT-X-ENDLIST")) {
        pl->ended = 1;

    } else if (ngx_webrtc_source_playlist_tag(pl, "#EXT-X-STREAM-INF:")) {
        pl->master = 1;
        pl->variants++;

    } else if (ngx_webrtc_source_playlist_tag(pl, "#EXT-X-MEDIA:")) {
        pl->variants++;

    } else if (ngx_webrtc_source_playlist_tag(pl, "#EXT-X-MAP:")) {
        pl->maps++;
    }

    pl->n = 0;
}


static ngx_uint_t
ngx_webrtc_source_playlist_tag(ngx_webrtc_source_playlist_t *pl,
    const char *tag)
{
    size_t  len;

    len = ngx_strlen(tag);

    return pl->n >= len && ngx_memcmp(pl->line, tag, len) == 0;
}


/* RFC 8216, 4.2: a decimal integer of up to 64 bits; wraps beyond that */

static uint64_t
ngx_webrtc_source_playlist_number(u_char *p, u_char *last)
{
    uint64_t  n;

    while (p < last && *p == ' ') {
        p++;
    }

    for (n = 0; p < last && *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (*p - '0');
    }

    return n;
}
