
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Negotiation, internal: causes of refusals, for ngx_webrtc_negotiate*.c only.
 */


#ifndef _NGX_WEBRTC_NEGOTIATE_CAUSE_H_INCLUDED_
#define _NGX_WEBRTC_NEGOTIATE_CAUSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate.h>


/* bytes of a list of codec names in a cause; chosen: fits the detail */
#define NGX_WEBRTC_NEGOTIATE_NAMES     128


/*
 * Fills a cause; text from the peer is sanitized.
 *
 *   kind    NGX_WEBRTC_NEGOTIATE_BAD, ..._UNSUPPORTED
 *   title   static text
 *   mline   its index, -1 if none
 *   fmt     of the detail, as for ngx_sprintf()
 *
 * Returns NGX_DECLINED.
 */
ngx_int_t ngx_webrtc_negotiate_refuse(ngx_webrtc_negotiate_cause_t *cause,
    ngx_uint_t kind, const char *title, ngx_int_t mline, const char *fmt, ...);

/*
 * The names of an m-line's codecs, "VP8, VP9, AV1", or "none".
 *
 *   buf     NGX_WEBRTC_NEGOTIATE_NAMES bytes of room
 *
 * Returns the length.
 */
size_t ngx_webrtc_negotiate_names(const ngx_webrtc_sdp_media_t *media,
    u_char *buf);


#endif /* _NGX_WEBRTC_NEGOTIATE_CAUSE_H_INCLUDED_ */
