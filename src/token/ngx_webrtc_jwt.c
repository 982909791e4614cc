
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * JSON Web Tokens.  In this order, and nothing before it is its turn:
 *
 *   1. the form: three parts of base64url, a header with an "alg" that is in
 *      the table; "none" is not, and "crit" asks for what we do not know
 *   2. the signature, by keys that may be used with this "alg" and have this
 *      "kid" or none
 *   3. the claims, which before that are an attacker's JSON
 *   4. times, issuer, audience; then what is permitted
 *
 * RFC 7515, RFC 7518, RFC 7519, RFC 8725.
 */


#include "ngx_webrtc_jwt.h"
#include <jansson.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>


/* seconds since 1970 that a time may be; chosen: far beyond any calendar, and
 * exact in a double */
#define NGX_WEBRTC_JWT_TIME  ((int64_t) 1 << 52)


typedef struct {
    uint32_t              alg;
    const EVP_MD       *(*md)(void);          /* NULL: its own */
    size_t                half;               /* bytes of r and s, 0: no EC */
} ngx_webrtc_jwt_alg_t;


static ngx_int_t ngx_webrtc_jwt_header(ngx_webrtc_jwt_t *jwt, ngx_str_t *text,
    const char **what);
static ngx_uint_t ngx_webrtc_jwt_try(ngx_webrtc_jwt_t *jwt,
    const ngx_webrtc_jwt_alg_t *alg, EVP_PKEY *pkey, u_char *sig, size_t n);
static ngx_uint_t ngx_webrtc_jwt_hmac(ngx_webrtc_jwt_t *jwt,
    const ngx_webrtc_jwt_alg_t *alg, EVP_PKEY *pkey, u_char *sig, size_t n);
static size_t ngx_webrtc_jwt_der(const ngx_webrtc_jwt_alg_t *alg, u_char *sig,
    size_t n, u_char *der, size_t size);
static ngx_int_t ngx_webrtc_jwt_claims(ngx_webrtc_jwt_t *jwt,
    ngx_webrtc_jwt_claims_t **claims, const char **what);
static ngx_int_t ngx_webrtc_jwt_time(json_t *claims, const char *name,
    int64_t none, int64_t *value);
static ngx_uint_t ngx_webrtc_jwt_is(json_t *value, ngx_str_t *text);
static ngx_uint_t ngx_webrtc_jwt_has(json_t *value, ngx_str_t *text);
static ngx_uint_t ngx_webrtc_jwt_list(json_t *list,
    ngx_webrtc_jwt_wanted_t *wanted);
static ngx_uint_t ngx_webrtc_jwt_permit(json_t *permit,
    ngx_webrtc_jwt_wanted_t *wanted, ngx_uint_t *patterns);


static const ngx_webrtc_jwt_alg_t  ngx_webrtc_jwt_algs[] = {
    { NGX_WEBRTC_JWK_HS256, EVP_sha256, 0 },
    { NGX_WEBRTC_JWK_HS384, EVP_sha384, 0 },
    { NGX_WEBRTC_JWK_HS512, EVP_sha512, 0 },
    { NGX_WEBRTC_JWK_RS256, EVP_sha256, 0 },
    { NGX_WEBRTC_JWK_RS384, EVP_sha384, 0 },
    { NGX_WEBRTC_JWK_RS512, EVP_sha512, 0 },
    { NGX_WEBRTC_JWK_ES256, EVP_sha256, 32 },
    { NGX_WEBRTC_JWK_ES384, EVP_sha384, 48 },
    { NGX_WEBRTC_JWK_EDDSA, NULL, 0 },
    { 0, NULL, 0 }
};


ngx_int_t
ngx_webrtc_jwt_parse(u_char *p, size_t n, ngx_webrtc_jwt_t *jwt,
    const char **what)
{
    u_char     *end, *first, *second;
    ngx_str_t   header;

    if (n > NGX_WEBRTC_JWT_MOST) {
        *what = "the token has more than 8192 bytes";
        return NGX_DECLINED;
    }

    end = p + n;

    first = ngx_strlchr(p, end, '.');
    second = first ? ngx_strlchr(first + 1, end, '.') : NULL;

    /* five parts are an encrypted token (RFC 7516) */

    if (second == NULL || ngx_strlchr(second + 1, end, '.')) {
        *what = "the token does not have three parts";
        return NGX_DECLINED;
    }

    header.data = p;
    header.len = first - p;
    jwt->payload.data = first + 1;
    jwt->payload.len = second - first - 1;
    jwt->signature.data = second + 1;
    jwt->signature.len = end - second - 1;
    jwt->text.data = p;
    jwt->text.len = second - p;

    return ngx_webrtc_jwt_header(jwt, &header, what);
}


static ngx_int_t
ngx_webrtc_jwt_header(ngx_webrtc_jwt_t *jwt, ngx_str_t *text,
    const char **what)
{
    size_t       n;
    json_t      *header, *kid;
    const char  *alg;
    u_char       buf[NGX_WEBRTC_JWT_HEADER];

    *what = "the token's header is not JSON in base64url";

    if (ngx_webrtc_jwk_decode(text->data, text->len, buf, sizeof(buf), &n)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    header = json_loadb((char *) buf, n, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(header)) {
        json_decref(header);
        return NGX_DECLINED;
    }

    alg = json_string_value(json_object_get(header, "alg"));
    jwt->alg = alg ? ngx_webrtc_jwk_alg(alg) : 0;

    kid = json_object_get(header, "kid");
    n = json_string_length(kid);

    jwt->kid_len = 0;

    if (json_object_get(header, "crit")) {
        /* RFC 7515, 4.1.11 */
        *what = "the token needs extensions (\"crit\")";
        jwt->alg = 0;

    } else if ((kid && !json_is_string(kid)) || n > NGX_WEBRTC_JWK_KID) {
        *what = "the token's \"kid\" is no string of up to 128 bytes";
        jwt->alg = 0;

    } else if (jwt->alg == 0) {
        *what = "the token's \"alg\" is not one that is taken";

    } else if (n) {
        ngx_memcpy(jwt->kid, json_string_value(kid), n);
        jwt->kid_len = (uint8_t) n;
    }

    json_decref(header);

    return jwt->alg ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_webrtc_jwt_verify(ngx_webrtc_jwt_t *jwt, ngx_webrtc_jwk_keys_t *keys,
    ngx_webrtc_jwt_claims_t **claims, const char **what)
{
    size_t                       n;
    ngx_uint_t                   i, ok, tried;
    ngx_webrtc_jwk_t            *key;
    const ngx_webrtc_jwt_alg_t  *alg;
    u_char                       sig[NGX_WEBRTC_JWT_SIGNATURE];

    for (alg = ngx_webrtc_jwt_algs; alg->alg != jwt->alg; alg++) {
        if (alg->alg == 0) {
            *what = "the token's \"alg\" is not one that is taken";
            return NGX_DECLINED;
        }
    }

    if (ngx_webrtc_jwk_decode(jwt->signature.data, jwt->signature.len, sig,
                              sizeof(sig), &n)
        != NGX_OK
        || n == 0)
    {
        *what = "the token's signature is not base64url, or has no bytes, or "
                "more than 1024";
        return NGX_DECLINED;
    }

    ok = 0;
    tried = 0;

    for (i = 0; i < keys->n && !ok; i++) {
        key = &keys->keys[i];

        if ((key->algs & jwt->alg)
            && (key->kid_len == 0 || jwt->kid_len == 0
                || (key->kid_len == jwt->kid_len
                    && ngx_memcmp(key->kid, jwt->kid, jwt->kid_len) == 0)))
        {
            ok = ngx_webrtc_jwt_try(jwt, alg, key->pkey, sig, n);
            tried++;
        }
    }

    ERR_clear_error();

    if (!ok) {
        *what = tried ? "the token's signature does not verify"
                      : "there is no key for the token's \"alg\" and \"kid\"";
        return NGX_DECLINED;
    }

    return ngx_webrtc_jwt_claims(jwt, claims, what);
}


static ngx_uint_t
ngx_webrtc_jwt_try(ngx_webrtc_jwt_t *jwt, const ngx_webrtc_jwt_alg_t *alg,
    EVP_PKEY *pkey, u_char *sig, size_t n)
{
    ngx_uint_t   ok;
    EVP_MD_CTX  *ctx;
    u_char       der[2 * 48 + 16];

    if (alg->alg & NGX_WEBRTC_JWK_HS) {
        return ngx_webrtc_jwt_hmac(jwt, alg, pkey, sig, n);
    }

    if (alg->half) {
        n = ngx_webrtc_jwt_der(alg, sig, n, der, sizeof(der));

        if (n == 0) {
            return 0;
        }

        sig = der;
    }

    ctx = EVP_MD_CTX_new();

    ok = ctx
         && EVP_DigestVerifyInit(ctx, NULL, alg->md ? alg->md() : NULL, NULL,
                                 pkey)
            == 1
         && EVP_DigestVerify(ctx, sig, n, jwt->text.data, jwt->text.len) == 1;

    EVP_MD_CTX_free(ctx);

    return ok;
}


static ngx_uint_t
ngx_webrtc_jwt_hmac(ngx_webrtc_jwt_t *jwt, const ngx_webrtc_jwt_alg_t *alg,
    EVP_PKEY *pkey, u_char *sig, size_t n)
{
    size_t       len;
    ngx_uint_t   ok;
    EVP_MD_CTX  *ctx;
    u_char       mac[EVP_MAX_MD_SIZE];

    len = sizeof(mac);
    ctx = EVP_MD_CTX_new();

    ok = ctx
         && EVP_DigestSignInit(ctx, NULL, alg->md(), NULL, pkey) == 1
         && EVP_DigestSign(ctx, mac, &len, jwt->text.data, jwt->text.len) == 1
         && len == n
         && CRYPTO_memcmp(mac, sig, len) == 0;

    EVP_MD_CTX_free(ctx);

    return ok;
}


/* RFC 7518, 3.4: r and s, of the same size, where OpenSSL wants DER */

static size_t
ngx_webrtc_jwt_der(const ngx_webrtc_jwt_alg_t *alg, u_char *sig, size_t n,
    u_char *der, size_t size)
{
    int         len;
    BIGNUM     *r, *s;
    ECDSA_SIG  *ec;

    if (n != 2 * alg->half) {
        return 0;
    }

    ec = ECDSA_SIG_new();
    r = BN_bin2bn(sig, (int) alg->half, NULL);
    s = BN_bin2bn(sig + alg->half, (int) alg->half, NULL);

    if (ec == NULL || r == NULL || s == NULL || !ECDSA_SIG_set0(ec, r, s)) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(ec);
        return 0;
    }

    len = i2d_ECDSA_SIG(ec, NULL);

    if (len > 0 && (size_t) len <= size) {
        len = i2d_ECDSA_SIG(ec, &der);

    } else {
        len = 0;
    }

    ECDSA_SIG_free(ec);

    return len > 0 ? (size_t) len : 0;
}


static ngx_int_t
ngx_webrtc_jwt_claims(ngx_webrtc_jwt_t *jwt, ngx_webrtc_jwt_claims_t **claims,
    const char **what)
{
    size_t   n;
    json_t  *root;
    u_char   buf[NGX_WEBRTC_JWT_MOST * 3 / 4];

    *what = "the token's claims are not JSON in base64url";

    if (ngx_webrtc_jwk_decode(jwt->payload.data, jwt->payload.len, buf,
                              sizeof(buf), &n)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    /* RFC 7519, 4: a claim that is there twice could be read in two ways */

    root = json_loadb((char *) buf, n, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(root)) {
        json_decref(root);
        return NGX_DECLINED;
    }

    *claims = root;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_jwt_check(ngx_webrtc_jwt_claims_t *claims,
    ngx_webrtc_jwt_rules_t *rules, int64_t *expires, const char **what)
{
    int64_t  exp, nbf;

    if (ngx_webrtc_jwt_time(claims, "exp", NGX_WEBRTC_JWT_TIME, &exp)
        != NGX_OK
        || ngx_webrtc_jwt_time(claims, "nbf", 0, &nbf) != NGX_OK)
    {
        *what = "the token's \"exp\" or \"nbf\" is not a time";
        return NGX_DECLINED;
    }

    *expires = (exp == NGX_WEBRTC_JWT_TIME) ? 0 : exp + rules->leeway;

    if (!rules->ended && rules->now >= exp + rules->leeway) {
        *what = "the token has expired";
        return NGX_DECLINED;
    }

    if (rules->now < nbf - rules->leeway) {
        *what = "the token is not valid yet (\"nbf\")";
        return NGX_DECLINED;
    }

    if (rules->issuer.len
        && !ngx_webrtc_jwt_is(json_object_get(claims, "iss"), &rules->issuer))
    {
        *what = "the token is of another issuer (\"iss\")";
        return NGX_DECLINED;
    }

    if (rules->audience.len
        && !ngx_webrtc_jwt_has(json_object_get(claims, "aud"),
                               &rules->audience))
    {
        *what = "the token is for another audience (\"aud\")";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* RFC 7519, 2: NumericDate may have a fraction */

static ngx_int_t
ngx_webrtc_jwt_time(json_t *claims, const char *name, int64_t none,
    int64_t *value)
{
    double   seconds;
    json_t  *number;

    number = json_object_get(claims, name);

    if (number == NULL) {
        *value = none;
        return NGX_OK;
    }

    seconds = json_number_value(number);

    if (!json_is_number(number)
        || !(seconds >= 0 && seconds < (double) NGX_WEBRTC_JWT_TIME))
    {
        return NGX_DECLINED;
    }

    *value = (int64_t) seconds;

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_jwt_is(json_t *value, ngx_str_t *text)
{
    return json_is_string(value)
           && json_string_length(value) == text->len
           && ngx_memcmp(json_string_value(value), text->data, text->len) == 0;
}


/* RFC 7519, 4.1.3: a string, or an array of them */

static ngx_uint_t
ngx_webrtc_jwt_has(json_t *value, ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < json_array_size(value); i++) {
        if (ngx_webrtc_jwt_is(json_array_get(value, i), text)) {
            return 1;
        }
    }

    return ngx_webrtc_jwt_is(value, text);
}


ngx_int_t
ngx_webrtc_jwt_permits(ngx_webrtc_jwt_claims_t *claims,
    ngx_webrtc_jwt_wanted_t *wanted, const char **what)
{
    json_t      *value, *parsed;
    ngx_uint_t   ok;

    value = json_object_get(claims, (char *) wanted->claim.data);

    if (value == NULL) {
        *what = "the token has no such claim";
        return NGX_DECLINED;
    }

    parsed = NULL;

    if (json_is_string(value)) {
        parsed = json_loadb(json_string_value(value),
                            json_string_length(value), JSON_REJECT_DUPLICATES,
                            NULL);
        value = parsed;
    }

    if (json_is_array(value) || json_is_object(value)) {
        ok = ngx_webrtc_jwt_list(value, wanted);
        *what = "the token does not permit this";

    } else {
        ok = 0;
        *what = "the token's claim is neither an array nor an object";
    }

    json_decref(parsed);

    return ok ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
ngx_webrtc_jwt_list(json_t *list, ngx_webrtc_jwt_wanted_t *wanted)
{
    size_t      i;
    ngx_uint_t  patterns;

    patterns = 0;

    for (i = 0; i < json_array_size(list); i++) {
        if (ngx_webrtc_jwt_permit(json_array_get(list, i), wanted, &patterns))
        {
            return 1;
        }
    }

    return ngx_webrtc_jwt_permit(list, wanted, &patterns);
}


/* {"action":"read","path":"cam"} */

static ngx_uint_t
ngx_webrtc_jwt_permit(json_t *permit, ngx_webrtc_jwt_wanted_t *wanted,
    ngx_uint_t *patterns)
{
    json_t             *path;
    ngx_str_t           pattern;
    const char         *action;
    const char *const  *name;

    action = json_string_value(json_object_get(permit, "action"));

    if (action == NULL) {
        return 0;
    }

    for (name = wanted->actions; ngx_strcmp(action, *name) != 0; /* void */ ) {
        if (*++name == NULL) {
            return 0;
        }
    }

    path = json_object_get(permit, "path");

    if (path == NULL) {
        return 1;
    }

    if (!json_is_string(path)) {
        return 0;
    }

    pattern.data = (u_char *) json_string_value(path);
    pattern.len = json_string_length(path);

    if (pattern.len == 0) {
        return 1;
    }

    if (pattern.data[0] != '~') {
        return ngx_webrtc_jwt_is(path, &wanted->path);
    }

    pattern.data++;
    pattern.len--;

    return wanted->match && (*patterns)++ < NGX_WEBRTC_JWT_PATTERNS
           && wanted->match(wanted->ctx, &pattern, &wanted->path);
}


size_t
ngx_webrtc_jwt_text(ngx_webrtc_jwt_claims_t *claims, const char *name,
    u_char *buf, size_t size)
{
    size_t   n;
    json_t  *value;

    value = json_object_get(claims, name);

    if (value == NULL) {
        return 0;
    }

    if (!json_is_string(value)) {
        return json_dumpb(value, (char *) buf, buf ? size : 0,
                          JSON_COMPACT|JSON_ENCODE_ANY);
    }

    n = json_string_length(value);

    if (buf) {
        ngx_memcpy(buf, json_string_value(value), ngx_min(n, size));
    }

    return n;
}


void
ngx_webrtc_jwt_free(ngx_webrtc_jwt_claims_t *claims)
{
    json_decref(claims);
}
