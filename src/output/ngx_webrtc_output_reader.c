
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Frames of a stream's ring: see ngx_webrtc_output_reader.h.
 *
 *   1. An entry is copied out, and is used only if it was still whole after
 *      that (ngx_webrtc_ring_check()).
 *
 *   2. A frame is whole if a packet of it has FIRST, its last one has LAST, and
 *      no index is missing between its first packet and its last.  Packets of
 *      another timestamp end one without LAST: that is cut.
 *
 *   3. Whatever frame of video is not whole, or is left out, makes the track
 *      wait for a key frame, as later ones may refer to it.
 *
 *   4. The stream says since which index a track has its codec.  Packets from
 *      before are read with the codec that was said before; a reader that is
 *      two changes behind finds them malformed.
 *
 *   5. A reader that was overtaken goes on at the newest key frame, or at the
 *      end of the ring.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_output_reader.h"


/* bytes of a frame's first buffer; chosen: most frames of 1 Mbit/s */
#define NGX_WEBRTC_OUTPUT_BUFFER  16384


static void ngx_webrtc_output_reader_start(ngx_webrtc_output_reader_t *rd);
static void ngx_webrtc_output_reader_lapped(ngx_webrtc_output_reader_t *rd);
static ngx_uint_t ngx_webrtc_output_reader_review(
    ngx_webrtc_output_reader_t *rd);
static ngx_uint_t ngx_webrtc_output_reader_switch(
    ngx_webrtc_output_reader_t *rd, ngx_webrtc_ring_packet_t *pkt);
static ngx_uint_t ngx_webrtc_output_reader_codec_is(
    ngx_webrtc_output_reader_t *rd, ngx_uint_t i);
static ngx_int_t ngx_webrtc_output_reader_packet(
    ngx_webrtc_output_reader_t *rd, ngx_webrtc_ring_packet_t *pkt,
    ngx_webrtc_output_unit_t *unit);
static void ngx_webrtc_output_reader_begin(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_track_t *t, ngx_webrtc_ring_packet_t *pkt);
static ngx_int_t ngx_webrtc_output_reader_append(
    ngx_webrtc_output_reader_t *rd, ngx_webrtc_output_track_t *t, size_t n,
    ngx_uint_t flags);
static ngx_int_t ngx_webrtc_output_reader_end(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_track_t *t);
static void ngx_webrtc_output_reader_lose(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_track_t *t);
static void ngx_webrtc_output_reader_wait(ngx_webrtc_output_track_t *t);


void
ngx_webrtc_output_reader_init(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_stream_t *st, ngx_log_t *log)
{
    ngx_uint_t  i;

    rd->st = st;
    rd->log = log;

    (void) ngx_webrtc_output_reader_review(rd);

    for (i = 0; i < rd->ntracks; i++) {
        rd->each[i].first = rd->each[i].since;
        rd->each[i].cvo = rd->tracks[i].cvo;

        ngx_webrtc_output_reader_codec_is(rd, i);
    }

    ngx_webrtc_output_reader_start(rd);
}


void
ngx_webrtc_output_reader_done(ngx_webrtc_output_reader_t *rd)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {

        if (rd->each[i].unpack.data) {
            ngx_free(rd->each[i].unpack.data);
            rd->each[i].unpack.data = NULL;
            rd->each[i].size = 0;
        }
    }
}


ngx_int_t
ngx_webrtc_output_reader_next(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_unit_t *unit)
{
    u_char                    *payload;
    ngx_int_t                  rc;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;

    if (ngx_webrtc_output_reader_review(rd)) {
        return NGX_DONE;
    }

    ring = ngx_webrtc_atomic_load_acquire(&rd->st->ring);

    for ( ;; ) {

        rc = ngx_webrtc_ring_peek(ring, rd->cursor, &pkt, &payload);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_OK) {

            if (ngx_webrtc_output_reader_switch(rd, &pkt)) {
                return NGX_DONE;
            }

            ngx_memcpy(rd->payload, payload, pkt.len);

            rc = ngx_webrtc_ring_check(ring, rd->cursor);
        }

        if (rc != NGX_OK) {
            ngx_webrtc_output_reader_lapped(rd);
            continue;
        }

        rd->cursor++;

        if (ngx_webrtc_output_reader_packet(rd, &pkt, unit) == NGX_OK) {
            rd->frames++;
            return NGX_OK;
        }
    }
}


void
ngx_webrtc_output_reader_skip(ngx_webrtc_output_reader_t *rd, ngx_uint_t track)
{
    rd->skipped++;
    ngx_webrtc_output_reader_wait(&rd->each[track]);
}


void
ngx_webrtc_output_reader_back(ngx_webrtc_output_reader_t *rd, uint64_t cursor)
{
    uint64_t            tail;
    ngx_uint_t          i;
    ngx_webrtc_ring_t  *ring;

    ring = ngx_webrtc_atomic_load_acquire(&rd->st->ring);
    tail = ngx_webrtc_ring_tail(ring);

    rd->cursor = ngx_max(cursor, tail);

    /* nothing of a codec that a track had before */

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        rd->each[i].first = ngx_max(rd->each[i].first, rd->each[i].since);
        rd->each[i].begun = 0;
        rd->each[i].known = 0;
        ngx_webrtc_output_reader_wait(&rd->each[i]);
    }
}


ngx_uint_t
ngx_webrtc_output_reader_codec(ngx_webrtc_output_reader_t *rd,
    ngx_uint_t track)
{
    return rd->each[track].codec;
}


ngx_uint_t
ngx_webrtc_output_reader_wants_key(ngx_webrtc_output_reader_t *rd)
{
    ngx_uint_t  i;

    for (i = 0; i < rd->ntracks; i++) {

        if (rd->tracks[i].kind == NGX_WEBRTC_VIDEO
            && !(rd->tracks[i].flags & NGX_WEBRTC_TRACK_PENDING)
            && (rd->each[i].wait_key
                || rd->each[i].codec == NGX_WEBRTC_CODEC_NONE))
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_webrtc_output_reader_start(ngx_webrtc_output_reader_t *rd)
{
    uint64_t                   n;
    ngx_uint_t                 i;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;

    ring = ngx_webrtc_atomic_load_acquire(&rd->st->ring);
    n = ngx_webrtc_ring_keyframe(ring);

    if (n == NGX_WEBRTC_RING_NONE
        || ngx_webrtc_ring_peek(ring, n, &pkt, NULL) != NGX_OK
        || pkt.track >= NGX_WEBRTC_TRACKS
        || pkt.index < rd->each[pkt.track].since)
    {
        n = ngx_webrtc_ring_head(ring);
    }

    /* what was read is not read again */

    rd->cursor = ngx_max(rd->cursor, n);

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        rd->each[i].begun = 0;
        ngx_webrtc_output_reader_wait(&rd->each[i]);
    }
}


static void
ngx_webrtc_output_reader_lapped(ngx_webrtc_output_reader_t *rd)
{
    rd->lapped++;

    ngx_webrtc_output_reader_start(rd);
}


/* takes over the stream's tracks; 1: they have changed */

static ngx_uint_t
ngx_webrtc_output_reader_review(ngx_webrtc_output_reader_t *rd)
{
    uint64_t    version;
    ngx_uint_t  i;

    version = ngx_webrtc_bus_tracks(rd->st, NULL, NULL);

    if (version == rd->version) {
        return 0;
    }

    rd->version = ngx_webrtc_bus_tracks(rd->st, rd->tracks, &rd->ntracks);

    for (i = 0; i < rd->ntracks; i++) {
        rd->each[i].since = ngx_webrtc_atomic_load(&rd->st->since[i]);
    }

    return 1;
}


/* the packet is the first one of another codec: 1 */

static ngx_uint_t
ngx_webrtc_output_reader_switch(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_ring_packet_t *pkt)
{
    ngx_webrtc_track_t         *track;
    ngx_webrtc_output_track_t  *t;

    if (pkt->track >= rd->ntracks) {
        return 0;
    }

    t = &rd->each[pkt->track];
    track = &rd->tracks[pkt->track];

    if (t->codec == track->codec || pkt->index < t->since) {
        return 0;
    }

    if (t->begun) {
        ngx_webrtc_output_reader_lose(rd, t);
    }

    return ngx_webrtc_output_reader_codec_is(rd, pkt->track);
}


/* a track is read as the stream says from now on; 0: it cannot be */

static ngx_uint_t
ngx_webrtc_output_reader_codec_is(ngx_webrtc_output_reader_t *rd, ngx_uint_t i)
{
    u_char                     *data;
    ngx_webrtc_track_t         *track;
    ngx_webrtc_output_track_t  *t;

    t = &rd->each[i];
    track = &rd->tracks[i];

    if (track->flags & NGX_WEBRTC_TRACK_PENDING) {
        return 0;
    }

    data = t->unpack.data;

    if (ngx_webrtc_unpack_init(&t->unpack, ngx_webrtc_codec(track->codec))
        != NGX_OK)
    {
        return 0;
    }

    t->unpack.data = data;
    t->codec = track->codec;
    t->known = 0;

    ngx_webrtc_output_reader_wait(t);

    return 1;
}


/*
 * rd->payload has what is in it.
 *
 * NGX_OK    *unit is filled
 * NGX_DONE  nothing yet
 */

static ngx_int_t
ngx_webrtc_output_reader_packet(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_ring_packet_t *pkt, ngx_webrtc_output_unit_t *unit)
{
    size_t                      n;
    uint64_t                    missing;
    ngx_uint_t                  video;
    ngx_webrtc_track_t         *track;
    ngx_webrtc_output_track_t  *t;

    if (pkt->track >= rd->ntracks
        || rd->each[pkt->track].codec == NGX_WEBRTC_CODEC_NONE
        || pkt->index < rd->each[pkt->track].first)
    {
        return NGX_DONE;
    }

    t = &rd->each[pkt->track];
    track = &rd->tracks[pkt->track];
    video = (track->kind == NGX_WEBRTC_VIDEO);

    missing = (t->known && pkt->index > t->next) ? pkt->index - t->next : 0;
    t->known = 1;
    t->next = pkt->index + 1;

    if (missing && t->begun) {
        t->cut = 1;

    } else if (missing && video) {
        ngx_webrtc_output_reader_wait(t);
    }

    if (t->begun && t->ts != pkt->ts) {
        ngx_webrtc_output_reader_lose(rd, t);
    }

    if (!t->begun) {
        ngx_webrtc_output_reader_begin(rd, t, pkt);
    }

    if (pkt->cvo) {
        t->cvo = pkt->cvo & NGX_WEBRTC_CVO_MASK;
    }

    if ((pkt->flags & NGX_WEBRTC_PKT_FIRST)
        && (pkt->flags & NGX_WEBRTC_PKT_KEY))
    {
        t->key = 1;
    }

    t->flags |= pkt->flags;

    n = pkt->len;

    if ((pkt->flags & NGX_WEBRTC_PKT_PADDED) && n) {
        n -= ngx_min(rd->payload[n - 1], n);
    }

    if (!t->cut
        && ngx_webrtc_output_reader_append(rd, t, n, pkt->flags) != NGX_OK)
    {
        t->cut = 1;
    }

    if (!(pkt->flags & NGX_WEBRTC_PKT_LAST)
        || ngx_webrtc_output_reader_end(rd, t) != NGX_OK)
    {
        return NGX_DONE;
    }

    unit->track = pkt->track;
    unit->number = rd->cursor - 1;
    unit->ts = ngx_webrtc_timeline_media(&rd->st->timeline, track->clock_rate,
                                         t->arrival_us, t->ts);
    unit->arrival_us = t->arrival_us;
    unit->data = t->unpack.data;
    unit->n = t->unpack.n;
    unit->config = t->unpack.config;
    unit->cvo = t->cvo;
    unit->key = t->key;
    unit->discard = (t->flags & NGX_WEBRTC_PKT_DISCARD) != 0;
    unit->seam = t->seam;
    unit->packet = *pkt;
    unit->payload = rd->payload;
    unit->missing = (ngx_uint_t) missing;

    t->seam = 0;

    return NGX_OK;
}


static void
ngx_webrtc_output_reader_begin(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_track_t *t, ngx_webrtc_ring_packet_t *pkt)
{
    t->begun = 1;
    t->cut = 0;
    t->key = 0;
    t->flags = 0;
    t->ts = pkt->ts;
    t->arrival_us = (int64_t) pkt->arrival_us;

    ngx_webrtc_unpack_begin(&t->unpack);
}


/* adds n bytes of rd->payload to the frame */

static ngx_int_t
ngx_webrtc_output_reader_append(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_track_t *t, size_t n, ngx_uint_t flags)
{
    u_char  *data;
    size_t   need, size;

    need = t->unpack.n + ngx_webrtc_unpack_room(n);

    if (need > NGX_WEBRTC_OUTPUT_FRAME) {
        return NGX_DECLINED;
    }

    if (need > t->size) {

        size = ngx_max(need, ngx_max(2 * t->size, NGX_WEBRTC_OUTPUT_BUFFER));

        data = ngx_alloc(size, rd->log);

        if (data == NULL) {
            return NGX_ERROR;
        }

        if (t->unpack.data) {
            ngx_memcpy(data, t->unpack.data, t->unpack.n);
            ngx_free(t->unpack.data);
        }

        t->unpack.data = data;
        t->size = size;
    }

    return ngx_webrtc_unpack_payload(&t->unpack, rd->payload, n, flags);
}


/* NGX_OK: the frame is whole and wanted */

static ngx_int_t
ngx_webrtc_output_reader_end(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_track_t *t)
{
    if (t->cut
        || !(t->flags & NGX_WEBRTC_PKT_FIRST)
        || ngx_webrtc_unpack_end(&t->unpack) != NGX_OK)
    {
        ngx_webrtc_output_reader_lose(rd, t);
        return NGX_DECLINED;
    }

    t->begun = 0;

    if (t->wait_key && !t->key) {
        rd->left_out++;
        return NGX_DECLINED;
    }

    t->wait_key = 0;

    return NGX_OK;
}


/* the frame under way is no use */

static void
ngx_webrtc_output_reader_lose(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_track_t *t)
{
    t->begun = 0;

    if (ngx_webrtc_codec(t->codec)->kind == NGX_WEBRTC_VIDEO) {
        rd->left_out++;
        ngx_webrtc_output_reader_wait(t);
    }
}


static void
ngx_webrtc_output_reader_wait(ngx_webrtc_output_track_t *t)
{
    t->wait_key = (ngx_webrtc_codec(t->codec)->kind == NGX_WEBRTC_VIDEO);
    t->seam = 1;
}
