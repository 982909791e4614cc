
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Playout delay: how long a receiver keeps video at least and at most before it
 * shows it, as an RTP header extension,
 * http://www.webrtc.org/experiments/rtp-hdrext/playout-delay.
 *
 *     12 bits of the least, 12 bits of the most, each in units of 10 ms
 *
 * A receiver keeps to it until it is told of another one.
 */


#ifndef _NGX_WEBRTC_PLAYOUT_H_INCLUDED_
#define _NGX_WEBRTC_PLAYOUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of the extension */
#define NGX_WEBRTC_PLAYOUT_LEN    3

/* ms of a unit, and ms at most */
#define NGX_WEBRTC_PLAYOUT_UNIT   10
#define NGX_WEBRTC_PLAYOUT_MOST   (0xfff * NGX_WEBRTC_PLAYOUT_UNIT)

/* values of 32 bits: the extension's 24, and that there is one; 0: none */
#define NGX_WEBRTC_PLAYOUT_TOLD   0x1000000
#define NGX_WEBRTC_PLAYOUT_BITS   0x0ffffff


/* of ms, least <= most <= NGX_WEBRTC_PLAYOUT_MOST; rounded down */
#define ngx_webrtc_playout(least, most)                                       \
    (NGX_WEBRTC_PLAYOUT_TOLD                                                  \
     | (uint32_t) (least) / NGX_WEBRTC_PLAYOUT_UNIT << 12                     \
     | (uint32_t) (most) / NGX_WEBRTC_PLAYOUT_UNIT)


/*
 * Reads the element of a packet, n bytes.
 *
 * Returns a value as above, 0: malformed, or the least is more than the most
 */
static ngx_inline uint32_t
ngx_webrtc_playout_read(const u_char *p, size_t n)
{
    uint32_t  value;

    if (n != NGX_WEBRTC_PLAYOUT_LEN) {
        return 0;
    }

    value = (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];

    return (value >> 12 <= (value & 0xfff)) ? NGX_WEBRTC_PLAYOUT_TOLD | value
                                            : 0;
}


#endif /* _NGX_WEBRTC_PLAYOUT_H_INCLUDED_ */
