
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SCTP associations of DataChannels on usrsctp, sans I/O: packets come in from
 * DTLS and go out to it through a callback, time is passed in.  It carries
 * messages of streams; channels are made of them by ngx_webrtc_channel.
 *
 * RFC 9260 (SCTP), RFC 8261 (over DTLS), RFC 8831 (DataChannels), RFC 6525
 * (stream reset), RFC 3758 (partial reliability).
 *
 * usrsctp is one per process, hence so is ngx_webrtc_sctp_t: one per worker
 * with all of the worker's associations.  usrsctp never has a pointer of ours,
 * only numbers that are looked up in a table and never used again, so
 * whatever it still does about an association that is gone ends there.
 */


#ifndef _NGX_WEBRTC_SCTP_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp_repair.h>


/* bytes of a packet that we send at most: what ngx_webrtc_dtls_send() takes */
#define NGX_WEBRTC_SCTP_PACKET       1136

/* bytes of a packet that is taken at most; chosen: a record of DTLS */
#define NGX_WEBRTC_SCTP_INPUT        16384

/* a=sctp-port of ours; RFC 8831, 6.2 leaves it open, all clients use this */
#define NGX_WEBRTC_SCTP_PORT         5000

/* streams each way; RFC 8831, 6.2 asks for 65535, but usrsctp keeps some
 * 115 bytes for each pair; clients number their channels from 0 or 1 up */
#define NGX_WEBRTC_SCTP_STREAMS      256

/* bytes of a message received at most, our a=max-message-size; chosen: what
 * browsers announce, a multiple of what any request takes */
#define NGX_WEBRTC_SCTP_MESSAGE      262144

/* bytes received but not yet delivered, our receiver window; chosen: above
 * what 100 Mbit/s takes at 100 ms, 1.25 MB */
#define NGX_WEBRTC_SCTP_RECV         2097152

/* bytes given to ngx_webrtc_sctp_send() and not yet acknowledged; chosen: the
 * range protocol's high-water mark of 8 MiB, and room for what is sent
 * regardless of it, a largest message and control */
#define NGX_WEBRTC_SCTP_SEND         (8388608 + 262144 + 65536)

/* bytes that a user does well to have buffered, ngx_webrtc_sctp_assoc_t.high:
 * at least, chosen: four chunks of a file, and what 10 Mbit/s takes at 50 ms
 * until the rate is known; and at most, the range protocol's high-water mark */
#define NGX_WEBRTC_SCTP_HIGH_MIN     65536
#define NGX_WEBRTC_SCTP_HIGH_MAX     8388608

/* notes about how many messages wait; chosen: enough for a limit that is not
 * too coarse */
#define NGX_WEBRTC_SCTP_MARKS        16

/* bytes that usrsctp takes for a message beyond its own; measured */
#define NGX_WEBRTC_SCTP_EXTRA        512

/* messages that may wait and be neglected; chosen: 32 kB */
#define NGX_WEBRTC_SCTP_FEW          64

/* milliseconds between calls of ngx_webrtc_sctp_timeout(): while something is
 * under way, and otherwise; chosen: usrsctp's own, and often enough for what
 * little happens then */
#define NGX_WEBRTC_SCTP_TICK         10
#define NGX_WEBRTC_SCTP_IDLE_TICK    1000

/* bytes in flight at most; chosen: 400 Mbit/s at 100 ms */
#define NGX_WEBRTC_SCTP_FLIGHT       5242880

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
 * Takes one packet to be sent, n <= NGX_WEBRTC_SCTP_PACKET bytes that are the
 * engine's.  Loss is fine.  It must not call the engine.
 */
typedef void (*ngx_webrtc_sctp_send_pt)(void *ctx, u_char *p, size_t n);

/*
 * The other callbacks come from ngx_webrtc_sctp_input() and _timeout() only,
 * after usrsctp has returned, in the order in which things have happened.
 * They may call _send(), _reset(), _close() and _abort() of any association,
 * but neither _input(), _timeout() nor _cleanup().
 *
 * _input() of one association may bring timeouts of others, and so their
 * callbacks: never hold anything half done of other sessions around it.
 */

/* the state has become OPEN, CLOSING, CLOSED or FAILED; not for own calls of
 * _close() and _abort() */
typedef void (*ngx_webrtc_sctp_state_pt)(void *ctx,
    ngx_webrtc_sctp_state_e state);

/*
 * A whole message; n > 0 bytes that are the engine's; ppid in host order.  One
 * of more than NGX_WEBRTC_SCTP_MESSAGE bytes makes the association fail: its
 * peer broke what our SDP says.
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
    ngx_queue_t                  timers;     /* in sctp->busy */
    unsigned                     ready:1;    /* linked */
    unsigned                     busy:1;     /* there */
    unsigned                     above:1;    /* buffered was above the mark */
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
 * Initializes usrsctp, without threads.  To be called once per process, in the
 * worker; what it allocates stays until ngx_webrtc_sctp_destroy().
 *
 * Time.  Timers run on now_ms alone.  But usrsctp measures round trips and the
 * age of cookies with gettimeofday(): a wall clock that jumps makes one
 * measurement wrong, which its limits (1 s to 10 s) bear.  Tests replace
 * gettimeofday().
 *
 *   max       associations at once, 1 .. NGX_WEBRTC_SCTP_MAX
 *   crc       NGX_WEBRTC_SCTP_CRC_HARDWARE falls back to _TABLE
 *   now_ms    of a monotonic clock, here and below
 *
 * Returns NULL if there is no memory, or there is one already.
 */
ngx_webrtc_sctp_t *ngx_webrtc_sctp_create(ngx_uint_t max,
    ngx_webrtc_sctp_crc_e crc, uint64_t now_ms);

/* Ends it; every association has to be cleaned up before. */
void ngx_webrtc_sctp_destroy(ngx_webrtc_sctp_t *sctp);

/*
 * The instant at which ngx_webrtc_sctp_timeout() is to be called, in the units
 * of now_ms, or NGX_WEBRTC_SCTP_NO_DEADLINE when there are no associations.
 * Changes with every call; one timer of a worker serves all associations.
 */
uint64_t ngx_webrtc_sctp_deadline(ngx_webrtc_sctp_t *sctp);

/* Runs timers whose time has come; harmless at any other time. */
void ngx_webrtc_sctp_timeout(ngx_webrtc_sctp_t *sctp, uint64_t now_ms);

void ngx_webrtc_sctp_stat(ngx_webrtc_sctp_t *sctp,
    ngx_webrtc_sctp_stat_t *stat);


/*
 * Prepares an association; sends nothing.
 *
 *   assoc    zeroed or cleaned up
 *   opts     copied
 *
 * NGX_OK       to be ended with ngx_webrtc_sctp_cleanup()
 * NGX_BUSY     there are as many as there may be
 * NGX_ERROR    no memory; nothing to clean up
 */
ngx_int_t ngx_webrtc_sctp_init(ngx_webrtc_sctp_assoc_t *assoc,
    ngx_webrtc_sctp_t *sctp, const ngx_webrtc_sctp_opts_t *opts);

/*
 * Sends INIT; to be called as soon as DTLS is connected, before the datagram
 * after that is processed.  Whatever their DTLS roles are, both sides call it
 * (RFC 8841, 9.3): INITs that cross make one association.  INIT is repeated
 * 8 times; it has failed after 27 s.
 *
 * NGX_OK, NGX_ERROR (state FAILED)
 */
ngx_int_t ngx_webrtc_sctp_start(ngx_webrtc_sctp_assoc_t *assoc,
    uint64_t now_ms);

/*
 * Takes a packet, as it was in a record of DTLS.
 *
 *   p, n    not modified
 *
 * NGX_OK
 * NGX_DECLINED  no packet of SCTP, the state is not one that takes any, or
 *               too many INITs: dropped
 */
ngx_int_t ngx_webrtc_sctp_input(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p, size_t n, uint64_t now_ms);

/*
 * Sends a message as a whole, in as many packets as it needs.  It may be called
 * in a callback.
 *
 *   p, n      n > 0 (RFC 9260, 3.3.1: there are no empty messages); copied.
 *             What the peer takes (a=max-message-size) is up to the caller
 *
 * NGX_OK
 * NGX_AGAIN     no room within NGX_WEBRTC_SCTP_SEND, too many messages are
 *               waiting, or the stream is being reset: try again after the
 *               `writable' or `reset' callback
 * NGX_DECLINED  not OPEN, n is 0 or will never fit, no such stream
 */
ngx_int_t ngx_webrtc_sctp_send(ngx_webrtc_sctp_assoc_t *assoc,
    const ngx_webrtc_sctp_msg_t *msg, const u_char *p, size_t n,
    uint64_t now_ms);

/*
 * Bytes that have been given to ngx_webrtc_sctp_send() and have not been sent
 * even once; about right, as packets in flight are taken for full.  Not as
 * cheap as reading ->buffered, which includes what is in flight.
 *
 * To fill a path, go on by this one, at ->low: at 100 Mbit/s and 100 ms there
 * are 1.25 MB in flight, a mark of 1 MiB for all that is buffered would let it
 * run dry.  To bound memory, and what a message has to wait for, stop by
 * ->buffered, at ->high.
 */
size_t ngx_webrtc_sctp_unsent(ngx_webrtc_sctp_assoc_t *assoc);

/*
 * Bytes that usrsctp keeps for what has not been acknowledged beyond those of
 * ->buffered: NGX_WEBRTC_SCTP_EXTRA for each message.  Those of messages that
 * fill their packets are not counted, nor are NGX_WEBRTC_SCTP_FEW others.
 */
size_t ngx_webrtc_sctp_overhead(const ngx_webrtc_sctp_assoc_t *assoc);

/* The user has stopped at ->high: `writable' is to tell when to go on. */
void ngx_webrtc_sctp_wait(ngx_webrtc_sctp_assoc_t *assoc);

/*
 * RFC 6525, 4.1.  Ends our direction of a stream once what was sent on it has
 * been acknowledged.  The `reset' callback tells; then it may be used anew.
 * Repeated calls do nothing.
 *
 * NGX_OK
 * NGX_DECLINED  not OPEN, no such stream, or the peer cannot do that
 */
ngx_int_t ngx_webrtc_sctp_reset(ngx_webrtc_sctp_assoc_t *assoc,
    uint16_t stream, uint64_t now_ms);

/*
 * RFC 9260, 9.2.  Orderly: what is buffered is sent first, then SHUTDOWN.
 * CLOSING, and the `state' callback tells when CLOSED.  An association that
 * is not OPEN is aborted.  The caller limits the time it takes.
 */
void ngx_webrtc_sctp_close(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms);

/* RFC 9260, 9.1.  Sends ABORT unless that is pointless; CLOSED (or FAILED). */
void ngx_webrtc_sctp_abort(ngx_webrtc_sctp_assoc_t *assoc);

/*
 * Frees; sends nothing.  The state stays.  May be called for a zeroed one and
 * twice; not from a callback.
 */
void ngx_webrtc_sctp_cleanup(ngx_webrtc_sctp_assoc_t *assoc);


/*
 * CRC32c (RFC 9260, Appendix A) with the processor's instruction, of n bytes;
 * as it stands in a packet when stored in little-endian order.
 *
 *   crc    0, or the result for the bytes before
 */
uint32_t ngx_webrtc_sctp_crc32c(uint32_t crc, const u_char *p, size_t n);

/* Not zero if the processor has the instruction; else do not call the above. */
ngx_uint_t ngx_webrtc_sctp_crc32c_available(void);

/* The same of a whole packet, by whatever there is; its own field is zero. */
uint32_t ngx_webrtc_sctp_checksum(const u_char *p, size_t n);


#endif /* _NGX_WEBRTC_SCTP_H_INCLUDED_ */
