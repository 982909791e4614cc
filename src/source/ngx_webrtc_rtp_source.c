
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Plain RTP from outside.
 *
 * Nothing in plain RTP proves who sent it, so a leg has one sender: the first
 * address that a valid packet comes from (version, payload type, size), until
 * it has been silent, or has said BYE.  Others are dropped and counted
 * meanwhile.
 *
 *   none -- a valid packet --> pinned -- silent, or BYE --> none
 *
 * RTCP is taken from the host that a leg is pinned to, whatever its port, on
 * the port of RTP (RFC 5761) and the one behind it (RFC 3550, 11).  Ours goes
 * to where the sender's has come from, before that to the port behind that of
 * its RTP.
 *
 * A SR names its SSRC, and is taken from any leg's port: where the ports of
 * two legs are adjacent, one's RTCP comes to the other's RTP.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/socket.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_ingest_feedback.h"
#include "ngx_webrtc_ingest_life.h"
#include "ngx_webrtc_ingest_ring.h"
#include "ngx_webrtc_ingest_rtp.h"
#include "ngx_webrtc_media_socket.h"
#include "ngx_webrtc_rtp_source.h"
#include "ngx_webrtc_time.h"
#include "ngx_webrtc_udp.h"


/* us of silence after which another sender may take a leg; chosen: a stream is
 * INACTIVE then */
#define NGX_WEBRTC_RTP_SOURCE_RELEASE  2000000

/* us without any packet that are an operator's business; chosen */
#define NGX_WEBRTC_RTP_SOURCE_NOTHING  5000000

/* datagrams read at a time, and in one turn of the event loop; chosen */
#define NGX_WEBRTC_RTP_SOURCE_BATCH    32
#define NGX_WEBRTC_RTP_SOURCE_TURN     8

/* bytes; a key frame of a few hundred packets waits here, as far as
 * net.core.rmem_max allows */
#define NGX_WEBRTC_RTP_SOURCE_RCVBUF   (2 * 1024 * 1024)

/* bytes of the CNAME in our reports; chosen: 32 random bits */
#define NGX_WEBRTC_RTP_SOURCE_CNAME    8

/* ms between requests for a key frame; webrtc_keyframe_interval's default */
#define NGX_WEBRTC_RTP_SOURCE_KEYFRAME  1000


typedef struct {
    ngx_webrtc_rtp_source_t     *rs;
    ngx_connection_t            *connection;
    in_port_t                    port;
    unsigned                     rtp:1;       /* a leg's, else RTCP's only */
} ngx_webrtc_rtp_source_socket_t;


typedef struct {
    ngx_webrtc_desc_media_t         *media;   /* NULL: no such leg */
    ngx_webrtc_rtp_source_socket_t  *socket;  /* of RTP */
    ngx_webrtc_rtp_source_socket_t  *rtcp;    /* what our RTCP leaves from */
    ngx_webrtc_addr_t                sender;  /* len 0: none */
    ngx_webrtc_addr_t                to;      /* of our RTCP */
    uint64_t                         heard_us;
} ngx_webrtc_rtp_source_leg_t;


struct ngx_webrtc_rtp_source_s {
    ngx_webrtc_ingest_t              in;
    ngx_webrtc_desc_t                desc;
    ngx_webrtc_policy_t              policy;
    ngx_webrtc_peer_stat_t           stat;
    ngx_webrtc_legs_t                legs;

    ngx_webrtc_rtp_source_socket_t   sockets[2 * NGX_WEBRTC_LEGS];
    ngx_uint_t                       nsockets;
    ngx_webrtc_rtp_source_leg_t      leg[NGX_WEBRTC_LEGS];

    ngx_webrtc_rtp_source_failed_pt  failed;
    void                            *data;
    ngx_event_t                      end;     /* posted: failed() */
    const char                      *reason;

    ngx_str_t                        name;    /* of the stream */
    u_char                           name_buf[NGX_WEBRTC_NAME_MAX + 1];
    u_char                           cname[NGX_WEBRTC_RTP_SOURCE_CNAME + 1];
    ngx_log_t                        log;
    uint64_t                         opened_us;
    uint64_t                         heard_us;
    unsigned                         complained:1;
    unsigned                         nothing:1;   /* was complained of */
};


static void ngx_webrtc_rtp_source_init(ngx_webrtc_rtp_source_t *rs,
    const char *what);
static ngx_int_t ngx_webrtc_rtp_source_sockets(ngx_webrtc_rtp_source_t *rs,
    const char **cause, ngx_err_t *err);
static ngx_webrtc_rtp_source_socket_t *ngx_webrtc_rtp_source_socket(
    ngx_webrtc_rtp_source_t *rs, in_port_t port, const char **cause,
    ngx_err_t *err);
static void ngx_webrtc_rtp_source_free(ngx_webrtc_rtp_source_t *rs);
static u_char *ngx_webrtc_rtp_source_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_rtp_source_read(ngx_event_t *rev);
static void ngx_webrtc_rtp_source_input(ngx_webrtc_rtp_source_socket_t *s,
    u_char *p, size_t n, ngx_webrtc_addr_t *from, uint64_t now_us);
static void ngx_webrtc_rtp_source_rtp(ngx_webrtc_rtp_source_socket_t *s,
    u_char *p, size_t n, ngx_webrtc_addr_t *from, uint64_t now_us);
static ngx_int_t ngx_webrtc_rtp_source_pin(ngx_webrtc_rtp_source_leg_t *leg,
    ngx_webrtc_rtp_source_t *rs, ngx_webrtc_addr_t *from, uint64_t now_us);
static void ngx_webrtc_rtp_source_rtcp(ngx_webrtc_rtp_source_socket_t *s,
    u_char *p, size_t n, ngx_webrtc_addr_t *from, uint64_t now_us);
static void ngx_webrtc_rtp_source_bye(ngx_webrtc_rtp_source_t *rs,
    ngx_webrtc_rtcp_t *rtcp);
static ngx_uint_t ngx_webrtc_rtp_source_may(ngx_webrtc_rtp_source_t *rs,
    ngx_webrtc_addr_t *from);
static ngx_uint_t ngx_webrtc_rtp_source_same_host(ngx_webrtc_addr_t *a,
    ngx_webrtc_addr_t *b);
static void ngx_webrtc_rtp_source_drop(ngx_webrtc_rtp_source_t *rs,
    ngx_webrtc_drop_e reason, const char *what);
static void ngx_webrtc_rtp_source_timer(ngx_event_t *ev);
static void ngx_webrtc_rtp_source_end(ngx_event_t *ev);
static void ngx_webrtc_rtp_source_send(void *data, u_char *p, size_t n);
static void ngx_webrtc_rtp_source_news(void *data, ngx_webrtc_stream_t *st);
static void ngx_webrtc_rtp_source_complain(void *data, const char *what);
static void ngx_webrtc_rtp_source_cannot(void *data, const char *reason);


static const ngx_webrtc_ingest_ops_t  ngx_webrtc_rtp_source_ops = {
    ngx_webrtc_rtp_source_send,
    ngx_webrtc_rtp_source_news,
    ngx_webrtc_rtp_source_complain,
    ngx_webrtc_rtp_source_cannot
};


static const char *ngx_webrtc_rtp_source_names[NGX_WEBRTC_LEGS] = {
    "video", "audio"
};


/* one batch, of this process; a byte more shows what is too long */

static u_char  ngx_webrtc_rtp_source_bufs[NGX_WEBRTC_RTP_SOURCE_BATCH]
                                         [NGX_WEBRTC_UDP_MAX + 1];


ngx_webrtc_rtp_source_t *
ngx_webrtc_rtp_source_open(const ngx_webrtc_legs_t *legs, const char *what,
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_rtp_source_failed_pt failed, void *data, ngx_log_t *log,
    const char **cause, ngx_err_t *err)
{
    ngx_webrtc_rtp_source_t  *rs;

    *cause = "no memory";
    *err = 0;

    rs = ngx_calloc(sizeof(ngx_webrtc_rtp_source_t), log);
    if (rs == NULL) {
        return NULL;
    }

    rs->legs = *legs;
    rs->failed = failed;
    rs->data = data;
    rs->log = *log;
    rs->in.bus = bus;
    rs->in.st = st;

    ngx_webrtc_rtp_source_init(rs, what);

    if (ngx_webrtc_rtp_source_sockets(rs, cause, err) != NGX_OK) {
        ngx_webrtc_rtp_source_free(rs);
        return NULL;
    }

    rs->opened_us = ngx_webrtc_time_now();

    if (ngx_webrtc_ingest_begin(&rs->in, rs->opened_us) != NGX_OK) {
        *cause = "no memory for its tracks";
        ngx_webrtc_ingest_end(&rs->in);
        ngx_webrtc_rtp_source_free(rs);
        return NULL;
    }

    return rs;
}


static void
ngx_webrtc_rtp_source_init(ngx_webrtc_rtp_source_t *rs, const char *what)
{
    ngx_uint_t                i, n;
    ngx_webrtc_stream_pull_t  sp;

    rs->name.data = rs->name_buf;
    rs->name.len = rs->in.st->name_len;
    ngx_memcpy(rs->name_buf, rs->in.st->name, rs->name.len);

    rs->log.handler = ngx_webrtc_rtp_source_log_error;
    rs->log.data = rs;
    rs->log.action = NULL;

    ngx_webrtc_legs_desc(&rs->legs, &rs->desc);

    for (i = 0, n = 0; i < NGX_WEBRTC_LEGS; i++) {
        if (rs->legs.legs[i].codec) {
            rs->leg[i].media = &rs->desc.media[n++];
        }
    }

    rs->policy.keyframe_interval = NGX_WEBRTC_RTP_SOURCE_KEYFRAME;

    if (ngx_webrtc_bus_pull(rs->in.bus, rs->in.st, &sp) == NGX_OK
        && sp.transcode)
    {
        rs->policy.transcode = NGX_WEBRTC_TRANSCODE_AUTO;
    }

    (void) ngx_sprintf(rs->cname, "%08xD", (uint32_t) ngx_random());

    rs->in.ops = &ngx_webrtc_rtp_source_ops;
    rs->in.data = rs;
    rs->in.what = what;
    rs->in.desc = &rs->desc;
    rs->in.policy = &rs->policy;
    rs->in.stat = &rs->stat;
    rs->in.log = &rs->log;
    rs->in.cname = rs->cname;
    rs->in.cname_len = NGX_WEBRTC_RTP_SOURCE_CNAME;

    rs->in.timer.handler = ngx_webrtc_rtp_source_timer;
    rs->in.timer.data = rs;
    rs->in.timer.log = &rs->log;

    rs->end.handler = ngx_webrtc_rtp_source_end;
    rs->end.data = rs;
    rs->end.log = &rs->log;
}


static ngx_int_t
ngx_webrtc_rtp_source_sockets(ngx_webrtc_rtp_source_t *rs, const char **cause,
    ngx_err_t *err)
{
    in_port_t                     port;
    ngx_uint_t                    i;
    ngx_webrtc_rtp_source_leg_t  *leg;

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &rs->leg[i];

        if (leg->media == NULL) {
            continue;
        }

        leg->socket = ngx_webrtc_rtp_source_socket(rs, rs->legs.legs[i].port,
                                                   cause, err);
        if (leg->socket == NULL) {
            return NGX_ERROR;
        }

        leg->socket->rtp = 1;
        leg->rtcp = leg->socket;
    }

    for (i = 0; i < NGX_WEBRTC_LEGS && !rs->legs.mux; i++) {
        leg = &rs->leg[i];

        if (leg->media == NULL) {
            continue;
        }

        port = rs->legs.legs[i].port + 1;

        leg->rtcp = ngx_webrtc_rtp_source_socket(rs, port, cause, err);
        if (leg->rtcp == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the one of that port, or a new one */

static ngx_webrtc_rtp_source_socket_t *
ngx_webrtc_rtp_source_socket(ngx_webrtc_rtp_source_t *rs, in_port_t port,
    const char **cause, ngx_err_t *err)
{
    int                              fd, size;
    ngx_uint_t                       i;
    ngx_webrtc_addr_t                addr;
    ngx_webrtc_rtp_source_socket_t  *s;

    for (i = 0; i < rs->nsockets; i++) {
        if (rs->sockets[i].port == port) {
            return &rs->sockets[i];
        }
    }

    addr = rs->legs.addr;
    ngx_inet_set_port(&addr.u.sa, port);

    *cause = "no descriptor, raise worker_rlimit_nofile";

    fd = socket(addr.u.sa.sa_family, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        *err = ngx_socket_errno;
        return NULL;
    }

    *cause = "its port cannot be had";

#if (NGX_HAVE_INET6)

    size = 1;

    if (addr.u.sa.sa_family == AF_INET6) {
        (void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &size, sizeof(int));
    }

#endif

    if (bind(fd, &addr.u.sa, addr.len) == -1) {
        *err = ngx_socket_errno;
        (void) close(fd);
        return NULL;
    }

    size = NGX_WEBRTC_RTP_SOURCE_RCVBUF;
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(int));

    s = &rs->sockets[rs->nsockets];

    *cause = "no free connection, raise worker_connections";
    *err = 0;

    s->connection = ngx_webrtc_media_socket_watch(fd, s,
                                                  ngx_webrtc_rtp_source_read,
                                                  &rs->log);
    if (s->connection == NULL) {
        (void) close(fd);
        return NULL;
    }

    s->rs = rs;
    s->port = port;
    rs->nsockets++;

    return s;
}


void
ngx_webrtc_rtp_source_close(ngx_webrtc_rtp_source_t *rs)
{
    ngx_webrtc_ingest_end(&rs->in);

    if (ngx_webrtc_bus_state(rs->in.st) != NGX_WEBRTC_STREAM_INACTIVE) {
        ngx_webrtc_bus_set_state(rs->in.bus, rs->in.st,
                                 NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }

    ngx_webrtc_rtp_source_free(rs);
}


static void
ngx_webrtc_rtp_source_free(ngx_webrtc_rtp_source_t *rs)
{
    ngx_uint_t  i;

    for (i = 0; i < rs->nsockets; i++) {
        ngx_close_connection(rs->sockets[i].connection);
    }

    if (rs->end.posted) {
        ngx_delete_posted_event(&rs->end);
    }

    ngx_free(rs);
}


void
ngx_webrtc_rtp_source_keyframe(ngx_webrtc_rtp_source_t *rs)
{
    ngx_webrtc_ingest_feedback_keyframe(&rs->in, rs->in.st);
}


uint64_t
ngx_webrtc_rtp_source_heard(ngx_webrtc_rtp_source_t *rs)
{
    return rs->heard_us;
}


static u_char *
ngx_webrtc_rtp_source_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_rtp_source_t  *rs;

    rs = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\"", &rs->name);
}


static void
ngx_webrtc_rtp_source_read(ngx_event_t *rev)
{
    int                              n, i;
    size_t                           len;
    uint64_t                         now_us;
    ngx_uint_t                       turn;
    ngx_connection_t                *c;
    ngx_webrtc_addr_t                from;
    ngx_webrtc_rtp_source_socket_t  *s;
    struct iovec                     iov[NGX_WEBRTC_RTP_SOURCE_BATCH];
    struct mmsghdr                   msgs[NGX_WEBRTC_RTP_SOURCE_BATCH];
    struct sockaddr_storage          sas[NGX_WEBRTC_RTP_SOURCE_BATCH];

    c = rev->data;
    s = c->data;

    for (turn = 0; turn < NGX_WEBRTC_RTP_SOURCE_TURN; turn++) {

        ngx_memzero(msgs, sizeof(msgs));

        for (i = 0; i < NGX_WEBRTC_RTP_SOURCE_BATCH; i++) {
            iov[i].iov_base = ngx_webrtc_rtp_source_bufs[i];
            iov[i].iov_len = NGX_WEBRTC_UDP_MAX + 1;

            msgs[i].msg_hdr.msg_iov = &iov[i];
            msgs[i].msg_hdr.msg_iovlen = 1;
            msgs[i].msg_hdr.msg_name = &sas[i];
            msgs[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_storage);
        }

        n = recvmmsg(c->fd, msgs, NGX_WEBRTC_RTP_SOURCE_BATCH, MSG_DONTWAIT,
                     NULL);

        if (n <= 0) {
            rev->ready = 0;
            break;
        }

        now_us = ngx_webrtc_time_now();

        for (i = 0; i < n; i++) {

            len = msgs[i].msg_len;

            if (len > NGX_WEBRTC_UDP_MAX
                || ngx_webrtc_addr_set(&from, (struct sockaddr *) &sas[i],
                                       msgs[i].msg_hdr.msg_namelen)
                   != NGX_OK)
            {
                ngx_webrtc_rtp_source_drop(s->rs, NGX_WEBRTC_DROP_LIMIT,
                                           "datagram too long");
                continue;
            }

            ngx_webrtc_rtp_source_input(s, ngx_webrtc_rtp_source_bufs[i], len,
                                        &from, now_us);
        }
    }

    ngx_webrtc_ingest_ring_flush(&s->rs->in);

    if (turn == NGX_WEBRTC_RTP_SOURCE_TURN) {
        ngx_post_event(rev, &ngx_posted_next_events);
        return;
    }

    (void) ngx_handle_read_event(rev, 0);
}


static void
ngx_webrtc_rtp_source_input(ngx_webrtc_rtp_source_socket_t *s, u_char *p,
    size_t n, ngx_webrtc_addr_t *from, uint64_t now_us)
{
    if (!ngx_webrtc_rtp_source_may(s->rs, from)) {
        ngx_webrtc_rtp_source_drop(s->rs, NGX_WEBRTC_DROP_UNKNOWN,
                                   "datagram of a sender that \"from=\" has "
                                   "not");
        return;
    }

    switch (ngx_webrtc_rtp_classify(p, n)) {

    case NGX_WEBRTC_DATAGRAM_RTP:
        ngx_webrtc_rtp_source_rtp(s, p, n, from, now_us);
        return;

    case NGX_WEBRTC_DATAGRAM_RTCP:
        ngx_webrtc_rtp_source_rtcp(s, p, n, from, now_us);
        return;

    default:
        ngx_webrtc_rtp_source_drop(s->rs, NGX_WEBRTC_DROP_OTHER,
                                   "datagram that is not rtp");
    }
}


static void
ngx_webrtc_rtp_source_rtp(ngx_webrtc_rtp_source_socket_t *s, u_char *p,
    size_t n, ngx_webrtc_addr_t *from, uint64_t now_us)
{
    ngx_uint_t                    i;
    ngx_webrtc_rtp_t              rtp;
    ngx_webrtc_rtp_source_t      *rs;
    ngx_webrtc_rtp_source_leg_t  *leg;

    rs = s->rs;

    if (ngx_webrtc_rtp_parse(p, p + n, &rtp) != NGX_OK) {
        ngx_webrtc_rtp_source_drop(rs, NGX_WEBRTC_DROP_RTP, "malformed rtp");
        return;
    }

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &rs->leg[i];

        if (leg->media && leg->socket == s && leg->media->pt == rtp.pt) {
            break;
        }
    }

    if (i == NGX_WEBRTC_LEGS) {
        ngx_webrtc_rtp_source_drop(rs, NGX_WEBRTC_DROP_RTP,
                                   "rtp of another payload type");
        return;
    }

    leg = &rs->leg[i];

    if (ngx_webrtc_rtp_source_pin(leg, rs, from, now_us) != NGX_OK) {
        ngx_webrtc_rtp_source_drop(rs, NGX_WEBRTC_DROP_UNKNOWN,
                                   "rtp of another sender");
        return;
    }

    ngx_webrtc_ingest_rtp(&rs->in, &rtp, n, now_us);
}


/* NGX_OK: it is the leg's sender; NGX_DECLINED: another one is */

static ngx_int_t
ngx_webrtc_rtp_source_pin(ngx_webrtc_rtp_source_leg_t *leg,
    ngx_webrtc_rtp_source_t *rs, ngx_webrtc_addr_t *from, uint64_t now_us)
{
    in_port_t  port;
    ngx_str_t  text;
    u_char     buf[NGX_SOCKADDR_STRLEN];

    if (leg->sender.len) {

        if (ngx_webrtc_addr_cmp(&leg->sender, from) == 0) {
            leg->heard_us = now_us;
            rs->heard_us = now_us;
            return NGX_OK;
        }

        if (now_us - leg->heard_us <= NGX_WEBRTC_RTP_SOURCE_RELEASE) {
            return NGX_DECLINED;
        }
    }

    leg->sender = *from;
    leg->heard_us = now_us;
    leg->to = *from;
    rs->heard_us = now_us;

    if (!rs->legs.mux) {
        port = ngx_inet_get_port(&from->u.sa);
        ngx_inet_set_port(&leg->to.u.sa, (port < 65535) ? port + 1 : port);
    }

    text.data = buf;
    text.len = ngx_sock_ntop(&from->u.sa, from->len, buf, sizeof(buf), 1);

    ngx_log_error(NGX_LOG_INFO, &rs->log, 0,
                  "webrtc %s sender leg:%s from:%V", rs->in.what,
                  ngx_webrtc_rtp_source_names[leg - rs->leg], &text);

    return NGX_OK;
}


static void
ngx_webrtc_rtp_source_rtcp(ngx_webrtc_rtp_source_socket_t *s, u_char *p,
    size_t n, ngx_webrtc_addr_t *from, uint64_t now_us)
{
    u_char                       *end;
    ngx_uint_t                    i, known;
    ngx_webrtc_rtcp_t             rtcp;
    ngx_webrtc_rtp_source_t      *rs;
    ngx_webrtc_rtp_source_leg_t  *leg;

    rs = s->rs;
    known = 0;

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &rs->leg[i];

        if (leg->media == NULL || leg->sender.len == 0
            || !ngx_webrtc_rtp_source_same_host(&leg->sender, from))
        {
            continue;
        }

        known = 1;

        if (leg->rtcp == s || leg->socket == s) {
            leg->to = *from;
            leg->rtcp = s;
        }
    }

    if (!known) {
        ngx_webrtc_rtp_source_drop(rs, NGX_WEBRTC_DROP_UNKNOWN,
                                   "rtcp of another sender");
        return;
    }

    end = p + n;

    if (ngx_webrtc_rtcp_check(p, end) != NGX_OK) {
        ngx_webrtc_rtp_source_drop(rs, NGX_WEBRTC_DROP_RTCP, "malformed rtcp");
        return;
    }

    while ((p = ngx_webrtc_rtcp_next(p, end, &rtcp)) != NULL) {

        if (rtcp.type == NGX_WEBRTC_RTCP_BYE) {
            ngx_webrtc_rtp_source_bye(rs, &rtcp);
            continue;
        }

        ngx_webrtc_ingest_feedback_rtcp(&rs->in, &rtcp, now_us);
    }
}


/* RFC 3550, 6.6: whoever leaves makes room for another one */

static void
ngx_webrtc_rtp_source_bye(ngx_webrtc_rtp_source_t *rs,
    ngx_webrtc_rtcp_t *rtcp)
{
    u_char      *p, *end;
    uint32_t     ssrc;
    ngx_uint_t   i, n, k;

    p = rtcp->body;
    end = p + rtcp->len;

    for (n = 0; n < rtcp->count; n++) {

        p = ngx_webrtc_read_u32(p, end, &ssrc);
        if (p == NULL) {
            return;
        }

        for (i = 0; i < rs->in.ntracks; i++) {

            if (rs->in.tracks[i].ssrc != ssrc || ssrc == 0) {
                continue;
            }

            for (k = 0; k < NGX_WEBRTC_LEGS; k++) {
                if (rs->leg[k].media == rs->in.tracks[i].media) {
                    rs->leg[k].sender.len = 0;
                }
            }
        }
    }
}


/* "from=" */

static ngx_uint_t
ngx_webrtc_rtp_source_may(ngx_webrtc_rtp_source_t *rs, ngx_webrtc_addr_t *from)
{
    ngx_cidr_t  *cidr;

#if (NGX_HAVE_INET6)

    u_char      *p;
    ngx_uint_t   i;

#endif

    cidr = &rs->legs.from;

    if (cidr->family == 0) {
        return 1;
    }

    if (cidr->family != from->u.sa.sa_family) {
        return 0;
    }

#if (NGX_HAVE_INET6)

    if (cidr->family == AF_INET6) {
        p = from->u.in6.sin6_addr.s6_addr;

        for (i = 0; i < 16; i++) {
            if ((p[i] & cidr->u.in6.mask.s6_addr[i])
                != cidr->u.in6.addr.s6_addr[i])
            {
                return 0;
            }
        }

        return 1;
    }

#endif

    return (from->u.in.sin_addr.s_addr & cidr->u.in.mask) == cidr->u.in.addr;
}


static ngx_uint_t
ngx_webrtc_rtp_source_same_host(ngx_webrtc_addr_t *a, ngx_webrtc_addr_t *b)
{
    return ngx_cmp_sockaddr(&a->u.sa, a->len, &b->u.sa, b->len, 0) == NGX_OK;
}


static void
ngx_webrtc_rtp_source_drop(ngx_webrtc_rtp_source_t *rs,
    ngx_webrtc_drop_e reason, const char *what)
{
    ngx_webrtc_bus_drop(rs->in.bus, reason);
    ngx_webrtc_rtp_source_complain(rs, what);
}


static void
ngx_webrtc_rtp_source_timer(ngx_event_t *ev)
{
    uint64_t                      now_us;
    ngx_uint_t                    i;
    ngx_webrtc_rtp_source_t      *rs;
    ngx_webrtc_rtp_source_leg_t  *leg;
    u_char                        text[NGX_WEBRTC_LEGS_TEXT];

    rs = ev->data;
    now_us = ngx_webrtc_time_now();

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &rs->leg[i];

        if (leg->sender.len
            && now_us - leg->heard_us > NGX_WEBRTC_RTP_SOURCE_RELEASE)
        {
            leg->sender.len = 0;

            ngx_log_error(NGX_LOG_INFO, &rs->log, 0,
                          "webrtc %s sender silent leg:%s", rs->in.what,
                          ngx_webrtc_rtp_source_names[i]);
        }
    }

    if (!rs->nothing && rs->heard_us == 0
        && now_us - rs->opened_us > NGX_WEBRTC_RTP_SOURCE_NOTHING)
    {
        rs->nothing = 1;

        i = ngx_webrtc_legs_print(&rs->legs, text, text + sizeof(text)) - text;

        ngx_webrtc_bus_complain(rs->in.bus, rs->in.st, NGX_LOG_ERR, &rs->log,
                                rs->in.what, "no RTP has come so far to %*s",
                                (size_t) i, text);
    }

    ngx_webrtc_ingest_due(&rs->in, now_us);
}


static void
ngx_webrtc_rtp_source_end(ngx_event_t *ev)
{
    ngx_webrtc_rtp_source_t  *rs;

    rs = ev->data;

    rs->failed(rs->data, rs->reason);
}


/* to each leg's sender; once, where both are the same */

static void
ngx_webrtc_rtp_source_send(void *data, u_char *p, size_t n)
{
    ngx_webrtc_rtp_source_t *rs = data;

    ngx_uint_t                    i;
    ngx_webrtc_rtp_source_leg_t  *leg, *first;

    first = NULL;

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &rs->leg[i];

        if (leg->sender.len == 0
            || (first && first->rtcp == leg->rtcp
                && ngx_webrtc_addr_cmp(&first->to, &leg->to) == 0))
        {
            continue;
        }

        /* what cannot be sent is lost, as on a network */

        (void) sendto(leg->rtcp->connection->fd, p, n,
                      MSG_DONTWAIT|MSG_NOSIGNAL, &leg->to.u.sa, leg->to.len);

        first = leg;
    }
}


static void
ngx_webrtc_rtp_source_news(void *data, ngx_webrtc_stream_t *st)
{
    ngx_webrtc_rtp_source_t *rs = data;

    ngx_webrtc_bus_wake(rs->in.bus, st);
}


static void
ngx_webrtc_rtp_source_complain(void *data, const char *what)
{
    ngx_webrtc_rtp_source_t *rs = data;

    if (rs->complained) {
        return;
    }

    rs->complained = 1;

    ngx_log_error(NGX_LOG_INFO, &rs->log, 0, "webrtc %s peer error: %s",
                  rs->in.what, what);
}


static void
ngx_webrtc_rtp_source_cannot(void *data, const char *reason)
{
    ngx_webrtc_rtp_source_t *rs = data;

    rs->reason = reason;

    if (!rs->end.posted) {
        ngx_post_event(&rs->end, &ngx_posted_events);
    }
}
