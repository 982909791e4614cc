
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What payloads of H.264 (RFC 6184, 5.7) and H.265 (RFC 7798, 4.4.2) have in
 * common: aggregation packets, and parameter sets that are kept and sent again.
 */


#ifndef _NGX_WEBRTC_DEPAY_NAL_H_INCLUDED_
#define _NGX_WEBRTC_DEPAY_NAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_depay.h"


/* a parameter set that is kept has to fit a payload alone or with others: in an
 * aggregation packet with header and length field */
#define NGX_WEBRTC_DEPAY_SET     (NGX_WEBRTC_DEPAY_PAYLOAD - 4)

/* RFC 6184, 5.8, and RFC 7798, 4.4.3 */
#define NGX_WEBRTC_DEPAY_FU_S    0x80
#define NGX_WEBRTC_DEPAY_FU_E    0x40

/* first bit of a slice header: first_mb_in_slice is ue(v) 0 (H.264, 7.3.3),
 * first_slice_segment_in_pic_flag (H.265, 7.3.6.1) */
#define NGX_WEBRTC_DEPAY_SLICE0  0x80

/* sets seen in a packet: the types that a key frame needs */
#define NGX_WEBRTC_DEPAY_SPS     0x01
#define NGX_WEBRTC_DEPAY_PPS     0x02
#define NGX_WEBRTC_DEPAY_VPS     0x04


/*
 * Looks at a whole NAL unit.  Returns which parameter set it is, such as
 * NGX_WEBRTC_DEPAY_SPS, or 0.
 */

typedef ngx_uint_t (*ngx_webrtc_depay_nal_pt)(ngx_webrtc_depay_t *d,
    u_char *nal, size_t n, ngx_webrtc_depay_kind_t *kind);

/*
 * Handles an aggregation packet, from behind its header.
 *
 *   header   bytes of NAL unit header, 1 or 2
 *   needed   the parameter sets that a key frame needs
 *
 * NGX_OK
 * NGX_DECLINED  malformed; nothing was looked at
 */

ngx_int_t ngx_webrtc_depay_nal_aggregate(ngx_webrtc_depay_t *d, u_char *p,
    u_char *end, size_t header, ngx_webrtc_depay_nal_pt nal,
    ngx_uint_t needed, ngx_webrtc_depay_kind_t *kind);

/* Records in kind the result rc of ngx_webrtc_params_put(). */

void ngx_webrtc_depay_nal_kept(ngx_int_t rc, ngx_webrtc_depay_kind_t *kind);

/*
 * As in ngx_webrtc_depay_ops_t: one set as it is, or several with their lengths
 * after room for an aggregation packet's header.
 */

size_t ngx_webrtc_depay_nal_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size, size_t header);


#endif /* _NGX_WEBRTC_DEPAY_NAL_H_INCLUDED_ */
