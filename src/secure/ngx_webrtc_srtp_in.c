
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SRTP and SRTCP from the peer: RFC 3711, 3.3 and 3.4; RFC 7714, 8 and 9.
 *
 * 1. A packet's index is what it has of it and the rollover counter that brings
 *    it closest to the highest index that was authentic (RFC 3711, 3.3.1).  A
 *    sender that is new has counter 0.
 * 2. Authentic packets are marked in a window behind the highest index.  What
 *    is marked, or older than the window, is a replay, authentic or not.
 * 3. Nothing of a sender changes before a packet has been found authentic:
 *    whoever has no key moves neither counter nor window, and takes no room.
 *
 * RTP and RTCP of an SSRC have windows of their own; their number of SSRCs is
 * one.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <ngx_webrtc_srtp.h>
#include <ngx_webrtc_srtp_hmac.h>
#include <ngx_webrtc_srtp_keys.h>


/* SRTCP replay window, in packets; RFC 3711, 3.3.2: at least 64 */
#define NGX_WEBRTC_SRTP_RTCP_WINDOW   64

/* half of the sequence numbers; RFC 3711, 3.3.1 */
#define NGX_WEBRTC_SRTP_HALF          0x8000


/* RTP of one SSRC */
typedef struct {
    uint64_t    top;                 /* highest index */
    uint64_t    seen[NGX_WEBRTC_SRTP_WINDOW / 64];   /* bit index % window */
    ngx_uint_t  begun;
} ngx_webrtc_srtp_window_t;


/* of a peer that sends media; one more window: see _unprotect() */
struct ngx_webrtc_srtp_in_rtp_s {
    void       *cipher;              /* gcm's key, or EVP_CIPHER_CTX */
    u_char      salt[16];
    uint32_t    inner[5];
    uint32_t    outer[5];
    ngx_webrtc_srtp_window_t  windows[NGX_WEBRTC_SRTP_SSRCS + 1];
};


static size_t ngx_webrtc_srtp_in_header(const u_char *p, size_t n);
static ngx_int_t ngx_webrtc_srtp_in_open(ngx_webrtc_srtp_in_t *in,
    uint64_t index, u_char *p, size_t hdr, size_t n);
static uint64_t ngx_webrtc_srtp_in_index(const ngx_webrtc_srtp_window_t *w,
    ngx_uint_t seq);
static ngx_int_t ngx_webrtc_srtp_in_again(const ngx_webrtc_srtp_window_t *w,
    uint64_t index);
static void ngx_webrtc_srtp_in_mark(ngx_webrtc_srtp_window_t *w,
    uint64_t index);
static ngx_int_t ngx_webrtc_srtp_open_cm(EVP_CIPHER_CTX *ctx,
    const uint32_t *inner, const uint32_t *outer, const u_char *iv,
    const u_char *hdr, u_char *p, size_t n, uint32_t trailer,
    const u_char *tag, size_t tag_n);
static ngx_webrtc_srtp_ssrc_t *ngx_webrtc_srtp_in_ssrc(
    ngx_webrtc_srtp_in_t *in, const u_char *p);
static void ngx_webrtc_srtp_in_accept(ngx_webrtc_srtp_in_t *in,
    ngx_webrtc_srtp_ssrc_t *ssrc);
static ngx_int_t ngx_webrtc_srtp_in_replay(const ngx_webrtc_srtp_ssrc_t *ssrc,
    uint32_t index);
static void ngx_webrtc_srtp_in_seen(ngx_webrtc_srtp_ssrc_t *ssrc,
    uint32_t index);


ngx_int_t
ngx_webrtc_srtp_in_init(ngx_webrtc_srtp_in_t *in,
    const ngx_webrtc_srtp_key_t *key)
{
    ngx_int_t                  rc;
    ngx_webrtc_srtp_in_rtp_t  *rtp;

    rc = ngx_webrtc_srtp_in_init_rtcp(in, key);

    if (rc != NGX_OK) {
        return rc;
    }

    rtp = calloc(1, sizeof(ngx_webrtc_srtp_in_rtp_t));

    in->rtp = rtp;

    if (rtp == NULL
        || ngx_webrtc_srtp_derive_set(ngx_webrtc_srtp_profile(key->profile),
                                      key, NGX_WEBRTC_SRTP_LABEL_RTP, 0,
                                      &in->gcm, &rtp->cipher, rtp->salt,
                                      rtp->inner, rtp->outer)
           != NGX_OK)
    {
        ngx_webrtc_srtp_in_cleanup(in);
        ERR_clear_error();

        return NGX_ERROR;
    }

    return NGX_OK;
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
    if (in->rtp) {
        ngx_webrtc_srtp_free(in->gcm, in->rtp->cipher);
        OPENSSL_cleanse(in->rtp, sizeof(ngx_webrtc_srtp_in_rtp_t));
        free(in->rtp);
    }

    ngx_webrtc_srtp_free(in->gcm, in->rtcp);

    OPENSSL_cleanse(in, sizeof(ngx_webrtc_srtp_in_t));
}


ngx_int_t
ngx_webrtc_srtp_unprotect(ngx_webrtc_srtp_in_t *in, u_char *p, size_t *n)
{
    size_t                     hdr, len;
    uint64_t                   index;
    ngx_webrtc_srtp_ssrc_t    *ssrc;
    ngx_webrtc_srtp_window_t  *w;

    if (in->rtp == NULL || *n > NGX_WEBRTC_SRTP_PACKET) {
        return NGX_DECLINED;
    }

    hdr = ngx_webrtc_srtp_in_header(p, *n);

    if (hdr == 0 || in->tag > *n - hdr) {
        return NGX_DECLINED;
    }

    len = *n - hdr - in->tag;

    ssrc = ngx_webrtc_srtp_in_ssrc(in, p + 8);

    if (ssrc == NULL && in->full) {
        return NGX_DECLINED;
    }

    /* the last one is never marked: of an SSRC too many, which is told once */

    w = &in->rtp->windows[ssrc ? ssrc - in->ssrcs : NGX_WEBRTC_SRTP_SSRCS];

    index = ngx_webrtc_srtp_in_index(w, p[2] << 8 | p[3]);

    if (ngx_webrtc_srtp_in_again(w, index) != NGX_OK) {
        return NGX_BUSY;
    }

    if (ngx_webrtc_srtp_in_open(in, index, p, hdr, len) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ssrc == NULL) {
        in->full = 1;
        return NGX_ERROR;
    }

    ngx_webrtc_srtp_in_mark(w, index);
    ngx_webrtc_srtp_in_accept(in, ssrc);

    *n = hdr + len;

    return NGX_OK;
}


/*
 * RFC 3550, 5.1 and 5.3.1: bytes that are not encrypted; 0: there are not as
 * many.
 */

static size_t
ngx_webrtc_srtp_in_header(const u_char *p, size_t n)
{
    size_t  hdr;

    if (n < NGX_WEBRTC_SRTP_RTP_HEADER) {
        return 0;
    }

    hdr = NGX_WEBRTC_SRTP_RTP_HEADER + 4 * (p[0] & 0x0f);

    if (p[0] & 0x10) {

        if (n < hdr + 4) {
            return 0;
        }

        hdr += 4 + 4 * (size_t) (p[hdr + 2] << 8 | p[hdr + 3]);
    }

    return (hdr > n) ? 0 : hdr;
}


/* n bytes behind the header, and the tag behind them */

static ngx_int_t
ngx_webrtc_srtp_in_open(ngx_webrtc_srtp_in_t *in, uint64_t index, u_char *p,
    size_t hdr, size_t n)
{
    u_char                     iv[NGX_WEBRTC_SRTP_CM_IV];
    ngx_int_t                  rc;
    ngx_webrtc_srtp_in_rtp_t  *rtp;

    rtp = in->rtp;

    ngx_webrtc_srtp_iv(in->gcm != NULL, rtp->salt, p + 8, index, iv);

    if (in->gcm) {
        rc = in->gcm->open(rtp->cipher, iv, p, hdr, p + hdr, n, p + hdr + n);

    } else {
        /* RFC 3711, 4.2: M = authenticated portion || ROC */

        rc = ngx_webrtc_srtp_open_cm(rtp->cipher, rtp->inner, rtp->outer, iv,
                                     p, p + hdr, n, (uint32_t) (index >> 16),
                                     p + hdr + n, in->tag);
    }

    if (rc != NGX_OK) {
        ERR_clear_error();
    }

    return rc;
}


/* RFC 3711, 3.3.1 and appendix A; before counter 0 there is none */

static uint64_t
ngx_webrtc_srtp_in_index(const ngx_webrtc_srtp_window_t *w, ngx_uint_t seq)
{
    uint64_t    roc;
    ngx_uint_t  last;

    if (!w->begun) {
        return seq;
    }

    roc = w->top >> 16;
    last = w->top & 0xffff;

    if (last < NGX_WEBRTC_SRTP_HALF) {

        if (roc && seq > last + NGX_WEBRTC_SRTP_HALF) {
            roc--;
        }

    } else if (last - NGX_WEBRTC_SRTP_HALF > seq) {
        roc++;
    }

    return roc << 16 | seq;
}


/* RFC 3711, 3.3.2; NGX_BUSY: seen before, or too old to tell */

static ngx_int_t
ngx_webrtc_srtp_in_again(const ngx_webrtc_srtp_window_t *w, uint64_t index)
{
    ngx_uint_t  bit;

    if (!w->begun || index > w->top) {
        return NGX_OK;
    }

    bit = index % NGX_WEBRTC_SRTP_WINDOW;

    if (w->top - index >= NGX_WEBRTC_SRTP_WINDOW
        || (w->seen[bit / 64] >> (bit % 64) & 1))
    {
        return NGX_BUSY;
    }

    return NGX_OK;
}


static void
ngx_webrtc_srtp_in_mark(ngx_webrtc_srtp_window_t *w, uint64_t index)
{
    uint64_t    i;
    ngx_uint_t  bit;

    if (!w->begun || index > w->top) {

        if (!w->begun || index - w->top >= NGX_WEBRTC_SRTP_WINDOW) {
            ngx_memzero(w->seen, sizeof(w->seen));

        } else {
            for (i = w->top + 1; i < index; i++) {
                bit = i % NGX_WEBRTC_SRTP_WINDOW;
                w->seen[bit / 64] &= ~((uint64_t) 1 << (bit % 64));
            }
        }

        w->top = index;
        w->begun = 1;
    }

    bit = index % NGX_WEBRTC_SRTP_WINDOW;
    w->seen[bit / 64] |= (uint64_t) 1 << (bit % 64);
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
        rc = ngx_webrtc_srtp_open_cm(in->rtcp, in->rtcp_inner, in->rtcp_outer,
                                     iv, p, body, end - body, word,
                                     end + NGX_WEBRTC_SRTP_RTCP_INDEX,
                                     in->tag);
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


/*
 * RFC 3711, 4.2: the tag is of everything from hdr to the end of the n bytes at
 * p, and of the trailer.
 */

static ngx_int_t
ngx_webrtc_srtp_open_cm(EVP_CIPHER_CTX *ctx, const uint32_t *inner,
    const uint32_t *outer, const u_char *iv, const u_char *hdr, u_char *p,
    size_t n, uint32_t trailer, const u_char *tag, size_t tag_n)
{
    u_char  mac[NGX_WEBRTC_SRTP_HMAC];

    ngx_webrtc_srtp_hmac(inner, outer, hdr, p + n - hdr, trailer, mac);

    if (CRYPTO_memcmp(mac, tag, tag_n) != 0) {
        return NGX_ERROR;
    }

    return ngx_webrtc_srtp_crypt(ctx, iv, p, p, n);
}


/*
 * A new SSRC is prepared after the known ones, where
 * ngx_webrtc_srtp_in_accept() finds it.
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
