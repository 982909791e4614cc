
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Chooses which of a source's programs is played: MPEG-TS has them (ISO/IEC
 * 13818-1, 2.4.4), and HLS variants are programs, too.
 */


#ifndef _NGX_WEBRTC_SOURCE_PROGRAM_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_PROGRAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reader.h"


/*
 * Decides, once: sets rd->program to the one to play, or to
 * NGX_WEBRTC_SOURCE_NO_PROGRAM if there are none, and rd->chosen to 1.  It is
 * the one that rd->wanted names; else the first in the source's list with
 * video that can be played, else with video, else with audio.
 *
 * NGX_OK        decided, now or before
 * NGX_AGAIN     not all program tables have come yet
 * NGX_DECLINED  there is no such program
 */
ngx_int_t ngx_webrtc_source_program(ngx_webrtc_source_read_t *rd);

/* Does a stream belong to the program that is played? */
ngx_uint_t ngx_webrtc_source_program_has(ngx_webrtc_source_read_t *rd, int i);

/*
 * Prints for the log which program is played, or was wanted, and which ones
 * exist.  Returns the end of the text.
 */
u_char *ngx_webrtc_source_program_print(ngx_webrtc_source_read_t *rd,
    u_char *p, u_char *last);


#endif /* _NGX_WEBRTC_SOURCE_PROGRAM_H_INCLUDED_ */
