
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * From the ring to a viewer.
 */


#ifndef _NGX_WEBRTC_VIEWER_SEND_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_SEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/*
 * Puts everything between the viewer's cursor and the head into the batch.
 *
 * NGX_OK     the cursor is at the head, or a timer sends the rest
 * NGX_AGAIN  the port is full
 */
ngx_int_t ngx_webrtc_viewer_send(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_VIEWER_SEND_H_INCLUDED_ */
