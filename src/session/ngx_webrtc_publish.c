
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher, from its claim of the stream to its end: tracks, state of the
 * stream, the timer.
 *
 *   SRTP -> RTP -> (RTX unwrapped) -> track -> order -> classification
 *        -> time -> packet ring -> viewers
 *
 * Payloads are not touched.  Packets become visible at the end of a receive
 * batch; what is missing is asked for again, and what is behind it waits for a
 * moment (ngx_webrtc_reorder.h, ngx_webrtc_nack.h).
 *
 * Tracks.  A stream's tracks keep their places from publisher to publisher, by
 * kind, so that viewers go on when another one takes over.
 *
 * Codecs.  An m-line has all payload types that we take, and a publisher sends
 * whichever it likes.  Until its first packet it is taken to go on with what
 * the stream has, if it may, else with the first one; from then on the track's
 * codec is that of the packets, in their order, and viewers learn of a change
 * as of another publisher.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_publish_run.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_publish.h"
#include "ngx_webrtc_roles.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_worker.h"


/* us without a packet, also before the first one, that make the stream
 * INACTIVE; chosen: above Opus' DTX (400 ms) and screen shares that stand
 * still */
#define NGX_WEBRTC_PUBLISH_SILENT    2000000

/* us after the first packet that the stream is ACTIVE without a key frame */
#define NGX_WEBRTC_PUBLISH_NO_KEY    1000000

/* ms between two attempts to take over from the publisher before */
#define NGX_WEBRTC_PUBLISH_RETRY     5

/* attempts: 5 s; chosen: its worker has closed it by then, or is reaped */
#define NGX_WEBRTC_PUBLISH_RETRIES   1000

/* ms between two wake-ups of the feedback timer, at least */
#define NGX_WEBRTC_PUBLISH_TICK      5

/* us until a ring that could not grow may try again; chosen */
#define NGX_WEBRTC_PUBLISH_FULL      500000

/* us that a publisher goes on without a ring; chosen: others may end */
#define NGX_WEBRTC_PUBLISH_DRY       2000000


static void *ngx_webrtc_publish_init(ngx_webrtc_worker_t *wk, void *conf);
static void ngx_webrtc_publish_done(void *state);
static void ngx_webrtc_publish_batch(void *state);
static void ngx_webrtc_publish_start(ngx_webrtc_session_t *s);
static void ngx_webrtc_publish_stop(ngx_webrtc_session_t *s);
static void ngx_webrtc_publish_claim(ngx_webrtc_session_t *s);
static void ngx_webrtc_publish_lost_key(ngx_webrtc_session_t *s);
static void ngx_webrtc_publish_begin(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_publish_track(ngx_webrtc_session_t *s,
    ngx_webrtc_publish_track_t *t, ngx_webrtc_desc_media_t *m);
static void ngx_webrtc_publish_rtx(ngx_webrtc_publish_t *pub,
    ngx_webrtc_desc_media_t *m);
static ngx_int_t ngx_webrtc_publish_place(ngx_webrtc_publish_t *pub,
    ngx_uint_t kind);
static void ngx_webrtc_publish_activate(ngx_webrtc_session_t *s);
static void ngx_webrtc_publish_timer(ngx_event_t *ev);
static void ngx_webrtc_publish_say(ngx_webrtc_session_t *s);


const ngx_webrtc_role_t  ngx_webrtc_publish_role = {
    .name = "publisher",
    .id = NGX_WEBRTC_PEER_PUBLISH,
    .media = NGX_WEBRTC_ROLE_RECEIVES,
    .stream = 1,

    .init = ngx_webrtc_publish_init,
    .done = ngx_webrtc_publish_done,
    .batch = ngx_webrtc_publish_batch,

    .start = ngx_webrtc_publish_start,
    .stop = ngx_webrtc_publish_stop,
    .rtp = ngx_webrtc_publish_rtp,
    .rtcp = ngx_webrtc_publish_rtcp,
    .keyframe = ngx_webrtc_publish_keyframe
};


static void *
ngx_webrtc_publish_init(ngx_webrtc_worker_t *wk, void *conf)
{
    ngx_webrtc_publish_worker_t  *pw;

    pw = ngx_alloc(sizeof(ngx_webrtc_publish_worker_t), wk->log);
    if (pw == NULL) {
        return NULL;
    }

    ngx_queue_init(&pw->dirty);

    return pw;
}


static void
ngx_webrtc_publish_done(void *state)
{
    ngx_free(state);
}


/* lets viewers see what came in this batch, here and in the other workers */

static void
ngx_webrtc_publish_batch(void *state)
{
    ngx_webrtc_publish_worker_t *pw = state;

    ngx_queue_t           *q;
    ngx_webrtc_publish_t  *pub;

    while (!ngx_queue_empty(&pw->dirty)) {
        q = ngx_queue_head(&pw->dirty);
        ngx_queue_remove(q);

        pub = ngx_queue_data(q, ngx_webrtc_publish_t, queue);
        pub->queued = 0;

        ngx_webrtc_publish_flush(pub->session);
    }
}


static void
ngx_webrtc_publish_start(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publish_t  *pub;

    pub = ngx_calloc(sizeof(ngx_webrtc_publish_t), &s->log);
    if (pub == NULL) {
        ngx_webrtc_session_close(s, "no memory");
        return;
    }

    pub->session = s;
    pub->ssrc = (uint32_t) ngx_random() | 1;

    pub->timer.handler = ngx_webrtc_publish_timer;
    pub->timer.data = s;
    pub->timer.log = &s->log;

    s->part = pub;

    ngx_webrtc_publish_claim(s);
}


static void
ngx_webrtc_publish_claim(ngx_webrtc_session_t *s)
{
    uint64_t                 holder;
    ngx_int_t                rc;
    ngx_webrtc_publish_t    *pub;
    ngx_webrtc_peer_info_t   info;

    pub = s->part;

    rc = ngx_webrtc_bus_publish(s->wk->bus, s->st, s->peer->ref, &holder);

    if (rc == NGX_OK) {
        ngx_webrtc_publish_begin(s);
        return;
    }

    if (rc == NGX_DECLINED || ++pub->tries > NGX_WEBRTC_PUBLISH_RETRIES) {
        ngx_webrtc_session_close(s, "the stream is published by another");
        return;
    }

    if (holder
        && ngx_webrtc_peers_find_ref(s->wk->bus, holder, NULL, &info)
           == NGX_OK)
    {
        ngx_webrtc_worker_tell_close(s->wk, &info, "replaced");
    }

    ngx_add_timer(&pub->timer, NGX_WEBRTC_PUBLISH_RETRY);
}


/* the stream is ours */

static void
ngx_webrtc_publish_begin(ngx_webrtc_session_t *s)
{
    uint64_t                  now_us;
    ngx_uint_t                i, twcc, remb, rsize;
    ngx_webrtc_desc_t        *desc;
    ngx_webrtc_publish_t     *pub;
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

        if (ngx_webrtc_publish_track(s, &pub->tracks[pub->ntracks], m)
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
    ngx_webrtc_limit_init(&pub->limit, s->peer->max_bitrate, remb, !twcc);

    /*
     * Viewers of a stream that goes on learn of its codecs before they see a
     * packet.
     */

    ngx_webrtc_bus_set_tracks(s->st, pub->stream, pub->nstream);

    ngx_webrtc_bus_set_state(s->wk->bus, s->st, NGX_WEBRTC_STREAM_STARTING,
                             ngx_current_msec);
    ngx_webrtc_atomic_store(&s->st->linger_ms, (uint64_t) s->peer->linger_ms);
    ngx_webrtc_atomic_add(&s->st->stat.starts, 1);

    ngx_log_error(NGX_LOG_NOTICE, &s->log, 0, "webrtc publisher up");

    /* it may never send anything: no reason to keep others out */

    now_us = ngx_webrtc_publish_clock();

    pub->last_us = now_us;
    pub->reported_us = now_us;

    ngx_webrtc_publish_arm(s, now_us);
}


static ngx_int_t
ngx_webrtc_publish_track(ngx_webrtc_session_t *s,
    ngx_webrtc_publish_track_t *t, ngx_webrtc_desc_media_t *m)
{
    size_t                  mem, size;
    ngx_int_t               place;
    ngx_uint_t              codec, window, video;
    ngx_webrtc_publish_t   *pub;
    ngx_webrtc_desc_alt_t   alt;

    pub = s->part;
    video = (m->kind == NGX_WEBRTC_VIDEO);

    place = ngx_webrtc_publish_place(pub, m->kind);

    if (place == NGX_ERROR) {
        return NGX_ERROR;
    }

    window = video ? NGX_WEBRTC_REORDER_VIDEO : NGX_WEBRTC_REORDER_AUDIO;
    mem = video ? NGX_WEBRTC_REORDER_VIDEO_MEM : NGX_WEBRTC_REORDER_AUDIO_MEM;
    size = ngx_webrtc_reorder_size(window, mem);

    t->mem = ngx_alloc(size, &s->log);
    if (t->mem == NULL) {
        return NGX_ERROR;
    }

    t->session = s;
    t->media = m;
    t->track = (uint8_t) place;

    codec = ((ngx_uint_t) place < pub->nstream) ? pub->stream[place].codec
                                                : NGX_WEBRTC_CODEC_NONE;

    if (ngx_webrtc_desc_codec(m, codec, &alt) != NGX_OK) {
        codec = m->codec;
    }

    if (ngx_webrtc_reorder_init(&t->reorder, t->mem, size, window,
                                ngx_webrtc_publish_packet, t)
        != NGX_OK
        || ngx_webrtc_publish_codec(t, codec) != NGX_OK)
    {
        ngx_free(t->mem);
        t->mem = NULL;
        return NGX_ERROR;
    }

    ngx_webrtc_nack_init(&t->nack, video);
    ngx_webrtc_report_in_init(&t->report, t->depay.track.clock_rate);

    /* where nothing is asked for again there is only reordering to wait for */

    ngx_webrtc_reorder_hold(&t->reorder,
                            (m->fb & NGX_WEBRTC_FB_NACK)
                            ? ngx_webrtc_nack_hold(&t->nack)
                            : NGX_WEBRTC_NACK_DELAY);

    ngx_webrtc_publish_rtx(pub, m);

    pub->nstream = ngx_max(pub->nstream, (ngx_uint_t) place + 1);
    pub->video |= video;

    return NGX_OK;
}


/* retransmissions of all that the m-line may bring */

static void
ngx_webrtc_publish_rtx(ngx_webrtc_publish_t *pub, ngx_webrtc_desc_media_t *m)
{
    ngx_uint_t  i;

    if (m->rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
        (void) ngx_webrtc_rtx_add(&pub->rtx, m->rtx_pt, m->pt, m->rtx_ssrc,
                                  m->ssrc);
    }

    for (i = 0; i < m->nalts; i++) {

        if (m->alts[i].rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
            (void) ngx_webrtc_rtx_add(&pub->rtx, m->alts[i].rtx_pt,
                                      m->alts[i].pt, m->rtx_ssrc, m->ssrc);
        }
    }
}


ngx_int_t
ngx_webrtc_publish_codec(ngx_webrtc_publish_track_t *t, ngx_uint_t codec)
{
    uint32_t                  rate;
    ngx_webrtc_stream_t      *st;
    ngx_webrtc_publish_t     *pub;
    ngx_webrtc_desc_media_t  *m;

    m = t->media;
    st = t->session->st;
    pub = t->session->part;

    rate = t->depay.track.clock_rate;

    if (ngx_webrtc_depay_init(&t->depay, codec,
                              codec == NGX_WEBRTC_CODEC_OPUS && m->stereo
                              ? 2 : 0)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* RFC 7160: timestamps of another rate are not those before, counted on */

    if (rate != t->depay.track.clock_rate) {

        rate = t->depay.track.clock_rate;

        if (ngx_webrtc_timeline_track(&st->timeline, t->track, rate, 1, rate)
            != NGX_OK
            || ngx_webrtc_sync_track(&pub->sync, t->track, m->kind, rate)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        t->report.clock_rate = rate;
        ngx_memzero(&t->order, sizeof(ngx_webrtc_order_t));
    }

    if (pub->stream[t->track].codec != codec) {
        ngx_webrtc_atomic_store(&st->since[t->track],
                                pub->writer.next[t->track]);
    }

    pub->stream[t->track] = t->depay.track;

    return NGX_OK;
}


/* the place of a kind among the stream's tracks: where it was before */

static ngx_int_t
ngx_webrtc_publish_place(ngx_webrtc_publish_t *pub, ngx_uint_t kind)
{
    ngx_uint_t  i, n;

    for (i = 0; i < pub->nstream; i++) {

        if (pub->stream[i].kind != kind) {
            continue;
        }

        for (n = 0; n < pub->ntracks; n++) {
            if (pub->tracks[n].track == i) {
                break;
            }
        }

        if (n == pub->ntracks) {
            return i;
        }
    }

    return (pub->nstream < NGX_WEBRTC_TRACKS) ? (ngx_int_t) pub->nstream
                                              : NGX_ERROR;
}


static void
ngx_webrtc_publish_stop(ngx_webrtc_session_t *s)
{
    ngx_uint_t             i;
    ngx_webrtc_publish_t  *pub;

    pub = s->part;

    if (pub == NULL) {
        return;
    }

    if (pub->timer.timer_set) {
        ngx_del_timer(&pub->timer);
    }

    if (pub->claimed) {
        ngx_webrtc_publish_flush(s);
        ngx_webrtc_bus_unpublish(s->wk->bus, s->st, s->peer->ref);

        ngx_webrtc_publish_say(s);
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


/*
 * What newcomers start with is not in the ring any more, which could not grow
 * when it had to.  Who makes a key frame when asked needs no larger ring for
 * it, unless it is the key frame that is too large.
 */

static void
ngx_webrtc_publish_lost_key(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publish_t  *pub;

    pub = s->part;

    if (pub->writer.state <= pub->told
        || (pub->writer.state != NGX_WEBRTC_RING_TORN && !pub->deaf))
    {
        return;
    }

    pub->told = pub->writer.state;

    if (ngx_webrtc_bus_enlarge(s->wk->bus, s->st, &pub->writer, 0, &s->log)
        == NGX_OK
        && pub->told == NGX_WEBRTC_RING_TORN)
    {
        /* the next one fits, or nearly */
        ngx_webrtc_publish_keyframe(s);
    }
}


void
ngx_webrtc_publish_grow(ngx_webrtc_session_t *s, uint64_t now_us)
{
    ngx_int_t              rc;
    ngx_webrtc_publish_t  *pub;

    pub = s->part;

    if (pub->full_us && now_us < pub->full_us) {
        return;
    }

    rc = ngx_webrtc_bus_enlarge(s->wk->bus, s->st, &pub->writer, 0, &s->log);

    if (rc == NGX_OK) {
        pub->full_us = 0;
        pub->dry_us = 0;
        return;
    }

    pub->full_us = now_us + NGX_WEBRTC_PUBLISH_FULL;

    if (ngx_webrtc_ring_room(pub->writer.ring)) {
        return;
    }

    /* nothing can be kept, so nobody can be shown anything */

    if (pub->dry_us == 0) {
        pub->dry_us = now_us;

    } else if (now_us - pub->dry_us > NGX_WEBRTC_PUBLISH_DRY) {
        ngx_webrtc_session_close(s, "no memory for packets in webrtc_zone");
    }
}


const ngx_webrtc_ring_keep_t *
ngx_webrtc_publish_keep(ngx_webrtc_publish_t *pub)
{
    /*
     * The key frame of a publisher who makes one when asked is of use for
     * three seconds, and half a second more.
     */

    static const ngx_webrtc_ring_keep_t  answers = {
        NGX_WEBRTC_KEEP_US, NGX_WEBRTC_KEEP_MAX, 3500000
    };

    static const ngx_webrtc_ring_keep_t  deaf = {
        NGX_WEBRTC_KEEP_US, NGX_WEBRTC_KEEP_MAX, 0
    };

    /* not asked yet: two intervals of encoders' defaults, 8.3 s and 10 s */

    static const ngx_webrtc_ring_keep_t  unknown = {
        NGX_WEBRTC_KEEP_US, NGX_WEBRTC_KEEP_MAX, 20000000
    };

    if (pub->deaf) {
        return &deaf;
    }

    return pub->answers ? &answers : &unknown;
}


/* an end that was asked for is no news to the operator, any other is */

static void
ngx_webrtc_publish_say(ngx_webrtc_session_t *s)
{
    const char   *reason, **asked;

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


void
ngx_webrtc_publish_flush(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publish_t  *pub;

    pub = s->part;

    if (pub == NULL || !pub->claimed || !pub->dirty) {
        return;
    }

    pub->dirty = 0;

    if (pub->news) {
        pub->news = 0;
        ngx_webrtc_bus_set_tracks(s->st, pub->stream, pub->nstream);
    }

    ngx_webrtc_ring_publish(&pub->writer);

    if (pub->writer.state != NGX_WEBRTC_RING_HELD) {
        ngx_webrtc_publish_lost_key(s);
    }

    ngx_webrtc_publish_activate(s);

    ngx_webrtc_roles_news(s->wk, s->st);
    ngx_webrtc_bus_wake_others(s->wk->bus, s->st);
}


/* there are packets: tells so */

static void
ngx_webrtc_publish_activate(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publish_t  *pub;

    pub = s->part;

    if (pub->video && !pub->key
        && pub->last_us - pub->first_us < NGX_WEBRTC_PUBLISH_NO_KEY)
    {
        /* viewers would have nothing to see, nor know what it will be */
        return;
    }

    if (ngx_webrtc_bus_state(s->st) != NGX_WEBRTC_STREAM_ACTIVE) {
        ngx_webrtc_bus_set_state(s->wk->bus, s->st, NGX_WEBRTC_STREAM_ACTIVE,
                                 ngx_current_msec);
    }
}


static void
ngx_webrtc_publish_timer(ngx_event_t *ev)
{
    uint64_t                     now_us;
    ngx_uint_t                   i;
    ngx_webrtc_publish_t        *pub;
    ngx_webrtc_session_t        *s;
    ngx_webrtc_publish_track_t  *t;

    s = ev->data;
    pub = s->part;

    if (s->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    if (!pub->claimed) {
        ngx_webrtc_publish_claim(s);
        return;
    }

    if (ngx_webrtc_bus_is_dropped(s->st)) {
        ngx_webrtc_session_close(s, "no media so far, and no room in "
                                    "webrtc_zone");
        return;
    }

    now_us = ngx_webrtc_publish_clock();

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];
        t->held_us = ngx_webrtc_reorder_timeout(&t->reorder, now_us);
    }

    ngx_webrtc_publish_nacks(s, now_us);
    ngx_webrtc_publish_flush(s);
    ngx_webrtc_publish_feedback(s, now_us);

    if (pub->want_key) {
        ngx_webrtc_publish_ask(s, now_us);
    }

    if (ngx_webrtc_limit_check(&pub->limit, now_us) == NGX_DECLINED) {
        ngx_webrtc_session_close(s, "above webrtc_max_bitrate");
        return;
    }

    if (now_us < pub->last_us) {
        /* the clock was put back */
        pub->last_us = now_us;
    }

    if (now_us - pub->last_us > NGX_WEBRTC_PUBLISH_SILENT
        && ngx_webrtc_bus_state(s->st) != NGX_WEBRTC_STREAM_INACTIVE)
    {
        ngx_webrtc_bus_set_state(s->wk->bus, s->st,
                                 NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }

    ngx_webrtc_publish_arm(s, now_us);
}


void
ngx_webrtc_publish_arm(ngx_webrtc_session_t *s, uint64_t now_us)
{
    uint64_t                     next, us;
    ngx_msec_t                   ms;
    ngx_uint_t                   i;
    ngx_webrtc_publish_t        *pub;
    ngx_webrtc_publish_track_t  *t;

    pub = s->part;

    next = pub->reported_us + NGX_WEBRTC_PUBLISH_REPORT;

    us = ngx_webrtc_twcc_deadline(&pub->twcc);

    if (us && us < next) {
        next = us;
    }

    if (pub->want_key) {
        us = pub->asked_us + (uint64_t) s->peer->keyframe_ms * 1000;
        next = ngx_min(next, us);
    }

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];

        us = ngx_webrtc_nack_deadline(&t->nack);

        if (us && us < next) {
            next = us;
        }

        if (t->held_us && t->held_us < next) {
            next = t->held_us;
        }
    }

    ms = (next > now_us) ? (ngx_msec_t) ((next - now_us) / 1000) : 0;
    ms = ngx_max(ms, NGX_WEBRTC_PUBLISH_TICK);

    if (pub->timer.timer_set) {

        if ((ngx_msec_int_t) (pub->timer.timer.key - (ngx_current_msec + ms))
            <= 0)
        {
            return;
        }

        ngx_del_timer(&pub->timer);
    }

    ngx_add_timer(&pub->timer, ms);
}


uint64_t
ngx_webrtc_publish_clock(void)
{
    struct timeval  tv;

    ngx_gettimeofday(&tv);

    return (uint64_t) tv.tv_sec * 1000000 + tv.tv_usec;
}
