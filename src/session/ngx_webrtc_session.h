
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A session, as its parts and its role see it.  It owns everything that its
 * engines need, and has one timer, for the earliest deadline.
 *
 *   ngx_webrtc_session_life.c     begins, wires the engines, ends
 *   ngx_webrtc_session_path.c     its addresses with ICE lite
 *   ngx_webrtc_session_ice.c      its agent with full ICE
 *   ngx_webrtc_session_consent.c  full ICE: the peer's consent to be sent to
 *   ngx_webrtc_session_rebind.c   full ICE: finds a peer that has gone silent
 *   ngx_webrtc_session_stat.c     what is told of it
 */


#ifndef _NGX_WEBRTC_SESSION_H_INCLUDED_
#define _NGX_WEBRTC_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_paths.h"
#include "ngx_webrtc_bus_public.h"
#include "ngx_webrtc_bus_about.h"
#include "ngx_webrtc_rate.h"
#include "ngx_webrtc_transport.h"
#include "ngx_webrtc_ice_probe.h"
#include "ngx_webrtc_dtls.h"
#include "ngx_webrtc_srtp.h"


/* addresses of a session, as many as its slot keeps */
#define NGX_WEBRTC_SESSION_PATHS   NGX_WEBRTC_PEER_ADDRS

/* verified checks remembered against replay; chosen: five minutes of a
 * browser's, 1 kB */
#define NGX_WEBRTC_SESSION_TIDS    128

/* ms between two calls of role->second(), sender reports among them; chosen:
 * players tie their tracks in a second */
#define NGX_WEBRTC_SESSION_REPORT  1000

/* bytes of a session id that make the CNAME: RFC 7022 wants 96 random bits, but
 * the id itself is a secret of its owner */
#define NGX_WEBRTC_SESSION_CNAME   8


/*
 *   CHECKED --- DTLS connected ---> UP
 *      |                             |
 *      +------> CLOSING <------------+     destroyed by a posted event
 */
typedef enum {
    NGX_WEBRTC_SESSION_CHECKED = 0,
    NGX_WEBRTC_SESSION_UP,
    NGX_WEBRTC_SESSION_CLOSING
} ngx_webrtc_session_state_e;


/* a copy of what checks verify against: the slot's may change */
typedef struct {
    uint8_t                      local_ufrag_len;
    uint8_t                      local_pwd_len;
    uint16_t                     remote_ufrag_len;
    u_char                       local_ufrag[NGX_WEBRTC_DESC_LOCAL_UFRAG];
    u_char                       local_pwd[NGX_WEBRTC_DESC_LOCAL_PWD];
    u_char                       remote_ufrag[NGX_WEBRTC_DESC_REMOTE_UFRAG];
} ngx_webrtc_session_cred_t;


/* last requests whose answers count, see ngx_webrtc_session_consent.c; chosen:
 * all of the last eight seconds, five more often repeated */
#define NGX_WEBRTC_SESSION_CONSENT_TIDS  8

/* ms that consent lasts; RFC 7675, 5.1 */
#define NGX_WEBRTC_SESSION_CONSENT_TIMEOUT  30000

/* of full ICE */
typedef struct {
    ngx_msec_t                   given;       /* time of the last answer */
    ngx_msec_t                   next;        /* time of the next request */
    size_t                       none;        /* always 0: what may be sent
                                                 without consent */
    ngx_uint_t                   n;           /* requests ever */
    ngx_uint_t                   open;        /* bits: not answered */
    u_char                       tids[NGX_WEBRTC_SESSION_CONSENT_TIDS]
                                     [NGX_WEBRTC_ICE_TID];
} ngx_webrtc_session_consent_t;


/* addresses that are asked at a time; chosen: those heard from last */
#define NGX_WEBRTC_SESSION_REBIND_OTHERS  8

typedef struct {
    ngx_webrtc_nice_other_t      to;
    u_char                       tid[NGX_WEBRTC_ICE_TID];
} ngx_webrtc_session_other_t;


/* for full ICE, when the address in use is silent */
typedef struct {
    ngx_msec_t                   begun;
    ngx_msec_t                   asked;       /* when others were, at first */
    ngx_msec_t                   next;        /* time of the next step */
    ngx_uint_t                   round;       /* requests before it */
    ngx_webrtc_session_other_t  *found;       /* the first that has answered */
    ngx_webrtc_session_other_t   others[NGX_WEBRTC_SESSION_REBIND_OTHERS];
    ngx_uint_t                   n;
} ngx_webrtc_session_rebind_t;


/* our outstanding binding request, see ngx_webrtc_session_path.c */
typedef struct {
    ngx_webrtc_path_t            path;
    u_char                       tid[NGX_WEBRTC_ICE_TID];
    ngx_uint_t                   sent;        /* times; 0: none is under way */
    ngx_uint_t                   nominated;   /* by USE-CANDIDATE */
    ngx_msec_t                   next;        /* time of the next one */
} ngx_webrtc_session_probe_t;


struct ngx_webrtc_session_s {
    ngx_webrtc_session_state_e   state;
    u_char                       public[NGX_WEBRTC_PUBLIC_LEN];   /* id */
    ngx_webrtc_worker_t         *wk;
    ngx_webrtc_peer_t           *peer;        /* our slot */
    ngx_webrtc_stream_t         *st;          /* held */
    ngx_queue_t                  queue;       /* of wk->sessions */

    ngx_webrtc_paths_entry_t     paths[NGX_WEBRTC_SESSION_PATHS];
    ngx_webrtc_paths_entry_t    *current;     /* where we send; NULL only with
                                                 full ICE */
    ngx_webrtc_transport_t       transport;   /* what sends */
    ngx_webrtc_session_probe_t   probe;
    ngx_webrtc_session_consent_t consent;
    ngx_webrtc_session_rebind_t *rebind;      /* NULL: all is well */
    ngx_msec_t                   checked;     /* time of the last check */
    ngx_msec_t                   heard;       /* when the last authentic packet
                                                 of media or RTCP came over the
                                                 current path */
    ngx_msec_t                   created;

    uint64_t                     tids[NGX_WEBRTC_SESSION_TIDS];
    ngx_uint_t                   ntids;       /* ever written */

    ngx_msec_t                   report;      /* time of the next report */
    ngx_msec_t                   notified;    /* when it was asked whether it
                                                 may go on */
    ngx_webrtc_rate_t            rate_in;
    ngx_webrtc_rate_t            rate_out;
    ngx_webrtc_peer_stat_t       counted;     /* part of the worker's sums */

    /* [1]: of an ICE restart that has not nominated a pair yet */
    ngx_webrtc_session_cred_t    creds[2];
    ngx_uint_t                   ncreds;

    ngx_webrtc_dtls_t            dtls;
    ngx_webrtc_srtp_out_t        out;
    ngx_webrtc_srtp_in_t         in;
    const ngx_webrtc_role_t     *role;
    void                        *part;        /* the role's, while it is UP */

    ngx_event_t                  timer;
    ngx_event_t                  close;       /* posted */
    const char                  *reason;      /* of the end */
    ngx_log_t                    log;

    unsigned                     complained:1;    /* an INFO line is written */
    unsigned                     connected:1;     /* full ICE: has a pair */
    unsigned                     paired:1;        /* full ICE: has had one */
    unsigned                     on_path:1;       /* the datagram that is being
                                                     read came over current */
    unsigned                     greeted:1;       /* DTLS has begun */
    unsigned                     moved:1;         /* before it had ended */
};


/* The session's credentials with this local ufrag, or NULL. */
ngx_webrtc_session_cred_t *ngx_webrtc_session_find_cred(
    ngx_webrtc_session_t *s, ngx_str_t *ufrag);

/* RFC 8445, 6.1.1: we control where we have offered, or the peer is lite */
#define ngx_webrtc_session_controls(s)                                        \
    ((s)->peer->role == NGX_WEBRTC_PEER_PUSH || (s)->peer->desc.remote_lite)

/* Does its peer send media? */
#define ngx_webrtc_session_receives(s)                                        \
    ((s)->part && (s)->role->rtp)

/* Has its role begun to use DTLS for data? */
#define ngx_webrtc_session_has_data(s)                                        \
    ((s)->part && (s)->role->data)

/* When was the peer last known to be there? */
ngx_msec_t ngx_webrtc_session_alive(ngx_webrtc_session_t *s);

/*
 * Ends the session soon, by a posted event: may be called from anywhere.
 *
 *   reason   static text for the log
 */
void ngx_webrtc_session_close(ngx_webrtc_session_t *s, const char *reason);

/* Sets the timer to the earliest deadline. */
void ngx_webrtc_session_schedule(ngx_webrtc_session_t *s);

/* Credentials of the slot as the ICE engine takes them; point into the slot. */
void ngx_webrtc_session_cred(ngx_webrtc_desc_t *desc,
    ngx_webrtc_ice_cred_t *cred);

/*
 * Makes a binding request to the peer with the credentials of the slot, which
 * are the peer's newest: after an ICE restart it has forgotten the old ones.
 *
 *   tid   of NGX_WEBRTC_ICE_TID bytes
 *   buf   room for NGX_WEBRTC_ICE_PROBE bytes
 *
 * Returns the number of bytes; 0 if it cannot be made.
 */
size_t ngx_webrtc_session_request(ngx_webrtc_session_t *s, const u_char *tid,
    u_char *buf);

/* NGX_OK: p, n is the authentic answer to the request with this tid. */
ngx_int_t ngx_webrtc_session_answered(ngx_webrtc_session_t *s, const u_char *p,
    size_t n, const u_char *tid);

/*
 * Protects an RTCP packet and sends it at once.
 *
 *   p     n bytes, with room for NGX_WEBRTC_SRTP_RTCP_TAG more after them
 */
void ngx_webrtc_session_send_rtcp(ngx_webrtc_session_t *s, u_char *p, size_t n);

/*
 * The peer is known to have received our last flight of DTLS: frees what the
 * handshake needed.  Does nothing for a file session.
 */
void ngx_webrtc_session_settle(ngx_webrtc_session_t *s);

/* NGX_WEBRTC_WHY_* as text. */
const char *ngx_webrtc_session_why(ngx_uint_t why);

/* Logs what the peer does wrong, one INFO line per session. */
void ngx_webrtc_session_complain(ngx_webrtc_session_t *s, const char *what);


#endif /* _NGX_WEBRTC_SESSION_H_INCLUDED_ */
