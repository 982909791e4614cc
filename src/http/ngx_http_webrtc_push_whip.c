
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pushes by WHIP.  RFC 9725; RFC 6750 (bearer tokens), RFC 9110.
 *
 *   WAIT -- it has media --> FIND -- its address --> GATHER -- candidates
 *    ^ ^                                                          v
 *    | +-- a while -- REST <-- any of these failed               POST
 *    |                 ^                                          | 201
 *    +- it went well   |                                          v
 *       +--------------+--- deleted there --- LEAVE <-- ended -- RUN
 */


#include "ngx_http_webrtc_push_whip.h"
#include "ngx_http_webrtc_own.h"
#include "ngx_http_webrtc_whip_out.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_session.h"


/* ms of a Retry-After, at most */
#define NGX_HTTP_WEBRTC_PUSH_WHIP_LATER    600000

/* ms that candidates are waited for; chosen: as for an answer of ours */
#define NGX_HTTP_WEBRTC_PUSH_WHIP_GATHER   2000

/* ms of a POST, redirects included each, and of a DELETE */
#define NGX_HTTP_WEBRTC_PUSH_WHIP_POST     10000
#define NGX_HTTP_WEBRTC_PUSH_WHIP_DELETE   3000

/* redirects that are followed; chosen: a balancer, and what it balances */
#define NGX_HTTP_WEBRTC_PUSH_WHIP_HOPS     3


typedef enum {
    NGX_HTTP_WEBRTC_PUSH_WHIP_WAIT = 0,
    NGX_HTTP_WEBRTC_PUSH_WHIP_FINDING,
    NGX_HTTP_WEBRTC_PUSH_WHIP_GATHERING,
    NGX_HTTP_WEBRTC_PUSH_WHIP_POSTING,
    NGX_HTTP_WEBRTC_PUSH_WHIP_RUN,
    NGX_HTTP_WEBRTC_PUSH_WHIP_LEAVE,
    NGX_HTTP_WEBRTC_PUSH_WHIP_REST
} ngx_http_webrtc_push_whip_state_e;


typedef struct {
    ngx_webrtc_push_head_t         head;
    ngx_http_webrtc_loc_conf_t    *wlcf;
    ngx_http_webrtc_whip_client_t  client;

    /* of an attempt */

    ngx_http_webrtc_whip_out_t     out;
    uint64_t                       ref;        /* of its slot; 0: none */
    ngx_webrtc_request_t          *request;    /* under way; NULL: none */
    ngx_str_t                      body;       /* of the POST */
    ngx_uint_t                     hops;
    size_t                         at_len;
    size_t                         session_len;
    u_char                         at[NGX_WEBRTC_PUSH_URL];     /* redirected */
    u_char                         session[NGX_WEBRTC_PUSH_URL];
} ngx_http_webrtc_push_whip_t;


static ngx_http_webrtc_push_whip_t *ngx_http_webrtc_push_whip_of(
    uint64_t ref);
static void ngx_http_webrtc_push_whip_one(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_begin(ngx_http_webrtc_push_whip_t *w);
static ngx_int_t ngx_http_webrtc_push_whip_url(
    ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_found(void *ctx);
static ngx_int_t ngx_http_webrtc_push_whip_attempt(
    ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_offer(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_post(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_answered(void *ctx,
    ngx_webrtc_http_reply_t *reply, const char *cause);
static void ngx_http_webrtc_push_whip_redirect(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_http_reply_t *reply);
static void ngx_http_webrtc_push_whip_created(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_http_reply_t *reply);
static void ngx_http_webrtc_push_whip_refused(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_http_reply_t *reply);
static void ngx_http_webrtc_push_whip_run(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_count(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_peer_t *peer);
static void ngx_http_webrtc_push_whip_leave(ngx_http_webrtc_push_whip_t *w,
    const char *cause);
static void ngx_http_webrtc_push_whip_deleted(void *ctx,
    ngx_webrtc_http_reply_t *reply, const char *cause);
static void ngx_http_webrtc_push_whip_over(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_failed(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_forget(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_clear(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_free(ngx_http_webrtc_push_whip_t *w);


/* by state; for the status.  What has failed has, until the next is up */

static const ngx_uint_t  ngx_http_webrtc_push_whip_outlet[] = {
    NGX_WEBRTC_OUTLET_WAITING,
    NGX_WEBRTC_OUTLET_STARTING,
    NGX_WEBRTC_OUTLET_STARTING,
    NGX_WEBRTC_OUTLET_STARTING,
    NGX_WEBRTC_OUTLET_STARTING,
    NGX_WEBRTC_OUTLET_WAITING,
    NGX_WEBRTC_OUTLET_FAILED
};


/* of this process */

static ngx_queue_t  ngx_http_webrtc_push_whips = {
    &ngx_http_webrtc_push_whips, &ngx_http_webrtc_push_whips
};


void
ngx_http_webrtc_push_whip_want(ngx_webrtc_stream_t *st,
    ngx_http_webrtc_loc_conf_t *wlcf, const ngx_webrtc_push_conf_t *push,
    const ngx_http_webrtc_whip_client_conf_t *conf, ngx_uint_t keep)
{
    ngx_http_webrtc_push_whip_t  *w;

    w = ngx_webrtc_push_head_find(&ngx_http_webrtc_push_whips, st, push);

    if (w == NULL) {

        w = ngx_webrtc_push_head_new(&ngx_http_webrtc_push_whips,
                                     sizeof(ngx_http_webrtc_push_whip_t),
                                     ngx_http_webrtc_worker->bus, st, push,
                                     ngx_http_webrtc_push_whip_outlet,
                                     NGX_HTTP_WEBRTC_PUSH_WHIP_REST,
                                     ngx_http_webrtc_worker->log);
        if (w == NULL) {
            return;
        }

        w->wlcf = wlcf;

        w->client.conf = conf;
        w->client.wlcf = wlcf;
        w->client.verify = push->verify;
        w->client.log = &w->head.log;
    }

    w->head.keep = (keep != 0);
    w->head.wanted = 1;
}


/* by the reference of its slot */

static ngx_http_webrtc_push_whip_t *
ngx_http_webrtc_push_whip_of(uint64_t ref)
{
    ngx_http_webrtc_push_whip_t  *w;

    w = NULL;

    do {
        w = ngx_http_webrtc_push_whip_next(w);
    } while (w && w->ref != ref);

    return w;
}


void *
ngx_http_webrtc_push_whip_next(void *push)
{
    return ngx_webrtc_push_head_next(&ngx_http_webrtc_push_whips, push);
}


ngx_webrtc_stream_t *
ngx_http_webrtc_push_whip_stream(void *push)
{
    return ((ngx_http_webrtc_push_whip_t *) push)->head.st;
}


void
ngx_http_webrtc_push_whip_tick(void)
{
    ngx_http_webrtc_push_whip_t  *w, *next;

    for (w = ngx_http_webrtc_push_whip_next(NULL); w; w = next) {
        next = ngx_http_webrtc_push_whip_next(w);
        ngx_http_webrtc_push_whip_one(w);
    }
}


static void
ngx_http_webrtc_push_whip_one(ngx_http_webrtc_push_whip_t *w)
{
    ngx_uint_t  wanted;

    wanted = w->head.wanted;
    w->head.wanted = 0;

    switch (w->head.state) {

    case NGX_HTTP_WEBRTC_PUSH_WHIP_REST:

        if (wanted && !ngx_webrtc_push_head_rested(&w->head)) {
            return;
        }

        ngx_webrtc_push_head_state(&w->head, NGX_HTTP_WEBRTC_PUSH_WHIP_WAIT);

        /* fall through */

    case NGX_HTTP_WEBRTC_PUSH_WHIP_WAIT:

        if (!wanted) {
            ngx_http_webrtc_push_whip_free(w);
            return;
        }

        if (ngx_webrtc_bus_state(w->head.st) == NGX_WEBRTC_STREAM_ACTIVE
            && ngx_webrtc_bus_tracks(w->head.st, NULL, NULL) != 0)
        {
            ngx_http_webrtc_push_whip_begin(w);
        }

        return;

    case NGX_HTTP_WEBRTC_PUSH_WHIP_LEAVE:
        return;

    default: /* FINDING, GATHERING, POSTING, RUN */

        if (!wanted || ngx_webrtc_push_head_moved(&w->head)) {
            ngx_http_webrtc_push_whip_leave(w, wanted ? "changed" : "ended");
            return;
        }

        if (w->head.state == NGX_HTTP_WEBRTC_PUSH_WHIP_RUN) {
            ngx_http_webrtc_push_whip_run(w);

        } else if (w->head.state == NGX_HTTP_WEBRTC_PUSH_WHIP_GATHERING
                   && ngx_current_msec - w->head.since
                      > NGX_HTTP_WEBRTC_PUSH_WHIP_GATHER)
        {
            /* a server of "webrtc_ice_server" is slow */

            ngx_http_webrtc_push_whip_offer(w);
        }
    }
}


static void
ngx_http_webrtc_push_whip_begin(ngx_http_webrtc_push_whip_t *w)
{
    ngx_int_t  rc;

    w->head.failed = 0;
    w->hops = 0;
    w->session_len = 0;
    w->head.cause = NULL;
    w->out.st = w->head.st;

    rc = ngx_http_webrtc_whip_out_ready(&w->out, w->wlcf, &w->head.log);

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_webrtc_push_whip_failed(w);
        return;
    }

    if (ngx_http_webrtc_push_whip_url(w) != NGX_OK) {
        return;
    }

    ngx_webrtc_push_head_state(&w->head, NGX_HTTP_WEBRTC_PUSH_WHIP_FINDING);

    if (ngx_http_webrtc_whip_client_find(&w->client,
                                         ngx_http_webrtc_push_whip_found, w)
        != NGX_AGAIN)
    {
        ngx_http_webrtc_push_whip_found(w);
    }
}


static void
ngx_http_webrtc_push_whip_found(void *ctx)
{
    ngx_http_webrtc_push_whip_t *w = ctx;

    if (w->client.lookup.cause) {
        ngx_webrtc_push_head_fail(&w->head, "%s", w->client.lookup.cause);
        ngx_http_webrtc_push_whip_over(w);
        return;
    }

    if (ngx_http_webrtc_push_whip_attempt(w) != NGX_OK) {
        ngx_http_webrtc_push_whip_failed(w);
        return;
    }

    ngx_webrtc_push_head_state(&w->head, NGX_HTTP_WEBRTC_PUSH_WHIP_GATHERING);
}


/* NGX_OK; NGX_DECLINED: it cannot be made, and the push rests */

static ngx_int_t
ngx_http_webrtc_push_whip_url(ngx_http_webrtc_push_whip_t *w)
{
    ngx_int_t               rc;
    ngx_str_t               url;
    const char             *cause;
    ngx_webrtc_http_url_t   to;

    rc = ngx_webrtc_push_head_url(&w->head, &cause);

    url.data = w->head.url;
    url.len = w->head.url_len;

    if (rc == NGX_OK && ngx_webrtc_http_url(&url, &to) != NGX_OK) {
        cause = "it has bytes that URLs do not have";
        rc = NGX_DECLINED;
    }

    if (rc != NGX_OK) {
        ngx_webrtc_push_head_fail(&w->head, "its URL: %s", cause);
        ngx_http_webrtc_push_whip_over(w);
        return NGX_DECLINED;
    }

    ngx_memcpy(w->at, url.data, url.len);
    w->at_len = url.len;
    w->client.user = to.user;

    ngx_webrtc_push_head_disclose(&w->head);

    return NGX_OK;
}


/* the slot, and the agent; NGX_DECLINED: out.cause */

static ngx_int_t
ngx_http_webrtc_push_whip_attempt(ngx_http_webrtc_push_whip_t *w)
{
    ngx_http_request_t  *r;

    /* the address says whether it is on this host, or in a private network */

    r = ngx_http_webrtc_own(w->wlcf, &w->client.lookup.addr, 0, &w->head.log);

    if (r == NULL) {
        w->out.cause_len = ngx_sprintf(w->out.cause, "no memory")
                           - w->out.cause;
        return NGX_DECLINED;
    }

    w->out.request = r;

    ngx_http_webrtc_own_stream(r, w->wlcf, &w->head.name);

    if (ngx_http_webrtc_whip_client_token(&w->client,
                               w->client.conf->evaluate(w->head.conf->ctx,
                                                        w->head.st,
                                                        w->client.token))
        != NGX_OK)
    {
        w->out.cause_len = ngx_sprintf(w->out.cause, "its token is too long, "
                                       "or has bytes that tokens do not have")
                           - w->out.cause;
        return NGX_DECLINED;
    }

    if (ngx_http_webrtc_whip_out_begin(&w->out) != NGX_OK) {
        return NGX_DECLINED;
    }

    w->ref = w->out.peer->ref;

    return NGX_OK;
}


void
ngx_http_webrtc_push_whip_gathered(uint64_t ref)
{
    ngx_http_webrtc_push_whip_t  *w;

    w = ngx_http_webrtc_push_whip_of(ref);

    if (w && w->head.state == NGX_HTTP_WEBRTC_PUSH_WHIP_GATHERING) {
        ngx_http_webrtc_push_whip_offer(w);
    }
}


static void
ngx_http_webrtc_push_whip_offer(ngx_http_webrtc_push_whip_t *w)
{
    if (ngx_http_webrtc_whip_out_offer(&w->out, &w->body) != NGX_OK) {
        ngx_http_webrtc_push_whip_failed(w);
        return;
    }

    ngx_webrtc_push_head_state(&w->head, NGX_HTTP_WEBRTC_PUSH_WHIP_POSTING);

    ngx_http_webrtc_push_whip_post(w);
}


static void
ngx_http_webrtc_push_whip_post(ngx_http_webrtc_push_whip_t *w)
{
    ngx_str_t  url = { w->at_len, w->at };

    w->request = ngx_http_webrtc_whip_client_send(&w->client, "POST", &url,
                                         &w->body,
                                         NGX_HTTP_WEBRTC_PUSH_WHIP_POST,
                                         ngx_http_webrtc_push_whip_answered,
                                         w);
    if (w->request == NULL) {
        ngx_webrtc_push_head_fail(&w->head, "no memory");
        ngx_http_webrtc_push_whip_over(w);
    }
}


static void
ngx_http_webrtc_push_whip_answered(void *ctx, ngx_webrtc_http_reply_t *reply,
    const char *cause)
{
    ngx_http_webrtc_push_whip_t *w = ctx;

    w->request = NULL;

    if (reply == NULL) {
        w->client.tried++;
        ngx_webrtc_push_head_fail(&w->head, "%s", cause);
        ngx_http_webrtc_push_whip_over(w);
        return;
    }

    switch (reply->status) {

    case NGX_HTTP_OK:
    case NGX_HTTP_CREATED:
        ngx_http_webrtc_push_whip_created(w, reply);
        return;

    case NGX_HTTP_TEMPORARY_REDIRECT:
    case NGX_HTTP_PERMANENT_REDIRECT:
        ngx_http_webrtc_push_whip_redirect(w, reply);
        return;

    default:
        ngx_http_webrtc_push_whip_refused(w, reply);
    }
}


/* the same offer goes elsewhere */

static void
ngx_http_webrtc_push_whip_redirect(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_http_reply_t *reply)
{
    ngx_str_t    at = { w->at_len, w->at };
    const char  *cause;

    cause = (w->hops++ < NGX_HTTP_WEBRTC_PUSH_WHIP_HOPS)
            ? ngx_http_webrtc_whip_client_redirect(&w->client, &at, reply,
                                                   sizeof(w->at))
            : "it redirects too often";

    if (cause) {
        ngx_webrtc_push_head_fail(&w->head, "%s", cause);
        ngx_http_webrtc_push_whip_over(w);
        return;
    }

    w->at_len = at.len;

    ngx_http_webrtc_push_whip_post(w);
}


static void
ngx_http_webrtc_push_whip_created(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_http_reply_t *reply)
{
    ngx_str_t  at = { w->at_len, w->at };
    ngx_str_t  session = { 0, w->session };

    ngx_http_webrtc_whip_client_session(&at, reply, &session,
                                        sizeof(w->session));
    w->session_len = session.len;

    if (ngx_http_webrtc_whip_out_answer(&w->out, &reply->body) != NGX_OK) {
        ngx_webrtc_push_head_fail(&w->head, "%*s", w->out.cause_len,
                                  w->out.cause);
        ngx_http_webrtc_push_whip_leave(w, "failed");
        return;
    }

    ngx_http_webrtc_push_whip_forget(w);
    ngx_webrtc_push_head_state(&w->head, NGX_HTTP_WEBRTC_PUSH_WHIP_RUN);
}


static void
ngx_http_webrtc_push_whip_refused(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_http_reply_t *reply)
{
    ngx_webrtc_push_head_fail(&w->head, "the target has answered %ui%s",
                              reply->status,
                              ngx_http_webrtc_whip_client_hint(reply->status));
    ngx_http_webrtc_push_whip_over(w);

    if (reply->retry_after) {
        ngx_webrtc_push_head_rest(&w->head,
                                  ngx_min(1000 * reply->retry_after,
                                          NGX_HTTP_WEBRTC_PUSH_WHIP_LATER));
    }
}


static void
ngx_http_webrtc_push_whip_run(ngx_http_webrtc_push_whip_t *w)
{
    ngx_webrtc_peer_t  *peer;

    peer = w->ref ? ngx_webrtc_peers_mine(w->head.bus, w->ref) : NULL;

    if (peer == NULL) {
        return;
    }

    if (w->head.begun == 0
        && ngx_webrtc_atomic_load(&peer->progress) == NGX_WEBRTC_PEER_UP)
    {
        ngx_webrtc_push_head_begin(&w->head);
    }

    ngx_http_webrtc_push_whip_count(w, peer);

    if (!w->head.keep && w->head.begun
        && ngx_http_webrtc_whip_out_alone(w->head.st, peer))
    {
        ngx_http_webrtc_push_whip_leave(w, "ended");
    }
}


static void
ngx_http_webrtc_push_whip_count(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_peer_t *peer)
{
    if (w->head.begun == 0) {
        return;
    }

    ngx_webrtc_push_head_sent(&w->head,
                              ngx_webrtc_atomic_load(&peer->stat.bytes_out),
                              ngx_current_msec - w->head.begun,
                              ngx_webrtc_atomic_load(&peer->stat.lapped));
}


void
ngx_http_webrtc_push_whip_ended(ngx_webrtc_peer_t *peer, const char *reason)
{
    ngx_http_webrtc_push_whip_t  *w;

    if (peer->role != NGX_WEBRTC_PEER_PUSH) {
        return;
    }

    w = ngx_http_webrtc_push_whip_of(peer->ref);

    if (w == NULL) {
        return;
    }

    ngx_http_webrtc_push_whip_count(w, peer);

    w->ref = 0;

    if (w->head.state != NGX_HTTP_WEBRTC_PUSH_WHIP_RUN) {

        if (w->head.state != NGX_HTTP_WEBRTC_PUSH_WHIP_LEAVE) {
            ngx_webrtc_push_head_fail(&w->head, "the session has ended: %s",
                                      reason);
            ngx_http_webrtc_push_whip_over(w);
        }

        return;
    }

    w->head.failed = 1;

    if (w->head.begun == 0) {
        ngx_webrtc_push_head_fail(&w->head, "no connection of WebRTC: %s",
                                  reason);
    }

    ngx_http_webrtc_push_whip_leave(w, reason);
}


/* the session here, and the one there */

static void
ngx_http_webrtc_push_whip_leave(ngx_http_webrtc_push_whip_t *w,
    const char *cause)
{
    ngx_str_t           url = { w->session_len, w->session };
    ngx_str_t           none = ngx_null_string;
    ngx_webrtc_peer_t  *peer;

    w->head.cause = cause;

    ngx_webrtc_push_head_state(&w->head, NGX_HTTP_WEBRTC_PUSH_WHIP_LEAVE);

    peer = w->ref ? ngx_webrtc_peers_mine(w->head.bus, w->ref) : NULL;

    if (peer && peer->session) {
        ngx_http_webrtc_push_whip_count(w, peer);
        ngx_webrtc_session_close(peer->session, "the push has ended");
    }

    if (w->request) {
        ngx_webrtc_request_cancel(w->request);
        w->request = NULL;
    }

    if (url.len) {
        w->request = ngx_http_webrtc_whip_client_send(&w->client, "DELETE",
                                         &url, &none,
                                         NGX_HTTP_WEBRTC_PUSH_WHIP_DELETE,
                                         ngx_http_webrtc_push_whip_deleted, w);
    }

    if (w->request == NULL) {
        ngx_http_webrtc_push_whip_over(w);
    }
}


static void
ngx_http_webrtc_push_whip_deleted(void *ctx, ngx_webrtc_http_reply_t *reply,
    const char *cause)
{
    ngx_http_webrtc_push_whip_t *w = ctx;

    w->request = NULL;
    ngx_http_webrtc_push_whip_over(w);
}


/* there is nothing more to be ended */

static void
ngx_http_webrtc_push_whip_over(ngx_http_webrtc_push_whip_t *w)
{
    ngx_http_webrtc_push_whip_clear(w);

    if (ngx_webrtc_push_head_end(&w->head)) {
        ngx_webrtc_push_head_state(&w->head, NGX_HTTP_WEBRTC_PUSH_WHIP_WAIT);

    } else {
        ngx_webrtc_push_head_rest(&w->head, 0);
    }
}


/* what out says has failed */

static void
ngx_http_webrtc_push_whip_failed(ngx_http_webrtc_push_whip_t *w)
{
    ngx_webrtc_push_head_fail(&w->head, "%*s", w->out.cause_len,
                              w->out.cause);
    ngx_http_webrtc_push_whip_over(w);
}


/* what an offer has taken */

static void
ngx_http_webrtc_push_whip_forget(ngx_http_webrtc_push_whip_t *w)
{
    ngx_http_webrtc_whip_out_done(&w->out);

    if (w->out.request) {
        ngx_http_webrtc_own_done(w->out.request);
    }

    ngx_memzero(&w->out, sizeof(ngx_http_webrtc_whip_out_t));
    ngx_str_null(&w->body);
}


/* what an attempt has taken */

static void
ngx_http_webrtc_push_whip_clear(ngx_http_webrtc_push_whip_t *w)
{
    ngx_webrtc_peer_t  *peer;

    if (w->request) {
        ngx_webrtc_request_cancel(w->request);
        w->request = NULL;
    }

    peer = w->ref ? ngx_webrtc_peers_mine(w->head.bus, w->ref) : NULL;
    w->ref = 0;

    if (peer && peer->session) {
        ngx_webrtc_session_close(peer->session, "the push has ended");
    }

    ngx_http_webrtc_push_whip_forget(w);
    ngx_webrtc_lookup_cancel(&w->client.lookup);

    ngx_explicit_memzero(w->client.token, sizeof(w->client.token));
    w->client.token_len = 0;
    w->session_len = 0;
}


ngx_uint_t
ngx_http_webrtc_push_whip_busy(void)
{
    ngx_http_webrtc_push_whip_t  *w;

    w = NULL;

    do {
        w = ngx_http_webrtc_push_whip_next(w);
    } while (w && w->head.state != NGX_HTTP_WEBRTC_PUSH_WHIP_LEAVE);

    return w != NULL;
}


void
ngx_http_webrtc_push_whip_exit(void)
{
    ngx_http_webrtc_push_whip_t  *w;

    while ((w = ngx_http_webrtc_push_whip_next(NULL)) != NULL) {
        ngx_http_webrtc_push_whip_free(w);
    }
}


static void
ngx_http_webrtc_push_whip_free(ngx_http_webrtc_push_whip_t *w)
{
    ngx_http_webrtc_push_whip_clear(w);

    ngx_webrtc_push_head_free(&w->head, sizeof(ngx_http_webrtc_push_whip_t));
}
