
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Packets of a sender, until they are in the ring.  A packet's track is
 * found by its mid (RFC 9143, 15), else its SSRC, else its payload type; what
 * was not negotiated is dropped and counted.  Of an m-line with layers each is
 * a track, found by its rid, until its SSRC is known (RFC 8852, 3).
 *
 * A track's SSRC may change at any time: an encoder restarts, a bridge switches
 * to another source.  Sequence numbers then begin anywhere, so reordering,
 * retransmission requests and reports start over, while viewers see one stream.
 * A new SSRC takes over the track at once.  An earlier SSRC of the track gets
 * it back with a packet newer than all it has sent, but not right after it was
 * replaced: packets still in flight must not make the track flip back and
 * forth.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_rtp.h"
#include "ngx_webrtc_ingest_depay.h"
#include "ngx_webrtc_ingest_depth.h"
#include "ngx_webrtc_ingest_ext.h"
#include "ngx_webrtc_ingest_feedback.h"
#include "ngx_webrtc_ingest_layers.h"
#include "ngx_webrtc_ingest_limit.h"
#include "ngx_webrtc_ingest_list.h"
#include "ngx_webrtc_ingest_rid.h"
#include "ngx_webrtc_ingest_ring.h"
#include "ngx_webrtc_ingest_timer.h"
#include "ngx_webrtc_ingest_track.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_udp.h"
#include "ngx_webrtc_rtp.h"
#include "ngx_webrtc_seq.h"
#include "ngx_webrtc_codecs.h"


/* us after a change of the SSRC for which packets of the old one count as late;
 * chosen: as long as reordering waits without retransmissions */
#define NGX_WEBRTC_INGEST_LATE      NGX_WEBRTC_REORDER_HOLD

/* packets; a longer gap is hidden from viewers; chosen: the window of
 * reordering */
#define NGX_WEBRTC_INGEST_GAP       NGX_WEBRTC_REORDER_VIDEO

/* us after a request within which a key frame counts as its answer; chosen: far
 * above encoders' delay, below their usual interval of key frames */
#define NGX_WEBRTC_INGEST_DEAF      1500000

/* changes of a track's codec per so many us; chosen: more than people make */
#define NGX_WEBRTC_INGEST_SWITCHES  20
#define NGX_WEBRTC_INGEST_SWITCH    10000000

/* bytes of a payload that can be sent on, even with the prefix of RTX */
#define NGX_WEBRTC_INGEST_PAYLOAD                                          \
    (NGX_WEBRTC_UDP_MAX - NGX_WEBRTC_PACKET_HEADER - NGX_WEBRTC_RTX_OSN       \
     - NGX_WEBRTC_SRTP_TAG)


#define ngx_webrtc_ingest_has(m, rtp_pt)                                   \
    (ngx_webrtc_desc_payload(m, rtp_pt) != NGX_WEBRTC_CODEC_NONE)


static void ngx_webrtc_ingest_rtp_input(ngx_webrtc_ingest_t *in,
    ngx_webrtc_rtp_t *rtp, size_t n, uint64_t now_us);
static void ngx_webrtc_ingest_rtp_order(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_track_t *t, ngx_webrtc_ingest_ssrc_t *ssrc,
    ngx_webrtc_rtp_t *rtp, ngx_uint_t again, uint64_t now_us);
static void ngx_webrtc_ingest_rtp_drop(ngx_webrtc_ingest_t *in,
    ngx_uint_t why, const char *what);
static ngx_int_t ngx_webrtc_ingest_rtp_find_track(ngx_webrtc_ingest_t *in,
    ngx_webrtc_rtp_t *rtp, uint64_t now_us,
    ngx_webrtc_ingest_ssrc_t **ssrc);
static ngx_webrtc_ingest_ssrc_t *ngx_webrtc_ingest_rtp_add_ssrc(
    ngx_webrtc_ingest_t *in);
static void ngx_webrtc_ingest_rtp_change_ssrc(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_track_t *t, uint32_t ssrc, uint64_t now_us);
static void ngx_webrtc_ingest_rtp_cut_frame(ngx_webrtc_ingest_track_t *t);
static ngx_webrtc_ingest_track_t *ngx_webrtc_ingest_rtp_match_track(
    ngx_webrtc_ingest_t *in, ngx_webrtc_rtp_t *rtp);
static void ngx_webrtc_ingest_rtp_extensions(ngx_webrtc_ingest_t *in,
    ngx_webrtc_rtp_t *rtp, uint64_t now_us);
static ngx_int_t ngx_webrtc_ingest_rtp_switch_codec(
    ngx_webrtc_ingest_track_t *t, ngx_uint_t codec, uint64_t arrival_us);
static ngx_uint_t ngx_webrtc_ingest_rtp_waits(ngx_webrtc_ingest_track_t *t,
    uint64_t now_us);
static void ngx_webrtc_ingest_rtp_key_frame(ngx_webrtc_ingest_track_t *t,
    uint64_t arrival_us);
static ngx_uint_t ngx_webrtc_ingest_rtp_useful(ngx_webrtc_ingest_track_t *t);
static void ngx_webrtc_ingest_rtp_orientation(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp);
static void ngx_webrtc_ingest_rtp_begin_frame(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_info_t *info);
static ngx_webrtc_order_e ngx_webrtc_ingest_rtp_frame_order(
    ngx_webrtc_ingest_track_t *t, ngx_uint_t discardable);
static void ngx_webrtc_ingest_rtp_write(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_info_t *info);
static void ngx_webrtc_ingest_rtp_write_packet(
    ngx_webrtc_ingest_track_t *t, u_char *payload, size_t n,
    ngx_uint_t flags, ngx_uint_t layer, uint64_t arrival_us);
static void ngx_webrtc_ingest_rtp_write_out(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_ingest_out_t *out, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload, size_t n);
static void ngx_webrtc_ingest_rtp_large(ngx_webrtc_ingest_track_t *t);


void
ngx_webrtc_ingest_rtp(ngx_webrtc_ingest_t *in, ngx_webrtc_rtp_t *rtp,
    size_t n, uint64_t now_us)
{
    uint64_t  rate;

    in->share.queue_us = NGX_WEBRTC_NACK_UNKNOWN;

    ngx_webrtc_ingest_rtp_input(in, rtp, n, now_us);

    rate = ngx_webrtc_ingest_feedback_path(in, n, now_us);

    if (rate) {
        ngx_webrtc_ingest_layers_narrow(in, rate, now_us);
        ngx_webrtc_ingest_timer_arm(in, now_us);
    }
}


static void
ngx_webrtc_ingest_rtp_input(ngx_webrtc_ingest_t *in, ngx_webrtc_rtp_t *rtp,
    size_t n, uint64_t now_us)
{
    ngx_int_t                   rc;
    ngx_webrtc_ingest_ssrc_t   *ssrc;
    ngx_webrtc_ingest_track_t  *t;

    in->stat->packets_in++;
    in->stat->bytes_in += n;

    ngx_webrtc_bitrate_input(&in->bitrate, n, now_us);

    if (ngx_webrtc_rtp_ext_crowded(rtp)) {
        ngx_webrtc_ingest_rtp_drop(in, NGX_WEBRTC_DROP_LIMIT,
                                   "too many header extensions");
        return;
    }

    rc = in->nlayers ? ngx_webrtc_ingest_rid_rtx(in, rtp) : NGX_DECLINED;

    if (rc == NGX_DECLINED) {
        rc = ngx_webrtc_rtx_unwrap(&in->rtx, rtp);
    }

    if (rc == NGX_DONE || rc == NGX_AGAIN) {
        /* a probe counts for the sender's estimate */
        ngx_webrtc_ingest_rtp_extensions(in, rtp, now_us);
        ngx_webrtc_ingest_timer_arm(in, now_us);
        return;
    }

    ngx_webrtc_ingest_rtp_extensions(in, rtp, now_us);

    switch (ngx_webrtc_ingest_rtp_find_track(in, rtp, now_us, &ssrc)) {

    case NGX_OK:
        break;

    case NGX_DONE:
        ngx_webrtc_bus_drop(in->bus, NGX_WEBRTC_DROP_RTP);
        return;

    default: /* NGX_DECLINED */
        ngx_webrtc_ingest_rtp_drop(in, NGX_WEBRTC_DROP_RTP,
                                   "rtp that was not negotiated");
        return;
    }

    t = &in->tracks[ssrc->n];

    if (rtp->len + (t->media->ext_cvo ? NGX_WEBRTC_PACKET_EXTENSION : 0)
        + ngx_webrtc_depay_grows(&t->depay)
        > NGX_WEBRTC_INGEST_PAYLOAD)
    {
        ngx_webrtc_ingest_rtp_drop(in, NGX_WEBRTC_DROP_LIMIT, "rtp too long");
        return;
    }

    ngx_webrtc_ingest_rtp_order(in, t, ssrc, rtp, rc == NGX_OK, now_us);
}


/* passes a packet of a track to reordering; again: it came by RTX */

static void
ngx_webrtc_ingest_rtp_order(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_track_t *t, ngx_webrtc_ingest_ssrc_t *ssrc,
    ngx_webrtc_rtp_t *rtp, ngx_uint_t again, uint64_t now_us)
{
    uint64_t                     seq;
    ngx_webrtc_reorder_packet_t  pkt;

    seq = ngx_webrtc_reorder_seq(&t->reorder, rtp->seq);

    if (!again) {
        ngx_webrtc_report_received(&t->report, seq, rtp->ts, now_us);
        ngx_webrtc_nack_share_received(&in->share, &t->nack, seq, rtp->ts,
                                       t->report.transit, t->report.clock_rate,
                                       now_us);

        if (ngx_webrtc_seq_less16(ssrc->seq, rtp->seq)) {
            ssrc->seq = rtp->seq;
        }

    } else if (!ngx_webrtc_reorder_near(&t->reorder, seq)) {
        /* of the previous SSRC, or too late: must not reset reordering */
        ngx_webrtc_bus_drop(in->bus, NGX_WEBRTC_DROP_RTP);
        return;
    }

    if (t->media->fb & NGX_WEBRTC_FB_NACK) {
        (void) ngx_webrtc_nack_received(&t->nack, seq, now_us);
    }

    ngx_memzero(&pkt, sizeof(ngx_webrtc_reorder_packet_t));

    pkt.seq = seq;
    pkt.arrival_us = now_us;
    pkt.payload = rtp->payload;
    pkt.n = (uint16_t) rtp->len;
    pkt.pt = rtp->pt;
    pkt.marker = rtp->marker;
    pkt.cvo = ngx_webrtc_ingest_ext_cvo(t, rtp);
    pkt.told = ngx_webrtc_ingest_ext_layer(t, rtp);
    pkt.ts = rtp->ts;

    if (t->media->ext_playout) {
        ngx_webrtc_ingest_ext_playout(t, rtp);
    }

    if (in->first_us == 0) {
        in->first_us = now_us;
    }

    in->last_us = now_us;

    if (t->layer && !again) {
        t->layer->last_us = now_us;
        t->layer->missed = 0;
    }

    if (ngx_webrtc_reorder_input(&t->reorder, &pkt, now_us) == NGX_AGAIN) {

        if (ngx_webrtc_ingest_rtp_waits(t, now_us)
            && (t->lacks || ngx_webrtc_nack_late(&t->nack, now_us))
            && ngx_webrtc_ingest_depay_ahead(t, &pkt))
        {
            /* what is missing before a key frame that is wanted is not */

            ngx_webrtc_nack_drop(&t->nack, seq, 0);
            ngx_webrtc_reorder_give_up(&t->reorder, seq - 1, now_us);
        }

        t->held_us = ngx_webrtc_reorder_timeout(&t->reorder, now_us);
    }

    ngx_webrtc_ingest_timer_arm(in, now_us);

    if (in->batch && !in->queued) {
        in->queued = 1;
        ngx_queue_insert_tail(in->batch, &in->queue);
    }
}


/* counts a dropped packet; what: static text for the log */

static void
ngx_webrtc_ingest_rtp_drop(ngx_webrtc_ingest_t *in, ngx_uint_t why,
    const char *what)
{
    ngx_webrtc_bus_drop(in->bus, why);
    in->ops->complain(in->data, what);
}


/*
 * The track of a packet: by mid, RFC 9143, 15; else SSRC; else payload type.
 *
 * NGX_OK        *ssrc is the track's current one
 * NGX_DECLINED  it was not negotiated
 * NGX_DONE      a late packet of an earlier SSRC of its track
 */

static ngx_int_t
ngx_webrtc_ingest_rtp_find_track(ngx_webrtc_ingest_t *in,
    ngx_webrtc_rtp_t *rtp, uint64_t now_us, ngx_webrtc_ingest_ssrc_t **ssrc)
{
    ngx_uint_t                  i;
    ngx_webrtc_ingest_ssrc_t   *e;
    ngx_webrtc_ingest_track_t  *t;

    for (i = 0; i < in->nssrcs; i++) {
        e = &in->ssrcs[i];

        if (e->ssrc != rtp->ssrc) {
            continue;
        }

        t = &in->tracks[e->n];

        if (!ngx_webrtc_ingest_has(t->media, rtp->pt)) {
            return NGX_DECLINED;
        }

        if (t->ssrc != e->ssrc) {

            if (now_us - t->changed_us < NGX_WEBRTC_INGEST_LATE
                || !ngx_webrtc_seq_less16(e->seq, rtp->seq))
            {
                return NGX_DONE;
            }

            ngx_webrtc_ingest_rtp_change_ssrc(in, t, e->ssrc, now_us);
        }

        *ssrc = e;

        return NGX_OK;
    }

    t = ngx_webrtc_ingest_rtp_match_track(in, rtp);

    if (t == NULL) {
        return NGX_DECLINED;
    }

    e = ngx_webrtc_ingest_rtp_add_ssrc(in);

    e->ssrc = rtp->ssrc;
    e->n = (uint16_t) (t - in->tracks);
    e->seq = rtp->seq;

    ngx_webrtc_ingest_rtp_change_ssrc(in, t, rtp->ssrc, now_us);

    *ssrc = e;

    return NGX_OK;
}


/* room for an SSRC; when full, the place of the first one that no track uses */

static ngx_webrtc_ingest_ssrc_t *
ngx_webrtc_ingest_rtp_add_ssrc(ngx_webrtc_ingest_t *in)
{
    ngx_uint_t                 i;
    ngx_webrtc_ingest_ssrc_t  *e;

    if (in->nssrcs < NGX_WEBRTC_INGEST_SSRCS) {
        return &in->ssrcs[in->nssrcs++];
    }

    /* there is one, as there are fewer tracks than SSRCs */

    for (i = 0; i < in->nssrcs - 1; i++) {
        e = &in->ssrcs[i];

        if (in->tracks[e->n].ssrc != e->ssrc) {
            break;
        }
    }

    ngx_memmove(&in->ssrcs[i], &in->ssrcs[i + 1],
                (in->nssrcs - 1 - i) * sizeof(ngx_webrtc_ingest_ssrc_t));

    return &in->ssrcs[in->nssrcs - 1];
}


/* a track's SSRC becomes known, or changes with this packet */

static void
ngx_webrtc_ingest_rtp_change_ssrc(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_track_t *t, uint32_t ssrc, uint64_t now_us)
{
    ngx_uint_t                i;
    ngx_webrtc_desc_media_t  *m;

    if (t->ssrc) {
        ngx_webrtc_reorder_renew(&t->reorder);
        ngx_webrtc_nack_renew(&t->nack);
        ngx_webrtc_report_in_init(&t->report, t->depay.track.clock_rate);
        ngx_webrtc_sync_renew(&in->sync, t->clock);

        t->framed = 0;
        t->held_us = 0;
        t->changed_us = now_us;

        ngx_webrtc_ingest_rtp_cut_frame(t);

        if (t->media->kind == NGX_WEBRTC_VIDEO) {
            /* unless the new SSRC begins with one */
            t->want_key = 1;
        }
    }

    t->ssrc = ssrc;

    if (t->layer) {
        /* its retransmissions say which layer they are of */
        t->layer->rtx_ssrc = 0;
        return;
    }

    m = t->media;

    (void) ngx_webrtc_rtx_bind(&in->rtx, m->pt, ssrc);

    for (i = 0; i < m->nalts; i++) {
        (void) ngx_webrtc_rtx_bind(&in->rtx, m->alts[i].pt, ssrc);
    }
}


/* the rest of an unfinished frame will not come any more */

static void
ngx_webrtc_ingest_rtp_cut_frame(ngx_webrtc_ingest_track_t *t)
{
    ngx_uint_t  i;

    if (t->open) {
        t->open = 0;

        for (i = 0; i < t->nouts; i++) {
            ngx_webrtc_ring_skip(&t->outs[i]->writer, t->track, 1);
        }
    }
}


static ngx_webrtc_ingest_track_t *
ngx_webrtc_ingest_rtp_match_track(ngx_webrtc_ingest_t *in,
    ngx_webrtc_rtp_t *rtp)
{
    ngx_uint_t                i;
    ngx_webrtc_rtp_ext_t      ext;
    ngx_webrtc_desc_media_t  *m;

    for (i = 0; i < in->ntracks; i++) {
        m = in->tracks[i].media;

        if (m->ext_mid
            && ngx_webrtc_ingest_has(m, rtp->pt)
            && ngx_webrtc_rtp_ext_find(rtp, m->ext_mid, &ext) == NGX_OK
            && ext.len == m->mid_len
            && ngx_memcmp(ext.data, m->mid, m->mid_len) == 0)
        {
            return ngx_webrtc_ingest_rid_track(&in->tracks[i], rtp);
        }
    }

    for (i = 0; i < in->ntracks; i++) {
        m = in->tracks[i].media;

        if (m->ssrc && m->ssrc == rtp->ssrc
            && ngx_webrtc_ingest_has(m, rtp->pt))
        {
            return &in->tracks[i];
        }
    }

    for (i = 0; i < in->ntracks; i++) {
        if (ngx_webrtc_ingest_has(in->tracks[i].media, rtp->pt)) {
            return ngx_webrtc_ingest_rid_track(&in->tracks[i], rtp);
        }
    }

    return NULL;
}


static void
ngx_webrtc_ingest_rtp_extensions(ngx_webrtc_ingest_t *in,
    ngx_webrtc_rtp_t *rtp, uint64_t now_us)
{
    ngx_uint_t                i;
    ngx_webrtc_rtp_ext_t      ext;
    ngx_webrtc_desc_media_t  *m;

    for (i = 0; i < in->ntracks; i++) {
        m = in->tracks[i].media;

        if ((m->fb & NGX_WEBRTC_FB_TWCC)
            && m->ext_twcc
            && ngx_webrtc_rtp_ext_find(rtp, m->ext_twcc, &ext) == NGX_OK
            && ext.len == 2)
        {
            ngx_webrtc_twcc_input(&in->twcc,
                                  (uint16_t) (ext.data[0] << 8 | ext.data[1]),
                                  rtp->ssrc, now_us);
            return;
        }
    }
}


/* it applies until another one is received */

static void
ngx_webrtc_ingest_rtp_orientation(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp)
{
    ngx_uint_t           i;
    ngx_webrtc_track_t  *track;

    t->told = (rp->cvo != 0);

    if (t->told) {
        t->cvo = rp->cvo & NGX_WEBRTC_CVO_MASK;
    }

    for (i = 0; i < t->nouts; i++) {
        track = &t->outs[i]->stream[t->track];

        if (track->cvo != t->cvo) {
            track->cvo = t->cvo;
            t->outs[i]->news = 1;
        }
    }
}


void
ngx_webrtc_ingest_rtp_packet(void *ctx, const ngx_webrtc_reorder_packet_t *rp)
{
    ngx_webrtc_ingest_track_t *t = ctx;

    ngx_int_t                rc;
    ngx_uint_t               i, codec;
    ngx_webrtc_ingest_t     *in;
    ngx_webrtc_depay_info_t  info;

    in = t->in;

    if (rp->lost) {
        ngx_webrtc_nack_drop(&t->nack, rp->seq, 0);
        t->in->stat->lost_in += rp->lost;
        t->lacks = 1;

        if (t->media->kind == NGX_WEBRTC_VIDEO) {
            t->want_key = 1;
        }
    }

    if (t->layer && rp->lost <= NGX_WEBRTC_INGEST_GAP) {
        ngx_webrtc_ingest_layers_packet(t->layer, rp->lost, rp->arrival_us);
    }

    codec = ngx_webrtc_desc_payload(t->media, rp->pt);

    /* padding belongs to any codec */

    if (codec != t->depay.track.codec && rp->n
        && ngx_webrtc_ingest_rtp_switch_codec(t, codec, rp->arrival_us)
           != NGX_OK)
    {
        return;
    }

    rc = ngx_webrtc_ingest_depay(t, rp, &info);

    ngx_webrtc_ingest_rtp_orientation(t, rp);

    if (info.key_needed) {
        t->want_key = 1;
    }

    if (rc == NGX_DECLINED) {
        ngx_webrtc_atomic_add(&t->in->st->stat.damaged, 1);
        in->ops->complain(in->data, "malformed rtp payload");
    }

    if (rc != NGX_OK) {
        return;
    }

    ngx_webrtc_ingest_limit_count(t, info.layer, rp->n, rp->arrival_us);

    if (!t->framed || rp->ts != t->rtp_ts) {
        ngx_webrtc_ingest_rtp_begin_frame(t, rp, &info);
    }

    if (t->drop) {
        return;
    }

    if (ngx_webrtc_ingest_depay_key(&info)) {
        ngx_webrtc_ingest_rtp_key_frame(t, rp->arrival_us);
    }

    if (t->media->kind == NGX_WEBRTC_VIDEO
        && !ngx_webrtc_ingest_rtp_useful(t))
    {
        t->want_key = (t->layer == NULL
                       || ngx_webrtc_ingest_layers_wanted(t->layer,
                                                          rp->arrival_us));
        return;
    }

    if (rp->lost && rp->lost <= NGX_WEBRTC_INGEST_GAP) {
        for (i = 0; i < t->nouts; i++) {
            ngx_webrtc_ring_skip(&t->outs[i]->writer, t->track, rp->lost);
        }
    }

    if (!ngx_webrtc_ingest_limit_cuts(t, info.layer, &info.flags)) {
        ngx_webrtc_ingest_rtp_write(t, rp, &info);
    }

    t->open = (t->media->kind == NGX_WEBRTC_VIDEO && !rp->marker);
}


/* a payload, behind the parameter sets that it needs */

static void
ngx_webrtc_ingest_rtp_write(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_info_t *info)
{
    size_t       n;
    u_char      *p, *end;
    ngx_uint_t   flags;
    u_char       prefix[NGX_WEBRTC_DEPAY_PAYLOAD];
    u_char       joined[NGX_WEBRTC_INGEST_PAYLOAD];

    while (ngx_webrtc_depay_prefix(&t->depay, prefix, sizeof(prefix), &n,
                                   &flags)
           == NGX_OK)
    {
        p = ngx_webrtc_depay_join(&t->depay, prefix, &n, 1, joined);

        ngx_webrtc_ingest_rtp_write_packet(t, p, n, flags,
                                           info->layer & ~NGX_WEBRTC_LAYER_END,
                                           rp->arrival_us);
    }

    end = rp->payload + rp->n;
    p = rp->payload;

    if (t->layer || ngx_webrtc_depay_numbered(&t->depay)) {
        /* others may follow it, and precede, or frames are left out */
        p = ngx_webrtc_depay_plain(&t->depay, p, end);
    }

    n = end - p;

    if (n + (t->media->ext_cvo ? NGX_WEBRTC_PACKET_EXTENSION : 0)
        + ngx_webrtc_depay_grows(&t->depay)
        > NGX_WEBRTC_INGEST_PAYLOAD)
    {
        /* it was taken while the codec was another one */

        ngx_webrtc_ingest_rtp_cut_frame(t);
        t->want_key = 1;

        return;
    }

    p = ngx_webrtc_depay_join(&t->depay, p, &n,
                              !(info->flags & NGX_WEBRTC_PKT_MARKER), joined);

    ngx_webrtc_ingest_rtp_write_packet(t, p, n, info->flags, info->layer,
                                       rp->arrival_us);
}


/* is a key frame wanted, or would one begin its layer? */

static ngx_uint_t
ngx_webrtc_ingest_rtp_waits(ngx_webrtc_ingest_track_t *t, uint64_t now_us)
{
    return t->want_key
           || (t->layer && !t->layer->live
               && ngx_webrtc_ingest_layers_wanted(t->layer, now_us));
}


/*
 * The beginning of a key frame: it also answers requests that are held back for
 * the interval.
 */

static void
ngx_webrtc_ingest_rtp_key_frame(ngx_webrtc_ingest_track_t *t,
    uint64_t arrival_us)
{
    ngx_uint_t  i;

    if (t->waits_us) {
        t->deaf = (arrival_us > t->waits_us + NGX_WEBRTC_INGEST_DEAF);
        t->answers = (ngx_webrtc_ingest_rtp_useful(t) && !t->deaf);
        t->waits_us = 0;
    }

    t->want_key = 0;
    t->lacks = 0;
    t->key_us = arrival_us;

    if (t->layer) {
        ngx_webrtc_ingest_layers_key_frame(t->layer, arrival_us);

    } else if (t->depay.layered && t->depth.since_us == 0) {
        ngx_webrtc_ingest_depth_begin(t, arrival_us);
        ngx_webrtc_ingest_list(t->in, arrival_us);
    }

    for (i = 0; i < t->nouts; i++) {
        t->outs[i]->key = 1;
        ngx_webrtc_bus_keyframe_done(t->outs[i]->st);
    }
}


/* without a key frame before it, video is useless to everybody */

static ngx_uint_t
ngx_webrtc_ingest_rtp_useful(ngx_webrtc_ingest_track_t *t)
{
    ngx_uint_t  i;

    for (i = 0; i < t->nouts; i++) {
        if (t->outs[i]->key) {
            return 1;
        }
    }

    return 0;
}


/*
 * The publisher switches to another negotiated codec.  As that makes every
 * viewer's session review its tracks, it is not done for each packet of a
 * publisher that alternates.
 */

static ngx_int_t
ngx_webrtc_ingest_rtp_switch_codec(ngx_webrtc_ingest_track_t *t,
    ngx_uint_t codec, uint64_t arrival_us)
{
    ngx_uint_t            i;
    ngx_webrtc_ingest_t  *in;

    in = t->in;

    if (t->switches
        && arrival_us - t->switched_us >= NGX_WEBRTC_INGEST_SWITCH)
    {
        t->switches = 0;
    }

    if (t->switches == 0) {
        t->switched_us = arrival_us;
    }

    if (++t->switches > NGX_WEBRTC_INGEST_SWITCHES) {
        in->ops->complain(in->data, "codec that changes too often");
        return NGX_ERROR;
    }

    /* what was sent before is for viewers that have that codec */

    ngx_webrtc_ingest_rtp_cut_frame(t);
    ngx_webrtc_ingest_ring_flush(in);

    if (ngx_webrtc_ingest_track_codec(t, codec) != NGX_OK) {
        in->ops->complain(in->data, "unsupported codec");
        return NGX_ERROR;
    }

    ngx_memzero(&t->padding, sizeof(ngx_webrtc_padding_t));

    t->framed = 0;
    t->drop = 0;

    for (i = 0; i < t->nouts; i++) {
        t->outs[i]->news = 1;

        if (t->media->kind == NGX_WEBRTC_VIDEO) {
            t->outs[i]->key = 0;
        }
    }

    t->want_key = (t->media->kind == NGX_WEBRTC_VIDEO);

    ngx_log_error(NGX_LOG_INFO, in->log, 0, "webrtc %s sends codec:%V",
                  in->what, &ngx_webrtc_codec(codec)->name);

    return NGX_OK;
}


/* a packet with a new timestamp: sets the frame's time, or drops the frame */

static void
ngx_webrtc_ingest_rtp_begin_frame(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_info_t *info)
{
    int64_t               ts;
    ngx_webrtc_order_e    order;
    ngx_webrtc_stream_t  *st;
    ngx_webrtc_ingest_t  *in;

    in = t->in;
    st = t->in->st;

    t->framed = 1;
    t->rtp_ts = rp->ts;

    if (t->layer) {
        ngx_webrtc_ingest_layers_frame(t->layer, rp->arrival_us);
    }

    ts = ngx_webrtc_sync_map(&in->sync, t->clock, rp->ts,
                             (int64_t) rp->arrival_us);

    t->ts = ngx_webrtc_timeline_map(&st->timeline, t->track, ts,
                                    (int64_t) rp->arrival_us);

    order = ngx_webrtc_ingest_rtp_frame_order(t,
                                (info->flags & NGX_WEBRTC_PKT_DISCARD) != 0);

    t->drop = (order == NGX_WEBRTC_ORDER_DROP);

    ngx_webrtc_ingest_limit_picture(t, info->flags, rp->arrival_us);

    if (t->media->kind != NGX_WEBRTC_VIDEO) {
        t->drop = 0;
        return;
    }

    if (t->drop && !in->reordered) {
        in->reordered = 1;

        ngx_webrtc_bus_complain(t->in->bus, st, NGX_LOG_WARN,
                                t->in->log, in->what,
                                "video has B-frames, which WebRTC cannot show "
                                "in order: frames are left out; set the "
                                "encoder to none (x264 and OBS: tune "
                                "zerolatency or bframes=0, NVENC: B-frames 0)");
    }

    ngx_webrtc_atomic_add(&st->stat.dropped, t->drop);
    ngx_webrtc_atomic_add(&st->stat.clamped,
                          order == NGX_WEBRTC_ORDER_CLAMP);
}


/*
 * B-frames: where nobody gets what is encoded anew, times are made to grow;
 * else they are what they are, as the encoder needs all frames.
 */

static ngx_webrtc_order_e
ngx_webrtc_ingest_rtp_frame_order(ngx_webrtc_ingest_track_t *t,
    ngx_uint_t discardable)
{
    ngx_webrtc_ingest_t  *in;

    in = t->in;

    if (in->policy->transcode == NGX_WEBRTC_TRANSCODE_OFF
        || !(t->depay.track.traits & NGX_WEBRTC_TRACK_REORDERED))
    {
        return ngx_webrtc_order(&t->order, &t->ts, discardable);
    }

    t->order.last = ngx_max(t->order.last, t->ts);
    t->order.sent++;

    return NGX_WEBRTC_ORDER_SEND;
}


static void
ngx_webrtc_ingest_rtp_write_packet(ngx_webrtc_ingest_track_t *t,
    u_char *payload, size_t n, ngx_uint_t flags, ngx_uint_t layer,
    uint64_t arrival_us)
{
    size_t                    pad;
    u_char                    buf[NGX_WEBRTC_PADDING_PAYLOAD];
    ngx_uint_t                i, video;
    ngx_webrtc_ring_packet_t  pkt;

    ngx_memzero(&pkt, sizeof(ngx_webrtc_ring_packet_t));

    pad = 0;
    video = (t->media->kind == NGX_WEBRTC_VIDEO);

    if (video) {
        pad = ngx_webrtc_padding_size(&t->padding, n, flags);
    }

    if (pad) {
        ngx_memcpy(buf, payload, n);
        ngx_webrtc_padding_write(buf + n, pad);

        payload = buf;
        flags |= NGX_WEBRTC_PKT_PADDED;
    }

    pkt.len = (uint16_t) (n + pad);
    pkt.track = t->track;
    pkt.flags = (uint8_t) flags;
    pkt.layer = (uint8_t) layer;

    if (t->depay.layered) {
        ngx_webrtc_ingest_depth_count(t, layer, n);
    }

    if ((flags & NGX_WEBRTC_PKT_MARKER)
        && (t->cvo || t->told
            || (t->media->ext_cvo && (flags & NGX_WEBRTC_PKT_KEY))))
    {
        /* on every frame unless 0: libwebrtc takes a missing one as 0 */
        pkt.cvo = NGX_WEBRTC_CVO_TOLD | t->cvo;
    }

    pkt.arrival_us = arrival_us;

    for (i = 0; i < t->nouts; i++) {
        if (!video || t->outs[i]->key) {
            ngx_webrtc_ingest_rtp_write_out(t, t->outs[i], &pkt, payload, n);
        }
    }

    t->npackets = (flags & NGX_WEBRTC_PKT_FIRST) ? 1 : t->npackets + 1;

    if (t->npackets > NGX_WEBRTC_FRAME_PACKETS && video) {
        ngx_webrtc_ingest_rtp_large(t);
    }
}


/* n: bytes of payload, of those that were there before padding */

static void
ngx_webrtc_ingest_rtp_write_out(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_ingest_out_t *out, ngx_webrtc_ring_packet_t *pkt,
    u_char *payload, size_t n)
{
    ngx_webrtc_ingest_t  *in;

    in = t->in;

    pkt->ts = ngx_webrtc_timeline_rtp((t->layer && out == &in->out)
                                      ? ngx_webrtc_ingest_layers_time(t)
                                      : t->ts);

    if (ngx_webrtc_ring_wants(&out->writer, pkt->len, pkt->arrival_us,
                              ngx_webrtc_ingest_ring_keep(out)))
    {
        ngx_webrtc_ingest_ring_grow(in, out, in->last_us);
    }

    if (ngx_webrtc_ring_write(&out->writer, pkt, payload) != NGX_OK) {
        return;
    }

    ngx_webrtc_atomic_add(&out->st->stat.packets, 1);
    ngx_webrtc_atomic_add(&out->st->stat.bytes, n);

    out->dirty = 1;
}


static void
ngx_webrtc_ingest_rtp_large(ngx_webrtc_ingest_track_t *t)
{
    ngx_webrtc_ingest_t  *in;

    in = t->in;

    if (in->large) {
        return;
    }

    in->large = 1;

    ngx_webrtc_bus_complain(in->bus, in->st, NGX_LOG_WARN, in->log, in->what,
                            "video has pictures of more than %d packets, "
                            "and browsers show none of those: lower the "
                            "bitrate of key frames or the resolution",
                            NGX_WEBRTC_FRAME_PACKETS);
}
