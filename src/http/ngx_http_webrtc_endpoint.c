
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests to a URL that accepts offers, common to all kinds of offers.
 *
 * RFC 9725 (WHIP), 4.2; draft-ietf-wish-whep-03.
 */


#include "ngx_http_webrtc_endpoint.h"
#include "ngx_http_webrtc_cors.h"
#include "ngx_http_webrtc_player.h"
#include "ngx_http_webrtc_session.h"


ngx_int_t
ngx_http_webrtc_endpoint(ngx_http_request_t *r, ngx_uint_t role,
    ngx_http_webrtc_body_pt offer)
{
    ngx_int_t                    rc;
    ngx_str_t                    id, empty;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    if (ngx_http_webrtc_arg(r, "session", &id) == NGX_OK) {
        return ngx_http_webrtc_session_handler(r, role, &id);
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (r->method == NGX_HTTP_POST
        && ngx_http_webrtc_is_type(r, &ngx_http_webrtc_sdp_type))
    {
        return ngx_http_webrtc_read_body(r, wlcf->max_sdp, offer);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_null(&empty);

    switch (r->method) {

    case NGX_HTTP_OPTIONS:
        return ngx_http_webrtc_cors_options(r);

    case NGX_HTTP_GET:
        rc = ngx_http_webrtc_player(r);

        if (rc != NGX_DECLINED) {
            return rc;
        }

        return ngx_http_webrtc_answer(r, NGX_HTTP_NO_CONTENT, NULL, &empty);

    case NGX_HTTP_HEAD:
        return ngx_http_webrtc_answer(r, NGX_HTTP_OK,
                                      &ngx_http_webrtc_sdp_type, &empty);

    case NGX_HTTP_POST:
        return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                       "expected application/sdp", NULL);
    }

    return ngx_http_webrtc_not_allowed(r, ngx_http_webrtc_methods(r));
}
