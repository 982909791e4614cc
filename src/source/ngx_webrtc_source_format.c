
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Names of demuxers, when the configuration is read.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>
#include <libavutil/avstring.h>

#include "ngx_webrtc_source_format.h"
#include "ngx_webrtc_source_url.h"


/* bytes of a name, with its null; libavformat's are shorter */
#define NGX_WEBRTC_SOURCE_FORMAT_NAME  64


ngx_uint_t
ngx_webrtc_source_format_may(ngx_str_t *url, ngx_str_t *name)
{
    char                               buf[NGX_WEBRTC_SOURCE_FORMAT_NAME];
    const AVInputFormat               *format;
    const ngx_webrtc_source_scheme_t  *scheme;

    scheme = ngx_webrtc_source_url_scheme(url);

    if (scheme == NULL || name->len >= sizeof(buf)) {
        return 0;
    }

    (void) ngx_cpystrn((u_char *) buf, name->data, name->len + 1);

    format = av_find_input_format(buf);

    /* libavformat compares them the same way when it opens the input */

    return format && av_match_list(format->name, scheme->formats, ',') > 0;
}
