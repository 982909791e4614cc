
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Repeats what is lost, between usrsctp and the peer ("snoop", as base stations
 * did it for TCP).  The congestion control of usrsctp takes every loss for
 * congestion and cannot be replaced from outside: with 1 % of loss and 100 ms
 * it gets 1.2 of 50 Mbit/s.  So it never sees one:
 *
 * 1. A copy of each outgoing packet with DATA (or I-DATA, RFC 8260) is kept
 *    until the peer's cumulative TSN has passed it.
 *
 * 2. A SACK (RFC 9260, 3.3.4) is read here: what it acknowledges, by the
 *    cumulative TSN or a gap ack block, has arrived.  Packets sent long enough
 *    before one that has arrived are lost: three packets, or an eighth of a
 *    round trip (RFC 9002, 6.1, RFC 8985).  Where a duplicate TSN shows that a
 *    repeat was in vain, packets overtake each other, and the wait becomes
 *    longer.
 *
 * 3. What is lost is sent again from its copy, as often as needed: bytes are
 *    the same, so it does not matter who did it.  When nothing comes back for
 *    some round trips the last packet is sent once more, so that the SACK of it
 *    tells what else is missing (RFC 9002, 6.2).
 *
 * 4. usrsctp sees SACKs without gap ack blocks and duplicates.  Its congestion
 *    window is open from the beginning (ngx_webrtc_sctp_setup); what it may
 *    send is limited by the receiver window in SACK, INIT and INIT ACK, which
 *    is replaced: by what it believes to be in flight, plus what both the
 *    control (ngx_webrtc_sctp_rate) and the peer's window allow.  It need not
 *    see each: one that is followed by another tells it nothing else.
 *
 * 5. usrsctp keeps what was not acknowledged; its T3-rtx is the last resort:
 *    for a copy that there was no memory for, a peer that revokes what it has
 *    acknowledged in a gap ack block (RFC 9260, 6.2.1), or a fault here.
 *
 * 6. RFC 3758: a message that is not to be repeated must not be, and usrsctp
 *    alone knows which.  From the first such message on it sees all SACKs with
 *    their gap ack blocks, and repeats by itself; the window remains ours.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_sctp_crc32c.h>
#include <ngx_webrtc_sctp_limits.h>
#include <ngx_webrtc_sctp_repair.h>
#include <ngx_webrtc_seq.h>


/* bytes of the common header, and where the checksum is; RFC 9260, 3.1 */
#define NGX_WEBRTC_SCTP_REPAIR_HEADER     12
#define NGX_WEBRTC_SCTP_REPAIR_CHECKSUM   8

/* chunk types; RFC 9260, 3.2, RFC 8260, 2.1 */
#define NGX_WEBRTC_SCTP_REPAIR_DATA       0
#define NGX_WEBRTC_SCTP_REPAIR_INIT       1
#define NGX_WEBRTC_SCTP_REPAIR_INIT_ACK   2
#define NGX_WEBRTC_SCTP_REPAIR_SACK       3
#define NGX_WEBRTC_SCTP_REPAIR_SHUTDOWN   7
#define NGX_WEBRTC_SCTP_REPAIR_IDATA      64

/* bytes of a SACK without blocks, INIT and DATA at least, and SHUTDOWN */
#define NGX_WEBRTC_SCTP_REPAIR_SACK_LEN   16
#define NGX_WEBRTC_SCTP_REPAIR_INIT_LEN   20
#define NGX_WEBRTC_SCTP_REPAIR_DATA_LEN   16
#define NGX_WEBRTC_SCTP_REPAIR_SHUT_LEN   8

/* bytes that a chunk takes of a receiver's memory beside its own; usrsctp
 * counts so (sctp_peer_chunk_oh) */
#define NGX_WEBRTC_SCTP_REPAIR_CHUNK      256

/* packets sent for a SACK at most, beyond what it acknowledges; chosen: see
 * NGX_WEBRTC_SCTP_BURST */
#define NGX_WEBRTC_SCTP_REPAIR_BURST      32

/* RFC 9002, 6.1.1 (kPacketThreshold), chosen: at most; milliseconds without a
 * repeat in vain until it is that again */
#define NGX_WEBRTC_SCTP_REPAIR_REORDER    3
#define NGX_WEBRTC_SCTP_REPAIR_REORDERS   256
#define NGX_WEBRTC_SCTP_REPAIR_CALM       10000

/* milliseconds: that a round trip may vary at least (RFC 9002, 6.1.2, chosen:
 * an event loop), that a SACK of a single packet may be delayed (RFC 9260, 6.2;
 * browsers have 200), until a probe at first and at most; probes until all is
 * taken for lost */
#define NGX_WEBRTC_SCTP_REPAIR_VARIES     10
#define NGX_WEBRTC_SCTP_REPAIR_DELAYED    200
#define NGX_WEBRTC_SCTP_REPAIR_FIRST      500
#define NGX_WEBRTC_SCTP_REPAIR_MOST       4000
#define NGX_WEBRTC_SCTP_REPAIR_TRIES      3


/* a chunk */
typedef struct {
    u_char        type;
    uint16_t      len;           /* without padding */
    uint32_t      tsn;           /* of DATA */
    u_char       *p;
    size_t        whole;         /* with what there is of the padding */
} ngx_webrtc_sctp_chunk_t;


/* a SACK that is valid */
typedef struct {
    uint32_t      cum;
    uint32_t      window;
    ngx_uint_t    ngaps;
    ngx_uint_t    ndups;
    u_char       *gaps;
} ngx_webrtc_sctp_sack_t;


static ngx_uint_t ngx_webrtc_sctp_repair_rewrite(ngx_webrtc_sctp_repair_t *r,
    const ngx_webrtc_sctp_chunk_t *c, u_char *end, u_char *out, size_t *len,
    uint64_t now_ms);
static u_char *ngx_webrtc_sctp_repair_chunk(u_char *p, u_char *end,
    ngx_webrtc_sctp_chunk_t *chunk);
static void ngx_webrtc_sctp_repair_again(ngx_webrtc_sctp_repair_t *r,
    uint32_t tsn, uint64_t now_ms);
static void ngx_webrtc_sctp_repair_keep(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy, uint64_t now_ms);
static void ngx_webrtc_sctp_repair_free(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy);

static ngx_int_t ngx_webrtc_sctp_repair_parse(ngx_webrtc_sctp_repair_t *r,
    const ngx_webrtc_sctp_chunk_t *chunk, ngx_webrtc_sctp_sack_t *sack);
static void ngx_webrtc_sctp_repair_sack(ngx_webrtc_sctp_repair_t *r,
    const ngx_webrtc_sctp_sack_t *sack, uint64_t now_ms);
static void ngx_webrtc_sctp_repair_gaps(ngx_webrtc_sctp_repair_t *r,
    const ngx_webrtc_sctp_sack_t *sack, ngx_webrtc_sctp_rate_sample_t *sample,
    uint64_t now_ms);
static void ngx_webrtc_sctp_repair_acked(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy, ngx_webrtc_sctp_rate_sample_t *sample,
    uint64_t now_ms);
static void ngx_webrtc_sctp_repair_in_vain(ngx_webrtc_sctp_repair_t *r,
    ngx_uint_t dups, uint64_t now_ms);
static void ngx_webrtc_sctp_repair_detect(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_rate_sample_t *sample, uint64_t now_ms);
static void ngx_webrtc_sctp_repair_take(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy);
static void ngx_webrtc_sctp_repair_lose(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy);
static void ngx_webrtc_sctp_repair_send(ngx_webrtc_sctp_repair_t *r,
    uint64_t now_ms);
static void ngx_webrtc_sctp_repair_repeat(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy, uint64_t now_ms);
static void ngx_webrtc_sctp_repair_probe(ngx_webrtc_sctp_repair_t *r,
    uint64_t now_ms);
static uint64_t ngx_webrtc_sctp_repair_patience(ngx_webrtc_sctp_repair_t *r);
static uint32_t ngx_webrtc_sctp_repair_window(ngx_webrtc_sctp_repair_t *r);


#define ngx_webrtc_sctp_repair_of(q, field)                                   \
    ngx_queue_data(q, ngx_webrtc_sctp_copy_t, field)


void
ngx_webrtc_sctp_repair_init(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_repair_pt send, void *ctx, uint64_t now_ms)
{
    ngx_memzero(r, sizeof(ngx_webrtc_sctp_repair_t));

    r->send = send;
    r->ctx = ctx;
    r->reorder = NGX_WEBRTC_SCTP_REPAIR_REORDER;

    ngx_queue_init(&r->all);
    ngx_queue_init(&r->open);
    ngx_queue_init(&r->flight);
    ngx_queue_init(&r->lost);
    ngx_webrtc_sctp_copy_init(&r->spare);

    ngx_webrtc_sctp_rate_init(&r->rate, NGX_WEBRTC_SCTP_FLIGHT, now_ms);
}


void
ngx_webrtc_sctp_repair_cleanup(ngx_webrtc_sctp_repair_t *r)
{
    ngx_queue_t  *q;

    if (r->send == NULL) {
        return;
    }

    while (!ngx_queue_empty(&r->all)) {
        q = ngx_queue_head(&r->all);
        ngx_webrtc_sctp_repair_free(r, ngx_webrtc_sctp_repair_of(q, all));
    }

    ngx_webrtc_sctp_copy_drain(&r->spare);
}


void
ngx_webrtc_sctp_repair_off(ngx_webrtc_sctp_repair_t *r)
{
    r->off = 1;
}


void
ngx_webrtc_sctp_repair_output(ngx_webrtc_sctp_repair_t *r, const u_char *p,
    size_t n, uint64_t now_ms)
{
    u_char                   *chunk, *end;
    ngx_webrtc_sctp_copy_t   *copy;
    ngx_webrtc_sctp_chunk_t   c;

    copy = NULL;
    end = (u_char *) p + n;
    chunk = ngx_webrtc_skip((u_char *) p, end, NGX_WEBRTC_SCTP_REPAIR_HEADER);

    for ( ;; ) {
        chunk = ngx_webrtc_sctp_repair_chunk(chunk, end, &c);

        if (chunk == NULL) {
            break;
        }

        if (c.type != NGX_WEBRTC_SCTP_REPAIR_DATA
            && c.type != NGX_WEBRTC_SCTP_REPAIR_IDATA)
        {
            continue;
        }

        if (!r->sent) {
            r->sent = 1;
            r->first_tsn = c.tsn;
            r->cum = c.tsn - 1;

        } else if (!ngx_webrtc_seq_less32(r->tsn, c.tsn)) {
            ngx_webrtc_sctp_repair_again(r, c.tsn, now_ms);
            continue;
        }

        r->tsn = c.tsn;

        if (copy == NULL) {

            if (r->copies >= NGX_WEBRTC_SCTP_COPIES
                || r->held >= NGX_WEBRTC_SCTP_SEND)
            {
                continue;
            }

            copy = ngx_webrtc_sctp_copy_get(&r->spare, n);

            if (copy == NULL) {
                continue;
            }

            ngx_memcpy(copy->data, p, NGX_WEBRTC_SCTP_REPAIR_HEADER);
            copy->n = NGX_WEBRTC_SCTP_REPAIR_HEADER;
            copy->first = c.tsn;
        }

        ngx_memcpy(copy->data + copy->n, c.p, c.whole);
        copy->n += c.whole;
        copy->size += c.len;
        copy->last = c.tsn;
    }

    if (copy) {
        ngx_webrtc_sctp_repair_keep(r, copy, now_ms);
    }
}


size_t
ngx_webrtc_sctp_repair_input(ngx_webrtc_sctp_repair_t *r, const u_char *p,
    size_t n, u_char *buf, uint64_t now_ms)
{
    u_char                   *chunk, *next, *end, *out;
    size_t                    len;
    uint32_t                  crc;
    ngx_uint_t                changed;
    ngx_webrtc_sctp_chunk_t   c;

    changed = 0;
    end = (u_char *) p + n;
    chunk = ngx_webrtc_skip((u_char *) p, end, NGX_WEBRTC_SCTP_REPAIR_HEADER);

    if (chunk == NULL) {
        return 0;
    }

    out = ngx_cpymem(buf, p, NGX_WEBRTC_SCTP_REPAIR_HEADER);

    for ( ;; ) {
        next = ngx_webrtc_sctp_repair_chunk(chunk, end, &c);

        if (next == NULL) {
            break;
        }

        len = c.whole;
        ngx_memcpy(out, chunk, len);
        chunk = next;

        changed |= ngx_webrtc_sctp_repair_rewrite(r, &c, end, out, &len,
                                                  now_ms);
        out += len;
    }

    if (!changed) {
        return 0;
    }

    /* usrsctp judges what is not a chunk */

    out = ngx_cpymem(out, chunk, end - chunk);

    ngx_memzero(buf + NGX_WEBRTC_SCTP_REPAIR_CHECKSUM, 4);
    crc = ngx_webrtc_sctp_checksum(buf, out - buf);
    ngx_memcpy(buf + NGX_WEBRTC_SCTP_REPAIR_CHECKSUM, &crc, 4);

    return out - buf;
}


/*
 * A chunk of the peer's, and its copy at out, *len bytes, which usrsctp gets.
 * Not zero: the copy has been changed.
 */

static ngx_uint_t
ngx_webrtc_sctp_repair_rewrite(ngx_webrtc_sctp_repair_t *r,
    const ngx_webrtc_sctp_chunk_t *c, u_char *end, u_char *out, size_t *len,
    uint64_t now_ms)
{
    uint32_t                cum, window;
    ngx_webrtc_sctp_sack_t  sack;

    switch (c->type) {

    case NGX_WEBRTC_SCTP_REPAIR_INIT:
    case NGX_WEBRTC_SCTP_REPAIR_INIT_ACK:

        if (c->len < NGX_WEBRTC_SCTP_REPAIR_INIT_LEN || r->sent) {
            break;
        }

        (void) ngx_webrtc_read_u32(c->p + 8, end, &r->window);
        r->known = 1;

        window = ngx_min(r->window, r->rate.cwnd);
        (void) ngx_webrtc_write_u32(out + 8, out + *len, window);
        return 1;

    case NGX_WEBRTC_SCTP_REPAIR_SACK:

        if (ngx_webrtc_sctp_repair_parse(r, c, &sack) != NGX_OK) {
            break;
        }

        ngx_webrtc_sctp_repair_sack(r, &sack, now_ms);

        r->unseen++;

        window = ngx_webrtc_sctp_repair_window(r);
        (void) ngx_webrtc_write_u32(out + 8, out + *len, window);

        if (!r->off) {
            out[2] = 0;
            out[3] = NGX_WEBRTC_SCTP_REPAIR_SACK_LEN;
            ngx_memzero(out + 12, 4);
            *len = NGX_WEBRTC_SCTP_REPAIR_SACK_LEN;
        }

        return 1;

    case NGX_WEBRTC_SCTP_REPAIR_SHUTDOWN:

        /* RFC 9260, 3.3.8: it acknowledges, too */

        if (c->len != NGX_WEBRTC_SCTP_REPAIR_SHUT_LEN || !r->sent) {
            break;
        }

        if (ngx_webrtc_read_u32(c->p + 4, end, &cum) != NULL
            && !ngx_webrtc_seq_less32(r->tsn, cum))
        {
            ngx_memzero(&sack, sizeof(ngx_webrtc_sctp_sack_t));
            sack.cum = cum;
            sack.window = r->window;
            ngx_webrtc_sctp_repair_sack(r, &sack, now_ms);
        }

        break;
    }

    return 0;
}


void
ngx_webrtc_sctp_repair_seen(ngx_webrtc_sctp_repair_t *r)
{
    r->unseen = 0;
}


void
ngx_webrtc_sctp_repair_timeout(ngx_webrtc_sctp_repair_t *r, uint64_t now_ms)
{
    ngx_webrtc_sctp_rate_sample_t  sample;

    if (r->off || ngx_queue_empty(&r->open)) {
        return;
    }

    ngx_memzero(&sample, sizeof(ngx_webrtc_sctp_rate_sample_t));
    sample.flight = r->under_way + r->missing;

    ngx_webrtc_sctp_repair_detect(r, &sample, now_ms);

    if (sample.lost) {
        ngx_webrtc_sctp_rate_update(&r->rate, &sample, now_ms);
    }

    ngx_webrtc_sctp_repair_send(r, now_ms);

    if (now_ms - r->last_ms >= ngx_webrtc_sctp_repair_patience(r)) {
        ngx_webrtc_sctp_repair_probe(r, now_ms);
    }
}


/*
 * RFC 9260, 3.2.  Reads the chunk at p; returns where the next one is, or NULL:
 * there is none, or what is there is not a chunk.
 */

static u_char *
ngx_webrtc_sctp_repair_chunk(u_char *p, u_char *end,
    ngx_webrtc_sctp_chunk_t *chunk)
{
    size_t   len;
    u_char  *next, flags;

    if (p == NULL || p == end) {
        return NULL;
    }

    chunk->p = p;
    chunk->tsn = 0;

    next = ngx_webrtc_read_u8(p, end, &chunk->type);
    next = ngx_webrtc_read_u8(next, end, &flags);
    next = ngx_webrtc_read_u16(next, end, &chunk->len);

    if (next == NULL || chunk->len < 4 || chunk->len > end - p) {
        return NULL;
    }

    if (chunk->type == NGX_WEBRTC_SCTP_REPAIR_DATA
        || chunk->type == NGX_WEBRTC_SCTP_REPAIR_IDATA)
    {
        if (chunk->len < NGX_WEBRTC_SCTP_REPAIR_DATA_LEN) {
            return NULL;
        }

        (void) ngx_webrtc_read_u32(next, end, &chunk->tsn);
    }

    len = chunk->len;
    len = ngx_align(len, 4);
    chunk->whole = ngx_min(len, (size_t) (end - p));

    return p + chunk->whole;
}


/* usrsctp repeats by itself */

static void
ngx_webrtc_sctp_repair_again(ngx_webrtc_sctp_repair_t *r, uint32_t tsn,
    uint64_t now_ms)
{
    ngx_queue_t             *q;
    ngx_webrtc_sctp_copy_t  *copy;

    for (q = ngx_queue_head(&r->open);
         q != ngx_queue_sentinel(&r->open);
         q = ngx_queue_next(q))
    {
        copy = ngx_webrtc_sctp_repair_of(q, open);

        if (ngx_webrtc_seq_less32(tsn, copy->first)) {
            return;
        }

        if (ngx_webrtc_seq_less32(copy->last, tsn)) {
            continue;
        }

        ngx_webrtc_sctp_repair_take(r, copy);
        ngx_webrtc_sctp_repair_keep(r, copy, now_ms);

        return;
    }
}


/* a packet is under way, for the first time or again */

static void
ngx_webrtc_sctp_repair_keep(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy, uint64_t now_ms)
{
    if (copy->times++ == 0) {

        if (ngx_queue_empty(&r->open)) {
            ngx_webrtc_sctp_rate_resume(&r->rate, now_ms);
        }

        ngx_queue_insert_tail(&r->all, &copy->all);
        ngx_queue_insert_tail(&r->open, &copy->open);
        r->copies++;
        r->held += copy->room;
        r->span += copy->size;
    }

    copy->number = ++r->number;
    copy->sent_ms = now_ms;
    copy->prior = r->rate.delivered;

    ngx_queue_insert_tail(&r->flight, &copy->link);
    r->under_way += copy->size;
    r->nflight++;
    copy->flight = r->under_way;
    r->last_ms = now_ms;
}


/* the cumulative TSN has passed it, or the association ends */

static void
ngx_webrtc_sctp_repair_free(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy)
{
    if (copy->acked) {
        r->gapped -= copy->size;

    } else {
        ngx_webrtc_sctp_repair_take(r, copy);
        ngx_queue_remove(&copy->open);
    }

    ngx_queue_remove(&copy->all);
    r->copies--;
    r->held -= copy->room;
    r->span -= copy->size;

    ngx_webrtc_sctp_copy_put(&r->spare, copy);

    if (r->copies == 0) {
        /* who is idle keeps nothing */
        ngx_webrtc_sctp_copy_drain(&r->spare);
    }
}


/*
 * RFC 9260, 3.3.4.  NGX_DECLINED: malformed, or of what was never sent; usrsctp
 * ends the association for the latter.
 */

static ngx_int_t
ngx_webrtc_sctp_repair_parse(ngx_webrtc_sctp_repair_t *r,
    const ngx_webrtc_sctp_chunk_t *chunk, ngx_webrtc_sctp_sack_t *sack)
{
    u_char    *p, *end;
    uint16_t   ngaps, ndups;

    end = chunk->p + chunk->len;

    p = ngx_webrtc_skip(chunk->p, end, 4);
    p = ngx_webrtc_read_u32(p, end, &sack->cum);
    p = ngx_webrtc_read_u32(p, end, &sack->window);
    p = ngx_webrtc_read_u16(p, end, &ngaps);
    p = ngx_webrtc_read_u16(p, end, &ndups);

    if (p == NULL || ((size_t) ngaps + ndups) * 4 > (size_t) (end - p)) {
        return NGX_DECLINED;
    }

    if (r->sent && ngx_webrtc_seq_less32(r->tsn, sack->cum)) {
        return NGX_DECLINED;
    }

    sack->ngaps = ngaps;
    sack->ndups = ndups;
    sack->gaps = p;

    return NGX_OK;
}


static void
ngx_webrtc_sctp_repair_sack(ngx_webrtc_sctp_repair_t *r,
    const ngx_webrtc_sctp_sack_t *sack, uint64_t now_ms)
{
    ngx_queue_t                    *q;
    ngx_webrtc_sctp_copy_t         *copy;
    ngx_webrtc_sctp_rate_sample_t   sample;

    /* an older one that was overtaken tells nothing new */

    if (!r->sent || ngx_webrtc_seq_less32(sack->cum, r->cum)) {
        return;
    }

    ngx_memzero(&sample, sizeof(ngx_webrtc_sctp_rate_sample_t));

    /* what the last one has allowed may not have been sent yet */

    sample.flight = r->unseen ? r->rate.cwnd
                              : r->under_way + r->missing;

    r->window = sack->window;
    r->known = 1;
    r->cum = sack->cum;

    while (!ngx_queue_empty(&r->all)) {
        q = ngx_queue_head(&r->all);
        copy = ngx_webrtc_sctp_repair_of(q, all);

        if (ngx_webrtc_seq_less32(sack->cum, copy->last)) {
            break;
        }

        if (!copy->acked) {
            ngx_webrtc_sctp_repair_acked(r, copy, &sample, now_ms);
        }

        ngx_webrtc_sctp_repair_free(r, copy);
    }

    ngx_webrtc_sctp_repair_gaps(r, sack, &sample, now_ms);
    ngx_webrtc_sctp_repair_in_vain(r, sack->ndups, now_ms);

    if (sample.acked) {
        r->tries = 0;
        r->last_ms = now_ms;
    }

    ngx_webrtc_sctp_repair_detect(r, &sample, now_ms);

    ngx_webrtc_sctp_rate_update(&r->rate, &sample, now_ms);

    ngx_webrtc_sctp_repair_send(r, now_ms);
}


/* blocks out of order, or of what was never sent, are ignored */

static void
ngx_webrtc_sctp_repair_gaps(ngx_webrtc_sctp_repair_t *r,
    const ngx_webrtc_sctp_sack_t *sack, ngx_webrtc_sctp_rate_sample_t *sample,
    uint64_t now_ms)
{
    u_char                  *p, *end;
    uint16_t                 from, to, before;
    uint32_t                 first, last;
    ngx_uint_t               i;
    ngx_queue_t             *q;
    ngx_webrtc_sctp_copy_t  *copy;

    if (sack->ngaps == 0) {
        return;
    }

    before = 0;
    p = sack->gaps;
    end = p + sack->ngaps * 4;
    q = ngx_queue_head(&r->open);

    for (i = 0; i < sack->ngaps; i++) {
        p = ngx_webrtc_read_u16(p, end, &from);
        p = ngx_webrtc_read_u16(p, end, &to);

        if (p == NULL) {
            return;
        }

        if (from <= before || to < from) {
            continue;
        }

        before = to;
        first = sack->cum + from;
        last = sack->cum + to;

        if (ngx_webrtc_seq_less32(r->tsn, last)) {
            continue;
        }

        while (q != ngx_queue_sentinel(&r->open)) {
            copy = ngx_webrtc_sctp_repair_of(q, open);

            if (ngx_webrtc_seq_less32(last, copy->last)) {
                break;
            }

            q = ngx_queue_next(q);

            if (!ngx_webrtc_seq_less32(copy->first, first)) {
                ngx_webrtc_sctp_repair_acked(r, copy, sample, now_ms);
            }
        }
    }
}


/* all of a packet has arrived */

static void
ngx_webrtc_sctp_repair_acked(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy, ngx_webrtc_sctp_rate_sample_t *sample,
    uint64_t now_ms)
{
    uint32_t  ms;

    ms = (uint32_t) ngx_min(now_ms - copy->sent_ms, 60000);

    /*
     * RFC 9260, 6.3.1 (C5): with a repeat it is not known which one has
     * arrived; not the last one, if it was sent just now
     */

    if (copy->times == 1) {

        if (!sample->has_rtt || ms < sample->rtt_ms) {
            sample->has_rtt = 1;
            sample->rtt_ms = ms;
            sample->rtt_flight = copy->flight;
        }

        r->acked = ngx_max(r->acked, copy->number);

    } else if (ms >= r->rate.min_ms) {
        r->acked = ngx_max(r->acked, copy->number);
    }

    sample->acked += copy->size;
    sample->acked_prior = ngx_max(sample->acked_prior, copy->prior);
    sample->sent_ms = ngx_max(sample->sent_ms, copy->sent_ms);

    ngx_webrtc_sctp_repair_take(r, copy);
    ngx_queue_remove(&copy->open);

    copy->acked = 1;
    r->gapped += copy->size;
}


/*
 * RFC 8985, 6.2: the peer has something twice.  After a probe it has to, when
 * merely a SACK was lost.
 */

static void
ngx_webrtc_sctp_repair_in_vain(ngx_webrtc_sctp_repair_t *r, ngx_uint_t dups,
    uint64_t now_ms)
{
    if (dups && r->repeats && r->tries == 0) {
        r->reorder = ngx_min(r->reorder + dups,
                             NGX_WEBRTC_SCTP_REPAIR_REORDERS);
        r->late_ms = ngx_min(r->late_ms + 1 + r->rate.min_ms / 8,
                             r->rate.srtt_ms);
        r->calm_ms = now_ms;

    } else if (r->late_ms
               && now_ms - r->calm_ms >= NGX_WEBRTC_SCTP_REPAIR_CALM)
    {
        r->reorder = NGX_WEBRTC_SCTP_REPAIR_REORDER;
        r->late_ms = 0;
    }
}


/* RFC 9002, 6.1 */

static void
ngx_webrtc_sctp_repair_detect(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_rate_sample_t *sample, uint64_t now_ms)
{
    uint64_t                 ms;
    ngx_queue_t             *q;
    ngx_webrtc_sctp_copy_t  *copy;

    ms = ngx_max(r->rate.srtt_ms, sample->rtt_ms);
    ms += ngx_max(ms / 8, NGX_WEBRTC_SCTP_REPAIR_VARIES) + r->late_ms;

    while (!ngx_queue_empty(&r->flight)) {
        q = ngx_queue_head(&r->flight);
        copy = ngx_webrtc_sctp_repair_of(q, link);

        if (copy->number >= r->acked
            || (copy->number + r->reorder > r->acked
                && now_ms - copy->sent_ms < ms))
        {
            break;
        }

        sample->lost += copy->size;
        sample->lost_prior = ngx_max(sample->lost_prior, copy->prior);

        ngx_webrtc_sctp_repair_lose(r, copy);
    }
}


/* out of flight or lost */

static void
ngx_webrtc_sctp_repair_take(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy)
{
    ngx_queue_remove(&copy->link);

    if (copy->lost) {
        copy->lost = 0;
        r->missing -= copy->size;
        r->nmissing--;

    } else {
        r->under_way -= copy->size;
        r->nflight--;
    }
}


static void
ngx_webrtc_sctp_repair_lose(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy)
{
    ngx_webrtc_sctp_repair_take(r, copy);

    copy->lost = 1;
    ngx_queue_insert_tail(&r->lost, &copy->link);
    r->missing += copy->size;
    r->nmissing++;
}


/* what is lost, as far as the window allows */

static void
ngx_webrtc_sctp_repair_send(ngx_webrtc_sctp_repair_t *r, uint64_t now_ms)
{
    ngx_uint_t               n;
    ngx_queue_t             *q;
    ngx_webrtc_sctp_copy_t  *copy;

    if (r->off) {
        return;
    }

    for (n = 0; n < NGX_WEBRTC_SCTP_REPAIR_BURST; n++) {

        if (ngx_queue_empty(&r->lost)) {
            return;
        }

        q = ngx_queue_head(&r->lost);
        copy = ngx_webrtc_sctp_repair_of(q, link);

        if (r->under_way && r->under_way + copy->size > r->rate.cwnd) {
            return;
        }

        r->repeats++;
        ngx_webrtc_sctp_repair_repeat(r, copy, now_ms);
    }
}


static void
ngx_webrtc_sctp_repair_repeat(ngx_webrtc_sctp_repair_t *r,
    ngx_webrtc_sctp_copy_t *copy, uint64_t now_ms)
{
    uint32_t  crc;

    ngx_webrtc_sctp_repair_take(r, copy);
    ngx_webrtc_sctp_repair_keep(r, copy, now_ms);

    ngx_memzero(copy->data + NGX_WEBRTC_SCTP_REPAIR_CHECKSUM, 4);
    crc = ngx_webrtc_sctp_checksum(copy->data, copy->n);
    ngx_memcpy(copy->data + NGX_WEBRTC_SCTP_REPAIR_CHECKSUM, &crc, 4);

    r->send(r->ctx, copy->data, copy->n);
}


/*
 * RFC 9002, 6.2.  Sends the last packet and the first missing one in turn;
 * finally all are taken for lost, and the path for a new one.
 */

static void
ngx_webrtc_sctp_repair_probe(ngx_webrtc_sctp_repair_t *r, uint64_t now_ms)
{
    ngx_queue_t  *q;

    if (r->tries < 16) {
        r->tries++;
    }

    r->last_ms = now_ms;
    r->probes++;

    if (r->tries == NGX_WEBRTC_SCTP_REPAIR_TRIES) {

        while (!ngx_queue_empty(&r->flight)) {
            q = ngx_queue_head(&r->flight);
            ngx_webrtc_sctp_repair_lose(r, ngx_webrtc_sctp_repair_of(q, link));
        }

        ngx_webrtc_sctp_rate_restart(&r->rate, now_ms);
    }

    q = (r->tries & 1) ? ngx_queue_last(&r->open) : ngx_queue_head(&r->open);

    ngx_webrtc_sctp_repair_repeat(r, ngx_webrtc_sctp_repair_of(q, open),
                                  now_ms);
}


/* milliseconds until a probe */

static uint64_t
ngx_webrtc_sctp_repair_patience(ngx_webrtc_sctp_repair_t *r)
{
    uint64_t  ms, most;

    if (!r->rate.rtt) {
        ms = NGX_WEBRTC_SCTP_REPAIR_FIRST;

    } else {
        ms = r->rate.srtt_ms + ngx_max(4 * r->rate.var_ms,
                                       2 * NGX_WEBRTC_SCTP_REPAIR_VARIES);

        if (r->nflight <= 1) {
            ms += NGX_WEBRTC_SCTP_REPAIR_DELAYED;
        }
    }

    most = ngx_max(ms, NGX_WEBRTC_SCTP_REPAIR_MOST);

    return ngx_min(ms << ngx_min(r->tries, 6), most);
}


/* what usrsctp is to take for the peer's receiver window */

static uint32_t
ngx_webrtc_sctp_repair_window(ngx_webrtc_sctp_repair_t *r)
{
    size_t  used, room, chunks;

    used = r->under_way + r->missing;
    room = (r->rate.cwnd > used) ? r->rate.cwnd - used : 0;
    room = ngx_min(room, r->unseen * NGX_WEBRTC_SCTP_REPAIR_BURST
                         * NGX_WEBRTC_SCTP_PACKET);

    if (r->known) {
        chunks = (r->nflight + r->nmissing) * NGX_WEBRTC_SCTP_REPAIR_CHUNK;
        used += chunks;
        room = (r->window > used) ? ngx_min(room, r->window - used) : 0;
    }

    return (uint32_t) ngx_min(r->span + room, UINT32_MAX);
}
