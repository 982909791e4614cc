
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Rules for the URLs of sources.  The contracts are in the header.
 *
 * A variable's value is client data that ends up in a library able to open
 * local files, listening sockets and nested protocols.  There are two lines
 * of defence: the rules here on the text, and the lists of protocols and
 * demuxers handed to libavformat, which bind redirects and playlists as well.
 *
 * RFC 3986 for the parts of a URL.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_url.h"


static u_char *ngx_webrtc_source_url_scheme_end(u_char *p, u_char *last);
static u_char *ngx_webrtc_source_url_authority(u_char *p, u_char *last,
    u_char **end);
static ngx_int_t ngx_webrtc_source_url_check_bytes(u_char *p, u_char *last,
    ngx_uint_t flags, const char **cause);
static ngx_int_t ngx_webrtc_source_url_check_path(u_char *path, u_char *var,
    u_char *last, const char **cause);
static ngx_int_t ngx_webrtc_source_url_check_dots(u_char *path, u_char *var,
    u_char *last, const char **cause);
static size_t ngx_webrtc_source_url_slash(u_char *p, u_char *last);
static u_char *ngx_webrtc_source_url_dot(u_char *p, u_char *last);


static const ngx_webrtc_source_scheme_t  ngx_webrtc_source_schemes[] = {

    /* opened by us; hls only if requested */

    { ngx_string("file"), NULL, "none",
      NGX_WEBRTC_SOURCE_FORMATS ",hls",
      NGX_WEBRTC_SOURCE_URL_PATH|NGX_WEBRTC_SOURCE_URL_FILE },

    { ngx_string("rtmp"), "flv", "rtmp,tcp", "flv",
      NGX_WEBRTC_SOURCE_URL_RTMP },

    { ngx_string("rtmps"), "flv", "rtmps,rtmp,tls,tcp", "flv",
      NGX_WEBRTC_SOURCE_URL_RTMP },

    { ngx_string("http"), NULL, "http,https,httpproxy,crypto,tls,tcp",
      NGX_WEBRTC_SOURCE_FORMATS ",hls", 0 },

    /*
     * RFC 9110, 4.2.2: what was requested securely is not fetched in the
     * clear
     */
    { ngx_string("https"), NULL, "https,httpproxy,crypto,tls,tcp",
      NGX_WEBRTC_SOURCE_FORMATS ",hls", 0 },

    { ngx_string("tcp"), NULL, "tcp", NGX_WEBRTC_SOURCE_FORMATS,
      NGX_WEBRTC_SOURCE_URL_OPTS },

    { ngx_string("udp"), "mpegts", "udp", NGX_WEBRTC_SOURCE_FORMATS,
      NGX_WEBRTC_SOURCE_URL_OPTS },

    { ngx_string("unix"), NULL, "unix", NGX_WEBRTC_SOURCE_FORMATS,
      NGX_WEBRTC_SOURCE_URL_PATH|NGX_WEBRTC_SOURCE_URL_OPTS },

    { ngx_string("srt"), "mpegts", "srt", NGX_WEBRTC_SOURCE_FORMATS,
      NGX_WEBRTC_SOURCE_URL_OPTS },

    { ngx_string("rtsp"), "rtsp", "rtp,udp,tcp,srtp", "rtsp,rtp,sdp,mpegts",
      NGX_WEBRTC_SOURCE_URL_OPTS|NGX_WEBRTC_SOURCE_URL_RTSP },

    { ngx_string("rtsps"), "rtsp", "rtp,udp,tcp,tls,srtp",
      "rtsp,rtp,sdp,mpegts",
      NGX_WEBRTC_SOURCE_URL_OPTS|NGX_WEBRTC_SOURCE_URL_RTSP },

    /* of the demuxer of SDP only with "custom_io" */

    { ngx_string("given"), NULL, "none", "flv,mpegts,sdp",
      NGX_WEBRTC_SOURCE_URL_GIVEN },

    { ngx_null_string, NULL, NULL, NULL, 0 }
};


const ngx_webrtc_source_scheme_t *
ngx_webrtc_source_url_scheme(ngx_str_t *url)
{
    size_t                             len;
    u_char                            *end;
    const ngx_webrtc_source_scheme_t  *scheme;

    if (url->len && url->data[0] == '/') {
        return &ngx_webrtc_source_schemes[0];
    }

    end = ngx_webrtc_source_url_scheme_end(url->data, url->data + url->len);
    if (end == NULL) {
        return NULL;
    }

    len = end - url->data - 1;

    for (scheme = ngx_webrtc_source_schemes; scheme->name.len; scheme++) {
        if (scheme->name.len == len
            && ngx_strncasecmp(scheme->name.data, url->data, len) == 0)
        {
            return scheme;
        }
    }

    return NULL;
}


ngx_int_t
ngx_webrtc_source_url_check(ngx_str_t *prefix, ngx_str_t *url,
    const char **cause)
{
    u_char                            *p, *last, *var, *end;
    const ngx_webrtc_source_scheme_t  *scheme;

    if (url->len < prefix->len
        || ngx_memcmp(url->data, prefix->data, prefix->len) != 0)
    {
        *cause = "it does not begin as configured";
        return NGX_DECLINED;
    }

    if (url->len > NGX_WEBRTC_SOURCE_URL_MAX) {
        *cause = "too long";
        return NGX_DECLINED;
    }

    if (ngx_webrtc_source_url_check_prefix(prefix, url->len == prefix->len,
                                           cause)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    scheme = ngx_webrtc_source_url_scheme(prefix);
    last = url->data + url->len;
    var = url->data + prefix->len;

    if (ngx_webrtc_source_url_check_bytes(var, last, scheme->flags, cause)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    p = (url->data[0] == '/') ? url->data
                              : ngx_webrtc_source_url_scheme_end(url->data,
                                                                 last);

    if (scheme->flags & NGX_WEBRTC_SOURCE_URL_PATH) {
        return ngx_webrtc_source_url_check_path(p, var, last, cause);
    }

    p = ngx_webrtc_source_url_authority(p, last, &end);

    if (var < end && ngx_strlchr(var, end, '@') != NULL) {
        *cause = "user information from a variable";
        return NGX_DECLINED;
    }

    if (p == end) {
        *cause = "no host";
        return NGX_DECLINED;
    }

    return ngx_webrtc_source_url_check_dots(end, var, last, cause);
}


ngx_int_t
ngx_webrtc_source_url_check_prefix(ngx_str_t *prefix, ngx_uint_t whole,
    const char **cause)
{
    u_char                            *p, *last, *q;
    const ngx_webrtc_source_scheme_t  *scheme;

    last = prefix->data + prefix->len;

    for (p = prefix->data; p < last; p++) {
        if (*p < 0x20 || *p == 0x7f) {
            *cause = "control character";
            return NGX_DECLINED;
        }
    }

    scheme = ngx_webrtc_source_url_scheme(prefix);
    if (scheme == NULL || (scheme->flags & NGX_WEBRTC_SOURCE_URL_GIVEN)) {
        *cause = "no scheme that can be pulled, or it depends on a variable";
        return NGX_DECLINED;
    }

    p = prefix->data;

    if (*p != '/') {
        p = ngx_webrtc_source_url_scheme_end(p, last);
    }

    if (scheme->flags & NGX_WEBRTC_SOURCE_URL_PATH) {

        /* "file://host/path": there is no host, RFC 8089, 2 */

        if (last - p >= 2 && p[0] == '/' && p[1] == '/'
            && (last - p == 2 || p[2] != '/'))
        {
            *cause = "host in a path";
            return NGX_DECLINED;
        }

        if (p == last || *p != '/') {
            *cause = "path is not absolute";
            return NGX_DECLINED;
        }

        if (!whole) {
            /*
             * "/$name" would be the whole file system: the slash that ends the
             * directory must not be among those that start the path.
             */

            for (q = p; q < last && *q == '/'; q++) { /* void */ }

            if (ngx_strlchr(q, last, '/') == NULL) {
                *cause = "no directory before the variable";
                return NGX_DECLINED;
            }
        }

        return NGX_OK;
    }

    if (last - p < 2 || p[0] != '/' || p[1] != '/') {
        *cause = "\"//\" missing after the scheme";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_source_url_open(ngx_str_t *url, u_char *buf, size_t size)
{
    size_t                             n;
    u_char                            *p, *q, *last;
    const ngx_webrtc_source_scheme_t  *scheme;

    scheme = ngx_webrtc_source_url_scheme(url);
    if (scheme == NULL) {
        return NGX_DECLINED;
    }

    p = url->data;
    last = url->data + url->len;

    if (*p != '/') {
        p = ngx_webrtc_source_url_scheme_end(p, last);
    }

    if (scheme->flags & NGX_WEBRTC_SOURCE_URL_PATH) {
        while (last - p >= 2 && p[0] == '/' && p[1] == '/') {
            p++;
        }
    }

    /* the scheme in lower case: libavformat compares it byte by byte */

    n = last - p;

    if (scheme->name.len + 1 + n >= size) {
        return NGX_DECLINED;
    }

    q = ngx_cpymem(buf, scheme->name.data, scheme->name.len);
    *q++ = ':';
    q = ngx_cpymem(q, p, n);
    *q = '\0';

    return NGX_OK;
}


/*
 * RFC 3986, 3.1: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) ":"
 *
 * Returns the position after the colon, or NULL.
 */

static u_char *
ngx_webrtc_source_url_scheme_end(u_char *p, u_char *last)
{
    u_char  c, *start;

    for (start = p; p < last; p++) {

        c = *p | 0x20;

        if (c >= 'a' && c <= 'z') {
            continue;
        }

        if (p == start) {
            return NULL;
        }

        if (*p == ':') {
            return p + 1;
        }

        if ((*p < '0' || *p > '9') && *p != '+' && *p != '-' && *p != '.') {
            return NULL;
        }
    }

    return NULL;
}


/*
 * Parses the authority after "//", which is there.
 *
 *   end     set to its end
 */

static u_char *
ngx_webrtc_source_url_authority(u_char *p, u_char *last, u_char **end)
{
    u_char  *q;

    p += 2;

    for (q = p; q < last; q++) {
        if (*q == '/' || *q == '?' || *q == '#') {
            break;
        }
    }

    *end = q;

    return p;
}


static ngx_int_t
ngx_webrtc_source_url_check_bytes(u_char *p, u_char *last, ngx_uint_t flags,
    const char **cause)
{
    for ( /* void */ ; p < last; p++) {

        if (*p <= 0x20 || *p == 0x7f || *p == '\\') {
            *cause = "space, control character or backslash from a variable";
            return NGX_DECLINED;
        }

        if ((flags & NGX_WEBRTC_SOURCE_URL_OPTS)
            && (*p == '?' || *p == '&' || *p == '#'))
        {
            *cause = "options from a variable";
            return NGX_DECLINED;
        }

        if ((flags & NGX_WEBRTC_SOURCE_URL_PATH) && *p == '|') {
            *cause = "\"|\" from a variable";
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/*
 * The path stays in the prefix's directory if no segment that the variable
 * contributes to is "." or ".."; that includes the one it completes.
 */

static ngx_int_t
ngx_webrtc_source_url_check_path(u_char *path, u_char *var, u_char *last,
    const char **cause)
{
    if (last[-1] == '/') {
        *cause = "names a directory";
        return NGX_DECLINED;
    }

    return ngx_webrtc_source_url_check_dots(path, var, last, cause);
}


static ngx_int_t
ngx_webrtc_source_url_check_dots(u_char *path, u_char *var, u_char *last,
    const char **cause)
{
    size_t       n;
    u_char      *p, *q, *end;
    ngx_uint_t   dots;

    if (var == last) {
        return NGX_OK;
    }

    /* the segment in which the variable's part begins */

    p = (var > path) ? var : path;

    while (p > path && p[-1] != '/') {
        p--;
    }

    for ( /* void */ ; p < last; p = end + ngx_max(n, 1)) {

        /* a server may decode before it splits */

        for (end = p, n = 0; end < last; end++) {
            n = ngx_webrtc_source_url_slash(end, last);
            if (n) {
                break;
            }
        }

        /* ";" starts parameters, which servers strip before they look */

        for (q = p, dots = 0; q < end; dots++) {

            if (*q == ';' || *q == '?' || *q == '#') {
                break;
            }

            q = ngx_webrtc_source_url_dot(q, end);

            if (q == NULL) {
                dots = 0;
                break;
            }
        }

        if (dots == 1 || dots == 2) {
            *cause = "\".\" or \"..\" from a variable";
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* the length of "/", "%2f", "%5c" or 0 for anything else */

static size_t
ngx_webrtc_source_url_slash(u_char *p, u_char *last)
{
    if (*p == '/') {
        return 1;
    }

    if (last - p >= 3 && p[0] == '%'
        && ((p[1] == '2' && (p[2] | 0x20) == 'f')
            || (p[1] == '5' && (p[2] | 0x20) == 'c')))
    {
        return 3;
    }

    return 0;
}


/* "." or "%2e": the position after it, or NULL for anything else */

static u_char *
ngx_webrtc_source_url_dot(u_char *p, u_char *last)
{
    if (*p == '.') {
        return p + 1;
    }

    if (last - p >= 3 && p[0] == '%' && p[1] == '2' && (p[2] | 0x20) == 'e') {
        return p + 3;
    }

    return NULL;
}
