
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The objects of "webrtc_status" as JSON.  docs/status.md describes each field.
 */


#ifndef _NGX_HTTP_WEBRTC_STATUS_PRINT_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_STATUS_PRINT_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_text.h"
#include "ngx_webrtc_bus_about.h"


/* Sums over everything, which are members of the whole: no braces. */
void ngx_http_webrtc_status_print_sums(ngx_http_webrtc_text_t *t);

/* Objects, arrays; "before" is printed first. */
void ngx_http_webrtc_status_print_server(ngx_http_webrtc_text_t *t);
void ngx_http_webrtc_status_print_zone(ngx_http_webrtc_text_t *t);
void ngx_http_webrtc_status_print_workers(ngx_http_webrtc_text_t *t);
void ngx_http_webrtc_status_print_errors(ngx_http_webrtc_text_t *t);

/* variants: ngx_webrtc_stream_info_t of all streams */
void ngx_http_webrtc_status_print_stream(ngx_http_webrtc_text_t *t,
    const char *before, ngx_webrtc_stream_info_t *info,
    ngx_array_t *variants);
void ngx_http_webrtc_status_print_session(ngx_http_webrtc_text_t *t,
    const char *before, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, ngx_webrtc_peer_info_t *info);


/*
 * The address of the peer, as text: of media, or empty if no packet has come.
 *
 *   buf   room for NGX_SOCKADDR_STRLEN bytes, which text points into or not
 */
void ngx_http_webrtc_status_remote(ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, u_char *buf, ngx_str_t *text);

/* The name of an SRTP profile, "SRTP_AEAD_AES_128_GCM"; "": none. */
const char *ngx_http_webrtc_status_profile(ngx_uint_t profile);

/* "idle", "starting", "active", "inactive"; "pull", "publish", ... or "". */
const char *ngx_http_webrtc_status_state(ngx_webrtc_stream_info_t *info);
const char *ngx_http_webrtc_status_from(ngx_webrtc_stream_info_t *info);

/* The name of a reason for which datagrams are dropped. */
const char *ngx_http_webrtc_status_drop(ngx_uint_t reason);


#endif /* _NGX_HTTP_WEBRTC_STATUS_PRINT_H_INCLUDED_ */
