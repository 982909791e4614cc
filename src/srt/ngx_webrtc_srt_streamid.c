
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The streamid of an SRT caller.  The contract is in the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_srt_streamid.h"
#include "ngx_webrtc_uri.h"


typedef struct {
    ngx_str_t  name;       /* r */
    u_char    *args;       /* "key=value&", after one another */
    u_char    *last;       /* their end */
    ngx_uint_t modes;      /* that were said, each once at most */
} ngx_webrtc_srt_streamid_t;


static ngx_int_t ngx_webrtc_srt_streamid_keys(u_char *p, u_char *last,
    ngx_webrtc_srt_streamid_t *sid, ngx_webrtc_srt_request_t *request);
static ngx_int_t ngx_webrtc_srt_streamid_key(ngx_str_t *key, ngx_str_t *value,
    ngx_webrtc_srt_streamid_t *sid, ngx_webrtc_srt_request_t *request);
static ngx_uint_t ngx_webrtc_srt_streamid_word(ngx_str_t *s);
static ngx_uint_t ngx_webrtc_srt_streamid_is(ngx_str_t *s, const char *text);
static ngx_int_t ngx_webrtc_srt_streamid_uri(ngx_webrtc_srt_streamid_t *sid,
    ngx_webrtc_srt_request_t *request);


ngx_int_t
ngx_webrtc_srt_streamid(ngx_str_t *streamid, ngx_webrtc_srt_request_t *request)
{
    u_char                     *p, *last;
    u_char                      args[NGX_WEBRTC_SRT_STREAMID + 1];
    ngx_webrtc_srt_streamid_t   sid;

    ngx_str_null(&request->uri);
    ngx_str_null(&request->host);
    request->refusal = NGX_WEBRTC_SRT_BAD;

    if (streamid->len == 0) {
        request->cause = "it has no streamid, expected the name of a stream";
        return NGX_DECLINED;
    }

    if (streamid->len > NGX_WEBRTC_SRT_STREAMID) {
        request->cause = "its streamid is too long";
        return NGX_DECLINED;
    }

    ngx_memzero(&sid, sizeof(ngx_webrtc_srt_streamid_t));

    sid.args = args;
    sid.last = args;

    p = streamid->data;
    last = p + streamid->len;

    if (streamid->len < 2 || p[0] != '#' || p[1] != '!') {
        sid.name = *streamid;
        return ngx_webrtc_srt_streamid_uri(&sid, request);
    }

    /* "#!" and the form: "::" for keys, and YAML, which nobody sends */

    if (streamid->len < 4 || p[2] != ':' || p[3] != ':') {
        request->cause = "its streamid begins with \"#!\" and not \"#!::\"";
        return NGX_DECLINED;
    }

    if (ngx_webrtc_srt_streamid_keys(p + 4, last, &sid, request) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_webrtc_srt_streamid_uri(&sid, request);
}


static ngx_int_t
ngx_webrtc_srt_streamid_keys(u_char *p, u_char *last,
    ngx_webrtc_srt_streamid_t *sid, ngx_webrtc_srt_request_t *request)
{
    u_char     *end, *eq;
    ngx_str_t   key, value;

    while (p < last) {

        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        if (end == p) {
            p++;
            continue;
        }

        eq = ngx_strlchr(p, end, '=');

        if (eq == NULL) {
            request->cause = "its streamid has a key without a value";
            return NGX_DECLINED;
        }

        key.data = p;
        key.len = eq - p;
        value.data = eq + 1;
        value.len = end - value.data;

        if (ngx_webrtc_srt_streamid_key(&key, &value, sid, request) != NGX_OK) {
            return NGX_DECLINED;
        }

        p = (end < last) ? end + 1 : last;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_srt_streamid_key(ngx_str_t *key, ngx_str_t *value,
    ngx_webrtc_srt_streamid_t *sid, ngx_webrtc_srt_request_t *request)
{
    ngx_uint_t  bit;

    bit = 0;

    if (ngx_webrtc_srt_streamid_is(key, "r")) {
        bit = 1;
        sid->name = *value;

    } else if (ngx_webrtc_srt_streamid_is(key, "h")) {
        bit = 2;
        request->host = *value;

    } else if (ngx_webrtc_srt_streamid_is(key, "m")) {
        bit = 4;

        if (!ngx_webrtc_srt_streamid_is(value, "publish")) {
            request->refusal = NGX_WEBRTC_SRT_MODE;
            request->cause = "it asks for a stream (\"m\" of its streamid), "
                             "and can only publish one here (\"m=publish\")";
            return NGX_DECLINED;
        }

    } else if (ngx_webrtc_srt_streamid_is(key, "t")) {
        bit = 8;

        if (!ngx_webrtc_srt_streamid_is(value, "stream")) {
            request->refusal = NGX_WEBRTC_SRT_MODE;
            request->cause = "what it sends is no stream (\"t\" of its "
                             "streamid)";
            return NGX_DECLINED;
        }
    }

    if (sid->modes & bit) {
        request->cause = "its streamid says something twice";
        return NGX_DECLINED;
    }

    if (bit) {
        sid->modes |= bit;
        return NGX_OK;
    }

    if (!ngx_webrtc_srt_streamid_word(key)) {
        request->cause = "its streamid has a key that is no word";
        return NGX_DECLINED;
    }

    /* no longer than it was: its comma has become "&" */

    sid->last = ngx_cpymem(sid->last, key->data, key->len);
    *sid->last++ = '=';
    sid->last = ngx_cpymem(sid->last, value->data, value->len);
    *sid->last++ = '&';

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_srt_streamid_word(ngx_str_t *s)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '_' || c == '-'))
        {
            return 0;
        }
    }

    return s->len != 0;
}


static ngx_uint_t
ngx_webrtc_srt_streamid_is(ngx_str_t *s, const char *text)
{
    return s->len == ngx_strlen(text)
           && ngx_strncmp(s->data, text, s->len) == 0;
}


static ngx_int_t
ngx_webrtc_srt_streamid_uri(ngx_webrtc_srt_streamid_t *sid,
    ngx_webrtc_srt_request_t *request)
{
    u_char     *p;
    ngx_str_t   before;

    ngx_str_null(&before);

    p = sid->name.len ? ngx_webrtc_uri(request->buf, &before, &sid->name)
                      : NULL;

    if (p == NULL) {
        request->cause = sid->name.len
                         ? "the name of its stream leads elsewhere, or is none"
                         : "its streamid has no name of a stream (\"r\")";
        return NGX_DECLINED;
    }

    request->uri.data = request->buf;

    if (sid->last > sid->args) {

        /* without the last "&" */

        *p = ngx_strlchr(request->buf, p, '?') ? '&' : '?';
        p = ngx_cpymem(p + 1, sid->args, sid->last - 1 - sid->args);
    }

    request->uri.len = p - request->buf;

    return NGX_OK;
}
