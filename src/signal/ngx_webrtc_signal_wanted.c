
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which layers of a simulcast somebody watches: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_signal_wanted.h>
#include <ngx_webrtc_signal.h>
#include <ngx_webrtc_sdp_text.h>


static ngx_uint_t ngx_webrtc_signal_wanted_lowest(
    const ngx_webrtc_signal_watched_t *layers, ngx_uint_t n);


ngx_uint_t
ngx_webrtc_signal_wanted(ngx_webrtc_signal_wanted_t *w,
    const ngx_webrtc_signal_watched_t *layers, ngx_uint_t n, uint64_t now_ms)
{
    ngx_uint_t  i, lowest, wanted;

    wanted = 0;
    lowest = ngx_webrtc_signal_wanted_lowest(layers, n);

    for (i = 0; i < n; i++) {

        if (layers[i].watched || !w->begun) {
            w->watched_ms[i] = now_ms;
        }

        if (i == lowest
            || now_ms - w->watched_ms[i] < NGX_WEBRTC_SIGNAL_WANTED_KEEP)
        {
            wanted |= (ngx_uint_t) 1 << i;
        }
    }

    w->begun = 1;

    return wanted;
}


/* the smallest picture; while a size is not known, the last one of the offer */

static ngx_uint_t
ngx_webrtc_signal_wanted_lowest(const ngx_webrtc_signal_watched_t *layers,
    ngx_uint_t n)
{
    ngx_uint_t  i, lowest;

    lowest = 0;

    for (i = 0; i < n; i++) {

        if (layers[i].size == 0) {
            return n - 1;
        }

        if (layers[i].size < layers[lowest].size) {
            lowest = i;
        }
    }

    return lowest;
}


u_char *
ngx_webrtc_signal_print_wanted(u_char *p, u_char *end, const ngx_str_t *mid,
    const ngx_webrtc_signal_watched_t *layers, ngx_uint_t n, ngx_uint_t wanted)
{
    ngx_uint_t  i;

    p = ngx_webrtc_sdp_printf(p, end, "{\"medias\":{\"");
    p = ngx_webrtc_signal_escape(p, end, mid);
    p = ngx_webrtc_sdp_printf(p, end, "\":{\"layers\":[");

    for (i = 0; i < n; i++) {
        p = ngx_webrtc_sdp_printf(p, end, i ? ",{\"encodingId\":\""
                                            : "{\"encodingId\":\"");
        p = ngx_webrtc_signal_escape(p, end, &layers[i].rid);
        p = ngx_webrtc_sdp_printf(p, end, "\",\"active\":%s",
                                  (wanted >> i & 1) ? "true" : "false");

        if (layers[i].limit) {
            p = ngx_webrtc_sdp_printf(p, end, ",\"maxBitrate\":%uD",
                                      layers[i].limit);
        }

        p = ngx_webrtc_sdp_printf(p, end, "}");
    }

    return ngx_webrtc_sdp_printf(p, end, "]}}}");
}
