
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SCTP: state of usrsctp, of which there is one per process: the table of
 * associations by the numbers that usrsctp knows them by, and its clock.
 * Private to ngx_webrtc_sctp.
 */


#ifndef _NGX_WEBRTC_SCTP_INSTANCE_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_INSTANCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp_assoc.h>


typedef struct {
    ngx_webrtc_sctp_assoc_t  *assoc;     /* NULL: free */
    uintptr_t                 id;
    uint16_t                  next;      /* of the free ones */
} ngx_webrtc_sctp_slot_t;


struct ngx_webrtc_sctp_s {
    ngx_webrtc_sctp_slot_t   *slots;
    ngx_uint_t                max;
    ngx_uint_t                free;      /* a slot, or _NO_SLOT */
    ngx_uint_t                used;
    ngx_queue_t               busy;      /* associations with timers to come */
    uint64_t                  now_ms;    /* timers have run up to it */
    uint64_t                  clock_ms;  /* of the call that is under way */
    uint64_t                  active_ms; /* ticks are frequent until then */
    uintptr_t                 count;     /* of ids */
    ngx_queue_t               ready;     /* associations with events */
    ngx_webrtc_sctp_stat_t    stat;
    unsigned                  hardware:1;
    unsigned                  dispatching:1;
    u_char                    seen[NGX_WEBRTC_SCTP_INPUT];
                                         /* a packet as usrsctp gets it */
};


/* usrsctp's callback for output has no other argument that could lead here */

extern ngx_webrtc_sctp_t  *ngx_webrtc_sctp_instance;


/*
 * Allocates it with room for max associations, and makes it the instance.
 * Returns NULL if there is no memory, or there is one already.
 */
ngx_webrtc_sctp_t *ngx_webrtc_sctp_instance_create(ngx_uint_t max,
    uint64_t now_ms);

void ngx_webrtc_sctp_instance_free(ngx_webrtc_sctp_t *sctp);

/*
 * A number for an association, available while sctp->used < sctp->max; it is
 * taken by _enter() and given back by _leave().
 */
uintptr_t ngx_webrtc_sctp_instance_id(ngx_webrtc_sctp_t *sctp);
void ngx_webrtc_sctp_instance_enter(ngx_webrtc_sctp_assoc_t *assoc);
void ngx_webrtc_sctp_instance_leave(ngx_webrtc_sctp_assoc_t *assoc);

/* The association that usrsctp's number stands for; NULL if it is gone. */
ngx_webrtc_sctp_assoc_t *ngx_webrtc_sctp_instance_find(void *id);

/*
 * Advances usrsctp's clock; to be called before anything that starts a timer,
 * which would start in the past otherwise.
 */
void ngx_webrtc_sctp_instance_advance(ngx_webrtc_sctp_t *sctp,
    uint64_t now_ms);

/* To be called on activity: decides how soon timers have to run. */
void ngx_webrtc_sctp_instance_touch(ngx_webrtc_sctp_assoc_t *assoc);

/* Ends it for usrsctp, which sends ABORT if there is a peer to hear it. */
void ngx_webrtc_sctp_instance_shut(ngx_webrtc_sctp_assoc_t *assoc);


#endif /* _NGX_WEBRTC_SCTP_INSTANCE_H_INCLUDED_ */
