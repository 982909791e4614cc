
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Where access units begin in a byte stream of H.264 or H.265 (Annex B).
 *
 * Needs only the bytes, which may be cut anywhere.  The rules are those of
 * H.264, 7.4.1.2.3, and H.265, 7.4.2.4.4, with two exceptions.  What may
 * precede a picture (parameter sets, SEI) does not begin an access unit unless
 * the slice after it is the first one of a picture: some encoders repeat the
 * parameter sets before every slice.  And the two fields of a frame are one
 * unit, as WebRTC decoders expect.
 */


#ifndef _NGX_WEBRTC_UNIT_H_INCLUDED_
#define _NGX_WEBRTC_UNIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    size_t       pos;             /* searched up to here */
    size_t       prefix;          /* start of NAL units that may belong to the
                                     next one, when has_prefix is set */

    unsigned     h265:1;
    unsigned     any:1;           /* a NAL unit has been seen */
    unsigned     begins:1;        /* its first byte begins an access unit */
    unsigned     vcl:1;           /* a slice has been seen */
    unsigned     has_prefix:1;
    unsigned     delimiter:1;     /* among those at prefix */

    /* H.264: the picture's first slice, and what its SPS says */

    unsigned     field:2;         /* 0: frame, 1: top, 2: bottom */
    unsigned     paired:1;        /* both fields are there */
    unsigned     fields:1;        /* !frame_mbs_only_flag */
    uint8_t      frame_num_bits;
    uint32_t     frame_num;
} ngx_webrtc_unit_t;


void ngx_webrtc_unit_init(ngx_webrtc_unit_t *u, ngx_uint_t h265);

/* Bytes were lost or skipped: the next buffer starts afresh. */
void ngx_webrtc_unit_reset(ngx_webrtc_unit_t *u);

/*
 * Looks for the end of an access unit.
 *
 *   p, n    all available bytes of it, from its first one on; not modified.
 *           After NGX_AGAIN, the same bytes followed by more.
 *   last    nothing follows these
 *   len     bytes that belong to the unit
 *   whole   whether the unit begins with its first byte, and has a picture
 *
 * NGX_OK     *len and *whole are set; the next unit begins at p + *len
 * NGX_AGAIN  not found yet
 * NGX_DONE   last: all n bytes belong to the unit; *len and *whole are set
 */

ngx_int_t ngx_webrtc_unit_next(ngx_webrtc_unit_t *u, u_char *p, size_t n,
    ngx_uint_t last, size_t *len, ngx_uint_t *whole);

/*
 * Is a buffer one access unit, as far as its own bytes tell?  They do not tell
 * whether the unit continues after its end.
 */

ngx_uint_t ngx_webrtc_unit_alone(ngx_webrtc_unit_t *u, u_char *p, size_t n);

/* Does the first NAL unit of a buffer begin an access unit? */

ngx_uint_t ngx_webrtc_unit_begins(ngx_uint_t h265, u_char *p, size_t n);


#endif /* _NGX_WEBRTC_UNIT_H_INCLUDED_ */
