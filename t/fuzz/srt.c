
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: the streamid of an SRT caller, and the frames that its gateway
 * and nginx exchange.
 * Property: a URI begins with a slash, fits, and has no part that leads
 * elsewhere; what is read is the same when it has been written again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_srt_link.h>
#include <ngx_webrtc_srt_streamid.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
streamid(u_char *p, size_t len)
{
    u_char                    *end, *last;
    ngx_str_t                  id;
    ngx_webrtc_srt_request_t   r;

    id.data = p;
    id.len = len;
    r.cause = NULL;

    if (ngx_webrtc_srt_streamid(&id, &r) != NGX_OK) {
        if (r.cause == NULL) {
            abort();
        }

        return;
    }

    if (r.uri.data != r.buf || r.uri.len < 2 || r.uri.len > NGX_WEBRTC_SRT_URI
        || r.uri.data[0] != '/' || r.host.len > len)
    {
        abort();
    }

    last = r.uri.data + r.uri.len;
    end = ngx_strlchr(r.uri.data, last, '?');

    if (end == NULL) {
        end = last;
    }

    for (p = r.uri.data; p < end; p++) {
        if (end - p >= 3 && ngx_memcmp(p, "/..", 3) == 0
            && (end - p == 3 || p[3] == '/'))
        {
            abort();
        }
    }
}


static u_char *
again(ngx_webrtc_srt_frame_t *frame, u_char *buf, u_char *last)
{
    ngx_webrtc_srt_log_t     log;
    ngx_webrtc_srt_stat_t    stat;
    ngx_webrtc_srt_config_t  config;
    ngx_webrtc_srt_caller_t  caller;

    switch (frame->type) {

    case NGX_WEBRTC_SRT_LINK_HELLO:
        return (ngx_webrtc_srt_read_hello(frame) == NGX_OK)
               ? ngx_webrtc_srt_write_hello(buf, last) : NULL;

    case NGX_WEBRTC_SRT_LINK_CONFIG:
        return (ngx_webrtc_srt_read_config(frame, &config) == NGX_OK)
               ? ngx_webrtc_srt_write_config(buf, last, &config) : NULL;

    case NGX_WEBRTC_SRT_LINK_LOG:
        return (ngx_webrtc_srt_read_log(frame, &log) == NGX_OK)
               ? ngx_webrtc_srt_write_log(buf, last, &log) : NULL;

    case NGX_WEBRTC_SRT_LINK_CALLER:

        if (ngx_webrtc_srt_read_caller(frame, &caller) != NGX_OK) {
            return NULL;
        }

        streamid(caller.streamid.data, caller.streamid.len);

        return ngx_webrtc_srt_write_caller(buf, last, &caller);

    case NGX_WEBRTC_SRT_LINK_STAT:
        return (ngx_webrtc_srt_read_stat(frame, &stat) == NGX_OK)
               ? ngx_webrtc_srt_write_stat(buf, last, &stat) : NULL;

    default: /* NGX_WEBRTC_SRT_LINK_DATA */
        return NULL;
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                  *p, *from, *last, *end;
    u_char                   buf[NGX_WEBRTC_SRT_LINK_FRAME];
    ngx_webrtc_srt_frame_t   frame;

    p = (u_char *) data;
    last = p + size;

    streamid(p, size);

    for (from = p; ngx_webrtc_srt_frame(&p, last, &frame) == NGX_OK; from = p) {

        if (frame.data + frame.len != p
            || frame.len > NGX_WEBRTC_SRT_LINK_FRAME)
        {
            abort();
        }

        end = again(&frame, buf, buf + sizeof(buf));

        if (end && (end - buf != p - from || ngx_memcmp(buf, from, p - from)))
        {
            abort();
        }
    }

    return 0;
}
