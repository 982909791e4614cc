
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Nanoseconds per operation of the packet ring, alone on one core:
 *
 *     cc -O2 -I src/zone -I src/rtp ... t/bench/ring.c src/zone/..._ring.c
 *
 *     write     1200 bytes copied in, published per 10 packets
 *     peek      descriptor of each packet of a frame, over many viewers
 *     peek2m    the same through all of the ring: descriptors not in L1
 *     check     after use of a payload
 *     find      NACK to entry
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <time.h>
#include "ngx_webrtc_bus_ring.h"


#define SIZE   (2 * 1024 * 1024)
#define FRAME  10
#define N      4000000


static double
now_ns(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1e9 + ts.tv_nsec;
}


static void
report(const char *name, double start, double n)
{
    printf("%-8s %7.1f ns\n", name, (now_ns() - start) / n);
}


int
main(void)
{
    void                      *mem;
    u_char                    *p, payload[1200];
    double                     start;
    uint64_t                   i, j, n, head, tail, sum;
    ngx_webrtc_ring_t         *ring;
    ngx_webrtc_ring_packet_t   pkt;
    ngx_webrtc_ring_writer_t   w;

    mem = aligned_alloc(4096, SIZE);

    if (mem == NULL) {
        return 1;
    }

    memset(mem, 0, SIZE);
    memset(payload, 1, sizeof(payload));
    memset(&pkt, 0, sizeof(pkt));

    ring = ngx_webrtc_ring_init(mem, SIZE);
    ngx_webrtc_ring_attach(ring, &w);

    start = now_ns();

    for (i = 0; i < N / 10; i++) {
        pkt.len = sizeof(payload);
        (void) ngx_webrtc_ring_write(&w, &pkt, payload);

        if (i % FRAME == FRAME - 1) {
            ngx_webrtc_ring_publish(&w);
        }
    }

    report("write", start, N / 10);

    head = ngx_webrtc_ring_head(ring);
    tail = ngx_webrtc_ring_tail(ring);
    sum = 0;

    start = now_ns();

    for (i = 0; i < N / FRAME; i++) {
        for (j = 0; j < FRAME; j++) {
            (void) ngx_webrtc_ring_peek(ring, head - FRAME + j, &pkt, &p);
            sum += pkt.len + (uintptr_t) p;
        }
    }

    report("peek", start, N);

    start = now_ns();

    for (i = 0, n = tail; i < N; i++) {
        (void) ngx_webrtc_ring_peek(ring, n, &pkt, &p);
        sum += pkt.len + (uintptr_t) p;

        if (++n == head) {
            n = tail;
        }
    }

    report("peek2m", start, N);

    start = now_ns();

    for (i = 0; i < N; i++) {
        sum += ngx_webrtc_ring_check(ring, head - 1 - (i & 7));
    }

    report("check", start, N);

    start = now_ns();

    for (i = 0; i < N; i++) {
        (void) ngx_webrtc_ring_find(ring, 0, w.next[0] - 1 - i % 500, &n);
        sum += n;
    }

    report("find", start, N);

    printf("entries  %7llu\nsum      %llx\n",
           (unsigned long long) (head - tail), (unsigned long long) sum);

    free(mem);

    return 0;
}
