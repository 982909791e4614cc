
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * AES-GCM with a key that is kept, by more than one library: to
 * ngx_webrtc_srtp.
 */


#ifndef _NGX_WEBRTC_SRTP_GCM_H_INCLUDED_
#define _NGX_WEBRTC_SRTP_GCM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_SRTP_GCM_IV    12
#define NGX_WEBRTC_SRTP_GCM_TAG   16

/* bytes of what RTCP authenticates besides: header and index; RFC 7714, 9.3 */
#define NGX_WEBRTC_SRTP_GCM_AAD   12


/* one library's; "const" rows, see ngx_webrtc_srtp_gcm_row() */
typedef struct {
    const char  *name;              /* as in "webrtc_crypto" */

    /* NULL, or why it cannot be used by this process on this processor */
    const char *(*usable)(void);

    /*
     * A key of n bytes, 16 or 32; copied, may be wiped afterwards.  It is for
     * seal() (enc is 1) or for open().  NULL: no memory, or the library failed.
     */
    void       *(*key)(const u_char *secret, size_t n, int enc);

    /* wipes; takes NULL */
    void        (*free)(void *key);

    /* it is needed soon, see ngx_webrtc_ahead.h */
    void        (*ahead)(const void *key);

    /*
     * n bytes at src, which are read once, are encrypted to dst; these are the
     * same or do not overlap.  The tag is stored.  NGX_OK, NGX_ERROR.
     */
    ngx_int_t   (*seal)(void *key, const u_char *iv, const u_char *aad,
        size_t aad_n, const u_char *src, u_char *dst, size_t n, u_char *tag);

    /* in place; NGX_ERROR: not authentic, what is at p is undefined */
    ngx_int_t   (*open)(void *key, const u_char *iv, const u_char *aad,
        size_t aad_n, u_char *p, size_t n, const u_char *tag);
} ngx_webrtc_srtp_gcm_t;


/* The i-th, from 0 on: OpenSSL's first.  NULL: there is none. */
const ngx_webrtc_srtp_gcm_t *ngx_webrtc_srtp_gcm_row(ngx_uint_t i);

/* By its name; NULL: the module was built without it, or there is none. */
const ngx_webrtc_srtp_gcm_t *ngx_webrtc_srtp_gcm_find(const char *name);

/*
 * The one that contexts made from now on use; OpenSSL's until then.  NULL
 * changes nothing.
 */
const ngx_webrtc_srtp_gcm_t *ngx_webrtc_srtp_gcm_use(
    const ngx_webrtc_srtp_gcm_t *gcm);

/*
 * Seals n packets of 1160 bytes with AES-128, so that a caller with a clock can
 * compare.  NGX_OK, NGX_ERROR.
 */
ngx_int_t ngx_webrtc_srtp_gcm_run(const ngx_webrtc_srtp_gcm_t *gcm,
    ngx_uint_t n);


#endif /* _NGX_WEBRTC_SRTP_GCM_H_INCLUDED_ */
