
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Where streams are pushed to: the schemes, what they take, and what
 * libavformat may open for them.  Their URLs are checked as those of sources
 * (ngx_webrtc_source_url.h), and disclosed like these
 * (ngx_webrtc_source_mask.h).
 *
 * Pure.
 */


#ifndef _NGX_WEBRTC_TARGET_H_INCLUDED_
#define _NGX_WEBRTC_TARGET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* there is a certificate to be verified */
#define NGX_WEBRTC_TARGET_TLS   0x01
/* RTSP: libavformat's muxer connects by itself */
#define NGX_WEBRTC_TARGET_RTSP  0x02
/* a session of WebRTC: libavformat has nothing to do with it */
#define NGX_WEBRTC_TARGET_WHIP  0x04


/*
 *   name       in lower case, without ':'
 *   format     of ngx_webrtc_media_output_t
 *   protocols  protocol_whitelist of libavformat
 *   video      codecs that it takes, bits 1 << NGX_WEBRTC_CODEC_*
 *   list       their names
 */
typedef struct {
    ngx_str_t    name;
    const char  *format;
    const char  *protocols;
    uint32_t     video;
    const char  *list;
    ngx_uint_t   flags;
} ngx_webrtc_target_t;


/* NULL: its scheme is none that can be pushed to */
const ngx_webrtc_target_t *ngx_webrtc_target(const ngx_str_t *url);

/*
 * As ngx_webrtc_source_url_check() and _check_prefix(), for targets.
 *
 * NGX_OK; NGX_DECLINED: *cause, constant text
 */
ngx_int_t ngx_webrtc_target_check(ngx_str_t *prefix, ngx_str_t *url,
    const char **cause);
ngx_int_t ngx_webrtc_target_check_prefix(ngx_str_t *prefix, ngx_uint_t whole,
    const char **cause);


#endif /* _NGX_WEBRTC_TARGET_H_INCLUDED_ */
