
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a session is for.  There is one constant row per role, in that role's
 * own file; the module gives the rows to the worker, and sessions and the
 * router call their functions without knowing which role it is.  Roles include
 * the headers of sessions, never the other way round, and are independent of
 * each other.
 *
 * init, done, start and stop are needed, and rtp where the peer sends media;
 * another function is NULL if the role has no use for it.
 */


#ifndef _NGX_WEBRTC_ROLE_H_INCLUDED_
#define _NGX_WEBRTC_ROLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_sums.h"
#include "ngx_webrtc_rtcp.h"
#include "ngx_webrtc_rtp.h"


typedef struct ngx_webrtc_worker_s   ngx_webrtc_worker_t;
typedef struct ngx_webrtc_session_s  ngx_webrtc_session_t;


/* what the session derives keys for once DTLS is connected */
typedef enum {
    NGX_WEBRTC_ROLE_NO_MEDIA = 0,        /* no SRTP, data over DTLS */
    NGX_WEBRTC_ROLE_SENDS,               /* RTP to the peer, RTCP from it */
    NGX_WEBRTC_ROLE_RECEIVES             /* RTP from the peer, RTCP to it */
} ngx_webrtc_role_media_e;


typedef struct {
    const char                  *name;        /* for the log */
    ngx_uint_t                   id;          /* NGX_WEBRTC_PEER_* */
    ngx_webrtc_role_media_e      media;
    unsigned                     stream:1;    /* s->st is held, and not NULL */

    /* of a worker */

    /*
     * The worker begins.
     *
     *   conf   of ngx_webrtc_role_conf_t
     *
     * Returns the role's state in this worker, ended with done(); NULL after
     * logging.
     */
    void                      *(*init)(ngx_webrtc_worker_t *wk, void *conf);

    /* All sessions have ended. */
    void                       (*done)(void *state);

    /* Housekeeping, every NGX_WEBRTC_WORKER_TICK ms. */
    void                       (*tick)(void *state);

    /* A batch of datagrams has been read. */
    void                       (*batch)(void *state);

    /* A stream has packets or other tracks. */
    void                       (*news)(void *state, ngx_webrtc_stream_t *st);

    /* A port that was full takes data again. */
    void                       (*writable)(void *state);

    /* of a session */

    /*
     * The session is UP: creates s->part, or closes the session if it cannot.
     */
    void                       (*start)(ngx_webrtc_session_t *s);

    /* The session ends: frees s->part, which may be NULL. */
    void                       (*stop)(ngx_webrtc_session_t *s);

    /*
     * An authentic RTP packet from the peer of a session that is UP.
     *
     *   n   its bytes, without SRTP's
     */
    void                       (*rtp)(ngx_webrtc_session_t *s,
                                   ngx_webrtc_rtp_t *rtp, size_t n);

    /* One packet of an authentic RTCP datagram. */
    void                       (*rtcp)(ngx_webrtc_session_t *s,
                                   const ngx_webrtc_rtcp_t *rtcp);

    /* The application data of one DTLS record, which may come too early. */
    void                       (*data)(ngx_webrtc_session_t *s, u_char *p,
                                   size_t n);

    /* Its slot was changed by somebody else, while the session is UP. */
    void                       (*changed)(ngx_webrtc_session_t *s);

    /* Once a second while the session is UP. */
    void                       (*second)(ngx_webrtc_session_t *s);

    /*
     * Viewers of a stream, s->st or one of its layers, want a key frame from
     * its publisher.
     * ngx_webrtc_bus_keyframe_done() follows.
     */
    void                       (*keyframe)(ngx_webrtc_session_t *s,
                                   ngx_webrtc_stream_t *st);
} ngx_webrtc_role_t;


/* a role of this worker, as given by the module */
typedef struct {
    const ngx_webrtc_role_t     *role;        /* NULL: the end of the list */
    void                        *conf;        /* of the role's init() */
} ngx_webrtc_role_conf_t;


/* the same, as the worker keeps it */
typedef struct {
    const ngx_webrtc_role_t     *role;        /* NULL: there is none */
    void                        *state;
} ngx_webrtc_role_slot_t;


#endif /* _NGX_WEBRTC_ROLE_H_INCLUDED_ */
