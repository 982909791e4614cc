
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
    uint32_t     width[NGX_WEBRTC_VP9_SLOTS];     /* 0: not known */
} ngx_webrtc_vp9_refs_t;


/*
 * Looks at a frame, and has it not be shown.
 *
 *   p, *n   the frame, of a superframe or alone; there is room for a byte more,
 *           which a frame that is no key frame may take
 *   refs    of all frames before it
 *   hide    unless hidden, it is
 *
 * NGX_OK
 * NGX_DECLINED  it is as it was: cut, a size that is not known, or another
 *               frame shown again
 */

ngx_int_t ngx_webrtc_vp9_hide(u_char *p, size_t *n,
    ngx_webrtc_vp9_refs_t *refs, ngx_uint_t hide);


#endif /* _NGX_WEBRTC_VP9_HIDE_H_INCLUDED_ */
