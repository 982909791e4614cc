
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What both directions of SRTP share: profiles, session keys, initialization
 * vectors.  Used by ngx_webrtc_srtp.c and ngx_webrtc_srtp_in.c alone.
 */


#ifndef _NGX_WEBRTC_SRTP_KEYS_H_INCLUDED_
#define _NGX_WEBRTC_SRTP_KEYS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>

#include <ngx_webrtc_srtp_gcm.h>
#include <ngx_webrtc_srtp_profile.h>


/* bytes of fixed headers; RFC 3550, 5.1 and 6.4 */
#define NGX_WEBRTC_SRTP_RTP_HEADER    12
#define NGX_WEBRTC_SRTP_RTCP_HEADER   8

/* bytes of the E flag and the SRTCP index; RFC 3711, 3.4 */
#define NGX_WEBRTC_SRTP_RTCP_INDEX    4
#define NGX_WEBRTC_SRTP_E             0x80000000

/* labels of the KDF; RFC 3711, 4.3.2 */
#define NGX_WEBRTC_SRTP_LABEL_RTP     0x00
#define NGX_WEBRTC_SRTP_LABEL_RTCP    0x03
#define NGX_WEBRTC_SRTP_LABEL_KEY     0x00
#define NGX_WEBRTC_SRTP_LABEL_AUTH    0x01
#define NGX_WEBRTC_SRTP_LABEL_SALT    0x02

#define NGX_WEBRTC_SRTP_CM_IV         16


typedef struct {
    uint16_t            profile;
    uint8_t             key;                        /* bytes */
    uint8_t             salt;
    uint8_t             tag;
    uint8_t             gcm;
    const EVP_CIPHER *(*prf)(void);
} ngx_webrtc_srtp_profile_t;


/* NULL: it is unknown */
const ngx_webrtc_srtp_profile_t *ngx_webrtc_srtp_profile(ngx_uint_t profile);

/* n bytes of the key of a label; NGX_OK, NGX_ERROR: OpenSSL failed */
ngx_int_t ngx_webrtc_srtp_derive(const ngx_webrtc_srtp_profile_t *prof,
    const ngx_webrtc_srtp_key_t *key, ngx_uint_t label, u_char *dst, size_t n);

/*
 * The session keys of RTP or RTCP.
 *
 *   label   NGX_WEBRTC_SRTP_LABEL_RTP or _RTCP
 *   enc     as of EVP_CipherInit_ex(); the key stream of AES_CM is the same
 *           either way
 *   gcm     of GCM: is used, and set if *gcm is NULL
 *   cipher  out: to be freed with ngx_webrtc_srtp_free(), after NGX_ERROR too
 *   salt    out: 16 bytes
 *   inner, outer   out, of AES_CM: as of ngx_webrtc_srtp_hmac_init()
 *
 * NGX_OK; NGX_ERROR: OpenSSL failed
 */
ngx_int_t ngx_webrtc_srtp_derive_set(const ngx_webrtc_srtp_profile_t *prof,
    const ngx_webrtc_srtp_key_t *key, ngx_uint_t label, int enc,
    const ngx_webrtc_srtp_gcm_t **gcm, void **cipher, u_char *salt,
    uint32_t *inner, uint32_t *outer);

/* wipes */
void ngx_webrtc_srtp_free(const ngx_webrtc_srtp_gcm_t *gcm, void *cipher);

/* AES_CM of n bytes, in place or not; NGX_OK, NGX_ERROR: OpenSSL failed */
ngx_int_t ngx_webrtc_srtp_crypt(EVP_CIPHER_CTX *ctx, const u_char *iv,
    const u_char *src, u_char *dst, size_t n);

/*
 *   salt    16 bytes
 *   ssrc    as in the header
 *   index   of RTP 48 bits, of RTCP 31
 *   iv      out: room for 16 bytes
 */
void ngx_webrtc_srtp_iv(ngx_uint_t gcm, const u_char *salt,
    const u_char *ssrc, uint64_t index, u_char *iv);


#endif /* _NGX_WEBRTC_SRTP_KEYS_H_INCLUDED_ */
