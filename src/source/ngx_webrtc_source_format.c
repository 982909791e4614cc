
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Names of demuxers, when the configuration is read.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_format.h"
#include "ngx_webrtc_source_url.h"


ngx_uint_t
ngx_webrtc_source_format_may(ngx_str_t *url, ngx_str_t *name)
{
    size_t                             n;
    const char                        *p, *end;
    const ngx_webrtc_source_scheme_t  *scheme;

    scheme = ngx_webrtc_source_url_scheme(url);

    if (scheme == NULL) {
        return 0;
    }

    for (p = scheme->formats; /* void */ ; p = end + 1) {

        end = ngx_strchr(p, ',');
        n = end ? (size_t) (end - p) : ngx_strlen(p);

        if (n == name->len
            && ngx_strncasecmp((u_char *) p, name->data, n) == 0)
        {
            return 1;
        }

        if (end == NULL) {
            return 0;
        }
    }
}
