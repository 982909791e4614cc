
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Processing of an offer from POST to 201:
 *
 *   1. limits are checked, before any work is done
 *   2. the target is found: a stream's name, or a file; 404 precedes 400
 *   3. the SDP is parsed; the request may have to wait for the stream
 *   4. negotiation (ngx_webrtc_negotiate(), pure), and the answer's text
 *   5. the slot in the zone is created, and the kind's data attached
 *   6. with "webrtc_ice full", the session is created; the answer waits for its
 *      candidates, or they follow
 *   7. 201; if it cannot be sent, the session is ended, as no client knows it
 *
 * RFC 9725 (WHIP), draft-ietf-wish-whep-03.
 */


#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_ice.h"
#include "ngx_http_webrtc_ice_server.h"
#include "ngx_http_webrtc_jwt.h"
#include "ngx_http_webrtc_reason.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_url.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_public.h"
#include "ngx_webrtc_playout.h"
#include "ngx_webrtc_session_stat.h"


/* minimum ms that a source waits for its viewer after an answer, regardless of
 * "webrtc_idle_timeout"; chosen: checks and handshake over a bad path */
#define NGX_HTTP_WEBRTC_WANTED           5000

/* bytes of the CNAME, and of random data for one session */
#define NGX_HTTP_WEBRTC_CNAME            8
#define NGX_HTTP_WEBRTC_RANDOM           96


static ngx_int_t ngx_http_webrtc_offer_parse(ngx_http_webrtc_offer_t *offer,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_offer_decide(ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_offer_negotiate(
    ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_offer_policy(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy);
static ngx_int_t ngx_http_webrtc_offer_refuse(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_cause_t *cause);
static ngx_int_t ngx_http_webrtc_offer_slot(ngx_http_webrtc_offer_t *offer);
static void ngx_http_webrtc_offer_about(ngx_http_request_t *r,
    ngx_webrtc_peer_about_t *about);
static ngx_int_t ngx_http_webrtc_offer_gathered(void *data, ngx_str_t *answer);
static ngx_int_t ngx_http_webrtc_offer_created(ngx_http_webrtc_offer_t *offer);
static void ngx_http_webrtc_offer_cleanup(void *data);


ngx_int_t
ngx_http_webrtc_offer(ngx_http_request_t *r,
    const ngx_http_webrtc_offer_kind_t *kind, ngx_str_t *body)
{
    ngx_int_t                 rc;
    ngx_webrtc_lack_e         lack;
    ngx_http_cleanup_t       *cln;
    ngx_http_webrtc_offer_t  *offer;

    if (ngx_http_webrtc_worker == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_offer_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    offer = cln->data;
    ngx_memzero(offer, sizeof(ngx_http_webrtc_offer_t));

    cln->handler = ngx_http_webrtc_offer_cleanup;

    offer->kind = kind;
    offer->request = r;
    offer->status = NGX_HTTP_CREATED;

    if (ngx_webrtc_bus_draining(ngx_http_webrtc_worker->bus)) {
        return ngx_http_webrtc_full_drain(r);
    }

    /* enforced when the slot is created; refusing a flood is cheapest here */

    lack = ngx_http_webrtc_full_early(r);

    if (lack != NGX_WEBRTC_LACK_NONE) {
        return ngx_http_webrtc_full(r, lack, NULL);
    }

    rc = kind->find(offer);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_webrtc_offer_parse(offer, body);

    if (rc != NGX_OK) {
        return rc;
    }

    if (kind->ready) {
        rc = kind->ready(offer);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_webrtc_offer_answer(offer);
}


static ngx_int_t
ngx_http_webrtc_offer_parse(ngx_http_webrtc_offer_t *offer, ngx_str_t *body)
{
    ngx_http_request_t            *r;
    ngx_webrtc_sdp_error_t         err;
    ngx_webrtc_negotiate_cause_t   cause;

    r = offer->request;

    offer->sdp = ngx_palloc(r->pool, sizeof(ngx_webrtc_sdp_t));
    if (offer->sdp == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_webrtc_sdp_parse(body->data, body->data + body->len, offer->sdp,
                             &err)
        != NGX_OK)
    {
        ngx_webrtc_negotiate_malformed(&err, &cause);
        return ngx_http_webrtc_offer_refuse(offer, &cause);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_offer_name(ngx_http_webrtc_offer_t *offer,
    ngx_http_complex_value_t *value)
{
    ngx_http_request_t      *r;
    ngx_http_webrtc_note_t  *note;

    r = offer->request;
    note = ngx_http_webrtc_note(r);

    if (note == NULL
        || ngx_http_complex_value(r, value, &offer->name) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (note->rename.len) {
        offer->name = note->rename;
    }

    if (!ngx_http_webrtc_reason_is_name(&offer->name)) {
        return ngx_http_webrtc_reason_no_name(r, &offer->name);
    }

    ngx_http_webrtc_note_stream(r, offer->kind->role, &offer->name);

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_offer_answer(ngx_http_webrtc_offer_t *offer)
{
    ngx_int_t  rc;

    rc = ngx_http_webrtc_offer_decide(offer);

    /* without a master process, the response may be sent after the worker is
     * gone */

    ngx_http_webrtc_offer_release(offer);

    return rc;
}


static ngx_int_t
ngx_http_webrtc_offer_decide(ngx_http_webrtc_offer_t *offer)
{
    ngx_int_t            rc;
    ngx_str_t            id;
    ngx_webrtc_peer_t   *peer;
    ngx_http_request_t  *r;

    r = offer->request;

    if (ngx_http_webrtc_ice_leaves(r)) {
        return ngx_http_webrtc_elsewhere(r);
    }

    rc = ngx_http_webrtc_offer_negotiate(offer);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_webrtc_offer_slot(offer);

    if (rc != NGX_OK) {
        return rc;
    }

    peer = offer->peer;

    ngx_http_webrtc_note_peer(r, peer);

    if (peer->full && !offer->kind->trickle) {
        return ngx_http_webrtc_ice_start(r, offer->sdp, peer, &offer->answer,
                                         ngx_http_webrtc_offer_gathered,
                                         offer);
    }

    if (peer->full) {
        rc = ngx_http_webrtc_ice_begin(r, offer->sdp, peer);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_http_webrtc_offer_created(offer);

    if (rc != NGX_DONE) {

        /* no client knows it; this worker may have claimed it for full ICE */

        id.data = peer->id;
        id.len = NGX_WEBRTC_PEER_ID_LEN;

        (void) ngx_webrtc_worker_close(ngx_http_webrtc_worker, &id);
    }

    return rc;
}


/* NGX_OK: answer and the peer's description have been set */

static ngx_int_t
ngx_http_webrtc_offer_negotiate(ngx_http_webrtc_offer_t *offer)
{
    u_char                         *p;
    size_t                          size;
    ngx_int_t                       rc;
    ngx_http_request_t             *r;
    ngx_webrtc_negotiate_cause_t    cause;
    ngx_webrtc_negotiate_policy_t   policy;

    r = offer->request;

    rc = ngx_http_webrtc_offer_policy(offer, &policy);

    if (rc != NGX_OK) {
        return rc;
    }

    size = NGX_WEBRTC_NEGOTIATE_ANSWER
           + NGX_HTTP_WEBRTC_CANDIDATES * NGX_WEBRTC_NEGOTIATE_CANDIDATE;

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    offer->answer.data = p;

    rc = offer->kind->negotiate(offer, &policy, &p, p + size, &cause);

    if (rc == NGX_DECLINED) {
        return ngx_http_webrtc_offer_refuse(offer, &cause);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "webrtc answer does not fit %uz bytes", size);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    offer->answer.len = p - offer->answer.data;

    return NGX_OK;
}


/* the common part, then the kind's; creates peer and its id */

static ngx_int_t
ngx_http_webrtc_offer_policy(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy)
{
    ngx_webrtc_peer_t           *peer;
    ngx_http_request_t          *r;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = offer->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    peer = ngx_http_webrtc_offer_peer(r, policy);

    offer->peer = peer;
    offer->cand = ngx_palloc(r->pool, NGX_HTTP_WEBRTC_CANDIDATES
                                      * sizeof(ngx_webrtc_sdp_candidate_t));

    if (peer == NULL || offer->cand == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    peer->full = (wlcf->ice != NGX_HTTP_WEBRTC_ICE_LITE);

    if (!peer->full) {
        offer->ncand = ngx_http_webrtc_candidates(r, offer->cand);

        if (offer->ncand == 0) {
            return ngx_http_webrtc_candidates_none(r, NULL);
        }
    }

    policy->ice_lite = !peer->full;
    policy->candidates = offer->cand;
    policy->ncandidates = offer->ncand;

    if (offer->kind->policy) {
        offer->kind->policy(offer, policy);
    }

    return NGX_OK;
}


ngx_webrtc_peer_t *
ngx_http_webrtc_offer_peer(ngx_http_request_t *r,
    ngx_webrtc_negotiate_policy_t *policy)
{
    u_char                       *hex;
    ngx_webrtc_peer_t            *peer;
    ngx_http_webrtc_loc_conf_t   *wlcf;
    ngx_http_webrtc_main_conf_t  *wmcf;
    u_char                        random[NGX_HTTP_WEBRTC_RANDOM];

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);

    peer = ngx_pcalloc(r->pool, sizeof(ngx_webrtc_peer_t));
    hex = ngx_pnalloc(r->pool, 2 * NGX_HTTP_WEBRTC_RANDOM);

    if (peer == NULL || hex == NULL
        || ngx_http_webrtc_random(random, NGX_HTTP_WEBRTC_RANDOM) != NGX_OK)
    {
        return NULL;
    }

    peer->policy = wlcf->policy;

    ngx_hex_dump(hex, random, NGX_HTTP_WEBRTC_RANDOM);

    ngx_memcpy(peer->id, hex, NGX_WEBRTC_PEER_ID_LEN);
    hex += NGX_WEBRTC_PEER_ID_LEN;
    ngx_memcpy(peer->etag, hex, NGX_WEBRTC_PEER_ETAG_LEN);
    hex += NGX_WEBRTC_PEER_ETAG_LEN;

    ngx_memzero(policy, sizeof(ngx_webrtc_negotiate_policy_t));

    policy->ufrag.data = hex;
    policy->ufrag.len = NGX_HTTP_WEBRTC_UFRAG;
    hex += NGX_HTTP_WEBRTC_UFRAG;

    policy->pwd.data = hex;
    policy->pwd.len = NGX_HTTP_WEBRTC_PWD;

    /* the last bytes are not used by the strings above */

    ngx_memcpy(policy->ssrcs, random + 64, sizeof(policy->ssrcs));
    ngx_memcpy(&policy->sess_id, random + 80, sizeof(policy->sess_id));

    policy->fingerprint = wmcf->fingerprint;
    policy->cname.data = peer->id;
    policy->cname.len = NGX_HTTP_WEBRTC_CNAME;
    ngx_str_set(&policy->stream_id, "webrtc");

    return peer;
}


/* answers with 400, 406 or 422 and says why */

static ngx_int_t
ngx_http_webrtc_offer_refuse(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_cause_t *cause)
{
    ngx_str_t            detail;
    ngx_http_request_t  *r;

    r = offer->request;

    detail.data = cause->detail;
    detail.len = cause->len;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "webrtc offer refused: %s: %V", cause->title, &detail);

    return ngx_http_webrtc_problem(r, cause->kind == NGX_WEBRTC_NEGOTIATE_BAD
                                      ? NGX_HTTP_BAD_REQUEST
                                      : offer->kind->refused,
                                   cause->title, &detail);
}


/* NGX_OK: peer is the slot's */

static ngx_int_t
ngx_http_webrtc_offer_slot(ngx_http_webrtc_offer_t *offer)
{
    ngx_int_t                     rc;
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_peer_t            *peer;
    ngx_http_request_t           *r;
    ngx_webrtc_stream_t          *st;
    ngx_webrtc_peer_about_t       about;
    ngx_http_webrtc_loc_conf_t   *wlcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    r = offer->request;
    peer = offer->peer;
    st = offer->st;
    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);

    peer->role = (uint8_t) offer->kind->role;
    peer->name_len = (uint8_t) offer->name.len;
    ngx_memcpy(peer->name, offer->name.data, offer->name.len);
    peer->stream = st ? st->ref : 0;
    peer->created_ms = ngx_current_msec;
    peer->expires_ms = ngx_current_msec + wlcf->policy.handshake_timeout;
    peer->max_sessions = (uint32_t) wmcf->max_sessions;
    peer->location = wlcf->location;

    ngx_http_webrtc_full_client(r, &peer->client);
    ngx_http_webrtc_offer_about(r, &about);

    ngx_webrtc_bus_public(peer->id, about.public);
    about.notify_ms = (uint32_t) wlcf->notify;
    about.playout = (uint32_t) wlcf->playout & (NGX_WEBRTC_PLAYOUT_TOLD
                                                |NGX_WEBRTC_PLAYOUT_BITS);
    about.token_expires = ngx_http_webrtc_jwt_expires(r);
    peer->about = &about;

    if (ngx_webrtc_peers_create(bus, peer) != NGX_OK) {
        return ngx_http_webrtc_full(r, bus->lack, &offer->name);
    }

    ngx_webrtc_session_stat_answered(ngx_http_webrtc_worker, peer->role);

    if (offer->kind->attach) {
        rc = offer->kind->attach(offer);

        if (rc != NGX_OK) {
            (void) ngx_webrtc_peers_close(bus, peer->ref);
            return rc;
        }
    }

    if (st
        && (peer->role == NGX_WEBRTC_PEER_PUBLISH
            || ngx_webrtc_atomic_load(&st->location) == 0))
    {
        ngx_webrtc_atomic_store(&st->location, wlcf->location);
    }

    if (st) {
        ngx_webrtc_atomic_store(&st->wanted_ms, (uint64_t) ngx_current_msec
                                                + NGX_HTTP_WEBRTC_WANTED);
    }

    ngx_http_webrtc_layer_keep(&offer->layer, (uint64_t) ngx_current_msec
                                              + NGX_HTTP_WEBRTC_WANTED);

    return NGX_OK;
}


static void
ngx_http_webrtc_offer_about(ngx_http_request_t *r,
    ngx_webrtc_peer_about_t *about)
{
    ngx_table_elt_t  *agent;

    ngx_memzero(about, sizeof(ngx_webrtc_peer_about_t));

    agent = r->headers_in.user_agent;

    if (agent) {
        about->agent_len = (uint8_t) ngx_min(agent->value.len,
                                             NGX_WEBRTC_ABOUT_AGENT);
        ngx_memcpy(about->agent, agent->value.data, about->agent_len);
    }
}


/* called with full ICE: answer includes the candidates */

static ngx_int_t
ngx_http_webrtc_offer_gathered(void *data, ngx_str_t *answer)
{
    ngx_http_webrtc_offer_t *offer = data;

    offer->answer = *answer;

    return ngx_http_webrtc_offer_created(offer);
}


/*
 * RFC 9725, 4.2.  Answers with 201, Location and ETag, and a Link for each ICE
 * server (4.6); the same with 406 for a counter-offer.
 */

static ngx_int_t
ngx_http_webrtc_offer_created(ngx_http_webrtc_offer_t *offer)
{
    ngx_str_t            location;
    ngx_http_request_t  *r;

    static ngx_str_t  none = ngx_string("no-store");

    r = offer->request;

    if (ngx_http_webrtc_url_session(r, offer->peer->id, "", &location)
        != NGX_OK
        || ngx_http_webrtc_header(r, "Location", &location) != NGX_OK
        || ngx_http_webrtc_etag(r, offer->peer->etag) != NGX_OK
        || ngx_http_webrtc_header(r, "Cache-Control", &none) != NGX_OK
        || ngx_http_webrtc_ice_server_links(r) != NGX_OK
        || (offer->kind->links && offer->kind->links(offer) != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (offer->kind->created) {
        return offer->kind->created(offer);
    }

    return ngx_http_webrtc_answer(r, offer->status, &ngx_http_webrtc_sdp_type,
                                  &offer->answer);
}


void
ngx_http_webrtc_offer_release(ngx_http_webrtc_offer_t *offer)
{
    ngx_webrtc_bus_t  *bus;

    ngx_http_webrtc_layer_release(&offer->layer);

    if (offer->st == NULL || ngx_http_webrtc_worker == NULL) {
        return;
    }

    bus = ngx_http_webrtc_worker->bus;

    if (offer->watched) {
        ngx_webrtc_bus_unwatch(bus, offer->st);
    }

    ngx_webrtc_bus_release(bus, offer->st);

    offer->st = NULL;
    offer->watched = 0;
}


static void
ngx_http_webrtc_offer_cleanup(void *data)
{
    ngx_http_webrtc_offer_release(data);
}
