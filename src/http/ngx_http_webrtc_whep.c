
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * WHEP: playback.  draft-ietf-wish-whep-03.
 *
 * An offer leaves a session slot in the zone and nothing else; the worker that
 * gets the first connectivity check makes the session.  An offer for a stream
 * that is not there yet waits, for up to "webrtc_wait", and holds nothing but
 * its request and the stream's entry meanwhile.
 */


#include "ngx_http_webrtc_whep.h"
#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_endpoint.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_pull.h"
#include "ngx_http_webrtc_reason.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_pending.h"


/* ms that a request keeps the source which it waits for running, each time that
 * it is looked at; chosen: a few ticks of the worker's timer */
#define NGX_HTTP_WEBRTC_WHEP_WANTED  1000


typedef struct {
    ngx_http_webrtc_offer_t  offer;       /* its stream is watched too */
    ngx_str_t                name;        /* of the stream */
    ngx_queue_t              queue;       /* of those that wait */
    ngx_event_t              timer;
    unsigned                 waiting:1;
} ngx_http_webrtc_whep_t;


static ngx_int_t ngx_http_webrtc_whep_offer(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_whep_stream(ngx_http_webrtc_whep_t *whep);
static ngx_int_t ngx_http_webrtc_whep_ready(ngx_http_webrtc_whep_t *whep);
static ngx_uint_t ngx_http_webrtc_whep_live(ngx_http_webrtc_whep_t *whep);
static ngx_msec_t ngx_http_webrtc_whep_video(ngx_http_webrtc_whep_t *whep);
static ngx_int_t ngx_http_webrtc_whep_wait(ngx_http_webrtc_whep_t *whep);
static void ngx_http_webrtc_whep_wanted(ngx_http_webrtc_whep_t *whep);
static void ngx_http_webrtc_whep_resume(ngx_http_webrtc_whep_t *whep);
static void ngx_http_webrtc_whep_dropped(ngx_http_webrtc_whep_t *whep);
static void ngx_http_webrtc_whep_timeout(ngx_event_t *ev);
static void ngx_http_webrtc_whep_cleanup(void *data);


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
    ngx_int_t                      rc;
    ngx_http_cleanup_t            *cln;
    ngx_http_webrtc_whep_t        *whep;
    ngx_http_webrtc_loc_conf_t    *wlcf;

    if (ngx_http_webrtc_worker == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_whep_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    whep = cln->data;
    ngx_memzero(whep, sizeof(ngx_http_webrtc_whep_t));
    whep->offer.request = r;

    cln->handler = ngx_http_webrtc_whep_cleanup;

    whep->offer.role = NGX_WEBRTC_PEER_PLAY;

    rc = ngx_http_webrtc_offer_parse(&whep->offer, body);

    if (rc != NGX_OK) {
        return rc;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (ngx_http_complex_value(r, wlcf->play, &whep->name) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!ngx_http_webrtc_reason_is_name(&whep->name)) {
        return ngx_http_webrtc_reason_no_name(r, &whep->name);
    }

    ngx_http_webrtc_note_stream(r, NGX_WEBRTC_PEER_PLAY, &whep->name);

    rc = ngx_http_webrtc_whep_stream(whep);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_webrtc_whep_ready(whep) == NGX_OK) {
        return ngx_http_webrtc_offer_answer(&whep->offer);
    }

    if (ngx_exiting) {

        /* no source is started here any more */

        return ngx_http_webrtc_elsewhere(r);
    }

    return ngx_http_webrtc_whep_wait(whep);
}


/* Finds the stream, if there is one yet; makes it when it is to be pulled. */

static ngx_int_t
ngx_http_webrtc_whep_stream(ngx_http_webrtc_whep_t *whep)
{
    ngx_int_t                    rc;
    ngx_str_t                    detail;
    const char                  *cause;
    ngx_webrtc_bus_t            *bus;
    ngx_http_request_t          *r;
    ngx_webrtc_client_t          client;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = whep->offer.request;
    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->pull) {
        ngx_http_webrtc_full_client(r, &client);

        whep->offer.st = ngx_webrtc_bus_stream_for(bus, &whep->name,
                                                   wlcf->buffer, &client);
    } else {
        whep->offer.st = ngx_webrtc_bus_stream(bus, &whep->name, wlcf->buffer,
                                               0);
    }

    if (whep->offer.st == NULL) {

        if (wlcf->pull == NULL) {
            /* a publisher may come */
            return NGX_OK;
        }

        return ngx_http_webrtc_full(r, bus->lack, NULL);
    }

    ngx_webrtc_bus_watch(bus, whep->offer.st);

    if (wlcf->pull == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_webrtc_pull(r, wlcf->pull, whep->offer.st, &cause);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "webrtc pull refused: %s", cause);

        detail.data = (u_char *) cause;
        detail.len = ngx_strlen(cause);

        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND,
                                       "no such stream", &detail);
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_webrtc_whep_ready(ngx_http_webrtc_whep_t *whep)
{
    if (!ngx_http_webrtc_whep_live(whep)
        || ngx_http_webrtc_whep_video(whep) > 0)
    {
        return NGX_AGAIN;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_webrtc_whep_live(ngx_http_webrtc_whep_t *whep)
{
    return whep->offer.st
           && ngx_webrtc_bus_state(whep->offer.st) == NGX_WEBRTC_STREAM_ACTIVE
           && ngx_webrtc_bus_tracks(whep->offer.st, NULL, NULL) != 0;
}


/*
 * The offer is for video too, and the upstream has announced it: how long it is
 * worth waiting for, in ms.  Up to "webrtc_wait" after the stream's start, so
 * that one that never has any makes its first viewers wait, and no others.
 */

static ngx_msec_t
ngx_http_webrtc_whep_video(ngx_http_webrtc_whep_t *whep)
{
    uint64_t                     age;
    ngx_uint_t                   i, n;
    ngx_webrtc_track_t           tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_sdp_media_t      *media;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    (void) ngx_webrtc_bus_tracks(whep->offer.st, tracks, &n);

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

    for (i = 0; i < whep->offer.sdp->nmedia; i++) {
        media = &whep->offer.sdp->media[i];

        if (media->kind == NGX_WEBRTC_SDP_VIDEO
            && (media->direction & NGX_WEBRTC_SDP_RECVONLY)
            && !media->rejected)
        {
            break;
        }
    }

    if (i == whep->offer.sdp->nmedia) {
        return 0;
    }

    wlcf = ngx_http_get_module_loc_conf(whep->offer.request,
                                        ngx_http_webrtc_module);

    age = ngx_webrtc_bus_state_age(whep->offer.st, ngx_current_msec);

    return (age < wlcf->wait) ? wlcf->wait - (ngx_msec_t) age : 0;
}


static ngx_int_t
ngx_http_webrtc_whep_wait(ngx_http_webrtc_whep_t *whep)
{
    ngx_http_request_t          *r;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = whep->offer.request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    whep->timer.handler = ngx_http_webrtc_whep_timeout;
    whep->timer.data = whep;
    whep->timer.log = r->connection->log;

    ngx_add_timer(&whep->timer, ngx_http_webrtc_whep_live(whep)
                                ? ngx_http_webrtc_whep_video(whep)
                                : wlcf->wait);

    whep->waiting = 1;
    ngx_queue_insert_tail(&ngx_http_webrtc_whep_waiting, &whep->queue);

    ngx_http_webrtc_whep_wanted(whep);
    ngx_http_webrtc_wait(r);

    return NGX_AGAIN;
}


/*
 * Who waits is no viewer yet: without this "webrtc_idle_timeout" would end the
 * source, in whichever worker it runs.
 */

static void
ngx_http_webrtc_whep_wanted(ngx_http_webrtc_whep_t *whep)
{
    uint64_t              until;
    ngx_webrtc_stream_t  *st;

    st = whep->offer.st;

    if (st == NULL) {
        return;
    }

    until = (uint64_t) ngx_current_msec + NGX_HTTP_WEBRTC_WHEP_WANTED;

    if (ngx_webrtc_atomic_load(&st->wanted_ms) < until) {
        ngx_webrtc_atomic_store(&st->wanted_ms, until);
    }
}


void
ngx_http_webrtc_whep_wake(ngx_webrtc_stream_t *st)
{
    ngx_queue_t                 *q, *next;
    ngx_http_webrtc_whep_t      *whep;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    for (q = ngx_queue_head(&ngx_http_webrtc_whep_waiting);
         q != ngx_queue_sentinel(&ngx_http_webrtc_whep_waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        whep = ngx_queue_data(q, ngx_http_webrtc_whep_t, queue);

        if (st && whep->offer.st != st) {
            continue;
        }

        if (whep->offer.st == NULL) {
            wlcf = ngx_http_get_module_loc_conf(whep->offer.request,
                                                ngx_http_webrtc_module);

            whep->offer.st = ngx_webrtc_bus_stream(ngx_http_webrtc_worker->bus,
                                             &whep->name, wlcf->buffer, 0);
            if (whep->offer.st == NULL) {
                continue;
            }

            ngx_webrtc_bus_watch(ngx_http_webrtc_worker->bus, whep->offer.st);
        }

        if (ngx_webrtc_bus_is_dropped(whep->offer.st)) {
            ngx_http_webrtc_whep_dropped(whep);
            continue;
        }

        if (ngx_http_webrtc_whep_ready(whep) != NGX_OK) {
            ngx_http_webrtc_whep_wanted(whep);
            ngx_http_webrtc_pull_check(whep->offer.st);
            continue;
        }

        ngx_http_webrtc_whep_resume(whep);
    }
}


static void
ngx_http_webrtc_whep_resume(ngx_http_webrtc_whep_t *whep)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = whep->offer.request;
    c = r->connection;

    ngx_queue_remove(&whep->queue);
    whep->waiting = 0;

    if (whep->timer.timer_set) {
        ngx_del_timer(&whep->timer);
    }

    rc = ngx_http_webrtc_offer_answer(&whep->offer);

    ngx_http_webrtc_whep_cleanup(whep);

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);
}


/* the stream has to go, before it has come */

static void
ngx_http_webrtc_whep_dropped(ngx_http_webrtc_whep_t *whep)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = whep->offer.request;
    c = r->connection;

    rc = ngx_http_webrtc_full(r, NGX_WEBRTC_LACK_MEMORY, NULL);

    ngx_http_webrtc_whep_cleanup(whep);

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

        ngx_del_timer(&whep->timer);
        ngx_http_webrtc_whep_timeout(&whep->timer);
    }
}


static void
ngx_http_webrtc_whep_timeout(ngx_event_t *ev)
{
    ngx_int_t                rc;
    ngx_str_t                detail;
    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_webrtc_whep_t  *whep;

    whep = ev->data;
    r = whep->offer.request;
    c = r->connection;

    if (!ngx_exiting && ngx_http_webrtc_whep_live(whep)) {

        /* video was waited for: it may come yet, and has its m-line */

        ngx_http_webrtc_whep_resume(whep);
        return;
    }

    ngx_queue_remove(&whep->queue);
    whep->waiting = 0;

    rc = ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY);

    if (rc == NGX_OK) {
        rc = ngx_http_webrtc_reason(r, &whep->name, whep->offer.st, &detail);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_webrtc_problem(r, NGX_HTTP_CONFLICT,
                                     "the stream is not live", &detail);
    }

    /* what is left to be written outlives the worker without a master */

    ngx_http_webrtc_whep_cleanup(whep);

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);
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

    if (whep->offer.st) {
        ngx_webrtc_bus_unwatch(ngx_http_webrtc_worker->bus, whep->offer.st);
        ngx_webrtc_bus_release(ngx_http_webrtc_worker->bus, whep->offer.st);
        whep->offer.st = NULL;
    }
}


char *
ngx_http_webrtc_whep_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    return ngx_http_webrtc_conf_stream_name(cf, wlcf, &wlcf->play,
                                            ngx_http_webrtc_whep_handler);
}
