
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher, from claiming the stream to its end.  What it sends has been
 * decrypted by its session, and goes to ingest.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_session_stat.h"
#include "ngx_webrtc_publisher_role.h"
#include "ngx_webrtc_publisher.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_publish.h"
#include "ngx_webrtc_ingest_feedback.h"
#include "ngx_webrtc_ingest_life.h"
#include "ngx_webrtc_ingest_ring.h"
#include "ngx_webrtc_ingest_rtp.h"
#include "ngx_webrtc_roles.h"
#include "ngx_webrtc_worker.h"
#include "ngx_webrtc_time.h"


/* ms between two attempts to take over from the previous publisher */
#define NGX_WEBRTC_PUBLISHER_RETRY     5

/* attempts: 5 s; chosen: its worker has closed it by then, or is reaped */
#define NGX_WEBRTC_PUBLISHER_RETRIES   1000


#define ngx_webrtc_publisher_worker(wk)                                       \
    ((ngx_webrtc_publisher_worker_t *)                                        \
     (wk)->roles[NGX_WEBRTC_PEER_PUBLISH].state)


static void *ngx_webrtc_publisher_role_init(ngx_webrtc_worker_t *wk,
    void *conf);
static void ngx_webrtc_publisher_role_done(void *state);
static void ngx_webrtc_publisher_role_batch(void *state);
static void ngx_webrtc_publisher_role_start(ngx_webrtc_session_t *s);
static void ngx_webrtc_publisher_role_stop(ngx_webrtc_session_t *s);
static void ngx_webrtc_publisher_role_claim(ngx_webrtc_session_t *s);
static void ngx_webrtc_publisher_role_begin(ngx_webrtc_session_t *s);
static void ngx_webrtc_publisher_role_timer(ngx_event_t *ev);
static void ngx_webrtc_publisher_role_log_end(ngx_webrtc_session_t *s);
static void ngx_webrtc_publisher_role_rtp(ngx_webrtc_session_t *s,
    ngx_webrtc_rtp_t *rtp, size_t n);
static void ngx_webrtc_publisher_role_second(ngx_webrtc_session_t *s);
static void ngx_webrtc_publisher_role_rtcp(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_t *rtcp);
static void ngx_webrtc_publisher_role_keyframe(ngx_webrtc_session_t *s,
    ngx_webrtc_stream_t *st);
static void ngx_webrtc_publisher_role_send(void *data, u_char *p, size_t n);
static void ngx_webrtc_publisher_role_news(void *data,
    ngx_webrtc_stream_t *st);
static void ngx_webrtc_publisher_role_complain(void *data, const char *what);
static void ngx_webrtc_publisher_role_close(void *data, const char *reason);


const ngx_webrtc_role_t  ngx_webrtc_publisher_role = {
    .name = "publisher",
    .id = NGX_WEBRTC_PEER_PUBLISH,
    .media = NGX_WEBRTC_ROLE_RECEIVES,
    .stream = 1,

    .init = ngx_webrtc_publisher_role_init,
    .done = ngx_webrtc_publisher_role_done,
    .batch = ngx_webrtc_publisher_role_batch,

    .start = ngx_webrtc_publisher_role_start,
    .stop = ngx_webrtc_publisher_role_stop,
    .rtp = ngx_webrtc_publisher_role_rtp,
    .rtcp = ngx_webrtc_publisher_role_rtcp,
    .second = ngx_webrtc_publisher_role_second,
    .keyframe = ngx_webrtc_publisher_role_keyframe
};


static const ngx_webrtc_ingest_ops_t  ngx_webrtc_publisher_ops = {
    ngx_webrtc_publisher_role_send,
    ngx_webrtc_publisher_role_news,
    ngx_webrtc_publisher_role_complain,
    ngx_webrtc_publisher_role_close
};


static void *
ngx_webrtc_publisher_role_init(ngx_webrtc_worker_t *wk, void *conf)
{
    ngx_webrtc_publisher_worker_t  *pw;

    pw = ngx_alloc(sizeof(ngx_webrtc_publisher_worker_t), wk->log);
    if (pw == NULL) {
        return NULL;
    }

    pw->worker = wk;
    ngx_queue_init(&pw->dirty);
    ngx_queue_init(&pw->told);

    return pw;
}


static void
ngx_webrtc_publisher_role_done(void *state)
{
    ngx_free(state);
}


/*
 * Lets viewers see what came in this batch, here and in the other workers; then
 * publishers get their feedback.
 */

static void
ngx_webrtc_publisher_role_batch(void *state)
{
    ngx_webrtc_publisher_worker_t *pw = state;

    ngx_queue_t          *q;
    ngx_webrtc_ingest_t  *in;

    while (!ngx_queue_empty(&pw->dirty)) {
        q = ngx_queue_head(&pw->dirty);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&pw->told, q);

        in = ngx_queue_data(q, ngx_webrtc_ingest_t, queue);
        ngx_webrtc_ingest_ring_flush(in);
    }

    while (!ngx_queue_empty(&pw->told)) {
        q = ngx_queue_head(&pw->told);
        ngx_queue_remove(q);

        in = ngx_queue_data(q, ngx_webrtc_ingest_t, queue);
        in->queued = 0;

        ngx_webrtc_ingest_feedback_soon(in, ngx_webrtc_worker_now(pw->worker));
    }
}


static void
ngx_webrtc_publisher_role_start(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publisher_t  *pub;

    pub = ngx_calloc(sizeof(ngx_webrtc_publisher_t), &s->log);
    if (pub == NULL) {
        ngx_webrtc_session_close(s, "no memory");
        return;
    }

    pub->session = s;

    pub->in.ops = &ngx_webrtc_publisher_ops;
    pub->in.data = s;
    pub->in.what = "publisher";
    pub->in.bus = s->wk->bus;
    pub->in.st = s->st;
    pub->in.desc = &s->peer->desc;
    pub->in.policy = &s->peer->policy;
    pub->in.stat = &s->peer->stat;
    pub->in.log = &s->log;
    pub->in.batch = &ngx_webrtc_publisher_worker(s->wk)->dirty;
    pub->in.cname = s->peer->id;
    pub->in.cname_len = NGX_WEBRTC_SESSION_CNAME;

    pub->in.timer.handler = ngx_webrtc_publisher_role_timer;
    pub->in.timer.data = s;
    pub->in.timer.log = &s->log;

    s->part = pub;

    ngx_webrtc_publisher_role_claim(s);
}


static void
ngx_webrtc_publisher_role_claim(ngx_webrtc_session_t *s)
{
    uint64_t                 holder;
    ngx_int_t                rc;
    ngx_webrtc_publisher_t  *pub;
    ngx_webrtc_peer_info_t   info;

    pub = s->part;

    rc = ngx_webrtc_bus_publish(s->wk->bus, s->st, s->peer->ref, &holder);

    if (rc == NGX_OK) {
        ngx_webrtc_publisher_role_begin(s);
        return;
    }

    if (rc == NGX_DECLINED || ++pub->tries > NGX_WEBRTC_PUBLISHER_RETRIES) {
        ngx_webrtc_session_close(s, "the stream is published by another");
        return;
    }

    if (holder
        && ngx_webrtc_peers_find_ref(s->wk->bus, holder, NULL, &info)
           == NGX_OK)
    {
        ngx_webrtc_worker_tell_close(s->wk, &info,
                                     NGX_WEBRTC_WHY_REPLACED);
    }

    ngx_add_timer(&pub->in.timer, NGX_WEBRTC_PUBLISHER_RETRY);
}


/* the stream is ours */

static void
ngx_webrtc_publisher_role_begin(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    pub->claimed = 1;

    if (ngx_webrtc_ingest_begin(&pub->in, ngx_webrtc_time_now()) != NGX_OK) {
        ngx_webrtc_session_close(s, "no room for a track");
        return;
    }

    ngx_webrtc_atomic_store(&s->st->linger_ms,
                            (uint64_t) s->peer->policy.linger);

    ngx_log_error(NGX_LOG_NOTICE, &s->log, 0, "webrtc publisher up");
}


static void
ngx_webrtc_publisher_role_stop(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub == NULL) {
        return;
    }

    ngx_webrtc_ingest_end(&pub->in);

    if (pub->claimed) {
        ngx_webrtc_bus_unpublish(s->wk->bus, s->st, s->peer->ref);

        ngx_webrtc_publisher_role_log_end(s);
    }

    ngx_free(pub);
    s->part = NULL;
}


/* a requested end is not worth the operator's attention, any other is */

static void
ngx_webrtc_publisher_role_log_end(ngx_webrtc_session_t *s)
{
    const char  *reason, **asked;

    static const char  *ends[] = {
        "closed by peer", "deleted", "replaced", "address taken over",
        "the stream is published by another", "worker exits",
        "worker shutdown timeout", "ended by the operator",
        "refused by a hook", NULL
    };

    reason = s->reason ? s->reason : "closed";

    for (asked = ends; *asked; asked++) {
        if (ngx_strcmp(reason, *asked) == 0) {
            ngx_log_error(NGX_LOG_NOTICE, &s->log, 0,
                          "webrtc publisher down reason:\"%s\"", reason);
            return;
        }
    }

    ngx_webrtc_bus_complain(s->wk->bus, s->st, NGX_LOG_WARN, &s->log,
                            "publisher down", "%s", reason);
}


static void
ngx_webrtc_publisher_role_timer(ngx_event_t *ev)
{
    ngx_webrtc_session_t    *s;
    ngx_webrtc_publisher_t  *pub;

    s = ev->data;
    pub = s->part;

    if (s->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    if (!pub->claimed) {
        ngx_webrtc_publisher_role_claim(s);
        return;
    }

    ngx_webrtc_ingest_due(&pub->in, ngx_webrtc_time_now());
}


static void
ngx_webrtc_publisher_role_rtp(ngx_webrtc_session_t *s, ngx_webrtc_rtp_t *rtp,
    size_t n)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub == NULL || !pub->claimed) {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_RTP);
        return;
    }

    if (s->peer->stat.first_frame_ms == 0) {
        s->peer->stat.first_frame_ms = ngx_max(ngx_current_msec
                                               - s->peer->created_ms, 1);
    }

    ngx_webrtc_ingest_rtp(&pub->in, rtp, n, ngx_webrtc_worker_now(s->wk));
}


static void
ngx_webrtc_publisher_role_second(ngx_webrtc_session_t *s)
{
    uint32_t                    worst;
    ngx_uint_t                  i;
    ngx_webrtc_publisher_t     *pub;
    ngx_webrtc_ingest_track_t  *t;

    pub = s->part;

    if (pub == NULL || !pub->claimed) {
        return;
    }

    if (ngx_webrtc_bus_is_dropped(s->st)) {
        ngx_webrtc_session_close(s, "no media so far, and no room in "
                                    "webrtc_zone");
        return;
    }

    worst = 0;

    for (i = 0; i < pub->in.ntracks; i++) {
        t = &pub->in.tracks[i];

        if (t->ssrc) {
            /* kept times 16 */
            worst = ngx_webrtc_session_stat_jitter(s, worst,
                                                   t->report.jitter >> 4,
                                                   t->report.clock_rate);
        }
    }
}


static void
ngx_webrtc_publisher_role_rtcp(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_t *rtcp)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub && pub->claimed) {
        ngx_webrtc_ingest_feedback_rtcp(&pub->in, rtcp,
                                        ngx_webrtc_worker_now(s->wk));
    }
}


static void
ngx_webrtc_publisher_role_keyframe(ngx_webrtc_session_t *s,
    ngx_webrtc_stream_t *st)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub == NULL || !pub->claimed) {
        ngx_webrtc_bus_keyframe_done(st);
        return;
    }

    ngx_webrtc_ingest_feedback_keyframe(&pub->in, st);
}


static void
ngx_webrtc_publisher_role_send(void *data, u_char *p, size_t n)
{
    ngx_webrtc_session_send_rtcp(data, p, n);
}


static void
ngx_webrtc_publisher_role_news(void *data, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_session_t *s = data;

    ngx_webrtc_roles_news(s->wk, st);
    ngx_webrtc_bus_wake_others(s->wk->bus, st);
}


static void
ngx_webrtc_publisher_role_complain(void *data, const char *what)
{
    ngx_webrtc_session_complain(data, what);
}


static void
ngx_webrtc_publisher_role_close(void *data, const char *reason)
{
    ngx_webrtc_session_close(data, reason);
}
