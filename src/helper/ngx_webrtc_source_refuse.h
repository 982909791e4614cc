
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Names the reason why an upstream cannot be played: its codec, scrambling,
 * or that it is not media at all.
 */


#ifndef _NGX_WEBRTC_SOURCE_REFUSE_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_REFUSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"


/* Watches what will be read through run->ic, which is not open yet. */
void ngx_webrtc_source_refuse_watch(ngx_webrtc_source_run_t *run);

/* From now on, this thread reads for the run. */
void ngx_webrtc_source_refuse_move(ngx_webrtc_source_run_t *run);

/* A codec that cannot be sent: for rd->unknown; ctx is the run. */
void ngx_webrtc_source_refuse_codec(void *ctx, ngx_uint_t kind,
    const char *codec);

/*
 * While looking for tracks: is there any hope?  Logs what is left out because
 * it is scrambled.
 *
 * NGX_OK
 * NGX_ERROR  no; th->error is set
 */
ngx_int_t ngx_webrtc_source_refuse(ngx_webrtc_source_run_t *run);

/* Prints what is wrong, as far as known; nothing if it is not known. */
u_char *ngx_webrtc_source_refuse_print(ngx_webrtc_source_run_t *run, u_char *p,
    u_char *last);


#endif /* _NGX_WEBRTC_SOURCE_REFUSE_H_INCLUDED_ */
