
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: the words of "webrtc_rtp" (variables of a request may be in
 * them), and an SDP of plain RTP.  The first byte says which.
 * Property: what is taken is printed, and what is printed is taken again and
 * means the same.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_legs.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(int ok)
{
    if (!ok) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char             *copy, *p, *q;
    ngx_str_t           text, word;
    ngx_int_t           rc;
    ngx_uint_t          i;
    const char         *cause;
    ngx_webrtc_legs_t   legs, again;
    u_char              out[NGX_WEBRTC_LEGS_TEXT], twice[NGX_WEBRTC_LEGS_TEXT];

    static ngx_webrtc_sdp_t  sdp;

    if (size == 0) {
        return 0;
    }

    copy = malloc(size);
    memcpy(copy, data + 1, size - 1);

    text.data = copy;
    text.len = size - 1;

    if (data[0] & 1) {
        ngx_webrtc_legs_init(&legs);
        rc = ngx_webrtc_legs_sdp(&legs, copy, copy + size - 1, &sdp, &cause);

        for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
            if (legs.legs[i].port == 0 || legs.legs[i].port == 65535) {
                legs.legs[i].port = 5000;
            }

            /* as the words have it, and as RTP may have it */

            if ((legs.legs[i].pt >= 64 && legs.legs[i].pt <= 95)
                || legs.legs[0].pt == legs.legs[1].pt)
            {
                rc = NGX_DECLINED;
            }
        }

    } else {
        rc = ngx_webrtc_legs_parse(&legs, &text, &word, &cause);
    }

    if (rc == NGX_OK) {
        p = ngx_webrtc_legs_print(&legs, out, out + sizeof(out));
        check(p != NULL);

        text.data = out;
        text.len = p - out;

        check(ngx_webrtc_legs_parse(&again, &text, &word, &cause) == NGX_OK);

        q = ngx_webrtc_legs_print(&again, twice, twice + sizeof(twice));
        check(q != NULL && q - twice == p - out
              && memcmp(out, twice, p - out) == 0);
    }

    free(copy);

    return 0;
}
