
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * usrsctp's settings: features on and off, timers, windows, limits, each with
 * its reason.  Private to ngx_webrtc_sctp.
 */


#ifndef _NGX_WEBRTC_SCTP_SETUP_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_SETUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_sctp_limits.h>


/* what usrsctp calls a socket */
typedef __typeof__(usrsctp_accept(NULL, NULL, NULL))
    ngx_webrtc_sctp_so_pt;


/* Settings that can only be made before usrsctp is initialized. */
void ngx_webrtc_sctp_setup_tables(void);

/* offload: not zero if we compute checksums */
void ngx_webrtc_sctp_setup_library(ngx_uint_t offload);

/*
 * To be called before bind().
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_sctp_setup_socket(ngx_webrtc_sctp_so_pt so);


#endif /* _NGX_WEBRTC_SCTP_SETUP_H_INCLUDED_ */
