
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * IPv4 addresses embedded in an IPv6 address.  A translator or tunnel endpoint
 * forwards to them, so a rule that denies 10.0.0.1 must deny these too.
 */


#ifndef _NGX_WEBRTC_EMBEDDED_H_INCLUDED_
#define _NGX_WEBRTC_EMBEDDED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* at most, in one address: forms may be nested, and Teredo has two */
#define NGX_WEBRTC_EMBEDDED        2

#define NGX_WEBRTC_EMBEDDED_FORMS  7


/* for callers that generate a filter from the forms instead of calling us */
typedef struct {
    u_char      addr[16];
    u_char      mask[16];
    ngx_uint_t  at;           /* of the 16 bytes */
    uint32_t    flip;         /* XOR mask */
    ngx_uint_t  place;        /* of NGX_WEBRTC_EMBEDDED; the last form that
                                 matches has it */
} ngx_webrtc_embedded_form_t;


extern const ngx_webrtc_embedded_form_t
    ngx_webrtc_embedded_forms[NGX_WEBRTC_EMBEDDED_FORMS];


/*
 * Finds the embedded addresses.
 *
 *   addr   16 bytes
 *   inet   each in network byte order
 *
 * Returns how many there are.
 */
ngx_uint_t ngx_webrtc_embedded(const u_char *addr,
    uint32_t inet[NGX_WEBRTC_EMBEDDED]);


#endif /* _NGX_WEBRTC_EMBEDDED_H_INCLUDED_ */
