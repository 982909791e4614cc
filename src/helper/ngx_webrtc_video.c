
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Transcodes video: see the header file.
 *
 * 1. Decoding begins with a key frame.  After a seam, damage or another
 *    configuration it begins anew with the next one, and what comes out then
 *    is a key frame as well.  What was decoded before still comes out.
 * 2. A picture that comes out has the time of the frame that brought it, and
 *    none comes out twice.  Times only grow; where the source's jump back by
 *    more than a second, an encoder begins anew.
 * 3. Decoding is never left out, as what follows depends on it, but for one
 *    case: whoever was in time and is now seconds behind waits for the next key
 *    frame.  Pictures that are late are left out before they are encoded.  So
 *    a long way from a key frame to what is live is decoded as fast as it can
 *    be, and nothing of it is encoded.
 * 4. An encoder that counts pictures is told how many there are per second: a
 *    guess at first, then what their times say.
 * 5. An encoder that cannot make pictures of noise as small as its rate demands
 *    is given fewer of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_video.h"


/* us, a picture later than this is left out; chosen: a hiccup of a machine */
#define NGX_WEBRTC_VIDEO_LATE_US       500000

/*
 * us, who is further behind waits for a key frame; and how long somebody may
 * take to get there from the first one; chosen: patience of viewers
 */
#define NGX_WEBRTC_VIDEO_BEHIND_US     2000000
#define NGX_WEBRTC_VIDEO_CATCH_UP_US   10000000

/* us between lines about that, and pictures worth one; chosen: a second's */
#define NGX_WEBRTC_VIDEO_SAY_US        60000000
#define NGX_WEBRTC_VIDEO_SAY_LATE      30

/*
 * us without a picture, though frames come, until somebody is told; chosen:
 * longer than most GOPs.  Without frames for so long it counts anew
 */
#define NGX_WEBRTC_VIDEO_SILENT_US     12000000
#define NGX_WEBRTC_VIDEO_PAUSE_US      1000000

/* 90 kHz: pictures that far back are a jump; chosen */
#define NGX_WEBRTC_VIDEO_BACK          NGX_WEBRTC_VIDEO_CLOCK

/* pictures per second until it is known; pictures from which it is; chosen */
#define NGX_WEBRTC_VIDEO_FPS           30
#define NGX_WEBRTC_VIDEO_FPS_KNOWN     20

/* ms between key frames; chosen: others are made on request */
#define NGX_WEBRTC_VIDEO_KEY_MS        10000

/*
 * us between two openings of an encoder for the sake of its rate: each costs a
 * key frame; chosen
 */
#define NGX_WEBRTC_VIDEO_RATE_US       10000000

/* frames since an IDR: there is none for as long as anybody remembers */
#define NGX_WEBRTC_VIDEO_AGE           (UINT32_MAX / 2)

/* bytes of a line */
#define NGX_WEBRTC_VIDEO_LINE          200


struct ngx_webrtc_video_s {
    ngx_webrtc_video_conf_t         conf;
    char                            hw[NGX_WEBRTC_MEDIA_HW + 1];
    ngx_webrtc_video_count_t        count;

    ngx_uint_t                      codec;       /* of what comes */
    ngx_webrtc_pack_t               pack;        /* looks at frames */
    u_char                         *config;      /* the decoder's */
    size_t                          nconfig;
    uint8_t                         cvo;
    uint8_t                         reorder;     /* most of pack's, since
                                                    decoding began */

    ngx_webrtc_video_decode_t       decode;
    ngx_webrtc_video_filter_t       filter;
    ngx_webrtc_video_encode_t       encode;
    AVFrame                        *frame;

    uint64_t                        now_us;
    int64_t                         late_us;     /* of the current record */
    uint64_t                        begun_us;    /* when decoding began */
    uint64_t                        came_us;     /* the last frame */
    uint64_t                        silent_us;   /* since when nothing comes
                                                    of frames */
    uint64_t                        said_us;     /* the last line on lateness */
    uint32_t                        said_late;   /* counts, as of then */
    uint32_t                        said_pictures;
    uint64_t                        noise_us;    /* the last line on noise */
    uint32_t                        said_heavy;  /* count, as of then */
    uint64_t                        rated_us;

    int64_t                         last;        /* pts of a picture */
    int64_t                         due;         /* of the next one, for fps */
    int64_t                         step;        /* between pictures, mean */
    ngx_uint_t                      nstep;

    uint32_t                        bitrate;     /* asked for, 0: by size */

    unsigned                        known:1;     /* there is a track */
    unsigned                        waiting:1;   /* for a key frame */
    unsigned                        in_time:1;   /* was, since it began */
    unsigned                        some:1;      /* "last" is set */
    unsigned                        key:1;       /* the next picture is one */
    unsigned                        told:1;      /* that nothing comes */
    unsigned                        told_hw:1;
    unsigned                        failed:1;    /* no encoder */
    unsigned                        over:1;      /* out() wants no more */
};


static void ngx_webrtc_video_track(ngx_webrtc_video_t *v,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_video_config(ngx_webrtc_video_t *v, u_char *p,
    size_t n);
static void ngx_webrtc_video_input(ngx_webrtc_video_t *v,
    ngx_webrtc_media_record_t *r);
static ngx_int_t ngx_webrtc_video_begin(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_lag(ngx_webrtc_video_t *v,
    ngx_webrtc_media_record_t *r);
static void ngx_webrtc_video_pictures(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_picture(ngx_webrtc_video_t *v);
static ngx_int_t ngx_webrtc_video_wanted(ngx_webrtc_video_t *v, int64_t pts);
static void ngx_webrtc_video_measure(ngx_webrtc_video_t *v, int64_t pts);
static ngx_int_t ngx_webrtc_video_prepare(ngx_webrtc_video_t *v,
    ngx_webrtc_video_filter_conf_t *to);
static ngx_int_t ngx_webrtc_video_open(ngx_webrtc_video_t *v, int width,
    int height);
static void ngx_webrtc_video_filtered(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_coded(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_rate(ngx_webrtc_video_t *v);
static uint64_t ngx_webrtc_video_bps(ngx_webrtc_video_t *v, int width,
    int height);
static ngx_uint_t ngx_webrtc_video_fps(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_drain(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_anew(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_silent(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_slow(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_noise(ngx_webrtc_video_t *v);
static void ngx_webrtc_video_say(ngx_webrtc_video_t *v, ngx_uint_t failed,
    ngx_uint_t level, const char *fmt, ...);
static ngx_int_t ngx_webrtc_video_nothing(void *ctx, u_char *payload, size_t n,
    ngx_uint_t flags);


ngx_webrtc_video_t *
ngx_webrtc_video_create(ngx_webrtc_video_conf_t *conf)
{
    ngx_str_t           *hw;
    ngx_webrtc_video_t  *v;

    v = calloc(1, sizeof(ngx_webrtc_video_t));
    if (v == NULL) {
        return NULL;
    }

    v->conf = *conf;

    hw = &v->conf.want.hw;
    hw->len = ngx_min(hw->len, NGX_WEBRTC_MEDIA_HW);
    ngx_memcpy(v->hw, hw->data, hw->len);
    hw->data = (u_char *) v->hw;

    v->bitrate = conf->want.bitrate;
    v->waiting = 1;

    v->frame = av_frame_alloc();
    if (v->frame == NULL) {
        free(v);
        return NULL;
    }

    return v;
}


void
ngx_webrtc_video_destroy(ngx_webrtc_video_t *v)
{
    ngx_webrtc_video_decode_close(&v->decode);
    ngx_webrtc_video_filter_reset(&v->filter);
    ngx_webrtc_video_encode_close(&v->encode);

    av_frame_free(&v->frame);
    free(v->config);
    free(v);
}


ngx_int_t
ngx_webrtc_video_record(ngx_webrtc_video_t *v, ngx_webrtc_media_record_t *r,
    uint64_t now_us)
{
    v->now_us = now_us;

    if (v->failed || v->over) {
        return v->over ? NGX_ABORT : NGX_ERROR;
    }

    switch (r->type) {

    case NGX_WEBRTC_MEDIA_BEGIN:
    case NGX_WEBRTC_MEDIA_END:
        ngx_webrtc_video_anew(v);
        v->known = 0;
        v->cvo = 0;
        break;

    case NGX_WEBRTC_MEDIA_TRACK:
        if (r->track == NGX_WEBRTC_MEDIA_VIDEO) {
            ngx_webrtc_video_track(v, r);
        }

        break;

    case NGX_WEBRTC_MEDIA_CONFIG:
        if (r->track == NGX_WEBRTC_MEDIA_VIDEO && v->known) {
            ngx_webrtc_video_anew(v);
            ngx_webrtc_video_config(v, r->data, r->len);
        }

        break;

    case NGX_WEBRTC_MEDIA_TURN:
        v->cvo = r->value & NGX_WEBRTC_CVO_MASK;
        break;

    case NGX_WEBRTC_MEDIA_SEAM:
    case NGX_WEBRTC_MEDIA_DAMAGED:
        ngx_webrtc_video_anew(v);
        break;

    case NGX_WEBRTC_MEDIA_FRAME:
        if (r->track == NGX_WEBRTC_MEDIA_VIDEO && v->known && r->len) {
            ngx_webrtc_video_input(v, r);
        }

        break;

    default:
        break;
    }

    if (v->over) {
        return NGX_ABORT;
    }

    return v->failed ? NGX_ERROR : NGX_OK;
}


void
ngx_webrtc_video_keyframe(ngx_webrtc_video_t *v)
{
    v->key = 1;
}


void
ngx_webrtc_video_bitrate(ngx_webrtc_video_t *v, uint32_t bitrate)
{
    v->bitrate = bitrate;
}


const ngx_webrtc_video_count_t *
ngx_webrtc_video_count(ngx_webrtc_video_t *v)
{
    return &v->count;
}


static void
ngx_webrtc_video_track(ngx_webrtc_video_t *v, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_video_anew(v);

    v->codec = r->value;
    v->known = ngx_webrtc_codec(v->codec)->kind == NGX_WEBRTC_VIDEO;

    ngx_webrtc_video_config(v, r->data, r->len);
}


static void
ngx_webrtc_video_config(ngx_webrtc_video_t *v, u_char *p, size_t n)
{
    if (!v->known) {
        return;
    }

    ngx_memzero(&v->pack, sizeof(ngx_webrtc_pack_t));

    if (ngx_webrtc_pack_init(&v->pack, ngx_webrtc_codec(v->codec), 0,
                             ngx_webrtc_video_nothing, v)
        != NGX_OK)
    {
        v->known = 0;
        return;
    }

    free(v->config);

    v->config = NULL;
    v->nconfig = 0;

    if (n == 0) {
        return;
    }

    (void) ngx_webrtc_pack_config(&v->pack, p, n);

    v->config = malloc(n);

    if (v->config) {
        ngx_memcpy(v->config, p, n);
        v->nconfig = n;
    }
}


static void
ngx_webrtc_video_input(ngx_webrtc_video_t *v, ngx_webrtc_media_record_t *r)
{
    ngx_webrtc_frame_t  frame;

    v->count.frames++;

    if (v->now_us - v->came_us > NGX_WEBRTC_VIDEO_PAUSE_US) {
        v->silent_us = v->now_us;
    }

    v->came_us = v->now_us;

    if (v->waiting) {

        /* decoders know how to begin at a recovery point, unlike browsers */

        v->pack.key_age = NGX_WEBRTC_VIDEO_AGE;
    }

    v->pack.key = (r->value & NGX_WEBRTC_MEDIA_KEY) ? 1 : 0;

    if (ngx_webrtc_pack_probe(&v->pack, r->data, r->len, &frame) != NGX_OK) {
        v->count.broken++;
        return;
    }

    ngx_webrtc_video_lag(v, r);

    if (!v->waiting && frame.key && v->pack.reorder < v->reorder) {

        /* another source: a decoder would keep pictures back for ever */

        ngx_webrtc_video_anew(v);
    }

    if (frame.key) {
        v->reorder = v->waiting ? v->pack.reorder
                                : ngx_max(v->reorder, v->pack.reorder);
    }

    if (v->waiting) {

        if (!frame.key || ngx_webrtc_video_begin(v) != NGX_OK) {
            v->count.skipped++;
            ngx_webrtc_video_silent(v);
            return;
        }
    }

    if (ngx_webrtc_video_decode_put(&v->decode, r->data, r->len, r->ts)
        != NGX_OK)
    {
        v->count.broken++;
    }

    ngx_webrtc_video_pictures(v);

    ngx_webrtc_video_silent(v);
    ngx_webrtc_video_slow(v);
}


/* a key frame has come */

static ngx_int_t
ngx_webrtc_video_begin(ngx_webrtc_video_t *v)
{
    size_t              size;
    const char         *cause;
    ngx_webrtc_track_t  track;

    if (v->decode.dec == NULL) {

        ngx_memzero(&track, sizeof(ngx_webrtc_track_t));
        (void) ngx_webrtc_pack_track(&v->pack, &track);

        size = (size_t) track.width * track.height;

        if (ngx_webrtc_video_decode_open(&v->decode, v->codec, v->config,
                                         v->nconfig, size, &cause)
            != NGX_OK)
        {
            if (!v->told) {
                v->told = 1;
                ngx_webrtc_video_say(v, 1, NGX_LOG_ERR,
                                     "%s cannot be decoded: %s",
                                     ngx_webrtc_codec(v->codec)->name.data,
                                     cause);
            }

            return NGX_ERROR;
        }
    }

    v->waiting = 0;
    v->in_time = 0;
    v->begun_us = v->now_us;
    v->key = 1;

    return NGX_OK;
}


static void
ngx_webrtc_video_lag(ngx_webrtc_video_t *v, ngx_webrtc_media_record_t *r)
{
    if (v->now_us == 0 || r->now_us <= 0) {
        v->late_us = 0;
        return;
    }

    v->late_us = (int64_t) v->now_us - r->now_us;

    if (v->waiting) {
        return;
    }

    if (v->late_us < NGX_WEBRTC_VIDEO_LATE_US
        || v->now_us - v->begun_us > NGX_WEBRTC_VIDEO_CATCH_UP_US)
    {
        v->in_time = 1;
    }

    if (v->in_time && v->late_us > NGX_WEBRTC_VIDEO_BEHIND_US) {
        ngx_webrtc_video_decode_flush(&v->decode);
        v->waiting = 1;

        if (v->said_us == 0 || v->now_us - v->said_us > NGX_WEBRTC_VIDEO_SAY_US)
        {
            v->said_us = v->now_us;

            ngx_webrtc_video_say(v, 0, NGX_LOG_WARN,
                                 "this machine is too slow to transcode all of "
                                 "it: nothing is shown before the next key "
                                 "frame");
        }
    }
}


/* all pictures that have been decoded */

static void
ngx_webrtc_video_pictures(ngx_webrtc_video_t *v)
{
    while (!v->over && !v->failed
           && ngx_webrtc_video_decode_get(&v->decode, v->frame) == NGX_OK)
    {
        v->count.pictures++;
        v->silent_us = v->now_us;
        v->told = 0;

        ngx_webrtc_video_picture(v);

        av_frame_unref(v->frame);
    }
}


static void
ngx_webrtc_video_picture(ngx_webrtc_video_t *v)
{
    int64_t                         pts;
    ngx_webrtc_video_filter_conf_t  to;

    pts = v->frame->pts;

    if (ngx_webrtc_video_wanted(v, pts) != NGX_OK
        || ngx_webrtc_video_prepare(v, &to) != NGX_OK)
    {
        return;
    }

    if (ngx_webrtc_video_filter_put(&v->filter, &to, v->frame) != NGX_OK) {
        v->count.broken++;
        return;
    }

    ngx_webrtc_video_filtered(v);
}


/* NGX_DECLINED: it is left out */

static ngx_int_t
ngx_webrtc_video_wanted(ngx_webrtc_video_t *v, int64_t pts)
{
    int64_t  step;

    if (pts == AV_NOPTS_VALUE) {
        v->count.misplaced++;
        return NGX_DECLINED;
    }

    if (v->some && pts <= v->last) {

        if (v->last - pts < NGX_WEBRTC_VIDEO_BACK) {
            v->count.misplaced++;
            return NGX_DECLINED;
        }

        /* an encoder's times only grow */

        ngx_webrtc_video_filter_reset(&v->filter);
        ngx_webrtc_video_encode_close(&v->encode);

        v->some = 0;
        v->due = pts;
    }

    if (v->conf.want.fps) {
        step = NGX_WEBRTC_VIDEO_CLOCK / v->conf.want.fps;

        if (v->some && pts < v->due - step / 8) {
            v->count.thinned++;
            return NGX_DECLINED;
        }

        v->due = (v->some && pts < v->due + step) ? v->due + step
                                                  : pts + step;
    }

    ngx_webrtc_video_measure(v, pts);

    v->last = pts;
    v->some = 1;

    if (v->late_us > NGX_WEBRTC_VIDEO_LATE_US) {
        v->count.late++;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_webrtc_video_measure(ngx_webrtc_video_t *v, int64_t pts)
{
    int64_t  step;

    step = pts - v->last;

    if (!v->some || step <= 0 || step > NGX_WEBRTC_VIDEO_CLOCK) {
        return;
    }

    if (v->nstep < NGX_WEBRTC_VIDEO_FPS_KNOWN) {
        v->step = (v->step * (int64_t) v->nstep + step)
                  / (int64_t) (v->nstep + 1);
        v->nstep++;

    } else {
        v->step += (step - v->step) / 32;
    }
}


/* an encoder for the picture at hand, and what it is to be made into */

static ngx_int_t
ngx_webrtc_video_prepare(ngx_webrtc_video_t *v,
    ngx_webrtc_video_filter_conf_t *to)
{
    int                            width, height;
    ngx_webrtc_media_transcode_t  *want;

    want = &v->conf.want;

    ngx_memzero(to, sizeof(ngx_webrtc_video_filter_conf_t));

    to->width = want->width;
    to->height = want->height;
    to->deinterlace = want->deinterlace;
    to->cvo = want->upright ? v->cvo : 0;

    ngx_webrtc_video_filter_size(to, v->frame, &width, &height);

    /* by what has been asked for, and learnt of their number, since */

    ngx_webrtc_video_rate(v);

    if (v->encode.enc == NULL
        || v->encode.conf.width != width
        || v->encode.conf.height != height)
    {
        if (ngx_webrtc_video_open(v, width, height) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    to->format = ngx_webrtc_video_encode_format(&v->encode);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_video_open(ngx_webrtc_video_t *v, int width, int height)
{
    ngx_webrtc_video_encode_conf_t  conf;

    conf.codec = v->conf.want.codec;
    conf.hw = v->hw;
    conf.width = width;
    conf.height = height;
    conf.fps = ngx_webrtc_video_fps(v);
    conf.bitrate = (uint32_t) ngx_webrtc_video_bps(v, width, height);
    conf.key_ms = v->conf.want.key_ms ? v->conf.want.key_ms
                                      : NGX_WEBRTC_VIDEO_KEY_MS;

    if (ngx_webrtc_video_encode_open(&v->encode, &conf, v->frame) != NGX_OK) {

        v->failed = 1;

        ngx_webrtc_video_say(v, 1, NGX_LOG_ERR,
                             "FFmpeg here cannot encode %s of %dx%d",
                             ngx_webrtc_codec(conf.codec)->name.data, width,
                             height);
        return NGX_ERROR;
    }

    v->rated_us = v->now_us;
    v->encode.bps = conf.bitrate;

    if (!v->told_hw
        && ngx_strcmp(v->hw, "auto") != 0 && ngx_strcmp(v->hw, "none") != 0
        && !ngx_webrtc_video_encode_hw(&v->encode))
    {
        v->told_hw = 1;
        ngx_webrtc_video_say(v, 0, NGX_LOG_WARN,
                             "%s of %dx%d cannot be encoded by \"%s\" on this "
                             "machine: done in software, by %s",
                             ngx_webrtc_codec(conf.codec)->name.data, width,
                             height, v->hw,
                             ngx_webrtc_video_encode_name(&v->encode));
    }

    return NGX_OK;
}


/* all pictures that have been filtered */

static void
ngx_webrtc_video_filtered(ngx_webrtc_video_t *v)
{
    ngx_uint_t  key;

    while (!v->over && !v->failed
           && ngx_webrtc_video_filter_get(&v->filter, v->frame) == NGX_OK)
    {
        key = v->key;
        v->key = 0;

        if (v->encode.enc == NULL
            || v->frame->width != v->encode.conf.width
            || v->frame->height != v->encode.conf.height
            || v->frame->format != ngx_webrtc_video_encode_format(&v->encode))
        {
            /* one that was held back, of another size */

            av_frame_unref(v->frame);
            v->key = key;
            continue;
        }

        if (ngx_webrtc_video_encode_full(&v->encode, v->frame->pts)) {
            v->count.heavy++;
            ngx_webrtc_video_noise(v);
            av_frame_unref(v->frame);
            v->key = key;
            continue;
        }

        if (ngx_webrtc_video_encode_put(&v->encode, v->frame, key) != NGX_OK) {

            ngx_webrtc_video_say(v, 0, NGX_LOG_WARN,
                                 "%s has failed: another encoder goes on",
                                 ngx_webrtc_video_encode_name(&v->encode));

            ngx_webrtc_video_encode_fail(&v->encode);
        }

        av_frame_unref(v->frame);

        ngx_webrtc_video_coded(v);
    }
}


static void
ngx_webrtc_video_coded(ngx_webrtc_video_t *v)
{
    AVPacket  *pkt;

    while (!v->over && v->encode.enc) {

        pkt = ngx_webrtc_video_encode_get(&v->encode);

        if (pkt == NULL) {
            break;
        }

        v->count.encoded++;

        if (v->conf.out(v->conf.ctx, pkt->data, pkt->size, pkt->pts,
                        (pkt->flags & AV_PKT_FLAG_KEY) != 0)
            != NGX_OK)
        {
            v->over = 1;
        }
    }
}


/* what is asked for, by the pictures that there really are */

static void
ngx_webrtc_video_rate(ngx_webrtc_video_t *v)
{
    uint32_t                         old;
    uint64_t                         rate;
    ngx_webrtc_video_encode_conf_t  *conf;

    if (v->encode.enc == NULL) {
        return;
    }

    conf = &v->encode.conf;
    rate = ngx_webrtc_video_bps(v, conf->width, conf->height);

    v->encode.bps = rate;

    if (ngx_webrtc_video_encode_counts(&v->encode)) {
        rate = rate * ngx_max(conf->fps, 1) / ngx_webrtc_video_fps(v);
    }

    rate = ngx_max(rate, NGX_WEBRTC_MEDIA_BPS_MIN);
    rate = ngx_min(rate, NGX_WEBRTC_MEDIA_BPS_MAX);

    /* small steps are not worth it */

    old = conf->bitrate;

    if (rate > old - old / 8 && rate < old + (uint64_t) old / 8) {
        return;
    }

    if (ngx_webrtc_video_encode_rate(&v->encode, (uint32_t) rate) == NGX_OK) {
        return;
    }

    if (v->now_us - v->rated_us >= NGX_WEBRTC_VIDEO_RATE_US
        && (rate < old - old / 4 || rate > old + (uint64_t) old / 4))
    {
        /* opened again with the next picture */

        ngx_webrtc_video_encode_close(&v->encode);
    }
}


/* bit/s that the pictures are to take; not 0 */

static uint64_t
ngx_webrtc_video_bps(ngx_webrtc_video_t *v, int width, int height)
{
    return v->bitrate ? v->bitrate
                      : ngx_webrtc_video_encode_bitrate(v->conf.want.codec,
                                     width, height, ngx_webrtc_video_fps(v));
}


static ngx_uint_t
ngx_webrtc_video_fps(ngx_webrtc_video_t *v)
{
    ngx_uint_t  fps;
    AVRational  r;

    if (v->nstep >= NGX_WEBRTC_VIDEO_FPS_KNOWN) {
        fps = (NGX_WEBRTC_VIDEO_CLOCK + v->step / 2) / ngx_max(v->step, 1);

    } else {
        r = v->decode.dec ? v->decode.dec->framerate : (AVRational) { 0, 1 };

        fps = (r.num > 0 && r.den > 0) ? (ngx_uint_t) (av_q2d(r) + 0.5) : 0;

        if (fps == 0 || fps > NGX_WEBRTC_MEDIA_FPS) {
            fps = NGX_WEBRTC_VIDEO_FPS;
        }

        if (v->conf.want.fps) {
            fps = ngx_min(fps, v->conf.want.fps);
        }
    }

    fps = ngx_min(fps, NGX_WEBRTC_MEDIA_FPS);

    return ngx_max(fps, 1);
}


/* what decoder and filter still have */

static void
ngx_webrtc_video_drain(ngx_webrtc_video_t *v)
{
    if (v->waiting || v->decode.dec == NULL) {
        return;
    }

    (void) ngx_webrtc_video_decode_put(&v->decode, NULL, 0, 0);
    ngx_webrtc_video_pictures(v);

    if (ngx_webrtc_video_filter_put(&v->filter, NULL, NULL) == NGX_OK) {
        ngx_webrtc_video_filtered(v);
    }

    ngx_webrtc_video_filter_reset(&v->filter);
}


/* from the next key frame on */

static void
ngx_webrtc_video_anew(ngx_webrtc_video_t *v)
{
    ngx_webrtc_video_drain(v);
    ngx_webrtc_video_decode_close(&v->decode);

    v->waiting = 1;
}


/* frames come, but no pictures */

static void
ngx_webrtc_video_silent(ngx_webrtc_video_t *v)
{
    if (v->told || v->now_us == 0
        || v->now_us - v->silent_us < NGX_WEBRTC_VIDEO_SILENT_US)
    {
        return;
    }

    v->told = 1;

    ngx_webrtc_video_say(v, v->count.pictures == 0, NGX_LOG_ERR,
                         "%s comes, but nothing of it could be decoded for "
                         "%d seconds: %s",
                         ngx_webrtc_codec(v->codec)->name.data,
                         NGX_WEBRTC_VIDEO_SILENT_US / 1000000,
                         v->waiting ? "there is no key frame in it"
                                    : "it is damaged, or of a kind that "
                                      "FFmpeg does not know");
}


static void
ngx_webrtc_video_slow(ngx_webrtc_video_t *v)
{
    uint32_t  late;

    late = v->count.late - v->said_late;

    if (!v->in_time) {

        /* on its way from a key frame to what is live */

        v->said_late = v->count.late;
        v->said_pictures = v->count.pictures;
        return;
    }

    if (late < NGX_WEBRTC_VIDEO_SAY_LATE
        || (v->said_us && v->now_us - v->said_us < NGX_WEBRTC_VIDEO_SAY_US))
    {
        return;
    }

    ngx_webrtc_video_say(v, 0, NGX_LOG_WARN,
                         "this machine is too slow to transcode all of it: "
                         "%u of %u pictures were left out", late,
                         v->count.pictures - v->said_pictures);

    v->said_us = v->now_us;
    v->said_late = v->count.late;
    v->said_pictures = v->count.pictures;
}


static void
ngx_webrtc_video_noise(ngx_webrtc_video_t *v)
{
    uint32_t  heavy;

    heavy = v->count.heavy - v->said_heavy;

    if (heavy < NGX_WEBRTC_VIDEO_SAY_LATE
        || (v->noise_us && v->now_us - v->noise_us < NGX_WEBRTC_VIDEO_SAY_US))
    {
        return;
    }

    v->noise_us = v->now_us;
    v->said_heavy = v->count.heavy;

    ngx_webrtc_video_say(v, 0, NGX_LOG_WARN,
                         "%s cannot make this as small as its bit rate "
                         "demands: %u pictures were left out",
                         ngx_webrtc_video_encode_name(&v->encode), heavy);
}


static void
ngx_webrtc_video_say(ngx_webrtc_video_t *v, ngx_uint_t failed,
    ngx_uint_t level, const char *fmt, ...)
{
    char     text[NGX_WEBRTC_VIDEO_LINE];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    v->conf.say(v->conf.ctx, failed, level, text);
}


/* frames are only looked at */

static ngx_int_t
ngx_webrtc_video_nothing(void *ctx, u_char *payload, size_t n,
    ngx_uint_t flags)
{
    (void) ctx;
    (void) payload;
    (void) n;
    (void) flags;

    return NGX_ERROR;
}
