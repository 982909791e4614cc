
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: classification, RTP header and header extensions.
 * Property: every view lies within the input, and what was parsed and is
 * written again is the same.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtp.h>
#include <peer.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
inside(const uint8_t *data, size_t size, u_char *p, size_t n)
{
    if (p < data || p > data + size || n > (size_t) (data + size - p)) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                *p, *q, header[NGX_WEBRTC_RTP_HEADER];
    ngx_uint_t             i, n;
    ngx_webrtc_rtp_t       rtp;
    ngx_webrtc_rtp_ext_t   ext;

    p = (u_char *) data;

    (void) ngx_webrtc_rtp_classify(p, size);

    if (ngx_webrtc_rtp_parse_header(p, p + size, &rtp) != NGX_OK) {

        if (ngx_webrtc_rtp_parse(p, p + size, &rtp) == NGX_OK) {
            abort();
        }

        return 0;
    }

    inside(data, size, rtp.csrc, (size_t) rtp.ncsrc * 4);
    inside(data, size, rtp.ext, rtp.ext_len);
    inside(data, size, rtp.payload, rtp.len);

    q = ngx_webrtc_rtp_write(header, header + sizeof(header), &rtp);

    if (q != header + sizeof(header)
        || ((header[0] ^ data[0]) & 0xd0) != 0
        || ngx_memcmp(header + 1, data + 1, sizeof(header) - 1) != 0)
    {
        abort();
    }

    n = 0;

    for (q = ngx_webrtc_rtp_ext_next(&rtp, NULL, &ext);
         q != NULL;
         q = ngx_webrtc_rtp_ext_next(&rtp, q, &ext))
    {
        inside(data, size, ext.data, ext.len);

        if (ext.id == 0 || n++ > rtp.ext_len) {
            abort();
        }
    }

    for (i = 0; i < 256; i++) {
        (void) ngx_webrtc_rtp_ext_crowded(&rtp);

        if (ngx_webrtc_rtp_ext_find(&rtp, i, &ext) == NGX_OK
            && (n == 0 || ext.id != i))
        {
            abort();
        }
    }

    if (ngx_webrtc_rtp_parse(p, p + size, &rtp) == NGX_OK) {
        inside(data, size, rtp.payload, rtp.len + rtp.padding);
    }

    return 0;
}
