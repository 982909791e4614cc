
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * HTTP, ICE, DTLS of a client: see client.h.
 */


#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/hmac.h>


#define EVENTS    64
#define CHECK_NS  (50 * CLIENT_MS)        /* first checks are repeated */


client_conf_t  client_conf;

static const char  *states[] = {
    "idle", "waiting for the answer", "waiting for ICE", "waiting for DTLS",
    "waiting for a key frame", "running", "deleting", "failed", "gone"
};


static void http_end(client_t *c);
static void ice_start(client_t *c);


double
client_since_ms(const client_t *c)
{
    return (double) (bench_now_ns() - c->posted) / 1e6;
}


const char *
client_state(const client_t *c)
{
    return states[c->state];
}


void
client_set_state(client_t *c, client_state_t state)
{
    c->state = state;
    c->due = bench_now_ns() + CHECK_NS;
}


/* HTTP: one request per connection */

static void
http_start(client_t *c)
{
    int                 on;
    struct epoll_event  ev;

    c->tcp = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (c->tcp == -1) {
        bench_die("socket");
    }

    on = 1;
    setsockopt(c->tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    c->http_pos = 0;
    client_conf.active_http++;

    if (connect(c->tcp, (struct sockaddr *) &client_conf.addr,
                sizeof(client_conf.addr))
           == -1
        && errno != EINPROGRESS)
    {
        client_fail(c, "connect() failed");
        return;
    }

    ev.events = EPOLLOUT;
    ev.data.ptr = &c->tags[1];
    epoll_ctl(client_conf.ep, EPOLL_CTL_ADD, c->tcp, &ev);
}


static void
http_close(client_t *c)
{
    if (c->tcp != -1) {
        close(c->tcp);
        c->tcp = -1;
        client_conf.active_http--;
    }

    free(c->http);
    c->http = NULL;
}


void
client_post(client_t *c)
{
    int     n;
    size_t  body;

    static char  sdp[CLIENT_HTTP];

    bench_random_hex(c->ufrag, 8);
    bench_random_hex(c->pwd, 32);

    body = (size_t) snprintf(sdp, sizeof(sdp),
        "v=0\r\no=- %zu 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        "a=msid-semantic:WMS *\r\n"
        "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\n"
        "a=setup:%s\r\n", c->id + 1, c->ufrag, c->pwd,
        client_conf.fingerprint, client_conf.setup);

    body += c->role->offer(c, sdp + body, sizeof(sdp) - body);

    c->http = malloc(CLIENT_HTTP);

    n = snprintf(c->http, CLIENT_HTTP,
                 "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
                 "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n"
                 "%s", c->path, client_conf.host, body, sdp);

    c->http_n = (size_t) n;
    c->posted = bench_now_ns();
    c->deadline = c->posted + (uint64_t) (client_conf.timeout * 1e9);

    client_set_state(c, CLIENT_POSTING);
    http_start(c);
}


void
client_delete(client_t *c)
{
    http_close(c);

    c->http = malloc(CLIENT_HTTP);
    c->http_n = (size_t) snprintf(c->http, CLIENT_HTTP,
                 "DELETE %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                 c->location, client_conf.host);

    client_set_state(c, CLIENT_DELETING);
    http_start(c);
}


static int
http_answer(client_t *c)
{
    int          i, port;
    char         line[512], ip[64], transport[8];
    const char  *p;

    if (strncmp(c->http, "HTTP/1.1 201", 12) != 0
        || !bench_sdp_line(c->http, "\nLocation: ", c->location,
                     sizeof(c->location))
        || !bench_sdp_line(c->http, "\na=ice-ufrag:", c->rufrag, sizeof(c->rufrag))
        || !bench_sdp_line(c->http, "\na=ice-pwd:", c->rpwd, sizeof(c->rpwd))
        || !bench_sdp_line(c->http, "\na=setup:", line, sizeof(line)))
    {
        return 0;
    }

    c->active = (strcmp(line, "active") == 0);

    if (!bench_sdp_line(c->http, "\na=fingerprint:sha-256 ", line, sizeof(line))
        || strlen(line) != NGX_WEBRTC_CERTIFICATES_FINGERPRINT)
    {
        return 0;
    }

    for (i = 0; i < 32; i++) {
        c->fp[i] = (u_char) strtoul(line + 3 * i, NULL, 16);
    }

    p = c->http;

    do {
        p = strstr(p + 1, "\na=candidate:");

        if (p == NULL
            || sscanf(p, "\na=candidate:%*s %*s %7s %*s %63s %d typ host",
                      transport, ip, &port)
               != 3)
        {
            return 0;
        }

    } while (strcmp(transport, client_conf.framed ? "tcp" : "udp") != 0);

    c->remote.sin_family = AF_INET;
    c->remote.sin_port = htons((uint16_t) (client_conf.port ? client_conf.port
                                                            : port));

    return inet_pton(AF_INET, ip, &c->remote.sin_addr) == 1;
}


static void
http_event(client_t *c)
{
    ssize_t             n;
    struct epoll_event  ev;

    if (c->http_pos < c->http_n) {

        n = send(c->tcp, c->http + c->http_pos, c->http_n - c->http_pos,
                 MSG_NOSIGNAL);

        if (n <= 0) {
            if (errno != EAGAIN) {
                client_fail(c, "send() of a request failed");
            }

            return;
        }

        c->http_pos += (size_t) n;

        if (c->http_pos == c->http_n) {
            /* the buffer is used again, for the response */
            c->http_n = 0;
            c->http_pos = 0;
            ev.events = EPOLLIN;
            ev.data.ptr = &c->tags[1];
            epoll_ctl(client_conf.ep, EPOLL_CTL_MOD, c->tcp, &ev);
        }

        return;
    }

    for ( ;; ) {
        n = recv(c->tcp, c->http + c->http_pos,
                 CLIENT_HTTP - 1 - c->http_pos, 0);

        if (n <= 0) {
            break;
        }

        c->http_pos += (size_t) n;

        if (c->http_pos == CLIENT_HTTP - 1) {
            client_fail(c, "response too long");
            return;
        }

        /* http_n and http_pos stay as they are while reading */
        c->http_n = c->http_pos;
    }

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    if (n == -1) {
        client_fail(c, "recv() of a response failed");
        return;
    }

    c->http[c->http_pos] = '\0';
    http_end(c);
}


static void
http_end(client_t *c)
{
    if (c->state == CLIENT_DELETING) {

        if (strncmp(c->http, "HTTP/1.1 20", 11) != 0) {
            fprintf(stderr, "DELETE: %.12s\n", c->http);
            client_conf.failures++;
        }

        client_close(c);
        client_set_state(c, CLIENT_GONE);
        c->role->ended(c);
        return;
    }

    c->answered = client_since_ms(c);

    if (!http_answer(c)) {
        c->http[strcspn(c->http, "\r\n")] = '\0';
        fprintf(stderr, "POST: %s\n", c->http);
        client_fail(c, "no answer that can be used");
        return;
    }

    if (c->role->answered) {
        c->role->answered(c, c->http);
    }

    if (c->state == CLIENT_FAILED) {
        return;
    }

    http_close(c);
    ice_start(c);
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

void
client_check(client_t *c)
{
    u_char        buf[600], *p, mac[20];
    size_t        n;
    uint32_t      crc;
    unsigned int  len;
    char          user[400];

    if (client_conf.unchecked && c->state != CLIENT_CHECKING) {
        return;
    }

    buf[0] = 0x00;
    buf[1] = 0x01;
    memcpy(buf + 4, "\x21\x12\xa4\x42", 4);

    if (getrandom(buf + 8, 12, 0) != 12) {
        bench_die("getrandom");
    }

    n = (size_t) snprintf(user, sizeof(user), "%s:%s", c->rufrag, c->ufrag);

    p = stun_attr(buf + 20, 0x0006, user, n);
    p = stun_attr(p, 0x0024, "\x6e\x7f\x1e\xff", 4);            /* PRIORITY */
    p = stun_attr(p, 0x802a, "whepload", 8);             /* ICE-CONTROLLING */
    p = stun_attr(p, 0x0025, "", 0);                       /* USE-CANDIDATE */

    stun_length(buf, p + 24);

    HMAC(EVP_sha1(), c->rpwd, (int) strlen(c->rpwd), buf, (size_t) (p - buf),
         mac, &len);

    p = stun_attr(p, 0x0008, mac, 20);

    stun_length(buf, p + 8);

    crc = htonl(crc32_stun(buf, (size_t) (p - buf)));
    p = stun_attr(p, 0x8028, &crc, 4);

    client_send(c, buf, (size_t) (p - buf));
}


void
client_send(client_t *c, const u_char *p, size_t n)
{
    u_char         head[NGX_WEBRTC_FRAMING_HEADER];
    struct iovec   iov[2];
    struct msghdr  msg;

    if (!client_conf.framed) {
        send(c->fd, p, n, MSG_DONTWAIT);
        return;
    }

    /* the socket blocks: half a frame is none */

    ngx_webrtc_framing_write(head, n);

    memset(&msg, 0, sizeof(msg));

    iov[0].iov_base = head;
    iov[0].iov_len = sizeof(head);
    iov[1].iov_base = (void *) (uintptr_t) p;
    iov[1].iov_len = n;

    msg.msg_iov = iov;
    msg.msg_iovlen = 2;

    sendmsg(c->fd, &msg, MSG_NOSIGNAL);
}


static void
framed_read(client_t *c)
{
    size_t          n;
    u_char         *p, *end, *frame;
    ssize_t         rc;

    static u_char   buf[128 * 1024];

    memcpy(buf, c->part, c->npart);

    rc = recv(c->fd, buf + c->npart, sizeof(buf) - c->npart, MSG_DONTWAIT);

    if (rc <= 0) {
        if (rc == -1 && errno == EAGAIN) {
            return;
        }

        if (c->state == CLIENT_DELETING) {
            /* before it is answered: as should be */
            close(c->fd);
            c->fd = -1;
            return;
        }

        client_fail(c, "the connection was closed");
        return;
    }

    p = buf;
    end = p + c->npart + (size_t) rc;

    while (c->fd != -1
           && ngx_webrtc_framing_next(&c->framing, &p, end, &frame, &n)
              == NGX_OK)
    {
        c->role->datagram(c, frame, n);
    }

    if (c->fd != -1) {
        c->npart = (size_t) (end - p);
        memcpy(c->part, p, c->npart);
    }
}


static void
ice_start(client_t *c)
{
    int                 on;
    struct epoll_event  ev;

    c->fd = socket(AF_INET, (client_conf.framed ? SOCK_STREAM
                                                : SOCK_DGRAM|SOCK_NONBLOCK)
                            |SOCK_CLOEXEC, 0);

    if (client_conf.framed) {
        on = 1;
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

        memset(&c->framing, 0, sizeof(c->framing));
        c->framing.max = CLIENT_PART - NGX_WEBRTC_FRAMING_HEADER;
        c->npart = 0;

        c->part = malloc(CLIENT_PART);
        if (c->part == NULL) {
            bench_die("malloc");
        }
    }

    if (c->fd == -1
        || connect(c->fd, (struct sockaddr *) &c->remote, sizeof(c->remote))
           == -1)
    {
        bench_die("socket");
    }

    c->role->socket(c);

    ev.events = EPOLLIN;
    ev.data.ptr = &c->tags[0];
    epoll_ctl(client_conf.ep, EPOLL_CTL_ADD, c->fd, &ev);

    client_set_state(c, CLIENT_CHECKING);
    client_check(c);
}


/* DTLS */

static void
dtls_send(void *ctx, u_char *p, size_t n)
{
    client_t  *c = ctx;

    client_send(c, p, n);
}


static void
dtls_begin(client_t *c)
{
    ngx_webrtc_dtls_opts_t  opts;

    memset(&opts, 0, sizeof(opts));

    opts.role = c->active ? NGX_WEBRTC_DTLS_SERVER : NGX_WEBRTC_DTLS_CLIENT;
    opts.fingerprint_alg = NGX_WEBRTC_FINGERPRINT_SHA256;
    opts.fingerprint = c->fp;
    opts.fingerprint_len = 32;
    opts.send = dtls_send;
    opts.ctx = c;

    if (ngx_webrtc_dtls_init(&c->dtls, client_conf.dtls, &opts) != NGX_OK) {
        client_fail(c, "DTLS init failed");
        return;
    }

    c->dtls_up = 1;
    client_set_state(c, CLIENT_HANDSHAKING);

    if (ngx_webrtc_dtls_start(&c->dtls, bench_now_ns() / CLIENT_MS) != NGX_OK) {
        client_fail(c, "DTLS start failed");
    }
}


static void
dtls_input(client_t *c, u_char *p, size_t n)
{
    ngx_webrtc_srtp_key_t  local, remote;

    if (!c->dtls_up) {
        return;
    }

    if (client_conf.half) {
        if (c->state == CLIENT_HANDSHAKING) {
            client_conf.handshakes++;
            client_delete(c);
        }

        return;
    }

    switch (ngx_webrtc_dtls_input(&c->dtls, p, n, bench_now_ns() / CLIENT_MS)) {

    case NGX_OK:
        break;

    case NGX_AGAIN:
    case NGX_DECLINED:
        return;

    case NGX_DONE:

        if (c->state != CLIENT_DELETING) {
            client_fail(c, "closed by the server");
        }

        return;

    default:
        client_fail(c, c->dtls.reason ? c->dtls.reason : "DTLS failed");
        return;
    }

    if (c->state != CLIENT_HANDSHAKING) {
        return;
    }

    if (ngx_webrtc_dtls_export(&c->dtls, &local, &remote) != NGX_OK
        || ngx_webrtc_srtp_out_init(&c->out, &local) != NGX_OK
        || ngx_webrtc_srtp_in_init(&c->in, &remote) != NGX_OK)
    {
        client_fail(c, "no SRTP keys");
        return;
    }

    ngx_explicit_memzero(&local, sizeof(local));
    ngx_explicit_memzero(&remote, sizeof(remote));

    client_conf.handshakes++;
    c->secured_ns = bench_now_ns();
    c->secured = client_since_ms(c);
    client_set_state(c, CLIENT_STARTING);

    c->role->up(c);
}


void
client_init(client_t *c, const client_role_t *role, size_t id)
{
    memset(c, 0, sizeof(*c));

    c->role = role;
    c->id = id;
    c->fd = -1;
    c->tcp = -1;
    c->tags[0].c = c;
    c->tags[1].c = c;
    c->tags[1].tcp = 1;
}


void
client_input(client_t *c, u_char *p, size_t n)
{
    if (p[0] < 4) {

        if (c->state == CLIENT_CHECKING && n > 1 && p[0] == 1 && p[1] == 1) {
            c->checked = client_since_ms(c);
            dtls_begin(c);
        }

        return;
    }

    if (p[0] >= 20 && p[0] < 64) {
        dtls_input(c, p, n);
    }
}


void
client_timer(client_t *c, uint64_t now)
{
    switch (c->state) {

    case CLIENT_POSTING:
    case CLIENT_CHECKING:
    case CLIENT_HANDSHAKING:
    case CLIENT_STARTING:

        if (now > c->deadline) {
            client_fail(c, states[c->state]);
            return;
        }

        if (c->state == CLIENT_CHECKING && now > c->due) {
            c->due = now + CHECK_NS;
            client_check(c);
        }

        if (c->state == CLIENT_HANDSHAKING
            && ngx_webrtc_dtls_timeout(&c->dtls, now / CLIENT_MS) != NGX_OK)
        {
            client_fail(c, "DTLS timed out");
        }

        return;

    default:
        return;
    }
}


void
client_close(client_t *c)
{
    http_close(c);

    if (c->fd != -1) {
        close(c->fd);
        c->fd = -1;
    }

    free(c->part);
    c->part = NULL;

    if (c->dtls_up) {
        ngx_webrtc_dtls_cleanup(&c->dtls);
        c->dtls_up = 0;
    }

    ngx_webrtc_srtp_in_cleanup(&c->in);
    ngx_webrtc_srtp_out_cleanup(&c->out);
}


void
client_fail(client_t *c, const char *error)
{
    c->error = error;
    client_conf.failures++;
    client_close(c);
    client_set_state(c, CLIENT_FAILED);
    c->role->ended(c);
}


void
client_turn(uint64_t ns)
{
    int                 i, n;
    client_tag_t       *tag;
    struct timespec     ts;
    struct epoll_event  evs[EVENTS];

    ts.tv_sec = (time_t) (ns / 1000000000);
    ts.tv_nsec = (long) (ns % 1000000000);

    if (client_conf.stall > bench_now_ns()) {
        usleep(10000);
        return;
    }

    n = epoll_pwait2(client_conf.ep, evs, EVENTS, &ts, NULL);

    for (i = 0; i < n; i++) {
        tag = evs[i].data.ptr;

        if (tag->tcp) {
            if (tag->c->tcp != -1) {
                http_event(tag->c);
            }

        } else if (tag->c->fd != -1 && client_conf.framed) {
            framed_read(tag->c);

        } else if (tag->c->fd != -1) {
            tag->c->role->read(tag->c);
        }
    }
}


void
client_conf_init(void)
{
    int          port;
    char        *p;
    u_char       pem[NGX_WEBRTC_CERTIFICATES_PEM];
    size_t       n;
    ngx_str_t    text;
    ngx_pool_t  *pool;
    const char  *err;

    static ngx_log_t  log;

    if (sscanf(client_conf.url, "http://%127[^/]%511s", client_conf.host,
               client_conf.path)
        != 2)
    {
        fprintf(stderr, "not http://a.b.c.d:port/path: %s\n",
                client_conf.url);
        exit(2);
    }

    p = strchr(client_conf.host, ':');
    port = p ? atoi(p + 1) : 80;

    if (p) {
        *p = '\0';
    }

    client_conf.addr.sin_family = AF_INET;
    client_conf.addr.sin_port = htons((uint16_t) port);

    if (inet_pton(AF_INET, client_conf.host, &client_conf.addr.sin_addr)
        != 1)
    {
        fprintf(stderr, "an IPv4 address is needed, not \"%s\"\n",
                client_conf.host);
        exit(2);
    }

    client_conf.ep = epoll_create1(EPOLL_CLOEXEC);
    if (client_conf.ep == -1) {
        bench_die("epoll_create1");
    }

    pool = ngx_create_pool(4096, &log);

    if (ngx_webrtc_certificates_generate(time(NULL), pem, &n) != NGX_OK) {
        bench_die("certificate");
    }

    text.data = pem;
    text.len = n;

    client_conf.dtls = ngx_webrtc_dtls_conf_create(pool, &text, NULL,
               strcmp(client_conf.profile, "gcm") == 0
                   ? "SRTP_AEAD_AES_128_GCM" : "SRTP_AES128_CM_SHA1_80",
               &err);
    if (client_conf.dtls == NULL) {
        fprintf(stderr, "%s\n", err);
        exit(2);
    }

    memcpy(client_conf.fingerprint, client_conf.dtls->fingerprint,
           NGX_WEBRTC_CERTIFICATES_FINGERPRINT);
}
