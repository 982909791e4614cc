
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The layers of its stream that a viewer may get: see the header file.
 *
 * Where frames are marked by temporal layers, each layer comes with those: all
 * of it, and without the highest, the two highest, ...  They all stand in one
 * list by bitrate, so a viewer whose path does not carry a layer first gets
 * fewer pictures of it, and goes to the next one when that is more.
 *
 * What a layer takes is known a second or two after it has begun.  Until then
 * it is guessed by its size, as a viewer of a narrow path would have nothing
 * else to go to, and be sent sound only.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_list.h"
#include "ngx_webrtc_bus_variant.h"


/* ms for which a layer that did not come is left out */
#define NGX_WEBRTC_VIEWER_LIST_FAILED  30000

/* percent of a layer's bitrate: what it takes with headers; its key frames,
 * guessed; and a rendition that is worth having beside the best one */
#define NGX_WEBRTC_VIEWER_LIST_TAKES   106
#define NGX_WEBRTC_VIEWER_LIST_KEYS    35
#define NGX_WEBRTC_VIEWER_LIST_WORTH   90

/* percent of the layer below that a part of one has to take, and of its own, to
 * be more than all of that, whose pictures are twice as many; chosen */
#define NGX_WEBRTC_VIEWER_LIST_MORE    150
#define NGX_WEBRTC_VIEWER_LIST_HALF    50

/* percent around that half in which it stays what it was */
#define NGX_WEBRTC_VIEWER_LIST_SLACK   5

/* places for layers that do not come any more: the one that is read, the one
 * that the viewer goes to, and that of the ladder's step */
#define NGX_WEBRTC_VIEWER_LIST_ABSENT  3

/* percent of what is sent that nothing refers to, at least, for it to be worth
 * leaving that out */
#define NGX_WEBRTC_VIEWER_LIST_LEAST   15


static void ngx_webrtc_viewer_list_published(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_stream_layers_t *published, ngx_uint_t n);
static ngx_uint_t ngx_webrtc_viewer_list_guess(
    const ngx_webrtc_stream_layers_t *published,
    const ngx_webrtc_stream_layer_t *p);
static void ngx_webrtc_viewer_list_parts(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer,
    const ngx_webrtc_stream_layer_t *published);
static void ngx_webrtc_viewer_list_add(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer);
static ngx_uint_t ngx_webrtc_viewer_list_place(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer);
static ngx_uint_t ngx_webrtc_viewer_list_find(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer);
static ngx_uint_t ngx_webrtc_viewer_list_below(ngx_webrtc_viewer_layers_t *vl,
    uint32_t rate);
static ngx_uint_t ngx_webrtc_viewer_list_label(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_variant_t *choice);
static ngx_uint_t ngx_webrtc_viewer_list_part(ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t layer, ngx_uint_t want);
static ngx_uint_t ngx_webrtc_viewer_list_whole(
    const ngx_webrtc_viewer_layers_t *vl, ngx_uint_t layer);
static uint32_t ngx_webrtc_viewer_list_rate(ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t n, uint32_t below, ngx_uint_t whole);
static uint32_t ngx_webrtc_viewer_list_guessed(ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t n);
static void ngx_webrtc_viewer_list_least(ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t lowest, ngx_webrtc_ladder_in_t *in);


void
ngx_webrtc_viewer_list(ngx_webrtc_viewer_layers_t *vl, ngx_webrtc_stream_t *st)
{
    ngx_uint_t                   i, used;
    ngx_webrtc_viewer_layer_t    layer;
    ngx_webrtc_stream_layers_t   published;

    ngx_memzero(vl->layers, sizeof(vl->layers));
    ngx_memzero(&layer, sizeof(ngx_webrtc_viewer_layer_t));

    layer.want = NGX_WEBRTC_LAYER_ALL;
    layer.share = 100;

    vl->n = 1;
    vl->layers[0] = layer;
    vl->top.len = 0;

    used = ngx_min(vl->conf.n, NGX_WEBRTC_LADDER_LAYERS - 1);

    for (i = 0; i < used; i++) {
        layer.variant = vl->conf.renditions[i];
        layer.rate = (uint32_t) ((uint64_t) vl->conf.renditions[i].bitrate
                                 * NGX_WEBRTC_VIEWER_LIST_TAKES / 100);
        layer.most = layer.rate;

        ngx_webrtc_viewer_list_add(vl, &layer);
    }

    vl->version = ngx_webrtc_bus_layers(st, &published);

    /* all of each, before parts of any: they may be too many */

    for (i = 0; i < published.n; i++) {
        ngx_webrtc_viewer_list_published(vl, &published, i);
    }

    for (i = 0; i < published.n; i++) {
        ngx_webrtc_viewer_list_published(vl, &published, published.n + i);
    }
}


/* one of the publisher's; n beyond them: parts of it */

static void
ngx_webrtc_viewer_list_published(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_stream_layers_t *published, ngx_uint_t n)
{
    ngx_str_t                         rid;
    ngx_uint_t                        i, parts;
    ngx_webrtc_viewer_layer_t         layer, *best;
    const ngx_webrtc_stream_layer_t  *p;

    parts = (n >= published->n);
    p = &published->layers[n % published->n];

    if (p->over) {
        return;
    }

    rid.len = ngx_min(p->rid_len, NGX_WEBRTC_STREAM_RID);
    rid.data = (u_char *) p->rid;

    ngx_memzero(&layer, sizeof(ngx_webrtc_viewer_layer_t));

    layer.published = 1;
    layer.want = NGX_WEBRTC_LAYER_ALL;
    layer.share = 100;
    layer.tids = p->tids;
    layer.sids = 1;
    layer.rate = (uint32_t) ((uint64_t) p->bitrate
                             * NGX_WEBRTC_VIEWER_LIST_TAKES / 100);
    layer.most = layer.rate;

    best = &vl->layers[vl->n - 1];

    if (p->top) {
        ngx_memcpy(vl->top_rid, rid.data, rid.len);
        vl->top.data = vl->top_rid;
        vl->top.len = rid.len;

        layer.sids = (uint8_t) (p->sid + 1);

        best->tids = layer.tids;
        best->sids = layer.sids;

    } else if (rid.len == 0) {

        /* a spatial layer of the only one */

        for (i = 0; i < published->n; i++) {
            if (published->layers[i].top && published->layers[i].bitrate) {
                layer.share = (uint8_t) ngx_min((uint64_t) p->bitrate * 100
                                              / published->layers[i].bitrate,
                                              100);
            }
        }

        layer.want = (uint8_t) (NGX_WEBRTC_LAYER_TID | p->sid << 3);
        layer.sids = (uint8_t) (p->sid + 1);

    } else if (p->ref == 0) {
        return;

    } else {
        ngx_webrtc_bus_layer_key(&rid, &layer.variant);

        if (p->bitrate == 0) {
            layer.guess = (uint8_t) ngx_webrtc_viewer_list_guess(published, p);
        }
    }

    if (parts) {
        ngx_webrtc_viewer_list_parts(vl, &layer, p);

    } else if (!p->top && (rid.len || p->bitrate)) {
        ngx_webrtc_viewer_list_add(vl, &layer);
    }
}


/*
 * Percent of what the best layer takes that one takes, by their sizes; 0: they
 * are not known.  Encoders give smaller pictures more bits per pixel: with half
 * the width it is 37, with a quarter 15, as it usually is in simulcast.
 */

static ngx_uint_t
ngx_webrtc_viewer_list_guess(const ngx_webrtc_stream_layers_t *published,
    const ngx_webrtc_stream_layer_t *p)
{
    ngx_uint_t                        i, side;
    const ngx_webrtc_stream_layer_t  *top;

    for (i = 0; i < published->n; i++) {
        top = &published->layers[i];

        if (top->top && top->width && p->width) {
            side = ngx_min((ngx_uint_t) p->width * 100 / top->width, 100);

            return ngx_max((side + side * side / 100) / 2, 1);
        }
    }

    return 0;
}


/* without its upper temporal layers */

static void
ngx_webrtc_viewer_list_parts(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer,
    const ngx_webrtc_stream_layer_t *published)
{
    ngx_uint_t                 tid, share;
    ngx_webrtc_viewer_layer_t  part;

    for (tid = 0; tid + 1 < published->tids; tid++) {

        share = published->share[ngx_min(tid, NGX_WEBRTC_STREAM_TIDS - 2)];

        if (share == 0 || share >= 100 || layer->rate == 0) {
            continue;
        }

        if (vl->n >= NGX_WEBRTC_LADDER_LAYERS - NGX_WEBRTC_VIEWER_LIST_ABSENT) {
            return;
        }

        part = *layer;

        part.want = (uint8_t) ((part.want & NGX_WEBRTC_LAYER_SID) | tid);
        part.rate = (uint32_t) ((uint64_t) layer->rate * share / 100);
        part.share = (uint8_t) ngx_max(layer->share * share / 100, 1);
        part.part = (uint8_t) share;
        part.few = (share < NGX_WEBRTC_VIEWER_LIST_HALF);

        ngx_webrtc_viewer_list_add(vl, &part);
    }
}


static void
ngx_webrtc_viewer_list_add(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer)
{
    ngx_uint_t  n;

    if (vl->n == NGX_WEBRTC_LADDER_LAYERS) {
        return;
    }

    vl->layers[vl->n] = vl->layers[vl->n - 1];

    for (n = vl->n - 1; n > 0; n--) {

        if (vl->layers[n - 1].rate < layer->rate
            || (vl->layers[n - 1].rate == layer->rate
                && vl->layers[n - 1].guess <= layer->guess))
        {
            break;
        }

        vl->layers[n] = vl->layers[n - 1];
    }

    vl->layers[n] = *layer;
    vl->n++;
}


void
ngx_webrtc_viewer_list_again(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layers_t *was)
{
    ngx_uint_t                  i, n, step;
    ngx_webrtc_viewer_layer_t   layer;

    step = was->ladder.step - NGX_WEBRTC_LADDER_LAYER;

    for (i = 0; i < was->n; i++) {

        layer = was->layers[i];
        n = ngx_webrtc_viewer_list_find(vl, &layer);

        if (n == vl->n) {

            if (i == was->at || i == was->to || i == step) {
                layer.absent = 1;
                layer.want = NGX_WEBRTC_LAYER_ALL;
                ngx_webrtc_viewer_list_add(vl, &layer);
            }

            continue;
        }

        if (vl->layers[n].want != layer.want) {
            /* a part of it that there is not any more */
            continue;
        }

        if (ngx_abs((ngx_int_t) vl->layers[n].part
                    - NGX_WEBRTC_VIEWER_LIST_HALF)
            < NGX_WEBRTC_VIEWER_LIST_SLACK)
        {
            vl->layers[n].few = layer.few;
        }

        vl->layers[n].failed = layer.failed;
        vl->layers[n].most = ngx_max(vl->layers[n].most, layer.most);

        if (layer.variant.label_len == 0 && n == vl->n - 1) {
            vl->layers[n].rate = layer.rate;
        }
    }

    vl->at = ngx_webrtc_viewer_list_place(vl, &was->layers[was->at]);
    vl->to = ngx_webrtc_viewer_list_place(vl, &was->layers[was->to]);

    if (was->ladder.step >= NGX_WEBRTC_LADDER_LAYER && step < was->n) {
        vl->ladder.step = NGX_WEBRTC_LADDER_LAYER
                        + ngx_webrtc_viewer_list_place(vl, &was->layers[step]);
    }
}


/* never beyond the list */

static ngx_uint_t
ngx_webrtc_viewer_list_place(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer)
{
    ngx_uint_t  n;

    n = ngx_webrtc_viewer_list_find(vl, layer);

    return ngx_min(n, vl->n - 1);
}


/* where a layer stands now, also one that does not come; of a part that there
 * is not any more, all of it; n: there is none */

static ngx_uint_t
ngx_webrtc_viewer_list_find(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layer_t *layer)
{
    ngx_uint_t  i, found;

    found = vl->n;

    for (i = 0; i < vl->n; i++) {

        if (ngx_memcmp(&vl->layers[i].variant, &layer->variant,
                       sizeof(ngx_webrtc_variant_t))
            != 0)
        {
            continue;
        }

        if (vl->layers[i].want == layer->want) {
            return i;
        }

        if (vl->layers[i].want == NGX_WEBRTC_LAYER_ALL) {
            found = i;
        }
    }

    return found;
}


ngx_uint_t
ngx_webrtc_viewer_list_instead(ngx_webrtc_viewer_layers_t *vl,
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

void
ngx_webrtc_viewer_list_choice(ngx_webrtc_viewer_layers_t *vl)
{
    ngx_uint_t  layer;

    layer = ngx_webrtc_viewer_list_label(vl, &vl->choice);

    vl->only = vl->n;
    vl->most = vl->n - 1;

    switch (vl->chosen & NGX_WEBRTC_PEER_LAYER_HOW) {

    case NGX_WEBRTC_PEER_LAYER_BEST:
        vl->only = vl->n - 1;
        break;

    case NGX_WEBRTC_PEER_LAYER_MOST:
        if (layer < vl->n) {
            vl->most = layer;
            vl->most_rate = vl->layers[layer].rate;

        } else {
            vl->most = ngx_webrtc_viewer_list_below(vl, vl->most_rate);
        }

        break;

    default: /* NGX_WEBRTC_PEER_LAYER_NAMED */
        vl->only = layer;
    }

    if (vl->only < vl->n) {
        vl->only = ngx_webrtc_viewer_list_part(vl, vl->only,
                                   ngx_webrtc_viewer_list_want(vl, vl->only));
    }
}


/* the best one that takes no more; rate 0: any */

static ngx_uint_t
ngx_webrtc_viewer_list_below(ngx_webrtc_viewer_layers_t *vl, uint32_t rate)
{
    ngx_uint_t  i;

    if (rate == 0) {
        return vl->n - 1;
    }

    for (i = vl->n - 1; i > 0; i--) {
        if (vl->layers[i].rate && vl->layers[i].rate <= rate) {
            break;
        }
    }

    return i;
}


/* all of the layer with that label; n: none, or it does not come */

static ngx_uint_t
ngx_webrtc_viewer_list_label(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_variant_t *choice)
{
    ngx_uint_t                   i;
    const ngx_webrtc_variant_t  *variant;

    /* before the others: what is read may be the ring that it had, absent */

    if (choice->label_len && choice->label_len == vl->top.len
        && ngx_memcmp(choice->label, vl->top.data, vl->top.len) == 0)
    {
        return vl->n - 1;
    }

    for (i = 0; choice->label_len && i < vl->n - 1; i++) {
        variant = &vl->layers[i].variant;

        if (vl->layers[i].want == NGX_WEBRTC_LAYER_ALL
            && variant->label_len == choice->label_len
            && ngx_memcmp(variant->label, choice->label, choice->label_len)
               == 0)
        {
            return vl->layers[i].absent ? vl->n : i;
        }
    }

    return vl->n;
}


/* that part of a layer, or all of it */

static ngx_uint_t
ngx_webrtc_viewer_list_part(ngx_webrtc_viewer_layers_t *vl, ngx_uint_t layer,
    ngx_uint_t want)
{
    ngx_uint_t  i;

    for (i = 0; i < vl->n; i++) {
        if (vl->layers[i].want == want
            && ngx_webrtc_viewer_list_same(vl, i, layer))
        {
            return i;
        }
    }

    return layer;
}


/* all of the layer that it is a part of */

static ngx_uint_t
ngx_webrtc_viewer_list_whole(const ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t layer)
{
    ngx_uint_t  i;

    for (i = layer; i < vl->n - 1; i++) {
        if (vl->layers[i].want == NGX_WEBRTC_LAYER_ALL
            && ngx_webrtc_viewer_list_same(vl, i, layer))
        {
            break;
        }
    }

    return i;
}


/* numbers in the choice are one more than a layer's; the highest one is all */

ngx_uint_t
ngx_webrtc_viewer_list_want(const ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t layer)
{
    ngx_uint_t                        tid, sid, most;
    const ngx_webrtc_viewer_layer_t  *one;

    one = &vl->layers[layer];

    tid = ngx_webrtc_layer_tid(one->want);
    sid = ngx_webrtc_layer_sid(one->want);

    most = ngx_webrtc_peer_layer_tid(vl->chosen);

    if (most && most - 1 < tid && most < one->tids) {
        tid = most - 1;
    }

    most = ngx_webrtc_peer_layer_sid(vl->chosen);

    if (most && most - 1 < sid && most < one->sids) {
        sid = most - 1;
    }

    return tid | sid << 3;
}


void
ngx_webrtc_viewer_list_how(ngx_webrtc_viewer_layers_t *vl, ngx_uint_t layer)
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
ngx_webrtc_viewer_list_rates(ngx_webrtc_viewer_layers_t *vl,
    ngx_webrtc_ladder_in_t *in)
{
    uint32_t    rate, below;
    ngx_uint_t  i, lowest, whole;

    below = 0;
    whole = 0;
    lowest = vl->n;

    in->steps = NGX_WEBRTC_LADDER_LAYER + vl->n;

    for (i = 0; i < vl->n; i++) {
        rate = ngx_webrtc_viewer_list_rate(vl, i, below, whole);

        in->rates[NGX_WEBRTC_LADDER_LAYER + i] = rate;

        if (rate == NGX_WEBRTC_LADDER_NONE) {
            continue;
        }

        if (lowest == vl->n) {
            lowest = i;
        }

        below = rate;

        if (vl->layers[i].want == NGX_WEBRTC_LAYER_ALL) {
            whole = 1;
            below = (uint32_t) ((uint64_t) rate * NGX_WEBRTC_VIEWER_LIST_MORE
                                / 100);
        }
    }

    ngx_webrtc_viewer_list_least(vl, lowest, in);
}


/*
 *   below   a part of a layer has to take more
 *   whole   there is a layer below that is whole: a part needs half of what its
 *           own takes, as a larger picture that hardly moves is no better one
 */

static uint32_t
ngx_webrtc_viewer_list_rate(ngx_webrtc_viewer_layers_t *vl, ngx_uint_t n,
    uint32_t below, ngx_uint_t whole)
{
    uint32_t                    rate, best;
    ngx_uint_t                  want;
    ngx_webrtc_viewer_layer_t  *layer;

    layer = &vl->layers[n];

    best = vl->layers[vl->n - 1].rate;
    rate = layer->rate;

    if (n != vl->n - 1 && layer->variant.label_len == 0 && !layer->absent) {
        rate = (uint32_t) ((uint64_t) best * layer->share / 100);
    }

    if (rate == 0 && !layer->absent) {
        rate = ngx_webrtc_viewer_list_guessed(vl, n);
    }

    if (vl->only < vl->n) {

        /* its choice, whatever it takes */

        return (n == vl->only) ? rate : NGX_WEBRTC_LADDER_NONE;
    }

    if (layer->absent
        || (layer->published && rate == 0)
        || (layer->failed
            && ngx_current_msec - layer->failed
               < NGX_WEBRTC_VIEWER_LIST_FAILED)
        || ngx_webrtc_viewer_list_whole(vl, n) > vl->most)
    {
        return NGX_WEBRTC_LADDER_NONE;
    }

    want = ngx_webrtc_viewer_list_want(vl, n);

    if (want != layer->want
        && ngx_webrtc_viewer_list_part(vl, n, want) != n)
    {
        /* no more than a part of it, which is another one */
        return NGX_WEBRTC_LADDER_NONE;
    }

    if (layer->want != NGX_WEBRTC_LAYER_ALL
        && (rate <= below
            || (whole && layer->few)))
    {
        return NGX_WEBRTC_LADDER_NONE;
    }

    if (layer->variant.label_len && !layer->published && best
        && rate > (uint64_t) best * NGX_WEBRTC_VIEWER_LIST_WORTH / 100)
    {
        return NGX_WEBRTC_LADDER_NONE;
    }

    return rate;
}


/*
 * What a layer takes by its guess; 0: not known.  Those that are known stand
 * behind it, so it is one only if it is less than all of them.
 */

static uint32_t
ngx_webrtc_viewer_list_guessed(ngx_webrtc_viewer_layers_t *vl, ngx_uint_t n)
{
    uint32_t    rate;
    ngx_uint_t  i;

    rate = (uint32_t) ((uint64_t) vl->layers[vl->n - 1].rate
                       * vl->layers[n].guess / 100);

    for (i = n + 1; i < vl->n - 1; i++) {
        if (vl->layers[i].rate && vl->layers[i].rate < rate
            && !vl->layers[i].absent)
        {
            return 0;
        }
    }

    return rate;
}


/* the steps below the lowest layer */

static void
ngx_webrtc_viewer_list_least(ngx_webrtc_viewer_layers_t *vl, ngx_uint_t lowest,
    ngx_webrtc_ladder_in_t *in)
{
    uint32_t    least;
    ngx_uint_t  share;

    in->rates[NGX_WEBRTC_LADDER_AUDIO] = 0;
    in->rates[NGX_WEBRTC_LADDER_KEYS] = NGX_WEBRTC_LADDER_NONE;
    in->rates[NGX_WEBRTC_LADDER_THIN] = NGX_WEBRTC_LADDER_NONE;

    if (lowest == vl->n) {
        return;
    }

    least = in->rates[NGX_WEBRTC_LADDER_LAYER + lowest];

    in->rates[NGX_WEBRTC_LADDER_KEYS] =
                (uint32_t) ((uint64_t) least
                            * NGX_WEBRTC_VIEWER_LIST_KEYS / 100);

    if (vl->keys_rate) {
        in->rates[NGX_WEBRTC_LADDER_KEYS] = ngx_min(vl->keys_rate, least);
    }

    /* of a lowest temporal layer there is nothing that could be left out */

    share = (ngx_webrtc_layer_tid(vl->layers[lowest].want)
             == NGX_WEBRTC_LAYER_TID) ? vl->share : 0;

    if (share >= NGX_WEBRTC_VIEWER_LIST_LEAST) {
        in->rates[NGX_WEBRTC_LADDER_THIN] =
                (uint32_t) ((uint64_t) least * (100 - share) / 100);

        in->rates[NGX_WEBRTC_LADDER_KEYS] =
                               ngx_min(in->rates[NGX_WEBRTC_LADDER_KEYS],
                                       in->rates[NGX_WEBRTC_LADDER_THIN]);
    }
}
