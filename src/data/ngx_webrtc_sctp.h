
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SCTP associations of DataChannels on usrsctp, sans I/O: packets come in from
 * DTLS and go out to it through a callback, time is passed in.  It carries
 * messages on streams; ngx_webrtc_channel makes channels of them.
 *
 * RFC 9260 (SCTP), RFC 8261 (over DTLS), RFC 8831 (DataChannels), RFC 6525
 * (stream reset), RFC 3758 (partial reliability).
 *
 * usrsctp is one per process, hence so is ngx_webrtc_sctp_t: one per worker
 * with all of the worker's associations.  usrsctp never holds pointers of ours,
 * only numbers that are looked up in a table and never reused, so whatever it
 * still does for an association that is gone has no effect.
 */


#ifndef _NGX_WEBRTC_SCTP_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp_assoc.h>


/*
 * Initializes usrsctp, without threads.  To be called once per process, in the
 * worker; what it allocates stays until ngx_webrtc_sctp_destroy().
 *
 * Time.  Timers run on now_ms alone.  But usrsctp measures round trips and the
 * age of cookies with gettimeofday(): a wall clock that jumps makes one
 * measurement wrong, which its limits (1 s to 10 s) tolerate.  Tests replace
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

/* Runs timers that are due; harmless at any other time. */
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
 * NGX_BUSY     the maximum number is reached
 * NGX_ERROR    no memory; nothing to clean up
 */
ngx_int_t ngx_webrtc_sctp_init(ngx_webrtc_sctp_assoc_t *assoc,
    ngx_webrtc_sctp_t *sctp, const ngx_webrtc_sctp_opts_t *opts);

/*
 * Sends INIT; to be called as soon as DTLS is connected, before the next
 * datagram is processed.  Whatever their DTLS roles are, both sides call it
 * (RFC 8841, 9.3): INITs that cross make one association.  INIT is repeated 8
 * times; it has failed after 27 s.
 *
 * NGX_OK, NGX_ERROR (state FAILED)
 */
ngx_int_t ngx_webrtc_sctp_start(ngx_webrtc_sctp_assoc_t *assoc,
    uint64_t now_ms);

/*
 * Takes a packet, the content of a DTLS record.
 *
 *   p, n    not modified
 *
 * NGX_OK
 * NGX_DECLINED  not an SCTP packet, not in a state that takes any, or too many
 *               INITs: dropped
 */
ngx_int_t ngx_webrtc_sctp_input(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p, size_t n, uint64_t now_ms);

/*
 * All packets that came at once have been taken: with opts.batches usrsctp sees
 * the SACKs among them as one, and what they allow leaves together.
 */
void ngx_webrtc_sctp_flush(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms);

/*
 * Sends a message as a whole, in as many packets as it needs.  It may be called
 * in a callback.
 *
 *   p, n      n > 0 (RFC 9260, 3.3.1: there are no empty messages); copied.
 *             The caller observes the peer's limit (a=max-message-size)
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
 * RFC 6525, 4.1.  Ends our direction of a stream once what was sent on it has
 * been acknowledged.  The `reset' callback follows; then the stream may be used
 * again.  Repeated calls do nothing.
 *
 * NGX_OK
 * NGX_DECLINED  not OPEN, no such stream, or the peer cannot do that
 */
ngx_int_t ngx_webrtc_sctp_reset(ngx_webrtc_sctp_assoc_t *assoc,
    uint16_t stream, uint64_t now_ms);

/*
 * RFC 9260, 9.2.  Orderly: what is buffered is sent first, then SHUTDOWN.
 * CLOSING, and the `state' callback is called when CLOSED.  An association that
 * is not OPEN is aborted.  The caller limits the time it takes.
 */
void ngx_webrtc_sctp_close(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms);

/* RFC 9260, 9.1.  Sends ABORT unless that is pointless; CLOSED (or FAILED). */
void ngx_webrtc_sctp_abort(ngx_webrtc_sctp_assoc_t *assoc);

/*
 * Frees; sends nothing.  The state is kept.  May be called for a zeroed struct,
 * and twice; not from a callback.
 */
void ngx_webrtc_sctp_cleanup(ngx_webrtc_sctp_assoc_t *assoc);


#endif /* _NGX_WEBRTC_SCTP_H_INCLUDED_ */
