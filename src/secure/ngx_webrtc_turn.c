
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RFC 8489, 5 and 14.8 (ERROR-CODE); RFC 8656, 11.6 (Data indication), 12.4
 * (ChannelData).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_turn.h"


/* RFC 8489, 5 and 18.1; RFC 8656, 17 */
#define NGX_WEBRTC_TURN_HEADER     20
#define NGX_WEBRTC_TURN_BOUND      0x0101
#define NGX_WEBRTC_TURN_DATA       0x0017

/* RFC 8656, 17: Allocate, success and error */
#define NGX_WEBRTC_TURN_ALLOCATED  0x0103
#define NGX_WEBRTC_TURN_REFUSED    0x0113

#define NGX_WEBRTC_TURN_COOKIE     0x2112a442

/* RFC 8489, 18.3; RFC 8656, 18 */
#define NGX_WEBRTC_TURN_ATTR_ERROR 0x0009
#define NGX_WEBRTC_TURN_ATTR_DATA  0x0013


static u_char *ngx_webrtc_turn_attr(u_char *p, u_char *end, ngx_uint_t want,
    size_t *n);
static ngx_uint_t ngx_webrtc_turn_u16(const u_char *p);
static uint32_t ngx_webrtc_turn_u32(const u_char *p);


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
        p += NGX_WEBRTC_TURN_FRAME;

    } else if (type == NGX_WEBRTC_TURN_DATA) {

        p = ngx_webrtc_turn_attr(p + NGX_WEBRTC_TURN_HEADER, end,
                                 NGX_WEBRTC_TURN_ATTR_DATA, &len);
        if (p == NULL) {
            return NULL;
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


ngx_uint_t
ngx_webrtc_turn_channel(const u_char *p, size_t n)
{
    ngx_uint_t  channel;

    if (n < NGX_WEBRTC_TURN_FRAME) {
        return 0;
    }

    channel = ngx_webrtc_turn_u16(p);

    return ((channel >> 14) == 1) ? channel : 0;
}


u_char *
ngx_webrtc_turn_data(u_char *p, size_t *n, ngx_uint_t channel)
{
    size_t  len;

    if (channel == 0 || ngx_webrtc_turn_channel(p, *n) != channel) {
        return NULL;
    }

    len = ngx_webrtc_turn_u16(p + 2);

    if (len > *n - NGX_WEBRTC_TURN_FRAME) {
        return NULL;
    }

    *n = len;

    return p + NGX_WEBRTC_TURN_FRAME;
}


void
ngx_webrtc_turn_frame(u_char *p, ngx_uint_t channel, size_t n)
{
    p[0] = (u_char) (channel >> 8);
    p[1] = (u_char) channel;
    p[2] = (u_char) (n >> 8);
    p[3] = (u_char) n;
}


/*
 * Finds the value of an attribute, n bytes, which may be truncated at end.
 *
 * Returns its position, or NULL if there is none or an attribute before it is
 * malformed.
 */

static u_char *
ngx_webrtc_turn_attr(u_char *p, u_char *end, ngx_uint_t want, size_t *n)
{
    size_t      len;
    ngx_uint_t  type;

    for ( ;; ) {

        if ((size_t) (end - p) < 4) {
            return NULL;
        }

        type = ngx_webrtc_turn_u16(p);
        len = ngx_webrtc_turn_u16(p + 2);
        p += 4;

        if (type == want) {
            *n = len;
            return p;
        }

        len = (len + 3) & ~(size_t) 3;

        if (len > (size_t) (end - p)) {
            return NULL;
        }

        p += len;
    }
}


ngx_int_t
ngx_webrtc_turn_allocate(u_char *p, size_t n, ngx_webrtc_turn_answer_t *answer)
{
    size_t       len;
    u_char      *end;
    ngx_uint_t   type;

    if (n < NGX_WEBRTC_TURN_HEADER
        || ngx_webrtc_turn_u32(p + 4) != NGX_WEBRTC_TURN_COOKIE
        || ngx_webrtc_turn_length(p, n) != n)
    {
        return NGX_DECLINED;
    }

    type = ngx_webrtc_turn_u16(p);

    answer->id = p + NGX_WEBRTC_TURN_HEADER - NGX_WEBRTC_TURN_ID;
    answer->code = 0;
    ngx_str_null(&answer->reason);

    if (type == NGX_WEBRTC_TURN_ALLOCATED) {
        return NGX_OK;
    }

    if (type != NGX_WEBRTC_TURN_REFUSED) {
        return NGX_DECLINED;
    }

    end = p + n;

    p = ngx_webrtc_turn_attr(p + NGX_WEBRTC_TURN_HEADER, end,
                             NGX_WEBRTC_TURN_ATTR_ERROR, &len);

    /* 21 reserved bits, class, number */

    if (p == NULL || len < 4 || len > (size_t) (end - p)
        || (p[2] & 7) < 3 || (p[2] & 7) > 6 || p[3] > 99)
    {
        return NGX_DECLINED;
    }

    answer->code = (p[2] & 7) * 100 + p[3];
    answer->reason.data = p + 4;
    answer->reason.len = len - 4;

    return NGX_OK;
}


size_t
ngx_webrtc_turn_length(u_char *p, size_t n)
{
    if (n && (p[0] & 0xc0)) {
        return n;
    }

    if (n < NGX_WEBRTC_TURN_HEADER) {
        return NGX_WEBRTC_TURN_HEADER;
    }

    if (ngx_webrtc_turn_u32(p + 4) != NGX_WEBRTC_TURN_COOKIE) {
        return n;
    }

    return NGX_WEBRTC_TURN_HEADER + ngx_webrtc_turn_u16(p + 2);
}


static ngx_uint_t
ngx_webrtc_turn_u16(const u_char *p)
{
    return p[0] << 8 | p[1];
}


static uint32_t
ngx_webrtc_turn_u32(const u_char *p)
{
    return (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}
