
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the congestion control of usrsctp (0.9.5) needs from outside to fill a
 * path.  It runs on round trip times that are measured here: from a chunk of
 * DATA that goes out for the first time to the SACK that covers it.
 *
 * A ceiling.  Slow start of usrsctp doubles the window until something is lost,
 * and by then has sent a window too much.  Of the hundreds of packets that a
 * queue then drops it recovers slowly, and its window ends up at a small part
 * of what the path takes.  So slow start ends here when round trips become
 * longer (as in RFC 9406): SCTP_MAX_CWND is set to what was in flight when the
 * delay began, and raised by a part of itself per round trip while the queue
 * is short.  Below this ceiling RFC 9260, 7.2 goes on as ever.
 *
 * A margin.  RFC 9260, 6.3.2 (R3) restarts T3-rtx when a SACK acknowledges new
 * data; usrsctp does not.  It lets the timer expire every RTO, and then takes
 * all chunks for lost that are older than SRTT + 4 * RTTVAR.  On a path with a
 * steady delay the variation is nil, so that each time chunks are taken for
 * lost that are merely on their way, and the window is halved: 16 Mbit/s of
 * 100 (RTT 100 ms).  So that there is a variation, usrsctp is now and then told
 * of a longer round trip: it is asked for a HEARTBEAT (RFC 9260, 8.3), which is
 * taken out of the packet and answered here, with an earlier time in it.  RTO
 * is not affected, it has a minimum far above.
 *
 * How much to give it.  What usrsctp has been given cannot be taken back, and a
 * message waits for all of it: with 8 MiB at 1 Mbit/s for 68 s.  So users are
 * told to stop (assoc->high) at what the path takes in 200 ms and two of its
 * round trips, so that it goes on being filled while something is repeated, by
 * the best rate of late; and in four of them during slow start.  Round trips
 * that are long because what we have sent is waiting on the way must not count,
 * or each would make the next one longer: no more counts than by the shortest
 * round trip ever, or 300 ms for all of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_seq.h>
#include <ngx_webrtc_sctp_flow.h>
#include <ngx_webrtc_sctp_setup.h>


/* chunk types; RFC 9260, 3.2 */
#define NGX_WEBRTC_SCTP_FLOW_DATA     0
#define NGX_WEBRTC_SCTP_FLOW_SACK     3
#define NGX_WEBRTC_SCTP_FLOW_BEAT     4
#define NGX_WEBRTC_SCTP_FLOW_BEAT_ACK 5

/* bytes of a HEARTBEAT of usrsctp's at most; chosen: it has 44 */
#define NGX_WEBRTC_SCTP_FLOW_BEAT_MAX 96

/* where the checksum of a packet is */
#define NGX_WEBRTC_SCTP_FLOW_CHECKSUM 8

/* milliseconds between told round trips, and by how much they are longer;
 * chosen: SRTT + 4 * RTTVAR is then some 50 ms above the round trip */
#define NGX_WEBRTC_SCTP_FLOW_TELL     250
#define NGX_WEBRTC_SCTP_FLOW_MARGIN   100

/* round trip times in a row that are longer by an eighth, by that many
 * milliseconds at least and at most, until there is a queue; RFC 9406, 4.2 has
 * 4 and 16; chosen: an event loop may be busy for 8 */
#define NGX_WEBRTC_SCTP_FLOW_LONGER   4
#define NGX_WEBRTC_SCTP_FLOW_LEAST    8
#define NGX_WEBRTC_SCTP_FLOW_MOST     40

/* milliseconds that the shortest round trip is good for: paths change */
#define NGX_WEBRTC_SCTP_FLOW_MIN      10000

/* part of itself that the ceiling is raised by, per round trip; chosen: twice
 * as high after a second at 100 ms, and a full queue drops some packets then,
 * not hundreds */
#define NGX_WEBRTC_SCTP_FLOW_RISE     16

/* bytes of the ceiling at least; chosen: a path of 10 Mbit/s and 100 ms */
#define NGX_WEBRTC_SCTP_FLOW_FLOOR    131072

/* milliseconds at least that a rate is measured for, that are wanted ahead, and
 * that round trips may count for however short they were once */
#define NGX_WEBRTC_SCTP_FLOW_RATE     100
#define NGX_WEBRTC_SCTP_FLOW_AHEAD    200
#define NGX_WEBRTC_SCTP_FLOW_TRIPS    300

/* where the two words of time are in a HEARTBEAT of usrsctp: behind the headers
 * of packet, chunk and parameter */
#define NGX_WEBRTC_SCTP_FLOW_TIME     (NGX_WEBRTC_SCTP_HEADER + 8)


static void ngx_webrtc_sctp_flow_time(ngx_webrtc_sctp_flow_t *flow,
    uint64_t now_ms);
static void ngx_webrtc_sctp_flow_sample(ngx_webrtc_sctp_assoc_t *assoc,
    const ngx_webrtc_sctp_timed_t *timed, uint64_t now_ms);
static void ngx_webrtc_sctp_flow_rate(ngx_webrtc_sctp_assoc_t *assoc,
    uint64_t now_ms);
static void ngx_webrtc_sctp_flow_tell(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p);


void
ngx_webrtc_sctp_flow_init(ngx_webrtc_sctp_assoc_t *assoc)
{
    assoc->flow.most = ngx_webrtc_sctp_setup_window(assoc->so);
    assoc->flow.ceiling = assoc->flow.most;
}


void
ngx_webrtc_sctp_flow_begin(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms)
{
    assoc->flow.rate_ms = now_ms;
    assoc->flow.rate_from = assoc->total;
}


ngx_int_t
ngx_webrtc_sctp_flow_output(ngx_webrtc_sctp_assoc_t *assoc, u_char *p,
    size_t *n, uint64_t now_ms)
{
    u_char                  *chunk, *end;
    uint16_t                 len;
    uint32_t                 tsn;
    ngx_webrtc_sctp_flow_t  *flow;

    flow = &assoc->flow;
    chunk = p + NGX_WEBRTC_SCTP_HEADER;
    end = p + *n;

    if (*n < NGX_WEBRTC_SCTP_FLOW_TIME) {
        return NGX_OK;
    }

    if (flow->beat && *chunk == NGX_WEBRTC_SCTP_FLOW_BEAT) {

        if (ngx_webrtc_read_u16(chunk + 2, end, &len) == NULL
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

        end -= len;
        *n -= len;
    }

    if (*chunk != NGX_WEBRTC_SCTP_FLOW_DATA
        || ngx_webrtc_read_u32(chunk + 4, end, &tsn) == NULL)
    {
        return NGX_OK;
    }

    if (flow->sent && !ngx_webrtc_seq_less32(flow->tsn, tsn)) {

        /* a repetition tells nothing about time (RFC 9260, 6.3.1, C5) */

        return NGX_OK;
    }

    flow->sent = 1;
    flow->tsn = tsn;

    ngx_webrtc_sctp_flow_time(flow, now_ms);

    return NGX_OK;
}


void
ngx_webrtc_sctp_flow_input(ngx_webrtc_sctp_assoc_t *assoc, const u_char *p,
    size_t n, uint64_t now_ms)
{
    uint32_t                  cum;
    const u_char             *chunk;
    ngx_webrtc_sctp_flow_t   *flow;
    ngx_webrtc_sctp_timed_t  *timed, *next;

    flow = &assoc->flow;
    chunk = p + NGX_WEBRTC_SCTP_HEADER;

    if (*chunk != NGX_WEBRTC_SCTP_FLOW_SACK
        || assoc->state != NGX_WEBRTC_SCTP_OPEN
        || ngx_webrtc_read_u32((u_char *) chunk + 4, (u_char *) p + n, &cum)
           == NULL)
    {
        return;
    }

    /* usrsctp ends the association if it is of what was never sent */

    if (flow->acked && !ngx_webrtc_seq_less32(flow->cum, cum)) {
        return;
    }

    flow->acked = 1;
    flow->cum = cum;

    ngx_webrtc_sctp_flow_rate(assoc, now_ms);

    timed = NULL;

    while (flow->tail != flow->head) {
        next = &flow->timed[flow->tail % NGX_WEBRTC_SCTP_MEASURED];

        if (ngx_webrtc_seq_less32(cum, next->tsn)) {
            break;
        }

        timed = next;
        flow->tail++;
    }

    if (timed == NULL) {
        return;
    }

    ngx_webrtc_sctp_flow_sample(assoc, timed, now_ms);

    if (now_ms - flow->told_ms >= NGX_WEBRTC_SCTP_FLOW_TELL) {
        flow->told_ms = now_ms;
        ngx_webrtc_sctp_flow_tell(assoc, p);
    }
}


/* a few chunks of each round trip are timed */

static void
ngx_webrtc_sctp_flow_time(ngx_webrtc_sctp_flow_t *flow, uint64_t now_ms)
{
    uint32_t                  n, last;
    ngx_webrtc_sctp_timed_t  *timed;

    if (!flow->acked
        || flow->head - flow->tail == NGX_WEBRTC_SCTP_MEASURED)
    {
        return;
    }

    n = flow->tsn - flow->cum;

    if (flow->head != flow->tail) {
        last = flow->timed[(flow->head - 1) % NGX_WEBRTC_SCTP_MEASURED].tsn;

        if (flow->tsn - last < n / NGX_WEBRTC_SCTP_MEASURED) {
            return;
        }
    }

    timed = &flow->timed[flow->head++ % NGX_WEBRTC_SCTP_MEASURED];

    timed->tsn = flow->tsn;
    timed->at_ms = now_ms;
    timed->flight = n * NGX_WEBRTC_SCTP_CHUNK;
}


/* a round trip has been measured */

static void
ngx_webrtc_sctp_flow_sample(ngx_webrtc_sctp_assoc_t *assoc,
    const ngx_webrtc_sctp_timed_t *timed, uint64_t now_ms)
{
    uint32_t                 rtt, more, ceiling;
    ngx_webrtc_sctp_flow_t  *flow;

    flow = &assoc->flow;

    rtt = (uint32_t) ngx_min(now_ms - timed->at_ms, 60000);
    flow->rtt_ms = rtt;

    if (rtt <= flow->min_ms || flow->since_ms == 0
        || now_ms - flow->since_ms >= NGX_WEBRTC_SCTP_FLOW_MIN)
    {
        flow->ever_ms = (flow->since_ms == 0) ? rtt
                                              : ngx_min(flow->ever_ms, rtt);
        flow->min_ms = rtt;
        flow->since_ms = now_ms;
    }

    if (!flow->ended) {

        more = flow->min_ms / 8;
        more = ngx_max(more, NGX_WEBRTC_SCTP_FLOW_LEAST);
        more = ngx_min(more, NGX_WEBRTC_SCTP_FLOW_MOST);

        if (rtt < flow->min_ms + more) {
            flow->longer = 0;
            return;
        }

        if (flow->longer++ == 0) {
            flow->flight = timed->flight;
        }

        if (flow->longer < NGX_WEBRTC_SCTP_FLOW_LONGER) {
            return;
        }

        flow->ended = 1;
        ceiling = ngx_max(flow->flight, NGX_WEBRTC_SCTP_FLOW_FLOOR);

    } else {

        /*
         * once per round trip, if there is use for it, and no more than what
         * keeps a queue of a round trip
         */

        if (ngx_webrtc_seq_less32(timed->tsn, flow->raised_tsn)
            || timed->flight < flow->ceiling / 4 * 3
            || rtt > 2 * flow->min_ms + NGX_WEBRTC_SCTP_FLOW_MOST)
        {
            return;
        }

        ceiling = flow->ceiling + flow->ceiling / NGX_WEBRTC_SCTP_FLOW_RISE;
    }

    flow->raised_tsn = flow->tsn;
    ceiling = ngx_min(ceiling, flow->most);

    if (ceiling != flow->ceiling) {
        flow->ceiling = ceiling;
        ngx_webrtc_sctp_setup_ceiling(assoc->so, ceiling);
    }
}


/* more has been acknowledged */

static void
ngx_webrtc_sctp_flow_rate(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms)
{
    uint32_t                 best, trips;
    uint64_t                 ms, acked, high;
    ngx_uint_t               i;
    ngx_webrtc_sctp_flow_t  *flow;

    flow = &assoc->flow;
    ms = now_ms - flow->rate_ms;

    if (ms < NGX_WEBRTC_SCTP_FLOW_RATE || ms < flow->rtt_ms) {
        return;
    }

    acked = assoc->total - assoc->buffered;

    flow->rates[flow->nrates++ % NGX_WEBRTC_SCTP_RATES] =
        (uint32_t) ngx_min((acked - flow->rate_from) * 1000 / ms, UINT32_MAX);

    flow->rate_ms = now_ms;
    flow->rate_from = acked;

    best = 0;

    for (i = 0; i < NGX_WEBRTC_SCTP_RATES; i++) {
        best = ngx_max(best, flow->rates[i]);
    }

    /* slow start doubles what is two round trips old, and twice until now */

    trips = flow->ended ? 2 : 4;

    ms = ngx_max(trips * flow->ever_ms, NGX_WEBRTC_SCTP_FLOW_TRIPS);
    ms = ngx_min(trips * flow->min_ms, ms) + NGX_WEBRTC_SCTP_FLOW_AHEAD;

    high = best * ms / 1000;
    high = ngx_max(high, NGX_WEBRTC_SCTP_HIGH_MIN);
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
    earlier = (uint64_t) (flow->rtt_ms + NGX_WEBRTC_SCTP_FLOW_MARGIN) * 1000;

    if (us < earlier) {
        return;
    }

    sec = (uint32_t) ((us - earlier) / 1000000);
    usec = (uint32_t) ((us - earlier) % 1000000);

    ngx_memcpy(word, &sec, 4);
    ngx_memcpy(word + 4, &usec, 4);

    sum = usrsctp_crc32c(beat, flow->nbeat);
    ngx_memcpy(beat + NGX_WEBRTC_SCTP_FLOW_CHECKSUM, &sum, 4);

    usrsctp_conninput((void *) assoc->id, beat, flow->nbeat, 0);
}
