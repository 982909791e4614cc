
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Legs of plain RTP: text, SDP, description.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_legs.h"


/* RFC 5761, 4: payload types that RTCP packets on the same port look like */
#define NGX_WEBRTC_LEGS_RTCP_FIRST  64
#define NGX_WEBRTC_LEGS_RTCP_LAST   95


static const char  ngx_webrtc_legs_codecs[] =
    "a codec and a payload type from 0 to 63 or 96 to 127, such as "
    "\"video=H264/102\" or \"audio=opus/111\"";

static const char  ngx_webrtc_legs_address[] =
    "a port, or an address of this host with a port, such as \"5004\", "
    "\"192.0.2.1:5004\" or \"[::]:5004\"";


static ngx_int_t ngx_webrtc_legs_pt(const ngx_webrtc_codec_t *codec,
    u_char *p, u_char *end, uint8_t *pt);
static ngx_int_t ngx_webrtc_legs_listen(ngx_webrtc_legs_t *legs,
    const ngx_str_t *word, in_port_t *port);
static ngx_int_t ngx_webrtc_legs_port(u_char *p, size_t n, in_port_t *port);
static ngx_int_t ngx_webrtc_legs_word(ngx_webrtc_legs_t *legs,
    const ngx_str_t *word, in_port_t *audio, const char **cause);
static ngx_int_t ngx_webrtc_legs_ports(ngx_webrtc_legs_t *legs,
    in_port_t port, in_port_t audio, const char **cause);
static u_char *ngx_webrtc_legs_print_from(const ngx_cidr_t *from, u_char *p,
    u_char *end);
static u_char *ngx_webrtc_legs_print_codec(const ngx_webrtc_leg_t *leg,
    const char *name, u_char *p, u_char *end);


void
ngx_webrtc_legs_init(ngx_webrtc_legs_t *legs)
{
    ngx_memzero(legs, sizeof(ngx_webrtc_legs_t));

    legs->addr.u.in.sin_family = AF_INET;
    legs->addr.u.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    legs->addr.len = sizeof(struct sockaddr_in);
}


void
ngx_webrtc_legs_default(ngx_webrtc_legs_t *legs)
{
    ngx_webrtc_leg_t  *video, *audio;

    video = &legs->legs[NGX_WEBRTC_LEG_VIDEO];
    audio = &legs->legs[NGX_WEBRTC_LEG_AUDIO];

    if (video->codec || audio->codec) {
        return;
    }

    video->codec = NGX_WEBRTC_CODEC_H264;
    video->pt = NGX_WEBRTC_LEG_VIDEO_PT;
    audio->codec = NGX_WEBRTC_CODEC_OPUS;
    audio->pt = NGX_WEBRTC_LEG_AUDIO_PT;
}


ngx_int_t
ngx_webrtc_legs_codec(ngx_webrtc_legs_t *legs, const ngx_str_t *word,
    const char **cause)
{
    size_t                     n;
    u_char                    *p, *end, *slash;
    uint8_t                    pt;
    ngx_uint_t                 i, kind;
    ngx_webrtc_leg_t          *leg, *other;
    const ngx_webrtc_codec_t  *codec;

    if (word->len < 6) {
        return NGX_DECLINED;
    }

    if (ngx_strncmp(word->data, "video=", 6) == 0) {
        kind = NGX_WEBRTC_VIDEO;

    } else if (ngx_strncmp(word->data, "audio=", 6) == 0) {
        kind = NGX_WEBRTC_AUDIO;

    } else {
        return NGX_DECLINED;
    }

    i = (kind == NGX_WEBRTC_VIDEO) ? NGX_WEBRTC_LEG_VIDEO
                                   : NGX_WEBRTC_LEG_AUDIO;
    leg = &legs->legs[i];
    other = &legs->legs[NGX_WEBRTC_LEGS - 1 - i];

    *cause = ngx_webrtc_legs_codecs;

    p = word->data + 6;
    end = word->data + word->len;

    slash = ngx_strlchr(p, end, '/');
    n = (slash ? slash : end) - p;

    for (i = 1; i < NGX_WEBRTC_CODEC_N; i++) {
        codec = ngx_webrtc_codec(i);

        if (codec->kind == kind && !codec->wraps && codec->depay
            && codec->name.len == n
            && ngx_strncasecmp(codec->name.data, p, n) == 0)
        {
            break;
        }
    }

    if (i == NGX_WEBRTC_CODEC_N || leg->codec
        || ngx_webrtc_legs_pt(codec, slash, end, &pt) != NGX_OK
        || (other->codec && other->pt == pt))
    {
        return NGX_ERROR;
    }

    leg->codec = (uint8_t) i;
    leg->pt = pt;

    return NGX_OK;
}


/* p is NULL or the slash */

static ngx_int_t
ngx_webrtc_legs_pt(const ngx_webrtc_codec_t *codec, u_char *p, u_char *end,
    uint8_t *pt)
{
    ngx_int_t  n;

    if (p == NULL) {
        *pt = (codec->static_pt >= 0) ? (uint8_t) codec->static_pt
              : (codec->kind == NGX_WEBRTC_VIDEO) ? NGX_WEBRTC_LEG_VIDEO_PT
                                                  : NGX_WEBRTC_LEG_AUDIO_PT;
        return NGX_OK;
    }

    n = ngx_atoi(p + 1, end - p - 1);

    if (n < 0 || n > 127
        || (n >= NGX_WEBRTC_LEGS_RTCP_FIRST
            && n <= NGX_WEBRTC_LEGS_RTCP_LAST))
    {
        return NGX_ERROR;
    }

    *pt = (uint8_t) n;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_legs_parse(ngx_webrtc_legs_t *legs, const ngx_str_t *text,
    ngx_str_t *word, const char **cause)
{
    u_char     *p, *end, *last;
    in_port_t   port, audio;
    ngx_uint_t  n;

    ngx_webrtc_legs_init(legs);

    port = 0;
    audio = 0;
    n = 0;

    last = text->data + text->len;

    for (p = text->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, ' ');
        end = end ? end : last;

        if (end == p) {
            continue;
        }

        word->data = p;
        word->len = end - p;

        if (n++ == 0) {

            if (ngx_webrtc_legs_listen(legs, word, &port) != NGX_OK) {
                *cause = ngx_webrtc_legs_address;
                return NGX_ERROR;
            }

            continue;
        }

        if (ngx_webrtc_legs_word(legs, word, &audio, cause) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_str_null(word);

    if (n == 0) {
        *cause = ngx_webrtc_legs_address;
        return NGX_ERROR;
    }

    ngx_webrtc_legs_default(legs);

    return ngx_webrtc_legs_ports(legs, port, audio, cause);
}


static ngx_int_t
ngx_webrtc_legs_word(ngx_webrtc_legs_t *legs, const ngx_str_t *word,
    in_port_t *audio, const char **cause)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    rc = ngx_webrtc_legs_codec(legs, word, cause);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    *cause = "\"video=codec/type\", \"audio=codec/type\", \"audio_port=port\", "
             "\"rtcp_mux\", \"from=address/bits\" or \"start=always\"";

    if (word->len == 8 && ngx_strncmp(word->data, "rtcp_mux", 8) == 0) {
        legs->mux = 1;
        return NGX_OK;
    }

    if (word->len > 11 && ngx_strncmp(word->data, "audio_port=", 11) == 0) {
        return ngx_webrtc_legs_port(word->data + 11, word->len - 11, audio);
    }

    if (word->len > 5 && ngx_strncmp(word->data, "from=", 5) == 0) {
        value.data = word->data + 5;
        value.len = word->len - 5;

        *cause = "an address or a network of senders, such as "
                 "\"from=192.0.2.7\" or \"from=10.0.0.0/8\"";

        if (ngx_ptocidr(&value, &legs->from) == NGX_ERROR) {
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    return NGX_ERROR;
}


/* "5004", "192.0.2.1:5004", "*:5004", "[::1]:5004" */

static ngx_int_t
ngx_webrtc_legs_listen(ngx_webrtc_legs_t *legs, const ngx_str_t *word,
    in_port_t *port)
{
    size_t     n;
    u_char    *p;
    in_addr_t  addr;

    p = word->data + word->len;

    while (p > word->data && p[-1] != ':') {
        p--;
    }

    if (ngx_webrtc_legs_port(p, word->data + word->len - p, port) != NGX_OK) {
        return NGX_ERROR;
    }

    if (p == word->data) {
        return NGX_OK;
    }

    n = p - word->data - 1;
    p = word->data;

    if (n == 1 && *p == '*') {
        legs->addr.u.in.sin_addr.s_addr = htonl(INADDR_ANY);
        return NGX_OK;
    }

#if (NGX_HAVE_INET6)

    if (n > 2 && *p == '[' && p[n - 1] == ']') {
        ngx_memzero(&legs->addr, sizeof(ngx_webrtc_addr_t));

        legs->addr.u.in6.sin6_family = AF_INET6;
        legs->addr.len = sizeof(struct sockaddr_in6);

        return ngx_inet6_addr(p + 1, n - 2,
                              legs->addr.u.in6.sin6_addr.s6_addr);
    }

#endif

    addr = ngx_inet_addr(p, n);

    if (addr == INADDR_NONE) {
        return NGX_ERROR;
    }

    legs->addr.u.in.sin_addr.s_addr = addr;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_legs_port(u_char *p, size_t n, in_port_t *port)
{
    ngx_int_t  value;

    value = ngx_atoi(p, n);

    if (value < 1 || value > 65535) {
        return NGX_ERROR;
    }

    *port = (in_port_t) value;

    return NGX_OK;
}


/* the first leg is on the port that was named; audio: given, or 0 */

static ngx_int_t
ngx_webrtc_legs_ports(ngx_webrtc_legs_t *legs, in_port_t port,
    in_port_t audio, const char **cause)
{
    ngx_uint_t         i;
    ngx_webrtc_leg_t  *leg;

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &legs->legs[i];

        if (leg->codec == NGX_WEBRTC_CODEC_NONE) {
            continue;
        }

        if (i == NGX_WEBRTC_LEG_AUDIO && audio) {
            port = audio;
        }

        /* the port behind it is for RTCP */

        if (port == 0 || (!legs->mux && port == 65535)) {
            *cause = "ports up to 65534, as RTCP is on the next one";
            return NGX_ERROR;
        }

        leg->port = port;
        port = (port < 65535 - NGX_WEBRTC_LEG_STEP)
               ? port + NGX_WEBRTC_LEG_STEP : 0;
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_legs_sdp(ngx_webrtc_legs_t *legs, u_char *p, u_char *end,
    ngx_webrtc_sdp_t *sdp, const char **cause)
{
    ngx_uint_t                 i, n, k;
    ngx_webrtc_leg_t          *leg;
    ngx_webrtc_sdp_error_t     err;
    ngx_webrtc_sdp_media_t    *m;
    const ngx_webrtc_codec_t  *codec;

    if (ngx_webrtc_sdp_parse(p, end, sdp, &err) != NGX_OK) {
        *cause = err.cause;
        return NGX_DECLINED;
    }

    for (i = 0; i < sdp->nmedia; i++) {
        m = &sdp->media[i];

        k = (m->kind == NGX_WEBRTC_SDP_VIDEO) ? NGX_WEBRTC_LEG_VIDEO
                                              : NGX_WEBRTC_LEG_AUDIO;
        leg = &legs->legs[k];

        if (!m->rtp || leg->codec
            || (m->kind != NGX_WEBRTC_SDP_VIDEO
                && m->kind != NGX_WEBRTC_SDP_AUDIO))
        {
            continue;
        }

        for (n = 0; n < m->ncodecs; n++) {

            codec = ngx_webrtc_codec_find(m->codecs[n].name.data,
                                          m->codecs[n].name.len,
                                          m->codecs[n].clock_rate);

            if (codec && codec->kind == m->kind && !codec->wraps
                && codec->depay)
            {
                leg->codec = codec->codec;
                leg->pt = m->codecs[n].pt;
                leg->port = m->port;

                if (m->rtcp_mux) {
                    legs->mux = 1;
                }

                break;
            }
        }
    }

    if (legs->legs[NGX_WEBRTC_LEG_VIDEO].codec == NGX_WEBRTC_CODEC_NONE
        && legs->legs[NGX_WEBRTC_LEG_AUDIO].codec == NGX_WEBRTC_CODEC_NONE)
    {
        *cause = "no m-line of it has a codec that can be played";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


u_char *
ngx_webrtc_legs_print(const ngx_webrtc_legs_t *legs, u_char *p, u_char *end)
{
    size_t                   n;
    const ngx_webrtc_leg_t  *video, *audio;
    u_char                   addr[NGX_SOCKADDR_STRLEN];

    video = &legs->legs[NGX_WEBRTC_LEG_VIDEO];
    audio = &legs->legs[NGX_WEBRTC_LEG_AUDIO];

    n = ngx_sock_ntop((struct sockaddr *) &legs->addr.u.sa, legs->addr.len,
                      addr, NGX_SOCKADDR_STRLEN, 0);

    p = ngx_slprintf(p, end, (legs->addr.u.sa.sa_family == AF_INET)
                             ? "%*s:%ui" : "[%*s]:%ui", n, addr,
                     (ngx_uint_t) (video->codec ? video->port : audio->port));

    p = ngx_webrtc_legs_print_codec(video, "video", p, end);
    p = ngx_webrtc_legs_print_codec(audio, "audio", p, end);

    if (video->codec && audio->codec) {
        p = ngx_slprintf(p, end, " audio_port=%ui",
                         (ngx_uint_t) audio->port);
    }

    if (legs->mux) {
        p = ngx_slprintf(p, end, " rtcp_mux");
    }

    if (legs->from.family) {
        p = ngx_webrtc_legs_print_from(&legs->from, p, end);
    }

    return (p < end) ? p : NULL;
}


static u_char *
ngx_webrtc_legs_print_from(const ngx_cidr_t *from, u_char *p, u_char *end)
{
    size_t      n;
    u_char     *mask, *addr, text[NGX_INET6_ADDRSTRLEN];
    ngx_uint_t  i, bits, size;

#if (NGX_HAVE_INET6)

    if (from->family == AF_INET6) {
        addr = (u_char *) &from->u.in6.addr;
        mask = (u_char *) &from->u.in6.mask;
        size = 16;

    } else

#endif

    {
        addr = (u_char *) &from->u.in.addr;
        mask = (u_char *) &from->u.in.mask;
        size = 4;
    }

    for (i = 0, bits = 0; i < size * 8; i++) {
        bits += (mask[i / 8] >> (7 - i % 8)) & 1;
    }

    n = ngx_inet_ntop(from->family, addr, text, NGX_INET6_ADDRSTRLEN);

    return ngx_slprintf(p, end, " from=%*s/%ui", n, text, bits);
}


static u_char *
ngx_webrtc_legs_print_codec(const ngx_webrtc_leg_t *leg, const char *name,
    u_char *p, u_char *end)
{
    if (leg->codec == NGX_WEBRTC_CODEC_NONE) {
        return p;
    }

    return ngx_slprintf(p, end, " %s=%V/%ui", name,
                        &ngx_webrtc_codec(leg->codec)->name,
                        (ngx_uint_t) leg->pt);
}


void
ngx_webrtc_legs_desc(const ngx_webrtc_legs_t *legs, ngx_webrtc_desc_t *desc)
{
    ngx_uint_t                 i;
    const ngx_webrtc_leg_t    *leg;
    ngx_webrtc_desc_media_t   *m;
    const ngx_webrtc_codec_t  *codec;

    ngx_memzero(desc, sizeof(ngx_webrtc_desc_t));

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &legs->legs[i];

        if (leg->codec == NGX_WEBRTC_CODEC_NONE) {
            continue;
        }

        codec = ngx_webrtc_codec(leg->codec);
        m = &desc->media[desc->nmedia++];

        m->kind = codec->kind;
        m->codec = leg->codec;
        m->clock_rate = codec->clock_rate;
        m->pt = leg->pt;
        m->rtx_pt = NGX_WEBRTC_DESC_NO_PT;
        m->red_pt = NGX_WEBRTC_DESC_NO_PT;
        m->track = NGX_WEBRTC_DESC_NO_TRACK;
        m->receiving = 1;

        /* in a compound packet: senders without AVPF expect a report first */

        m->fb = NGX_WEBRTC_FB_PLI;
    }
}
