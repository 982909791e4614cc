
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_movie_mux: which fragments are made, and when; the times in them,
 * with pictures out of order, gaps, and tracks that are apart.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_mux.h"

#include "tap.h"


/* a fragment, as it was read back */
typedef struct {
    uint64_t   dts[2];
    ngx_uint_t n[2];
    int64_t    pts[2][256];
    uint32_t   duration[2][256];
    uint32_t   flags[2][256];
    uint32_t   size[2][256];
    size_t     mdat;
    unsigned   bad:1;
} fragment_t;


static ngx_webrtc_movie_mux_t  mux;


static uint32_t
u32(const u_char *p)
{
    return (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}


static void
read_trun(fragment_t *f, ngx_uint_t track, const u_char *p, uint64_t dts,
    size_t *offset)
{
    ngx_uint_t  i;

    f->n[track] = u32(p + 12);
    f->dts[track] = dts;
    *offset = u32(p + 16);
    p += 20;

    for (i = 0; i < f->n[track] && i < 256; i++, p += 16) {
        f->duration[track][i] = u32(p);
        f->size[track][i] = u32(p + 4);
        f->flags[track][i] = u32(p + 8);
        f->pts[track][i] = (int64_t) dts + (int32_t) u32(p + 12);
        dts += u32(p);
    }
}


/* the boxes, their sizes, and that each track's data begins where it says */

static void
read_fragment(fragment_t *f)
{
    size_t          at, end, in, moof, offset[2], all[2];
    uint64_t        dts;
    ngx_uint_t      track, i;
    const u_char   *p;

    memset(f, 0, sizeof(fragment_t));
    memset(all, 0, sizeof(all));

    p = mux.out.data;
    moof = u32(p);
    f->bad = memcmp(p + 4, "moof", 4) != 0
             || memcmp(p + moof + 4, "mdat", 4) != 0
             || u32(p + moof) + moof != mux.out.len;
    f->mdat = moof + 8;

    for (at = 8; at < moof; at += u32(p + at)) {

        if (memcmp(p + at + 4, "traf", 4) != 0) {
            continue;
        }

        track = 0;
        dts = 0;
        end = at + u32(p + at);

        for (in = at + 8; in < end; in += u32(p + in)) {

            if (memcmp(p + in + 4, "tfhd", 4) == 0) {
                track = u32(p + in + 12) - 1;

            } else if (memcmp(p + in + 4, "tfdt", 4) == 0) {
                dts = (uint64_t) u32(p + in + 12) << 32 | u32(p + in + 16);

            } else {
                read_trun(f, track, p + in, dts, &offset[track]);
            }
        }

        f->bad |= (in != end);

        for (i = 0; i < f->n[track]; i++) {
            all[track] += f->size[track][i];
        }
    }

    f->bad |= (at != moof);

    for (track = 0; track < 2; track++) {
        if (f->n[track]
            && offset[track] != f->mdat + (track && f->n[0] ? all[0] : 0))
        {
            f->bad = 1;
        }
    }

    f->bad |= (f->mdat + all[0] + all[1] != mux.out.len);
}


static void
begin(ngx_uint_t video, ngx_uint_t audio, ngx_uint_t depth, int64_t us)
{
    AVCodecParameters  *v, *a;

    static uint8_t  avcc[] = { 1, 66, 0xc0, 30, 0xff, 0xe0, 0 };
    static uint8_t  asc[] = { 0x11, 0x90 };

    v = avcodec_parameters_alloc();
    a = avcodec_parameters_alloc();

    v->codec_type = AVMEDIA_TYPE_VIDEO;
    v->codec_id = AV_CODEC_ID_H264;
    v->extradata = av_mallocz(sizeof(avcc) + AV_INPUT_BUFFER_PADDING_SIZE);
    v->extradata_size = sizeof(avcc);
    memcpy(v->extradata, avcc, sizeof(avcc));

    a->codec_type = AVMEDIA_TYPE_AUDIO;
    a->codec_id = AV_CODEC_ID_AAC;
    a->sample_rate = 48000;
    a->extradata = av_mallocz(sizeof(asc) + AV_INPUT_BUFFER_PADDING_SIZE);
    a->extradata_size = sizeof(asc);
    memcpy(a->extradata, asc, sizeof(asc));

    (void) ngx_webrtc_movie_mux_begin(&mux, video ? v : NULL,
                                      audio ? a : NULL, depth, us);

    avcodec_parameters_free(&v);
    avcodec_parameters_free(&a);
}


static ngx_int_t
put(ngx_uint_t video, int64_t ms, ngx_uint_t key, size_t n, int64_t duration)
{
    AVPacket   *pkt;
    ngx_int_t   rc;

    pkt = av_packet_alloc();

    (void) av_new_packet(pkt, (int) n);
    memset(pkt->data, 0, n);

    pkt->pts = ms;
    pkt->dts = AV_NOPTS_VALUE;
    pkt->duration = duration;
    pkt->flags = key ? AV_PKT_FLAG_KEY : 0;

    rc = ngx_webrtc_movie_mux_packet(&mux, video, pkt, av_make_q(1, 1000));

    av_packet_free(&pkt);

    return rc;
}


/* 1: there is one */

static ngx_uint_t
get(fragment_t *f, int64_t *cut)
{
    while (ngx_webrtc_movie_mux_ready(&mux, cut) == NGX_OK) {

        if (ngx_webrtc_movie_mux_fragment(&mux, *cut) == NGX_OK) {
            read_fragment(f);
            return 1;
        }
    }

    return 0;
}


/* key frames each second, I B B P, 25 pictures per second, from 3 s on */

static void
test_order(void)
{
    int64_t      cut;
    ngx_uint_t   i, gop, total, wrong, keys;
    uint64_t     next;
    fragment_t   f;

    static const int64_t  order[] = { 0, 3, 1, 2 };

    begin(1, 0, 16, 3000000);

    total = 0;
    wrong = 0;
    keys = 0;
    next = 3000 * 90;

    for (gop = 0; gop <= 5; gop++) {

        for (i = 0; gop < 5 && i < 24; i++) {
            (void) put(1, 3000 + gop * 960
                          + ((int64_t) (i / 4) * 4 + order[i % 4]) * 40,
                       i == 0, 10 + i, 40);
        }

        if (gop == 5) {
            ngx_webrtc_movie_mux_flush(&mux);
        }

        while (get(&f, &cut)) {
            wrong += f.bad || f.dts[0] != next;
            keys += (f.flags[0][0] == 0x02000000);

            for (i = 0; i < f.n[0]; i++) {
                wrong += f.duration[0][i] != 40 * 90;
                wrong += f.pts[0][i] != 3000 * 90
                         + (int64_t) ((total + i) / 4 * 4
                                      + order[(total + i) % 4]) * 3600;
                next += f.duration[0][i];
            }

            total += f.n[0];
        }
    }

    tap_is_int(total, 120, "all pictures");
    tap_is_int(wrong, 0, "decoded evenly from the first one's time on, and"
               " shown when they should be");
    tap_ok(keys >= 5, "fragments begin with key frames where there are any");
    tap_is_int(ngx_webrtc_movie_mux_ready(&mux, &cut), NGX_DONE, "the end");
}


static void
test_cut(void)
{
    int64_t      cut;
    ngx_uint_t   i;
    fragment_t   f;

    /* one key frame for all: fragments nevertheless, the first one short */

    begin(1, 1, 0, 0);

    for (i = 0; i < 20; i++) {
        (void) put(1, i * 40, i == 0, 100, 40);
        (void) put(0, i * 40, 1, 50, 40);
    }

    tap_is_int(get(&f, &cut), 1, "no other key frame: a fragment");
    tap_is_int(cut, NGX_WEBRTC_MOVIE_MUX_FIRST, "the first one is short");
    tap_is_int(f.bad, 0, "it is as it should be");
    tap_is_int(f.n[0], 13, "its pictures");
    tap_is_int(f.n[1], 13, "and sound up to there");
    tap_is_int(get(&f, &cut), 0, "no more yet");

    for (i = 20; i < 100; i++) {
        (void) put(1, i * 40, 0, 100, 40);
        (void) put(0, i * 40, 1, 50, 40);
    }

    tap_is_int(get(&f, &cut), 1, "another");
    tap_is_int(cut, NGX_WEBRTC_MOVIE_MUX_FIRST + NGX_WEBRTC_MOVIE_MUX_LONG,
               "of two seconds");
    tap_is_int(f.flags[0][0], 0x01010000, "it needs the one before");

    /* sound that comes later in the file is waited for, but not for long */

    begin(1, 1, 0, 0);

    for (i = 0; i < 50; i++) {
        (void) put(1, i * 40, i % 25 == 0, 100, 40);
    }

    tap_is_int(get(&f, &cut), 0, "without the sound there is no fragment");
    (void) put(0, 0, 1, 50, 900);
    (void) put(0, 900, 1, 50, 900);
    tap_is_int(get(&f, &cut), 1, "with it there is");
    tap_is_int(f.n[1], 1, "which has it");

    for (i = 50; i < 130; i++) {
        (void) put(1, i * 40, i % 25 == 0, 100, 40);
    }

    tap_is_int(get(&f, &cut), 1, "three seconds apart: it goes on without");
    tap_is_int(f.bad, 0, "as it should be");

    /* what is large ends sooner */

    begin(1, 0, 0, 0);

    for (i = 0; i < 8; i++) {
        (void) put(1, i * 40, i == 0, 1024 * 1024, 40);
    }

    tap_is_int(get(&f, &cut), 1, "6 MB: a fragment");
    tap_ok(mux.out.len < 8 * 1024 * 1024, "of not much more");

    for (i = 8; i < 200 && put(1, 320, 0, 1024 * 1024, 40) == NGX_OK; i++) {
        /* void */
    }

    tap_ok(i < 150, "what cannot be put out is not kept without end");
}


static void
test_times(void)
{
    int64_t      cut;
    ngx_uint_t   i, n, wrong;
    uint64_t     next;
    fragment_t   f;

    /* times of sound that a container has rounded to milliseconds */

    begin(0, 1, 0, 0);

    for (i = 0; i < 100; i++) {
        (void) put(0, (int64_t) i * 1024 * 1000 / 48000, 1, 10, 21);
    }

    ngx_webrtc_movie_mux_flush(&mux);

    n = 0;
    wrong = 0;
    next = 0;

    while (get(&f, &cut)) {
        wrong += f.bad || f.dts[0] < next;
        next = f.dts[0];

        for (i = 0; i < f.n[0]; i++) {
            wrong += f.pts[0][i] != (int64_t) next;
            wrong += f.duration[0][i] < 900 || f.duration[0][i] > 1200;
            next += f.duration[0][i];
        }

        n += f.n[0];
    }

    tap_is_int(n, 100, "sound: all of it");
    tap_is_int(wrong, 0, "without holes");
    tap_ok(next > 100 * 1008 && next < 100 * 1040, "and as long as it is");

    /* a gap, a step back, the same time twice, and before the beginning */

    begin(1, 0, 2, 1000000);

    (void) put(1, -5, 1, 10, 40);
    (void) put(1, 1000, 1, 10, 40);
    (void) put(1, 1040, 0, 10, 40);
    (void) put(1, 60000, 0, 10, 40);
    (void) put(1, 60000, 0, 10, 40);
    (void) put(1, 30000, 0, 10, 40);
    (void) put(1, 60080, 0, 0, 40);
    (void) put(1, 60120, 0, 10, 0);

    ngx_webrtc_movie_mux_flush(&mux);

    n = 0;
    wrong = 0;
    next = 0;

    while (get(&f, &cut)) {
        wrong += f.bad || f.dts[0] < next;
        next = f.dts[0];

        for (i = 0; i < f.n[0]; i++) {
            wrong += f.duration[0][i] == 0;
            next += f.duration[0][i];
        }

        n += f.n[0];
    }

    tap_is_int(n, 6, "times that no file should have: what is of use");
    tap_is_int(wrong, 0, "decoding times rise");

    ngx_webrtc_movie_mux_end(&mux);
}


static void
test_init(void)
{
    size_t      i, moov;
    ngx_int_t   rc;

    begin(1, 1, 0, 0);

    mux.tracks[0].par->width = 640;
    mux.tracks[0].par->height = 360;
    av_channel_layout_default(&mux.tracks[1].par->ch_layout, 2);

    (void) put(1, 0, 1, 10, 40);
    (void) put(0, 0, 1, 10, 21);

    rc = ngx_webrtc_movie_mux_init(&mux);
    tap_is_int(rc, NGX_OK, "a segment");

    moov = 0;

    for (i = 0; rc == NGX_OK && i + 8 <= mux.out.len;
         i += u32(mux.out.data + i))
    {
        moov += memcmp(mux.out.data + i + 4, "moov", 4) == 0;

        if (u32(mux.out.data + i) < 8) {
            break;
        }
    }

    tap_ok(moov == 1 && i == mux.out.len, "with a moov, and nothing after it");

    for (i = 0, moov = 0; i + 4 <= mux.out.len; i++) {
        moov += memcmp(mux.out.data + i, "elst", 4) == 0;
    }

    tap_is_int(moov, 0, "without edit lists");

    ngx_webrtc_movie_mux_end(&mux);
}


int
main(void)
{
    av_log_set_level(AV_LOG_QUIET);

    test_order();
    test_cut();
    test_times();
    test_init();

    return tap_done();
}
