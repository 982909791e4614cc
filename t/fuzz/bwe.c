
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A sender's bandwidth estimate, and what a viewer may tell it.  A byte says
 * what comes next: packets that are sent, a probe, or feedback of the length
 * that follows.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include <string.h>

#include "ngx_webrtc_bwe.h"
#include "ngx_webrtc_rtcp.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
input(ngx_webrtc_bwe_t *bwe, u_char *p, u_char *end, uint64_t now_us)
{
    ngx_webrtc_rtcp_t        rtcp;
    ngx_webrtc_rtcp_fb_t     fb;
    ngx_webrtc_rtcp_remb_t   remb;
    ngx_webrtc_rtcp_twcc_t   twcc;
    ngx_webrtc_rtcp_block_t  block;

    while ((p = ngx_webrtc_rtcp_next(p, end, &rtcp)) != NULL) {

        if (ngx_webrtc_rtcp_parse_block(&rtcp, 0, NULL, &block) == NGX_OK) {
            ngx_webrtc_bwe_report(bwe, block.fraction, block.jitter, now_us);
        }

        if (ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) != NGX_OK) {
            continue;
        }

        if (ngx_webrtc_rtcp_parse_remb(&fb, &remb) == NGX_OK) {
            ngx_webrtc_bwe_remb(bwe, remb.bitrate, now_us);

        } else if (ngx_webrtc_rtcp_parse_twcc(&fb, &twcc) == NGX_OK) {
            (void) ngx_webrtc_bwe_feedback(bwe, &twcc, now_us);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                 *buf;
    size_t                  n;
    uint32_t                rate;
    uint64_t                now_us;
    ngx_webrtc_bwe_t       *bwe;
    ngx_webrtc_bwe_conf_t   conf;

    bwe = malloc(sizeof(ngx_webrtc_bwe_t));

    conf.min = 50000;
    conf.max = 20000000;
    conf.start = 300000;

    ngx_webrtc_bwe_init(bwe, &conf);

    now_us = 1000000;

    while (size >= 2) {

        n = data[1];
        now_us += (data[0] >> 2) * 1000;

        switch (data[0] & 3) {

        case 0:
            while (n--) {
                (void) ngx_webrtc_bwe_sent(bwe, 1200, now_us += 100);
            }

            n = 0;
            break;

        case 1:
            (void) ngx_webrtc_bwe_probe(bwe, (uint32_t) n << 20, now_us);
            n = 0;
            break;

        default:
            n = ngx_min(n, size - 2);

            /* of its own, so that reading past it is seen */

            buf = malloc(n ? n : 1);
            memcpy(buf, data + 2, n);
            input(bwe, buf, buf + n, now_us);
            free(buf);
        }

        data += 2 + n;
        size -= 2 + n;

        rate = ngx_webrtc_bwe_estimate(bwe);

        if (rate < conf.min || rate > conf.max) {
            abort();
        }
    }

    free(bwe);

    return 0;
}
