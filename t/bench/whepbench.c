
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A load of WHEP viewers, in one thread: HTTP, ICE, DTLS and SRTP of as many
 * as the machine has ports for, and what reached them as a table and JSON.
 *
 *     whepbench -url http://127.0.0.1:8080/whep/demo -n 1000 -pid 123,124
 *
 * Light mode (the default).  A viewer decrypts until its first key frame.
 * After that only the start of each message is read (recvmmsg() with UDP_GRO
 * and a short buffer): the header of its first packet, its length and that of
 * a packet.  Since the next message has to begin with the sequence number
 * behind it, no loss goes unseen, at 2 us per frame and viewer.
 *
 * Checking mode (-verify).  Every packet is authenticated and decrypted by
 * libsrtp2; sequence numbers must be unbroken, timestamps in order, and every
 * H.264 fragment must have its start and end.
 *
 * Blind mode (-blind).  All but every 32nd viewer have the kernel drop RTP in
 * front of the socket, so that the client costs next to nothing and two workers
 * can be measured on two cores.
 */


#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/filter.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/hmac.h>

#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_dtls.h>
#include <ngx_webrtc_srtp.h>


#define HTTP_BUF       8192
#define BATCH          16
#define LIGHT_BUF      256
#define FULL_BUF       65536
#define SSRCS          4
#define EVENTS         64

/* intervals */
#define MS             1000000ull
#define CHECK_NS       (50 * MS)          /* first checks are repeated */
#define CONSENT_TURNS  5                  /* seconds: RFC 7675, 5.1 */
#define SLICES         50                 /* of a second: timers of 1/50 */

#define BLIND_EVERY    32


typedef enum {
    IDLE = 0,
    POSTING,                              /* TCP */
    CHECKING,                             /* ICE */
    HANDSHAKING,                          /* DTLS */
    STARTING,                             /* no key frame yet */
    PLAYING,
    DELETING,
    FAILED,
    GONE
} state_t;


/* one RTP stream of a viewer */
typedef struct {
    uint32_t    ssrc;
    uint32_t    ts;                       /* of the last packet */
    uint32_t    checked_ts;               /* of the last one decrypted */
    uint16_t    next;                     /* sequence number expected */
    unsigned    fragment:1;               /* within an FU-A */
    unsigned    marked:1;                 /* last packet ended a frame */
    unsigned    synced:1;                 /* by a sender report */
    uint64_t    received;
    uint64_t    ext;                      /* highest number, extended */
    uint32_t    sr_ts;
    int64_t     sr_us;                    /* wall clock of sr_ts */
} stream_t;


typedef struct {
    uint64_t    packets;
    uint64_t    bytes;
    uint64_t    frames;
    uint64_t    messages;                 /* as UDP_GRO gave them */
    uint64_t    lost;
    uint64_t    reordered;
    uint64_t    rtcp;
    uint64_t    auth_fail;
    uint64_t    broken;                   /* H.264 or timestamps */
    uint64_t    other;
} counters_t;


typedef struct viewer_s  viewer_t;

/* what epoll returns */
typedef struct {
    viewer_t   *v;
    int         tcp;
} tag_t;


struct viewer_s {
    size_t                  id;
    state_t                 state;
    const char             *error;
    int                     fd;           /* UDP, -1 */
    int                     tcp;          /* HTTP, -1 */
    tag_t                   tags[2];

    counters_t              c;
    stream_t                streams[SSRCS];
    size_t                  nstreams;

    unsigned                started:1;    /* before the measurement */
    unsigned                blind:1;
    unsigned                stamped:1;    /* its arrivals are timed */
    unsigned                keyed:1;
    unsigned                dtls_up:1;

    uint64_t                due;          /* ns, of the next check */
    uint64_t                deadline;
    unsigned                turns;

    uint64_t                posted;
    double                  answered, checked, secured, packet, key;   /* ms */

    char                    ufrag[9], pwd[33], rufrag[64], rpwd[256];
    char                    location[256];
    int                     active;       /* the server begins DTLS */
    struct sockaddr_in      remote;
    u_char                  fp[32];

    char                   *http;         /* HTTP_BUF, while there is TCP */
    size_t                  http_n, http_pos;

    ngx_webrtc_dtls_t       dtls;
    ngx_webrtc_srtp_in_t    in;
    ngx_webrtc_srtp_out_t   out;
};


static struct {
    const char   *url, *profile, *json, *trace;
    char          host[128], path[512];
    struct sockaddr_in  addr;
    size_t        n, streams, burst;
    double        ramp, seconds, settle, timeout, churn;
    int           audio, verify, blind, gro, latency, quiet, cpu, rcvbuf;
    int           pids[BENCH_PIDS];
    size_t        npids;
} o;

static viewer_t                *viewers;
static size_t                   nviewers, active_http;
static int                      ep;
static ngx_webrtc_dtls_conf_t  *dtls_conf;
static char                     fingerprint[NGX_WEBRTC_DTLS_FINGERPRINT + 1];
static int                      measuring;
static uint64_t                 handshakes, failures, restarts;
static bench_values_t           lags;
static FILE                    *trace;
static viewer_t                *traced;

static struct mmsghdr           msgs[BATCH];
static struct iovec             iovs[BATCH];
static u_char                  *bufs[BATCH];
static u_char                   controls[BATCH][128]
                                    __attribute__((aligned(8)));

static const char              *states[] = {
    "idle", "waiting for the answer", "waiting for ICE", "waiting for DTLS",
    "waiting for a key frame", "playing", "deleting", "failed", "gone"
};


static void viewer_fail(viewer_t *v, const char *error);
static void http_end(viewer_t *v);


static double
since_ms(const viewer_t *v)
{
    return (double) (bench_now_ns() - v->posted) / 1e6;
}


static void
set_state(viewer_t *v, state_t state)
{
    v->state = state;
    v->due = bench_now_ns() + CHECK_NS;
}


static void
random_hex(char *p, size_t n)
{
    size_t         i;
    unsigned char  b[64];

    if (getrandom(b, n / 2, 0) != (ssize_t) (n / 2)) {
        bench_die("getrandom");
    }

    for (i = 0; i < n / 2; i++) {
        sprintf(p + 2 * i, "%02x", b[i]);
    }
}


/* HTTP: one request per connection */

static void
http_start(viewer_t *v)
{
    int                 on;
    struct epoll_event  ev;

    v->tcp = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (v->tcp == -1) {
        bench_die("socket");
    }

    on = 1;
    setsockopt(v->tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    v->http_pos = 0;
    active_http++;

    if (connect(v->tcp, (struct sockaddr *) &o.addr, sizeof(o.addr)) == -1
        && errno != EINPROGRESS)
    {
        viewer_fail(v, "connect() failed");
        return;
    }

    ev.events = EPOLLOUT;
    ev.data.ptr = &v->tags[1];
    epoll_ctl(ep, EPOLL_CTL_ADD, v->tcp, &ev);
}


static void
http_close(viewer_t *v)
{
    if (v->tcp != -1) {
        close(v->tcp);
        v->tcp = -1;
        active_http--;
    }

    free(v->http);
    v->http = NULL;
}


static void
http_post(viewer_t *v)
{
    int     n, body;
    char    path[600], *sdp;

    static char  text[HTTP_BUF];

    random_hex(v->ufrag, 8);
    random_hex(v->pwd, 32);

    sdp = text;
    body = snprintf(sdp, sizeof(text),
        "v=0\r\no=- %zu 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        "a=group:BUNDLE 0%s\r\na=msid-semantic:WMS *\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\nc=IN IP4 0.0.0.0\r\n"
        "a=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
        "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\n"
        "a=setup:actpass\r\na=rtpmap:102 H264/90000\r\n"
        "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;"
        "profile-level-id=64001f\r\n"
        "a=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
        "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n",
        v->id + 1, o.audio ? " 1" : "", v->ufrag, v->pwd, fingerprint);

    if (o.audio) {
        body += snprintf(sdp + body, sizeof(text) - (size_t) body,
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
            "a=mid:1\r\na=recvonly\r\na=rtcp-mux\r\n"
            "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\n"
            "a=setup:actpass\r\na=rtpmap:111 opus/48000/2\r\n",
            v->ufrag, v->pwd, fingerprint);
    }

    if (o.streams > 1) {
        snprintf(path, sizeof(path), "%s%zu", o.path, v->id % o.streams);

    } else {
        snprintf(path, sizeof(path), "%s", o.path);
    }

    v->http = malloc(HTTP_BUF);

    n = snprintf(v->http, HTTP_BUF,
                 "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
                 "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n"
                 "%s", path, o.host, body, sdp);

    v->http_n = (size_t) n;
    v->posted = bench_now_ns();
    v->deadline = v->posted + (uint64_t) (o.timeout * 1e9);

    set_state(v, POSTING);
    http_start(v);
}


static void
http_delete(viewer_t *v)
{
    http_close(v);

    v->http = malloc(HTTP_BUF);
    v->http_n = (size_t) snprintf(v->http, HTTP_BUF,
                 "DELETE %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                 v->location, o.host);

    set_state(v, DELETING);
    http_start(v);
}


/* value of the first line with this name, up to the end of line or a space */

static int
sdp_line(const char *text, const char *name, char *dst, size_t size)
{
    size_t       n;
    const char  *p;

    p = strstr(text, name);
    if (p == NULL) {
        return 0;
    }

    p += strlen(name);
    n = strcspn(p, "\r\n");

    if (n >= size) {
        return 0;
    }

    memcpy(dst, p, n);
    dst[n] = '\0';

    return 1;
}


static int
http_answer(viewer_t *v)
{
    int          i, port;
    char         line[512], ip[64];
    const char  *p;

    if (strncmp(v->http, "HTTP/1.1 201", 12) != 0
        || !sdp_line(v->http, "\nLocation: ", v->location,
                     sizeof(v->location))
        || !sdp_line(v->http, "\na=ice-ufrag:", v->rufrag, sizeof(v->rufrag))
        || !sdp_line(v->http, "\na=ice-pwd:", v->rpwd, sizeof(v->rpwd))
        || !sdp_line(v->http, "\na=setup:", line, sizeof(line)))
    {
        return 0;
    }

    v->active = (strcmp(line, "active") == 0);

    if (!sdp_line(v->http, "\na=fingerprint:sha-256 ", line, sizeof(line))
        || strlen(line) != NGX_WEBRTC_DTLS_FINGERPRINT)
    {
        return 0;
    }

    for (i = 0; i < 32; i++) {
        v->fp[i] = (u_char) strtoul(line + 3 * i, NULL, 16);
    }

    p = strstr(v->http, "\na=candidate:");

    if (p == NULL
        || sscanf(p, "\na=candidate:%*s %*s %*s %*s %63s %d typ host", ip,
                  &port)
           != 2)
    {
        return 0;
    }

    v->remote.sin_family = AF_INET;
    v->remote.sin_port = htons((uint16_t) port);

    return inet_pton(AF_INET, ip, &v->remote.sin_addr) == 1;
}


static void
http_event(viewer_t *v)
{
    ssize_t             n;
    struct epoll_event  ev;

    if (v->http_pos < v->http_n) {

        n = send(v->tcp, v->http + v->http_pos, v->http_n - v->http_pos,
                 MSG_NOSIGNAL);

        if (n <= 0) {
            if (errno != EAGAIN) {
                viewer_fail(v, "send() of a request failed");
            }

            return;
        }

        v->http_pos += (size_t) n;

        if (v->http_pos == v->http_n) {
            /* the buffer is used again, for the response */
            v->http_n = 0;
            v->http_pos = 0;
            ev.events = EPOLLIN;
            ev.data.ptr = &v->tags[1];
            epoll_ctl(ep, EPOLL_CTL_MOD, v->tcp, &ev);
        }

        return;
    }

    for ( ;; ) {
        n = recv(v->tcp, v->http + v->http_pos, HTTP_BUF - 1 - v->http_pos, 0);

        if (n <= 0) {
            break;
        }

        v->http_pos += (size_t) n;

        if (v->http_pos == HTTP_BUF - 1) {
            viewer_fail(v, "response too long");
            return;
        }

        /* http_n and http_pos stay as they are while reading */
        v->http_n = v->http_pos;
    }

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    if (n == -1) {
        viewer_fail(v, "recv() of a response failed");
        return;
    }

    v->http[v->http_pos] = '\0';
    http_end(v);
}


/* ICE */

static uint32_t
crc32_stun(const u_char *p, size_t n)
{
    int                i;
    size_t             k;
    uint32_t           c;
    static uint32_t    table[256];

    if (table[1] == 0) {
        for (k = 0; k < 256; k++) {
            c = (uint32_t) k;

            for (i = 0; i < 8; i++) {
                c = (c & 1) ? 0xedb88320 ^ (c >> 1) : c >> 1;
            }

            table[k] = c;
        }
    }

    c = 0xffffffff;

    for (k = 0; k < n; k++) {
        c = table[(c ^ p[k]) & 0xff] ^ (c >> 8);
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


/* RFC 8445, 7.2.2: a check, and RFC 7675: consent */

static void
ice_check(viewer_t *v)
{
    u_char        buf[600], *p, mac[20];
    size_t        n;
    uint32_t      crc;
    unsigned int  len;
    char          user[400];

    buf[0] = 0x00;
    buf[1] = 0x01;
    memcpy(buf + 4, "\x21\x12\xa4\x42", 4);

    if (getrandom(buf + 8, 12, 0) != 12) {
        bench_die("getrandom");
    }

    n = (size_t) snprintf(user, sizeof(user), "%s:%s", v->rufrag, v->ufrag);

    p = stun_attr(buf + 20, 0x0006, user, n);
    p = stun_attr(p, 0x0024, "\x6e\x7f\x1e\xff", 4);            /* PRIORITY */
    p = stun_attr(p, 0x802a, "whepload", 8);             /* ICE-CONTROLLING */
    p = stun_attr(p, 0x0025, "", 0);                       /* USE-CANDIDATE */

    stun_length(buf, p + 24);

    HMAC(EVP_sha1(), v->rpwd, (int) strlen(v->rpwd), buf, (size_t) (p - buf),
         mac, &len);

    p = stun_attr(p, 0x0008, mac, 20);

    stun_length(buf, p + 8);

    crc = htonl(crc32_stun(buf, (size_t) (p - buf)));
    p = stun_attr(p, 0x8028, &crc, 4);

    send(v->fd, buf, (size_t) (p - buf), MSG_DONTWAIT);
}


/* RTP in front of the socket is dropped; DTLS, STUN and RTCP pass */

static void
blind(viewer_t *v)
{
    static struct sock_filter  code[] = {
        /* UDP payload begins behind the header of 8 bytes */
        { BPF_LD | BPF_B | BPF_ABS, 0, 0, 8 },
        { BPF_JMP | BPF_JGE | BPF_K, 0, 4, 128 },
        { BPF_LD | BPF_B | BPF_ABS, 0, 0, 9 },
        { BPF_JMP | BPF_JGE | BPF_K, 0, 1, 192 },
        { BPF_JMP | BPF_JGE | BPF_K, 0, 1, 224 },
        { BPF_RET | BPF_K, 0, 0, 0 },
        { BPF_RET | BPF_K, 0, 0, 0xffff },
    };

    struct sock_fprog  prog = { sizeof(code) / sizeof(code[0]), code };

    if (setsockopt(v->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog))
        == -1)
    {
        bench_die("SO_ATTACH_FILTER");
    }
}


static void
ice_start(viewer_t *v)
{
    int                 on;
    struct epoll_event  ev;

    v->fd = socket(AF_INET, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (v->fd == -1
        || connect(v->fd, (struct sockaddr *) &v->remote, sizeof(v->remote))
           == -1)
    {
        bench_die("socket");
    }

    on = o.rcvbuf;

    if (setsockopt(v->fd, SOL_SOCKET, SO_RCVBUFFORCE, &on, sizeof(on)) == -1) {
        setsockopt(v->fd, SOL_SOCKET, SO_RCVBUF, &on, sizeof(on));
    }

    on = 1;

    if (o.gro) {
        setsockopt(v->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
    }

    if (v->stamped) {
        setsockopt(v->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    }

    ev.events = EPOLLIN;
    ev.data.ptr = &v->tags[0];
    epoll_ctl(ep, EPOLL_CTL_ADD, v->fd, &ev);

    set_state(v, CHECKING);
    ice_check(v);
}


/* DTLS */

static void
dtls_send(void *ctx, u_char *p, size_t n)
{
    viewer_t  *v = ctx;

    send(v->fd, p, n, MSG_DONTWAIT);
}


static void
dtls_begin(viewer_t *v)
{
    ngx_webrtc_dtls_opts_t  opts;

    memset(&opts, 0, sizeof(opts));

    opts.role = v->active ? NGX_WEBRTC_DTLS_SERVER : NGX_WEBRTC_DTLS_CLIENT;
    opts.fingerprint_alg = NGX_WEBRTC_FINGERPRINT_SHA256;
    opts.fingerprint = v->fp;
    opts.fingerprint_len = 32;
    opts.send = dtls_send;
    opts.ctx = v;

    if (ngx_webrtc_dtls_init(&v->dtls, dtls_conf, &opts) != NGX_OK) {
        viewer_fail(v, "DTLS init failed");
        return;
    }

    v->dtls_up = 1;
    set_state(v, HANDSHAKING);

    if (ngx_webrtc_dtls_start(&v->dtls, bench_now_ns() / MS) != NGX_OK) {
        viewer_fail(v, "DTLS start failed");
    }
}


static void
dtls_input(viewer_t *v, u_char *p, size_t n)
{
    ngx_webrtc_srtp_key_t  local, remote;

    if (!v->dtls_up) {
        return;
    }

    switch (ngx_webrtc_dtls_input(&v->dtls, p, n, bench_now_ns() / MS)) {

    case NGX_OK:
        break;

    case NGX_AGAIN:
    case NGX_DECLINED:
        return;

    case NGX_DONE:

        if (v->state != DELETING) {
            viewer_fail(v, "closed by the server");
        }

        return;

    default:
        viewer_fail(v, v->dtls.reason ? v->dtls.reason : "DTLS failed");
        return;
    }

    if (v->state != HANDSHAKING) {
        return;
    }

    if (ngx_webrtc_dtls_export(&v->dtls, &local, &remote) != NGX_OK
        || ngx_webrtc_srtp_out_init(&v->out, &local) != NGX_OK
        || ngx_webrtc_srtp_in_init(&v->in, &remote) != NGX_OK)
    {
        viewer_fail(v, "no SRTP keys");
        return;
    }

    handshakes++;
    v->secured = since_ms(v);
    set_state(v, STARTING);
}


/* RTP */

static stream_t *
stream_of(viewer_t *v, const u_char *p)
{
    size_t     i;
    uint32_t   ssrc;
    stream_t  *st;

    memcpy(&ssrc, p + 8, 4);

    for (i = 0; i < v->nstreams; i++) {
        if (v->streams[i].ssrc == ssrc) {
            return &v->streams[i];
        }
    }

    if (v->nstreams == SSRCS) {
        return NULL;
    }

    st = &v->streams[v->nstreams++];

    memset(st, 0, sizeof(*st));
    st->ssrc = ssrc;
    st->next = (uint16_t) (p[2] << 8 | p[3]);
    st->ext = st->next;

    return st;
}


static int
is_key(const u_char *p, size_t n)
{
    size_t  i;

    switch (p[0] & 31) {

    case 5:
    case 7:
        return 1;

    case 24:
        for (i = 1; i + 2 < n; i += 2 + (size_t) (p[i] << 8 | p[i + 1])) {
            if ((p[i + 2] & 31) == 5 || (p[i + 2] & 31) == 7) {
                return 1;
            }
        }

        return 0;

    case 28:
        return n > 1 && (p[1] & 0x80) && (p[1] & 31) == 5;

    default:
        return 0;
    }
}


/* a decrypted packet of H.264: RFC 6184 */

static void
rtp_check(viewer_t *v, stream_t *st, const u_char *p, size_t n, int in_order)
{
    size_t    h;
    uint32_t  ts;

    h = 12 + 4 * (size_t) (p[0] & 15);

    if ((p[0] & 0x10) && n >= h + 4) {
        h += 4 + 4 * (size_t) (p[h + 2] << 8 | p[h + 3]);
    }

    if (h >= n) {
        v->c.broken++;
        return;
    }

    if (!v->keyed && (p[1] & 0x7f) == 102 && is_key(p + h, n - h)) {
        v->keyed = 1;
        v->key = since_ms(v);
    }

    if ((p[1] & 0x7f) != 102 || !o.verify) {
        return;
    }

    ts = (uint32_t) p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7];

    if (in_order && st->received > 1) {

        if ((int32_t) (ts - st->checked_ts) < 0) {
            v->c.broken++;
        }

        /* a marker ends a frame, and nothing else does */

        if (st->marked != (ts != st->checked_ts)) {
            v->c.broken++;
        }

        if ((p[h] & 31) == 28) {
            if (n < h + 2 || st->fragment == ((p[h + 1] & 0x80) != 0)) {
                v->c.broken++;
            }

        } else if (st->fragment) {
            v->c.broken++;
        }
    }

    st->fragment = (p[h] & 31) == 28 && !(p[h + 1] & 0x40);
    st->marked = (p[1] & 0x80) != 0;
    st->checked_ts = ts;
}


static void
rtp_trace(size_t n, int marker)
{
    if (ftell(trace) > 0 || marker) {

        /* from a whole frame on */

        static int  begun;

        if (!begun) {
            begun = marker;
            return;
        }

        fprintf(trace, "%zu%s", n, marker ? "\n" : " ");

        return;
    }
}


/*
 * A message of count packets with consecutive numbers, of which the first's
 * header is at p.
 */

static void
rtp_count(viewer_t *v, stream_t *st, const u_char *p, size_t n, size_t count)
{
    int16_t   d;
    uint16_t  seq;
    uint32_t  ts;

    seq = (uint16_t) (p[2] << 8 | p[3]);
    ts = (uint32_t) p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7];

    d = (int16_t) (seq - st->next);

    if (d < 0) {
        v->c.reordered += count;
        v->c.lost -= (v->c.lost < count) ? v->c.lost : count;

    } else {
        v->c.lost += (uint16_t) d;
        st->ext += (uint64_t) d + count;
        st->next = (uint16_t) (seq + count);

        if (ts != st->ts || st->received == 0) {
            v->c.frames += ((p[1] & 0x7f) == 102);
        }

        st->ts = ts;
    }

    st->received += count;
    v->c.packets += count;
    v->c.bytes += n;
}


static void
rtp_input(viewer_t *v, u_char *p, size_t n, size_t size, int whole,
    uint64_t arrival)
{
    size_t     k, len, count;
    uint16_t   was;
    stream_t  *st;

    if (n < 12) {
        return;
    }

    if (v->packet == 0) {
        v->packet = since_ms(v);
    }

    st = stream_of(v, p);

    if (st == NULL) {
        v->c.other++;
        return;
    }

    if (arrival && st->synced && measuring && (p[1] & 0x7f) == 102) {
        bench_add(&lags, ((double) arrival / 1e3 - (double) st->sr_us
                          - (double) (int32_t)
                            (((uint32_t) p[4] << 24 | p[5] << 16
                              | p[6] << 8 | p[7]) - st->sr_ts)
                            * 1000.0 / 90.0) / 1e3);
    }

    if (!whole) {
        count = (n + size - 1) / size;
        v->c.messages++;
        rtp_count(v, st, p, n, count);
        return;
    }

    v->c.messages++;

    for (k = 0; k < n; k += size) {
        len = (n - k < size) ? n - k : size;

        if (len < 12) {
            v->c.other++;
            continue;
        }

        if (v == traced && v->state == PLAYING) {
            rtp_trace(len, p[k + 1] & 0x80);
        }

        was = st->next;
        rtp_count(v, st, p + k, len, 1);

        if (v->in.srtp == NULL) {
            continue;
        }

        if (ngx_webrtc_srtp_unprotect(&v->in, p + k, &len) != NGX_OK) {
            v->c.auth_fail++;
            continue;
        }

        rtp_check(v, st, p + k, len,
                  was == (uint16_t) (p[k + 2] << 8 | p[k + 3]));
    }

    if (v->keyed && v->state == STARTING) {
        set_state(v, PLAYING);

        if (v->blind) {
            blind(v);
        }

        if (!o.verify && !v->stamped) {
            /* libsrtp2's memory is not what is measured */
            ngx_webrtc_srtp_in_cleanup(&v->in);
        }
    }
}


/* a sender report: what ties timestamps to the clock; RFC 3550, 6.4.1 */

static void
rtcp_input(viewer_t *v, u_char *p, size_t n)
{
    size_t    i;
    uint32_t  ssrc, hi, lo, ts;

    v->c.rtcp++;

    if (!v->stamped || v->in.srtp == NULL) {
        return;
    }

    if (ngx_webrtc_srtp_unprotect_rtcp(&v->in, p, &n) != NGX_OK) {
        v->c.auth_fail++;
        return;
    }

    if (n < 28 || p[1] != 200) {
        return;
    }

    memcpy(&ssrc, p + 4, 4);
    memcpy(&hi, p + 8, 4);
    memcpy(&lo, p + 12, 4);
    memcpy(&ts, p + 16, 4);

    for (i = 0; i < v->nstreams; i++) {
        if (v->streams[i].ssrc == ssrc) {
            v->streams[i].sr_ts = ntohl(ts);
            v->streams[i].sr_us = ((int64_t) ntohl(hi) - 2208988800ll)
                                  * 1000000
                                  + (int64_t) ((uint64_t) ntohl(lo) * 1000000
                                               >> 32);
            v->streams[i].synced = 1;
        }
    }
}


/* RFC 3550, 6.4.2: one block per stream, without LSR */

static void
rtcp_report(viewer_t *v)
{
    u_char    p[64 + 24 * SSRCS + NGX_WEBRTC_SRTP_RTCP_TAG], *b;
    size_t    i, n;
    uint32_t  word;

    if (v->nstreams == 0 || v->out.rtp == NULL) {
        return;
    }

    n = 8 + 24 * v->nstreams;

    memset(p, 0, n);
    p[0] = (u_char) (0x80 | v->nstreams);
    p[1] = 201;
    p[3] = (u_char) (n / 4 - 1);
    word = htonl((uint32_t) v->id + 1);
    memcpy(p + 4, &word, 4);

    for (i = 0; i < v->nstreams; i++) {
        b = p + 8 + 24 * i;
        memcpy(b, &v->streams[i].ssrc, 4);
        word = htonl((uint32_t) v->streams[i].ext - 1);
        memcpy(b + 8, &word, 4);
    }

    if (ngx_webrtc_srtp_protect_rtcp(&v->out, p, &n, sizeof(p)) == NGX_OK) {
        send(v->fd, p, n, MSG_DONTWAIT);
    }
}


/* a viewer */

static void
viewer_close(viewer_t *v)
{
    http_close(v);

    if (v->fd != -1) {
        close(v->fd);
        v->fd = -1;
    }

    if (v->dtls_up) {
        ngx_webrtc_dtls_cleanup(&v->dtls);
        v->dtls_up = 0;
    }

    ngx_webrtc_srtp_in_cleanup(&v->in);
    ngx_webrtc_srtp_out_cleanup(&v->out);
}


static void
viewer_fail(viewer_t *v, const char *error)
{
    v->error = error;
    failures++;
    viewer_close(v);
    set_state(v, FAILED);
}


static void
viewer_init(viewer_t *v, size_t id)
{
    memset(v, 0, sizeof(*v));

    v->id = id;
    v->fd = -1;
    v->tcp = -1;
    v->tags[0].v = v;
    v->tags[1].v = v;
    v->tags[1].tcp = 1;
    v->turns = (unsigned) (id % CONSENT_TURNS);
    v->blind = o.blind && (id % BLIND_EVERY != 0);
    v->stamped = o.latency && (id % (o.n / 64 + 1) == 0);
}


static void
http_end(viewer_t *v)
{
    size_t      id;
    counters_t  c;

    if (v->state == DELETING) {

        if (strncmp(v->http, "HTTP/1.1 20", 11) != 0) {
            fprintf(stderr, "DELETE: %.12s\n", v->http);
        }

        viewer_close(v);
        set_state(v, GONE);

        if (measuring) {

            /* churn: another one takes its place */

            id = v->id;
            c = v->c;
            viewer_init(v, id);
            v->c = c;
            http_post(v);
        }

        return;
    }

    v->answered = since_ms(v);

    if (!http_answer(v)) {
        v->http[strcspn(v->http, "\r\n")] = '\0';
        fprintf(stderr, "POST: %s\n", v->http);
        viewer_fail(v, "no answer that can be used");
        return;
    }

    http_close(v);
    ice_start(v);
}


static void
viewer_datagram(viewer_t *v, u_char *p, size_t got, size_t n, size_t size,
    uint64_t arrival)
{
    if (got == 0) {
        return;
    }

    if (p[0] < 4) {

        if (v->state == CHECKING && got > 1 && p[0] == 1 && p[1] == 1) {
            v->checked = since_ms(v);
            dtls_begin(v);
        }

        return;
    }

    if (p[0] >= 20 && p[0] < 64) {
        dtls_input(v, p, got);
        return;
    }

    if (p[0] < 128 || p[0] > 191 || got < 2) {
        v->c.other++;
        return;
    }

    if (p[1] >= 192 && p[1] <= 223) {
        rtcp_input(v, p, got);
        return;
    }

    rtp_input(v, p, n, size, got == n, arrival);
}


static void
viewer_read(viewer_t *v)
{
    int               i, n, whole;
    int               size;
    size_t            cap, len;
    uint64_t          arrival;
    struct cmsghdr   *cmsg;
    struct timespec   ts;

    do {
        whole = (v->state != PLAYING || o.verify || v == traced);
        cap = whole ? FULL_BUF : LIGHT_BUF;

        for (i = 0; i < BATCH; i++) {
            iovs[i].iov_base = bufs[i];
            iovs[i].iov_len = cap;
            msgs[i].msg_hdr.msg_controllen = sizeof(controls[i]);
            msgs[i].msg_hdr.msg_control = controls[i];
            msgs[i].msg_hdr.msg_iov = &iovs[i];
            msgs[i].msg_hdr.msg_iovlen = 1;
        }

        n = recvmmsg(v->fd, msgs, BATCH, MSG_DONTWAIT|MSG_TRUNC, NULL);

        for (i = 0; i < n; i++) {
            len = msgs[i].msg_len;
            size = 0;
            arrival = 0;

            for (cmsg = CMSG_FIRSTHDR(&msgs[i].msg_hdr); cmsg;
                 cmsg = CMSG_NXTHDR(&msgs[i].msg_hdr, cmsg))
            {
                if (cmsg->cmsg_level == IPPROTO_UDP
                    && cmsg->cmsg_type == UDP_GRO)
                {
                    memcpy(&size, CMSG_DATA(cmsg), sizeof(int));
                }

                if (cmsg->cmsg_level == SOL_SOCKET
                    && cmsg->cmsg_type == SO_TIMESTAMPNS)
                {
                    memcpy(&ts, CMSG_DATA(cmsg), sizeof(ts));
                    arrival = (uint64_t) ts.tv_sec * 1000000000
                              + (uint64_t) ts.tv_nsec;
                }
            }

            viewer_datagram(v, bufs[i], len < cap ? len : cap, len,
                            size ? (size_t) size : len, arrival);

            if (v->fd == -1) {
                return;
            }
        }
    } while (n == BATCH);
}


/* once per second and viewer, and every 20 ms for those that start */

static void
viewer_timer(viewer_t *v, uint64_t now, int second)
{
    switch (v->state) {

    case PLAYING:

        if (second) {
            rtcp_report(v);

            if (++v->turns % CONSENT_TURNS == 0) {
                ice_check(v);
            }
        }

        return;

    case POSTING:
    case CHECKING:
    case HANDSHAKING:
    case STARTING:

        if (now > v->deadline) {
            viewer_fail(v, states[v->state]);
            return;
        }

        if (v->state == CHECKING && now > v->due) {
            v->due = now + CHECK_NS;
            ice_check(v);
        }

        if (v->state == HANDSHAKING
            && ngx_webrtc_dtls_timeout(&v->dtls, now / MS) != NGX_OK)
        {
            viewer_fail(v, "DTLS timed out");
        }

        return;

    default:
        return;
    }
}


static void
turn(int wait_ms)
{
    int                 i, n;
    size_t              k, from, to;
    tag_t              *tag;
    uint64_t            now;
    struct epoll_event  evs[EVENTS];

    static size_t       slice;
    static uint64_t     next;

    n = epoll_wait(ep, evs, EVENTS, wait_ms);

    for (i = 0; i < n; i++) {
        tag = evs[i].data.ptr;

        if (tag->tcp) {
            if (tag->v->tcp != -1) {
                http_event(tag->v);
            }

        } else if (tag->v->fd != -1) {
            viewer_read(tag->v);
        }
    }

    now = bench_now_ns();

    if (now < next) {
        return;
    }

    next = now + 1000 * MS / SLICES;

    from = nviewers * slice / SLICES;
    to = nviewers * (slice + 1) / SLICES;

    for (k = 0; k < nviewers; k++) {
        if (viewers[k].state != PLAYING || (k >= from && k < to)) {
            viewer_timer(&viewers[k], now, k >= from && k < to);
        }
    }

    slice = (slice + 1) % SLICES;
}


/* sums of all viewers */

static void
sum(counters_t *c)
{
    size_t     i, k;
    uint64_t  *to, *from;

    memset(c, 0, sizeof(*c));

    for (i = 0; i < nviewers; i++) {
        to = (uint64_t *) (void *) c;
        from = (uint64_t *) (void *) &viewers[i].c;

        for (k = 0; k < sizeof(*c) / sizeof(uint64_t); k++) {
            to[k] += from[k];
        }
    }
}


static size_t
playing(void)
{
    size_t  i, n;

    for (i = 0, n = 0; i < nviewers; i++) {
        n += (viewers[i].state == PLAYING);
    }

    return n;
}


/* runs for so long; a line of figures every second */

static void
run(double seconds, const char *what)
{
    double       churned;
    size_t       victim;
    uint64_t     begin, now, second;
    counters_t   a, b;

    begin = bench_now_ns();
    second = begin;
    churned = 0;
    victim = 0;
    sum(&a);

    for ( ;; ) {
        turn(2);

        now = bench_now_ns();

        if (measuring && o.churn > 0) {
            while (churned < (double) (now - begin) / 1e9 * o.churn) {
                churned++;

                if (viewers[victim].state == PLAYING) {
                    restarts++;
                    http_delete(&viewers[victim]);
                }

                victim = (victim + 1) % nviewers;
            }
        }

        if (now - second >= 1000 * MS && !o.quiet) {
            sum(&b);
            fprintf(stderr, "%-8s %5zu playing  %8.0f packets/s  %8.1f Mbit/s"
                    "  lost %ld  failed %lu\n", what, playing(),
                    (double) (b.packets - a.packets) * 1e9
                    / (double) (now - second),
                    (double) (b.bytes - a.bytes) * 8e3
                    / (double) (now - second),
                    (long) (b.lost - a.lost), (unsigned long) failures);
            a = b;
            second = now;
        }

        if ((double) (now - begin) / 1e9 >= seconds) {
            return;
        }
    }
}


/* starts viewers [from, to) at so many per second, until they play or fail */

static void
ramp(size_t from, size_t to, double rate, int wait)
{
    size_t    i, left;
    uint64_t  begin;

    begin = bench_now_ns();
    i = from;

    for ( ;; ) {
        while (i < to
               && (double) (i - from)
                  <= (double) (bench_now_ns() - begin) / 1e9 * rate)
        {
            viewer_init(&viewers[i], i);
            nviewers = i + 1;
            http_post(&viewers[i]);
            i++;
        }

        turn(1);

        if (i < to) {
            continue;
        }

        for (left = 0, i = from; i < to; i++) {
            left += (viewers[i].state != PLAYING
                     && viewers[i].state != FAILED);
        }

        i = to;

        if (left == 0 || !wait) {
            return;
        }
    }
}


static void
leave(void)
{
    size_t    i, left;
    uint64_t  begin;

    begin = bench_now_ns();

    do {
        left = 0;

        for (i = 0; i < nviewers; i++) {

            if (viewers[i].state == PLAYING && active_http < 32) {
                http_delete(&viewers[i]);
            }

            left += (viewers[i].state == PLAYING
                     || viewers[i].state == DELETING);
        }

        turn(1);

    } while (left && bench_now_ns() - begin < 20000 * MS);
}


static void
report_starts(FILE *f, const char *name, size_t from, size_t to)
{
    size_t           i;
    bench_values_t   a, c, s, p, k;

    memset(&a, 0, sizeof(a));
    memset(&c, 0, sizeof(c));
    memset(&s, 0, sizeof(s));
    memset(&p, 0, sizeof(p));
    memset(&k, 0, sizeof(k));

    for (i = from; i < to; i++) {
        if (viewers[i].keyed) {
            bench_add(&a, viewers[i].answered);
            bench_add(&c, viewers[i].checked);
            bench_add(&s, viewers[i].secured);
            bench_add(&p, viewers[i].packet);
            bench_add(&k, viewers[i].key);
        }
    }

    bench_open(f, name);
    bench_spread(f, "answer", &a, 2);
    bench_spread(f, "ice", &c, 2);
    bench_spread(f, "dtls", &s, 2);
    bench_spread(f, "first_packet", &p, 2);
    bench_spread(f, "first_key_frame", &k, 2);
    bench_close(f);

    free(a.v);
    free(c.v);
    free(s.v);
    free(p.v);
    free(k.v);
}


static void
report(FILE *f, double window, const counters_t *a, const counters_t *b,
    const uint64_t *frames, const bench_proc_t *idle, const bench_proc_t *p0,
    const bench_proc_t *p1, size_t base, uint64_t hs)
{
    int              i;
    char             name[32];
    double           packets, cpu, n;
    size_t           k;
    bench_values_t   fps;

    memset(&fps, 0, sizeof(fps));

    packets = (double) (b->packets - a->packets);
    n = (double) playing();

    for (k = 0; k < base; k++) {
        if (viewers[k].state == PLAYING && !viewers[k].blind) {
            bench_add(&fps, (double) (viewers[k].c.frames - frames[k])
                            / window);
        }
    }

    if (o.blind) {

        /* all get what those get that look */

        packets *= n / (double) (fps.n ? fps.n : 1);
    }

    bench_open(f, NULL);
    bench_num(f, "viewers", (double) nviewers, 0);
    bench_num(f, "playing", n, 0);
    bench_num(f, "failed", (double) failures, 0);
    bench_num(f, "streams", (double) o.streams, 0);
    bench_text(f, "srtp", o.profile);
    bench_text(f, "mode", o.verify ? "verify" : o.blind ? "blind" : "light");
    bench_num(f, "gro", o.gro, 0);
    bench_num(f, "window_s", window, 3);
    bench_num(f, "packets_per_s", packets / window, 0);
    bench_num(f, "mbit_per_s", (double) (b->bytes - a->bytes) * 8 / window
                               / 1e6, 1);
    bench_num(f, "packets", (double) (b->packets - a->packets), 0);
    bench_num(f, "packets_per_message", packets
              / (double) (b->messages - a->messages ? b->messages - a->messages
                                                    : 1), 2);
    bench_num(f, "lost", (double) (int64_t) (b->lost - a->lost), 0);
    bench_num(f, "reordered", (double) (b->reordered - a->reordered), 0);
    bench_num(f, "auth_fail", (double) b->auth_fail, 0);
    bench_num(f, "broken", (double) b->broken, 0);
    bench_num(f, "sender_reports", (double) (b->rtcp - a->rtcp), 0);
    bench_spread(f, "fps_per_viewer", &fps, 2);

    report_starts(f, "post_to_ms", 0, base);

    if (nviewers > base) {
        report_starts(f, "burst_post_to_ms", base, nviewers);
    }

    if (o.latency) {
        bench_spread(f, "arrival_after_timestamp_ms", &lags, 3);
    }

    if (o.churn > 0) {
        bench_num(f, "restarts", (double) restarts, 0);
        bench_num(f, "handshakes_per_s", (double) hs / window, 1);
    }

    bench_open(f, "client");
    bench_num(f, "cpu_percent", (double) (p1->self_ns - p0->self_ns) / window
                                / 1e7, 1);
    bench_num(f, "rcvbuf_errors", (double) (p1->rcvbuf_errors
                                            - p0->rcvbuf_errors), 0);
    bench_close(f);

    if (o.npids) {
        cpu = (double) (p1->cpu_ns - p0->cpu_ns);

        bench_open(f, "server");
        bench_num(f, "cpu_percent", cpu / window / 1e7, 1);
        bench_num(f, "cpu_us_per_packet", packets ? cpu / 1e3 / packets : 0,
                  3);
        bench_num(f, "ticks_us_per_packet",
                  packets ? (double) (p1->ticks_ns - p0->ticks_ns) / 1e3
                            / packets : 0, 3);
        bench_num(f, "cpu_ms_per_viewer_second", n ? cpu / 1e6 / window / n
                                                   : 0, 4);
        bench_num(f, "rss_kb", (double) p1->rss_kb, 0);
        bench_num(f, "anon_kb", (double) p1->anon_kb, 0);
        bench_num(f, "shmem_kb", (double) p1->shmem_kb, 0);
        bench_num(f, "rss_kb_per_viewer",
                  n ? ((double) p1->rss_kb - (double) idle->rss_kb) / n : 0,
                  1);
        bench_num(f, "anon_kb_per_viewer",
                  n ? ((double) p1->anon_kb - (double) idle->anon_kb) / n : 0,
                  1);
        bench_num(f, "sndbuf_errors", (double) (p1->sndbuf_errors
                                                - p0->sndbuf_errors), 0);
        bench_close(f);
    }

    bench_open(f, "core_busy");

    for (i = 0; i < p1->cpus; i++) {
        snprintf(name, sizeof(name), "cpu%d", i);
        bench_num(f, name, (double) (p1->busy[i] - p0->busy[i])
                           / (double) (p1->total[i] - p0->total[i]), 3);
    }

    bench_close(f);

    if (failures) {
        bench_open(f, "errors");

        for (k = 0, i = 0; k < nviewers && i < 5; k++) {
            if (viewers[k].state == FAILED) {
                snprintf(name, sizeof(name), "viewer%zu", k);
                bench_text(f, name, viewers[k].error);
                i++;
            }
        }

        bench_close(f);
    }

    bench_close(f);
}


static void
options(int argc, char **argv)
{
    int    c, port;
    char  *p;

    static const struct option  opts[] = {
        { "url", 1, NULL, 'u' }, { "n", 1, NULL, 'n' },
        { "ramp", 1, NULL, 'r' }, { "t", 1, NULL, 't' },
        { "settle", 1, NULL, 's' }, { "timeout", 1, NULL, 'o' },
        { "srtp", 1, NULL, 'p' }, { "audio", 0, NULL, 'a' },
        { "verify", 0, NULL, 'v' }, { "blind", 0, NULL, 'b' },
        { "gro", 1, NULL, 'g' }, { "latency", 0, NULL, 'l' },
        { "pid", 1, NULL, 'i' }, { "json", 1, NULL, 'j' },
        { "streams", 1, NULL, 'm' }, { "burst", 1, NULL, 'B' },
        { "churn", 1, NULL, 'C' }, { "quiet", 0, NULL, 'q' },
        { "cpu", 1, NULL, 'c' }, { "rcvbuf", 1, NULL, 'R' },
        { "trace", 1, NULL, 'T' }, { NULL, 0, NULL, 0 }
    };

    o.n = 1;
    o.streams = 1;
    o.ramp = 200;
    o.seconds = 10;
    o.settle = 2;
    o.timeout = 10;
    o.profile = "gcm";
    o.gro = 1;
    o.cpu = -1;
    o.rcvbuf = 1 << 20;

    while ((c = getopt_long_only(argc, argv, "", opts, NULL)) != -1) {
        switch (c) {
        case 'u': o.url = optarg; break;
        case 'n': o.n = strtoul(optarg, NULL, 10); break;
        case 'r': o.ramp = atof(optarg); break;
        case 't': o.seconds = atof(optarg); break;
        case 's': o.settle = atof(optarg); break;
        case 'o': o.timeout = atof(optarg); break;
        case 'p': o.profile = optarg; break;
        case 'a': o.audio = 1; break;
        case 'v': o.verify = 1; break;
        case 'b': o.blind = 1; break;
        case 'g': o.gro = atoi(optarg); break;
        case 'l': o.latency = 1; break;
        case 'i': o.npids = bench_pids(optarg, o.pids); break;
        case 'j': o.json = optarg; break;
        case 'm': o.streams = strtoul(optarg, NULL, 10); break;
        case 'B': o.burst = strtoul(optarg, NULL, 10); break;
        case 'C': o.churn = atof(optarg); break;
        case 'q': o.quiet = 1; break;
        case 'c': o.cpu = atoi(optarg); break;
        case 'R': o.rcvbuf = atoi(optarg); break;
        case 'T': o.trace = optarg; break;
        default: exit(2);
        }
    }

    if (o.url == NULL || o.n == 0 || o.streams == 0
        || sscanf(o.url, "http://%127[^/]%511s", o.host, o.path) != 2)
    {
        fprintf(stderr, "usage: whepbench -url http://a.b.c.d:port/path "
                "[-n viewers] [-ramp per second] [-t seconds] [-settle "
                "seconds]\n    [-timeout seconds] [-srtp gcm|sha1_80] "
                "[-audio] [-verify] [-blind] [-gro 0|1] [-latency]\n    "
                "[-pid pid,...] [-json file] [-streams n: path0, path1, ...] "
                "[-burst viewers]\n    [-churn per second] [-cpu n] "
                "[-rcvbuf bytes] [-trace file] [-quiet]\n");
        exit(2);
    }

    p = strchr(o.host, ':');
    port = p ? atoi(p + 1) : 80;

    if (p) {
        *p = '\0';
    }

    o.addr.sin_family = AF_INET;
    o.addr.sin_port = htons((uint16_t) port);

    if (inet_pton(AF_INET, o.host, &o.addr.sin_addr) != 1) {
        fprintf(stderr, "an IPv4 address is needed, not \"%s\"\n", o.host);
        exit(2);
    }
}


static void
dtls_conf_init(void)
{
    u_char       pem[NGX_WEBRTC_DTLS_PEM];
    size_t       n;
    ngx_str_t    text;
    ngx_pool_t  *pool;
    const char  *err;

    static ngx_log_t  log;

    pool = ngx_create_pool(4096, &log);

    if (ngx_webrtc_dtls_generate(time(NULL), pem, &n) != NGX_OK) {
        bench_die("certificate");
    }

    text.data = pem;
    text.len = n;

    dtls_conf = ngx_webrtc_dtls_conf_create(pool, &text, NULL,
                    strcmp(o.profile, "gcm") == 0 ? "SRTP_AEAD_AES_128_GCM"
                                                  : "SRTP_AES128_CM_SHA1_80",
                    &err);
    if (dtls_conf == NULL) {
        fprintf(stderr, "%s\n", err);
        exit(2);
    }

    memcpy(fingerprint, dtls_conf->fingerprint, NGX_WEBRTC_DTLS_FINGERPRINT);

    if (ngx_webrtc_srtp_init() != NGX_OK) {
        bench_die("srtp");
    }
}


int
main(int argc, char **argv)
{
    int           i;
    FILE         *f;
    size_t        k, base;
    uint64_t      t0, t1, *frames, hs;
    counters_t    a, b;
    bench_proc_t  idle, p0, p1;

    options(argc, argv);
    bench_pin(o.cpu);
    bench_files(2 * (o.n + o.burst) + 128);
    dtls_conf_init();

    for (i = 0; i < BATCH; i++) {
        bufs[i] = malloc(FULL_BUF);
    }

    ep = epoll_create1(EPOLL_CLOEXEC);
    viewers = calloc(o.n + o.burst, sizeof(viewer_t));
    frames = calloc(o.n, sizeof(uint64_t));

    if (ep == -1 || viewers == NULL || frames == NULL) {
        bench_die("init");
    }

    if (o.trace) {
        trace = fopen(o.trace, "w");
        traced = &viewers[0];

        if (trace == NULL) {
            bench_die(o.trace);
        }
    }

    bench_proc(&idle, o.pids, o.npids);

    ramp(0, o.n, o.ramp, 1);
    run(o.settle, "settle");

    base = nviewers;

    for (k = 0; k < base; k++) {
        frames[k] = viewers[k].c.frames;
    }

    measuring = 1;
    hs = handshakes;
    sum(&a);
    bench_proc(&p0, o.pids, o.npids);
    t0 = bench_now_ns();

    if (o.burst) {
        ramp(base, base + o.burst, (double) o.burst, 0);
    }

    if ((double) (bench_now_ns() - t0) / 1e9 < o.seconds) {
        run(o.seconds - (double) (bench_now_ns() - t0) / 1e9, "measure");
    }

    t1 = bench_now_ns();
    bench_proc(&p1, o.pids, o.npids);
    sum(&b);
    hs = handshakes - hs;
    measuring = 0;

    f = o.json ? fopen(o.json, "w") : stdout;

    if (f == NULL) {
        bench_die(o.json);
    }

    report(f, (double) (t1 - t0) / 1e9, &a, &b, frames, &idle, &p0, &p1, base,
           hs);

    leave();

    return failures ? 1 : 0;
}
