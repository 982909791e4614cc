
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which layer of its stream a viewer gets: see the header file.
 *
 * Layers are the renditions of the location and what the publisher sends beside
 * the stream (simulcast), by bitrate, and above them the best one: the stream
 * itself, or what a viewer who cannot play it gets instead
 * (ngx_webrtc_choice()).  What a rendition takes is configured; what the others
 * take is measured.  Where pictures are marked by temporal layers, each comes
 * with fewer of them, too (ngx_webrtc_viewer_list.c).  ngx_webrtc_ladder()
 * decides, a viewer's own choice (the label in its slot's policy, and what it
 * wants of that) leaves it one layer only.
 *
 * A rendition is made for as long as somebody watches it, and warmed by those
 * who are on their way to it: they read on where they are until it has a key
 * frame (ngx_webrtc_viewer_switch.c).  On the way down no more than the path
 * carries is sent meanwhile.  A rendition that does not come, or for which
 * there is no room, is left out for a while.
 *
 * A publisher may stop a layer, and begin it again.  Who reads it goes on to
 * the next one down, or up if there is none.  A choice holds: it is what the
 * path carries while its layer does not come.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_layers.h"
#include "ngx_webrtc_viewer_bandwidth.h"
#include "ngx_webrtc_viewer_family.h"
#include "ngx_webrtc_viewer_keys.h"
#include "ngx_webrtc_viewer_list.h"
#include "ngx_webrtc_viewer_switch.h"
#include "ngx_webrtc_viewer_thin.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_ladder.h"


/* ms between two looks; chosen: feedback comes every 50 to 100 */
#define NGX_WEBRTC_VIEWER_LAYERS_LOOK    50

/* percent of the estimate that is sent at once, usually, and on the way down;
 * chosen: a key frame does not wait for long, nor fills a queue; and a queue
 * that there is becomes shorter */
#define NGX_WEBRTC_VIEWER_LAYERS_PACE    150
#define NGX_WEBRTC_VIEWER_LAYERS_DOWN    90

/* the same where only key frames are sent: one after the other, so that they
 * would fill any queue; chosen: what is sent again of them has room */
#define NGX_WEBRTC_VIEWER_LAYERS_KEYS    90

/* the same where the layer takes more than twice the estimate: what is sent of
 * it comes too late, and fills the queue before the key frame */
#define NGX_WEBRTC_VIEWER_LAYERS_STOP    30

/* ms until a layer that does not come is given up, and left out; chosen: an
 * encoder on a machine that is busy */
#define NGX_WEBRTC_VIEWER_LAYERS_WAIT    10000
#define NGX_WEBRTC_VIEWER_LAYERS_FAILED  30000    /* as viewer_list has it */

/* the same of one that its publisher has begun; chosen: its first frames */
#define NGX_WEBRTC_VIEWER_LAYERS_SOON    1000

/* ms between two samples of what comes, at least; and for which a key frame
 * counts in that, two ticks and one more: it waits as long, too */
#define NGX_WEBRTC_VIEWER_LAYERS_SAMPLE  200
#define NGX_WEBRTC_VIEWER_LAYERS_BURST   750

/* ms without feedback after which nothing is known of the path */
#define NGX_WEBRTC_VIEWER_LAYERS_FRESH   2000

/* percent of a layer's bitrate: what it takes with headers */
#define NGX_WEBRTC_VIEWER_LAYERS_TAKES   106

/* percent of the estimate that an encode which follows it has, and the part of
 * its bitrate that is left to it in any case */
#define NGX_WEBRTC_VIEWER_LAYERS_FITS    88
#define NGX_WEBRTC_VIEWER_LAYERS_SPOIL   2

/* percent of what is sent that nothing refers to, at least, for it to be worth
 * leaving that out; and bytes of which it is a part */
#define NGX_WEBRTC_VIEWER_LAYERS_LEAST   15
#define NGX_WEBRTC_VIEWER_LAYERS_SHARE   500000

/* ms between two key frames that are asked for where only these are sent, and
 * ms that upper temporal layers are waited for without one */
#define NGX_WEBRTC_VIEWER_LAYERS_ASK     3000
#define NGX_WEBRTC_VIEWER_LAYERS_SYNC    3000

/* bits per second: of the best layer, while it is not known, the estimate at
 * the start beyond that, in percent, and more than any stream has */
#define NGX_WEBRTC_VIEWER_LAYERS_GUESS   2500000
#define NGX_WEBRTC_VIEWER_LAYERS_START   130
#define NGX_WEBRTC_VIEWER_LAYERS_MOST    1000000000


static void ngx_webrtc_viewer_layers_conf(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_family_conf_t *fc);
static ngx_int_t ngx_webrtc_viewer_layers_list(ngx_webrtc_session_t *s,
    const ngx_webrtc_viewer_family_conf_t *fc);
static void ngx_webrtc_viewer_layers_keys(ngx_webrtc_viewer_t *v);
static void ngx_webrtc_viewer_layers_renew(ngx_webrtc_session_t *s);
static uint32_t ngx_webrtc_viewer_layers_measure(ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_layers_comes(ngx_webrtc_viewer_t *v);
static void ngx_webrtc_viewer_layers_limit(ngx_webrtc_viewer_t *v);
static ngx_uint_t ngx_webrtc_viewer_layers_pace(ngx_webrtc_viewer_t *v,
    const ngx_webrtc_ladder_in_t *in);
static void ngx_webrtc_viewer_layers_arrived(ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_layers_input(ngx_webrtc_session_t *s,
    ngx_webrtc_ladder_in_t *in);
static uint32_t ngx_webrtc_viewer_layers_coming(ngx_webrtc_viewer_t *v);
static void ngx_webrtc_viewer_layers_go(ngx_webrtc_session_t *s,
    ngx_uint_t layer, ngx_uint_t hurry);
static void ngx_webrtc_viewer_layers_thin(ngx_webrtc_session_t *s,
    ngx_uint_t step);
static void ngx_webrtc_viewer_layers_depth(ngx_webrtc_session_t *s,
    ngx_uint_t down);
static void ngx_webrtc_viewer_layers_await(ngx_webrtc_session_t *s,
    ngx_uint_t layer);


/* by step */

static const struct {
    ngx_webrtc_viewer_thin_e  thin;
    const char               *name;
} ngx_webrtc_viewer_layers_thins[] = {
    { NGX_WEBRTC_VIEWER_NONE, "none" },
    { NGX_WEBRTC_VIEWER_KEYS, "key frames" },
    { NGX_WEBRTC_VIEWER_THIN, "thin" },
    { NGX_WEBRTC_VIEWER_WHOLE, "whole" }
};


ngx_int_t
ngx_webrtc_viewer_layers_begin(ngx_webrtc_session_t *s)
{
    uint64_t                          start;
    ngx_webrtc_viewer_t              *v;
    ngx_webrtc_stream_layers_t        published;
    ngx_webrtc_viewer_family_conf_t   fc;

    v = s->part;

    ngx_webrtc_viewer_layers_conf(s, &fc);

    (void) ngx_webrtc_bus_layers(s->st, &published);

    if (!v->video
        || (fc.n == 0 && published.n == 0
            && (fc.base == NULL || v->st == s->st)))
    {
        return NGX_OK;
    }

    if (ngx_webrtc_viewer_layers_list(s, &fc) != NGX_OK) {
        return NGX_ERROR;
    }

    start = ngx_webrtc_viewer_layers_measure(s);
    start = ngx_max(start, NGX_WEBRTC_VIEWER_LAYERS_GUESS);

    return ngx_webrtc_viewer_bandwidth_begin(s,
                     (uint32_t) (start * NGX_WEBRTC_VIEWER_LAYERS_START / 100),
                     0);
}


ngx_int_t
ngx_webrtc_viewer_layers_late(ngx_webrtc_session_t *s, uint32_t start)
{
    ngx_webrtc_viewer_t              *v;
    ngx_webrtc_viewer_layers_t       *vl;
    ngx_webrtc_viewer_family_conf_t   fc;

    v = s->part;

    ngx_webrtc_viewer_layers_conf(s, &fc);

    if (ngx_webrtc_viewer_layers_list(s, &fc) != NGX_OK
        || ngx_webrtc_viewer_bandwidth_begin(s, start, 1) != NGX_OK)
    {
        ngx_webrtc_viewer_layers_end(v);
        return NGX_ERROR;
    }

    vl = v->layers;

    vl->late = 1;
    vl->trouble = ngx_current_msec;
    vl->layers[vl->n - 1].rate = ngx_webrtc_viewer_layers_measure(s);
    vl->layers[vl->n - 1].most = vl->layers[vl->n - 1].rate;

    ngx_webrtc_viewer_layers_keys(v);
    ngx_webrtc_viewer_bandwidth_pace(s, 100);

    return NGX_OK;
}


static void
ngx_webrtc_viewer_layers_conf(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_family_conf_t *fc)
{
    ngx_webrtc_viewer_conf_t  *conf;

    conf = &ngx_webrtc_viewer_worker(s->wk)->conf;

    ngx_memzero(fc, sizeof(ngx_webrtc_viewer_family_conf_t));

    if (s->peer->policy.transcode != NGX_WEBRTC_TRANSCODE_OFF && conf->layers) {
        (void) conf->layers(s->peer->location, fc);
    }
}


/* v->layers, and where it stands */

static ngx_int_t
ngx_webrtc_viewer_layers_list(ngx_webrtc_session_t *s,
    const ngx_webrtc_viewer_family_conf_t *fc)
{
    ngx_uint_t                   i;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;

    vl = ngx_calloc(sizeof(ngx_webrtc_viewer_layers_t), &s->log);
    if (vl == NULL) {
        return NGX_ERROR;
    }

    v->layers = vl;

    vl->conf = *fc;

    if (fc->base) {
        vl->base = *fc->base;
    }

    vl->choice = s->peer->policy.variant;
    vl->chosen = s->peer->layer;

    ngx_webrtc_viewer_list(vl, s->st);
    ngx_webrtc_viewer_list_choice(vl);

    vl->at = (v->st == s->st) ? vl->n - 1
             : (vl->only < vl->n) ? vl->only : vl->most;
    vl->to = vl->at;
    vl->looked = ngx_current_msec;

    ngx_webrtc_viewer_list_how(vl, vl->at);
    v->how = &vl->how;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        if (v->tracks[i].used && v->tracks[i].kind == NGX_WEBRTC_VIDEO) {
            ngx_webrtc_rewrite_remember(&v->tracks[i].rw, vl->past);
            break;
        }
    }

    ngx_webrtc_ladder_init(&vl->ladder,
                           NGX_WEBRTC_LADDER_LAYER
                           + ((vl->only < vl->n) ? vl->only : vl->at),
                           ngx_current_msec);

    return NGX_OK;
}


/* what there is below the only layer */

static void
ngx_webrtc_viewer_layers_keys(ngx_webrtc_viewer_t *v)
{
    ngx_webrtc_viewer_layers_t  *vl;

    vl = v->layers;

    if (vl->n > 1) {
        /* the lowest one is another stream */
        vl->keys_rate = 0;
        return;
    }

    ngx_webrtc_viewer_keys_look(v, &vl->keys);

    vl->share = ngx_webrtc_viewer_keys_share(&vl->keys);
    vl->keys_rate = ngx_webrtc_viewer_keys_rate(&vl->keys);
}


void
ngx_webrtc_viewer_layers_end(ngx_webrtc_viewer_t *v)
{
    ngx_uint_t  i;

    ngx_webrtc_viewer_bandwidth_end(v);

    if (v->layers) {
        for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
            ngx_webrtc_rewrite_remember(&v->tracks[i].rw, NULL);
        }

        v->how = &v->session->peer->policy.variant;
        ngx_free(v->layers);
        v->layers = NULL;
    }
}


/* The publisher has begun a layer, or stopped one, or they take other rates. */

static void
ngx_webrtc_viewer_layers_renew(ngx_webrtc_session_t *s)
{
    ngx_uint_t                   layer;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layers_t  *vl, was;

    v = s->part;
    vl = v->layers;

    if (ngx_webrtc_bus_layers(s->st, NULL) == vl->version) {
        return;
    }

    was = *vl;

    ngx_webrtc_viewer_list(vl, s->st);
    ngx_webrtc_viewer_list_again(vl, &was);
    ngx_webrtc_viewer_list_choice(vl);

    if (vl->ladder.step < NGX_WEBRTC_LADDER_LAYER) {
        return;
    }

    layer = vl->ladder.step - NGX_WEBRTC_LADDER_LAYER;
    layer = (vl->only < vl->n) ? vl->only
                               : ngx_webrtc_viewer_list_instead(vl, layer);

    vl->ladder.step = NGX_WEBRTC_LADDER_LAYER + layer;

    if (layer != vl->to) {
        ngx_webrtc_viewer_layers_go(s, layer, 0);
    }
}


void
ngx_webrtc_viewer_layers_changed(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    if (vl == NULL || v->bw == NULL
        || ngx_webrtc_peers_lock(s->wk->bus, s->peer->ref) == NULL)
    {
        return;
    }

    vl->choice = s->peer->policy.variant;
    vl->chosen = s->peer->layer;
    vl->most_rate = 0;

    ngx_webrtc_peers_unlock(s->wk->bus);

    ngx_webrtc_viewer_list_choice(vl);

    if (vl->only < vl->n) {

        vl->ladder.step = NGX_WEBRTC_LADDER_LAYER + vl->only;

        if (vl->only != vl->to) {
            ngx_webrtc_viewer_layers_go(s, vl->only, 0);
        }
    }

    vl->looked = ngx_current_msec - NGX_WEBRTC_VIEWER_LAYERS_LOOK;

    ngx_webrtc_viewer_layers_look(s);
}


void
ngx_webrtc_viewer_layers_tick(ngx_webrtc_session_t *s)
{
    uint32_t                     rate;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layer_t   *best;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    if (vl == NULL || v->bw == NULL) {
        return;
    }

    /* a layer that was chosen, and comes, needs no others */

    if ((vl->chosen & NGX_WEBRTC_PEER_LAYER_HOW)
        != NGX_WEBRTC_PEER_LAYER_NAMED
        || vl->choice.label_len == 0 || vl->only == vl->n)
    {
        ngx_webrtc_bus_climb(s->st, ngx_current_msec);
    }

    ngx_webrtc_viewer_bandwidth_tick(s, v->thin >= NGX_WEBRTC_VIEWER_KEYS);

    ngx_webrtc_viewer_layers_comes(v);

    /* less is believed slowly: a picture that does not move */

    best = &vl->layers[vl->n - 1];
    rate = ngx_webrtc_viewer_layers_measure(s);
    best->rate = ngx_max(rate, best->rate - best->rate / 100);
    best->most = ngx_max(rate, best->most);

    if (v->thin == NGX_WEBRTC_VIEWER_WHOLE
        && v->bw->bytes >= NGX_WEBRTC_VIEWER_LAYERS_SHARE)
    {
        vl->share = (ngx_uint_t) (v->bw->least * 100 / v->bw->bytes);
    }

    if (vl->late) {
        ngx_webrtc_viewer_layers_keys(v);
    }

    /* all others would get it, too: not if there is a new one anyway, nor
     * before the last one has been sent */

    if (v->thin == NGX_WEBRTC_VIEWER_KEYS
        && ngx_current_msec - vl->asked >= NGX_WEBRTC_VIEWER_LAYERS_ASK
        && !ngx_webrtc_viewer_keys_under_way(v)
        && ngx_webrtc_viewer_keys_older(v, NGX_WEBRTC_VIEWER_LAYERS_ASK))
    {
        vl->asked = ngx_current_msec;
        (void) ngx_webrtc_bus_keyframe(s->wk->bus, v->st);
    }

    ngx_webrtc_viewer_layers_look(s);
    ngx_webrtc_viewer_layers_limit(v);
}


/* What comes of the stream that it reads, a few times a second. */

static void
ngx_webrtc_viewer_layers_comes(ngx_webrtc_viewer_t *v)
{
    ngx_webrtc_viewer_layers_t  *vl;

    vl = v->layers;

    if (vl->of != v->st->ref) {
        vl->of = v->st->ref;
        vl->comes.n = 0;

    } else if (ngx_current_msec - vl->came < NGX_WEBRTC_VIEWER_LAYERS_SAMPLE) {
        return;
    }

    vl->came = ngx_current_msec;

    ngx_webrtc_rate_add(&vl->comes, ngx_webrtc_atomic_load(&v->st->stat.bytes),
                        ngx_current_msec);
}


/*
 * The lowest layer, if it is encoded, follows those who have nothing else: to
 * the half of its bitrate, so that one of them does not spoil it for all.
 */

static void
ngx_webrtc_viewer_layers_limit(ngx_webrtc_viewer_t *v)
{
    uint32_t                     fits, rate, least;
    ngx_webrtc_viewer_layers_t  *vl;

    vl = v->layers;
    rate = vl->layers[vl->at].rate;

    if (v->st == v->session->st || v->to.vs || vl->at != 0 || rate == 0
        || vl->layers[vl->at].published)
    {
        return;
    }

    fits = (uint32_t) ((uint64_t) ngx_webrtc_bwe_estimate(&v->bw->bwe)
                       * NGX_WEBRTC_VIEWER_LAYERS_FITS / 100);
    least = vl->layers[vl->at].most / NGX_WEBRTC_VIEWER_LAYERS_SPOIL;

    if (fits < rate) {
        ngx_webrtc_bus_variant_limit(v->st, ngx_max(fits, least));
    }
}


/* What the best layer takes, now; 0: not known. */

static uint32_t
ngx_webrtc_viewer_layers_measure(ngx_webrtc_session_t *s)
{
    uint64_t                     rate;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    rate = ngx_webrtc_bus_bitrate(ngx_webrtc_viewer_list_best(vl, vl->at)
                                  ? v->st : s->st);

    if (rate > NGX_WEBRTC_VIEWER_LAYERS_MOST) {
        return 0;
    }

    return (uint32_t) (rate * NGX_WEBRTC_VIEWER_LAYERS_TAKES / 100);
}


void
ngx_webrtc_viewer_layers_look(ngx_webrtc_session_t *s)
{
    uint32_t                     probe;
    ngx_uint_t                   step, layer;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_ladder_in_t       in;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    if (vl == NULL || v->bw == NULL || v->hushed
        || ngx_current_msec - vl->looked < NGX_WEBRTC_VIEWER_LAYERS_LOOK)
    {
        return;
    }

    vl->looked = ngx_current_msec;

    ngx_webrtc_viewer_layers_renew(s);
    ngx_webrtc_viewer_layers_arrived(s);
    ngx_webrtc_viewer_layers_input(s, &in);

    step = ngx_webrtc_ladder(&vl->ladder, &in, ngx_current_msec, &probe);

    ngx_log_debug6(NGX_LOG_DEBUG_EVENT, &s->log, 0,
                   "webrtc viewer estimate:%uD sent:%uD lag:%uD step:%ui "
                   "at:%ui probe:%uD",
                   in.estimate, in.sent, in.lag_ms, step, vl->at, probe);

    if (probe
        && ngx_webrtc_viewer_bandwidth_probe(s, probe) != NGX_OK)
    {
        ngx_webrtc_ladder_not_probed(&vl->ladder);
    }

    layer = vl->to;

    if (step >= NGX_WEBRTC_LADDER_LAYER) {
        layer = step - NGX_WEBRTC_LADDER_LAYER;

    } else {
        for (layer = 0; layer < vl->n - 1; layer++) {
            if (in.rates[NGX_WEBRTC_LADDER_LAYER + layer]
                != NGX_WEBRTC_LADDER_NONE)
            {
                break;
            }
        }
    }

    if (layer != vl->to) {
        ngx_webrtc_viewer_layers_go(s, layer, layer < vl->at);
    }

    ngx_webrtc_viewer_layers_thin(s, step);

    ngx_webrtc_viewer_bandwidth_pace(s,
                              ngx_webrtc_viewer_layers_pace(v, &in));

    s->peer->about->estimate = (uint16_t) ngx_min(in.estimate / 1000,
                                                  0xffff);
}


/* percent of the estimate that is sent at once */

static ngx_uint_t
ngx_webrtc_viewer_layers_pace(ngx_webrtc_viewer_t *v,
    const ngx_webrtc_ladder_in_t *in)
{
    uint64_t                     rate;
    ngx_webrtc_viewer_layers_t  *vl;

    vl = v->layers;

    if (v->thin == NGX_WEBRTC_VIEWER_KEYS) {
        return NGX_WEBRTC_VIEWER_LAYERS_KEYS;
    }

    if (v->to.vs == NULL || vl->to >= vl->at) {
        rate = (uint64_t) in->estimate * NGX_WEBRTC_VIEWER_LAYERS_PACE / 100;
        rate = ngx_webrtc_ladder_pace(&vl->ladder, in,
                                      (uint32_t) ngx_min(rate, 0xffffffff),
                                      ngx_current_msec);

        /* rounded up: a step that takes little of it needs all of that */

        return (ngx_uint_t) (rate * 100 / ngx_max(in->estimate, 1)) + 1;
    }

    return (vl->layers[vl->at].rate / 2 > in->estimate)
           ? NGX_WEBRTC_VIEWER_LAYERS_STOP : NGX_WEBRTC_VIEWER_LAYERS_DOWN;
}


/* It has arrived where it was going to, or it does not. */

static void
ngx_webrtc_viewer_layers_arrived(ngx_webrtc_session_t *s)
{
    uint32_t                     estimate;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    if (v->to.vs == NULL) {
        vl->at = vl->to;
        return;
    }

    if (ngx_webrtc_viewer_list_same(vl, vl->to, vl->at)
        || (ngx_webrtc_viewer_list_best(vl, vl->to)
            && ngx_webrtc_bus_state(s->st) != NGX_WEBRTC_STREAM_ACTIVE))
    {
        /* its family has changed, not its layer; or nobody publishes */
        return;
    }

    if (ngx_current_msec - v->to.since >= NGX_WEBRTC_VIEWER_LAYERS_WAIT) {

        ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                      "webrtc viewer layer does not come layer:\"%*s\"",
                      (size_t) v->to.vs->st->variant.label_len,
                      v->to.vs->st->variant.label);

        vl->layers[vl->to].failed = ngx_current_msec;
        vl->only = vl->n;

    } else {
        estimate = ngx_webrtc_bwe_estimate(&v->bw->bwe);

        if (vl->to <= vl->at || vl->only < vl->n
            || estimate >= vl->layers[vl->at].rate)
        {
            return;
        }

        /* the way up was a mistake, which is known before it has ended */
    }

    ngx_webrtc_viewer_switch_cancel(s);
    ngx_webrtc_viewer_list_how(vl, vl->at);

    vl->to = vl->at;
    vl->ladder.step = NGX_WEBRTC_LADDER_LAYER + vl->at;
}


static void
ngx_webrtc_viewer_layers_input(ngx_webrtc_session_t *s,
    ngx_webrtc_ladder_in_t *in)
{
    ngx_msec_t                      heard;
    ngx_webrtc_viewer_t            *v;
    ngx_webrtc_viewer_bandwidth_t  *bw;

    v = s->part;
    bw = v->bw;

    /* a receiver to which nothing is sent has no estimate to tell */

    heard = (bw->by == NGX_WEBRTC_VIEWER_BY_REMB) ? bw->reported : bw->heard;

    in->estimate = ngx_webrtc_bwe_estimate(&bw->bwe);
    in->sent = (uint32_t) ngx_min(ngx_webrtc_rate_second(&bw->rate, 8),
                                  NGX_WEBRTC_VIEWER_LAYERS_MOST);

    if (v->thin == NGX_WEBRTC_VIEWER_NONE && !bw->track->stamp
        && bw->by == NGX_WEBRTC_VIEWER_BY_REMB)
    {
        /* that was sound */
        in->sent = 0;
    }

    /* a key frame takes its time, and the next ones are not queued behind it */

    in->lag_ms = (v->thin == NGX_WEBRTC_VIEWER_KEYS)
                 ? 0 : (uint32_t) ngx_webrtc_viewer_bandwidth_lag(v);

    in->comes = ngx_webrtc_viewer_layers_coming(v);
    in->busy = (v->to.vs != NULL);
    in->fresh = (heard
                 && ngx_current_msec - heard < NGX_WEBRTC_VIEWER_LAYERS_FRESH);
    in->probes = (bw->by == NGX_WEBRTC_VIEWER_BY_TWCC);
    in->probing = ngx_webrtc_bwe_probing(&bw->bwe,
                                         ngx_webrtc_worker_now(v->session->wk));
    in->grows = (in->probes && bw->bwe.delay.usage == NGX_WEBRTC_BWE_OVERUSE);

    ngx_webrtc_viewer_list_rates(v->layers, in);
}


/* What the layer that it reads takes at the moment; 0: see the ladder. */

static uint32_t
ngx_webrtc_viewer_layers_coming(ngx_webrtc_viewer_t *v)
{
    uint64_t                     rate;
    ngx_webrtc_viewer_layers_t  *vl;

    vl = v->layers;

    if (vl->of != v->st->ref
        || !ngx_webrtc_viewer_keys_older(v, NGX_WEBRTC_VIEWER_LAYERS_BURST))
    {
        return 0;
    }

    rate = ngx_webrtc_rate_lately(&vl->comes, 8)
           * vl->layers[vl->at].share / 100;

    return (uint32_t) ngx_min(rate, NGX_WEBRTC_VIEWER_LAYERS_MOST);
}


static void
ngx_webrtc_viewer_layers_go(ngx_webrtc_session_t *s, ngx_uint_t layer,
    ngx_uint_t hurry)
{
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    ngx_webrtc_viewer_list_how(vl, layer);

    if (ngx_webrtc_viewer_family_move(s, hurry) == NGX_OK) {
        vl->to = layer;
        v->to.want = (uint8_t) ngx_webrtc_viewer_list_want(vl, layer);
        return;
    }

    vl->layers[layer].failed = ngx_current_msec;

    if (vl->layers[layer].published) {
        vl->layers[layer].failed -= NGX_WEBRTC_VIEWER_LAYERS_FAILED
                                    - NGX_WEBRTC_VIEWER_LAYERS_SOON;
    }

    ngx_webrtc_viewer_list_how(vl, vl->to);
}


/*
 * What it gets of the layer that it reads.  On the way down that is more than
 * its path carries, and upper temporal layers, or what nothing refers to, can
 * be left out at once.
 */

static void
ngx_webrtc_viewer_layers_thin(ngx_webrtc_session_t *s, ngx_uint_t step)
{
    ngx_uint_t                   down;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_thin_e     thin;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    step = ngx_min(step, NGX_WEBRTC_LADDER_LAYER);

    down = (v->to.vs && vl->to < vl->at
            && !ngx_webrtc_viewer_list_same(vl, vl->to, vl->at));

    if (step == NGX_WEBRTC_LADDER_LAYER && down
        && vl->share >= NGX_WEBRTC_VIEWER_LAYERS_LEAST)
    {
        step = NGX_WEBRTC_LADDER_THIN;
    }

    ngx_webrtc_viewer_layers_depth(s, down);

    thin = ngx_webrtc_viewer_layers_thins[step].thin;

    if (thin == v->thin
        || (thin < v->thin && ngx_webrtc_viewer_keys_under_way(v)))
    {
        /* half a key frame is nothing, and what comes next needs another one */
        return;
    }

    ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                  "webrtc viewer limited video:\"%s\" estimate:%uD",
                  ngx_webrtc_viewer_layers_thins[step].name,
                  ngx_webrtc_bwe_estimate(&v->bw->bwe));

    if (thin == NGX_WEBRTC_VIEWER_NONE) {
        v->wait_key = 0;
        v->want_key = 0;
        v->dark = 0;

    } else if (v->thin >= NGX_WEBRTC_VIEWER_KEYS) {

        /* what the frames that come next refer to has not been sent */

        v->wait_key = 1;
        v->waits = ngx_current_msec;
        (void) ngx_webrtc_bus_keyframe(s->wk->bus, v->st);
    }

    ngx_webrtc_viewer_thin_set(v, thin, v->want);
}


/* Layers inside the one that it reads. */

static void
ngx_webrtc_viewer_layers_depth(ngx_webrtc_session_t *s, ngx_uint_t down)
{
    ngx_uint_t                   want, at;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    at = (v->to.vs && !ngx_webrtc_viewer_list_same(vl, vl->to, vl->at))
         ? vl->at : vl->to;

    want = ngx_webrtc_viewer_list_want(vl, at);

    if (v->to.vs) {
        v->to.want = (uint8_t) ngx_webrtc_viewer_list_want(vl, vl->to);
    }

    if (down && vl->layers[at].tids > 1) {
        want &= ~NGX_WEBRTC_LAYER_TID;
    }

    if (want != v->want) {
        ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                      "webrtc viewer wants temporal:%ui spatial:%ui "
                      "estimate:%uD", ngx_webrtc_layer_tid(want),
                      ngx_webrtc_layer_sid(want),
                      ngx_webrtc_bwe_estimate(&v->bw->bwe));

        ngx_webrtc_viewer_thin_set(v, v->thin, want);
    }

    s->peer->about->thin = (uint8_t) (v->thin
                              | (~v->has & NGX_WEBRTC_LAYER_ALL)
                                << NGX_WEBRTC_VIEWER_THIN_LAYERS);

    ngx_webrtc_viewer_layers_await(s, at);
}


/*
 * It waits for upper layers: most publishers mark where they can be begun, soon
 * enough.  Otherwise that is a key frame, without which there are no upper
 * spatial layers.
 */

static void
ngx_webrtc_viewer_layers_await(ngx_webrtc_session_t *s, ngx_uint_t layer)
{
    ngx_msec_t                   wait;
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layer_t   *one;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;
    one = &vl->layers[layer];

    if (!ngx_webrtc_viewer_thin_waits(v, one->tids, one->sids)) {
        vl->waits = 0;
        return;
    }

    wait = NGX_WEBRTC_VIEWER_LAYERS_SYNC;

    if (vl->waits == 0) {
        vl->waits = ngx_current_msec;

        if (ngx_webrtc_viewer_thin_waits(v, 0, one->sids)) {
            wait = 0;
        }
    }

    if (ngx_current_msec - vl->waits >= wait) {
        vl->waits = ngx_current_msec;
        (void) ngx_webrtc_bus_keyframe(s->wk->bus, v->st);
    }
}
