
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A viewer as a role of sessions.
 */


#ifndef _NGX_WEBRTC_VIEWER_ROLE_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_ROLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_role.h"


extern const ngx_webrtc_role_t  ngx_webrtc_viewer_role;

/*
 * A stream that we publish elsewhere: a viewer that was offered, and does not
 * count as one of the stream.  Comes after the one above in a worker's roles.
 */
extern const ngx_webrtc_role_t  ngx_webrtc_viewer_push_role;


#endif /* _NGX_WEBRTC_VIEWER_ROLE_H_INCLUDED_ */
