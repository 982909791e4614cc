
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * DataChannels: see the header file.  RFC 8831, RFC 8832.
 *
 * Closing.  Each side resets its own direction of the stream (RFC 8831, 6.7).
 * A channel is CLOSING from the first reset, requested by us or made by the
 * peer, until both are done; then its id may be used again.  The peer may see
 * that before we do, as the packet that tells us about our direction may be
 * lost.  An OPEN for a channel whose incoming direction is reset is therefore
 * accepted, and answered once our direction has been reset too; likewise the
 * first message of a negotiated channel.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_channel.h>


/* as of ngx_webrtc_sctp_reset_pt */
#define NGX_WEBRTC_CHANNEL_RESET_IN   1
#define NGX_WEBRTC_CHANNEL_RESET_ALL  65535

/* bytes of the longest message of DCEP that we send */
#define NGX_WEBRTC_CHANNEL_DCEP                                               \
    (NGX_WEBRTC_DCEP_OPEN_HEADER + 2 * NGX_WEBRTC_CHANNEL_TEXT)


static ngx_int_t ngx_webrtc_channels_dcep(ngx_webrtc_channels_t *cs,
    uint16_t stream, u_char *p, size_t n);
static ngx_int_t ngx_webrtc_channels_opened(ngx_webrtc_channels_t *cs,
    uint16_t stream, ngx_webrtc_dcep_t *dcep);
static ngx_int_t ngx_webrtc_channels_unopened(ngx_webrtc_channels_t *cs,
    uint16_t stream, ngx_uint_t string, u_char *p, size_t n);
static ngx_int_t ngx_webrtc_channels_stray(ngx_webrtc_channels_t *cs);
static ngx_webrtc_channel_t *ngx_webrtc_channels_slot(
    ngx_webrtc_channels_t *cs, ngx_uint_t id);
static void ngx_webrtc_channel_established(ngx_webrtc_channel_t *ch);
static void ngx_webrtc_channel_flush(ngx_webrtc_channel_t *ch);
static void ngx_webrtc_channel_was_reset(ngx_webrtc_channel_t *ch,
    ngx_uint_t what);
static void ngx_webrtc_channel_end(ngx_webrtc_channel_t *ch);
static void ngx_webrtc_channel_tell(ngx_webrtc_channel_t *ch);
static size_t ngx_webrtc_channel_copy(u_char *dst, const ngx_str_t *src);


void
ngx_webrtc_channels_init(ngx_webrtc_channels_t *cs,
    const ngx_webrtc_channel_opts_t *opts)
{
    ngx_memzero(cs, sizeof(ngx_webrtc_channels_t));

    cs->opts = *opts;
    cs->streams = NGX_WEBRTC_CHANNEL_RESET_ALL;

    ngx_memzero(opts->slots, opts->nslots * sizeof(ngx_webrtc_channel_t));
}


void
ngx_webrtc_channels_up(ngx_webrtc_channels_t *cs, ngx_uint_t streams)
{
    ngx_uint_t             i;
    ngx_webrtc_channel_t  *ch;

    cs->up = 1;
    cs->streams = ngx_min(streams, NGX_WEBRTC_CHANNEL_RESET_ALL);

    for (i = 0; i < cs->opts.nslots; i++) {
        ch = &cs->opts.slots[i];

        if (ch->state != NGX_WEBRTC_CHANNEL_FREE && ch->id >= cs->streams) {
            ngx_webrtc_channel_end(ch);
        }
    }

    ngx_webrtc_channels_writable(cs);
}


void
ngx_webrtc_channels_down(ngx_webrtc_channels_t *cs)
{
    ngx_uint_t  i;

    cs->up = 0;

    for (i = 0; i < cs->opts.nslots; i++) {
        if (cs->opts.slots[i].state != NGX_WEBRTC_CHANNEL_FREE) {
            ngx_webrtc_channel_end(&cs->opts.slots[i]);
        }
    }
}


ngx_int_t
ngx_webrtc_channels_input(ngx_webrtc_channels_t *cs, uint16_t stream,
    uint32_t ppid, u_char *p, size_t n)
{
    ngx_uint_t             string;
    ngx_webrtc_channel_t  *ch;

    switch (ppid) {

    case NGX_WEBRTC_PPID_DCEP:
        return ngx_webrtc_channels_dcep(cs, stream, p, n);

    case NGX_WEBRTC_PPID_STRING:
        string = 1;
        break;

    case NGX_WEBRTC_PPID_BINARY:
        string = 0;
        break;

    case NGX_WEBRTC_PPID_STRING_EMPTY:
        string = 1;
        n = 0;
        break;

    case NGX_WEBRTC_PPID_BINARY_EMPTY:
        string = 0;
        n = 0;
        break;

    default:
        cs->malformed++;
        return NGX_DECLINED;
    }

    ch = ngx_webrtc_channel_find(cs, stream);

    if (ch && ch->state == NGX_WEBRTC_CHANNEL_CLOSING && ch->negotiated
        && ch->reset_in)
    {
        /* of the next channel with that id */

        ngx_webrtc_channel_end(ch);
        ch = NULL;
    }

    if (ch == NULL) {

        if (ngx_webrtc_channels_unopened(cs, stream, string, p, n) != NGX_OK) {
            return ngx_webrtc_channels_stray(cs);
        }

        ch = ngx_webrtc_channel_find(cs, stream);

        if (ch == NULL) {
            return NGX_OK;
        }
    }

    if (ch->state == NGX_WEBRTC_CHANNEL_CLOSING) {

        /* it was sent before the peer knew */

        return NGX_OK;
    }

    if (ch->state == NGX_WEBRTC_CHANNEL_OPENING) {

        /* it overtook the ACK, as unordered messages may */

        ngx_webrtc_channel_established(ch);

        if (ch->state != NGX_WEBRTC_CHANNEL_OPEN) {
            return NGX_OK;
        }
    }

    cs->opts.message(cs->opts.ctx, ch, string, p, n);

    return NGX_OK;
}


void
ngx_webrtc_channels_reset(ngx_webrtc_channels_t *cs, ngx_uint_t what,
    uint16_t stream)
{
    ngx_uint_t             i;
    ngx_webrtc_channel_t  *ch;

    if (what == NGX_WEBRTC_CHANNEL_RESET_IN) {

        if (stream == NGX_WEBRTC_CHANNEL_RESET_ALL) {
            ngx_memzero(cs->barred, sizeof(cs->barred));

        } else if (stream < NGX_WEBRTC_CHANNEL_BARRED) {
            cs->barred[stream / 8] &= (uint8_t) ~(1 << stream % 8);
        }
    }

    for (i = 0; i < cs->opts.nslots; i++) {
        ch = &cs->opts.slots[i];

        if (ch->state != NGX_WEBRTC_CHANNEL_FREE
            && (stream == NGX_WEBRTC_CHANNEL_RESET_ALL || ch->id == stream))
        {
            ngx_webrtc_channel_was_reset(ch, what);
        }
    }
}


void
ngx_webrtc_channels_writable(ngx_webrtc_channels_t *cs)
{
    ngx_uint_t  i;

    if (!cs->owed || !cs->up) {
        return;
    }

    cs->owed = 0;

    for (i = 0; i < cs->opts.nslots; i++) {
        ngx_webrtc_channel_flush(&cs->opts.slots[i]);
    }
}


ngx_webrtc_channel_t *
ngx_webrtc_channel_open(ngx_webrtc_channels_t *cs, const ngx_str_t *label,
    const ngx_str_t *protocol, ngx_uint_t type, uint32_t reliability)
{
    ngx_uint_t             id;
    ngx_webrtc_channel_t  *ch;

    if (label->len > NGX_WEBRTC_CHANNEL_TEXT
        || protocol->len > NGX_WEBRTC_CHANNEL_TEXT)
    {
        return NULL;
    }

    /* RFC 8832, 6: the DTLS client has the even ones */

    id = (cs->opts.role == NGX_WEBRTC_DTLS_CLIENT) ? 0 : 1;

    while (id < cs->streams && ngx_webrtc_channel_find(cs, (uint16_t) id)) {
        id += 2;
    }

    ch = ngx_webrtc_channels_slot(cs, id);
    if (ch == NULL) {
        return NULL;
    }

    ch->state = NGX_WEBRTC_CHANNEL_OPENING;
    ch->type = (uint8_t) type;
    ch->reliability = reliability;
    ch->priority = NGX_WEBRTC_DCEP_PRIORITY;
    ch->label_len = (uint8_t) ngx_webrtc_channel_copy(ch->label, label);
    ch->protocol_len = (uint8_t) ngx_webrtc_channel_copy(ch->protocol,
                                                         protocol);
    ch->ours = 1;
    ch->open_owed = 1;

    /* if it is declined now, the user has not seen it: no callback */

    ch->told = 1;

    ngx_webrtc_channel_flush(ch);

    if (ch->state == NGX_WEBRTC_CHANNEL_FREE) {
        return NULL;
    }

    ch->told = 0;

    return ch;
}


ngx_webrtc_channel_t *
ngx_webrtc_channel_negotiated(ngx_webrtc_channels_t *cs, uint16_t id,
    ngx_uint_t type, uint32_t reliability)
{
    ngx_webrtc_channel_t  *ch;

    if (ngx_webrtc_channel_find(cs, id)) {
        return NULL;
    }

    ch = ngx_webrtc_channels_slot(cs, id);
    if (ch == NULL) {
        return NULL;
    }

    ch->state = NGX_WEBRTC_CHANNEL_OPEN;
    ch->type = (uint8_t) type;
    ch->reliability = reliability;
    ch->priority = NGX_WEBRTC_DCEP_PRIORITY;
    ch->negotiated = 1;
    ch->acked = 1;

    return ch;
}


ngx_int_t
ngx_webrtc_channel_send(ngx_webrtc_channel_t *ch, ngx_uint_t string,
    const u_char *p, size_t n)
{
    uint8_t                 type;
    uint32_t                ppid;
    ngx_webrtc_channels_t  *cs;

    static const u_char  zero[1];

    if (ch->state != NGX_WEBRTC_CHANNEL_OPEN
        && ch->state != NGX_WEBRTC_CHANNEL_OPENING)
    {
        return NGX_DECLINED;
    }

    cs = ch->channels;

    if (cs->opts.remote_max && n > cs->opts.remote_max) {
        return NGX_DECLINED;
    }

    if (ch->open_owed || ch->ack_owed || !cs->up) {
        return NGX_AGAIN;
    }

    ppid = string ? NGX_WEBRTC_PPID_STRING : NGX_WEBRTC_PPID_BINARY;

    if (n == 0) {

        /* RFC 8831, 6.6: SCTP has no empty messages, so one byte of zero */

        ppid = string ? NGX_WEBRTC_PPID_STRING_EMPTY
                      : NGX_WEBRTC_PPID_BINARY_EMPTY;
        p = zero;
        n = 1;
    }

    type = ch->type;

    if (ch->ours && !ch->acked) {

        /* RFC 8832, 6: in order, or it might come before the OPEN */

        type &= (uint8_t) ~NGX_WEBRTC_DCEP_UNORDERED;
    }

    return cs->opts.send(cs->opts.ctx, ch->id, ppid, type, ch->reliability, p,
                         n);
}


void
ngx_webrtc_channel_close(ngx_webrtc_channel_t *ch)
{
    ngx_webrtc_channels_t  *cs;

    if (ch->state != NGX_WEBRTC_CHANNEL_OPEN
        && ch->state != NGX_WEBRTC_CHANNEL_OPENING)
    {
        return;
    }

    cs = ch->channels;

    ch->state = NGX_WEBRTC_CHANNEL_CLOSING;
    ch->ack_owed = 0;

    if (!cs->up || ch->open_owed
        || cs->opts.reset(cs->opts.ctx, ch->id) != NGX_OK)
    {
        ngx_webrtc_channel_end(ch);
    }
}


ngx_webrtc_channel_t *
ngx_webrtc_channel_find(ngx_webrtc_channels_t *cs, uint16_t id)
{
    ngx_uint_t             i;
    ngx_webrtc_channel_t  *ch;

    for (i = 0; i < cs->opts.nslots; i++) {
        ch = &cs->opts.slots[i];

        if (ch->id == id && ch->state != NGX_WEBRTC_CHANNEL_FREE) {
            return ch;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_webrtc_channels_dcep(ngx_webrtc_channels_t *cs, uint16_t stream,
    u_char *p, size_t n)
{
    ngx_webrtc_dcep_t      dcep;
    ngx_webrtc_channel_t  *ch;

    if (ngx_webrtc_dcep_parse(p, p + n, &dcep) != NGX_OK) {
        cs->malformed++;
        return NGX_DECLINED;
    }

    if (dcep.type == NGX_WEBRTC_DCEP_OPEN) {
        return ngx_webrtc_channels_opened(cs, stream, &dcep);
    }

    ch = ngx_webrtc_channel_find(cs, stream);

    if (ch == NULL) {
        return ngx_webrtc_channels_stray(cs);
    }

    if (!ch->ours || ch->acked || ch->open_owed) {
        cs->malformed++;
        return NGX_DECLINED;
    }

    ch->acked = 1;

    if (ch->state == NGX_WEBRTC_CHANNEL_OPENING) {
        ngx_webrtc_channel_established(ch);
    }

    return NGX_OK;
}


/* RFC 8832, 6: the peer opens a channel */

static ngx_int_t
ngx_webrtc_channels_opened(ngx_webrtc_channels_t *cs, uint16_t stream,
    ngx_webrtc_dcep_t *dcep)
{
    ngx_uint_t             ours;
    ngx_webrtc_channel_t  *ch;

    ch = ngx_webrtc_channel_find(cs, stream);

    if (ch && (ch->state != NGX_WEBRTC_CHANNEL_CLOSING || !ch->reset_in)) {

        /* in use: what is there stays */

        cs->refused++;
        return NGX_DECLINED;
    }

    ours = ((stream & 1) == 0) == (cs->opts.role == NGX_WEBRTC_DTLS_CLIENT);

    if (ch && !ours) {
        ngx_webrtc_channel_end(ch);
    }

    ch = NULL;

    if (!ours && cs->opts.open && cs->up) {
        ch = ngx_webrtc_channels_slot(cs, stream);
    }

    if (ch == NULL) {

        /* "the channel MUST be closed" by the procedures of RFC 8831, 6.7 */

        cs->refused++;

        if (stream < NGX_WEBRTC_CHANNEL_BARRED) {
            cs->barred[stream / 8] |= (uint8_t) (1 << stream % 8);
        }

        (void) cs->opts.reset(cs->opts.ctx, stream);

        return ngx_webrtc_channels_stray(cs);
    }

    ch->type = dcep->channel_type;
    ch->reliability = dcep->reliability;
    ch->priority = dcep->priority;
    ch->label_len = (uint8_t) ngx_webrtc_channel_copy(ch->label, &dcep->label);
    ch->protocol_len = (uint8_t) ngx_webrtc_channel_copy(ch->protocol,
                                                         &dcep->protocol);
    ch->state = NGX_WEBRTC_CHANNEL_OPEN;
    ch->ack_owed = 1;
    ch->told = 1;

    ngx_webrtc_channel_flush(ch);

    if (ch->state == NGX_WEBRTC_CHANNEL_OPEN) {
        ch->told = 0;
        cs->opts.open(cs->opts.ctx, ch);
    }

    return NGX_OK;
}


/* RFC 8831, 6.4: a channel negotiated by other means has no OPEN */

static ngx_int_t
ngx_webrtc_channels_unopened(ngx_webrtc_channels_t *cs, uint16_t stream,
    ngx_uint_t string, u_char *p, size_t n)
{
    if (cs->opts.unopened == NULL || !cs->up
        || stream >= NGX_WEBRTC_CHANNEL_BARRED
        || (cs->barred[stream / 8] & 1 << stream % 8))
    {
        return NGX_DECLINED;
    }

    return cs->opts.unopened(cs->opts.ctx, stream, string, p, n);
}


static ngx_int_t
ngx_webrtc_channels_stray(ngx_webrtc_channels_t *cs)
{
    return (++cs->strays > NGX_WEBRTC_CHANNEL_STRAYS) ? NGX_ERROR
                                                      : NGX_DECLINED;
}


/* an empty channel with that id, or NULL */

static ngx_webrtc_channel_t *
ngx_webrtc_channels_slot(ngx_webrtc_channels_t *cs, ngx_uint_t id)
{
    ngx_uint_t             i;
    ngx_webrtc_channel_t  *ch;

    if (id >= cs->streams) {
        return NULL;
    }

    for (i = 0; i < cs->opts.nslots; i++) {
        ch = &cs->opts.slots[i];

        if (ch->state == NGX_WEBRTC_CHANNEL_FREE) {
            ngx_memzero(ch, sizeof(ngx_webrtc_channel_t));

            ch->channels = cs;
            ch->id = (uint16_t) id;

            return ch;
        }
    }

    return NULL;
}


static void
ngx_webrtc_channel_established(ngx_webrtc_channel_t *ch)
{
    ngx_webrtc_channels_t  *cs;

    cs = ch->channels;
    ch->state = NGX_WEBRTC_CHANNEL_OPEN;

    if (cs->opts.open) {
        cs->opts.open(cs->opts.ctx, ch);
    }
}


/* sends the DCEP messages owed: ordered and reliable (RFC 8832, 6) */

static void
ngx_webrtc_channel_flush(ngx_webrtc_channel_t *ch)
{
    u_char                  buf[NGX_WEBRTC_CHANNEL_DCEP], *p;
    ngx_int_t               rc;
    ngx_webrtc_dcep_t       dcep;
    ngx_webrtc_channels_t  *cs;

    if (!ch->open_owed && !ch->ack_owed) {
        return;
    }

    cs = ch->channels;

    if (!cs->up) {
        cs->owed = 1;
        return;
    }

    dcep.type = ch->open_owed ? NGX_WEBRTC_DCEP_OPEN : NGX_WEBRTC_DCEP_ACK;
    dcep.channel_type = ch->type;
    dcep.priority = ch->priority;
    dcep.reliability = ch->reliability;
    dcep.label.data = ch->label;
    dcep.label.len = ch->label_len;
    dcep.protocol.data = ch->protocol;
    dcep.protocol.len = ch->protocol_len;

    p = ngx_webrtc_dcep_write(buf, buf + sizeof(buf), &dcep);

    rc = cs->opts.send(cs->opts.ctx, ch->id, NGX_WEBRTC_PPID_DCEP,
                       NGX_WEBRTC_DCEP_RELIABLE, 0, buf, p - buf);

    if (rc == NGX_AGAIN) {
        cs->owed = 1;
        return;
    }

    if (rc == NGX_OK) {
        ch->open_owed = 0;
        ch->ack_owed = 0;
        return;
    }

    /* nobody has seen it yet, unless it was owed for a while */

    ch->state = NGX_WEBRTC_CHANNEL_CLOSING;
    ngx_webrtc_channel_end(ch);
}


static void
ngx_webrtc_channel_was_reset(ngx_webrtc_channel_t *ch, ngx_uint_t what)
{
    ngx_webrtc_channels_t  *cs;

    cs = ch->channels;

    if (what != NGX_WEBRTC_CHANNEL_RESET_IN) {

        if (ch->state == NGX_WEBRTC_CHANNEL_CLOSING) {
            ch->reset_out = 1;

        } else {

            /* of the channel that had this id before: now this one may send */

            ngx_webrtc_channel_flush(ch);
            return;
        }

    } else {
        ch->reset_in = 1;

        if (ch->state != NGX_WEBRTC_CHANNEL_CLOSING) {
            ch->state = NGX_WEBRTC_CHANNEL_CLOSING;
            ch->ack_owed = 0;

            /* RFC 8831, 6.7: "MUST also reset the corresponding outgoing" */

            if (ch->open_owed
                || cs->opts.reset(cs->opts.ctx, ch->id) != NGX_OK)
            {
                ch->reset_out = 1;
            }

            ngx_webrtc_channel_tell(ch);
        }
    }

    if (ch->reset_in && ch->reset_out) {
        ngx_webrtc_channel_end(ch);
    }
}


static void
ngx_webrtc_channel_end(ngx_webrtc_channel_t *ch)
{
    ch->state = NGX_WEBRTC_CHANNEL_CLOSING;

    ngx_webrtc_channel_tell(ch);

    ch->state = NGX_WEBRTC_CHANNEL_FREE;
}


static void
ngx_webrtc_channel_tell(ngx_webrtc_channel_t *ch)
{
    ngx_webrtc_channels_t  *cs;

    if (ch->told) {
        return;
    }

    ch->told = 1;
    cs = ch->channels;

    if (cs->opts.closed) {
        cs->opts.closed(cs->opts.ctx, ch);
    }
}


static size_t
ngx_webrtc_channel_copy(u_char *dst, const ngx_str_t *src)
{
    size_t  n;

    n = ngx_min(src->len, NGX_WEBRTC_CHANNEL_TEXT);

    if (n) {
        ngx_memcpy(dst, src->data, n);
    }

    dst[n] = '\0';

    return n;
}
