
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What viewers and publishers of the load tools have in common: HTTP (POST,
 * DELETE), ICE checks, DTLS and the keys of SRTP, on one epoll instance.
 *
 * A client_t is the first member of what a role is made of; the role has its
 * functions in a client_role_t and reads its UDP socket itself.
 */


#ifndef _CLIENT_H_INCLUDED_
#define _CLIENT_H_INCLUDED_


#include "bench.h"

#include <netinet/in.h>

#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_dtls.h>
#include <ngx_webrtc_framing.h>
#include <ngx_webrtc_srtp.h>


#define CLIENT_HTTP     8192              /* bytes of a message */
#define CLIENT_MS       1000000ull        /* ns */
#define CLIENT_CONSENT  5                 /* seconds: RFC 7675, 5.1 */


#define CLIENT_PART     4096              /* the longest frame, and its length */


typedef enum {
    CLIENT_IDLE = 0,
    CLIENT_POSTING,                       /* TCP */
    CLIENT_CHECKING,                      /* ICE */
    CLIENT_HANDSHAKING,                   /* DTLS */
    CLIENT_STARTING,                      /* keys are there; the role's */
    CLIENT_RUNNING,                       /* the role's */
    CLIENT_DELETING,
    CLIENT_FAILED,
    CLIENT_GONE                           /* DELETE was answered */
} client_state_t;


typedef struct client_s  client_t;

typedef struct {
    /* m-lines behind the session part; returns bytes */
    size_t    (*offer)(client_t *c, char *p, size_t n);

    /* the answer is there; may be NULL */
    void      (*answered)(client_t *c, const char *sdp);

    /* options of the UDP socket */
    void      (*socket)(client_t *c);

    /* UDP can be read; client_input() takes STUN and DTLS */
    void      (*read)(client_t *c);

    /* what has come over ICE-TCP: one datagram */
    void      (*datagram)(client_t *c, u_char *p, size_t n);

    /* keys are there: state is STARTING */
    void      (*up)(client_t *c);

    /* state is FAILED or GONE, nothing is open any more */
    void      (*ended)(client_t *c);
} client_role_t;


/* what epoll returns */
typedef struct {
    client_t               *c;
    int                     tcp;
} client_tag_t;


struct client_s {
    const client_role_t    *role;
    size_t                  id;
    client_state_t          state;
    const char             *error;
    int                     fd;           /* UDP or ICE-TCP, -1 */
    ngx_webrtc_framing_t    framing;      /* of ICE-TCP */
    u_char                 *part;         /* of a frame, CLIENT_PART */
    size_t                  npart;
    int                     tcp;          /* HTTP, -1 */
    client_tag_t            tags[2];
    char                    path[600];

    uint64_t                due;          /* ns, of the next check */
    uint64_t                deadline;

    uint64_t                posted;       /* ns */
    uint64_t                secured_ns;
    double                  answered, checked, secured;        /* ms */

    char                    ufrag[9], pwd[33], rufrag[64], rpwd[256];
    char                    location[768];
    int                     active;       /* the server begins DTLS */
    struct sockaddr_in      remote;
    u_char                  fp[32];

    char                   *http;         /* CLIENT_HTTP, while there is TCP */
    size_t                  http_n, http_pos;

    unsigned                dtls_up:1;
    ngx_webrtc_dtls_t       dtls;
    ngx_webrtc_srtp_in_t    in;
    ngx_webrtc_srtp_out_t   out;
};


/* of all clients of the process; set before client_conf_init() */
typedef struct {
    const char             *url;
    const char             *profile;      /* gcm, sha1_80 */
    const char             *setup;        /* of offers: actpass, ... */
    double                  timeout;      /* s, until it is up */
    int                     port;         /* of a relay, instead of the
                                             candidate's; or 0 */
    int                     framed;       /* over ICE-TCP */
    uint64_t                stall;        /* ns: until then ICE-TCP is not read
                                             */
    int                     unchecked;    /* no checks from the handshake on */
    unsigned                consent;      /* seconds between checks */
    int                     half;         /* DELETEs when the server has
                                             answered its ClientHello */

    /* out */
    char                    host[128], path[512];
    struct sockaddr_in      addr;
    int                     ep;
    ngx_webrtc_dtls_conf_t *dtls;
    char                    fingerprint[NGX_WEBRTC_CERTIFICATES_FINGERPRINT + 1];

    size_t                  active_http;
    uint64_t                handshakes;
    uint64_t                failures;
} client_conf_t;

extern client_conf_t  client_conf;


/* parses the URL, makes certificate and epoll; exits when it cannot */
void client_conf_init(void);

void client_init(client_t *c, const client_role_t *role, size_t id);

/* c->path is set */
void client_post(client_t *c);
void client_delete(client_t *c);

/*
 * A datagram that is neither RTP nor RTCP; p[0] < 128.  Afterwards fd may be
 * -1.
 */
void client_input(client_t *c, u_char *p, size_t n);

/* to be called every 20 ms or so until it is RUNNING */
void client_timer(client_t *c, uint64_t now);

/* sends a datagram, framed over ICE-TCP */
void client_send(client_t *c, const u_char *p, size_t n);

/* RFC 7675: every few seconds */
void client_check(client_t *c);

void client_fail(client_t *c, const char *error);

/* frees what it has; says nothing to the server */
void client_close(client_t *c);

void client_set_state(client_t *c, client_state_t state);

const char *client_state(const client_t *c);

double client_since_ms(const client_t *c);

/* waits up to ns (0: not at all) for events and handles them */
void client_turn(uint64_t ns);


#endif /* _CLIENT_H_INCLUDED_ */
