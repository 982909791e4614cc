
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Turns a demuxer's packets into access units: see ngx_webrtc_source_unit.h.
 * Their times are set in ngx_webrtc_source_unit_time.c; those of codecs other
 * than H.264 and H.265 are found in ngx_webrtc_source_unit_parse.c.
 *
 * ITU-T H.222.0, 2.4.3.7: a timestamp is that of the first access unit that
 * begins in the PES packet.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_nal.h"
#include "ngx_webrtc_source_unit.h"


/* chosen: above any picture that fits the ring */
#define NGX_WEBRTC_SOURCE_UNIT_MAX     (8 * 1024 * 1024)

/*
 * Packets that must be one access unit each until that is taken for granted;
 * chosen: two seconds, which the start of most streams takes anyway
 */
#define NGX_WEBRTC_SOURCE_UNIT_SURE    50

/* in one packet; chosen: more than anybody sends in a second */
#define NGX_WEBRTC_SOURCE_UNIT_COUNT   512

/*
 * Bytes of a packet's data near the most that a PES packet with a length can
 * have, and the most that libavformat lets one without have (AV_OPTIONS in
 * ngx_webrtc_source_input.c): it may go on in the next one.
 */
#define NGX_WEBRTC_SOURCE_UNIT_LONG    (65535 - 512)
#define NGX_WEBRTC_SOURCE_UNIT_CUT     (2 * 1024 * 1024 - 512)

/*
 * 90 kHz; slices this close to each other share one time, which a sender
 * report in between has moved; chosen: 5 ms
 */
#define NGX_WEBRTC_SOURCE_UNIT_JITTER  450


static int ngx_webrtc_source_unit_check(ngx_webrtc_source_unit_t *u,
    AVPacket *pkt, int64_t pts, int64_t dts);
static ngx_uint_t ngx_webrtc_source_unit_may_go_on(AVPacket *pkt);
static int ngx_webrtc_source_unit_hold(ngx_webrtc_source_unit_t *u,
    AVPacket *pkt, int64_t pts, int64_t dts);
static int ngx_webrtc_source_unit_release(ngx_webrtc_source_unit_t *u);
static int ngx_webrtc_source_unit_join(ngx_webrtc_source_unit_t *u,
    AVPacket *pkt, int64_t pts, int64_t dts);
static ngx_uint_t ngx_webrtc_source_unit_same(ngx_webrtc_source_unit_t *u,
    AVPacket *pkt, int64_t pts);
static int ngx_webrtc_source_unit_split(ngx_webrtc_source_unit_t *u,
    AVPacket *pkt, int64_t pts, int64_t dts);
static int ngx_webrtc_source_unit_room(ngx_webrtc_source_unit_t *u, size_t n);
static void ngx_webrtc_source_unit_mark(ngx_webrtc_source_unit_t *u,
    int64_t pts, int64_t dts);
static int ngx_webrtc_source_unit_cut(ngx_webrtc_source_unit_t *u,
    size_t len, ngx_uint_t whole);
static void ngx_webrtc_source_unit_trim(ngx_webrtc_source_unit_t *u);


void
ngx_webrtc_source_unit_init(ngx_webrtc_source_unit_t *u,
    const AVCodecParameters *par, ngx_webrtc_source_unit_e state,
    ngx_uint_t live, ngx_webrtc_source_unit_out_pt out, void *ctx)
{
    uint32_t  damaged;

    damaged = u->damaged;

    ngx_memzero(u, sizeof(ngx_webrtc_source_unit_t));

    u->damaged = damaged;
    u->live = (live != 0);
    u->out = out;
    u->ctx = ctx;

    u->nal = (par->codec_id == AV_CODEC_ID_H264
              || par->codec_id == AV_CODEC_ID_HEVC);
    u->state = u->nal ? state : NGX_WEBRTC_SOURCE_UNIT_FRAMES;

    ngx_webrtc_unit_init(&u->unit, par->codec_id == AV_CODEC_ID_HEVC);

    if (!u->nal && state != NGX_WEBRTC_SOURCE_UNIT_FRAMES) {
        ngx_webrtc_source_unit_parse_init(u, par);
    }

    if (u->nal && u->state == NGX_WEBRTC_SOURCE_UNIT_CHECK) {

        /* without it units still get their times, except B-frames */

        u->parser_ctx = avcodec_alloc_context3(NULL);

        if (u->parser_ctx
            && avcodec_parameters_to_context(u->parser_ctx, par) >= 0)
        {
            u->parser = av_parser_init(par->codec_id);
        }

        if (u->parser) {
            u->parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
        }
    }
}


void
ngx_webrtc_source_unit_close(ngx_webrtc_source_unit_t *u)
{
    while (u->npending) {
        av_packet_free(&u->pending[--u->npending].pkt);
    }

    av_packet_free(&u->held);

    av_parser_close(u->parser);
    u->parser = NULL;

    avcodec_free_context(&u->parser_ctx);

    free(u->buf);
    u->buf = NULL;
    u->size = 0;
    u->start = 0;
    u->used = 0;
}


int
ngx_webrtc_source_unit_put(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts, int64_t duration)
{
    switch (u->state) {

    case NGX_WEBRTC_SOURCE_UNIT_TIME:
        return ngx_webrtc_source_unit_join(u, pkt, pts, dts);

    case NGX_WEBRTC_SOURCE_UNIT_CHECK:
    case NGX_WEBRTC_SOURCE_UNIT_DIRECT:
        return ngx_webrtc_source_unit_check(u, pkt, pts, dts);

    case NGX_WEBRTC_SOURCE_UNIT_SPLIT:
        return ngx_webrtc_source_unit_split(u, pkt, pts, dts);

    case NGX_WEBRTC_SOURCE_UNIT_PARSE:
        return ngx_webrtc_source_unit_parse(u, pkt, pts, dts);

    default:
        return ngx_webrtc_source_unit_give(u, pkt, pts, dts, duration);
    }
}


void
ngx_webrtc_source_unit_lost(ngx_webrtc_source_unit_t *u)
{
    if (u->state == NGX_WEBRTC_SOURCE_UNIT_SPLIT) {

        /* the current unit stays without its end */

        u->start = 0;
        u->used = 0;
        u->nmarks = 0;

        ngx_webrtc_unit_reset(&u->unit);
    }

    /* the number of missing units is not known either */

    u->sequence = 0;
}


int
ngx_webrtc_source_unit_drain(ngx_webrtc_source_unit_t *u)
{
    int          rc;
    size_t       len;
    ngx_int_t    found;
    ngx_uint_t   whole;

    rc = (u->state == NGX_WEBRTC_SOURCE_UNIT_PARSE)
         ? ngx_webrtc_source_unit_parse(u, NULL, AV_NOPTS_VALUE, AV_NOPTS_VALUE)
         : ngx_webrtc_source_unit_release(u);

    while (rc >= 0 && u->used > u->start) {

        found = ngx_webrtc_unit_next(&u->unit, u->buf + u->start,
                                     u->used - u->start, 1, &len, &whole);

        rc = ngx_webrtc_source_unit_cut(u, len, whole);

        if (found == NGX_DONE) {
            break;
        }
    }

    return (rc < 0) ? rc : ngx_webrtc_source_unit_flush(u);
}


/* CHECK, DIRECT */

static int
ngx_webrtc_source_unit_check(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts)
{
    int        rc;
    AVPacket  *held;

    if (pts != AV_NOPTS_VALUE
        && ngx_webrtc_unit_alone(&u->unit, pkt->data, pkt->size))
    {
        rc = ngx_webrtc_source_unit_release(u);

        if (rc < 0) {
            return rc;
        }

        if (++u->run >= NGX_WEBRTC_SOURCE_UNIT_SURE && u->live) {
            u->state = NGX_WEBRTC_SOURCE_UNIT_DIRECT;
        }

        if (u->state == NGX_WEBRTC_SOURCE_UNIT_DIRECT
            && !ngx_webrtc_source_unit_may_go_on(pkt))
        {
            return ngx_webrtc_source_unit_give(u, pkt, pts, dts, 0);
        }

        return ngx_webrtc_source_unit_hold(u, pkt, pts, dts);
    }

    if (u->state == NGX_WEBRTC_SOURCE_UNIT_DIRECT
        && u->held == NULL
        && !ngx_webrtc_unit_begins(u->unit.h265, pkt->data, pkt->size))
    {
        /* the previous piece has already been handed out as a whole */
        u->damaged++;
    }

    u->state = NGX_WEBRTC_SOURCE_UNIT_SPLIT;

    ngx_webrtc_unit_reset(&u->unit);

    held = u->held;
    u->held = NULL;

    if (held) {
        rc = ngx_webrtc_source_unit_split(u, held, u->held_pts, u->held_dts);

        av_packet_free(&held);

        if (rc < 0) {
            return rc;
        }
    }

    return ngx_webrtc_source_unit_split(u, pkt, pts, dts);
}


static ngx_uint_t
ngx_webrtc_source_unit_may_go_on(AVPacket *pkt)
{
    return (pkt->size >= NGX_WEBRTC_SOURCE_UNIT_LONG && pkt->size <= 65535)
           || pkt->size >= NGX_WEBRTC_SOURCE_UNIT_CUT;
}


static int
ngx_webrtc_source_unit_hold(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts)
{
    u->held = av_packet_alloc();

    if (u->held == NULL) {
        return AVERROR(ENOMEM);
    }

    av_packet_move_ref(u->held, pkt);

    u->held_pts = pts;
    u->held_dts = dts;

    return 0;
}


static int
ngx_webrtc_source_unit_release(ngx_webrtc_source_unit_t *u)
{
    int  rc;

    if (u->held == NULL) {
        return 0;
    }

    rc = ngx_webrtc_source_unit_give(u, u->held, u->held_pts, u->held_dts, 0);

    av_packet_free(&u->held);

    return rc;
}


/* TIME */

static int
ngx_webrtc_source_unit_join(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts)
{
    int  rc, size;

    if (u->held == NULL || !ngx_webrtc_source_unit_same(u, pkt, pts)) {

        rc = ngx_webrtc_source_unit_release(u);

        return (rc < 0) ? rc
                        : ngx_webrtc_source_unit_hold(u, pkt, pts, dts);
    }

    size = u->held->size;

    if (size + pkt->size > NGX_WEBRTC_SOURCE_UNIT_MAX) {
        av_packet_free(&u->held);
        u->damaged++;
        return 0;
    }

    if (av_grow_packet(u->held, pkt->size) < 0) {
        return AVERROR(ENOMEM);
    }

    ngx_memcpy(u->held->data + size, pkt->data, pkt->size);

    u->held->flags |= pkt->flags & AV_PKT_FLAG_KEY;

    return 0;
}


static ngx_uint_t
ngx_webrtc_source_unit_same(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts)
{
    int64_t  d;

    if (pts == AV_NOPTS_VALUE) {
        return 1;
    }

    if (u->held_pts == AV_NOPTS_VALUE) {
        return 0;
    }

    d = pts - u->held_pts;

    return d == 0
           || (d > -NGX_WEBRTC_SOURCE_UNIT_JITTER
               && d < NGX_WEBRTC_SOURCE_UNIT_JITTER
               && !ngx_webrtc_unit_begins(u->unit.h265, pkt->data,
                                          pkt->size));
}


/* SPLIT */

static int
ngx_webrtc_source_unit_split(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts)
{
    int          rc;
    size_t       len;
    ngx_uint_t   n, whole;

    rc = ngx_webrtc_source_unit_room(u, pkt->size);

    if (rc < 0) {
        return rc;
    }

    ngx_webrtc_source_unit_mark(u, pts, dts);

    ngx_memcpy(u->buf + u->used, pkt->data, pkt->size);
    u->used += pkt->size;

    av_packet_unref(pkt);

    for (n = 0; n < NGX_WEBRTC_SOURCE_UNIT_COUNT; n++) {

        if (ngx_webrtc_unit_next(&u->unit, u->buf + u->start,
                                 u->used - u->start, 0, &len, &whole)
            != NGX_OK)
        {
            return 0;
        }

        rc = ngx_webrtc_source_unit_cut(u, len, whole);

        if (rc < 0) {
            return rc;
        }
    }

    /* nobody sends that */

    ngx_webrtc_source_unit_lost(u);
    u->damaged++;

    return 0;
}


/* makes room for n bytes after those of the current unit */

static int
ngx_webrtc_source_unit_room(ngx_webrtc_source_unit_t *u, size_t n)
{
    size_t       size;
    u_char      *p;
    ngx_uint_t   i;

    if (u->start) {

        ngx_memmove(u->buf, u->buf + u->start, u->used - u->start);

        for (i = 0; i < u->nmarks; i++) {
            u->marks[i].at -= ngx_min(u->marks[i].at, u->start);
        }

        u->used -= u->start;
        u->start = 0;
    }

    if (u->used + n > NGX_WEBRTC_SOURCE_UNIT_MAX) {
        ngx_webrtc_source_unit_lost(u);
        u->damaged++;
    }

    if (u->used + n <= u->size) {
        return 0;
    }

    size = ngx_max(u->used + n, 2 * u->size);

    p = realloc(u->buf, size);
    if (p == NULL) {
        return AVERROR(ENOMEM);
    }

    u->buf = p;
    u->size = size;

    return 0;
}


/* a packet begins at the end of the buffer */

static void
ngx_webrtc_source_unit_mark(ngx_webrtc_source_unit_t *u, int64_t pts,
    int64_t dts)
{
    ngx_webrtc_source_unit_mark_t  *mark;

    if (u->nmarks == NGX_WEBRTC_SOURCE_UNIT_MARKS) {

        /* the second is too old for the start of the next unit */

        ngx_memmove(&u->marks[1], &u->marks[2],
                    (u->nmarks - 2) * sizeof(ngx_webrtc_source_unit_mark_t));
        u->nmarks--;
    }

    mark = &u->marks[u->nmarks++];

    mark->at = u->used;
    mark->pts = pts;
    mark->dts = dts;
}


/* the first len bytes of the current data are a unit */

static int
ngx_webrtc_source_unit_cut(ngx_webrtc_source_unit_t *u, size_t len,
    ngx_uint_t whole)
{
    int                             rc;
    int64_t                         pts, dts;
    AVPacket                       *pkt;
    ngx_webrtc_source_unit_mark_t  *mark;

    pts = AV_NOPTS_VALUE;
    dts = AV_NOPTS_VALUE;

    if (u->nmarks && whole) {

        /* the packet that it begins in: its time is for the first one only */

        mark = &u->marks[0];

        if (mark->pts == AV_NOPTS_VALUE
            && u->nmarks > 1
            && u->marks[1].at == u->start + 1)
        {
            /* only the zero_byte of its start code is in that packet */
            mark = &u->marks[1];
        }

        pts = mark->pts;
        dts = mark->dts;

        mark->pts = AV_NOPTS_VALUE;
        mark->dts = AV_NOPTS_VALUE;
    }

    pkt = NULL;
    rc = 0;

    if (whole) {

        pkt = av_packet_alloc();

        if (pkt == NULL || av_new_packet(pkt, len) < 0) {
            rc = AVERROR(ENOMEM);
            goto done;
        }

        ngx_memcpy(pkt->data, u->buf + u->start, len);

        rc = ngx_webrtc_source_unit_give(u, pkt, pts, dts, 0);

    } else {
        u->damaged++;
    }

done:

    u->start += len;

    ngx_webrtc_source_unit_trim(u);

    av_packet_free(&pkt);

    return rc;
}


/* the first mark is that of the packet in which the current unit begins */

static void
ngx_webrtc_source_unit_trim(ngx_webrtc_source_unit_t *u)
{
    ngx_uint_t  i;

    for (i = 0; i + 1 < u->nmarks && u->marks[i + 1].at <= u->start; i++) {
        /* void */
    }

    if (i) {
        u->nmarks -= i;
        ngx_memmove(&u->marks[0], &u->marks[i],
                    u->nmarks * sizeof(ngx_webrtc_source_unit_mark_t));
    }
}
