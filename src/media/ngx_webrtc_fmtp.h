
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Format parameters of a codec as SDP has them: RFC 8866, 6.15, in the form
 * that all codecs of ours use, "a=1;b=2".
 */


#ifndef _NGX_WEBRTC_FMTP_H_INCLUDED_
#define _NGX_WEBRTC_FMTP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Finds a parameter, its name compared ignoring case.
 *
 *   value   out: what stands behind "=", may be empty
 *
 * NGX_OK; NGX_DECLINED if it isn't there
 */

ngx_int_t ngx_webrtc_fmtp_find(const ngx_str_t *fmtp, const char *name,
    ngx_str_t *value);


#endif /* _NGX_WEBRTC_FMTP_H_INCLUDED_ */
