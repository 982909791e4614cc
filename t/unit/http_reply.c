
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Replies of HTTP servers, whole and in pieces, and URLs.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"
#include "ngx_webrtc_http_reply.h"


#define N  "\r\n"


static const struct {
    const char  *text;
    ngx_int_t    rc;           /* at its end */
    ngx_uint_t   status;
    const char  *location;
    const char  *body;
} replies[] = {

    { "HTTP/1.1 201 Created" N "Location: /a" N "Content-Length: 3" N N "abc",
      NGX_OK, 201, "/a", "abc" },
    { "HTTP/1.0 200 OK" N N "to the end", NGX_OK, 200, "", "to the end" },
    { "HTTP/1.1 201" N "location:\t/a \t" N "transfer-encoding: CHUNKED" N N
      "3;x=y" N "abc" N "00a" N "0123456789" N "0" N "X: y" N N,
      NGX_OK, 201, "/a", "abc0123456789" },
    { "HTTP/1.1 201 C\nLocation: /a\nContent-Length: 1\n\nx", NGX_OK, 201,
      "/a", "x" },
    { "HTTP/1.1 102 P" N "Location: /x" N N "HTTP/1.1 103 E" N N
      "HTTP/1.1 204 No" N N, NGX_OK, 204, "", "" },
    { "HTTP/1.1 304 N" N "Content-Length: 9" N N, NGX_OK, 304, "", "" },
    { "HTTP/1.1 307 T" N "Content-Length: 0" N "Content-Length: 0" N N,
      NGX_OK, 307, "", "" },
    { "HTTP/1.1 500 E" N "Transfer-Encoding: chunked" N N "0" N N, NGX_OK, 500,
      "", "" },

    { "", NGX_DECLINED, 0, "", "" },
    { "HTTP/2 200", NGX_DECLINED, 0, "", "" },
    { "RTSP/1.0 200 OK" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 20 OK" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 2000 OK" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 101 S" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 099 S" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "A : b" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "A: b" N " c" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "none" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "Content-Length: 5" N N "abc", NGX_DECLINED, 0, "",
      "" },
    { "HTTP/1.1 200 OK" N "Content-Length: -1" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "Content-Length: 1" N "Content-Length: 2" N N "ab",
      NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "Content-Length: 99999999999999999999" N N,
      NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "Content-Length: 1" N "Transfer-Encoding: chunked" N
      N "0" N N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "Transfer-Encoding: gzip, chunked" N N "0" N N,
      NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "Transfer-Encoding: chunked" N N "x" N N,
      NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "Transfer-Encoding: chunked" N N "2" N "abc" N "0" N
      N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "Transfer-Encoding: chunked" N N "ffffffffffffffff"
      N, NGX_DECLINED, 0, "", "" },
    { "HTTP/1.1 200 OK" N "Transfer-Encoding: chunked" N N "3" N "abc" N,
      NGX_DECLINED, 0, "", "" },
};


static const struct {
    const char  *url;
    ngx_int_t    rc;
    ngx_uint_t   tls;
    const char  *user;
    const char  *authority;
    const char  *host;
    ngx_uint_t   port;
    const char  *path;
} urls[] = {

    { "http://h/a?b#c", NGX_OK, 0, "", "h", "h", 80, "/a?b" },
    { "HTTPS://u:p@h.example:8443", NGX_OK, 1, "u:p", "h.example:8443",
      "h.example", 8443, "" },
    { "whip://[::1]:80/a", NGX_OK, 0, "", "[::1]:80", "::1", 80, "/a" },
    { "whips://h?x=@", NGX_OK, 1, "", "h", "h", 443, "?x=@" },
    { "http://a@b@h:/x", NGX_OK, 0, "a@b", "h:", "h", 80, "/x" },

    { "ftp://h/a", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http:/h/a", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http:///a", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://:80/a", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://h:0/", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://h:65536/", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://h:8x/", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://[::1/", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://[::1]x/", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://h/a b", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://h/a\r\nX: y", NGX_DECLINED, 0, "", "", "", 0, "" },
    { "http://h\\@x/", NGX_DECLINED, 0, "", "", "", 0, "" },
};


static const struct {
    const char  *base;
    const char  *ref;
    const char  *url;          /* "": it leads nowhere */
} refs[] = {
    { "whip://h:1/a/b?c", "http://x/y", "http://x/y" },
    { "whip://h:1/a/b?c", "HTTPS://x/y", "HTTPS://x/y" },
    { "whips://h:1/a/b?c", "//x/y", "https://x/y" },
    { "whip://u@h:1/a/b?c", "/y?z", "http://h:1/y?z" },
    { "whip://h:1/a/b?c=/d", "y", "http://h:1/a/y" },
    { "whip://h:1/a/b?c", "?y", "http://h:1/a/b?y" },
    { "whip://h", "y", "http://h/y" },
    { "whip://h?x", "y", "http://h/y" },
    { "whips://h/a/", "y/z", "https://h/a/y/z" },
    { "whip://h/a/b", "../y", "http://h/y" },
    { "whip://h/a/b/c?d", "./../y/./z?../q", "http://h/a/y/z?../q" },
    { "whip://h/a/b", "../../../y", "http://h/y" },
    { "whip://h/a/b", "..", "http://h/" },
    { "whip://h/a/b/c", ".", "http://h/a/b/" },
    { "whip://h/a", "/x/../y/..z/.../", "http://h/y/..z/.../" },
    { "whip://h/a", "//x/y/../../..", "http://x/" },
    { "whip://h/a/../b", "?y", "http://h/b?y" },
    { "whip://h/a", "y//../z#f/../g", "http://h/y/z" },
    { "whip://h/a", "http:x", "" },
    { "whip://h/a", "/x y", "" },
    { "whip://h/a", "//", "" },
    { "whip://h/a", "http://h:99999/", "" },
};


static ngx_uint_t
same(const ngx_str_t *str, const char *text)
{
    return str->len == strlen(text)
           && (str->len == 0 || ngx_memcmp(str->data, text, str->len) == 0);
}


static void
test_replies(void)
{
    size_t                    n, len;
    u_char                   *p;
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_webrtc_http_reply_t   reply;

    for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        len = strlen(replies[i].text);
        rc = NGX_AGAIN;

        /* as it comes byte by byte, each time in memory that ends there */

        for (n = 0; n <= len && rc == NGX_AGAIN; n++) {
            p = malloc(n + 1);
            ngx_memcpy(p, replies[i].text, n);

            rc = ngx_webrtc_http_reply(p, n, 0, &reply);

            free(p);
        }

        tap_ok(rc == NGX_AGAIN || rc == replies[i].rc, "reply %d, in pieces",
               (int) i);

        p = malloc(len + 1);
        ngx_memcpy(p, replies[i].text, len);

        rc = ngx_webrtc_http_reply(p, len, 1, &reply);

        tap_ok(rc == replies[i].rc, "reply %d: %d", (int) i, (int) rc);

        if (rc == NGX_OK) {
            tap_ok(reply.status == replies[i].status, "reply %d: status %d",
                   (int) i, (int) reply.status);
            tap_ok(same(&reply.location, replies[i].location),
                   "reply %d: location", (int) i);
            tap_ok(same(&reply.body, replies[i].body), "reply %d: body",
                   (int) i);
        }

        free(p);
    }
}


static void
test_urls(void)
{
    ngx_int_t              rc;
    ngx_str_t              url;
    ngx_uint_t             i;
    ngx_webrtc_http_url_t  to;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        url.data = (u_char *) urls[i].url;
        url.len = strlen(urls[i].url);

        rc = ngx_webrtc_http_url(&url, &to);

        tap_ok(rc == urls[i].rc, "%s: %d", urls[i].url, (int) rc);

        if (rc == NGX_OK) {
            tap_ok(to.tls == urls[i].tls && to.port == urls[i].port
                   && same(&to.user, urls[i].user)
                   && same(&to.authority, urls[i].authority)
                   && same(&to.host, urls[i].host)
                   && same(&to.path, urls[i].path),
                   "%s: its parts", urls[i].url);
        }
    }
}


static void
test_refs(void)
{
    size_t                  n;
    u_char                  buf[64];
    ngx_str_t               url, ref;
    ngx_uint_t              i;
    ngx_webrtc_http_url_t   base;

    for (i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
        url.data = (u_char *) refs[i].base;
        url.len = strlen(refs[i].base);
        ref.data = (u_char *) refs[i].ref;
        ref.len = strlen(refs[i].ref);

        (void) ngx_webrtc_http_url(&url, &base);
        n = ngx_webrtc_http_resolve(&base, &ref, buf, sizeof(buf));

        tap_ok(n == strlen(refs[i].url)
               && ngx_memcmp(buf, refs[i].url, n) == 0,
               "%s at %s: %.*s", refs[i].ref, refs[i].base, (int) n, buf);

        if (n) {
            tap_ok(ngx_webrtc_http_resolve(&base, &ref, buf, n) == 0,
                   "no room for it");
        }
    }
}


int
main(void)
{
    test_replies();
    test_urls();
    test_refs();

    return tap_done();
}
