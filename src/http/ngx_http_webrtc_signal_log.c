
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SSE signalling: writes messages into the session's slot.  The answer and its
 * candidates are written when the offer is handled; candidates gathered by full
 * ICE (RFC 8838) follow.
 */


#include "ngx_http_webrtc_signal_log.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_webrtc_bus_file.h"
#include "ngx_webrtc_negotiate.h"
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_signal.h"


static u_char *ngx_http_webrtc_signal_print(u_char *p, u_char *end,
    const ngx_webrtc_desc_t *desc, const ngx_webrtc_sdp_candidate_t *cand,
    ngx_uint_t i);
static void ngx_http_webrtc_signal_append(ngx_pool_t *pool,
    ngx_webrtc_peer_t *peer, ngx_uint_t gathered);
static ngx_int_t ngx_http_webrtc_signal_none(ngx_pool_t *pool,
    ngx_webrtc_session_t *s, ngx_webrtc_file_message_t *msg);
static ngx_uint_t ngx_http_webrtc_signal_known(u_char *p, u_char *end,
    ngx_webrtc_file_message_t *msg);


ngx_int_t
ngx_http_webrtc_signal_log(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    ngx_str_t *answer, ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n)
{
    u_char                      *p, *end, *buf;
    ngx_uint_t                   i;
    ngx_time_t                  *tp;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_file_message_t    msg;

    bus = ngx_http_webrtc_worker->bus;

    buf = ngx_palloc(r->pool, NGX_WEBRTC_FILE_LOG);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    end = buf + NGX_WEBRTC_FILE_LOG;
    tp = ngx_timeofday();

    msg.time_ms = (uint64_t) tp->sec * 1000 + tp->msec;
    msg.type = NGX_WEBRTC_SIGNAL_ANSWER;
    msg.text.data = buf;

    p = ngx_webrtc_signal_print_answer(buf, end, answer);

    if (p == NULL) {
        return NGX_ERROR;
    }

    msg.text.len = p - buf;

    if (ngx_webrtc_file_append(bus, peer->ref, &msg) != NGX_OK) {
        return NGX_ERROR;
    }

    msg.type = NGX_WEBRTC_SIGNAL_CANDIDATE;

    for (i = 0; i < n; i++) {

        p = ngx_http_webrtc_signal_print(buf, end, &peer->desc, &cand[i],
                                             i);
        if (p == NULL) {
            return NGX_ERROR;
        }

        msg.text.len = p - buf;

        if (ngx_webrtc_file_append(bus, peer->ref, &msg) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (peer->full) {
        return NGX_OK;
    }

    msg.type = NGX_WEBRTC_SIGNAL_CANDIDATE_END;
    msg.text.len = 0;

    return ngx_webrtc_file_append(bus, peer->ref, &msg);
}


/*
 * Prints the payload of one of our candidates.
 *
 *   desc   of the session
 *   i      its number, used if it has no foundation
 *
 * Returns the position after it, or NULL if there is no room.
 */

static u_char *
ngx_http_webrtc_signal_print(u_char *p, u_char *end,
    const ngx_webrtc_desc_t *desc, const ngx_webrtc_sdp_candidate_t *cand,
    ngx_uint_t i)
{
    u_char     *last;
    ngx_str_t   text, mid, ufrag;
    u_char      line[NGX_WEBRTC_NEGOTIATE_CANDIDATE];

    last = ngx_webrtc_sdp_print_candidate(line, line + sizeof(line), cand, i);
    if (last == NULL) {
        return NULL;
    }

    text.data = line;
    text.len = last - line;

    /* the accepted m-line, see ngx_webrtc_negotiate_data() */

    mid.data = (u_char *) desc->media[0].mid;
    mid.len = desc->media[0].mid_len;
    ufrag.data = (u_char *) desc->local_ufrag;
    ufrag.len = desc->local_ufrag_len;

    return ngx_webrtc_signal_print_candidate(p, end, &text, &mid,
                                             desc->media[0].mline, &ufrag);
}


void
ngx_http_webrtc_signal_gathered(uint64_t ref, ngx_uint_t gathered)
{
    ngx_pool_t              *pool;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_file_t  *file;

    peer = ngx_webrtc_peers_mine(ngx_http_webrtc_worker->bus, ref);

    if (peer == NULL || peer->session == NULL || peer->file == NULL
        || peer->role != NGX_WEBRTC_PEER_FILES)
    {
        return;
    }

    file = peer->file;

    if (file->log_len == 0) {
        return;
    }

    pool = ngx_create_pool(NGX_MIN_POOL_SIZE, ngx_http_webrtc_worker->log);

    if (pool) {
        ngx_http_webrtc_signal_append(pool, peer, gathered);
        ngx_destroy_pool(pool);
    }
}


static void
ngx_http_webrtc_signal_append(ngx_pool_t *pool, ngx_webrtc_peer_t *peer,
    ngx_uint_t gathered)
{
    u_char                      *p, *log, *buf, *end;
    size_t                       size;
    ngx_uint_t                   i, n;
    ngx_time_t                  *tp;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_session_t        *s;
    ngx_webrtc_file_message_t    msg;
    ngx_webrtc_sdp_candidate_t   cand[NGX_WEBRTC_NICE_CANDIDATES];

    s = peer->session;
    bus = ngx_http_webrtc_worker->bus;

    log = ngx_palloc(pool, NGX_WEBRTC_FILE_LOG);
    buf = ngx_palloc(pool, 2 * NGX_WEBRTC_NEGOTIATE_CANDIDATE);
    size = 0;

    if (s->transport.nice == NULL || log == NULL || buf == NULL
        || ngx_webrtc_file_copy_log(bus, peer->ref, log, &size) != NGX_OK)
    {
        return;
    }

    end = buf + 2 * NGX_WEBRTC_NEGOTIATE_CANDIDATE;
    tp = ngx_timeofday();

    msg.time_ms = (uint64_t) tp->sec * 1000 + tp->msec;
    msg.type = NGX_WEBRTC_SIGNAL_CANDIDATE_END;
    msg.text.data = buf;
    msg.text.len = 0;

    /* gathering has ended before: candidates of a restart are in its answer */

    if (ngx_http_webrtc_signal_known(log, log + size, &msg)) {
        return;
    }

    msg.type = NGX_WEBRTC_SIGNAL_CANDIDATE;

    n = ngx_webrtc_nice_candidates(s->transport.nice, pool, cand,
                                   NGX_WEBRTC_NICE_CANDIDATES);

    for (i = 0; i < n; i++) {
        p = ngx_http_webrtc_signal_print(buf, end, &peer->desc, &cand[i],
                                             i);
        if (p == NULL) {
            continue;
        }

        msg.text.len = p - buf;

        if (!ngx_http_webrtc_signal_known(log, log + size, &msg)) {
            (void) ngx_webrtc_file_append(bus, peer->ref, &msg);
        }
    }

    if (gathered && n == 0) {

        /*
         * The session ends when the client has been told; one that never asks
         * has until the handshake times out.
         */

        if (ngx_http_webrtc_signal_none(pool, s, &msg) != NGX_OK) {
            ngx_webrtc_session_close(s, "no candidate was gathered");

        } else if (!ngx_http_webrtc_signal_known(log, log + size, &msg)) {
            (void) ngx_webrtc_file_append(bus, peer->ref, &msg);
        }

        return;
    }

    if (gathered) {
        msg.type = NGX_WEBRTC_SIGNAL_CANDIDATE_END;
        msg.text.len = 0;

        (void) ngx_webrtc_file_append(bus, peer->ref, &msg);
    }
}


/* "bye", and why there is no candidate */

static ngx_int_t
ngx_http_webrtc_signal_none(ngx_pool_t *pool, ngx_webrtc_session_t *s,
    ngx_webrtc_file_message_t *msg)
{
    ngx_webrtc_nice_relays_t  *relays;

    msg->type = NGX_WEBRTC_SIGNAL_BYE;

    relays = ngx_webrtc_nice_relays(s->transport.nice);

    if (relays && relays->n) {
        return ngx_http_webrtc_candidates_causes(pool, relays, &msg->text);
    }

    ngx_str_set(&msg->text, "no candidate was gathered");

    return NGX_OK;
}


/* whether the log contains the message */

static ngx_uint_t
ngx_http_webrtc_signal_known(u_char *p, u_char *end,
    ngx_webrtc_file_message_t *msg)
{
    ngx_webrtc_file_message_t  m;

    while ((p = ngx_webrtc_file_next(p, end, &m)) != NULL) {

        if (m.type == msg->type && m.text.len == msg->text.len
            && ngx_memcmp(m.text.data, msg->text.data, m.text.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
