
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * WHEP: playback.  draft-ietf-wish-whep-03.
 *
 * An offer creates only a session slot in the zone; the worker that gets the
 * first connectivity check creates the session.  An offer for a stream that is
 * not live yet waits for up to "webrtc_wait", and meanwhile holds only its
 * request and the stream's entry.
 */


#include "ngx_http_webrtc_whep.h"
#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_endpoint.h"
#include "ngx_http_webrtc_events.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_layer.h"
#include "ngx_http_webrtc_layers.h"
#include "ngx_http_webrtc_live.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_pull.h"
#include "ngx_http_webrtc_reason.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_negotiate_counter.h"


typedef struct {
    ngx_http_webrtc_offer_t  *offer;      /* its stream is also watched */
    ngx_queue_t               queue;      /* of waiting requests */
    ngx_event_t               timer;
    unsigned                  waiting:1;
} ngx_http_webrtc_whep_t;


static ngx_int_t ngx_http_webrtc_whep_offer(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_whep_find(ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_whep_ready(ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_whep_stream(ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_whep_is_ready(ngx_http_webrtc_offer_t *offer);
static ngx_uint_t ngx_http_webrtc_whep_live(ngx_http_webrtc_offer_t *offer);
static ngx_msec_t ngx_http_webrtc_whep_video(ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_whep_wait(ngx_http_webrtc_offer_t *offer);
static void ngx_http_webrtc_whep_wanted(ngx_http_webrtc_whep_t *whep);
static void ngx_http_webrtc_whep_layer(ngx_http_webrtc_whep_t *whep);
static void ngx_http_webrtc_whep_resume(ngx_http_webrtc_whep_t *whep);
static void ngx_http_webrtc_whep_end(ngx_http_webrtc_whep_t *whep,
    ngx_int_t rc);
static void ngx_http_webrtc_whep_timeout(ngx_event_t *ev);
static ngx_int_t ngx_http_webrtc_whep_not_live(ngx_http_webrtc_whep_t *whep);
static void ngx_http_webrtc_whep_cleanup(void *data);
static void ngx_http_webrtc_whep_policy(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy);
static ngx_int_t ngx_http_webrtc_whep_negotiate(
    ngx_http_webrtc_offer_t *offer, ngx_webrtc_negotiate_policy_t *policy,
    u_char **p, u_char *end, ngx_webrtc_negotiate_cause_t *cause);
static void ngx_http_webrtc_whep_no_codec(ngx_http_webrtc_offer_t *offer,
    ngx_uint_t codec);
static ngx_int_t ngx_http_webrtc_whep_links(ngx_http_webrtc_offer_t *offer);


static const ngx_http_webrtc_offer_kind_t  ngx_http_webrtc_whep_kind = {
    NGX_WEBRTC_PEER_PLAY,
    NGX_HTTP_WEBRTC_NOT_ACCEPTABLE,
    0,
    ngx_http_webrtc_whep_find,
    ngx_http_webrtc_whep_ready,
    ngx_http_webrtc_whep_policy,
    ngx_http_webrtc_whep_negotiate,
    NULL,
    ngx_http_webrtc_whep_links,
    NULL
};


static ngx_queue_t  ngx_http_webrtc_whep_waiting = {
    &ngx_http_webrtc_whep_waiting, &ngx_http_webrtc_whep_waiting
};


ngx_int_t
ngx_http_webrtc_whep_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_webrtc_endpoint(r, NGX_WEBRTC_PEER_PLAY,
                                  ngx_http_webrtc_whep_offer);

    return ngx_http_webrtc_result(rc);
}


static ngx_int_t
ngx_http_webrtc_whep_offer(ngx_http_request_t *r, ngx_str_t *body)
{
    return ngx_http_webrtc_offer(r, &ngx_http_webrtc_whep_kind, body);
}


static ngx_int_t
ngx_http_webrtc_whep_find(ngx_http_webrtc_offer_t *offer)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(offer->request, ngx_http_webrtc_module);

    return ngx_http_webrtc_offer_name(offer, wlcf->play);
}


static ngx_int_t
ngx_http_webrtc_whep_ready(ngx_http_webrtc_offer_t *offer)
{
    ngx_int_t  rc;

    rc = ngx_http_webrtc_layer_find(offer->request, offer->sdp, &offer->layer);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_webrtc_whep_stream(offer);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_webrtc_whep_is_ready(offer);

    if (rc != NGX_AGAIN) {
        return rc;
    }

    if (ngx_exiting) {

        /* no source is started here any longer */

        return ngx_http_webrtc_elsewhere(offer->request);
    }

    return ngx_http_webrtc_whep_wait(offer);
}


/* Finds the stream, if it exists yet; creates it if it is to be pulled. */

static ngx_int_t
ngx_http_webrtc_whep_stream(ngx_http_webrtc_offer_t *offer)
{
    ngx_int_t  rc;

    rc = ngx_http_webrtc_live_stream(offer->request, &offer->name, &offer->st);

    if (offer->st) {
        ngx_webrtc_bus_watch(ngx_http_webrtc_worker->bus, offer->st);
        offer->watched = 1;
    }

    return rc;
}


/* NGX_OK; NGX_AGAIN: not yet; otherwise a result: it will not be */

static ngx_int_t
ngx_http_webrtc_whep_is_ready(ngx_http_webrtc_offer_t *offer)
{
    if (!ngx_http_webrtc_whep_live(offer)
        || ngx_http_webrtc_whep_video(offer) != 0)
    {
        return NGX_AGAIN;
    }

    return ngx_http_webrtc_layer_ready(offer->request, offer->st,
                                       &offer->layer);
}


static ngx_uint_t
ngx_http_webrtc_whep_live(ngx_http_webrtc_offer_t *offer)
{
    return offer->st
           && ngx_webrtc_bus_state(offer->st) == NGX_WEBRTC_STREAM_ACTIVE
           && ngx_webrtc_bus_tracks(offer->st, NULL, NULL) != 0;
}


/*
 * Returns how long to wait, in ms, for video that the offer includes and the
 * upstream has announced.  At most "webrtc_wait" after the stream's start, so
 * that a stream that never has video delays its first viewers only.
 */

static ngx_msec_t
ngx_http_webrtc_whep_video(ngx_http_webrtc_offer_t *offer)
{
    uint64_t                     age;
    ngx_uint_t                   i, n;
    ngx_webrtc_track_t           tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_sdp_media_t      *media;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    (void) ngx_webrtc_bus_tracks(offer->st, tracks, &n);

    for (i = 0; i < n; i++) {
        if (tracks[i].kind == NGX_WEBRTC_VIDEO
            && (tracks[i].flags & NGX_WEBRTC_TRACK_ANNOUNCED))
        {
            break;
        }
    }

    if (i == n) {
        return 0;
    }

    for (i = 0; i < offer->sdp->nmedia; i++) {
        media = &offer->sdp->media[i];

        if (media->kind == NGX_WEBRTC_SDP_VIDEO
            && (media->direction & NGX_WEBRTC_SDP_RECVONLY)
            && !media->rejected)
        {
            break;
        }
    }

    if (i == offer->sdp->nmedia) {
        return 0;
    }

    wlcf = ngx_http_get_module_loc_conf(offer->request, ngx_http_webrtc_module);

    age = ngx_webrtc_bus_state_age(offer->st, ngx_current_msec);

    return (age < wlcf->wait) ? wlcf->wait - (ngx_msec_t) age : 0;
}


static ngx_int_t
ngx_http_webrtc_whep_wait(ngx_http_webrtc_offer_t *offer)
{
    ngx_http_cleanup_t          *cln;
    ngx_http_request_t          *r;
    ngx_http_webrtc_whep_t      *whep;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = offer->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_whep_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    whep = cln->data;
    ngx_memzero(whep, sizeof(ngx_http_webrtc_whep_t));

    cln->handler = ngx_http_webrtc_whep_cleanup;

    whep->offer = offer;
    whep->timer.handler = ngx_http_webrtc_whep_timeout;
    whep->timer.data = whep;
    whep->timer.log = r->connection->log;

    ngx_add_timer(&whep->timer, (ngx_http_webrtc_whep_live(offer)
                                 && offer->layer.st == NULL)
                                ? ngx_http_webrtc_whep_video(offer)
                                : wlcf->wait);

    whep->waiting = 1;
    ngx_queue_insert_tail(&ngx_http_webrtc_whep_waiting, &whep->queue);

    ngx_http_webrtc_whep_wanted(whep);
    ngx_http_webrtc_wait(r);

    return NGX_AGAIN;
}


/*
 * A waiting request is not a viewer yet: without this, "webrtc_idle_timeout"
 * would stop the source, in whichever worker it runs.
 */

static void
ngx_http_webrtc_whep_wanted(ngx_http_webrtc_whep_t *whep)
{
    if (whep->offer->st) {
        ngx_webrtc_bus_want(whep->offer->st, (uint64_t) ngx_current_msec
                                             + NGX_HTTP_WEBRTC_LIVE_WANTED);
    }
}


void
ngx_http_webrtc_whep_wake(ngx_webrtc_stream_t *st)
{
    ngx_int_t                    rc;
    ngx_queue_t                 *q, *next;
    ngx_webrtc_stream_t         *layer;
    ngx_http_webrtc_whep_t      *whep;
    ngx_http_webrtc_offer_t     *offer;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    for (q = ngx_queue_head(&ngx_http_webrtc_whep_waiting);
         q != ngx_queue_sentinel(&ngx_http_webrtc_whep_waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        whep = ngx_queue_data(q, ngx_http_webrtc_whep_t, queue);
        offer = whep->offer;

        if (st && offer->st != st && offer->layer.st != st) {
            continue;
        }

        if (offer->st == NULL) {
            wlcf = ngx_http_get_module_loc_conf(offer->request,
                                                ngx_http_webrtc_module);

            offer->st = ngx_webrtc_bus_stream(ngx_http_webrtc_worker->bus,
                                              &offer->name,
                                              wlcf->policy.buffer, 0);
            if (offer->st == NULL) {
                continue;
            }

            ngx_webrtc_bus_watch(ngx_http_webrtc_worker->bus, offer->st);
            offer->watched = 1;
        }

        if (ngx_webrtc_bus_is_dropped(offer->st)) {

            /* the stream is being dropped before it went live */

            ngx_http_webrtc_whep_end(whep,
                ngx_http_webrtc_full(offer->request, NGX_WEBRTC_LACK_MEMORY,
                                     NULL));
            continue;
        }

        layer = offer->layer.st;
        rc = ngx_http_webrtc_whep_is_ready(offer);

        if (rc == NGX_AGAIN) {
            ngx_http_webrtc_whep_wanted(whep);
            ngx_http_webrtc_pull_check(offer->st);

            if (offer->layer.st != layer) {
                ngx_http_webrtc_whep_layer(whep);
            }

            continue;
        }

        if (rc != NGX_OK) {
            ngx_http_webrtc_whep_end(whep, rc);
            continue;
        }

        ngx_http_webrtc_whep_resume(whep);
    }
}


/* the stream is there, and what has to be made of it gets as much time */

static void
ngx_http_webrtc_whep_layer(ngx_http_webrtc_whep_t *whep)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(whep->offer->request,
                                        ngx_http_webrtc_module);

    ngx_add_timer(&whep->timer, wlcf->wait);
}


static void
ngx_http_webrtc_whep_resume(ngx_http_webrtc_whep_t *whep)
{
    /* removed first, so that a nested wake-up does not find it */

    ngx_http_webrtc_whep_cleanup(whep);

    ngx_http_webrtc_whep_end(whep, ngx_http_webrtc_offer_answer(whep->offer));
}


/* rc: result of the answer */

static void
ngx_http_webrtc_whep_end(ngx_http_webrtc_whep_t *whep, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = whep->offer->request;
    c = r->connection;

    /* without a master process, the response may be sent after the worker is
     * gone */

    ngx_http_webrtc_whep_cleanup(whep);
    ngx_http_webrtc_offer_release(whep->offer);

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);
}


void
ngx_http_webrtc_whep_done(void)
{
    ngx_queue_t             *q;
    ngx_http_webrtc_whep_t  *whep;

    while (!ngx_queue_empty(&ngx_http_webrtc_whep_waiting)) {
        q = ngx_queue_head(&ngx_http_webrtc_whep_waiting);
        whep = ngx_queue_data(q, ngx_http_webrtc_whep_t, queue);

        ngx_http_webrtc_whep_end(whep, ngx_http_webrtc_whep_not_live(whep));
    }
}


static void
ngx_http_webrtc_whep_timeout(ngx_event_t *ev)
{
    ngx_http_webrtc_whep_t  *whep;

    whep = ev->data;

    if (!ngx_exiting && ngx_http_webrtc_whep_live(whep->offer)
        && whep->offer->layer.st == NULL)
    {
        /* video has not come in time, but may still: it keeps its m-line */

        ngx_http_webrtc_whep_resume(whep);
        return;
    }

    ngx_http_webrtc_whep_end(whep, ngx_http_webrtc_whep_not_live(whep));
}


static ngx_int_t
ngx_http_webrtc_whep_not_live(ngx_http_webrtc_whep_t *whep)
{
    ngx_str_t                 detail;
    ngx_http_request_t       *r;
    ngx_http_webrtc_offer_t  *offer;

    offer = whep->offer;
    r = offer->request;

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK
        || ngx_http_webrtc_reason(r, &offer->name,
                                  offer->layer.st ? offer->layer.st : offer->st,
                                  &detail)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                   "the stream is not live", &detail);
}


static void
ngx_http_webrtc_whep_cleanup(void *data)
{
    ngx_http_webrtc_whep_t *whep = data;

    if (whep->waiting) {
        ngx_queue_remove(&whep->queue);
        whep->waiting = 0;
    }

    if (whep->timer.timer_set) {
        ngx_del_timer(&whep->timer);
    }
}


static void
ngx_http_webrtc_whep_policy(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(offer->request, ngx_http_webrtc_module);

    policy->role = NGX_WEBRTC_NEGOTIATE_PLAY;
    policy->fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR;
    policy->exts = NGX_WEBRTC_EXT_CVO;

    if (wlcf->playout != NGX_HTTP_WEBRTC_PLAYOUT_OFF) {
        policy->exts |= NGX_WEBRTC_EXT_PLAYOUT;
    }

    policy->alternatives = ngx_http_webrtc_layer_alternatives(wlcf);

    ngx_http_webrtc_layer_policy(offer->request, offer->st, &offer->layer,
                                 policy, &offer->peer->policy);
}


static ngx_int_t
ngx_http_webrtc_whep_negotiate(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy, u_char **p, u_char *end,
    ngx_webrtc_negotiate_cause_t *cause)
{
    u_char                      *start;
    ngx_int_t                    rc;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(offer->request, ngx_http_webrtc_module);

    start = *p;

    rc = ngx_webrtc_negotiate(offer->sdp, policy, &offer->peer->desc, p, end,
                              cause);

    if (rc == NGX_DECLINED && cause->kind == NGX_WEBRTC_NEGOTIATE_UNSUPPORTED
        && wlcf->counter_offer && !offer->peer->full)
    {
        offer->status = NGX_HTTP_WEBRTC_NOT_ACCEPTABLE;

        *p = start;

        rc = ngx_webrtc_negotiate_counter_offer(policy, &offer->peer->desc, p,
                                                end);
    }

    ngx_webrtc_choice_keep(&offer->layer.viewer, &offer->peer->desc);

    if (rc == NGX_DECLINED && cause->codec) {
        ngx_http_webrtc_whep_no_codec(offer, cause->codec);
    }

    return rc;
}


/*
 * Only the operator can change a codec that viewers cannot play.  The text has
 * nothing of the offer, so that it is the same for all viewers.
 */

static void
ngx_http_webrtc_whep_no_codec(ngx_http_webrtc_offer_t *offer,
    ngx_uint_t codec)
{
    ngx_uint_t                   off;
    const ngx_webrtc_codec_t    *c;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(offer->request, ngx_http_webrtc_module);

    c = ngx_webrtc_codec(codec);

    off = (c->kind == NGX_WEBRTC_VIDEO
           && wlcf->policy.transcode == NGX_WEBRTC_TRANSCODE_OFF);

    ngx_webrtc_bus_complain(ngx_http_webrtc_worker->bus, offer->st,
                            NGX_LOG_WARN, offer->request->connection->log,
                            "viewer refused",
                            "the stream's %s is %V, which the viewer's offer "
                            "does not have: %spublish it in another codec, %s",
                            c->kind == NGX_WEBRTC_VIDEO ? "video" : "audio",
                            &c->name,
                            off ? "set \"webrtc_transcode auto\", or " : "",
                            c->kind == NGX_WEBRTC_VIDEO
                            ? "H264 is played by all browsers"
                            : "opus is played by all browsers");
}


static ngx_int_t
ngx_http_webrtc_whep_links(ngx_http_webrtc_offer_t *offer)
{
    ngx_int_t             rc;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st;

    if (ngx_http_webrtc_events_link(offer->request, offer->peer->id) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (offer->st) {
        return ngx_http_webrtc_layers_link(offer->request, offer->peer->id,
                                           offer->st);
    }

    /* with full ICE it was given up before candidates had been gathered */

    bus = ngx_http_webrtc_worker ? ngx_http_webrtc_worker->bus : NULL;
    st = bus ? ngx_webrtc_bus_stream_ref(bus, offer->peer->stream) : NULL;

    if (st == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_webrtc_layers_link(offer->request, offer->peer->id, st);

    ngx_webrtc_bus_release(bus, st);

    return rc;
}


char *
ngx_http_webrtc_whep_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    return ngx_http_webrtc_conf_stream_name(cf, wlcf, &wlcf->play,
                                            ngx_http_webrtc_whep_handler);
}
