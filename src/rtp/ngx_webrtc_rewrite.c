
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The viewer's side of a track: sequence numbers and timestamps, mapped both
 * ways.  It knows neither the ring nor packets; see the header file for the
 * contracts.
 *
 * RFC 3550, 5.1; RFC 3711, 3.3.1.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_seq.h>
#include <ngx_webrtc_rewrite.h>


/* ticks of a lag that is caught up with; chosen: an hour, far from a wrap */
#define NGX_WEBRTC_REWRITE_LAG  (3600 * 90000)


static void ngx_webrtc_rewrite_keep(ngx_webrtc_rewrite_t *rw,
    const ngx_webrtc_rewrite_segment_t *seg);
static ngx_int_t ngx_webrtc_rewrite_find(const ngx_webrtc_rewrite_t *rw,
    uint64_t out_index, ngx_webrtc_rewrite_segment_t *seg);
static ngx_int_t ngx_webrtc_rewrite_find_past(const ngx_webrtc_rewrite_t *rw,
    uint64_t out_index, ngx_webrtc_rewrite_segment_t *seg);
static uint32_t ngx_webrtc_rewrite_squeeze(
    const ngx_webrtc_rewrite_segment_t *seg, uint32_t ts);


void
ngx_webrtc_rewrite_init(ngx_webrtc_rewrite_t *rw, uint32_t ssrc, ngx_uint_t pt,
    uint16_t seq, uint32_t ts_offset)
{
    ngx_memzero(rw, sizeof(ngx_webrtc_rewrite_t));

    rw->ssrc = ssrc;
    rw->pt = (uint8_t) pt;
    rw->ts_offset = ts_offset;
    rw->room = NGX_WEBRTC_REWRITE_REPLAY;
    rw->next = seq & 0x7fff;
}


void
ngx_webrtc_rewrite_remember(ngx_webrtc_rewrite_t *rw,
    ngx_webrtc_rewrite_past_t *past)
{
    rw->past = past;
    rw->npast = 0;
    rw->newest = 0;
}


void
ngx_webrtc_rewrite_jump(ngx_webrtc_rewrite_t *rw, uint64_t track_index)
{
    ngx_webrtc_rewrite_segment_t  *seg, was;

    was = rw->segments[rw->current];

    if (rw->nsegments == 0) {
        rw->nsegments = 1;
        was.replay_until = 0;

    } else if (rw->segments[rw->current].first_out != rw->next) {

        /* otherwise nothing was sent in the current one, and it is replaced */

        rw->current = (rw->current + 1) % NGX_WEBRTC_REWRITE_SEGMENTS;

        if (rw->nsegments == NGX_WEBRTC_REWRITE_SEGMENTS) {
            ngx_webrtc_rewrite_keep(rw, &rw->segments[rw->current]);

        } else {
            rw->nsegments++;
        }
    }

    seg = &rw->segments[rw->current];

    ngx_memzero(seg, sizeof(ngx_webrtc_rewrite_segment_t));

    seg->first_out = rw->next;
    seg->first_track = track_index;
    seg->pt = rw->pt;

    if (track_index < was.replay_until
        && !(was.open
             && ngx_webrtc_seq_diff32(rw->last_in_ts, was.live_ts) >= 0))
    {
        seg->replay_until = was.replay_until;
        seg->in_ts = was.in_ts;
        seg->out_ts = was.out_ts;
        seg->live_ts = was.live_ts;
        seg->open = was.open;
    }

    rw->frame = 0;
}


/* a segment whose place is needed */

static void
ngx_webrtc_rewrite_keep(ngx_webrtc_rewrite_t *rw,
    const ngx_webrtc_rewrite_segment_t *seg)
{
    ngx_webrtc_rewrite_past_t  *past;

    if (rw->past == NULL) {
        return;
    }

    rw->newest = (uint8_t) ((rw->newest + 1) % NGX_WEBRTC_REWRITE_PAST);
    rw->npast = (uint8_t) ngx_min(rw->npast + 1, NGX_WEBRTC_REWRITE_PAST);

    past = &rw->past[rw->newest];

    past->first_out = seg->first_out;
    past->first_track = seg->first_track;
    past->pt = seg->pt;
    past->plain = (seg->replay_until == 0 && seg->clamped_until == 0);
}


void
ngx_webrtc_rewrite_forget(ngx_webrtc_rewrite_t *rw)
{
    rw->nsegments = 0;
    rw->npast = 0;
    rw->current = 0;
    rw->frame = 0;
}


ngx_int_t
ngx_webrtc_rewrite_replay(ngx_webrtc_rewrite_t *rw, uint64_t track_index,
    uint32_t ts, uint64_t until_index, uint32_t live_ts)
{
    int32_t                        span, least, room;
    uint32_t                       out_ts;
    ngx_webrtc_rewrite_segment_t  *seg;

    span = ngx_webrtc_seq_diff32(live_ts, ts);

    if (span < 0 || until_index <= track_index) {
        return NGX_DECLINED;
    }

    least = span / NGX_WEBRTC_REWRITE_SQUEEZE;

    room = ngx_min(span, (int32_t) rw->room);
    room = ngx_max(room, least);

    out_ts = live_ts - (uint32_t) room;

    if (rw->sent && ngx_webrtc_seq_diff32(out_ts, rw->last_ts) <= 0) {

        out_ts = rw->last_ts + 1;
        room = ngx_webrtc_seq_diff32(live_ts, out_ts);

        if (room < least) {
            return NGX_AGAIN;
        }
    }

    ngx_webrtc_rewrite_jump(rw, track_index);

    seg = &rw->segments[rw->current];

    seg->open = 0;
    seg->replay_until = until_index;
    seg->in_ts = ts;
    seg->out_ts = out_ts;
    seg->live_ts = live_ts;

    return NGX_OK;
}


void
ngx_webrtc_rewrite_follow(ngx_webrtc_rewrite_t *rw, uint64_t track_index,
    uint32_t ts)
{
    int32_t                        lag;
    ngx_webrtc_rewrite_segment_t  *seg;

    ngx_webrtc_rewrite_forget(rw);
    ngx_webrtc_rewrite_jump(rw, track_index);

    rw->clamping = 0;

    if (!rw->sent) {
        return;
    }

    lag = ngx_webrtc_seq_diff32(rw->last_ts, ts);

    if (lag < 0) {
        return;
    }

    lag = ngx_min(lag, NGX_WEBRTC_REWRITE_LAG) + 1;

    seg = &rw->segments[rw->current];

    seg->open = 1;
    seg->replay_until = (uint64_t) -1;
    seg->in_ts = ts;
    seg->out_ts = rw->last_ts + 1;
    seg->live_ts = seg->out_ts + (uint32_t) lag;
}


ngx_int_t
ngx_webrtc_rewrite_map(ngx_webrtc_rewrite_t *rw, uint64_t track_index,
    uint32_t ts, uint64_t *out_index, uint32_t *out_ts)
{
    uint32_t                       mapped;
    uint64_t                       out;
    ngx_webrtc_rewrite_segment_t  *seg;

    seg = &rw->segments[rw->current];

    if (rw->nsegments == 0 || track_index < seg->first_track) {
        return NGX_DECLINED;
    }

    out = seg->first_out + (track_index - seg->first_track);

    if (out < rw->next) {
        return NGX_DECLINED;
    }

    mapped = ts;

    if (track_index < seg->replay_until || rw->clamping) {

        if (track_index < seg->replay_until) {
            mapped = ngx_webrtc_rewrite_squeeze(seg, ts);
        }

        if (rw->frame && ts == rw->last_in_ts) {

            /* the frame of the last packet */

            if (mapped != rw->last_ts) {
                mapped = rw->last_ts;
                seg->clamped_until = track_index + 1;
            }

        } else if (rw->sent
                   && ngx_webrtc_seq_diff32(mapped, rw->last_ts) <= 0)
        {
            mapped = rw->last_ts + 1;
            seg->clamped_until = track_index + 1;
            rw->clamping = 1;

        } else {
            rw->clamping = 0;
        }
    }

    rw->last_in_ts = ts;
    rw->last_ts = mapped;
    rw->sent = 1;
    rw->frame = 1;
    rw->next = out + 1;

    *out_index = out;
    *out_ts = mapped + rw->ts_offset;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rewrite_unmap(const ngx_webrtc_rewrite_t *rw, uint16_t seq,
    uint64_t *track_index, uint64_t *out_index)
{
    int32_t                        back;
    uint64_t                       last;
    ngx_webrtc_rewrite_segment_t   seg;

    if (!rw->sent) {
        return NGX_DECLINED;
    }

    last = rw->next - 1;
    back = ngx_webrtc_seq_diff16((uint16_t) last, seq);

    if (back < 0 || (uint64_t) back > last) {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_rewrite_find(rw, last - (uint64_t) back, &seg) != NGX_OK) {
        return NGX_DECLINED;
    }

    *out_index = last - (uint64_t) back;
    *track_index = seg.first_track + (*out_index - seg.first_out);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rewrite_remap(const ngx_webrtc_rewrite_t *rw, uint64_t out_index,
    uint32_t ts, uint32_t *out_ts, uint8_t *pt)
{
    uint64_t                       track_index;
    ngx_webrtc_rewrite_segment_t   seg;

    if (ngx_webrtc_rewrite_find(rw, out_index, &seg) != NGX_OK) {
        return NGX_DECLINED;
    }

    track_index = seg.first_track + (out_index - seg.first_out);

    if (track_index < seg.clamped_until) {
        return NGX_DECLINED;
    }

    if (track_index < seg.replay_until) {
        ts = ngx_webrtc_rewrite_squeeze(&seg, ts);
    }

    *out_ts = ts + rw->ts_offset;
    *pt = seg.pt;

    return NGX_OK;
}


/* copies the segment of a packet that has been sent; NGX_DECLINED: forgotten */

static ngx_int_t
ngx_webrtc_rewrite_find(const ngx_webrtc_rewrite_t *rw, uint64_t out_index,
    ngx_webrtc_rewrite_segment_t *seg)
{
    ngx_uint_t  i, n;

    if (out_index >= rw->next) {
        return NGX_DECLINED;
    }

    n = rw->current;

    for (i = 0; i < rw->nsegments; i++) {

        if (out_index >= rw->segments[n].first_out) {
            *seg = rw->segments[n];
            return NGX_OK;
        }

        n = (n + NGX_WEBRTC_REWRITE_SEGMENTS - 1)
            % NGX_WEBRTC_REWRITE_SEGMENTS;
    }

    return ngx_webrtc_rewrite_find_past(rw, out_index, seg);
}


static ngx_int_t
ngx_webrtc_rewrite_find_past(const ngx_webrtc_rewrite_t *rw,
    uint64_t out_index, ngx_webrtc_rewrite_segment_t *seg)
{
    ngx_uint_t                        i, n;
    const ngx_webrtc_rewrite_past_t  *past;

    n = rw->newest;
    past = NULL;

    for (i = 0; i < rw->npast; i++) {

        past = &rw->past[n];

        if (out_index >= past->first_out) {
            break;
        }

        n = (n + NGX_WEBRTC_REWRITE_PAST - 1) % NGX_WEBRTC_REWRITE_PAST;
    }

    if (past == NULL || i == rw->npast || !past->plain) {
        return NGX_DECLINED;
    }

    ngx_memzero(seg, sizeof(ngx_webrtc_rewrite_segment_t));

    seg->first_out = past->first_out;
    seg->first_track = past->first_track;
    seg->pt = past->pt;

    return NGX_OK;
}


/*
 * [in_ts, live_ts] -> [out_ts, live_ts], rounded down.  What is outside (a
 * frame presented before its key frame) is moved to the nearer end, or is
 * behind an open one.
 */

static uint32_t
ngx_webrtc_rewrite_squeeze(const ngx_webrtc_rewrite_segment_t *seg, uint32_t ts)
{
    int32_t   in, span;
    uint64_t  room;

    in = ngx_webrtc_seq_diff32(ts, seg->in_ts);
    span = ngx_webrtc_seq_diff32(seg->live_ts, seg->in_ts);

    if (in >= span) {
        return seg->open ? ts : seg->live_ts;
    }

    if (in <= 0) {
        return seg->out_ts;
    }

    room = (uint32_t) ngx_webrtc_seq_diff32(seg->live_ts, seg->out_ts);

    return seg->out_ts + (uint32_t) ((uint64_t) in * room / (uint64_t) span);
}
