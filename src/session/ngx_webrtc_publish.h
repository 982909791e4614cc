
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher: from its packets to the packet ring of a stream, and the
 * feedback that it needs.
 */


#ifndef _NGX_WEBRTC_PUBLISH_H_INCLUDED_
#define _NGX_WEBRTC_PUBLISH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_worker.h"
#include "ngx_webrtc_rtcp.h"


typedef struct ngx_webrtc_publish_s  ngx_webrtc_publish_t;


/*
 * A session that is UP begins to publish: now, or when the session that holds
 * the stream has ended.
 *
 * NGX_OK; NGX_ERROR without memory
 */
ngx_int_t ngx_webrtc_publish_start(ngx_webrtc_session_t *s);

/* The publisher leaves; the stream becomes INACTIVE.  May be called twice. */
void ngx_webrtc_publish_stop(ngx_webrtc_session_t *s);

/* Takes an SRTP packet; p is modified. */
void ngx_webrtc_publish_rtp(ngx_webrtc_session_t *s, u_char *p, size_t n);

/* Takes one packet of a decrypted RTCP datagram: SR, BYE, XR. */
void ngx_webrtc_publish_rtcp(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_t *rtcp);

/*
 * The receive batch is over: lets viewers see what came, here and in the other
 * workers.
 */
void ngx_webrtc_publish_flush(ngx_webrtc_session_t *s);

/*
 * Viewers want a key frame.  ngx_webrtc_bus_keyframe_done() is called when the
 * publisher has been asked, or has sent one before that.
 */
void ngx_webrtc_publish_keyframe(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_PUBLISH_H_INCLUDED_ */
