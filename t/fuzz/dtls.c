
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: a handshake between two engines whose datagrams the input
 * delivers, drops, repeats, changes, cuts and adds to.  Each operation is one
 * byte: what to do in the low three bits, to whom in the fourth, how much in
 * the upper ones, and what it needs behind it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_dtls.h>


#define QUEUE  16


typedef struct {
    u_char              data[NGX_WEBRTC_DTLS_MTU];
    size_t              n;
} packet_t;


typedef struct {
    ngx_webrtc_dtls_t   dtls;
    packet_t            q[QUEUE];          /* for it */
    ngx_uint_t          head;
    ngx_uint_t          tail;
} peer_t;


static uint64_t  now_ms;
static peer_t    peers[2];


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
    peer_t  *to = (ctx == &peers[0]) ? &peers[1] : &peers[0];

    if (n > NGX_WEBRTC_DTLS_MTU) {
        abort();
    }

    if (to->tail - to->head == QUEUE) {
        to->head++;
    }

    memcpy(to->q[to->tail % QUEUE].data, p, n);
    to->q[to->tail++ % QUEUE].n = n;
}


static void
on_recv(void *ctx, u_char *p, size_t n)
{
    peer_t  *peer = ctx;

    if (n && p[0] == 'e') {
        ngx_webrtc_dtls_send(&peer->dtls, (u_char *) "pong", 4);
    }
}


static void
input(peer_t *peer, const u_char *p, size_t n)
{
    u_char  *copy;

    copy = malloc(n + (n == 0));
    memcpy(copy, p, n);

    ngx_webrtc_dtls_input(&peer->dtls, copy, n, now_ms);

    free(copy);
}


static ngx_webrtc_dtls_conf_t *
make_conf(u_char *fingerprint)
{
    size_t                   n;
    u_char                   pem[NGX_WEBRTC_CERTIFICATES_PEM];
    ngx_str_t                text;
    ngx_uint_t               i;
    const char              *err;
    ngx_webrtc_dtls_conf_t  *conf;

    static ngx_log_t    log;
    static ngx_pool_t  *pool;

    if (pool == NULL) {
        pool = ngx_create_pool(4096, &log);
    }

    ngx_webrtc_certificates_generate(1700000000, pem, &n);

    text.data = pem;
    text.len = n;

    conf = ngx_webrtc_dtls_conf_create(pool, &text, NULL, NULL, &err);

    for (i = 0; i < 32; i++) {
        fingerprint[i] = (u_char) ngx_hextoi(conf->fingerprint + 3 * i, 2);
    }

    return conf;
}


static void
step(peer_t *peer, ngx_uint_t op, ngx_uint_t much, const uint8_t **data,
    const uint8_t *end)
{
    size_t                 n;
    packet_t               pkt;
    ngx_webrtc_srtp_key_t  l, r;

    pkt.n = 0;

    if (op < 5) {
        if (peer->head == peer->tail) {
            return;
        }

        pkt = peer->q[peer->head % QUEUE];

        if (op != 1) {
            peer->head++;
        }
    }

    switch (op) {

    case 0:                                  /* deliver, op 1: and keep */
    case 1:
        input(peer, pkt.data, pkt.n);
        break;

    case 2:                                  /* drop */
        break;

    case 3:                                  /* change bytes */

        while (much-- + 1 && end - *data >= 3) {
            n = ((*data)[0] << 8 | (*data)[1]) % pkt.n;
            pkt.data[n] = (*data)[2];
            *data += 3;
        }

        input(peer, pkt.data, pkt.n);
        break;

    case 4:                                  /* cut or join */

        if (end - *data < 2) {
            break;
        }

        n = ((*data)[0] << 8 | (*data)[1]) % (pkt.n + 1);
        *data += 2;

        if ((much & 1) && peer->head != peer->tail) {
            packet_t  *next = &peer->q[peer->head++ % QUEUE];

            pkt.n = n;
            n = ngx_min(next->n, sizeof(pkt.data) - pkt.n);
            memcpy(pkt.data + pkt.n, next->data, n);
            n += pkt.n;
        }

        input(peer, pkt.data, n);
        break;

    case 5:                                  /* bytes of the input */
        n = ngx_min((size_t) (end - *data), (much + 1) * 16);
        input(peer, *data, n);
        *data += n;
        break;

    case 6:                                  /* time goes on */
        now_ms += 50 << (much & 7);
        ngx_webrtc_dtls_timeout(&peers[0].dtls, now_ms);
        ngx_webrtc_dtls_timeout(&peers[1].dtls, now_ms);
        break;

    default:

        switch (much & 3) {

        case 0:
            ngx_webrtc_dtls_send(&peer->dtls, (u_char *) "echo", 4);
            break;

        case 1:
            ngx_webrtc_dtls_close(&peer->dtls);
            break;

        case 2:
            if (ngx_webrtc_dtls_export(&peer->dtls, &l, &r) == NGX_OK
                && (peer->dtls.state != NGX_WEBRTC_DTLS_CONNECTED
                    || !peer->dtls.verified))
            {
                abort();
            }

            break;

        default:

            if (much & 4) {
                ngx_webrtc_dtls_settle(&peer->dtls);
                break;
            }

            ngx_webrtc_dtls_start(&peer->dtls, now_ms);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t              i, steps;
    const uint8_t          *end;
    ngx_webrtc_dtls_opts_t  opts;

    static u_char                   fp[2][32];
    static ngx_webrtc_dtls_conf_t  *conf[2];

    if (conf[0] == NULL) {
        conf[0] = make_conf(fp[0]);
        conf[1] = make_conf(fp[1]);
    }

    if (size < 1) {
        return 0;
    }

    now_ms = 1000000;
    end = data + size;

    memset(peers, 0, sizeof(peers));

    for (i = 0; i < 2; i++) {
        memset(&opts, 0, sizeof(opts));

        opts.role = i ? NGX_WEBRTC_DTLS_SERVER : NGX_WEBRTC_DTLS_CLIENT;
        opts.fingerprint_alg = NGX_WEBRTC_FINGERPRINT_SHA256;
        opts.fingerprint = fp[1 - i];
        opts.fingerprint_len = 32;
        opts.send = on_send;
        opts.recv = ((data[0] >> i) & 1) ? on_recv : NULL;
        opts.ctx = &peers[i];

        if (ngx_webrtc_dtls_init(&peers[i].dtls, conf[i], &opts) != NGX_OK) {
            abort();
        }
    }

    data++;

    ngx_webrtc_dtls_start(&peers[0].dtls, now_ms);

    for (steps = 0; data < end && steps < 64; steps++) {
        uint8_t  b = *data++;

        step(&peers[(b >> 3) & 1], b & 7, b >> 4, &data, end);
    }

    ngx_webrtc_dtls_close(&peers[0].dtls);

    ngx_webrtc_dtls_cleanup(&peers[0].dtls);
    ngx_webrtc_dtls_cleanup(&peers[1].dtls);

    return 0;
}
