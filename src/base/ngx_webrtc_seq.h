
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Serial number arithmetic for RTP sequence numbers (16 bits) and RTP
 * timestamps (32 bits), after RFC 1982 and RFC 3550, A.1.
 *
 * The nearest way round is taken.  At exactly half the range, where both ways
 * are equally long, b + half counts as before b.
 */


#ifndef _NGX_WEBRTC_SEQ_H_INCLUDED_
#define _NGX_WEBRTC_SEQ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a - b on the circle: -32768..32767, and -2^31..2^31-1 */

static ngx_inline int32_t
ngx_webrtc_seq_diff16(uint16_t a, uint16_t b)
{
    return (int16_t) (uint16_t) (a - b);
}


static ngx_inline int32_t
ngx_webrtc_seq_diff32(uint32_t a, uint32_t b)
{
    return (int32_t) (a - b);
}


/* not zero when a comes before b */

static ngx_inline ngx_uint_t
ngx_webrtc_seq_less16(uint16_t a, uint16_t b)
{
    return ngx_webrtc_seq_diff16(a, b) < 0;
}


static ngx_inline ngx_uint_t
ngx_webrtc_seq_less32(uint32_t a, uint32_t b)
{
    return ngx_webrtc_seq_diff32(a, b) < 0;
}


/*
 * The 64-bit number nearest to last whose low bits are seq.
 *
 *   last   a 64-bit number unwrapped before; for the first one pass seq itself
 *   seq    as received
 *
 * The result is never below zero: where the nearest number would be (seq just
 * before the first packet), the one a full range higher is returned.  A
 * caller that needs such packets starts at 2^16 (2^32) + seq.
 */

static ngx_inline uint64_t
ngx_webrtc_seq_unwrap16(uint64_t last, uint16_t seq)
{
    int32_t  diff;

    diff = ngx_webrtc_seq_diff16(seq, (uint16_t) last);

    if (diff < 0 && (uint64_t) -diff > last) {
        diff += 0x10000;
    }

    return last + (uint64_t) (int64_t) diff;
}


static ngx_inline uint64_t
ngx_webrtc_seq_unwrap32(uint64_t last, uint32_t seq)
{
    int64_t  diff;

    diff = ngx_webrtc_seq_diff32(seq, (uint32_t) last);

    if (diff < 0 && (uint64_t) -diff > last) {
        diff += (int64_t) 1 << 32;
    }

    return last + (uint64_t) diff;
}


#endif /* _NGX_WEBRTC_SEQ_H_INCLUDED_ */
