
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Tokens (ngx_webrtc_jwt) and their keys (ngx_webrtc_jwk): the examples of the
 * RFCs, tokens that OpenSSL has signed here, and what attackers send.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ngx_webrtc_jwk.h>
#include <ngx_webrtc_jwt.h>

#include "tap.h"


#define CLAIMS  "{\"exp\":2000,\"p\":[{\"action\":\"read\",\"path\":\"cam\"}]}"

/* RFC 7515, A.1, A.2, A.3; RFC 8037, A.2 */

#define OCT                                                                   \
    "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1"  \
    "qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}"

#define RSA_N                                                                 \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4q" \
    "PCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ4" \
    "7soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBE" \
    "Ma2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWN" \
    "moudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

#define RSA_KEY  "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"

#define EC_X     "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y     "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

#define EC_KEY                                                                \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"

#define ED_KEY                                                                \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","                                   \
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

#define JOE                                                                   \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmN" \
    "vbS9pc19yb290Ijp0cnVlfQ"

static const char  hs_token[] =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." JOE
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

static const char  rs_token[] =
    "eyJhbGciOiJSUzI1NiJ9." JOE
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4"
    "Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_n"
    "ZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_"
    "dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np"
    "6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

static const char  es_token[] =
    "eyJhbGciOiJFUzI1NiJ9." JOE
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfK"
    "TUJqPP3-Kg6NU1Q";

static const char  ed_token[] =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0J"
    "zlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";


static EVP_PKEY  *rsa, *rsa_small, *ec, *ec384, *ec521, *ed, *hmac;
static char       token[16384];
static u_char     pem[16384];


static size_t
base64url(const u_char *p, size_t n, char *to)
{
    int  len;

    len = EVP_EncodeBlock((u_char *) to, p, (int) n);

    while (len && to[len - 1] == '=') {
        len--;
    }

    to[len] = '\0';

    for (n = 0; to[n]; n++) {
        to[n] = (to[n] == '+') ? '-' : (to[n] == '/') ? '_' : to[n];
    }

    return (size_t) len;
}


/* half: bytes of r and s */

static size_t
signature(EVP_PKEY *key, const EVP_MD *md, size_t half, const char *text,
    u_char *sig, size_t size)
{
    EVP_MD_CTX    *ctx;
    ECDSA_SIG     *ecs;
    const u_char  *p;

    ctx = EVP_MD_CTX_new();
    EVP_DigestSignInit(ctx, NULL, md, NULL, key);
    EVP_DigestSign(ctx, sig, &size, (const u_char *) text, strlen(text));
    EVP_MD_CTX_free(ctx);

    if (half) {
        p = sig;
        ecs = d2i_ECDSA_SIG(NULL, &p, (long) size);
        BN_bn2binpad(ECDSA_SIG_get0_r(ecs), sig, (int) half);
        BN_bn2binpad(ECDSA_SIG_get0_s(ecs), sig + half, (int) half);
        ECDSA_SIG_free(ecs);
        size = 2 * half;
    }

    return size;
}


static char *
make(const char *header, const char *claims, EVP_PKEY *key, const EVP_MD *md,
    size_t half)
{
    size_t  n;
    u_char  sig[1024];

    n = base64url((const u_char *) header, strlen(header), token);
    token[n++] = '.';
    n += base64url((const u_char *) claims, strlen(claims), token + n);

    if (key) {
        size_t  len;

        len = signature(key, md, half, token, sig, sizeof(sig));
        token[n++] = '.';
        base64url(sig, len, token + n);

    } else {
        strcpy(token + n, ".");
    }

    return token;
}


static char *
hs256(const char *claims)
{
    return make("{\"alg\":\"HS256\"}", claims, hmac, EVP_sha256(), 0);
}


static ngx_int_t
verify(const char *text, ngx_webrtc_jwk_keys_t *keys,
    ngx_webrtc_jwt_claims_t **claims, const char **what)
{
    char              *copy;
    size_t             n;
    ngx_int_t          rc;
    ngx_webrtc_jwt_t   jwt;

    /* not null-terminated, at the end of its memory */

    n = strlen(text);
    copy = malloc(n ? n : 1);
    memcpy(copy, text, n);

    *claims = NULL;
    *what = NULL;

    rc = ngx_webrtc_jwt_parse((u_char *) copy, n, &jwt, what);

    if (rc == NGX_OK) {
        rc = ngx_webrtc_jwt_verify(&jwt, keys, claims, what);
    }

    free(copy);

    return rc;
}


static void
check(const char *text, ngx_webrtc_jwk_keys_t *keys, const char *want,
    const char *name)
{
    const char               *what;
    ngx_webrtc_jwt_claims_t  *claims;

    if (verify(text, keys, &claims, &what) == NGX_OK) {
        tap_is_str(NULL, want, "%s", name);
        ngx_webrtc_jwt_free(claims);
        return;
    }

    tap_ok(want && what && strstr(what, want), "%s: %s", name, what);
}


static void
load(ngx_webrtc_jwk_keys_t *keys, const char *text)
{
    const char  *what;

    if (ngx_webrtc_jwk_file(keys, (u_char *) text, strlen(text), &what)
        != NGX_OK)
    {
        tap_diag("%s", what);
        tap_fail("loads %.40s", text);
    }
}


static size_t
write_pem(EVP_PKEY *key, ngx_uint_t private)
{
    int      n;
    BIO     *bio;

    bio = BIO_new(BIO_s_mem());

    if (private) {
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);

    } else {
        PEM_write_bio_PUBKEY(bio, key);
    }

    n = BIO_read(bio, pem, sizeof(pem) - 1);
    BIO_free(bio);

    pem[n] = '\0';

    return (size_t) n;
}


static void
load_pem(ngx_webrtc_jwk_keys_t *keys, EVP_PKEY *key)
{
    write_pem(key, 0);
    load(keys, (char *) pem);
}


/* the examples of the RFCs, each with its key and with all of them */

static void
test_rfc(void)
{
    ngx_uint_t             i, j;
    ngx_webrtc_jwk_keys_t  keys, all;

    static const struct {
        const char  *key;
        const char  *token;
        const char  *want;
    } rows[] = {
        { OCT, hs_token, NULL },
        { RSA_KEY, rs_token, NULL },
        { EC_KEY, es_token, NULL },
        /* it verifies, and is a sentence */
        { ED_KEY, ed_token, "claims are not JSON" },
    };

    all.n = 0;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        keys.n = 0;
        load(&keys, rows[i].key);
        load(&all, rows[i].key);

        for (j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
            check(rows[j].token, &keys,
                  i == j ? rows[j].want : "no key for the token's", "an RFC's");
        }

        ngx_webrtc_jwk_free(&keys);
    }

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check(rows[i].token, &all, rows[i].want, "an RFC's, of several keys");
    }

    ngx_webrtc_jwk_free(&all);
}


/* each algorithm with each kind of key */

static void
test_algorithms(void)
{
    ngx_uint_t              i, k;
    char                    header[64];
    EVP_PKEY               *keys[5];
    ngx_webrtc_jwk_keys_t   set;
    u_char                  secret[64];
    const char             *what;

    static const struct {
        const char     *alg;
        ngx_uint_t      key;
        const EVP_MD *(*md)(void);
        size_t          half;
    } rows[] = {
        { "HS256", 0, EVP_sha256, 0 },
        { "HS384", 0, EVP_sha384, 0 },
        { "HS512", 0, EVP_sha512, 0 },
        { "RS256", 1, EVP_sha256, 0 },
        { "RS384", 1, EVP_sha384, 0 },
        { "RS512", 1, EVP_sha512, 0 },
        { "ES256", 2, EVP_sha256, 32 },
        { "ES384", 3, EVP_sha384, 48 },
        { "EdDSA", 4, NULL, 0 },
    };

    keys[0] = hmac;
    keys[1] = rsa;
    keys[2] = ec;
    keys[3] = ec384;
    keys[4] = ed;

    ngx_memset(secret, 's', sizeof(secret));

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sprintf(header, "{\"alg\":\"%s\"}", rows[i].alg);
        make(header, CLAIMS, keys[rows[i].key],
             rows[i].md ? rows[i].md() : NULL, rows[i].half);

        for (k = 0; k < 5; k++) {
            set.n = 0;

            if (k == 0) {
                ngx_webrtc_jwk_secret(&set, secret, sizeof(secret), &what);

            } else {
                load_pem(&set, keys[k]);
            }

            check(token, &set, k == rows[i].key ? NULL : "no key for",
                  rows[i].alg);
            ngx_webrtc_jwk_free(&set);
        }
    }
}


/* RFC 8725, and what others have fallen for */

static void
test_attacks(void)
{
    char                   *p, *sig;
    size_t                  n;
    ngx_uint_t              i;
    EVP_PKEY               *confused;
    ngx_webrtc_jwk_keys_t   keys, secret;
    const char             *what;
    u_char                  s[64];
    static char             large[20000];

    static const struct {
        const char  *header;
        const char  *want;
    } headers[] = {
        { "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"x\":[1]}", NULL },
        { "{\"alg\":\"none\"}", "\"alg\" is not" },
        { "{\"alg\":\"None\"}", "\"alg\" is not" },
        { "{\"alg\":\"\"}", "\"alg\" is not" },
        { "{\"alg\":\"hs256\"}", "\"alg\" is not" },
        { "{\"alg\":\"HS256 \"}", "\"alg\" is not" },
        { "{\"alg\":256}", "\"alg\" is not" },
        { "{\"alg\":[\"HS256\"]}", "\"alg\" is not" },
        { "{}", "\"alg\" is not" },
        { "[]", "header is not JSON" },
        { "", "header is not JSON" },
        { "null", "header is not JSON" },
        { "{\"alg\":\"HS256\"", "header is not JSON" },
        { "{\"alg\":\"HS256\"} ", NULL },
        { "{\"alg\":\"HS256\"}x", "header is not JSON" },
        { "{\"alg\":\"HS256\",\"alg\":\"none\"}", "header is not JSON" },
        { "{\"alg\":\"none\",\"alg\":\"HS256\"}", "header is not JSON" },
        { "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", "crit" },
        { "{\"alg\":\"HS256\",\"crit\":[]}", "crit" },
        { "{\"alg\":\"HS256\",\"kid\":7}", "\"kid\"" },
        { "{\"alg\":\"HS256\",\"kid\":\"../../../dev/null\"}", NULL },
        { "{\"alg\":\"HS256\",\"jku\":\"http://evil/keys\"}", NULL },
        { "{\"alg\":\"HS256\",\"jwk\":" OCT "}", NULL },
    };

    ngx_memset(s, 's', sizeof(s));
    secret.n = 0;
    keys.n = 0;
    ngx_webrtc_jwk_secret(&secret, s, sizeof(s), &what);
    load_pem(&keys, rsa);

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        make(headers[i].header, CLAIMS, hmac, EVP_sha256(), 0);
        check(token, &secret, headers[i].want, headers[i].header);
    }

    /* no signature */

    check(make("{\"alg\":\"none\"}", CLAIMS, NULL, NULL, 0), &keys,
          "\"alg\" is not", "alg none");
    check(make("{\"alg\":\"HS256\"}", CLAIMS, NULL, NULL, 0), &secret,
          "signature is not base64url", "an empty signature");
    check(make("{\"alg\":\"RS256\"}", CLAIMS, NULL, NULL, 0), &keys,
          "signature is not base64url", "an empty signature, RS256");

    /* the public key as secret: its PEM, with and without the last newline */

    n = write_pem(rsa, 0);

    for (i = 0; i < 2; i++) {
        confused = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, pem,
                                                n - i);
        make("{\"alg\":\"HS256\"}", CLAIMS, confused, EVP_sha256(), 0);
        EVP_PKEY_free(confused);

        check(token, &keys, "no key for", "key confusion");
    }

    /* r and s zero (CVE-2022-21449), and as DER */

    ngx_webrtc_jwk_free(&keys);
    load_pem(&keys, ec);

    make("{\"alg\":\"ES256\"}", CLAIMS, ec, EVP_sha256(), 0);
    check(token, &keys, "does not verify", "ES256 with a signature in DER");

    sig = strrchr(token, '.') + 1;
    ngx_memset(sig, 'A', 86);
    sig[86] = '\0';
    check(token, &keys, "does not verify", "r and s are zero");

    /* a bit of each part; what base64 would not care for */

    hs256(CLAIMS);

    for (p = token; *p; p++) {
        if (*p == '.') {
            continue;
        }

        *p ^= 1;

        if (verify(token, &secret, (ngx_webrtc_jwt_claims_t *[1]) { NULL },
                   &what)
            == NGX_OK)
        {
            tap_fail("byte %d changed", (int) (p - token));
        }

        *p ^= 1;
    }

    tap_pass("no byte can be changed");

    strcat(hs256(CLAIMS), "=");
    check(token, &secret, "signature is not base64url", "padding");
    strcat(hs256(CLAIMS), "\n");
    check(token, &secret, "signature is not base64url", "a newline");
    strcat(hs256(CLAIMS), ".");
    check(token, &secret, "three parts", "four parts");
    check("", &secret, "three parts", "nothing");
    check("..", &secret, "header is not JSON", "two points");
    check("a.b", &secret, "three parts", "two parts");

    /* sizes */

    ngx_memset(large, ' ', sizeof(large) - 1);
    large[0] = '{';
    large[5900] = '}';
    large[5901] = '\0';
    check(hs256(large), &secret, NULL, "8 kB");

    large[5900] = ' ';
    large[5901] = ' ';
    large[9000] = '}';
    large[9001] = '\0';
    check(hs256(large), &secret, "more than 8192", "too large");

    ngx_memset(large, '[', 4000);
    large[4000] = '\0';
    check(hs256(large), &secret, "claims are not JSON", "deep");

    ngx_webrtc_jwk_free(&keys);
    ngx_webrtc_jwk_free(&secret);
}


/* now 1000, 5 s of leeway, issuer "me", audience "us" */

static void
test_claims(void)
{
    int64_t                   expires;
    ngx_uint_t                i;
    ngx_int_t                 rc;
    const char               *what;
    ngx_webrtc_jwk_keys_t     keys;
    ngx_webrtc_jwt_rules_t    rules;
    ngx_webrtc_jwt_claims_t  *claims;
    u_char                    s[64];

    static const struct {
        const char  *claims;
        const char  *want;           /* of what is wrong */
        int64_t      expires;
    } rows[] = {
        { "", NULL, 0 },
        { ",\"exp\":1001", NULL, 1006 },
        { ",\"exp\":996", NULL, 1001 },
        { ",\"exp\":995", "expired", 0 },
        { ",\"exp\":0", "expired", 0 },
        { ",\"exp\":1000.9", NULL, 1005 },
        { ",\"exp\":9007199254740992", "not a time", 0 },
        { ",\"exp\":1e300", "not a time", 0 },
        { ",\"exp\":-1", "not a time", 0 },
        { ",\"exp\":\"9999\"", "not a time", 0 },
        { ",\"exp\":null", "not a time", 0 },
        { ",\"exp\":true", "not a time", 0 },
        { ",\"nbf\":1005", NULL, 0 },
        { ",\"nbf\":1006", "not valid yet", 0 },
        { ",\"nbf\":\"0\"", "not a time", 0 },
        { ",\"nbf\":-5", "not a time", 0 },
        { ",\"iat\":\"whenever\"", NULL, 0 },
    };

    static const struct {
        const char  *claims;
        const char  *want;
    } names[] = {
        { "{\"iss\":\"me\",\"aud\":\"us\"}", NULL },
        { "{\"iss\":\"me\",\"aud\":[\"a\",\"us\"]}", NULL },
        { "{\"iss\":\"Me\",\"aud\":\"us\"}", "issuer" },
        { "{\"iss\":\"me2\",\"aud\":\"us\"}", "issuer" },
        { "{\"iss\":[\"me\"],\"aud\":\"us\"}", "issuer" },
        { "{\"aud\":\"us\"}", "issuer" },
        { "{\"iss\":\"me\"}", "audience" },
        { "{\"iss\":\"me\",\"aud\":[]}", "audience" },
        { "{\"iss\":\"me\",\"aud\":\"u\"}", "audience" },
        { "{\"iss\":\"me\",\"aud\":[[\"us\"]]}", "audience" },
        { "{\"iss\":\"me\",\"aud\":{\"us\":\"us\"}}", "audience" },
    };

    ngx_memset(s, 's', sizeof(s));
    keys.n = 0;
    ngx_webrtc_jwk_secret(&keys, s, sizeof(s), &what);

    ngx_memzero(&rules, sizeof(rules));
    rules.now = 1000;
    rules.leeway = 5;
    ngx_str_set(&rules.issuer, "me");
    ngx_str_set(&rules.audience, "us");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char  text[256];

        sprintf(text, "{\"iss\":\"me\",\"aud\":\"us\"%s}", rows[i].claims);

        if (verify(hs256(text), &keys, &claims, &what) != NGX_OK) {
            tap_fail("%s: %s", text, what);
            continue;
        }

        what = NULL;
        expires = -1;
        rc = ngx_webrtc_jwt_check(claims, &rules, &expires, &what);

        if (rows[i].want) {
            tap_ok(rc == NGX_DECLINED && what && strstr(what, rows[i].want),
                   "refused: %s", text);
        } else {
            tap_ok(rc == NGX_OK && expires == rows[i].expires, "taken: %s %d",
                   text, (int) expires);
        }

        ngx_webrtc_jwt_free(claims);
    }

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        verify(hs256(names[i].claims), &keys, &claims, &what);
        what = NULL;
        rc = ngx_webrtc_jwt_check(claims, &rules, &expires, &what);

        tap_ok(names[i].want ? what && strstr(what, names[i].want)
                             : rc == NGX_OK, "%s", names[i].claims);
        ngx_webrtc_jwt_free(claims);
    }

    /* of a session that is there, whose token may be over */

    rules.ended = 1;
    rules.issuer.len = 0;
    rules.audience.len = 0;
    verify(hs256("{\"exp\":1}"), &keys, &claims, &what);
    tap_is_int(ngx_webrtc_jwt_check(claims, &rules, &expires, &what), NGX_OK,
               "one that has ended");
    ngx_webrtc_jwt_free(claims);

    ngx_webrtc_jwk_free(&keys);
}


static ngx_uint_t  matches;


static ngx_uint_t
match(void *ctx, ngx_str_t *pattern, ngx_str_t *path)
{
    (void) ctx;
    (void) path;

    matches++;

    return pattern->len == 4 && ngx_memcmp(pattern->data, "^cam", 4) == 0;
}


static void
test_permits(void)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    const char               *what;
    ngx_webrtc_jwk_keys_t     keys;
    ngx_webrtc_jwt_wanted_t   wanted;
    ngx_webrtc_jwt_claims_t  *claims;
    u_char                    s[64];
    static char               many[4096];

    static const char *const  actions[] = { "read", "play", NULL };

    static const struct {
        const char  *claims;
        ngx_int_t    want;
    } rows[] = {
        { "{\"p\":[{\"action\":\"read\",\"path\":\"cam\"}]}", NGX_OK },
        { "{\"p\":[{\"action\":\"play\",\"path\":\"cam\"}]}", NGX_OK },
        { "{\"p\":{\"action\":\"read\",\"path\":\"cam\"}}", NGX_OK },
        { "{\"p\":[{\"action\":\"read\"}]}", NGX_OK },
        { "{\"p\":[{\"action\":\"read\",\"path\":\"\"}]}", NGX_OK },
        { "{\"p\":[{\"action\":\"read\",\"path\":\"~^cam\"}]}", NGX_OK },
        { "{\"p\":\"[{\\\"action\\\":\\\"read\\\"}]\"}", NGX_OK },
        { "{\"p\":[0,{\"action\":\"publish\"},{\"action\":\"read\"}]}",
          NGX_OK },
        { "{}", NGX_DECLINED },
        { "{\"p\":[]}", NGX_DECLINED },
        { "{\"p\":{}}", NGX_DECLINED },
        { "{\"p\":true}", NGX_DECLINED },
        { "{\"p\":\"read\"}", NGX_DECLINED },
        { "{\"p\":\"\"}", NGX_DECLINED },
        { "{\"p\":\"\\\"[]\\\"\"}", NGX_DECLINED },
        { "{\"p\":[{\"action\":\"publish\",\"path\":\"cam\"}]}",
          NGX_DECLINED },
        { "{\"p\":[{\"action\":\"READ\"}]}", NGX_DECLINED },
        { "{\"p\":[{\"action\":\"\"}]}", NGX_DECLINED },
        { "{\"p\":[{\"action\":[\"read\"]}]}", NGX_DECLINED },
        { "{\"p\":[{\"path\":\"cam\"}]}", NGX_DECLINED },
        { "{\"p\":[{\"action\":\"read\",\"path\":\"cam2\"}]}", NGX_DECLINED },
        { "{\"p\":[{\"action\":\"read\",\"path\":\"ca\"}]}", NGX_DECLINED },
        { "{\"p\":[{\"action\":\"read\",\"path\":null}]}", NGX_DECLINED },
        { "{\"p\":[{\"action\":\"read\",\"path\":[\"cam\"]}]}",
          NGX_DECLINED },
        { "{\"p\":[{\"action\":\"read\",\"path\":\"~other\"}]}",
          NGX_DECLINED },
        { "{\"p\":[[{\"action\":\"read\"}]]}", NGX_DECLINED },
    };

    ngx_memset(s, 's', sizeof(s));
    keys.n = 0;
    ngx_webrtc_jwk_secret(&keys, s, sizeof(s), &what);

    ngx_str_set(&wanted.claim, "p");
    ngx_str_set(&wanted.path, "cam");
    wanted.actions = actions;
    wanted.match = match;
    wanted.ctx = NULL;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        verify(hs256(rows[i].claims), &keys, &claims, &what);
        what = NULL;
        rc = ngx_webrtc_jwt_permits(claims, &wanted, &what);

        tap_ok(rc == rows[i].want && (rc == NGX_OK || what), "%s",
               rows[i].claims);
        ngx_webrtc_jwt_free(claims);
    }

    /* each pattern costs something */

    strcpy(many, "{\"p\":[");

    for (i = 0; i < 50; i++) {
        strcat(many, "{\"action\":\"read\",\"path\":\"~a\"},");
    }

    strcat(many, "{\"action\":\"read\",\"path\":\"~^cam\"}]}");

    matches = 0;
    verify(hs256(many), &keys, &claims, &what);
    tap_is_int(ngx_webrtc_jwt_permits(claims, &wanted, &what), NGX_DECLINED,
               "too many patterns");
    tap_is_int(matches, NGX_WEBRTC_JWT_PATTERNS, "of which some are tried");

    wanted.match = NULL;
    tap_is_int(ngx_webrtc_jwt_permits(claims, &wanted, &what), NGX_DECLINED,
               "no patterns");
    ngx_webrtc_jwt_free(claims);

    ngx_webrtc_jwk_free(&keys);
}


static void
test_text(void)
{
    u_char                    buf[8], s[64];
    const char               *what;
    ngx_webrtc_jwk_keys_t     keys;
    ngx_webrtc_jwt_claims_t  *claims;

    ngx_memset(s, 's', sizeof(s));
    keys.n = 0;
    ngx_webrtc_jwk_secret(&keys, s, sizeof(s), &what);

    verify(hs256("{\"a\":\"text\",\"b\":12,\"c\":[1, {\"d\":true}]}"), &keys,
           &claims, &what);

    tap_is_int(ngx_webrtc_jwt_text(claims, "a", buf, 8), 4, "a string");
    tap_is_mem(buf, 4, "text", 4, "as it is");
    tap_is_int(ngx_webrtc_jwt_text(claims, "b", buf, 8), 2, "a number");
    tap_is_mem(buf, 2, "12", 2, "as JSON");
    tap_is_int(ngx_webrtc_jwt_text(claims, "c", NULL, 0), 14, "an array");
    tap_is_int(ngx_webrtc_jwt_text(claims, "d", buf, 8), 0, "none");

    ngx_webrtc_jwt_free(claims);
    ngx_webrtc_jwk_free(&keys);
}


/* keys that are refused, and why */

static void
test_keys(void)
{
    size_t                  n;
    u_char                  secret[1100];
    ngx_int_t               rc;
    ngx_uint_t              i;
    const char             *what;
    ngx_webrtc_jwk_keys_t   keys;

    static const struct {
        const char  *text;
        const char  *want;
    } rows[] = {
        { "", "neither a block" },
        { "hello", "neither a block" },
        { "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
          "OpenSSL cannot read" },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          "OpenSSL cannot read" },
        { "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n",
          "neither \"PUBLIC KEY\"" },
        { "{", "not JSON" },
        { "{}", "without \"kty\"" },
        { "{\"keys\":[]}", "empty" },
        { "{\"keys\":{}}", "empty" },
        { "{\"keys\":[1,\"x\",null]}", "without \"kty\"" },
        { "{\"kty\":\"RSA\"}", "missing or wrong" },
        { "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "2048" },
        { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}", "wrong" },
        { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAA\"}", "wrong" },
        { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "=\",\"e\":\"AQAB\"}", "wrong" },
        { "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"" RSA_N "\","
          "\"e\":\"AQAB\"}", "no key to verify" },
        { "{\"kty\":\"RSA\",\"alg\":\"PS256\",\"n\":\"" RSA_N "\","
          "\"e\":\"AQAB\"}", "\"alg\" does not fit" },
        { "{\"kty\":\"RSA\",\"alg\":\"HS256\",\"n\":\"" RSA_N "\","
          "\"e\":\"AQAB\"}", "\"alg\" does not fit" },
        { "{\"kty\":\"RSA\",\"kid\":1,\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}",
          "\"kid\"" },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", "wrong" },
        { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_X
          "\"}", "wrong" },                  /* not on the curve */
        { "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y
          "\"}", "wrong" },
        { "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" EC_X "\",\"y\":\""
          EC_Y "\"}", "no key to verify" },
        { "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" EC_X "\"}",
          "no key to verify" },
        { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"}", "wrong" },
        { "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}", "less than 32" },
        { "{\"kty\":\"oct\",\"k\":\"\"}", "wrong" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        keys.n = 0;
        what = NULL;
        rc = ngx_webrtc_jwk_file(&keys, (u_char *) rows[i].text,
                                 strlen(rows[i].text), &what);

        tap_ok(rc == NGX_DECLINED && what && strstr(what, rows[i].want),
               "%.60s: %s", rows[i].text, what);
    }

    keys.n = 0;

    n = write_pem(rsa, 1);
    ngx_webrtc_jwk_file(&keys, pem, n, &what);
    tap_ok(strstr(what, "private key") != NULL, "a private key");

    n = write_pem(rsa_small, 0);
    ngx_webrtc_jwk_file(&keys, pem, n, &what);
    tap_ok(strstr(what, "2048") != NULL, "RSA of 1024 bits");

    n = write_pem(ec521, 0);
    ngx_webrtc_jwk_file(&keys, pem, n, &what);
    tap_ok(strstr(what, "P-256") != NULL, "EC on P-521");

    n = write_pem(rsa, 0);
    ngx_webrtc_jwk_secret(&keys, pem, n, &what);
    tap_ok(strstr(what, "no secret") != NULL, "a public key is no secret");

    ngx_memset(secret, 'x', sizeof(secret));

    tap_is_int(ngx_webrtc_jwk_secret(&keys, secret, 31, &what), NGX_DECLINED,
               "a secret of 31 bytes");
    tap_is_int(ngx_webrtc_jwk_secret(&keys, secret, 0, &what), NGX_DECLINED,
               "no secret");
    tap_is_int(ngx_webrtc_jwk_secret(&keys, secret, 1025, &what),
               NGX_DECLINED, "a long one");

    tap_is_int(keys.n, 0, "nothing is left of them");

    /* how long a secret has to be, RFC 7518, 3.2 */

    secret[32] = '\r';
    secret[33] = '\n';
    ngx_webrtc_jwk_secret(&keys, secret, 34, &what);
    tap_is_int(keys.keys[0].algs, NGX_WEBRTC_JWK_HS256, "32 bytes and a line");
    ngx_memset(secret, 'x', sizeof(secret));
    ngx_webrtc_jwk_secret(&keys, secret, 63, &what);
    tap_is_int(keys.keys[1].algs,
               NGX_WEBRTC_JWK_HS256 | NGX_WEBRTC_JWK_HS384, "63 bytes");
    ngx_webrtc_jwk_secret(&keys, secret, 64, &what);
    tap_is_int(keys.keys[2].algs, NGX_WEBRTC_JWK_HS, "64 bytes");
    ngx_webrtc_jwk_free(&keys);

    /* a public set must not have secrets */

    tap_is_int(ngx_webrtc_jwk_set(&keys, (u_char *) OCT, sizeof(OCT) - 1, 0,
                                  &what), NGX_DECLINED, "oct from a URL");
    ngx_webrtc_jwk_free(&keys);
}


static void
test_sets(void)
{
    char                   *p;
    ngx_uint_t              i;
    const char             *what;
    ngx_webrtc_jwk_keys_t   keys;
    static char             set[65536];

    /* others are passed over, kid and alg choose */

    load(&keys, "{\"keys\":[{\"kty\":\"lattice\"},7,{\"kty\":\"EC\","
         "\"crv\":\"P-256\",\"kid\":\"one\",\"alg\":\"ES256\",\"x\":\"" EC_X
         "\",\"y\":\"" EC_Y "\"}," RSA_KEY "]}");

    tap_is_int(keys.n, 2, "two of four");
    tap_is_int(keys.keys[0].algs, NGX_WEBRTC_JWK_ES256, "of EC");
    tap_is_int(keys.keys[1].algs, NGX_WEBRTC_JWK_RS, "of RSA");

    check(es_token, &keys, NULL, "no kid in the token");
    check(rs_token, &keys, NULL, "no kid of the key");

    make("{\"alg\":\"ES256\",\"kid\":\"two\"}", CLAIMS, ec, EVP_sha256(), 32);
    check(token, &keys, "no key for", "another kid");
    ngx_webrtc_jwk_free(&keys);

    /* several blocks of PEM, and text between them */

    write_pem(rsa, 0);
    p = stpcpy(set, "# of the issuer\n");
    p = stpcpy(p, (char *) pem);
    p = stpcpy(p, "and\n");
    write_pem(ec, 0);
    strcpy(p, (char *) pem);

    load(&keys, set);
    tap_is_int(keys.n, 2, "two blocks");
    make("{\"alg\":\"ES256\",\"kid\":\"any\"}", CLAIMS, ec, EVP_sha256(), 32);
    check(token, &keys, NULL, "keys in PEM have no kid");
    ngx_webrtc_jwk_free(&keys);

    /* the last ones of too many */

    p = stpcpy(set, "{\"keys\":[");

    for (i = 0; i < NGX_WEBRTC_JWK_KEYS + 2; i++) {
        p = stpcpy(p, ED_KEY);
        *p++ = ',';
    }

    strcpy(p - 1, "]}");

    tap_is_int(ngx_webrtc_jwk_file(&keys, (u_char *) set, strlen(set), &what),
               NGX_OK, "a large set");
    tap_is_int(keys.n, NGX_WEBRTC_JWK_KEYS, "has a limit");
    ngx_webrtc_jwk_free(&keys);
}


static void
test_certificate(void)
{
    int                     n;
    BIO                    *bio;
    X509                   *x;
    ngx_webrtc_jwk_keys_t   keys;

    x = X509_new();
    X509_set_pubkey(x, ec);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 60);
    X509_sign(x, ec, EVP_sha256());

    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    n = BIO_read(bio, pem, sizeof(pem) - 1);
    pem[n] = '\0';
    BIO_free(bio);
    X509_free(x);

    keys.n = 0;
    load(&keys, (char *) pem);
    make("{\"alg\":\"ES256\"}", CLAIMS, ec, EVP_sha256(), 32);
    check(token, &keys, NULL, "the key of a certificate");
    ngx_webrtc_jwk_free(&keys);
}


int
main(void)
{
    u_char  secret[64];

    ngx_memset(secret, 's', sizeof(secret));

    rsa = EVP_RSA_gen(2048);
    rsa_small = EVP_RSA_gen(1024);
    ec = EVP_EC_gen("P-256");
    ec384 = EVP_EC_gen("P-384");
    ec521 = EVP_EC_gen("P-521");
    ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    hmac = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, secret,
                                        sizeof(secret));

    test_rfc();
    test_algorithms();
    test_attacks();
    test_claims();
    test_permits();
    test_text();
    test_keys();
    test_sets();
    test_certificate();

    EVP_PKEY_free(rsa);
    EVP_PKEY_free(rsa_small);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ec384);
    EVP_PKEY_free(ec521);
    EVP_PKEY_free(ed);
    EVP_PKEY_free(hmac);

    return tap_done();
}
