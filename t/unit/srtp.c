
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SRTP: our egress byte by byte against libsrtp2's, against OpenSSL with the
 * session keys of RFC 3711, B.3, and against the packets in libsrtp2's own
 * test driver; our ingress with both.
 */


#define OPENSSL_SUPPRESS_DEPRECATED

#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <srtp2/srtp.h>

#include <ngx_webrtc_srtp.h>
#include <ngx_webrtc_srtp_mb.h>

#include <tap.h>


/* more than the library has jobs */
#define LATER  600


typedef struct {
    const char      *name;
    ngx_uint_t       profile;
    srtp_profile_t   srtp;
    size_t           key;
    size_t           salt;
    size_t           tag;
} test_profile_t;


static const test_profile_t  profiles[] = {
    { "AEAD_AES_128_GCM", NGX_WEBRTC_SRTP_AEAD_AES_128_GCM,
      srtp_profile_aead_aes_128_gcm, 16, 12, 16 },
    { "AEAD_AES_256_GCM", NGX_WEBRTC_SRTP_AEAD_AES_256_GCM,
      srtp_profile_aead_aes_256_gcm, 32, 12, 16 },
    { "AES128_CM_SHA1_80", NGX_WEBRTC_SRTP_AES128_CM_SHA1_80,
      srtp_profile_aes128_cm_sha1_80, 16, 14, 10 },
};

#define NPROFILES  (sizeof(profiles) / sizeof(profiles[0]))


static void
make_key(const test_profile_t *t, ngx_webrtc_srtp_key_t *key, u_char seed)
{
    size_t  i;

    memset(key, 0xee, sizeof(*key));

    key->profile = (uint16_t) t->profile;

    for (i = 0; i < t->key; i++) {
        key->key[i] = (u_char) (seed + 7 * i);
    }

    for (i = 0; i < t->salt; i++) {
        key->salt[i] = (u_char) (0xa0 + seed + 3 * i);
    }
}


static srtp_t
make_foreign(const test_profile_t *t, const ngx_webrtc_srtp_key_t *key,
    srtp_ssrc_type_t type)
{
    u_char         master[64];
    srtp_t         srtp;
    srtp_policy_t  policy;

    memset(&policy, 0, sizeof(policy));

    srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, t->srtp);
    srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, t->srtp);

    memcpy(master, key->key, t->key);
    memcpy(master + t->key, key->salt, t->salt);

    policy.ssrc.type = type;
    policy.key = master;
    policy.window_size = 1024;

    if (srtp_create(&srtp, &policy) != srtp_err_status_ok) {
        return NULL;
    }

    return srtp;
}


/* an RTP header, optionally with CSRCs and an extension; returns its size */

static size_t
make_header(u_char *p, uint16_t seq, uint32_t ssrc, ngx_uint_t csrcs,
    ngx_uint_t words)
{
    size_t  n;

    memset(p, 0x5a, 12 + 4 * csrcs + 4 + 4 * words);

    p[0] = (u_char) (0x80 | csrcs | (words ? 0x10 : 0));
    p[1] = 96;
    p[2] = (u_char) (seq >> 8);
    p[3] = (u_char) seq;
    p[8] = (u_char) (ssrc >> 24);
    p[9] = (u_char) (ssrc >> 16);
    p[10] = (u_char) (ssrc >> 8);
    p[11] = (u_char) ssrc;

    n = 12 + 4 * csrcs;

    if (words) {
        p[n] = 0xbe;
        p[n + 1] = 0xde;
        p[n + 2] = 0;
        p[n + 3] = (u_char) words;
        n += 4 + 4 * words;
    }

    return n;
}


static void
test_equal_rtp(const test_profile_t *t)
{
    int                    len;
    srtp_t                 foreign;
    u_char                 hdr[256], payload[1500], ours[1600], theirs[1600];
    size_t                 i, j, hdr_n, n, got, bad, badlen;
    uint64_t               index;
    ngx_webrtc_srtp_key_t  key;
    ngx_webrtc_srtp_out_t  out;

    /* index of the first packet; each run has 300, so that every one wraps */

    static const uint64_t  starts[] = {
        0, 65400, 0x7fff, 0x1ff80, 0x12345ff80, 0xfffffff0ff80,
    };

    static const size_t  sizes[] = { 0, 1, 15, 16, 17, 160, 1187, 1188, 1400 };

    make_key(t, &key, 1);

    for (i = 0; i < sizeof(payload); i++) {
        payload[i] = (u_char) (i * 31);
    }

    for (j = 0; j < sizeof(starts) / sizeof(starts[0]); j++) {

        foreign = make_foreign(t, &key, ssrc_any_outbound);

        if (!tap_ok(ngx_webrtc_srtp_out_init(&out, &key) == NGX_OK && foreign,
                    "%s: contexts", t->name))
        {
            return;
        }

        bad = 0;
        badlen = 0;

        for (i = 0; i < 300; i++) {

            index = starts[j] + i;
            n = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
            hdr_n = make_header(hdr, (uint16_t) index, 0xcafebabe, i % 3,
                                i % 5);

            memcpy(theirs, hdr, hdr_n);
            memcpy(theirs + hdr_n, payload, n);
            len = (int) (hdr_n + n);

            if (i == 0 && (index >> 16)) {

                /* the stream is there from its first packet on */

                len = (int) (hdr_n + n);
                srtp_protect(foreign, theirs, &len);
                srtp_set_stream_roc(foreign, 0xcafebabe,
                                    (uint32_t) (index >> 16));

                memcpy(theirs, hdr, hdr_n);
                memcpy(theirs + hdr_n, payload, n);
                len = (int) (hdr_n + n);
            }

            if (srtp_protect(foreign, theirs, &len) != srtp_err_status_ok) {
                bad++;
                continue;
            }

            got = sizeof(ours);

            if (ngx_webrtc_srtp_protect(&out, index, hdr, hdr_n, NULL, 0,
                                        payload, n, ours, &got)
                != NGX_OK)
            {
                bad++;
                continue;
            }

            badlen += (got != hdr_n + n + t->tag);
            bad += (got != (size_t) len || memcmp(ours, theirs, got) != 0);
        }

        tap_is_int(bad, 0, "%s: 300 packets from index 0x%llx equal libsrtp2's",
                   t->name, (unsigned long long) starts[j]);
        tap_is_int(badlen, 0, "%s: and are as long as announced", t->name);

        srtp_dealloc(foreign);
        ngx_webrtc_srtp_out_cleanup(&out);
    }
}


static void
test_equal_rtcp(const test_profile_t *t)
{
    int                    len;
    size_t                 i, n, bad;
    srtp_t                 foreign;
    u_char                 rtcp[256], ours[300], theirs[300];
    ngx_webrtc_srtp_key_t  key;
    ngx_webrtc_srtp_out_t  out;

    make_key(t, &key, 2);

    foreign = make_foreign(t, &key, ssrc_any_outbound);
    ngx_webrtc_srtp_out_init(&out, &key);

    for (i = 0; i < sizeof(rtcp); i++) {
        rtcp[i] = (u_char) (i * 17);
    }

    rtcp[0] = 0x80;
    rtcp[1] = 200;

    /* ours begins with index 0 (RFC 3711, 3.2.1), libsrtp2 with 1 */

    n = 28;
    memcpy(ours, rtcp, n);
    ngx_webrtc_srtp_protect_rtcp(&out, ours, &n, sizeof(ours));

    bad = 0;

    for (i = 0; i < 300; i++) {

        n = 8 + (i * 4) % 200;
        len = (int) n;

        memcpy(ours, rtcp, n);
        memcpy(theirs, rtcp, n);

        if (srtp_protect_rtcp(foreign, theirs, &len) != srtp_err_status_ok
            || ngx_webrtc_srtp_protect_rtcp(&out, ours, &n, sizeof(ours))
               != NGX_OK
            || n != (size_t) len
            || memcmp(ours, theirs, n) != 0)
        {
            bad++;
        }
    }

    tap_is_int(bad, 0, "%s: 300 RTCP packets equal libsrtp2's", t->name);

    /* RFC 3711, 9.2: no more than 2^31 packets */

    out.rtcp_index = 0x7fffffff;
    n = 8;
    memcpy(ours, rtcp, n);

    tap_is_int(ngx_webrtc_srtp_protect_rtcp(&out, ours, &n, sizeof(ours)),
               NGX_OK, "%s: the last SRTCP index", t->name);

    n = 8;
    tap_is_int(ngx_webrtc_srtp_protect_rtcp(&out, ours, &n, sizeof(ours)),
               NGX_ERROR, "%s: the indexes are used up", t->name);

    srtp_dealloc(foreign);
    ngx_webrtc_srtp_out_cleanup(&out);
}


/* many packets of three contexts, which are whole when all are finished */

static void
test_later(const test_profile_t *t)
{
    u_char                 *p, want[1600];
    size_t                  i, k, n, hdr_n, bad;
    uint64_t                index;
    ngx_webrtc_srtp_key_t   key;
    ngx_webrtc_srtp_out_t   out[3], alone[3];

    static u_char        batch[LATER][1600], hdr[LATER][64];
    static size_t        sizes[LATER], hdrs[LATER];
    static const size_t  of[] = { 1, 15, 16, 17, 160, 1187, 0, 1188, 1400 };

    for (k = 0; k < 3; k++) {
        make_key(t, &key, (u_char) (20 + k));

        ngx_webrtc_srtp_batch(1);
        ngx_webrtc_srtp_out_init(&out[k], &key);
        ngx_webrtc_srtp_batch(0);
        ngx_webrtc_srtp_out_init(&alone[k], &key);
    }

    tap_ok(!ngx_webrtc_srtp_batched(&alone[0]), "%s: one by one", t->name);
    tap_is_int(ngx_webrtc_srtp_batched(&out[0]),
               t->tag == 10 && ngx_webrtc_srtp_mb_usable() == NULL,
               "%s: side by side", t->name);

    bad = 0;

    for (i = 0; i < LATER; i++) {
        n = of[i % (sizeof(of) / sizeof(of[0]))];
        index = 0x1ff80 + i;

        hdr_n = make_header(hdr[i], (uint16_t) index, 0xcafe0000 + i % 3, i % 3,
                            i % 5);

        memcpy(batch[i], hdr[i], hdr_n);
        memset(batch[i] + hdr_n, (int) i, n);

        /* another's must not be written to, so no byte of room too many */

        sizes[i] = hdr_n + n + t->tag;
        hdrs[i] = hdr_n;
        memset(batch[i] + sizes[i], 0xee, sizeof(batch[i]) - sizes[i]);

        bad += ngx_webrtc_srtp_protect_later(&out[i % 3], index, batch[i],
                                             hdr_n, n, &sizes[i])
               != NGX_OK;
        bad += sizes[i] != hdr_n + n + t->tag;
    }

    tap_is_int(bad, 0, "%s: %d packets of three contexts", t->name, LATER);

    /* a context may go while packets of others wait */

    ngx_webrtc_srtp_out_cleanup(&out[1]);
    ngx_webrtc_srtp_finish();
    ngx_webrtc_srtp_finish();

    bad = 0;

    for (i = 0; i < LATER; i++) {
        hdr_n = hdrs[i];
        p = want + hdr_n;
        n = sizes[i] - hdr_n - t->tag;
        memset(p, (int) i, n);
        k = sizeof(want);

        ngx_webrtc_srtp_protect(&alone[i % 3], 0x1ff80 + i, hdr[i], hdr_n, NULL,
                                0, p, n, want, &k);

        bad += k != sizes[i] || memcmp(want, batch[i], k) != 0;

        for (n = sizes[i]; n < sizeof(batch[i]); n++) {
            bad += batch[i][n] != 0xee;
        }
    }

    tap_is_int(bad, 0, "%s: equal those that are made alone", t->name);

    n = hdrs[0] + 16 + t->tag - 1;

    tap_is_int(ngx_webrtc_srtp_protect_later(&out[0], 7, batch[0], hdrs[0], 16,
                                             &n),
               NGX_DECLINED, "%s: no room", t->name);

    n = sizeof(batch[0]);

    tap_is_int(ngx_webrtc_srtp_protect_later(&out[0], 7, batch[0], 11, 16, &n),
               NGX_DECLINED, "%s: a header that is too short", t->name);

    for (k = 0; k < 3; k++) {
        ngx_webrtc_srtp_out_cleanup(&out[k]);
        ngx_webrtc_srtp_out_cleanup(&alone[k]);
    }
}


/* prefix, in place, room, sizes */

static void
test_forms(const test_profile_t *t)
{
    u_char                 hdr[64], want[200], got[200], odd[400];
    size_t                 i, n, hdr_n, want_n;
    ngx_webrtc_srtp_key_t  key;
    ngx_webrtc_srtp_out_t  out;

    static u_char  payload[102] = "xyPayload that is long enough";

    make_key(t, &key, 3);
    ngx_webrtc_srtp_out_init(&out, &key);

    hdr_n = make_header(hdr, 5, 1, 0, 1);

    want_n = sizeof(want);
    ngx_webrtc_srtp_protect(&out, 5, hdr, hdr_n, NULL, 0, payload, 102, want,
                            &want_n);

    n = sizeof(got);
    ngx_webrtc_srtp_protect(&out, 5, hdr, hdr_n, (u_char *) "xy", 2,
                            payload + 2, 100, got, &n);
    tap_is_mem(got, n, want, want_n, "%s: prefix is encrypted as if in one "
               "piece", t->name);

    memcpy(got, hdr, hdr_n);
    memcpy(got + hdr_n, payload, 102);
    n = sizeof(got);
    ngx_webrtc_srtp_protect(&out, 5, got, hdr_n, NULL, 0, got + hdr_n, 102,
                            got, &n);
    tap_is_mem(got, n, want, want_n, "%s: in place", t->name);

    memset(got, 0, sizeof(got));
    memcpy(got, hdr, hdr_n);
    memcpy(got + hdr_n + 2, payload + 2, 100);
    n = sizeof(got);
    ngx_webrtc_srtp_protect(&out, 5, got, hdr_n, (u_char *) "xy", 2,
                            got + hdr_n + 2, 100, got, &n);
    tap_is_mem(got, n, want, want_n, "%s: prefix in place", t->name);

    for (i = 0; i < 4; i++) {
        n = sizeof(odd) - i;
        ngx_webrtc_srtp_protect(&out, 5, hdr, hdr_n, NULL, 0, payload, 102,
                                odd + i, &n);
        tap_is_mem(odd + i, n, want, want_n, "%s: alignment %d", t->name,
                   (int) i);
    }

    n = want_n;
    tap_is_int(ngx_webrtc_srtp_protect(&out, 5, hdr, hdr_n, NULL, 0, payload,
                                       102, got, &n),
               NGX_OK, "%s: exact room", t->name);

    memset(got, 0x77, sizeof(got));

    for (i = 0; i < want_n; i++) {
        n = i;

        if (ngx_webrtc_srtp_protect(&out, 5, hdr, hdr_n, NULL, 0, payload, 102,
                                    got, &n)
            != NGX_DECLINED)
        {
            break;
        }
    }

    tap_is_int(i, want_n, "%s: no room", t->name);
    tap_ok(got[0] == 0x77, "%s: and nothing written", t->name);

    n = (size_t) -1;
    tap_is_int(ngx_webrtc_srtp_protect(&out, 5, hdr, hdr_n, NULL, 0, payload,
                                       (size_t) -1, got, &n),
               NGX_DECLINED, "%s: sizes that would overflow", t->name);

    n = sizeof(got);
    tap_is_int(ngx_webrtc_srtp_protect(&out, 5, hdr, 11, NULL, 0, payload, 10,
                                       got, &n),
               NGX_DECLINED, "%s: short header", t->name);

    for (i = 0; i < 60; i++) {
        n = 40;

        if (ngx_webrtc_srtp_protect_rtcp(&out, got, &n, i)
            == ((i < 40 + t->tag + 4) ? NGX_OK : NGX_DECLINED))
        {
            break;
        }
    }

    tap_is_int(i, 60, "%s: room of RTCP", t->name);

    n = 7;
    tap_is_int(ngx_webrtc_srtp_protect_rtcp(&out, got, &n, sizeof(got)),
               NGX_DECLINED, "%s: short RTCP", t->name);

    ngx_webrtc_srtp_out_cleanup(&out);
    ngx_webrtc_srtp_out_cleanup(&out);

    n = sizeof(got);
    tap_is_int(ngx_webrtc_srtp_protect(&out, 5, hdr, hdr_n, NULL, 0, payload,
                                       10, got, &n),
               NGX_DECLINED, "%s: cleaned up", t->name);
}


static void
test_ingress(const test_profile_t *t)
{
    u_char                 hdr[64], pkt[300], copy[300], *cut;
    size_t                 i, n, hdr_n, len, bad, told;
    ngx_int_t              rc;
    ngx_webrtc_srtp_in_t   in;
    ngx_webrtc_srtp_key_t  key;
    ngx_webrtc_srtp_out_t  out;

    static u_char  payload[100] = "payload";

    make_key(t, &key, 4);
    ngx_webrtc_srtp_out_init(&out, &key);
    tap_is_int(ngx_webrtc_srtp_in_init(&in, &key), NGX_OK, "%s: ingress",
               t->name);

    bad = 0;

    for (i = 65000; i < 66600; i++) {
        hdr_n = make_header(hdr, (uint16_t) i, 7, 0, 2);
        n = sizeof(pkt);
        ngx_webrtc_srtp_protect(&out, i, hdr, hdr_n, NULL, 0, payload, 100,
                                pkt, &n);

        bad += (ngx_webrtc_srtp_unprotect(&in, pkt, &n) != NGX_OK
                || n != hdr_n + 100
                || memcmp(pkt, hdr, hdr_n) != 0
                || memcmp(pkt + hdr_n, payload, 100) != 0);
    }

    tap_is_int(bad, 0, "%s: 1600 packets over the wrap are read", t->name);

    len = sizeof(copy);
    hdr_n = make_header(hdr, (uint16_t) 66600, 7, 0, 2);
    ngx_webrtc_srtp_protect(&out, 66600, hdr, hdr_n, NULL, 0, payload, 100,
                            copy, &len);

    /* every bit of header, payload and tag matters, every length too */

    bad = 0;

    for (i = 0; i < len * 8; i++) {
        memcpy(pkt, copy, len);
        pkt[i / 8] ^= (u_char) (1 << (i % 8));
        n = len;
        bad += (ngx_webrtc_srtp_unprotect(&in, pkt, &n) == NGX_OK);
    }

    tap_is_int(bad, 0, "%s: no flipped bit passes", t->name);

    for (i = 0; i < len; i++) {
        cut = malloc(i ? i : 1);
        memcpy(cut, copy, i);
        n = i;
        bad += (ngx_webrtc_srtp_unprotect(&in, cut, &n) == NGX_OK);
        free(cut);
    }

    tap_is_int(bad, 0, "%s: no cut packet passes", t->name);

    memcpy(pkt, copy, len);
    n = len;
    tap_is_int(ngx_webrtc_srtp_unprotect(&in, pkt, &n), NGX_OK,
               "%s: the packet itself does", t->name);

    memcpy(pkt, copy, len);
    n = len;
    tap_is_int(ngx_webrtc_srtp_unprotect(&in, pkt, &n), NGX_BUSY,
               "%s: but once", t->name);

    /* RTCP */

    memset(copy, 0x33, 60);
    copy[0] = 0x80;
    copy[1] = 200;
    copy[2] = 0;
    copy[3] = 14;
    len = 60;
    ngx_webrtc_srtp_protect_rtcp(&out, copy, &len, sizeof(copy));

    for (i = 0; i < len * 8; i++) {
        memcpy(pkt, copy, len);
        pkt[i / 8] ^= (u_char) (1 << (i % 8));
        n = len;
        bad += (ngx_webrtc_srtp_unprotect_rtcp(&in, pkt, &n) == NGX_OK);
    }

    tap_is_int(bad, 0, "%s: no flipped bit of RTCP passes", t->name);

    for (i = 0; i < len; i++) {
        cut = malloc(i ? i : 1);
        memcpy(cut, copy, i);
        n = i;
        bad += (ngx_webrtc_srtp_unprotect_rtcp(&in, cut, &n) == NGX_OK);
        free(cut);
    }

    tap_is_int(bad, 0, "%s: no cut RTCP packet passes", t->name);

    memcpy(pkt, copy, len);
    n = len;
    rc = ngx_webrtc_srtp_unprotect_rtcp(&in, pkt, &n);
    tap_ok(rc == NGX_OK && n == 60 && pkt[59] == 0x33, "%s: RTCP is read",
           t->name);

    n = len;
    tap_is_int(ngx_webrtc_srtp_unprotect_rtcp(&in, copy, &n), NGX_BUSY,
               "%s: once", t->name);

    /* the limit of SSRCs: two are known (RTCP's is 0x33333333) */

    bad = 0;
    told = 0;

    for (i = 0; i < 3 * NGX_WEBRTC_SRTP_SSRCS; i++) {
        hdr_n = make_header(hdr, 1, (uint32_t) (1000 + i), 0, 0);
        n = sizeof(pkt);
        ngx_webrtc_srtp_protect(&out, 1, hdr, hdr_n, NULL, 0, payload, 10, pkt,
                                &n);

        if (i & 1) {
            /* one that is not authentic takes no room */
            pkt[n - 1] ^= 1;
        }

        rc = ngx_webrtc_srtp_unprotect(&in, pkt, &n);

        bad += (rc == NGX_OK);

        if (rc == NGX_ERROR && !told++) {
            tap_is_int(i, 2 * (NGX_WEBRTC_SRTP_SSRCS - 2),
                       "%s: the first authentic one above is told", t->name);
        }
    }

    tap_is_int(bad, NGX_WEBRTC_SRTP_SSRCS - 2, "%s: SSRCs are limited",
               t->name);
    tap_is_int(told, 1, "%s: one too many is told once", t->name);

    ngx_webrtc_srtp_in_cleanup(&in);
    ngx_webrtc_srtp_in_cleanup(&in);

    n = 60;
    tap_is_int(ngx_webrtc_srtp_unprotect(&in, pkt, &n), NGX_DECLINED,
               "%s: ingress cleaned up", t->name);

    ngx_webrtc_srtp_out_cleanup(&out);
}


/* the order in which packets arrive, by their indexes, and what comes of it;
 * RFC 3711, 3.3.1 and 3.3.2 with a window of 1024 */
static const struct {
    uint64_t     index;
    ngx_int_t    rc;
    const char  *what;
} arrivals[] = {
    { 30000,  NGX_OK,       "the first" },
    { 30000,  NGX_BUSY,     "again" },
    { 29990,  NGX_OK,       "one before it" },
    { 62767,  NGX_OK,       "half of the numbers ahead" },
    { 61744,  NGX_OK,       "1023 late" },
    { 61744,  NGX_BUSY,     "1023 late, again" },
    { 61743,  NGX_BUSY,     "1024 late" },
    { 61745,  NGX_OK,       "1022 late" },
    { 65534,  NGX_OK,       "before the wrap" },
    { 65537,  NGX_OK,       "behind the wrap" },
    { 65535,  NGX_OK,       "before it, late" },
    { 65536,  NGX_OK,       "the wrap, late" },
    { 65534,  NGX_BUSY,     "before it, again" },
    { 65536,  NGX_BUSY,     "the wrap, again" },
    { 65537 + 1023, NGX_OK, "1023 ahead" },
    { 65537,  NGX_BUSY,     "what was the highest" },
    { 65538,  NGX_OK,       "what was left out, the oldest" },
    { 66000,  NGX_OK,       "what was left out" },
    { 66000,  NGX_BUSY,     "the same again" },
    { 66560 + 1024, NGX_OK, "1024 ahead" },
    { 66561,  NGX_OK,       "the whole window is free" },
    { 66560,  NGX_BUSY,     "and no more" },
    { 100350, NGX_OK,       "near the next wrap" },
    { 131080, NGX_OK,       "behind it" },
    { 131060, NGX_OK,       "before it, late" },
    { 263144, NGX_DECLINED, "the counter went on while nothing came" },
    { 131081, NGX_OK,       "which changes nothing" },
};


static void
test_arrivals(const test_profile_t *t)
{
    u_char                 pkt[300], hdr[64];
    size_t                 i, n, hdr_n;
    ngx_int_t              rc;
    ngx_webrtc_srtp_in_t   in;
    ngx_webrtc_srtp_key_t  key;
    ngx_webrtc_srtp_out_t  out;

    make_key(t, &key, 9);

    if (ngx_webrtc_srtp_in_init(&in, &key) != NGX_OK
        || ngx_webrtc_srtp_out_init(&out, &key) != NGX_OK)
    {
        tap_ok(0, "%s: contexts", t->name);
        return;
    }

    for (i = 0; i < sizeof(arrivals) / sizeof(arrivals[0]); i++) {

        hdr_n = make_header(hdr, (uint16_t) arrivals[i].index, 0x01020304,
                            i & 3, i % 4);

        memcpy(pkt, hdr, hdr_n);
        memset(pkt + hdr_n, (int) i, 100);

        n = sizeof(pkt);
        ngx_webrtc_srtp_protect(&out, arrivals[i].index, pkt, hdr_n, NULL, 0,
                                pkt + hdr_n, 100, pkt, &n);

        rc = ngx_webrtc_srtp_unprotect(&in, pkt, &n);

        tap_ok(rc == arrivals[i].rc
               && (rc != NGX_OK
                   || (n == hdr_n + 100 && memcmp(pkt, hdr, hdr_n) == 0
                       && pkt[hdr_n] == i && pkt[hdr_n + 99] == i)),
               "%s: %s", t->name, arrivals[i].what);
    }

    ngx_webrtc_srtp_out_cleanup(&out);
    ngx_webrtc_srtp_in_cleanup(&in);
}


/*
 * RFC 3711, B.3: the session keys of this master key and salt.  What they make
 * of a packet is computed with OpenSSL here.
 */

static void
test_rfc3711(void)
{
    int                    len;
    u_char                 iv[16], pkt[64], want[64], got[64], mac[20];
    size_t                 n;
    unsigned int           mac_n;
    EVP_CIPHER_CTX        *ctx;
    ngx_webrtc_srtp_key_t  key;
    ngx_webrtc_srtp_out_t  out;

    static const u_char  master[] =
        "\xE1\xF9\x7A\x0D\x3E\x01\x8B\xE0\xD6\x4F\xA3\x2C\x06\xDE\x41\x39";
    static const u_char  salt[] =
        "\x0E\xC6\x75\xAD\x49\x8A\xFE\xEB\xB6\x96\x0B\x3A\xAB\xE6";
    static const u_char  cipher_key[] =
        "\xC6\x1E\x7A\x93\x74\x4F\x39\xEE\x10\x73\x4A\xFE\x3F\xF7\xA0\x87";
    static const u_char  cipher_salt[] =
        "\x30\xCB\xBC\x08\x86\x3D\x8C\x85\xD4\x9D\xB3\x4A\x9A\xE1";
    static const u_char  auth_key[] =
        "\xCE\xBE\x32\x1F\x6F\xF7\x71\x6B\x6F\xD4\xAB\x49\xAF\x25\x6A\x15"
        "\x6D\x38\xBA\xA4";

    /* SSRC 0x01020304, index 0x0000000000 0a0b with ROC 0x00000009 */

    static const u_char  roc[] = { 0, 0, 0, 9 };

    memset(&key, 0, sizeof(key));
    key.profile = NGX_WEBRTC_SRTP_AES128_CM_SHA1_80;
    memcpy(key.key, master, 16);
    memcpy(key.salt, salt, 14);

    memset(pkt, 0x42, sizeof(pkt));
    memcpy(pkt, "\x80\x60\x0a\x0b\x11\x22\x33\x44\x01\x02\x03\x04", 12);

    memset(iv, 0, sizeof(iv));
    memcpy(iv, cipher_salt, 14);
    iv[4] ^= 1;
    iv[5] ^= 2;
    iv[6] ^= 3;
    iv[7] ^= 4;
    iv[11] ^= 9;
    iv[12] ^= 0x0a;
    iv[13] ^= 0x0b;

    memcpy(want, pkt, 12);

    ctx = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, cipher_key, iv);
    EVP_EncryptUpdate(ctx, want + 12, &len, pkt + 12, 30);
    EVP_CIPHER_CTX_free(ctx);

    memcpy(want + 42, roc, 4);
    HMAC(EVP_sha1(), auth_key, 20, want, 46, mac, &mac_n);
    memcpy(want + 42, mac, 10);

    ngx_webrtc_srtp_out_init(&out, &key);

    n = sizeof(got);
    ngx_webrtc_srtp_protect(&out, 0x90a0b, pkt, 12, NULL, 0, pkt + 12, 30, got,
                            &n);

    tap_is_mem(got, n, want, 52, "RFC 3711, B.3: session keys");

    ngx_webrtc_srtp_out_cleanup(&out);
}


/* packets of libsrtp 2's test/srtp_driver.c */

static void
test_packets(void)
{
    u_char                 got[64], in[28];
    size_t                 n;
    ngx_webrtc_srtp_key_t  key;
    ngx_webrtc_srtp_out_t  out;

    static const u_char  rtp[] =
        "\x80\x0f\x12\x34\xde\xca\xfb\xad\xca\xfe\xba\xbe";
    static const u_char  rtcp[] = "\x81\xc8\x00\x0b\xca\xfe\xba\xbe";

    static const u_char  cm[] =
        "\x80\x0f\x12\x34\xde\xca\xfb\xad\xca\xfe\xba\xbe"
        "\x4e\x55\xdc\x4c\xe7\x99\x78\xd8\x8c\xa4\xd2\x15\x94\x9d\x24\x02"
        "\xb7\x8d\x6a\xcc\x99\xea\x17\x9b\x8d\xbb";
    static const u_char  cm_rtcp[] =
        "\x81\xc8\x00\x0b\xca\xfe\xba\xbe"
        "\x71\x28\x03\x5b\xe4\x87\xb9\xbd\xbe\xf8\x90\x41\xf9\x77\xa5\xa8"
        "\x80\x00\x00\x01\x99\x3e\x08\xcd\x54\xd6\xc1\x23\x07\x98";
    static const u_char  gcm[] =
        "\x80\x0f\x12\x34\xde\xca\xfb\xad\xca\xfe\xba\xbe"
        "\xc5\x00\x2e\xde\x04\xcf\xdd\x2e\xb9\x11\x59\xe0\x88\x0a\xa0\x6e"
        "\xd2\x97\x68\x26\xf7\x96\xb2\x01\xdf\x31\x31\xa1\x27\xe8\xa3\x92";

    memset(&key, 0, sizeof(key));
    key.profile = NGX_WEBRTC_SRTP_AES128_CM_SHA1_80;
    memcpy(key.key, "\xe1\xf9\x7a\x0d\x3e\x01\x8b\xe0"
                    "\xd6\x4f\xa3\x2c\x06\xde\x41\x39", 16);
    memcpy(key.salt, "\x0e\xc6\x75\xad\x49\x8a\xfe\xeb"
                     "\xb6\x96\x0b\x3a\xab\xe6", 14);

    memset(in, 0xab, sizeof(in));

    ngx_webrtc_srtp_out_init(&out, &key);

    n = sizeof(got);
    ngx_webrtc_srtp_protect(&out, 0x1234, rtp, 12, NULL, 0, in, 16, got, &n);
    tap_is_mem(got, n, cm, sizeof(cm) - 1, "srtp_driver: AES_CM");

    out.rtcp_index = 1;
    memset(got, 0xab, sizeof(got));
    memcpy(got, rtcp, 8);
    n = 24;
    ngx_webrtc_srtp_protect_rtcp(&out, got, &n, sizeof(got));
    tap_is_mem(got, n, cm_rtcp, sizeof(cm_rtcp) - 1,
               "srtp_driver: AES_CM, RTCP");

    ngx_webrtc_srtp_out_cleanup(&out);

    memset(&key, 0, sizeof(key));
    key.profile = NGX_WEBRTC_SRTP_AEAD_AES_128_GCM;

    for (n = 0; n < 16; n++) {
        key.key[n] = (u_char) n;
    }

    for (n = 0; n < 12; n++) {
        key.salt[n] = (u_char) (0xa0 + n);
    }

    ngx_webrtc_srtp_out_init(&out, &key);

    n = sizeof(got);
    ngx_webrtc_srtp_protect(&out, 0x1234, rtp, 12, NULL, 0, in, 16, got, &n);
    tap_is_mem(got, n, gcm, sizeof(gcm) - 1, "srtp_driver: AES_GCM");

    ngx_webrtc_srtp_out_cleanup(&out);
}


/* every library that there is here, byte by byte as libsrtp2 */

static void
test_gcm(void)
{
    u_char                        tag[16], p[4];
    void                         *key;
    ngx_uint_t                    i, j;
    const ngx_webrtc_srtp_gcm_t  *gcm;

    static const u_char  secret[32], iv[12], aad[12];

    tap_ok(ngx_webrtc_srtp_gcm_row(0) == ngx_webrtc_srtp_gcm_use(NULL),
           "OpenSSL unless told otherwise");
    tap_ok(ngx_webrtc_srtp_gcm_find("rot13") == NULL, "no such library");

    for (i = 0; (gcm = ngx_webrtc_srtp_gcm_row(i)) != NULL; i++) {

        if (gcm->usable() != NULL) {
            tap_diag("%s: %s", gcm->name, gcm->usable());
            continue;
        }

        tap_ok(ngx_webrtc_srtp_gcm_find(gcm->name) == gcm, "%s", gcm->name);
        tap_ok(ngx_webrtc_srtp_gcm_use(gcm) == gcm, "%s: is used", gcm->name);
        tap_is_int(ngx_webrtc_srtp_gcm_run(gcm, 3), NGX_OK, "%s: runs",
                   gcm->name);

        /* tags of nothing, of a wrong one; RFC 7714, 13.1 */

        for (j = 0; j < 2; j++) {
            key = gcm->key(secret, 16 << j, 1);
            tap_is_int(gcm->seal(key, iv, aad, 12, NULL, p, 0, tag), NGX_OK,
                       "%s: seals nothing", gcm->name);
            gcm->free(key);

            key = gcm->key(secret, 16 << j, 0);
            tap_is_int(gcm->open(key, iv, aad, 12, p, 0, tag), NGX_OK,
                       "%s: opens it", gcm->name);
            tag[15] ^= 1;
            tap_is_int(gcm->open(key, iv, aad, 12, p, 0, tag), NGX_ERROR,
                       "%s: another tag", gcm->name);
            gcm->free(key);
        }

        gcm->free(NULL);

        for (j = 0; j < NPROFILES - 1; j++) {
            test_equal_rtp(&profiles[j]);
            test_equal_rtcp(&profiles[j]);
            test_forms(&profiles[j]);
            test_ingress(&profiles[j]);
        }
    }

    ngx_webrtc_srtp_gcm_use(ngx_webrtc_srtp_gcm_row(0));
}


int
main(void)
{
    size_t                 key, salt;
    ngx_uint_t             i;
    ngx_webrtc_srtp_in_t   in;
    ngx_webrtc_srtp_key_t  none;
    ngx_webrtc_srtp_out_t  out;

    tap_is_int(srtp_init(), srtp_err_status_ok, "libsrtp2");

    memset(&none, 0, sizeof(none));

    tap_is_int(ngx_webrtc_srtp_out_init(&out, &none), NGX_DECLINED,
               "no profile, out");
    tap_is_int(ngx_webrtc_srtp_in_init(&in, &none), NGX_DECLINED,
               "no profile, in");

    ngx_webrtc_srtp_sizes(2, &key, &salt);
    tap_ok(key == 0 && salt == 0, "sizes of an unknown profile");

    test_rfc3711();
    test_packets();

    for (i = 0; i < NPROFILES; i++) {
        ngx_webrtc_srtp_sizes(profiles[i].profile, &key, &salt);
        tap_ok(key == profiles[i].key && salt == profiles[i].salt,
               "%s: sizes", profiles[i].name);

        test_equal_rtp(&profiles[i]);
        test_equal_rtcp(&profiles[i]);
        test_forms(&profiles[i]);
        test_later(&profiles[i]);
        test_ingress(&profiles[i]);
        test_arrivals(&profiles[i]);
    }

    test_gcm();

    srtp_shutdown();

    return tap_done();
}
