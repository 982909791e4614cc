
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.265 (ITU-T Rec. H.265, ISO/IEC 23008-2): the parts of headers we need.
 * hvcC: ISO/IEC 14496-15, 8.3.3.1.
 */


#ifndef _NGX_WEBRTC_H265_H_INCLUDED_
#define _NGX_WEBRTC_H265_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_codec.h"
#include "ngx_webrtc_nal.h"


/* nal_unit_type, Table 7-1; 48 and 49 are RFC 7798, 4.4 */

#define NGX_WEBRTC_H265_TSA_N       2    /* temporal sub-layer access */
#define NGX_WEBRTC_H265_TSA_R       3
#define NGX_WEBRTC_H265_STSA_N      4    /* step-wise */
#define NGX_WEBRTC_H265_STSA_R      5
#define NGX_WEBRTC_H265_VCL_R15     15   /* last sub-layer reference type */
#define NGX_WEBRTC_H265_IRAP_FIRST  16   /* BLA_W_LP */
#define NGX_WEBRTC_H265_IRAP_LAST   23   /* RSV_IRAP_VCL23 */
#define NGX_WEBRTC_H265_VCL_LAST    31
#define NGX_WEBRTC_H265_VPS         32
#define NGX_WEBRTC_H265_SPS         33
#define NGX_WEBRTC_H265_PPS         34
#define NGX_WEBRTC_H265_AUD         35
#define NGX_WEBRTC_H265_EOB         37
#define NGX_WEBRTC_H265_FD          38
#define NGX_WEBRTC_H265_PREFIX_SEI  39
#define NGX_WEBRTC_H265_SUFFIX_SEI  40
#define NGX_WEBRTC_H265_AP          48
#define NGX_WEBRTC_H265_FU          49

#define ngx_webrtc_h265_type(nal)   (((nal)[0] >> 1) & 0x3f)
#define ngx_webrtc_h265_layer(nal)  ((((nal)[0] & 1) << 5) | ((nal)[1] >> 3))
#define ngx_webrtc_h265_tid(nal)    ((nal)[1] & 7)      /* TemporalId + 1 */


typedef struct {
    uint32_t     profile;         /* profile-id << 16 | tier << 8 | level-id */
    uint16_t     width;           /* luma samples, after cropping */
    uint16_t     height;
    uint8_t      id;              /* sps_seq_parameter_set_id */
    uint8_t      max_tid;         /* sps_max_sub_layers_minus1 */

    /* what a decoder has to be able to do, see ngx_webrtc_track.h */

    uint8_t      depth;
    uint8_t      chroma;
    uint8_t      traits;          /* INTERLACED or 0 */
    uint8_t      reorder;         /* pictures that may be shown before one
                                     that precedes them, NGX_WEBRTC_REORDER_*
                                     if not known */
} ngx_webrtc_h265_sps_t;


/*
 * 7.3.2.2.1.  Parses a sequence parameter set as far as
 * sps_max_num_reorder_pics.
 *
 *   p, n   the NAL unit with its two header bytes
 *
 * NGX_OK
 * NGX_DECLINED  not an SPS, cut, or values out of range
 */

ngx_int_t ngx_webrtc_h265_sps(u_char *p, size_t n, ngx_webrtc_h265_sps_t *sps);


extern const ngx_webrtc_codec_t  ngx_webrtc_codec_h265;


#endif /* _NGX_WEBRTC_H265_H_INCLUDED_ */
