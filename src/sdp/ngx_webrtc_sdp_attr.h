
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP, internal: attributes, for ngx_webrtc_sdp*.c only.
 */


#ifndef _NGX_WEBRTC_SDP_ATTR_H_INCLUDED_
#define _NGX_WEBRTC_SDP_ATTR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>


/*
 * Parses an attribute, "name" or "name:value", without "a="; its text is free
 * of control characters.  It belongs to the last m-line, or to the session if
 * there is none yet.
 *
 * Returns NULL, or the cause why the description has to be refused.
 */
const char *ngx_webrtc_sdp_attribute(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end);

/* the codec of a payload type that the m-line lists, or NULL */
ngx_webrtc_sdp_codec_t *ngx_webrtc_sdp_codec(ngx_webrtc_sdp_media_t *media,
    uint64_t pt);


#endif /* _NGX_WEBRTC_SDP_ATTR_H_INCLUDED_ */
