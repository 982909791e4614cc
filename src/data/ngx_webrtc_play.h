
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the client of a file that is remuxed or transcoded wants, and what it
 * has been sent: docs/datachannel.md.  Sends nothing and knows no job.
 *
 * 1. A generation is what is sent from one place on: the first one begins at 0
 *    by itself.  SeekHint and Quality begin the next.
 * 2. Cancel pauses, until the next generation.
 * 3. What a job makes of an earlier generation is of no use to anybody.
 */


#ifndef _NGX_WEBRTC_PLAY_H_INCLUDED_
#define _NGX_WEBRTC_PLAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_range.h>


/* no track has been chosen */
#define NGX_WEBRTC_PLAY_NONE   0xff

/* ms; later ones are the end of any file */
#define NGX_WEBRTC_PLAY_LAST   ((uint64_t) 366 * 86400 * 1000)

/* times that it is begun again without a fragment in between; chosen: a process
 * that was killed, not a file that kills it */
#define NGX_WEBRTC_PLAY_AGAIN  2


typedef struct {
    uint32_t      generation;
    uint64_t      ms;              /* where it is wanted from */
    uint8_t       quality;
    uint8_t       audio;           /* NGX_WEBRTC_PLAY_NONE: the job's choice */
    uint64_t      sent_ms;         /* up to where fragments were sent whole */
    ngx_uint_t    tries;           /* see _AGAIN */
    unsigned      paused:1;
    unsigned      over:1;          /* the generation has ended */
    unsigned      failed:1;        /* for good */
} ngx_webrtc_play_t;


void ngx_webrtc_play_init(ngx_webrtc_play_t *play);

/*
 * Takes a frame of the client.
 *
 * NGX_OK        another generation is wanted
 * NGX_DONE      it is paused
 * NGX_DECLINED  not one that matters here
 */
ngx_int_t ngx_webrtc_play_input(ngx_webrtc_play_t *play,
    const ngx_webrtc_range_frame_t *frame);

/*
 * The job has crashed: begins a generation where it was.
 *
 * NGX_OK; NGX_DECLINED: it has been tried often enough
 */
ngx_int_t ngx_webrtc_play_again(ngx_webrtc_play_t *play);

/* A fragment that ends then has been sent. */
void ngx_webrtc_play_sent(ngx_webrtc_play_t *play, uint64_t ms);


#endif /* _NGX_WEBRTC_PLAY_H_INCLUDED_ */
