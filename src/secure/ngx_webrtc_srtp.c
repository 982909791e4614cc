
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SRTP and SRTCP: AES-GCM by ngx_webrtc_srtp_gcm, AES_CM on OpenSSL's EVP,
 * ingress of RTP on libsrtp2.  Knows
 * neither sockets nor sessions nor what is in the packets, beyond their fixed
 * headers.
 *
 * RFC 3711 (SRTP, AES_CM, HMAC-SHA1), RFC 6188, 7.2 (KDF of 256-bit keys),
 * RFC 7714 (AES-GCM).
 *
 * SRTCP from the peer.  Debian's libsrtp2 is linked to NSS, which looks its
 * contexts up in lists.  Measured for a report with 5000 contexts: 12 us (GCM)
 * and 26 us (AES_CM) by libsrtp2, 0.7 us and 0.5 us by EVP; in a worker with
 * 1000 viewers, whose cache has other things in it, 23 us by libsrtp2.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <srtp2/srtp.h>

#include <ngx_webrtc_srtp.h>
#include <ngx_webrtc_srtp_hmac.h>
#include <ngx_webrtc_srtp_mb.h>


/* bytes of fixed headers; RFC 3550, 5.1 and 6.4 */
#define NGX_WEBRTC_SRTP_RTP_HEADER    12
#define NGX_WEBRTC_SRTP_RTCP_HEADER   8

/* bytes of the E flag and the SRTCP index; RFC 3711, 3.4 */
#define NGX_WEBRTC_SRTP_RTCP_INDEX    4
#define NGX_WEBRTC_SRTP_E             0x80000000

/* packets with one key; RFC 3711, 9.2; RFC 7714, 10 */
#define NGX_WEBRTC_SRTP_RTCP_MAX      0x80000000

/* labels of the KDF; RFC 3711, 4.3.2 */
#define NGX_WEBRTC_SRTP_LABEL_RTP     0x00
#define NGX_WEBRTC_SRTP_LABEL_RTCP    0x03
#define NGX_WEBRTC_SRTP_LABEL_KEY     0x00
#define NGX_WEBRTC_SRTP_LABEL_AUTH    0x01
#define NGX_WEBRTC_SRTP_LABEL_SALT    0x02

/* SRTCP replay window, in packets; RFC 3711, 3.3.2: at least 64 */
#define NGX_WEBRTC_SRTP_RTCP_WINDOW   64

#define NGX_WEBRTC_SRTP_CM_IV         16


typedef struct {
    uint16_t            profile;
    uint8_t             key;                        /* bytes */
    uint8_t             salt;
    uint8_t             tag;
    uint8_t             gcm;
    const EVP_CIPHER *(*prf)(void);
    srtp_profile_t      srtp;
} ngx_webrtc_srtp_profile_t;


static const ngx_webrtc_srtp_profile_t *ngx_webrtc_srtp_profile(
    ngx_uint_t profile);
static ngx_int_t ngx_webrtc_srtp_out_batch(ngx_webrtc_srtp_out_t *out,
    const ngx_webrtc_srtp_profile_t *prof, const ngx_webrtc_srtp_key_t *key);
static ngx_int_t ngx_webrtc_srtp_derive(
    const ngx_webrtc_srtp_profile_t *prof, const ngx_webrtc_srtp_key_t *key,
    ngx_uint_t label, u_char *dst, size_t n);
static ngx_int_t ngx_webrtc_srtp_derive_set(
    const ngx_webrtc_srtp_profile_t *prof, const ngx_webrtc_srtp_key_t *key,
    ngx_uint_t label, int enc, const ngx_webrtc_srtp_gcm_t **gcm,
    void **cipher, u_char *salt, uint32_t *inner, uint32_t *outer);
static EVP_CIPHER_CTX *ngx_webrtc_srtp_ctr(const EVP_CIPHER *cipher,
    const u_char *key);
static void ngx_webrtc_srtp_free(const ngx_webrtc_srtp_gcm_t *gcm,
    void *cipher);
static ngx_int_t ngx_webrtc_srtp_open_cm(const ngx_webrtc_srtp_in_t *in,
    const u_char *iv, const u_char *hdr, u_char *p, size_t n,
    uint32_t trailer);
static ngx_int_t ngx_webrtc_srtp_crypt(EVP_CIPHER_CTX *ctx, const u_char *iv,
    const u_char *src, u_char *dst, size_t n);
static void ngx_webrtc_srtp_iv(ngx_uint_t gcm, const u_char *salt,
    const u_char *ssrc, uint64_t index, u_char *iv);
static ngx_webrtc_srtp_ssrc_t *ngx_webrtc_srtp_in_ssrc(
    ngx_webrtc_srtp_in_t *in, const u_char *p);
static void ngx_webrtc_srtp_in_accept(ngx_webrtc_srtp_in_t *in,
    ngx_webrtc_srtp_ssrc_t *ssrc);
static ngx_int_t ngx_webrtc_srtp_in_replay(const ngx_webrtc_srtp_ssrc_t *ssrc,
    uint32_t index);
static void ngx_webrtc_srtp_in_seen(ngx_webrtc_srtp_ssrc_t *ssrc,
    uint32_t index);


/* of the process: ngx_webrtc_srtp_batch() */

static ngx_uint_t  ngx_webrtc_srtp_batches;


static const ngx_webrtc_srtp_profile_t  ngx_webrtc_srtp_profiles[] = {

    { NGX_WEBRTC_SRTP_AEAD_AES_128_GCM, 16, 12, 16, 1,
      EVP_aes_128_ctr, srtp_profile_aead_aes_128_gcm },

    { NGX_WEBRTC_SRTP_AEAD_AES_256_GCM, 32, 12, 16, 1,
      EVP_aes_256_ctr, srtp_profile_aead_aes_256_gcm },

    { NGX_WEBRTC_SRTP_AES128_CM_SHA1_80, 16, 14, 10, 0,
      EVP_aes_128_ctr, srtp_profile_aes128_cm_sha1_80 },

    { NGX_WEBRTC_SRTP_NONE, 0, 0, 0, 0, NULL, srtp_profile_reserved }
};


ngx_int_t
ngx_webrtc_srtp_init(void)
{
    /* the one mutable static here: libsrtp2 fails if it is initialized twice */

    static ngx_uint_t  initialized;

    if (initialized) {
        return NGX_OK;
    }

    if (srtp_init() != srtp_err_status_ok) {
        return NGX_ERROR;
    }

    initialized = 1;

    return NGX_OK;
}


void
ngx_webrtc_srtp_sizes(ngx_uint_t profile, size_t *key, size_t *salt)
{
    const ngx_webrtc_srtp_profile_t  *prof;

    prof = ngx_webrtc_srtp_profile(profile);

    *key = prof ? prof->key : 0;
    *salt = prof ? prof->salt : 0;
}


ngx_int_t
ngx_webrtc_srtp_out_init(ngx_webrtc_srtp_out_t *out,
    const ngx_webrtc_srtp_key_t *key)
{
    const ngx_webrtc_srtp_profile_t  *prof;

    ngx_memzero(out, sizeof(ngx_webrtc_srtp_out_t));

    prof = ngx_webrtc_srtp_profile(key->profile);

    if (prof == NULL) {
        return NGX_DECLINED;
    }

    out->profile = prof->profile;
    out->tag = prof->tag;

    if (ngx_webrtc_srtp_derive_set(prof, key, NGX_WEBRTC_SRTP_LABEL_RTP, 1,
                                   &out->gcm, &out->rtp, out->rtp_salt,
                                   out->rtp_inner, out->rtp_outer)
        != NGX_OK)
    {
        goto failed;
    }

    if (ngx_webrtc_srtp_derive_set(prof, key, NGX_WEBRTC_SRTP_LABEL_RTCP, 1,
                                   &out->gcm, &out->rtcp, out->rtcp_salt,
                                   out->rtcp_inner, out->rtcp_outer)
        != NGX_OK)
    {
        goto failed;
    }

    if (ngx_webrtc_srtp_batches && !prof->gcm
        && ngx_webrtc_srtp_out_batch(out, prof, key) != NGX_OK)
    {
        goto failed;
    }

    return NGX_OK;

failed:

    ngx_webrtc_srtp_out_cleanup(out);
    ERR_clear_error();

    return NGX_ERROR;
}


static ngx_int_t
ngx_webrtc_srtp_out_batch(ngx_webrtc_srtp_out_t *out,
    const ngx_webrtc_srtp_profile_t *prof, const ngx_webrtc_srtp_key_t *key)
{
    u_char     secret[NGX_WEBRTC_SRTP_KEY];
    ngx_int_t  rc;

    rc = ngx_webrtc_srtp_derive(prof, key, NGX_WEBRTC_SRTP_LABEL_RTP
                                           + NGX_WEBRTC_SRTP_LABEL_KEY,
                                secret, prof->key);

    if (rc == NGX_OK) {
        out->mb = ngx_webrtc_srtp_mb_key(secret);
        rc = out->mb ? NGX_OK : NGX_ERROR;
    }

    OPENSSL_cleanse(secret, sizeof(secret));

    return rc;
}


void
ngx_webrtc_srtp_out_cleanup(ngx_webrtc_srtp_out_t *out)
{
    if (out->mb) {
        ngx_webrtc_srtp_finish();
        ngx_webrtc_srtp_mb_free(out->mb);
    }

    ngx_webrtc_srtp_free(out->gcm, out->rtp);
    ngx_webrtc_srtp_free(out->gcm, out->rtcp);

    OPENSSL_cleanse(out, sizeof(ngx_webrtc_srtp_out_t));
}


ngx_int_t
ngx_webrtc_srtp_protect(ngx_webrtc_srtp_out_t *out, uint64_t index,
    const u_char *hdr, size_t hdr_n, const u_char *prefix, size_t prefix_n,
    const u_char *payload, size_t n, u_char *dst, size_t *dst_n)
{
    size_t  room;
    u_char  *body, iv[NGX_WEBRTC_SRTP_CM_IV], mac[NGX_WEBRTC_SRTP_HMAC];

    if (out->rtp == NULL || hdr_n < NGX_WEBRTC_SRTP_RTP_HEADER) {
        return NGX_DECLINED;
    }

    room = ngx_min(*dst_n, NGX_WEBRTC_SRTP_PACKET);

    if (hdr_n > room
        || prefix_n > room - hdr_n
        || n > room - hdr_n - prefix_n
        || out->tag > room - hdr_n - prefix_n - n)
    {
        return NGX_DECLINED;
    }

    if (hdr != dst) {
        ngx_memcpy(dst, hdr, hdr_n);
    }

    body = dst + hdr_n;

    if (prefix_n) {

        /* in one piece, as the cipher is slow with odd pieces */

        if (n && payload != body + prefix_n) {
            ngx_memcpy(body + prefix_n, payload, n);
        }

        ngx_memcpy(body, prefix, prefix_n);

        payload = body;
        n += prefix_n;
    }

    ngx_webrtc_srtp_iv(out->gcm != NULL, out->rtp_salt, dst + 8, index, iv);

    if (out->gcm) {
        if (out->gcm->seal(out->rtp, iv, dst, hdr_n, payload, body, n, body + n)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else {
        if (ngx_webrtc_srtp_crypt(out->rtp, iv, payload, body, n) != NGX_OK) {
            goto failed;
        }

        /* RFC 3711, 4.2: M = authenticated portion || ROC */

        ngx_webrtc_srtp_hmac(out->rtp_inner, out->rtp_outer, dst, hdr_n + n,
                             (uint32_t) (index >> 16), mac);
        ngx_memcpy(body + n, mac, out->tag);
    }

    *dst_n = hdr_n + n + out->tag;

    return NGX_OK;

failed:

    ERR_clear_error();

    return NGX_ERROR;
}


void
ngx_webrtc_srtp_batch(ngx_uint_t on)
{
    ngx_webrtc_srtp_batches = on && ngx_webrtc_srtp_mb_usable() == NULL;
}


ngx_int_t
ngx_webrtc_srtp_protect_later(ngx_webrtc_srtp_out_t *out, uint64_t index,
    u_char *p, size_t hdr, size_t n, size_t *dst_n)
{
    u_char     iv[NGX_WEBRTC_SRTP_CM_IV];
    size_t     room;
    ngx_int_t  rc;

    room = ngx_min(*dst_n, NGX_WEBRTC_SRTP_PACKET);

    if (out->mb == NULL || n == 0
        || hdr < NGX_WEBRTC_SRTP_RTP_HEADER || hdr > room
        || n > room - hdr || out->tag > room - hdr - n)
    {
        return ngx_webrtc_srtp_protect(out, index, p, hdr, NULL, 0, p + hdr, n,
                                       p, dst_n);
    }

    ngx_webrtc_srtp_iv(0, out->rtp_salt, p + 8, index, iv);

    rc = ngx_webrtc_srtp_mb_submit(out->mb, out->rtp_inner, out->rtp_outer, iv,
                                   p, hdr, n, (uint32_t) (index >> 16));

    *dst_n = hdr + n + out->tag;

    return rc;
}


void
ngx_webrtc_srtp_finish(void)
{
    ngx_webrtc_srtp_mb_finish();
}


ngx_int_t
ngx_webrtc_srtp_protect_rtcp(ngx_webrtc_srtp_out_t *out, u_char *p, size_t *n,
    size_t cap)
{
    size_t    len, room;
    u_char   *body, *end, iv[NGX_WEBRTC_SRTP_CM_IV], mac[NGX_WEBRTC_SRTP_HMAC];
    u_char   *trailer, aad[NGX_WEBRTC_SRTP_GCM_AAD];
    uint32_t  word;

    len = *n;
    room = ngx_min(cap, NGX_WEBRTC_SRTP_PACKET);

    if (out->rtcp == NULL
        || len < NGX_WEBRTC_SRTP_RTCP_HEADER
        || len > room
        || (size_t) out->tag + NGX_WEBRTC_SRTP_RTCP_INDEX > room - len)
    {
        return NGX_DECLINED;
    }

    if (out->rtcp_index >= NGX_WEBRTC_SRTP_RTCP_MAX) {
        return NGX_ERROR;
    }

    /*
     * The index is used up even if this fails: RFC 7714, 9.1 and RFC 3711, 9.1
     * forbid a second packet with it.
     */

    word = NGX_WEBRTC_SRTP_E | out->rtcp_index;

    trailer = aad + NGX_WEBRTC_SRTP_RTCP_HEADER;

    trailer[0] = (u_char) (word >> 24);
    trailer[1] = (u_char) (word >> 16);
    trailer[2] = (u_char) (word >> 8);
    trailer[3] = (u_char) word;

    ngx_webrtc_srtp_iv(out->gcm != NULL, out->rtcp_salt, p + 4, out->rtcp_index,
                       iv);

    out->rtcp_index++;

    body = p + NGX_WEBRTC_SRTP_RTCP_HEADER;
    end = p + len;

    if (out->gcm) {

        /* RFC 7714, 9.3: header, ciphertext, tag, then the ESRTCP word */

        ngx_memcpy(aad, p, NGX_WEBRTC_SRTP_RTCP_HEADER);

        if (out->gcm->seal(out->rtcp, iv, aad, NGX_WEBRTC_SRTP_GCM_AAD, body,
                           body, end - body, end)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_memcpy(end + out->tag, trailer, NGX_WEBRTC_SRTP_RTCP_INDEX);

    } else {

        /* RFC 3711, 3.4: header, ciphertext, E and index, then the tag */

        if (ngx_webrtc_srtp_crypt(out->rtcp, iv, body, body, end - body)
            != NGX_OK)
        {
            goto failed;
        }

        ngx_webrtc_srtp_hmac(out->rtcp_inner, out->rtcp_outer, p, len, word,
                             mac);

        ngx_memcpy(end, trailer, NGX_WEBRTC_SRTP_RTCP_INDEX);
        ngx_memcpy(end + NGX_WEBRTC_SRTP_RTCP_INDEX, mac, out->tag);
    }

    *n = len + out->tag + NGX_WEBRTC_SRTP_RTCP_INDEX;

    return NGX_OK;

failed:

    ERR_clear_error();

    return NGX_ERROR;
}


ngx_int_t
ngx_webrtc_srtp_in_init(ngx_webrtc_srtp_in_t *in,
    const ngx_webrtc_srtp_key_t *key)
{
    u_char                            master[NGX_WEBRTC_SRTP_KEY
                                             + NGX_WEBRTC_SRTP_SALT];
    srtp_policy_t                     policy;
    ngx_int_t                         status;
    srtp_err_status_t                 rc;
    const ngx_webrtc_srtp_profile_t  *prof;

    status = ngx_webrtc_srtp_in_init_rtcp(in, key);

    if (status != NGX_OK) {
        return status;
    }

    prof = ngx_webrtc_srtp_profile(key->profile);

    ngx_memzero(&policy, sizeof(srtp_policy_t));

    if (srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, prof->srtp)
            != srtp_err_status_ok
        || srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp,
                                                        prof->srtp)
            != srtp_err_status_ok)
    {
        goto failed;
    }

    ngx_memcpy(master, key->key, prof->key);
    ngx_memcpy(master + prof->key, key->salt, prof->salt);

    policy.ssrc.type = ssrc_any_inbound;
    policy.key = master;
    policy.window_size = NGX_WEBRTC_SRTP_WINDOW;

    rc = srtp_create((srtp_t *) &in->srtp, &policy);

    OPENSSL_cleanse(master, sizeof(master));

    if (rc != srtp_err_status_ok) {
        in->srtp = NULL;
        goto failed;
    }

    return NGX_OK;

failed:

    ngx_webrtc_srtp_in_cleanup(in);

    return NGX_ERROR;
}


ngx_int_t
ngx_webrtc_srtp_in_init_rtcp(ngx_webrtc_srtp_in_t *in,
    const ngx_webrtc_srtp_key_t *key)
{
    const ngx_webrtc_srtp_profile_t  *prof;

    ngx_memzero(in, sizeof(ngx_webrtc_srtp_in_t));

    prof = ngx_webrtc_srtp_profile(key->profile);

    if (prof == NULL) {
        return NGX_DECLINED;
    }

    in->profile = prof->profile;
    in->tag = prof->tag;

    if (ngx_webrtc_srtp_derive_set(prof, key, NGX_WEBRTC_SRTP_LABEL_RTCP, 0,
                                   &in->gcm, &in->rtcp, in->rtcp_salt,
                                   in->rtcp_inner, in->rtcp_outer)
        != NGX_OK)
    {
        ngx_webrtc_srtp_in_cleanup(in);
        ERR_clear_error();

        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_webrtc_srtp_in_cleanup(ngx_webrtc_srtp_in_t *in)
{
    if (in->srtp) {
        (void) srtp_dealloc(in->srtp);
    }

    ngx_webrtc_srtp_free(in->gcm, in->rtcp);

    OPENSSL_cleanse(in, sizeof(ngx_webrtc_srtp_in_t));
}


ngx_int_t
ngx_webrtc_srtp_unprotect(ngx_webrtc_srtp_in_t *in, u_char *p, size_t *n)
{
    int                      len;
    srtp_err_status_t        rc;
    ngx_webrtc_srtp_ssrc_t  *ssrc;

    if (in->srtp == NULL
        || *n < NGX_WEBRTC_SRTP_RTP_HEADER
        || *n > NGX_WEBRTC_SRTP_PACKET)
    {
        return NGX_DECLINED;
    }

    ssrc = ngx_webrtc_srtp_in_ssrc(in, p + 8);

    if (ssrc == NULL && in->full) {
        return NGX_DECLINED;
    }

    len = (int) *n;

    rc = srtp_unprotect(in->srtp, p, &len);

    switch (rc) {

    case srtp_err_status_ok:

        if (ssrc == NULL) {
            in->full = 1;
            return NGX_ERROR;
        }

        ngx_webrtc_srtp_in_accept(in, ssrc);
        *n = len;
        return NGX_OK;

    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return NGX_BUSY;

    default:
        return NGX_DECLINED;
    }
}


ngx_int_t
ngx_webrtc_srtp_unprotect_rtcp(ngx_webrtc_srtp_in_t *in, u_char *p, size_t *n)
{
    size_t                   len;
    u_char                  *body, *end, *trailer, iv[NGX_WEBRTC_SRTP_CM_IV];
    u_char                   aad[NGX_WEBRTC_SRTP_GCM_AAD];
    uint32_t                 word, index;
    ngx_int_t                rc;
    ngx_webrtc_srtp_ssrc_t  *ssrc;

    len = *n;

    if (in->rtcp == NULL
        || len < (size_t) NGX_WEBRTC_SRTP_RTCP_HEADER
                 + NGX_WEBRTC_SRTP_RTCP_INDEX + in->tag
        || len > NGX_WEBRTC_SRTP_PACKET)
    {
        return NGX_DECLINED;
    }

    ssrc = ngx_webrtc_srtp_in_ssrc(in, p + 4);

    if (ssrc == NULL) {
        return NGX_DECLINED;
    }

    /*
     * RFC 7714, 9.3: header, ciphertext, tag, E and index; RFC 3711, 3.4:
     * header, ciphertext, E and index, tag
     */

    len -= NGX_WEBRTC_SRTP_RTCP_INDEX + in->tag;

    body = p + NGX_WEBRTC_SRTP_RTCP_HEADER;
    end = p + len;
    trailer = in->gcm ? end + in->tag : end;

    word = ((uint32_t) trailer[0] << 24) | (trailer[1] << 16)
           | (trailer[2] << 8) | trailer[3];

    if (!(word & NGX_WEBRTC_SRTP_E)) {
        return NGX_DECLINED;
    }

    index = word & ~NGX_WEBRTC_SRTP_E;

    if (ngx_webrtc_srtp_in_replay(ssrc, index) != NGX_OK) {
        return NGX_BUSY;
    }

    ngx_webrtc_srtp_iv(in->gcm != NULL, in->rtcp_salt, p + 4, index, iv);

    if (in->gcm) {
        ngx_memcpy(aad, p, NGX_WEBRTC_SRTP_RTCP_HEADER);
        ngx_memcpy(aad + NGX_WEBRTC_SRTP_RTCP_HEADER, trailer,
                   NGX_WEBRTC_SRTP_RTCP_INDEX);

        rc = in->gcm->open(in->rtcp, iv, aad, NGX_WEBRTC_SRTP_GCM_AAD, body,
                           end - body, end);

    } else {
        rc = ngx_webrtc_srtp_open_cm(in, iv, p, body, end - body, word);
    }

    if (rc != NGX_OK) {
        ERR_clear_error();
        return NGX_DECLINED;
    }

    ngx_webrtc_srtp_in_seen(ssrc, index);
    ngx_webrtc_srtp_in_accept(in, ssrc);

    *n = len;

    return NGX_OK;
}


static const ngx_webrtc_srtp_profile_t *
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

static ngx_int_t
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


/*
 * The session keys of RTP or RTCP: label is that of the encryption key, enc as
 * of EVP_CipherInit_ex().  The key stream of AES_CM is the same either way.
 * For GCM *gcm is used, and set if it is NULL.
 */

static ngx_int_t
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


/* wipes */

static void
ngx_webrtc_srtp_free(const ngx_webrtc_srtp_gcm_t *gcm, void *cipher)
{
    if (gcm) {
        gcm->free(cipher);

    } else {
        EVP_CIPHER_CTX_free(cipher);
    }
}


/* RFC 3711, 4.2: the tag is behind n bytes at p and the trailer */

static ngx_int_t
ngx_webrtc_srtp_open_cm(const ngx_webrtc_srtp_in_t *in, const u_char *iv,
    const u_char *hdr, u_char *p, size_t n, uint32_t trailer)
{
    u_char  mac[NGX_WEBRTC_SRTP_HMAC];

    ngx_webrtc_srtp_hmac(in->rtcp_inner, in->rtcp_outer, hdr, p + n - hdr,
                         trailer, mac);

    if (CRYPTO_memcmp(mac, p + n + NGX_WEBRTC_SRTP_RTCP_INDEX, in->tag) != 0) {
        return NGX_ERROR;
    }

    return ngx_webrtc_srtp_crypt(in->rtcp, iv, p, p, n);
}


static ngx_int_t
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

static void
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


/*
 * libsrtp2 makes a stream for every SSRC that has sent an authentic packet and
 * searches them one by one, so they are counted here first.  A new one is
 * prepared after the known ones, where ngx_webrtc_srtp_in_accept() finds it.
 *
 * Returns NULL if there are too many.
 */

static ngx_webrtc_srtp_ssrc_t *
ngx_webrtc_srtp_in_ssrc(ngx_webrtc_srtp_in_t *in, const u_char *p)
{
    uint32_t    ssrc;
    ngx_uint_t  i;

    ssrc = ((uint32_t) p[0] << 24) | (p[1] << 16) | (p[2] << 8) | p[3];

    for (i = 0; i < in->nssrcs; i++) {
        if (in->ssrcs[i].ssrc == ssrc) {
            return &in->ssrcs[i];
        }
    }

    if (i == NGX_WEBRTC_SRTP_SSRCS) {
        return NULL;
    }

    in->ssrcs[i].ssrc = ssrc;
    in->ssrcs[i].top = 0;
    in->ssrcs[i].seen = 0;

    return &in->ssrcs[i];
}


/* a packet of this SSRC was authentic */

static void
ngx_webrtc_srtp_in_accept(ngx_webrtc_srtp_in_t *in,
    ngx_webrtc_srtp_ssrc_t *ssrc)
{
    if (ssrc == &in->ssrcs[in->nssrcs]) {
        in->nssrcs++;
    }
}


/* RFC 3711, 3.3.2; NGX_BUSY: seen before, or too old to tell */

static ngx_int_t
ngx_webrtc_srtp_in_replay(const ngx_webrtc_srtp_ssrc_t *ssrc, uint32_t index)
{
    uint32_t  late;

    if (ssrc->seen == 0 || index > ssrc->top) {
        return NGX_OK;
    }

    late = ssrc->top - index;

    if (late >= NGX_WEBRTC_SRTP_RTCP_WINDOW || (ssrc->seen >> late & 1)) {
        return NGX_BUSY;
    }

    return NGX_OK;
}


static void
ngx_webrtc_srtp_in_seen(ngx_webrtc_srtp_ssrc_t *ssrc, uint32_t index)
{
    uint32_t  ahead;

    if (ssrc->seen && index <= ssrc->top) {
        ssrc->seen |= (uint64_t) 1 << (ssrc->top - index);
        return;
    }

    ahead = index - ssrc->top;

    ssrc->seen = (ahead < NGX_WEBRTC_SRTP_RTCP_WINDOW)
                 ? ssrc->seen << ahead : 0;
    ssrc->seen |= 1;
    ssrc->top = index;
}
