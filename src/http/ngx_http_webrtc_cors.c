
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * CORS.  A browser sends preflights without credentials, so that they have to
 * be answered before auth_basic and auth_request ask for some: in the rewrite
 * phase, ahead of the location's own "return 401", or, where an "if" has chosen
 * the location, in the preaccess phase.
 *
 * WHATWG Fetch, 3.2; RFC 9725, 4.2.
 */


#include "ngx_http_webrtc_cors.h"
#include "ngx_http_webrtc_resource.h"


static ngx_int_t ngx_http_webrtc_cors_preflight(ngx_http_request_t *r);
static ngx_uint_t ngx_http_webrtc_cors_is_ours(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf);
static ngx_uint_t ngx_http_webrtc_cors_is_added(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_cors_filter(ngx_http_request_t *r);


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
        || !ngx_http_webrtc_is_preflight(r))
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc == NGX_OK) {
        rc = ngx_http_webrtc_options(r);
    }

    ngx_http_webrtc_end(r, rc);

    return NGX_DONE;
}


ngx_uint_t
ngx_http_webrtc_is_preflight(ngx_http_request_t *r)
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
           && (wlcf->play || wlcf->publish || wlcf->status
               || (wlcf->file && r->content_handler == NULL))
           && r == r->main;
}


/* a filter behind ours may make another response of it, as the range filter */

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
    static ngx_str_t  allow = ngx_string("Authorization, Content-Type, "
                                         "If-Match");
    static ngx_str_t  age = ngx_string("86400");
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
        && (ngx_http_webrtc_header(r, "Access-Control-Allow-Headers", &allow)
            != NGX_OK
            || ngx_http_webrtc_header(r, "Access-Control-Max-Age", &age)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}
