
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Bit reader, most significant bit first, with the Exp-Golomb codes of
 * ITU-T H.264, 9.1 (the same in H.265, 9.2).
 *
 * In RBSP mode the emulation prevention bytes (the 03 of 00 00 03) are
 * skipped while reading: H.264, 7.3.1 and H.265, 7.3.1.1.
 *
 * A read past the end returns 0 and sets b->error, which stays set: a whole
 * header may be read and checked once.
 */


#ifndef _NGX_WEBRTC_BITS_H_INCLUDED_
#define _NGX_WEBRTC_BITS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    u_char      *p;           /* next byte to load */
    u_char      *end;
    uint8_t      byte;        /* the byte being read */
    uint8_t      left;        /* bits of it not yet read, 0..8 */
    uint8_t      zeros;       /* zero bytes loaded in a row, RBSP mode */
    unsigned     rbsp:1;
    unsigned     error:1;     /* read past the end, or a code too long */
} ngx_webrtc_bits_t;


/*
 *   p, end   the bytes to read, not owned; must stay until the last read
 */

void ngx_webrtc_bits_init(ngx_webrtc_bits_t *b, u_char *p, u_char *end);
void ngx_webrtc_bits_init_rbsp(ngx_webrtc_bits_t *b, u_char *p, u_char *end);

/* u(n), n = 0..32; 0 on error */
uint32_t ngx_webrtc_bits_get(ngx_webrtc_bits_t *b, ngx_uint_t n);

/* any number of bits */
void ngx_webrtc_bits_skip(ngx_webrtc_bits_t *b, size_t n);

/*
 * ue(v), 0..2^32-2, and se(v), -(2^31-1)..2^31-1; 0 on error.  A code of more
 * than 31 leading zero bits, which no 32-bit value has, is an error.
 */

uint32_t ngx_webrtc_bits_ue(ngx_webrtc_bits_t *b);
int32_t ngx_webrtc_bits_se(ngx_webrtc_bits_t *b);

/* leb128() of AV1, 4.10.5, from a byte boundary or not; at most 8 bytes */
uint64_t ngx_webrtc_bits_leb128(ngx_webrtc_bits_t *b);


#define ngx_webrtc_bits_flag(b)  ngx_webrtc_bits_get(b, 1)


#endif /* _NGX_WEBRTC_BITS_H_INCLUDED_ */
