
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_snapshot": a picture of a stream, as JPEG or WebP.
 *
 * What is made of which key frame, and for how many, is decided by
 * ngx_webrtc_snapshot.c; here are the request's arguments and the response's
 * headers, of which nginx makes a 304.
 */


#include "ngx_http_webrtc_snapshot.h"
#include "ngx_http_webrtc_accept.h"
#include "ngx_http_webrtc_live.h"
#include "ngx_http_webrtc_pull.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_snapshot.h"


/* pixels; chosen: smaller ones are of no use, and not all encoders take them */
#define NGX_HTTP_WEBRTC_SNAPSHOT_LEAST    16
#define NGX_HTTP_WEBRTC_SNAPSHOT_LARGEST  NGX_WEBRTC_MEDIA_SIZE

#define NGX_HTTP_WEBRTC_SNAPSHOT_AGE      5000
#define NGX_HTTP_WEBRTC_SNAPSHOT_QUALITY  80


/* a request that waits; also of one that does not */
typedef struct {
    ngx_http_request_t         *request;
    ngx_str_t                   name;
    ngx_webrtc_stream_t        *st;         /* held */
    ngx_webrtc_snapshot_ask_t   ask;
    ngx_queue_t                 queue;
    ngx_uint_t                  vary;       /* unsigned  vary:1; */
    unsigned                    waiting:1;
} ngx_http_webrtc_snapshot_ctx_t;


static char *ngx_http_webrtc_snapshot_option(ngx_conf_t *cf,
    ngx_http_webrtc_live_t *live, ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_snapshot_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_snapshot(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_snapshot_query(
    ngx_http_webrtc_snapshot_ctx_t *ctx, ngx_http_webrtc_live_t *live);
static ngx_int_t ngx_http_webrtc_snapshot_size(ngx_http_request_t *r,
    const char *name, uint16_t *width, uint16_t *height);
static ngx_int_t ngx_http_webrtc_snapshot_number(u_char *p, size_t n,
    uint16_t *size);
static void ngx_http_webrtc_snapshot_most(uint16_t *size, uint16_t most);
static ngx_msec_t ngx_http_webrtc_snapshot_wait(
    ngx_http_webrtc_snapshot_ctx_t *ctx, ngx_http_webrtc_loc_conf_t *wlcf);
static void ngx_http_webrtc_snapshot_ready(ngx_webrtc_snapshot_ask_t *ask);
static ngx_int_t ngx_http_webrtc_snapshot_answer(
    ngx_http_webrtc_snapshot_ctx_t *ctx);
static ngx_int_t ngx_http_webrtc_snapshot_refuse(
    ngx_http_webrtc_snapshot_ctx_t *ctx);
static ngx_int_t ngx_http_webrtc_snapshot_headers(
    ngx_http_webrtc_snapshot_ctx_t *ctx);
static void ngx_http_webrtc_snapshot_release(
    ngx_http_webrtc_snapshot_ctx_t *ctx);
static void ngx_http_webrtc_snapshot_cleanup(void *data);
static void ngx_http_webrtc_snapshot_give(void *data);


static ngx_str_t  ngx_http_webrtc_snapshot_jpeg = ngx_string("image/jpeg");
static ngx_str_t  ngx_http_webrtc_snapshot_webp = ngx_string("image/webp");


/* of this process */

static ngx_queue_t  ngx_http_webrtc_snapshots = {
    &ngx_http_webrtc_snapshots, &ngx_http_webrtc_snapshots
};


char *
ngx_http_webrtc_snapshot_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    rv = ngx_http_webrtc_live_conf(cf, cmd, wlcf,
                                   ngx_http_webrtc_snapshot_handler);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    wlcf->live->age = NGX_HTTP_WEBRTC_SNAPSHOT_AGE;
    wlcf->live->picture.quality = NGX_HTTP_WEBRTC_SNAPSHOT_QUALITY;

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {

        rv = ngx_http_webrtc_snapshot_option(cf, wlcf->live, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_webrtc_snapshot_option(ngx_conf_t *cf, ngx_http_webrtc_live_t *live,
    ngx_str_t *value)
{
    ngx_int_t                    n;
    ngx_str_t                    v;
    ngx_webrtc_media_picture_t  *picture;

    picture = &live->picture;

    if (ngx_strncmp(value->data, "age=", 4) == 0) {
        v.data = value->data + 4;
        v.len = value->len - 4;

        n = ngx_parse_time(&v, 0);

        if (n >= 0 && n <= 3600 * 1000) {
            live->age = (ngx_msec_t) n;
            return NGX_CONF_OK;
        }

    } else if (ngx_strncmp(value->data, "width=", 6) == 0) {

        if (ngx_http_webrtc_snapshot_number(value->data + 6, value->len - 6,
                                            &picture->width)
            == NGX_OK)
        {
            return NGX_CONF_OK;
        }

    } else if (ngx_strncmp(value->data, "height=", 7) == 0) {

        if (ngx_http_webrtc_snapshot_number(value->data + 7, value->len - 7,
                                            &picture->height)
            == NGX_OK)
        {
            return NGX_CONF_OK;
        }

    } else if (ngx_strncmp(value->data, "quality=", 8) == 0) {

        n = ngx_atoi(value->data + 8, value->len - 8);

        if (n >= 1 && n <= 100) {
            picture->quality = (uint8_t) n;
            return NGX_CONF_OK;
        }

    } else if (ngx_strcmp(value->data, "format=jpeg") == 0
               || ngx_strcmp(value->data, "format=webp") == 0)
    {
        live->format = 1;
        picture->webp = (value->data[7] == 'w');

        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in webrtc_snapshot, expected "
                       "\"age=\" and a time up to \"1h\", such as \"age=5s\", "
                       "\"width=\" or \"height=\" from 16 to 16384, "
                       "\"quality=\" from 1 to 100, \"format=jpeg\" or "
                       "\"format=webp\"", value);

    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_webrtc_snapshot_handler(ngx_http_request_t *r)
{
    return ngx_http_webrtc_result(ngx_http_webrtc_snapshot(r));
}


static ngx_int_t
ngx_http_webrtc_snapshot(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_str_t                        name;
    ngx_http_cleanup_t              *cln;
    ngx_pool_cleanup_t              *pcln;
    ngx_http_webrtc_loc_conf_t      *wlcf;
    ngx_http_webrtc_snapshot_ctx_t  *ctx;

    rc = ngx_http_webrtc_live_begin(r, &name);

    if (rc != NGX_OK) {
        return rc;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_snapshot_ctx_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_webrtc_snapshot_ctx_t));

    cln->handler = ngx_http_webrtc_snapshot_cleanup;

    pcln = ngx_pool_cleanup_add(r->pool, 0);
    if (pcln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    pcln->handler = ngx_http_webrtc_snapshot_give;
    pcln->data = ctx;

    ctx->request = r;
    ctx->name = name;

    rc = ngx_http_webrtc_snapshot_query(ctx, wlcf->live);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_webrtc_live_stream(r, &name, &ctx->st);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ctx->st == NULL) {
        return ngx_http_webrtc_live_none(r, &name, NULL);
    }

    ctx->ask.age = wlcf->live->age;
    ctx->ask.wait = ngx_http_webrtc_snapshot_wait(ctx, wlcf);
    ctx->ask.ready = ngx_http_webrtc_snapshot_ready;
    ctx->ask.data = ctx;

    rc = ngx_webrtc_snapshot(ngx_http_webrtc_worker->bus, ctx->st, &ctx->ask,
                             r->connection->log);

    if (rc == NGX_AGAIN) {
        ctx->waiting = 1;
        ngx_queue_insert_tail(&ngx_http_webrtc_snapshots, &ctx->queue);

        ngx_webrtc_bus_want(ctx->st, (uint64_t) ngx_current_msec
                                     + NGX_HTTP_WEBRTC_LIVE_WANTED);
        ngx_http_webrtc_wait(r);

        return NGX_AGAIN;
    }

    return ngx_http_webrtc_snapshot_answer(ctx);
}


/* what is asked for, no larger than the location permits */

static ngx_int_t
ngx_http_webrtc_snapshot_query(ngx_http_webrtc_snapshot_ctx_t *ctx,
    ngx_http_webrtc_live_t *live)
{
    uint16_t                     width, height, none;
    ngx_str_t                    value, detail;
    ngx_http_request_t          *r;
    ngx_webrtc_media_picture_t  *picture;

    r = ctx->request;
    picture = &ctx->ask.picture;

    *picture = live->picture;

    width = 0;
    height = 0;

    if (ngx_http_webrtc_snapshot_size(r, "size", &width, &height) != NGX_OK
        || ngx_http_webrtc_snapshot_size(r, "width", &width, &none) != NGX_OK
        || ngx_http_webrtc_snapshot_size(r, "height", &height, &none)
           != NGX_OK)
    {
        ngx_str_set(&detail, "expected width= or height= with a number from 16 "
                             "to 16384, or size= with one or with two, as "
                             "640x360");
        goto invalid;
    }

    ngx_http_webrtc_snapshot_most(&picture->width, width);
    ngx_http_webrtc_snapshot_most(&picture->height, height);

    if (ngx_http_webrtc_arg(r, "format", &value) == NGX_OK) {

        picture->webp = (value.len == 4
                         && ngx_memcmp(value.data, "webp", 4) == 0);

        if (!picture->webp
            && (value.len != 4 || ngx_memcmp(value.data, "jpeg", 4) != 0))
        {
            ngx_str_set(&detail, "expected format=jpeg or format=webp");
            goto invalid;
        }

        return NGX_OK;
    }

    if (!live->format) {
        picture->webp = ngx_http_webrtc_accepts(r,
                                             &ngx_http_webrtc_snapshot_webp);
        ctx->vary = 1;
    }

    return NGX_OK;

invalid:

    return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                   "an argument that is not understood",
                                   &detail);
}


/* NGX_OK: set, or unchanged when there is no such argument */

static ngx_int_t
ngx_http_webrtc_snapshot_size(ngx_http_request_t *r, const char *name,
    uint16_t *width, uint16_t *height)
{
    u_char     *x;
    ngx_str_t   value;

    if (ngx_http_webrtc_arg(r, name, &value) != NGX_OK) {
        return NGX_OK;
    }

    x = (name[0] == 's') ? ngx_strlchr(value.data, value.data + value.len, 'x')
                         : NULL;

    if (x == NULL) {
        if (ngx_http_webrtc_snapshot_number(value.data, value.len, width)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        *height = *width;

        return NGX_OK;
    }

    return (ngx_http_webrtc_snapshot_number(value.data, x - value.data, width)
            == NGX_OK
            && ngx_http_webrtc_snapshot_number(x + 1, value.data + value.len
                                                      - x - 1, height)
               == NGX_OK)
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_webrtc_snapshot_number(u_char *p, size_t n, uint16_t *size)
{
    ngx_int_t  v;

    v = ngx_atoi(p, n);

    if (v < NGX_HTTP_WEBRTC_SNAPSHOT_LEAST
        || v > NGX_HTTP_WEBRTC_SNAPSHOT_LARGEST)
    {
        return NGX_DECLINED;
    }

    *size = (uint16_t) v;

    return NGX_OK;
}


/* of two limits, 0: none */

static void
ngx_http_webrtc_snapshot_most(uint16_t *size, uint16_t most)
{
    if (most && (*size == 0 || most < *size)) {
        *size = most;
    }
}


/* who has gone is not waited for, who is to come is */

static ngx_msec_t
ngx_http_webrtc_snapshot_wait(ngx_http_webrtc_snapshot_ctx_t *ctx,
    ngx_http_webrtc_loc_conf_t *wlcf)
{
    switch (ngx_webrtc_bus_state(ctx->st)) {

    case NGX_WEBRTC_STREAM_ACTIVE:
    case NGX_WEBRTC_STREAM_STARTING:
        return wlcf->wait;

    default:
        return wlcf->pull ? wlcf->wait : 0;
    }
}


static void
ngx_http_webrtc_snapshot_ready(ngx_webrtc_snapshot_ask_t *ask)
{
    ngx_int_t                        rc;
    ngx_connection_t                *c;
    ngx_http_request_t              *r;
    ngx_http_webrtc_snapshot_ctx_t  *ctx;

    ctx = ask->data;
    r = ctx->request;
    c = r->connection;

    rc = ngx_http_webrtc_snapshot_answer(ctx);

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);
}


/* ctx->ask has been answered */

static ngx_int_t
ngx_http_webrtc_snapshot_answer(ngx_http_webrtc_snapshot_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_str_t                    body;
    ngx_http_request_t          *r;
    ngx_webrtc_snapshot_file_t  *file;

    r = ctx->request;
    file = ctx->ask.file;

    if (file == NULL) {
        rc = ngx_http_webrtc_snapshot_refuse(ctx);
        ngx_http_webrtc_snapshot_release(ctx);

        return rc;
    }

    /* without a master process, the response may be sent after the worker is
     * gone; the file stays until the request is freed */

    ngx_http_webrtc_snapshot_release(ctx);

    if (ngx_http_webrtc_snapshot_headers(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = file->data;
    body.len = file->len;

    return ngx_http_webrtc_send(r, &body);
}


static ngx_int_t
ngx_http_webrtc_snapshot_refuse(ngx_http_webrtc_snapshot_ctx_t *ctx)
{
    ngx_str_t            detail;
    ngx_uint_t           why;
    ngx_http_request_t  *r;

    r = ctx->request;
    why = ctx->ask.why;

    if (why == NGX_WEBRTC_SNAPSHOT_NO_VIDEO) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                       "the stream has no video", &ctx->name);
    }

    if (why == NGX_WEBRTC_SNAPSHOT_NOT_LIVE
        && ngx_webrtc_bus_state(ctx->st) != NGX_WEBRTC_STREAM_ACTIVE)
    {
        return ngx_http_webrtc_live_none(r, &ctx->name, ctx->st);
    }

    if (why == NGX_WEBRTC_SNAPSHOT_FULL) {
        ngx_str_set(&detail, "too many pictures are asked for");
        return ngx_http_webrtc_live_busy(r, &detail);
    }

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (why == NGX_WEBRTC_SNAPSHOT_NOT_LIVE) {
        ngx_str_set(&detail, "no key frame of it has come so far");
        return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "there is no picture yet", &detail);
    }

    detail.data = (u_char *) (ctx->ask.text ? ctx->ask.text : "");
    detail.len = ngx_strlen(detail.data);

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "no picture can be made", &detail);
}


static ngx_int_t
ngx_http_webrtc_snapshot_headers(ngx_http_webrtc_snapshot_ctx_t *ctx)
{
    u_char                      *p;
    ngx_msec_t                   left;
    ngx_str_t                    cache;
    ngx_table_elt_t             *etag;
    ngx_http_request_t          *r;
    ngx_webrtc_snapshot_file_t  *file;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    static ngx_str_t  vary = ngx_string("Accept");
    static ngx_str_t  nosniff = ngx_string("nosniff");

    r = ctx->request;
    file = ctx->ask.file;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = file->len;
    r->headers_out.last_modified_time = file->time;
    r->headers_out.content_type = file->webp ? ngx_http_webrtc_snapshot_webp
                                             : ngx_http_webrtc_snapshot_jpeg;
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    etag = ngx_list_push(&r->headers_out.headers);
    p = ngx_pnalloc(r->pool, NGX_WEBRTC_SNAPSHOT_ETAG + 2
                             + sizeof("private, max-age=") - 1
                             + NGX_TIME_T_LEN);

    if (etag == NULL || p == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(etag, sizeof(ngx_table_elt_t));

    etag->hash = 1;
    ngx_str_set(&etag->key, "ETag");
    etag->value.data = p;
    etag->value.len = NGX_WEBRTC_SNAPSHOT_ETAG + 2;

    r->headers_out.etag = etag;

    p = ngx_sprintf(p, "\"%*s\"", (size_t) NGX_WEBRTC_SNAPSHOT_ETAG,
                    file->etag);

    /* as long as others get the same one here */

    left = ngx_current_msec - file->fresh;
    left = (left < ctx->ask.age) ? ctx->ask.age - left : 0;

    cache.data = p;
    cache.len = ngx_sprintf(p, "%smax-age=%M",
                            (wlcf->jwt || wlcf->on_play) ? "private, " : "",
                            left / 1000)
                - p;

    if (ngx_http_webrtc_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_webrtc_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK
        || (ctx->vary && ngx_http_webrtc_header(r, "Vary", &vary) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_webrtc_snapshot_tick(void)
{
    ngx_queue_t                     *q;
    ngx_http_webrtc_snapshot_ctx_t  *ctx;

    for (q = ngx_queue_head(&ngx_http_webrtc_snapshots);
         q != ngx_queue_sentinel(&ngx_http_webrtc_snapshots);
         q = ngx_queue_next(q))
    {
        ctx = ngx_queue_data(q, ngx_http_webrtc_snapshot_ctx_t, queue);

        ngx_webrtc_bus_want(ctx->st, (uint64_t) ngx_current_msec
                                     + NGX_HTTP_WEBRTC_LIVE_WANTED);
        ngx_http_webrtc_pull_check(ctx->st);
    }
}


void
ngx_http_webrtc_snapshot_exit(void)
{
    ngx_queue_t                     *q;
    ngx_http_webrtc_snapshot_ctx_t  *ctx;

    while (!ngx_queue_empty(&ngx_http_webrtc_snapshots)) {
        q = ngx_queue_head(&ngx_http_webrtc_snapshots);
        ctx = ngx_queue_data(q, ngx_http_webrtc_snapshot_ctx_t, queue);

        ngx_webrtc_snapshot_cancel(&ctx->ask);

        ctx->ask.why = NGX_WEBRTC_SNAPSHOT_FULL;
        ngx_http_webrtc_snapshot_ready(&ctx->ask);
    }
}


/* what it has of the worker */

static void
ngx_http_webrtc_snapshot_release(ngx_http_webrtc_snapshot_ctx_t *ctx)
{
    if (ctx->waiting) {
        ctx->waiting = 0;
        ngx_queue_remove(&ctx->queue);
    }

    ngx_webrtc_snapshot_cancel(&ctx->ask);

    if (ctx->st) {
        ngx_webrtc_bus_release(ngx_http_webrtc_worker->bus, ctx->st);
        ctx->st = NULL;
    }
}


static void
ngx_http_webrtc_snapshot_cleanup(void *data)
{
    ngx_http_webrtc_snapshot_ctx_t *ctx = data;

    if (ngx_http_webrtc_worker) {
        ngx_http_webrtc_snapshot_release(ctx);
    }
}


/*
 * With the request's pool: frames of HTTP/2 that are queued have the file when
 * the request is over
 */

static void
ngx_http_webrtc_snapshot_give(void *data)
{
    ngx_http_webrtc_snapshot_ctx_t *ctx = data;

    ngx_webrtc_snapshot_done(ctx->ask.file);
    ctx->ask.file = NULL;
}
