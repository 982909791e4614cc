
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_sctp_rate beside a TCP (RFC 9438, CUBIC) on one bottleneck with a
 * queue that drops what it has no room for, packet by packet.  What each gets
 * was the same with the model as with t/bench/files_loss, which has real ones.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_rate.h>

#include "tap.h"


#define OURS         NGX_WEBRTC_SCTP_PACKET
#define OURS_WIRE    (OURS + 68)      /* DTLS, UDP, IP, Ethernet */
#define TCP          1448
#define TCP_WIRE     1514

#define PACKETS      65536
#define ARRIVALS     (4 * PACKETS)

/* packets behind a hole until it is a loss; RFC 9002, 6.1.1 */
#define THRESHOLD    3


typedef struct {
    double       sent_ms;
    uint64_t     prior;
    size_t       flight;
    unsigned     lost:1;
    unsigned     acked:1;
} packet_t;


typedef struct {
    packet_t     packets[PACKETS];
    uint64_t     head;
    uint64_t     tail;
    uint64_t     acked;                /* the latest */
    size_t       flight;               /* packets */
    uint64_t     got;                  /* packets that have arrived */
} flow_t;


typedef struct {
    double       ms;
    flow_t      *flow;
    uint64_t     seq;
} arrival_t;


static arrival_t                arrivals[ARRIVALS];
static uint64_t                 first, last;
static double                   now, free_ms;
static double                   rate, base_ms, queue_ms;    /* bytes per ms */

static flow_t                   ours;
static ngx_webrtc_sctp_rate_t   r;
static uint64_t                 sacked[2];
static ngx_uint_t               nsacked;

static flow_t                   tcp;
static double                   cwnd, ssthresh, w_max, w_est, k, epoch_ms;
static double                   min_ms;
static uint64_t                 recover;


static packet_t *
put(flow_t *f, size_t wire)
{
    packet_t  *p;

    p = &f->packets[f->head % PACKETS];
    memset(p, 0, sizeof(packet_t));
    p->sent_ms = now;

    free_ms = ngx_max(free_ms, now);

    if ((free_ms - now) * rate + (double) wire > queue_ms * rate) {
        p->lost = 1;

    } else {
        free_ms += (double) wire / rate;
        arrivals[last % ARRIVALS].ms = free_ms + base_ms;
        arrivals[last % ARRIVALS].flow = f;
        arrivals[last++ % ARRIVALS].seq = f->head;
    }

    f->head++;
    f->flight++;

    return p;
}


/* takes what is lost out of the flight; returns how many, *prior of the last */

static ngx_uint_t
losses(flow_t *f, uint64_t *seq)
{
    packet_t    *p;
    ngx_uint_t   n;

    for (n = 0; f->tail < f->head; f->tail++) {
        p = &f->packets[f->tail % PACKETS];

        if (p->acked) {
            continue;
        }

        if (!p->lost || f->tail + THRESHOLD > f->acked) {
            break;
        }

        f->flight--;
        *seq = f->tail;
        n++;
    }

    return n;
}


static void
ours_fill(void)
{
    packet_t  *p;

    if (ours.flight == 0) {
        ngx_webrtc_sctp_rate_resume(&r, (uint64_t) now);
    }

    while ((ours.flight + 1) * OURS <= r.cwnd) {
        p = put(&ours, OURS_WIRE);
        p->prior = r.delivered;
        p->flight = ours.flight * OURS;
    }
}


/* every second packet is acknowledged; RFC 9260, 6.2 */

static void
ours_arrive(uint64_t seq)
{
    packet_t                       *p;
    uint64_t                        lost;
    ngx_uint_t                      i;
    ngx_webrtc_sctp_rate_sample_t   s;

    sacked[nsacked++] = seq;

    if (nsacked < 2 && ours.flight >= 4) {
        return;
    }

    memset(&s, 0, sizeof(s));
    s.flight = ours.flight * OURS;

    for (i = 0; i < nsacked; i++) {
        p = &ours.packets[sacked[i] % PACKETS];
        p->acked = 1;
        ours.flight--;
        ours.got++;
        ours.acked = ngx_max(ours.acked, sacked[i]);

        s.acked += OURS;
        s.acked_prior = ngx_max(s.acked_prior, p->prior);
        s.sent_ms = ngx_max(s.sent_ms, (uint64_t) p->sent_ms);
        s.has_rtt = 1;
        s.rtt_ms = (uint32_t) (now - p->sent_ms);
        s.rtt_flight = p->flight;
    }

    nsacked = 0;
    lost = 0;

    s.lost = losses(&ours, &lost) * OURS;

    if (s.lost) {
        s.lost_prior = ours.packets[lost % PACKETS].prior;
    }

    ngx_webrtc_sctp_rate_update(&r, &s, (uint64_t) now);
    ours_fill();
}


static void
tcp_fill(void)
{
    while (tcp.flight < (size_t) cwnd) {
        (void) put(&tcp, TCP_WIRE);
    }
}


static double
cube_root(double v)
{
    double      x;
    ngx_uint_t  i;

    for (x = v > 1 ? v : 1, i = 0; i < 64; i++) {
        x = (2 * x + v / (x * x)) / 3;
    }

    return v > 0 ? x : 0;
}


/* RFC 9438, 4.2 to 4.4 */

static void
tcp_avoid(void)
{
    double  t, target;

    if (epoch_ms < 0) {
        epoch_ms = now;
        w_max = ngx_max(w_max, cwnd);
        k = cube_root((w_max - cwnd) / 0.4);
        w_est = cwnd;
    }

    t = (now - epoch_ms + min_ms) / 1000 - k;
    target = 0.4 * t * t * t + w_max;

    w_est += 0.53 / cwnd;

    if (target > cwnd) {
        cwnd += ngx_min((target - cwnd) / cwnd, 0.5);
    }

    cwnd = ngx_max(cwnd, w_est);
}


static void
tcp_arrive(uint64_t seq)
{
    double     rtt, more;
    uint64_t   lost;
    packet_t  *p;

    p = &tcp.packets[seq % PACKETS];
    p->acked = 1;
    tcp.flight--;
    tcp.got++;
    tcp.acked = ngx_max(tcp.acked, seq);

    rtt = now - p->sent_ms;
    min_ms = ngx_min(min_ms, rtt);
    more = ngx_min(ngx_max(min_ms / 8, 4), 16);

    if (losses(&tcp, &lost)) {

        if (lost >= recover) {
            recover = tcp.head;
            w_max = (cwnd < w_max) ? cwnd * 1.7 / 2 : cwnd;
            cwnd = ngx_max(cwnd * 0.7, 2);
            ssthresh = cwnd;
            epoch_ms = -1;
        }

    } else if (cwnd < ssthresh) {
        cwnd += 1;

        /* RFC 9406 */

        if (cwnd > 16 && rtt > min_ms + more) {
            ssthresh = cwnd;
        }

    } else if (seq >= recover) {
        tcp_avoid();
    }

    tcp_fill();
}


/* ours begins so many ms after the TCP; returns ours / TCP */

static double
beside(double mbit, double rtt, double queue, double late, double seconds)
{
    double      begin, end, share;
    arrival_t  *a;
    ngx_uint_t  begun;

    memset(&ours, 0, sizeof(flow_t));
    memset(&tcp, 0, sizeof(flow_t));

    first = last = 0;
    nsacked = 0;
    now = 1000;
    free_ms = 0;

    rate = mbit * 125;
    base_ms = rtt;
    queue_ms = queue;

    cwnd = 10;
    ssthresh = 1e9;
    w_max = 0;
    epoch_ms = -1;
    min_ms = 1e9;
    recover = 0;

    ngx_webrtc_sctp_rate_init(&r, NGX_WEBRTC_SCTP_FLIGHT, (uint64_t) now);

    begin = now + late;
    end = now + seconds * 1000;
    begun = 0;

    tcp_fill();

    while (first != last && now < end) {
        a = &arrivals[first++ % ARRIVALS];
        now = a->ms;

        if (!begun && now >= begin) {
            begun = 1;
            ours_fill();
        }

        if (a->flow == &ours) {
            ours_arrive(a->seq);

        } else {
            tcp_arrive(a->seq);
        }
    }

    tap_ok(now >= end, "to the end");

    share = (double) (ours.got * OURS) / (double) (tcp.got * TCP);

    tap_diag("%.0f Mbit/s, %.0f ms, queue %.0f ms: ours %.1f, TCP %.1f", mbit,
             rtt, queue, (double) (ours.got * OURS) * 8 / 1e6 / seconds,
             (double) (tcp.got * TCP) * 8 / 1e6 / seconds);

    return share;
}


int
main(void)
{
    double      share;
    ngx_uint_t  i;

    static const struct {
        double  mbit;
        double  rtt;
        double  queue;
        double  late;
        double  seconds;
    } paths[] = {
        { 10, 40, 40, 500, 30 },
        { 10, 40, 40, 500, 120 },
        { 10, 40, 100, 500, 30 },
        { 10, 40, 100, 500, 120 },
        { 10, 40, 400, 500, 30 },
        { 10, 40, 40, 1000, 40 },
        { 20, 20, 50, 500, 60 }
    };

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        share = beside(paths[i].mbit, paths[i].rtt, paths[i].queue,
                       paths[i].late, paths[i].seconds);

        tap_ok(share > 0.7 && share < 1.4, "%.0f Mbit/s, queue %.0f ms, %.0f s"
               ": ours / TCP is %.2f", paths[i].mbit, paths[i].queue,
               paths[i].seconds, share);
    }

    return tap_done();
}
