
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What all parts of a session need: credentials, its one timer, its end by a
 * posted event.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_timer.h"


void
ngx_webrtc_session_cred(ngx_webrtc_desc_t *desc, ngx_webrtc_ice_cred_t *cred)
{
    cred->local_ufrag.data = desc->local_ufrag;
    cred->local_ufrag.len = desc->local_ufrag_len;
    cred->local_pwd.data = desc->local_pwd;
    cred->local_pwd.len = desc->local_pwd_len;
    cred->remote_ufrag.data = desc->remote_ufrag;
    cred->remote_ufrag.len = desc->remote_ufrag_len;
}


ngx_webrtc_session_cred_t *
ngx_webrtc_session_find_cred(ngx_webrtc_session_t *s, ngx_str_t *ufrag)
{
    ngx_uint_t  i;

    for (i = 0; i < s->ncreds; i++) {

        if (ufrag->len == s->creds[i].local_ufrag_len
            && ngx_memcmp(ufrag->data, s->creds[i].local_ufrag, ufrag->len)
               == 0)
        {
            return &s->creds[i];
        }
    }

    return NULL;
}


size_t
ngx_webrtc_session_request(ngx_webrtc_session_t *s, const u_char *tid,
    u_char *buf)
{
    size_t                  n;
    ngx_str_t               pwd;
    ngx_webrtc_desc_t      *desc;
    ngx_webrtc_ice_cred_t   cred;

    if (ngx_webrtc_peers_lock(s->wk->bus, s->peer->ref) == NULL) {
        return 0;
    }

    desc = &s->peer->desc;

    ngx_webrtc_session_cred(desc, &cred);

    pwd.data = desc->remote_pwd;
    pwd.len = desc->remote_pwd_len;

    /* RFC 8445, 6.1.1: a lite agent is controlled, a full one by a full one */

    n = ngx_webrtc_ice_probe(&cred, &pwd, tid,
                             s->transport.nice
                             && ngx_webrtc_session_controls(s),
                             buf);

    ngx_webrtc_peers_unlock(s->wk->bus);

    return n;
}


ngx_int_t
ngx_webrtc_session_answered(ngx_webrtc_session_t *s, const u_char *p, size_t n,
    const u_char *tid)
{
    ngx_int_t  rc;
    ngx_str_t  pwd;

    if (ngx_webrtc_peers_lock(s->wk->bus, s->peer->ref) == NULL) {
        return NGX_DECLINED;
    }

    pwd.data = s->peer->desc.remote_pwd;
    pwd.len = s->peer->desc.remote_pwd_len;

    rc = ngx_webrtc_ice_answered(p, n, tid, &pwd);

    ngx_webrtc_peers_unlock(s->wk->bus);

    return rc;
}


void
ngx_webrtc_session_send_rtcp(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    if (ngx_webrtc_srtp_protect_rtcp(&s->out, p, &n,
                                     n + NGX_WEBRTC_SRTP_RTCP_TAG)
        != NGX_OK)
    {
        ngx_webrtc_session_close(s, "srtcp failed");
        return;
    }

    ngx_webrtc_transport_send(&s->transport, p, n);
}


const char *
ngx_webrtc_session_why(ngx_uint_t why)
{
    static const char *const  words[NGX_WEBRTC_WHY_N] = {
        "",                        /* NGX_WEBRTC_WHY_UNKNOWN */
        "deleted",                 /* NGX_WEBRTC_WHY_DELETED */
        "replaced",                /* NGX_WEBRTC_WHY_REPLACED */
        "gave way to a new one",   /* NGX_WEBRTC_WHY_GIVE_WAY */
        "no candidate was gathered",   /* NGX_WEBRTC_WHY_USELESS */
        "ended by the operator",   /* NGX_WEBRTC_WHY_OPERATOR */
        "refused by a hook",       /* NGX_WEBRTC_WHY_HOOK */
        "its token has expired"    /* NGX_WEBRTC_WHY_TOKEN */
    };

    return (why < NGX_WEBRTC_WHY_N) ? words[why] : "";
}


void
ngx_webrtc_session_settle(ngx_webrtc_session_t *s)
{
    ngx_int_t  rc;

    rc = ngx_webrtc_dtls_settle(&s->dtls);

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, &s->log, 0,
                   "webrtc session dtls settled rc:%i", rc);

    (void) rc;
}


/* the one timer: the earliest of all deadlines */

void
ngx_webrtc_session_schedule(ngx_webrtc_session_t *s)
{
    uint64_t    dtls;
    ngx_msec_t  next, end, limit;

    if (s->state == NGX_WEBRTC_SESSION_CLOSING) {
        return;
    }

    next = ngx_webrtc_session_alive(s) + s->peer->policy.timeout;

    if (s->state == NGX_WEBRTC_SESSION_UP) {

        if ((ngx_msec_int_t) (s->report - next) < 0) {
            next = s->report;
        }

    } else {
        limit = s->created + s->peer->policy.handshake_timeout;

        if ((ngx_msec_int_t) (limit - next) < 0) {
            next = limit;
        }
    }

    if (s->paired) {
        end = s->consent.given + NGX_WEBRTC_SESSION_CONSENT_TIMEOUT;

        if (s->connected && (ngx_msec_int_t) (end - next) < 0) {
            next = end;
        }

        if ((ngx_msec_int_t) (s->consent.next - next) < 0) {
            next = s->consent.next;
        }
    }

    if (s->rebind && (ngx_msec_int_t) (s->rebind->next - next) < 0) {
        next = s->rebind->next;
    }

    if (s->probe.sent && (ngx_msec_int_t) (s->probe.next - next) < 0) {
        next = s->probe.next;
    }

    dtls = ngx_webrtc_dtls_deadline(&s->dtls);

    if (dtls != NGX_WEBRTC_DTLS_NO_DEADLINE
        && (ngx_msec_int_t) ((ngx_msec_t) dtls - next) < 0)
    {
        next = (ngx_msec_t) dtls;
    }

    ngx_webrtc_timer_at(&s->timer, next);
}


ngx_msec_t
ngx_webrtc_session_alive(ngx_webrtc_session_t *s)
{
    if (ngx_webrtc_session_receives(s)
        && (ngx_msec_int_t) (s->heard - s->checked) > 0)
    {
        return s->heard;
    }

    return s->checked;
}


void
ngx_webrtc_session_close(ngx_webrtc_session_t *s, const char *reason)
{
    if (s->state == NGX_WEBRTC_SESSION_CLOSING) {
        return;
    }

    s->state = NGX_WEBRTC_SESSION_CLOSING;
    s->reason = reason;

    ngx_post_event(&s->close, &ngx_posted_events);
}


void
ngx_webrtc_session_complain(ngx_webrtc_session_t *s, const char *what)
{
    if (s->complained) {
        return;
    }

    s->complained = 1;

    ngx_log_error(NGX_LOG_INFO, &s->log, 0, "webrtc session peer error: %s",
                  what);
}
