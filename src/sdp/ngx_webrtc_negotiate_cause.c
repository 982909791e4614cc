
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Causes of refusals: see ngx_webrtc_negotiate_cause.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_cause.h>
#include <ngx_webrtc_negotiate_codec.h>


static ngx_uint_t ngx_webrtc_negotiate_helper(const ngx_str_t *name);


void
ngx_webrtc_negotiate_malformed(const ngx_webrtc_sdp_error_t *err,
    ngx_webrtc_negotiate_cause_t *cause)
{
    if (err->line != 0) {
        (void) ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           "malformed SDP", err->mline,
                                           "%s (line %ui)", err->cause,
                                           err->line);
        return;
    }

    (void) ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                       "malformed SDP", err->mline, "%s",
                                       err->cause);
}


ngx_int_t
ngx_webrtc_negotiate_refuse(ngx_webrtc_negotiate_cause_t *cause,
    ngx_uint_t kind, const char *title, ngx_int_t mline, const char *fmt, ...)
{
    u_char   *p, *last;
    va_list   args;

    cause->kind = kind;
    cause->title = title;
    cause->mline = mline;
    cause->codec = NGX_WEBRTC_CODEC_NONE;

    va_start(args, fmt);
    last = ngx_vslprintf(cause->detail,
                         cause->detail + NGX_WEBRTC_NEGOTIATE_DETAIL, fmt,
                         args);
    va_end(args);

    cause->len = last - cause->detail;

    for (p = cause->detail; p < last; p++) {
        if (*p < ' ' || *p >= 0x7f) {
            *p = '?';
        }
    }

    return NGX_DECLINED;
}


size_t
ngx_webrtc_negotiate_names(const ngx_webrtc_sdp_media_t *media, u_char *buf)
{
    u_char           *p, *end;
    ngx_uint_t        i, n, pt;
    const ngx_str_t  *name, *other;

    p = buf;
    end = buf + NGX_WEBRTC_NEGOTIATE_NAMES;

    for (i = 0; i < media->ncodecs; i++) {
        name = &media->codecs[i].name;

        if (name->len == 0 || ngx_webrtc_negotiate_helper(name)) {
            continue;
        }

        for (n = 0; n < i; n++) {
            other = &media->codecs[n].name;

            if (other->len == name->len
                && ngx_strncasecmp(other->data, name->data, name->len) == 0)
            {
                break;
            }
        }

        if (n != i) {
            continue;
        }

        p = ngx_slprintf(p, end, "%s%V", (p == buf) ? "" : ", ", name);

        pt = media->codecs[i].pt;

        if (ngx_webrtc_negotiate_clashes(pt)) {
            p = ngx_slprintf(p, end, " (payload type %ui clashes with RTCP)",
                             pt);
        }
    }

    if (p == buf) {
        p = ngx_slprintf(p, end, "none");
    }

    return p - buf;
}


/* 1 if it is a format that carries no media of its own */

static ngx_uint_t
ngx_webrtc_negotiate_helper(const ngx_str_t *name)
{
    const ngx_str_t  *helper;

    static const ngx_str_t  helpers[] = {
        ngx_string("rtx"),
        ngx_string("red"),
        ngx_string("ulpfec"),
        ngx_string("flexfec-03"),
        ngx_string("telephone-event"),
        ngx_string("CN"),
        ngx_null_string
    };

    for (helper = helpers; helper->len != 0; helper++) {
        if (helper->len == name->len
            && ngx_strncasecmp(helper->data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
