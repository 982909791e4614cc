
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Why an upstream cannot be played: see ngx_webrtc_source_refuse.h.
 *
 * libavformat does not look at scrambling, and forgets data it does not
 * recognize.  So we inspect the bytes that it reads: the function that fills
 * the buffer of its first AVIOContext is wrapped by ours.  HLS has hooks of
 * its own, around these.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_read.h"
#include "ngx_webrtc_source_refuse.h"


/*
 * us until giving up if nothing usable is announced; chosen: more than tables
 * take
 */
#define NGX_WEBRTC_SOURCE_REFUSE_US       1000000

/* us for video that has been announced to come; chosen: headers follow at
 * once, and less than the wait for it */
#define NGX_WEBRTC_SOURCE_REFUSE_VIDEO    200000

/* streams to name; chosen: they fit on a line */
#define NGX_WEBRTC_SOURCE_REFUSE_STREAMS  6


static int ngx_webrtc_source_refuse_open(AVFormatContext *ic,
    AVIOContext **pb, const char *url, int flags, AVDictionary **options);
static int ngx_webrtc_source_refuse_read(void *opaque, uint8_t *buf, int size);
static void ngx_webrtc_source_refuse_pids(ngx_webrtc_source_run_t *run);
static void ngx_webrtc_source_refuse_announced(ngx_webrtc_source_run_t *run);
static u_char *ngx_webrtc_source_refuse_streams(AVFormatContext *ic, u_char *p,
    u_char *last);


/* whose bytes this thread reads: the arguments belong to others */
static __thread ngx_webrtc_source_run_t  *ngx_webrtc_source_refuse_run;


void
ngx_webrtc_source_refuse_watch(ngx_webrtc_source_run_t *run)
{
    run->io_open = run->ic->io_open;
    run->io_read = NULL;

    run->ic->io_open = ngx_webrtc_source_refuse_open;

    ngx_webrtc_source_refuse_run = run;

    ngx_memzero(&run->sniff, sizeof(ngx_webrtc_sniff_t));
}


void
ngx_webrtc_source_refuse_move(ngx_webrtc_source_run_t *run)
{
    ngx_webrtc_source_refuse_run = run;
}


static int
ngx_webrtc_source_refuse_open(AVFormatContext *ic, AVIOContext **pb,
    const char *url, int flags, AVDictionary **options)
{
    int                       rc;
    ngx_webrtc_source_run_t  *run;

    run = ngx_webrtc_source_refuse_run;

    rc = run->io_open(ic, pb, url, flags, options);

    /* playlists open more, each with its own */

    if (rc >= 0 && *pb && run->io_read == NULL) {

        run->io_read = (*pb)->read_packet;

        if (run->io_read) {
            (*pb)->read_packet = ngx_webrtc_source_refuse_read;
        }
    }

    return rc;
}


static int
ngx_webrtc_source_refuse_read(void *opaque, uint8_t *buf, int size)
{
    int                       n;
    ngx_webrtc_source_run_t  *run;

    run = ngx_webrtc_source_refuse_run;

    n = run->io_read(opaque, buf, size);

    if (n > 0) {
        ngx_webrtc_sniff(&run->sniff, buf, n);

        if (!run->video_ready
            && !run->audio_ready
            && run->sniff.clear == 0
            && ngx_webrtc_sniff_scrambled(&run->sniff))
        {
            /* there would never be a packet, and waiting would not end */
            return AVERROR_INVALIDDATA;
        }
    }

    return n;
}


void
ngx_webrtc_source_refuse_codec(void *ctx, ngx_uint_t kind, const char *codec)
{
    ngx_webrtc_source_run_t  *run = ctx;

    u_char  *name;

    name = run->refused[kind == NGX_WEBRTC_VIDEO];

    (void) ngx_cpystrn(name, (u_char *) codec, NGX_WEBRTC_SOURCE_REFUSED);

    ngx_webrtc_source_thread_log(run->th, NGX_LOG_ERR,
                                 "%s codec \"%s\" cannot be sent, left out",
                                 kind == NGX_WEBRTC_VIDEO ? "video" : "audio",
                                 name);
}


ngx_int_t
ngx_webrtc_source_refuse(ngx_webrtc_source_run_t *run)
{
    u_char      *p;
    u_char       buf[NGX_WEBRTC_MEDIA_TEXT];
    ngx_uint_t   none;

    ngx_webrtc_source_refuse_pids(run);
    ngx_webrtc_source_refuse_announced(run);

    if (run->video_ready || run->audio_ready) {
        return NGX_OK;
    }

    none = (run->rd.chosen && run->rd.video.index < 0
            && (run->rd.audio.index < 0 || run->audio_failed));

    if (!ngx_webrtc_sniff_scrambled(&run->sniff)
        && (!none
            || ngx_webrtc_time_now() - run->opened_us
               < NGX_WEBRTC_SOURCE_REFUSE_US))
    {
        return NGX_OK;
    }

    p = ngx_webrtc_source_refuse_print(run, buf, buf + sizeof(buf));

    if (p == buf) {
        return NGX_OK;
    }

    ngx_webrtc_source_thread_error(run->th, "%*s", (size_t) (p - buf), buf);

    return NGX_ERROR;
}


/*
 * One track is there: if the other one is scrambled, do not wait for it.
 * Logged once.
 */

static void
ngx_webrtc_source_refuse_pids(ngx_webrtc_source_run_t *run)
{
    ngx_uint_t                   i, kind;
    ngx_webrtc_source_stream_t  *s;

    if (run->sniff.scrambled == 0 || !run->rd.ts
        || (!run->video_ready && !run->audio_ready))
    {
        return;
    }

    for (i = 0; i < 2; i++) {

        kind = i ? NGX_WEBRTC_AUDIO : NGX_WEBRTC_VIDEO;
        s = i ? &run->rd.audio : &run->rd.video;

        if (s->index < 0
            || (run->rd.scrambled & kind)
            || !ngx_webrtc_sniff_pid(&run->sniff,
                                     run->ic->streams[s->index]->id))
        {
            continue;
        }

        run->rd.scrambled |= kind;

        ngx_webrtc_source_thread_log(run->th, NGX_LOG_ERR,
                                     "%s is scrambled, left out",
                                     i ? "audio" : "video");
    }
}


/*
 * nginx-rtmp does not pass on video that it has no name for, only what the
 * publisher said about it: onMetaData has a number, or a FourCC as a number
 * or as text.
 */

static void
ngx_webrtc_source_refuse_announced(ngx_webrtc_source_run_t *run)
{
    u_char              code[4];
    uint64_t            v;
    AVDictionaryEntry  *e;

    e = run->rd.flv ? av_dict_get(run->ic->metadata, "videocodecid", NULL, 0)
                    : NULL;

    if (e == NULL || run->video_seen
        || run->rd.enhanced
        || ngx_webrtc_time_now() - run->opened_us
           < NGX_WEBRTC_SOURCE_REFUSE_VIDEO)
    {
        return;
    }

    v = strtoull(e->value, NULL, 10);

    if (v && v <= 0xff) {
        (void) ngx_webrtc_source_read_flv(&run->rd, NGX_WEBRTC_VIDEO,
                                          (ngx_uint_t) v, NULL, 0);
        return;
    }

    /* FFmpeg 6.1 and later take it */

    if (LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 16, 100)) {
        return;
    }

    if (v) {
        code[0] = (u_char) (v >> 24);
        code[1] = (u_char) (v >> 16);
        code[2] = (u_char) (v >> 8);
        code[3] = (u_char) v;

    } else if (ngx_strlen(e->value) == 4) {
        ngx_memcpy(code, e->value, 4);

    } else {
        return;
    }

    if (ngx_memcmp(code, "avc1", 4) != 0) {
        (void) ngx_webrtc_source_read_flv(&run->rd, NGX_WEBRTC_VIDEO, 0, code,
                                          4);
    }
}


u_char *
ngx_webrtc_source_refuse_print(ngx_webrtc_source_run_t *run, u_char *p,
    u_char *last)
{
    u_char      *begin;
    ngx_uint_t   i;
    const char  *name;

    if (ngx_webrtc_sniff_scrambled(&run->sniff)) {
        return ngx_slprintf(p, last, "the transport stream is scrambled");
    }

    begin = p;

    for (i = 0; i < 2; i++) {

        if (run->refused[!i][0]) {
            p = ngx_slprintf(p, last, "%s%s codec \"%s\"",
                             p == begin ? "" : ", ", i ? "audio" : "video",
                             run->refused[!i]);
        }
    }

    if (p != begin) {
        return ngx_slprintf(p, last, " cannot be sent");
    }

    if (run->ic == NULL) {

        name = ngx_webrtc_sniff_name(&run->sniff);

        return name ? ngx_slprintf(p, last, "it is %s and no media", name) : p;
    }

    if (run->rd.ts && run->rd.chosen
        && run->rd.video.index < 0 && run->rd.audio.index < 0)
    {
        return ngx_webrtc_source_refuse_streams(run->ic, p, last);
    }

    return p;
}


static u_char *
ngx_webrtc_source_refuse_streams(AVFormatContext *ic, u_char *p, u_char *last)
{
    ngx_uint_t          i, n;
    AVCodecParameters  *par;

    p = ngx_slprintf(p, last, "it has no video and no audio");

    n = ngx_min(ic->nb_streams, NGX_WEBRTC_SOURCE_REFUSE_STREAMS);

    for (i = 0; i < n; i++) {

        par = ic->streams[i]->codecpar;

        p = ngx_slprintf(p, last, "%s%s", i ? ", " : ": ",
                         par->codec_id == AV_CODEC_ID_NONE
                         ? "private data" : avcodec_get_name(par->codec_id));

        /* H.222.0, Table 2-34 */
        p = ngx_slprintf(p, last, " (type 0x%02xD)", par->codec_tag);
    }

    return (n < ic->nb_streams) ? ngx_slprintf(p, last, ", ...") : p;
}
