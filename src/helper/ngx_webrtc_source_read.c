
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Turns a demuxer's packets into coded frames.
 *
 * libavformat's parsers would make frames of MPEG-TS and RTP, but with one
 * frame of delay and some timestamps lost.  So video goes through
 * ngx_webrtc_source_unit.c, and audio through ngx_webrtc_source_sound.c.
 *
 * The demuxer's wrap correction is off: MPEG-TS counts 33 bits of 90 kHz, FLV
 * 32 bits of 1 kHz, both are unwrapped here, jointly for both tracks.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_sniff.h"
#include "ngx_webrtc_source_read.h"
#include "ngx_webrtc_source_audio.h"
#include "ngx_webrtc_source_codecs.h"
#include "ngx_webrtc_source_enhanced.h"
#include "ngx_webrtc_source_hide.h"
#include "ngx_webrtc_source_item.h"
#include "ngx_webrtc_source_program.h"
#include "ngx_webrtc_source_queue.h"
#include "ngx_webrtc_source_sound.h"
#include "ngx_webrtc_source_thread.h"


/* chosen: above any picture that fits the ring */
#define NGX_WEBRTC_SOURCE_FRAME_MAX      (8 * 1024 * 1024)

/* a pass shorter than this is not repeated: 90 kHz, chosen */
#define NGX_WEBRTC_SOURCE_PASS_MIN       (NGX_WEBRTC_SOURCE_CLOCK / 10)


static ngx_webrtc_source_stream_t *ngx_webrtc_source_read_stream(
    ngx_webrtc_source_read_t *rd, int index);
static void ngx_webrtc_source_read_select(ngx_webrtc_source_read_t *rd);
static void ngx_webrtc_source_read_moved(ngx_webrtc_source_read_t *rd);
static ngx_uint_t ngx_webrtc_source_read_related(AVFormatContext *ic, int a,
    int b);
static void ngx_webrtc_source_read_stranger(ngx_webrtc_source_read_t *rd,
    AVPacket *pkt);
static void ngx_webrtc_source_read_unknown(ngx_webrtc_source_read_t *rd,
    AVCodecParameters *par);
static int ngx_webrtc_source_read_skip(ngx_webrtc_source_read_t *rd);
static ngx_webrtc_source_unit_e ngx_webrtc_source_read_state(
    ngx_webrtc_source_read_t *rd, AVStream *st);
static int ngx_webrtc_source_read_video(ngx_webrtc_source_read_t *rd,
    AVPacket *pkt);
static int ngx_webrtc_source_read_unit(void *ctx, AVPacket *pkt, int64_t pts,
    int64_t dts, int64_t duration);
static void ngx_webrtc_source_read_damaged(ngx_webrtc_source_read_t *rd);
static void ngx_webrtc_source_read_close(ngx_webrtc_source_read_t *rd);
static void ngx_webrtc_source_read_forget(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_stream_t *s);


ngx_int_t
ngx_webrtc_source_read_init(ngx_webrtc_source_read_t *rd)
{
    ngx_memzero(rd, sizeof(ngx_webrtc_source_read_t));

    rd->video.index = -1;
    rd->audio.index = -1;
    rd->wanted = NGX_WEBRTC_SOURCE_NO_PROGRAM;
    rd->first = INT64_MAX;
    rd->end = INT64_MIN;

    rd->pkt = av_packet_alloc();

    return rd->pkt ? NGX_OK : NGX_ERROR;
}


void
ngx_webrtc_source_read_attach(ngx_webrtc_source_read_t *rd,
    AVFormatContext *ic, ngx_uint_t paced)
{
    const char  *name;

    name = ic->iformat->name;

    rd->ic = ic;
    rd->paced = paced;
    rd->ts = (ngx_strcmp(name, "mpegts") == 0);
    rd->rtp = (ngx_strcmp(name, "rtsp") == 0
               || ngx_strcmp(name, "sdp") == 0);
    rd->flv = (ngx_strstr(name, "flv") != NULL);

    /*
     * These give whole frames, or data that is made into frames here; what
     * libavformat infers from it is not needed.
     */

    if (rd->ts
        || rd->rtp
        || rd->flv
        || ngx_strstr(name, "mp4") != NULL
        || ngx_strstr(name, "matroska") != NULL)
    {
        ic->flags |= AVFMT_FLAG_NOPARSE|AVFMT_FLAG_NOFILLIN;
    }

    ngx_webrtc_source_read_close(rd);

    ngx_webrtc_source_read_select(rd);
}


void
ngx_webrtc_source_read_cleanup(ngx_webrtc_source_read_t *rd)
{
    while (rd->head) {
        ngx_webrtc_source_queue_drop(rd, rd->head);
    }

    ngx_webrtc_source_read_close(rd);

    av_packet_free(&rd->pkt);
}


int
ngx_webrtc_source_read_next(ngx_webrtc_source_read_t *rd)
{
    int                          rc;
    AVPacket                    *pkt;
    ngx_uint_t                   chosen;
    ngx_webrtc_source_stream_t  *s;

    pkt = rd->pkt;

    rc = av_read_frame(rd->ic, pkt);

    if (rc == AVERROR_EOF && rd->paced && !rd->chosen && rd->nskipped) {

        /* tables that have not come by now will not */

        rd->all = 1;

        ngx_webrtc_source_read_select(rd);

        if (rd->chosen && av_seek_frame(rd->ic, -1, 0, AVSEEK_FLAG_BYTE) >= 0) {
            return 0;
        }
    }

    if (rc < 0) {
        return rc;
    }

    rd->came_us = (int64_t) ngx_webrtc_time_now();

    if (rd->flv) {

        switch (ngx_webrtc_source_enhanced(rd, pkt)) {

        case NGX_OK:
            break;

        case NGX_DECLINED:
            rd->damaged++;
            /* fall through */

        case NGX_DONE:
            av_packet_unref(pkt);
            return 0;

        default:
            av_packet_unref(pkt);
            return AVERROR(ENOMEM);
        }
    }

    s = ngx_webrtc_source_read_stream(rd, pkt->stream_index);

    if (s == NULL) {
        /* streams may appear at any time */

        ngx_webrtc_source_read_moved(rd);

        chosen = rd->chosen;

        ngx_webrtc_source_read_select(rd);

        s = ngx_webrtc_source_read_stream(rd, pkt->stream_index);

        if (!chosen && rd->chosen && rd->paced && rd->nskipped
            && av_seek_frame(rd->ic, -1, 0, AVSEEK_FLAG_BYTE) >= 0)
        {
            av_packet_unref(pkt);
            return 0;
        }
    }

    if (s == NULL) {
        ngx_webrtc_source_read_stranger(rd, pkt);

        rc = ngx_webrtc_source_read_skip(rd);

    } else if (rd->ic->streams[pkt->stream_index]->codecpar->codec_id
               != s->first)
    {
        /* tracks are announced once: it has to start over */
        rc = AVERROR_INPUT_CHANGED;

    } else if ((pkt->flags & AV_PKT_FLAG_CORRUPT)
               || pkt->size <= 0
               || pkt->size > NGX_WEBRTC_SOURCE_FRAME_MAX)
    {
        rd->damaged++;
        rc = 0;

        if (s == &rd->video) {
            ngx_webrtc_source_unit_lost(&rd->unit);
        }

    } else if (s == &rd->video) {
        rc = ngx_webrtc_source_read_video(rd, pkt);

    } else {
        rc = ngx_webrtc_source_sound_put(rd, pkt);
    }

    av_packet_unref(pkt);

    return rc;
}


void
ngx_webrtc_source_read_drain(ngx_webrtc_source_read_t *rd)
{
    if (rd->video.index >= 0) {
        (void) ngx_webrtc_source_unit_drain(&rd->unit);
        ngx_webrtc_source_read_damaged(rd);
    }
}


ngx_int_t
ngx_webrtc_source_read_rewind(ngx_webrtc_source_read_t *rd)
{
    int      rc;
    int64_t  start;

    if (rd->nread == 0
        || rd->end - (rd->first + rd->offset) < NGX_WEBRTC_SOURCE_PASS_MIN)
    {
        return NGX_DECLINED;
    }

    rd->offset = rd->end - rd->first;
    rd->nread = 0;
    rd->unwrap.set = 0;
    rd->unwrap.last = 0;

    rd->splice.shift = 0;
    rd->splice.tracks[0].set = 0;
    rd->splice.tracks[1].set = 0;

    rd->video.set = 0;
    rd->video.seam = 1;

    rd->audio.set = 0;
    rd->audio.seam = 1;

    if (rd->ts || rd->flv) {
        rc = av_seek_frame(rd->ic, -1, 0, AVSEEK_FLAG_BYTE);

    } else if (ngx_strstr(rd->ic->iformat->name, "matroska") != NULL) {
        /* drops audio before the first key frame */
        rc = -1;

    } else {
        start = rd->ic->start_time;
        rc = av_seek_frame(rd->ic, -1, start == AV_NOPTS_VALUE ? 0 : start,
                           AVSEEK_FLAG_BACKWARD);
    }

    if (rc < 0) {
        return NGX_AGAIN;
    }

    ngx_webrtc_source_read_close(rd);

    ngx_webrtc_source_read_select(rd);

    return NGX_OK;
}


static ngx_webrtc_source_stream_t *
ngx_webrtc_source_read_stream(ngx_webrtc_source_read_t *rd, int index)
{
    if (index == rd->video.index) {
        return &rd->video;
    }

    if (index == rd->audio.index) {
        return &rd->audio;
    }

    return NULL;
}


/* a packet of FLV whose codec is not known, to libavformat or to us */

static void
ngx_webrtc_source_read_stranger(ngx_webrtc_source_read_t *rd, AVPacket *pkt)
{
    AVCodecParameters  *par;

    par = rd->ic->streams[pkt->stream_index]->codecpar;

    if (rd->flv
        && (par->codec_type == AVMEDIA_TYPE_VIDEO
            || par->codec_type == AVMEDIA_TYPE_AUDIO))
    {
        (void) ngx_webrtc_source_read_flv(rd,
                                  par->codec_type == AVMEDIA_TYPE_VIDEO
                                  ? NGX_WEBRTC_VIDEO : NGX_WEBRTC_AUDIO,
                                  par->codec_tag, pkt->data, pkt->size);

        if (par->codec_id != AV_CODEC_ID_NONE) {
            ngx_webrtc_source_read_unknown(rd, par);
        }
    }
}


ngx_uint_t
ngx_webrtc_source_read_flv(ngx_webrtc_source_read_t *rd, ngx_uint_t kind,
    ngx_uint_t codec, u_char *p, size_t n)
{
    char         name[64];
    ngx_uint_t   fourcc;
    const char  *known;

    if ((rd->warned & kind)
        || (kind == NGX_WEBRTC_VIDEO ? &rd->video : &rd->audio)->index >= 0)
    {
        return 0;
    }

    known = ngx_webrtc_sniff_flv(kind == NGX_WEBRTC_VIDEO, codec, p, n,
                                 &fourcc);

    if (known == NULL) {
        return 0;
    }

    if (fourcc) {
        snprintf(name, sizeof(name), "%s of enhanced RTMP", known);

    } else {
        snprintf(name, sizeof(name), "%s as number %d of FLV", known,
                 (int) codec);
    }

    rd->warned |= kind;
    rd->unknown(rd->ctx, kind, name);

    return 1;
}


/* a codec that libavformat has a name for, once per kind */

static void
ngx_webrtc_source_read_unknown(ngx_webrtc_source_read_t *rd,
    AVCodecParameters *par)
{
    ngx_uint_t  kind;

    kind = (par->codec_type == AVMEDIA_TYPE_VIDEO) ? NGX_WEBRTC_VIDEO
                                                   : NGX_WEBRTC_AUDIO;

    if (!(rd->warned & kind)
        && (kind == NGX_WEBRTC_VIDEO ? &rd->video : &rd->audio)->index < 0)
    {
        rd->warned |= kind;
        rd->unknown(rd->ctx, kind, avcodec_get_name(par->codec_id));
    }
}


/*
 * A packet of a stream that is not played, or not yet: packets that a file
 * has before the program is chosen are read again.
 */

static int
ngx_webrtc_source_read_skip(ngx_webrtc_source_read_t *rd)
{
    switch (ngx_webrtc_source_program(rd)) {

    case NGX_OK:
        return 0;

    case NGX_AGAIN:
        if (rd->nskipped++ == 0) {
            rd->since_us = rd->came_us;
        }

        return 0;

    default: /* NGX_DECLINED */
        return AVERROR_STREAM_NOT_FOUND;
    }
}


/* the first video and audio of known codecs that belong together */

static void
ngx_webrtc_source_read_select(ngx_webrtc_source_read_t *rd)
{
    int                          i, n;
    AVStream                    *st;
    AVFormatContext             *ic;
    enum AVCodecID               id;
    ngx_uint_t                   pass, known;
    ngx_webrtc_source_stream_t  *s, *other;

    ic = rd->ic;
    n = ic->nb_streams;

    if (ngx_webrtc_source_program(rd) != NGX_OK) {
        return;
    }

    /* video first: audio has to belong to it */

    for (pass = 0; pass < 2; pass++) {

        s = pass ? &rd->audio : &rd->video;
        other = pass ? &rd->video : &rd->audio;

        for (i = 0; i < n && s->index < 0; i++) {

            st = ic->streams[i];
            id = st->codecpar->codec_id;

            if (id == AV_CODEC_ID_NONE
                || st->codecpar->codec_type != (pass ? AVMEDIA_TYPE_AUDIO
                                                     : AVMEDIA_TYPE_VIDEO)
                || (st->disposition & AV_DISPOSITION_ATTACHED_PIC)
                || !ngx_webrtc_source_program_has(rd, i)
                || (other->index >= 0
                    && !ngx_webrtc_source_read_related(ic, i, other->index)))
            {
                continue;
            }

            known = pass ? ngx_webrtc_source_audio_known(id)
                         : ngx_webrtc_source_codecs_video(id, rd->foreign);

            if (known == 0) {
                /* the packet tells what is in an FLV tag */

                if (!rd->flv) {
                    ngx_webrtc_source_read_unknown(rd, st->codecpar);
                }

                continue;
            }

            s->index = i;
            s->id = id;

            if (s->first == AV_CODEC_ID_NONE) {
                s->first = id;
            }

            s->codec = known;

            if (pass) {
                ngx_webrtc_source_sound_init(rd, st);

            } else {
                ngx_webrtc_source_unit_init(&rd->unit, st->codecpar,
                                        ngx_webrtc_source_read_state(rd, st),
                                        !rd->paced,
                                        ngx_webrtc_source_read_unit, rd);
            }
        }
    }

    if (rd->video.index < 0 || rd->audio.index < 0) {
        return;
    }

    /* the demuxer need not assemble what is not read */

    for (i = 0; i < n; i++) {
        ic->streams[i]->discard = (i == rd->video.index
                                   || i == rd->audio.index
                                   || (rd->enhanced
                                       && ic->streams[i]->codecpar->codec_type
                                          == AVMEDIA_TYPE_VIDEO))
                                  ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
}


/*
 * A new version of the program map may move a track to another PID, which is
 * another stream of the demuxer.  Its merge_pmt_versions would match tracks
 * by their position in the map, where an added one may come first.
 */

static void
ngx_webrtc_source_read_moved(ngx_webrtc_source_read_t *rd)
{
    ngx_uint_t                   i;
    ngx_webrtc_source_stream_t  *s;

    for (i = 0; rd->ts && i < 2; i++) {

        s = i ? &rd->audio : &rd->video;

        if (s->index >= 0 && !ngx_webrtc_source_program_has(rd, s->index)) {
            ngx_webrtc_source_read_forget(rd, s);
        }
    }
}


/* in the same program, or in none */

static ngx_uint_t
ngx_webrtc_source_read_related(AVFormatContext *ic, int a, int b)
{
    unsigned int   i;
    AVProgram     *p;

    p = av_find_program_from_stream(ic, NULL, a);

    if (p == NULL) {
        return av_find_program_from_stream(ic, NULL, b) == NULL;
    }

    do {
        for (i = 0; i < p->nb_stream_indexes; i++) {
            if (p->stream_index[i] == (unsigned) b) {
                return 1;
            }
        }

        p = av_find_program_from_stream(ic, p, a);

    } while (p);

    return 0;
}


/* what a packet of video is; 33 bits: of PES, in RTP too (RFC 2250) */

static ngx_webrtc_source_unit_e
ngx_webrtc_source_read_state(ngx_webrtc_source_read_t *rd, AVStream *st)
{
    if (rd->ts || (rd->rtp && st->pts_wrap_bits == 33)) {
        return NGX_WEBRTC_SOURCE_UNIT_CHECK;
    }

    return rd->rtp ? NGX_WEBRTC_SOURCE_UNIT_TIME
                   : NGX_WEBRTC_SOURCE_UNIT_FRAMES;
}


static int
ngx_webrtc_source_read_video(ngx_webrtc_source_read_t *rd, AVPacket *pkt)
{
    int        rc;
    int64_t    pts, dts, duration;
    AVStream  *st;

    const AVCodecDescriptor  *desc;

    st = rd->ic->streams[pkt->stream_index];

    /* libavformat would say so, if it filled in what it infers */

    desc = avcodec_descriptor_get(st->codecpar->codec_id);

    if (desc && (desc->props & AV_CODEC_PROP_INTRA_ONLY)) {
        pkt->flags |= AV_PKT_FLAG_KEY;
    }

    pts = ngx_webrtc_source_item_time(rd, st, pkt->pts);
    dts = ngx_webrtc_source_item_time(rd, st, pkt->dts);

    duration = pkt->duration > 0
               ? av_rescale_q(pkt->duration, st->time_base,
                              (AVRational) { 1, NGX_WEBRTC_SOURCE_CLOCK })
               : 0;

    rc = ngx_webrtc_source_unit_put(&rd->unit, pkt, pts, dts, duration);

    ngx_webrtc_source_read_damaged(rd);

    return rc;
}


static int
ngx_webrtc_source_read_unit(void *ctx, AVPacket *pkt, int64_t pts,
    int64_t dts, int64_t duration)
{
    ngx_webrtc_source_read_t  *rd = ctx;

    return ngx_webrtc_source_item_take(rd, NGX_WEBRTC_VIDEO, pkt, pts, dts,
                                       duration);
}


static void
ngx_webrtc_source_read_damaged(ngx_webrtc_source_read_t *rd)
{
    rd->damaged += rd->unit.damaged;
    rd->unit.damaged = 0;
}


static void
ngx_webrtc_source_read_close(ngx_webrtc_source_read_t *rd)
{
    ngx_webrtc_source_read_forget(rd, &rd->video);
    ngx_webrtc_source_read_forget(rd, &rd->audio);
}


static void
ngx_webrtc_source_read_forget(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_stream_t *s)
{
    ngx_webrtc_source_hide_drop(s);

    if (s == &rd->video) {
        ngx_webrtc_source_unit_close(&rd->unit);

    } else {
        ngx_webrtc_source_sound_close(rd);
    }

    s->index = -1;
}
