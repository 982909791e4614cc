
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The layers of a publisher's simulcast: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_bus_variant.h"


/* ms for which it holds, chosen: some calls may be late; and between two
 * stores, as all who look at the stream share its memory */
#define NGX_WEBRTC_BUS_LAYERS_CLIMB  5000
#define NGX_WEBRTC_BUS_LAYERS_STORE  500


void
ngx_webrtc_bus_set_layers(ngx_webrtc_stream_t *st,
    const ngx_webrtc_stream_layers_t *layers)
{
    uint64_t  version;

    version = ngx_webrtc_atomic_load(&st->layers_version) + 1;

    /* as in ngx_webrtc_bus_set_tracks() */

    ngx_webrtc_atomic_fence_release();

    st->layers[version & 1] = *layers;

    ngx_webrtc_atomic_store_release(&st->layers_version, version);
}


void
ngx_webrtc_bus_no_layers(ngx_webrtc_stream_t *st)
{
    ngx_webrtc_stream_layers_t  list;

    if (ngx_webrtc_bus_layers(st, &list) == 0 || list.n == 0) {
        return;
    }

    ngx_memzero(&list, sizeof(ngx_webrtc_stream_layers_t));

    ngx_webrtc_bus_set_layers(st, &list);
}


uint64_t
ngx_webrtc_bus_layers(ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_layers_t *layers)
{
    uint64_t  version;

    do {
        version = ngx_webrtc_atomic_load_acquire(&st->layers_version);

        if (layers == NULL) {
            return version;
        }

        *layers = st->layers[version & 1];

        ngx_webrtc_atomic_fence_acquire();

    } while (ngx_webrtc_atomic_load(&st->layers_version) != version);

    layers->n = ngx_min(layers->n, NGX_WEBRTC_STREAM_LAYERS);

    return version;
}


void
ngx_webrtc_bus_climb(ngx_webrtc_stream_t *st, uint64_t now_ms)
{
    int32_t  passed;

    /* another worker's clock may be ahead */

    passed = (int32_t) ((uint32_t) now_ms - ngx_webrtc_atomic_load(&st->climb));

    if (passed >= NGX_WEBRTC_BUS_LAYERS_STORE
        || passed < -NGX_WEBRTC_BUS_LAYERS_STORE)
    {
        ngx_webrtc_atomic_store(&st->climb, (uint32_t) now_ms);
    }
}


ngx_uint_t
ngx_webrtc_bus_climbs(ngx_webrtc_stream_t *st, uint64_t now_ms)
{
    int32_t   passed;
    uint32_t  climb;

    climb = ngx_webrtc_atomic_load(&st->climb);
    passed = (int32_t) ((uint32_t) now_ms - climb);

    return climb != 0
           && passed < NGX_WEBRTC_BUS_LAYERS_CLIMB
           && passed > -NGX_WEBRTC_BUS_LAYERS_CLIMB;
}


void
ngx_webrtc_bus_layer_key(const ngx_str_t *rid, ngx_webrtc_variant_t *variant)
{
    ngx_memzero(variant, sizeof(ngx_webrtc_variant_t));

    variant->hw = NGX_WEBRTC_VARIANT_PUBLISHED;
    variant->label_len = (uint8_t) ngx_min(rid->len, NGX_WEBRTC_VARIANT_LABEL);

    ngx_memcpy(variant->label, rid->data, variant->label_len);
}


ngx_webrtc_stream_t *
ngx_webrtc_bus_layer_open(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *parent,
    const ngx_str_t *rid)
{
    ngx_webrtc_stream_t   *st;
    ngx_webrtc_variant_t   variant;

    ngx_webrtc_bus_layer_key(rid, &variant);

    st = ngx_webrtc_bus_variant(bus, parent, &variant, 0,
                              (size_t) ngx_webrtc_atomic_load(
                                                           &parent->ring_size),
                              (size_t) ngx_webrtc_atomic_load(
                                                           &parent->ring_max));
    if (st == NULL) {
        return NULL;
    }

    if (ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_PUBLISH) != NGX_OK) {
        ngx_webrtc_bus_release(bus, st);
        return NULL;
    }

    ngx_webrtc_atomic_store_release(&st->holder,
                                    ngx_webrtc_atomic_load(&parent->holder));
    ngx_webrtc_atomic_store(&st->linger_ms,
                            ngx_webrtc_atomic_load(&parent->linger_ms));
    ngx_webrtc_atomic_add(&st->stat.starts, 1);

    return st;
}


void
ngx_webrtc_bus_layer_close(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_atomic_store_release(&st->holder, (uint64_t) 0);

    ngx_webrtc_bus_unclaim(bus, st);
    ngx_webrtc_bus_release(bus, st);
}
