
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Begins, ends, and does what is due in between.
 *
 *   RTP -> (RTX unwrapped) -> track -> order -> classification -> time
 *       -> packet ring -> viewers
 *
 * Payloads are not touched.  Packets become visible at the end of a receive
 * batch; missing ones are requested again where the sender can, and those
 * after them wait for a moment (ngx_webrtc_reorder.h, ngx_webrtc_nack.h).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_life.h"
#include "ngx_webrtc_ingest_feedback.h"
#include "ngx_webrtc_ingest_layers.h"
#include "ngx_webrtc_ingest_limit.h"
#include "ngx_webrtc_ingest_list.h"
#include "ngx_webrtc_ingest_ring.h"
#include "ngx_webrtc_ingest_rtp.h"
#include "ngx_webrtc_ingest_timer.h"
#include "ngx_webrtc_ingest_track.h"


/* us without a packet, even before the first one, that make the stream
 * INACTIVE; chosen: above Opus' DTX (400 ms) and screen shares that stand
 * still */
#define NGX_WEBRTC_INGEST_SILENT    2000000


static ngx_int_t ngx_webrtc_ingest_life_tracks(ngx_webrtc_ingest_t *in);


ngx_int_t
ngx_webrtc_ingest_begin(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    ngx_uint_t                i, twcc, remb, rsize;
    ngx_webrtc_desc_media_t  *m;

    twcc = 0;
    remb = 0;
    rsize = 1;

    in->ssrc = (uint32_t) ngx_random() | 1;

    in->out.st = in->st;

    (void) ngx_webrtc_bus_tracks(in->st, in->out.stream, &in->out.nstream);

    ngx_webrtc_ring_attach(in->st->ring, &in->out.writer);
    ngx_webrtc_timeline_start(&in->st->timeline);
    ngx_webrtc_atomic_store(&in->st->playout, 0);
    ngx_webrtc_sync_init(&in->sync);

    if (ngx_webrtc_ingest_life_tracks(in) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < in->ntracks; i++) {
        m = in->tracks[i].media;

        if ((m->fb & NGX_WEBRTC_FB_TWCC) && m->ext_twcc) {
            twcc = 1;
            rsize &= (m->fb & NGX_WEBRTC_FB_RSIZE) != 0;
        }

        remb |= m->fb & NGX_WEBRTC_FB_REMB;
    }

    in->rsize = rsize;

    ngx_webrtc_ingest_limit_init(in);
    ngx_webrtc_twcc_init(&in->twcc, in->ssrc);
    ngx_webrtc_nack_share_init(&in->share);
    ngx_webrtc_bitrate_init(&in->bitrate, (uint64_t) in->policy->max_bitrate,
                            remb, !twcc);

    /*
     * Viewers of a stream that continues learn its codecs before they see a
     * packet.
     */

    ngx_webrtc_bus_set_tracks(in->st, in->out.stream, in->out.nstream);
    ngx_webrtc_ingest_list(in, now_us);

    ngx_webrtc_bus_set_state(in->bus, in->st, NGX_WEBRTC_STREAM_STARTING,
                             ngx_current_msec);
    ngx_webrtc_atomic_add(&in->st->stat.starts, 1);

    /* it may never send anything, and must not keep others out then */

    in->last_us = now_us;
    in->reported_us = now_us;

    ngx_webrtc_ingest_timer_arm(in, now_us);

    return NGX_OK;
}


/* of each m-line one, or one of each layer that it has */

static ngx_int_t
ngx_webrtc_ingest_life_tracks(ngx_webrtc_ingest_t *in)
{
    ngx_uint_t                  i, n;
    ngx_webrtc_desc_media_t    *m, *layered;
    ngx_webrtc_ingest_track_t  *t;

    layered = NULL;

    for (i = 0; i < in->desc->nmedia && layered == NULL; i++) {
        m = &in->desc->media[i];

        if (m->receiving && ngx_webrtc_ingest_layers_init(in, m) != 0) {
            layered = m;
        }
    }

    in->tracks = ngx_calloc((in->desc->nmedia + in->nlayers)
                            * sizeof(ngx_webrtc_ingest_track_t), in->log);
    if (in->tracks == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < in->desc->nmedia; i++) {
        m = &in->desc->media[i];

        if (!m->receiving) {
            continue;
        }

        n = (m == layered) ? in->nlayers : 0;

        do {
            t = &in->tracks[in->ntracks];

            if (n) {
                t->layer = &in->layers[in->nlayers - n];
                t->layer->t = t;
            }

            if (ngx_webrtc_ingest_track_init(in, t, m,
                                             ngx_webrtc_ingest_rtp_packet)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            in->ntracks++;

            if (m->kind == NGX_WEBRTC_VIDEO && in->out.from == NULL && n == 0)
            {
                in->out.from = t;
            }

        } while (n && --n);
    }

    ngx_webrtc_ingest_layers_route(in);

    return NGX_OK;
}


void
ngx_webrtc_ingest_end(ngx_webrtc_ingest_t *in)
{
    ngx_uint_t  i;

    if (in->timer.timer_set) {
        ngx_del_timer(&in->timer);
    }

    ngx_webrtc_ingest_ring_flush(in);
    ngx_webrtc_atomic_store(&in->st->playout, 0);

    if (in->queued) {
        ngx_queue_remove(&in->queue);
        in->queued = 0;
    }

    ngx_webrtc_ingest_layers_end(in);

    for (i = 0; i < in->ntracks; i++) {
        ngx_free(in->tracks[i].mem);
    }

    in->ntracks = 0;

    if (in->tracks) {
        ngx_free(in->tracks);
        in->tracks = NULL;
    }
}


void
ngx_webrtc_ingest_due(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    ngx_uint_t                  i;
    ngx_webrtc_ingest_track_t  *t;

    for (i = 0; i < in->ntracks; i++) {
        t = &in->tracks[i];
        t->held_us = ngx_webrtc_reorder_timeout(&t->reorder, now_us);
    }

    ngx_webrtc_ingest_feedback_nacks(in, now_us);
    ngx_webrtc_ingest_ring_flush(in);
    ngx_webrtc_ingest_feedback(in, now_us);

    ngx_webrtc_ingest_limit_check(in, now_us);
    ngx_webrtc_ingest_layers_check(in, now_us);

    ngx_webrtc_ingest_feedback_ask(in, now_us);

    ngx_webrtc_ingest_feedback_limit(in, now_us);

    if (now_us - in->last_us > NGX_WEBRTC_INGEST_SILENT
        && ngx_webrtc_bus_state(in->st) != NGX_WEBRTC_STREAM_INACTIVE)
    {
        ngx_webrtc_bus_set_state(in->bus, in->st, NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }

    ngx_webrtc_ingest_timer_arm(in, now_us);
}
