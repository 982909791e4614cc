
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The URL of a session.  Any worker answers, from the slot in the zone; the
 * worker that owns the session is notified if needed.
 *
 * RFC 9725, 4.2 (DELETE), 4.3 (PATCH: trickle ICE and ICE restarts);
 * draft-ietf-wish-whep-03 (PATCH with the answer to a counter-offer);
 * RFC 9110, 13.1.1 (If-Match).
 */


#include "ngx_http_webrtc_session.h"
#include "ngx_http_webrtc_cors.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_events.h"
#include "ngx_http_webrtc_layers.h"
#include "ngx_http_webrtc_ice.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_public.h"
#include "ngx_webrtc_negotiate_counter.h"
#include "ngx_webrtc_sdpfrag.h"


/* room for the state of a session */
#define NGX_HTTP_WEBRTC_SESSION_SHOW  160


static ngx_uint_t ngx_http_webrtc_session_wants_json(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_session_show(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_info_t *info);
static ngx_int_t ngx_http_webrtc_session_delete(ngx_http_request_t *r,
    ngx_str_t *id);
static ngx_int_t ngx_http_webrtc_session_patch(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_session_fragment(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_session_restart(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_sdpfrag_t *frag, u_char *match,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_session_tell(void *ctx,
    ngx_webrtc_peer_info_t *info);
static ngx_int_t ngx_http_webrtc_session_restarted(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_restart_t *restart, u_char *etag,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand);
static ngx_int_t ngx_http_webrtc_session_answer(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_session_again(ngx_http_request_t *r,
    ngx_webrtc_peer_t **peer, u_char **match);
static ngx_int_t ngx_http_webrtc_session_match(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, u_char **match);
static ngx_int_t ngx_http_webrtc_session_changed(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_session_malformed(ngx_http_request_t *r,
    ngx_webrtc_sdp_error_t *err);


ngx_int_t
ngx_http_webrtc_session_handler(ngx_http_request_t *r, ngx_uint_t role,
    ngx_str_t *id)
{
    ngx_int_t                rc;
    ngx_str_t                empty, events;
    ngx_webrtc_peer_t        peer;
    ngx_webrtc_peer_info_t   info;

    if (ngx_http_webrtc_worker == NULL
        || ngx_webrtc_peers_find_id(ngx_http_webrtc_worker->bus, id, &peer,
                                    &info)
           != NGX_OK
        || peer.role != role)
    {
        rc = ngx_http_discard_request_body(r);

        return (rc == NGX_OK) ? ngx_http_webrtc_no_session(r, id) : rc;
    }

    ngx_http_webrtc_note_peer(r, &peer);

    if ((role == NGX_WEBRTC_PEER_PLAY || role == NGX_WEBRTC_PEER_PUBLISH)
        && ngx_http_webrtc_arg(r, "events", &events) == NGX_OK)
    {
        return ngx_http_webrtc_events_handler(r, &peer, &info, &events);
    }

    if (role == NGX_WEBRTC_PEER_PLAY
        && ngx_http_webrtc_arg(r, "layers", &events) == NGX_OK)
    {
        return ngx_http_webrtc_layers_handler(r, &peer);
    }

    if (r->method == NGX_HTTP_PATCH) {
        return ngx_http_webrtc_session_patch(r);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    switch (r->method) {

    case NGX_HTTP_OPTIONS:
        return ngx_http_webrtc_cors_options(r);

    case NGX_HTTP_GET:
    case NGX_HTTP_HEAD:

        if (ngx_http_webrtc_session_wants_json(r)) {
            return ngx_http_webrtc_session_show(r, &peer, &info);
        }

        ngx_str_null(&empty);
        return ngx_http_webrtc_answer(r, NGX_HTTP_NO_CONTENT, NULL, &empty);

    case NGX_HTTP_DELETE:
        return ngx_http_webrtc_session_delete(r, id);
    }

    return ngx_http_webrtc_not_allowed(r, ngx_http_webrtc_methods(r));
}


const char *
ngx_http_webrtc_session_state(ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info)
{
    switch (ngx_webrtc_atomic_load(&peer->progress)) {

    case NGX_WEBRTC_PEER_UP:
        return "connected";

    case NGX_WEBRTC_PEER_PAIRED:
        return "checked";
    }

    /* with full ICE the slot is claimed from the start */

    return (info->state == NGX_WEBRTC_PEER_NEW || peer->full) ? "answered"
                                                              : "checked";
}


static ngx_uint_t
ngx_http_webrtc_session_wants_json(ngx_http_request_t *r)
{
    ngx_str_t  *accept;

    accept = ngx_http_webrtc_request_header(r, "accept");

    return accept
           && ngx_strlcasestrn(accept->data, accept->data + accept->len,
                               (u_char *) "application/json",
                               sizeof("application/json") - 2)
              != NULL;
}


/* shows what a client cannot know: whether any of its checks has reached us */

static ngx_int_t
ngx_http_webrtc_session_show(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info)
{
    u_char     *p;
    ngx_str_t   role, body;
    u_char      public[NGX_WEBRTC_PUBLIC_LEN];

    static ngx_str_t  none = ngx_string("no-store");
    static ngx_str_t  json = ngx_string("application/json");

    p = ngx_pnalloc(r->pool, NGX_HTTP_WEBRTC_SESSION_SHOW);

    if (p == NULL
        || ngx_http_webrtc_header(r, "Cache-Control", &none) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_webrtc_bus_public(peer->id, public);
    ngx_http_webrtc_role(peer->role, &role);

    body.data = p;

    p = ngx_slprintf(p, p + NGX_HTTP_WEBRTC_SESSION_SHOW,
                     "{\"id\":\"%*s\",\"role\":\"%V\","
                     "\"state\":\"%s\",\"age_ms\":%uL}\n",
                     (size_t) NGX_WEBRTC_PUBLIC_LEN, public, &role,
                     ngx_http_webrtc_session_state(peer, info),
                     (uint64_t) ngx_current_msec - peer->created_ms);

    body.len = p - body.data;

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, &json, &body);
}


/* ignores If-Match: it is the session that ends, not one of its states */

static ngx_int_t
ngx_http_webrtc_session_delete(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_str_t  body;

    if (ngx_webrtc_worker_close(ngx_http_webrtc_worker, id) != NGX_OK) {
        return ngx_http_webrtc_no_session(r, id);
    }

    ngx_str_null(&body);

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, NULL, &body);
}


static ngx_int_t
ngx_http_webrtc_session_patch(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (ngx_http_webrtc_is_type(r, &ngx_http_webrtc_frag_type)) {
        return ngx_http_webrtc_read_body(r, wlcf->max_sdp,
                                         ngx_http_webrtc_session_fragment);
    }

    if (wlcf->play
        && ngx_http_webrtc_is_type(r, &ngx_http_webrtc_sdp_type))
    {
        return ngx_http_webrtc_read_body(r, wlcf->max_sdp,
                                         ngx_http_webrtc_session_answer);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                   "expected application/trickle-ice-sdpfrag",
                                   NULL);
}


static ngx_int_t
ngx_http_webrtc_session_fragment(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char                  *match;
    ngx_int_t                rc;
    ngx_str_t                empty;
    ngx_uint_t               kind;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_sdpfrag_t    *frag;
    ngx_webrtc_sdp_error_t   err;

    rc = ngx_http_webrtc_session_again(r, &peer, &match);
    if (rc != NGX_OK) {
        return rc;
    }

    frag = ngx_palloc(r->pool, sizeof(ngx_webrtc_sdpfrag_t));
    if (frag == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_webrtc_sdpfrag_parse(body->data, body->data + body->len, frag,
                                 &err)
        != NGX_OK
        || ngx_webrtc_sdpfrag_classify(frag, &peer->desc, &kind, &err)
           != NGX_OK)
    {
        return ngx_http_webrtc_session_malformed(r, &err);
    }

    if (kind == NGX_WEBRTC_SDPFRAG_RESTART) {
        return ngx_http_webrtc_session_restart(r, peer, frag, match, body);
    }

    if (peer->full) {
        ngx_webrtc_peer_info_t  info;

        if (ngx_webrtc_peers_find_ref(ngx_http_webrtc_worker->bus, peer->ref,
                                      NULL, &info)
            == NGX_OK)
        {
            rc = ngx_http_webrtc_ice_trickle(r, &info, body);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    /*
     * RFC 8445, 2.5: a lite agent sends no checks, so it does not need the
     * peer's candidates: it replies to the source of each check.
     */

    ngx_str_null(&empty);

    return ngx_http_webrtc_answer(r, NGX_HTTP_NO_CONTENT, NULL, &empty);
}


/* RFC 9725, 4.3.3 */

static ngx_int_t
ngx_http_webrtc_session_restart(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_sdpfrag_t *frag, u_char *match,
    ngx_str_t *body)
{
    u_char                     *hex;
    ngx_int_t                   rc;
    ngx_uint_t                  ncand;
    ngx_webrtc_peer_info_t      info;
    ngx_webrtc_peer_restart_t   restart;
    ngx_webrtc_sdp_candidate_t  cand[NGX_HTTP_WEBRTC_CANDIDATES];

    if (peer->full && body->len >= NGX_WEBRTC_INBOX_TEXT) {
        return ngx_http_webrtc_ice_refuse(r, NGX_DECLINED, body);
    }

    ncand = peer->full ? 0 : ngx_http_webrtc_candidates(r, cand);

    if (!peer->full && ncand == 0) {
        return ngx_http_webrtc_candidates_none(r, NULL);
    }

    hex = ngx_http_webrtc_random_hex(r, NGX_WEBRTC_PEER_ETAG_LEN
                                        + NGX_HTTP_WEBRTC_UFRAG
                                        + NGX_HTTP_WEBRTC_PWD);
    if (hex == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    restart.local_ufrag.data = hex + NGX_WEBRTC_PEER_ETAG_LEN;
    restart.local_ufrag.len = NGX_HTTP_WEBRTC_UFRAG;
    restart.local_pwd.data = restart.local_ufrag.data + NGX_HTTP_WEBRTC_UFRAG;
    restart.local_pwd.len = NGX_HTTP_WEBRTC_PWD;
    restart.remote_ufrag = frag->ufrag;
    restart.remote_pwd = frag->pwd;

    /*
     * A full agent learns of a restart only from its fragment.  If it cannot be
     * delivered, the client gets 503, and both sides go on as before.
     */

    restart.tell = peer->full ? ngx_http_webrtc_session_tell : NULL;
    restart.ctx = body;

    rc = ngx_webrtc_peers_restart(ngx_http_webrtc_worker->bus, peer->ref,
                                  &restart, match, hex, &info);

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_AGAIN:
    case NGX_ERROR:
        return ngx_http_webrtc_ice_refuse(r, rc, body);

    case NGX_BUSY:
        return ngx_http_webrtc_session_changed(r);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (peer->full) {

        if (info.worker == ngx_http_webrtc_worker->bus->worker) {
            (void) ngx_webrtc_worker_trickle(ngx_http_webrtc_worker, &info,
                                             body);
        }

        return ngx_http_webrtc_ice_restart(r, peer, &info, &restart, hex,
                                           ngx_http_webrtc_session_restarted);
    }

    ngx_webrtc_worker_tell_changed(ngx_http_webrtc_worker, &info);

    return ngx_http_webrtc_session_restarted(r, peer, &restart, hex, cand,
                                             ncand);
}


/* called under the lock of the slots; does not wait for another worker */

static ngx_int_t
ngx_http_webrtc_session_tell(void *ctx, ngx_webrtc_peer_info_t *info)
{
    ngx_str_t *body = ctx;

    ngx_int_t  rc;

    rc = ngx_webrtc_worker_trickle(ngx_http_webrtc_worker, info, body);

    /* the worker is gone, but not the slot */

    return (rc == NGX_DECLINED) ? NGX_ERROR : rc;
}


/* RFC 9725, 4.3.3: answers an ICE restart with 200 */

static ngx_int_t
ngx_http_webrtc_session_restarted(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_restart_t *restart, u_char *etag,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand)
{
    u_char                       *p;
    size_t                        size;
    ngx_str_t                     body;
    ngx_webrtc_sdpfrag_answer_t   answer;

    ngx_memzero(&answer, sizeof(ngx_webrtc_sdpfrag_answer_t));

    answer.ice_lite = !peer->full;
    answer.end_of_candidates = 1;
    answer.ufrag = restart->local_ufrag;
    answer.pwd = restart->local_pwd;
    answer.candidates = cand;
    answer.ncandidates = ncand;

    size = NGX_WEBRTC_SDPFRAG_ROOM
           + answer.ncandidates * NGX_WEBRTC_SDPFRAG_CANDIDATE;

    body.data = ngx_pnalloc(r->pool, size);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_webrtc_sdpfrag_print(body.data, body.data + size, &peer->desc,
                                 &answer);
    if (p == NULL) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "webrtc fragment does not fit %uz bytes", size);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.len = p - body.data;

    if (ngx_http_webrtc_etag(r, etag) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, &ngx_http_webrtc_frag_type,
                                  &body);
}


/* the viewer's answer to our counter-offer */

static ngx_int_t
ngx_http_webrtc_session_answer(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char                        *match;
    ngx_int_t                      rc;
    ngx_str_t                      empty, detail;
    ngx_webrtc_sdp_t              *sdp;
    ngx_webrtc_peer_t             *peer;
    ngx_webrtc_desc_t              desc;
    ngx_webrtc_sdp_error_t         err;
    ngx_webrtc_negotiate_cause_t   cause;

    rc = ngx_http_webrtc_session_again(r, &peer, &match);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!ngx_webrtc_negotiate_counter_pending(&peer->desc)) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                       "there is no counter-offer to answer",
                                       NULL);
    }

    sdp = ngx_palloc(r->pool, sizeof(ngx_webrtc_sdp_t));
    if (sdp == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_webrtc_sdp_parse(body->data, body->data + body->len, sdp, &err)
        != NGX_OK)
    {
        return ngx_http_webrtc_session_malformed(r, &err);
    }

    if (ngx_webrtc_negotiate_counter_answer(sdp, &peer->desc, 1, 0, &desc,
                                            &cause)
        != NGX_OK)
    {
        detail.data = cause.detail;
        detail.len = cause.len;

        return ngx_http_webrtc_problem(r,
                                       cause.kind == NGX_WEBRTC_NEGOTIATE_BAD
                                       ? NGX_HTTP_BAD_REQUEST
                                       : NGX_HTTP_WEBRTC_NOT_ACCEPTABLE,
                                       cause.title, &detail);
    }

    switch (ngx_webrtc_peers_complete(ngx_http_webrtc_worker->bus, peer->ref,
                                      match, &desc))
    {

    case NGX_OK:
        ngx_str_null(&empty);
        return ngx_http_webrtc_answer(r, NGX_HTTP_NO_CONTENT, NULL, &empty);

    case NGX_BUSY:
        return ngx_http_webrtc_session_changed(r);

    default:
        return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                       "there is no counter-offer to answer",
                                       NULL);
    }
}


/*
 * Looks the slot up again after the body has been read, and checks If-Match.
 *
 *   peer    a copy, from the request's pool
 *   match   as ngx_webrtc_peers_restart() takes it
 *
 * NGX_OK; otherwise a result as in ngx_http_webrtc_resource.h
 */

static ngx_int_t
ngx_http_webrtc_session_again(ngx_http_request_t *r,
    ngx_webrtc_peer_t **peer, u_char **match)
{
    ngx_str_t                id;
    ngx_webrtc_peer_info_t   info;

    ngx_str_null(&id);
    (void) ngx_http_webrtc_arg(r, "session", &id);

    *peer = ngx_palloc(r->pool, sizeof(ngx_webrtc_peer_t));
    if (*peer == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_webrtc_worker == NULL
        || ngx_webrtc_peers_find_id(ngx_http_webrtc_worker->bus, &id, *peer,
                                    &info)
           != NGX_OK)
    {
        return ngx_http_webrtc_no_session(r, &id);
    }

    return ngx_http_webrtc_session_match(r, *peer, match);
}


/*
 * RFC 9725, 4.3.1: a PATCH names the state it is for; "*", as in ICE restarts,
 * is any.
 */

static ngx_int_t
ngx_http_webrtc_session_match(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    u_char **match)
{
    u_char                      *p, *end, *start;
    ngx_str_t                   *value;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    *match = NULL;

    if (r->headers_in.if_match == NULL) {

        wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

        if (wlcf->etag == NGX_HTTP_WEBRTC_ETAG_LENIENT) {
            return NGX_OK;
        }

        return ngx_http_webrtc_problem(r,
                                       NGX_HTTP_WEBRTC_PRECONDITION_REQUIRED,
                                       "If-Match is required", NULL);
    }

    value = &r->headers_in.if_match->value;

    if (value->len == 1 && value->data[0] == '*') {
        return NGX_OK;
    }

    /* RFC 9110, 8.8.3.2: strong comparison, so that W/"..." never matches */

    p = value->data;
    end = p + value->len;

    while (p < end) {

        if (*p == ' ' || *p == '\t' || *p == ',') {
            p++;
            continue;
        }

        start = p;

        p = ngx_strlchr(p, end, '"');
        if (p == NULL) {
            break;
        }

        if (p != start) {
            start = NULL;
        }

        p = ngx_strlchr(p + 1, end, '"');
        if (p == NULL) {
            break;
        }

        if (start && p - start == NGX_WEBRTC_PEER_ETAG_LEN + 1
            && ngx_memcmp(start + 1, peer->etag, NGX_WEBRTC_PEER_ETAG_LEN)
               == 0)
        {
            *match = peer->etag;
            return NGX_OK;
        }

        p++;
    }

    return ngx_http_webrtc_session_changed(r);
}


static ngx_int_t
ngx_http_webrtc_session_changed(ngx_http_request_t *r)
{
    return ngx_http_webrtc_problem(r, NGX_HTTP_PRECONDITION_FAILED,
                                   "the session has changed, "
                                   "If-Match has another ETag", NULL);
}


static ngx_int_t
ngx_http_webrtc_session_malformed(ngx_http_request_t *r,
    ngx_webrtc_sdp_error_t *err)
{
    ngx_str_t                      detail;
    ngx_webrtc_negotiate_cause_t   cause;

    ngx_webrtc_negotiate_malformed(err, &cause);

    detail.data = cause.detail;
    detail.len = cause.len;

    return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST, cause.title,
                                   &detail);
}
