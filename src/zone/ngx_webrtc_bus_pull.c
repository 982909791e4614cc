
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a stream is pulled, for whichever worker does it, and when its source may
 * start: see ngx_webrtc_bus.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_zone.h"


void
ngx_webrtc_bus_set_pull(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_pull_t *pull)
{
    ngx_shmtx_lock(&bus->shpool->mutex);

    /* "set" is written last and cleared first */

    ngx_webrtc_atomic_store(&st->pull.set, 0);
    ngx_webrtc_atomic_fence_release();

    pull->set = 0;
    st->pull = *pull;

    ngx_webrtc_atomic_store_release(&st->pull.set, 1);

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


ngx_int_t
ngx_webrtc_bus_pull(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_pull_t *pull)
{
    if (!ngx_webrtc_atomic_load_acquire(&st->pull.set)) {
        return NGX_DECLINED;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    *pull = st->pull;

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return pull->set ? NGX_OK : NGX_DECLINED;
}


void
ngx_webrtc_bus_source_started(ngx_webrtc_stream_t *st, ngx_uint_t ok,
    uint64_t now_ms, uint32_t min, uint32_t max)
{
    if (ok) {
        st->retry_pause = 0;
        ngx_webrtc_atomic_store(&st->retry_ms, 0);
        return;
    }

    st->retry_pause = ngx_min(ngx_max(st->retry_pause * 2, min), max);

    ngx_webrtc_atomic_store(&st->retry_ms, now_ms + st->retry_pause);
}


ngx_uint_t
ngx_webrtc_bus_source_rests(ngx_webrtc_stream_t *st, uint64_t now_ms)
{
    uint64_t  retry_ms;

    retry_ms = ngx_webrtc_atomic_load(&st->retry_ms);

    return retry_ms && (int64_t) (retry_ms - now_ms) > 0;
}
