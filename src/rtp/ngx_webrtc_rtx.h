
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Turns a publisher's retransmissions (RFC 4588, SSRC multiplexing) back into
 * the packets that they repeat.  Only the parsed header is changed, the bytes
 * of the packet are not.
 */


#ifndef _NGX_WEBRTC_RTX_H_INCLUDED_
#define _NGX_WEBRTC_RTX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_rtp.h>


/* payload types with retransmission in one session; chosen: twice those of an
 * m-line of video */
#define NGX_WEBRTC_RTX_MAX   32

/* bytes of the original sequence number; RFC 4588, 4 */
#define NGX_WEBRTC_RTX_OSN   2


/* all zero is the empty map */
typedef struct {
    ngx_uint_t    n;

    struct {
        uint32_t  ssrc;           /* of the media, 0: not known yet */
        uint32_t  rtx_ssrc;       /* 0: not known yet */
        uint8_t   pt;
        uint8_t   rtx_pt;
        unsigned  stale:1;        /* rtx_ssrc is the previous SSRC's */
    } maps[NGX_WEBRTC_RTX_MAX];
} ngx_webrtc_rtx_t;


/*
 * RFC 4588, 8: a=rtpmap rtx, a=fmtp apt, and a=ssrc-group:FID where there is
 * one.
 *
 *   rtx_pt, apt      payload types
 *   rtx_ssrc, ssrc   0: not known; learnt later
 *
 * NGX_OK
 * NGX_DECLINED  too many, or rtx_pt is there already
 */

ngx_int_t ngx_webrtc_rtx_add(ngx_webrtc_rtx_t *rtx, ngx_uint_t rtx_pt,
    ngx_uint_t apt, uint32_t rtx_ssrc, uint32_t ssrc);

/*
 * The media SSRC of this payload type became known with its first packet, or
 * has changed: then its retransmissions may have another SSRC, too, which is
 * learnt again.  NGX_OK; NGX_DECLINED: no such payload type.
 */

ngx_int_t ngx_webrtc_rtx_bind(ngx_webrtc_rtx_t *rtx, ngx_uint_t pt,
    uint32_t ssrc);

/*
 * RFC 4588, 4.  Restores the parsed header of the original packet: pt, ssrc,
 * seq, payload and len are changed; marker and ts are right as they are.  An
 * RTX stream whose SSRC is not known is recognized by its payload type, which
 * belongs to one m-line only, and its SSRC is learnt from the first
 * retransmission.  After a change of the media SSRC the old RTX SSRC is
 * accepted until a new one appears, as it may have stayed the same.  Late
 * retransmissions of the old media are then attributed to the new one, so the
 * caller has to check the numbers with ngx_webrtc_reorder_near().
 *
 *   rtp   of a decrypted packet, ngx_webrtc_rtp_parse()
 *
 * NGX_OK        it is the original packet now
 * NGX_DONE      a probe of padding only; rtp is unchanged
 * NGX_AGAIN     the SSRC of the media is not known yet; rtp is unchanged
 * NGX_DECLINED  not a known RTX payload type, or not the known SSRC; rtp is
 *               unchanged
 */

ngx_int_t ngx_webrtc_rtx_unwrap(ngx_webrtc_rtx_t *rtx, ngx_webrtc_rtp_t *rtp);


#endif /* _NGX_WEBRTC_RTX_H_INCLUDED_ */
