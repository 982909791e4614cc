
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages of TURN servers (RFC 8656) that libnice does not report to us.
 */


#ifndef _NGX_WEBRTC_TURN_H_INCLUDED_
#define _NGX_WEBRTC_TURN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_TURN_ID     12

/* bytes in front of what a channel carries; RFC 8656, 12.4 */
#define NGX_WEBRTC_TURN_FRAME  4


/* the answer to an Allocate request, RFC 8656, 7 */
typedef struct {
    u_char      *id;                      /* of the transaction, in place */
    ngx_uint_t   code;                    /* 0: success; else 300 to 699 */
    ngx_str_t    reason;                  /* in place, any bytes */
} ngx_webrtc_turn_answer_t;


/*
 * Finds the success response to a binding request in a datagram: either the
 * whole datagram or what a server has relayed, in a Data indication (RFC 8656,
 * 11.6) or ChannelData (12.4).
 *
 *   p, n   the datagram; n becomes the size of the response in bytes
 *
 * Returns where it begins, or NULL if there is none.
 */
u_char *ngx_webrtc_turn_response(u_char *p, size_t *n);

/* The channel that a datagram is ChannelData of, 0x4000 to 0x7fff; 0: none. */
ngx_uint_t ngx_webrtc_turn_channel(const u_char *p, size_t n);

/*
 * What a datagram of ChannelData carries, which may have padding behind it
 * (RFC 8656, 12.5).
 *
 *   p, n   the datagram; n becomes the size of what it carries
 *
 * Returns where that begins; NULL: it is of no channel or another, or cut.
 */
u_char *ngx_webrtc_turn_data(u_char *p, size_t *n, ngx_uint_t channel);

/*
 * Writes the NGX_WEBRTC_TURN_FRAME bytes in front of n bytes of ChannelData,
 * which over UDP need no padding (RFC 8656, 12.5).
 */
void ngx_webrtc_turn_frame(u_char *p, ngx_uint_t channel, size_t n);

/*
 * Reads the answer to an Allocate request.
 *
 *   p, n     a whole message
 *   answer   out
 *
 * NGX_OK; NGX_DECLINED it is something else, or malformed
 */
ngx_int_t ngx_webrtc_turn_allocate(u_char *p, size_t n,
    ngx_webrtc_turn_answer_t *answer);

/*
 * Length in bytes of the STUN message at the start of a stream.
 *
 *   p, n   the part received so far
 *
 * Returns 20 if that is not known yet; n if it is something else.
 */
size_t ngx_webrtc_turn_length(u_char *p, size_t n);


#endif /* _NGX_WEBRTC_TURN_H_INCLUDED_ */
