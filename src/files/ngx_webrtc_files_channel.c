
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file session's association and its channels: passes events of SCTP and DCEP
 * to the ranges of a channel, and their frames back.  RFC 8831, RFC 8832.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_files_channel.h"
#include "ngx_webrtc_files_account.h"
#include "ngx_webrtc_files_play.h"


static void ngx_webrtc_files_channel_sctp_send(void *ctx, u_char *p, size_t n);
static void ngx_webrtc_files_channel_sctp_state(void *ctx,
    ngx_webrtc_sctp_state_e state);
static void ngx_webrtc_files_channel_sctp_message(void *ctx, uint16_t stream,
    uint32_t ppid, u_char *p, size_t n);
static void ngx_webrtc_files_channel_sctp_reset(void *ctx, ngx_uint_t what,
    uint16_t stream);
static void ngx_webrtc_files_channel_sctp_writable(void *ctx);
static void ngx_webrtc_files_channel_sctp_timer(ngx_event_t *ev);
static ngx_int_t ngx_webrtc_files_channel_send(void *ctx, uint16_t stream,
    uint32_t ppid, uint8_t type, uint32_t reliability, const u_char *p,
    size_t n);
static ngx_int_t ngx_webrtc_files_channel_reset(void *ctx, uint16_t stream);
static void ngx_webrtc_files_channel_open(void *ctx, ngx_webrtc_channel_t *ch);
static ngx_int_t ngx_webrtc_files_channel_unopened(void *ctx, uint16_t id,
    ngx_uint_t string, u_char *p, size_t n);
static void ngx_webrtc_files_channel_message(void *ctx,
    ngx_webrtc_channel_t *ch, ngx_uint_t string, u_char *p, size_t n);
static void ngx_webrtc_files_channel_closed(void *ctx,
    ngx_webrtc_channel_t *ch);
static ngx_int_t ngx_webrtc_files_channel_frame(void *ctx, u_char *p, size_t n);


ngx_int_t
ngx_webrtc_files_channel_associate(ngx_webrtc_files_t *f)
{
    ngx_webrtc_session_t       *s;
    ngx_webrtc_sctp_opts_t      sctp;
    ngx_webrtc_channel_opts_t   channels;
    ngx_webrtc_files_worker_t  *fw;

    s = f->session;
    fw = f->fw;

    if (fw->sctp == NULL) {

        fw->sctp = ngx_webrtc_sctp_create(NGX_WEBRTC_FILES_SESSIONS,
                                          NGX_WEBRTC_SCTP_CRC_AUTO,
                                          ngx_current_msec);
        if (fw->sctp == NULL) {
            ngx_log_error(NGX_LOG_CRIT, &s->log, 0, "webrtc sctp init failed");
            return NGX_ERROR;
        }

        fw->timer.handler = ngx_webrtc_files_channel_sctp_timer;
        fw->timer.data = fw;
        fw->timer.log = fw->wk->log;
        fw->timer.cancelable = 1;
    }

    if (fw->frame == NULL) {
        fw->frame = ngx_alloc(NGX_WEBRTC_FILES_FRAME, fw->wk->log);
        if (fw->frame == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memzero(&sctp, sizeof(ngx_webrtc_sctp_opts_t));

    sctp.remote_port = s->peer->desc.sctp_port;
    sctp.low = NGX_WEBRTC_RANGES_LOW;
    sctp.batches = 1;
    sctp.send = ngx_webrtc_files_channel_sctp_send;
    sctp.state = ngx_webrtc_files_channel_sctp_state;
    sctp.message = ngx_webrtc_files_channel_sctp_message;
    sctp.reset = ngx_webrtc_files_channel_sctp_reset;
    sctp.writable = ngx_webrtc_files_channel_sctp_writable;
    sctp.ctx = f;

    if (ngx_webrtc_sctp_init(&f->assoc, fw->sctp, &sctp) != NGX_OK) {
        return NGX_ERROR;
    }

    f->sctp = 1;

    ngx_memzero(&channels, sizeof(ngx_webrtc_channel_opts_t));

    channels.role = s->peer->desc.dtls_role;
    channels.remote_max = s->peer->desc.max_message;
    channels.slots = f->slots;
    channels.nslots = NGX_WEBRTC_CHANNELS;
    channels.send = ngx_webrtc_files_channel_send;
    channels.reset = ngx_webrtc_files_channel_reset;
    channels.open = ngx_webrtc_files_channel_open;
    channels.unopened = ngx_webrtc_files_channel_unopened;
    channels.message = ngx_webrtc_files_channel_message;
    channels.closed = ngx_webrtc_files_channel_closed;
    channels.ctx = f;

    ngx_webrtc_channels_init(&f->channels, &channels);

    if (ngx_webrtc_sctp_start(&f->assoc, ngx_current_msec) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_webrtc_files_channel_arm(fw);
    ngx_webrtc_udp_flush(fw->wk->udp);

    return NGX_OK;
}


void
ngx_webrtc_files_channel_input(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    ngx_webrtc_files_t  *f;

    f = s->part;

    if (f == NULL || s->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    if (ngx_webrtc_sctp_input(&f->assoc, p, n, ngx_current_msec) != NGX_OK) {
        ngx_webrtc_session_complain(s, "bad sctp packet");
        return;
    }

    if (!f->batched) {
        f->batched = 1;
        ngx_queue_insert_tail(&f->fw->batch, &f->queue);
    }
}


/* the packets of a batch have come in */

void
ngx_webrtc_files_channel_batch(void *state)
{
    ngx_webrtc_files_worker_t *fw = state;

    ngx_queue_t         *q;
    ngx_webrtc_files_t  *f;

    if (ngx_queue_empty(&fw->batch)) {
        return;
    }

    while (!ngx_queue_empty(&fw->batch)) {
        q = ngx_queue_head(&fw->batch);
        f = ngx_queue_data(q, ngx_webrtc_files_t, queue);

        ngx_queue_remove(q);
        f->batched = 0;

        ngx_webrtc_sctp_flush(&f->assoc, ngx_current_msec);

        ngx_webrtc_transport_rest(&f->session->transport,
                                  ngx_webrtc_sctp_rest(&f->assoc));

        if (ngx_webrtc_files_idle(f)) {
            ngx_webrtc_files_wake(f);
        }

        ngx_webrtc_files_account(f);
    }

    ngx_webrtc_files_channel_arm(fw);
}


static void
ngx_webrtc_files_channel_sctp_send(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    (void) ngx_webrtc_dtls_send(&f->session->dtls, p, n);
}


static void
ngx_webrtc_files_channel_sctp_state(void *ctx, ngx_webrtc_sctp_state_e state)
{
    ngx_webrtc_files_t *f = ctx;

    switch (state) {

    case NGX_WEBRTC_SCTP_OPEN:
        ngx_webrtc_channels_up(&f->channels, f->assoc.streams);
        break;

    case NGX_WEBRTC_SCTP_CLOSED:
        ngx_webrtc_session_close(f->session, "association closed by peer");
        break;

    case NGX_WEBRTC_SCTP_FAILED:
        ngx_webrtc_session_close(f->session, f->assoc.reason
                                             ? f->assoc.reason
                                             : "association failed");
        break;

    default:
        break;
    }
}


static void
ngx_webrtc_files_channel_sctp_message(void *ctx, uint16_t stream, uint32_t ppid,
    u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_session_t  *s;

    s = f->session;

    ngx_webrtc_atomic_add(&s->peer->stat.packets_in, 1);
    ngx_webrtc_atomic_add(&s->peer->stat.bytes_in, n);

    switch (ngx_webrtc_channels_input(&f->channels, stream, ppid, p, n)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        ngx_webrtc_session_complain(s, "message without a channel");
        break;

    default:
        ngx_webrtc_session_close(s, "too many messages to no channel");
        break;
    }
}


static void
ngx_webrtc_files_channel_sctp_reset(void *ctx, ngx_uint_t what, uint16_t stream)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_channels_reset(&f->channels, what, stream);
}


static void
ngx_webrtc_files_channel_sctp_writable(void *ctx)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_channels_writable(&f->channels);
    ngx_webrtc_files_wake(f);
}


/* the worker's SCTP timer */

void
ngx_webrtc_files_channel_arm(ngx_webrtc_files_worker_t *fw)
{
    uint64_t      deadline;
    ngx_msec_t    delay;
    ngx_event_t  *ev;

    ev = &fw->timer;

    deadline = ngx_webrtc_sctp_deadline(fw->sctp);

    if (deadline == NGX_WEBRTC_SCTP_NO_DEADLINE) {
        if (ev->timer_set) {
            ngx_del_timer(ev);
        }

        return;
    }

    delay = ((int64_t) (deadline - ngx_current_msec) > 0)
            ? (ngx_msec_t) (deadline - ngx_current_msec) : 0;

    if (ev->timer_set) {

        if (ev->timer.key == ngx_current_msec + delay) {
            return;
        }

        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, delay);
}


static void
ngx_webrtc_files_channel_sctp_timer(ngx_event_t *ev)
{
    ngx_webrtc_files_worker_t  *fw;

    fw = ev->data;

    ngx_webrtc_sctp_timeout(fw->sctp, ngx_current_msec);

    ngx_webrtc_udp_flush(fw->wk->udp);
    ngx_webrtc_files_channel_arm(fw);
}


static ngx_int_t
ngx_webrtc_files_channel_send(void *ctx, uint16_t stream, uint32_t ppid,
    uint8_t type, uint32_t reliability, const u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_sctp_msg_t  msg;

    ngx_memzero(&msg, sizeof(ngx_webrtc_sctp_msg_t));

    msg.stream = stream;
    msg.ppid = ppid;
    msg.unordered = (type & NGX_WEBRTC_DCEP_UNORDERED) ? 1 : 0;
    msg.value = reliability;

    switch (type & ~NGX_WEBRTC_DCEP_UNORDERED) {

    case NGX_WEBRTC_DCEP_REXMIT:
        msg.policy = NGX_WEBRTC_SCTP_REXMIT;
        break;

    case NGX_WEBRTC_DCEP_TIMED:
        msg.policy = NGX_WEBRTC_SCTP_TIMED;
        break;

    default:
        msg.policy = NGX_WEBRTC_SCTP_RELIABLE;
        break;
    }

    return ngx_webrtc_sctp_send(&f->assoc, &msg, p, n, ngx_current_msec);
}


static ngx_int_t
ngx_webrtc_files_channel_reset(void *ctx, uint16_t stream)
{
    ngx_webrtc_files_t *f = ctx;

    return ngx_webrtc_sctp_reset(&f->assoc, stream, ngx_current_msec);
}


static void
ngx_webrtc_files_channel_open(void *ctx, ngx_webrtc_channel_t *ch)
{
    ngx_webrtc_files_t *f = ctx;

    size_t                       chunk;
    ngx_webrtc_ranges_opts_t     opts;
    ngx_webrtc_files_channel_t  *fc;

    static ngx_str_t  protocol = ngx_string("range.v1");

    ch->data = NULL;

    /* frames of a range rely on their order, and on none being lost */

    if (ch->type != NGX_WEBRTC_DCEP_RELIABLE
        || (ch->protocol_len
            && (ch->protocol_len != protocol.len
                || ngx_memcmp(ch->protocol, protocol.data, protocol.len)
                   != 0)))
    {
        ngx_webrtc_session_complain(f->session,
                                    "channel of an unknown protocol, "
                                    "unordered or unreliable");
        ngx_webrtc_channel_close(ch);
        return;
    }

    fc = ngx_calloc(sizeof(ngx_webrtc_files_channel_t), &f->session->log);

    if (fc == NULL) {
        ngx_webrtc_channel_close(ch);
        return;
    }

    ngx_memzero(&opts, sizeof(ngx_webrtc_ranges_opts_t));

    chunk = f->policy.file_chunk;
    chunk = ngx_min(chunk, f->session->peer->desc.max_message
                           - NGX_WEBRTC_RANGE_HEADER);

    /* a file that is remuxed has no bytes to be asked for */

    opts.size = f->file.playing ? 0 : f->size;
    opts.name.data = f->name;
    opts.name.len = f->name_len;
    opts.flags = NGX_WEBRTC_RANGE_SEEKABLE
                 | (f->growing ? NGX_WEBRTC_RANGE_GROWING : 0)
                 | (f->file.playing ? NGX_WEBRTC_RANGE_TRANSCODING : 0);
    opts.chunk = chunk;
    opts.high = NGX_WEBRTC_RANGES_HIGH;
    opts.low = NGX_WEBRTC_RANGES_LOW;
    opts.wait_ms = NGX_WEBRTC_RANGES_WAIT;
    opts.slots = &f->active;
    opts.send = ngx_webrtc_files_channel_frame;
    opts.ctx = fc;

    if (ngx_webrtc_ranges_init(&fc->ranges, &opts) != NGX_OK) {
        ngx_free(fc);
        ngx_webrtc_channel_close(ch);
        return;
    }

    fc->files = f;
    fc->ch = ch;
    fc->serial = ++f->serial;
    fc->hello = 1;

    if (f->file.playing && f->playing == NULL
        && ngx_webrtc_files_play_open(fc) != NGX_OK)
    {
        ngx_webrtc_ranges_cleanup(&fc->ranges);
        ngx_free(fc);
        ngx_webrtc_channel_close(ch);
        return;
    }

    ch->data = fc;
    f->served[ch - f->slots] = fc;

    if (!f->opened) {
        f->opened = 1;

        ngx_log_error(NGX_LOG_INFO, &f->session->log, 0,
                      "webrtc file channel open size:%uL ms:%M",
                      f->size, ngx_current_msec
                      - (ngx_msec_t) f->session->peer->created_ms);
    }

    ngx_webrtc_files_wake(f);
}


/*
 * A negotiated channel only shows by a frame from the client; it has to be
 * ordered and reliable, which cannot be checked here.
 */

static ngx_int_t
ngx_webrtc_files_channel_unopened(void *ctx, uint16_t id, ngx_uint_t string,
    u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_channel_t      *ch;
    ngx_webrtc_range_frame_t   frame;

    if (string || ngx_webrtc_range_parse(p, p + n, &frame) != NGX_OK) {
        return NGX_DECLINED;
    }

    switch (frame.type) {

    case NGX_WEBRTC_RANGE_REQ:
    case NGX_WEBRTC_RANGE_CANCEL:
    case NGX_WEBRTC_RANGE_PING:
    case NGX_WEBRTC_RANGE_SEEK_HINT:
        break;

    default:
        return NGX_DECLINED;
    }

    ch = ngx_webrtc_channel_negotiated(&f->channels, id,
                                       NGX_WEBRTC_DCEP_RELIABLE, 0);
    if (ch == NULL) {
        return NGX_DECLINED;
    }

    ngx_webrtc_files_channel_open(f, ch);

    return NGX_OK;
}


static void
ngx_webrtc_files_channel_message(void *ctx, ngx_webrtc_channel_t *ch,
    ngx_uint_t string, u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_files_channel_t  *fc;

    fc = ch->data;

    if (fc == NULL) {
        return;
    }

    if (string) {
        ngx_webrtc_ranges_malformed(&fc->ranges);
        ngx_webrtc_session_complain(f->session, "string on a file channel");
        return;
    }

    if (ngx_webrtc_ranges_input(&fc->ranges, p, n, ngx_current_msec)
        == NGX_DECLINED)
    {
        ngx_webrtc_session_complain(f->session, "malformed range frame");
        return;
    }

    if (fc->play) {
        ngx_webrtc_files_play_input(fc, p, n);
    }

    ngx_webrtc_files_wake(f);
}


static void
ngx_webrtc_files_channel_closed(void *ctx, ngx_webrtc_channel_t *ch)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_files_channel_t  *fc;

    fc = ch->data;

    if (fc == NULL) {
        return;
    }

    ch->data = NULL;
    f->served[ch - f->slots] = NULL;

    ngx_webrtc_files_play_close(fc);
    ngx_webrtc_ranges_cleanup(&fc->ranges);

    if (fc->held) {
        ngx_free(fc->held);
    }

    ngx_free(fc);

    /* its share is free for the session's other channels */

    if (f->session->state == NGX_WEBRTC_SESSION_UP) {
        ngx_webrtc_files_wake(f);
    }
}


static ngx_int_t
ngx_webrtc_files_channel_frame(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_files_channel_t *fc = ctx;

    return ngx_webrtc_channel_send(fc->ch, 0, p, n);
}
