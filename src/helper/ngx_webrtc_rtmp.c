
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTMP, just enough to ask: does this server have that stream?  The contracts
 * are in the header.
 *
 * "Adobe's Real Time Messaging Protocol" 1.0, December 2012; AMF 0.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_rtmp.h"


#define NGX_WEBRTC_RTMP_VERSION       3          /* 5.2.2 */
#define NGX_WEBRTC_RTMP_HANDSHAKE     1536       /* bytes; 5.2.3 */
#define NGX_WEBRTC_RTMP_CHUNK         128        /* bytes; 5.4.1 */
#define NGX_WEBRTC_RTMP_CHUNK_MAX     0xffffff   /* bytes; 5.4.1 */
#define NGX_WEBRTC_RTMP_EXTENDED      0xffffff   /* a timestamp; 5.3.1.3 */
#define NGX_WEBRTC_RTMP_PORT          1935

/* types of messages; 5.4, 7.1 */
#define NGX_WEBRTC_RTMP_SET_CHUNK     1
#define NGX_WEBRTC_RTMP_CONTROL       4
#define NGX_WEBRTC_RTMP_AUDIO         8
#define NGX_WEBRTC_RTMP_VIDEO         9
#define NGX_WEBRTC_RTMP_DATA          18
#define NGX_WEBRTC_RTMP_COMMAND       20

/* events of CONTROL; 7.1.7 */
#define NGX_WEBRTC_RTMP_STREAM_BEGIN  0
#define NGX_WEBRTC_RTMP_STREAM_EOF    1

/* markers of AMF 0, 2.1 */
#define NGX_WEBRTC_AMF_NUMBER         0
#define NGX_WEBRTC_AMF_BOOLEAN        1
#define NGX_WEBRTC_AMF_STRING         2
#define NGX_WEBRTC_AMF_OBJECT         3
#define NGX_WEBRTC_AMF_NULL           5
#define NGX_WEBRTC_AMF_OBJECT_END     9

/* chunk streams for commands; chosen, as other clients do */
#define NGX_WEBRTC_RTMP_CSID          3
#define NGX_WEBRTC_RTMP_CSID_PLAY     8

/* milliseconds: a live stream or else a recorded one; 7.2.2.1 */
#define NGX_WEBRTC_RTMP_ANY           -2000.0

/* numbers of our commands */
#define NGX_WEBRTC_RTMP_CONNECT       1
#define NGX_WEBRTC_RTMP_CREATE        2
#define NGX_WEBRTC_RTMP_PLAY          3


static u_char *ngx_webrtc_rtmp_skip(ngx_webrtc_rtmp_t *r, u_char *p,
    u_char *end);
static u_char *ngx_webrtc_rtmp_head(ngx_webrtc_rtmp_t *r, u_char *p,
    u_char *end);
static size_t ngx_webrtc_rtmp_head_size(ngx_webrtc_rtmp_t *r);
static ngx_int_t ngx_webrtc_rtmp_head_done(ngx_webrtc_rtmp_t *r);
static uint32_t ngx_webrtc_rtmp_csid(ngx_webrtc_rtmp_t *r, size_t *n);
static ngx_webrtc_rtmp_chunk_t *ngx_webrtc_rtmp_chunk(ngx_webrtc_rtmp_t *r,
    uint32_t csid);
static u_char *ngx_webrtc_rtmp_data(ngx_webrtc_rtmp_t *r, u_char *p,
    u_char *end);
static ngx_int_t ngx_webrtc_rtmp_chunk_done(ngx_webrtc_rtmp_t *r);
static ngx_int_t ngx_webrtc_rtmp_message(ngx_webrtc_rtmp_t *r,
    ngx_webrtc_rtmp_chunk_t *ch);
static ngx_int_t ngx_webrtc_rtmp_command(ngx_webrtc_rtmp_t *r, u_char *p,
    u_char *end);
static ngx_int_t ngx_webrtc_rtmp_result(ngx_webrtc_rtmp_t *r, u_char *p,
    u_char *end, double number);
static ngx_int_t ngx_webrtc_rtmp_status(ngx_webrtc_rtmp_t *r, u_char *p,
    u_char *end);
static ngx_uint_t ngx_webrtc_rtmp_is(ngx_str_t *s, const char *text);
static u_char *ngx_webrtc_amf_read_string(u_char *p, u_char *end,
    ngx_str_t *s);
static u_char *ngx_webrtc_amf_read_number(u_char *p, u_char *end, double *v);
static u_char *ngx_webrtc_amf_read_null(u_char *p, u_char *end);
static u_char *ngx_webrtc_amf_skip(u_char *p, u_char *end);
static u_char *ngx_webrtc_amf_write_string(u_char *p, u_char *end,
    const void *data, size_t n);
static u_char *ngx_webrtc_amf_write_number(u_char *p, u_char *end, double v);
static u_char *ngx_webrtc_amf_write_property(u_char *p, u_char *end,
    const char *name, ngx_str_t *value);
static ngx_int_t ngx_webrtc_rtmp_connect(ngx_webrtc_rtmp_t *r);
static ngx_int_t ngx_webrtc_rtmp_create(ngx_webrtc_rtmp_t *r);
static ngx_int_t ngx_webrtc_rtmp_play(ngx_webrtc_rtmp_t *r, uint32_t stream);
static ngx_int_t ngx_webrtc_rtmp_send(ngx_webrtc_rtmp_t *r, ngx_uint_t csid,
    uint32_t stream, u_char *body, size_t n);
static u_char *ngx_webrtc_rtmp_url_host(u_char *p, u_char *last,
    ngx_webrtc_rtmp_url_t *url);
static ngx_uint_t ngx_webrtc_rtmp_ends(ngx_str_t *s, const char *text);


void
ngx_webrtc_rtmp_init(ngx_webrtc_rtmp_t *r, ngx_str_t *app, ngx_str_t *name,
    ngx_str_t *url)
{
    ngx_memzero(r, sizeof(ngx_webrtc_rtmp_t));

    r->app = *app;
    r->name = *name;
    r->url = *url;
    r->chunk_size = NGX_WEBRTC_RTMP_CHUNK;
    r->left = 1;

    /* time, zero, and bytes that may be anything: 5.2.3 */

    r->out[0] = NGX_WEBRTC_RTMP_VERSION;
    r->nout = 1 + NGX_WEBRTC_RTMP_HANDSHAKE;
}


ngx_int_t
ngx_webrtc_rtmp_read(ngx_webrtc_rtmp_t *r, u_char *p, u_char *end)
{
    while (p != NULL && p < end) {

        switch (r->state) {

        case NGX_WEBRTC_RTMP_S0:
        case NGX_WEBRTC_RTMP_S1:
        case NGX_WEBRTC_RTMP_S2:
            p = ngx_webrtc_rtmp_skip(r, p, end);
            break;

        case NGX_WEBRTC_RTMP_CHUNK_HEAD:
            p = ngx_webrtc_rtmp_head(r, p, end);
            break;

        case NGX_WEBRTC_RTMP_CHUNK_DATA:
            p = ngx_webrtc_rtmp_data(r, p, end);
            break;
        }
    }

    return p ? NGX_OK : NGX_DECLINED;
}


/* the handshake, 5.2: C2 is S1 */

static u_char *
ngx_webrtc_rtmp_skip(ngx_webrtc_rtmp_t *r, u_char *p, u_char *end)
{
    size_t   n;
    u_char  *q;

    n = ngx_min((size_t) (end - p), r->left);

    if (r->state == NGX_WEBRTC_RTMP_S0 && *p != NGX_WEBRTC_RTMP_VERSION) {
        return NULL;
    }

    if (r->state == NGX_WEBRTC_RTMP_S1) {

        q = ngx_webrtc_write_mem(r->out + r->nout,
                                 r->out + NGX_WEBRTC_RTMP_OUT, p, n);
        if (q == NULL) {
            return NULL;
        }

        r->nout = q - r->out;
    }

    p += n;
    r->left -= n;

    if (r->left) {
        return p;
    }

    r->left = NGX_WEBRTC_RTMP_HANDSHAKE;
    r->state++;

    if (r->state == NGX_WEBRTC_RTMP_CHUNK_HEAD
        && ngx_webrtc_rtmp_connect(r) != NGX_OK)
    {
        return NULL;
    }

    return p;
}


/* 5.3.1: the header of a chunk, byte by byte */

static u_char *
ngx_webrtc_rtmp_head(ngx_webrtc_rtmp_t *r, u_char *p, u_char *end)
{
    while (p < end) {

        r->head[r->nhead++] = *p++;

        if (r->nhead < ngx_webrtc_rtmp_head_size(r)) {
            continue;
        }

        if (ngx_webrtc_rtmp_head_done(r) != NGX_OK) {
            return NULL;
        }

        break;
    }

    return p;
}


/* its length as far as known; until then, more than has been received */

static size_t
ngx_webrtc_rtmp_head_size(ngx_webrtc_rtmp_t *r)
{
    size_t                    n;
    uint32_t                  csid, timestamp;
    ngx_webrtc_rtmp_chunk_t  *ch;

    static const size_t  sizes[] = { 11, 7, 3, 0 };      /* 5.3.1.2 */

    csid = ngx_webrtc_rtmp_csid(r, &n);

    if (r->nhead < n) {
        return n;
    }

    if (r->head[0] >> 6 == 3) {
        ch = ngx_webrtc_rtmp_chunk(r, csid);
        return n + (ch && ch->extended ? 4 : 0);
    }

    if (r->nhead < n + 3) {
        return n + 3;
    }

    (void) ngx_webrtc_read_u24(r->head + n, r->head + n + 3, &timestamp);

    return n + sizes[r->head[0] >> 6]
           + (timestamp == NGX_WEBRTC_RTMP_EXTENDED ? 4 : 0);
}


static ngx_int_t
ngx_webrtc_rtmp_head_done(ngx_webrtc_rtmp_t *r)
{
    size_t                    n;
    u_char                   *p;
    uint32_t                  csid, timestamp;
    ngx_uint_t                fmt;
    ngx_webrtc_rtmp_chunk_t  *ch;

    csid = ngx_webrtc_rtmp_csid(r, &n);
    fmt = r->head[0] >> 6;
    p = r->head + n;

    ch = ngx_webrtc_rtmp_chunk(r, csid);

    if (ch == NULL && fmt == 0) {

        /* the first one that is free */

        ch = ngx_webrtc_rtmp_chunk(r, 0);
    }

    if (ch == NULL) {
        return NGX_DECLINED;
    }

    ch->csid = csid;

    if (fmt != 3) {
        p = ngx_webrtc_read_u24(p, p + 3, &timestamp);
        ch->extended = (timestamp == NGX_WEBRTC_RTMP_EXTENDED);
        ch->got = 0;
    }

    if (fmt < 2) {
        p = ngx_webrtc_read_u24(p, p + 3, &ch->length);
        ch->type = *p;
    }

    r->nhead = 0;
    r->chunk = ch;
    r->left = ngx_min(ch->length - ch->got, r->chunk_size);

    if (r->left == 0) {
        return ngx_webrtc_rtmp_chunk_done(r);
    }

    if (ch->type == NGX_WEBRTC_RTMP_AUDIO || ch->type == NGX_WEBRTC_RTMP_VIDEO)
    {
        r->seen |= NGX_WEBRTC_RTMP_MEDIA;
    }

    r->state = NGX_WEBRTC_RTMP_CHUNK_DATA;

    return NGX_OK;
}


/*
 * 5.3.1.1: the chunk stream, in one to three bytes.
 *
 *   n   set to their number: the result is valid only once they are there
 */

static uint32_t
ngx_webrtc_rtmp_csid(ngx_webrtc_rtmp_t *r, size_t *n)
{
    uint32_t  csid;

    csid = r->head[0] & 0x3f;

    switch (csid) {

    case 0:
        *n = 2;
        return 64 + r->head[1];

    case 1:
        *n = 3;
        return 64 + r->head[1] + 256 * (uint32_t) r->head[2];

    default:
        *n = 1;
        return csid;
    }
}


static ngx_webrtc_rtmp_chunk_t *
ngx_webrtc_rtmp_chunk(ngx_webrtc_rtmp_t *r, uint32_t csid)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_RTMP_CHUNKS; i++) {
        if (r->chunks[i].csid == csid) {
            return &r->chunks[i];
        }
    }

    return NULL;
}


static u_char *
ngx_webrtc_rtmp_data(ngx_webrtc_rtmp_t *r, u_char *p, u_char *end)
{
    size_t                    n, keep;
    ngx_webrtc_rtmp_chunk_t  *ch;

    ch = r->chunk;
    n = ngx_min((size_t) (end - p), r->left);

    if (ch->got < NGX_WEBRTC_RTMP_BODY) {
        keep = ngx_min(n, NGX_WEBRTC_RTMP_BODY - ch->got);
        ngx_memcpy(ch->body + ch->got, p, keep);
    }

    ch->got += n;
    r->left -= n;
    p += n;

    if (r->left == 0 && ngx_webrtc_rtmp_chunk_done(r) != NGX_OK) {
        return NULL;
    }

    return p;
}


static ngx_int_t
ngx_webrtc_rtmp_chunk_done(ngx_webrtc_rtmp_t *r)
{
    ngx_int_t                 rc;
    ngx_webrtc_rtmp_chunk_t  *ch;

    ch = r->chunk;
    r->state = NGX_WEBRTC_RTMP_CHUNK_HEAD;

    if (ch->got < ch->length) {
        return NGX_OK;
    }

    rc = ngx_webrtc_rtmp_message(r, ch);

    ch->got = 0;

    return rc;
}


static ngx_int_t
ngx_webrtc_rtmp_message(ngx_webrtc_rtmp_t *r, ngx_webrtc_rtmp_chunk_t *ch)
{
    u_char     *p, *end;
    uint16_t    event;
    uint32_t    size;
    ngx_str_t   name;

    p = ch->body;
    end = p + ngx_min(ch->length, NGX_WEBRTC_RTMP_BODY);

    switch (ch->type) {

    case NGX_WEBRTC_RTMP_SET_CHUNK:

        if (ngx_webrtc_read_u32(p, end, &size) == NULL
            || size == 0 || size > 0x7fffffff)
        {
            return NGX_DECLINED;
        }

        r->chunk_size = ngx_min(size, NGX_WEBRTC_RTMP_CHUNK_MAX);

        return NGX_OK;

    case NGX_WEBRTC_RTMP_CONTROL:

        if (ngx_webrtc_read_u16(p, end, &event) == NULL) {
            return NGX_DECLINED;
        }

        if (event == NGX_WEBRTC_RTMP_STREAM_BEGIN
            && r->asked == NGX_WEBRTC_RTMP_PLAY)
        {
            r->seen |= NGX_WEBRTC_RTMP_BEGIN;

        } else if (event == NGX_WEBRTC_RTMP_STREAM_EOF) {
            r->seen &= ~(NGX_WEBRTC_RTMP_BEGIN|NGX_WEBRTC_RTMP_MEDIA);
        }

        return NGX_OK;

    case NGX_WEBRTC_RTMP_DATA:

        if (ngx_webrtc_amf_read_string(p, end, &name) != NULL
            && ngx_webrtc_rtmp_is(&name, "onMetaData"))
        {
            r->seen |= NGX_WEBRTC_RTMP_MEDIA;
        }

        return NGX_OK;

    case NGX_WEBRTC_RTMP_COMMAND:
        return ngx_webrtc_rtmp_command(r, p, end);

    default:
        return NGX_OK;
    }
}


/* 7.2: a name, the number of the command it answers, and arguments */

static ngx_int_t
ngx_webrtc_rtmp_command(ngx_webrtc_rtmp_t *r, u_char *p, u_char *end)
{
    double     number;
    ngx_str_t  name;

    p = ngx_webrtc_amf_read_string(p, end, &name);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    p = ngx_webrtc_amf_read_number(p, end, &number);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_rtmp_is(&name, "_result")) {
        return ngx_webrtc_rtmp_result(r, p, end, number);
    }

    if (ngx_webrtc_rtmp_is(&name, "_error")) {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_rtmp_is(&name, "onStatus")) {
        return ngx_webrtc_rtmp_status(r, p, end);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_rtmp_result(ngx_webrtc_rtmp_t *r, u_char *p, u_char *end,
    double number)
{
    double  stream;

    if (number != (double) r->asked) {
        return NGX_OK;
    }

    if (r->asked == NGX_WEBRTC_RTMP_CONNECT) {
        return ngx_webrtc_rtmp_create(r);
    }

    if (r->asked == NGX_WEBRTC_RTMP_CREATE) {

        p = ngx_webrtc_amf_read_null(p, end);

        if (p == NULL
            || ngx_webrtc_amf_read_number(p, end, &stream) == NULL
            || !(stream >= 0 && stream <= 0xffffffff))
        {
            return NGX_DECLINED;
        }

        return ngx_webrtc_rtmp_play(r, (uint32_t) stream);
    }

    return NGX_OK;
}


/* 7.2.2: an object whose "level" tells how it went */

static ngx_int_t
ngx_webrtc_rtmp_status(ngx_webrtc_rtmp_t *r, u_char *p, u_char *end)
{
    u_char     *q;
    uint8_t     marker;
    uint16_t    n;
    ngx_str_t   name, level;

    p = ngx_webrtc_amf_read_null(p, end);

    if (p == NULL
        || (p = ngx_webrtc_read_u8(p, end, &marker)) == NULL
        || marker != NGX_WEBRTC_AMF_OBJECT)
    {
        return NGX_DECLINED;
    }

    for ( ;; ) {

        p = ngx_webrtc_read_u16(p, end, &n);
        p = ngx_webrtc_read_mem(p, end, n, &name.data);

        if (p == NULL || n == 0) {
            break;
        }

        name.len = n;

        q = ngx_webrtc_amf_read_string(p, end, &level);

        if (q != NULL && ngx_webrtc_rtmp_is(&name, "level")
            && ngx_webrtc_rtmp_is(&level, "error"))
        {
            return NGX_DECLINED;
        }

        p = ngx_webrtc_amf_skip(p, end);
    }

    if (r->asked == NGX_WEBRTC_RTMP_PLAY) {
        r->seen |= NGX_WEBRTC_RTMP_PLAYING;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_rtmp_is(ngx_str_t *s, const char *text)
{
    return s->len == ngx_strlen(text)
           && ngx_memcmp(s->data, text, s->len) == 0;
}


static u_char *
ngx_webrtc_amf_read_string(u_char *p, u_char *end, ngx_str_t *s)
{
    uint8_t   marker;
    uint16_t  n;

    p = ngx_webrtc_read_u8(p, end, &marker);

    if (p == NULL || marker != NGX_WEBRTC_AMF_STRING) {
        return NULL;
    }

    p = ngx_webrtc_read_u16(p, end, &n);

    if (p == NULL) {
        return NULL;
    }

    s->len = n;

    return ngx_webrtc_read_mem(p, end, n, &s->data);
}


static u_char *
ngx_webrtc_amf_read_number(u_char *p, u_char *end, double *v)
{
    uint8_t   marker;
    uint64_t  bits;

    p = ngx_webrtc_read_u8(p, end, &marker);

    if (p == NULL || marker != NGX_WEBRTC_AMF_NUMBER) {
        return NULL;
    }

    p = ngx_webrtc_read_u64(p, end, &bits);

    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(v, &bits, sizeof(double));

    return p;
}


static u_char *
ngx_webrtc_amf_read_null(u_char *p, u_char *end)
{
    uint8_t  marker;

    p = ngx_webrtc_read_u8(p, end, &marker);

    return (p != NULL && marker == NGX_WEBRTC_AMF_NULL) ? p : NULL;
}


/* skips a scalar value; NULL for objects and arrays */

static u_char *
ngx_webrtc_amf_skip(u_char *p, u_char *end)
{
    uint8_t    marker;
    ngx_str_t  s;

    if (ngx_webrtc_read_u8(p, end, &marker) == NULL) {
        return NULL;
    }

    switch (marker) {

    case NGX_WEBRTC_AMF_NUMBER:
        return ngx_webrtc_skip(p, end, 9);

    case NGX_WEBRTC_AMF_BOOLEAN:
        return ngx_webrtc_skip(p, end, 2);

    case NGX_WEBRTC_AMF_STRING:
        return ngx_webrtc_amf_read_string(p, end, &s);

    case NGX_WEBRTC_AMF_NULL:
        return p + 1;

    default:
        return NULL;
    }
}


static u_char *
ngx_webrtc_amf_write_string(u_char *p, u_char *end, const void *data, size_t n)
{
    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_AMF_STRING);
    p = ngx_webrtc_write_u16(p, end, (uint16_t) n);

    return ngx_webrtc_write_mem(p, end, data, n);
}


static u_char *
ngx_webrtc_amf_write_number(u_char *p, u_char *end, double v)
{
    uint64_t  bits;

    ngx_memcpy(&bits, &v, sizeof(double));

    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_AMF_NUMBER);

    return ngx_webrtc_write_u64(p, end, bits);
}


static u_char *
ngx_webrtc_amf_write_property(u_char *p, u_char *end, const char *name,
    ngx_str_t *value)
{
    size_t  n;

    n = ngx_strlen(name);

    p = ngx_webrtc_write_u16(p, end, (uint16_t) n);
    p = ngx_webrtc_write_mem(p, end, name, n);

    return ngx_webrtc_amf_write_string(p, end, value->data, value->len);
}


/* 7.2.1.1 */

static ngx_int_t
ngx_webrtc_rtmp_connect(ngx_webrtc_rtmp_t *r)
{
    u_char  *p, *end;
    u_char   body[NGX_WEBRTC_RTMP_NAME + NGX_WEBRTC_RTMP_URL + 128];

    end = body + sizeof(body);

    p = ngx_webrtc_amf_write_string(body, end, "connect", 7);
    p = ngx_webrtc_amf_write_number(p, end, NGX_WEBRTC_RTMP_CONNECT);

    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_AMF_OBJECT);
    p = ngx_webrtc_amf_write_property(p, end, "app", &r->app);
    p = ngx_webrtc_amf_write_property(p, end, "tcUrl", &r->url);
    p = ngx_webrtc_write_u16(p, end, 0);
    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_AMF_OBJECT_END);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    r->asked = NGX_WEBRTC_RTMP_CONNECT;

    return ngx_webrtc_rtmp_send(r, NGX_WEBRTC_RTMP_CSID, 0, body, p - body);
}


/* 7.2.1.3 */

static ngx_int_t
ngx_webrtc_rtmp_create(ngx_webrtc_rtmp_t *r)
{
    u_char  *p, *end;
    u_char   body[64];

    end = body + sizeof(body);

    p = ngx_webrtc_amf_write_string(body, end, "createStream", 12);
    p = ngx_webrtc_amf_write_number(p, end, NGX_WEBRTC_RTMP_CREATE);
    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_AMF_NULL);

    r->asked = NGX_WEBRTC_RTMP_CREATE;

    return ngx_webrtc_rtmp_send(r, NGX_WEBRTC_RTMP_CSID, 0, body, p - body);
}


/* 7.2.2.1 */

static ngx_int_t
ngx_webrtc_rtmp_play(ngx_webrtc_rtmp_t *r, uint32_t stream)
{
    u_char  *p, *end;
    u_char   body[NGX_WEBRTC_RTMP_NAME + 64];

    end = body + sizeof(body);

    p = ngx_webrtc_amf_write_string(body, end, "play", 4);
    p = ngx_webrtc_amf_write_number(p, end, NGX_WEBRTC_RTMP_PLAY);
    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_AMF_NULL);
    p = ngx_webrtc_amf_write_string(p, end, r->name.data, r->name.len);
    p = ngx_webrtc_amf_write_number(p, end, NGX_WEBRTC_RTMP_ANY);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    r->asked = NGX_WEBRTC_RTMP_PLAY;

    return ngx_webrtc_rtmp_send(r, NGX_WEBRTC_RTMP_CSID_PLAY, stream, body,
                                p - body);
}


/* a command in chunks: type 0, then type 3 */

static ngx_int_t
ngx_webrtc_rtmp_send(ngx_webrtc_rtmp_t *r, ngx_uint_t csid, uint32_t stream,
    u_char *body, size_t n)
{
    size_t   i, len;
    u_char  *p, *end;

    p = r->out + r->nout;
    end = r->out + NGX_WEBRTC_RTMP_OUT;

    p = ngx_webrtc_write_u8(p, end, (uint8_t) csid);
    p = ngx_webrtc_write_u24(p, end, 0);
    p = ngx_webrtc_write_u24(p, end, (uint32_t) n);
    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_RTMP_COMMAND);

    /* 5.3.1.2.5: the only field in little-endian order */

    for (i = 0; i < 4; i++) {
        p = ngx_webrtc_write_u8(p, end, (uint8_t) (stream >> (8 * i)));
    }

    for (i = 0; i < n; i += len) {

        if (i) {
            p = ngx_webrtc_write_u8(p, end, (uint8_t) (3 << 6 | csid));
        }

        len = ngx_min(n - i, NGX_WEBRTC_RTMP_CHUNK);
        p = ngx_webrtc_write_mem(p, end, body + i, len);
    }

    if (p == NULL) {
        return NGX_DECLINED;
    }

    r->nout = p - r->out;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rtmp_url(u_char *p, u_char *last, ngx_webrtc_rtmp_url_t *url)
{
    u_char  *path, *q;

    url->base.data = p;

    path = ngx_webrtc_rtmp_url_host(p, last, url);

    if (path == NULL || path == last) {
        return NGX_DECLINED;
    }

    path++;

    p = ngx_strlchr(path, last, '/');

    /* a colon begins the name of a recording */

    if (p == NULL || ngx_strlchr(path, last, ':') != NULL) {
        return NGX_DECLINED;
    }

    q = ngx_strlchr(p + 1, last, '/');

    if (q) {
        p = q;
    }

    url->app.data = path;
    url->app.len = p - path;

    url->base.len = p - url->base.data;

    url->name.data = p + 1;
    url->name.len = last - url->name.data;

    if (ngx_webrtc_rtmp_ends(&url->name, ".flv")) {
        url->name.len -= 4;
    }

    if (url->app.len == 0 || url->app.len > NGX_WEBRTC_RTMP_NAME
        || url->name.len == 0 || url->name.len > NGX_WEBRTC_RTMP_NAME
        || url->base.len + sizeof("rtmp:") - 1 > NGX_WEBRTC_RTMP_URL)
    {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_rtmp_ends(&url->name, ".mp4")
        || ngx_webrtc_rtmp_ends(&url->name, ".f4v")
        || ngx_webrtc_rtmp_is(&url->app, "ondemand")
        || ngx_strlcasestrn(path, last, (u_char *) "slist=", 5) != NULL)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* "//host:port" or "//[address]:port": the position after it, or NULL */

static u_char *
ngx_webrtc_rtmp_url_host(u_char *p, u_char *last, ngx_webrtc_rtmp_url_t *url)
{
    u_char     *end, *q;
    ngx_int_t   port;

    if (last - p < 3 || p[0] != '/' || p[1] != '/') {
        return NULL;
    }

    p += 2;

    end = ngx_strlchr(p, last, '/');
    if (end == NULL || ngx_strlchr(p, end, '@') != NULL) {
        return NULL;
    }

    if (*p == '[') {
        p++;
        q = ngx_strlchr(p, end, ']');

        if (q == NULL) {
            return NULL;
        }

        url->host.data = p;
        url->host.len = q - p;
        q++;

    } else {
        q = ngx_strlchr(p, end, ':');

        if (q == NULL) {
            q = end;
        }

        url->host.data = p;
        url->host.len = q - p;
    }

    url->port = NGX_WEBRTC_RTMP_PORT;

    if (q < end) {

        port = (*q == ':') ? ngx_atoi(q + 1, end - q - 1) : NGX_ERROR;

        if (port < 1 || port > 65535) {
            return NULL;
        }

        url->port = (uint16_t) port;
    }

    return url->host.len ? end : NULL;
}


static ngx_uint_t
ngx_webrtc_rtmp_ends(ngx_str_t *s, const char *text)
{
    size_t  n;

    n = ngx_strlen(text);

    return s->len >= n
           && ngx_memcmp(s->data + s->len - n, text, n) == 0;
}
