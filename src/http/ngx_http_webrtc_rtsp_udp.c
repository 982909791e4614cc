
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTP and RTCP of RTSP publishers over UDP: see the header.  What is behind a
 * gap waits for it, until others come: who sends no more has none.
 */


#include "ngx_http_webrtc_rtsp_udp.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_media_socket.h"
#include "ngx_webrtc_reorder.h"
#include "ngx_webrtc_rtp.h"
#include "ngx_webrtc_time.h"


/* attempts to find two ports in a row: of any; of those that are configured,
 * from one of them on.  Chosen: the latter take a few ms */
#define NGX_HTTP_WEBRTC_RTSP_UDP_TRIES  16
#define NGX_HTTP_WEBRTC_RTSP_UDP_AMONG  1024

/* ms between two lines that say that there were none, and until ports are
 * looked for again; chosen */
#define NGX_HTTP_WEBRTC_RTSP_UDP_SAY    60000
#define NGX_HTTP_WEBRTC_RTSP_UDP_REST   1000

/* datagrams in a turn of the event loop; chosen: a key frame of 300 kB */
#define NGX_HTTP_WEBRTC_RTSP_UDP_TURN   256

/* us: for how long the port that was named may still be it after another one,
 * and of whose silence that or any other may be; chosen */
#define NGX_HTTP_WEBRTC_RTSP_UDP_PINNED  1000000

/* bytes; a key frame waits here, as far as net.core.rmem_max allows */
#define NGX_HTTP_WEBRTC_RTSP_UDP_RCVBUF  (2 * 1024 * 1024)


struct ngx_http_webrtc_rtsp_udp_s {
    ngx_http_webrtc_ingest_tcp_t    *tc;
    ngx_http_webrtc_rtsp_udp_conf_t  conf;
    ngx_connection_t                *rtp;
    ngx_connection_t                *rtcp;
    in_port_t                        from;       /* of RTP; 0: not known yet */
    uint32_t                         ssrc;       /* likewise */
    uint64_t                         pinned_us;  /* when from was set, */
    uint64_t                         heard_us;   /* and heard last */
    ngx_webrtc_reorder_t             reorder;
    void                            *mem;        /* of it */
};


static ngx_int_t ngx_http_webrtc_rtsp_udp_pair(ngx_http_webrtc_rtsp_udp_t *u,
    in_port_t *port);
static ngx_int_t ngx_http_webrtc_rtsp_udp_try(ngx_http_webrtc_rtsp_udp_t *u,
    in_port_t *port);
static ngx_uint_t ngx_http_webrtc_rtsp_udp_rests(ngx_msec_t *until,
    ngx_msec_t ms);
static int ngx_http_webrtc_rtsp_udp_bind(ngx_http_webrtc_rtsp_udp_t *u,
    in_port_t *port);
static ngx_connection_t *ngx_http_webrtc_rtsp_udp_watch(
    ngx_http_webrtc_rtsp_udp_t *u, int fd);
static void ngx_http_webrtc_rtsp_udp_read(ngx_event_t *rev);
static void ngx_http_webrtc_rtsp_udp_datagram(ngx_http_webrtc_rtsp_udp_t *u,
    ngx_connection_t *c, struct sockaddr *sa, socklen_t len, size_t n);
static void ngx_http_webrtc_rtsp_udp_take(ngx_http_webrtc_rtsp_udp_t *u,
    in_port_t from, size_t n);
static ngx_uint_t ngx_http_webrtc_rtsp_udp_pin(ngx_http_webrtc_rtsp_udp_t *u,
    in_port_t from, uint64_t now_us);
static void ngx_http_webrtc_rtsp_udp_ordered(void *ctx,
    const ngx_webrtc_reorder_packet_t *pkt);


/* of this process; a byte more shows what is too long */

static u_char
    ngx_http_webrtc_rtsp_udp_buf[NGX_WEBRTC_REORDER_PAYLOAD + 1];


ngx_http_webrtc_rtsp_udp_t *
ngx_http_webrtc_rtsp_udp_open(ngx_http_webrtc_ingest_tcp_t *tc,
    const ngx_http_webrtc_rtsp_udp_conf_t *conf, in_port_t *port)
{
    size_t                       size;
    ngx_uint_t                   window;
    ngx_http_webrtc_rtsp_udp_t  *u;

    u = ngx_calloc(sizeof(ngx_http_webrtc_rtsp_udp_t), tc->connection->log);
    if (u == NULL) {
        return NULL;
    }

    u->tc = tc;
    u->conf = *conf;

    window = conf->video ? NGX_WEBRTC_REORDER_VIDEO : NGX_WEBRTC_REORDER_AUDIO;
    size = ngx_webrtc_reorder_size(window,
                                   conf->video ? NGX_WEBRTC_REORDER_VIDEO_MEM
                                               : NGX_WEBRTC_REORDER_AUDIO_MEM);
    u->mem = ngx_alloc(size, tc->connection->log);

    if (u->mem == NULL
        || ngx_webrtc_reorder_init(&u->reorder, u->mem, size, window,
                                   ngx_http_webrtc_rtsp_udp_ordered, u)
           != NGX_OK
        || ngx_http_webrtc_rtsp_udp_pair(u, port) != NGX_OK)
    {
        ngx_http_webrtc_rtsp_udp_close(u);
        return NULL;
    }

    return u;
}


/* RFC 3550, 11: an even port, and the next one */

static ngx_int_t
ngx_http_webrtc_rtsp_udp_pair(ngx_http_webrtc_rtsp_udp_t *u, in_port_t *port)
{
    ngx_int_t          rc;
    ngx_uint_t         n, first, pairs, from;
    static ngx_msec_t  said;

    first = u->tc->conf->udp_first;
    first += (first & 1);

    if (first == 0) {

        for (n = 0; n < NGX_HTTP_WEBRTC_RTSP_UDP_TRIES; n++) {
            *port = 0;
            rc = ngx_http_webrtc_rtsp_udp_try(u, port);

            if (rc != NGX_AGAIN) {
                return rc;
            }
        }

        return NGX_ERROR;
    }

    if (ngx_http_webrtc_rtsp_udp_rests(&u->tc->conf->udp_full, 0)) {
        return NGX_ERROR;
    }

    pairs = (u->tc->conf->udp_last + 1 - first) / 2;
    from = (ngx_uint_t) ngx_random() % pairs;

    for (n = 0; n < ngx_min(pairs, NGX_HTTP_WEBRTC_RTSP_UDP_AMONG); n++) {
        *port = (in_port_t) (first + 2 * ((from + n) % pairs));
        rc = ngx_http_webrtc_rtsp_udp_try(u, port);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    (void) ngx_http_webrtc_rtsp_udp_rests(&u->tc->conf->udp_full,
                                          NGX_HTTP_WEBRTC_RTSP_UDP_REST);

    if (!ngx_http_webrtc_rtsp_udp_rests(&said, NGX_HTTP_WEBRTC_RTSP_UDP_SAY))
    {
        ngx_log_error(NGX_LOG_WARN, u->tc->connection->log, 0,
                      "webrtc rtsp no two ports of udp_ports=%ui-%ui are free",
                      (ngx_uint_t) u->tc->conf->udp_first,
                      (ngx_uint_t) u->tc->conf->udp_last);
    }

    return NGX_ERROR;
}


/* whether a pause lasts, 0: there was none; if not, and ms, one begins */

static ngx_uint_t
ngx_http_webrtc_rtsp_udp_rests(ngx_msec_t *until, ngx_msec_t ms)
{
    if (*until && (ngx_msec_int_t) (ngx_current_msec - *until) < 0) {
        return 1;
    }

    if (ms) {
        *until = ngx_max(ngx_current_msec + ms, 1);
    }

    return 0;
}


/*
 * *port: 0, any.
 *
 * NGX_OK; NGX_AGAIN: one of the two is taken; NGX_ERROR, logged
 */

static ngx_int_t
ngx_http_webrtc_rtsp_udp_try(ngx_http_webrtc_rtsp_udp_t *u, in_port_t *port)
{
    int        fd[2];
    in_port_t  next;

    fd[0] = ngx_http_webrtc_rtsp_udp_bind(u, port);

    if (fd[0] < 0) {
        return fd[0];
    }

    next = *port + 1;
    fd[1] = (*port & 1) ? NGX_AGAIN : ngx_http_webrtc_rtsp_udp_bind(u, &next);

    if (fd[1] < 0) {
        (void) ngx_close_socket(fd[0]);
        return fd[1];
    }

    u->rtp = ngx_http_webrtc_rtsp_udp_watch(u, fd[0]);
    u->rtcp = ngx_http_webrtc_rtsp_udp_watch(u, fd[1]);

    return (u->rtp && u->rtcp) ? NGX_OK : NGX_ERROR;
}


/* a descriptor; NGX_AGAIN: the port is taken; NGX_ERROR */

static int
ngx_http_webrtc_rtsp_udp_bind(ngx_http_webrtc_rtsp_udp_t *u, in_port_t *port)
{
    int                fd, size;
    ngx_err_t          err;
    static ngx_msec_t  no_socket, no_port;
    ngx_connection_t  *c;
    ngx_sockaddr_t     sa;
    socklen_t          len;

    c = u->tc->connection;

    if (c->local_socklen > (socklen_t) sizeof(sa)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&sa, c->local_sockaddr, c->local_socklen);
    ngx_inet_set_port(&sa.sockaddr, *port);

    fd = socket(sa.sockaddr.sa_family, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC,
                0);
    if (fd == -1) {
        err = ngx_socket_errno;

        if (!ngx_http_webrtc_rtsp_udp_rests(&no_socket,
                                            NGX_HTTP_WEBRTC_RTSP_UDP_SAY))
        {
            ngx_log_error(NGX_LOG_ERR, c->log, err,
                          "webrtc rtsp no socket of UDP");
        }

        return NGX_ERROR;
    }

    len = sizeof(sa);

    if (bind(fd, &sa.sockaddr, c->local_socklen) == -1
        || getsockname(fd, &sa.sockaddr, &len) == -1)
    {
        err = ngx_socket_errno;
        (void) ngx_close_socket(fd);

        if (err == NGX_EADDRINUSE) {
            return NGX_AGAIN;
        }

        if (!ngx_http_webrtc_rtsp_udp_rests(&no_port,
                                            NGX_HTTP_WEBRTC_RTSP_UDP_SAY))
        {
            ngx_log_error(NGX_LOG_ERR, c->log, err,
                          "webrtc rtsp port %ui of UDP cannot be opened",
                          (ngx_uint_t) *port);
        }

        return NGX_ERROR;
    }

    *port = ngx_inet_get_port(&sa.sockaddr);

    size = NGX_HTTP_WEBRTC_RTSP_UDP_RCVBUF;
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(int));

    return fd;
}


static ngx_connection_t *
ngx_http_webrtc_rtsp_udp_watch(ngx_http_webrtc_rtsp_udp_t *u, int fd)
{
    ngx_connection_t  *c;

    c = ngx_webrtc_media_socket_watch(fd, u, ngx_http_webrtc_rtsp_udp_read,
                                      u->tc->connection->log);
    if (c == NULL) {
        (void) ngx_close_socket(fd);
    }

    return c;
}


void
ngx_http_webrtc_rtsp_udp_close(ngx_http_webrtc_rtsp_udp_t *u)
{
    if (u->rtp) {
        ngx_close_connection(u->rtp);
    }

    if (u->rtcp) {
        ngx_close_connection(u->rtcp);
    }

    if (u->mem) {
        ngx_free(u->mem);
    }

    ngx_free(u);
}


void
ngx_http_webrtc_rtsp_udp_resume(ngx_http_webrtc_rtsp_udp_t *u)
{
    ngx_post_event(u->rtp->read, &ngx_posted_events);
    ngx_post_event(u->rtcp->read, &ngx_posted_events);
}


static void
ngx_http_webrtc_rtsp_udp_read(ngx_event_t *rev)
{
    ssize_t                      n;
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_sockaddr_t               sa;
    socklen_t                    len;
    ngx_connection_t            *c;
    ngx_http_webrtc_rtsp_udp_t  *u;

    c = rev->data;
    u = c->data;

    for (i = 0; i < NGX_HTTP_WEBRTC_RTSP_UDP_TURN; i++) {

        rc = ngx_http_webrtc_ingest_tcp_reads(u->tc);

        if (rc == NGX_AGAIN) {
            return;
        }

        len = sizeof(sa);

        n = recvfrom(c->fd, ngx_http_webrtc_rtsp_udp_buf,
                     sizeof(ngx_http_webrtc_rtsp_udp_buf), 0, &sa.sockaddr,
                     &len);

        if (n == -1 && ngx_socket_errno != NGX_EINTR
            && ngx_socket_errno != NGX_ECONNREFUSED)
        {
            rev->ready = 0;
            return;
        }

        if (rc == NGX_OK && n > 0 && n <= NGX_WEBRTC_REORDER_PAYLOAD) {
            ngx_http_webrtc_rtsp_udp_datagram(u, c, &sa.sockaddr, len, n);
        }
    }

    ngx_post_event(rev, &ngx_posted_next_events);
}


/* whose it is; a report is of the port that was named, or of the packets */

static void
ngx_http_webrtc_rtsp_udp_datagram(ngx_http_webrtc_rtsp_udp_t *u,
    ngx_connection_t *c, struct sockaddr *sa, socklen_t len, size_t n)
{
    uint32_t           ssrc;
    in_port_t          port;
    ngx_connection_t  *tcp;

    tcp = u->tc->connection;

    if (ngx_cmp_sockaddr(sa, len, tcp->sockaddr, tcp->socklen, 0) != NGX_OK) {
        return;
    }

    port = ngx_inet_get_port(sa);

    if (c == u->rtp) {
        ngx_http_webrtc_rtsp_udp_take(u, port, n);
        return;
    }

    if (ngx_webrtc_read_u32(ngx_http_webrtc_rtsp_udp_buf + 4,
                            ngx_http_webrtc_rtsp_udp_buf + ngx_max(n, 4),
                            &ssrc)
        == NULL
        || (u->from ? ssrc != u->ssrc : port != u->conf.from + 1))
    {
        return;
    }

    ngx_http_webrtc_ingest_tcp_beside(u->tc, n);

    u->conf.handler(u->conf.data, u->conf.track, 1,
                    ngx_http_webrtc_rtsp_udp_buf, n);
}


static void
ngx_http_webrtc_rtsp_udp_take(ngx_http_webrtc_rtsp_udp_t *u, in_port_t from,
    size_t n)
{
    u_char                       *p;
    uint64_t                      now_us;
    ngx_webrtc_rtp_t              rtp;
    ngx_webrtc_reorder_packet_t   pkt;

    p = ngx_http_webrtc_rtsp_udp_buf;

    if (ngx_webrtc_rtp_parse(p, p + n, &rtp) != NGX_OK
        || rtp.pt != u->conf.pt)
    {
        return;
    }

    now_us = ngx_webrtc_time_now();

    if (!ngx_http_webrtc_rtsp_udp_pin(u, from, now_us)) {
        return;
    }

    if (rtp.ssrc != u->ssrc) {
        u->ssrc = rtp.ssrc;
        ngx_webrtc_reorder_renew(&u->reorder);
    }

    ngx_http_webrtc_ingest_tcp_beside(u->tc, n);

    ngx_memzero(&pkt, sizeof(ngx_webrtc_reorder_packet_t));

    pkt.seq = ngx_webrtc_reorder_seq(&u->reorder, rtp.seq);
    pkt.arrival_us = now_us;
    pkt.payload = p;
    pkt.n = (uint16_t) n;
    pkt.pt = rtp.pt;
    pkt.marker = rtp.marker;
    pkt.ts = rtp.ts;

    (void) ngx_webrtc_reorder_input(&u->reorder, &pkt, now_us);
    (void) ngx_webrtc_reorder_timeout(&u->reorder, now_us);
}


/* whether a port is the publisher's */

static ngx_uint_t
ngx_http_webrtc_rtsp_udp_pin(ngx_http_webrtc_rtsp_udp_t *u, in_port_t from,
    uint64_t now_us)
{
    if (from != u->from) {

        if (u->from
            && now_us < u->heard_us + NGX_HTTP_WEBRTC_RTSP_UDP_PINNED
            && (from != u->conf.from
                || now_us > u->pinned_us + NGX_HTTP_WEBRTC_RTSP_UDP_PINNED))
        {
            return 0;
        }

        u->from = from;
        u->pinned_us = now_us;
    }

    u->heard_us = now_us;

    return 1;
}


static void
ngx_http_webrtc_rtsp_udp_ordered(void *ctx,
    const ngx_webrtc_reorder_packet_t *pkt)
{
    ngx_http_webrtc_rtsp_udp_t *u = ctx;

    u->conf.handler(u->conf.data, u->conf.track, 0, pkt->payload, pkt->n);
}
