
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What has been logged already: hashes, each with the time of its last line.
 * The oldest one is replaced.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_said.h"


ngx_uint_t
ngx_webrtc_bus_said(ngx_webrtc_bus_t *bus, ngx_str_t *text, uint64_t now_ms)
{
    uint64_t            hash;
    ngx_uint_t          i, say;
    ngx_webrtc_said_t  *said, *oldest;

    /* a collision, even one made on purpose, only costs a line of the log */

    hash = ngx_crc32_long(text->data, text->len);

    ngx_shmtx_lock(&bus->shpool->mutex);

    said = bus->sh->said;
    oldest = &said[0];

    for (i = 0; i < NGX_WEBRTC_SAIDS; i++) {

        if (said[i].said && said[i].hash == hash) {
            oldest = &said[i];
            break;
        }

        if (said[i].said < oldest->said) {
            oldest = &said[i];
        }
    }

    if (i == NGX_WEBRTC_SAIDS) {
        oldest->said = 0;
        oldest->hash = hash;
    }

    say = ngx_webrtc_bus_say(&oldest->said, now_ms);

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return say;
}
