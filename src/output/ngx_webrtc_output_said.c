
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What goes wrong with an outlet: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_output_said.h"


ngx_webrtc_outlet_t *
ngx_webrtc_output_said_take(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t kind, uint32_t id, const char *event, ngx_log_t *log)
{
    ngx_uint_t            full;
    ngx_webrtc_outlet_t  *outlet;

    outlet = ngx_webrtc_bus_outlet_take(bus, st, kind, id, &full);

    if (outlet == NULL && full) {
        ngx_webrtc_bus_complain(bus, st, NGX_LOG_ERR, log, event,
                                "no room for it in webrtc_zone");
    }

    return outlet;
}


void
ngx_webrtc_output_said(ngx_webrtc_output_said_t *said, ngx_str_t *text)
{
    uint32_t    hash;
    ngx_uint_t  level;

    hash = ngx_crc32_short(text->data, text->len);
    level = (hash == said->hash) ? NGX_LOG_INFO : NGX_LOG_ERR;

    ngx_log_error(level, said->log, 0, "webrtc %s failed reason:\"%V\"",
                  said->event, text);

    said->hash = hash;

    ngx_webrtc_bus_outlet_error(said->bus, said->outlet, text);
}
