
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTP padding that makes the packets of a publisher's frame equal in size.
 * Encoders split a frame into packets that differ by a few bytes; consecutive
 * packets of one size are sent as one message (UDP_SEGMENT), which costs a
 * quarter less.
 *
 * RFC 3550, 5.1.
 */


#ifndef _NGX_WEBRTC_PADDING_H_INCLUDED_
#define _NGX_WEBRTC_PADDING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of padding at most; chosen: 1.5 % of a large packet */
#define NGX_WEBRTC_PADDING_MAX   16

/*
 * bytes of a payload with padding at most, so that no packet is larger than
 * those that browsers send: RTP packets of 1200 bytes
 */
#define NGX_WEBRTC_PADDING_PAYLOAD   (1200 - 12)


/* of a track; zeroed before its first packet */
typedef struct {
    uint16_t    size;      /* of the frame's packets, 0: none yet */
} ngx_webrtc_padding_t;


/*
 * How many bytes of padding a packet gets.
 *
 *   n       bytes of its payload
 *   flags   NGX_WEBRTC_PKT_*: FIRST and LAST (or MARKER) mark a frame's ends
 *
 * Returns 0 .. NGX_WEBRTC_PADDING_MAX
 */
size_t ngx_webrtc_padding_size(ngx_webrtc_padding_t *pd, size_t n,
    ngx_uint_t flags);

/* Writes n > 0 bytes of padding to p. */
void ngx_webrtc_padding_write(u_char *p, size_t n);


#endif /* _NGX_WEBRTC_PADDING_H_INCLUDED_ */
