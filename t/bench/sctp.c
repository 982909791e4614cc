
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What SCTP costs: both ends in this process, messages of 16 KiB, no DTLS, with
 * checksums by usrsctp and by the processor's instruction.  Also the checksum
 * alone, the memory of an association, and a tick with many of them.
 *
 *     sctp [megabytes] [associations]
 *
 * Built with -I t/unit.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_crc32c.h>

#include "sctp_net.h"


#define MESSAGE  16384


static net_end_t  a, b;
static uint64_t   received, wanted;


static double
cpu_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}


static size_t
heap(void)
{
    struct mallinfo2  info;

    info = mallinfo2();

    return info.uordblks + info.hblkhd;
}


static void
fill(void *ctx)
{
    net_end_t              *end = ctx;
    ngx_webrtc_sctp_msg_t   msg;

    static u_char  buf[MESSAGE];

    memset(&msg, 0, sizeof(msg));
    msg.ppid = 53;

    while (end->assoc.buffered < 8388608
           && ngx_webrtc_sctp_send(&end->assoc, &msg, buf, MESSAGE, net_ms())
              == NGX_OK)
    { /* void */ }
}


static void
on_message(void *ctx, uint16_t stream, uint32_t ppid, u_char *p, size_t n)
{
    (void) ctx;
    (void) stream;
    (void) ppid;
    (void) p;

    received += n;
}


static void
init(net_end_t *end)
{
    ngx_webrtc_sctp_opts_t  opts;

    memset(&opts, 0, sizeof(opts));

    opts.low = 1048576;
    opts.send = net_send;
    opts.message = on_message;
    opts.writable = fill;
    opts.ctx = end;

    if (ngx_webrtc_sctp_init(&end->assoc, net.sctp, &opts) != NGX_OK) {
        printf("init failed\n");
        exit(1);
    }
}


static void
connect_ends(net_end_t *one, net_end_t *two)
{
    net_pair(one, two);
    init(one);
    init(two);
    ngx_webrtc_sctp_start(&one->assoc, net_ms());
    ngx_webrtc_sctp_start(&two->assoc, net_ms());
    net_run(one, two, 20);
}


static void
bench_transfer(const char *name, ngx_webrtc_sctp_crc_e crc)
{
    double  us;

    net.sctp = ngx_webrtc_sctp_create(2, crc, net_ms());
    net.delay_us = 500;

    connect_ends(&a, &b);

    received = 0;
    a.sent = 0;
    b.sent = 0;
    us = cpu_us();

    fill(&a);

    while (received < wanted && net_step(&a, &b, net.now_us + 1000000)) {
        /* void */
    }

    us = cpu_us() - us;

    printf("%-24s %7.1f MB/s, both ends; %.2f us per packet of data, %.2f "
           "SACKs each\n", name, received / us, us / a.sent,
           (double) b.sent / a.sent);

    ngx_webrtc_sctp_cleanup(&a.assoc);
    ngx_webrtc_sctp_cleanup(&b.assoc);
    net_flush(&a);
    net_flush(&b);

    ngx_webrtc_sctp_destroy(net.sctp);
}


static void
bench_crc(void)
{
    double     us;
    u_char     p[NGX_WEBRTC_SCTP_PACKET];
    uint32_t   crc;
    ngx_int_t  i;

    if (!ngx_webrtc_sctp_crc32c_available()) {
        printf("no instruction for CRC32c\n");
        return;
    }

    memset(p, 1, sizeof(p));
    crc = 0;
    us = cpu_us();

    for (i = 0; i < 1000000; i++) {
        crc = ngx_webrtc_sctp_crc32c(crc, p, sizeof(p));
    }

    us = cpu_us() - us;

    printf("crc32c of %u bytes      %.3f us (%08x)\n", (unsigned) sizeof(p),
           us / 1000000, crc);
}


static void
bench_many(ngx_uint_t n)
{
    double      us;
    size_t      before, new, up;
    net_end_t  *ends;
    ngx_uint_t  i;

    net.sctp = ngx_webrtc_sctp_create(n, NGX_WEBRTC_SCTP_CRC_AUTO, net_ms());

    ends = calloc(n, sizeof(net_end_t));
    before = heap();
    us = cpu_us();

    for (i = 0; i + 1 < n; i += 2) {
        net_pair(&ends[i], &ends[i + 1]);
        init(&ends[i]);
        init(&ends[i + 1]);
    }

    new = heap();

    for (i = 0; i + 1 < n; i += 2) {
        ngx_webrtc_sctp_start(&ends[i].assoc, net_ms());
        ngx_webrtc_sctp_start(&ends[i + 1].assoc, net_ms());
        net_run(&ends[i], &ends[i + 1], 20);
    }

    us = cpu_us() - us;

    net_run(&ends[0], &ends[1], 2000);
    up = heap();

    printf("%u associations      %.1f us to open one, %u bytes of memory new, "
           "%u open and idle\n", (unsigned) n, us / n,
           (unsigned) ((new - before) / n), (unsigned) ((up - before) / n));

    us = cpu_us();

    for (i = 0; i < 1000; i++) {
        net.now_us += 10000;
        ngx_webrtc_sctp_timeout(net.sctp, net_ms());
    }

    us = cpu_us() - us;

    printf("a tick of theirs         %.2f us\n", us / 1000);

    for (i = 0; i + 1 < n; i += 2) {
        ngx_webrtc_sctp_cleanup(&ends[i].assoc);
        ngx_webrtc_sctp_cleanup(&ends[i + 1].assoc);
        net_flush(&ends[i]);
        net_flush(&ends[i + 1]);
    }

    ngx_webrtc_sctp_destroy(net.sctp);
    free(ends);
}


int
main(int argc, char **argv)
{
    wanted = (uint64_t) (argc > 1 ? atoi(argv[1]) : 500) * 1000000;

    bench_transfer("checksum by usrsctp", NGX_WEBRTC_SCTP_CRC_TABLE);
    bench_transfer("checksum by instruction", NGX_WEBRTC_SCTP_CRC_HARDWARE);
    bench_crc();
    bench_many(argc > 2 ? atoi(argv[2]) : 1000);

    return 0;
}
