
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Times for access units that came without: see ngx_webrtc_source_unit.h.
 *
 * 1. The distance of two units in decoding order is that between the last two
 *    that have a time, divided by the number of units.  A new distance has to
 *    be seen twice to replace the old one: the first one after a loss is not
 *    valid.
 * 2. As long as it is not known, units without a time wait for the next one
 *    that has one.
 * 3. A unit's presentation time is its decoding time, unless the stream has
 *    been seen to reorder.  Then it is as far from the last unit with a time
 *    as their picture order counts, taken from libavcodec's parser, are
 *    apart; or, for a key frame, which restarts that count, as long after its
 *    decoding time as for earlier key frames.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_unit.h"


/* 90 kHz; chosen: no distance between two pictures is longer */
#define NGX_WEBRTC_SOURCE_UNIT_STEP_MAX   90000

/* 90 kHz; 25 frames per second, if there is nothing to go by */
#define NGX_WEBRTC_SOURCE_UNIT_STEP       3600

/* picture order counts between two frames; chosen: no GOP is that long */
#define NGX_WEBRTC_SOURCE_UNIT_POC_MAX    65536


static void ngx_webrtc_source_unit_order(ngx_webrtc_source_unit_t *u,
    AVPacket *pkt, int64_t *poc, ngx_uint_t *key);
static void ngx_webrtc_source_unit_learn(ngx_webrtc_source_unit_t *u,
    int64_t pts, int64_t dts, int64_t poc, ngx_uint_t key);
static void ngx_webrtc_source_unit_learn_step(ngx_webrtc_source_unit_t *u,
    int64_t step);
static int ngx_webrtc_source_unit_wait(ngx_webrtc_source_unit_t *u,
    AVPacket *pkt, int64_t poc, ngx_uint_t key);
static int ngx_webrtc_source_unit_guess(ngx_webrtc_source_unit_t *u,
    AVPacket *pkt, int64_t poc, ngx_uint_t key);


int
ngx_webrtc_source_unit_give(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts, int64_t duration)
{
    int         rc;
    int64_t     at, poc;
    ngx_uint_t  key;

    if (!u->nal) {
        return u->out(u->ctx, pkt, pts, dts, duration);
    }

    if (pts == AV_NOPTS_VALUE) {
        pts = dts;
    }

    ngx_webrtc_source_unit_order(u, pkt, &poc, &key);

    if (pts == AV_NOPTS_VALUE) {

        if (!u->set) {
            /* no time, no place */
            u->damaged++;
            return 0;
        }

        if (u->step == 0) {
            return ngx_webrtc_source_unit_wait(u, pkt, poc, key);
        }

        return ngx_webrtc_source_unit_guess(u, pkt, poc, key);
    }

    at = (dts != AV_NOPTS_VALUE) ? dts : pts;

    ngx_webrtc_source_unit_learn(u, pts, at, poc, key);

    rc = ngx_webrtc_source_unit_flush(u);

    if (rc < 0) {
        return rc;
    }

    u->set = 1;
    u->sequence = 1;
    u->untimed = 0;
    u->dts = at;
    u->pts = pts;
    u->poc = poc;

    return u->out(u->ctx, pkt, pts, dts, duration);
}


int
ngx_webrtc_source_unit_flush(ngx_webrtc_source_unit_t *u)
{
    int                                rc;
    ngx_uint_t                         i, n;
    ngx_webrtc_source_unit_pending_t  *p;

    n = u->npending;
    u->npending = 0;

    rc = 0;

    for (i = 0; i < n; i++) {

        p = &u->pending[i];

        if (rc >= 0) {
            rc = ngx_webrtc_source_unit_guess(u, p->pkt, p->poc, p->key);
        }

        av_packet_free(&p->pkt);
    }

    return rc;
}


/* picture order count, and whether it restarts */

static void
ngx_webrtc_source_unit_order(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t *poc, ngx_uint_t *key)
{
    int       size;
    uint8_t  *out;

    *poc = 0;
    *key = 0;

    if (u->parser == NULL) {
        return;
    }

    (void) av_parser_parse2(u->parser, u->parser_ctx, &out, &size, pkt->data,
                            pkt->size, AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0);

    *poc = u->parser->output_picture_number;
    *key = (u->parser->key_frame == 1 && *poc == 0);

    if (*poc > NGX_WEBRTC_SOURCE_UNIT_POC_MAX
        || *poc < -NGX_WEBRTC_SOURCE_UNIT_POC_MAX)
    {
        *poc = 0;
        u->sequence = 0;
    }
}


/* from a unit that has a time */

static void
ngx_webrtc_source_unit_learn(ngx_webrtc_source_unit_t *u, int64_t pts,
    int64_t dts, int64_t poc, ngx_uint_t key)
{
    int64_t  step;

    if (u->set) {
        ngx_webrtc_source_unit_learn_step(u, (dts - u->dts)
                             / (int64_t) (u->untimed + u->npending + 1));
    }

    if (pts != dts) {
        u->reorders = 1;
    }

    if (key) {
        u->delay = pts - dts;

    } else if (u->sequence && poc != u->poc) {

        step = (pts - u->pts) * 256 / (poc - u->poc);

        if (step > 0 && step <= 256 * NGX_WEBRTC_SOURCE_UNIT_STEP_MAX) {
            u->poc_step = step;
        }
    }
}


static void
ngx_webrtc_source_unit_learn_step(ngx_webrtc_source_unit_t *u, int64_t step)
{
    if (step <= 0 || step > NGX_WEBRTC_SOURCE_UNIT_STEP_MAX) {
        return;
    }

    if (u->step == 0
        || (step - u->candidate <= step / 8 && u->candidate - step <= step / 8))
    {
        u->step = step;
    }

    u->candidate = step;
}


static int
ngx_webrtc_source_unit_wait(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t poc, ngx_uint_t key)
{
    int                                rc;
    ngx_webrtc_source_unit_pending_t  *p;

    if (u->npending == NGX_WEBRTC_SOURCE_UNIT_PENDING) {

        u->step = NGX_WEBRTC_SOURCE_UNIT_STEP;

        rc = ngx_webrtc_source_unit_flush(u);

        return (rc < 0) ? rc
                        : ngx_webrtc_source_unit_guess(u, pkt, poc, key);
    }

    p = &u->pending[u->npending];

    p->pkt = av_packet_alloc();
    if (p->pkt == NULL) {
        return AVERROR(ENOMEM);
    }

    av_packet_move_ref(p->pkt, pkt);

    p->poc = poc;
    p->key = key ? 1 : 0;

    u->npending++;

    return 0;
}


static int
ngx_webrtc_source_unit_guess(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t poc, ngx_uint_t key)
{
    int64_t  pts, dts, step, poc_step;

    step = u->step ? u->step : NGX_WEBRTC_SOURCE_UNIT_STEP;

    dts = u->dts + (int64_t) ++u->untimed * step;
    pts = dts;

    if (u->reorders) {

        if (key) {
            pts = dts + u->delay;

        } else if (u->sequence) {

            /* H.264, 8.2.1: it counts fields, nearly always */

            poc_step = u->poc_step ? u->poc_step
                                   : step * (u->unit.h265 ? 256 : 128);

            pts = u->pts + (poc - u->poc) * poc_step / 256;

            if (pts < dts || pts > dts + NGX_WEBRTC_SOURCE_UNIT_STEP_MAX) {
                pts = dts;
            }
        }
    }

    if (key) {
        /* what follows counts from here */
        u->pts = pts;
        u->poc = poc;
    }

    return u->out(u->ctx, pkt, pts, dts, 0);
}
