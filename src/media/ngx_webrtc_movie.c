
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Movies and plans between the media process and its worker: see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_movie.h"


static u_char *ngx_webrtc_movie_write_track(u_char *p, u_char *last,
    const ngx_webrtc_movie_track_t *track);
static u_char *ngx_webrtc_movie_read_track(u_char *p, u_char *last,
    ngx_webrtc_movie_track_t *track);
static u_char *ngx_webrtc_movie_read_name(u_char *p, u_char *last,
    u_char *name, uint8_t *len, size_t max);


u_char *
ngx_webrtc_movie_write(u_char *p, u_char *last, const ngx_webrtc_movie_t *movie)
{
    ngx_uint_t  i;

    p = ngx_webrtc_write_u8(p, last, movie->container);
    p = ngx_webrtc_write_u8(p, last, movie->flags);
    p = ngx_webrtc_write_u64(p, last, movie->duration_ms);
    p = ngx_webrtc_write_u8(p, last, (uint8_t) movie->ntracks);

    for (i = 0; i < movie->ntracks; i++) {
        p = ngx_webrtc_movie_write_track(p, last, &movie->tracks[i]);
    }

    return p;
}


ngx_int_t
ngx_webrtc_movie_parse(u_char *p, u_char *last, ngx_webrtc_movie_t *movie)
{
    uint8_t     n;
    ngx_uint_t  i;

    ngx_memzero(movie, sizeof(ngx_webrtc_movie_t));

    p = ngx_webrtc_read_u8(p, last, &movie->container);
    p = ngx_webrtc_read_u8(p, last, &movie->flags);
    p = ngx_webrtc_read_u64(p, last, &movie->duration_ms);
    p = ngx_webrtc_read_u8(p, last, &n);

    if (p == NULL
        || movie->container > NGX_WEBRTC_MOVIE_SOUND
        || movie->duration_ms > NGX_WEBRTC_MOVIE_LONGEST
        || n > NGX_WEBRTC_MOVIE_TRACKS)
    {
        return NGX_DECLINED;
    }

    movie->ntracks = n;

    for (i = 0; i < n; i++) {
        p = ngx_webrtc_movie_read_track(p, last, &movie->tracks[i]);

        if (p == NULL) {
            return NGX_DECLINED;
        }
    }

    return (p == last) ? NGX_OK : NGX_DECLINED;
}


static u_char *
ngx_webrtc_movie_write_track(u_char *p, u_char *last,
    const ngx_webrtc_movie_track_t *track)
{
    p = ngx_webrtc_write_u8(p, last, track->kind);
    p = ngx_webrtc_write_u8(p, last, track->flags);
    p = ngx_webrtc_write_u8(p, last, track->channels);
    p = ngx_webrtc_write_u16(p, last, track->stream);
    p = ngx_webrtc_write_u16(p, last, track->width);
    p = ngx_webrtc_write_u16(p, last, track->height);
    p = ngx_webrtc_write_u8(p, last, track->codec_len);
    p = ngx_webrtc_write_mem(p, last, track->codec, track->codec_len);
    p = ngx_webrtc_write_u8(p, last, track->plain_len);

    return ngx_webrtc_write_mem(p, last, track->plain, track->plain_len);
}


static u_char *
ngx_webrtc_movie_read_track(u_char *p, u_char *last,
    ngx_webrtc_movie_track_t *track)
{
    p = ngx_webrtc_read_u8(p, last, &track->kind);
    p = ngx_webrtc_read_u8(p, last, &track->flags);
    p = ngx_webrtc_read_u8(p, last, &track->channels);
    p = ngx_webrtc_read_u16(p, last, &track->stream);
    p = ngx_webrtc_read_u16(p, last, &track->width);
    p = ngx_webrtc_read_u16(p, last, &track->height);

    if (p == NULL
        || track->kind < NGX_WEBRTC_MOVIE_VIDEO
        || track->kind > NGX_WEBRTC_MOVIE_TEXT)
    {
        return NULL;
    }

    p = ngx_webrtc_movie_read_name(p, last, track->codec, &track->codec_len,
                                   NGX_WEBRTC_MOVIE_CODEC);

    return ngx_webrtc_movie_read_name(p, last, track->plain, &track->plain_len,
                                      NGX_WEBRTC_MOVIE_PLAIN);
}


/* what a name may have is what may stand in JSON, in a log and in a URL */

static u_char *
ngx_webrtc_movie_read_name(u_char *p, u_char *last, u_char *name, uint8_t *len,
    size_t max)
{
    u_char   *data, c;
    uint8_t   i;

    p = ngx_webrtc_read_u8(p, last, len);

    if (p == NULL || *len > max) {
        return NULL;
    }

    p = ngx_webrtc_read_mem(p, last, *len, &data);

    if (p == NULL) {
        return NULL;
    }

    for (i = 0; i < *len; i++) {
        c = data[i];

        if ((c < '0' || c > '9') && (c < 'a' || c > 'z')
            && (c < 'A' || c > 'Z') && c != '.' && c != '-' && c != '_')
        {
            return NULL;
        }

        name[i] = c;
    }

    return p;
}


u_char *
ngx_webrtc_movie_plan_write(u_char *p, u_char *last,
    const ngx_webrtc_movie_plan_t *plan)
{
    p = ngx_webrtc_write_u8(p, last, plan->mode);
    p = ngx_webrtc_write_u8(p, last, plan->video);
    p = ngx_webrtc_write_u8(p, last, plan->audio);
    p = ngx_webrtc_write_u8(p, last, plan->picture);
    p = ngx_webrtc_write_u8(p, last, plan->sound);
    p = ngx_webrtc_write_u8(p, last, plan->scale);
    p = ngx_webrtc_write_u16(p, last, plan->height);

    return ngx_webrtc_write_u32(p, last, plan->copy);
}


u_char *
ngx_webrtc_movie_plan_read(u_char *p, u_char *last,
    ngx_webrtc_movie_plan_t *plan)
{
    p = ngx_webrtc_read_u8(p, last, &plan->mode);
    p = ngx_webrtc_read_u8(p, last, &plan->video);
    p = ngx_webrtc_read_u8(p, last, &plan->audio);
    p = ngx_webrtc_read_u8(p, last, &plan->picture);
    p = ngx_webrtc_read_u8(p, last, &plan->sound);
    p = ngx_webrtc_read_u8(p, last, &plan->scale);
    p = ngx_webrtc_read_u16(p, last, &plan->height);
    p = ngx_webrtc_read_u32(p, last, &plan->copy);

    if (p == NULL
        || plan->mode > NGX_WEBRTC_MOVIE_ON
        || (plan->video >= NGX_WEBRTC_MOVIE_TRACKS
            && plan->video != NGX_WEBRTC_MOVIE_NONE)
        || (plan->audio >= NGX_WEBRTC_MOVIE_TRACKS
            && plan->audio != NGX_WEBRTC_MOVIE_NONE)
        || (plan->picture != NGX_WEBRTC_MOVIE_LEAVE
            && plan->picture != NGX_WEBRTC_MOVIE_H264)
        || (plan->sound != NGX_WEBRTC_MOVIE_LEAVE
            && plan->sound != NGX_WEBRTC_MOVIE_AAC
            && plan->sound != NGX_WEBRTC_MOVIE_OPUS)
        || plan->scale > 1)
    {
        return NULL;
    }

    return p;
}
