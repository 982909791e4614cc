
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The table of what feeds streams.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_exec_feed.h"
#include "ngx_webrtc_rtp_feed.h"
#include "ngx_webrtc_source_kinds.h"


/* by NGX_WEBRTC_FEED_* */

static const ngx_webrtc_source_kind_t  *ngx_webrtc_source_kind_table[] = {
    NULL,
    &ngx_webrtc_rtp_feed,
    &ngx_webrtc_exec_feed
};


const ngx_webrtc_source_kind_t *
ngx_webrtc_source_kind(ngx_uint_t kind)
{
    if (kind >= sizeof(ngx_webrtc_source_kind_table) / sizeof(void *)) {
        return NULL;
    }

    return ngx_webrtc_source_kind_table[kind];
}
