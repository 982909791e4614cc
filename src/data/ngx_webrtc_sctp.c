
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SCTP on usrsctp, sans I/O: see the header file.  Channels, DCEP and DTLS are
 * not here.  Its parts, each of which includes only those above it:
 *
 *   ngx_webrtc_sctp_limits.h    sizes and limits
 *   ngx_webrtc_sctp_crc32c      checksums
 *   ngx_webrtc_sctp_setup       what is on and off in usrsctp
 *   ngx_webrtc_sctp_rate        how much may be in flight
 *   ngx_webrtc_sctp_copy        copies of packets that were sent
 *   ngx_webrtc_sctp_repair      repeats what is lost
 *   ngx_webrtc_sctp_assoc       an association: what waits in it
 *   ngx_webrtc_sctp_instance    associations of the process, usrsctp's clock
 *   ngx_webrtc_sctp_flow        round trips that usrsctp is told, high and low
 *   ngx_webrtc_sctp_event       usrsctp's events, delivered to the user
 *   ngx_webrtc_sctp             begin, end, packets in, messages out
 *
 * RFC 9260 (SCTP), RFC 8261 (over DTLS), RFC 8831, 6 (what DataChannels use).
 *
 * Who calls whom.  usrsctp calls back in the middle of its work, with an
 * association half changed and, for output, with its locks held.  So our code
 * does nothing there but send packets: what has come in is queued on the
 * association as an event, and ngx_webrtc_sctp_event_dispatch() tells the user
 * once usrsctp has returned.  Locks are never contended: there is one thread.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_crc32c.h>
#include <ngx_webrtc_sctp_event.h>
#include <ngx_webrtc_sctp_flow.h>
#include <ngx_webrtc_sctp_instance.h>
#include <ngx_webrtc_sctp_setup.h>
#include <ngx_webrtc_seq.h>


/* bytes of a header with that of a chunk; RFC 9260, 3.1, 3.2 */
#define NGX_WEBRTC_SCTP_MIN          16

/* INITs of a peer within a second; chosen: one is answered, crossing and
 * repeated ones make four */
#define NGX_WEBRTC_SCTP_INIT_RATE    8

/* chunk types; RFC 9260, 3.2 */
#define NGX_WEBRTC_SCTP_CHUNK_INIT   1
#define NGX_WEBRTC_SCTP_CHUNK_SACK   3

/* where the cumulative TSN of a SACK is that stands alone; RFC 9260, 3.3.4 */
#define NGX_WEBRTC_SCTP_CUM          (NGX_WEBRTC_SCTP_HEADER + 4)


static void ngx_webrtc_sctp_addr(ngx_webrtc_sctp_assoc_t *assoc,
    uint16_t port, struct sockaddr_conn *sconn);
static ngx_int_t ngx_webrtc_sctp_check(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p, size_t n);
static ngx_uint_t ngx_webrtc_sctp_hold(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p, size_t n);
static void ngx_webrtc_sctp_held(ngx_webrtc_sctp_assoc_t *assoc,
    uint64_t now_ms);
static ngx_uint_t ngx_webrtc_sctp_intact(ngx_webrtc_sctp_t *sctp,
    const u_char *p, size_t n);


ngx_webrtc_sctp_t *
ngx_webrtc_sctp_create(ngx_uint_t max, ngx_webrtc_sctp_crc_e crc,
    uint64_t now_ms)
{
    ngx_webrtc_sctp_t  *sctp;

    sctp = ngx_webrtc_sctp_instance_create(max, now_ms);
    if (sctp == NULL) {
        return NULL;
    }

    sctp->hardware = (crc != NGX_WEBRTC_SCTP_CRC_TABLE
                      && ngx_webrtc_sctp_crc32c_available());

    ngx_webrtc_sctp_setup_tables();

    usrsctp_init_nothreads(0, ngx_webrtc_sctp_event_output, NULL);

    ngx_webrtc_sctp_setup_library(sctp->hardware);

    return sctp;
}


void
ngx_webrtc_sctp_destroy(ngx_webrtc_sctp_t *sctp)
{
    ngx_uint_t  i;

    /*
     * usrsctp frees some of what was closed a little later, by a timer; while
     * there is any of it, it refuses to end
     */

    for (i = 0; i < 100 && usrsctp_finish() != 0; i++) {
        usrsctp_handle_timers(NGX_WEBRTC_SCTP_TICK);
    }

    ngx_webrtc_sctp_instance_free(sctp);
}


uint64_t
ngx_webrtc_sctp_deadline(ngx_webrtc_sctp_t *sctp)
{
    if (!ngx_queue_empty(&sctp->ready)) {
        return sctp->now_ms;
    }

    if (sctp->used == 0) {
        return NGX_WEBRTC_SCTP_NO_DEADLINE;
    }

    if (!ngx_queue_empty(&sctp->busy) || sctp->now_ms < sctp->active_ms) {
        return sctp->now_ms + NGX_WEBRTC_SCTP_TICK;
    }

    return sctp->now_ms + NGX_WEBRTC_SCTP_IDLE_TICK;
}


void
ngx_webrtc_sctp_timeout(ngx_webrtc_sctp_t *sctp, uint64_t now_ms)
{
    ngx_webrtc_sctp_instance_advance(sctp, now_ms);
    ngx_webrtc_sctp_event_dispatch(sctp);
}


void
ngx_webrtc_sctp_stat(ngx_webrtc_sctp_t *sctp, ngx_webrtc_sctp_stat_t *stat)
{
    *stat = sctp->stat;
    stat->associations = sctp->used;
}


ngx_int_t
ngx_webrtc_sctp_init(ngx_webrtc_sctp_assoc_t *assoc, ngx_webrtc_sctp_t *sctp,
    const ngx_webrtc_sctp_opts_t *opts)
{
    ngx_webrtc_sctp_so_pt  so;
    struct sockaddr_conn   sconn;

    ngx_memzero(assoc, sizeof(ngx_webrtc_sctp_assoc_t));

    if (sctp->used == sctp->max) {
        return NGX_BUSY;
    }

    assoc->id = ngx_webrtc_sctp_instance_id(sctp);
    assoc->opts = *opts;

    if (assoc->opts.remote_port == 0) {
        assoc->opts.remote_port = NGX_WEBRTC_SCTP_PORT;
    }

    if (assoc->opts.local_port == 0) {
        assoc->opts.local_port = NGX_WEBRTC_SCTP_PORT;
    }

    assoc->high = NGX_WEBRTC_SCTP_HIGH_MIN;
    assoc->low = ngx_min(assoc->high / 8, opts->low);

    ngx_queue_init(&assoc->events);
    ngx_webrtc_sctp_repair_init(&assoc->repair, ngx_webrtc_sctp_event_repeat,
                                assoc, sctp->now_ms);

    so = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP,
                        ngx_webrtc_sctp_event_receive,
                        ngx_webrtc_sctp_event_room, 0, (void *) assoc->id);
    if (so == NULL) {
        return NGX_ERROR;
    }

    usrsctp_register_address((void *) assoc->id);

    ngx_webrtc_sctp_addr(assoc, assoc->opts.local_port, &sconn);

    if (ngx_webrtc_sctp_setup_socket(so) != NGX_OK
        || usrsctp_bind(so, (struct sockaddr *) &sconn, sizeof(sconn)) != 0)
    {
        usrsctp_close(so);
        usrsctp_deregister_address((void *) assoc->id);

        return NGX_ERROR;
    }

    assoc->so = so;
    assoc->sctp = sctp;

    ngx_webrtc_sctp_instance_enter(assoc);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_sctp_start(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms)
{
    struct sockaddr_conn  sconn;

    if (assoc->state != NGX_WEBRTC_SCTP_NEW || assoc->sctp == NULL) {
        return NGX_OK;
    }

    ngx_webrtc_sctp_instance_advance(assoc->sctp, now_ms);

    assoc->state = NGX_WEBRTC_SCTP_CONNECTING;
    ngx_webrtc_sctp_instance_touch(assoc);

    ngx_webrtc_sctp_addr(assoc, assoc->opts.remote_port, &sconn);

    if (usrsctp_connect(assoc->so, (struct sockaddr *) &sconn, sizeof(sconn))
        != 0
        && ngx_errno != NGX_EINPROGRESS)
    {
        assoc->state = NGX_WEBRTC_SCTP_FAILED;
        assoc->reason = "cannot connect";
        ngx_webrtc_sctp_instance_touch(assoc);

        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_sctp_input(ngx_webrtc_sctp_assoc_t *assoc, const u_char *p,
    size_t n, uint64_t now_ms)
{
    size_t              seen;
    ngx_webrtc_sctp_t  *sctp;

    sctp = assoc->sctp;

    if (assoc->so == NULL
        || assoc->state == NGX_WEBRTC_SCTP_NEW
        || assoc->state > NGX_WEBRTC_SCTP_CLOSING)
    {
        return NGX_DECLINED;
    }

    ngx_webrtc_sctp_instance_advance(sctp, now_ms);

    if (ngx_webrtc_sctp_check(assoc, p, n) != NGX_OK) {
        ngx_webrtc_sctp_event_dispatch(sctp);
        return NGX_DECLINED;
    }

    seen = ngx_webrtc_sctp_repair_input(&assoc->repair, p, n, sctp->seen,
                                        now_ms);

    if (!ngx_webrtc_sctp_hold(assoc, sctp->seen, seen)) {

        ngx_webrtc_sctp_held(assoc, now_ms);

        if (seen) {
            usrsctp_conninput((void *) assoc->id, sctp->seen, seen, 0);

        } else {
            usrsctp_conninput((void *) assoc->id, p, n, 0);
        }

        ngx_webrtc_sctp_repair_seen(&assoc->repair);
        ngx_webrtc_sctp_flow_input(assoc, p, now_ms);
    }

    ngx_webrtc_sctp_instance_touch(assoc);
    ngx_webrtc_sctp_event_dispatch(sctp);

    return NGX_OK;
}


void
ngx_webrtc_sctp_flush(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms)
{
    if (!assoc->sacked) {
        return;
    }

    ngx_webrtc_sctp_instance_advance(assoc->sctp, now_ms);

    ngx_webrtc_sctp_held(assoc, now_ms);

    ngx_webrtc_sctp_instance_touch(assoc);
    ngx_webrtc_sctp_event_dispatch(assoc->sctp);
}


ngx_int_t
ngx_webrtc_sctp_send(ngx_webrtc_sctp_assoc_t *assoc,
    const ngx_webrtc_sctp_msg_t *msg, const u_char *p, size_t n,
    uint64_t now_ms)
{
    struct sctp_sendv_spa  spa;

    if (n == 0 || n > NGX_WEBRTC_SCTP_SEND || assoc->so == NULL) {
        return NGX_DECLINED;
    }

    ngx_webrtc_sctp_instance_advance(assoc->sctp, now_ms);

    if (assoc->state != NGX_WEBRTC_SCTP_OPEN || msg->stream >= assoc->streams) {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_sctp_crowded(assoc)) {
        assoc->above = 1;
        return NGX_AGAIN;
    }

    ngx_memzero(&spa, sizeof(struct sctp_sendv_spa));

    spa.sendv_flags = SCTP_SEND_SNDINFO_VALID;
    spa.sendv_sndinfo.snd_sid = msg->stream;
    spa.sendv_sndinfo.snd_ppid = htonl(msg->ppid);
    spa.sendv_sndinfo.snd_flags = SCTP_EOR;

    if (msg->unordered) {
        spa.sendv_sndinfo.snd_flags |= SCTP_UNORDERED;
    }

    if (msg->policy != NGX_WEBRTC_SCTP_RELIABLE) {
        ngx_webrtc_sctp_repair_off(&assoc->repair);

        spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
        spa.sendv_prinfo.pr_value = msg->value;
        spa.sendv_prinfo.pr_policy = (msg->policy == NGX_WEBRTC_SCTP_REXMIT)
                                     ? SCTP_PR_SCTP_RTX : SCTP_PR_SCTP_TTL;
    }

    if (usrsctp_sendv(assoc->so, p, n, NULL, 0, &spa, sizeof(spa),
                      SCTP_SENDV_SPA, 0)
        >= 0)
    {
        assoc->buffered += n;
        assoc->total += n;
        assoc->unmarked++;
        assoc->above |= (assoc->buffered > assoc->low) ? 1 : 0;
        ngx_webrtc_sctp_instance_touch(assoc);

        return NGX_OK;
    }

    if (ngx_errno == NGX_EAGAIN || ngx_errno == EWOULDBLOCK) {

        /* the next SACK is reported, even if messages are the limit */

        assoc->above = 1;

        return NGX_AGAIN;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_webrtc_sctp_reset(ngx_webrtc_sctp_assoc_t *assoc, uint16_t stream,
    uint64_t now_ms)
{
    uint64_t                    buf[2];
    struct sctp_reset_streams  *reset;

    if (assoc->so == NULL) {
        return NGX_DECLINED;
    }

    ngx_webrtc_sctp_instance_advance(assoc->sctp, now_ms);

    if (assoc->state != NGX_WEBRTC_SCTP_OPEN || stream >= assoc->streams) {
        return NGX_DECLINED;
    }

    ngx_memzero(buf, sizeof(buf));

    reset = (struct sctp_reset_streams *) buf;
    reset->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    reset->srs_number_streams = 1;
    reset->srs_stream_list[0] = stream;

    ngx_webrtc_sctp_instance_touch(assoc);

    if (usrsctp_setsockopt(assoc->so, IPPROTO_SCTP, SCTP_RESET_STREAMS, reset,
                           sizeof(struct sctp_reset_streams)
                           + sizeof(uint16_t))
        != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_webrtc_sctp_close(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms)
{
    if (assoc->state == NGX_WEBRTC_SCTP_CLOSING || assoc->sctp == NULL) {
        return;
    }

    if (assoc->state != NGX_WEBRTC_SCTP_OPEN) {
        ngx_webrtc_sctp_abort(assoc);
        return;
    }

    ngx_webrtc_sctp_instance_advance(assoc->sctp, now_ms);

    if (assoc->state != NGX_WEBRTC_SCTP_OPEN) {
        return;
    }

    assoc->state = NGX_WEBRTC_SCTP_CLOSING;

    usrsctp_shutdown(assoc->so, SHUT_WR);

    ngx_webrtc_sctp_instance_touch(assoc);
}


void
ngx_webrtc_sctp_abort(ngx_webrtc_sctp_assoc_t *assoc)
{
    if (assoc->sctp == NULL) {
        return;
    }

    ngx_webrtc_sctp_instance_shut(assoc);
    ngx_webrtc_sctp_event_forget(assoc);

    if (assoc->state != NGX_WEBRTC_SCTP_FAILED) {
        assoc->state = NGX_WEBRTC_SCTP_CLOSED;
    }

    assoc->buffered = 0;
    assoc->above = 0;
    assoc->sacked = 0;

    ngx_webrtc_sctp_instance_touch(assoc);
}


void
ngx_webrtc_sctp_cleanup(ngx_webrtc_sctp_assoc_t *assoc)
{
    if (assoc->sctp == NULL) {
        return;
    }

    /* first of all, so that no ABORT is sent */

    ngx_webrtc_sctp_instance_leave(assoc);

    ngx_webrtc_sctp_instance_shut(assoc);
    ngx_webrtc_sctp_event_forget(assoc);

    ngx_webrtc_sctp_repair_cleanup(&assoc->repair);

    assoc->buffered = 0;
    assoc->sacked = 0;

    if (assoc->busy) {
        assoc->busy = 0;
        ngx_queue_remove(&assoc->timers);
    }

    assoc->sctp = NULL;
}


static void
ngx_webrtc_sctp_addr(ngx_webrtc_sctp_assoc_t *assoc, uint16_t port,
    struct sockaddr_conn *sconn)
{
    ngx_memzero(sconn, sizeof(struct sockaddr_conn));

    sconn->sconn_family = AF_CONN;
    sconn->sconn_port = htons(port);
    sconn->sconn_addr = (void *) assoc->id;
}


/*
 * A packet that usrsctp is to see, which is kept if it is a SACK alone: another
 * one takes its place, unless it is older.
 */

static ngx_uint_t
ngx_webrtc_sctp_hold(ngx_webrtc_sctp_assoc_t *assoc, const u_char *p,
    size_t n)
{
    uint32_t  cum, before;

    if (!assoc->opts.batches
        || assoc->state != NGX_WEBRTC_SCTP_OPEN
        || assoc->repair.off
        || n != NGX_WEBRTC_SCTP_SACK
        || p[NGX_WEBRTC_SCTP_HEADER] != NGX_WEBRTC_SCTP_CHUNK_SACK)
    {
        return 0;
    }

    if (assoc->sacked) {

        /* ports and tag tell whether usrsctp takes it */

        if (ngx_memcmp(assoc->sack, p, NGX_WEBRTC_SCTP_CHECKSUM) != 0) {
            return 0;
        }

        ngx_memcpy(&cum, p + NGX_WEBRTC_SCTP_CUM, 4);
        ngx_memcpy(&before, assoc->sack + NGX_WEBRTC_SCTP_CUM, 4);

        if (ngx_webrtc_seq_less32(ntohl(cum), ntohl(before))) {
            return 1;
        }
    }

    ngx_memcpy(assoc->sack, p, NGX_WEBRTC_SCTP_SACK);
    assoc->sacked = 1;

    return 1;
}


/* usrsctp sees what was kept */

static void
ngx_webrtc_sctp_held(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms)
{
    if (!assoc->sacked) {
        return;
    }

    assoc->sacked = 0;

    usrsctp_conninput((void *) assoc->id, assoc->sack, NGX_WEBRTC_SCTP_SACK,
                      0);

    ngx_webrtc_sctp_repair_seen(&assoc->repair);
    ngx_webrtc_sctp_flow_input(assoc, assoc->sack, now_ms);
}


/* before usrsctp sees a packet */

static ngx_int_t
ngx_webrtc_sctp_check(ngx_webrtc_sctp_assoc_t *assoc, const u_char *p,
    size_t n)
{
    ngx_webrtc_sctp_t  *sctp;

    sctp = assoc->sctp;

    if (n < NGX_WEBRTC_SCTP_MIN || n > NGX_WEBRTC_SCTP_INPUT) {
        sctp->stat.bad++;
        return NGX_DECLINED;
    }

    if (!ngx_webrtc_sctp_intact(sctp, p, n)) {
        sctp->stat.bad++;
        return NGX_DECLINED;
    }

    /* an INIT stands alone (RFC 9260, 6.10) and costs us a cookie */

    if (p[NGX_WEBRTC_SCTP_HEADER] == NGX_WEBRTC_SCTP_CHUNK_INIT) {

        if (sctp->now_ms - assoc->inits_ms >= 1000) {
            assoc->inits_ms = sctp->now_ms;
            assoc->inits = 0;
        }

        if (++assoc->inits > NGX_WEBRTC_SCTP_INIT_RATE) {
            sctp->stat.floods++;
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/*
 * Whether the checksum is right.  It is verified here even if usrsctp does so
 * again: where a packet is rewritten for usrsctp, a wrong checksum would become
 * right.
 */

static ngx_uint_t
ngx_webrtc_sctp_intact(ngx_webrtc_sctp_t *sctp, const u_char *p, size_t n)
{
    uint32_t  crc, sum;

    ngx_memcpy(&sum, p + NGX_WEBRTC_SCTP_CHECKSUM, 4);

    ngx_memcpy(sctp->seen, p, n);
    ngx_memzero(sctp->seen + NGX_WEBRTC_SCTP_CHECKSUM, 4);

    crc = ngx_webrtc_sctp_checksum(sctp->seen, n);

    return crc == sum;
}
