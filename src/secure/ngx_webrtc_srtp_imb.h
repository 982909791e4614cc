
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * intel-ipsec-mb: whether and how it is used on this processor.
 */


#ifndef _NGX_WEBRTC_SRTP_IMB_H_INCLUDED_
#define _NGX_WEBRTC_SRTP_IMB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#if (NGX_WEBRTC_IPSEC_MB)

#include <intel-ipsec-mb.h>


/* zeroed at first; one for each use, as jobs are in the manager */
typedef struct {
    IMB_MGR     *mgr;
    ngx_uint_t   tried;
} ngx_webrtc_srtp_imb_t;


/*
 * The manager, made at the first call, for what the processor has; never freed.
 * A child has a copy of its parent's.  NULL: no memory, or the processor lacks
 * what the library needs; with its tables instead it would be slower than
 * OpenSSL, and its time would tell.
 */
IMB_MGR *ngx_webrtc_srtp_imb_mgr(ngx_webrtc_srtp_imb_t *imb);

/* NULL, or why there is none */
const char *ngx_webrtc_srtp_imb_usable(ngx_webrtc_srtp_imb_t *imb);


#endif


#endif /* _NGX_WEBRTC_SRTP_IMB_H_INCLUDED_ */
