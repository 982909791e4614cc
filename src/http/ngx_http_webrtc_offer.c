
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What an offer goes through, whoever it is from: parsing, the decision, the
 * session slot, the answer.
 *
 * RFC 9725 (WHIP), draft-ietf-wish-whep-03.
 */


#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_ice.h"
#include "ngx_http_webrtc_events.h"
#include "ngx_http_webrtc_ice_server.h"
#include "ngx_http_webrtc_url.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_publish.h"
#include "ngx_webrtc_negotiate.h"
#include "ngx_webrtc_negotiate_counter.h"
#include "ngx_webrtc_codecs.h"


/* ms after an answer that a source waits for its viewer, whatever
 * "webrtc_idle_timeout" says; chosen: checks and handshake over a bad path */
#define NGX_HTTP_WEBRTC_WANTED           5000

/* bytes of the CNAME, and of random data for one session */
#define NGX_HTTP_WEBRTC_CNAME            8
#define NGX_HTTP_WEBRTC_RANDOM           96


static ngx_uint_t ngx_http_webrtc_offer_alternatives(
    ngx_http_webrtc_loc_conf_t *wlcf);
static void ngx_http_webrtc_offer_no_codec(ngx_http_webrtc_offer_t *offer,
    ngx_uint_t codec);
static ngx_int_t ngx_http_webrtc_offer_slot(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_peer_t *peer);


ngx_int_t
ngx_http_webrtc_offer_parse(ngx_http_webrtc_offer_t *offer, ngx_str_t *body)
{
    ngx_http_request_t            *r;
    ngx_webrtc_lack_e              lack;
    ngx_webrtc_sdp_error_t         err;
    ngx_webrtc_negotiate_cause_t   cause;

    r = offer->request;

    /* it is decided when the slot is made; here a flood costs least */

    lack = ngx_http_webrtc_full_early(r);

    if (lack != NGX_WEBRTC_LACK_NONE) {
        return ngx_http_webrtc_full(r, lack, NULL);
    }

    offer->sdp = ngx_palloc(r->pool, sizeof(ngx_webrtc_sdp_t));
    if (offer->sdp == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_webrtc_sdp_parse(body->data, body->data + body->len, offer->sdp,
                             &err)
        != NGX_OK)
    {
        ngx_webrtc_negotiate_malformed(&err, &cause);
        return ngx_http_webrtc_offer_refuse(r, offer->role, &cause);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_offer_answer(ngx_http_webrtc_offer_t *offer)
{
    u_char                          *p, *end, *hex;
    size_t                           size;
    ngx_int_t                        rc;
    ngx_str_t                        answer;
    ngx_uint_t                       n, status;
    ngx_webrtc_peer_t               *peer;
    ngx_http_request_t              *r;
    ngx_webrtc_track_t               tracks[NGX_WEBRTC_TRACKS];
    ngx_http_webrtc_loc_conf_t      *wlcf;
    ngx_http_webrtc_main_conf_t     *wmcf;
    ngx_webrtc_negotiate_cause_t     cause;
    ngx_webrtc_negotiate_policy_t    policy;
    ngx_webrtc_sdp_candidate_t       cand[NGX_HTTP_WEBRTC_CANDIDATES];
    u_char                           random[NGX_HTTP_WEBRTC_RANDOM];

    r = offer->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);

    if (ngx_http_webrtc_ice_leaves(r)) {
        return ngx_http_webrtc_elsewhere(r);
    }

    size = NGX_WEBRTC_NEGOTIATE_ANSWER
           + NGX_HTTP_WEBRTC_CANDIDATES * NGX_WEBRTC_NEGOTIATE_CANDIDATE;

    peer = ngx_pcalloc(r->pool, sizeof(ngx_webrtc_peer_t));
    p = ngx_pnalloc(r->pool, size);
    hex = ngx_pnalloc(r->pool, 2 * NGX_HTTP_WEBRTC_RANDOM);

    if (peer == NULL || p == NULL || hex == NULL
        || ngx_http_webrtc_random(random, NGX_HTTP_WEBRTC_RANDOM) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_hex_dump(hex, random, NGX_HTTP_WEBRTC_RANDOM);

    ngx_memcpy(peer->id, hex, NGX_WEBRTC_PEER_ID_LEN);
    hex += NGX_WEBRTC_PEER_ID_LEN;
    ngx_memcpy(peer->etag, hex, NGX_WEBRTC_PEER_ETAG_LEN);
    hex += NGX_WEBRTC_PEER_ETAG_LEN;

    ngx_memzero(&policy, sizeof(ngx_webrtc_negotiate_policy_t));

    policy.fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR;

    if (offer->role == NGX_WEBRTC_PEER_PUBLISH) {
        policy.role = NGX_WEBRTC_NEGOTIATE_PUBLISH;
        policy.fb |= NGX_WEBRTC_FB_TWCC|NGX_WEBRTC_FB_REMB
                     |NGX_WEBRTC_FB_RRTR;

        if (wlcf->codecs) {
            policy.codec_order = wlcf->codecs->elts;
            policy.ncodec_order = wlcf->codecs->nelts;
        }

        policy.exts = NGX_WEBRTC_EXT_MID|NGX_WEBRTC_EXT_TWCC
                      |NGX_WEBRTC_EXT_ABS_SEND_TIME|NGX_WEBRTC_EXT_CVO;

    } else {
        (void) ngx_webrtc_bus_tracks(offer->st, tracks, &n);

        policy.role = NGX_WEBRTC_NEGOTIATE_PLAY;
        policy.tracks = tracks;
        policy.ntracks = n;
        policy.exts = NGX_WEBRTC_EXT_CVO;
        policy.alternatives = ngx_http_webrtc_offer_alternatives(wlcf);
    }

    policy.ice_lite = (wlcf->ice == NGX_HTTP_WEBRTC_ICE_LITE);
    peer->full = !policy.ice_lite;

    policy.ufrag.data = hex;
    policy.ufrag.len = NGX_HTTP_WEBRTC_UFRAG;
    hex += NGX_HTTP_WEBRTC_UFRAG;

    policy.pwd.data = hex;
    policy.pwd.len = NGX_HTTP_WEBRTC_PWD;

    /* the last bytes are not used by the texts above */

    ngx_memcpy(policy.ssrcs, random + 64, sizeof(policy.ssrcs));
    ngx_memcpy(&policy.sess_id, random + 80, sizeof(policy.sess_id));

    policy.fingerprint = wmcf->fingerprint;
    policy.cname.data = peer->id;
    policy.cname.len = NGX_HTTP_WEBRTC_CNAME;
    policy.stream_id.data = (u_char *) "webrtc";
    policy.stream_id.len = sizeof("webrtc") - 1;

    policy.candidates = cand;
    policy.ncandidates = peer->full ? 0 : ngx_http_webrtc_candidates(r, cand);

    if (!peer->full && policy.ncandidates == 0) {
        return ngx_http_webrtc_candidates_none(r, NULL);
    }

    answer.data = p;
    end = p + size;

    status = NGX_HTTP_CREATED;

    rc = ngx_webrtc_negotiate(offer->sdp, &policy, &peer->desc, &p, end,
                              &cause);

    if (rc == NGX_DECLINED
        && cause.kind == NGX_WEBRTC_NEGOTIATE_UNSUPPORTED
        && offer->role == NGX_WEBRTC_PEER_PLAY
        && wlcf->counter_offer
        && !peer->full)
    {
        status = NGX_HTTP_WEBRTC_NOT_ACCEPTABLE;

        p = answer.data;

        rc = ngx_webrtc_negotiate_counter_offer(&policy, &peer->desc, &p, end);
    }

    if (rc == NGX_DECLINED) {

        if (cause.codec) {
            ngx_http_webrtc_offer_no_codec(offer, cause.codec);
        }

        return ngx_http_webrtc_offer_refuse(r, offer->role, &cause);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "webrtc answer does not fit %uz bytes", size);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    answer.len = p - answer.data;

    rc = ngx_http_webrtc_offer_slot(offer, peer);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_webrtc_note_peer(r, peer);

    if (peer->full) {
        return ngx_http_webrtc_ice_start(offer, peer, &answer);
    }

    rc = ngx_http_webrtc_offer_created(r, status, peer, &answer);

    if (rc != NGX_DONE) {
        ngx_http_webrtc_offer_undo(peer);
    }

    return rc;
}


/*
 * A codec that viewers cannot play is for the operator to change.  Nothing of
 * the offer is in the text, so that it is one cause whoever asks.
 */

static void
ngx_http_webrtc_offer_no_codec(ngx_http_webrtc_offer_t *offer,
    ngx_uint_t codec)
{
    const ngx_webrtc_codec_t  *c;

    c = ngx_webrtc_codec(codec);

    ngx_webrtc_bus_complain(ngx_http_webrtc_worker->bus, offer->st,
                            NGX_LOG_WARN, offer->request->connection->log,
                            "viewer refused",
                            "the stream's %s is %V, which the viewer's offer "
                            "does not have: publish it in another codec, %s",
                            c->kind == NGX_WEBRTC_VIDEO ? "video" : "audio",
                            &c->name,
                            c->kind == NGX_WEBRTC_VIDEO
                            ? "H264 is played by all browsers"
                            : "opus is played by all browsers");
}


static ngx_int_t
ngx_http_webrtc_offer_slot(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_peer_t *peer)
{
    ngx_str_t                     name;
    ngx_webrtc_bus_t             *bus;
    ngx_http_request_t           *r;
    ngx_http_webrtc_loc_conf_t   *wlcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    r = offer->request;
    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);

    name.data = offer->st->name;
    name.len = offer->st->name_len;

    peer->role = (uint8_t) offer->role;
    peer->name_len = (uint8_t) name.len;
    ngx_memcpy(peer->name, name.data, name.len);
    peer->stream = offer->st->ref;
    peer->created_ms = ngx_current_msec;
    peer->expires_ms = ngx_current_msec + wlcf->handshake_timeout;
    peer->timeout_ms = (uint32_t) wlcf->timeout;
    peer->handshake_ms = (uint32_t) wlcf->handshake_timeout;

    peer->linger_ms = (uint32_t) wlcf->linger;
    peer->keyframe_ms = (uint32_t) wlcf->keyframe_interval;
    peer->max_bitrate = (uint64_t) wlcf->max_bitrate;
    peer->pacing_rate = (uint32_t) (wlcf->pacing_rate / 8);
    peer->pacing_burst = (uint32_t) wlcf->pacing_burst;
    peer->buffer = wlcf->buffer;

    peer->max_sessions = (uint32_t) wmcf->max_sessions;
    peer->max_viewers = (uint32_t) wlcf->max_viewers;

    ngx_http_webrtc_full_client(r, &peer->client);

    if (ngx_webrtc_peers_create(bus, peer) != NGX_OK) {
        return ngx_http_webrtc_full(r, bus->lack, &name);
    }

    if (offer->role == NGX_WEBRTC_PEER_PUBLISH
        && ngx_webrtc_bus_reserve(bus, offer->st, peer->ref,
                                  wlcf->publish_conflict
                                  == NGX_HTTP_WEBRTC_CONFLICT_REPLACE,
                                  ngx_current_msec)
           != NGX_OK)
    {
        (void) ngx_webrtc_peers_close(bus, peer->ref);

        return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                       "the stream is already published",
                                       &name);
    }

    ngx_webrtc_atomic_store(&offer->st->wanted_ms,
                            (uint64_t) ngx_current_msec
                            + NGX_HTTP_WEBRTC_WANTED);

    offer->ref = peer->ref;

    return NGX_OK;
}


/* what a stream's publisher may change to, as far as it is known here */

static ngx_uint_t
ngx_http_webrtc_offer_alternatives(ngx_http_webrtc_loc_conf_t *wlcf)
{
    uint8_t     *codec;
    ngx_uint_t   i, set;

    if (wlcf->pull && wlcf->pull->next == NULL) {
        return 0;
    }

    if (wlcf->codecs == NULL) {
        return ~(ngx_uint_t) 0;
    }

    codec = wlcf->codecs->elts;
    set = 0;

    for (i = 0; i < wlcf->codecs->nelts; i++) {
        set |= (ngx_uint_t) 1 << codec[i];
    }

    return set;
}


ngx_int_t
ngx_http_webrtc_offer_created(ngx_http_request_t *r, ngx_uint_t status,
    ngx_webrtc_peer_t *peer, ngx_str_t *answer)
{
    if (ngx_http_webrtc_offer_headers(r, peer) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_answer(r, status, &ngx_http_webrtc_sdp_type,
                                  answer);
}


void
ngx_http_webrtc_offer_undo(ngx_webrtc_peer_t *peer)
{
    ngx_str_t  id;

    id.data = peer->id;
    id.len = NGX_WEBRTC_PEER_ID_LEN;

    (void) ngx_webrtc_worker_close(ngx_http_webrtc_worker, &id);
}


ngx_int_t
ngx_http_webrtc_offer_headers(ngx_http_request_t *r, ngx_webrtc_peer_t *peer)
{
    ngx_str_t  location;

    static ngx_str_t  none = ngx_string("no-store");

    if (ngx_http_webrtc_url_session(r, peer->id, "", &location) != NGX_OK
        || ngx_http_webrtc_header(r, "Location", &location) != NGX_OK
        || ngx_http_webrtc_etag(r, peer->etag) != NGX_OK
        || ngx_http_webrtc_header(r, "Cache-Control", &none) != NGX_OK
        || ngx_http_webrtc_ice_server_links(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return (peer->role == NGX_WEBRTC_PEER_PLAY)
           ? ngx_http_webrtc_events_link(r, peer->id) : NGX_OK;
}


ngx_int_t
ngx_http_webrtc_offer_refuse(ngx_http_request_t *r, ngx_uint_t role,
    ngx_webrtc_negotiate_cause_t *cause)
{
    ngx_str_t   detail;
    ngx_uint_t  status;

    detail.data = cause->detail;
    detail.len = cause->len;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "webrtc offer refused: %s: %V", cause->title, &detail);

    if (cause->kind == NGX_WEBRTC_NEGOTIATE_BAD) {
        status = NGX_HTTP_BAD_REQUEST;

    } else {
        status = (role == NGX_WEBRTC_PEER_PUBLISH)
                 ? NGX_HTTP_WEBRTC_UNPROCESSABLE
                 : NGX_HTTP_WEBRTC_NOT_ACCEPTABLE;
    }

    return ngx_http_webrtc_problem(r, status, cause->title, &detail);
}
