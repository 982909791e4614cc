
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SSE signalling.  All that a stream of events sends stands in the session's
 * slot (ngx_webrtc_bus_file.h), and the number of a message there is its id: so
 * any worker serves it, and one that was cut goes on behind Last-Event-ID.
 *
 * A session's slot being gone is what "bye" tells.
 */


#include "ngx_http_webrtc_signal.h"
#include "ngx_http_webrtc_file.h"
#include "ngx_http_webrtc_ice.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_session.h"
#include "ngx_webrtc_bus_file.h"
#include "ngx_webrtc_signal_json.h"


/* ms between comments of a stream without events; the protocol's */
#define NGX_HTTP_WEBRTC_SIGNAL_HEARTBEAT  15000


typedef struct {
    ngx_http_request_t      *request;
    ngx_queue_t              queue;
    uint64_t                 ref;             /* of the slot */
    ngx_uint_t               sent;            /* id of the last event */
    size_t                   known;           /* bytes of the log seen */
    ngx_msec_t               last;            /* time of the last output */
    ngx_chain_t             *free;
    ngx_chain_t             *busy;
    unsigned                 linked:1;
} ngx_http_webrtc_signal_t;


static ngx_int_t ngx_http_webrtc_signal_offer(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_signal_posted(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_signal_fragment(ngx_http_request_t *r,
    ngx_webrtc_signal_t *msg, ngx_str_t *frag);
static ngx_int_t ngx_http_webrtc_signal_ok(ngx_http_request_t *r,
    ngx_uint_t status, ngx_webrtc_peer_t *peer);
static ngx_int_t ngx_http_webrtc_signal_bad(ngx_http_request_t *r,
    const char *cause);
static ngx_int_t ngx_http_webrtc_signal_find(ngx_str_t *id,
    ngx_webrtc_peer_info_t *info, ngx_uint_t *full);
static ngx_int_t ngx_http_webrtc_signal_header(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_signal_news(ngx_http_webrtc_signal_t *sg);
static ngx_int_t ngx_http_webrtc_signal_event(ngx_http_webrtc_signal_t *sg,
    ngx_webrtc_file_message_t *msg);
static ngx_int_t ngx_http_webrtc_signal_send(ngx_http_webrtc_signal_t *sg,
    u_char *p, size_t n);
static void ngx_http_webrtc_signal_end(ngx_http_webrtc_signal_t *sg,
    ngx_int_t rc);
static void ngx_http_webrtc_signal_write(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_signal_arm(ngx_http_request_t *r);
static void ngx_http_webrtc_signal_cleanup(void *data);


static ngx_queue_t  ngx_http_webrtc_signal_streams = {
    &ngx_http_webrtc_signal_streams, &ngx_http_webrtc_signal_streams
};




ngx_int_t
ngx_http_webrtc_signal_start(ngx_http_request_t *r)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    return ngx_http_webrtc_read_body(r, wlcf->max_sdp,
                                     ngx_http_webrtc_signal_offer);
}


static ngx_int_t
ngx_http_webrtc_signal_offer(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char               *p;
    ngx_int_t             rc;
    ngx_str_t             sdp, answer;
    const char           *cause;
    ngx_webrtc_peer_t    *peer;
    ngx_webrtc_signal_t   msg;

    if (ngx_webrtc_signal_parse(body->data, body->len, &msg, &cause)
        != NGX_OK)
    {
        return ngx_http_webrtc_signal_bad(r, cause);
    }

    if (msg.type != NGX_WEBRTC_SIGNAL_OFFER) {
        ngx_webrtc_signal_free(&msg);
        return ngx_http_webrtc_signal_bad(r, "a session begins with an offer");
    }

    p = ngx_pnalloc(r->pool, msg.text.len + 1);

    if (p) {
        ngx_memcpy(p, msg.text.data, msg.text.len);
    }

    sdp.data = p;
    sdp.len = msg.text.len;

    ngx_webrtc_signal_free(&msg);

    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_webrtc_file_create(r, &sdp, 1, &peer, &answer);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = (ngx_http_webrtc_offer_headers(r, peer) == NGX_OK)
         ? ngx_http_webrtc_signal_ok(r, NGX_HTTP_CREATED, peer)
         : NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (rc != NGX_DONE) {
        ngx_http_webrtc_offer_undo(peer);
    }

    return rc;
}


ngx_int_t
ngx_http_webrtc_signal_message(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_int_t                    rc;
    ngx_webrtc_peer_info_t       info;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    if (ngx_http_webrtc_signal_find(id, &info, NULL) != NGX_OK) {

        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_webrtc_session_unknown(r, id);
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    return ngx_http_webrtc_read_body(r, wlcf->max_sdp,
                                     ngx_http_webrtc_signal_posted);
}


static ngx_int_t
ngx_http_webrtc_signal_posted(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_int_t                rc;
    ngx_str_t                id, frag;
    ngx_uint_t               type, full;
    const char              *cause;
    ngx_webrtc_signal_t      msg;
    ngx_webrtc_peer_info_t   info;

    if (ngx_webrtc_signal_parse(body->data, body->len, &msg, &cause)
        != NGX_OK)
    {
        return ngx_http_webrtc_signal_bad(r, cause);
    }

    type = msg.type;

    /* of a candidate: as a fragment of SDP (RFC 8840) */

    rc = ngx_http_webrtc_signal_fragment(r, &msg, &frag);

    ngx_webrtc_signal_free(&msg);

    if (rc == NGX_DECLINED) {
        return ngx_http_webrtc_signal_bad(r, "candidate is not one line");
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the body may have taken its time */

    if (ngx_http_webrtc_arg(r, "session", &id) != NGX_OK
        || ngx_http_webrtc_signal_find(&id, &info, &full) != NGX_OK)
    {
        return ngx_http_webrtc_session_unknown(r, &id);
    }

    if (type == NGX_WEBRTC_SIGNAL_BYE
        && ngx_webrtc_worker_close(ngx_http_webrtc_worker, &id) != NGX_OK)
    {
        return ngx_http_webrtc_session_unknown(r, &id);
    }

    /*
     * An offer that is repeated changes nothing.  A lite agent needs no
     * candidates of the client: it answers checks, from whatever address
     * (RFC 8445, 2.5).
     */

    if (full && frag.len) {

        rc = ngx_http_webrtc_ice_trickle(r, &info, &frag);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_webrtc_signal_ok(r, NGX_HTTP_OK, NULL);
}


/* frag is empty unless there is a candidate; NGX_DECLINED: not one line */

static ngx_int_t
ngx_http_webrtc_signal_fragment(ngx_http_request_t *r,
    ngx_webrtc_signal_t *msg, ngx_str_t *frag)
{
    u_char  *p;
    size_t   i;

    ngx_str_null(frag);

    if (msg->type != NGX_WEBRTC_SIGNAL_CANDIDATE || msg->text.len == 0) {
        return NGX_OK;
    }

    for (i = 0; i < msg->text.len; i++) {
        if (msg->text.data[i] < ' ') {
            return NGX_DECLINED;
        }
    }

    p = ngx_pnalloc(r->pool, msg->text.len + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    frag->data = p;

    p = ngx_cpymem(p, "a=", 2);
    p = ngx_cpymem(p, msg->text.data, msg->text.len);
    p = ngx_cpymem(p, CRLF, 2);

    frag->len = p - frag->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_signal_ok(ngx_http_request_t *r, ngx_uint_t status,
    ngx_webrtc_peer_t *peer)
{
    ngx_str_t  body;

    body.data = ngx_pnalloc(r->pool, sizeof("{\"ok\":true,\"session\":\"\"}")
                                     + NGX_WEBRTC_PEER_ID_LEN);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (peer) {
        body.len = ngx_sprintf(body.data, "{\"ok\":true,\"session\":\"%*s\"}",
                               (size_t) NGX_WEBRTC_PEER_ID_LEN, peer->id)
                   - body.data;

    } else {
        body.len = ngx_sprintf(body.data, "{\"ok\":true}") - body.data;
    }

    return ngx_http_webrtc_answer(r, status, &ngx_http_webrtc_json_type,
                                  &body);
}


static ngx_int_t
ngx_http_webrtc_signal_bad(ngx_http_request_t *r, const char *cause)
{
    ngx_str_t  detail;

    detail.data = (u_char *) cause;
    detail.len = ngx_strlen(cause);

    return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                   "malformed message", &detail);
}


/* a file session that has not ended */

static ngx_int_t
ngx_http_webrtc_signal_find(ngx_str_t *id, ngx_webrtc_peer_info_t *info,
    ngx_uint_t *full)
{
    ngx_webrtc_peer_t  peer;

    if (ngx_http_webrtc_worker == NULL
        || ngx_webrtc_peers_find_id(ngx_http_webrtc_worker->bus, id, &peer,
                                    info)
           != NGX_OK
        || peer.role != NGX_WEBRTC_PEER_FILES)
    {
        return NGX_DECLINED;
    }

    if (full) {
        *full = peer.full;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_webrtc_signal_wanted(ngx_http_request_t *r)
{
    ngx_str_t  *accept;

    accept = ngx_http_webrtc_request_header(r, "accept");

    return accept
           && ngx_strlcasestrn(accept->data, accept->data + accept->len,
                               (u_char *) "text/event-stream",
                               sizeof("text/event-stream") - 2)
              != NULL;
}


ngx_int_t
ngx_http_webrtc_signal_events(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_int_t                  rc;
    ngx_str_t                 *last;
    ngx_queue_t               *q;
    ngx_connection_t          *c;
    ngx_pool_cleanup_t        *cln;
    ngx_webrtc_peer_info_t     info;
    ngx_http_webrtc_signal_t  *sg, *other;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_webrtc_signal_find(id, &info, NULL) != NGX_OK) {
        return ngx_http_webrtc_session_unknown(r, id);
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_webrtc_signal_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sg = cln->data;
    ngx_memzero(sg, sizeof(ngx_http_webrtc_signal_t));

    cln->handler = ngx_http_webrtc_signal_cleanup;

    sg->request = r;
    sg->ref = info.ref;
    sg->last = ngx_current_msec;

    last = ngx_http_webrtc_request_header(r, "last-event-id");

    if (last && last->len) {
        rc = ngx_atoi(last->data, last->len);
        sg->sent = (rc == NGX_ERROR) ? 0 : (ngx_uint_t) rc;
    }

    /* a connection that was cut may not know it yet: the newest is the one */

    for (q = ngx_queue_head(&ngx_http_webrtc_signal_streams);
         q != ngx_queue_sentinel(&ngx_http_webrtc_signal_streams);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_http_webrtc_signal_t, queue);

        if (other->ref == sg->ref) {
            c = other->request->connection;
            ngx_http_webrtc_signal_end(other, NGX_OK);
            ngx_http_run_posted_requests(c);
            break;
        }
    }

    rc = ngx_http_webrtc_signal_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (r->header_only) {
        return NGX_DONE;
    }

    ngx_http_webrtc_wait(r);
    r->write_event_handler = ngx_http_webrtc_signal_write;

    ngx_queue_insert_tail(&ngx_http_webrtc_signal_streams, &sg->queue);
    sg->linked = 1;

    rc = ngx_http_webrtc_signal_send(sg, (u_char *) "retry: 1000\n\n",
                                     sizeof("retry: 1000\n\n") - 1);

    if (rc == NGX_ERROR || ngx_http_webrtc_signal_news(sg) == NGX_ERROR) {
        ngx_http_webrtc_signal_end(sg, NGX_ERROR);
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_webrtc_signal_header(ngx_http_request_t *r)
{
    static ngx_str_t  none = ngx_string("no-store");
    static ngx_str_t  no = ngx_string("no");

    r->disable_not_modified = 1;
    r->headers_out.status = NGX_HTTP_OK;
    ngx_str_set(&r->headers_out.content_type, "text/event-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    /* nginx in front of us, and others, would wait for more */

    if (ngx_http_webrtc_header(r, "Cache-Control", &none) != NGX_OK
        || ngx_http_webrtc_header(r, "X-Accel-Buffering", &no) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_send_header(r);
}


void
ngx_http_webrtc_signal_tick(void)
{
    ngx_int_t                  rc;
    ngx_queue_t               *q, *next;
    ngx_connection_t          *c;
    ngx_http_webrtc_signal_t  *sg;
    ngx_webrtc_file_message_t  msg;
    ngx_time_t                *tp;

    for (q = ngx_queue_head(&ngx_http_webrtc_signal_streams);
         q != ngx_queue_sentinel(&ngx_http_webrtc_signal_streams);
         q = next)
    {
        next = ngx_queue_next(q);
        sg = ngx_queue_data(q, ngx_http_webrtc_signal_t, queue);
        c = sg->request->connection;

        if (c->buffered) {
            /* what was sent has to go first, send_timeout runs */
            continue;
        }

        rc = ngx_http_webrtc_signal_news(sg);

        if (rc == NGX_DECLINED) {

            tp = ngx_timeofday();

            msg.type = NGX_WEBRTC_SIGNAL_BYE;
            msg.time_ms = (uint64_t) tp->sec * 1000 + tp->msec;
            ngx_str_null(&msg.text);

            rc = ngx_http_webrtc_signal_event(sg, &msg);

            ngx_http_webrtc_signal_end(sg, rc);
            ngx_http_run_posted_requests(c);
            continue;
        }

        if (rc == NGX_OK
            && ngx_current_msec - sg->last >= NGX_HTTP_WEBRTC_SIGNAL_HEARTBEAT)
        {
            rc = ngx_http_webrtc_signal_send(sg, (u_char *) ":\n\n", 3);
        }

        /* a client whose worker shuts down goes on in another one */

        if (rc == NGX_ERROR || ngx_exiting || ngx_quit) {
            ngx_http_webrtc_signal_end(sg, rc == NGX_ERROR ? rc : NGX_OK);
            ngx_http_run_posted_requests(c);
        }
    }
}


/* NGX_OK, NGX_DECLINED the session has ended, NGX_ERROR */

static ngx_int_t
ngx_http_webrtc_signal_news(ngx_http_webrtc_signal_t *sg)
{
    u_char                     *p, *end;
    size_t                      n;
    ngx_int_t                   rc;
    ngx_uint_t                  id;
    ngx_webrtc_file_message_t   msg;

    static u_char  log[NGX_WEBRTC_FILE_LOG];

    n = sg->known;

    rc = ngx_webrtc_file_copy_log(ngx_http_webrtc_worker->bus, sg->ref, log,
                                  &n);

    if (rc != NGX_OK) {
        return (rc == NGX_AGAIN) ? NGX_OK : NGX_DECLINED;
    }

    sg->known = n;

    id = 0;
    p = log;
    end = log + n;

    for ( ;; ) {
        p = ngx_webrtc_file_next(p, end, &msg);
        if (p == NULL) {
            return NGX_OK;
        }

        if (++id <= sg->sent) {
            continue;
        }

        if (ngx_http_webrtc_signal_event(sg, &msg) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_http_webrtc_signal_event(ngx_http_webrtc_signal_t *sg,
    ngx_webrtc_file_message_t *msg)
{
    u_char     *p, *last;
    size_t      size;
    ngx_int_t   rc;

    size = NGX_WEBRTC_SIGNAL_EVENT + msg->text.len
           + ngx_escape_json(NULL, msg->text.data, msg->text.len);

    p = ngx_alloc(size, sg->request->connection->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = ngx_webrtc_signal_print_event(p, p + size, sg->sent + 1, msg->type,
                                         &msg->text, msg->time_ms);

    rc = last ? ngx_http_webrtc_signal_send(sg, p, last - p) : NGX_ERROR;

    ngx_free(p);

    if (rc != NGX_ERROR) {
        sg->sent++;
    }

    return rc;
}


/* NGX_OK, NGX_ERROR; p is copied */

static ngx_int_t
ngx_http_webrtc_signal_send(ngx_http_webrtc_signal_t *sg, u_char *p, size_t n)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t         *out;
    ngx_http_request_t  *r;

    r = sg->request;

    out = ngx_chain_get_free_buf(r->pool, &sg->free);
    if (out == NULL) {
        return NGX_ERROR;
    }

    b = out->buf;

    /* heartbeats find room in what events have left */

    if (b->start == NULL || (size_t) (b->end - b->start) < n) {
        b->start = ngx_pnalloc(r->pool, n);
        if (b->start == NULL) {
            return NGX_ERROR;
        }

        b->end = b->start + n;
    }

    b->pos = b->start;
    b->last = ngx_cpymem(b->pos, p, n);
    b->temporary = 1;
    b->flush = 1;
    b->tag = (ngx_buf_tag_t) &ngx_http_webrtc_module;

    rc = ngx_http_output_filter(r, out);

    ngx_chain_update_chains(r->pool, &sg->free, &sg->busy, &out,
                            (ngx_buf_tag_t) &ngx_http_webrtc_module);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    sg->last = ngx_current_msec;

    return ngx_http_webrtc_signal_arm(r);
}


static void
ngx_http_webrtc_signal_end(ngx_http_webrtc_signal_t *sg, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = sg->request;

    ngx_queue_remove(&sg->queue);
    sg->linked = 0;

    if (rc != NGX_ERROR) {
        r->keepalive = 0;
        rc = ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    ngx_http_finalize_request(r, rc);
}


/* the client takes more, or has not for too long */

static void
ngx_http_webrtc_signal_write(ngx_http_request_t *r)
{
    ngx_event_t       *wev;
    ngx_connection_t  *c;

    c = r->connection;
    wev = c->write;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if ((c->buffered && ngx_http_output_filter(r, NULL) == NGX_ERROR)
        || ngx_http_webrtc_signal_arm(r) != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


static ngx_int_t
ngx_http_webrtc_signal_arm(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    wev = c->write;

    clcf = ngx_http_get_module_loc_conf(r->main, ngx_http_core_module);

    if (!c->buffered) {

        /* with "limit_rate" the timer is nginx's, which waits for it */

        if (wev->timer_set && !wev->delayed) {
            ngx_del_timer(wev);
        }

    } else if (!wev->timer_set) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


static void
ngx_http_webrtc_signal_cleanup(void *data)
{
    ngx_http_webrtc_signal_t *sg = data;

    if (sg->linked) {
        ngx_queue_remove(&sg->queue);
        sg->linked = 0;
    }
}
