
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTSP 1.0 (RFC 2326) for a server that takes one publisher per connection,
 * whose media comes on that connection (10.12).  No sockets, no clock: bytes of
 * the client go in, bytes for it come out, and what it wants and sends is told
 * by callbacks.
 *
 *   OPTIONS         ->  what there is
 *   ANNOUNCE        ->  announce(), and nothing is read until accept(),
 *                       refuse() or again()
 *   SETUP           ->  a track and its channels
 *   RECORD          ->  record(): which tracks there are
 *   $...            ->  media(): packets of RTP and sender reports
 *   GET_PARAMETER, SET_PARAMETER   ->  it is alive
 *   TEARDOWN        ->  the end
 *
 * Nothing is served here: DESCRIBE and PLAY are refused.  UDP is for who does
 * not take TCP; a client that is known to take it afterwards gets 461.
 *
 * Of each packet the payload type becomes the one, and the SSRC the number, of
 * its track in the description of record(): who reads them, and has no
 * channels, can tell whose they are before the first one has come.
 */


#ifndef _NGX_WEBRTC_RTSP_SERVER_H_INCLUDED_
#define _NGX_WEBRTC_RTSP_SERVER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_rtsp_message.h"
#include "ngx_webrtc_rtsp_sdp.h"


/* bytes for the client that it has not read; chosen: some answers */
#define NGX_WEBRTC_RTSP_REPLIES     8192

/* bytes of a request without its body; chosen: a token of 8192 bytes in the
 * URL, and one as a header field */
#define NGX_WEBRTC_RTSP_HEAD        24576

/* of a body, whatever its owner says; chosen: what a frame may have */
#define NGX_WEBRTC_RTSP_BODY        65535

/* of a frame: '$', channel, length, and the most that this may be */
#define NGX_WEBRTC_RTSP_FRAME       4
#define NGX_WEBRTC_RTSP_FRAME_MAX   (NGX_WEBRTC_RTSP_FRAME + 65535)

/* characters of a session's name */
#define NGX_WEBRTC_RTSP_SESSION     16

/* of a challenge, all header fields; of a reason */
#define NGX_WEBRTC_RTSP_CHALLENGE   1024
#define NGX_WEBRTC_RTSP_REASON      128

/* times that one may be asked who it is; chosen: without a word, with a
 * password, with a nonce that is stale, and again */
#define NGX_WEBRTC_RTSP_ATTEMPTS    4


typedef enum {
    NGX_WEBRTC_RTSP_SERVER_NEW = 0,
    NGX_WEBRTC_RTSP_SERVER_ASKED,        /* ANNOUNCE waits for us */
    NGX_WEBRTC_RTSP_SERVER_ANNOUNCED,
    NGX_WEBRTC_RTSP_SERVER_RECORDS,
    NGX_WEBRTC_RTSP_SERVER_OVER
} ngx_webrtc_rtsp_server_state_e;


/*
 * Strings are valid during the call, and may have any bytes.
 *
 *   announce   it is to be published; accept(), refuse() or again() follows,
 *              not from within
 *   record     media follows, as this description says
 *   media      a packet of RTP, or a sender report.  NGX_OK; NGX_AGAIN: taken,
 *              and no more for now
 *   ports      a track may come by UDP, from that port of the client, and its
 *              datagrams are then given to ngx_webrtc_rtsp_server_datagram():
 *              the server's port of RTP, and RTCP's is the next one.  NGX_OK;
 *              NGX_DECLINED
 *   grow       realloc(); with a size of 0 free()
 */
typedef struct {
    void           (*announce)(void *ctx, const ngx_webrtc_rtsp_message_t *m);
    void           (*record)(void *ctx, u_char *sdp, size_t len);
    ngx_int_t      (*media)(void *ctx, u_char *p, size_t len);
    ngx_int_t      (*ports)(void *ctx, ngx_uint_t track, ngx_uint_t from,
                            in_port_t *port);
    u_char        *(*grow)(void *ctx, u_char *old, size_t size);
} ngx_webrtc_rtsp_server_ops_t;


/* out is for the caller, who sends and empties it; so is cause */
typedef struct {
    const ngx_webrtc_rtsp_server_ops_t  *ops;
    void                           *ctx;
    size_t                          max_sdp;  /* bytes of a body */
    ngx_uint_t                      timeout;  /* s, for the client to know */
    u_char                          session[NGX_WEBRTC_RTSP_SESSION];

    ngx_webrtc_rtsp_server_state_e  state;
    const char                     *cause;    /* of NGX_DECLINED */
    ngx_uint_t                      attempts;
    ngx_uint_t                      tcp;      /* unsigned  tcp:1; no UDP; may
                                                 be set by the owner */
    size_t                          ncseq;    /* of ANNOUNCE, while it waits */
    u_char                          cseq[NGX_WEBRTC_RTSP_CSEQ];

    u_char                         *buf;      /* a message that is not whole */
    size_t                          size;
    size_t                          nbuf;
    size_t                          head;     /* bytes up to its blank line,
                                                 0: it has not come */
    size_t                          line;     /* where its last line begins */
    size_t                          need;     /* of a frame, or with a body */

    u_char                         *sdp;      /* tracks are views into it */
    ngx_webrtc_rtsp_track_t         tracks[NGX_WEBRTC_RTSP_TRACKS];
    ngx_uint_t                      ntracks;

    size_t                          nout;
    u_char                          out[NGX_WEBRTC_RTSP_REPLIES];
} ngx_webrtc_rtsp_server_t;


/*
 * Begins; s is all zero but for what else its owner keeps in it, max_sdp,
 * timeout, tcp and session.
 */
void ngx_webrtc_rtsp_server_init(ngx_webrtc_rtsp_server_t *s,
    const ngx_webrtc_rtsp_server_ops_t *ops, void *ctx);

/*
 * Takes what the client has sent, whose packets may be changed in their place;
 * *p is where it has stopped.
 *
 * NGX_OK        all of it
 * NGX_AGAIN     ANNOUNCE waits for an answer, or media() took no more: call
 *               again with the rest
 * NGX_DONE      the client has ended its session, or was refused
 * NGX_DECLINED  it is no client of RTSP, or breaks a limit: s->cause
 */
ngx_int_t ngx_webrtc_rtsp_server_read(ngx_webrtc_rtsp_server_t *s, u_char **p,
    u_char *end);

/*
 * Takes a datagram of a track, of RTP or RTCP, in the order that they are to be
 * in; it may be changed in its place.
 */
void ngx_webrtc_rtsp_server_datagram(ngx_webrtc_rtsp_server_t *s,
    ngx_uint_t track, ngx_uint_t rtcp, u_char *p, size_t n);

/* Answers ANNOUNCE: media may come. */
void ngx_webrtc_rtsp_server_accept(ngx_webrtc_rtsp_server_t *s);

/* The same: it may not, and this is the end. */
void ngx_webrtc_rtsp_server_refuse(ngx_webrtc_rtsp_server_t *s,
    ngx_uint_t status, ngx_str_t *reason);

/*
 * The same: it is to say who it is, with another ANNOUNCE.
 *
 *   challenge   whole header fields, each with its end
 *
 * NGX_OK; NGX_DECLINED: it was asked often enough, and this is the end
 */
ngx_int_t ngx_webrtc_rtsp_server_again(ngx_webrtc_rtsp_server_t *s,
    ngx_str_t *challenge);

/* Frees what it has. */
void ngx_webrtc_rtsp_server_free(ngx_webrtc_rtsp_server_t *s);


#endif /* _NGX_WEBRTC_RTSP_SERVER_H_INCLUDED_ */
