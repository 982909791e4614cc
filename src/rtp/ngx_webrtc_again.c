
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Which packets a receiver may have again: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_again.h>


/* ms of a round trip from which on a packet is sent again twice; chosen: to ask
 * once more takes as long, and what is late by less nobody sees */
#define NGX_WEBRTC_AGAIN_FAR    30

/* percent of a round trip within which a packet is not sent twice: a receiver
 * asks again after one of its own */
#define NGX_WEBRTC_AGAIN_TRIP   75


ngx_int_t
ngx_webrtc_again(ngx_webrtc_again_t *again, uint16_t seq, size_t n,
    uint32_t estimate, uint32_t rtt_ms, uint64_t now_ms)
{
    uint16_t    now;
    ngx_uint_t  slot;

    now = (uint16_t) now_ms | 1;
    slot = seq & (NGX_WEBRTC_AGAIN_SENT - 1);

    if (again->sent[slot].ms && again->sent[slot].seq == seq
        && (uint16_t) (now - again->sent[slot].ms)
           < rtt_ms * NGX_WEBRTC_AGAIN_TRIP / 100)
    {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_again_take(again, n, estimate, now_ms) != NGX_OK) {
        return NGX_AGAIN;
    }

    again->sent[slot].seq = seq;
    again->sent[slot].ms = now;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_again_take(ngx_webrtc_again_t *again, size_t n, uint32_t estimate,
    uint64_t now_ms)
{
    uint64_t  rate, most, passed;

    /* bytes per second; what is saved up is of a quarter of one */

    rate = estimate / 8 / NGX_WEBRTC_AGAIN_PART;
    most = ngx_max(rate / 4, NGX_WEBRTC_AGAIN_BURST);

    passed = now_ms - again->filled_ms;
    passed = ngx_min(passed, 1000);

    again->mbytes = ngx_min(again->mbytes + rate * passed, most * 1000);
    again->filled_ms = now_ms;

    if (again->mbytes < n * 1000) {
        return NGX_AGAIN;
    }

    again->mbytes -= n * 1000;

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_again_copies(ngx_uint_t lossy, uint32_t rtt_ms)
{
    return lossy && rtt_ms >= NGX_WEBRTC_AGAIN_FAR ? 2 : 1;
}
