
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The text of a command: its words, with variables, as the zone keeps them, and
 * the lines that it writes to its standard error.
 *
 * Words are separated and ended by null bytes.  A variable is $webrtc_name,
 * $webrtc_video_port, $webrtc_audio_port or $webrtc_sdp, also in braces; it may
 * be any part of a word, and never makes two of one.  A "$" before anything
 * but a letter, "_" or "{" is itself.
 *
 * Pure: no clock, no allocation.
 */


#ifndef _NGX_WEBRTC_COMMAND_TEXT_H_INCLUDED_
#define _NGX_WEBRTC_COMMAND_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* words of a command, and bytes of them once expanded; chosen: ten times those
 * of FFmpeg's usual commands */
#define NGX_WEBRTC_COMMAND_WORDS  128
#define NGX_WEBRTC_COMMAND_ROOM   8192

/* variables, bits */
#define NGX_WEBRTC_COMMAND_NAME   0x01
#define NGX_WEBRTC_COMMAND_VIDEO  0x02
#define NGX_WEBRTC_COMMAND_AUDIO  0x04
#define NGX_WEBRTC_COMMAND_SDP    0x08

/* bytes of a line; what is longer is cut */
#define NGX_WEBRTC_COMMAND_LINE   400

/* lines that may be logged at once, and per second; chosen: the beginning of
 * FFmpeg's output, and a warning now and then */
#define NGX_WEBRTC_COMMAND_BURST  40
#define NGX_WEBRTC_COMMAND_RATE   4


typedef struct {
    ngx_str_t            name;           /* of the stream */
    ngx_str_t            sdp;            /* path of the file */
    in_port_t            video;          /* ports */
    in_port_t            audio;
} ngx_webrtc_command_vars_t;


typedef struct {
    char                *argv[NGX_WEBRTC_COMMAND_WORDS + 1];
    ngx_uint_t           n;
    u_char               room[NGX_WEBRTC_COMMAND_ROOM];
} ngx_webrtc_command_argv_t;


/*
 * A line without its end; p, n may be changed and have no null byte.
 *
 *   left_out   lines that were not logged before it, by the limit
 */
typedef void (*ngx_webrtc_command_line_pt)(void *data, u_char *p, size_t n,
    ngx_uint_t left_out);


typedef struct {
    u_char               buf[NGX_WEBRTC_COMMAND_LINE];
    size_t               n;
    u_char               last[NGX_WEBRTC_COMMAND_LINE];   /* line */
    size_t               last_n;
    uint64_t             filled_ms;      /* 0: not begun */
    ngx_uint_t           tokens;
    ngx_uint_t           left_out;
} ngx_webrtc_command_lines_t;


/*
 * The variables in a word.
 *
 *   bits   added to
 *   bad    set on NGX_DECLINED: the variable that is none of these
 *
 * NGX_OK, NGX_DECLINED
 */
ngx_int_t ngx_webrtc_command_word(const ngx_str_t *word, ngx_uint_t *bits,
    ngx_str_t *bad);

/*
 * May a stream of this name be the word of a command?  It must be plain: not
 * an option, a URL, a pattern, or a path out of where it stands.  Letters,
 * digits, ".", "_", "-", "@", "+", "~", "/" and what is not ASCII; not "-" or
 * "/" at the start, and no component that begins with ".".
 */
ngx_uint_t ngx_webrtc_command_is_plain(const ngx_str_t *name);

/*
 * Expands words into what execve() takes.
 *
 * NGX_OK
 * NGX_DECLINED  too many words, too long, none, or a name that is not plain
 */
ngx_int_t ngx_webrtc_command_expand(const ngx_str_t *text,
    const ngx_webrtc_command_vars_t *vars, ngx_webrtc_command_argv_t *out);

/* Takes bytes of the standard error; now_ms: monotonic. */
void ngx_webrtc_command_lines(ngx_webrtc_command_lines_t *lines,
    const u_char *p, size_t n, uint64_t now_ms,
    ngx_webrtc_command_line_pt handler, void *data);

/* The last line, though it has no end. */
void ngx_webrtc_command_lines_end(ngx_webrtc_command_lines_t *lines,
    uint64_t now_ms, ngx_webrtc_command_line_pt handler, void *data);


#endif /* _NGX_WEBRTC_COMMAND_TEXT_H_INCLUDED_ */
