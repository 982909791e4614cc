
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the congestion control of usrsctp needs from outside to fill a path:
 * see the source file.  Part of ngx_webrtc_sctp; nobody else includes it.
 */


#ifndef _NGX_WEBRTC_SCTP_FLOW_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_FLOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp.h>


/*
 * The association is OPEN, and nothing of the user's has been sent.  Must not
 * be called while usrsctp is running; it sends nothing.
 */
void ngx_webrtc_sctp_flow_init(ngx_webrtc_sctp_assoc_t *assoc);

/*
 * usrsctp sends a packet; n >= NGX_WEBRTC_SCTP_HEADER.
 *
 * NGX_OK        it goes out
 * NGX_DECLINED  it was made for us and does not
 */
ngx_int_t ngx_webrtc_sctp_flow_output(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p, size_t n, uint64_t now_ms);

/* usrsctp has taken a packet; n >= 16.  Not while it is running. */
void ngx_webrtc_sctp_flow_input(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p, size_t n, uint64_t now_ms);


#endif /* _NGX_WEBRTC_SCTP_FLOW_H_INCLUDED_ */
