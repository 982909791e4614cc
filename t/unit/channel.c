
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_channel: each rule of RFC 8832, 6 and RFC 8831, 6.6 and 6.7 with
 * an SCTP that only notes what it is asked for, then two sides over the real
 * one in virtual time (sctp_net.h).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_channel.h>
#include <ngx_webrtc_sctp.h>

#include "sctp_net.h"
#include "tap.h"


#define SLOTS  4


typedef struct {
    ngx_webrtc_channels_t   cs;
    ngx_webrtc_channel_t    slots[SLOTS];
    net_end_t               end;

    /* what SCTP was asked for */
    ngx_int_t               send_rc;
    ngx_int_t               reset_rc;
    ngx_uint_t              sends;
    ngx_uint_t              resets;
    uint16_t                stream;
    uint32_t                ppid;
    uint8_t                 type;
    uint32_t                reliability;
    u_char                  data[128];
    size_t                  n;

    /* what the user was told */
    ngx_uint_t              opened;
    ngx_uint_t              messages;
    ngx_uint_t              strings;
    ngx_uint_t              empty;
    ngx_uint_t              closed;
    ngx_uint_t              unopened;
    ngx_webrtc_channel_t   *ch;
    size_t                  len;
    ngx_uint_t              echo;
    ngx_uint_t              close_on_message;
} side_t;


static side_t  x, y;


static ngx_int_t
mock_send(void *ctx, uint16_t stream, uint32_t ppid, uint8_t type,
    uint32_t reliability, const u_char *p, size_t n)
{
    side_t  *s = ctx;

    if (s->send_rc == NGX_OK) {
        s->sends++;
        s->stream = stream;
        s->ppid = ppid;
        s->type = type;
        s->reliability = reliability;
        s->n = n;
        memcpy(s->data, p, ngx_min(n, sizeof(s->data)));
    }

    return s->send_rc;
}


static ngx_int_t
mock_reset(void *ctx, uint16_t stream)
{
    side_t  *s = ctx;

    s->resets++;
    s->stream = stream;

    return s->reset_rc;
}


static void
on_open(void *ctx, ngx_webrtc_channel_t *ch)
{
    side_t  *s = ctx;

    s->opened++;
    s->ch = ch;
    ch->data = s;
}


static void
on_message(void *ctx, ngx_webrtc_channel_t *ch, ngx_uint_t string, u_char *p,
    size_t n)
{
    side_t  *s = ctx;

    s->messages++;
    s->strings += string;
    s->empty += (n == 0);
    s->len = n;
    s->ch = ch;

    if (s->echo) {
        (void) ngx_webrtc_channel_send(ch, string, p, n);
    }

    if (s->close_on_message) {
        ngx_webrtc_channel_close(ch);
    }
}


static ngx_int_t
on_unopened(void *ctx, uint16_t id, ngx_uint_t string, u_char *p, size_t n)
{
    side_t                *s = ctx;
    ngx_webrtc_channel_t  *ch;

    (void) p;

    s->unopened++;

    if (string || n != 12) {
        return NGX_DECLINED;
    }

    ch = ngx_webrtc_channel_negotiated(&s->cs, id, NGX_WEBRTC_DCEP_RELIABLE,
                                       0);
    return ch ? NGX_OK : NGX_DECLINED;
}


static void
on_closed(void *ctx, ngx_webrtc_channel_t *ch)
{
    side_t  *s = ctx;

    s->closed++;
    s->ch = ch;
}


static void
init(side_t *s, ngx_uint_t role)
{
    ngx_webrtc_channel_opts_t  opts;

    memset(s, 0, sizeof(side_t));
    memset(&opts, 0, sizeof(opts));

    opts.role = role;
    opts.remote_max = 1000;
    opts.slots = s->slots;
    opts.nslots = SLOTS;
    opts.send = mock_send;
    opts.reset = mock_reset;
    opts.open = on_open;
    opts.message = on_message;
    opts.closed = on_closed;
    opts.ctx = s;

    ngx_webrtc_channels_init(&s->cs, &opts);
}


static void
up(side_t *s, ngx_uint_t role)
{
    init(s, role);
    ngx_webrtc_channels_up(&s->cs, 16);
}


static ngx_int_t
input(side_t *s, uint16_t stream, uint32_t ppid, const char *data, size_t n)
{
    u_char  copy[256];

    memcpy(copy, data, n);

    return ngx_webrtc_channels_input(&s->cs, stream, ppid, copy, n);
}


/* label "a", protocol "range.v1" */
#define OPEN       "\x03\x00\x01\x00\x00\x00\x00\x00\x00\x01\x00\x08"          \
                   "arange.v1"
#define OPEN_LEN   21
#define OPEN_REXMIT  "\x03\x81\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00"


static void
test_opened(void)
{
    ngx_uint_t             i;
    u_char                 big[12 + 300];
    ngx_webrtc_channel_t  *ch;

    static const struct {
        const char  *name;
        ngx_uint_t   role;
        uint16_t     stream;
        ngx_int_t    rc;
    } rows[] = {
        { "server, even", NGX_WEBRTC_DTLS_SERVER, 0, NGX_OK },
        { "server, even 14", NGX_WEBRTC_DTLS_SERVER, 14, NGX_OK },
        { "server, odd", NGX_WEBRTC_DTLS_SERVER, 1, NGX_DECLINED },
        { "client, odd", NGX_WEBRTC_DTLS_CLIENT, 15, NGX_OK },
        { "client, even", NGX_WEBRTC_DTLS_CLIENT, 0, NGX_DECLINED },
        { "no such stream", NGX_WEBRTC_DTLS_SERVER, 16, NGX_DECLINED },
        { "id 65535", NGX_WEBRTC_DTLS_CLIENT, 65535, NGX_DECLINED }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        up(&x, rows[i].role);

        tap_is_int(input(&x, rows[i].stream, NGX_WEBRTC_PPID_DCEP, OPEN,
                         OPEN_LEN),
                   rows[i].rc, "opened: %s", rows[i].name);

        if (rows[i].rc != NGX_OK) {
            tap_ok(x.opened == 0 && x.resets == 1
                   && x.stream == rows[i].stream && x.sends == 0
                   && x.cs.refused == 1, "refused: %s", rows[i].name);
            continue;
        }

        tap_ok(x.opened == 1 && x.sends == 1 && x.stream == rows[i].stream
               && x.ppid == NGX_WEBRTC_PPID_DCEP && x.n == 1
               && x.data[0] == 2 && x.type == 0, "acked: %s", rows[i].name);
        tap_ok(x.ch->id == rows[i].stream && !x.ch->negotiated
               && x.ch->state == NGX_WEBRTC_CHANNEL_OPEN
               && x.ch->priority == 256, "channel: %s", rows[i].name);
    }

    up(&x, NGX_WEBRTC_DTLS_SERVER);
    input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN);
    tap_is_str((char *) x.ch->label, "a", "label");
    tap_is_str((char *) x.ch->protocol, "range.v1", "protocol");

    tap_is_int(input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN),
               NGX_DECLINED, "opened twice");
    tap_ok(x.opened == 1 && x.resets == 0
           && x.ch->state == NGX_WEBRTC_CHANNEL_OPEN,
           "opened twice: the first stays");

    for (i = 1; i <= SLOTS; i++) {
        input(&x, (uint16_t) (2 * i), NGX_WEBRTC_PPID_DCEP, OPEN_REXMIT, 12);
    }

    tap_ok(x.opened == SLOTS && x.resets == 1 && x.stream == 2 * SLOTS,
           "too many channels");
    tap_ok(x.ch->type == 0x81 && x.ch->reliability == 5, "type");

    /* the answer's order is ours to give up at once */

    ngx_webrtc_channel_send(x.ch, 0, (u_char *) "z", 1);
    tap_ok(x.type == 0x81 && x.reliability == 5, "type of what is sent");

    /* long texts are cut */

    up(&x, NGX_WEBRTC_DTLS_SERVER);
    memset(big, 'l', sizeof(big));
    memcpy(big, "\x03\0\0\0\0\0\0\0\x01\x2c\0\0", 12);
    tap_ok(ngx_webrtc_channels_input(&x.cs, 0, NGX_WEBRTC_PPID_DCEP, big,
                                     sizeof(big)) == NGX_OK
           && x.ch->label_len == NGX_WEBRTC_CHANNEL_TEXT
           && strlen((char *) x.ch->label) == NGX_WEBRTC_CHANNEL_TEXT,
           "a long label is cut");

    /* no room for the ACK at first */

    up(&x, NGX_WEBRTC_DTLS_SERVER);
    x.send_rc = NGX_AGAIN;
    input(&x, 2, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN);
    tap_ok(x.opened == 1 && x.sends == 0, "no room: open");
    tap_is_int(ngx_webrtc_channel_send(x.ch, 0, (u_char *) "a", 1), NGX_AGAIN,
               "no room: nothing before the ACK");
    x.send_rc = NGX_OK;
    ngx_webrtc_channels_writable(&x.cs);
    tap_ok(x.sends == 1 && x.data[0] == 2, "no room: the ACK follows");
    ngx_webrtc_channels_writable(&x.cs);
    tap_is_int(x.sends, 1, "no room: once");

    x.send_rc = NGX_DECLINED;
    input(&x, 4, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN);
    tap_ok(x.opened == 1 && x.closed == 0
           && ngx_webrtc_channel_find(&x.cs, 4) == NULL,
           "the ACK cannot be sent: no channel");

    /* malformed */

    up(&x, NGX_WEBRTC_DTLS_SERVER);
    input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN - 1);
    input(&x, 0, NGX_WEBRTC_PPID_DCEP, "", 0);
    input(&x, 0, NGX_WEBRTC_PPID_DCEP, "\x01", 1);
    input(&x, 0, 0, "a", 1);
    input(&x, 0, NGX_WEBRTC_PPID_BINARY_PARTIAL, "a", 1);
    tap_ok(x.cs.malformed == 5 && x.opened == 0 && x.sends == 0,
           "malformed: dropped and counted");

    /* to no channel */

    tap_is_int(input(&x, 0, NGX_WEBRTC_PPID_STRING, "a", 1), NGX_DECLINED,
               "a stray message");
    tap_is_int(input(&x, 0, NGX_WEBRTC_PPID_DCEP, "\x02", 1), NGX_DECLINED,
               "a stray ACK");

    for (i = 0; i < NGX_WEBRTC_CHANNEL_STRAYS - 2; i++) {
        if (input(&x, 0, NGX_WEBRTC_PPID_STRING, "a", 1) != NGX_DECLINED) {
            break;
        }
    }

    tap_ok(i == NGX_WEBRTC_CHANNEL_STRAYS - 2
           && input(&x, 0, NGX_WEBRTC_PPID_STRING, "a", 1) == NGX_ERROR,
           "too many strays");

    /* a stream that begins without an OPEN */

    up(&x, NGX_WEBRTC_DTLS_SERVER);
    x.cs.opts.unopened = on_unopened;

    tap_is_int(input(&x, 7, NGX_WEBRTC_PPID_STRING, "a", 1), NGX_DECLINED,
               "negotiated: not with this message");
    tap_is_int(input(&x, 7, NGX_WEBRTC_PPID_BINARY, "0123456789ab", 12), NGX_OK,
               "negotiated: with this one");
    tap_ok(x.unopened == 2 && x.messages == 1 && x.len == 12
           && x.ch->negotiated && x.ch->id == 7 && x.sends == 0
           && x.cs.strays == 1, "negotiated: a channel, and its message");
    input(&x, 7, NGX_WEBRTC_PPID_STRING, "a", 1);
    tap_ok(x.unopened == 2 && x.messages == 2, "negotiated: from then on");

    ngx_webrtc_channels_reset(&x.cs, 1, 7);
    ngx_webrtc_channels_reset(&x.cs, 2, 7);
    tap_ok(x.closed == 1 && ngx_webrtc_channel_find(&x.cs, 7) == NULL,
           "negotiated: closed");
    tap_is_int(input(&x, 7, NGX_WEBRTC_PPID_BINARY, "0123456789ab", 12), NGX_OK,
               "negotiated: the id again");

    /* the peer begins again before we know that our reset is done */

    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_IN, 7);
    tap_is_int(x.closed, 2, "negotiated: closed again");
    tap_is_int(input(&x, 7, NGX_WEBRTC_PPID_STRING, "a", 1), NGX_DECLINED,
               "negotiated: early, not with this message");
    tap_is_int(input(&x, 7, NGX_WEBRTC_PPID_BINARY, "0123456789ab", 12), NGX_OK,
               "negotiated: early");
    tap_ok(x.unopened == 5 && x.messages == 4 && x.closed == 2
           && x.ch->state == NGX_WEBRTC_CHANNEL_OPEN,
           "negotiated: early, a channel and its message");
    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_OUT, 7);
    input(&x, 7, NGX_WEBRTC_PPID_STRING, "a", 1);
    tap_ok(x.closed == 2 && x.messages == 5
           && x.ch->state == NGX_WEBRTC_CHANNEL_OPEN,
           "negotiated: early, stays when our direction has followed");

    ch = x.ch;
    ngx_webrtc_channel_close(ch);
    tap_ok(input(&x, 7, NGX_WEBRTC_PPID_BINARY, "0123456789ab", 12) == NGX_OK
           && x.unopened == 5 && x.messages == 5,
           "negotiated: not before the peer's reset");
    tap_is_int(input(&x, NGX_WEBRTC_CHANNEL_BARRED, NGX_WEBRTC_PPID_BINARY,
                     "0123456789ab", 12),
               NGX_DECLINED, "negotiated: no such stream");

    /* an OPEN that was refused, 1 is ours, is not followed by one */

    input(&x, 1, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN);
    tap_is_int(input(&x, 1, NGX_WEBRTC_PPID_BINARY, "0123456789ab", 12),
               NGX_DECLINED, "negotiated: not on a stream that was refused");
    ngx_webrtc_channels_reset(&x.cs, 1, 1);
    tap_is_int(input(&x, 1, NGX_WEBRTC_PPID_BINARY, "0123456789ab", 12), NGX_OK,
               "negotiated: until that is reset");

    /* peers may open none */

    up(&x, NGX_WEBRTC_DTLS_SERVER);
    x.cs.opts.open = NULL;
    tap_ok(input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN) == NGX_DECLINED
           && x.resets == 1, "opened: not wanted");
}


static void
test_open(void)
{
    ngx_str_t              label = ngx_string("a");
    ngx_str_t              protocol = ngx_string("range.v1");
    ngx_uint_t             i;
    ngx_webrtc_channel_t  *ch, *other;

    up(&x, NGX_WEBRTC_DTLS_CLIENT);
    ch = ngx_webrtc_channel_open(&x.cs, &label, &protocol, 0, 0);
    tap_ok(ch && ch->id == 0 && ch->state == NGX_WEBRTC_CHANNEL_OPENING,
           "open: the client's first is 0");
    tap_is_mem(x.data, x.n, OPEN, OPEN_LEN, "open: message");
    tap_ok(x.ppid == NGX_WEBRTC_PPID_DCEP && x.type == 0 && x.stream == 0,
           "open: how it is sent");

    other = ngx_webrtc_channel_open(&x.cs, &label, &protocol, 0x80, 0);
    tap_ok(other && other->id == 2, "open: the next is 2");

    /* RFC 8832, 6: in order until something has come back */

    ngx_webrtc_channel_send(other, 1, (u_char *) "hi", 2);
    tap_is_int(x.type, 0, "in order before the ACK");
    tap_is_int(input(&x, 2, NGX_WEBRTC_PPID_DCEP, "\x02", 1), NGX_OK, "ACK");
    tap_ok(x.opened == 1 && x.ch == other
           && other->state == NGX_WEBRTC_CHANNEL_OPEN, "ACK: open");
    ngx_webrtc_channel_send(other, 1, (u_char *) "hi", 2);
    tap_is_int(x.type, 0x80, "without order behind the ACK");
    tap_is_int(input(&x, 2, NGX_WEBRTC_PPID_DCEP, "\x02", 1), NGX_DECLINED,
               "a second ACK");

    tap_ok(input(&x, 0, NGX_WEBRTC_PPID_STRING, "x", 1) == NGX_OK
           && x.opened == 2 && x.messages == 1 && x.ch == ch,
           "a message instead of the ACK");
    tap_ok(input(&x, 0, NGX_WEBRTC_PPID_DCEP, "\x02", 1) == NGX_OK
           && x.opened == 2, "and the ACK late");

    for (i = 0; i < SLOTS; i++) {
        ch = ngx_webrtc_channel_open(&x.cs, &label, &protocol, 0, 0);
        if (ch == NULL) {
            break;
        }
    }

    tap_is_int(i, SLOTS - 2, "open: too many");

    up(&x, NGX_WEBRTC_DTLS_SERVER);
    ch = ngx_webrtc_channel_open(&x.cs, &label, &protocol, 0, 0);
    tap_ok(ch && ch->id == 1, "open: the server's first is 1");

    tap_ok(input(&x, 1, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN) == NGX_DECLINED
           && x.resets == 0, "an OPEN for ours");

    x.send_rc = NGX_DECLINED;
    tap_ok(ngx_webrtc_channel_open(&x.cs, &label, &protocol, 0, 0) == NULL
           && x.closed == 0, "open: cannot be sent");

    label.len = NGX_WEBRTC_CHANNEL_TEXT + 1;
    tap_ok(ngx_webrtc_channel_open(&x.cs, &label, &protocol, 0, 0) == NULL,
           "open: label too long");
    label.len = 1;

    /* before the association is up */

    init(&x, NGX_WEBRTC_DTLS_CLIENT);
    ch = ngx_webrtc_channel_open(&x.cs, &label, &protocol, 0, 0);
    other = ngx_webrtc_channel_negotiated(&x.cs, 40, 0, 0);
    tap_ok(ch && x.sends == 0, "before it is up: waits");
    tap_is_int(ngx_webrtc_channel_send(ch, 0, (u_char *) "a", 1), NGX_AGAIN,
               "before it is up: messages too");
    ngx_webrtc_channels_up(&x.cs, 16);
    tap_ok(x.sends == 1 && x.data[0] == 3, "before it is up: sent then");
    tap_ok(x.closed == 1 && x.ch == other, "an id that does not exist");

    ngx_webrtc_channel_close(ch);
    ngx_webrtc_channels_down(&x.cs);
    tap_ok(x.closed == 2 && ngx_webrtc_channel_find(&x.cs, 0) == NULL,
           "down: closed");

    init(&x, NGX_WEBRTC_DTLS_CLIENT);
    ch = ngx_webrtc_channel_open(&x.cs, &label, &protocol, 0, 0);
    ngx_webrtc_channel_close(ch);
    tap_ok(x.closed == 1 && x.resets == 0
           && ngx_webrtc_channel_find(&x.cs, 0) == NULL,
           "closed before it is up");
}


static void
test_messages(void)
{
    ngx_uint_t             i;
    u_char                 big[1001];
    ngx_webrtc_channel_t  *ch;

    static const struct {
        const char  *name;
        uint32_t     ppid;
        size_t       n;
        ngx_uint_t   string;
        size_t       len;
    } in[] = {
        { "string", 51, 3, 1, 3 },
        { "binary", 53, 3, 0, 3 },
        { "empty string", 56, 1, 1, 0 },
        { "empty binary", 57, 1, 0, 0 },
        { "empty binary with more", 57, 3, 0, 0 }
    };

    static const struct {
        const char  *name;
        ngx_uint_t   string;
        size_t       n;
        ngx_int_t    rc;
        uint32_t     ppid;
        size_t       sent;
    } out[] = {
        { "string", 1, 3, NGX_OK, 51, 3 },
        { "binary", 0, 3, NGX_OK, 53, 3 },
        { "empty string", 1, 0, NGX_OK, 56, 1 },
        { "empty binary", 0, 0, NGX_OK, 57, 1 },
        { "as large as may be", 0, 1000, NGX_OK, 53, 1000 },
        { "too large", 0, 1001, NGX_DECLINED, 0, 0 }
    };

    memset(big, 'a', sizeof(big));

    for (i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
        up(&x, NGX_WEBRTC_DTLS_SERVER);
        ch = ngx_webrtc_channel_negotiated(&x.cs, 3, 0, 0);

        tap_ok(input(&x, 3, in[i].ppid, "abc", in[i].n) == NGX_OK
               && x.messages == 1 && x.strings == in[i].string
               && x.len == in[i].len && x.ch == ch, "in: %s", in[i].name);
    }

    for (i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
        up(&x, NGX_WEBRTC_DTLS_SERVER);
        ch = ngx_webrtc_channel_negotiated(&x.cs, 3, 0, 0);

        tap_is_int(ngx_webrtc_channel_send(ch, out[i].string, big, out[i].n),
                   out[i].rc, "out: %s", out[i].name);
        tap_ok(x.ppid == out[i].ppid && x.n == out[i].sent
               && (out[i].n || x.data[0] == 0), "sent: %s", out[i].name);
    }

    x.cs.opts.remote_max = 0;
    tap_is_int(ngx_webrtc_channel_send(ch, 0, big, 1001), NGX_OK,
               "out: any size");

    x.send_rc = NGX_AGAIN;
    tap_is_int(ngx_webrtc_channel_send(ch, 0, big, 1), NGX_AGAIN,
               "out: no room");

    tap_ok(ngx_webrtc_channel_negotiated(&x.cs, 3, 0, 0) == NULL,
           "negotiated: in use");
    tap_ok(ngx_webrtc_channel_negotiated(&x.cs, 16, 0, 0) == NULL,
           "negotiated: no such stream");
    tap_ok(input(&x, 3, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN) == NGX_DECLINED
           && ch->state == NGX_WEBRTC_CHANNEL_OPEN,
           "negotiated: an OPEN is ignored");
}


static void
test_close(void)
{
    ngx_webrtc_channel_t  *ch;

    /* by the peer */

    up(&x, NGX_WEBRTC_DTLS_SERVER);
    input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN);
    ch = x.ch;

    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_IN, 0);
    tap_ok(x.closed == 1 && x.resets == 1
           && ch->state == NGX_WEBRTC_CHANNEL_CLOSING,
           "by the peer: told, reset in turn");
    tap_is_int(ngx_webrtc_channel_send(ch, 0, (u_char *) "a", 1), NGX_DECLINED,
               "by the peer: no more sending");
    ngx_webrtc_channel_close(ch);
    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_OUT, 0);
    tap_ok(x.closed == 1 && x.resets == 1
           && ngx_webrtc_channel_find(&x.cs, 0) == NULL, "by the peer: done");

    /* by us */

    input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN);
    ch = x.ch;
    ngx_webrtc_channel_close(ch);
    ngx_webrtc_channel_close(ch);
    tap_ok(x.closed == 1 && x.resets == 2
           && ch->state == NGX_WEBRTC_CHANNEL_CLOSING, "by us: asked once");
    tap_ok(input(&x, 0, NGX_WEBRTC_PPID_STRING, "a", 1) == NGX_OK
           && x.messages == 0, "by us: what still comes is dropped");
    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_OUT, 0);
    tap_is_int(x.closed, 1, "by us: not done before the peer");
    tap_is_int(input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN),
               NGX_DECLINED, "by us: no OPEN before the peer's reset");
    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_IN, 0);
    tap_ok(x.closed == 2 && ngx_webrtc_channel_find(&x.cs, 0) == NULL,
           "by us: done");

    /* the peer opens it again before we know that our reset is done */

    input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN);
    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_IN, 0);
    x.send_rc = NGX_AGAIN;
    tap_is_int(input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN), NGX_OK,
               "again, early");
    tap_ok(x.closed == 3 && x.opened == 4, "again, early: closed and opened");
    x.send_rc = NGX_OK;
    x.sends = 0;
    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_OUT, 0);
    tap_ok(x.sends == 1 && x.data[0] == 2 && x.ch->id == 0
           && x.ch->state == NGX_WEBRTC_CHANNEL_OPEN,
           "again, early: acked when our direction is free");

    /* a peer that cannot reset */

    x.reset_rc = NGX_DECLINED;
    x.closed = 0;
    ngx_webrtc_channel_close(x.ch);
    tap_ok(x.closed == 1 && ngx_webrtc_channel_find(&x.cs, 0) == NULL,
           "no reset possible: closed at once");

    /* all of them */

    up(&x, NGX_WEBRTC_DTLS_SERVER);
    input(&x, 0, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN);
    input(&x, 2, NGX_WEBRTC_PPID_DCEP, OPEN, OPEN_LEN);
    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_IN,
                              NGX_WEBRTC_SCTP_ALL);
    tap_ok(x.closed == 2 && x.resets == 2, "all streams");

    ngx_webrtc_channels_reset(&x.cs, NGX_WEBRTC_SCTP_RESET_IN, 9);
    tap_ok(x.closed == 2, "a stream that is no channel");

    ngx_webrtc_channels_down(&x.cs);
    tap_ok(x.closed == 2, "down: told once");
}


/* over SCTP */

static ngx_int_t
sctp_send(void *ctx, uint16_t stream, uint32_t ppid, uint8_t type,
    uint32_t reliability, const u_char *p, size_t n)
{
    side_t                 *s = ctx;
    ngx_webrtc_sctp_msg_t   msg;

    msg.stream = stream;
    msg.ppid = ppid;
    msg.unordered = (type & NGX_WEBRTC_DCEP_UNORDERED) ? 1 : 0;
    msg.policy = type & ~NGX_WEBRTC_DCEP_UNORDERED;
    msg.value = reliability;

    return ngx_webrtc_sctp_send(&s->end.assoc, &msg, p, n, net_ms());
}


static ngx_int_t
sctp_reset(void *ctx, uint16_t stream)
{
    side_t  *s = ctx;

    return ngx_webrtc_sctp_reset(&s->end.assoc, stream, net_ms());
}


static void
on_packet(void *ctx, u_char *p, size_t n)
{
    side_t  *s = ctx;

    net_send(&s->end, p, n);
}


static void
on_state(void *ctx, ngx_webrtc_sctp_state_e state)
{
    side_t  *s = ctx;

    if (state == NGX_WEBRTC_SCTP_OPEN) {
        ngx_webrtc_channels_up(&s->cs, s->end.assoc.streams);

    } else if (state > NGX_WEBRTC_SCTP_CLOSING) {
        ngx_webrtc_channels_down(&s->cs);
    }
}


static void
on_sctp_message(void *ctx, uint16_t stream, uint32_t ppid, u_char *p, size_t n)
{
    side_t  *s = ctx;

    (void) ngx_webrtc_channels_input(&s->cs, stream, ppid, p, n);
}


static void
on_sctp_reset(void *ctx, ngx_uint_t what, uint16_t stream)
{
    side_t  *s = ctx;

    ngx_webrtc_channels_reset(&s->cs, what, stream);
}


static void
on_writable(void *ctx)
{
    side_t  *s = ctx;

    ngx_webrtc_channels_writable(&s->cs);
}


static void
start(void)
{
    ngx_uint_t               i;
    side_t                  *s;
    ngx_webrtc_sctp_opts_t   opts;

    init(&x, NGX_WEBRTC_DTLS_SERVER);
    init(&y, NGX_WEBRTC_DTLS_CLIENT);
    net_pair(&x.end, &y.end);

    for (i = 0; i < 2; i++) {
        s = i ? &y : &x;

        s->cs.opts.send = sctp_send;
        s->cs.opts.reset = sctp_reset;
        s->cs.opts.remote_max = NGX_WEBRTC_SCTP_MESSAGE;

        memset(&opts, 0, sizeof(opts));
        opts.send = on_packet;
        opts.state = on_state;
        opts.message = on_sctp_message;
        opts.reset = on_sctp_reset;
        opts.writable = on_writable;
        opts.ctx = s;

        if (ngx_webrtc_sctp_init(&s->end.assoc, net.sctp, &opts) != NGX_OK) {
            tap_fail("sctp init");
        }

        ngx_webrtc_sctp_start(&s->end.assoc, net_ms());
    }
}


static void
stop(void)
{
    ngx_webrtc_sctp_cleanup(&x.end.assoc);
    ngx_webrtc_sctp_cleanup(&y.end.assoc);
    net_flush(&x.end);
    net_flush(&y.end);
}


static void
test_sctp(void)
{
    ngx_str_t              label = ngx_string("files");
    ngx_str_t              protocol = ngx_string("range.v1");
    ngx_uint_t             i;
    ngx_webrtc_channel_t  *ch, *other;

    static u_char  big[NGX_WEBRTC_SCTP_MESSAGE];

    net.delay_us = 20000;

    for (i = 0; i < 2; i++) {
        net.loss = i ? 100 : 0;
        start();

        ch = ngx_webrtc_channel_open(&y.cs, &label, &protocol, 0, 0);
        net_run(&x.end, &y.end, 30000);

        tap_ok(x.opened == 1 && y.opened == 1 && x.ch->id == 0
               && strcmp((char *) x.ch->label, "files") == 0
               && strcmp((char *) x.ch->protocol, "range.v1") == 0,
               "sctp: opened, loss %u", (unsigned) net.loss);

        x.echo = 1;
        ngx_webrtc_channel_send(ch, 1, (u_char *) "hello", 5);
        ngx_webrtc_channel_send(ch, 1, NULL, 0);
        ngx_webrtc_channel_send(ch, 0, NULL, 0);
        ngx_webrtc_channel_send(ch, 0, big, sizeof(big));
        net_run(&x.end, &y.end, 60000);

        tap_ok(y.messages == 4 && y.strings == 2 && y.empty == 2
               && y.len == sizeof(big), "sctp: echoed");

        /* closed, and the id used again and again */

        x.close_on_message = 1;
        ngx_webrtc_channel_send(ch, 0, big, 10);
        net_run(&x.end, &y.end, 60000);
        tap_ok(x.closed == 1 && y.closed == 1 && y.messages == 5,
               "sctp: closed by the other side behind its answer");

        x.close_on_message = 0;
        ch = ngx_webrtc_channel_open(&y.cs, &label, &protocol, 0, 0);
        ngx_webrtc_channel_send(ch, 0, big, 100000);
        tap_is_int(ch->id, 0, "sctp: the same id");
        ngx_webrtc_channel_close(ch);
        net_run(&x.end, &y.end, 60000);
        tap_ok(x.closed == 2 && y.closed == 2 && x.opened == 2
               && x.messages == 6, "sctp: opened, used and closed at once");

        ch = ngx_webrtc_channel_open(&y.cs, &label, &protocol, 0, 0);
        other = ngx_webrtc_channel_open(&x.cs, &label, &protocol, 0, 0);
        tap_ok(ch->id == 0 && other->id == 1, "sctp: one by each side");
        net_run(&x.end, &y.end, 60000);
        tap_ok(x.opened == 4 && y.opened == 3, "sctp: both are open");

        ngx_webrtc_channel_close(ch);
        ngx_webrtc_channel_close(ngx_webrtc_channel_find(&x.cs, 0));
        ngx_webrtc_channel_close(other);
        net_run(&x.end, &y.end, 60000);
        tap_ok(x.closed == 4 && y.closed == 4, "sctp: closed by both at once");

        ch = ngx_webrtc_channel_negotiated(&x.cs, 100, 0x81, 3);
        other = ngx_webrtc_channel_negotiated(&y.cs, 100, 0x81, 3);
        ngx_webrtc_channel_send(ch, 1, (u_char *) "n", 1);
        net_run(&x.end, &y.end, 5000);
        tap_ok(y.messages >= 5, "sctp: negotiated");

        ngx_webrtc_sctp_abort(&x.end.assoc);
        ngx_webrtc_channels_down(&x.cs);
        net.loss = 0;
        net_run(&x.end, &y.end, 1000);

        if (i == 0) {
            tap_ok(x.closed == 5 && y.closed == 5, "sctp: aborted");
        }

        stop();
    }
}


int
main(void)
{
    test_opened();
    test_open();
    test_messages();
    test_close();

    net.sctp = ngx_webrtc_sctp_create(4, NGX_WEBRTC_SCTP_CRC_AUTO, net_ms());
    test_sctp();
    ngx_webrtc_sctp_destroy(net.sctp);

    return tap_done();
}
