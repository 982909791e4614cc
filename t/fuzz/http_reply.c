
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: what an HTTP server answers us, and where it redirects us to.
 * Property: views lie within the reply; what was not complete is not complete
 * with less of it; a URL that a redirect leads to can be taken apart, and has
 * no bytes that would end a line.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_http_reply.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
within(const u_char *p, size_t n, const ngx_str_t *view)
{
    if (view->len
        && (view->data < p || view->len > n
            || view->data > p + n - view->len))
    {
        abort();
    }
}


static void
redirected(const ngx_str_t *ref)
{
    size_t                  i, n;
    u_char                  buf[512];
    ngx_str_t               url;
    ngx_webrtc_http_url_t   base, to;

    ngx_str_set(&url, "whips://u@host:8443/a/b?c");

    if (ngx_webrtc_http_url(&url, &base) != NGX_OK) {
        abort();
    }

    n = ngx_webrtc_http_resolve(&base, ref, buf, sizeof(buf));

    url.data = buf;
    url.len = n;

    if (n == 0) {
        return;
    }

    if (n > sizeof(buf) || ngx_webrtc_http_url(&url, &to) != NGX_OK
        || to.host.len == 0 || to.port == 0)
    {
        abort();
    }

    for (i = 0; i + 3 < to.path.len && to.path.data[i] != '?'; i++) {
        if (ngx_strncmp(to.path.data + i, "/../", 4) == 0) {
            abort();
        }
    }

    within(buf, n, &to.authority);
    within(buf, n, &to.host);
    within(buf, n, &to.user);
    within(buf, n, &to.path);

    for (i = 0; i < n; i++) {
        if (buf[i] <= 0x20) {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                   *p;
    ngx_int_t                 rc;
    ngx_uint_t                eof;
    ngx_webrtc_http_reply_t   reply;

    if (size < 1 || size > NGX_WEBRTC_HTTP_REPLY_MAX) {
        return 0;
    }

    eof = data[0] & 1;
    data++;
    size--;

    p = malloc(size + 1);

    if (p == NULL) {
        abort();
    }

    ngx_memcpy(p, data, size);

    rc = ngx_webrtc_http_reply(p, size, eof, &reply);

    switch (rc) {

    case NGX_OK:
        within(p, size, &reply.location);
        within(p, size, &reply.type);
        within(p, size, &reply.body);

        if (reply.status < 200 || reply.status > 599) {
            abort();
        }

        if (reply.location.len) {
            redirected(&reply.location);
        }

        break;

    case NGX_AGAIN:

        if (eof) {
            abort();
        }

        ngx_memcpy(p, data, size);

        if (ngx_webrtc_http_reply(p, size / 2, 0, &reply) != NGX_AGAIN) {
            abort();
        }

        break;

    case NGX_DECLINED:
        break;

    default:
        abort();
    }

    free(p);

    return 0;
}
