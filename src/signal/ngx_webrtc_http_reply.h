
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a server answers to a request of ours, and the URLs that such requests
 * go to.  RFC 9110, RFC 9112, RFC 3986, 5.2.
 *
 * Pure.
 */


#ifndef _NGX_WEBRTC_HTTP_REPLY_H_INCLUDED_
#define _NGX_WEBRTC_HTTP_REPLY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a reply at most; chosen: an answer of SDP with many candidates */
#define NGX_WEBRTC_HTTP_REPLY_MAX  65536


/* views into the reply; what is absent is empty */
typedef struct {
    ngx_uint_t   status;
    ngx_uint_t   retry_after;          /* seconds, 0: none; at most a day */
    ngx_str_t    location;
    ngx_str_t    type;                 /* of the body, with its parameters */
    ngx_str_t    body;
} ngx_webrtc_http_reply_t;


/* views into the URL */
typedef struct {
    ngx_uint_t   tls;                  /* unsigned  tls:1; */
    ngx_str_t    user;                 /* user information, as it stands */
    ngx_str_t    authority;            /* without it, as a Host field has it */
    ngx_str_t    host;                 /* without brackets */
    in_port_t    port;
    ngx_str_t    path;                 /* and query; without the fragment; may
                                          be empty or begin with "?" */
} ngx_webrtc_http_url_t;


/*
 * Parses a reply as far as it has come; called again when there is more.
 * Interim replies (1xx) are skipped.
 *
 *   p, n   all of it so far; a body in chunks is joined in place once it is
 *          complete, so that nothing may follow
 *   eof    1: nothing more will come
 *
 * NGX_OK        it is complete
 * NGX_AGAIN     not yet
 * NGX_DECLINED  malformed, or cut off
 */
ngx_int_t ngx_webrtc_http_reply(u_char *p, size_t n, ngx_uint_t eof,
    ngx_webrtc_http_reply_t *reply);

/*
 * Takes a URL apart: "http", "https", and "whip" and "whips", which are other
 * words for them.
 *
 * NGX_OK; NGX_DECLINED: it is none, or has bytes that URLs do not have
 */
ngx_int_t ngx_webrtc_http_url(const ngx_str_t *url,
    ngx_webrtc_http_url_t *parts);

/*
 * RFC 3986, 5.2.  What a reference means, such as that of a Location.
 *
 *   base   of the request
 *   ref    not empty
 *   buf    room of max bytes for the URL, "http" or "https"
 *
 * Returns its length; 0: it leads to no such URL, or does not fit
 */
size_t ngx_webrtc_http_resolve(const ngx_webrtc_http_url_t *base,
    const ngx_str_t *ref, u_char *buf, size_t max);


#endif /* _NGX_WEBRTC_HTTP_REPLY_H_INCLUDED_ */
