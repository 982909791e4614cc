
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher has a slot in the zone, as one of WHIP has, so that names,
 * limits, the status, hooks, logs and whoever ends sessions need not know it:
 * role PUBLISH, claimed by this worker at once, without a session.  What it
 * sends is a stream in a container, which a source's job of the media process
 * reads from a pair of sockets.
 *
 *   taken --> claims the name, while the one before is leaving --> source
 *         --> published --> ending: source is stopped --> ENDED: all is freed
 *
 * The request waits until then.  Only ngx_http_webrtc_ingest_over() ends what
 * has a slot, and only when there is no source any more.
 */


#include "ngx_http_webrtc_ingest_publish.h"
#include "ngx_http_webrtc_ended.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_ingest_out.h"
#include "ngx_http_webrtc_jwt.h"
#include "ngx_http_webrtc_push.h"
#include "ngx_http_webrtc_reason.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_public.h"
#include "ngx_webrtc_bus_publish.h"
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_session_stat.h"


/* ms between two attempts to take over the name, and how many: 5 s, as a
 * publisher of WHIP does */
#define NGX_HTTP_WEBRTC_INGEST_RETRY    5
#define NGX_HTTP_WEBRTC_INGEST_RETRIES  1000

/* ms between two looks at it */
#define NGX_HTTP_WEBRTC_INGEST_SECOND   1000

/* hex digits: the slot's id, its local ufrag, which is a key of the slot */
#define NGX_HTTP_WEBRTC_INGEST_UFRAG    16

/* its source has ended, and said why */
#define NGX_HTTP_WEBRTC_INGEST_UNPLAYABLE  "its source has ended"


static ngx_int_t ngx_http_webrtc_ingest_name(ngx_http_request_t *r,
    ngx_str_t *name);
static ngx_int_t ngx_http_webrtc_ingest_slot(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in, ngx_str_t *name);
static ngx_int_t ngx_http_webrtc_ingest_create_slot(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in, ngx_str_t *name, ngx_webrtc_peer_t *peer);
static ngx_int_t ngx_http_webrtc_ingest_reserve(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in, ngx_str_t *name, uint64_t ref);
static void ngx_http_webrtc_ingest_wait(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in);
static void ngx_http_webrtc_ingest_request_gone(void *data);
static u_char *ngx_http_webrtc_ingest_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_http_webrtc_ingest_timer(ngx_event_t *ev);
static void ngx_http_webrtc_ingest_claim(ngx_http_webrtc_ingest_t *in);
static void ngx_http_webrtc_ingest_begin(ngx_http_webrtc_ingest_t *in);
static ngx_int_t ngx_http_webrtc_ingest_start(ngx_http_webrtc_ingest_t *in);
static void ngx_http_webrtc_ingest_event(ngx_webrtc_source_t *source,
    void *data, ngx_uint_t event);
static void ngx_http_webrtc_ingest_second(ngx_http_webrtc_ingest_t *in);
static void ngx_http_webrtc_ingest_stop(ngx_http_webrtc_ingest_t *in,
    const char *why);
static void ngx_http_webrtc_ingest_over(ngx_http_webrtc_ingest_t *in);
static void ngx_http_webrtc_ingest_answer(ngx_http_webrtc_ingest_t *in);
static void ngx_http_webrtc_ingest_log_end(ngx_http_webrtc_ingest_t *in);


static ngx_queue_t  ngx_http_webrtc_ingests = {
    &ngx_http_webrtc_ingests, &ngx_http_webrtc_ingests
};


ngx_int_t
ngx_http_webrtc_ingest_publish(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in)
{
    ngx_int_t                    rc;
    ngx_str_t                    name;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_lack_e            lack;
    ngx_http_cleanup_t          *cln;
    ngx_webrtc_client_t          client;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    if (ngx_http_webrtc_worker == NULL || in->data == NULL || in->peer) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (ngx_exiting) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "this worker is shutting down", NULL);
    }

    if (ngx_webrtc_bus_draining(bus)) {
        return ngx_http_webrtc_full_drain(r);
    }

    lack = ngx_http_webrtc_full_early(r);

    if (lack != NGX_WEBRTC_LACK_NONE) {
        return ngx_http_webrtc_full(r, lack, NULL);
    }

    rc = ngx_http_webrtc_ingest_name(r, &name);

    if (rc != NGX_OK) {
        return rc;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_webrtc_ingest_request_gone;
    cln->data = in;

    ngx_http_webrtc_full_client(r, &client);

    in->st = ngx_webrtc_bus_stream_for(bus, &name, wlcf->policy.buffer,
                                       &client);
    if (in->st == NULL) {
        return ngx_http_webrtc_full(r, bus->lack, NULL);
    }

    ngx_webrtc_bus_set_ring_max(in->st, wlcf->policy.buffer_max);

    rc = ngx_http_webrtc_ingest_slot(r, in, &name);

    if (rc != NGX_OK) {
        ngx_webrtc_bus_release(bus, in->st);
        in->st = NULL;
        return rc;
    }

    ngx_http_webrtc_ingest_wait(r, in);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_webrtc_ingest_name(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_http_webrtc_note_t      *note;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    note = ngx_http_webrtc_note(r);

    if (note == NULL
        || ngx_http_complex_value(r, wlcf->publish, name) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (note->rename.len) {
        *name = note->rename;
    }

    if (!ngx_http_webrtc_reason_is_name(name)) {
        return ngx_http_webrtc_reason_no_name(r, name);
    }

    ngx_http_webrtc_note_stream(r, NGX_WEBRTC_PEER_PUBLISH, name);

    return NGX_OK;
}


/* NGX_OK: in->peer is the slot, which is ours, and the name is reserved */

static ngx_int_t
ngx_http_webrtc_ingest_slot(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in, ngx_str_t *name)
{
    ngx_int_t            rc;
    ngx_webrtc_bus_t    *bus;
    ngx_webrtc_peer_t   *peer;

    bus = ngx_http_webrtc_worker->bus;

    peer = ngx_pcalloc(r->pool, sizeof(ngx_webrtc_peer_t));
    if (peer == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_webrtc_ingest_create_slot(r, in, name, peer);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_webrtc_ingest_reserve(r, in, name, peer->ref);

    if (rc == NGX_OK) {
        ngx_http_webrtc_note_peer(r, peer);

        in->peer = ngx_webrtc_peers_claim(bus, peer->ref);

        if (in->peer) {
            return NGX_OK;
        }

        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_webrtc_peers_close(bus, peer->ref);

    return rc;
}


static ngx_int_t
ngx_http_webrtc_ingest_create_slot(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in, ngx_str_t *name, ngx_webrtc_peer_t *peer)
{
    u_char                       *hex;
    ngx_table_elt_t              *agent;
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_peer_about_t       about;
    ngx_http_webrtc_loc_conf_t   *wlcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);

    hex = ngx_http_webrtc_random_hex(r, NGX_WEBRTC_PEER_ID_LEN
                                        + NGX_WEBRTC_PEER_ETAG_LEN
                                        + NGX_HTTP_WEBRTC_INGEST_UFRAG);
    if (hex == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(peer->id, hex, NGX_WEBRTC_PEER_ID_LEN);
    hex += NGX_WEBRTC_PEER_ID_LEN;
    ngx_memcpy(peer->etag, hex, NGX_WEBRTC_PEER_ETAG_LEN);
    hex += NGX_WEBRTC_PEER_ETAG_LEN;

    peer->desc.local_ufrag_len = ngx_min(NGX_HTTP_WEBRTC_INGEST_UFRAG,
                                         NGX_WEBRTC_DESC_LOCAL_UFRAG);
    ngx_memcpy(peer->desc.local_ufrag, hex, peer->desc.local_ufrag_len);

    peer->role = NGX_WEBRTC_PEER_PUBLISH;
    peer->protocol = (uint8_t) in->protocol;
    peer->name_len = (uint8_t) name->len;
    ngx_memcpy(peer->name, name->data, name->len);
    peer->stream = in->st->ref;
    peer->policy = wlcf->policy;
    peer->created_ms = ngx_current_msec;
    peer->expires_ms = ngx_current_msec + wlcf->policy.handshake_timeout;
    peer->max_sessions = (uint32_t) wmcf->max_sessions;
    peer->location = wlcf->location;

    ngx_http_webrtc_full_client(r, &peer->client);

    ngx_memzero(&about, sizeof(ngx_webrtc_peer_about_t));

    ngx_webrtc_bus_public(peer->id, about.public);
    ngx_memcpy(in->public, about.public, NGX_WEBRTC_PUBLIC_LEN);
    about.notify_ms = (uint32_t) wlcf->notify;
    about.token_expires = ngx_http_webrtc_jwt_expires(r);

    agent = r->headers_in.user_agent;

    if (agent) {
        about.agent_len = (uint8_t) ngx_min(agent->value.len,
                                            NGX_WEBRTC_ABOUT_AGENT);
        ngx_memcpy(about.agent, agent->value.data, about.agent_len);
    }

    peer->about = &about;

    if (ngx_webrtc_peers_create(bus, peer) != NGX_OK) {
        return ngx_http_webrtc_full(r, bus->lack, name);
    }

    ngx_webrtc_session_stat_answered(ngx_http_webrtc_worker,
                                     NGX_WEBRTC_PEER_PUBLISH);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_ingest_reserve(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in, ngx_str_t *name, uint64_t ref)
{
    ngx_int_t                    rc;
    ngx_webrtc_bus_t            *bus;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    rc = ngx_http_webrtc_push_attach(r, ref);

    if (rc == NGX_DECLINED) {
        return ngx_http_webrtc_full(r, bus->lack, NULL);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_webrtc_bus_reserve(bus, in->st, ref,
                               wlcf->publish_conflict
                               == NGX_HTTP_WEBRTC_CONFLICT_REPLACE,
                               ngx_current_msec)
        != NGX_OK)
    {
        return ngx_http_webrtc_reason_taken(r, name, in->st);
    }

    ngx_webrtc_atomic_store(&in->st->location, wlcf->location);

    return NGX_OK;
}


/* the slot is ours: the request waits, and from now on over() ends it */

static void
ngx_http_webrtc_ingest_wait(ngx_http_request_t *r,
    ngx_http_webrtc_ingest_t *in)
{
    ngx_webrtc_bus_t  *bus;

    bus = ngx_http_webrtc_worker->bus;

    in->own_log = *ngx_http_webrtc_worker->log;
    in->own_log.handler = ngx_http_webrtc_ingest_log;
    in->own_log.data = in;
    in->own_log.action = NULL;

    in->timer.handler = ngx_http_webrtc_ingest_timer;
    in->timer.data = in;
    in->timer.log = &in->own_log;

    if (ngx_webrtc_peers_lock(bus, in->peer->ref)) {
        in->peer->addrs[0].addr = in->from;
        in->peer->current = 0;
        ngx_webrtc_peers_unlock(bus);
    }

    ngx_http_webrtc_worker->told.roles[NGX_WEBRTC_PEER_PUBLISH]++;
    ngx_http_webrtc_worker->nsessions++;

    ngx_queue_insert_tail(&ngx_http_webrtc_ingests, &in->queue);

    in->request = r;
    r->main->count++;
    r->read_event_handler = ngx_http_block_reading;

    /* not from within the request's phase */

    ngx_add_timer(&in->timer, 1);
}


/* nginx ends it: the worker's time to shut down has passed */

static void
ngx_http_webrtc_ingest_request_gone(void *data)
{
    ngx_http_webrtc_ingest_t *in = data;

    if (in->request) {
        in->request = NULL;
        ngx_http_webrtc_ingest_stop(in, "worker shutdown timeout");
    }
}


static u_char *
ngx_http_webrtc_ingest_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                    *p;
    ngx_http_webrtc_ingest_t  *in;

    in = log->data;

    p = ngx_snprintf(buf, len, ", session:%*s, stream:\"%*s\"",
                     (size_t) NGX_WEBRTC_PUBLIC_LEN, in->public,
                     in->st ? (size_t) in->st->name_len : 0,
                     in->st ? in->st->name : (u_char *) "");
    len -= p - buf;
    buf = p;

    if (in->from.len && len > sizeof(", peer:") + NGX_SOCKADDR_STRLEN) {
        p = ngx_cpymem(p, ", peer:", sizeof(", peer:") - 1);
        p += ngx_sock_ntop(&in->from.u.sa, in->from.len, p,
                           NGX_SOCKADDR_STRLEN, 1);
    }

    return p;
}


static void
ngx_http_webrtc_ingest_timer(ngx_event_t *ev)
{
    ngx_http_webrtc_ingest_t  *in;

    in = ev->data;

    if (in->ending) {
        ngx_http_webrtc_ingest_over(in);

    } else if (!in->claimed) {
        ngx_http_webrtc_ingest_claim(in);

    } else {
        ngx_http_webrtc_ingest_second(in);
    }
}


/* as a publisher of WHIP that is up */

static void
ngx_http_webrtc_ingest_claim(ngx_http_webrtc_ingest_t *in)
{
    uint64_t                 holder;
    ngx_int_t                rc;
    ngx_webrtc_bus_t        *bus;
    ngx_webrtc_peer_info_t   info;

    bus = ngx_http_webrtc_worker->bus;

    rc = ngx_webrtc_bus_publish(bus, in->st, in->peer->ref, &holder);

    if (rc == NGX_OK) {
        in->claimed = 1;
        ngx_http_webrtc_ingest_begin(in);
        return;
    }

    if (rc == NGX_DECLINED || ++in->tries > NGX_HTTP_WEBRTC_INGEST_RETRIES) {
        ngx_http_webrtc_ingest_stop(in, "the stream is published by another");
        return;
    }

    if (holder
        && ngx_webrtc_peers_find_ref(bus, holder, NULL, &info) == NGX_OK)
    {
        ngx_webrtc_worker_tell_close(ngx_http_webrtc_worker, &info,
                                     NGX_WEBRTC_WHY_REPLACED);
    }

    ngx_add_timer(&in->timer, NGX_HTTP_WEBRTC_INGEST_RETRY);
}


/* the stream is ours */

static void
ngx_http_webrtc_ingest_begin(ngx_http_webrtc_ingest_t *in)
{
    uint64_t               ms;
    ngx_webrtc_peer_t     *peer;
    ngx_webrtc_figures_t  *f;

    peer = in->peer;

    if (ngx_http_webrtc_ingest_start(in) != NGX_OK) {
        ngx_http_webrtc_ingest_stop(in, "its source cannot be started");
        return;
    }

    ngx_webrtc_atomic_store(&in->st->protocol,
                            (uint32_t) in->protocol);
    ngx_webrtc_atomic_store(&in->st->linger_ms,
                            (uint64_t) peer->policy.linger);

    ngx_webrtc_peers_up(ngx_http_webrtc_worker->bus, peer);
    ngx_webrtc_atomic_store(&peer->progress, (uint32_t) NGX_WEBRTC_PEER_UP);

    ms = (uint64_t) ngx_current_msec - peer->created_ms;
    peer->about->up_ms = (uint32_t) ngx_max(ms, 1);

    f = &ngx_http_webrtc_worker->figures;
    f->roles[NGX_WEBRTC_PEER_PUBLISH][NGX_WEBRTC_FIGURE_CONNECTED]++;

    in->up = 1;
    in->notified = ngx_current_msec;
    ngx_add_timer(&in->timer, NGX_HTTP_WEBRTC_INGEST_SECOND);

    ngx_log_error(NGX_LOG_NOTICE, &in->own_log, 0,
                  "webrtc publisher up protocol:%s",
                  ngx_http_webrtc_ingest_protocol(in->protocol));

    in->ops->accepted(in->data);
}


static ngx_int_t
ngx_http_webrtc_ingest_start(ngx_http_webrtc_ingest_t *in)
{
    ngx_socket_t               fd;
    ngx_webrtc_source_conf_t   conf;

    fd = ngx_http_webrtc_ingest_open_out(in);

    if (fd == (ngx_socket_t) -1) {
        return NGX_ERROR;
    }

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_conf_t));

    ngx_str_set(&conf.from[0].url, NGX_WEBRTC_SOURCE_URL_IS_GIVEN);
    conf.from[0].format.data = (u_char *) in->format;
    conf.from[0].format.len = ngx_strlen(in->format);
    conf.nfrom = 1;
    conf.given = fd;
    conf.transcode = (in->peer->policy.transcode != NGX_WEBRTC_TRANSCODE_OFF);
    conf.read_timeout = in->peer->policy.timeout;
    conf.connect_timeout = in->peer->policy.timeout;
    conf.handler = ngx_http_webrtc_ingest_event;
    conf.data = in;

    in->source = ngx_webrtc_source_start(&conf, ngx_http_webrtc_worker->bus,
                                         in->st, ngx_http_webrtc_worker->log);

    (void) ngx_close_socket(fd);

    if (in->source == NULL) {
        ngx_http_webrtc_ingest_close_out(in);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_webrtc_ingest_event(ngx_webrtc_source_t *source, void *data,
    ngx_uint_t event)
{
    ngx_http_webrtc_ingest_t *in = data;

    uint64_t  ms;

    switch (event) {

    case NGX_WEBRTC_SOURCE_UP:

        if (in->peer->stat.first_frame_ms == 0) {
            ms = (uint64_t) ngx_current_msec - in->peer->created_ms;
            in->peer->stat.first_frame_ms = ngx_max(ms, 1);
        }

        break;

    case NGX_WEBRTC_SOURCE_ENDED:

        in->source = NULL;

        ngx_http_webrtc_ingest_stop(in, NGX_HTTP_WEBRTC_INGEST_UNPLAYABLE);
        ngx_http_webrtc_ingest_over(in);
        break;
    }
}


void
ngx_http_webrtc_ingest_received(ngx_http_webrtc_ingest_t *in, size_t n)
{
    if (in->peer) {
        in->peer->stat.bytes_in += n;
    }
}


/* what the session of a publisher of WHIP does once a second */

static void
ngx_http_webrtc_ingest_second(ngx_http_webrtc_ingest_t *in)
{
    ngx_webrtc_figures_t         *f;
    ngx_webrtc_peer_about_t      *about;
    ngx_http_webrtc_main_conf_t  *wmcf;

    about = in->peer->about;
    f = &ngx_http_webrtc_worker->figures;
    wmcf = ngx_http_webrtc_worker->conf.ctx;

    ngx_add_timer(&in->timer, NGX_HTTP_WEBRTC_INGEST_SECOND);

    ngx_webrtc_rate_add(&in->rate, in->peer->stat.bytes_in, ngx_current_msec);
    about->bitrate_in = (uint32_t) ngx_webrtc_rate_second(&in->rate, 8);

    ngx_webrtc_figures_count(f, NGX_WEBRTC_PEER_PUBLISH, &in->peer->stat,
                             &in->counted);

    if (about->token_expires && ngx_time() >= (time_t) about->token_expires) {
        ngx_http_webrtc_ingest_stop(in,
                               ngx_webrtc_session_why(NGX_WEBRTC_WHY_TOKEN));
        return;
    }

    if (ngx_webrtc_bus_is_dropped(in->st)) {
        ngx_http_webrtc_ingest_stop(in, "no media so far, and no room in "
                                        "webrtc_zone");
        return;
    }

    if (about->notify_ms
        && ngx_current_msec - in->notified >= about->notify_ms)
    {
        in->notified = ngx_current_msec;
        ngx_http_webrtc_ended_notify(wmcf, in->peer, ngx_cycle->log);
    }
}


void
ngx_http_webrtc_ingest_end(ngx_http_webrtc_ingest_t *in, const char *why)
{
    in->data = NULL;

    if (in->peer) {
        ngx_http_webrtc_ingest_stop(in, why);
        return;
    }

    /* a request that is under way sees its client go */

    ngx_http_webrtc_ingest_quiet(in);
    ngx_http_webrtc_ingest_free(in);
}


void
ngx_http_webrtc_ingest_tell(uint64_t ref, ngx_uint_t why)
{
    ngx_queue_t               *q;
    ngx_http_webrtc_ingest_t  *in;

    for (q = ngx_queue_head(&ngx_http_webrtc_ingests);
         q != ngx_queue_sentinel(&ngx_http_webrtc_ingests);
         q = ngx_queue_next(q))
    {
        in = ngx_queue_data(q, ngx_http_webrtc_ingest_t, queue);

        if (in->peer->ref == ref) {
            ngx_http_webrtc_ingest_stop(in, ngx_webrtc_session_why(why));
            return;
        }
    }
}


ngx_uint_t
ngx_http_webrtc_ingest_any(void)
{
    return !ngx_queue_empty(&ngx_http_webrtc_ingests);
}


/* somebody has deleted the slot, and told us or not */

void
ngx_http_webrtc_ingest_tick(void)
{
    ngx_queue_t               *q;
    ngx_http_webrtc_ingest_t  *in;

    for (q = ngx_queue_head(&ngx_http_webrtc_ingests);
         q != ngx_queue_sentinel(&ngx_http_webrtc_ingests);
         q = ngx_queue_next(q))
    {
        in = ngx_queue_data(q, ngx_http_webrtc_ingest_t, queue);

        if (in->peer->closing && !in->ending) {
            ngx_http_webrtc_ingest_stop(in,
                                     ngx_webrtc_session_why(in->peer->why));
        }
    }
}


/* the name is free from now on; over() follows, not from within */

static void
ngx_http_webrtc_ingest_stop(ngx_http_webrtc_ingest_t *in, const char *why)
{
    ngx_uint_t  worker;

    if (in->ending) {
        return;
    }

    in->ending = 1;
    in->why = why;

    (void) ngx_webrtc_peers_delete(ngx_http_webrtc_worker->bus, in->peer->ref,
                                   NGX_WEBRTC_WHY_UNKNOWN, &worker);

    ngx_http_webrtc_ingest_close_out(in);

    if (in->source) {
        ngx_webrtc_source_stop(in->source);
    }

    if (in->timer.timer_set) {
        ngx_del_timer(&in->timer);
    }

    if (in->source == NULL) {
        ngx_add_timer(&in->timer, 1);
    }
}


/* nothing writes into the stream any more */

static void
ngx_http_webrtc_ingest_over(ngx_http_webrtc_ingest_t *in)
{
    void                         *data;
    ngx_str_t                     reason;
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_peer_t            *peer;
    ngx_webrtc_figures_t         *f;
    ngx_http_webrtc_main_conf_t  *wmcf;

    if (in->source) {
        return;
    }

    if (in->timer.timer_set) {
        ngx_del_timer(&in->timer);
    }

    bus = ngx_http_webrtc_worker->bus;
    wmcf = ngx_http_webrtc_worker->conf.ctx;
    peer = in->peer;

    ngx_queue_remove(&in->queue);

    f = &ngx_http_webrtc_worker->figures;
    ngx_webrtc_figures_count(f, NGX_WEBRTC_PEER_PUBLISH, &peer->stat,
                             &in->counted);
    f->roles[NGX_WEBRTC_PEER_PUBLISH][NGX_WEBRTC_FIGURE_ENDED]++;
    ngx_http_webrtc_worker->told.roles[NGX_WEBRTC_PEER_PUBLISH]--;
    ngx_http_webrtc_worker->nsessions--;

    if (in->claimed) {
        ngx_webrtc_bus_unpublish(bus, in->st, peer->ref);
        ngx_http_webrtc_ingest_log_end(in);
    }

    ngx_http_webrtc_ended_session(wmcf, peer, peer->about, in->why,
                                  ngx_cycle->log);

    ngx_http_webrtc_ingest_answer(in);

    (void) ngx_webrtc_peers_close(bus, peer->ref);
    ngx_webrtc_bus_release(bus, in->st);

    in->peer = NULL;
    in->st = NULL;

    data = in->data;

    if (data && !in->told) {
        in->told = 1;

        reason.data = (u_char *) in->why;
        reason.len = ngx_strlen(in->why);

        if (in->claimed) {
            in->ops->ended(data, &reason);

        } else {
            in->status = NGX_HTTP_CONFLICT;
            in->ops->refused(data, &reason);
        }

        return;
    }

    ngx_http_webrtc_ingest_free(in);
}


/* the request's line in the log has the time and the bytes of all */

static void
ngx_http_webrtc_ingest_answer(ngx_http_webrtc_ingest_t *in)
{
    ngx_int_t            rc;
    ngx_str_t            body, name;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = in->request;

    if (r == NULL) {
        return;
    }

    in->request = NULL;
    c = r->connection;

    r->request_length += in->peer->stat.bytes_in;

    if (in->up) {
        ngx_str_null(&body);
        rc = ngx_http_webrtc_answer(r, NGX_HTTP_OK, NULL, &body);

    } else if (in->claimed) {
        rc = ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     "the source cannot be started", NULL);

    } else if (in->data) {
        name.data = in->st->name;
        name.len = in->st->name_len;
        rc = ngx_http_webrtc_reason_taken(r, &name, in->st);

    } else {
        rc = NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);

    ngx_http_webrtc_ingest_quiet(in);
}


/* a requested end is not worth the operator's attention, any other is */

static void
ngx_http_webrtc_ingest_log_end(ngx_http_webrtc_ingest_t *in)
{
    const char  **asked;

    static const char  *ends[] = {
        "closed by peer", "deleted", "replaced", "worker exits",
        "worker shutdown timeout", "ended by the operator",
        "refused by a hook", NGX_HTTP_WEBRTC_INGEST_UNPLAYABLE, NULL
    };

    for (asked = ends; *asked; asked++) {
        if (ngx_strcmp(in->why, *asked) == 0) {
            ngx_log_error(NGX_LOG_NOTICE, &in->own_log, 0,
                          "webrtc publisher down reason:\"%s\"", in->why);
            return;
        }
    }

    ngx_webrtc_bus_complain(ngx_http_webrtc_worker->bus, in->st, NGX_LOG_WARN,
                            &in->own_log, "publisher down", "%s", in->why);
}


void
ngx_http_webrtc_ingest_exit(void)
{
    ngx_queue_t               *q, *next;
    ngx_http_webrtc_ingest_t  *in;

    for (q = ngx_queue_head(&ngx_http_webrtc_ingests);
         q != ngx_queue_sentinel(&ngx_http_webrtc_ingests);
         q = next)
    {
        next = ngx_queue_next(q);
        in = ngx_queue_data(q, ngx_http_webrtc_ingest_t, queue);

        ngx_http_webrtc_ingest_stop(in, "worker exits");

        if (in->source == NULL) {
            ngx_http_webrtc_ingest_over(in);
        }
    }
}
