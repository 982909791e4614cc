
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * AV1 OBUs and sequence headers: see ngx_webrtc_obu.h.  AV1 Bitstream &
 * Decoding Process Specification, version 1.0.0 with Errata 1.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_obu.h"


static void ngx_webrtc_obu_operating_points(ngx_webrtc_bits_t *b,
    ngx_webrtc_obu_seq_t *seq);


u_char *
ngx_webrtc_obu_read(u_char *p, u_char *end, ngx_webrtc_obu_t *obu)
{
    uint8_t            header;
    uint64_t           size;
    ngx_webrtc_bits_t  b;

    p = ngx_webrtc_read_u8(p, end, &header);

    if (p == NULL || (header & 0x80)) {         /* obu_forbidden_bit */
        return NULL;
    }

    obu->type = (header >> 3) & 0x0f;
    obu->header[0] = header & (u_char) ~0x02;   /* obu_has_size_field */
    obu->header[1] = 0;
    obu->header_size = 1;

    if (header & 0x04) {                        /* obu_extension_flag */
        p = ngx_webrtc_read_u8(p, end, &obu->header[1]);

        if (p == NULL) {
            return NULL;
        }

        obu->header_size = 2;
    }

    if (header & 0x02) {
        ngx_webrtc_bits_init(&b, p, end);

        size = ngx_webrtc_bits_leb128(&b);

        if (b.error || size > (size_t) (end - b.p)) {
            return NULL;
        }

        p = b.p;

    } else {
        size = end - p;
    }

    obu->payload = p;
    obu->size = (size_t) size;

    return p + obu->size;
}


ngx_int_t
ngx_webrtc_obu_sequence(u_char *p, size_t n, ngx_webrtc_obu_seq_t *seq)
{
    uint32_t           width, height;
    ngx_uint_t         width_bits, height_bits;
    ngx_webrtc_bits_t  b;

    ngx_webrtc_bits_init(&b, p, p + n);

    seq->profile = ngx_webrtc_bits_get(&b, 3) << 16;

    (void) ngx_webrtc_bits_flag(&b);            /* still_picture */

    seq->reduced = (uint8_t) ngx_webrtc_bits_flag(&b);

    if (seq->reduced) {
        seq->profile |= ngx_webrtc_bits_get(&b, 5);

    } else {
        ngx_webrtc_obu_operating_points(&b, seq);
    }

    width_bits = ngx_webrtc_bits_get(&b, 4) + 1;
    height_bits = ngx_webrtc_bits_get(&b, 4) + 1;

    width = ngx_webrtc_bits_get(&b, width_bits);
    height = ngx_webrtc_bits_get(&b, height_bits);

    if (b.error || seq->profile >> 16 > 2) {
        return NGX_DECLINED;
    }

    /* ..._minus_1; the track's fields are 16 bits */

    seq->width = (uint16_t) (ngx_min(width, 0xfffe) + 1);
    seq->height = (uint16_t) (ngx_min(height, 0xfffe) + 1);

    return NGX_OK;
}


/* 5.5.1 from timing_info_present_flag; 5.5.3 to 5.5.5 */

static void
ngx_webrtc_obu_operating_points(ngx_webrtc_bits_t *b,
    ngx_webrtc_obu_seq_t *seq)
{
    uint32_t    level, tier, count, i;
    ngx_uint_t  model, delay_bits, display;

    model = 0;
    delay_bits = 0;

    if (ngx_webrtc_bits_flag(b)) {              /* timing_info_present_flag */
        ngx_webrtc_bits_skip(b, 64);            /* display tick, time scale */

        if (ngx_webrtc_bits_flag(b)) {          /* equal_picture_interval */
            (void) ngx_webrtc_bits_ue(b);       /* uvlc(), as ue(v) */
        }

        model = ngx_webrtc_bits_flag(b);        /* decoder_model_info_present */

        if (model) {
            delay_bits = ngx_webrtc_bits_get(b, 5) + 1;
            ngx_webrtc_bits_skip(b, 32 + 5 + 5);
        }
    }

    display = ngx_webrtc_bits_flag(b);          /* initial_display_delay_.. */

    count = ngx_webrtc_bits_get(b, 5) + 1;

    for (i = 0; i < count; i++) {
        ngx_webrtc_bits_skip(b, 12);            /* operating_point_idc */

        level = ngx_webrtc_bits_get(b, 5);
        tier = (level > 7) ? ngx_webrtc_bits_flag(b) : 0;

        if (i == 0) {
            /* the operating point of most layers comes first */
            seq->profile |= (tier << 8) | level;
        }

        if (model && ngx_webrtc_bits_flag(b)) {
            ngx_webrtc_bits_skip(b, delay_bits * 2 + 1);
        }

        if (display && ngx_webrtc_bits_flag(b)) {
            ngx_webrtc_bits_skip(b, 4);
        }
    }
}


size_t
ngx_webrtc_obu_leb128_size(uint64_t v)
{
    size_t  n;

    for (n = 1; v > 0x7f; n++) {
        v >>= 7;
    }

    return n;
}


u_char *
ngx_webrtc_obu_leb128_write(u_char *p, uint64_t v)
{
    while (v > 0x7f) {
        *p++ = (u_char) (v | 0x80);
        v >>= 7;
    }

    *p++ = (u_char) v;

    return p;
}
