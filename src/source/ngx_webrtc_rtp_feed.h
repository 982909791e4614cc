
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_rtp": a stream is fed by plain RTP.
 */


#ifndef _NGX_WEBRTC_RTP_FEED_H_INCLUDED_
#define _NGX_WEBRTC_RTP_FEED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_source_kind.h"


extern const ngx_webrtc_source_kind_t  ngx_webrtc_rtp_feed;


#endif /* _NGX_WEBRTC_RTP_FEED_H_INCLUDED_ */
