
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Bounded big-endian readers and writers.
 *
 * Every function takes the current position and the end of the buffer and
 * returns the position after what it read or wrote, or NULL if that would pass
 * the end.  NULL as the position gives NULL, so calls may be chained and
 * the result checked once:
 *
 *     p = ngx_webrtc_read_u8(p, end, &type);
 *     p = ngx_webrtc_read_u16(p, end, &len);
 *     if (p == NULL) {
 *         return NGX_DECLINED;
 *     }
 *
 * Where a read fails, *v is left as it was: do not use it before the check.
 * No function looks at memory outside [p, end); p <= end is required.
 */


#ifndef _NGX_WEBRTC_CURSOR_H_INCLUDED_
#define _NGX_WEBRTC_CURSOR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* not zero where n bytes may be read or written at p */

#define ngx_webrtc_has(p, end, n)                                             \
    ((p) != NULL && (size_t) (n) <= (size_t) ((end) - (p)))


static ngx_inline u_char *
ngx_webrtc_read_u8(u_char *p, u_char *end, uint8_t *v)
{
    if (!ngx_webrtc_has(p, end, 1)) {
        return NULL;
    }

    *v = p[0];

    return p + 1;
}


static ngx_inline u_char *
ngx_webrtc_read_u16(u_char *p, u_char *end, uint16_t *v)
{
    if (!ngx_webrtc_has(p, end, 2)) {
        return NULL;
    }

    *v = (uint16_t) ((p[0] << 8) | p[1]);

    return p + 2;
}


static ngx_inline u_char *
ngx_webrtc_read_u24(u_char *p, u_char *end, uint32_t *v)
{
    if (!ngx_webrtc_has(p, end, 3)) {
        return NULL;
    }

    *v = ((uint32_t) p[0] << 16) | ((uint32_t) p[1] << 8) | p[2];

    return p + 3;
}


static ngx_inline u_char *
ngx_webrtc_read_u32(u_char *p, u_char *end, uint32_t *v)
{
    if (!ngx_webrtc_has(p, end, 4)) {
        return NULL;
    }

    *v = ((uint32_t) p[0] << 24) | ((uint32_t) p[1] << 16)
         | ((uint32_t) p[2] << 8) | p[3];

    return p + 4;
}


static ngx_inline u_char *
ngx_webrtc_read_u64(u_char *p, u_char *end, uint64_t *v)
{
    ngx_uint_t  i;

    if (!ngx_webrtc_has(p, end, 8)) {
        return NULL;
    }

    *v = 0;

    for (i = 0; i < 8; i++) {
        *v = (*v << 8) | p[i];
    }

    return p + 8;
}


/* the n bytes at p without a copy: *data = p */

static ngx_inline u_char *
ngx_webrtc_read_mem(u_char *p, u_char *end, size_t n, u_char **data)
{
    if (!ngx_webrtc_has(p, end, n)) {
        return NULL;
    }

    *data = p;

    return p + n;
}


static ngx_inline u_char *
ngx_webrtc_skip(u_char *p, u_char *end, size_t n)
{
    if (!ngx_webrtc_has(p, end, n)) {
        return NULL;
    }

    return p + n;
}


static ngx_inline u_char *
ngx_webrtc_write_u8(u_char *p, u_char *end, uint8_t v)
{
    if (!ngx_webrtc_has(p, end, 1)) {
        return NULL;
    }

    p[0] = v;

    return p + 1;
}


static ngx_inline u_char *
ngx_webrtc_write_u16(u_char *p, u_char *end, uint16_t v)
{
    if (!ngx_webrtc_has(p, end, 2)) {
        return NULL;
    }

    p[0] = (u_char) (v >> 8);
    p[1] = (u_char) v;

    return p + 2;
}


/* the low 24 bits of v */

static ngx_inline u_char *
ngx_webrtc_write_u24(u_char *p, u_char *end, uint32_t v)
{
    if (!ngx_webrtc_has(p, end, 3)) {
        return NULL;
    }

    p[0] = (u_char) (v >> 16);
    p[1] = (u_char) (v >> 8);
    p[2] = (u_char) v;

    return p + 3;
}


static ngx_inline u_char *
ngx_webrtc_write_u32(u_char *p, u_char *end, uint32_t v)
{
    if (!ngx_webrtc_has(p, end, 4)) {
        return NULL;
    }

    p[0] = (u_char) (v >> 24);
    p[1] = (u_char) (v >> 16);
    p[2] = (u_char) (v >> 8);
    p[3] = (u_char) v;

    return p + 4;
}


static ngx_inline u_char *
ngx_webrtc_write_u64(u_char *p, u_char *end, uint64_t v)
{
    if (!ngx_webrtc_has(p, end, 8)) {
        return NULL;
    }

    p = ngx_webrtc_write_u32(p, end, (uint32_t) (v >> 32));

    return ngx_webrtc_write_u32(p, end, (uint32_t) v);
}


/* src may be NULL when n is 0; the areas do not overlap */

static ngx_inline u_char *
ngx_webrtc_write_mem(u_char *p, u_char *end, const void *src, size_t n)
{
    if (!ngx_webrtc_has(p, end, n)) {
        return NULL;
    }

    if (n == 0) {
        return p;
    }

    return ngx_cpymem(p, src, n);
}


#endif /* _NGX_WEBRTC_CURSOR_H_INCLUDED_ */
