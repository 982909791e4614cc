
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTMP for a server that takes one publisher per connection.  No sockets, no
 * clock: bytes of the client go in, bytes for it come out, and what it wants
 * and sends is told by callbacks.
 *
 *   C0 C1           ->  S0 S1 S2
 *   C2
 *   connect         ->  connect(); window, bandwidth, chunk size, _result
 *   releaseStream, FCPublish, createStream   ->  _result
 *   publish         ->  publish(), and nothing is read until accept()
 *                       or refuse()
 *   metadata, audio, video   ->  media()
 *   deleteStream    ->  the end
 *
 * Audio, video and metadata go on as they are, as tags of FLV: which codecs
 * there are, those of enhanced RTMP too, is for others to know.
 */


#ifndef _NGX_WEBRTC_RTMP_SERVER_H_INCLUDED_
#define _NGX_WEBRTC_RTMP_SERVER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_rtmp_chunks.h"


/* bytes of C1, S1, C2, S2; 5.2.3 */
#define NGX_WEBRTC_RTMP_HANDSHAKE     1536

/* bytes for the client that it has not read; chosen: what the handshake takes,
 * and some answers */
#define NGX_WEBRTC_RTMP_REPLIES       8192

/* bytes of a message before "publish" is accepted, of one afterwards, and of
 * all that are under way; chosen: a key frame of 8K has 4 MB */
#define NGX_WEBRTC_RTMP_COMMANDS      65536
#define NGX_WEBRTC_RTMP_MESSAGE       (8 * 1024 * 1024)
#define NGX_WEBRTC_RTMP_MEMORY        (24 * 1024 * 1024)

/* bytes of an application and of a name, with arguments; chosen: a token of
 * 8192 bytes and more */
#define NGX_WEBRTC_RTMP_APP_MAX       1024
#define NGX_WEBRTC_RTMP_KEY_MAX       12288

/* of a client's name and URL, beyond which they are cut */
#define NGX_WEBRTC_RTMP_AGENT_MAX     128

/* bytes before and behind a tag of FLV; at the beginning of a file */
#define NGX_WEBRTC_RTMP_TAG           11
#define NGX_WEBRTC_RTMP_TAG_END       4
#define NGX_WEBRTC_RTMP_FLV           13


typedef enum {
    NGX_WEBRTC_RTMP_SERVER_C0 = 0,
    NGX_WEBRTC_RTMP_SERVER_C1,
    NGX_WEBRTC_RTMP_SERVER_C2,
    NGX_WEBRTC_RTMP_SERVER_NEW,          /* "connect" comes first */
    NGX_WEBRTC_RTMP_SERVER_CONNECTED,
    NGX_WEBRTC_RTMP_SERVER_ASKED,        /* "publish" waits for us */
    NGX_WEBRTC_RTMP_SERVER_PUBLISHES,
    NGX_WEBRTC_RTMP_SERVER_OVER
} ngx_webrtc_rtmp_server_state_e;


/*
 * Strings are valid during the call, and may have any bytes.
 *
 *   connect   an application is asked for.  NGX_OK; NGX_DECLINED: there is no
 *             such one
 *   publish   a name is asked for, with arguments behind "?"; accept() or
 *             refuse() follows, not from within
 *   media     NGX_WEBRTC_RTMP_TYPE_AUDIO, _VIDEO or _DATA: an FLV tag's body;
 *             _AGGREGATE: whole tags.  NGX_OK; NGX_AGAIN: taken, and no more
 *             for now
 */
typedef struct {
    ngx_int_t              (*connect)(void *ctx, ngx_str_t *app,
                                      ngx_str_t *url, ngx_str_t *agent);
    void                   (*publish)(void *ctx, ngx_str_t *name);
    ngx_int_t              (*media)(void *ctx, ngx_uint_t type, uint32_t ms,
                                    u_char *data, size_t len);
    u_char                *(*grow)(void *ctx, u_char *old, size_t size);
} ngx_webrtc_rtmp_server_ops_t;


/* out is for the caller, who sends and empties it; so is cause */
typedef struct {
    const ngx_webrtc_rtmp_server_ops_t  *ops;
    void                           *ctx;

    ngx_webrtc_rtmp_server_state_e  state;
    const char                     *cause;    /* of NGX_DECLINED */
    ngx_uint_t                      skip;     /* bytes of the handshake seen */
    uint64_t                        received;
    uint64_t                        acked;    /* of these, as we have told */
    uint32_t                        stream;   /* that is published */
    uint32_t                        last_ms;  /* of media so far */

    ngx_webrtc_rtmp_chunks_t        chunks;

    size_t                          nout;
    u_char                          out[NGX_WEBRTC_RTMP_REPLIES];
} ngx_webrtc_rtmp_server_t;


/* Begins; s is all zero but for what else its owner keeps in it. */
void ngx_webrtc_rtmp_server_init(ngx_webrtc_rtmp_server_t *s,
    const ngx_webrtc_rtmp_server_ops_t *ops, void *ctx);

/*
 * Takes what the client has sent; *p is where it has stopped.
 *
 * NGX_OK        all of it
 * NGX_AGAIN     "publish" waits for an answer, or media() took no more: call
 *               again with the rest
 * NGX_DONE      the client has ended its stream, or was refused
 * NGX_DECLINED  it is no client of RTMP, or breaks a limit: s->cause
 */
ngx_int_t ngx_webrtc_rtmp_server_read(ngx_webrtc_rtmp_server_t *s, u_char **p,
    u_char *end);

/* Answers "publish".  reason: constant or short text for the client */
void ngx_webrtc_rtmp_server_accept(ngx_webrtc_rtmp_server_t *s);
void ngx_webrtc_rtmp_server_refuse(ngx_webrtc_rtmp_server_t *s,
    ngx_str_t *reason);

/* Tells who publishes that this is over; the connection is to be closed. */
void ngx_webrtc_rtmp_server_end(ngx_webrtc_rtmp_server_t *s,
    ngx_str_t *reason);

/* Frees what it has. */
void ngx_webrtc_rtmp_server_free(ngx_webrtc_rtmp_server_t *s);


/* Of an FLV file ("Adobe Flash Video File Format" 10.1, E.2): what it begins
 * with, and what is before and behind the body of a tag. */
void ngx_webrtc_rtmp_flv(u_char p[NGX_WEBRTC_RTMP_FLV]);
void ngx_webrtc_rtmp_tag(u_char p[NGX_WEBRTC_RTMP_TAG], ngx_uint_t type,
    uint32_t ms, size_t len);
void ngx_webrtc_rtmp_tag_end(u_char p[NGX_WEBRTC_RTMP_TAG_END], size_t len);


#endif /* _NGX_WEBRTC_RTMP_SERVER_H_INCLUDED_ */
