
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Recordings and the like in the status.
 */


#include "ngx_http_webrtc_outlets.h"
#include "ngx_webrtc_bus_outlet.h"
#include "ngx_webrtc_bus_pending.h"


/* of a stream that are shown; chosen: more than anybody configures */
#define NGX_HTTP_WEBRTC_OUTLETS      16

/* ms for which a source that is tried again keeps an outlet; chosen: as
 * publishers who reload */
#define NGX_HTTP_WEBRTC_OUTLETS_AWAY  10000

/* bytes of one, without its texts */
#define NGX_HTTP_WEBRTC_OUTLETS_ONE  384


static const char  *ngx_http_webrtc_outlets_kinds[NGX_WEBRTC_OUTLET_KINDS] = {
    "", "record", "push", "http", "hls"
};


static const char  *ngx_http_webrtc_outlets_states[
                                                 NGX_WEBRTC_OUTLET_STATES] = {
    "waiting", "starting", "active", "failed"
};


const char *
ngx_http_webrtc_outlets_kind(ngx_uint_t kind)
{
    return ngx_http_webrtc_outlets_kinds[kind % NGX_WEBRTC_OUTLET_KINDS];
}


void
ngx_http_webrtc_outlets_print(ngx_http_webrtc_text_t *t, uint64_t stream)
{
    u_char               *p, *end;
    uint64_t              age;
    ngx_uint_t            i, n;
    ngx_webrtc_outlet_t  *ol, outlets[NGX_HTTP_WEBRTC_OUTLETS];

    n = ngx_webrtc_bus_outlets(ngx_http_webrtc_worker->bus, stream, outlets,
                               NGX_HTTP_WEBRTC_OUTLETS);

    ngx_http_webrtc_text_string(t, ",\"outputs\":[");

    for (i = 0; i < n; i++) {
        ol = &outlets[i];

        /* an escaped byte takes up to six */

        p = ngx_http_webrtc_text_room(t, NGX_HTTP_WEBRTC_OUTLETS_ONE
                                         + 6 * (ol->text_len + ol->error_len),
                                      &end);
        if (p == NULL) {
            return;
        }

        age = (uint64_t) ngx_current_msec - ol->since_ms;

        if ((int64_t) age < 0) {
            age = 0;
        }

        p = ngx_slprintf(p, end, "%s{\"kind\":\"%s\",\"state\":\"%s\","
                         "\"since\":%T,\"to\":\"", i ? "," : "",
                         ngx_http_webrtc_outlets_kind(ol->kind),
                         ngx_http_webrtc_outlets_states[ol->state
                                                 % NGX_WEBRTC_OUTLET_STATES],
                         ngx_time() - (time_t) (age / 1000));
        p = ngx_http_webrtc_text_json(p, ol->text, ol->text_len);

        p = ngx_slprintf(p, end, "\",\"worker\":%P,\"bytes\":%uL,"
                         "\"media_ms\":%uL,\"starts\":%uL,\"left_out\":%uL,"
                         "\"clients\":%uD,\"last_error\":\"",
                         ngx_webrtc_bus_worker_pid(ngx_http_webrtc_worker->bus,
                                                   ol->worker),
                         ol->bytes, ol->media_ms, ol->files, ol->left_out,
                         ol->clients);
        p = ngx_http_webrtc_text_json(p, ol->error, ol->error_len);

        ngx_http_webrtc_text_add(t, ngx_slprintf(p, end, "\"}"));
    }

    ngx_http_webrtc_text_string(t, "]");
}


ngx_uint_t
ngx_http_webrtc_outlets_wanted(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_webrtc_stream_t *st)
{
    uint64_t  away;

    if (ngx_webrtc_bus_is_dropped(st)
        || (ngx_exiting
            && !ngx_webrtc_bus_is_mine(ngx_http_webrtc_worker->bus, st)))
    {
        return 0;
    }

    if (ngx_webrtc_bus_state(st) == NGX_WEBRTC_STREAM_ACTIVE) {
        return 1;
    }

    away = wlcf->publish ? wlcf->policy.linger : NGX_HTTP_WEBRTC_OUTLETS_AWAY;

    return ngx_webrtc_bus_state_age(st, ngx_current_msec) < away;
}
