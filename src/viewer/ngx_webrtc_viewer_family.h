
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which stream of its family a viewer reads: the one of its session, or a
 * variant of that.  ngx_webrtc_choice.h decides, here it is done.
 */


#ifndef _NGX_WEBRTC_VIEWER_FAMILY_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_FAMILY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_choice.h"
#include "ngx_webrtc_viewer.h"


/* ms that a variant goes on without viewers; chosen: a page that is loaded
 * anew finds it running */
#define NGX_WEBRTC_VIEWER_FAMILY_IDLE  10000


/*
 * Sets v->st when a viewer starts.
 *
 * NGX_OK; NGX_DECLINED: the session is being closed
 */
ngx_int_t ngx_webrtc_viewer_family_begin(ngx_webrtc_session_t *s);

/*
 * Looks whether the tracks of s->st have changed, and sends the viewer on its
 * way if it should read another stream now.  What does not play is not sent to
 * it meanwhile.
 *
 * NGX_OK; NGX_DECLINED: the session is being closed
 */
ngx_int_t ngx_webrtc_viewer_family_check(ngx_webrtc_session_t *s);

/*
 * v->how has changed, at the viewer's wish or for its bandwidth: it is sent on
 * its way, and reads on where it is until then.
 *
 *   hurry   its path does not carry what it reads
 *
 * NGX_OK; NGX_DECLINED: there is no room for that, or no memory; it stays
 */
ngx_int_t ngx_webrtc_viewer_family_move(ngx_webrtc_session_t *s,
    ngx_uint_t hurry);

/*
 * Finds or makes the variant that was chosen, and logs once why.
 *
 *   st       the original
 *   choice   VARIANT
 *   policy   of the viewer
 *
 * Returns it, held; NULL: bus->lack says why
 */
ngx_webrtc_stream_t *ngx_webrtc_viewer_family_get(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_webrtc_choice_t *choice,
    const ngx_webrtc_policy_t *policy, ngx_log_t *log);


#endif /* _NGX_WEBRTC_VIEWER_FAMILY_H_INCLUDED_ */
