
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_reorder: tables of arrivals with what comes out, and any order
 * against what must hold always.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_reorder.h>

#include "tap.h"


static ngx_webrtc_reorder_t   r;
static char                   out[4096];
static uint64_t               last;
static ngx_uint_t             bad, count, lost;

static uint32_t               rnd_state = 1;


static uint32_t
rnd(void)
{
    rnd_state = rnd_state * 1664525 + 1013904223;

    return rnd_state >> 8;
}


/* " 5" a packet, " -2 8" one behind two lost */

static void
on_packet(void *ctx, const ngx_webrtc_reorder_packet_t *pkt)
{
    size_t  i, n;

    (void) ctx;

    n = strlen(out);

    if (pkt->lost) {
        n += sprintf(out + n, " -%u", pkt->lost);
    }

    sprintf(out + n, " %u", (unsigned) (uint16_t) pkt->seq);

    for (i = 0; i < pkt->n; i++) {
        if (pkt->payload[i] != (u_char) pkt->seq) {
            bad++;
        }
    }

    if (pkt->ts != (uint32_t) pkt->seq * 3 || pkt->seq <= last) {
        bad++;
    }

    last = pkt->seq;
    count++;
    lost += pkt->lost;
}


static ngx_int_t
put(uint16_t seq, size_t n, uint64_t now_us)
{
    u_char                       *p;
    ngx_int_t                     rc;
    ngx_webrtc_reorder_packet_t   pkt;

    p = malloc(n + !n);
    memset(p, seq, n);

    memset(&pkt, 0, sizeof(pkt));

    pkt.seq = ngx_webrtc_reorder_seq(&r, seq);
    pkt.ts = (uint32_t) pkt.seq * 3;
    pkt.payload = p;
    pkt.n = (uint16_t) n;
    pkt.arrival_us = now_us;

    rc = ngx_webrtc_reorder_input(&r, &pkt, now_us);

    free(p);

    return rc;
}


/*
 * Arrivals: numbers come 1 ms apart; "t30" lets 30 ms pass without a packet,
 * "g7" gives up up to 7, "n" begins anew.  A gap is waited for 20 ms.
 */

static void
test_table(void)
{
    char         line[256], *p;
    void        *mem;
    size_t       size;
    uint64_t     now;
    ngx_uint_t   i;

    static const struct {
        const char  *name;
        const char  *in;
        const char  *out;
    } t[] = {
        { "in order", "1 2 3 4", " 1 2 3 4" },
        { "over the wrap", "65534 65535 0 1", " 65534 65535 0 1" },
        { "two swapped", "1 3 2 4", " 1 2 3 4" },
        { "swapped over the wrap", "65535 1 0 2", " 65535 0 1 2" },
        { "one late by three", "1 3 4 5 2 6", " 1 2 3 4 5 6" },
        { "backwards", "1 5 4 3 2", " 1 2 3 4 5" },
        { "duplicate of one passed", "1 2 2 3", " 1 2 3" },
        { "duplicate of one held", "1 3 3 2 4", " 1 2 3 4" },
        { "before the first", "5 4 6", " 5 6" },
        { "lost, waiting", "1 3 4", " 1" },
        { "lost, given up by time", "1 3 4 t20", " 1 -1 3 4" },
        { "not before the time", "1 3 4 t17", " 1" },
        { "given up with the next packet", "1 3 4 t19 5 6", " 1 -1 3 4 5 6" },
        { "filled in the last moment", "1 3 t18 2 4", " 1 2 3 4" },
        { "two gaps, each its time", "1 3 t10 5 t11", " 1 -1 3" },
        { "the second too", "1 3 t10 5 t11 t10", " 1 -1 3 -1 5" },
        { "first gap filled, second waits", "1 3 5 2 t17", " 1 2 3" },
        { "second given up", "1 3 5 2 t18", " 1 2 3 -1 5" },
        { "late for good", "1 3 t20 2 4", " 1 -1 3 4" },
        { "given up by word", "1 4 g2", " 1" },
        { "given up by word, all", "1 4 g3", " 1 -2 4" },
        { "given up by word, rest comes", "1 4 g2 3", " 1 -1 3 4" },
        { "given up by word, nothing held", "1 2 g9 3", " 1 2 3" },
        { "given up up to one held", "1 3 5 g3", " 1 -1 3" },
        { "window full", "1 3 4 5 6 7 8 9 10", " 1 -1 3 4 5 6 7 8 9 10" },
        { "beyond the window", "1 3 12", " 1 -1 3" },
        { "beyond the window, nothing held", "1 12 t20", " 1 -10 12" },
        { "far beyond", "1 3 100 t20", " 1 -1 3 -96 100" },
        { "jump ahead", "1 5000 5001", " 1 -1 5000 5001" },
        { "jump ahead with some held", "1 3 5000 5001",
          " 1 -1 3 -1 5000 5001" },
        { "one from far back", "9000 1 9001", " 9000 9001" },
        { "anew, behind", "5000 5001 n 4001 4002", " 5000 5001 4001 4002" },
        { "anew, far behind", "30000 n 10000 10001", " 30000 10000 10001" },
        { "anew, ahead", "5 n 1005 1006", " 5 1005 1006" },
        { "anew, the same", "5 6 n 6 7", " 5 6 6 7" },
        { "anew, with some held", "5000 5002 5005 n 1 3 t20",
          " 5000 -1 5002 -2 5005 1 -1 3" },
        { "anew, over the wrap", "5 n 65535 0 1", " 5 65535 0 1" },
        { "anew before the first", "n 5 6", " 5 6" },
    };

    size = ngx_webrtc_reorder_size(8, 8192);
    mem = malloc(size);

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        tap_is_int(ngx_webrtc_reorder_init(&r, mem, size, 8, on_packet, NULL),
                   NGX_OK, "%s: init", t[i].name);
        ngx_webrtc_reorder_hold(&r, 20000);

        out[0] = '\0';
        last = 0;
        bad = 0;
        now = 1000000;

        strcpy(line, t[i].in);

        for (p = strtok(line, " "); p; p = strtok(NULL, " ")) {

            if (*p == 't') {
                now += atoi(p + 1) * 1000;
                (void) ngx_webrtc_reorder_timeout(&r, now);

            } else if (*p == 'g') {
                ngx_webrtc_reorder_give_up(&r,
                               ngx_webrtc_reorder_seq(&r, atoi(p + 1)), now);

            } else if (*p == 'n') {
                ngx_webrtc_reorder_renew(&r);
                last = 0;

            } else {
                (void) ngx_webrtc_reorder_timeout(&r, now);
                (void) put(atoi(p), 100 + atoi(p) % 50, now);
                now += 1000;
            }
        }

        tap_is_str(out, t[i].out, "%s", t[i].name);
        tap_ok(!bad, "%s: untouched", t[i].name);
    }

    /* a start anew further back needs two in a row */

    ngx_webrtc_reorder_init(&r, mem, size, 8, on_packet, NULL);
    out[0] = '\0';
    put(9000, 10, 0);
    tap_is_int(put(5, 10, 0), NGX_DECLINED, "far back");
    last = 0;
    tap_is_int(put(6, 10, 0), NGX_OK, "far back again");
    put(7, 10, 0);
    tap_is_str(out, " 9000 -1 6 7", "goes on there");
    tap_is_int(r.resets, 1, "is counted");

    /* what may be a retransmission, in a window of 8 */

    ngx_webrtc_reorder_init(&r, mem, size, 8, on_packet, NULL);
    tap_ok(ngx_webrtc_reorder_near(&r, 5), "all are near at first");
    put(100, 10, 0);
    put(102, 10, 0);

    for (i = 0; i < 65536; i++) {
        if (ngx_webrtc_reorder_near(&r, ngx_webrtc_reorder_seq(&r, i))
            != (i >= 94 && i <= 110))
        {
            break;
        }
    }

    tap_is_int(i, 65536, "near the newest");

    /* deadlines and results */

    ngx_webrtc_reorder_init(&r, mem, size, 8, on_packet, NULL);
    out[0] = '\0';
    last = 0;
    tap_is_int(put(1, 10, 5000), NGX_OK, "passed");
    tap_is_int(ngx_webrtc_reorder_timeout(&r, 5000), 0, "no deadline");
    tap_is_int(put(3, 10, 6000), NGX_AGAIN, "held");
    tap_is_int(put(3, 10, 6500), NGX_DECLINED, "duplicate");
    tap_is_int(put(1, 10, 6500), NGX_DECLINED, "passed already");
    tap_is_int(put(2, 2049, 6500), NGX_DECLINED, "too large");
    tap_is_int(ngx_webrtc_reorder_timeout(&r, 7000), 106000, "deadline");
    tap_is_int(put(2, 0, 7000), NGX_OK, "empty payload");
    tap_ok(r.duplicates == 1 && r.late == 1 && r.reordered == 1
           && r.lost == 0 && r.passed == 3, "counters");

    ngx_webrtc_reorder_hold(&r, 0);
    tap_is_int(put(5, 10, 8000), NGX_OK, "no waiting at all");

    ngx_webrtc_reorder_hold(&r, 20000);
    tap_is_int(put(7, 10, 5000000), NGX_AGAIN, "held");
    tap_is_int(ngx_webrtc_reorder_timeout(&r, 5019999), 5020000, "still held");
    tap_is_int(ngx_webrtc_reorder_timeout(&r, 5020000), 0, "given up");

    tap_is_int(ngx_webrtc_reorder_init(&r, mem, size, 7, on_packet, NULL),
               NGX_DECLINED, "window no power of two");
    tap_is_int(ngx_webrtc_reorder_init(&r, mem, size, 0, on_packet, NULL),
               NGX_DECLINED, "no window");
    tap_is_int(ngx_webrtc_reorder_init(&r, mem,
                                       ngx_webrtc_reorder_size(8, 2048), 8,
                                       on_packet, NULL),
               NGX_DECLINED, "no memory");

    free(mem);
}


/*
 * Any delays, losses and sizes, in scarce memory too: in order, each once,
 * none forgotten: what did not come out is counted as lost.
 */

static void
test_any(void)
{
    void       *mem;
    size_t      size, room;
    uint32_t    due[64];
    uint16_t    seqs[64];
    uint64_t    now, first, deadline;
    ngx_uint_t  i, k, round, n, min;

    for (round = 0; round < 60; round++) {

        room = (round & 1) ? 65536 : 2064 + rnd() % 6000;
        size = ngx_webrtc_reorder_size(64, room);
        mem = malloc(size);

        ngx_webrtc_reorder_init(&r, mem, size, 64, on_packet, NULL);
        ngx_webrtc_reorder_hold(&r, 1 + rnd() % 50000);

        bad = 0;
        count = 0;
        lost = 0;
        last = 0;
        first = 0;
        now = 1000000;
        n = 0;

        /* up to 64 packets are on their way */

        for (i = 0; i < 3000 || n; i++) {
            now += 1000;

            if (i < 3000 && n < 64 && (i < 2 || rnd() % 20)) {
                seqs[n] = (uint16_t) (65000 + i);
                due[n++] = i + (i < 2 || rnd() % 4 ? 0 : rnd() % 30);
            }

            deadline = ngx_webrtc_reorder_timeout(&r, now);

            if ((deadline != 0) != (r.held != 0)
                || (deadline && deadline <= now))
            {
                bad++;
            }

            for (k = 0; k < n; /* void */ ) {

                if (due[k] > i) {
                    k++;
                    continue;
                }

                out[0] = '\0';
                min = rnd() % 20;
                (void) put(seqs[k], min ? rnd() % 1400 : 2048, now);

                if (first == 0) {
                    first = r.next - 1;
                }

                n--;
                memmove(seqs + k, seqs + k + 1, (n - k) * sizeof(seqs[0]));
                memmove(due + k, due + k + 1, (n - k) * sizeof(due[0]));
            }
        }

        out[0] = '\0';
        (void) ngx_webrtc_reorder_timeout(&r, now + 100000);

        if (bad || r.held || r.used || count != r.passed || lost != r.lost
            || count + lost != last - first + 1 || r.resets)
        {
            break;
        }

        free(mem);
    }

    tap_is_int(round, 60, "60 rounds of any order");
}


int
main(void)
{
    test_table();
    test_any();

    return tap_done();
}
