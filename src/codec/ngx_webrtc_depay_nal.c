
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Aggregation packets and parameter sets: see ngx_webrtc_depay_nal.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_depay_nal.h"


static ngx_int_t ngx_webrtc_depay_nal_whole(u_char *p, u_char *end,
    size_t header);


ngx_int_t
ngx_webrtc_depay_nal_aggregate(ngx_webrtc_depay_t *d, u_char *p, u_char *end,
    size_t header, ngx_webrtc_depay_nal_pt nal, ngx_uint_t needed,
    ngx_webrtc_depay_kind_t *kind)
{
    size_t      len;
    ngx_uint_t  sets;

    if (ngx_webrtc_depay_nal_whole(p, end, header) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (sets = 0; p < end; p += len) {
        len = (p[0] << 8) | p[1];
        p += 2;

        sets |= nal(d, p, len, kind);
    }

    kind->whole = (sets == needed);

    return NGX_OK;
}


void
ngx_webrtc_depay_nal_kept(ngx_int_t rc, ngx_webrtc_depay_kind_t *kind)
{
    if (rc == NGX_DECLINED) {
        /* passed on as it is */
        kind->other = 1;
        return;
    }

    kind->sets = 1;

    if (rc == NGX_OK) {
        kind->fresh = 1;
    }
}


size_t
ngx_webrtc_depay_nal_prefix(ngx_webrtc_depay_t *d, ngx_uint_t *next,
    u_char *buf, size_t size, size_t header)
{
    size_t               used;
    ngx_uint_t           i, k;
    ngx_webrtc_param_t  *set;

    used = header;

    for (i = *next; i < d->params.n; i++) {
        set = &d->params.sets[i];

        if (used + 2 + set->size > size) {
            break;
        }

        used += 2 + set->size;
    }

    if (i == *next) {
        return 0;
    }

    if (i == *next + 1) {
        set = &d->params.sets[*next];
        *next = i;

        ngx_memcpy(buf, d->params.data + set->offset, set->size);

        return set->size;
    }

    buf += header;

    for (k = *next; k < i; k++) {
        set = &d->params.sets[k];

        *buf++ = (u_char) (set->size >> 8);
        *buf++ = (u_char) set->size;

        buf = ngx_cpymem(buf, d->params.data + set->offset, set->size);
    }

    *next = i;

    return used;
}


/* whether the NAL units of an aggregation packet are whole */

static ngx_int_t
ngx_webrtc_depay_nal_whole(u_char *p, u_char *end, size_t header)
{
    uint16_t  len;

    if (p == end) {
        return NGX_DECLINED;
    }

    while (p < end) {
        p = ngx_webrtc_read_u16(p, end, &len);

        if (p == NULL || len < header) {
            return NGX_DECLINED;
        }

        p = ngx_webrtc_skip(p, end, len);

        if (p == NULL) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}
