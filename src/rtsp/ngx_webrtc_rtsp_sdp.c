
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Descriptions of what is published by RTSP.  The contracts are in the header;
 * section numbers are those of RFC 8866.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_rtsp_message.h"
#include "ngx_webrtc_rtsp_sdp.h"


/* RFC 3551, 6: types whose codec is told by "rtpmap" */
#define NGX_WEBRTC_RTSP_SDP_DYNAMIC  96
#define NGX_WEBRTC_RTSP_SDP_TYPES    128


/* type: that the name always has, or none: 128 */
typedef struct {
    ngx_str_t    name;
    ngx_uint_t   type;
} ngx_webrtc_rtsp_sdp_codec_t;


static ngx_int_t ngx_webrtc_rtsp_sdp_media(ngx_str_t *line,
    ngx_webrtc_rtsp_track_t *t);
static void ngx_webrtc_rtsp_sdp_attribute(ngx_str_t *line,
    ngx_webrtc_rtsp_track_t *t);
static ngx_uint_t ngx_webrtc_rtsp_sdp_format(ngx_str_t *line, const char *name,
    ngx_webrtc_rtsp_track_t *t, size_t max, ngx_str_t *to);
static void ngx_webrtc_rtsp_sdp_word(ngx_str_t *s, ngx_str_t *word);
static ngx_uint_t ngx_webrtc_rtsp_sdp_plain(ngx_str_t *s);
static void ngx_webrtc_rtsp_sdp_usable(ngx_webrtc_rtsp_track_t *tracks,
    ngx_uint_t n);
static ngx_uint_t ngx_webrtc_rtsp_sdp_known(ngx_webrtc_rtsp_track_t *t);
static size_t ngx_webrtc_rtsp_sdp_tail(ngx_str_t *path, ngx_str_t *control);


/* what is read: libavformat knows more, which nobody has looked at for long */

static const ngx_webrtc_rtsp_sdp_codec_t  ngx_webrtc_rtsp_sdp_codecs[] = {

    { ngx_string("H264"), 128 },
    { ngx_string("H265"), 128 },
    { ngx_string("VP8"), 128 },
    { ngx_string("VP9"), 128 },
    { ngx_string("AV1"), 128 },
    { ngx_string("MP4V-ES"), 128 },
    { ngx_string("JPEG"), 26 },
    { ngx_string("MPV"), 32 },
    { ngx_string("MPEG4-GENERIC"), 128 },
    { ngx_string("MP4A-LATM"), 128 },
    { ngx_string("MPA"), 14 },
    { ngx_string("opus"), 128 },
    { ngx_string("PCMU"), 0 },
    { ngx_string("PCMA"), 8 },
    { ngx_string("G722"), 9 },
    { ngx_string("L16"), 10 },
    { ngx_string("L16"), 11 },
    { ngx_string("AC3"), 128 },

    { ngx_null_string, 0 }
};


ngx_int_t
ngx_webrtc_rtsp_sdp_parse(ngx_str_t *sdp, ngx_webrtc_rtsp_track_t *tracks,
    ngx_uint_t *n)
{
    u_char                   *p, *last;
    ngx_str_t                 line;
    ngx_uint_t                i;
    ngx_webrtc_rtsp_track_t  *t;

    *n = 0;
    t = NULL;
    last = sdp->data + sdp->len;

    for (p = sdp->data; p < last; p++) {

        line.data = p;

        while (p < last && *p != LF) {
            p++;
        }

        line.len = p - line.data;

        if (line.len && line.data[line.len - 1] == CR) {
            line.len--;
        }

        if (line.len < 2 || line.data[1] != '='
            || !ngx_webrtc_rtsp_sdp_plain(&line))
        {
            continue;
        }

        if (line.data[0] == 'm') {

            if (*n == NGX_WEBRTC_RTSP_TRACKS) {
                return NGX_DECLINED;
            }

            t = &tracks[(*n)++];
            ngx_memzero(t, sizeof(ngx_webrtc_rtsp_track_t));

            if (ngx_webrtc_rtsp_sdp_media(&line, t) != NGX_OK) {
                ngx_str_null(&t->media);
            }

        } else if (line.data[0] == 'a' && t) {
            ngx_webrtc_rtsp_sdp_attribute(&line, t);
        }
    }

    ngx_webrtc_rtsp_sdp_usable(tracks, *n);

    for (i = 0; i < *n; i++) {
        if (tracks[i].usable) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* 5.14: "m=video 0 RTP/AVP 96": the first type is the one that comes */

static ngx_int_t
ngx_webrtc_rtsp_sdp_media(ngx_str_t *line, ngx_webrtc_rtsp_track_t *t)
{
    ngx_int_t  pt;
    ngx_str_t  s, port, proto, type;

    s.data = line->data + 2;
    s.len = line->len - 2;

    ngx_webrtc_rtsp_sdp_word(&s, &t->media);
    ngx_webrtc_rtsp_sdp_word(&s, &port);
    ngx_webrtc_rtsp_sdp_word(&s, &proto);
    ngx_webrtc_rtsp_sdp_word(&s, &type);

    pt = ngx_atoi(type.data, type.len);

    if (pt == NGX_ERROR || pt >= NGX_WEBRTC_RTSP_SDP_TYPES
        || !ngx_webrtc_rtsp_message_begins(&proto, "RTP/AVP"))
    {
        return NGX_DECLINED;
    }

    t->pt = (uint8_t) pt;

    return NGX_OK;
}


static void
ngx_webrtc_rtsp_sdp_attribute(ngx_str_t *line, ngx_webrtc_rtsp_track_t *t)
{
    size_t  n;

    n = sizeof("a=control:") - 1;

    if (ngx_webrtc_rtsp_message_begins(line, "a=control:")) {
        t->control.data = line->data + n;
        t->control.len = line->len - n;

        while (t->control.len && t->control.data[0] == ' ') {
            t->control.data++;
            t->control.len--;
        }

        return;
    }

    if (!ngx_webrtc_rtsp_sdp_format(line, "a=rtpmap:", t,
                                    NGX_WEBRTC_RTSP_RTPMAP, &t->rtpmap))
    {
        (void) ngx_webrtc_rtsp_sdp_format(line, "a=fmtp:", t,
                                          NGX_WEBRTC_RTSP_FMTP, &t->fmtp);
    }
}


/* 6.6, 6.15: of the track's type only */

static ngx_uint_t
ngx_webrtc_rtsp_sdp_format(ngx_str_t *line, const char *name,
    ngx_webrtc_rtsp_track_t *t, size_t max, ngx_str_t *to)
{
    size_t     n;
    ngx_str_t  s, type;

    if (!ngx_webrtc_rtsp_message_begins(line, name)) {
        return 0;
    }

    n = ngx_strlen(name);

    s.data = line->data + n;
    s.len = line->len - n;

    ngx_webrtc_rtsp_sdp_word(&s, &type);

    if (ngx_atoi(type.data, type.len) == t->pt && to->len == 0
        && s.len <= max)
    {
        *to = s;
    }

    return 1;
}


static void
ngx_webrtc_rtsp_sdp_word(ngx_str_t *s, ngx_str_t *word)
{
    while (s->len && s->data[0] == ' ') {
        s->data++;
        s->len--;
    }

    word->data = s->data;

    while (s->len && s->data[0] != ' ') {
        s->data++;
        s->len--;
    }

    word->len = s->data - word->data;

    while (s->len && s->data[0] == ' ') {
        s->data++;
        s->len--;
    }
}


static ngx_uint_t
ngx_webrtc_rtsp_sdp_plain(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < ' ' || s->data[i] >= 0x7f) {
            return 0;
        }
    }

    return 1;
}


/*
 * A codec is told by its name or by a type that has always been the same.
 * What has a name gets a type of its own: two tracks may have the same.
 */

static void
ngx_webrtc_rtsp_sdp_usable(ngx_webrtc_rtsp_track_t *tracks, ngx_uint_t n)
{
    ngx_uint_t                i, j;
    ngx_webrtc_rtsp_track_t  *t;

    for (i = 0; i < n; i++) {
        t = &tracks[i];

        t->usable = (t->media.len == 5
                     && (ngx_strncasecmp(t->media.data, (u_char *) "video", 5)
                         == 0
                         || ngx_strncasecmp(t->media.data, (u_char *) "audio",
                                            5)
                            == 0)
                     && ngx_webrtc_rtsp_sdp_known(t));

        if (t->rtpmap.len) {
            t->our_pt = (uint8_t) (NGX_WEBRTC_RTSP_SDP_DYNAMIC + i);
            continue;
        }

        t->our_pt = t->pt;

        for (j = 0; j < i; j++) {
            t->usable &= (tracks[j].our_pt != t->our_pt);
        }
    }
}


/* by the name in "rtpmap", up to the clock rate; or by a type without one */

static ngx_uint_t
ngx_webrtc_rtsp_sdp_known(ngx_webrtc_rtsp_track_t *t)
{
    size_t  n;

    const ngx_webrtc_rtsp_sdp_codec_t  *codec;

    for (n = 0; n < t->rtpmap.len; n++) {
        if (t->rtpmap.data[n] == '/' || t->rtpmap.data[n] == ' ') {
            break;
        }
    }

    for (codec = ngx_webrtc_rtsp_sdp_codecs; codec->name.len; codec++) {

        if (t->rtpmap.len ? (n == codec->name.len
                             && ngx_strncasecmp(t->rtpmap.data,
                                                codec->name.data, n)
                                == 0)
                          : t->pt == codec->type)
        {
            return 1;
        }
    }

    return 0;
}


ngx_webrtc_rtsp_track_t *
ngx_webrtc_rtsp_sdp_find(ngx_webrtc_rtsp_track_t *tracks, ngx_uint_t n,
    ngx_str_t *uri)
{
    size_t                    most, tail;
    u_char                   *query;
    ngx_str_t                 path, plain, control;
    ngx_uint_t                i;
    ngx_webrtc_rtsp_track_t  *t, *found;

    ngx_webrtc_rtsp_message_url(uri, NULL, &path);

    plain = path;
    query = ngx_strlchr(path.data, path.data + path.len, '?');

    if (query) {
        plain.len = query - path.data;
    }

    found = NULL;
    most = 0;

    for (i = 0; i < n; i++) {
        t = &tracks[i];

        if (t->control.len == 0) {
            continue;
        }

        control = t->control;

        if (ngx_webrtc_rtsp_message_begins(&control, "rtsp")) {
            ngx_webrtc_rtsp_message_url(&t->control, NULL, &control);
        }

        tail = ngx_max(ngx_webrtc_rtsp_sdp_tail(&path, &control),
                       ngx_webrtc_rtsp_sdp_tail(&plain, &control));

        if (tail > most || (tail && tail == most && found->set)) {
            most = tail;
            found = t;
        }
    }

    for (i = 0; found == NULL && i < n; i++) {
        t = &tracks[i];

        if (!t->set
            && (t->control.len == 0
                || (t->control.len == 1 && t->control.data[0] == '*')))
        {
            found = t;
        }
    }

    return found;
}


/* the length of control, if path ends in it, as whole parts of a path */

static size_t
ngx_webrtc_rtsp_sdp_tail(ngx_str_t *path, ngx_str_t *control)
{
    u_char  *p;

    if (control->len == 0 || control->len > path->len) {
        return 0;
    }

    p = path->data + path->len - control->len;

    if (ngx_memcmp(p, control->data, control->len) != 0
        || (p > path->data && p[-1] != '/' && p[0] != '/' && p[0] != '?'))
    {
        return 0;
    }

    return control->len;
}


size_t
ngx_webrtc_rtsp_sdp_write(u_char *buf, ngx_webrtc_rtsp_track_t *tracks,
    ngx_uint_t n)
{
    u_char                   *p, *last;
    ngx_uint_t                i, any;
    ngx_webrtc_rtsp_track_t  *t;

    last = buf + NGX_WEBRTC_RTSP_SDP_MAX;
    any = 0;

    p = ngx_slprintf(buf, last, "v=0\r\n"
                                "o=- 0 0 IN IP4 127.0.0.1\r\n"
                                "s=-\r\n"
                                "c=IN IP4 127.0.0.1\r\n"
                                "t=0 0\r\n");

    for (i = 0; i < n; i++) {
        t = &tracks[i];

        if (!t->usable || !t->set) {
            continue;
        }

        any = 1;
        p = ngx_slprintf(p, last, "m=%s 0 RTP/AVP %ui\r\n",
                         (t->media.data[0] | 0x20) == 'v' ? "video" : "audio",
                         (ngx_uint_t) t->our_pt);

        if (t->rtpmap.len) {
            p = ngx_slprintf(p, last, "a=rtpmap:%ui %V\r\n",
                             (ngx_uint_t) t->our_pt, &t->rtpmap);
        }

        if (t->fmtp.len) {
            p = ngx_slprintf(p, last, "a=fmtp:%ui %V\r\n",
                             (ngx_uint_t) t->our_pt, &t->fmtp);
        }

        p = ngx_slprintf(p, last, "a=ssrc:%ui\r\n", i + 1);
    }

    return any ? (size_t) (p - buf) : 0;
}
