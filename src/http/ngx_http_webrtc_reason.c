
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Why a stream is not live, or cannot be published, in words for the client.
 * Upstream errors are also in the log and in the status, with full addresses.
 */


#include "ngx_http_webrtc_reason.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_webrtc_bus_error.h"


/* room for the words around the name and what went wrong */
#define NGX_HTTP_WEBRTC_REASON  128


static const char *ngx_http_webrtc_reason_feed(ngx_webrtc_stream_t *st);
static const char *ngx_http_webrtc_reason_state(ngx_http_request_t *r,
    ngx_webrtc_stream_t *st);
static u_char *ngx_http_webrtc_reason_copy(u_char *p, u_char *text,
    size_t len);
static ngx_uint_t ngx_http_webrtc_reason_names(u_char *p, u_char *last);
static ngx_uint_t ngx_http_webrtc_reason_parts(u_char c);


ngx_int_t
ngx_http_webrtc_reason(ngx_http_request_t *r, ngx_str_t *name,
    ngx_webrtc_stream_t *st, ngx_str_t *detail)
{
    u_char              *p, *end;
    size_t               size;
    ngx_uint_t           source;
    ngx_webrtc_error_t   error;

    size = NGX_HTTP_WEBRTC_REASON + name->len + NGX_WEBRTC_ERROR_TEXT;

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    end = p + size;

    detail->data = p;

    p = ngx_slprintf(p, end, "\"%V\": ", name);

    if (st
        && ngx_webrtc_bus_error_now(ngx_http_webrtc_worker->bus, st, &error)
           == NGX_OK)
    {
        source = ngx_webrtc_claim_feeds(ngx_webrtc_bus_claimed(st, NULL));

        p = ngx_slprintf(p, end, source
                                 ? "its source failed and is tried again: "
                                 : "it failed: ");
        p = ngx_http_webrtc_reason_copy(p, error.text, error.len);

    } else {
        p = ngx_slprintf(p, end, "%s", ngx_http_webrtc_reason_state(r, st));
    }

    detail->len = p - detail->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_reason_taken(ngx_http_request_t *r, ngx_str_t *name,
    ngx_webrtc_stream_t *st)
{
    size_t     size;
    ngx_str_t  detail;

    if (!ngx_webrtc_claim_feeds(ngx_webrtc_bus_claimed(st, NULL))) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                       "the stream is already published",
                                       name);
    }

    size = NGX_HTTP_WEBRTC_REASON + name->len;

    detail.data = ngx_pnalloc(r->pool, size);
    if (detail.data == NULL) {
        return NGX_ERROR;
    }

    detail.len = ngx_snprintf(detail.data, size,
                              "\"%V\": %s feeds it while it has viewers; "
                              "publish under another name", name,
                              ngx_http_webrtc_reason_feed(st))
                 - detail.data;

    return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                   "the stream has a source", &detail);
}


static const char *
ngx_http_webrtc_reason_feed(ngx_webrtc_stream_t *st)
{
    switch (ngx_webrtc_bus_claimed(st, NULL)) {

    case NGX_WEBRTC_CLAIM_RTP:
        return "\"webrtc_rtp\"";

    case NGX_WEBRTC_CLAIM_EXEC:
        return "\"webrtc_exec\"";

    default:
        return "\"webrtc_pull\"";
    }
}


ngx_uint_t
ngx_http_webrtc_reason_is_name(ngx_str_t *name)
{
    ngx_uint_t  i;

    if (name->len == 0 || name->len > NGX_WEBRTC_NAME_MAX) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        if (name->data[i] < ' ' || name->data[i] == 0x7f) {
            return 0;
        }

        /* C1 controls in UTF-8: some terminals take U+009B for ESC [ */

        if (name->data[i] == 0xc2 && i + 1 < name->len
            && (name->data[i + 1] & 0xe0) == 0x80)
        {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_webrtc_reason_no_name(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_str_t  detail;

    if (name->len) {
        ngx_str_set(&detail, "the name of the stream has more than 127 bytes, "
                             "or a control character");

    } else {
        ngx_str_set(&detail, "this URL gives the stream no name: what "
                             "\"webrtc_play\" or \"webrtc_publish\" has is "
                             "empty for it");
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such stream",
                                   &detail);
}


static const char *
ngx_http_webrtc_reason_state(ngx_http_request_t *r, ngx_webrtc_stream_t *st)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    switch (st ? ngx_webrtc_bus_claimed(st, NULL) : 0) {

    case NGX_WEBRTC_CLAIM_PUBLISH:
        return "its publisher is connected, but sends no media";

    case NGX_WEBRTC_CLAIM_RTP:
        return "no RTP has come for it so far, or no more";

    case NGX_WEBRTC_CLAIM_EXEC:
        return "its command has sent no RTP so far, or no more";

    case NGX_WEBRTC_CLAIM_SOURCE:
        return ngx_webrtc_bus_state(st) == NGX_WEBRTC_STREAM_INACTIVE
               ? "its source has ended or was lost, and will be tried again"
               : "its source is starting, and its tracks are not known yet";
    }

    if (st && ngx_webrtc_bus_state(st) == NGX_WEBRTC_STREAM_INACTIVE) {
        return wlcf->pull ? "its source has ended"
                          : "its publisher has gone, nobody publishes it";
    }

    return wlcf->pull ? "its source could not be started"
                      : "nobody publishes it";
}


/* copies an error text without words that name a host, a URL or a path */

static u_char *
ngx_http_webrtc_reason_copy(u_char *p, u_char *text, size_t len)
{
    u_char  *s, *last, *end;

    last = text + len;

    for (s = text; s < last; s = end) {

        end = s;

        if (ngx_http_webrtc_reason_parts(*s)) {
            *p++ = *end++;
            continue;
        }

        while (end < last && !ngx_http_webrtc_reason_parts(*end)) {
            end++;
        }

        p = ngx_http_webrtc_reason_names(s, end)
            ? ngx_cpymem(p, "*", 1) : ngx_cpymem(p, s, end - s);
    }

    return p;
}


static ngx_uint_t
ngx_http_webrtc_reason_names(u_char *p, u_char *last)
{
    if (*p == '/') {
        return 1;
    }

    for ( /* void */ ; last - p >= 3; p++) {

        if ((p[0] == ':' && (p[1] == ':' || (p[1] == '/' && p[2] == '/')))
            || (p[0] > ' ' && p[1] == '.' && p[2] > ' '))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_webrtc_reason_parts(u_char c)
{
    return c == ' ' || c == '\'' || c == '(' || c == ')';
}
