
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP parser, the values of transport attributes and of mid: see
 * ngx_webrtc_sdp_transport.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp_transport.h>
#include <ngx_webrtc_sdp_text.h>


/* bytes; RFC 8839, 5.4 */
#define NGX_WEBRTC_SDP_MIN_UFRAG    4
#define NGX_WEBRTC_SDP_MAX_UFRAG    256
#define NGX_WEBRTC_SDP_MIN_PWD      22
#define NGX_WEBRTC_SDP_MAX_PWD      256


static const ngx_webrtc_sdp_word_t  ngx_webrtc_sdp_setups[] = {
    { ngx_string("active"), NGX_WEBRTC_SDP_SETUP_ACTIVE },
    { ngx_string("passive"), NGX_WEBRTC_SDP_SETUP_PASSIVE },
    { ngx_string("actpass"), NGX_WEBRTC_SDP_SETUP_ACTPASS },
    { ngx_string("holdconn"), NGX_WEBRTC_SDP_SETUP_HOLDCONN },
    { ngx_null_string, 0 }
};


static const ngx_webrtc_sdp_word_t  ngx_webrtc_sdp_hashes[] = {
    { ngx_string("sha-256"), NGX_WEBRTC_FINGERPRINT_SHA256 },
    { ngx_string("sha-384"), NGX_WEBRTC_FINGERPRINT_SHA384 },
    { ngx_string("sha-512"), NGX_WEBRTC_FINGERPRINT_SHA512 },
    { ngx_null_string, 0 }
};


/* RFC 5888, 4: "mid:<token>" */

const char *
ngx_webrtc_sdp_transport_mid(void *data, u_char *p, u_char *end)
{
    ngx_str_t  *mid;

    mid = data;

    if (p == end || ngx_webrtc_sdp_visible(p, end) != NGX_OK) {
        return "a mid is malformed";
    }

    if (end - p > NGX_WEBRTC_DESC_MID) {
        return "a mid is too long";
    }

    mid->data = p;
    mid->len = end - p;

    return NULL;
}


/*
 * RFC 8839, 5.4.  The length is checked, the alphabet of ice-chars is not:
 * some clients use others.  A colon would make the USERNAME of a check
 * ambiguous (RFC 8445, 7.2.2).
 */

const char *
ngx_webrtc_sdp_transport_ufrag(void *data, u_char *p, u_char *end)
{
    ngx_str_t  *ufrag;

    ufrag = data;

    if (end - p < NGX_WEBRTC_SDP_MIN_UFRAG
        || end - p > NGX_WEBRTC_SDP_MAX_UFRAG
        || ngx_webrtc_sdp_visible(p, end) != NGX_OK
        || ngx_strlchr(p, end, ':') != NULL)
    {
        return "an ice-ufrag is malformed";
    }

    ufrag->data = p;
    ufrag->len = end - p;

    return NULL;
}


const char *
ngx_webrtc_sdp_transport_pwd(void *data, u_char *p, u_char *end)
{
    ngx_str_t  *pwd;

    pwd = data;

    if (end - p < NGX_WEBRTC_SDP_MIN_PWD
        || end - p > NGX_WEBRTC_SDP_MAX_PWD
        || ngx_webrtc_sdp_visible(p, end) != NGX_OK)
    {
        return "an ice-pwd is malformed";
    }

    pwd->data = p;
    pwd->len = end - p;

    return NULL;
}


/* RFC 8122, 5: "<hash function> <fingerprint>" */

const char *
ngx_webrtc_sdp_transport_fingerprint(void *data, u_char *p, u_char *end)
{
    u_char                       bytes[NGX_WEBRTC_DESC_FINGERPRINT];
    ngx_str_t                    hash, text;
    ngx_uint_t                   alg;
    ngx_webrtc_sdp_transport_t  *t;

    t = data;

    p = ngx_webrtc_sdp_read_token(p, end, &hash);
    p = ngx_webrtc_sdp_read_token(p, end, &text);

    if (p == NULL) {
        return "a fingerprint is malformed";
    }

    alg = ngx_webrtc_sdp_word(ngx_webrtc_sdp_hashes, &hash, 0);

    if (alg == 0) {
        t->fingerprint_other = 1;
        return NULL;
    }

    if (ngx_webrtc_sdp_parse_fingerprint(&text, alg, bytes) == 0) {
        return "a fingerprint is malformed";
    }

    /*
     * RFC 8122, 5: several may be given, of different hashes, and one that
     * matches is enough.  SHA-256 is supported everywhere.
     */

    if (t->fingerprint_alg == 0
        || (t->fingerprint_alg != NGX_WEBRTC_FINGERPRINT_SHA256
            && alg == NGX_WEBRTC_FINGERPRINT_SHA256))
    {
        t->fingerprint_alg = (uint8_t) alg;
        t->fingerprint = text;
    }

    return NULL;
}


const char *
ngx_webrtc_sdp_transport_setup(void *data, u_char *p, u_char *end)
{
    ngx_str_t                    word;
    ngx_uint_t                   setup;
    ngx_webrtc_sdp_transport_t  *t;

    t = data;

    word.data = p;
    word.len = end - p;

    setup = ngx_webrtc_sdp_word(ngx_webrtc_sdp_setups, &word,
                                NGX_WEBRTC_SDP_SETUP_NONE);

    if (setup == NGX_WEBRTC_SDP_SETUP_NONE) {
        return "a setup is malformed";
    }

    t->setup = (uint8_t) setup;

    return NULL;
}


size_t
ngx_webrtc_sdp_parse_fingerprint(const ngx_str_t *text, ngx_uint_t alg,
    u_char *out)
{
    size_t      i, n;
    u_char     *p;
    ngx_int_t   byte;

    switch (alg) {

    case NGX_WEBRTC_FINGERPRINT_SHA256:
        n = 32;
        break;

    case NGX_WEBRTC_FINGERPRINT_SHA384:
        n = 48;
        break;

    case NGX_WEBRTC_FINGERPRINT_SHA512:
        n = 64;
        break;

    default:
        return 0;
    }

    /* "AB:CD:...": three characters per byte, except the last one */

    if (text->len != n * 3 - 1) {
        return 0;
    }

    p = text->data;

    for (i = 0; i < n; i++) {
        byte = ngx_hextoi(p, 2);

        if (byte == NGX_ERROR || (i < n - 1 && p[2] != ':')) {
            return 0;
        }

        out[i] = (u_char) byte;
        p += 3;
    }

    return n;
}
