
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTMP for publishers.  The contracts are in the header; section numbers are
 * those of "Adobe's Real Time Messaging Protocol" 1.0.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_amf0.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_rtmp_server.h"


#define NGX_WEBRTC_RTMP_SERVER_VERSION  3       /* 5.2.2 */

/* bytes; chosen: Adobe's own server says the same */
#define NGX_WEBRTC_RTMP_SERVER_WINDOW   2500000

/* bytes of our chunks; chosen: no message of ours is as long */
#define NGX_WEBRTC_RTMP_SERVER_CHUNK    4096

/* the least that a client may want to be told of; chosen: an answer costs as
 * much as reading a chunk */
#define NGX_WEBRTC_RTMP_SERVER_LEAST    16384

/* bytes of a command of ours */
#define NGX_WEBRTC_RTMP_SERVER_BODY     1024

/* of a reason for the client */
#define NGX_WEBRTC_RTMP_SERVER_REASON   256

/* chunk streams; 5.4: control; commands as other servers do */
#define NGX_WEBRTC_RTMP_SERVER_CSID2    2
#define NGX_WEBRTC_RTMP_SERVER_CSID3    3
#define NGX_WEBRTC_RTMP_SERVER_CSID5    5

/* the only stream of a connection */
#define NGX_WEBRTC_RTMP_SERVER_STREAM   1

/* events of CONTROL; 7.1.7 */
#define NGX_WEBRTC_RTMP_EVENT_BEGIN     0
#define NGX_WEBRTC_RTMP_EVENT_PING      6
#define NGX_WEBRTC_RTMP_EVENT_PONG      7


typedef ngx_int_t (*ngx_webrtc_rtmp_server_pt)(ngx_webrtc_rtmp_server_t *s,
    double number, u_char *p, u_char *end);

typedef struct {
    ngx_str_t                  name;
    ngx_webrtc_rtmp_server_pt  handler;
} ngx_webrtc_rtmp_server_command_t;


static ngx_int_t ngx_webrtc_rtmp_server_hello(ngx_webrtc_rtmp_server_t *s,
    u_char **pos, u_char *end);
static ngx_int_t ngx_webrtc_rtmp_server_c0(ngx_webrtc_rtmp_server_t *s,
    u_char c);
static ngx_int_t ngx_webrtc_rtmp_server_message(void *ctx,
    ngx_webrtc_rtmp_message_t *m);
static ngx_int_t ngx_webrtc_rtmp_server_control(ngx_webrtc_rtmp_server_t *s,
    ngx_webrtc_rtmp_message_t *m);
static ngx_int_t ngx_webrtc_rtmp_server_command(ngx_webrtc_rtmp_server_t *s,
    u_char *p, u_char *end);
static ngx_int_t ngx_webrtc_rtmp_server_connect(ngx_webrtc_rtmp_server_t *s,
    double number, u_char *p, u_char *end);
static ngx_int_t ngx_webrtc_rtmp_server_nothing(ngx_webrtc_rtmp_server_t *s,
    double number, u_char *p, u_char *end);
static ngx_int_t ngx_webrtc_rtmp_server_create(ngx_webrtc_rtmp_server_t *s,
    double number, u_char *p, u_char *end);
static ngx_int_t ngx_webrtc_rtmp_server_publish(ngx_webrtc_rtmp_server_t *s,
    double number, u_char *p, u_char *end);
static ngx_int_t ngx_webrtc_rtmp_server_play(ngx_webrtc_rtmp_server_t *s,
    double number, u_char *p, u_char *end);
static ngx_int_t ngx_webrtc_rtmp_server_delete(ngx_webrtc_rtmp_server_t *s,
    double number, u_char *p, u_char *end);
static ngx_int_t ngx_webrtc_rtmp_server_media(ngx_webrtc_rtmp_server_t *s,
    ngx_webrtc_rtmp_message_t *m);
static ngx_int_t ngx_webrtc_rtmp_server_data(ngx_webrtc_rtmp_server_t *s,
    ngx_webrtc_rtmp_message_t *m);
static ngx_int_t ngx_webrtc_rtmp_server_aggregate(ngx_webrtc_rtmp_server_t *s,
    ngx_webrtc_rtmp_message_t *m);
static u_char *ngx_webrtc_rtmp_server_grow(void *ctx, u_char *old,
    size_t size);
static ngx_int_t ngx_webrtc_rtmp_server_ack(ngx_webrtc_rtmp_server_t *s);
static ngx_int_t ngx_webrtc_rtmp_server_number(ngx_webrtc_rtmp_server_t *s,
    ngx_uint_t type, uint32_t v);
static ngx_int_t ngx_webrtc_rtmp_server_event(ngx_webrtc_rtmp_server_t *s,
    ngx_uint_t event, uint32_t v);
static ngx_int_t ngx_webrtc_rtmp_server_result(ngx_webrtc_rtmp_server_t *s,
    double number, const char *level, const char *code,
    const char *description);
static ngx_int_t ngx_webrtc_rtmp_server_status(ngx_webrtc_rtmp_server_t *s,
    const char *level, const char *code, ngx_str_t *description);
static u_char *ngx_webrtc_rtmp_server_info(u_char *p, u_char *end,
    const char *level, const char *code, ngx_str_t *description);
static ngx_int_t ngx_webrtc_rtmp_server_send(ngx_webrtc_rtmp_server_t *s,
    ngx_uint_t csid, ngx_uint_t type, uint32_t stream, u_char *body,
    u_char *last);


/* those that are not here are of no interest, and need no answer */

static const ngx_webrtc_rtmp_server_command_t
    ngx_webrtc_rtmp_server_commands[] = {

    { ngx_string("connect"), ngx_webrtc_rtmp_server_connect },
    { ngx_string("releaseStream"), ngx_webrtc_rtmp_server_nothing },
    { ngx_string("FCPublish"), ngx_webrtc_rtmp_server_nothing },
    { ngx_string("createStream"), ngx_webrtc_rtmp_server_create },
    { ngx_string("publish"), ngx_webrtc_rtmp_server_publish },
    { ngx_string("play"), ngx_webrtc_rtmp_server_play },
    { ngx_string("play2"), ngx_webrtc_rtmp_server_play },
    { ngx_string("FCUnpublish"), ngx_webrtc_rtmp_server_delete },
    { ngx_string("deleteStream"), ngx_webrtc_rtmp_server_delete },
    { ngx_string("closeStream"), ngx_webrtc_rtmp_server_delete },

    { ngx_null_string, NULL }
};


void
ngx_webrtc_rtmp_server_init(ngx_webrtc_rtmp_server_t *s,
    const ngx_webrtc_rtmp_server_ops_t *ops, void *ctx)
{
    s->ops = ops;
    s->ctx = ctx;

    s->chunks.grow = ngx_webrtc_rtmp_server_grow;
    s->chunks.message = ngx_webrtc_rtmp_server_message;
    s->chunks.ctx = s;
    s->chunks.most = NGX_WEBRTC_RTMP_COMMANDS;
    s->chunks.memory = 2 * NGX_WEBRTC_RTMP_COMMANDS;
}


ngx_int_t
ngx_webrtc_rtmp_server_read(ngx_webrtc_rtmp_server_t *s, u_char **pos,
    u_char *end)
{
    u_char     *p;
    ngx_int_t   rc;

    p = *pos;
    rc = NGX_OK;

    if (s->state < NGX_WEBRTC_RTMP_SERVER_NEW) {
        rc = ngx_webrtc_rtmp_server_hello(s, pos, end);
    }

    if (rc == NGX_OK && s->state >= NGX_WEBRTC_RTMP_SERVER_NEW) {

        if (s->state == NGX_WEBRTC_RTMP_SERVER_ASKED) {
            rc = NGX_AGAIN;

        } else if (s->state == NGX_WEBRTC_RTMP_SERVER_OVER) {
            rc = NGX_DONE;

        } else {
            s->chunks.cause = NULL;
            rc = ngx_webrtc_rtmp_chunks_read(&s->chunks, pos, end);

            if (rc == NGX_DECLINED && s->chunks.cause) {
                s->cause = s->chunks.cause;
            }
        }
    }

    s->received += *pos - p;

    if (rc == NGX_OK || rc == NGX_AGAIN) {
        if (ngx_webrtc_rtmp_server_ack(s) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    return rc;
}


/* 5.2: C2 is not compared: clients that compute digests send something else */

static ngx_int_t
ngx_webrtc_rtmp_server_hello(ngx_webrtc_rtmp_server_t *s, u_char **pos,
    u_char *end)
{
    size_t   n;
    u_char  *p;

    p = *pos;

    while (p < end && s->state < NGX_WEBRTC_RTMP_SERVER_NEW) {

        if (s->state == NGX_WEBRTC_RTMP_SERVER_C0) {
            if (ngx_webrtc_rtmp_server_c0(s, *p++) != NGX_OK) {
                return NGX_DECLINED;
            }

            continue;
        }

        n = ngx_min((size_t) (end - p), NGX_WEBRTC_RTMP_HANDSHAKE - s->skip);

        if (s->state == NGX_WEBRTC_RTMP_SERVER_C1) {

            /* S2 is C1, with a time of ours that is 0 */

            ngx_memcpy(s->out + s->nout, p, n);
            s->nout += n;
        }

        p += n;
        s->skip += n;

        if (s->skip == NGX_WEBRTC_RTMP_HANDSHAKE) {
            s->skip = 0;
            s->state++;
        }
    }

    *pos = p;

    return NGX_OK;
}


/* S0 and S1 leave with S2: a client sends C0 and C1 without waiting */

static ngx_int_t
ngx_webrtc_rtmp_server_c0(ngx_webrtc_rtmp_server_t *s, u_char c)
{
    if (c != NGX_WEBRTC_RTMP_SERVER_VERSION) {
        s->cause = (c == 6 || c == 8) ? "encrypted RTMP (rtmpe)"
                   : (c == 0x16) ? "TLS, as of rtmps"
                   : (c == 'G' || c == 'P' || c == 'O') ? "HTTP" : "no RTMP";
        return NGX_DECLINED;
    }

    s->state = NGX_WEBRTC_RTMP_SERVER_C1;

    /* 5.2.3: time, zero, and bytes that may be anything */

    s->out[0] = NGX_WEBRTC_RTMP_SERVER_VERSION;
    ngx_memzero(s->out + 1, NGX_WEBRTC_RTMP_HANDSHAKE);
    s->nout = 1 + NGX_WEBRTC_RTMP_HANDSHAKE;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_rtmp_server_message(void *ctx, ngx_webrtc_rtmp_message_t *m)
{
    ngx_webrtc_rtmp_server_t *s = ctx;

    switch (m->type) {

    case NGX_WEBRTC_RTMP_TYPE_CONTROL:
        return ngx_webrtc_rtmp_server_control(s, m);

    case NGX_WEBRTC_RTMP_TYPE_COMMAND:
        return ngx_webrtc_rtmp_server_command(s, m->data, m->data + m->len);

    case NGX_WEBRTC_RTMP_TYPE_COMMAND3:

        /* a byte for the format, and AMF 0 as long as there are no objects */

        return m->len ? ngx_webrtc_rtmp_server_command(s, m->data + 1,
                                                       m->data + m->len)
                      : NGX_OK;

    default:
        break;
    }

    if (s->state != NGX_WEBRTC_RTMP_SERVER_PUBLISHES || m->len == 0) {
        return NGX_OK;
    }

    switch (m->type) {

    case NGX_WEBRTC_RTMP_TYPE_AUDIO:
    case NGX_WEBRTC_RTMP_TYPE_VIDEO:
        return ngx_webrtc_rtmp_server_media(s, m);

    case NGX_WEBRTC_RTMP_TYPE_DATA3:
        m->data++;
        m->len--;
        return ngx_webrtc_rtmp_server_data(s, m);

    case NGX_WEBRTC_RTMP_TYPE_DATA:
        return ngx_webrtc_rtmp_server_data(s, m);

    case NGX_WEBRTC_RTMP_TYPE_AGGREGATE:
        return ngx_webrtc_rtmp_server_aggregate(s, m);

    default:
        return NGX_OK;
    }
}


static ngx_int_t
ngx_webrtc_rtmp_server_control(ngx_webrtc_rtmp_server_t *s,
    ngx_webrtc_rtmp_message_t *m)
{
    u_char    *p, *end;
    uint16_t   event;
    uint32_t   v;

    v = 0;
    event = 0;
    end = m->data + m->len;

    p = ngx_webrtc_read_u16(m->data, end, &event);
    p = ngx_webrtc_read_u32(p, end, &v);

    if (p == NULL || event != NGX_WEBRTC_RTMP_EVENT_PING) {
        return NGX_OK;
    }

    return ngx_webrtc_rtmp_server_event(s, NGX_WEBRTC_RTMP_EVENT_PONG, v);
}


/* 7.2: a name, a number, and what the command has */

static ngx_int_t
ngx_webrtc_rtmp_server_command(ngx_webrtc_rtmp_server_t *s, u_char *p,
    u_char *end)
{
    double      number;
    ngx_str_t   name;

    const ngx_webrtc_rtmp_server_command_t  *c;

    number = 0;

    p = ngx_webrtc_amf0_read_string(p, end, &name);
    p = p ? ngx_webrtc_amf0_read_number(p, end, &number) : NULL;

    if (p == NULL) {
        s->cause = "a malformed command";
        return NGX_DECLINED;
    }

    for (c = ngx_webrtc_rtmp_server_commands; c->name.len; c++) {

        if (name.len != c->name.len
            || ngx_memcmp(name.data, c->name.data, name.len) != 0)
        {
            continue;
        }

        if ((s->state == NGX_WEBRTC_RTMP_SERVER_NEW)
            != (c->handler == ngx_webrtc_rtmp_server_connect))
        {
            s->cause = "a command out of order";
            return NGX_DECLINED;
        }

        return c->handler(s, number, p, end);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_rtmp_server_connect(ngx_webrtc_rtmp_server_t *s, double number,
    u_char *p, u_char *end)
{
    ngx_int_t  rc;
    ngx_str_t  app, url, agent;

    const ngx_webrtc_amf0_want_t  want[] = {
        { "app", &app },
        { "tcUrl", &url },
        { "flashVer", &agent }
    };

    ngx_str_null(&app);
    ngx_str_null(&url);
    ngx_str_null(&agent);

    if (ngx_webrtc_amf0_read(p, end, want, 3) == NULL
        || app.len > NGX_WEBRTC_RTMP_APP_MAX)
    {
        s->cause = "a malformed \"connect\"";
        return NGX_DECLINED;
    }

    agent.len = ngx_min(agent.len, NGX_WEBRTC_RTMP_AGENT_MAX);

    if (s->ops->connect(s->ctx, &app, &url, &agent) != NGX_OK) {

        s->state = NGX_WEBRTC_RTMP_SERVER_OVER;

        rc = ngx_webrtc_rtmp_server_result(s, number, "error",
                                           "NetConnection.Connect.Rejected",
                                           "there is no such application");

        return (rc == NGX_OK) ? NGX_DONE : rc;
    }

    s->state = NGX_WEBRTC_RTMP_SERVER_CONNECTED;

    if (ngx_webrtc_rtmp_server_number(s, NGX_WEBRTC_RTMP_TYPE_WINDOW,
                                      NGX_WEBRTC_RTMP_SERVER_WINDOW)
        != NGX_OK
        || ngx_webrtc_rtmp_server_number(s, NGX_WEBRTC_RTMP_TYPE_BANDWIDTH,
                                         NGX_WEBRTC_RTMP_SERVER_WINDOW)
           != NGX_OK
        || ngx_webrtc_rtmp_server_number(s, NGX_WEBRTC_RTMP_TYPE_CHUNK,
                                         NGX_WEBRTC_RTMP_SERVER_CHUNK)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return ngx_webrtc_rtmp_server_result(s, number, "status",
                                         "NetConnection.Connect.Success",
                                         "Connection succeeded.");
}


static ngx_int_t
ngx_webrtc_rtmp_server_nothing(ngx_webrtc_rtmp_server_t *s, double number,
    u_char *p, u_char *end)
{
    (void) p;
    (void) end;

    return ngx_webrtc_rtmp_server_result(s, number, NULL, NULL, NULL);
}


static ngx_int_t
ngx_webrtc_rtmp_server_create(ngx_webrtc_rtmp_server_t *s, double number,
    u_char *p, u_char *end)
{
    u_char     *last;
    u_char      body[NGX_WEBRTC_RTMP_SERVER_BODY];
    ngx_str_t   name;

    (void) p;

    ngx_str_set(&name, "_result");

    end = body + sizeof(body);

    last = ngx_webrtc_amf0_write_string(body, end, &name);
    last = ngx_webrtc_amf0_write_number(last, end, number);
    last = ngx_webrtc_amf0_write_marker(last, end, NGX_WEBRTC_AMF0_NULL);
    last = ngx_webrtc_amf0_write_number(last, end,
                                        NGX_WEBRTC_RTMP_SERVER_STREAM);

    return ngx_webrtc_rtmp_server_send(s, NGX_WEBRTC_RTMP_SERVER_CSID3,
                                       NGX_WEBRTC_RTMP_TYPE_COMMAND, 0, body,
                                       last);
}


/* 7.2.2.6: null, a name, and "live", "record" or "append" */

static ngx_int_t
ngx_webrtc_rtmp_server_publish(ngx_webrtc_rtmp_server_t *s, double number,
    u_char *p, u_char *end)
{
    ngx_str_t  name;

    (void) number;

    p = ngx_webrtc_amf0_read(p, end, NULL, 0);
    p = p ? ngx_webrtc_amf0_read_string(p, end, &name) : NULL;

    if (p == NULL || name.len > NGX_WEBRTC_RTMP_KEY_MAX) {
        s->cause = "a malformed \"publish\"";
        return NGX_DECLINED;
    }

    if (s->state != NGX_WEBRTC_RTMP_SERVER_CONNECTED) {
        s->cause = "a second \"publish\"";
        return NGX_DECLINED;
    }

    s->state = NGX_WEBRTC_RTMP_SERVER_ASKED;

    s->ops->publish(s->ctx, &name);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_webrtc_rtmp_server_play(ngx_webrtc_rtmp_server_t *s, double number,
    u_char *p, u_char *end)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    (void) number;
    (void) p;
    (void) end;

    ngx_str_set(&text, "this port takes publishers; play by WHEP");

    rc = ngx_webrtc_rtmp_server_status(s, "error", "NetStream.Play.Failed",
                                       &text);

    s->state = NGX_WEBRTC_RTMP_SERVER_OVER;

    return (rc == NGX_OK) ? NGX_DONE : rc;
}


static ngx_int_t
ngx_webrtc_rtmp_server_delete(ngx_webrtc_rtmp_server_t *s, double number,
    u_char *p, u_char *end)
{
    ngx_str_t  text;

    (void) number;
    (void) p;
    (void) end;

    if (s->state != NGX_WEBRTC_RTMP_SERVER_PUBLISHES) {

        /* of an earlier stream, as clients do before the first */

        return NGX_OK;
    }

    ngx_str_set(&text, "Stopped publishing.");

    (void) ngx_webrtc_rtmp_server_status(s, "status",
                                         "NetStream.Unpublish.Success", &text);

    s->state = NGX_WEBRTC_RTMP_SERVER_OVER;

    return NGX_DONE;
}


static ngx_int_t
ngx_webrtc_rtmp_server_media(ngx_webrtc_rtmp_server_t *s,
    ngx_webrtc_rtmp_message_t *m)
{
    s->last_ms = m->timestamp;

    return s->ops->media(s->ctx, m->type, m->timestamp, m->data, m->len);
}


/* 7.1.2: "@setDataFrame", and what a file has: "onMetaData" and an object */

static ngx_int_t
ngx_webrtc_rtmp_server_data(ngx_webrtc_rtmp_server_t *s,
    ngx_webrtc_rtmp_message_t *m)
{
    u_char     *p, *end, *body;
    ngx_str_t   name;

    end = m->data + m->len;
    body = m->data;

    p = ngx_webrtc_amf0_read_string(body, end, &name);

    if (p && name.len == sizeof("@setDataFrame") - 1
        && ngx_memcmp(name.data, "@setDataFrame", name.len) == 0)
    {
        body = p;
        p = ngx_webrtc_amf0_read_string(body, end, &name);
    }

    if (p == NULL || name.len != sizeof("onMetaData") - 1
        || ngx_memcmp(name.data, "onMetaData", name.len) != 0)
    {
        return NGX_OK;
    }

    /* encoders send it with time 0 whenever they do */

    return s->ops->media(s->ctx, NGX_WEBRTC_RTMP_TYPE_DATA, s->last_ms, body,
                         end - body);
}


/*
 * 7.1.6: tags as in a file, whose times begin with the message's.  They are
 * made what they have to be in their place, and told at once: there may be
 * half a million.
 */

static ngx_int_t
ngx_webrtc_rtmp_server_aggregate(ngx_webrtc_rtmp_server_t *s,
    ngx_webrtc_rtmp_message_t *m)
{
    size_t       n;
    u_char      *p, *end, *tag, *last;
    uint8_t      type, high;
    uint32_t     len, ms, first;
    ngx_uint_t   i;

    p = m->data;
    last = m->data;
    end = m->data + m->len;
    first = 0;

    for (i = 0; p < end; i++) {

        tag = p;
        type = high = 0;
        len = ms = 0;

        p = ngx_webrtc_read_u8(p, end, &type);
        p = ngx_webrtc_read_u24(p, end, &len);
        p = ngx_webrtc_read_u24(p, end, &ms);
        p = ngx_webrtc_read_u8(p, end, &high);
        p = ngx_webrtc_skip(p, end, 3);
        p = ngx_webrtc_skip(p, end, (size_t) len + NGX_WEBRTC_RTMP_TAG_END);

        if (p == NULL) {
            s->cause = "a malformed aggregate";
            return NGX_DECLINED;
        }

        ms |= (uint32_t) high << 24;
        first = i ? first : ms;

        if (len == 0 || (type != NGX_WEBRTC_RTMP_TYPE_AUDIO
                         && type != NGX_WEBRTC_RTMP_TYPE_VIDEO))
        {
            continue;
        }

        s->last_ms = m->timestamp + (ms - first);

        n = p - tag;
        ngx_memmove(last, tag, n);

        ngx_webrtc_rtmp_tag(last, type, s->last_ms, len);
        ngx_webrtc_rtmp_tag_end(last + n - NGX_WEBRTC_RTMP_TAG_END, len);

        last += n;
    }

    if (last == m->data) {
        return NGX_OK;
    }

    return s->ops->media(s->ctx, NGX_WEBRTC_RTMP_TYPE_AGGREGATE, 0, m->data,
                         last - m->data);
}


static u_char *
ngx_webrtc_rtmp_server_grow(void *ctx, u_char *old, size_t size)
{
    ngx_webrtc_rtmp_server_t *s = ctx;

    return s->ops->grow(s->ctx, old, size);
}


/* 5.4.3: how much has come, before the client waits for it */

static ngx_int_t
ngx_webrtc_rtmp_server_ack(ngx_webrtc_rtmp_server_t *s)
{
    uint32_t  window;

    window = s->chunks.window ? s->chunks.window
                              : NGX_WEBRTC_RTMP_SERVER_WINDOW;
    window = ngx_max(window / 2, NGX_WEBRTC_RTMP_SERVER_LEAST);

    if (s->state <= NGX_WEBRTC_RTMP_SERVER_NEW
        || s->received - s->acked < window)
    {
        return NGX_OK;
    }

    s->acked = s->received;

    return ngx_webrtc_rtmp_server_number(s, NGX_WEBRTC_RTMP_TYPE_ACK,
                                         (uint32_t) s->received);
}


void
ngx_webrtc_rtmp_server_accept(ngx_webrtc_rtmp_server_t *s)
{
    ngx_str_t  text;

    ngx_str_set(&text, "Start publishing.");

    s->state = NGX_WEBRTC_RTMP_SERVER_PUBLISHES;
    s->chunks.most = NGX_WEBRTC_RTMP_MESSAGE;
    s->chunks.memory = NGX_WEBRTC_RTMP_MEMORY;

    (void) ngx_webrtc_rtmp_server_event(s, NGX_WEBRTC_RTMP_EVENT_BEGIN,
                                        NGX_WEBRTC_RTMP_SERVER_STREAM);
    (void) ngx_webrtc_rtmp_server_status(s, "status",
                                         "NetStream.Publish.Start", &text);
}


void
ngx_webrtc_rtmp_server_refuse(ngx_webrtc_rtmp_server_t *s, ngx_str_t *reason)
{
    s->state = NGX_WEBRTC_RTMP_SERVER_OVER;

    (void) ngx_webrtc_rtmp_server_status(s, "error",
                                         "NetStream.Publish.BadName", reason);
}


void
ngx_webrtc_rtmp_server_end(ngx_webrtc_rtmp_server_t *s, ngx_str_t *reason)
{
    if (s->state == NGX_WEBRTC_RTMP_SERVER_PUBLISHES) {
        s->state = NGX_WEBRTC_RTMP_SERVER_OVER;

        (void) ngx_webrtc_rtmp_server_status(s, "error",
                                             "NetStream.Publish.Idle", reason);
    }
}


void
ngx_webrtc_rtmp_server_free(ngx_webrtc_rtmp_server_t *s)
{
    ngx_webrtc_rtmp_chunks_free(&s->chunks);
}


static ngx_int_t
ngx_webrtc_rtmp_server_number(ngx_webrtc_rtmp_server_t *s, ngx_uint_t type,
    uint32_t v)
{
    u_char  *last;
    u_char   body[5];

    last = ngx_webrtc_write_u32(body, body + 4, v);

    if (type == NGX_WEBRTC_RTMP_TYPE_BANDWIDTH) {

        /* 5.4.5: dynamic */

        last = ngx_webrtc_write_u8(last, body + 5, 2);
    }

    return ngx_webrtc_rtmp_server_send(s, NGX_WEBRTC_RTMP_SERVER_CSID2, type,
                                       0, body, last);
}


static ngx_int_t
ngx_webrtc_rtmp_server_event(ngx_webrtc_rtmp_server_t *s, ngx_uint_t event,
    uint32_t v)
{
    u_char  *last;
    u_char   body[6];

    last = ngx_webrtc_write_u16(body, body + 6, (uint16_t) event);
    last = ngx_webrtc_write_u32(last, body + 6, v);

    return ngx_webrtc_rtmp_server_send(s, NGX_WEBRTC_RTMP_SERVER_CSID2,
                                       NGX_WEBRTC_RTMP_TYPE_CONTROL, 0, body,
                                       last);
}


/* level NULL: nothing is said but that it was done */

static ngx_int_t
ngx_webrtc_rtmp_server_result(ngx_webrtc_rtmp_server_t *s, double number,
    const char *level, const char *code, const char *description)
{
    u_char     *last, *end;
    u_char      body[NGX_WEBRTC_RTMP_SERVER_BODY];
    ngx_str_t   name, text;

    ngx_str_set(&name, "_result");

    if (level && level[0] == 'e') {
        ngx_str_set(&name, "_error");
    }

    end = body + sizeof(body);

    last = ngx_webrtc_amf0_write_string(body, end, &name);
    last = ngx_webrtc_amf0_write_number(last, end, number);

    if (level == NULL) {
        last = ngx_webrtc_amf0_write_marker(last, end, NGX_WEBRTC_AMF0_NULL);
        last = ngx_webrtc_amf0_write_marker(last, end,
                                            NGX_WEBRTC_AMF0_UNDEFINED);

    } else {
        ngx_str_set(&text, "FMS/3,0,1,123");

        last = ngx_webrtc_amf0_write_marker(last, end,
                                            NGX_WEBRTC_AMF0_OBJECT);
        last = ngx_webrtc_amf0_write_property(last, end, "fmsVer", &text);
        last = ngx_webrtc_amf0_write_end(last, end);

        text.data = (u_char *) description;
        text.len = ngx_strlen(description);

        last = ngx_webrtc_rtmp_server_info(last, end, level, code, &text);
    }

    return ngx_webrtc_rtmp_server_send(s, NGX_WEBRTC_RTMP_SERVER_CSID3,
                                       NGX_WEBRTC_RTMP_TYPE_COMMAND, 0, body,
                                       last);
}


static ngx_int_t
ngx_webrtc_rtmp_server_status(ngx_webrtc_rtmp_server_t *s, const char *level,
    const char *code, ngx_str_t *description)
{
    u_char     *last, *end;
    u_char      body[NGX_WEBRTC_RTMP_SERVER_BODY];
    ngx_str_t   name, text;

    ngx_str_set(&name, "onStatus");

    text = *description;
    text.len = ngx_min(text.len, NGX_WEBRTC_RTMP_SERVER_REASON);

    end = body + sizeof(body);

    last = ngx_webrtc_amf0_write_string(body, end, &name);
    last = ngx_webrtc_amf0_write_number(last, end, 0);
    last = ngx_webrtc_amf0_write_marker(last, end, NGX_WEBRTC_AMF0_NULL);
    last = ngx_webrtc_rtmp_server_info(last, end, level, code, &text);

    return ngx_webrtc_rtmp_server_send(s, NGX_WEBRTC_RTMP_SERVER_CSID5,
                                       NGX_WEBRTC_RTMP_TYPE_COMMAND,
                                       NGX_WEBRTC_RTMP_SERVER_STREAM, body,
                                       last);
}


static u_char *
ngx_webrtc_rtmp_server_info(u_char *p, u_char *end, const char *level,
    const char *code, ngx_str_t *description)
{
    ngx_str_t  text;

    p = ngx_webrtc_amf0_write_marker(p, end, NGX_WEBRTC_AMF0_OBJECT);

    text.data = (u_char *) level;
    text.len = ngx_strlen(level);
    p = ngx_webrtc_amf0_write_property(p, end, "level", &text);

    text.data = (u_char *) code;
    text.len = ngx_strlen(code);
    p = ngx_webrtc_amf0_write_property(p, end, "code", &text);

    p = ngx_webrtc_amf0_write_property(p, end, "description", description);

    return ngx_webrtc_amf0_write_end(p, end);
}


static ngx_int_t
ngx_webrtc_rtmp_server_send(ngx_webrtc_rtmp_server_t *s, ngx_uint_t csid,
    ngx_uint_t type, uint32_t stream, u_char *body, u_char *last)
{
    u_char  *p;

    if (last == NULL) {
        s->cause = "an answer that is too long";
        return NGX_DECLINED;
    }

    p = ngx_webrtc_rtmp_chunks_write(s->out + s->nout,
                                     s->out + NGX_WEBRTC_RTMP_REPLIES, csid,
                                     type, stream, body, last - body);
    if (p == NULL) {
        s->cause = "it does not read what it is sent";
        return NGX_DECLINED;
    }

    s->nout = p - s->out;

    return NGX_OK;
}


/* announces nothing: onMetaData does, and what is announced is waited for */

void
ngx_webrtc_rtmp_flv(u_char p[NGX_WEBRTC_RTMP_FLV])
{
    ngx_memcpy(p, "FLV\001\000\000\000\000\011\000\000\000\000",
               NGX_WEBRTC_RTMP_FLV);
}


void
ngx_webrtc_rtmp_tag(u_char p[NGX_WEBRTC_RTMP_TAG], ngx_uint_t type,
    uint32_t ms, size_t len)
{
    u_char  *end;

    end = p + NGX_WEBRTC_RTMP_TAG;

    p = ngx_webrtc_write_u8(p, end, (uint8_t) type);
    p = ngx_webrtc_write_u24(p, end, (uint32_t) len);
    p = ngx_webrtc_write_u24(p, end, ms & 0xffffff);
    p = ngx_webrtc_write_u8(p, end, (uint8_t) (ms >> 24));
    (void) ngx_webrtc_write_u24(p, end, 0);
}


void
ngx_webrtc_rtmp_tag_end(u_char p[NGX_WEBRTC_RTMP_TAG_END], size_t len)
{
    (void) ngx_webrtc_write_u32(p, p + NGX_WEBRTC_RTMP_TAG_END,
                                (uint32_t) (NGX_WEBRTC_RTMP_TAG + len));
}
