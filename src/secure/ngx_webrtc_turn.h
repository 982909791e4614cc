
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages of TURN servers (RFC 8656), as far as libnice does not tell us of
 * them.
 */


#ifndef _NGX_WEBRTC_TURN_H_INCLUDED_
#define _NGX_WEBRTC_TURN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_TURN_ID  12


/* to an Allocate request, RFC 8656, 7 */
typedef struct {
    u_char      *id;                      /* of the transaction, in place */
    ngx_uint_t   code;                    /* 0: success; else 300 to 699 */
    ngx_str_t    reason;                  /* in place, any bytes */
} ngx_webrtc_turn_answer_t;


/*
 * Finds the success response to a binding request in a datagram: it is the
 * whole, or what a server has relayed, as a Data indication (RFC 8656, 11.6) or
 * ChannelData (12.4).
 *
 *   p, n   the datagram; n becomes the size of the response in bytes
 *
 * Returns where it begins, NULL: there is none.
 */
u_char *ngx_webrtc_turn_response(u_char *p, size_t *n);

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
 * How many bytes a message of STUN has that a stream begins with.
 *
 *   p, n   what there is of it
 *
 * Returns 20 where that is not known yet; n where it is something else.
 */
size_t ngx_webrtc_turn_length(u_char *p, size_t n);


#endif /* _NGX_WEBRTC_TURN_H_INCLUDED_ */
