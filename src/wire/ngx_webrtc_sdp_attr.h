
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP, inside: readers of attribute values and the like, for
 * ngx_webrtc_sdp*.c alone.
 */


#ifndef _NGX_WEBRTC_SDP_ATTR_H_INCLUDED_
#define _NGX_WEBRTC_SDP_ATTR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>


#define NGX_WEBRTC_SDP_MAX64  0xffffffffffffffffULL


/* a table of words ends with an empty name */
typedef struct {
    ngx_str_t   name;
    ngx_uint_t  value;
} ngx_webrtc_sdp_word_t;


/*
 * Each reads the value at p .. end, that is what stands behind the colon, and
 * adds it to the struct.  The text is free of control characters.
 *
 * Returns NULL, or the cause why the description has to be refused.
 */

const char *ngx_webrtc_sdp_attr_rtpmap(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_fmtp(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_rtcp_fb(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_rtcp_xr(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_extmap(ngx_webrtc_sdp_ext_t *exts,
    ngx_uint_t *n, u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_ssrc(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_ssrc_group(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_rid(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_candidate(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end);
const char *ngx_webrtc_sdp_attr_mid(ngx_str_t *mid, u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_ufrag(ngx_webrtc_sdp_transport_t *t,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_pwd(ngx_webrtc_sdp_transport_t *t,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_fingerprint(ngx_webrtc_sdp_transport_t *t,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_setup(ngx_webrtc_sdp_transport_t *t,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_sctp_port(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_max_message_size(
    ngx_webrtc_sdp_media_t *media, u_char *p, u_char *end);
const char *ngx_webrtc_sdp_attr_group(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end);
const char *ngx_webrtc_sdp_attr_ice_options(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end);

/*
 * Adds a candidate to a list of NGX_WEBRTC_SDP_CANDIDATES, unless the list is
 * full or the candidate isn't understood: RFC 8839, 5.1, then it is ignored.
 */
void ngx_webrtc_sdp_attr_candidate_add(ngx_webrtc_sdp_candidate_t *cands,
    ngx_uint_t *n, ngx_uint_t mline, u_char *p, u_char *end);

/* RFC 8866, 9: 1 if a line holds a control character, which is refused */
ngx_uint_t ngx_webrtc_sdp_control(const u_char *p, const u_char *end);

/* the codec of a payload type that the m-line lists, or NULL */
ngx_webrtc_sdp_codec_t *ngx_webrtc_sdp_codec(ngx_webrtc_sdp_media_t *media,
    uint64_t pt);

/*
 * Skips spaces and reads what follows up to the next one.
 * Returns the position behind it; NULL if there is nothing, or p is NULL.
 */
u_char *ngx_webrtc_sdp_read_token(u_char *p, u_char *end, ngx_str_t *token);

/*
 * Skips spaces and reads decimal digits; what follows them is not looked at.
 * Returns the position behind them; NULL if there are none, the number is above
 * max, or p is NULL.
 */
u_char *ngx_webrtc_sdp_read_number(u_char *p, u_char *end, uint64_t max,
    uint64_t *v);

/* the value of a word, compared ignoring case, or def */
ngx_uint_t ngx_webrtc_sdp_word(const ngx_webrtc_sdp_word_t *words,
    const ngx_str_t *name, ngx_uint_t def);

/*
 * ngx_slprintf() with NULL for "no room", which p may be already; text that
 * reaches the end of the room counts as cut.
 */
u_char *ngx_webrtc_sdp_printf(u_char *p, u_char *end, const char *fmt, ...);

/* 1 if both are equal byte for byte */
ngx_uint_t ngx_webrtc_sdp_same(const ngx_str_t *a, const ngx_str_t *b);


#endif /* _NGX_WEBRTC_SDP_ATTR_H_INCLUDED_ */
