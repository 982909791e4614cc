
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages of TURN servers (RFC 8656), as far as libnice does not tell us of
 * them.
 */


#ifndef _NGX_WEBRTC_TURN_H_INCLUDED_
#define _NGX_WEBRTC_TURN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Finds the success response to a binding request in a datagram: it is the
 * whole, or what a server has relayed, as a Data indication (RFC 8656, 11.6) or
 * ChannelData (12.4).
 *
 *   p, n   the datagram; n becomes the size of the response in bytes
 *
 * Returns where it begins, NULL: there is none.
 */
u_char *ngx_webrtc_turn_response(u_char *p, size_t *n);


#endif /* _NGX_WEBRTC_TURN_H_INCLUDED_ */
