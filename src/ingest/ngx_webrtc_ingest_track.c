
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The m-lines of a publisher, as tracks of the stream.
 *
 * Tracks.  A stream's tracks keep their places from publisher to publisher, by
 * kind, so that viewers go on when another one takes over.
 *
 * Codecs.  An m-line has all payload types that we accept, and a publisher may
 * send any of them.  Until its first packet we assume the codec that the stream
 * has, if negotiated, else the first one; from then on the track's codec is
 * that of the packets, in their order, and for viewers a change is the same as
 * a new publisher.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_track.h"
#include "ngx_webrtc_codecs.h"


static void ngx_webrtc_ingest_track_add_rtx(ngx_webrtc_ingest_t *in,
    ngx_webrtc_desc_media_t *m);
static ngx_int_t ngx_webrtc_ingest_track_find_place(
    ngx_webrtc_ingest_t *in, ngx_uint_t kind);


ngx_int_t
ngx_webrtc_ingest_track_init(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_track_t *t, ngx_webrtc_desc_media_t *m,
    ngx_webrtc_reorder_out_pt handler)
{
    size_t                 mem, size;
    ngx_int_t              place;
    ngx_uint_t             codec, window, video;
    ngx_webrtc_desc_alt_t  alt;

    video = (m->kind == NGX_WEBRTC_VIDEO);

    place = (t->layer && t->layer != in->layers)
            ? in->layers[0].t->track
            : ngx_webrtc_ingest_track_find_place(in, m->kind);

    if (place == NGX_ERROR) {
        return NGX_ERROR;
    }

    window = video ? NGX_WEBRTC_REORDER_VIDEO : NGX_WEBRTC_REORDER_AUDIO;
    mem = video ? NGX_WEBRTC_REORDER_VIDEO_MEM : NGX_WEBRTC_REORDER_AUDIO_MEM;
    size = ngx_webrtc_reorder_size(window, mem);

    t->mem = ngx_alloc(size, in->log);
    if (t->mem == NULL) {
        return NGX_ERROR;
    }

    t->in = in;
    t->media = m;
    t->track = (uint8_t) place;
    t->clock = (uint8_t) place;

    if (t->layer && t->layer != in->layers) {
        t->clock = (uint8_t) (NGX_WEBRTC_TRACKS - 1
                              + (t->layer - in->layers));
    }

    t->most = NGX_WEBRTC_LAYER_MOST - 1;
    t->outs[0] = &in->out;
    t->nouts = 1;

    codec = ((ngx_uint_t) place < in->out.nstream) ? in->out.stream[place].codec
                                                   : NGX_WEBRTC_CODEC_NONE;

    if (ngx_webrtc_desc_codec(m, codec, &alt) != NGX_OK) {
        codec = m->codec;
    }

    if (ngx_webrtc_reorder_init(&t->reorder, t->mem, size, window,
                                handler, t)
        != NGX_OK
        || ngx_webrtc_ingest_track_codec(t, codec) != NGX_OK)
    {
        ngx_free(t->mem);
        t->mem = NULL;
        return NGX_ERROR;
    }

    ngx_webrtc_nack_init(&t->nack, video);
    ngx_webrtc_report_in_init(&t->report, t->depay.track.clock_rate);

    /* without retransmissions there is only reordering to wait for */

    ngx_webrtc_reorder_hold(&t->reorder,
                            (m->fb & NGX_WEBRTC_FB_NACK)
                            ? ngx_webrtc_nack_hold(&t->nack)
                            : NGX_WEBRTC_NACK_DELAY);

    if (t->layer == NULL) {
        ngx_webrtc_ingest_track_add_rtx(in, m);
    }

    in->out.nstream = ngx_max(in->out.nstream, (ngx_uint_t) place + 1);
    in->video |= video;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_ingest_track_codec(ngx_webrtc_ingest_track_t *t,
    ngx_uint_t codec)
{
    uint32_t                  rate;
    ngx_uint_t                i;
    ngx_webrtc_stream_t      *st;
    ngx_webrtc_ingest_t      *in;
    ngx_webrtc_desc_media_t  *m;

    m = t->media;
    st = t->in->st;
    in = t->in;

    rate = t->depay.track.clock_rate;

    if (ngx_webrtc_depay_init(&t->depay, ngx_webrtc_codec(codec)) != NGX_OK) {
        return NGX_ERROR;
    }

    t->seen = 0;

    if (m->stereo && ngx_webrtc_codec(codec)->fmtp->stereo) {
        /* it says so, which is earlier than its packets do */
        t->depay.track.channels = 2;
    }

    /* RFC 7160: timestamps of another rate do not continue the old ones */

    if (rate != t->depay.track.clock_rate) {

        rate = t->depay.track.clock_rate;

        if (ngx_webrtc_timeline_track(&st->timeline, t->track, rate, 1, rate)
            != NGX_OK
            || ngx_webrtc_sync_track(&in->sync, t->clock, m->kind, rate)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        t->report.clock_rate = rate;
        ngx_memzero(&t->order, sizeof(ngx_webrtc_order_t));
    }

    for (i = 0; i < t->nouts; i++) {
        ngx_webrtc_ingest_track_show(t, t->outs[i]);
    }

    return NGX_OK;
}


void
ngx_webrtc_ingest_track_show(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_ingest_out_t *out)
{
    ngx_webrtc_track_t  *track;

    track = &out->stream[t->track];

    if (track->codec != t->depay.track.codec) {
        ngx_webrtc_atomic_store(&out->st->since[t->track],
                                out->writer.next[t->track]);
    }

    *track = t->depay.track;

    track->width = (uint16_t) (track->width >> ngx_webrtc_ingest_track_cut(t));
    track->height = (uint16_t) (track->height
                                >> ngx_webrtc_ingest_track_cut(t));
}


/* retransmissions of every codec of the m-line */

static void
ngx_webrtc_ingest_track_add_rtx(ngx_webrtc_ingest_t *in,
    ngx_webrtc_desc_media_t *m)
{
    ngx_uint_t  i;

    if (m->rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
        (void) ngx_webrtc_rtx_add(&in->rtx, m->rtx_pt, m->pt, m->rtx_ssrc,
                                  m->ssrc);
    }

    for (i = 0; i < m->nalts; i++) {

        if (m->alts[i].rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
            (void) ngx_webrtc_rtx_add(&in->rtx, m->alts[i].rtx_pt,
                                      m->alts[i].pt, m->rtx_ssrc, m->ssrc);
        }
    }
}


/* a kind's place among the stream's tracks, the same as before */

static ngx_int_t
ngx_webrtc_ingest_track_find_place(ngx_webrtc_ingest_t *in,
    ngx_uint_t kind)
{
    ngx_uint_t  i, n;

    for (i = 0; i < in->out.nstream; i++) {

        if (in->out.stream[i].kind != kind) {
            continue;
        }

        for (n = 0; n < in->ntracks; n++) {
            if (in->tracks[n].track == i) {
                break;
            }
        }

        if (n == in->ntracks) {
            return i;
        }
    }

    return (in->out.nstream < NGX_WEBRTC_TRACKS) ? (ngx_int_t) in->out.nstream
                                                  : NGX_ERROR;
}


ngx_uint_t
ngx_webrtc_ingest_track_larger(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_ingest_track_t *than)
{
    ngx_uint_t  size, size_than;

    size = (ngx_uint_t) t->depay.track.width * t->depay.track.height;
    size_than = (ngx_uint_t) than->depay.track.width
                * than->depay.track.height;

    if (size == 0 || size_than == 0) {
        return t->layer < than->layer;
    }

    return size > size_than;
}
