
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The ring between a job of the media process and its worker: in order, whole,
 * at its end, when it is full, between two processes, and when the writer lies.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "ngx_webrtc_media_ring.h"
#include "tap.h"


#define MB  (1024 * 1024)

static u_char  *big;


static ngx_int_t
put(ngx_webrtc_media_ring_t *w, u_char mark, size_t n)
{
    u_char  head[3] = { mark, 1, 2 };

    big[0] = mark;
    big[n ? n - 1 : 0] = mark;

    return ngx_webrtc_media_ring_write(w, head, sizeof(head), big, n);
}


/* the record's mark; -1: none, -2: broken, -3: not the one that was written */

static int
get(ngx_webrtc_media_ring_t *r, size_t want)
{
    size_t     n;
    ngx_int_t  rc;

    static u_char  buf[NGX_WEBRTC_MEDIA_RING_RECORD];

    rc = ngx_webrtc_media_ring_next(r, &n);

    if (rc != NGX_OK) {
        return (rc == NGX_AGAIN) ? -1 : -2;
    }

    ngx_webrtc_media_ring_read(r, buf, n);

    return (n == want + 3 && buf[1] == 1 && buf[2] == 2
            && (want == 0 || (buf[3] == buf[0] && buf[n - 1] == buf[0])))
           ? buf[0] : -3;
}


static void
test_order(ngx_webrtc_media_ring_t *r, ngx_webrtc_media_ring_t *w)
{
    int         ok;
    ngx_uint_t  i;

    tap_is_int(get(r, 0), -1, "empty");

    tap_is_int(put(w, 1, 0), NGX_OK, "a record without data");
    tap_is_int(put(w, 2, 100), NGX_OK, "another one");
    tap_is_int(get(r, 0), 1, "the first one first");
    tap_is_int(get(r, 100), 2, "then the second one");
    tap_is_int(get(r, 0), -1, "and nothing more");

    /* as long as somebody reads, any number of any size goes through */

    for (i = 0, ok = 1; i < 3000 && ok; i++) {
        ok = put(w, i % 200, i * 37 % 65536) == NGX_OK
             && put(w, (i + 1) % 200, i % 5) == NGX_OK
             && get(r, i * 37 % 65536) == (int) (i % 200)
             && get(r, i % 5) == (int) ((i + 1) % 200);
    }

    tap_ok(ok, "three rings' worth, read as it comes");

    tap_is_int(put(w, 9, NGX_WEBRTC_MEDIA_RING_RECORD - 3), NGX_OK,
               "the largest record");
    tap_is_int(get(r, NGX_WEBRTC_MEDIA_RING_RECORD - 3), 9, "comes whole");
    tap_is_int(put(w, 9, NGX_WEBRTC_MEDIA_RING_RECORD - 2), NGX_DECLINED,
               "a larger one is none");

    /* from wherever the ring is, one fits after the other */

    for (i = 0, ok = 1; i < 40 && ok; i++) {
        ok = put(w, 1, 1000 * i + 8) == NGX_OK
             && get(r, 1000 * i + 8) == 1
             && put(w, 2, NGX_WEBRTC_MEDIA_RING_RECORD - 3) == NGX_OK
             && get(r, NGX_WEBRTC_MEDIA_RING_RECORD - 3) == 2;
    }

    tap_ok(ok, "an empty ring always has room for the largest record");
}


static void
test_full(ngx_webrtc_media_ring_t *r, ngx_webrtc_media_ring_t *w)
{
    int         ok;
    ngx_uint_t  i, n;

    for (n = 0; put(w, n + 1, MB) == NGX_OK; n++) { /* void */ }

    tap_ok(n >= 13 && n < 32, "full after %d MB", (int) n);
    tap_is_int(put(w, 99, MB), NGX_AGAIN, "it stays full");

    tap_is_int(get(r, MB), 1, "one is read");
    tap_is_int(ngx_webrtc_media_ring_wanted(r), 1, "the writer waits for it");
    tap_is_int(ngx_webrtc_media_ring_wanted(r), 0, "it is told once");

    for (i = 1, ok = 1; i < n; i++) {
        ok &= get(r, MB) == (int) (i + 1);
    }

    tap_ok(ok, "nothing was lost");
    tap_is_int(put(w, 50, MB), NGX_OK, "there is room");
    tap_is_int(get(r, MB), 50, "and it is used");

    tap_is_int(ngx_webrtc_media_ring_tell(w), 1, "the reader is to be told");
    tap_is_int(ngx_webrtc_media_ring_tell(w), 0, "once");
    ngx_webrtc_media_ring_told(r);
    tap_is_int(ngx_webrtc_media_ring_tell(w), 1, "and again later");
}


/* what is touched is what was unread at once, and not all of the ring */

static void
test_pages(void)
{
    int                       fd;
    struct stat               st;
    ngx_uint_t                i;
    ngx_webrtc_media_ring_t   r, w;

    ngx_memzero(&r, sizeof(r));
    ngx_memzero(&w, sizeof(w));

    fd = ngx_webrtc_media_ring_create(&r);
    (void) ngx_webrtc_media_ring_map(&w, fd);

    for (i = 0; i < 5000; i++) {
        (void) put(&w, 1, 60000);
        (void) get(&r, 60000);
    }

    (void) fstat(fd, &st);

    tap_ok(st.st_blocks * 512 < 3 * MB / 2, "300 MB through %d kB of memory",
           (int) (st.st_blocks / 2));

    tap_ok(ftruncate(fd, 0) == -1, "the writer cannot make it shorter");

    close(fd);

    ngx_webrtc_media_ring_unmap(&r);
    ngx_webrtc_media_ring_unmap(&w);
}


/* a process writes as fast as it can, with pauses only where it has to */

static void
test_processes(void)
{
    int                       fd, status;
    int                       pipes[2];
    pid_t                     pid;
    size_t                    n;
    u_char                    c;
    ngx_int_t                 rc;
    ngx_uint_t                i, bad;
    ngx_webrtc_media_ring_t   r, w;

    ngx_memzero(&r, sizeof(r));
    ngx_memzero(&w, sizeof(w));

    fd = ngx_webrtc_media_ring_create(&r);

    if (fd == -1 || pipe(pipes) == -1) {
        tap_fail("a ring");
        return;
    }

    fflush(stdout);

    pid = fork();

    if (pid == 0) {
        if (ngx_webrtc_media_ring_map(&w, fd) != NGX_OK) {
            _exit(1);
        }

        for (i = 0; i < 20000; i++) {
            do {
                rc = put(&w, i % 251, i * 7919 % 20000);

                if (rc == NGX_AGAIN && read(pipes[0], &c, 1) != 1) {
                    _exit(2);
                }
            } while (rc == NGX_AGAIN);
        }

        _exit(0);
    }

    close(pipes[0]);

    for (i = 0, bad = 0; i < 20000 && bad < 3; /* void */ ) {

        rc = ngx_webrtc_media_ring_next(&r, &n);

        if (rc == NGX_AGAIN) {

            if (waitpid(pid, &status, WNOHANG) == pid) {
                pid = 0;

                if (ngx_webrtc_media_ring_next(&r, &n) != NGX_OK) {
                    break;
                }
            }

            continue;
        }

        bad += get(&r, i * 7919 % 20000) != (int) (i % 251);
        i++;

        if (ngx_webrtc_media_ring_wanted(&r) && write(pipes[1], "", 1) != 1) {
            bad++;
        }
    }

    tap_is_int(i, 20000, "another process: all records");
    tap_is_int(bad, 0, "another process: each as it was written");

    close(pipes[1]);
    close(fd);

    if (pid) {
        (void) waitpid(pid, &status, 0);
    }

    ngx_webrtc_media_ring_unmap(&r);
}


/* what a process that has been taken over can write where it must not */

static void
test_lies(void)
{
    int                       fd;
    u_char                   *shared;
    size_t                    n;
    uint64_t                 *head, *first;
    ngx_uint_t                i;
    ngx_webrtc_media_ring_t   r, w;

    static const struct {
        uint64_t     head;
        uint64_t     len;
        const char  *what;
    } rows[] = {
        { NGX_WEBRTC_MEDIA_RING_SIZE + 8, 8, "more unread than the ring has" },
        { UINT64_MAX, 8, "a head that is no place" },
        { 12, 4, "a head that is none of a record" },
        { 16, 9, "a record that goes past the head" },
        { 64, NGX_WEBRTC_MEDIA_RING_RECORD + 1, "one that is too large" },
        { 64, UINT64_MAX - 1, "one that is all of memory" },
        { 64, UINT64_MAX, "a rest that is longer than what is written" },
        { NGX_WEBRTC_MEDIA_RING_SIZE, UINT64_MAX, "a rest that is all of it" },
        { 0 - (uint64_t) 8, 8, "a head that goes back" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        ngx_memzero(&r, sizeof(r));
        ngx_memzero(&w, sizeof(w));

        fd = ngx_webrtc_media_ring_create(&r);
        (void) ngx_webrtc_media_ring_map(&w, fd);

        shared = (u_char *) w.shared;
        head = (uint64_t *) shared;
        first = (uint64_t *) w.data;

        *first = rows[i].len;
        *head = rows[i].head;

        tap_is_int(ngx_webrtc_media_ring_next(&r, &n), NGX_ERROR, "a lie: %s",
                   rows[i].what);

        close(fd);
        ngx_webrtc_media_ring_unmap(&r);
        ngx_webrtc_media_ring_unmap(&w);
    }
}


/* ... and what one that reads can say it has read */

static void
test_lies_of_a_reader(void)
{
    int                       fd, ok;
    uint64_t                 *tail;
    ngx_int_t                 rc;
    ngx_uint_t                i, k;
    ngx_webrtc_media_ring_t   w;

    static const struct {
        int64_t      tail;            /* beyond what was written */
        const char  *what;
    } rows[] = {
        { 8, "one record that does not exist" },
        { 3, "a part of one" },
        { NGX_WEBRTC_MEDIA_RING_SIZE, "all there is" },
        { INT64_MAX, "half of all numbers" },
        { INT64_MIN, "the other half" },
        { -1, "a byte less than all" },
        { -5 * (int64_t) NGX_WEBRTC_MEDIA_RING_SIZE, "five rings less" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        ngx_memzero(&w, sizeof(w));

        fd = ngx_webrtc_media_ring_create(&w);
        tail = (uint64_t *) ((u_char *) w.shared + 64);

        for (k = 0, ok = 1; k < 100 && ok; k++) {
            *tail = w.pos + (uint64_t) rows[i].tail;

            rc = put(&w, k, (k % 4) ? k * 77777 % (2 * MB)
                                    : NGX_WEBRTC_MEDIA_RING_RECORD - 3);

            /* outside of the ring it would end here */

            ok = (rc == NGX_OK || rc == NGX_AGAIN)
                 && w.pos % 8 == 0
                 && *tail == (rc == NGX_OK ? *tail
                                           : w.pos + (uint64_t) rows[i].tail);
        }

        tap_ok(ok, "a reader has read %s", rows[i].what);

        close(fd);
        ngx_webrtc_media_ring_unmap(&w);
    }
}


int
main(void)
{
    int                       fd;
    ngx_webrtc_media_ring_t   r, w;

    big = malloc(NGX_WEBRTC_MEDIA_RING_RECORD);

    ngx_memzero(&r, sizeof(r));
    ngx_memzero(&w, sizeof(w));

    fd = ngx_webrtc_media_ring_create(&r);

    if (big == NULL || fd == -1
        || ngx_webrtc_media_ring_map(&w, fd) != NGX_OK)
    {
        tap_fail("a ring");
        return tap_done();
    }

    test_order(&r, &w);
    test_full(&r, &w);

    close(fd);
    ngx_webrtc_media_ring_unmap(&r);
    ngx_webrtc_media_ring_unmap(&w);

    test_pages();
    test_processes();
    test_lies();
    test_lies_of_a_reader();

    free(big);

    return tap_done();
}
