
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Which packets a receiver may have again, where the bandwidth of its path is
 * known: no more than a quarter of that, and none that is on its way already.
 * On a path that is full each retransmission loses something else.
 *
 * Pure, plain memory: time is passed in, in ms of a monotonic clock.
 */


#ifndef _NGX_WEBRTC_AGAIN_H_INCLUDED_
#define _NGX_WEBRTC_AGAIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* packets of which it is known when they were sent again, a power of two;
 * chosen: as many as are lost in a bad round trip */
#define NGX_WEBRTC_AGAIN_SENT   64

/* part of the bandwidth, and bytes at once at least: those of a lost frame;
 * chosen */
#define NGX_WEBRTC_AGAIN_PART   4
#define NGX_WEBRTC_AGAIN_BURST  12000


/*
 * private; all zero at first: what a second brings is saved up, for the key
 * frame that a viewer begins with; with filled_ms set, nothing is
 */
typedef struct {
    uint64_t     filled_ms;      /* when "mbytes" was so */
    uint64_t     mbytes;         /* 1/1000 bytes that may be sent again now */

    struct {
        uint16_t  seq;
        uint16_t  ms;            /* never 0, that is none */
    }            sent[NGX_WEBRTC_AGAIN_SENT];
} ngx_webrtc_again_t;


/*
 * A packet is asked for.
 *
 *   n          its bytes
 *   estimate   of the path, bits per second
 *   rtt_ms     of the path, by the receiver's reports; 0: not known
 *
 * NGX_OK         it may be sent, and is taken for sent
 * NGX_DECLINED   it was sent again within the last round trip
 * NGX_AGAIN      no more now
 */
ngx_int_t ngx_webrtc_again(ngx_webrtc_again_t *again, uint16_t seq, size_t n,
    uint32_t estimate, uint32_t rtt_ms, uint64_t now_ms);

/*
 * Something more is to be sent, of n bytes: the part of ngx_webrtc_again() that
 * does not ask what it is.
 *
 * NGX_OK; NGX_AGAIN: no more now
 */
ngx_int_t ngx_webrtc_again_take(ngx_webrtc_again_t *again, size_t n,
    uint32_t estimate, uint64_t now_ms);

/*
 * How often a packet is sent that is asked for.  On a path that loses packets
 * those that are sent again get lost as often; the receiver asks for them after
 * another round trip, and on a long path its picture stops for that.
 *
 *   lossy   the path has lost packets of late
 *
 * Returns 1 or 2.
 */
ngx_uint_t ngx_webrtc_again_copies(ngx_uint_t lossy, uint32_t rtt_ms);


#endif /* _NGX_WEBRTC_AGAIN_H_INCLUDED_ */
