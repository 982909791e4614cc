
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Packets that a viewer gets once more, because they were lost or to probe its
 * path; RFC 4588.
 */


#ifndef _NGX_WEBRTC_VIEWER_RESEND_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_RESEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/*
 * Resends a packet that the viewer has asked for.
 *
 * NGX_OK         in the batch
 * NGX_DECLINED   not there any more, or it is still on its way
 * NGX_AGAIN      the viewer has had enough, or the port is full
 */
ngx_int_t ngx_webrtc_viewer_resend(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint16_t seq);

/*
 * The same packet once more, at once, on a path that is likely to lose one of
 * them; of a track with RTX.
 *
 * NGX_OK         in the batch, or there is no room for it
 * NGX_AGAIN      the port is full
 */
ngx_int_t ngx_webrtc_viewer_resend_copy(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, uint16_t seq);

/*
 * Sends something that the viewer does not need, of a track with RTX and
 * stamps: a packet that was sent lately, or padding if there is none.
 *
 *   back   how many packets to go back from the last one, 0 for that itself
 *
 * NGX_OK         in the batch
 * NGX_AGAIN      the port is full
 */
ngx_int_t ngx_webrtc_viewer_resend_filler(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, ngx_uint_t back);


#endif /* _NGX_WEBRTC_VIEWER_RESEND_H_INCLUDED_ */
