
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Retransmissions unwrapped: see the header file for the contracts.  RFC 4588.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_rtx.h>


ngx_int_t
ngx_webrtc_rtx_add(ngx_webrtc_rtx_t *rtx, ngx_uint_t rtx_pt, ngx_uint_t apt,
    uint32_t rtx_ssrc, uint32_t ssrc)
{
    ngx_uint_t  i;

    for (i = 0; i < rtx->n; i++) {
        if (rtx->maps[i].rtx_pt == rtx_pt) {
            return NGX_DECLINED;
        }
    }

    if (i == NGX_WEBRTC_RTX_MAX || rtx_pt > 127 || apt > 127) {
        return NGX_DECLINED;
    }

    rtx->maps[i].rtx_pt = (uint8_t) rtx_pt;
    rtx->maps[i].pt = (uint8_t) apt;
    rtx->maps[i].rtx_ssrc = rtx_ssrc;
    rtx->maps[i].ssrc = ssrc;
    rtx->n++;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rtx_bind(ngx_webrtc_rtx_t *rtx, ngx_uint_t pt, uint32_t ssrc)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = NGX_DECLINED;

    for (i = 0; i < rtx->n; i++) {
        if (rtx->maps[i].pt == pt) {

            if (rtx->maps[i].ssrc && rtx->maps[i].ssrc != ssrc) {
                rtx->maps[i].stale = 1;
            }

            rtx->maps[i].ssrc = ssrc;
            rc = NGX_OK;
        }
    }

    return rc;
}


ngx_int_t
ngx_webrtc_rtx_unwrap(ngx_webrtc_rtx_t *rtx, ngx_webrtc_rtp_t *rtp)
{
    u_char      *p;
    uint16_t     osn;
    ngx_uint_t   i;

    for (i = 0; i < rtx->n; i++) {
        if (rtx->maps[i].rtx_pt == rtp->pt) {
            break;
        }
    }

    if (i == rtx->n
        || (rtx->maps[i].rtx_ssrc && rtx->maps[i].rtx_ssrc != rtp->ssrc
            && !rtx->maps[i].stale))
    {
        return NGX_DECLINED;
    }

    /* browsers probe with RTX packets of padding only */

    if (rtp->len == 0) {
        return NGX_DONE;
    }

    p = ngx_webrtc_read_u16(rtp->payload, rtp->payload + rtp->len, &osn);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    if (rtx->maps[i].ssrc == 0) {
        return NGX_AGAIN;
    }

    if (rtx->maps[i].rtx_ssrc != rtp->ssrc) {
        rtx->maps[i].rtx_ssrc = rtp->ssrc;
        rtx->maps[i].stale = 0;
    }

    rtp->payload = p;
    rtp->len -= NGX_WEBRTC_RTX_OSN;
    rtp->seq = osn;
    rtp->pt = rtx->maps[i].pt;
    rtp->ssrc = rtx->maps[i].ssrc;

    return NGX_OK;
}
