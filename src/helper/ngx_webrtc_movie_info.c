
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Info: see the header file.  Titles and languages come from the file: they
 * are cut, and what is not UTF-8 is left out.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_info.h"


/* of qualities, for a menu: bits per second by the height */

static const struct {
    uint16_t    height;
    ngx_uint_t  bitrate;
} ngx_webrtc_movie_info_rates[] = {
    { 240, 500000 }, { 360, 900000 }, { 480, 1500000 }, { 720, 3000000 },
    { 1080, 6000000 }, { 1440, 10000000 }, { 65535, 16000000 }
};


static u_char *ngx_webrtc_movie_info_mime(u_char *p, u_char *last,
    const char *video, const char *audio);
static u_char *ngx_webrtc_movie_info_reason(u_char *p, u_char *last,
    const ngx_webrtc_movie_t *movie, const ngx_webrtc_movie_plan_t *plan,
    ngx_uint_t track, ngx_uint_t encoded);
static u_char *ngx_webrtc_movie_info_tracks(u_char *p, u_char *last,
    ngx_webrtc_movie_in_t *in, ngx_uint_t text, ngx_uint_t audio,
    ngx_uint_t video);
static u_char *ngx_webrtc_movie_info_tag(u_char *p, u_char *last,
    ngx_webrtc_movie_in_t *in, ngx_uint_t stream, const char *tag,
    const char *name);
static u_char *ngx_webrtc_movie_info_text(u_char *p, u_char *last,
    const char *text);
static ngx_uint_t ngx_webrtc_movie_info_utf8(const u_char *s);
static u_char *ngx_webrtc_movie_info_qualities(u_char *p, u_char *last,
    const ngx_webrtc_movie_t *movie, const ngx_webrtc_movie_plan_t *plan,
    ngx_uint_t quality);


size_t
ngx_webrtc_movie_info(ngx_webrtc_movie_in_t *in,
    const ngx_webrtc_movie_plan_t *plan, const char *video, const char *audio,
    ngx_uint_t track, ngx_uint_t quality, ngx_uint_t encoded, u_char *buf)
{
    u_char              *p, *last;
    ngx_webrtc_movie_t  *movie;

    movie = &in->movie;

    p = buf;
    last = buf + NGX_WEBRTC_MOVIE_INFO;

    p = ngx_slprintf(p, last, "{\"duration_ms\":%uL,\"mime\":\"",
                     movie->duration_ms);
    p = ngx_webrtc_movie_info_mime(p, last, video, audio);
    p = ngx_slprintf(p, last, "\",\"mode\":\"%s\",\"reason\":\"",
                     encoded ? "transcode" : "remux");
    p = ngx_webrtc_movie_info_reason(p, last, movie, plan, track, encoded);
    p = ngx_slprintf(p, last, "\",\"tracks\":[");
    p = ngx_webrtc_movie_info_tracks(p, last, in, 0, track,
                                     video ? plan->video
                                           : NGX_WEBRTC_MOVIE_NONE);
    p = ngx_slprintf(p, last, "],\"subtitles\":[");
    p = ngx_webrtc_movie_info_tracks(p, last, in, 1, track, 0);
    p = ngx_slprintf(p, last, "],\"qualities\":[");
    p = ngx_webrtc_movie_info_qualities(p, last, movie, plan, quality);
    p = ngx_slprintf(p, last, "]}");

    return p - buf;
}


/* for addSourceBuffer() */

static u_char *
ngx_webrtc_movie_info_mime(u_char *p, u_char *last, const char *video,
    const char *audio)
{
    return ngx_slprintf(p, last, "%s/mp4; codecs=\\\"%s%s%s\\\"",
                        video ? "video" : "audio", video ? video : "",
                        video && audio ? "," : "", audio ? audio : "");
}


static u_char *
ngx_webrtc_movie_info_reason(u_char *p, u_char *last,
    const ngx_webrtc_movie_t *movie, const ngx_webrtc_movie_plan_t *plan,
    ngx_uint_t track, ngx_uint_t encoded)
{
    const char                      *to;
    const ngx_webrtc_movie_track_t  *t;

    to = NULL;

    if (track < movie->ntracks) {

        switch (ngx_webrtc_movie_action(movie, plan, track, 0)) {

        case NGX_WEBRTC_MOVIE_AAC:
            to = "AAC";
            break;

        case NGX_WEBRTC_MOVIE_OPUS:
            to = "Opus";
            break;

        default:
            break;
        }
    }

    if (encoded) {
        t = &movie->tracks[plan->video];
        p = ngx_slprintf(p, last, "video %*s becomes H.264%s",
                         (size_t) t->plain_len, t->plain, to ? ", " : "");
    }

    if (to) {
        t = &movie->tracks[track];
        p = ngx_slprintf(p, last, "sound %*s becomes %s",
                         (size_t) t->plain_len, t->plain, to);
    }

    if (!encoded && to == NULL) {
        p = ngx_slprintf(p, last, "container");
    }

    return p;
}


static u_char *
ngx_webrtc_movie_info_tracks(u_char *p, u_char *last,
    ngx_webrtc_movie_in_t *in, ngx_uint_t text, ngx_uint_t audio,
    ngx_uint_t video)
{
    ngx_uint_t                 i, any;
    ngx_webrtc_movie_track_t  *t;

    any = 0;

    for (i = 0; i < in->movie.ntracks; i++) {
        t = &in->movie.tracks[i];

        if ((t->kind == NGX_WEBRTC_MOVIE_TEXT) != text) {
            continue;
        }

        p = ngx_slprintf(p, last, "%s{\"index\":%ui,\"kind\":\"%s\","
                         "\"codec\":\"%*s\"", any ? "," : "", i,
                         text ? "subtitles"
                              : t->kind == NGX_WEBRTC_MOVIE_VIDEO ? "video"
                                                                  : "audio",
                         (size_t) t->codec_len, t->codec);
        any = 1;

        if (t->kind == NGX_WEBRTC_MOVIE_VIDEO) {
            p = ngx_slprintf(p, last, ",\"width\":%ui,\"height\":%ui",
                             (ngx_uint_t) t->width, (ngx_uint_t) t->height);

        } else if (t->kind == NGX_WEBRTC_MOVIE_AUDIO) {
            p = ngx_slprintf(p, last, ",\"channels\":%ui",
                             (ngx_uint_t) t->channels);
        }

        p = ngx_webrtc_movie_info_tag(p, last, in, t->stream, "language",
                                      "language");
        p = ngx_webrtc_movie_info_tag(p, last, in, t->stream, "title",
                                      "title");

        if (!text && (i == audio || i == video)) {
            p = ngx_slprintf(p, last, ",\"selected\":true");

        } else if (text && (t->flags & NGX_WEBRTC_MOVIE_DEFAULT)) {
            p = ngx_slprintf(p, last, ",\"default\":true");
        }

        p = ngx_slprintf(p, last, "}");
    }

    return p;
}


static u_char *
ngx_webrtc_movie_info_tag(u_char *p, u_char *last, ngx_webrtc_movie_in_t *in,
    ngx_uint_t stream, const char *tag, const char *name)
{
    AVDictionaryEntry  *entry;

    entry = av_dict_get(in->ic->streams[stream]->metadata, tag, NULL, 0);

    if (entry == NULL || entry->value[0] == '\0') {
        return p;
    }

    p = ngx_slprintf(p, last, ",\"%s\":\"", name);
    p = ngx_webrtc_movie_info_text(p, last, entry->value);

    return ngx_slprintf(p, last, "\"");
}


static u_char *
ngx_webrtc_movie_info_text(u_char *p, u_char *last, const char *text)
{
    size_t         left;
    ngx_uint_t     n;
    const u_char  *s;

    left = NGX_WEBRTC_MOVIE_TITLE;

    for (s = (const u_char *) text; *s && left && last - p > 8; s += n) {
        n = ngx_webrtc_movie_info_utf8(s);

        if (n == 0) {
            n = 1;
            continue;
        }

        if (n > left) {
            break;
        }

        left -= n;

        if (*s == '"' || *s == '\\') {
            *p++ = '\\';
        }

        p = ngx_cpymem(p, s, n);
    }

    return p;
}


/* bytes of a character (RFC 3629), 0: it is none, or a control character */

static ngx_uint_t
ngx_webrtc_movie_info_utf8(const u_char *s)
{
    ngx_uint_t  n, i;

    if (*s < 0x20 || *s == 0x7f) {
        return 0;
    }

    if (*s < 0x80) {
        return 1;
    }

    n = (*s >= 0xc2 && *s < 0xe0) ? 2
        : (*s >= 0xe0 && *s < 0xf0) ? 3
        : (*s >= 0xf0 && *s < 0xf5) ? 4 : 0;

    for (i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    /* overlong, surrogates, beyond the end */

    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0)
        || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
    {
        return 0;
    }

    return n;
}


static u_char *
ngx_webrtc_movie_info_qualities(u_char *p, u_char *last,
    const ngx_webrtc_movie_t *movie, const ngx_webrtc_movie_plan_t *plan,
    ngx_uint_t quality)
{
    uint16_t    heights[NGX_WEBRTC_MOVIE_QUALITIES];
    ngx_uint_t  i, n;

    n = ngx_webrtc_movie_qualities(movie, plan, heights);

    for (i = 0; i < n; i++) {
        p = ngx_slprintf(p, last, "%s{\"name\":\"%uip\",\"height\":%ui",
                         i ? "," : "", (ngx_uint_t) heights[i],
                         (ngx_uint_t) heights[i]);

        if (ngx_webrtc_movie_action(movie, plan, plan->video, heights[i])
            == NGX_WEBRTC_MOVIE_H264)
        {
            p = ngx_slprintf(p, last, ",\"bitrate\":%ui",
                             ngx_webrtc_movie_info_rate(heights[i]));

        } else {
            p = ngx_slprintf(p, last, ",\"original\":true");
        }

        p = ngx_slprintf(p, last, "%s}", i == quality ? ",\"selected\":true"
                                                      : "");
    }

    return p;
}


ngx_uint_t
ngx_webrtc_movie_info_rate(ngx_uint_t height)
{
    ngx_uint_t  i;

    for (i = 0; height > ngx_webrtc_movie_info_rates[i].height; i++) {
        /* void */
    }

    return ngx_webrtc_movie_info_rates[i].bitrate;
}
