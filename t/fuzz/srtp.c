
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: SRTP from a publisher.  The first byte chooses the profile.
 * Then operations, of a byte each, with what they need behind it: datagrams of
 * the input as they are, and packets whose header and payload are the input's,
 * that are protected, perhaps damaged or cut, and come in any order.
 * Property: what was protected comes back byte by byte, if it is within half of
 * the sequence numbers and the window, and once; nothing else is ever taken.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_srtp.h>


#define ROOM   512
#define SSRCS  4


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* what is known of a sender: all its indexes that were taken */
typedef struct {
    uint64_t  seen[256];
    size_t    n;
    uint64_t  top;
} sender_t;


static const uint16_t  profiles[] = {
    NGX_WEBRTC_SRTP_AES128_CM_SHA1_80, NGX_WEBRTC_SRTP_AEAD_AES_128_GCM,
    NGX_WEBRTC_SRTP_AEAD_AES_256_GCM
};


static ngx_webrtc_srtp_out_t  out;
static ngx_webrtc_srtp_in_t   in;
static sender_t               senders[SSRCS];


static void
check(ngx_uint_t cond)
{
    if (!cond) {
        abort();
    }
}


/* a copy of its size, so that a sanitizer sees a byte too many */

static ngx_int_t
unprotect(const u_char *p, size_t n, const u_char *want, size_t want_n)
{
    u_char     *copy;
    ngx_int_t   rc;

    copy = malloc(n + (n == 0));
    ngx_memcpy(copy, p, n);

    rc = ngx_webrtc_srtp_unprotect(&in, copy, &n);

    if (rc == NGX_OK) {
        check(want != NULL && n == want_n && memcmp(copy, want, n) == 0);
    }

    free(copy);

    return rc;
}


/* header of the input, of a sender and an index near its highest one */

static size_t
header(u_char *p, const uint8_t *data, ngx_uint_t ssrc, uint64_t index)
{
    size_t  n;

    p[0] = 0x80 | (data[0] & 0x13);
    p[1] = data[1];
    p[2] = (u_char) (index >> 8);
    p[3] = (u_char) index;
    ngx_memset(p + 4, data[2], 4);
    ngx_memset(p + 8, (int) ssrc, 4);

    n = 12 + 4 * (p[0] & 0x0f);
    ngx_memset(p + 12, data[3], n - 12);

    if (p[0] & 0x10) {
        p[n] = 0xbe;
        p[n + 1] = 0xde;
        p[n + 2] = 0;
        p[n + 3] = data[3] & 7;
        ngx_memset(p + n + 4, data[2], 4 * p[n + 3]);
        n += 4 + 4 * (size_t) p[n + 3];
    }

    return n;
}


static void
step(uint8_t op, const uint8_t **data, const uint8_t *end)
{
    size_t      n, i, hdr, len;
    u_char      plain[ROOM], pkt[ROOM];
    int64_t     move;
    uint64_t    index;
    sender_t   *s;
    ngx_int_t   rc;
    ngx_uint_t  seen;

    n = (size_t) (op >> 4) * 4;

    if ((op & 7) == 0) {
        n = ngx_min(n, (size_t) (end - *data));
        check(unprotect(*data, n, NULL, 0) != NGX_OK);
        *data += n;
        return;
    }

    if (end - *data < 8) {
        return;
    }

    s = &senders[op >> 4 & (SSRCS - 1)];

    /* half of the numbers behind could be half of them ahead */

    move = (int16_t) ((*data)[4] << 8 | (*data)[5]);
    move = ngx_max(move, -INT16_MAX);

    if (op & 8) {
        move %= 64;
    }

    index = (s->n == 0) ? (uint64_t) (move & 0x7fff)
                        : (uint64_t) ngx_max((int64_t) s->top + move, 0);

    hdr = header(plain, *data, s - senders + 1, index);
    ngx_memset(plain + hdr, (*data)[6], n);

    ngx_memcpy(pkt, plain, hdr + n);
    len = ROOM;

    check(ngx_webrtc_srtp_protect(&out, index, pkt, hdr, NULL, 0, pkt + hdr, n,
                                  pkt, &len)
          == NGX_OK);

    *data += 8;

    if ((op & 7) == 1) {
        i = (size_t) ((*data)[-1] * 31 + op) % (len * 8);
        pkt[i / 8] ^= (u_char) (1 << (i & 7));
        check(unprotect(pkt, len, NULL, 0) != NGX_OK);
        pkt[i / 8] ^= (u_char) (1 << (i & 7));
    }

    if ((op & 7) == 2) {
        check(unprotect(pkt, (*data)[-1] % len, NULL, 0) != NGX_OK);
    }

    for (i = 0, seen = 0; i < s->n; i++) {
        seen |= (s->seen[i] == index);
    }

    rc = unprotect(pkt, len, plain, hdr + n);

    if (seen || (s->n && index + NGX_WEBRTC_SRTP_WINDOW <= s->top)) {
        check(rc == NGX_BUSY);
        return;
    }

    check(rc == NGX_OK);

    s->seen[s->n++] = index;
    s->top = ngx_max(s->top, index);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t              i, steps;
    const uint8_t          *end;
    ngx_webrtc_srtp_key_t   key;

    if (size < 1 || size > 4096) {
        return 0;
    }

    ngx_memzero(&key, sizeof(key));
    ngx_memzero(senders, sizeof(senders));

    key.profile = profiles[data[0] % 3];

    for (i = 0; i < sizeof(key.key); i++) {
        key.key[i] = (u_char) i;
    }

    check(ngx_webrtc_srtp_out_init(&out, &key) == NGX_OK);
    check(ngx_webrtc_srtp_in_init(&in, &key) == NGX_OK);

    end = data + size;
    data++;

    for (steps = 0; data < end && steps < 200; steps++) {
        uint8_t  op = *data++;

        step(op, &data, end);
    }

    ngx_webrtc_srtp_out_cleanup(&out);
    ngx_webrtc_srtp_in_cleanup(&in);

    return 0;
}
