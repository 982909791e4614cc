
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sequence numbers in any order, in a small window and little memory: what
 * comes out ascends, is what went in, and what is missing was told.  Four bytes
 * each: an operation with time, the number relative to the last one, a size.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_reorder.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_webrtc_reorder_t   r;
static uint64_t               last;
static uint64_t               resets;


static void
check(ngx_uint_t cond)
{
    if (!cond) {
        abort();
    }
}


static void
on_packet(void *ctx, const ngx_webrtc_reorder_packet_t *pkt)
{
    ngx_uint_t  i;

    check(ctx == &r);
    check(pkt->ts == (uint32_t) pkt->seq * 7);

    if (last && r.resets == resets) {
        check(pkt->seq == last + 1 + pkt->lost);
    }

    last = pkt->seq;
    resets = r.resets;

    for (i = 0; i < pkt->n; i++) {
        check(pkt->payload[i] == (u_char) pkt->seq);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void                         *mem;
    u_char                       *p;
    size_t                        n;
    int16_t                       step;
    uint16_t                      seq;
    uint64_t                      now, deadline;
    ngx_int_t                     rc;
    ngx_webrtc_reorder_packet_t   pkt;

    if (size < 2) {
        return 0;
    }

    n = ngx_webrtc_reorder_size(16, 2100 + data[0] * 40);
    mem = malloc(n);

    check(ngx_webrtc_reorder_init(&r, mem, n, 16, on_packet, &r) == NGX_OK);

    ngx_webrtc_reorder_hold(&r, data[1] * 1000);

    last = 0;
    resets = 0;
    now = 1;
    seq = 65530;

    for (data += 2, size -= 2; size >= 4; data += 4, size -= 4) {

        now += (data[0] >> 2) * 1000;
        step = (int16_t) ((data[1] << 8) | data[2]);

        switch (data[0] & 3) {

        case 0:
            deadline = ngx_webrtc_reorder_timeout(&r, now);
            check((deadline != 0) == (r.held != 0));
            check(deadline == 0 || deadline > now);
            break;

        case 1:
            ngx_webrtc_reorder_give_up(&r,
                   ngx_webrtc_reorder_seq(&r, (uint16_t) (seq + step)), now);
            break;

        default:
            seq += (data[0] & 1) ? step : (int8_t) data[2];

            memset(&pkt, 0, sizeof(pkt));

            pkt.seq = ngx_webrtc_reorder_seq(&r, seq);
            pkt.ts = (uint32_t) pkt.seq * 7;
            pkt.n = (uint16_t) (data[3] * 8 + (data[1] & 7));
            p = malloc(pkt.n + !pkt.n);
            memset(p, (int) pkt.seq, pkt.n);
            pkt.payload = p;

            rc = ngx_webrtc_reorder_input(&r, &pkt, now);

            check(rc == NGX_OK || rc == NGX_AGAIN || rc == NGX_DECLINED);
            check(rc != NGX_OK || r.next > pkt.seq);
            free(p);
        }

        check(r.held <= 16 && r.used <= r.size && (r.held || r.used == 0));
    }

    (void) ngx_webrtc_reorder_timeout(&r, now + 1000000);

    check(r.held == 0);

    free(mem);

    return 0;
}
