
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SRTCP from a peer: what libsrtp2 protected is read, once; late packets within
 * the window of RFC 3711, 3.3.2; limits.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <srtp2/srtp.h>

#include <ngx_webrtc_srtp.h>

#include "tap.h"


/* a report of a viewer: RR without blocks is 8 bytes, this one has one */
#define REPORT  32


static const struct {
    const char      *name;
    ngx_uint_t       profile;
    srtp_profile_t   srtp;
    size_t           key;
    size_t           salt;
} profiles[] = {
    { "AEAD_AES_128_GCM", NGX_WEBRTC_SRTP_AEAD_AES_128_GCM,
      srtp_profile_aead_aes_128_gcm, 16, 12 },
    { "AEAD_AES_256_GCM", NGX_WEBRTC_SRTP_AEAD_AES_256_GCM,
      srtp_profile_aead_aes_256_gcm, 32, 12 },
    { "AES128_CM_SHA1_80", NGX_WEBRTC_SRTP_AES128_CM_SHA1_80,
      srtp_profile_aes128_cm_sha1_80, 16, 14 },
};


/* the order in which packets of one sender arrive, and what comes of it */
static const struct {
    uint32_t     index;
    ngx_int_t    rc;
    const char  *what;
} arrivals[] = {
    { 1,   NGX_OK,   "the first" },
    { 1,   NGX_BUSY, "again" },
    { 5,   NGX_OK,   "a gap" },
    { 3,   NGX_OK,   "late" },
    { 3,   NGX_BUSY, "late, again" },
    { 2,   NGX_OK,   "later" },
    { 68,  NGX_OK,   "63 ahead" },
    { 5,   NGX_BUSY, "63 late, seen" },
    { 6,   NGX_OK,   "62 late" },
    { 4,   NGX_BUSY, "64 late" },
    { 67,  NGX_OK,   "one late" },
    { 300, NGX_OK,   "far ahead" },
    { 68,  NGX_BUSY, "far behind" },
    { 299, NGX_OK,   "one late behind a jump" },
    { 300, NGX_BUSY, "the highest again" },
};


#define NARRIVALS  (sizeof(arrivals) / sizeof(arrivals[0]))
#define PACKETS    301


static void
report(u_char *p, uint32_t ssrc)
{
    ngx_memset(p, 0x5a, REPORT);

    p[0] = 0x81;
    p[1] = 201;
    p[2] = 0;
    p[3] = REPORT / 4 - 1;
    p[4] = (u_char) (ssrc >> 24);
    p[5] = (u_char) (ssrc >> 16);
    p[6] = (u_char) (ssrc >> 8);
    p[7] = (u_char) ssrc;
}


static srtp_t
foreign(ngx_uint_t i, const ngx_webrtc_srtp_key_t *key)
{
    srtp_t         srtp;
    u_char         master[64];
    srtp_policy_t  policy;

    ngx_memzero(&policy, sizeof(policy));

    srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp,
                                                profiles[i].srtp);
    srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp,
                                                 profiles[i].srtp);

    memcpy(master, key->key, profiles[i].key);
    memcpy(master + profiles[i].key, key->salt, profiles[i].salt);

    policy.ssrc.type = ssrc_any_outbound;
    policy.key = master;
    policy.window_size = 128;

    return (srtp_create(&srtp, &policy) == srtp_err_status_ok) ? srtp : NULL;
}


static void
test_profile(ngx_uint_t i)
{
    int                    len;
    size_t                 n, bad, size;
    u_char                 want[REPORT], pkt[REPORT + 64], hdr[64];
    srtp_t                 srtp;
    ngx_uint_t             k;
    ngx_webrtc_srtp_in_t   in;
    ngx_webrtc_srtp_key_t  key;

    static u_char          sent[PACKETS][REPORT + 64];

    ngx_memset(&key, 0x17, sizeof(key));
    key.profile = (uint16_t) profiles[i].profile;

    srtp = foreign(i, &key);
    if (srtp == NULL) {
        tap_ok(0, "%s: libsrtp2", profiles[i].name);
        return;
    }

    tap_is_int(ngx_webrtc_srtp_in_init_rtcp(&in, &key), NGX_OK, "%s: init",
               profiles[i].name);

    report(want, 0x01020304);
    size = 0;

    /* libsrtp2 begins with index 1 */

    for (k = 1; k < PACKETS; k++) {
        memcpy(sent[k], want, REPORT);
        len = REPORT;

        if (srtp_protect_rtcp(srtp, sent[k], &len) != srtp_err_status_ok) {
            tap_ok(0, "%s: libsrtp2 protects", profiles[i].name);
            return;
        }

        size = (size_t) len;
    }

    for (k = 0; k < NARRIVALS; k++) {
        memcpy(pkt, sent[arrivals[k].index], size);
        n = size;

        tap_is_int(ngx_webrtc_srtp_unprotect_rtcp(&in, pkt, &n),
                   arrivals[k].rc, "%s: %s", profiles[i].name,
                   arrivals[k].what);

        if (arrivals[k].rc == NGX_OK) {
            tap_is_mem(pkt, n, want, REPORT, "%s: %s, whole",
                       profiles[i].name, arrivals[k].what);
        }
    }

    /* a packet that is not authentic must not move the window */

    memcpy(pkt, sent[298], size);
    pkt[20] ^= 1;
    n = size;
    tap_is_int(ngx_webrtc_srtp_unprotect_rtcp(&in, pkt, &n), NGX_DECLINED,
               "%s: changed on the way", profiles[i].name);

    memcpy(pkt, sent[298], size);
    n = size;
    tap_is_int(ngx_webrtc_srtp_unprotect_rtcp(&in, pkt, &n), NGX_OK,
               "%s: the packet itself", profiles[i].name);

    /* RFC 3711, 3.4: the E flag is the first bit behind the ciphertext, or with
     * RFC 7714 the first of the last word */

    memcpy(pkt, sent[297], size);
    pkt[i == 2 ? REPORT : size - 4] &= 0x7f;
    n = size;
    tap_is_int(ngx_webrtc_srtp_unprotect_rtcp(&in, pkt, &n), NGX_DECLINED,
               "%s: not encrypted", profiles[i].name);

    /* every SSRC has its own window, and there is a limit to them */

    bad = 0;

    for (k = 0; k < 2 * NGX_WEBRTC_SRTP_SSRCS; k++) {
        report(pkt, (uint32_t) (1000 + k));
        len = REPORT;

        if (srtp_protect_rtcp(srtp, pkt, &len) != srtp_err_status_ok) {
            break;
        }

        n = (size_t) len;
        bad += (ngx_webrtc_srtp_unprotect_rtcp(&in, pkt, &n) == NGX_OK);
    }

    tap_is_int(bad, NGX_WEBRTC_SRTP_SSRCS - 1, "%s: senders are limited",
               profiles[i].name);

    /* no RTP */

    ngx_memzero(hdr, sizeof(hdr));
    hdr[0] = 0x80;
    n = sizeof(hdr);
    tap_is_int(ngx_webrtc_srtp_unprotect(&in, hdr, &n), NGX_DECLINED,
               "%s: no RTP", profiles[i].name);

    ngx_webrtc_srtp_in_cleanup(&in);
    ngx_webrtc_srtp_in_cleanup(&in);

    memcpy(pkt, sent[296], size);
    n = size;
    tap_is_int(ngx_webrtc_srtp_unprotect_rtcp(&in, pkt, &n), NGX_DECLINED,
               "%s: cleaned up", profiles[i].name);

    (void) srtp_dealloc(srtp);
}


int
main(void)
{
    ngx_uint_t                    i, j;
    ngx_webrtc_srtp_in_t          in;
    ngx_webrtc_srtp_key_t         none;
    const ngx_webrtc_srtp_gcm_t  *gcm;

    tap_is_int(srtp_init(), srtp_err_status_ok, "libsrtp2");

    for (j = 0; (gcm = ngx_webrtc_srtp_gcm_row(j)) != NULL; j++) {

        if (gcm->usable() != NULL) {
            continue;
        }

        ngx_webrtc_srtp_gcm_use(gcm);

        for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
            test_profile(i);
        }
    }

    ngx_memzero(&none, sizeof(none));
    tap_is_int(ngx_webrtc_srtp_in_init_rtcp(&in, &none), NGX_DECLINED,
               "no profile");

    return tap_done();
}
