
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RFC 3711, 4.1 and 4.3; RFC 6188, 7.2 (the KDF of 256-bit keys); RFC 7714,
 * 8.1, 9.1 and 11.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>

#include <ngx_webrtc_srtp_keys.h>
#include <ngx_webrtc_srtp_hmac.h>


static EVP_CIPHER_CTX *ngx_webrtc_srtp_ctr(const EVP_CIPHER *cipher,
    const u_char *key);


static const ngx_webrtc_srtp_profile_t  ngx_webrtc_srtp_profiles[] = {

    { NGX_WEBRTC_SRTP_AEAD_AES_128_GCM, 16, 12, 16, 1, EVP_aes_128_ctr },
    { NGX_WEBRTC_SRTP_AEAD_AES_256_GCM, 32, 12, 16, 1, EVP_aes_256_ctr },
    { NGX_WEBRTC_SRTP_AES128_CM_SHA1_80, 16, 14, 10, 0, EVP_aes_128_ctr },

    { NGX_WEBRTC_SRTP_NONE, 0, 0, 0, 0, NULL }
};


const ngx_webrtc_srtp_profile_t *
ngx_webrtc_srtp_profile(ngx_uint_t profile)
{
    ngx_uint_t  i;

    for (i = 0; ngx_webrtc_srtp_profiles[i].profile; i++) {
        if (ngx_webrtc_srtp_profiles[i].profile == profile) {
            return &ngx_webrtc_srtp_profiles[i];
        }
    }

    return NULL;
}


/*
 * RFC 3711, 4.3.1 with a key derivation rate of 0, and 4.3.3: the key stream
 * of AES_CM with the counter (label * 2^48 XOR master salt) * 2^16.  A 96-bit
 * salt is shifted to 112 bits; RFC 7714, 11.
 */

ngx_int_t
ngx_webrtc_srtp_derive(const ngx_webrtc_srtp_profile_t *prof,
    const ngx_webrtc_srtp_key_t *key, ngx_uint_t label, u_char *dst, size_t n)
{
    ngx_int_t        rc;
    u_char           iv[NGX_WEBRTC_SRTP_CM_IV];
    EVP_CIPHER_CTX  *ctx;

    ctx = ngx_webrtc_srtp_ctr(prof->prf(), key->key);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(iv, sizeof(iv));
    ngx_memcpy(iv, key->salt, prof->salt);

    iv[7] ^= (u_char) label;

    ngx_memzero(dst, n);

    rc = ngx_webrtc_srtp_crypt(ctx, iv, dst, dst, n);

    EVP_CIPHER_CTX_free(ctx);

    return rc;
}


ngx_int_t
ngx_webrtc_srtp_derive_set(const ngx_webrtc_srtp_profile_t *prof,
    const ngx_webrtc_srtp_key_t *key, ngx_uint_t label, int enc,
    const ngx_webrtc_srtp_gcm_t **gcm, void **cipher, u_char *salt,
    uint32_t *inner, uint32_t *outer)
{
    u_char     secret[NGX_WEBRTC_SRTP_KEY];
    ngx_int_t  rc;

    rc = ngx_webrtc_srtp_derive(prof, key, label + NGX_WEBRTC_SRTP_LABEL_KEY,
                                secret, prof->key);
    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (prof->gcm) {
        *gcm = *gcm ? *gcm : ngx_webrtc_srtp_gcm_use(NULL);
        *cipher = (*gcm)->key(secret, prof->key, enc);

    } else {
        *cipher = ngx_webrtc_srtp_ctr(prof->prf(), secret);
    }

    if (*cipher == NULL) {
        rc = NGX_ERROR;
        goto done;
    }

    rc = ngx_webrtc_srtp_derive(prof, key, label + NGX_WEBRTC_SRTP_LABEL_SALT,
                                salt, prof->salt);

    if (rc != NGX_OK || prof->gcm) {
        goto done;
    }

    rc = ngx_webrtc_srtp_derive(prof, key, label + NGX_WEBRTC_SRTP_LABEL_AUTH,
                                secret, NGX_WEBRTC_SRTP_AUTH_KEY);
    if (rc != NGX_OK) {
        goto done;
    }

    ngx_webrtc_srtp_hmac_init(secret, inner, outer);

done:

    OPENSSL_cleanse(secret, sizeof(secret));

    return rc;
}


/* AES in counter mode, keyed; NULL: OpenSSL failed */

static EVP_CIPHER_CTX *
ngx_webrtc_srtp_ctr(const EVP_CIPHER *cipher, const u_char *key)
{
    EVP_CIPHER_CTX  *ctx;

    ctx = EVP_CIPHER_CTX_new();

    if (ctx && EVP_EncryptInit_ex(ctx, cipher, NULL, key, NULL) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        return NULL;
    }

    return ctx;
}


void
ngx_webrtc_srtp_free(const ngx_webrtc_srtp_gcm_t *gcm, void *cipher)
{
    if (gcm) {
        gcm->free(cipher);

    } else {
        EVP_CIPHER_CTX_free(cipher);
    }
}


ngx_int_t
ngx_webrtc_srtp_crypt(EVP_CIPHER_CTX *ctx, const u_char *iv, const u_char *src,
    u_char *dst, size_t n)
{
    int  len;

    if (EVP_EncryptInit_ex2(ctx, NULL, NULL, iv, NULL) != 1) {
        return NGX_ERROR;
    }

    if (n && EVP_EncryptUpdate(ctx, dst, &len, src, (int) n) != 1) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * RFC 3711, 4.1.1:   IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16)
 * RFC 7714, 8.1:     IV = salt XOR (0 0 SSRC ROC SEQ)
 * RFC 7714, 9.1:     IV = salt XOR (0 0 SSRC 0 0 index)
 *
 * where the index of RTP has 48 bits and that of RTCP 31.
 */

void
ngx_webrtc_srtp_iv(ngx_uint_t gcm, const u_char *salt, const u_char *ssrc,
    uint64_t index, u_char *iv)
{
    u_char  *p;

    ngx_memcpy(iv, salt, NGX_WEBRTC_SRTP_CM_IV);

    p = gcm ? iv + 2 : iv + 4;

    p[0] ^= ssrc[0];
    p[1] ^= ssrc[1];
    p[2] ^= ssrc[2];
    p[3] ^= ssrc[3];

    p[4] ^= (u_char) (index >> 40);
    p[5] ^= (u_char) (index >> 32);
    p[6] ^= (u_char) (index >> 24);
    p[7] ^= (u_char) (index >> 16);
    p[8] ^= (u_char) (index >> 8);
    p[9] ^= (u_char) index;
}
