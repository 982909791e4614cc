
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests of the module's own that are processed as any other: by all phases,
 * proxy_pass, njs, logs.  nginx needs a connection for that, so there is one: a
 * pair of unix sockets.  One end is an HTTP connection whose request has been
 * "read"; what comes out of the other end is its response.  The location may be
 * "internal".
 *
 * Nothing waits for a call.  Its time is limited by the location's own
 * time-outs, and by NGX_HTTP_WEBRTC_CALL_TIMEOUT.
 */


#include "ngx_http_webrtc_call.h"


/* calls of a worker under way, and waiting for their turn; chosen: an upstream
 * that hangs costs few connections, and a crowd that leaves at once fits */
#define NGX_HTTP_WEBRTC_CALLS          64
#define NGX_HTTP_WEBRTC_CALLS_WAITING  10000

/* ms; chosen: nginx's own time-outs of upstreams are 60 s */
#define NGX_HTTP_WEBRTC_CALL_TIMEOUT   65000

/* ms between two lines of dropped ones */
#define NGX_HTTP_WEBRTC_CALL_SAY       60000


typedef struct {
    ngx_queue_t                  queue;
    ngx_pool_t                  *pool;
    ngx_http_webrtc_loc_conf_t  *wlcf;
    ngx_str_t                    uri;
    ngx_http_webrtc_call_pt      handler;
    uint64_t                     data;
    ngx_connection_t            *connection;  /* where the response comes */
    u_char                       line[sizeof("HTTP/1.1 200") - 1];
    size_t                       n;           /* of line */
} ngx_http_webrtc_call_t;


static ngx_int_t ngx_http_webrtc_call_begin(ngx_http_webrtc_call_t *call);
static ngx_connection_t *ngx_http_webrtc_call_connection(ngx_socket_t fd,
    ngx_http_webrtc_loc_conf_t *wlcf);
static ngx_int_t ngx_http_webrtc_call_request(ngx_connection_t *c,
    ngx_http_webrtc_call_t *call);
static void ngx_http_webrtc_call_close(ngx_connection_t *c);
static u_char *ngx_http_webrtc_call_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_http_webrtc_call_read(ngx_event_t *rev);
static void ngx_http_webrtc_call_write(ngx_event_t *wev);
static void ngx_http_webrtc_call_end(ngx_http_webrtc_call_t *call,
    ngx_uint_t status);


static ngx_queue_t  ngx_http_webrtc_call_waiting;
static ngx_uint_t   ngx_http_webrtc_call_nwaiting;
static ngx_uint_t   ngx_http_webrtc_call_n;        /* under way */
static ngx_msec_t   ngx_http_webrtc_call_said;


ngx_int_t
ngx_http_webrtc_call(ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *uri,
    ngx_http_webrtc_call_pt handler, uint64_t data)
{
    ngx_pool_t              *pool;
    ngx_http_webrtc_call_t  *call;

    if (ngx_http_webrtc_call_nwaiting >= NGX_HTTP_WEBRTC_CALLS_WAITING) {

        if (ngx_http_webrtc_call_said == 0
            || ngx_current_msec - ngx_http_webrtc_call_said
               >= NGX_HTTP_WEBRTC_CALL_SAY)
        {
            ngx_http_webrtc_call_said = ngx_max(ngx_current_msec, 1);
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "webrtc hooks are too slow: %d wait, others are "
                          "dropped", NGX_HTTP_WEBRTC_CALLS_WAITING);
        }

        return NGX_DECLINED;
    }

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_DECLINED;
    }

    call = ngx_pcalloc(pool, sizeof(ngx_http_webrtc_call_t));

    if (call == NULL
        || ngx_http_webrtc_call_escape(pool, uri, &call->uri) != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NGX_DECLINED;
    }

    call->pool = pool;
    call->wlcf = wlcf;
    call->handler = handler;
    call->data = data;

    if (ngx_http_webrtc_call_waiting.next == NULL) {
        ngx_queue_init(&ngx_http_webrtc_call_waiting);
    }

    if (ngx_http_webrtc_call_n >= NGX_HTTP_WEBRTC_CALLS) {
        ngx_queue_insert_tail(&ngx_http_webrtc_call_waiting, &call->queue);
        ngx_http_webrtc_call_nwaiting++;
        return NGX_OK;
    }

    if (ngx_http_webrtc_call_begin(call) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_call_escape(ngx_pool_t *pool, ngx_str_t *from, ngx_str_t *to)
{
    u_char  *p;
    size_t   i;

    p = ngx_pnalloc(pool, 3 * from->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    to->data = p;

    for (i = 0; i < from->len; i++) {

        if (from->data[i] <= ' ' || from->data[i] >= 0x7f
            || from->data[i] == '"')
        {
            p = ngx_sprintf(p, "%%%02XD", (uint32_t) from->data[i]);
            continue;
        }

        *p++ = from->data[i];
    }

    to->len = p - to->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_call_begin(ngx_http_webrtc_call_t *call)
{
    ngx_socket_t       fd[2];
    ngx_connection_t  *c, *pc;

    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0, fd)
        == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, ngx_socket_errno,
                      "socketpair() failed");
        return NGX_ERROR;
    }

    pc = ngx_get_connection(fd[0], ngx_cycle->log);

    if (pc == NULL) {
        (void) ngx_close_socket(fd[0]);
        (void) ngx_close_socket(fd[1]);
        return NGX_ERROR;
    }

    pc->data = call;
    pc->recv = ngx_recv;
    pc->log = ngx_cycle->log;
    pc->read->log = pc->log;
    pc->write->log = pc->log;
    pc->read->handler = ngx_http_webrtc_call_read;
    pc->write->handler = ngx_http_webrtc_call_write;

    if (ngx_handle_read_event(pc->read, 0) != NGX_OK) {
        ngx_close_connection(pc);
        (void) ngx_close_socket(fd[1]);
        return NGX_ERROR;
    }

    c = ngx_http_webrtc_call_connection(fd[1], call->wlcf);

    if (c == NULL) {
        ngx_close_connection(pc);
        return NGX_ERROR;
    }

    call->connection = pc;
    ngx_http_webrtc_call_n++;
    ngx_add_timer(pc->read, NGX_HTTP_WEBRTC_CALL_TIMEOUT);

    /* from here on the answer ends the call, also if it is none */

    if (ngx_http_webrtc_call_request(c, call) != NGX_OK) {
        ngx_http_webrtc_call_close(c);
    }

    return NGX_OK;
}


/* as ngx_event_accept() and ngx_http_init_connection() make one */

static ngx_connection_t *
ngx_http_webrtc_call_connection(ngx_socket_t fd,
    ngx_http_webrtc_loc_conf_t *wlcf)
{
    ngx_log_t                 *log;
    struct sockaddr_un        *sun;
    ngx_connection_t          *c;
    ngx_http_log_ctx_t        *ctx;
    ngx_http_addr_conf_t      *addr;
    ngx_http_connection_t     *hc;
    ngx_http_core_srv_conf_t  *cscf;

    c = ngx_get_connection(fd, ngx_cycle->log);

    if (c == NULL) {
        (void) ngx_close_socket(fd);
        return NULL;
    }

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, 1);
#endif

    c->pool = ngx_create_pool(1024, ngx_cycle->log);
    if (c->pool == NULL) {
        ngx_close_connection(c);
#if (NGX_STAT_STUB)
        (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif
        return NULL;
    }

    log = ngx_palloc(c->pool, sizeof(ngx_log_t));
    ctx = ngx_pcalloc(c->pool, sizeof(ngx_http_log_ctx_t));
    sun = ngx_pcalloc(c->pool, sizeof(struct sockaddr_un));
    addr = ngx_pcalloc(c->pool, sizeof(ngx_http_addr_conf_t));
    hc = ngx_pcalloc(c->pool, sizeof(ngx_http_connection_t));

    if (log == NULL || ctx == NULL || sun == NULL || addr == NULL
        || hc == NULL)
    {
        ngx_http_webrtc_call_close(c);
        return NULL;
    }

    cscf = wlcf->ctx->srv_conf[ngx_http_core_module.ctx_index];

    *log = ngx_cycle->new_log;
    log->connection = c->number;
    log->handler = ngx_http_webrtc_call_log;
    log->data = ctx;
    log->action = "calling a hook";

    ctx->connection = c;

    sun->sun_family = AF_UNIX;

    c->log = log;
    c->pool->log = log;
    c->read->log = log;
    c->write->log = log;
    c->write->ready = 1;
    c->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;
    c->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;
    c->recv = ngx_recv;
    c->send = ngx_send;
    c->recv_chain = ngx_recv_chain;
    c->send_chain = ngx_send_chain;
    c->sockaddr = (struct sockaddr *) sun;
    c->socklen = sizeof(struct sockaddr_un);
    c->local_sockaddr = (struct sockaddr *) sun;
    c->local_socklen = sizeof(struct sockaddr_un);
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;
    ngx_str_set(&c->addr_text, "unix:");

    addr->default_server = cscf;

    hc->addr_conf = addr;
    hc->conf_ctx = cscf->ctx;

    c->data = hc;

    return c;
}


/* NGX_ERROR: the connection is as it was */

static ngx_int_t
ngx_http_webrtc_call_request(ngx_connection_t *c, ngx_http_webrtc_call_t *call)
{
    ngx_uint_t                 flags;
    ngx_http_request_t        *r;
    ngx_http_core_srv_conf_t  *cscf;

    static ngx_str_t  get = ngx_string("GET");
    static ngx_str_t  protocol = ngx_string("HTTP/1.0");

    c->buffer = ngx_create_temp_buf(c->pool, 16);
    if (c->buffer == NULL) {
        return NGX_ERROR;
    }

    r = ngx_http_create_request(c);
    if (r == NULL) {
        return NGX_ERROR;
    }

    c->data = r;

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    r->method = NGX_HTTP_GET;
    r->method_name = get;
    r->http_protocol = protocol;
    r->http_version = NGX_HTTP_VERSION_10;
    r->http_major = 1;
    r->headers_in.server = cscf->server_name;
    r->unparsed_uri.len = call->uri.len;
    r->unparsed_uri.data = ngx_pstrdup(r->pool, &call->uri);
    r->uri = r->unparsed_uri;
    r->valid_unparsed_uri = 0;
    r->internal = 1;
    r->keepalive = 0;
    r->request_line = r->unparsed_uri;
    r->request_length = call->uri.len;

    flags = NGX_HTTP_LOG_UNSAFE;

    if (r->unparsed_uri.data == NULL
        || ngx_list_init(&r->headers_in.headers, r->pool, 2,
                         sizeof(ngx_table_elt_t))
           != NGX_OK
        || ngx_http_parse_unsafe_uri(r, &r->uri, &r->args, &flags) != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return NGX_OK;
    }

    ngx_http_set_exten(r);

    ngx_http_process_request(r);
    ngx_http_run_posted_requests(c);

    return NGX_OK;
}


/* what nginx does with an HTTP connection, before it has a request */

static void
ngx_http_webrtc_call_close(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    pool = c->pool;
    c->destroyed = 1;

    ngx_close_connection(c);
    ngx_destroy_pool(pool);

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif
}


static u_char *
ngx_http_webrtc_call_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char              *p;
    ngx_http_log_ctx_t  *ctx;

    p = buf;

    if (log->action) {
        p = ngx_snprintf(p, len, " while %s", log->action);
        len -= p - buf;
    }

    ctx = log->data;

    return ctx->request ? ctx->request->log_handler(ctx->request,
                                                    ctx->current_request, p,
                                                    len)
                        : p;
}


/* the status is in the first line; what follows is of no interest */

static void
ngx_http_webrtc_call_read(ngx_event_t *rev)
{
    size_t                   len;
    ssize_t                  n;
    ngx_connection_t        *pc;
    ngx_http_webrtc_call_t  *call;
    u_char                   buf[4096];

    pc = rev->data;
    call = pc->data;

    if (rev->timedout) {
        ngx_log_error(NGX_LOG_ERR, pc->log, NGX_ETIMEDOUT,
                      "webrtc hook \"%V\" has not answered", &call->uri);
        ngx_http_webrtc_call_end(call, 0);
        return;
    }

    for ( ;; ) {
        n = pc->recv(pc, buf, sizeof(buf));

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_http_webrtc_call_end(call, 0);
            }

            return;
        }

        if (n <= 0) {
            break;
        }

        len = ngx_min((size_t) n, sizeof(call->line) - call->n);
        ngx_memcpy(call->line + call->n, buf, len);
        call->n += len;
    }

    n = (call->n == sizeof(call->line))
        ? ngx_atoi(call->line + sizeof("HTTP/1.1 ") - 1, 3) : NGX_ERROR;

    ngx_http_webrtc_call_end(call, n == NGX_ERROR ? 0 : (ngx_uint_t) n);
}


static void
ngx_http_webrtc_call_write(ngx_event_t *wev)
{
    /* void: nothing is sent */
}


static void
ngx_http_webrtc_call_end(ngx_http_webrtc_call_t *call, ngx_uint_t status)
{
    ngx_queue_t             *q;
    ngx_http_webrtc_call_t  *next;

    ngx_close_connection(call->connection);
    ngx_http_webrtc_call_n--;

    if (call->handler) {
        call->handler(call->data, status);
    }

    ngx_destroy_pool(call->pool);

    while (ngx_http_webrtc_call_n < NGX_HTTP_WEBRTC_CALLS
           && !ngx_queue_empty(&ngx_http_webrtc_call_waiting))
    {
        q = ngx_queue_head(&ngx_http_webrtc_call_waiting);
        ngx_queue_remove(q);
        ngx_http_webrtc_call_nwaiting--;

        next = ngx_queue_data(q, ngx_http_webrtc_call_t, queue);

        if (ngx_http_webrtc_call_begin(next) != NGX_OK) {
            ngx_destroy_pool(next->pool);
        }
    }
}


void
ngx_http_webrtc_call_exit(void)
{
    ngx_queue_t             *q;
    ngx_http_webrtc_call_t  *call;

    while (ngx_http_webrtc_call_nwaiting) {
        q = ngx_queue_head(&ngx_http_webrtc_call_waiting);
        ngx_queue_remove(q);
        ngx_http_webrtc_call_nwaiting--;

        call = ngx_queue_data(q, ngx_http_webrtc_call_t, queue);
        ngx_destroy_pool(call->pool);
    }
}
