
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Full ICE of a session.  Wires the agent (src/net/ngx_webrtc_nice.c) to the
 * session: what arrives goes to ngx_webrtc_session_life_input(), a selected
 * pair starts DTLS, and consent (ngx_webrtc_session_consent.c) takes the place
 * of the checks that keep a session with ICE lite alive.
 *
 *   created ---- connected ----> as any session
 *      |           |   ^
 *      |     failed|   |restarted, connected
 *      v           v   |
 *   handshake    webrtc_timeout: closed
 *   timeout
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_session_ice.h"
#include "ngx_webrtc_session_consent.h"
#include "ngx_webrtc_session_rebind.h"
#include "ngx_webrtc_session_stat.h"
#include "ngx_webrtc_bus_said.h"
#include "ngx_webrtc_bus_unheard.h"
#include "ngx_webrtc_roles.h"
#include "ngx_webrtc_sdpfrag.h"


/* ms to an answer before others are asked; chosen: longer than most round trips
 */
#define NGX_WEBRTC_SESSION_ICE_WAIT  1000


static ngx_int_t ngx_webrtc_session_ice_answer(void *ctx, u_char *p,
    size_t n);
static void ngx_webrtc_session_ice_done(void *ctx);
static void ngx_webrtc_session_ice_state(void *ctx, ngx_uint_t state);
static void ngx_webrtc_session_ice_candidate(void *ctx);
static void ngx_webrtc_session_ice_gathered(void *ctx);
static void ngx_webrtc_session_ice_reflexive(void *ctx, ngx_uint_t n);


ngx_int_t
ngx_webrtc_session_ice_start(ngx_webrtc_session_t *s,
    ngx_webrtc_session_ice_conf_t *conf,
    void (*input)(void *ctx, u_char *p, size_t n))
{
    ngx_webrtc_desc_t       *desc;
    ngx_webrtc_nice_conf_t   nice;

    desc = &s->peer->desc;

    ngx_memzero(&nice, sizeof(ngx_webrtc_nice_conf_t));

    nice.input = input;
    nice.answer = ngx_webrtc_session_ice_answer;
    nice.done = ngx_webrtc_session_ice_done;
    nice.state = ngx_webrtc_session_ice_state;
    nice.candidate = ngx_webrtc_session_ice_candidate;
    nice.gathered = ngx_webrtc_session_ice_gathered;
    nice.reflexive = ngx_webrtc_session_ice_reflexive;
    nice.ctx = s;

    nice.log = s->wk->log;
    nice.addrs = conf->addrs;
    nice.naddrs = conf->naddrs;
    nice.servers = conf->servers;
    nice.nservers = conf->nservers;
    nice.filter = conf->filter;
    nice.min_port = conf->min_port;
    nice.max_port = conf->max_port;
    nice.relay = conf->relay ? 1 : 0;
    nice.gso = s->wk->conf.gso ? 1 : 0;

    nice.controlling = ngx_webrtc_session_controls(s) ? 1 : 0;

    nice.ufrag.data = desc->local_ufrag;
    nice.ufrag.len = desc->local_ufrag_len;
    nice.pwd.data = desc->local_pwd;
    nice.pwd.len = desc->local_pwd_len;

    s->transport.nice = ngx_webrtc_nice_create(&nice);
    if (s->transport.nice == NULL) {
        return NGX_ERROR;
    }

    /* an offer of ours has yet to be answered */

    return desc->remote_ufrag_len ? ngx_webrtc_session_ice_remote(s) : NGX_OK;
}


ngx_int_t
ngx_webrtc_session_ice_remote(ngx_webrtc_session_t *s)
{
    ngx_str_t           ufrag, pwd;
    ngx_webrtc_desc_t  *desc;

    desc = &s->peer->desc;

    ufrag.data = desc->remote_ufrag;
    ufrag.len = desc->remote_ufrag_len;
    pwd.data = desc->remote_pwd;
    pwd.len = desc->remote_pwd_len;

    return ngx_webrtc_nice_remote(s->transport.nice, &ufrag, &pwd);
}


void
ngx_webrtc_session_ice_trickle(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    ngx_uint_t               i;
    ngx_webrtc_desc_t       *desc;
    ngx_webrtc_sdpfrag_t    *frag;
    ngx_webrtc_sdp_error_t   err;

    if (s->state == NGX_WEBRTC_SESSION_CLOSING || s->transport.nice == NULL) {
        return;
    }

    frag = ngx_alloc(sizeof(ngx_webrtc_sdpfrag_t), &s->log);
    if (frag == NULL) {
        return;
    }

    /* a restart: news of it and its candidates may come in any order */

    ngx_webrtc_session_ice_changed(s);

    desc = &s->peer->desc;

    if (ngx_webrtc_sdpfrag_parse(p, p + n, frag, &err) == NGX_OK
        && (frag->ufrag.len == 0
            || (frag->ufrag.len == desc->remote_ufrag_len
                && ngx_memcmp(frag->ufrag.data, desc->remote_ufrag,
                              frag->ufrag.len)
                   == 0)))
    {
        for (i = 0; i < frag->ncandidates; i++) {
            (void) ngx_webrtc_nice_add(s->transport.nice,
                                       &frag->candidates[i]);
        }
    }

    ngx_free(frag);
}


void
ngx_webrtc_session_ice_changed(ngx_webrtc_session_t *s)
{
    ngx_int_t                   rc;
    ngx_str_t                   ufrag, pwd, rufrag, rpwd;
    ngx_webrtc_desc_t          *desc;
    ngx_webrtc_session_cred_t  *cred;
    u_char                      text[NGX_WEBRTC_DESC_LOCAL_PWD];
    u_char                      remote[NGX_WEBRTC_DESC_REMOTE_PWD];

    if (s->state == NGX_WEBRTC_SESSION_CLOSING) {
        return;
    }

    cred = &s->creds[0];

    if (ngx_webrtc_peers_lock(s->wk->bus, s->peer->ref) == NULL) {
        return;
    }

    desc = &s->peer->desc;

    if (s->ncreds
        && cred->local_ufrag_len == desc->local_ufrag_len
        && ngx_memcmp(cred->local_ufrag, desc->local_ufrag,
                      cred->local_ufrag_len)
           == 0)
    {
        ngx_webrtc_peers_unlock(s->wk->bus);
        return;
    }

    rc = s->ncreds ? NGX_OK : NGX_DONE;

    cred->local_ufrag_len = desc->local_ufrag_len;
    cred->remote_ufrag_len = desc->remote_ufrag_len;

    ngx_memcpy(cred->local_ufrag, desc->local_ufrag,
               sizeof(cred->local_ufrag));
    ngx_memcpy(cred->remote_ufrag, desc->remote_ufrag,
               sizeof(cred->remote_ufrag));

    ngx_memcpy(text, desc->local_pwd, sizeof(text));
    ngx_memcpy(remote, desc->remote_pwd, sizeof(remote));

    ufrag.data = cred->local_ufrag;
    ufrag.len = cred->local_ufrag_len;
    pwd.data = text;
    pwd.len = desc->local_pwd_len;
    rufrag.data = cred->remote_ufrag;
    rufrag.len = cred->remote_ufrag_len;
    rpwd.data = remote;
    rpwd.len = desc->remote_pwd_len;

    ngx_webrtc_peers_unlock(s->wk->bus);

    s->ncreds = 1;

    if (rc == NGX_OK
        && (ngx_webrtc_nice_restart(s->transport.nice, &ufrag, &pwd) != NGX_OK
            || ngx_webrtc_nice_remote(s->transport.nice, &rufrag, &rpwd)
               != NGX_OK))
    {
        ngx_webrtc_session_close(s, "ice restart failed");
    }

    ngx_explicit_memzero(text, sizeof(text));
    ngx_explicit_memzero(remote, sizeof(remote));

    if (rc == NGX_OK) {

        /* only the agent uses credentials: the old ones can be forgotten */

        ngx_webrtc_peers_restarted(s->wk->bus, s->peer, &ufrag);

        ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                      "webrtc session ice restarted");
    }
}


u_char *
ngx_webrtc_session_ice_print(ngx_webrtc_session_t *s, u_char *p, u_char *end)
{
    u_char                      *next;
    ngx_uint_t                   i, n;
    ngx_pool_t                  *pool;
    ngx_webrtc_sdp_candidate_t   cand[NGX_WEBRTC_NICE_CANDIDATES];

    if (s->transport.nice == NULL) {
        return p;
    }

    pool = ngx_create_pool(NGX_MIN_POOL_SIZE, &s->log);
    if (pool == NULL) {
        return p;
    }

    n = ngx_webrtc_nice_candidates(s->transport.nice, pool, cand,
                                   NGX_WEBRTC_NICE_CANDIDATES);

    for (i = 0; i < n; i++) {
        next = ngx_webrtc_write_mem(p, end, (u_char *) "a=", 2);
        next = ngx_webrtc_sdp_print_candidate(next, end, &cand[i], i);
        next = ngx_webrtc_write_mem(next, end, (u_char *) CRLF, 2);

        if (next == NULL) {
            break;
        }

        p = next;
    }

    ngx_destroy_pool(pool);

    return p;
}


void
ngx_webrtc_session_ice_complain(ngx_webrtc_session_t *s, ngx_uint_t all)
{
    u_char                    *p, *cause;
    ngx_str_t                  text;
    ngx_uint_t                 i, level;
    ngx_webrtc_nice_relay_t   *relay;
    ngx_webrtc_nice_relays_t  *relays;
    u_char                     buf[NGX_WEBRTC_NICE_CAUSE
                                   + NGX_SOCKADDR_STRLEN + 8];

    relays = s->transport.nice ? ngx_webrtc_nice_relays(s->transport.nice)
                               : NULL;

    for (i = 0; relays && i < relays->n; i++) {

        relay = &relays->relay[i];

        if (relay->state == NGX_WEBRTC_NICE_RELAY_OK
            || (!all && relay->state <= NGX_WEBRTC_NICE_RELAY_ASKED))
        {
            continue;
        }

        p = ngx_slprintf(buf, buf + 4, relay->tcp ? "TCP " : "UDP ");
        p += ngx_sock_ntop(&relay->addr.sockaddr, sizeof(ngx_sockaddr_t), p,
                           NGX_SOCKADDR_STRLEN, 1);

        *p++ = '\0';
        cause = p;

        p = ngx_webrtc_nice_relay_cause(relay, p, buf + sizeof(buf));

        text.data = buf;
        text.len = p - buf;

        level = ngx_webrtc_bus_said(s->wk->bus, &text, ngx_current_msec)
                ? NGX_LOG_ERR : NGX_LOG_INFO;

        ngx_log_error(level, &s->log, 0,
                      "webrtc has no candidate of the TURN server \"%V\" "
                      "(%s): %*s", &relay->url, buf, (size_t) (p - cause),
                      cause);
    }
}


void
ngx_webrtc_session_ice_stop(ngx_webrtc_session_t *s)
{
    if (s->transport.nice) {
        ngx_webrtc_nice_close(s->transport.nice);
        s->transport.nice = NULL;
    }

    ngx_webrtc_session_rebind_end(s);
}


void
ngx_webrtc_session_ice_heard(ngx_webrtc_session_t *s)
{
    if (s->transport.nice && s->paired
        && ngx_webrtc_nice_deaf(s->transport.nice))
    {
        ngx_webrtc_session_rebind_end(s);
        ngx_webrtc_session_consent_given(s);
    }
}


void
ngx_webrtc_session_ice_timeout(ngx_webrtc_session_t *s, ngx_msec_t now)
{
    if (ngx_webrtc_session_consent_timeout(s, now) == NGX_AGAIN) {
        ngx_webrtc_session_rebind_begin(s, NGX_WEBRTC_SESSION_ICE_WAIT);
    }

    if (s->state != NGX_WEBRTC_SESSION_CLOSING) {
        ngx_webrtc_session_rebind_timeout(s, now);
    }
}


static ngx_int_t
ngx_webrtc_session_ice_answer(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_session_t *s = ctx;

    ngx_int_t  rc;

    if (s->state == NGX_WEBRTC_SESSION_CLOSING || !s->paired) {
        return NGX_DECLINED;
    }

    rc = ngx_webrtc_session_consent_input(s, p, n);

    if (rc != NGX_DECLINED) {
        ngx_webrtc_session_rebind_end(s);
        return rc;
    }

    /* or one of libnice's */
    (void) ngx_webrtc_session_rebind_input(s, p, n);

    return NGX_DECLINED;
}


static void
ngx_webrtc_session_ice_done(void *ctx)
{
    ngx_webrtc_session_t *s = ctx;

    ngx_webrtc_roles_batch(s->wk);
}


static void
ngx_webrtc_session_ice_state(void *ctx, ngx_uint_t state)
{
    ngx_webrtc_session_t *s = ctx;

    u_char  *p, text[2 * NGX_SOCKADDR_STRLEN + 32];

    if (s->state == NGX_WEBRTC_SESSION_CLOSING) {
        return;
    }

    s->checked = ngx_current_msec;

    if (state == NGX_WEBRTC_NICE_FAILED) {

        ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                      "webrtc session has no path");

        s->connected = 0;

        if (s->paired) {
            s->transport.budget = &s->consent.none;
        }

        ngx_webrtc_session_schedule(s);
        return;
    }

    p = ngx_webrtc_nice_pair(s->transport.nice, text, text + sizeof(text));

    ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                  "webrtc session path selected %*s", (size_t) (p - text),
                  text);

    ngx_webrtc_session_stat_pair(s, text, p - text);

    if (s->state == NGX_WEBRTC_SESSION_CHECKED && !s->connected) {
        /* the time for the handshake starts here */
        s->created = ngx_current_msec;
    }

    ngx_webrtc_session_consent_given(s);

    if (s->state == NGX_WEBRTC_SESSION_CHECKED) {
        ngx_webrtc_atomic_store(&s->peer->progress, NGX_WEBRTC_PEER_PAIRED);
    }

    ngx_webrtc_bus_heard(s->wk->bus);

    if (ngx_webrtc_dtls_start(&s->dtls, ngx_current_msec) != NGX_OK) {
        ngx_webrtc_session_close(s, "dtls start failed");
        return;
    }

    ngx_webrtc_session_schedule(s);
}


static void
ngx_webrtc_session_ice_candidate(void *ctx)
{
    ngx_webrtc_session_t *s = ctx;

    if (s->wk->conf.on_ice) {
        s->wk->conf.on_ice(s->wk->conf.ctx, s->peer->ref, 0);
    }
}


static void
ngx_webrtc_session_ice_gathered(void *ctx)
{
    ngx_webrtc_session_t *s = ctx;

    /* an answer that we have missed does not mean that none has come */

    ngx_webrtc_session_ice_complain(s,
                              !ngx_webrtc_nice_relayed(s->transport.nice));

    if (s->wk->conf.on_ice) {
        s->wk->conf.on_ice(s->wk->conf.ctx, s->peer->ref, 1);
    }
}


/* a NAT may have rebound: is the address in use still the peer's? */

static void
ngx_webrtc_session_ice_reflexive(void *ctx, ngx_uint_t n)
{
    ngx_webrtc_session_t *s = ctx;

    if (s->state == NGX_WEBRTC_SESSION_CLOSING) {
        return;
    }

    if (n > NGX_WEBRTC_NICE_REFLEXIVE) {
        ngx_webrtc_session_close(s, "too many addresses");
        return;
    }

    if (s->paired) {
        ngx_webrtc_session_rebind_begin(s, NGX_WEBRTC_SESSION_REBIND_RTO);
        ngx_webrtc_session_schedule(s);
    }
}
