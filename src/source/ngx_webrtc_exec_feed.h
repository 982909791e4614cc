
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_exec": a stream is fed by a command of the operator, which sends
 * plain RTP to ports of the loopback.
 */


#ifndef _NGX_WEBRTC_EXEC_FEED_H_INCLUDED_
#define _NGX_WEBRTC_EXEC_FEED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_source_kind.h"


/*
 * Its text: the words of its legs, as ngx_webrtc_legs_codec() takes them, with
 * spaces between them and a null byte behind; then the words of the command
 * (ngx_webrtc_command_text.h).
 */
extern const ngx_webrtc_source_kind_t  ngx_webrtc_exec_feed;


#endif /* _NGX_WEBRTC_EXEC_FEED_H_INCLUDED_ */
