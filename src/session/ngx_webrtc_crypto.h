
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which library encrypts.
 */


#ifndef _NGX_WEBRTC_CRYPTO_H_INCLUDED_
#define _NGX_WEBRTC_CRYPTO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_srtp_gcm.h"


/*
 * Makes this process encrypt with `gcm`; NULL: with what is fastest here, which
 * takes a millisecond to find out.  What was chosen is logged.
 */
void ngx_webrtc_crypto_choose(const ngx_webrtc_srtp_gcm_t *gcm,
    ngx_log_t *log);


#endif /* _NGX_WEBRTC_CRYPTO_H_INCLUDED_ */
