
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Access units in a byte stream: see ngx_webrtc_unit.h.
 *
 * A unit ends at the next picture's first slice, or rather at the NAL units
 * that precede that slice and follow the last slice of this unit.  Any slice
 * after a delimiter (AUD) belongs to another picture, so that a lost first
 * slice does not join two pictures.
 */


#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_h264.h"
#include "ngx_webrtc_h265.h"
#include "ngx_webrtc_unit.h"


/*
 * Bytes of a slice that are looked at, from its header byte: three Exp-Golomb
 * codes of up to 5 bytes each, frame_num, two flags, and emulation prevention
 */
#define NGX_WEBRTC_UNIT_SLICE  24

/* the same of an SPS, without its VUI; chosen: mostly scaling lists */
#define NGX_WEBRTC_UNIT_SPS    512


typedef enum {
    NGX_WEBRTC_UNIT_OTHER = 0,    /* belongs to the picture before it */
    NGX_WEBRTC_UNIT_PREFIX,       /* belongs to the picture behind it */
    NGX_WEBRTC_UNIT_DELIMITER,
    NGX_WEBRTC_UNIT_FIRST,        /* the first slice of a picture */
    NGX_WEBRTC_UNIT_MORE          /* another slice */
} ngx_webrtc_unit_nal_e;


static ngx_webrtc_unit_nal_e ngx_webrtc_unit_kind(ngx_uint_t h265, u_char *nal);
static size_t ngx_webrtc_unit_needs(ngx_webrtc_unit_t *u, u_char *nal,
    ngx_webrtc_unit_nal_e kind);
static ngx_uint_t ngx_webrtc_unit_nal(ngx_webrtc_unit_t *u, u_char *p,
    size_t n, size_t start, size_t nal);
static void ngx_webrtc_unit_sps(ngx_webrtc_unit_t *u, u_char *p, u_char *end);
static ngx_uint_t ngx_webrtc_unit_second_field(ngx_webrtc_unit_t *u,
    u_char *p, u_char *end);
static ngx_uint_t ngx_webrtc_unit_field(ngx_webrtc_unit_t *u, u_char *p,
    u_char *end, uint32_t *frame_num);


void
ngx_webrtc_unit_init(ngx_webrtc_unit_t *u, ngx_uint_t h265)
{
    ngx_memzero(u, sizeof(ngx_webrtc_unit_t));

    u->h265 = (h265 != 0);
}


void
ngx_webrtc_unit_reset(ngx_webrtc_unit_t *u)
{
    u->pos = 0;
    u->any = 0;
    u->begins = 0;
    u->vcl = 0;
    u->has_prefix = 0;
    u->delimiter = 0;
    u->field = 0;
    u->paired = 0;
}


ngx_int_t
ngx_webrtc_unit_next(ngx_webrtc_unit_t *u, u_char *p, size_t n,
    ngx_uint_t last, size_t *len, ngx_uint_t *whole)
{
    size_t                  header, code, start, nal, need;
    ngx_webrtc_unit_nal_e   kind;

    header = u->h265 ? 3 : 2;

    for ( ;; ) {

        code = ngx_webrtc_nal_start_code(p + u->pos, p + n) - p;
        nal = code + 3;

        if (code == n || n - nal < header) {
            break;
        }

        kind = ngx_webrtc_unit_kind(u->h265, p + nal);
        need = ngx_webrtc_unit_needs(u, p + nal, kind);

        if (!last && n - nal < need) {
            break;
        }

        /* the zero_byte in front of a start code belongs to that NAL unit */

        start = (code > 0 && p[code - 1] == 0) ? code - 1 : code;

        if (ngx_webrtc_unit_nal(u, p, n, start, nal)) {

            *len = u->has_prefix ? u->prefix : start;
            *whole = u->begins;

            ngx_webrtc_unit_reset(u);

            return NGX_OK;
        }

        u->pos = nal;
    }

    if (last) {
        *len = n;
        *whole = u->begins && u->vcl;

        ngx_webrtc_unit_reset(u);

        return NGX_DONE;
    }

    /* from the start code, or where one may have begun, on */

    if (code != n) {
        u->pos = code;

    } else if (n > u->pos + 2) {
        u->pos = n - 2;
    }

    return NGX_AGAIN;
}


ngx_uint_t
ngx_webrtc_unit_alone(ngx_webrtc_unit_t *u, u_char *p, size_t n)
{
    size_t      len;
    ngx_uint_t  whole;

    ngx_webrtc_unit_reset(u);

    return ngx_webrtc_unit_next(u, p, n, 1, &len, &whole) == NGX_DONE && whole;
}


ngx_uint_t
ngx_webrtc_unit_begins(ngx_uint_t h265, u_char *p, size_t n)
{
    u_char  *nal;

    nal = ngx_webrtc_nal_start_code(p, p + n) + 3;

    if (nal > p + n || (size_t) (p + n - nal) < (size_t) (h265 ? 3 : 2)) {
        return 0;
    }

    switch (ngx_webrtc_unit_kind(h265, nal)) {

    case NGX_WEBRTC_UNIT_PREFIX:
    case NGX_WEBRTC_UNIT_DELIMITER:
    case NGX_WEBRTC_UNIT_FIRST:
        return 1;

    default:
        return 0;
    }
}


/* there are 2 bytes of it, or 3 of H.265 */

static ngx_webrtc_unit_nal_e
ngx_webrtc_unit_kind(ngx_uint_t h265, u_char *nal)
{
    ngx_uint_t  type;

    if (!h265) {

        switch (ngx_webrtc_h264_type(nal)) {

        case NGX_WEBRTC_H264_SLICE:
        case NGX_WEBRTC_H264_PART_A:
        case NGX_WEBRTC_H264_IDR:
            /* first_mb_in_slice: the code of 0 is a single 1 */
            return (nal[1] & 0x80) ? NGX_WEBRTC_UNIT_FIRST
                                   : NGX_WEBRTC_UNIT_MORE;

        case NGX_WEBRTC_H264_AUD:
            return NGX_WEBRTC_UNIT_DELIMITER;

        case NGX_WEBRTC_H264_SEI:
        case NGX_WEBRTC_H264_SPS:
        case NGX_WEBRTC_H264_PPS:
        case NGX_WEBRTC_H264_SPS_EXT:
        case 14:
        case 15:
        case 16:
        case 17:
        case 18:
            return NGX_WEBRTC_UNIT_PREFIX;

        default:
            return NGX_WEBRTC_UNIT_OTHER;
        }
    }

    if (ngx_webrtc_h265_layer(nal)) {
        return NGX_WEBRTC_UNIT_OTHER;
    }

    type = ngx_webrtc_h265_type(nal);

    if (type <= NGX_WEBRTC_H265_VCL_LAST) {
        /* first_slice_segment_in_pic_flag */
        return (nal[2] & 0x80) ? NGX_WEBRTC_UNIT_FIRST : NGX_WEBRTC_UNIT_MORE;
    }

    if (type == NGX_WEBRTC_H265_AUD) {
        return NGX_WEBRTC_UNIT_DELIMITER;
    }

    if (type <= NGX_WEBRTC_H265_PPS
        || type == NGX_WEBRTC_H265_PREFIX_SEI
        || (type >= 41 && type <= 44)
        || (type >= 48 && type <= 55))
    {
        return NGX_WEBRTC_UNIT_PREFIX;
    }

    return NGX_WEBRTC_UNIT_OTHER;
}


/* bytes of a NAL unit that are needed */

static size_t
ngx_webrtc_unit_needs(ngx_webrtc_unit_t *u, u_char *nal,
    ngx_webrtc_unit_nal_e kind)
{
    if (u->h265) {
        return 3;
    }

    if (kind == NGX_WEBRTC_UNIT_FIRST && u->fields) {
        return NGX_WEBRTC_UNIT_SLICE;
    }

    if (ngx_webrtc_h264_type(nal) == NGX_WEBRTC_H264_SPS) {
        return NGX_WEBRTC_UNIT_SPS;
    }

    return 2;
}


/* not zero: the NAL unit is the next access unit's, or shows its start */

static ngx_uint_t
ngx_webrtc_unit_nal(ngx_webrtc_unit_t *u, u_char *p, size_t n, size_t start,
    size_t nal)
{
    ngx_uint_t              i;
    ngx_webrtc_unit_nal_e   kind;

    kind = ngx_webrtc_unit_kind(u->h265, p + nal);

    if (!u->any) {

        u->any = 1;
        u->begins = (kind != NGX_WEBRTC_UNIT_OTHER
                     && kind != NGX_WEBRTC_UNIT_MORE);

        for (i = 0; i < start; i++) {
            if (p[i] != 0) {
                u->begins = 0;
                break;
            }
        }
    }

    if (!u->begins
        && !u->vcl
        && start != 0
        && kind != NGX_WEBRTC_UNIT_OTHER
        && kind != NGX_WEBRTC_UNIT_MORE)
    {
        /* what precedes it is the rest of another unit */
        return 1;
    }

    switch (kind) {

    case NGX_WEBRTC_UNIT_DELIMITER:
    case NGX_WEBRTC_UNIT_PREFIX:

        if (u->vcl && !u->has_prefix) {
            u->has_prefix = 1;
            u->prefix = start;
        }

        if (kind == NGX_WEBRTC_UNIT_DELIMITER && u->vcl) {
            u->delimiter = 1;
        }

        if (!u->h265 && ngx_webrtc_h264_type(p + nal) == NGX_WEBRTC_H264_SPS) {
            ngx_webrtc_unit_sps(u, p + nal, p + n);
        }

        return 0;

    case NGX_WEBRTC_UNIT_FIRST:
    case NGX_WEBRTC_UNIT_MORE:

        if (u->vcl
            && (kind == NGX_WEBRTC_UNIT_FIRST || u->delimiter)
            && !ngx_webrtc_unit_second_field(u, p + nal, p + n))
        {
            return 1;
        }

        if (!u->vcl && kind == NGX_WEBRTC_UNIT_FIRST) {
            u->field = ngx_webrtc_unit_field(u, p + nal, p + n,
                                             &u->frame_num);
        }

        u->vcl = 1;
        u->has_prefix = 0;
        u->delimiter = 0;

        return 0;

    default:
        return 0;
    }
}


static void
ngx_webrtc_unit_sps(ngx_webrtc_unit_t *u, u_char *p, u_char *end)
{
    u_char                 *next;
    ngx_webrtc_h264_sps_t   sps;

    next = ngx_webrtc_nal_start_code(p, end);

    if (ngx_webrtc_h264_sps(p, next - p, &sps) == NGX_OK) {
        u->fields = !sps.frame_mbs_only;
        u->frame_num_bits = sps.frame_num_bits;
    }
}


/* H.264, 3.30: a complementary field pair shares frame_num */

static ngx_uint_t
ngx_webrtc_unit_second_field(ngx_webrtc_unit_t *u, u_char *p, u_char *end)
{
    uint32_t    frame_num;
    ngx_uint_t  field;

    if (u->h265 || u->field == 0 || u->paired) {
        return 0;
    }

    field = ngx_webrtc_unit_field(u, p, end, &frame_num);

    if (field == 0 || field == u->field || frame_num != u->frame_num) {
        return 0;
    }

    u->paired = 1;

    return 1;
}


/* H.264, 7.3.3: 0: a slice of a frame, 1: of a top field, 2: of a bottom one */

static ngx_uint_t
ngx_webrtc_unit_field(ngx_webrtc_unit_t *u, u_char *p, u_char *end,
    uint32_t *frame_num)
{
    ngx_uint_t         field;
    ngx_webrtc_bits_t  b;

    *frame_num = 0;

    if (u->h265 || !u->fields) {
        return 0;
    }

    ngx_webrtc_bits_init_rbsp(&b, p + 1, end);

    (void) ngx_webrtc_bits_ue(&b);          /* first_mb_in_slice */
    (void) ngx_webrtc_bits_ue(&b);          /* slice_type */
    (void) ngx_webrtc_bits_ue(&b);          /* pic_parameter_set_id */

    /* colour_plane_id is only in 4:4:4, which no viewer shows */

    *frame_num = ngx_webrtc_bits_get(&b, u->frame_num_bits);

    field = ngx_webrtc_bits_flag(&b) ? 1 : 0;

    if (field) {
        field += ngx_webrtc_bits_flag(&b);
    }

    return b.error ? 0 : field;
}
