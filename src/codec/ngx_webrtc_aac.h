
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * AAC (ISO/IEC 14496-3): the duration of a frame.  The parsers of libavcodec do
 * not report it for LATM or raw frames.
 */


#ifndef _NGX_WEBRTC_AAC_H_INCLUDED_
#define _NGX_WEBRTC_AAC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Samples of a frame and sampling rate, both of the core codec: spectral band
 * replication, which may not even be announced, doubles both.
 */

typedef struct {
    uint32_t     rate;            /* Hz */
    uint32_t     samples;
} ngx_webrtc_aac_t;


/*
 * 1.6.2.1, AudioSpecificConfig: used in MP4, FLV and SDP.
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
 * 1.7.2, AudioSyncStream: used in DVB.  A frame that refers to an earlier
 * configuration leaves aac as it is.
 *
 * NGX_OK        aac is set, or remains as set by an earlier frame
 * NGX_DECLINED  not one, cut, or no configuration yet
 */

ngx_int_t ngx_webrtc_aac_loas(ngx_webrtc_aac_t *aac, u_char *p, size_t n);


#endif /* _NGX_WEBRTC_AAC_H_INCLUDED_ */
