
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * DTLS: handshakes between two of our engines in memory, in all that may
 * happen on the way, and with OpenSSL as the peer.  Time is a variable here:
 * gettimeofday(), which OpenSSL's timer reads, is replaced for this program.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ngx_webrtc_dtls.h>

#include <tap.h>


#define QUEUE  64


typedef struct {
    u_char        data[NGX_WEBRTC_DTLS_MTU + 1];
    size_t        n;
} packet_t;


/* one direction */
typedef struct {
    packet_t      q[QUEUE];
    ngx_uint_t    head;
    ngx_uint_t    tail;
    ngx_uint_t    sent;         /* datagrams in all */
    ngx_uint_t    oversize;
    ngx_uint_t    lose;         /* this many of the next ones */
    uint64_t      lose_mask;    /* bit n: loses datagram number n */
} wire_t;


typedef struct {
    u_char        data[4096];
    size_t        n;
    ngx_uint_t    calls;
} sink_t;


typedef struct {
    ngx_webrtc_dtls_t   dtls;
    wire_t             *out;
    sink_t              sink;
    ngx_uint_t          echo;
} peer_t;


static uint64_t                 now_ms = 1000000000;
static ngx_pool_t              *pool;
static ngx_webrtc_dtls_conf_t  *conf_a, *conf_b;
static u_char                   fp_a[64], fp_b[64];
static wire_t                   a_to_b, b_to_a;
static peer_t                   a, b;     /* a is the client */


/* the wall clock: the same rate, another zero */

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void) tz;

    tv->tv_sec = (time_t) (now_ms / 1000 + 1700000000);
    tv->tv_usec = (suseconds_t) (now_ms % 1000 * 1000);

    return 0;
}


static void
on_send(void *ctx, u_char *p, size_t n)
{
    wire_t  *w = ((peer_t *) ctx)->out;

    if (n > NGX_WEBRTC_DTLS_MTU) {
        w->oversize++;
        return;
    }

    if (w->sent < 64 && (w->lose_mask & ((uint64_t) 1 << w->sent))) {
        w->sent++;
        return;
    }

    w->sent++;

    if (w->lose) {
        w->lose--;
        return;
    }

    if (w->tail - w->head == QUEUE) {
        return;
    }

    memcpy(w->q[w->tail % QUEUE].data, p, n);
    w->q[w->tail % QUEUE].n = n;
    w->tail++;
}


static void
on_recv(void *ctx, u_char *p, size_t n)
{
    peer_t  *peer = ctx;

    peer->sink.calls++;

    if (n <= sizeof(peer->sink.data) - peer->sink.n) {
        memcpy(peer->sink.data + peer->sink.n, p, n);
        peer->sink.n += n;
    }

    if (peer->echo) {
        ngx_webrtc_dtls_send(&peer->dtls, p, n);
    }
}


static void
unhex(const u_char *text, u_char *bin)
{
    ngx_uint_t  i;

    for (i = 0; i < 32; i++) {
        bin[i] = (u_char) ngx_hextoi((u_char *) text + 3 * i, 2);
    }
}


static ngx_webrtc_dtls_conf_t *
make_conf(const char *profiles)
{
    size_t       n;
    u_char       pem[NGX_WEBRTC_CERTIFICATES_PEM];
    ngx_str_t    text;
    const char  *err;

    if (ngx_webrtc_certificates_generate(1700000000, pem, &n) != NGX_OK) {
        return NULL;
    }

    text.data = pem;
    text.len = n;

    return ngx_webrtc_dtls_conf_create(pool, &text, NULL, profiles, &err);
}


static ngx_int_t
setup_peer(peer_t *peer, ngx_webrtc_dtls_conf_t *conf, ngx_uint_t role,
    const u_char *fingerprint, wire_t *out, ngx_uint_t data)
{
    ngx_webrtc_dtls_opts_t  opts;

    memset(out, 0, sizeof(*out));
    memset(peer, 0, sizeof(*peer));
    memset(&opts, 0, sizeof(opts));

    peer->out = out;

    opts.role = role;
    opts.fingerprint_alg = NGX_WEBRTC_FINGERPRINT_SHA256;
    opts.fingerprint = fingerprint;
    opts.fingerprint_len = 32;
    opts.send = on_send;
    opts.recv = data ? on_recv : NULL;
    opts.ctx = peer;

    return ngx_webrtc_dtls_init(&peer->dtls, conf, &opts);
}


static void
setup_confs(ngx_webrtc_dtls_conf_t *ca, ngx_webrtc_dtls_conf_t *cb,
    ngx_uint_t data)
{
    unhex(ca->fingerprint, fp_a);
    unhex(cb->fingerprint, fp_b);

    setup_peer(&a, ca, NGX_WEBRTC_DTLS_CLIENT, fp_b, &a_to_b, data);
    setup_peer(&b, cb, NGX_WEBRTC_DTLS_SERVER, fp_a, &b_to_a, data);
}


static void
setup(ngx_uint_t data)
{
    setup_confs(conf_a, conf_b, data);
}


static void
teardown(void)
{
    ngx_webrtc_dtls_cleanup(&a.dtls);
    ngx_webrtc_dtls_cleanup(&b.dtls);
}


static void
deliver(wire_t *w, peer_t *to)
{
    u_char    *copy;
    packet_t  *pkt;

    while (w->head != w->tail) {
        pkt = &w->q[w->head++ % QUEUE];

        /* on the heap, so that a byte too much read is seen */

        copy = malloc(pkt->n);
        memcpy(copy, pkt->data, pkt->n);
        ngx_webrtc_dtls_input(&to->dtls, copy, pkt->n, now_ms);
        free(copy);
    }
}


/* until nothing happens any more without time going on */

static void
settle(void)
{
    while (a_to_b.head != a_to_b.tail || b_to_a.head != b_to_a.tail) {
        deliver(&a_to_b, &b);
        deliver(&b_to_a, &a);
    }
}


static ngx_uint_t
both(ngx_webrtc_dtls_state_e state)
{
    return a.dtls.state == state && b.dtls.state == state;
}


/* as the session's timer does; returns how often time had to go on */

static ngx_uint_t
run(ngx_uint_t limit)
{
    uint64_t    next;
    ngx_uint_t  i;

    ngx_webrtc_dtls_start(&a.dtls, now_ms);
    ngx_webrtc_dtls_start(&b.dtls, now_ms);

    for (i = 0; i < limit; i++) {
        settle();

        if (both(NGX_WEBRTC_DTLS_CONNECTED)) {
            break;
        }

        next = ngx_min(ngx_webrtc_dtls_deadline(&a.dtls),
                       ngx_webrtc_dtls_deadline(&b.dtls));

        if (next == NGX_WEBRTC_DTLS_NO_DEADLINE) {
            break;
        }

        now_ms = next;

        ngx_webrtc_dtls_timeout(&a.dtls, now_ms);
        ngx_webrtc_dtls_timeout(&b.dtls, now_ms);
    }

    return i;
}


static ngx_uint_t
keys_match(ngx_uint_t profile)
{
    ngx_webrtc_srtp_key_t  al, ar, bl, br;

    if (ngx_webrtc_dtls_export(&a.dtls, &al, &ar) != NGX_OK
        || ngx_webrtc_dtls_export(&b.dtls, &bl, &br) != NGX_OK)
    {
        return 0;
    }

    return al.profile == profile
           && memcmp(&al, &br, sizeof(al)) == 0
           && memcmp(&ar, &bl, sizeof(ar)) == 0
           && memcmp(&al, &ar, sizeof(al)) != 0;
}


static void
test_handshake(void)
{
    ngx_uint_t             turns;
    ngx_webrtc_srtp_key_t  l, r;

    setup(0);

    tap_is_int(a.dtls.state, NGX_WEBRTC_DTLS_NEW, "new");
    tap_is_int(ngx_webrtc_dtls_export(&a.dtls, &l, &r), NGX_DECLINED,
               "no keys before the handshake");

    turns = run(1);

    tap_is_int(turns, 0, "handshake needs no timer");
    tap_ok(both(NGX_WEBRTC_DTLS_CONNECTED), "both are connected");
    tap_ok(keys_match(NGX_WEBRTC_SRTP_AEAD_AES_128_GCM),
           "keys are the same, crosswise");
    tap_is_int(a_to_b.oversize + b_to_a.oversize, 0, "MTU is kept");
    tap_is_int(ngx_webrtc_dtls_deadline(&b.dtls),
               now_ms + NGX_WEBRTC_DTLS_LINGER,
               "connected: the next deadline is that of settling");
    tap_diag("datagrams: client %d, server %d", (int) a_to_b.sent,
             (int) b_to_a.sent);

    tap_is_int(ngx_webrtc_dtls_start(&a.dtls, now_ms), NGX_OK,
               "start does nothing when connected");
    tap_is_int(ngx_webrtc_dtls_timeout(&a.dtls, now_ms + 100000), NGX_OK,
               "nor does timeout");
    tap_ok(a.dtls.ssl != NULL, "before that time");

    /* close_notify: the client's is answered by the server */

    ngx_webrtc_dtls_close(&a.dtls);
    tap_is_int(a.dtls.state, NGX_WEBRTC_DTLS_CLOSED, "closed");
    tap_is_int(a_to_b.tail - a_to_b.head, 1, "close_notify is sent");
    deliver(&a_to_b, &b);
    tap_is_int(b.dtls.state, NGX_WEBRTC_DTLS_CLOSED, "and received");
    tap_is_int(b_to_a.tail - b_to_a.head, 1, "and answered");
    deliver(&b_to_a, &a);
    tap_is_int(a_to_b.tail - a_to_b.head, 0, "once");

    tap_is_int(ngx_webrtc_dtls_export(&b.dtls, &l, &r), NGX_DECLINED,
               "no keys after close");

    ngx_webrtc_dtls_close(&a.dtls);
    tap_is_int(a_to_b.tail - a_to_b.head, 0, "closing again sends nothing");

    teardown();
    teardown();

    ngx_webrtc_dtls_close(&a.dtls);
    tap_is_int(ngx_webrtc_dtls_input(&a.dtls, (u_char *) "", 0, now_ms),
               NGX_DONE, "input after cleanup");

    /* the server closes */

    setup(0);
    run(1);
    ngx_webrtc_dtls_close(&b.dtls);
    settle();
    tap_ok(both(NGX_WEBRTC_DTLS_CLOSED), "closed by the server");
    teardown();

    /* close before the end of the handshake */

    setup(0);
    ngx_webrtc_dtls_start(&a.dtls, now_ms);
    deliver(&a_to_b, &b);
    ngx_webrtc_dtls_close(&b.dtls);
    tap_is_int(b.dtls.state, NGX_WEBRTC_DTLS_CLOSED, "closed in handshake");
    tap_ok(ngx_webrtc_dtls_deadline(&b.dtls) == NGX_WEBRTC_DTLS_NO_DEADLINE,
           "no deadline then");
    teardown();

    /* input in place of start: the server may get the ClientHello first */

    setup(0);
    ngx_webrtc_dtls_start(&a.dtls, now_ms);
    settle();
    tap_ok(both(NGX_WEBRTC_DTLS_CONNECTED), "server needs no start");
    teardown();
}


/* every single datagram lost, and every pair of them */

static void
test_loss(void)
{
    ngx_uint_t  i, j, n, bad, nokeys, turns, worst;
    uint64_t    began, longest;

    setup(0);
    run(1);
    n = ngx_max(a_to_b.sent, b_to_a.sent);
    teardown();

    bad = 0;
    nokeys = 0;
    worst = 0;
    longest = 0;

    for (i = 0; i <= n; i++) {
        for (j = 0; j <= n; j++) {

            setup(0);

            /* number n is past the end: nothing is lost */

            a_to_b.lose_mask = (uint64_t) 1 << i;
            b_to_a.lose_mask = (uint64_t) 1 << j;

            began = now_ms;
            turns = run(20);

            worst = ngx_max(worst, turns);
            longest = ngx_max(longest, now_ms - began);

            bad += !both(NGX_WEBRTC_DTLS_CONNECTED);
            nokeys += !keys_match(NGX_WEBRTC_SRTP_AEAD_AES_128_GCM);
            teardown();
        }
    }

    tap_is_int(bad, 0, "any one datagram of each side may be lost");
    tap_is_int(nokeys, 0, "and the keys are right");
    tap_ok(longest <= 3 * NGX_WEBRTC_DTLS_TIMEOUT,
           "which takes at most 600 ms (%d)", (int) longest);

    bad = 0;

    for (i = 1; i < 6; i++) {
        setup(0);
        a_to_b.lose = i;
        b_to_a.lose = i * 2;
        run(40);
        bad += !both(NGX_WEBRTC_DTLS_CONNECTED);
        teardown();
    }

    tap_is_int(bad, 0, "whole flights are lost");

    /* nobody is there */

    setup(0);
    a_to_b.lose = 1000;
    began = now_ms;
    turns = run(100);
    tap_is_int(a.dtls.state, NGX_WEBRTC_DTLS_FAILED, "client gives up");
    tap_is_int(a_to_b.sent, 13, "after 12 retransmissions");
    tap_is_str(a.dtls.reason, "too many retransmissions", "and says why");
    tap_ok(now_ms - began > 15000 && now_ms - began < 60000,
           "in %d ms", (int) (now_ms - began));
    teardown();
}


static void
test_schedule(void)
{
    ngx_uint_t  i, bad;
    uint64_t    began, wait, want;

    setup(0);
    a_to_b.lose = 1000;

    ngx_webrtc_dtls_start(&a.dtls, now_ms);
    bad = 0;
    want = NGX_WEBRTC_DTLS_TIMEOUT;

    for (i = 0; i < 8; i++) {
        wait = ngx_webrtc_dtls_deadline(&a.dtls) - now_ms;
        bad += (wait != want);
        want = ngx_min(want * 2, NGX_WEBRTC_DTLS_TIMEOUT_MAX);

        /* too early: nothing happens */

        now_ms += wait - 1;
        ngx_webrtc_dtls_timeout(&a.dtls, now_ms);
        bad += (a_to_b.sent != i + 1);

        now_ms += 1;
        ngx_webrtc_dtls_timeout(&a.dtls, now_ms);
        bad += (a_to_b.sent != i + 2);
    }

    tap_is_int(bad, 0, "200 ms, doubled to 3200 ms");
    teardown();

    /* the wall clock is set back by an hour, ours goes on */

    setup(0);
    a_to_b.lose = 1000;
    began = now_ms;
    ngx_webrtc_dtls_start(&a.dtls, began);
    now_ms -= 3600000;
    ngx_webrtc_dtls_timeout(&a.dtls, began + 200);
    tap_is_int(ngx_webrtc_dtls_deadline(&a.dtls), began + 400,
               "clock set back: tried again later");
    tap_is_int(a.dtls.state, NGX_WEBRTC_DTLS_HANDSHAKING, "and no harm done");
    now_ms += 3600000;
    ngx_webrtc_dtls_timeout(&a.dtls, began + 400);
    teardown();
}


static void
test_order(void)
{
    ngx_uint_t  i, n, bad;
    wire_t     *w;

    /* every datagram twice; each flight backwards */

    setup(0);
    ngx_webrtc_dtls_start(&a.dtls, now_ms);

    for (i = 0; i < 20; i++) {
        w = (i & 1) ? &b_to_a : &a_to_b;
        n = w->tail - w->head;

        if (n == 0) {
            break;
        }

        w->head = w->tail;

        while (n--) {
            packet_t  pkt = w->q[(w->head - 1 - n) % QUEUE];
            ngx_webrtc_dtls_t  *to = (i & 1) ? &a.dtls : &b.dtls;

            ngx_webrtc_dtls_input(to, pkt.data, pkt.n, now_ms);
            ngx_webrtc_dtls_input(to, pkt.data, pkt.n, now_ms);
        }
    }

    tap_ok(both(NGX_WEBRTC_DTLS_CONNECTED), "datagrams come twice");
    teardown();

    bad = 0;
    setup(0);
    ngx_webrtc_dtls_start(&a.dtls, now_ms);

    for (i = 0; i < 40 && !both(NGX_WEBRTC_DTLS_CONNECTED); i++) {

        for (w = &a_to_b; w; w = (w == &a_to_b) ? &b_to_a : NULL) {
            while (w->tail != w->head) {
                packet_t  pkt = w->q[--w->tail % QUEUE];

                bad += (ngx_webrtc_dtls_input((w == &a_to_b) ? &b.dtls
                                                             : &a.dtls,
                                              pkt.data, pkt.n, now_ms)
                        == NGX_ERROR);
            }
        }

        now_ms += 200;
        ngx_webrtc_dtls_timeout(&a.dtls, now_ms);
        ngx_webrtc_dtls_timeout(&b.dtls, now_ms);
    }

    tap_ok(both(NGX_WEBRTC_DTLS_CONNECTED) && bad == 0,
           "datagrams come in reverse");
    teardown();
}


static void
test_fingerprint(void)
{
    u_char                  wrong[32];
    ngx_webrtc_srtp_key_t   l, r;
    ngx_webrtc_dtls_opts_t  opts;
    ngx_webrtc_dtls_t       d;

    /* the server's is not what the client was told */

    setup(0);
    memcpy(wrong, fp_b, 32);
    wrong[31] ^= 1;
    ngx_webrtc_dtls_cleanup(&a.dtls);
    setup_peer(&a, conf_a, NGX_WEBRTC_DTLS_CLIENT, wrong, &a_to_b, 0);
    run(40);
    tap_is_int(a.dtls.state, NGX_WEBRTC_DTLS_FAILED, "client refuses");
    tap_is_str(a.dtls.reason, "certificate does not match the fingerprint",
               "client says why");
    tap_is_int(b.dtls.state, NGX_WEBRTC_DTLS_FAILED, "server gets an alert");
    tap_diag("server: %s", b.dtls.reason);
    tap_ok(ngx_webrtc_dtls_export(&a.dtls, &l, &r) == NGX_DECLINED
           && ngx_webrtc_dtls_export(&b.dtls, &l, &r) == NGX_DECLINED,
           "nobody gets keys");
    teardown();

    /* the client's is not what the server was told */

    setup(0);
    memcpy(wrong, fp_a, 32);
    wrong[0] ^= 0x80;
    ngx_webrtc_dtls_cleanup(&b.dtls);
    setup_peer(&b, conf_b, NGX_WEBRTC_DTLS_SERVER, wrong, &b_to_a, 0);
    run(40);
    tap_is_int(b.dtls.state, NGX_WEBRTC_DTLS_FAILED, "server refuses");
    tap_is_str(b.dtls.reason, "certificate does not match the fingerprint",
               "server says why");
    tap_is_int(a.dtls.state, NGX_WEBRTC_DTLS_FAILED, "client gets an alert");
    tap_ok(ngx_webrtc_dtls_export(&a.dtls, &l, &r) == NGX_DECLINED
           && ngx_webrtc_dtls_export(&b.dtls, &l, &r) == NGX_DECLINED,
           "nobody gets keys");
    tap_is_int(ngx_webrtc_dtls_input(&b.dtls, (u_char *) "\x16\xfe\xfd", 3, 0),
               NGX_ERROR, "failed for good");
    tap_is_int(ngx_webrtc_dtls_timeout(&b.dtls, now_ms), NGX_ERROR,
               "also for timeout");
    teardown();

    /* what is not accepted as a fingerprint */

    memset(&opts, 0, sizeof(opts));
    opts.fingerprint = wrong;
    opts.fingerprint_len = 32;
    opts.send = on_send;

    opts.fingerprint_alg = 0;
    tap_is_int(ngx_webrtc_dtls_init(&d, conf_a, &opts), NGX_DECLINED,
               "no algorithm");
    opts.fingerprint_alg = NGX_WEBRTC_FINGERPRINT_SHA512;
    tap_is_int(ngx_webrtc_dtls_init(&d, conf_a, &opts), NGX_DECLINED,
               "length of another algorithm");
    ngx_webrtc_dtls_cleanup(&d);
}


static void
test_profiles(void)
{
    ngx_uint_t               i;
    ngx_webrtc_dtls_conf_t  *c;

    static const struct {
        const char  *client;
        ngx_uint_t   want;
    } t[] = {
        { "SRTP_AEAD_AES_128_GCM", NGX_WEBRTC_SRTP_AEAD_AES_128_GCM },
        { "SRTP_AEAD_AES_256_GCM", NGX_WEBRTC_SRTP_AEAD_AES_256_GCM },
        { "SRTP_AES128_CM_SHA1_80", NGX_WEBRTC_SRTP_AES128_CM_SHA1_80 },
        { "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM",
          NGX_WEBRTC_SRTP_AEAD_AES_256_GCM },
        { "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM",
          NGX_WEBRTC_SRTP_AEAD_AES_128_GCM },
        { "SRTP_AES128_CM_SHA1_32", 0 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        c = make_conf(t[i].client);
        setup_confs(c, conf_b, 0);
        run(1);
        tap_ok(both(NGX_WEBRTC_DTLS_CONNECTED), "client offers %s",
               t[i].client);
        tap_ok(t[i].want ? keys_match(t[i].want)
                         : !keys_match(NGX_WEBRTC_SRTP_AEAD_AES_128_GCM),
               "profile %d", (int) t[i].want);
        teardown();
    }
}


static void
test_data(void)
{
    u_char      big[1200], junk[200];
    size_t      i;
    ngx_uint_t  bad;
    ngx_int_t   rc;
    packet_t    pkt;

    setup(1);

    tap_is_int(ngx_webrtc_dtls_send(&a.dtls, (u_char *) "x", 1), NGX_DECLINED,
               "no data before the handshake");
    run(1);

    b.echo = 1;
    tap_is_int(ngx_webrtc_dtls_send(&a.dtls, (u_char *) "hello", 5), NGX_OK,
               "data is sent");
    tap_is_int(ngx_webrtc_dtls_send(&a.dtls, (u_char *) "world", 5), NGX_OK,
               "and again");
    settle();
    tap_is_mem(b.sink.data, b.sink.n, "helloworld", 10, "server reads it");
    tap_is_mem(a.sink.data, a.sink.n, "helloworld", 10, "client its echo");
    tap_is_int(b.sink.calls, 2, "record by record");

    memset(big, 'b', sizeof(big));
    tap_is_int(ngx_webrtc_dtls_send(&a.dtls, big, NGX_WEBRTC_DTLS_MTU - 64),
               NGX_OK, "largest message");
    settle();
    tap_is_int(a_to_b.oversize + b_to_a.oversize, 0, "fits the MTU");
    tap_is_int(ngx_webrtc_dtls_send(&a.dtls, big, NGX_WEBRTC_DTLS_MTU - 63),
               NGX_DECLINED, "too large a message");
    tap_is_int(ngx_webrtc_dtls_send(&a.dtls, big, 0), NGX_DECLINED,
               "no message");

    /* two records in one datagram */

    b.echo = 0;
    b.sink.n = 0;
    ngx_webrtc_dtls_send(&a.dtls, (u_char *) "one", 3);
    ngx_webrtc_dtls_send(&a.dtls, (u_char *) "two", 3);
    pkt = a_to_b.q[a_to_b.head++ % QUEUE];
    memcpy(pkt.data + pkt.n, a_to_b.q[a_to_b.head % QUEUE].data,
           a_to_b.q[a_to_b.head % QUEUE].n);
    pkt.n += a_to_b.q[a_to_b.head++ % QUEUE].n;
    ngx_webrtc_dtls_input(&b.dtls, pkt.data, pkt.n, now_ms);
    tap_is_mem(b.sink.data, b.sink.n, "onetwo", 6, "two records at once");

    /* the same again is a replay */

    ngx_webrtc_dtls_input(&b.dtls, pkt.data, pkt.n, now_ms);
    tap_is_int(b.sink.n, 6, "replayed records are dropped");

    /* junk does not hurt a connection */

    bad = 0;

    for (i = 0; i < 5000; i++) {
        size_t  n = (i * 7) % sizeof(junk);
        size_t  k;

        for (k = 0; k < n; k++) {
            junk[k] = (u_char) ((i * 2654435761u) >> (k % 24));
        }

        if (n > 13 && (i % 4)) {
            memcpy(junk, pkt.data, 11);       /* type, version, epoch, seq */
            junk[0] = (u_char) (20 + i % 6);
            junk[10] = (u_char) i;
            junk[4] = (u_char) (i % 3);
            junk[11] = 0;
            junk[12] = (u_char) (n - 13);
        }

        rc = ngx_webrtc_dtls_input(&b.dtls, junk, n, now_ms);
        bad += (rc != NGX_OK && rc != NGX_DECLINED);
    }

    tap_is_int(bad, 0, "junk is dropped");
    tap_is_int(b.sink.n, 6, "and none of it is data");

    b.sink.n = 0;
    ngx_webrtc_dtls_send(&a.dtls, (u_char *) "still", 5);
    settle();
    tap_is_mem(b.sink.data, b.sink.n, "still", 5, "connected still");

    /* the buffers of who is quiet, again and again: it reads, it writes */

    b.echo = 1;

    for (i = 0; i < 3; i++) {
        ngx_webrtc_dtls_idle(&a.dtls);
        ngx_webrtc_dtls_idle(&b.dtls);
        ngx_webrtc_dtls_idle(&b.dtls);
        tap_ok(a.dtls.shrunk && b.dtls.shrunk, "buffers are freed");

        a.sink.n = 0;
        ngx_webrtc_dtls_send(&a.dtls, (u_char *) "quiet", 5);
        settle();
        tap_is_mem(a.sink.data, a.sink.n, "quiet", 5, "and made again");
        tap_ok(!a.dtls.shrunk && !b.dtls.shrunk, "both");
    }

    b.echo = 0;
    ngx_webrtc_dtls_idle(&b.dtls);

    ngx_webrtc_dtls_close(&b.dtls);
    settle();
    tap_ok(both(NGX_WEBRTC_DTLS_CLOSED), "close_notify after data");
    tap_is_int(ngx_webrtc_dtls_send(&a.dtls, (u_char *) "x", 1), NGX_DECLINED,
               "no data after close");
    teardown();

    /* without a recv callback: data is thrown away, buffers are freed */

    setup(0);
    run(1);
    tap_ok(a.dtls.shrunk || b.dtls.shrunk, "buffers are freed");
    tap_is_int(ngx_webrtc_dtls_send(&a.dtls, (u_char *) "x", 1), NGX_OK,
               "sending with freed buffers");
    settle();
    tap_is_int(ngx_webrtc_dtls_send(&b.dtls, (u_char *) "x", 1), NGX_OK,
               "the other way");
    settle();
    tap_ok(both(NGX_WEBRTC_DTLS_CONNECTED), "connected still");
    ngx_webrtc_dtls_close(&b.dtls);
    settle();
    tap_ok(both(NGX_WEBRTC_DTLS_CLOSED), "closing with freed buffers");
    teardown();
}


/* the last flight is lost: the client's retransmission brings it again */

static void
test_last_flight(void)
{
    setup(0);
    ngx_webrtc_dtls_start(&a.dtls, now_ms);
    deliver(&a_to_b, &b);
    deliver(&b_to_a, &a);
    b_to_a.lose = 10;
    deliver(&a_to_b, &b);
    b_to_a.lose = 0;

    tap_ok(b.dtls.state == NGX_WEBRTC_DTLS_CONNECTED
           && a.dtls.state == NGX_WEBRTC_DTLS_HANDSHAKING,
           "server is done, client is not");

    run(3);
    tap_ok(both(NGX_WEBRTC_DTLS_CONNECTED), "last flight is sent again");
    teardown();
}


/* datagram number n of those that wait */

static packet_t
waiting(wire_t *w, ngx_uint_t n)
{
    return w->q[(w->head + n) % QUEUE];
}


/* what is left when OpenSSL's part is freed, in both roles */

static void
test_settle(void)
{
    ngx_uint_t             i, bad;
    packet_t               pkt, other;
    ngx_webrtc_srtp_key_t  l, r;

    setup(0);
    tap_is_int(ngx_webrtc_dtls_settle(&b.dtls), NGX_DECLINED,
               "settle before the handshake");
    run(1);
    tap_ok(keys_match(NGX_WEBRTC_SRTP_AEAD_AES_128_GCM), "connected");

    tap_is_int(ngx_webrtc_dtls_settle(&a.dtls), NGX_OK, "client settles");
    tap_is_int(ngx_webrtc_dtls_settle(&b.dtls), NGX_OK, "server settles");
    tap_is_int(ngx_webrtc_dtls_settle(&b.dtls), NGX_OK, "twice");
    tap_ok(a.dtls.ssl == NULL && b.dtls.ssl == NULL
           && both(NGX_WEBRTC_DTLS_CONNECTED), "both stay connected");
    tap_is_int(a_to_b.tail - a_to_b.head + b_to_a.tail - b_to_a.head, 0,
               "nothing is sent");
    tap_ok(ngx_webrtc_dtls_deadline(&b.dtls) == NGX_WEBRTC_DTLS_NO_DEADLINE,
           "no deadline");
    tap_is_int(ngx_webrtc_dtls_timeout(&b.dtls, now_ms + 1000000), NGX_OK,
               "timeout does nothing");
    tap_is_int(ngx_webrtc_dtls_send(&b.dtls, (u_char *) "x", 1), NGX_DECLINED,
               "no data");
    tap_is_int(ngx_webrtc_dtls_export(&b.dtls, &l, &r), NGX_DECLINED,
               "no keys");

    ngx_webrtc_dtls_close(&a.dtls);
    tap_is_int(a_to_b.tail - a_to_b.head, 1, "close_notify is sent");

    /* any byte of it changed, or it cut: not authentic, or not for us */

    pkt = waiting(&a_to_b, 0);
    bad = 0;

    for (i = 0; i < pkt.n * 8; i++) {
        other = pkt;
        other.data[i / 8] ^= 1 << i % 8;
        (void) ngx_webrtc_dtls_input(&b.dtls, other.data, other.n, now_ms);
        bad += (b.dtls.state != NGX_WEBRTC_DTLS_CONNECTED);
    }

    for (i = 0; i < pkt.n; i++) {
        u_char  *copy = malloc(i + 1);

        memcpy(copy, pkt.data, i);
        (void) ngx_webrtc_dtls_input(&b.dtls, copy, i, now_ms);
        bad += (b.dtls.state != NGX_WEBRTC_DTLS_CONNECTED);
        free(copy);
    }

    tap_is_int(bad, 0, "forged or cut it ends nothing");

    settle();
    tap_ok(both(NGX_WEBRTC_DTLS_CLOSED), "and received");
    tap_is_int(b_to_a.sent, b_to_a.tail, "all of it went out");
    tap_is_int(ngx_webrtc_dtls_input(&b.dtls, pkt.data, pkt.n, now_ms),
               NGX_DONE, "closed for good");
    teardown();
    tap_is_int(ngx_webrtc_dtls_input(&b.dtls, pkt.data, pkt.n, now_ms),
               NGX_DONE, "after cleanup too");

    /* one of them has OpenSSL still: each answers the other's close_notify */

    for (i = 0; i < 2; i++) {
        peer_t  *first = i ? &a : &b, *other_one = i ? &b : &a;
        wire_t  *back = i ? &b_to_a : &a_to_b;

        setup(0);
        run(1);
        ngx_webrtc_dtls_settle(&other_one->dtls);
        ngx_webrtc_dtls_close(&first->dtls);
        deliver(first->out, other_one);
        tap_is_int(other_one->dtls.state, NGX_WEBRTC_DTLS_CLOSED,
                   "OpenSSL's close_notify is read, client settled: %d",
                   (int) !i);
        tap_is_int(back->tail - back->head, 1, "and answered");
        teardown();

        setup(0);
        run(1);
        ngx_webrtc_dtls_settle(&first->dtls);
        ngx_webrtc_dtls_close(&first->dtls);
        settle();
        tap_ok(both(NGX_WEBRTC_DTLS_CLOSED), "OpenSSL reads ours");
        teardown();
    }

    /* behind another record in one datagram */

    setup(0);
    run(1);
    ngx_webrtc_dtls_settle(&b.dtls);
    ngx_webrtc_dtls_send(&a.dtls, (u_char *) "data", 4);
    ngx_webrtc_dtls_close(&a.dtls);
    pkt = waiting(&a_to_b, 0);
    other = waiting(&a_to_b, 1);
    tap_is_int(ngx_webrtc_dtls_input(&b.dtls, pkt.data, pkt.n, now_ms), NGX_OK,
               "data is passed over");
    memcpy(pkt.data + pkt.n, other.data, other.n);
    tap_is_int(ngx_webrtc_dtls_input(&b.dtls, pkt.data, pkt.n + other.n,
                                     now_ms),
               NGX_DONE, "close_notify behind data");
    teardown();

    /* nobody tells */

    setup(0);
    run(1);
    now_ms += NGX_WEBRTC_DTLS_LINGER - 1;
    ngx_webrtc_dtls_timeout(&b.dtls, now_ms);
    tap_ok(b.dtls.ssl != NULL, "lingers");
    now_ms += 1;
    tap_is_int(ngx_webrtc_dtls_timeout(&b.dtls, now_ms), NGX_OK, "its time");
    tap_ok(b.dtls.ssl == NULL && b.dtls.state == NGX_WEBRTC_DTLS_CONNECTED,
           "settles by itself");
    ngx_webrtc_dtls_close(&a.dtls);
    settle();
    tap_ok(both(NGX_WEBRTC_DTLS_CLOSED), "and understands the end");
    teardown();

    /* data may come at any time */

    setup(1);
    run(1);
    tap_is_int(ngx_webrtc_dtls_settle(&b.dtls), NGX_DECLINED,
               "a session with data does not settle");
    tap_ok(ngx_webrtc_dtls_deadline(&b.dtls) == NGX_WEBRTC_DTLS_NO_DEADLINE,
           "nor by time");
    tap_is_int(ngx_webrtc_dtls_send(&b.dtls, (u_char *) "x", 1), NGX_OK,
               "it goes on");
    teardown();
}


/*
 * Each cipher with OpenSSL by itself as the client: it ends with close_notify,
 * and with a fatal alert.  Its records are cut out of a memory BIO.
 */

static void
test_settle_foreign(const char *cipher, ngx_uint_t fatal)
{
    int                     n, at, len, rc;
    BIO                    *rbio, *wbio, *pem_bio;
    SSL                    *ssl;
    X509                   *x509;
    size_t                  pem_n;
    u_char                  pem[NGX_WEBRTC_CERTIFICATES_PEM], md[32], buf[4096];
    SSL_CTX                *ctx;
    EVP_PKEY               *pkey;
    ngx_uint_t              i;
    ngx_webrtc_srtp_key_t   l, r;

    ngx_webrtc_certificates_generate(1700000000, pem, &pem_n);
    pem_bio = BIO_new_mem_buf(pem, (int) pem_n);
    x509 = PEM_read_bio_X509(pem_bio, NULL, NULL, NULL);
    pkey = PEM_read_bio_PrivateKey(pem_bio, NULL, NULL, NULL);
    BIO_free(pem_bio);
    X509_digest(x509, EVP_sha256(), md, NULL);

    ctx = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_tlsext_use_srtp(ctx, "SRTP_AEAD_AES_128_GCM");
    SSL_CTX_set_cipher_list(ctx, cipher);
    SSL_CTX_use_certificate(ctx, x509);
    SSL_CTX_use_PrivateKey(ctx, pkey);

    ssl = SSL_new(ctx);
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(ssl, 1200);

    rbio = BIO_new(BIO_s_mem());
    wbio = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(rbio, -1);
    SSL_set_bio(ssl, rbio, wbio);
    SSL_set_connect_state(ssl);

    setup_peer(&b, conf_b, NGX_WEBRTC_DTLS_SERVER, md, &b_to_a, 0);

    rc = 0;

    for (i = 0; i < 20 && rc != 1; i++) {
        rc = SSL_do_handshake(ssl);
        n = BIO_read(wbio, buf, sizeof(buf));

        for (at = 0; at + 13 <= n; at += len) {
            len = 13 + (buf[at + 11] << 8 | buf[at + 12]);
            ngx_webrtc_dtls_input(&b.dtls, buf + at, len, now_ms);
        }

        while (b_to_a.head != b_to_a.tail) {
            BIO_write(rbio, b_to_a.q[b_to_a.head % QUEUE].data,
                      (int) b_to_a.q[b_to_a.head % QUEUE].n);
            b_to_a.head++;
        }
    }

    if (fatal) {
        ngx_webrtc_dtls_send(&b.dtls, (u_char *) "x", 1);
    }

    tap_ok(rc == 1
           && ngx_webrtc_dtls_export(&b.dtls, &l, &r) == NGX_OK
           && ngx_webrtc_dtls_settle(&b.dtls) == NGX_OK,
           "%s, settled", SSL_get_cipher_name(ssl));

    if (fatal) {

        /* data where it wants a ServerHello: unexpected_message */

        BIO_write(rbio, b_to_a.q[b_to_a.head % QUEUE].data,
                  (int) b_to_a.q[b_to_a.head % QUEUE].n);
        SSL_renegotiate(ssl);
        SSL_do_handshake(ssl);
        n = BIO_read(wbio, buf, sizeof(buf));
        tap_is_int(ngx_webrtc_dtls_input(&b.dtls, buf, n, now_ms), NGX_ERROR,
                   "its fatal alert is understood");
        tap_is_str(b.dtls.reason, "fatal alert", "as such");

    } else {
        SSL_shutdown(ssl);
        n = BIO_read(wbio, buf, sizeof(buf));
        tap_is_int(ngx_webrtc_dtls_input(&b.dtls, buf, n, now_ms), NGX_DONE,
                   "its end is understood");
        tap_is_int(b_to_a.tail - b_to_a.head, 1, "answered");
        BIO_write(rbio, b_to_a.q[b_to_a.head % QUEUE].data,
                  (int) b_to_a.q[b_to_a.head % QUEUE].n);
        tap_is_int(SSL_shutdown(ssl), 1, "and it takes the answer");
    }

    ERR_clear_error();
    ngx_webrtc_dtls_cleanup(&b.dtls);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    X509_free(x509);
    EVP_PKEY_free(pkey);
}


/*
 * OpenSSL by itself as the peer: memory BIOs, of which each datagram is taken
 * at once.  mtu: makes it fragment its messages.
 */

static void
test_foreign(ngx_uint_t we_are, long mtu, ngx_uint_t certificate)
{
    int          rc, n;
    BIO         *rbio, *wbio, *pem_bio;
    SSL         *ssl;
    X509        *x509;
    size_t       pem_n;
    u_char       pem[NGX_WEBRTC_CERTIFICATES_PEM], md[32], buf[4096], ekm[60];
    u_char       alpn[5 * 256];
    size_t       salt;
    SSL_CTX     *ctx;
    EVP_PKEY    *pkey;
    ngx_uint_t   i, pieces;
    const char  *who;
    ngx_webrtc_srtp_key_t  l, r;

    who = (we_are == NGX_WEBRTC_DTLS_SERVER) ? "client" : "server";

    ngx_webrtc_certificates_generate(1700000000, pem, &pem_n);
    pem_bio = BIO_new_mem_buf(pem, (int) pem_n);
    x509 = PEM_read_bio_X509(pem_bio, NULL, NULL, NULL);
    pkey = PEM_read_bio_PrivateKey(pem_bio, NULL, NULL, NULL);
    BIO_free(pem_bio);
    X509_digest(x509, EVP_sha256(), md, NULL);

    ctx = SSL_CTX_new((we_are == NGX_WEBRTC_DTLS_SERVER)
                      ? DTLS_client_method() : DTLS_server_method());
    SSL_CTX_set_tlsext_use_srtp(ctx, "SRTP_AES128_CM_SHA1_80:"
                                     "SRTP_AEAD_AES_128_GCM");

    if (certificate) {
        SSL_CTX_use_certificate(ctx, x509);
        SSL_CTX_use_PrivateKey(ctx, pkey);
    }

    ssl = SSL_new(ctx);
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(ssl, mtu);

    if (mtu < NGX_WEBRTC_DTLS_MTU) {

        /* a ClientHello of 1.4 kB, as Chromium's, in fragments */

        memset(alpn, 'x', sizeof(alpn));

        for (i = 0; i < 5; i++) {
            alpn[i * 256] = 255;
        }

        SSL_set_alpn_protos(ssl, alpn, sizeof(alpn));
    }

    rbio = BIO_new(BIO_s_mem());
    wbio = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(rbio, -1);
    SSL_set_bio(ssl, rbio, wbio);

    if (we_are == NGX_WEBRTC_DTLS_SERVER) {
        SSL_set_connect_state(ssl);

    } else {
        SSL_set_accept_state(ssl);
    }

    setup_peer(&a, conf_a, we_are, md, &a_to_b, 1);
    ngx_webrtc_dtls_start(&a.dtls, now_ms);

    pieces = 0;
    rc = 0;

    for (i = 0; i < 20; i++) {

        while (a_to_b.head != a_to_b.tail) {
            BIO_write(rbio, a_to_b.q[a_to_b.head % QUEUE].data,
                      (int) a_to_b.q[a_to_b.head % QUEUE].n);
            a_to_b.head++;

            rc = SSL_do_handshake(ssl);
        }

        if (rc != 1) {
            rc = SSL_do_handshake(ssl);
        }

        /*
         * A memory BIO knows no datagrams, but records have a length: each
         * becomes a datagram, which is how Chromium's ClientHello comes.
         */

        n = BIO_read(wbio, buf, sizeof(buf));

        if (n > 0) {
            int  at, len;

            for (at = 0; at + 13 <= n; at += len) {
                len = 13 + (buf[at + 11] << 8 | buf[at + 12]);
                ngx_webrtc_dtls_input(&a.dtls, buf + at, len, now_ms);
                pieces++;
            }
        }

        if (rc == 1 && a_to_b.head == a_to_b.tail) {
            break;
        }
    }

    if (!certificate && we_are == NGX_WEBRTC_DTLS_SERVER) {
        tap_is_int(a.dtls.state, NGX_WEBRTC_DTLS_FAILED,
                   "foreign client without a certificate is refused");
        tap_diag("reason: %s", a.dtls.reason);
        goto done;
    }

    if (!tap_ok(rc == 1 && a.dtls.state == NGX_WEBRTC_DTLS_CONNECTED,
                "foreign %s, mtu %d, %d records", who, (int) mtu,
                (int) pieces))
    {
        goto done;
    }

    /* the keys, by RFC 5764, 4.2 */

    tap_is_int(ngx_webrtc_dtls_export(&a.dtls, &l, &r), NGX_OK, "keys");
    SSL_export_keying_material(ssl, ekm, 60, "EXTRACTOR-dtls_srtp", 19, NULL,
                               0, 0);

    if (we_are == NGX_WEBRTC_DTLS_CLIENT) {
        ngx_webrtc_srtp_key_t  t = l;
        l = r;
        r = t;
    }

    /* the server's order of preference decides */

    tap_is_int(l.profile, (we_are == NGX_WEBRTC_DTLS_SERVER)
                          ? NGX_WEBRTC_SRTP_AEAD_AES_128_GCM
                          : NGX_WEBRTC_SRTP_AES128_CM_SHA1_80, "profile");

    salt = (we_are == NGX_WEBRTC_DTLS_SERVER) ? 12 : 14;

    tap_ok(memcmp(r.key, ekm, 16) == 0 && memcmp(l.key, ekm + 16, 16) == 0
           && memcmp(r.salt, ekm + 32, salt) == 0
           && memcmp(l.salt, ekm + 32 + salt, salt) == 0,
           "are where they belong");

    tap_is_str(SSL_get_version(ssl), "DTLSv1.2", "version");
    tap_diag("%s", SSL_get_cipher_name(ssl));

    /* data, then its close_notify and ours */

    SSL_write(ssl, "ping", 4);
    n = BIO_read(wbio, buf, sizeof(buf));
    ngx_webrtc_dtls_input(&a.dtls, buf, n, now_ms);
    tap_is_mem(a.sink.data, a.sink.n, "ping", 4, "data");

    /* no renegotiation */

    if (we_are == NGX_WEBRTC_DTLS_SERVER) {
        SSL_renegotiate(ssl);
        SSL_do_handshake(ssl);
        n = BIO_read(wbio, buf, sizeof(buf));
        tap_is_int(ngx_webrtc_dtls_input(&a.dtls, buf, n, now_ms), NGX_OK,
                   "renegotiation is not taken up");
        a_to_b.head = a_to_b.tail;

    } else {
        SSL_shutdown(ssl);
        n = BIO_read(wbio, buf, sizeof(buf));
        tap_is_int(ngx_webrtc_dtls_input(&a.dtls, buf, n, now_ms), NGX_DONE,
                   "its close_notify");
        tap_is_int(a_to_b.tail - a_to_b.head, 1, "is answered");
        BIO_write(rbio, a_to_b.q[a_to_b.head % QUEUE].data,
                  (int) a_to_b.q[a_to_b.head % QUEUE].n);
        tap_is_int(SSL_shutdown(ssl), 1, "and it sees that");
    }

done:

    ERR_clear_error();
    ngx_webrtc_dtls_cleanup(&a.dtls);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    X509_free(x509);
    EVP_PKEY_free(pkey);
}


static void
test_conf(void)
{
    BIO         *bio;
    X509        *x509;
    size_t       n;
    time_t       t = 1700000000;
    u_char       pem[NGX_WEBRTC_CERTIFICATES_PEM], md[32], bin[32];
    ngx_str_t    text, other;
    const char  *err;
    ngx_webrtc_dtls_conf_t  *c;

    tap_is_int(ngx_webrtc_certificates_generate(1700000000, pem, &n), NGX_OK,
               "generate");
    tap_ok(n < NGX_WEBRTC_CERTIFICATES_PEM && pem[n] == '\0', "%d bytes",
           (int) n);

    bio = BIO_new_mem_buf(pem, (int) n);
    x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    tap_ok(X509_cmp_time(X509_get0_notBefore(x509), &t) < 0
           && X509_cmp_time(X509_get0_notAfter(x509), &t) > 0, "valid today");
    X509_digest(x509, EVP_sha256(), md, NULL);
    X509_free(x509);
    BIO_free(bio);

    text.data = pem;
    text.len = n;

    c = ngx_webrtc_dtls_conf_create(pool, &text, NULL, NULL, &err);
    tap_ok(c && err == NULL, "certificate and key in one");
    unhex(c->fingerprint, bin);
    tap_is_mem(bin, 32, md, 32, "fingerprint");

    ngx_str_set(&other, "-----BEGIN NOTHING-----\n");
    c = ngx_webrtc_dtls_conf_create(pool, &other, NULL, NULL, &err);
    tap_ok(c == NULL, "no certificate: %s", err);

    c = ngx_webrtc_dtls_conf_create(pool, &text, &other, NULL, &err);
    tap_ok(c == NULL, "no key: %s", err);

    other.data = ngx_pnalloc(pool, NGX_WEBRTC_CERTIFICATES_PEM);
    ngx_webrtc_certificates_generate(1700000000, other.data, &other.len);
    c = ngx_webrtc_dtls_conf_create(pool, &text, &other, NULL, &err);
    tap_ok(c == NULL, "key of another one: %s", err);

    c = ngx_webrtc_dtls_conf_create(pool, &text, NULL, "SRTP_NO", &err);
    tap_ok(c == NULL, "profile: %s", err);

    c = ngx_webrtc_dtls_conf_files(pool, "/nonexistent", "/dev/null", NULL,
                                   &err);
    tap_ok(c == NULL, "no file: %s", err);

    c = ngx_webrtc_dtls_conf_files(pool, "/dev/null", "/dev/null", NULL, &err);
    tap_ok(c == NULL, "empty file: %s", err);

    tap_is_int(ERR_peek_error(), 0, "OpenSSL's error queue is left empty");
}


int
main(void)
{
    ngx_log_t  log;

    memset(&log, 0, sizeof(log));

    pool = ngx_create_pool(4096, &log);

    conf_a = make_conf(NULL);
    conf_b = make_conf(NULL);

    if (!tap_ok(conf_a && conf_b, "configurations")) {
        return tap_done();
    }

    test_conf();
    test_handshake();
    test_loss();
    test_schedule();
    test_order();
    test_last_flight();
    test_fingerprint();
    test_profiles();
    test_data();
    test_settle();

    test_settle_foreign("ECDHE-ECDSA-AES128-GCM-SHA256", 0);
    test_settle_foreign("ECDHE-ECDSA-AES256-GCM-SHA384", 0);
    test_settle_foreign("ECDHE-ECDSA-CHACHA20-POLY1305", 0);
    test_settle_foreign("ECDHE-ECDSA-AES128-GCM-SHA256", 1);
    test_settle_foreign("ECDHE-ECDSA-AES256-GCM-SHA384", 1);
    test_settle_foreign("ECDHE-ECDSA-CHACHA20-POLY1305", 1);

    test_foreign(NGX_WEBRTC_DTLS_SERVER, 1200, 1);
    test_foreign(NGX_WEBRTC_DTLS_SERVER, 256, 1);
    test_foreign(NGX_WEBRTC_DTLS_SERVER, 1200, 0);
    test_foreign(NGX_WEBRTC_DTLS_CLIENT, 1200, 1);
    test_foreign(NGX_WEBRTC_DTLS_CLIENT, 256, 1);

    tap_is_int(ERR_peek_error(), 0, "OpenSSL's error queue is empty");

    ngx_destroy_pool(pool);

    return tap_done();
}
