
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SRTP and SRTCP to the peer: AES-GCM by ngx_webrtc_srtp_gcm, AES_CM on
 * OpenSSL's EVP.  Knows neither sockets nor sessions nor what is in the
 * packets, beyond their fixed headers.
 *
 * RFC 3711 (SRTP, AES_CM, HMAC-SHA1), RFC 7714 (AES-GCM).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <ngx_webrtc_srtp.h>
#include <ngx_webrtc_srtp_hmac.h>
#include <ngx_webrtc_srtp_keys.h>
#include <ngx_webrtc_srtp_mb.h>


/* packets with one key; RFC 3711, 9.2; RFC 7714, 10 */
#define NGX_WEBRTC_SRTP_RTCP_MAX      0x80000000


static ngx_int_t ngx_webrtc_srtp_out_batch(ngx_webrtc_srtp_out_t *out,
    const ngx_webrtc_srtp_profile_t *prof, const ngx_webrtc_srtp_key_t *key);


/* of the process: ngx_webrtc_srtp_batch() */

static ngx_uint_t  ngx_webrtc_srtp_batches;


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
ngx_webrtc_srtp_ahead(const ngx_webrtc_srtp_out_t *out)
{
    if (out->mb) {
        ngx_webrtc_srtp_mb_ahead(out->mb);

    } else if (out->gcm) {
        out->gcm->ahead(out->rtp);
    }
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
