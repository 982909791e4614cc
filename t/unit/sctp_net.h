
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Two ends of an association and the path between them, in virtual time: rate,
 * delay, a queue that drops its tail, loss, reordering.  For the unit tests and
 * the benchmark; included once.
 */


#ifndef _SCTP_NET_H_INCLUDED_
#define _SCTP_NET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp.h>


#define NET_UNUSED  __attribute__((unused))


typedef struct {
    ngx_queue_t              link;
    uint64_t                 at_us;
    size_t                   n;
    u_char                   data[NGX_WEBRTC_SCTP_PACKET];
} net_packet_t;


typedef struct net_end_s  net_end_t;

struct net_end_s {
    ngx_webrtc_sctp_assoc_t  assoc;
    net_end_t               *peer;
    ngx_queue_t              in;             /* by at_us */
    uint64_t                 free_us;        /* its sending line is free then */
    uint64_t                 last_us;        /* when its last packet arrives */
    ngx_uint_t               sent;           /* packets */
    ngx_uint_t               lost;
    size_t                   largest;
    uint64_t                 bytes;
    void                    *user;
};


/* of both directions */
static struct {
    uint64_t                 rate;           /* bytes per second, 0: no limit */
    uint64_t                 delay_us;       /* one way */
    size_t                   queue;          /* bytes */
    ngx_uint_t               loss;           /* of 1000 */
    ngx_uint_t               reorder;        /* of 1000, by up to 10 ms */
    uint64_t                 jitter_us;      /* in order */
    uint64_t                 batch_us;       /* packets are read so often */
    uint64_t                 now_us;
    uint32_t                 seed;
    int                      cut;            /* nothing arrives */
    ngx_webrtc_sctp_t       *sctp;
} net = { 0, 0, 0, 0, 0, 0, 0, 1000000000, 1, 0, NULL };


/* usrsctp's clock; see ngx_webrtc_sctp_create() */

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void) tz;

    tv->tv_sec = (time_t) (net.now_us / 1000000 + 1700000000);
    tv->tv_usec = (suseconds_t) (net.now_us % 1000000);

    return 0;
}


static NET_UNUSED uint64_t
net_ms(void)
{
    return net.now_us / 1000;
}


static NET_UNUSED uint32_t
net_random(void)
{
    net.seed = net.seed * 1664525 + 1013904223;

    return net.seed >> 8;
}


static NET_UNUSED net_packet_t *
net_packet(ngx_queue_t *q)
{
    return ngx_queue_data(q, net_packet_t, link);
}


static NET_UNUSED void
net_send(void *ctx, u_char *p, size_t n)
{
    uint64_t       at;
    net_end_t     *end, *peer;
    ngx_queue_t   *q;
    net_packet_t  *pkt;

    end = ctx;
    peer = end->peer;

    end->sent++;
    end->bytes += n;

    if (n > end->largest) {
        end->largest = n;
    }

    if (net.cut || net_random() % 1000 < net.loss) {
        end->lost++;
        return;
    }

    at = net.now_us;

    if (net.rate) {
        at = (end->free_us > at) ? end->free_us : at;

        if (net.queue
            && (at - net.now_us) * net.rate / 1000000 > net.queue)
        {
            end->lost++;
            return;
        }

        at += (n + 70) * 1000000 / net.rate;        /* DTLS, UDP and IPv4 */
        end->free_us = at;
    }

    at += net.delay_us;

    if (net.jitter_us) {
        at += net_random() % net.jitter_us;
        at = (end->last_us > at) ? end->last_us : at;
        end->last_us = at;
    }

    if (net_random() % 1000 < net.reorder) {
        at += net_random() % 10000;
    }

    pkt = malloc(sizeof(net_packet_t));
    memcpy(pkt->data, p, n);
    pkt->n = n;
    pkt->at_us = at;

    for (q = ngx_queue_last(&peer->in);
         q != ngx_queue_sentinel(&peer->in);
         q = ngx_queue_prev(q))
    {
        if (net_packet(q)->at_us <= at) {
            break;
        }
    }

    ngx_queue_insert_after(q, &pkt->link);
}


static NET_UNUSED void
net_pair(net_end_t *a, net_end_t *b)
{
    memset(a, 0, sizeof(net_end_t));
    memset(b, 0, sizeof(net_end_t));

    a->peer = b;
    b->peer = a;

    ngx_queue_init(&a->in);
    ngx_queue_init(&b->in);
}


static NET_UNUSED void
net_flush(net_end_t *end)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&end->in)) {
        q = ngx_queue_head(&end->in);
        ngx_queue_remove(q);
        free(net_packet(q));
    }
}


static NET_UNUSED uint64_t
net_first(net_end_t *end)
{
    uint64_t  at;

    if (ngx_queue_empty(&end->in)) {
        return (uint64_t) -1;
    }

    at = net_packet(ngx_queue_head(&end->in))->at_us;

    return net.batch_us ? (at / net.batch_us + 1) * net.batch_us : at;
}


/* one packet, or all that are there */

static NET_UNUSED void
net_deliver(net_end_t *end)
{
    ngx_queue_t   *q;
    net_packet_t  *pkt;

    do {
        q = ngx_queue_head(&end->in);
        ngx_queue_remove(q);
        pkt = net_packet(q);

        (void) ngx_webrtc_sctp_input(&end->assoc, pkt->data, pkt->n,
                                     net_ms());
        free(pkt);

    } while (net.batch_us && !ngx_queue_empty(&end->in)
             && net_packet(ngx_queue_head(&end->in))->at_us <= net.now_us);

    if (net.batch_us) {
        ngx_webrtc_sctp_flush(&end->assoc, net_ms());
    }
}


/* the next packet or timeout not later than at until_us; 0: there is none */

static NET_UNUSED int
net_step(net_end_t *a, net_end_t *b, uint64_t until_us)
{
    uint64_t       ta, tb, deadline;
    net_end_t     *end;

    ta = net_first(a);
    tb = net_first(b);
    deadline = ngx_webrtc_sctp_deadline(net.sctp);

    if (deadline != NGX_WEBRTC_SCTP_NO_DEADLINE) {
        deadline *= 1000;
    }

    if (ta > until_us && tb > until_us && deadline > until_us) {
        return 0;
    }

    if (deadline <= ta && deadline <= tb) {
        if (deadline > net.now_us) {
            net.now_us = deadline;
        }

        ngx_webrtc_sctp_timeout(net.sctp, net_ms());
        return 1;
    }

    end = (ta <= tb) ? a : b;

    if (net_first(end) > net.now_us) {
        net.now_us = net_first(end);
    }

    net_deliver(end);

    return 1;
}


static NET_UNUSED void
net_run(net_end_t *a, net_end_t *b, uint64_t ms)
{
    uint64_t  until;

    until = net.now_us + ms * 1000;

    while (net_step(a, b, until)) { /* void */ }

    net.now_us = until;
}


#endif /* _SCTP_NET_H_INCLUDED_ */
