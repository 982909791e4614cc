
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Words and numbers of SDP: see ngx_webrtc_sdp_text.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp_text.h>


u_char *
ngx_webrtc_sdp_read_token(u_char *p, u_char *end, ngx_str_t *token)
{
    if (p == NULL) {
        return NULL;
    }

    while (p < end && *p == ' ') {
        p++;
    }

    token->data = p;

    while (p < end && *p != ' ') {
        p++;
    }

    token->len = p - token->data;

    return token->len ? p : NULL;
}


u_char *
ngx_webrtc_sdp_read_number(u_char *p, u_char *end, uint64_t max, uint64_t *v)
{
    u_char    *start;
    uint64_t   n, digit;

    if (p == NULL) {
        return NULL;
    }

    while (p < end && *p == ' ') {
        p++;
    }

    start = p;
    n = 0;

    for ( /* void */ ; p < end && *p >= '0' && *p <= '9'; p++) {
        digit = *p - '0';

        if (n > max / 10 || n * 10 > max - digit) {
            return NULL;
        }

        n = n * 10 + digit;
    }

    if (p == start) {
        return NULL;
    }

    *v = n;

    return p;
}


ngx_uint_t
ngx_webrtc_sdp_word(const ngx_webrtc_sdp_word_t *words, const ngx_str_t *name,
    ngx_uint_t def)
{
    for ( /* void */ ; words->name.len != 0; words++) {

        if (words->name.len == name->len
            && ngx_strncasecmp(words->name.data, name->data, name->len) == 0)
        {
            return words->value;
        }
    }

    return def;
}


u_char *
ngx_webrtc_sdp_printf(u_char *p, u_char *end, const char *fmt, ...)
{
    va_list  args;

    if (p == NULL) {
        return NULL;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(p, end, fmt, args);
    va_end(args);

    return (p == end) ? NULL : p;
}


ngx_uint_t
ngx_webrtc_sdp_control(const u_char *p, const u_char *end)
{
    for ( /* void */ ; p < end; p++) {
        if ((*p < ' ' && *p != '\t') || *p == 0x7f) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_webrtc_sdp_visible(const u_char *p, const u_char *end)
{
    for ( /* void */ ; p < end; p++) {
        if (*p <= ' ' || *p >= 0x7f) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_sdp_same(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}
