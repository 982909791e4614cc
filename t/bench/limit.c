
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the machine can do: encrypts and sends the packets of a stream to N
 * destinations with the module's SRTP, sendmmsg() and UDP_SEGMENT, and does
 * nothing else.  No ring, no lookup, no statistics, one key schedule per
 * destination as there has to be.  A second process, on another core, receives.
 *
 *     limit [-n destinations] [-t seconds] [-p gcm|sha1_80] [-s trace]
 *           [-e openssl|ipsec-mb, with what is encrypted]
 *           [-f frames per second, 0: as fast as it goes] [-g 0|1 receivers
 *           with UDP_GRO] [-b 0|1 receivers that drop in the kernel] [-c cpu]
 *           [-d cpu of the receiver]
 *
 * A trace is what "whepbench -trace" writes: the RTP packet sizes of a viewer,
 * a frame per line.  Prints one JSON object.
 */


#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ngx_webrtc_srtp.h>


#define FRAMES    4096
#define ARENA     (512 * 1024)
#define MSGS      256
#define HEADER    12

/* most pieces and bytes of a message; linux/udp.h, 65535 - 20 - 8 */
#define PIECES    64
#define MESSAGE   65507


typedef struct {
    struct sockaddr_in      addr;
    ngx_webrtc_srtp_out_t   srtp;
    uint64_t                index;
} dest_t;


static size_t      n = 100;
static double      seconds = 5, fps = 30;
static int         gcm = 1, gro = 1, blind, cpu = -1, drain_cpu = -1;
static uint16_t   *frames[FRAMES];
static size_t      sizes[FRAMES];
static size_t      nframes;

static u_char      arena[ARENA], *pos = arena;
static u_char      payload[2048];

static struct mmsghdr  msgs[MSGS];
static struct iovec    iovs[MSGS];
static u_char          controls[MSGS][CMSG_SPACE(sizeof(uint16_t))]
                           __attribute__((aligned(8)));
static size_t          nmsgs;

static uint64_t    packets, bytes, calls, dropped;


static void
read_trace(const char *name)
{
    FILE    *f;
    char     line[65536], *p, *end;
    size_t   i;

    if (name == NULL) {

        /* 2.5 Mbit/s, 30 fps, a key frame per second of five times the mean */

        for (nframes = 0; nframes < 30; nframes++) {
            sizes[nframes] = nframes ? 8 : 44;
            frames[nframes] = calloc(sizes[nframes], sizeof(uint16_t));

            for (i = 0; i < sizes[nframes]; i++) {
                frames[nframes][i] = 1150;
            }
        }

        return;
    }

    f = fopen(name, "r");
    if (f == NULL) {
        bench_die(name);
    }

    while (nframes < FRAMES && fgets(line, sizeof(line), f)) {
        frames[nframes] = calloc(strlen(line) / 2 + 1, sizeof(uint16_t));

        for (i = 0, p = line; /* void */ ; i++, p = end) {
            frames[nframes][i] = (uint16_t) strtoul(p, &end, 10);

            if (end == p) {
                break;
            }
        }

        sizes[nframes] = i;

        if (i) {
            nframes++;
        }
    }

    fclose(f);
}


/* the receiver: as cheap as whepbench's light mode */

static void
drain(int report)
{
    int                  ep, fd, on, i, k, got;
    size_t               j;
    socklen_t            len;
    struct iovec         iov[16];
    struct mmsghdr       m[16];
    struct epoll_event   ev, evs[256];
    struct sockaddr_in   sin;
    static u_char        buf[16][64];

    static struct sock_filter  code[] = { { BPF_RET | BPF_K, 0, 0, 0 } };
    struct sock_fprog          prog = { 1, code };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_pin(drain_cpu);

    ep = epoll_create1(0);

    for (j = 0; j < n; j++) {
        fd = socket(AF_INET, SOCK_DGRAM|SOCK_NONBLOCK, 0);

        memset(&sin, 0, sizeof(sin));
        sin.sin_family = AF_INET;
        sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

        if (fd == -1 || bind(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1) {
            bench_die("socket");
        }

        on = 1 << 20;
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &on, sizeof(on));

        on = 1;
        if (gro
            && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) == -1)
        {
            bench_die("UDP_GRO");
        }

        if (blind
            && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
                          sizeof(prog))
               == -1)
        {
            bench_die("SO_ATTACH_FILTER");
        }

        len = sizeof(sin);
        getsockname(fd, (struct sockaddr *) &sin, &len);

        if (write(report, &sin, sizeof(sin)) != sizeof(sin)) {
            bench_die("write");
        }

        ev.events = EPOLLIN;
        ev.data.fd = fd;
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
    }

    memset(m, 0, sizeof(m));

    for (i = 0; i < 16; i++) {
        iov[i].iov_base = buf[i];
        iov[i].iov_len = sizeof(buf[i]);
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }

    for ( ;; ) {
        got = epoll_wait(ep, evs, 256, -1);

        for (k = 0; k < got; k++) {
            while (recvmmsg(evs[k].data.fd, m, 16, MSG_DONTWAIT, NULL) == 16) {
                /* void */
            }
        }

        usleep(2000);
    }
}


static void
choose(const char *name)
{
    const ngx_webrtc_srtp_gcm_t  *row;

    row = ngx_webrtc_srtp_gcm_find(name);

    if (row == NULL || row->usable() != NULL) {
        fprintf(stderr, "limit: there is no %s\n", name);
        exit(2);
    }

    (void) ngx_webrtc_srtp_gcm_use(row);
    ngx_webrtc_srtp_batch(row != ngx_webrtc_srtp_gcm_row(0));
}


static void
setup(dest_t *d)
{
    size_t                 i;
    ngx_webrtc_srtp_key_t  key;

    key.profile = gcm ? NGX_WEBRTC_SRTP_AEAD_AES_128_GCM
                      : NGX_WEBRTC_SRTP_AES128_CM_SHA1_80;

    for (i = 0; i < sizeof(key.key); i++) {
        key.key[i] = (u_char) random();
    }

    memcpy(key.salt, key.key, sizeof(key.salt));

    if (ngx_webrtc_srtp_out_init(&d->srtp, &key) != NGX_OK) {
        abort();
    }
}


static size_t
protect(dest_t *d, size_t size, int marker, u_char *p)
{
    size_t     body, room;
    ngx_int_t  rc;

    body = size - HEADER - d->srtp.tag;
    room = size;

    memset(p, 0, HEADER);
    p[0] = 0x80;
    p[1] = (u_char) (marker ? 0xe6 : 0x66);
    p[2] = (u_char) (d->index >> 8);
    p[3] = (u_char) d->index;

    if (ngx_webrtc_srtp_batched(&d->srtp)) {
        memcpy(p + HEADER, payload, body);
        rc = ngx_webrtc_srtp_protect_later(&d->srtp, d->index, p, HEADER, body,
                                           &room);

    } else {
        rc = ngx_webrtc_srtp_protect(&d->srtp, d->index, p, HEADER, NULL, 0,
                                     payload, body, p, &room);
    }

    if (rc != NGX_OK) {
        abort();
    }

    d->index++;

    return size;
}


static void
flush(int fd)
{
    int            rc;
    size_t         i;
    struct pollfd  pfd;

    ngx_webrtc_srtp_finish();

    for (i = 0; i < nmsgs; /* void */) {
        calls++;
        rc = sendmmsg(fd, &msgs[i], (unsigned) (nmsgs - i), MSG_DONTWAIT);

        if (rc > 0) {
            i += (size_t) rc;
            continue;
        }

        if (errno == EAGAIN || errno == ENOBUFS) {
            pfd.fd = fd;
            pfd.events = POLLOUT;
            poll(&pfd, 1, 1);
            dropped++;
            continue;
        }

        bench_die("sendmmsg");
    }

    nmsgs = 0;
    pos = arena;
}


static void
send_frame(int fd, dest_t *d, size_t f)
{
    size_t            i, size, first, pieces;
    struct cmsghdr   *cmsg;
    struct msghdr    *h;

    for (i = 0; i < sizes[f]; /* void */) {

        if (nmsgs == MSGS || pos + MESSAGE > arena + ARENA) {
            flush(fd);
        }

        h = &msgs[nmsgs].msg_hdr;
        iovs[nmsgs].iov_base = pos;
        iovs[nmsgs].iov_len = 0;
        first = frames[f][i];

        for (pieces = 0; i < sizes[f] && pieces < PIECES; pieces++) {
            size = frames[f][i];

            if (size > first || iovs[nmsgs].iov_len + size > MESSAGE) {
                break;
            }

            pos += protect(d, size, i + 1 == sizes[f], pos);
            iovs[nmsgs].iov_len += size;
            packets++;
            bytes += size;
            i++;

            if (size < first) {
                pieces++;
                break;
            }
        }

        h->msg_name = &d->addr;
        h->msg_namelen = sizeof(d->addr);
        h->msg_iov = &iovs[nmsgs];
        h->msg_iovlen = 1;
        h->msg_control = NULL;
        h->msg_controllen = 0;

        if (pieces > 1) {
            h->msg_control = controls[nmsgs];
            h->msg_controllen = sizeof(controls[nmsgs]);

            cmsg = CMSG_FIRSTHDR(h);
            cmsg->cmsg_level = IPPROTO_UDP;
            cmsg->cmsg_type = UDP_SEGMENT;
            cmsg->cmsg_len = CMSG_LEN(sizeof(uint16_t));
            *(uint16_t *) (void *) CMSG_DATA(cmsg) = (uint16_t) first;
        }

        nmsgs++;
    }
}


int
main(int argc, char **argv)
{
    int                  fd, c, on, pipes[2];
    pid_t                pid;
    size_t               i, turn;
    dest_t              *dests;
    const char          *trace, *crypto;
    uint64_t             start, now, due, cpu_ns, half, half_packets;
    struct timespec      ts;

    trace = NULL;
    crypto = "openssl";

    while ((c = getopt(argc, argv, "n:t:p:s:f:g:b:c:d:e:")) != -1) {
        switch (c) {
        case 'n': n = strtoul(optarg, NULL, 10); break;
        case 't': seconds = atof(optarg); break;
        case 'p': gcm = (strcmp(optarg, "gcm") == 0); break;
        case 's': trace = optarg; break;
        case 'f': fps = atof(optarg); break;
        case 'g': gro = atoi(optarg); break;
        case 'b': blind = atoi(optarg); break;
        case 'c': cpu = atoi(optarg); break;
        case 'd': drain_cpu = atoi(optarg); break;
        case 'e': crypto = optarg; break;
        default: return 2;
        }
    }

    if (n == 0) {
        return 2;
    }

    read_trace(trace);
    choose(crypto);
    bench_files(n + 64);

    if (pipe(pipes) == -1) {
        bench_die("pipe");
    }

    pid = fork();

    if (pid == 0) {
        drain(pipes[1]);
    }

    bench_pin(cpu);

    dests = calloc(n, sizeof(dest_t));

    for (i = 0; i < n; i++) {
        if (read(pipes[0], &dests[i].addr, sizeof(dests[i].addr))
            != sizeof(dests[i].addr))
        {
            bench_die("read");
        }

        setup(&dests[i]);
    }

    fd = socket(AF_INET, SOCK_DGRAM|SOCK_NONBLOCK, 0);
    on = 8 << 20;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &on, sizeof(on));

    start = bench_now_ns();
    due = start;
    cpu_ns = bench_cpu_ns();
    half = 0;
    half_packets = 0;

    for (turn = 0; /* void */ ; turn++) {

        now = bench_now_ns();

        if ((double) (now - start) / 1e9 >= seconds) {
            break;
        }

        if (half == 0 && (double) (now - start) / 1e9 >= seconds / 5) {

            /* what came before was warming up */

            half = bench_cpu_ns();
            half_packets = packets;
        }

        for (i = 0; i < n; i++) {
            send_frame(fd, &dests[i], turn % nframes);
        }

        flush(fd);

        if (fps > 0) {
            due += (uint64_t) (1e9 / fps);
            now = bench_now_ns();

            if (now < due) {
                ts.tv_sec = 0;
                ts.tv_nsec = (long) (due - now);
                nanosleep(&ts, NULL);

            } else {
                due = now;
            }
        }
    }

    now = bench_now_ns();
    cpu_ns = bench_cpu_ns() - half;

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    bench_open(stdout, NULL);
    bench_num(stdout, "viewers", (double) n, 0);
    bench_text(stdout, "srtp", gcm ? "AEAD_AES_128_GCM" : "AES128_CM_SHA1_80");
    bench_text(stdout, "crypto", crypto);
    bench_num(stdout, "gro", gro, 0);
    bench_num(stdout, "blind", blind, 0);
    bench_num(stdout, "packets_per_s",
              (double) packets / ((double) (now - start) / 1e9), 0);
    bench_num(stdout, "fps",
              (double) turn / ((double) (now - start) / 1e9), 2);
    bench_num(stdout, "mbit_per_s",
              (double) bytes * 8 / ((double) (now - start) / 1e3), 1);
    bench_num(stdout, "cpu_us_per_packet",
              (double) cpu_ns / 1e3 / (double) (packets - half_packets), 3);
    bench_num(stdout, "packets_per_call",
              (double) packets / (double) calls, 1);
    bench_num(stdout, "blocked", (double) dropped, 0);
    bench_close(stdout);

    return 0;
}
