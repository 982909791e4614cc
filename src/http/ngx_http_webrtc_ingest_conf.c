
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_ingest".  The sockets are nginx's own: they live on over reloads and
 * binary upgrades, and every worker accepts.
 */


#include "ngx_http_webrtc_ingest_conf.h"
#include "ngx_http_webrtc_conf_check.h"
#include "ngx_http_webrtc_ingest.h"
#include "ngx_http_webrtc_rtmp.h"
#include "ngx_webrtc_tcp_listen.h"


/* chosen: what a connection of RTMP has is allocated with it */
#define NGX_HTTP_WEBRTC_INGEST_CONF_POOL  4096


/* a protocol that publishers may have */
typedef struct ngx_http_webrtc_ingest_kind_s {
    ngx_str_t                    scheme;
    in_port_t                    port;       /* default */
    ngx_uint_t                   ssl;        /* unsigned  ssl:1; */
    void                       (*accepted)(ngx_connection_t *c);
} ngx_http_webrtc_ingest_kind_t;


static const ngx_http_webrtc_ingest_kind_t *ngx_http_webrtc_ingest_parse(
    ngx_conf_t *cf, ngx_url_t *u, ngx_str_t *value, ngx_str_t *app);
static ngx_http_webrtc_ingest_conf_t *ngx_http_webrtc_ingest_taken(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_addr_t *addr);


static ngx_int_t ngx_http_webrtc_ingest_secure(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest);


static const ngx_http_webrtc_ingest_kind_t  ngx_http_webrtc_ingest_kinds[] = {
    { ngx_string("rtmp://"), 1935, 0, ngx_http_webrtc_rtmp_accepted },
    { ngx_string("rtmps://"), 443, 1, ngx_http_webrtc_rtmp_accepted },
    { ngx_null_string, 0, 0, NULL }
};


char *
ngx_http_webrtc_ingest_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_url_t                       u;
    ngx_str_t                      *value, app;
    ngx_uint_t                      n;
    ngx_http_webrtc_main_conf_t    *wmcf;
    ngx_http_webrtc_ingest_conf_t  *ingest;

    const ngx_http_webrtc_ingest_kind_t  *kind;

    value = cf->args->elts;
    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

    kind = ngx_http_webrtc_ingest_parse(cf, &u, &value[1], &app);

    if (kind == NULL) {
        return NGX_CONF_ERROR;
    }

    for (n = 0; n < u.naddrs; n++) {

        ingest = ngx_http_webrtc_ingest_taken(wmcf, &u.addrs[n]);

        if (ingest) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate address in webrtc_ingest \"%V\", "
                               "which \"%V\" in %V:%ui has, expected one line "
                               "for all applications of a port: locations "
                               "tell them apart", &value[1], &ingest->value,
                               &ingest->where.file, ingest->where.line);
            return NGX_CONF_ERROR;
        }

        ingest = ngx_array_push(&wmcf->ingests);
        if (ingest == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(ingest, sizeof(ngx_http_webrtc_ingest_conf_t));

        ingest->addr = u.addrs[n];
        ingest->value = value[1];
        ingest->app = app;
        ingest->kind = kind;
        ingest->cscf = ngx_http_conf_get_module_srv_conf(cf,
                                                         ngx_http_core_module);
        ngx_http_webrtc_check_where(cf, &ingest->where);
    }

    return NGX_CONF_OK;
}


/* rtmp://address[:port][/application]; NULL: it is none, and that was said */

static const ngx_http_webrtc_ingest_kind_t *
ngx_http_webrtc_ingest_parse(ngx_conf_t *cf, ngx_url_t *u, ngx_str_t *value,
    ngx_str_t *app)
{
    u_char     *p, *last;
    ngx_int_t   rc;

    const ngx_http_webrtc_ingest_kind_t  *kind;

    ngx_memzero(u, sizeof(ngx_url_t));
    ngx_str_null(app);

    rc = NGX_ERROR;
    last = value->data + value->len;

    for (kind = ngx_http_webrtc_ingest_kinds; kind->scheme.len; kind++) {
        if (value->len > kind->scheme.len
            && ngx_strncasecmp(value->data, kind->scheme.data,
                               kind->scheme.len)
               == 0)
        {
            break;
        }
    }

    if (kind->scheme.len) {
        u->url.data = value->data + kind->scheme.len;

        for (p = u->url.data; p < last && *p != '/'; p++) { /* void */ }

        u->url.len = p - u->url.data;
        u->listen = 1;
        u->default_port = kind->port;

        if (p < last) {
            app->data = p + 1;
            app->len = last - app->data;
        }

        if (app->len && app->data[app->len - 1] == '/') {
            app->len--;
        }

        if (u->url.len && u->url.data[0] != '/') {
            rc = ngx_parse_url(cf->pool, u);
        }
    }

    if (rc != NGX_OK || u->family == AF_UNIX || u->naddrs == 0
        || (app->len && ngx_strlchr(app->data, app->data + app->len, '?')))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in webrtc_ingest \"%V\", expected "
                           "\"rtmp://address[:port][/application]\", such as "
                           "\"rtmp://0.0.0.0:1935\" or "
                           "\"rtmp://[::]:1935/live\", or the same with "
                           "\"rtmps://\"",
                           u->err ? u->err : "invalid address", value);
        return NULL;
    }

    return kind;
}


static ngx_http_webrtc_ingest_conf_t *
ngx_http_webrtc_ingest_taken(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_addr_t *addr)
{
    ngx_uint_t                      i;
    ngx_http_webrtc_ingest_conf_t  *ingest;

    ingest = wmcf->ingests.elts;

    for (i = 0; i < wmcf->ingests.nelts; i++) {
        if (ngx_cmp_sockaddr(ingest[i].addr.sockaddr, ingest[i].addr.socklen,
                             addr->sockaddr, addr->socklen, 1)
            == NGX_OK)
        {
            return &ingest[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_webrtc_ingest_open(ngx_cycle_t *cycle,
    ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_conf_t                      cf;
    ngx_uint_t                      i;
    ngx_listening_t                *ls;
    ngx_http_webrtc_ingest_conf_t  *ingest;

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.cycle = cycle;
    cf.pool = cycle->pool;
    cf.log = cycle->log;

    ingest = wmcf->ingests.elts;

    for (i = 0; i < wmcf->ingests.nelts; i++) {

        if (ngx_webrtc_tcp_free(cycle, &ingest[i].addr) == NGX_BUSY) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "the port of \"webrtc_ingest %V\" is that of "
                          "another \"listen\", expected one of its own in "
                          "%V:%ui",
                          &ingest[i].value, &ingest[i].where.file,
                          ingest[i].where.line);
            return NGX_ERROR;
        }

        if (ngx_http_webrtc_ingest_secure(cycle, &ingest[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        /* if another program has it, nginx waits for it, and says so */

        ls = ngx_create_listening(&cf, ingest[i].addr.sockaddr,
                                  ingest[i].addr.socklen);
        if (ls == NULL) {
            return NGX_ERROR;
        }

        ls->handler = ingest[i].kind->accepted;
        ls->servers = &ingest[i];
        ls->pool_size = NGX_HTTP_WEBRTC_INGEST_CONF_POOL;
        ls->addr_ntop = 1;
        ls->logp = &cycle->new_log;
        ls->log.data = &ls->addr_text;
        ls->log.handler = ngx_accept_log_error;
        ls->wildcard = ngx_inet_wildcard(ingest[i].addr.sockaddr);

#if (NGX_HAVE_INET6)
        ls->ipv6only = 1;
#endif
    }

    return NGX_OK;
}


/* the certificates are those of the server */

static ngx_int_t
ngx_http_webrtc_ingest_secure(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
#if (NGX_HTTP_SSL)

    ngx_http_ssl_srv_conf_t  *sscf;

    sscf = ingest->cscf->ctx->srv_conf[ngx_http_ssl_module.ctx_index];

    if (sscf->verify == 1) {

        /* no encoder has one to show, and its request is not one over TLS */

        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"webrtc_ingest %V\" is in a server with "
                      "\"ssl_verify_client on\", expected another server in "
                      "%V:%ui",
                      &ingest->value, &ingest->where.file,
                      ingest->where.line);
        return NGX_ERROR;
    }

    if (sscf->ssl.ctx && ingest->kind->ssl) {
        ingest->ssl = &sscf->ssl;
        return NGX_OK;
    }

#endif

    if (!ingest->kind->ssl) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                  "\"webrtc_ingest %V\" needs a certificate, expected "
                  "\"ssl_certificate\" in its server in %V:%ui",
                  &ingest->value, &ingest->where.file, ingest->where.line);

    return NGX_ERROR;
}
