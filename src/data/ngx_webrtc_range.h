
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The frames of the range protocol (byte ranges of a file over a DataChannel,
 * docs/datachannel.md): parse and print, both directions.  One frame is one
 * binary message.  Stateless; what a server does with them is up to
 * ngx_webrtc_ranges.
 *
 *     0  u8   type
 *     1  u8   flags
 *     2  u16  reserved, sent as 0, ignored when received
 *     4  u32  stream id, chosen by the client, 0 for Hello
 *     8  u32  payload length
 *    12       payload
 *
 * Big-endian.
 */


#ifndef _NGX_WEBRTC_RANGE_H_INCLUDED_
#define _NGX_WEBRTC_RANGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_RANGE_HELLO       0x00    /* by the server */
#define NGX_WEBRTC_RANGE_REQ         0x01    /* by the client */
#define NGX_WEBRTC_RANGE_DATA        0x02    /* by the server */
#define NGX_WEBRTC_RANGE_END         0x03    /* by the server */
#define NGX_WEBRTC_RANGE_CANCEL      0x04    /* by the client */
#define NGX_WEBRTC_RANGE_PING        0x05
#define NGX_WEBRTC_RANGE_PONG        0x06
#define NGX_WEBRTC_RANGE_SEEK_HINT   0x07    /* by the client */

/* of a file that is remuxed or transcoded */

#define NGX_WEBRTC_RANGE_INFO        0x08    /* by the server */
#define NGX_WEBRTC_RANGE_INIT        0x09    /* by the server */
#define NGX_WEBRTC_RANGE_QUALITY     0x0a    /* by the client */
#define NGX_WEBRTC_RANGE_CUE         0x0b    /* by the server */

/* flags */
#define NGX_WEBRTC_RANGE_LAST        0x01    /* of DATA */
#define NGX_WEBRTC_RANGE_TRANSCODING 0x02    /* of HELLO */
#define NGX_WEBRTC_RANGE_SEEKABLE    0x04    /* of HELLO */
#define NGX_WEBRTC_RANGE_GROWING     0x08    /* of HELLO */
#define NGX_WEBRTC_RANGE_TRACK       0x10    /* of QUALITY: it is a track's */

/* statuses of END */
#define NGX_WEBRTC_RANGE_DONE        0
#define NGX_WEBRTC_RANGE_NO_SLOT     1
#define NGX_WEBRTC_RANGE_OUT         2
#define NGX_WEBRTC_RANGE_READ_ERROR  3
#define NGX_WEBRTC_RANGE_CANCELLED   4
#define NGX_WEBRTC_RANGE_DUPLICATE   5

/* bytes */
#define NGX_WEBRTC_RANGE_HEADER      12
#define NGX_WEBRTC_RANGE_PAYLOAD     65536   /* that a receiver accepts */
#define NGX_WEBRTC_RANGE_CONTROL     28      /* REQ, END, PONG ... at most */

/* offsets and lengths above it do not exist */
#define NGX_WEBRTC_RANGE_MAX         0x7fffffffffffffffull


typedef struct {
    uint8_t     type;
    uint8_t     flags;
    uint32_t    id;

    u_char     *payload;                     /* view into the frame */
    size_t      len;                         /* 0 .. NGX_WEBRTC_RANGE_PAYLOAD */

    union {
        struct {
            uint64_t   size;
            ngx_str_t  name;                 /* view, UTF-8 as it came */
        } hello;

        struct {
            uint64_t   offset;
            uint64_t   length;               /* 0, above RANGE_MAX: the rest */
        } req;

        uint32_t       status;               /* of END */
        uint64_t       seek_ms;              /* of SEEK_HINT */
        uint64_t       start_ms;             /* of INIT */
        uint32_t       index;                /* of QUALITY */
        uint32_t       track;                /* of CUE */
    } u;
} ngx_webrtc_range_frame_t;


/*
 * Parses a frame of either direction.  The payload length has to match the
 * bytes present exactly.  Flags and reserved bits are not checked.
 *
 * NGX_OK        frame is filled
 * NGX_DECLINED  malformed or of an unknown type; frame is undefined
 */
ngx_int_t ngx_webrtc_range_parse(u_char *p, u_char *end,
    ngx_webrtc_range_frame_t *frame);

/*
 * Each of these writes a frame and returns the position behind it, or NULL if
 * there is no room or p is NULL.
 *
 * _header() writes the 12 bytes alone: for DATA, whose payload (len bytes)
 * the caller has behind it, and for CANCEL, PING and PONG, which have none.
 */
u_char *ngx_webrtc_range_write_header(u_char *p, u_char *end, ngx_uint_t type,
    ngx_uint_t flags, uint32_t id, size_t len);
u_char *ngx_webrtc_range_write_hello(u_char *p, u_char *end, ngx_uint_t flags,
    uint64_t size, const ngx_str_t *name);
u_char *ngx_webrtc_range_write_end(u_char *p, u_char *end, uint32_t id,
    ngx_uint_t status);

/* The head of an INIT, whose segment of len bytes the caller has behind it. */
u_char *ngx_webrtc_range_write_init(u_char *p, u_char *end, uint32_t id,
    uint64_t start_ms, size_t len);


#endif /* _NGX_WEBRTC_RANGE_H_INCLUDED_ */
