
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The life of a session: handshake, liveness, the end.  Addresses are chosen in
 * ngx_webrtc_session_path.c.
 *
 * A session lives until "webrtc_timeout" after the last verified check; a
 * publisher's also until that long after the last authentic packet over the
 * current path, as some stop checking after the handshake, or their checks do
 * not get through.  With full ICE a selected pair takes the place of checks.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_session_life.h"
#include "ngx_webrtc_session_path.h"
#include "ngx_webrtc_session_stat.h"
#include "ngx_webrtc_roles.h"
#include "ngx_webrtc_rtp.h"
#include "ngx_webrtc_unheard.h"


static ngx_int_t ngx_webrtc_session_life_handshake(ngx_webrtc_session_t *s);
static void ngx_webrtc_session_life_agent(void *ctx, u_char *p, size_t n);
static u_char *ngx_webrtc_session_life_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_session_life_restarted(ngx_webrtc_session_t *s);
static void ngx_webrtc_session_life_dtls(ngx_webrtc_session_t *s, u_char *p,
    size_t n);
static void ngx_webrtc_session_life_connected(ngx_webrtc_session_t *s);
static ngx_int_t ngx_webrtc_session_life_keys(ngx_webrtc_session_t *s);
static void ngx_webrtc_session_life_heard(ngx_webrtc_session_t *s);
static void ngx_webrtc_session_life_dtls_send(void *ctx, u_char *p, size_t n);
static void ngx_webrtc_session_life_dtls_recv(void *ctx, u_char *p, size_t n);
static void ngx_webrtc_session_life_rtp(ngx_webrtc_session_t *s, u_char *p,
    size_t n);
static void ngx_webrtc_session_life_rtcp(ngx_webrtc_session_t *s, u_char *p,
    size_t n);
static void ngx_webrtc_session_life_timer(ngx_event_t *ev);
static void ngx_webrtc_session_life_close_handler(ngx_event_t *ev);


ngx_webrtc_session_t *
ngx_webrtc_session_life_create(ngx_webrtc_worker_t *wk, ngx_webrtc_peer_t *peer,
    ngx_webrtc_path_t *path)
{
    ngx_webrtc_session_t     *s;
    const ngx_webrtc_role_t  *role;

    role = ngx_webrtc_roles_find(wk, peer->role);
    if (role == NULL) {
        return NULL;
    }

    s = ngx_calloc(sizeof(ngx_webrtc_session_t), wk->log);
    if (s == NULL) {
        return NULL;
    }

    s->wk = wk;
    s->peer = peer;
    s->role = role;

    ngx_webrtc_bus_public(peer->id, s->public);

    s->log = *wk->log;
    s->log.handler = ngx_webrtc_session_life_log;
    s->log.data = s;
    s->log.action = NULL;

    s->timer.handler = ngx_webrtc_session_life_timer;
    s->timer.data = s;
    s->timer.log = &s->log;

    s->close.handler = ngx_webrtc_session_life_close_handler;
    s->close.data = s;
    s->close.log = &s->log;

    s->created = ngx_current_msec;
    s->checked = ngx_current_msec;
    s->heard = ngx_current_msec;

    ngx_webrtc_session_life_changed(s);

    if (role->stream) {
        s->st = ngx_webrtc_bus_stream_ref(wk->bus, peer->stream);

        if (s->st == NULL) {
            /* it was freed while nobody needed it: nothing to play or join */
            ngx_free(s);
            return NULL;
        }
    }

    /* an offer of ours that has yet to be answered has no peer */

    if (ngx_webrtc_session_life_handshake(s) != NGX_OK
        && peer->desc.remote_ufrag_len)
    {
        if (s->st) {
            ngx_webrtc_bus_release(wk->bus, s->st);
        }

        ngx_free(s);
        return NULL;
    }

    s->transport.udp = wk->udp;

    if (path) {
        ngx_webrtc_session_path_first(s, path);
    }

    peer->session = s;
    ngx_queue_insert_tail(&wk->sessions, &s->queue);
    wk->nsessions++;

    ngx_webrtc_session_stat_begin(s);

    ngx_log_error(NGX_LOG_INFO, &s->log, 0, "webrtc session claimed");

    return s;
}


/* NGX_OK; NGX_DECLINED: it is not known whom with; NGX_ERROR */

static ngx_int_t
ngx_webrtc_session_life_handshake(ngx_webrtc_session_t *s)
{
    ngx_webrtc_desc_t       *desc;
    ngx_webrtc_dtls_opts_t   opts;

    desc = &s->peer->desc;

    ngx_memzero(&opts, sizeof(ngx_webrtc_dtls_opts_t));

    opts.role = desc->dtls_role;
    opts.fingerprint_alg = desc->fingerprint_alg;
    opts.fingerprint = desc->fingerprint;
    opts.fingerprint_len = desc->fingerprint_len;
    opts.send = ngx_webrtc_session_life_dtls_send;
    opts.recv = s->role->data ? ngx_webrtc_session_life_dtls_recv : NULL;
    opts.ctx = s;

    return ngx_webrtc_dtls_init(&s->dtls, s->wk->conf.dtls, &opts);
}


void
ngx_webrtc_session_life_answered(ngx_webrtc_session_t *s,
    const ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand)
{
    ngx_uint_t  i;

    /* the time for checks and the handshake starts here */

    s->created = ngx_current_msec;
    s->checked = ngx_current_msec;

    s->ncreds = 0;
    ngx_webrtc_session_ice_changed(s);

    if (ngx_webrtc_session_life_handshake(s) != NGX_OK
        || ngx_webrtc_session_ice_remote(s) != NGX_OK)
    {
        ngx_webrtc_session_close(s, "no memory");
        return;
    }

    for (i = 0; i < ncand; i++) {
        (void) ngx_webrtc_nice_add(s->transport.nice, &cand[i]);
    }

    ngx_webrtc_session_schedule(s);
}


ngx_webrtc_session_t *
ngx_webrtc_session_life_create_full(ngx_webrtc_worker_t *wk, uint64_t ref,
    ngx_webrtc_session_ice_conf_t *conf,
    const ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand)
{
    ngx_uint_t             i;
    ngx_webrtc_peer_t     *peer;
    ngx_webrtc_session_t  *s;

    peer = ngx_webrtc_peers_claim(wk->bus, ref);
    if (peer == NULL) {
        (void) ngx_webrtc_peers_close(wk->bus, ref);
        return NULL;
    }

    s = ngx_webrtc_session_life_create(wk, peer, NULL);
    if (s == NULL) {
        (void) ngx_webrtc_peers_close(wk->bus, ref);
        return NULL;
    }

    if (ngx_webrtc_session_ice_start(s, conf, ngx_webrtc_session_life_agent)
        != NGX_OK)
    {
        s->reason = "no ice agent";
        ngx_webrtc_session_life_destroy(s);
        return NULL;
    }

    for (i = 0; i < ncand; i++) {
        (void) ngx_webrtc_nice_add(s->transport.nice, &cand[i]);
    }

    ngx_webrtc_session_schedule(s);

    return s;
}


/* what the agent has received over its pair */

static void
ngx_webrtc_session_life_agent(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_session_life_input(ctx, NULL, p, n);
}


static u_char *
ngx_webrtc_session_life_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                *p;
    ngx_webrtc_session_t  *s;

    s = log->data;

    p = ngx_snprintf(buf, len, ", session:%*s, stream:\"%*s\"",
                     (size_t) NGX_WEBRTC_PUBLIC_LEN, s->public,
                     (size_t) s->peer->name_len, s->peer->name);
    len -= p - buf;
    buf = p;

    if (s->current && len > sizeof(", peer:") + NGX_SOCKADDR_STRLEN) {
        p = ngx_cpymem(p, ", peer:", sizeof(", peer:") - 1);
        p += ngx_sock_ntop(&s->current->path.remote.u.sa,
                           s->current->path.remote.len, p,
                           NGX_SOCKADDR_STRLEN, 1);
    }

    return p;
}


/*
 * RFC 8445, 9: the old path is used until the restart has nominated a new one,
 * and stays if it never does.
 */

void
ngx_webrtc_session_life_changed(ngx_webrtc_session_t *s)
{
    ngx_str_t                   ufrag;
    ngx_webrtc_desc_t          *desc;
    ngx_webrtc_session_cred_t  *cred;

    if (s->transport.nice) {
        ngx_webrtc_session_ice_changed(s);
        return;
    }

    if (ngx_webrtc_peers_lock(s->wk->bus, s->peer->ref) == NULL) {
        return;
    }

    desc = &s->peer->desc;

    ufrag.data = desc->local_ufrag;
    ufrag.len = ngx_min(desc->local_ufrag_len, NGX_WEBRTC_DESC_LOCAL_UFRAG);

    if (ngx_webrtc_session_find_cred(s, &ufrag) == NULL) {

        cred = (s->ncreds == 0) ? &s->creds[0] : &s->creds[1];

        cred->local_ufrag_len = (uint8_t) ufrag.len;
        cred->local_pwd_len = ngx_min(desc->local_pwd_len,
                                      NGX_WEBRTC_DESC_LOCAL_PWD);
        cred->remote_ufrag_len = ngx_min(desc->remote_ufrag_len,
                                         NGX_WEBRTC_DESC_REMOTE_UFRAG);

        ngx_memcpy(cred->local_ufrag, desc->local_ufrag,
                   sizeof(cred->local_ufrag));
        ngx_memcpy(cred->local_pwd, desc->local_pwd, sizeof(cred->local_pwd));
        ngx_memcpy(cred->remote_ufrag, desc->remote_ufrag,
                   sizeof(cred->remote_ufrag));

        s->ncreds = (cred - s->creds) + 1;
    }

    ngx_webrtc_peers_unlock(s->wk->bus);
}


/* a check with the new credentials has nominated a path */

static void
ngx_webrtc_session_life_restarted(ngx_webrtc_session_t *s)
{
    ngx_str_t  ufrag;

    s->creds[0] = s->creds[1];
    s->ncreds = 1;

    ngx_explicit_memzero(&s->creds[1], sizeof(ngx_webrtc_session_cred_t));

    ufrag.data = s->creds[0].local_ufrag;
    ufrag.len = s->creds[0].local_ufrag_len;

    ngx_webrtc_peers_restarted(s->wk->bus, s->peer, &ufrag);

    ngx_log_error(NGX_LOG_INFO, &s->log, 0, "webrtc session ice restarted");
}


void
ngx_webrtc_session_life_check(ngx_webrtc_session_t *s, ngx_webrtc_path_t *path,
    u_char *p, size_t n)
{
    size_t                      len;
    ngx_int_t                   rc;
    ngx_str_t                   local, remote;
    ngx_webrtc_ice_cred_t       cred;
    ngx_webrtc_ice_result_t     result;
    ngx_webrtc_session_cred_t  *sc;
    u_char                      reply[NGX_WEBRTC_ICE_REPLY];

    if (s->state == NGX_WEBRTC_SESSION_CLOSING || s->transport.nice) {
        /* the checks of full ICE come to the agent's own sockets */
        return;
    }

    if (ngx_webrtc_ice_username(p, n, &local, &remote) != NGX_OK) {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_STUN);
        return;
    }

    sc = ngx_webrtc_session_find_cred(s, &local);

    if (sc == NULL) {

        /* we have not been told of the restart yet, or the message was lost */

        ngx_webrtc_session_life_changed(s);
        sc = ngx_webrtc_session_find_cred(s, &local);
    }

    if (sc == NULL) {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_STUN);
        return;
    }

    cred.local_ufrag.data = sc->local_ufrag;
    cred.local_ufrag.len = sc->local_ufrag_len;
    cred.local_pwd.data = sc->local_pwd;
    cred.local_pwd.len = sc->local_pwd_len;
    cred.remote_ufrag.data = sc->remote_ufrag;
    cred.remote_ufrag.len = sc->remote_ufrag_len;

    rc = ngx_webrtc_ice_input(s->wk->ice, &cred, p, n, &path->remote.u.sa,
                              reply, &len, &result);

    if (rc == NGX_OK && ngx_webrtc_session_path_fresh(s, path, p) != NGX_OK) {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_STUN);
        return;
    }

    if (len) {
        ngx_webrtc_transport_send_to(s->wk->udp, s->wk->tcp, path, reply, len);
    }

    if (rc != NGX_OK) {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_INTEGRITY);
        return;
    }

    if (result.use_candidate && sc != &s->creds[0]) {
        ngx_webrtc_session_life_restarted(s);
    }

    ngx_webrtc_session_life_checked(s, path, n, len, result.use_candidate);
}


void
ngx_webrtc_session_life_checked(ngx_webrtc_session_t *s,
    ngx_webrtc_path_t *path, size_t n, size_t reply, ngx_uint_t nominated)
{
    s->checked = ngx_current_msec;

    ngx_webrtc_session_path_checked(s, path, n, nominated);
    ngx_webrtc_session_path_sent(s, path, reply);

    if (ngx_webrtc_dtls_start(&s->dtls, ngx_current_msec) != NGX_OK) {
        ngx_webrtc_session_close(s, "dtls start failed");
        return;
    }

    ngx_webrtc_session_schedule(s);
}


void
ngx_webrtc_session_life_input(ngx_webrtc_session_t *s,
    ngx_webrtc_paths_entry_t *wp, u_char *p, size_t n)
{
    if (s->state == NGX_WEBRTC_SESSION_CLOSING) {
        return;
    }

    s->on_path = (wp == NULL || wp == s->current);

    if (wp) {
        ngx_webrtc_session_path_received(wp, n);
    }

    switch (ngx_webrtc_rtp_classify(p, n)) {

    case NGX_WEBRTC_DATAGRAM_DTLS:
        ngx_webrtc_session_life_dtls(s, p, n);
        break;

    case NGX_WEBRTC_DATAGRAM_RTCP:
        ngx_webrtc_session_life_rtcp(s, p, n);
        break;

    case NGX_WEBRTC_DATAGRAM_STUN:
        /* the agent has no use for it, and neither have we */
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_STUN);
        break;

    default:
        ngx_webrtc_session_life_rtp(s, p, n);
        break;
    }
}


static void
ngx_webrtc_session_life_dtls(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    switch (ngx_webrtc_dtls_input(&s->dtls, p, n, ngx_current_msec)) {

    case NGX_OK:

        if (s->state == NGX_WEBRTC_SESSION_CHECKED) {
            ngx_webrtc_session_life_connected(s);
        }

        if (ngx_webrtc_session_has_data(s)) {
            ngx_webrtc_session_ice_heard(s);
        }

        break;

    case NGX_AGAIN:
        break;

    case NGX_DONE:
        ngx_webrtc_session_close(s, "closed by peer");
        return;

    case NGX_DECLINED:
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_DTLS);
        return;

    default:
        ngx_webrtc_session_close(s, s->dtls.reason ? s->dtls.reason
                                                   : "dtls failed");
        return;
    }

    ngx_webrtc_session_schedule(s);
}


static void
ngx_webrtc_session_life_connected(ngx_webrtc_session_t *s)
{
    ngx_webrtc_session_path_connected(s);
    ngx_webrtc_session_stat_cipher(s);

    if (s->role->media != NGX_WEBRTC_ROLE_NO_MEDIA
        && ngx_webrtc_session_life_keys(s) != NGX_OK)
    {
        return;
    }

    s->state = NGX_WEBRTC_SESSION_UP;
    ngx_webrtc_peers_up(s->wk->bus, s->peer);
    s->report = ngx_current_msec;

    s->notified = ngx_current_msec;

    ngx_webrtc_session_stat_up(s);

    if (s->role->media != NGX_WEBRTC_ROLE_NO_MEDIA) {
        ngx_log_error(NGX_LOG_INFO, &s->log, 0,
                      "webrtc session up profile:%xi ms:%M",
                      (ngx_int_t) s->out.profile,
                      ngx_current_msec - (ngx_msec_t) s->peer->created_ms);
    }

    s->role->start(s);
}


/* SRTP; NGX_ERROR: the session is being closed */

static ngx_int_t
ngx_webrtc_session_life_keys(ngx_webrtc_session_t *s)
{
    ngx_int_t               rc;
    ngx_webrtc_srtp_key_t   local, remote;

    rc = ngx_webrtc_dtls_export(&s->dtls, &local, &remote);

    if (rc != NGX_OK) {
        ngx_webrtc_session_close(s, rc == NGX_DECLINED
                                    ? "no srtp profile in common"
                                    : "dtls export failed");
        return NGX_ERROR;
    }

    rc = ngx_webrtc_srtp_out_init(&s->out, &local);

    if (rc == NGX_OK) {
        rc = (s->role->media == NGX_WEBRTC_ROLE_RECEIVES)
             ? ngx_webrtc_srtp_in_init(&s->in, &remote)
             : ngx_webrtc_srtp_in_init_rtcp(&s->in, &remote);
    }

    ngx_explicit_memzero(&local, sizeof(ngx_webrtc_srtp_key_t));
    ngx_explicit_memzero(&remote, sizeof(ngx_webrtc_srtp_key_t));

    if (rc != NGX_OK) {
        ngx_webrtc_session_close(s, "srtp init failed");
        return NGX_ERROR;
    }

    if (s->dtls.client) {
        /* the last flight was the peer's */
        ngx_webrtc_session_settle(s);
    }

    return NGX_OK;
}


/*
 * SRTP or SRTCP from the peer has been found authentic.  From a publisher it is
 * as good a sign of life as a check, if it came over the current path: without
 * consent (RFC 7675) nothing may be sent, but receiving is allowed.
 */

static void
ngx_webrtc_session_life_heard(ngx_webrtc_session_t *s)
{
    if (s->on_path) {
        s->heard = ngx_current_msec;
    }

    ngx_webrtc_session_ice_heard(s);

    if (s->dtls.ssl) {
        /* it has the keys, so it has received our last flight */
        ngx_webrtc_session_settle(s);
    }
}


static void
ngx_webrtc_session_life_dtls_send(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_session_t *s = ctx;

    u_char  *room;

    s->greeted = 1;

    if (ngx_webrtc_session_has_data(s)) {

        /* one message for many packets; a full socket loses this one */

        room = ngx_webrtc_transport_reserve(&s->transport, n);

        if (room) {
            ngx_memcpy(room, p, n);
            ngx_webrtc_transport_commit(&s->transport, n);
        }

        return;
    }

    ngx_webrtc_transport_send(&s->transport, p, n);
}


static void
ngx_webrtc_session_life_dtls_recv(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_session_t *s = ctx;

    s->role->data(s, p, n);
}


static void
ngx_webrtc_session_life_rtp(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    ngx_int_t         rc;
    ngx_webrtc_rtp_t  rtp;

    if (!ngx_webrtc_session_receives(s)) {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_RTP);
        return;
    }

    rc = ngx_webrtc_srtp_unprotect(&s->in, p, &n);

    if (rc == NGX_ERROR) {
        /* it comes back with new keys, instead of being dropped forever */
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_LIMIT);
        ngx_webrtc_session_close(s, "too many ssrcs");
        return;
    }

    if (rc != NGX_OK || ngx_webrtc_rtp_parse(p, p + n, &rtp) != NGX_OK) {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_RTP);
        return;
    }

    ngx_webrtc_session_life_heard(s);

    s->role->rtp(s, &rtp, n);
}


static void
ngx_webrtc_session_life_rtcp(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    u_char             *end;
    ngx_webrtc_rtcp_t   rtcp;

    if (s->state != NGX_WEBRTC_SESSION_UP
        || s->role->rtcp == NULL
        || ngx_webrtc_srtp_unprotect_rtcp(&s->in, p, &n) != NGX_OK
        || ngx_webrtc_rtcp_check(p, p + n) != NGX_OK)
    {
        ngx_webrtc_bus_drop(s->wk->bus, NGX_WEBRTC_DROP_RTCP);
        return;
    }

    ngx_webrtc_session_life_heard(s);

    ngx_webrtc_atomic_add(&s->peer->stat.packets_in, 1);
    ngx_webrtc_atomic_add(&s->peer->stat.bytes_in, n);

    end = p + n;

    while (p != end) {
        p = ngx_webrtc_rtcp_next(p, end, &rtcp);
        if (p == NULL) {
            return;
        }

        s->role->rtcp(s, &rtcp);
    }
}


static void
ngx_webrtc_session_life_timer(ngx_event_t *ev)
{
    ngx_msec_t             now;
    ngx_webrtc_session_t  *s;

    s = ev->data;
    now = ngx_current_msec;

    if (s->peer->closing) {
        ngx_webrtc_session_close(s, "deleted");
        return;
    }

    ngx_webrtc_session_ice_timeout(s, now);

    if (s->state == NGX_WEBRTC_SESSION_CLOSING) {
        return;
    }

    if (s->connected) {
        /* full ICE: consent takes the place of checks */
        s->checked = now;
    }

    if (now - ngx_webrtc_session_alive(s) >= s->peer->policy.timeout) {
        ngx_webrtc_session_close(s, ngx_webrtc_session_receives(s)
                                    ? "no connectivity checks, no media"
                                    : "no connectivity checks");
        return;
    }

    if (s->state == NGX_WEBRTC_SESSION_CHECKED
        && now - s->created >= s->peer->policy.handshake_timeout)
    {
        ngx_webrtc_session_close(s, "handshake timed out");
        return;
    }

    if (ngx_webrtc_dtls_timeout(&s->dtls, now) != NGX_OK) {
        ngx_webrtc_session_close(s, s->dtls.reason ? s->dtls.reason
                                                   : "dtls timed out");
        return;
    }

    ngx_webrtc_session_path_timeout(s, now);

    if (s->state == NGX_WEBRTC_SESSION_UP
        && (ngx_msec_int_t) (now - s->report) >= 0)
    {
        s->report = now + NGX_WEBRTC_SESSION_REPORT;

        if (s->role->second) {
            s->role->second(s);
        }

        ngx_webrtc_session_stat_second(s);

        if (s->peer->about->notify_ms && s->wk->conf.on_notify
            && now - s->notified >= s->peer->about->notify_ms)
        {
            s->notified = now;
            s->wk->conf.on_notify(s->wk->conf.ctx, s->peer);
        }

        if (s->peer->about->token_expires
            && ngx_time() >= (time_t) s->peer->about->token_expires)
        {
            ngx_webrtc_session_close(s,
                                 ngx_webrtc_session_why(NGX_WEBRTC_WHY_TOKEN));
            return;
        }
    }

    ngx_webrtc_session_schedule(s);
}


static void
ngx_webrtc_session_life_close_handler(ngx_event_t *ev)
{
    ngx_webrtc_session_life_destroy(ev->data);
}


void
ngx_webrtc_session_life_destroy(ngx_webrtc_session_t *s)
{
    uint64_t              ref;
    ngx_webrtc_worker_t  *wk;

    wk = s->wk;

    if (s->peer->why) {
        s->reason = ngx_webrtc_session_why(s->peer->why);
    }

    ngx_log_error(NGX_LOG_INFO, &s->log, 0, "webrtc session closed: %s",
                  s->reason ? s->reason : "");

    s->state = NGX_WEBRTC_SESSION_CLOSING;

    if (s->timer.timer_set) {
        ngx_del_timer(&s->timer);
    }

    if (s->close.posted) {
        ngx_delete_posted_event(&s->close);
    }

    s->role->stop(s);
    ngx_webrtc_session_stat_end(s);

    if (s->transport.nice && !s->paired
        && s->peer->role != NGX_WEBRTC_PEER_PUSH)
    {
        ngx_webrtc_unheard_deleted(wk, s->peer);
    }

    ngx_webrtc_dtls_close(&s->dtls);
    ngx_webrtc_session_ice_stop(s);
    ngx_webrtc_dtls_cleanup(&s->dtls);
    ngx_webrtc_srtp_out_cleanup(&s->out);
    ngx_webrtc_srtp_in_cleanup(&s->in);

    ngx_webrtc_session_path_done(s);

    ngx_queue_remove(&s->queue);
    wk->nsessions--;

    if (wk->conf.on_end) {
        wk->conf.on_end(wk->conf.ctx, s->peer, s->peer->about,
                        s->reason ? s->reason : "");
    }

    ref = s->peer->ref;
    s->peer->session = NULL;

    (void) ngx_webrtc_peers_close(wk->bus, ref);

    if (s->st) {
        ngx_webrtc_bus_release(wk->bus, s->st);
    }

    ngx_free(s);
}
