
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the status tells of a session and nothing else needs: a block of the
 * zone beside its slot.  Its owner writes it once a second, without a lock;
 * whoever answers copies it with the slot.  So each number is one that was
 * true, and two of them may be of different moments.
 */


#ifndef _NGX_WEBRTC_BUS_ABOUT_H_INCLUDED_
#define _NGX_WEBRTC_BUS_ABOUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_peers.h"


/* bytes of texts, without a null; longer ones are cut */
#define NGX_WEBRTC_ABOUT_AGENT   80
#define NGX_WEBRTC_ABOUT_PAIR    96
#define NGX_WEBRTC_ABOUT_CIPHER  32


/* a chunk of the slab, 256 bytes */
struct ngx_webrtc_peer_about_s {
    uint32_t                 bitrate_in;      /* bit/s, of the last seconds */
    uint32_t                 bitrate_out;
    uint32_t                 jitter_us;       /* of the worst track; of what a
                                                 viewer gets as it reports */
    int32_t                  lost_out;        /* packets that a viewer reports
                                                 as lost, in all */
    uint32_t                 up_ms;           /* from POST to DTLS; 0: not up */
    uint16_t                 profile;         /* of SRTP, 0: none */
    uint8_t                  cipher_len;
    uint8_t                  agent_len;
    uint8_t                  pair_len;
    uint8_t                  pad[3];
    u_char                   cipher[NGX_WEBRTC_ABOUT_CIPHER];
    u_char                   agent[NGX_WEBRTC_ABOUT_AGENT];   /* User-Agent */
    u_char                   pair[NGX_WEBRTC_ABOUT_PAIR];     /* full ICE */
};


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


/*
 * For this folder, with the mutex held: gives a slot its block, which is a copy
 * of "from" or zero; frees it.
 *
 * NGX_OK; NGX_DECLINED when the zone has no memory
 */
ngx_int_t ngx_webrtc_peers_about_create(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *peer, const ngx_webrtc_peer_about_t *from);
void ngx_webrtc_peers_about_free(ngx_webrtc_bus_t *bus,
    ngx_webrtc_peer_t *peer);


#endif /* _NGX_WEBRTC_BUS_ABOUT_H_INCLUDED_ */
