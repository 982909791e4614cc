
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Simulcast of a publisher: which layers of an m-line are received.
 */


#ifndef _NGX_WEBRTC_NEGOTIATE_RIDS_H_INCLUDED_
#define _NGX_WEBRTC_NEGOTIATE_RIDS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_codec.h>


/* header extension that tells of which layer a packet is; RFC 8852, 4 */
#define ngx_webrtc_negotiate_rids_ext                                         \
    ngx_string("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id")


/*
 * RFC 8853, 5.3.2.  Accepts the layers that an offer would send: of several
 * formats for one the first, of layers as many as there is room for.  A single
 * one, or layers whose packets would not say which one they are of, is no
 * simulcast: then none is, and the publisher sends as without it.
 *
 *   am   out: rids, views into the offer
 */
void ngx_webrtc_negotiate_rids(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_negotiate_pick_t *pick,
    ngx_webrtc_sdp_answer_media_t *am);

/*
 * Puts them into the description, behind the mid.  If they do not fit, or the
 * extension was not accepted after all, as many as do, or none, stay in am.
 */
void ngx_webrtc_negotiate_rids_keep(ngx_webrtc_desc_media_t *dm,
    ngx_webrtc_sdp_answer_media_t *am);


#endif /* _NGX_WEBRTC_NEGOTIATE_RIDS_H_INCLUDED_ */
