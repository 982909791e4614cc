
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Keys that tokens are verified with: PEM, secrets, JSON Web Keys (RFC 7517,
 * RFC 7518, RFC 8037).
 *
 * A key has the set of algorithms that it may be used with, by its kind, size
 * and "alg", and a token's "alg" is only compared with that: so no token can
 * make an RSA key the secret of HS256.
 */


#ifndef _NGX_WEBRTC_JWK_H_INCLUDED_
#define _NGX_WEBRTC_JWK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <openssl/evp.h>


/* algorithms, RFC 7518, 3.1 and RFC 8037, 3.1; bits of a set */
#define NGX_WEBRTC_JWK_HS256   0x001
#define NGX_WEBRTC_JWK_HS384   0x002
#define NGX_WEBRTC_JWK_HS512   0x004
#define NGX_WEBRTC_JWK_RS256   0x008
#define NGX_WEBRTC_JWK_RS384   0x010
#define NGX_WEBRTC_JWK_RS512   0x020
#define NGX_WEBRTC_JWK_ES256   0x040
#define NGX_WEBRTC_JWK_ES384   0x080
#define NGX_WEBRTC_JWK_EDDSA   0x100

#define NGX_WEBRTC_JWK_HS      0x007
#define NGX_WEBRTC_JWK_RS      0x038

/* of one configuration; chosen: identity providers have two to four */
#define NGX_WEBRTC_JWK_KEYS    64

/* bytes of a "kid"; chosen: they are thumbprints of 43, or names */
#define NGX_WEBRTC_JWK_KID     128

/* bytes of a file or response */
#define NGX_WEBRTC_JWK_TEXT    (256 * 1024)


typedef struct {
    EVP_PKEY                *pkey;
    uint32_t                 algs;            /* NGX_WEBRTC_JWK_* */
    uint8_t                  kid_len;         /* 0: it has none */
    u_char                   kid[NGX_WEBRTC_JWK_KID];
} ngx_webrtc_jwk_t;


typedef struct {
    ngx_uint_t               n;
    ngx_webrtc_jwk_t         keys[NGX_WEBRTC_JWK_KEYS];
} ngx_webrtc_jwk_keys_t;


/*
 * Add keys to those that are there; what they take is OpenSSL's, and freed by
 * ngx_webrtc_jwk_free().
 *
 *   p, n   text: public keys or certificates in PEM, or a JWK or JWK set; the
 *          bytes of a secret; a JWK or JWK set
 *   oct    a set's secrets count too: it is not public
 *   what   set unless NGX_OK: what is wrong, constant text
 *
 * NGX_OK        one key or more were added
 * NGX_DECLINED  there is none that can be used, or there are too many
 */
ngx_int_t ngx_webrtc_jwk_file(ngx_webrtc_jwk_keys_t *keys, u_char *p, size_t n,
    const char **what);
ngx_int_t ngx_webrtc_jwk_secret(ngx_webrtc_jwk_keys_t *keys, u_char *p,
    size_t n, const char **what);
ngx_int_t ngx_webrtc_jwk_set(ngx_webrtc_jwk_keys_t *keys, u_char *p, size_t n,
    ngx_uint_t oct, const char **what);

void ngx_webrtc_jwk_free(ngx_webrtc_jwk_keys_t *keys);

/* An algorithm by its name, NGX_WEBRTC_JWK_*; 0: not one that is used here. */
uint32_t ngx_webrtc_jwk_alg(const char *name);

/*
 * RFC 7515, 2.  base64url without padding; what cannot have been written by an
 * encoder is refused, so that a token has one form only.
 *
 *   p, n        text
 *   buf, size   where the bytes go; *len is their number
 *
 * NGX_OK; NGX_DECLINED: not base64url, or too long
 */
ngx_int_t ngx_webrtc_jwk_decode(const u_char *p, size_t n, u_char *buf,
    size_t size, size_t *len);


#endif /* _NGX_WEBRTC_JWK_H_INCLUDED_ */
