
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Consent of a session with full ICE; RFC 7675.
 *
 * libnice can handle consent, too, but gives up after ten seconds and for good:
 * its component then sends nothing, whatever arrives.  So we do it ourselves:
 * its agent is told not to, and the requests go over its selected pair like any
 * datagram.  The answers, which it would drop, are caught before it reads them.
 *
 * 1. Every 4 to 6 seconds a request with a new transaction id is sent (5.1).
 *    If it is not answered, we look for the peer at other addresses
 *    (ngx_webrtc_session_rebind.c).
 * 2. The first answer to each of the last TIDS requests renews consent for 30
 *    seconds.
 * 3. When consent expires, nothing is sent any more.  A viewer's or file's
 *    session ends, with close_notify, so that the client knows at once.  A
 *    publisher's keeps receiving while media comes, and asking: what comes is
 *    authentic, and as good a reason to check the path again as a check by the
 *    peer (RFC 8445, 7.3.1.4).  The first answer restores consent.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <openssl/rand.h>

#include "ngx_webrtc_session_consent.h"
#include "ngx_webrtc_ice_probe.h"


/* ms; RFC 7675, 5.1: 5 s, times 0.8 to 1.2 */
#define NGX_WEBRTC_SESSION_CONSENT_MIN      4000
#define NGX_WEBRTC_SESSION_CONSENT_SPREAD   2000

/* ms until a request whose answer shows more than consent, see
 * ngx_webrtc_nice_asks(); chosen: a round trip or two */
#define NGX_WEBRTC_SESSION_CONSENT_SOON     100


static void ngx_webrtc_session_consent_next(ngx_webrtc_session_t *s);


void
ngx_webrtc_session_consent_given(ngx_webrtc_session_t *s)
{
    s->consent.given = ngx_current_msec;

    if (!s->paired) {
        s->paired = 1;
        ngx_webrtc_session_consent_next(s);
    }

    if (!s->connected) {
        s->connected = 1;
        s->transport.budget = NULL;
    }
}


static void
ngx_webrtc_session_consent_next(ngx_webrtc_session_t *s)
{
    s->consent.next = ngx_current_msec;

    if (ngx_webrtc_nice_asks(s->transport.nice)) {
        s->consent.next += NGX_WEBRTC_SESSION_CONSENT_SOON;
        return;
    }

    s->consent.next += NGX_WEBRTC_SESSION_CONSENT_MIN
                       + ngx_random() % NGX_WEBRTC_SESSION_CONSENT_SPREAD;
}


ngx_int_t
ngx_webrtc_session_consent_input(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    ngx_uint_t  i, age, good;

    good = 0;

    for (i = 0; i < NGX_WEBRTC_SESSION_CONSENT_TIDS && !good; i++) {
        good = (s->consent.open & (1u << i))
               && ngx_webrtc_session_answered(s, p, n, s->consent.tids[i])
                  == NGX_OK;
    }

    if (!good) {
        return NGX_DECLINED;
    }

    /* i is behind it */

    s->consent.open &= ~(1u << (i - 1));

    /* 0: the last one that was asked */

    age = (s->consent.n - i) % NGX_WEBRTC_SESSION_CONSENT_TIDS;

    if (age == 0) {
        ngx_webrtc_nice_expect(s->transport.nice, 0);
    }

    if (!s->connected) {
        ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                      "webrtc session consent regained");
    }

    ngx_webrtc_session_consent_given(s);

    return (age < ngx_webrtc_nice_fresh(s->transport.nice)) ? NGX_OK
                                                            : NGX_DONE;
}


ngx_int_t
ngx_webrtc_session_consent_timeout(ngx_webrtc_session_t *s, ngx_msec_t now)
{
    if (!s->paired) {
        return NGX_OK;
    }

    if (s->connected
        && now - s->consent.given >= NGX_WEBRTC_SESSION_CONSENT_TIMEOUT)
    {
        ngx_log_error(NGX_LOG_INFO, &s->log, 0, "webrtc session consent lost");

        if (!ngx_webrtc_session_receives(s)
            || now - s->heard >= NGX_WEBRTC_SESSION_CONSENT_TIMEOUT)
        {
            ngx_webrtc_session_close(s, "consent lost");
            return NGX_OK;
        }

        s->connected = 0;
        s->transport.budget = &s->consent.none;
    }

    if ((ngx_msec_int_t) (now - s->consent.next) < 0) {
        return NGX_OK;
    }

    ngx_webrtc_session_consent_next(s);

    return NGX_AGAIN;
}


void
ngx_webrtc_session_consent_ask(ngx_webrtc_session_t *s)
{
    size_t   n;
    u_char  *tid;
    u_char   buf[NGX_WEBRTC_ICE_PROBE];

    tid = s->consent.tids[s->consent.n % NGX_WEBRTC_SESSION_CONSENT_TIDS];

    if (RAND_bytes(tid, NGX_WEBRTC_ICE_TID) != 1) {
        return;
    }

    n = ngx_webrtc_session_request(s, tid, buf);

    s->consent.open |= 1u << (s->consent.n % NGX_WEBRTC_SESSION_CONSENT_TIDS);
    s->consent.n++;

    if (n) {
        ngx_webrtc_nice_expect(s->transport.nice, 1);
        ngx_webrtc_nice_send(s->transport.nice, buf, n);
    }
}
