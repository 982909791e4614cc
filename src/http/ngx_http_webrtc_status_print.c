
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The objects of "webrtc_status" as JSON.
 */


#include "ngx_http_webrtc_status_print.h"
#include "ngx_http_webrtc_ingest.h"
#include "ngx_http_webrtc_outlets.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_session.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_unheard.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_choice.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_viewer.h"


/* bytes of an object, without texts of variable length and tracks */
#define NGX_HTTP_WEBRTC_STATUS_STREAM  1600
#define NGX_HTTP_WEBRTC_STATUS_VARIANT  768
#define NGX_HTTP_WEBRTC_STATUS_LAYER   256
#define NGX_HTTP_WEBRTC_STATUS_PEER    1664
#define NGX_HTTP_WEBRTC_STATUS_TRACK   192
#define NGX_HTTP_WEBRTC_STATUS_HEAD    1024
#define NGX_HTTP_WEBRTC_STATUS_ERROR   128
#define NGX_HTTP_WEBRTC_STATUS_WORKER  1024


static u_char *ngx_http_webrtc_status_print_layer(u_char *p, u_char *end,
    ngx_webrtc_stream_info_t *info, ngx_uint_t n, ngx_array_t *variants);
static u_char *ngx_http_webrtc_status_print_variant(u_char *p, u_char *end,
    ngx_webrtc_stream_info_t *info);
static u_char *ngx_http_webrtc_status_print_track(u_char *p, u_char *end,
    ngx_webrtc_track_t *track);
static u_char *ngx_http_webrtc_status_print_codecs(u_char *p, u_char *end,
    ngx_webrtc_peer_t *peer);
static u_char *ngx_http_webrtc_status_print_path(u_char *p, u_char *end,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_about_t *about);


static const char  *ngx_http_webrtc_status_states[] = {
    "idle", "starting", "active", "inactive"
};

/* by ngx_webrtc_viewer_thin_e */
static const char  *ngx_http_webrtc_status_limited[] = {
    "", "thin", "key frames", "audio"
};

/* indexed by ngx_webrtc_drop_e */
static const char  *ngx_http_webrtc_status_drops[NGX_WEBRTC_DROPS] = {
    "unknown", "stun", "integrity", "dtls", "rtp", "rtcp", "other",
    "limit"
};


const char *
ngx_http_webrtc_status_drop(ngx_uint_t reason)
{
    return ngx_http_webrtc_status_drops[reason];
}


const char *
ngx_http_webrtc_status_state(ngx_webrtc_stream_info_t *info)
{
    return ngx_http_webrtc_status_states[info->state & 3];
}


const char *
ngx_http_webrtc_status_from(ngx_webrtc_stream_info_t *info)
{
    switch (info->claim_kind) {

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


/* IANA's "DTLS-SRTP Protection Profiles" */

const char *
ngx_http_webrtc_status_profile(ngx_uint_t profile)
{
    switch (profile) {

    case NGX_WEBRTC_SRTP_AES128_CM_SHA1_80:
        return "SRTP_AES128_CM_HMAC_SHA1_80";

    case NGX_WEBRTC_SRTP_AEAD_AES_128_GCM:
        return "SRTP_AEAD_AES_128_GCM";

    case NGX_WEBRTC_SRTP_AEAD_AES_256_GCM:
        return "SRTP_AEAD_AES_256_GCM";

    default:
        return "";
    }
}


void
ngx_http_webrtc_status_print_sums(ngx_http_webrtc_text_t *t)
{
    u_char            *p, *end;
    ngx_uint_t         i;
    ngx_webrtc_bus_t  *bus;

    p = ngx_http_webrtc_text_room(t, NGX_HTTP_WEBRTC_STATUS_HEAD, &end);
    if (p == NULL) {
        return;
    }

    bus = ngx_http_webrtc_worker->bus;

    p = ngx_slprintf(p, end, ",\"pid\":%P,\"sessions\":%ui,\"zone_free\":%uz,"
                     "\"never_connected\":%uL,\"dropped\":{", ngx_pid,
                     ngx_webrtc_peers_count(bus), ngx_webrtc_bus_free(bus),
                     ngx_webrtc_bus_unheard_total(bus));

    for (i = 0; i < NGX_WEBRTC_DROPS; i++) {
        p = ngx_slprintf(p, end, "%s\"%s\":%uL", i ? "," : "",
                         ngx_http_webrtc_status_drops[i],
                         ngx_webrtc_bus_dropped(bus, i));
    }

    ngx_http_webrtc_text_add(t, ngx_slprintf(p, end, "}"));
}


void
ngx_http_webrtc_status_print_server(ngx_http_webrtc_text_t *t)
{
    u_char     *p, *end;
    ngx_str_t  *host;

    host = (ngx_str_t *) &ngx_cycle->hostname;

    p = ngx_http_webrtc_text_room(t, NGX_HTTP_WEBRTC_STATUS_HEAD
                                     + 6 * host->len, &end);
    if (p == NULL) {
        return;
    }

    p = ngx_slprintf(p, end, ",\"server\":{\"hostname\":\"");
    p = (u_char *) ngx_escape_json(p, host->data, host->len);
    p = ngx_slprintf(p, end, "\",\"nginx\":\"%s\",\"time\":%T,"
                     "\"draining\":%s}", NGINX_VERSION, ngx_time(),
                     ngx_webrtc_bus_draining(ngx_http_webrtc_worker->bus)
                     ? "true" : "false");

    ngx_http_webrtc_text_add(t, p);
}


void
ngx_http_webrtc_status_print_zone(ngx_http_webrtc_text_t *t)
{
    u_char                     *p, *end;
    ngx_webrtc_zone_figures_t   zf;

    p = ngx_http_webrtc_text_room(t, NGX_HTTP_WEBRTC_STATUS_HEAD, &end);
    if (p == NULL) {
        return;
    }

    ngx_webrtc_bus_zone_figures(ngx_http_webrtc_worker->bus, &zf);

    p = ngx_slprintf(p, end, ",\"zone\":{\"size\":%uz,\"free\":%uz,"
                     "\"packets\":%uz,\"streams\":%ui,\"streams_max\":%ui,"
                     "\"sessions\":%ui,\"sessions_max\":%ui}", zf.size,
                     zf.free, zf.rings, zf.streams, zf.streams_max,
                     zf.sessions, zf.sessions_max);

    ngx_http_webrtc_text_add(t, p);
}


void
ngx_http_webrtc_status_print_workers(ngx_http_webrtc_text_t *t)
{
    u_char                       *p, *end;
    ngx_uint_t                    cursor;
    const char                   *before;
    ngx_webrtc_worker_figures_t   wf;

    cursor = 0;
    before = "";

    ngx_http_webrtc_text_string(t, ",\"workers\":[");

    while (ngx_webrtc_bus_worker_next(ngx_http_webrtc_worker->bus, &cursor,
                                      &wf)
           == NGX_OK)
    {
        p = ngx_http_webrtc_text_room(t, NGX_HTTP_WEBRTC_STATUS_WORKER, &end);
        if (p == NULL) {
            return;
        }

        p = ngx_slprintf(p, end, "%s{\"pid\":%uL,\"sessions\":%uL,"
                         "\"viewers\":%uL,\"publishers\":%uL,\"files\":%uL,"
                         "\"cpu_ms\":%uL,\"cpu_percent\":%uL,\"late_ms\":%uL,"
                         "\"inbox\":{\"in\":%uL,\"out\":%uL,\"dropped\":%uL},"
                         "\"port\":{\"packets_in\":%uL,\"packets_out\":%uL,"
                         "\"bytes_out\":%uL,\"failed\":%uL,\"full\":%uL},"
                         "\"tcp\":{\"connections\":%uL,\"pending\":%uL,"
                         "\"accepted\":%uL,\"refused\":%uL,\"full\":%uL,"
                         "\"dropped\":%uL}}",
                         before, wf.pid, wf.sessions,
                         wf.roles[NGX_WEBRTC_PEER_PLAY],
                         wf.roles[NGX_WEBRTC_PEER_PUBLISH],
                         wf.roles[NGX_WEBRTC_PEER_FILES], wf.cpu_us / 1000,
                         wf.cpu_percent, wf.late_ms, wf.inbox_in,
                         wf.inbox_out, wf.inbox_dropped, wf.rx_packets,
                         wf.tx_packets, wf.tx_bytes, wf.tx_failed,
                         wf.tx_blocked, wf.tcp_sessions, wf.tcp_pending,
                         wf.tcp_accepted, wf.tcp_refused, wf.tcp_blocked,
                         wf.tcp_dropped);

        ngx_http_webrtc_text_add(t, p);
        before = ",";
    }

    ngx_http_webrtc_text_string(t, "]");
}


void
ngx_http_webrtc_status_print_errors(ngx_http_webrtc_text_t *t)
{
    u_char                     *p, *end;
    ngx_uint_t                  i, n;
    ngx_webrtc_error_recent_t  *recent, *e;

    recent = ngx_palloc(t->request->pool, NGX_WEBRTC_ERRORS
                                          * sizeof(ngx_webrtc_error_recent_t));
    if (recent == NULL) {
        t->failed = 1;
        return;
    }

    n = ngx_webrtc_bus_errors(ngx_http_webrtc_worker->bus, recent);

    ngx_http_webrtc_text_string(t, ",\"errors\":[");

    for (i = 0; i < n; i++) {
        e = &recent[i];

        /* an escaped byte takes up to six */

        p = ngx_http_webrtc_text_room(t, NGX_HTTP_WEBRTC_STATUS_ERROR
                                         + 6 * (e->name_len + e->error.len),
                                      &end);
        if (p == NULL) {
            return;
        }

        p = ngx_slprintf(p, end, "%s{\"time\":%uL,\"count\":%uD,"
                         "\"stream\":\"", i ? "," : "", e->error.time,
                         e->error.count);
        p = ngx_http_webrtc_text_json(p, e->name, e->name_len);

        p = ngx_slprintf(p, end, "\",\"error\":\"");
        p = ngx_http_webrtc_text_json(p, e->error.text, e->error.len);

        ngx_http_webrtc_text_add(t, ngx_slprintf(p, end, "\"}"));
    }

    ngx_http_webrtc_text_string(t, "]");
}


void
ngx_http_webrtc_status_print_stream(ngx_http_webrtc_text_t *t,
    const char *before, ngx_webrtc_stream_info_t *info,
    ngx_array_t *variants)
{
    size_t                     len;
    u_char                    *p, *end;
    uint64_t                   age;
    ngx_uint_t                 i, n;
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_peer_t         *peer;
    ngx_webrtc_stream_stat_t  *st;
    ngx_webrtc_stream_info_t  *variant;

    /* an escaped byte takes up to six */

    len = NGX_HTTP_WEBRTC_STATUS_STREAM
          + NGX_WEBRTC_TRACKS * NGX_HTTP_WEBRTC_STATUS_TRACK
          + NGX_WEBRTC_STREAM_LAYERS * NGX_HTTP_WEBRTC_STATUS_LAYER
          + 6 * (info->name_len + info->error.len);

    variant = variants->elts;

    for (i = 0; i < variants->nelts; i++) {
        if (variant[i].parent == info->ref) {
            len += NGX_HTTP_WEBRTC_STATUS_VARIANT + 6 * variant[i].error.len;
        }
    }

    p = ngx_http_webrtc_text_room(t, len, &end);
    if (p == NULL) {
        return;
    }

    bus = ngx_http_webrtc_worker->bus;
    st = &info->stat;
    age = (uint64_t) ngx_current_msec - info->changed_ms;

    if ((int64_t) age < 0 || info->changed_ms == 0) {
        age = 0;
    }

    p = ngx_slprintf(p, end, "%s{\"name\":\"", before);
    p = ngx_http_webrtc_text_json(p, info->name, info->name_len);

    p = ngx_slprintf(p, end,
                     "\",\"state\":\"%s\",\"since\":%T,\"from\":\"%s\","
                     "\"upstream\":%uD,\"upstreams\":%uD,\"viewers\":%ui,"
                     "\"bitrate\":%uL,\"fps\":%uL.%03uL,"
                     "\"key_interval_ms\":%uL,",
                     ngx_http_webrtc_status_state(info),
                     ngx_time() - (time_t) (age / 1000),
                     ngx_http_webrtc_status_from(info), info->upstream,
                     info->upstreams, (ngx_uint_t) info->viewers,
                     info->bitrate, info->fps_1000 / 1000,
                     info->fps_1000 % 1000, info->key_interval_ms);

    p = ngx_slprintf(p, end, "\"worker\":%P,\"publisher\":\"",
                     info->claim_worker == NGX_WEBRTC_WORKER_NONE ? 0
                     : ngx_webrtc_bus_worker_pid(bus, info->claim_worker));

    if (info->claim_kind == NGX_WEBRTC_CLAIM_PUBLISH && info->publisher) {
        peer = ngx_webrtc_peers_lock(bus, info->publisher);

        if (peer) {

            if (peer->about) {
                p = ngx_cpymem(p, peer->about->public, NGX_WEBRTC_PUBLIC_LEN);
            }

            ngx_webrtc_peers_unlock(bus);
        }
    }

    p = ngx_slprintf(p, end,
                     "\",\"packets\":%uL,\"bytes\":%uL,\"frames\":%uL,"
                     "\"keyframes\":%uL,\"b_frames_dropped\":%uL,"
                     "\"clamped\":%uL,\"damaged\":%uL,"
                     "\"discontinuities\":%uL,\"starts\":%uL,"
                     "\"failures\":%uL,\"viewers_total\":%uL,"
                     "\"lapped\":%uL,\"lost\":%uL,\"paced\":%uL,"
                     "\"nacks\":%uL,\"resent\":%uL,\"plis\":%uL,"
                     "\"key_requests\":%uL,\"never_connected\":%uL,"
                     "\"layers_left_out\":%uL,\"last_error_time\":%uL,"
                     "\"last_error\":\"",
                     st->packets, st->bytes, st->frames, st->keyframes,
                     st->dropped, st->clamped, st->damaged,
                     st->discontinuities, st->starts, st->failures,
                     st->viewers_total, st->lapped, st->lost, st->paced,
                     st->nacks, st->resent, st->plis, st->key_requests,
                     st->never_connected, st->left_out, info->error.time);

    p = ngx_http_webrtc_text_json(p, info->error.text, info->error.len);
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

        p = ngx_http_webrtc_status_print_track(p, end, &info->tracks[i]);
    }

    p = ngx_slprintf(p, end, "],\"variants\":[");

    for (i = 0, n = 0; i < variants->nelts; i++) {

        if (variant[i].parent != info->ref
            || variant[i].variant.hw == NGX_WEBRTC_VARIANT_PUBLISHED)
        {
            continue;
        }

        if (n++) {
            *p++ = ',';
        }

        p = ngx_http_webrtc_status_print_variant(p, end, &variant[i]);
    }

    p = ngx_slprintf(p, end, "],\"layers\":[");

    for (i = 0; i < info->layers.n; i++) {

        if (i) {
            *p++ = ',';
        }

        p = ngx_http_webrtc_status_print_layer(p, end, info, i, variants);
    }

    ngx_http_webrtc_text_add(t, ngx_slprintf(p, end, "]"));

    ngx_http_webrtc_outlets_print(t, info->ref);
    ngx_http_webrtc_text_string(t, "}");
}


/* a layer that the publisher sends; the best one is what the stream has */

static u_char *
ngx_http_webrtc_status_print_layer(u_char *p, u_char *end,
    ngx_webrtc_stream_info_t *info, ngx_uint_t n, ngx_array_t *variants)
{
    uint32_t                    viewers, others;
    ngx_uint_t                  i;
    ngx_webrtc_stream_info_t   *variant;
    ngx_webrtc_stream_layer_t  *layer;

    layer = &info->layers.layers[n];
    variant = variants->elts;

    viewers = 0;
    others = 0;

    for (i = 0; i < variants->nelts; i++) {

        if (variant[i].parent != info->ref) {
            continue;
        }

        others += variant[i].viewers;

        if (layer->ref && variant[i].ref == layer->ref) {
            viewers = variant[i].viewers;
        }
    }

    if (layer->top && info->viewers > others) {
        viewers += info->viewers - others;
    }

    /* rids have no character that JSON escapes */

    return ngx_slprintf(p, end, "{\"rid\":\"%*s\",\"active\":%s,\"best\":%s,"
                        "\"width\":%ui,\"height\":%ui,\"bitrate\":%uD,"
                        "\"limit\":%uD,\"over\":%s,"
                        "\"spatial\":%ui,\"temporal\":%ui,"
                        "\"viewers\":%uD}",
                        (size_t) ngx_min(layer->rid_len,
                                         NGX_WEBRTC_STREAM_RID),
                        layer->rid,
                        (layer->top || layer->ref
                         || (layer->rid_len == 0 && !layer->over))
                        ? "true" : "false",
                        layer->top ? "true" : "false",
                        (ngx_uint_t) layer->width, (ngx_uint_t) layer->height,
                        layer->bitrate, layer->limit,
                        layer->over ? "true" : "false",
                        (ngx_uint_t) layer->sid,
                        (ngx_uint_t) layer->tids, viewers);
}


static u_char *
ngx_http_webrtc_status_print_variant(u_char *p, u_char *end,
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
                     ngx_http_webrtc_status_state(info), info->viewers,
                     &ngx_webrtc_codec(info->variant.codec)->name,
                     (ngx_uint_t) track->width, (ngx_uint_t) track->height,
                     info->variant.bitrate, (ngx_uint_t) info->variant.fps,
                     st->packets, st->bytes, st->frames, st->keyframes,
                     st->lapped, st->nacks, st->resent, st->plis,
                     st->key_requests);

    p = ngx_http_webrtc_text_json(p, info->error.text, info->error.len);

    return ngx_slprintf(p, end, "\"}");
}


static u_char *
ngx_http_webrtc_status_print_track(u_char *p, u_char *end,
    ngx_webrtc_track_t *track)
{
    if (track->kind == NGX_WEBRTC_AUDIO) {
        return ngx_slprintf(p, end,
                            "{\"kind\":\"audio\",\"codec\":\"%V\","
                            "\"clock_rate\":%uD,\"channels\":%ui}",
                            &ngx_webrtc_codec(track->codec)->name,
                            track->clock_rate, (ngx_uint_t) track->channels);
    }

    return ngx_slprintf(p, end,
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


void
ngx_http_webrtc_status_remote(ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, u_char *buf, ngx_str_t *text)
{
    u_char                  *p, *end;
    ngx_uint_t               spaces;
    ngx_webrtc_peer_addr_t  *a;

    if (about->pair_len) {

        /* "1.2.3.4:5 host 6.7.8.9:10 relay": the third word */

        p = about->pair;
        end = p + ngx_min(about->pair_len, NGX_WEBRTC_ABOUT_PAIR);

        for (spaces = 0; p < end && spaces < 2; p++) {
            spaces += (*p == ' ');
        }

        text->data = p;

        while (p < end && *p != ' ') {
            p++;
        }

        text->len = p - text->data;

        return;
    }

    a = &peer->addrs[peer->current % NGX_WEBRTC_PEER_ADDRS];

    text->data = buf;
    text->len = a->addr.len ? ngx_sock_ntop(&a->addr.u.sa, a->addr.len, buf,
                                            NGX_SOCKADDR_STRLEN, 1)
                            : 0;
}


void
ngx_http_webrtc_status_print_session(ngx_http_webrtc_text_t *t,
    const char *before, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, ngx_webrtc_peer_info_t *info)
{
    size_t                   len;
    u_char                  *p, *end;
    ngx_str_t                role;
    ngx_pid_t                pid;
    ngx_webrtc_peer_stat_t  *st;
    u_char                   layer[NGX_WEBRTC_VARIANT_LABEL];

    len = NGX_HTTP_WEBRTC_STATUS_PEER + 6 * (peer->name_len
                                             + (size_t) about->agent_len);

    p = ngx_http_webrtc_text_room(t, len, &end);
    if (p == NULL) {
        return;
    }

    st = &peer->stat;
    ngx_http_webrtc_role(peer->role, &role);

    pid = (info->state == NGX_WEBRTC_PEER_CLAIMED)
          ? ngx_webrtc_bus_worker_pid(ngx_http_webrtc_worker->bus,
                                      info->worker)
          : 0;

    p = ngx_slprintf(p, end, "%s{\"id\":\"%*s\",\"role\":\"%V\","
                     "\"state\":\"%s\",\"stream\":\"", before,
                     (size_t) NGX_WEBRTC_PUBLIC_LEN, about->public, &role,
                     ngx_http_webrtc_session_state(peer, info));

    p = ngx_http_webrtc_text_json(p, peer->name, peer->name_len);

    p = ngx_slprintf(p, end, "\",\"worker\":%P,\"age_ms\":%uL,"
                     "\"setup_ms\":%uD,\"first_frame_ms\":%uL,"
                     "\"user_agent\":\"", pid,
                     (uint64_t) ngx_current_msec - peer->created_ms,
                     about->up_ms, st->first_frame_ms);

    p = ngx_http_webrtc_text_json(p, about->agent,
                                  ngx_min(about->agent_len,
                                          NGX_WEBRTC_ABOUT_AGENT));

    p = ngx_http_webrtc_status_print_path(p, end, peer, about);
    p = ngx_http_webrtc_status_print_codecs(p, end, peer);

    p = ngx_slprintf(p, end, ",\"packets_sent\":%uL,\"bytes_sent\":%uL,"
                     "\"packets_received\":%uL,\"bytes_received\":%uL,"
                     "\"bitrate_sent\":%uD,\"bitrate_received\":%uD,"
                     "\"rtt_ms\":%uD.%03uD,\"jitter_ms\":%uD.%03uD,"
                     "\"loss\":%.4f,\"lost_sent\":%D,\"lost_received\":%uL,"
                     "\"nacks\":%uD,\"resent\":%uD,\"plis\":%uD,"
                     "\"lapped\":%uD,\"token_expires\":%uD,"
                     "\"layer\":\"%*s\",\"bandwidth\":%ui,"
                     "\"limited\":\"%s\"}",
                     st->packets_out, st->bytes_out, st->packets_in,
                     st->bytes_in, about->bitrate_out, about->bitrate_in,
                     st->rtt_us / 1000, st->rtt_us % 1000,
                     about->jitter_us / 1000, about->jitter_us % 1000,
                     (double) st->lost / 256, about->lost_out, st->lost_in,
                     st->nacks, st->resent, st->plis, st->lapped,
                     about->token_expires,
                     peer->reads ? ngx_webrtc_bus_variant_label(
                           ngx_http_webrtc_worker->bus, peer->reads, layer)
                                 : 0, layer,
                     (ngx_uint_t) about->estimate * 1000,
                     ngx_http_webrtc_status_limited[about->thin
                                                 % NGX_WEBRTC_VIEWER_THINS]);

    ngx_http_webrtc_text_add(t, p);
}


static u_char *
ngx_http_webrtc_status_print_path(u_char *p, u_char *end,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_about_t *about)
{
    ngx_str_t  remote;
    u_char     buf[NGX_SOCKADDR_STRLEN];

    ngx_http_webrtc_status_remote(peer, about, buf, &remote);

    return ngx_slprintf(p, end, "\",\"protocol\":\"%s\",\"remote\":\"%V\","
                        "\"ice\":\"%s\","
                        "\"ice_pair\":\"%*s\",\"dtls\":\"%s\","
                        "\"cipher\":\"%*s\",\"srtp\":\"%s\"",
                        ngx_http_webrtc_ingest_protocol(peer->protocol),
                        &remote,
                        peer->protocol ? "" : peer->full ? "full" : "lite",
                        (size_t) ngx_min(about->pair_len,
                                         NGX_WEBRTC_ABOUT_PAIR),
                        about->pair, about->cipher_len ? "DTLSv1.2" : "",
                        (size_t) ngx_min(about->cipher_len,
                                         NGX_WEBRTC_ABOUT_CIPHER),
                        about->cipher,
                        ngx_http_webrtc_status_profile(about->profile));
}


static u_char *
ngx_http_webrtc_status_print_codecs(u_char *p, u_char *end,
    ngx_webrtc_peer_t *peer)
{
    ngx_uint_t                i, n;
    ngx_webrtc_desc_media_t  *m;
    const ngx_webrtc_codec_t *codec;

    p = ngx_slprintf(p, end, ",\"tracks\":[");

    for (i = 0, n = 0; i < peer->desc.nmedia && i < NGX_WEBRTC_DESC_MEDIA; i++)
    {
        m = &peer->desc.media[i];
        codec = ngx_webrtc_codec(m->codec);

        if (codec == NULL || m->track == NGX_WEBRTC_DESC_NO_TRACK) {
            continue;
        }

        p = ngx_slprintf(p, end, "%s{\"kind\":\"%s\",\"codec\":\"%V\"}",
                         n++ ? "," : "",
                         m->kind == NGX_WEBRTC_AUDIO ? "audio" : "video",
                         &codec->name);
    }

    return ngx_slprintf(p, end, "]");
}
