
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Writes frames into the ring: timeline, order of B-frames, packetizer.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_out.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_foreign.h"


/* us until a ring that could not grow may try again; chosen */
#define NGX_WEBRTC_SOURCE_OUT_FULL  1000000

/*
 * frames with a clamped time that are taken for B-frames; chosen: second
 * fields and repeated timestamps are rare
 */
#define NGX_WEBRTC_SOURCE_OUT_HELD  3

/* 90 kHz; a frame that goes back by more is a B-frame, by less rounding;
 * chosen: 2 ms, FLV counts in 1 ms */
#define NGX_WEBRTC_SOURCE_OUT_BACK  180


static ngx_int_t ngx_webrtc_source_out_frame(ngx_webrtc_source_out_t *out,
    ngx_uint_t i, u_char *data, size_t n, ngx_webrtc_frame_t *frame,
    int64_t ts, int64_t now_us);
static ngx_webrtc_order_e ngx_webrtc_source_out_order(
    ngx_webrtc_source_out_t *out, ngx_uint_t i, ngx_webrtc_frame_t *frame,
    int64_t *media);
static void ngx_webrtc_source_out_key(ngx_webrtc_source_out_t *out, size_t n);
static void ngx_webrtc_source_out_grow(ngx_webrtc_source_out_t *out,
    size_t need);
static void ngx_webrtc_source_out_lost_key(ngx_webrtc_source_out_t *out);
static ngx_int_t ngx_webrtc_source_out_packet(void *ctx, u_char *payload,
    size_t n, ngx_uint_t flags);
static ngx_int_t ngx_webrtc_source_out_write(ngx_webrtc_source_out_t *out,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload);


/* a source sends key frames when it pleases */

static const ngx_webrtc_ring_keep_t  ngx_webrtc_source_out_keep = {
    NGX_WEBRTC_KEEP_US, NGX_WEBRTC_KEEP_MAX, 0
};


void
ngx_webrtc_source_out_init(ngx_webrtc_source_out_t *out,
    ngx_webrtc_source_out_conf_t *conf)
{
    ngx_memzero(out, sizeof(ngx_webrtc_source_out_t));

    out->conf = conf;
    out->timeline = conf->timeline;
    out->keep = conf->keep ? conf->keep : &ngx_webrtc_source_out_keep;

    if (out->timeline) {
        out->jumps = out->timeline->jumps;
    }

    if (conf->ring) {
        ngx_webrtc_ring_attach(conf->ring, &out->writer);
    }
}


void
ngx_webrtc_source_out_begin(ngx_webrtc_source_out_t *out)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {

        /* receivers see one track, whatever happens to its source */

        if (out->pack[i].track.kind == NGX_WEBRTC_VIDEO) {
            out->picture_id = out->pack[i].picture_id;
        }
    }

    ngx_memzero(out->pack, sizeof(out->pack));
    ngx_memzero(out->order, sizeof(out->order));

    ngx_memzero(&out->known, sizeof(ngx_webrtc_track_t));

    out->cvo = 0;
    out->reordered = 0;
    out->plain = 0;
    out->news = 0;
    out->wait_key = 0;
    out->hold = 0;
    out->full_us = 0;
    out->told = NGX_WEBRTC_RING_HELD;
    out->dry = 0;

    if (out->timeline) {
        ngx_webrtc_timeline_start(out->timeline);
    }
}


ngx_int_t
ngx_webrtc_source_out_track(ngx_webrtc_source_out_t *out, ngx_uint_t i,
    ngx_uint_t codec, u_char *extradata, size_t n)
{
    uint32_t            rate;
    ngx_webrtc_pack_t  *pack;

    pack = &out->pack[i];

    if (ngx_webrtc_pack_init(pack, ngx_webrtc_codec(codec),
                             out->conf->max_payload,
                             ngx_webrtc_source_out_packet, out)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (pack->track.kind == NGX_WEBRTC_VIDEO) {
        pack->picture_id = out->picture_id;
        out->wait_key = 1;
        out->hold = 1;
    }

    rate = pack->track.clock_rate;

    if (out->timeline
        && ngx_webrtc_timeline_track(out->timeline, i, rate, 1, rate)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_webrtc_source_out_config(out, i, extradata, n);

    return NGX_OK;
}


void
ngx_webrtc_source_out_config(ngx_webrtc_source_out_t *out, ngx_uint_t i,
    u_char *extradata, size_t n)
{
    if (n == 0) {
        return;
    }

    if (ngx_webrtc_pack_config(&out->pack[i], extradata, n) != NGX_OK) {
        out->delta.damaged++;
    }
}


ngx_int_t
ngx_webrtc_source_out_record(ngx_webrtc_source_out_t *out,
    ngx_webrtc_media_record_t *r)
{
    ngx_uint_t  i, kind;

    i = r->track;
    kind = (i == NGX_WEBRTC_MEDIA_VIDEO) ? NGX_WEBRTC_VIDEO : NGX_WEBRTC_AUDIO;

    switch (r->type) {

    case NGX_WEBRTC_MEDIA_BEGIN:
        ngx_webrtc_source_out_begin(out);
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_TRACK:

        if (ngx_webrtc_codec(r->value)->kind != kind) {
            return NGX_DECLINED;
        }

        return ngx_webrtc_source_out_track(out, i, r->value, r->data, r->len);

    case NGX_WEBRTC_MEDIA_TURN:
        out->cvo = (uint8_t) (r->value & NGX_WEBRTC_CVO_MASK);
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_UNHOLD:
        ngx_webrtc_source_out_unhold(out);
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_SEAM:
        ngx_webrtc_source_out_seam(out);
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_DAMAGED:
        ngx_webrtc_source_out_damaged(out);
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_STEPPED:
        ngx_webrtc_source_out_stepped(out);
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_END:
        ngx_webrtc_source_out_end(out);
        return NGX_OK;

    default: /* _CONFIG, _FRAME */
        break;
    }

    if (out->pack[i].track.kind != kind) {
        return NGX_DECLINED;
    }

    if (r->type == NGX_WEBRTC_MEDIA_CONFIG) {
        ngx_webrtc_source_out_config(out, i, r->data, r->len);
        return NGX_OK;
    }

    out->pack[i].key = (r->value & NGX_WEBRTC_MEDIA_KEY);

    return (kind == NGX_WEBRTC_VIDEO)
           ? ngx_webrtc_source_out_video(out, i, r->data, r->len, r->ts,
                                         r->now_us)
           : ngx_webrtc_source_out_audio(out, i, r->data, r->len, r->ts,
                                         r->now_us);
}


u_char *
ngx_webrtc_source_out_warning(ngx_webrtc_source_out_t *out,
    u_char buf[NGX_WEBRTC_SOURCE_OUT_TEXT])
{
    u_char  *last;

    last = buf + NGX_WEBRTC_SOURCE_OUT_TEXT;

    if (!out->told_order && !out->conf->transcode
        && (out->dropped || out->held > NGX_WEBRTC_SOURCE_OUT_HELD))
    {
        out->told_order = 1;

        return ngx_slprintf(buf, last,
                  "video has B-frames, which WebRTC cannot show in order: "
                  "frames are left out or late; set the encoder to none "
                  "(x264 and OBS: tune zerolatency or bframes=0, NVENC: "
                  "B-frames 0)");
    }

    if (!out->told_large
        && !ngx_webrtc_foreign(out->pack[NGX_WEBRTC_MEDIA_VIDEO].track.codec)
        && out->most > NGX_WEBRTC_FRAME_PACKETS)
    {
        out->told_large = 1;

        return ngx_slprintf(buf, last,
                  "video has pictures of %uD packets, and browsers show none "
                  "of more than %d: lower the bitrate of key frames or the "
                  "resolution", out->most, NGX_WEBRTC_FRAME_PACKETS);
    }

    return NULL;
}


ngx_uint_t
ngx_webrtc_source_out_learned(ngx_webrtc_source_out_t *out,
    ngx_webrtc_track_t *track)
{
    ngx_webrtc_track_t  was, *known;

    was = *track;
    known = &out->known;

    out->news = 0;

    if (known->codec != track->codec) {
        return 0;
    }

    if (known->width) {
        track->profile = known->profile;
        track->width = known->width;
        track->height = known->height;
        track->depth = known->depth;
        track->chroma = known->chroma;

        track->traits &= out->plain ? 0 : NGX_WEBRTC_TRACK_REORDERED;
        track->traits |= known->traits;
    }

    if (out->reordered) {
        track->traits |= NGX_WEBRTC_TRACK_REORDERED;
    }

    return ngx_memcmp(track, &was, sizeof(ngx_webrtc_track_t)) != 0;
}


ngx_int_t
ngx_webrtc_source_out_video(ngx_webrtc_source_out_t *out, ngx_uint_t i,
    u_char *data, size_t n, int64_t pts, int64_t now_us)
{
    ngx_int_t           rc;
    ngx_webrtc_frame_t  frame;

    rc = ngx_webrtc_pack_probe(&out->pack[i], data, n, &frame);

    if (rc != NGX_OK) {
        out->delta.damaged++;
        return NGX_DECLINED;
    }

    if (ngx_memcmp(&out->pack[i].track, &out->known,
                   sizeof(ngx_webrtc_track_t)))
    {
        if (out->known.traits & ~out->pack[i].track.traits
            & NGX_WEBRTC_TRACK_REORDERED)
        {
            /* another encoder: its own B-frames are seen when they come */

            out->reordered = 0;
            out->plain = 1;
        }

        out->known = out->pack[i].track;
        out->news = 1;
    }

    if (out->wait_key) {

        if (!frame.key) {
            return NGX_DECLINED;
        }

        out->wait_key = 0;
        out->hold = 0;
    }

    return ngx_webrtc_source_out_frame(out, i, data, n, &frame, pts, now_us);
}


ngx_int_t
ngx_webrtc_source_out_audio(ngx_webrtc_source_out_t *out, ngx_uint_t i,
    u_char *data, size_t n, int64_t ts, int64_t now_us)
{
    ngx_webrtc_frame_t  frame;

    if (out->hold) {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_pack_probe(&out->pack[i], data, n, &frame) != NGX_OK) {
        out->delta.damaged++;
        return NGX_DECLINED;
    }

    return ngx_webrtc_source_out_frame(out, i, data, n, &frame, ts, now_us);
}


ngx_int_t
ngx_webrtc_source_out_copy(ngx_webrtc_source_out_t *out,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload, ngx_uint_t missing)
{
    if (missing) {
        ngx_webrtc_ring_skip(&out->writer, pkt->track, missing);
    }

    out->now_us = (int64_t) pkt->arrival_us;

    return ngx_webrtc_source_out_write(out, pkt, payload) == NGX_OK
           ? NGX_OK : NGX_DECLINED;
}


void
ngx_webrtc_source_out_unhold(ngx_webrtc_source_out_t *out)
{
    out->hold = 0;
}


void
ngx_webrtc_source_out_end(ngx_webrtc_source_out_t *out)
{
    out->conf->published(out->conf->ctx, &out->delta);

    ngx_memzero(&out->delta, sizeof(ngx_webrtc_source_delta_t));
}


void
ngx_webrtc_source_out_seam(ngx_webrtc_source_out_t *out)
{
    out->wait_key = 1;
}


void
ngx_webrtc_source_out_damaged(ngx_webrtc_source_out_t *out)
{
    out->delta.damaged++;
}


void
ngx_webrtc_source_out_stepped(ngx_webrtc_source_out_t *out)
{
    out->delta.discontinuities++;
}


static ngx_int_t
ngx_webrtc_source_out_frame(ngx_webrtc_source_out_t *out, ngx_uint_t i,
    u_char *data, size_t n, ngx_webrtc_frame_t *frame, int64_t ts,
    int64_t now_us)
{
    int64_t              media, ts_media;
    uint64_t             head;
    ngx_int_t            rc;
    ngx_uint_t           audio;
    ngx_webrtc_pack_t   *pack;
    ngx_webrtc_order_e   order;

    pack = &out->pack[i];
    audio = (pack->track.kind == NGX_WEBRTC_AUDIO);

    ts_media = out->timeline ? ngx_webrtc_timeline_map(out->timeline, i, ts,
                                                       now_us)
                             : ts;
    media = ts_media;

    order = audio ? ngx_webrtc_order(&out->order[i], &media, 1)
                  : ngx_webrtc_source_out_order(out, i, frame, &media);

    if (order == NGX_WEBRTC_ORDER_CLAMP && !audio) {
        /* by a frame's time, not by one tick */
        out->held += (media - ts_media > NGX_WEBRTC_SOURCE_OUT_CLOCK / 1000);
    }

    if (order == NGX_WEBRTC_ORDER_DROP) {
        out->delta.dropped += !audio;
        out->dropped += !audio;
        return NGX_DECLINED;
    }

    out->track = i;
    out->media = media;
    out->now_us = now_us;

    if (frame->key) {
        ngx_webrtc_source_out_key(out, n);
    }

    head = out->writer.head;

    rc = ngx_webrtc_pack_frame(pack, data, n, frame);

    if (rc != NGX_OK) {
        out->delta.damaged++;
        return NGX_DECLINED;
    }

    if (out->writer.head == head) {
        /* PCM that waits for the rest of its 20 ms */
        return NGX_OK;
    }

    if (!audio) {
        out->delta.frames++;
        out->delta.keyframes += frame->key;
        out->delta.clamped += (order == NGX_WEBRTC_ORDER_CLAMP);
    }

    if (out->timeline) {
        out->delta.discontinuities += out->timeline->jumps - out->jumps;
        out->jumps = out->timeline->jumps;
    }

    ngx_webrtc_source_out_flush(out);

    return NGX_OK;
}


void
ngx_webrtc_source_out_flush(ngx_webrtc_source_out_t *out)
{
    ngx_webrtc_ring_publish(&out->writer);

    ngx_webrtc_source_out_end(out);

    if (out->writer.state != NGX_WEBRTC_RING_HELD) {
        ngx_webrtc_source_out_lost_key(out);
    }
}


/*
 * B-frames: where all viewers get the stream as it is, its times are made to
 * grow; where others get it transcoded, they are what they are, except that no
 * two frames in succession have one time.
 */

static ngx_webrtc_order_e
ngx_webrtc_source_out_order(ngx_webrtc_source_out_t *out, ngx_uint_t i,
    ngx_webrtc_frame_t *frame, int64_t *media)
{
    ngx_webrtc_order_t  *o;

    o = &out->order[i];

    if (!out->reordered && o->set
        && *media < o->last - NGX_WEBRTC_SOURCE_OUT_BACK)
    {
        out->reordered = 1;
        out->news = 1;
    }

    if (!out->conf->transcode || !out->reordered) {
        return ngx_webrtc_order(o, media,
                                frame->discardable && !out->conf->transcode);
    }

    o->last = ngx_max(o->last, *media);
    o->sent++;

    return NGX_WEBRTC_ORDER_SEND;
}


/* A key frame about to be written has to fit, with what follows it. */

static void
ngx_webrtc_source_out_key(ngx_webrtc_source_out_t *out, size_t n)
{
    /* chosen: headers of packets, their alignment and descriptors */

    n += n / 2;

    if (ngx_webrtc_ring_room(out->writer.ring) == 0) {
        ngx_webrtc_source_out_grow(out, 0);
    }

    if (n > ngx_webrtc_ring_room(out->writer.ring)) {
        ngx_webrtc_source_out_grow(out, n + n / 4);
    }
}


static void
ngx_webrtc_source_out_grow(ngx_webrtc_source_out_t *out, size_t need)
{
    if (out->conf->grow == NULL
        || (out->full_us && out->now_us < out->full_us))
    {
        return;
    }

    out->full_us = 0;

    if (out->conf->grow(out->conf->ctx, need) != NGX_OK) {
        out->full_us = out->now_us + NGX_WEBRTC_SOURCE_OUT_FULL;
    }
}


/*
 * The key frame that newcomers start with is no longer in the ring, which
 * could not grow when it had to.
 */

static void
ngx_webrtc_source_out_lost_key(ngx_webrtc_source_out_t *out)
{
    if (out->writer.state > out->told) {
        out->told = out->writer.state;

        if (out->conf->grow) {
            (void) out->conf->grow(out->conf->ctx, 0);
        }
    }
}


static ngx_int_t
ngx_webrtc_source_out_packet(void *ctx, u_char *payload, size_t n,
    ngx_uint_t flags)
{
    ngx_webrtc_source_out_t  *out = ctx;

    ngx_webrtc_ring_packet_t  pkt;

    ngx_memzero(&pkt, sizeof(ngx_webrtc_ring_packet_t));

    pkt.arrival_us = out->now_us;
    pkt.ts = ngx_webrtc_timeline_rtp(out->media + out->pack[out->track].tick);
    pkt.len = (uint16_t) n;
    pkt.track = out->conf->place ? out->conf->place[out->track]
                                 : (uint8_t) out->track;
    pkt.flags = (uint8_t) flags;

    if (out->cvo && (flags & NGX_WEBRTC_PKT_MARKER)
        && out->pack[out->track].track.kind == NGX_WEBRTC_VIDEO)
    {
        pkt.cvo = NGX_WEBRTC_CVO_TOLD | out->cvo;
    }

    if (ngx_webrtc_source_out_write(out, &pkt, payload) != NGX_OK) {
        return NGX_ERROR;
    }

    if (out->pack[out->track].track.kind == NGX_WEBRTC_VIDEO) {
        out->npackets = (flags & NGX_WEBRTC_PKT_FIRST) ? 1 : out->npackets + 1;
        out->most = ngx_max(out->most, out->npackets);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_source_out_write(ngx_webrtc_source_out_t *out,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload)
{
    if (ngx_webrtc_ring_wants(&out->writer, pkt->len, pkt->arrival_us,
                              out->keep))
    {
        ngx_webrtc_source_out_grow(out, 0);
    }

    if (ngx_webrtc_ring_write(&out->writer, pkt, payload) != NGX_OK) {
        out->dry = (ngx_webrtc_ring_room(out->writer.ring) == 0);
        return NGX_ERROR;
    }

    out->delta.packets++;
    out->delta.bytes += pkt->len;

    return NGX_OK;
}
