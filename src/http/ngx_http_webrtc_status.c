
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_status": streams and counters as JSON.  Session ids are not shown, as
 * anyone who knows one can end the session.  With "control", a POST with
 * ?reconnect=<stream> tells the stream's viewers to reconnect.
 */


#include "ngx_http_webrtc_status.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_packet.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_session.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_public.h"
#include "ngx_webrtc_bus_unheard.h"
#include "ngx_webrtc_choice.h"
#include "ngx_webrtc_codecs.h"


/* bytes of a stream's entry without its name and tracks */
#define NGX_HTTP_WEBRTC_STATUS_STREAM  1376
#define NGX_HTTP_WEBRTC_STATUS_VARIANT  768
#define NGX_HTTP_WEBRTC_STATUS_TRACK   192
#define NGX_HTTP_WEBRTC_STATUS_HEAD    1024
#define NGX_HTTP_WEBRTC_STATUS_ERROR   128

/* bytes of a session's entry without the stream's name */
#define NGX_HTTP_WEBRTC_STATUS_PEER    128


static ngx_int_t ngx_http_webrtc_status_dispatch(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_status_show(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_status_control(ngx_http_request_t *r);
static ngx_chain_t *ngx_http_webrtc_status_head(ngx_http_request_t *r,
    off_t *size);
static ngx_chain_t **ngx_http_webrtc_status_peers(ngx_http_request_t *r,
    ngx_chain_t **ll, off_t *size);
static ngx_chain_t *ngx_http_webrtc_status_errors(ngx_http_request_t *r,
    off_t *size);
static ngx_array_t *ngx_http_webrtc_status_variants(ngx_http_request_t *r,
    ngx_webrtc_stream_info_t *info);
static ngx_chain_t *ngx_http_webrtc_status_stream(ngx_http_request_t *r,
    ngx_webrtc_stream_info_t *info, ngx_array_t *variants, ngx_uint_t first,
    off_t *size);
static const char *ngx_http_webrtc_status_from(ngx_uint_t kind);
static u_char *ngx_http_webrtc_status_variant(u_char *p, u_char *end,
    ngx_webrtc_stream_info_t *info);
static u_char *ngx_http_webrtc_status_track(u_char *p,
    ngx_webrtc_track_t *track);
static ngx_chain_t *ngx_http_webrtc_status_link(ngx_http_request_t *r,
    u_char *start, u_char *last, u_char *end, off_t *size);


static ngx_str_t  ngx_http_webrtc_status_methods = ngx_string("GET, HEAD");

static ngx_str_t  ngx_http_webrtc_status_control_methods =
    ngx_string("GET, HEAD, POST");

static const char  *ngx_http_webrtc_status_states[] = {
    "idle", "starting", "active", "inactive"
};

/* indexed by ngx_webrtc_drop_e */
static const char  *ngx_http_webrtc_status_drops[NGX_WEBRTC_DROPS] = {
    "unknown", "stun", "integrity", "dtls", "rtp", "rtcp", "other",
    "limit"
};


ngx_int_t
ngx_http_webrtc_status_handler(ngx_http_request_t *r)
{
    return ngx_http_webrtc_result(ngx_http_webrtc_status_dispatch(r));
}


static ngx_int_t
ngx_http_webrtc_status_dispatch(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
        && !(r->method == NGX_HTTP_POST && wlcf->status_control))
    {
        return ngx_http_webrtc_not_allowed(r, wlcf->status_control
                                    ? &ngx_http_webrtc_status_control_methods
                                    : &ngx_http_webrtc_status_methods);
    }

    if (ngx_http_webrtc_worker == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (r->method == NGX_HTTP_POST) {
        return ngx_http_webrtc_status_control(r);
    }

    return ngx_http_webrtc_status_show(r);
}


static ngx_int_t
ngx_http_webrtc_status_show(ngx_http_request_t *r)
{
    off_t                      size;
    ngx_int_t                  rc;
    ngx_uint_t                 cursor, first;
    ngx_str_t                  sessions;
    ngx_array_t               *variants;
    ngx_chain_t               *out, **ll;
    ngx_webrtc_stream_info_t  *info;

    static ngx_str_t  cache = ngx_string("no-store");

    info = ngx_palloc(r->pool, sizeof(ngx_webrtc_stream_info_t));
    if (info == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    size = 0;

    out = ngx_http_webrtc_status_head(r, &size);
    if (out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out->next = ngx_http_webrtc_status_errors(r, &size);
    if (out->next == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    variants = ngx_http_webrtc_status_variants(r, info);
    if (variants == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ll = &out->next->next;
    cursor = 0;
    first = 1;

    while (ngx_webrtc_bus_next(ngx_http_webrtc_worker->bus, &cursor, info)
           == NGX_OK)
    {
        if (info->parent) {
            continue;
        }

        *ll = ngx_http_webrtc_status_stream(r, info, variants, first, &size);
        if (*ll == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ll = &(*ll)->next;
        first = 0;
    }

    if (ngx_http_webrtc_arg(r, "sessions", &sessions) == NGX_OK) {
        ll = ngx_http_webrtc_status_peers(r, ll, &size);
        if (ll == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    *ll = ngx_http_webrtc_status_link(r, (u_char *) "]}\n",
                                      (u_char *) "]}\n" + 3, NULL, &size);
    if (*ll == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (*ll)->buf->last_buf = (r == r->main);
    (*ll)->buf->last_in_chain = 1;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = size;
    r->headers_out.content_type = ngx_http_webrtc_json_type;
    r->headers_out.content_type_len = ngx_http_webrtc_json_type.len;

    if (ngx_http_webrtc_header(r, "Cache-Control", &cache) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (r->header_only) {
        return NGX_DONE;
    }

    rc = ngx_http_output_filter(r, out);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DONE;
}


/* answers {"reconnect":n}: n viewers, with or without an event stream */

static ngx_int_t
ngx_http_webrtc_status_control(ngx_http_request_t *r)
{
    u_char                      *dst, *src;
    ngx_str_t                    name, body, *origin;
    ngx_uint_t                   cursor, n;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_peer_t           *copy, *peer;
    ngx_webrtc_peer_info_t       info;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    /* refuse a page of another site opened by an authorized user */

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    origin = ngx_http_webrtc_request_header(r, "origin");

    if (origin && (origin->len != wlcf->cors_origin.len
                   || ngx_strncmp(origin->data, wlcf->cors_origin.data,
                                  origin->len)
                      != 0))
    {
        ngx_str_set(&body, "expected an Origin as in webrtc_cors_origin, "
                           "or none");
        return ngx_http_webrtc_problem(r, NGX_HTTP_FORBIDDEN,
                                       "a script of another site", &body);
    }

    if (ngx_http_arg(r, (u_char *) "reconnect", 9, &name) != NGX_OK
        || name.len == 0)
    {
        ngx_str_set(&body, "expected ?reconnect=<stream>");
        return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                       "nothing that can be done", &body);
    }

    copy = ngx_palloc(r->pool, sizeof(ngx_webrtc_peer_t));
    dst = ngx_pnalloc(r->pool, name.len);
    body.data = ngx_pnalloc(r->pool, sizeof("{\"reconnect\":}\n")
                                     + NGX_INT_T_LEN);

    if (copy == NULL || dst == NULL || body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    src = name.data;
    name.data = dst;
    ngx_unescape_uri(&dst, &src, name.len, 0);
    name.len = dst - name.data;

    bus = ngx_http_webrtc_worker->bus;
    n = 0;
    cursor = 0;

    while (ngx_webrtc_peers_next(bus, &cursor, copy, &info) == NGX_OK) {

        if (copy->role != NGX_WEBRTC_PEER_PLAY || copy->name_len != name.len
            || ngx_memcmp(copy->name, name.data, name.len) != 0)
        {
            continue;
        }

        peer = ngx_webrtc_peers_lock(bus, info.ref);
        if (peer == NULL) {
            continue;
        }

        peer->reconnect++;
        ngx_webrtc_peers_unlock(bus);

        ngx_webrtc_peers_touch(bus, info.ref);
        n++;
    }

    body.len = ngx_sprintf(body.data, "{\"reconnect\":%ui}\n", n) - body.data;

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, &ngx_http_webrtc_json_type,
                                  &body);
}


static ngx_chain_t *
ngx_http_webrtc_status_head(ngx_http_request_t *r, off_t *size)
{
    u_char            *p, *end, *start;
    ngx_uint_t         i;
    ngx_webrtc_bus_t  *bus;

    bus = ngx_http_webrtc_worker->bus;

    start = ngx_pnalloc(r->pool, NGX_HTTP_WEBRTC_STATUS_HEAD);
    if (start == NULL) {
        return NULL;
    }

    end = start + NGX_HTTP_WEBRTC_STATUS_HEAD;

    p = ngx_slprintf(start, end,
                     "{\"pid\":%P,\"sessions\":%ui,\"zone_free\":%uz,"
                     "\"never_connected\":%uL,"
                     "\"dropped\":{", ngx_pid, ngx_webrtc_peers_count(bus),
                     ngx_webrtc_bus_free(bus),
                     ngx_webrtc_bus_unheard_total(bus));

    for (i = 0; i < NGX_WEBRTC_DROPS; i++) {
        p = ngx_slprintf(p, end, "%s\"%s\":%uL", i ? "," : "",
                         ngx_http_webrtc_status_drops[i],
                         ngx_webrtc_bus_dropped(bus, i));
    }

    p = ngx_slprintf(p, end, "},\"errors\":[");

    return ngx_http_webrtc_status_link(r, start, p, end, size);
}


/* "?sessions": one by one, after the streams; NULL: out of memory */

static ngx_chain_t **
ngx_http_webrtc_status_peers(ngx_http_request_t *r, ngx_chain_t **ll,
    off_t *size)
{
    size_t                   len;
    u_char                  *p, *start, *end;
    ngx_str_t                role;
    ngx_uint_t               cursor;
    const char              *before;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_info_t   info;
    u_char                   public[NGX_WEBRTC_PUBLIC_LEN];

    peer = ngx_palloc(r->pool, sizeof(ngx_webrtc_peer_t));
    if (peer == NULL) {
        return NULL;
    }

    before = "],\"session_list\":[";

    for (cursor = 0;
         ngx_webrtc_peers_next(ngx_http_webrtc_worker->bus, &cursor, peer,
                               &info)
         == NGX_OK;
         before = ",")
    {
        ngx_http_webrtc_utf8(peer->name, peer->name_len);

        len = NGX_HTTP_WEBRTC_STATUS_PEER + peer->name_len
              + ngx_escape_json(NULL, peer->name, peer->name_len);

        start = ngx_pnalloc(r->pool, len);
        if (start == NULL) {
            return NULL;
        }

        end = start + len;

        ngx_webrtc_bus_public(peer->id, public);
        ngx_http_webrtc_role(peer->role, &role);

        p = ngx_slprintf(start, end,
                         "%s{\"id\":\"%*s\",\"role\":\"%V\","
                         "\"state\":\"%s\",\"stream\":\"", before,
                         (size_t) NGX_WEBRTC_PUBLIC_LEN, public, &role,
                         ngx_http_webrtc_session_state(peer, &info));

        p = (u_char *) ngx_escape_json(p, peer->name, peer->name_len);
        p = ngx_slprintf(p, end, "\"}");

        *ll = ngx_http_webrtc_status_link(r, start, p, end, size);
        if (*ll == NULL) {
            return NULL;
        }

        ll = &(*ll)->next;
    }

    if (before[0] == ',') {
        return ll;
    }

    start = (u_char *) before;

    *ll = ngx_http_webrtc_status_link(r, start, start + ngx_strlen(start),
                                      NULL, size);

    return *ll ? &(*ll)->next : NULL;
}


static ngx_chain_t *
ngx_http_webrtc_status_errors(ngx_http_request_t *r, off_t *size)
{
    u_char                     *p, *start, *end;
    size_t                      len;
    ngx_uint_t                  i, n;
    ngx_webrtc_error_recent_t  *recent, *e;

    recent = ngx_palloc(r->pool, NGX_WEBRTC_ERRORS
                                 * sizeof(ngx_webrtc_error_recent_t));
    if (recent == NULL) {
        return NULL;
    }

    n = ngx_webrtc_bus_errors(ngx_http_webrtc_worker->bus, recent);

    /* an escaped byte takes up to six */

    len = n * (NGX_HTTP_WEBRTC_STATUS_ERROR
               + 6 * (NGX_WEBRTC_NAME_MAX + NGX_WEBRTC_ERROR_TEXT))
          + sizeof("],\"streams\":[");

    start = ngx_pnalloc(r->pool, len);
    if (start == NULL) {
        return NULL;
    }

    end = start + len;
    p = start;

    for (i = 0; i < n; i++) {
        e = &recent[i];

        ngx_http_webrtc_utf8(e->name, e->name_len);

        p = ngx_slprintf(p, end, "%s{\"time\":%uL,\"count\":%uD,"
                         "\"stream\":\"", i ? "," : "", e->error.time,
                         e->error.count);
        p = (u_char *) ngx_escape_json(p, e->name, e->name_len);

        p = ngx_slprintf(p, end, "\",\"error\":\"");
        p = (u_char *) ngx_escape_json(p, e->error.text, e->error.len);

        p = ngx_slprintf(p, end, "\"}");
    }

    p = ngx_slprintf(p, end, "],\"streams\":[");

    return ngx_http_webrtc_status_link(r, start, p, end, size);
}


/* those of all streams; NULL: out of memory */

static ngx_array_t *
ngx_http_webrtc_status_variants(ngx_http_request_t *r,
    ngx_webrtc_stream_info_t *info)
{
    ngx_uint_t                  cursor;
    ngx_array_t                *variants;
    ngx_webrtc_stream_info_t   *variant;

    variants = ngx_array_create(r->pool, 1, sizeof(ngx_webrtc_stream_info_t));
    if (variants == NULL) {
        return NULL;
    }

    cursor = 0;

    while (ngx_webrtc_bus_next(ngx_http_webrtc_worker->bus, &cursor, info)
           == NGX_OK)
    {
        if (info->parent == 0) {
            continue;
        }

        variant = ngx_array_push(variants);
        if (variant == NULL) {
            return NULL;
        }

        *variant = *info;
    }

    return variants;
}


static ngx_chain_t *
ngx_http_webrtc_status_stream(ngx_http_request_t *r,
    ngx_webrtc_stream_info_t *info, ngx_array_t *variants, ngx_uint_t first,
    off_t *size)
{
    size_t                     len;
    u_char                    *p, *start, *end;
    ngx_uint_t                 i, n;
    ngx_webrtc_stream_stat_t  *st;
    ngx_webrtc_stream_info_t  *variant;

    ngx_http_webrtc_utf8(info->name, info->name_len);

    len = NGX_HTTP_WEBRTC_STATUS_STREAM
          + NGX_WEBRTC_TRACKS * NGX_HTTP_WEBRTC_STATUS_TRACK
          + info->name_len
          + ngx_escape_json(NULL, info->name, info->name_len)
          + info->error.len
          + ngx_escape_json(NULL, info->error.text, info->error.len);

    variant = variants->elts;

    for (i = 0; i < variants->nelts; i++) {
        if (variant[i].parent == info->ref) {
            len += NGX_HTTP_WEBRTC_STATUS_VARIANT + variant[i].error.len
                   + ngx_escape_json(NULL, variant[i].error.text,
                                     variant[i].error.len);
        }
    }

    start = ngx_pnalloc(r->pool, len);
    if (start == NULL) {
        return NULL;
    }

    end = start + len;
    p = start;
    st = &info->stat;

    if (!first) {
        *p++ = ',';
    }

    p = ngx_cpymem(p, "{\"name\":\"", sizeof("{\"name\":\"") - 1);
    p = (u_char *) ngx_escape_json(p, info->name, info->name_len);

    p = ngx_slprintf(p, end,
                     "\",\"state\":\"%s\",\"from\":\"%s\","
                     "\"upstream\":%uD,\"upstreams\":%uD,\"viewers\":%ui,"
                     "\"packets\":%uL,\"bytes\":%uL,\"frames\":%uL,"
                     "\"keyframes\":%uL,\"b_frames_dropped\":%uL,"
                     "\"clamped\":%uL,\"damaged\":%uL,"
                     "\"discontinuities\":%uL,\"starts\":%uL,"
                     "\"failures\":%uL,\"viewers_total\":%uL,"
                     "\"lapped\":%uL,\"lost\":%uL,\"paced\":%uL,"
                     "\"nacks\":%uL,\"resent\":%uL,\"plis\":%uL,"
                     "\"key_requests\":%uL,\"never_connected\":%uL,"
                     "\"last_error_time\":%uL,"
                     "\"last_error\":\"",
                     ngx_http_webrtc_status_states[info->state & 3],
                     ngx_http_webrtc_status_from(info->claim_kind),
                     info->upstream, info->upstreams,
                     (ngx_uint_t) info->viewers, st->packets, st->bytes,
                     st->frames, st->keyframes, st->dropped, st->clamped,
                     st->damaged, st->discontinuities, st->starts,
                     st->failures, st->viewers_total, st->lapped, st->lost,
                     st->paced, st->nacks, st->resent, st->plis,
                     st->key_requests, st->never_connected,
                     info->error.time);

    p = (u_char *) ngx_escape_json(p, info->error.text, info->error.len);
    p = ngx_slprintf(p, end, "\",\"tracks\":[");

    for (i = 0, n = 0; i < info->ntracks; i++) {

        if (info->tracks[i].kind == 0
            || (info->tracks[i].flags & NGX_WEBRTC_TRACK_PENDING))
        {
            /* no data (yet) */
            continue;
        }

        if (n++) {
            *p++ = ',';
        }

        p = ngx_http_webrtc_status_track(p, &info->tracks[i]);
    }

    p = ngx_slprintf(p, end, "],\"variants\":[");

    for (i = 0, n = 0; i < variants->nelts; i++) {

        if (variant[i].parent != info->ref) {
            continue;
        }

        if (n++) {
            *p++ = ',';
        }

        p = ngx_http_webrtc_status_variant(p, end, &variant[i]);
    }

    *p++ = ']';
    *p++ = '}';

    return ngx_http_webrtc_status_link(r, start, p, end, size);
}


static const char *
ngx_http_webrtc_status_from(ngx_uint_t kind)
{
    switch (kind) {

    case NGX_WEBRTC_CLAIM_SOURCE:
        return "pull";

    case NGX_WEBRTC_CLAIM_PUBLISH:
        return "publish";

    case NGX_WEBRTC_CLAIM_RTP:
        return "rtp";

    case NGX_WEBRTC_CLAIM_EXEC:
        return "exec";

    default:
        return "";
    }
}


static u_char *
ngx_http_webrtc_status_variant(u_char *p, u_char *end,
    ngx_webrtc_stream_info_t *info)
{
    ngx_uint_t                 i;
    ngx_webrtc_track_t        *track;
    ngx_webrtc_stream_stat_t  *st;

    static ngx_webrtc_track_t  none;

    st = &info->stat;
    track = &none;

    for (i = 0; i < info->ntracks; i++) {
        if (info->tracks[i].kind == NGX_WEBRTC_VIDEO) {
            track = &info->tracks[i];
        }
    }

    p = ngx_slprintf(p, end,
                     "{\"label\":\"%*s\",\"why\":\"%s\",\"state\":\"%s\","
                     "\"viewers\":%uD,\"codec\":\"%V\",\"width\":%ui,"
                     "\"height\":%ui,\"bitrate\":%uD,\"fps\":%ui,"
                     "\"packets\":%uL,\"bytes\":%uL,\"frames\":%uL,"
                     "\"keyframes\":%uL,\"lapped\":%uL,\"nacks\":%uL,"
                     "\"resent\":%uL,\"plis\":%uL,\"key_requests\":%uL,"
                     "\"last_error\":\"",
                     (size_t) info->variant.label_len, info->variant.label,
                     info->variant_why
                         ? ngx_webrtc_choice_why(info->variant_why - 1) : "",
                     ngx_http_webrtc_status_states[info->state & 3],
                     info->viewers,
                     &ngx_webrtc_codec(info->variant.codec)->name,
                     (ngx_uint_t) track->width, (ngx_uint_t) track->height,
                     info->variant.bitrate, (ngx_uint_t) info->variant.fps,
                     st->packets, st->bytes, st->frames, st->keyframes,
                     st->lapped, st->nacks, st->resent, st->plis,
                     st->key_requests);

    p = (u_char *) ngx_escape_json(p, info->error.text, info->error.len);

    return ngx_slprintf(p, end, "\"}");
}


static u_char *
ngx_http_webrtc_status_track(u_char *p, ngx_webrtc_track_t *track)
{
    if (track->kind == NGX_WEBRTC_AUDIO) {
        return ngx_slprintf(p, p + NGX_HTTP_WEBRTC_STATUS_TRACK,
                            "{\"kind\":\"audio\",\"codec\":\"%V\","
                            "\"clock_rate\":%uD,\"channels\":%ui}",
                            &ngx_webrtc_codec(track->codec)->name,
                            track->clock_rate, (ngx_uint_t) track->channels);
    }

    return ngx_slprintf(p, p + NGX_HTTP_WEBRTC_STATUS_TRACK,
                        "{\"kind\":\"video\",\"codec\":\"%V\","
                        "\"clock_rate\":%uD,\"profile\":\"%06xD\","
                        "\"width\":%ui,\"height\":%ui,"
                        "\"rotation\":%ui,\"flip\":%s}",
                        &ngx_webrtc_codec(track->codec)->name,
                        track->clock_rate, track->profile,
                        (ngx_uint_t) track->width,
                        (ngx_uint_t) track->height,
                        (ngx_uint_t) (track->cvo & NGX_WEBRTC_CVO_QUARTERS)
                        * 90,
                        (track->cvo & NGX_WEBRTC_CVO_FLIP) ? "true" : "false");
}


static ngx_chain_t *
ngx_http_webrtc_status_link(ngx_http_request_t *r, u_char *start,
    u_char *last, u_char *end, off_t *size)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = ngx_alloc_chain_link(r->pool);
    b = ngx_calloc_buf(r->pool);

    if (cl == NULL || b == NULL) {
        return NULL;
    }

    b->start = start;
    b->pos = start;
    b->last = last;
    b->end = end ? end : last;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    *size += last - start;

    return cl;
}


char *
ngx_http_webrtc_status_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_str_t                    *value;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wlcf->status = 1;

    if (cf->args->nelts == 2) {
        value = cf->args->elts;

        if (ngx_strcmp(value[1].data, "control") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in webrtc_status, "
                               "expected \"control\" or nothing", &value[1]);
            return NGX_CONF_ERROR;
        }

        wlcf->status_control = 1;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "is in a location whose requests another directive answers, "
               "such as \"proxy_pass\" or \"webrtc_play\"";
    }

    wlcf->handler = ngx_http_webrtc_status_handler;
    clcf->handler = ngx_http_webrtc_status_handler;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    wmcf->used = 1;

    return NGX_CONF_OK;
}
