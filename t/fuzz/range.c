
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: frames of the range protocol, each printed again, and the server
 * that takes them.  The input is the size of the file in a byte (times 1000),
 * then operations (the file may grow): a byte with what to do, a byte with a
 * length or so, and what it needs.  What is sent is held against the rules: one
 * RangeEnd for each request, in-order data, the last chunk marked.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_ranges.h>
#include <peer.h>


#define READS  8


static ngx_webrtc_ranges_t        r;
static ngx_webrtc_ranges_slots_t  slots;
static ngx_int_t                  rc;
static uint64_t                   requests, ends, bytes;


static void
check(int ok)
{
    if (!ok) {
        abort();
    }
}


static ngx_int_t
on_send(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_range_frame_t  f;

    (void) ctx;

    if (rc != NGX_OK) {
        return rc;
    }

    check(ngx_webrtc_range_parse(p, p + n, &f) == NGX_OK);

    if (f.type == NGX_WEBRTC_RANGE_END) {
        check(f.u.status <= NGX_WEBRTC_RANGE_DUPLICATE);
        ends++;

    } else if (f.type == NGX_WEBRTC_RANGE_DATA) {
        check(f.len > 0 && f.len <= 100);
        bytes += f.len;

    } else {
        check(f.type == NGX_WEBRTC_RANGE_PONG
              || f.type == NGX_WEBRTC_RANGE_HELLO);
    }

    return NGX_OK;
}


static void
one_frame(u_char *p, size_t n)
{
    u_char                    *out, *last;
    ngx_webrtc_range_frame_t   f;

    if (ngx_webrtc_range_parse(p, p + n, &f) != NGX_OK) {
        return;
    }

    check(f.len == n - 12 && f.payload == p + 12);

    out = malloc(n);

    switch (f.type) {

    case NGX_WEBRTC_RANGE_HELLO:
        last = ngx_webrtc_range_write_hello(out, out + n, f.flags,
                                            f.u.hello.size, &f.u.hello.name);
        break;

    case NGX_WEBRTC_RANGE_REQ:
        last = ngx_webrtc_range_write_req(out, out + n, f.id, f.u.req.offset,
                                          f.u.req.length);
        break;

    case NGX_WEBRTC_RANGE_END:
        last = ngx_webrtc_range_write_end(out, out + n, f.id, f.u.status);
        break;

    case NGX_WEBRTC_RANGE_SEEK_HINT:
        last = ngx_webrtc_range_write_seek_hint(out, out + n, f.u.seek_ms);
        break;

    default:
        last = ngx_webrtc_range_write_header(out, out + n, f.type, f.flags,
                                             f.id, f.len);
        last = ngx_cpymem(last, f.payload, f.len);
    }

    check(last == out + n);
    check(memcmp(out + 12, p + 12, f.len) == 0);

    free(out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                     n;
    u_char                    *copy, frame[NGX_WEBRTC_RANGE_HEADER + 100];
    uint8_t                    op;
    uint64_t                   now;
    ngx_uint_t                 nreads, i;
    const uint8_t             *end;
    ngx_webrtc_ranges_opts_t   opts;
    ngx_webrtc_ranges_read_t   reads[READS], read;

    if (size < 2) {
        return 0;
    }

    end = data + size;
    now = 1000;
    nreads = 0;
    rc = NGX_OK;
    requests = 0;
    ends = 0;
    bytes = 0;
    slots.max = 3;
    slots.active = 0;
    slots.starved = 0;
    slots.items = 0;

    memset(&opts, 0, sizeof(opts));
    memset(frame, 0, sizeof(frame));

    opts.size = (uint64_t) *data++ * 1000;
    opts.chunk = 100;
    opts.high = 1000;
    opts.low = 100;
    opts.wait_ms = 5000;
    opts.slots = &slots;
    opts.send = on_send;

    check(ngx_webrtc_ranges_init(&r, &opts) == NGX_OK);

    while (end - data >= 2) {
        op = data[0];
        n = data[1];
        data += 2;

        switch (op & 7) {

        case 0:
        case 1:
            n = ngx_min(n, (size_t) (end - data));
            copy = malloc(n + (n == 0));
            memcpy(copy, data, n);
            data += n;

            one_frame(copy, n);

            if (n == 28 && copy[0] == NGX_WEBRTC_RANGE_REQ
                && copy[8] == 0 && copy[9] == 0 && copy[10] == 0
                && copy[11] == 16 && !r.closed)
            {
                requests++;
            }

            (void) ngx_webrtc_ranges_input(&r, copy, n, now);
            free(copy);
            break;

        case 2:
        case 3:

            if (nreads < READS
                && ngx_webrtc_ranges_next(&r, n * 8, n * 2, now,
                                          &reads[nreads])
                   == NGX_OK)
            {
                read = reads[nreads++];
                check(read.length >= 1 && read.length <= 100
                      && read.offset < r.opts.size
                      && read.length <= r.opts.size - read.offset);
            }

            break;

        case 4:
        case 5:

            if (nreads) {
                i = n % nreads;
                read = reads[i];

                if (op & 8) {
                    ngx_webrtc_ranges_error(&r, &read, now);

                } else if (ngx_webrtc_ranges_data(&r, &read, frame,
                                                  (op & 16) ? n : 100, now)
                           == NGX_AGAIN)
                {
                    break;
                }

                reads[i] = reads[--nreads];
            }

            break;

        case 6:
            now += (uint64_t) n * 100;
            ngx_webrtc_ranges_timeout(&r, now);
            check(r.nwaiting == 0
                  || ngx_webrtc_ranges_deadline(&r) > now);
            break;

        default:

            if (op & 8) {
                ngx_webrtc_ranges_resize(&r, r.opts.size + n * 10, op & 16,
                                         now);
                check((op & 16) || r.nstarved == 0);

            } else if (n == 255) {
                ngx_webrtc_ranges_fail(&r, now);

            } else if (n == 254) {
                rc = NGX_DECLINED;

            } else {
                rc = (n & 1) ? NGX_AGAIN : NGX_OK;
                ngx_webrtc_ranges_flush(&r);
            }
        }

        check(slots.active == r.nactive && r.nactive <= slots.max);

        if (!r.closed) {
            check(requests == ends + r.nowed + r.nactive + r.nwaiting
                              + r.nstarved);
            check(slots.starved == r.nstarved);
        }

        check(bytes == r.bytes);
    }

    ngx_webrtc_ranges_cleanup(&r);
    check(slots.active == 0);

    return 0;
}
