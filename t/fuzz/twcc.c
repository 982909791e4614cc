
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Transport-wide feedback about a publisher who counts as he likes.  The first
 * two bytes are the room that there is for a report; then packets: two bytes of
 * what the number grows by, one of ms that pass.  What is due is written.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_rtcp.h"
#include "ngx_webrtc_twcc.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(ngx_uint_t cond)
{
    if (!cond) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char              *buf, *p;
    size_t               room;
    uint16_t             number;
    uint64_t             now_us, due;
    ngx_uint_t           n;
    ngx_webrtc_rtcp_t    rtcp;
    ngx_webrtc_twcc_t   *tw;

    if (size < 2) {
        return 0;
    }

    room = (size_t) data[0] << 8 | data[1];
    room = 1 + room % 1500;

    data += 2;
    size -= 2;

    tw = malloc(sizeof(ngx_webrtc_twcc_t));
    buf = malloc(room);

    ngx_webrtc_twcc_init(tw, 1);

    now_us = 1000000;
    number = 0;

    for ( /* void */ ; size >= 3; data += 3, size -= 3) {

        number = (uint16_t) (number + (data[0] << 8 | data[1]));
        now_us += (uint64_t) data[2] * 1000;

        ngx_webrtc_twcc_input(tw, number, 2, now_us);

        due = ngx_webrtc_twcc_deadline(tw);

        /* all that is due leaves, with room enough: a report at a time */

        for (n = 0; due && due <= now_us; n++) {
            p = ngx_webrtc_twcc_write(tw, buf, buf + room, now_us);

            check(p >= buf && p <= buf + room);

            if (p == buf) {
                break;
            }

            check(ngx_webrtc_rtcp_next(buf, p, &rtcp) == p);
            check(n < 4096);

            due = ngx_webrtc_twcc_deadline(tw);
        }
    }

    free(buf);
    free(tw);

    return 0;
}
