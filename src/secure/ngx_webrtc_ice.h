
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ICE-lite: answers connectivity checks (STUN binding requests).  Keeps no
 * state per session; what a check means for a session (claim, nomination,
 * liveness) is decided by the caller.  Full ICE is not here.
 *
 * RFC 8445 (ICE), RFC 8489 (STUN); the STUN library of libnice does the
 * messages and their integrity.
 */


#ifndef _NGX_WEBRTC_ICE_H_INCLUDED_
#define _NGX_WEBRTC_ICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a reply at most; chosen: 20 header, 24 XOR-MAPPED-ADDRESS of IPv6,
 * 24 integrity, 8 fingerprint make 76; an error reply lists attributes */
#define NGX_WEBRTC_ICE_REPLY       256

/* bytes of a message at most; chosen: USERNAME of 513 bytes (RFC 8445, 5.3:
 * two ufrags of 256) and as much again for what a client may add */
#define NGX_WEBRTC_ICE_MESSAGE     1280

/* attributes of a message at most; chosen: clients send about 8 */
#define NGX_WEBRTC_ICE_ATTRS       32

/* ngx_webrtc_ice_result_t.error; RFC 8445, 16.2; RFC 8489, 14.8 */
#define NGX_WEBRTC_ICE_UNKNOWN_ATTRIBUTE  420
#define NGX_WEBRTC_ICE_ROLE_CONFLICT      487


typedef enum {
    NGX_WEBRTC_ICE_NONE = 0,             /* not a STUN binding message */
    NGX_WEBRTC_ICE_REQUEST,
    NGX_WEBRTC_ICE_INDICATION,           /* keepalive: unauthenticated, drop */
    NGX_WEBRTC_ICE_RESPONSE,             /* we have sent no request: drop */
    NGX_WEBRTC_ICE_ERROR
} ngx_webrtc_ice_class_e;


/* one per worker, about 13 kB, see ngx_webrtc_ice_create() */
typedef struct ngx_webrtc_ice_agent_s  ngx_webrtc_ice_agent_t;


typedef struct {
    ngx_str_t   local_ufrag;             /* as in our answer */
    ngx_str_t   local_pwd;
    ngx_str_t   remote_ufrag;            /* as in the offer */
} ngx_webrtc_ice_cred_t;


typedef struct {
    uint32_t    priority;                /* PRIORITY, 0 if absent */
    ngx_uint_t  error;                   /* 0, or the code of the reply */
    unsigned    use_candidate:1;         /* RFC 8445, 7.3.1.5: nominated */
    unsigned    controlling:1;           /* ICE-CONTROLLING was present */
} ngx_webrtc_ice_result_t;


/*
 * Creates the STUN agent of a worker.  It lives as long as the pool and needs
 * no cleanup.  Not to be shared between threads.
 *
 * Returns NULL if there is no memory.
 */
ngx_webrtc_ice_agent_t *ngx_webrtc_ice_create(ngx_pool_t *pool);

/*
 * RFC 8489, 5.  Tells what a datagram is, by its header alone.
 *
 *   p, n    whole datagram; n in bytes, may be 0
 */
ngx_webrtc_ice_class_e ngx_webrtc_ice_class(const u_char *p, size_t n);

/*
 * Finds the user name of a binding request before anything is computed: the
 * session is looked up by it.  What it returns is unverified.
 *
 *   p, n           whole datagram, n in bytes; not modified
 *   local_ufrag    out: part before the colon (ours), a view into p, 1 .. 256
 *                  bytes, any bytes
 *   remote_ufrag   out: part behind the colon (the peer's), likewise
 *
 * NGX_OK        a well-formed binding request with exactly one user name and
 *               MESSAGE-INTEGRITY
 * NGX_DECLINED  anything else: drop it in silence
 */
ngx_int_t ngx_webrtc_ice_username(const u_char *p, size_t n,
    ngx_str_t *local_ufrag, ngx_str_t *remote_ufrag);

/*
 * RFC 8445, 7.3.  Verifies a connectivity check and makes the reply.  We are a
 * lite agent and so always controlled (RFC 8445, 6.1.1): a peer that claims to
 * be controlled too gets 487 and has to switch, no tie-breaker is needed.
 * Requests without PRIORITY, ICE-CONTROLLING or FINGERPRINT are accepted, a
 * wrong FINGERPRINT is not.
 *
 *   p, n       whole datagram, n in bytes; not modified
 *   cred       of the session; all three must match
 *   from       sender of the datagram, AF_INET or AF_INET6 (v4-mapped ones
 *              are reported as IPv4), goes into XOR-MAPPED-ADDRESS
 *   reply      room for NGX_WEBRTC_ICE_REPLY bytes, must not overlap p
 *   reply_n    out: bytes in reply, to be sent to `from`; 0 = send nothing
 *   result     out: valid only with NGX_OK, but for result->error
 *
 * NGX_OK        verified, reply is the success response; the address may be
 *               used for the session
 * NGX_DECLINED  not verified (*reply_n == 0: drop in silence, nothing about
 *               the message may be believed), or verified but refused
 *               (*reply_n > 0, result->error tells why: send the reply, change
 *               nothing else)
 * NGX_ERROR     verified but no reply could be made; *reply_n == 0
 */
ngx_int_t ngx_webrtc_ice_input(ngx_webrtc_ice_agent_t *agent,
    const ngx_webrtc_ice_cred_t *cred, const u_char *p, size_t n,
    const struct sockaddr *from, u_char *reply, size_t *reply_n,
    ngx_webrtc_ice_result_t *result);


#endif /* _NGX_WEBRTC_ICE_H_INCLUDED_ */
