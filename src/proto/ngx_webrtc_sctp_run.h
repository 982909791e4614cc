
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SCTP associations: what the parts of ngx_webrtc_sctp share.
 *
 *   ngx_webrtc_sctp.c        begin, end, packets in, messages out, time
 *   ngx_webrtc_sctp_event.c  what usrsctp tells
 */


#ifndef _NGX_WEBRTC_SCTP_RUN_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_RUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_sctp.h>
#include <ngx_webrtc_sctp_setup.h>


/* bytes in front of the checksum; RFC 9260, 3.1 */
#define NGX_WEBRTC_SCTP_CHECKSUM     8


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


/* A number of usrsctp to the association, or NULL: it is gone. */
ngx_webrtc_sctp_assoc_t *ngx_webrtc_sctp_find(void *id);

/* Something has happened: how soon do timers have to run? */
void ngx_webrtc_sctp_touch(ngx_webrtc_sctp_assoc_t *assoc);

/* Ends it for usrsctp, which sends ABORT if there is a peer to hear it. */
void ngx_webrtc_sctp_shut(ngx_webrtc_sctp_assoc_t *assoc);

/* usrsctp's callbacks, as usrsctp.h says. */
int ngx_webrtc_sctp_on_output(void *id, void *buf, size_t n, uint8_t tos,
    uint8_t df);
int ngx_webrtc_sctp_on_receive(ngx_webrtc_sctp_so_pt so,
    union sctp_sockstore addr, void *data, size_t n, struct sctp_rcvinfo info,
    int flags, void *id);
int ngx_webrtc_sctp_on_room(ngx_webrtc_sctp_so_pt so, uint32_t room,
    void *id);

/* ngx_webrtc_sctp_repair_pt; ctx is the association. */
void ngx_webrtc_sctp_on_repeat(void *ctx, u_char *p, size_t n);

/* usrsctp is not running: tells the users what has happened. */
void ngx_webrtc_sctp_dispatch(ngx_webrtc_sctp_t *sctp);

/* Nothing of what has happened will be told. */
void ngx_webrtc_sctp_forget(ngx_webrtc_sctp_assoc_t *assoc);


#endif /* _NGX_WEBRTC_SCTP_RUN_H_INCLUDED_ */
