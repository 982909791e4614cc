
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTSP for publishers.  The contracts are in the header; section numbers are
 * those of RFC 2326.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_rtsp_packet.h"
#include "ngx_webrtc_rtsp_server.h"


/* bytes that a message's memory begins with; chosen: most requests */
#define NGX_WEBRTC_RTSP_SERVER_LEAST  2048

/* bytes of a Transport of ours */
#define NGX_WEBRTC_RTSP_SERVER_TRANSPORT  128

/* states, as bits */
#define NGX_WEBRTC_RTSP_IN_NEW        (1 << NGX_WEBRTC_RTSP_SERVER_NEW)
#define NGX_WEBRTC_RTSP_IN_ANNOUNCED  (1 << NGX_WEBRTC_RTSP_SERVER_ANNOUNCED)
#define NGX_WEBRTC_RTSP_IN_RECORDS    (1 << NGX_WEBRTC_RTSP_SERVER_RECORDS)
#define NGX_WEBRTC_RTSP_IN_ANY        (NGX_WEBRTC_RTSP_IN_NEW                 \
                                       |NGX_WEBRTC_RTSP_IN_ANNOUNCED          \
                                       |NGX_WEBRTC_RTSP_IN_RECORDS)

#define NGX_WEBRTC_RTSP_METHODS                                               \
    "OPTIONS, ANNOUNCE, SETUP, RECORD, GET_PARAMETER, SET_PARAMETER, TEARDOWN"


typedef ngx_int_t (*ngx_webrtc_rtsp_server_pt)(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body);

typedef struct {
    const char                *name;
    ngx_uint_t                 states;      /* in which it may come */
    ngx_webrtc_rtsp_server_pt  handler;
} ngx_webrtc_rtsp_server_method_t;

typedef struct {
    ngx_uint_t                 status;
    const char                *reason;
} ngx_webrtc_rtsp_server_status_t;


static ngx_int_t ngx_webrtc_rtsp_server_frames(ngx_webrtc_rtsp_server_t *s,
    u_char **pos, u_char *end);
static ngx_int_t ngx_webrtc_rtsp_server_collect(ngx_webrtc_rtsp_server_t *s,
    u_char **pos, u_char *end);
static ngx_int_t ngx_webrtc_rtsp_server_frame_begins(
    ngx_webrtc_rtsp_server_t *s, u_char **pos, u_char *end);
static ngx_int_t ngx_webrtc_rtsp_server_head(ngx_webrtc_rtsp_server_t *s,
    u_char **pos, u_char *end);
static ngx_int_t ngx_webrtc_rtsp_server_add(ngx_webrtc_rtsp_server_t *s,
    u_char **pos, size_t n);
static ngx_int_t ngx_webrtc_rtsp_server_whole(ngx_webrtc_rtsp_server_t *s);
static ngx_int_t ngx_webrtc_rtsp_server_first(ngx_webrtc_rtsp_server_t *s,
    u_char c);
static ngx_int_t ngx_webrtc_rtsp_server_length(ngx_webrtc_rtsp_server_t *s);
static ngx_int_t ngx_webrtc_rtsp_server_request(ngx_webrtc_rtsp_server_t *s);
static ngx_uint_t ngx_webrtc_rtsp_server_other(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m);
static ngx_int_t ngx_webrtc_rtsp_server_options(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body);
static ngx_int_t ngx_webrtc_rtsp_server_announce(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body);
static ngx_int_t ngx_webrtc_rtsp_server_setup(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body);
static size_t ngx_webrtc_rtsp_server_channels(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_track_t *t, ngx_int_t channel, u_char *buf);
static size_t ngx_webrtc_rtsp_server_ports(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_track_t *t, ngx_str_t *transport, u_char *buf);
static ngx_uint_t ngx_webrtc_rtsp_server_taken(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_track_t *t, ngx_uint_t channel);
static ngx_int_t ngx_webrtc_rtsp_server_record(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body);
static ngx_int_t ngx_webrtc_rtsp_server_alive(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body);
static ngx_int_t ngx_webrtc_rtsp_server_teardown(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body);
static ngx_int_t ngx_webrtc_rtsp_server_play(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body);
static ngx_int_t ngx_webrtc_rtsp_server_frame(ngx_webrtc_rtsp_server_t *s,
    u_char *p);
static ngx_int_t ngx_webrtc_rtsp_server_reply(ngx_webrtc_rtsp_server_t *s,
    ngx_str_t *cseq, ngx_uint_t status, ngx_str_t *fields);
static void ngx_webrtc_rtsp_server_answer(ngx_webrtc_rtsp_server_t *s,
    ngx_uint_t status, ngx_str_t *reason, ngx_str_t *fields);
static ngx_int_t ngx_webrtc_rtsp_server_print(ngx_webrtc_rtsp_server_t *s,
    ngx_str_t *cseq, ngx_uint_t status, ngx_str_t *reason, ngx_str_t *fields);
static const char *ngx_webrtc_rtsp_server_reason(ngx_uint_t status);


/* those that are not here are not implemented */

static const ngx_webrtc_rtsp_server_method_t
    ngx_webrtc_rtsp_server_methods[] = {

    { "OPTIONS", NGX_WEBRTC_RTSP_IN_ANY, ngx_webrtc_rtsp_server_options },
    { "ANNOUNCE", NGX_WEBRTC_RTSP_IN_NEW, ngx_webrtc_rtsp_server_announce },
    { "SETUP", NGX_WEBRTC_RTSP_IN_ANNOUNCED, ngx_webrtc_rtsp_server_setup },
    { "RECORD", NGX_WEBRTC_RTSP_IN_ANNOUNCED, ngx_webrtc_rtsp_server_record },
    { "GET_PARAMETER", NGX_WEBRTC_RTSP_IN_ANY, ngx_webrtc_rtsp_server_alive },
    { "SET_PARAMETER", NGX_WEBRTC_RTSP_IN_ANY, ngx_webrtc_rtsp_server_alive },
    { "TEARDOWN", NGX_WEBRTC_RTSP_IN_ANY, ngx_webrtc_rtsp_server_teardown },
    { "DESCRIBE", NGX_WEBRTC_RTSP_IN_ANY, ngx_webrtc_rtsp_server_play },
    { "PLAY", NGX_WEBRTC_RTSP_IN_ANY, ngx_webrtc_rtsp_server_play },
    { "PAUSE", NGX_WEBRTC_RTSP_IN_ANY, ngx_webrtc_rtsp_server_play },

    { NULL, 0, NULL }
};


/* 7.1.1; what has no words here is what a location has said */

static const ngx_webrtc_rtsp_server_status_t
    ngx_webrtc_rtsp_server_statuses[] = {

    { 200, "OK" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 409, "Conflict" },
    { 413, "Request Entity Too Large" },
    { 415, "Unsupported Media Type" },
    { 454, "Session Not Found" },
    { 455, "Method Not Valid In This State" },
    { 461, "Unsupported Transport" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "RTSP Version Not Supported" },
    { 551, "Option Not Supported" },

    { 0, "Refused" }
};


void
ngx_webrtc_rtsp_server_init(ngx_webrtc_rtsp_server_t *s,
    const ngx_webrtc_rtsp_server_ops_t *ops, void *ctx)
{
    s->ops = ops;
    s->ctx = ctx;
    s->max_sdp = ngx_min(s->max_sdp, NGX_WEBRTC_RTSP_BODY);
}


ngx_int_t
ngx_webrtc_rtsp_server_read(ngx_webrtc_rtsp_server_t *s, u_char **pos,
    u_char *end)
{
    ngx_int_t  rc;

    for ( ;; ) {

        if (s->state == NGX_WEBRTC_RTSP_SERVER_ASKED) {
            return NGX_AGAIN;
        }

        if (s->state == NGX_WEBRTC_RTSP_SERVER_OVER) {
            return NGX_DONE;
        }

        if (*pos == end) {
            return NGX_OK;
        }

        rc = s->nbuf ? NGX_OK : ngx_webrtc_rtsp_server_frames(s, pos, end);

        if (rc == NGX_OK && *pos < end) {
            rc = ngx_webrtc_rtsp_server_collect(s, pos, end);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


/* frames that are whole, where they are; and line ends between requests */

static ngx_int_t
ngx_webrtc_rtsp_server_frames(ngx_webrtc_rtsp_server_t *s, u_char **pos,
    u_char *end)
{
    u_char     *p;
    size_t      n;
    ngx_int_t   rc;

    while (*pos < end) {
        p = *pos;

        if (*p == CR || *p == LF) {
            (*pos)++;
            continue;
        }

        if (*p != '$' || end - p < NGX_WEBRTC_RTSP_FRAME) {
            break;
        }

        n = NGX_WEBRTC_RTSP_FRAME + ((p[2] << 8) | p[3]);

        if ((size_t) (end - p) < n) {
            break;
        }

        *pos += n;

        rc = ngx_webrtc_rtsp_server_frame(s, p);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* a request, or a frame in pieces */

static ngx_int_t
ngx_webrtc_rtsp_server_collect(ngx_webrtc_rtsp_server_t *s, u_char **pos,
    u_char *end)
{
    size_t     n;
    ngx_int_t  rc;

    if (s->nbuf == 0) {
        s->head = 0;
        s->line = 0;
        s->need = 0;

        if (ngx_webrtc_rtsp_server_first(s, **pos) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (s->need == 0) {
        rc = ((s->nbuf ? s->buf[0] : **pos) == '$')
             ? ngx_webrtc_rtsp_server_frame_begins(s, pos, end)
             : ngx_webrtc_rtsp_server_head(s, pos, end);

        if (rc != NGX_OK) {
            return rc == NGX_AGAIN ? NGX_OK : rc;
        }
    }

    n = ngx_min(s->need - s->nbuf, (size_t) (end - *pos));

    if (ngx_webrtc_rtsp_server_add(s, pos, n) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (s->nbuf < s->need) {
        return NGX_OK;
    }

    return ngx_webrtc_rtsp_server_whole(s);
}


/* NGX_OK: its length is known; NGX_AGAIN: not yet */

static ngx_int_t
ngx_webrtc_rtsp_server_frame_begins(ngx_webrtc_rtsp_server_t *s, u_char **pos,
    u_char *end)
{
    size_t  n;

    n = ngx_min(NGX_WEBRTC_RTSP_FRAME - s->nbuf, (size_t) (end - *pos));

    if (ngx_webrtc_rtsp_server_add(s, pos, n) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (s->nbuf < NGX_WEBRTC_RTSP_FRAME) {
        return NGX_AGAIN;
    }

    s->need = NGX_WEBRTC_RTSP_FRAME + ((s->buf[2] << 8) | s->buf[3]);

    return NGX_OK;
}


/* likewise, of a request: lines up to an empty one */

static ngx_int_t
ngx_webrtc_rtsp_server_head(ngx_webrtc_rtsp_server_t *s, u_char **pos,
    u_char *end)
{
    size_t   n;
    u_char  *p;

    while (*pos < end) {

        p = ngx_strlchr(*pos, end, LF);
        n = (p ? p + 1 : end) - *pos;

        if (n > NGX_WEBRTC_RTSP_HEAD - s->nbuf) {
            s->cause = "a request that is too large";
            return NGX_DECLINED;
        }

        if (ngx_webrtc_rtsp_server_add(s, pos, n) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (p == NULL) {
            return NGX_AGAIN;
        }

        n = s->nbuf - s->line;

        if (n == 1 || (n == 2 && s->buf[s->line] == CR)) {
            s->head = s->nbuf;
            return ngx_webrtc_rtsp_server_length(s);
        }

        s->line = s->nbuf;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_webrtc_rtsp_server_add(ngx_webrtc_rtsp_server_t *s, u_char **pos,
    size_t n)
{
    u_char  *p;
    size_t   size;

    if (n > s->size - s->nbuf) {

        size = ngx_max(s->nbuf + n, 2 * s->size);
        size = ngx_max(size, NGX_WEBRTC_RTSP_SERVER_LEAST);

        p = s->ops->grow(s->ctx, s->buf, size);
        if (p == NULL) {
            s->cause = "no memory";
            return NGX_DECLINED;
        }

        s->buf = p;
        s->size = size;
    }

    if (n) {
        ngx_memcpy(s->buf + s->nbuf, *pos, n);
    }

    s->nbuf += n;
    *pos += n;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_rtsp_server_whole(ngx_webrtc_rtsp_server_t *s)
{
    ngx_int_t  rc;

    rc = (s->buf[0] == '$') ? ngx_webrtc_rtsp_server_frame(s, s->buf)
                            : ngx_webrtc_rtsp_server_request(s);
    s->nbuf = 0;

    /* most requests are short */

    if (s->size > NGX_WEBRTC_RTSP_SERVER_LEAST
        && s->state < NGX_WEBRTC_RTSP_SERVER_RECORDS)
    {
        (void) s->ops->grow(s->ctx, s->buf, 0);
        s->buf = NULL;
        s->size = 0;
    }

    return rc;
}


/* methods are words in capitals */

static ngx_int_t
ngx_webrtc_rtsp_server_first(ngx_webrtc_rtsp_server_t *s, u_char c)
{
    if (c == '$' || (c >= 'A' && c <= 'Z')) {
        return NGX_OK;
    }

    s->cause = (c == 0x16) ? "TLS, as of rtsps" : "no RTSP";

    return NGX_DECLINED;
}


/* a header is whole: what its request has in all */

static ngx_int_t
ngx_webrtc_rtsp_server_length(ngx_webrtc_rtsp_server_t *s)
{
    ngx_webrtc_rtsp_message_t  m;

    (void) ngx_webrtc_rtsp_message_parse(s->buf, s->buf + s->head, &m);

    if (ngx_webrtc_rtsp_message_begins(&m.version, "HTTP/")) {
        s->cause = "HTTP";
        return NGX_DECLINED;
    }

    if (m.content_length > s->max_sdp) {
        s->nbuf = 0;
        s->state = NGX_WEBRTC_RTSP_SERVER_OVER;
        return (ngx_webrtc_rtsp_server_reply(s, &m.cseq, 413, NULL) == NGX_OK)
               ? NGX_AGAIN : NGX_DECLINED;
    }

    s->need = s->head + m.content_length;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_rtsp_server_request(ngx_webrtc_rtsp_server_t *s)
{
    ngx_int_t                  rc;
    ngx_str_t                  body, field;
    ngx_webrtc_rtsp_message_t  m;
    u_char                     unsupported[NGX_WEBRTC_RTSP_REASON];

    const ngx_webrtc_rtsp_server_method_t  *method;

    rc = ngx_webrtc_rtsp_message_parse(s->buf, s->buf + s->head, &m);

    if (ngx_webrtc_rtsp_message_begins(&m.method, "RTSP/")) {
        /* an answer: nothing was asked */
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return ngx_webrtc_rtsp_server_reply(s, &m.cseq, 400, NULL);
    }

    if (!ngx_webrtc_rtsp_message_begins(&m.version, "RTSP/1.")) {
        return ngx_webrtc_rtsp_server_reply(s, &m.cseq, 505, NULL);
    }

    if (m.require.len) {

        /* 12.32: there is nothing beyond the standard */

        field.data = unsupported;
        field.len = ngx_slprintf(unsupported,
                                 unsupported + sizeof(unsupported) - 2,
                                 "Unsupported: %V", &m.require)
                    - unsupported;
        field.data[field.len++] = CR;
        field.data[field.len++] = LF;

        return ngx_webrtc_rtsp_server_reply(s, &m.cseq, 551, &field);
    }

    if (ngx_webrtc_rtsp_server_other(s, &m)) {
        return ngx_webrtc_rtsp_server_reply(s, &m.cseq, 454, NULL);
    }

    body.data = s->buf + s->head;
    body.len = s->need - s->head;

    for (method = ngx_webrtc_rtsp_server_methods; method->name; method++) {

        if (m.method.len != ngx_strlen(method->name)
            || ngx_memcmp(m.method.data, method->name, m.method.len) != 0)
        {
            continue;
        }

        if (!(method->states & (1 << s->state))) {
            return ngx_webrtc_rtsp_server_reply(s, &m.cseq, 455, NULL);
        }

        return method->handler(s, &m, &body);
    }

    return ngx_webrtc_rtsp_server_reply(s, &m.cseq, 501, NULL);
}


/* 12.37: a session that is not the one of this connection; who has none yet
 * may say what it likes */

static ngx_uint_t
ngx_webrtc_rtsp_server_other(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m)
{
    return s->state >= NGX_WEBRTC_RTSP_SERVER_ANNOUNCED
           && m->session.len
           && (m->session.len < NGX_WEBRTC_RTSP_SESSION
               || ngx_memcmp(m->session.data, s->session,
                             NGX_WEBRTC_RTSP_SESSION)
                  != 0
               || (m->session.len > NGX_WEBRTC_RTSP_SESSION
                   && m->session.data[NGX_WEBRTC_RTSP_SESSION] != ';'));
}


static ngx_int_t
ngx_webrtc_rtsp_server_options(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body)
{
    static ngx_str_t  public = ngx_string("Public: " NGX_WEBRTC_RTSP_METHODS
                                          "\r\n");

    (void) body;

    return ngx_webrtc_rtsp_server_reply(s, &m->cseq, 200, &public);
}


/* 10.3: the description is kept, as tracks are named by its URLs */

static ngx_int_t
ngx_webrtc_rtsp_server_announce(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body)
{
    u_char     *p;
    ngx_str_t   sdp;

    if (body->len == 0
        || (m->type.len
            && !ngx_webrtc_rtsp_message_begins(&m->type, "application/sdp")))
    {
        return ngx_webrtc_rtsp_server_reply(s, &m->cseq, 415, NULL);
    }

    p = s->ops->grow(s->ctx, s->sdp, body->len);
    if (p == NULL) {
        s->cause = "no memory";
        return NGX_DECLINED;
    }

    ngx_memcpy(p, body->data, body->len);

    s->sdp = p;
    sdp.data = p;
    sdp.len = body->len;

    if (ngx_webrtc_rtsp_sdp_parse(&sdp, s->tracks, &s->ntracks) != NGX_OK) {
        return ngx_webrtc_rtsp_server_reply(s, &m->cseq, 415, NULL);
    }

    /* FFmpeg asks for UDP first, and for TCP, which loses nothing, then */

    if (ngx_webrtc_rtsp_message_begins(&m->agent, "Lavf")) {
        s->tcp = 1;
    }

    s->ncseq = m->cseq.len;
    ngx_memcpy(s->cseq, m->cseq.data, m->cseq.len);

    s->state = NGX_WEBRTC_RTSP_SERVER_ASKED;

    s->ops->announce(s->ctx, m);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_rtsp_server_setup(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body)
{
    ngx_str_t                 fields;
    ngx_int_t                 channel;
    ngx_webrtc_rtsp_track_t  *t;
    u_char                    buf[NGX_WEBRTC_RTSP_SERVER_TRANSPORT];

    (void) body;

    t = ngx_webrtc_rtsp_sdp_find(s->tracks, s->ntracks, &m->uri);

    if (t == NULL) {
        return ngx_webrtc_rtsp_server_reply(s, &m->cseq, 404, NULL);
    }

    t->set = 0;
    fields.data = buf;

    if (ngx_webrtc_rtsp_message_transport(&m->transport, &channel) == NGX_OK) {
        fields.len = ngx_webrtc_rtsp_server_channels(s, t, channel, buf);

    } else {
        fields.len = ngx_webrtc_rtsp_server_ports(s, t, &m->transport, buf);
    }

    if (fields.len == 0) {
        return ngx_webrtc_rtsp_server_reply(s, &m->cseq, 461, NULL);
    }

    t->set = 1;

    return ngx_webrtc_rtsp_server_reply(s, &m->cseq, 200, &fields);
}


/* the answer's field is written to buf, and its length returned; 0: none are
 * left.  10.12: those that are asked for, or others if they are taken */

static size_t
ngx_webrtc_rtsp_server_channels(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_track_t *t, ngx_int_t channel, u_char *buf)
{
    if (channel < 0 || ngx_webrtc_rtsp_server_taken(s, t, channel)) {

        /* there are more pairs than tracks */

        for (channel = 0; ngx_webrtc_rtsp_server_taken(s, t, channel);
             channel += 2)
        {
            /* void */
        }
    }

    t->udp = 0;
    t->channel = channel;

    return ngx_sprintf(buf, "Transport: RTP/AVP/TCP;unicast;"
                       "interleaved=%ui-%ui;mode=record\r\n",
                       t->channel, t->channel + 1)
           - buf;
}


/* likewise, of UDP */

static size_t
ngx_webrtc_rtsp_server_ports(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_track_t *t, ngx_str_t *transport, u_char *buf)
{
    in_port_t   ours;
    ngx_uint_t  port;

    if (s->tcp || !t->usable
        || ngx_webrtc_rtsp_message_udp(transport, &port) != NGX_OK
        || s->ops->ports(s->ctx, t - s->tracks, port, &ours) != NGX_OK)
    {
        return 0;
    }

    t->udp = 1;

    return ngx_sprintf(buf, "Transport: RTP/AVP;unicast;client_port=%ui-%ui;"
                       "server_port=%ui-%ui;mode=record\r\n",
                       port, port + 1, (ngx_uint_t) ours,
                       (ngx_uint_t) ours + 1)
           - buf;
}


static ngx_uint_t
ngx_webrtc_rtsp_server_taken(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_track_t *t, ngx_uint_t channel)
{
    ngx_uint_t                i;
    ngx_webrtc_rtsp_track_t  *other;

    for (i = 0; i < s->ntracks; i++) {
        other = &s->tracks[i];

        if (other != t && other->set && !other->udp
            && channel <= other->channel + 1 && other->channel <= channel + 1)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_webrtc_rtsp_server_record(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body)
{
    size_t      n;
    ngx_int_t   rc;
    u_char      sdp[NGX_WEBRTC_RTSP_SDP_MAX];

    (void) body;

    n = ngx_webrtc_rtsp_sdp_write(sdp, s->tracks, s->ntracks);

    if (n == 0) {
        return ngx_webrtc_rtsp_server_reply(s, &m->cseq, 455, NULL);
    }

    rc = ngx_webrtc_rtsp_server_reply(s, &m->cseq, 200, NULL);

    if (rc == NGX_OK) {
        s->state = NGX_WEBRTC_RTSP_SERVER_RECORDS;
        s->ops->record(s->ctx, sdp, n);
    }

    return rc;
}


static ngx_int_t
ngx_webrtc_rtsp_server_alive(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body)
{
    (void) body;

    return ngx_webrtc_rtsp_server_reply(s, &m->cseq, 200, NULL);
}


static ngx_int_t
ngx_webrtc_rtsp_server_teardown(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body)
{
    ngx_int_t  rc;

    (void) body;

    rc = ngx_webrtc_rtsp_server_reply(s, &m->cseq, 200, NULL);

    s->state = NGX_WEBRTC_RTSP_SERVER_OVER;

    return rc;
}


static ngx_int_t
ngx_webrtc_rtsp_server_play(ngx_webrtc_rtsp_server_t *s,
    ngx_webrtc_rtsp_message_t *m, ngx_str_t *body)
{
    static ngx_str_t  allow = ngx_string("Allow: " NGX_WEBRTC_RTSP_METHODS
                                         "\r\n");

    (void) body;

    return ngx_webrtc_rtsp_server_reply(s, &m->cseq, 405, &allow);
}


/* what comes before RECORD, and of channels that nobody has, is of no interest
 */

static ngx_int_t
ngx_webrtc_rtsp_server_frame(ngx_webrtc_rtsp_server_t *s, u_char *p)
{
    size_t                    n;
    ngx_uint_t                i, channel;
    ngx_webrtc_rtsp_track_t  *t;

    if (s->state != NGX_WEBRTC_RTSP_SERVER_RECORDS) {
        return NGX_OK;
    }

    channel = p[1];
    n = (p[2] << 8) | p[3];
    p += NGX_WEBRTC_RTSP_FRAME;

    for (i = 0; i < s->ntracks; i++) {
        t = &s->tracks[i];

        if (t->set && t->usable && !t->udp
            && (channel == t->channel || channel == t->channel + 1))
        {
            n = ngx_webrtc_rtsp_packet(t, i + 1, channel != t->channel, p, n);

            return n ? s->ops->media(s->ctx, p, n) : NGX_OK;
        }
    }

    return NGX_OK;
}


void
ngx_webrtc_rtsp_server_datagram(ngx_webrtc_rtsp_server_t *s,
    ngx_uint_t track, ngx_uint_t rtcp, u_char *p, size_t n)
{
    ngx_webrtc_rtsp_track_t  *t;

    t = &s->tracks[track];

    if (s->state != NGX_WEBRTC_RTSP_SERVER_RECORDS || track >= s->ntracks
        || !t->set || !t->usable || !t->udp)
    {
        return;
    }

    n = ngx_webrtc_rtsp_packet(t, track + 1, rtcp, p, n);

    if (n) {
        (void) s->ops->media(s->ctx, p, n);
    }
}


void
ngx_webrtc_rtsp_server_accept(ngx_webrtc_rtsp_server_t *s)
{
    s->state = NGX_WEBRTC_RTSP_SERVER_ANNOUNCED;

    ngx_webrtc_rtsp_server_answer(s, 200, NULL, NULL);
}


void
ngx_webrtc_rtsp_server_refuse(ngx_webrtc_rtsp_server_t *s, ngx_uint_t status,
    ngx_str_t *reason)
{
    if (s->state == NGX_WEBRTC_RTSP_SERVER_ASKED) {
        ngx_webrtc_rtsp_server_answer(s, status, reason, NULL);
    }

    s->state = NGX_WEBRTC_RTSP_SERVER_OVER;
}


ngx_int_t
ngx_webrtc_rtsp_server_again(ngx_webrtc_rtsp_server_t *s,
    ngx_str_t *challenge)
{
    ngx_webrtc_rtsp_server_answer(s, 401, NULL, challenge);

    if (++s->attempts == NGX_WEBRTC_RTSP_ATTEMPTS) {
        s->state = NGX_WEBRTC_RTSP_SERVER_OVER;
        return NGX_DECLINED;
    }

    s->state = NGX_WEBRTC_RTSP_SERVER_NEW;

    return NGX_OK;
}


void
ngx_webrtc_rtsp_server_free(ngx_webrtc_rtsp_server_t *s)
{
    if (s->buf) {
        (void) s->ops->grow(s->ctx, s->buf, 0);
        s->buf = NULL;
        s->size = 0;
        s->nbuf = 0;
    }

    if (s->sdp) {
        (void) s->ops->grow(s->ctx, s->sdp, 0);
        s->sdp = NULL;
        s->ntracks = 0;
    }
}


/* NGX_OK; NGX_DECLINED: it reads none of them */

static ngx_int_t
ngx_webrtc_rtsp_server_reply(ngx_webrtc_rtsp_server_t *s, ngx_str_t *cseq,
    ngx_uint_t status, ngx_str_t *fields)
{
    return ngx_webrtc_rtsp_server_print(s, cseq, status, NULL, fields);
}


/* to ANNOUNCE, which has waited */

static void
ngx_webrtc_rtsp_server_answer(ngx_webrtc_rtsp_server_t *s, ngx_uint_t status,
    ngx_str_t *reason, ngx_str_t *fields)
{
    ngx_str_t  cseq;

    cseq.data = s->cseq;
    cseq.len = s->ncseq;

    if (ngx_webrtc_rtsp_server_print(s, &cseq, status, reason, fields)
        != NGX_OK)
    {
        s->state = NGX_WEBRTC_RTSP_SERVER_OVER;
    }
}


static ngx_int_t
ngx_webrtc_rtsp_server_print(ngx_webrtc_rtsp_server_t *s, ngx_str_t *cseq,
    ngx_uint_t status, ngx_str_t *reason, ngx_str_t *fields)
{
    size_t      i, n;
    u_char     *p, *last;

    p = s->out + s->nout;
    last = s->out + sizeof(s->out);

    p = ngx_slprintf(p, last, "RTSP/1.0 %ui ", status);

    if (reason) {
        n = ngx_min(reason->len, NGX_WEBRTC_RTSP_REASON);

        for (i = 0; i < n && p < last; i++) {
            *p++ = (reason->data[i] >= ' ' && reason->data[i] < 0x7f)
                   ? reason->data[i] : '?';
        }

    } else {
        p = ngx_slprintf(p, last, "%s", ngx_webrtc_rtsp_server_reason(status));
    }

    if (cseq->len) {
        p = ngx_slprintf(p, last, "\r\nCSeq: %V", cseq);
    }

    if (s->state == NGX_WEBRTC_RTSP_SERVER_ANNOUNCED
        || s->state == NGX_WEBRTC_RTSP_SERVER_RECORDS)
    {
        p = ngx_slprintf(p, last, "\r\nSession: %*s;timeout=%ui",
                         (size_t) NGX_WEBRTC_RTSP_SESSION, s->session,
                         s->timeout);
    }

    p = ngx_slprintf(p, last, "\r\n");

    if (fields) {
        p = ngx_slprintf(p, last, "%V", fields);
    }

    p = ngx_slprintf(p, last, "\r\n");

    if (p == last) {
        s->cause = "answers that are not read";
        return NGX_DECLINED;
    }

    s->nout = p - s->out;

    return NGX_OK;
}


static const char *
ngx_webrtc_rtsp_server_reason(ngx_uint_t status)
{
    const ngx_webrtc_rtsp_server_status_t  *st;

    for (st = ngx_webrtc_rtsp_server_statuses; st->status; st++) {
        if (st->status == status) {
            break;
        }
    }

    return st->reason;
}
