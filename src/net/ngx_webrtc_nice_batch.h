
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams of full ICE that leave as one message: a batch of this process,
 * for one destination at a time.  Knows neither libnice nor sessions.
 */


#ifndef _NGX_WEBRTC_NICE_BATCH_H_INCLUDED_
#define _NGX_WEBRTC_NICE_BATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <netinet/udp.h>


#ifndef UDP_SEGMENT
#define UDP_SEGMENT  103                  /* glibc before 2.28 */
#endif


/* where to; owned by the caller, who keeps fd open while it is in use */
typedef struct {
    ngx_socket_t   fd;
    ngx_sockaddr_t remote;
    socklen_t      len;
    unsigned       segment:1;     /* it takes UDP_SEGMENT */
} ngx_webrtc_nice_dst_t;


/*
 * Room for a datagram of up to size bytes; NULL: it is larger than any batch.
 * Good until something else is asked of the batch.
 */
u_char *ngx_webrtc_nice_batch_reserve(size_t size);

/*
 * Adds the n bytes that were written to the room.  They leave with the next
 * ngx_webrtc_nice_batch_flush(), or before the event loop waits again.
 */
void ngx_webrtc_nice_batch_add(ngx_webrtc_nice_dst_t *dst, size_t n);

/* Sends one datagram at once, behind what waits for dst. */
void ngx_webrtc_nice_batch_single(ngx_webrtc_nice_dst_t *dst, u_char *p,
    size_t n);

/* Sends what there is; what the socket does not take is dropped. */
void ngx_webrtc_nice_batch_flush(void);

/* dst is going away: what waits for it is sent now. */
void ngx_webrtc_nice_batch_leave(ngx_webrtc_nice_dst_t *dst);


#endif /* _NGX_WEBRTC_NICE_BATCH_H_INCLUDED_ */
