
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Consent of a session with full ICE, RFC 7675, 5.1, by a clock that is set:
 * who answers has it for 30 seconds, is asked every 4 to 6 seconds, and what an
 * expiry means for a viewer and for a publisher.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_session.h"
#include "ngx_webrtc_session_consent.h"

#include "tap.h"


static ngx_webrtc_session_t   session;
static ngx_webrtc_role_t      publisher;
static const char            *reason;
static ngx_uint_t             begun;        /* requests */
static ngx_int_t              authentic;    /* of answers */
static const u_char          *answers;      /* this request only; NULL: any */
static ngx_uint_t             unproven;     /* times, of _nice_asks() */
static ngx_uint_t             expected, fresh;


/* in the place of the session's other files */

void
ngx_webrtc_session_close(ngx_webrtc_session_t *s, const char *text)
{
    s->state = NGX_WEBRTC_SESSION_CLOSING;
    reason = text;
}


size_t
ngx_webrtc_session_request(ngx_webrtc_session_t *s, const u_char *tid,
    u_char *buf)
{
    (void) s; (void) tid; (void) buf;

    return 1;
}


ngx_int_t
ngx_webrtc_session_answered(ngx_webrtc_session_t *s, const u_char *p, size_t n,
    const u_char *tid)
{
    (void) s; (void) p; (void) n;

    return (answers == NULL || answers == tid) ? authentic : NGX_DECLINED;
}


ngx_uint_t
ngx_webrtc_nice_asks(ngx_webrtc_nice_t *nice)
{
    (void) nice;

    return unproven ? unproven-- : 0;
}


void
ngx_webrtc_nice_expect(ngx_webrtc_nice_t *nice, ngx_uint_t on)
{
    (void) nice;

    expected = on;
    fresh += on;
}


ngx_uint_t
ngx_webrtc_nice_fresh(ngx_webrtc_nice_t *nice)
{
    (void) nice;

    return fresh;
}


void
ngx_webrtc_nice_send(ngx_webrtc_nice_t *nice, u_char *p, size_t n)
{
    (void) nice; (void) p; (void) n;
}


static void
on_rtp(ngx_webrtc_session_t *s, ngx_webrtc_rtp_t *rtp, size_t n)
{
    (void) s; (void) rtp; (void) n;
}


/* a pair was selected at this time */

static void
begin(ngx_msec_t now)
{
    static ngx_log_t  log;

    ngx_memzero(&session, sizeof(ngx_webrtc_session_t));

    session.state = NGX_WEBRTC_SESSION_UP;
    session.log = log;
    session.transport.budget = &session.consent.none;

    reason = NULL;
    begun = 0;
    authentic = NGX_DECLINED;

    ngx_current_msec = now;
    ngx_webrtc_session_consent_given(&session);
}


/* as the session's timer does */

static void
timer(void)
{
    if (ngx_webrtc_session_consent_timeout(&session, ngx_current_msec)
        == NGX_AGAIN)
    {
        begun++;
        ngx_webrtc_session_consent_ask(&session);
    }
}


/* whenever there is something to do until then, and then */

static void
until(ngx_msec_t end)
{
    while (session.state == NGX_WEBRTC_SESSION_UP
           && (ngx_msec_int_t) (session.consent.next - end) <= 0)
    {
        ngx_current_msec = session.consent.next;
        timer();
    }

    if (session.state == NGX_WEBRTC_SESSION_UP) {
        ngx_current_msec = end;
        timer();
    }
}


static void
answer(void)
{
    u_char  byte;

    authentic = NGX_OK;
    tap_ok(ngx_webrtc_session_consent_input(&session, &byte, 1)
           != NGX_DECLINED, "it is taken");
    authentic = NGX_DECLINED;
}


static void
viewer(ngx_msec_t from)
{
    begin(from);

    tap_ok(session.transport.budget == NULL, "viewer: it is sent to");

    until(from + 29999);

    tap_is_int(session.state, NGX_WEBRTC_SESSION_UP, "viewer: up at 29.999 s");
    tap_ok(begun >= 4 && begun <= 7, "viewer: asked %d times, each 4 to 6 s",
           (int) begun);

    until(from + 30000);

    tap_is_int(session.state, NGX_WEBRTC_SESSION_CLOSING,
               "viewer: ends at 30 s");
    tap_is_str(reason, "consent lost", "viewer: which is why");
}


static void
renewed(void)
{
    begin(1000);

    until(1000 + 29000);
    answer();
    until(1000 + 29000 + 29999);

    tap_is_int(session.state, NGX_WEBRTC_SESSION_UP,
               "renewed: an answer is good for 30 s");

    until(1000 + 29000 + 30000);

    tap_is_int(session.state, NGX_WEBRTC_SESSION_CLOSING,
               "renewed: and no longer");

    begin(1000);
    until(1000 + 29000);
    tap_is_int(ngx_webrtc_session_consent_input(&session, (u_char *) "x", 1),
               NGX_DECLINED, "renewed: what is not authentic is not taken");
    until(1000 + 30000);

    tap_is_int(session.state, NGX_WEBRTC_SESSION_CLOSING,
               "renewed: by nothing else");
}


static void
publishing(void)
{
    publisher.rtp = on_rtp;

    begin(1000);
    session.role = &publisher;
    session.part = &session;

    until(1000 + 29999);
    session.heard = 1000 + 29000;
    until(1000 + 30000);

    tap_is_int(session.state, NGX_WEBRTC_SESSION_UP,
               "publisher: whose media comes stays");
    tap_ok(session.transport.budget && *session.transport.budget == 0,
           "publisher: but nothing is sent any more");

    begun = 0;
    until(1000 + 41000);
    tap_ok(begun >= 1, "publisher: and is asked on");

    answer();
    tap_ok(session.transport.budget == NULL,
           "publisher: the first answer brings consent back");

    until(1000 + 41000 + 30000);
    tap_is_int(session.state, NGX_WEBRTC_SESSION_CLOSING,
               "publisher: one that is silent for 30 s ends");
}


/* an answer to the request that was sent so many before the last one */

static ngx_int_t
reply(ngx_uint_t before)
{
    u_char  byte;

    answers = session.consent.tids[(session.consent.n - 1 - before)
                                   % NGX_WEBRTC_SESSION_CONSENT_TIDS];

    return ngx_webrtc_session_consent_input(&session, &byte, 1);
}


/* which request is answered; and asked at once where the answer shows more */

static void
soon(void)
{
    ngx_uint_t  i;

    unproven = 3;
    begin(1000);
    until(1000 + 99);

    tap_is_int(begun, 0, "soon: nothing is asked before 100 ms");

    until(1000 + 300);

    tap_is_int(begun, 3, "soon: every 100 ms then");

    until(1000 + 4299);

    tap_is_int(begun, 3, "soon: and as always when that is enough");

    authentic = NGX_OK;

    /* a pair is selected before each of them, so it alone is of that */

    for (i = 0; i < 20; i++) {
        ngx_webrtc_session_consent_ask(&session);
        fresh = 0;
        ngx_webrtc_session_consent_ask(&session);

        if (reply(1) != NGX_DONE || !expected
            || reply(0) != NGX_OK || expected)
        {
            break;
        }
    }

    tap_is_int(i, 20, "soon: the answer to a request over this pair is told "
                      "from others', and the last one ends it");

    /* none since, and packets queue: each comes when others have been asked */

    fresh = 0;

    for (i = 0; i < NGX_WEBRTC_SESSION_CONSENT_TIDS - 1; i++) {
        ngx_webrtc_session_consent_ask(&session);
    }

    for (i = 0; i < 20; i++) {
        ngx_webrtc_session_consent_ask(&session);

        if (reply(NGX_WEBRTC_SESSION_CONSENT_TIDS - 1) != NGX_OK || !expected) {
            break;
        }
    }

    tap_is_int(i, 20, "soon: so is one that comes late, and others are to "
                      "come");

    tap_is_int(reply(NGX_WEBRTC_SESSION_CONSENT_TIDS - 1), NGX_DECLINED,
               "soon: an answer counts once");

    answers = NULL;
    authentic = NGX_DECLINED;
}


int
main(void)
{
    viewer(1000);

    /* the clock's number comes round */

    viewer((ngx_msec_t) -20000);

    renewed();
    publishing();
    soon();

    return tap_done();
}
