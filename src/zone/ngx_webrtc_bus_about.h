
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sessions as the status tells of them: the slot and its block beside it
 * (ngx_webrtc_peer_about_t), which whoever answers copies.  Its owner writes
 * without a lock, so each number is one that was true, and two of them may be
 * of different moments.
 */


#ifndef _NGX_WEBRTC_BUS_ABOUT_H_INCLUDED_
#define _NGX_WEBRTC_BUS_ABOUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_peers.h"


/*
 * Finds a session by its public id, NGX_WEBRTC_PUBLIC_LEN bytes: looks at all
 * slots, without a lock.
 *
 * NGX_OK        *ref is set; it may be gone at any time
 * NGX_DECLINED  there is none
 */
ngx_int_t ngx_webrtc_peers_find_public(ngx_webrtc_bus_t *bus, ngx_str_t *public,
    uint64_t *ref);

/*
 * The next slot of a listing, and what is told of it.
 *
 *   cursor   0 at first, advanced here
 *   name     slots of other streams are passed over without copying; NULL: all
 *   look     slots to look at, at most; what is left of them on return
 *   peer     a copy; its file, about and session must not be used
 *   about    a copy
 *
 * NGX_OK
 * NGX_AGAIN     looked at that many
 * NGX_DONE      there are no more
 */
ngx_int_t ngx_webrtc_peers_list(ngx_webrtc_bus_t *bus, ngx_uint_t *cursor,
    ngx_str_t *name, ngx_uint_t *look, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, ngx_webrtc_peer_info_t *info);

/*
 * The same for one slot.
 *
 * NGX_OK; NGX_DECLINED when it is gone
 */
ngx_int_t ngx_webrtc_peers_about(ngx_webrtc_bus_t *bus, uint64_t ref,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_about_t *about,
    ngx_webrtc_peer_info_t *info);


#endif /* _NGX_WEBRTC_BUS_ABOUT_H_INCLUDED_ */
