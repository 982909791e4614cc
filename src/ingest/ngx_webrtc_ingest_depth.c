
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Layers inside a track: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_depth.h"


/* us for which one layer may be the first of several; chosen: a sender's first
 * frames, on a machine that is busy */
#define NGX_WEBRTC_INGEST_DEPTH_WAIT  5000000

/* us at least between two turns */
#define NGX_WEBRTC_INGEST_DEPTH_TURN  900000


static ngx_uint_t ngx_webrtc_ingest_depth_tids(ngx_webrtc_ingest_track_t *t,
    ngx_uint_t sid);
static uint64_t ngx_webrtc_ingest_depth_sum(ngx_webrtc_ingest_track_t *t,
    ngx_uint_t sid, ngx_uint_t tid);


void
ngx_webrtc_ingest_depth_begin(ngx_webrtc_ingest_track_t *t, uint64_t now_us)
{
    t->depth.since_us = now_us;
    t->depth.turned_us = now_us;
}


ngx_uint_t
ngx_webrtc_ingest_depth_any(ngx_webrtc_ingest_track_t *t, uint64_t now_us)
{
    if (!t->depay.layered || t->depth.since_us == 0) {
        return 0;
    }

    return now_us - t->depth.since_us < NGX_WEBRTC_INGEST_DEPTH_WAIT
           || t->depay.sids > 1
           || ngx_webrtc_ingest_depth_tids(t, NGX_WEBRTC_LAYER_MOST - 1) > 1;
}


void
ngx_webrtc_ingest_depth_turn(ngx_webrtc_ingest_track_t *t, uint64_t now_us)
{
    uint64_t                   *bytes, *taken;
    ngx_uint_t                  i;
    ngx_webrtc_ingest_depth_t  *depth;

    depth = &t->depth;

    if (!t->depay.layered
        || now_us - depth->turned_us < NGX_WEBRTC_INGEST_DEPTH_TURN)
    {
        return;
    }

    if (depth->since_us == 0) {
        depth->since_us = now_us;
    }

    depth->turned_us = now_us;

    /* the average of some seconds; what does not come any more is forgotten */

    for (i = 0; i < NGX_WEBRTC_INGEST_DEPTHS; i++) {
        bytes = &depth->bytes[i];
        taken = &depth->taken[i];

        *taken = (*taken && *bytes) ? (*taken * 3 + *bytes) / 4
                 : *bytes ? *bytes : *taken / 4;
        *bytes = 0;
    }
}


void
ngx_webrtc_ingest_depth_fill(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_stream_layer_t *e)
{
    uint64_t    all, own;
    ngx_uint_t  tid;

    all = ngx_webrtc_ingest_depth_sum(t, NGX_WEBRTC_LAYER_MOST - 1,
                                      NGX_WEBRTC_LAYER_MOST - 1);
    own = ngx_webrtc_ingest_depth_sum(t, e->sid, NGX_WEBRTC_LAYER_MOST - 1);

    if (own == 0) {
        return;
    }

    e->bitrate = (uint32_t) ((double) e->bitrate * (double) own
                             / (double) all);
    e->tids = (uint8_t) ngx_webrtc_ingest_depth_tids(t, e->sid);

    for (tid = 0; tid < NGX_WEBRTC_STREAM_TIDS - 1; tid++) {
        e->share[tid] = (uint8_t) (ngx_webrtc_ingest_depth_sum(t, e->sid, tid)
                                   * 100 / own);
    }
}


/* temporal layers of the spatial ones up to sid */

static ngx_uint_t
ngx_webrtc_ingest_depth_tids(ngx_webrtc_ingest_track_t *t, ngx_uint_t sid)
{
    ngx_uint_t  i, k, n;

    n = 1;

    for (i = 0; i <= sid; i++) {
        for (k = n; k < NGX_WEBRTC_LAYER_MOST; k++) {
            if (t->depth.taken[i * NGX_WEBRTC_LAYER_MOST + k]) {
                n = k + 1;
            }
        }
    }

    return n;
}


/* bytes of the layers up to these */

static uint64_t
ngx_webrtc_ingest_depth_sum(ngx_webrtc_ingest_track_t *t, ngx_uint_t sid,
    ngx_uint_t tid)
{
    uint64_t    sum;
    ngx_uint_t  i, k;

    sum = 0;

    for (i = 0; i <= sid; i++) {
        for (k = 0; k <= tid; k++) {
            sum += t->depth.taken[i * NGX_WEBRTC_LAYER_MOST + k];
        }
    }

    return sum;
}
