
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What peers do with RTP, RTCP and the range protocol, and the module does not:
 * for unit tests, fuzz targets and load clients.
 */


#ifndef _PEER_H_INCLUDED_
#define _PEER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_range.h>
#include <ngx_webrtc_rtcp.h>
#include <ngx_webrtc_rtcp_fb.h>
#include <ngx_webrtc_rtcp_fb_read.h>
#include <ngx_webrtc_rtp.h>


/* bytes of the head of a header extension; RFC 3550, 5.3.1 */
#define NGX_WEBRTC_RTP_EXT_HEAD   4


/*
 * Writes the 12 bytes of a fixed header, without CSRCs.  Of rtp it uses pt,
 * marker, extension, seq, ts and ssrc; if `extension` is set, the caller writes
 * the extension next.
 *
 * Returns the position behind it, or NULL if there is no room or p is NULL.
 */

static ngx_inline u_char *
ngx_webrtc_rtp_write(u_char *p, u_char *end, const ngx_webrtc_rtp_t *rtp)
{
    p = ngx_webrtc_write_u8(p, end, 0x80 | (rtp->extension ? 0x10 : 0));
    p = ngx_webrtc_write_u8(p, end,
                            (rtp->marker ? 0x80 : 0) | (rtp->pt & 0x7f));
    p = ngx_webrtc_write_u16(p, end, rtp->seq);
    p = ngx_webrtc_write_u32(p, end, rtp->ts);
    p = ngx_webrtc_write_u32(p, end, rtp->ssrc);

    return p;
}


/*
 * Writes a header extension in the one-byte form (RFC 8285, 4.2): one call of
 * _begin, an _add for each element (id 1 .. 14, len 1 .. 16), one call of _end
 * with what _begin was called with as `start`; it pads to 32 bits and
 * fills the length in.
 *
 * Each returns the next position, or NULL if there is no room or p is NULL;
 * _add also if id or len do not fit the form.
 */

static ngx_inline u_char *
ngx_webrtc_rtp_ext_begin(u_char *p, u_char *end)
{
    p = ngx_webrtc_write_u16(p, end, NGX_WEBRTC_RTP_EXT_ONE_BYTE);
    p = ngx_webrtc_write_u16(p, end, 0);

    return p;
}


static ngx_inline u_char *
ngx_webrtc_rtp_ext_add(u_char *p, u_char *end, ngx_uint_t id,
    const u_char *data, size_t len)
{
    if (id == 0 || id > NGX_WEBRTC_RTP_EXT_MAX_ID
        || len == 0 || len > NGX_WEBRTC_RTP_EXT_MAX_LEN)
    {
        return NULL;
    }

    p = ngx_webrtc_write_u8(p, end, (uint8_t) (id << 4 | (len - 1)));
    p = ngx_webrtc_write_mem(p, end, data, len);

    return p;
}


static ngx_inline u_char *
ngx_webrtc_rtp_ext_end(u_char *start, u_char *p, u_char *end)
{
    size_t  n;

    if (start == NULL || p == NULL) {
        return NULL;
    }

    n = p - start - NGX_WEBRTC_RTP_EXT_HEAD;

    while (p != NULL && n % 4 != 0) {
        p = ngx_webrtc_write_u8(p, end, 0);
        n++;
    }

    if (p == NULL
        || ngx_webrtc_write_u16(start + 2, end, (uint16_t) (n / 4)) == NULL)
    {
        return NULL;
    }

    return p;
}


/*
 * Reads SSRC number i of a BYE; RFC 3550, 6.6.
 * NGX_OK, NGX_DONE, NGX_DECLINED as above.
 */

static ngx_inline ngx_int_t
ngx_webrtc_rtcp_parse_bye(const ngx_webrtc_rtcp_t *rtcp, ngx_uint_t i,
    uint32_t *ssrc)
{
    if (rtcp->type != NGX_WEBRTC_RTCP_BYE
        || (size_t) rtcp->count * 4 > rtcp->len)
    {
        return NGX_DECLINED;
    }

    if (i >= rtcp->count) {
        return NGX_DONE;
    }

    (void) ngx_webrtc_read_u32(rtcp->body + i * 4, rtcp->body + rtcp->len,
                               ssrc);
    return NGX_OK;
}


/*
 * RFC 5104, 4.3.1.  Reads entry number i of an FIR's FCI: a key frame of `ssrc`
 * is wanted; `seq` is the command's number, equal in repetitions.
 *
 * NGX_OK; NGX_DONE if there are no more
 */

static ngx_inline ngx_int_t
ngx_webrtc_rtcp_parse_fir(const ngx_webrtc_rtcp_fb_t *fb, ngx_uint_t i,
    uint32_t *ssrc, uint8_t *seq)
{
    u_char  *p, *end;

    if (i >= fb->len / 8) {
        return NGX_DONE;
    }

    end = fb->fci + fb->len;

    p = ngx_webrtc_read_u32(fb->fci + i * 8, end, ssrc);
    p = ngx_webrtc_read_u8(p, end, seq);

    return (p == NULL) ? NGX_DONE : NGX_OK;
}


/* RFC 3611, 4.4.  NGX_OK; NGX_DECLINED if it is no valid RRT block */

static ngx_inline ngx_int_t
ngx_webrtc_rtcp_parse_rrt(const ngx_webrtc_rtcp_xr_t *xr, uint64_t *ntp)
{
    if (xr->type != NGX_WEBRTC_XR_RRT || xr->len != 8) {
        return NGX_DECLINED;
    }

    (void) ngx_webrtc_read_u64(xr->body, xr->body + xr->len, ntp);

    return NGX_OK;
}


/* RFC 3550, 6.6.  n <= 31 SSRCs, no reason */

static ngx_inline u_char *
ngx_webrtc_rtcp_write_bye(u_char *p, u_char *end, const uint32_t *ssrcs,
    ngx_uint_t n)
{
    ngx_uint_t  i;

    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_BYE, n, n * 4);

    for (i = 0; i < n && p != NULL; i++) {
        p = ngx_webrtc_write_u32(p, end, ssrcs[i]);
    }

    return p;
}


/* RFC 3611, 4.5.  An XR packet with a DLRR block of n >= 1 sub-blocks */

static ngx_inline u_char *
ngx_webrtc_rtcp_fb_write_dlrr(u_char *p, u_char *end, uint32_t sender,
    const ngx_webrtc_rtcp_dlrr_t *dlrr, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (n == 0 || n > 0xffff / 3 - 2) {
        return NULL;
    }

    p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_XR, 0,
                                      8 + n * 12);

    p = ngx_webrtc_write_u32(p, end, sender);
    p = ngx_webrtc_write_u8(p, end, NGX_WEBRTC_XR_DLRR);
    p = ngx_webrtc_write_u8(p, end, 0);
    p = ngx_webrtc_write_u16(p, end, (uint16_t) (n * 3));

    for (i = 0; i < n && p != NULL; i++) {
        p = ngx_webrtc_write_u32(p, end, dlrr[i].ssrc);
        p = ngx_webrtc_write_u32(p, end, dlrr[i].lrr);
        p = ngx_webrtc_write_u32(p, end, dlrr[i].dlrr);
    }

    return p;
}


static ngx_inline u_char *
ngx_webrtc_range_write_req(u_char *p, u_char *end, uint32_t id,
    uint64_t offset, uint64_t length)
{
    p = ngx_webrtc_range_write_header(p, end, NGX_WEBRTC_RANGE_REQ, 0, id, 16);
    p = ngx_webrtc_write_u64(p, end, offset);
    p = ngx_webrtc_write_u64(p, end, length);

    return p;
}


static ngx_inline u_char *
ngx_webrtc_range_write_seek_hint(u_char *p, u_char *end, uint64_t seek_ms)
{
    p = ngx_webrtc_range_write_header(p, end, NGX_WEBRTC_RANGE_SEEK_HINT, 0, 0,
                                      8);
    p = ngx_webrtc_write_u64(p, end, seek_ms);

    return p;
}


#endif /* _PEER_H_INCLUDED_ */
