
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Frames that are decoded but not shown: see ngx_webrtc_source_hide.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_hide.h"
#include "ngx_webrtc_source_queue.h"


/* frames and bytes of a track; chosen: a group of pictures of 4K */
#define NGX_WEBRTC_SOURCE_HIDE_MAX    4096
#define NGX_WEBRTC_SOURCE_HIDE_SIZE   (32 * 1024 * 1024)

/* frames of sound: what a decoder needs to begin in the middle; chosen */
#define NGX_WEBRTC_SOURCE_HIDE_AUDIO  2

/* 90 kHz; as for frames older than live, see ngx_webrtc_source_play.c */
#define NGX_WEBRTC_SOURCE_HIDE_ROOM   (NGX_WEBRTC_SOURCE_CLOCK / 10)


static void ngx_webrtc_source_hide_first(ngx_webrtc_source_stream_t *s);
static int64_t ngx_webrtc_source_hide_time(int64_t t, int64_t room,
    int64_t span);


int
ngx_webrtc_source_hide(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_stream_t *s, ngx_uint_t kind, AVPacket *pkt, int64_t pts,
    int64_t dts)
{
    ngx_webrtc_source_item_t  *item;

    if (kind == NGX_WEBRTC_AUDIO) {

        if (s->nhidden == NGX_WEBRTC_SOURCE_HIDE_AUDIO) {
            ngx_webrtc_source_hide_first(s);
        }

    } else if (s->nhidden == NGX_WEBRTC_SOURCE_HIDE_MAX
               || s->hidden_size + pkt->size > NGX_WEBRTC_SOURCE_HIDE_SIZE)
    {
        /* the following frames need them: continues at a key frame */

        ngx_webrtc_source_hide_drop(s);

        s->seam = 1;
        rd->damaged++;
    }

    item = ngx_webrtc_source_queue_make(kind, pkt, pts, dts);
    if (item == NULL) {
        return AVERROR(ENOMEM);
    }

    if (s->hidden_last) {
        s->hidden_last->next = item;

    } else {
        s->hidden = item;
    }

    s->hidden_last = item;
    s->nhidden++;
    s->hidden_size += item->pkt->size;

    return 0;
}


void
ngx_webrtc_source_hide_show(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_stream_t *s, ngx_webrtc_source_item_t *shown,
    int64_t room)
{
    int64_t                    span, zero;
    ngx_webrtc_source_item_t  *item;

    if (s->hidden == NULL) {
        return;
    }

    /*
     * In the demuxer's times they end where the shown one begins; they and
     * the previous frame stay apart.
     */

    zero = s->hidden_last->dts;
    span = zero - s->hidden->dts;

    zero += span ? span / (int64_t) (s->nhidden - 1) : 1;
    span = zero - s->hidden->dts;

    room = ngx_min(room, NGX_WEBRTC_SOURCE_HIDE_ROOM);
    room = ngx_max(room, 1) * (int64_t) s->nhidden
           / (int64_t) (s->nhidden + 1);

    while (s->hidden) {

        item = s->hidden;
        s->hidden = item->next;

        item->dts = shown->dts
                    + ngx_webrtc_source_hide_time(item->dts - zero, room, span);
        item->pts = shown->dts
                    + ngx_webrtc_source_hide_time(item->pts - zero, room, span);

        ngx_webrtc_source_queue_put(rd, item);
    }

    ngx_webrtc_source_hide_drop(s);
}


void
ngx_webrtc_source_hide_drop(ngx_webrtc_source_stream_t *s)
{
    while (s->hidden) {
        ngx_webrtc_source_hide_first(s);
    }

    s->hidden_last = NULL;
    s->nhidden = 0;
    s->hidden_size = 0;
}


static void
ngx_webrtc_source_hide_first(ngx_webrtc_source_stream_t *s)
{
    ngx_webrtc_source_item_t  *item;

    item = s->hidden;

    s->hidden = item->next;

    if (s->hidden == NULL) {
        s->hidden_last = NULL;
    }

    s->nhidden--;
    s->hidden_size -= item->pkt->size;

    ngx_webrtc_source_queue_free(item);
}


/* squeezes "span" into "room"; what fits stays as it is */

static int64_t
ngx_webrtc_source_hide_time(int64_t t, int64_t room, int64_t span)
{
    return (span > room) ? av_rescale(t, room, span) : t;
}
