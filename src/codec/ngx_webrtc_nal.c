
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * NAL units in a buffer and the store of parameter sets: see
 * ngx_webrtc_nal.h.  H.264 and H.265, Annex B; ISO/IEC 14496-15.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_nal.h"


static ngx_int_t ngx_webrtc_nal_next_annexb(ngx_webrtc_nal_t *it,
    u_char **nal, size_t *n);
static void ngx_webrtc_params_remove(ngx_webrtc_params_t *ps, ngx_uint_t i);


void
ngx_webrtc_nal_init(ngx_webrtc_nal_t *it, u_char *p, size_t n,
    ngx_uint_t length_size)
{
    it->p = p;
    it->end = p + n;
    it->length_size = (uint8_t) length_size;

    if (length_size == 4 && n > 4 && ngx_memcmp(p, "\0\0\0\1", 4) == 0) {
        it->length_size = 0;
    }

    if (it->length_size == 0) {
        it->p = ngx_webrtc_nal_start_code(it->p, it->end);
    }
}


ngx_int_t
ngx_webrtc_nal_next(ngx_webrtc_nal_t *it, u_char **nal, size_t *n)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   i;

    if (it->length_size == 0) {
        return ngx_webrtc_nal_next_annexb(it, nal, n);
    }

    for ( ;; ) {
        p = it->p;

        if (p == it->end) {
            return NGX_DONE;
        }

        if (!ngx_webrtc_has(p, it->end, it->length_size)) {
            return NGX_DECLINED;
        }

        len = 0;

        for (i = 0; i < it->length_size; i++) {
            len = (len << 8) | *p++;
        }

        if (len > (size_t) (it->end - p)) {
            return NGX_DECLINED;
        }

        it->p = p + len;

        if (len) {
            *nal = p;
            *n = len;
            return NGX_OK;
        }
    }
}


static ngx_int_t
ngx_webrtc_nal_next_annexb(ngx_webrtc_nal_t *it, u_char **nal, size_t *n)
{
    u_char  *p, *last;

    for ( ;; ) {

        /* at a start code, or at the end */

        if (it->p == it->end) {
            return NGX_DONE;
        }

        p = it->p + 3;

        it->p = ngx_webrtc_nal_start_code(p, it->end);

        /*
         * trailing_zero_8bits, and the zero_byte of the next start code: a NAL
         * unit does not end with a zero byte (7.4.1)
         */

        for (last = it->p; last != p && last[-1] == 0; last--) { /* void */ }

        if (last != p) {
            *nal = p;
            *n = last - p;
            return NGX_OK;
        }
    }
}


u_char *
ngx_webrtc_nal_start_code(u_char *p, u_char *end)
{
    if (end - p < 3) {
        return end;
    }

    /* p points to the third byte of a possible start code */

    for (p += 2; p < end; /* void */ ) {

        if (*p > 1) {
            p += 3;

        } else if (*p == 0) {
            p++;

        } else if (p[-1] == 0 && p[-2] == 0) {
            return p - 2;

        } else {
            p += 3;
        }
    }

    return end;
}


ngx_uint_t
ngx_webrtc_nal_sei(u_char *p, size_t n, size_t header)
{
    uint32_t           byte;
    ngx_uint_t         kinds, i, v[2];
    ngx_webrtc_bits_t  b;

    if (n < header) {
        return NGX_WEBRTC_SEI_OTHER;
    }

    kinds = 0;

    ngx_webrtc_bits_init_rbsp(&b, p + header, p + n);

    /* H.264, 7.3.2.3.1; before rbsp_trailing_bits there are 2 bytes or more */

    while (b.end - b.p >= 2) {

        for (i = 0; i < 2; i++) {           /* payloadType, payloadSize */
            v[i] = 0;

            do {
                byte = ngx_webrtc_bits_get(&b, 8);
                v[i] += byte;
            } while (byte == 0xff);
        }

        ngx_webrtc_bits_skip(&b, v[1] * 8);

        if (b.error) {
            return kinds | NGX_WEBRTC_SEI_OTHER;
        }

        switch (v[0]) {

        case 3:
            kinds |= NGX_WEBRTC_SEI_FILLER;
            break;

        case 6:
            kinds |= NGX_WEBRTC_SEI_RECOVERY;
            break;

        default:
            kinds |= NGX_WEBRTC_SEI_OTHER;
        }
    }

    return kinds;
}


void
ngx_webrtc_params_clear(ngx_webrtc_params_t *ps)
{
    ps->n = 0;
    ps->used = 0;
}


ngx_int_t
ngx_webrtc_params_put(ngx_webrtc_params_t *ps, ngx_uint_t type, ngx_uint_t id,
    u_char *p, size_t n)
{
    size_t               room;
    ngx_uint_t           i, k;
    ngx_webrtc_param_t  *set;

    set = NULL;

    /* i: where it belongs, k: where the old one is */

    for (i = 0; i < ps->n; i++) {
        set = &ps->sets[i];

        if (set->type > type || (set->type == type && set->id >= id)) {
            break;
        }
    }

    k = (i < ps->n && set->type == type && set->id == id) ? i : ps->n;

    room = NGX_WEBRTC_PARAMS_SIZE - ps->used;

    if (k < ps->n) {

        if (set->size == n && ngx_memcmp(ps->data + set->offset, p, n) == 0) {
            return NGX_DONE;
        }

        room += set->size;

    } else if (ps->n == NGX_WEBRTC_PARAMS_MAX) {
        return NGX_DECLINED;
    }

    if (n > room) {
        return NGX_DECLINED;
    }

    if (k < ps->n) {
        ngx_webrtc_params_remove(ps, k);
    }

    for (k = ps->n; k > i; k--) {
        ps->sets[k] = ps->sets[k - 1];
    }

    set = &ps->sets[i];

    set->type = (uint8_t) type;
    set->id = (uint8_t) id;
    set->offset = ps->used;
    set->size = (uint16_t) n;

    ngx_memcpy(ps->data + ps->used, p, n);

    ps->used += (uint16_t) n;
    ps->n++;

    return NGX_OK;
}


ngx_webrtc_param_t *
ngx_webrtc_params_get(ngx_webrtc_params_t *ps, ngx_uint_t type)
{
    ngx_uint_t  i;

    for (i = 0; i < ps->n; i++) {
        if (ps->sets[i].type == type) {
            return &ps->sets[i];
        }
    }

    return NULL;
}


ngx_uint_t
ngx_webrtc_params_has(ngx_webrtc_params_t *ps, u_char *p, size_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < ps->n; i++) {
        if (ps->sets[i].size == n
            && ngx_memcmp(ps->data + ps->sets[i].offset, p, n) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_webrtc_params_remove(ngx_webrtc_params_t *ps, ngx_uint_t i)
{
    size_t      size, offset;
    ngx_uint_t  k;

    size = ps->sets[i].size;
    offset = ps->sets[i].offset;

    ngx_memmove(ps->data + offset, ps->data + offset + size,
                ps->used - offset - size);

    ps->used -= (uint16_t) size;
    ps->n--;

    for (k = i; k < ps->n; k++) {
        ps->sets[k] = ps->sets[k + 1];
    }

    for (k = 0; k < ps->n; k++) {
        if (ps->sets[k].offset > offset) {
            ps->sets[k].offset -= (uint16_t) size;
        }
    }
}
