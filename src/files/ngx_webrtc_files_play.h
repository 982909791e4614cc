
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file that is remuxed or transcoded for its client: the job of the media
 * process, and its records on their way to the channel.
 */


#ifndef _NGX_WEBRTC_FILES_PLAY_H_INCLUDED_
#define _NGX_WEBRTC_FILES_PLAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_files.h"


/*
 * Begins to play on a channel, the first one of the session.
 *
 * NGX_OK; NGX_ERROR: no memory
 */
ngx_int_t ngx_webrtc_files_play_open(ngx_webrtc_files_channel_t *fc);

/* The channel is gone. */
void ngx_webrtc_files_play_close(ngx_webrtc_files_channel_t *fc);

/* Takes a message of the client, which ngx_webrtc_ranges_input() gets too. */
void ngx_webrtc_files_play_input(ngx_webrtc_files_channel_t *fc, u_char *p,
    size_t n);

/*
 * Goes on, as far as the channel has room.  high: the bytes that it may have
 * buffered
 */
void ngx_webrtc_files_play_step(ngx_webrtc_files_channel_t *fc, size_t high);


#endif /* _NGX_WEBRTC_FILES_PLAY_H_INCLUDED_ */
