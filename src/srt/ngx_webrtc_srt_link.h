
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the gateway of an SRT port and nginx's workers say to each other, over
 * connections of the gateway's to a unix socket of nginx's: frames of a type, a
 * zero, a length of two bytes, and that many bytes.
 *
 *   link     gateway: HELLO  (LOG ...)       nginx: CONFIG
 *            one at a time, with any worker; if it is closed the gateway makes
 *            another one, and where nobody takes it nginx, or the port, is gone
 *   caller   gateway: CALLER  (DATA, STAT ...)      nginx: UP
 *            one for each publisher, who may publish when nginx says so; either
 *            side ends it by closing it
 *
 * Numbers are in network order.
 */


#ifndef _NGX_WEBRTC_SRT_LINK_H_INCLUDED_
#define _NGX_WEBRTC_SRT_LINK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_addr.h"
#include "ngx_webrtc_srt_streamid.h"


/* changes with what is said: a gateway of another version is left alone */
#define NGX_WEBRTC_SRT_LINK_VERSION  1

/* bytes: of a frame's head; of the largest one after that.  A message of SRT in
 * live mode has 1456 bytes at most */
#define NGX_WEBRTC_SRT_LINK_HEAD     4
#define NGX_WEBRTC_SRT_LINK_FRAME    1500

/* SRT's limits (SRTO_PASSPHRASE) */
#define NGX_WEBRTC_SRT_PASSPHRASE_MIN  10
#define NGX_WEBRTC_SRT_PASSPHRASE_MAX  79

/* bytes of a line that is to be logged */
#define NGX_WEBRTC_SRT_LINK_TEXT     256


typedef enum {
    NGX_WEBRTC_SRT_LINK_HELLO = 1,
    NGX_WEBRTC_SRT_LINK_CONFIG,
    NGX_WEBRTC_SRT_LINK_LOG,
    NGX_WEBRTC_SRT_LINK_CALLER,
    NGX_WEBRTC_SRT_LINK_DATA,
    NGX_WEBRTC_SRT_LINK_STAT,
    NGX_WEBRTC_SRT_LINK_UP,
    NGX_WEBRTC_SRT_LINK_TYPES
} ngx_webrtc_srt_link_e;


/* what the peer has done; the operator should act; it was mended */
typedef enum {
    NGX_WEBRTC_SRT_LOG_INFO = 0,
    NGX_WEBRTC_SRT_LOG_ERROR,
    NGX_WEBRTC_SRT_LOG_NOTICE
} ngx_webrtc_srt_log_e;


typedef struct {
    ngx_uint_t             type;
    u_char                *data;
    size_t                 len;
} ngx_webrtc_srt_frame_t;


typedef struct {
    uint32_t               latency_ms;
    uint8_t                pbkeylen;         /* bytes, 0: SRT's default */
    size_t                 passphrase_len;   /* 0: no encryption */
    u_char                 passphrase[NGX_WEBRTC_SRT_PASSPHRASE_MAX];
} ngx_webrtc_srt_config_t;


typedef struct {
    ngx_webrtc_addr_t      addr;
    uint32_t               version;          /* of its libsrt, 0: unknown */
    ngx_str_t              streamid;
} ngx_webrtc_srt_caller_t;


/* all but rtt_us since the caller came */
typedef struct {
    uint32_t               rtt_us;
    uint32_t               received;         /* packets */
    uint32_t               asked;            /* that were asked for again */
    uint32_t               lost;             /* that came too late, or never */
} ngx_webrtc_srt_stat_t;


typedef struct {
    ngx_uint_t             level;            /* NGX_WEBRTC_SRT_LOG_* */
    ngx_str_t              text;
} ngx_webrtc_srt_log_t;


/*
 * The next frame.
 *
 *   pos   advanced when there is one
 *
 * NGX_OK; NGX_AGAIN: it is not whole yet; NGX_DECLINED: this is none
 */
ngx_int_t ngx_webrtc_srt_frame(u_char **pos, u_char *last,
    ngx_webrtc_srt_frame_t *frame);

/*
 * Writers: the end of the frame, which begins at p; NULL: no room.  A frame of
 * DATA is its head, of NGX_WEBRTC_SRT_LINK_HEAD bytes, and what follows; UP is
 * its head.
 */
u_char *ngx_webrtc_srt_write_hello(u_char *p, u_char *last);
u_char *ngx_webrtc_srt_write_config(u_char *p, u_char *last,
    ngx_webrtc_srt_config_t *config);
u_char *ngx_webrtc_srt_write_log(u_char *p, u_char *last,
    ngx_webrtc_srt_log_t *log);
u_char *ngx_webrtc_srt_write_caller(u_char *p, u_char *last,
    ngx_webrtc_srt_caller_t *caller);
u_char *ngx_webrtc_srt_write_stat(u_char *p, u_char *last,
    ngx_webrtc_srt_stat_t *stat);
u_char *ngx_webrtc_srt_write_head(u_char *p, ngx_uint_t type, size_t len);

/* Readers of a frame of their type: NGX_OK; NGX_DECLINED: malformed. */
ngx_int_t ngx_webrtc_srt_read_hello(ngx_webrtc_srt_frame_t *frame);
ngx_int_t ngx_webrtc_srt_read_config(ngx_webrtc_srt_frame_t *frame,
    ngx_webrtc_srt_config_t *config);
ngx_int_t ngx_webrtc_srt_read_log(ngx_webrtc_srt_frame_t *frame,
    ngx_webrtc_srt_log_t *log);
ngx_int_t ngx_webrtc_srt_read_caller(ngx_webrtc_srt_frame_t *frame,
    ngx_webrtc_srt_caller_t *caller);
ngx_int_t ngx_webrtc_srt_read_stat(ngx_webrtc_srt_frame_t *frame,
    ngx_webrtc_srt_stat_t *stat);


#endif /* _NGX_WEBRTC_SRT_LINK_H_INCLUDED_ */
