
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Names and arguments of streams in segments: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>

#include "ngx_webrtc_hls_name.h"


/* bytes of a directory's name that are the stream's; chosen: with what follows
 * it is no longer than NGX_WEBRTC_HLS_DIR */
#define NGX_WEBRTC_HLS_NAME_STREAM  150


static u_char *ngx_webrtc_hls_name_number(u_char *p, u_char *last,
    ngx_uint_t hex, uint32_t *v);
static u_char *ngx_webrtc_hls_name_text(u_char *p, u_char *last,
    const char *text);


const ngx_str_t  ngx_webrtc_hls_names[NGX_WEBRTC_HLS_TRACKS] = {
    ngx_string("v0"),
    ngx_string("v1"),
    ngx_string("v2"),
    ngx_string("v3"),
    ngx_string("aac"),
    ngx_string("opus")
};


ngx_int_t
ngx_webrtc_hls_name_parse(u_char *p, size_t n, ngx_webrtc_hls_file_t *file)
{
    u_char      *last, *q;
    ngx_uint_t   i;

    ngx_memzero(file, sizeof(ngx_webrtc_hls_file_t));

    last = p + n;
    q = NULL;

    if (ngx_webrtc_hls_name_text(p, last, "index.m3u8") == last) {
        file->kind = NGX_WEBRTC_HLS_FILE_INDEX;
        return NGX_OK;
    }

    if (ngx_webrtc_hls_name_text(p, last, "manifest.mpd") == last) {
        file->kind = NGX_WEBRTC_HLS_FILE_MPD;
        return NGX_OK;
    }

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {

        q = ngx_webrtc_hls_name_text(p, last,
                                     (char *) ngx_webrtc_hls_names[i].data);
        q = ngx_webrtc_hls_name_text(q, last, ".");

        if (q) {
            break;
        }
    }

    if (i == NGX_WEBRTC_HLS_TRACKS) {
        return NGX_DECLINED;
    }

    file->track = i;
    p = q;

    if (ngx_webrtc_hls_name_text(p, last, "m3u8") == last) {
        file->kind = NGX_WEBRTC_HLS_FILE_LIST;
        return NGX_OK;
    }

    p = ngx_webrtc_hls_name_number(p, last, 1, &file->gen);
    p = ngx_webrtc_hls_name_text(p, last, ".");
    p = ngx_webrtc_hls_name_number(p, last, 0, &file->number);
    p = ngx_webrtc_hls_name_text(p, last, ".");

    if (p == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_hls_name_text(p, last, "mp4") == last) {
        file->kind = NGX_WEBRTC_HLS_FILE_HEAD;
        return NGX_OK;
    }

    if (ngx_webrtc_hls_name_text(p, last, "m4s") == last) {
        file->kind = NGX_WEBRTC_HLS_FILE_SEGMENT;
        return NGX_OK;
    }

    p = ngx_webrtc_hls_name_number(p, last, 0, &file->part);

    if (ngx_webrtc_hls_name_text(p, last, ".m4s") == last) {
        file->kind = NGX_WEBRTC_HLS_FILE_PART;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* as it is printed: one way only; behind it, or NULL */

static u_char *
ngx_webrtc_hls_name_number(u_char *p, u_char *last, ngx_uint_t hex,
    uint32_t *v)
{
    u_char      *from, c;
    uint64_t     n;
    ngx_uint_t   digit;

    if (p == NULL) {
        return NULL;
    }

    n = 0;

    for (from = p; p < last; p++) {
        c = *p;

        if (c >= '0' && c <= '9') {
            digit = c - '0';

        } else if (hex && c >= 'a' && c <= 'f') {
            digit = c - 'a' + 10;

        } else {
            break;
        }

        n = n * (hex ? 16 : 10) + digit;

        if (n > UINT32_MAX) {
            return NULL;
        }
    }

    if (p == from
        || (hex && p - from != 8)
        || (!hex && p - from > 1 && *from == '0'))
    {
        return NULL;
    }

    *v = (uint32_t) n;

    return p;
}


static u_char *
ngx_webrtc_hls_name_text(u_char *p, u_char *last, const char *text)
{
    size_t  n;

    n = ngx_strlen(text);

    if (p == NULL || n > (size_t) (last - p) || ngx_memcmp(p, text, n) != 0) {
        return NULL;
    }

    return p + n;
}


u_char *
ngx_webrtc_hls_name_print(u_char *p, u_char *last,
    const ngx_webrtc_hls_file_t *file)
{
    const ngx_str_t  *track;

    track = &ngx_webrtc_hls_names[file->track];

    switch (file->kind) {

    case NGX_WEBRTC_HLS_FILE_LIST:
        return ngx_slprintf(p, last, "%V.m3u8", track);

    case NGX_WEBRTC_HLS_FILE_HEAD:
        return ngx_slprintf(p, last, "%V.%08xD.%uD.mp4", track, file->gen,
                            file->number);

    case NGX_WEBRTC_HLS_FILE_SEGMENT:
        return ngx_slprintf(p, last, "%V.%08xD.%uD.m4s", track, file->gen,
                            file->number);

    default: /* NGX_WEBRTC_HLS_FILE_PART */
        return ngx_slprintf(p, last, "%V.%08xD.%uD.%uD.m4s", track, file->gen,
                            file->number, file->part);
    }
}


ngx_int_t
ngx_webrtc_hls_ask_parse(u_char *p, size_t n, ngx_webrtc_hls_ask_t *ask)
{
    u_char  *last, *end, *q;

    ngx_memzero(ask, sizeof(ngx_webrtc_hls_ask_t));

    for (last = p + n; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        end = end ? end : last;

        q = ngx_webrtc_hls_name_text(p, end, "_HLS_msn=");

        if (q) {
            if (ask->has_msn
                || ngx_webrtc_hls_name_number(q, end, 0, &ask->msn) != end)
            {
                return NGX_DECLINED;
            }

            ask->has_msn = 1;
        }

        q = ngx_webrtc_hls_name_text(p, end, "_HLS_part=");

        if (q) {
            if (ask->has_part
                || ngx_webrtc_hls_name_number(q, end, 0, &ask->part) != end)
            {
                return NGX_DECLINED;
            }

            ask->has_part = 1;
        }

        /* a value that is not known asks for nothing */

        q = ngx_webrtc_hls_name_text(p, end, "_HLS_skip=");

        if (q && (ngx_webrtc_hls_name_text(q, end, "YES") == end
                  || ngx_webrtc_hls_name_text(q, end, "v2") == end))
        {
            ask->skip = 1;
        }
    }

    /* 6.2.5.2: a part is one of a segment that is named */

    return (ask->has_part && !ask->has_msn) ? NGX_DECLINED : NGX_OK;
}


void
ngx_webrtc_hls_name_dir(u_char to[NGX_WEBRTC_HLS_DIR + 1],
    const ngx_str_t *name, uint32_t id)
{
    u_char      *p, *last, c, sum[16];
    ngx_md5_t    md5;
    ngx_uint_t   i;

    p = to;
    last = to + NGX_WEBRTC_HLS_NAME_STREAM;

    for (i = 0; i < name->len && last - p >= 3; i++) {
        c = name->data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9') || c == '_' || c == '-')
        {
            *p++ = c;

        } else {
            p = ngx_sprintf(p, "~%02Xd", (int) c);
        }
    }

    /* one that is cut is told apart by its hash */

    if (i < name->len) {
        ngx_md5_init(&md5);
        ngx_md5_update(&md5, name->data, name->len);
        ngx_md5_final(sum, &md5);

        *p++ = '~';
        p = ngx_hex_dump(p, sum, sizeof(sum));
    }

    *ngx_sprintf(p, "-%08xD", id) = '\0';
}
