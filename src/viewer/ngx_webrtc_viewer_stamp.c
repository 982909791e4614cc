
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Stamps of packets: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_stamp.h"
#include "ngx_webrtc_viewer_header.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_time.h"


void
ngx_webrtc_viewer_stamp(ngx_webrtc_viewer_t *v, ngx_webrtc_viewer_track_t *t,
    u_char *p, size_t n, ngx_uint_t flags)
{
    u_char                         *end;
    uint32_t                        stamp;
    uint64_t                        now_us;
    ngx_webrtc_viewer_bandwidth_t  *bw;

    bw = v->bw;
    now_us = ngx_webrtc_time_now();

    bw->bytes += n;

    if (flags & NGX_WEBRTC_PKT_DISCARD) {
        bw->least += n;
    }

    p += NGX_WEBRTC_VIEWER_HEADER_STAMP;
    end = p + t->stamp;

    if (bw->by == NGX_WEBRTC_VIEWER_BY_TWCC) {
        (void) ngx_webrtc_write_u16(p, end,
                                    ngx_webrtc_bwe_sent(&bw->bwe, n, now_us));
        return;
    }

    /* seconds, 6 bits and 18 behind the point */

    stamp = (uint32_t) (now_us % 64000000 * 262144 / 1000000);

    p = ngx_webrtc_write_u8(p, end, stamp >> 16 & 0xff);
    (void) ngx_webrtc_write_u16(p, end, stamp & 0xffff);
}
