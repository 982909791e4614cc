
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Server-sent events of WHEP sessions, served by whichever worker gets the
 * client's request; and of WHIP sessions, which of their layers are watched.
 *
 * Events are computed from the difference between what the client knows and the
 * current state, at the moment they can be sent.  There is no queue: a client
 * that does not read misses only what is no longer true.  Polled four times a
 * second is whether the stream is active (a word); once a second, the number of
 * viewers (a word per worker) and whether the session still exists (a word, no
 * lock).  Streams are not watched, since that would wake this worker for each
 * frame of a stream that may have no viewers here.
 *
 * Event streams created by POST are recorded in the session's slot.
 */


#include "ngx_http_webrtc_events.h"
#include "ngx_http_webrtc_cors.h"
#include "ngx_http_webrtc_layers.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_sse.h"
#include "ngx_http_webrtc_url.h"
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_signal_wanted.h"
#include "ngx_webrtc_sse.h"


/* ms between two polls of viewers and session, hence the shortest interval
 * between two viewer counts sent to a client */
#define NGX_HTTP_WEBRTC_EVENTS_SLOW       1000

/* event streams of one session in one worker; chosen, see
 * NGX_WEBRTC_PEER_EVENTS */
#define NGX_HTTP_WEBRTC_EVENTS_CLIENTS    8

/* bytes of a POST body; chosen: all event names take 60 */
#define NGX_HTTP_WEBRTC_EVENTS_BODY       4096


/* one event stream */
typedef struct {
    ngx_webrtc_stream_t      *st;         /* held; NULL: gone */
    ngx_msec_t                looked;     /* time of the last slow poll */
    uint64_t                  news;       /* of the slot, last seen */
    uint32_t                  name;       /* as created, 0: none */
    uint32_t                  mask;
    ngx_webrtc_sse_state_t    known;
    ngx_str_t                 endpoint;   /* its URL */
    uint32_t                  layers;     /* a hash of what was told last, 0:
                                             nothing */
    ngx_webrtc_signal_wanted_t
                              wanted;     /* of a publisher's layers */
    u_char                    mid[NGX_WEBRTC_DESC_MID];
    uint8_t                   mid_len;
    uint8_t                   publishes;  /* it is a WHIP session */
    uint8_t                   reconnected;    /* the peer's count */
    unsigned                  reconnect:1;    /* to be sent */
} ngx_http_webrtc_events_t;


static ngx_int_t ngx_http_webrtc_events_order(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_events_cancel(ngx_http_request_t *r,
    uint64_t ref, uint32_t name);
static ngx_int_t ngx_http_webrtc_events_find(ngx_webrtc_peer_t *peer,
    ngx_str_t *text, uint32_t *name, uint32_t *mask);
static ngx_int_t ngx_http_webrtc_events_open(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, uint32_t name, uint32_t mask);
static ngx_int_t ngx_http_webrtc_events_too_many(ngx_http_request_t *r);
static void ngx_http_webrtc_events_closed(ngx_http_webrtc_sse_t *sse);
static ngx_int_t ngx_http_webrtc_events_news(ngx_http_webrtc_sse_t *sse);
static ngx_uint_t ngx_http_webrtc_events_over(ngx_http_webrtc_events_t *ec,
    uint64_t ref);
static ngx_int_t ngx_http_webrtc_events_states(ngx_http_webrtc_sse_t *sse,
    ngx_int_t viewers);
static ngx_int_t ngx_http_webrtc_events_layers(ngx_http_webrtc_sse_t *sse);
static void ngx_http_webrtc_events_publisher(ngx_http_webrtc_events_t *ec,
    ngx_webrtc_peer_t *peer);
static ngx_int_t ngx_http_webrtc_events_wanted(ngx_http_webrtc_sse_t *sse);
static ngx_uint_t ngx_http_webrtc_events_watched(ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_layer_t *layer);
static ngx_int_t ngx_http_webrtc_events_reconnect(ngx_http_webrtc_sse_t *sse);
static ngx_int_t ngx_http_webrtc_events_print(ngx_http_webrtc_sse_t *sse,
    ngx_uint_t event, ngx_str_t *data);


static const ngx_http_webrtc_sse_kind_t  ngx_http_webrtc_events_kind = {
    ngx_http_webrtc_events_news,
    ngx_http_webrtc_events_closed
};


ngx_int_t
ngx_http_webrtc_events_handler(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info, ngx_str_t *text)
{
    uint32_t   name, mask;
    ngx_int_t  rc;

    if (r->method == NGX_HTTP_POST && text->len == 0) {

        /* an empty body, which selects all events, needs no type */

        if (r->headers_in.content_type == NULL
            || ngx_http_webrtc_is_type(r, &ngx_http_webrtc_json_type))
        {
            return ngx_http_webrtc_read_body(r, NGX_HTTP_WEBRTC_EVENTS_BODY,
                                             ngx_http_webrtc_events_order);
        }
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_webrtc_events_find(peer, text, &name, &mask) != NGX_OK) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND,
                                       "no such event stream", text);
    }

    switch (r->method) {

    case NGX_HTTP_OPTIONS:
        return ngx_http_webrtc_cors_options(r);

    case NGX_HTTP_GET:
    case NGX_HTTP_HEAD:
        return ngx_http_webrtc_events_open(r, peer, name, mask);

    case NGX_HTTP_DELETE:

        if (name) {
            return ngx_http_webrtc_events_cancel(r, info->ref, name);
        }

        break;

    case NGX_HTTP_POST:

        if (name == 0) {
            return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                           "expected application/json", NULL);
        }

        break;
    }

    return ngx_http_webrtc_not_allowed(r, ngx_http_webrtc_methods(r));
}


ngx_int_t
ngx_http_webrtc_events_link(ngx_http_request_t *r, u_char *id)
{
    static ngx_str_t  rel = ngx_string(">; rel=\"urn:ietf:params:whep:ext:core"
                                       ":server-sent-events\"; events=\""
                                       NGX_WEBRTC_SSE_NAMES "\"");

    return ngx_http_webrtc_session_link(r, id, "&events", &rel);
}


static ngx_int_t
ngx_http_webrtc_events_order(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char                  *more;
    uint32_t                 name;
    ngx_str_t                id, url, detail;
    ngx_uint_t               i, mask;
    const char              *cause;
    ngx_webrtc_bus_t        *bus;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_info_t   info;

    if (body->len && r->headers_in.content_type == NULL) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                       "expected application/json", NULL);
    }

    ngx_str_null(&id);
    (void) ngx_http_webrtc_arg(r, "session", &id);

    if (ngx_webrtc_sse_parse_order(body->data, body->data + body->len, &mask,
                                   &cause)
        != NGX_OK)
    {
        detail.data = (u_char *) cause;
        detail.len = ngx_strlen(cause);

        return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                       "no such events", &detail);
    }

    more = ngx_pnalloc(r->pool, sizeof("&events=01234567"));

    if (more == NULL
        || ngx_http_webrtc_random((u_char *) &name, sizeof(name)) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    name |= 1;

    *ngx_sprintf(more, "&events=%08xD", name) = '\0';

    if (ngx_http_webrtc_worker == NULL
        || ngx_webrtc_peers_find_id(ngx_http_webrtc_worker->bus, &id, NULL,
                                    &info)
           != NGX_OK)
    {
        return ngx_http_webrtc_no_session(r, &id);
    }

    bus = ngx_http_webrtc_worker->bus;

    peer = ngx_webrtc_peers_lock(bus, info.ref);
    if (peer == NULL) {
        return ngx_http_webrtc_no_session(r, &id);
    }

    for (i = 0; i < NGX_WEBRTC_PEER_EVENTS; i++) {
        if (peer->events[i].id == 0) {
            peer->events[i].mask = (uint32_t) mask;
            peer->events[i].id = name;
            break;
        }
    }

    ngx_webrtc_peers_unlock(bus);

    if (i == NGX_WEBRTC_PEER_EVENTS) {
        return ngx_http_webrtc_events_too_many(r);
    }

    if (ngx_http_webrtc_url_session(r, id.data, (char *) more, &url) != NGX_OK
        || ngx_http_webrtc_header(r, "Location", &url) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&detail);

    return ngx_http_webrtc_answer(r, NGX_HTTP_CREATED, NULL, &detail);
}


static ngx_int_t
ngx_http_webrtc_events_cancel(ngx_http_request_t *r, uint64_t ref,
    uint32_t name)
{
    ngx_str_t           empty;
    ngx_uint_t          i;
    ngx_webrtc_bus_t   *bus;
    ngx_webrtc_peer_t  *peer;

    bus = ngx_http_webrtc_worker->bus;

    peer = ngx_webrtc_peers_lock(bus, ref);

    if (peer) {
        for (i = 0; i < NGX_WEBRTC_PEER_EVENTS; i++) {
            if (peer->events[i].id == name) {
                peer->events[i].id = 0;
            }
        }

        ngx_webrtc_peers_unlock(bus);

        ngx_webrtc_peers_touch(bus, ref);
    }

    ngx_str_null(&empty);

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, NULL, &empty);
}


/*
 * Finds an event stream by its name.
 *
 *   text   as in the URL; empty: the one with all events, whose name is 0
 *
 * NGX_OK, NGX_DECLINED
 */

static ngx_int_t
ngx_http_webrtc_events_find(ngx_webrtc_peer_t *peer, ngx_str_t *text,
    uint32_t *name, uint32_t *mask)
{
    uint32_t    n;
    ngx_uint_t  i;

    if (text->len == 0) {
        *name = 0;
        *mask = NGX_WEBRTC_SSE_ALL;
        return NGX_OK;
    }

    if (ngx_webrtc_sse_parse_name(text->data, text->data + text->len, &n)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < NGX_WEBRTC_PEER_EVENTS; i++) {
        if (peer->events[i].id == n) {
            *name = peer->events[i].id;
            *mask = peer->events[i].mask;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_webrtc_events_open(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    uint32_t name, uint32_t mask)
{
    ngx_str_t                 *id;
    ngx_uint_t                 n;
    ngx_http_webrtc_sse_t     *sse;
    ngx_http_webrtc_events_t  *ec;

    (void) ngx_http_webrtc_sse_find(&ngx_http_webrtc_events_kind, peer->ref,
                                    &n);

    if (n >= NGX_HTTP_WEBRTC_EVENTS_CLIENTS && r->method != NGX_HTTP_HEAD) {
        return ngx_http_webrtc_events_too_many(r);
    }

    sse = ngx_http_webrtc_sse_create(r, &ngx_http_webrtc_events_kind,
                                     peer->ref,
                                     sizeof(ngx_http_webrtc_events_t));
    if (sse == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ec = sse->data;

    ec->name = name;
    ec->mask = mask;
    ec->st = ngx_webrtc_bus_stream_ref(ngx_http_webrtc_worker->bus,
                                       peer->stream);
    ec->looked = ngx_current_msec - NGX_HTTP_WEBRTC_EVENTS_SLOW;

    ngx_http_webrtc_events_publisher(ec, peer);

    /* the slot was copied earlier: look at it again on the first poll */

    ec->news = (uint64_t) -1;

    if (ngx_http_webrtc_url_endpoint(r, &ec->endpoint) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    id = ngx_http_webrtc_request_header(r, "last-event-id");

    if (id) {
        (void) ngx_webrtc_sse_parse_id(id->data, id->data + id->len,
                                       &ec->known);
    }

    return ngx_http_webrtc_sse_start(sse);
}


static ngx_int_t
ngx_http_webrtc_events_too_many(ngx_http_request_t *r)
{
    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "too many event streams of a session",
                                   NULL);
}


static void
ngx_http_webrtc_events_closed(ngx_http_webrtc_sse_t *sse)
{
    ngx_http_webrtc_events_t  *ec;

    ec = sse->data;

    if (ec->st && ngx_http_webrtc_worker) {
        ngx_webrtc_bus_release(ngx_http_webrtc_worker->bus, ec->st);
    }
}


static ngx_int_t
ngx_http_webrtc_events_news(ngx_http_webrtc_sse_t *sse)
{
    ngx_int_t                  viewers;
    ngx_http_webrtc_events_t  *ec;

    ec = sse->data;
    viewers = -1;

    if (ngx_current_msec - ec->looked >= NGX_HTTP_WEBRTC_EVENTS_SLOW) {

        if (ngx_http_webrtc_events_over(ec, sse->key)) {
            return NGX_DONE;
        }

        ec->looked = ngx_current_msec;

        if (ec->st && (ec->mask & NGX_WEBRTC_SSE_VIEWERCOUNT)) {
            viewers = (ngx_int_t)
                      ngx_webrtc_bus_viewers(ngx_http_webrtc_worker->bus,
                                             ec->st);
        }

        if ((ec->publishes ? ngx_http_webrtc_events_wanted(sse)
                           : ngx_http_webrtc_events_layers(sse))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ec->reconnect
        && ngx_http_webrtc_events_reconnect(sse) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_webrtc_events_states(sse, viewers);
}


/* whether the session or the event stream is gone */

static ngx_uint_t
ngx_http_webrtc_events_over(ngx_http_webrtc_events_t *ec, uint64_t ref)
{
    uint64_t            news;
    ngx_uint_t          i, over;
    ngx_webrtc_bus_t   *bus;
    ngx_webrtc_peer_t  *peer;

    bus = ngx_http_webrtc_worker->bus;

    if (ngx_webrtc_peers_news(bus, ref, &news) != NGX_OK) {
        return 1;
    }

    if (news == ec->news) {
        return 0;
    }

    ec->news = news;

    peer = ngx_webrtc_peers_lock(bus, ref);
    if (peer == NULL) {
        return 1;
    }

    over = peer->closing;

    if (ec->name) {
        for (i = 0; i < NGX_WEBRTC_PEER_EVENTS; i++) {
            if (peer->events[i].id == ec->name) {
                break;
            }
        }

        over |= (i == NGX_WEBRTC_PEER_EVENTS);
    }

    if (peer->reconnect != ec->reconnected) {
        ec->reconnected = peer->reconnect;
        ec->reconnect = 1;
    }

    ngx_webrtc_peers_unlock(bus);

    return over;
}


/* viewers: -1 if not to be sent now */

static ngx_int_t
ngx_http_webrtc_events_states(ngx_http_webrtc_sse_t *sse, ngx_int_t viewers)
{
    ngx_str_t                  data;
    ngx_uint_t                 event, live;
    ngx_http_webrtc_events_t  *ec;
    u_char                     buf[sizeof("{\"viewercount\":}")
                                   + NGX_INT_T_LEN];

    ec = sse->data;

    live = (ec->st
            && ngx_webrtc_bus_state(ec->st) == NGX_WEBRTC_STREAM_ACTIVE);

    for ( ;; ) {
        event = ngx_webrtc_sse_next(&ec->known, live, viewers);
        if (event == 0) {
            return NGX_OK;
        }

        if (!(ec->mask & event)) {
            continue;
        }

        data.data = buf;
        data.len = (event == NGX_WEBRTC_SSE_VIEWERCOUNT)
                   ? ngx_sprintf(buf, "{\"viewercount\":%i}", viewers) - buf
                   : ngx_sprintf(buf, "{}") - buf;

        if (ngx_http_webrtc_events_print(sse, event, &data) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


/* when there are others, or the viewer gets another one; not for bitrates */

static ngx_int_t
ngx_http_webrtc_events_layers(ngx_http_webrtc_sse_t *sse)
{
    u_char                      *p;
    uint32_t                     hash;
    ngx_str_t                    data;
    ngx_uint_t                   i;
    ngx_webrtc_peer_t            peer;
    ngx_http_webrtc_events_t    *ec;
    ngx_webrtc_signal_layers_t   l, same;
    u_char                       buf[NGX_WEBRTC_SIGNAL_LAYERS_ROOM];

    ec = sse->data;

    if (!(ec->mask & NGX_WEBRTC_SSE_LAYERS) || ec->st == NULL
        || ngx_http_webrtc_layers(sse->key, ec->st, &l, &peer) != NGX_OK)
    {
        return NGX_OK;
    }

    same = l;

    for (i = 0; i < same.n; i++) {
        same.layers[i].bitrate = 0;
    }

    p = ngx_webrtc_signal_print_layers(buf, buf + sizeof(buf), &same);

    if (p == NULL) {
        return NGX_OK;
    }

    hash = ngx_crc32_long(buf, p - buf) | 1;

    if (hash == ec->layers) {
        return NGX_OK;
    }

    ec->layers = hash;

    data.data = buf;
    p = ngx_webrtc_signal_print_layers(buf, buf + sizeof(buf), &l);

    if (p == NULL) {
        return NGX_OK;
    }

    data.len = p - buf;

    return ngx_http_webrtc_events_print(sse, NGX_WEBRTC_SSE_LAYERS, &data);
}


/* of a WHIP session: the m-line that has layers, if any */

static void
ngx_http_webrtc_events_publisher(ngx_http_webrtc_events_t *ec,
    ngx_webrtc_peer_t *peer)
{
    ngx_str_t                 rid;
    ngx_uint_t                i;
    ngx_webrtc_desc_media_t  *m;

    ec->publishes = (peer->role == NGX_WEBRTC_PEER_PUBLISH);

    for (i = 0; ec->publishes && i < peer->desc.nmedia; i++) {
        m = &peer->desc.media[i];

        if (ngx_webrtc_desc_rid(m, 0, &rid) == NGX_OK) {
            ec->mid_len = m->mid_len;
            ngx_memcpy(ec->mid, m->mid, m->mid_len);
            return;
        }
    }
}


/* which of its layers a publisher should send, when that changes */

static ngx_int_t
ngx_http_webrtc_events_wanted(ngx_http_webrtc_sse_t *sse)
{
    u_char                       *p;
    uint32_t                      hash;
    ngx_str_t                     data, mid;
    ngx_uint_t                    i, wanted, climbs;
    ngx_http_webrtc_events_t     *ec;
    ngx_webrtc_stream_layers_t    list;
    ngx_webrtc_signal_watched_t   layers[NGX_WEBRTC_SIGNAL_WANTED];
    u_char                        buf[NGX_WEBRTC_SIGNAL_WANTED_ROOM];

    ec = sse->data;

    if (!(ec->mask & NGX_WEBRTC_SSE_LAYERS) || ec->st == NULL) {
        return NGX_OK;
    }

    (void) ngx_webrtc_bus_layers(ec->st, &list);

    if (list.n == 0 || list.layers[0].rid_len == 0) {
        return NGX_OK;
    }

    list.n = ngx_min(list.n, NGX_WEBRTC_SIGNAL_WANTED);

    climbs = ngx_webrtc_bus_climbs(ec->st, ngx_current_msec);

    for (i = 0; i < list.n; i++) {
        layers[i].rid.data = list.layers[i].rid;
        layers[i].rid.len = ngx_min(list.layers[i].rid_len,
                                    NGX_WEBRTC_STREAM_RID);
        layers[i].size = (uint32_t) list.layers[i].width
                         * list.layers[i].height;
        layers[i].limit = list.layers[i].limit;
        layers[i].watched = climbs
                            || ngx_http_webrtc_events_watched(ec->st,
                                                              &list.layers[i]);
    }

    wanted = ngx_webrtc_signal_wanted(&ec->wanted, layers, list.n,
                                      ngx_current_msec);

    mid.data = ec->mid;
    mid.len = ec->mid_len;

    p = ngx_webrtc_signal_print_wanted(buf, buf + sizeof(buf), &mid, layers,
                                       list.n, wanted);
    if (p == NULL) {
        return NGX_OK;
    }

    hash = ngx_crc32_long(buf, p - buf) | 1;

    if (hash == ec->layers) {
        return NGX_OK;
    }

    ec->layers = hash;

    data.data = buf;
    data.len = p - buf;

    return ngx_http_webrtc_events_print(sse, NGX_WEBRTC_SSE_LAYERS, &data);
}


/* by viewers, or as a rendition of HLS: some worker wakes up for it */

static ngx_uint_t
ngx_http_webrtc_events_watched(ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_layer_t *layer)
{
    ngx_uint_t            i, watched;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *one;

    bus = ngx_http_webrtc_worker->bus;
    watched = 0;

    if (layer->top) {
        for (i = 0; i < NGX_WEBRTC_WORKERS / 64; i++) {
            watched |= (ngx_webrtc_atomic_load(&st->watching[i]) != 0);
        }
    }

    one = layer->ref ? ngx_webrtc_bus_stream_ref(bus, layer->ref) : NULL;

    if (one) {
        for (i = 0; i < NGX_WEBRTC_WORKERS / 64; i++) {
            watched |= (ngx_webrtc_atomic_load(&one->watching[i]) != 0);
        }

        ngx_webrtc_bus_release(bus, one);
    }

    return watched;
}


/* to the same endpoint: another worker may be reached there */

static ngx_int_t
ngx_http_webrtc_events_reconnect(ngx_http_webrtc_sse_t *sse)
{
    u_char                    *p;
    ngx_str_t                  data;
    ngx_http_webrtc_events_t  *ec;

    ec = sse->data;
    ec->reconnect = 0;

    if (!(ec->mask & NGX_WEBRTC_SSE_RECONNECT)) {
        return NGX_OK;
    }

    p = ngx_pnalloc(sse->request->pool,
                    sizeof("{\"url\":\"\"}") + ec->endpoint.len
                    + ngx_escape_json(NULL, ec->endpoint.data,
                                      ec->endpoint.len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    data.data = p;

    p = ngx_cpymem(p, "{\"url\":\"", sizeof("{\"url\":\"") - 1);
    p = (u_char *) ngx_escape_json(p, ec->endpoint.data, ec->endpoint.len);
    p = ngx_cpymem(p, "\"}", 2);

    data.len = p - data.data;

    return ngx_http_webrtc_events_print(sse, NGX_WEBRTC_SSE_RECONNECT, &data);
}


static ngx_int_t
ngx_http_webrtc_events_print(ngx_http_webrtc_sse_t *sse, ngx_uint_t event,
    ngx_str_t *data)
{
    u_char                    *p;
    ngx_buf_t                 *b;
    ngx_http_webrtc_events_t  *ec;

    ec = sse->data;

    b = ngx_http_webrtc_sse_room(sse, NGX_WEBRTC_SSE_ROOM + data->len);
    if (b == NULL) {
        return NGX_ERROR;
    }

    p = ngx_webrtc_sse_print(b->last, b->end, event, &ec->known, data);
    if (p == NULL) {
        return NGX_ERROR;
    }

    b->last = p;

    return NGX_OK;
}
