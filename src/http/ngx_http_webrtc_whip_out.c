
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A session that we offer.  RFC 9725 (WHIP), from the client's side; RFC 3264.
 *
 * The codec of the stream comes first in the offer, then those that it may be
 * encoded in.  Which one the other server gets is decided by what it answers,
 * as for a viewer.
 */


#include "ngx_http_webrtc_whip_out.h"
#include "ngx_http_webrtc_ice.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_layer.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_choice.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_negotiate_counter.h"
#include "ngx_webrtc_session_life.h"
#include "ngx_webrtc_session_stat.h"
#include "ngx_webrtc_variants.h"
#include "ngx_webrtc_viewer_family.h"


/* ms for which a variant is wanted at a time: several ticks */
#define NGX_HTTP_WEBRTC_WHIP_OUT_WANTED  2000

/* ms for gathering and the answer, before checks begin; chosen: more than the
 * caller waits for them */
#define NGX_HTTP_WEBRTC_WHIP_OUT_TIME    30000


static ngx_uint_t ngx_http_webrtc_whip_out_codecs(ngx_uint_t mode,
    const ngx_webrtc_variant_t *how);
static void ngx_http_webrtc_whip_out_policy(ngx_http_webrtc_whip_out_t *out);
static ngx_int_t ngx_http_webrtc_whip_out_print(
    ngx_http_webrtc_whip_out_t *out, ngx_webrtc_desc_t *desc,
    ngx_str_t *text);
static ngx_int_t ngx_http_webrtc_whip_out_slot(
    ngx_http_webrtc_whip_out_t *out);
static ngx_int_t ngx_http_webrtc_whip_out_plays(
    ngx_http_webrtc_whip_out_t *out, const ngx_webrtc_desc_t *desc);
static ngx_int_t ngx_http_webrtc_whip_out_refuse(
    ngx_http_webrtc_whip_out_t *out, const char *fmt, ...);


ngx_int_t
ngx_http_webrtc_whip_out_ready(ngx_http_webrtc_whip_out_t *out,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_log_t *log)
{
    ngx_uint_t                   n, codec;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_choice_t          choice;
    ngx_webrtc_choice_viewer_t   can;

    bus = ngx_http_webrtc_worker->bus;

    n = 0;
    (void) ngx_webrtc_bus_tracks(out->st, out->tracks, &n);

    ngx_memzero(&can, sizeof(ngx_webrtc_choice_viewer_t));

    can.video = 1;
    can.cvo = 1;

    for (codec = 1; codec < NGX_WEBRTC_CODEC_N; codec++) {
        if (ngx_webrtc_codec(codec)->offer_pt != NGX_WEBRTC_DESC_NO_PT) {
            can.codecs |= (uint32_t) 1 << codec;
        }
    }

    ngx_webrtc_choice(out->tracks, n, &can, wlcf->policy.transcode,
                      &wlcf->policy.variant, &choice);

    if (choice.what == NGX_WEBRTC_CHOICE_NONE) {
        return ngx_http_webrtc_whip_out_refuse(out, "WebRTC does not have its "
                                               "codec, and webrtc_transcode "
                                               "is off, or cannot make one");
    }

    if (choice.what != NGX_WEBRTC_CHOICE_VARIANT) {
        return NGX_OK;
    }

    if (out->variant == NULL) {
        out->variant = ngx_webrtc_viewer_family_get(bus, out->st, &choice,
                                                    &wlcf->policy, log);
    }

    if (out->variant == NULL) {
        return ngx_http_webrtc_whip_out_refuse(out, "it has to be encoded, and "
                                               "there is no room for that");
    }

    ngx_webrtc_bus_want(out->variant, ngx_current_msec
                                      + NGX_HTTP_WEBRTC_WHIP_OUT_WANTED);
    ngx_webrtc_variants_check(bus, out->variant, log);

    return (ngx_webrtc_bus_state(out->variant) == NGX_WEBRTC_STREAM_ACTIVE
            && ngx_webrtc_bus_tracks(out->variant, NULL, NULL) != 0)
           ? NGX_OK : NGX_AGAIN;
}


ngx_int_t
ngx_http_webrtc_whip_out_begin(ngx_http_webrtc_whip_out_t *out)
{
    ngx_int_t            rc;
    ngx_str_t            text;
    ngx_http_request_t  *r;

    r = out->request;

    out->peer = ngx_http_webrtc_offer_peer(r, &out->policy);

    if (out->peer == NULL) {
        return ngx_http_webrtc_whip_out_refuse(out, "no memory");
    }

    out->peer->full = 1;

    ngx_http_webrtc_whip_out_policy(out);

    /* the agent begins with what the offer will say */

    rc = ngx_http_webrtc_whip_out_print(out, &out->peer->desc, &text);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_webrtc_whip_out_slot(out);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_webrtc_ice_session(r, NULL, out->peer) != NGX_OK) {
        out->peer->ref = 0;
        return ngx_http_webrtc_whip_out_refuse(out, "no ICE agent: there is no "
                                               "address, or the server is "
                                               "short of connections, ports "
                                               "or memory");
    }

    return NGX_OK;
}


static void
ngx_http_webrtc_whip_out_policy(ngx_http_webrtc_whip_out_t *out)
{
    ngx_webrtc_negotiate_policy_t  *policy;
    ngx_http_webrtc_loc_conf_t     *wlcf;

    wlcf = ngx_http_get_module_loc_conf(out->request, ngx_http_webrtc_module);

    policy = &out->policy;

    policy->role = NGX_WEBRTC_NEGOTIATE_PLAY;
    policy->fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR;
    policy->exts = NGX_WEBRTC_EXT_CVO;

    (void) ngx_webrtc_bus_tracks(out->variant ? out->variant : out->st,
                                 out->tracks, &policy->ntracks);
    policy->tracks = out->tracks;

    policy->alternatives = ngx_http_webrtc_layer_alternatives(wlcf)
                           | ngx_http_webrtc_whip_out_codecs(
                                                     wlcf->policy.transcode,
                                                     &wlcf->policy.variant);
}


/* what the video may be encoded in, for whoever takes nothing else */

static ngx_uint_t
ngx_http_webrtc_whip_out_codecs(ngx_uint_t mode,
    const ngx_webrtc_variant_t *how)
{
    ngx_uint_t                   codec, set;
    ngx_webrtc_choice_viewer_t   can;

    if (mode == NGX_WEBRTC_TRANSCODE_OFF) {
        return 0;
    }

    ngx_memzero(&can, sizeof(ngx_webrtc_choice_viewer_t));

    can.video = 1;
    set = 0;

    for (codec = 1; codec < NGX_WEBRTC_CODEC_N; codec++) {
        can.codecs = (uint32_t) 1 << codec;

        if (ngx_webrtc_choice_codec(&can, how) == codec) {
            set |= (ngx_uint_t) 1 << codec;
        }
    }

    return set;
}


static ngx_int_t
ngx_http_webrtc_whip_out_print(ngx_http_webrtc_whip_out_t *out,
    ngx_webrtc_desc_t *desc, ngx_str_t *text)
{
    u_char     *p;
    size_t      size;
    ngx_int_t   rc;

    size = NGX_WEBRTC_NEGOTIATE_ANSWER
           + NGX_HTTP_WEBRTC_CANDIDATES * NGX_WEBRTC_NEGOTIATE_CANDIDATE;

    p = ngx_pnalloc(out->request->pool, size);

    if (p == NULL) {
        return ngx_http_webrtc_whip_out_refuse(out, "no memory");
    }

    text->data = p;

    rc = ngx_webrtc_negotiate_counter_offer(&out->policy, desc, &p, p + size);

    text->len = p - text->data;

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    return ngx_http_webrtc_whip_out_refuse(out, rc == NGX_DECLINED
                                           ? "it has nothing that WebRTC can "
                                             "carry"
                                           : "no room for an offer");
}


/* the slot is this worker's only, so that none of its limits counts */

static ngx_int_t
ngx_http_webrtc_whip_out_slot(ngx_http_webrtc_whip_out_t *out)
{
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_peer_t           *peer;
    ngx_webrtc_peer_about_t      about;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    bus = ngx_http_webrtc_worker->bus;
    peer = out->peer;
    wlcf = ngx_http_get_module_loc_conf(out->request, ngx_http_webrtc_module);

    peer->role = NGX_WEBRTC_PEER_PUSH;
    peer->name_len = (uint8_t) out->st->name_len;
    ngx_memcpy(peer->name, out->st->name, out->st->name_len);
    peer->stream = out->st->ref;
    peer->created_ms = ngx_current_msec;
    peer->expires_ms = ngx_current_msec + NGX_HTTP_WEBRTC_WHIP_OUT_TIME;
    peer->location = wlcf->location;
    peer->policy.handshake_timeout = NGX_HTTP_WEBRTC_WHIP_OUT_TIME;

    ngx_memzero(&about, sizeof(ngx_webrtc_peer_about_t));

    ngx_webrtc_bus_public(peer->id, about.public);
    peer->about = &about;

    if (ngx_webrtc_peers_create(bus, peer) != NGX_OK) {
        peer->about = NULL;
        return ngx_http_webrtc_whip_out_refuse(out, "no room for it in "
                                               "webrtc_zone");
    }

    peer->about = NULL;

    ngx_webrtc_session_stat_answered(ngx_http_webrtc_worker, peer->role);

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_whip_out_offer(ngx_http_webrtc_whip_out_t *out,
    ngx_str_t *offer)
{
    ngx_webrtc_desc_t            desc;
    ngx_webrtc_sdp_candidate_t   cand[NGX_HTTP_WEBRTC_CANDIDATES];

    out->policy.candidates = cand;
    out->policy.ncandidates = ngx_http_webrtc_ice_candidates(out->request,
                                                             out->peer->ref,
                                                             cand);
    if (out->policy.ncandidates == 0) {
        return ngx_http_webrtc_whip_out_refuse(out, "no ICE candidate was "
                                               "gathered");
    }

    /* the same again, with candidates */

    return ngx_http_webrtc_whip_out_print(out, &desc, offer);
}


ngx_int_t
ngx_http_webrtc_whip_out_answer(ngx_http_webrtc_whip_out_t *out,
    ngx_str_t *answer)
{
    ngx_int_t                      rc;
    ngx_webrtc_sdp_t              *sdp;
    ngx_webrtc_peer_t             *peer;
    ngx_webrtc_desc_t              desc;
    ngx_webrtc_sdp_error_t         err;
    ngx_webrtc_negotiate_cause_t   cause;

    sdp = ngx_palloc(out->request->pool, sizeof(ngx_webrtc_sdp_t));

    if (sdp == NULL) {
        return ngx_http_webrtc_whip_out_refuse(out, "no memory");
    }

    rc = ngx_webrtc_sdp_parse(answer->data, answer->data + answer->len, sdp,
                              &err);

    if (rc != NGX_OK) {
        ngx_webrtc_negotiate_malformed(&err, &cause);

    } else {
        rc = ngx_webrtc_negotiate_counter_answer(sdp, &out->peer->desc, 0, 1,
                                                 &desc, &cause);
    }

    if (rc != NGX_OK) {
        return ngx_http_webrtc_whip_out_refuse(out, "its answer: %s: %*s",
                                               cause.title, cause.len,
                                               cause.detail);
    }

    if (ngx_http_webrtc_whip_out_plays(out, &desc) != NGX_OK) {
        return NGX_DECLINED;
    }

    peer = ngx_webrtc_peers_mine(ngx_http_webrtc_worker->bus, out->peer->ref);

    if (peer == NULL || peer->session == NULL
        || ngx_webrtc_peers_complete(ngx_http_webrtc_worker->bus, peer->ref,
                                     NULL, &desc)
           != NGX_OK)
    {
        return ngx_http_webrtc_whip_out_refuse(out, "the session has ended");
    }

    ngx_webrtc_session_life_answered(peer->session, sdp->candidates,
                                     sdp->ncandidates);

    return NGX_OK;
}


/* does the answer have what can be sent of the stream? */

static ngx_int_t
ngx_http_webrtc_whip_out_plays(ngx_http_webrtc_whip_out_t *out,
    const ngx_webrtc_desc_t *desc)
{
    ngx_uint_t                   i, n, video;
    ngx_webrtc_choice_t          choice;
    ngx_webrtc_choice_viewer_t   can;

    n = 0;
    (void) ngx_webrtc_bus_tracks(out->st, out->tracks, &n);

    ngx_webrtc_choice_desc(desc, &can);

    for (i = 0, video = 0; i < desc->nmedia; i++) {
        video |= (desc->media[i].kind == NGX_WEBRTC_VIDEO
                  && desc->media[i].sending);
    }

    for (i = 0; i < n && out->tracks[i].kind != NGX_WEBRTC_VIDEO; i++) {
        /* void */
    }

    if (i == n) {
        return NGX_OK;
    }

    ngx_webrtc_choice(out->tracks, n, &can, out->peer->policy.transcode,
                      &out->peer->policy.variant, &choice);

    if (video && choice.what != NGX_WEBRTC_CHOICE_NONE) {
        return NGX_OK;
    }

    return ngx_http_webrtc_whip_out_refuse(out, "the target does not take %V"
                                           "%s",
                                           &ngx_webrtc_codec(
                                                 out->tracks[i].codec)->name,
                                           out->peer->policy.transcode
                                           == NGX_WEBRTC_TRANSCODE_OFF
                                           ? ", and webrtc_transcode is off"
                                           : ", nor what it could be encoded "
                                             "in");
}


static ngx_int_t
ngx_http_webrtc_whip_out_refuse(ngx_http_webrtc_whip_out_t *out,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    out->cause_len = ngx_vslprintf(out->cause, out->cause + sizeof(out->cause),
                                   fmt, args)
                     - out->cause;
    va_end(args);

    return NGX_DECLINED;
}


/*
 * The push is one of the variant's viewers, and what makes the variant is a
 * reader of the stream.
 */

ngx_uint_t
ngx_http_webrtc_whip_out_alone(ngx_webrtc_stream_t *st,
    ngx_webrtc_peer_t *peer)
{
    ngx_uint_t            others;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *variant;

    bus = ngx_http_webrtc_worker->bus;

    variant = peer->reads ? ngx_webrtc_bus_stream_ref(bus, peer->reads) : NULL;

    if (variant == NULL) {
        return 0;
    }

    others = ngx_webrtc_bus_viewers(bus, st)
             + ngx_webrtc_bus_viewers(bus, variant)
             + ngx_webrtc_bus_readers(bus, st);

    ngx_webrtc_bus_release(bus, variant);

    return others <= 2;
}


void
ngx_http_webrtc_whip_out_done(ngx_http_webrtc_whip_out_t *out)
{
    if (out->variant) {
        ngx_webrtc_bus_release(ngx_http_webrtc_worker->bus, out->variant);
        out->variant = NULL;
    }
}
