
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: bytes of a peer into what repeats lost packets.  A few packets
 * go out; then the input's operations: its bytes as chunks of a packet, SACKs
 * made of them that fit what was sent, more packets out, and time.  Sums must
 * add up after each, and what usrsctp would see must not be longer than what
 * has come.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_crc32c.h>
#include <ngx_webrtc_sctp_repair.h>


static ngx_webrtc_sctp_repair_t  r;
static uint64_t                  now;
static uint32_t                  next;


static void
on_repeat(void *ctx, u_char *p, size_t n)
{
    (void) ctx;

    if (n < 28 || n > NGX_WEBRTC_SCTP_PACKET || (p[12] != 0 && p[12] != 64)) {
        abort();
    }
}


static void
out(ngx_uint_t n, size_t len)
{
    u_char  p[NGX_WEBRTC_SCTP_PACKET];

    memset(p, 0, sizeof(p));

    while (n--) {
        (void) ngx_webrtc_write_u16(p + 14, p + 16, (uint16_t) (16 + len));
        (void) ngx_webrtc_write_u32(p + 16, p + 20, next++);
        ngx_webrtc_sctp_repair_output(&r, p, 28 + ((len + 3) & ~(size_t) 3),
                                      now);
    }
}


static void
in(const uint8_t *data, size_t n, ngx_uint_t fits)
{
    size_t   len, seen;
    u_char  *p, *buf;

    len = 12 + n;
    p = calloc(1, len);
    buf = malloc(len);
    memcpy(p + 12, data, n);

    if (fits && n >= 16) {
        p[12] = 3;
        (void) ngx_webrtc_write_u16(p + 14, p + 16, (uint16_t) n);
        (void) ngx_webrtc_write_u32(p + 16, p + 20,
                                    next - 1 - data[4] % 64);
        (void) ngx_webrtc_write_u16(p + 24, p + 26,
                                    (uint16_t) ((n - 16) / 4));
        (void) ngx_webrtc_write_u16(p + 26, p + 28, 0);
    }

    seen = ngx_webrtc_sctp_repair_input(&r, p, len, buf, now);

    if (seen > len || (seen && seen < 28)) {
        abort();
    }

    free(p);
    free(buf);
}


static void
sums(void)
{
    ngx_uint_t    n;
    ngx_queue_t  *q;

    n = 0;

    for (q = ngx_queue_head(&r.all);
         q != ngx_queue_sentinel(&r.all);
         q = ngx_queue_next(q))
    {
        n++;
    }

    if (n != r.copies
        || r.span != r.gapped + r.under_way + r.missing
        || r.rate.cwnd < 4 * NGX_WEBRTC_SCTP_PACKET
        || r.rate.cwnd > NGX_WEBRTC_SCTP_FLIGHT)
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          n;
    const uint8_t  *end;

    end = data + size;
    now = 1000;

    memset(&r, 0, sizeof(r));
    ngx_webrtc_sctp_repair_init(&r, on_repeat, NULL, now);

    next = size ? data[0] * 0x01010101u : 0;
    out(20, 1000);

    while (end - data >= 2) {
        n = ngx_min((size_t) data[1], (size_t) (end - data - 2));

        switch (data[0] & 7) {

        case 0:
            in(data + 2, n, 0);
            data += n;
            break;

        case 1:
        case 2:
        case 3:
            in(data + 2, n, 1);
            data += n;
            break;

        case 4:
            now += data[1];
            ngx_webrtc_sctp_repair_timeout(&r, now);
            break;

        case 5:
            now += data[1] * 16;
            ngx_webrtc_sctp_repair_timeout(&r, now);
            break;

        case 6:
            out(data[1] & 31, 1 + data[1] * 4);
            break;

        default:
            if (data[1] == 255) {
                ngx_webrtc_sctp_repair_off(&r);
            }
        }

        data += 2;
        sums();
    }

    ngx_webrtc_sctp_repair_cleanup(&r);

    if (r.copies || r.held || r.span) {
        abort();
    }

    return 0;
}
