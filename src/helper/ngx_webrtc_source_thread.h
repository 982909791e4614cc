
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The thread of a source, and all that it shares with the process's loop: a
 * stop flag, and a few notes ("up", "down", text for the log).
 *
 * Uses nothing of nginx but its types: no pool, no log, no nginx time, so
 * that everything behind this header runs in unit tests and fuzzers, with or
 * without a thread.
 *
 *   loop                                thread
 *     create, start
 *                                         open, find the tracks
 *                                         note UP, notify()
 *     note() -> sets the stream's tracks  (waits)
 *     go()
 *                                         frames -> feed
 *                                         loss: note DOWN, notify()
 *                                         (backoff) open ...
 *     stop()
 *                                         ended, notify()
 *     join() NGX_OK, destroy()
 */


#ifndef _NGX_WEBRTC_SOURCE_THREAD_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_THREAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>

#include "ngx_webrtc_time.h"
#include "ngx_webrtc_track.h"
#include "ngx_webrtc_atomic.h"
#include "ngx_webrtc_source_url.h"
#include "ngx_webrtc_feed.h"


/*
 * Bytes of a line before secrets are removed; chosen: two URLs of
 * libavformat, so that none is cut in the middle of a secret
 */
#define NGX_WEBRTC_SOURCE_LINE       8192

/*
 * pending notes; chosen: the thread waits after UP and sleeps after DOWN; the
 * rest is rare
 */
#define NGX_WEBRTC_SOURCE_NOTES      8


typedef struct ngx_webrtc_source_thread_s   ngx_webrtc_source_thread_t;
typedef struct ngx_webrtc_source_standby_s  ngx_webrtc_source_standby_t;
typedef struct ngx_webrtc_source_run_s      ngx_webrtc_source_run_t;


/*
 * One of several upstreams.
 *
 *   url        as url_open() makes it, null-terminated
 *   scheme     of that URL
 *   format     demuxer to force, null-terminated, or NULL
 *   program    of MPEG-TS, 0: the first one with video
 *   loop       repeat finite input
 *   lists      a file may be a playlist of HLS
 *   links,
 *   links_from   see ngx_webrtc_source_file_open()
 */
typedef struct {
    const char                        *url;
    const ngx_webrtc_source_scheme_t  *scheme;
    const char                        *format;
    ngx_uint_t                         program;
    ngx_uint_t                         loop;
    ngx_uint_t                         lists;
    ngx_uint_t                         links;
    size_t                             links_from;
} ngx_webrtc_source_from_t;


/* how long not to return to an upstream that did not stay up */
typedef struct {
    ngx_uint_t                         pause;        /* ms, 0: it did */
    uint64_t                           until_us;
} ngx_webrtc_source_shy_t;


/*
 * Copied by create(), strings included.
 *
 *   from       upstreams, tried in order, nfrom of them
 *   name       of the stream, to be valid as long as the thread, or empty
 *   backoff_*, *_timeout   milliseconds, not 0
 *   body       what the thread does: ngx_webrtc_source_retry_run()
 *   stack      bytes, 0: enough for a source
 *   transcode  codecs that are only transcoded are taken, too
 *   probe      it only checks whether the upstream is there
 *   once       do not retry: the thread ends at the first loss
 *   given      descriptor of what the worker writes, where the URL says so; it
 *              lives as long as the thread
 *   unpaced    do not hold files back to real time (tests)
 *   feed       where frames go
 *   doors      asked for the ports, on the loopback, of all workers of this
 *              nginx whose nginx-rtmp listens on an address: up to max are
 *              filled in, family is set, their number returned.  NULL: there
 *              are none.  Called with the same ctx as notify
 *   notify     called by the thread, with nothing locked, when there is a
 *              note or it has ended.  It may call note() and go() at once
 *              where there is no loop (tests)
 */
typedef struct {
    const ngx_webrtc_source_from_t    *from;
    ngx_uint_t                         nfrom;
    ngx_str_t                          name;

    ngx_uint_t                         backoff_min;
    ngx_uint_t                         backoff_max;
    ngx_uint_t                         connect_timeout;
    ngx_uint_t                         read_timeout;
    unsigned                           once:1;
    unsigned                           unpaced:1;
    unsigned                           probe:1;
    unsigned                           transcode:1;
    size_t                             stack;
    ngx_fd_t                           given;

    ngx_webrtc_feed_conf_t             feed;

    ngx_uint_t                       (*doors)(void *ctx, struct sockaddr *sa,
                                           uint16_t *ports, ngx_uint_t max,
                                           int *family);
    void                             (*body)(ngx_webrtc_source_thread_t *th);
    void                             (*notify)(void *ctx);
    void                              *ctx;
} ngx_webrtc_source_thread_conf_t;


/*
 * All fields belong to the thread once it is started, except those under the
 * mutex.
 */
struct ngx_webrtc_source_thread_s {
    ngx_webrtc_source_thread_conf_t    conf;

    /* upstreams, strings in one block after this */

    ngx_webrtc_source_from_t           from[NGX_WEBRTC_MEDIA_FROM];
    ngx_uint_t                         nfrom;
    ngx_uint_t                         now;          /* the current one, */
    ngx_webrtc_source_from_t          *at;           /* itself */
    ngx_uint_t                         over;         /* bits: were played */
    ngx_uint_t                         connect_timeout;   /* as configured */
    ngx_uint_t                         read_timeout;

    ngx_webrtc_source_standby_t       *standby;      /* or NULL, and when it
                                                        is tried again */
    uint64_t                           standby_us;
    ngx_webrtc_source_shy_t            shy[NGX_WEBRTC_MEDIA_FROM];

    ngx_webrtc_feed_t                  feed;

    /*
     * set by the caller, each may be NULL: an upstream begins to play; we are
     * waiting for its input
     */

    void                             (*plays)(ngx_webrtc_source_thread_t *th);
    void                             (*waits)(ngx_webrtc_source_thread_t *th,
                                           uint64_t now_us);

    uint64_t                           deadline_us;  /* of a blocking call */
    size_t                             error_len;
    u_char                             error[NGX_WEBRTC_MEDIA_TEXT];
    size_t                             libav_len;
    u_char                             libav[NGX_WEBRTC_MEDIA_TEXT / 2];
    unsigned                           moved:1;      /* lost as it is at
                                                        another worker */
    unsigned                           up:1;         /* this run */
    unsigned                           live:1;       /* the stream, as told */
    unsigned                           had_audio:1;  /* a run before */
    unsigned                           libav_first:1;   /* the first error
                                                           matters, not the
                                                           last */

    uint32_t                           stop;         /* atomic */
    uint32_t                           better;       /* atomic: an upstream of
                                                        before is there again */

    pthread_t                          tid;
    pthread_mutex_t                    mutex;
    pthread_cond_t                     cond;

    /* under the mutex */

    unsigned                           go:1;
    unsigned                           room:1;       /* for what feeds */
    unsigned                           fed:1;        /* there is input */
    unsigned                           started:1;
    unsigned                           ended:1;
    ngx_uint_t                         nnotes;
    ngx_webrtc_media_note_t           notes[NGX_WEBRTC_SOURCE_NOTES];
};


/* for the loop */

/* NULL: no memory.  It is owned by the caller until destroy(). */
ngx_webrtc_source_thread_t *ngx_webrtc_source_thread_create(
    ngx_webrtc_source_thread_conf_t *conf);

/* NGX_OK; NGX_ERROR, errno is set, nothing runs */
ngx_int_t ngx_webrtc_source_thread_start(ngx_webrtc_source_thread_t *th);

/*
 * Takes the oldest note.  NGX_OK; NGX_AGAIN: there is none.  After stop() no
 * GROW is among them: the thread did not wait and may be writing.
 */
ngx_int_t ngx_webrtc_source_thread_note(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_media_note_t *note);

/* UP or TRACKS has been acted on: frames may be written. */
void ngx_webrtc_source_thread_go(ngx_webrtc_source_thread_t *th);

/* There is room again: wakes wait_room(). */
void ngx_webrtc_source_thread_room(ngx_webrtc_source_thread_t *th);

/* There is something in the ring to it: wakes wait_fed(). */
void ngx_webrtc_source_thread_fed(ngx_webrtc_source_thread_t *th);

/* Asks it to end.  Returns at once. */
void ngx_webrtc_source_thread_stop(ngx_webrtc_source_thread_t *th);

/*
 * Joins it if it ends within ms milliseconds (0: has ended).
 *
 * NGX_OK     joined, or never started
 * NGX_AGAIN  still running
 */
ngx_int_t ngx_webrtc_source_thread_join(ngx_webrtc_source_thread_t *th,
    ngx_uint_t ms);

/* Instead of join(): it frees itself in its last notify(). */
void ngx_webrtc_source_thread_detach(ngx_webrtc_source_thread_t *th);

/* Frees it; only after it has been joined. */
void ngx_webrtc_source_thread_destroy(ngx_webrtc_source_thread_t *th);


/* for the thread */

/* Must the current run end, for good or for a better one? */
ngx_uint_t ngx_webrtc_source_thread_stopped(ngx_webrtc_source_thread_t *th);

/* Makes one of the upstreams the current one. */
void ngx_webrtc_source_thread_choose(ngx_webrtc_source_thread_t *th,
    ngx_uint_t i);

/* From another thread: the run is to end, as a better one is waiting. */
void ngx_webrtc_source_thread_yield(ngx_webrtc_source_thread_t *th);

/* Sleeps until then.  NGX_OK; NGX_ABORT: it has to stop. */
ngx_int_t ngx_webrtc_source_thread_sleep(ngx_webrtc_source_thread_t *th,
    uint64_t until_us);

/*
 * Announces the tracks, with UP first in a run and with MORE later, and waits
 * for go().
 *
 * NGX_OK; NGX_ABORT: it has to stop
 */
ngx_int_t ngx_webrtc_source_thread_up(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_track_t *tracks, ngx_uint_t ntracks);

/*
 * Waits until room() has been called since the previous call.  NGX_OK;
 * NGX_ABORT: it has to stop
 */
ngx_int_t ngx_webrtc_source_thread_wait_room(ngx_webrtc_source_thread_t *th);

/*
 * Likewise for fed(), until then, us.  NGX_AGAIN: the time has passed.
 */
ngx_int_t ngx_webrtc_source_thread_wait_fed(ngx_webrtc_source_thread_t *th,
    uint64_t until_us);

/* Leaves a note.  NGX_OK; NGX_DECLINED: a log line that did not fit. */
ngx_int_t ngx_webrtc_source_thread_post(ngx_webrtc_source_thread_t *th,
    ngx_webrtc_media_note_t *note);

/* A line for the log, without credentials; dropped when there are too many. */
void ngx_webrtc_source_thread_log(ngx_webrtc_source_thread_t *th,
    ngx_uint_t level, const char *fmt, ...);

/* Keeps the reason for the next DOWN or FAILED; ngx_sprintf()'s formats. */
void ngx_webrtc_source_thread_error(ngx_webrtc_source_thread_t *th,
    const char *fmt, ...);

/*
 * Copies a text without control characters, the secrets of URLs in it, or
 * those of the thread's own URLs.
 *
 *   text, n   changed
 *
 * Returns the length of what is at "to", size at most.
 */
size_t ngx_webrtc_source_thread_mask(ngx_webrtc_source_thread_t *th,
    u_char *text, size_t n, u_char *to, size_t size);

/*
 * A condition that is waited for by the monotonic clock: the wall clock may be
 * set meanwhile.  NGX_OK; NGX_ERROR
 */
ngx_int_t ngx_webrtc_source_thread_cond(pthread_cond_t *cond);

/* until when, us as ngx_webrtc_time_now() has them */
void ngx_webrtc_source_thread_timespec(struct timespec *ts, uint64_t us);


#endif /* _NGX_WEBRTC_SOURCE_THREAD_H_INCLUDED_ */
