
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sessions that were answered and never sent a check.
 */


#include "ngx_webrtc_bus_unheard.h"
#include "ngx_webrtc_bus_atomic.h"
#include "ngx_webrtc_bus_zone.h"


/* ms between two lines of one kind; chosen */
#define NGX_WEBRTC_BUS_UNHEARD_SAY  60000


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
    uint64_t  said;

    said = ngx_webrtc_atomic_load(&bus->sh->unheard_said[which]);

    /* that of another worker may be ahead of our clock */

    if (said && (int64_t) (now_ms - said) < NGX_WEBRTC_BUS_UNHEARD_SAY) {
        return 0;
    }

    return ngx_webrtc_atomic_cas(&bus->sh->unheard_said[which], said, now_ms);
}
