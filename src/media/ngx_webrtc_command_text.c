
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The words of a command, and the lines that it writes.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_command_text.h"


typedef struct {
    ngx_str_t   name;
    ngx_uint_t  bit;
} ngx_webrtc_command_variable_t;


static u_char *ngx_webrtc_command_variable(u_char *p, u_char *end,
    ngx_str_t *name, ngx_uint_t *bit);
static u_char *ngx_webrtc_command_value(u_char *p, u_char *end, ngx_uint_t bit,
    const ngx_webrtc_command_vars_t *vars);
static void ngx_webrtc_command_line(ngx_webrtc_command_lines_t *lines,
    uint64_t now_ms, ngx_webrtc_command_line_pt handler, void *data);
static size_t ngx_webrtc_command_tidy(u_char *p, size_t n);


static const ngx_webrtc_command_variable_t  ngx_webrtc_command_variables[] = {
    { ngx_string("webrtc_name"), NGX_WEBRTC_COMMAND_NAME },
    { ngx_string("webrtc_video_port"), NGX_WEBRTC_COMMAND_VIDEO },
    { ngx_string("webrtc_audio_port"), NGX_WEBRTC_COMMAND_AUDIO },
    { ngx_string("webrtc_sdp"), NGX_WEBRTC_COMMAND_SDP },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_webrtc_command_word(const ngx_str_t *word, ngx_uint_t *bits,
    ngx_str_t *bad)
{
    u_char      *p, *end;
    ngx_uint_t   bit;

    p = word->data;
    end = p + word->len;

    while (p < end) {

        if (*p != '$') {
            p++;
            continue;
        }

        p = ngx_webrtc_command_variable(p, end, bad, &bit);

        if (bit == 0 && bad->len) {
            return NGX_DECLINED;
        }

        *bits |= bit;
    }

    return NGX_OK;
}


/*
 * p is at a "$".  The end of it; name is empty if it is no variable, and bit 0
 * if it is none of ours.
 */

static u_char *
ngx_webrtc_command_variable(u_char *p, u_char *end, ngx_str_t *name,
    ngx_uint_t *bit)
{
    u_char                               *start;
    ngx_uint_t                            brace;
    const ngx_webrtc_command_variable_t  *v;

    *bit = 0;

    start = p++;
    brace = (p < end && *p == '{');
    p += brace;

    name->data = p;

    while (p < end
           && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
               || *p == '_'
               || (*p >= '0' && *p <= '9' && p > name->data)))
    {
        p++;
    }

    name->len = p - name->data;

    if (brace) {

        if (p == end || *p != '}' || name->len == 0) {
            /* it is not closed */
            name->data = start;
            name->len = end - start;
            return end;
        }

        p++;
    }

    for (v = ngx_webrtc_command_variables; v->name.len; v++) {

        if (name->len == v->name.len
            && ngx_strncmp(name->data, v->name.data, name->len) == 0)
        {
            *bit = v->bit;
            break;
        }
    }

    return p;
}


ngx_uint_t
ngx_webrtc_command_is_plain(const ngx_str_t *name)
{
    u_char      c;
    ngx_uint_t  i, first;

    if (name->len == 0 || name->data[0] == '-' || name->data[0] == '/') {
        return 0;
    }

    first = 1;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (first && c == '.') {
            return 0;
        }

        first = (c == '/');

        if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
            || (c >= 'A' && c <= 'Z')
            || (c && ngx_strlchr((u_char *) "._-@+~/", (u_char *) "._-@+~/" + 7,
                                 c)))
        {
            continue;
        }

        return 0;
    }

    return 1;
}


ngx_int_t
ngx_webrtc_command_expand(const ngx_str_t *text,
    const ngx_webrtc_command_vars_t *vars, ngx_webrtc_command_argv_t *out)
{
    u_char      *p, *end, *dst, *last;
    ngx_str_t    name;
    ngx_uint_t   bit;

    p = text->data;
    end = p + text->len;

    dst = out->room;
    last = out->room + NGX_WEBRTC_COMMAND_ROOM;

    out->n = 0;

    if (p == end || end[-1] != '\0') {
        return NGX_DECLINED;
    }

    while (p < end) {

        if (out->n == NGX_WEBRTC_COMMAND_WORDS) {
            return NGX_DECLINED;
        }

        out->argv[out->n++] = (char *) dst;

        while (*p) {

            if (dst == last) {
                return NGX_DECLINED;
            }

            if (*p != '$') {
                *dst++ = *p++;
                continue;
            }

            p = ngx_webrtc_command_variable(p, p + ngx_strlen(p), &name, &bit);

            if (bit == 0) {

                if (name.len) {
                    return NGX_DECLINED;
                }

                *dst++ = '$';
                continue;
            }

            dst = ngx_webrtc_command_value(dst, last, bit, vars);
            if (dst == NULL) {
                return NGX_DECLINED;
            }
        }

        if (dst == last) {
            return NGX_DECLINED;
        }

        *dst++ = '\0';
        p++;
    }

    out->argv[out->n] = NULL;

    return NGX_OK;
}


static u_char *
ngx_webrtc_command_value(u_char *p, u_char *end, ngx_uint_t bit,
    const ngx_webrtc_command_vars_t *vars)
{
    u_char            port[NGX_INT_T_LEN];
    const ngx_str_t  *value;
    ngx_str_t         number;

    switch (bit) {

    case NGX_WEBRTC_COMMAND_NAME:
        value = &vars->name;

        if (!ngx_webrtc_command_is_plain(value)) {
            return NULL;
        }

        break;

    case NGX_WEBRTC_COMMAND_SDP:
        value = &vars->sdp;
        break;

    default:
        number.data = port;
        number.len = ngx_sprintf(port, "%ui",
                                 (ngx_uint_t) (bit == NGX_WEBRTC_COMMAND_VIDEO
                                               ? vars->video : vars->audio))
                     - port;
        value = &number;
    }

    if (value->len > (size_t) (end - p)) {
        return NULL;
    }

    return ngx_cpymem(p, value->data, value->len);
}


void
ngx_webrtc_command_lines(ngx_webrtc_command_lines_t *lines, const u_char *p,
    size_t n, uint64_t now_ms, ngx_webrtc_command_line_pt handler, void *data)
{
    size_t  i;

    for (i = 0; i < n; i++) {

        if (p[i] == '\n' || p[i] == '\r') {
            ngx_webrtc_command_line(lines, now_ms, handler, data);

        } else if (lines->n < NGX_WEBRTC_COMMAND_LINE) {
            lines->buf[lines->n++] = p[i] ? p[i] : '?';
        }
    }
}


void
ngx_webrtc_command_lines_end(ngx_webrtc_command_lines_t *lines,
    uint64_t now_ms, ngx_webrtc_command_line_pt handler, void *data)
{
    ngx_webrtc_command_line(lines, now_ms, handler, data);
}


static void
ngx_webrtc_command_line(ngx_webrtc_command_lines_t *lines, uint64_t now_ms,
    ngx_webrtc_command_line_pt handler, void *data)
{
    uint64_t    more;
    ngx_uint_t  left_out;

    lines->n = ngx_webrtc_command_tidy(lines->buf, lines->n);

    if (lines->n == 0) {
        return;
    }

    ngx_memcpy(lines->last, lines->buf, lines->n);
    lines->last_n = lines->n;

    if (lines->filled_ms == 0) {
        lines->filled_ms = now_ms;
        lines->tokens = NGX_WEBRTC_COMMAND_BURST;
    }

    more = (now_ms - lines->filled_ms) * NGX_WEBRTC_COMMAND_RATE / 1000;

    if (more) {
        lines->filled_ms = now_ms;
        lines->tokens = (ngx_uint_t) ngx_min(lines->tokens + more,
                                             NGX_WEBRTC_COMMAND_BURST);
    }

    if (lines->tokens == 0) {
        lines->left_out++;

    } else {
        lines->tokens--;
        left_out = lines->left_out;
        lines->left_out = 0;

        handler(data, lines->buf, lines->n, left_out);
    }

    lines->n = 0;
}


/*
 * Without spaces at the end, and without addresses of memory, as in FFmpeg's
 * "[rtsp @ 0x55e0c8]": the same line is to be the same the next time.
 */

static size_t
ngx_webrtc_command_tidy(u_char *p, size_t n)
{
    size_t  i, k;

    for (i = 0, k = 0; i < n; /* void */ ) {

        if (n - i > 5 && ngx_strncmp(p + i, " @ 0x", 5) == 0) {
            i += 5;

            while (i < n && ((p[i] >= '0' && p[i] <= '9')
                             || (p[i] >= 'a' && p[i] <= 'f')))
            {
                i++;
            }

            continue;
        }

        p[k++] = p[i++];
    }

    while (k && (p[k - 1] == ' ' || p[k - 1] == '\t')) {
        k--;
    }

    return k;
}
