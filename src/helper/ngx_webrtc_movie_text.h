
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Subtitles of a movie as cues of WebVTT.  Belongs to one thread.
 */


#ifndef _NGX_WEBRTC_MOVIE_TEXT_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>


/* bytes of a cue; chosen: a screen full of text */
#define NGX_WEBRTC_MOVIE_TEXT_CUE   2048


typedef struct {
    AVCodecContext  *in;
    AVRational       tb;
    unsigned         failed:1;
} ngx_webrtc_movie_text_t;


void ngx_webrtc_movie_text_end(ngx_webrtc_movie_text_t *text);

/*
 * Makes a cue of a packet.
 *
 *   text   zeroed before the first one
 *   par    of the stream, whose times are in tb
 *   buf    NGX_WEBRTC_MOVIE_TEXT_CUE bytes
 *
 * Returns the length of the cue: timing, a line feed, text; 0: there is none
 */
size_t ngx_webrtc_movie_text_cue(ngx_webrtc_movie_text_t *text,
    const AVCodecParameters *par, AVRational tb, AVPacket *pkt, u_char *buf);

/*
 * The text of an event of ASS, as libavcodec decodes all subtitles to, without
 * its commands and blank lines.
 *
 * Returns the end of what was written to [p, last)
 */
u_char *ngx_webrtc_movie_text_ass(u_char *p, u_char *last, const char *ass);


#endif /* _NGX_WEBRTC_MOVIE_TEXT_H_INCLUDED_ */
