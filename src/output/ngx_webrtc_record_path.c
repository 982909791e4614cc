
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Paths of recordings: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_record_path.h"


static u_char *ngx_webrtc_record_path_one(u_char *to, u_char *from,
    u_char *last);


ngx_int_t
ngx_webrtc_record_path_clean(u_char *p, size_t n, size_t *len,
    const char **cause)
{
    u_char      *from, *to, *end, *last;
    ngx_uint_t   depth;

    from = p;
    to = p;
    last = p + n;
    depth = 0;

    while (from < last) {

        for (end = from; end < last && *end != '/'; end++) {
            /* void */
        }

        if (end == from) {
            from++;
            continue;
        }

        if ((size_t) (end - from) > NGX_WEBRTC_RECORD_NAME) {
            *cause = "a name in its path is too long";
            return NGX_DECLINED;
        }

        if (++depth > NGX_WEBRTC_RECORD_DEPTH) {
            *cause = "its path has too many directories";
            return NGX_DECLINED;
        }

        if (to != p) {
            *to++ = '/';
        }

        to = ngx_webrtc_record_path_one(to, from, end);

        from = end + 1;
    }

    *len = to - p;

    if (*len == 0 || p[n - 1] == '/') {
        *cause = "its path ends without a name";
        return NGX_DECLINED;
    }

    if (*len > NGX_WEBRTC_RECORD_PATH) {
        *cause = "its path is too long";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* a name, not longer than it was; the end of it */

static u_char *
ngx_webrtc_record_path_one(u_char *to, u_char *from, u_char *last)
{
    size_t       n;
    u_char      *name;
    ngx_uint_t   dots;

    name = to;
    dots = 1;

    for ( /* void */ ; from < last; from++) {
        dots &= (*from == '.');
        *to++ = (*from < 0x20 || *from == 0x7f) ? '_' : *from;
    }

    n = to - name;

    if (dots && n <= 2) {
        ngx_memset(name, '_', n);
    }

    /* what looks like a file that is not whole would be taken for one */

    if (n >= sizeof(NGX_WEBRTC_RECORD_PART) - 1
        && ngx_memcmp(to - (sizeof(NGX_WEBRTC_RECORD_PART) - 1),
                      NGX_WEBRTC_RECORD_PART,
                      sizeof(NGX_WEBRTC_RECORD_PART) - 1)
           == 0)
    {
        to[-(ssize_t) (sizeof(NGX_WEBRTC_RECORD_PART) - 1)] = '_';
    }

    return to;
}


void
ngx_webrtc_record_path_name(u_char to[NGX_WEBRTC_RECORD_NAME + 32],
    ngx_str_t *name, ngx_uint_t n)
{
    size_t   stem;
    u_char  *p, *last;

    last = to + NGX_WEBRTC_RECORD_NAME + 31;

    for (stem = name->len; stem > 1 && name->data[stem - 1] != '.'; stem--) {
        /* void */
    }

    /* without an extension, or nothing but one */

    stem = (stem > 1) ? stem - 1 : name->len;

    if (n == 0) {
        p = ngx_slprintf(to, last, "%V", name);

    } else {
        p = ngx_slprintf(to, last, "%*s-%ui%*s", stem, name->data, n,
                         name->len - stem, name->data + stem);
    }

    *p = '\0';
}
