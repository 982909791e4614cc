
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The request of a publisher of another protocol: made, and its response read.
 * What is done when it is taken is in ngx_http_webrtc_ingest_publish.c.
 */


#include "ngx_http_webrtc_ingest.h"
#include "ngx_http_webrtc_call.h"


/* chosen: as nginx's own for HTTP */
#define NGX_HTTP_WEBRTC_INGEST_POOL  512


static ngx_connection_t *ngx_http_webrtc_ingest_pair(
    ngx_http_webrtc_ingest_t *in, ngx_connection_t *c, ngx_socket_t fd);
static void ngx_http_webrtc_ingest_listening(ngx_http_webrtc_ingest_t *in,
    ngx_http_webrtc_ingest_conf_t *conf, ngx_connection_t *c);
static ngx_int_t ngx_http_webrtc_ingest_request(ngx_connection_t *ac,
    ngx_pool_t *pool, ngx_http_webrtc_ingest_ask_t *ask);
static void ngx_http_webrtc_ingest_text(ngx_str_t *s, const char *extra);
static ngx_uint_t ngx_http_webrtc_ingest_printable(ngx_str_t *s);
static void ngx_http_webrtc_ingest_mark(ngx_connection_t *c);
static void ngx_http_webrtc_ingest_gone(void *data);
static void ngx_http_webrtc_ingest_read(ngx_event_t *rev);
static void ngx_http_webrtc_ingest_write(ngx_event_t *wev);
static void ngx_http_webrtc_ingest_refused(ngx_http_webrtc_ingest_t *in);
static u_char *ngx_http_webrtc_ingest_print(ngx_http_webrtc_ingest_t *in,
    u_char *p, u_char *last, const char *name);
static ngx_int_t ngx_http_webrtc_ingest_access(ngx_http_request_t *r);


ngx_http_webrtc_ingest_t *
ngx_http_webrtc_ingest_create(ngx_connection_t *c,
    const ngx_http_webrtc_ingest_ops_t *ops, void *data)
{
    ngx_http_webrtc_ingest_t  *in;

    in = ngx_calloc(sizeof(ngx_http_webrtc_ingest_t), c->log);
    if (in == NULL) {
        return NULL;
    }

    in->ops = ops;
    in->data = data;
    in->log = ngx_cycle->log;
    in->paced_since = ngx_current_msec;

    if (c->socklen <= sizeof(in->from.u)) {
        in->from.len = c->socklen;
        ngx_memcpy(&in->from.u, c->sockaddr, c->socklen);
    }

    return in;
}


void
ngx_http_webrtc_ingest_free(ngx_http_webrtc_ingest_t *in)
{
    if (in->data || in->http || in->source || in->st) {
        return;
    }

    ngx_http_webrtc_ingest_quiet(in);
    ngx_free(in);
}


void
ngx_http_webrtc_ingest_quiet(ngx_http_webrtc_ingest_t *in)
{
    if (in->answer) {
        ngx_close_connection(in->answer);
        in->answer = NULL;
    }
}


ngx_int_t
ngx_http_webrtc_ingest_ask(ngx_http_webrtc_ingest_t *in,
    ngx_http_webrtc_ingest_conf_t *conf, ngx_connection_t *c,
    ngx_http_webrtc_ingest_ask_t *ask)
{
    ngx_socket_t       fd[2];
    ngx_connection_t  *ac, *hc;

    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0, fd)
        == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, c->log, ngx_socket_errno,
                      "socketpair() failed");
        return NGX_ERROR;
    }

    ac = ngx_get_connection(fd[0], c->log);

    if (ac == NULL) {
        (void) ngx_close_socket(fd[0]);
        (void) ngx_close_socket(fd[1]);
        return NGX_ERROR;
    }

    ac->data = in;
    ac->recv = ngx_recv;
    ac->send = ngx_send;
    ac->log = in->log;
    ac->read->log = ac->log;
    ac->write->log = ac->log;
    ac->read->handler = ngx_http_webrtc_ingest_read;
    ac->write->handler = ngx_http_webrtc_ingest_write;
    ac->write->ready = 1;

    if (ngx_handle_read_event(ac->read, 0) != NGX_OK
        || ngx_http_webrtc_ingest_request(ac, c->pool, ask) != NGX_OK)
    {
        ngx_close_connection(ac);
        (void) ngx_close_socket(fd[1]);
        return NGX_ERROR;
    }

    ngx_http_webrtc_ingest_listening(in, conf, c);

    hc = ngx_http_webrtc_ingest_pair(in, c, fd[1]);

    if (hc == NULL) {
        ngx_close_connection(ac);
        return NGX_ERROR;
    }

    in->answer = ac;
    in->http = 1;

    /* it may be closed in there, which our end is told */

    ngx_http_init_connection(hc);

    return NGX_OK;
}


/* what nginx looks at of a socket that a connection was accepted from */

static void
ngx_http_webrtc_ingest_listening(ngx_http_webrtc_ingest_t *in,
    ngx_http_webrtc_ingest_conf_t *conf, ngx_connection_t *c)
{
    in->ls.handler = ngx_http_webrtc_ingest_mark;
    in->ls.sockaddr = c->local_sockaddr;
    in->ls.socklen = c->local_socklen;
    in->ls.addr_text = conf->addr.name;
    in->ls.servers = &in->port;

    in->port.naddrs = 1;
    in->port.addrs = &in->addr;
    in->addr.conf.default_server = conf->cscf;

#if (NGX_HAVE_INET6)

    if (c->local_sockaddr->sa_family == AF_INET6) {
        in->port.addrs = &in->addr6;
        in->addr6.conf.default_server = conf->cscf;
    }

#endif
}


/* as ngx_event_accept() makes one; fd is closed on failure */

static ngx_connection_t *
ngx_http_webrtc_ingest_pair(ngx_http_webrtc_ingest_t *in, ngx_connection_t *c,
    ngx_socket_t fd)
{
    ngx_log_t           *log;
    ngx_connection_t    *hc;
    ngx_pool_cleanup_t  *cln;

    hc = ngx_get_connection(fd, c->log);

    if (hc == NULL) {
        (void) ngx_close_socket(fd);
        return NULL;
    }

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, 1);
#endif

    hc->pool = ngx_create_pool(NGX_HTTP_WEBRTC_INGEST_POOL, in->log);

    if (hc->pool == NULL) {
        goto failed;
    }

    log = ngx_palloc(hc->pool, sizeof(ngx_log_t));
    hc->sockaddr = ngx_palloc(hc->pool, c->socklen);
    hc->local_sockaddr = ngx_palloc(hc->pool, c->local_socklen);
    hc->addr_text.data = ngx_pnalloc(hc->pool, ngx_max(c->addr_text.len, 1));
    cln = ngx_pool_cleanup_add(hc->pool, 0);

    if (log == NULL || hc->sockaddr == NULL || hc->local_sockaddr == NULL
        || hc->addr_text.data == NULL || cln == NULL)
    {
        goto failed;
    }

    cln->handler = ngx_http_webrtc_ingest_gone;
    cln->data = in;

    *log = ngx_cycle->new_log;
    log->data = NULL;
    log->handler = NULL;

    ngx_memcpy(hc->sockaddr, c->sockaddr, c->socklen);
    hc->socklen = c->socklen;
    ngx_memcpy(hc->local_sockaddr, c->local_sockaddr, c->local_socklen);
    hc->local_socklen = c->local_socklen;
    ngx_memcpy(hc->addr_text.data, c->addr_text.data, c->addr_text.len);
    hc->addr_text.len = c->addr_text.len;

    hc->type = SOCK_STREAM;
    hc->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;
    hc->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;
    hc->listening = &in->ls;
    hc->recv = ngx_recv;
    hc->send = ngx_send;
    hc->recv_chain = ngx_recv_chain;
    hc->send_chain = ngx_send_chain;
    hc->log = log;
    hc->pool->log = log;
    hc->read->log = log;
    hc->write->log = log;
    hc->write->ready = 1;
    hc->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    hc->start_time = ngx_current_msec;

    return hc;

failed:

    if (hc->pool) {
        ngx_destroy_pool(hc->pool);
    }

    ngx_close_connection(hc);

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    return NULL;
}


/* nginx parses it as any client's; a pair of sockets takes that much at once */

static ngx_int_t
ngx_http_webrtc_ingest_request(ngx_connection_t *ac, ngx_pool_t *pool,
    ngx_http_webrtc_ingest_ask_t *ask)
{
    u_char     *p, *buf;
    size_t      size;
    ngx_str_t   escaped;

    if (ngx_http_webrtc_call_escape(pool, &ask->uri, &escaped) != NGX_OK) {
        return NGX_ERROR;
    }

    /* in their place, as they are only read once */

    ngx_http_webrtc_ingest_text(&ask->host, ".-:[]");
    ngx_http_webrtc_ingest_text(&ask->agent, ".-:[]/(); ,_+");

    if (!ngx_http_webrtc_ingest_printable(&ask->authorization)) {
        ask->authorization.len = 0;
    }

    size = escaped.len + ask->host.len + ask->agent.len
           + ask->authorization.len
           + sizeof("POST  HTTP/1.0\r\nHost: \r\nUser-Agent: \r\n"
                    "Authorization: \r\nContent-Length: 0\r\n\r\n");

    buf = ngx_pnalloc(pool, size);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(buf, "POST %V HTTP/1.0\r\n", &escaped);

    if (ask->host.len) {
        p = ngx_sprintf(p, "Host: %V\r\n", &ask->host);
    }

    if (ask->agent.len) {
        p = ngx_sprintf(p, "User-Agent: %V\r\n", &ask->agent);
    }

    if (ask->authorization.len) {
        p = ngx_sprintf(p, "Authorization: %V\r\n", &ask->authorization);
    }

    p = ngx_sprintf(p, "Content-Length: 0\r\n\r\n");

    return (ac->send(ac, buf, p - buf) == p - buf) ? NGX_OK : NGX_ERROR;
}


/* up to the first byte that is no letter, no digit and not in extra */

static void
ngx_http_webrtc_ingest_text(ngx_str_t *s, const char *extra)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9') || (c && ngx_strchr(extra, c)))
        {
            continue;
        }

        break;
    }

    while (i && s->data[i - 1] == ' ') {
        i--;
    }

    s->len = i;
}


static ngx_uint_t
ngx_http_webrtc_ingest_printable(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < ' ' || s->data[i] >= 0x7f) {
            return 0;
        }
    }

    return 1;
}


/* never called: its address says whose connection it is */

static void
ngx_http_webrtc_ingest_mark(ngx_connection_t *c)
{
    ngx_close_connection(c);
}


ngx_http_webrtc_ingest_t *
ngx_http_webrtc_ingest_of(ngx_http_request_t *r)
{
    ngx_listening_t  *ls;

    ls = r->connection->listening;

    if (ls == NULL || ls->handler != ngx_http_webrtc_ingest_mark) {
        return NULL;
    }

    return ngx_queue_data(ls, ngx_http_webrtc_ingest_t, ls);
}


/* the request's connection has been closed */

static void
ngx_http_webrtc_ingest_gone(void *data)
{
    ngx_http_webrtc_ingest_t *in = data;

    in->http = 0;

    ngx_http_webrtc_ingest_free(in);
}


static void
ngx_http_webrtc_ingest_read(ngx_event_t *rev)
{
    ssize_t                    n;
    size_t                     room;
    ngx_connection_t          *ac;
    ngx_http_webrtc_ingest_t  *in;
    u_char                     rest[1024];

    ac = rev->data;
    in = ac->data;

    for ( ;; ) {
        room = sizeof(in->response) - in->nresponse;

        n = room ? ac->recv(ac, in->response + in->nresponse, room)
                 : ac->recv(ac, rest, sizeof(rest));

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(rev, 0) == NGX_OK) {
                return;
            }

            n = NGX_ERROR;
        }

        if (n <= 0) {
            break;
        }

        if (room) {
            in->nresponse += n;
        }
    }

    ngx_http_webrtc_ingest_quiet(in);
    ngx_http_webrtc_ingest_refused(in);
}


static void
ngx_http_webrtc_ingest_write(ngx_event_t *wev)
{
    /* void: the request has been sent */
}


/*
 * The response is whole.  Of a publisher that was accepted it is the end, and
 * is not waited for.
 */

static void
ngx_http_webrtc_ingest_refused(ngx_http_webrtc_ingest_t *in)
{
    u_char     *p, *last;
    ngx_int_t   status;
    ngx_str_t   reason;
    u_char      text[NGX_HTTP_WEBRTC_INGEST_REASON];

    if (in->data == NULL || in->told) {
        return;
    }

    in->told = 1;

    status = NGX_ERROR;

    if (in->nresponse > sizeof("HTTP/1.1 200") - 1) {
        status = ngx_atoi(in->response + sizeof("HTTP/1.1 ") - 1, 3);
    }

    p = text;
    last = text + sizeof(text);

    if (status == NGX_ERROR) {
        in->status = NGX_HTTP_INTERNAL_SERVER_ERROR;
        p = ngx_slprintf(p, last, "the server has not answered");

    } else {
        in->status = status;
        p = ngx_slprintf(p, last, "%i", status);

        p = ngx_http_webrtc_ingest_print(in, p, last, "\"title\":\"");
        p = ngx_http_webrtc_ingest_print(in, p, last, "\"detail\":\"");
    }

    reason.data = text;
    reason.len = p - text;

    in->ops->refused(in->data, &reason);
}


/* a member of the problem in the body, after a blank, without its escapes */

static u_char *
ngx_http_webrtc_ingest_print(ngx_http_webrtc_ingest_t *in, u_char *p,
    u_char *last, const char *name)
{
    size_t   n;
    u_char  *q, *end;

    n = ngx_strlen(name);
    end = in->response + in->nresponse;

    for (q = in->response; (size_t) (end - q) > n; q++) {
        if (ngx_memcmp(q, name, n) == 0) {
            break;
        }
    }

    if ((size_t) (end - q) <= n) {
        return p;
    }

    for (q += n, name = " "; q < end && *q != '"'; q++) {

        if (*q == '\\' && ++q == end) {
            break;
        }

        p = ngx_slprintf(p, last, "%s%c", name, *q);
        name = "";
    }

    return p;
}


const char *
ngx_http_webrtc_ingest_protocol(ngx_uint_t protocol)
{
    static const char  *names[] = { "webrtc", "rtmp", "srt", "rtsp" };

    return (protocol < sizeof(names) / sizeof(names[0])) ? names[protocol] : "";
}


ngx_int_t
ngx_http_webrtc_ingest_header(ngx_http_webrtc_ingest_t *in, const char *name,
    u_char **pos, ngx_str_t *value)
{
    size_t   n;
    u_char  *p, *last, *end;

    n = ngx_strlen(name);
    last = in->response + in->nresponse;

    for (p = *pos ? *pos : in->response; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, LF);

        if (end == NULL || end - p < 2) {
            break;
        }

        if ((size_t) (end - p) > n
            && ngx_strncasecmp(p, (u_char *) name, n) == 0)
        {
            value->data = p + n;
            value->len = end - 1 - value->data;

            while (value->len && value->data[0] == ' ') {
                value->data++;
                value->len--;
            }

            if (ngx_http_webrtc_ingest_printable(value)) {
                *pos = end + 1;
                return NGX_OK;
            }
        }
    }

    *pos = last;

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_webrtc_ingest_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_webrtc_ingest_access;

    return NGX_OK;
}


/*
 * What a location serves otherwise is for clients of HTTP, who may have had to
 * show a certificate to get there.
 */

static ngx_int_t
ngx_http_webrtc_ingest_access(ngx_http_request_t *r)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    /* an error page may be anything */

    if (r != r->main || r->err_status
        || ngx_http_webrtc_ingest_of(r) == NULL)
    {
        return NGX_DECLINED;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    return wlcf->publish ? NGX_DECLINED : NGX_HTTP_NOT_FOUND;
}
