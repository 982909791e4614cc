
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: RTCP compound packets with every reader on every packet.
 * Property: what passes the check can be walked to its end; reports that were
 * read and are written again are the same.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtcp.h>
#include <peer.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static uint32_t  sink;


static void
touch(u_char *p, size_t n)
{
    while (n-- > 0) {
        sink += p[n];
    }
}


static void
reports(ngx_webrtc_rtcp_t *rtcp)
{
    size_t                    head;
    u_char                    buf[1024], *p;
    uint32_t                  ssrc;
    ngx_uint_t                i;
    ngx_webrtc_rtcp_sr_t      sr;
    ngx_webrtc_rtcp_block_t   blocks[NGX_WEBRTC_RTCP_BLOCKS];

    ssrc = 0;

    for (i = 0;
         ngx_webrtc_rtcp_parse_block(rtcp, i, &ssrc,
                                     &blocks[i % NGX_WEBRTC_RTCP_BLOCKS])
         == NGX_OK;
         i++)
    {
        if (i == NGX_WEBRTC_RTCP_BLOCKS) {
            abort();
        }
    }

    if (i == 0 || i != rtcp->count) {
        return;
    }

    if (ngx_webrtc_rtcp_parse_sr(rtcp, &sr) == NGX_OK) {
        p = ngx_webrtc_rtcp_write_sr(buf, buf + sizeof(buf), &sr, blocks, i);
        head = 24;

    } else {
        p = ngx_webrtc_rtcp_write_rr(buf, buf + sizeof(buf), ssrc, blocks, i);
        head = 4;
    }

    /* profile-specific extensions may follow the blocks */

    if (p == NULL
        || ngx_memcmp(buf + 4, rtcp->body, head + i * NGX_WEBRTC_RTCP_BLOCK)
           != 0)
    {
        abort();
    }
}


static void
feedback(ngx_webrtc_rtcp_t *rtcp)
{
    uint8_t                 seq;
    uint16_t                pid, blp;
    uint32_t                ssrc;
    ngx_uint_t              i;
    ngx_webrtc_rtcp_fb_t    fb;
    ngx_webrtc_rtcp_remb_t  remb;
    ngx_webrtc_rtcp_twcc_t  twcc;

    if (ngx_webrtc_rtcp_parse_fb(rtcp, &fb) != NGX_OK) {
        return;
    }

    touch(fb.fci, fb.len);

    for (i = 0;
         ngx_webrtc_rtcp_parse_nack(&fb, i, &pid, &blp) == NGX_OK;
         i++)
    {
        sink += pid + blp;
    }

    for (i = 0;
         ngx_webrtc_rtcp_parse_fir(&fb, i, &ssrc, &seq) == NGX_OK;
         i++)
    {
        sink += ssrc + seq;
    }

    if (ngx_webrtc_rtcp_parse_remb(&fb, &remb) == NGX_OK) {
        touch(remb.ssrcs, (size_t) remb.nssrcs * 4);
    }

    if (ngx_webrtc_rtcp_parse_twcc(&fb, &twcc) == NGX_OK) {
        touch(twcc.chunks, twcc.len);
    }
}


static void
extended(ngx_webrtc_rtcp_t *rtcp)
{
    u_char                  *p;
    uint32_t                 ssrc;
    uint64_t                 ntp;
    ngx_uint_t               i;
    ngx_webrtc_rtcp_xr_t     xr;
    ngx_webrtc_rtcp_dlrr_t   dlrr;

    for (p = ngx_webrtc_rtcp_parse_xr(rtcp, NULL, &ssrc, &xr);
         p != NULL;
         p = ngx_webrtc_rtcp_parse_xr(rtcp, p, NULL, &xr))
    {
        touch(xr.body, xr.len);

        if (ngx_webrtc_rtcp_parse_rrt(&xr, &ntp) == NGX_OK) {
            sink += (uint32_t) ntp;
        }

        for (i = 0;
             ngx_webrtc_rtcp_parse_dlrr(&xr, i, &dlrr) == NGX_OK;
             i++)
        {
            sink += dlrr.ssrc;
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char             *p, *end;
    ngx_int_t           rc;
    uint32_t            ssrc;
    ngx_uint_t          i;
    ngx_webrtc_rtcp_t   rtcp;

    p = (u_char *) data;
    end = p + size;

    rc = ngx_webrtc_rtcp_check(p, end);

    while (p != NULL && p != end) {

        p = ngx_webrtc_rtcp_next(p, end, &rtcp);

        if (p == NULL) {
            if (rc == NGX_OK) {
                abort();
            }

            break;
        }

        touch(rtcp.body, rtcp.len);

        reports(&rtcp);
        feedback(&rtcp);
        extended(&rtcp);

        for (i = 0; ngx_webrtc_rtcp_parse_bye(&rtcp, i, &ssrc) == NGX_OK; i++)
        {
            sink += ssrc;
        }
    }

    return 0;
}
