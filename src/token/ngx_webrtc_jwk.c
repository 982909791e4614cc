
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Keys of tokens.
 *
 * RFC 7517 (JWK), RFC 7518, 6 (parameters of keys), RFC 8037 (Ed25519).
 */


#include "ngx_webrtc_jwk.h"
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>


/* RFC 7518, 3.3: bits of a modulus, at least; at most: chosen, a check of
 * 8192 bits takes a quarter of a millisecond */
#define NGX_WEBRTC_JWK_RSA_LEAST   2048
#define NGX_WEBRTC_JWK_RSA_MOST    8192

/* RFC 7518, 3.2: bytes of a secret, at least; at most: chosen */
#define NGX_WEBRTC_JWK_SECRET      32
#define NGX_WEBRTC_JWK_SECRET_MOST 1024


/* a kind of key in JSON */
typedef struct {
    const char   *kty;
    const char   *crv;                        /* NULL: it has none */
    EVP_PKEY   *(*read)(json_t *jwk, const void *row);
    const char   *group;                      /* OpenSSL's name of the curve */
    size_t        size;                       /* bytes of a coordinate */
} ngx_webrtc_jwk_kind_t;


typedef struct {
    const char   *name;
    uint32_t      alg;
} ngx_webrtc_jwk_alg_t;


static ngx_int_t ngx_webrtc_jwk_pem(ngx_webrtc_jwk_keys_t *keys, u_char *p,
    size_t n, const char **what);
static EVP_PKEY *ngx_webrtc_jwk_pem_key(const char *name, const u_char *der,
    long len, const char **what);
static ngx_int_t ngx_webrtc_jwk_add(ngx_webrtc_jwk_keys_t *keys,
    EVP_PKEY *pkey, uint32_t allowed, const char **what);
static uint32_t ngx_webrtc_jwk_algs(EVP_PKEY *pkey, const char **what);
static uint32_t ngx_webrtc_jwk_ec(EVP_PKEY *pkey, const char **what);
static uint32_t ngx_webrtc_jwk_hs(size_t n);
static ngx_int_t ngx_webrtc_jwk_one(ngx_webrtc_jwk_keys_t *keys, json_t *jwk,
    ngx_uint_t oct, const char **what);
static uint32_t ngx_webrtc_jwk_allowed(json_t *jwk);
static EVP_PKEY *ngx_webrtc_jwk_read_rsa(json_t *jwk, const void *row);
static EVP_PKEY *ngx_webrtc_jwk_read_ec(json_t *jwk, const void *row);
static EVP_PKEY *ngx_webrtc_jwk_read_okp(json_t *jwk, const void *row);
static EVP_PKEY *ngx_webrtc_jwk_read_oct(json_t *jwk, const void *row);
static EVP_PKEY *ngx_webrtc_jwk_make(const char *type, OSSL_PARAM_BLD *bld);
static ngx_int_t ngx_webrtc_jwk_member(json_t *jwk, const char *name,
    u_char *buf, size_t size, size_t *len);


static const ngx_webrtc_jwk_kind_t  ngx_webrtc_jwk_kinds[] = {
    { "RSA", NULL, ngx_webrtc_jwk_read_rsa, NULL, 0 },
    { "EC", "P-256", ngx_webrtc_jwk_read_ec, "prime256v1", 32 },
    { "EC", "P-384", ngx_webrtc_jwk_read_ec, "secp384r1", 48 },
    { "OKP", "Ed25519", ngx_webrtc_jwk_read_okp, NULL, 32 },
    { "oct", NULL, ngx_webrtc_jwk_read_oct, NULL, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};


static const ngx_webrtc_jwk_alg_t  ngx_webrtc_jwk_names[] = {
    { "HS256", NGX_WEBRTC_JWK_HS256 },
    { "HS384", NGX_WEBRTC_JWK_HS384 },
    { "HS512", NGX_WEBRTC_JWK_HS512 },
    { "RS256", NGX_WEBRTC_JWK_RS256 },
    { "RS384", NGX_WEBRTC_JWK_RS384 },
    { "RS512", NGX_WEBRTC_JWK_RS512 },
    { "ES256", NGX_WEBRTC_JWK_ES256 },
    { "ES384", NGX_WEBRTC_JWK_ES384 },
    { "EdDSA", NGX_WEBRTC_JWK_EDDSA },
    { NULL, 0 }
};


ngx_int_t
ngx_webrtc_jwk_file(ngx_webrtc_jwk_keys_t *keys, u_char *p, size_t n,
    const char **what)
{
    size_t  i;

    for (i = 0; i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r'
                          || p[i] == '\n'); i++)
    {
        /* void */
    }

    if (i < n && p[i] == '{') {
        return ngx_webrtc_jwk_set(keys, p, n, 1, what);
    }

    return ngx_webrtc_jwk_pem(keys, p, n, what);
}


/* text between the blocks is passed over, as OpenSSL's tools write it */

static ngx_int_t
ngx_webrtc_jwk_pem(ngx_webrtc_jwk_keys_t *keys, u_char *p, size_t n,
    const char **what)
{
    BIO         *bio;
    long         len;
    char        *name, *header;
    u_char      *der;
    EVP_PKEY    *pkey;
    ngx_int_t    rc;
    ngx_uint_t   first;

    bio = BIO_new_mem_buf(p, (int) ngx_min(n, NGX_WEBRTC_JWK_TEXT));
    if (bio == NULL) {
        *what = "no memory";
        return NGX_DECLINED;
    }

    first = keys->n;
    rc = NGX_OK;

    while (rc == NGX_OK && PEM_read_bio(bio, &name, &header, &der, &len)) {

        pkey = ngx_webrtc_jwk_pem_key(name, der, len, what);

        rc = pkey ? ngx_webrtc_jwk_add(keys, pkey, ~0u, what) : NGX_DECLINED;

        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t) len);
    }

    BIO_free(bio);
    ERR_clear_error();

    if (rc == NGX_OK && keys->n == first) {
        *what = "it has neither a block \"PUBLIC KEY\" or \"CERTIFICATE\" in "
                "PEM, nor a JWK set";
        return NGX_DECLINED;
    }

    return rc;
}


static EVP_PKEY *
ngx_webrtc_jwk_pem_key(const char *name, const u_char *der, long len,
    const char **what)
{
    X509      *x;
    EVP_PKEY  *pkey;

    pkey = NULL;

    if (ngx_strcmp(name, "PUBLIC KEY") == 0) {
        pkey = d2i_PUBKEY(NULL, &der, len);

    } else if (ngx_strcmp(name, "RSA PUBLIC KEY") == 0) {
        pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &der, len);

    } else if (ngx_strcmp(name, "CERTIFICATE") == 0) {
        x = d2i_X509(NULL, &der, len);

        if (x) {
            pkey = X509_get_pubkey(x);
            X509_free(x);
        }

    } else if (ngx_strstr(name, "PRIVATE KEY")) {
        *what = "it has a private key, which is the issuer's alone; the "
                "public one is made by \"openssl pkey -pubout\"";
        return NULL;

    } else {
        *what = "it has a block of PEM that is neither \"PUBLIC KEY\" nor "
                "\"CERTIFICATE\"";
        return NULL;
    }

    if (pkey == NULL) {
        *what = "it has a key that OpenSSL cannot read";
    }

    return pkey;
}


/* takes pkey; its "kid" is set by the caller */

static ngx_int_t
ngx_webrtc_jwk_add(ngx_webrtc_jwk_keys_t *keys, EVP_PKEY *pkey,
    uint32_t allowed, const char **what)
{
    uint32_t           algs;
    ngx_webrtc_jwk_t  *key;

    algs = ngx_webrtc_jwk_algs(pkey, what);

    if (algs && (algs & allowed) == 0) {
        *what = "it has a key whose \"alg\" does not fit its kind";
    }

    if ((algs & allowed) && keys->n == NGX_WEBRTC_JWK_KEYS) {
        *what = "there are more than 64 keys";
        algs = 0;
    }

    if ((algs & allowed) == 0) {
        EVP_PKEY_free(pkey);
        return NGX_DECLINED;
    }

    key = &keys->keys[keys->n++];

    key->pkey = pkey;
    key->algs = algs & allowed;
    key->kid_len = 0;

    return NGX_OK;
}


/* 0: it cannot be used */

static uint32_t
ngx_webrtc_jwk_algs(EVP_PKEY *pkey, const char **what)
{
    int     bits;
    size_t  n;

    if (EVP_PKEY_is_a(pkey, "HMAC")) {
        n = 0;
        (void) EVP_PKEY_get_raw_private_key(pkey, NULL, &n);

        if (n < NGX_WEBRTC_JWK_SECRET) {
            *what = "it has a secret of less than 32 bytes";
        }

        return ngx_webrtc_jwk_hs(n);
    }

    if (EVP_PKEY_is_a(pkey, "RSA")) {
        bits = EVP_PKEY_get_bits(pkey);

        if (bits < NGX_WEBRTC_JWK_RSA_LEAST || bits > NGX_WEBRTC_JWK_RSA_MOST)
        {
            *what = "it has an RSA key of less than 2048 bits or more than "
                    "8192";
            return 0;
        }

        return NGX_WEBRTC_JWK_RS;
    }

    if (EVP_PKEY_is_a(pkey, "EC")) {
        return ngx_webrtc_jwk_ec(pkey, what);
    }

    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        return NGX_WEBRTC_JWK_EDDSA;
    }

    *what = "it has a key that is none of RSA, EC and Ed25519";

    return 0;
}


static uint32_t
ngx_webrtc_jwk_ec(EVP_PKEY *pkey, const char **what)
{
    char  group[32];

    if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1) {

        if (ngx_strcmp(group, "prime256v1") == 0) {
            return NGX_WEBRTC_JWK_ES256;
        }

        if (ngx_strcmp(group, "secp384r1") == 0) {
            return NGX_WEBRTC_JWK_ES384;
        }
    }

    *what = "it has an EC key that is neither on P-256 nor on P-384";

    return 0;
}


/* RFC 7518, 3.2: a secret is as long as the hash, or longer */

static uint32_t
ngx_webrtc_jwk_hs(size_t n)
{
    return n >= 64 ? NGX_WEBRTC_JWK_HS
           : n >= 48 ? NGX_WEBRTC_JWK_HS256 | NGX_WEBRTC_JWK_HS384
           : n >= NGX_WEBRTC_JWK_SECRET ? NGX_WEBRTC_JWK_HS256 : 0;
}


ngx_int_t
ngx_webrtc_jwk_secret(ngx_webrtc_jwk_keys_t *keys, u_char *p, size_t n,
    const char **what)
{
    EVP_PKEY  *pkey;

    /* editors and echo end it with one */

    if (n && p[n - 1] == '\n') {
        n--;
    }

    if (n && p[n - 1] == '\r') {
        n--;
    }

    if (n > NGX_WEBRTC_JWK_SECRET_MOST) {
        *what = "it has more than 1024 bytes";
        return NGX_DECLINED;
    }

    if (n < NGX_WEBRTC_JWK_SECRET) {
        *what = "it has less than 32 bytes, so it could be guessed (RFC 7518, "
                "3.2); one is made by \"openssl rand -hex 32\"";
        return NGX_DECLINED;
    }

    /* a public key is no secret: whoever has it could make tokens */

    if (*p == '{' || ngx_strncmp(p, "-----BEGIN", 10) == 0) {
        *what = "it is a key in PEM or JSON, no secret: leave out \"secret=\"";
        return NGX_DECLINED;
    }

    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, p, n);

    if (pkey == NULL) {
        *what = "no memory";
        return NGX_DECLINED;
    }

    return ngx_webrtc_jwk_add(keys, pkey, ~0u, what);
}


/* RFC 7517, 5: keys that are not understood are passed over */

ngx_int_t
ngx_webrtc_jwk_set(ngx_webrtc_jwk_keys_t *keys, u_char *p, size_t n,
    ngx_uint_t oct, const char **what)
{
    size_t        i;
    json_t       *root, *set;
    ngx_uint_t    first;

    if (n > NGX_WEBRTC_JWK_TEXT) {
        *what = "it has more than 256 kB";
        return NGX_DECLINED;
    }

    root = json_loadb((char *) p, n, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(root)) {
        *what = "it is not JSON, or no object";
        json_decref(root);
        return NGX_DECLINED;
    }

    *what = "its \"keys\" are empty";

    first = keys->n;
    set = json_object_get(root, "keys");

    if (set == NULL) {
        (void) ngx_webrtc_jwk_one(keys, root, oct, what);

    } else {
        for (i = 0; i < json_array_size(set); i++) {
            (void) ngx_webrtc_jwk_one(keys, json_array_get(set, i), oct, what);
        }
    }

    json_decref(root);
    ERR_clear_error();

    return (keys->n == first) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_webrtc_jwk_one(ngx_webrtc_jwk_keys_t *keys, json_t *jwk, ngx_uint_t oct,
    const char **what)
{
    size_t                        len;
    json_t                       *kid;
    EVP_PKEY                     *pkey;
    const char                   *kty, *crv, *use;
    ngx_webrtc_jwk_t             *key;
    const ngx_webrtc_jwk_kind_t  *kind;

    kty = json_string_value(json_object_get(jwk, "kty"));
    crv = json_string_value(json_object_get(jwk, "crv"));
    use = json_string_value(json_object_get(jwk, "use"));
    kid = json_object_get(jwk, "kid");

    if (kty == NULL) {
        *what = "it has a key without \"kty\"";
        return NGX_DECLINED;
    }

    for (kind = ngx_webrtc_jwk_kinds; kind->kty; kind++) {
        if (ngx_strcmp(kty, kind->kty) == 0
            && (kind->crv == NULL
                || (crv && ngx_strcmp(crv, kind->crv) == 0)))
        {
            break;
        }
    }

    if (kind->kty == NULL
        || (use && ngx_strcmp(use, "sig") != 0)
        || (!oct && kind->read == ngx_webrtc_jwk_read_oct))
    {
        *what = "it has no key to verify signatures with, of \"kty\" RSA, EC "
                "on P-256 or P-384, OKP on Ed25519";
        return NGX_DECLINED;
    }

    len = json_string_length(kid);

    if ((kid && !json_is_string(kid)) || len > NGX_WEBRTC_JWK_KID) {
        *what = "it has a key whose \"kid\" is no string of up to 128 bytes";
        return NGX_DECLINED;
    }

    pkey = kind->read(jwk, kind);

    if (pkey == NULL) {
        *what = "it has a key with parameters that are missing or wrong";
        return NGX_DECLINED;
    }

    if (ngx_webrtc_jwk_add(keys, pkey, ngx_webrtc_jwk_allowed(jwk), what)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    key = &keys->keys[keys->n - 1];

    ngx_memcpy(key->kid, len ? json_string_value(kid) : "", len);
    key->kid_len = (uint8_t) len;

    return NGX_OK;
}


/* RFC 7517, 4.4; an algorithm that we do not know allows none */

static uint32_t
ngx_webrtc_jwk_allowed(json_t *jwk)
{
    const char  *alg;

    alg = json_string_value(json_object_get(jwk, "alg"));

    return alg ? ngx_webrtc_jwk_alg(alg) : ~0u;
}


/* RFC 7518, 6.3.1 */

static EVP_PKEY *
ngx_webrtc_jwk_read_rsa(json_t *jwk, const void *row)
{
    size_t           nlen, elen;
    BIGNUM          *n, *e;
    EVP_PKEY        *pkey;
    OSSL_PARAM_BLD  *bld;
    u_char           modulus[NGX_WEBRTC_JWK_RSA_MOST / 8];
    u_char           exponent[8];

    (void) row;

    if (ngx_webrtc_jwk_member(jwk, "n", modulus, sizeof(modulus), &nlen)
        != NGX_OK
        || ngx_webrtc_jwk_member(jwk, "e", exponent, sizeof(exponent), &elen)
           != NGX_OK)
    {
        return NULL;
    }

    n = BN_bin2bn(modulus, (int) nlen, NULL);
    e = BN_bin2bn(exponent, (int) elen, NULL);
    bld = OSSL_PARAM_BLD_new();

    pkey = NULL;

    /* an even exponent, or 1, signs nothing */

    if (n && e && bld && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e)
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n)
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e))
    {
        pkey = ngx_webrtc_jwk_make("RSA", bld);
    }

    OSSL_PARAM_BLD_free(bld);
    BN_free(n);
    BN_free(e);

    return pkey;
}


/* RFC 7518, 6.2.1; that the point is on the curve is checked by OpenSSL */

static EVP_PKEY *
ngx_webrtc_jwk_read_ec(json_t *jwk, const void *row)
{
    const ngx_webrtc_jwk_kind_t *kind = row;

    size_t           x, y;
    EVP_PKEY        *pkey;
    OSSL_PARAM_BLD  *bld;
    u_char           point[1 + 48 + 48];

    point[0] = POINT_CONVERSION_UNCOMPRESSED;

    if (ngx_webrtc_jwk_member(jwk, "x", point + 1, kind->size, &x) != NGX_OK
        || ngx_webrtc_jwk_member(jwk, "y", point + 1 + kind->size, kind->size,
                                 &y)
           != NGX_OK
        || x != kind->size || y != kind->size)
    {
        return NULL;
    }

    bld = OSSL_PARAM_BLD_new();
    pkey = NULL;

    if (bld
        && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                           kind->group, 0)
        && OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, 1 + x + y))
    {
        pkey = ngx_webrtc_jwk_make("EC", bld);
    }

    OSSL_PARAM_BLD_free(bld);

    return pkey;
}


/* RFC 8037, 2 */

static EVP_PKEY *
ngx_webrtc_jwk_read_okp(json_t *jwk, const void *row)
{
    const ngx_webrtc_jwk_kind_t *kind = row;

    size_t  n;
    u_char  point[32];

    if (ngx_webrtc_jwk_member(jwk, "x", point, sizeof(point), &n) != NGX_OK
        || n != kind->size)
    {
        return NULL;
    }

    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point, n);
}


/* RFC 7518, 6.4.1 */

static EVP_PKEY *
ngx_webrtc_jwk_read_oct(json_t *jwk, const void *row)
{
    size_t     n;
    EVP_PKEY  *pkey;
    u_char     secret[NGX_WEBRTC_JWK_SECRET_MOST];

    (void) row;

    if (ngx_webrtc_jwk_member(jwk, "k", secret, sizeof(secret), &n)
        != NGX_OK)
    {
        return NULL;
    }

    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, secret, n);

    OPENSSL_cleanse(secret, n);

    return pkey;
}


static EVP_PKEY *
ngx_webrtc_jwk_make(const char *type, OSSL_PARAM_BLD *bld)
{
    EVP_PKEY      *pkey;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx;

    pkey = NULL;

    params = OSSL_PARAM_BLD_to_param(bld);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (params == NULL || ctx == NULL
        || EVP_PKEY_fromdata_init(ctx) <= 0
        || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
    {
        pkey = NULL;
    }

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);

    return pkey;
}


static ngx_int_t
ngx_webrtc_jwk_member(json_t *jwk, const char *name, u_char *buf, size_t size,
    size_t *len)
{
    json_t  *member;

    member = json_object_get(jwk, name);

    if (!json_is_string(member)
        || ngx_webrtc_jwk_decode((u_char *) json_string_value(member),
                                 json_string_length(member), buf, size, len)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return *len ? NGX_OK : NGX_DECLINED;
}


uint32_t
ngx_webrtc_jwk_alg(const char *name)
{
    const ngx_webrtc_jwk_alg_t  *row;

    for (row = ngx_webrtc_jwk_names; row->name; row++) {
        if (ngx_strcmp(name, row->name) == 0) {
            return row->alg;
        }
    }

    return 0;
}


void
ngx_webrtc_jwk_free(ngx_webrtc_jwk_keys_t *keys)
{
    while (keys->n) {
        EVP_PKEY_free(keys->keys[--keys->n].pkey);
    }
}


ngx_int_t
ngx_webrtc_jwk_decode(const u_char *p, size_t n, u_char *buf, size_t size,
    size_t *len)
{
    u_char         c;
    size_t         i;
    uint32_t       bits, v;
    const u_char  *end;

    if (n % 4 == 1 || n / 4 * 3 + n % 4 * 3 / 4 > size) {
        return NGX_DECLINED;
    }

    end = p + n;
    bits = 0;
    v = 0;
    i = 0;

    for ( /* void */ ; p < end; p++) {

        if (*p >= 'A' && *p <= 'Z') {
            c = *p - 'A';

        } else if (*p >= 'a' && *p <= 'z') {
            c = *p - 'a' + 26;

        } else if (*p >= '0' && *p <= '9') {
            c = *p - '0' + 52;

        } else if (*p == '-') {
            c = 62;

        } else if (*p == '_') {
            c = 63;

        } else {
            return NGX_DECLINED;
        }

        v = (v << 6 | c) & 0xfff;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            buf[i++] = (u_char) (v >> bits);
        }
    }

    *len = i;

    return (v & ((1u << bits) - 1)) ? NGX_DECLINED : NGX_OK;
}
