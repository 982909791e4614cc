
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
#include "ngx_webrtc_ingest_ring.h"
#include "ngx_webrtc_ingest_rtp.h"
#include "ngx_webrtc_ingest_timer.h"
#include "ngx_webrtc_ingest_track.h"


/* us without a packet, even before the first one, that make the stream
 * INACTIVE; chosen: above Opus' DTX (400 ms) and screen shares that stand
 * still */
#define NGX_WEBRTC_INGEST_SILENT    2000000


ngx_int_t
ngx_webrtc_ingest_begin(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    ngx_uint_t                i, twcc, remb, rsize;
    ngx_webrtc_desc_media_t  *m;

    twcc = 0;
    remb = 0;
    rsize = 1;

    in->ssrc = (uint32_t) ngx_random() | 1;

    (void) ngx_webrtc_bus_tracks(in->st, in->stream, &in->nstream);

    ngx_webrtc_ring_attach(in->st->ring, &in->writer);
    ngx_webrtc_timeline_start(&in->st->timeline);
    ngx_webrtc_sync_init(&in->sync);

    for (i = 0; i < in->desc->nmedia; i++) {
        m = &in->desc->media[i];

        if (!m->receiving) {
            continue;
        }

        if (ngx_webrtc_ingest_track_init(in, &in->tracks[in->ntracks], m,
                                         ngx_webrtc_ingest_rtp_packet)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        in->ntracks++;

        if ((m->fb & NGX_WEBRTC_FB_TWCC) && m->ext_twcc) {
            twcc = 1;
            rsize &= (m->fb & NGX_WEBRTC_FB_RSIZE) != 0;
        }

        remb |= m->fb & NGX_WEBRTC_FB_REMB;
    }

    in->rsize = rsize;

    ngx_webrtc_twcc_init(&in->twcc, in->ssrc);
    ngx_webrtc_bitrate_init(&in->bitrate, (uint64_t) in->policy->max_bitrate,
                            remb, !twcc);

    /*
     * Viewers of a stream that continues learn its codecs before they see a
     * packet.
     */

    ngx_webrtc_bus_set_tracks(in->st, in->stream, in->nstream);

    ngx_webrtc_bus_set_state(in->bus, in->st, NGX_WEBRTC_STREAM_STARTING,
                             ngx_current_msec);
    ngx_webrtc_atomic_add(&in->st->stat.starts, 1);

    /* it may never send anything, and must not keep others out then */

    in->last_us = now_us;
    in->reported_us = now_us;

    ngx_webrtc_ingest_timer_arm(in, now_us);

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

    if (in->queued) {
        ngx_queue_remove(&in->queue);
        in->queued = 0;
    }

    for (i = 0; i < NGX_WEBRTC_DESC_MEDIA; i++) {
        if (in->tracks[i].mem) {
            ngx_free(in->tracks[i].mem);
            in->tracks[i].mem = NULL;
        }
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

    if (in->want_key) {
        ngx_webrtc_ingest_feedback_ask(in, now_us);
    }

    if (ngx_webrtc_bitrate_check(&in->bitrate, now_us) == NGX_DECLINED) {
        in->ops->close(in->data, "above webrtc_max_bitrate");
        return;
    }

    if (now_us - in->last_us > NGX_WEBRTC_INGEST_SILENT
        && ngx_webrtc_bus_state(in->st) != NGX_WEBRTC_STREAM_INACTIVE)
    {
        ngx_webrtc_bus_set_state(in->bus, in->st, NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }

    ngx_webrtc_ingest_timer_arm(in, now_us);
}
