
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP, internal: values of attributes that descriptions and fragments share,
 * for ngx_webrtc_sdp*.c only.
 */


#ifndef _NGX_WEBRTC_SDP_TRANSPORT_H_INCLUDED_
#define _NGX_WEBRTC_SDP_TRANSPORT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>


/*
 * Each reads the value at p .. end, the text after the colon.
 *
 *   data    mid, ufrag, pwd: an ngx_str_t, set to it; fingerprint, setup: an
 *           ngx_webrtc_sdp_transport_t, to which it is added
 *
 * Returns NULL, or the cause why the description has to be refused.
 */

const char *ngx_webrtc_sdp_transport_mid(void *data, u_char *p, u_char *end);
const char *ngx_webrtc_sdp_transport_ufrag(void *data, u_char *p, u_char *end);
const char *ngx_webrtc_sdp_transport_pwd(void *data, u_char *p, u_char *end);
const char *ngx_webrtc_sdp_transport_fingerprint(void *data, u_char *p,
    u_char *end);
const char *ngx_webrtc_sdp_transport_setup(void *data, u_char *p, u_char *end);


#endif /* _NGX_WEBRTC_SDP_TRANSPORT_H_INCLUDED_ */
