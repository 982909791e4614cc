
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What usrsctp (0.9.5) is told about round trips, and how much it is given.
 *
 * A margin.  RFC 9260, 6.3.2 (R3) restarts T3-rtx when a SACK acknowledges new
 * data; usrsctp does not.  It lets the timer expire every RTO, and then
 * considers all chunks older than SRTT + 4 * RTTVAR lost, and closes its
 * window.  But we repeat what is lost (ngx_webrtc_sctp_repair), which takes
 * somewhat more than a round trip, and nothing still in flight may be
 * considered lost.  So usrsctp is told of longer round trips, a few for each
 * that it measures itself: it is asked for a HEARTBEAT (RFC 9260, 8.3), which
 * is taken out of the packet and answered here, with an earlier time in it.
 *
 * How much to give it.  What usrsctp has been given cannot be taken back, and a
 * message waits for all of it: with 8 MiB at 1 Mbit/s for 68 s.  So users are
 * told to stop (assoc->high) at what the path takes in 200 ms and two of its
 * round trips, so that it goes on being filled while something is repeated, by
 * the best recent rate; and in six of them during slow start.  What has arrived
 * after a gap delays nothing, and is allowed in addition.  Round trips made
 * long by our own queue on the path must not count, or each would make the next
 * one longer: no more counts than by the shortest round trip ever, or 300 ms
 * for all of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_sctp_crc32c.h>
#include <ngx_webrtc_sctp_flow.h>
#include <ngx_webrtc_sctp_setup.h>


/* chunk types; RFC 9260, 3.2 */
#define NGX_WEBRTC_SCTP_FLOW_BEAT     4
#define NGX_WEBRTC_SCTP_FLOW_BEAT_ACK 5

/* bytes of a HEARTBEAT of usrsctp's at most; chosen: it has 44 */
#define NGX_WEBRTC_SCTP_FLOW_BEAT_MAX 96

/* where the checksum of a packet is */
#define NGX_WEBRTC_SCTP_FLOW_CHECKSUM 8

/* milliseconds between told round trips at least and at most, a quarter of a
 * real one between them; and by how much they are longer, with so many real
 * ones, and at most: usrsctp then waits for SRTT + 4 * RTTVAR of some ten round
 * trips and a second */
#define NGX_WEBRTC_SCTP_FLOW_OFTEN    10
#define NGX_WEBRTC_SCTP_FLOW_SELDOM   250
#define NGX_WEBRTC_SCTP_FLOW_MARGIN   500
#define NGX_WEBRTC_SCTP_FLOW_TIMES    8
#define NGX_WEBRTC_SCTP_FLOW_MOST     4000

/* milliseconds that are wanted ahead, and that round trips may count for,
 * however short they were once */
#define NGX_WEBRTC_SCTP_FLOW_AHEAD    200
#define NGX_WEBRTC_SCTP_FLOW_TRIPS    300

/* where the two words of time are in a HEARTBEAT of usrsctp: behind the headers
 * of packet, chunk and parameter */
#define NGX_WEBRTC_SCTP_FLOW_TIME     (NGX_WEBRTC_SCTP_HEADER + 8)


static void ngx_webrtc_sctp_flow_ahead(ngx_webrtc_sctp_assoc_t *assoc);
static void ngx_webrtc_sctp_flow_tell(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p);


ngx_int_t
ngx_webrtc_sctp_flow_output(ngx_webrtc_sctp_assoc_t *assoc, u_char *p,
    size_t *n)
{
    u_char                  *chunk, *end;
    uint16_t                 len;
    ngx_webrtc_sctp_flow_t  *flow;

    flow = &assoc->flow;
    chunk = p + NGX_WEBRTC_SCTP_HEADER;
    end = p + *n;

    if (flow->beat == NULL
        || *n < NGX_WEBRTC_SCTP_FLOW_TIME
        || *chunk != NGX_WEBRTC_SCTP_FLOW_BEAT
        || ngx_webrtc_read_u16(chunk + 2, end, &len) == NULL
        || len > end - chunk || len > NGX_WEBRTC_SCTP_FLOW_BEAT_MAX)
    {
        return NGX_OK;
    }

    ngx_memcpy(flow->beat, p, NGX_WEBRTC_SCTP_HEADER + len);
    flow->nbeat = NGX_WEBRTC_SCTP_HEADER + len;
    flow->beat = NULL;

    if (len == end - chunk) {
        return NGX_DECLINED;
    }

    /* DATA may be behind it; lengths of ours are multiples of 4 */

    ngx_memmove(chunk, chunk + len, end - chunk - len);

    *n -= len;

    return NGX_OK;
}


void
ngx_webrtc_sctp_flow_input(ngx_webrtc_sctp_assoc_t *assoc, const u_char *p,
    uint64_t now_ms)
{
    uint64_t                 ms;
    ngx_webrtc_sctp_flow_t  *flow;

    flow = &assoc->flow;

    if (assoc->state != NGX_WEBRTC_SCTP_OPEN
        || flow->acked == assoc->repair.rate.delivered)
    {
        return;
    }

    flow->acked = assoc->repair.rate.delivered;

    ngx_webrtc_sctp_flow_ahead(assoc);

    ms = ngx_min(assoc->repair.rate.srtt_ms / 4, NGX_WEBRTC_SCTP_FLOW_SELDOM);
    ms = ngx_max(ms, NGX_WEBRTC_SCTP_FLOW_OFTEN);

    if (now_ms - flow->told_ms >= ms) {
        flow->told_ms = now_ms;
        ngx_webrtc_sctp_flow_tell(assoc, p);
    }
}


static void
ngx_webrtc_sctp_flow_ahead(ngx_webrtc_sctp_assoc_t *assoc)
{
    uint32_t                 trips;
    uint64_t                 ms, high;
    ngx_webrtc_sctp_rate_t  *rate;

    rate = &assoc->repair.rate;

    /* slow start doubles what is two round trips old, and twice until now */

    trips = (rate->mode == NGX_WEBRTC_SCTP_RATE_STARTUP) ? 6 : 2;

    ms = ngx_max(trips * rate->ever_ms, NGX_WEBRTC_SCTP_FLOW_TRIPS);
    ms = ngx_min(trips * rate->min_ms, ms) + NGX_WEBRTC_SCTP_FLOW_AHEAD;

    high = ngx_webrtc_sctp_rate_best(rate) * ms / 1000;

    if (rate->mode == NGX_WEBRTC_SCTP_RATE_RIVAL) {

        /* the window is what keeps the rate, and waits in another's queue */

        high = ngx_max(high, rate->cwnd + ngx_webrtc_sctp_rate_best(rate)
                                          * NGX_WEBRTC_SCTP_FLOW_AHEAD / 1000);
    }

    high = ngx_max(high, NGX_WEBRTC_SCTP_HIGH_MIN) + assoc->repair.gapped;
    high = ngx_min(high, NGX_WEBRTC_SCTP_HIGH_MAX);

    assoc->high = (size_t) high;
    assoc->low = ngx_min(assoc->high / 8, assoc->opts.low);
}


/* p is a packet of the peer */

static void
ngx_webrtc_sctp_flow_tell(ngx_webrtc_sctp_assoc_t *assoc, const u_char *p)
{
    u_char                   *word;
    uint32_t                  sum, sec, usec;
    uint64_t                  us, earlier;
    ngx_webrtc_sctp_flow_t   *flow;
    struct sockaddr_conn     *sconn;
    struct sctp_paddrparams   path;
    u_char                    beat[NGX_WEBRTC_SCTP_HEADER
                                   + NGX_WEBRTC_SCTP_FLOW_BEAT_MAX];

    flow = &assoc->flow;

    ngx_memzero(&path, sizeof(struct sctp_paddrparams));
    path.spp_assoc_id = SCTP_FUTURE_ASSOC;
    path.spp_flags = SPP_HB_DEMAND;

    sconn = (struct sockaddr_conn *) &path.spp_address;
    sconn->sconn_family = AF_CONN;
    sconn->sconn_port = htons(assoc->opts.remote_port);
    sconn->sconn_addr = (void *) assoc->id;

    flow->beat = beat;
    flow->nbeat = 0;

    (void) usrsctp_setsockopt(assoc->so, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS,
                              &path, sizeof(struct sctp_paddrparams));

    flow->beat = NULL;

    if (flow->nbeat < NGX_WEBRTC_SCTP_FLOW_TIME + 8) {
        return;
    }

    /* ports and tag as of the peer's packet */

    ngx_memcpy(beat, p, NGX_WEBRTC_SCTP_FLOW_CHECKSUM);
    ngx_memzero(beat + NGX_WEBRTC_SCTP_FLOW_CHECKSUM, 4);

    beat[NGX_WEBRTC_SCTP_HEADER] = NGX_WEBRTC_SCTP_FLOW_BEAT_ACK;

    word = beat + NGX_WEBRTC_SCTP_FLOW_TIME;

    ngx_memcpy(&sec, word, 4);
    ngx_memcpy(&usec, word + 4, 4);

    us = (uint64_t) sec * 1000000 + usec;

    earlier = (uint64_t) assoc->repair.rate.srtt_ms * NGX_WEBRTC_SCTP_FLOW_TIMES
              + NGX_WEBRTC_SCTP_FLOW_MARGIN;
    earlier = ngx_min(earlier, NGX_WEBRTC_SCTP_FLOW_MOST) * 1000;

    if (us < earlier) {
        return;
    }

    sec = (uint32_t) ((us - earlier) / 1000000);
    usec = (uint32_t) ((us - earlier) % 1000000);

    ngx_memcpy(word, &sec, 4);
    ngx_memcpy(word + 4, &usec, 4);

    sum = ngx_webrtc_sctp_checksum(beat, flow->nbeat);
    ngx_memcpy(beat + NGX_WEBRTC_SCTP_FLOW_CHECKSUM, &sum, 4);

    usrsctp_conninput((void *) assoc->id, beat, flow->nbeat, 0);
}
