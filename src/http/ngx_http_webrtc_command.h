
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The words of a command in the configuration.
 */


#ifndef _NGX_HTTP_WEBRTC_COMMAND_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_COMMAND_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_command_text.h"


typedef struct {
    ngx_uint_t   variables;     /* in: NGX_WEBRTC_COMMAND_* that there are */
    ngx_uint_t   legs;          /* in: "video=" and "audio=" are taken */
    ngx_uint_t   always;        /* in: "start=always" is taken; out: 2: it was
                                   there */
    ngx_str_t    text;          /* out: words of the legs, null byte, words of
                                   the command; from the pool of cf */
} ngx_http_webrtc_command_conf_t;


/*
 * Parses a directive "[video=...] [audio=...] [start=...] program word ...".
 * The program is looked for, and its path is the first word.
 *
 * NGX_OK; NGX_ERROR, logged
 */
ngx_int_t ngx_http_webrtc_command_conf(ngx_conf_t *cf,
    ngx_http_webrtc_command_conf_t *command);


#endif /* _NGX_HTTP_WEBRTC_COMMAND_H_INCLUDED_ */
