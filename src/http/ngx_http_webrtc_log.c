
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Anyone who knows a session's id can end it or redirect its media, and the id
 * is part of the session's URL.  nginx appends the request line and the URLs of
 * upstream and referrer to each error_log line of a request: the id is replaced
 * there by the session's public id (ngx_webrtc_bus_public.h).  Other arguments
 * may be tokens that authorize playing or publishing: their values are removed.
 *
 * This works from the rewrite phase on, when the location is known.  Lines
 * logged before are about requests that nginx cannot parse.
 */


#include "ngx_http_webrtc_log.h"
#include "ngx_webrtc_bus_public.h"
#include "ngx_webrtc_source_mask.h"


static ngx_int_t ngx_http_webrtc_log_hide(ngx_http_request_t *r);
static u_char *ngx_http_webrtc_log_handler(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);
static u_char *ngx_http_webrtc_log_args(u_char *p, u_char *last);
static u_char *ngx_http_webrtc_log_args_end(u_char *p, u_char *last);
static u_char *ngx_http_webrtc_log_mask(u_char *p, u_char *last);


/* our arguments, kept; the value of the first is masked separately */

static const ngx_str_t  ngx_http_webrtc_log_plain[] = {
    ngx_string("session"),
    ngx_string("events"),
    ngx_string("signal"),
    ngx_null_string
};


/* nginx's own handler, the same for all requests */
static ngx_http_log_handler_pt  ngx_http_webrtc_log_next;


ngx_int_t
ngx_http_webrtc_log_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_webrtc_log_hide;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_log_hide(ngx_http_request_t *r)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if ((wlcf->play || wlcf->publish || wlcf->file)
        && r->log_handler != ngx_http_webrtc_log_handler)
    {
        ngx_http_webrtc_log_next = r->log_handler;
        r->log_handler = ngx_http_webrtc_log_handler;
    }

    return NGX_DECLINED;
}


static u_char *
ngx_http_webrtc_log_handler(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    u_char  *last;

    last = ngx_http_webrtc_log_next(r, sr, buf, len);
    last = ngx_http_webrtc_log_args(buf, last);

    return ngx_http_webrtc_log_mask(buf, last);
}


/* removes the values of arguments; returns the new end */

static u_char *
ngx_http_webrtc_log_args(u_char *p, u_char *last)
{
    size_t   n;
    u_char  *end;

    while ((p = ngx_strlchr(p, last, '?')) != NULL) {

        p++;
        end = ngx_http_webrtc_log_args_end(p, last);

        n = ngx_webrtc_source_mask_query(p, end - p,
                                         ngx_http_webrtc_log_plain);

        ngx_memmove(p + n, end, last - end);
        last -= end - p - n;
        p += n;
    }

    return last;
}


/* a request line continues with " HTTP/1.1", a URL ends with '"' */

static u_char *
ngx_http_webrtc_log_args_end(u_char *p, u_char *last)
{
    for ( /* void */ ; p < last; p++) {

        if (*p == ' '
            || (*p == '"' && (last - p == 1 || p[1] == ',')))
        {
            break;
        }
    }

    return p;
}


/* replaces session ids; returns the new end, as a public id is shorter */

static u_char *
ngx_http_webrtc_log_mask(u_char *p, u_char *last)
{
    size_t   n;
    u_char  *id;

    static ngx_str_t  name = ngx_string("session=");

    while ((p = ngx_strlcasestrn(p, last, name.data, name.len - 1)) != NULL) {

        p += name.len;
        id = p;

        while (p < last && ((*p >= '0' && *p <= '9')
                            || (*p >= 'a' && *p <= 'f')))
        {
            p++;
        }

        n = p - id;

        if (n >= NGX_WEBRTC_PEER_ID_LEN) {

            ngx_webrtc_bus_public(id, id);
            id += NGX_WEBRTC_PUBLIC_LEN;

        } else if (p != last || n == 0) {

            /* not an id */
            continue;
        }

        /* otherwise the buffer was full in the middle of an id */

        last = ngx_movemem(id, p, last - p);
        p = id;
    }

    return last;
}
