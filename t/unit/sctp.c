
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_sctp: two ends of an association over a path in virtual time
 * (sctp_net.h): handshakes that cross or are late, messages of all sizes, loss
 * and reordering, resets, closing, limits, what is left of an association.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_crc32c.h>

#include "sctp_net.h"
#include "tap.h"


#define SECOND    1000
#define MINUTE    60000


typedef struct {
    ngx_webrtc_sctp_state_e  states[8];
    ngx_uint_t               nstates;

    ngx_uint_t               messages;
    uint64_t                 bytes;
    ngx_uint_t               bad;            /* not as it was sent */
    uint32_t                 next;           /* number expected */
    uint32_t                 ppid;
    uint16_t                 stream;

    ngx_uint_t               in;             /* resets */
    ngx_uint_t               out;
    ngx_uint_t               at;             /* messages when `in' came */
    ngx_uint_t               writable;

    void                   (*on_message)(net_end_t *end);
    void                   (*on_writable)(net_end_t *end);
} seen_t;


static net_end_t  a, b;
static seen_t     sa, sb;
static u_char     buf[NGX_WEBRTC_SCTP_MESSAGE + 1];


static void
on_state(void *ctx, ngx_webrtc_sctp_state_e state)
{
    net_end_t  *end = ctx;
    seen_t     *seen = end->user;

    if (seen->nstates < 8) {
        seen->states[seen->nstates++] = state;
    }
}


/* a message is: its number, and bytes that follow from it */

static void
make(u_char *p, size_t n, uint32_t number)
{
    size_t  i, k;

    /*
     * Byte i is number * 7 + i * 13 + (i >> 8): 256 in a row of them are one of
     * these rows.  Hundreds of megabytes are made, and sanitizers look on.
     */

    static u_char  rows[256][256];

    if (rows[1][0] == 0) {
        for (i = 0; i < 256; i++) {
            for (k = 0; k < 256; k++) {
                rows[i][k] = (u_char) (i + k * 13);
            }
        }
    }

    for (i = 0; i < n; i += 256) {
        memcpy(p + i, rows[(u_char) (number * 7 + (i >> 8))],
               ngx_min(n - i, 256));
    }

    (void) ngx_webrtc_write_u32(p, p + n, number);
}


static void
on_message(void *ctx, uint16_t stream, uint32_t ppid, u_char *p, size_t n)
{
    static u_char  want[NGX_WEBRTC_SCTP_MESSAGE];

    uint32_t    number = 0;
    net_end_t  *end = ctx;
    seen_t     *seen = end->user;

    seen->messages++;
    seen->bytes += n;
    seen->stream = stream;
    seen->ppid = ppid;

    if (n >= 4) {
        (void) ngx_webrtc_read_u32(p, p + n, &number);
        make(want, n, number);

        if (memcmp(want, p, n) != 0) {
            seen->bad++;
        }

        if (number != seen->next) {
            seen->bad += (number < seen->next) ? 1 : 0;
        }

        seen->next = number + 1;
    }

    if (seen->on_message) {
        seen->on_message(end);
    }
}


static void
on_reset(void *ctx, ngx_uint_t what, uint16_t stream)
{
    net_end_t  *end = ctx;
    seen_t     *seen = end->user;

    seen->stream = stream;

    if (what == NGX_WEBRTC_SCTP_RESET_IN) {
        seen->in++;
        seen->at = seen->messages;

    } else {
        seen->out++;
    }
}


static void
on_writable(void *ctx)
{
    net_end_t  *end = ctx;
    seen_t     *seen = end->user;

    seen->writable++;

    if (seen->on_writable) {
        seen->on_writable(end);
    }
}


/* of the receiver, bytes; 0: as we have it */
static int  window;


static ngx_int_t
init(net_end_t *end, seen_t *seen)
{
    ngx_int_t               rc;
    ngx_webrtc_sctp_opts_t  opts;

    memset(seen, 0, sizeof(seen_t));
    memset(&opts, 0, sizeof(opts));

    end->user = seen;

    opts.low = 1048576;
    opts.send = net_send;
    opts.state = on_state;
    opts.message = on_message;
    opts.reset = on_reset;
    opts.writable = on_writable;
    opts.batches = (net.batch_us != 0);
    opts.ctx = end;

    rc = ngx_webrtc_sctp_init(&end->assoc, net.sctp, &opts);

    if (rc == NGX_OK && window
        && usrsctp_setsockopt(end->assoc.so, SOL_SOCKET, SO_RCVBUF, &window,
                              sizeof(int))
           != 0)
    {
        tap_fail("SO_RCVBUF");
    }

    return rc;
}


static void
path(uint64_t rate, uint64_t delay_ms, ngx_uint_t loss, ngx_uint_t reorder)
{
    net.rate = rate;
    net.delay_us = delay_ms * 1000;
    net.queue = 0;
    net.loss = loss;
    net.reorder = reorder;
    net.jitter_us = 0;
    net.cut = 0;
}


static void
pair(void)
{
    net_pair(&a, &b);

    if (init(&a, &sa) != NGX_OK || init(&b, &sb) != NGX_OK) {
        tap_fail("init");
    }
}


static void
connect_pair(void)
{
    pair();

    ngx_webrtc_sctp_start(&a.assoc, net_ms());
    ngx_webrtc_sctp_start(&b.assoc, net_ms());

    net_run(&a, &b, 5 * SECOND);

    if (a.assoc.state != NGX_WEBRTC_SCTP_OPEN
        || b.assoc.state != NGX_WEBRTC_SCTP_OPEN)
    {
        tap_fail("connected");
    }
}


static void
done(void)
{
    ngx_webrtc_sctp_cleanup(&a.assoc);
    ngx_webrtc_sctp_cleanup(&b.assoc);
    ngx_webrtc_sctp_cleanup(&b.assoc);

    net_flush(&a);
    net_flush(&b);

    path(0, 0, 0, 0);

    /* nothing may come of what usrsctp still has */

    net_run(&a, &b, 30 * SECOND);
}


static ngx_int_t
send_message(net_end_t *end, uint16_t stream, size_t n, uint32_t number)
{
    ngx_webrtc_sctp_msg_t  msg;

    memset(&msg, 0, sizeof(msg));

    msg.stream = stream;
    msg.ppid = 0x01020304;

    if (n >= 4) {
        make(buf, n, number);
    }

    return ngx_webrtc_sctp_send(&end->assoc, &msg, buf, n, net_ms());
}


static void
test_crc(void)
{
    size_t      i;
    u_char      p[32];
    uint32_t    crc;

    if (!ngx_webrtc_sctp_crc32c_available()) {
        tap_pass("no instruction for CRC32c here");
        return;
    }

    /* RFC 3720, B.4 */

    memset(p, 0, 32);
    tap_is_int(ngx_webrtc_sctp_crc32c(0, p, 32), 0x8a9136aa, "crc of zeros");

    memset(p, 0xff, 32);
    tap_is_int(ngx_webrtc_sctp_crc32c(0, p, 32), 0x62a8ab43, "crc of ones");

    for (i = 0; i < 32; i++) {
        p[i] = (u_char) i;
    }

    tap_is_int(ngx_webrtc_sctp_crc32c(0, p, 32), 0x46dd794e, "crc upwards");

    for (i = 0; i <= 32; i++) {
        crc = ngx_webrtc_sctp_crc32c(0, p, i);
        crc = ngx_webrtc_sctp_crc32c(crc, p + i, 32 - i);

        if (crc != 0x46dd794e) {
            break;
        }
    }

    tap_is_int(i, 33, "crc in two parts");
}


static void
test_handshake(void)
{
    ngx_uint_t               i;
    ngx_webrtc_sctp_stat_t   stat;

    static const struct {
        const char  *name;
        uint64_t     delay_ms;
        int          late_ms;          /* B starts after A; -1: at once */
        ngx_uint_t   loss;
    } rows[] = {
        { "at once, INITs cross", 50, 0, 0 },
        { "no delay", 0, 0, 0 },
        { "B while A's INIT is on its way", 50, 20, 0 },
        { "B just after A's INIT has come", 50, 60, 0 },
        { "B two seconds later", 50, 2000, 0 },
        { "a fifth is lost", 50, 0, 200 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        path(0, rows[i].delay_ms, rows[i].loss, 0);
        pair();

        tap_ok(a.assoc.state == NGX_WEBRTC_SCTP_NEW, "new: %s", rows[i].name);

        ngx_webrtc_sctp_start(&a.assoc, net_ms());
        net_run(&a, &b, rows[i].late_ms);
        ngx_webrtc_sctp_start(&b.assoc, net_ms());
        net_run(&a, &b, 25 * SECOND);

        tap_ok(a.assoc.state == NGX_WEBRTC_SCTP_OPEN
               && b.assoc.state == NGX_WEBRTC_SCTP_OPEN, "open: %s",
               rows[i].name);

        tap_ok(sa.nstates == 1 && sb.nstates == 1
               && sa.states[0] == NGX_WEBRTC_SCTP_OPEN
               && sb.states[0] == NGX_WEBRTC_SCTP_OPEN,
               "told once: %s", rows[i].name);

        tap_is_int(a.assoc.streams, NGX_WEBRTC_SCTP_STREAMS, "streams: %s",
                   rows[i].name);

        net.loss = 0;

        send_message(&a, 1, 100, 0);
        send_message(&b, 255, 100, 0);
        net_run(&a, &b, SECOND);

        tap_ok(sa.messages == 1 && sb.messages == 1 && !sa.bad && !sb.bad
               && sb.stream == 1 && sa.stream == 255
               && sa.ppid == 0x01020304,
               "message each way: %s", rows[i].name);

        done();
    }

    ngx_webrtc_sctp_stat(net.sctp, &stat);
    tap_ok(stat.associations == 0 && stat.bad == 0, "none is left");

    /* nobody answers */

    path(0, 10, 0, 0);
    pair();
    net.cut = 1;

    ngx_webrtc_sctp_start(&a.assoc, net_ms());
    net_run(&a, &b, 20 * SECOND);
    tap_is_int(a.assoc.state, NGX_WEBRTC_SCTP_CONNECTING, "INIT: still trying");

    net_run(&a, &b, 15 * SECOND);
    tap_is_int(a.assoc.state, NGX_WEBRTC_SCTP_FAILED, "INIT: given up");
    tap_ok(sa.nstates == 1 && a.assoc.reason != NULL, "INIT: told why");
    tap_is_int(a.sent, 9, "INIT: sent nine times");

    tap_is_int(ngx_webrtc_sctp_start(&a.assoc, net_ms()), NGX_OK,
               "start again does nothing");
    tap_is_int(send_message(&a, 0, 10, 0), NGX_DECLINED, "send when failed");

    done();
}


static void
test_messages(void)
{
    ngx_uint_t  i, k, n;
    seen_t     *seen;

    static const size_t  sizes[] = {
        4, 5, 1107, 1108, 1109, 2216, 16384, 16396, 65535, 65536, 262144
    };

    n = sizeof(sizes) / sizeof(sizes[0]);

    path(0, 20, 0, 0);
    connect_pair();

    for (k = 0; k < 2; k++) {
        seen = k ? &sa : &sb;

        for (i = 0; i < n; i++) {
            send_message(k ? &b : &a, 3, sizes[i], i);
        }

        net_run(&a, &b, 5 * SECOND);

        tap_is_int(seen->messages, n, "all sizes, way %u", (unsigned) k);
        tap_is_int(seen->bad, 0, "all as sent, way %u", (unsigned) k);
    }

    send_message(&a, 0, 1, 0);
    net_run(&a, &b, SECOND);
    tap_is_int(sb.messages, n + 1, "one byte");

    tap_is_int(send_message(&a, 0, 0, 0), NGX_DECLINED, "nothing at all");
    tap_is_int(send_message(&a, NGX_WEBRTC_SCTP_STREAMS, 4, 0), NGX_DECLINED,
               "no such stream");

    tap_ok(a.largest <= NGX_WEBRTC_SCTP_PACKET
           && a.largest > NGX_WEBRTC_SCTP_PACKET - 4,
           "the largest packet has %u bytes", (unsigned) a.largest);

    tap_is_int(a.assoc.buffered, 0, "nothing is buffered any more");

    /* idle: no timers, no packets */

    a.sent = 0;
    b.sent = 0;
    net_run(&a, &b, 10 * MINUTE);

    tap_is_int(a.sent + b.sent, 0, "idle for ten minutes without a packet");
    tap_is_int(ngx_webrtc_sctp_deadline(net.sctp) - net_ms()
               <= NGX_WEBRTC_SCTP_IDLE_TICK, 1, "idle: a tick per second");

    send_message(&a, 0, 1000, 100);
    net_run(&a, &b, SECOND);
    tap_is_int(sb.messages, n + 2, "and goes on");

    done();

    /* loss and reordering */

    path(12500000, 20, 20, 100);
    connect_pair();

    for (i = 0; i < 300; i++) {
        n = 4 + net_random() % ((i % 20 == 0) ? 262140 : 20000);

        if (send_message(&a, 7, n, i) != NGX_OK) {
            net_run(&a, &b, SECOND);
            i--;
        }
    }

    net_run(&a, &b, 10 * MINUTE);

    tap_is_int(sb.messages, 300, "loss and reordering: all come");
    tap_is_int(sb.bad, 0, "loss and reordering: in order, as sent");
    tap_ok(a.lost > 10, "there was loss: %u of %u", (unsigned) a.lost,
           (unsigned) a.sent);

    done();
}


static void
test_partial(void)
{
    ngx_uint_t             i;
    ngx_webrtc_sctp_msg_t  msg;

    static const struct {
        const char  *name;
        uint8_t      policy;
        uint32_t     value;
        uint8_t      unordered;
    } rows[] = {
        { "no retransmission", NGX_WEBRTC_SCTP_REXMIT, 0, 0 },
        { "no retransmission, unordered", NGX_WEBRTC_SCTP_REXMIT, 0, 1 },
        { "100 ms", NGX_WEBRTC_SCTP_TIMED, 100, 0 },
        { "reliable, unordered", NGX_WEBRTC_SCTP_RELIABLE, 0, 1 }
    };

    static ngx_uint_t  k;

    for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        path(1250000, 30, 0, 0);
        connect_pair();
        net.loss = 100;

        memset(&msg, 0, sizeof(msg));
        msg.policy = rows[k].policy;
        msg.value = rows[k].value;
        msg.unordered = rows[k].unordered;
        msg.ppid = 53;

        for (i = 0; i < 400; i++) {
            make(buf, 800, i);
            (void) ngx_webrtc_sctp_send(&a.assoc, &msg, buf, 800, net_ms());
            net_run(&a, &b, 10);
        }

        net.loss = 0;
        net_run(&a, &b, MINUTE);

        if (rows[k].policy == NGX_WEBRTC_SCTP_RELIABLE) {
            tap_is_int(sb.messages, 400, "all come: %s", rows[k].name);

        } else {
            tap_ok(sb.messages < 400 && sb.messages > 200,
                   "%u of 400 come: %s", (unsigned) sb.messages, rows[k].name);
        }

        if (!rows[k].unordered) {
            tap_is_int(sb.bad, 0, "in order: %s", rows[k].name);
        }

        tap_ok(a.assoc.state == NGX_WEBRTC_SCTP_OPEN
               && b.assoc.state == NGX_WEBRTC_SCTP_OPEN
               && a.assoc.buffered == 0, "still open: %s", rows[k].name);

        done();
    }
}


static void
test_oversize(void)
{
    path(0, 10, 0, 0);
    connect_pair();

    send_message(&a, 0, 100, 0);
    send_message(&a, 0, NGX_WEBRTC_SCTP_MESSAGE + 1, 1);
    send_message(&a, 0, 100, 2);
    net_run(&a, &b, 5 * SECOND);

    tap_is_int(b.assoc.state, NGX_WEBRTC_SCTP_FAILED,
               "a message too large: failed");
    tap_is_str(b.assoc.reason, "message larger than max-message-size",
               "a message too large: why");
    tap_is_int(sb.messages, 1, "a message too large: not delivered");
    tap_is_int(a.assoc.state, NGX_WEBRTC_SCTP_FAILED,
               "a message too large: the sender hears");

    done();
}


static void
test_reset(void)
{
    ngx_uint_t  i, k;

    for (k = 0; k < 2; k++) {
        path(0, 30, 0, 0);
        connect_pair();
        net.loss = k ? 200 : 0;

        for (i = 0; i < 50; i++) {
            send_message(&a, 4, 5000, i);
        }

        tap_is_int(ngx_webrtc_sctp_reset(&a.assoc, 4, net_ms()), NGX_OK,
                   "reset with data on its way, loss %u", (unsigned) net.loss);
        tap_is_int(ngx_webrtc_sctp_reset(&a.assoc, 4, net_ms()), NGX_OK,
                   "reset again");
        tap_is_int(send_message(&a, 4, 100, 50), NGX_AGAIN,
                   "not to be sent on meanwhile");

        net_run(&a, &b, 5 * MINUTE);

        tap_ok(sb.in == 1 && sb.out == 0 && sb.stream == 4,
               "reset: the peer is told once");
        tap_ok(sa.out == 1 && sa.in == 0, "reset: we are told once");
        tap_ok(sb.at == 50 && !sb.bad, "reset: all data was there before");

        tap_is_int(send_message(&a, 4, 100, 50), NGX_OK, "used again");
        net_run(&a, &b, MINUTE);
        tap_is_int(sb.messages, 51, "used again: arrives");

        /*
         * many, both ways, at once; without loss: a usrsctp that gets a reset
         * before the last data may wait for more data then
         */

        net.loss = 0;

        for (i = 0; i < 100; i++) {
            send_message(&a, (uint16_t) i, 10, 51 + i);
            ngx_webrtc_sctp_reset(&a.assoc, (uint16_t) i, net_ms());
            ngx_webrtc_sctp_reset(&b.assoc, (uint16_t) i, net_ms());
        }

        net_run(&a, &b, 10 * MINUTE);

        tap_ok(sa.in == 100 && sa.out == 101 && sb.in == 101 && sb.out == 100,
               "100 both ways: %u %u %u %u", (unsigned) sa.in,
               (unsigned) sa.out, (unsigned) sb.in, (unsigned) sb.out);
        tap_is_int(sb.messages, 151, "100 both ways: messages before");

        tap_is_int(ngx_webrtc_sctp_reset(&a.assoc, NGX_WEBRTC_SCTP_STREAMS,
                                         net_ms()),
                   NGX_DECLINED, "reset: no such stream");

        done();
    }
}


static void
abort_it(net_end_t *end)
{
    ngx_webrtc_sctp_abort(&end->assoc);
}


static void
close_it(net_end_t *end)
{
    ngx_webrtc_sctp_close(&end->assoc, net_ms());
}


static void
answer_it(net_end_t *end)
{
    (void) send_message(end, 9, 1000, 0);
}


static void
test_close(void)
{
    ngx_uint_t  i;

    /* orderly, with data on its way and loss */

    path(1250000, 20, 0, 0);
    connect_pair();
    net.loss = 50;

    for (i = 0; i < 50; i++) {
        send_message(&a, 0, 16384, i);
    }

    ngx_webrtc_sctp_close(&a.assoc, net_ms());
    ngx_webrtc_sctp_close(&a.assoc, net_ms());

    tap_is_int(a.assoc.state, NGX_WEBRTC_SCTP_CLOSING, "close: closing");
    tap_is_int(send_message(&a, 0, 10, 50), NGX_DECLINED, "close: no more");

    net_run(&a, &b, 2 * MINUTE);

    tap_is_int(sb.messages, 50, "close: what was sent arrives");
    tap_ok(a.assoc.state == NGX_WEBRTC_SCTP_CLOSED
           && b.assoc.state == NGX_WEBRTC_SCTP_CLOSED, "close: both closed");
    tap_ok(sa.states[sa.nstates - 1] == NGX_WEBRTC_SCTP_CLOSED
           && sb.states[1] == NGX_WEBRTC_SCTP_CLOSING
           && sb.states[2] == NGX_WEBRTC_SCTP_CLOSED && sb.nstates == 3,
           "close: told");

    done();

    /* both at once */

    path(0, 20, 0, 0);
    connect_pair();
    ngx_webrtc_sctp_close(&a.assoc, net_ms());
    ngx_webrtc_sctp_close(&b.assoc, net_ms());
    net_run(&a, &b, 20 * SECOND);
    tap_ok(a.assoc.state == NGX_WEBRTC_SCTP_CLOSED
           && b.assoc.state == NGX_WEBRTC_SCTP_CLOSED, "close: both at once");
    done();

    /* abort */

    path(0, 20, 0, 0);
    connect_pair();
    send_message(&a, 0, 100000, 0);
    ngx_webrtc_sctp_abort(&a.assoc);
    ngx_webrtc_sctp_abort(&a.assoc);
    tap_is_int(a.assoc.state, NGX_WEBRTC_SCTP_CLOSED, "abort: closed");
    net_run(&a, &b, SECOND);
    tap_is_int(b.assoc.state, NGX_WEBRTC_SCTP_FAILED, "abort: the peer hears");
    tap_ok(sa.nstates == 1, "abort: no callback for it");
    done();

    /* before the handshake is complete */

    path(0, 20, 0, 0);
    pair();
    ngx_webrtc_sctp_start(&a.assoc, net_ms());
    ngx_webrtc_sctp_close(&a.assoc, net_ms());
    tap_is_int(a.assoc.state, NGX_WEBRTC_SCTP_CLOSED, "close: connecting");
    net_run(&a, &b, SECOND);
    done();

    pair();
    ngx_webrtc_sctp_close(&a.assoc, net_ms());
    tap_is_int(a.assoc.state, NGX_WEBRTC_SCTP_CLOSED, "close: new");
    done();

    /* in callbacks: what has come in behind is not told */

    path(0, 20, 0, 0);
    connect_pair();
    sb.on_message = abort_it;

    for (i = 0; i < 10; i++) {
        send_message(&a, 0, 100, i);
    }

    net_run(&a, &b, SECOND);
    tap_ok(sb.messages == 1 && b.assoc.state == NGX_WEBRTC_SCTP_CLOSED
           && a.assoc.state == NGX_WEBRTC_SCTP_FAILED, "abort in a callback");
    done();

    path(0, 20, 0, 0);
    connect_pair();
    sb.on_message = close_it;
    send_message(&a, 0, 100, 0);
    net_run(&a, &b, 5 * SECOND);
    tap_ok(sb.messages == 1 && b.assoc.state == NGX_WEBRTC_SCTP_CLOSED
           && a.assoc.state == NGX_WEBRTC_SCTP_CLOSED, "close in a callback");
    done();

    path(0, 20, 0, 0);
    connect_pair();
    sb.on_message = answer_it;

    for (i = 0; i < 100; i++) {
        send_message(&a, 0, 100, i);
    }

    net_run(&a, &b, 5 * SECOND);
    tap_is_int(sa.messages, 100, "send in a callback");
    done();

    /* the peer is gone */

    path(0, 20, 0, 0);
    connect_pair();
    net.cut = 1;
    send_message(&a, 0, 100, 0);
    net_run(&a, &b, 3 * MINUTE);
    tap_ok(a.assoc.state == NGX_WEBRTC_SCTP_FAILED && sa.nstates == 2
           && a.assoc.buffered == 0, "a peer that is gone: failed");
    done();
}


static uint32_t  filled;


static void
fill(net_end_t *end)
{
    while (end->assoc.buffered < end->assoc.high) {
        if (send_message(end, 0, 16396, filled) != NGX_OK) {
            break;
        }

        filled++;
    }
}


static void
test_water(void)
{
    uint64_t    bytes;
    ngx_int_t   rc;
    ngx_uint_t  i;

    path(12500000, 10, 0, 0);
    connect_pair();

    for (i = 0; i < 1000; i++) {
        rc = send_message(&a, 0, 16384, i);

        if (rc != NGX_OK) {
            break;
        }
    }

    tap_is_int(rc, NGX_AGAIN, "full");
    tap_ok(a.assoc.buffered <= NGX_WEBRTC_SCTP_SEND
           && a.assoc.buffered > NGX_WEBRTC_SCTP_SEND - 16384,
           "full: as much as may be buffered");
    tap_ok(ngx_webrtc_sctp_unsent(&a.assoc) > 8000000
           && ngx_webrtc_sctp_unsent(&a.assoc) <= a.assoc.buffered,
           "full: most of it is unsent");
    tap_is_int(ngx_webrtc_sctp_overhead(&a.assoc), 0,
               "full: large messages take little more than they have");
    tap_is_int(send_message(&a, 0, NGX_WEBRTC_SCTP_MESSAGE, i), NGX_AGAIN,
               "full: AGAIN once more");
    tap_is_int(ngx_webrtc_sctp_send(&a.assoc, &(ngx_webrtc_sctp_msg_t) { 0 },
                                    buf, NGX_WEBRTC_SCTP_SEND + 1, net_ms()),
               NGX_DECLINED, "what will never fit");

    while (sa.writable == 0 && net.now_us < 1ull << 62
           && net_step(&a, &b, net.now_us + 1000000)) { /* void */ }

    tap_ok(ngx_webrtc_sctp_unsent(&a.assoc) <= 1048576
           && a.assoc.buffered > 0, "writable at the low mark");

    net_run(&a, &b, 5 * SECOND);
    tap_ok(sa.writable == 1 && a.assoc.buffered == 0
           && sb.messages == i, "writable once, all has come");
    done();

    /* many small ones: their number is limited */

    path(125000, 10, 0, 0);
    connect_pair();

    for (i = 0; i < 100000; i++) {
        if (send_message(&a, 0, 1, 0) != NGX_OK) {
            break;
        }
    }

    tap_ok(i >= 8192 && i <= 32768, "messages of one byte: %u",
           (unsigned) i);
    tap_ok(ngx_webrtc_sctp_overhead(&a.assoc) + 1048576 >= 512 * i
           && ngx_webrtc_sctp_overhead(&a.assoc) <= 512 * i,
           "which take far more than they have");

    net_run(&a, &b, 5 * MINUTE);
    tap_ok(sa.writable == 1 && sb.messages == i, "and they come");
    tap_is_int(ngx_webrtc_sctp_overhead(&a.assoc), 0, "nothing is left");
    done();

    /* RTT 100 ms, 100 Mbit/s, a queue of one round trip on the way */

    path(12500000, 50, 0, 0);
    net.queue = 1250000;
    connect_pair();

    filled = 0;
    sa.on_writable = fill;
    fill(&a);
    net_run(&a, &b, 2 * SECOND);

    bytes = sb.bytes;
    net_run(&a, &b, 5 * SECOND);
    bytes = (sb.bytes - bytes) * 8 / 5 / 100000;

    tap_ok(bytes >= 850, "100 Mbit/s at 100 ms: %u.%u Mbit/s of messages",
           (unsigned) (bytes / 10), (unsigned) (bytes % 10));
    tap_is_int(sb.bad, 0, "100 Mbit/s at 100 ms: as sent");
    done();
}


/* a peer with a larger window than the path has room for, as browsers have */

static void
test_flow(void)
{
    uint64_t          bytes;
    ngx_uint_t        i;

    static const struct {
        ngx_uint_t    rtt_ms;
        ngx_uint_t    mbit;
        ngx_uint_t    queue_ms;
        ngx_uint_t    least;      /* Mbit/s, after some seconds */
    } paths[] = {
        { 100, 100, 100, 85 },
        { 100, 100, 20,  40 },
        { 100, 20,  100, 16 },
        { 50,  300, 50,  240 },
        { 200, 100, 100, 60 }
    };

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {

        path(paths[i].mbit * 125000, paths[i].rtt_ms / 2, 0, 0);
        net.queue = paths[i].mbit * 125 * paths[i].queue_ms;
        window = 5242880;
        connect_pair();
        window = 0;

        filled = 0;
        sa.on_writable = fill;
        fill(&a);
        net_run(&a, &b, 3 * SECOND);

        bytes = sb.bytes;
        net_run(&a, &b, 2 * SECOND);
        bytes = (sb.bytes - bytes) * 8 / 2 / 1000000;

        tap_ok(bytes >= paths[i].least, "%u Mbit/s, %u ms, a queue of %u ms: "
               "%u Mbit/s of messages", (unsigned) paths[i].mbit,
               (unsigned) paths[i].rtt_ms, (unsigned) paths[i].queue_ms,
               (unsigned) bytes);
        tap_is_int(sb.bad, 0, "as sent");
        done();
    }
}


/*
 * What is better not exceeded: about half a second of the path, also when our
 * own queue on the way has made round trips longer for a minute.
 */

static void
test_ahead(void)
{
    uint64_t          most;
    ngx_uint_t        i;

    static const struct {
        ngx_uint_t    mbit;
        ngx_uint_t    rtt_ms;
        ngx_uint_t    seconds;
        size_t        least, most;
    } paths[] = {
        { 1, 40, 60, 65536, 90000 },
        { 10, 40, 60, 250000, 700000 },
        { 100, 100, 5, 3750000, 6500000 },
        { 100, 2, 5, 2000000, 6500000 },
        { 2, 600, 30, 150000, 600000 }
    };

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {

        path(paths[i].mbit * 125000, paths[i].rtt_ms / 2, 0, 0);
        window = 5242880;
        connect_pair();
        window = 0;

        tap_is_int(a.assoc.high, 65536, "%u Mbit/s: at first",
                   (unsigned) paths[i].mbit);

        filled = 0;
        sa.on_writable = fill;
        fill(&a);

        net_run(&a, &b, paths[i].seconds / 2 * SECOND);
        most = a.assoc.high;
        net_run(&a, &b, paths[i].seconds / 2 * SECOND);
        most = ngx_max(most, a.assoc.high);

        tap_ok(a.assoc.high >= paths[i].least && most <= paths[i].most,
               "%u Mbit/s, %u ms: %u bytes", (unsigned) paths[i].mbit,
               (unsigned) paths[i].rtt_ms, (unsigned) a.assoc.high);
        tap_ok(a.assoc.buffered < a.assoc.high + 16396,
               "%u Mbit/s: so much is buffered at most",
               (unsigned) paths[i].mbit);
        done();
    }
}


/* a steady delay and no loss: nothing is taken for lost */

static void
test_steady(void)
{
    ngx_uint_t        lost;
    struct sctpstat   before, after;

    path(12500000, 50, 0, 0);
    net.queue = 12500000;
    window = 1048576;
    connect_pair();
    window = 0;

    filled = 0;
    sa.on_writable = fill;
    fill(&a);
    net_run(&a, &b, 5 * SECOND);

    usrsctp_get_stat(&before);
    lost = a.lost;
    net_run(&a, &b, 10 * SECOND);
    usrsctp_get_stat(&after);

    tap_is_int(a.lost - lost, 0, "nothing was lost");
    tap_is_int(after.sctps_sendretransdata - before.sctps_sendretransdata, 0,
               "and nothing repeated");
    tap_is_int(after.sctps_markedretrans - before.sctps_markedretrans, 0,
               "nor was anything marked for it");
    tap_is_int(after.sctps_recvheartbeat - before.sctps_recvheartbeat, 0,
               "the peer gets no HEARTBEAT");
    done();
}


/*
 * Loss at random is repeated by us, and is not congestion: usrsctp hears of
 * none of it.
 */

static void
test_loss(void)
{
    uint64_t                 bytes;
    ngx_uint_t               i, lost;
    struct sctpstat          before, after;
    ngx_webrtc_sctp_stat_t   was, stat;

    static const struct {
        ngx_uint_t    rtt_ms;
        ngx_uint_t    mbit;
        ngx_uint_t    loss;       /* of 1000 */
        ngx_uint_t    least;      /* Mbit/s, after some seconds */
    } paths[] = {
        { 100, 50, 10, 35 },
        { 50, 50, 50, 30 },
        { 40, 10, 10, 7 },
        { 200, 20, 10, 8 }
    };

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {

        path(paths[i].mbit * 125000, paths[i].rtt_ms / 2, 0, 0);
        net.queue = paths[i].mbit * 125 * 100;
        window = 5242880;
        connect_pair();
        window = 0;

        usrsctp_get_stat(&before);
        ngx_webrtc_sctp_stat(net.sctp, &was);
        net.loss = paths[i].loss;
        lost = a.lost;

        filled = 0;
        sa.on_writable = fill;
        fill(&a);
        net_run(&a, &b, 4 * SECOND);

        bytes = sb.bytes;
        net_run(&a, &b, 6 * SECOND);
        bytes = (sb.bytes - bytes) * 8 / 6 / 1000000;

        tap_ok(bytes >= paths[i].least, "%u Mbit/s, %u ms, %u of 1000 lost: "
               "%u Mbit/s of messages", (unsigned) paths[i].mbit,
               (unsigned) paths[i].rtt_ms, (unsigned) paths[i].loss,
               (unsigned) bytes);
        tap_is_int(sb.bad, 0, "as sent");

        sa.on_writable = NULL;
        net.loss = 0;
        net_run(&a, &b, MINUTE);
        usrsctp_get_stat(&after);
        ngx_webrtc_sctp_stat(net.sctp, &stat);

        tap_is_int(after.sctps_sendretransdata - before.sctps_sendretransdata,
                   0, "usrsctp has repeated nothing");
        tap_ok(stat.repeats - was.repeats >= a.lost - lost
               && a.lost > lost,
               "%u repeated for %u lost",
               (unsigned) (stat.repeats - was.repeats),
               (unsigned) (a.lost - lost));
        tap_ok(a.assoc.buffered == 0 && a.assoc.repair.copies == 0
               && a.assoc.repair.held == 0, "and no copy is left");
        done();
    }
}


static void
test_limits(void)
{
    u_char                   p[64];
    uint32_t                 crc;
    ngx_uint_t               i;
    ngx_webrtc_sctp_stat_t   before, stat;

    static net_end_t  ends[16];
    static seen_t     seen;

    for (i = 0; i < 16; i++) {
        net_pair(&ends[i], &ends[i]);
        if (init(&ends[i], &seen) != NGX_OK) {
            break;
        }
    }

    tap_is_int(i, 16, "as many associations as may be");
    net_pair(&a, &b);
    tap_is_int(init(&a, &sa), NGX_BUSY, "and no more");

    tap_ok(ngx_webrtc_sctp_create(1, NGX_WEBRTC_SCTP_CRC_AUTO, 0) == NULL,
           "one instance per process");

    for (i = 0; i < 16; i++) {
        ngx_webrtc_sctp_cleanup(&ends[i].assoc);
    }

    tap_is_int(init(&a, &sa), NGX_OK, "again after cleanup");
    ngx_webrtc_sctp_cleanup(&a.assoc);
    ngx_webrtc_sctp_cleanup(&a.assoc);

    tap_is_int(ngx_webrtc_sctp_deadline(net.sctp),
               NGX_WEBRTC_SCTP_NO_DEADLINE, "no deadline without any");

    /* cleanup in the middle of everything */

    ngx_webrtc_sctp_stat(net.sctp, &before);

    path(0, 20, 0, 0);
    connect_pair();
    fill(&a);
    fill(&b);
    net_run(&a, &b, 100);
    ngx_webrtc_sctp_cleanup(&a.assoc);
    i = a.sent;
    net_run(&a, &b, 50);
    tap_is_int(a.sent, i, "cleanup sends nothing");
    tap_is_int(ngx_webrtc_sctp_input(&a.assoc, buf, 100, net_ms()),
               NGX_DECLINED, "cleanup: takes nothing");
    tap_ok(init(&a, &sa) == NGX_OK, "its slot is taken by another");
    ngx_webrtc_sctp_start(&a.assoc, net_ms());
    net_run(&a, &b, 30 * SECOND);
    tap_ok(sa.messages == 0, "which gets nothing of it");
    done();

    ngx_webrtc_sctp_stat(net.sctp, &stat);
    tap_ok(stat.stale > before.stale, "stale numbers lead nowhere: %u",
           (unsigned) (stat.stale - before.stale));

    /* no packets of SCTP */

    path(0, 0, 0, 0);
    connect_pair();
    ngx_webrtc_sctp_stat(net.sctp, &before);
    memset(p, 0, sizeof(p));

    tap_is_int(ngx_webrtc_sctp_input(&a.assoc, p, 0, net_ms()), NGX_DECLINED,
               "nothing");
    tap_is_int(ngx_webrtc_sctp_input(&a.assoc, p, 15, net_ms()), NGX_DECLINED,
               "15 bytes");
    (void) ngx_webrtc_sctp_input(&a.assoc, p, 64, net_ms());

    ngx_webrtc_sctp_stat(net.sctp, &stat);
    tap_ok(stat.bad >= before.bad + 2, "counted");

    /* INITs with a correct checksum, if it is we who check */

    for (i = 0; i < 100; i++) {
        memset(p, 0, sizeof(p));
        p[0] = 0x13;
        p[1] = 0x88;
        p[2] = 0x13;
        p[3] = 0x88;
        p[12] = 1;
        p[15] = 20;
        p[19] = (u_char) (i + 1);                  /* tag */
        p[21] = 1;                                 /* window 65536 */
        p[25] = 1;                                 /* streams */
        p[27] = 1;

        crc = ngx_webrtc_sctp_crc32c_available()
              ? ngx_webrtc_sctp_crc32c(0, p, 32) : 0;
        memcpy(p + 8, &crc, 4);

        (void) ngx_webrtc_sctp_input(&a.assoc, p, 32, net_ms());
    }

    ngx_webrtc_sctp_stat(net.sctp, &stat);
    tap_is_int(stat.floods - before.floods, 92, "too many INITs in a second");

    net_run(&a, &b, 5 * SECOND);
    tap_is_int(a.assoc.state, NGX_WEBRTC_SCTP_OPEN, "and nothing else");
    done();
}


static void
test_all(void)
{
    test_handshake();
    test_messages();
    test_partial();
    test_oversize();
    test_reset();
    test_close();
    test_water();
}


int
main(void)
{
    ngx_webrtc_sctp_stat_t  stat;

    test_crc();

    net.sctp = ngx_webrtc_sctp_create(16, NGX_WEBRTC_SCTP_CRC_AUTO, net_ms());

    test_all();
    test_flow();
    test_ahead();
    test_steady();
    test_loss();

    /* read in batches, as a worker does it */

    net.batch_us = 1000;

    test_all();
    test_flow();
    test_ahead();
    test_steady();
    test_loss();

    net.batch_us = 0;

    if (ngx_webrtc_sctp_crc32c_available()) {
        test_limits();
    }

    ngx_webrtc_sctp_stat(net.sctp, &stat);
    tap_is_int(stat.associations, 0, "none is left");
    ngx_webrtc_sctp_destroy(net.sctp);

    /* the checksum by usrsctp is the same: one end each is not possible */

    net.sctp = ngx_webrtc_sctp_create(16, NGX_WEBRTC_SCTP_CRC_TABLE, net_ms());
    tap_ok(net.sctp != NULL, "created again, after destroy");

    test_handshake();
    test_steady();

    ngx_webrtc_sctp_destroy(net.sctp);

    return tap_done();
}
