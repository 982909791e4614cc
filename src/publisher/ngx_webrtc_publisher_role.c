
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher, from claiming the stream to its end: tracks, state of the
 * stream, the timer.
 *
 *   SRTP -> RTP -> (RTX unwrapped) -> track -> order -> classification
 *        -> time -> packet ring -> viewers
 *
 * Payloads are not touched.  Packets become visible at the end of a receive
 * batch; missing ones are requested again, and those after them wait for a
 * moment (ngx_webrtc_reorder.h, ngx_webrtc_nack.h).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_publisher_role.h"
#include "ngx_webrtc_publisher_feedback.h"
#include "ngx_webrtc_publisher_in.h"
#include "ngx_webrtc_publisher_ring.h"
#include "ngx_webrtc_publisher_timer.h"
#include "ngx_webrtc_publisher_track.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_publish.h"
#include "ngx_webrtc_worker.h"
#include "ngx_webrtc_time.h"


/* us without a packet, even before the first one, that make the stream
 * INACTIVE; chosen: above Opus' DTX (400 ms) and screen shares that stand
 * still */
#define NGX_WEBRTC_PUBLISHER_SILENT    2000000

/* ms between two attempts to take over from the previous publisher */
#define NGX_WEBRTC_PUBLISHER_RETRY     5

/* attempts: 5 s; chosen: its worker has closed it by then, or is reaped */
#define NGX_WEBRTC_PUBLISHER_RETRIES   1000


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
    .rtp = ngx_webrtc_publisher_in_rtp,
    .rtcp = ngx_webrtc_publisher_feedback_rtcp,
    .keyframe = ngx_webrtc_publisher_feedback_keyframe
};


static void *
ngx_webrtc_publisher_role_init(ngx_webrtc_worker_t *wk, void *conf)
{
    ngx_webrtc_publisher_worker_t  *pw;

    pw = ngx_alloc(sizeof(ngx_webrtc_publisher_worker_t), wk->log);
    if (pw == NULL) {
        return NULL;
    }

    ngx_queue_init(&pw->dirty);

    return pw;
}


static void
ngx_webrtc_publisher_role_done(void *state)
{
    ngx_free(state);
}


/* lets viewers see what came in this batch, here and in the other workers */

static void
ngx_webrtc_publisher_role_batch(void *state)
{
    ngx_webrtc_publisher_worker_t *pw = state;

    ngx_queue_t             *q;
    ngx_webrtc_publisher_t  *pub;

    while (!ngx_queue_empty(&pw->dirty)) {
        q = ngx_queue_head(&pw->dirty);
        ngx_queue_remove(q);

        pub = ngx_queue_data(q, ngx_webrtc_publisher_t, queue);
        pub->queued = 0;

        ngx_webrtc_publisher_ring_flush(pub->session);
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
    pub->ssrc = (uint32_t) ngx_random() | 1;

    pub->timer.handler = ngx_webrtc_publisher_role_timer;
    pub->timer.data = s;
    pub->timer.log = &s->log;

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
        ngx_webrtc_worker_tell_close(s->wk, &info, "replaced");
    }

    ngx_add_timer(&pub->timer, NGX_WEBRTC_PUBLISHER_RETRY);
}


/* the stream is ours */

static void
ngx_webrtc_publisher_role_begin(ngx_webrtc_session_t *s)
{
    uint64_t                  now_us;
    ngx_uint_t                i, twcc, remb, rsize;
    ngx_webrtc_desc_t        *desc;
    ngx_webrtc_publisher_t   *pub;
    ngx_webrtc_desc_media_t  *m;

    pub = s->part;
    desc = &s->peer->desc;

    pub->claimed = 1;
    twcc = 0;
    remb = 0;
    rsize = 1;

    (void) ngx_webrtc_bus_tracks(s->st, pub->stream, &pub->nstream);

    ngx_webrtc_ring_attach(s->st->ring, &pub->writer);
    ngx_webrtc_timeline_start(&s->st->timeline);
    ngx_webrtc_sync_init(&pub->sync);

    for (i = 0; i < desc->nmedia; i++) {
        m = &desc->media[i];

        if (!m->receiving) {
            continue;
        }

        if (ngx_webrtc_publisher_track_init(s, &pub->tracks[pub->ntracks], m,
                                            ngx_webrtc_publisher_in_packet)
            != NGX_OK)
        {
            ngx_webrtc_session_close(s, "no room for a track");
            return;
        }

        pub->ntracks++;

        if ((m->fb & NGX_WEBRTC_FB_TWCC) && m->ext_twcc) {
            twcc = 1;
            rsize &= (m->fb & NGX_WEBRTC_FB_RSIZE) != 0;
        }

        remb |= m->fb & NGX_WEBRTC_FB_REMB;
    }

    pub->rsize = rsize;

    ngx_webrtc_twcc_init(&pub->twcc, pub->ssrc);
    ngx_webrtc_bitrate_init(&pub->bitrate,
                            (uint64_t) s->peer->policy.max_bitrate, remb,
                            !twcc);

    /*
     * Viewers of a stream that continues learn its codecs before they see a
     * packet.
     */

    ngx_webrtc_bus_set_tracks(s->st, pub->stream, pub->nstream);

    ngx_webrtc_bus_set_state(s->wk->bus, s->st, NGX_WEBRTC_STREAM_STARTING,
                             ngx_current_msec);
    ngx_webrtc_atomic_store(&s->st->linger_ms,
                            (uint64_t) s->peer->policy.linger);
    ngx_webrtc_atomic_add(&s->st->stat.starts, 1);

    ngx_log_error(NGX_LOG_NOTICE, &s->log, 0, "webrtc publisher up");

    /* it may never send anything, and must not keep others out then */

    now_us = ngx_webrtc_time_now();

    pub->last_us = now_us;
    pub->reported_us = now_us;

    ngx_webrtc_publisher_timer_arm(s, now_us);
}


static void
ngx_webrtc_publisher_role_stop(ngx_webrtc_session_t *s)
{
    ngx_uint_t               i;
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub == NULL) {
        return;
    }

    if (pub->timer.timer_set) {
        ngx_del_timer(&pub->timer);
    }

    if (pub->claimed) {
        ngx_webrtc_publisher_ring_flush(s);
        ngx_webrtc_bus_unpublish(s->wk->bus, s->st, s->peer->ref);

        ngx_webrtc_publisher_role_log_end(s);
    }

    if (pub->queued) {
        ngx_queue_remove(&pub->queue);
    }

    for (i = 0; i < NGX_WEBRTC_DESC_MEDIA; i++) {
        if (pub->tracks[i].mem) {
            ngx_free(pub->tracks[i].mem);
        }
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
        "worker shutdown timeout", NULL
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
    uint64_t                       now_us;
    ngx_uint_t                     i;
    ngx_webrtc_publisher_t        *pub;
    ngx_webrtc_session_t          *s;
    ngx_webrtc_publisher_track_t  *t;

    s = ev->data;
    pub = s->part;

    if (s->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    if (!pub->claimed) {
        ngx_webrtc_publisher_role_claim(s);
        return;
    }

    if (ngx_webrtc_bus_is_dropped(s->st)) {
        ngx_webrtc_session_close(s, "no media so far, and no room in "
                                    "webrtc_zone");
        return;
    }

    now_us = ngx_webrtc_time_now();

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];
        t->held_us = ngx_webrtc_reorder_timeout(&t->reorder, now_us);
    }

    ngx_webrtc_publisher_feedback_nacks(s, now_us);
    ngx_webrtc_publisher_ring_flush(s);
    ngx_webrtc_publisher_feedback(s, now_us);

    if (pub->want_key) {
        ngx_webrtc_publisher_feedback_ask(s, now_us);
    }

    if (ngx_webrtc_bitrate_check(&pub->bitrate, now_us) == NGX_DECLINED) {
        ngx_webrtc_session_close(s, "above webrtc_max_bitrate");
        return;
    }

    if (now_us - pub->last_us > NGX_WEBRTC_PUBLISHER_SILENT
        && ngx_webrtc_bus_state(s->st) != NGX_WEBRTC_STREAM_INACTIVE)
    {
        ngx_webrtc_bus_set_state(s->wk->bus, s->st,
                                 NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }

    ngx_webrtc_publisher_timer_arm(s, now_us);
}
