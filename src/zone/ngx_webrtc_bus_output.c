
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Who gives a stream's media to a command.  The word names worker and
 * generation, as a claim does; ngx_webrtc_bus_streams.c frees what a dead
 * worker had.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_bus_output.h"
#include "ngx_webrtc_bus_zone.h"


/* any kind but 0, so that the word is never 0 */
#define NGX_WEBRTC_BUS_OUTPUT  1


ngx_int_t
ngx_webrtc_bus_output_claim(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    uint64_t  mine;

    mine = ngx_webrtc_claim_word(NGX_WEBRTC_BUS_OUTPUT, bus->worker,
                                 bus->generation);

    return (ngx_webrtc_atomic_load(&st->output) == mine
            || ngx_webrtc_atomic_cas(&st->output, 0, mine))
           ? NGX_OK : NGX_BUSY;
}


void
ngx_webrtc_bus_output_unclaim(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    uint64_t  mine;

    mine = ngx_webrtc_claim_word(NGX_WEBRTC_BUS_OUTPUT, bus->worker,
                                 bus->generation);

    (void) ngx_webrtc_atomic_cas(&st->output, mine, 0);
}
