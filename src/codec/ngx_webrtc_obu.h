
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * AV1: open bitstream units in the low-overhead format (AV1 Bitstream &
 * Decoding Process Specification, 5), sequence headers, av1C (AV1 Codec ISO
 * Media File Format Binding, 2.3).
 */


#ifndef _NGX_WEBRTC_OBU_H_INCLUDED_
#define _NGX_WEBRTC_OBU_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* obu_type, 6.2.2 */

#define NGX_WEBRTC_OBU_SEQUENCE   1
#define NGX_WEBRTC_OBU_TEMPORAL   2    /* temporal delimiter */
#define NGX_WEBRTC_OBU_HEADER     3    /* frame header */
#define NGX_WEBRTC_OBU_GROUP      4    /* tile group */
#define NGX_WEBRTC_OBU_METADATA   5
#define NGX_WEBRTC_OBU_FRAME      6
#define NGX_WEBRTC_OBU_REDUNDANT  7    /* redundant frame header */
#define NGX_WEBRTC_OBU_TILE_LIST  8
#define NGX_WEBRTC_OBU_PADDING    15


typedef struct {
    uint8_t      type;
    uint8_t      header[2];       /* as in RTP: obu_has_size_field cleared */
    uint8_t      header_size;     /* 1, or 2 with extension */
    u_char      *payload;         /* after header and size field */
    size_t       size;            /* of payload */
} ngx_webrtc_obu_t;


/*
 * 5.3.1.  Reads one OBU; one without size field extends to end.
 *
 * Returns the position after it, or NULL: malformed.  p < end.
 */

u_char *ngx_webrtc_obu_read(u_char *p, u_char *end, ngx_webrtc_obu_t *obu);


typedef struct {
    uint32_t     profile;         /* profile << 16 | tier << 8 | level-idx */
    uint16_t     width;           /* max_frame_width_minus_1 + 1 */
    uint16_t     height;
    uint8_t      reduced;         /* reduced_still_picture_header */
} ngx_webrtc_obu_seq_t;


/*
 * 5.5.1.  Parses a sequence header as far as the maximum frame size.
 *
 *   p, n   payload of the OBU
 *
 * NGX_OK
 * NGX_DECLINED  cut or invalid
 */

ngx_int_t ngx_webrtc_obu_sequence(u_char *p, size_t n,
    ngx_webrtc_obu_seq_t *seq);

/* unsigned leb128, 4.10.5: bytes needed for v, and writing it; p has room */

size_t ngx_webrtc_obu_leb128_size(uint64_t v);
u_char *ngx_webrtc_obu_leb128_write(u_char *p, uint64_t v);


#endif /* _NGX_WEBRTC_OBU_H_INCLUDED_ */
