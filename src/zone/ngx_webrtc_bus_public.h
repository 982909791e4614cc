
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The public id of a session, for logs and the status.  The id in a session's
 * URL is a secret of 128 random bits.  The public one is the beginning of its
 * SHA-1: it can be computed from the secret, so it takes no room in the slot,
 * and does not lead back to the secret.
 */


#ifndef _NGX_WEBRTC_BUS_PUBLIC_H_INCLUDED_
#define _NGX_WEBRTC_BUS_PUBLIC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_peers.h"


/*
 *   id    the secret one, NGX_WEBRTC_PEER_ID_LEN bytes
 *   out   room for NGX_WEBRTC_PUBLIC_LEN bytes, not null-terminated; may be id
 */
void ngx_webrtc_bus_public(const u_char *id, u_char *out);


#endif /* _NGX_WEBRTC_BUS_PUBLIC_H_INCLUDED_ */
