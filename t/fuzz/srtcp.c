
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: SRTCP.  The first byte chooses the profile.  Then operations, of
 * a byte each, with what they need behind it: datagrams of the input as they
 * are, and packets of the input that are protected, perhaps damaged, and come
 * once or again.
 * Property: what was protected is taken once, and comes back byte by byte; a
 * changed bit, a repetition or bytes of nobody are never taken.  What is taken
 * goes through the readers of RTCP.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_rtcp.h>
#include <ngx_webrtc_srtp.h>


#define ROOM  512
#define PAST  4


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    u_char  data[ROOM];
    size_t  n;
} packet_t;


static const uint16_t  profiles[] = {
    NGX_WEBRTC_SRTP_AES128_CM_SHA1_80, NGX_WEBRTC_SRTP_AEAD_AES_128_GCM,
    NGX_WEBRTC_SRTP_AEAD_AES_256_GCM
};


static ngx_webrtc_srtp_out_t  out;
static ngx_webrtc_srtp_in_t   in;


static void
check(ngx_uint_t cond)
{
    if (!cond) {
        abort();
    }
}


/* as the session reads it */

static void
read_rtcp(u_char *p, size_t n)
{
    u_char                   *end;
    uint16_t                  pid, blp;
    ngx_uint_t                i;
    ngx_webrtc_rtcp_t         rtcp;
    ngx_webrtc_rtcp_fb_t      fb;
    ngx_webrtc_rtcp_block_t   block;

    if (ngx_webrtc_rtcp_check(p, p + n) != NGX_OK) {
        return;
    }

    for (end = p + n; p != end; /* void */ ) {
        p = ngx_webrtc_rtcp_next(p, end, &rtcp);
        check(p != NULL);

        for (i = 0; ngx_webrtc_rtcp_parse_block(&rtcp, i, NULL, &block)
                    == NGX_OK; i++)
        {
            check(i < 32);
        }

        if (ngx_webrtc_rtcp_parse_fb(&rtcp, &fb) == NGX_OK) {
            for (i = 0; ngx_webrtc_rtcp_parse_nack(&fb, i, &pid, &blp)
                        == NGX_OK; i++)
            {
                check(i < ROOM);
            }
        }
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

    rc = ngx_webrtc_srtp_unprotect_rtcp(&in, copy, &n);

    if (rc == NGX_OK) {
        check(want != NULL && n == want_n && memcmp(copy, want, n) == 0);
        read_rtcp(copy, n);
    }

    free(copy);

    return rc;
}


static void
step(uint8_t op, const uint8_t **data, const uint8_t *end, packet_t *past)
{
    size_t     n, at;
    uint8_t    bit;
    packet_t   pkt, plain;
    ngx_int_t  rc;

    n = ngx_min((size_t) (op >> 3) * 4, (size_t) (end - *data));

    switch (op & 7) {

    case 0:
    case 1:
        check(unprotect(*data, n, NULL, 0) != NGX_OK);
        *data += n;
        return;

    case 2:

        /* what came before */

        if (past[op >> 3 & (PAST - 1)].n) {
            check(unprotect(past[op >> 3 & (PAST - 1)].data,
                            past[op >> 3 & (PAST - 1)].n, NULL, 0)
                  != NGX_OK);
        }

        return;
    }

    if (n < 8) {
        return;
    }

    ngx_memcpy(plain.data, *data, n);
    plain.n = n;
    plain.data[0] = (plain.data[0] & 0x3f) | 0x80;
    *data += n;

    pkt = plain;

    check(ngx_webrtc_srtp_protect_rtcp(&out, pkt.data, &pkt.n, ROOM)
          == NGX_OK);

    if ((op & 7) == 3 && end - *data >= 2) {

        /* one bit */

        at = ((*data)[0] << 8 | (*data)[1]) % (pkt.n * 8);
        bit = (uint8_t) (1 << (at & 7));
        *data += 2;

        pkt.data[at / 8] ^= bit;
        check(unprotect(pkt.data, pkt.n, NULL, 0) != NGX_OK);
        pkt.data[at / 8] ^= bit;
    }

    if ((op & 7) == 4 && end - *data >= 1) {

        /* cut */

        at = (*data)[0] % pkt.n;
        *data += 1;
        check(unprotect(pkt.data, at, NULL, 0) != NGX_OK);
    }

    rc = unprotect(pkt.data, pkt.n, plain.data, plain.n);

    /* unless there are too many SSRCs */

    check(rc == NGX_OK || in.nssrcs == NGX_WEBRTC_SRTP_SSRCS);

    if (rc == NGX_OK) {
        past[op >> 3 & (PAST - 1)] = pkt;
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    packet_t                past[PAST];
    ngx_uint_t              i, steps;
    const uint8_t          *end;
    ngx_webrtc_srtp_key_t   key;

    if (size < 1 || size > 4096) {
        return 0;
    }

    ngx_memzero(&key, sizeof(key));
    ngx_memzero(past, sizeof(past));

    key.profile = profiles[data[0] % 3];

    for (i = 0; i < sizeof(key.key); i++) {
        key.key[i] = (u_char) i;
    }

    check(ngx_webrtc_srtp_out_init(&out, &key) == NGX_OK);
    check(ngx_webrtc_srtp_in_init_rtcp(&in, &key) == NGX_OK);

    end = data + size;
    data++;

    for (steps = 0; data < end && steps < 64; steps++) {
        uint8_t  op = *data++;

        step(op, &data, end, past);
    }

    ngx_webrtc_srtp_out_cleanup(&out);
    ngx_webrtc_srtp_in_cleanup(&in);

    return 0;
}
