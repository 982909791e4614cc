
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_rtx: RFC 4588, 4 and 8.  The retransmission is that of the packet
 * in RFC 4588's figure 1: OSN before the original payload.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtx.h>

#include "tap.h"


static u_char  packet[] = "\x80\xe1\x00\x07\x00\x01\x02\x03\xaa\xaa\xaa\xaa"
                          "\xfe\xdcpayload";


static void
test_map(void)
{
    ngx_uint_t        i;
    ngx_webrtc_rtx_t  rtx;

    memset(&rtx, 0, sizeof(rtx));

    tap_is_int(ngx_webrtc_rtx_add(&rtx, 97, 96, 0, 0), NGX_OK, "added");
    tap_is_int(ngx_webrtc_rtx_add(&rtx, 97, 98, 0, 0), NGX_DECLINED, "twice");
    tap_is_int(ngx_webrtc_rtx_add(&rtx, 128, 98, 0, 0), NGX_DECLINED,
               "no payload type");
    tap_is_int(ngx_webrtc_rtx_bind(&rtx, 96, 5), NGX_OK, "bound");
    tap_is_int(ngx_webrtc_rtx_bind(&rtx, 98, 5), NGX_DECLINED,
               "unknown payload type");

    for (i = 1; i < NGX_WEBRTC_RTX_MAX; i++) {
        ngx_webrtc_rtx_add(&rtx, 99 + i, 96, 0, 0);
    }

    tap_is_int(ngx_webrtc_rtx_add(&rtx, 120, 96, 0, 0), NGX_DECLINED, "full");
}


static void
test_unwrap(void)
{
    ngx_uint_t         i;
    ngx_webrtc_rtp_t   rtp, before;
    ngx_webrtc_rtx_t   rtx;

    static const struct {
        const char  *name;
        uint32_t     rtx_ssrc, ssrc;      /* of the map, payload type 97 */
        uint8_t      pt;
        size_t       len;                 /* of the payload */
        ngx_int_t    rc;
    } t[] = {
        { "both SSRCs known", 0xaaaaaaaa, 5, 97, 9, NGX_OK },
        { "RTX SSRC learnt", 0, 5, 97, 9, NGX_OK },
        { "empty original", 0, 5, 97, 2, NGX_OK },
        { "media SSRC not known", 0, 0, 97, 9, NGX_AGAIN },
        { "padding only", 0, 5, 97, 0, NGX_DONE },
        { "padding only, not known", 0, 0, 97, 0, NGX_DONE },
        { "half an OSN", 0, 5, 97, 1, NGX_DECLINED },
        { "another SSRC", 0xbbbbbbbb, 5, 97, 9, NGX_DECLINED },
        { "not RTX", 0xaaaaaaaa, 5, 96, 9, NGX_DECLINED },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        memset(&rtx, 0, sizeof(rtx));

        ngx_webrtc_rtx_add(&rtx, 97, 96, t[i].rtx_ssrc, t[i].ssrc);

        packet[1] = (u_char) (0x80 | t[i].pt);

        if (ngx_webrtc_rtp_parse(packet, packet + 12 + t[i].len, &rtp)
            != NGX_OK)
        {
            tap_fail("parse");
        }

        before = rtp;

        tap_is_int(ngx_webrtc_rtx_unwrap(&rtx, &rtp), t[i].rc, "%s", t[i].name);

        if (t[i].rc != NGX_OK) {
            tap_ok(memcmp(&rtp, &before, sizeof(rtp)) == 0, "%s: unchanged",
                   t[i].name);
            continue;
        }

        tap_ok(rtp.seq == 0xfedc && rtp.pt == 96 && rtp.ssrc == 5
               && rtp.marker == 1 && rtp.ts == 0x010203, "%s: header",
               t[i].name);
        tap_is_mem(rtp.payload, rtp.len, "payload", t[i].len - 2,
                   "%s: payload", t[i].name);
        tap_is_int(rtx.maps[0].rtx_ssrc, 0xaaaaaaaa, "%s: SSRC", t[i].name);
    }
}


int
main(void)
{
    test_map();
    test_unwrap();

    return tap_done();
}
