
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What all containers have in common: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_opus.h"
#include "ngx_webrtc_writer.h"


/* bytes of a line for the operator */
#define NGX_WEBRTC_WRITER_LINE   256

static void ngx_webrtc_writer_reset(ngx_webrtc_writer_t *w);
static ngx_int_t ngx_webrtc_writer_track(ngx_webrtc_writer_t *w,
    ngx_webrtc_media_record_t *r);
static ngx_int_t ngx_webrtc_writer_frame(ngx_webrtc_writer_t *w,
    ngx_webrtc_media_record_t *r);
static ngx_int_t ngx_webrtc_writer_begin(ngx_webrtc_writer_t *w,
    ngx_webrtc_media_record_t *r);
static ngx_int_t ngx_webrtc_writer_known(ngx_webrtc_writer_t *w,
    ngx_webrtc_writer_track_t *t, u_char *p, size_t n);
static ngx_uint_t ngx_webrtc_writer_holds(ngx_webrtc_writer_t *w,
    enum AVCodecID id);
static ngx_int_t ngx_webrtc_writer_encoded(ngx_webrtc_writer_t *w,
    AVCodecParameters *par);
static ngx_int_t ngx_webrtc_writer_sound(void *ctx, AVPacket *pkt);
static ngx_int_t ngx_webrtc_writer_packet(ngx_webrtc_writer_t *w,
    ngx_uint_t i, AVPacket *pkt);
static void ngx_webrtc_writer_again(ngx_webrtc_writer_t *w, AVPacket *pkt);
static int64_t ngx_webrtc_writer_duration(ngx_webrtc_writer_track_t *t,
    u_char *p, size_t n);


static const ngx_webrtc_writer_ops_t  *ngx_webrtc_writer_rows[] = {
    &ngx_webrtc_writer_fmp4,
    &ngx_webrtc_writer_cmaf,
    &ngx_webrtc_writer_mkv,
    &ngx_webrtc_writer_ts,
    &ngx_webrtc_writer_ts_aac,
    &ngx_webrtc_writer_flv,
    &ngx_webrtc_writer_rtsp,
    NULL
};


ngx_webrtc_writer_t *
ngx_webrtc_writer_create(const ngx_webrtc_writer_conf_t *conf)
{
    ngx_uint_t            i;
    ngx_webrtc_writer_t  *w;

    for (i = 0; ngx_webrtc_writer_rows[i]; i++) {
        if (ngx_strcmp(ngx_webrtc_writer_rows[i]->name, conf->format) == 0) {
            break;
        }
    }

    if (ngx_webrtc_writer_rows[i] == NULL) {
        return NULL;
    }

    w = calloc(1, sizeof(ngx_webrtc_writer_t));

    if (w == NULL) {
        return NULL;
    }

    w->conf = conf;
    w->ops = ngx_webrtc_writer_rows[i];
    w->pkt = av_packet_alloc();

    if (w->pkt == NULL) {
        free(w);
        return NULL;
    }

    return w;
}


void
ngx_webrtc_writer_destroy(ngx_webrtc_writer_t *w)
{
    ngx_webrtc_writer_reset(w);

    /* what is to be written to nobody may wait */

    (void) avio_closep(&w->io);

    av_packet_free(&w->pkt);
    free(w);
}


ngx_int_t
ngx_webrtc_writer_connect(ngx_webrtc_writer_t *w)
{
    int  rc;

    if (w->conf->url == NULL
        || (w->conf->target->flags & NGX_WEBRTC_TARGET_RTSP))
    {
        return NGX_OK;
    }

    rc = ngx_webrtc_writer_target_open(w->conf, &w->io);

    if (rc < 0) {
        ngx_webrtc_writer_target_wrong(w, "connect", rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_webrtc_writer_reset(ngx_webrtc_writer_t *w)
{
    ngx_uint_t  i;

    w->ops->free(w);
    w->begun = 0;
    w->cvo = 0;

    if (w->sounds) {
        ngx_webrtc_movie_sound_end(&w->sound);
        w->sounds = 0;
    }

    avcodec_parameters_free(&w->raw);

    for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {
        avcodec_parameters_free(&w->tracks[i].par);
        free(w->tracks[i].config);
    }

    ngx_memzero(w->tracks, sizeof(w->tracks));
}


ngx_int_t
ngx_webrtc_writer_record(ngx_webrtc_writer_t *w, ngx_webrtc_media_record_t *r)
{
    switch (r->type) {

    case NGX_WEBRTC_MEDIA_BEGIN:
        ngx_webrtc_writer_reset(w);
        return NGX_OK;

    case NGX_WEBRTC_MEDIA_TRACK:
        return ngx_webrtc_writer_track(w, r);

    case NGX_WEBRTC_MEDIA_TURN:

        if (!w->begun) {
            w->cvo = (uint8_t) r->value;
        }

        return NGX_OK;

    case NGX_WEBRTC_MEDIA_FRAME:
        return ngx_webrtc_writer_frame(w, r);

    case NGX_WEBRTC_MEDIA_END:
        ngx_webrtc_writer_end(w);
        return NGX_DONE;

    default:
        return NGX_OK;
    }
}


void
ngx_webrtc_writer_end(ngx_webrtc_writer_t *w)
{
    if (w->begun) {

        if (w->sounds) {
            (void) ngx_webrtc_movie_sound_packet(&w->sound, NULL);
        }

        w->ops->end(w);
        w->begun = 0;
    }
}


int64_t
ngx_webrtc_writer_ms(ngx_webrtc_writer_t *w)
{
    int64_t                     ms, most;
    ngx_uint_t                  i;
    ngx_webrtc_writer_track_t  *t;

    most = 0;

    for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {
        t = &w->tracks[i];

        if (t->clock) {
            ms = av_rescale(t->end, 1000, t->clock);
            most = ngx_max(most, ms);
        }
    }

    return most;
}


static ngx_int_t
ngx_webrtc_writer_track(ngx_webrtc_writer_t *w, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_track_t          track;
    ngx_webrtc_writer_track_t  *t;
    const ngx_webrtc_codec_t   *codec;

    codec = ngx_webrtc_codec(r->value);
    t = &w->tracks[r->track];

    if (codec->kind != (r->track == NGX_WEBRTC_MEDIA_VIDEO
                        ? NGX_WEBRTC_VIDEO : NGX_WEBRTC_AUDIO)
        || w->begun || t->codec)
    {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "it was told of no such track");
        return NGX_ERROR;
    }

    ngx_webrtc_codec_track(codec, &track, (ngx_uint_t) (r->ts & 3));

    t->clock = track.clock_rate;
    t->units = track.clock_rate;
    t->channels = track.channels;
    t->traits = (r->track == NGX_WEBRTC_MEDIA_VIDEO)
                ? (uint8_t) (r->ts & NGX_WEBRTC_TRACK_TRAITS) : 0;

    if (r->len) {
        t->config = malloc(r->len);

        if (t->config == NULL) {
            ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
            return NGX_ERROR;
        }

        ngx_memcpy(t->config, r->data, r->len);
        t->nconfig = r->len;
    }

    t->codec = (uint8_t) r->value;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_writer_frame(ngx_webrtc_writer_t *w, ngx_webrtc_media_record_t *r)
{
    AVPacket                   *pkt;
    ngx_int_t                   rc;
    ngx_webrtc_writer_track_t  *t;

    t = &w->tracks[r->track];

    if (t->codec == NGX_WEBRTC_CODEC_NONE || t->left || r->len == 0
        || r->len > INT_MAX - NGX_WEBRTC_WRITER_SPARE)
    {
        return NGX_OK;
    }

    if (!w->begun) {
        rc = ngx_webrtc_writer_begin(w, r);

        if (rc != NGX_OK) {
            return (rc == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
        }
    }

    if (t->par == NULL || r->ts < t->base) {
        return NGX_OK;
    }

    pkt = w->pkt;

    if (av_new_packet(pkt, (int) r->len) < 0) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
        return NGX_ERROR;
    }

    ngx_memcpy(pkt->data, r->data, r->len);

    pkt->pts = r->ts - (w->ops->raw ? 0 : t->base);
    pkt->duration = ngx_webrtc_writer_duration(t, r->data, r->len);

    if (r->track == NGX_WEBRTC_MEDIA_AUDIO || r->value == NGX_WEBRTC_MEDIA_KEY)
    {
        pkt->flags |= AV_PKT_FLAG_KEY;
    }

    t->end = ngx_max(t->end, r->ts - t->base + pkt->duration);

    if (r->track == NGX_WEBRTC_MEDIA_AUDIO && w->sounds) {
        rc = ngx_webrtc_writer_heard(w, pkt);

    } else {
        if (r->track == NGX_WEBRTC_MEDIA_VIDEO && w->conf->url) {
            ngx_webrtc_writer_again(w, pkt);
        }

        rc = ngx_webrtc_writer_packet(w, r->track, pkt);
    }

    av_packet_unref(pkt);

    return rc;
}


ngx_int_t
ngx_webrtc_writer_heard(ngx_webrtc_writer_t *w, AVPacket *pkt)
{
    ngx_int_t  rc;

    pkt->dts = pkt->pts;

    if (w->ops->raw) {
        rc = w->ops->raw(w, pkt);

        if (rc != NGX_OK) {
            return (rc == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
        }
    }

    return ngx_webrtc_movie_sound_packet(&w->sound, pkt);
}


static ngx_int_t
ngx_webrtc_writer_sound(void *ctx, AVPacket *pkt)
{
    ngx_webrtc_writer_t *w = ctx;

    pkt->flags |= AV_PKT_FLAG_KEY;

    return ngx_webrtc_writer_packet(w, NGX_WEBRTC_MEDIA_AUDIO, pkt);
}


static ngx_int_t
ngx_webrtc_writer_packet(ngx_webrtc_writer_t *w, ngx_uint_t i, AVPacket *pkt)
{
    w->bytes += pkt->size;

    return w->ops->packet(w, i, pkt);
}


/*
 * A key frame with other parameter sets: what is sent somewhere goes on, and
 * the muxer is told of them.
 */

static void
ngx_webrtc_writer_again(ngx_webrtc_writer_t *w, AVPacket *pkt)
{
    size_t                      n;
    uint8_t                    *p;
    AVCodecParameters          *par;
    ngx_webrtc_writer_track_t  *t;

    t = &w->tracks[NGX_WEBRTC_MEDIA_VIDEO];

    if (!(pkt->flags & AV_PKT_FLAG_KEY)) {
        return;
    }

    par = avcodec_parameters_alloc();

    if (par == NULL
        || ngx_webrtc_writer_par(t, pkt->data, pkt->size, par) != NGX_OK
        || par->extradata_size == 0
        || (par->extradata_size == t->par->extradata_size
            && ngx_memcmp(par->extradata, t->par->extradata,
                          par->extradata_size)
               == 0))
    {
        avcodec_parameters_free(&par);
        return;
    }

    n = par->extradata_size;
    p = av_packet_new_side_data(pkt, AV_PKT_DATA_NEW_EXTRADATA, n);

    if (p) {
        ngx_memcpy(p, par->extradata, n);
    }

    avcodec_parameters_free(&t->par);
    t->par = par;
}


/*
 * The first frame that counts.
 *
 * NGX_OK; NGX_DECLINED: this is not it; NGX_ERROR
 */

static ngx_int_t
ngx_webrtc_writer_begin(ngx_webrtc_writer_t *w, ngx_webrtc_media_record_t *r)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_webrtc_writer_track_t  *t, *video, *audio;

    video = &w->tracks[NGX_WEBRTC_MEDIA_VIDEO];
    audio = &w->tracks[NGX_WEBRTC_MEDIA_AUDIO];

    t = &w->tracks[r->track];

    if (video->codec && !video->left
        && (t != video || r->value != NGX_WEBRTC_MEDIA_KEY))
    {
        return NGX_DECLINED;
    }

    rc = ngx_webrtc_writer_known(w, t, r->data, r->len);

    if (rc == NGX_OK && t == video && audio->codec) {

        /* of sound nothing but its codec has to be known */

        rc = ngx_webrtc_writer_known(w, audio, NULL, 0);
        rc = (rc == NGX_DONE) ? NGX_OK : rc;
    }

    if (rc == NGX_DONE) {

        /* it is left out */

        for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {
            if (w->tracks[i].codec && !w->tracks[i].left) {
                return NGX_DECLINED;
            }
        }

        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "%s can hold nothing of the "
                              "stream", w->ops->name);
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < NGX_WEBRTC_MEDIA_TRACKS; i++) {
        if (w->tracks[i].par) {
            w->tracks[i].base = av_rescale_rnd(r->ts, w->tracks[i].clock,
                                               t->clock, AV_ROUND_UP);
        }
    }

    if (w->ops->begin(w) != NGX_OK) {
        return NGX_ERROR;
    }

    w->begun = 1;

    return NGX_OK;
}


/*
 * Sets t->par.
 *
 * NGX_OK; NGX_DONE: the container cannot hold it, which has been said;
 * NGX_DECLINED: not by this frame; NGX_ERROR
 */

static ngx_int_t
ngx_webrtc_writer_known(ngx_webrtc_writer_t *w, ngx_webrtc_writer_track_t *t,
    u_char *p, size_t n)
{
    ngx_int_t           rc;
    AVCodecParameters  *par;

    par = avcodec_parameters_alloc();

    rc = par ? ngx_webrtc_writer_par(t, p, n, par) : NGX_ERROR;

    if (rc == NGX_ERROR) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
    }

    if (rc != NGX_OK) {
        avcodec_parameters_free(&par);
        return rc;
    }

    if (par->codec_type == AVMEDIA_TYPE_AUDIO
        && w->ops->sound != AV_CODEC_ID_NONE
        && ngx_webrtc_writer_encoded(w, par) != NGX_OK)
    {
        avcodec_parameters_free(&par);
        return NGX_ERROR;
    }

    if (!ngx_webrtc_writer_holds(w, par->codec_id)) {
        ngx_webrtc_writer_say(w, NGX_LOG_WARN, "%s cannot hold %s: it is left "
                              "out", w->ops->name,
                              avcodec_get_name(par->codec_id));

        avcodec_parameters_free(&par);
        t->left = 1;

        return NGX_DONE;
    }

    avcodec_parameters_free(&t->par);
    t->par = par;

    return NGX_OK;
}


/* sound is encoded: par becomes what comes out.  NGX_OK; NGX_ERROR */

static ngx_int_t
ngx_webrtc_writer_encoded(ngx_webrtc_writer_t *w, AVCodecParameters *par)
{
    const char                 *cause;
    ngx_webrtc_writer_track_t  *t;

    t = &w->tracks[NGX_WEBRTC_MEDIA_AUDIO];

    if (w->sounds) {
        ngx_webrtc_movie_sound_end(&w->sound);
    }

    ngx_memzero(&w->sound, sizeof(ngx_webrtc_movie_sound_t));

    w->sound.packet = ngx_webrtc_writer_sound;
    w->sound.ctx = w;
    w->sounds = 1;

    if (ngx_webrtc_movie_sound_begin(&w->sound, par,
                                     av_make_q(1, (int) t->clock),
                                     w->ops->sound, &cause)
        != NGX_OK)
    {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "%s", cause);
        return NGX_ERROR;
    }

    t->units = NGX_WEBRTC_MOVIE_SOUND_RATE;

    if (w->ops->raw) {
        avcodec_parameters_free(&w->raw);
        w->raw = avcodec_parameters_alloc();

        if (w->raw == NULL || avcodec_parameters_copy(w->raw, par) < 0) {
            ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
            return NGX_ERROR;
        }
    }

    if (avcodec_parameters_from_context(par, w->sound.out) < 0) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_writer_holds(ngx_webrtc_writer_t *w, enum AVCodecID id)
{
    ngx_uint_t             i;
    const AVOutputFormat  *format;

    if (w->ops->codecs) {

        /* the muxer takes anything, as data that nobody plays */

        for (i = 0; w->ops->codecs[i] != AV_CODEC_ID_NONE; i++) {
            if (w->ops->codecs[i] == id) {
                return 1;
            }
        }

        return 0;
    }

    format = av_guess_format(w->ops->muxer, NULL, NULL);

    return format
           && avformat_query_codec(format, id, NGX_WEBRTC_WRITER_STRICT) == 1;
}


/* in the track's units; 0: as long as until the next one */

static int64_t
ngx_webrtc_writer_duration(ngx_webrtc_writer_track_t *t, u_char *p, size_t n)
{
    switch (t->codec) {

    case NGX_WEBRTC_CODEC_OPUS:
        return (int64_t) ngx_webrtc_opus_samples(p, n);

    case NGX_WEBRTC_CODEC_PCMU:
    case NGX_WEBRTC_CODEC_PCMA:
    case NGX_WEBRTC_CODEC_G722:

        /* RFC 3551, 4.5.2: G.722's clock has half of its samples */

        return (int64_t) n / ngx_max(t->channels, 1);

    default:
        return 0;
    }
}


void
ngx_webrtc_writer_say(ngx_webrtc_writer_t *w, ngx_uint_t level,
    const char *fmt, ...)
{
    u_char   *p;
    va_list   args;
    u_char    text[NGX_WEBRTC_WRITER_LINE];

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text) - 1, fmt, args);
    va_end(args);

    *p = '\0';

    w->conf->say(w->conf->ctx, level, (char *) text);
}
