
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Layers that take more than they may.
 *
 *   1. A publisher is told what a layer may take (its "layers" events), and
 *      most obey.  Nothing else than this file stops those that do not.
 *
 *   2. Which are left out, and for how long, is decided by rtp/limit.  Of
 *      several that take too much the largest goes first, so that what is left
 *      is what most viewers can take.
 *
 *   3. A layer of a simulcast that is left out leaves the list, and goes on
 *      being written until those who read it have gone to another one
 *      (ngx_webrtc_ingest_layers_leave()).
 *
 *      Whoever sends key frames of no other one is ended.
 *
 *   4. A spatial layer takes those above it along.  Down it goes with any
 *      picture, as no layer depends on one above it, and up at a key frame.
 *      Which layers there are is what packets are of, not what they say of
 *      others.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_limit.h"
#include "ngx_webrtc_ingest_layers.h"
#include "ngx_webrtc_ingest_list.h"
#include "ngx_webrtc_ingest_track.h"


/* us for which the best layer may be left out, and still be the best: others
 * make no key frames */
#define NGX_WEBRTC_INGEST_LIMIT_STUCK  10000000

/* us between two changes of which spatial layers are written, as viewers and
 * outputs look at all tracks and layers anew */
#define NGX_WEBRTC_INGEST_LIMIT_CHANGE  1000000


static void ngx_webrtc_ingest_limit_layer(ngx_webrtc_ingest_t *in,
    ngx_uint_t n, uint64_t now_us);
static ngx_uint_t ngx_webrtc_ingest_limit_only(ngx_webrtc_ingest_t *in,
    ngx_uint_t n);
static void ngx_webrtc_ingest_limit_inside(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_track_t *t, uint64_t now_us);
static void ngx_webrtc_ingest_limit_told(ngx_webrtc_ingest_t *in,
    ngx_uint_t n, uint64_t rate);
static ngx_uint_t ngx_webrtc_ingest_limit_most(ngx_webrtc_ingest_t *in);
static void ngx_webrtc_ingest_limit_end(ngx_webrtc_ingest_t *in);


void
ngx_webrtc_ingest_limit_init(ngx_webrtc_ingest_t *in)
{
    ngx_uint_t  i, max;

    for (i = 0; i < NGX_WEBRTC_INGEST_LAYERS; i++) {
        max = (i < NGX_WEBRTC_POLICY_LAYERS) ? in->policy->layer_bitrate[i] : 0;

        ngx_webrtc_limit_init(&in->limits[i], max);

        in->limited |= (max != 0);
    }
}


void
ngx_webrtc_ingest_limit_count(ngx_webrtc_ingest_track_t *t, ngx_uint_t layer,
    size_t n, uint64_t now_us)
{
    ngx_uint_t            i, sid;
    ngx_webrtc_ingest_t  *in;

    in = t->in;

    if (!in->limited || t->media->kind != NGX_WEBRTC_VIDEO) {
        return;
    }

    if (t->layer) {
        ngx_webrtc_limit_input(&in->limits[t->layer - in->layers], n, now_us);
        return;
    }

    if (in->nlayers || t != in->out.from) {
        return;
    }

    sid = ngx_webrtc_layer_sid(layer);
    t->seen = (uint8_t) ngx_max(t->seen, sid);

    for (i = sid; i < NGX_WEBRTC_INGEST_LAYERS; i++) {
        ngx_webrtc_limit_input(&in->limits[i], n, now_us);
    }
}


void
ngx_webrtc_ingest_limit_check(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    ngx_uint_t  i, k, done, best;

    if (!in->limited) {
        return;
    }

    if (in->nlayers == 0) {

        if (in->out.from && in->out.from->seen) {
            ngx_webrtc_ingest_limit_inside(in, in->out.from, now_us);
        }

        return;
    }

    for (i = 0, done = 0; i < in->nlayers; i++) {
        best = in->nlayers;

        for (k = 0; k < in->nlayers; k++) {
            if (!(done & ((ngx_uint_t) 1 << k))
                && (best == in->nlayers
                    || ngx_webrtc_ingest_track_larger(in->layers[k].t,
                                                      in->layers[best].t)))
            {
                best = k;
            }
        }

        done |= (ngx_uint_t) 1 << best;

        ngx_webrtc_ingest_limit_layer(in, best, now_us);
    }
}


static void
ngx_webrtc_ingest_limit_layer(ngx_webrtc_ingest_t *in, ngx_uint_t n,
    uint64_t now_us)
{
    uint64_t                    rate;
    ngx_uint_t                  out, only;
    ngx_webrtc_limit_t         *limit;
    ngx_webrtc_ingest_layer_t  *l;

    l = &in->layers[n];
    limit = &in->limits[n];

    if (limit->max == 0) {
        return;
    }

    out = limit->out;
    only = ngx_webrtc_ingest_limit_only(in, n);
    rate = ngx_webrtc_limit_rate(limit, now_us);

    switch (ngx_webrtc_limit(limit, only, now_us)) {

    case NGX_WEBRTC_LIMIT_END:
        ngx_webrtc_ingest_limit_end(in);
        return;

    case NGX_WEBRTC_LIMIT_OUT_OF:

        if (!out) {
            ngx_webrtc_ingest_limit_told(in, n, rate);
            ngx_webrtc_ingest_layers_leave(l, now_us);

        } else if (in->out.from == l->t
                   && now_us - l->left_us >= NGX_WEBRTC_INGEST_LIMIT_STUCK)
        {
            ngx_webrtc_ingest_limit_end(in);
        }

        return;

    default: /* NGX_WEBRTC_LIMIT_IN */

        if (out) {
            ngx_webrtc_ingest_limit_told(in, n, rate);
            ngx_webrtc_ingest_layers_return(l, now_us);
        }
    }
}


/* nothing would be left without it */

static ngx_uint_t
ngx_webrtc_ingest_limit_only(ngx_webrtc_ingest_t *in, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < in->nlayers; i++) {
        if (i != n && in->layers[i].live && !in->limits[i].out) {
            return 0;
        }
    }

    return 1;
}


/* of spatial layers, the upper ones first */

static void
ngx_webrtc_ingest_limit_inside(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_track_t *t, uint64_t now_us)
{
    uint64_t             rate;
    ngx_uint_t           i, out;
    ngx_webrtc_limit_t  *limit;

    for (i = t->seen + 1; i > 0; i--) {
        limit = &in->limits[i - 1];
        out = limit->out;
        rate = ngx_webrtc_limit_rate(limit, now_us);

        if (ngx_webrtc_limit(limit, i == 1, now_us) == NGX_WEBRTC_LIMIT_END) {
            ngx_webrtc_ingest_limit_end(in);
            return;
        }

        if (limit->out != out) {
            ngx_webrtc_ingest_limit_told(in, i - 1, rate);
        }
    }

    if (ngx_webrtc_ingest_limit_most(in) > t->most) {
        t->want_key = 1;
    }
}


/*
 * A layer is left out from now on, or no longer.  An operator is told once of a
 * publisher that does not obey.
 */

static void
ngx_webrtc_ingest_limit_told(ngx_webrtc_ingest_t *in, ngx_uint_t n,
    uint64_t rate)
{
    u_char              *p, name[sizeof("spatial:") + NGX_INT_T_LEN];
    ngx_uint_t           level;
    ngx_webrtc_limit_t  *limit;

    limit = &in->limits[n];

    p = in->nlayers ? ngx_sprintf(name, "rid:\"%V\"", &in->layers[n].rid)
                    : ngx_sprintf(name, "spatial:%ui", n);

    if (!limit->out) {
        ngx_log_error(NGX_LOG_INFO, in->log, 0,
                      "webrtc %s layer let in again %*s bitrate:%uL limit:%uL",
                      in->what, (size_t) (p - name), name, rate, limit->max);
        return;
    }

    level = in->warned ? NGX_LOG_INFO : NGX_LOG_WARN;
    in->warned = 1;

    ngx_log_error(level, in->log, 0,
                  "webrtc %s layer left out, above webrtc_max_bitrate "
                  "%*s bitrate:%uL limit:%uL",
                  in->what, (size_t) (p - name), name, rate, limit->max);

    ngx_webrtc_atomic_add(&in->st->stat.left_out, 1);
}


/* the highest spatial layer that may be seen; the lowest one always may */

static ngx_uint_t
ngx_webrtc_ingest_limit_most(ngx_webrtc_ingest_t *in)
{
    ngx_uint_t  i;

    for (i = 1; i < NGX_WEBRTC_LAYER_MOST; i++) {
        if (in->limits[i].out) {
            break;
        }
    }

    return i - 1;
}


static void
ngx_webrtc_ingest_limit_end(ngx_webrtc_ingest_t *in)
{
    in->ops->close(in->data, "above webrtc_max_bitrate of its only layer");
}


void
ngx_webrtc_ingest_limit_picture(ngx_webrtc_ingest_track_t *t, ngx_uint_t flags,
    uint64_t now_us)
{
    ngx_uint_t            i, most;
    ngx_webrtc_ingest_t  *in;

    in = t->in;

    if (!in->limited || in->nlayers || t != in->out.from) {
        return;
    }

    most = ngx_webrtc_ingest_limit_most(in);

    if (most == t->most
        || (most > t->most && !(flags & NGX_WEBRTC_PKT_KEY))
        || (t->most_us
            && now_us - t->most_us < NGX_WEBRTC_INGEST_LIMIT_CHANGE))
    {
        return;
    }

    t->most = (uint8_t) most;
    t->most_us = now_us;

    for (i = 0; i < t->nouts; i++) {
        ngx_webrtc_ingest_track_show(t, t->outs[i]);
        t->outs[i]->news = 1;
    }

    ngx_webrtc_ingest_list(in, now_us);
}


ngx_uint_t
ngx_webrtc_ingest_limit_cuts(ngx_webrtc_ingest_track_t *t, ngx_uint_t layer,
    ngx_uint_t *flags)
{
    ngx_uint_t  sid;

    if (t->most == NGX_WEBRTC_LAYER_MOST - 1) {
        return 0;
    }

    sid = ngx_webrtc_layer_sid(layer);

    if (sid > t->most) {
        return 1;
    }

    if (sid == t->most && (layer & NGX_WEBRTC_LAYER_END)) {
        /* nothing more is written of the picture */
        *flags |= NGX_WEBRTC_PKT_MARKER|NGX_WEBRTC_PKT_LAST;
    }

    return 0;
}
