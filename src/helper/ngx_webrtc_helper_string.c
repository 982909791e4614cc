
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The few nginx functions that the media process needs, as it is not linked
 * with nginx.  They behave as nginx's headers say.
 *
 * Supported formats are %s, %*s, %V, %c, %%, %Z, and numbers: d, i, D, L, z,
 * P, with u, x, X, a width, and a leading 0.
 */


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a number: 64 bits and a sign */
#define NGX_WEBRTC_HELPER_NUMBER  24


static u_char *ngx_webrtc_helper_put(u_char *p, u_char *last, const void *data,
    size_t n);
static u_char *ngx_webrtc_helper_number(u_char *p, u_char *last,
    uint64_t value, ngx_uint_t negative, u_char type, u_char pad,
    size_t width);
static void ngx_webrtc_helper_crc32(void) __attribute__((constructor));


uint32_t  ngx_crc32_table256[256];


u_char *
ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    buf = ngx_vslprintf(buf, last, fmt, args);
    va_end(args);

    return buf;
}


u_char *
ngx_vslprintf(u_char *buf, u_char *last, const char *fmt, va_list args)
{
    int64_t     value;
    size_t      width, n;
    u_char      type, pad, c;
    ngx_str_t  *v;
    ngx_uint_t  counted;
    const char *s;

    for ( /* void */ ; *fmt && buf < last; fmt++) {

        if (*fmt != '%') {
            *buf++ = (u_char) *fmt;
            continue;
        }

        fmt++;

        type = 'd';
        pad = (*fmt == '0') ? '0' : ' ';
        width = 0;
        counted = 0;

        for ( /* void */ ; *fmt >= '0' && *fmt <= '9'; fmt++) {
            width = width * 10 + (*fmt - '0');
        }

        for ( /* void */ ; *fmt; fmt++) {

            if (*fmt == '*') {
                width = va_arg(args, size_t);
                counted = 1;

            } else if (*fmt == 'u' || *fmt == 'x' || *fmt == 'X') {
                type = (u_char) *fmt;

            } else {
                break;
            }
        }

        switch (*fmt) {

        case 's':
            s = va_arg(args, const char *);
            n = counted ? width : ngx_strlen(s);
            buf = ngx_webrtc_helper_put(buf, last, s, n);
            continue;

        case 'V':
            v = va_arg(args, ngx_str_t *);
            buf = ngx_webrtc_helper_put(buf, last, v->data, v->len);
            continue;

        case 'c':
            c = (u_char) va_arg(args, int);
            *buf++ = c;
            continue;

        case 'Z':
            *buf++ = '\0';
            continue;

        case '%':
            *buf++ = '%';
            continue;

        case 'd':
            value = (type == 'd') ? (int64_t) va_arg(args, int)
                                  : (int64_t) va_arg(args, u_int);
            break;

        case 'D':
            value = (type == 'd') ? (int64_t) va_arg(args, int32_t)
                                  : (int64_t) va_arg(args, uint32_t);
            break;

        case 'P':
            value = va_arg(args, ngx_pid_t);
            break;

        case 'i':
            value = va_arg(args, ngx_int_t);
            break;

        case 'z':
            value = va_arg(args, ssize_t);
            break;

        case 'L':
            value = va_arg(args, int64_t);
            break;

        case '\0':
            return buf;

        default:
            *buf++ = (u_char) *fmt;
            continue;
        }

        n = (type == 'd' && value < 0);

        buf = ngx_webrtc_helper_number(buf, last,
                                       n ? 0 - (uint64_t) value
                                         : (uint64_t) value,
                                       n, type, pad, width);
    }

    return buf;
}


static u_char *
ngx_webrtc_helper_put(u_char *p, u_char *last, const void *data, size_t n)
{
    n = ngx_min(n, (size_t) (last - p));

    return n ? ngx_cpymem(p, data, n) : p;
}


static u_char *
ngx_webrtc_helper_number(u_char *p, u_char *last, uint64_t value,
    ngx_uint_t negative, u_char type, u_char pad, size_t width)
{
    size_t       n;
    u_char       buf[NGX_WEBRTC_HELPER_NUMBER];
    unsigned     base;
    const char  *digits;

    base = (type == 'x' || type == 'X') ? 16 : 10;
    digits = (type == 'X') ? "0123456789ABCDEF" : "0123456789abcdef";

    n = sizeof(buf);

    do {
        buf[--n] = (u_char) digits[value % base];
        value /= base;
    } while (value);

    if (negative) {
        buf[--n] = '-';
    }

    for ( /* void */ ; width > sizeof(buf) - n && p < last; width--) {
        *p++ = pad;
    }

    return ngx_webrtc_helper_put(p, last, buf + n, sizeof(buf) - n);
}


u_char *
ngx_cpystrn(u_char *dst, u_char *src, size_t n)
{
    if (n == 0) {
        return dst;
    }

    while (--n && *src) {
        *dst++ = *src++;
    }

    *dst = '\0';

    return dst;
}


ngx_int_t
ngx_strncasecmp(u_char *s1, u_char *s2, size_t n)
{
    ngx_int_t  c1, c2;

    for ( /* void */ ; n; n--, s1++, s2++) {
        c1 = ngx_tolower(*s1);
        c2 = ngx_tolower(*s2);

        if (c1 != c2 || c1 == 0) {
            return c1 - c2;
        }
    }

    return 0;
}


/* n: the length of s2 less one */

u_char *
ngx_strlcasestrn(u_char *s1, u_char *last, u_char *s2, size_t n)
{
    for ( /* void */ ; (size_t) (last - s1) > n; s1++) {
        if (ngx_strncasecmp(s1, s2, n + 1) == 0) {
            return s1;
        }
    }

    return NULL;
}


ngx_int_t
ngx_atoi(u_char *line, size_t n)
{
    ngx_int_t  value;

    if (n == 0) {
        return NGX_ERROR;
    }

    for (value = 0; n; n--, line++) {

        if (*line < '0' || *line > '9'
            || value > (NGX_MAX_INT_T_VALUE - (*line - '0')) / 10)
        {
            return NGX_ERROR;
        }

        value = value * 10 + (*line - '0');
    }

    return value;
}


ngx_int_t
ngx_hextoi(u_char *line, size_t n)
{
    u_char     c;
    ngx_int_t  value;

    if (n == 0) {
        return NGX_ERROR;
    }

    for (value = 0; n; n--, line++) {

        c = ngx_tolower(*line);

        if (c >= '0' && c <= '9') {
            c -= '0';

        } else if (c >= 'a' && c <= 'f') {
            c -= 'a' - 10;

        } else {
            return NGX_ERROR;
        }

        if (value > (NGX_MAX_INT_T_VALUE - c) / 16) {
            return NGX_ERROR;
        }

        value = value * 16 + c;
    }

    return value;
}


void
ngx_explicit_memzero(void *buf, size_t n)
{
    explicit_bzero(buf, n);
}


/* IEEE 802.3, as ngx_crc32_long() wants it */

static void
ngx_webrtc_helper_crc32(void)
{
    uint32_t    value;
    ngx_uint_t  i, k;

    for (i = 0; i < 256; i++) {
        value = (uint32_t) i;

        for (k = 0; k < 8; k++) {
            value = (value >> 1) ^ ((value & 1) ? 0xedb88320 : 0);
        }

        ngx_crc32_table256[i] = value;
    }
}
