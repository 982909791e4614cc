
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Negotiation, internal: description and answer of one m-line, once it has been
 * accepted or rejected, and what offers and counter-offers share.  For
 * ngx_webrtc_negotiate*.c only.
 */


#ifndef _NGX_WEBRTC_NEGOTIATE_MEDIA_H_INCLUDED_
#define _NGX_WEBRTC_NEGOTIATE_MEDIA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate.h>
#include <ngx_webrtc_negotiate_codec.h>


typedef struct {
    ngx_str_t   uri;
    ngx_uint_t  ext;                 /* NGX_WEBRTC_EXT_* */
    size_t      offset;              /* in ngx_webrtc_desc_media_t */
} ngx_webrtc_negotiate_ext_t;


/*
 * Fills the description and the answer of an accepted m-line.
 *
 *   ssrcs   ours: audio, its RTX, video, its RTX
 *   text    NGX_WEBRTC_NEGOTIATE_FMTP bytes of room for each codec, am points
 *           into it
 *   desc    out: its last media, zeroed by the caller
 *   am      out, zeroed by the caller
 *
 * Returns what is left of text.
 */
u_char *ngx_webrtc_negotiate_media(const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_negotiate_pick_t *pick, const uint32_t *ssrcs,
    u_char *text, ngx_webrtc_desc_t *desc,
    ngx_webrtc_sdp_answer_media_t *am);

/* Fills the answer of a rejected m-line, zeroed by the caller. */
void ngx_webrtc_negotiate_reject(const ngx_webrtc_sdp_media_t *media,
    ngx_webrtc_sdp_answer_media_t *am);

/*
 * The extensions that we use: URI and where a description has the id.
 *
 *   i       from 0
 *
 * Returns NULL behind the last one.
 */
const ngx_webrtc_negotiate_ext_t *ngx_webrtc_negotiate_ext(ngx_uint_t i);

/* Is it for an m-line of that kind, and does the policy want it? */
ngx_uint_t ngx_webrtc_negotiate_ext_wanted(
    const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_negotiate_ext_t *ext, ngx_uint_t kind);


#endif /* _NGX_WEBRTC_NEGOTIATE_MEDIA_H_INCLUDED_ */
