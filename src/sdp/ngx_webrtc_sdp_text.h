
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Words and numbers of SDP: how they are read and printed.
 */


#ifndef _NGX_WEBRTC_SDP_TEXT_H_INCLUDED_
#define _NGX_WEBRTC_SDP_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_SDP_MAX64  0xffffffffffffffffULL


/* a table of words ends with an empty name */
typedef struct {
    ngx_str_t   name;
    ngx_uint_t  value;
} ngx_webrtc_sdp_word_t;


/*
 * Skips spaces and reads what follows up to the next one.
 * Returns the position behind it; NULL if there is nothing, or p is NULL.
 */
u_char *ngx_webrtc_sdp_read_token(u_char *p, u_char *end, ngx_str_t *token);

/*
 * Skips spaces and reads decimal digits; what follows them is not checked.
 * Returns the position behind them; NULL if there are none, the number is above
 * max, or p is NULL.
 */
u_char *ngx_webrtc_sdp_read_number(u_char *p, u_char *end, uint64_t max,
    uint64_t *v);

/* the value of a word, compared ignoring case, or def */
ngx_uint_t ngx_webrtc_sdp_word(const ngx_webrtc_sdp_word_t *words,
    const ngx_str_t *name, ngx_uint_t def);

/*
 * ngx_slprintf() with NULL for "no room", which p may be already; text that
 * reaches the end of the room counts as cut.
 */
u_char *ngx_webrtc_sdp_printf(u_char *p, u_char *end, const char *fmt, ...);

/* RFC 8866, 9: 1 if a line has a control character, which is refused */
ngx_uint_t ngx_webrtc_sdp_control(const u_char *p, const u_char *end);

/* NGX_OK: printable ASCII without spaces; else NGX_DECLINED */
ngx_int_t ngx_webrtc_sdp_visible(const u_char *p, const u_char *end);

/* 1 if both are equal byte for byte */
ngx_uint_t ngx_webrtc_sdp_same(const ngx_str_t *a, const ngx_str_t *b);


#endif /* _NGX_WEBRTC_SDP_TEXT_H_INCLUDED_ */
