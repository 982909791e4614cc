
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * RTCP feedback of a receiver: see the header file for the contracts.
 *
 * draft-holmer-rmcat-transport-wide-cc-extensions-01,
 * draft-alvestrand-rmcat-remb-03, RFC 5104, RFC 3611.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_rtcp_fb.h>


/* bytes before the chunks: header, SSRCs, base to feedback number */
#define NGX_WEBRTC_TWCC_HEAD      20


/* what goes into one feedback packet; symbols are the sizes of the deltas */
typedef struct {
    ngx_uint_t    n;
    ngx_uint_t    nchunks;
    int32_t       reference;
    uint8_t       symbols[NGX_WEBRTC_TWCC_STATUSES];
    int16_t       deltas[NGX_WEBRTC_TWCC_STATUSES];
    uint16_t      chunks[NGX_WEBRTC_TWCC_STATUSES];
} ngx_webrtc_rtcp_fb_status_t;


static void ngx_webrtc_rtcp_fb_twcc_status(ngx_webrtc_rtcp_fb_status_t *st,
    const int64_t *arrivals, ngx_uint_t n);
static size_t ngx_webrtc_rtcp_fb_twcc_chunks(ngx_webrtc_rtcp_fb_status_t *st,
    size_t room);
static ngx_uint_t ngx_webrtc_rtcp_fb_twcc_cover(const uint8_t *symbols,
    ngx_uint_t n, ngx_uint_t *bits);
static uint16_t ngx_webrtc_rtcp_fb_twcc_chunk(const uint8_t *symbols,
    ngx_uint_t n, ngx_uint_t bits);


u_char *
ngx_webrtc_rtcp_fb_write_twcc(u_char *p, u_char *end, uint32_t sender,
    uint32_t media, uint16_t base, uint8_t feedback, const int64_t *arrivals,
    ngx_uint_t n, ngx_uint_t *written)
{
    size_t                       size;
    ngx_uint_t                   i;
    ngx_webrtc_rtcp_fb_status_t  st;

    if (!ngx_webrtc_has(p, end, NGX_WEBRTC_TWCC_MIN)) {
        return NULL;
    }

    ngx_webrtc_rtcp_fb_twcc_status(&st, arrivals, n);

    if (st.n == 0) {
        return NULL;
    }

    size = ngx_webrtc_rtcp_fb_twcc_chunks(&st, end - p - NGX_WEBRTC_TWCC_HEAD);

    *written = st.n;

    end = p + NGX_WEBRTC_TWCC_HEAD + ngx_align(size, 4);

    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_RTPFB,
                                      NGX_WEBRTC_RTPFB_TWCC, end - p - 4);

    p = ngx_webrtc_write_u32(p, end, sender);
    p = ngx_webrtc_write_u32(p, end, media);
    p = ngx_webrtc_write_u16(p, end, base);
    p = ngx_webrtc_write_u16(p, end, (uint16_t) st.n);
    p = ngx_webrtc_write_u24(p, end, (uint32_t) st.reference);
    p = ngx_webrtc_write_u8(p, end, feedback);

    for (i = 0; i < st.nchunks; i++) {
        p = ngx_webrtc_write_u16(p, end, st.chunks[i]);
    }

    for (i = 0; i < st.n; i++) {

        if (st.symbols[i] == NGX_WEBRTC_TWCC_SMALL) {
            p = ngx_webrtc_write_u8(p, end, (uint8_t) st.deltas[i]);

        } else if (st.symbols[i] == NGX_WEBRTC_TWCC_LARGE) {
            p = ngx_webrtc_write_u16(p, end, (uint16_t) st.deltas[i]);
        }
    }

    /*
     * 3.1: "zero padding" up to 32 bits.  Not RTCP padding with the P bit,
     * whose count RFC 3550, 6.4.1 wants to be a multiple of four
     */

    while (p != NULL && p < end) {
        *p++ = 0;
    }

    return p;
}


u_char *
ngx_webrtc_rtcp_fb_write_remb(u_char *p, u_char *end, uint32_t sender,
    uint64_t bitrate, const uint32_t *ssrcs, ngx_uint_t n)
{
    uint32_t    exp;
    ngx_uint_t  i;

    if (n > 255) {
        return NULL;
    }

    for (exp = 0; bitrate > 0x3ffff; exp++) {
        bitrate >>= 1;
    }

    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_PSFB,
                                      NGX_WEBRTC_PSFB_AFB, 16 + n * 4);

    /* 2.2: the SSRC of media source is always 0 */

    p = ngx_webrtc_write_u32(p, end, sender);
    p = ngx_webrtc_write_u32(p, end, 0);
    p = ngx_webrtc_write_mem(p, end, "REMB", 4);
    p = ngx_webrtc_write_u8(p, end, (uint8_t) n);
    p = ngx_webrtc_write_u24(p, end, (exp << 18) | (uint32_t) bitrate);

    for (i = 0; i < n; i++) {
        p = ngx_webrtc_write_u32(p, end, ssrcs[i]);
    }

    return p;
}


u_char *
ngx_webrtc_rtcp_fb_write_fir(u_char *p, u_char *end, uint32_t sender,
    uint32_t ssrc, uint8_t seq)
{
    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_PSFB,
                                      NGX_WEBRTC_PSFB_FIR, 16);

    /* 4.3.1.2: the SSRC of media source "is not used and SHALL be set to 0" */

    p = ngx_webrtc_write_u32(p, end, sender);
    p = ngx_webrtc_write_u32(p, end, 0);
    p = ngx_webrtc_write_u32(p, end, ssrc);
    p = ngx_webrtc_write_u8(p, end, seq);
    p = ngx_webrtc_write_u24(p, end, 0);

    return p;
}


u_char *
ngx_webrtc_rtcp_fb_write_rrtr(u_char *p, u_char *end, uint32_t sender,
    uint64_t ntp)
{
    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_XR, 0, 16);

    p = ngx_webrtc_write_u32(p, end, sender);
    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_XR_RRT);
    p = ngx_webrtc_write_u8(p, end, 0);
    p = ngx_webrtc_write_u16(p, end, 2);
    p = ngx_webrtc_write_u64(p, end, ntp);

    return p;
}


/*
 * Reference time, symbols and deltas, up to a packet that a delta cannot reach;
 * st->n is 0 if nothing came.
 */

static void
ngx_webrtc_rtcp_fb_twcc_status(ngx_webrtc_rtcp_fb_status_t *st,
    const int64_t *arrivals, ngx_uint_t n)
{
    int64_t     last, delta, reference;
    ngx_uint_t  i;

    n = ngx_min(n, NGX_WEBRTC_TWCC_STATUSES);

    st->n = 0;

    for (i = 0; i < n && arrivals[i] < 0; i++) { /* void */ }

    if (i == n) {
        return;
    }

    reference = arrivals[i] / NGX_WEBRTC_TWCC_REFERENCE;

    last = reference * (NGX_WEBRTC_TWCC_REFERENCE / NGX_WEBRTC_TWCC_TICK);

    st->reference = (int32_t) (reference & 0xffffff);

    for (i = 0; i < n; i++) {

        if (arrivals[i] < 0) {
            st->symbols[i] = NGX_WEBRTC_TWCC_NONE;
            continue;
        }

        delta = arrivals[i] / NGX_WEBRTC_TWCC_TICK - last;

        if (delta < -0x8000 || delta > 0x7fff) {
            break;
        }

        st->symbols[i] = (delta >= 0 && delta <= 0xff) ? NGX_WEBRTC_TWCC_SMALL
                                                       : NGX_WEBRTC_TWCC_LARGE;
        st->deltas[i] = (int16_t) delta;

        last += delta;
    }

    st->n = i;
}


/*
 * Makes chunks of the symbols, as many as fit into room with their deltas; at
 * least one status does.  Returns the bytes of both.
 */

static size_t
ngx_webrtc_rtcp_fb_twcc_chunks(ngx_webrtc_rtcp_fb_status_t *st, size_t room)
{
    size_t      size, need;
    ngx_uint_t  i, k, n, bits;

    room -= room % 4;

    size = 0;
    st->nchunks = 0;

    for (i = 0; i < st->n; i += n) {

        n = ngx_webrtc_rtcp_fb_twcc_cover(&st->symbols[i], st->n - i, &bits);

        /* a chunk may be cut short where it is the last one */

        need = 2;

        for (k = 0; k < n; k++) {

            if (size + need + st->symbols[i + k] > room) {
                break;
            }

            need += st->symbols[i + k];
        }

        if (k < n) {
            st->n = i + k;
            n = k;
        }

        if (n == 0) {
            break;
        }

        st->chunks[st->nchunks++] =
                     ngx_webrtc_rtcp_fb_twcc_chunk(&st->symbols[i], n, bits);
        size += need;
    }

    return size;
}


/*
 * Chooses the chunk that covers most of the next symbols.
 *
 *   bits   out: of a symbol in a vector, or 0: run length
 *
 * Returns how many symbols.
 */

static ngx_uint_t
ngx_webrtc_rtcp_fb_twcc_cover(const uint8_t *symbols, ngx_uint_t n,
    ngx_uint_t *bits)
{
    ngx_uint_t  run, one, max;

    max = ngx_min(n, NGX_WEBRTC_TWCC_RUN_MAX);

    for (run = 1; run < max && symbols[run] == symbols[0]; run++) { /* void */ }

    max = ngx_min(n, NGX_WEBRTC_TWCC_ONE_BITS);

    for (one = 0; one < max && symbols[one] != NGX_WEBRTC_TWCC_LARGE; one++) {
        /* void */
    }

    if (run >= max) {
        *bits = 0;
        return run;
    }

    if (one == max) {
        *bits = 1;
        return one;
    }

    max = ngx_min(n, NGX_WEBRTC_TWCC_TWO_BITS);

    if (run >= max) {
        *bits = 0;
        return run;
    }

    *bits = 2;

    return max;
}


static uint16_t
ngx_webrtc_rtcp_fb_twcc_chunk(const uint8_t *symbols, ngx_uint_t n,
    ngx_uint_t bits)
{
    uint16_t    word;
    ngx_uint_t  i, shift;

    if (bits == 0) {
        return (uint16_t) ((symbols[0] << 13) | n);
    }

    word = NGX_WEBRTC_TWCC_VECTOR;
    shift = NGX_WEBRTC_TWCC_ONE_BITS;

    if (bits == 2) {
        word |= NGX_WEBRTC_TWCC_TWO_BIT;
    }

    for (i = 0; i < n; i++) {
        shift -= bits;
        word |= (uint16_t) (symbols[i] << shift);
    }

    return word;
}
