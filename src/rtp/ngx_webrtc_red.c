
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * RED, RFC 2198: see ngx_webrtc_red.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_red.h"


ngx_int_t
ngx_webrtc_red_parse(u_char *p, size_t n, ngx_webrtc_red_block_t *blocks,
    ngx_uint_t *count)
{
    u_char      *end;
    size_t       len;
    uint8_t      head;
    uint32_t     bits;
    ngx_uint_t   i, k;

    end = p + n;

    for (i = 0; /* void */ ; i++) {

        if (i == NGX_WEBRTC_RED_BLOCKS || p == end) {
            return NGX_DECLINED;
        }

        head = *p;
        blocks[i].pt = head & 0x7f;

        if (!(head & 0x80)) {
            p++;
            break;
        }

        /* F, block PT, 14 bits of timestamp offset, 10 bits of length */

        p++;
        p = ngx_webrtc_read_u24(p, end, &bits);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        blocks[i].ts_offset = bits >> 10;
        blocks[i].n = bits & 0x3ff;
    }

    for (k = 0; k < i; k++) {
        len = blocks[k].n;

        if (len > (size_t) (end - p)) {
            return NGX_DECLINED;
        }

        blocks[k].data = p;
        p += len;
    }

    blocks[i].data = p;
    blocks[i].n = end - p;
    blocks[i].ts_offset = 0;

    *count = i + 1;

    return NGX_OK;
}


void
ngx_webrtc_red_set_pt(u_char *p, ngx_uint_t count, ngx_uint_t pt)
{
    ngx_uint_t  i;

    for (i = 0; i < count; i++) {
        *p = (u_char) ((*p & 0x80) | (pt & 0x7f));
        p += NGX_WEBRTC_RED_HEADER;
    }
}


u_char *
ngx_webrtc_red_write(u_char *p, u_char *end,
    const ngx_webrtc_red_block_t *blocks, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i + 1 < n; i++) {

        if (blocks[i].ts_offset > NGX_WEBRTC_RED_OFFSET
            || blocks[i].n > NGX_WEBRTC_RED_LEN)
        {
            return NULL;
        }

        p = ngx_webrtc_write_u8(p, end, 0x80 | (blocks[i].pt & 0x7f));
        p = ngx_webrtc_write_u24(p, end, blocks[i].ts_offset << 10
                                         | (uint32_t) blocks[i].n);
    }

    p = ngx_webrtc_write_u8(p, end, blocks[i].pt & 0x7f);

    for (i = 0; i < n; i++) {
        p = ngx_webrtc_write_mem(p, end, blocks[i].data, blocks[i].n);
    }

    return p;
}
