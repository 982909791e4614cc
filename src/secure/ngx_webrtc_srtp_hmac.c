
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * HMAC-SHA1 of SRTP and SRTCP.  RFC 2104, RFC 3711, 4.2.1.
 *
 * It is computed from SHA-1 states saved after the key's inner and outer block.
 * Measured for 1200 bytes: 0.67 us, against 0.75 us with HMAC_CTX, 0.79 us with
 * EVP_MAC; and a key takes 40 bytes in place of seven allocations.  It needs
 * the SHA1_*() functions, which OpenSSL 3 has but calls deprecated.
 */


#define OPENSSL_SUPPRESS_DEPRECATED

#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <ngx_webrtc_srtp_hmac.h>


static void ngx_webrtc_srtp_hmac_pad(const u_char *key, u_char pad,
    uint32_t *state);
static void ngx_webrtc_srtp_hmac_load(SHA_CTX *sha, const uint32_t *state);


void
ngx_webrtc_srtp_hmac_init(const u_char *key, uint32_t *inner, uint32_t *outer)
{
    /* RFC 2104, 2: ipad and opad */

    ngx_webrtc_srtp_hmac_pad(key, 0x36, inner);
    ngx_webrtc_srtp_hmac_pad(key, 0x5c, outer);
}


static void
ngx_webrtc_srtp_hmac_pad(const u_char *key, u_char pad, uint32_t *state)
{
    SHA_CTX     sha;
    u_char      block[SHA_CBLOCK];
    ngx_uint_t  i;

    for (i = 0; i < SHA_CBLOCK; i++) {
        block[i] = pad ^ ((i < NGX_WEBRTC_SRTP_AUTH_KEY) ? key[i] : 0);
    }

    SHA1_Init(&sha);
    SHA1_Update(&sha, block, SHA_CBLOCK);

    state[0] = sha.h0;
    state[1] = sha.h1;
    state[2] = sha.h2;
    state[3] = sha.h3;
    state[4] = sha.h4;

    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(&sha, sizeof(sha));
}


void
ngx_webrtc_srtp_hmac(const uint32_t *inner, const uint32_t *outer,
    const u_char *p, size_t n, uint32_t trailer, u_char *mac)
{
    u_char   t[4];
    SHA_CTX  sha;

    t[0] = (u_char) (trailer >> 24);
    t[1] = (u_char) (trailer >> 16);
    t[2] = (u_char) (trailer >> 8);
    t[3] = (u_char) trailer;

    ngx_webrtc_srtp_hmac_load(&sha, inner);
    SHA1_Update(&sha, p, n);
    SHA1_Update(&sha, t, sizeof(t));
    SHA1_Final(mac, &sha);

    ngx_webrtc_srtp_hmac_load(&sha, outer);
    SHA1_Update(&sha, mac, NGX_WEBRTC_SRTP_HMAC);
    SHA1_Final(mac, &sha);
}


/* the state after the first block */

static void
ngx_webrtc_srtp_hmac_load(SHA_CTX *sha, const uint32_t *state)
{
    SHA1_Init(sha);

    sha->h0 = state[0];
    sha->h1 = state[1];
    sha->h2 = state[2];
    sha->h3 = state[3];
    sha->h4 = state[4];

    sha->Nl = SHA_CBLOCK * 8;
}
