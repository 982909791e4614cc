
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Packetization common to H.264 (RFC 6184, 5) and H.265 (RFC 7798, 4.4): a NAL
 * unit alone, several in an aggregation packet, one in fragments.  Only the
 * headers differ.
 */


#ifndef _NGX_WEBRTC_PACK_NAL_H_INCLUDED_
#define _NGX_WEBRTC_PACK_NAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_pack.h"


/* what differs */
typedef struct {
    ngx_uint_t   header;            /* bytes of NAL unit header, 1 or 2 */

    /* whether a NAL unit is a parameter set */
    ngx_uint_t (*is_params)(u_char *nal, size_t n);

    /*
     * Keeps a parameter set in pack->params, and its values in pack->track.
     * NGX_OK or NGX_DONE; NGX_DECLINED malformed, or no room.
     */
    ngx_int_t  (*params)(ngx_webrtc_pack_t *pack, u_char *nal, size_t n);

    /* whether a NAL unit of a frame is sent at all */
    ngx_uint_t (*sends)(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame,
                        u_char *nal, size_t n);

    /*
     * Updates the header of an aggregation packet for an added NAL unit.
     * h: the header; first: there is none yet.
     */
    void       (*aggregate)(u_char *h, u_char *nal, ngx_uint_t first);

    /* Makes the headers of a fragment, one byte more than the NAL unit's. */
    void       (*fragment)(u_char *h, u_char *nal);
} ngx_webrtc_pack_nal_ops_t;


/*
 * Takes the parameter sets of Annex B extradata.
 *
 * NGX_OK        there are some
 * NGX_DECLINED  there are none, or one is malformed
 */

ngx_int_t ngx_webrtc_pack_nal_config(const ngx_webrtc_pack_nal_ops_t *ops,
    ngx_webrtc_pack_t *pack, u_char *p, size_t n);

/* Takes the parameter sets of a frame. */
void ngx_webrtc_pack_nal_keep(const ngx_webrtc_pack_nal_ops_t *ops,
    ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame);

/*
 * Sends a frame, a key frame with all parameter sets in front of it.
 *
 * NGX_OK; NGX_DECLINED: nothing in it to send; or what pack->out returned
 */

ngx_int_t ngx_webrtc_pack_nal_frame(const ngx_webrtc_pack_nal_ops_t *ops,
    ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame);


#endif /* _NGX_WEBRTC_PACK_NAL_H_INCLUDED_ */
