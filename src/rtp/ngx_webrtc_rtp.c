
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagram classification, RTP header and header extensions: see the header
 * file.  RFC 7983, RFC 5761, RFC 3550, RFC 8285.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_rtp.h>


/* bytes of the shortest: STUN header (RFC 8489, 5), DTLS record header
 * (RFC 6347, 4.1), RTCP header with an SSRC (RFC 3550, 6) */
#define NGX_WEBRTC_RTP_MIN_STUN   20
#define NGX_WEBRTC_RTP_MIN_DTLS   13
#define NGX_WEBRTC_RTP_MIN_RTCP   8


ngx_uint_t
ngx_webrtc_rtp_classify(u_char *p, size_t n)
{
    if (n < NGX_WEBRTC_RTP_MIN_RTCP) {
        return NGX_WEBRTC_DATAGRAM_UNKNOWN;
    }

    if (p[0] >= 128 && p[0] <= 191) {

        /*
         * RFC 5761, 4: RTCP packet types 192 .. 223 look like the marker with
         * payload types 64 .. 95, which RTP therefore doesn't use
         */

        if (p[1] >= 192 && p[1] <= 223) {
            return NGX_WEBRTC_DATAGRAM_RTCP;
        }

        return (n >= NGX_WEBRTC_RTP_HEADER) ? NGX_WEBRTC_DATAGRAM_RTP
                                            : NGX_WEBRTC_DATAGRAM_UNKNOWN;
    }

    if (p[0] >= 20 && p[0] <= 63) {
        return (n >= NGX_WEBRTC_RTP_MIN_DTLS) ? NGX_WEBRTC_DATAGRAM_DTLS
                                              : NGX_WEBRTC_DATAGRAM_UNKNOWN;
    }

    if (p[0] <= 3) {
        return (n >= NGX_WEBRTC_RTP_MIN_STUN) ? NGX_WEBRTC_DATAGRAM_STUN
                                              : NGX_WEBRTC_DATAGRAM_UNKNOWN;
    }

    return NGX_WEBRTC_DATAGRAM_UNKNOWN;
}


ngx_int_t
ngx_webrtc_rtp_parse(u_char *p, u_char *end, ngx_webrtc_rtp_t *rtp)
{
    uint8_t  padding;

    if (ngx_webrtc_rtp_parse_header(p, end, rtp) != NGX_OK) {
        return NGX_DECLINED;
    }

    if ((p[0] & 0x20) == 0) {
        return NGX_OK;
    }

    /* RFC 3550, 5.1: the count includes the count byte itself */

    if (rtp->len == 0) {
        return NGX_DECLINED;
    }

    padding = rtp->payload[rtp->len - 1];

    if (padding == 0 || padding > rtp->len) {
        return NGX_DECLINED;
    }

    rtp->padding = padding;
    rtp->len -= padding;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_rtp_parse_header(u_char *p, u_char *end, ngx_webrtc_rtp_t *rtp)
{
    uint8_t   b, m;
    uint16_t  words;

    p = ngx_webrtc_read_u8(p, end, &b);
    p = ngx_webrtc_read_u8(p, end, &m);
    p = ngx_webrtc_read_u16(p, end, &rtp->seq);
    p = ngx_webrtc_read_u32(p, end, &rtp->ts);
    p = ngx_webrtc_read_u32(p, end, &rtp->ssrc);

    if (p == NULL || (b >> 6) != 2) {
        return NGX_DECLINED;
    }

    rtp->pt = m & 0x7f;
    rtp->marker = m >> 7;
    rtp->ncsrc = b & 0x0f;
    rtp->extension = (b >> 4) & 1;
    rtp->padding = 0;

    rtp->csrc = p;

    p = ngx_webrtc_skip(p, end, (size_t) rtp->ncsrc * 4);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    rtp->ext_profile = 0;
    rtp->ext = p;
    rtp->ext_len = 0;

    if (rtp->extension) {
        p = ngx_webrtc_read_u16(p, end, &rtp->ext_profile);
        p = ngx_webrtc_read_u16(p, end, &words);
        if (p == NULL) {
            return NGX_DECLINED;
        }

        rtp->ext = p;
        rtp->ext_len = (size_t) words * 4;

        p = ngx_webrtc_skip(p, end, rtp->ext_len);
        if (p == NULL) {
            return NGX_DECLINED;
        }
    }

    rtp->payload = p;
    rtp->len = end - p;

    return NGX_OK;
}


u_char *
ngx_webrtc_rtp_ext_next(const ngx_webrtc_rtp_t *rtp, u_char *p,
    ngx_webrtc_rtp_ext_t *ext)
{
    u_char      *end;
    ngx_uint_t   two;

    if (rtp->ext_profile == NGX_WEBRTC_RTP_EXT_ONE_BYTE) {
        two = 0;

    } else if ((rtp->ext_profile & 0xfff0) == NGX_WEBRTC_RTP_EXT_TWO_BYTE) {
        two = 1;

    } else {
        return NULL;
    }

    if (p == NULL) {
        p = rtp->ext;
    }

    end = rtp->ext + rtp->ext_len;

    /* RFC 8285, 4.2: a zero byte between elements is padding */

    while (p < end && *p == 0) {
        p++;
    }

    if (p == end) {
        return NULL;
    }

    if (two) {
        if (end - p < 2) {
            return NULL;
        }

        ext->id = p[0];
        ext->len = p[1];
        p += 2;

    } else {
        ext->id = p[0] >> 4;
        ext->len = (p[0] & 0x0f) + 1;
        p++;

        /*
         * RFC 8285, 4.2: id 15 is reserved and ends the processing of the
         * whole extension.  Id 0 with a length is padding gone wrong: the same.
         */

        if (ext->id == 15 || ext->id == 0) {
            return NULL;
        }
    }

    ext->data = p;

    return ngx_webrtc_skip(p, end, ext->len);
}


ngx_int_t
ngx_webrtc_rtp_ext_find(const ngx_webrtc_rtp_t *rtp, ngx_uint_t id,
    ngx_webrtc_rtp_ext_t *ext)
{
    u_char  *p;

    if (id == 0) {
        return NGX_DECLINED;
    }

    for (p = ngx_webrtc_rtp_ext_next(rtp, NULL, ext);
         p != NULL;
         p = ngx_webrtc_rtp_ext_next(rtp, p, ext))
    {
        if (ext->id == id) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_uint_t
ngx_webrtc_rtp_ext_crowded(const ngx_webrtc_rtp_t *rtp)
{
    u_char                *p;
    ngx_uint_t             n;
    ngx_webrtc_rtp_ext_t   ext;

    p = NULL;

    for (n = 0; n <= NGX_WEBRTC_RTP_EXT_ELEMENTS; n++) {
        p = ngx_webrtc_rtp_ext_next(rtp, p, &ext);

        if (p == NULL) {
            return 0;
        }
    }

    return 1;
}
