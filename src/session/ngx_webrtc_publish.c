
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher.
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
 * Key frames.  Whatever wants one (viewers of all workers, a loss that is given
 * up) sets a flag; one request leaves at most every "webrtc_keyframe_interval"
 * and is repeated until a key frame comes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_publish.h"
#include "ngx_webrtc_play.h"
#include "ngx_webrtc_bus_publish.h"
#include "ngx_webrtc_bus_ring.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_limit.h"
#include "ngx_webrtc_nack.h"
#include "ngx_webrtc_reorder.h"
#include "ngx_webrtc_report.h"
#include "ngx_webrtc_rtcp.h"
#include "ngx_webrtc_rtcp_fb.h"
#include "ngx_webrtc_rtp.h"
#include "ngx_webrtc_rtx.h"
#include "ngx_webrtc_seq.h"
#include "ngx_webrtc_sync.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_twcc.h"


/* us between receiver reports; chosen: RFC 3550's minimum for small sessions
 * is 5 s, libwebrtc's for video 1 s */
#define NGX_WEBRTC_PUBLISH_REPORT    1000000

/* us without a packet that make the stream INACTIVE; chosen: above Opus' DTX
 * (400 ms) and screen shares that stand still */
#define NGX_WEBRTC_PUBLISH_SILENT    2000000

/* us after the first packet that the stream is ACTIVE without a key frame */
#define NGX_WEBRTC_PUBLISH_NO_KEY    1000000

/* ms between two attempts to take over from the publisher before */
#define NGX_WEBRTC_PUBLISH_RETRY     5

/* attempts: 5 s; chosen: its worker has closed it by then, or is reaped */
#define NGX_WEBRTC_PUBLISH_RETRIES   1000

/* ms between two wake-ups of the feedback timer, at least */
#define NGX_WEBRTC_PUBLISH_TICK      5

/* bytes of an RTCP datagram */
#define NGX_WEBRTC_PUBLISH_RTCP      1200

/* packets; a longer gap is not told to viewers as one; chosen: the window of
 * reordering */
#define NGX_WEBRTC_PUBLISH_GAP       NGX_WEBRTC_REORDER_VIDEO

/* bytes of a payload that can leave again, with the prefix of RTX too */
#define NGX_WEBRTC_PUBLISH_PAYLOAD                                            \
    (NGX_WEBRTC_UDP_MAX - NGX_WEBRTC_PLAY_HEADER - NGX_WEBRTC_RTX_OSN         \
     - NGX_WEBRTC_SRTP_TAG)

/* SSRCs of media remembered: the tracks', and again after a change of them */
#define NGX_WEBRTC_PUBLISH_SSRCS     8


/* one m-line */
typedef struct {
    ngx_webrtc_desc_media_t     *media;       /* in our slot; NULL: unused */
    ngx_webrtc_session_t        *session;
    uint8_t                      track;       /* of the stream */
    uint32_t                     ssrc;        /* of its packets, 0: none yet */

    void                        *mem;         /* of reorder */
    ngx_webrtc_reorder_t         reorder;
    uint64_t                     held_us;     /* its next timeout, or 0 */
    ngx_webrtc_nack_t            nack;
    ngx_webrtc_depay_t           depay;
    ngx_webrtc_report_in_t       report;

    ngx_webrtc_order_t           order;
    int64_t                      ts;          /* of the frame, media time */
    uint32_t                     rtp_ts;      /* as received */
    unsigned                     framed:1;    /* there was a frame */
    unsigned                     drop:1;      /* of the frame: time runs back */
} ngx_webrtc_publish_track_t;


struct ngx_webrtc_publish_s {
    ngx_webrtc_publish_track_t   tracks[NGX_WEBRTC_DESC_MEDIA];
    ngx_uint_t                   ntracks;

    struct {
        uint32_t                 ssrc;
        uint32_t                 n;           /* of tracks */
    } ssrcs[NGX_WEBRTC_PUBLISH_SSRCS];
    ngx_uint_t                   nssrcs;

    ngx_webrtc_ring_writer_t     writer;
    ngx_webrtc_rtx_t             rtx;
    ngx_webrtc_sync_t            sync;
    ngx_webrtc_twcc_t            twcc;
    ngx_webrtc_limit_t           limit;

    ngx_webrtc_track_t           stream[NGX_WEBRTC_TRACKS];
    ngx_uint_t                   nstream;

    ngx_event_t                  timer;
    ngx_uint_t                   tries;

    uint32_t                     ssrc;        /* ours, of reports */
    uint64_t                     first_us;    /* first packet, 0: none */
    uint64_t                     last_us;
    uint64_t                     reported_us;
    uint64_t                     asked_us;    /* last request for a key frame */
    uint8_t                      fir_seq;

    unsigned                     claimed:1;
    unsigned                     video:1;
    unsigned                     want_key:1;
    unsigned                     dirty:1;     /* written, not published */
    unsigned                     news:1;      /* tracks have changed */
    unsigned                     key:1;       /* a key frame was written */
};


static void ngx_webrtc_publish_claim(ngx_webrtc_session_t *s);
static void ngx_webrtc_publish_begin(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_publish_track(ngx_webrtc_session_t *s,
    ngx_webrtc_publish_track_t *t, ngx_webrtc_desc_media_t *m);
static ngx_int_t ngx_webrtc_publish_place(ngx_webrtc_publish_t *pub,
    ngx_uint_t kind);
static ngx_webrtc_publish_track_t *ngx_webrtc_publish_find(
    ngx_webrtc_publish_t *pub, ngx_webrtc_rtp_t *rtp);
static ngx_webrtc_publish_track_t *ngx_webrtc_publish_match(
    ngx_webrtc_publish_t *pub, ngx_webrtc_rtp_t *rtp);
static void ngx_webrtc_publish_extensions(ngx_webrtc_publish_t *pub,
    ngx_webrtc_rtp_t *rtp, uint64_t now_us);
static void ngx_webrtc_publish_packet(void *ctx,
    const ngx_webrtc_reorder_packet_t *rp);
static void ngx_webrtc_publish_frame(ngx_webrtc_publish_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_info_t *info);
static void ngx_webrtc_publish_write(ngx_webrtc_publish_track_t *t,
    u_char *payload, size_t n, ngx_uint_t flags, uint64_t arrival_us);
static void ngx_webrtc_publish_activate(ngx_webrtc_session_t *s);
static void ngx_webrtc_publish_timer(ngx_event_t *ev);
static void ngx_webrtc_publish_arm(ngx_webrtc_session_t *s, uint64_t now_us);
static u_char *ngx_webrtc_publish_reports(ngx_webrtc_session_t *s, u_char *p,
    u_char *end, uint64_t now_us);
static void ngx_webrtc_publish_nacks(ngx_webrtc_session_t *s,
    uint64_t now_us);
static void ngx_webrtc_publish_ask(ngx_webrtc_session_t *s, uint64_t now_us);
static void ngx_webrtc_publish_feedback(ngx_webrtc_session_t *s,
    uint64_t now_us);
static void ngx_webrtc_publish_send(ngx_webrtc_session_t *s, u_char *buf,
    u_char *p);
static uint64_t ngx_webrtc_publish_clock(void);


ngx_int_t
ngx_webrtc_publish_start(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publish_t  *pub;

    pub = ngx_calloc(sizeof(ngx_webrtc_publish_t), &s->log);
    if (pub == NULL) {
        return NGX_ERROR;
    }

    pub->ssrc = (uint32_t) ngx_random() | 1;

    pub->timer.handler = ngx_webrtc_publish_timer;
    pub->timer.data = s;
    pub->timer.log = &s->log;

    s->pub = pub;

    ngx_webrtc_publish_claim(s);

    return NGX_OK;
}


static void
ngx_webrtc_publish_claim(ngx_webrtc_session_t *s)
{
    uint64_t                 holder;
    ngx_int_t                rc;
    ngx_webrtc_peer_info_t   info;

    rc = ngx_webrtc_bus_publish(s->wk->bus, s->st, s->peer->ref, &holder);

    if (rc == NGX_OK) {
        ngx_webrtc_publish_begin(s);
        return;
    }

    if (rc == NGX_DECLINED || ++s->pub->tries > NGX_WEBRTC_PUBLISH_RETRIES) {
        ngx_webrtc_session_close(s, "the stream is published by another");
        return;
    }

    if (holder
        && ngx_webrtc_peers_find_ref(s->wk->bus, holder, NULL, &info)
           == NGX_OK)
    {
        ngx_webrtc_worker_tell_close(s->wk, &info, "replaced");
    }

    ngx_add_timer(&s->pub->timer, NGX_WEBRTC_PUBLISH_RETRY);
}


/* the stream is ours */

static void
ngx_webrtc_publish_begin(ngx_webrtc_session_t *s)
{
    ngx_uint_t                i, twcc, remb;
    ngx_webrtc_desc_t        *desc;
    ngx_webrtc_publish_t     *pub;
    ngx_webrtc_desc_media_t  *m;

    pub = s->pub;
    desc = &s->peer->desc;

    pub->claimed = 1;
    twcc = 0;
    remb = 0;

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

        twcc |= (m->fb & NGX_WEBRTC_FB_TWCC) && m->ext_twcc;
        remb |= m->fb & NGX_WEBRTC_FB_REMB;
    }

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
}


static ngx_int_t
ngx_webrtc_publish_track(ngx_webrtc_session_t *s,
    ngx_webrtc_publish_track_t *t, ngx_webrtc_desc_media_t *m)
{
    size_t                 mem, size;
    ngx_int_t              place;
    ngx_uint_t             window, video;
    ngx_webrtc_publish_t  *pub;

    pub = s->pub;
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
    t->track = (uint8_t) place;

    if (ngx_webrtc_reorder_init(&t->reorder, t->mem, size, window,
                                ngx_webrtc_publish_packet, t)
        != NGX_OK
        || ngx_webrtc_depay_init(&t->depay, m->codec, m->stereo ? 2 : 0)
           != NGX_OK
        || ngx_webrtc_timeline_track(&s->st->timeline, place, m->clock_rate,
                                     1, m->clock_rate)
           != NGX_OK
        || ngx_webrtc_sync_track(&pub->sync, place, m->kind, m->clock_rate)
           != NGX_OK)
    {
        ngx_free(t->mem);
        t->mem = NULL;
        return NGX_ERROR;
    }

    t->media = m;

    ngx_webrtc_nack_init(&t->nack, video);
    ngx_webrtc_report_in_init(&t->report, m->clock_rate);

    /* where nothing is asked for again there is only reordering to wait for */

    ngx_webrtc_reorder_hold(&t->reorder,
                            (m->fb & NGX_WEBRTC_FB_NACK)
                            ? ngx_webrtc_nack_hold(&t->nack)
                            : NGX_WEBRTC_NACK_DELAY);

    if (m->rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
        (void) ngx_webrtc_rtx_add(&pub->rtx, m->rtx_pt, m->pt, m->rtx_ssrc,
                                  m->ssrc);
    }

    if (pub->stream[place].codec != m->codec) {
        ngx_webrtc_atomic_store(&s->st->since[place],
                                pub->writer.next[place]);
    }

    pub->stream[place] = t->depay.track;
    pub->nstream = ngx_max(pub->nstream, (ngx_uint_t) place + 1);
    pub->video |= video;

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


void
ngx_webrtc_publish_stop(ngx_webrtc_session_t *s)
{
    ngx_uint_t             i;
    ngx_webrtc_publish_t  *pub;

    pub = s->pub;

    if (pub == NULL) {
        return;
    }

    if (pub->timer.timer_set) {
        ngx_del_timer(&pub->timer);
    }

    if (pub->claimed) {
        ngx_webrtc_publish_flush(s);
        ngx_webrtc_bus_unpublish(s->wk->bus, s->st, s->peer->ref);

        ngx_log_error(NGX_LOG_NOTICE, &s->log, 0, "webrtc publisher down: %s",
                      s->reason ? s->reason : "");
    }

    for (i = 0; i < NGX_WEBRTC_DESC_MEDIA; i++) {
        if (pub->tracks[i].mem) {
            ngx_free(pub->tracks[i].mem);
        }
    }

    ngx_free(pub);
    s->pub = NULL;
}


void
ngx_webrtc_publish_rtp(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    uint64_t                      now_us, seq;
    ngx_int_t                     rc;
    ngx_webrtc_rtp_t              rtp;
    ngx_webrtc_publish_t         *pub;
    ngx_webrtc_publish_track_t   *t;
    ngx_webrtc_reorder_packet_t   pkt;

    pub = s->pub;

    if (pub == NULL || !pub->claimed
        || ngx_webrtc_srtp_unprotect(&s->in, p, &n) != NGX_OK
        || ngx_webrtc_rtp_parse(p, p + n, &rtp) != NGX_OK)
    {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_RTP);
        return;
    }

    if (s->dtls.ssl) {
        /* it has the keys, hence our last flight */
        ngx_webrtc_session_settle(s);
    }

    now_us = ngx_webrtc_publish_clock();

    s->peer->stat.packets_in++;
    s->peer->stat.bytes_in += n;

    ngx_webrtc_limit_input(&pub->limit, n, now_us);

    rc = ngx_webrtc_rtx_unwrap(&pub->rtx, &rtp);

    if (rc == NGX_DONE || rc == NGX_AGAIN) {
        /* a probe counts for the sender's estimate */
        ngx_webrtc_publish_extensions(pub, &rtp, now_us);
        ngx_webrtc_publish_arm(s, now_us);
        return;
    }

    ngx_webrtc_publish_extensions(pub, &rtp, now_us);

    t = ngx_webrtc_publish_find(pub, &rtp);

    if (t == NULL || rtp.len > NGX_WEBRTC_PUBLISH_PAYLOAD) {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_RTP);
        ngx_webrtc_session_complain(s, "rtp that was not negotiated");
        return;
    }

    seq = ngx_webrtc_reorder_seq(&t->reorder, rtp.seq);

    if (rc != NGX_OK) {
        ngx_webrtc_report_received(&t->report, seq, rtp.ts, now_us);
    }

    if (t->media->fb & NGX_WEBRTC_FB_NACK) {
        (void) ngx_webrtc_nack_received(&t->nack, seq, now_us);
    }

    ngx_memzero(&pkt, sizeof(ngx_webrtc_reorder_packet_t));

    pkt.seq = seq;
    pkt.arrival_us = now_us;
    pkt.payload = rtp.payload;
    pkt.n = (uint16_t) rtp.len;
    pkt.pt = rtp.pt;
    pkt.marker = rtp.marker;
    pkt.ts = rtp.ts;

    if (pub->first_us == 0) {
        pub->first_us = now_us;
        pub->reported_us = now_us;
    }

    pub->last_us = now_us;

    if (ngx_webrtc_reorder_input(&t->reorder, &pkt, now_us) == NGX_AGAIN) {
        t->held_us = ngx_webrtc_reorder_timeout(&t->reorder, now_us);
    }

    ngx_webrtc_publish_arm(s, now_us);

    ngx_webrtc_worker_dirty(s->wk, s);
}


/* mid, RFC 9143, 15; else SSRC; else payload type */

static ngx_webrtc_publish_track_t *
ngx_webrtc_publish_find(ngx_webrtc_publish_t *pub, ngx_webrtc_rtp_t *rtp)
{
    ngx_uint_t                   i;
    ngx_webrtc_publish_track_t  *t;

    for (i = 0; i < pub->nssrcs; i++) {
        if (pub->ssrcs[i].ssrc == rtp->ssrc) {
            t = &pub->tracks[pub->ssrcs[i].n];
            return (t->media->pt == rtp->pt) ? t : NULL;
        }
    }

    t = ngx_webrtc_publish_match(pub, rtp);

    if (t == NULL) {
        return NULL;
    }

    if (pub->nssrcs == NGX_WEBRTC_PUBLISH_SSRCS) {
        return NULL;
    }

    pub->ssrcs[pub->nssrcs].ssrc = rtp->ssrc;
    pub->ssrcs[pub->nssrcs].n = (uint32_t) (t - pub->tracks);
    pub->nssrcs++;

    t->ssrc = rtp->ssrc;

    (void) ngx_webrtc_rtx_bind(&pub->rtx, t->media->pt, rtp->ssrc);

    return t;
}


static ngx_webrtc_publish_track_t *
ngx_webrtc_publish_match(ngx_webrtc_publish_t *pub, ngx_webrtc_rtp_t *rtp)
{
    ngx_uint_t                i;
    ngx_webrtc_rtp_ext_t      ext;
    ngx_webrtc_desc_media_t  *m;

    for (i = 0; i < pub->ntracks; i++) {
        m = pub->tracks[i].media;

        if (m->ext_mid
            && m->pt == rtp->pt
            && ngx_webrtc_rtp_ext_find(rtp, m->ext_mid, &ext) == NGX_OK
            && ext.len == m->mid_len
            && ngx_memcmp(ext.data, m->mid, m->mid_len) == 0)
        {
            return &pub->tracks[i];
        }
    }

    for (i = 0; i < pub->ntracks; i++) {
        m = pub->tracks[i].media;

        if (m->ssrc && m->ssrc == rtp->ssrc && m->pt == rtp->pt) {
            return &pub->tracks[i];
        }
    }

    for (i = 0; i < pub->ntracks; i++) {
        if (pub->tracks[i].media->pt == rtp->pt) {
            return &pub->tracks[i];
        }
    }

    return NULL;
}


static void
ngx_webrtc_publish_extensions(ngx_webrtc_publish_t *pub,
    ngx_webrtc_rtp_t *rtp, uint64_t now_us)
{
    ngx_uint_t                i;
    ngx_webrtc_rtp_ext_t      ext;
    ngx_webrtc_desc_media_t  *m;

    for (i = 0; i < pub->ntracks; i++) {
        m = pub->tracks[i].media;

        if ((m->fb & NGX_WEBRTC_FB_TWCC)
            && m->ext_twcc
            && ngx_webrtc_rtp_ext_find(rtp, m->ext_twcc, &ext) == NGX_OK
            && ext.len == 2)
        {
            ngx_webrtc_twcc_input(&pub->twcc,
                                  (uint16_t) (ext.data[0] << 8 | ext.data[1]),
                                  rtp->ssrc, now_us);
            return;
        }
    }
}


/* the next packet of a track, in order */

static void
ngx_webrtc_publish_packet(void *ctx, const ngx_webrtc_reorder_packet_t *rp)
{
    ngx_webrtc_publish_track_t *t = ctx;

    size_t                      n;
    uint64_t                    frames, keyframes;
    ngx_int_t                   rc;
    ngx_uint_t                  flags;
    ngx_webrtc_publish_t       *pub;
    ngx_webrtc_depay_info_t     info;
    ngx_webrtc_depay_packet_t   pkt;
    u_char                      prefix[NGX_WEBRTC_DEPAY_PAYLOAD];

    pub = t->session->pub;

    ngx_memzero(&pkt, sizeof(ngx_webrtc_depay_packet_t));

    pkt.payload = rp->payload;
    pkt.n = rp->n;
    pkt.ts = rp->ts;
    pkt.marker = rp->marker;
    pkt.gap = (rp->lost != 0);

    if (rp->lost) {
        ngx_webrtc_nack_drop(&t->nack, rp->seq, 1);
        t->session->peer->stat.lost_in += rp->lost;
    }

    frames = t->depay.frames;
    keyframes = t->depay.keyframes;

    rc = ngx_webrtc_depay_input(&t->depay, &pkt, &info);

    if (t->media->kind == NGX_WEBRTC_VIDEO) {
        ngx_webrtc_atomic_add(&t->session->st->stat.frames,
                              t->depay.frames - frames);
        ngx_webrtc_atomic_add(&t->session->st->stat.keyframes,
                              t->depay.keyframes - keyframes);
    }

    if (info.changed) {
        pub->stream[t->track] = t->depay.track;
        pub->news = 1;
    }

    if (info.key_needed) {
        pub->want_key = 1;
    }

    if (rc == NGX_DECLINED) {
        ngx_webrtc_atomic_add(&t->session->st->stat.damaged, 1);
        ngx_webrtc_session_complain(t->session, "malformed rtp payload");
    }

    if (rc != NGX_OK) {
        return;
    }

    if (!t->framed || rp->ts != t->rtp_ts) {
        ngx_webrtc_publish_frame(t, rp, &info);
    }

    if (t->drop) {
        return;
    }

    if ((info.flags & NGX_WEBRTC_PKT_KEY)
        && !info.key_needed
        && (info.prefix || (info.flags & NGX_WEBRTC_PKT_FIRST)))
    {
        /* the beginning of a key frame */
        pub->want_key = 0;
        pub->key = 1;
    }

    if (!pub->key && t->media->kind == NGX_WEBRTC_VIDEO) {
        /* no use to anybody */
        pub->want_key = 1;
        return;
    }

    if (rp->lost && rp->lost <= NGX_WEBRTC_PUBLISH_GAP) {
        ngx_webrtc_ring_skip(&pub->writer, t->track, rp->lost);
    }

    while (ngx_webrtc_depay_prefix(&t->depay, prefix, sizeof(prefix), &n,
                                   &flags)
           == NGX_OK)
    {
        ngx_webrtc_publish_write(t, prefix, n, flags, rp->arrival_us);
    }

    ngx_webrtc_publish_write(t, rp->payload, rp->n, info.flags,
                             rp->arrival_us);

}


/* a packet with a new timestamp: the frame's time, and whether it is sent */

static void
ngx_webrtc_publish_frame(ngx_webrtc_publish_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_info_t *info)
{
    int64_t                ts;
    ngx_webrtc_order_e     order;
    ngx_webrtc_stream_t   *st;
    ngx_webrtc_publish_t  *pub;

    pub = t->session->pub;
    st = t->session->st;

    t->framed = 1;
    t->rtp_ts = rp->ts;

    ts = ngx_webrtc_sync_map(&pub->sync, t->track, rp->ts,
                             (int64_t) rp->arrival_us);

    t->ts = ngx_webrtc_timeline_map(&st->timeline, t->track, ts,
                                    (int64_t) rp->arrival_us);

    order = ngx_webrtc_order(&t->order, &t->ts,
                             (info->flags & NGX_WEBRTC_PKT_DISCARD) != 0);

    t->drop = (order == NGX_WEBRTC_ORDER_DROP);

    if (t->media->kind != NGX_WEBRTC_VIDEO) {
        t->drop = 0;
        return;
    }

    ngx_webrtc_atomic_add(&st->stat.dropped, t->drop);
    ngx_webrtc_atomic_add(&st->stat.clamped,
                          order == NGX_WEBRTC_ORDER_CLAMP);
}


static void
ngx_webrtc_publish_write(ngx_webrtc_publish_track_t *t, u_char *payload,
    size_t n, ngx_uint_t flags, uint64_t arrival_us)
{
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_publish_t      *pub;
    ngx_webrtc_ring_packet_t   pkt;

    st = t->session->st;
    pub = t->session->pub;

    ngx_memzero(&pkt, sizeof(ngx_webrtc_ring_packet_t));

    pkt.len = (uint16_t) n;
    pkt.track = t->track;
    pkt.flags = (uint8_t) flags;
    pkt.ts = ngx_webrtc_timeline_rtp(t->ts);
    pkt.arrival_us = arrival_us;

    if (ngx_webrtc_ring_write(&pub->writer, &pkt, payload) != NGX_OK) {
        return;
    }

    ngx_webrtc_atomic_add(&st->stat.packets, 1);
    ngx_webrtc_atomic_add(&st->stat.bytes, n);

    pub->dirty = 1;
}


void
ngx_webrtc_publish_flush(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publish_t  *pub;

    pub = s->pub;

    if (pub == NULL || !pub->claimed || !pub->dirty) {
        return;
    }

    pub->dirty = 0;

    if (pub->news) {
        pub->news = 0;
        ngx_webrtc_bus_set_tracks(s->st, pub->stream, pub->nstream);
    }

    ngx_webrtc_ring_publish(&pub->writer);

    ngx_webrtc_publish_activate(s);

    ngx_webrtc_worker_serve(s->wk, s->st);
    ngx_webrtc_bus_wake_others(s->wk->bus, s->st);
}


/* there are packets: tells so */

static void
ngx_webrtc_publish_activate(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publish_t  *pub;

    pub = s->pub;

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


void
ngx_webrtc_publish_rtcp(ngx_webrtc_session_t *s, const ngx_webrtc_rtcp_t *rtcp)
{
    u_char                     *p;
    uint64_t                    now_us;
    uint32_t                    ssrc, rtt_us;
    ngx_uint_t                  i, n;
    ngx_webrtc_publish_t       *pub;
    ngx_webrtc_rtcp_sr_t        sr;
    ngx_webrtc_rtcp_xr_t        xr;
    ngx_webrtc_rtcp_dlrr_t      dlrr;
    ngx_webrtc_publish_track_t *t;

    pub = s->pub;

    if (pub == NULL || !pub->claimed) {
        return;
    }

    now_us = ngx_webrtc_publish_clock();

    switch (rtcp->type) {

    case NGX_WEBRTC_RTCP_SR:

        if (ngx_webrtc_rtcp_parse_sr(rtcp, &sr) != NGX_OK) {
            return;
        }

        for (i = 0; i < pub->ntracks; i++) {
            if (pub->tracks[i].ssrc == sr.ssrc) {
                ngx_webrtc_report_in_sr(&pub->tracks[i].report, &sr, now_us);
                (void) ngx_webrtc_sync_sr(&pub->sync, pub->tracks[i].track,
                                          sr.ntp, sr.rtp);
            }
        }

        break;

    case NGX_WEBRTC_RTCP_XR:

        p = NULL;

        while ((p = ngx_webrtc_rtcp_parse_xr(rtcp, p, &ssrc, &xr)) != NULL) {

            for (n = 0;
                 ngx_webrtc_rtcp_parse_dlrr(&xr, n, &dlrr) == NGX_OK;
                 n++)
            {
                if (dlrr.ssrc != pub->ssrc
                    || ngx_webrtc_report_rtt(
                           (uint32_t) (ngx_webrtc_time_ntp(now_us) >> 16),
                           dlrr.lrr, dlrr.dlrr, &rtt_us)
                       != NGX_OK)
                {
                    continue;
                }

                s->peer->stat.rtt_us = rtt_us;

                for (i = 0; i < pub->ntracks; i++) {
                    t = &pub->tracks[i];

                    ngx_webrtc_nack_conf(&t->nack, rtt_us, 0);

                    if (t->media->fb & NGX_WEBRTC_FB_NACK) {
                        ngx_webrtc_reorder_hold(&t->reorder,
                                             ngx_webrtc_nack_hold(&t->nack));
                    }
                }
            }
        }

        break;
    }
}


void
ngx_webrtc_publish_keyframe(ngx_webrtc_session_t *s)
{
    if (s->pub == NULL || !s->pub->claimed) {
        return;
    }

    s->pub->want_key = 1;
    ngx_webrtc_publish_ask(s, ngx_webrtc_publish_clock());
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
    pub = s->pub;

    if (s->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    if (!pub->claimed) {
        ngx_webrtc_publish_claim(s);
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

    if (now_us - pub->last_us > NGX_WEBRTC_PUBLISH_SILENT
        && ngx_webrtc_bus_state(s->st) == NGX_WEBRTC_STREAM_ACTIVE)
    {
        ngx_webrtc_bus_set_state(s->wk->bus, s->st,
                                 NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }

    ngx_webrtc_publish_arm(s, now_us);
}


/* sets the timer to the earliest of all deadlines */

static void
ngx_webrtc_publish_arm(ngx_webrtc_session_t *s, uint64_t now_us)
{
    uint64_t                     next, us;
    ngx_msec_t                   ms;
    ngx_uint_t                   i;
    ngx_webrtc_publish_t        *pub;
    ngx_webrtc_publish_track_t  *t;

    pub = s->pub;

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


static void
ngx_webrtc_publish_nacks(ngx_webrtc_session_t *s, uint64_t now_us)
{
    u_char                      *p, *end;
    ngx_uint_t                   i;
    ngx_webrtc_publish_t        *pub;
    ngx_webrtc_nack_tell_t       tell;
    ngx_webrtc_publish_track_t  *t;
    u_char                       buf[NGX_WEBRTC_PUBLISH_RTCP];

    pub = s->pub;
    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];

        if (ngx_webrtc_nack_timeout(&t->nack, now_us, &tell) != NGX_OK) {
            continue;
        }

        if (tell.gone) {
            ngx_webrtc_reorder_give_up(&t->reorder, tell.gone, now_us);
        }

        if (tell.pli) {
            pub->want_key = 1;
        }

        if (tell.n) {
            p = ngx_webrtc_rtcp_write_rr(buf, end, pub->ssrc, NULL, 0);
            p = ngx_webrtc_rtcp_write_nack(p, end, pub->ssrc, t->ssrc,
                                           tell.seqs, tell.n);
            ngx_webrtc_publish_send(s, buf, p);

            s->peer->stat.nacks += tell.n;
        }
    }
}


/* RFC 4585, 6.3.1 and RFC 5104, 4.3.1; at most one per interval */

static void
ngx_webrtc_publish_ask(ngx_webrtc_session_t *s, uint64_t now_us)
{
    u_char                      *p, *end;
    ngx_uint_t                   i;
    ngx_webrtc_publish_t        *pub;
    ngx_webrtc_publish_track_t  *t;
    u_char                       buf[NGX_WEBRTC_PUBLISH_RTCP];

    pub = s->pub;

    if (now_us - pub->asked_us < (uint64_t) s->peer->keyframe_ms * 1000) {
        ngx_webrtc_publish_arm(s, now_us);
        return;
    }

    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    pub->asked_us = now_us;

    if (!pub->video) {
        /* viewers have video of a publisher before */
        pub->want_key = 0;
    }

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];

        if (t->media->kind != NGX_WEBRTC_VIDEO || t->ssrc == 0) {
            continue;
        }

        p = ngx_webrtc_rtcp_write_rr(buf, end, pub->ssrc, NULL, 0);

        if ((t->media->fb & (NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR))
            == NGX_WEBRTC_FB_FIR)
        {
            p = ngx_webrtc_rtcp_fb_write_fir(p, end, pub->ssrc, t->ssrc,
                                             pub->fir_seq++);
        } else {
            p = ngx_webrtc_rtcp_write_pli(p, end, pub->ssrc, t->ssrc);
        }

        ngx_webrtc_publish_send(s, buf, p);

        s->peer->stat.plis++;
        ngx_webrtc_atomic_add(&s->st->stat.key_requests, 1);
    }

    ngx_webrtc_bus_keyframe_done(s->st);
    ngx_webrtc_publish_arm(s, now_us);
}


/* receiver reports, REMB and transport-wide feedback that are due */

static void
ngx_webrtc_publish_feedback(ngx_webrtc_session_t *s, uint64_t now_us)
{
    u_char                *p, *q, *end;
    uint64_t               bitrate;
    ngx_webrtc_publish_t  *pub;
    u_char                 buf[NGX_WEBRTC_PUBLISH_RTCP];

    pub = s->pub;
    end = buf + sizeof(buf) - NGX_WEBRTC_SRTP_RTCP_TAG;

    if (now_us - pub->reported_us >= NGX_WEBRTC_PUBLISH_REPORT) {

        pub->reported_us = now_us;

        p = ngx_webrtc_publish_reports(s, buf, end, now_us);
        p = ngx_webrtc_rtcp_write_sdes(p, end, pub->ssrc, s->peer->id,
                                       NGX_WEBRTC_PLAY_CNAME);
        p = ngx_webrtc_rtcp_fb_write_rrtr(p, end, pub->ssrc,
                                          ngx_webrtc_time_ntp(now_us));

        bitrate = ngx_webrtc_limit_remb(&pub->limit, now_us);

        if (bitrate && pub->nssrcs) {
            p = ngx_webrtc_rtcp_fb_write_remb(p, end, pub->ssrc, bitrate,
                                              &pub->ssrcs[0].ssrc, 1);
        }

        ngx_webrtc_publish_send(s, buf, p);
    }

    for ( ;; ) {
        p = ngx_webrtc_rtcp_write_rr(buf, end, pub->ssrc, NULL, 0);
        q = ngx_webrtc_twcc_write(&pub->twcc, p, end, now_us);

        if (q == NULL || q == p) {
            return;
        }

        ngx_webrtc_publish_send(s, buf, q);
    }
}


static u_char *
ngx_webrtc_publish_reports(ngx_webrtc_session_t *s, u_char *p, u_char *end,
    uint64_t now_us)
{
    ngx_uint_t                   i, n, worst;
    ngx_webrtc_publish_t        *pub;
    ngx_webrtc_publish_track_t  *t;
    ngx_webrtc_rtcp_block_t      blocks[NGX_WEBRTC_DESC_MEDIA];

    pub = s->pub;
    n = 0;
    worst = 0;

    for (i = 0; i < pub->ntracks; i++) {
        t = &pub->tracks[i];

        if (t->ssrc
            && ngx_webrtc_report_in_block(&t->report, t->ssrc, now_us,
                                          &blocks[n])
               == NGX_OK)
        {
            worst = ngx_max(worst, blocks[n].fraction);
            n++;
        }
    }

    s->peer->stat.lost = (uint32_t) worst;
    ngx_webrtc_limit_loss(&pub->limit, worst, now_us);

    return ngx_webrtc_rtcp_write_rr(p, end, pub->ssrc, blocks, n);
}


/* p is NULL when it did not fit, which the sizes above exclude */

static void
ngx_webrtc_publish_send(ngx_webrtc_session_t *s, u_char *buf, u_char *p)
{
    if (p) {
        ngx_webrtc_session_send_rtcp(s, buf, p - buf);
    }
}


/* wall clock, us: the timeline's */

static uint64_t
ngx_webrtc_publish_clock(void)
{
    struct timeval  tv;

    ngx_gettimeofday(&tv);

    return (uint64_t) tv.tv_sec * 1000000 + tv.tv_usec;
}
