
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which stream of its family an offer is answered with.
 */


#include "ngx_http_webrtc_layer.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_own.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_variants.h"
#include "ngx_webrtc_viewer_family.h"


/* bytes of the list of layers in a refusal */
#define NGX_HTTP_WEBRTC_LAYER_NAMES  512


static ngx_int_t ngx_http_webrtc_layer_published(ngx_http_request_t *r,
    ngx_webrtc_stream_t *st, ngx_http_webrtc_layer_t *layer);
static ngx_int_t ngx_http_webrtc_layer_unknown(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf);
static ngx_int_t ngx_http_webrtc_layer_get(ngx_http_request_t *r,
    ngx_webrtc_stream_t *st, ngx_http_webrtc_layer_t *layer,
    ngx_webrtc_choice_t *choice);


ngx_int_t
ngx_http_webrtc_layer_find(ngx_http_request_t *r, const ngx_webrtc_sdp_t *sdp,
    ngx_http_webrtc_layer_t *layer)
{
    ngx_str_t                    name;
    ngx_uint_t                   i;
    ngx_webrtc_variant_t        *rendition;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    ngx_webrtc_choice_offer(sdp, &layer->viewer);

    layer->how = wlcf->policy.variant;

    if (ngx_http_webrtc_arg(r, "layer", &name) != NGX_OK || name.len == 0
        || (name.len == 4 && ngx_strncmp(name.data, "auto", 4) == 0))
    {
        return NGX_OK;
    }

    for (i = 0; wlcf->renditions && i < wlcf->renditions->nelts; i++) {
        rendition = wlcf->renditions->elts;
        rendition += i;

        if (rendition->label_len != name.len
            || ngx_memcmp(rendition->label, name.data, name.len) != 0)
        {
            continue;
        }

        layer->how = ngx_http_webrtc_layer_rendition(wlcf, rendition);

        return (wlcf->policy.transcode == NGX_WEBRTC_TRANSCODE_OFF)
               ? ngx_http_webrtc_layer_unknown(r, wlcf) : NGX_OK;
    }

    if (wlcf->pull || name.len > NGX_WEBRTC_STREAM_RID) {
        return ngx_http_webrtc_layer_unknown(r, wlcf);
    }

    /* a publisher may have it: that is known when there is one */

    layer->rid = name;

    return NGX_OK;
}


/* a layer that was asked for, once the stream is there */

static ngx_int_t
ngx_http_webrtc_layer_published(ngx_http_request_t *r,
    ngx_webrtc_stream_t *st, ngx_http_webrtc_layer_t *layer)
{
    ngx_uint_t                   i;
    ngx_webrtc_stream_layer_t   *published;
    ngx_webrtc_stream_layers_t   list;

    (void) ngx_webrtc_bus_layers(st, &list);

    for (i = 0; i < list.n; i++) {
        published = &list.layers[i];

        if (published->rid_len == layer->rid.len
            && ngx_memcmp(published->rid, layer->rid.data, layer->rid.len)
               == 0)
        {
            ngx_webrtc_bus_layer_key(&layer->rid, &layer->how);
            ngx_str_null(&layer->rid);

            return NGX_OK;
        }
    }

    return ngx_http_webrtc_layer_unknown(r,
                 ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module));
}


static ngx_int_t
ngx_http_webrtc_layer_unknown(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf)
{
    u_char                *p, *last;
    ngx_str_t              detail;
    ngx_uint_t             i;
    ngx_webrtc_variant_t  *rendition;
    u_char                 buf[NGX_HTTP_WEBRTC_LAYER_NAMES];

    last = buf + sizeof(buf);

    p = ngx_slprintf(buf, last, "expected one of: auto");

    for (i = 0; wlcf->renditions && i < wlcf->renditions->nelts
         && wlcf->policy.transcode != NGX_WEBRTC_TRANSCODE_OFF; i++)
    {
        rendition = wlcf->renditions->elts;
        rendition += i;

        p = ngx_slprintf(p, last, ", %*s", (size_t) rendition->label_len,
                         rendition->label);
    }

    detail.data = buf;
    detail.len = p - buf;

    return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such layer",
                                   &detail);
}


ngx_int_t
ngx_http_webrtc_layer_ready(ngx_http_request_t *r, ngx_webrtc_stream_t *st,
    ngx_http_webrtc_layer_t *layer)
{
    ngx_int_t                    rc;
    ngx_uint_t                   n;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_choice_t          choice;
    ngx_webrtc_track_t           tracks[NGX_WEBRTC_TRACKS];
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    bus = ngx_http_webrtc_worker->bus;

    if (layer->rid.len) {
        rc = ngx_http_webrtc_layer_published(r, st, layer);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    n = 0;
    (void) ngx_webrtc_bus_tracks(st, tracks, &n);

    ngx_webrtc_choice(tracks, n, &layer->viewer, wlcf->policy.transcode,
                      &layer->how, &choice);

    if (choice.what != NGX_WEBRTC_CHOICE_VARIANT) {

        /* if it is NONE, the negotiation says what is missing */

        ngx_http_webrtc_layer_release(layer);
        return NGX_OK;
    }

    rc = ngx_http_webrtc_layer_get(r, st, layer, &choice);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_webrtc_bus_want(layer->st, ngx_current_msec + NGX_WEBRTC_VIEWER_WANTED);
    ngx_webrtc_variants_check(bus, layer->st, ngx_http_webrtc_worker->log);

    return (ngx_webrtc_bus_state(layer->st) == NGX_WEBRTC_STREAM_ACTIVE
            && ngx_webrtc_bus_tracks(layer->st, NULL, NULL) != 0)
           ? NGX_OK : NGX_AGAIN;
}


/* NGX_OK: layer->st is the one that was chosen */

static ngx_int_t
ngx_http_webrtc_layer_get(ngx_http_request_t *r, ngx_webrtc_stream_t *st,
    ngx_http_webrtc_layer_t *layer, ngx_webrtc_choice_t *choice)
{
    ngx_webrtc_bus_t            *bus;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    bus = ngx_http_webrtc_worker->bus;

    if (layer->st
        && layer->st->variant.label_len == choice->variant.label_len
        && ngx_memcmp(layer->st->variant.label, choice->variant.label,
                      choice->variant.label_len)
           == 0)
    {
        return NGX_OK;
    }

    ngx_http_webrtc_layer_release(layer);

    layer->st = ngx_webrtc_viewer_family_get(bus, st, choice, &wlcf->policy,
                                             r->connection->log);
    if (layer->st == NULL) {
        return ngx_http_webrtc_full(r, bus->lack, NULL);
    }

    ngx_webrtc_bus_watch(bus, layer->st);

    return NGX_OK;
}


void
ngx_http_webrtc_layer_policy(ngx_http_request_t *r, ngx_webrtc_stream_t *st,
    ngx_http_webrtc_layer_t *layer, ngx_webrtc_negotiate_policy_t *policy,
    ngx_webrtc_policy_t *session)
{
    ngx_uint_t                   codec;
    ngx_webrtc_track_t          *tracks;
    ngx_webrtc_stream_layers_t   list;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    tracks = ngx_palloc(r->pool,
                        NGX_WEBRTC_TRACKS * sizeof(ngx_webrtc_track_t));

    if (tracks) {
        (void) ngx_webrtc_bus_tracks(layer->st ? layer->st : st, tracks,
                                     &policy->ntracks);
        policy->tracks = tracks;
    }

    session->variant = layer->how;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    /* a path may turn out to be narrow later; without layers nothing is stamped
     * until then, so nothing is told.  REMB would come anyway */

    policy->fb |= NGX_WEBRTC_FB_TWCC;
    policy->exts |= NGX_WEBRTC_EXT_TWCC;

    (void) ngx_webrtc_bus_layers(st, &list);

    if (list.n
        || (session->transcode != NGX_WEBRTC_TRANSCODE_OFF
            && (wlcf->renditions || layer->st)))
    {
        policy->fb |= NGX_WEBRTC_FB_REMB;
        policy->exts |= NGX_WEBRTC_EXT_ABS_SEND_TIME;
    }

    if (session->transcode == NGX_WEBRTC_TRANSCODE_OFF) {
        return;
    }

    /* so that the session can go over to it */

    codec = ngx_webrtc_choice_codec(&layer->viewer, &layer->how);

    if (codec != NGX_WEBRTC_CODEC_NONE) {
        policy->alternatives |= (ngx_uint_t) 1 << codec;
    }
}


ngx_webrtc_variant_t
ngx_http_webrtc_layer_rendition(ngx_http_webrtc_loc_conf_t *wlcf,
    const ngx_webrtc_variant_t *rendition)
{
    ngx_webrtc_variant_t  how;

    /* what a rendition does not say is as the location has it */

    how = *rendition;
    how.codec = wlcf->policy.variant.codec;
    how.hw = wlcf->policy.variant.hw;
    how.deinterlace = wlcf->policy.variant.deinterlace;

    return how;
}


ngx_int_t
ngx_http_webrtc_layer_family(uint32_t location,
    ngx_webrtc_viewer_family_conf_t *conf)
{
    ngx_http_webrtc_loc_conf_t   *wlcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_webrtc_module);
    wlcf = ngx_http_webrtc_own_location(wmcf, location);

    if (wlcf == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(conf, sizeof(ngx_webrtc_viewer_family_conf_t));

    conf->base = &wlcf->policy.variant;

    if (wlcf->renditions) {
        conf->renditions = wlcf->renditions->elts;
        conf->n = wlcf->renditions->nelts;
    }

    return NGX_OK;
}


void
ngx_http_webrtc_layer_keep(ngx_http_webrtc_layer_t *layer, uint64_t until_ms)
{
    if (layer->st) {
        ngx_webrtc_bus_want(layer->st, until_ms);
    }
}


void
ngx_http_webrtc_layer_release(ngx_http_webrtc_layer_t *layer)
{
    ngx_webrtc_bus_t  *bus;

    if (layer->st == NULL || ngx_http_webrtc_worker == NULL) {
        return;
    }

    bus = ngx_http_webrtc_worker->bus;

    ngx_webrtc_bus_unwatch(bus, layer->st);
    ngx_webrtc_bus_release(bus, layer->st);

    layer->st = NULL;
}


/* RED, too, which is made for who loses packets, of any Opus */

ngx_uint_t
ngx_http_webrtc_layer_alternatives(ngx_http_webrtc_loc_conf_t *wlcf)
{
    uint8_t     *codec;
    ngx_uint_t   i, set;

    if (wlcf->pull && wlcf->pull->next == NULL) {
        return (ngx_uint_t) 1 << NGX_WEBRTC_CODEC_RED;
    }

    if (wlcf->codecs == NULL) {
        return ~(ngx_uint_t) 0;
    }

    codec = wlcf->codecs->elts;
    set = 0;

    for (i = 0; i < wlcf->codecs->nelts; i++) {
        set |= (ngx_uint_t) 1 << codec[i];
    }

    return set;
}
