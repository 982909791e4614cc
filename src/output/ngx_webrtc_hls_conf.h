
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How segments are made of a stream (ngx_webrtc_hls.h).
 */


#ifndef _NGX_WEBRTC_HLS_CONF_H_INCLUDED_
#define _NGX_WEBRTC_HLS_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_hls.h"
#include "ngx_webrtc_output_pick.h"


/* s of a segment, beyond which nobody waits for another one */
#define NGX_WEBRTC_HLS_LONG  30


/*
 *   root      the operator's directory, null-terminated
 *   id        of the directive's location
 *   codecs    of video that players take, as bits
 *   pool      of threads, ngx_thread_pool_t *
 */
typedef struct {
    ngx_str_t                 root;
    uint32_t                  id;
    uint32_t                  codecs;
    ngx_webrtc_hls_params_t   params;
    void                     *pool;
} ngx_webrtc_hls_conf_t;


/*
 *   how       its video is encoded anew, if players do not take it, and
 *   more      ways to make smaller ones of it: nmore, each with a label
 *   idle      ms for which it goes on when nobody asks
 *   always    it is wanted for as long as the stream is live
 */
typedef struct {
    ngx_webrtc_output_how_t   how;
    ngx_webrtc_variant_t     *more;
    ngx_uint_t                nmore;
    ngx_msec_t                idle;
    ngx_uint_t                always;     /* unsigned  always:1; */
} ngx_webrtc_hls_how_t;


#endif /* _NGX_WEBRTC_HLS_CONF_H_INCLUDED_ */
