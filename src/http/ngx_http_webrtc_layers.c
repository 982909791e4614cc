
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The layers of a WHEP session's stream: see the header file.
 *
 * A choice is in the session's slot, so any worker takes it: a label in its
 * policy, and what that means.  The worker that has the session is told.
 */


#include "ngx_http_webrtc_layers.h"
#include "ngx_http_webrtc_cors.h"
#include "ngx_http_webrtc_layer.h"
#include "ngx_http_webrtc_own.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_url.h"
#include "ngx_webrtc_bus_about.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_viewer.h"


/* bytes of a POST body; chosen: all members take 200 */
#define NGX_HTTP_WEBRTC_LAYERS_BODY   4096


static ngx_int_t ngx_http_webrtc_layers_choose(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_uint_t ngx_http_webrtc_layers_any(ngx_webrtc_peer_t *peer);
static ngx_int_t ngx_http_webrtc_layers_stopped(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_stream_t *st, ngx_webrtc_signal_choice_t *choice);
static ngx_int_t ngx_http_webrtc_layers_find(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_signal_choice_t *choice, ngx_uint_t *layer);
static ngx_uint_t ngx_http_webrtc_layers_below(ngx_webrtc_signal_layers_t *l,
    ngx_uint_t layer, ngx_webrtc_signal_choice_t *choice);
static ngx_int_t ngx_http_webrtc_layers_refuse(ngx_http_request_t *r,
    ngx_webrtc_signal_layers_t *l);
static ngx_int_t ngx_http_webrtc_layers_set(ngx_http_request_t *r,
    uint64_t ref, ngx_str_t *name, ngx_uint_t choice);
static void ngx_http_webrtc_layers_how(ngx_webrtc_peer_t *peer,
    ngx_str_t *name);
static ngx_http_webrtc_loc_conf_t *ngx_http_webrtc_layers_conf(
    ngx_webrtc_peer_t *peer);
static void ngx_http_webrtc_layers_best(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_stream_t *st);
static void ngx_http_webrtc_layers_published(ngx_webrtc_signal_layers_t *l,
    ngx_uint_t n, ngx_webrtc_stream_layer_t *published);
static void ngx_http_webrtc_layers_rendition(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_variant_t *rendition);
static void ngx_http_webrtc_layers_add(ngx_webrtc_signal_layers_t *l,
    const ngx_webrtc_signal_layer_t *layer);
static void ngx_http_webrtc_layers_current(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_peer_t *peer);


static ngx_str_t  ngx_http_webrtc_layers_best_name = ngx_string("original");

/* by ngx_webrtc_viewer_thin_e */
static const char  *ngx_http_webrtc_layers_limited[NGX_WEBRTC_VIEWER_THINS] = {
    "", "thin", "key frames", "audio"
};


ngx_int_t
ngx_http_webrtc_layers_handler(ngx_http_request_t *r, ngx_webrtc_peer_t *peer)
{
    ngx_int_t   rc;
    ngx_str_t   detail;
    ngx_uint_t  any;

    any = ngx_http_webrtc_layers_any(peer);

    if (r->method == NGX_HTTP_POST && any) {

        /* an empty body, which is the automatic choice, needs no type */

        if (r->headers_in.content_type == NULL
            || ngx_http_webrtc_is_type(r, &ngx_http_webrtc_json_type))
        {
            return ngx_http_webrtc_read_body(r, NGX_HTTP_WEBRTC_LAYERS_BODY,
                                             ngx_http_webrtc_layers_choose);
        }
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_webrtc_cors_options(r);
    }

    if (!any) {
        ngx_str_set(&detail, "the location has no \"webrtc_rendition\", and "
                             "the publisher sends no layers");

        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no layers",
                                       &detail);
    }

    if (r->method == NGX_HTTP_POST) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                       "expected application/json", NULL);
    }

    return ngx_http_webrtc_not_allowed(r, ngx_http_webrtc_methods(r));
}


/* does a session have layers to choose of? */

static ngx_uint_t
ngx_http_webrtc_layers_any(ngx_webrtc_peer_t *peer)
{
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_stream_t         *st;
    ngx_webrtc_stream_layers_t   list;

    list.n = 0;

    bus = ngx_http_webrtc_worker ? ngx_http_webrtc_worker->bus : NULL;
    st = bus ? ngx_webrtc_bus_stream_ref(bus, peer->stream) : NULL;

    if (st) {
        (void) ngx_webrtc_bus_layers(st, &list);
        ngx_webrtc_bus_release(bus, st);
    }

    return list.n || ngx_http_webrtc_layers_conf(peer) != NULL;
}


ngx_int_t
ngx_http_webrtc_layers_link(ngx_http_request_t *r, u_char *id,
    ngx_webrtc_stream_t *st)
{
    ngx_webrtc_stream_layers_t   list;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    static ngx_str_t  rel = ngx_string(">; rel=\"urn:ietf:params:whep:ext:core"
                                       ":layer\"");

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    (void) ngx_webrtc_bus_layers(st, &list);

    if (list.n == 0
        && (wlcf->renditions == NULL
            || wlcf->policy.transcode == NGX_WEBRTC_TRANSCODE_OFF))
    {
        return NGX_OK;
    }

    return ngx_http_webrtc_session_link(r, id, "&layers", &rel);
}


static ngx_int_t
ngx_http_webrtc_layers_choose(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_int_t                    rc;
    ngx_str_t                    id, detail;
    ngx_uint_t                   layer, mode, named;
    const char                  *cause;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_peer_t            peer;
    ngx_webrtc_stream_t         *st;
    ngx_webrtc_peer_info_t       info;
    ngx_webrtc_signal_layers_t   l;
    ngx_webrtc_signal_choice_t   choice;

    if (body->len && r->headers_in.content_type == NULL) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                       "expected application/json", NULL);
    }

    if (ngx_webrtc_signal_parse_choice(body->data, body->len, &choice, &cause)
        != NGX_OK)
    {
        detail.data = (u_char *) cause;
        detail.len = ngx_strlen(cause);

        return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                       "no such choice", &detail);
    }

    ngx_str_null(&id);
    (void) ngx_http_webrtc_arg(r, "session", &id);

    bus = ngx_http_webrtc_worker ? ngx_http_webrtc_worker->bus : NULL;
    st = NULL;
    layer = 0;

    if (bus == NULL
        || ngx_webrtc_peers_find_id(bus, &id, &peer, &info) != NGX_OK
        || (st = ngx_webrtc_bus_stream_ref(bus, peer.stream)) == NULL
        || ngx_http_webrtc_layers(info.ref, st, &l, &peer) != NGX_OK)
    {
        rc = ngx_http_webrtc_no_session(r, &id);

    } else {
        rc = ngx_http_webrtc_layers_find(&l, &choice, &layer);

        named = (rc != NGX_DONE && layer != 0 && !l.layers[layer].inside);

        mode = (rc == NGX_DONE || named) ? NGX_WEBRTC_PEER_LAYER_NAMED
                                         : NGX_WEBRTC_PEER_LAYER_BEST;

        if (rc != NGX_DONE && choice.encoding.data == NULL) {
            mode = NGX_WEBRTC_PEER_LAYER_MOST;
        }

        if (rc == NGX_DECLINED
            && ngx_http_webrtc_layers_stopped(&l, st, &choice) == NGX_OK)
        {
            rc = ngx_http_webrtc_layers_set(r, info.ref, &choice.encoding,
                                            NGX_WEBRTC_PEER_LAYER_NAMED);

        } else if (rc == NGX_DECLINED) {
            rc = ngx_http_webrtc_layers_refuse(r, &l);

        } else {
            mode |= ngx_http_webrtc_layers_below(&l, layer, &choice);

            rc = ngx_http_webrtc_layers_set(r, info.ref,
                                            named ? &l.layers[layer].name
                                                  : NULL, mode);
        }
    }

    if (st) {
        ngx_webrtc_bus_release(bus, st);
    }

    ngx_webrtc_signal_choice_free(&choice);

    return rc;
}


/* one that the publisher may begin again; until then it is what the path
 * carries */

static ngx_int_t
ngx_http_webrtc_layers_stopped(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_stream_t *st, ngx_webrtc_signal_choice_t *choice)
{
    ngx_uint_t                   i;
    ngx_webrtc_stream_layer_t   *layer;
    ngx_webrtc_stream_layers_t   list;

    if (choice->encoding.len == 0
        || (choice->media.data
            && (choice->media.len != l->mid.len
                || ngx_memcmp(choice->media.data, l->mid.data, l->mid.len)
                   != 0)))
    {
        return NGX_DECLINED;
    }

    (void) ngx_webrtc_bus_layers(st, &list);

    for (i = 0; i < list.n; i++) {
        layer = &list.layers[i];

        if (layer->rid_len == choice->encoding.len
            && ngx_memcmp(layer->rid, choice->encoding.data, layer->rid_len)
               == 0)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* the best one has a name that holds for all streams, besides its own */

static ngx_int_t
ngx_http_webrtc_layers_find(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_signal_choice_t *choice, ngx_uint_t *layer)
{
    ngx_int_t  rc;
    ngx_str_t  name;

    rc = ngx_webrtc_signal_choose(l, choice, layer);

    if (rc == NGX_DECLINED) {
        name = l->layers[0].name;
        l->layers[0].name = ngx_http_webrtc_layers_best_name;

        rc = ngx_webrtc_signal_choose(l, choice, layer);

        l->layers[0].name = name;
    }

    return rc;
}


/* which layers inside an encoding were chosen, for the slot */

static ngx_uint_t
ngx_http_webrtc_layers_below(ngx_webrtc_signal_layers_t *l, ngx_uint_t layer,
    ngx_webrtc_signal_choice_t *choice)
{
    ngx_uint_t  tid, sid;

    tid = choice->temporal;
    sid = choice->spatial;

    if (l->layers[layer].inside
        && (sid == 0 || sid > (ngx_uint_t) l->layers[layer].sid + 1))
    {
        sid = l->layers[layer].sid + 1;
    }

    /* the highest of those that are told apart is all */

    tid = (tid < NGX_WEBRTC_LAYER_MOST) ? tid : 0;
    sid = (sid < NGX_WEBRTC_LAYER_MOST) ? sid : 0;

    return ngx_webrtc_peer_layer_below(tid, sid);
}


static ngx_int_t
ngx_http_webrtc_layers_refuse(ngx_http_request_t *r,
    ngx_webrtc_signal_layers_t *l)
{
    u_char      *p, *end;
    ngx_str_t    detail;
    ngx_uint_t   i;
    u_char       buf[512];

    end = buf + sizeof(buf);

    p = ngx_slprintf(buf, end, "media \"%V\" has", &l->mid);

    for (i = 0; i < l->n; i++) {
        if (!l->layers[i].inside) {
            p = ngx_slprintf(p, end, "%s %V", i ? "," : "",
                             &l->layers[i].name);
        }
    }

    detail.data = buf;
    detail.len = p - buf;

    return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such layer",
                                   &detail);
}


/* name: NULL for none */

static ngx_int_t
ngx_http_webrtc_layers_set(ngx_http_request_t *r, uint64_t ref,
    ngx_str_t *name, ngx_uint_t choice)
{
    ngx_str_t                empty;
    ngx_webrtc_bus_t        *bus;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_info_t   info;

    bus = ngx_http_webrtc_worker->bus;

    peer = ngx_webrtc_peers_lock(bus, ref);

    if (peer) {
        ngx_http_webrtc_layers_how(peer, name);
        peer->layer = (uint8_t) choice;

        ngx_webrtc_peers_unlock(bus);

        ngx_webrtc_peers_touch(bus, ref);

        if (ngx_webrtc_peers_find_ref(bus, ref, NULL, &info) == NGX_OK) {
            ngx_webrtc_worker_tell_changed(ngx_http_webrtc_worker, &info);
        }
    }

    ngx_str_null(&empty);

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, NULL, &empty);
}


/* what a session gets: a rendition of its location, or a publisher's layer */

static void
ngx_http_webrtc_layers_how(ngx_webrtc_peer_t *peer, ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_webrtc_variant_t        *rendition;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_webrtc_layers_conf(peer);

    if (wlcf == NULL) {

        /* what it was, for a stream that it cannot play */

        if (peer->policy.variant.hw == NGX_WEBRTC_VARIANT_PUBLISHED) {
            ngx_memzero(&peer->policy.variant, sizeof(ngx_webrtc_variant_t));
        }

    } else {
        peer->policy.variant = wlcf->policy.variant;
    }

    if (name == NULL) {
        return;
    }

    rendition = wlcf ? wlcf->renditions->elts : NULL;

    for (i = 0; wlcf && i < wlcf->renditions->nelts; i++) {
        if (rendition[i].label_len == name->len
            && ngx_memcmp(rendition[i].label, name->data, name->len) == 0)
        {
            peer->policy.variant = ngx_http_webrtc_layer_rendition(wlcf,
                                                               &rendition[i]);
            return;
        }
    }

    ngx_webrtc_bus_layer_key(name, &peer->policy.variant);
}


/* the location of a session, if it has renditions */

static ngx_http_webrtc_loc_conf_t *
ngx_http_webrtc_layers_conf(ngx_webrtc_peer_t *peer)
{
    ngx_http_webrtc_loc_conf_t   *wlcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_webrtc_module);
    wlcf = ngx_http_webrtc_own_location(wmcf, peer->location);

    return (wlcf && wlcf->renditions
            && peer->policy.transcode != NGX_WEBRTC_TRANSCODE_OFF)
           ? wlcf : NULL;
}


ngx_int_t
ngx_http_webrtc_layers(uint64_t ref, ngx_webrtc_stream_t *st,
    ngx_webrtc_signal_layers_t *l, ngx_webrtc_peer_t *peer)
{
    ngx_uint_t                   i, how;
    ngx_webrtc_variant_t        *rendition;
    ngx_webrtc_peer_info_t       info;
    ngx_webrtc_peer_about_t      about;
    ngx_webrtc_stream_layers_t   list;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    ngx_memzero(l, sizeof(ngx_webrtc_signal_layers_t));

    if (ngx_webrtc_peers_about(ngx_http_webrtc_worker->bus, ref, peer, &about,
                               &info)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    wlcf = ngx_http_webrtc_layers_conf(peer);

    (void) ngx_webrtc_bus_layers(st, &list);

    for (i = 0; i < peer->desc.nmedia; i++) {
        if (peer->desc.media[i].kind == NGX_WEBRTC_VIDEO
            && peer->desc.media[i].sending)
        {
            l->mid.data = peer->desc.media[i].mid;
            l->mid.len = peer->desc.media[i].mid_len;
            break;
        }
    }

    /* of one quality there is something to be told only while its path does not
     * carry all of it */

    if ((wlcf == NULL && list.n == 0 && about.estimate == 0)
        || i == peer->desc.nmedia)
    {
        return NGX_DECLINED;
    }

    ngx_http_webrtc_layers_best(l, st);

    for (i = 0; i < list.n; i++) {
        ngx_http_webrtc_layers_published(l, i, &list.layers[i]);
    }

    rendition = wlcf ? wlcf->renditions->elts : NULL;

    for (i = 0; wlcf && i < wlcf->renditions->nelts; i++) {
        ngx_http_webrtc_layers_rendition(l, &rendition[i]);
    }

    ngx_http_webrtc_layers_current(l, peer);

    how = peer->layer & NGX_WEBRTC_PEER_LAYER_HOW;

    l->automatic = (how == NGX_WEBRTC_PEER_LAYER_MOST
                    || (how == NGX_WEBRTC_PEER_LAYER_NAMED
                        && peer->policy.variant.label_len == 0));

    how = ~((ngx_uint_t) about.thin >> NGX_WEBRTC_VIEWER_THIN_LAYERS);

    l->tid = (uint8_t) ngx_webrtc_layer_tid(how);
    l->sid = (uint8_t) ngx_webrtc_layer_sid(how);
    l->limited = ngx_http_webrtc_layers_limited[about.thin
                                                % NGX_WEBRTC_VIEWER_THINS];

    return NGX_OK;
}


static void
ngx_http_webrtc_layers_best(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_stream_t *st)
{
    uint64_t                    rate;
    ngx_uint_t                  i, n;
    ngx_webrtc_track_t          tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_signal_layer_t  *best;

    best = &l->layers[l->n++];
    best->name = ngx_http_webrtc_layers_best_name;

    rate = ngx_webrtc_bus_bitrate(st);
    best->bitrate = (rate < NGX_WEBRTC_VARIANT_BIT_MOST) ? (uint32_t) rate : 0;

    n = 0;
    (void) ngx_webrtc_bus_tracks(st, tracks, &n);

    for (i = 0; i < n; i++) {
        if (tracks[i].kind == NGX_WEBRTC_VIDEO) {
            best->width = tracks[i].width;
            best->height = tracks[i].height;
        }
    }
}


/* one that comes; that of the stream itself is the best one */

static void
ngx_http_webrtc_layers_published(ngx_webrtc_signal_layers_t *l, ngx_uint_t n,
    ngx_webrtc_stream_layer_t *published)
{
    ngx_webrtc_signal_layer_t  layer;

    ngx_memzero(&layer, sizeof(ngx_webrtc_signal_layer_t));

    layer.name.data = l->room + n * NGX_WEBRTC_STREAM_RID;
    layer.name.len = ngx_min(published->rid_len, NGX_WEBRTC_STREAM_RID);

    ngx_memcpy(layer.name.data, published->rid, layer.name.len);

    layer.sid = published->sid;
    layer.tids = published->tids;
    ngx_memcpy(layer.share, published->share, sizeof(layer.share));

    if (layer.name.len == 0) {
        layer.name = l->layers[0].name;
        layer.inside = 1;
    }

    if (published->top) {
        l->layers[0].name = layer.name;
        l->layers[0].sid = layer.sid;
        l->layers[0].tids = layer.tids;
        ngx_memcpy(l->layers[0].share, layer.share, sizeof(layer.share));

    } else if (published->ref || (layer.inside && !published->over)) {
        layer.bitrate = published->bitrate;
        layer.width = published->width;
        layer.height = published->height;

        ngx_http_webrtc_layers_add(l, &layer);
    }
}


static void
ngx_http_webrtc_layers_rendition(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_variant_t *rendition)
{
    ngx_webrtc_signal_layer_t   layer, *best;

    ngx_memzero(&layer, sizeof(ngx_webrtc_signal_layer_t));

    best = &l->layers[0];

    layer.name.data = rendition->label;
    layer.name.len = rendition->label_len;
    layer.bitrate = rendition->bitrate;
    layer.width = rendition->width;
    layer.height = rendition->height;

    /* never larger than the stream, and of its shape */

    if (best->width && best->height) {

        if (layer.height == 0 || layer.height > best->height) {
            layer.height = best->height;
        }

        if (layer.width == 0 || layer.width > best->width) {
            layer.width = best->width;
        }

        if (layer.width * best->height > layer.height * best->width) {
            layer.width = (layer.height * best->width / best->height) & ~1u;

        } else {
            layer.height = (layer.width * best->height / best->width) & ~1u;
        }
    }

    ngx_http_webrtc_layers_add(l, &layer);
}


/* by bitrate, behind the best one */

static void
ngx_http_webrtc_layers_add(ngx_webrtc_signal_layers_t *l,
    const ngx_webrtc_signal_layer_t *layer)
{
    ngx_uint_t  i;

    if (l->n == NGX_WEBRTC_SIGNAL_LAYERS) {
        return;
    }

    for (i = l->n++; i > 1; i--) {

        if (l->layers[i - 1].bitrate >= layer->bitrate) {
            break;
        }

        l->layers[i] = l->layers[i - 1];
    }

    l->layers[i] = *layer;
}


/* a rendition's label is its name, and maybe ":" and a codec */

static void
ngx_http_webrtc_layers_current(ngx_webrtc_signal_layers_t *l,
    ngx_webrtc_peer_t *peer)
{
    ngx_str_t            *name;
    ngx_uint_t            i;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st;

    bus = ngx_http_webrtc_worker->bus;

    st = peer->reads ? ngx_webrtc_bus_stream_ref(bus, peer->reads) : NULL;

    if (st == NULL) {
        return;
    }

    for (i = 1; i < l->n; i++) {
        name = &l->layers[i].name;

        if (st->variant.label_len >= name->len
            && ngx_memcmp(st->variant.label, name->data, name->len) == 0
            && (st->variant.label_len == name->len
                || st->variant.label[name->len] == ':'))
        {
            l->current = i;
            break;
        }
    }

    ngx_webrtc_bus_release(bus, st);
}
