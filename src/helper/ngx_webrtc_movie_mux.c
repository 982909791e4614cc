
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fragmented MP4: see the header file.
 *
 * 1. libavformat makes the initialization segment alone, as it knows how each
 *    codec is described.  The fragments are made here: its muxer takes no
 *    packet that is decoded after it is shown, which is what makes negative
 *    composition offsets, and so times that need no edit list.
 * 2. Packets come in the order of decoding.  The nth of them is decoded at the
 *    nth smallest presentation time, which is known when `depth' more have
 *    come; so decoding times rise evenly whatever the file says about them.
 * 3. A packet lasts until the next one of its track.
 * 4. A fragment ends before a key frame where there is one, and has of every
 *    track what is decoded before that.  It is made when all tracks have been
 *    read that far; one that is seconds behind in the file is not waited for.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_mux.h"
#include "ngx_webrtc_nal.h"


/* of a sample: needs no other one, and does (ISO/IEC 14496-12, 8.8.3.1) */
#define NGX_WEBRTC_MOVIE_MUX_KEY    0x02000000
#define NGX_WEBRTC_MOVIE_MUX_DELTA  0x01010000

/* bytes in front of samples in a moof: of a track, and of a sample */
#define NGX_WEBRTC_MOVIE_MUX_SAMPLE  16

/* NAL units of H.264: parameter sets */
#define NGX_WEBRTC_MOVIE_MUX_SPS    7
#define NGX_WEBRTC_MOVIE_MUX_PPS    8

/* ms by which times of containers are rounded: sound goes on where it ended */
#define NGX_WEBRTC_MOVIE_MUX_ROUND  3


static ngx_int_t ngx_webrtc_movie_mux_track(ngx_webrtc_movie_mux_track_t *t,
    const AVCodecParameters *par, ngx_uint_t depth);
static void ngx_webrtc_movie_mux_track_end(ngx_webrtc_movie_mux_track_t *t);
static ngx_int_t ngx_webrtc_movie_mux_take(ngx_webrtc_movie_mux_t *mux,
    ngx_webrtc_movie_mux_track_t *t, AVPacket *pkt);
static ngx_int_t ngx_webrtc_movie_mux_sets(AVCodecParameters *par,
    AVPacket *pkt);
static ngx_int_t ngx_webrtc_movie_mux_lengths(AVPacket *pkt);
static ngx_int_t ngx_webrtc_movie_mux_room(ngx_webrtc_movie_mux_track_t *t);
static void ngx_webrtc_movie_mux_order(ngx_webrtc_movie_mux_track_t *t,
    ngx_uint_t depth);
static int64_t ngx_webrtc_movie_mux_dts(ngx_webrtc_movie_mux_track_t *t,
    int64_t pts);
static int64_t ngx_webrtc_movie_mux_us(ngx_webrtc_movie_mux_track_t *t,
    int64_t ts);
static int64_t ngx_webrtc_movie_mux_front(ngx_webrtc_movie_mux_t *mux);
static int64_t ngx_webrtc_movie_mux_limit(ngx_webrtc_movie_mux_t *mux);
static ngx_uint_t ngx_webrtc_movie_mux_count(ngx_webrtc_movie_mux_t *mux,
    ngx_webrtc_movie_mux_track_t *t, int64_t cut_us);
static void ngx_webrtc_movie_mux_traf(ngx_webrtc_movie_mux_t *mux,
    ngx_uint_t i, ngx_uint_t n, size_t *data);
static int64_t ngx_webrtc_movie_mux_duration(ngx_webrtc_movie_mux_track_t *t,
    ngx_uint_t i);
static void ngx_webrtc_movie_mux_drop(ngx_webrtc_movie_mux_t *mux,
    ngx_webrtc_movie_mux_track_t *t, ngx_uint_t n);


ngx_int_t
ngx_webrtc_movie_mux_begin(ngx_webrtc_movie_mux_t *mux,
    const AVCodecParameters *video, const AVCodecParameters *audio,
    ngx_uint_t depth, int64_t begin_us)
{
    ngx_webrtc_movie_mux_end(mux);

    mux->begin_us = begin_us;
    mux->long_us = NGX_WEBRTC_MOVIE_MUX_LONG;
    mux->short_us = NGX_WEBRTC_MOVIE_MUX_SHORT;
    mux->first = 1;

    if (video) {
        mux->tracks[mux->ntracks].video = 1;

        if (ngx_webrtc_movie_mux_track(&mux->tracks[mux->ntracks++], video,
                                       depth)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (audio
        && ngx_webrtc_movie_mux_track(&mux->tracks[mux->ntracks++], audio, 0)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_movie_mux_track(ngx_webrtc_movie_mux_track_t *t,
    const AVCodecParameters *par, ngx_uint_t depth)
{
    const AVBitStreamFilter  *filter;

    t->par = avcodec_parameters_alloc();
    t->order = malloc((depth + 2) * sizeof(int64_t));
    t->depth = depth;
    t->seen_us = INT64_MIN;

    if (t->par == NULL || t->order == NULL
        || avcodec_parameters_copy(t->par, par) < 0)
    {
        return NGX_ERROR;
    }

    t->clock = t->video ? NGX_WEBRTC_MOVIE_MUX_CLOCK
                        : (uint32_t) par->sample_rate;

    /* HEVC: the name that all browsers take */

    t->par->codec_tag = (par->codec_id == AV_CODEC_ID_HEVC)
                        ? MKTAG('h', 'v', 'c', '1') : 0;

    t->annexb = (par->codec_id == AV_CODEC_ID_H264
                 || par->codec_id == AV_CODEC_ID_HEVC)
                && (par->extradata_size < 1 || par->extradata[0] != 1);

    if (par->codec_id != AV_CODEC_ID_AAC || par->extradata_size) {
        return NGX_OK;
    }

    filter = av_bsf_get_by_name("aac_adtstoasc");

    if (filter == NULL
        || av_bsf_alloc(filter, &t->bsf) < 0
        || avcodec_parameters_copy(t->bsf->par_in, par) < 0)
    {
        return NGX_ERROR;
    }

    t->bsf->time_base_in = av_make_q(1, (int) t->clock);

    return (av_bsf_init(t->bsf) < 0) ? NGX_ERROR : NGX_OK;
}


void
ngx_webrtc_movie_mux_end(ngx_webrtc_movie_mux_t *mux)
{
    ngx_uint_t  i;

    for (i = 0; i < mux->ntracks; i++) {
        ngx_webrtc_movie_mux_drop(mux, &mux->tracks[i], mux->tracks[i].n);
        ngx_webrtc_movie_mux_track_end(&mux->tracks[i]);
    }

    free(mux->out.data);

    ngx_memzero(mux, sizeof(ngx_webrtc_movie_mux_t));
}


static void
ngx_webrtc_movie_mux_track_end(ngx_webrtc_movie_mux_track_t *t)
{
    av_bsf_free(&t->bsf);
    avcodec_parameters_free(&t->par);
    free(t->samples);
    free(t->order);
}


ngx_int_t
ngx_webrtc_movie_mux_packet(ngx_webrtc_movie_mux_t *mux, ngx_uint_t video,
    AVPacket *pkt, AVRational tb)
{
    int                            rc;
    ngx_uint_t                     i;
    ngx_webrtc_movie_mux_track_t  *t;

    for (i = 0; i < mux->ntracks && mux->tracks[i].video != video; i++) {
        /* void */
    }

    if (i == mux->ntracks) {
        av_packet_unref(pkt);
        return NGX_OK;
    }

    t = &mux->tracks[i];

    av_packet_rescale_ts(pkt, tb, av_make_q(1, (int) t->clock));

    if (t->bsf == NULL) {
        return ngx_webrtc_movie_mux_take(mux, t, pkt);
    }

    if (av_bsf_send_packet(t->bsf, pkt) < 0) {
        av_packet_unref(pkt);
        return NGX_OK;
    }

    for ( ;; ) {
        rc = av_bsf_receive_packet(t->bsf, pkt);

        if (rc < 0) {
            return NGX_OK;
        }

        if (ngx_webrtc_movie_mux_take(mux, t, pkt) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_webrtc_movie_mux_take(ngx_webrtc_movie_mux_t *mux,
    ngx_webrtc_movie_mux_track_t *t, AVPacket *pkt)
{
    size_t                      n;
    uint8_t                    *extra;
    int64_t                     us;
    ngx_uint_t                  i;
    ngx_webrtc_movie_sample_t  *sample;

    extra = av_packet_get_side_data(pkt, AV_PKT_DATA_NEW_EXTRADATA, &n);

    if (extra && t->par->extradata_size == 0 && n) {

        t->par->extradata = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);

        if (t->par->extradata == NULL) {
            goto failed;
        }

        ngx_memcpy(t->par->extradata, extra, n);
        t->par->extradata_size = (int) n;
    }

    if (t->annexb && t->par->extradata_size == 0
        && (pkt->flags & AV_PKT_FLAG_KEY)
        && ngx_webrtc_movie_mux_sets(t->par, pkt) != NGX_OK)
    {
        goto failed;
    }

    if (pkt->size <= 0 || pkt->pts < 0
        || (t->annexb && ngx_webrtc_movie_mux_lengths(pkt) != NGX_OK)
        || pkt->size <= 0)
    {
        av_packet_unref(pkt);
        return NGX_OK;
    }

    if (mux->bytes + pkt->size > 2 * NGX_WEBRTC_MOVIE_MUX_KEEP
        || ngx_webrtc_movie_mux_room(t) != NGX_OK)
    {
        goto failed;
    }

    sample = &t->samples[t->n];
    sample->known = 0;
    sample->pkt = av_packet_alloc();

    if (sample->pkt == NULL) {
        goto failed;
    }

    av_packet_move_ref(sample->pkt, pkt);
    t->n++;

    mux->bytes += sample->pkt->size;

    us = ngx_webrtc_movie_mux_us(t, sample->pkt->pts);
    t->seen_us = ngx_max(t->seen_us, us);

    /* a place among the times that are not given away yet */

    for (i = t->norder; i > 0 && t->order[i - 1] > sample->pkt->pts; i--) {
        t->order[i] = t->order[i - 1];
    }

    t->order[i] = sample->pkt->pts;
    t->norder++;

    ngx_webrtc_movie_mux_order(t, t->depth);

    return NGX_OK;

failed:

    av_packet_unref(pkt);

    return NGX_ERROR;
}


/* what describes a stream of H.264 may be in its key frames alone */

static ngx_int_t
ngx_webrtc_movie_mux_sets(AVCodecParameters *par, AVPacket *pkt)
{
    size_t             n, size;
    u_char            *nal, *p;
    ngx_webrtc_nal_t   it;

    if (par->codec_id != AV_CODEC_ID_H264) {
        return NGX_OK;
    }

    p = av_mallocz(pkt->size + AV_INPUT_BUFFER_PADDING_SIZE);

    if (p == NULL) {
        return NGX_ERROR;
    }

    size = 0;

    ngx_webrtc_nal_init(&it, pkt->data, pkt->size, 0);

    while (ngx_webrtc_nal_next(&it, &nal, &n) == NGX_OK) {

        if ((nal[0] & 0x1f) != NGX_WEBRTC_MOVIE_MUX_SPS
            && (nal[0] & 0x1f) != NGX_WEBRTC_MOVIE_MUX_PPS)
        {
            continue;
        }

        /* with start codes of three bytes each is no larger than before */

        p[size + 2] = 1;
        ngx_memcpy(p + size + 3, nal, n);
        size += 3 + n;
    }

    par->extradata = p;
    par->extradata_size = (int) size;

    return NGX_OK;
}


/* start codes become lengths of four bytes, as the segment's header says */

static ngx_int_t
ngx_webrtc_movie_mux_lengths(AVPacket *pkt)
{
    size_t             n, size;
    u_char            *nal, *p;
    AVPacket          *to;
    ngx_webrtc_nal_t   it;

    size = 0;

    ngx_webrtc_nal_init(&it, pkt->data, pkt->size, 0);

    while (ngx_webrtc_nal_next(&it, &nal, &n) == NGX_OK) {
        size += 4 + n;
    }

    if (size == 0 || size > INT_MAX / 2) {
        return NGX_DECLINED;
    }

    to = av_packet_alloc();

    if (to == NULL || av_new_packet(to, (int) size) < 0
        || av_packet_copy_props(to, pkt) < 0)
    {
        av_packet_free(&to);
        return NGX_DECLINED;
    }

    p = to->data;

    ngx_webrtc_nal_init(&it, pkt->data, pkt->size, 0);

    while (ngx_webrtc_nal_next(&it, &nal, &n) == NGX_OK) {
        *p++ = (u_char) (n >> 24);
        *p++ = (u_char) (n >> 16);
        *p++ = (u_char) (n >> 8);
        *p++ = (u_char) n;
        p = ngx_cpymem(p, nal, n);
    }

    av_packet_unref(pkt);
    av_packet_move_ref(pkt, to);
    av_packet_free(&to);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_movie_mux_room(ngx_webrtc_movie_mux_track_t *t)
{
    ngx_uint_t                  max;
    ngx_webrtc_movie_sample_t  *samples;

    if (t->n < t->max) {
        return NGX_OK;
    }

    max = 2 * t->max + 64;

    samples = realloc(t->samples, max * sizeof(ngx_webrtc_movie_sample_t));

    if (samples == NULL) {
        return NGX_ERROR;
    }

    t->samples = samples;
    t->max = max;

    return NGX_OK;
}


/* leaves the times of depth packets */

static void
ngx_webrtc_movie_mux_order(ngx_webrtc_movie_mux_track_t *t, ngx_uint_t depth)
{
    ngx_webrtc_movie_sample_t  *sample;

    while (t->norder > depth) {
        sample = &t->samples[t->known++];

        sample->dts = ngx_webrtc_movie_mux_dts(t, t->order[0]);
        sample->known = 1;

        t->next = sample->dts + ngx_max(sample->pkt->duration, 1);
        t->begun = 1;

        t->norder--;
        ngx_memmove(t->order, t->order + 1, t->norder * sizeof(int64_t));
    }
}


static int64_t
ngx_webrtc_movie_mux_dts(ngx_webrtc_movie_mux_track_t *t, int64_t pts)
{
    int64_t  last, round;

    if (!t->begun) {
        return pts;
    }

    if (!t->video) {
        round = (int64_t) t->clock * NGX_WEBRTC_MOVIE_MUX_ROUND / 1000;

        if (pts - t->next <= round && t->next - pts <= round) {
            return t->next;
        }
    }

    last = (t->known > 1) ? t->samples[t->known - 2].dts : INT64_MIN;

    return ngx_max(pts, last + 1);
}


static int64_t
ngx_webrtc_movie_mux_us(ngx_webrtc_movie_mux_track_t *t, int64_t ts)
{
    return av_rescale(ts, 1000000, t->clock);
}


void
ngx_webrtc_movie_mux_live(ngx_webrtc_movie_mux_t *mux)
{
    mux->long_us = NGX_WEBRTC_MOVIE_MUX_LIVE;
    mux->short_us = 0;
}


void
ngx_webrtc_movie_mux_turn(ngx_webrtc_movie_mux_t *mux, const uint8_t *matrix)
{
    ngx_memcpy(mux->matrix, matrix, sizeof(mux->matrix));
    mux->turned = 1;
}


ngx_int_t
ngx_webrtc_movie_mux_encoder(ngx_webrtc_movie_mux_t *mux,
    const AVCodecContext *enc)
{
    ngx_uint_t                     i;
    ngx_webrtc_movie_mux_track_t  *t;

    for (i = 0; i < mux->ntracks; i++) {
        t = &mux->tracks[i];

        if (!t->video) {
            continue;
        }

        if (avcodec_parameters_from_context(t->par, enc) < 0) {
            return NGX_ERROR;
        }

        t->par->codec_tag = 0;
        t->annexb = (t->par->extradata_size < 1 || t->par->extradata[0] != 1);
    }

    return NGX_OK;
}


void
ngx_webrtc_movie_mux_flush(ngx_webrtc_movie_mux_t *mux)
{
    ngx_uint_t  i;

    for (i = 0; i < mux->ntracks; i++) {
        ngx_webrtc_movie_mux_order(&mux->tracks[i], 0);
    }

    mux->over = 1;
}


ngx_int_t
ngx_webrtc_movie_mux_ready(ngx_webrtc_movie_mux_t *mux, int64_t *cut_us)
{
    int64_t     front, limit;
    ngx_uint_t  i;

    for (i = 0; i < mux->ntracks && mux->tracks[i].n == 0; i++) {
        /* void */
    }

    if (i == mux->ntracks) {
        return mux->over ? NGX_DONE : NGX_AGAIN;
    }

    front = ngx_webrtc_movie_mux_front(mux);
    limit = ngx_webrtc_movie_mux_limit(mux);

    if (limit <= front) {
        *cut_us = limit;
        return NGX_OK;
    }

    if (mux->bytes >= NGX_WEBRTC_MOVIE_MUX_LARGE && front > mux->begin_us) {
        *cut_us = front;
        return NGX_OK;
    }

    return NGX_AGAIN;
}


/* up to when all tracks have been read */

static int64_t
ngx_webrtc_movie_mux_front(ngx_webrtc_movie_mux_t *mux)
{
    int64_t                        front, us, seen, most;
    ngx_uint_t                     i;
    ngx_webrtc_movie_mux_track_t  *t;

    if (mux->over) {
        return INT64_MAX;
    }

    seen = mux->begin_us;

    for (i = 0; i < mux->ntracks; i++) {
        seen = ngx_max(seen, mux->tracks[i].seen_us);
    }

    front = INT64_MAX;
    most = mux->begin_us;

    for (i = 0; i < mux->ntracks; i++) {
        t = &mux->tracks[i];

        us = t->known ? ngx_webrtc_movie_mux_us(t, t->samples[t->known - 1].dts)
                      : mux->begin_us;

        most = ngx_max(most, us);

        /* its last packet lasts until we know better */

        if (seen - ngx_max(t->seen_us, mux->begin_us)
            > NGX_WEBRTC_MOVIE_MUX_APART)
        {
            continue;
        }

        front = ngx_min(front, us);
    }

    return (mux->bytes > NGX_WEBRTC_MOVIE_MUX_KEEP) ? most : front;
}


/* the end of the fragment to come: a key frame, if there is one in time */

static int64_t
ngx_webrtc_movie_mux_limit(ngx_webrtc_movie_mux_t *mux)
{
    int64_t                        limit, us;
    ngx_uint_t                     i, k;
    ngx_webrtc_movie_mux_track_t  *t;

    limit = mux->begin_us + (mux->first ? ngx_min(mux->long_us,
                                                  NGX_WEBRTC_MOVIE_MUX_FIRST)
                                        : mux->long_us);

    for (i = 0; i < mux->ntracks; i++) {
        t = &mux->tracks[i];

        if (!t->video) {
            continue;
        }

        for (k = 1; k < t->known; k++) {
            us = ngx_webrtc_movie_mux_us(t, t->samples[k].dts);

            if (us >= limit) {
                break;
            }

            if ((t->samples[k].pkt->flags & AV_PKT_FLAG_KEY)
                && us >= mux->begin_us + mux->short_us
                && us > mux->begin_us)
            {
                return us;
            }
        }
    }

    return limit;
}


ngx_int_t
ngx_webrtc_movie_mux_fragment(ngx_webrtc_movie_mux_t *mux, int64_t cut_us)
{
    size_t                         moof, at, data, all;
    u_char                        *p;
    ngx_uint_t                     i, k, n[NGX_WEBRTC_MOVIE_MUX_TRACKS], any;
    ngx_webrtc_movie_buf_t        *b;
    ngx_webrtc_movie_mux_track_t  *t;

    mux->begin_us = ngx_max(mux->begin_us, cut_us);

    any = 0;
    all = 0;

    for (i = 0; i < mux->ntracks; i++) {
        t = &mux->tracks[i];
        n[i] = ngx_webrtc_movie_mux_count(mux, t, cut_us);
        any += n[i];

        for (k = 0; k < n[i]; k++) {
            all += t->samples[k].pkt->size;
        }
    }

    if (any == 0) {
        return NGX_DECLINED;
    }

    mux->first = 0;

    b = &mux->out;
    b->len = 0;
    b->failed = 0;

    /* the offset of the data is that of the moof's end, which is known ahead */

    data = 8 + 16 + 8;

    for (i = 0; i < mux->ntracks; i++) {
        if (n[i]) {
            data += 8 + 16 + 20 + 20 + n[i] * NGX_WEBRTC_MOVIE_MUX_SAMPLE;
        }
    }

    moof = ngx_webrtc_movie_buf_box(b, "moof");

    at = ngx_webrtc_movie_buf_box(b, "mfhd");
    ngx_webrtc_movie_buf_u32(b, 0);
    ngx_webrtc_movie_buf_u32(b, ++mux->sequence);
    ngx_webrtc_movie_buf_done(b, at);

    for (i = 0; i < mux->ntracks; i++) {
        if (n[i]) {
            ngx_webrtc_movie_mux_traf(mux, i, n[i], &data);
        }
    }

    ngx_webrtc_movie_buf_done(b, moof);

    ngx_webrtc_movie_buf_u32(b, (uint32_t) (8 + all));
    p = ngx_webrtc_movie_buf_add(b, 4);

    if (p) {
        ngx_memcpy(p, "mdat", 4);
    }

    for (i = 0; i < mux->ntracks; i++) {
        t = &mux->tracks[i];

        for (k = 0; k < n[i]; k++) {
            p = ngx_webrtc_movie_buf_add(b, t->samples[k].pkt->size);

            if (p) {
                ngx_memcpy(p, t->samples[k].pkt->data, t->samples[k].pkt->size);
            }
        }

        ngx_webrtc_movie_mux_drop(mux, t, n[i]);
    }

    return b->failed ? NGX_ERROR : NGX_OK;
}


/* samples that are decoded before then */

static ngx_uint_t
ngx_webrtc_movie_mux_count(ngx_webrtc_movie_mux_t *mux,
    ngx_webrtc_movie_mux_track_t *t, int64_t cut_us)
{
    ngx_uint_t  n, max;

    /* how long the last one lasts is not known, unless no more come */

    max = mux->over ? t->known : t->known ? t->known - 1 : 0;

    for (n = 0; n < max; n++) {
        if (ngx_webrtc_movie_mux_us(t, t->samples[n].dts) >= cut_us) {
            break;
        }
    }

    return n;
}


/*
 * tfhd: data offsets count from the moof.  tfdt: 64 bits.  trun: duration,
 * size, flags and a signed composition offset of each sample.
 */

static void
ngx_webrtc_movie_mux_traf(ngx_webrtc_movie_mux_t *mux, ngx_uint_t i,
    ngx_uint_t n, size_t *data)
{
    size_t                         traf, at;
    uint64_t                       dts;
    ngx_uint_t                     k;
    ngx_webrtc_movie_buf_t        *b;
    ngx_webrtc_movie_sample_t     *sample;
    ngx_webrtc_movie_mux_track_t  *t;

    b = &mux->out;
    t = &mux->tracks[i];

    traf = ngx_webrtc_movie_buf_box(b, "traf");

    at = ngx_webrtc_movie_buf_box(b, "tfhd");
    ngx_webrtc_movie_buf_u32(b, 0x020000);
    ngx_webrtc_movie_buf_u32(b, (uint32_t) i + 1);
    ngx_webrtc_movie_buf_done(b, at);

    dts = (uint64_t) t->samples[0].dts;

    at = ngx_webrtc_movie_buf_box(b, "tfdt");
    ngx_webrtc_movie_buf_u32(b, 0x01000000);
    ngx_webrtc_movie_buf_u32(b, (uint32_t) (dts >> 32));
    ngx_webrtc_movie_buf_u32(b, (uint32_t) dts);
    ngx_webrtc_movie_buf_done(b, at);

    at = ngx_webrtc_movie_buf_box(b, "trun");
    ngx_webrtc_movie_buf_u32(b, 0x01000f01);
    ngx_webrtc_movie_buf_u32(b, (uint32_t) n);
    ngx_webrtc_movie_buf_u32(b, (uint32_t) *data);

    for (k = 0; k < n; k++) {
        sample = &t->samples[k];

        ngx_webrtc_movie_buf_u32(b, (uint32_t)
                                    ngx_webrtc_movie_mux_duration(t, k));
        ngx_webrtc_movie_buf_u32(b, (uint32_t) sample->pkt->size);
        ngx_webrtc_movie_buf_u32(b, !t->video
                                    || (sample->pkt->flags & AV_PKT_FLAG_KEY)
                                    ? NGX_WEBRTC_MOVIE_MUX_KEY
                                    : NGX_WEBRTC_MOVIE_MUX_DELTA);
        ngx_webrtc_movie_buf_u32(b, t->video
                                    ? (uint32_t) (sample->pkt->pts
                                                  - sample->dts)
                                    : 0);
        *data += sample->pkt->size;
    }

    ngx_webrtc_movie_buf_done(b, at);
    ngx_webrtc_movie_buf_done(b, traf);
}


static int64_t
ngx_webrtc_movie_mux_duration(ngx_webrtc_movie_mux_track_t *t, ngx_uint_t i)
{
    int64_t  n;

    if (i + 1 < t->known) {
        n = t->samples[i + 1].dts - t->samples[i].dts;

    } else {
        n = t->samples[i].pkt->duration;

        if (n <= 0) {
            n = i ? t->samples[i].dts - t->samples[i - 1].dts
                  : t->clock / 25;
        }
    }

    n = ngx_max(n, 1);

    return ngx_min(n, INT32_MAX);
}


static void
ngx_webrtc_movie_mux_drop(ngx_webrtc_movie_mux_t *mux,
    ngx_webrtc_movie_mux_track_t *t, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (n == 0) {
        return;
    }

    for (i = 0; i < n; i++) {
        mux->bytes -= t->samples[i].pkt->size;
        av_packet_free(&t->samples[i].pkt);
    }

    t->n -= n;
    t->known -= ngx_min(t->known, n);

    ngx_memmove(t->samples, t->samples + n,
                t->n * sizeof(ngx_webrtc_movie_sample_t));
}
