
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Tells of a publisher's layers in the stream.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest_list.h"
#include "ngx_webrtc_ingest_depth.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_layers.h"


static void ngx_webrtc_ingest_list_inside(ngx_webrtc_ingest_t *in,
    uint64_t now_us);


void
ngx_webrtc_ingest_list(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    uint64_t                     rate;
    ngx_uint_t                   i;
    ngx_webrtc_ingest_layer_t   *l, *top;
    ngx_webrtc_stream_layer_t   *e;
    ngx_webrtc_stream_layers_t   list;

    in->listed_us = now_us;

    if (in->nlayers == 0) {
        ngx_webrtc_ingest_list_inside(in, now_us);
        return;
    }

    top = in->out.from ? in->out.from->layer : NULL;

    ngx_memzero(&list, sizeof(ngx_webrtc_stream_layers_t));

    for (i = 0; i < in->nlayers; i++) {
        l = &in->layers[i];
        e = &list.layers[list.n++];

        e->rid_len = (uint8_t) l->rid.len;
        ngx_memcpy(e->rid, l->rid.data, l->rid.len);

        /* also of one that has stopped */

        e->width = l->t->depay.track.width;
        e->height = l->t->depay.track.height;
        e->limit = (uint32_t) in->limits[i].max;

        if (in->limits[i].out) {
            e->over = 1;
            rate = ngx_webrtc_limit_rate(&in->limits[i], now_us);
            e->bitrate = (uint32_t) ngx_min(rate, NGX_WEBRTC_VARIANT_BIT_MOST);
            continue;
        }

        if (!l->live) {
            continue;
        }

        e->top = (l == top);
        e->ref = l->out.st ? l->out.st->ref : 0;

        rate = (l == top) ? ngx_webrtc_bus_bitrate(in->st)
               : l->out.st ? ngx_webrtc_bus_bitrate(l->out.st) : 0;

        e->bitrate = (uint32_t) ngx_min(rate, NGX_WEBRTC_VARIANT_BIT_MOST);

        ngx_webrtc_ingest_depth_turn(l->t, now_us);

        if (l->t->depay.layered) {
            e->sid = NGX_WEBRTC_LAYER_MOST - 1;
            ngx_webrtc_ingest_depth_fill(l->t, e);
            e->sid = 0;
        }
    }

    ngx_webrtc_bus_set_layers(in->st, &list);
}


/* without simulcast: the spatial layers of its only encoding, or that one */

static void
ngx_webrtc_ingest_list_inside(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    uint64_t                     rate;
    ngx_uint_t                   i, n, all;
    ngx_webrtc_ingest_track_t   *t;
    ngx_webrtc_stream_layer_t   *e;
    ngx_webrtc_stream_layers_t   list;

    t = in->out.from;

    if (t) {
        ngx_webrtc_ingest_depth_turn(t, now_us);
    }

    if (t == NULL || !ngx_webrtc_ingest_depth_any(t, now_us)) {
        ngx_webrtc_bus_no_layers(in->st);
        return;
    }

    ngx_memzero(&list, sizeof(ngx_webrtc_stream_layers_t));

    rate = ngx_webrtc_bus_bitrate(in->st);

    all = ngx_max(t->depay.sids, 1);
    all = ngx_min(all, NGX_WEBRTC_STREAM_LAYERS);
    n = ngx_min(all, (ngx_uint_t) t->most + 1);

    for (i = all; i > 0; i--) {
        e = &list.layers[list.n++];

        e->sid = (uint8_t) (i - 1);
        e->top = (i == n);
        e->width = (uint16_t) (t->depay.track.width >> (all - i));
        e->height = (uint16_t) (t->depay.track.height >> (all - i));
        e->limit = (all > 1) ? (uint32_t) in->limits[i - 1].max : 0;

        if (i > n) {
            e->over = 1;
            e->bitrate = (uint32_t) ngx_min(
                           ngx_webrtc_limit_rate(&in->limits[i - 1], now_us),
                           NGX_WEBRTC_VARIANT_BIT_MOST);
            continue;
        }

        e->bitrate = (uint32_t) ngx_min(rate, NGX_WEBRTC_VARIANT_BIT_MOST);

        ngx_webrtc_ingest_depth_fill(t, e);
    }

    ngx_webrtc_bus_set_layers(in->st, &list);
}
