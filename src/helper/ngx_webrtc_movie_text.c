
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Subtitles: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_text.h"


/* fields in front of an event's text: order, layer, style, name, three margins,
 * effect */
#define NGX_WEBRTC_MOVIE_TEXT_FIELDS  8

/* ms that a cue is shown that does not say; chosen: a line or two */
#define NGX_WEBRTC_MOVIE_TEXT_SHOWN   4000

/* ms; chosen: a line that stays for a whole scene */
#define NGX_WEBRTC_MOVIE_TEXT_LONGEST 600000


static ngx_int_t ngx_webrtc_movie_text_begin(ngx_webrtc_movie_text_t *text,
    const AVCodecParameters *par, AVRational tb);
static u_char *ngx_webrtc_movie_text_time(u_char *p, u_char *last,
    int64_t ms);
static u_char *ngx_webrtc_movie_text_char(u_char *p, u_char *last, u_char c);


size_t
ngx_webrtc_movie_text_cue(ngx_webrtc_movie_text_t *text,
    const AVCodecParameters *par, AVRational tb, AVPacket *pkt, u_char *buf)
{
    int          got;
    u_char      *p, *last, *begin;
    int64_t      from, to;
    unsigned     i;
    AVSubtitle   sub;

    if (text->in == NULL
        && ngx_webrtc_movie_text_begin(text, par, tb) != NGX_OK)
    {
        return 0;
    }

    if (avcodec_decode_subtitle2(text->in, &sub, &got, pkt) < 0 || !got) {
        return 0;
    }

    from = av_rescale_q(pkt->pts, tb, av_make_q(1, 1000));
    to = pkt->duration > 0 ? av_rescale_q(pkt->duration, tb,
                                          av_make_q(1, 1000))
                           : 0;

    if (to == 0 && sub.end_display_time != UINT32_MAX) {
        to = sub.end_display_time;
    }

    if (to <= 0) {
        to = NGX_WEBRTC_MOVIE_TEXT_SHOWN;
    }

    from = ngx_max(from, 0);
    to = from + ngx_min(to, NGX_WEBRTC_MOVIE_TEXT_LONGEST);

    last = buf + NGX_WEBRTC_MOVIE_TEXT_CUE;

    p = ngx_webrtc_movie_text_time(buf, last, from);
    p = ngx_slprintf(p, last, " --> ");
    p = ngx_webrtc_movie_text_time(p, last, to);
    *p++ = '\n';

    begin = p;

    for (i = 0; i < sub.num_rects; i++) {

        if (sub.rects[i]->ass == NULL) {
            continue;
        }

        if (p > begin && p < last) {
            *p++ = '\n';
        }

        p = ngx_webrtc_movie_text_ass(p, last, sub.rects[i]->ass);
    }

    avsubtitle_free(&sub);

    while (p > begin && p[-1] == '\n') {
        p--;
    }

    return (p > begin) ? (size_t) (p - buf) : 0;
}


static ngx_int_t
ngx_webrtc_movie_text_begin(ngx_webrtc_movie_text_t *text,
    const AVCodecParameters *par, AVRational tb)
{
    const AVCodec  *codec;

    codec = text->failed ? NULL : avcodec_find_decoder(par->codec_id);

    if (codec) {
        text->in = avcodec_alloc_context3(codec);
    }

    if (text->in == NULL
        || avcodec_parameters_to_context(text->in, par) < 0)
    {
        goto failed;
    }

    text->in->pkt_timebase = tb;

    if (avcodec_open2(text->in, codec, NULL) < 0) {
        goto failed;
    }

    return NGX_OK;

failed:

    avcodec_free_context(&text->in);
    text->failed = 1;

    return NGX_ERROR;
}


void
ngx_webrtc_movie_text_end(ngx_webrtc_movie_text_t *text)
{
    avcodec_free_context(&text->in);
}


/* hours may have more than two digits (WebVTT, 4.1) */

static u_char *
ngx_webrtc_movie_text_time(u_char *p, u_char *last, int64_t ms)
{
    return ngx_slprintf(p, last, "%02L:%02L:%02L.%03L", ms / 3600000,
                        ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}


u_char *
ngx_webrtc_movie_text_ass(u_char *p, u_char *last, const char *ass)
{
    u_char      *begin;
    ngx_uint_t   fields;
    const char  *s, *end;

    begin = p;
    s = ass;

    for (fields = 0; *s && fields < NGX_WEBRTC_MOVIE_TEXT_FIELDS; s++) {
        if (*s == ',') {
            fields++;
        }
    }

    while (*s) {

        if (*s == '{') {
            end = strchr(s, '}');

            if (end) {
                s = end + 1;
                continue;
            }
        }

        if (*s == '\\' && (s[1] == 'N' || s[1] == 'n')) {
            s += 2;

        } else if (*s == '\n') {
            s++;

        } else if (*s == '\\' && s[1] == 'h') {
            p = ngx_webrtc_movie_text_char(p, last, ' ');
            s += 2;
            continue;

        } else {
            p = ngx_webrtc_movie_text_char(p, last, (u_char) *s++);
            continue;
        }

        /* a blank line would end the cue */

        if (p > begin && p[-1] != '\n') {
            p = ngx_webrtc_movie_text_char(p, last, '\n');
        }
    }

    return p;
}


static u_char *
ngx_webrtc_movie_text_char(u_char *p, u_char *last, u_char c)
{
    switch (c) {

    case '&':
        return ngx_slprintf(p, last, "&amp;");

    case '<':
        return ngx_slprintf(p, last, "&lt;");

    case '>':
        return ngx_slprintf(p, last, "&gt;");

    case '\r':
        return p;
    }

    if (p < last) {
        *p++ = c;
    }

    return p;
}
