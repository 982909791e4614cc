
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Variables for logs: what a request was about.
 */


#ifndef _NGX_HTTP_WEBRTC_VARS_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_VARS_H_INCLUDED_


#include "ngx_http_webrtc_ask.h"
#include "ngx_webrtc_desc.h"
#include "ngx_webrtc_jwt.h"


/* what a token needs while its request is there, ngx_http_webrtc_jwt.c */
typedef struct ngx_http_webrtc_jwt_asked_s  ngx_http_webrtc_jwt_asked_t;


/*
 * Values of the variables; empty where unknown.  Survives an internal redirect,
 * such as by "error_page".
 */
typedef struct {
    ngx_str_t                    session;
    ngx_str_t                    stream;
    ngx_str_t                    role;       /* "play" or "publish" */
    ngx_str_t                    codec;      /* "H264,opus" */
    ngx_str_t                    cause;      /* of a refusal */

    ngx_http_webrtc_asked_t     *hook;       /* NULL: not asked */
    ngx_str_t                    rename;     /* of the stream, by the hook */

    ngx_http_webrtc_jwt_asked_t *jwt;        /* NULL: no keys are asked for */
    ngx_webrtc_jwt_claims_t     *claims;     /* of its token; NULL: none */
    int64_t                      expires;    /* seconds since 1970, 0: never */

    /* of "webrtc_log", ngx_http_webrtc_ended.c */

    ngx_str_t                    event;      /* "session" or "stream" */
    ngx_str_t                    time;
    ngx_str_t                    setup;
    ngx_str_t                    first;
    ngx_str_t                    bytes_sent;
    ngx_str_t                    bytes_received;
    ngx_str_t                    packets_sent;
    ngx_str_t                    packets_received;
    ngx_str_t                    lost;
    ngx_str_t                    resent;
    ngx_str_t                    nacks;
    ngx_str_t                    plis;
    ngx_str_t                    rtt;
    ngx_str_t                    jitter;
    ngx_str_t                    end;
    ngx_str_t                    remote;
    ngx_str_t                    agent;
    ngx_str_t                    path;       /* of a recording */
    ngx_str_t                    size;
} ngx_http_webrtc_note_t;


/* Adds the variables, in preconfiguration. */
ngx_int_t ngx_http_webrtc_vars_add(ngx_conf_t *cf);

/* The note of a request, created if missing.  NULL: out of memory. */
ngx_http_webrtc_note_t *ngx_http_webrtc_note(ngx_http_request_t *r);

/* "play", "publish" or "file" */
void ngx_http_webrtc_role(ngx_uint_t role, ngx_str_t *text);

/*
 * Record stream and role; everything known from a slot.
 *
 *   name   lives as long as the request
 */
void ngx_http_webrtc_note_stream(ngx_http_request_t *r, ngx_uint_t role,
    ngx_str_t *name);
void ngx_http_webrtc_note_peer(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer);


#endif /* _NGX_HTTP_WEBRTC_VARS_H_INCLUDED_ */
