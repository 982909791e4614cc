
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Full ICE: finds a peer whose address no longer answers.
 */


#ifndef _NGX_WEBRTC_SESSION_REBIND_H_INCLUDED_
#define _NGX_WEBRTC_SESSION_REBIND_H_INCLUDED_


#include "ngx_webrtc_session.h"


/* ms to the first repetition, which doubles; as for requests of ICE lite */
#define NGX_WEBRTC_SESSION_REBIND_RTO     100


/*
 * Asks the address in use, and the others after so many ms without an answer.
 * Does nothing if that is under way already.
 */
void ngx_webrtc_session_rebind_begin(ngx_webrtc_session_t *s, ngx_msec_t wait);

/*
 * NGX_OK         p, n was the answer of another address
 * NGX_DECLINED   it was none
 */
ngx_int_t ngx_webrtc_session_rebind_input(ngx_webrtc_session_t *s, u_char *p,
    size_t n);

/* The time is in s->rebind->next while s->rebind is set. */
void ngx_webrtc_session_rebind_timeout(ngx_webrtc_session_t *s,
    ngx_msec_t now);

/* The address in use has answered, or the session ends. */
void ngx_webrtc_session_rebind_end(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_SESSION_REBIND_H_INCLUDED_ */
