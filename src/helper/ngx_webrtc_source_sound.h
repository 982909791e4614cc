
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Turns a demuxer's packets into audio frames, each with its duration.
 */


#ifndef _NGX_WEBRTC_SOURCE_SOUND_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_SOUND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reader.h"


/* Starts reading audio of the stream in rd->audio. */
void ngx_webrtc_source_sound_init(ngx_webrtc_source_read_t *rd, AVStream *st);

void ngx_webrtc_source_sound_close(ngx_webrtc_source_read_t *rd);

/* Takes a packet: it becomes items of rd.  0, or a negative error. */
int ngx_webrtc_source_sound_put(ngx_webrtc_source_read_t *rd, AVPacket *pkt);


#endif /* _NGX_WEBRTC_SOURCE_SOUND_H_INCLUDED_ */
