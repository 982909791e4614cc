
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Dependency descriptors: a header extension that says of each frame which
 * layers it is of, for any codec.  RTP Payload Format For AV1 (v1.0), appendix
 * A.  Only what is needed to leave out frames is kept of one: layers, and where
 * one may go to a higher temporal layer.
 *
 * Sans-I/O: no allocation, no clock, no globals.
 */


#ifndef _NGX_WEBRTC_DD_H_INCLUDED_
#define _NGX_WEBRTC_DD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* A.8.2: frame_dependency_template_id has 6 bits, dt_cnt_minus_one 5 */
#define NGX_WEBRTC_DD_TEMPLATES  64
#define NGX_WEBRTC_DD_TARGETS    32


/*
 * Of a packet, in 16 bits: NGX_WEBRTC_LAYER_* of ngx_webrtc_packet.h (END: the
 * last packet of its frame); a bit for each temporal layer that may be begun
 * behind its frame; the highest spatial layer that there may be, in two bits;
 * and that there is a descriptor
 */
#define NGX_WEBRTC_DD_UPS        8
#define NGX_WEBRTC_DD_SID        12
#define NGX_WEBRTC_DD_TOLD       0x8000


/* what a frame says of a decode target: A.8.2, decode target indications */
typedef enum {
    NGX_WEBRTC_DD_ABSENT = 0,
    NGX_WEBRTC_DD_DISCARDABLE,
    NGX_WEBRTC_DD_SWITCH,
    NGX_WEBRTC_DD_REQUIRED
} ngx_webrtc_dd_dti_e;


typedef struct {
    uint8_t      sid;
    uint8_t      tid;
    uint64_t     dtis;            /* two bits for each target, from the lowest
                                     ones on */
} ngx_webrtc_dd_template_t;


/* of a sender's track; all zero: no structure has come yet.  Private */
typedef struct {
    ngx_uint_t                n;          /* templates */
    ngx_uint_t                first;      /* template_id_offset */
    ngx_uint_t                ntargets;
    uint8_t                   sids[NGX_WEBRTC_DD_TARGETS];
    uint8_t                   tids[NGX_WEBRTC_DD_TARGETS];
    ngx_webrtc_dd_template_t  templates[NGX_WEBRTC_DD_TEMPLATES];
} ngx_webrtc_dd_t;


/*
 * Reads the descriptor of a packet.  dd changes if it has a structure, and only
 * if all of it is well-formed.
 *
 *   p, n   data of the extension
 *
 * Returns what the packet says, NGX_WEBRTC_DD_TOLD with it; 0: malformed, or
 * of a structure that has not come or has nothing to choose from, as that of a
 * sender without layers.
 */

ngx_uint_t ngx_webrtc_dd_read(ngx_webrtc_dd_t *dd, u_char *p, size_t n);


#endif /* _NGX_WEBRTC_DD_H_INCLUDED_ */
