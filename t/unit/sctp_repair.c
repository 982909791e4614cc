
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_sctp_repair: tables of what goes out and what the peer says of it,
 * with what is sent again and what usrsctp sees.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_crc32c.h>
#include <ngx_webrtc_sctp_repair.h>

#include "tap.h"


static ngx_webrtc_sctp_repair_t  r;
static uint32_t                  base;
static uint64_t                  now;
static char                      again[4096];
static ngx_uint_t                wrong;      /* repeats unlike the original */


static ngx_uint_t
intact(const u_char *p, size_t n)
{
    u_char    copy[4096];
    uint32_t  sum, crc;

    memcpy(copy, p, n);
    memcpy(&sum, p + 8, 4);
    memset(copy + 8, 0, 4);
    crc = ngx_webrtc_sctp_checksum(copy, n);

    return sum == crc;
}


static u_char *
header(u_char *p)
{
    memset(p, 0, 12);
    (void) ngx_webrtc_write_u16(p, p + 12, 5000);
    (void) ngx_webrtc_write_u16(p + 2, p + 12, 5001);
    (void) ngx_webrtc_write_u32(p + 4, p + 12, 0x01020304);

    return p + 12;
}


/* a chunk of DATA of n bytes of message, which follow from its TSN */

static u_char *
data(u_char *p, int type, uint32_t tsn, size_t n)
{
    size_t  head;

    head = (type == 64) ? 20 : 16;

    memset(p, 0, head);
    p[0] = (u_char) type;
    p[1] = 3;
    (void) ngx_webrtc_write_u16(p + 2, p + 4, (uint16_t) (head + n));
    (void) ngx_webrtc_write_u32(p + 4, p + 8, tsn);
    memset(p + head, (u_char) tsn, n);
    memset(p + head + n, 0, 3);

    return p + head + ((n + 3) & ~(size_t) 3);
}


static void
on_repeat(void *ctx, u_char *p, size_t n)
{
    u_char    want[NGX_WEBRTC_SCTP_PACKET], *end;
    uint32_t  tsn;

    (void) ctx;
    (void) ngx_webrtc_read_u32(p + 16, p + n, &tsn);

    end = data(header(want), p[12], tsn, n - 12 - (p[12] == 64 ? 20 : 16));

    if ((size_t) (end - want) != n || memcmp(want + 12, p + 12, n - 12) != 0
        || memcmp(want, p, 8) != 0 || !intact(p, n))
    {
        wrong++;
    }

    sprintf(again + strlen(again), "%s%d", *again ? " " : "",
            (int) (tsn - base));
}


static void
begin(uint32_t first)
{
    ngx_webrtc_sctp_repair_cleanup(&r);
    memset(&r, 0, sizeof(r));

    base = first;
    now = 1000;
    again[0] = '\0';
    wrong = 0;

    ngx_webrtc_sctp_repair_init(&r, on_repeat, NULL, now);
}


/* packets of TSNs from .. to */

static void
out(int from, int to)
{
    u_char  p[NGX_WEBRTC_SCTP_PACKET], *end;

    for ( /* void */ ; from <= to; from++) {
        end = data(header(p), 0, base + (uint32_t) from, 100);
        ngx_webrtc_sctp_repair_output(&r, p, (size_t) (end - p), now);
    }
}


/* a SACK "cum from-to from-to d2", relative to base; what usrsctp sees of it */

static size_t
sack(const char *text, u_char *seen)
{
    int       cum, from, to, dups, n;
    u_char    p[2048], *q, *end;
    uint32_t  crc;
    uint16_t  ngaps;

    q = header(p);
    end = q + 16;
    dups = 0;
    ngaps = 0;

    if (sscanf(text, "%d%n", &cum, &n) != 1) {
        return 0;
    }

    for (text += n; *text; text += n) {

        if (sscanf(text, " %d-%d%n", &from, &to, &n) == 2) {
            (void) ngx_webrtc_write_u16(end, end + 2, (uint16_t) (from - cum));
            (void) ngx_webrtc_write_u16(end + 2, end + 4,
                                        (uint16_t) (to - cum));
            end += 4;
            ngaps++;

        } else if (sscanf(text, " d%d%n", &from, &n) == 1) {
            (void) ngx_webrtc_write_u32(end, end + 4, base + (uint32_t) from);
            end += 4;
            dups++;

        } else {
            return 0;
        }
    }

    memset(q, 0, 16);
    q[0] = 3;
    (void) ngx_webrtc_write_u16(q + 2, q + 4, (uint16_t) (end - q));
    (void) ngx_webrtc_write_u32(q + 4, q + 8, base + (uint32_t) cum);
    (void) ngx_webrtc_write_u32(q + 8, q + 12, 1000000);
    (void) ngx_webrtc_write_u16(q + 12, q + 14, ngaps);
    (void) ngx_webrtc_write_u16(q + 14, q + 16, (uint16_t) dups);

    crc = ngx_webrtc_sctp_checksum(p, (size_t) (end - p));
    memcpy(p + 8, &crc, 4);

    return ngx_webrtc_sctp_repair_input(&r, p, (size_t) (end - p), seen, now);
}


/* steps: "o0-9" goes out, "t50" ms pass, "s3 5-9" a SACK; again: TSNs */

typedef struct {
    const char  *name;
    const char  *steps[12];
    const char  *again;
} row_t;


static const row_t  rows[] = {
    { "nothing lost", { "o0-9", "t50", "s4", "s9" }, "" },
    { "two later ones are not enough",
      { "o0-9", "t50", "s2", "s2 4-5" }, "" },
    { "three are", { "o0-9", "t50", "s2", "s2 4-6" }, "3" },
    { "or an eighth of a round trip",
      { "o0-9", "t50", "s2", "s2 4-4", "t30", "tick" }, "3" },
    { "two holes", { "o0-9", "t50", "s1 3-3 5-9" }, "2 4" },
    { "once only", { "o0-9", "t50", "s2 4-6", "s2 4-7", "s2 4-9" }, "3" },
    { "a repeat is lost, too",
      { "o0-9", "t50", "s2 4-9", "o10-19", "t50", "s2 4-19" }, "3 3" },
    { "the last one: a probe",
      { "o0-9", "t50", "s8", "t100", "tick", "t300", "tick" }, "9" },
    { "all: the last one, the first one",
      { "o0-3", "t400", "tick", "t200", "tick", "t1000", "tick" }, "3 0" },
    { "an older SACK that was overtaken tells nothing",
      { "o0-9", "t50", "s5", "s2 4-9" }, "" },
    { "of what was never sent", { "o0-9", "t50", "s12 14-20" }, "" },
    { "blocks of what was never sent", { "o0-9", "t50", "s2 4-30" }, "" },
    { "blocks in no order", { "o0-9", "t50", "s1 7-8 3-5" }, "2 3 4 5" },
    { "a block that ends before it begins",
      { "o0-9", "t50", "s1 8-4" }, "" },
    { "a block of the cumulative TSN itself",
      { "o0-9", "t50", "s4 4-4" }, "" },
    { "a gap is closed", { "o0-9", "t50", "s2 4-9", "s9" }, "3" }
};


static void
run(const row_t *row, uint32_t first)
{
    int         from, to;
    u_char      seen[4096];
    ngx_uint_t  i;

    begin(first);

    for (i = 0; i < 12 && row->steps[i]; i++) {

        if (sscanf(row->steps[i], "o%d-%d", &from, &to) == 2) {
            out(from, to);

        } else if (sscanf(row->steps[i], "t%d", &from) == 1) {
            now += (uint64_t) from;

        } else if (row->steps[i][0] == 's') {
            (void) sack(row->steps[i] + 1, seen);

        } else {
            ngx_webrtc_sctp_repair_timeout(&r, now);
        }
    }

    tap_is_str(again, row->again, "%s, from %u", row->name, (unsigned) first);
    tap_is_int(wrong, 0, "%s: as it was sent", row->name);
}


static uint32_t
word(const u_char *p)
{
    uint32_t  v;

    (void) ngx_webrtc_read_u32((u_char *) p, (u_char *) p + 4, &v);

    return v;
}


/* what usrsctp sees */

static void
test_seen(void)
{
    size_t  n;
    u_char  seen[4096];

    begin(7);
    out(0, 9);
    now += 50;

    n = sack("2 4-6 8-9 d1", seen);

    tap_is_int(n, 28, "SACK: a header and a chunk without blocks");
    tap_ok(n && intact(seen, n), "SACK: its checksum");
    tap_is_int(word(seen + 12), 0x03000010, "SACK: type and length");
    tap_is_int(word(seen + 16), 9, "SACK: the cumulative TSN is the peer's");
    tap_is_int(word(seen + 24), 0, "SACK: no blocks, no duplicates");
    tap_is_int(word(seen + 20), r.span + r.rate.cwnd - r.under_way - r.missing,
               "SACK: the window is what is under way and what may be");

    n = sack("9", seen);
    tap_ok(r.copies == 0 && r.held == 0 && r.span == 0 && r.gapped == 0
           && r.under_way == 0 && r.missing == 0, "no copy is left");
    tap_is_int(word(seen + 20), r.rate.cwnd, "the window is the control's");

    tap_is_int(sack("12", seen), 0, "of what was never sent: as it is");

    /* a SACK whose counts are more than there is */

    header(seen);
    memcpy(seen + 12, "\x03\0\0\x10\0\0\0\x10\0\0\xff\xff\0\x01\0\0", 16);
    tap_is_int(ngx_webrtc_sctp_repair_input(&r, seen, 28, seen + 2048, now), 0,
               "SACK without the block it counts: as it is");
    seen[15] = 3;
    tap_is_int(ngx_webrtc_sctp_repair_input(&r, seen, 28, seen + 2048, now), 0,
               "a chunk shorter than its header: as it is");
    seen[15] = 32;
    tap_is_int(ngx_webrtc_sctp_repair_input(&r, seen, 28, seen + 2048, now), 0,
               "a chunk longer than the packet: as it is");

    /* INIT: the window is the first one of the control */

    begin(0);
    header(seen);
    memcpy(seen + 12, "\x01\0\0\x14\1\2\3\4\0\x10\0\0\0\1\0\1\0\0\0\1", 20);
    n = ngx_webrtc_sctp_repair_input(&r, seen, 32, seen + 2048, now);
    tap_is_int(n, 32, "INIT: rewritten");
    tap_is_int(word(seen + 2048 + 20), 10 * NGX_WEBRTC_SCTP_PACKET,
               "INIT: ten packets at first");
    tap_ok(intact(seen + 2048, n), "INIT: its checksum");

    memcpy(seen + 20, "\0\0\x08\0", 4);
    (void) ngx_webrtc_sctp_repair_input(&r, seen, 32, seen + 2048, now);
    tap_is_int(word(seen + 2048 + 20), 2048, "INIT: no more than the peer's");
}


static void
test_rest(void)
{
    u_char    p[NGX_WEBRTC_SCTP_PACKET], seen[4096], *end;
    size_t    n;
    uint32_t  reorder;

    /* RFC 3758: left to usrsctp */

    begin(0);
    ngx_webrtc_sctp_repair_off(&r);
    out(0, 9);
    now += 50;
    n = sack("2 4-9 d1", seen);
    tap_is_str(again, "", "off: nothing is repeated");
    tap_is_int(n, 12 + 16 + 8, "off: usrsctp sees the blocks");
    tap_ok(intact(seen, n), "off: its checksum");

    /* several messages in a packet, and something else in front of them */

    begin(0xfffffffe);
    end = header(p);
    memcpy(end, "\x03\0\0\x10\0\0\0\1\0\1\0\0\0\0\0\0", 16);
    end = data(end + 16, 0, base, 5);
    end = data(end, 0, base + 1, 9);
    ngx_webrtc_sctp_repair_output(&r, p, (size_t) (end - p), now);
    tap_is_int(r.copies, 1, "two messages in a packet: one copy");
    tap_is_int(r.span, 16 + 5 + 16 + 9, "of what usrsctp counts");
    out(2, 9);
    now += 50;
    (void) sack("0 2-9", seen);
    tap_is_str(again, "0", "half of a packet is none of it");
    (void) sack("9", seen);
    tap_is_int(r.copies, 0, "and all is all");

    /* RFC 8260 */

    begin(0);
    end = data(header(p), 64, base, 100);
    ngx_webrtc_sctp_repair_output(&r, p, (size_t) (end - p), now);
    out(1, 4);
    now += 50;
    (void) sack("-1 1-4", seen);
    tap_is_str(again, "0", "I-DATA is repeated as DATA is");
    tap_is_int(wrong, 0, "I-DATA: as it was sent");

    /* usrsctp repeats by itself: no second copy */

    begin(0);
    out(0, 4);
    out(2, 2);
    tap_ok(r.copies == 5 && r.under_way == 5 * 116,
           "what usrsctp repeats is under way once");

    /* duplicates: packets overtake each other */

    begin(0);
    out(0, 9);
    now += 50;
    reorder = r.reorder;
    (void) sack("0 2-9", seen);
    (void) sack("9 d1", seen);
    tap_ok(r.reorder > reorder && r.late_ms > 0,
           "a repeat in vain: the next one waits for longer");

    /* SHUTDOWN acknowledges */

    begin(0);
    out(0, 4);
    header(p);
    memcpy(p + 12, "\x07\0\0\x08\0\0\0\4", 8);
    (void) ngx_webrtc_sctp_repair_input(&r, p, 20, seen, now);
    tap_is_int(r.copies, 0, "SHUTDOWN acknowledges");

    /* copies are limited */

    begin(0);
    out(0, NGX_WEBRTC_SCTP_COPIES + 100);
    tap_is_int(r.copies, NGX_WEBRTC_SCTP_COPIES, "copies are limited");
    (void) sack("5000", seen);
    tap_is_int(r.copies, NGX_WEBRTC_SCTP_COPIES - 5001, "and go");

    ngx_webrtc_sctp_repair_cleanup(&r);
    ngx_webrtc_sctp_repair_cleanup(&r);
    tap_is_int(r.copies, 0, "cleanup, twice");
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run(&rows[i], 0);
        run(&rows[i], 0xfffffffc);
    }

    test_seen();
    test_rest();

    return tap_done();
}
