
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The chunk layer of RTMP ("Adobe's Real Time Messaging Protocol" 1.0, section
 * 5): messages of what a client sends, in pieces of any size.
 *
 * What a peer makes us hold is bounded: messages of so many bytes, in so many
 * chunk streams, with so much memory for all of them, which follows what has
 * come and not what was announced.
 */


#ifndef _NGX_WEBRTC_RTMP_CHUNKS_H_INCLUDED_
#define _NGX_WEBRTC_RTMP_CHUNKS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* chunk streams; chosen: encoders use three to five */
#define NGX_WEBRTC_RTMP_CSIDS         16

/* bytes: basic header, message header, extended timestamp; 5.3.1 */
#define NGX_WEBRTC_RTMP_CHUNK_HEADER  (3 + 11 + 4)

/* bytes of a chunk until its sender says otherwise, and at most; 5.4.1 */
#define NGX_WEBRTC_RTMP_CHUNK_FIRST   128
#define NGX_WEBRTC_RTMP_CHUNK_MOST    0xffffff

/* types of messages; 5.4, 7.1 */
#define NGX_WEBRTC_RTMP_TYPE_CHUNK      1
#define NGX_WEBRTC_RTMP_TYPE_ABORT      2
#define NGX_WEBRTC_RTMP_TYPE_ACK        3
#define NGX_WEBRTC_RTMP_TYPE_CONTROL    4
#define NGX_WEBRTC_RTMP_TYPE_WINDOW     5
#define NGX_WEBRTC_RTMP_TYPE_BANDWIDTH  6
#define NGX_WEBRTC_RTMP_TYPE_AUDIO      8
#define NGX_WEBRTC_RTMP_TYPE_VIDEO      9
#define NGX_WEBRTC_RTMP_TYPE_DATA3      15
#define NGX_WEBRTC_RTMP_TYPE_COMMAND3   17
#define NGX_WEBRTC_RTMP_TYPE_DATA       18
#define NGX_WEBRTC_RTMP_TYPE_COMMAND    20
#define NGX_WEBRTC_RTMP_TYPE_AGGREGATE  22


/* data is valid during the call */
typedef struct {
    uint8_t                  type;            /* NGX_WEBRTC_RTMP_TYPE_* */
    uint32_t                 timestamp;       /* ms, wraps */
    uint32_t                 stream;
    u_char                  *data;
    size_t                   len;
} ngx_webrtc_rtmp_message_t;


typedef struct {
    uint32_t                 csid;            /* 0: free */
    uint32_t                 timestamp;       /* of the last message */
    uint32_t                 delta;           /* for the next, where it has none
                                                 of its own */
    uint32_t                 field;           /* of its header, as it was */
    uint32_t                 length;
    uint32_t                 stream;
    uint8_t                  type;
    uint32_t                 got;             /* bytes of body; 0: between two
                                                 messages */
    u_char                  *body;
    size_t                   size;            /* allocated */
} ngx_webrtc_rtmp_csid_t;


/*
 * Set by the caller before the first read, with the rest 0.
 *
 *   grow      memory of another size, with what fits of the old one's contents;
 *             old may be NULL; size 0 frees.  NULL: there is none
 *   message   a message is whole.  NGX_OK: go on; anything else: reading stops
 *             behind it, and returns that
 *   most      bytes of a message, may be changed
 *   memory    bytes for all that are under way
 */
typedef struct {
    u_char                *(*grow)(void *ctx, u_char *old, size_t size);
    ngx_int_t              (*message)(void *ctx,
                                      ngx_webrtc_rtmp_message_t *m);
    void                    *ctx;
    size_t                   most;
    size_t                   memory;

    const char              *cause;           /* of NGX_DECLINED */
    uint32_t                 chunk;           /* bytes of the peer's; 0: it has
                                                 not said */
    uint32_t                 window;          /* that it wants to be told of; 0:
                                                 it has not said */
    size_t                   held;            /* of memory */

    ngx_uint_t               nhead;           /* of the header under way */
    u_char                   head[NGX_WEBRTC_RTMP_CHUNK_HEADER];
    ngx_webrtc_rtmp_csid_t  *current;         /* whose data is next; or NULL */
    uint32_t                 left;            /* of the chunk */
    ngx_webrtc_rtmp_csid_t   csids[NGX_WEBRTC_RTMP_CSIDS];
} ngx_webrtc_rtmp_chunks_t;


/*
 * Reads what has come; *p is where it has stopped.
 *
 * NGX_OK        all of it
 * NGX_DECLINED  it is not RTMP, or too large: the connection is unusable
 * what message() has returned
 */
ngx_int_t ngx_webrtc_rtmp_chunks_read(ngx_webrtc_rtmp_chunks_t *ch, u_char **p,
    u_char *end);

/* Frees what is under way. */
void ngx_webrtc_rtmp_chunks_free(ngx_webrtc_rtmp_chunks_t *ch);

/*
 * Writes a message of at most NGX_WEBRTC_RTMP_CHUNK_FIRST bytes, or as many as
 * we have said, as one chunk with a full header.  NULL: it does not fit.
 *
 *   csid   2 to 63
 */
u_char *ngx_webrtc_rtmp_chunks_write(u_char *p, u_char *end, ngx_uint_t csid,
    ngx_uint_t type, uint32_t stream, u_char *body, size_t n);


#endif /* _NGX_WEBRTC_RTMP_CHUNKS_H_INCLUDED_ */
