
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: bytes straight into an association.  Two ends are connected in
 * virtual time (t/unit/sctp_net.h); then the input's operations: packets made
 * of its bytes, as they are or with ports, tag, checksum and TSN made right so
 * that they get further, packets between the ends dropped, and what a user does
 * meanwhile.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_crc32c.h>

#include "sctp_net.h"


static net_end_t  ends[2];
static u_char     last[2][16];               /* of what was sent: the header,
                                                and the TSN of DATA behind it */
static uint8_t    closing;


static void
on_packet(void *ctx, u_char *p, size_t n)
{
    ngx_uint_t   i;
    net_end_t   *end = ctx;

    i = end - ends;

    memcpy(last[i], p, 12);

    if (n >= 28 && p[12] == 0) {
        memcpy(last[i] + 12, p + 16, 4);
    }

    net_send(end, p, n);
}


static void
on_message(void *ctx, uint16_t stream, uint32_t ppid, u_char *p, size_t n)
{
    net_end_t              *end = ctx;
    ngx_webrtc_sctp_msg_t   msg;

    if (n == 0 || n > NGX_WEBRTC_SCTP_MESSAGE) {
        abort();
    }

    if ((ppid & 1) && n < 1000) {
        memset(&msg, 0, sizeof(msg));
        msg.stream = stream;
        msg.ppid = 2;
        (void) ngx_webrtc_sctp_send(&end->assoc, &msg, p, n, net_ms());
    }

    if (closing) {
        ngx_webrtc_sctp_abort(&end->assoc);
    }
}


static void
on_reset(void *ctx, ngx_uint_t what, uint16_t stream)
{
    net_end_t  *end = ctx;

    if (what == NGX_WEBRTC_SCTP_RESET_IN && stream != NGX_WEBRTC_SCTP_ALL) {
        (void) ngx_webrtc_sctp_reset(&end->assoc, stream, net_ms());
    }
}


static void
inject(ngx_uint_t i, const uint8_t *data, size_t n, ngx_uint_t right)
{
    size_t     len;
    u_char    *p;
    uint32_t   crc, tsn;

    len = right ? n + 12 : n;
    p = malloc(len + (len == 0));
    memcpy(right ? p + 12 : p, data, n);

    if (right) {

        /* as the other end would begin it */

        memcpy(p, last[1 - i], 12);

        if (n >= 16 && p[12] == 0) {

            /* DATA: the next one, or a little further */

            (void) ngx_webrtc_read_u32(last[1 - i] + 12, last[1 - i] + 16,
                                       &tsn);
            tsn += 1 + (p[16] & 7);
            (void) ngx_webrtc_write_u32(p + 16, p + 20, tsn);
        }

        memset(p + 8, 0, 4);
        crc = ngx_webrtc_sctp_crc32c_available()
              ? ngx_webrtc_sctp_crc32c(0, p, len) : 0;
        memcpy(p + 8, &crc, 4);
    }

    (void) ngx_webrtc_sctp_input(&ends[i].assoc, p, len, net_ms());

    free(p);
}


static void
step(uint8_t op, const uint8_t **data, const uint8_t *end)
{
    size_t                  n;
    u_char                  buf[2000];
    ngx_uint_t              i;
    ngx_webrtc_sctp_msg_t   msg;

    i = (op >> 3) & 1;
    n = ngx_min((size_t) (op >> 4) * 8, (size_t) (end - *data));

    switch (op & 7) {

    case 0:
        inject(i, *data, n, 0);
        *data += n;
        break;

    case 1:
    case 2:
    case 3:
        inject(i, *data, n, 1);
        *data += n;
        break;

    case 4:
        net_run(&ends[0], &ends[1], 20);
        break;

    case 5:
        net.loss = (op >> 4) * 50;
        net_run(&ends[0], &ends[1], 1500);
        net.loss = 0;
        break;

    case 6:
        memset(buf, 0x55, sizeof(buf));
        memset(&msg, 0, sizeof(msg));
        msg.stream = op >> 6;
        msg.unordered = (op >> 5) & 1;
        msg.policy = (op >> 4) & 1;
        msg.ppid = 1;
        (void) ngx_webrtc_sctp_send(&ends[i].assoc, &msg, buf,
                                    1 + (op >> 4) * 120, net_ms());
        break;

    default:

        switch (op >> 4) {

        case 0:
            ngx_webrtc_sctp_close(&ends[i].assoc, net_ms());
            break;

        case 1:
            ngx_webrtc_sctp_abort(&ends[i].assoc);
            break;

        case 2:
            ngx_webrtc_sctp_cleanup(&ends[i].assoc);
            break;

        case 3:
            closing = 1;
            break;

        default:
            (void) ngx_webrtc_sctp_reset(&ends[i].assoc, op >> 6, net_ms());
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t               i, steps;
    const uint8_t           *end;
    ngx_webrtc_sctp_msg_t    msg;
    ngx_webrtc_sctp_stat_t   stat;
    ngx_webrtc_sctp_opts_t   opts;

    if (net.sctp == NULL) {
        net.sctp = ngx_webrtc_sctp_create(2, NGX_WEBRTC_SCTP_CRC_AUTO,
                                          net_ms());
        if (net.sctp == NULL) {
            abort();
        }
    }

    end = data + size;
    closing = 0;
    net.delay_us = 1000;
    net.seed = 1;

    net_pair(&ends[0], &ends[1]);

    for (i = 0; i < 2; i++) {
        memset(&opts, 0, sizeof(opts));
        opts.low = 1000;
        opts.send = on_packet;
        opts.message = on_message;
        opts.reset = on_reset;
        opts.ctx = &ends[i];

        if (ngx_webrtc_sctp_init(&ends[i].assoc, net.sctp, &opts) != NGX_OK) {
            abort();
        }

        (void) ngx_webrtc_sctp_start(&ends[i].assoc, net_ms());
    }

    if (size && data[0] != 0xff) {

        /* 0xff: in the middle of the handshake */

        net_run(&ends[0], &ends[1], 50);

        memset(&msg, 0, sizeof(msg));

        for (i = 0; i < 2; i++) {
            (void) ngx_webrtc_sctp_send(&ends[i].assoc, &msg, (u_char *) "x",
                                        1, net_ms());
        }

        net_run(&ends[0], &ends[1], 50);
    }

    for (steps = 0; data < end && steps < 32; steps++) {
        step(*data++, &data, end);
    }

    for (i = 0; i < 2; i++) {
        ngx_webrtc_sctp_cleanup(&ends[i].assoc);
        net_flush(&ends[i]);
    }

    ngx_webrtc_sctp_stat(net.sctp, &stat);

    if (stat.associations != 0) {
        abort();
    }

    return 0;
}
