
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams over a connection: a 16-bit length, big-endian, and as many bytes.
 * RFC 4571, 2, which ICE-TCP uses for all that it carries (RFC 6544, 3).
 */


#ifndef _NGX_WEBRTC_FRAMING_H_INCLUDED_
#define _NGX_WEBRTC_FRAMING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a length */
#define NGX_WEBRTC_FRAMING_HEADER  2


/* where the stream of a connection is; zero at first, but for max */
typedef struct {
    size_t                       max;     /* bytes of the longest frame that is
                                             wanted */
    size_t                       skip;    /* bytes to come of a longer one */
    uint64_t                     cut;     /* longer ones so far */
} ngx_webrtc_framing_t;


/*
 * Takes the next frame out of what has come of a stream.  Empty frames, and
 * those that are longer than f->max, are passed over.
 *
 *   p          where the stream goes on; moved
 *   frame, n   out: the frame, where it is
 *
 * NGX_OK     *p is behind the frame
 * NGX_AGAIN  more has to come.  What is left at *p, less than f->max +
 *            NGX_WEBRTC_FRAMING_HEADER bytes, has to be there again, in front
 *            of it
 */
ngx_int_t ngx_webrtc_framing_next(ngx_webrtc_framing_t *f, u_char **p,
    u_char *end, u_char **frame, size_t *n);

/* Writes the length of a frame of n bytes, at most 65535, before it. */
void ngx_webrtc_framing_write(u_char *p, size_t n);


#endif /* _NGX_WEBRTC_FRAMING_H_INCLUDED_ */
