
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The POST of "webrtc_status control": one thing per request, named by its
 * argument.  What is done to many sessions is done to so many per request, and
 * the answer says whether there are more.
 */


#include "ngx_http_webrtc_control.h"
#include "ngx_http_webrtc_push.h"
#include "ngx_http_webrtc_record.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_webrtc_bus_about.h"
#include "ngx_webrtc_bus_figures.h"


/* sessions that one request ends; chosen: some ms */
#define NGX_HTTP_WEBRTC_CONTROL_ENDS  200


typedef struct {
    const char                  *arg;
    ngx_int_t                  (*run)(ngx_http_request_t *r, ngx_str_t *value);
} ngx_http_webrtc_control_t;


/*
 * What begins and ends by order: "order" as ngx_http_webrtc_push_order(), and
 * what is said if there is none.
 */
typedef struct {
    const char                  *name;
    ngx_int_t                  (*order)(ngx_http_webrtc_main_conf_t *wmcf,
                                   ngx_webrtc_stream_t *st, ngx_uint_t target,
                                   ngx_uint_t on);
    const char                  *title;
    ngx_str_t                    detail;
} ngx_http_webrtc_control_outlet_t;


static ngx_int_t ngx_http_webrtc_control_origin(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_control_reconnect(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_control_end(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_control_end_stream(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_control_keyframe(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_control_record(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_control_record_stop(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_control_recording(ngx_http_request_t *r,
    ngx_str_t *value, ngx_uint_t on);
static ngx_int_t ngx_http_webrtc_control_push(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_control_push_stop(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_control_pushing(ngx_http_request_t *r,
    ngx_str_t *value, ngx_uint_t on);
static ngx_int_t ngx_http_webrtc_control_outlet(ngx_http_request_t *r,
    ngx_str_t *value, const ngx_http_webrtc_control_outlet_t *outlet,
    ngx_uint_t target, ngx_uint_t on);
static ngx_int_t ngx_http_webrtc_control_no_stream(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_control_drain(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_control_said(ngx_http_request_t *r,
    const char *name, ngx_uint_t n, ngx_uint_t more);


static const ngx_http_webrtc_control_t  ngx_http_webrtc_controls[] = {
    { "reconnect", ngx_http_webrtc_control_reconnect },
    { "end", ngx_http_webrtc_control_end },
    { "end_stream", ngx_http_webrtc_control_end_stream },
    { "keyframe", ngx_http_webrtc_control_keyframe },
    { "record", ngx_http_webrtc_control_record },
    { "record_stop", ngx_http_webrtc_control_record_stop },
    { "push", ngx_http_webrtc_control_push },
    { "push_stop", ngx_http_webrtc_control_push_stop },
    { "drain", ngx_http_webrtc_control_drain },
    { NULL, NULL }
};


static const ngx_http_webrtc_control_outlet_t
    ngx_http_webrtc_control_recordings =
{
    "record", ngx_http_webrtc_record_order, "not recorded",
    ngx_string("no \"webrtc_record\" is for the stream")
};


static const ngx_http_webrtc_control_outlet_t  ngx_http_webrtc_control_pushes =
{
    "push", ngx_http_webrtc_push_order, "not pushed",
    ngx_string("no such \"webrtc_push\" is for the stream")
};


ngx_int_t
ngx_http_webrtc_control(ngx_http_request_t *r)
{
    ngx_int_t                         rc;
    ngx_str_t                         value, detail;
    const ngx_http_webrtc_control_t  *c;

    rc = ngx_http_webrtc_control_origin(r);

    if (rc != NGX_OK) {
        return rc;
    }

    for (c = ngx_http_webrtc_controls; c->arg; c++) {

        rc = ngx_http_webrtc_control_arg(r, c->arg, &value);

        if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (rc == NGX_OK && value.len) {
            return c->run(r, &value);
        }
    }

    ngx_str_set(&detail, "expected ?reconnect=<stream>, ?end=<session>, "
                         "?end_stream=<stream>, ?keyframe=<stream>, "
                         "?record=<stream>, ?record_stop=<stream>, "
                         "?push=<stream>, ?push_stop=<stream> or "
                         "?drain=on|off");

    return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                   "nothing that can be done", &detail);
}


/*
 * Refuses a page of another site opened by an authorized user.  NGX_OK;
 * otherwise a result as in ngx_http_webrtc_resource.h
 */

static ngx_int_t
ngx_http_webrtc_control_origin(ngx_http_request_t *r)
{
    ngx_str_t                    detail, *origin;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    origin = ngx_http_webrtc_request_header(r, "origin");

    if (origin == NULL
        || (origin->len == wlcf->cors_origin.len
            && ngx_strncmp(origin->data, wlcf->cors_origin.data, origin->len)
               == 0))
    {
        return NGX_OK;
    }

    ngx_str_set(&detail, "expected an Origin as in webrtc_cors_origin, "
                         "or none");

    return ngx_http_webrtc_problem(r, NGX_HTTP_FORBIDDEN,
                                   "a script of another site", &detail);
}


ngx_int_t
ngx_http_webrtc_control_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    u_char     *dst, *src;
    ngx_str_t   arg;

    ngx_str_null(value);

    if (ngx_http_webrtc_arg(r, name, &arg) != NGX_OK) {
        return NGX_DECLINED;
    }

    value->data = ngx_pnalloc(r->pool, arg.len + 1);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    dst = value->data;
    src = arg.data;

    ngx_unescape_uri(&dst, &src, arg.len, 0);

    value->len = dst - value->data;

    return NGX_OK;
}


/* answers {"reconnect":n}: n viewers, with or without an event stream */

static ngx_int_t
ngx_http_webrtc_control_reconnect(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_uint_t                cursor, n, look;
    ngx_webrtc_bus_t         *bus;
    ngx_webrtc_peer_t        *copy, *peer;
    ngx_webrtc_peer_info_t    info;
    ngx_webrtc_peer_about_t   about;

    copy = ngx_palloc(r->pool, sizeof(ngx_webrtc_peer_t));
    if (copy == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    bus = ngx_http_webrtc_worker->bus;
    n = 0;
    cursor = 0;
    look = NGX_MAX_INT_T_VALUE;

    while (ngx_webrtc_peers_list(bus, &cursor, value, &look, copy, &about,
                                 &info)
           == NGX_OK)
    {
        if (copy->role != NGX_WEBRTC_PEER_PLAY) {
            continue;
        }

        peer = ngx_webrtc_peers_lock(bus, info.ref);
        if (peer == NULL) {
            continue;
        }

        peer->reconnect++;
        ngx_webrtc_peers_unlock(bus);

        ngx_webrtc_peers_touch(bus, info.ref);
        n++;
    }

    return ngx_http_webrtc_control_said(r, "reconnect", n, 0);
}


/* answers {"ended":1} */

static ngx_int_t
ngx_http_webrtc_control_end(ngx_http_request_t *r, ngx_str_t *value)
{
    uint64_t   ref;
    ngx_str_t  detail;

    if (ngx_webrtc_peers_find_public(ngx_http_webrtc_worker->bus, value, &ref)
        == NGX_OK
        && ngx_webrtc_worker_end(ngx_http_webrtc_worker, ref,
                                 NGX_WEBRTC_WHY_OPERATOR)
           != NGX_DECLINED)
    {
        return ngx_http_webrtc_control_said(r, "ended", 1, 0);
    }

    ngx_str_set(&detail, "expected the id of a session, as the status has it");

    return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such session",
                                   &detail);
}


/* answers {"ended":n}, with "more":true if it has to be asked again */

static ngx_int_t
ngx_http_webrtc_control_end_stream(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_int_t                 rc;
    ngx_uint_t                cursor, n, look;
    ngx_webrtc_bus_t         *bus;
    ngx_webrtc_peer_t        *copy;
    ngx_webrtc_peer_info_t    info;
    ngx_webrtc_peer_about_t   about;

    copy = ngx_palloc(r->pool, sizeof(ngx_webrtc_peer_t));
    if (copy == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    bus = ngx_http_webrtc_worker->bus;
    n = 0;
    cursor = 0;
    look = NGX_MAX_INT_T_VALUE;

    for ( ;; ) {
        rc = ngx_webrtc_peers_list(bus, &cursor, value, &look, copy, &about,
                                   &info);

        if (rc != NGX_OK || n == NGX_HTTP_WEBRTC_CONTROL_ENDS) {
            break;
        }

        if (ngx_webrtc_worker_end(ngx_http_webrtc_worker, info.ref,
                                  NGX_WEBRTC_WHY_OPERATOR)
            != NGX_DECLINED)
        {
            n++;
        }
    }

    return ngx_http_webrtc_control_said(r, "ended", n, rc == NGX_OK);
}


/* answers {"keyframe":1} when the publisher is being asked */

static ngx_int_t
ngx_http_webrtc_control_keyframe(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_int_t             rc;
    ngx_str_t             detail;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st;

    bus = ngx_http_webrtc_worker->bus;

    st = ngx_webrtc_bus_stream(bus, value, NGX_WEBRTC_RING_MIN_SIZE, 0);

    if (st == NULL) {
        return ngx_http_webrtc_control_no_stream(r);
    }

    rc = ngx_webrtc_bus_keyframe(bus, st);

    ngx_webrtc_bus_release(bus, st);

    if (rc != NGX_OK) {
        ngx_str_set(&detail, "nobody publishes the stream: what is pulled "
                             "cannot be asked for a key frame");
        return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                       "no publisher", &detail);
    }

    return ngx_http_webrtc_control_said(r, "keyframe", 1, 0);
}


/* answers {"record":1} or 0 */

static ngx_int_t
ngx_http_webrtc_control_record(ngx_http_request_t *r, ngx_str_t *value)
{
    return ngx_http_webrtc_control_recording(r, value, 1);
}


static ngx_int_t
ngx_http_webrtc_control_record_stop(ngx_http_request_t *r, ngx_str_t *value)
{
    return ngx_http_webrtc_control_recording(r, value, 0);
}


static ngx_int_t
ngx_http_webrtc_control_recording(ngx_http_request_t *r, ngx_str_t *value,
    ngx_uint_t on)
{
    return ngx_http_webrtc_control_outlet(r, value,
                                          &ngx_http_webrtc_control_recordings,
                                          0, on);
}


/* answers {"push":1} or 0 */

static ngx_int_t
ngx_http_webrtc_control_push(ngx_http_request_t *r, ngx_str_t *value)
{
    return ngx_http_webrtc_control_pushing(r, value, 1);
}


static ngx_int_t
ngx_http_webrtc_control_push_stop(ngx_http_request_t *r, ngx_str_t *value)
{
    return ngx_http_webrtc_control_pushing(r, value, 0);
}


/* "target=" says which one, by its place; without it: all */

static ngx_int_t
ngx_http_webrtc_control_pushing(ngx_http_request_t *r, ngx_str_t *value,
    ngx_uint_t on)
{
    ngx_int_t  target;
    ngx_str_t  detail, arg;

    target = 0;

    if (ngx_http_webrtc_arg(r, "target", &arg) == NGX_OK) {
        target = ngx_atoi(arg.data, arg.len);

        if (target < 1) {
            ngx_str_set(&detail, "expected the place of a \"webrtc_push\" of "
                                 "the stream, from 1");
            return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                           "no such target", &detail);
        }
    }

    return ngx_http_webrtc_control_outlet(r, value,
                                          &ngx_http_webrtc_control_pushes,
                                          (ngx_uint_t) target, on);
}


static ngx_int_t
ngx_http_webrtc_control_outlet(ngx_http_request_t *r, ngx_str_t *value,
    const ngx_http_webrtc_control_outlet_t *outlet, ngx_uint_t target,
    ngx_uint_t on)
{
    ngx_int_t                     rc;
    ngx_str_t                     detail;
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_stream_t          *st;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);
    bus = ngx_http_webrtc_worker->bus;

    st = ngx_webrtc_bus_stream(bus, value, NGX_WEBRTC_RING_MIN_SIZE, 0);

    if (st == NULL) {
        return ngx_http_webrtc_control_no_stream(r);
    }

    rc = outlet->order(wmcf, st, target, on);

    ngx_webrtc_bus_release(bus, st);

    if (rc != NGX_OK) {
        detail = outlet->detail;
        return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT, outlet->title,
                                       &detail);
    }

    return ngx_http_webrtc_control_said(r, outlet->name, on, 0);
}


static ngx_int_t
ngx_http_webrtc_control_no_stream(ngx_http_request_t *r)
{
    ngx_str_t  detail;

    ngx_str_set(&detail, "expected the name of a stream");

    return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such stream",
                                   &detail);
}


/* answers {"drain":1} or 0 */

static ngx_int_t
ngx_http_webrtc_control_drain(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_str_t   detail;
    ngx_uint_t  on;

    on = (value->len == 2 && ngx_memcmp(value->data, "on", 2) == 0);

    if (!on && (value->len != 3 || ngx_memcmp(value->data, "off", 3) != 0)) {
        ngx_str_set(&detail, "expected ?drain=on or ?drain=off");
        return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                       "nothing that can be done", &detail);
    }

    ngx_webrtc_bus_drain(ngx_http_webrtc_worker->bus, on);

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "webrtc new sessions are %s", on ? "refused" : "taken");

    return ngx_http_webrtc_control_said(r, "drain", on, 0);
}


static ngx_int_t
ngx_http_webrtc_control_said(ngx_http_request_t *r, const char *name,
    ngx_uint_t n, ngx_uint_t more)
{
    size_t     len;
    ngx_str_t  body;

    len = sizeof("{\"\":,\"more\":true}\n") + ngx_strlen(name) + NGX_INT_T_LEN;

    body.data = ngx_pnalloc(r->pool, len);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.len = ngx_snprintf(body.data, len, "{\"%s\":%ui%s}\n", name, n,
                            more ? ",\"more\":true" : "")
               - body.data;

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, &ngx_http_webrtc_json_type,
                                  &body);
}
