
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a worker says to a job, and writes into the ring to it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_media_job.h"
#include "ngx_webrtc_media_socket.h"


void
ngx_webrtc_media_go(ngx_webrtc_media_job_t *job)
{
    ngx_webrtc_media_message_t  m;

    m.type = NGX_WEBRTC_MEDIA_GO;

    (void) ngx_webrtc_media_socket_send(job->connection->fd, &m, NULL, 0);
}


ngx_int_t
ngx_webrtc_media_write(ngx_webrtc_media_job_t *job,
    ngx_webrtc_media_record_t *record)
{
    u_char                      head[NGX_WEBRTC_MEDIA_RECORD_HEAD];
    ngx_int_t                   rc;
    ngx_webrtc_media_message_t  m;

    if (job->feed.shared == NULL) {
        return NGX_DECLINED;
    }

    ngx_webrtc_media_record_write(head, record);

    rc = ngx_webrtc_media_ring_write(&job->feed, head, sizeof(head),
                                     record->data, record->len);

    if (rc == NGX_OK && ngx_webrtc_media_ring_tell(&job->feed)) {
        m.type = NGX_WEBRTC_MEDIA_DATA;

        if (ngx_webrtc_media_socket_send(job->connection->fd, &m, NULL, 0)
            != NGX_OK)
        {
            /* it does not read its socket: told with the next record */

            ngx_webrtc_media_ring_told(&job->feed);
        }
    }

    return rc;
}


void
ngx_webrtc_media_keyframe(ngx_webrtc_media_job_t *job)
{
    ngx_webrtc_media_message_t  m;

    m.type = NGX_WEBRTC_MEDIA_KEYFRAME;

    (void) ngx_webrtc_media_socket_send(job->connection->fd, &m, NULL, 0);
}


void
ngx_webrtc_media_bitrate(ngx_webrtc_media_job_t *job, uint32_t bps)
{
    ngx_webrtc_media_message_t  m;

    m.type = NGX_WEBRTC_MEDIA_BITRATE;
    m.number = ngx_max(bps, NGX_WEBRTC_MEDIA_BPS_MIN);
    m.number = ngx_min(m.number, NGX_WEBRTC_MEDIA_BPS_MAX);

    (void) ngx_webrtc_media_socket_send(job->connection->fd, &m, NULL, 0);
}


ngx_int_t
ngx_webrtc_media_seek(ngx_webrtc_media_job_t *job,
    const ngx_webrtc_media_seek_t *seek)
{
    ngx_webrtc_media_message_t  m;

    m.type = NGX_WEBRTC_MEDIA_SEEK;
    m.u.seek = *seek;

    return (ngx_webrtc_media_socket_send(job->connection->fd, &m, NULL, 0)
            == NGX_OK)
           ? NGX_OK : NGX_AGAIN;
}


void
ngx_webrtc_media_hold(ngx_webrtc_media_job_t *job)
{
    job->held = 1;
}


void
ngx_webrtc_media_release(ngx_webrtc_media_job_t *job)
{
    if (job->held) {
        job->held = 0;
        ngx_post_event(job->connection->read, &ngx_posted_events);
    }
}


void
ngx_webrtc_media_stop(ngx_webrtc_media_job_t *job)
{
    ngx_webrtc_media_message_t  m;

    m.type = NGX_WEBRTC_MEDIA_STOP;

    (void) ngx_webrtc_media_socket_send(job->connection->fd, &m, NULL, 0);
}
