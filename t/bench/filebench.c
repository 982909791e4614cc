
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A lean client of one file session, in one thread: asks for the whole file and
 * tells how fast it came and what it cost both sides.  Everything under test
 * serves it in the same way: nginx, or whatever answers an offer POSTed to a
 * URL and speaks docs/datachannel.md.
 *
 *     filebench -url http://127.0.0.1:8080/f -file f -pid 123 -rtt 50 -rate 100
 *
 * With -seek it cancels the range after so many seconds, asks for one elsewhere
 * at once, ends with its first bytes and tells how many of the old one came
 * before them.
 *
 * The path (-rtt, -rate, -queue, -loss) is made here, between socket and
 * engines, in both directions: every datagram waits until its time has come.
 * Where the other side ends does not matter: at a server, or at a relay.
 *
 * ICE is that of a controlling agent with one candidate and one peer's
 * candidate, the first of the answer; DTLS, SCTP and channels are the module's
 * engines.
 */


#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/hmac.h>
#include <usrsctp.h>

#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_channel.h>
#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_dtls.h>
#include <ngx_webrtc_range.h>
#include <ngx_webrtc_sctp.h>


#define MS          1000000ull
#define BATCH       32
#define BUF         65536
#define LINE        16384                /* datagrams on their way, at most */
#define DATAGRAM    1500
#define OUT         16
#define SDP         16384
#define SECONDS     4096


/* a direction of the path */
typedef struct {
    uint64_t   due;
    size_t     n;
    u_char     p[DATAGRAM];
} parcel_t;


typedef struct {
    parcel_t  *ring;
    size_t     head, tail;
    uint64_t   free;                     /* the line is, ns */
    uint64_t   lost;
    uint64_t   passed;
} line_t;


static struct {
    const char  *url, *file, *json, *name;
    char         host[128], path[512];
    int          port;
    double       rtt, rate, queue, loss, timeout, window, seek;
    int          pids[BENCH_PIDS];
    size_t       npids;
    int          cpu, quiet;
} o;

static int                        fd;
static struct sockaddr_in         local, remote;
static line_t                     up, down;
static int                        shaped;

static parcel_t                   out[OUT];      /* to be sent */
static int                        nout;

static char                       ufrag[9], pwd[33], rufrag[260], rpwd[260];
static u_char                     fp[32];
static int                        active;

static ngx_webrtc_dtls_conf_t    *dtls_conf;
static ngx_webrtc_dtls_t          dtls;
static ngx_webrtc_sctp_t         *sctp;
static ngx_webrtc_sctp_assoc_t    assoc;
static ngx_webrtc_channels_t      channels;
static ngx_webrtc_channel_t       slots[2];
static ngx_webrtc_channel_t      *channel;

static int                        checked, secured, asked, done;
static const char                *error;
static uint64_t                   begun, first, ended, size, got, frames, bad;
static uint64_t                   seconds[SECONDS];
static uint64_t                   sought, late;   /* ns, bytes after it */
static int                        status;
static const u_char              *content;
static bench_proc_t               before;


static void datagram_in(u_char *p, size_t n);
static void datagram_out(u_char *p, size_t n);
static void flush(void);


static uint64_t
now_ms(void)
{
    return bench_now_ns() / MS;
}


static void
fail(const char *what)
{
    if (error == NULL) {
        error = what;
    }
}


/* the path */

static void
line_put(line_t *l, const u_char *p, size_t n)
{
    uint64_t   now, gone;
    parcel_t  *parcel;

    now = bench_now_ns();

    if (n > DATAGRAM || l->head - l->tail == LINE
        || (o.loss > 0 && drand48() * 100 < o.loss))
    {
        l->lost++;
        return;
    }

    gone = (l->free > now) ? l->free : now;

    if (o.rate > 0) {

        /* bits per 1000 ns; 28 bytes of IP and UDP are on the line too */

        if ((double) (gone - now) > o.queue * MS) {
            l->lost++;
            return;
        }

        gone += (uint64_t) ((double) (n + 28) * 8 * 1000 / o.rate);
    }

    l->free = gone;

    parcel = &l->ring[l->head++ % LINE];
    parcel->due = gone + (uint64_t) (o.rtt / 2 * MS);
    parcel->n = n;
    memcpy(parcel->p, p, n);
}


/* hands over what has arrived; returns when the next will, or 0 */

static uint64_t
line_run(line_t *l, void (*handler)(u_char *p, size_t n))
{
    uint64_t   now;
    parcel_t  *parcel;

    now = bench_now_ns();

    while (l->tail != l->head) {
        parcel = &l->ring[l->tail % LINE];

        if (parcel->due > now) {
            return parcel->due;
        }

        handler(parcel->p, parcel->n);
        l->passed++;
        l->tail++;
    }

    return 0;
}


static void
datagram_send(u_char *p, size_t n)
{
    if (shaped) {
        line_put(&up, p, n);
        return;
    }

    datagram_out(p, n);
}


/*
 * What goes out, a SACK for every other packet most of all, goes in one system
 * call for up to OUT of them: one by one they would be a third of the client's
 * time, and the client what is measured.
 */

static void
datagram_out(u_char *p, size_t n)
{
    if (n > DATAGRAM) {
        return;
    }

    memcpy(out[nout].p, p, n);
    out[nout].n = n;

    if (++nout == OUT) {
        flush();
    }
}


static void
flush(void)
{
    int  i, sent;

    static struct iovec    iovs[OUT];
    static struct mmsghdr  msgs[OUT];

    for (i = 0; i < nout; i++) {
        iovs[i].iov_base = out[i].p;
        iovs[i].iov_len = out[i].n;
        msgs[i].msg_hdr.msg_iov = &iovs[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }

    /* an error is of one datagram, which is lost; those behind it are sent */

    for (i = 0; i < nout; i += (sent > 0) ? sent : 1) {
        sent = sendmmsg(fd, msgs + i, (unsigned) (nout - i), MSG_DONTWAIT);
    }

    nout = 0;
}


static void
post(void)
{
    int                 s, n, body, port;
    char                line[512], ip[64];
    size_t              len;
    ssize_t             rc;
    const char         *p;
    struct sockaddr_in  addr;

    static char  text[SDP], request[SDP + 1024], answer[SDP];

    bench_random_hex(ufrag, 8);
    bench_random_hex(pwd, 32);

    body = snprintf(text, sizeof(text),
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        "a=group:BUNDLE 0\r\n"
        "m=application %d UDP/DTLS/SCTP webrtc-datachannel\r\n"
        "c=IN IP4 127.0.0.1\r\na=mid:0\r\na=sendrecv\r\n"
        "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=ice-options:trickle\r\n"
        "a=fingerprint:sha-256 %.*s\r\na=setup:actpass\r\n"
        "a=sctp-port:5000\r\na=max-message-size:262144\r\n"
        "a=candidate:1 1 UDP 2122317823 127.0.0.1 %d typ host\r\n"
        "a=end-of-candidates\r\n",
        ntohs(local.sin_port), ufrag, pwd, NGX_WEBRTC_CERTIFICATES_FINGERPRINT,
        (char *) dtls_conf->fingerprint, ntohs(local.sin_port));

    n = snprintf(request, sizeof(request),
        "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
        "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
        o.path, o.host, body, text);

    s = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0);

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons((uint16_t) o.port);

    if (inet_pton(AF_INET, o.host, &addr.sin_addr) != 1
        || connect(s, (struct sockaddr *) &addr, sizeof(addr)) == -1
        || send(s, request, (size_t) n, MSG_NOSIGNAL) != n)
    {
        bench_die("POST");
    }

    for (len = 0; len < sizeof(answer) - 1; len += (size_t) rc) {
        rc = recv(s, answer + len, sizeof(answer) - 1 - len, 0);

        if (rc <= 0) {
            break;
        }
    }

    close(s);
    answer[len] = '\0';

    if (strncmp(answer, "HTTP/1.1 201", 12) != 0
        || !bench_sdp_line(answer, "\na=ice-ufrag:", rufrag, sizeof(rufrag))
        || !bench_sdp_line(answer, "\na=ice-pwd:", rpwd, sizeof(rpwd))
        || !bench_sdp_line(answer, "\na=setup:", line, sizeof(line)))
    {
        fprintf(stderr, "no answer: %s\n", answer);
        exit(1);
    }

    active = (strcmp(line, "active") == 0);

    if ((!bench_sdp_line(answer, "\na=fingerprint:sha-256 ", line, sizeof(line))
         && !bench_sdp_line(answer, "\na=fingerprint:SHA-256 ", line, sizeof(line)))
        || strlen(line) != NGX_WEBRTC_CERTIFICATES_FINGERPRINT)
    {
        fprintf(stderr, "no fingerprint: %s\n", answer);
        exit(1);
    }

    for (n = 0; n < 32; n++) {
        fp[n] = (u_char) strtoul(line + 3 * n, NULL, 16);
    }

    p = strstr(answer, "\na=candidate:");

    if (p == NULL
        || sscanf(p, "\na=candidate:%*s %*s %*s %*s %63s %d", ip, &port) != 2
        || inet_pton(AF_INET, ip, &remote.sin_addr) != 1)
    {
        fprintf(stderr, "no candidate: %s\n", answer);
        exit(1);
    }

    remote.sin_family = AF_INET;
    remote.sin_port = htons((uint16_t) port);

    /* spares a look-up of the route per datagram */

    if (connect(fd, (struct sockaddr *) &remote, sizeof(remote)) == -1) {
        bench_die("connect");
    }
}


/* ICE; RFC 8445, 7 */

static uint32_t
crc32_stun(const u_char *p, size_t n)
{
    int       i;
    uint32_t  c;

    for (c = 0xffffffff; n; n--) {
        c ^= *p++;

        for (i = 0; i < 8; i++) {
            c = (c & 1) ? 0xedb88320 ^ (c >> 1) : c >> 1;
        }
    }

    return (c ^ 0xffffffff) ^ 0x5354554e;
}


static u_char *
stun_attr(u_char *p, unsigned type, const void *data, size_t n)
{
    *p++ = (u_char) (type >> 8);
    *p++ = (u_char) type;
    *p++ = (u_char) (n >> 8);
    *p++ = (u_char) n;

    memcpy(p, data, n);
    memset(p + n, 0, 4);

    return p + ((n + 3) & ~3ul);
}


static void
stun_length(u_char *p, const u_char *end)
{
    size_t  n = (size_t) (end - p) - 20;

    p[2] = (u_char) (n >> 8);
    p[3] = (u_char) n;
}


static void
stun_finish(u_char *buf, u_char *p, const char *key)
{
    u_char        mac[20];
    uint32_t      crc;
    unsigned int  len;

    stun_length(buf, p + 24);

    HMAC(EVP_sha1(), key, (int) strlen(key), buf, (size_t) (p - buf), mac,
         &len);

    p = stun_attr(p, 0x0008, mac, 20);

    stun_length(buf, p + 8);

    crc = htonl(crc32_stun(buf, (size_t) (p - buf)));
    p = stun_attr(p, 0x8028, &crc, 4);

    datagram_send(buf, (size_t) (p - buf));
}


static void
ice_check(void)
{
    u_char  buf[1200], *p;
    size_t  n;
    char    user[600];

    buf[0] = 0x00;
    buf[1] = 0x01;
    memcpy(buf + 4, "\x21\x12\xa4\x42", 4);

    if (getrandom(buf + 8, 12, 0) != 12) {
        bench_die("getrandom");
    }

    n = (size_t) snprintf(user, sizeof(user), "%s:%s", rufrag, ufrag);

    p = stun_attr(buf + 20, 0x0006, user, n);
    p = stun_attr(p, 0x0024, "\x6e\x7f\x1e\xff", 4);            /* PRIORITY */
    p = stun_attr(p, 0x802a, "filebnch", 8);             /* ICE-CONTROLLING */
    p = stun_attr(p, 0x0025, "", 0);                       /* USE-CANDIDATE */

    stun_finish(buf, p, rpwd);
}


static void
ice_input(u_char *p, size_t n)
{
    u_char    buf[256], mapped[8];
    uint32_t  addr;

    if (n < 20) {
        return;
    }

    if (p[0] == 0x01 && p[1] == 0x01) {
        checked = 1;
        return;
    }

    if (p[0] != 0x00 || p[1] != 0x01) {
        return;
    }

    /* RFC 8489, 14.2: XOR-MAPPED-ADDRESS; what it says is of no use here */

    buf[0] = 0x01;
    buf[1] = 0x01;
    memcpy(buf + 4, p + 4, 16);

    mapped[0] = 0;
    mapped[1] = 1;
    mapped[2] = (u_char) (remote.sin_port ^ 0x21);
    mapped[3] = (u_char) ((remote.sin_port >> 8) ^ 0x12);
    addr = remote.sin_addr.s_addr ^ htonl(0x2112a442);
    memcpy(mapped + 4, &addr, 4);

    stun_finish(buf, stun_attr(buf + 20, 0x0020, mapped, 8), pwd);
}


/* DTLS */

static void
dtls_out(void *ctx, u_char *p, size_t n)
{
    (void) ctx;

    datagram_send(p, n);
}


static void
dtls_recv(void *ctx, u_char *p, size_t n)
{
    (void) ctx;

    (void) ngx_webrtc_sctp_input(&assoc, p, n, now_ms());
}


static void
dtls_begin(void)
{
    ngx_webrtc_dtls_opts_t  opts;

    memset(&opts, 0, sizeof(opts));

    opts.role = active ? NGX_WEBRTC_DTLS_SERVER : NGX_WEBRTC_DTLS_CLIENT;
    opts.fingerprint_alg = NGX_WEBRTC_FINGERPRINT_SHA256;
    opts.fingerprint = fp;
    opts.fingerprint_len = 32;
    opts.send = dtls_out;
    opts.recv = dtls_recv;

    if (ngx_webrtc_dtls_init(&dtls, dtls_conf, &opts) != NGX_OK
        || ngx_webrtc_dtls_start(&dtls, now_ms()) != NGX_OK)
    {
        fail("DTLS start failed");
    }
}


/* SCTP and channels */

static void
sctp_out(void *ctx, u_char *p, size_t n)
{
    (void) ctx;

    (void) ngx_webrtc_dtls_send(&dtls, p, n);
}


static void
sctp_state(void *ctx, ngx_webrtc_sctp_state_e state)
{
    ngx_str_t  label = ngx_string("file");
    ngx_str_t  protocol = ngx_string("range.v1");

    (void) ctx;

    if (state == NGX_WEBRTC_SCTP_OPEN) {
        ngx_webrtc_channels_up(&channels, assoc.streams);

        channel = ngx_webrtc_channel_open(&channels, &label, &protocol,
                                          NGX_WEBRTC_DCEP_RELIABLE, 0);
        if (channel == NULL) {
            fail("no channel");
        }

    } else if (!done) {
        fail(assoc.reason ? assoc.reason : "association closed");
    }
}


static void
sctp_message(void *ctx, uint16_t stream, uint32_t ppid, u_char *p, size_t n)
{
    (void) ctx;

    (void) ngx_webrtc_channels_input(&channels, stream, ppid, p, n);
}


static ngx_int_t
channel_send(void *ctx, uint16_t stream, uint32_t ppid, uint8_t type,
    uint32_t reliability, const u_char *p, size_t n)
{
    ngx_webrtc_sctp_msg_t  msg;

    (void) ctx;
    (void) type;
    (void) reliability;

    memset(&msg, 0, sizeof(msg));
    msg.stream = stream;
    msg.ppid = ppid;

    return ngx_webrtc_sctp_send(&assoc, &msg, p, n, now_ms());
}


static ngx_int_t
channel_reset(void *ctx, uint16_t stream)
{
    (void) ctx;

    return ngx_webrtc_sctp_reset(&assoc, stream, now_ms());
}


static void
channel_closed(void *ctx, ngx_webrtc_channel_t *ch)
{
    (void) ctx;
    (void) ch;

    fail("channel closed");
}


static uint64_t
number(const u_char *p, size_t n)
{
    uint64_t  v;

    for (v = 0; n; n--) {
        v = v << 8 | *p++;
    }

    return v;
}


/* Cancel, and a range that begins in the middle */

static void
seek(ngx_webrtc_channel_t *ch)
{
    static u_char  cancel[12] = { 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 };
    static u_char  ask[28] = { 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 16 };

    (void) ngx_webrtc_write_u64(ask + 12, ask + sizeof(ask), size / 2);

    if (ngx_webrtc_channel_send(ch, 0, cancel, sizeof(cancel)) != NGX_OK
        || ngx_webrtc_channel_send(ch, 0, ask, sizeof(ask)) != NGX_OK)
    {
        fail("cannot seek");
    }
}


static void
channel_message(void *ctx, ngx_webrtc_channel_t *ch, ngx_uint_t string,
    u_char *p, size_t n)
{
    size_t    s;
    uint64_t  now;

    static u_char  ask[28] = { 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 16 };

    (void) ctx;

    if (string || n < 12 || number(p + 8, 4) != n - 12) {
        bad++;
        return;
    }

    now = bench_now_ns();

    switch (p[0]) {

    case 0:
        if (asked || n < 20) {
            return;
        }

        size = number(p + 12, 8);
        asked = 1;
        begun = now;
        bench_proc(&before, o.pids, o.npids);

        if (ngx_webrtc_channel_send(ch, 0, ask, sizeof(ask)) != NGX_OK) {
            fail("cannot ask");
        }

        break;

    case 2:
        if (number(p + 4, 4) == 2) {
            ended = now;
            done = 1;
            return;
        }

        if (first == 0) {
            first = now;
        }

        if (sought) {
            late += n - 12;
        }

        if (content && (got + n - 12 > size
                        || memcmp(content + got, p + 12, n - 12) != 0))
        {
            bad++;
        }

        got += n - 12;
        frames++;

        s = (size_t) ((now - begun) / (1000 * MS));
        seconds[s < SECONDS ? s : SECONDS - 1] += n - 12;

        if (o.seek > 0 && sought == 0
            && (double) (now - begun) > o.seek * 1e9)
        {
            sought = now;
            seek(ch);
        }

        break;

    case 3:
        if (sought && number(p + 4, 4) == 1) {
            return;
        }

        status = (int) number(p + 12, 4);
        ended = now;
        done = 1;
        break;
    }
}


static void
sctp_begin(void)
{
    int                        n;
    ngx_webrtc_sctp_opts_t     opts;
    ngx_webrtc_channel_opts_t  co;

    memset(&opts, 0, sizeof(opts));
    opts.send = sctp_out;
    opts.state = sctp_state;
    opts.message = sctp_message;

    memset(&co, 0, sizeof(co));
    co.role = active ? NGX_WEBRTC_DTLS_SERVER : NGX_WEBRTC_DTLS_CLIENT;
    co.slots = slots;
    co.nslots = 2;
    co.send = channel_send;
    co.reset = channel_reset;
    co.message = channel_message;
    co.closed = channel_closed;

    ngx_webrtc_channels_init(&channels, &co);

    if (ngx_webrtc_sctp_init(&assoc, sctp, &opts) != NGX_OK) {
        fail("SCTP init failed");
        return;
    }

    /* what a browser's would be */

    n = (int) (o.window * 1048576);

    usrsctp_setsockopt(assoc.so, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n));

    if (ngx_webrtc_sctp_start(&assoc, now_ms()) != NGX_OK) {
        fail("SCTP start failed");
    }
}


static void
datagram_in(u_char *p, size_t n)
{
    if (n == 0) {
        return;
    }

    if (p[0] < 4) {
        ice_input(p, n);
        return;
    }

    if (p[0] < 20 || p[0] > 63 || !checked) {
        return;
    }

    if (dtls.ssl == NULL) {
        dtls_begin();
    }

    switch (ngx_webrtc_dtls_input(&dtls, p, n, now_ms())) {

    case NGX_OK:
        if (!secured) {
            secured = 1;
            sctp_begin();
        }

        break;

    case NGX_ERROR:
        fail(dtls.reason ? dtls.reason : "DTLS failed");
        break;

    case NGX_DONE:
        fail("closed by the server");
        break;
    }
}


static void
receive(void)
{
    int                 i, n, seg;
    size_t              k, len, whole;
    u_char             *p;
    struct cmsghdr     *c;

    static struct mmsghdr  msgs[BATCH];
    static struct iovec    iovs[BATCH];
    static u_char         *bufs;
    static u_char          controls[BATCH][64] __attribute__((aligned(8)));

    if (bufs == NULL) {
        bufs = malloc(BATCH * BUF);
    }

    for (i = 0; i < BATCH; i++) {
        iovs[i].iov_base = bufs + i * BUF;
        iovs[i].iov_len = BUF;
        memset(&msgs[i], 0, sizeof(msgs[i]));
        msgs[i].msg_hdr.msg_iov = &iovs[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
        msgs[i].msg_hdr.msg_control = controls[i];
        msgs[i].msg_hdr.msg_controllen = sizeof(controls[i]);
    }

    n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);

    for (i = 0; i < n; i++) {
        p = iovs[i].iov_base;
        whole = msgs[i].msg_len;
        len = whole;

        for (c = CMSG_FIRSTHDR(&msgs[i].msg_hdr); c;
             c = CMSG_NXTHDR(&msgs[i].msg_hdr, c))
        {
            if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
                memcpy(&seg, CMSG_DATA(c), sizeof(int));
                len = (size_t) seg;
            }
        }

        for (k = 0; k < whole; k += len) {
            if (shaped) {
                line_put(&down, p + k, (whole - k < len) ? whole - k : len);

            } else {
                datagram_in(p + k, (whole - k < len) ? whole - k : len);
            }
        }
    }
}


/* ns until something is to be done, at most 10 ms */

static uint64_t
timers(void)
{
    uint64_t         t, next, now;

    static uint64_t  check;

    now = bench_now_ns();
    next = now + 10 * MS;

    if (!secured && now >= check) {
        ice_check();
        check = now + 100 * MS;

    } else if (now >= check + 5000 * MS) {
        ice_check();
        check = now;
    }

    if (checked && !active && dtls.ssl == NULL) {
        dtls_begin();
    }

    if (dtls.ssl) {
        t = ngx_webrtc_dtls_deadline(&dtls);

        if (t != NGX_WEBRTC_DTLS_NO_DEADLINE && t <= now / MS
            && ngx_webrtc_dtls_timeout(&dtls, now / MS) != NGX_OK)
        {
            fail("DTLS timed out");
        }
    }

    if (sctp && ngx_webrtc_sctp_deadline(sctp) <= now / MS) {
        ngx_webrtc_sctp_timeout(sctp, now / MS);
    }

    if (shaped) {
        t = line_run(&down, datagram_in);
        next = (t && t < next) ? t : next;

        t = line_run(&up, datagram_out);
        next = (t && t < next) ? t : next;
    }

    now = bench_now_ns();

    return (next > now) ? next - now : 0;
}


static void
run(void)
{
    uint64_t         ns, limit;
    struct pollfd    pfd;
    struct timespec  ts;

    limit = bench_now_ns() + (uint64_t) (o.timeout * 1e9);

    while (!done && error == NULL) {
        ns = timers();
        flush();

        ts.tv_sec = 0;
        ts.tv_nsec = (long) ns;

        pfd.fd = fd;
        pfd.events = POLLIN;

        if (ppoll(&pfd, 1, &ts, NULL) > 0) {
            receive();
        }

        if (bench_now_ns() > limit) {
            fail(secured ? (asked ? "timed out" : "no channel")
                         : (checked ? "no DTLS" : "no ICE"));
        }
    }
}


static void
report(void)
{
    FILE          *f;
    double         s, cpu, self, steady;
    size_t         i, n;
    uint64_t       sum;
    bench_proc_t   after;

    bench_proc(&after, o.pids, o.npids);

    s = (double) ((ended ? ended : bench_now_ns()) - begun) / 1e9;
    cpu = (double) (after.cpu_ns - before.cpu_ns) / 1e6;
    self = (double) (after.self_ns - before.self_ns) / 1e6;

    /* whole seconds but the first */

    n = (size_t) s;
    n = n < SECONDS ? n : SECONDS;

    for (sum = 0, i = 1; i < n; i++) {
        sum += seconds[i];
    }

    steady = (n > 1) ? (double) sum * 8 / 1e6 / (double) (n - 1) : 0;

    f = o.json ? fopen(o.json, "w") : stdout;

    if (f == NULL) {
        bench_die(o.json);
    }

    bench_open(f, NULL);
    bench_text(f, "error", error ? error : "");
    bench_num(f, "bytes", (double) got, 0);
    bench_num(f, "bad", (double) bad, 0);
    bench_num(f, "status", status, 0);
    bench_num(f, "ms", s * 1e3, 1);
    bench_num(f, "MB_per_s", (double) got / 1e6 / s, 1);
    bench_num(f, "Mbit_per_s", (double) got * 8 / 1e6 / s, 1);
    bench_num(f, "steady_Mbit_per_s", steady, 1);
    bench_num(f, "server_ms_per_MB", cpu / ((double) got / 1e6), 3);
    bench_num(f, "client_ms_per_MB", self / ((double) got / 1e6), 3);
    bench_num(f, "server_cpu_percent", cpu / s / 10, 0);
    bench_num(f, "client_cpu_percent", self / s / 10, 0);
    bench_num(f, "server_rss_kb", (double) after.rss_kb, 0);
    bench_num(f, "seek_bytes", (double) late, 0);
    bench_num(f, "seek_ms", sought ? (double) (ended - sought) / 1e6 : 0, 0);
    bench_num(f, "path_lost", (double) down.lost, 0);
    bench_num(f, "socket_lost", (double) (after.rcvbuf_errors
                                          - before.rcvbuf_errors), 0);
    bench_close(f);

    if (f != stdout) {
        fclose(f);
    }

    if (!o.quiet) {
        for (i = 0; i <= n && i < SECONDS; i++) {
            fprintf(stderr, " %.0f", (double) seconds[i] * 8 / 1e6);
        }

        fprintf(stderr, " Mbit of each second\n");
    }
}


static void
options(int argc, char **argv)
{
    int          c;
    struct stat  st;

    static const struct option  list[] = {
        { "url", 1, NULL, 'u' }, { "file", 1, NULL, 'f' },
        { "pid", 1, NULL, 'p' }, { "json", 1, NULL, 'j' },
        { "rtt", 1, NULL, 'r' }, { "rate", 1, NULL, 'b' },
        { "queue", 1, NULL, 'q' }, { "loss", 1, NULL, 'l' },
        { "timeout", 1, NULL, 't' }, { "window", 1, NULL, 'w' },
        { "cpu", 1, NULL, 'c' }, { "quiet", 0, NULL, 's' },
        { "seek", 1, NULL, 'k' },
        { NULL, 0, NULL, 0 }
    };

    o.cpu = -1;
    o.timeout = 120;
    o.window = 5;                       /* MiB; Chromium's */
    o.queue = 100;

    while ((c = getopt_long_only(argc, argv, "", list, NULL)) != -1) {

        switch (c) {
        case 'u': o.url = optarg; break;
        case 'f': o.file = optarg; break;
        case 'p': o.npids = bench_pids(optarg, o.pids); break;
        case 'j': o.json = optarg; break;
        case 'r': o.rtt = atof(optarg); break;
        case 'b': o.rate = atof(optarg); break;
        case 'q': o.queue = atof(optarg); break;
        case 'l': o.loss = atof(optarg); break;
        case 't': o.timeout = atof(optarg); break;
        case 'w': o.window = atof(optarg); break;
        case 'c': o.cpu = atoi(optarg); break;
        case 's': o.quiet = 1; break;
        case 'k': o.seek = atof(optarg); break;
        default: exit(2);
        }
    }

    if (o.url == NULL
        || sscanf(o.url, "http://%127[0-9.]:%d%511s", o.host, &o.port, o.path)
           != 3)
    {
        fprintf(stderr, "filebench -url http://1.2.3.4:80/file [-file path]"
                " [-pid n,n] [-rtt ms] [-rate Mbit/s] [-queue ms] [-loss %%]"
                " [-window MiB] [-seek s] [-timeout s] [-cpu n] [-json file] [-quiet]\n");
        exit(2);
    }

    if (o.file) {
        c = open(o.file, O_RDONLY);

        if (c == -1 || fstat(c, &st) == -1) {
            bench_die(o.file);
        }

        content = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_SHARED, c, 0);

        if (content == MAP_FAILED) {
            bench_die("mmap");
        }
    }

    shaped = (o.rtt > 0 || o.rate > 0 || o.loss > 0);

    if (shaped) {
        up.ring = calloc(LINE, sizeof(parcel_t));
        down.ring = calloc(LINE, sizeof(parcel_t));
    }
}


int
main(int argc, char **argv)
{
    int           on;
    u_char        pem[NGX_WEBRTC_CERTIFICATES_PEM];
    size_t        n = 0;
    ngx_log_t     log;
    socklen_t     len;
    ngx_str_t     text;
    ngx_pool_t   *pool;
    const char   *err;

    options(argc, argv);
    bench_pin(o.cpu);

    memset(&log, 0, sizeof(log));
    ngx_pagesize = 4096;
    pool = ngx_create_pool(16384, &log);

    if (pool == NULL
        || ngx_webrtc_certificates_generate(time(NULL), pem, &n) != NGX_OK)
    {
        bench_die("certificate");
    }

    text.data = pem;
    text.len = n;

    dtls_conf = ngx_webrtc_dtls_conf_create(pool, &text, NULL, NULL, &err);

    sctp = ngx_webrtc_sctp_create(1, NGX_WEBRTC_SCTP_CRC_AUTO, now_ms());

    if (dtls_conf == NULL || sctp == NULL) {
        bench_die("engines");
    }

    fd = socket(AF_INET, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(strncmp(o.host, "127.", 4) == 0
                                  ? INADDR_LOOPBACK : INADDR_ANY);
    len = sizeof(local);

    if (fd == -1
        || bind(fd, (struct sockaddr *) &local, sizeof(local)) == -1
        || getsockname(fd, (struct sockaddr *) &local, &len) == -1)
    {
        bench_die("socket");
    }

    on = 16777216;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &on, sizeof(on)) == -1) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &on, sizeof(on));
    }

    on = 1;
    setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));

    post();
    run();
    report();

    done = 1;
    ngx_webrtc_sctp_abort(&assoc);
    ngx_webrtc_dtls_close(&dtls);

    while (shaped && up.tail != up.head) {
        (void) line_run(&up, datagram_out);
    }

    flush();

    return error || bad || status ? 1 : 0;
}
