
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * URLs put into answers.
 *
 * Each is built from the client's request so that it leads back to the same
 * location: the path of the request line, before any rewrite, or that of
 * "webrtc_public_path" if a proxy in front has changed it; and the query of the
 * request line, which may contain tokens.  Our own arguments (session, events,
 * signal) are removed from the query and added anew.
 *
 * The parts come from the client and are sent in Location, Link and JSON, so
 * bytes that would end the URL or the header there are percent-encoded.
 *
 * RFC 3986; RFC 8288, 3 (Link).
 */


#include "ngx_http_webrtc_url.h"


static ngx_int_t ngx_http_webrtc_url_path(ngx_http_request_t *r,
    ngx_str_t *path);
static ngx_int_t ngx_http_webrtc_url_public(ngx_http_request_t *r,
    ngx_str_t *path);
static size_t ngx_http_webrtc_url_scheme(ngx_str_t *value);
static void ngx_http_webrtc_url_query(ngx_http_request_t *r,
    ngx_str_t *query);
static u_char *ngx_http_webrtc_url_args(u_char *p, ngx_str_t *query);
static ngx_uint_t ngx_http_webrtc_url_ours(u_char *p, u_char *end);
static u_char *ngx_http_webrtc_url_escape(u_char *p, u_char *src, u_char *end);


/* our arguments, in URLs of sessions, events and signalling */

static ngx_str_t  ngx_http_webrtc_url_names[] = {
    ngx_string("session"),
    ngx_string("events"),
    ngx_string("signal"),
    ngx_null_string
};


ngx_int_t
ngx_http_webrtc_url_endpoint(ngx_http_request_t *r, ngx_str_t *url)
{
    u_char     *p;
    ngx_str_t   path, query;

    if (ngx_http_webrtc_url_path(r, &path) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_webrtc_url_query(r, &query);

    p = ngx_pnalloc(r->pool, path.len + 1 + 3 * query.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    url->data = p;

    p = ngx_cpymem(p, path.data, path.len);
    p = ngx_http_webrtc_url_args(p, &query);

    url->len = p - url->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_url_session(ngx_http_request_t *r, u_char *id,
    const char *more, ngx_str_t *url)
{
    u_char     *p;
    ngx_str_t   endpoint;

    if (ngx_http_webrtc_url_endpoint(r, &endpoint) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, endpoint.len + sizeof("?session=") - 1
                             + NGX_WEBRTC_PEER_ID_LEN + ngx_strlen(more));
    if (p == NULL) {
        return NGX_ERROR;
    }

    url->data = p;

    p = ngx_cpymem(p, endpoint.data, endpoint.len);

    p = ngx_cpymem(p, ngx_strlchr(url->data, p, '?') ? "&session="
                                                     : "?session=",
                   sizeof("?session=") - 1);
    p = ngx_cpymem(p, id, NGX_WEBRTC_PEER_ID_LEN);
    p = ngx_cpymem(p, more, ngx_strlen(more));

    url->len = p - url->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_url_again(ngx_http_request_t *r, ngx_str_t *url)
{
    u_char     *p;
    ngx_str_t   path, query;

    if (ngx_http_webrtc_url_path(r, &path) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_webrtc_url_query(r, &query);

    p = ngx_pnalloc(r->pool, path.len + 1 + 3 * query.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    url->data = p;

    p = ngx_cpymem(p, path.data, path.len);

    if (query.len) {
        *p++ = '?';
        p = ngx_http_webrtc_url_escape(p, query.data, query.data + query.len);
    }

    url->len = p - url->data;

    return NGX_OK;
}


/* the endpoint without its query, escaped */

static ngx_int_t
ngx_http_webrtc_url_path(ngx_http_request_t *r, ngx_str_t *path)
{
    u_char     *p, *src, *end, *last;
    size_t      scheme;
    ngx_str_t   value;

    if (ngx_http_webrtc_url_public(r, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    scheme = value.len ? ngx_http_webrtc_url_scheme(&value) : 0;

    if (value.len == 0) {

        /* nginx has already removed the host of an absolute-form request */

        value = r->main->unparsed_uri;
    }

    src = value.data;
    end = src + value.len;

    for (last = src; last != end && *last != '?' && *last != '#'; last++) {
        /* void */
    }

    /* two leading slashes would turn the path into a host */

    while (scheme == 0 && src != last && *src == '/') {
        src++;
    }

    p = ngx_pnalloc(r->pool, 1 + 3 * (last - src));
    if (p == NULL) {
        return NGX_ERROR;
    }

    path->data = p;

    if (scheme == 0) {
        *p++ = '/';
    }

    p = ngx_http_webrtc_url_escape(p, src, last);

    path->len = p - path->data;

    return NGX_OK;
}


/*
 * Value of "webrtc_public_path", empty if there is none.  Only the literal
 * configuration may name another host, not a variable with a client's header.
 */

static ngx_int_t
ngx_http_webrtc_url_public(ngx_http_request_t *r, ngx_str_t *path)
{
    size_t                       skip;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    ngx_str_null(path);

    if (wlcf->public_path == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, wlcf->public_path, path) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!wlcf->public_host) {

        /* only the path of "https://host/path" from a variable */

        skip = ngx_http_webrtc_url_scheme(path);

        path->data += skip;
        path->len -= skip;

        while (skip && path->len && path->data[0] != '/') {
            path->data++;
            path->len--;
        }
    }

    return NGX_OK;
}


/* bytes of a leading "http://" or "https://", or 0 */

static size_t
ngx_http_webrtc_url_scheme(ngx_str_t *value)
{
    size_t       n;
    ngx_uint_t   i;

    static const char  *schemes[] = { "http://", "https://" };

    for (i = 0; i < 2; i++) {
        n = ngx_strlen(schemes[i]);

        if (value->len >= n
            && ngx_strncasecmp(value->data, (u_char *) schemes[i], n) == 0)
        {
            return n;
        }
    }

    return 0;
}


/* as sent by the client, without "?" */

static void
ngx_http_webrtc_url_query(ngx_http_request_t *r, ngx_str_t *query)
{
    u_char  *p, *end;

    ngx_str_null(query);

    end = r->main->unparsed_uri.data + r->main->unparsed_uri.len;

    for (p = r->main->unparsed_uri.data; p != end && *p != '?'; p++) {

        if (*p == '#') {
            return;
        }
    }

    if (p == end) {
        return;
    }

    query->data = ++p;

    while (p != end && *p != '#') {
        p++;
    }

    query->len = p - query->data;
}


/* "?a=b&c": arguments that are not ours, escaped; nothing if there are none */

static u_char *
ngx_http_webrtc_url_args(u_char *p, ngx_str_t *query)
{
    u_char  *arg, *amp, *end, delimiter;

    end = query->data + query->len;
    delimiter = '?';

    for (arg = query->data; arg < end; arg = amp + 1) {

        amp = ngx_strlchr(arg, end, '&');
        if (amp == NULL) {
            amp = end;
        }

        if (arg == amp || ngx_http_webrtc_url_ours(arg, amp)) {
            continue;
        }

        *p++ = delimiter;
        p = ngx_http_webrtc_url_escape(p, arg, amp);

        delimiter = '&';
    }

    return p;
}


/* whether an argument is one of ours */

static ngx_uint_t
ngx_http_webrtc_url_ours(u_char *p, u_char *end)
{
    size_t      len;
    ngx_str_t  *name;

    len = end - p;

    for (name = ngx_http_webrtc_url_names; name->len; name++) {

        if (len >= name->len
            && ngx_memcmp(p, name->data, name->len) == 0
            && (len == name->len || p[name->len] == '='))
        {
            return 1;
        }
    }

    return 0;
}


/* writes at most three bytes for each byte */

static u_char *
ngx_http_webrtc_url_escape(u_char *p, u_char *src, u_char *end)
{
    for ( /* void */ ; src != end; src++) {

        if (*src <= ' ' || *src >= 0x7f || *src == '<' || *src == '>'
            || *src == '"' || *src == '\\')
        {
            p = ngx_sprintf(p, "%%%02Xd", *src);
            continue;
        }

        *p++ = *src;
    }

    return p;
}


/*
 * webrtc_public_path value;
 * webrtc_public_path off;
 */

char *
ngx_http_webrtc_url_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_str_t                         *value;
    ngx_http_compile_complex_value_t   ccv;

    static ngx_str_t  scheme = ngx_string("$scheme://");

    if (wlcf->public_path != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        wlcf->public_path = NULL;
        return NGX_CONF_OK;
    }

    wlcf->public_host = ngx_http_webrtc_url_scheme(&value[1]) != 0
                        || (value[1].len > scheme.len
                            && ngx_memcmp(value[1].data, scheme.data,
                                          scheme.len)
                               == 0);

    if (value[1].len == 0
        || (value[1].data[0] != '/' && value[1].data[0] != '$'
            && !wlcf->public_host)
        || ngx_strlchr(value[1].data, value[1].data + value[1].len, '?')
        || ngx_strlchr(value[1].data, value[1].data + value[1].len, '#'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in webrtc_public_path, "
                           "expected \"off\", or a path or URL without a "
                           "query, such as \"/media$request_uri\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    wlcf->public_path = ngx_palloc(cf->pool,
                                   sizeof(ngx_http_complex_value_t));
    if (wlcf->public_path == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = wlcf->public_path;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void
ngx_http_webrtc_url_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    if (conf->public_path != NGX_CONF_UNSET_PTR) {
        return;
    }

    conf->public_path = (prev->public_path == NGX_CONF_UNSET_PTR)
                        ? NULL : prev->public_path;
    conf->public_host = prev->public_host;
}
