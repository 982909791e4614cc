
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What browsers cannot play, from files that FFmpeg makes: where it is
 * transcoded all of it is handed on with its true times, and it is known what
 * it is; where it is not, codecs are refused by name.
 */


#include "source_harness.h"
#include "tap.h"

#include <sys/wait.h>

#include <libavformat/avformat.h>

#include "ngx_webrtc_foreign.h"


#define X264     "-c:v libx264 -preset ultrafast -g 10 "
#define BFRAMES  X264 "-x264-params bframes=2:b-adapt=0:b-pyramid=none:"      \
                 "scenecut=0 "
#define B        NGX_WEBRTC_TRACK_REORDERED
#define I        NGX_WEBRTC_TRACK_INTERLACED


typedef struct {
    const char  *name;
    const char  *args;
    ngx_uint_t   codec;
    uint8_t      traits;
    uint8_t      depth;
    uint8_t      chroma;
} file_t;


static const file_t  files[] = {
    { "b.ts", BFRAMES, NGX_WEBRTC_CODEC_H264, B, 8, 1 },
    { "b.flv", BFRAMES, NGX_WEBRTC_CODEC_H264, B, 8, 1 },
    { "b.mp4", BFRAMES, NGX_WEBRTC_CODEC_H264, B, 8, 1 },
    { "b.mkv", BFRAMES, NGX_WEBRTC_CODEC_H264, B, 8, 1 },
    { "b10.mp4", BFRAMES "-pix_fmt yuv420p10le", NGX_WEBRTC_CODEC_H264, B, 10,
      1 },
    { "422.ts", X264 "-bf 0 -pix_fmt yuv422p", NGX_WEBRTC_CODEC_H264, 0, 8,
      2 },
    { "mbaff.ts", "-c:v libx264 -preset veryfast -g 10 -bf 0 "
      "-flags +ilme+ildct -x264-params tff=1", NGX_WEBRTC_CODEC_H264, I, 8,
      1 },
    { "x265.ts", "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le "
      "-x265-params log-level=none:keyint=10:bframes=2:b-adapt=0",
      NGX_WEBRTC_CODEC_H265, B, 10, 1 },
    { "x265.mp4", "-c:v libx265 -preset ultrafast -x265-params "
      "log-level=none:keyint=10:bframes=2:b-adapt=0", NGX_WEBRTC_CODEC_H265, B,
      8, 1 },
    { "mpeg1.ts", "-c:v mpeg1video -g 10 -bf 0", NGX_WEBRTC_CODEC_MPEG2, 0, 8,
      1 },
    { "mpeg2.ts", "-c:v mpeg2video -g 10 -bf 2", NGX_WEBRTC_CODEC_MPEG2, B, 8,
      1 },
    { "mpeg2i.ts", "-c:v mpeg2video -g 10 -bf 0 -flags +ilme+ildct -top 1",
      NGX_WEBRTC_CODEC_MPEG2, I, 8, 1 },
    { "mpeg2.mp4", "-c:v mpeg2video -g 10 -bf 2", NGX_WEBRTC_CODEC_MPEG2, B, 0,
      0 },
    { "mpeg2.mkv", "-c:v mpeg2video -g 10 -bf 2", NGX_WEBRTC_CODEC_MPEG2, B, 0,
      0 },
    { "mpeg4.ts", "-c:v mpeg4 -g 10 -bf 1", NGX_WEBRTC_CODEC_MPEG4, B, 0, 0 },
    { "mpeg4.mp4", "-c:v mpeg4 -g 10 -bf 0", NGX_WEBRTC_CODEC_MPEG4, 0, 0, 0 },
    { "mjpeg.mkv", "-c:v mjpeg -pix_fmt yuvj420p", NGX_WEBRTC_CODEC_MJPEG, 0,
      0, 0 },
    { "mjpeg.mov", "-c:v mjpeg -pix_fmt yuvj422p", NGX_WEBRTC_CODEC_MJPEG, 0,
      0, 0 },
    { "flv1.flv", "-c:v flv -g 10", NGX_WEBRTC_CODEC_FLV1, 0, 0, 0 },
    { "h263.3gp", "-s 176x144 -c:v h263 -g 10", NGX_WEBRTC_CODEC_H263, 0, 0,
      0 },
    { "prores.mov", "-c:v prores_ks", NGX_WEBRTC_CODEC_PRORES, 0, 0, 0 },
    { "dnxhd.mov", "-s 256x144 -c:v dnxhd -profile:v dnxhr_lb "
      "-pix_fmt yuv422p", NGX_WEBRTC_CODEC_DNXHD, 0, 0, 0 }
};


/* made of x265.mp4 */

static const file_t  enhanced[] = {
    { "enhanced.flv", NULL, NGX_WEBRTC_CODEC_H265, B, 8, 1 },
    { "number12.flv", NULL, NGX_WEBRTC_CODEC_H265, B, 8, 1 }
};


static char  dir[] = "/tmp/ngx_webrtc_foreign_XXXXXX";


/* all at once: the machine has as many cores as it has */

static void
make(void)
{
    int         n, status;
    char        cmd[1024];
    ngx_uint_t  i;

    for (i = 0, n = 0; i < sizeof(files) / sizeof(files[0]); i++) {

        if (n == 4) {
            (void) wait(&status);
            n--;
        }

        if (fork() == 0) {
            snprintf(cmd, sizeof(cmd),
                     "exec ffmpeg -nostdin -v error -y -f lavfi -i "
                     "testsrc2=size=160x120:rate=25:duration=1.2 %s -threads 1 "
                     "%s/%s", files[i].args, dir, files[i].name);
            _exit(execl("/bin/sh", "sh", "-c", cmd, NULL));
        }

        n++;
    }

    while (n--) {
        (void) wait(&status);
    }
}


static char *
path(const char *name)
{
    static char  buf[256];

    snprintf(buf, sizeof(buf), "%s/%s", dir, name);

    return buf;
}


static void
play(harness_t *h, const char *name, ngx_uint_t transcode)
{
    ngx_webrtc_source_thread_conf_t  conf;

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));

    conf.unpaced = 1;
    conf.once = 1;
    conf.transcode = transcode ? 1 : 0;

    harness_init(h, path(name), &conf);

    ngx_webrtc_source_retry_run(h->th);
}


/* frames, and how many of them are earlier than the one before */

static ngx_uint_t
frames(harness_t *h, ngx_uint_t *back, ngx_uint_t *same)
{
    uint32_t          last;
    ngx_uint_t        i, n;
    harness_packet_t *p;

    last = 0;
    *back = 0;
    *same = 0;

    for (i = 0, n = 0; i < h->n; i++) {
        p = &h->p[i];

        if (p->pkt.flags & NGX_WEBRTC_PKT_FIRST) {

            if (n) {
                *back += ((int32_t) (p->pkt.ts - last) < 0);
                *same += (p->pkt.ts == last);
            }

            last = p->pkt.ts;
            n++;
        }
    }

    return n;
}


static void
test_file(const file_t *f)
{
    ngx_uint_t           n, back, same;
    harness_t            h;
    ngx_webrtc_track_t  *track, learned;

    play(&h, f->name, 1);

    track = &h.up.tracks[NGX_WEBRTC_SOURCE_VIDEO];

    tap_is_int(h.ups, 1, "%s: up", f->name);
    tap_is_int(track->codec, f->codec, "%s: codec", f->name);
    tap_ok(track->width >= 160 && track->height >= 120, "%s: size %dx%d",
           f->name, track->width, track->height);
    tap_is_int(track->traits,
               f->traits & (ngx_webrtc_foreign(f->codec) ? ~B : ~0),
               "%s: traits", f->name);

    if (f->depth) {
        tap_is_int(track->depth, f->depth, "%s: depth", f->name);
        tap_is_int(track->chroma, f->chroma, "%s: chroma", f->name);
    }

    n = frames(&h, &back, &same);

    tap_is_int(n, 30, "%s: all frames", f->name);
    tap_is_int(h.sum.frames, 30, "%s: counted", f->name);
    tap_ok(h.sum.keyframes >= 3, "%s: key frames", f->name);
    tap_is_int(h.sum.dropped + h.sum.clamped + h.sum.damaged, 0,
               "%s: none dropped, held back or damaged", f->name);
    tap_is_int(same, 0, "%s: no two at one time", f->name);
    tap_ok((back > 5) == ((f->traits & B) != 0), "%s: %d go back in time",
           f->name, (int) back);
    tap_is_int(h.logs, 0, "%s: nothing to complain about", f->name);

    /* what frames have shown agrees with what was announced, if it was */

    learned = *track;

    tap_is_int(ngx_webrtc_source_out_learned(&h.out, &learned),
               track->traits != f->traits, "%s: whether more is learned",
               f->name);
    tap_is_int(learned.traits, f->traits, "%s: traits in the end", f->name);

    harness_free(&h);

    if (!ngx_webrtc_foreign(f->codec)) {
        return;
    }

    play(&h, f->name, 0);

    tap_is_int(h.ups, 0, "%s: refused where it is not transcoded", f->name);
    tap_ok(h.down.len && ngx_strstrn(h.down.text, "cannot be sent", 13),
           "%s: and says so", f->name);

    harness_free(&h);
}


/*
 * Writes H.265 as FLV, which FFmpeg 5.1 cannot: by FourCC, or under the number
 * that Chinese encoders use.
 */

static void
remux(const char *from, const char *to, const char *fourcc)
{
    int               i;
    FILE             *out;
    u_char            tag[32], *p, *head;
    size_t            n;
    int64_t           dts, cts;
    AVPacket         *pkt;
    AVFormatContext  *ic;

    ic = NULL;

    if (avformat_open_input(&ic, path(from), NULL, NULL) < 0) {
        abort();
    }

    out = fopen(path(to), "w");
    pkt = av_packet_alloc();

    if (out == NULL || pkt == NULL) {
        abort();
    }

    (void) !fwrite("FLV\1\1\0\0\0\x09\0\0\0\0", 1, 13, out);

    for (i = 0; i == 0 || av_read_frame(ic, pkt) >= 0; i++) {
        head = i ? pkt->data : ic->streams[0]->codecpar->extradata;
        n = i ? (size_t) pkt->size
              : (size_t) ic->streams[0]->codecpar->extradata_size;

        dts = i ? av_rescale_q(pkt->dts, ic->streams[0]->time_base,
                               (AVRational) { 1, 1000 }) + 100
                : 100;
        cts = i ? av_rescale_q(pkt->pts - pkt->dts, ic->streams[0]->time_base,
                               (AVRational) { 1, 1000 })
                : 0;

        p = tag + 11;

        if (fourcc) {
            *p++ = (u_char) (0x90 | (i ? 1 : 0));
            p = ngx_cpymem(p, fourcc, 4);

        } else {
            *p++ = (u_char) (0x10 | 12);
            *p++ = (u_char) (i ? 1 : 0);
        }

        if (i || fourcc == NULL) {
            *p++ = (u_char) (cts >> 16);
            *p++ = (u_char) (cts >> 8);
            *p++ = (u_char) cts;
        }

        n += p - tag - 11;

        tag[0] = 9;
        tag[1] = (u_char) (n >> 16);
        tag[2] = (u_char) (n >> 8);
        tag[3] = (u_char) n;
        tag[4] = (u_char) (dts >> 16);
        tag[5] = (u_char) (dts >> 8);
        tag[6] = (u_char) dts;
        tag[7] = (u_char) (dts >> 24);
        tag[8] = tag[9] = tag[10] = 0;

        (void) !fwrite(tag, 1, p - tag, out);
        (void) !fwrite(head, 1, n - (p - tag - 11), out);

        n += 11;

        tag[0] = (u_char) (n >> 24);
        tag[1] = (u_char) (n >> 16);
        tag[2] = (u_char) (n >> 8);
        tag[3] = (u_char) n;

        (void) !fwrite(tag, 1, 4, out);

        av_packet_unref(pkt);
    }

    fclose(out);
    av_packet_free(&pkt);
    avformat_close_input(&ic);
}


/* a track that was not announced as reordered, as a camera's without VUI */

static void
test_learned(void)
{
    harness_t           h;
    ngx_webrtc_track_t  track;

    play(&h, "b.mp4", 1);

    track = h.up.tracks[NGX_WEBRTC_SOURCE_VIDEO];
    track.traits = 0;
    h.out.known.traits = 0;

    tap_is_int(ngx_webrtc_source_out_learned(&h.out, &track), 1,
               "late: news");
    tap_is_int(track.traits, B, "late: frames have gone back in time");

    harness_free(&h);
}


int
main(void)
{
    char        cmd[256];
    ngx_uint_t  i;

    if (mkdtemp(dir) == NULL) {
        abort();
    }

    make();

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        test_file(&files[i]);
    }

    test_learned();

    remux("x265.mp4", "enhanced.flv", "hvc1");
    remux("x265.mp4", "number12.flv", NULL);

    for (i = 0; i < sizeof(enhanced) / sizeof(enhanced[0]); i++) {
        test_file(&enhanced[i]);
    }

    snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
    tap_is_int(system(cmd), 0, "cleaned up");

    return tap_done();
}
