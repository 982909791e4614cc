
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Format parameters: see ngx_webrtc_fmtp.h.
 */


#include "ngx_webrtc_fmtp.h"


ngx_int_t
ngx_webrtc_fmtp_find(const ngx_str_t *fmtp, const char *name,
    ngx_str_t *value)
{
    size_t   n;
    u_char  *p, *end, *last, *next;

    if (fmtp->len == 0) {
        return NGX_DECLINED;
    }

    n = ngx_strlen(name);
    p = fmtp->data;
    end = p + fmtp->len;

    while (p < end) {
        next = ngx_strlchr(p, end, ';');
        last = (next == NULL) ? end : next;

        while (p < last && *p == ' ') {
            p++;
        }

        while (last > p && last[-1] == ' ') {
            last--;
        }

        if ((size_t) (last - p) > n
            && p[n] == '='
            && ngx_strncasecmp(p, (u_char *) name, n) == 0)
        {
            value->data = p + n + 1;
            value->len = last - value->data;
            return NGX_OK;
        }

        if (next == NULL) {
            break;
        }

        p = next + 1;
    }

    return NGX_DECLINED;
}
