
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Reads a media file by libavformat, from a descriptor that the worker has
 * opened.  What a file refers to is not opened, and demuxers of lists of other
 * files are not used.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/display.h>

#include "ngx_webrtc_movie_in.h"
#include "ngx_webrtc_movie_name.h"
#include "ngx_webrtc_source_turn.h"
#include "ngx_webrtc_time.h"


/* bytes; chosen: a few frames, as reads are cheap */
#define NGX_WEBRTC_MOVIE_IN_BUFFER   65536

/* ms to find out what a file is; chosen: longer than any sane file takes from
 * a cold disk, and a client waits */
#define NGX_WEBRTC_MOVIE_IN_PROBE    10000

/* errors of packets in a row; chosen: a damaged part, not a damaged file */
#define NGX_WEBRTC_MOVIE_IN_ERRORS   100

/* those of files with media in them, and of nothing else */
#define NGX_WEBRTC_MOVIE_IN_FORMATS                                           \
    "mov,mp4,matroska,webm,mpegts,mpeg,flv,avi,asf,ogg,mp3,flac,wav,w64,aac," \
    "ac3,eac3,dts,aiff,caf,mxf,nut,ivf,rm,dv,wtv,h264,hevc,mpegvideo,m4v"


static int ngx_webrtc_movie_in_pread(void *opaque, uint8_t *buf, int size);
static int64_t ngx_webrtc_movie_in_lseek(void *opaque, int64_t offset,
    int whence);
static int ngx_webrtc_movie_in_refuse(AVFormatContext *s, AVIOContext **pb,
    const char *url, int flags, AVDictionary **options);
static void ngx_webrtc_movie_in_describe(ngx_webrtc_movie_in_t *in);
static ngx_int_t ngx_webrtc_movie_in_track(AVStream *st,
    ngx_webrtc_movie_track_t *track);
static ngx_uint_t ngx_webrtc_movie_in_text(const AVCodecParameters *par);
static void ngx_webrtc_movie_in_size(AVStream *st,
    ngx_webrtc_movie_track_t *track);
static ngx_uint_t ngx_webrtc_movie_in_container(ngx_webrtc_movie_in_t *in);


/* what fragmented MP4 can have as it is, for browsers */

static const enum AVCodecID  ngx_webrtc_movie_in_copied[] = {
    AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1, AV_CODEC_ID_VP9,
    AV_CODEC_ID_AAC, AV_CODEC_ID_MP3, AV_CODEC_ID_OPUS, AV_CODEC_ID_FLAC,
    AV_CODEC_ID_AC3, AV_CODEC_ID_EAC3, AV_CODEC_ID_NONE
};


ngx_int_t
ngx_webrtc_movie_in_open(ngx_webrtc_movie_in_t *in, int fd, const char **cause)
{
    int           rc;
    u_char       *buf;
    AVIOContext  *pb;

    in->fd = fd;
    in->pos = 0;
    in->until_us = ngx_webrtc_time_now() + NGX_WEBRTC_MOVIE_IN_PROBE * 1000;

    ngx_memzero(&in->movie, sizeof(ngx_webrtc_movie_t));

    *cause = "no memory in the media process";

    buf = av_malloc(NGX_WEBRTC_MOVIE_IN_BUFFER);

    if (buf == NULL) {
        return NGX_ERROR;
    }

    pb = avio_alloc_context(buf, NGX_WEBRTC_MOVIE_IN_BUFFER, 0, in,
                            ngx_webrtc_movie_in_pread, NULL,
                            ngx_webrtc_movie_in_lseek);
    if (pb == NULL) {
        av_free(buf);
        return NGX_ERROR;
    }

    in->ic = avformat_alloc_context();

    if (in->ic == NULL) {
        av_freep(&pb->buffer);
        avio_context_free(&pb);
        return NGX_ERROR;
    }

    in->ic->pb = pb;
    in->ic->flags |= AVFMT_FLAG_CUSTOM_IO|AVFMT_FLAG_GENPTS;
    in->ic->io_open = ngx_webrtc_movie_in_refuse;
    in->ic->format_whitelist = av_strdup(NGX_WEBRTC_MOVIE_IN_FORMATS);
    in->ic->protocol_whitelist = av_strdup("none");

    rc = avformat_open_input(&in->ic, NULL, NULL, NULL);

    if (rc < 0) {

        /* the context is gone, its input is not */

        av_freep(&pb->buffer);
        avio_context_free(&pb);

        *cause = "it cannot be read";

        return (rc == AVERROR_INVALIDDATA || rc == AVERROR_EOF
                || rc == AVERROR_PATCHWELCOME) ? NGX_OK : NGX_ERROR;
    }

    if (avformat_find_stream_info(in->ic, NULL) < 0) {
        *cause = "it cannot be read";
        return NGX_ERROR;
    }

    if (ngx_webrtc_time_now() >= in->until_us) {
        *cause = "it takes too long to read";
        return NGX_ERROR;
    }

    in->until_us = 0;

    ngx_webrtc_movie_in_describe(in);

    return NGX_OK;
}


void
ngx_webrtc_movie_in_close(ngx_webrtc_movie_in_t *in)
{
    AVIOContext  *pb;

    if (in->ic == NULL) {
        return;
    }

    pb = in->ic->pb;

    avformat_close_input(&in->ic);

    av_freep(&pb->buffer);
    avio_context_free(&pb);
}


/* descriptors of a file share their offset: it is never used */

static int
ngx_webrtc_movie_in_pread(void *opaque, uint8_t *buf, int size)
{
    ngx_webrtc_movie_in_t *in = opaque;

    ssize_t  n;

    if ((in->over && in->over(in->ctx))
        || (in->until_us && ngx_webrtc_time_now() >= in->until_us))
    {
        return AVERROR_EXIT;
    }

    do {
        n = pread(in->fd, buf, size, (off_t) in->pos);
    } while (n == -1 && ngx_errno == EINTR);

    if (n == -1) {
        return AVERROR(ngx_errno);
    }

    in->pos += n;

    return n ? (int) n : AVERROR_EOF;
}


static int64_t
ngx_webrtc_movie_in_lseek(void *opaque, int64_t offset, int whence)
{
    ngx_webrtc_movie_in_t *in = opaque;

    struct stat  st;

    if (whence != SEEK_SET && whence != SEEK_CUR
        && fstat(in->fd, &st) == -1)
    {
        return AVERROR(ngx_errno);
    }

    switch (whence & ~AVSEEK_FORCE) {

    case AVSEEK_SIZE:
        return (int64_t) st.st_size;

    case SEEK_CUR:
        offset += in->pos;
        break;

    case SEEK_END:
        offset += (int64_t) st.st_size;
        break;
    }

    if (offset < 0) {
        return AVERROR(EINVAL);
    }

    in->pos = offset;

    return offset;
}


static int
ngx_webrtc_movie_in_refuse(AVFormatContext *s, AVIOContext **pb,
    const char *url, int flags, AVDictionary **options)
{
    return AVERROR(EACCES);
}


static void
ngx_webrtc_movie_in_describe(ngx_webrtc_movie_in_t *in)
{
    ngx_uint_t           i;
    AVFormatContext     *ic;
    ngx_webrtc_movie_t  *movie;

    ic = in->ic;
    movie = &in->movie;

    /* what is before 0 is what an encoder of sound needed to begin */

    in->start_us = (ic->start_time == AV_NOPTS_VALUE) ? 0 : ic->start_time;
    in->start_us = ngx_max(in->start_us, 0);

    if (ic->duration > 0) {
        movie->duration_ms = (uint64_t) ic->duration / 1000;
        movie->duration_ms = ngx_min(movie->duration_ms,
                                     NGX_WEBRTC_MOVIE_LONGEST);
    }

    movie->container = (uint8_t) ngx_webrtc_movie_in_container(in);
    movie->flags = NGX_WEBRTC_MOVIE_SEEKABLE;

    if (avcodec_find_encoder_by_name("libx264")) {
        movie->flags |= NGX_WEBRTC_MOVIE_TO_H264;
    }

    if (avcodec_find_encoder(AV_CODEC_ID_AAC)) {
        movie->flags |= NGX_WEBRTC_MOVIE_TO_AAC;
    }

    if (avcodec_find_encoder_by_name("libopus")) {
        movie->flags |= NGX_WEBRTC_MOVIE_TO_OPUS;
    }

    for (i = 0; i < ic->nb_streams
                && movie->ntracks < NGX_WEBRTC_MOVIE_TRACKS; i++)
    {
        if (ngx_webrtc_movie_in_track(ic->streams[i],
                                      &movie->tracks[movie->ntracks])
            == NGX_OK)
        {
            movie->ntracks++;

        } else {
            ic->streams[i]->discard = AVDISCARD_ALL;
        }
    }
}


/* NGX_DECLINED: nothing that is played */

static ngx_int_t
ngx_webrtc_movie_in_track(AVStream *st, ngx_webrtc_movie_track_t *track)
{
    ngx_uint_t          i;
    const char         *plain;
    AVCodecParameters  *par;
    char                name[NGX_WEBRTC_MOVIE_CODEC + 1];

    par = st->codecpar;

    ngx_memzero(track, sizeof(ngx_webrtc_movie_track_t));

    if (par->codec_id == AV_CODEC_ID_NONE
        || (st->disposition & AV_DISPOSITION_ATTACHED_PIC)
        || st->index > 65535)
    {
        return NGX_DECLINED;
    }

    switch (par->codec_type) {

    case AVMEDIA_TYPE_VIDEO:

        if (par->width <= 0 || par->height <= 0) {
            return NGX_DECLINED;
        }

        track->kind = NGX_WEBRTC_MOVIE_VIDEO;
        ngx_webrtc_movie_in_size(st, track);
        break;

    case AVMEDIA_TYPE_AUDIO:

        if (par->sample_rate <= 0 || par->ch_layout.nb_channels <= 0) {
            return NGX_DECLINED;
        }

        track->kind = NGX_WEBRTC_MOVIE_AUDIO;
        track->channels = (uint8_t) ngx_min(par->ch_layout.nb_channels, 255);
        break;

    case AVMEDIA_TYPE_SUBTITLE:

        if (!ngx_webrtc_movie_in_text(par)) {
            return NGX_DECLINED;
        }

        track->kind = NGX_WEBRTC_MOVIE_TEXT;
        break;

    default:
        return NGX_DECLINED;
    }

    track->stream = (uint16_t) st->index;

    if (st->disposition & AV_DISPOSITION_DEFAULT) {
        track->flags |= NGX_WEBRTC_MOVIE_DEFAULT;
    }

    if (avcodec_find_decoder(par->codec_id)) {
        track->flags |= NGX_WEBRTC_MOVIE_DECODE;
    }

    for (i = 0; ngx_webrtc_movie_in_copied[i] != AV_CODEC_ID_NONE; i++) {
        if (ngx_webrtc_movie_in_copied[i] == par->codec_id) {
            track->flags |= NGX_WEBRTC_MOVIE_COPY;
        }
    }

    track->codec_len = (uint8_t) ngx_webrtc_movie_name(par, name,
                                                       sizeof(name));
    ngx_memcpy(track->codec, name, track->codec_len);

    plain = avcodec_get_name(par->codec_id);
    track->plain_len = (uint8_t) ngx_min(ngx_strlen(plain),
                                         NGX_WEBRTC_MOVIE_PLAIN);
    ngx_memcpy(track->plain, plain, track->plain_len);

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_movie_in_text(const AVCodecParameters *par)
{
    const AVCodecDescriptor  *desc;

    desc = avcodec_descriptor_get(par->codec_id);

    return desc && (desc->props & AV_CODEC_PROP_TEXT_SUB)
           && avcodec_find_decoder(par->codec_id);
}


/* as it is shown: turned, as phones do */

static void
ngx_webrtc_movie_in_size(AVStream *st, ngx_webrtc_movie_track_t *track)
{
    int             width, height;
    double          turn;
    const int32_t  *matrix;

    width = ngx_min(st->codecpar->width, 65535);
    height = ngx_min(st->codecpar->height, 65535);

    matrix = (const int32_t *) ngx_webrtc_source_turn_matrix(st);
    turn = matrix ? av_display_rotation_get(matrix) : 0;

    if ((turn > 45 && turn < 135) || (turn < -45 && turn > -135)) {
        track->width = (uint16_t) height;
        track->height = (uint16_t) width;

    } else {
        track->width = (uint16_t) width;
        track->height = (uint16_t) height;
    }
}


static ngx_uint_t
ngx_webrtc_movie_in_container(ngx_webrtc_movie_in_t *in)
{
    ssize_t             n, i;
    u_char              head[128];
    const char         *name;
    AVDictionaryEntry  *brand;

    name = in->ic->iformat->name;

    if (strncmp(name, "mov", 3) == 0) {
        brand = av_dict_get(in->ic->metadata, "major_brand", NULL, 0);

        /* QuickTime's own is not for all browsers */

        return brand && strncmp(brand->value, "qt", 2) != 0
               ? NGX_WEBRTC_MOVIE_MP4 : NGX_WEBRTC_MOVIE_OTHER;
    }

    if (strncmp(name, "matroska", 8) == 0) {

        /* DocType, in the EBML header */

        n = pread(in->fd, head, sizeof(head), 0);

        for (i = 0; i + 7 <= n; i++) {
            if (ngx_memcmp(head + i, "\x42\x82\x84webm", 7) == 0) {
                return NGX_WEBRTC_MOVIE_WEBM;
            }
        }

        return NGX_WEBRTC_MOVIE_OTHER;
    }

    if (strcmp(name, "mp3") == 0 || strcmp(name, "flac") == 0
        || strcmp(name, "ogg") == 0 || strcmp(name, "aac") == 0)
    {
        return NGX_WEBRTC_MOVIE_SOUND;
    }

    return NGX_WEBRTC_MOVIE_OTHER;
}


ngx_int_t
ngx_webrtc_movie_in_seek(ngx_webrtc_movie_in_t *in, int stream, int64_t us)
{
    int64_t  ts;

    ts = us + in->start_us;

    if (stream >= 0) {
        ts = av_rescale_q(ts, AV_TIME_BASE_Q,
                          in->ic->streams[stream]->time_base);
    }

    /* of an end that was reached before */

    in->ic->pb->eof_reached = 0;
    in->ic->pb->error = 0;

    if (avformat_seek_file(in->ic, stream, INT64_MIN, ts, ts, 0) >= 0
        || av_seek_frame(in->ic, stream, ts, AVSEEK_FLAG_BACKWARD) >= 0
        || avformat_seek_file(in->ic, stream, INT64_MIN, ts, INT64_MAX, 0)
           >= 0)
    {
        return NGX_OK;
    }

    /* what has no index, from its beginning */

    return (av_seek_frame(in->ic, -1, 0, AVSEEK_FLAG_BYTE) >= 0)
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_webrtc_movie_in_read(ngx_webrtc_movie_in_t *in, AVPacket *pkt)
{
    int         rc;
    int64_t     start;
    AVStream   *st;
    ngx_uint_t  errors;

    for (errors = 0; errors < NGX_WEBRTC_MOVIE_IN_ERRORS; errors++) {

        if (in->over && in->over(in->ctx)) {
            return NGX_ERROR;
        }

        rc = av_read_frame(in->ic, pkt);

        if (rc == AVERROR_EOF) {
            return NGX_DONE;
        }

        if (rc == AVERROR(EAGAIN) || rc == AVERROR_INVALIDDATA) {
            continue;
        }

        if (rc < 0) {
            return NGX_ERROR;
        }

        st = in->ic->streams[pkt->stream_index];

        start = av_rescale_q(in->start_us, AV_TIME_BASE_Q, st->time_base);

        if (pkt->pts == AV_NOPTS_VALUE) {
            pkt->pts = pkt->dts;
        }

        if (pkt->pts == AV_NOPTS_VALUE) {
            av_packet_unref(pkt);
            continue;
        }

        pkt->pts -= start;

        if (pkt->dts != AV_NOPTS_VALUE) {
            pkt->dts -= start;
        }

        return NGX_OK;
    }

    return NGX_ERROR;
}
