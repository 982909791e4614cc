
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_ranges: every rule of the range protocol's server.  What it sends
 * is noted as text, a word per frame: D<id>+<bytes>, with an ! behind in the
 * last one, E<id>=<status>, P<id> for Pong, H for Hello.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_ranges.h>

#include "tap.h"
#include <peer.h>


typedef struct {
    ngx_webrtc_ranges_t        r;
    char                       log[4096];
    ngx_int_t                  rc;           /* of send */
    ngx_uint_t                 frames;
    u_char                     last[2048];
    size_t                     n;
} side_t;


static side_t                     s, t;
static ngx_webrtc_ranges_slots_t  slots;
static uint64_t                   now;
static u_char                     frame[NGX_WEBRTC_RANGE_HEADER + 65536];


static ngx_int_t
on_send(void *ctx, u_char *p, size_t n)
{
    side_t                    *side = ctx;
    size_t                     len;
    ngx_webrtc_range_frame_t   f;

    if (side->rc != NGX_OK) {
        return side->rc;
    }

    side->frames++;
    side->n = n;
    memcpy(side->last, p, ngx_min(n, sizeof(side->last)));

    if (ngx_webrtc_range_parse(p, p + n, &f) != NGX_OK) {
        tap_fail("sent something malformed");
        return NGX_OK;
    }

    len = strlen(side->log);

    if (len > sizeof(side->log) - 64) {
        return NGX_OK;
    }

    switch (f.type) {

    case NGX_WEBRTC_RANGE_HELLO:
        sprintf(side->log + len, "H ");
        break;

    case NGX_WEBRTC_RANGE_DATA:
        sprintf(side->log + len, "D%u+%u%s ", f.id, (unsigned) f.len,
                (f.flags & NGX_WEBRTC_RANGE_LAST) ? "!" : "");
        break;

    case NGX_WEBRTC_RANGE_END:
        sprintf(side->log + len, "E%u=%u ", f.id, f.u.status);
        break;

    case NGX_WEBRTC_RANGE_PONG:
        sprintf(side->log + len, "P%u ", f.id);
        break;

    default:
        tap_fail("sent what a client sends");
    }

    return NGX_OK;
}


static void
init(side_t *side, uint64_t size)
{
    ngx_webrtc_ranges_opts_t  opts;

    memset(side, 0, sizeof(side_t));
    memset(&opts, 0, sizeof(opts));

    opts.size = size;
    ngx_str_set(&opts.name, "movie.mp4");
    opts.flags = NGX_WEBRTC_RANGE_SEEKABLE;
    opts.chunk = NGX_WEBRTC_RANGES_CHUNK;
    opts.high = NGX_WEBRTC_RANGES_HIGH;
    opts.low = NGX_WEBRTC_RANGES_LOW;
    opts.wait_ms = NGX_WEBRTC_RANGES_WAIT;
    opts.slots = &slots;
    opts.send = on_send;
    opts.ctx = side;

    if (side == &s) {
        slots.max = NGX_WEBRTC_RANGES_ACTIVE;
        slots.active = 0;
        slots.starved = 0;
        slots.items = 0;
    }

    if (ngx_webrtc_ranges_init(&side->r, &opts) != NGX_OK) {
        tap_fail("init");
    }
}


static void
done(side_t *side)
{
    ngx_webrtc_ranges_cleanup(&side->r);
    ngx_webrtc_ranges_cleanup(&side->r);
}


static ngx_int_t
request(side_t *side, uint32_t id, uint64_t offset, uint64_t length)
{
    u_char  p[64], *last;

    last = ngx_webrtc_range_write_req(p, p + sizeof(p), id, offset, length);

    return ngx_webrtc_ranges_input(&side->r, p, last - p, now);
}


static ngx_int_t
simple(side_t *side, ngx_uint_t type, uint32_t id)
{
    u_char  p[12];

    ngx_webrtc_range_write_header(p, p + 12, type, 0, id, 0);

    return ngx_webrtc_ranges_input(&side->r, p, 12, now);
}


/* reads and sends all there is, up to `max` chunks */

static ngx_uint_t
serve(side_t *side, ngx_uint_t max)
{
    ngx_uint_t                i;
    ngx_webrtc_ranges_read_t  read;

    for (i = 0; i < max; i++) {
        if (ngx_webrtc_ranges_next(&side->r, 0, 0, now, &read) != NGX_OK) {
            break;
        }

        if (ngx_webrtc_ranges_data(&side->r, &read, frame, read.length, now)
            != NGX_OK)
        {
            break;
        }
    }

    return i;
}


static void
is_log(side_t *side, const char *want, const char *name)
{
    tap_is_str(side->log, want, "%s", name);
    side->log[0] = '\0';
}


static void
test_requests(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        uint64_t     size;
        uint64_t     offset;
        uint64_t     length;
        const char  *log;
    } rows[] = {
        { "16385 bytes", 100000, 0, 16385, "D1+16384 D1+1! E1=0 " },
        { "16384 bytes", 100000, 0, 16384, "D1+16384! E1=0 " },
        { "one byte", 100000, 99999, 1, "D1+1! E1=0 " },
        { "to the end", 40000, 0, 0, "D1+16384 D1+16384 D1+7232! E1=0 " },
        { "to the end from", 40000, 39990, 0, "D1+10! E1=0 " },
        { "clamped", 40000, 30000, 20000, "D1+10000! E1=0 " },
        { "length 2^63-1", 100, 50, 0x7fffffffffffffffull, "D1+50! E1=0 " },
        { "length 2^63", 100, 50, 0x8000000000000000ull, "D1+50! E1=0 " },
        { "length 2^64-1", 100, 50, 0xffffffffffffffffull, "D1+50! E1=0 " },
        { "at the end", 100, 100, 1, "E1=2 " },
        { "past the end", 100, 101, 0, "E1=2 " },
        { "offset 2^63", 100, 0x8000000000000000ull, 1, "E1=2 " },
        { "offset 2^64-1", 100, 0xffffffffffffffffull, 1, "E1=2 " },
        { "offset 2^63 of more", 0xffffffffffffffffull,
          0x8000000000000000ull, 1, "E1=2 " },
        { "offset 2^63-1 of more", 0x8000000000000000ull,
          0x7fffffffffffffffull, 0, "D1+1! E1=0 " },
        { "an empty file", 0, 0, 0, "E1=2 " }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        init(&s, rows[i].size);

        tap_is_int(request(&s, 1, rows[i].offset, rows[i].length), NGX_OK,
                   "request: %s", rows[i].name);
        serve(&s, 100);
        is_log(&s, rows[i].log, rows[i].name);
        tap_ok(s.r.nactive == 0 && slots.active == 0, "over: %s",
               rows[i].name);

        done(&s);
    }
}


static void
test_frames(void)
{
    ngx_uint_t  i;

    static const u_char  hello[] =
        "\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x15\x00\x00\x00\x00\x07"
        "\xa0\x00\x00\x00\x00\x00\x09" "movie.mp4";

    init(&s, 127926272);

    tap_is_int(ngx_webrtc_ranges_hello(&s.r), NGX_OK, "Hello");
    tap_is_mem(s.last, s.n, hello, sizeof(hello) - 1, "Hello: the vector");

    s.rc = NGX_AGAIN;
    tap_is_int(ngx_webrtc_ranges_hello(&s.r), NGX_AGAIN, "Hello: no room");
    s.rc = NGX_OK;

    s.log[0] = '\0';
    simple(&s, NGX_WEBRTC_RANGE_PING, 0xdeadbeef);
    tap_is_mem(s.last, s.n, "\x06\0\0\0\xde\xad\xbe\xef\0\0\0\0", 12,
               "Pong: the vector");

    tap_is_int(simple(&s, NGX_WEBRTC_RANGE_PONG, 1), NGX_OK, "a Pong");
    is_log(&s, "P3735928559 ", "is not answered");

    tap_is_int(ngx_webrtc_ranges_input(&s.r,
                       (u_char *) "\x07\0\0\0\0\0\0\0\0\0\0\x08"
                                  "\0\0\0\0\0\x01\xe2\x40", 20, now),
               NGX_OK, "SeekHint");
    tap_is_int(s.r.seek_ms, 123456, "SeekHint: noted");
    tap_is_int(s.r.malformed, 0, "nothing was malformed so far");

    tap_is_int(ngx_webrtc_ranges_input(&s.r, (u_char *) "\x01\0\0", 3, now),
               NGX_DECLINED, "malformed");
    tap_is_int(ngx_webrtc_ranges_input(&s.r, frame, 0, now), NGX_DECLINED,
               "empty");
    ngx_webrtc_ranges_malformed(&s.r);
    tap_is_int(s.r.malformed, 3, "malformed: counted");

    for (i = 0; i < 3; i++) {
        static const u_char *const  own[] = {
            hello,
            (u_char *) "\x02\x01\0\0\0\0\0\x63\0\0\0\x05\xde\xad\xbe\xef\x42",
            (u_char *) "\x03\0\0\0\0\0\0\x01\0\0\0\x04\0\0\0\0"
        };
        static const size_t  lens[] = { 33, 17, 16 };

        memcpy(frame, own[i], lens[i]);
        tap_is_int(ngx_webrtc_ranges_input(&s.r, frame, lens[i], now),
                   NGX_DECLINED, "a frame of the server's, %u", (unsigned) i);
    }

    tap_is_int(s.r.unexpected, 3, "frames of the server's: counted");

    tap_is_int(simple(&s, NGX_WEBRTC_RANGE_CANCEL, 9), NGX_OK,
               "Cancel of what is not there");
    is_log(&s, "", "is not answered");

    s.rc = NGX_AGAIN;
    simple(&s, NGX_WEBRTC_RANGE_PING, 1);
    tap_is_int(s.r.dropped, 1, "Pong: no room, dropped");

    done(&s);

    /* a long name, cut between characters: 400 times U+00E9 */

    init(&s, 1);
    s.r.opts.chunk = 513;

    for (i = 0; i < 800; i += 2) {
        frame[i] = 0xc3;
        frame[i + 1] = 0xa9;
    }

    s.r.opts.name.data = frame;
    s.r.opts.name.len = 800;
    ngx_webrtc_ranges_hello(&s.r);
    tap_is_int(s.n, 12 + 12 + 500, "Hello: the name is cut");
    done(&s);
}


static void
test_slots(void)
{
    ngx_uint_t                i;
    ngx_webrtc_ranges_read_t  read;

    init(&s, 1000000);

    /* four are served in turn, chunk by chunk */

    for (i = 1; i <= 4; i++) {
        request(&s, i, 0, 16384 * i);
    }

    serve(&s, 100);
    is_log(&s, "D1+16384! E1=0 D2+16384 D3+16384 D4+16384 D2+16384! E2=0 "
           "D3+16384 D4+16384 D3+16384! E3=0 D4+16384 D4+16384! E4=0 ",
           "fair turns");
    tap_ok(s.r.served == 4 && s.r.bytes == 163840, "counted");

    /* the fifth waits, and is next when one has ended */

    for (i = 1; i <= 6; i++) {
        request(&s, i, 0, 32768);
    }

    tap_ok(s.r.nactive == 4 && s.r.nwaiting == 2, "two wait");
    serve(&s, 6);
    is_log(&s, "D1+16384 D2+16384 D3+16384 D4+16384 D1+16384! E1=0 "
           "D2+16384! E2=0 ", "the first four");
    tap_ok(s.r.nactive == 4 && s.r.nwaiting == 0, "none waits");
    serve(&s, 100);
    is_log(&s, "D3+16384! E3=0 D4+16384! E4=0 D5+16384 D6+16384 "
           "D5+16384! E5=0 D6+16384! E6=0 ", "the others");

    /* 5 s */

    for (i = 1; i <= 6; i++) {
        request(&s, i, 0, 16384);
        now += 100;
    }

    tap_is_int(ngx_webrtc_ranges_deadline(&s.r), now - 200 + 5000,
               "deadline of the first that waits");
    ngx_webrtc_ranges_timeout(&s.r, now - 200 + 4999);
    is_log(&s, "", "after 4999 ms");
    ngx_webrtc_ranges_timeout(&s.r, now - 200 + 5000);
    is_log(&s, "E5=1 ", "after 5000 ms");
    ngx_webrtc_ranges_timeout(&s.r, now + 5000);
    is_log(&s, "E6=1 ", "and the next");
    tap_is_int(ngx_webrtc_ranges_deadline(&s.r),
               NGX_WEBRTC_RANGES_NO_DEADLINE, "no deadline");

    /* cancel of active and waiting ones */

    request(&s, 5, 0, 16384);
    request(&s, 6, 0, 16384);
    simple(&s, NGX_WEBRTC_RANGE_CANCEL, 5);
    is_log(&s, "E5=4 ", "cancel a waiting one");
    simple(&s, NGX_WEBRTC_RANGE_CANCEL, 2);
    is_log(&s, "E2=4 ", "cancel an active one");
    tap_ok(s.r.nactive == 4 && s.r.nwaiting == 0, "the next takes its place");
    request(&s, 2, 0, 100);
    serve(&s, 100);
    is_log(&s, "D1+16384! E1=0 D3+16384! E3=0 D4+16384! E4=0 D6+16384! E6=0 "
           "D2+100! E2=0 ", "the id may be used again");

    /* duplicates */

    for (i = 1; i <= 5; i++) {
        request(&s, i, 0, 16384);
    }

    request(&s, 1, 0, 100);
    request(&s, 5, 0, 100);
    request(&s, 5, 5000000, 100);
    is_log(&s, "E1=5 E5=5 E5=5 ", "duplicates of active and waiting ones");
    serve(&s, 100);
    is_log(&s, "D1+16384! E1=0 D2+16384! E2=0 D3+16384! E3=0 D4+16384! E4=0 "
           "D5+16384! E5=0 ", "which go on");

    /* cancelled while being read */

    request(&s, 1, 0, 100);
    tap_is_int(ngx_webrtc_ranges_next(&s.r, 0, 0, now, &read), NGX_OK, "read");
    simple(&s, NGX_WEBRTC_RANGE_CANCEL, 1);
    request(&s, 1, 50, 100);
    tap_is_int(ngx_webrtc_ranges_data(&s.r, &read, frame, 100, now),
               NGX_DECLINED, "data of a cancelled one");
    ngx_webrtc_ranges_error(&s.r, &read, now);
    is_log(&s, "E1=4 ", "nothing is sent of it");
    serve(&s, 100);
    is_log(&s, "D1+100! E1=0 ", "and the new one of that id is served");

    done(&s);

    /* channels of a session share the slots */

    init(&s, 1000000);
    init(&t, 1000000);

    for (i = 1; i <= 4; i++) {
        request(&s, i, 0, 100);
    }

    request(&t, 1, 0, 100);
    tap_is_int(ngx_webrtc_ranges_next(&t.r, 0, 0, now, &read), NGX_DONE,
               "another channel waits");
    serve(&s, 1);
    tap_is_int(serve(&t, 10), 1, "until one has ended");
    is_log(&t, "D1+100! E1=0 ", "on its own channel");
    request(&t, 1, 0, 100);
    tap_is_int(slots.active, 4, "all slots taken");
    ngx_webrtc_ranges_cleanup(&s.r);
    tap_is_int(slots.active, 1, "cleanup gives them back");
    tap_is_int(ngx_webrtc_ranges_data(&s.r, &read, frame, 1, now), NGX_ERROR,
               "data behind cleanup");
    done(&t);
    done(&s);
}


static void
test_pressure(void)
{
    ngx_uint_t                i;
    ngx_webrtc_ranges_read_t  read, other;

    static const struct {
        const char  *name;
        size_t       buffered;
        size_t       unsent;
        ngx_int_t    rc;
    } rows[] = {
        { "empty", 0, 0, NGX_OK },
        { "below the high mark", 8388607, 8388607, NGX_OK },
        { "at the high mark", 8388608, 8388608, NGX_AGAIN },
        { "below it again", 8388607, 8388607, NGX_AGAIN },
        { "above the low mark", 1048577, 1048577, NGX_AGAIN },
        { "at the low mark", 1048576, 1048576, NGX_OK },
        { "above it again", 2000000, 2000000, NGX_OK },
        { "at the high mark again", 8388608, 8000000, NGX_AGAIN },
        { "little unsent, but much in flight", 8388608, 1000, NGX_AGAIN },
        { "little unsent, less in flight", 8300000, 1000, NGX_OK }
    };

    init(&s, 100000000);
    request(&s, 1, 0, 0);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is_int(ngx_webrtc_ranges_next(&s.r, rows[i].buffered,
                                          rows[i].unsent, now, &read),
                   rows[i].rc, "pressure: %s", rows[i].name);

        if (rows[i].rc == NGX_OK) {
            ngx_webrtc_ranges_data(&s.r, &read, frame, read.length, now);
        }
    }

    /* one read at a time of each, whatever comes back first */

    request(&s, 2, 16384, 0);
    tap_ok(ngx_webrtc_ranges_next(&s.r, 0, 0, now, &read) == NGX_OK
           && read.id == 1 && read.length == 16384, "read of 1");
    tap_ok(ngx_webrtc_ranges_next(&s.r, 0, 0, now, &other) == NGX_OK
           && other.id == 2 && other.offset == 16384, "read of 2");
    tap_is_int(ngx_webrtc_ranges_next(&s.r, 0, 0, now, &other), NGX_DONE,
               "all are being read");
    s.log[0] = '\0';
    other.serial = read.serial + 1;
    ngx_webrtc_ranges_data(&s.r, &other, frame, 16384, now);
    ngx_webrtc_ranges_data(&s.r, &read, frame, 16384, now);
    is_log(&s, "D2+16384 D1+16384 ", "in the order in which they come");
    tap_is_int(ngx_webrtc_ranges_data(&s.r, &read, frame, 16384, now),
               NGX_DECLINED, "data twice");

    /* no room although it was not foreseen */

    ngx_webrtc_ranges_next(&s.r, 0, 0, now, &read);
    s.rc = NGX_AGAIN;
    tap_is_int(ngx_webrtc_ranges_data(&s.r, &read, frame, 16384, now),
               NGX_AGAIN, "no room for data");
    s.rc = NGX_OK;
    tap_is_int(ngx_webrtc_ranges_data(&s.r, &read, frame, 16384, now), NGX_OK,
               "no room for data: once more");
    tap_is_int(s.last[11] | s.last[10] << 8, 16384, "the header is there");
    s.log[0] = '\0';

    /* ends are owed, and nothing gets ahead of them */

    s.rc = NGX_AGAIN;
    simple(&s, NGX_WEBRTC_RANGE_CANCEL, 2);
    request(&s, 1, 0, 0);
    request(&s, 2, 0, 100);
    request(&s, 3, 1ull << 62, 100);
    tap_is_int(ngx_webrtc_ranges_next(&s.r, 0, 0, now, &read), NGX_AGAIN,
               "no reading while ends are owed");
    s.rc = NGX_OK;
    ngx_webrtc_ranges_flush(&s.r);
    is_log(&s, "E2=4 E1=5 E3=2 ", "they are sent when there is room");
    simple(&s, NGX_WEBRTC_RANGE_CANCEL, 1);
    serve(&s, 10);
    is_log(&s, "E1=4 D2+100! E2=0 ", "and then the rest");

    /* no room for the end behind the last data */

    request(&s, 7, 0, 100);
    ngx_webrtc_ranges_next(&s.r, 0, 0, now, &read);
    s.rc = NGX_AGAIN;
    ngx_webrtc_ranges_error(&s.r, &read, now);
    s.rc = NGX_OK;
    ngx_webrtc_ranges_timeout(&s.r, now);
    is_log(&s, "E7=3 ", "an end is owed");

    /* the channel has gone */

    request(&s, 8, 0, 100);
    ngx_webrtc_ranges_next(&s.r, 0, 0, now, &read);
    s.rc = NGX_DECLINED;
    tap_is_int(ngx_webrtc_ranges_data(&s.r, &read, frame, 100, now),
               NGX_ERROR, "gone: data");
    tap_is_int(request(&s, 9, 0, 100), NGX_ERROR, "gone: request");
    tap_is_int(ngx_webrtc_ranges_next(&s.r, 0, 0, now, &read), NGX_DONE,
               "gone: nothing to read");

    done(&s);
}


static void
test_errors(void)
{
    ngx_uint_t                i;
    ngx_webrtc_ranges_read_t  read;

    init(&s, 1000000);

    request(&s, 1, 0, 50000);
    ngx_webrtc_ranges_next(&s.r, 0, 0, now, &read);
    ngx_webrtc_ranges_error(&s.r, &read, now);
    is_log(&s, "E1=3 ", "read error");

    request(&s, 1, 0, 50000);
    ngx_webrtc_ranges_next(&s.r, 0, 0, now, &read);
    tap_is_int(ngx_webrtc_ranges_data(&s.r, &read, frame, 16383, now), NGX_OK,
               "the file has shrunk");
    is_log(&s, "E1=3 ", "the file has shrunk: status");

    for (i = 1; i <= 6; i++) {
        request(&s, i, 0, 50000);
    }

    ngx_webrtc_ranges_fail(&s.r, now);
    is_log(&s, "E1=3 E2=3 E3=3 E4=3 E5=3 E6=3 ", "the file has changed");
    tap_ok(s.r.nactive == 0 && s.r.nwaiting == 0 && slots.active == 0,
           "the file has changed: none is left");

    done(&s);
}


static void
test_floods(void)
{
    ngx_uint_t  i, n;

    /* 10,000 ranges at once: all are served */

    init(&s, 1000000);

    for (i = 0; i < 10000; i++) {
        request(&s, (uint32_t) i * 65536, i, 10);
    }

    tap_is_int(s.r.nwaiting, 9996, "10,000 ranges: wait");
    n = serve(&s, 20000);
    tap_ok(n == 10000 && s.r.served == 10000 && s.frames == 20000,
           "10,000 ranges: all served");

    /* and refused in time */

    for (i = 0; i < 10000; i++) {
        request(&s, (uint32_t) i, i, 10);
    }

    s.frames = 0;
    ngx_webrtc_ranges_timeout(&s.r, now + 5000);
    tap_is_int(s.frames, 9996, "10,000 ranges: refused in time");
    done(&s);

    /* more than may wait */

    init(&s, 1000000);

    for (i = 0; i < 20000; i++) {
        request(&s, (uint32_t) i, 0, 10);
    }

    tap_ok(s.r.nwaiting == NGX_WEBRTC_RANGES_WAITING
           && s.frames == 20000 - NGX_WEBRTC_RANGES_WAITING - 4,
           "more than may wait: refused at once");

    s.rc = NGX_AGAIN;

    for (i = 0; i < 100000; i++) {
        request(&s, 1, 0, 10);
    }

    /* what waits counts too: it is one limit for all a session can pile up */

    tap_ok(s.r.nowed == NGX_WEBRTC_RANGES_OWED - NGX_WEBRTC_RANGES_WAITING
           && s.r.dropped == 100000 - s.r.nowed,
           "more than can be owed: lost");

    ngx_webrtc_ranges_fail(&s.r, now);
    tap_ok(s.r.nwaiting == 0 && s.r.nactive == 0, "all fail");
    done(&s);

    init(&s, 1);
    s.r.opts.chunk = 0;
    tap_is_int(ngx_webrtc_ranges_init(&t.r, &s.r.opts), NGX_ERROR,
               "init: no chunk");
    s.r.opts.chunk = 65537;
    tap_is_int(ngx_webrtc_ranges_init(&t.r, &s.r.opts), NGX_ERROR,
               "init: chunk too large");
    done(&s);
}


/* a file that grows: what a row does is told by letters */

static void
test_growing(void)
{
    ngx_uint_t  i;
    const char *p;

    static const struct {
        const char  *name;
        uint64_t     offset;
        uint64_t     length;
        const char  *does;       /* serve, grow by 50, quiet, cancel, fail */
        const char  *log;
    } rows[] = {
        { "bytes that are there", 0, 100, "s", "D1+100! E1=0 " },
        { "bytes to come", 90, 20, "sgs", "D1+10 D1+10! E1=0 " },
        { "all of them to come", 120, 10, "sgs", "D1+10! E1=0 " },
        { "in several steps", 140, 70, "sgsgsgs", "D1+10 D1+50 D1+10! E1=0 " },
        { "to the end is what comes", 90, 0, "sgsgs", "D1+10 D1+50 D1+50 " },
        { "to the end, then no more", 90, 0, "sgsqs", "D1+10 D1+50 E1=0 " },
        { "which is known before", 90, 0, "sgqs", "D1+10 D1+50! E1=0 " },
        { "none of it comes", 200, 10, "sgqs", "E1=2 " },
        { "a part of it comes", 90, 30, "sqs", "D1+10 E1=0 " },
        { "none had been read yet", 90, 30, "qs", "D1+10! E1=0 " },
        { "Cancel while it waits", 100, 10, "scgs", "E1=4 " },
        { "the file changes while it waits", 100, 10, "sf", "E1=3 " },
        { "2^63-1", 0x7fffffffffffffffull, 1, "sgs", "E1=2 " },
        { "length 2^64-1", 100, 0xffffffffffffffffull, "sgs", "D1+50 " },
        { "beyond 2^63", 0x7ffffffffffffff0ull, 100, "sqs", "E1=2 " }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        init(&s, 100);
        ngx_webrtc_ranges_resize(&s.r, 100, 1, now);
        request(&s, 1, rows[i].offset, rows[i].length);

        for (p = rows[i].does; *p; p++) {
            switch (*p) {

            case 's':
                serve(&s, 100);
                break;

            case 'g':
                ngx_webrtc_ranges_resize(&s.r, s.r.opts.size + 50, 1, now);
                break;

            case 'q':
                ngx_webrtc_ranges_resize(&s.r, s.r.opts.size, 0, now);
                break;

            case 'c':
                simple(&s, NGX_WEBRTC_RANGE_CANCEL, 1);
                break;

            default:
                ngx_webrtc_ranges_fail(&s.r, now);
            }
        }

        is_log(&s, rows[i].log, rows[i].name);
        done(&s);
        tap_ok(slots.active == 0 && slots.items == 0, "all given back: %s",
               rows[i].name);
    }

    /* those that wait for bytes take no slot, and there is a limit of them */

    init(&s, 100);
    ngx_webrtc_ranges_resize(&s.r, 100, 1, now);

    for (i = 1; i <= 20000; i++) {
        request(&s, (uint32_t) i, 100 + i, 1);
    }

    tap_ok(s.r.nstarved == 64 && s.frames == 20000 - 64,
           "too many wait for bytes: refused at once");

    s.log[0] = '\0';
    simple(&s, NGX_WEBRTC_RANGE_CANCEL, 7);
    request(&s, 30000, 0, 10);
    serve(&s, 10);
    is_log(&s, "E7=4 D30000+10! E30000=0 ", "what is there is served");

    s.log[0] = '\0';
    request(&s, 30001, 90, 20);
    request(&s, 30002, 91, 20);
    serve(&s, 2);
    is_log(&s, "D30001+10 D30002+9 E30002=1 ",
           "who comes to the end waits if there is room");

    ngx_webrtc_ranges_resize(&s.r, 50000, 0, now);
    tap_is_int(serve(&s, 50000), 64, "and so are they, when it is");
    tap_ok(slots.starved == 0 && slots.items == 0, "nobody waits any more");
    done(&s);

    /* by the number that is served at once */

    init(&s, 100);
    slots.max = 5;
    ngx_webrtc_ranges_resize(&s.r, 100, 1, now);

    for (i = 1; i <= 100; i++) {
        request(&s, (uint32_t) i, 100 + i, 1);
    }

    tap_ok(s.r.nstarved == 80 && slots.starved == 80, "16 for each slot");
    done(&s);
    tap_is_int(slots.starved, 0, "given back");

    /* Hello tells */

    init(&s, 127926272);
    ngx_webrtc_ranges_resize(&s.r, 127926273, 1, now);
    ngx_webrtc_ranges_hello(&s.r);
    tap_is_mem(s.last, 20, "\x00\x0c\0\0\0\0\0\0\0\0\0\x15"
               "\0\0\0\0\x07\xa0\0\x01", 20, "Hello: growing, its size");
    done(&s);
}


int
main(void)
{
    test_requests();
    test_frames();
    test_slots();
    test_pressure();
    test_errors();
    test_floods();
    test_growing();

    return tap_done();
}
