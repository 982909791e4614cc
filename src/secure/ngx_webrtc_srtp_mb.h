
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * AES_CM and HMAC-SHA1 of many packets side by side ("multi-buffer"), by
 * intel-ipsec-mb where the module was built with it: to ngx_webrtc_srtp.
 *
 * SHA-1 has to go through a packet from its start to its end, and a vector unit
 * does that for sixteen packets in the time of one.  So packets wait, where
 * they are, until others are there or ngx_webrtc_srtp_mb_finish() is called.
 */


#ifndef _NGX_WEBRTC_SRTP_MB_H_INCLUDED_
#define _NGX_WEBRTC_SRTP_MB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes behind a packet that submit() writes at once, and finish() at the end:
 * the rollover counter, then the tag of the profile; RFC 3711, 4.2 */
#define NGX_WEBRTC_SRTP_MB_TAG   10


/* NULL, or why it cannot be used by this process on this processor */
const char *ngx_webrtc_srtp_mb_usable(void);

/*
 * Round keys of an AES key of 16 bytes, which is copied.  To be freed with
 * ngx_webrtc_srtp_mb_free() after ngx_webrtc_srtp_mb_finish().  NULL: no memory
 * or not usable.
 */
void *ngx_webrtc_srtp_mb_key(const u_char *secret);

/* wipes; takes NULL */
void ngx_webrtc_srtp_mb_free(void *key);

/* it is needed soon, see ngx_webrtc_ahead.h */
void ngx_webrtc_srtp_mb_ahead(const void *key);

/*
 * Encrypts n bytes behind hdr bytes at p in place, and puts the tag of all
 * behind them, now or in ngx_webrtc_srtp_mb_finish(): p, key, inner and outer
 * stay until then.
 *
 *   iv      16 bytes, copied
 *   inner   with outer: of ngx_webrtc_srtp_hmac_init()
 *   roc     rollover counter
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_srtp_mb_submit(void *key, const uint32_t *inner,
    const uint32_t *outer, const u_char *iv, u_char *p, size_t hdr, size_t n,
    uint32_t roc);

/* All packets are whole afterwards.  Costs nothing when none waits. */
void ngx_webrtc_srtp_mb_finish(void);


#endif /* _NGX_WEBRTC_SRTP_MB_H_INCLUDED_ */
