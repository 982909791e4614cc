
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The client of HTTP that publishes by WHIP: whom it asks, and what lets it in.
 * RFC 9725; RFC 6750 (bearer tokens), RFC 7617 (user and password of the URL).
 *
 * Tokens and passwords go to host and port of the configuration only, and never
 * from "whips" to what is not encrypted.  The host is looked up once for each
 * attempt, with a "resolver" or when nginx starts, and all requests to it go to
 * that address: where it has several, each may be another server.  A redirect
 * leads to public addresses, or into the target's own network, unless
 * "webrtc_ice_allow" names others.
 */


#ifndef _NGX_HTTP_WEBRTC_WHIP_CLIENT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_WHIP_CLIENT_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_lookup.h"
#include "ngx_webrtc_request.h"


/* bytes of a token, or of a URL */
#define NGX_HTTP_WEBRTC_WHIP_CLIENT_TEXT  2048


/*
 * Of one "webrtc_push"; zeroed, then the first two are set.
 *
 *   token      Bearer; NULL: none
 *   evaluate   makes it, in a buffer of NGX_HTTP_WEBRTC_WHIP_CLIENT_TEXT bytes,
 *              and returns its length; 0: there is none
 */
typedef struct {
    ngx_http_complex_value_t  *token;
    size_t                   (*evaluate)(void *ctx, ngx_webrtc_stream_t *st,
                                   u_char *buf);
    ngx_str_t                  host;      /* as the URL has it */
    in_port_t                  port;
    ngx_addr_t                *addrs;     /* of it when nginx started */
    ngx_uint_t                 naddrs;
    ngx_uint_t                 literal;   /* the host is an address */
    void                      *ssl;       /* NULL: no TLS */
} ngx_http_webrtc_whip_client_conf_t;


/* the first five are set by the caller, the rest is zeroed */
typedef struct {
    const ngx_http_webrtc_whip_client_conf_t  *conf;
    ngx_http_webrtc_loc_conf_t  *wlcf;    /* whose "resolver" counts */
    ngx_uint_t                   verify;  /* unsigned  verify:1; */
    ngx_log_t                   *log;
    ngx_webrtc_lookup_t          lookup;  /* of the host; its port is that of
                                             the last request */
    ngx_str_t                    user;    /* and password, of the URL */
    ngx_uint_t                   tried;   /* times that one did not answer: the
                                             next one has another address */
    size_t                       token_len;
    u_char                       token[NGX_HTTP_WEBRTC_WHIP_CLIENT_TEXT];
} ngx_http_webrtc_whip_client_t;


/*
 * Looks up the host of a target's URL, and prepares TLS.
 *
 *   prefix   literal part of the URL, which has all of the host
 *
 * NGX_OK; NGX_ERROR after logging
 */
ngx_int_t ngx_http_webrtc_whip_client_conf(ngx_conf_t *cf, ngx_str_t *prefix,
    ngx_uint_t verify, ngx_http_webrtc_whip_client_conf_t *conf);

/*
 * Finds the address of the target: as ngx_webrtc_lookup(), of client->lookup.
 */
ngx_int_t ngx_http_webrtc_whip_client_find(
    ngx_http_webrtc_whip_client_t *client, void (*handler)(void *ctx),
    void *ctx);

/*
 * Is that in client->token, n bytes, a token?
 *
 * NGX_OK: it is sent from now on, unless it is empty; NGX_DECLINED
 */
ngx_int_t ngx_http_webrtc_whip_client_token(
    ngx_http_webrtc_whip_client_t *client, size_t n);

/*
 * Sends a request: see ngx_webrtc_request().
 *
 *   body   SDP; empty: none
 *
 * NULL: no memory
 */
ngx_webrtc_request_t *ngx_http_webrtc_whip_client_send(
    ngx_http_webrtc_whip_client_t *client, const char *method,
    ngx_str_t *url, ngx_str_t *body, ngx_msec_t timeout,
    ngx_webrtc_request_pt handler, void *ctx);

/*
 * RFC 9725, 4.5.  Where a reply of 307 or 308 leads.
 *
 *   at    in: the URL of the request; out: the new one, in the same room
 *   max   bytes of that
 *
 * NULL; otherwise why it is not followed
 */
const char *ngx_http_webrtc_whip_client_redirect(
    ngx_http_webrtc_whip_client_t *client, ngx_str_t *at,
    ngx_webrtc_http_reply_t *reply, size_t max);

/*
 * RFC 9725, 4.2.  Where the session can be deleted: on the server that has
 * answered, and nowhere else.
 *
 *   at    the URL of the request
 *   url   out: data has room of max bytes; empty: it has not said, or leads
 *         elsewhere
 */
void ngx_http_webrtc_whip_client_session(const ngx_str_t *at,
    ngx_webrtc_http_reply_t *reply, ngx_str_t *url, size_t max);

/* What an operator may look at if that is the status; "" or ": ..." */
const char *ngx_http_webrtc_whip_client_hint(ngx_uint_t status);


#endif /* _NGX_HTTP_WEBRTC_WHIP_CLIENT_H_INCLUDED_ */
