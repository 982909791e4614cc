
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The SRT port: its options, who may come in, and a thread that accepts.
 *
 *   handshake --> callback: streamid --> libsrt: encryption --> accepted
 *                    \-> refused            \-> refused
 *
 * The callback runs in libsrt's thread that reads the port, so it asks nobody:
 * what nginx thinks of a caller is known when it has been accepted, and one
 * that is refused is closed.  What libsrt refuses after the callback it tells
 * nobody; so they are noted, and looked for.
 */


#include "ngx_webrtc_gateway_listen.h"
#include "ngx_webrtc_gateway_caller.h"
#include "ngx_webrtc_time.h"

#include <srt/access_control.h>


/* connections that wait to be accepted; chosen */
#define NGX_WEBRTC_GATEWAY_BACKLOG   64

/* bytes that a caller's packets may take: those of one second at 16 Mbit/s, and
 * of its latency at 50 Mbit/s; chosen.  Packets that may be on their way */
#define NGX_WEBRTC_GATEWAY_BUFFER    (2 * 1024 * 1024)
#define NGX_WEBRTC_GATEWAY_PER_MS    6250
#define NGX_WEBRTC_GATEWAY_FLIGHT    65536

/* callers that nginx has not answered yet: of one address, of all; chosen: what
 * is behind one address and comes back at once */
#define NGX_WEBRTC_GATEWAY_ASKED     32
#define NGX_WEBRTC_GATEWAY_ASKED_ALL 512

/* us until a handshake is looked for, and until it is forgotten */
#define NGX_WEBRTC_GATEWAY_LOOK_US   300000
#define NGX_WEBRTC_GATEWAY_LOST_US   10000000


static ngx_int_t ngx_webrtc_gateway_listen_set(ngx_webrtc_gateway_t *gw,
    SRTSOCKET s);
static int ngx_webrtc_gateway_listen_callback(void *data, SRTSOCKET s,
    int version, const struct sockaddr *sa, const char *streamid);
static const char *ngx_webrtc_gateway_listen_admit(ngx_webrtc_gateway_t *gw,
    SRTSOCKET s, ngx_webrtc_addr_t *addr);
static ngx_int_t ngx_webrtc_gateway_listen_as(ngx_webrtc_srt_config_t *config,
    SRTSOCKET s);
static int ngx_webrtc_gateway_listen_refuse(ngx_webrtc_gateway_t *gw,
    SRTSOCKET s, ngx_webrtc_addr_t *addr, int reason, const char *cause);
static void *ngx_webrtc_gateway_listen_accept(void *data);
static void ngx_webrtc_gateway_listen_shaken(ngx_webrtc_gateway_t *gw,
    SRTSOCKET s);
static void ngx_webrtc_gateway_listen_addr(ngx_webrtc_addr_t *addr,
    const struct sockaddr *sa);


ngx_int_t
ngx_webrtc_gateway_listen(ngx_webrtc_gateway_t *gw)
{
    int         err;
    SRTSOCKET   s;

    err = 0;
    s = srt_create_socket();

    if (s == SRT_INVALID_SOCK) {
        goto failed;
    }

    if (ngx_webrtc_gateway_listen_set(gw, s) != NGX_OK
        || srt_bind(s, &gw->addr.u.sa, gw->addr.len) == SRT_ERROR
        || srt_listen_callback(s, ngx_webrtc_gateway_listen_callback, gw)
           == SRT_ERROR
        || srt_listen(s, NGX_WEBRTC_GATEWAY_BACKLOG) == SRT_ERROR)
    {
        goto failed;
    }

    gw->listener = s;

    if (pthread_create(&gw->accepts, NULL, ngx_webrtc_gateway_listen_accept, gw)
        != 0)
    {
        gw->listener = SRT_INVALID_SOCK;
        goto failed;
    }

    if (gw->failed) {
        gw->failed = 0;
        ngx_webrtc_gateway_say(gw, NGX_WEBRTC_SRT_LOG_NOTICE, NULL,
                               "the port is open", NULL);
    }

    return NGX_OK;

failed:

    if (!gw->failed) {
        gw->failed = 1;
        (void) srt_getlasterror(&err);
        ngx_webrtc_gateway_say(gw, NGX_WEBRTC_SRT_LOG_ERROR, NULL,
                               "the port cannot be opened, and is tried again "
                               "every second: ",
                               err ? strerror(err) : srt_getlasterror_str());
    }

    if (s != SRT_INVALID_SOCK) {
        (void) srt_close(s);
    }

    return NGX_ERROR;
}


/*
 * What callers' sockets begin with.  By default another process, of any user,
 * may bind the same port, and gets datagrams of this one.
 */

static ngx_int_t
ngx_webrtc_gateway_listen_set(ngx_webrtc_gateway_t *gw, SRTSOCKET s)
{
    int  n, no;

    n = 1;
    no = 0;

    if (gw->addr.u.sa.sa_family == AF_INET6
        && srt_setsockflag(s, SRTO_IPV6ONLY, &n, sizeof(int)) == SRT_ERROR)
    {
        return NGX_ERROR;
    }

    n = NGX_WEBRTC_GATEWAY_FLIGHT;

    return (srt_setsockflag(s, SRTO_REUSEADDR, &no, sizeof(int)) == SRT_ERROR
            || srt_setsockflag(s, SRTO_FC, &n, sizeof(int)) == SRT_ERROR)
           ? NGX_ERROR : NGX_OK;
}


void
ngx_webrtc_gateway_unlisten(ngx_webrtc_gateway_t *gw)
{
    if (gw->listener == SRT_INVALID_SOCK) {
        return;
    }

    (void) srt_close(gw->listener);
    (void) pthread_join(gw->accepts, NULL);

    gw->listener = SRT_INVALID_SOCK;
}


static int
ngx_webrtc_gateway_listen_callback(void *data, SRTSOCKET s, int version,
    const struct sockaddr *sa, const char *streamid)
{
    ngx_webrtc_gateway_t *gw = data;

    const char               *cause;
    ngx_str_t                 id;
    ngx_webrtc_addr_t         addr;
    ngx_webrtc_srt_request_t  request;

    ngx_webrtc_gateway_listen_addr(&addr, sa);

    id.data = (u_char *) streamid;
    id.len = (version >= 5 && streamid) ? ngx_strlen(streamid) : 0;

    if (ngx_webrtc_srt_streamid(&id, &request) != NGX_OK) {
        return ngx_webrtc_gateway_listen_refuse(gw, s, &addr,
                        (request.refusal == NGX_WEBRTC_SRT_MODE)
                        ? SRT_REJX_BAD_MODE : SRT_REJX_BAD_REQUEST,
                        request.cause);
    }

    cause = ngx_webrtc_gateway_listen_admit(gw, s, &addr);

    if (cause) {
        return ngx_webrtc_gateway_listen_refuse(gw, s, &addr,
                                                SRT_REJX_OVERLOAD, cause);
    }

    return 0;
}


/* NULL: it may go on */

static const char *
ngx_webrtc_gateway_listen_admit(ngx_webrtc_gateway_t *gw, SRTSOCKET s,
    ngx_webrtc_addr_t *addr)
{
    ngx_uint_t                     i, asked, same;
    const char                    *cause;
    ngx_webrtc_gateway_shaking_t  *sh;

    cause = NULL;

    (void) pthread_mutex_lock(&gw->mutex);

    asked = ngx_webrtc_gateway_caller_asked(gw, addr, &same);

    if (gw->gone) {
        cause = "nobody listens any more";

    } else if (gw->ncallers >= NGX_WEBRTC_GATEWAY_CALLERS
               || asked >= NGX_WEBRTC_GATEWAY_ASKED_ALL)
    {
        cause = "there are too many";

    } else if (same >= NGX_WEBRTC_GATEWAY_ASKED) {
        cause = "there are too many of its address that wait";

    } else if (ngx_webrtc_gateway_listen_as(&gw->config, s) != NGX_OK) {
        cause = "libsrt has failed";
    }

    if (cause) {
        (void) pthread_mutex_unlock(&gw->mutex);
        return cause;
    }

    /* whose handshakes fail must keep nobody out: the oldest is forgotten */

    if (gw->nshaking == NGX_WEBRTC_GATEWAY_SHAKING) {
        for (i = 1; i < gw->nshaking; i++) {
            gw->shaking[i - 1] = gw->shaking[i];
        }

        gw->nshaking--;
    }

    sh = &gw->shaking[gw->nshaking++];
    sh->socket = s;
    sh->since_us = ngx_webrtc_time_now();
    sh->addr = *addr;

    (void) pthread_mutex_unlock(&gw->mutex);

    ngx_webrtc_gateway_wake(gw);

    return NULL;
}


/* as configured now: the port is opened once, and configured anew at reloads */

static ngx_int_t
ngx_webrtc_gateway_listen_as(ngx_webrtc_srt_config_t *config, SRTSOCKET s)
{
    int  n;

    /* a caller that waits for nginx must not hold more than its share */

    n = NGX_WEBRTC_GATEWAY_BUFFER
        + NGX_WEBRTC_GATEWAY_PER_MS * (int) config->latency_ms;

    if (srt_setsockflag(s, SRTO_RCVBUF, &n, sizeof(int)) == SRT_ERROR) {
        return NGX_ERROR;
    }

    n = (int) config->latency_ms;

    if (srt_setsockflag(s, SRTO_RCVLATENCY, &n, sizeof(int)) == SRT_ERROR) {
        return NGX_ERROR;
    }

    if (config->passphrase_len
        && srt_setsockflag(s, SRTO_PASSPHRASE, config->passphrase,
                           (int) config->passphrase_len)
           == SRT_ERROR)
    {
        return NGX_ERROR;
    }

    n = config->pbkeylen;

    return (n && srt_setsockflag(s, SRTO_PBKEYLEN, &n, sizeof(int))
                 == SRT_ERROR)
           ? NGX_ERROR : NGX_OK;
}


static int
ngx_webrtc_gateway_listen_refuse(ngx_webrtc_gateway_t *gw, SRTSOCKET s,
    ngx_webrtc_addr_t *addr, int reason, const char *cause)
{
    ngx_webrtc_gateway_say(gw, NGX_WEBRTC_SRT_LOG_INFO, addr, "refused: ",
                           cause);

    (void) srt_setrejectreason(s, reason);

    return -1;
}


static void *
ngx_webrtc_gateway_listen_accept(void *data)
{
    ngx_webrtc_gateway_t *gw = data;

    int                      len;
    SRTSOCKET                s, listener;
    ngx_webrtc_addr_t        addr;
    struct sockaddr_storage  sa;

    listener = gw->listener;

    for ( ;; ) {
        len = sizeof(sa);
        s = srt_accept(listener, (struct sockaddr *) &sa, &len);

        if (s != SRT_INVALID_SOCK) {
            ngx_webrtc_gateway_listen_shaken(gw, s);
            ngx_webrtc_gateway_listen_addr(&addr, (struct sockaddr *) &sa);
            ngx_webrtc_gateway_caller(gw, s, &addr);
            continue;
        }

        if (srt_getsockstate(listener) != SRTS_LISTENING) {
            return NULL;
        }

        /* it is gone already, or there is no memory for it */

        (void) usleep(1000);
    }
}


static void
ngx_webrtc_gateway_listen_shaken(ngx_webrtc_gateway_t *gw, SRTSOCKET s)
{
    ngx_uint_t  i;

    (void) pthread_mutex_lock(&gw->mutex);

    for (i = 0; i < gw->nshaking; i++) {
        if (gw->shaking[i].socket == s) {
            gw->nshaking--;

            for ( /* void */ ; i < gw->nshaking; i++) {
                gw->shaking[i] = gw->shaking[i + 1];
            }

            break;
        }
    }

    (void) pthread_mutex_unlock(&gw->mutex);
}


void
ngx_webrtc_gateway_refused(ngx_webrtc_gateway_t *gw, uint64_t now_us)
{
    int                           reason;
    uint64_t                      age_us;
    ngx_uint_t                    i;
    SRT_SOCKSTATUS                state;
    ngx_webrtc_gateway_shaking_t  sh;

    for (i = 0; /* void */ ; i++) {

        (void) pthread_mutex_lock(&gw->mutex);

        if (i >= gw->nshaking) {
            (void) pthread_mutex_unlock(&gw->mutex);
            return;
        }

        sh = gw->shaking[i];

        (void) pthread_mutex_unlock(&gw->mutex);

        age_us = (now_us > sh.since_us) ? now_us - sh.since_us : 0;

        if (age_us < NGX_WEBRTC_GATEWAY_LOOK_US) {
            continue;
        }

        state = srt_getsockstate(sh.socket);

        if (state != SRTS_BROKEN && state != SRTS_CLOSING
            && state != SRTS_CLOSED && state != SRTS_NONEXIST
            && age_us < NGX_WEBRTC_GATEWAY_LOST_US)
        {
            continue;
        }

        reason = srt_getrejectreason(sh.socket);

        ngx_webrtc_gateway_say(gw, NGX_WEBRTC_SRT_LOG_INFO, &sh.addr,
                               "refused: ",
                               (reason > SRT_REJ_UNKNOWN)
                               ? srt_rejectreason_str(reason)
                               : "its passphrase is wrong, or it is encrypted "
                                 "where nothing is, or the other way round");

        ngx_webrtc_gateway_listen_shaken(gw, sh.socket);
        i--;
    }
}


static void
ngx_webrtc_gateway_listen_addr(ngx_webrtc_addr_t *addr,
    const struct sockaddr *sa)
{
    (void) ngx_webrtc_addr_set(addr, (struct sockaddr *) sa,
                               (sa->sa_family == AF_INET6)
                               ? sizeof(struct sockaddr_in6)
                               : sizeof(struct sockaddr_in));
}
