
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests of RTSP.  The contracts are in the header; section numbers are those
 * of RFC 2326.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_rtsp_message.h"


/* the last channel of the first pair, and the last pair: 10.12 */
#define NGX_WEBRTC_RTSP_MESSAGE_CHANNEL  254

/* of UDP, the last of which is RTCP's */
#define NGX_WEBRTC_RTSP_MESSAGE_PORTS    65535


typedef struct {
    const char  *name;           /* with the colon */
    size_t       offset;
} ngx_webrtc_rtsp_message_field_t;


static u_char *ngx_webrtc_rtsp_message_line(u_char *p, u_char *end,
    ngx_str_t *line);
static ngx_int_t ngx_webrtc_rtsp_message_request(ngx_str_t *line,
    ngx_webrtc_rtsp_message_t *m);
static void ngx_webrtc_rtsp_message_word(ngx_str_t *line, ngx_str_t *word);
static void ngx_webrtc_rtsp_message_field(ngx_str_t *line,
    ngx_webrtc_rtsp_message_t *m);
static ngx_int_t ngx_webrtc_rtsp_message_check(ngx_webrtc_rtsp_message_t *m);
static void ngx_webrtc_rtsp_message_trim(ngx_str_t *s);
static void ngx_webrtc_rtsp_message_part(ngx_str_t *s, u_char separator,
    ngx_str_t *part);
static ngx_int_t ngx_webrtc_rtsp_message_spec(ngx_str_t *spec,
    ngx_int_t *channel);
static ngx_int_t ngx_webrtc_rtsp_message_spec_udp(ngx_str_t *spec,
    ngx_uint_t *port);
static ngx_uint_t ngx_webrtc_rtsp_message_is(ngx_str_t *s,
    const char *word);


static const ngx_webrtc_rtsp_message_field_t
    ngx_webrtc_rtsp_message_fields[] = {

    { "CSeq:", offsetof(ngx_webrtc_rtsp_message_t, cseq) },
    { "Session:", offsetof(ngx_webrtc_rtsp_message_t, session) },
    { "Transport:", offsetof(ngx_webrtc_rtsp_message_t, transport) },
    { "User-Agent:", offsetof(ngx_webrtc_rtsp_message_t, agent) },
    { "Authorization:", offsetof(ngx_webrtc_rtsp_message_t, authorization) },
    { "Content-Type:", offsetof(ngx_webrtc_rtsp_message_t, type) },
    { "Content-Length:", offsetof(ngx_webrtc_rtsp_message_t, length) },
    { "Require:", offsetof(ngx_webrtc_rtsp_message_t, require) },

    { NULL, 0 }
};


ngx_int_t
ngx_webrtc_rtsp_message_parse(u_char *p, u_char *end,
    ngx_webrtc_rtsp_message_t *m)
{
    ngx_int_t  rc;
    ngx_str_t  line;

    ngx_memzero(m, sizeof(ngx_webrtc_rtsp_message_t));

    p = ngx_webrtc_rtsp_message_line(p, end, &line);

    rc = ngx_webrtc_rtsp_message_request(&line, m);

    while (p < end) {
        p = ngx_webrtc_rtsp_message_line(p, end, &line);

        if (line.len == 0) {
            break;
        }

        ngx_webrtc_rtsp_message_field(&line, m);
    }

    if (ngx_webrtc_rtsp_message_check(m) != NGX_OK) {
        return NGX_DECLINED;
    }

    return rc;
}


/* without its end */

static u_char *
ngx_webrtc_rtsp_message_line(u_char *p, u_char *end, ngx_str_t *line)
{
    line->data = p;

    while (p < end && *p != LF) {
        p++;
    }

    line->len = p - line->data;

    if (line->len && line->data[line->len - 1] == CR) {
        line->len--;
    }

    return p < end ? p + 1 : end;
}


/* 6.1: method, URL, version */

static ngx_int_t
ngx_webrtc_rtsp_message_request(ngx_str_t *line, ngx_webrtc_rtsp_message_t *m)
{
    ngx_webrtc_rtsp_message_word(line, &m->method);
    ngx_webrtc_rtsp_message_word(line, &m->uri);
    ngx_webrtc_rtsp_message_word(line, &m->version);

    return (m->version.len && line->len == 0
            && ngx_webrtc_rtsp_message_begins(&m->version, "RTSP/"))
           ? NGX_OK : NGX_DECLINED;
}


static void
ngx_webrtc_rtsp_message_word(ngx_str_t *line, ngx_str_t *word)
{
    ngx_webrtc_rtsp_message_part(line, ' ', word);

    while (line->len && line->data[0] == ' ') {
        line->data++;
        line->len--;
    }
}


/* the first of its name; a line that goes on the one before has none */

static void
ngx_webrtc_rtsp_message_field(ngx_str_t *line, ngx_webrtc_rtsp_message_t *m)
{
    size_t      n;
    ngx_str_t  *value;

    const ngx_webrtc_rtsp_message_field_t  *f;

    for (f = ngx_webrtc_rtsp_message_fields; f->name; f++) {

        value = (ngx_str_t *) ((u_char *) m + f->offset);

        if (value->data == NULL
            && ngx_webrtc_rtsp_message_begins(line, f->name))
        {
            n = ngx_strlen(f->name);
            value->data = line->data + n;
            value->len = line->len - n;
            ngx_webrtc_rtsp_message_trim(value);
            return;
        }
    }
}


/* 12.17: each request has a CSeq, of digits */

static ngx_int_t
ngx_webrtc_rtsp_message_check(ngx_webrtc_rtsp_message_t *m)
{
    size_t      i;
    ngx_int_t   n;
    ngx_uint_t  bad;

    bad = (m->cseq.len == 0 || m->cseq.len > NGX_WEBRTC_RTSP_CSEQ);

    for (i = 0; !bad && i < m->cseq.len; i++) {
        bad = (m->cseq.data[i] < '0' || m->cseq.data[i] > '9');
    }

    if (bad) {
        ngx_str_null(&m->cseq);
        return NGX_DECLINED;
    }

    if (m->length.len) {
        n = ngx_atoi(m->length.data, m->length.len);

        if (n == NGX_ERROR) {
            return NGX_DECLINED;
        }

        m->content_length = n;
    }

    return NGX_OK;
}


static void
ngx_webrtc_rtsp_message_trim(ngx_str_t *s)
{
    while (s->len && (s->data[0] == ' ' || s->data[0] == '\t')) {
        s->data++;
        s->len--;
    }

    while (s->len
           && (s->data[s->len - 1] == ' ' || s->data[s->len - 1] == '\t'))
    {
        s->len--;
    }
}


ngx_uint_t
ngx_webrtc_rtsp_message_begins(ngx_str_t *s, const char *word)
{
    size_t  n;

    n = ngx_strlen(word);

    return s->len >= n
           && ngx_strncasecmp(s->data, (u_char *) word, n) == 0;
}


void
ngx_webrtc_rtsp_message_url(ngx_str_t *uri, ngx_str_t *host, ngx_str_t *path)
{
    u_char  *p, *last, *from;

    static u_char  root[] = "/";

    p = uri->data;
    last = p + uri->len;
    from = p;

    if (ngx_webrtc_rtsp_message_begins(uri, "rtsp://")
        || ngx_webrtc_rtsp_message_begins(uri, "rtsps://"))
    {
        p = ngx_strlchr(p, last, ':') + 3;

        for (from = p; p < last && *p != '/' && *p != '?'; p++) {

            if (*p == '@') {
                from = p + 1;
            }
        }
    }

    if (host) {
        host->data = from;
        host->len = p - from;
    }

    path->data = p;
    path->len = last - p;

    if (path->len == 0) {
        path->data = root;
        path->len = 1;
    }
}


/* the first part, up to the separator or the end; s is what follows */

static void
ngx_webrtc_rtsp_message_part(ngx_str_t *s, u_char separator, ngx_str_t *part)
{
    u_char  *p, *last;

    last = s->data + s->len;

    for (p = s->data; p < last && *p != separator; p++) { /* void */ }

    part->data = s->data;
    part->len = p - s->data;

    s->data = (p < last) ? p + 1 : last;
    s->len = last - s->data;
}


ngx_int_t
ngx_webrtc_rtsp_message_transport(ngx_str_t *transport, ngx_int_t *channel)
{
    ngx_str_t  all, spec;

    all = *transport;

    while (all.len) {
        ngx_webrtc_rtsp_message_part(&all, ',', &spec);
        ngx_webrtc_rtsp_message_trim(&spec);

        if (ngx_webrtc_rtsp_message_spec(&spec, channel) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_webrtc_rtsp_message_spec(ngx_str_t *spec, ngx_int_t *channel)
{
    ngx_str_t  part, number;
    ngx_int_t  n;

    ngx_webrtc_rtsp_message_part(spec, ';', &part);
    ngx_webrtc_rtsp_message_trim(&part);

    if (!ngx_webrtc_rtsp_message_is(&part, "RTP/AVP/TCP")
        && !ngx_webrtc_rtsp_message_is(&part, "RTP/AVPF/TCP"))
    {
        return NGX_DECLINED;
    }

    *channel = -1;

    while (spec->len) {
        ngx_webrtc_rtsp_message_part(spec, ';', &part);
        ngx_webrtc_rtsp_message_trim(&part);

        if (!ngx_webrtc_rtsp_message_begins(&part, "interleaved=")) {
            continue;
        }

        part.data += sizeof("interleaved=") - 1;
        part.len -= sizeof("interleaved=") - 1;

        ngx_webrtc_rtsp_message_part(&part, '-', &number);

        n = ngx_atoi(number.data, number.len);

        if (n != NGX_ERROR && n <= NGX_WEBRTC_RTSP_MESSAGE_CHANNEL) {
            *channel = n;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rtsp_message_udp(ngx_str_t *transport, ngx_uint_t *port)
{
    ngx_str_t  all, spec;

    all = *transport;

    while (all.len) {
        ngx_webrtc_rtsp_message_part(&all, ',', &spec);
        ngx_webrtc_rtsp_message_trim(&spec);

        if (ngx_webrtc_rtsp_message_spec_udp(&spec, port) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* multicast is what is sent if nothing else is said, and not for us */

static ngx_int_t
ngx_webrtc_rtsp_message_spec_udp(ngx_str_t *spec, ngx_uint_t *port)
{
    ngx_str_t   part, number;
    ngx_int_t   n;
    ngx_uint_t  unicast;

    ngx_webrtc_rtsp_message_part(spec, ';', &part);
    ngx_webrtc_rtsp_message_trim(&part);

    if (!ngx_webrtc_rtsp_message_is(&part, "RTP/AVP")
        && !ngx_webrtc_rtsp_message_is(&part, "RTP/AVP/UDP")
        && !ngx_webrtc_rtsp_message_is(&part, "RTP/AVPF")
        && !ngx_webrtc_rtsp_message_is(&part, "RTP/AVPF/UDP"))
    {
        return NGX_DECLINED;
    }

    *port = 0;
    unicast = 0;

    while (spec->len) {
        ngx_webrtc_rtsp_message_part(spec, ';', &part);
        ngx_webrtc_rtsp_message_trim(&part);

        if (ngx_webrtc_rtsp_message_is(&part, "unicast")) {
            unicast = 1;
            continue;
        }

        if (!ngx_webrtc_rtsp_message_begins(&part, "client_port=")) {
            continue;
        }

        part.data += sizeof("client_port=") - 1;
        part.len -= sizeof("client_port=") - 1;

        ngx_webrtc_rtsp_message_part(&part, '-', &number);

        n = ngx_atoi(number.data, number.len);

        if (n > 0 && n < NGX_WEBRTC_RTSP_MESSAGE_PORTS) {
            *port = n;
        }
    }

    return (unicast && *port) ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
ngx_webrtc_rtsp_message_is(ngx_str_t *s, const char *word)
{
    return s->len == ngx_strlen(word)
           && ngx_webrtc_rtsp_message_begins(s, word);
}
