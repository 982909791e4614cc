
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Why an upstream cannot be played, by name: its codec, that it is scrambled,
 * that it is no media at all.
 */


#ifndef _NGX_WEBRTC_SOURCE_REFUSE_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_REFUSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"


/* Looks at what will be read through run->ic, which is not open yet. */
void ngx_webrtc_source_refuse_watch(ngx_webrtc_source_run_t *run);

/* Another thread reads for this run from now on: this one. */
void ngx_webrtc_source_refuse_move(ngx_webrtc_source_run_t *run);

/* A codec that cannot be sent: for rd->unknown; ctx is the run. */
void ngx_webrtc_source_refuse_codec(void *ctx, ngx_uint_t kind,
    const char *codec);

/*
 * While the tracks are looked for: is there any hope?  Says what is left out
 * for being scrambled.
 *
 * NGX_OK
 * NGX_ERROR  no; th->error is set
 */
ngx_int_t ngx_webrtc_source_refuse(ngx_webrtc_source_run_t *run);

/* What is wrong, as far as it is known; nothing is printed when it is not. */
u_char *ngx_webrtc_source_refuse_print(ngx_webrtc_source_run_t *run, u_char *p,
    u_char *last);


#endif /* _NGX_WEBRTC_SOURCE_REFUSE_H_INCLUDED_ */
