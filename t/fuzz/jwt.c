
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: tokens and keys.  The first byte says what the rest is: a token,
 * a file of keys, claims (which are signed here, as they are read only then).
 * Property: what is refused has a cause; nothing but what was signed with our
 * secret verifies; a set has as many keys as it says.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>

#include <ngx_webrtc_jwk.h>
#include <ngx_webrtc_jwt.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_webrtc_jwk_keys_t  keys, others;
static EVP_PKEY              *hmac;
static char                   token[65536];


static ngx_uint_t
match(void *ctx, ngx_str_t *pattern, ngx_str_t *path)
{
    (void) ctx;

    return pattern->len == path->len;
}


static void
read_claims(ngx_webrtc_jwt_claims_t *claims)
{
    int64_t                   expires;
    size_t                    n;
    const char               *what;
    ngx_webrtc_jwt_rules_t    rules;
    ngx_webrtc_jwt_wanted_t   wanted;
    u_char                    buf[64];

    static const char *const  actions[] = { "read", NULL };

    ngx_memzero(&rules, sizeof(rules));
    rules.now = 1000;
    ngx_str_set(&rules.issuer, "me");
    ngx_str_set(&rules.audience, "us");

    what = NULL;

    if (ngx_webrtc_jwt_check(claims, &rules, &expires, &what) != NGX_OK
        && what == NULL)
    {
        abort();
    }

    ngx_str_set(&wanted.claim, "p");
    ngx_str_set(&wanted.path, "cam");
    wanted.actions = actions;
    wanted.match = match;
    wanted.ctx = NULL;

    what = NULL;

    if (ngx_webrtc_jwt_permits(claims, &wanted, &what) != NGX_OK
        && what == NULL)
    {
        abort();
    }

    n = ngx_webrtc_jwt_text(claims, "p", NULL, 0);

    if (n != ngx_webrtc_jwt_text(claims, "p", buf, sizeof(buf))) {
        abort();
    }

    ngx_webrtc_jwt_free(claims);
}


static ngx_int_t
verify(u_char *p, size_t n)
{
    const char               *what;
    ngx_webrtc_jwt_t          jwt;
    ngx_webrtc_jwt_claims_t  *claims;

    what = NULL;

    if (ngx_webrtc_jwt_parse(p, n, &jwt, &what) != NGX_OK
        || ngx_webrtc_jwt_verify(&jwt, &keys, &claims, &what) != NGX_OK)
    {
        if (what == NULL) {
            abort();
        }

        return NGX_DECLINED;
    }

    read_claims(claims);

    return NGX_OK;
}


static size_t
base64url(const u_char *p, size_t n, char *to)
{
    int     len;
    size_t  i;

    len = EVP_EncodeBlock((u_char *) to, p, (int) n);

    while (len && to[len - 1] == '=') {
        len--;
    }

    for (i = 0; i < (size_t) len; i++) {
        to[i] = (to[i] == '+') ? '-' : (to[i] == '/') ? '_' : to[i];
    }

    return (size_t) len;
}


static void
sign(const uint8_t *data, size_t size)
{
    size_t       n, len;
    EVP_MD_CTX  *ctx;
    u_char       mac[32];

    n = base64url((const u_char *) "{\"alg\":\"HS256\"}", 15, token);
    token[n++] = '.';
    n += base64url(data, size, token + n);

    len = sizeof(mac);
    ctx = EVP_MD_CTX_new();
    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, hmac);
    EVP_DigestSign(ctx, mac, &len, (u_char *) token, n);
    EVP_MD_CTX_free(ctx);

    token[n++] = '.';
    n += base64url(mac, len, token + n);

    (void) verify((u_char *) token, n);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *copy;
    u_char       secret[64];
    const char  *what;

    static const char  set[] =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

    if (hmac == NULL) {
        ngx_memset(secret, 's', sizeof(secret));
        hmac = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, secret, 64);

        if (ngx_webrtc_jwk_secret(&keys, secret, 64, &what) != NGX_OK
            || ngx_webrtc_jwk_file(&keys, (u_char *) set, sizeof(set) - 1,
                                   &what)
               != NGX_OK)
        {
            abort();
        }
    }

    if (size == 0 || size > 8192) {
        return 0;
    }

    copy = malloc(size);
    memcpy(copy, data + 1, size - 1);

    switch (data[0] % 3) {

    case 0:
        (void) verify((u_char *) copy, size - 1);
        break;

    case 1:
        what = NULL;

        if ((ngx_webrtc_jwk_file(&others, (u_char *) copy, size - 1, &what)
             == NGX_OK) != (others.n != 0)
            || (others.n == 0 && what == NULL))
        {
            /* what was read before a block that is refused is there */
            if (others.n == 0) {
                abort();
            }
        }

        ngx_webrtc_jwk_free(&others);
        break;

    default:
        sign(data + 1, size - 1);
    }

    free(copy);

    return 0;
}
