
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Events that usrsctp reports in the middle of its work, and their delivery to
 * the user once usrsctp has returned: see ngx_webrtc_sctp.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_sctp_crc32c.h>
#include <ngx_webrtc_sctp_event.h>
#include <ngx_webrtc_sctp_flow.h>
#include <ngx_webrtc_sctp_instance.h>


typedef enum {
    NGX_WEBRTC_SCTP_EVENT_STATE = 0,
    NGX_WEBRTC_SCTP_EVENT_MESSAGE,
    NGX_WEBRTC_SCTP_EVENT_RESET
} ngx_webrtc_sctp_event_e;


/* something to tell the user */
typedef struct {
    ngx_queue_t               link;      /* in assoc->events */
    ngx_webrtc_sctp_event_e   type;
    ngx_webrtc_sctp_state_e   state;
    uint16_t                  stream;
    uint16_t                  what;      /* NGX_WEBRTC_SCTP_RESET_IN, _OUT */
    uint32_t                  ppid;
    size_t                    n;
    u_char                   *data;      /* by malloc() of usrsctp */
} ngx_webrtc_sctp_event_t;


static void ngx_webrtc_sctp_notified(ngx_webrtc_sctp_assoc_t *assoc,
    union sctp_notification *note, size_t n);
static void ngx_webrtc_sctp_changed(ngx_webrtc_sctp_assoc_t *assoc,
    struct sctp_assoc_change *change);
static void ngx_webrtc_sctp_was_reset(ngx_webrtc_sctp_assoc_t *assoc,
    struct sctp_stream_reset_event *event, size_t n);
static void ngx_webrtc_sctp_set(ngx_webrtc_sctp_assoc_t *assoc,
    ngx_webrtc_sctp_state_e state, const char *reason);
static ngx_webrtc_sctp_event_t *ngx_webrtc_sctp_event(
    ngx_webrtc_sctp_assoc_t *assoc, ngx_webrtc_sctp_event_e type);
static void ngx_webrtc_sctp_ready(ngx_webrtc_sctp_assoc_t *assoc);
static void ngx_webrtc_sctp_tell(ngx_webrtc_sctp_assoc_t *assoc);


int
ngx_webrtc_sctp_event_output(void *id, void *buf, size_t n, uint8_t tos,
    uint8_t df)
{
    u_char                   *p;
    size_t                    whole;
    uint32_t                  crc;
    ngx_webrtc_sctp_assoc_t  *assoc;

    (void) tos;
    (void) df;

    assoc = ngx_webrtc_sctp_instance_find(id);

    if (assoc == NULL) {
        if (ngx_webrtc_sctp_instance) {
            ngx_webrtc_sctp_instance->stat.stale++;
        }

        return 0;
    }

    if (n < NGX_WEBRTC_SCTP_HEADER || n > NGX_WEBRTC_SCTP_PACKET) {
        return EMSGSIZE;
    }

    p = buf;

    whole = n;

    if (ngx_webrtc_sctp_flow_output(assoc, p, &n) != NGX_OK) {
        return 0;
    }

    ngx_webrtc_sctp_repair_output(&assoc->repair, p, n,
                                  assoc->sctp->clock_ms);

    if (assoc->sctp->hardware || n != whole) {
        ngx_memzero(p + NGX_WEBRTC_SCTP_CHECKSUM, 4);

        crc = ngx_webrtc_sctp_checksum(p, n);
        ngx_memcpy(p + NGX_WEBRTC_SCTP_CHECKSUM, &crc, 4);
    }

    assoc->opts.send(assoc->opts.ctx, p, n);

    return 0;
}


void
ngx_webrtc_sctp_event_repeat(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_sctp_assoc_t *assoc = ctx;

    assoc->sctp->stat.repeats++;
    assoc->opts.send(assoc->opts.ctx, p, n);
}


int
ngx_webrtc_sctp_event_receive(ngx_webrtc_sctp_so_pt so,
    union sctp_sockstore addr, void *data, size_t n, struct sctp_rcvinfo info,
    int flags, void *id)
{
    ngx_webrtc_sctp_assoc_t  *assoc;
    ngx_webrtc_sctp_event_t  *event;

    (void) so;
    (void) addr;

    assoc = ngx_webrtc_sctp_instance_find(id);

    /* without data after the end of an association, which we know of */

    if (data == NULL || assoc == NULL
        || assoc->state > NGX_WEBRTC_SCTP_CLOSING)
    {
        goto done;
    }

    if (flags & MSG_NOTIFICATION) {
        ngx_webrtc_sctp_notified(assoc, data, n);
        goto done;
    }

    if (!(flags & MSG_EOR) || n > NGX_WEBRTC_SCTP_MESSAGE) {
        ngx_webrtc_sctp_set(assoc, NGX_WEBRTC_SCTP_FAILED,
                            "message larger than max-message-size");
        goto done;
    }

    event = ngx_webrtc_sctp_event(assoc, NGX_WEBRTC_SCTP_EVENT_MESSAGE);

    if (event) {
        event->stream = info.rcv_sid;
        event->ppid = ntohl(info.rcv_ppid);
        event->data = data;
        event->n = n;

        return 1;
    }

done:

    free(data);

    return 1;
}


int
ngx_webrtc_sctp_event_room(ngx_webrtc_sctp_so_pt so, uint32_t room, void *id)
{
    ngx_webrtc_sctp_assoc_t  *assoc;

    (void) so;

    assoc = ngx_webrtc_sctp_instance_find(id);

    if (assoc == NULL || assoc->state > NGX_WEBRTC_SCTP_CLOSING) {
        return 1;
    }

    assoc->buffered = (room < NGX_WEBRTC_SCTP_SEND)
                      ? NGX_WEBRTC_SCTP_SEND - room : 0;

    /* what of it is still unsent may be asked for when usrsctp has returned */

    if (assoc->above) {
        ngx_webrtc_sctp_ready(assoc);
    }

    return 1;
}


static void
ngx_webrtc_sctp_notified(ngx_webrtc_sctp_assoc_t *assoc,
    union sctp_notification *note, size_t n)
{
    if (n < sizeof(note->sn_header) || note->sn_header.sn_length != n) {
        return;
    }

    switch (note->sn_header.sn_type) {

    case SCTP_ASSOC_CHANGE:

        if (n >= sizeof(struct sctp_assoc_change)) {
            ngx_webrtc_sctp_changed(assoc, &note->sn_assoc_change);
        }

        break;

    case SCTP_SHUTDOWN_EVENT:

        if (assoc->state == NGX_WEBRTC_SCTP_OPEN) {
            ngx_webrtc_sctp_set(assoc, NGX_WEBRTC_SCTP_CLOSING, NULL);
        }

        break;

    case SCTP_STREAM_RESET_EVENT:

        if (n >= sizeof(struct sctp_stream_reset_event)) {
            ngx_webrtc_sctp_was_reset(assoc, &note->sn_strreset_event, n);
        }

        break;
    }
}


static void
ngx_webrtc_sctp_changed(ngx_webrtc_sctp_assoc_t *assoc,
    struct sctp_assoc_change *change)
{
    switch (change->sac_state) {

    case SCTP_COMM_UP:

        if (assoc->state == NGX_WEBRTC_SCTP_CONNECTING) {
            assoc->streams = change->sac_outbound_streams;
            ngx_webrtc_sctp_set(assoc, NGX_WEBRTC_SCTP_OPEN, NULL);
        }

        break;

    case SCTP_SHUTDOWN_COMP:
        ngx_webrtc_sctp_set(assoc, NGX_WEBRTC_SCTP_CLOSED, NULL);
        break;

    case SCTP_COMM_LOST:
        ngx_webrtc_sctp_set(assoc, NGX_WEBRTC_SCTP_FAILED,
                            "association lost or aborted by the peer");
        break;

    case SCTP_CANT_STR_ASSOC:
        ngx_webrtc_sctp_set(assoc, NGX_WEBRTC_SCTP_FAILED,
                            "no answer to INIT, or refused by the peer");
        break;

    case SCTP_RESTART:

        /* all streams would start over, nobody knows for which channels */

        ngx_webrtc_sctp_set(assoc, NGX_WEBRTC_SCTP_FAILED,
                            "association restarted by the peer");
        break;
    }
}


static void
ngx_webrtc_sctp_was_reset(ngx_webrtc_sctp_assoc_t *assoc,
    struct sctp_stream_reset_event *reset, size_t n)
{
    uint16_t                  what;
    ngx_uint_t                i, count;
    ngx_webrtc_sctp_event_t  *event;

    /* these flags may be together with one that says why it failed */

    if (reset->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) {

        /* we never ask the peer to reset its own: it did so by itself */

        what = NGX_WEBRTC_SCTP_RESET_IN;

    } else if (reset->strreset_flags & SCTP_STREAM_RESET_OUTGOING_SSN) {
        what = NGX_WEBRTC_SCTP_RESET_OUT;

    } else {
        return;
    }

    count = (n - sizeof(struct sctp_stream_reset_event)) / sizeof(uint16_t);

    i = 0;

    do {
        event = ngx_webrtc_sctp_event(assoc, NGX_WEBRTC_SCTP_EVENT_RESET);

        if (event == NULL) {
            return;
        }

        event->what = what;
        event->stream = count ? reset->strreset_stream_list[i]
                              : NGX_WEBRTC_SCTP_ALL;

    } while (++i < count);
}


/* the only place where usrsctp changes the state */

static void
ngx_webrtc_sctp_set(ngx_webrtc_sctp_assoc_t *assoc,
    ngx_webrtc_sctp_state_e state, const char *reason)
{
    ngx_webrtc_sctp_event_t  *event;

    /* final ones stay */

    if (assoc->state > NGX_WEBRTC_SCTP_CLOSING) {
        return;
    }

    assoc->state = state;
    assoc->reason = reason;

    if (state > NGX_WEBRTC_SCTP_CLOSING) {
        assoc->buffered = 0;
        assoc->above = 0;
    }

    ngx_webrtc_sctp_instance_touch(assoc);

    event = ngx_webrtc_sctp_event(assoc, NGX_WEBRTC_SCTP_EVENT_STATE);

    if (event) {
        event->state = state;
    }
}


/* NULL: no memory, and the association has failed */

static ngx_webrtc_sctp_event_t *
ngx_webrtc_sctp_event(ngx_webrtc_sctp_assoc_t *assoc,
    ngx_webrtc_sctp_event_e type)
{
    ngx_webrtc_sctp_event_t  *event;

    ngx_webrtc_sctp_ready(assoc);

    event = calloc(1, sizeof(ngx_webrtc_sctp_event_t));

    if (event == NULL) {
        assoc->state = NGX_WEBRTC_SCTP_FAILED;
        assoc->reason = "no memory";
        assoc->buffered = 0;

        return NULL;
    }

    event->type = type;
    ngx_queue_insert_tail(&assoc->events, &event->link);

    return event;
}


static void
ngx_webrtc_sctp_ready(ngx_webrtc_sctp_assoc_t *assoc)
{
    if (!assoc->ready) {
        assoc->ready = 1;
        ngx_queue_insert_tail(&assoc->sctp->ready, &assoc->link);
    }
}


/* usrsctp is not running: delivers events to the user */

void
ngx_webrtc_sctp_event_dispatch(ngx_webrtc_sctp_t *sctp)
{
    ngx_queue_t              *q;
    ngx_webrtc_sctp_assoc_t  *assoc;

    if (sctp->dispatching) {
        return;
    }

    sctp->dispatching = 1;

    while (!ngx_queue_empty(&sctp->ready)) {
        q = ngx_queue_head(&sctp->ready);
        assoc = ngx_queue_data(q, ngx_webrtc_sctp_assoc_t, link);

        ngx_queue_remove(q);
        assoc->ready = 0;

        ngx_webrtc_sctp_tell(assoc);
    }

    sctp->dispatching = 0;
}


static void
ngx_webrtc_sctp_tell(ngx_webrtc_sctp_assoc_t *assoc)
{
    ngx_uint_t                failed;
    ngx_queue_t              *q;
    ngx_webrtc_sctp_opts_t   *opts;
    ngx_webrtc_sctp_event_t  *event;

    opts = &assoc->opts;
    failed = (assoc->state == NGX_WEBRTC_SCTP_FAILED);

    if (failed) {

        /* ABORT if usrsctp still has it: too large a message */

        ngx_webrtc_sctp_instance_shut(assoc);
    }

    while (!ngx_queue_empty(&assoc->events)) {
        q = ngx_queue_head(&assoc->events);
        event = ngx_queue_data(q, ngx_webrtc_sctp_event_t, link);

        ngx_queue_remove(q);

        switch (event->type) {

        case NGX_WEBRTC_SCTP_EVENT_STATE:

            failed = failed && event->state != NGX_WEBRTC_SCTP_FAILED;

            if (opts->state) {
                opts->state(opts->ctx, event->state);
            }

            break;

        case NGX_WEBRTC_SCTP_EVENT_MESSAGE:
            if (opts->message) {
                opts->message(opts->ctx, event->stream, event->ppid,
                              event->data, event->n);
            }

            break;

        case NGX_WEBRTC_SCTP_EVENT_RESET:
            if (opts->reset) {
                opts->reset(opts->ctx, event->what, event->stream);
            }

            break;
        }

        free(event->data);
        free(event);
    }

    if (failed && opts->state) {

        /* there was no memory for that event */

        opts->state(opts->ctx, NGX_WEBRTC_SCTP_FAILED);
    }

    if (assoc->above
        && assoc->buffered < assoc->high
        && ngx_webrtc_sctp_unsent(assoc) <= assoc->low)
    {
        assoc->above = 0;

        if (opts->writable) {
            opts->writable(opts->ctx);
        }
    }

    ngx_webrtc_sctp_instance_touch(assoc);
}


/* drops events that were not delivered */

void
ngx_webrtc_sctp_event_forget(ngx_webrtc_sctp_assoc_t *assoc)
{
    ngx_queue_t              *q;
    ngx_webrtc_sctp_event_t  *event;

    while (!ngx_queue_empty(&assoc->events)) {
        q = ngx_queue_head(&assoc->events);
        event = ngx_queue_data(q, ngx_webrtc_sctp_event_t, link);

        ngx_queue_remove(q);

        free(event->data);
        free(event);
    }

    if (assoc->ready) {
        assoc->ready = 0;
        ngx_queue_remove(&assoc->link);
    }
}
