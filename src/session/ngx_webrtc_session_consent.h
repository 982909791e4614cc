
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RFC 7675: a session with full ICE sends only as long as its peer consents.
 */


#ifndef _NGX_WEBRTC_SESSION_CONSENT_H_INCLUDED_
#define _NGX_WEBRTC_SESSION_CONSENT_H_INCLUDED_


#include "ngx_webrtc_session.h"


/* A pair was selected; its checks were answered, so consent is given. */
void ngx_webrtc_session_consent_given(ngx_webrtc_session_t *s);

/* Sends a request over the pair in use. */
void ngx_webrtc_session_consent_ask(ngx_webrtc_session_t *s);

/*
 * NGX_OK        p, n answers a request over this pair: consent is renewed
 * NGX_DONE      one of before it was selected: the same
 * NGX_DECLINED  none
 */
ngx_int_t ngx_webrtc_session_consent_input(ngx_webrtc_session_t *s, u_char *p,
    size_t n);

/*
 * Handles the expiry of consent; may close the session.  To be called at
 * s->consent.next, and when consent ends, while s->paired is set.
 *
 * NGX_OK
 * NGX_AGAIN  it is time to ask again
 */
ngx_int_t ngx_webrtc_session_consent_timeout(ngx_webrtc_session_t *s,
    ngx_msec_t now);


#endif /* _NGX_WEBRTC_SESSION_CONSENT_H_INCLUDED_ */
