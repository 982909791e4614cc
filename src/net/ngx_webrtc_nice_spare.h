
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Keeps agents of full ICE from using up the process's descriptors and
 * connections.
 */


#ifndef _NGX_WEBRTC_NICE_SPARE_H_INCLUDED_
#define _NGX_WEBRTC_NICE_SPARE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Whether there are connections left for an agent, and for everything else.
 *
 * NGX_OK, NGX_ERROR after logging
 */
ngx_int_t ngx_webrtc_nice_room(ngx_log_t *log);

/*
 * Whether the process has the descriptors that making an agent requires.
 *
 * NGX_OK, NGX_ERROR after logging
 */
ngx_int_t ngx_webrtc_nice_spare(ngx_log_t *log);

/* Whether a connection is available; logs when there is none. */
ngx_uint_t ngx_webrtc_nice_connections(ngx_log_t *log);


#endif /* _NGX_WEBRTC_NICE_SPARE_H_INCLUDED_ */
