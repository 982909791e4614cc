
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTSP for connections of publishers (ngx_http_webrtc_ingest_tcp.h).  The
 * dialogue is ngx_webrtc_rtsp_server.c, which takes bytes and gives bytes;
 * packets go to the media process as frames: two bytes of length, and so many
 * bytes.  The first one is a description (ngx_webrtc_source_packets.h).
 */


#include "ngx_http_webrtc_rtsp.h"
#include "ngx_http_webrtc_ingest_tcp.h"
#include "ngx_http_webrtc_rtsp_udp.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_rtsp_server.h"
#include "ngx_webrtc_uri.h"


/* bytes of a client's name and host, beyond which they are cut */
#define NGX_HTTP_WEBRTC_RTSP_NAME  128

/* the other way to give a token */
#define NGX_HTTP_WEBRTC_RTSP_PASSWORD                                         \
    "WWW-Authenticate: Basic realm=\"token\"\r\n"


typedef struct {
    ngx_http_webrtc_ingest_tcp_t  *tc;
    ngx_http_webrtc_ingest_ask_t   ask;
    ngx_http_webrtc_rtsp_udp_t    *udp[NGX_WEBRTC_RTSP_TRACKS];
    in_port_t                      ports[NGX_WEBRTC_RTSP_TRACKS];
    ngx_webrtc_rtsp_server_t       server;
} ngx_http_webrtc_rtsp_t;


static ngx_int_t ngx_http_webrtc_rtsp_init(ngx_http_webrtc_ingest_tcp_t *tc);
static ngx_int_t ngx_http_webrtc_rtsp_read(ngx_http_webrtc_ingest_tcp_t *tc,
    u_char **p, u_char *last);
static void ngx_http_webrtc_rtsp_accept(ngx_http_webrtc_ingest_tcp_t *tc);
static ngx_int_t ngx_http_webrtc_rtsp_refuse(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *reason);
static ngx_int_t ngx_http_webrtc_rtsp_challenge(
    ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_rtsp_end(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *reason);
static void ngx_http_webrtc_rtsp_free(ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_rtsp_resume(ngx_http_webrtc_ingest_tcp_t *tc);
static void ngx_http_webrtc_rtsp_announce(void *data,
    const ngx_webrtc_rtsp_message_t *m);
static void ngx_http_webrtc_rtsp_uri(ngx_http_webrtc_rtsp_t *rs,
    ngx_str_t *path);
static ngx_uint_t ngx_http_webrtc_rtsp_is_app(ngx_str_t *only,
    ngx_str_t *path);
static void ngx_http_webrtc_rtsp_record(void *data, u_char *sdp, size_t len);
static ngx_int_t ngx_http_webrtc_rtsp_media(void *data, u_char *p, size_t len);
static ngx_int_t ngx_http_webrtc_rtsp_ports(void *data, ngx_uint_t track,
    ngx_uint_t from, in_port_t *port);
static void ngx_http_webrtc_rtsp_datagram(void *data, ngx_uint_t track,
    ngx_uint_t rtcp, u_char *p, size_t n);


static const ngx_webrtc_rtsp_server_ops_t  ngx_http_webrtc_rtsp_ops = {
    ngx_http_webrtc_rtsp_announce,
    ngx_http_webrtc_rtsp_record,
    ngx_http_webrtc_rtsp_media,
    ngx_http_webrtc_rtsp_ports,
    ngx_http_webrtc_ingest_tcp_grow
};


static const ngx_http_webrtc_ingest_tcp_protocol_t  ngx_http_webrtc_rtsp = {
    "rtsp",
    "not valid RTSP",
    "sdp",
    NGX_WEBRTC_PROTOCOL_RTSP,
    ngx_http_webrtc_rtsp_init,
    ngx_http_webrtc_rtsp_read,
    ngx_http_webrtc_rtsp_accept,
    ngx_http_webrtc_rtsp_refuse,
    ngx_http_webrtc_rtsp_end,
    ngx_http_webrtc_rtsp_free,
    ngx_http_webrtc_rtsp_resume
};


void
ngx_http_webrtc_rtsp_accepted(ngx_connection_t *c)
{
    ngx_http_webrtc_ingest_tcp_accepted(c, &ngx_http_webrtc_rtsp);
}


static ngx_int_t
ngx_http_webrtc_rtsp_init(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_http_webrtc_rtsp_t      *rs;
    ngx_http_core_srv_conf_t    *cscf;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    rs = ngx_pcalloc(tc->connection->pool, sizeof(ngx_http_webrtc_rtsp_t));
    if (rs == NULL) {
        return NGX_ERROR;
    }

    cscf = tc->conf->cscf;
    wlcf = cscf->ctx->loc_conf[ngx_http_webrtc_module.ctx_index];

    rs->tc = tc;
    tc->data = rs;
    tc->out = rs->server.out;
    tc->nout = &rs->server.nout;

    /* no secret: it is not known on any other connection */

    (void) ngx_sprintf(rs->server.session, "%08XD%08XD",
                       (uint32_t) ngx_random(), (uint32_t) ngx_random());

    rs->server.max_sdp = wlcf->max_sdp;
    rs->server.timeout = (ngx_uint_t) ngx_max(cscf->client_header_timeout
                                              / 1000, 1);

#if (NGX_HTTP_SSL)

    /* what is private stays so */

    rs->server.tcp = (tc->conf->ssl != NULL);

#endif

    ngx_webrtc_rtsp_server_init(&rs->server, &ngx_http_webrtc_rtsp_ops, rs);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_rtsp_read(ngx_http_webrtc_ingest_tcp_t *tc, u_char **p,
    u_char *last)
{
    ngx_int_t                rc;
    ngx_http_webrtc_rtsp_t  *rs;

    rs = tc->data;

    rc = ngx_webrtc_rtsp_server_read(&rs->server, p, last);

    if (rc == NGX_DECLINED) {
        tc->cause = rs->server.cause;
    }

    return rc;
}


/* media follows RECORD, for which there is as much time as before */

static void
ngx_http_webrtc_rtsp_accept(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_http_webrtc_rtsp_t  *rs;

    rs = tc->data;

    rs->server.timeout = (ngx_uint_t)
                         ngx_max(tc->in->peer->policy.timeout / 1000, 1);

    ngx_webrtc_rtsp_server_accept(&rs->server);
}


static ngx_int_t
ngx_http_webrtc_rtsp_refuse(ngx_http_webrtc_ingest_tcp_t *tc,
    ngx_str_t *reason)
{
    u_char                  *p, *last;
    ngx_str_t                words;
    ngx_uint_t               status;
    ngx_http_webrtc_rtsp_t  *rs;

    rs = tc->data;

    /* without a request: a name that leads elsewhere, or no memory */

    status = tc->in ? tc->in->status
                    : rs->ask.uri.data ? NGX_HTTP_NOT_FOUND
                                       : NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (status == NGX_HTTP_UNAUTHORIZED) {
        return ngx_http_webrtc_rtsp_challenge(tc);
    }

    /* where a location leads elsewhere, or has nothing to say */

    if (status < NGX_HTTP_BAD_REQUEST) {
        status = NGX_HTTP_FORBIDDEN;
    }

    /* the words alone: the status stands in front of them */

    p = reason->data;
    last = p + reason->len;

    while (p < last && *p >= '0' && *p <= '9') {
        p++;
    }

    while (p < last && *p == ' ') {
        p++;
    }

    words.data = p;
    words.len = last - p;

    ngx_webrtc_rtsp_server_refuse(&rs->server, status,
                                  words.len ? &words : NULL);

    return NGX_OK;
}


/*
 * What "auth_basic" and others want to know is handed on.  Where that is a
 * token, which clients of RTSP have no name for, it may be the password.
 */

static ngx_int_t
ngx_http_webrtc_rtsp_challenge(ngx_http_webrtc_ingest_tcp_t *tc)
{
    u_char                  *p, *last, *pos;
    ngx_str_t                value, fields;
    ngx_http_webrtc_rtsp_t  *rs;
    ngx_uint_t               token, password;
    u_char                   buf[NGX_WEBRTC_RTSP_CHALLENGE];

    rs = tc->data;
    p = buf;
    last = buf + sizeof(buf) - sizeof(NGX_HTTP_WEBRTC_RTSP_PASSWORD);
    pos = NULL;
    token = 0;
    password = 0;

    while (ngx_http_webrtc_ingest_header(tc->in, "www-authenticate:", &pos,
                                         &value)
           == NGX_OK)
    {
        if (value.len + sizeof("WWW-Authenticate: \r\n") > (size_t) (last - p))
        {
            break;
        }

        p = ngx_sprintf(p, "WWW-Authenticate: %V\r\n", &value);

        token |= (ngx_strncasecmp(value.data, (u_char *) "bearer", 6) == 0);
        password |= (ngx_strncasecmp(value.data, (u_char *) "basic", 5) == 0);
    }

    if (token && !password) {
        p = ngx_cpymem(p, NGX_HTTP_WEBRTC_RTSP_PASSWORD,
                       sizeof(NGX_HTTP_WEBRTC_RTSP_PASSWORD) - 1);
    }

    fields.data = buf;
    fields.len = p - buf;

    return (ngx_webrtc_rtsp_server_again(&rs->server, &fields) == NGX_OK)
           ? NGX_AGAIN : NGX_OK;
}


/* RTSP has no words for that: the connection's end says it */

static void
ngx_http_webrtc_rtsp_end(ngx_http_webrtc_ingest_tcp_t *tc, ngx_str_t *reason)
{
    ngx_http_webrtc_rtsp_t  *rs;

    rs = tc->data;

    ngx_webrtc_rtsp_server_refuse(&rs->server, NGX_HTTP_SERVICE_UNAVAILABLE,
                                  reason);
}


static void
ngx_http_webrtc_rtsp_free(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_uint_t               i;
    ngx_http_webrtc_rtsp_t  *rs;

    rs = tc->data;

    for (i = 0; i < NGX_WEBRTC_RTSP_TRACKS; i++) {
        if (rs->udp[i]) {
            ngx_http_webrtc_rtsp_udp_close(rs->udp[i]);
        }
    }

    ngx_webrtc_rtsp_server_free(&rs->server);
}


static void
ngx_http_webrtc_rtsp_resume(ngx_http_webrtc_ingest_tcp_t *tc)
{
    ngx_uint_t               i;
    ngx_http_webrtc_rtsp_t  *rs;

    rs = tc->data;

    for (i = 0; i < NGX_WEBRTC_RTSP_TRACKS; i++) {
        if (rs->udp[i]) {
            ngx_http_webrtc_rtsp_udp_resume(rs->udp[i]);
        }
    }
}


static void
ngx_http_webrtc_rtsp_announce(void *data, const ngx_webrtc_rtsp_message_t *m)
{
    ngx_http_webrtc_rtsp_t *rs = data;

    ngx_str_t                      uri, host, path, agent, authorization;
    ngx_http_webrtc_ingest_tcp_t  *tc;

    tc = rs->tc;
    uri = m->uri;
    agent = m->agent;
    authorization = m->authorization;

    ngx_webrtc_rtsp_message_url(&uri, &host, &path);

    host.len = ngx_min(host.len, NGX_HTTP_WEBRTC_RTSP_NAME);
    agent.len = ngx_min(agent.len, NGX_HTTP_WEBRTC_RTSP_NAME);

    ngx_http_webrtc_ingest_tcp_copy(tc, &rs->ask.host, &host);
    ngx_http_webrtc_ingest_tcp_copy(tc, &rs->ask.agent, &agent);
    ngx_http_webrtc_ingest_tcp_copy(tc, &rs->ask.authorization,
                                    &authorization);

    ngx_http_webrtc_rtsp_uri(rs, &path);

    ngx_http_webrtc_ingest_tcp_ask(tc, &rs->ask);
}


static void
ngx_http_webrtc_rtsp_uri(ngx_http_webrtc_rtsp_t *rs, ngx_str_t *path)
{
    u_char                        *p;
    ngx_str_t                     *uri, none;
    ngx_http_webrtc_ingest_tcp_t  *tc;

    tc = rs->tc;
    uri = &rs->ask.uri;

    uri->len = 0;
    uri->data = ngx_pnalloc(tc->connection->pool, path->len + 2);

    if (uri->data == NULL) {
        return;
    }

    if (!ngx_http_webrtc_rtsp_is_app(&tc->conf->app, path)) {
        tc->cause = "its path is not in the configured one";
        return;
    }

    ngx_str_null(&none);

    p = ngx_webrtc_uri(uri->data, &none, path);
    uri->len = p ? (size_t) (p - uri->data) : 0;
}


static ngx_uint_t
ngx_http_webrtc_rtsp_is_app(ngx_str_t *only, ngx_str_t *path)
{
    u_char  *p, *last;

    if (only->len == 0) {
        return 1;
    }

    last = path->data + path->len;

    for (p = path->data; p < last && *p == '/'; p++) { /* void */ }

    return (size_t) (last - p) > only->len
           && ngx_memcmp(p, only->data, only->len) == 0
           && p[only->len] == '/';
}


static void
ngx_http_webrtc_rtsp_record(void *data, u_char *sdp, size_t len)
{
    ngx_http_webrtc_rtsp_t *rs = data;

    rs->tc->flows = 1;

    (void) ngx_http_webrtc_rtsp_media(rs, sdp, len);
}


static ngx_int_t
ngx_http_webrtc_rtsp_media(void *data, u_char *p, size_t len)
{
    ngx_http_webrtc_rtsp_t *rs = data;

    u_char        head[2];
    struct iovec  iov[2];

    (void) ngx_webrtc_write_u16(head, head + sizeof(head), (uint16_t) len);

    iov[0].iov_base = head;
    iov[0].iov_len = sizeof(head);
    iov[1].iov_base = p;
    iov[1].iov_len = len;

    return ngx_http_webrtc_ingest_tcp_send(rs->tc, iov, 2);
}


/* those of a track that is set up again are the same */

static ngx_int_t
ngx_http_webrtc_rtsp_ports(void *data, ngx_uint_t track, ngx_uint_t from,
    in_port_t *port)
{
    ngx_http_webrtc_rtsp_t *rs = data;

    ngx_http_webrtc_rtsp_udp_conf_t  conf;

    if (rs->udp[track] == NULL) {
        conf.track = track;
        conf.pt = rs->server.tracks[track].pt;
        conf.video = ((rs->server.tracks[track].media.data[0] | 0x20) == 'v');
        conf.from = (in_port_t) from;
        conf.handler = ngx_http_webrtc_rtsp_datagram;
        conf.data = rs;

        rs->udp[track] = ngx_http_webrtc_rtsp_udp_open(rs->tc, &conf,
                                                       &rs->ports[track]);
    }

    *port = rs->ports[track];

    return rs->udp[track] ? NGX_OK : NGX_DECLINED;
}


static void
ngx_http_webrtc_rtsp_datagram(void *data, ngx_uint_t track, ngx_uint_t rtcp,
    u_char *p, size_t n)
{
    ngx_http_webrtc_rtsp_t *rs = data;

    ngx_webrtc_rtsp_server_datagram(&rs->server, track, rtcp, p, n);
}
