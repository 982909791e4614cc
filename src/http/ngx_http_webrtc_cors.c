
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * OPTIONS, and CORS.  Browsers send preflights without credentials, so they
 * have to be answered before auth_basic and auth_request ask for some: in the
 * rewrite phase, before the location's own "return 401", or, if an "if" has
 * selected the location, in the preaccess phase.
 *
 * WHATWG Fetch, 3.2; RFC 9725, 4.2.
 */


#include "ngx_http_webrtc_cors.h"
#include "ngx_http_webrtc_ice_server.h"
#include "ngx_http_webrtc_resource.h"


static ngx_int_t ngx_http_webrtc_cors_preflight(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_cors_methods(ngx_http_request_t *r,
    ngx_str_t *methods, ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_cors_asked(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_cors_add(ngx_http_request_t *r,
    ngx_str_t *asked, ngx_str_t *list);
static ngx_uint_t ngx_http_webrtc_cors_has(u_char *p, u_char *end,
    ngx_str_t *name);
static u_char *ngx_http_webrtc_cors_token(u_char *p, u_char *end,
    ngx_str_t *token);
static ngx_uint_t ngx_http_webrtc_cors_is_preflight(ngx_http_request_t *r);
static ngx_uint_t ngx_http_webrtc_cors_is_ours(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf);
static ngx_uint_t ngx_http_webrtc_cors_is_added(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_cors_filter(ngx_http_request_t *r);


/* bytes of header names that a preflight may request; chosen: about a dozen */
#define NGX_HTTP_WEBRTC_CORS_ASKED  512


static const char  ngx_http_webrtc_cors_name[] =
    "Access-Control-Allow-Origin";

static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


ngx_int_t
ngx_http_webrtc_cors_init(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    static const ngx_http_phases  phases[] = {
        NGX_HTTP_REWRITE_PHASE, NGX_HTTP_PREACCESS_PHASE
    };

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_webrtc_cors_filter;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {

        h = ngx_array_push(&cmcf->phases[phases[i]].handlers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = ngx_http_webrtc_cors_preflight;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_cors_preflight(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    if (r->method != NGX_HTTP_OPTIONS) {
        return NGX_DECLINED;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (!ngx_http_webrtc_cors_is_ours(r, wlcf)
        || !ngx_http_webrtc_cors_is_preflight(r))
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc == NGX_OK) {
        rc = ngx_http_webrtc_cors_options(r);
    }

    ngx_http_webrtc_end(r, rc);

    return NGX_DONE;
}


ngx_int_t
ngx_http_webrtc_cors_options(ngx_http_request_t *r)
{
    ngx_str_t                    body, allowed, *methods;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    static ngx_str_t  both = ngx_string("application/trickle-ice-sdpfrag, "
                                        "application/sdp");

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    methods = ngx_http_webrtc_methods(r);

    if (!wlcf->live
        && (ngx_http_webrtc_header(r, "Accept-Post",
                                   methods == &ngx_http_webrtc_order_methods
                                   ? &ngx_http_webrtc_json_type
                                   : &ngx_http_webrtc_sdp_type)
            != NGX_OK
            || ngx_http_webrtc_header(r, "Accept-Patch",
                                      wlcf->play ? &both
                                                 : &ngx_http_webrtc_frag_type)
               != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_webrtc_header(r, "Allow", methods) != NGX_OK
        || ngx_http_webrtc_cors_methods(r, methods, &allowed) != NGX_OK
        || ngx_http_webrtc_header(r, "Access-Control-Allow-Methods", &allowed)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* RFC 9725, 4.6: no ICE servers for unauthorized clients */

    if (!wlcf->live && !ngx_http_webrtc_cors_is_preflight(r)
        && ngx_http_webrtc_ice_server_links(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&body);

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, NULL, &body);
}


/*
 * The methods returned to a preflight: those of the resource and the requested
 * one, except GET, HEAD and POST, which need no permission (Fetch, 2.2.1).  A
 * method that the resource does not support is refused when the request itself
 * comes, so that the page learns why.
 *
 *   value   out; from the request's pool, or methods itself
 *
 * NGX_OK; NGX_ERROR: out of memory
 */

static ngx_int_t
ngx_http_webrtc_cors_methods(ngx_http_request_t *r, ngx_str_t *methods,
    ngx_str_t *value)
{
    u_char     *p, *end;
    ngx_str_t  *asked, name;

    static u_char  simple[] = "GET, HEAD, POST";

    *value = *methods;

    asked = ngx_http_webrtc_request_header(r, "access-control-request-method");

    if (asked == NULL) {
        return NGX_OK;
    }

    end = asked->data + asked->len;
    p = ngx_http_webrtc_cors_token(asked->data, end, &name);

    if (p != end
        || ngx_http_webrtc_cors_has(simple, simple + sizeof(simple) - 1,
                                    &name))
    {
        return NGX_OK;
    }

    return ngx_http_webrtc_cors_add(r, &name, value);
}


/* headers of a preflight response other than the methods */

static ngx_int_t
ngx_http_webrtc_cors_asked(ngx_http_request_t *r)
{
    ngx_str_t  *asked, allow;

    static ngx_str_t  age = ngx_string("86400");
    static ngx_str_t  yes = ngx_string("true");

    ngx_str_set(&allow, "Authorization, Content-Type, If-Match");

    asked = ngx_http_webrtc_request_header(r,
                                           "access-control-request-headers");

    if (asked && ngx_http_webrtc_cors_add(r, asked, &allow) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a public page accesses a server in the user's own network */

    asked = ngx_http_webrtc_request_header(r,
                                     "access-control-request-private-network");

    if (asked
        && ngx_http_webrtc_header(r, "Access-Control-Allow-Private-Network",
                                  &yes)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_webrtc_header(r, "Access-Control-Allow-Headers", &allow)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_webrtc_header(r, "Access-Control-Max-Age", &age);
}


/*
 * Adds the names of one list that are missing in another.  A malformed list
 * (RFC 9110, 5.6.1), or one that is too long, is ignored.
 */

static ngx_int_t
ngx_http_webrtc_cors_add(ngx_http_request_t *r, ngx_str_t *asked,
    ngx_str_t *list)
{
    u_char     *p, *end, *last, *at;
    ngx_str_t   token;

    if (asked->len > NGX_HTTP_WEBRTC_CORS_ASKED) {
        return NGX_OK;
    }

    /* each name is copied once, after ", " */

    at = ngx_pnalloc(r->pool, list->len + 3 * asked->len);
    if (at == NULL) {
        return NGX_ERROR;
    }

    last = ngx_cpymem(at, list->data, list->len);

    p = asked->data;
    end = p + asked->len;

    while ((p = ngx_http_webrtc_cors_token(p, end, &token)) != NULL) {

        if (token.len == 0) {
            list->data = at;
            list->len = last - at;
            return NGX_OK;
        }

        if (!ngx_http_webrtc_cors_has(at, last, &token)) {
            last = ngx_cpymem(last, ", ", 2);
            last = ngx_cpymem(last, token.data, token.len);
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_webrtc_cors_has(u_char *p, u_char *end, ngx_str_t *name)
{
    ngx_str_t  token;

    do {
        p = ngx_http_webrtc_cors_token(p, end, &token);

        if (token.len == name->len
            && ngx_strncasecmp(token.data, name->data, name->len) == 0)
        {
            return 1;
        }

    } while (p && token.len);

    return 0;
}


/*
 * Reads the next name of a list, empty at its end.  Returns the position after
 * it, or NULL if the list is malformed.
 */

static u_char *
ngx_http_webrtc_cors_token(u_char *p, u_char *end, ngx_str_t *token)
{
    while (p < end && (*p == ',' || *p == ' ' || *p == '\t')) {
        p++;
    }

    token->data = p;

    /* RFC 9110, 5.6.2 */

    while (p < end
           && ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z')
               || (*p >= 'a' && *p <= 'z')
               || ngx_strchr("!#$%&'*+-.^_`|~", *p)))
    {
        p++;
    }

    token->len = p - token->data;

    if (p < end && *p != ',' && *p != ' ' && *p != '\t') {
        return NULL;
    }

    return p;
}


/* whether it is a CORS preflight */

static ngx_uint_t
ngx_http_webrtc_cors_is_preflight(ngx_http_request_t *r)
{
    return r->method == NGX_HTTP_OPTIONS
           && ngx_http_webrtc_request_header(r,
                                             "access-control-request-method")
              != NULL;
}


static ngx_uint_t
ngx_http_webrtc_cors_is_ours(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf)
{
    return wlcf->cors_origin.len
           && (wlcf->play || wlcf->publish || wlcf->status || wlcf->recordings
               || (wlcf->file && r->content_handler == NULL))
           && r == r->main;
}


/* a filter after ours may replace the response, as the range filter does */

static ngx_uint_t
ngx_http_webrtc_cors_is_added(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.data == (u_char *) ngx_http_webrtc_cors_name) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_webrtc_cors_filter(ngx_http_request_t *r)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    static ngx_str_t  expose = ngx_string("Location, ETag, Link, Retry-After, "
                                          "Accept-Patch");
    static ngx_str_t  vary = ngx_string("Origin");

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (!ngx_http_webrtc_cors_is_ours(r, wlcf)
        || ngx_http_webrtc_cors_is_added(r))
    {
        return ngx_http_next_header_filter(r);
    }

    if (ngx_http_webrtc_header(r, ngx_http_webrtc_cors_name,
                               &wlcf->cors_origin)
        != NGX_OK
        || ngx_http_webrtc_header(r, "Access-Control-Expose-Headers", &expose)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (wlcf->cors_origin.data[0] != '*'
        && ngx_http_webrtc_header(r, "Vary", &vary) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->method == NGX_HTTP_OPTIONS
        && ngx_http_webrtc_cors_asked(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}
