
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sessions that were answered and never sent a check.
 */


#include "ngx_webrtc_bus_unheard.h"
#include "ngx_webrtc_atomic.h"
#include "ngx_webrtc_bus_zone.h"


ngx_uint_t
ngx_webrtc_bus_unheard(ngx_webrtc_bus_t *bus)
{
    ngx_webrtc_atomic_add(&bus->sh->unheard, 1);

    /* two workers at a time may get one number, which does no harm */

    ngx_webrtc_atomic_add(&bus->sh->unheard_row, 1);

    return ngx_webrtc_atomic_load(&bus->sh->unheard_row);
}


void
ngx_webrtc_bus_heard(ngx_webrtc_bus_t *bus)
{
    if (ngx_webrtc_atomic_load(&bus->sh->unheard_row)) {
        ngx_webrtc_atomic_store(&bus->sh->unheard_row, (uint64_t) 0);
    }
}


uint64_t
ngx_webrtc_bus_unheard_total(ngx_webrtc_bus_t *bus)
{
    return ngx_webrtc_atomic_load(&bus->sh->unheard);
}


ngx_uint_t
ngx_webrtc_bus_unheard_say(ngx_webrtc_bus_t *bus, ngx_uint_t which,
    uint64_t now_ms)
{
    return ngx_webrtc_bus_say(&bus->sh->unheard_said[which], now_ms);
}
