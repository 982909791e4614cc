
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SCTP: an association, and the questions that its user and the parts of
 * ngx_webrtc_sctp ask about it.
 */


#ifndef _NGX_WEBRTC_SCTP_ASSOC_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_ASSOC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp_limits.h>
#include <ngx_webrtc_sctp_repair.h>


#define NGX_WEBRTC_SCTP_NO_DEADLINE  ((uint64_t) -1)

/* associations at once at most, whatever ngx_webrtc_sctp_create() is told */
#define NGX_WEBRTC_SCTP_MAX          65535

/* ngx_webrtc_sctp_msg_t.policy; RFC 3758, RFC 7496 */
#define NGX_WEBRTC_SCTP_RELIABLE     0
#define NGX_WEBRTC_SCTP_REXMIT       1       /* value: retransmissions */
#define NGX_WEBRTC_SCTP_TIMED        2       /* value: milliseconds */

/* ngx_webrtc_sctp_reset_pt */
#define NGX_WEBRTC_SCTP_RESET_IN     1       /* the peer's direction */
#define NGX_WEBRTC_SCTP_RESET_OUT    2       /* ours, as we asked for */

/* ngx_webrtc_sctp_reset_pt: all streams; no stream has this number */
#define NGX_WEBRTC_SCTP_ALL          65535


typedef enum {
    NGX_WEBRTC_SCTP_NEW = 0,         /* -> CONNECTING: start() */
    NGX_WEBRTC_SCTP_CONNECTING,      /* -> OPEN, FAILED */
    NGX_WEBRTC_SCTP_OPEN,            /* -> CLOSING, CLOSED, FAILED */
    NGX_WEBRTC_SCTP_CLOSING,         /* close(), or the peer's SHUTDOWN
                                        -> CLOSED, FAILED */
    NGX_WEBRTC_SCTP_CLOSED,          /* SHUTDOWN is complete, or abort();
                                        final */
    NGX_WEBRTC_SCTP_FAILED           /* see ->reason; final */
} ngx_webrtc_sctp_state_e;


/* crc32c: who computes checksums; ngx_webrtc_sctp_create() */
typedef enum {
    NGX_WEBRTC_SCTP_CRC_AUTO = 0,    /* _HARDWARE if there is, else _TABLE */
    NGX_WEBRTC_SCTP_CRC_TABLE,       /* usrsctp with its table */
    NGX_WEBRTC_SCTP_CRC_HARDWARE     /* we with the processor's instruction */
} ngx_webrtc_sctp_crc_e;


/* one per process, see ngx_webrtc_sctp_create() */
typedef struct ngx_webrtc_sctp_s  ngx_webrtc_sctp_t;


/*
 * Sends one packet of n <= NGX_WEBRTC_SCTP_PACKET bytes, owned by the engine.
 * It may be lost.  It must not call the engine.
 */
typedef void (*ngx_webrtc_sctp_send_pt)(void *ctx, u_char *p, size_t n);

/*
 * The other callbacks come from ngx_webrtc_sctp_input() and _timeout() only,
 * after usrsctp has returned, in the order in which things have happened.
 * They may call _send(), _reset(), _close() and _abort() of any association,
 * but neither _input(), _timeout() nor _cleanup().
 *
 * _input() of one association may run timeouts of others, and so their
 * callbacks: never call it while another session is half updated.
 */

/* the state has become OPEN, CLOSING, CLOSED or FAILED; not for own calls of
 * _close() and _abort() */
typedef void (*ngx_webrtc_sctp_state_pt)(void *ctx,
    ngx_webrtc_sctp_state_e state);

/*
 * A whole message; n > 0 bytes owned by the engine; ppid in host order.  One of
 * more than NGX_WEBRTC_SCTP_MESSAGE bytes makes the association fail: the peer
 * exceeded the limit in our SDP.
 */
typedef void (*ngx_webrtc_sctp_message_pt)(void *ctx, uint16_t stream,
    uint32_t ppid, u_char *p, size_t n);

/*
 * A stream was reset, what: NGX_WEBRTC_SCTP_RESET_IN or _OUT, stream: its
 * number or NGX_WEBRTC_SCTP_ALL.  A reset that the peer refuses counts as done.
 */
typedef void (*ngx_webrtc_sctp_reset_pt)(void *ctx, ngx_uint_t what,
    uint16_t stream);

/* no more than assoc->low is unsent and less than assoc->high is buffered,
 * after more than that was, an NGX_AGAIN, or ngx_webrtc_sctp_wait() */
typedef void (*ngx_webrtc_sctp_writable_pt)(void *ctx);


typedef struct {
    uint16_t                     remote_port;    /* a=sctp-port, 0: the usual */
    uint16_t                     local_port;     /* 0: NGX_WEBRTC_SCTP_PORT */
    size_t                       low;            /* low-water mark at most,
                                                    bytes not yet sent */
    ngx_uint_t                   batches;        /* _flush() is called when
                                                    what has come is in */

    ngx_webrtc_sctp_send_pt      send;
    ngx_webrtc_sctp_state_pt     state;          /* each of the rest may be */
    ngx_webrtc_sctp_message_pt   message;        /* NULL */
    ngx_webrtc_sctp_reset_pt     reset;
    ngx_webrtc_sctp_writable_pt  writable;
    void                        *ctx;            /* for all */
} ngx_webrtc_sctp_opts_t;


/* private, see ngx_webrtc_sctp_flow.c */
typedef struct {
    uint64_t                     told_ms;    /* usrsctp was told a round trip */
    uint64_t                     acked;      /* bytes, then */
    u_char                      *beat;       /* where a HEARTBEAT goes, */
    size_t                       nbeat;      /* with the header */
} ngx_webrtc_sctp_flow_t;


/*
 * An association; part of its owner's struct.  Must not be moved while
 * initialized.  Readable: state, reason, buffered, high, low, total, streams,
 * repair.held.
 */
typedef struct {
    ngx_webrtc_sctp_state_e      state;
    const char                  *reason;     /* of FAILED: static text */
    size_t                       buffered;   /* bytes not acknowledged yet: */
    size_t                       high;       /* better no more than that, */
    size_t                       low;        /* go on when so many are unsent;
                                                both follow the rate */
    uint64_t                     total;      /* bytes sent ever */
    uint16_t                     streams;    /* we may send on 0 .. streams - 1;
                                                of OPEN */

    /* private */
    ngx_webrtc_sctp_t           *sctp;
    void                        *so;         /* usrsctp's socket, or NULL */
    uintptr_t                    id;         /* what usrsctp knows it by */
    ngx_webrtc_sctp_opts_t       opts;
    ngx_queue_t                  link;       /* in sctp->ready */
    ngx_queue_t                  events;     /* ngx_webrtc_sctp_event_t */
    uint64_t                     inits_ms;   /* when counting of them began */
    uint32_t                     inits;
    uint64_t                     marks[NGX_WEBRTC_SCTP_MARKS];
                                             /* ->total as of some message */
    uint32_t                     unmarked;   /* messages since */
    uint32_t                     mark;       /* the oldest of them */
    ngx_webrtc_sctp_flow_t       flow;
    ngx_webrtc_sctp_repair_t     repair;
    u_char                       sack[NGX_WEBRTC_SCTP_SACK];
                                             /* for usrsctp, if sacked */
    ngx_queue_t                  timers;     /* in sctp->busy */
    unsigned                     ready:1;    /* linked */
    unsigned                     busy:1;     /* there */
    unsigned                     above:1;    /* buffered was above the mark */
    unsigned                     sacked:1;   /* sack is not delivered yet */
} ngx_webrtc_sctp_assoc_t;


typedef struct {
    uint16_t   stream;
    uint8_t    unordered;        /* 0 or 1 */
    uint8_t    policy;           /* NGX_WEBRTC_SCTP_RELIABLE, ... */
    uint32_t   value;            /* as policy tells */
    uint32_t   ppid;             /* in host order */
} ngx_webrtc_sctp_msg_t;


/* of ngx_webrtc_sctp_stat(), since ngx_webrtc_sctp_create() */
typedef struct {
    ngx_uint_t  associations;    /* now */
    uint64_t    stale;           /* packets to send of associations gone */
    uint64_t    bad;             /* packets received: too short, too long, or
                                    with a wrong checksum */
    uint64_t    floods;          /* INITs dropped, there were too many */
    uint64_t    repeats;         /* packets sent again by us: lost, or to see
                                    whether they are */
} ngx_webrtc_sctp_stat_t;


/*
 * Bytes that have been given to ngx_webrtc_sctp_send() and have not been sent
 * even once; approximate, as packets in flight are assumed to be full.  Costs
 * more than reading ->buffered, which includes what is in flight.
 *
 * To fill a path, go on by this one, at ->low: at 100 Mbit/s and 100 ms there
 * are 1.25 MB in flight, a mark of 1 MiB for all that is buffered would let it
 * run dry.  To bound memory, and what a message has to wait for, stop by
 * ->buffered, at ->high.
 */
size_t ngx_webrtc_sctp_unsent(ngx_webrtc_sctp_assoc_t *assoc);

/*
 * Bytes that usrsctp needs for unacknowledged messages beyond ->buffered:
 * NGX_WEBRTC_SCTP_EXTRA for each message.  Those of messages that fill their
 * packets are not counted, nor are NGX_WEBRTC_SCTP_FEW others.
 */
size_t ngx_webrtc_sctp_overhead(const ngx_webrtc_sctp_assoc_t *assoc);

/*
 * Milliseconds that the peer's packets may wait for others before they are
 * taken; 0: they may not, as a path is short, or few of them come.
 */
uint32_t ngx_webrtc_sctp_rest(ngx_webrtc_sctp_assoc_t *assoc);

/* The user has stopped at ->high: `writable' is called when it may go on. */
void ngx_webrtc_sctp_wait(ngx_webrtc_sctp_assoc_t *assoc);

/*
 * Whether too many messages are waiting; to be asked before each message.
 * usrsctp limits the bytes that wait, but not the messages, each of which takes
 * some 500 bytes beyond its own.
 */
ngx_uint_t ngx_webrtc_sctp_crowded(ngx_webrtc_sctp_assoc_t *assoc);


#endif /* _NGX_WEBRTC_SCTP_ASSOC_H_INCLUDED_ */
