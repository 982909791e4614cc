
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What a receiver's feedback says of a sender's bandwidth: see the header file
 * for the contracts.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_rtcp_fb.h>
#include <ngx_webrtc_rtcp_fb_read.h>


static ngx_uint_t ngx_webrtc_rtcp_fb_twcc_symbols(uint16_t word);
static ngx_uint_t ngx_webrtc_rtcp_fb_twcc_symbol(uint16_t word,
    ngx_uint_t left);


ngx_int_t
ngx_webrtc_rtcp_parse_remb(const ngx_webrtc_rtcp_fb_t *fb,
    ngx_webrtc_rtcp_remb_t *remb)
{
    u_char    *p, *end;
    uint8_t    n;
    uint32_t   name, rate, exp;

    p = fb->fci;
    end = p + fb->len;

    p = ngx_webrtc_read_u32(p, end, &name);
    p = ngx_webrtc_read_u8(p, end, &n);
    p = ngx_webrtc_read_u24(p, end, &rate);

    if (p == NULL || name != 0x52454d42 /* "REMB" */) {
        return NGX_DECLINED;
    }

    if ((size_t) n * 4 > (size_t) (end - p)) {
        return NGX_DECLINED;
    }

    exp = rate >> 18;
    rate &= 0x3ffff;

    /* 18 bits of mantissa; what leaves 64 bits is no bitrate */

    if (exp > 64 - 18) {
        return NGX_DECLINED;
    }

    remb->bitrate = (uint64_t) rate << exp;
    remb->ssrcs = p;
    remb->nssrcs = n;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rtcp_parse_twcc(const ngx_webrtc_rtcp_fb_t *fb,
    ngx_webrtc_rtcp_twcc_t *twcc)
{
    u_char    *p, *end;
    uint32_t   reference;

    p = fb->fci;
    end = p + fb->len;

    p = ngx_webrtc_read_u16(p, end, &twcc->base);
    p = ngx_webrtc_read_u16(p, end, &twcc->packets);
    p = ngx_webrtc_read_u24(p, end, &reference);
    p = ngx_webrtc_read_u8(p, end, &twcc->feedback);

    if (p == NULL || twcc->packets == 0) {
        return NGX_DECLINED;
    }

    twcc->reference = (int32_t) reference
                      - ((reference & 0x800000) ? 0x1000000 : 0);
    twcc->chunks = p;
    twcc->len = end - p;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rtcp_fb_twcc_init(ngx_webrtc_rtcp_fb_twcc_t *it,
    const ngx_webrtc_rtcp_twcc_t *twcc)
{
    u_char      *p, *end;
    size_t       deltas;
    uint16_t     word;
    ngx_uint_t   left, n, i, symbol;

    p = twcc->chunks;
    end = p + twcc->len;

    deltas = 0;

    for (left = twcc->packets; left; left -= n) {

        p = ngx_webrtc_read_u16(p, end, &word);
        if (p == NULL) {
            return NGX_DECLINED;
        }

        n = ngx_webrtc_rtcp_fb_twcc_symbols(word);
        n = ngx_min(n, left);

        if (!(word & NGX_WEBRTC_TWCC_VECTOR)) {
            symbol = (word >> 13) & 3;

            if (symbol == NGX_WEBRTC_TWCC_RESERVED) {
                return NGX_DECLINED;
            }

            deltas += n * symbol;
            continue;
        }

        for (i = 0; i < n; i++) {
            symbol = ngx_webrtc_rtcp_fb_twcc_symbol(word,
                                   ngx_webrtc_rtcp_fb_twcc_symbols(word) - i);

            if (symbol == NGX_WEBRTC_TWCC_RESERVED) {
                return NGX_DECLINED;
            }

            deltas += symbol;
        }
    }

    if (deltas > (size_t) (end - p)) {
        return NGX_DECLINED;
    }

    it->chunk = twcc->chunks;
    it->delta = p;
    it->ticks = (int64_t) twcc->reference
                * (NGX_WEBRTC_TWCC_REFERENCE / NGX_WEBRTC_TWCC_TICK);
    it->word = 0;
    it->run = 0;
    it->left = twcc->packets;
    it->seq = twcc->base;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rtcp_fb_twcc_next(ngx_webrtc_rtcp_fb_twcc_t *it, uint16_t *seq,
    ngx_uint_t *received, int64_t *arrival_us)
{
    ngx_uint_t  symbol;

    if (it->left == 0) {
        return NGX_DONE;
    }

    while (it->run == 0) {
        it->word = (uint16_t) ((it->chunk[0] << 8) | it->chunk[1]);
        it->chunk += 2;
        it->run = (uint16_t) ngx_webrtc_rtcp_fb_twcc_symbols(it->word);
    }

    symbol = ngx_webrtc_rtcp_fb_twcc_symbol(it->word, it->run);

    *seq = it->seq++;
    *received = (symbol != NGX_WEBRTC_TWCC_NONE);

    it->run--;
    it->left--;

    switch (symbol) {

    case NGX_WEBRTC_TWCC_SMALL:
        it->ticks += it->delta[0];
        it->delta++;
        break;

    case NGX_WEBRTC_TWCC_LARGE:
        it->ticks += (int16_t) (uint16_t) ((it->delta[0] << 8) | it->delta[1]);
        it->delta += 2;
        break;

    default: /* not received */
        return NGX_OK;
    }

    *arrival_us = it->ticks * NGX_WEBRTC_TWCC_TICK;

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_rtcp_fb_twcc_symbols(uint16_t word)
{
    if (!(word & NGX_WEBRTC_TWCC_VECTOR)) {
        return word & NGX_WEBRTC_TWCC_RUN_MAX;
    }

    return (word & NGX_WEBRTC_TWCC_TWO_BIT) ? NGX_WEBRTC_TWCC_TWO_BITS
                                            : NGX_WEBRTC_TWCC_ONE_BITS;
}


/* the symbol that is `left' from the end of the chunk, the last one is 1 */

static ngx_uint_t
ngx_webrtc_rtcp_fb_twcc_symbol(uint16_t word, ngx_uint_t left)
{
    if (!(word & NGX_WEBRTC_TWCC_VECTOR)) {
        return (word >> 13) & 3;
    }

    if (word & NGX_WEBRTC_TWCC_TWO_BIT) {
        return (word >> ((left - 1) * 2)) & 3;
    }

    return (word >> (left - 1)) & 1;
}
