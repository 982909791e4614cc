
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What goes wrong with an outlet: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_output_said.h"


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
