
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which layer of its stream a viewer gets: see the header file.
 *
 * Layers are the renditions of the location and what the publisher sends beside
 * the stream (simulcast), by bitrate, and above them the best one: the stream
 * itself, or what a viewer who cannot play it gets instead
 * (ngx_webrtc_choice()).  What a rendition takes is configured; what the others
 * take is measured.  ngx_webrtc_ladder() decides, a viewer's own choice (the
 * label in its slot's policy) leaves it one layer only.
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
#include "ngx_webrtc_viewer_switch.h"
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

/* the same where the layer takes more than twice the estimate: what is sent of
 * it comes too late, and fills the queue before the key frame */
#define NGX_WEBRTC_VIEWER_LAYERS_STOP    30

/* ms until a layer that does not come is given up, and left out; chosen: an
 * encoder on a machine that is busy */
#define NGX_WEBRTC_VIEWER_LAYERS_WAIT    10000
#define NGX_WEBRTC_VIEWER_LAYERS_FAILED  30000

/* the same of one that its publisher has begun; chosen: its first frames */
#define NGX_WEBRTC_VIEWER_LAYERS_SOON    1000

/* ms without feedback after which nothing is known of the path */
#define NGX_WEBRTC_VIEWER_LAYERS_FRESH   2000

/* percent of a layer's bitrate: what it takes with headers; its key frames,
 * guessed; and a rendition that is worth having beside the best one */
#define NGX_WEBRTC_VIEWER_LAYERS_TAKES   106
#define NGX_WEBRTC_VIEWER_LAYERS_KEYS    35
#define NGX_WEBRTC_VIEWER_LAYERS_WORTH   90

/* percent of the estimate that an encode which follows it has, and the part of
 * its bitrate that is left to it in any case */
#define NGX_WEBRTC_VIEWER_LAYERS_FITS    88
#define NGX_WEBRTC_VIEWER_LAYERS_SPOIL   2

/* percent of what is sent that nothing refers to, at least, for it to be worth
 * leaving that out; and bytes of which it is a part */
#define NGX_WEBRTC_VIEWER_LAYERS_LEAST   15
#define NGX_WEBRTC_VIEWER_LAYERS_SHARE   500000

/* ms between two key frames that are asked for where only these are sent */
#define NGX_WEBRTC_VIEWER_LAYERS_ASK     3000

/* bits per second: of the best layer, while it is not known, the estimate at
 * the start beyond that, in percent, and more than any stream has */
#define NGX_WEBRTC_VIEWER_LAYERS_GUESS   2500000
#define NGX_WEBRTC_VIEWER_LAYERS_START   130
#define NGX_WEBRTC_VIEWER_LAYERS_MOST    1000000000


typedef struct {
    ngx_webrtc_variant_t         variant;     /* no label: the best one */
    uint32_t                     rate;        /* that it takes; 0: not known */
    uint32_t                     most;        /* that it has taken */
    ngx_msec_t                   failed;      /* when; 0: not */
    unsigned                     published:1; /* by the publisher */
    unsigned                     absent:1;    /* which has stopped it */
} ngx_webrtc_viewer_layer_t;


struct ngx_webrtc_viewer_layers_s {
    ngx_webrtc_viewer_family_conf_t  conf;
    ngx_webrtc_variant_t         base;        /* of conf */
    ngx_webrtc_variant_t         how;         /* v->how */
    ngx_webrtc_variant_t         choice;      /* of the slot's policy */
    ngx_uint_t                   chosen;      /* likewise */
    uint64_t                     version;     /* of the publisher's layers */
    ngx_str_t                    top;         /* rid of the best one */
    u_char                       top_rid[NGX_WEBRTC_STREAM_RID];
    ngx_webrtc_ladder_t          ladder;
    ngx_msec_t                   looked;
    ngx_msec_t                   asked;       /* for a key frame */
    ngx_uint_t                   at;          /* the layer that it reads */
    ngx_uint_t                   to;          /* and goes to, or the same */
    ngx_uint_t                   only;        /* its choice; n: none */
    ngx_uint_t                   most;        /* no better one */
    ngx_uint_t                   n;
    ngx_uint_t                   share;       /* of what is sent that nothing
                                                 refers to, percent */
    ngx_webrtc_viewer_layer_t    layers[NGX_WEBRTC_LADDER_LAYERS];
};


static void ngx_webrtc_viewer_layers_list(ngx_webrtc_viewer_layers_t *vl,
    ngx_webrtc_stream_t *st);
static void ngx_webrtc_viewer_layers_published(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_stream_layer_t *published);
static void ngx_webrtc_viewer_layers_add(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer);
static void ngx_webrtc_viewer_layers_renew(ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_layers_again(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layers_t *was);
static ngx_uint_t ngx_webrtc_viewer_layers_same(
    ngx_webrtc_viewer_layers_t *vl, const ngx_webrtc_viewer_layer_t *layer);
static ngx_uint_t ngx_webrtc_viewer_layers_instead(
    ngx_webrtc_viewer_layers_t *vl, ngx_uint_t layer);
static void ngx_webrtc_viewer_layers_choice(ngx_webrtc_viewer_layers_t *vl);
static ngx_uint_t ngx_webrtc_viewer_layers_find(
    ngx_webrtc_viewer_layers_t *vl, const ngx_webrtc_variant_t *variant);
static void ngx_webrtc_viewer_layers_how(ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t layer);
static uint32_t ngx_webrtc_viewer_layers_measure(ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_layers_limit(ngx_webrtc_viewer_t *v);
static ngx_uint_t ngx_webrtc_viewer_layers_pace(ngx_webrtc_viewer_t *v,
    uint32_t estimate);
static void ngx_webrtc_viewer_layers_arrived(ngx_webrtc_session_t *s);
static void ngx_webrtc_viewer_layers_input(ngx_webrtc_session_t *s,
    ngx_webrtc_ladder_in_t *in);
static void ngx_webrtc_viewer_layers_rates(ngx_webrtc_viewer_t *v,
    ngx_webrtc_ladder_in_t *in);
static void ngx_webrtc_viewer_layers_go(ngx_webrtc_session_t *s,
    ngx_uint_t layer);
static void ngx_webrtc_viewer_layers_thin(ngx_webrtc_session_t *s,
    ngx_uint_t step);


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
    ngx_webrtc_viewer_conf_t         *conf;
    ngx_webrtc_viewer_layers_t       *vl;
    ngx_webrtc_stream_layers_t        published;
    ngx_webrtc_viewer_family_conf_t   fc;

    v = s->part;
    conf = &ngx_webrtc_viewer_worker(s->wk)->conf;

    ngx_memzero(&fc, sizeof(ngx_webrtc_viewer_family_conf_t));

    if (s->peer->policy.transcode != NGX_WEBRTC_TRANSCODE_OFF && conf->layers) {
        (void) conf->layers(s->peer->location, &fc);
    }

    (void) ngx_webrtc_bus_layers(s->st, &published);

    if (!v->video
        || (fc.n == 0 && published.n == 0
            && (fc.base == NULL || v->st == s->st)))
    {
        return NGX_OK;
    }

    vl = ngx_calloc(sizeof(ngx_webrtc_viewer_layers_t), &s->log);
    if (vl == NULL) {
        return NGX_ERROR;
    }

    v->layers = vl;

    vl->conf = fc;

    if (fc.base) {
        vl->base = *fc.base;
    }

    vl->choice = s->peer->policy.variant;
    vl->chosen = s->peer->layer;

    ngx_webrtc_viewer_layers_list(vl, s->st);
    ngx_webrtc_viewer_layers_choice(vl);

    vl->at = (v->st == s->st) ? vl->n - 1
             : (vl->only < vl->n) ? vl->only : vl->most;
    vl->to = vl->at;
    vl->looked = ngx_current_msec;

    ngx_webrtc_viewer_layers_how(vl, vl->at);
    v->how = &vl->how;

    ngx_webrtc_ladder_init(&vl->ladder,
                           NGX_WEBRTC_LADDER_LAYER
                           + ((vl->only < vl->n) ? vl->only : vl->at),
                           ngx_current_msec);

    start = ngx_webrtc_viewer_layers_measure(s);
    start = ngx_max(start, NGX_WEBRTC_VIEWER_LAYERS_GUESS);

    return ngx_webrtc_viewer_bandwidth_begin(s,
                     (uint32_t) (start * NGX_WEBRTC_VIEWER_LAYERS_START / 100));
}


void
ngx_webrtc_viewer_layers_end(ngx_webrtc_viewer_t *v)
{
    ngx_webrtc_viewer_bandwidth_end(v);

    if (v->layers) {
        v->how = NULL;
        ngx_free(v->layers);
        v->layers = NULL;
    }
}


/* by bitrate, the best one last */

static void
ngx_webrtc_viewer_layers_list(ngx_webrtc_viewer_layers_t *vl,
    ngx_webrtc_stream_t *st)
{
    ngx_uint_t                   i, used;
    ngx_webrtc_viewer_layer_t    layer;
    ngx_webrtc_stream_layers_t   published;

    ngx_memzero(vl->layers, sizeof(vl->layers));
    ngx_memzero(&layer, sizeof(ngx_webrtc_viewer_layer_t));

    vl->n = 1;
    vl->top.len = 0;

    used = ngx_min(vl->conf.n, NGX_WEBRTC_LADDER_LAYERS - 1);

    for (i = 0; i < used; i++) {
        layer.variant = vl->conf.renditions[i];
        layer.rate = (uint32_t) ((uint64_t) vl->conf.renditions[i].bitrate
                                 * NGX_WEBRTC_VIEWER_LAYERS_TAKES / 100);
        layer.most = layer.rate;

        ngx_webrtc_viewer_layers_add(vl, &layer);
    }

    vl->version = ngx_webrtc_bus_layers(st, &published);

    for (i = 0; i < published.n; i++) {
        ngx_webrtc_viewer_layers_published(vl, &published.layers[i]);
    }
}


static void
ngx_webrtc_viewer_layers_published(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_stream_layer_t *published)
{
    ngx_str_t                  rid;
    ngx_webrtc_viewer_layer_t  layer;

    rid.len = ngx_min(published->rid_len, NGX_WEBRTC_STREAM_RID);
    rid.data = (u_char *) published->rid;

    if (published->top) {
        ngx_memcpy(vl->top_rid, rid.data, rid.len);
        vl->top.data = vl->top_rid;
        vl->top.len = rid.len;
    }

    if (published->ref == 0) {
        return;
    }

    ngx_memzero(&layer, sizeof(ngx_webrtc_viewer_layer_t));

    ngx_webrtc_bus_layer_key(&rid, &layer.variant);

    layer.published = 1;
    layer.rate = (uint32_t) ((uint64_t) published->bitrate
                             * NGX_WEBRTC_VIEWER_LAYERS_TAKES / 100);
    layer.most = layer.rate;

    ngx_webrtc_viewer_layers_add(vl, &layer);
}


static void
ngx_webrtc_viewer_layers_add(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer)
{
    ngx_uint_t  n;

    if (vl->n == NGX_WEBRTC_LADDER_LAYERS) {
        return;
    }

    vl->layers[vl->n] = vl->layers[vl->n - 1];

    for (n = vl->n - 1; n > 0 && vl->layers[n - 1].rate > layer->rate; n--) {
        vl->layers[n] = vl->layers[n - 1];
    }

    vl->layers[n] = *layer;
    vl->n++;
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

    ngx_webrtc_viewer_layers_list(vl, s->st);
    ngx_webrtc_viewer_layers_again(vl, &was);
    ngx_webrtc_viewer_layers_choice(vl);

    if (vl->ladder.step < NGX_WEBRTC_LADDER_LAYER) {
        return;
    }

    layer = vl->ladder.step - NGX_WEBRTC_LADDER_LAYER;
    layer = (vl->only < vl->n) ? vl->only
                               : ngx_webrtc_viewer_layers_instead(vl, layer);

    vl->ladder.step = NGX_WEBRTC_LADDER_LAYER + layer;

    if (layer != vl->to) {
        ngx_webrtc_viewer_layers_go(s, layer);
    }
}


/* what is known of the layers, and where the viewer is, by their labels */

static void
ngx_webrtc_viewer_layers_again(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layers_t *was)
{
    ngx_uint_t                  i, n, step;
    ngx_webrtc_viewer_layer_t   layer;

    step = was->ladder.step - NGX_WEBRTC_LADDER_LAYER;

    for (i = 0; i < was->n; i++) {

        layer = was->layers[i];

        n = layer.variant.label_len
            ? ngx_webrtc_viewer_layers_find(vl, &layer.variant) : vl->n - 1;

        if (n < vl->n
            && vl->layers[n].variant.label_len == layer.variant.label_len)
        {
            vl->layers[n].failed = layer.failed;
            vl->layers[n].most = ngx_max(vl->layers[n].most, layer.most);

            if (layer.variant.label_len == 0) {
                vl->layers[n].rate = layer.rate;
            }

        } else if (i == was->at || i == was->to || i == step) {
            layer.absent = 1;
            ngx_webrtc_viewer_layers_add(vl, &layer);
        }
    }

    vl->at = ngx_webrtc_viewer_layers_same(vl, &was->layers[was->at]);
    vl->to = ngx_webrtc_viewer_layers_same(vl, &was->layers[was->to]);

    if (was->ladder.step >= NGX_WEBRTC_LADDER_LAYER && step < was->n) {
        vl->ladder.step = NGX_WEBRTC_LADDER_LAYER
                        + ngx_webrtc_viewer_layers_same(vl,
                                                        &was->layers[step]);
    }
}


/* where a layer stands now, also one that does not come; else the best one */

static ngx_uint_t
ngx_webrtc_viewer_layers_same(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer)
{
    ngx_uint_t  i;

    for (i = 0; i < vl->n - 1; i++) {
        if (ngx_memcmp(&vl->layers[i].variant, &layer->variant,
                       sizeof(ngx_webrtc_variant_t))
            == 0)
        {
            break;
        }
    }

    return i;
}


/* the layer, or the next one down that comes, or up */

static ngx_uint_t
ngx_webrtc_viewer_layers_instead(ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t layer)
{
    ngx_uint_t  i;

    layer = ngx_min(layer, vl->n - 1);

    for (i = layer + 1; i > 0; i--) {
        if (!vl->layers[i - 1].absent) {
            return i - 1;
        }
    }

    for (i = layer; i < vl->n - 1; i++) {
        if (!vl->layers[i].absent) {
            break;
        }
    }

    return i;
}


/* by NGX_WEBRTC_PEER_LAYER_* */

static void
ngx_webrtc_viewer_layers_choice(ngx_webrtc_viewer_layers_t *vl)
{
    ngx_uint_t  layer;

    layer = ngx_webrtc_viewer_layers_find(vl, &vl->choice);

    vl->only = vl->n;
    vl->most = vl->n - 1;

    switch (vl->chosen) {

    case NGX_WEBRTC_PEER_LAYER_BEST:
        vl->only = vl->n - 1;
        break;

    case NGX_WEBRTC_PEER_LAYER_MOST:
        vl->most = ngx_min(layer, vl->n - 1);
        break;

    default: /* NGX_WEBRTC_PEER_LAYER_NAMED */
        vl->only = layer;
    }
}


/* the layer with that label; n: none, or it does not come */

static ngx_uint_t
ngx_webrtc_viewer_layers_find(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_variant_t *choice)
{
    ngx_uint_t                   i;
    const ngx_webrtc_variant_t  *variant;

    for (i = 0; choice->label_len && i < vl->n - 1; i++) {
        variant = &vl->layers[i].variant;

        if (variant->label_len == choice->label_len
            && ngx_memcmp(variant->label, choice->label, choice->label_len)
               == 0)
        {
            return vl->layers[i].absent ? vl->n : i;
        }
    }

    if (choice->label_len && choice->label_len == vl->top.len
        && ngx_memcmp(choice->label, vl->top.data, vl->top.len) == 0)
    {
        return vl->n - 1;
    }

    return vl->n;
}


static void
ngx_webrtc_viewer_layers_how(ngx_webrtc_viewer_layers_t *vl, ngx_uint_t layer)
{
    ngx_webrtc_viewer_layer_t  *one;

    one = &vl->layers[layer];

    if (one->variant.label_len == 0) {
        vl->how = vl->base;
        vl->how.label_len = 0;
        return;
    }

    vl->how = one->variant;

    if (one->published) {
        return;
    }

    /* what a rendition does not say is as the location has it */

    vl->how.codec = vl->base.codec;
    vl->how.hw = vl->base.hw;
    vl->how.deinterlace = vl->base.deinterlace;
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

    ngx_webrtc_peers_unlock(s->wk->bus);

    ngx_webrtc_viewer_layers_choice(vl);

    if (vl->only < vl->n) {

        vl->ladder.step = NGX_WEBRTC_LADDER_LAYER + vl->only;

        if (vl->only != vl->to) {
            ngx_webrtc_viewer_layers_go(s, vl->only);
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

    ngx_webrtc_viewer_bandwidth_tick(s, v->thin >= NGX_WEBRTC_VIEWER_KEYS);

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

    if (v->thin == NGX_WEBRTC_VIEWER_KEYS
        && ngx_current_msec - vl->asked >= NGX_WEBRTC_VIEWER_LAYERS_ASK)
    {
        vl->asked = ngx_current_msec;
        (void) ngx_webrtc_bus_keyframe(s->wk->bus, v->st);
    }

    ngx_webrtc_viewer_layers_look(s);
    ngx_webrtc_viewer_layers_limit(v);
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

    rate = ngx_webrtc_bus_bitrate((vl->at == vl->n - 1) ? v->st : s->st);

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
        ngx_webrtc_viewer_layers_go(s, layer);
    }

    ngx_webrtc_viewer_layers_thin(s, step);

    ngx_webrtc_viewer_bandwidth_pace(s,
                              ngx_webrtc_viewer_layers_pace(v, in.estimate));

    s->peer->about->estimate = (uint16_t) ngx_min(in.estimate / 1000,
                                                  0xffff);
}


/* percent of the estimate that is sent at once */

static ngx_uint_t
ngx_webrtc_viewer_layers_pace(ngx_webrtc_viewer_t *v, uint32_t estimate)
{
    ngx_webrtc_viewer_layers_t  *vl;

    vl = v->layers;

    if (v->to.vs == NULL || vl->to >= vl->at) {
        return NGX_WEBRTC_VIEWER_LAYERS_PACE;
    }

    return (vl->layers[vl->at].rate / 2 > estimate)
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

    if (vl->to == vl->at
        || (vl->to == vl->n - 1
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
    ngx_webrtc_viewer_layers_how(vl, vl->at);

    vl->to = vl->at;
    vl->ladder.step = NGX_WEBRTC_LADDER_LAYER + vl->at;
}


static void
ngx_webrtc_viewer_layers_input(ngx_webrtc_session_t *s,
    ngx_webrtc_ladder_in_t *in)
{
    ngx_webrtc_viewer_t            *v;
    ngx_webrtc_viewer_bandwidth_t  *bw;

    v = s->part;
    bw = v->bw;

    in->estimate = ngx_webrtc_bwe_estimate(&bw->bwe);
    in->sent = (uint32_t) ngx_min(ngx_webrtc_rate_second(&bw->rate, 8),
                                  NGX_WEBRTC_VIEWER_LAYERS_MOST);
    in->lag_ms = (uint32_t) ngx_webrtc_viewer_bandwidth_lag(v);

    in->busy = (v->to.vs != NULL);
    in->fresh = (bw->heard
                 && ngx_current_msec - bw->heard
                    < NGX_WEBRTC_VIEWER_LAYERS_FRESH);
    in->probes = (bw->by == NGX_WEBRTC_VIEWER_BY_TWCC);

    ngx_webrtc_viewer_layers_rates(v, in);
}


static void
ngx_webrtc_viewer_layers_rates(ngx_webrtc_viewer_t *v,
    ngx_webrtc_ladder_in_t *in)
{
    uint32_t                     rate, least, best;
    ngx_uint_t                   i;
    ngx_webrtc_viewer_layer_t   *layer;
    ngx_webrtc_viewer_layers_t  *vl;

    vl = v->layers;
    least = NGX_WEBRTC_LADDER_NONE;
    best = vl->layers[vl->n - 1].rate;

    in->steps = NGX_WEBRTC_LADDER_LAYER + vl->n;

    for (i = 0; i < vl->n; i++) {
        layer = &vl->layers[i];
        rate = layer->rate;

        if (layer->absent
            || (layer->published && rate == 0)
            || (layer->failed
                && ngx_current_msec - layer->failed
                   < NGX_WEBRTC_VIEWER_LAYERS_FAILED))
        {
            rate = NGX_WEBRTC_LADDER_NONE;
        }

        if (vl->only < vl->n) {

            /* its choice, whatever it takes */

            rate = (i == vl->only) ? layer->rate : NGX_WEBRTC_LADDER_NONE;

        } else if (i > vl->most) {
            rate = NGX_WEBRTC_LADDER_NONE;

        } else if (layer->variant.label_len && !layer->published && best
                   && layer->rate > (uint64_t) best
                                    * NGX_WEBRTC_VIEWER_LAYERS_WORTH / 100)
        {
            rate = NGX_WEBRTC_LADDER_NONE;
        }

        in->rates[NGX_WEBRTC_LADDER_LAYER + i] = rate;

        if (rate != NGX_WEBRTC_LADDER_NONE
            && least == NGX_WEBRTC_LADDER_NONE)
        {
            least = rate;
        }
    }

    in->rates[NGX_WEBRTC_LADDER_AUDIO] = 0;
    in->rates[NGX_WEBRTC_LADDER_KEYS] = NGX_WEBRTC_LADDER_NONE;
    in->rates[NGX_WEBRTC_LADDER_THIN] = NGX_WEBRTC_LADDER_NONE;

    if (least != NGX_WEBRTC_LADDER_NONE) {
        in->rates[NGX_WEBRTC_LADDER_KEYS] =
                    (uint32_t) ((uint64_t) least
                                * NGX_WEBRTC_VIEWER_LAYERS_KEYS / 100);

        if (vl->share >= NGX_WEBRTC_VIEWER_LAYERS_LEAST) {
            in->rates[NGX_WEBRTC_LADDER_THIN] =
                    (uint32_t) ((uint64_t) least * (100 - vl->share) / 100);
        }
    }
}


static void
ngx_webrtc_viewer_layers_go(ngx_webrtc_session_t *s, ngx_uint_t layer)
{
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    ngx_webrtc_viewer_layers_how(vl, layer);

    if (ngx_webrtc_viewer_family_move(s) == NGX_OK) {
        vl->to = layer;
        return;
    }

    vl->layers[layer].failed = ngx_current_msec;

    if (vl->layers[layer].published) {
        vl->layers[layer].failed -= NGX_WEBRTC_VIEWER_LAYERS_FAILED
                                    - NGX_WEBRTC_VIEWER_LAYERS_SOON;
    }

    ngx_webrtc_viewer_layers_how(vl, vl->to);
}


/*
 * What it gets of the layer that it reads.  On the way down that is more than
 * its path carries, and what nothing refers to can be left out at once.
 */

static void
ngx_webrtc_viewer_layers_thin(ngx_webrtc_session_t *s, ngx_uint_t step)
{
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_viewer_thin_e     thin;
    ngx_webrtc_viewer_layers_t  *vl;

    v = s->part;
    vl = v->layers;

    step = ngx_min(step, NGX_WEBRTC_LADDER_LAYER);

    if (step == NGX_WEBRTC_LADDER_LAYER && v->to.vs && vl->to < vl->at
        && vl->share >= NGX_WEBRTC_VIEWER_LAYERS_LEAST)
    {
        step = NGX_WEBRTC_LADDER_THIN;
    }

    thin = ngx_webrtc_viewer_layers_thins[step].thin;

    if (thin == v->thin) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                  "webrtc viewer limited video:\"%s\" estimate:%uD",
                  ngx_webrtc_viewer_layers_thins[step].name,
                  ngx_webrtc_bwe_estimate(&v->bw->bwe));

    if (thin == NGX_WEBRTC_VIEWER_NONE) {
        v->wait_key = 0;
        v->want_key = 0;

    } else if (v->thin >= NGX_WEBRTC_VIEWER_KEYS) {

        /* what the frames that come next refer to has not been sent */

        v->wait_key = 1;
        v->waits = ngx_current_msec;
        (void) ngx_webrtc_bus_keyframe(s->wk->bus, v->st);
    }

    v->thin = thin;
    s->peer->about->thin = thin;
}
