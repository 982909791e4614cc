
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Chunks of RTMP.  The contracts are in the header; section numbers are those
 * of "Adobe's Real Time Messaging Protocol" 1.0.
 *
 *   header, byte by byte until it is whole --> data, until the chunk or the
 *   message ends --> header ...
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_rtmp_chunks.h"


/* a timestamp that does not fit in three bytes; 5.3.1.3 */
#define NGX_WEBRTC_RTMP_CHUNKS_EXTENDED  0xffffff

/* bytes that a body begins with; chosen: commands and audio fit */
#define NGX_WEBRTC_RTMP_CHUNKS_BODY      1024


static u_char *ngx_webrtc_rtmp_chunks_header(ngx_webrtc_rtmp_chunks_t *ch,
    u_char *p, u_char *end);
static size_t ngx_webrtc_rtmp_chunks_basic(ngx_webrtc_rtmp_chunks_t *ch,
    uint32_t *csid);
static size_t ngx_webrtc_rtmp_chunks_needs(ngx_webrtc_rtmp_chunks_t *ch);
static ngx_int_t ngx_webrtc_rtmp_chunks_begin(ngx_webrtc_rtmp_chunks_t *ch);
static ngx_webrtc_rtmp_csid_t *ngx_webrtc_rtmp_chunks_find(
    ngx_webrtc_rtmp_chunks_t *ch, uint32_t csid);
static ngx_int_t ngx_webrtc_rtmp_chunks_fields(ngx_webrtc_rtmp_chunks_t *ch,
    ngx_webrtc_rtmp_csid_t *cs, u_char *p, ngx_uint_t fmt);
static ngx_int_t ngx_webrtc_rtmp_chunks_append(ngx_webrtc_rtmp_chunks_t *ch,
    ngx_webrtc_rtmp_csid_t *cs, u_char *p, size_t n);
static ngx_int_t ngx_webrtc_rtmp_chunks_done(ngx_webrtc_rtmp_chunks_t *ch);
static ngx_int_t ngx_webrtc_rtmp_chunks_own(ngx_webrtc_rtmp_chunks_t *ch,
    ngx_webrtc_rtmp_message_t *m);


/* bytes of message headers by their format; 5.3.1.2 */
static const size_t  ngx_webrtc_rtmp_chunks_sizes[4] = { 11, 7, 3, 0 };


ngx_int_t
ngx_webrtc_rtmp_chunks_read(ngx_webrtc_rtmp_chunks_t *ch, u_char **pos,
    u_char *end)
{
    size_t      n;
    u_char     *p;
    ngx_int_t   rc;

    p = *pos;
    rc = NGX_OK;

    if (ch->chunk == 0) {
        ch->chunk = NGX_WEBRTC_RTMP_CHUNK_FIRST;
    }

    while (p < end && rc == NGX_OK) {

        if (ch->current == NULL) {
            p = ngx_webrtc_rtmp_chunks_header(ch, p, end);

            if (p == NULL) {
                return NGX_DECLINED;
            }

            /* it may be empty, or what a header was taken for */

            if (ch->current && ch->current->got == ch->current->length) {
                rc = ngx_webrtc_rtmp_chunks_done(ch);
            }

            continue;
        }

        n = ngx_min((size_t) (end - p), ch->left);

        if (ngx_webrtc_rtmp_chunks_append(ch, ch->current, p, n) != NGX_OK) {
            return NGX_DECLINED;
        }

        p += n;
        ch->left -= (uint32_t) n;

        if (ch->current->got == ch->current->length) {
            rc = ngx_webrtc_rtmp_chunks_done(ch);

        } else if (ch->left == 0) {
            ch->current = NULL;
        }
    }

    *pos = p;

    return rc;
}


/* collects a header; sets current when it is whole; NULL: malformed */

static u_char *
ngx_webrtc_rtmp_chunks_header(ngx_webrtc_rtmp_chunks_t *ch, u_char *p,
    u_char *end)
{
    while (p < end) {
        ch->head[ch->nhead++] = *p++;

        if (ch->nhead < ngx_webrtc_rtmp_chunks_needs(ch)) {
            continue;
        }

        if (ngx_webrtc_rtmp_chunks_begin(ch) != NGX_OK) {
            return NULL;
        }

        ch->nhead = 0;
        break;
    }

    return p;
}


/* 5.3.1.1.  Returns the bytes of the basic header; *csid 0: not whole */

static size_t
ngx_webrtc_rtmp_chunks_basic(ngx_webrtc_rtmp_chunks_t *ch, uint32_t *csid)
{
    u_char  *h;

    h = ch->head;
    *csid = 0;

    switch (h[0] & 0x3f) {

    case 0:

        if (ch->nhead >= 2) {
            *csid = 64 + h[1];
        }

        return 2;

    case 1:

        if (ch->nhead >= 3) {
            *csid = 64 + h[1] + 256 * (uint32_t) h[2];
        }

        return 3;

    default:
        *csid = h[0] & 0x3f;
        return 1;
    }
}


/* bytes of the header under way, as far as is known of it */

static size_t
ngx_webrtc_rtmp_chunks_needs(ngx_webrtc_rtmp_chunks_t *ch)
{
    size_t                   n, basic;
    u_char                  *h;
    uint32_t                 csid;
    ngx_webrtc_rtmp_csid_t  *cs;

    basic = ngx_webrtc_rtmp_chunks_basic(ch, &csid);
    n = basic + ngx_webrtc_rtmp_chunks_sizes[ch->head[0] >> 6];

    if (ch->nhead < n) {
        return n;
    }

    h = ch->head + basic;

    if ((ch->head[0] >> 6) < 3) {
        return n + ((h[0] == 0xff && h[1] == 0xff && h[2] == 0xff) ? 4 : 0);
    }

    /* 5.3.1.3: it is repeated where there is no other field */

    cs = ngx_webrtc_rtmp_chunks_find(ch, csid);

    return n + ((cs && cs->field >= NGX_WEBRTC_RTMP_CHUNKS_EXTENDED) ? 4 : 0);
}


/* the header is whole */

static ngx_int_t
ngx_webrtc_rtmp_chunks_begin(ngx_webrtc_rtmp_chunks_t *ch)
{
    size_t                   basic;
    u_char                  *p;
    uint32_t                 csid, again;
    ngx_uint_t               fmt;
    ngx_webrtc_rtmp_csid_t  *cs;

    basic = ngx_webrtc_rtmp_chunks_basic(ch, &csid);
    fmt = ch->head[0] >> 6;
    p = ch->head + basic;

    cs = ngx_webrtc_rtmp_chunks_find(ch, csid);

    if (cs == NULL && fmt == 0) {
        cs = ngx_webrtc_rtmp_chunks_find(ch, 0);

        if (cs == NULL) {
            ch->cause = "too many chunk streams";
            return NGX_DECLINED;
        }

        cs->csid = csid;
    }

    if (cs == NULL) {
        ch->cause = "a chunk without a header before it";
        return NGX_DECLINED;
    }

    ch->current = cs;

    if (cs->got && fmt != 3) {

        /* encoders that begin anew within a message mean the new one */

        cs->got = 0;
    }

    if (cs->got == 0) {
        if (ngx_webrtc_rtmp_chunks_fields(ch, cs, p, fmt) != NGX_OK) {
            return NGX_DECLINED;
        }

        ch->left = ngx_min(cs->length, ch->chunk);
        return NGX_OK;
    }

    ch->left = ngx_min(cs->length - cs->got, ch->chunk);

    if (cs->field < NGX_WEBRTC_RTMP_CHUNKS_EXTENDED) {
        return NGX_OK;
    }

    /* some do not repeat the timestamp: what does not look like it is data */

    again = 0;
    (void) ngx_webrtc_read_u32(p, p + 4, &again);

    if (again != cs->field) {

        if (ch->left < 4) {
            ch->cause = "a chunk that is too short for its timestamp";
            return NGX_DECLINED;
        }

        ch->left -= 4;
        return ngx_webrtc_rtmp_chunks_append(ch, cs, p, 4);
    }

    return NGX_OK;
}


static ngx_webrtc_rtmp_csid_t *
ngx_webrtc_rtmp_chunks_find(ngx_webrtc_rtmp_chunks_t *ch, uint32_t csid)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_RTMP_CSIDS; i++) {
        if (ch->csids[i].csid == csid) {
            return &ch->csids[i];
        }
    }

    return NULL;
}


/* 5.3.1.2: the header of a message's first chunk */

static ngx_int_t
ngx_webrtc_rtmp_chunks_fields(ngx_webrtc_rtmp_chunks_t *ch,
    ngx_webrtc_rtmp_csid_t *cs, u_char *p, ngx_uint_t fmt)
{
    u_char    *end;
    uint32_t   field;

    end = ch->head + NGX_WEBRTC_RTMP_CHUNK_HEADER;
    field = cs->field;

    if (fmt < 3) {
        p = ngx_webrtc_read_u24(p, end, &field);
    }

    if (fmt < 2) {
        p = ngx_webrtc_read_u24(p, end, &cs->length);
        p = ngx_webrtc_read_u8(p, end, &cs->type);
    }

    if (fmt == 0) {

        /* the only little-endian number, 5.3.1.2.1 */

        cs->stream = p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
                     | (uint32_t) p[3] << 24;
        p += 4;
    }

    if (fmt < 3 && field == NGX_WEBRTC_RTMP_CHUNKS_EXTENDED) {
        (void) ngx_webrtc_read_u32(p, end, &field);
        field = ngx_max(field, NGX_WEBRTC_RTMP_CHUNKS_EXTENDED);
    }

    cs->field = field;

    /*
     * 5.3.1.2.4: where nothing else is said the time goes on by the last delta,
     * which after an absolute time is that time.  libavformat relies on it.
     */

    if (fmt < 3) {
        cs->delta = field;
    }

    cs->timestamp = (fmt == 0) ? field : cs->timestamp + cs->delta;

    if (cs->length > ch->most) {
        ch->cause = "a message that is too large";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_rtmp_chunks_append(ngx_webrtc_rtmp_chunks_t *ch,
    ngx_webrtc_rtmp_csid_t *cs, u_char *p, size_t n)
{
    size_t   size;
    u_char  *body;

    if (cs->got + n > cs->size) {

        size = cs->size ? cs->size : NGX_WEBRTC_RTMP_CHUNKS_BODY;

        while (size < cs->got + n) {
            size *= 2;
        }

        if (ch->held - cs->size + size > ch->memory) {
            ch->cause = "too much in messages under way";
            return NGX_DECLINED;
        }

        body = ch->grow(ch->ctx, cs->body, size);

        if (body == NULL) {
            ch->cause = "no memory";
            return NGX_DECLINED;
        }

        ch->held += size - cs->size;
        cs->body = body;
        cs->size = size;
    }

    ngx_memcpy(cs->body + cs->got, p, n);
    cs->got += (uint32_t) n;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_rtmp_chunks_done(ngx_webrtc_rtmp_chunks_t *ch)
{
    ngx_webrtc_rtmp_csid_t     *cs;
    ngx_webrtc_rtmp_message_t   m;

    cs = ch->current;

    m.type = cs->type;
    m.timestamp = cs->timestamp;
    m.stream = cs->stream;
    m.data = cs->length ? cs->body : ch->head;
    m.len = cs->length;

    cs->got = 0;
    ch->current = NULL;

    switch (m.type) {

    case NGX_WEBRTC_RTMP_TYPE_CHUNK:
    case NGX_WEBRTC_RTMP_TYPE_ABORT:
    case NGX_WEBRTC_RTMP_TYPE_WINDOW:
        return ngx_webrtc_rtmp_chunks_own(ch, &m);

    default:
        return ch->message(ch->ctx, &m);
    }
}


/* 5.4: messages of this layer, all of which are a number */

static ngx_int_t
ngx_webrtc_rtmp_chunks_own(ngx_webrtc_rtmp_chunks_t *ch,
    ngx_webrtc_rtmp_message_t *m)
{
    uint32_t                 v;
    ngx_webrtc_rtmp_csid_t  *cs;

    v = 0;

    if (ngx_webrtc_read_u32(m->data, m->data + m->len, &v) == NULL) {
        ch->cause = "a control message that is too short";
        return NGX_DECLINED;
    }

    switch (m->type) {

    case NGX_WEBRTC_RTMP_TYPE_CHUNK:

        if (v == 0 || v > 0x7fffffff) {
            ch->cause = "an invalid chunk size";
            return NGX_DECLINED;
        }

        ch->chunk = ngx_min(v, NGX_WEBRTC_RTMP_CHUNK_MOST);
        break;

    case NGX_WEBRTC_RTMP_TYPE_ABORT:

        cs = v ? ngx_webrtc_rtmp_chunks_find(ch, v) : NULL;

        if (cs) {
            cs->got = 0;
        }

        break;

    default:
        ch->window = v;
        break;
    }

    return NGX_OK;
}


void
ngx_webrtc_rtmp_chunks_free(ngx_webrtc_rtmp_chunks_t *ch)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_RTMP_CSIDS; i++) {
        if (ch->csids[i].body) {
            (void) ch->grow(ch->ctx, ch->csids[i].body, 0);
            ch->csids[i].body = NULL;
            ch->csids[i].size = 0;
        }
    }

    ch->held = 0;
}


u_char *
ngx_webrtc_rtmp_chunks_write(u_char *p, u_char *end, ngx_uint_t csid,
    ngx_uint_t type, uint32_t stream, u_char *body, size_t n)
{
    p = ngx_webrtc_write_u8(p, end, (uint8_t) csid);
    p = ngx_webrtc_write_u24(p, end, 0);
    p = ngx_webrtc_write_u24(p, end, (uint32_t) n);
    p = ngx_webrtc_write_u8(p, end, (uint8_t) type);
    p = ngx_webrtc_write_u8(p, end, (uint8_t) stream);
    p = ngx_webrtc_write_u24(p, end, 0);

    return ngx_webrtc_write_mem(p, end, body, n);
}
