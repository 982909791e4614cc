
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RFC 7675: a session with full ICE sends only as long as its peer consents.
 */


#ifndef _NGX_WEBRTC_SESSION_CONSENT_H_INCLUDED_
#define _NGX_WEBRTC_SESSION_CONSENT_H_INCLUDED_


#include "ngx_webrtc_session.h"


/* A pair has been selected, whose checks were answered: consent is given. */
void ngx_webrtc_session_consent_given(ngx_webrtc_session_t *s);

/* Sends a request over the pair in use. */
void ngx_webrtc_session_consent_ask(ngx_webrtc_session_t *s);

/* An authentic packet has come: it counts where no answers are seen. */
void ngx_webrtc_session_consent_heard(ngx_webrtc_session_t *s);

/* An answer to a binding request, perhaps to one of the agent's own. */
void ngx_webrtc_session_consent_input(ngx_webrtc_session_t *s, u_char *p,
    size_t n);

/* When the next one is to be called, while s->paired is set. */
ngx_msec_t ngx_webrtc_session_consent_deadline(ngx_webrtc_session_t *s);

/*
 * Asks again when the time has come, and finds out that consent has expired.
 * May close the session.
 */
void ngx_webrtc_session_consent_timeout(ngx_webrtc_session_t *s,
    ngx_msec_t now);


#endif /* _NGX_WEBRTC_SESSION_CONSENT_H_INCLUDED_ */
