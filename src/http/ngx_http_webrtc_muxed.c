
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_ts", "webrtc_mp4": a stream as a response without end.
 *
 * The header is sent with the first bytes, so that a stream that does not come
 * has a status.  What is sent are pieces that clients share
 * (ngx_webrtc_muxed.h): a client is given more only while it has not much to
 * read, so that nothing piles up for one that is slow; it goes on at a key
 * frame later.  One that reads nothing is ended by "send_timeout".
 */


#include "ngx_http_webrtc_muxed.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_layer.h"
#include "ngx_http_webrtc_live.h"
#include "ngx_http_webrtc_pull.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_muxed.h"


/* bytes that a client has not read, from which on it gets no more; chosen: a
 * key frame */
#define NGX_HTTP_WEBRTC_MUXED_AHEAD  (256 * 1024)

/* ms to the first byte of a stream that is live; chosen: a key frame of cameras
 * that make few */
#define NGX_HTTP_WEBRTC_MUXED_FIRST  10000


#define ngx_http_webrtc_muxed_bit(codec)                                      \
    ((ngx_uint_t) 1 << NGX_WEBRTC_CODEC_##codec)


typedef struct {
    ngx_str_t                    directive;
    ngx_str_t                    format;     /* of the writer */
    ngx_str_t                    type;
    ngx_uint_t                   codecs;     /* of video, that it holds: bits */
    const char                  *name;
} ngx_http_webrtc_muxed_kind_t;


/* a buffer and what is in it */
typedef struct {
    ngx_buf_t                    buf;        /* first: it is cast */
    ngx_webrtc_muxed_piece_t    *piece;
} ngx_http_webrtc_muxed_buf_t;


typedef struct {
    ngx_http_request_t          *request;
    const ngx_http_webrtc_muxed_kind_t  *kind;
    ngx_str_t                    name;
    ngx_webrtc_stream_t         *st;         /* held; NULL: not there yet */
    ngx_http_webrtc_layer_t      layer;      /* where its video is encoded */
    ngx_webrtc_muxed_client_t    client;
    ngx_queue_t                  queue;      /* of all */
    ngx_event_t                  timer;      /* until the first bytes */
    ngx_chain_t                 *free;
    ngx_chain_t                 *busy;
    size_t                       ahead;      /* bytes in busy */
    unsigned                     listed:1;
    unsigned                     joined:1;
    unsigned                     live:1;     /* was, when it had waited */
    unsigned                     begun:1;    /* the header has been sent */
    unsigned                     over:1;     /* nothing more comes */
} ngx_http_webrtc_muxed_t;


static ngx_int_t ngx_http_webrtc_muxed_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_muxed(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_muxed_head(ngx_http_webrtc_muxed_t *mx);
static ngx_int_t ngx_http_webrtc_muxed_wait(ngx_http_webrtc_muxed_t *mx);
static ngx_int_t ngx_http_webrtc_muxed_join(ngx_http_webrtc_muxed_t *mx);
static ngx_int_t ngx_http_webrtc_muxed_choose(ngx_http_webrtc_muxed_t *mx);
static ngx_int_t ngx_http_webrtc_muxed_cannot(ngx_http_webrtc_muxed_t *mx,
    ngx_uint_t codec);
static void ngx_http_webrtc_muxed_news(void *data);
static ngx_int_t ngx_http_webrtc_muxed_send(ngx_http_webrtc_muxed_t *mx);
static ngx_int_t ngx_http_webrtc_muxed_take(ngx_http_webrtc_muxed_t *mx,
    ngx_chain_t **out);
static ngx_chain_t *ngx_http_webrtc_muxed_link(ngx_http_webrtc_muxed_t *mx,
    ngx_webrtc_muxed_piece_t *piece);
static void ngx_http_webrtc_muxed_sent(ngx_http_webrtc_muxed_t *mx,
    ngx_chain_t **out);
static ngx_int_t ngx_http_webrtc_muxed_header(ngx_http_webrtc_muxed_t *mx);
static ngx_uint_t ngx_http_webrtc_muxed_blocked(ngx_http_webrtc_muxed_t *mx);
static void ngx_http_webrtc_muxed_writer(ngx_http_request_t *r);
static void ngx_http_webrtc_muxed_timeout(ngx_event_t *ev);
static ngx_int_t ngx_http_webrtc_muxed_refuse(ngx_http_webrtc_muxed_t *mx);
static ngx_int_t ngx_http_webrtc_muxed_failed(ngx_http_webrtc_muxed_t *mx);
static ngx_int_t ngx_http_webrtc_muxed_last(ngx_http_request_t *r);
static void ngx_http_webrtc_muxed_end(ngx_http_webrtc_muxed_t *mx,
    ngx_int_t rc);
static ngx_uint_t ngx_http_webrtc_muxed_expired(ngx_http_webrtc_muxed_t *mx);
static void ngx_http_webrtc_muxed_release(ngx_http_webrtc_muxed_t *mx);
static void ngx_http_webrtc_muxed_cleanup(void *data);
static void ngx_http_webrtc_muxed_give(void *data);


static const ngx_http_webrtc_muxed_kind_t  ngx_http_webrtc_muxed_kinds[] = {

    { ngx_string("webrtc_ts"), ngx_string("ts"), ngx_string("video/mp2t"),
      ngx_http_webrtc_muxed_bit(H264)|ngx_http_webrtc_muxed_bit(H265)
      |ngx_http_webrtc_muxed_bit(MPEG1)|ngx_http_webrtc_muxed_bit(MPEG2)
      |ngx_http_webrtc_muxed_bit(MPEG4),
      "MPEG-TS" },

    { ngx_string("webrtc_mp4"), ngx_string("fmp4"), ngx_string("video/mp4"),
      ngx_http_webrtc_muxed_bit(H264)|ngx_http_webrtc_muxed_bit(H265)
      |ngx_http_webrtc_muxed_bit(VP9)|ngx_http_webrtc_muxed_bit(AV1)
      |ngx_http_webrtc_muxed_bit(MPEG4),
      "MP4" },

    { ngx_null_string, ngx_null_string, ngx_null_string, 0, NULL }
};


/* of this process */

static ngx_queue_t  ngx_http_webrtc_muxeds = {
    &ngx_http_webrtc_muxeds, &ngx_http_webrtc_muxeds
};


char *
ngx_http_webrtc_muxed_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    return ngx_http_webrtc_live_conf(cf, cmd, wlcf,
                                     ngx_http_webrtc_muxed_handler);
}


static ngx_int_t
ngx_http_webrtc_muxed_handler(ngx_http_request_t *r)
{
    return ngx_http_webrtc_result(ngx_http_webrtc_muxed(r));
}


static ngx_int_t
ngx_http_webrtc_muxed(ngx_http_request_t *r)
{
    ngx_int_t                            rc;
    ngx_str_t                            name;
    ngx_http_cleanup_t                  *cln;
    ngx_pool_cleanup_t                  *pcln;
    ngx_http_webrtc_muxed_t             *mx;
    ngx_http_webrtc_loc_conf_t          *wlcf;
    const ngx_http_webrtc_muxed_kind_t  *kind;

    rc = ngx_http_webrtc_live_begin(r, &name);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_webrtc_bus_draining(ngx_http_webrtc_worker->bus)) {
        return ngx_http_webrtc_full_drain(r);
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_muxed_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    mx = cln->data;
    ngx_memzero(mx, sizeof(ngx_http_webrtc_muxed_t));

    cln->handler = ngx_http_webrtc_muxed_cleanup;

    pcln = ngx_pool_cleanup_add(r->pool, 0);
    if (pcln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    pcln->handler = ngx_http_webrtc_muxed_give;
    pcln->data = mx;

    for (kind = ngx_http_webrtc_muxed_kinds;
         ngx_strcmp(kind->directive.data, wlcf->live->directive) != 0;
         kind++)
    {
        /* void */
    }

    mx->request = r;
    mx->kind = kind;
    mx->name = name;

    rc = ngx_http_webrtc_live_stream(r, &name, &mx->st);

    if (rc != NGX_OK) {
        return rc;
    }

    return (r->method == NGX_HTTP_HEAD) ? ngx_http_webrtc_muxed_head(mx)
                                        : ngx_http_webrtc_muxed_wait(mx);
}


/* whether it is live, without anything being made */

static ngx_int_t
ngx_http_webrtc_muxed_head(ngx_http_webrtc_muxed_t *mx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = mx->request;

    if (mx->st == NULL
        || ngx_webrtc_bus_state(mx->st) != NGX_WEBRTC_STREAM_ACTIVE)
    {
        return ngx_http_webrtc_live_none(r, &mx->name, mx->st);
    }

    r->header_only = 1;
    rc = ngx_http_webrtc_muxed_header(mx);

    return (rc == NGX_ERROR || rc > NGX_OK) ? rc : NGX_DONE;
}


static ngx_int_t
ngx_http_webrtc_muxed_wait(ngx_http_webrtc_muxed_t *mx)
{
    ngx_int_t                    rc;
    ngx_http_request_t          *r;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = mx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    rc = ngx_http_webrtc_muxed_join(mx);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        return rc;
    }

    mx->listed = 1;
    ngx_queue_insert_tail(&ngx_http_webrtc_muxeds, &mx->queue);

    mx->timer.handler = ngx_http_webrtc_muxed_timeout;
    mx->timer.data = mx;
    mx->timer.log = r->connection->log;

    ngx_add_timer(&mx->timer, wlcf->wait);

    ngx_http_set_ctx(r, mx, ngx_http_webrtc_module);

    ngx_http_webrtc_wait(r);
    r->write_event_handler = ngx_http_webrtc_muxed_writer;

    return NGX_AGAIN;
}


/*
 * NGX_OK; NGX_AGAIN: there is no stream yet; a result: it cannot be sent so, or
 * there is no room for more
 */

static ngx_int_t
ngx_http_webrtc_muxed_join(ngx_http_webrtc_muxed_t *mx)
{
    ngx_int_t                    rc;
    ngx_str_t                    detail;
    ngx_http_request_t          *r;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = mx->request;

    if (mx->st == NULL) {

        /* one that is pulled is there */

        wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

        mx->st = ngx_webrtc_bus_stream(ngx_http_webrtc_worker->bus, &mx->name,
                                       wlcf->policy.buffer, 0);
        if (mx->st == NULL) {
            return NGX_AGAIN;
        }
    }

    ngx_webrtc_bus_want(mx->st, (uint64_t) ngx_current_msec
                                + NGX_HTTP_WEBRTC_LIVE_WANTED);

    if (ngx_webrtc_bus_state(mx->st) != NGX_WEBRTC_STREAM_ACTIVE
        || ngx_webrtc_bus_tracks(mx->st, NULL, NULL) == 0)
    {
        return NGX_AGAIN;
    }

    rc = ngx_http_webrtc_muxed_choose(mx);

    if (rc != NGX_OK) {
        return rc;
    }

    mx->client.news = ngx_http_webrtc_muxed_news;
    mx->client.data = mx;

    if (ngx_webrtc_muxed_join(&mx->client, ngx_http_webrtc_worker->bus,
                              mx->layer.st ? mx->layer.st : mx->st,
                              (ngx_str_t *) &mx->kind->format,
                              r->connection->log)
        == NGX_OK)
    {
        mx->joined = 1;
        return NGX_OK;
    }

    ngx_str_set(&detail, "all memory for streams over HTTP is in use");

    return ngx_http_webrtc_live_busy(r, &detail);
}


/*
 * Video that the container cannot hold is encoded anew, if that is allowed.
 *
 * NGX_OK; NGX_AGAIN: that has not begun; a result: it cannot be
 */

static ngx_int_t
ngx_http_webrtc_muxed_choose(ngx_http_webrtc_muxed_t *mx)
{
    ngx_uint_t                   i, n;
    ngx_webrtc_track_t           tracks[NGX_WEBRTC_TRACKS];
    ngx_http_webrtc_loc_conf_t  *wlcf;

    (void) ngx_webrtc_bus_tracks(mx->st, tracks, &n);

    for (i = 0; i < n && tracks[i].kind != NGX_WEBRTC_VIDEO; i++) {
        /* void */
    }

    if (i == n || (tracks[i].flags & NGX_WEBRTC_TRACK_PENDING)
        || (mx->kind->codecs & ((ngx_uint_t) 1 << tracks[i].codec)))
    {
        ngx_http_webrtc_layer_release(&mx->layer);
        return NGX_OK;
    }

    wlcf = ngx_http_get_module_loc_conf(mx->request, ngx_http_webrtc_module);

    if (wlcf->policy.transcode == NGX_WEBRTC_TRANSCODE_OFF) {
        return ngx_http_webrtc_muxed_cannot(mx, tracks[i].codec);
    }

    mx->layer.how = wlcf->policy.variant;
    mx->layer.viewer.codecs = ngx_http_webrtc_muxed_bit(H264);
    mx->layer.viewer.formats = UINT16_MAX;
    mx->layer.viewer.cvo = 1;
    mx->layer.viewer.video = 1;

    return ngx_http_webrtc_layer_ready(mx->request, mx->st, &mx->layer);
}


static ngx_int_t
ngx_http_webrtc_muxed_cannot(ngx_http_webrtc_muxed_t *mx, ngx_uint_t codec)
{
    size_t               size;
    ngx_str_t            detail;
    ngx_http_request_t  *r;

    r = mx->request;
    size = sizeof("its video is , which MPEG-TS does not hold") - 1
           + ngx_webrtc_codec(codec)->name.len;

    detail.data = ngx_pnalloc(r->pool, size);
    if (detail.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    detail.len = ngx_snprintf(detail.data, size,
                              "its video is %V, which %s does not hold",
                              &ngx_webrtc_codec(codec)->name, mx->kind->name)
                 - detail.data;

    return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                   "the stream is of another codec", &detail);
}


static void
ngx_http_webrtc_muxed_news(void *data)
{
    ngx_http_webrtc_muxed_t *mx = data;

    ngx_int_t  rc;

    rc = ngx_http_webrtc_muxed_send(mx);

    if (rc != NGX_OK) {
        ngx_http_webrtc_muxed_end(mx, rc);
    }
}


/*
 * Sends what there is, unless the client has enough to read.
 *
 * NGX_OK; else to end the request with
 */

static ngx_int_t
ngx_http_webrtc_muxed_send(ngx_http_webrtc_muxed_t *mx)
{
    ngx_int_t            rc;
    ngx_uint_t           more;
    ngx_chain_t         *out;
    ngx_http_request_t  *r;

    r = mx->request;

    ngx_http_webrtc_muxed_sent(mx, NULL);

    rc = ngx_http_webrtc_muxed_take(mx, &out);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    more = (out != NULL);

    if (out) {

        if (!mx->begun) {
            mx->begun = 1;
            ngx_del_timer(&mx->timer);

            rc = ngx_http_webrtc_muxed_header(mx);

            if (rc == NGX_ERROR || rc > NGX_OK) {
                ngx_http_webrtc_muxed_sent(mx, &out);
                return rc;
            }
        }

        rc = ngx_http_output_filter(r, out);

        ngx_http_webrtc_muxed_sent(mx, &out);

        if (rc == NGX_ERROR || r->connection->error) {
            return NGX_ERROR;
        }
    }

    if (mx->over) {
        return ngx_http_webrtc_muxed_failed(mx);
    }

    /* the time of a client that has enough to read goes on */

    if (!mx->begun || (!more && ngx_http_webrtc_muxed_blocked(mx)
                       && r->connection->write->timer_set))
    {
        return NGX_OK;
    }

    return ngx_http_webrtc_arm(r, ngx_http_webrtc_muxed_blocked(mx));
}


/* NGX_OK; NGX_ERROR: no memory */

static ngx_int_t
ngx_http_webrtc_muxed_take(ngx_http_webrtc_muxed_t *mx, ngx_chain_t **out)
{
    size_t                      n;
    ngx_int_t                   rc;
    ngx_chain_t                *cl, **last;
    ngx_webrtc_muxed_piece_t   *piece;

    *out = NULL;
    last = out;
    n = mx->ahead;

    while (n < NGX_HTTP_WEBRTC_MUXED_AHEAD) {

        rc = ngx_webrtc_muxed_next(&mx->client, &piece);

        if (rc != NGX_OK) {
            mx->over = (rc == NGX_DONE);
            break;
        }

        cl = ngx_http_webrtc_muxed_link(mx, piece);

        if (cl == NULL) {
            ngx_webrtc_muxed_done(piece);
            ngx_http_webrtc_muxed_sent(mx, out);
            return NGX_ERROR;
        }

        n += piece->len;

        *last = cl;
        last = &cl->next;
    }

    return NGX_OK;
}


static ngx_chain_t *
ngx_http_webrtc_muxed_link(ngx_http_webrtc_muxed_t *mx,
    ngx_webrtc_muxed_piece_t *piece)
{
    ngx_buf_t                    *b;
    ngx_chain_t                  *cl;
    ngx_http_webrtc_muxed_buf_t  *mb;

    cl = mx->free;

    if (cl) {
        mx->free = cl->next;
        mb = (ngx_http_webrtc_muxed_buf_t *) cl->buf;

    } else {
        cl = ngx_alloc_chain_link(mx->request->pool);
        mb = ngx_palloc(mx->request->pool,
                        sizeof(ngx_http_webrtc_muxed_buf_t));

        if (cl == NULL || mb == NULL) {
            return NULL;
        }
    }

    ngx_memzero(mb, sizeof(ngx_http_webrtc_muxed_buf_t));

    mb->piece = piece;

    b = &mb->buf;
    b->tag = (ngx_buf_tag_t) &ngx_http_webrtc_muxed_kinds;
    b->start = piece->data;
    b->pos = piece->data;
    b->last = piece->data + piece->len;
    b->end = b->last;
    b->memory = 1;
    b->flush = 1;

    cl->buf = b;
    cl->next = NULL;

    return cl;
}


/* gives up pieces that have been sent; out: what has been given to filters */

static void
ngx_http_webrtc_muxed_sent(ngx_http_webrtc_muxed_t *mx, ngx_chain_t **out)
{
    ngx_chain_t                  *cl, *none;
    ngx_http_webrtc_muxed_buf_t  *mb;

    none = NULL;

    ngx_chain_update_chains(mx->request->pool, &mx->free, &mx->busy,
                            out ? out : &none,
                            (ngx_buf_tag_t) &ngx_http_webrtc_muxed_kinds);

    for (cl = mx->free; cl; cl = cl->next) {
        mb = (ngx_http_webrtc_muxed_buf_t *) cl->buf;

        if (mb->piece == NULL) {
            break;
        }

        ngx_webrtc_muxed_done(mb->piece);
        mb->piece = NULL;
    }

    mx->ahead = 0;

    for (cl = mx->busy; cl; cl = cl->next) {
        mx->ahead += ngx_buf_size(cl->buf);
    }
}


static ngx_int_t
ngx_http_webrtc_muxed_header(ngx_http_webrtc_muxed_t *mx)
{
    ngx_http_request_t  *r;

    static ngx_str_t  cache = ngx_string("no-store");
    static ngx_str_t  buffering = ngx_string("no");
    static ngx_str_t  nosniff = ngx_string("nosniff");

    r = mx->request;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;
    r->headers_out.content_type = mx->kind->type;
    r->headers_out.content_type_len = mx->kind->type.len;
    r->headers_out.content_type_lowcase = NULL;

    r->disable_not_modified = 1;

    /* X-Accel-Buffering is for an nginx in front of us, which would buffer */

    if (ngx_http_webrtc_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_webrtc_header(r, "X-Accel-Buffering", &buffering) != NGX_OK
        || ngx_http_webrtc_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_send_header(r);
}


static ngx_uint_t
ngx_http_webrtc_muxed_blocked(ngx_http_webrtc_muxed_t *mx)
{
    return mx->busy != NULL
           || mx->request->buffered
           || mx->request->connection->buffered;
}


/* write handler: the client can take more, or has timed out */

static void
ngx_http_webrtc_muxed_writer(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_connection_t         *c;
    ngx_http_webrtc_muxed_t  *mx;

    c = r->connection;
    mx = ngx_http_get_module_ctx(r, ngx_http_webrtc_module);

    if (mx == NULL || !mx->begun) {
        return;
    }

    if (c->write->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT, "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (ngx_http_webrtc_muxed_blocked(mx)
        && ngx_http_output_filter(r, NULL) == NGX_ERROR)
    {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    /* it has read something */

    if (!c->write->delayed && c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    rc = ngx_http_webrtc_muxed_send(mx);

    if (rc != NGX_OK) {
        ngx_http_webrtc_muxed_release(mx);
        ngx_http_webrtc_end(r, rc);
    }
}


static void
ngx_http_webrtc_muxed_timeout(ngx_event_t *ev)
{
    ngx_http_webrtc_muxed_t  *mx;

    mx = ev->data;

    if (!mx->live && mx->st
        && ngx_webrtc_bus_state(mx->st) == NGX_WEBRTC_STREAM_ACTIVE)
    {
        mx->live = 1;
        ngx_add_timer(ev, NGX_HTTP_WEBRTC_MUXED_FIRST);
        return;
    }

    ngx_http_webrtc_muxed_end(mx, ngx_http_webrtc_muxed_refuse(mx));
}


/* no byte has come in time */

static ngx_int_t
ngx_http_webrtc_muxed_refuse(ngx_http_webrtc_muxed_t *mx)
{
    ngx_str_t            detail;
    ngx_http_request_t  *r;

    r = mx->request;

    if (mx->st == NULL
        || ngx_webrtc_bus_state(mx->st) != NGX_WEBRTC_STREAM_ACTIVE)
    {
        return ngx_http_webrtc_live_none(r, &mx->name, mx->st);
    }

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&detail, "no key frame of it has come so far");

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "there is nothing to begin with", &detail);
}


/* the stream is over, or cannot be written */

static ngx_int_t
ngx_http_webrtc_muxed_failed(ngx_http_webrtc_muxed_t *mx)
{
    ngx_str_t            detail;
    const char          *text;
    ngx_http_request_t  *r;

    r = mx->request;

    if (mx->begun) {

        return mx->client.failed ? NGX_ERROR : ngx_http_webrtc_muxed_last(r);
    }

    text = ngx_webrtc_muxed_text(&mx->client);

    detail.data = (u_char *) (text ? text : "it has ended");
    detail.len = ngx_strlen(detail.data);

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "the stream cannot be written", &detail);
}


/* the response is complete; nginx writes what is left of it */

static ngx_int_t
ngx_http_webrtc_muxed_last(ngx_http_request_t *r)
{
    return (ngx_http_send_special(r, NGX_HTTP_LAST) == NGX_ERROR) ? NGX_ERROR
                                                                  : NGX_DONE;
}


static void
ngx_http_webrtc_muxed_end(ngx_http_webrtc_muxed_t *mx, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = mx->request;
    c = r->connection;

    ngx_http_webrtc_muxed_release(mx);

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);
}


void
ngx_http_webrtc_muxed_tick(void)
{
    ngx_int_t                 rc;
    ngx_queue_t               todo, *q;
    ngx_http_webrtc_muxed_t  *mx;

    if (ngx_queue_empty(&ngx_http_webrtc_muxeds)) {
        return;
    }

    /* ending one may end others */

    ngx_queue_init(&todo);
    ngx_queue_add(&todo, &ngx_http_webrtc_muxeds);
    ngx_queue_init(&ngx_http_webrtc_muxeds);

    while (!ngx_queue_empty(&todo)) {
        q = ngx_queue_head(&todo);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_http_webrtc_muxeds, q);

        mx = ngx_queue_data(q, ngx_http_webrtc_muxed_t, queue);

        if (ngx_http_webrtc_muxed_expired(mx)) {
            ngx_http_webrtc_muxed_end(mx, mx->begun
                               ? ngx_http_webrtc_muxed_last(mx->request)
                               : NGX_HTTP_FORBIDDEN);
            continue;
        }

        if (!mx->joined) {
            rc = ngx_http_webrtc_muxed_join(mx);

            if (rc != NGX_OK && rc != NGX_AGAIN) {
                ngx_http_webrtc_muxed_end(mx, rc);
                continue;
            }
        }

        ngx_http_webrtc_layer_keep(&mx->layer, (uint64_t) ngx_current_msec
                                               + NGX_HTTP_WEBRTC_LIVE_WANTED);

        if (mx->st) {
            ngx_http_webrtc_pull_check(mx->st);
        }
    }
}


/* the end of its token */

static ngx_uint_t
ngx_http_webrtc_muxed_expired(ngx_http_webrtc_muxed_t *mx)
{
    ngx_http_webrtc_note_t      *note;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(mx->request, ngx_http_webrtc_module);

    if (wlcf->jwt == NULL || !wlcf->jwt_expire) {
        return 0;
    }

    note = ngx_http_webrtc_note(mx->request);

    return note && note->expires && ngx_time() >= note->expires;
}


void
ngx_http_webrtc_muxed_exit(void)
{
    ngx_int_t                 rc;
    ngx_http_webrtc_muxed_t  *mx;

    while (!ngx_queue_empty(&ngx_http_webrtc_muxeds)) {
        mx = ngx_queue_data(ngx_queue_head(&ngx_http_webrtc_muxeds),
                            ngx_http_webrtc_muxed_t, queue);

        rc = mx->begun ? NGX_ERROR : NGX_HTTP_SERVICE_UNAVAILABLE;

        ngx_http_webrtc_muxed_end(mx, rc);
    }
}


/* what it has of the worker; its pieces stay until they have been sent */

static void
ngx_http_webrtc_muxed_release(ngx_http_webrtc_muxed_t *mx)
{
    if (mx->listed) {
        mx->listed = 0;
        ngx_queue_remove(&mx->queue);
    }

    if (mx->timer.timer_set) {
        ngx_del_timer(&mx->timer);
    }

    ngx_webrtc_muxed_leave(&mx->client);
    ngx_http_webrtc_layer_release(&mx->layer);

    if (mx->st) {
        ngx_webrtc_bus_release(ngx_http_webrtc_worker->bus, mx->st);
        mx->st = NULL;
    }
}


static void
ngx_http_webrtc_muxed_cleanup(void *data)
{
    ngx_http_webrtc_muxed_t *mx = data;

    if (ngx_http_webrtc_worker) {
        ngx_http_webrtc_muxed_release(mx);
    }
}


/*
 * With the request's pool: frames of HTTP/2 that are queued have its buffers
 * when the request is over
 */

static void
ngx_http_webrtc_muxed_give(void *data)
{
    ngx_http_webrtc_muxed_t *mx = data;

    ngx_chain_t                  *cl;
    ngx_http_webrtc_muxed_buf_t  *mb;

    for (cl = mx->busy; cl; cl = cl->next) {
        mb = (ngx_http_webrtc_muxed_buf_t *) cl->buf;

        ngx_webrtc_muxed_done(mb->piece);
        mb->piece = NULL;
    }

    for (cl = mx->free; cl; cl = cl->next) {
        mb = (ngx_http_webrtc_muxed_buf_t *) cl->buf;

        ngx_webrtc_muxed_done(mb->piece);
        mb->piece = NULL;
    }
}
