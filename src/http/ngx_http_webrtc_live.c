
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Locations that answer a GET with something of their stream: what they have in
 * common with each other, and with those that accept offers.
 */


#include "ngx_http_webrtc_live.h"
#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_cors.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_pull.h"
#include "ngx_http_webrtc_reason.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_pending.h"


/* ms between warnings */
#define NGX_HTTP_WEBRTC_LIVE_SAID  60000


char *
ngx_http_webrtc_live_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_handler_pt handler)
{
    char                         *rv;
    ngx_http_webrtc_main_conf_t  *wmcf;

    if (wlcf->live) {
        return "is duplicate, or in a location with another of its kind";
    }

    if (wlcf->play || wlcf->publish) {
        return "is in a location with \"webrtc_play\" or \"webrtc_publish\"";
    }

    rv = ngx_http_webrtc_conf_stream_name(cf, wlcf, &wlcf->play, handler);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    wlcf->live = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_live_t));

    if (wlcf->live == NULL) {
        return NGX_CONF_ERROR;
    }

    wlcf->live->directive = (char *) cmd->name.data;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    wmcf->live = wlcf->live->directive;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_webrtc_live_begin(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_int_t                    rc;
    ngx_http_webrtc_note_t      *note;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_webrtc_cors_options(r);
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_webrtc_not_allowed(r, ngx_http_webrtc_methods(r));
    }

    if (ngx_http_webrtc_worker == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    note = ngx_http_webrtc_note(r);

    if (note == NULL || ngx_http_complex_value(r, wlcf->play, name) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (note->rename.len) {
        *name = note->rename;
    }

    if (!ngx_http_webrtc_reason_is_name(name)) {
        return ngx_http_webrtc_reason_no_name(r, name);
    }

    ngx_http_webrtc_note_stream(r, NGX_WEBRTC_PEER_PLAY, name);

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_live_stream(ngx_http_request_t *r, ngx_str_t *name,
    ngx_webrtc_stream_t **st)
{
    ngx_int_t                    rc;
    ngx_str_t                    detail;
    const char                  *cause;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_client_t          client;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->pull == NULL) {
        *st = ngx_webrtc_bus_stream(bus, name, wlcf->policy.buffer, 0);
        return NGX_OK;
    }

    ngx_http_webrtc_full_client(r, &client);

    *st = ngx_webrtc_bus_stream_for(bus, name, wlcf->policy.buffer, &client);

    if (*st == NULL) {
        return ngx_http_webrtc_full(r, bus->lack, NULL);
    }

    rc = ngx_http_webrtc_pull(r, wlcf->pull, *st, &cause);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "webrtc pull refused: %s", cause);

        detail.data = (u_char *) cause;
        detail.len = ngx_strlen(cause);

        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND,
                                       "no such stream", &detail);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* what is told and made of a stream is its location's */

    if (wlcf->live && ngx_webrtc_atomic_load(&(*st)->location) == 0) {
        ngx_webrtc_atomic_store(&(*st)->location, wlcf->location);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_live_none(ngx_http_request_t *r, ngx_str_t *name,
    ngx_webrtc_stream_t *st)
{
    ngx_str_t  detail;

    if (ngx_http_webrtc_reason(r, name, st, &detail) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (st == NULL) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such stream",
                                       &detail);
    }

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                   "the stream is not live", &detail);
}


ngx_int_t
ngx_http_webrtc_live_busy(ngx_http_request_t *r, ngx_str_t *detail)
{
    ngx_uint_t  level;

    static ngx_msec_t   said_ms;
    static ngx_uint_t   said;

    level = NGX_LOG_INFO;

    if (!said || ngx_current_msec - said_ms >= NGX_HTTP_WEBRTC_LIVE_SAID) {
        said = 1;
        said_ms = ngx_current_msec;
        level = NGX_LOG_WARN;
    }

    ngx_log_error(level, r->connection->log, 0, "webrtc refused: %V", detail);

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "the server is busy", detail);
}
