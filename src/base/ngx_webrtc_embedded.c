
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * IPv4 in IPv6: see ngx_webrtc_embedded.h.  Not covered: 64:ff9b:1::/48
 * (RFC 8215), which may hold IPv4 in any of six ways and is entirely for
 * private use, and prefixes that a provider chooses (6rd, other NAT64).
 */


#include "ngx_webrtc_embedded.h"


#define NGX_WEBRTC_EMBEDDED_96                                                \
    { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }


const ngx_webrtc_embedded_form_t
    ngx_webrtc_embedded_forms[NGX_WEBRTC_EMBEDDED_FORMS] =
{
    /* IPv4-mapped, RFC 4291, 2.5.5.2 */
    { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff },
      NGX_WEBRTC_EMBEDDED_96, 12, 0, 0 },

    /* IPv4-translated, RFC 2765, 2.1 */
    { { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff },
      NGX_WEBRTC_EMBEDDED_96, 12, 0, 0 },

    /* NAT64 with the well-known prefix, RFC 6052, 2.1 */
    { { 0, 0x64, 0xff, 0x9b },
      NGX_WEBRTC_EMBEDDED_96, 12, 0, 0 },

    /* 6to4, RFC 3056, 2 */
    { { 0x20, 0x02 }, { 0xff, 0xff }, 2, 0, 0 },

    /* ISATAP behind any prefix, whatever its "u" bit, RFC 5214, 6.1 */
    { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5e, 0xfe },
      { 0, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0xff, 0xff, 0xff }, 12, 0, 1 },

    /* Teredo: the server, and the client with its bits inverted; RFC 4380,
     * 4 */
    { { 0x20, 0x01 }, { 0xff, 0xff, 0xff, 0xff }, 4, 0, 0 },
    { { 0x20, 0x01 }, { 0xff, 0xff, 0xff, 0xff }, 12, 0xffffffff, 1 }
};


ngx_uint_t
ngx_webrtc_embedded(const u_char *addr, uint32_t inet[NGX_WEBRTC_EMBEDDED])
{
    uint32_t                           held[NGX_WEBRTC_EMBEDDED];
    ngx_uint_t                         i, j, n, taken;
    const ngx_webrtc_embedded_form_t  *f;

    taken = 0;

    for (i = 0; i < NGX_WEBRTC_EMBEDDED_FORMS; i++) {
        f = &ngx_webrtc_embedded_forms[i];

        for (j = 0; j < 16; j++) {
            if ((addr[j] & f->mask[j]) != f->addr[j]) {
                break;
            }
        }

        if (j < 16) {
            continue;
        }

        ngx_memcpy(&held[f->place], addr + f->at, 4);
        held[f->place] ^= f->flip;
        taken |= (ngx_uint_t) 1 << f->place;
    }

    for (n = 0, i = 0; i < NGX_WEBRTC_EMBEDDED; i++) {
        if (taken & ((ngx_uint_t) 1 << i)) {
            inet[n++] = held[i];
        }
    }

    return n;
}
