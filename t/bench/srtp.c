
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What it costs to protect an RTP packet of 1200 bytes for a viewer: ours (by each library
 * that there is, key schedule kept) against libsrtp2, with one context and with many that
 * take turns as viewers of a stream do, so that none is in the cache.  Also
 * the memory of a context, and of a connected DTLS session.
 *
 *     srtp [contexts] [packets]
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <srtp2/srtp.h>

#include <ngx_webrtc_dtls.h>
#include <ngx_webrtc_srtp.h>
#include <ngx_webrtc_srtp_mb.h>


#define PAYLOAD  1172
#define FRAME    10              /* packets that a viewer gets in one turn */
#define BATCH    20              /* viewers whose packets leave together */


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


static double
cpu_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}


static size_t
heap(void)
{
    struct mallinfo2  m;

    m = mallinfo2();

    return m.uordblks + m.hblkhd;
}


static void
header(u_char *p, uint16_t seq)
{
    memcpy(p, "\x80\x60\x00\x00\x01\x02\x03\x04\x0a\x0b\x0c\x0d", 12);
    p[2] = (u_char) (seq >> 8);
    p[3] = (u_char) seq;
}


static void
make_key(ngx_uint_t i, size_t k, ngx_webrtc_srtp_key_t *key)
{
    size_t  j;

    memset(key, 0, sizeof(*key));
    key->profile = (uint16_t) profiles[i].profile;

    for (j = 0; j < sizeof(key->key); j++) {
        key->key[j] = (u_char) (k * 31 + j);
    }
}


/* us per packet */

static double
bench_ours(ngx_uint_t i, size_t contexts, size_t packets, ngx_uint_t rtx,
    size_t *bytes)
{
    double                  t;
    u_char                  hdr[12], *dst;
    size_t                  k, n, f, done, before;
    uint64_t                index;
    ngx_webrtc_srtp_key_t   key;
    ngx_webrtc_srtp_out_t  *out;

    static u_char  payload[PAYLOAD];

    dst = malloc(1500 * FRAME);
    before = heap();
    out = malloc(contexts * sizeof(*out));

    for (k = 0; k < contexts; k++) {
        make_key(i, k, &key);

        if (ngx_webrtc_srtp_out_init(&out[k], &key) != NGX_OK) {
            abort();
        }
    }

    *bytes = (heap() - before) / contexts;

    t = cpu_us();
    done = 0;

    for (index = 0; done < packets; index += FRAME) {
        for (k = 0; k < contexts && done < packets; k++) {
            for (f = 0; f < FRAME; f++) {
                header(hdr, (uint16_t) (index + f));
                n = 1500;
                ngx_webrtc_srtp_protect(&out[k], index + f, hdr, 12,
                                        rtx ? (u_char *) "ab" : NULL,
                                        rtx ? 2 : 0,
                                        payload, PAYLOAD, dst + f * 1500, &n);
                done++;
            }
        }
    }

    t = (cpu_us() - t) / (double) done;

    for (k = 0; k < contexts; k++) {
        ngx_webrtc_srtp_out_cleanup(&out[k]);
    }

    free(out);
    free(dst);

    return t;
}


/* us per packet, side by side: what a batch of the worker's port holds */

static double
bench_batch(ngx_uint_t i, size_t contexts, size_t packets, size_t *bytes)
{
    double                  t;
    u_char                 *p, *batch;
    size_t                  k, n, f, done, before;
    uint64_t                index;
    ngx_webrtc_srtp_key_t   key;
    ngx_webrtc_srtp_out_t  *out;

    static u_char  payload[PAYLOAD];

    batch = malloc(1500 * BATCH * FRAME);
    before = heap();
    out = malloc(contexts * sizeof(*out));

    ngx_webrtc_srtp_batch(1);

    for (k = 0; k < contexts; k++) {
        make_key(i, k, &key);

        if (ngx_webrtc_srtp_out_init(&out[k], &key) != NGX_OK) {
            abort();
        }
    }

    ngx_webrtc_srtp_batch(0);

    *bytes = (heap() - before) / contexts;

    t = cpu_us();
    done = 0;

    for (index = 0; done < packets; index += FRAME) {
        for (k = 0; k < contexts && done < packets; k++) {
            for (f = 0; f < FRAME; f++) {
                p = batch + done++ % (BATCH * FRAME) * 1500;
                header(p, (uint16_t) (index + f));
                memcpy(p + 12, payload, PAYLOAD);
                n = 1500;
                ngx_webrtc_srtp_protect_later(&out[k], index + f, p, 12,
                                              PAYLOAD, &n);
            }

            if (k % BATCH == BATCH - 1) {
                ngx_webrtc_srtp_finish();
            }
        }

        ngx_webrtc_srtp_finish();
    }

    t = (cpu_us() - t) / (double) done;

    for (k = 0; k < contexts; k++) {
        ngx_webrtc_srtp_out_cleanup(&out[k]);
    }

    free(out);
    free(batch);

    return t;
}


static double
bench_libsrtp(ngx_uint_t i, size_t contexts, size_t packets, size_t *bytes)
{
    int                     n;
    double                  t;
    u_char                  master[64], *dst;
    size_t                  k, f, done, before;
    srtp_t                 *srtp;
    uint64_t                index;
    srtp_policy_t           policy;
    ngx_webrtc_srtp_key_t   key;

    static u_char  payload[PAYLOAD];

    dst = malloc(1500 * FRAME);
    before = heap();
    srtp = malloc(contexts * sizeof(*srtp));

    for (k = 0; k < contexts; k++) {
        make_key(i, k, &key);

        memset(&policy, 0, sizeof(policy));
        srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp,
                                                    profiles[i].srtp);
        srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp,
                                                     profiles[i].srtp);
        memcpy(master, key.key, profiles[i].key);
        memcpy(master + profiles[i].key, key.salt, profiles[i].salt);
        policy.ssrc.type = ssrc_any_outbound;
        policy.key = master;
        policy.window_size = 128;

        if (srtp_create(&srtp[k], &policy) != srtp_err_status_ok) {
            abort();
        }
    }

    t = cpu_us();
    done = 0;

    for (index = 0; done < packets; index += FRAME) {
        for (k = 0; k < contexts && done < packets; k++) {
            for (f = 0; f < FRAME; f++) {
                header(dst + f * 1500, (uint16_t) (index + f));
                memcpy(dst + f * 1500 + 12, payload, PAYLOAD);
                n = 12 + PAYLOAD;
                srtp_protect(srtp[k], dst + f * 1500, &n);
                done++;
            }
        }
    }

    t = (cpu_us() - t) / (double) done;

    *bytes = (heap() - before) / contexts;

    for (k = 0; k < contexts; k++) {
        srtp_dealloc(srtp[k]);
    }

    free(srtp);
    free(dst);

    return t;
}


/* DTLS: two engines back to back */

typedef struct peer_s  peer_t;

struct peer_s {
    ngx_webrtc_dtls_t   dtls;
    peer_t             *other;
    u_char              q[16][NGX_WEBRTC_DTLS_MTU];
    size_t              n[16];
    ngx_uint_t          head;
    ngx_uint_t          tail;
};


static void
on_send(void *ctx, u_char *p, size_t n)
{
    peer_t  *to = ((peer_t *) ctx)->other;

    memcpy(to->q[to->tail % 16], p, n);
    to->n[to->tail++ % 16] = n;
}


static void
on_recv(void *ctx, u_char *p, size_t n)
{
    (void) ctx;
    (void) p;
    (void) n;
}


static void
deliver(peer_t *to)
{
    while (to->head != to->tail) {
        ngx_webrtc_dtls_input(&to->dtls, to->q[to->head % 16],
                              to->n[to->head % 16], 0);
        to->head++;
    }
}


static void
bench_dtls(ngx_webrtc_dtls_conf_t *conf, const u_char *fp, ngx_uint_t data,
    ngx_uint_t role, size_t n)
{
    double                  t, us;
    size_t                  i, before, idle;
    peer_t                 *peer, *other;
    ngx_webrtc_dtls_opts_t  opts;

    peer = calloc(1, sizeof(peer_t));
    other = calloc(1, sizeof(peer_t));

    us = 0;
    idle = 0;

    memset(&opts, 0, sizeof(opts));
    opts.fingerprint_alg = NGX_WEBRTC_FINGERPRINT_SHA256;
    opts.fingerprint = fp;
    opts.fingerprint_len = 32;
    opts.send = on_send;

    for (i = 0; i < n; i++) {

        memset(peer, 0, sizeof(peer_t));
        memset(other, 0, sizeof(peer_t));
        peer->other = other;
        other->other = peer;

        opts.role = (role == NGX_WEBRTC_DTLS_SERVER) ? NGX_WEBRTC_DTLS_CLIENT
                                                     : NGX_WEBRTC_DTLS_SERVER;
        opts.ctx = other;
        opts.recv = NULL;
        ngx_webrtc_dtls_init(&other->dtls, conf, &opts);

        opts.role = role;
        opts.ctx = peer;
        opts.recv = data ? on_recv : NULL;
        ngx_webrtc_dtls_init(&peer->dtls, conf, &opts);

        ngx_webrtc_dtls_start(&other->dtls, 0);
        ngx_webrtc_dtls_start(&peer->dtls, 0);

        while (peer->head != peer->tail || other->head != other->tail) {
            t = cpu_us();
            deliver(peer);
            us += cpu_us() - t;

            deliver(other);
        }

        if (peer->dtls.state != NGX_WEBRTC_DTLS_CONNECTED) {
            abort();
        }

        before = heap();
        ngx_webrtc_dtls_cleanup(&peer->dtls);
        idle += before - heap();
        ngx_webrtc_dtls_cleanup(&other->dtls);
    }

    printf("dtls  %s%s  %6.0f us per handshake  %6lu bytes connected\n",
           (role == NGX_WEBRTC_DTLS_SERVER) ? "server" : "client",
           data ? " with data" : "          ", us / (double) n,
           (unsigned long) (idle / n));

    free(peer);
    free(other);
}


int
main(int argc, char **argv)
{
    size_t       contexts, packets, ours, theirs, none, n;
    double       one, many, rtx;
    u_char       pem[NGX_WEBRTC_CERTIFICATES_PEM], fp[32];
    ngx_log_t    log;
    ngx_str_t    text;
    ngx_uint_t   i, j;
    const char  *err;
    ngx_pool_t  *pool;
    ngx_webrtc_dtls_conf_t       *conf;
    const ngx_webrtc_srtp_gcm_t  *gcm;

    contexts = (argc > 1) ? strtoul(argv[1], NULL, 10) : 2000;
    packets = (argc > 2) ? strtoul(argv[2], NULL, 10) : 400000;

    if (contexts == 0 || packets == 0 || srtp_init() != srtp_err_status_ok) {
        return 1;
    }

    printf("# us per packet of %d bytes, %d packets in a turn; one context, "
           "%lu contexts\n", 12 + PAYLOAD, FRAME, (unsigned long) contexts);
    printf("# sizeof(ngx_webrtc_srtp_out_t) %lu, sizeof(ngx_webrtc_srtp_in_t) "
           "%lu, sizeof(ngx_webrtc_dtls_t) %lu\n",
           (unsigned long) sizeof(ngx_webrtc_srtp_out_t),
           (unsigned long) sizeof(ngx_webrtc_srtp_in_t),
           (unsigned long) sizeof(ngx_webrtc_dtls_t));

    for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {

        /* AES_CM is OpenSSL's, or in batches */

        for (j = 0; (gcm = ngx_webrtc_srtp_gcm_row(j)) != NULL; j++) {

            if (gcm->usable() != NULL
                || (j && profiles[i].profile
                         == NGX_WEBRTC_SRTP_AES128_CM_SHA1_80))
            {
                continue;
            }

            ngx_webrtc_srtp_gcm_use(gcm);

            one = bench_ours(i, 1, packets, 0, &none);
            many = bench_ours(i, contexts, packets, 0, &ours);
            rtx = bench_ours(i, 1, packets, 1, &none);

            printf("srtp  %-18s %-9s %.2f %.2f (rtx %.2f)  bytes per context "
                   "%lu\n", profiles[i].name, gcm->name, one, many, rtx,
                   (unsigned long) ours);
            fflush(stdout);
        }

        if (profiles[i].profile == NGX_WEBRTC_SRTP_AES128_CM_SHA1_80
            && ngx_webrtc_srtp_mb_usable() == NULL)
        {
            one = bench_batch(i, 1, packets, &none);
            many = bench_batch(i, contexts, packets, &ours);

            printf("srtp  %-18s %-9s %.2f %.2f             bytes per context "
                   "%lu\n", profiles[i].name, "batches", one, many,
                   (unsigned long) ours);
        }

        one = bench_libsrtp(i, 1, packets, &none);
        many = bench_libsrtp(i, contexts, packets, &theirs);

        printf("srtp  %-18s %-9s %.2f %.2f             bytes per context %lu\n",
               profiles[i].name, "libsrtp2", one, many,
               (unsigned long) theirs);
        fflush(stdout);
    }

    memset(&log, 0, sizeof(log));
    pool = ngx_create_pool(4096, &log);

    if (ngx_webrtc_certificates_generate(time(NULL), pem, &n) != NGX_OK) {
        return 1;
    }

    text.data = pem;
    text.len = n;

    conf = ngx_webrtc_dtls_conf_create(pool, &text, NULL, NULL, &err);
    if (conf == NULL) {
        return 1;
    }

    for (n = 0; n < 32; n++) {
        fp[n] = (u_char) ngx_hextoi(conf->fingerprint + 3 * n, 2);
    }

    bench_dtls(conf, fp, 0, NGX_WEBRTC_DTLS_SERVER, 300);
    bench_dtls(conf, fp, 0, NGX_WEBRTC_DTLS_CLIENT, 300);
    bench_dtls(conf, fp, 1, NGX_WEBRTC_DTLS_SERVER, 300);

    ngx_destroy_pool(pool);

    return 0;
}
