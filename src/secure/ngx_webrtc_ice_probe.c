
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Binding requests of a lite agent, and their answers.  Written here and not
 * with libnice's library, whose agent remembers each request until it has been
 * answered, and holds 200.
 *
 * RFC 8489, 5, 14.3, 14.5, 14.7; RFC 8445, 7.1, 7.2.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ngx_webrtc_ice_probe.h"


#define NGX_WEBRTC_ICE_PROBE_HEADER       20
#define NGX_WEBRTC_ICE_PROBE_COOKIE       0x2112a442

/* RFC 8489, 18.3; RFC 8445, 16.1 */
#define NGX_WEBRTC_ICE_PROBE_USERNAME     0x0006
#define NGX_WEBRTC_ICE_PROBE_INTEGRITY    0x0008
#define NGX_WEBRTC_ICE_PROBE_PRIORITY     0x0024
#define NGX_WEBRTC_ICE_PROBE_FINGERPRINT  0x8028
#define NGX_WEBRTC_ICE_PROBE_CONTROLLED   0x8029
#define NGX_WEBRTC_ICE_PROBE_CONTROLLING  0x802a

/* bytes of a USERNAME: two ufrags of 256 and a colon; RFC 8445, 5.3 */
#define NGX_WEBRTC_ICE_PROBE_NAME         513

/* bytes of a MESSAGE-INTEGRITY */
#define NGX_WEBRTC_ICE_PROBE_MAC          20

/* RFC 8489, 14.7 */
#define NGX_WEBRTC_ICE_PROBE_XOR          0x5354554e

/* RFC 8445, 5.1.2.1 with the recommended values: type preference 110 of a peer
 * reflexive candidate, local preference 65535, component 1 */
#define NGX_WEBRTC_ICE_PROBE_PRFLX        0x6effffff


static u_char *ngx_webrtc_ice_probe_attr(u_char *p, ngx_uint_t type,
    size_t len);
static u_char *ngx_webrtc_ice_probe_u32(u_char *p, uint32_t value);
static ngx_int_t ngx_webrtc_ice_probe_mac(const ngx_str_t *pwd,
    const u_char *p, const u_char *last, u_char *mac);


size_t
ngx_webrtc_ice_probe(const ngx_webrtc_ice_cred_t *cred, const ngx_str_t *pwd,
    const u_char *tid, ngx_uint_t controlling, u_char *buf)
{
    size_t   len;
    u_char  *p;

    /* RFC 8445, 7.2.2: the receiver's ufrag comes first */

    len = cred->remote_ufrag.len + 1 + cred->local_ufrag.len;

    if (len > NGX_WEBRTC_ICE_PROBE_NAME || pwd->len == 0) {
        return 0;
    }

    /* the length in the header is set when it is known */

    p = ngx_webrtc_ice_probe_u32(buf, 0x00010000);
    p = ngx_webrtc_ice_probe_u32(p, NGX_WEBRTC_ICE_PROBE_COOKIE);
    p = ngx_cpymem(p, tid, NGX_WEBRTC_ICE_TID);

    p = ngx_webrtc_ice_probe_attr(p, NGX_WEBRTC_ICE_PROBE_USERNAME, len);
    p = ngx_cpymem(p, cred->remote_ufrag.data, cred->remote_ufrag.len);
    *p++ = ':';
    p = ngx_cpymem(p, cred->local_ufrag.data, cred->local_ufrag.len);

    for ( /* void */ ; len % 4; len++) {
        *p++ = 0;
    }

    p = ngx_webrtc_ice_probe_attr(p, NGX_WEBRTC_ICE_PROBE_PRIORITY, 4);
    p = ngx_webrtc_ice_probe_u32(p, NGX_WEBRTC_ICE_PROBE_PRFLX);

    p = ngx_webrtc_ice_probe_attr(p, controlling
                                     ? NGX_WEBRTC_ICE_PROBE_CONTROLLING
                                     : NGX_WEBRTC_ICE_PROBE_CONTROLLED, 8);
    p = ngx_cpymem(p, tid, 8);

    if (ngx_webrtc_ice_probe_mac(pwd, buf, p, p + 4) != NGX_OK) {
        return 0;
    }

    p = ngx_webrtc_ice_probe_attr(p, NGX_WEBRTC_ICE_PROBE_INTEGRITY,
                                  NGX_WEBRTC_ICE_PROBE_MAC);
    p += NGX_WEBRTC_ICE_PROBE_MAC;

    buf[2] = (u_char) ((p - buf + 8 - NGX_WEBRTC_ICE_PROBE_HEADER) >> 8);
    buf[3] = (u_char) (p - buf + 8 - NGX_WEBRTC_ICE_PROBE_HEADER);

    len = p - buf;

    p = ngx_webrtc_ice_probe_attr(p, NGX_WEBRTC_ICE_PROBE_FINGERPRINT, 4);
    p = ngx_webrtc_ice_probe_u32(p, ngx_crc32_long(buf, len)
                                    ^ NGX_WEBRTC_ICE_PROBE_XOR);

    return p - buf;
}


ngx_int_t
ngx_webrtc_ice_answered(const u_char *p, size_t n, const u_char *tid,
    const ngx_str_t *pwd)
{
    size_t         len;
    ngx_uint_t     type;
    const u_char  *attr, *end;
    u_char         mac[NGX_WEBRTC_ICE_PROBE_MAC];

    if (ngx_webrtc_ice_class(p, n) != NGX_WEBRTC_ICE_RESPONSE
        || pwd->len == 0
        || ngx_memcmp(p + 8, tid, NGX_WEBRTC_ICE_TID) != 0)
    {
        return NGX_DECLINED;
    }

    end = p + n;
    attr = p + NGX_WEBRTC_ICE_PROBE_HEADER;

    while ((size_t) (end - attr) >= 4) {

        type = (attr[0] << 8) | attr[1];
        len = (attr[2] << 8) | attr[3];

        if (len > (size_t) (end - attr - 4)) {
            return NGX_DECLINED;
        }

        if (type == NGX_WEBRTC_ICE_PROBE_INTEGRITY) {

            if (len != NGX_WEBRTC_ICE_PROBE_MAC
                || ngx_webrtc_ice_probe_mac(pwd, p, attr, mac) != NGX_OK
                || CRYPTO_memcmp(mac, attr + 4, NGX_WEBRTC_ICE_PROBE_MAC) != 0)
            {
                return NGX_DECLINED;
            }

            return NGX_OK;
        }

        /* the whole is a multiple of 4, and so is what is left of it */

        attr += 4 + ((len + 3) & ~(size_t) 3);
    }

    return NGX_DECLINED;
}


static u_char *
ngx_webrtc_ice_probe_attr(u_char *p, ngx_uint_t type, size_t len)
{
    return ngx_webrtc_ice_probe_u32(p, (uint32_t) (type << 16 | len));
}


static u_char *
ngx_webrtc_ice_probe_u32(u_char *p, uint32_t value)
{
    *p++ = (u_char) (value >> 24);
    *p++ = (u_char) (value >> 16);
    *p++ = (u_char) (value >> 8);
    *p++ = (u_char) value;

    return p;
}


/*
 * RFC 8489, 14.5: HMAC-SHA1 of all that is in front of the attribute, with the
 * length in the header as if the message ended behind it.
 *
 *   p      the message
 *   last   where the attribute begins, 4-byte aligned
 */

static ngx_int_t
ngx_webrtc_ice_probe_mac(const ngx_str_t *pwd, const u_char *p,
    const u_char *last, u_char *mac)
{
    size_t        len;
    unsigned int  n;
    u_char        buf[NGX_WEBRTC_ICE_MESSAGE];

    len = last - p;

    if (len > sizeof(buf)) {
        return NGX_ERROR;
    }

    ngx_memcpy(buf, p, len);

    n = (unsigned int) (len + 4 + NGX_WEBRTC_ICE_PROBE_MAC
                        - NGX_WEBRTC_ICE_PROBE_HEADER);
    buf[2] = (u_char) (n >> 8);
    buf[3] = (u_char) n;

    if (HMAC(EVP_sha1(), pwd->data, (int) pwd->len, buf, len, mac, &n)
        == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
