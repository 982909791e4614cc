
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * URLs of sources and targets: the input is a prefix and, after a line feed,
 * what a variable brought.  What passes the check keeps its scheme and, for
 * files, its directory; that of a target, its host.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_url.h"
#include "ngx_webrtc_target.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* the depth of a path never falls below where the variable began */

static void
check_path(u_char *p, u_char *last)
{
    int      depth;
    size_t   n;
    u_char  *q;

    for (depth = 0; p < last; p = q + 1) {

        for (q = p; q < last && *q != '/'; q++) { /* void */ }

        n = q - p;

        if (n == 2 && p[0] == '.' && p[1] == '.') {
            if (--depth < 0) {
                abort();
            }

        } else if (n) {
            depth++;
        }
    }
}


/* a target's scheme and host are in what the operator wrote */

static void
check_target(ngx_str_t *prefix, ngx_str_t *url)
{
    u_char      *p, *last;
    const char  *cause;

    cause = NULL;

    if (ngx_webrtc_target_check_prefix(prefix, prefix->len == url->len, &cause)
        != NGX_OK
        || ngx_webrtc_target_check(prefix, url, &cause) != NGX_OK)
    {
        if (cause == NULL) {
            abort();
        }

        return;
    }

    if (ngx_webrtc_target(prefix) == NULL
        || ngx_webrtc_target(prefix) != ngx_webrtc_target(url))
    {
        abort();
    }

    last = url->data + url->len;
    p = ngx_strlchr(url->data, last, ':') + 3;

    while (p < last && *p != '/' && *p != '?' && *p != '#') {
        p++;
    }

    if (p > prefix->data + prefix->len) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                            *lf, *buf, *text, *dir;
    ngx_str_t                          prefix, url;
    const char                        *cause;
    const ngx_webrtc_source_scheme_t  *a, *b;

    if (size > 4096) {
        return 0;
    }

    /* of its size, so that a sanitizer sees a byte too many */

    buf = malloc(size ? size : 1);
    text = malloc(size + 16);

    ngx_memcpy(buf, data, size);

    lf = ngx_strlchr(buf, buf + size, '\n');

    prefix.data = buf;
    prefix.len = size;
    url = prefix;

    if (lf) {
        prefix.len = lf - buf;
        ngx_memmove(lf, lf + 1, buf + size - lf - 1);
        url.len = size - 1;
    }

    check_target(&prefix, &url);

    if (ngx_webrtc_source_url_check(&prefix, &url, &cause) == NGX_OK) {

        a = ngx_webrtc_source_url_scheme(&prefix);
        b = ngx_webrtc_source_url_scheme(&url);

        if (a == NULL || a != b
            || ngx_webrtc_source_url_open(&url, text, size + 16) != NGX_OK
            || ngx_strncmp(text, a->name.data, a->name.len) != 0
            || text[a->name.len] != ':')
        {
            abort();
        }

        /* without a variable it is what the operator wrote */

        if (lf && url.len > prefix.len
            && (a->flags & NGX_WEBRTC_SOURCE_URL_PATH))
        {

            dir = prefix.data + prefix.len;

            while (dir > prefix.data && dir[-1] != '/') {
                dir--;
            }

            check_path(dir, url.data + url.len);
        }

    } else if (cause == NULL) {
        abort();
    }

    free(text);
    free(buf);

    return 0;
}
