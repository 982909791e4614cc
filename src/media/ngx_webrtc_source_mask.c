
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Secrets of URLs.  The rules and contracts are in the header.
 *
 *   1. A URL is scanned once, from left to right, and its secrets are
 *      recorded as spans.  Everything else works on spans: leaving them out
 *      of the URL, or looking for them in a text.
 *
 *   2. Once there is no room for another span, the rest is secret up to the
 *      end.
 *
 *   3. When in doubt, it is secret: nobody can log in with what a log leaves
 *      out.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_mask.h"
#include "ngx_webrtc_source_url.h"


/* spans of one URL; chosen: more arguments than anybody writes */
#define NGX_WEBRTC_SOURCE_MASK_SPANS  32

/* bytes; chosen: shorter ones would be found in any text */
#define NGX_WEBRTC_SOURCE_MASK_LEAST  4

/* of what looks like a token: its bytes, and changes of kind; chosen */
#define NGX_WEBRTC_SOURCE_MASK_TOKEN  16
#define NGX_WEBRTC_SOURCE_MASK_TURNS  4

/* bytes of an option's value that is harmless, of an argument's name; chosen */
#define NGX_WEBRTC_SOURCE_MASK_VALUE  16
#define NGX_WEBRTC_SOURCE_MASK_NAME   32


typedef enum {
    NGX_WEBRTC_SOURCE_MASK_USER = 0,     /* left out, with its '@' */
    NGX_WEBRTC_SOURCE_MASK_KEY,          /* its beginning is shown */
    NGX_WEBRTC_SOURCE_MASK_ALL
} ngx_webrtc_source_mask_kind_e;


typedef struct {
    u_char                        *start;
    u_char                        *end;
    ngx_webrtc_source_mask_kind_e  kind;
} ngx_webrtc_source_mask_span_t;


typedef struct {
    u_char                        *last;
    ngx_str_t                     *name;
    ngx_uint_t                     rtmp;
    ngx_uint_t                     n;
    ngx_webrtc_source_mask_span_t  span[NGX_WEBRTC_SOURCE_MASK_SPANS];
} ngx_webrtc_source_mask_t;


static void ngx_webrtc_source_mask_look(ngx_webrtc_source_mask_t *m,
    u_char *p, u_char *last, ngx_str_t *name);
static u_char *ngx_webrtc_source_mask_scheme(ngx_webrtc_source_mask_t *m,
    u_char *p, u_char *last);
static u_char *ngx_webrtc_source_mask_authority(ngx_webrtc_source_mask_t *m,
    u_char *p);
static u_char *ngx_webrtc_source_mask_path(ngx_webrtc_source_mask_t *m,
    u_char *p);
static void ngx_webrtc_source_mask_component(ngx_webrtc_source_mask_t *m,
    u_char *p, u_char *end, ngx_uint_t is_last);
static ngx_uint_t ngx_webrtc_source_mask_is_own(ngx_webrtc_source_mask_t *m,
    u_char *p, u_char *end);
static ngx_uint_t ngx_webrtc_source_mask_is_token(u_char *p, u_char *end);
static void ngx_webrtc_source_mask_args(ngx_webrtc_source_mask_t *m,
    u_char *p, const ngx_str_t *plain);
static ngx_uint_t ngx_webrtc_source_mask_is_plain(u_char *p, u_char *end,
    u_char *last, const ngx_str_t *plain);
static ngx_uint_t ngx_webrtc_source_mask_is_name(u_char *p, u_char *end);
static void ngx_webrtc_source_mask_add(ngx_webrtc_source_mask_t *m,
    u_char *p, u_char *end, ngx_webrtc_source_mask_kind_e kind);
static u_char *ngx_webrtc_source_mask_copy(ngx_webrtc_source_mask_t *m,
    u_char *d, u_char *p, u_char *last);
static u_char *ngx_webrtc_source_mask_stars(u_char *d, size_t n);
static u_char *ngx_webrtc_source_mask_end(u_char *p, u_char *start,
    u_char *last);
static size_t ngx_webrtc_source_mask_secret(u_char *p, size_t n,
    u_char *secret, u_char *end);
static u_char *ngx_webrtc_source_mask_match(u_char *p, u_char *last,
    u_char *s, u_char *end);
static u_char *ngx_webrtc_source_mask_byte(u_char *p, u_char *last,
    u_char *byte);
static ngx_uint_t ngx_webrtc_source_mask_kind(u_char c);


/* options of libavformat, and arguments of cameras, that hold no secrets */

static const ngx_str_t  ngx_webrtc_source_mask_options[] = {
    ngx_string("buffer_size"),
    ngx_string("channel"),
    ngx_string("connect_timeout"),
    ngx_string("fifo_size"),
    ngx_string("latency"),
    ngx_string("listen"),
    ngx_string("listen_timeout"),
    ngx_string("localport"),
    ngx_string("mode"),
    ngx_string("overrun_nonfatal"),
    ngx_string("peerlatency"),
    ngx_string("pkt_size"),
    ngx_string("rcvlatency"),
    ngx_string("reuse"),
    ngx_string("rw_timeout"),
    ngx_string("subtype"),
    ngx_string("tcp_nodelay"),
    ngx_string("timeout"),
    ngx_string("transtype"),
    ngx_string("ttl"),
    ngx_null_string
};


u_char *
ngx_webrtc_source_mask_url(u_char *p, u_char *last, ngx_str_t *url,
    ngx_str_t *name)
{
    u_char                    *q, *end;
    u_char                     buf[NGX_WEBRTC_SOURCE_URL_MAX];
    ngx_webrtc_source_mask_t   m;

    end = url->data + ngx_min(url->len, sizeof(buf));

    ngx_webrtc_source_mask_look(&m, url->data, end, name);
    end = ngx_webrtc_source_mask_copy(&m, buf, url->data, end);

    for (q = buf; q < end && p < last; q++) {
        *p++ = (*q >= 0x20 && *q < 0x7f) ? *q : '?';
    }

    return p;
}


size_t
ngx_webrtc_source_mask_text(u_char *p, size_t n, ngx_str_t *name)
{
    u_char                    *s, *d, *q, *end, *last;
    ngx_webrtc_source_mask_t   m;

    last = p + n;

    for (q = p; q < last; q++) {

        /* C1 in UTF-8, too: some terminals know them */

        if (*q < 0x20 || *q == 0x7f) {
            *q = '?';

        } else if (*q == 0xc2 && last - q > 1 && (q[1] & 0xe0) == 0x80) {
            *q++ = '?';
            *q = '?';
        }
    }

    d = p;
    s = p;

    for (q = p; q < last; q++) {

        if (*q != ':' || last - q < 3 || q[1] != '/' || q[2] != '/') {
            continue;
        }

        while (q > s && (ngx_webrtc_source_mask_kind(q[-1])
                         || q[-1] == '+' || q[-1] == '.' || q[-1] == ':'
                         || q[-1] == '-'))
        {
            q--;
        }

        end = ngx_webrtc_source_mask_end(q, p, last);

        ngx_memmove(d, s, q - s);
        d += q - s;

        ngx_webrtc_source_mask_look(&m, q, end, name);
        d = ngx_webrtc_source_mask_copy(&m, d, q, end);

        s = end;
        q = end - 1;
    }

    ngx_memmove(d, s, last - s);
    d += last - s;

    return d - p;
}


size_t
ngx_webrtc_source_mask_secrets(u_char *p, size_t n, ngx_str_t *url,
    ngx_str_t *name)
{
    u_char                         *start, *end;
    ngx_uint_t                      i;
    ngx_webrtc_source_mask_t        m;
    ngx_webrtc_source_mask_span_t  *span;

    ngx_webrtc_source_mask_look(&m, url->data, url->data + url->len, name);

    for (i = 0; i < m.n; i++) {
        span = &m.span[i];
        start = span->start;
        end = span->end;

        if (span->kind == NGX_WEBRTC_SOURCE_MASK_USER) {

            /* a name like "admin" occurs in every other text */

            end--;
            start = ngx_strlchr(span->start, end, ':');
            start = start ? start + 1 : span->start;
        }

        n = ngx_webrtc_source_mask_secret(p, n, start, end);
    }

    return n;
}


size_t
ngx_webrtc_source_mask_query(u_char *p, size_t n, const ngx_str_t *plain)
{
    ngx_webrtc_source_mask_t  m;

    m.n = 0;
    m.last = p + n;

    ngx_webrtc_source_mask_args(&m, p, plain);

    return ngx_webrtc_source_mask_copy(&m, p, p, p + n) - p;
}


/* the spans of a URL */

static void
ngx_webrtc_source_mask_look(ngx_webrtc_source_mask_t *m, u_char *p,
    u_char *last, ngx_str_t *name)
{
    m->last = last;
    m->name = name;
    m->n = 0;

    p = ngx_webrtc_source_mask_scheme(m, p, last);

    if (p == NULL) {
        return;
    }

    p = ngx_webrtc_source_mask_authority(m, p);
    p = ngx_webrtc_source_mask_path(m, p);

    if (p == last) {
        return;
    }

    if (*p == '#') {
        ngx_webrtc_source_mask_add(m, p + 1, last, NGX_WEBRTC_SOURCE_MASK_ALL);
        return;
    }

    ngx_webrtc_source_mask_args(m, p + 1, NULL);
}


/*
 * Returns where the authority begins, or what may be one; NULL for the path of
 * a file.
 */

static u_char *
ngx_webrtc_source_mask_scheme(ngx_webrtc_source_mask_t *m, u_char *p,
    u_char *last)
{
    u_char  *q, *scheme;

    static ngx_str_t  sep = ngx_string("://");
    static ngx_str_t  file = ngx_string("file:");

    m->rtmp = 0;

    if ((p < last && *p == '/')
        || ((size_t) (last - p) >= file.len
            && ngx_strncasecmp(p, file.data, file.len) == 0))
    {
        return NULL;
    }

    q = ngx_strlcasestrn(p, last, sep.data, sep.len - 1);

    if (q) {

        for (scheme = q; scheme > p; scheme--) {
            if (!ngx_webrtc_source_mask_kind(scheme[-1])) {
                break;
            }
        }

        m->rtmp = (q - scheme >= 4
                   && ngx_strncasecmp(scheme, (u_char *) "rtmp", 4) == 0);

        return q + sep.len;
    }

    /* malformed: such a URL is refused in a configuration */

    m->rtmp = (last - p >= 4
               && ngx_strncasecmp(p, (u_char *) "rtmp", 4) == 0);

    for (q = p; q < last && ngx_webrtc_source_mask_kind(*q); q++) {
        /* void */
    }

    if (q > p && q < last && *q == ':') {
        p = q + 1;
    }

    while (p < last && *p == '/') {
        p++;
    }

    return p;
}


/* returns its end */

static u_char *
ngx_webrtc_source_mask_authority(ngx_webrtc_source_mask_t *m, u_char *p)
{
    u_char      *q, *at, *end, *host;
    ngx_uint_t   port;

    for (end = p; end < m->last; end++) {
        if (*end == '/' || *end == '?' || *end == '#') {
            break;
        }
    }

    at = NULL;

    for (q = p; q < end; q++) {
        if (*q == '@') {
            at = q;
        }
    }

    if (at == NULL && end < m->last) {

        /* "user:pa/ss@host": the port is not one */

        host = ngx_strlchr(p, end, ']');
        q = ngx_strlchr(host ? host : p, end, ':');

        port = (q == NULL);

        for (q = q ? q + 1 : end; q < end; q++) {
            port = (*q >= '0' && *q <= '9');

            if (!port) {
                break;
            }
        }

        for (q = end; q < m->last && !port; q++) {
            if (*q == '@') {
                at = q;
            }
        }
    }

    if (at == NULL) {
        return end;
    }

    ngx_webrtc_source_mask_add(m, p, at + 1, NGX_WEBRTC_SOURCE_MASK_USER);

    for (end = ngx_max(end, at + 1); end < m->last; end++) {
        if (*end == '/' || *end == '?' || *end == '#') {
            break;
        }
    }

    return end;
}


/* returns its end */

static u_char *
ngx_webrtc_source_mask_path(ngx_webrtc_source_mask_t *m, u_char *p)
{
    u_char  *q, *end, *path, *stop;

    for (path = p; p < m->last && *p != '?' && *p != '#'; p++) { /* void */ }

    end = p;

    for (stop = end; stop > path && stop[-1] == '/'; stop--) { /* void */ }

    for (p = path; p < stop; p = q) {

        while (*p == '/') {
            p++;
        }

        for (q = p; q < stop && *q != '/'; q++) { /* void */ }

        ngx_webrtc_source_mask_component(m, p, q, q == stop);
    }

    return end;
}


static void
ngx_webrtc_source_mask_component(ngx_webrtc_source_mask_t *m, u_char *p,
    u_char *end, ngx_uint_t is_last)
{
    u_char  *q, *at, *value;

    /* a URL in a URL: its user information */

    at = ngx_strlchr(p, end, '@');

    if (at && ngx_strlchr(p, at, ':')) {
        ngx_webrtc_source_mask_add(m, p, at + 1, NGX_WEBRTC_SOURCE_MASK_USER);
        p = at + 1;
    }

    if (ngx_webrtc_source_mask_is_own(m, p, end)) {
        return;
    }

    if (m->rtmp && is_last) {
        ngx_webrtc_source_mask_add(m, p, end, NGX_WEBRTC_SOURCE_MASK_KEY);
        return;
    }

    for (value = p; value < end; value++) {

        if (*value == '=') {
            value++;
            break;
        }

        if (end - value > 3 && value[0] == '%' && value[1] == '3'
            && (value[2] | 0x20) == 'd')
        {
            value += 3;
            break;
        }
    }

    for (q = p; q < value && *q != '.'; q++) { /* void */ }

    if (ngx_webrtc_source_mask_is_token(p, q)) {
        ngx_webrtc_source_mask_add(m, p, q, NGX_WEBRTC_SOURCE_MASK_KEY);
    }

    ngx_webrtc_source_mask_add(m, value, end, NGX_WEBRTC_SOURCE_MASK_ALL);
}


/*
 * The stream's name, or its end after a mark such as '/' or '-'; in a
 * configured URL, a variable
 */

static ngx_uint_t
ngx_webrtc_source_mask_is_own(ngx_webrtc_source_mask_t *m, u_char *p,
    u_char *end)
{
    size_t   n;
    u_char  *tail;

    n = end - p;

    if (m->name) {

        if (n == 0 || n > m->name->len) {
            return 0;
        }

        tail = m->name->data + m->name->len - n;

        return ngx_memcmp(tail, p, n) == 0
               && (n == m->name->len
                   || !ngx_webrtc_source_mask_kind(tail[-1]));
    }

    if (n < 2 || *p++ != '$') {
        return 0;
    }

    while (p < end && (ngx_webrtc_source_mask_kind(*p) || *p == '_'
                       || *p == '{' || *p == '}'))
    {
        p++;
    }

    return p == end;
}


static ngx_uint_t
ngx_webrtc_source_mask_is_token(u_char *p, u_char *end)
{
    ngx_uint_t  kind, before, turns;

    if (end - p < NGX_WEBRTC_SOURCE_MASK_TOKEN) {
        return 0;
    }

    before = 0;
    turns = 0;

    for ( /* void */ ; p < end; p++) {
        kind = ngx_webrtc_source_mask_kind(*p);

        if (kind) {
            turns += (before && before != kind);
            before = kind;
        }
    }

    return turns >= NGX_WEBRTC_SOURCE_MASK_TURNS;
}


/* name=value&name=value, up to the end */

static void
ngx_webrtc_source_mask_args(ngx_webrtc_source_mask_t *m, u_char *p,
    const ngx_str_t *plain)
{
    u_char  *end, *eq;

    for ( /* void */ ; p < m->last; p = end + 1) {

        end = ngx_strlchr(p, m->last, '&');
        end = end ? end : m->last;

        eq = ngx_strlchr(p, end, '=');

        if (eq == NULL || !ngx_webrtc_source_mask_is_name(p, eq)) {
            ngx_webrtc_source_mask_add(m, p, end, NGX_WEBRTC_SOURCE_MASK_ALL);

        } else if (!ngx_webrtc_source_mask_is_plain(p, eq, end, plain)) {
            ngx_webrtc_source_mask_add(m, eq + 1, end,
                                       NGX_WEBRTC_SOURCE_MASK_ALL);
        }
    }
}


/* may the value after "name=" be shown? */

static ngx_uint_t
ngx_webrtc_source_mask_is_plain(u_char *p, u_char *end, u_char *last,
    const ngx_str_t *plain)
{
    size_t            n;
    const ngx_str_t  *s;

    n = end - p;

    for (s = plain; s && s->len; s++) {
        if (s->len == n && ngx_strncmp(s->data, p, n) == 0) {
            return 1;
        }
    }

    if (last - end - 1 > NGX_WEBRTC_SOURCE_MASK_VALUE) {
        return 0;
    }

    for (s = ngx_webrtc_source_mask_options; s->len; s++) {
        if (s->len == n && ngx_strncmp(s->data, p, n) == 0) {
            break;
        }
    }

    if (s->len == 0) {
        return 0;
    }

    for (p = end + 1; p < last; p++) {
        if (!ngx_webrtc_source_mask_kind(*p) && *p != '.' && *p != '-') {
            return 0;
        }
    }

    return 1;
}


/* looks like a program's argument name, not like the start of base64 */

static ngx_uint_t
ngx_webrtc_source_mask_is_name(u_char *p, u_char *end)
{
    if (p == end || end - p > NGX_WEBRTC_SOURCE_MASK_NAME
        || ngx_webrtc_source_mask_is_token(p, end))
    {
        return 0;
    }

    for ( /* void */ ; p < end; p++) {
        if (!ngx_webrtc_source_mask_kind(*p)
            && *p != '_' && *p != '-' && *p != '.')
        {
            return 0;
        }
    }

    return 1;
}


static void
ngx_webrtc_source_mask_add(ngx_webrtc_source_mask_t *m, u_char *p, u_char *end,
    ngx_webrtc_source_mask_kind_e kind)
{
    ngx_webrtc_source_mask_span_t  *span;

    if (p == end) {
        return;
    }

    if (m->n == NGX_WEBRTC_SOURCE_MASK_SPANS) {
        span = &m->span[m->n - 1];
        span->end = m->last;
        span->kind = NGX_WEBRTC_SOURCE_MASK_ALL;
        return;
    }

    span = &m->span[m->n++];
    span->start = p;
    span->end = end;
    span->kind = kind;
}


/* copies what was scanned, without its secrets; d may be p, or before it */

static u_char *
ngx_webrtc_source_mask_copy(ngx_webrtc_source_mask_t *m, u_char *d, u_char *p,
    u_char *last)
{
    size_t                          n, shown;
    ngx_uint_t                      i;
    ngx_webrtc_source_mask_span_t  *span;

    for (i = 0; i < m->n; i++) {
        span = &m->span[i];
        n = span->end - span->start;
        shown = 0;

        if (span->kind == NGX_WEBRTC_SOURCE_MASK_KEY) {
            shown = ngx_min(n / 4, 4);
        }

        ngx_memmove(d, p, span->start + shown - p);
        d += span->start + shown - p;

        if (span->kind != NGX_WEBRTC_SOURCE_MASK_USER) {
            d = ngx_webrtc_source_mask_stars(d, n - shown);
        }

        p = span->end;
    }

    ngx_memmove(d, p, last - p);

    return d + (last - p);
}


static u_char *
ngx_webrtc_source_mask_stars(u_char *d, size_t n)
{
    n = ngx_min(n, 3);

    ngx_memset(d, '*', n);

    return d + n;
}


/*
 * The end of a URL in a text that begins at "start": if quoted, the quote
 * that no more of it follows; else white space, less the punctuation before
 * it.
 */

static u_char *
ngx_webrtc_source_mask_end(u_char *p, u_char *start, u_char *last)
{
    u_char  quote, *url;

    static u_char  marks[] = " ,.;:)";

    url = p;
    quote = (p > start && (p[-1] == '\'' || p[-1] == '"')) ? p[-1] : 0;

    for ( /* void */ ; p < last; p++) {

        if (quote == 0) {
            if (*p == ' ') {
                break;
            }

        } else if (*p == quote
                   && (last - p == 1
                       || ngx_strlchr(marks, marks + 6, p[1])))
        {
            return p;
        }
    }

    while (quote == 0 && p > url && ngx_strlchr(marks, marks + 6, p[-1])) {
        p--;
    }

    return p;
}


/* removes one secret, wherever it is in a text */

static size_t
ngx_webrtc_source_mask_secret(u_char *p, size_t n, u_char *secret,
    u_char *end)
{
    u_char      *s, *d, *q, *last, byte;
    ngx_uint_t   len;

    for (q = secret, len = 0; q < end; len++) {
        q = ngx_webrtc_source_mask_byte(q, end, &byte);
    }

    if (len < NGX_WEBRTC_SOURCE_MASK_LEAST) {
        return n;
    }

    last = p + n;

    for (s = p, d = p; s < last; /* void */ ) {

        q = ngx_webrtc_source_mask_match(s, last, secret, end);

        if (q == NULL) {
            *d++ = *s++;
            continue;
        }

        d = ngx_webrtc_source_mask_stars(d, q - s);
        s = q;
    }

    return d - p;
}


/*
 * Does the text continue with the secret?  Returns the position after it,
 * also if the text ends within it; or NULL.
 */

static u_char *
ngx_webrtc_source_mask_match(u_char *p, u_char *last, u_char *s, u_char *end)
{
    u_char      a, b;
    ngx_uint_t  n;

    for (n = 0; s < end; n++) {

        if (p == last) {
            return (n >= NGX_WEBRTC_SOURCE_MASK_LEAST) ? p : NULL;
        }

        p = ngx_webrtc_source_mask_byte(p, last, &a);
        s = ngx_webrtc_source_mask_byte(s, end, &b);

        /* what a text cannot hold appears in it as '?' */

        if (a != b && !(a == '?' && (b < 0x20 || b >= 0x7f))) {
            return NULL;
        }
    }

    return p;
}


/* one byte, which may be percent-encoded */

static u_char *
ngx_webrtc_source_mask_byte(u_char *p, u_char *last, u_char *byte)
{
    ngx_int_t  n;

    if (*p == '%' && last - p >= 3) {
        n = ngx_hextoi(p + 1, 2);

        if (n != NGX_ERROR) {
            *byte = (u_char) n;
            return p + 3;
        }
    }

    *byte = *p;

    return p + 1;
}


/* lower case, upper case, digit; 0: none of them */

static ngx_uint_t
ngx_webrtc_source_mask_kind(u_char c)
{
    if (c >= 'a' && c <= 'z') {
        return 1;
    }

    if (c >= 'A' && c <= 'Z') {
        return 2;
    }

    return (c >= '0' && c <= '9') ? 3 : 0;
}
