
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_rtx: RFC 4588, 4 and 8.  The retransmission is that of the packet
 * in RFC 4588's figure 1: OSN before the original payload.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

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


/*
 * Media and retransmissions that change their SSRCs: "m5" media, "r7" a
 * retransmission, with the media's SSRC it is given as, or "-".
 */

static void
test_change(void)
{
    char               line[128], got[128], *p;
    ngx_uint_t         i;
    ngx_webrtc_rtp_t   rtp;
    ngx_webrtc_rtx_t   rtx;

    static const struct {
        const char  *name;
        uint32_t     rtx_ssrc, ssrc;      /* signalled */
        const char  *in;
        const char  *out;
    } t[] = {
        { "no change", 0, 0, "m5 r7 m5 r8 r7", " 5 - 5" },
        { "both", 0, 0, "m5 r7 m6 r8 r8 r7", " 5 6 6 -" },
        { "media alone", 0, 0, "m5 r7 m6 r7 r7", " 5 6 6" },
        { "one late of the SSRC before", 0, 0, "m5 r7 m6 r7 r8 r7 r8",
          " 5 6 6 - 6" },
        { "and back", 0, 0, "m5 r7 m6 r8 m5 r7 r8", " 5 6 5 -" },
        { "before any retransmission", 0, 0, "m5 m6 r8 r7", " 6 -" },
        { "signalled, both", 7, 5, "m5 r7 m6 r8 r7", " 5 6 -" },
        { "signalled, back", 7, 5, "m5 m6 r8 m5 r7 r8", " 6 5 -" },
        { "signalled, as never sent", 7, 5, "m6 r8 r7", " 6 -" },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        memset(&rtx, 0, sizeof(rtx));
        ngx_webrtc_rtx_add(&rtx, 97, 96, t[i].rtx_ssrc, t[i].ssrc);

        packet[1] = 0x80 | 97;
        got[0] = '\0';

        strcpy(line, t[i].in);

        for (p = strtok(line, " "); p; p = strtok(NULL, " ")) {

            if (*p == 'm') {
                ngx_webrtc_rtx_bind(&rtx, 96, (uint32_t) atoi(p + 1));
                continue;
            }

            ngx_webrtc_rtp_parse(packet, packet + 21, &rtp);
            rtp.ssrc = (uint32_t) atoi(p + 1);

            if (ngx_webrtc_rtx_unwrap(&rtx, &rtp) == NGX_OK) {
                sprintf(got + strlen(got), " %u", rtp.ssrc);

            } else {
                strcat(got, " -");
            }
        }

        tap_is_str(got, t[i].out, "%s", t[i].name);
    }
}


int
main(void)
{
    test_map();
    test_unwrap();
    test_change();

    return tap_done();
}
