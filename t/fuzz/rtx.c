
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * An RTP packet, parsed, its header extensions walked, and unwrapped as a
 * retransmission if it is one (payload types 97 and 99).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include "ngx_webrtc_rtx.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                *p, *e;
    ngx_int_t              rc;
    ngx_webrtc_rtp_t       rtp, before;
    ngx_webrtc_rtx_t       rtx;
    ngx_webrtc_rtp_ext_t   ext;

    memset(&rtx, 0, sizeof(rtx));

    ngx_webrtc_rtx_add(&rtx, 97, 96, 0, 5);
    ngx_webrtc_rtx_add(&rtx, 99, 98, 0, 0);

    p = malloc(size + !size);
    memcpy(p, data, size);

    if (ngx_webrtc_rtp_parse(p, p + size, &rtp) == NGX_OK) {

        e = NULL;

        while ((e = ngx_webrtc_rtp_ext_next(&rtp, e, &ext)) != NULL) {
            if (ext.data < p || ext.data + ext.len > p + size) {
                abort();
            }
        }

        before = rtp;

        rc = ngx_webrtc_rtx_unwrap(&rtx, &rtp);

        if (rc == NGX_OK) {

            if (rtp.payload < p + 14 || rtp.payload + rtp.len > p + size
                || rtp.len + 2 != before.len || rtp.ssrc != 5 || rtp.pt != 96
                || before.pt != 97)
            {
                abort();
            }

        } else if (memcmp(&rtp, &before, sizeof(rtp)) != 0) {
            abort();
        }
    }

    free(p);

    return 0;
}
