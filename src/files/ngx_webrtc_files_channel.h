
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file session's association and its channels.
 */


#ifndef _NGX_WEBRTC_FILES_CHANNEL_H_INCLUDED_
#define _NGX_WEBRTC_FILES_CHANNEL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_files.h"


/*
 * Makes the association and sends its INIT.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_files_channel_associate(ngx_webrtc_files_t *f);

/* Takes the application data of one DTLS record. */
void ngx_webrtc_files_channel_input(ngx_webrtc_session_t *s, u_char *p,
    size_t n);

/* All records that were waiting have been taken; state as of init(). */
void ngx_webrtc_files_channel_batch(void *state);

/* Sets the worker's SCTP timer. */
void ngx_webrtc_files_channel_arm(ngx_webrtc_files_worker_t *fw);


#endif /* _NGX_WEBRTC_FILES_CHANNEL_H_INCLUDED_ */
