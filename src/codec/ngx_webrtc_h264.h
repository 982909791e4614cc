
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.264 (ITU-T Rec. H.264, ISO/IEC 14496-10): the parts of headers we need.
 * avcC: ISO/IEC 14496-15, 5.3.3.1.
 */


#ifndef _NGX_WEBRTC_H264_H_INCLUDED_
#define _NGX_WEBRTC_H264_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_codec.h"
#include "ngx_webrtc_nal.h"


/* nal_unit_type, Table 7-1; 24 and 28 are RFC 6184, 5.2 */

#define NGX_WEBRTC_H264_SLICE     1
#define NGX_WEBRTC_H264_PART_A    2
#define NGX_WEBRTC_H264_PART_C    4
#define NGX_WEBRTC_H264_IDR       5
#define NGX_WEBRTC_H264_SEI       6
#define NGX_WEBRTC_H264_SPS       7
#define NGX_WEBRTC_H264_PPS       8
#define NGX_WEBRTC_H264_AUD       9
#define NGX_WEBRTC_H264_EOSEQ     10
#define NGX_WEBRTC_H264_EOSTREAM  11
#define NGX_WEBRTC_H264_FILLER    12
#define NGX_WEBRTC_H264_SPS_EXT   13
#define NGX_WEBRTC_H264_STAP_A    24
#define NGX_WEBRTC_H264_FU_A      28

#define ngx_webrtc_h264_type(nal)  ((nal)[0] & 0x1f)
#define ngx_webrtc_h264_nri(nal)   ((nal)[0] & 0x60)


typedef struct {
    uint32_t     profile;         /* profile-level-id: profile_idc,
                                     constraint flags, level_idc */
    uint16_t     width;           /* luma samples, after cropping */
    uint16_t     height;
    uint8_t      id;              /* seq_parameter_set_id */
    uint8_t      frame_num_bits;  /* 4..16 */
    unsigned     frame_mbs_only:1;

    /* what a decoder has to be able to do, see ngx_webrtc_track.h */

    uint8_t      depth;
    uint8_t      chroma;
    uint8_t      traits;          /* INTERLACED or 0 */
    uint8_t      reorder;         /* pictures that may be shown before one
                                     that precedes them, NGX_WEBRTC_REORDER_*
                                     if not known */
} ngx_webrtc_h264_sps_t;


/*
 * 7.3.2.1.1.  Parses a sequence parameter set.  An error in what follows the
 * frame cropping (E.1.1) counts as if it were not there.
 *
 *   p, n   the NAL unit with its header byte
 *
 * NGX_OK
 * NGX_DECLINED  not an SPS, cut, or values out of range
 */

ngx_int_t ngx_webrtc_h264_sps(u_char *p, size_t n, ngx_webrtc_h264_sps_t *sps);


extern const ngx_webrtc_codec_t  ngx_webrtc_codec_h264;


#endif /* _NGX_WEBRTC_H264_H_INCLUDED_ */
