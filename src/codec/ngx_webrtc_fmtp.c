
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Format parameters: see ngx_webrtc_fmtp.h.
 */


#include "ngx_webrtc_fmtp.h"


/* bytes of a parameter's value that is repeated in the answer; chosen */
#define NGX_WEBRTC_FMTP_VALUE  16


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


ngx_uint_t
ngx_webrtc_fmtp_differs(const ngx_str_t *fmtp, const char *name,
    ngx_int_t inferred, uint32_t profile)
{
    ngx_int_t  n;
    ngx_str_t  value;

    n = inferred;

    if (ngx_webrtc_fmtp_find(fmtp, name, &value) == NGX_OK) {
        n = ngx_atoi(value.data, value.len);
    }

    return n != (ngx_int_t) profile;
}


u_char *
ngx_webrtc_fmtp_add(u_char *p, u_char *end, u_char *start, const char *name,
    const ngx_str_t *value)
{
    return ngx_slprintf(p, end, "%s%s=%V", (p == start) ? "" : ";", name,
                        value);
}


u_char *
ngx_webrtc_fmtp_repeat(u_char *p, u_char *end, u_char *start,
    const ngx_str_t *fmtp, const char *const *names)
{
    ngx_str_t  value;

    for ( /* void */ ; *names != NULL; names++) {

        if (ngx_webrtc_fmtp_find(fmtp, *names, &value) == NGX_OK
            && value.len != 0 && value.len <= NGX_WEBRTC_FMTP_VALUE)
        {
            p = ngx_webrtc_fmtp_add(p, end, start, *names, &value);
        }
    }

    return p;
}
