
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The timeline: input is a list of steps of 18 bytes, u8 what, u8 track,
 * s64 timestamp or its difference, s64 progress of the clock.  Checked:
 * what order() lets through only grows; the line is never far from the media;
 * decoding times that were spliced do not go back.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_splice.h"
#include "ngx_webrtc_timestamp.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                  *p, *end;
    int64_t                  now, t, media, dts, last[4], spliced[2];
    uint8_t                  op, track;
    uint32_t                 rtp;
    uint64_t                 a, b;
    ngx_uint_t               i;
    ngx_webrtc_order_t       order[4];
    ngx_webrtc_timeline_t    tl;
    ngx_webrtc_splice_t      splice;
    ngx_webrtc_ts_unwrap_t   u;

    p = (u_char *) data;
    end = p + size;

    ngx_memzero(&u, sizeof(u));
    ngx_memzero(order, sizeof(order));
    ngx_memzero(last, sizeof(last));
    ngx_memzero(spliced, sizeof(spliced));
    ngx_memzero(&splice, sizeof(splice));

    ngx_webrtc_timeline_init(&tl);

    now = INT64_C(1700000000123456);
    t = 0;
    op = 0;

    do {
        if (op % 8 == 0) {
            ngx_webrtc_timeline_start(&tl);
            (void) ngx_webrtc_timeline_track(&tl, 0, 90000, 1, 90000);
            (void) ngx_webrtc_timeline_track(&tl, 1, 48000, 1, 90000);
            (void) ngx_webrtc_timeline_track(&tl, 2, 8000, 1, 1);
            (void) ngx_webrtc_timeline_track(&tl, 3, 90000, 1001, 30000);
        }

        p = ngx_webrtc_read_u8(p, end, &op);
        p = ngx_webrtc_read_u8(p, end, &track);
        p = ngx_webrtc_read_u64(p, end, &a);
        p = ngx_webrtc_read_u64(p, end, &b);

        if (p == NULL) {
            break;
        }

        i = track & 3;

        switch (op >> 6) {

        case 0:
            t = (int64_t) a;
            break;

        case 1:
            t = ngx_webrtc_ts_unwrap(&u, a, 33);
            break;

        default:
            t = (int64_t) ((uint64_t) t + (a & 0xffff));
        }

        /* a day at most at once, and never before 2000 */

        now += (int64_t) b % INT64_C(86400000000);
        now = ngx_max(now, INT64_C(946684800000000));

        media = ngx_webrtc_timeline_map(&tl, i, t, now);

        if (ngx_webrtc_order(&order[i], &media, op & 0x20)
            != NGX_WEBRTC_ORDER_DROP)
        {
            if (media <= last[i]) {
                abort();
            }

            last[i] = media;
        }

        i &= 1;

        dts = t >> 4;
        dts += ngx_webrtc_splice(&splice, i, dts, 1, a & 0x1fff,
                                 (op & 0x10) ? 0 : now);

        if (spliced[i] && dts < spliced[i] - NGX_WEBRTC_SPLICE_JOIN) {
            abort();
        }

        spliced[i] = dts;

        if (ngx_webrtc_timeline_at(&tl, 90000, now, &rtp) != NGX_OK) {
            abort();
        }

    } while (now < INT64_C(4000000000000000));

    return 0;
}
