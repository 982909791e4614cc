
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What usrsctp is told about round trips, and how much it is given: see the
 * source file.  Part of ngx_webrtc_sctp; nobody else includes it.
 */


#ifndef _NGX_WEBRTC_SCTP_FLOW_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_FLOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp_assoc.h>


/*
 * usrsctp sends a packet of *n >= NGX_WEBRTC_SCTP_HEADER bytes.
 *
 * NGX_OK        it goes out; what was made for us is taken out of it, *n is
 *               what is left and the checksum is wrong then
 * NGX_DECLINED  nothing is left of it
 */
ngx_int_t ngx_webrtc_sctp_flow_output(ngx_webrtc_sctp_assoc_t *assoc,
    u_char *p, size_t *n);

/* usrsctp has taken a packet p of the peer's.  Not while it is running. */
void ngx_webrtc_sctp_flow_input(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p, uint64_t now_ms);


#endif /* _NGX_WEBRTC_SCTP_FLOW_H_INCLUDED_ */
