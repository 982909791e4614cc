
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Schemes of targets.
 *
 * WHIP says by SDP what it takes: that is asked of each target.
 *
 * RTMP as all servers speak it has H.264 and AAC.  MPEG-TS has more, but what
 * the world reads is H.264 or H.265, and AAC.  RTSP says by SDP what comes, as
 * WebRTC does.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_url.h"
#include "ngx_webrtc_target.h"
#include "ngx_webrtc_track.h"


#define ngx_webrtc_target_bit(codec)  ((uint32_t) 1 << (codec))

#define NGX_WEBRTC_TARGET_H264  ngx_webrtc_target_bit(NGX_WEBRTC_CODEC_H264)

#define NGX_WEBRTC_TARGET_H26X                                                \
    (NGX_WEBRTC_TARGET_H264|ngx_webrtc_target_bit(NGX_WEBRTC_CODEC_H265))

#define NGX_WEBRTC_TARGET_RTP                                                 \
    (NGX_WEBRTC_TARGET_H26X|ngx_webrtc_target_bit(NGX_WEBRTC_CODEC_VP8))


static const ngx_webrtc_target_t  ngx_webrtc_targets[] = {

    { ngx_string("rtmp"), "flv", "rtmp,tcp", NGX_WEBRTC_TARGET_H264,
      "H.264", 0 },

    { ngx_string("rtmps"), "flv", "rtmps,rtmp,tls,tcp",
      NGX_WEBRTC_TARGET_H264, "H.264", NGX_WEBRTC_TARGET_TLS },

    { ngx_string("srt"), "ts-aac", "srt", NGX_WEBRTC_TARGET_H26X,
      "H.264 and H.265", 0 },

    { ngx_string("udp"), "ts-aac", "udp", NGX_WEBRTC_TARGET_H26X,
      "H.264 and H.265", 0 },

    { ngx_string("tcp"), "ts-aac", "tcp", NGX_WEBRTC_TARGET_H26X,
      "H.264 and H.265", 0 },

    { ngx_string("rtsp"), "rtsp", "rtp,udp,tcp", NGX_WEBRTC_TARGET_RTP,
      "H.264, H.265 and VP8", NGX_WEBRTC_TARGET_RTSP },

    { ngx_string("rtsps"), "rtsp", "rtp,udp,tcp,tls", NGX_WEBRTC_TARGET_RTP,
      "H.264, H.265 and VP8", NGX_WEBRTC_TARGET_RTSP|NGX_WEBRTC_TARGET_TLS },

    { ngx_string("whip"), NULL, NULL, 0, NULL, NGX_WEBRTC_TARGET_WHIP },

    { ngx_string("whips"), NULL, NULL, 0, NULL,
      NGX_WEBRTC_TARGET_WHIP|NGX_WEBRTC_TARGET_TLS },

    { ngx_null_string, NULL, NULL, 0, NULL, 0 }
};


static void ngx_webrtc_target_http(ngx_str_t *url, u_char *buf);


const ngx_webrtc_target_t *
ngx_webrtc_target(const ngx_str_t *url)
{
    size_t                      n;
    const ngx_webrtc_target_t  *target;

    for (target = ngx_webrtc_targets; target->name.len; target++) {
        n = target->name.len;

        if (url->len > n && url->data[n] == ':'
            && ngx_strncasecmp(url->data, target->name.data, n) == 0)
        {
            return target;
        }
    }

    return NULL;
}


ngx_int_t
ngx_webrtc_target_check(ngx_str_t *prefix, ngx_str_t *url, const char **cause)
{
    ngx_str_t                   p, u;
    const ngx_webrtc_target_t  *target;
    u_char                      pbuf[NGX_WEBRTC_SOURCE_URL_MAX];
    u_char                      ubuf[NGX_WEBRTC_SOURCE_URL_MAX];

    target = ngx_webrtc_target(prefix);

    if (target == NULL) {
        *cause = "no scheme that can be pushed to, or it depends on a variable";
        return NGX_DECLINED;
    }

    if (!(target->flags & NGX_WEBRTC_TARGET_WHIP)) {
        return ngx_webrtc_source_url_check(prefix, url, cause);
    }

    if (ngx_max(prefix->len, url->len) > NGX_WEBRTC_SOURCE_URL_MAX) {
        *cause = "too long";
        return NGX_DECLINED;
    }

    p = *prefix;
    u = *url;

    ngx_webrtc_target_http(&p, pbuf);
    ngx_webrtc_target_http(&u, ubuf);

    return ngx_webrtc_source_url_check(&p, &u, cause);
}


/* "whip" is as long a word as "http", which it stands for */

static void
ngx_webrtc_target_http(ngx_str_t *url, u_char *buf)
{
    ngx_memcpy(buf, url->data, url->len);
    ngx_memcpy(buf, "http", ngx_min(url->len, 4));

    url->data = buf;
}


ngx_int_t
ngx_webrtc_target_check_prefix(ngx_str_t *prefix, ngx_uint_t whole,
    const char **cause)
{
    u_char                     *p, *last, buf[NGX_WEBRTC_SOURCE_URL_MAX];
    ngx_str_t                   text;
    const ngx_webrtc_target_t  *target;

    target = ngx_webrtc_target(prefix);

    if (target == NULL && prefix->len
        && (prefix->data[0] == '/'
            || (prefix->len > 5
                && ngx_strncasecmp(prefix->data, (u_char *) "file:", 5) == 0)))
    {
        *cause = "files are what webrtc_record writes";
        return NGX_DECLINED;
    }

    if (target == NULL) {
        *cause = "no scheme that can be pushed to, or it depends on a variable";
        return NGX_DECLINED;
    }

    text = *prefix;

    if ((target->flags & NGX_WEBRTC_TARGET_WHIP)
        && text.len <= NGX_WEBRTC_SOURCE_URL_MAX)
    {
        ngx_webrtc_target_http(&text, buf);
    }

    if (whole) {
        return ngx_webrtc_source_url_check(&text, &text, cause);
    }

    if (ngx_webrtc_source_url_check_prefix(&text, 0, cause) != NGX_OK) {
        return NGX_DECLINED;
    }

    /* a key goes to nobody but the operator's choice */

    last = text.data + text.len;

    for (p = ngx_strlchr(text.data, last, ':') + 3; p < last; p++) {
        if (*p == '/' || *p == '?') {
            return NGX_OK;
        }
    }

    *cause = "its host depends on a variable";

    return NGX_DECLINED;
}
