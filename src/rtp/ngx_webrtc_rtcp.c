
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTCP readers and writers: see the header file for the contracts.
 * RFC 3550, RFC 3611, RFC 4585, RFC 5104, RFC 5506, REMB and TWCC drafts.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_rtcp.h>


/* the 5-bit field of SC and FMT */
#define NGX_WEBRTC_RTCP_COUNT       0x1f

/* bytes behind the packet header: SSRC and sender information of an SR */
#define NGX_WEBRTC_RTCP_SR_INFO     24

/* RFC 3550, 6.5 */
#define NGX_WEBRTC_RTCP_SDES_CNAME  1


static ngx_int_t ngx_webrtc_rtcp_parse_blocks(const ngx_webrtc_rtcp_t *rtcp,
    u_char **blocks);
static u_char *ngx_webrtc_rtcp_write_blocks(u_char *p, u_char *end,
    const ngx_webrtc_rtcp_block_t *blocks, ngx_uint_t n);
static ngx_uint_t ngx_webrtc_rtcp_pack_nack(const uint16_t *seqs, ngx_uint_t n,
    uint16_t *blp);


ngx_int_t
ngx_webrtc_rtcp_check(u_char *p, u_char *end)
{
    u_char             *next;
    ngx_webrtc_rtcp_t   rtcp;

    if (p == NULL || p == end) {
        return NGX_DECLINED;
    }

    while (p != end) {
        next = ngx_webrtc_rtcp_next(p, end, &rtcp);
        if (next == NULL) {
            return NGX_DECLINED;
        }

        /* RFC 3550, 6.4.1: padding MUST only be added to the last packet */

        if ((p[0] & 0x20) && next != end) {
            return NGX_DECLINED;
        }

        p = next;
    }

    return NGX_OK;
}


u_char *
ngx_webrtc_rtcp_next(u_char *p, u_char *end, ngx_webrtc_rtcp_t *rtcp)
{
    size_t    len;
    uint8_t   b, padding;
    uint16_t  words;

    p = ngx_webrtc_read_u8(p, end, &b);
    p = ngx_webrtc_read_u8(p, end, &rtcp->type);
    p = ngx_webrtc_read_u16(p, end, &words);

    if (p == NULL || (b >> 6) != 2) {
        return NULL;
    }

    len = (size_t) words * 4;

    if (len > (size_t) (end - p)) {
        return NULL;
    }

    rtcp->count = b & NGX_WEBRTC_RTCP_COUNT;
    rtcp->body = p;
    rtcp->len = len;

    if (b & 0x20) {

        /*
         * RFC 3550, 6.4.1 requires a multiple of four; libwebrtc pads
         * transport-wide feedback with 1 to 3 bytes and gives that count here
         */

        if (len == 0) {
            return NULL;
        }

        padding = p[len - 1];

        if (padding == 0 || padding > len) {
            return NULL;
        }

        rtcp->len -= padding;
    }

    return p + len;
}


ngx_int_t
ngx_webrtc_rtcp_parse_sr(const ngx_webrtc_rtcp_t *rtcp,
    ngx_webrtc_rtcp_sr_t *sr)
{
    u_char  *p, *end;

    if (rtcp->type != NGX_WEBRTC_RTCP_SR) {
        return NGX_DECLINED;
    }

    p = rtcp->body;
    end = p + rtcp->len;

    p = ngx_webrtc_read_u32(p, end, &sr->ssrc);
    p = ngx_webrtc_read_u64(p, end, &sr->ntp);
    p = ngx_webrtc_read_u32(p, end, &sr->rtp);
    p = ngx_webrtc_read_u32(p, end, &sr->packets);
    p = ngx_webrtc_read_u32(p, end, &sr->octets);

    return (p == NULL) ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_webrtc_rtcp_parse_block(const ngx_webrtc_rtcp_t *rtcp, ngx_uint_t i,
    uint32_t *ssrc, ngx_webrtc_rtcp_block_t *block)
{
    u_char    *p, *end;
    uint32_t   lost;

    if (ngx_webrtc_rtcp_parse_blocks(rtcp, &p) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (i >= rtcp->count) {
        return NGX_DONE;
    }

    end = rtcp->body + rtcp->len;

    if (ssrc != NULL) {
        (void) ngx_webrtc_read_u32(rtcp->body, end, ssrc);
    }

    p += i * NGX_WEBRTC_RTCP_BLOCK;

    p = ngx_webrtc_read_u32(p, end, &block->ssrc);
    p = ngx_webrtc_read_u8(p, end, &block->fraction);
    p = ngx_webrtc_read_u24(p, end, &lost);
    p = ngx_webrtc_read_u32(p, end, &block->highest);
    p = ngx_webrtc_read_u32(p, end, &block->jitter);
    p = ngx_webrtc_read_u32(p, end, &block->lsr);
    p = ngx_webrtc_read_u32(p, end, &block->dlsr);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    /* RFC 3550, 6.4.1: 24 bits signed, duplicates make it negative */

    block->lost = (int32_t) lost - ((lost & 0x800000) ? 0x1000000 : 0);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rtcp_parse_fb(const ngx_webrtc_rtcp_t *rtcp,
    ngx_webrtc_rtcp_fb_t *fb)
{
    u_char  *p, *end;

    if (rtcp->type != NGX_WEBRTC_RTCP_RTPFB
        && rtcp->type != NGX_WEBRTC_RTCP_PSFB)
    {
        return NGX_DECLINED;
    }

    p = rtcp->body;
    end = p + rtcp->len;

    p = ngx_webrtc_read_u32(p, end, &fb->sender);
    p = ngx_webrtc_read_u32(p, end, &fb->media);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    fb->fci = p;
    fb->len = end - p;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rtcp_parse_nack(const ngx_webrtc_rtcp_fb_t *fb, ngx_uint_t i,
    uint16_t *pid, uint16_t *blp)
{
    u_char  *p, *end;

    if (i >= fb->len / 4) {
        return NGX_DONE;
    }

    end = fb->fci + fb->len;

    p = ngx_webrtc_read_u16(fb->fci + i * 4, end, pid);
    p = ngx_webrtc_read_u16(p, end, blp);

    return (p == NULL) ? NGX_DONE : NGX_OK;
}


u_char *
ngx_webrtc_rtcp_parse_xr(const ngx_webrtc_rtcp_t *rtcp, u_char *p,
    uint32_t *ssrc, ngx_webrtc_rtcp_xr_t *xr)
{
    u_char    *end;
    uint8_t    specific;
    uint16_t   words;
    uint32_t   sender;

    if (rtcp->type != NGX_WEBRTC_RTCP_XR) {
        return NULL;
    }

    end = rtcp->body + rtcp->len;

    if (p == NULL) {
        p = ngx_webrtc_read_u32(rtcp->body, end, &sender);
        if (p == NULL) {
            return NULL;
        }

        if (ssrc != NULL) {
            *ssrc = sender;
        }
    }

    p = ngx_webrtc_read_u8(p, end, &xr->type);
    p = ngx_webrtc_read_u8(p, end, &specific);
    p = ngx_webrtc_read_u16(p, end, &words);

    if (p == NULL) {
        return NULL;
    }

    xr->body = p;
    xr->len = (size_t) words * 4;

    return ngx_webrtc_skip(p, end, xr->len);
}


ngx_int_t
ngx_webrtc_rtcp_parse_dlrr(const ngx_webrtc_rtcp_xr_t *xr, ngx_uint_t i,
    ngx_webrtc_rtcp_dlrr_t *dlrr)
{
    u_char  *p, *end;

    if (xr->type != NGX_WEBRTC_XR_DLRR || xr->len % 12 != 0) {
        return NGX_DECLINED;
    }

    if (i >= xr->len / 12) {
        return NGX_DONE;
    }

    p = xr->body + i * 12;
    end = xr->body + xr->len;

    p = ngx_webrtc_read_u32(p, end, &dlrr->ssrc);
    p = ngx_webrtc_read_u32(p, end, &dlrr->lrr);
    p = ngx_webrtc_read_u32(p, end, &dlrr->dlrr);

    return (p == NULL) ? NGX_DECLINED : NGX_OK;
}


u_char *
ngx_webrtc_rtcp_write_sr(u_char *p, u_char *end, const ngx_webrtc_rtcp_sr_t *sr,
    const ngx_webrtc_rtcp_block_t *blocks, ngx_uint_t n)
{
    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_SR, n,
                                   NGX_WEBRTC_RTCP_SR_INFO
                                   + n * NGX_WEBRTC_RTCP_BLOCK);

    p = ngx_webrtc_write_u32(p, end, sr->ssrc);
    p = ngx_webrtc_write_u64(p, end, sr->ntp);
    p = ngx_webrtc_write_u32(p, end, sr->rtp);
    p = ngx_webrtc_write_u32(p, end, sr->packets);
    p = ngx_webrtc_write_u32(p, end, sr->octets);

    return ngx_webrtc_rtcp_write_blocks(p, end, blocks, n);
}


u_char *
ngx_webrtc_rtcp_write_rr(u_char *p, u_char *end, uint32_t ssrc,
    const ngx_webrtc_rtcp_block_t *blocks, ngx_uint_t n)
{
    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_RR, n,
                                   4 + n * NGX_WEBRTC_RTCP_BLOCK);

    p = ngx_webrtc_write_u32(p, end, ssrc);

    return ngx_webrtc_rtcp_write_blocks(p, end, blocks, n);
}


u_char *
ngx_webrtc_rtcp_write_sdes(u_char *p, u_char *end, uint32_t ssrc,
    const u_char *cname, size_t len)
{
    size_t  pad;

    if (len > 255) {
        len = 255;
    }

    /*
     * RFC 3550, 6.5: the list of items ends with at least one zero byte and is
     * padded with zero bytes to the next 32-bit boundary
     */

    pad = 4 - (2 + len) % 4;

    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_SDES, 1,
                                   4 + 2 + len + pad);

    p = ngx_webrtc_write_u32(p, end, ssrc);
    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_RTCP_SDES_CNAME);
    p = ngx_webrtc_write_u8(p, end, (uint8_t) len);
    p = ngx_webrtc_write_mem(p, end, cname, len);

    while (pad-- > 0) {
        p = ngx_webrtc_write_u8(p, end, 0);
    }

    return p;
}


u_char *
ngx_webrtc_rtcp_write_pli(u_char *p, u_char *end, uint32_t sender,
    uint32_t media)
{
    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_PSFB,
                                   NGX_WEBRTC_PSFB_PLI, 8);

    p = ngx_webrtc_write_u32(p, end, sender);
    p = ngx_webrtc_write_u32(p, end, media);

    return p;
}


u_char *
ngx_webrtc_rtcp_write_nack(u_char *p, u_char *end, uint32_t sender,
    uint32_t media, const uint16_t *seqs, ngx_uint_t n)
{
    uint16_t    blp;
    ngx_uint_t  i, entries;

    entries = 0;

    for (i = 0; i < n; i += ngx_webrtc_rtcp_pack_nack(&seqs[i], n - i, &blp)) {
        entries++;
    }

    if (entries == 0) {
        return NULL;
    }

    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_RTPFB,
                                   NGX_WEBRTC_RTPFB_NACK, 8 + entries * 4);

    p = ngx_webrtc_write_u32(p, end, sender);
    p = ngx_webrtc_write_u32(p, end, media);

    i = 0;

    while (i < n && p != NULL) {
        p = ngx_webrtc_write_u16(p, end, seqs[i]);

        i += ngx_webrtc_rtcp_pack_nack(&seqs[i], n - i, &blp);

        p = ngx_webrtc_write_u16(p, end, blp);
    }

    return p;
}


u_char *
ngx_webrtc_rtcp_write_head(u_char *p, u_char *end, ngx_uint_t type,
    ngx_uint_t count, size_t body)
{
    if (p == NULL
        || count > NGX_WEBRTC_RTCP_COUNT
        || body / 4 > 0xffff
        || 4 + body > (size_t) (end - p))
    {
        return NULL;
    }

    p = ngx_webrtc_write_u8(p, end, (uint8_t) (0x80 | count));
    p = ngx_webrtc_write_u8(p, end, (uint8_t) type);
    p = ngx_webrtc_write_u16(p, end, (uint16_t) (body / 4));

    return p;
}


/* finds the report blocks of an SR or RR, checked to be whole */

static ngx_int_t
ngx_webrtc_rtcp_parse_blocks(const ngx_webrtc_rtcp_t *rtcp, u_char **blocks)
{
    size_t  head;

    switch (rtcp->type) {

    case NGX_WEBRTC_RTCP_SR:
        head = NGX_WEBRTC_RTCP_SR_INFO;
        break;

    case NGX_WEBRTC_RTCP_RR:
        head = 4;
        break;

    default:
        return NGX_DECLINED;
    }

    if (rtcp->len < head
        || (size_t) rtcp->count * NGX_WEBRTC_RTCP_BLOCK > rtcp->len - head)
    {
        return NGX_DECLINED;
    }

    *blocks = rtcp->body + head;

    return NGX_OK;
}


static u_char *
ngx_webrtc_rtcp_write_blocks(u_char *p, u_char *end,
    const ngx_webrtc_rtcp_block_t *blocks, ngx_uint_t n)
{
    int32_t     lost;
    ngx_uint_t  i;

    for (i = 0; i < n && p != NULL; i++) {

        /* RFC 3550, A.3: the 24-bit value is clamped, it doesn't wrap */

        lost = ngx_min(blocks[i].lost, 0x7fffff);
        lost = ngx_max(lost, -0x800000);

        p = ngx_webrtc_write_u32(p, end, blocks[i].ssrc);
        p = ngx_webrtc_write_u8(p, end, blocks[i].fraction);
        p = ngx_webrtc_write_u24(p, end, (uint32_t) lost & 0xffffff);
        p = ngx_webrtc_write_u32(p, end, blocks[i].highest);
        p = ngx_webrtc_write_u32(p, end, blocks[i].jitter);
        p = ngx_webrtc_write_u32(p, end, blocks[i].lsr);
        p = ngx_webrtc_write_u32(p, end, blocks[i].dlsr);
    }

    return p;
}


/*
 * Returns how many of the sequence numbers fit one entry that begins with
 * seqs[0], and its bit mask.
 */

static ngx_uint_t
ngx_webrtc_rtcp_pack_nack(const uint16_t *seqs, ngx_uint_t n, uint16_t *blp)
{
    uint16_t    distance;
    ngx_uint_t  i;

    *blp = 0;

    for (i = 1; i < n; i++) {
        distance = (uint16_t) (seqs[i] - seqs[0]);

        if (distance > 16) {
            break;
        }

        if (distance > 0) {
            *blp |= (uint16_t) (1 << (distance - 1));
        }
    }

    return i;
}
