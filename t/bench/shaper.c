
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A path between two interfaces, for t/bench/files_loss: frames of the one go
 * out at the other with a delay, a rate, a queue that drops its tail, and
 * without some of them.  It ends with the process that has started it.
 *
 *     shaper if1 if2 delay_ms rate_kbit queue_ms loss_percent
 *
 * The loss is of frames from if1 to if2.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>


#define FRAMES  65536                    /* on their way, at most */
#define FRAME   2048


typedef struct {
    double          at;                  /* ms */
    ssize_t         n;
    unsigned char   p[FRAME];
} frame_t;


typedef struct {
    frame_t        *ring;
    size_t          head, tail;
    double          free_at;             /* the line is, ms */
    double          loss;
} line_t;


static double  delay, rate, queue;
static int     fds[2];
static line_t  lines[2];


static double
now_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec * 1e3 + (double) ts.tv_nsec / 1e6;
}


static int
open_if(const char *name)
{
    int                 fd, on, size;
    struct sockaddr_ll  addr;
    struct packet_mreq  mreq;

    on = 1;
    size = 8 << 20;

    memset(&addr, 0, sizeof(addr));
    addr.sll_family = AF_PACKET;
    addr.sll_protocol = htons(ETH_P_ALL);
    addr.sll_ifindex = (int) if_nametoindex(name);

    memset(&mreq, 0, sizeof(mreq));
    mreq.mr_ifindex = addr.sll_ifindex;
    mreq.mr_type = PACKET_MR_PROMISC;

    fd = socket(AF_PACKET, SOCK_RAW|SOCK_NONBLOCK, htons(ETH_P_ALL));

    if (fd == -1
        || bind(fd, (struct sockaddr *) &addr, sizeof(addr)) == -1
        || setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq,
                      sizeof(mreq)) == -1
        || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on,
                      sizeof(on)) == -1)
    {
        perror(name);
        exit(1);
    }

    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));

    return fd;
}


static void
take(int i, double now)
{
    int        k;
    double     gone;
    line_t    *line;
    frame_t   *frame;

    static unsigned char  p[65536];

    line = &lines[i];

    for (k = 0; k < 64; k++) {
        ssize_t  n = recv(fds[i], p, sizeof(p), 0);

        if (n <= 0) {
            return;
        }

        gone = (line->free_at > now) ? line->free_at : now;

        if (n > FRAME || line->head - line->tail == FRAMES
            || drand48() * 100 < line->loss || gone - now > queue)
        {
            continue;
        }

        if (rate > 0) {
            gone += (double) n * 8 / rate;
        }

        line->free_at = gone;

        frame = &line->ring[line->head++ % FRAMES];
        frame->at = gone + delay;
        frame->n = n;
        memcpy(frame->p, p, (size_t) n);
    }
}


/* returns when the next one is due, or a while from now */

static double
give(int i, double now)
{
    line_t   *line;
    frame_t  *frame;

    line = &lines[i];

    while (line->tail != line->head) {
        frame = &line->ring[line->tail % FRAMES];

        if (frame->at > now) {
            return frame->at;
        }

        (void) !send(fds[!i], frame->p, (size_t) frame->n, 0);
        line->tail++;
    }

    return now + 100;
}


int
main(int argc, char **argv)
{
    double           next[2], wait;
    struct pollfd    pfd[2];
    struct timespec  ts;

    if (argc != 7) {
        fprintf(stderr, "shaper if1 if2 delay_ms rate_kbit queue_ms"
                " loss_percent\n");
        return 2;
    }

    prctl(PR_SET_PDEATHSIG, SIGTERM);

    fds[0] = open_if(argv[1]);
    fds[1] = open_if(argv[2]);
    delay = atof(argv[3]);
    rate = atof(argv[4]);
    queue = atof(argv[5]);
    lines[0].loss = atof(argv[6]);

    lines[0].ring = calloc(FRAMES, sizeof(frame_t));
    lines[1].ring = calloc(FRAMES, sizeof(frame_t));

    if (lines[0].ring == NULL || lines[1].ring == NULL) {
        return 1;
    }

    for ( ;; ) {
        next[0] = give(0, now_ms());
        next[1] = give(1, now_ms());

        wait = (next[0] < next[1] ? next[0] : next[1]) - now_ms();

        ts.tv_sec = 0;
        ts.tv_nsec = (wait > 0) ? (long) (wait * 1e6) : 0;

        pfd[0].fd = fds[0];
        pfd[1].fd = fds[1];
        pfd[0].events = pfd[1].events = POLLIN;

        if (ppoll(pfd, 2, &ts, NULL) == -1 && errno != EINTR) {
            return 1;
        }

        take(0, now_ms());
        take(1, now_ms());
    }
}
