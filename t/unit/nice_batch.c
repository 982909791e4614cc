
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Batches of datagrams, on sockets of the loopback: what arrives, in what
 * order, and (by UDP_GRO, which keeps a message whole) as how many messages.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <poll.h>

#include <ngx_webrtc_nice_batch.h>

#include <tap.h>


#ifndef UDP_GRO
#define UDP_GRO  104                      /* glibc before 2.28 */
#endif

#define PEERS    3                        /* the last one: unix */
#define UNIX     (PEERS - 1)
#define ROUNDS   20000

/* ms; nothing takes that long */
#define PATIENCE 5000


typedef struct {
    size_t       n;                       /* bytes of the message */
    size_t       segment;                 /* of each datagram but the last */
} message_t;


/* what the event loop has; the test plays it */
ngx_queue_t  ngx_posted_events;

static ngx_cycle_t            cycle;
static ngx_log_t              nolog;

static int                    out, plain_out, unix_out, in[PEERS];
static ngx_webrtc_nice_dst_t  dst[PEERS];
static u_char                 wire[65536];


static void
add(ngx_webrtc_nice_dst_t *to, size_t n, u_char fill)
{
    u_char  *p;

    p = ngx_webrtc_nice_batch_reserve(n);
    if (p == NULL) {
        tap_ok(0, "room for %zu bytes", n);
        return;
    }

    memset(p, fill, n);
    ngx_webrtc_nice_batch_add(to, n);
}


/* 0: there is none */

static size_t
take(int peer, message_t *m, int wait)
{
    int              size;
    ssize_t          n;
    struct iovec     iov;
    struct pollfd    pfd;
    struct msghdr    hdr;
    struct cmsghdr  *c;
    u_char           control[128];

    memset(&hdr, 0, sizeof(hdr));
    memset(m, 0, sizeof(*m));

    pfd.fd = in[peer];
    pfd.events = POLLIN;

    if (poll(&pfd, 1, wait ? PATIENCE : 0) != 1) {
        return 0;
    }

    iov.iov_base = wire;
    iov.iov_len = sizeof(wire);
    hdr.msg_iov = &iov;
    hdr.msg_iovlen = 1;
    hdr.msg_control = control;
    hdr.msg_controllen = sizeof(control);

    n = recvmsg(in[peer], &hdr, MSG_DONTWAIT);
    if (n <= 0) {
        return 0;
    }

    m->n = m->segment = (size_t) n;

    for (c = CMSG_FIRSTHDR(&hdr); c; c = CMSG_NXTHDR(&hdr, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            memcpy(&size, CMSG_DATA(c), sizeof(size));
            m->segment = (size_t) size;
        }
    }

    return m->n;
}


static void
run_posted(void)
{
    ngx_event_t  *ev;
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&ngx_posted_events)) {
        q = ngx_queue_head(&ngx_posted_events);
        ev = ngx_queue_data(q, ngx_event_t, queue);

        ngx_delete_posted_event(ev);
        ev->handler(ev);
    }
}


static void
expect(int peer, size_t n, size_t segment, const char *name)
{
    message_t  m;

    take(peer, &m, 1);

    tap_ok(m.n == n && m.segment == segment,
           "%s: %zu bytes by %zu (got %zu by %zu)", name, n, segment, m.n,
           m.segment);
}


static void
nothing(const char *name)
{
    int        i;
    size_t     n;
    message_t  m;

    for (i = 0, n = 0; i < PEERS; i++) {
        n += take(i, &m, 0);
    }

    tap_is_int((int64_t) n, 0, "%s", name);
}


static int
setup(void)
{
    int        i, on, size;
    ngx_int_t  gro;
    socklen_t  len;

    ngx_queue_init(&ngx_posted_events);

    cycle.log = &nolog;
    ngx_cycle = &cycle;

    out = socket(AF_INET, SOCK_DGRAM, 0);
    plain_out = socket(AF_INET, SOCK_DGRAM, 0);
    unix_out = socket(AF_UNIX, SOCK_DGRAM, 0);
    gro = 1;
    on = 1;

    /* without checksums the kernel refuses UDP_SEGMENT */

    if (setsockopt(plain_out, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on))
        == -1)
    {
        return 0;
    }

    for (i = 0; i < UNIX; i++) {
        in[i] = socket(AF_INET, SOCK_DGRAM, 0);

        size = 1 << 20;

        if (setsockopt(in[i], IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) == -1) {
            gro = 0;
        }

        (void) setsockopt(in[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));

        dst[i].remote.sockaddr_in.sin_family = AF_INET;
        dst[i].remote.sockaddr_in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

        len = sizeof(struct sockaddr_in);

        if (bind(in[i], &dst[i].remote.sockaddr, len) == -1
            || getsockname(in[i], &dst[i].remote.sockaddr, &len) == -1)
        {
            return 0;
        }

        dst[i].len = len;
        dst[i].fd = out;
        dst[i].segment = 1;
    }

    /* one that can be full */

    in[UNIX] = socket(AF_UNIX, SOCK_DGRAM, 0);
    dst[UNIX].remote.sockaddr.sa_family = AF_UNIX;

    /* any abstract name */

    len = sizeof(dst[UNIX].remote);

    if (bind(in[UNIX], &dst[UNIX].remote.sockaddr, sizeof(sa_family_t)) == -1
        || getsockname(in[UNIX], &dst[UNIX].remote.sockaddr, &len) == -1)
    {
        return 0;
    }

    dst[UNIX].len = len;
    dst[UNIX].fd = unix_out;

    return gro;
}


static void
messages(void)
{
    int  i;

    for (i = 0; i < 10; i++) {
        add(&dst[0], 1000, 1);
    }

    nothing("nothing leaves before the turn is over");
    run_posted();
    expect(0, 10000, 1000, "datagrams of one size are one message");

    add(&dst[0], 1000, 1);
    add(&dst[0], 1000, 1);
    add(&dst[0], 300, 1);
    add(&dst[0], 300, 1);
    run_posted();
    expect(0, 2300, 1000, "a shorter one ends it");
    expect(0, 300, 300, "the next begins a new one");

    add(&dst[0], 300, 1);
    add(&dst[0], 1000, 1);
    add(&dst[0], 1000, 1);
    run_posted();
    expect(0, 300, 300, "a longer one begins a new one, too");
    expect(0, 2000, 1000, "with those behind it");

    add(&dst[0], 700, 1);
    add(&dst[0], 700, 1);
    add(&dst[1], 700, 2);
    add(&dst[1], 700, 2);
    add(&dst[0], 700, 3);
    run_posted();
    expect(0, 1400, 700, "another destination ends it");
    expect(1, 1400, 700, "and begins its own");
    tap_ok(wire[0] == 2 && wire[1399] == 2, "with the bytes that are its own");
    expect(0, 700, 700, "and back again");
    tap_ok(wire[0] == 3 && wire[699] == 3, "bytes as well");

    for (i = 0; i < 65; i++) {
        add(&dst[0], 100, 1);
    }

    run_posted();
    expect(0, 6400, 100, "no more than the kernel takes: pieces");
    expect(0, 100, 100, "the rest");

    for (i = 0; i < 55; i++) {
        add(&dst[0], 1200, 1);
    }

    run_posted();
    expect(0, 54 * 1200, 1200, "and bytes");
    expect(0, 1200, 1200, "the rest");

    dst[0].segment = 0;
    add(&dst[0], 1000, 1);
    add(&dst[0], 1000, 1);
    add(&dst[0], 10, 1);
    run_posted();
    dst[0].segment = 1;

    expect(0, 1000, 1000, "one by one where that is wanted");
    expect(0, 1000, 1000, "two");
    expect(0, 10, 10, "three");

    add(&dst[0], 500, 1);
    add(&dst[0], 500, 1);
    ngx_webrtc_nice_batch_leave(&dst[1]);
    nothing("another that leaves sends nothing");
    ngx_webrtc_nice_batch_leave(&dst[0]);
    expect(0, 1000, 500, "who leaves has it sent");
    run_posted();

    ngx_webrtc_nice_batch_flush();
    ngx_webrtc_nice_batch_add(&dst[0], 0);
    run_posted();
    nothing("and nothing is sent twice, nor empty");

    tap_ok(ngx_webrtc_nice_batch_reserve(65487) != NULL, "the largest");
    tap_ok(ngx_webrtc_nice_batch_reserve(65488) == NULL, "larger than any");
}


static void
refused(void)
{
    int        i, n;
    message_t  m;

    dst[0].fd = plain_out;
    add(&dst[0], 800, 7);
    add(&dst[0], 800, 8);
    add(&dst[0], 80, 9);
    run_posted();
    dst[0].fd = out;

    expect(0, 800, 800, "where messages are refused: one by one");
    tap_is_int(wire[799], 7, "the first");
    expect(0, 800, 800, "the next");
    tap_is_int(wire[0], 8, "in order");
    expect(0, 80, 80, "the last");
    tap_is_int(wire[79], 9, "is it");

    /* nobody reads: the socket is full before all are sent */

    for (i = 0; i < 4096; i++) {
        add(&dst[UNIX], 1000, 1);
    }

    run_posted();

    for (n = 0; take(UNIX, &m, 0); n++) { /* void */ }

    tap_ok(n > 0 && n < 4096, "a full socket drops the rest (%d sent)", n);

    add(&dst[UNIX], 44, 5);
    run_posted();
    expect(UNIX, 44, 44, "and takes what comes later");
}


/* any sizes to any destination: all arrives, in order, with its own bytes */

static void
at_random(void)
{
    int        i, to, bad;
    size_t     n, k, at, len;
    uint32_t   seed;
    uint64_t   sent[UNIX], got[UNIX];
    message_t  m;

    static uint16_t  sizes[UNIX][ROUNDS];

    memset(sent, 0, sizeof(sent));
    memset(got, 0, sizeof(got));

    seed = 1;
    n = 1000;
    bad = 0;

    for (i = 0; i < ROUNDS; i++) {
        seed = seed * 1103515245 + 12345;

        to = (int) ((seed >> 16) % 16 == 0);

        if ((seed >> 20) % 8 == 0) {
            n = 1 + (seed >> 8) % 1400;
        }

        sizes[to][sent[to]] = (uint16_t) n;
        add(&dst[to], n, (u_char) sent[to]);
        sent[to]++;

        if ((seed >> 24) % 16 && i < ROUNDS - 1) {
            continue;
        }

        run_posted();

        for (to = 0; to < UNIX; to++) {
            while (got[to] < sent[to]) {
                if (!take(to, &m, 1)) {
                    tap_ok(0, "number %d to %d arrives", (int) got[to], to);
                    return;
                }

                for (at = 0; at < m.n; at += len, got[to]++) {
                    len = ngx_min(m.segment, m.n - at);

                    bad += (got[to] >= sent[to]
                            || len != sizes[to][got[to]]);

                    for (k = 0; k < len; k++) {
                        bad += (wire[at + k] != (u_char) got[to]);
                    }
                }
            }
        }
    }

    tap_is_int(bad, 0, "at random: sizes and bytes");

    for (to = 0; to < UNIX; to++) {
        tap_is_int((int64_t) got[to], (int64_t) sent[to], "all to %d", to);
    }

    nothing("and nothing else");
}


int
main(void)
{
    if (!setup()) {
        tap_skip_all("no UDP_GRO on the loopback here");
        return 0;
    }

    messages();
    refused();
    at_random();

    return tap_done();
}
