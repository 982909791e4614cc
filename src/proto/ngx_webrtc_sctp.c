
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SCTP on usrsctp, sans I/O: see the header file.  With ngx_webrtc_sctp_setup
 * and ngx_webrtc_sctp_flow the only place that knows usrsctp.  Channels, DCEP
 * and DTLS are not here.
 *
 * RFC 9260 (SCTP), RFC 8261 (over DTLS), RFC 8831, 6 (what DataChannels use).
 *
 * Who calls whom.  usrsctp calls back in the middle of its work, with an
 * association half changed and, for output, with its locks held.  So nothing
 * of ours but the sending of a packet happens there: what has come in is
 * hung on the association as an event, and ngx_webrtc_sctp_dispatch() tells
 * the user when usrsctp has returned.  Locks are never contended: there is one
 * thread.
 *
 * Who is who.  usrsctp identifies peers of AF_CONN by a pointer; it gets a
 * number (ngx_webrtc_sctp_id()) for it, and the same for its "ulp_info".  The
 * low 16 bits are a slot of the table, the rest counts, so that a number never
 * comes back (after 2^48 associations; 2^16 where pointers have 32 bits).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_flow.h>
#include <ngx_webrtc_sctp_run.h>
#include <ngx_webrtc_sctp_setup.h>


/* bytes of a header with that of a chunk; RFC 9260, 3.1, 3.2 */
#define NGX_WEBRTC_SCTP_MIN          16

/* INITs of a peer within a second; chosen: one is answered, crossing and
 * repeated ones make four */
#define NGX_WEBRTC_SCTP_INIT_RATE    8

/* milliseconds after the last call during which ticks are frequent: delayed
 * SACKs, the first repetitions of what is not data */
#define NGX_WEBRTC_SCTP_ACTIVE       1000

/* chunk type; RFC 9260, 3.2 */
#define NGX_WEBRTC_SCTP_CHUNK_INIT   1

#define NGX_WEBRTC_SCTP_NO_SLOT      0xffff


static uintptr_t ngx_webrtc_sctp_id(ngx_webrtc_sctp_t *sctp,
    ngx_uint_t slot);
static void ngx_webrtc_sctp_addr(ngx_webrtc_sctp_assoc_t *assoc,
    uint16_t port, struct sockaddr_conn *sconn);
static ngx_int_t ngx_webrtc_sctp_check(ngx_webrtc_sctp_assoc_t *assoc,
    const u_char *p, size_t n);
static ngx_uint_t ngx_webrtc_sctp_crowded(ngx_webrtc_sctp_assoc_t *assoc);
static ngx_uint_t ngx_webrtc_sctp_intact(ngx_webrtc_sctp_t *sctp,
    const u_char *p, size_t n);
static void ngx_webrtc_sctp_advance(ngx_webrtc_sctp_t *sctp,
    uint64_t now_ms);
static void ngx_webrtc_sctp_leave(ngx_webrtc_sctp_assoc_t *assoc);


ngx_webrtc_sctp_t  *ngx_webrtc_sctp_instance;


ngx_webrtc_sctp_t *
ngx_webrtc_sctp_create(ngx_uint_t max, ngx_webrtc_sctp_crc_e crc,
    uint64_t now_ms)
{
    ngx_uint_t          i;
    ngx_webrtc_sctp_t  *sctp;

    if (ngx_webrtc_sctp_instance || max < 1 || max > NGX_WEBRTC_SCTP_MAX) {
        return NULL;
    }

    sctp = calloc(1, sizeof(ngx_webrtc_sctp_t));
    if (sctp == NULL) {
        return NULL;
    }

    sctp->slots = calloc(max, sizeof(ngx_webrtc_sctp_slot_t));
    if (sctp->slots == NULL) {
        free(sctp);
        return NULL;
    }

    for (i = 0; i < max; i++) {
        sctp->slots[i].next = (uint16_t) (i + 1 < max ? i + 1
                                          : NGX_WEBRTC_SCTP_NO_SLOT);
    }

    sctp->max = max;
    sctp->now_ms = now_ms;
    ngx_queue_init(&sctp->ready);
    ngx_queue_init(&sctp->busy);

    sctp->hardware = (crc != NGX_WEBRTC_SCTP_CRC_TABLE
                      && ngx_webrtc_sctp_crc32c_available());

    ngx_webrtc_sctp_setup_tables();

    usrsctp_init_nothreads(0, ngx_webrtc_sctp_on_output, NULL);

    ngx_webrtc_sctp_setup_library(sctp->hardware);

    ngx_webrtc_sctp_instance = sctp;

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

    ngx_webrtc_sctp_instance = NULL;

    free(sctp->slots);
    free(sctp);
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
    ngx_webrtc_sctp_advance(sctp, now_ms);
    ngx_webrtc_sctp_dispatch(sctp);
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
    ngx_uint_t               i;
    ngx_webrtc_sctp_so_pt    so;
    ngx_webrtc_sctp_slot_t  *slot;
    struct sockaddr_conn     sconn;

    ngx_memzero(assoc, sizeof(ngx_webrtc_sctp_assoc_t));

    i = sctp->free;

    if (sctp->used == sctp->max) {
        return NGX_BUSY;
    }

    assoc->id = ngx_webrtc_sctp_id(sctp, i);
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
    ngx_webrtc_sctp_repair_init(&assoc->repair, ngx_webrtc_sctp_on_repeat,
                                assoc, sctp->now_ms);

    so = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP,
                        ngx_webrtc_sctp_on_receive, ngx_webrtc_sctp_on_room, 0,
                        (void *) assoc->id);
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

    slot = &sctp->slots[i];
    slot->assoc = assoc;
    slot->id = assoc->id;

    sctp->free = slot->next;
    sctp->used++;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_sctp_start(ngx_webrtc_sctp_assoc_t *assoc, uint64_t now_ms)
{
    struct sockaddr_conn  sconn;

    if (assoc->state != NGX_WEBRTC_SCTP_NEW || assoc->sctp == NULL) {
        return NGX_OK;
    }

    ngx_webrtc_sctp_advance(assoc->sctp, now_ms);

    assoc->state = NGX_WEBRTC_SCTP_CONNECTING;
    ngx_webrtc_sctp_touch(assoc);

    ngx_webrtc_sctp_addr(assoc, assoc->opts.remote_port, &sconn);

    if (usrsctp_connect(assoc->so, (struct sockaddr *) &sconn, sizeof(sconn))
        != 0
        && ngx_errno != NGX_EINPROGRESS)
    {
        assoc->state = NGX_WEBRTC_SCTP_FAILED;
        assoc->reason = "cannot connect";
        ngx_webrtc_sctp_touch(assoc);

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

    ngx_webrtc_sctp_advance(sctp, now_ms);

    if (ngx_webrtc_sctp_check(assoc, p, n) != NGX_OK) {
        ngx_webrtc_sctp_dispatch(sctp);
        return NGX_DECLINED;
    }

    seen = ngx_webrtc_sctp_repair_input(&assoc->repair, p, n, sctp->seen,
                                        now_ms);

    if (seen) {
        usrsctp_conninput((void *) assoc->id, sctp->seen, seen, 0);

    } else {
        usrsctp_conninput((void *) assoc->id, p, n, 0);
    }

    ngx_webrtc_sctp_flow_input(assoc, p, now_ms);

    ngx_webrtc_sctp_touch(assoc);
    ngx_webrtc_sctp_dispatch(sctp);

    return NGX_OK;
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

    ngx_webrtc_sctp_advance(assoc->sctp, now_ms);

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
        ngx_webrtc_sctp_touch(assoc);

        return NGX_OK;
    }

    if (ngx_errno == NGX_EAGAIN || ngx_errno == EWOULDBLOCK) {

        /* the next SACK tells, even if it is about the number of messages */

        assoc->above = 1;

        return NGX_AGAIN;
    }

    return NGX_DECLINED;
}


size_t
ngx_webrtc_sctp_unsent(ngx_webrtc_sctp_assoc_t *assoc)
{
    size_t              sent;
    socklen_t           len;
    struct sctp_status  status;

    if (assoc->buffered == 0 || assoc->so == NULL) {
        return 0;
    }

    ngx_memzero(&status, sizeof(struct sctp_status));
    len = sizeof(struct sctp_status);

    if (usrsctp_getsockopt(assoc->so, IPPROTO_SCTP, SCTP_STATUS, &status, &len)
        != 0)
    {
        return assoc->buffered;
    }

    /* chunks in flight, or about to be: all full but the last of a message */

    sent = (size_t) status.sstat_unackdata * NGX_WEBRTC_SCTP_CHUNK;

    return (assoc->buffered > sent) ? assoc->buffered - sent : 0;
}


size_t
ngx_webrtc_sctp_overhead(const ngx_webrtc_sctp_assoc_t *assoc)
{
    size_t      n, some, full;
    uint64_t    acked, end, begin;
    ngx_uint_t  i;

    acked = assoc->total - assoc->buffered;
    end = assoc->total;
    some = assoc->unmarked;
    n = 0;

    /* from note to note, the latest first; a part of what is between two */

    for (i = 1; i <= NGX_WEBRTC_SCTP_MARKS && end > acked; i++) {
        begin = assoc->marks[(assoc->mark + NGX_WEBRTC_SCTP_MARKS - i)
                             % NGX_WEBRTC_SCTP_MARKS];

        n += (begin < acked) ? some * (end - acked) / (end - begin) : some;

        end = begin;
        some = NGX_WEBRTC_SCTP_CHUNKS / NGX_WEBRTC_SCTP_MARKS;
    }

    full = assoc->buffered / NGX_WEBRTC_SCTP_CHUNK;

    return (n > full + NGX_WEBRTC_SCTP_FEW)
           ? (n - full) * NGX_WEBRTC_SCTP_EXTRA : 0;
}


void
ngx_webrtc_sctp_wait(ngx_webrtc_sctp_assoc_t *assoc)
{
    assoc->above = 1;
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

    ngx_webrtc_sctp_advance(assoc->sctp, now_ms);

    if (assoc->state != NGX_WEBRTC_SCTP_OPEN || stream >= assoc->streams) {
        return NGX_DECLINED;
    }

    ngx_memzero(buf, sizeof(buf));

    reset = (struct sctp_reset_streams *) buf;
    reset->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    reset->srs_number_streams = 1;
    reset->srs_stream_list[0] = stream;

    ngx_webrtc_sctp_touch(assoc);

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

    ngx_webrtc_sctp_advance(assoc->sctp, now_ms);

    if (assoc->state != NGX_WEBRTC_SCTP_OPEN) {
        return;
    }

    assoc->state = NGX_WEBRTC_SCTP_CLOSING;

    usrsctp_shutdown(assoc->so, SHUT_WR);

    ngx_webrtc_sctp_touch(assoc);
}


void
ngx_webrtc_sctp_abort(ngx_webrtc_sctp_assoc_t *assoc)
{
    if (assoc->sctp == NULL) {
        return;
    }

    ngx_webrtc_sctp_shut(assoc);
    ngx_webrtc_sctp_forget(assoc);

    if (assoc->state != NGX_WEBRTC_SCTP_FAILED) {
        assoc->state = NGX_WEBRTC_SCTP_CLOSED;
    }

    assoc->buffered = 0;
    assoc->above = 0;

    ngx_webrtc_sctp_touch(assoc);
}


void
ngx_webrtc_sctp_cleanup(ngx_webrtc_sctp_assoc_t *assoc)
{
    if (assoc->sctp == NULL) {
        return;
    }

    /* first of all, so that ABORT does not go out */

    ngx_webrtc_sctp_leave(assoc);

    ngx_webrtc_sctp_shut(assoc);
    ngx_webrtc_sctp_forget(assoc);

    ngx_webrtc_sctp_repair_cleanup(&assoc->repair);

    assoc->buffered = 0;

    if (assoc->busy) {
        assoc->busy = 0;
        ngx_queue_remove(&assoc->timers);
    }

    assoc->sctp = NULL;
}


/* a number of usrsctp to the association, or NULL: it is gone */

ngx_webrtc_sctp_assoc_t *
ngx_webrtc_sctp_find(void *id)
{
    ngx_uint_t          i;
    ngx_webrtc_sctp_t  *sctp;

    sctp = ngx_webrtc_sctp_instance;
    i = (uintptr_t) id & 0xffff;

    if (sctp == NULL || i >= sctp->max
        || sctp->slots[i].assoc == NULL
        || sctp->slots[i].id != (uintptr_t) id)
    {
        return NULL;
    }

    return sctp->slots[i].assoc;
}


static uintptr_t
ngx_webrtc_sctp_id(ngx_webrtc_sctp_t *sctp, ngx_uint_t slot)
{
    uintptr_t  id;

    /* zero is no address of usrsctp's */

    do {
        id = (++sctp->count << 16) | slot;
    } while ((id >> 16) == 0);

    return id;
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
 * Whether the checksum is right.  It is looked at here even if usrsctp does so
 * again: where a packet is rewritten for it a wrong one would become right.
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


/*
 * usrsctp limits the bytes that wait, but not the messages, each of which takes
 * some 500 bytes more than it has.  So every so many messages the number of
 * bytes until there is noted, and as long as the oldest of the notes has not
 * been acknowledged there are too many.
 */

static ngx_uint_t
ngx_webrtc_sctp_crowded(ngx_webrtc_sctp_assoc_t *assoc)
{
    uint64_t  acked;

    if (assoc->unmarked < NGX_WEBRTC_SCTP_CHUNKS / NGX_WEBRTC_SCTP_MARKS) {
        return 0;
    }

    acked = assoc->total - assoc->buffered;

    if (assoc->marks[assoc->mark] > acked) {
        return 1;
    }

    assoc->marks[assoc->mark] = assoc->total;
    assoc->mark = (assoc->mark + 1) % NGX_WEBRTC_SCTP_MARKS;
    assoc->unmarked = 0;

    return 0;
}


/*
 * Lets usrsctp's clock follow: before everything that starts a timer, or it
 * would start in the past.  It walks all timers, so not more often than needed.
 */

static void
ngx_webrtc_sctp_advance(ngx_webrtc_sctp_t *sctp, uint64_t now_ms)
{
    uint64_t                  elapsed;
    ngx_queue_t              *q;
    ngx_webrtc_sctp_assoc_t  *assoc;

    sctp->clock_ms = now_ms;

    if (now_ms < sctp->now_ms + NGX_WEBRTC_SCTP_TICK) {
        return;
    }

    elapsed = now_ms - sctp->now_ms;
    sctp->now_ms = now_ms;

    if (sctp->used) {
        usrsctp_handle_timers((uint32_t) ngx_min(elapsed, 3600000));
    }

    for (q = ngx_queue_head(&sctp->busy);
         q != ngx_queue_sentinel(&sctp->busy);
         q = ngx_queue_next(q))
    {
        assoc = ngx_queue_data(q, ngx_webrtc_sctp_assoc_t, timers);
        ngx_webrtc_sctp_repair_timeout(&assoc->repair, now_ms);
    }
}


/* something has happened: how soon do timers have to run? */

void
ngx_webrtc_sctp_touch(ngx_webrtc_sctp_assoc_t *assoc)
{
    unsigned            busy;
    ngx_webrtc_sctp_t  *sctp;

    sctp = assoc->sctp;
    sctp->active_ms = sctp->now_ms + NGX_WEBRTC_SCTP_ACTIVE;

    busy = (assoc->state == NGX_WEBRTC_SCTP_CONNECTING
            || assoc->state == NGX_WEBRTC_SCTP_CLOSING
            || (assoc->state == NGX_WEBRTC_SCTP_OPEN && assoc->buffered));

    if (busy == assoc->busy) {
        return;
    }

    assoc->busy = busy;

    if (busy) {
        ngx_queue_insert_tail(&sctp->busy, &assoc->timers);

    } else {
        ngx_queue_remove(&assoc->timers);
    }
}


/* ends it for usrsctp, which sends ABORT if there is a peer to hear it */

void
ngx_webrtc_sctp_shut(ngx_webrtc_sctp_assoc_t *assoc)
{
    ngx_webrtc_sctp_so_pt  so;

    so = assoc->so;

    if (so == NULL) {
        return;
    }

    usrsctp_close(so);
    usrsctp_deregister_address((void *) assoc->id);

    assoc->so = NULL;
}


static void
ngx_webrtc_sctp_leave(ngx_webrtc_sctp_assoc_t *assoc)
{
    ngx_uint_t               i;
    ngx_webrtc_sctp_t       *sctp;
    ngx_webrtc_sctp_slot_t  *slot;

    sctp = assoc->sctp;

    i = assoc->id & 0xffff;
    slot = &sctp->slots[i];

    slot->assoc = NULL;
    slot->id = 0;
    slot->next = (uint16_t) sctp->free;

    sctp->free = i;
    sctp->used--;
}
