
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Server-sent events of WHEP sessions, in whichever worker the client asks.
 *
 * All event streams of a worker live on one timer, which runs while there are
 * any.  Four times a second it looks at the streams (a few words each) and,
 * once a second, whether the sessions are still there (a word each, no lock);
 * nothing is watched, since that would wake this worker for each frame of a
 * stream that perhaps nobody views here.  The timer is not cancelable: a
 * worker that shuts down stays until it has ended its event streams, which is
 * at the next turn; the clients come back to another worker.
 *
 * An idle client costs its request and one buffer.  What it has to be told is
 * computed from what it knows and what is, at the moment when it can be sent:
 * there is no queue, so that a client that does not read misses nothing but
 * what is no longer true.
 *
 * What is ordered by POST is kept in the session's slot.
 */


#include "ngx_http_webrtc_events.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_session.h"
#include "ngx_http_webrtc_url.h"
#include "ngx_webrtc_sse.h"


/* ms; chosen: a change is seen within that */
#define NGX_HTTP_WEBRTC_EVENTS_TICK       250

/* ticks between two counts of viewers, and looks at sessions: a second */
#define NGX_HTTP_WEBRTC_EVENTS_SLOW       4

/*
 * ms between comments: proxies close silent connections after 60 s or so.  A
 * client that leaves something unread for twice as long is given up.
 */
#define NGX_HTTP_WEBRTC_EVENTS_HEARTBEAT  15000

/* ms after which EventSource connects again */
#define NGX_HTTP_WEBRTC_EVENTS_RETRY      1000

/* event streams of one session in one worker; chosen, see
 * NGX_WEBRTC_PEER_EVENTS */
#define NGX_HTTP_WEBRTC_EVENTS_CLIENTS    8

/* bytes of an order; chosen: all names take 60 */
#define NGX_HTTP_WEBRTC_EVENTS_BODY       4096

/* bytes of a client's buffer: three events without the URL of "reconnect" */
#define NGX_HTTP_WEBRTC_EVENTS_BUFFER     512

/* least ms between two counts of viewers that one client is told */
#define NGX_HTTP_WEBRTC_EVENTS_COUNT      1000

/* buckets of streams by number; chosen */
#define NGX_HTTP_WEBRTC_EVENTS_STREAMS    64


/* the clients of a stream */
typedef struct {
    ngx_queue_t                   queue;      /* of a bucket */
    ngx_queue_t                   clients;
    uint64_t                      ref;
    ngx_webrtc_stream_t          *st;         /* held; NULL: it is gone */
    ngx_uint_t                    live;
    ngx_int_t                     viewers;
    ngx_uint_t                    uses;       /* clients, and who walks them */
} ngx_http_webrtc_events_stream_t;


typedef struct {
    ngx_queue_t                       queue;  /* of es->clients */
    ngx_queue_t                       sent;   /* of all, oldest first */
    ngx_http_request_t               *request;
    ngx_http_webrtc_events_stream_t  *es;     /* NULL: not connected yet */
    ngx_msec_t                        time;   /* when something was sent */
    ngx_msec_t                        counted;    /* when viewers were told */
    uint64_t                          ref;    /* of the slot */
    uint64_t                          news;   /* of the slot, as known */
    uint32_t                          name;   /* of the order, 0: none */
    uint32_t                          mask;
    ngx_webrtc_sse_state_t            known;
    ngx_str_t                         endpoint;   /* its URL */
    ngx_buf_t                        *buf;
    unsigned                          listed:1;
    unsigned                          sending:1;      /* buf was used */
    unsigned                          heartbeat:1;    /* to be sent */
    unsigned                          reconnect:1;    /* to be sent */
    uint8_t                           reconnected;    /* the peer's count */
} ngx_http_webrtc_events_t;


static ngx_int_t ngx_http_webrtc_events_order(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_events_cancel(ngx_http_request_t *r,
    uint64_t ref, uint32_t name);
static ngx_int_t ngx_http_webrtc_events_find(ngx_webrtc_peer_t *peer,
    ngx_str_t *text, uint32_t *name, uint32_t *mask);
static ngx_int_t ngx_http_webrtc_events_open(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, uint32_t name, uint32_t mask);
static ngx_int_t ngx_http_webrtc_events_too_many(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_events_header(ngx_http_request_t *r);
static ngx_http_webrtc_events_stream_t *ngx_http_webrtc_events_stream(
    uint64_t ref);
static void ngx_http_webrtc_events_release(
    ngx_http_webrtc_events_stream_t *es);
static void ngx_http_webrtc_events_cleanup(void *data);
static ngx_uint_t ngx_http_webrtc_events_blocked(
    ngx_http_webrtc_events_t *ec);
static void ngx_http_webrtc_events_timer_handler(ngx_event_t *ev);
static void ngx_http_webrtc_events_tick(ngx_http_webrtc_events_stream_t *es,
    ngx_uint_t slow);
static void ngx_http_webrtc_events_heartbeats(void);
static void ngx_http_webrtc_events_look(ngx_http_webrtc_events_stream_t *es,
    ngx_uint_t slow);
static ngx_int_t ngx_http_webrtc_events_alive(ngx_http_webrtc_events_t *ec);
static void ngx_http_webrtc_events_run(ngx_http_webrtc_events_t *ec);
static ngx_int_t ngx_http_webrtc_events_send(ngx_http_webrtc_events_t *ec);
static u_char *ngx_http_webrtc_events_text(ngx_http_webrtc_events_t *ec,
    u_char *p, u_char *end);
static u_char *ngx_http_webrtc_events_reconnect(ngx_http_webrtc_events_t *ec,
    u_char *p, u_char *end);
static void ngx_http_webrtc_events_writer(ngx_http_request_t *r);
static void ngx_http_webrtc_events_end(ngx_http_webrtc_events_t *ec);


static ngx_uint_t   ngx_http_webrtc_events_ready;
static ngx_uint_t   ngx_http_webrtc_events_ticks;
static ngx_event_t  ngx_http_webrtc_events_timer;
static ngx_queue_t  ngx_http_webrtc_events_sent;
static ngx_queue_t  ngx_http_webrtc_events_streams
                        [NGX_HTTP_WEBRTC_EVENTS_STREAMS];



ngx_int_t
ngx_http_webrtc_events_handler(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info, ngx_str_t *text)
{
    uint32_t   name, mask;
    ngx_int_t  rc;

    if (r->method == NGX_HTTP_POST && text->len == 0) {

        /* an empty body, which orders all, needs no type */

        if (r->headers_in.content_type == NULL
            || ngx_http_webrtc_content_type(r, &ngx_http_webrtc_json_type)
               == NGX_OK)
        {
            return ngx_http_webrtc_read_body(r, NGX_HTTP_WEBRTC_EVENTS_BODY,
                                             ngx_http_webrtc_events_order);
        }
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_webrtc_events_find(peer, text, &name, &mask) != NGX_OK) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND,
                                       "no such event stream", text);
    }

    switch (r->method) {

    case NGX_HTTP_OPTIONS:
        return ngx_http_webrtc_options(r);

    case NGX_HTTP_GET:
    case NGX_HTTP_HEAD:
        return ngx_http_webrtc_events_open(r, peer, name, mask);

    case NGX_HTTP_DELETE:

        if (name) {
            return ngx_http_webrtc_events_cancel(r, info->ref, name);
        }

        break;

    case NGX_HTTP_POST:

        if (name == 0) {
            return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                           "expected application/json", NULL);
        }

        break;
    }

    return ngx_http_webrtc_not_allowed(r, ngx_http_webrtc_methods(r));
}


ngx_int_t
ngx_http_webrtc_events_link(ngx_http_request_t *r, u_char *id)
{
    u_char     *p;
    ngx_str_t   url, link;

    static ngx_str_t  rel = ngx_string(">; rel=\"urn:ietf:params:whep:ext:core"
                                       ":server-sent-events\"; events=\""
                                       NGX_WEBRTC_SSE_NAMES "\"");

    if (ngx_http_webrtc_url_session(r, id, "&events", &url) != NGX_OK) {
        return NGX_ERROR;
    }

    link.len = 1 + url.len + rel.len;

    p = ngx_pnalloc(r->pool, link.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    link.data = p;

    *p++ = '<';
    p = ngx_cpymem(p, url.data, url.len);
    ngx_memcpy(p, rel.data, rel.len);

    return ngx_http_webrtc_header(r, "Link", &link);
}


static ngx_int_t
ngx_http_webrtc_events_order(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char                  *more;
    uint32_t                 name;
    ngx_str_t                id, url, detail;
    ngx_uint_t               i, mask;
    const char              *cause;
    ngx_webrtc_bus_t        *bus;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_info_t   info;

    if (body->len && r->headers_in.content_type == NULL) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                       "expected application/json", NULL);
    }

    ngx_str_null(&id);
    (void) ngx_http_webrtc_arg(r, "session", &id);

    if (ngx_webrtc_sse_parse_order(body->data, body->data + body->len, &mask,
                                   &cause)
        != NGX_OK)
    {
        detail.data = (u_char *) cause;
        detail.len = ngx_strlen(cause);

        return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                       "no such events", &detail);
    }

    more = ngx_pnalloc(r->pool, sizeof("&events=01234567"));

    if (more == NULL
        || ngx_http_webrtc_random((u_char *) &name, sizeof(name)) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    name |= 1;

    *ngx_sprintf(more, "&events=%08xD", name) = '\0';

    if (ngx_http_webrtc_worker == NULL
        || ngx_webrtc_peers_find_id(ngx_http_webrtc_worker->bus, &id, NULL,
                                    &info)
           != NGX_OK)
    {
        return ngx_http_webrtc_session_unknown(r, &id);
    }

    bus = ngx_http_webrtc_worker->bus;

    peer = ngx_webrtc_peers_lock(bus, info.ref);
    if (peer == NULL) {
        return ngx_http_webrtc_session_unknown(r, &id);
    }

    for (i = 0; i < NGX_WEBRTC_PEER_EVENTS; i++) {
        if (peer->events[i].id == 0) {
            peer->events[i].mask = (uint32_t) mask;
            peer->events[i].id = name;
            break;
        }
    }

    ngx_webrtc_peers_unlock(bus);

    if (i == NGX_WEBRTC_PEER_EVENTS) {
        return ngx_http_webrtc_events_too_many(r);
    }

    if (ngx_http_webrtc_url_session(r, id.data, (char *) more, &url) != NGX_OK
        || ngx_http_webrtc_header(r, "Location", &url) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&detail);

    return ngx_http_webrtc_answer(r, NGX_HTTP_CREATED, NULL, &detail);
}


static ngx_int_t
ngx_http_webrtc_events_cancel(ngx_http_request_t *r, uint64_t ref,
    uint32_t name)
{
    ngx_str_t           empty;
    ngx_uint_t          i;
    ngx_webrtc_bus_t   *bus;
    ngx_webrtc_peer_t  *peer;

    bus = ngx_http_webrtc_worker->bus;

    peer = ngx_webrtc_peers_lock(bus, ref);

    if (peer) {
        for (i = 0; i < NGX_WEBRTC_PEER_EVENTS; i++) {
            if (peer->events[i].id == name) {
                peer->events[i].id = 0;
            }
        }

        ngx_webrtc_peers_unlock(bus);

        ngx_webrtc_peers_touch(bus, ref);
    }

    ngx_str_null(&empty);

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, NULL, &empty);
}


/*
 * Which event stream is it?
 *
 *   text   as in the URL, empty: the one of all events, whose name is 0
 *
 * NGX_OK, NGX_DECLINED
 */

static ngx_int_t
ngx_http_webrtc_events_find(ngx_webrtc_peer_t *peer, ngx_str_t *text,
    uint32_t *name, uint32_t *mask)
{
    uint32_t    n;
    ngx_uint_t  i;

    if (text->len == 0) {
        *name = 0;
        *mask = NGX_WEBRTC_SSE_ALL;
        return NGX_OK;
    }

    if (ngx_webrtc_sse_parse_name(text->data, text->data + text->len, &n)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < NGX_WEBRTC_PEER_EVENTS; i++) {
        if (peer->events[i].id == n) {
            *name = peer->events[i].id;
            *mask = peer->events[i].mask;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_webrtc_events_open(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    uint32_t name, uint32_t mask)
{
    ngx_int_t                         rc;
    ngx_str_t                        *id;
    ngx_uint_t                        n;
    ngx_queue_t                      *q;
    ngx_http_cleanup_t               *cln;
    ngx_http_webrtc_events_t         *ec, *other;
    ngx_http_webrtc_events_stream_t  *es;

    if (r->method == NGX_HTTP_HEAD || r->header_only) {
        r->header_only = 1;

        rc = ngx_http_webrtc_events_header(r);

        return (rc == NGX_ERROR || rc > NGX_OK) ? rc : NGX_DONE;
    }

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_events_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ec = cln->data;
    ngx_memzero(ec, sizeof(ngx_http_webrtc_events_t));

    ec->request = r;
    ec->ref = peer->ref;
    ec->name = name;
    ec->mask = mask;

    /* the slot was copied before: whatever happens now is found again */

    ec->news = (uint64_t) -1;

    if (ngx_http_webrtc_url_endpoint(r, &ec->endpoint) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ec->buf = ngx_create_temp_buf(r->pool, NGX_HTTP_WEBRTC_EVENTS_BUFFER
                                  + ec->endpoint.len
                                  + ngx_escape_json(NULL, ec->endpoint.data,
                                                    ec->endpoint.len));
    if (ec->buf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    es = ngx_http_webrtc_events_stream(peer->stream);
    if (es == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ec->es = es;
    cln->handler = ngx_http_webrtc_events_cleanup;

    n = 0;

    for (q = ngx_queue_head(&es->clients);
         q != ngx_queue_sentinel(&es->clients);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_http_webrtc_events_t, queue);
        n += (other->ref == ec->ref);
    }

    if (n >= NGX_HTTP_WEBRTC_EVENTS_CLIENTS) {
        return ngx_http_webrtc_events_too_many(r);
    }

    rc = ngx_http_webrtc_events_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (r->header_only) {
        return NGX_DONE;
    }

    ngx_queue_insert_tail(&es->clients, &ec->queue);
    ngx_queue_insert_tail(&ngx_http_webrtc_events_sent, &ec->sent);

    ec->listed = 1;
    ec->time = ngx_current_msec;
    ec->counted = ngx_current_msec - NGX_HTTP_WEBRTC_EVENTS_COUNT;

    if (!ngx_http_webrtc_events_timer.timer_set) {
        ngx_add_timer(&ngx_http_webrtc_events_timer,
                      NGX_HTTP_WEBRTC_EVENTS_TICK);
    }

    id = ngx_http_webrtc_request_header(r, "last-event-id");

    if (id) {
        (void) ngx_webrtc_sse_parse_id(id->data, id->data + id->len,
                                       &ec->known);
    }

    ec->buf->last = ngx_sprintf(ec->buf->last, "retry: %d\n\n",
                                NGX_HTTP_WEBRTC_EVENTS_RETRY);

    if (ngx_http_webrtc_events_send(ec) != NGX_OK) {
        return NGX_ERROR;
    }

    /* lives until ngx_http_webrtc_events_end() or until the client goes */

    ngx_http_webrtc_wait(r);
    r->write_event_handler = ngx_http_webrtc_events_writer;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_webrtc_events_too_many(ngx_http_request_t *r)
{
    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "too many event streams of a session",
                                   NULL);
}


static ngx_int_t
ngx_http_webrtc_events_header(ngx_http_request_t *r)
{
    static ngx_str_t  type = ngx_string("text/event-stream");
    static ngx_str_t  cache = ngx_string("no-store");
    static ngx_str_t  buffering = ngx_string("no");

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;
    r->headers_out.content_type = type;
    r->headers_out.content_type_len = type.len;
    r->headers_out.content_type_lowcase = NULL;

    r->disable_not_modified = 1;

    /* the latter is for nginx in front of nginx */

    if (ngx_http_webrtc_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_webrtc_header(r, "X-Accel-Buffering", &buffering)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_send_header(r);
}


/* found or made, used once more; NULL without memory */

static ngx_http_webrtc_events_stream_t *
ngx_http_webrtc_events_stream(uint64_t ref)
{
    ngx_uint_t                        i;
    ngx_queue_t                      *q, *bucket;
    ngx_http_webrtc_events_stream_t  *es;

    if (!ngx_http_webrtc_events_ready) {

        for (i = 0; i < NGX_HTTP_WEBRTC_EVENTS_STREAMS; i++) {
            ngx_queue_init(&ngx_http_webrtc_events_streams[i]);
        }

        ngx_queue_init(&ngx_http_webrtc_events_sent);

        ngx_http_webrtc_events_timer.handler =
                                          ngx_http_webrtc_events_timer_handler;
        ngx_http_webrtc_events_timer.data = &ngx_http_webrtc_events_timer;

        ngx_http_webrtc_events_ready = 1;
    }

    ngx_http_webrtc_events_timer.log = ngx_http_webrtc_worker->log;

    bucket = &ngx_http_webrtc_events_streams
                  [ref % NGX_HTTP_WEBRTC_EVENTS_STREAMS];

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        es = ngx_queue_data(q, ngx_http_webrtc_events_stream_t, queue);

        if (es->ref == ref) {
            es->uses++;
            return es;
        }
    }

    es = ngx_calloc(sizeof(ngx_http_webrtc_events_stream_t),
                    ngx_http_webrtc_worker->log);
    if (es == NULL) {
        return NULL;
    }

    es->ref = ref;
    es->uses = 1;
    es->viewers = -1;
    es->st = ngx_webrtc_bus_stream_ref(ngx_http_webrtc_worker->bus, ref);

    ngx_queue_init(&es->clients);
    ngx_queue_insert_tail(bucket, &es->queue);

    ngx_http_webrtc_events_look(es, 1);

    return es;
}


static void
ngx_http_webrtc_events_release(ngx_http_webrtc_events_stream_t *es)
{
    if (--es->uses) {
        return;
    }

    if (es->st) {
        ngx_webrtc_bus_release(ngx_http_webrtc_worker->bus, es->st);
    }

    ngx_queue_remove(&es->queue);
    ngx_free(es);
}


static void
ngx_http_webrtc_events_cleanup(void *data)
{
    ngx_http_webrtc_events_t *ec = data;

    if (ec->es == NULL) {
        return;
    }

    if (ec->listed) {
        ngx_queue_remove(&ec->queue);
        ngx_queue_remove(&ec->sent);
        ec->listed = 0;
    }

    ngx_http_webrtc_events_release(ec->es);
    ec->es = NULL;

    if (ngx_queue_empty(&ngx_http_webrtc_events_sent)
        && ngx_http_webrtc_events_timer.timer_set)
    {
        ngx_del_timer(&ngx_http_webrtc_events_timer);
    }
}


void
ngx_http_webrtc_events_wake(ngx_webrtc_stream_t *st)
{
    ngx_uint_t                        live;
    ngx_queue_t                      *q, *bucket;
    ngx_http_webrtc_events_stream_t  *es;

    /* for each frame of a stream that is viewed here: nearly always in vain */

    if (st == NULL || !ngx_http_webrtc_events_timer.timer_set) {
        return;
    }

    bucket = &ngx_http_webrtc_events_streams
                  [st->ref % NGX_HTTP_WEBRTC_EVENTS_STREAMS];

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        es = ngx_queue_data(q, ngx_http_webrtc_events_stream_t, queue);

        if (es->ref == st->ref) {
            live = (ngx_webrtc_bus_state(st) == NGX_WEBRTC_STREAM_ACTIVE);

            if (live != es->live) {
                ngx_http_webrtc_events_tick(es, 0);
            }

            return;
        }
    }
}


void
ngx_http_webrtc_events_done(void)
{
    ngx_queue_t               *q;
    ngx_http_webrtc_events_t  *ec;

    if (!ngx_http_webrtc_events_ready) {
        return;
    }

    while (!ngx_queue_empty(&ngx_http_webrtc_events_sent)) {
        q = ngx_queue_head(&ngx_http_webrtc_events_sent);
        ec = ngx_queue_data(q, ngx_http_webrtc_events_t, sent);
        ngx_http_webrtc_events_end(ec);
    }
}


static void
ngx_http_webrtc_events_timer_handler(ngx_event_t *ev)
{
    ngx_uint_t                        i, slow;
    ngx_queue_t                      *q, *next, *bucket;
    ngx_http_webrtc_events_stream_t  *es;

    if (ngx_exiting) {
        ngx_http_webrtc_events_done();
        return;
    }

    slow = (++ngx_http_webrtc_events_ticks % NGX_HTTP_WEBRTC_EVENTS_SLOW == 0);

    ngx_http_webrtc_events_heartbeats();

    for (i = 0; i < NGX_HTTP_WEBRTC_EVENTS_STREAMS; i++) {

        bucket = &ngx_http_webrtc_events_streams[i];

        for (q = ngx_queue_head(bucket);
             q != ngx_queue_sentinel(bucket);
             q = next)
        {
            es = ngx_queue_data(q, ngx_http_webrtc_events_stream_t, queue);

            /* it stays in its bucket until it has been seen to */

            es->uses++;

            ngx_http_webrtc_events_tick(es, slow);

            next = ngx_queue_next(q);

            ngx_http_webrtc_events_release(es);
        }
    }

    if (!ngx_queue_empty(&ngx_http_webrtc_events_sent)) {
        ngx_add_timer(ev, NGX_HTTP_WEBRTC_EVENTS_TICK);
    }
}


/* tells the clients of a stream what they do not know yet */

static void
ngx_http_webrtc_events_tick(ngx_http_webrtc_events_stream_t *es,
    ngx_uint_t slow)
{
    ngx_int_t                  viewers;
    ngx_uint_t                 live;
    ngx_queue_t                todo, *q;
    ngx_http_webrtc_events_t  *ec;

    live = es->live;
    viewers = es->viewers;

    ngx_http_webrtc_events_look(es, slow);

    if (!slow && live == es->live && viewers == es->viewers) {
        return;
    }

    if (ngx_queue_empty(&es->clients)) {
        return;
    }

    /*
     * What is done for one client may end others, as when they share an HTTP/2
     * connection, so that there is no next one to be remembered.
     */

    es->uses++;

    ngx_queue_init(&todo);
    ngx_queue_add(&todo, &es->clients);
    ngx_queue_init(&es->clients);

    while (!ngx_queue_empty(&todo)) {
        q = ngx_queue_head(&todo);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&es->clients, q);

        ec = ngx_queue_data(q, ngx_http_webrtc_events_t, queue);

        if (slow && ngx_http_webrtc_events_alive(ec) != NGX_OK) {
            ngx_http_webrtc_events_end(ec);
            continue;
        }

        ngx_http_webrtc_events_run(ec);
    }

    ngx_http_webrtc_events_release(es);
}


/* those who have not been sent anything for the longest time come first */

static void
ngx_http_webrtc_events_heartbeats(void)
{
    ngx_queue_t               *q;
    ngx_http_webrtc_events_t  *ec;

    while (!ngx_queue_empty(&ngx_http_webrtc_events_sent)) {
        q = ngx_queue_head(&ngx_http_webrtc_events_sent);
        ec = ngx_queue_data(q, ngx_http_webrtc_events_t, sent);

        if (ngx_current_msec - ec->time < NGX_HTTP_WEBRTC_EVENTS_HEARTBEAT) {
            return;
        }

        if (ec->heartbeat) {

            /* what was sent before the last one is still unread */

            ngx_http_webrtc_events_end(ec);
            continue;
        }

        ec->heartbeat = 1;
        ec->time = ngx_current_msec;

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_http_webrtc_events_sent, q);

        ngx_http_webrtc_events_run(ec);
    }
}


static void
ngx_http_webrtc_events_look(ngx_http_webrtc_events_stream_t *es,
    ngx_uint_t slow)
{
    if (es->st == NULL) {
        es->live = 0;
        es->viewers = -1;
        return;
    }

    es->live = (ngx_webrtc_bus_state(es->st) == NGX_WEBRTC_STREAM_ACTIVE);

    if (slow) {
        es->viewers = (ngx_int_t)
                      ngx_webrtc_bus_viewers(ngx_http_webrtc_worker->bus,
                                             es->st);
    }
}


/* NGX_OK; NGX_DECLINED: the session or what was ordered is gone */

static ngx_int_t
ngx_http_webrtc_events_alive(ngx_http_webrtc_events_t *ec)
{
    uint64_t            news;
    ngx_int_t           rc;
    ngx_uint_t          i;
    ngx_webrtc_bus_t   *bus;
    ngx_webrtc_peer_t  *peer;

    bus = ngx_http_webrtc_worker->bus;

    if (ngx_webrtc_peers_news(bus, ec->ref, &news) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (news == ec->news) {
        return NGX_OK;
    }

    ec->news = news;

    peer = ngx_webrtc_peers_lock(bus, ec->ref);
    if (peer == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_OK;

    if (ec->name) {
        for (i = 0; i < NGX_WEBRTC_PEER_EVENTS; i++) {
            if (peer->events[i].id == ec->name) {
                break;
            }
        }

        if (i == NGX_WEBRTC_PEER_EVENTS) {
            rc = NGX_DECLINED;
        }
    }

    if (peer->closing) {
        rc = NGX_DECLINED;
    }

    if (peer->reconnect != ec->reconnected) {
        ec->reconnected = peer->reconnect;
        ec->reconnect = 1;
    }

    ngx_webrtc_peers_unlock(bus);

    return rc;
}


/* sends what there is, from an event that is not the request's own */

static void
ngx_http_webrtc_events_run(ngx_http_webrtc_events_t *ec)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ec->request;
    c = r->connection;

    if (ngx_http_webrtc_events_send(ec) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        ngx_http_run_posted_requests(c);
    }
}


/*
 * Sends what the client does not know, unless it still has to read what was
 * sent before: then the writer comes here.
 *
 * NGX_OK; NGX_ERROR: the request is to be finalized with it
 */

static ngx_int_t
ngx_http_webrtc_events_send(ngx_http_webrtc_events_t *ec)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = ec->request;
    b = ec->buf;

    if (ec->sending) {

        if (ngx_http_webrtc_events_blocked(ec)) {
            return NGX_OK;
        }

        b->pos = b->start;
        b->last = b->start;
    }

    b->last = ngx_http_webrtc_events_text(ec, b->last, b->end);

    if (b->last == b->pos) {
        return NGX_OK;
    }

    b->flush = 1;
    b->tag = (ngx_buf_tag_t) &ngx_http_webrtc_module;

    ec->sending = 1;

    out.buf = b;
    out.next = NULL;

    ec->heartbeat = 0;
    ec->time = ngx_current_msec;

    ngx_queue_remove(&ec->sent);
    ngx_queue_insert_tail(&ngx_http_webrtc_events_sent, &ec->sent);

    rc = ngx_http_output_filter(r, &out);

    if (rc == NGX_ERROR || r->connection->error) {
        return NGX_ERROR;
    }

    return ngx_handle_write_event(r->connection->write, 0);
}


static ngx_uint_t
ngx_http_webrtc_events_blocked(ngx_http_webrtc_events_t *ec)
{
    return ec->buf->pos != ec->buf->last
           || ec->request->buffered
           || ec->request->connection->buffered;
}


static u_char *
ngx_http_webrtc_events_text(ngx_http_webrtc_events_t *ec, u_char *p,
    u_char *end)
{
    u_char                           *last;
    ngx_int_t                         viewers;
    ngx_str_t                         data;
    ngx_uint_t                        event;
    ngx_http_webrtc_events_stream_t  *es;
    u_char                            buf[sizeof("{\"viewercount\":}")
                                          + NGX_INT_T_LEN];

    es = ec->es;

    if (ec->reconnect) {
        p = ngx_http_webrtc_events_reconnect(ec, p, end);
    }

    viewers = es->viewers;

    if (!(ec->mask & NGX_WEBRTC_SSE_VIEWERCOUNT)
        || ngx_current_msec - ec->counted < NGX_HTTP_WEBRTC_EVENTS_COUNT)
    {
        viewers = -1;
    }

    for ( ;; ) {
        event = ngx_webrtc_sse_next(&ec->known, es->live, viewers);
        if (event == 0) {
            break;
        }

        if (!(ec->mask & event)) {
            continue;
        }

        data.data = buf;

        if (event == NGX_WEBRTC_SSE_VIEWERCOUNT) {
            data.len = ngx_sprintf(buf, "{\"viewercount\":%i}", viewers)
                       - buf;
            ec->counted = ngx_current_msec;

        } else {
            data.len = ngx_sprintf(buf, "{}") - buf;
        }

        last = ngx_webrtc_sse_print(p, end, event, &ec->known, &data);
        if (last == NULL) {
            break;
        }

        p = last;
    }

    if (p == ec->buf->pos && ec->heartbeat) {
        p = ngx_cpymem(p, ":\n\n", sizeof(":\n\n") - 1);
    }

    return p;
}


/* to the same endpoint: another worker may be reached there */

static u_char *
ngx_http_webrtc_events_reconnect(ngx_http_webrtc_events_t *ec, u_char *p,
    u_char *end)
{
    u_char     *last, *data;
    ngx_str_t   text;

    ec->reconnect = 0;

    if (!(ec->mask & NGX_WEBRTC_SSE_RECONNECT)) {
        return p;
    }

    data = ngx_pnalloc(ec->request->pool,
                       sizeof("{\"url\":\"\"}") + ec->endpoint.len
                       + ngx_escape_json(NULL, ec->endpoint.data,
                                         ec->endpoint.len));
    if (data == NULL) {
        return p;
    }

    text.data = data;

    data = ngx_cpymem(data, "{\"url\":\"", sizeof("{\"url\":\"") - 1);
    data = (u_char *) ngx_escape_json(data, ec->endpoint.data,
                                      ec->endpoint.len);
    data = ngx_cpymem(data, "\"}", 2);

    text.len = data - text.data;

    last = ngx_webrtc_sse_print(p, end, NGX_WEBRTC_SSE_RECONNECT, &ec->known,
                                &text);

    return last ? last : p;
}


static void
ngx_http_webrtc_events_writer(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_http_cleanup_t        *cln;
    ngx_http_webrtc_events_t  *ec;

    wev = r->connection->write;

    for (cln = r->main->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_webrtc_events_cleanup) {
            break;
        }
    }

    if (cln == NULL) {
        return;
    }

    ec = cln->data;

    if ((ngx_http_webrtc_events_blocked(ec)
         && ngx_http_output_filter(r, NULL) == NGX_ERROR)
        || r->connection->error
        || ngx_handle_write_event(wev, 0) != NGX_OK
        || ngx_http_webrtc_events_send(ec) != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


/* the end of the response */

static void
ngx_http_webrtc_events_end(ngx_http_webrtc_events_t *ec)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ec->request;
    c = r->connection;

    /* it may have to be written later, by nginx */

    ngx_http_webrtc_events_cleanup(ec);

    if (ngx_http_webrtc_events_blocked(ec)) {

        /* it does not read: no end can be told to it */

        rc = NGX_ERROR;

    } else {
        rc = ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}
