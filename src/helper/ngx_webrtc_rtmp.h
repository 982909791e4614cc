
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTMP ("Adobe's Real Time Messaging Protocol" 1.0) just enough to ask a
 * server whether it has a stream: a client that requests playback and looks
 * at the kinds of messages that come back.  Media is not kept; libavformat
 * does the playing.
 *
 * No sockets: bytes from the server go in, bytes for it come out.
 *
 *     S0 S1 S2   ->  C2, connect
 *     _result 1  ->  createStream
 *     _result 2  ->  play
 *
 * The section numbers in the source are those of that document.
 */


#ifndef _NGX_WEBRTC_RTMP_H_INCLUDED_
#define _NGX_WEBRTC_RTMP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of an application's and a stream's name; nginx-rtmp's limit */
#define NGX_WEBRTC_RTMP_NAME         255

/* bytes of "rtmp://host:port/application"; chosen */
#define NGX_WEBRTC_RTMP_URL          511

/* C0, C1 and C2 (5.2), or one command with both names and the URL in it */
#define NGX_WEBRTC_RTMP_OUT          (1 + 2 * 1536 + 1536)

/* bytes kept of a message; chosen: nginx-rtmp's longest answer has 200 */
#define NGX_WEBRTC_RTMP_BODY         256

/* chunk streams at a time; chosen: nginx-rtmp uses six, FMS as many */
#define NGX_WEBRTC_RTMP_CHUNKS       8

/* basic header, message header, extended timestamp, 5.3.1 */
#define NGX_WEBRTC_RTMP_HEAD         (3 + 11 + 4)


/* flags: what has been seen */
#define NGX_WEBRTC_RTMP_PLAYING      0x01   /* the server accepted "play" */
#define NGX_WEBRTC_RTMP_BEGIN        0x02   /* somebody publishes it, 7.1.7 */
#define NGX_WEBRTC_RTMP_MEDIA        0x04   /* video, sound or their metadata */


typedef enum {
    NGX_WEBRTC_RTMP_S0 = 0,
    NGX_WEBRTC_RTMP_S1,
    NGX_WEBRTC_RTMP_S2,
    NGX_WEBRTC_RTMP_CHUNK_HEAD,
    NGX_WEBRTC_RTMP_CHUNK_DATA
} ngx_webrtc_rtmp_state_e;


/* a message that arrives in chunks */
typedef struct {
    uint32_t                       csid;       /* 0: free */
    uint32_t                       length;
    uint32_t                       got;
    uint8_t                        type;
    uint8_t                        extended;   /* has an extended timestamp */
    u_char                         body[NGX_WEBRTC_RTMP_BODY];
} ngx_webrtc_rtmp_chunk_t;


/* set up by ngx_webrtc_rtmp_init(); out and seen are for the caller */
typedef struct {
    ngx_str_t                      app;
    ngx_str_t                      name;
    ngx_str_t                      url;

    ngx_webrtc_rtmp_state_e        state;
    ngx_uint_t                     asked;      /* number of the last command */
    ngx_uint_t                     seen;       /* NGX_WEBRTC_RTMP_* */

    uint32_t                       left;       /* bytes, current element */
    uint32_t                       chunk_size;
    ngx_uint_t                     nhead;
    u_char                         head[NGX_WEBRTC_RTMP_HEAD];
    ngx_webrtc_rtmp_chunk_t       *chunk;      /* that data belongs to */
    ngx_webrtc_rtmp_chunk_t        chunks[NGX_WEBRTC_RTMP_CHUNKS];

    size_t                         nout;
    u_char                         out[NGX_WEBRTC_RTMP_OUT];
} ngx_webrtc_rtmp_t;


typedef struct {
    ngx_str_t                      host;
    ngx_str_t                      base;       /* "//host:port/application" */
    ngx_str_t                      app;
    ngx_str_t                      name;
    uint16_t                       port;
} ngx_webrtc_rtmp_url_t;


/*
 * Begins a session: puts C0 and C1 into out.
 *
 *   app, name   of the stream, at most NGX_WEBRTC_RTMP_NAME bytes each
 *   url         without the stream's name, at most NGX_WEBRTC_RTMP_URL bytes;
 *               all three are not copied
 */
void ngx_webrtc_rtmp_init(ngx_webrtc_rtmp_t *r, ngx_str_t *app,
    ngx_str_t *name, ngx_str_t *url);

/*
 * Takes what the server has sent.  Bytes to send are appended to out, which
 * the caller empties: if it is empty at each call, it has room for anything
 * the client ever sends.
 *
 * NGX_OK        all consumed; see r->seen
 * NGX_DECLINED  refused, or not RTMP: the connection is unusable
 */
ngx_int_t ngx_webrtc_rtmp_read(ngx_webrtc_rtmp_t *r, u_char *p, u_char *end);


/*
 * Splits "//host:port/application/stream" as libavformat does: the
 * application is the first segment of the path, or the first two of three; a
 * trailing ".flv" is not part of the stream's name.
 *
 *   p, last   text after "rtmp:"
 *   url       all fields set, pointing into the text: the host without the
 *             brackets of an IPv6 address; port 1935 if none is given
 *
 * NGX_OK
 * NGX_DECLINED   something is missing or too long, there is user information,
 *                or it names a recording, which we do not ask for
 */
ngx_int_t ngx_webrtc_rtmp_url(u_char *p, u_char *last,
    ngx_webrtc_rtmp_url_t *url);


#endif /* _NGX_WEBRTC_RTMP_H_INCLUDED_ */
