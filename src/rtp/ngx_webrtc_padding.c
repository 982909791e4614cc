
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Packets of one size.  No packet is held back to see the next one.  The first
 * packet of a frame gets one byte of padding, since libwebrtc makes the last
 * packets of a frame one byte larger than the first ones; those that follow are
 * padded to its size if they are a little smaller.  A UDP_SEGMENT message may
 * end with a shorter packet, so a frame's last packet is left as it is.
 *
 * RFC 3550, 5.1.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_padding.h>
#include <ngx_webrtc_packet.h>


size_t
ngx_webrtc_padding_size(ngx_webrtc_padding_t *pd, size_t n, ngx_uint_t flags)
{
    if (flags & NGX_WEBRTC_PKT_FIRST) {
        pd->size = 0;
    }

    if (n == 0 || n >= NGX_WEBRTC_PADDING_PAYLOAD) {
        pd->size = 0;
        return 0;
    }

    if (flags & (NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER)) {
        pd->size = 0;
        return 0;
    }

    if (n > pd->size || pd->size - n > NGX_WEBRTC_PADDING_MAX) {
        pd->size = (uint16_t) (n + 1);
    }

    return pd->size - n;
}


void
ngx_webrtc_padding_write(u_char *p, size_t n)
{
    ngx_memzero(p, n - 1);
    p[n - 1] = (u_char) n;
}
