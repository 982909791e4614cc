
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Repeats packets lost between usrsctp and the peer, and limits how much may be
 * in flight: see the source file.  Part of ngx_webrtc_sctp; knows usrsctp's
 * packets, but not usrsctp.
 */


#ifndef _NGX_WEBRTC_SCTP_REPAIR_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_REPAIR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp_copy.h>
#include <ngx_webrtc_sctp_rate.h>


/* maximum number of packets with copies; chosen: messages that usrsctp takes,
 * NGX_WEBRTC_SCTP_CHUNKS */
#define NGX_WEBRTC_SCTP_COPIES       16384


/* a packet to be sent once more; p and n as of ngx_webrtc_sctp_send_pt */
typedef void (*ngx_webrtc_sctp_repair_pt)(void *ctx, u_char *p, size_t n);


/* readable: rate, copies, held, repeats, probes */
typedef struct {
    ngx_webrtc_sctp_rate_t      rate;
    ngx_uint_t                  copies;      /* there are, */
    size_t                      held;        /* bytes of them */
    uint64_t                    repeats;     /* packets ever, without */
    uint64_t                    probes;      /* these */

    /* private */
    ngx_webrtc_sctp_repair_pt   send;
    void                       *ctx;
    ngx_queue_t                 all;         /* of copies, by TSN */
    ngx_queue_t                 open;        /* of them: not acknowledged */
    ngx_queue_t                 flight;      /* of open: by time of sending */
    ngx_queue_t                 lost;        /* of open: to be repeated */
    ngx_webrtc_sctp_spare_t     spare;       /* copies that are not in use */
    size_t                      span;        /* bytes of chunks of all, */
    size_t                      gapped;      /* of these: acknowledged */
    size_t                      under_way;   /* of flight */
    ngx_uint_t                  nflight;
    size_t                      missing;     /* of lost */
    ngx_uint_t                  nmissing;
    uint64_t                    number;      /* of the packet sent last, */
    uint64_t                    acked;       /* of the last one acknowledged */
    uint64_t                    last_ms;     /* something was sent, or came */
    uint32_t                    first_tsn;   /* ever */
    uint32_t                    tsn;         /* the last one sent */
    uint32_t                    cum;         /* acknowledged up to it */
    uint32_t                    window;      /* a_rwnd of the peer's */
    uint32_t                    reorder;     /* packets that overtake others */
    uint32_t                    late_ms;     /* and for how long they may */
    uint32_t                    tries;       /* probes in a row */
    uint64_t                    calm_ms;     /* no repeat in vain since */
    ngx_uint_t                  unseen;      /* SACKs that usrsctp has yet to
                                                see */
    unsigned                    sent:1;      /* tsn is one */
    unsigned                    known:1;     /* window is */
    unsigned                    off:1;       /* no repeats */
} ngx_webrtc_sctp_repair_t;


/*
 *   r     zeroed
 *   send  for repeats
 */
void ngx_webrtc_sctp_repair_init(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_repair_pt send, void *ctx, uint64_t now_ms);

/* frees all copies; harmless for one that is zeroed, and twice */
void ngx_webrtc_sctp_repair_cleanup(ngx_webrtc_sctp_repair_t *r);

/*
 * Leaves repeating to usrsctp from now on, as there are messages that are not
 * to be repeated at will (RFC 3758).
 */
void ngx_webrtc_sctp_repair_off(ngx_webrtc_sctp_repair_t *r);

/* usrsctp sends a packet; the checksum may be missing */
void ngx_webrtc_sctp_repair_output(ngx_webrtc_sctp_repair_t *r,
    const u_char *p, size_t n, uint64_t now_ms);

/*
 * The peer has sent a packet, its checksum is right.
 *
 *   buf    room for n bytes
 *
 * Returns the size of what usrsctp is to see instead, in buf and with a correct
 * checksum; 0 if it is to see the packet as it is.
 */
size_t ngx_webrtc_sctp_repair_input(ngx_webrtc_sctp_repair_t *r,
    const u_char *p, size_t n, u_char *buf, uint64_t now_ms);

/* usrsctp has seen what ngx_webrtc_sctp_repair_input() has returned last */
void ngx_webrtc_sctp_repair_seen(ngx_webrtc_sctp_repair_t *r);

/* Time has passed; to be called every NGX_WEBRTC_SCTP_TICK or so. */
void ngx_webrtc_sctp_repair_timeout(ngx_webrtc_sctp_repair_t *r,
    uint64_t now_ms);


#endif /* _NGX_WEBRTC_SCTP_REPAIR_H_INCLUDED_ */
