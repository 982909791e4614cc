
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The receiver's side of transport-wide congestion control: collects arrival
 * times and reports them to the sender every 50 to 100 ms.  One per session,
 * over all its SSRCs.  draft-holmer-rmcat-transport-wide-cc-extensions-01.
 *
 * Sans-I/O, plain memory, 8.3 KB.
 */


#ifndef _NGX_WEBRTC_TWCC_H_INCLUDED_
#define _NGX_WEBRTC_TWCC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Packets remembered, a power of two; chosen: 100 ms of 40 Mbit/s, and as many
 * again that were already reported, for packets that come late
 */
#define NGX_WEBRTC_TWCC_WINDOW    1024

/* us between two reports: with few packets to report, with many */
#define NGX_WEBRTC_TWCC_SLOW      100000
#define NGX_WEBRTC_TWCC_FAST      50000

/* packets that count as many; chosen: 50 ms of 4 Mbit/s */
#define NGX_WEBRTC_TWCC_MANY      20

/* bytes that ngx_webrtc_twcc_write() uses at most; chosen: an SRTCP datagram
 * stays below 1200 */
#define NGX_WEBRTC_TWCC_SIZE      1100


/* private except for the counters */
typedef struct {
    uint32_t     sender;
    uint32_t     media;           /* SSRC of the last packet */
    uint64_t     first;           /* next number to report */
    uint64_t     highest;         /* newest one */
    uint64_t     told;            /* highest reported, + 1 */
    uint64_t     told_us;         /* when the last report was due */
    uint32_t     waiting;         /* packets not reported */
    uint8_t      feedback;        /* number of the next report */
    unsigned     started:1;

    uint64_t     received;
    uint64_t     lost;            /* reported lost, for the first time */
    uint64_t     reports;

    int64_t      arrivals[NGX_WEBRTC_TWCC_WINDOW];
} ngx_webrtc_twcc_t;


/* sender: SSRC for our reports */

void ngx_webrtc_twcc_init(ngx_webrtc_twcc_t *tw, uint32_t sender);

/*
 * A packet came.
 *
 *   seq      of its header extension
 *   ssrc     of the packet
 *   now_us   when it came, monotonic clock
 */

void ngx_webrtc_twcc_input(ngx_webrtc_twcc_t *tw, uint16_t seq, uint32_t ssrc,
    uint64_t now_us);

/* when ngx_webrtc_twcc_write() is due, us; 0: nothing to report */

uint64_t ngx_webrtc_twcc_deadline(const ngx_webrtc_twcc_t *tw);

/*
 * Writes a report if one is due.  To be called again until nothing is written:
 * a report of many packets is split into several.  If a packet comes after it
 * was reported lost, the next report starts again with it.
 *
 *   p, end   room of at least NGX_WEBRTC_TWCC_MIN bytes; reports that do not
 *            fit are cut
 *
 * Returns the position behind it; p when nothing is due.
 */

u_char *ngx_webrtc_twcc_write(ngx_webrtc_twcc_t *tw, u_char *p, u_char *end,
    uint64_t now_us);


#endif /* _NGX_WEBRTC_TWCC_H_INCLUDED_ */
