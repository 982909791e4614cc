
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * When something is due for a sender.
 */


#ifndef _NGX_WEBRTC_INGEST_TIMER_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_TIMER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/* Sets the timer to the earliest of all deadlines. */
void ngx_webrtc_ingest_timer_arm(ngx_webrtc_ingest_t *in, uint64_t now_us);


#endif /* _NGX_WEBRTC_INGEST_TIMER_H_INCLUDED_ */
