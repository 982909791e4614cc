
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * JSON Web Tokens: form, signature, claims, and what they permit.
 *
 * RFC 7519 (JWT), RFC 7515 (JWS, compact serialization), RFC 8725 (what went
 * wrong with others).
 */


#ifndef _NGX_WEBRTC_JWT_H_INCLUDED_
#define _NGX_WEBRTC_JWT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_jwk.h"


/* bytes of a token; chosen: what a header of a request can have by default */
#define NGX_WEBRTC_JWT_MOST       8192

/* bytes of its decoded header; of a signature: RSA of 8192 bits */
#define NGX_WEBRTC_JWT_HEADER     1024
#define NGX_WEBRTC_JWT_SIGNATURE  1024

/* patterns of one token that are tried; chosen: each has to be compiled */
#define NGX_WEBRTC_JWT_PATTERNS   16


/* jansson's, released with ngx_webrtc_jwt_free() */
typedef struct json_t  ngx_webrtc_jwt_claims_t;


/* views of the token, but for kid */
typedef struct {
    uint32_t                 alg;             /* one of NGX_WEBRTC_JWK_* */
    ngx_str_t                text;            /* what is signed */
    ngx_str_t                payload;         /* base64url */
    ngx_str_t                signature;       /* base64url */
    uint8_t                  kid_len;         /* 0: it has none */
    u_char                   kid[NGX_WEBRTC_JWK_KID];
} ngx_webrtc_jwt_t;


typedef struct {
    int64_t                  now;             /* seconds since 1970 */
    int64_t                  leeway;          /* seconds that clocks differ */
    ngx_str_t                issuer;          /* empty: any */
    ngx_str_t                audience;
    ngx_uint_t               ended;           /* it may have expired */
} ngx_webrtc_jwt_rules_t;


typedef struct {
    ngx_str_t                claim;           /* null-terminated */
    const char *const       *actions;         /* any of them; ends with NULL */
    ngx_str_t                path;
    ngx_uint_t             (*match)(void *ctx, ngx_str_t *pattern,
                                    ngx_str_t *path);   /* NULL: never */
    void                    *ctx;
} ngx_webrtc_jwt_wanted_t;


/*
 * Reads the form and the header of a token; nothing is verified yet.
 *
 *   what   set unless NGX_OK: what is wrong, constant text, here and below
 *
 * NGX_OK; NGX_DECLINED: not a token, or not one that can be verified here
 */
ngx_int_t ngx_webrtc_jwt_parse(u_char *p, size_t n, ngx_webrtc_jwt_t *jwt,
    const char **what);

/*
 * Verifies the signature, and only then reads the claims.
 *
 *   claims   set on NGX_OK
 *
 * NGX_OK; NGX_DECLINED
 */
ngx_int_t ngx_webrtc_jwt_verify(ngx_webrtc_jwt_t *jwt,
    ngx_webrtc_jwk_keys_t *keys, ngx_webrtc_jwt_claims_t **claims,
    const char **what);

/*
 * RFC 7519, 4.1.  Checks "exp", "nbf", "iss" and "aud".
 *
 *   expires   seconds since 1970, leeway included; 0: never
 *
 * NGX_OK; NGX_DECLINED
 */
ngx_int_t ngx_webrtc_jwt_check(ngx_webrtc_jwt_claims_t *claims,
    ngx_webrtc_jwt_rules_t *rules, int64_t *expires, const char **what);

/*
 * Whether the claim has an object with one of the actions, and the path: that
 * one, a pattern that begins with "~", or any if it is empty or not there.  The
 * claim is one such object, an array of them, or either as text.
 *
 * NGX_OK; NGX_DECLINED
 */
ngx_int_t ngx_webrtc_jwt_permits(ngx_webrtc_jwt_claims_t *claims,
    ngx_webrtc_jwt_wanted_t *wanted, const char **what);

/*
 * A claim as text: a string as it is, anything else as JSON.
 *
 *   name   null-terminated
 *   buf    NULL: only counts
 *
 * Returns the bytes that it has, of which size at most were written; 0: there
 * is none.
 */
size_t ngx_webrtc_jwt_text(ngx_webrtc_jwt_claims_t *claims, const char *name,
    u_char *buf, size_t size);

void ngx_webrtc_jwt_free(ngx_webrtc_jwt_claims_t *claims);


#endif /* _NGX_WEBRTC_JWT_H_INCLUDED_ */
