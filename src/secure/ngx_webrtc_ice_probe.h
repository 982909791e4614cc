
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Our own binding requests, and whether they were answered.  An ICE-lite agent
 * sends no connectivity checks to find a path (RFC 8445, 2.5), but a full agent
 * answers one at any time (7.3), and its answer proves what none of its own
 * checks can: that it receives at the address it sends checks from.
 */


#ifndef _NGX_WEBRTC_ICE_PROBE_H_INCLUDED_
#define _NGX_WEBRTC_ICE_PROBE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ice.h"


/* bytes of a transaction id; RFC 8489, 5 */
#define NGX_WEBRTC_ICE_TID         12

/* bytes of a request at most: header 20, USERNAME 4 + 513 + 3, PRIORITY 8,
 * the role 12, MESSAGE-INTEGRITY 24, FINGERPRINT 8 */
#define NGX_WEBRTC_ICE_PROBE       592


/*
 * RFC 8445, 7.2.2.  Makes a binding request to the peer.
 *
 *   cred   of the session: as for checks of the peer
 *   pwd    the peer's password, not empty
 *   tid    NGX_WEBRTC_ICE_TID bytes, of which enough are unpredictable; they
 *          are the tie-breaker as well
 *   controlling  our role; RFC 8445, 6.1.1
 *   buf    room for NGX_WEBRTC_ICE_PROBE bytes
 *
 * Returns the number of bytes; 0 if a ufrag is too long or HMAC failed.
 */
size_t ngx_webrtc_ice_probe(const ngx_webrtc_ice_cred_t *cred,
    const ngx_str_t *pwd, const u_char *tid, ngx_uint_t controlling,
    u_char *buf);

/*
 * RFC 8489, 6.3.3 and 9.1.4.  Whether this is the success response to the
 * request with that transaction id.
 *
 *   p, n   whole datagram, n in bytes; not modified
 *   tid    of the request, NGX_WEBRTC_ICE_TID bytes
 *   pwd    the peer's password, not empty
 *
 * NGX_OK        it is, and its MESSAGE-INTEGRITY is right
 * NGX_DECLINED  it is not: nothing about it may be believed
 */
ngx_int_t ngx_webrtc_ice_answered(const u_char *p, size_t n,
    const u_char *tid, const ngx_str_t *pwd);


#endif /* _NGX_WEBRTC_ICE_PROBE_H_INCLUDED_ */
