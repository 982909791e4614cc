
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What agents of full ICE leave of the process's descriptors and connections.
 */


#ifndef _NGX_WEBRTC_NICE_SPARE_H_INCLUDED_
#define _NGX_WEBRTC_NICE_SPARE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Are there connections left for an agent, and for others than agents?
 *
 * NGX_OK, NGX_ERROR after logging
 */
ngx_int_t ngx_webrtc_nice_room(ngx_log_t *log);

/*
 * Has the process the descriptors that an agent cannot be made without?
 *
 * NGX_OK, NGX_ERROR after logging
 */
ngx_int_t ngx_webrtc_nice_spare(ngx_log_t *log);

/* Is there a connection to be had?  Says so when there is none. */
ngx_uint_t ngx_webrtc_nice_connections(ngx_log_t *log);


#endif /* _NGX_WEBRTC_NICE_SPARE_H_INCLUDED_ */
