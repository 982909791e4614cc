
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP, internal: lists of candidates, for ngx_webrtc_sdp*.c only.  The public
 * part is in ngx_webrtc_sdp.h.
 */


#ifndef _NGX_WEBRTC_SDP_CANDIDATE_H_INCLUDED_
#define _NGX_WEBRTC_SDP_CANDIDATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>


/*
 * Adds a candidate to a list of NGX_WEBRTC_SDP_CANDIDATES, unless the list is
 * full or the candidate isn't understood and thus ignored: RFC 8839, 5.1.
 *
 *   p       behind "candidate:"; unknown extensions are skipped
 */
void ngx_webrtc_sdp_candidate_add(ngx_webrtc_sdp_candidate_t *cands,
    ngx_uint_t *n, ngx_uint_t mline, u_char *p, u_char *end);


#endif /* _NGX_WEBRTC_SDP_CANDIDATE_H_INCLUDED_ */
