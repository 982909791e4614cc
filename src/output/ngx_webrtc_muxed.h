
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_ts", "webrtc_mp4": a stream in a container, without end, for any
 * number of clients of HTTP.
 *
 *   - One job of the media process writes it for all clients that this worker
 *     has; workers do not share one.  It begins with the first client, and ends
 *     a moment after the last.
 *   - What it has made comes in pieces, which clients share.  They are kept for
 *     a while: a client begins with the newest that begins with a key frame
 *     (behind the head, where there is one), and goes from piece to piece at
 *     its own pace.  If that is old, and another key frame can be asked for, it
 *     waits for that a moment.
 *   - A client whose next piece is gone goes on at the newest key frame.
 *   - It ends when the stream is gone for longer than viewers are kept for its
 *     publisher, or has other tracks than the container was told of; MP4 also
 *     when pictures change their size.
 */


#ifndef _NGX_WEBRTC_MUXED_H_INCLUDED_
#define _NGX_WEBRTC_MUXED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus.h"


typedef struct ngx_webrtc_muxed_s  ngx_webrtc_muxed_t;


/* a piece; counted, freed with the last of who has it */
typedef struct {
    ngx_uint_t            refs;
    ngx_msec_t            at;         /* when it came */
    ngx_uint_t            key;        /* a client may begin with it */
    size_t                len;
    u_char                data[];
} ngx_webrtc_muxed_piece_t;


/*
 * A client.  Zeroed; "news" and "data" are set.
 *
 *   news      there may be something in next(), or it is over: from the event
 *             loop, never from within a function of this file
 *   skipped   times it was too slow, and went on at a key frame
 *   failed    it is over because of an error, which has been logged
 */
typedef struct {
    void                (*news)(void *data);
    void                 *data;
    ngx_uint_t            skipped;
    ngx_uint_t            failed;

    /* private */

    ngx_webrtc_muxed_t   *muxed;      /* NULL: it has left */
    ngx_queue_t           queue;
    uint64_t              next;       /* number of its next piece */
    ngx_msec_t            since;      /* it is here */
    unsigned              begun:1;
    unsigned              head:1;     /* it has it */
    unsigned              asked:1;    /* for a key frame */
} ngx_webrtc_muxed_client_t;


/*
 * A client comes.
 *
 *   st       held by the caller until then
 *   format   of ngx_webrtc_media_output_t: "ts" or "fmp4"; constant
 *
 * NGX_OK; NGX_DECLINED: there is no memory for more
 */
ngx_int_t ngx_webrtc_muxed_join(ngx_webrtc_muxed_client_t *client,
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st, ngx_str_t *format,
    ngx_log_t *log);

/* It goes; may be repeated. */
void ngx_webrtc_muxed_leave(ngx_webrtc_muxed_client_t *client);

/*
 * Its next piece.
 *
 * NGX_OK     *piece, the caller's, to be given up with done()
 * NGX_AGAIN  there is none yet
 * NGX_DONE   it is over
 */
ngx_int_t ngx_webrtc_muxed_next(ngx_webrtc_muxed_client_t *client,
    ngx_webrtc_muxed_piece_t **piece);
void ngx_webrtc_muxed_done(ngx_webrtc_muxed_piece_t *piece);

/* Why a client that is over has got nothing, or NULL. */
const char *ngx_webrtc_muxed_text(ngx_webrtc_muxed_client_t *client);

/* For the worker's hooks. */
void ngx_webrtc_muxeds_tick(void);
void ngx_webrtc_muxeds_news(ngx_webrtc_stream_t *st);
ngx_uint_t ngx_webrtc_muxeds_any(void);
void ngx_webrtc_muxeds_exit(void);


#endif /* _NGX_WEBRTC_MUXED_H_INCLUDED_ */
