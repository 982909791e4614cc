
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * RED, RFC 2198: an audio packet that repeats earlier ones.
 *
 *     block header      F, payload type, timestamp offset, length    4 bytes
 *     ...
 *     primary header    payload type                                 1 byte
 *     block, ..., primary
 *
 * It is no codec by itself: all blocks are of the codec that it wraps.
 */


#ifndef _NGX_WEBRTC_RED_H_INCLUDED_
#define _NGX_WEBRTC_RED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* blocks of a packet; chosen: browsers send at most 2 and the primary */
#define NGX_WEBRTC_RED_BLOCKS  8


/* bytes of the header of a redundant block */
#define NGX_WEBRTC_RED_HEADER  4

/* bounds of a redundant block: 14 and 10 bits */
#define NGX_WEBRTC_RED_OFFSET  0x3fff
#define NGX_WEBRTC_RED_LEN     0x3ff


/* one block; the primary one, which is the last, has no offset */
typedef struct {
    u_char      *data;            /* view into the packet */
    size_t       n;               /* may be 0 */
    uint32_t     ts_offset;       /* to be subtracted from the packet's ts */
    uint8_t      pt;
} ngx_webrtc_red_block_t;


/*
 * RFC 2198, 3.  Reads the blocks of a payload, oldest first.
 *
 *   blocks   NGX_WEBRTC_RED_BLOCKS of them
 *   count    out, >= 1
 *
 * NGX_OK
 * NGX_DECLINED  malformed, or more blocks
 */

ngx_int_t ngx_webrtc_red_parse(u_char *p, size_t n,
    ngx_webrtc_red_block_t *blocks, ngx_uint_t *count);

/*
 * Sets the payload type of all blocks.
 *
 *   p       payload that has been parsed
 *   count   of its blocks
 */

void ngx_webrtc_red_set_pt(u_char *p, ngx_uint_t count, ngx_uint_t pt);

/*
 * RFC 2198, 3.  Writes a payload.
 *
 *   blocks   n of them, oldest first, the primary last; offsets of 14 bits,
 *            lengths of 10 but for the primary's
 *
 * Returns its end, or NULL: no room, or a block that cannot be said
 */

u_char *ngx_webrtc_red_write(u_char *p, u_char *end,
    const ngx_webrtc_red_block_t *blocks, ngx_uint_t n);


#endif /* _NGX_WEBRTC_RED_H_INCLUDED_ */
