
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * DataChannels of one association: opened by either side with DCEP or agreed
 * upon beforehand, carrying string and binary messages, closed by resetting the
 * streams.  It knows SCTP only through two functions that it is given, and
 * three that are called on input.
 *
 * RFC 8831 (DataChannels), RFC 8832 (DCEP), RFC 8864 (negotiated ids).
 */


#ifndef _NGX_WEBRTC_CHANNEL_H_INCLUDED_
#define _NGX_WEBRTC_CHANNEL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_dcep.h>
#include <ngx_webrtc_desc.h>         /* NGX_WEBRTC_DTLS_* */


/* channels of an association at once; chosen: a player has one or two */
#define NGX_WEBRTC_CHANNELS          16

/* bytes of a label and of a protocol that are kept, longer ones are cut;
 * chosen: both are hints for us, and "range.v1" is short */
#define NGX_WEBRTC_CHANNEL_TEXT      63

/* bytes of a message that the peer takes if it has not said so; RFC 8841,
 * 6.1.  In an a=max-message-size 0 stands for any size. */
#define NGX_WEBRTC_CHANNEL_REMOTE    65536

/* messages on streams without a channel until the association is taken for
 * broken; chosen: the few that cross a close are fine */
#define NGX_WEBRTC_CHANNEL_STRAYS    1000

/* streams that may begin with a message instead of an OPEN: ids below it;
 * chosen: as many streams as associations of ours have */
#define NGX_WEBRTC_CHANNEL_BARRED    256


typedef enum {
    NGX_WEBRTC_CHANNEL_FREE = 0,     /* -> OPENING, OPEN */
    NGX_WEBRTC_CHANNEL_OPENING,      /* our OPEN has no answer
                                        -> OPEN, CLOSING */
    NGX_WEBRTC_CHANNEL_OPEN,         /* -> CLOSING */
    NGX_WEBRTC_CHANNEL_CLOSING       /* one direction is reset or both are being
                                        -> FREE; -> OPEN, the peer was faster */
} ngx_webrtc_channel_state_e;


typedef struct ngx_webrtc_channels_s  ngx_webrtc_channels_t;


/*
 * A channel.  Readable: all but the private part; valid from the `open'
 * callback or its opening until the `closed' callback.  `data' is the user's.
 */
typedef struct {
    void                        *data;
    ngx_webrtc_channel_state_e   state;
    uint16_t                     id;             /* stream, 0 .. 65534 */
    uint8_t                      type;           /* NGX_WEBRTC_DCEP_RELIABLE,
                                                    ... */
    uint8_t                      negotiated;     /* without DCEP */
    uint32_t                     reliability;    /* as type tells */
    uint16_t                     priority;
    uint8_t                      label_len;
    uint8_t                      protocol_len;
    u_char                       label[NGX_WEBRTC_CHANNEL_TEXT + 1];
    u_char                       protocol[NGX_WEBRTC_CHANNEL_TEXT + 1];

    /* private */
    ngx_webrtc_channels_t       *channels;
    unsigned                     ours:1;         /* we have sent OPEN */
    unsigned                     acked:1;        /* order is ours to choose */
    unsigned                     open_owed:1;    /* OPEN is not sent yet */
    unsigned                     ack_owed:1;     /* ACK likewise */
    unsigned                     reset_in:1;     /* the peer's is reset */
    unsigned                     reset_out:1;    /* ours is reset */
    unsigned                     told:1;         /* the user knows it closed */
} ngx_webrtc_channel_t;


/*
 * The SCTP functions used, to be wired to ngx_webrtc_sctp_send() and _reset();
 * they must not call the channels.  The channel types of DCEP have the values
 * of ngx_webrtc_sctp_msg_t.policy, and a bit for the lack of order.
 *
 * send     NGX_OK, NGX_AGAIN (no room: ngx_webrtc_channels_writable() or
 *          _reset() has to follow), NGX_DECLINED (cannot be sent ever)
 * reset    NGX_OK, NGX_DECLINED (cannot be done: counts as done)
 */
typedef ngx_int_t (*ngx_webrtc_channel_send_pt)(void *ctx, uint16_t stream,
    uint32_t ppid, uint8_t type, uint32_t reliability, const u_char *p,
    size_t n);
typedef ngx_int_t (*ngx_webrtc_channel_reset_pt)(void *ctx, uint16_t stream);

/*
 * Callbacks to the user; each may call everything here but _init() and
 * _cleanup().
 *
 * open       by the peer, or our OPEN was answered.  May set ch->data, or close
 *            it at once
 * message    string: 0 or 1; n may be 0, p is not NULL even then; it is the
 *            caller's
 * closed     ch must not be used any more: the peer closed it, our close is
 *            complete, or the association is gone
 */
typedef void (*ngx_webrtc_channel_open_pt)(void *ctx,
    ngx_webrtc_channel_t *ch);
typedef void (*ngx_webrtc_channel_message_pt)(void *ctx,
    ngx_webrtc_channel_t *ch, ngx_uint_t string, u_char *p, size_t n);
typedef void (*ngx_webrtc_channel_closed_pt)(void *ctx,
    ngx_webrtc_channel_t *ch);

/*
 * A message, as of ngx_webrtc_channel_message_pt, on a stream without a channel
 * and without a refused OPEN: it may be the first one of a channel that the
 * peer regards as negotiated.  If the user creates that channel with
 * ngx_webrtc_channel_negotiated(), it then gets the message.
 *
 * NGX_OK, NGX_DECLINED  whether it did
 */
typedef ngx_int_t (*ngx_webrtc_channel_unopened_pt)(void *ctx, uint16_t id,
    ngx_uint_t string, u_char *p, size_t n);


typedef struct {
    ngx_uint_t                      role;        /* NGX_WEBRTC_DTLS_CLIENT: our
                                                    ids are even, else odd */
    size_t                          remote_max;  /* the peer's a=max-message-
                                                    size, 0: any */
    ngx_webrtc_channel_t           *slots;       /* the caller's memory, needs
                                                    no initialization */
    ngx_uint_t                      nslots;      /* 1 .. 65535 */

    ngx_webrtc_channel_send_pt      send;
    ngx_webrtc_channel_reset_pt     reset;
    ngx_webrtc_channel_open_pt      open;        /* NULL: peers open none */
    ngx_webrtc_channel_unopened_pt  unopened;    /* NULL: there are none */
    ngx_webrtc_channel_message_pt   message;
    ngx_webrtc_channel_closed_pt    closed;
    void                           *ctx;         /* for all */
} ngx_webrtc_channel_opts_t;


/* Must not be moved while initialized.  Readable: the counters. */
struct ngx_webrtc_channels_s {
    ngx_webrtc_channel_opts_t       opts;
    ngx_uint_t                      streams;     /* ids below it exist */
    ngx_uint_t                      refused;     /* OPENs of the peer: full, in
                                                    use, of our ids */
    ngx_uint_t                      malformed;   /* messages dropped */
    ngx_uint_t                      strays;      /* to no channel */
    uint8_t                         barred[NGX_WEBRTC_CHANNEL_BARRED / 8];
                                                 /* streams whose OPEN was
                                                    refused, until reset */
    unsigned                        owed:1;      /* something is: see above */
    unsigned                        up:1;
};


/* Prepares it; ids up to 65534 are valid until _up() sets the limit. */
void ngx_webrtc_channels_init(ngx_webrtc_channels_t *cs,
    const ngx_webrtc_channel_opts_t *opts);

/*
 * The association is OPEN.  OPENs of channels opened before are sent now.
 *
 *   streams    ids below it exist, ngx_webrtc_sctp_assoc_t.streams
 */
void ngx_webrtc_channels_up(ngx_webrtc_channels_t *cs, ngx_uint_t streams);

/* The association is gone: `closed' for all channels, all are FREE. */
void ngx_webrtc_channels_down(ngx_webrtc_channels_t *cs);

/*
 * Takes a message of the association.
 *
 * NGX_OK        done
 * NGX_DECLINED  dropped and counted: malformed, refused, or to no channel
 * NGX_ERROR     there were too many of the latter: end the association
 */
ngx_int_t ngx_webrtc_channels_input(ngx_webrtc_channels_t *cs,
    uint16_t stream, uint32_t ppid, u_char *p, size_t n);

/*
 * A stream was reset.
 *
 *   what, stream    as of ngx_webrtc_sctp_reset_pt: 1 the peer's direction, 2
 *                   ours; 65535: all streams
 */
void ngx_webrtc_channels_reset(ngx_webrtc_channels_t *cs, ngx_uint_t what,
    uint16_t stream);

/* There is room again: sends what is owed.  Cheap if there is nothing. */
void ngx_webrtc_channels_writable(ngx_webrtc_channels_t *cs);


/*
 * RFC 8832, 6.  Opens a channel: the lowest id of ours that is free, DCEP.
 * Messages may be sent at once if the association is OPEN.
 *
 *   type, reliability    NGX_WEBRTC_DCEP_RELIABLE ..., as in an OPEN
 *   label, protocol      up to NGX_WEBRTC_CHANNEL_TEXT bytes each; copied
 *
 * Returns NULL if there are too many channels, no id is free, a text is too
 * long or the OPEN cannot be sent.
 */
ngx_webrtc_channel_t *ngx_webrtc_channel_open(ngx_webrtc_channels_t *cs,
    const ngx_str_t *label, const ngx_str_t *protocol, ngx_uint_t type,
    uint32_t reliability);

/*
 * Creates a channel agreed upon without DCEP (negotiated: true).  Open at once,
 * without an `open' callback; usable when the association is.
 *
 * Returns NULL if there are too many channels, or the id is in use or does not
 * exist.
 */
ngx_webrtc_channel_t *ngx_webrtc_channel_negotiated(ngx_webrtc_channels_t *cs,
    uint16_t id, ngx_uint_t type, uint32_t reliability);

/*
 * RFC 8831, 6.6.  Sends a message; n may be 0.
 *
 * NGX_OK
 * NGX_AGAIN     no room
 * NGX_DECLINED  not open, larger than the peer takes, or SCTP declines
 */
ngx_int_t ngx_webrtc_channel_send(ngx_webrtc_channel_t *ch, ngx_uint_t string,
    const u_char *p, size_t n);

/*
 * RFC 8831, 6.7.  Closes the channel: what was sent arrives, then the stream is
 * reset, and when the peer's is too there is the `closed' callback.  Where
 * there is nothing to wait for, because the peer does not know the channel yet
 * or the stream cannot be reset, the callback is called from within.  Repeated
 * calls do nothing.
 */
void ngx_webrtc_channel_close(ngx_webrtc_channel_t *ch);

/* The channel with that id, not FREE, or NULL. */
ngx_webrtc_channel_t *ngx_webrtc_channel_find(ngx_webrtc_channels_t *cs,
    uint16_t id);


#endif /* _NGX_WEBRTC_CHANNEL_H_INCLUDED_ */
