
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: DCEP and the channels.  The input is a byte for the role and
 * what SCTP answers, then operations: a byte with what to do in the low three
 * bits and the stream in the upper ones, then what it needs.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_channel.h>


#define SLOTS  4


static ngx_webrtc_channels_t  cs;
static ngx_webrtc_channel_t   slots[SLOTS];
static uint8_t                mode;
static ngx_int_t              live;          /* channels that the user knows */


static void
check(int ok)
{
    if (!ok) {
        abort();
    }
}


static ngx_int_t
on_send(void *ctx, uint16_t stream, uint32_t ppid, uint8_t type,
    uint32_t reliability, const u_char *p, size_t n)
{
    ngx_webrtc_dcep_t  dcep;

    (void) ctx;
    (void) stream;
    (void) type;
    (void) reliability;

    check(n > 0);

    if (ppid == NGX_WEBRTC_PPID_DCEP) {
        check(ngx_webrtc_dcep_parse((u_char *) p, (u_char *) p + n, &dcep)
              == NGX_OK);
    }

    return (mode & 2) ? NGX_AGAIN : (mode & 4) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
on_reset(void *ctx, uint16_t stream)
{
    (void) ctx;
    (void) stream;

    return (mode & 8) ? NGX_DECLINED : NGX_OK;
}


static void
on_open(void *ctx, ngx_webrtc_channel_t *ch)
{
    (void) ctx;

    check(ch->state == NGX_WEBRTC_CHANNEL_OPEN
          && ngx_webrtc_channel_find(&cs, ch->id) == ch);

    if (ch->data == NULL) {
        ch->data = &cs;
        live++;
    }

    if (mode & 16) {
        ngx_webrtc_channel_close(ch);
    }
}


static void
on_message(void *ctx, ngx_webrtc_channel_t *ch, ngx_uint_t string, u_char *p,
    size_t n)
{
    (void) ctx;

    check(ch->state == NGX_WEBRTC_CHANNEL_OPEN);

    (void) ngx_webrtc_channel_send(ch, string, p, n);

    if (mode & 32) {
        ngx_webrtc_channel_close(ch);
    }
}


static void
on_closed(void *ctx, ngx_webrtc_channel_t *ch)
{
    (void) ctx;

    check(ch->state == NGX_WEBRTC_CHANNEL_CLOSING);

    if (ch->data) {
        ch->data = NULL;
        live--;
    }
}


static void
one_message(const uint8_t *data, size_t n)
{
    u_char             *p, *out, *last;
    ngx_webrtc_dcep_t   dcep;

    p = malloc(n + (n == 0));
    memcpy(p, data, n);

    if (ngx_webrtc_dcep_parse(p, p + n, &dcep) == NGX_OK) {

        /* what was parsed prints as it was */

        out = malloc(n);
        last = ngx_webrtc_dcep_write(out, out + n, &dcep);

        check(last != NULL);
        check(memcmp(out, p, last - out) == 0);
        check(dcep.type == NGX_WEBRTC_DCEP_ACK || last == out + n);

        free(out);
    }

    free(p);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                      n;
    u_char                     *copy;
    uint8_t                     op, stream;
    ngx_uint_t                  i;
    ngx_str_t                   label = ngx_string("l");
    const uint8_t              *end;
    ngx_webrtc_channel_t       *ch;
    ngx_webrtc_channel_opts_t   opts;

    static const uint32_t  ppids[] = { 50, 51, 53, 56, 57, 52, 0, 50 };

    one_message(data, size);

    if (size == 0) {
        return 0;
    }

    end = data + size;
    mode = *data++;
    live = 0;

    memset(&opts, 0, sizeof(opts));

    opts.role = (mode & 1) ? NGX_WEBRTC_DTLS_CLIENT : NGX_WEBRTC_DTLS_SERVER;
    opts.remote_max = 1000;
    opts.slots = slots;
    opts.nslots = SLOTS;
    opts.send = on_send;
    opts.reset = on_reset;
    opts.open = on_open;
    opts.message = on_message;
    opts.closed = on_closed;

    ngx_webrtc_channels_init(&cs, &opts);

    while (end - data >= 2) {
        op = data[0] & 7;
        stream = (data[0] >> 3) & 7;
        n = data[1];
        data += 2;

        switch (op) {

        case 0:
        case 1:
        case 2:
            i = n >> 5;
            n = ngx_min((n & 31), (size_t) (end - data));
            copy = malloc(n + 1);
            memcpy(copy, data, n);
            copy[n] = 0;
            (void) ngx_webrtc_channels_input(&cs, stream, ppids[i], copy,
                                             n + (i == 3 || i == 4));
            free(copy);
            data += n;
            break;

        case 3:
            ngx_webrtc_channels_reset(&cs, 1 + (n & 1),
                                      (n & 2) ? 65535 : stream);
            break;

        case 4:
            mode = (uint8_t) ((mode & 1) | (n & ~1u));
            ngx_webrtc_channels_writable(&cs);
            break;

        case 5:
            ch = (n & 1) ? ngx_webrtc_channel_open(&cs, &label, &label, n & 130,
                                                   n)
                         : ngx_webrtc_channel_negotiated(&cs, stream, 0, 0);

            if (ch && ch->data == NULL) {
                ch->data = &cs;
                live++;
            }

            break;

        case 6:
            ch = ngx_webrtc_channel_find(&cs, stream);

            if (ch && (n & 1)) {
                ngx_webrtc_channel_close(ch);

            } else if (ch) {
                (void) ngx_webrtc_channel_send(ch, n & 2, data,
                                               ngx_min(n, (size_t)
                                                          (end - data)));
            }

            break;

        default:

            if (n & 1) {
                ngx_webrtc_channels_down(&cs);
                check(live == 0);

            } else {
                ngx_webrtc_channels_up(&cs, n);
            }
        }

        check(live >= 0 && live <= SLOTS);
    }

    ngx_webrtc_channels_down(&cs);
    check(live == 0);

    return 0;
}
