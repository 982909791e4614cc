
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A request of the module's own.  All that variables of nginx and its modules
 * look at is set or zero: lists are empty, the connection has an address and no
 * descriptor.
 */


#include "ngx_http_webrtc_own.h"
#include "ngx_http_webrtc_vars.h"


#define NGX_HTTP_WEBRTC_OWN_POOL  4096


static ngx_connection_t *ngx_http_webrtc_own_connection(ngx_pool_t *pool,
    ngx_webrtc_addr_t *addr, ngx_log_t *log);
static void ngx_http_webrtc_own_capture(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *name);


ngx_http_request_t *
ngx_http_webrtc_own(ngx_http_webrtc_loc_conf_t *wlcf, ngx_webrtc_addr_t *addr,
    uint64_t age_ms, ngx_log_t *log)
{
    uint64_t                    ms;
    ngx_time_t                 *tp;
    ngx_pool_t                 *pool;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_core_main_conf_t  *cmcf;

    pool = ngx_create_pool(NGX_HTTP_WEBRTC_OWN_POOL, log);
    if (pool == NULL) {
        return NULL;
    }

    c = ngx_http_webrtc_own_connection(pool, addr, log);
    r = ngx_pcalloc(pool, sizeof(ngx_http_request_t));

    if (c == NULL || r == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    c->data = r;

    r->signature = NGX_HTTP_MODULE;
    r->connection = c;
    r->pool = pool;
    r->main = r;
    r->count = 1;
    r->root_tested = 1;
    r->method = NGX_HTTP_UNKNOWN;
    r->http_version = NGX_HTTP_VERSION_11;
    r->headers_in.content_length_n = -1;
    r->headers_in.keep_alive_n = -1;
    r->headers_out.content_length_n = -1;
    r->headers_out.last_modified_time = -1;

    r->main_conf = wlcf->ctx->main_conf;
    r->srv_conf = wlcf->ctx->srv_conf;
    r->loc_conf = wlcf->ctx->loc_conf;

    tp = ngx_timeofday();
    ms = (uint64_t) tp->sec * 1000 + tp->msec - age_ms;
    r->start_sec = (time_t) (ms / 1000);
    r->start_msec = (ngx_msec_t) (ms % 1000);

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    r->ctx = ngx_pcalloc(pool, sizeof(void *) * ngx_http_max_module);
    r->variables = ngx_pcalloc(pool, cmcf->variables.nelts
                                     * sizeof(ngx_http_variable_value_t));

    if (r->ctx == NULL || r->variables == NULL
        || ngx_list_init(&r->headers_in.headers, pool, 1,
                         sizeof(ngx_table_elt_t))
           != NGX_OK
        || ngx_list_init(&r->headers_out.headers, pool, 1,
                         sizeof(ngx_table_elt_t))
           != NGX_OK
        || ngx_list_init(&r->headers_out.trailers, pool, 1,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    return r;
}


static ngx_connection_t *
ngx_http_webrtc_own_connection(ngx_pool_t *pool, ngx_webrtc_addr_t *addr,
    ngx_log_t *log)
{
    ngx_event_t          *ev;
    ngx_connection_t     *c;
    struct sockaddr_in   *sin;
    ngx_webrtc_addr_t    *copy;

    c = ngx_pcalloc(pool, sizeof(ngx_connection_t));
    ev = ngx_pcalloc(pool, 2 * sizeof(ngx_event_t));
    copy = ngx_pcalloc(pool, sizeof(ngx_webrtc_addr_t));
    sin = ngx_pcalloc(pool, sizeof(struct sockaddr_in));

    if (c == NULL || ev == NULL || copy == NULL || sin == NULL) {
        return NULL;
    }

    /* nginx would ask the kernel for a wildcard one */

    sin->sin_family = AF_INET;
    sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    c->fd = (ngx_socket_t) -1;
    c->pool = pool;
    c->log = log;
    c->read = &ev[0];
    c->write = &ev[1];
    c->read->log = log;
    c->write->log = log;
    c->read->data = c;
    c->write->data = c;

    c->sockaddr = (struct sockaddr *) sin;
    c->socklen = sizeof(struct sockaddr_in);
    c->local_sockaddr = (struct sockaddr *) sin;
    c->local_socklen = sizeof(struct sockaddr_in);

    if (addr && addr->len) {
        *copy = *addr;
        c->sockaddr = &copy->u.sa;
        c->socklen = addr->len;

        c->addr_text.data = ngx_pnalloc(pool, NGX_SOCKADDR_STRLEN);
        if (c->addr_text.data == NULL) {
            return NULL;
        }

        c->addr_text.len = ngx_sock_ntop(c->sockaddr, c->socklen,
                                         c->addr_text.data,
                                         NGX_SOCKADDR_STRLEN, 0);
    }

    return c;
}


void
ngx_http_webrtc_own_done(ngx_http_request_t *r)
{
    ngx_http_cleanup_t  *cln;

    while ((cln = r->cleanup) != NULL) {
        r->cleanup = cln->next;

        if (cln->handler) {
            cln->handler(cln->data);
        }
    }

    ngx_destroy_pool(r->pool);
}


void
ngx_http_webrtc_own_stream(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *name)
{
    ngx_http_webrtc_note_stream(r, NGX_WEBRTC_PEER_PUBLISH, name);
    ngx_http_webrtc_own_capture(r, wlcf, name);
}


/*
 * Captures of a location's regular expression are those of a request.  The one
 * that is the stream's name, as in "webrtc_publish $name", is known.
 */

static void
ngx_http_webrtc_own_capture(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *name)
{
    u_char                     *p;
    ngx_str_t                   text;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    text = wlcf->publish ? wlcf->publish->value
           : wlcf->play ? wlcf->play->value : (ngx_str_t) ngx_null_string;

    if (text.len < 2 || text.data[0] != '$') {
        return;
    }

    p = text.data + 1;
    text.len--;

    if (text.len > 2 && p[0] == '{' && p[text.len - 1] == '}') {
        p++;
        text.len -= 2;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (v[i].name.len == text.len
            && ngx_strncasecmp(v[i].name.data, p, text.len) == 0)
        {
            r->variables[i].data = name->data;
            r->variables[i].len = (unsigned) name->len;
            r->variables[i].valid = 1;
            r->variables[i].no_cacheable = 0;
            r->variables[i].not_found = 0;
        }
    }
}


ngx_int_t
ngx_http_webrtc_own_conf(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    uint32_t                       crc;
    ngx_http_conf_ctx_t           *ctx;
    ngx_http_webrtc_loc_conf_t   **loc;
    ngx_http_webrtc_main_conf_t   *wmcf;

    if (conf->where.line == 0) {
        conf->location = prev->location;
        return NGX_OK;
    }

    ctx = ngx_palloc(cf->pool, sizeof(ngx_http_conf_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    *ctx = *(ngx_http_conf_ctx_t *) cf->ctx;
    conf->ctx = ctx;

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, conf->where.file.data, conf->where.file.len);
    ngx_crc32_update(&crc, (u_char *) &conf->where.line, sizeof(ngx_uint_t));
    ngx_crc32_final(crc);

    conf->location = crc;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

    loc = ngx_array_push(&wmcf->served);
    if (loc == NULL) {
        return NGX_ERROR;
    }

    *loc = conf;

    return NGX_OK;
}


ngx_http_webrtc_loc_conf_t *
ngx_http_webrtc_own_location(ngx_http_webrtc_main_conf_t *wmcf,
    uint32_t location)
{
    ngx_uint_t                    i;
    ngx_http_webrtc_loc_conf_t  **loc;

    loc = wmcf->served.elts;

    for (i = 0; i < wmcf->served.nelts; i++) {
        if (loc[i]->location == location) {
            return loc[i];
        }
    }

    return NULL;
}
