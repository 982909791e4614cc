
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Packets put in order: see the header file for the contracts.  RFC 3550, A.1.
 *
 * Held payloads are in a ring of records in order of arrival.  They leave in
 * another order, so a record is only marked free, and the tail moves past free
 * ones; it points to the held packet that arrived first.  The arrival of that
 * one is when the first gap was noticed, as all held packets are behind it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_seq.h>
#include <ngx_webrtc_reorder.h>


typedef struct {
    uint64_t    came_us;
    uint32_t    size;         /* of the record, a multiple of 16 */
    uint32_t    held;         /* 0: free */
} ngx_webrtc_reorder_record_t;


#define ngx_webrtc_reorder_slot(r, seq)                                       \
    (&(r)->slots[(seq) & ((r)->window - 1)])

#define ngx_webrtc_reorder_record(r, offset)                                  \
    ((ngx_webrtc_reorder_record_t *) ((r)->mem + (offset)))


static ngx_int_t ngx_webrtc_reorder_restart(ngx_webrtc_reorder_t *r,
    uint64_t seq);
static ngx_int_t ngx_webrtc_reorder_put(ngx_webrtc_reorder_t *r,
    const ngx_webrtc_reorder_packet_t *pkt, uint64_t now_us);
static ngx_int_t ngx_webrtc_reorder_alloc(ngx_webrtc_reorder_t *r, size_t n,
    uint32_t *offset);
static void ngx_webrtc_reorder_take(ngx_webrtc_reorder_t *r, uint32_t size);
static void ngx_webrtc_reorder_free(ngx_webrtc_reorder_t *r, uint32_t offset);
static void ngx_webrtc_reorder_pass(ngx_webrtc_reorder_t *r,
    const ngx_webrtc_reorder_packet_t *pkt);
static void ngx_webrtc_reorder_drain(ngx_webrtc_reorder_t *r);
static uint64_t ngx_webrtc_reorder_lowest(ngx_webrtc_reorder_t *r);
static void ngx_webrtc_reorder_skip(ngx_webrtc_reorder_t *r, uint64_t seq);


ngx_int_t
ngx_webrtc_reorder_init(ngx_webrtc_reorder_t *r, void *mem, size_t size,
    ngx_uint_t window, ngx_webrtc_reorder_out_pt out, void *ctx)
{
    size_t  slots;

    ngx_memzero(r, sizeof(ngx_webrtc_reorder_t));

    if (window == 0 || window > 0x4000 || (window & (window - 1))) {
        return NGX_DECLINED;
    }

    slots = ngx_align(window * sizeof(ngx_webrtc_reorder_slot_t), 16);

    if (size < slots) {
        return NGX_DECLINED;
    }

    size = ngx_min(size - slots, 0x40000000) & ~(size_t) 15;

    if (size < sizeof(ngx_webrtc_reorder_record_t) + NGX_WEBRTC_REORDER_PAYLOAD)
    {
        return NGX_DECLINED;
    }

    r->slots = mem;
    r->window = (uint32_t) window;
    r->mem = (u_char *) mem + slots;
    r->size = (uint32_t) size;
    r->hold_us = NGX_WEBRTC_REORDER_HOLD;
    r->out = out;
    r->ctx = ctx;

    ngx_memzero(r->slots, slots);

    return NGX_OK;
}


void
ngx_webrtc_reorder_hold(ngx_webrtc_reorder_t *r, uint64_t hold_us)
{
    r->hold_us = hold_us;
}


uint64_t
ngx_webrtc_reorder_seq(const ngx_webrtc_reorder_t *r, uint16_t seq)
{
    /* packets before the first one stay before it */

    return r->started ? ngx_webrtc_seq_unwrap16(r->highest, seq)
                      : (uint64_t) 0x10000 + seq;
}


ngx_int_t
ngx_webrtc_reorder_input(ngx_webrtc_reorder_t *r,
    const ngx_webrtc_reorder_packet_t *pkt, uint64_t now_us)
{
    uint64_t  lowest;

    if (pkt->n > NGX_WEBRTC_REORDER_PAYLOAD) {
        return NGX_DECLINED;
    }

    if (!r->started) {
        r->started = 1;
        r->next = pkt->seq;
        r->highest = pkt->seq;
    }

    if (ngx_webrtc_reorder_restart(r, pkt->seq) == NGX_DECLINED) {
        r->late++;
        return NGX_DECLINED;
    }

    if (pkt->seq < r->highest) {
        if (!ngx_webrtc_reorder_slot(r, pkt->seq)->held) {
            r->reordered++;
        }

    } else {
        r->highest = pkt->seq;
    }

    if (pkt->seq - r->next >= r->window) {
        ngx_webrtc_reorder_skip(r, pkt->seq - r->window + 1);
    }

    while (pkt->seq != r->next) {

        if (ngx_webrtc_reorder_slot(r, pkt->seq)->held) {
            r->duplicates++;
            return NGX_DECLINED;
        }

        if (ngx_webrtc_reorder_put(r, pkt, now_us) == NGX_OK) {

            if (r->hold_us == 0) {
                (void) ngx_webrtc_reorder_timeout(r, now_us);
            }

            return (r->next > pkt->seq) ? NGX_OK : NGX_AGAIN;
        }

        /* no memory: the first gap is given up */

        lowest = ngx_webrtc_reorder_lowest(r);

        ngx_webrtc_reorder_skip(r, ngx_min(lowest, pkt->seq));
    }

    ngx_webrtc_reorder_pass(r, pkt);
    ngx_webrtc_reorder_drain(r);

    return NGX_OK;
}


uint64_t
ngx_webrtc_reorder_timeout(ngx_webrtc_reorder_t *r, uint64_t now_us)
{
    ngx_webrtc_reorder_record_t  *record;

    while (r->held) {
        record = ngx_webrtc_reorder_record(r, r->tail);

        if (now_us - record->came_us < r->hold_us) {
            return record->came_us + r->hold_us;
        }

        ngx_webrtc_reorder_skip(r, ngx_webrtc_reorder_lowest(r));
    }

    return 0;
}


void
ngx_webrtc_reorder_give_up(ngx_webrtc_reorder_t *r, uint64_t seq,
    uint64_t now_us)
{
    uint64_t  lowest;

    while (r->held && r->next <= seq) {
        lowest = ngx_webrtc_reorder_lowest(r);

        ngx_webrtc_reorder_skip(r, ngx_min(lowest, seq + 1));
    }

    (void) ngx_webrtc_reorder_timeout(r, now_us);
}


void
ngx_webrtc_reorder_renew(ngx_webrtc_reorder_t *r)
{
    while (r->held) {
        ngx_webrtc_reorder_skip(r, ngx_webrtc_reorder_lowest(r));
    }

    r->started = 0;
    r->again = 0;
    r->skipped = 0;
}


ngx_uint_t
ngx_webrtc_reorder_near(const ngx_webrtc_reorder_t *r, uint64_t seq)
{
    if (!r->started) {
        return 1;
    }

    return (seq > r->highest) ? seq - r->highest <= r->window
                              : r->highest - seq <= r->window;
}


/*
 * NGX_OK        within range, or the stream was started anew
 * NGX_DECLINED  before what has already passed
 */

static ngx_int_t
ngx_webrtc_reorder_restart(ngx_webrtc_reorder_t *r, uint64_t seq)
{
    if (seq >= r->next) {

        if (seq - r->next <= NGX_WEBRTC_REORDER_JUMP) {
            return NGX_OK;
        }

    } else {

        if (r->next - seq <= NGX_WEBRTC_REORDER_JUMP) {
            return NGX_DECLINED;
        }

        if (r->again != seq) {
            r->again = seq + 1;
            return NGX_DECLINED;
        }
    }

    while (r->held) {
        ngx_webrtc_reorder_skip(r, ngx_webrtc_reorder_lowest(r));
    }

    r->next = seq;
    r->highest = seq;
    r->again = 0;
    r->skipped = 1;
    r->resets++;

    return NGX_OK;
}


/* keeps a packet; NGX_DECLINED: no memory */

static ngx_int_t
ngx_webrtc_reorder_put(ngx_webrtc_reorder_t *r,
    const ngx_webrtc_reorder_packet_t *pkt, uint64_t now_us)
{
    uint32_t                      offset;
    ngx_webrtc_reorder_slot_t    *slot;
    ngx_webrtc_reorder_record_t  *record;

    if (ngx_webrtc_reorder_alloc(r, pkt->n, &offset) != NGX_OK) {
        return NGX_DECLINED;
    }

    record = ngx_webrtc_reorder_record(r, offset);
    record->came_us = now_us;
    record->held = 1;

    slot = ngx_webrtc_reorder_slot(r, pkt->seq);
    slot->pkt = *pkt;
    slot->pkt.payload = (u_char *) (record + 1);
    slot->offset = offset;
    slot->held = 1;

    if (pkt->n) {
        ngx_memcpy(slot->pkt.payload, pkt->payload, pkt->n);
    }

    r->held++;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_reorder_alloc(ngx_webrtc_reorder_t *r, size_t n, uint32_t *offset)
{
    uint32_t  need, room;

    need = (uint32_t) ngx_align(sizeof(ngx_webrtc_reorder_record_t) + n, 16);

    if (r->used == 0) {
        r->head = 0;
        r->tail = 0;
    }

    if (r->head < r->tail || r->used == r->size) {
        room = r->size - r->used;

        if (need > room) {
            return NGX_DECLINED;
        }

    } else {
        room = r->size - r->head;

        if (need > room) {

            if (need > r->tail) {
                return NGX_DECLINED;
            }

            /* a free record to the end; room is a multiple of 16 */

            if (room) {
                ngx_webrtc_reorder_take(r, room);
                ngx_webrtc_reorder_record(r, r->size - room)->held = 0;
            }

            r->head = 0;
        }
    }

    *offset = r->head;

    ngx_webrtc_reorder_take(r, need);

    return NGX_OK;
}


static void
ngx_webrtc_reorder_take(ngx_webrtc_reorder_t *r, uint32_t size)
{
    ngx_webrtc_reorder_record(r, r->head)->size = size;

    r->head += size;
    r->used += size;

    if (r->head == r->size) {
        r->head = 0;
    }
}


static void
ngx_webrtc_reorder_free(ngx_webrtc_reorder_t *r, uint32_t offset)
{
    ngx_webrtc_reorder_record_t  *record;

    ngx_webrtc_reorder_record(r, offset)->held = 0;

    while (r->used) {
        record = ngx_webrtc_reorder_record(r, r->tail);

        if (record->held) {
            return;
        }

        r->used -= record->size;
        r->tail += record->size;

        if (r->tail == r->size) {
            r->tail = 0;
        }
    }
}


/* passes on the packet r->next */

static void
ngx_webrtc_reorder_pass(ngx_webrtc_reorder_t *r,
    const ngx_webrtc_reorder_packet_t *pkt)
{
    ngx_webrtc_reorder_packet_t  out;

    out = *pkt;
    out.lost = r->skipped;

    r->skipped = 0;
    r->next++;
    r->passed++;

    r->out(r->ctx, &out);
}


static void
ngx_webrtc_reorder_drain(ngx_webrtc_reorder_t *r)
{
    ngx_webrtc_reorder_slot_t  *slot;

    while (r->held) {
        slot = ngx_webrtc_reorder_slot(r, r->next);

        if (!slot->held) {
            return;
        }

        ngx_webrtc_reorder_pass(r, &slot->pkt);
        ngx_webrtc_reorder_free(r, slot->offset);

        slot->held = 0;
        r->held--;
    }
}


/* the first that is held; there is one */

static uint64_t
ngx_webrtc_reorder_lowest(ngx_webrtc_reorder_t *r)
{
    uint64_t  seq;

    seq = r->next;

    while (!ngx_webrtc_reorder_slot(r, seq)->held) {
        seq++;
    }

    return seq;
}


/* gives up what is missing before seq, and passes on what then is in order */

static void
ngx_webrtc_reorder_skip(ngx_webrtc_reorder_t *r, uint64_t seq)
{
    uint64_t  to;

    while (r->next < seq) {

        to = r->held ? ngx_webrtc_reorder_lowest(r) : seq;
        to = ngx_min(to, seq);

        r->lost += to - r->next;
        r->skipped += (uint32_t) (to - r->next);
        r->next = to;

        ngx_webrtc_reorder_drain(r);
    }

    ngx_webrtc_reorder_drain(r);
}
