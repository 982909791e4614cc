
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The streamid of an SRT caller, and what it asks for.
 */


#ifndef _NGX_WEBRTC_SRT_STREAMID_H_INCLUDED_
#define _NGX_WEBRTC_SRT_STREAMID_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a streamid at most: SRT's own limit (SRTO_STREAMID) */
#define NGX_WEBRTC_SRT_STREAMID  512

/* bytes that its URI takes at most */
#define NGX_WEBRTC_SRT_URI       (NGX_WEBRTC_SRT_STREAMID + 8)


typedef enum {
    NGX_WEBRTC_SRT_BAD = 0,            /* malformed, or without a name */
    NGX_WEBRTC_SRT_MODE                /* it does not want to publish */
} ngx_webrtc_srt_refusal_e;


typedef struct {
    ngx_str_t                  uri;    /* in buf */
    ngx_str_t                  host;   /* of the streamid, or empty */
    const char                *cause;  /* when refused, and */
    ngx_webrtc_srt_refusal_e   refusal;
    u_char                     buf[NGX_WEBRTC_SRT_URI];
} ngx_webrtc_srt_request_t;


/*
 * Either a plain "name?arguments", or "#!::key=value,..." of "SRT Access
 * Control Guidelines": r is the name, h the host, m has to be "publish" where
 * it is said, and t "stream"; other keys (u, s, whatever an encoder has) become
 * arguments.
 *
 *   streamid   any bytes; request->host points into it
 *
 * NGX_OK         request->uri is "/name?arguments", as of ngx_webrtc_uri()
 * NGX_DECLINED   request->cause and refusal say why
 */
ngx_int_t ngx_webrtc_srt_streamid(ngx_str_t *streamid,
    ngx_webrtc_srt_request_t *request);


#endif /* _NGX_WEBRTC_SRT_STREAMID_H_INCLUDED_ */
