
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The worker's side of a job: what it hears of it, and says to it.
 */


#ifndef _NGX_WEBRTC_MEDIA_JOB_H_INCLUDED_
#define _NGX_WEBRTC_MEDIA_JOB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_media_ring.h"


typedef struct ngx_webrtc_media_job_s      ngx_webrtc_media_job_t;
typedef struct ngx_webrtc_media_process_s  ngx_webrtc_media_process_t;


/*
 * Called from the event loop, never from within a function of this file.  A
 * handler may call any of them.
 *
 *   note     what happened to the upstreams
 *   record   an access unit or a change; its data is valid during the call
 *   ask      which ports, on the loopback, lead to the workers of this nginx
 *            whose nginx-rtmp listens on that address
 *   room     a record for the job that did not fit will do so now; NULL where
 *            its kind is not fed
 *   ended    the job is over and freed.  crashed: its process has died, or
 *            was ended because it was unusable
 */
typedef struct {
    void     (*note)(void *data, ngx_webrtc_media_note_t *note);
    void     (*record)(void *data, ngx_webrtc_media_record_t *record);
    void     (*ask)(void *data, struct sockaddr *sa,
                    ngx_webrtc_media_ports_t *ports);
    void     (*room)(void *data);
    void     (*ended)(void *data, ngx_uint_t crashed);
} ngx_webrtc_media_handlers_t;


/* of ngx_webrtc_media.c */
struct ngx_webrtc_media_job_s {
    ngx_queue_t                         queue;       /* of its process */
    ngx_webrtc_media_process_t         *process;
    ngx_connection_t                   *connection;
    ngx_webrtc_media_ring_t             ring;
    ngx_webrtc_media_ring_t             feed;        /* to it, if it is fed */
    const ngx_webrtc_media_handlers_t  *handlers;
    void                               *data;
    ngx_log_t                          *log;
    u_char                             *kept;        /* a message that records
                                                        come before, or NULL */
    size_t                              nkept;
    unsigned                            over:1;      /* its socket is closed */
    unsigned                            ended:1;     /* as it has said */
    unsigned                            busy:1;      /* a handler is running */
    unsigned                            closed:1;
    unsigned                            held:1;      /* its ring is not read */
};


/* UP or MORE has been acted on: records may come. */
void ngx_webrtc_media_go(ngx_webrtc_media_job_t *job);

/*
 * Writes a record for a job that is fed (ngx_webrtc_media_fed()).
 *
 * NGX_OK        it has been copied
 * NGX_AGAIN     no room: the room() handler will be called
 * NGX_DECLINED  larger than a record can be, or the job is not fed
 */
ngx_int_t ngx_webrtc_media_write(ngx_webrtc_media_job_t *job,
    ngx_webrtc_media_record_t *record);

/* Asks an encoder for a key frame: the next picture will be one. */
void ngx_webrtc_media_keyframe(ngx_webrtc_media_job_t *job);

/*
 * Sets an encoder's rate, bit/s, as near as NGX_WEBRTC_MEDIA_BPS_MIN and _MAX
 * permit.
 */
void ngx_webrtc_media_bitrate(ngx_webrtc_media_job_t *job, uint32_t bps);

/*
 * What is wanted of a file from now on.
 *
 * NGX_OK; NGX_AGAIN: it has not read what was wanted before
 */
ngx_int_t ngx_webrtc_media_seek(ngx_webrtc_media_job_t *job,
    const ngx_webrtc_media_seek_t *seek);

/*
 * Nothing of the job's is read until release(): it goes on for as long as there
 * is room in its ring.  From a handler: no other follows.
 */
void ngx_webrtc_media_hold(ngx_webrtc_media_job_t *job);
void ngx_webrtc_media_release(ngx_webrtc_media_job_t *job);

/* Asks it to end; ended() follows, within about 100 ms. */
void ngx_webrtc_media_stop(ngx_webrtc_media_job_t *job);


#endif /* _NGX_WEBRTC_MEDIA_JOB_H_INCLUDED_ */
