
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Texts with URLs in them, as libavformat and servers make them: the input is
 * a name, a URL and a text, each in a line.  Nothing gets longer or has
 * a control character, user information is gone, and the secrets of the URL
 * are not in the text.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_mask.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_str_t
line(u_char **p, u_char *last)
{
    u_char     *lf;
    ngx_str_t   v;

    lf = ngx_strlchr(*p, last, '\n');
    lf = lf ? lf : last;

    v.len = lf - *p;
    v.data = malloc(v.len + (v.len == 0));
    ngx_memcpy(v.data, *p, v.len);

    *p = (lf < last) ? lf + 1 : last;

    return v;
}


static void
check_controls(u_char *p, size_t n)
{
    while (n--) {
        if (p[n] < 0x20 || p[n] == 0x7f) {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      n, m;
    u_char     *p, *q, *buf, *copy, *end, *at;
    ngx_str_t   name, url, text;

    if (size > 4096) {
        return 0;
    }

    buf = malloc(size + 1);
    ngx_memcpy(buf, data, size);

    p = buf;
    name = line(&p, buf + size);
    url = line(&p, buf + size);
    text = line(&p, buf + size);

    copy = malloc(size + 1);

    p = ngx_webrtc_source_mask_url(copy, copy + size + 1, &url, &name);

    if ((size_t) (p - copy) > url.len) {
        abort();
    }

    check_controls(copy, p - copy);

    /* "scheme://user:password@host" in front */

    q = ngx_strlchr(url.data, url.data + url.len, ':');

    if (q && q > url.data && url.data + url.len - q > 3
        && q[1] == '/' && q[2] == '/' && url.data[0] != '/'
        && ngx_strncasecmp(url.data, (u_char *) "file:",
                           ngx_min(url.len, 5)) != 0)
    {
        end = ngx_strlchr(copy + (q - url.data) + 3, p, '/');
        at = ngx_strlchr(copy + (q - url.data) + 3, end ? end : p, '@');

        if (at && ngx_strlchr(copy + (q - url.data) + 3, at, '?') == NULL
            && ngx_strlchr(copy + (q - url.data) + 3, at, '#') == NULL)
        {
            abort();
        }
    }

    n = ngx_webrtc_source_mask_text(text.data, text.len, &name);

    if (n > text.len) {
        abort();
    }

    check_controls(text.data, n);

    m = ngx_webrtc_source_mask_secrets(text.data, n, &url, &name);

    if (m > n) {
        abort();
    }

    n = ngx_webrtc_source_mask_query(text.data, m, NULL);

    if (n > m) {
        abort();
    }

    free(copy);
    free(name.data);
    free(url.data);
    free(text.data);
    free(buf);

    return 0;
}
