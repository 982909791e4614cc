
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Access to hardware that encodes: the only files that the media process may
 * open for writing.
 */


#ifndef _NGX_WEBRTC_HELPER_GPU_H_INCLUDED_
#define _NGX_WEBRTC_HELPER_GPU_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * From now on nothing but devices of such hardware can be opened for writing.
 * Called before there are threads; no new privileges can be had.
 *
 * NGX_OK
 * NGX_DECLINED  there is no such device, or the kernel (5.13) cannot restrict
 *               it: nothing has changed, and nothing is to be written at all
 */
ngx_int_t ngx_webrtc_helper_gpu_allow(void);


#endif /* _NGX_WEBRTC_HELPER_GPU_H_INCLUDED_ */
