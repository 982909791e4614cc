
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Format parameters of a codec in SDP: RFC 8866, 6.15, in the form used by all
 * our codecs, "a=1;b=2".
 */


#ifndef _NGX_WEBRTC_FMTP_H_INCLUDED_
#define _NGX_WEBRTC_FMTP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Finds a parameter, comparing names case-insensitively.
 *
 *   value   out: the text after "=", may be empty
 *
 * NGX_OK; NGX_DECLINED if it isn't there
 */

ngx_int_t ngx_webrtc_fmtp_find(const ngx_str_t *fmtp, const char *name,
    ngx_str_t *value);

/*
 * Whether a parameter's number differs from that of a profile.
 *
 *   inferred   the value if it is absent
 *
 * Returns 0 or 1.
 */

ngx_uint_t ngx_webrtc_fmtp_differs(const ngx_str_t *fmtp, const char *name,
    ngx_int_t inferred, uint32_t profile);

/*
 * Prints a parameter, after a semicolon unless it is the first one.
 *
 *   start   of all of them
 *
 * Returns the position behind it.
 */

u_char *ngx_webrtc_fmtp_add(u_char *p, u_char *end, u_char *start,
    const char *name, const ngx_str_t *value);

/* Copies the named parameters that are in fmtp. */

u_char *ngx_webrtc_fmtp_repeat(u_char *p, u_char *end, u_char *start,
    const ngx_str_t *fmtp, const char *const *names);


#endif /* _NGX_WEBRTC_FMTP_H_INCLUDED_ */
