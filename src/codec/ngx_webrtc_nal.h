
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * NAL units in a buffer: the byte stream format (H.264 and H.265, Annex B)
 * and the length-prefixed one of ISO/IEC 14496-15, and a store for parameter
 * sets.  Of the contents of NAL units only SEI is parsed here.
 */


#ifndef _NGX_WEBRTC_NAL_H_INCLUDED_
#define _NGX_WEBRTC_NAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    u_char      *p;
    u_char      *end;
    uint8_t      length_size;     /* 0: Annex B; else 1..4 bytes */
} ngx_webrtc_nal_t;


/*
 * Starts an iteration.
 *
 *   p, n          the access unit; not modified, not owned
 *   length_size   0 for Annex B, else the size of the length field, 1..4
 *
 * In Annex B anything before the first start code is skipped.  A 4-byte length
 * of 1 at the beginning is a start code: no access unit begins with a NAL unit
 * of one byte, and some encoders send Annex B after the avcC of FLV.
 */

void ngx_webrtc_nal_init(ngx_webrtc_nal_t *it, u_char *p, size_t n,
    ngx_uint_t length_size);

/*
 * The next NAL unit that is not empty, without start code, length field and
 * trailing zero bytes (Annex B).
 *
 *   nal, n   where it is inside the buffer; n > 0
 *
 * NGX_OK        *nal and *n set
 * NGX_DONE      no more
 * NGX_DECLINED  a length field points past the end, or is cut; what was
 *               returned before is whole
 */

ngx_int_t ngx_webrtc_nal_next(ngx_webrtc_nal_t *it, u_char **nal, size_t *n);

/*
 * The first 00 00 01 in [p, end), or end.
 */

u_char *ngx_webrtc_nal_start_code(u_char *p, u_char *end);

/*
 * Which SEI messages an SEI NAL unit has: a set of NGX_WEBRTC_SEI_*.
 * Parsing ends at a malformed one.  header: bytes of the NAL unit header (1, or
 * 2 for H.265, where the payload types used here are the same).
 */

#define NGX_WEBRTC_SEI_FILLER    0x01    /* filler payload, 3 */
#define NGX_WEBRTC_SEI_RECOVERY  0x02    /* recovery point, 6 */
#define NGX_WEBRTC_SEI_OTHER     0x04

ngx_uint_t ngx_webrtc_nal_sei(u_char *p, size_t n, size_t header);


/*
 * Parameter sets, the newest of each type and id, in fixed space.  Plain data.
 */

#define NGX_WEBRTC_PARAMS_SIZE  2048   /* bytes; SPS + PPS of cameras and
                                          encoders: under 300 */
#define NGX_WEBRTC_PARAMS_MAX   16     /* parameter sets, chosen as above */

typedef struct {
    uint8_t      type;            /* the caller's; sets are kept in its order */
    uint8_t      id;
    uint16_t     offset;          /* in data */
    uint16_t     size;
} ngx_webrtc_param_t;

typedef struct {
    uint16_t             n;
    uint16_t             used;
    ngx_webrtc_param_t   sets[NGX_WEBRTC_PARAMS_MAX];
    u_char               data[NGX_WEBRTC_PARAMS_SIZE];
} ngx_webrtc_params_t;


void ngx_webrtc_params_clear(ngx_webrtc_params_t *ps);

/*
 * Keeps a copy of a parameter set, replacing one of the same type and id.
 *
 *   type     sorts the sets: lower types first, then lower ids
 *   p, n     the bytes
 *
 * NGX_OK        kept, it differs from what was there
 * NGX_DONE      the same bytes are kept already
 * NGX_DECLINED  no room; the set that was there, if any, is kept
 */

ngx_int_t ngx_webrtc_params_put(ngx_webrtc_params_t *ps, ngx_uint_t type,
    ngx_uint_t id, u_char *p, size_t n);

/* the first set of a type, or NULL */
ngx_webrtc_param_t *ngx_webrtc_params_get(ngx_webrtc_params_t *ps,
    ngx_uint_t type);

/* not zero when a set with exactly these bytes is kept */
ngx_uint_t ngx_webrtc_params_has(ngx_webrtc_params_t *ps, u_char *p, size_t n);


#endif /* _NGX_WEBRTC_NAL_H_INCLUDED_ */
