
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SSE signalling.  All messages of an event stream are kept in the session's
 * slot (ngx_webrtc_bus_file.h), and a message's number there is its event id.
 * So any worker can serve the stream, and one that was cut off is resumed after
 * Last-Event-ID.
 *
 * "bye" means that the session's slot is gone.
 */


#include "ngx_http_webrtc_signal.h"
#include "ngx_http_webrtc_file_offer.h"
#include "ngx_http_webrtc_file_play.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_ice.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_signal_log.h"
#include "ngx_http_webrtc_sse.h"
#include "ngx_webrtc_bus_file.h"
#include "ngx_webrtc_nice.h"
#include "ngx_webrtc_signal.h"
#include "ngx_webrtc_signal_json.h"



/* one stream of signalling events */
typedef struct {
    ngx_uint_t               sent;            /* id of the last event */
    size_t                   known;           /* bytes of the log seen */
} ngx_http_webrtc_signal_t;


static ngx_int_t ngx_http_webrtc_signal_offer(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_signal_attach(ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_signal_created(
    ngx_http_webrtc_offer_t *offer);
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
static ngx_int_t ngx_http_webrtc_signal_news(ngx_http_webrtc_sse_t *sse);
static ngx_int_t ngx_http_webrtc_signal_event(ngx_http_webrtc_sse_t *sse,
    ngx_webrtc_file_message_t *msg);


static const ngx_http_webrtc_offer_kind_t  ngx_http_webrtc_signal_offers = {
    NGX_WEBRTC_PEER_FILES,
    NGX_HTTP_WEBRTC_NOT_ACCEPTABLE,
    1,
    ngx_http_webrtc_file_find,
    ngx_http_webrtc_file_play,
    NULL,
    ngx_http_webrtc_file_negotiate,
    ngx_http_webrtc_signal_attach,
    NULL,
    ngx_http_webrtc_signal_created
};


static const ngx_http_webrtc_sse_kind_t  ngx_http_webrtc_signal_kind = {
    ngx_http_webrtc_signal_news,
    NULL
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
    ngx_str_t             sdp;
    const char           *cause;
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

    return ngx_http_webrtc_offer(r, &ngx_http_webrtc_signal_offers, &sdp);
}


static ngx_int_t
ngx_http_webrtc_signal_attach(ngx_http_webrtc_offer_t *offer)
{
    size_t              room;
    ngx_int_t           rc;
    ngx_webrtc_peer_t  *peer;

    peer = offer->peer;

    room = 2 * offer->answer.len
           + (peer->full ? NGX_WEBRTC_NICE_CANDIDATES : offer->ncand)
             * NGX_WEBRTC_NEGOTIATE_CANDIDATE;

    rc = ngx_http_webrtc_file_attach_with(offer, room);

    if (rc == NGX_OK) {
        rc = ngx_http_webrtc_signal_log(offer->request, peer, &offer->answer,
                                        offer->cand, offer->ncand);
    }

    return ngx_http_webrtc_file_attached(offer, rc);
}


static ngx_int_t
ngx_http_webrtc_signal_created(ngx_http_webrtc_offer_t *offer)
{
    return ngx_http_webrtc_signal_ok(offer->request, offer->status,
                                     offer->peer);
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

        return ngx_http_webrtc_no_session(r, id);
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

    /* of a candidate: as an SDP fragment (RFC 8840) */

    rc = ngx_http_webrtc_signal_fragment(r, &msg, &frag);

    ngx_webrtc_signal_free(&msg);

    if (rc == NGX_DECLINED) {
        return ngx_http_webrtc_signal_bad(r, "candidate is not one line");
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* look up again: reading the body may have taken long */

    if (ngx_http_webrtc_arg(r, "session", &id) != NGX_OK
        || ngx_http_webrtc_signal_find(&id, &info, &full) != NGX_OK)
    {
        return ngx_http_webrtc_no_session(r, &id);
    }

    if (type == NGX_WEBRTC_SIGNAL_BYE
        && ngx_webrtc_worker_close(ngx_http_webrtc_worker, &id) != NGX_OK)
    {
        return ngx_http_webrtc_no_session(r, &id);
    }

    /*
     * A repeated offer changes nothing.  A lite agent does not need the
     * client's candidates: it answers checks from any address (RFC 8445, 2.5).
     */

    if (full && frag.len) {

        rc = ngx_http_webrtc_ice_trickle(r, &info, &frag);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_webrtc_signal_ok(r, NGX_HTTP_OK, NULL);
}


/* frag is empty unless there is a candidate; NGX_DECLINED: not a single line */

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


/* finds a file session that has not ended */

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


ngx_int_t
ngx_http_webrtc_signal_events(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_int_t                  rc;
    ngx_str_t                 *last;
    ngx_http_webrtc_sse_t     *sse, *other;
    ngx_webrtc_peer_info_t     info;
    ngx_http_webrtc_signal_t  *sg;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_webrtc_signal_find(id, &info, NULL) != NGX_OK) {
        return ngx_http_webrtc_no_session(r, id);
    }

    sse = ngx_http_webrtc_sse_create(r, &ngx_http_webrtc_signal_kind, info.ref,
                                     sizeof(ngx_http_webrtc_signal_t));
    if (sse == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    last = ngx_http_webrtc_request_header(r, "last-event-id");

    if (last && last->len) {
        sg = sse->data;
        rc = ngx_atoi(last->data, last->len);
        sg->sent = (rc == NGX_ERROR) ? 0 : (ngx_uint_t) rc;
    }

    /* an older connection may be broken without our knowing: the newest wins */

    other = ngx_http_webrtc_sse_find(&ngx_http_webrtc_signal_kind, info.ref,
                                     NULL);
    if (other) {
        ngx_http_webrtc_sse_end(other);
    }

    return ngx_http_webrtc_sse_start(sse);
}


/*
 * Messages not sent yet, and "bye" when the session has ended, or when one of
 * the messages says that it is of no use.
 */

static ngx_int_t
ngx_http_webrtc_signal_news(ngx_http_webrtc_sse_t *sse)
{
    u_char                     *p, *end;
    size_t                      n;
    ngx_int_t                   rc;
    ngx_uint_t                  id;
    ngx_time_t                 *tp;
    ngx_http_webrtc_signal_t   *sg;
    ngx_webrtc_file_message_t   msg;

    static u_char  log[NGX_WEBRTC_FILE_LOG];

    sg = sse->data;
    n = sg->known;

    rc = ngx_webrtc_file_copy_log(ngx_http_webrtc_worker->bus, sse->key, log,
                                  &n);

    if (rc == NGX_AGAIN) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {

        tp = ngx_timeofday();

        msg.type = NGX_WEBRTC_SIGNAL_BYE;
        msg.time_ms = (uint64_t) tp->sec * 1000 + tp->msec;
        ngx_str_null(&msg.text);

        rc = ngx_http_webrtc_signal_event(sse, &msg);

        return (rc == NGX_OK) ? NGX_DONE : NGX_ERROR;
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

        if (ngx_http_webrtc_signal_event(sse, &msg) != NGX_OK) {
            return NGX_ERROR;
        }

        if (msg.type == NGX_WEBRTC_SIGNAL_BYE) {
            (void) ngx_webrtc_worker_end(ngx_http_webrtc_worker, sse->key,
                                         NGX_WEBRTC_WHY_USELESS);
            return NGX_DONE;
        }
    }
}


static ngx_int_t
ngx_http_webrtc_signal_event(ngx_http_webrtc_sse_t *sse,
    ngx_webrtc_file_message_t *msg)
{
    u_char                    *p;
    ngx_buf_t                 *b;
    ngx_http_webrtc_signal_t  *sg;

    sg = sse->data;

    b = ngx_http_webrtc_sse_room(sse, NGX_WEBRTC_SIGNAL_EVENT + msg->text.len
                                      + ngx_escape_json(NULL, msg->text.data,
                                                        msg->text.len));
    if (b == NULL) {
        return NGX_ERROR;
    }

    p = ngx_webrtc_signal_print_event(b->last, b->end, sg->sent + 1, msg->type,
                                      &msg->text, msg->time_ms);
    if (p == NULL) {
        return NGX_ERROR;
    }

    b->last = p;
    sg->sent++;

    return NGX_OK;
}
