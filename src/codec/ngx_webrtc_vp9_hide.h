
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Superframes of VP9 with several spatial layers.
 *
 * In RTP each layer's frame is shown, as it may be the highest one that
 * somebody gets.  In a superframe one frame is (VP9 Bitstream & Decoding
 * Process Specification, Annex B): decoders that go by show_frame show a
 * picture of each layer otherwise, at one time and in different sizes.
 */


#ifndef _NGX_WEBRTC_VP9_HIDE_H_INCLUDED_
#define _NGX_WEBRTC_VP9_HIDE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* slots of reference frames, 3 */
#define NGX_WEBRTC_VP9_SLOTS  8


/* zeroed at first */
typedef struct {
    uint32_t     width[NGX_WEBRTC_VP9_SLOTS];    /* 0: not known */
    uint32_t     height[NGX_WEBRTC_VP9_SLOTS];
} ngx_webrtc_vp9_refs_t;


typedef struct {
    size_t       shown;       /* the bit of show_frame */
    size_t       bits;        /* of the uncompressed header */
    uint32_t     width;       /* 1..65536 */
    uint32_t     height;
    unsigned     key:1;
    unsigned     show:1;
    unsigned     resilient:1; /* error_resilient_mode */
} ngx_webrtc_vp9_look_t;


/*
 * Reads a frame's uncompressed header.
 *
 *   p, n   the frame, of a superframe or alone
 *   refs   of all frames before it; then with this one
 *
 * NGX_OK        *look
 * NGX_DECLINED  cut, a size that is not known, or another frame shown again
 */

ngx_int_t ngx_webrtc_vp9_look(u_char *p, size_t n, ngx_webrtc_vp9_refs_t *refs,
    ngx_webrtc_vp9_look_t *look);

/*
 * Clears show_frame.
 *
 *   p, n   the frame, with room for a byte more, which one that is no key frame
 *          may take
 *   look   what it looks like
 *
 * Returns its length.
 */

size_t ngx_webrtc_vp9_hide(u_char *p, size_t n,
    const ngx_webrtc_vp9_look_t *look);

/*
 * Does it not matter to a frame whether the one before it is shown?  Frames of
 * one size take motion vectors from one another if it is (UsePrevFrameMvs).
 */

#define ngx_webrtc_vp9_apart(before, frame)                                   \
    ((frame)->resilient || (frame)->width != (before)->width)


#endif /* _NGX_WEBRTC_VP9_HIDE_H_INCLUDED_ */
