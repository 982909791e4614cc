
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
#include "ngx_http_webrtc_rtsp.h"
#include "ngx_http_webrtc_srt.h"
#include "ngx_http_webrtc_srt_gateway.h"
#include "ngx_webrtc_tcp_listen.h"


/* chosen: what a connection of RTMP has is allocated with it */
#define NGX_HTTP_WEBRTC_INGEST_CONF_POOL  4096


/*
 * A protocol that publishers may have.
 *
 *   scheme     of the URL, with "://"
 *   port       default; 0: none, it is to be said
 *   type       of the port: SOCK_STREAM, SOCK_DGRAM
 *   expected   the URL's form, for messages
 *   rest       takes what follows the address, from its slash or question
 *              mark on; NGX_DECLINED: that is none of its URLs
 *   listen     all of the configuration has been read: makes what listens
 *   accepted   a connection has come to that
 */
typedef struct ngx_http_webrtc_ingest_kind_s {
    ngx_str_t                    scheme;
    in_port_t                    port;
    int                          type;
    const char                  *expected;
    ngx_int_t                  (*rest)(ngx_conf_t *cf,
                                     ngx_http_webrtc_ingest_conf_t *ingest,
                                     ngx_str_t *rest);
    ngx_int_t                  (*listen)(ngx_cycle_t *cycle,
                                     ngx_http_webrtc_ingest_conf_t *ingest);
    void                       (*accepted)(ngx_connection_t *c);
} ngx_http_webrtc_ingest_kind_t;


static ngx_int_t ngx_http_webrtc_ingest_parse(ngx_conf_t *cf, ngx_url_t *u,
    ngx_http_webrtc_ingest_conf_t *ingest);
static const ngx_http_webrtc_ingest_kind_t *ngx_http_webrtc_ingest_kind(
    ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_ingest_invalid(ngx_conf_t *cf, ngx_url_t *u,
    ngx_str_t *value, const ngx_http_webrtc_ingest_kind_t *kind);
static void ngx_http_webrtc_ingest_shown(ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_ingest_application(ngx_conf_t *cf,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_str_t *rest);
static ngx_int_t ngx_http_webrtc_ingest_udp_ports(ngx_conf_t *cf,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_str_t *rest);
static ngx_http_webrtc_ingest_conf_t *ngx_http_webrtc_ingest_taken(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_http_webrtc_ingest_conf_t *ingest);
static ngx_int_t ngx_http_webrtc_ingest_verified(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest);
static ngx_int_t ngx_http_webrtc_ingest_tcp(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest);
static ngx_int_t ngx_http_webrtc_ingest_tls(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest);
static ngx_int_t ngx_http_webrtc_ingest_srt(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest);
static ngx_listening_t *ngx_http_webrtc_ingest_listen(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_addr_t *addr);


#define NGX_HTTP_WEBRTC_INGEST_RTMP                                           \
    "\"rtmp://address[:port][/application]\", such as "                       \
    "\"rtmp://0.0.0.0:1935\" or \"rtmp://[::]:1935/live\", or the same with " \
    "\"rtmps://\""

#define NGX_HTTP_WEBRTC_INGEST_RTSP                                           \
    "\"rtsp://address[:port][/prefix][?udp_ports=first-last]\", such as "      \
    "\"rtsp://0.0.0.0:554\" or "                                             \
    "\"rtsp://[::]:554/live?udp_ports=50000-50099\", or without ports of "    \
    "UDP \"rtsps://\""


static const ngx_http_webrtc_ingest_kind_t  ngx_http_webrtc_ingest_kinds[] = {

    { ngx_string("rtmp://"), 1935, SOCK_STREAM, NGX_HTTP_WEBRTC_INGEST_RTMP,
      ngx_http_webrtc_ingest_application, ngx_http_webrtc_ingest_tcp,
      ngx_http_webrtc_rtmp_accepted },

    { ngx_string("rtmps://"), 443, SOCK_STREAM, NGX_HTTP_WEBRTC_INGEST_RTMP,
      ngx_http_webrtc_ingest_application, ngx_http_webrtc_ingest_tls,
      ngx_http_webrtc_rtmp_accepted },

    { ngx_string("rtsp://"), 554, SOCK_STREAM, NGX_HTTP_WEBRTC_INGEST_RTSP,
      ngx_http_webrtc_ingest_udp_ports, ngx_http_webrtc_ingest_tcp,
      ngx_http_webrtc_rtsp_accepted },

    { ngx_string("rtsps://"), 322, SOCK_STREAM, NGX_HTTP_WEBRTC_INGEST_RTSP,
      ngx_http_webrtc_ingest_application, ngx_http_webrtc_ingest_tls,
      ngx_http_webrtc_rtsp_accepted },

    { ngx_string("srt://"), 0, SOCK_DGRAM, NGX_HTTP_WEBRTC_SRT_EXPECTED,
      ngx_http_webrtc_srt_options, ngx_http_webrtc_ingest_srt,
      ngx_http_webrtc_srt_accepted },

    { ngx_null_string, 0, 0, NULL, NULL, NULL, NULL }
};


char *
ngx_http_webrtc_ingest_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_url_t                       u;
    ngx_str_t                      *value;
    ngx_uint_t                      n;
    ngx_http_webrtc_main_conf_t    *wmcf;
    ngx_http_webrtc_ingest_conf_t   made, *ingest;

    value = cf->args->elts;
    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

    ngx_memzero(&made, sizeof(ngx_http_webrtc_ingest_conf_t));

    made.value = value[1];
    made.cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    if (ngx_http_webrtc_ingest_parse(cf, &u, &made) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_webrtc_ingest_shown(&made.value);

    ngx_http_webrtc_check_where(cf, &made.where);

    for (n = 0; n < u.naddrs; n++) {

        made.addr = u.addrs[n];

        ingest = ngx_http_webrtc_ingest_taken(wmcf, &made);

        if (ingest) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate address in webrtc_ingest \"%V\", "
                               "which \"%V\" in %V:%ui has, expected one line "
                               "for all applications of a port: locations "
                               "tell them apart", &made.value, &ingest->value,
                               &ingest->where.file, ingest->where.line);
            return NGX_CONF_ERROR;
        }

        ingest = ngx_array_push(&wmcf->ingests);
        if (ingest == NULL) {
            return NGX_CONF_ERROR;
        }

        *ingest = made;
    }

    return NGX_CONF_OK;
}


/* scheme://address[:port][rest]; NGX_ERROR: it is none, and that was said */

static ngx_int_t
ngx_http_webrtc_ingest_parse(ngx_conf_t *cf, ngx_url_t *u,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
    u_char     *p, *last;
    ngx_int_t   rc;
    ngx_str_t   rest, *value;

    const ngx_http_webrtc_ingest_kind_t  *kind;

    value = &ingest->value;
    ngx_memzero(u, sizeof(ngx_url_t));

    kind = ngx_http_webrtc_ingest_kind(value);

    if (kind == NULL) {
        return ngx_http_webrtc_ingest_invalid(cf, u, value, NULL);
    }

    ingest->kind = kind;

    last = value->data + value->len;
    u->url.data = value->data + kind->scheme.len;

    for (p = u->url.data; p < last && *p != '/' && *p != '?'; p++) {
        /* void */
    }

    u->url.len = p - u->url.data;
    u->listen = 1;
    u->default_port = kind->port;

    rest.data = p;
    rest.len = last - p;

    if (u->url.len == 0
        || ngx_parse_url(cf->pool, u) != NGX_OK
        || u->family == AF_UNIX
        || u->naddrs == 0)
    {
        return ngx_http_webrtc_ingest_invalid(cf, u, value, kind);
    }

    if (u->no_port && kind->port == 0) {
        u->err = "no port";
        return ngx_http_webrtc_ingest_invalid(cf, u, value, kind);
    }

    rc = kind->rest(cf, ingest, &rest);

    return (rc == NGX_DECLINED)
           ? ngx_http_webrtc_ingest_invalid(cf, u, value, kind) : rc;
}


/* NULL: none of that scheme */

static const ngx_http_webrtc_ingest_kind_t *
ngx_http_webrtc_ingest_kind(ngx_str_t *value)
{
    const ngx_http_webrtc_ingest_kind_t  *kind;

    for (kind = ngx_http_webrtc_ingest_kinds; kind->scheme.len; kind++) {
        if (value->len > kind->scheme.len
            && ngx_strncasecmp(value->data, kind->scheme.data,
                               kind->scheme.len)
               == 0)
        {
            return kind;
        }
    }

    return NULL;
}


/* kind: NULL, any would do; NGX_ERROR, always */

static ngx_int_t
ngx_http_webrtc_ingest_invalid(ngx_conf_t *cf, ngx_url_t *u, ngx_str_t *value,
    const ngx_http_webrtc_ingest_kind_t *kind)
{
    u_char       *p, *last;
    ngx_str_t     shown;
    const char   *said;
    u_char        text[NGX_MAX_CONF_ERRSTR];

    const ngx_http_webrtc_ingest_kind_t  *k;

    p = text;
    last = text + sizeof(text);
    said = NULL;

    for (k = ngx_http_webrtc_ingest_kinds; k->scheme.len; k++) {

        if ((kind && k != kind) || k->expected == said) {
            continue;
        }

        p = ngx_slprintf(p, last, "%s%s", said ? "; or " : "", k->expected);
        said = k->expected;
    }

    shown = *value;
    ngx_http_webrtc_ingest_shown(&shown);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "%s in webrtc_ingest \"%V%s\", expected %*s",
                       u->err ? u->err : "invalid address", &shown,
                       (shown.len < value->len) ? "..." : "",
                       (size_t) (p - text), text);

    return NGX_ERROR;
}


/* up to the question mark: behind it may be a passphrase */

static void
ngx_http_webrtc_ingest_shown(ngx_str_t *value)
{
    u_char  *p;

    p = ngx_strlchr(value->data, value->data + value->len, '?');

    if (p) {
        value->len = p + 1 - value->data;
    }
}


/* the only one */

static ngx_int_t
ngx_http_webrtc_ingest_application(ngx_conf_t *cf,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_str_t *rest)
{
    ngx_str_t  *app;

    app = &ingest->app;

    if (rest->len == 0) {
        return NGX_OK;
    }

    app->data = rest->data + 1;
    app->len = rest->len - 1;

    if (app->len && app->data[app->len - 1] == '/') {
        app->len--;
    }

    return (rest->data[0] == '?'
            || (app->len && ngx_strlchr(app->data, app->data + app->len, '?')))
           ? NGX_DECLINED : NGX_OK;
}


/* [/prefix][?udp_ports=first-last]: an even port, and the one behind it */

static ngx_int_t
ngx_http_webrtc_ingest_udp_ports(ngx_conf_t *cf,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_str_t *rest)
{
    u_char     *p, *last, *minus;
    ngx_int_t   first, end;
    ngx_str_t   path;

    last = rest->data + rest->len;
    p = ngx_strlchr(rest->data, last, '?');

    if (p == NULL) {
        return ngx_http_webrtc_ingest_application(cf, ingest, rest);
    }

    path.data = rest->data;
    path.len = p - rest->data;
    p++;

    if ((size_t) (last - p) < sizeof("udp_ports=") - 1
        || ngx_strncmp(p, "udp_ports=", sizeof("udp_ports=") - 1) != 0)
    {
        return NGX_DECLINED;
    }

    p += sizeof("udp_ports=") - 1;
    minus = ngx_strlchr(p, last, '-');

    if (minus == NULL) {
        return NGX_DECLINED;
    }

    first = ngx_atoi(p, minus - p);
    end = ngx_atoi(minus + 1, last - minus - 1);

    if (first == NGX_ERROR || end == NGX_ERROR || first < 1 || end > 65535
        || first + (first & 1) >= end)
    {
        return NGX_DECLINED;
    }

    ingest->udp_first = (in_port_t) first;
    ingest->udp_last = (in_port_t) end;

    return ngx_http_webrtc_ingest_application(cf, ingest, &path);
}


static ngx_http_webrtc_ingest_conf_t *
ngx_http_webrtc_ingest_taken(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
    ngx_uint_t                      i;
    ngx_http_webrtc_ingest_conf_t  *other;

    other = wmcf->ingests.elts;

    for (i = 0; i < wmcf->ingests.nelts; i++) {
        if (other[i].kind->type == ingest->kind->type
            && ngx_cmp_sockaddr(other[i].addr.sockaddr, other[i].addr.socklen,
                                ingest->addr.sockaddr, ingest->addr.socklen,
                                1)
               == NGX_OK)
        {
            return &other[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_webrtc_ingest_open(ngx_cycle_t *cycle,
    ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                      i;
    ngx_http_webrtc_ingest_conf_t  *ingest;

    ingest = wmcf->ingests.elts;

    for (i = 0; i < wmcf->ingests.nelts; i++) {
        if (ngx_http_webrtc_ingest_verified(cycle, &ingest[i]) != NGX_OK
            || ingest[i].kind->listen(cycle, &ingest[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* no encoder has a certificate to show, and its request is not one over TLS */

static ngx_int_t
ngx_http_webrtc_ingest_verified(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
#if (NGX_HTTP_SSL)

    ngx_http_ssl_srv_conf_t  *sscf;

    sscf = ingest->cscf->ctx->srv_conf[ngx_http_ssl_module.ctx_index];

    if (sscf->verify == 1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"webrtc_ingest %V\" is in a server with "
                      "\"ssl_verify_client on\", expected another server in "
                      "%V:%ui",
                      &ingest->value, &ingest->where.file,
                      ingest->where.line);
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_ingest_tcp(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
    ngx_listening_t  *ls;

    if (ngx_webrtc_tcp_free(cycle, &ingest->addr) == NGX_BUSY) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "the port of \"webrtc_ingest %V\" is that of another "
                      "\"listen\", expected one of its own in %V:%ui",
                      &ingest->value, &ingest->where.file,
                      ingest->where.line);
        return NGX_ERROR;
    }

    /* if another program has it, nginx waits for it, and says so */

    ls = ngx_http_webrtc_ingest_listen(cycle, ingest, &ingest->addr);
    if (ls == NULL) {
        return NGX_ERROR;
    }

    ls->wildcard = ngx_inet_wildcard(ingest->addr.sockaddr);

#if (NGX_HAVE_INET6)
    ls->ipv6only = 1;
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_ingest_srt(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
    ngx_addr_t  addr;

    if (ngx_http_webrtc_srt_listen(cycle, ingest, &addr) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_webrtc_ingest_listen(cycle, ingest, &addr)
           ? NGX_OK : NGX_ERROR;
}


static ngx_listening_t *
ngx_http_webrtc_ingest_listen(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_addr_t *addr)
{
    ngx_conf_t        cf;
    ngx_listening_t  *ls;

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.cycle = cycle;
    cf.pool = cycle->pool;
    cf.log = cycle->log;

    ls = ngx_create_listening(&cf, addr->sockaddr, addr->socklen);
    if (ls == NULL) {
        return NULL;
    }

    ls->handler = ingest->kind->accepted;
    ls->servers = ingest;
    ls->pool_size = NGX_HTTP_WEBRTC_INGEST_CONF_POOL;
    ls->addr_ntop = 1;
    ls->logp = &cycle->new_log;
    ls->log.data = &ls->addr_text;
    ls->log.handler = ngx_accept_log_error;

    return ls;
}


/* the certificates are those of the server */

static ngx_int_t
ngx_http_webrtc_ingest_tls(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
#if (NGX_HTTP_SSL)

    ngx_http_ssl_srv_conf_t  *sscf;

    sscf = ingest->cscf->ctx->srv_conf[ngx_http_ssl_module.ctx_index];

    if (sscf->ssl.ctx) {
        ingest->ssl = &sscf->ssl;
        return ngx_http_webrtc_ingest_tcp(cycle, ingest);
    }

#endif

    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                  "\"webrtc_ingest %V\" needs a certificate, expected "
                  "\"ssl_certificate\" in its server in %V:%ui",
                  &ingest->value, &ingest->where.file, ingest->where.line);

    return NGX_ERROR;
}
