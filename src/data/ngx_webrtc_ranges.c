
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Server of the range protocol: see the header file.
 *
 * A range is an item.  It is waiting for a slot; or active, and possibly being
 * read; or starved: it has been sent all that a growing file has so far, and
 * waits for a slot again when there is more.  Its id is in the hash throughout.
 * When it ends, the id is free at once and its RangeEnd is sent, or owed if
 * there is no room; as long as anything is owed no data is sent, so that data
 * of a reused id does not precede the end of the range that had it before.  A
 * read still under way when its range ends is recognised by the serial number,
 * which is unique.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_ranges.h>


/* buckets at first, as a power of 2 */
#define NGX_WEBRTC_RANGES_BITS  4


struct ngx_webrtc_ranges_item_s {
    ngx_queue_t                link;         /* in active, waiting or owed */
    ngx_webrtc_ranges_item_t  *next;         /* in hash */
    uint64_t                   offset;       /* of what is to be read next */
    uint64_t                   end;
    uint64_t                   expire_ms;    /* waiting until then */
    uint32_t                   id;
    uint32_t                   serial;
    uint32_t                   status;       /* owed */
    unsigned                   active:1;
    unsigned                   reading:1;
    unsigned                   starved:1;
    unsigned                   given:1;      /* some of it */
};


static ngx_int_t ngx_webrtc_ranges_request(ngx_webrtc_ranges_t *r,
    ngx_webrtc_range_frame_t *frame, uint64_t now_ms);
static void ngx_webrtc_ranges_cancel(ngx_webrtc_ranges_t *r, uint32_t id);
static void ngx_webrtc_ranges_pong(ngx_webrtc_ranges_t *r, uint32_t id);
static void ngx_webrtc_ranges_refuse(ngx_webrtc_ranges_t *r, uint32_t id,
    ngx_uint_t status);
static void ngx_webrtc_ranges_finish(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item, ngx_uint_t status);
static ngx_uint_t ngx_webrtc_ranges_hungry(ngx_webrtc_ranges_t *r);
static void ngx_webrtc_ranges_starve(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item);
static void ngx_webrtc_ranges_fed(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item, uint64_t now_ms);
static void ngx_webrtc_ranges_clamp(ngx_webrtc_ranges_t *r,
    ngx_queue_t *queue);
static void ngx_webrtc_ranges_wait(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item, uint64_t now_ms);
static void ngx_webrtc_ranges_admit(ngx_webrtc_ranges_t *r);
static void ngx_webrtc_ranges_activate(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item);
static void ngx_webrtc_ranges_expire(ngx_webrtc_ranges_t *r,
    uint64_t now_ms);
static ngx_webrtc_ranges_item_t *ngx_webrtc_ranges_reading(
    ngx_webrtc_ranges_t *r, const ngx_webrtc_ranges_read_t *read);
static ngx_int_t ngx_webrtc_ranges_end(ngx_webrtc_ranges_t *r, uint32_t id,
    ngx_uint_t status);
static ngx_int_t ngx_webrtc_ranges_send(ngx_webrtc_ranges_t *r, u_char *p,
    size_t n);
static ngx_webrtc_ranges_item_t *ngx_webrtc_ranges_find(
    ngx_webrtc_ranges_t *r, uint32_t id);
static void ngx_webrtc_ranges_hash(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item);
static ngx_uint_t ngx_webrtc_ranges_bucket(ngx_webrtc_ranges_t *r,
    uint32_t id);
static void ngx_webrtc_ranges_unhash(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item);
static void ngx_webrtc_ranges_free(ngx_queue_t *queue);


ngx_int_t
ngx_webrtc_ranges_init(ngx_webrtc_ranges_t *r,
    const ngx_webrtc_ranges_opts_t *opts)
{
    ngx_memzero(r, sizeof(ngx_webrtc_ranges_t));

    if (opts->chunk < 1 || opts->chunk > NGX_WEBRTC_RANGE_PAYLOAD) {
        return NGX_ERROR;
    }

    r->hash = calloc((size_t) 1 << NGX_WEBRTC_RANGES_BITS,
                     sizeof(ngx_webrtc_ranges_item_t *));
    if (r->hash == NULL) {
        return NGX_ERROR;
    }

    r->bits = NGX_WEBRTC_RANGES_BITS;
    r->factor = (uint32_t) (((uintptr_t) r->hash >> 4) * 2654435761u) | 1;
    r->opts = *opts;

    ngx_queue_init(&r->active);
    ngx_queue_init(&r->waiting);
    ngx_queue_init(&r->starved);
    ngx_queue_init(&r->owed);

    return NGX_OK;
}


void
ngx_webrtc_ranges_cleanup(ngx_webrtc_ranges_t *r)
{
    if (r->hash == NULL) {
        return;
    }

    r->opts.slots->active -= r->nactive;
    r->nactive = 0;
    r->opts.slots->items -= r->nwaiting + r->nstarved + r->nowed;
    r->opts.slots->starved -= r->nstarved;

    r->nwaiting = 0;
    r->nstarved = 0;
    r->nowed = 0;
    r->closed = 1;

    ngx_webrtc_ranges_free(&r->active);
    ngx_webrtc_ranges_free(&r->waiting);
    ngx_webrtc_ranges_free(&r->starved);
    ngx_webrtc_ranges_free(&r->owed);

    free(r->hash);
    r->hash = NULL;
}


ngx_int_t
ngx_webrtc_ranges_hello(ngx_webrtc_ranges_t *r)
{
    u_char      buf[NGX_WEBRTC_RANGE_HEADER + 12 + NGX_WEBRTC_RANGES_NAME], *p;
    size_t      max;
    ngx_int_t   rc;
    ngx_str_t   name;

    name = r->opts.name;

    max = (r->opts.chunk > 12) ? r->opts.chunk - 12 : 0;
    max = ngx_min(max, NGX_WEBRTC_RANGES_NAME);

    if (name.len > max) {
        name.len = max;

        /* not within a character: continuation bytes are 10xxxxxx */

        while (name.len && (name.data[name.len] & 0xc0) == 0x80) {
            name.len--;
        }
    }

    p = ngx_webrtc_range_write_hello(buf, buf + sizeof(buf), r->opts.flags,
                                     r->opts.size, &name);

    rc = ngx_webrtc_ranges_send(r, buf, p - buf);

    return (rc == NGX_DECLINED) ? NGX_ERROR : rc;
}


ngx_int_t
ngx_webrtc_ranges_input(ngx_webrtc_ranges_t *r, u_char *p, size_t n,
    uint64_t now_ms)
{
    ngx_int_t                 rc;
    ngx_webrtc_range_frame_t  frame;

    if (r->closed) {
        return NGX_ERROR;
    }

    if (ngx_webrtc_range_parse(p, p + n, &frame) != NGX_OK) {
        r->malformed++;
        return NGX_DECLINED;
    }

    ngx_webrtc_ranges_expire(r, now_ms);

    rc = NGX_OK;

    switch (frame.type) {

    case NGX_WEBRTC_RANGE_REQ:
        rc = ngx_webrtc_ranges_request(r, &frame, now_ms);
        break;

    case NGX_WEBRTC_RANGE_CANCEL:
        ngx_webrtc_ranges_cancel(r, frame.id);
        break;

    case NGX_WEBRTC_RANGE_PING:
        ngx_webrtc_ranges_pong(r, frame.id);
        break;

    case NGX_WEBRTC_RANGE_PONG:
        break;

    case NGX_WEBRTC_RANGE_SEEK_HINT:
        r->seek_ms = frame.u.seek_ms;
        break;

    case NGX_WEBRTC_RANGE_QUALITY:
        break;

    default:

        /* what only a server sends */

        r->unexpected++;
        rc = NGX_DECLINED;
    }

    return r->closed ? NGX_ERROR : rc;
}


void
ngx_webrtc_ranges_malformed(ngx_webrtc_ranges_t *r)
{
    r->malformed++;
}


void
ngx_webrtc_ranges_marks(ngx_webrtc_ranges_t *r, size_t high, size_t low)
{
    r->opts.high = high;
    r->opts.low = low;
}


ngx_int_t
ngx_webrtc_ranges_next(ngx_webrtc_ranges_t *r, size_t buffered, size_t unsent,
    uint64_t now_ms, ngx_webrtc_ranges_read_t *read)
{
    ngx_queue_t               *q;
    ngx_webrtc_ranges_item_t  *item;

    ngx_webrtc_ranges_flush(r);
    ngx_webrtc_ranges_expire(r, now_ms);
    ngx_webrtc_ranges_admit(r);

    if (r->closed || r->nactive == 0) {
        return NGX_DONE;
    }

    if (r->paused) {
        if (unsent > r->opts.low) {
            return NGX_AGAIN;
        }

        r->paused = 0;
    }

    if (buffered >= r->opts.high || r->nowed) {
        r->paused = 1;
        return NGX_AGAIN;
    }

    for (q = ngx_queue_head(&r->active);
         q != ngx_queue_sentinel(&r->active);
         q = ngx_queue_next(q))
    {
        item = ngx_queue_data(q, ngx_webrtc_ranges_item_t, link);

        if (item->reading) {
            continue;
        }

        item->reading = 1;

        read->id = item->id;
        read->serial = item->serial;
        read->offset = item->offset;
        read->length = (size_t) ngx_min(ngx_min(item->end, r->opts.size)
                                        - item->offset,
                                        r->opts.chunk);

        /* its turn is over */

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&r->active, q);

        return NGX_OK;
    }

    return NGX_DONE;
}


ngx_int_t
ngx_webrtc_ranges_data(ngx_webrtc_ranges_t *r,
    const ngx_webrtc_ranges_read_t *read, u_char *frame, size_t n,
    uint64_t now_ms)
{
    ngx_int_t                  rc;
    ngx_uint_t                 flags;
    ngx_webrtc_ranges_item_t  *item;

    item = ngx_webrtc_ranges_reading(r, read);

    if (item == NULL) {
        return r->closed ? NGX_ERROR : NGX_DECLINED;
    }

    if (n < read->length) {
        ngx_webrtc_ranges_error(r, read, now_ms);
        return r->closed ? NGX_ERROR : NGX_OK;
    }

    n = read->length;

    ngx_webrtc_ranges_flush(r);

    if (r->nowed) {
        return NGX_AGAIN;
    }

    flags = (item->offset + n == item->end) ? NGX_WEBRTC_RANGE_LAST : 0;

    (void) ngx_webrtc_range_write_header(frame,
                                         frame + NGX_WEBRTC_RANGE_HEADER,
                                         NGX_WEBRTC_RANGE_DATA, flags,
                                         item->id, n);

    rc = ngx_webrtc_ranges_send(r, frame, NGX_WEBRTC_RANGE_HEADER + n);

    if (rc != NGX_OK) {
        return (rc == NGX_AGAIN) ? NGX_AGAIN : NGX_ERROR;
    }

    item->reading = 0;
    item->given = 1;
    item->offset += n;
    r->bytes += n;

    if (item->offset < ngx_min(item->end, r->opts.size)) {
        return NGX_OK;
    }

    if (item->offset < item->end) {

        if (ngx_webrtc_ranges_hungry(r)) {
            r->refused++;
            ngx_webrtc_ranges_finish(r, item, NGX_WEBRTC_RANGE_NO_SLOT);

        } else {
            ngx_webrtc_ranges_starve(r, item);
        }

    } else {
        r->served++;
        ngx_webrtc_ranges_finish(r, item, NGX_WEBRTC_RANGE_DONE);
    }

    ngx_webrtc_ranges_expire(r, now_ms);
    ngx_webrtc_ranges_admit(r);

    return NGX_OK;
}


void
ngx_webrtc_ranges_error(ngx_webrtc_ranges_t *r,
    const ngx_webrtc_ranges_read_t *read, uint64_t now_ms)
{
    ngx_webrtc_ranges_item_t  *item;

    item = ngx_webrtc_ranges_reading(r, read);

    if (item) {
        ngx_webrtc_ranges_finish(r, item, NGX_WEBRTC_RANGE_READ_ERROR);
        ngx_webrtc_ranges_expire(r, now_ms);
        ngx_webrtc_ranges_admit(r);
    }
}


void
ngx_webrtc_ranges_fail(ngx_webrtc_ranges_t *r, uint64_t now_ms)
{
    ngx_queue_t  *q;

    ngx_webrtc_ranges_expire(r, now_ms);

    while (!ngx_queue_empty(&r->active)) {
        q = ngx_queue_head(&r->active);
        ngx_webrtc_ranges_finish(r,
                         ngx_queue_data(q, ngx_webrtc_ranges_item_t, link),
                         NGX_WEBRTC_RANGE_READ_ERROR);
    }

    while (!ngx_queue_empty(&r->waiting)) {
        q = ngx_queue_head(&r->waiting);
        ngx_webrtc_ranges_finish(r,
                         ngx_queue_data(q, ngx_webrtc_ranges_item_t, link),
                         NGX_WEBRTC_RANGE_READ_ERROR);
    }

    while (!ngx_queue_empty(&r->starved)) {
        q = ngx_queue_head(&r->starved);
        ngx_webrtc_ranges_finish(r,
                         ngx_queue_data(q, ngx_webrtc_ranges_item_t, link),
                         NGX_WEBRTC_RANGE_READ_ERROR);
    }
}


void
ngx_webrtc_ranges_resize(ngx_webrtc_ranges_t *r, uint64_t size,
    ngx_uint_t growing, uint64_t now_ms)
{
    ngx_queue_t               *q, *next;
    ngx_webrtc_ranges_item_t  *item;

    r->opts.size = size;

    if (growing) {
        r->opts.flags |= NGX_WEBRTC_RANGE_GROWING;

    } else {
        r->opts.flags &= ~NGX_WEBRTC_RANGE_GROWING;
    }

    for (q = ngx_queue_head(&r->starved);
         q != ngx_queue_sentinel(&r->starved);
         q = next)
    {
        next = ngx_queue_next(q);
        item = ngx_queue_data(q, ngx_webrtc_ranges_item_t, link);

        if (item->offset < size) {
            ngx_webrtc_ranges_fed(r, item, now_ms);

        } else if (!growing) {
            ngx_webrtc_ranges_finish(r, item,
                                     item->given ? NGX_WEBRTC_RANGE_DONE
                                                 : NGX_WEBRTC_RANGE_OUT);
        }
    }

    if (!growing) {
        ngx_webrtc_ranges_clamp(r, &r->active);
        ngx_webrtc_ranges_clamp(r, &r->waiting);
    }

    ngx_webrtc_ranges_expire(r, now_ms);
    ngx_webrtc_ranges_admit(r);
}


void
ngx_webrtc_ranges_flush(ngx_webrtc_ranges_t *r)
{
    ngx_queue_t               *q;
    ngx_webrtc_ranges_item_t  *item;

    while (r->nowed) {
        q = ngx_queue_head(&r->owed);
        item = ngx_queue_data(q, ngx_webrtc_ranges_item_t, link);

        if (ngx_webrtc_ranges_end(r, item->id, item->status) == NGX_AGAIN) {
            return;
        }

        ngx_queue_remove(q);
        free(item);
        r->nowed--;
        r->opts.slots->items--;
    }
}


uint64_t
ngx_webrtc_ranges_deadline(const ngx_webrtc_ranges_t *r)
{
    ngx_queue_t               *q;
    ngx_webrtc_ranges_item_t  *item;

    if (r->nwaiting == 0) {
        return NGX_WEBRTC_RANGES_NO_DEADLINE;
    }

    q = ngx_queue_head(&r->waiting);
    item = ngx_queue_data(q, ngx_webrtc_ranges_item_t, link);

    return item->expire_ms;
}


void
ngx_webrtc_ranges_timeout(ngx_webrtc_ranges_t *r, uint64_t now_ms)
{
    ngx_webrtc_ranges_flush(r);
    ngx_webrtc_ranges_expire(r, now_ms);
    ngx_webrtc_ranges_admit(r);
}


static ngx_int_t
ngx_webrtc_ranges_request(ngx_webrtc_ranges_t *r,
    ngx_webrtc_range_frame_t *frame, uint64_t now_ms)
{
    uint64_t                   offset, length, rest;
    ngx_uint_t                 growing;
    ngx_webrtc_ranges_item_t  *item;

    offset = frame->u.req.offset;
    length = frame->u.req.length;

    if (ngx_webrtc_ranges_find(r, frame->id)) {
        ngx_webrtc_ranges_refuse(r, frame->id, NGX_WEBRTC_RANGE_DUPLICATE);
        return NGX_OK;
    }

    growing = r->opts.flags & NGX_WEBRTC_RANGE_GROWING;

    if (offset > NGX_WEBRTC_RANGE_MAX
        || offset >= (growing ? NGX_WEBRTC_RANGE_MAX : r->opts.size))
    {
        ngx_webrtc_ranges_refuse(r, frame->id, NGX_WEBRTC_RANGE_OUT);
        return NGX_OK;
    }

    rest = (growing ? NGX_WEBRTC_RANGE_MAX : r->opts.size) - offset;

    if (length == 0 || length > rest) {
        length = rest;
    }

    /* a slot freed by another channel goes to a waiting range */

    ngx_webrtc_ranges_admit(r);

    if (r->opts.slots->items >= NGX_WEBRTC_RANGES_WAITING
        || (offset >= r->opts.size && ngx_webrtc_ranges_hungry(r)))
    {
        ngx_webrtc_ranges_refuse(r, frame->id, NGX_WEBRTC_RANGE_NO_SLOT);
        return NGX_OK;
    }

    item = calloc(1, sizeof(ngx_webrtc_ranges_item_t));
    if (item == NULL) {
        ngx_webrtc_ranges_refuse(r, frame->id, NGX_WEBRTC_RANGE_NO_SLOT);
        return NGX_OK;
    }

    item->id = frame->id;
    item->serial = ++r->serial;
    item->offset = offset;
    item->end = offset + length;

    ngx_webrtc_ranges_hash(r, item);

    if (offset >= r->opts.size) {
        ngx_webrtc_ranges_starve(r, item);
        return NGX_OK;
    }

    if (r->opts.slots->active < r->opts.slots->max) {
        ngx_webrtc_ranges_activate(r, item);
        return NGX_OK;
    }

    ngx_webrtc_ranges_wait(r, item, now_ms);

    return NGX_OK;
}


static void
ngx_webrtc_ranges_cancel(ngx_webrtc_ranges_t *r, uint32_t id)
{
    ngx_webrtc_ranges_item_t  *item;

    item = ngx_webrtc_ranges_find(r, id);

    /* else it has just ended: the two messages have crossed */

    if (item) {
        ngx_webrtc_ranges_finish(r, item, NGX_WEBRTC_RANGE_CANCELLED);
        ngx_webrtc_ranges_admit(r);
    }
}


static void
ngx_webrtc_ranges_pong(ngx_webrtc_ranges_t *r, uint32_t id)
{
    u_char  buf[NGX_WEBRTC_RANGE_HEADER];

    (void) ngx_webrtc_range_write_header(buf, buf + sizeof(buf),
                                         NGX_WEBRTC_RANGE_PONG, 0, id, 0);

    if (ngx_webrtc_ranges_send(r, buf, sizeof(buf)) == NGX_AGAIN) {
        r->dropped++;
    }
}


/* a request that did not become a range */

static void
ngx_webrtc_ranges_refuse(ngx_webrtc_ranges_t *r, uint32_t id,
    ngx_uint_t status)
{
    ngx_webrtc_ranges_item_t  *item;

    r->refused++;

    ngx_webrtc_ranges_flush(r);

    if (r->nowed == 0 && ngx_webrtc_ranges_end(r, id, status) != NGX_AGAIN) {
        return;
    }

    item = (r->opts.slots->items < NGX_WEBRTC_RANGES_OWED)
           ? calloc(1, sizeof(ngx_webrtc_ranges_item_t)) : NULL;

    if (item == NULL) {
        r->dropped++;
        return;
    }

    item->id = id;
    item->status = (uint32_t) status;

    ngx_queue_insert_tail(&r->owed, &item->link);
    r->nowed++;
    r->opts.slots->items++;
}


/* the only way for a range to end */

static void
ngx_webrtc_ranges_finish(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item, ngx_uint_t status)
{
    ngx_webrtc_ranges_unhash(r, item);
    ngx_queue_remove(&item->link);

    if (item->active) {
        r->nactive--;
        r->opts.slots->active--;

    } else if (item->starved) {
        r->nstarved--;
        r->opts.slots->starved--;
        r->opts.slots->items--;

    } else {
        r->nwaiting--;
        r->opts.slots->items--;
    }

    ngx_webrtc_ranges_flush(r);

    if (r->nowed == 0
        && ngx_webrtc_ranges_end(r, item->id, status) != NGX_AGAIN)
    {
        free(item);
        return;
    }

    if (r->opts.slots->items >= NGX_WEBRTC_RANGES_OWED) {
        r->dropped++;
        free(item);
        return;
    }

    item->status = (uint32_t) status;

    ngx_queue_insert_tail(&r->owed, &item->link);
    r->nowed++;
    r->opts.slots->items++;
}


/* whether the limit of ranges that wait for bytes is reached */

static ngx_uint_t
ngx_webrtc_ranges_hungry(ngx_webrtc_ranges_t *r)
{
    ngx_uint_t  max;

    max = r->opts.slots->max * NGX_WEBRTC_RANGES_STARVED;

    return r->opts.slots->starved
           >= ngx_max(max, NGX_WEBRTC_RANGES_STARVED_MIN);
}


/* it is new, or its slot is for another one now */

static void
ngx_webrtc_ranges_starve(ngx_webrtc_ranges_t *r, ngx_webrtc_ranges_item_t *item)
{
    if (item->active) {
        ngx_queue_remove(&item->link);
        item->active = 0;
        r->nactive--;
        r->opts.slots->active--;
    }

    item->starved = 1;

    ngx_queue_insert_tail(&r->starved, &item->link);
    r->nstarved++;
    r->opts.slots->starved++;
    r->opts.slots->items++;
}


/* there is more of it now */

static void
ngx_webrtc_ranges_fed(ngx_webrtc_ranges_t *r, ngx_webrtc_ranges_item_t *item,
    uint64_t now_ms)
{
    ngx_queue_remove(&item->link);
    item->starved = 0;
    r->nstarved--;
    r->opts.slots->starved--;
    r->opts.slots->items--;

    ngx_webrtc_ranges_wait(r, item, now_ms);
}


/* none of them goes beyond the end: what was clamped is never starved */

static void
ngx_webrtc_ranges_clamp(ngx_webrtc_ranges_t *r, ngx_queue_t *queue)
{
    ngx_queue_t               *q;
    ngx_webrtc_ranges_item_t  *item;

    for (q = ngx_queue_head(queue);
         q != ngx_queue_sentinel(queue);
         q = ngx_queue_next(q))
    {
        item = ngx_queue_data(q, ngx_webrtc_ranges_item_t, link);
        item->end = ngx_min(item->end, r->opts.size);
    }
}


/* for a slot */

static void
ngx_webrtc_ranges_wait(ngx_webrtc_ranges_t *r, ngx_webrtc_ranges_item_t *item,
    uint64_t now_ms)
{
    item->expire_ms = now_ms + r->opts.wait_ms;

    ngx_queue_insert_tail(&r->waiting, &item->link);
    r->nwaiting++;
    r->opts.slots->items++;
}


static void
ngx_webrtc_ranges_admit(ngx_webrtc_ranges_t *r)
{
    ngx_queue_t  *q;

    while (r->nwaiting && r->opts.slots->active < r->opts.slots->max) {
        q = ngx_queue_head(&r->waiting);

        ngx_queue_remove(q);
        r->nwaiting--;
        r->opts.slots->items--;

        ngx_webrtc_ranges_activate(r, ngx_queue_data(q,
                                                 ngx_webrtc_ranges_item_t,
                                                 link));
    }
}


static void
ngx_webrtc_ranges_activate(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item)
{
    item->active = 1;

    ngx_queue_insert_tail(&r->active, &item->link);

    r->nactive++;
    r->opts.slots->active++;
}


static void
ngx_webrtc_ranges_expire(ngx_webrtc_ranges_t *r, uint64_t now_ms)
{
    ngx_queue_t               *q;
    ngx_webrtc_ranges_item_t  *item;

    while (r->nwaiting) {
        q = ngx_queue_head(&r->waiting);
        item = ngx_queue_data(q, ngx_webrtc_ranges_item_t, link);

        if (now_ms < item->expire_ms) {
            return;
        }

        r->refused++;

        ngx_webrtc_ranges_finish(r, item, NGX_WEBRTC_RANGE_NO_SLOT);
    }
}


static ngx_webrtc_ranges_item_t *
ngx_webrtc_ranges_reading(ngx_webrtc_ranges_t *r,
    const ngx_webrtc_ranges_read_t *read)
{
    ngx_queue_t               *q;
    ngx_webrtc_ranges_item_t  *item;

    if (r->hash == NULL) {
        return NULL;
    }

    for (q = ngx_queue_head(&r->active);
         q != ngx_queue_sentinel(&r->active);
         q = ngx_queue_next(q))
    {
        item = ngx_queue_data(q, ngx_webrtc_ranges_item_t, link);

        if (item->serial == read->serial) {
            return item->reading ? item : NULL;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_webrtc_ranges_end(ngx_webrtc_ranges_t *r, uint32_t id, ngx_uint_t status)
{
    u_char  buf[NGX_WEBRTC_RANGE_HEADER + 4];

    (void) ngx_webrtc_range_write_end(buf, buf + sizeof(buf), id, status);

    return ngx_webrtc_ranges_send(r, buf, sizeof(buf));
}


static ngx_int_t
ngx_webrtc_ranges_send(ngx_webrtc_ranges_t *r, u_char *p, size_t n)
{
    ngx_int_t  rc;

    if (r->closed) {
        return NGX_DECLINED;
    }

    rc = r->opts.send(r->opts.ctx, p, n);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        r->closed = 1;
        return NGX_DECLINED;
    }

    return rc;
}


static ngx_webrtc_ranges_item_t *
ngx_webrtc_ranges_find(ngx_webrtc_ranges_t *r, uint32_t id)
{
    ngx_webrtc_ranges_item_t  *item;

    item = r->hash[ngx_webrtc_ranges_bucket(r, id)];

    while (item && item->id != id) {
        item = item->next;
    }

    return item;
}


static void
ngx_webrtc_ranges_hash(ngx_webrtc_ranges_t *r, ngx_webrtc_ranges_item_t *item)
{
    ngx_uint_t                  i, b, n;
    ngx_webrtc_ranges_item_t  **old, **hash, *p, *next;

    n = (ngx_uint_t) 1 << r->bits;

    if (r->nitems >= 2 * n) {
        hash = calloc(4 * n, sizeof(ngx_webrtc_ranges_item_t *));

        /* without memory it merely gets slower */

        if (hash) {
            old = r->hash;

            r->hash = hash;
            r->bits += 2;

            for (i = 0; i < n; i++) {
                for (p = old[i]; p; p = next) {
                    next = p->next;
                    b = ngx_webrtc_ranges_bucket(r, p->id);
                    p->next = hash[b];
                    hash[b] = p;
                }
            }

            free(old);
        }
    }

    b = ngx_webrtc_ranges_bucket(r, item->id);

    item->next = r->hash[b];
    r->hash[b] = item;
    r->nitems++;
}


/*
 * Multiply and shift: the client chooses the ids, so the factor is made from an
 * address, which the client does not know.
 */

static ngx_uint_t
ngx_webrtc_ranges_bucket(ngx_webrtc_ranges_t *r, uint32_t id)
{
    return (uint32_t) (id * r->factor) >> (32 - r->bits);
}


static void
ngx_webrtc_ranges_unhash(ngx_webrtc_ranges_t *r,
    ngx_webrtc_ranges_item_t *item)
{
    ngx_webrtc_ranges_item_t  **p;

    p = &r->hash[ngx_webrtc_ranges_bucket(r, item->id)];

    while (*p != item) {
        p = &(*p)->next;
    }

    *p = item->next;
    r->nitems--;
}


static void
ngx_webrtc_ranges_free(ngx_queue_t *queue)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(queue)) {
        q = ngx_queue_head(queue);
        ngx_queue_remove(q);
        free(ngx_queue_data(q, ngx_webrtc_ranges_item_t, link));
    }
}
