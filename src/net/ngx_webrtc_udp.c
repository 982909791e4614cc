
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The UDP port of a worker.
 *
 * nginx opens one socket per worker (SO_REUSEPORT), keeps it over reload and
 * hands it on in a binary upgrade.  We replace the read handler, and keep a
 * dup of the descriptor: nginx closes listening sockets in a worker that is
 * shutting down, while the sessions of that worker still have to send.
 *
 * Outgoing datagrams are collected in one arena and leave with sendmmsg();
 * datagrams to one path that have equal sizes and follow each other are one
 * message with UDP_SEGMENT.  Where the kernel refuses such a message (old
 * kernel, path MTU, device without checksum offload) it is sent again piece by
 * piece, so that nothing depends on the offload.
 *
 * A full socket blocks the batch as a whole: what is encrypted already has its
 * sequence numbers and is kept, and the callers stop until the socket is
 * writable again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <netinet/udp.h>
#include "ngx_webrtc_srtp.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_udp.h"


#ifndef UDP_SEGMENT
#define UDP_SEGMENT                    103
#endif


/* datagrams read by one recvmmsg() at most, by the first of a turn; chosen */
#define NGX_WEBRTC_UDP_RX_BATCH        64
#define NGX_WEBRTC_UDP_RX_FIRST        8

/* recvmmsg() calls a turn of the event loop makes; chosen: others wait too */
#define NGX_WEBRTC_UDP_RX_TURNS        16

/*
 * us after which a turn reads no more.  Chosen: a datagram of a handshake takes
 * up to 0.3 ms, so that even a flood of them holds media up by a few ms only;
 * of anything else 1024 datagrams take less
 */
#define NGX_WEBRTC_UDP_RX_TIME         2000

/*
 * us for which datagrams that go on coming are one batch: the packets of a
 * frame come within some 10 us of one another, and each batch is sent to all
 * viewers.  Chosen: a frame of 20 packets; nothing is waited for
 */
#define NGX_WEBRTC_UDP_RX_MERGE        200

/* messages and bytes of a batch; chosen: fits a core's L2 cache */
#define NGX_WEBRTC_UDP_TX_MSGS         256
#define NGX_WEBRTC_UDP_TX_ARENA        (512 * 1024)

/* most bytes and pieces of a UDP_SEGMENT message: 65535 - 40 - 8; UAPI limit */
#define NGX_WEBRTC_UDP_SEGMENT_BYTES   65487
#define NGX_WEBRTC_UDP_SEGMENTS        64

/* pause after ENOBUFS, for which no event comes; ms, chosen */
#define NGX_WEBRTC_UDP_NOBUFS_DELAY    2

/* room for IP_PKTINFO or IPV6_PKTINFO and UDP_SEGMENT */
#define NGX_WEBRTC_UDP_CONTROL         96


typedef struct {
    ngx_socket_t                fd;         /* ours, a dup */
    ngx_connection_t           *listening;  /* nginx's, NULL: not this worker */
    ngx_connection_t           *conn;       /* ours, for write events */
    ngx_connection_t           *orphan;     /* ours, see read_on() */
    ngx_uint_t                  wildcard;
    ngx_webrtc_udp_t           *udp;
    uint32_t                    listen;
} ngx_webrtc_udp_sock_t;


typedef struct {
    ngx_webrtc_addr_t           remote;
    struct iovec                iov;
    uint32_t                    listen;
    uint16_t                    segment;    /* size of each but the last */
    uint16_t                    nsegments;
    u_char                      control[NGX_WEBRTC_UDP_CONTROL]
                                    __attribute__((aligned(8)));
} ngx_webrtc_udp_msg_t;


struct ngx_webrtc_udp_s {
    ngx_webrtc_udp_conf_t       conf;
    ngx_log_t                  *log;

    ngx_webrtc_udp_sock_t       sock[NGX_WEBRTC_UDP_LISTENS];

    unsigned                    segment:1;  /* the kernel knows UDP_SEGMENT */
    unsigned                    blocked:1;

    /* the batch: messages [first, nmsg), the last one open for more pieces */
    ngx_uint_t                  first;
    ngx_uint_t                  nmsg;
    ngx_webrtc_path_t          *open;       /* path of the open message */
    u_char                     *pos;        /* end of what is committed */
    u_char                     *arena;
    ngx_webrtc_udp_msg_t       *msg;
    struct mmsghdr             *mmsg;

    ngx_event_t                 retry;

    u_char                     *rx;
    ngx_webrtc_udp_stat_t       stat;
};


static ngx_int_t ngx_webrtc_udp_adopt(ngx_webrtc_udp_t *udp,
    ngx_cycle_t *cycle, ngx_listening_t *ls);
static void ngx_webrtc_udp_probe(ngx_webrtc_udp_t *udp, ngx_socket_t fd);
static void ngx_webrtc_udp_read_handler(ngx_event_t *rev);
static ngx_uint_t ngx_webrtc_udp_read_batch(ngx_webrtc_udp_sock_t *sock,
    ngx_socket_t fd, int batch);
static void ngx_webrtc_udp_read_local(struct msghdr *hdr,
    ngx_webrtc_local_t *local);
static size_t ngx_webrtc_udp_write_control(u_char *control,
    ngx_webrtc_local_t *local, uint16_t segment);
static void ngx_webrtc_udp_seal(ngx_webrtc_udp_t *udp);
static ngx_int_t ngx_webrtc_udp_send_pieces(ngx_webrtc_udp_t *udp,
    ngx_webrtc_udp_msg_t *m);
static void ngx_webrtc_udp_block(ngx_webrtc_udp_t *udp, ngx_uint_t listen,
    ngx_err_t err);
static void ngx_webrtc_udp_write_handler(ngx_event_t *wev);
static void ngx_webrtc_udp_close_handler(ngx_event_t *rev);
static void ngx_webrtc_udp_retry_handler(ngx_event_t *ev);
static void ngx_webrtc_udp_resume(ngx_webrtc_udp_t *udp);


ngx_webrtc_udp_t *
ngx_webrtc_udp_init(ngx_cycle_t *cycle, ngx_webrtc_udp_conf_t *conf)
{
    ngx_uint_t         i;
    ngx_listening_t   *ls;
    ngx_webrtc_udp_t  *udp;

    udp = ngx_pcalloc(cycle->pool, sizeof(ngx_webrtc_udp_t));
    if (udp == NULL) {
        return NULL;
    }

    udp->conf = *conf;
    udp->log = cycle->log;

    udp->arena = ngx_palloc(cycle->pool, NGX_WEBRTC_UDP_TX_ARENA);
    udp->msg = ngx_pcalloc(cycle->pool, NGX_WEBRTC_UDP_TX_MSGS
                                        * sizeof(ngx_webrtc_udp_msg_t));
    udp->mmsg = ngx_pcalloc(cycle->pool, NGX_WEBRTC_UDP_TX_MSGS
                                         * sizeof(struct mmsghdr));
    udp->rx = ngx_palloc(cycle->pool,
                         NGX_WEBRTC_UDP_RX_BATCH * NGX_WEBRTC_UDP_MAX);

    if (udp->arena == NULL || udp->msg == NULL || udp->mmsg == NULL
        || udp->rx == NULL)
    {
        return NULL;
    }

    udp->pos = udp->arena;

    udp->retry.handler = ngx_webrtc_udp_retry_handler;
    udp->retry.data = udp;
    udp->retry.log = cycle->log;
    udp->retry.cancelable = 1;

    for (i = 0; i < NGX_WEBRTC_UDP_LISTENS; i++) {
        udp->sock[i].fd = (ngx_socket_t) -1;
    }

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if (!ngx_webrtc_udp_listens(&ls[i]) || ls[i].connection == NULL) {
            continue;
        }

#if (NGX_HAVE_REUSEPORT)
        if (ls[i].reuseport && ls[i].worker != ngx_worker) {
            continue;
        }
#endif

        if (ngx_webrtc_udp_adopt(udp, cycle, &ls[i]) != NGX_OK) {
            ngx_webrtc_udp_done(udp);
            return NULL;
        }
    }

    return udp;
}


static ngx_int_t
ngx_webrtc_udp_adopt(ngx_webrtc_udp_t *udp, ngx_cycle_t *cycle,
    ngx_listening_t *ls)
{
    int                     on;
    ngx_connection_t       *c;
    ngx_webrtc_udp_sock_t  *sock;

    sock = &udp->sock[(uintptr_t) ls->servers];

    sock->udp = udp;
    sock->listen = (uint32_t) (uintptr_t) ls->servers;
    sock->wildcard = ls->wildcard;
    sock->fd = dup(ls->fd);

    if (sock->fd == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, ngx_socket_errno,
                      "dup() of %V failed", &ls->addr_text);
        return NGX_ERROR;
    }

    c = ngx_get_connection(sock->fd, cycle->log);
    if (c == NULL) {
        (void) ngx_close_socket(sock->fd);
        sock->fd = (ngx_socket_t) -1;
        return NGX_ERROR;
    }

    /*
     * This connection gets write events only.  Its read handler is what
     * nginx calls when worker_shutdown_timeout has passed.
     */

    c->data = sock;
    c->log = cycle->log;
    c->read->log = cycle->log;
    c->write->log = cycle->log;
    c->read->handler = ngx_webrtc_udp_close_handler;
    c->write->handler = ngx_webrtc_udp_write_handler;

    sock->conn = c;
    sock->listening = ls->connection;

    on = 1;

    if (sock->wildcard && ls->sockaddr->sa_family == AF_INET) {
        if (setsockopt(sock->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(int))
            == -1)
        {
            ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_socket_errno,
                          "setsockopt(IP_PKTINFO) for %V failed",
                          &ls->addr_text);
        }
    }

#if (NGX_HAVE_INET6)

    if (sock->wildcard && ls->sockaddr->sa_family == AF_INET6) {
        if (setsockopt(sock->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on,
                       sizeof(int))
            == -1)
        {
            ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_socket_errno,
                          "setsockopt(IPV6_RECVPKTINFO) for %V failed",
                          &ls->addr_text);
        }
    }

#endif

    ngx_webrtc_udp_probe(udp, sock->fd);

    ls->connection->data = sock;
    ls->connection->read->handler = ngx_webrtc_udp_read_handler;

    return NGX_OK;
}


static void
ngx_webrtc_udp_probe(ngx_webrtc_udp_t *udp, ngx_socket_t fd)
{
    int        value;
    socklen_t  len;

    len = sizeof(int);

    if (udp->conf.gso
        && getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &len) == 0)
    {
        udp->segment = 1;
    }
}


void
ngx_webrtc_udp_read_on(ngx_webrtc_udp_t *udp)
{
    ngx_uint_t              i;
    ngx_socket_t            fd;
    ngx_connection_t       *c;
    ngx_webrtc_udp_sock_t  *sock;

    for (i = 0; i < NGX_WEBRTC_UDP_LISTENS; i++) {
        sock = &udp->sock[i];

        if (sock->conn == NULL || sock->orphan) {
            continue;
        }

        /* a connection of its own: the other one's event is for writing */

        fd = dup(sock->fd);
        if (fd == (ngx_socket_t) -1) {
            ngx_log_error(NGX_LOG_ERR, udp->log, ngx_socket_errno,
                          "dup() failed");
            continue;
        }

        c = ngx_get_connection(fd, udp->log);
        if (c == NULL) {
            (void) ngx_close_socket(fd);
            continue;
        }

        c->data = sock;
        c->log = udp->log;
        c->read->log = udp->log;
        c->write->log = udp->log;
        c->read->handler = ngx_webrtc_udp_read_handler;

        /* the shutdown timer has nothing to tell it */

        c->read->channel = 1;
        c->write->channel = 1;

        sock->orphan = c;

        if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT)
            != NGX_OK)
        {
            ngx_close_connection(c);
            sock->orphan = NULL;
        }
    }
}


void
ngx_webrtc_udp_done(ngx_webrtc_udp_t *udp)
{
    ngx_uint_t              i;
    ngx_webrtc_udp_sock_t  *sock;

    ngx_webrtc_udp_flush(udp);

    if (udp->retry.timer_set) {
        ngx_del_timer(&udp->retry);
    }

    for (i = 0; i < NGX_WEBRTC_UDP_LISTENS; i++) {
        sock = &udp->sock[i];

        if (sock->orphan) {
            ngx_close_connection(sock->orphan);
            sock->orphan = NULL;
        }

        if (sock->conn) {
            ngx_close_connection(sock->conn);
            sock->conn = NULL;
            sock->fd = (ngx_socket_t) -1;
        }
    }
}


static void
ngx_webrtc_udp_read_handler(ngx_event_t *rev)
{
    int                     batch;
    uint64_t                start, begun, now;
    ngx_uint_t              turns, n, given;
    ngx_connection_t       *c;
    ngx_webrtc_udp_sock_t  *sock;

    c = rev->data;
    sock = c->data;

    batch = NGX_WEBRTC_UDP_RX_FIRST;
    start = ngx_webrtc_time_now();
    begun = start;
    given = 0;

    /*
     * nginx adds the event of a listening socket level-triggered: what is
     * left over after the last turn comes back with the next loop.
     */

    for (turns = 0; turns < NGX_WEBRTC_UDP_RX_TURNS; turns++) {

        n = ngx_webrtc_udp_read_batch(sock, c->fd, batch);

        if (n == 0) {
            break;
        }

        given += n;
        now = ngx_webrtc_time_now();

        if (now - start > NGX_WEBRTC_UDP_RX_TIME) {
            break;
        }

        if (given >= NGX_WEBRTC_UDP_RX_BATCH
            || now - begun > NGX_WEBRTC_UDP_RX_MERGE)
        {
            sock->udp->conf.done(sock->udp->conf.ctx);

            begun = ngx_webrtc_time_now();
            given = 0;
        }

        batch = ngx_min(batch * 2, NGX_WEBRTC_UDP_RX_BATCH);
    }

    if (given) {
        sock->udp->conf.done(sock->udp->conf.ctx);
    }
}


/* returns how many datagrams there were */

static ngx_uint_t
ngx_webrtc_udp_read_batch(ngx_webrtc_udp_sock_t *sock, ngx_socket_t fd,
    int batch)
{
    int                 i, n;
    ngx_err_t           err;
    struct iovec        iov[NGX_WEBRTC_UDP_RX_BATCH];
    struct mmsghdr      mmsg[NGX_WEBRTC_UDP_RX_BATCH];
    ngx_webrtc_udp_t   *udp;
    ngx_webrtc_path_t   path;
    ngx_sockaddr_t      sa[NGX_WEBRTC_UDP_RX_BATCH];
    u_char              control[NGX_WEBRTC_UDP_RX_BATCH]
                               [NGX_WEBRTC_UDP_CONTROL]
                            __attribute__((aligned(8)));

    udp = sock->udp;

    for (i = 0; i < batch; i++) {
        iov[i].iov_base = udp->rx + i * NGX_WEBRTC_UDP_MAX;
        iov[i].iov_len = NGX_WEBRTC_UDP_MAX;

        ngx_memzero(&mmsg[i].msg_hdr, sizeof(struct msghdr));
        mmsg[i].msg_hdr.msg_name = &sa[i];
        mmsg[i].msg_hdr.msg_namelen = sizeof(ngx_sockaddr_t);
        mmsg[i].msg_hdr.msg_iov = &iov[i];
        mmsg[i].msg_hdr.msg_iovlen = 1;
        mmsg[i].msg_hdr.msg_control = sock->wildcard ? control[i] : NULL;
        mmsg[i].msg_hdr.msg_controllen = sock->wildcard
                                         ? NGX_WEBRTC_UDP_CONTROL : 0;
    }

    n = recvmmsg(fd, mmsg, batch, MSG_DONTWAIT, NULL);

    if (n == -1) {
        err = ngx_socket_errno;

        if (err != NGX_EAGAIN && err != NGX_EINTR) {
            ngx_log_error(NGX_LOG_ERR, udp->log, err, "recvmmsg() failed");
        }

        return 0;
    }

    for (i = 0; i < n; i++) {
        udp->stat.rx_packets++;

        if ((mmsg[i].msg_hdr.msg_flags & MSG_TRUNC)
            || ngx_webrtc_addr_set(&path.remote, &sa[i].sockaddr,
                                   mmsg[i].msg_hdr.msg_namelen)
               != NGX_OK)
        {
            udp->stat.rx_dropped++;
            continue;
        }

        ngx_webrtc_udp_read_local(&mmsg[i].msg_hdr, &path.local);
        path.listen = sock->listen;

        udp->conf.input(udp->conf.ctx, &path, iov[i].iov_base,
                        mmsg[i].msg_len);
    }

    return n;
}


static void
ngx_webrtc_udp_read_local(struct msghdr *hdr, ngx_webrtc_local_t *local)
{
    struct cmsghdr       *cmsg;
    struct in_pktinfo     info;
#if (NGX_HAVE_INET6)
    struct in6_pktinfo    info6;
#endif

    ngx_memzero(local, sizeof(ngx_webrtc_local_t));

    if (hdr->msg_control == NULL) {
        return;
    }

    for (cmsg = CMSG_FIRSTHDR(hdr); cmsg; cmsg = CMSG_NXTHDR(hdr, cmsg)) {

        if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
            ngx_memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
            local->u.in = info.ipi_addr;
            local->family = AF_INET;
            return;
        }

#if (NGX_HAVE_INET6)

        if (cmsg->cmsg_level == IPPROTO_IPV6
            && cmsg->cmsg_type == IPV6_PKTINFO)
        {
            ngx_memcpy(&info6, CMSG_DATA(cmsg), sizeof(info6));
            local->u.in6 = info6.ipi6_addr;
            local->family = AF_INET6;
            return;
        }

#endif
    }
}


/* returns msg_controllen */

static size_t
ngx_webrtc_udp_write_control(u_char *control, ngx_webrtc_local_t *local,
    uint16_t segment)
{
    size_t                n;
    struct cmsghdr       *cmsg;
    struct in_pktinfo     info;
#if (NGX_HAVE_INET6)
    struct in6_pktinfo    info6;
#endif

    n = 0;

    if (local->family == AF_INET) {
        cmsg = (struct cmsghdr *) control;
        cmsg->cmsg_level = IPPROTO_IP;
        cmsg->cmsg_type = IP_PKTINFO;
        cmsg->cmsg_len = CMSG_LEN(sizeof(info));

        ngx_memzero(&info, sizeof(info));
        info.ipi_spec_dst = local->u.in;
        ngx_memcpy(CMSG_DATA(cmsg), &info, sizeof(info));

        n += CMSG_SPACE(sizeof(info));
    }

#if (NGX_HAVE_INET6)

    if (local->family == AF_INET6) {
        cmsg = (struct cmsghdr *) control;
        cmsg->cmsg_level = IPPROTO_IPV6;
        cmsg->cmsg_type = IPV6_PKTINFO;
        cmsg->cmsg_len = CMSG_LEN(sizeof(info6));

        ngx_memzero(&info6, sizeof(info6));
        info6.ipi6_addr = local->u.in6;
        ngx_memcpy(CMSG_DATA(cmsg), &info6, sizeof(info6));

        n += CMSG_SPACE(sizeof(info6));
    }

#endif

    if (segment) {
        cmsg = (struct cmsghdr *) (control + n);
        cmsg->cmsg_level = IPPROTO_UDP;
        cmsg->cmsg_type = UDP_SEGMENT;
        cmsg->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        ngx_memcpy(CMSG_DATA(cmsg), &segment, sizeof(uint16_t));

        n += CMSG_SPACE(sizeof(uint16_t));
    }

    return n;
}


void
ngx_webrtc_udp_send(ngx_webrtc_udp_t *udp, ngx_webrtc_path_t *path, u_char *p,
    size_t n)
{
    struct iovec            iov;
    struct msghdr           hdr;
    ngx_webrtc_udp_sock_t  *sock;
    u_char                  control[NGX_WEBRTC_UDP_CONTROL]
                                __attribute__((aligned(8)));

    sock = &udp->sock[path->listen];

    if (sock->conn == NULL) {
        udp->stat.tx_failed++;
        return;
    }

    iov.iov_base = p;
    iov.iov_len = n;

    ngx_memzero(&hdr, sizeof(struct msghdr));
    hdr.msg_name = &path->remote.u;
    hdr.msg_namelen = path->remote.len;
    hdr.msg_iov = &iov;
    hdr.msg_iovlen = 1;
    hdr.msg_controllen = ngx_webrtc_udp_write_control(control, &path->local, 0);
    hdr.msg_control = hdr.msg_controllen ? control : NULL;

    udp->stat.tx_calls++;

    if (sendmsg(sock->fd, &hdr, MSG_DONTWAIT) == -1) {
        udp->stat.tx_failed++;
        return;
    }

    udp->stat.tx_packets++;
    udp->stat.tx_bytes += n;
}


u_char *
ngx_webrtc_udp_reserve(ngx_webrtc_udp_t *udp, size_t size)
{
    if (udp->blocked) {
        return NULL;
    }

    if (udp->nmsg == NGX_WEBRTC_UDP_TX_MSGS
        || size > (size_t) (udp->arena + NGX_WEBRTC_UDP_TX_ARENA - udp->pos))
    {
        ngx_webrtc_udp_flush(udp);

        if (udp->blocked) {
            return NULL;
        }
    }

    return udp->pos;
}


void
ngx_webrtc_udp_commit(ngx_webrtc_udp_t *udp, ngx_webrtc_path_t *path, size_t n)
{
    ngx_webrtc_udp_msg_t  *m;

    udp->stat.tx_packets++;
    udp->stat.tx_bytes += n;

    if (udp->open == path) {
        m = &udp->msg[udp->nmsg - 1];

        if (n <= m->segment
            && m->nsegments < NGX_WEBRTC_UDP_SEGMENTS
            && m->iov.iov_len + n <= NGX_WEBRTC_UDP_SEGMENT_BYTES)
        {
            m->iov.iov_len += n;
            m->nsegments++;
            udp->pos += n;

            if (n < m->segment) {
                /* only the last piece may be shorter */
                ngx_webrtc_udp_seal(udp);
            }

            return;
        }
    }

    ngx_webrtc_udp_seal(udp);

    m = &udp->msg[udp->nmsg++];

    m->remote = path->remote;
    m->listen = path->listen;
    m->segment = (uint16_t) n;
    m->nsegments = 1;
    m->iov.iov_base = udp->pos;
    m->iov.iov_len = n;

    udp->pos += n;

    /*
     * sealed when the next message begins or the batch leaves: only then is
     * it known whether UDP_SEGMENT is needed
     */

    udp->open = path;

    if (!udp->segment) {
        ngx_webrtc_udp_seal(udp);
    }
}


static void
ngx_webrtc_udp_seal(ngx_webrtc_udp_t *udp)
{
    struct msghdr         *hdr;
    ngx_webrtc_udp_msg_t  *m;

    if (udp->open == NULL) {
        return;
    }

    m = &udp->msg[udp->nmsg - 1];
    hdr = &udp->mmsg[udp->nmsg - 1].msg_hdr;

    hdr->msg_name = &m->remote.u;
    hdr->msg_namelen = m->remote.len;
    hdr->msg_iov = &m->iov;
    hdr->msg_iovlen = 1;
    hdr->msg_flags = 0;
    hdr->msg_controllen = ngx_webrtc_udp_write_control(m->control,
                                 &udp->open->local,
                                 m->nsegments > 1 ? m->segment : 0);
    hdr->msg_control = hdr->msg_controllen ? m->control : NULL;

    udp->open = NULL;
}


void
ngx_webrtc_udp_flush(ngx_webrtc_udp_t *udp)
{
    int                     n;
    ngx_err_t               err;
    ngx_uint_t              i, last;
    ngx_webrtc_udp_sock_t  *sock;

    if (udp->blocked) {
        return;
    }

    ngx_webrtc_udp_seal(udp);

    ngx_webrtc_srtp_finish();

    i = udp->first;

    while (i < udp->nmsg) {

        sock = &udp->sock[udp->msg[i].listen];

        if (sock->conn == NULL) {
            udp->stat.tx_failed += udp->msg[i].nsegments;
            i++;
            continue;
        }

        for (last = i + 1; last < udp->nmsg; last++) {
            if (udp->msg[last].listen != udp->msg[i].listen) {
                break;
            }
        }

        udp->stat.tx_calls++;

        n = sendmmsg(sock->fd, &udp->mmsg[i], last - i, MSG_DONTWAIT);

        if (n > 0) {
            i += n;
            continue;
        }

        err = ngx_socket_errno;

        if (err == NGX_EINTR) {
            continue;
        }

        if (err == NGX_EAGAIN || err == ENOBUFS) {
            udp->first = i;
            ngx_webrtc_udp_block(udp, udp->msg[i].listen, err);
            return;
        }

        if (udp->msg[i].nsegments > 1) {

            if (ngx_webrtc_udp_send_pieces(udp, &udp->msg[i]) != NGX_OK) {
                udp->first = i;
                ngx_webrtc_udp_block(udp, udp->msg[i].listen, NGX_EAGAIN);
                return;
            }

            i++;
            continue;
        }

        ngx_log_debug1(NGX_LOG_DEBUG_EVENT, udp->log, err,
                       "webrtc udp send failed size:%uz",
                       udp->msg[i].iov.iov_len);

        udp->stat.tx_failed++;
        i++;
    }

    udp->first = 0;
    udp->nmsg = 0;
    udp->pos = udp->arena;
}


/*
 * The kernel refused a message of several pieces: sends them one by one.
 *
 * NGX_OK     all sent or refused one by one
 * NGX_AGAIN  the socket is full; the message begins with what is left
 */

static ngx_int_t
ngx_webrtc_udp_send_pieces(ngx_webrtc_udp_t *udp, ngx_webrtc_udp_msg_t *m)
{
    size_t                  n, left;
    ssize_t                 sent;
    ngx_err_t               err;
    struct iovec            iov;
    struct msghdr           hdr;
    ngx_webrtc_udp_sock_t  *sock;

    sock = &udp->sock[m->listen];
    hdr = udp->mmsg[m - udp->msg].msg_hdr;
    hdr.msg_iov = &iov;

    /* UDP_SEGMENT was written last */

    hdr.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));

    if (hdr.msg_controllen == 0) {
        hdr.msg_control = NULL;
    }

    while (m->iov.iov_len) {

        left = m->iov.iov_len;
        n = ngx_min(left, m->segment);

        iov.iov_base = m->iov.iov_base;
        iov.iov_len = n;

        udp->stat.tx_calls++;

        sent = sendmsg(sock->fd, &hdr, MSG_DONTWAIT);

        if (sent == -1) {
            err = ngx_socket_errno;

            if (err == NGX_EINTR) {
                continue;
            }

            if (err == NGX_EAGAIN || err == ENOBUFS) {

                if (m->nsegments == 1) {

                    /* no longer a message of pieces */

                    udp->mmsg[m - udp->msg].msg_hdr.msg_control
                                                            = hdr.msg_control;
                    udp->mmsg[m - udp->msg].msg_hdr.msg_controllen
                                                         = hdr.msg_controllen;
                }

                return NGX_AGAIN;
            }

            udp->stat.tx_failed++;
        }

        m->iov.iov_base = (u_char *) m->iov.iov_base + n;
        m->iov.iov_len -= n;
        m->nsegments--;
    }

    return NGX_OK;
}


static void
ngx_webrtc_udp_block(ngx_webrtc_udp_t *udp, ngx_uint_t listen, ngx_err_t err)
{
    ngx_event_t  *wev;

    udp->blocked = 1;
    udp->stat.tx_blocked++;

    if (err == NGX_EAGAIN) {
        wev = udp->sock[listen].conn->write;
        wev->ready = 0;

        if (ngx_handle_write_event(wev, 0) == NGX_OK) {
            return;
        }
    }

    if (!udp->retry.timer_set) {
        ngx_add_timer(&udp->retry, NGX_WEBRTC_UDP_NOBUFS_DELAY);
    }
}


static void
ngx_webrtc_udp_write_handler(ngx_event_t *wev)
{
    ngx_connection_t       *c;
    ngx_webrtc_udp_sock_t  *sock;

    c = wev->data;
    sock = c->data;

    ngx_webrtc_udp_resume(sock->udp);

    /* with it, every datagram that leaves would wake us up from now on */

    if (!sock->udp->blocked && wev->active) {
        (void) ngx_del_event(wev, NGX_WRITE_EVENT, 0);
    }
}


/* worker_shutdown_timeout has passed: see ngx_shutdown_timer_handler() */

static void
ngx_webrtc_udp_close_handler(ngx_event_t *rev)
{
    ngx_connection_t       *c;
    ngx_webrtc_udp_sock_t  *sock;

    c = rev->data;
    sock = c->data;

    if (c->close) {
        sock->udp->conf.shutdown(sock->udp->conf.ctx);
    }
}


static void
ngx_webrtc_udp_retry_handler(ngx_event_t *ev)
{
    ngx_webrtc_udp_resume(ev->data);
}


static void
ngx_webrtc_udp_resume(ngx_webrtc_udp_t *udp)
{
    if (!udp->blocked) {
        return;
    }

    udp->blocked = 0;

    ngx_webrtc_udp_flush(udp);

    if (!udp->blocked) {
        udp->conf.writable(udp->conf.ctx);
    }
}


ngx_webrtc_udp_stat_t *
ngx_webrtc_udp_stat(ngx_webrtc_udp_t *udp)
{
    return &udp->stat;
}
