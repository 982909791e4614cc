
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_listen": the ports that carry media.
 *
 * A port is listened on over UDP, and over TCP too (ICE-TCP), for clients that
 * UDP does not reach.  Where nothing is said of TCP it is a convenience that
 * must not keep a configuration from being used: a TCP port that another
 * "listen" of the configuration or another program has is left to it, and that
 * is said.  What the configuration has is known only when all of it has been
 * read, "stream" included, and no module of "http" is called then: so there is
 * a small module of the core beside ours.
 */


#include "ngx_http_webrtc_listen.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_conf_check.h"
#include "ngx_http_webrtc_ingest_conf.h"
#include "ngx_http_webrtc_srt_gateway.h"
#include "ngx_webrtc_tcp_listen.h"
#include "ngx_webrtc_udp_listen.h"
#include "ngx_webrtc_twin.h"


static ngx_int_t ngx_http_webrtc_listen_add(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf, ngx_str_t *value, ngx_uint_t udp,
    ngx_uint_t tcp);
static ngx_http_webrtc_listen_t *ngx_http_webrtc_listen_find(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_addr_t *addr);
static char *ngx_http_webrtc_listen_tcp(ngx_cycle_t *cycle, void *conf);
static ngx_int_t ngx_http_webrtc_listen_opened(ngx_cycle_t *cycle);


static ngx_core_module_t  ngx_http_webrtc_listen_module_ctx = {
    ngx_string("webrtc_listen"),
    NULL,                                  /* create configuration */
    ngx_http_webrtc_listen_tcp             /* init configuration */
};


ngx_module_t  ngx_http_webrtc_listen_module = {
    NGX_MODULE_V1,
    &ngx_http_webrtc_listen_module_ctx,    /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_webrtc_listen_opened,         /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


char *
ngx_http_webrtc_listen(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_main_conf_t *wmcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, udp, tcp;

    value = cf->args->elts;

    if (wmcf->where.line == 0) {
        ngx_http_webrtc_check_where(cf, &wmcf->where);
    }

    udp = 0;
    tcp = NGX_HTTP_WEBRTC_TCP_OFF;

    for (i = 2; i < cf->args->nelts; i++) {

        if (!udp && ngx_strcmp(value[i].data, "udp") == 0) {
            udp = 1;
            continue;
        }

        if (!tcp && ngx_strcmp(value[i].data, "tcp") == 0) {
            tcp = NGX_HTTP_WEBRTC_TCP_ON;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of webrtc_listen, "
                           "expected \"udp\", \"tcp\", both or neither",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    if (!udp && !tcp) {
        udp = 1;
        tcp = NGX_HTTP_WEBRTC_TCP_IF_FREE;
    }

    if (ngx_http_webrtc_listen_add(cf, wmcf, &value[1], udp, tcp) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_webrtc_listen_add(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf,
    ngx_str_t *value, ngx_uint_t udp, ngx_uint_t tcp)
{
    ngx_url_t                  u;
    ngx_uint_t                 n;
    ngx_http_webrtc_listen_t  *listen;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *value;
    u.listen = 1;
    u.default_port = NGX_HTTP_WEBRTC_PORT;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.family == AF_UNIX
        || u.no_port)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in webrtc_listen \"%V\", expected a port or "
                           "an address with a port, such as \"8000\", "
                           "\"192.0.2.1:8000\" or \"[::]:8000\"",
                           u.err ? u.err : "invalid address", value);
        return NGX_ERROR;
    }

    for (n = 0; n < u.naddrs; n++) {

        listen = ngx_http_webrtc_listen_find(wmcf, &u.addrs[n]);

        if (listen == NULL) {

            if (wmcf->listens.nelts == NGX_WEBRTC_UDP_LISTENS) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "more than %d addresses in webrtc_listen",
                                   NGX_WEBRTC_UDP_LISTENS);
                return NGX_ERROR;
            }

            listen = ngx_array_push(&wmcf->listens);
            if (listen == NULL) {
                return NGX_ERROR;
            }

            ngx_memzero(listen, sizeof(ngx_http_webrtc_listen_t));

            listen->addr = u.addrs[n];
            listen->port = ngx_inet_get_port(u.addrs[n].sockaddr);
            listen->wildcard = ngx_inet_wildcard(u.addrs[n].sockaddr);
        }

        /* one line for UDP and one for TCP are no duplicates */

        if ((udp && listen->udp)
            || (tcp == NGX_HTTP_WEBRTC_TCP_ON
                && listen->tcp == NGX_HTTP_WEBRTC_TCP_ON))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate webrtc_listen \"%V\"", value);
            return NGX_ERROR;
        }

        listen->udp |= udp;
        listen->tcp = ngx_max(listen->tcp, tcp);
    }

    return NGX_OK;
}


static ngx_http_webrtc_listen_t *
ngx_http_webrtc_listen_find(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_addr_t *addr)
{
    ngx_uint_t                 i;
    ngx_http_webrtc_listen_t  *listen;

    listen = wmcf->listens.elts;

    for (i = 0; i < wmcf->listens.nelts; i++) {
        if (ngx_cmp_sockaddr(listen[i].addr.sockaddr, listen[i].addr.socklen,
                             addr->sockaddr, addr->socklen, 1)
            == NGX_OK)
        {
            return &listen[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_webrtc_listen_open(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_str_t                  port;
    ngx_addr_t                *addrs[NGX_WEBRTC_UDP_LISTENS];
    ngx_uint_t                 i, n, numbers[NGX_WEBRTC_UDP_LISTENS];
    ngx_http_webrtc_listen_t  *listen;

    if (wmcf->listens.nelts == 0) {
        ngx_str_set(&port, "8000");

        if (ngx_http_webrtc_listen_add(cf, wmcf, &port, 1,
                                       NGX_HTTP_WEBRTC_TCP_IF_FREE)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_webrtc_candidates_check(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    listen = wmcf->listens.elts;

    for (i = 0, n = 0; i < wmcf->listens.nelts; i++) {
        if (listen[i].udp) {
            addrs[n++] = &listen[i].addr;
        }
    }

    ngx_webrtc_twin_master();

    if (ngx_webrtc_udp_free(cf, addrs, n) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_webrtc_udp_number(cf->cycle, addrs, n, numbers);

    for (i = 0; i < n; i++) {
        if (ngx_webrtc_udp_listen(cf, addrs[i], numbers[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* all of the configuration has been read */

static char *
ngx_http_webrtc_listen_tcp(ngx_cycle_t *cycle, void *conf)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, on, level;
    ngx_http_webrtc_listen_t     *listen;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_webrtc_module);

    if (wmcf == NULL || !wmcf->used) {
        return NGX_CONF_OK;
    }

    if (ngx_http_webrtc_ingest_open(cycle, wmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    listen = wmcf->listens.elts;

    for (i = 0; i < wmcf->listens.nelts; i++) {

        if (listen[i].tcp == NGX_HTTP_WEBRTC_TCP_OFF) {
            continue;
        }

        on = (listen[i].tcp == NGX_HTTP_WEBRTC_TCP_ON);
        rc = ngx_webrtc_tcp_free(cycle, &listen[i].addr);

        if (rc == NGX_BUSY && on) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "the TCP port of \"webrtc_listen %V tcp\" is that of "
                          "another \"listen\", expected one of its own",
                          &listen[i].addr.name);
            return NGX_CONF_ERROR;
        }

        if (rc != NGX_OK && !on) {
            level = (rc == NGX_BUSY) ? NGX_LOG_NOTICE : NGX_LOG_WARN;

            ngx_log_error(level, cycle->log, 0,
                          "webrtc: no media over TCP on %V, %s has that port; "
                          "\"webrtc_listen %V udp\" says so, and another port "
                          "with \"tcp\" provides it", &listen[i].addr.name,
                          rc == NGX_BUSY ? "another \"listen\""
                                         : "another program",
                          &listen[i].addr.name);

            listen[i].tcp = NGX_HTTP_WEBRTC_TCP_OFF;
            continue;
        }

        /* if another program has it, nginx waits for it, and says so */

        if (ngx_webrtc_tcp_listen(cycle, &listen[i].addr) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* the sockets are there */

static ngx_int_t
ngx_http_webrtc_listen_opened(ngx_cycle_t *cycle)
{
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_webrtc_module);

    if (wmcf && wmcf->used) {
        ngx_http_webrtc_srt_own(cycle, wmcf);
    }

    return NGX_OK;
}
