
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Transport-wide feedback.  The first byte says what the rest is: 0 mod 2 an
 * RTCP packet for the reader; else room and arrival times for the writer, whose
 * work is read back.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_rtcp_fb.h"
#include <peer.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(ngx_uint_t cond)
{
    if (!cond) {
        abort();
    }
}


/* how many statuses, or -1; arrivals: to be compared with, may be NULL */

static ngx_int_t
read_all(u_char *p, size_t n, uint16_t base, const int64_t *arrivals)
{
    u_char                     *q;
    int64_t                     us, error;
    uint16_t                    seq;
    ngx_int_t                   count, k;
    ngx_uint_t                  received;
    ngx_webrtc_rtcp_t           rtcp;
    ngx_webrtc_rtcp_fb_t        fb;
    ngx_webrtc_rtcp_twcc_t      twcc;
    ngx_webrtc_rtcp_fb_twcc_t   it;

    if (ngx_webrtc_rtcp_check(p, p + n) != NGX_OK) {
        return -1;
    }

    count = -1;

    for (q = p; q != p + n; /* void */ ) {

        q = ngx_webrtc_rtcp_next(q, p + n, &rtcp);

        if (ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) != NGX_OK
            || ngx_webrtc_rtcp_parse_twcc(&fb, &twcc) != NGX_OK
            || ngx_webrtc_rtcp_fb_twcc_init(&it, &twcc) != NGX_OK)
        {
            continue;
        }

        for (k = 0; ngx_webrtc_rtcp_fb_twcc_next(&it, &seq, &received, &us)
                    == NGX_OK; k++)
        {
            check(seq == (uint16_t) (twcc.base + k));

            if (arrivals == NULL) {
                continue;
            }

            check(seq == (uint16_t) (base + k));
            check(received == (arrivals[k] != NGX_WEBRTC_TWCC_LOST));

            if (received) {
                error = (arrivals[k] - us) % ((int64_t) 64000 << 24);
                check(error >= 0 && error < 250);
            }
        }

        check(k == twcc.packets);

        count = k;
    }

    return count;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char      *p, *end;
    size_t       room;
    int64_t      us[2048], now;
    ngx_int_t    rc;
    ngx_uint_t   n, from, written, came;

    if (size < 4) {
        return 0;
    }

    if (!(data[0] & 1)) {
        p = malloc(size - 1);
        memcpy(p, data + 1, size - 1);
        (void) read_all(p, size - 1, 0, NULL);
        free(p);

        return 0;
    }

    room = NGX_WEBRTC_TWCC_MIN + (data[1] << 2) + (data[0] >> 1);

    now = (int64_t) data[2] << 32;
    came = 0;

    for (n = 0; n < size - 3 && n < 2048; n++) {

        if (data[3 + n] < 64) {
            us[n] = NGX_WEBRTC_TWCC_LOST;

        } else if (data[3 + n] < 128) {
            us[n] = now;
            now += (data[3 + n] - 64) * 1000;
            came = n + 1;

        } else if (data[3 + n] < 192) {
            now -= (data[3 + n] - 128) * 2000;
            now = ngx_max(now, 0);
            us[n] = now;
            came = n + 1;

        } else {
            now += (data[3 + n] - 192) * 200000;
            us[n] = now;
            came = n + 1;
        }
    }

    for (from = 0; from < came; from += written) {

        p = malloc(room);

        end = ngx_webrtc_rtcp_fb_write_twcc(p, p + room, 1, 2,
                                            (uint16_t) (60000 + from), 0,
                                            us + from, came - from, &written);
        if (end == NULL) {

            /* more losses in a row than one packet takes */

            for (written = 0; written < NGX_WEBRTC_TWCC_STATUSES; written++) {
                check(us[from + written] == NGX_WEBRTC_TWCC_LOST);
            }

            free(p);
            continue;
        }

        check((end - p) % 4 == 0 && written >= 1);

        rc = read_all(p, end - p, (uint16_t) (60000 + from), us + from);

        check(rc == (ngx_int_t) written);

        free(p);
    }

    return 0;
}
