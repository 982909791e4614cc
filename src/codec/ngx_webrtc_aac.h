
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * AAC (ISO/IEC 14496-3): how long a frame is.  No parser of libavcodec tells
 * it of LATM, nor of raw frames.
 */


#ifndef _NGX_WEBRTC_AAC_H_INCLUDED_
#define _NGX_WEBRTC_AAC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Samples of a frame at a rate, both of the core: spectral band replication,
 * which may not even be announced, doubles both.
 */

typedef struct {
    uint32_t     rate;            /* Hz */
    uint32_t     samples;
} ngx_webrtc_aac_t;


/*
 * 1.6.2.1, AudioSpecificConfig: what MP4, FLV and SDP have.
 *
 * NGX_OK        aac is set
 * NGX_DECLINED  cut, reserved, or not AAC; aac is as before
 */

ngx_int_t ngx_webrtc_aac_config(ngx_webrtc_aac_t *aac, u_char *p, size_t n);

/*
 * 1.A.3.2: a frame with an ADTS header.  The same results.
 */

ngx_int_t ngx_webrtc_aac_adts(ngx_webrtc_aac_t *aac, u_char *p, size_t n);

/*
 * 1.7.2, AudioSyncStream: what DVB has.  A frame that refers to the
 * configuration of one before leaves aac as it is.
 *
 * NGX_OK        aac is set, or stays what was set by a frame before
 * NGX_DECLINED  not one, cut, or no configuration yet
 */

ngx_int_t ngx_webrtc_aac_loas(ngx_webrtc_aac_t *aac, u_char *p, size_t n);


#endif /* _NGX_WEBRTC_AAC_H_INCLUDED_ */
