
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The packet ring under fire: readers as fast as they can, one of them always
 * where the writer overwrites next, against a writer as fast as it can, in
 * processes that share a mapping, in threads, and with writers that are killed
 * at any instruction.  Also built with TSan.
 *
 * Every payload tells what it has to be: its words follow from track and index.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <pthread.h>
#include "ngx_webrtc_atomic.h"
#include "ngx_webrtc_bus_ring.h"
#include "tap.h"


#define RING_SIZE  (64 * 1024)
#define READERS    3

#if (NGX_WEBRTC_TSAN)
#define PACKETS    20000
#define KILLS      20
#else
#define PACKETS    40000
#define KILLS      40
#endif


typedef struct {
    uint64_t                   verified;
    uint64_t                   lapped;
    uint64_t                   torn;       /* the check declined after use */
    uint64_t                   wrong;
} result_t;


/* in the shared mapping, before the ring */
typedef struct {
    uint32_t                   done;
    result_t                   results[READERS];
    u_char                     ring[RING_SIZE]  __attribute__((aligned(64)));
} shared_t;


static shared_t               *sh;


static uint64_t
word_of(ngx_uint_t track, uint64_t index, uint64_t i)
{
    return (index * 0x9e3779b97f4a7c15ULL) ^ ((uint64_t) track << 56)
           ^ (i * 0xff51afd7ed558ccdULL);
}


static uint16_t
len_of(ngx_uint_t track, uint64_t index)
{
    return (track == 1) ? 96 : (uint16_t) (400 + (index * 7919) % 800) & ~7;
}


static void
write_frame(ngx_webrtc_ring_writer_t *w, ngx_uint_t key)
{
    uint64_t                   i, n, *p;
    uint64_t                   payload[NGX_WEBRTC_RING_MAX_PAYLOAD / 8];
    ngx_webrtc_ring_packet_t   pkt;

    n = key ? 20 : 4;

    while (n--) {
        ngx_memzero(&pkt, sizeof(pkt));

        pkt.track = (n == 1);
        pkt.len = len_of(pkt.track, w->next[pkt.track]);
        pkt.ts = (uint32_t) w->next[pkt.track] * 3;
        pkt.arrival_us = w->next[pkt.track] * 5;

        if (key && pkt.track == 0) {
            pkt.flags = NGX_WEBRTC_PKT_KEY
                        | ((n == 19) ? NGX_WEBRTC_PKT_FIRST : 0);
        }

        p = payload;

        for (i = 0; i < pkt.len / 8u; i++) {
            p[i] = word_of(pkt.track, w->next[pkt.track], i);
        }

        if (ngx_webrtc_ring_write(w, &pkt, (u_char *) payload) != NGX_OK) {
            abort();
        }
    }

    ngx_webrtc_ring_publish(w);
}


/* reads one entry; NGX_OK also when it was overwritten meanwhile */

static ngx_int_t
read_entry(ngx_webrtc_ring_t *ring, uint64_t n, result_t *r, uint64_t *last)
{
    u_char                    *payload;
    uint64_t                   i, found, words[NGX_WEBRTC_RING_MAX_PAYLOAD / 8];
    ngx_int_t                  rc;
    ngx_webrtc_ring_packet_t   pkt;

    rc = ngx_webrtc_ring_peek(ring, n, &pkt, &payload);

    if (rc != NGX_OK) {
        return rc;
    }

    /* what peek says is true whatever happens to the payload */

    if (pkt.track > 1
        || pkt.len != len_of(pkt.track, pkt.index)
        || pkt.ts != (uint32_t) pkt.index * 3
        || pkt.arrival_us != pkt.index * 5
        || (last[pkt.track] != NGX_WEBRTC_RING_NONE
            && pkt.index != last[pkt.track] + 1))
    {
        r->wrong++;
        return NGX_OK;
    }

    last[pkt.track] = pkt.index;

    for (i = 0; i < pkt.len / 8u; i++) {
        words[i] = ngx_webrtc_atomic_data_load((uint64_t *) (void *) payload
                                               + i);
    }

    if (ngx_webrtc_ring_check(ring, n) != NGX_OK) {
        r->torn++;
        return NGX_OK;
    }

    for (i = 0; i < pkt.len / 8u; i++) {
        if (words[i] != word_of(pkt.track, pkt.index, i)) {
            r->wrong++;
            return NGX_OK;
        }
    }

    rc = ngx_webrtc_ring_find(ring, pkt.track, pkt.index, &found);

    if ((rc == NGX_OK && found != n)
        || rc == NGX_AGAIN
        || ngx_webrtc_ring_next_index(ring, pkt.track) <= pkt.index)
    {
        r->wrong++;
    }

    r->verified++;

    return NGX_OK;
}


static void
reader(int no)
{
    uint64_t                   n, key, last[2];
    uint32_t                   done;
    ngx_int_t                  rc;
    result_t                  *r;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;

    ring = (ngx_webrtc_ring_t *) (void *) sh->ring;
    r = &sh->results[no];

    n = 0;
    last[0] = last[1] = NGX_WEBRTC_RING_NONE;

    for ( ;; ) {
        done = ngx_webrtc_atomic_load_acquire(&sh->done);

        if (no == 0) {
            last[0] = last[1] = NGX_WEBRTC_RING_NONE;
            n = ngx_webrtc_ring_tail(ring);

            if (done) {
                return;
            }
        }

        rc = read_entry(ring, n, r, last);

        if (rc == NGX_OK) {
            n++;
            continue;
        }

        if (rc == NGX_AGAIN) {

            if (done) {
                return;
            }

            sched_yield();
            continue;
        }

        r->lapped++;

        key = ngx_webrtc_ring_keyframe(ring);

        n = (key == NGX_WEBRTC_RING_NONE) ? ngx_webrtc_ring_head(ring) : key;
        last[0] = last[1] = NGX_WEBRTC_RING_NONE;

        if (key != NGX_WEBRTC_RING_NONE
            && ngx_webrtc_ring_peek(ring, n, &pkt, NULL) == NGX_OK
            && pkt.flags != (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
        {
            r->wrong++;
        }
    }
}


static void
prepare(void)
{
    ngx_memzero(sh, offsetof(shared_t, ring));
    (void) ngx_webrtc_ring_init(sh->ring, RING_SIZE);
}


static void
report(const char *what)
{
    int       i;
    result_t  r;

    ngx_memzero(&r, sizeof(r));

    for (i = 0; i < READERS; i++) {
        r.verified += sh->results[i].verified;
        r.lapped += sh->results[i].lapped;
        r.torn += sh->results[i].torn;
        r.wrong += sh->results[i].wrong;
    }

    tap_is_int(r.wrong, 0, "%s: nothing wrong was believed", what);
    tap_ok(r.verified > 0, "%s: %lu payloads verified, lapped %lu times, "
           "overwritten in use %lu times", what, (unsigned long) r.verified,
           (unsigned long) r.lapped, (unsigned long) r.torn);
}


static void
write_all(uint64_t packets)
{
    uint64_t                   i;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_writer_t   w;

    ring = (ngx_webrtc_ring_t *) (void *) sh->ring;

    ngx_webrtc_ring_attach(ring, &w);

    for (i = 0; w.head < packets; i++) {
        write_frame(&w, i % 16 == 0);

        if (i % 4 == 0) {
            sched_yield();
        }
    }

    ngx_webrtc_atomic_store_release(&sh->done, 1);
}


static void
fork_readers(pid_t *pids)
{
    int  i;

    for (i = 0; i < READERS; i++) {
        pids[i] = fork();

        if (pids[i] == 0) {
            reader(i);
            _exit(0);
        }
    }
}


static int
wait_readers(pid_t *pids)
{
    int  i, status, ok;

    ok = 1;

    for (i = 0; i < READERS; i++) {
        ok = ok && waitpid(pids[i], &status, 0) == pids[i] && status == 0;
    }

    return ok;
}


static void
test_processes(void)
{
    pid_t  pids[READERS];

    prepare();
    fork_readers(pids);
    write_all(PACKETS);

    tap_ok(wait_readers(pids), "processes end well");
    report("processes");
}


/*
 * Readers run all the time, while one writer after the other is killed
 * somewhere in the middle and the next goes on.  The readers' check of indexes
 * sees it when one is lost or used twice.
 */

static void
test_kills(void)
{
    int                        i, ok;
    pid_t                      pids[READERS], pid;
    uint64_t                   head, n, next;
    ngx_uint_t                 t;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_ring_writer_t   w;

    prepare();

    ring = (ngx_webrtc_ring_t *) (void *) sh->ring;

    fork_readers(pids);

    ok = 1;

    for (i = 0; i < KILLS; i++) {
        head = ngx_webrtc_ring_head(ring);

        pid = fork();

        if (pid == 0) {
            write_all(NGX_WEBRTC_RING_NONE);
        }

        while (ngx_webrtc_ring_head(ring) < head + 100 + i * 7) {
            sched_yield();
        }

        kill(pid, SIGKILL);
        ok = ok && waitpid(pid, NULL, 0) == pid;

        /* the next index of a track is one after its last published packet */

        ngx_webrtc_ring_attach(ring, &w);

        for (t = 0; t < 2; t++) {
            next = NGX_WEBRTC_RING_NONE;

            for (n = ngx_webrtc_ring_head(ring);
                 n-- > ngx_webrtc_ring_tail(ring); /* void */ )
            {
                if (ngx_webrtc_ring_peek(ring, n, &pkt, NULL) == NGX_OK
                    && pkt.track == t)
                {
                    next = pkt.index + 1;
                    break;
                }
            }

            ok = ok && w.next[t] == next
                 && ngx_webrtc_ring_next_index(ring, t) == next;
        }
    }

    ngx_webrtc_ring_attach(ring, &w);
    write_all(w.head + 1000);

    tap_ok(ok, "after each of %d kills the next writer knows where to go on",
           KILLS);
    tap_ok(wait_readers(pids), "kills: readers end well");
    report("kills");
}


static void *
thread(void *data)
{
    reader((int) (intptr_t) data);

    return NULL;
}


static void
test_threads(void)
{
    int        i;
    pthread_t  threads[READERS];

    prepare();

    for (i = 0; i < READERS; i++) {
        if (pthread_create(&threads[i], NULL, thread, (void *) (intptr_t) i)
            != 0)
        {
            abort();
        }
    }

    write_all(PACKETS);

    for (i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }

    report("threads");
}


int
main(void)
{
    sh = mmap(NULL, sizeof(shared_t), PROT_READ|PROT_WRITE,
              MAP_ANON|MAP_SHARED, -1, 0);

    if (sh == MAP_FAILED) {
        return 1;
    }

    test_processes();
    test_kills();
    test_threads();

    return tap_done();
}
