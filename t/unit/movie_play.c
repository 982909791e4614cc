
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_movie_play: files of build/media, whole and damaged, from their
 * beginning and from places in them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdlib.h>
#include <sanitizer/lsan_interface.h>
#include <sys/mman.h>

#include "ngx_webrtc_movie_play.h"

#include "tap.h"


/* damaged copies of each file; chosen: a few seconds for all */
#define COPIES  12


static struct {
    ngx_uint_t   infos;
    ngx_uint_t   inits;
    ngx_uint_t   fragments;
    ngx_uint_t   cues;
    ngx_uint_t   overs;
    ngx_uint_t   wrong;
    int64_t      start_ms;
    int64_t      end_ms;
    ngx_uint_t   stop;          /* after that many fragments; 0: never */
} out;


static ngx_int_t
on_put(void *ctx, ngx_uint_t type, int64_t ms, u_char *data, size_t n)
{
    (void) ctx;

    switch (type) {

    case NGX_WEBRTC_MEDIA_INFO:
        out.infos++;
        out.wrong += (n < 2 || data[0] != '{' || data[n - 1] != '}'
                      || n == NGX_WEBRTC_MOVIE_INFO);
        break;

    case NGX_WEBRTC_MEDIA_INIT:
        out.inits++;
        out.wrong += (n < 16 || memcmp(data + 4, "ftyp", 4) != 0
                      || out.infos == 0);
        out.start_ms = ms;
        out.end_ms = ms;
        break;

    case NGX_WEBRTC_MEDIA_FRAGMENT:
        out.fragments++;
        out.wrong += (n < 16 || memcmp(data + 4, "moof", 4) != 0
                      || out.inits == 0 || ms < out.end_ms);
        out.end_ms = ms;
        break;

    case NGX_WEBRTC_MEDIA_CUE:
        out.cues++;
        out.wrong += (n < 4 + 30);
        break;

    case NGX_WEBRTC_MEDIA_OVER:
        out.overs++;
    }

    return NGX_OK;
}


static ngx_int_t
on_ahead(void *ctx, int64_t us)
{
    (void) ctx;
    (void) us;

    return (out.stop && out.fragments >= out.stop) ? NGX_ABORT : NGX_OK;
}


static ngx_uint_t
on_over(void *ctx)
{
    (void) ctx;

    return 0;
}


/* a copy of a file, with n bytes changed */

static int
copy(const char *name, ngx_uint_t n, unsigned seed)
{
    int           from, fd;
    char          path[1024];
    off_t         at, size;
    u_char        buf[65536], c;
    ssize_t       k;
    const char   *build;

    build = getenv("WEBRTC_BUILD");

    (void) snprintf(path, sizeof(path), "%s/media/%s", build ? build : "build",
                    name);

    from = open(path, O_RDONLY);
    fd = memfd_create("movie", 0);

    if (from == -1 || fd == -1) {
        return -1;
    }

    while ((k = read(from, buf, sizeof(buf))) > 0) {
        if (write(fd, buf, k) != k) {
            return -1;
        }
    }

    (void) close(from);

    size = lseek(fd, 0, SEEK_END);
    srandom(seed);

    while (n--) {
        at = random() % size;
        c = (u_char) random();

        if (pwrite(fd, &c, 1, at) != 1) {
            return -1;
        }
    }

    return fd;
}


static ngx_int_t
play_from(ngx_webrtc_movie_play_t *play, uint32_t generation, uint64_t ms)
{
    ngx_webrtc_media_seek_t  seek;

    memset(&out, 0, sizeof(out));
    memset(&seek, 0, sizeof(seek));

    seek.generation = generation;
    seek.ms = ms;
    seek.audio = NGX_WEBRTC_MOVIE_NONE;

    /* it is the same as before, and not told again */

    out.infos = (generation > 1);

    return ngx_webrtc_movie_play(play, &seek);
}


/* NULL: it cannot be played; closed by its caller */

static ngx_webrtc_movie_play_t *
play_open(int fd)
{
    ngx_str_t                  names, max;
    u_char                     cause[NGX_WEBRTC_MOVIE_CAUSE];
    ngx_webrtc_movie_play_t   *play;
    ngx_webrtc_movie_accept_t  accept;

    play = calloc(1, sizeof(ngx_webrtc_movie_play_t));

    play->out.put = on_put;
    play->out.ahead = on_ahead;
    play->out.over = on_over;
    play->out.stopped = on_over;

    ngx_str_set(&names, "avc1,hvc1,vp9,av01,mp4a.40.2,opus");
    ngx_str_null(&max);

    (void) ngx_webrtc_movie_accept(&names, &max, &accept);

    if (ngx_webrtc_movie_play_open(play, fd) == NGX_OK) {

        /* also what a browser would play as it is */

        play->in.movie.container = NGX_WEBRTC_MOVIE_OTHER;

        if (ngx_webrtc_movie_plan(&play->in.movie, &accept,
                                  NGX_WEBRTC_MOVIE_REMUX, &play->plan, cause)
            == NGX_OK
            && play->plan.mode != NGX_WEBRTC_MOVIE_OFF)
        {
            return play;
        }
    }

    ngx_webrtc_movie_play_close(play);
    free(play);

    return NULL;
}


static void
test_whole(void)
{
    int                       fd;
    ngx_uint_t                i;
    ngx_webrtc_movie_play_t  *play;

    static const struct {
        const char  *name;
        int64_t      ms;             /* asked for, */
        int64_t      start;          /* and got */
        int64_t      end;
    } rows[] = {
        { "movie.mkv", 5000, 4000, 8000 },
        { "bars_b.ts", 6400, 6000, 12000 },
        { "bars.mp4", 6400, 6000, 12000 },
        { "opus.mkv", 100000, 11000, 12000 },
        { "vp9.webm", 2999, 2000, 6000 },
        { "av1.webm", 3100, 3000, 6000 },
        { "video.ts", 0, 0, 12000 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fd = copy(rows[i].name, 0, 0);
        play = (fd == -1) ? NULL : play_open(fd);

        tap_ok(play != NULL, "%s: opened", rows[i].name);

        if (play == NULL) {
            continue;
        }

        tap_is_int(play_from(play, 1, 0), NGX_OK, "%s: played", rows[i].name);
        tap_ok(llabs(out.start_ms) < 100, "%s: from the beginning",
               rows[i].name);
        tap_ok(llabs(out.end_ms - rows[i].end) < 2100, "%s: to the end",
               rows[i].name);
        tap_is_int(out.overs, 1, "%s: which is told", rows[i].name);

        tap_is_int(play_from(play, 2, (uint64_t) rows[i].ms), NGX_OK,
                   "%s: from %d ms", rows[i].name, (int) rows[i].ms);
        tap_ok(llabs(out.start_ms - rows[i].start) < 100,
               "%s: from %d, the key frame before", rows[i].name,
               (int) out.start_ms);
        tap_is_int(out.wrong, 0, "%s: nothing is wrong with it",
                   rows[i].name);

        out.stop = 1;
        ngx_webrtc_movie_play_close(play);
        free(play);
        (void) close(fd);
    }
}


static void
test_damaged(void)
{
    int                       fd;
    ngx_uint_t                i, k, played, wrong;
    ngx_webrtc_movie_play_t  *play;

    static const char  *names[] = {
        "movie.mkv", "bars_b.ts", "bars.mp4", "opus.mkv"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        played = 0;
        wrong = 0;

        for (k = 0; k < COPIES; k++) {
            fd = copy(names[i], (ngx_uint_t) 2 << k, (unsigned) k);
            play = (fd == -1) ? NULL : play_open(fd);

            if (play) {
                (void) play_from(play, 1, 0);
                wrong += out.wrong;
                played += (out.fragments != 0);

                (void) play_from(play, 2, 3000);
                wrong += out.wrong;

                ngx_webrtc_movie_play_close(play);
                free(play);
            }

            (void) close(fd);
        }

        tap_is_int(wrong, 0, "%s, damaged: what comes is of its form",
                   names[i]);
        tap_ok(played > 0, "%s, damaged: something of it is played",
               names[i]);
    }
}


int
main(void)
{
    av_log_set_level(AV_LOG_QUIET);

    test_whole();

    /* libavformat's muxer loses a buffer where it cannot describe a track */

    __lsan_disable();
    test_damaged();
    __lsan_enable();

    return tap_done();
}
