
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Plays a movie: see the header file.
 *
 * Where a generation begins.  With a picture that goes as it is: at the last
 * key frame at or before the time asked for.  The file is asked for it, and
 * what is read is held until a picture after that time has come: a container
 * without an index knows only about where it is.  If no key frame has come by
 * then the file is asked for an earlier one.  Sound alone, and a picture that
 * is encoded, begin at the very time.
 *
 * Pictures that are decoded after that key frame and shown before it need
 * others before it, and are left out; and so is sound that ends before it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_name.h"
#include "ngx_webrtc_movie_play.h"
#include "ngx_webrtc_source_turn.h"
#include "ngx_webrtc_video_decode.h"


/* pictures by which one may be decoded before it is shown: what H.264 and H.265
 * allow at most */
#define NGX_WEBRTC_MOVIE_PLAY_DEPTH   16

/* how often what is held is of no use before it is given up; chosen: minutes */
#define NGX_WEBRTC_MOVIE_PLAY_DROPS   16

/* us before the time asked for; the last one is the whole file */
static const int64_t  ngx_webrtc_movie_play_back[] = {
    0, 2000000, 6000000, 20000000, 60000000, INT64_MAX / 2
};

#define NGX_WEBRTC_MOVIE_PLAY_TRIES                                           \
    (sizeof(ngx_webrtc_movie_play_back) / sizeof(int64_t))


static ngx_int_t ngx_webrtc_movie_play_tracks(ngx_webrtc_movie_play_t *play);
static ngx_int_t ngx_webrtc_movie_play_streams(ngx_webrtc_movie_play_t *play);
static ngx_int_t ngx_webrtc_movie_play_describe(ngx_webrtc_movie_play_t *play,
    AVCodecParameters *video, AVCodecParameters *audio);
static ngx_int_t ngx_webrtc_movie_play_info(ngx_webrtc_movie_play_t *play);
static ngx_int_t ngx_webrtc_movie_play_find(ngx_webrtc_movie_play_t *play);
static ngx_int_t ngx_webrtc_movie_play_look(ngx_webrtc_movie_play_t *play,
    ngx_uint_t last);
static ngx_int_t ngx_webrtc_movie_play_hold(ngx_webrtc_movie_play_t *play,
    AVPacket *pkt);
static void ngx_webrtc_movie_play_drop(ngx_webrtc_movie_play_t *play);
static ngx_int_t ngx_webrtc_movie_play_start(ngx_webrtc_movie_play_t *play);
static ngx_int_t ngx_webrtc_movie_play_read(ngx_webrtc_movie_play_t *play);
static ngx_int_t ngx_webrtc_movie_play_next(ngx_webrtc_movie_play_t *play,
    AVPacket **ppkt);
static ngx_int_t ngx_webrtc_movie_play_packet(ngx_webrtc_movie_play_t *play,
    AVPacket *pkt);
static ngx_int_t ngx_webrtc_movie_play_video(ngx_webrtc_movie_play_t *play,
    AVPacket *pkt);
static ngx_int_t ngx_webrtc_movie_play_audio(ngx_webrtc_movie_play_t *play,
    AVPacket *pkt);
static ngx_int_t ngx_webrtc_movie_play_text(ngx_webrtc_movie_play_t *play,
    AVPacket *pkt);
static ngx_int_t ngx_webrtc_movie_play_sound(void *ctx, AVPacket *pkt);
static ngx_int_t ngx_webrtc_movie_play_picture(void *ctx, AVPacket *pkt);
static ngx_int_t ngx_webrtc_movie_play_flush(ngx_webrtc_movie_play_t *play);
static ngx_int_t ngx_webrtc_movie_play_fragments(
    ngx_webrtc_movie_play_t *play);
static ngx_int_t ngx_webrtc_movie_play_put(ngx_webrtc_movie_play_t *play,
    ngx_uint_t type, int64_t us, u_char *data, size_t n);
static int64_t ngx_webrtc_movie_play_us(ngx_webrtc_movie_play_t *play,
    AVPacket *pkt, int64_t ts);
static ngx_int_t ngx_webrtc_movie_play_failed(ngx_webrtc_movie_play_t *play,
    const char *cause);


ngx_int_t
ngx_webrtc_movie_play_open(ngx_webrtc_movie_play_t *play, int fd)
{
    play->in.over = play->out.stopped;
    play->in.ctx = play->out.ctx;

    return ngx_webrtc_movie_in_open(&play->in, fd, &play->cause);
}


void
ngx_webrtc_movie_play_close(ngx_webrtc_movie_play_t *play)
{
    ngx_uint_t  i;

    ngx_webrtc_movie_play_drop(play);

    ngx_webrtc_movie_mux_end(&play->mux);
    ngx_webrtc_movie_sound_end(&play->sound);
    ngx_webrtc_movie_picture_end(&play->picture);

    for (i = 0; i < NGX_WEBRTC_MOVIE_TRACKS; i++) {
        ngx_webrtc_movie_text_end(&play->texts[i]);
    }

    ngx_webrtc_movie_in_close(&play->in);
}


ngx_int_t
ngx_webrtc_movie_play(ngx_webrtc_movie_play_t *play,
    const ngx_webrtc_media_seek_t *seek)
{
    ngx_int_t  rc;

    ngx_webrtc_movie_play_drop(play);

    play->seek = *seek;
    play->started = 0;
    play->described = 0;
    play->pictured = 0;
    play->aborted = 0;

    play->target_us = (int64_t) seek->ms * 1000;

    if (play->in.movie.duration_ms && seek->ms > play->in.movie.duration_ms) {
        play->target_us = (int64_t) play->in.movie.duration_ms * 1000;
    }

    rc = ngx_webrtc_movie_play_tracks(play);

    if (rc == NGX_OK) {
        rc = ngx_webrtc_movie_play_find(play);
    }

    if (rc == NGX_OK) {
        rc = ngx_webrtc_movie_play_start(play);
    }

    while (rc == NGX_OK) {
        rc = ngx_webrtc_movie_play_read(play);
    }

    if (rc == NGX_DONE) {
        rc = ngx_webrtc_movie_play_flush(play);
    }

    return play->aborted || play->out.over(play->out.ctx) ? NGX_ABORT : rc;
}


/* which tracks, and what becomes of them */

static ngx_int_t
ngx_webrtc_movie_play_tracks(ngx_webrtc_movie_play_t *play)
{
    ngx_int_t            rc;
    AVStream            *st;
    AVFormatContext     *ic;
    AVCodecParameters   *video, *audio;

    rc = ngx_webrtc_movie_play_streams(play);

    if (rc != NGX_OK) {
        return rc;
    }

    ic = play->in.ic;

    video = avcodec_parameters_alloc();
    audio = avcodec_parameters_alloc();

    rc = (video && audio) ? NGX_OK
                          : ngx_webrtc_movie_play_failed(play, "no memory");

    if (rc == NGX_OK && play->video != -1) {
        st = ic->streams[play->video];

        if (avcodec_parameters_copy(video, st->codecpar) < 0) {
            rc = ngx_webrtc_movie_play_failed(play, "no memory");
        }
    }

    ngx_webrtc_movie_picture_end(&play->picture);
    ngx_memzero(&play->picture, sizeof(ngx_webrtc_movie_picture_t));

    if (rc == NGX_OK && play->video != -1
        && play->video_is == NGX_WEBRTC_MOVIE_H264)
    {
        play->picture.packet = ngx_webrtc_movie_play_picture;
        play->picture.ctx = play;

        rc = ngx_webrtc_movie_picture_begin(&play->picture, ic,
                                            ic->streams[play->video],
                                            play->height, &play->cause);
    }

    ngx_webrtc_movie_sound_end(&play->sound);
    ngx_memzero(&play->sound, sizeof(ngx_webrtc_movie_sound_t));

    if (rc == NGX_OK && play->audio != -1) {
        st = ic->streams[play->audio];

        if (play->audio_is != NGX_WEBRTC_MOVIE_AS_IS) {
            play->sound.packet = ngx_webrtc_movie_play_sound;
            play->sound.ctx = play;

            rc = ngx_webrtc_movie_sound_begin(&play->sound, st->codecpar,
                                              st->time_base,
                                              play->audio_is
                                              == NGX_WEBRTC_MOVIE_OPUS
                                              ? AV_CODEC_ID_OPUS
                                              : AV_CODEC_ID_AAC,
                                              &play->cause);
        }

        if (rc == NGX_OK
            && (play->sound.out
                ? avcodec_parameters_from_context(audio, play->sound.out)
                : avcodec_parameters_copy(audio, st->codecpar))
               < 0)
        {
            rc = ngx_webrtc_movie_play_failed(play, "no memory");
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_webrtc_movie_play_describe(play,
                                            play->video == -1 ? NULL : video,
                                            play->audio == -1 ? NULL : audio);
    }

    avcodec_parameters_free(&video);
    avcodec_parameters_free(&audio);

    return rc;
}


static ngx_int_t
ngx_webrtc_movie_play_streams(ngx_webrtc_movie_play_t *play)
{
    uint16_t             heights[NGX_WEBRTC_MOVIE_QUALITIES];
    ngx_uint_t           i, n;
    ngx_webrtc_movie_t  *movie;

    movie = &play->in.movie;

    play->video = -1;
    play->video_is = NGX_WEBRTC_MOVIE_LEAVE;
    play->audio = -1;
    play->audio_is = NGX_WEBRTC_MOVIE_LEAVE;

    n = ngx_webrtc_movie_qualities(movie, &play->plan, heights);

    if (play->plan.video < movie->ntracks
        && movie->tracks[play->plan.video].kind == NGX_WEBRTC_MOVIE_VIDEO)
    {
        if (play->seek.quality >= n) {
            play->seek.quality = 0;
        }

        play->video = movie->tracks[play->plan.video].stream;
        play->video_is = ngx_webrtc_movie_action(movie, &play->plan,
                                                 play->plan.video,
                                                 heights[play->seek.quality]);
        play->height = heights[play->seek.quality];
    }

    i = play->seek.audio;

    if (i >= movie->ntracks || movie->tracks[i].kind != NGX_WEBRTC_MOVIE_AUDIO
        || ngx_webrtc_movie_action(movie, &play->plan, i, 0)
           == NGX_WEBRTC_MOVIE_LEAVE)
    {
        i = play->plan.audio;
        play->seek.audio = play->plan.audio;
    }

    if (i < movie->ntracks && movie->tracks[i].kind == NGX_WEBRTC_MOVIE_AUDIO)
    {
        play->audio = movie->tracks[i].stream;
        play->audio_is = ngx_webrtc_movie_action(movie, &play->plan, i, 0);
    }

    if ((play->video == -1 && play->audio == -1)
        || (play->video != -1 && play->video_is == NGX_WEBRTC_MOVIE_LEAVE)
        || (play->audio != -1 && play->audio_is == NGX_WEBRTC_MOVIE_LEAVE))
    {
        return ngx_webrtc_movie_play_failed(play, "the file has changed");
    }

    /* others need not be read */

    for (i = 0; i < movie->ntracks; i++) {
        n = movie->tracks[i].stream;

        play->in.ic->streams[n]->discard =
                              (movie->tracks[i].kind == NGX_WEBRTC_MOVIE_TEXT
                               || (int) n == play->video
                               || (int) n == play->audio)
                              ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_movie_play_describe(ngx_webrtc_movie_play_t *play,
    AVCodecParameters *video, AVCodecParameters *audio)
{
    const uint8_t  *matrix;

    if (ngx_webrtc_movie_mux_begin(&play->mux, video, audio,
                                   play->video_is == NGX_WEBRTC_MOVIE_H264
                                   ? 0 : NGX_WEBRTC_MOVIE_PLAY_DEPTH, 0)
        != NGX_OK)
    {
        return ngx_webrtc_movie_play_failed(play, "no memory");
    }

    if (video && play->video_is == NGX_WEBRTC_MOVIE_AS_IS) {
        matrix = ngx_webrtc_source_turn_matrix(
                                           play->in.ic->streams[play->video]);

        if (matrix) {
            ngx_webrtc_movie_mux_turn(&play->mux, matrix);
        }
    }

    return NGX_OK;
}


/*
 * Before a segment, which has what it tells; again when that has changed.
 */

static ngx_int_t
ngx_webrtc_movie_play_info(ngx_webrtc_movie_play_t *play)
{
    char                           video[NGX_WEBRTC_MOVIE_CODEC + 1];
    char                           audio[NGX_WEBRTC_MOVIE_CODEC + 1];
    size_t                         n;
    u_char                         info[NGX_WEBRTC_MOVIE_INFO];
    ngx_uint_t                     i;
    ngx_webrtc_movie_mux_track_t  *t;

    for (i = 0; i < play->mux.ntracks; i++) {
        t = &play->mux.tracks[i];

        (void) ngx_webrtc_movie_name(t->par, t->video ? video : audio,
                                     NGX_WEBRTC_MOVIE_CODEC + 1);
    }

    n = ngx_webrtc_movie_info(&play->in, &play->plan,
                              play->video == -1 ? NULL : video,
                              play->audio == -1 ? NULL : audio,
                              play->audio == -1 ? NGX_WEBRTC_MOVIE_NONE
                                                : play->seek.audio,
                              play->seek.quality,
                              play->video != -1
                              && play->video_is != NGX_WEBRTC_MOVIE_AS_IS,
                              info);

    if (n == play->ninfo && ngx_memcmp(info, play->info, n) == 0) {
        return NGX_OK;
    }

    play->ninfo = n;
    ngx_memcpy(play->info, info, n);

    return ngx_webrtc_movie_play_put(play, NGX_WEBRTC_MEDIA_INFO, 0,
                                     play->info, n);
}


/* where to begin: packets from there on are held */

static ngx_int_t
ngx_webrtc_movie_play_find(ngx_webrtc_movie_play_t *play)
{
    int64_t     us;
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_MOVIE_PLAY_TRIES; i++) {

        us = play->target_us - ngx_min(play->target_us,
                                       ngx_webrtc_movie_play_back[i]);

        if ((us > 0 || play->moved)
            && ngx_webrtc_movie_in_seek(&play->in,
                                        play->video == -1 ? play->audio
                                                          : play->video,
                                        us)
               != NGX_OK)
        {
            return ngx_webrtc_movie_play_failed(play,
                                                "it cannot be sought in");
        }

        play->moved = 1;

        rc = ngx_webrtc_movie_play_look(play, us == 0);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_webrtc_movie_play_failed(play, "it has no key frame");
}


/*
 *   last   there is nothing before it
 *
 * NGX_DECLINED: no key frame in time
 */

static ngx_int_t
ngx_webrtc_movie_play_look(ngx_webrtc_movie_play_t *play, ngx_uint_t last)
{
    int64_t     us;
    AVPacket   *pkt;
    ngx_int_t   rc;
    ngx_uint_t  drops;

    drops = 0;

    ngx_webrtc_movie_play_drop(play);

    for ( ;; ) {
        rc = ngx_webrtc_movie_play_next(play, &pkt);

        if (rc == NGX_DONE) {
            return (play->key || last || play->video == -1) ? NGX_OK
                                                            : NGX_DECLINED;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (play->video == -1) {

            /* sound is taken from anywhere */

            return ngx_webrtc_movie_play_hold(play, pkt);
        }

        us = ngx_webrtc_movie_play_us(play, pkt, pkt->pts);

        if (pkt->stream_index == play->video
            && (pkt->flags & AV_PKT_FLAG_KEY))
        {
            if (play->key && us > play->target_us) {
                return ngx_webrtc_movie_play_hold(play, pkt);
            }

            if (us <= play->target_us || last) {

                /* the best one so far */

                if (play->key) {
                    ngx_webrtc_movie_play_drop(play);
                }

                play->key = 1;
                play->start_us = us;

                rc = ngx_webrtc_movie_play_hold(play, pkt);

                if (us >= play->target_us || rc != NGX_OK) {
                    return rc;
                }

                continue;
            }

            av_packet_free(&pkt);
            return NGX_DECLINED;
        }

        rc = ngx_webrtc_movie_play_hold(play, pkt);

        if (rc != NGX_OK) {
            return rc;
        }

        /* enough: no better one comes, or there is no room to wait for it */

        if (play->key
            && ((pkt->stream_index == play->video && us > play->target_us)
                || play->nheld == NGX_WEBRTC_MOVIE_PLAY_HELD
                || play->bytes > NGX_WEBRTC_MOVIE_MUX_KEEP / 2))
        {
            return NGX_OK;
        }

        if (play->nheld == NGX_WEBRTC_MOVIE_PLAY_HELD
            || play->bytes > NGX_WEBRTC_MOVIE_MUX_KEEP / 2)
        {
            /* the oldest are of no use without a key frame */

            ngx_webrtc_movie_play_drop(play);

            if (++drops == NGX_WEBRTC_MOVIE_PLAY_DROPS) {
                return last ? ngx_webrtc_movie_play_failed(play,
                                                     "it has no key frame")
                            : NGX_DECLINED;
            }
        }
    }
}


static ngx_int_t
ngx_webrtc_movie_play_hold(ngx_webrtc_movie_play_t *play, AVPacket *pkt)
{
    play->held[play->nheld++] = pkt;
    play->bytes += pkt->size;

    return NGX_OK;
}


static void
ngx_webrtc_movie_play_drop(ngx_webrtc_movie_play_t *play)
{
    ngx_uint_t  i;

    for (i = 0; i < play->nheld; i++) {
        av_packet_free(&play->held[i]);
    }

    play->nheld = 0;
    play->bytes = 0;
    play->key = 0;
}


/* it is known where */

static ngx_int_t
ngx_webrtc_movie_play_start(ngx_webrtc_movie_play_t *play)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    if (play->video == -1) {
        play->start_us = play->target_us;
    }

    if (play->video != -1 && play->video_is == NGX_WEBRTC_MOVIE_H264) {
        play->start_us = ngx_max(play->start_us, play->target_us);
    }

    play->start_us = ngx_max(play->start_us, 0);
    play->mux.begin_us = play->start_us;
    play->started = 1;

    ngx_webrtc_movie_sound_from(&play->sound, play->start_us);
    ngx_webrtc_movie_picture_from(&play->picture, play->start_us);

    rc = NGX_OK;

    for (i = 0; i < play->nheld && rc == NGX_OK; i++) {
        rc = ngx_webrtc_movie_play_packet(play, play->held[i]);
    }

    ngx_webrtc_movie_play_drop(play);

    return rc;
}


/* NGX_DONE: the end */

static ngx_int_t
ngx_webrtc_movie_play_read(ngx_webrtc_movie_play_t *play)
{
    AVPacket  *pkt;
    ngx_int_t  rc;

    rc = ngx_webrtc_movie_play_next(play, &pkt);

    if (rc == NGX_OK) {
        rc = ngx_webrtc_movie_play_packet(play, pkt);
        av_packet_free(&pkt);
    }

    return rc;
}


/* *ppkt is the caller's */

static ngx_int_t
ngx_webrtc_movie_play_next(ngx_webrtc_movie_play_t *play, AVPacket **ppkt)
{
    ngx_int_t  rc;

    if (play->out.over(play->out.ctx)) {
        play->aborted = 1;
        return NGX_ABORT;
    }

    *ppkt = av_packet_alloc();

    if (*ppkt == NULL) {
        return ngx_webrtc_movie_play_failed(play, "no memory");
    }

    rc = ngx_webrtc_movie_in_read(&play->in, *ppkt);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    av_packet_free(ppkt);

    return (rc == NGX_DONE) ? NGX_DONE
                            : ngx_webrtc_movie_play_failed(play,
                                                        "it cannot be read");
}


/* leaves pkt to its owner, maybe empty */

static ngx_int_t
ngx_webrtc_movie_play_packet(ngx_webrtc_movie_play_t *play, AVPacket *pkt)
{
    ngx_int_t  rc;

    if (pkt->stream_index == play->video) {
        rc = ngx_webrtc_movie_play_video(play, pkt);

    } else if (pkt->stream_index == play->audio) {
        rc = ngx_webrtc_movie_play_audio(play, pkt);

    } else {
        return ngx_webrtc_movie_play_text(play, pkt);
    }

    return (rc == NGX_OK) ? ngx_webrtc_movie_play_fragments(play) : rc;
}


static ngx_int_t
ngx_webrtc_movie_play_video(ngx_webrtc_movie_play_t *play, AVPacket *pkt)
{
    AVRational  tb;

    if (play->video_is == NGX_WEBRTC_MOVIE_H264) {

        if (ngx_webrtc_movie_picture_packet(&play->picture, pkt) != NGX_OK) {
            return play->aborted
                   ? NGX_ABORT
                   : ngx_webrtc_movie_play_failed(play, "its picture cannot be"
                                                  " encoded");
        }

        return NGX_OK;
    }

    /* what cannot be decoded, or is none */

    if (ngx_webrtc_movie_play_us(play, pkt, pkt->pts) < play->start_us) {
        return NGX_OK;
    }

    tb = play->in.ic->streams[pkt->stream_index]->time_base;

    if (ngx_webrtc_movie_mux_packet(&play->mux, 1, pkt, tb) != NGX_OK) {
        return ngx_webrtc_movie_play_failed(play, "its tracks are too far"
                                            " apart");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_movie_play_audio(ngx_webrtc_movie_play_t *play, AVPacket *pkt)
{
    AVRational  tb;

    if (play->sound.out) {

        if (ngx_webrtc_movie_sound_packet(&play->sound, pkt) != NGX_OK) {
            return play->aborted
                   ? NGX_ABORT
                   : ngx_webrtc_movie_play_failed(play, "its sound cannot be"
                                                  " decoded");
        }

        return NGX_OK;
    }

    if (ngx_webrtc_movie_play_us(play, pkt, pkt->pts + pkt->duration)
        <= play->start_us)
    {
        return NGX_OK;
    }

    tb = play->in.ic->streams[pkt->stream_index]->time_base;

    if (ngx_webrtc_movie_mux_packet(&play->mux, 0, pkt, tb) != NGX_OK) {
        return ngx_webrtc_movie_play_failed(play, "its tracks are too far"
                                            " apart");
    }

    return NGX_OK;
}


/* a cue, with the track's place before it */

static ngx_int_t
ngx_webrtc_movie_play_text(ngx_webrtc_movie_play_t *play, AVPacket *pkt)
{
    size_t               n;
    u_char               cue[4 + NGX_WEBRTC_MOVIE_TEXT_CUE];
    AVStream            *st;
    ngx_uint_t           i;
    ngx_webrtc_movie_t  *movie;

    movie = &play->in.movie;

    for (i = 0; i < movie->ntracks; i++) {

        if (movie->tracks[i].stream != pkt->stream_index
            || movie->tracks[i].kind != NGX_WEBRTC_MOVIE_TEXT)
        {
            continue;
        }

        st = play->in.ic->streams[pkt->stream_index];

        n = ngx_webrtc_movie_text_cue(&play->texts[i], st->codecpar,
                                      st->time_base, pkt, cue + 4);
        if (n == 0) {
            return NGX_OK;
        }

        cue[0] = 0;
        cue[1] = 0;
        cue[2] = 0;
        cue[3] = (u_char) i;

        return ngx_webrtc_movie_play_put(play, NGX_WEBRTC_MEDIA_CUE, 0, cue,
                                         4 + n);
    }

    return NGX_OK;
}


/* sound that was transcoded */

static ngx_int_t
ngx_webrtc_movie_play_sound(void *ctx, AVPacket *pkt)
{
    ngx_webrtc_movie_play_t *play = ctx;

    return ngx_webrtc_movie_mux_packet(&play->mux, 0, pkt,
                                       play->sound.out->time_base);
}


/* pictures that were encoded */

static ngx_int_t
ngx_webrtc_movie_play_picture(void *ctx, AVPacket *pkt)
{
    ngx_webrtc_movie_play_t *play = ctx;

    if (!play->pictured) {
        play->pictured = 1;

        if (ngx_webrtc_movie_mux_encoder(&play->mux, play->picture.encode.enc)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_webrtc_movie_mux_packet(&play->mux, 1, pkt,
                                       av_make_q(1, NGX_WEBRTC_VIDEO_CLOCK));
}


/* the file has ended */

static ngx_int_t
ngx_webrtc_movie_play_flush(ngx_webrtc_movie_play_t *play)
{
    ngx_int_t  rc;

    if (play->picture.in
        && ngx_webrtc_movie_picture_packet(&play->picture, NULL) != NGX_OK)
    {
        return ngx_webrtc_movie_play_failed(play, "its picture cannot be"
                                            " encoded");
    }

    if (play->sound.out
        && ngx_webrtc_movie_sound_packet(&play->sound, NULL) != NGX_OK)
    {
        return ngx_webrtc_movie_play_failed(play, "its sound cannot be"
                                            " decoded");
    }

    ngx_webrtc_movie_mux_flush(&play->mux);

    rc = ngx_webrtc_movie_play_fragments(play);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_webrtc_movie_play_put(play, NGX_WEBRTC_MEDIA_OVER, 0, NULL, 0);
}


/* all that can be made */

static ngx_int_t
ngx_webrtc_movie_play_fragments(ngx_webrtc_movie_play_t *play)
{
    int64_t                  cut_us;
    ngx_int_t                rc;
    ngx_webrtc_movie_mux_t  *mux;

    mux = &play->mux;

    while (ngx_webrtc_movie_mux_ready(mux, &cut_us) == NGX_OK) {

        if (!play->described) {

            if (ngx_webrtc_movie_mux_init(mux) != NGX_OK) {
                return ngx_webrtc_movie_play_failed(play, "its tracks do not"
                                                    " fit MP4");
            }

            rc = ngx_webrtc_movie_play_info(play);

            if (rc != NGX_OK) {
                return rc;
            }

            rc = ngx_webrtc_movie_play_put(play, NGX_WEBRTC_MEDIA_INIT,
                                           play->start_us, mux->out.data,
                                           mux->out.len);
            if (rc != NGX_OK) {
                return rc;
            }

            play->described = 1;
        }

        rc = ngx_webrtc_movie_mux_fragment(mux, cut_us);

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (rc != NGX_OK) {
            return ngx_webrtc_movie_play_failed(play, "no memory");
        }

        rc = ngx_webrtc_movie_play_put(play, NGX_WEBRTC_MEDIA_FRAGMENT, cut_us,
                                       mux->out.data, mux->out.len);
        if (rc != NGX_OK) {
            return rc;
        }

        if (play->out.ahead(play->out.ctx, cut_us) != NGX_OK) {
            play->aborted = 1;
            return NGX_ABORT;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_movie_play_put(ngx_webrtc_movie_play_t *play, ngx_uint_t type,
    int64_t us, u_char *data, size_t n)
{
    if (play->out.put(play->out.ctx, type, us / 1000, data, n) != NGX_OK) {
        play->aborted = 1;
        return NGX_ABORT;
    }

    return NGX_OK;
}


static int64_t
ngx_webrtc_movie_play_us(ngx_webrtc_movie_play_t *play, AVPacket *pkt,
    int64_t ts)
{
    return av_rescale_q(ts, play->in.ic->streams[pkt->stream_index]->time_base,
                        AV_TIME_BASE_Q);
}


static ngx_int_t
ngx_webrtc_movie_play_failed(ngx_webrtc_movie_play_t *play, const char *cause)
{
    play->cause = cause;

    return NGX_ERROR;
}
