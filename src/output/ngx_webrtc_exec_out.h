
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_exec_publish": the media of publishers goes to commands.  A stream's
 * command runs in the worker that has its publisher.
 */


#ifndef _NGX_WEBRTC_EXEC_OUT_H_INCLUDED_
#define _NGX_WEBRTC_EXEC_OUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/*
 * A stream that is published here is to have this command.  Called a few times
 * a second for each of them, then ngx_webrtc_exec_outs_tick(), which starts
 * what has no command yet, and ends those that nobody wants any more.
 *
 *   text    null byte, words (ngx_webrtc_command_text.h); lives long
 *   dir     for SDPs: nobody else reads it; lives long
 */
void ngx_webrtc_exec_outs_want(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_str_t *text, const ngx_str_t *dir, ngx_log_t *log);

void ngx_webrtc_exec_outs_tick(void);

/* A stream has news. */
void ngx_webrtc_exec_outs_news(ngx_webrtc_stream_t *st);

/* Is there any? */
ngx_uint_t ngx_webrtc_exec_outs_any(void);

/* For exit_process: ends all of them. */
void ngx_webrtc_exec_outs_exit(void);


#endif /* _NGX_WEBRTC_EXEC_OUT_H_INCLUDED_ */
