
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The client of HTTP that publishes by WHIP.
 */


#include "ngx_http_webrtc_whip_client.h"


/* bytes of a request besides its URL, token and body */
#define NGX_HTTP_WEBRTC_WHIP_CLIENT_HEAD  512


static ngx_resolver_t *ngx_http_webrtc_whip_client_resolver(
    ngx_http_core_loc_conf_t *clcf);
static u_char *ngx_http_webrtc_whip_client_text(
    ngx_http_webrtc_whip_client_t *client, const char *method,
    ngx_webrtc_http_url_t *to, ngx_str_t *body, u_char *p, u_char *end);
static u_char *ngx_http_webrtc_whip_client_basic(const ngx_str_t *user,
    u_char *p, u_char *end);
static ngx_uint_t ngx_http_webrtc_whip_client_trusts(
    ngx_http_webrtc_whip_client_t *client, ngx_webrtc_http_url_t *to);
static ngx_uint_t ngx_http_webrtc_whip_client_own(
    const ngx_http_webrtc_whip_client_conf_t *conf, const ngx_str_t *host);
static void ngx_http_webrtc_whip_client_where(
    ngx_http_webrtc_whip_client_t *client, ngx_webrtc_http_url_t *to,
    ngx_webrtc_request_conf_t *conf);


ngx_int_t
ngx_http_webrtc_whip_client_conf(ngx_conf_t *cf, ngx_str_t *prefix,
    ngx_uint_t verify, ngx_http_webrtc_whip_client_conf_t *conf)
{
    ngx_url_t               u;
    ngx_webrtc_http_url_t   to;
#if (NGX_SSL)
    ngx_ssl_t              *ssl;
    ngx_pool_cleanup_t     *cln;
#endif

    if (ngx_webrtc_http_url(prefix, &to) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid host or port in webrtc_push, expected a "
                           "URL such as \"whips://live.example.com/whip/"
                           "$webrtc_stream\"");
        return NGX_ERROR;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = to.authority;
    u.default_port = to.port;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "%s in webrtc_push \"%V\": unless there is a "
                           "\"resolver\", nothing can be pushed there",
                           u.err ? u.err : "invalid host", &to.authority);
        u.naddrs = 0;
    }

    conf->host = to.host;
    conf->port = to.port;
    conf->addrs = u.addrs;
    conf->naddrs = u.naddrs;
    conf->literal = (u.naddrs == 1
                     && (ngx_inet_addr(to.host.data, to.host.len)
                         != INADDR_NONE
                         || to.host.data[-1] == '['));

    if (!to.tls) {
        return NGX_OK;
    }

    if (!ngx_webrtc_request_may_tls()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"whips\" in webrtc_push needs an nginx that was "
                           "built with TLS");
        return NGX_ERROR;
    }

#if (NGX_SSL)

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (ssl == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    /* the result is looked at when the handshake is over */

    if (verify && SSL_CTX_set_default_verify_paths(ssl->ctx) != 1) {
        ngx_ssl_error(NGX_LOG_WARN, cf->log, 0,
                      "SSL_CTX_set_default_verify_paths() failed");
    }

    conf->ssl = ssl;

#endif

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_whip_client_find(ngx_http_webrtc_whip_client_t *client,
    void (*handler)(void *ctx), void *ctx)
{
    ngx_addr_t                                *addr;
    ngx_resolver_t                            *resolver;
    ngx_webrtc_lookup_t                       *lk;
    ngx_http_core_loc_conf_t                  *clcf;
    const ngx_http_webrtc_whip_client_conf_t  *conf;

    conf = client->conf;
    lk = &client->lookup;

    clcf = client->wlcf->ctx->loc_conf[ngx_http_core_module.ctx_index];

    resolver = ngx_http_webrtc_whip_client_resolver(clcf);

    lk->handler = handler;
    lk->ctx = ctx;
    lk->log = client->log;

    if (conf->naddrs == 0 || (resolver && !conf->literal)) {
        return ngx_webrtc_lookup(lk, resolver, clcf->resolver_timeout,
                                 &conf->host);
    }

    /* as it was when nginx started */

    addr = &conf->addrs[client->tried % conf->naddrs];

    lk->cause = (ngx_webrtc_addr_set(&lk->addr, addr->sockaddr, addr->socklen)
                 == NGX_OK) ? NULL : "its host has no IP address";

    return lk->cause ? NGX_DECLINED : NGX_OK;
}


static ngx_resolver_t *
ngx_http_webrtc_whip_client_resolver(ngx_http_core_loc_conf_t *clcf)
{
    return (clcf->resolver && clcf->resolver->connections.nelts)
           ? clcf->resolver : NULL;
}


ngx_int_t
ngx_http_webrtc_whip_client_token(ngx_http_webrtc_whip_client_t *client,
    size_t n)
{
    size_t  i;

    client->token_len = 0;

    if (n >= sizeof(client->token)) {
        return NGX_DECLINED;
    }

    /* RFC 6750, 2.1, a little wider; nothing that ends a line */

    for (i = 0; i < n; i++) {
        if (client->token[i] <= 0x20 || client->token[i] >= 0x7f) {
            return NGX_DECLINED;
        }
    }

    client->token_len = n;

    return NGX_OK;
}


ngx_webrtc_request_t *
ngx_http_webrtc_whip_client_send(ngx_http_webrtc_whip_client_t *client,
    const char *method, ngx_str_t *url, ngx_str_t *body, ngx_msec_t timeout,
    ngx_webrtc_request_pt handler, void *ctx)
{
    u_char                     *p;
    size_t                      size;
    ngx_webrtc_request_t       *rq;
    ngx_webrtc_http_url_t       to;
    ngx_webrtc_request_conf_t   conf;

    if (ngx_webrtc_http_url(url, &to) != NGX_OK) {
        return NULL;
    }

    ngx_memzero(&conf, sizeof(ngx_webrtc_request_conf_t));

    ngx_http_webrtc_whip_client_where(client, &to, &conf);

    /* user and password are a third longer when they are encoded */

    size = NGX_HTTP_WEBRTC_WHIP_CLIENT_HEAD + 3 * url->len
           + 2 * client->user.len + client->token_len + body->len;

    p = ngx_alloc(size, client->log);

    if (p == NULL) {
        return NULL;
    }

    conf.text.data = p;
    conf.text.len = ngx_http_webrtc_whip_client_text(client, method, &to, body,
                                                     p, p + size)
                    - p;
    conf.timeout = timeout;
    conf.log = client->log;
    conf.handler = handler;
    conf.ctx = ctx;

    rq = ngx_webrtc_request(&conf);

    ngx_explicit_memzero(p, size);
    ngx_free(p);

    return rq;
}


static u_char *
ngx_http_webrtc_whip_client_text(ngx_http_webrtc_whip_client_t *client,
    const char *method, ngx_webrtc_http_url_t *to, ngx_str_t *body, u_char *p,
    u_char *end)
{
    p = ngx_slprintf(p, end, "%s %s%V HTTP/1.1" CRLF
                     "Host: %V" CRLF
                     "User-Agent: ngx_http_webrtc_module" CRLF
                     "Connection: close" CRLF,
                     method,
                     (to->path.len && to->path.data[0] == '/') ? "" : "/",
                     &to->path, &to->authority);

    if (ngx_http_webrtc_whip_client_trusts(client, to)) {

        if (client->token_len) {
            p = ngx_slprintf(p, end, "Authorization: Bearer %*s" CRLF,
                             client->token_len, client->token);

        } else if (client->user.len) {
            p = ngx_http_webrtc_whip_client_basic(&client->user, p, end);
        }
    }

    if (body->len) {
        p = ngx_slprintf(p, end, "Accept: application/sdp" CRLF
                         "Content-Type: application/sdp" CRLF
                         "Content-Length: %uz" CRLF, body->len);
    }

    return ngx_slprintf(p, end, CRLF "%V", body);
}


static u_char *
ngx_http_webrtc_whip_client_basic(const ngx_str_t *user, u_char *p,
    u_char *end)
{
    u_char     *src, *dst;
    ngx_str_t   plain, coded;
    u_char      buf[NGX_HTTP_WEBRTC_WHIP_CLIENT_TEXT];
    u_char      text[ngx_base64_encoded_length(
                                            NGX_HTTP_WEBRTC_WHIP_CLIENT_TEXT)];

    src = user->data;
    dst = buf;

    ngx_unescape_uri(&dst, &src, ngx_min(user->len, sizeof(buf)), 0);

    plain.data = buf;
    plain.len = dst - buf;
    coded.data = text;

    ngx_encode_base64(&coded, &plain);

    p = ngx_slprintf(p, end, "Authorization: Basic %V" CRLF, &coded);

    ngx_explicit_memzero(buf, sizeof(buf));
    ngx_explicit_memzero(text, sizeof(text));

    return p;
}


/* may it see what lets us in? */

static ngx_uint_t
ngx_http_webrtc_whip_client_trusts(ngx_http_webrtc_whip_client_t *client,
    ngx_webrtc_http_url_t *to)
{
    return ngx_http_webrtc_whip_client_own(client->conf, &to->host)
           && to->port == client->conf->port
           && (to->tls || client->conf->ssl == NULL);
}


/* is it the host of the configuration? */

static ngx_uint_t
ngx_http_webrtc_whip_client_own(const ngx_http_webrtc_whip_client_conf_t *conf,
    const ngx_str_t *host)
{
    return host->len == conf->host.len
           && ngx_strncasecmp(host->data, conf->host.data, host->len) == 0;
}


static void
ngx_http_webrtc_whip_client_where(ngx_http_webrtc_whip_client_t *client,
    ngx_webrtc_http_url_t *to, ngx_webrtc_request_conf_t *conf)
{
    ngx_webrtc_addr_t         *addr;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = client->wlcf->ctx->loc_conf[ngx_http_core_module.ctx_index];
    addr = &client->lookup.addr;

    conf->host = to->host;
    conf->port = to->port;
    conf->ssl = to->tls ? client->conf->ssl : NULL;
    conf->verify = client->verify;

    if (ngx_http_webrtc_whip_client_own(client->conf, &to->host)) {
        ngx_inet_set_port(&addr->u.sa, to->port);

        conf->sockaddr = &addr->u.sa;
        conf->socklen = addr->len;
        return;
    }

    /* whoever redirects us has not been chosen by the operator to do so
     * anywhere */

    conf->resolver = ngx_http_webrtc_whip_client_resolver(clcf);
    conf->resolver_timeout = clcf->resolver_timeout;

    conf->filtered = 1;
    conf->filter.chosen = 1;

    ngx_webrtc_ice_filter_client(&conf->filter, &addr->u.sa);

    if (client->wlcf->ice_rules) {
        conf->filter.rules = client->wlcf->ice_rules->elts;
        conf->filter.n = client->wlcf->ice_rules->nelts;
    }
}


const char *
ngx_http_webrtc_whip_client_redirect(ngx_http_webrtc_whip_client_t *client,
    ngx_str_t *at, ngx_webrtc_http_reply_t *reply, size_t max)
{
    size_t                  len;
    ngx_str_t               url;
    ngx_webrtc_http_url_t   from, to;
    u_char                  buf[NGX_HTTP_WEBRTC_WHIP_CLIENT_TEXT];

    len = 0;

    if (reply->location.len && ngx_webrtc_http_url(at, &from) == NGX_OK) {
        len = ngx_webrtc_http_resolve(&from, &reply->location, buf,
                                      ngx_min(sizeof(buf), max));
    }

    url.data = buf;
    url.len = len;

    if (len == 0 || ngx_webrtc_http_url(&url, &to) != NGX_OK) {
        return "it redirects to no URL of HTTP";
    }

    if (to.tls && client->conf->ssl == NULL) {
        return "it redirects to https, expected \"whips\" in its URL";
    }

    if (!to.tls && client->conf->ssl) {
        return "it redirects to what is not encrypted";
    }

    if (to.port != from.port && to.port != 80 && to.port != 443) {
        return "it redirects to another port";
    }

    ngx_memcpy(at->data, buf, len);
    at->len = len;

    return NULL;
}


void
ngx_http_webrtc_whip_client_session(const ngx_str_t *at,
    ngx_webrtc_http_reply_t *reply, ngx_str_t *url, size_t max)
{
    ngx_webrtc_http_url_t  from, to;

    url->len = 0;

    if (reply->location.len == 0 || ngx_webrtc_http_url(at, &from) != NGX_OK) {
        return;
    }

    url->len = ngx_webrtc_http_resolve(&from, &reply->location, url->data,
                                       max);

    if (url->len == 0 || ngx_webrtc_http_url(url, &to) != NGX_OK
        || to.tls != from.tls || to.port != from.port
        || to.host.len != from.host.len
        || ngx_strncasecmp(to.host.data, from.host.data, to.host.len) != 0)
    {
        url->len = 0;
    }
}


const char *
ngx_http_webrtc_whip_client_hint(ngx_uint_t status)
{
    switch (status) {

    case NGX_HTTP_UNAUTHORIZED:
    case NGX_HTTP_FORBIDDEN:
        return ": is there a \"token=\", and is it right?";

    case NGX_HTTP_NOT_FOUND:
    case NGX_HTTP_NOT_ALLOWED:
        return ": is this the URL of a WHIP endpoint?";

    case NGX_HTTP_CONFLICT:
        return ": does somebody else publish there?";

    default:
        return "";
    }
}
