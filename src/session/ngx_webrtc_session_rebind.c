
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Finds the peer of a session with full ICE when the address in use no longer
 * answers: a NAT has rebound, or the peer has changed networks.  A browser goes
 * on checking from the new address, and sends its media from there; libnice
 * answers, but keeps its selected pair, as the new one has a lower priority.
 *
 * 1. An authentic check from a new address is a reason to ask the one in use
 *    whether it still answers; so is each request for consent.
 * 2. If it does not answer in time it is asked again, and so are all others:
 *    candidates that the peer has sent and addresses of its checks.
 * 3. Nobody but the peer at that address can know the transaction id that was
 *    sent there, so an answer proves that it receives there.
 * 4. We switch to the first other address that answers, once the one in use has
 *    had twice that time to answer, NGX_WEBRTC_SESSION_REBIND_LOSS ms at least.
 *
 * What we send through our own TURN server is not moved: only libnice can
 * address others there.
 *
 * RFC 7675, 5.1; RFC 8445, 7.3.1.4 (triggered checks).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <openssl/rand.h>

#include "ngx_webrtc_session_consent.h"
#include "ngx_webrtc_session_rebind.h"
#include "ngx_webrtc_ice_probe.h"


/* requests to each address; chosen: as for ICE lite, 3.1 s in all */
#define NGX_WEBRTC_SESSION_REBIND_ROUNDS  5

/* ms; chosen: time for a repetition, one of two may be lost */
#define NGX_WEBRTC_SESSION_REBIND_LOSS    200


static void ngx_webrtc_session_rebind_ask(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_session_rebind_others(ngx_webrtc_session_t *s);
static void ngx_webrtc_session_rebind_move(ngx_webrtc_session_t *s);


void
ngx_webrtc_session_rebind_begin(ngx_webrtc_session_t *s, ngx_msec_t wait)
{
    ngx_webrtc_session_rebind_t  *rb;

    if (s->rebind) {

        /* a check is a better reason than that time has passed */

        if (s->rebind->round == 1
            && (ngx_msec_int_t) (ngx_current_msec + wait - s->rebind->next) < 0)
        {
            s->rebind->next = ngx_current_msec + wait;
        }

        return;
    }

    rb = ngx_calloc(sizeof(ngx_webrtc_session_rebind_t), &s->log);
    if (rb == NULL) {
        return;
    }

    rb->begun = ngx_current_msec;
    rb->next = ngx_current_msec + wait;
    rb->round = 1;

    s->rebind = rb;

    ngx_webrtc_session_consent_ask(s);
}


ngx_int_t
ngx_webrtc_session_rebind_input(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    ngx_uint_t                    i;
    ngx_msec_t                    now, least;
    ngx_webrtc_session_rebind_t  *rb;

    rb = s->rebind;

    if (rb == NULL) {
        return NGX_DECLINED;
    }

    for (i = 0; i < rb->n; i++) {
        if (ngx_webrtc_session_answered(s, p, n, rb->others[i].tid)
            == NGX_OK)
        {
            break;
        }
    }

    if (i == rb->n) {
        return NGX_DECLINED;
    }

    if (rb->found) {
        return NGX_OK;
    }

    rb->found = &rb->others[i];

    now = ngx_current_msec;
    least = ngx_max(2 * (now - rb->asked), NGX_WEBRTC_SESSION_REBIND_LOSS);

    if (now - rb->begun >= least) {
        ngx_webrtc_session_rebind_move(s);
        return NGX_OK;
    }

    if ((ngx_msec_int_t) (rb->begun + least - rb->next) < 0) {
        rb->next = rb->begun + least;
        ngx_webrtc_session_schedule(s);
    }

    return NGX_OK;
}


void
ngx_webrtc_session_rebind_timeout(ngx_webrtc_session_t *s, ngx_msec_t now)
{
    ngx_webrtc_session_rebind_t  *rb;

    rb = s->rebind;

    if (rb == NULL || (ngx_msec_int_t) (now - rb->next) < 0) {
        return;
    }

    if (rb->found) {
        ngx_webrtc_session_rebind_move(s);
        return;
    }

    if (rb->round == NGX_WEBRTC_SESSION_REBIND_ROUNDS) {
        ngx_webrtc_session_rebind_end(s);
        return;
    }

    if (rb->round == 1 && ngx_webrtc_session_rebind_others(s) != NGX_OK) {
        ngx_webrtc_session_rebind_end(s);
        return;
    }

    rb->next = now + (NGX_WEBRTC_SESSION_REBIND_RTO << rb->round);
    rb->round++;

    ngx_webrtc_session_rebind_ask(s);
}


void
ngx_webrtc_session_rebind_end(ngx_webrtc_session_t *s)
{
    if (s->rebind) {
        ngx_free(s->rebind);
        s->rebind = NULL;
    }
}


static void
ngx_webrtc_session_rebind_ask(ngx_webrtc_session_t *s)
{
    size_t                        n;
    ngx_uint_t                    i;
    ngx_webrtc_session_rebind_t  *rb;
    u_char                        buf[NGX_WEBRTC_ICE_PROBE];

    rb = s->rebind;

    ngx_webrtc_session_consent_ask(s);

    for (i = 0; i < rb->n; i++) {
        n = ngx_webrtc_session_request(s, rb->others[i].tid, buf);

        if (n) {
            ngx_webrtc_nice_ask(s->transport.nice, &rb->others[i].to, buf, n);
        }
    }
}


static ngx_int_t
ngx_webrtc_session_rebind_others(ngx_webrtc_session_t *s)
{
    ngx_uint_t                    i;
    ngx_webrtc_nice_other_t       to[NGX_WEBRTC_SESSION_REBIND_OTHERS];
    ngx_webrtc_session_rebind_t  *rb;

    rb = s->rebind;

    rb->asked = ngx_current_msec;
    rb->n = ngx_webrtc_nice_others(s->transport.nice, to,
                                   NGX_WEBRTC_SESSION_REBIND_OTHERS);

    for (i = 0; i < rb->n; i++) {
        rb->others[i].to = to[i];

        if (RAND_bytes(rb->others[i].tid, NGX_WEBRTC_ICE_TID) != 1) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_webrtc_session_rebind_move(ngx_webrtc_session_t *s)
{
    u_char  *p, text[2 * NGX_SOCKADDR_STRLEN + 32];

    ngx_webrtc_nice_move(s->transport.nice, &s->rebind->found->to);
    ngx_webrtc_session_rebind_end(s);

    p = ngx_webrtc_nice_pair(s->transport.nice, text, text + sizeof(text));

    ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                  "webrtc session path selected %*s, the one before does not "
                  "answer", (size_t) (p - text), text);

    ngx_webrtc_session_consent_given(s);
}
