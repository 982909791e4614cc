
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Containers that libavformat's muxers write as they go: Matroska, MPEG-TS.
 *
 * The stream has no decoding times.  The nth picture is decoded at the nth
 * smallest time of presentation, and earlier by as many pictures as may be
 * decoded before they are shown: so none is decoded after that.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/opt.h>

#include "ngx_webrtc_writer.h"


/* bytes of a buffer; what is not written when it is killed */
#define NGX_WEBRTC_WRITER_LAV_BUFFER  65536

/* us by which a track that has paused holds up the others; chosen */
#define NGX_WEBRTC_WRITER_LAV_APART   500000

/* ms between places where a client may begin, of sound alone; chosen */
#define NGX_WEBRTC_WRITER_LAV_BEGINS  1000

/* units of 90 kHz of a picture, until there have been two */
#define NGX_WEBRTC_WRITER_LAV_FRAME   3600


/* avio_alloc_context() takes another function since FFmpeg 7 */

#if (LIBAVFORMAT_VERSION_MAJOR >= 61)
#define NGX_WEBRTC_WRITER_LAV_CONST  const
#else
#define NGX_WEBRTC_WRITER_LAV_CONST
#endif


typedef struct {
    int64_t             last;         /* dts */
    int64_t             first;        /* pts */
    int64_t             order[NGX_WEBRTC_WRITER_DEPTH + 1];
    ngx_uint_t          norder;
    ngx_uint_t          depth;
    int                 stream;       /* of libavformat, -1: none */
    unsigned            has:1;        /* last is set */
} ngx_webrtc_writer_lav_track_t;


typedef struct {
    AVFormatContext                *oc;
    ngx_webrtc_writer_lav_track_t   tracks[NGX_WEBRTC_MEDIA_TRACKS];
    unsigned                        header:1;    /* has been written */
    int64_t                         begin;       /* ms where the next client
                                                    of sound alone may */
    unsigned                        live:1;      /* it is sent as it comes */
    unsigned                        key:1;       /* the next bytes are one's */
    unsigned                        failed:1;    /* bytes() has */
} ngx_webrtc_writer_lav_t;


static ngx_int_t ngx_webrtc_writer_lav_begin(ngx_webrtc_writer_t *w);
static ngx_int_t ngx_webrtc_writer_lav_open(ngx_webrtc_writer_t *w);
static ngx_int_t ngx_webrtc_writer_lav_io(ngx_webrtc_writer_t *w,
    AVFormatContext *oc);
static ngx_int_t ngx_webrtc_writer_lav_stream(ngx_webrtc_writer_t *w,
    ngx_uint_t i);
static int ngx_webrtc_writer_lav_write(void *opaque,
    NGX_WEBRTC_WRITER_LAV_CONST uint8_t *buf, int n);
static int64_t ngx_webrtc_writer_lav_seek(void *opaque, int64_t offset,
    int whence);
static ngx_int_t ngx_webrtc_writer_lav_packet(ngx_webrtc_writer_t *w,
    ngx_uint_t i, AVPacket *pkt);
static ngx_uint_t ngx_webrtc_writer_lav_begins(ngx_webrtc_writer_t *w,
    ngx_uint_t i, AVPacket *pkt);
static int ngx_webrtc_writer_lav_frame(ngx_webrtc_writer_t *w, ngx_uint_t key,
    AVPacket *pkt);
static int64_t ngx_webrtc_writer_lav_dts(ngx_webrtc_writer_lav_track_t *t,
    int64_t pts);
static ngx_int_t ngx_webrtc_writer_lav_wrong(ngx_webrtc_writer_t *w, int rc);
static void ngx_webrtc_writer_lav_end(ngx_webrtc_writer_t *w);
static void ngx_webrtc_writer_lav_free(ngx_webrtc_writer_t *w);


static const enum AVCodecID  ngx_webrtc_writer_ts_codecs[] = {
    AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_MPEG1VIDEO,
    AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4, AV_CODEC_ID_OPUS,
    AV_CODEC_ID_AAC, AV_CODEC_ID_NONE
};

static const enum AVCodecID  ngx_webrtc_writer_flv_codecs[] = {
    AV_CODEC_ID_H264, AV_CODEC_ID_AAC, AV_CODEC_ID_NONE
};

static const enum AVCodecID  ngx_webrtc_writer_rtsp_codecs[] = {
    AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_VP8, AV_CODEC_ID_OPUS,
    AV_CODEC_ID_PCM_MULAW, AV_CODEC_ID_PCM_ALAW, AV_CODEC_ID_ADPCM_G722,
    AV_CODEC_ID_AAC, AV_CODEC_ID_NONE
};


const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_mkv = {
    "mkv",
    "matroska",
    NULL,
    AV_CODEC_ID_NONE,
    ngx_webrtc_writer_lav_begin,
    ngx_webrtc_writer_lav_packet,
    ngx_webrtc_writer_lav_end,
    ngx_webrtc_writer_lav_free,
    NULL
};


const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_ts = {
    "ts",
    "mpegts",
    ngx_webrtc_writer_ts_codecs,
    AV_CODEC_ID_NONE,
    ngx_webrtc_writer_lav_begin,
    ngx_webrtc_writer_lav_packet,
    ngx_webrtc_writer_lav_end,
    ngx_webrtc_writer_lav_free,
    NULL
};


const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_ts_aac = {
    "ts-aac",
    "mpegts",
    ngx_webrtc_writer_ts_codecs,
    AV_CODEC_ID_AAC,
    ngx_webrtc_writer_lav_begin,
    ngx_webrtc_writer_lav_packet,
    ngx_webrtc_writer_lav_end,
    ngx_webrtc_writer_lav_free,
    NULL
};


const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_flv = {
    "flv",
    "flv",
    ngx_webrtc_writer_flv_codecs,
    AV_CODEC_ID_AAC,
    ngx_webrtc_writer_lav_begin,
    ngx_webrtc_writer_lav_packet,
    ngx_webrtc_writer_lav_end,
    ngx_webrtc_writer_lav_free,
    NULL
};


const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_rtsp = {
    "rtsp",
    "rtsp",
    ngx_webrtc_writer_rtsp_codecs,
    AV_CODEC_ID_NONE,
    ngx_webrtc_writer_lav_begin,
    ngx_webrtc_writer_lav_packet,
    ngx_webrtc_writer_lav_end,
    ngx_webrtc_writer_lav_free,
    NULL
};


static ngx_int_t
ngx_webrtc_writer_lav_begin(ngx_webrtc_writer_t *w)
{
    int                       rc;
    AVDictionary             *options;
    ngx_webrtc_writer_lav_t  *part;

    if (ngx_webrtc_writer_lav_open(w) != NGX_OK) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
        return NGX_ERROR;
    }

    options = NULL;

    /* ms: what is lost if the process is killed */

    (void) av_dict_set(&options, "cluster_time_limit", "2000", 0);

    /* nothing can be corrected in what has been sent */

    (void) av_dict_set(&options, "flvflags", "no_duration_filesize", 0);

    if (w->conf->url) {
        ngx_webrtc_writer_target_options(w->conf, &options);
    }

    part = w->part;

    /* of MPEG-TS: sound does not wait for more of it */

    if (part->live) {
        (void) av_dict_set(&options, "pes_payload_size", "0", 0);
    }

    rc = avformat_write_header(part->oc, &options);
    av_dict_free(&options);

    part->header = (rc >= 0);

    return ngx_webrtc_writer_lav_wrong(w, rc);
}


static ngx_int_t
ngx_webrtc_writer_lav_open(ngx_webrtc_writer_t *w)
{
    ngx_uint_t                i;
    AVFormatContext          *oc;
    ngx_webrtc_writer_lav_t  *part;

    part = calloc(1, sizeof(ngx_webrtc_writer_lav_t));

    if (part == NULL) {
        return NGX_ERROR;
    }

    w->part = part;

    if (avformat_alloc_output_context2(&part->oc, NULL, w->ops->muxer,
                                       w->conf->url)
        < 0)
    {
        return NGX_ERROR;
    }

    oc = part->oc;

    if (ngx_webrtc_writer_lav_io(w, oc) != NGX_OK) {
        return NGX_ERROR;
    }

    oc->strict_std_compliance = NGX_WEBRTC_WRITER_STRICT;
    oc->max_interleave_delta = NGX_WEBRTC_WRITER_LAV_APART;

    for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {

        part->tracks[i].stream = -1;

        if (w->tracks[i].par && ngx_webrtc_writer_lav_stream(w, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* where it writes to: bytes(), or the URL */

static ngx_int_t
ngx_webrtc_writer_lav_io(ngx_webrtc_writer_t *w, AVFormatContext *oc)
{
    u_char                   *buf;
    ngx_webrtc_writer_lav_t  *part;

    if (w->conf->url) {
        oc->pb = w->io;
        oc->interrupt_callback.callback = w->conf->late;
        oc->interrupt_callback.opaque = w->conf->ctx;
        oc->flags |= AVFMT_FLAG_FLUSH_PACKETS;
        return NGX_OK;
    }

    buf = av_malloc(NGX_WEBRTC_WRITER_LAV_BUFFER);

    if (buf == NULL) {
        return NGX_ERROR;
    }

    oc->pb = avio_alloc_context(buf, NGX_WEBRTC_WRITER_LAV_BUFFER, 1, w, NULL,
                                ngx_webrtc_writer_lav_write,
                                w->conf->seek ? ngx_webrtc_writer_lav_seek
                                              : NULL);
    if (oc->pb == NULL) {
        av_free(buf);
        return NGX_ERROR;
    }

    part = w->part;
    part->live = (w->conf->seek == NULL);

    oc->flags |= AVFMT_FLAG_CUSTOM_IO;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_writer_lav_stream(ngx_webrtc_writer_t *w, ngx_uint_t i)
{
    AVStream                       *st;
    ngx_webrtc_writer_lav_t        *part;
    ngx_webrtc_writer_track_t      *from;
    ngx_webrtc_writer_lav_track_t  *t;

    part = w->part;
    from = &w->tracks[i];
    t = &part->tracks[i];

    st = avformat_new_stream(part->oc, NULL);

    if (st == NULL || avcodec_parameters_copy(st->codecpar, from->par) < 0) {
        return NGX_ERROR;
    }

    st->codecpar->codec_tag = 0;
    st->time_base = av_make_q(1, (int) from->units);

    t->stream = st->index;
    t->depth = (from->traits & NGX_WEBRTC_TRACK_REORDERED)
               ? NGX_WEBRTC_WRITER_DEPTH : 0;

    return NGX_OK;
}


static int
ngx_webrtc_writer_lav_write(void *opaque,
    NGX_WEBRTC_WRITER_LAV_CONST uint8_t *buf, int n)
{
    ngx_webrtc_writer_t *w = opaque;

    ngx_uint_t                flags;
    ngx_webrtc_writer_lav_t  *part;

    part = w->part;

    if (n <= 0) {
        return n;
    }

    flags = part->key ? NGX_WEBRTC_MEDIA_MUXED_KEY : 0;
    part->key = 0;

    if (part->failed
        || w->conf->bytes(w->conf->ctx, (u_char *) buf, (size_t) n, flags)
           != NGX_OK)
    {
        part->failed = 1;
        return AVERROR(EIO);
    }

    return n;
}


static int64_t
ngx_webrtc_writer_lav_seek(void *opaque, int64_t offset, int whence)
{
    ngx_webrtc_writer_t *w = opaque;

    if (whence != SEEK_SET || offset < 0) {
        return AVERROR(EINVAL);
    }

    offset = w->conf->seek(w->conf->ctx, offset);

    return (offset < 0) ? AVERROR(EIO) : offset;
}


static ngx_int_t
ngx_webrtc_writer_lav_packet(ngx_webrtc_writer_t *w, ngx_uint_t i,
    AVPacket *pkt)
{
    ngx_uint_t                      key;
    AVRational                      tb;
    ngx_webrtc_writer_lav_t        *part;
    ngx_webrtc_writer_lav_track_t  *t;

    part = w->part;
    t = &part->tracks[i];

    tb = av_make_q(1, (int) w->tracks[i].units);
    key = ngx_webrtc_writer_lav_begins(w, i, pkt);

    pkt->dts = ngx_webrtc_writer_lav_dts(t, pkt->pts);

    if (pkt->dts > pkt->pts) {

        /* more B-frames than were announced: it cannot be shown in time */

        return NGX_OK;
    }

    t->last = pkt->dts;
    t->has = 1;

    pkt->stream_index = t->stream;

    av_packet_rescale_ts(pkt, tb, part->oc->streams[t->stream]->time_base);

    if (key && part->oc->pb) {
        avio_flush(part->oc->pb);
    }

    return ngx_webrtc_writer_lav_wrong(w,
                                ngx_webrtc_writer_lav_frame(w, key, pkt));
}


/* may whoever has nothing from before begin here? */

static ngx_uint_t
ngx_webrtc_writer_lav_begins(ngx_webrtc_writer_t *w, ngx_uint_t i,
    AVPacket *pkt)
{
    int64_t                   ms;
    ngx_webrtc_writer_lav_t  *part;

    part = w->part;

    if (part->tracks[NGX_WEBRTC_MEDIA_VIDEO].stream != -1) {
        return i == NGX_WEBRTC_MEDIA_VIDEO && (pkt->flags & AV_PKT_FLAG_KEY);
    }

    ms = av_rescale(pkt->pts, 1000, w->tracks[i].units);

    if (!part->live || ms < part->begin) {
        return 0;
    }

    part->begin = ms + NGX_WEBRTC_WRITER_LAV_BEGINS;

    return 1;
}


/*
 * What is sent as it comes is not put in the order of its times: it comes in
 * that order, but for the time that networks take.
 */

static int
ngx_webrtc_writer_lav_frame(ngx_webrtc_writer_t *w, ngx_uint_t key,
    AVPacket *pkt)
{
    int                       rc;
    ngx_webrtc_writer_lav_t  *part;

    part = w->part;

    if (!part->live) {
        return av_interleaved_write_frame(part->oc, pkt);
    }

    if (key) {
        part->key = 1;

        /* of MPEG-TS: what is in it, in front of the key frame */

        (void) av_opt_set(part->oc->priv_data, "mpegts_flags",
                          "+resend_headers", 0);
    }

    rc = av_write_frame(part->oc, pkt);

    avio_flush(part->oc->pb);

    return rc;
}


static int64_t
ngx_webrtc_writer_lav_dts(ngx_webrtc_writer_lav_track_t *t, int64_t pts)
{
    int64_t     dts;
    ngx_uint_t  i;

    for (i = t->norder; i > 0 && t->order[i - 1] > pts; i--) {
        t->order[i] = t->order[i - 1];
    }

    t->order[i] = pts;
    t->norder++;

    if (t->norder > t->depth) {

        dts = t->order[0];

        t->norder--;
        ngx_memmove(t->order, t->order + 1, t->norder * sizeof(int64_t));

    } else {

        /* the first ones: before the first picture that is shown */

        dts = t->order[0] - (int64_t) (t->depth + 1 - t->norder)
                            * NGX_WEBRTC_WRITER_LAV_FRAME;
    }

    return t->has ? ngx_max(dts, t->last + 1) : dts;
}


static ngx_int_t
ngx_webrtc_writer_lav_wrong(ngx_webrtc_writer_t *w, int rc)
{
    char                      text[AV_ERROR_MAX_STRING_SIZE];
    ngx_webrtc_writer_lav_t  *part;

    part = w->part;

    if (part->failed) {
        return NGX_ERROR;
    }

    if (rc < 0 && w->conf->url) {
        part->failed = 1;
        ngx_webrtc_writer_target_wrong(w, part->header ? "write" : "connect",
                                       rc);
        return NGX_ERROR;
    }

    if (rc < 0) {
        (void) av_strerror(rc, text, sizeof(text));
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "%s: %s", w->ops->name, text);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_webrtc_writer_lav_end(ngx_webrtc_writer_t *w)
{
    ngx_webrtc_writer_lav_t  *part;

    part = w->part;

    if (!part->failed) {
        part->header = 0;
        (void) av_write_trailer(part->oc);

        if (part->oc->pb) {
            avio_flush(part->oc->pb);
        }
    }
}


static void
ngx_webrtc_writer_lav_free(ngx_webrtc_writer_t *w)
{
    ngx_webrtc_writer_lav_t  *part;

    part = w->part;

    if (part == NULL) {
        return;
    }

    if (part->oc) {

        if (part->oc->pb && w->conf->url == NULL) {
            av_freep(&part->oc->pb->buffer);
            avio_context_free(&part->oc->pb);
        }

        avformat_free_context(part->oc);
    }

    free(part);

    w->part = NULL;
}
