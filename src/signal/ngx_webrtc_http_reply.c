
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Replies of HTTP/1, and URLs.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_http_reply.h"


/* seconds of a Retry-After that are believed; chosen: a day */
#define NGX_WEBRTC_HTTP_REPLY_LATER  86400


/* how long the body is */
typedef struct {
    ngx_int_t    length;               /* of Content-Length, -1: none */
    unsigned     chunked:1;
} ngx_webrtc_http_frame_t;


static u_char *ngx_webrtc_http_head(u_char *p, u_char *end,
    ngx_webrtc_http_reply_t *reply, ngx_webrtc_http_frame_t *frame,
    ngx_int_t *rc);
static u_char *ngx_webrtc_http_line(u_char *p, u_char *end, ngx_str_t *line);
static ngx_int_t ngx_webrtc_http_status(const ngx_str_t *line,
    ngx_uint_t *status);
static ngx_int_t ngx_webrtc_http_field(ngx_str_t *line,
    ngx_webrtc_http_reply_t *reply, ngx_webrtc_http_frame_t *frame);
static ngx_int_t ngx_webrtc_http_length(const ngx_str_t *value,
    ngx_webrtc_http_frame_t *frame);
static ngx_int_t ngx_webrtc_http_body(u_char *p, u_char *end, ngx_uint_t eof,
    ngx_webrtc_http_frame_t *frame, ngx_str_t *body);
static ngx_int_t ngx_webrtc_http_chunks(u_char *p, u_char *end,
    ngx_uint_t join, ngx_str_t *body);
static u_char *ngx_webrtc_http_chunk(u_char *p, u_char *end, size_t *size,
    ngx_int_t *rc);
static ngx_int_t ngx_webrtc_http_authority(u_char *p, u_char *end,
    ngx_webrtc_http_url_t *parts);
static size_t ngx_webrtc_http_dots(const ngx_str_t *path);


#define ngx_webrtc_http_is(str, text)                                         \
    ((str)->len == sizeof(text) - 1                                           \
     && ngx_strncasecmp((str)->data, (u_char *) (text), sizeof(text) - 1) == 0)


static const struct {
    ngx_str_t    name;
    ngx_uint_t   tls;
} ngx_webrtc_http_schemes[] = {
    { ngx_string("http://"), 0 },
    { ngx_string("https://"), 1 },
    { ngx_string("whip://"), 0 },
    { ngx_string("whips://"), 1 },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_webrtc_http_reply(u_char *p, size_t n, ngx_uint_t eof,
    ngx_webrtc_http_reply_t *reply)
{
    u_char                   *end;
    ngx_int_t                 rc;
    ngx_webrtc_http_frame_t   frame;

    end = p + n;

    do {
        ngx_memzero(reply, sizeof(ngx_webrtc_http_reply_t));
        frame.length = -1;
        frame.chunked = 0;

        p = ngx_webrtc_http_head(p, end, reply, &frame, &rc);

        if (p == NULL) {
            return (rc == NGX_AGAIN && eof) ? NGX_DECLINED : rc;
        }

    } while (reply->status < 200);

    if (reply->status == 204 || reply->status == 304) {
        return NGX_OK;
    }

    rc = ngx_webrtc_http_body(p, end, eof, &frame, &reply->body);

    return (rc == NGX_AGAIN && eof) ? NGX_DECLINED : rc;
}


/* Returns where the body begins; NULL: *rc is NGX_AGAIN or NGX_DECLINED. */

static u_char *
ngx_webrtc_http_head(u_char *p, u_char *end, ngx_webrtc_http_reply_t *reply,
    ngx_webrtc_http_frame_t *frame, ngx_int_t *rc)
{
    ngx_str_t  line;

    *rc = NGX_AGAIN;

    p = ngx_webrtc_http_line(p, end, &line);

    if (p == NULL) {
        return NULL;
    }

    *rc = ngx_webrtc_http_status(&line, &reply->status);

    while (*rc == NGX_OK) {
        p = ngx_webrtc_http_line(p, end, &line);

        if (p == NULL) {
            *rc = NGX_AGAIN;
            return NULL;
        }

        if (line.len == 0) {

            /* RFC 9112, 6.3: both are an attempt to smuggle */

            if (frame->chunked && frame->length != -1) {
                break;
            }

            return p;
        }

        *rc = ngx_webrtc_http_field(&line, reply, frame);
    }

    *rc = NGX_DECLINED;

    return NULL;
}


/* Returns what follows the line; NULL: it has no end yet. */

static u_char *
ngx_webrtc_http_line(u_char *p, u_char *end, ngx_str_t *line)
{
    u_char  *lf;

    lf = ngx_strlchr(p, end, LF);

    if (lf == NULL) {
        return NULL;
    }

    line->data = p;
    line->len = lf - p;

    if (line->len && lf[-1] == CR) {
        line->len--;
    }

    return lf + 1;
}


/* "HTTP/1.1 201 Created" */

static ngx_int_t
ngx_webrtc_http_status(const ngx_str_t *line, ngx_uint_t *status)
{
    ngx_int_t  n;

    if (line->len < sizeof("HTTP/1.1 201") - 1
        || ngx_strncmp(line->data, "HTTP/1.", 7) != 0
        || line->data[7] < '0' || line->data[7] > '9'
        || line->data[8] != ' '
        || (line->len > 12 && line->data[12] != ' '))
    {
        return NGX_DECLINED;
    }

    n = ngx_atoi(line->data + 9, 3);

    /* nobody has asked for another protocol: 101 */

    if (n < 100 || n > 599 || n == 101) {
        return NGX_DECLINED;
    }

    *status = (ngx_uint_t) n;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_http_field(ngx_str_t *line, ngx_webrtc_http_reply_t *reply,
    ngx_webrtc_http_frame_t *frame)
{
    u_char     *colon, *last;
    ngx_int_t   n;
    ngx_str_t   name, value;

    last = line->data + line->len;
    colon = ngx_strlchr(line->data, last, ':');

    /* RFC 9112, 5.1: no space in front of the colon; 5.2: no folding */

    if (colon == NULL || colon == line->data
        || line->data[0] == ' ' || line->data[0] == '\t'
        || colon[-1] == ' ' || colon[-1] == '\t')
    {
        return NGX_DECLINED;
    }

    name.data = line->data;
    name.len = colon - line->data;

    value.data = colon + 1;

    while (value.data < last && (*value.data == ' ' || *value.data == '\t')) {
        value.data++;
    }

    while (last > value.data && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    value.len = last - value.data;

    if (ngx_webrtc_http_is(&name, "location")) {
        reply->location = value;

    } else if (ngx_webrtc_http_is(&name, "content-type")) {
        reply->type = value;

    } else if (ngx_webrtc_http_is(&name, "retry-after")) {

        /* a date, the other form, is as good as none */

        n = ngx_atoi(value.data, value.len);
        reply->retry_after = (n > 0) ? ngx_min(n, NGX_WEBRTC_HTTP_REPLY_LATER)
                                     : 0;

    } else if (ngx_webrtc_http_is(&name, "content-length")) {
        return ngx_webrtc_http_length(&value, frame);

    } else if (ngx_webrtc_http_is(&name, "transfer-encoding")) {

        if (!ngx_webrtc_http_is(&value, "chunked") || frame->chunked) {
            return NGX_DECLINED;
        }

        frame->chunked = 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_http_length(const ngx_str_t *value, ngx_webrtc_http_frame_t *frame)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n > NGX_WEBRTC_HTTP_REPLY_MAX
        || (frame->length != -1 && frame->length != n))
    {
        return NGX_DECLINED;
    }

    frame->length = n;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_http_body(u_char *p, u_char *end, ngx_uint_t eof,
    ngx_webrtc_http_frame_t *frame, ngx_str_t *body)
{
    ngx_int_t  rc;

    if (frame->chunked) {
        rc = ngx_webrtc_http_chunks(p, end, 0, body);

        return (rc == NGX_OK) ? ngx_webrtc_http_chunks(p, end, 1, body) : rc;
    }

    body->data = p;

    if (frame->length == -1) {

        /* RFC 9112, 6.3: the end of the connection is its end */

        body->len = end - p;

        return eof ? NGX_OK : NGX_AGAIN;
    }

    if ((size_t) frame->length > (size_t) (end - p)) {
        return NGX_AGAIN;
    }

    body->len = frame->length;

    return NGX_OK;
}


/*
 * RFC 9112, 7.1.
 *
 *   join   1: it is complete, and becomes a body; 0: is it?
 */

static ngx_int_t
ngx_webrtc_http_chunks(u_char *p, u_char *end, ngx_uint_t join,
    ngx_str_t *body)
{
    size_t      size;
    u_char     *last;
    ngx_int_t   rc;
    ngx_str_t   line;

    last = p;
    body->data = p;

    for ( ;; ) {
        p = ngx_webrtc_http_chunk(p, end, &size, &rc);

        if (p == NULL) {
            return rc;
        }

        if (size == 0) {
            break;
        }

        if (join) {
            last = ngx_movemem(last, p, size);
        }

        p += size;

        /* what chunk() has seen behind it */

        p = ngx_webrtc_http_line(p, end, &line);
    }

    body->len = last - body->data;

    /* the trailer */

    do {
        p = ngx_webrtc_http_line(p, end, &line);

        if (p == NULL) {
            return NGX_AGAIN;
        }

    } while (line.len);

    return NGX_OK;
}


/* Returns where the data begins, which is there with the line's end behind */

static u_char *
ngx_webrtc_http_chunk(u_char *p, u_char *end, size_t *size, ngx_int_t *rc)
{
    u_char      c, *last;
    ngx_str_t   line;
    ngx_uint_t  i;

    *rc = NGX_AGAIN;

    p = ngx_webrtc_http_line(p, end, &line);

    if (p == NULL) {
        return NULL;
    }

    *rc = NGX_DECLINED;
    *size = 0;

    for (i = 0; i < line.len; i++) {
        c = (u_char) (line.data[i] | 0x20);

        if (c >= '0' && c <= '9' && line.data[i] == c) {
            c -= '0';

        } else if (c >= 'a' && c <= 'f') {
            c -= 'a' - 10;

        } else {
            break;
        }

        *size = *size * 16 + c;

        if (*size > NGX_WEBRTC_HTTP_REPLY_MAX) {
            return NULL;
        }
    }

    /* extensions follow a semicolon */

    if (i == 0 || (i < line.len && line.data[i] != ';' && line.data[i] != ' '
                   && line.data[i] != '\t'))
    {
        return NULL;
    }

    if (*size == 0) {
        return p;
    }

    if (*size >= (size_t) (end - p)) {
        *rc = NGX_AGAIN;
        return NULL;
    }

    last = p + *size;

    if (*last == LF) {
        return p;
    }

    if (*last != CR) {
        return NULL;
    }

    if (last + 1 == end) {
        *rc = NGX_AGAIN;
        return NULL;
    }

    return (last[1] == LF) ? p : NULL;
}


ngx_int_t
ngx_webrtc_http_url(const ngx_str_t *url, ngx_webrtc_http_url_t *parts)
{
    size_t       n;
    u_char      *p, *q, *end;
    ngx_uint_t   i;

    ngx_memzero(parts, sizeof(ngx_webrtc_http_url_t));

    end = url->data + url->len;

    for (p = url->data; p < end; p++) {
        if (*p <= 0x20 || *p >= 0x7f || *p == '\\') {
            return NGX_DECLINED;
        }
    }

    for (i = 0; ngx_webrtc_http_schemes[i].name.len; i++) {
        n = ngx_webrtc_http_schemes[i].name.len;

        if (url->len > n
            && ngx_strncasecmp(url->data, ngx_webrtc_http_schemes[i].name.data,
                               n)
               == 0)
        {
            break;
        }
    }

    n = ngx_webrtc_http_schemes[i].name.len;

    if (n == 0) {
        return NGX_DECLINED;
    }

    parts->tls = ngx_webrtc_http_schemes[i].tls;

    p = url->data + n;

    for (q = p; q < end && *q != '/' && *q != '?' && *q != '#'; q++) {
        /* void */
    }

    parts->path.data = q;
    parts->path.len = end - q;

    for (i = 0; i < parts->path.len; i++) {
        if (q[i] == '#') {
            parts->path.len = i;
        }
    }

    return ngx_webrtc_http_authority(p, q, parts);
}


/* "user@host:port"; RFC 3986, 3.2 */

static ngx_int_t
ngx_webrtc_http_authority(u_char *p, u_char *end, ngx_webrtc_http_url_t *parts)
{
    u_char     *at, *q;
    ngx_int_t   port;

    for (at = end; at > p && at[-1] != '@'; at--) {
        /* void */
    }

    if (at > p) {
        parts->user.data = p;
        parts->user.len = at - 1 - p;
        p = at;
    }

    parts->authority.data = p;
    parts->authority.len = end - p;

    if (p < end && *p == '[') {
        p++;
        q = ngx_strlchr(p, end, ']');

        if (q == NULL) {
            return NGX_DECLINED;
        }

        parts->host.data = p;
        parts->host.len = q - p;
        q++;

    } else {
        q = ngx_strlchr(p, end, ':');

        if (q == NULL) {
            q = end;
        }

        parts->host.data = p;
        parts->host.len = q - p;
    }

    parts->port = parts->tls ? 443 : 80;

    if (q < end && *q != ':') {
        return NGX_DECLINED;
    }

    if (q < end && q + 1 < end) {
        port = ngx_atoi(q + 1, end - q - 1);

        if (port < 1 || port > 65535) {
            return NGX_DECLINED;
        }

        parts->port = (in_port_t) port;
    }

    return parts->host.len ? NGX_OK : NGX_DECLINED;
}


size_t
ngx_webrtc_http_resolve(const ngx_webrtc_http_url_t *base,
    const ngx_str_t *ref, u_char *buf, size_t max)
{
    size_t                  dir;
    u_char                 *p, *last;
    ngx_str_t               url;
    const char             *scheme;
    ngx_webrtc_http_url_t   parts;

    last = buf + max;
    scheme = base->tls ? "https" : "http";

    if (ref->len > 5 && ngx_strncasecmp(ref->data, (u_char *) "http", 4) == 0
        && (ref->data[4] == ':'
            || ((ref->data[4] | 0x20) == 's' && ref->data[5] == ':')))
    {
        p = ngx_slprintf(buf, last, "%V", ref);

    } else if (ref->len > 1 && ref->data[0] == '/' && ref->data[1] == '/') {
        p = ngx_slprintf(buf, last, "%s:%V", scheme, ref);

    } else if (ref->data[0] == '/') {
        p = ngx_slprintf(buf, last, "%s://%V%V", scheme, &base->authority,
                         ref);

    } else {

        /* relative to the path, without what follows its last slash */

        for (dir = 0; dir < base->path.len && base->path.data[dir] != '?';
             dir++)
        {
            /* void */
        }

        while (ref->data[0] != '?' && dir && base->path.data[dir - 1] != '/') {
            dir--;
        }

        p = ngx_slprintf(buf, last, "%s://%V%*s%s%V", scheme,
                         &base->authority, dir, base->path.data,
                         dir ? "" : "/", ref);
    }

    url.data = buf;
    url.len = p - buf;

    if (p == last || ngx_webrtc_http_url(&url, &parts) != NGX_OK) {
        return 0;
    }

    return parts.path.data - buf + ngx_webrtc_http_dots(&parts.path);
}


/*
 * RFC 3986, 5.2.4: removes "." and ".." of a path, which may have a query.
 * Returns its new length.
 */

static size_t
ngx_webrtc_http_dots(const ngx_str_t *path)
{
    size_t   n;
    u_char  *p, *out, *next, *last, *end;

    end = path->data + path->len;
    last = ngx_strlchr(path->data, end, '?');

    if (last == NULL) {
        last = end;
    }

    out = path->data;

    for (p = out; p < last; p = next) {

        next = ngx_strlchr(p + 1, last, '/');

        if (next == NULL) {
            next = last;
        }

        n = next - p;

        if (n == 3 && p[1] == '.' && p[2] == '.') {

            while (out > path->data && *--out != '/') {
                /* void */
            }

        } else if (n != 2 || p[1] != '.') {
            out = ngx_movemem(out, p, n);
            continue;
        }

        if (next == last) {
            *out++ = '/';
        }
    }

    out = ngx_movemem(out, last, end - last);

    return out - path->data;
}
