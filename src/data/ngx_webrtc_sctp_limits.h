
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SCTP: sizes and limits that its parts share.
 */


#ifndef _NGX_WEBRTC_SCTP_LIMITS_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_LIMITS_H_INCLUDED_


/* bytes of a packet that we send at most: what ngx_webrtc_dtls_send() takes */
#define NGX_WEBRTC_SCTP_PACKET       1136

/* bytes of the common header, and in front of its checksum; RFC 9260, 3.1 */
#define NGX_WEBRTC_SCTP_HEADER       12
#define NGX_WEBRTC_SCTP_CHECKSUM     8

/* bytes of a packet that is taken at most; chosen: a record of DTLS */
#define NGX_WEBRTC_SCTP_INPUT        16384

/* bytes of a packet with nothing but a SACK without blocks; RFC 9260, 3.3.4 */
#define NGX_WEBRTC_SCTP_SACK         28

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

/* milliseconds that what comes may wait, where round trips take at least so
 * many, and so many packets leave in one; chosen: a sixteenth more delay, a
 * tenth of the wake-ups */
#define NGX_WEBRTC_SCTP_REST         1
#define NGX_WEBRTC_SCTP_REST_TRIP    16
#define NGX_WEBRTC_SCTP_REST_RATE    8

/* bytes in flight at most; chosen: 400 Mbit/s at 100 ms */
#define NGX_WEBRTC_SCTP_FLIGHT       5242880

/* messages and chunks on a queue, each way; chosen: NGX_WEBRTC_SCTP_SEND
 * bytes in full packets, while messages of a byte take 8 MB at most; our own
 * count of messages, see ngx_webrtc_sctp_crowded(), is the same */
#define NGX_WEBRTC_SCTP_CHUNKS       16384

/* bytes of a message in a full packet: without the common header and that of
 * the chunk */
#define NGX_WEBRTC_SCTP_CHUNK        (NGX_WEBRTC_SCTP_PACKET - 28)


#endif /* _NGX_WEBRTC_SCTP_LIMITS_H_INCLUDED_ */
