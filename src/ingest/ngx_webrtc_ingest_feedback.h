
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTCP from and to a publisher.
 */


#ifndef _NGX_WEBRTC_INGEST_FEEDBACK_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_FEEDBACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/* Handles one RTCP packet of the publisher: SR, BYE, XR. */
void ngx_webrtc_ingest_feedback_rtcp(ngx_webrtc_ingest_t *in,
    const ngx_webrtc_rtcp_t *rtcp, uint64_t now_us);

/*
 * Viewers want a key frame.  ngx_webrtc_bus_keyframe_done() is called when the
 * publisher has been asked, or has sent one before that.
 *
 *   st   the stream that it feeds, or that of one of its layers
 */
void ngx_webrtc_ingest_feedback_keyframe(ngx_webrtc_ingest_t *in,
    ngx_webrtc_stream_t *st);

/* Asks again for what is missing, gives up what was asked for too often. */
void ngx_webrtc_ingest_feedback_nacks(ngx_webrtc_ingest_t *in,
    uint64_t now_us);

/* Asks for key frames where they are wanted, or sets the timer to when that is
 * next allowed. */
void ngx_webrtc_ingest_feedback_ask(ngx_webrtc_ingest_t *in,
    uint64_t now_us);

/*
 * A datagram of n bytes has come, behind all else that is done with it.  If its
 * path has just become narrow, tells its sender, and returns the bits per
 * second that it may go on with; otherwise 0.
 */
uint64_t ngx_webrtc_ingest_feedback_path(ngx_webrtc_ingest_t *in, size_t n,
    uint64_t now_us);

/* Sends receiver reports, REMB and transport-wide feedback that are due. */
void ngx_webrtc_ingest_feedback(ngx_webrtc_ingest_t *in, uint64_t now_us);

/*
 * The same of what is due soon.  To be called when packets have come and been
 * passed on: while they go on coming, the timer wakes nobody for feedback.
 */
void ngx_webrtc_ingest_feedback_soon(ngx_webrtc_ingest_t *in, uint64_t now_us);

/* Ends a sender that has been above its limit for too long. */
void ngx_webrtc_ingest_feedback_limit(ngx_webrtc_ingest_t *in,
    uint64_t now_us);


#endif /* _NGX_WEBRTC_INGEST_FEEDBACK_H_INCLUDED_ */
