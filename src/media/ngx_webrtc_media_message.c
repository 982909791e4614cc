
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages between a worker and its media process.  Pure.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_media_message.h"


/* of a record's times; chosen: 1500 years at 90 kHz, 140 in microseconds */
#define NGX_WEBRTC_MEDIA_TIME  ((int64_t) 1 << 52)


/* how each type is written and read */

typedef u_char *(*ngx_webrtc_media_write_pt)(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
typedef u_char *(*ngx_webrtc_media_read_pt)(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);


static u_char *ngx_webrtc_media_write_nothing(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_read_nothing(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_write_number(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_read_number(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_read_bitrate(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_write_start(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_read_start(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_write_source(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static u_char *ngx_webrtc_media_read_source(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static u_char *ngx_webrtc_media_write_transcode(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static u_char *ngx_webrtc_media_read_transcode(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static ngx_int_t ngx_webrtc_media_check_transcode(
    ngx_webrtc_media_transcode_t *t);
static u_char *ngx_webrtc_media_write_movie(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static u_char *ngx_webrtc_media_read_movie(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static u_char *ngx_webrtc_media_write_output(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static u_char *ngx_webrtc_media_read_output(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static u_char *ngx_webrtc_media_write_picture(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static u_char *ngx_webrtc_media_read_picture(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
static u_char *ngx_webrtc_media_write_seek(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_read_seek(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_write_place(u_char *p, u_char *last,
    ngx_webrtc_media_seek_t *seek);
static u_char *ngx_webrtc_media_read_place(u_char *p, u_char *last,
    ngx_webrtc_media_seek_t *seek);
static u_char *ngx_webrtc_media_write_ports(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_read_ports(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_write_addr(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_read_addr(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_write_note(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_read_note(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);
static u_char *ngx_webrtc_media_write_track(u_char *p, u_char *last,
    ngx_webrtc_track_t *track);
static u_char *ngx_webrtc_media_read_track(u_char *p, u_char *last,
    ngx_webrtc_track_t *track);
static u_char *ngx_webrtc_media_write_str(u_char *p, u_char *last,
    ngx_str_t *s);
static u_char *ngx_webrtc_media_read_str(u_char *p, u_char *last,
    ngx_str_t *s);


static const struct {
    ngx_webrtc_media_write_pt  write;
    ngx_webrtc_media_read_pt   read;
} ngx_webrtc_media_messages[] = {
    { NULL, NULL },
    /* HELLO */
    { ngx_webrtc_media_write_number, ngx_webrtc_media_read_number },
    /* START */
    { ngx_webrtc_media_write_start, ngx_webrtc_media_read_start },
    /* PING, PONG */
    { ngx_webrtc_media_write_number, ngx_webrtc_media_read_number },
    { ngx_webrtc_media_write_number, ngx_webrtc_media_read_number },
    /* GO, STOP, ROOM */
    { ngx_webrtc_media_write_nothing, ngx_webrtc_media_read_nothing },
    { ngx_webrtc_media_write_nothing, ngx_webrtc_media_read_nothing },
    { ngx_webrtc_media_write_nothing, ngx_webrtc_media_read_nothing },
    /* PORTS_ARE */
    { ngx_webrtc_media_write_ports, ngx_webrtc_media_read_ports },
    /* ASK */
    { ngx_webrtc_media_write_addr, ngx_webrtc_media_read_addr },
    /* DATA */
    { ngx_webrtc_media_write_nothing, ngx_webrtc_media_read_nothing },
    /* NOTE */
    { ngx_webrtc_media_write_note, ngx_webrtc_media_read_note },
    /* ENDED, KEYFRAME */
    { ngx_webrtc_media_write_nothing, ngx_webrtc_media_read_nothing },
    { ngx_webrtc_media_write_nothing, ngx_webrtc_media_read_nothing },
    /* BITRATE */
    { ngx_webrtc_media_write_number, ngx_webrtc_media_read_bitrate },
    /* SEEK */
    { ngx_webrtc_media_write_seek, ngx_webrtc_media_read_seek },
};


/* what START has of each kind of job; fed: a ring to it; filed: a file */

typedef u_char *(*ngx_webrtc_media_write_kind_pt)(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);
typedef u_char *(*ngx_webrtc_media_read_kind_pt)(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start);

static const struct {
    ngx_webrtc_media_write_kind_pt  write;
    ngx_webrtc_media_read_kind_pt   read;
    ngx_uint_t                      fed;
    ngx_uint_t                      filed;
} ngx_webrtc_media_kinds[NGX_WEBRTC_MEDIA_KINDS] = {
    { NULL, NULL, 0, 0 },
    /* SOURCE */
    { ngx_webrtc_media_write_source, ngx_webrtc_media_read_source, 0, 0 },
    /* TRANSCODE */
    { ngx_webrtc_media_write_transcode, ngx_webrtc_media_read_transcode, 1, 0 },
    /* FILE */
    { ngx_webrtc_media_write_movie, ngx_webrtc_media_read_movie, 0, 1 },
    /* RECORD, OUTPUT */
    { ngx_webrtc_media_write_output, ngx_webrtc_media_read_output, 1, 1 },
    { ngx_webrtc_media_write_output, ngx_webrtc_media_read_output, 1, 0 },
    /* PICTURE */
    { ngx_webrtc_media_write_picture, ngx_webrtc_media_read_picture, 1, 0 },
};

#define NGX_WEBRTC_MEDIA_TYPES                                                \
    (sizeof(ngx_webrtc_media_messages) / sizeof(ngx_webrtc_media_messages[0]))


u_char *
ngx_webrtc_media_message_write(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    if (m->type == 0 || m->type >= NGX_WEBRTC_MEDIA_TYPES) {
        return NULL;
    }

    p = ngx_webrtc_write_u8(p, last, (uint8_t) m->type);

    return ngx_webrtc_media_messages[m->type].write(p, last, m);
}


ngx_int_t
ngx_webrtc_media_message_parse(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    uint8_t  type;

    p = ngx_webrtc_read_u8(p, last, &type);

    if (p == NULL || type == 0 || type >= NGX_WEBRTC_MEDIA_TYPES) {
        return NGX_DECLINED;
    }

    ngx_memzero(m, sizeof(ngx_webrtc_media_message_t));

    m->type = type;

    p = ngx_webrtc_media_messages[type].read(p, last, m);

    return (p == last) ? NGX_OK : NGX_DECLINED;
}


static u_char *
ngx_webrtc_media_write_nothing(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    return p;
}


static u_char *
ngx_webrtc_media_read_nothing(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    return p;
}


static u_char *
ngx_webrtc_media_write_number(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    return ngx_webrtc_write_u32(p, last, m->number);
}


static u_char *
ngx_webrtc_media_read_number(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    return ngx_webrtc_read_u32(p, last, &m->number);
}


static u_char *
ngx_webrtc_media_read_bitrate(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    p = ngx_webrtc_read_u32(p, last, &m->number);

    if (p == NULL
        || m->number < NGX_WEBRTC_MEDIA_BPS_MIN
        || m->number > NGX_WEBRTC_MEDIA_BPS_MAX)
    {
        return NULL;
    }

    return p;
}


static u_char *
ngx_webrtc_media_write_start(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    ngx_webrtc_media_start_t  *start;

    start = &m->u.start;

    if (start->kind == 0 || start->kind >= NGX_WEBRTC_MEDIA_KINDS) {
        return NULL;
    }

    p = ngx_webrtc_write_u8(p, last, start->kind);
    p = ngx_webrtc_media_write_str(p, last, &start->name);

    return ngx_webrtc_media_kinds[start->kind].write(p, last, start);
}


static u_char *
ngx_webrtc_media_read_start(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    ngx_webrtc_media_start_t  *start;

    start = &m->u.start;

    p = ngx_webrtc_read_u8(p, last, &start->kind);

    if (p == NULL
        || start->kind == 0 || start->kind >= NGX_WEBRTC_MEDIA_KINDS)
    {
        return NULL;
    }

    p = ngx_webrtc_media_read_str(p, last, &start->name);

    return ngx_webrtc_media_kinds[start->kind].read(p, last, start);
}


ngx_uint_t
ngx_webrtc_media_fed(ngx_uint_t kind)
{
    return kind < NGX_WEBRTC_MEDIA_KINDS && ngx_webrtc_media_kinds[kind].fed;
}


ngx_uint_t
ngx_webrtc_media_filed(ngx_uint_t kind)
{
    return kind < NGX_WEBRTC_MEDIA_KINDS && ngx_webrtc_media_kinds[kind].filed;
}


static u_char *
ngx_webrtc_media_write_source(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    ngx_uint_t                i;
    ngx_webrtc_media_from_t  *from;

    p = ngx_webrtc_write_u32(p, last, start->backoff_min);
    p = ngx_webrtc_write_u32(p, last, start->backoff_max);
    p = ngx_webrtc_write_u32(p, last, start->connect_timeout);
    p = ngx_webrtc_write_u32(p, last, start->read_timeout);
    p = ngx_webrtc_write_u8(p, last, start->doors);
    p = ngx_webrtc_write_u8(p, last, start->transcode);
    p = ngx_webrtc_write_u8(p, last, start->given);
    p = ngx_webrtc_write_u8(p, last, (uint8_t) start->nfrom);

    for (i = 0; i < start->nfrom; i++) {
        from = &start->from[i];

        p = ngx_webrtc_media_write_str(p, last, &from->url);
        p = ngx_webrtc_media_write_str(p, last, &from->format);
        p = ngx_webrtc_write_u32(p, last, from->program);
        p = ngx_webrtc_write_u8(p, last, from->loop);
        p = ngx_webrtc_write_u8(p, last, from->lists);
        p = ngx_webrtc_write_u8(p, last, from->links);
        p = ngx_webrtc_write_u32(p, last, from->links_from);
    }

    return p;
}


static u_char *
ngx_webrtc_media_read_source(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    uint8_t                   n;
    ngx_uint_t                i;
    ngx_webrtc_media_from_t  *from;

    p = ngx_webrtc_read_u32(p, last, &start->backoff_min);
    p = ngx_webrtc_read_u32(p, last, &start->backoff_max);
    p = ngx_webrtc_read_u32(p, last, &start->connect_timeout);
    p = ngx_webrtc_read_u32(p, last, &start->read_timeout);
    p = ngx_webrtc_read_u8(p, last, &start->doors);
    p = ngx_webrtc_read_u8(p, last, &start->transcode);
    p = ngx_webrtc_read_u8(p, last, &start->given);
    p = ngx_webrtc_read_u8(p, last, &n);

    if (p == NULL || n == 0 || n > NGX_WEBRTC_MEDIA_FROM
        || start->given > 1 || (start->given && n != 1)
        || start->backoff_min == 0 || start->backoff_max == 0
        || start->connect_timeout == 0 || start->read_timeout == 0)
    {
        return NULL;
    }

    start->nfrom = n;

    for (i = 0; i < n; i++) {
        from = &start->from[i];

        p = ngx_webrtc_media_read_str(p, last, &from->url);
        p = ngx_webrtc_media_read_str(p, last, &from->format);
        p = ngx_webrtc_read_u32(p, last, &from->program);
        p = ngx_webrtc_read_u8(p, last, &from->loop);
        p = ngx_webrtc_read_u8(p, last, &from->lists);
        p = ngx_webrtc_read_u8(p, last, &from->links);
        p = ngx_webrtc_read_u32(p, last, &from->links_from);

        if (p == NULL || from->links > 2) {
            return NULL;
        }
    }

    return p;
}


static u_char *
ngx_webrtc_media_write_transcode(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    ngx_webrtc_media_transcode_t  *t;

    t = &start->encode;

    p = ngx_webrtc_write_u8(p, last, t->codec);
    p = ngx_webrtc_write_u8(p, last, t->deinterlace);
    p = ngx_webrtc_write_u8(p, last, t->upright);
    p = ngx_webrtc_write_u16(p, last, t->width);
    p = ngx_webrtc_write_u16(p, last, t->height);
    p = ngx_webrtc_write_u16(p, last, t->fps);
    p = ngx_webrtc_write_u32(p, last, t->bitrate);
    p = ngx_webrtc_write_u32(p, last, t->key_ms);

    return ngx_webrtc_media_write_str(p, last, &t->hw);
}


static u_char *
ngx_webrtc_media_read_transcode(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    ngx_webrtc_media_transcode_t  *t;

    t = &start->encode;

    p = ngx_webrtc_read_u8(p, last, &t->codec);
    p = ngx_webrtc_read_u8(p, last, &t->deinterlace);
    p = ngx_webrtc_read_u8(p, last, &t->upright);
    p = ngx_webrtc_read_u16(p, last, &t->width);
    p = ngx_webrtc_read_u16(p, last, &t->height);
    p = ngx_webrtc_read_u16(p, last, &t->fps);
    p = ngx_webrtc_read_u32(p, last, &t->bitrate);
    p = ngx_webrtc_read_u32(p, last, &t->key_ms);
    p = ngx_webrtc_media_read_str(p, last, &t->hw);

    if (p == NULL || ngx_webrtc_media_check_transcode(t) != NGX_OK) {
        return NULL;
    }

    return p;
}


static ngx_int_t
ngx_webrtc_media_check_transcode(ngx_webrtc_media_transcode_t *t)
{
    size_t  i;
    u_char  ch;

    if (ngx_webrtc_codec(t->codec)->kind != NGX_WEBRTC_VIDEO
        || t->deinterlace > 1
        || t->upright > 1
        || t->width > NGX_WEBRTC_MEDIA_SIZE
        || t->height > NGX_WEBRTC_MEDIA_SIZE
        || t->fps > NGX_WEBRTC_MEDIA_FPS
        || (t->bitrate && (t->bitrate < NGX_WEBRTC_MEDIA_BPS_MIN
                           || t->bitrate > NGX_WEBRTC_MEDIA_BPS_MAX))
        || t->key_ms > NGX_WEBRTC_MEDIA_KEY_MS
        || t->hw.len == 0 || t->hw.len > NGX_WEBRTC_MEDIA_HW)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < t->hw.len; i++) {
        ch = t->hw.data[i];

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9') && ch != '_') {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static u_char *
ngx_webrtc_media_write_movie(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    ngx_webrtc_media_movie_t  *movie;

    movie = &start->movie;

    p = ngx_webrtc_write_u8(p, last, movie->probe);
    p = ngx_webrtc_write_u32(p, last, movie->chunk);
    p = ngx_webrtc_movie_plan_write(p, last, &movie->plan);

    return ngx_webrtc_media_write_place(p, last, &movie->seek);
}


static u_char *
ngx_webrtc_media_read_movie(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    ngx_webrtc_media_movie_t  *movie;

    movie = &start->movie;

    p = ngx_webrtc_read_u8(p, last, &movie->probe);
    p = ngx_webrtc_read_u32(p, last, &movie->chunk);
    p = ngx_webrtc_movie_plan_read(p, last, &movie->plan);
    p = ngx_webrtc_media_read_place(p, last, &movie->seek);

    if (p == NULL || movie->probe > 1 || movie->chunk == 0
        || movie->chunk > NGX_WEBRTC_MEDIA_CHUNK)
    {
        return NULL;
    }

    return p;
}


static u_char *
ngx_webrtc_media_write_output(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    p = ngx_webrtc_write_u32(p, last, start->output.segment);
    p = ngx_webrtc_write_u32(p, last, start->output.part);
    p = ngx_webrtc_media_write_str(p, last, &start->output.format);
    p = ngx_webrtc_media_write_str(p, last, &start->output.url);

    return ngx_webrtc_write_u8(p, last, start->output.verify);
}


static u_char *
ngx_webrtc_media_read_output(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    ngx_str_t  *format, *url;

    format = &start->output.format;
    url = &start->output.url;

    p = ngx_webrtc_read_u32(p, last, &start->output.segment);
    p = ngx_webrtc_read_u32(p, last, &start->output.part);
    p = ngx_webrtc_media_read_str(p, last, format);
    p = ngx_webrtc_media_read_str(p, last, url);
    p = ngx_webrtc_read_u8(p, last, &start->output.verify);

    /* both become strings of C */

    if (p == NULL || start->output.verify > 1
        || start->output.segment > NGX_WEBRTC_MEDIA_KEY_MS
        || start->output.part > start->output.segment
        || format->len == 0 || format->len > NGX_WEBRTC_MEDIA_FORMAT
        || ngx_strlchr(format->data, format->data + format->len, '\0')
        || ngx_strlchr(url->data, url->data + url->len, '\0'))
    {
        return NULL;
    }

    return p;
}


static u_char *
ngx_webrtc_media_write_picture(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    ngx_webrtc_media_picture_t  *picture;

    picture = &start->picture;

    p = ngx_webrtc_write_u8(p, last, picture->webp);
    p = ngx_webrtc_write_u8(p, last, picture->quality);
    p = ngx_webrtc_write_u16(p, last, picture->width);

    return ngx_webrtc_write_u16(p, last, picture->height);
}


static u_char *
ngx_webrtc_media_read_picture(u_char *p, u_char *last,
    ngx_webrtc_media_start_t *start)
{
    ngx_webrtc_media_picture_t  *picture;

    picture = &start->picture;

    p = ngx_webrtc_read_u8(p, last, &picture->webp);
    p = ngx_webrtc_read_u8(p, last, &picture->quality);
    p = ngx_webrtc_read_u16(p, last, &picture->width);
    p = ngx_webrtc_read_u16(p, last, &picture->height);

    if (p == NULL || picture->webp > 1
        || picture->quality == 0 || picture->quality > 100
        || picture->width > NGX_WEBRTC_MEDIA_SIZE
        || picture->height > NGX_WEBRTC_MEDIA_SIZE)
    {
        return NULL;
    }

    return p;
}


static u_char *
ngx_webrtc_media_write_seek(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    return ngx_webrtc_media_write_place(p, last, &m->u.seek);
}


static u_char *
ngx_webrtc_media_read_seek(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    return ngx_webrtc_media_read_place(p, last, &m->u.seek);
}


static u_char *
ngx_webrtc_media_write_place(u_char *p, u_char *last,
    ngx_webrtc_media_seek_t *seek)
{
    p = ngx_webrtc_write_u32(p, last, seek->generation);
    p = ngx_webrtc_write_u64(p, last, seek->ms);
    p = ngx_webrtc_write_u8(p, last, seek->quality);

    return ngx_webrtc_write_u8(p, last, seek->audio);
}


static u_char *
ngx_webrtc_media_read_place(u_char *p, u_char *last,
    ngx_webrtc_media_seek_t *seek)
{
    p = ngx_webrtc_read_u32(p, last, &seek->generation);
    p = ngx_webrtc_read_u64(p, last, &seek->ms);
    p = ngx_webrtc_read_u8(p, last, &seek->quality);
    p = ngx_webrtc_read_u8(p, last, &seek->audio);

    return (p == NULL || seek->ms > NGX_WEBRTC_MOVIE_LONGEST) ? NULL : p;
}


static u_char *
ngx_webrtc_media_write_ports(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    ngx_uint_t  i;

    p = ngx_webrtc_write_u8(p, last, m->u.ports.family);
    p = ngx_webrtc_write_u8(p, last, (uint8_t) m->u.ports.n);

    for (i = 0; i < m->u.ports.n; i++) {
        p = ngx_webrtc_write_u16(p, last, m->u.ports.ports[i]);
    }

    return p;
}


static u_char *
ngx_webrtc_media_read_ports(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    uint8_t     n;
    ngx_uint_t  i;

    p = ngx_webrtc_read_u8(p, last, &m->u.ports.family);
    p = ngx_webrtc_read_u8(p, last, &n);

    if (p == NULL || n > NGX_WEBRTC_MEDIA_PORTS) {
        return NULL;
    }

    m->u.ports.n = n;

    for (i = 0; i < n; i++) {
        p = ngx_webrtc_read_u16(p, last, &m->u.ports.ports[i]);
    }

    return p;
}


static u_char *
ngx_webrtc_media_write_addr(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    p = ngx_webrtc_write_u8(p, last, (uint8_t) m->u.addr.len);

    return ngx_webrtc_write_mem(p, last, m->u.addr.data, m->u.addr.len);
}


static u_char *
ngx_webrtc_media_read_addr(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    u_char   *data;
    uint8_t   n;

    p = ngx_webrtc_read_u8(p, last, &n);

    if (p == NULL || n > NGX_WEBRTC_MEDIA_ADDR) {
        return NULL;
    }

    p = ngx_webrtc_read_mem(p, last, n, &data);

    if (p) {
        ngx_memcpy(m->u.addr.data, data, n);
        m->u.addr.len = n;
    }

    return p;
}


static u_char *
ngx_webrtc_media_write_note(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    ngx_uint_t                i;
    ngx_webrtc_media_note_t  *note;

    note = &m->u.note;

    p = ngx_webrtc_write_u8(p, last, note->type);
    p = ngx_webrtc_write_u8(p, last, note->level);
    p = ngx_webrtc_write_u8(p, last, note->from);
    p = ngx_webrtc_write_u32(p, last, note->retry_ms);
    p = ngx_webrtc_write_u8(p, last, (uint8_t) note->ntracks);

    for (i = 0; i < note->ntracks; i++) {
        p = ngx_webrtc_media_write_track(p, last, &note->tracks[i]);
    }

    p = ngx_webrtc_write_u16(p, last, (uint16_t) note->len);

    return ngx_webrtc_write_mem(p, last, note->text, note->len);
}


static u_char *
ngx_webrtc_media_read_note(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m)
{
    u_char                   *data;
    uint8_t                   n;
    uint16_t                  len;
    ngx_uint_t                i;
    ngx_webrtc_media_note_t  *note;

    note = &m->u.note;

    p = ngx_webrtc_read_u8(p, last, &note->type);
    p = ngx_webrtc_read_u8(p, last, &note->level);
    p = ngx_webrtc_read_u8(p, last, &note->from);
    p = ngx_webrtc_read_u32(p, last, &note->retry_ms);
    p = ngx_webrtc_read_u8(p, last, &n);

    if (p == NULL
        || note->type < NGX_WEBRTC_MEDIA_UP
        || note->type > NGX_WEBRTC_MEDIA_REFUSED
        || (note->type >= NGX_WEBRTC_MEDIA_DOWN
            && (note->level < NGX_LOG_ERR || note->level > NGX_LOG_DEBUG))
        || note->from >= NGX_WEBRTC_MEDIA_FROM
        || n > NGX_WEBRTC_MEDIA_TRACKS)
    {
        return NULL;
    }

    note->ntracks = n;

    for (i = 0; i < n; i++) {
        p = ngx_webrtc_media_read_track(p, last, &note->tracks[i]);
    }

    p = ngx_webrtc_read_u16(p, last, &len);

    if (p == NULL || len > NGX_WEBRTC_MEDIA_TEXT) {
        return NULL;
    }

    p = ngx_webrtc_read_mem(p, last, len, &data);

    if (p == NULL) {
        return NULL;
    }

    note->len = len;

    for (i = 0; i < len; i++) {
        note->text[i] = (data[i] < 0x20 || data[i] > 0x7e) ? '?' : data[i];
    }

    return p;
}


static u_char *
ngx_webrtc_media_write_track(u_char *p, u_char *last,
    ngx_webrtc_track_t *track)
{
    p = ngx_webrtc_write_u8(p, last, track->kind);
    p = ngx_webrtc_write_u8(p, last, track->codec);
    p = ngx_webrtc_write_u8(p, last, track->channels);
    p = ngx_webrtc_write_u8(p, last, track->flags);
    p = ngx_webrtc_write_u8(p, last, track->cvo);
    p = ngx_webrtc_write_u8(p, last, track->traits);
    p = ngx_webrtc_write_u8(p, last, track->depth);
    p = ngx_webrtc_write_u8(p, last, track->chroma);
    p = ngx_webrtc_write_u32(p, last, track->profile);
    p = ngx_webrtc_write_u16(p, last, track->width);

    return ngx_webrtc_write_u16(p, last, track->height);
}


static u_char *
ngx_webrtc_media_read_track(u_char *p, u_char *last,
    ngx_webrtc_track_t *track)
{
    uint8_t                    kind, codec, channels, flags, cvo, traits;
    uint8_t                    depth, chroma;
    const ngx_webrtc_codec_t  *known;

    p = ngx_webrtc_read_u8(p, last, &kind);
    p = ngx_webrtc_read_u8(p, last, &codec);
    p = ngx_webrtc_read_u8(p, last, &channels);
    p = ngx_webrtc_read_u8(p, last, &flags);
    p = ngx_webrtc_read_u8(p, last, &cvo);
    p = ngx_webrtc_read_u8(p, last, &traits);
    p = ngx_webrtc_read_u8(p, last, &depth);
    p = ngx_webrtc_read_u8(p, last, &chroma);

    if (p == NULL) {
        return NULL;
    }

    known = ngx_webrtc_codec(codec);

    if (known->kind != kind
        || channels > 2
        || (cvo & ~NGX_WEBRTC_CVO_MASK)
        || (traits & ~NGX_WEBRTC_TRACK_TRAITS)
        || depth > 16
        || chroma > NGX_WEBRTC_CHROMA_MONO
        || (flags & ~(NGX_WEBRTC_TRACK_PENDING|NGX_WEBRTC_TRACK_ANNOUNCED
                      |NGX_WEBRTC_TRACK_GUESSED)))
    {
        return NULL;
    }

    ngx_webrtc_codec_track(known, track, channels);

    track->flags = flags;
    track->cvo = cvo;
    track->traits = traits;
    track->depth = depth;
    track->chroma = chroma;

    p = ngx_webrtc_read_u32(p, last, &track->profile);
    p = ngx_webrtc_read_u16(p, last, &track->width);

    return ngx_webrtc_read_u16(p, last, &track->height);
}


static u_char *
ngx_webrtc_media_write_str(u_char *p, u_char *last, ngx_str_t *s)
{
    if (s->len > UINT16_MAX) {
        return NULL;
    }

    p = ngx_webrtc_write_u16(p, last, (uint16_t) s->len);

    return ngx_webrtc_write_mem(p, last, s->data, s->len);
}


static u_char *
ngx_webrtc_media_read_str(u_char *p, u_char *last, ngx_str_t *s)
{
    uint16_t  n;

    p = ngx_webrtc_read_u16(p, last, &n);

    if (p == NULL) {
        return NULL;
    }

    s->len = n;

    return ngx_webrtc_read_mem(p, last, n, &s->data);
}


void
ngx_webrtc_media_record_write(u_char p[NGX_WEBRTC_MEDIA_RECORD_HEAD],
    ngx_webrtc_media_record_t *r)
{
    u_char  *last;

    last = p + NGX_WEBRTC_MEDIA_RECORD_HEAD;

    p = ngx_webrtc_write_u8(p, last, r->type);
    p = ngx_webrtc_write_u8(p, last, r->track);
    p = ngx_webrtc_write_u16(p, last, r->value);
    p = ngx_webrtc_write_u64(p, last, (uint64_t) r->ts);
    (void) ngx_webrtc_write_u64(p, last, (uint64_t) r->now_us);
}


ngx_int_t
ngx_webrtc_media_record_parse(u_char *p, u_char *last,
    ngx_webrtc_media_record_t *r)
{
    uint64_t  ts, now_us;

    p = ngx_webrtc_read_u8(p, last, &r->type);
    p = ngx_webrtc_read_u8(p, last, &r->track);
    p = ngx_webrtc_read_u16(p, last, &r->value);
    p = ngx_webrtc_read_u64(p, last, &ts);
    p = ngx_webrtc_read_u64(p, last, &now_us);

    if (p == NULL
        || r->type < NGX_WEBRTC_MEDIA_BEGIN
        || r->type >= NGX_WEBRTC_MEDIA_RECORDS
        || r->track >= NGX_WEBRTC_MEDIA_TRACKS)
    {
        return NGX_DECLINED;
    }

    r->ts = (int64_t) ts;
    r->now_us = (int64_t) now_us;

    /* calculations with them must not overflow */

    if (r->ts < -NGX_WEBRTC_MEDIA_TIME || r->ts > NGX_WEBRTC_MEDIA_TIME
        || r->now_us < 0 || r->now_us > NGX_WEBRTC_MEDIA_TIME)
    {
        return NGX_DECLINED;
    }

    r->data = p;
    r->len = last - p;

    return NGX_OK;
}
