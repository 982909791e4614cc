
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * State of the one usrsctp of a process: see the header file.
 *
 * Who is who.  usrsctp identifies peers of AF_CONN by a pointer; it gets a
 * number (ngx_webrtc_sctp_instance_id()) for it, and the same for its
 * "ulp_info".  The low 16 bits are a slot of the table, the rest counts, so
 * that a number never comes back (after 2^48 associations; 2^16 where pointers
 * have 32 bits).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_sctp_instance.h>
#include <ngx_webrtc_sctp_setup.h>


/* milliseconds after the last call during which ticks are frequent: delayed
 * SACKs, the first repetitions of what is not data */
#define NGX_WEBRTC_SCTP_ACTIVE       1000

#define NGX_WEBRTC_SCTP_NO_SLOT      0xffff


ngx_webrtc_sctp_t  *ngx_webrtc_sctp_instance;


ngx_webrtc_sctp_t *
ngx_webrtc_sctp_instance_create(ngx_uint_t max, uint64_t now_ms)
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

    ngx_webrtc_sctp_instance = sctp;

    return sctp;
}


void
ngx_webrtc_sctp_instance_free(ngx_webrtc_sctp_t *sctp)
{
    ngx_webrtc_sctp_instance = NULL;

    free(sctp->slots);
    free(sctp);
}


uintptr_t
ngx_webrtc_sctp_instance_id(ngx_webrtc_sctp_t *sctp)
{
    uintptr_t  id;

    /* zero is no address of usrsctp's */

    do {
        id = (++sctp->count << 16) | sctp->free;
    } while ((id >> 16) == 0);

    return id;
}


void
ngx_webrtc_sctp_instance_enter(ngx_webrtc_sctp_assoc_t *assoc)
{
    ngx_webrtc_sctp_t       *sctp;
    ngx_webrtc_sctp_slot_t  *slot;

    sctp = assoc->sctp;

    slot = &sctp->slots[assoc->id & 0xffff];
    slot->assoc = assoc;
    slot->id = assoc->id;

    sctp->free = slot->next;
    sctp->used++;
}


void
ngx_webrtc_sctp_instance_leave(ngx_webrtc_sctp_assoc_t *assoc)
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


ngx_webrtc_sctp_assoc_t *
ngx_webrtc_sctp_instance_find(void *id)
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


void
ngx_webrtc_sctp_instance_advance(ngx_webrtc_sctp_t *sctp, uint64_t now_ms)
{
    uint64_t                  elapsed;
    ngx_queue_t              *q;
    ngx_webrtc_sctp_assoc_t  *assoc;

    sctp->clock_ms = now_ms;

    /* usrsctp walks all timers, so not more often than needed */

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


void
ngx_webrtc_sctp_instance_touch(ngx_webrtc_sctp_assoc_t *assoc)
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


void
ngx_webrtc_sctp_instance_shut(ngx_webrtc_sctp_assoc_t *assoc)
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
