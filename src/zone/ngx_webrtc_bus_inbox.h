
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The inbox of a worker: a unix datagram socket (abstract name) through which
 * other workers, and the source threads of any worker, send
 *
 *   a doorbell      streams that this worker watches have news
 *   datagrams       that arrived at another worker's UDP socket
 *   tell            something about a session, such as "close"
 *   text            for a session: what came for it over HTTP
 *   keyframe        a stream that this worker produces needs one
 *   connection      of ICE-TCP, that another worker has accepted
 *
 * The kernel says who sent a message (SCM_CREDENTIALS); messages from anyone
 * but a worker of the zone are dropped and counted.  Nothing here ever waits:
 * what does not fit is dropped and counted, but a doorbell is never lost.
 */


#ifndef _NGX_WEBRTC_BUS_INBOX_H_INCLUDED_
#define _NGX_WEBRTC_BUS_INBOX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_addr.h"
#include "ngx_webrtc_bus.h"


/* what to tell a session's owner but to end it: its slot was changed */
#define NGX_WEBRTC_TELL_CHANGED      0x100

/*
 * bytes of one message; chosen: 20 full datagrams.  The kernel's queue holds
 * few messages (net.unix.max_dgram_qlen), but they may be large
 */
#define NGX_WEBRTC_INBOX_SIZE        32768

/* longest text; chosen: an SDP fragment with 32 candidates has 4 kB */
#define NGX_WEBRTC_INBOX_TEXT        8192

/* longest datagram that is passed on; chosen: same as the UDP port's */
#define NGX_WEBRTC_INBOX_DATAGRAM    2048


/*
 * Called from the event loop.  Each may be NULL.
 *
 *   st      held by this worker, else it is not called
 *   path    where the datagram came from and to, as the first worker saw it
 *   ref     session slot that the sender meant, 0: it did not know
 *   p, n    the datagram in the inbox' buffer; may be modified
 *   what    NGX_WEBRTC_TELL_CHANGED, or NGX_WEBRTC_WHY_* to end it
 *   fd      the receiver's own
 */
typedef struct {
    void  (*on_stream)(void *ctx, ngx_webrtc_stream_t *st);
    void  (*on_datagram)(void *ctx, ngx_webrtc_path_t *path, uint64_t ref,
               u_char *p, size_t n);
    void  (*on_tell)(void *ctx, uint64_t ref, ngx_uint_t what);
    void  (*on_keyframe)(void *ctx, ngx_webrtc_stream_t *st);
    void  (*on_text)(void *ctx, uint64_t ref, u_char *p, size_t n);
    void  (*on_connection)(void *ctx, ngx_socket_t fd);
    void   *ctx;
} ngx_webrtc_inbox_handlers_t;


typedef struct {
    uint64_t                 rings;           /* doorbells received */
    uint64_t                 datagrams_in;
    uint64_t                 datagrams_out;
    uint64_t                 tells_in;
    uint64_t                 dropped;         /* could not be sent */
    uint64_t                 foreign;         /* sender was no worker */
    uint64_t                 malformed;
} ngx_webrtc_inbox_stat_t;


/*
 * Opens the inbox of an attached worker and starts reading it.
 *
 *   handlers   copied
 *
 * Returns the inbox, allocated from cycle->pool, ended with
 * ngx_webrtc_inbox_done(); NULL after logging.
 */
ngx_webrtc_inbox_t *ngx_webrtc_inbox_init(ngx_webrtc_bus_t *bus,
    ngx_cycle_t *cycle, ngx_webrtc_inbox_handlers_t *handlers);

/*
 * Drops what was collected and closes the inbox; source threads that ring
 * doorbells must have ended.  In exit_process, after ngx_webrtc_bus_detach().
 */
void ngx_webrtc_inbox_done(ngx_webrtc_inbox_t *inbox);

/*
 * Passes a datagram on to another worker.  Datagrams for one worker are
 * collected and sent as one message: ngx_webrtc_inbox_flush() must be called at
 * the end of the batch they came in.
 *
 *   worker   from ngx_webrtc_peers_find_address() or _find_ufrag()
 *   ref      of the slot, or 0
 *   p, n     copied; n <= NGX_WEBRTC_INBOX_DATAGRAM
 *
 * NGX_OK; NGX_DECLINED when it is dropped
 */
ngx_int_t ngx_webrtc_inbox_datagram(ngx_webrtc_inbox_t *inbox,
    ngx_uint_t worker, ngx_webrtc_path_t *path, uint64_t ref, u_char *p,
    size_t n);

/* Sends what was collected; cheap when there is nothing. */
void ngx_webrtc_inbox_flush(ngx_webrtc_inbox_t *inbox);

/*
 * Tells a session's owner something.
 *
 * NGX_OK; NGX_AGAIN when its inbox is full; NGX_DECLINED when that worker is
 * gone
 */
ngx_int_t ngx_webrtc_inbox_tell(ngx_webrtc_inbox_t *inbox, ngx_uint_t worker,
    uint64_t ref, ngx_uint_t what);

/*
 * Sends a session's owner a text, at once.
 *
 *   p, n   copied; n <= NGX_WEBRTC_INBOX_TEXT
 *
 * NGX_OK; NGX_AGAIN when its inbox is full; NGX_DECLINED when that worker is
 * gone or the text too long
 */
ngx_int_t ngx_webrtc_inbox_text(ngx_webrtc_inbox_t *inbox, ngx_uint_t worker,
    uint64_t ref, u_char *p, size_t n);

/*
 * Gives another worker a connection.
 *
 *   fd    still to be closed by the caller
 *
 * NGX_OK; NGX_AGAIN when its inbox is full; NGX_DECLINED when that worker is
 * gone
 */
ngx_int_t ngx_webrtc_inbox_connection(ngx_webrtc_inbox_t *inbox,
    ngx_uint_t worker, uint64_t ref, ngx_socket_t fd);

ngx_webrtc_inbox_stat_t *ngx_webrtc_inbox_stat(ngx_webrtc_inbox_t *inbox);


/*
 * For this folder.  Sends a doorbell, or a request for a key frame of a stream,
 * to a worker.  Any thread.
 *
 *   ref   of the stream
 *
 * NGX_OK, NGX_AGAIN full, NGX_DECLINED gone
 */
ngx_int_t ngx_webrtc_inbox_ring(ngx_webrtc_bus_t *bus, ngx_uint_t worker);
ngx_int_t ngx_webrtc_inbox_keyframe(ngx_webrtc_bus_t *bus, ngx_uint_t worker,
    uint64_t ref);


#endif /* _NGX_WEBRTC_BUS_INBOX_H_INCLUDED_ */
