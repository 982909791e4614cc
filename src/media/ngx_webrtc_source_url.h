
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Rules for the URLs of sources: which schemes exist, what a part that came
 * from a variable may contain, and what libavformat may open for such a URL.
 * What is disclosed of a URL is in ngx_webrtc_source_mask.h.
 *
 * Pure: no clock, no allocation, no file access.
 */


#ifndef _NGX_WEBRTC_SOURCE_URL_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* chosen: what nginx accepts as one request line argument, and then some */
#define NGX_WEBRTC_SOURCE_URL_MAX    2048

/*
 * Demuxers that a source may use.  Playlists open what they name, so hls is
 * allowed only where that is restricted, see ngx_webrtc_source_reach.h.
 */
#define NGX_WEBRTC_SOURCE_FORMATS                                             \
    "mpegts,flv,live_flv,mov,mp4,matroska,webm,ogg,mp3,aac,wav,ivf,h264,hevc"

/* the scheme names a path in the file system: file:, unix: */
#define NGX_WEBRTC_SOURCE_URL_PATH   0x01
/* what follows '?' are options of libavformat: tcp, udp, unix, srt, rtsp */
#define NGX_WEBRTC_SOURCE_URL_OPTS   0x02
/* read from the disk: played in real time, may be looped */
#define NGX_WEBRTC_SOURCE_URL_FILE   0x04
/* RTMP, RTSP: which of libavformat's options they have */
#define NGX_WEBRTC_SOURCE_URL_RTMP   0x08
#define NGX_WEBRTC_SOURCE_URL_RTSP   0x10
/* no upstream: the worker writes it, to a descriptor */
#define NGX_WEBRTC_SOURCE_URL_GIVEN  0x20

/* the URL of that */
#define NGX_WEBRTC_SOURCE_URL_IS_GIVEN  "given:"


/*
 * What is known about a scheme.  All strings are constants,
 * null-terminated.
 *
 *   name       in lower case, without ':'
 *   format     demuxer to force, or NULL to let libavformat find it
 *   protocols  protocol_whitelist of libavformat
 *   formats    format_whitelist of libavformat
 */
typedef struct {
    ngx_str_t    name;
    const char  *format;
    const char  *protocols;
    const char  *formats;
    ngx_uint_t   flags;
} ngx_webrtc_source_scheme_t;


/*
 * The scheme of a URL; a text that starts with '/' is "file".
 *
 *   url     not necessarily null-terminated
 *
 * NULL if there is none, or not one that we open.
 */
const ngx_webrtc_source_scheme_t *ngx_webrtc_source_url_scheme(ngx_str_t *url);


/*
 * Checks a URL before it is opened.
 *
 *   prefix  the literal part of the configured URL in front of its first
 *           variable; the whole of it if there are none.  A configured URL
 *           that starts with a variable has an empty one and never passes
 *   url     the final URL, after variables
 *   cause   on refusal a constant text, lower case, for logs
 *
 * Everything after the prefix is treated as chosen by a client.  It may not
 *   - complete or change the scheme,
 *   - contain white space, control characters, NUL or '\',
 *   - contain "." or ".." segments, percent-encoded ones included,
 *   - add user information to the authority,
 *   - for file: and unix:, contain '|' or end in a directory; the directory
 *     written in the configuration (all of the prefix up to its last '/') is
 *     then where the path has to stay, symbolic links aside,
 *   - where the text after '?' is options of libavformat rather than part of
 *     a request, contain '?', '&' or '#'.
 *
 * NGX_OK
 * NGX_DECLINED   refused
 */
ngx_int_t ngx_webrtc_source_url_check(ngx_str_t *prefix, ngx_str_t *url,
    const char **cause);


/*
 * The same at configuration time: can a URL with this prefix ever pass?
 *
 *   whole   whether the prefix is the whole URL, without variables
 */
ngx_int_t ngx_webrtc_source_url_check_prefix(ngx_str_t *prefix,
    ngx_uint_t whole, const char **cause);


/*
 * Makes the URL that libavformat gets: plain paths and file:// become
 * "file:/path" so that nothing in the name can be taken for a protocol.
 *
 *   buf, size  receives a null-terminated text
 *
 * NGX_OK
 * NGX_DECLINED   no such scheme, or longer than the buffer
 */
ngx_int_t ngx_webrtc_source_url_open(ngx_str_t *url, u_char *buf, size_t size);


#endif /* _NGX_WEBRTC_SOURCE_URL_H_INCLUDED_ */
