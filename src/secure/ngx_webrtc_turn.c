
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RFC 8489, 5; RFC 8656, 11.6 (Data indication), 12.4 (ChannelData).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_turn.h"


/* RFC 8489, 5 and 18.1; RFC 8656, 17 */
#define NGX_WEBRTC_TURN_HEADER     20
#define NGX_WEBRTC_TURN_BOUND      0x0101
#define NGX_WEBRTC_TURN_DATA       0x0017

/* bytes in front of the data; RFC 8656, 12.4 */
#define NGX_WEBRTC_TURN_CHANNEL    4

/* RFC 8656, 18 */
#define NGX_WEBRTC_TURN_ATTR_DATA  0x0013


static ngx_uint_t ngx_webrtc_turn_u16(const u_char *p);


u_char *
ngx_webrtc_turn_response(u_char *p, size_t *n)
{
    size_t       len;
    u_char      *end;
    ngx_uint_t   type;

    if (*n < NGX_WEBRTC_TURN_HEADER) {
        return NULL;
    }

    end = p + *n;
    type = ngx_webrtc_turn_u16(p);

    if ((type >> 14) == 1) {

        /* of a channel, 0x4000 to 0x7fff */

        len = ngx_webrtc_turn_u16(p + 2);
        p += NGX_WEBRTC_TURN_CHANNEL;

    } else if (type == NGX_WEBRTC_TURN_DATA) {

        p += NGX_WEBRTC_TURN_HEADER;

        for ( ;; ) {

            if ((size_t) (end - p) < 4) {
                return NULL;
            }

            type = ngx_webrtc_turn_u16(p);
            len = ngx_webrtc_turn_u16(p + 2);
            p += 4;

            if (type == NGX_WEBRTC_TURN_ATTR_DATA) {
                break;
            }

            len = (len + 3) & ~(size_t) 3;

            if (len > (size_t) (end - p)) {
                return NULL;
            }

            p += len;
        }

    } else {
        len = *n;
    }

    if (len > (size_t) (end - p)
        || len < NGX_WEBRTC_TURN_HEADER
        || ngx_webrtc_turn_u16(p) != NGX_WEBRTC_TURN_BOUND)
    {
        return NULL;
    }

    *n = len;

    return p;
}


static ngx_uint_t
ngx_webrtc_turn_u16(const u_char *p)
{
    return p[0] << 8 | p[1];
}
