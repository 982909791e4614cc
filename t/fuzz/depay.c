
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Payloads of a publisher.  The first byte is the codec; then packets: a byte
 * with marker (1), gap (2), RED of payload type 111 (4) and timestamp step (the
 * rest), two bytes of length, the payload.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_codecs.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(ngx_uint_t cond)
{
    if (!cond) {
        abort();
    }
}


/* what was well-formed is so when it goes on, and not much longer */

static void
join(ngx_webrtc_depay_t *d, const ngx_webrtc_codec_t *codec, u_char *p,
    size_t n, ngx_uint_t more)
{
    u_char                     *copy, *buf;
    size_t                      len;
    ngx_webrtc_depay_t          next;
    ngx_webrtc_depay_info_t     info;
    ngx_webrtc_depay_packet_t   pkt;

    memset(&pkt, 0, sizeof(pkt));

    copy = malloc(n);
    memcpy(copy, p, n);
    buf = malloc(n + NGX_WEBRTC_DEPAY_JOIN);

    len = n;
    pkt.payload = ngx_webrtc_depay_join(d, copy, &len, more, buf);
    pkt.n = len;

    check(len > 0 && len <= n + NGX_WEBRTC_DEPAY_JOIN);

    (void) ngx_webrtc_depay_init(&next, codec);

    check(codec->depay->join == NULL
          || ngx_webrtc_depay_input(&next, &pkt, &info) != NGX_DECLINED);

    free(buf);
    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                     *buf;
    size_t                      n, len;
    ngx_int_t                   rc;
    ngx_uint_t                  flags, first, count;
    ngx_webrtc_depay_t          d;
    ngx_webrtc_depay_info_t     info;
    ngx_webrtc_depay_packet_t   pkt;
    const ngx_webrtc_codec_t   *codec;

    if (size < 1) {
        return 0;
    }

    codec = ngx_webrtc_codec(data[0] % NGX_WEBRTC_CODEC_N);

    if (ngx_webrtc_depay_init(&d, codec) != NGX_OK) {
        return 0;
    }

    data++;
    size--;

    memset(&pkt, 0, sizeof(pkt));

    while (size >= 3) {
        n = (data[1] << 8) | data[2];
        n = ngx_min(n, size - 3);

        pkt.marker = data[0] & 1;
        pkt.gap = (data[0] >> 1) & 1;
        pkt.red = (data[0] >> 2) & 1;
        pkt.block_pt = 111;
        pkt.told = (data[0] & 0x40)
                   ? (uint16_t) (NGX_WEBRTC_DD_TOLD | data[1] << 8 | data[2])
                   : 0;
        pkt.ts += (uint32_t) (data[0] >> 3) * 1000;
        pkt.n = n;
        pkt.payload = malloc(n + !n);
        memcpy(pkt.payload, data + 3, n);

        data += 3 + n;
        size -= 3 + n;

        rc = ngx_webrtc_depay_input(&d, &pkt, &info);

        check(rc == NGX_OK || rc == NGX_DONE || rc == NGX_DECLINED);
        check(rc == NGX_OK || (info.flags == 0 && !info.prefix));
        check(info.layer <= NGX_WEBRTC_LAYER_MASK);
        check(!info.prefix || !(info.flags & NGX_WEBRTC_PKT_FIRST));
        check(!(info.flags & NGX_WEBRTC_PKT_MARKER) == (rc != NGX_OK
                                                        || !pkt.marker));

        buf = malloc(NGX_WEBRTC_DEPAY_PAYLOAD);
        first = 0;
        count = 0;

        while (ngx_webrtc_depay_prefix(&d, buf, NGX_WEBRTC_DEPAY_PAYLOAD,
                                       &len, &flags)
               == NGX_OK)
        {
            check(len > 0 && len <= NGX_WEBRTC_DEPAY_PAYLOAD);
            check(++count <= NGX_WEBRTC_PARAMS_MAX);
            check(flags & NGX_WEBRTC_PKT_PARAMS);

            join(&d, codec, buf, len, 1);

            first += ((flags & NGX_WEBRTC_PKT_FIRST) != 0);
        }

        /* a prefix that is announced has a begin */

        check((count != 0) == info.prefix && first == info.prefix);

        free(buf);

        if (rc == NGX_OK) {
            join(&d, codec, pkt.payload, n, !pkt.marker);
        }

        free(pkt.payload);
    }

    return 0;
}
