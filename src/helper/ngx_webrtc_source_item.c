
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Gives frames their times and queues them: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_hide.h"
#include "ngx_webrtc_source_item.h"
#include "ngx_webrtc_source_queue.h"


/* 90 kHz; chosen: no real time is larger, and sums of them do not overflow */
#define NGX_WEBRTC_SOURCE_PTS_MAX        ((int64_t) 1 << 60)

/* one track before the other, as segments and fragments have them; chosen: the
 * longest segments that are made */
#define NGX_WEBRTC_SOURCE_LEAD_MAX       (20 * NGX_WEBRTC_SOURCE_CLOCK)

/* the least pts is among these frames; chosen: reordering and interleaving */
#define NGX_WEBRTC_SOURCE_FIRST          64


int64_t
ngx_webrtc_source_item_time(ngx_webrtc_source_read_t *rd, AVStream *st,
    int64_t t)
{
    if (t == AV_NOPTS_VALUE) {
        return t;
    }

    /* RTP timestamps have been unwrapped, for each track separately */

    if (!rd->rtp && (st->pts_wrap_bits == 33 || st->pts_wrap_bits == 32)) {
        t = ngx_webrtc_ts_unwrap(&rd->unwrap, t, st->pts_wrap_bits);
    }

    t = av_rescale_q(t, st->time_base,
                     (AVRational) { 1, NGX_WEBRTC_SOURCE_CLOCK });

    if (t > NGX_WEBRTC_SOURCE_PTS_MAX || t < -NGX_WEBRTC_SOURCE_PTS_MAX) {
        return AV_NOPTS_VALUE;
    }

    return t;
}


int
ngx_webrtc_source_item_take(ngx_webrtc_source_read_t *rd, ngx_uint_t kind,
    AVPacket *pkt, int64_t pts, int64_t dts, int64_t duration)
{
    int64_t                      shift, room;
    ngx_uint_t                   video, exact, untimed;
    ngx_webrtc_source_item_t    *item;
    ngx_webrtc_source_stream_t  *s, *other;

    video = (kind == NGX_WEBRTC_VIDEO);
    exact = (!video || dts != AV_NOPTS_VALUE);
    untimed = (pts == AV_NOPTS_VALUE && dts == AV_NOPTS_VALUE);

    s = video ? &rd->video : &rd->audio;
    other = video ? &rd->audio : &rd->video;

    if (pts == AV_NOPTS_VALUE) {
        pts = dts;
    }

    if (pts == AV_NOPTS_VALUE) {

        if (!s->set || video) {
            /* no time, no place */
            rd->damaged++;
            return 0;
        }

        pts = s->next - rd->splice.tracks[video].shift - rd->offset;
    }

    if (dts == AV_NOPTS_VALUE || dts > pts) {
        dts = pts;
    }

    if (pkt->flags & AV_PKT_FLAG_DISCARD) {
        return ngx_webrtc_source_hide(rd, s, kind, pkt, pts, dts);
    }

    if (rd->nread < NGX_WEBRTC_SOURCE_FIRST && pts < rd->first
        && rd->offset == 0)
    {
        rd->first = pts;
    }

    rd->nread++;

    dts += rd->offset;
    pts += rd->offset;

    shift = ngx_webrtc_splice(&rd->splice, video, dts, exact, duration,
                              rd->paced ? 0 : rd->came_us);

    dts += shift;
    pts += shift;

    /* since the previous frame, even if of the previous pass */

    room = (s->set || rd->offset) ? dts - s->dts : NGX_WEBRTC_SOURCE_CLOCK;

    /* packets of a byte stream have any number of frames between them */

    if (duration == 0 && s->parser == NULL && s->set && dts > s->dts) {
        duration = dts - s->dts;
    }

    if (other->set && other->dts - dts > rd->lead) {
        rd->lead = ngx_min(other->dts - dts, NGX_WEBRTC_SOURCE_LEAD_MAX);
    }

    s->set = 1;
    s->dts = dts;
    s->next = pts + duration;

    if (s->next > rd->end) {
        rd->end = s->next;
    }

    item = ngx_webrtc_source_queue_make(kind, pkt, pts, dts);
    if (item == NULL) {
        return AVERROR(ENOMEM);
    }

    item->untimed = untimed ? 1 : 0;

    ngx_webrtc_source_hide_show(rd, s, item, room);

    ngx_webrtc_source_queue_put(rd, item);

    return 0;
}
