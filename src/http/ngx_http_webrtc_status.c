
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_status": what there is, as JSON.  docs/status.md describes it.
 * Session ids are not shown, as anyone who knows one can end the session.
 *
 * No answer takes long: it lists so many streams and sessions at most, and says
 * where the next one has to go on.  With "control", POST does something
 * (ngx_http_webrtc_control.c).
 */


#include "ngx_http_webrtc_status.h"
#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_control.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_status_print.h"


/* streams and sessions of one answer; chosen: 2 ms */
#define NGX_HTTP_WEBRTC_STATUS_LIMIT  500

/* slots that are looked at for it; chosen: 2 ms if none is of that stream */
#define NGX_HTTP_WEBRTC_STATUS_LOOK   16384


/* parts of an answer */
#define NGX_HTTP_WEBRTC_STATUS_SUMS      0x01
#define NGX_HTTP_WEBRTC_STATUS_SERVER    0x02
#define NGX_HTTP_WEBRTC_STATUS_ZONE      0x04
#define NGX_HTTP_WEBRTC_STATUS_WORKERS   0x08
#define NGX_HTTP_WEBRTC_STATUS_ERRORS    0x10
#define NGX_HTTP_WEBRTC_STATUS_STREAMS   0x20
#define NGX_HTTP_WEBRTC_STATUS_SESSIONS  0x40

/* without an argument */
#define NGX_HTTP_WEBRTC_STATUS_ALL       0x3f


typedef struct {
    ngx_uint_t                   parts;
    ngx_uint_t                   limit;
    ngx_uint_t                   streams_after;
    ngx_uint_t                   sessions_after;
    ngx_str_t                    stream;      /* data NULL: all */
    ngx_str_t                    session;     /* likewise */
} ngx_http_webrtc_status_query_t;


static ngx_int_t ngx_http_webrtc_status_dispatch(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_status_show(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_status_query(ngx_http_request_t *r,
    ngx_http_webrtc_status_query_t *q);
static ngx_int_t ngx_http_webrtc_status_number(ngx_http_request_t *r,
    const char *name, ngx_uint_t *n);
static ngx_int_t ngx_http_webrtc_status_parts(ngx_str_t *value,
    ngx_uint_t *parts);
static ngx_int_t ngx_http_webrtc_status_refuse(ngx_http_request_t *r,
    const char *expected);
static void ngx_http_webrtc_status_streams(ngx_http_webrtc_text_t *t,
    ngx_http_webrtc_status_query_t *q);
static ngx_array_t *ngx_http_webrtc_status_variants(ngx_http_request_t *r,
    ngx_http_webrtc_status_query_t *q, ngx_webrtc_stream_info_t *info);
static ngx_uint_t ngx_http_webrtc_status_is_wanted(
    ngx_http_webrtc_status_query_t *q, ngx_webrtc_stream_info_t *info);
static void ngx_http_webrtc_status_sessions(ngx_http_webrtc_text_t *t,
    ngx_http_webrtc_status_query_t *q);
static void ngx_http_webrtc_status_next(ngx_http_webrtc_text_t *t,
    const char *name, ngx_uint_t cursor);


static ngx_str_t  ngx_http_webrtc_status_methods = ngx_string("GET, HEAD");

static ngx_str_t  ngx_http_webrtc_status_control_methods =
    ngx_string("GET, HEAD, POST");


/* values of ?part= */
static ngx_conf_enum_t  ngx_http_webrtc_status_names[] = {
    { ngx_string("sums"), NGX_HTTP_WEBRTC_STATUS_SUMS },
    { ngx_string("server"), NGX_HTTP_WEBRTC_STATUS_SERVER },
    { ngx_string("zone"), NGX_HTTP_WEBRTC_STATUS_ZONE },
    { ngx_string("workers"), NGX_HTTP_WEBRTC_STATUS_WORKERS },
    { ngx_string("errors"), NGX_HTTP_WEBRTC_STATUS_ERRORS },
    { ngx_string("streams"), NGX_HTTP_WEBRTC_STATUS_STREAMS },
    { ngx_string("sessions"), NGX_HTTP_WEBRTC_STATUS_SESSIONS },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_http_webrtc_status_handler(ngx_http_request_t *r)
{
    return ngx_http_webrtc_result(ngx_http_webrtc_status_dispatch(r));
}


static ngx_int_t
ngx_http_webrtc_status_dispatch(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
        && !(r->method == NGX_HTTP_POST && wlcf->status_control))
    {
        return ngx_http_webrtc_not_allowed(r, wlcf->status_control
                                    ? &ngx_http_webrtc_status_control_methods
                                    : &ngx_http_webrtc_status_methods);
    }

    if (ngx_http_webrtc_worker == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (r->method == NGX_HTTP_POST) {
        return ngx_http_webrtc_control(r);
    }

    return ngx_http_webrtc_status_show(r);
}


static ngx_int_t
ngx_http_webrtc_status_show(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_http_webrtc_text_t          t;
    ngx_http_webrtc_status_query_t  q;

    rc = ngx_http_webrtc_status_query(r, &q);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(&t, sizeof(ngx_http_webrtc_text_t));
    t.request = r;

    ngx_http_webrtc_text_string(&t, "{\"version\":1");

    if (q.parts & NGX_HTTP_WEBRTC_STATUS_SUMS) {
        ngx_http_webrtc_status_print_sums(&t);
    }

    if (q.parts & NGX_HTTP_WEBRTC_STATUS_SERVER) {
        ngx_http_webrtc_status_print_server(&t);
    }

    if (q.parts & NGX_HTTP_WEBRTC_STATUS_ZONE) {
        ngx_http_webrtc_status_print_zone(&t);
    }

    if (q.parts & NGX_HTTP_WEBRTC_STATUS_WORKERS) {
        ngx_http_webrtc_status_print_workers(&t);
    }

    if (q.parts & NGX_HTTP_WEBRTC_STATUS_ERRORS) {
        ngx_http_webrtc_status_print_errors(&t);
    }

    if (q.parts & NGX_HTTP_WEBRTC_STATUS_STREAMS) {
        ngx_http_webrtc_status_streams(&t, &q);
    }

    if (q.parts & NGX_HTTP_WEBRTC_STATUS_SESSIONS) {
        ngx_http_webrtc_status_sessions(&t, &q);
    }

    ngx_http_webrtc_text_string(&t, "}\n");

    return ngx_http_webrtc_text_send(&t, &ngx_http_webrtc_json_type);
}


/* NGX_OK; otherwise a result as in ngx_http_webrtc_resource.h */

static ngx_int_t
ngx_http_webrtc_status_query(ngx_http_request_t *r,
    ngx_http_webrtc_status_query_t *q)
{
    ngx_str_t  value;

    ngx_memzero(q, sizeof(ngx_http_webrtc_status_query_t));

    q->parts = NGX_HTTP_WEBRTC_STATUS_ALL;
    q->limit = NGX_HTTP_WEBRTC_STATUS_LIMIT;

    if (ngx_http_webrtc_status_number(r, "limit", &q->limit) != NGX_OK
        || q->limit == 0 || q->limit > NGX_HTTP_WEBRTC_STATUS_LIMIT)
    {
        return ngx_http_webrtc_status_refuse(r, "limit= from 1 to 500");
    }

    if (ngx_http_webrtc_status_number(r, "streams_after", &q->streams_after)
        != NGX_OK
        || ngx_http_webrtc_status_number(r, "sessions_after",
                                         &q->sessions_after)
           != NGX_OK)
    {
        return ngx_http_webrtc_status_refuse(r, "streams_after= and "
                                "sessions_after= with a number of streams_next "
                                "or sessions_next");
    }

    if (ngx_http_webrtc_control_arg(r, "stream", &q->stream) == NGX_ERROR
        || ngx_http_webrtc_control_arg(r, "session", &q->session) == NGX_ERROR)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (q->session.data) {
        q->parts = NGX_HTTP_WEBRTC_STATUS_SESSIONS;

    } else if (q->stream.data) {
        q->parts = NGX_HTTP_WEBRTC_STATUS_STREAMS
                   |NGX_HTTP_WEBRTC_STATUS_SESSIONS;
    }

    if (ngx_http_webrtc_arg(r, "part", &value) == NGX_OK
        && ngx_http_webrtc_status_parts(&value, &q->parts) != NGX_OK)
    {
        return ngx_http_webrtc_status_refuse(r, "part= with some of sums, "
                                "server, zone, workers, errors, streams and "
                                "sessions, with commas between them");
    }

    if (ngx_http_webrtc_arg(r, "sessions", &value) == NGX_OK) {
        q->parts |= NGX_HTTP_WEBRTC_STATUS_SESSIONS;
    }

    return NGX_OK;
}


/* NGX_OK: *n is set, or unchanged when there is no such argument */

static ngx_int_t
ngx_http_webrtc_status_number(ngx_http_request_t *r, const char *name,
    ngx_uint_t *n)
{
    ngx_int_t  value;
    ngx_str_t  arg;

    if (ngx_http_webrtc_arg(r, name, &arg) != NGX_OK) {
        return NGX_OK;
    }

    value = ngx_atoi(arg.data, arg.len);

    if (value == NGX_ERROR) {
        return NGX_DECLINED;
    }

    *n = value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_status_parts(ngx_str_t *value, ngx_uint_t *parts)
{
    u_char           *p, *end, *start;
    ngx_conf_enum_t  *e;

    *parts = 0;

    p = value->data;
    end = p + value->len;

    for ( ;; ) {
        start = p;

        while (p < end && *p != ',') {
            p++;
        }

        for (e = ngx_http_webrtc_status_names; e->name.len; e++) {
            if (e->name.len == (size_t) (p - start)
                && ngx_memcmp(e->name.data, start, e->name.len) == 0)
            {
                break;
            }
        }

        if (e->name.len == 0) {
            return NGX_DECLINED;
        }

        *parts |= e->value;

        if (p++ == end) {
            return NGX_OK;
        }
    }
}


static ngx_int_t
ngx_http_webrtc_status_refuse(ngx_http_request_t *r, const char *expected)
{
    ngx_str_t  detail;

    detail.len = sizeof("expected ") - 1 + ngx_strlen(expected);
    detail.data = ngx_pnalloc(r->pool, detail.len);

    if (detail.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_sprintf(detail.data, "expected %s", expected);

    return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                   "an argument that is not understood",
                                   &detail);
}


static void
ngx_http_webrtc_status_streams(ngx_http_webrtc_text_t *t,
    ngx_http_webrtc_status_query_t *q)
{
    ngx_int_t                  rc;
    ngx_uint_t                 cursor, n;
    const char                *before;
    ngx_array_t               *variants;
    ngx_webrtc_stream_info_t  *info;

    info = ngx_palloc(t->request->pool, sizeof(ngx_webrtc_stream_info_t));
    variants = info ? ngx_http_webrtc_status_variants(t->request, q, info)
                    : NULL;

    if (variants == NULL) {
        t->failed = 1;
        return;
    }

    before = "";
    cursor = q->streams_after;
    rc = NGX_OK;

    ngx_http_webrtc_text_string(t, ",\"streams\":[");

    for (n = 0; n < q->limit; /* void */ ) {

        rc = ngx_webrtc_bus_next(ngx_http_webrtc_worker->bus, &cursor, info);

        if (rc != NGX_OK) {
            break;
        }

        if (info->parent || !ngx_http_webrtc_status_is_wanted(q, info)) {
            continue;
        }

        ngx_http_webrtc_status_print_stream(t, before, info, variants);
        before = ",";
        n++;
    }

    ngx_http_webrtc_text_string(t, "]");

    if (rc == NGX_OK) {
        ngx_http_webrtc_status_next(t, "streams_next", cursor);
    }
}


/* those of all streams, as many as are listed; NULL: out of memory */

static ngx_array_t *
ngx_http_webrtc_status_variants(ngx_http_request_t *r,
    ngx_http_webrtc_status_query_t *q, ngx_webrtc_stream_info_t *info)
{
    ngx_uint_t                  cursor;
    ngx_array_t                *variants;
    ngx_webrtc_stream_info_t   *variant;

    variants = ngx_array_create(r->pool, 1, sizeof(ngx_webrtc_stream_info_t));
    if (variants == NULL) {
        return NULL;
    }

    cursor = 0;

    while (variants->nelts < NGX_HTTP_WEBRTC_STATUS_LIMIT
           && ngx_webrtc_bus_next(ngx_http_webrtc_worker->bus, &cursor, info)
              == NGX_OK)
    {
        /* a variant has its parent's name */

        if (info->parent == 0 || !ngx_http_webrtc_status_is_wanted(q, info)) {
            continue;
        }

        variant = ngx_array_push(variants);
        if (variant == NULL) {
            return NULL;
        }

        *variant = *info;
    }

    return variants;
}


static ngx_uint_t
ngx_http_webrtc_status_is_wanted(ngx_http_webrtc_status_query_t *q,
    ngx_webrtc_stream_info_t *info)
{
    return q->stream.data == NULL
           || (info->name_len == q->stream.len
               && ngx_memcmp(info->name, q->stream.data, q->stream.len) == 0);
}


static void
ngx_http_webrtc_status_sessions(ngx_http_webrtc_text_t *t,
    ngx_http_webrtc_status_query_t *q)
{
    uint64_t                  ref;
    ngx_int_t                 rc;
    ngx_uint_t                n, cursor, look;
    const char               *before;
    ngx_webrtc_bus_t         *bus;
    ngx_webrtc_peer_t        *peer;
    ngx_webrtc_peer_about_t   about;
    ngx_webrtc_peer_info_t    info;

    bus = ngx_http_webrtc_worker->bus;

    peer = ngx_palloc(t->request->pool, sizeof(ngx_webrtc_peer_t));
    if (peer == NULL) {
        t->failed = 1;
        return;
    }

    ngx_http_webrtc_text_string(t, ",\"session_list\":[");

    if (q->session.data) {

        if (ngx_webrtc_peers_find_public(bus, &q->session, &ref) == NGX_OK
            && ngx_webrtc_peers_about(bus, ref, peer, &about, &info) == NGX_OK)
        {
            ngx_http_webrtc_status_print_session(t, "", peer, &about, &info);
        }

        ngx_http_webrtc_text_string(t, "]");
        return;
    }

    before = "";
    cursor = q->sessions_after;
    look = NGX_HTTP_WEBRTC_STATUS_LOOK;
    rc = NGX_OK;

    for (n = 0; n < q->limit; n++) {

        rc = ngx_webrtc_peers_list(bus, &cursor,
                                   q->stream.data ? &q->stream : NULL, &look,
                                   peer, &about, &info);

        if (rc != NGX_OK) {
            break;
        }

        ngx_http_webrtc_status_print_session(t, before, peer, &about, &info);
        before = ",";
    }

    ngx_http_webrtc_text_string(t, "]");

    if (rc != NGX_DONE) {
        ngx_http_webrtc_status_next(t, "sessions_next", cursor);
    }
}


static void
ngx_http_webrtc_status_next(ngx_http_webrtc_text_t *t, const char *name,
    ngx_uint_t cursor)
{
    u_char  *p, *end;

    p = ngx_http_webrtc_text_room(t, 64 + NGX_INT_T_LEN, &end);

    if (p) {
        p = ngx_slprintf(p, end, ",\"%s\":%ui", name, cursor);
        ngx_http_webrtc_text_add(t, p);
    }
}


char *
ngx_http_webrtc_status_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_str_t  *value;

    wlcf->status = 1;

    if (cf->args->nelts == 2) {
        value = cf->args->elts;

        if (ngx_strcmp(value[1].data, "control") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in webrtc_status, "
                               "expected \"control\" or nothing", &value[1]);
            return NGX_CONF_ERROR;
        }

        wlcf->status_control = 1;
    }

    return ngx_http_webrtc_conf_content(cf, wlcf,
                                        ngx_http_webrtc_status_handler);
}
