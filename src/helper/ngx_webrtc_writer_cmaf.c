
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Segments and parts of CMAF (ISO/IEC 23000-19): each track by itself, with a
 * head of its own, as HLS and DASH have them; sound as AAC, and as it came,
 * where MP4 holds that.  A part is one fragment (ngx_webrtc_movie_mux.h); a
 * segment is as many as lie between two of its beginnings.
 *
 * Where segments begin.  Of video, at the first key frame from three quarters
 * of a segment's time on: so one that comes a moment early counts, and encoders
 * with several key frames per segment keep to its length.  Sound begins another
 * one when the video does, at the same time where that has not passed, else
 * with the next part; so the segments of all tracks have the same numbers.
 * Without video, or when its segment gets too long, sound goes by the clock.
 *
 * Where parts end.  Before the frame with which they would be longer than they
 * may; a frame lasts until the next one, which is only known when that comes,
 * so it is taken to last as long as the one before it.
 *
 * Sound that pauses.  Players wait for a track that does not go on.  So when
 * Opus is half a second behind the video, packets of silence are made up to
 * there, and what then comes for a time that has passed is left out.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_mux.h"
#include "ngx_webrtc_movie_name.h"
#include "ngx_webrtc_writer.h"


/* tracks: video, sound encoded, and as it came */
#define NGX_WEBRTC_WRITER_CMAF_VIDEO   0
#define NGX_WEBRTC_WRITER_CMAF_AAC     1
#define NGX_WEBRTC_WRITER_CMAF_RAW     2
#define NGX_WEBRTC_WRITER_CMAF_TRACKS  3

/* us by which times are rounded */
#define NGX_WEBRTC_WRITER_CMAF_ROUND   1000

/* percent of the parts' target that a part has at least, unless what follows is
 * longer than the rest (draft-pantos-hls-rfc8216bis, 4.4.4.9) */
#define NGX_WEBRTC_WRITER_CMAF_LEAST   85

/* us after which video without key frames has a segment without one, and by
 * which sound may be longer than the video's longest; chosen */
#define NGX_WEBRTC_WRITER_CMAF_LONG    30000000
#define NGX_WEBRTC_WRITER_CMAF_SPARE   1000000

/* us that sound may be behind before it is taken for a pause; chosen: more than
 * networks and encoders delay one against the other */
#define NGX_WEBRTC_WRITER_CMAF_PAUSE   500000

/* us of silence that is made at a time; chosen: what is longer is a pause of
 * the video as well */
#define NGX_WEBRTC_WRITER_CMAF_QUIET   5000000

/* bytes of a codec's name */
#define NGX_WEBRTC_WRITER_CMAF_NAME    64


typedef struct {
    ngx_webrtc_movie_mux_t   mux;
    int64_t                  begin_us;   /* of the segment */
    int64_t                  longest_us; /* of all of them */
    int64_t                  want_us;    /* another one is to begin there */
    ngx_uint_t               flag;       /* of what it makes */
    unsigned                 used:1;
    unsigned                 has:1;      /* its head has been made */
    unsigned                 fresh:1;    /* the next part begins a segment */
    unsigned                 want:1;
} ngx_webrtc_writer_cmaf_track_t;


typedef struct {
    ngx_webrtc_writer_cmaf_track_t  tracks[NGX_WEBRTC_WRITER_CMAF_TRACKS];
    AVPacket                *pkt;
    int64_t                  heard;      /* end of what was heard, 48 kHz */
    int64_t                  seen_us;    /* of the video */
    unsigned                 quiet:1;    /* silence has been made */
    unsigned                 opus:1;
} ngx_webrtc_writer_cmaf_t;


static ngx_int_t ngx_webrtc_writer_cmaf_begin(ngx_webrtc_writer_t *w);
static ngx_int_t ngx_webrtc_writer_cmaf_track(ngx_webrtc_writer_t *w,
    ngx_uint_t i, const AVCodecParameters *par, ngx_uint_t depth);
static ngx_int_t ngx_webrtc_writer_cmaf_raw(ngx_webrtc_writer_t *w,
    AVPacket *pkt);
static ngx_int_t ngx_webrtc_writer_cmaf_packet(ngx_webrtc_writer_t *w,
    ngx_uint_t i, AVPacket *pkt);
static ngx_int_t ngx_webrtc_writer_cmaf_put(ngx_webrtc_writer_t *w,
    ngx_uint_t i, AVPacket *pkt, uint32_t units);
static ngx_int_t ngx_webrtc_writer_cmaf_silence(ngx_webrtc_writer_t *w);
static ngx_int_t ngx_webrtc_writer_cmaf_out(ngx_webrtc_writer_t *w,
    ngx_uint_t i);
static ngx_int_t ngx_webrtc_writer_cmaf_cut(ngx_webrtc_writer_t *w,
    ngx_webrtc_writer_cmaf_track_t *t, ngx_uint_t *fresh);
static ngx_uint_t ngx_webrtc_writer_cmaf_turns(ngx_webrtc_writer_t *w,
    ngx_webrtc_writer_cmaf_track_t *t, ngx_uint_t k);
static int64_t ngx_webrtc_writer_cmaf_us(ngx_webrtc_movie_mux_track_t *mt,
    ngx_uint_t k);
static void ngx_webrtc_writer_cmaf_fresh(ngx_webrtc_writer_cmaf_t *part,
    ngx_uint_t i, int64_t us);
static ngx_int_t ngx_webrtc_writer_cmaf_part(ngx_webrtc_writer_t *w,
    ngx_webrtc_writer_cmaf_track_t *t, ngx_uint_t n, ngx_uint_t fresh);
static ngx_int_t ngx_webrtc_writer_cmaf_head(ngx_webrtc_writer_t *w,
    ngx_webrtc_writer_cmaf_track_t *t);
static void ngx_webrtc_writer_cmaf_end(ngx_webrtc_writer_t *w);
static void ngx_webrtc_writer_cmaf_free(ngx_webrtc_writer_t *w);


const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_cmaf = {
    "cmaf",
    "mp4",
    NULL,
    AV_CODEC_ID_AAC,
    ngx_webrtc_writer_cmaf_begin,
    ngx_webrtc_writer_cmaf_packet,
    ngx_webrtc_writer_cmaf_end,
    ngx_webrtc_writer_cmaf_free,
    ngx_webrtc_writer_cmaf_raw
};


static ngx_int_t
ngx_webrtc_writer_cmaf_begin(ngx_webrtc_writer_t *w)
{
    ngx_uint_t                  depth;
    AVCodecParameters          *audio;
    ngx_webrtc_writer_cmaf_t   *part;
    ngx_webrtc_writer_track_t  *video;

    part = calloc(1, sizeof(ngx_webrtc_writer_cmaf_t));

    if (part == NULL) {
        goto failed;
    }

    w->part = part;
    part->pkt = av_packet_alloc();

    if (part->pkt == NULL) {
        goto failed;
    }

    video = &w->tracks[NGX_WEBRTC_MEDIA_VIDEO];
    audio = w->tracks[NGX_WEBRTC_MEDIA_AUDIO].par;

    depth = (video->traits & NGX_WEBRTC_TRACK_REORDERED)
            ? NGX_WEBRTC_WRITER_DEPTH : 0;

    if (video->par
        && ngx_webrtc_writer_cmaf_track(w, NGX_WEBRTC_WRITER_CMAF_VIDEO,
                                        video->par, depth)
           != NGX_OK)
    {
        goto failed;
    }

    if (audio
        && ngx_webrtc_writer_cmaf_track(w, NGX_WEBRTC_WRITER_CMAF_AAC, audio, 0)
           != NGX_OK)
    {
        goto failed;
    }

    part->opus = (audio && w->raw && w->raw->codec_id == AV_CODEC_ID_OPUS);

    if (part->opus) {

        part->heard = av_rescale(w->tracks[NGX_WEBRTC_MEDIA_AUDIO].base,
                                 NGX_WEBRTC_MOVIE_SOUND_RATE,
                                 w->tracks[NGX_WEBRTC_MEDIA_AUDIO].clock);

        if (ngx_webrtc_writer_cmaf_track(w, NGX_WEBRTC_WRITER_CMAF_RAW, w->raw,
                                         0)
            != NGX_OK)
        {
            goto failed;
        }
    }

    if (video->par) {
        ngx_webrtc_writer_fmp4_turn(w, &part->tracks[0].mux);
    }

    return NGX_OK;

failed:

    ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");

    return NGX_ERROR;
}


static ngx_int_t
ngx_webrtc_writer_cmaf_track(ngx_webrtc_writer_t *w, ngx_uint_t i,
    const AVCodecParameters *par, ngx_uint_t depth)
{
    ngx_uint_t                       video;
    ngx_webrtc_writer_cmaf_t        *part;
    ngx_webrtc_writer_cmaf_track_t  *t;

    static const ngx_uint_t  flags[NGX_WEBRTC_WRITER_CMAF_TRACKS] = {
        0, NGX_WEBRTC_MEDIA_MUXED_AAC, NGX_WEBRTC_MEDIA_MUXED_SOUND
    };

    part = w->part;
    t = &part->tracks[i];
    video = (i == NGX_WEBRTC_WRITER_CMAF_VIDEO);

    t->flag = flags[i];
    t->used = 1;
    t->fresh = 1;

    return ngx_webrtc_movie_mux_begin(&t->mux, video ? par : NULL,
                                      video ? NULL : par, depth, 0);
}


/* sound as it came */

static ngx_int_t
ngx_webrtc_writer_cmaf_raw(ngx_webrtc_writer_t *w, AVPacket *pkt)
{
    ngx_webrtc_writer_cmaf_t  *part;

    part = w->part;

    if (!part->opus) {
        return NGX_OK;
    }

    if (part->quiet && pkt->pts < part->heard) {
        return NGX_DECLINED;
    }

    part->quiet = 0;
    part->heard = pkt->pts + pkt->duration;

    if (av_packet_ref(part->pkt, pkt) < 0) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
        return NGX_ERROR;
    }

    return ngx_webrtc_writer_cmaf_put(w, NGX_WEBRTC_WRITER_CMAF_RAW, part->pkt,
                                      w->tracks[NGX_WEBRTC_MEDIA_AUDIO].clock);
}


static ngx_int_t
ngx_webrtc_writer_cmaf_packet(ngx_webrtc_writer_t *w, ngx_uint_t i,
    AVPacket *pkt)
{
    ngx_int_t                  rc;
    ngx_webrtc_writer_cmaf_t  *part;

    if (i == NGX_WEBRTC_MEDIA_AUDIO) {
        return ngx_webrtc_writer_cmaf_put(w, NGX_WEBRTC_WRITER_CMAF_AAC, pkt,
                                          w->tracks[i].units);
    }

    part = w->part;
    part->seen_us = av_rescale(pkt->pts, 1000000, w->tracks[i].units);

    pkt->dts = pkt->pts;

    rc = ngx_webrtc_writer_cmaf_put(w, NGX_WEBRTC_WRITER_CMAF_VIDEO, pkt,
                                    w->tracks[i].units);

    return (rc == NGX_OK && part->opus) ? ngx_webrtc_writer_cmaf_silence(w)
                                        : rc;
}


static ngx_int_t
ngx_webrtc_writer_cmaf_put(ngx_webrtc_writer_t *w, ngx_uint_t i, AVPacket *pkt,
    uint32_t units)
{
    ngx_webrtc_writer_cmaf_t  *part;

    part = w->part;

    if (ngx_webrtc_movie_mux_packet(&part->tracks[i].mux,
                                    i == NGX_WEBRTC_WRITER_CMAF_VIDEO, pkt,
                                    av_make_q(1, (int) units))
        != NGX_OK)
    {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory, or too much of one "
                              "track before the other");
        return NGX_ERROR;
    }

    return ngx_webrtc_writer_cmaf_out(w, i);
}


/* packets of 20 ms of silence (RFC 6716, 3.1: CELT, full band, stereo) */

static ngx_int_t
ngx_webrtc_writer_cmaf_silence(ngx_webrtc_writer_t *w)
{
    int64_t                    from;
    AVPacket                  *pkt;
    ngx_int_t                  rc;
    ngx_webrtc_writer_cmaf_t  *part;

    static const uint8_t  silence[] = { 0xfc, 0xff, 0xfe };

    part = w->part;

    from = av_rescale(part->seen_us - NGX_WEBRTC_WRITER_CMAF_QUIET,
                      NGX_WEBRTC_MOVIE_SOUND_RATE, 1000000);

    part->heard = ngx_max(part->heard, from);

    while (part->seen_us - av_rescale(part->heard, 1000000,
                                      NGX_WEBRTC_MOVIE_SOUND_RATE)
           > NGX_WEBRTC_WRITER_CMAF_PAUSE)
    {
        pkt = av_packet_alloc();

        if (pkt == NULL || av_new_packet(pkt, sizeof(silence)) < 0) {
            av_packet_free(&pkt);
            ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
            return NGX_ERROR;
        }

        ngx_memcpy(pkt->data, silence, sizeof(silence));

        pkt->pts = part->heard;
        pkt->duration = NGX_WEBRTC_MOVIE_SOUND_RATE / 50;
        pkt->flags |= AV_PKT_FLAG_KEY;

        part->quiet = 0;

        rc = ngx_webrtc_writer_heard(w, pkt);

        part->quiet = 1;

        av_packet_free(&pkt);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* what is complete */

static ngx_int_t
ngx_webrtc_writer_cmaf_out(ngx_webrtc_writer_t *w, ngx_uint_t i)
{
    ngx_int_t                        n;
    ngx_uint_t                       fresh;
    ngx_webrtc_writer_cmaf_t        *part;
    ngx_webrtc_writer_cmaf_track_t  *t;

    part = w->part;
    t = &part->tracks[i];

    for ( ;; ) {
        n = ngx_webrtc_writer_cmaf_cut(w, t, &fresh);

        if (n == 0) {
            return NGX_OK;
        }

        if (fresh) {
            ngx_webrtc_writer_cmaf_fresh(part, i,
                         ngx_webrtc_writer_cmaf_us(&t->mux.tracks[0], n));
        }

        if (ngx_webrtc_writer_cmaf_part(w, t, n, fresh) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


/*
 * How many samples the part to come has; 0: that is not known yet.
 *
 *   fresh   set: a segment begins behind it
 */

static ngx_int_t
ngx_webrtc_writer_cmaf_cut(ngx_webrtc_writer_t *w,
    ngx_webrtc_writer_cmaf_track_t *t, ngx_uint_t *fresh)
{
    int64_t                        start, at, most, least, last, before;
    ngx_uint_t                     k;
    ngx_webrtc_movie_mux_track_t  *mt;

    mt = &t->mux.tracks[0];
    *fresh = 0;

    if (mt->known == 0) {
        return 0;
    }

    start = ngx_webrtc_writer_cmaf_us(mt, 0);
    most = w->conf->part_us + NGX_WEBRTC_WRITER_CMAF_ROUND;
    least = most * NGX_WEBRTC_WRITER_CMAF_LEAST / 100;

    if (t->want && t->want_us <= start) {
        t->want = 0;
        t->fresh = 1;
    }

    if (t->fresh) {
        t->begin_us = start;
    }

    for (k = 1, last = 0; k < mt->known; k++) {
        at = ngx_webrtc_writer_cmaf_us(mt, k);
        before = last;

        if (at - start > most && k > 1) {
            return (ngx_int_t) k - 1;
        }

        if (ngx_webrtc_writer_cmaf_turns(w, t, k)) {
            *fresh = 1;
            return (ngx_int_t) k;
        }

        /* one as long as the last would be too much; where they are uneven and
         * the part would be too short, the next one is waited for */

        last = at - ngx_webrtc_writer_cmaf_us(mt, k - 1);

        if (at + last - start > most
            && (at - start >= least || k == 1
                || ngx_abs(last - before) <= last / 8))
        {
            return (ngx_int_t) k;
        }
    }

    return 0;
}


/* does a segment begin with the kth sample? */

static ngx_uint_t
ngx_webrtc_writer_cmaf_turns(ngx_webrtc_writer_t *w,
    ngx_webrtc_writer_cmaf_track_t *t, ngx_uint_t k)
{
    int64_t                          at, len, most;
    ngx_webrtc_writer_cmaf_t        *part;
    ngx_webrtc_movie_mux_track_t    *mt;
    ngx_webrtc_writer_cmaf_track_t  *video;

    part = w->part;
    video = &part->tracks[NGX_WEBRTC_WRITER_CMAF_VIDEO];

    mt = &t->mux.tracks[0];
    at = ngx_webrtc_writer_cmaf_us(mt, k);
    len = at - t->begin_us;

    if (t == video) {
        return (len >= NGX_WEBRTC_WRITER_CMAF_LONG)
               || (len >= w->conf->segment_us / 4 * 3
                   && (mt->samples[k].pkt->flags & AV_PKT_FLAG_KEY));
    }

    if (t->want && at >= t->want_us) {
        t->want = 0;
        return 1;
    }

    most = video->used ? ngx_max(2 * w->conf->segment_us, video->longest_us)
                         + NGX_WEBRTC_WRITER_CMAF_SPARE
                       : w->conf->segment_us;

    return len >= most;
}


static int64_t
ngx_webrtc_writer_cmaf_us(ngx_webrtc_movie_mux_track_t *mt, ngx_uint_t k)
{
    return av_rescale(mt->samples[k].dts, 1000000, mt->clock);
}


/* a track begins a segment: video takes the others along */

static void
ngx_webrtc_writer_cmaf_fresh(ngx_webrtc_writer_cmaf_t *part, ngx_uint_t i,
    int64_t us)
{
    ngx_uint_t                       k;
    ngx_webrtc_writer_cmaf_track_t  *t;

    t = &part->tracks[i];
    t->longest_us = ngx_max(t->longest_us, us - t->begin_us);

    if (i != NGX_WEBRTC_WRITER_CMAF_VIDEO) {
        return;
    }

    for (k = 1; k < NGX_WEBRTC_WRITER_CMAF_TRACKS; k++) {
        part->tracks[k].want = part->tracks[k].used;
        part->tracks[k].want_us = us;
    }
}


/* makes a part of the first n samples */

static ngx_int_t
ngx_webrtc_writer_cmaf_part(ngx_webrtc_writer_t *w,
    ngx_webrtc_writer_cmaf_track_t *t, ngx_uint_t n, ngx_uint_t fresh)
{
    int64_t                        end;
    ngx_int_t                      rc;
    ngx_webrtc_media_record_t      r;
    ngx_webrtc_movie_sample_t     *last;
    ngx_webrtc_movie_mux_track_t  *mt;

    mt = &t->mux.tracks[0];

    if (!t->has && ngx_webrtc_writer_cmaf_head(w, t) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.track = mt->video ? NGX_WEBRTC_MEDIA_VIDEO : NGX_WEBRTC_MEDIA_AUDIO;
    r.ts = mt->samples[0].dts;
    r.value = (uint16_t) (t->flag
                          | (t->fresh ? NGX_WEBRTC_MEDIA_MUXED_SEGMENT : 0)
                          | (fresh ? NGX_WEBRTC_MEDIA_MUXED_LAST : 0)
                          | (!mt->video
                             || (mt->samples[0].pkt->flags & AV_PKT_FLAG_KEY)
                             ? NGX_WEBRTC_MEDIA_MUXED_KEY : 0)
                          | ngx_min(n, 255) << NGX_WEBRTC_MEDIA_MUXED_FRAMES);

    if (n < mt->known) {
        end = mt->samples[n].dts;

    } else {
        last = &mt->samples[n - 1];
        end = last->dts + (last->pkt->duration > 0 ? last->pkt->duration
                           : n > 1 ? last->dts - mt->samples[n - 2].dts
                           : mt->clock / 25);
    }

    r.now_us = end - r.ts;

    rc = ngx_webrtc_movie_mux_fragment(&t->mux, n < mt->known
                                       ? ngx_webrtc_writer_cmaf_us(mt, n)
                                       : INT64_MAX);

    if (rc == NGX_DECLINED) {

        /* two samples at one time: the part is none */

        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "the times of its frames do not "
                              "rise");
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    r.data = t->mux.out.data;
    r.len = t->mux.out.len;

    t->fresh = (fresh != 0);

    return w->conf->part(w->conf->ctx, &r);
}


static ngx_int_t
ngx_webrtc_writer_cmaf_head(ngx_webrtc_writer_t *w,
    ngx_webrtc_writer_cmaf_track_t *t)
{
    char                           name[NGX_WEBRTC_WRITER_CMAF_NAME];
    size_t                         n;
    ngx_int_t                      rc;
    ngx_webrtc_movie_buf_t        *out;
    ngx_webrtc_media_record_t      r;
    ngx_webrtc_movie_mux_track_t  *mt;

    mt = &t->mux.tracks[0];
    out = &t->mux.out;

    if (ngx_webrtc_movie_mux_init(&t->mux) != NGX_OK) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "the stream's parameters do not "
                              "describe it");
        return NGX_ERROR;
    }

    n = ngx_webrtc_movie_name(mt->par, name, sizeof(name));

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.track = mt->video ? NGX_WEBRTC_MEDIA_VIDEO : NGX_WEBRTC_MEDIA_AUDIO;
    r.value = (uint16_t) (t->flag | NGX_WEBRTC_MEDIA_MUXED_HEAD);
    r.ts = mt->clock;
    r.len = n + 1 + out->len;
    r.data = malloc(r.len);

    if (r.data == NULL) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
        return NGX_ERROR;
    }

    ngx_memcpy(r.data, name, n);
    r.data[n] = '\0';
    ngx_memcpy(r.data + n + 1, out->data, out->len);

    t->has = 1;

    rc = w->conf->part(w->conf->ctx, &r);

    free(r.data);

    return rc;
}


static void
ngx_webrtc_writer_cmaf_end(ngx_webrtc_writer_t *w)
{
    ngx_uint_t                       i;
    ngx_webrtc_writer_cmaf_t        *part;
    ngx_webrtc_writer_cmaf_track_t  *t;

    part = w->part;

    for (i = 0; i < NGX_WEBRTC_WRITER_CMAF_TRACKS; i++) {
        t = &part->tracks[i];

        if (!t->used) {
            continue;
        }

        ngx_webrtc_movie_mux_flush(&t->mux);

        if (ngx_webrtc_writer_cmaf_out(w, i) != NGX_OK
            || (t->mux.tracks[0].known
                && ngx_webrtc_writer_cmaf_part(w, t, t->mux.tracks[0].known, 0)
                   != NGX_OK))
        {
            return;
        }
    }
}


static void
ngx_webrtc_writer_cmaf_free(ngx_webrtc_writer_t *w)
{
    ngx_uint_t                 i;
    ngx_webrtc_writer_cmaf_t  *part;

    part = w->part;

    if (part == NULL) {
        return;
    }

    for (i = 0; i < NGX_WEBRTC_WRITER_CMAF_TRACKS; i++) {
        ngx_webrtc_movie_mux_end(&part->tracks[i].mux);
    }

    av_packet_free(&part->pkt);
    free(part);

    w->part = NULL;
}
