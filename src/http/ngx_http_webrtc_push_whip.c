
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
#include "ngx_webrtc_output_said.h"
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_source_mask.h"


/* ms of the pauses before another attempt: the first one, and the longest */
#define NGX_HTTP_WEBRTC_PUSH_WHIP_PAUSE    1000
#define NGX_HTTP_WEBRTC_PUSH_WHIP_PAUSES   30000

/* ms of a Retry-After, at most */
#define NGX_HTTP_WEBRTC_PUSH_WHIP_LATER    600000

/* ms after which a session counts as one that went well; chosen */
#define NGX_HTTP_WEBRTC_PUSH_WHIP_LIVED    10000

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
    ngx_queue_t                    queue;
    ngx_webrtc_bus_t              *bus;
    ngx_webrtc_stream_t           *st;         /* held */
    ngx_http_webrtc_loc_conf_t    *wlcf;
    const ngx_webrtc_push_conf_t  *push;
    ngx_http_webrtc_whip_client_t  client;
    ngx_webrtc_outlet_t           *outlet;
    ngx_webrtc_output_said_t       said;
    ngx_log_t                      log;
    ngx_str_t                      name;       /* of st */
    ngx_uint_t                     state;
    ngx_msec_t                     since;      /* of the state */
    ngx_msec_t                     until;      /* of REST */
    ngx_msec_t                     pause;      /* the last one; 0: none */
    ngx_msec_t                     begun;      /* the session is up; 0: not */
    uint64_t                       holder;     /* publisher that "url" is of */
    uint64_t                       bytes;      /* of sessions before */
    uint64_t                       media_ms;   /* likewise */
    uint64_t                       left_out;   /* likewise */

    /* of an attempt */

    ngx_http_webrtc_whip_out_t     out;
    uint64_t                       ref;        /* of its slot; 0: none */
    ngx_webrtc_request_t          *request;    /* under way; NULL: none */
    ngx_str_t                      body;       /* of the POST */
    ngx_uint_t                     hops;
    const char                    *cause;      /* of its end */
    size_t                         url_len;
    size_t                         at_len;
    size_t                         session_len;
    u_char                         url[NGX_WEBRTC_PUSH_URL];    /* configured */
    u_char                         at[NGX_WEBRTC_PUSH_URL];     /* redirected */
    u_char                         session[NGX_WEBRTC_PUSH_URL];
    unsigned                       wanted:1;
    unsigned                       keep:1;     /* a variant for it alone */
    unsigned                       failed:1;   /* this attempt */
} ngx_http_webrtc_push_whip_t;


static ngx_http_webrtc_push_whip_t *ngx_http_webrtc_push_whip_find(
    ngx_webrtc_stream_t *st, const ngx_webrtc_push_conf_t *conf,
    uint64_t ref);
static u_char *ngx_http_webrtc_push_whip_log(ngx_log_t *log, u_char *buf,
    size_t len);
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
static ngx_uint_t ngx_http_webrtc_push_whip_elsewhere(
    ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_count(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_peer_t *peer);
static void ngx_http_webrtc_push_whip_leave(ngx_http_webrtc_push_whip_t *w,
    const char *cause);
static void ngx_http_webrtc_push_whip_deleted(void *ctx,
    ngx_webrtc_http_reply_t *reply, const char *cause);
static void ngx_http_webrtc_push_whip_left(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_over(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_failed(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_complain(ngx_http_webrtc_push_whip_t *w,
    const char *fmt, ...);
static void ngx_http_webrtc_push_whip_forget(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_clear(ngx_http_webrtc_push_whip_t *w);
static void ngx_http_webrtc_push_whip_rest(ngx_http_webrtc_push_whip_t *w,
    ngx_msec_t least);
static void ngx_http_webrtc_push_whip_state(ngx_http_webrtc_push_whip_t *w,
    ngx_uint_t state);
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
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_outlet_t          *outlet;
    ngx_http_webrtc_push_whip_t  *w;

    bus = ngx_http_webrtc_worker->bus;
    w = ngx_http_webrtc_push_whip_find(st, push, 0);

    if (w) {
        w->keep = (keep != 0);
        w->wanted = 1;
        return;
    }

    outlet = ngx_webrtc_output_said_take(bus, st, NGX_WEBRTC_OUTLET_PUSH,
                                         push->id, "push failed",
                                         ngx_http_webrtc_worker->log);
    if (outlet == NULL) {
        return;
    }

    w = ngx_calloc(sizeof(ngx_http_webrtc_push_whip_t),
                   ngx_http_webrtc_worker->log);

    if (w == NULL) {
        ngx_webrtc_bus_outlet_give(bus, outlet);
        return;
    }

    w->bus = bus;
    w->st = st;
    w->wlcf = wlcf;
    w->push = push;
    w->keep = (keep != 0);
    w->outlet = outlet;
    w->wanted = 1;

    w->name.data = st->name;
    w->name.len = st->name_len;

    w->log = *ngx_http_webrtc_worker->log;
    w->log.handler = ngx_http_webrtc_push_whip_log;
    w->log.data = w;
    w->log.action = NULL;

    w->client.conf = conf;
    w->client.wlcf = wlcf;
    w->client.verify = push->verify;
    w->client.log = &w->log;

    w->said.event = "push";
    w->said.log = &w->log;
    w->said.bus = bus;
    w->said.outlet = outlet;

    ngx_webrtc_bus_hold(bus, st);

    ngx_http_webrtc_push_whip_state(w, NGX_HTTP_WEBRTC_PUSH_WHIP_WAIT);

    ngx_queue_insert_tail(&ngx_http_webrtc_push_whips, &w->queue);
}


/* by its stream, NULL, or the reference of its slot */

static ngx_http_webrtc_push_whip_t *
ngx_http_webrtc_push_whip_find(ngx_webrtc_stream_t *st,
    const ngx_webrtc_push_conf_t *conf, uint64_t ref)
{
    ngx_http_webrtc_push_whip_t  *w;

    w = NULL;

    do {
        w = ngx_http_webrtc_push_whip_next(w);
    } while (w && (st ? (w->st != st || w->push != conf) : w->ref != ref));

    return w;
}


void *
ngx_http_webrtc_push_whip_next(void *push)
{
    ngx_queue_t                  *q;
    ngx_http_webrtc_push_whip_t  *w;

    w = push;

    q = w ? ngx_queue_next(&w->queue)
          : ngx_queue_head(&ngx_http_webrtc_push_whips);

    return (q == ngx_queue_sentinel(&ngx_http_webrtc_push_whips))
           ? NULL : ngx_queue_data(q, ngx_http_webrtc_push_whip_t, queue);
}


ngx_webrtc_stream_t *
ngx_http_webrtc_push_whip_stream(void *push)
{
    return ((ngx_http_webrtc_push_whip_t *) push)->st;
}


/* the URL that is disclosed is in the outlet */

static u_char *
ngx_http_webrtc_push_whip_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_webrtc_push_whip_t  *w;

    w = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\", to: \"%*s\"", &w->name,
                        (size_t) w->outlet->text_len, w->outlet->text);
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

    wanted = w->wanted;
    w->wanted = 0;

    switch (w->state) {

    case NGX_HTTP_WEBRTC_PUSH_WHIP_REST:

        if (wanted && (ngx_msec_int_t) (w->until - ngx_current_msec) > 0) {
            return;
        }

        ngx_http_webrtc_push_whip_state(w, NGX_HTTP_WEBRTC_PUSH_WHIP_WAIT);

        /* fall through */

    case NGX_HTTP_WEBRTC_PUSH_WHIP_WAIT:

        if (!wanted) {
            ngx_http_webrtc_push_whip_free(w);
            return;
        }

        if (ngx_webrtc_bus_state(w->st) == NGX_WEBRTC_STREAM_ACTIVE
            && ngx_webrtc_bus_tracks(w->st, NULL, NULL) != 0)
        {
            ngx_http_webrtc_push_whip_begin(w);
        }

        return;

    case NGX_HTTP_WEBRTC_PUSH_WHIP_LEAVE:
        return;

    default: /* FINDING, GATHERING, POSTING, RUN */

        if (!wanted || ngx_http_webrtc_push_whip_elsewhere(w)) {
            ngx_http_webrtc_push_whip_leave(w, wanted ? "changed" : "ended");
            return;
        }

        if (w->state == NGX_HTTP_WEBRTC_PUSH_WHIP_RUN) {
            ngx_http_webrtc_push_whip_run(w);

        } else if (w->state == NGX_HTTP_WEBRTC_PUSH_WHIP_GATHERING
                   && ngx_current_msec - w->since
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

    w->failed = 0;
    w->hops = 0;
    w->session_len = 0;
    w->cause = NULL;
    w->out.st = w->st;

    rc = ngx_http_webrtc_whip_out_ready(&w->out, w->wlcf, &w->log);

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

    ngx_http_webrtc_push_whip_state(w, NGX_HTTP_WEBRTC_PUSH_WHIP_FINDING);

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
        ngx_http_webrtc_push_whip_complain(w, "%s", w->client.lookup.cause);
        ngx_http_webrtc_push_whip_over(w);
        return;
    }

    if (ngx_http_webrtc_push_whip_attempt(w) != NGX_OK) {
        ngx_http_webrtc_push_whip_failed(w);
        return;
    }

    ngx_http_webrtc_push_whip_state(w, NGX_HTTP_WEBRTC_PUSH_WHIP_GATHERING);
}


/* NGX_OK; NGX_DECLINED: it cannot be made, and the push rests */

static ngx_int_t
ngx_http_webrtc_push_whip_url(ngx_http_webrtc_push_whip_t *w)
{
    u_char                 *p, text[NGX_WEBRTC_OUTLET_TEXT];
    ngx_str_t               url;
    const char             *cause;
    ngx_webrtc_http_url_t   to;

    w->holder = ngx_webrtc_atomic_load(&w->st->holder);
    w->url_len = w->push->url(w->push->ctx, w->st, w->url, &cause);

    url.data = w->url;
    url.len = w->url_len;

    if (url.len && ngx_webrtc_http_url(&url, &to) != NGX_OK) {
        w->url_len = 0;
        cause = "it has bytes that URLs do not have";
    }

    if (w->url_len == 0) {
        ngx_http_webrtc_push_whip_complain(w, "its URL: %s", cause);
        ngx_http_webrtc_push_whip_over(w);
        return NGX_DECLINED;
    }

    ngx_memcpy(w->at, w->url, w->url_len);
    w->at_len = w->url_len;
    w->client.user = to.user;

    p = ngx_webrtc_source_mask_url(text, text + sizeof(text), &url, &w->name);

    url.data = text;
    url.len = p - text;
    ngx_webrtc_bus_outlet_text(w->bus, w->outlet, &url);

    return NGX_OK;
}


/* the slot, and the agent; NGX_DECLINED: out.cause */

static ngx_int_t
ngx_http_webrtc_push_whip_attempt(ngx_http_webrtc_push_whip_t *w)
{
    ngx_http_request_t  *r;

    /* the address says whether it is on this host, or in a private network */

    r = ngx_http_webrtc_own(w->wlcf, &w->client.lookup.addr, 0, &w->log);

    if (r == NULL) {
        w->out.cause_len = ngx_sprintf(w->out.cause, "no memory")
                           - w->out.cause;
        return NGX_DECLINED;
    }

    w->out.request = r;

    ngx_http_webrtc_own_stream(r, w->wlcf, &w->name);

    if (ngx_http_webrtc_whip_client_token(&w->client,
                               w->client.conf->evaluate(w->push->ctx, w->st,
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

    w = ngx_http_webrtc_push_whip_find(NULL, NULL, ref);

    if (w && w->state == NGX_HTTP_WEBRTC_PUSH_WHIP_GATHERING) {
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

    ngx_http_webrtc_push_whip_state(w, NGX_HTTP_WEBRTC_PUSH_WHIP_POSTING);

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
        ngx_http_webrtc_push_whip_complain(w, "no memory");
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
        ngx_http_webrtc_push_whip_complain(w, "%s", cause);
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
        ngx_http_webrtc_push_whip_complain(w, "%s", cause);
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
        ngx_http_webrtc_push_whip_complain(w, "%*s", w->out.cause_len,
                                           w->out.cause);
        ngx_http_webrtc_push_whip_leave(w, "failed");
        return;
    }

    ngx_http_webrtc_push_whip_forget(w);
    ngx_http_webrtc_push_whip_state(w, NGX_HTTP_WEBRTC_PUSH_WHIP_RUN);
}


static void
ngx_http_webrtc_push_whip_refused(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_http_reply_t *reply)
{
    ngx_http_webrtc_push_whip_complain(w, "the target has answered %ui%s",
                                 reply->status,
                                 ngx_http_webrtc_whip_client_hint(
                                                           reply->status));
    ngx_http_webrtc_push_whip_over(w);

    if (reply->retry_after) {
        ngx_http_webrtc_push_whip_rest(w, ngx_min(1000 * reply->retry_after,
                                           NGX_HTTP_WEBRTC_PUSH_WHIP_LATER));
    }
}


static void
ngx_http_webrtc_push_whip_run(ngx_http_webrtc_push_whip_t *w)
{
    ngx_webrtc_peer_t  *peer;

    peer = w->ref ? ngx_webrtc_peers_mine(w->bus, w->ref) : NULL;

    if (peer == NULL) {
        return;
    }

    if (w->begun == 0
        && ngx_webrtc_atomic_load(&peer->progress) == NGX_WEBRTC_PEER_UP)
    {
        ngx_log_error(NGX_LOG_NOTICE, &w->log, 0, "webrtc push begins");

        w->begun = ngx_current_msec;

        ngx_webrtc_atomic_add(&w->outlet->files, 1);
        ngx_webrtc_bus_outlet_state(w->outlet, NGX_WEBRTC_OUTLET_ACTIVE,
                                    ngx_current_msec);
    }

    ngx_http_webrtc_push_whip_count(w, peer);

    if (!w->keep && w->begun && ngx_http_webrtc_whip_out_alone(w->st, peer)) {
        ngx_http_webrtc_push_whip_leave(w, "ended");
    }
}


/* does another publisher's URL lead elsewhere? */

static ngx_uint_t
ngx_http_webrtc_push_whip_elsewhere(ngx_http_webrtc_push_whip_t *w)
{
    u_char       url[NGX_WEBRTC_PUSH_URL];
    size_t       n;
    uint64_t     holder;
    const char  *cause;

    holder = ngx_webrtc_atomic_load(&w->st->holder);

    if (holder == 0 || holder == w->holder) {
        return 0;
    }

    w->holder = holder;
    n = w->push->url(w->push->ctx, w->st, url, &cause);

    return n != w->url_len || ngx_memcmp(url, w->url, n) != 0;
}


static void
ngx_http_webrtc_push_whip_count(ngx_http_webrtc_push_whip_t *w,
    ngx_webrtc_peer_t *peer)
{
    if (w->begun == 0) {
        return;
    }

    ngx_webrtc_atomic_store(&w->outlet->bytes,
                            w->bytes + ngx_webrtc_atomic_load(
                                                     &peer->stat.bytes_out));
    ngx_webrtc_atomic_store(&w->outlet->media_ms,
                            w->media_ms + ngx_current_msec - w->begun);
    ngx_webrtc_atomic_store(&w->outlet->left_out,
                            w->left_out + ngx_webrtc_atomic_load(
                                                     &peer->stat.lapped));
}


void
ngx_http_webrtc_push_whip_ended(ngx_webrtc_peer_t *peer, const char *reason)
{
    ngx_http_webrtc_push_whip_t  *w;

    if (peer->role != NGX_WEBRTC_PEER_PUSH) {
        return;
    }

    w = ngx_http_webrtc_push_whip_find(NULL, NULL, peer->ref);

    if (w == NULL) {
        return;
    }

    ngx_http_webrtc_push_whip_count(w, peer);

    w->ref = 0;

    if (w->state != NGX_HTTP_WEBRTC_PUSH_WHIP_RUN) {

        if (w->state != NGX_HTTP_WEBRTC_PUSH_WHIP_LEAVE) {
            ngx_http_webrtc_push_whip_complain(w, "the session has ended: %s",
                                               reason);
            ngx_http_webrtc_push_whip_over(w);
        }

        return;
    }

    w->failed = 1;

    if (w->begun == 0) {
        ngx_http_webrtc_push_whip_complain(w, "no connection of WebRTC: %s",
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

    w->cause = cause;

    ngx_http_webrtc_push_whip_state(w, NGX_HTTP_WEBRTC_PUSH_WHIP_LEAVE);

    peer = w->ref ? ngx_webrtc_peers_mine(w->bus, w->ref) : NULL;

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
        ngx_http_webrtc_push_whip_left(w);
    }
}


static void
ngx_http_webrtc_push_whip_deleted(void *ctx, ngx_webrtc_http_reply_t *reply,
    const char *cause)
{
    ngx_http_webrtc_push_whip_t *w = ctx;

    w->request = NULL;
    ngx_http_webrtc_push_whip_left(w);
}


static void
ngx_http_webrtc_push_whip_left(ngx_http_webrtc_push_whip_t *w)
{
    ngx_uint_t  lived;

    lived = (w->begun && ngx_current_msec - w->begun
                         > NGX_HTTP_WEBRTC_PUSH_WHIP_LIVED);

    if (w->begun) {
        ngx_log_error(NGX_LOG_NOTICE, &w->log, 0,
                      "webrtc push ends bytes:%uL duration_ms:%uL cause:%s",
                      w->outlet->bytes - w->bytes,
                      w->outlet->media_ms - w->media_ms,
                      w->cause ? w->cause : "ended");
    }

    if (lived) {
        w->pause = 0;
        w->said.hash = 0;
    }

    ngx_http_webrtc_push_whip_clear(w);

    if (w->failed || !lived) {
        ngx_http_webrtc_push_whip_rest(w, 0);

    } else {
        ngx_http_webrtc_push_whip_state(w, NGX_HTTP_WEBRTC_PUSH_WHIP_WAIT);
    }
}


/* the attempt is over, before there was anything to be ended */

static void
ngx_http_webrtc_push_whip_over(ngx_http_webrtc_push_whip_t *w)
{
    ngx_http_webrtc_push_whip_clear(w);
    ngx_http_webrtc_push_whip_rest(w, 0);
}


/* what out says has failed */

static void
ngx_http_webrtc_push_whip_failed(ngx_http_webrtc_push_whip_t *w)
{
    ngx_http_webrtc_push_whip_complain(w, "%*s", w->out.cause_len,
                                       w->out.cause);
    ngx_http_webrtc_push_whip_over(w);
}


static void
ngx_http_webrtc_push_whip_complain(ngx_http_webrtc_push_whip_t *w,
    const char *fmt, ...)
{
    u_char     buf[NGX_WEBRTC_ERROR_TEXT];
    va_list    args;
    ngx_str_t  text;

    va_start(args, fmt);
    text.data = buf;
    text.len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args) - buf;
    va_end(args);

    ngx_webrtc_output_said(&w->said, &text);

    w->failed = 1;
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

    peer = w->ref ? ngx_webrtc_peers_mine(w->bus, w->ref) : NULL;
    w->ref = 0;

    if (peer && peer->session) {
        ngx_webrtc_session_close(peer->session, "the push has ended");
    }

    ngx_http_webrtc_push_whip_forget(w);
    ngx_webrtc_lookup_cancel(&w->client.lookup);

    ngx_explicit_memzero(w->client.token, sizeof(w->client.token));
    w->client.token_len = 0;
    w->session_len = 0;

    w->begun = 0;
    w->bytes = w->outlet->bytes;
    w->media_ms = w->outlet->media_ms;
    w->left_out = w->outlet->left_out;
}


/* least: ms, as the target wants it */

static void
ngx_http_webrtc_push_whip_rest(ngx_http_webrtc_push_whip_t *w,
    ngx_msec_t least)
{
    if (least == 0) {
        w->pause = w->pause ? ngx_min(2 * w->pause,
                                      NGX_HTTP_WEBRTC_PUSH_WHIP_PAUSES)
                            : NGX_HTTP_WEBRTC_PUSH_WHIP_PAUSE;
    }

    w->until = ngx_current_msec + ngx_max(w->pause, least);

    ngx_http_webrtc_push_whip_state(w, NGX_HTTP_WEBRTC_PUSH_WHIP_REST);
}


static void
ngx_http_webrtc_push_whip_state(ngx_http_webrtc_push_whip_t *w,
    ngx_uint_t state)
{
    w->state = state;
    w->since = ngx_current_msec;

    if (state == NGX_HTTP_WEBRTC_PUSH_WHIP_REST && !w->failed) {
        state = NGX_HTTP_WEBRTC_PUSH_WHIP_WAIT;
    }

    if (w->outlet->state != NGX_WEBRTC_OUTLET_FAILED) {
        ngx_webrtc_bus_outlet_state(w->outlet,
                                    ngx_http_webrtc_push_whip_outlet[state],
                                    ngx_current_msec);
    }
}


ngx_uint_t
ngx_http_webrtc_push_whip_busy(void)
{
    ngx_http_webrtc_push_whip_t  *w;

    w = NULL;

    do {
        w = ngx_http_webrtc_push_whip_next(w);
    } while (w && w->state != NGX_HTTP_WEBRTC_PUSH_WHIP_LEAVE);

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

    ngx_queue_remove(&w->queue);

    ngx_webrtc_bus_outlet_give(w->bus, w->outlet);
    ngx_webrtc_bus_release(w->bus, w->st);

    ngx_explicit_memzero(w, sizeof(ngx_http_webrtc_push_whip_t));
    ngx_free(w);
}
