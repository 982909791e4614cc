
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a picture is made of, from a stream's ring to the media process.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_snapshot_feed.h"


/* frames given to a decoder whose stream has no IDR pictures */
#define NGX_WEBRTC_SNAPSHOT_FEED_FRAMES  300


static ngx_int_t ngx_webrtc_snapshot_feed_write(ngx_webrtc_media_job_t *job,
    ngx_uint_t type, ngx_uint_t value, int64_t ts, u_char *data, size_t n);


ngx_uint_t
ngx_webrtc_snapshot_feed_video(ngx_webrtc_stream_t *st)
{
    ngx_uint_t          i, n;
    ngx_webrtc_track_t  tracks[NGX_WEBRTC_TRACKS];

    (void) ngx_webrtc_bus_tracks(st, tracks, &n);

    for (i = 0; i < n; i++) {
        if (tracks[i].kind == NGX_WEBRTC_VIDEO) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_webrtc_snapshot_feed_next(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_unit_t *unit)
{
    ngx_int_t  rc;

    do {
        rc = ngx_webrtc_output_reader_next(rd, unit);

    } while (rc == NGX_DONE
             || (rc == NGX_OK
                 && rd->tracks[unit->track].kind != NGX_WEBRTC_VIDEO));

    return rc;
}


ngx_int_t
ngx_webrtc_snapshot_feed(ngx_webrtc_media_job_t *job,
    ngx_webrtc_output_reader_t *rd, ngx_webrtc_output_unit_t *unit)
{
    ngx_uint_t          i, codec;
    ngx_webrtc_track_t  track;

    track = rd->tracks[unit->track];
    codec = ngx_webrtc_output_reader_codec(rd, unit->track);

    if (ngx_webrtc_snapshot_feed_write(job, NGX_WEBRTC_MEDIA_BEGIN, 0, 0,
                                       NULL, 0)
        != NGX_OK
        || ngx_webrtc_snapshot_feed_write(job, NGX_WEBRTC_MEDIA_TRACK, codec,
                                          track.traits, unit->data,
                                          unit->config)
           != NGX_OK
        || ngx_webrtc_snapshot_feed_write(job, NGX_WEBRTC_MEDIA_TURN,
                                          unit->cvo, 0, NULL, 0)
           != NGX_OK
        || ngx_webrtc_snapshot_feed_write(job, NGX_WEBRTC_MEDIA_FRAME,
                                          NGX_WEBRTC_MEDIA_KEY, unit->ts,
                                          unit->data + unit->config,
                                          unit->n - unit->config)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    /* what makes it whole is in the frames that follow */

    for (i = 0;
         (track.traits & NGX_WEBRTC_TRACK_NO_IDR)
         && i < NGX_WEBRTC_SNAPSHOT_FEED_FRAMES
         && ngx_webrtc_snapshot_feed_next(rd, unit) == NGX_OK
         && ngx_webrtc_snapshot_feed_write(job, NGX_WEBRTC_MEDIA_FRAME, 0,
                                           unit->ts, unit->data + unit->config,
                                           unit->n - unit->config)
            == NGX_OK;
         i++)
    {
        /* void */
    }

    return ngx_webrtc_snapshot_feed_write(job, NGX_WEBRTC_MEDIA_END, 0, 0, NULL,
                                          0);
}


static ngx_int_t
ngx_webrtc_snapshot_feed_write(ngx_webrtc_media_job_t *job, ngx_uint_t type,
    ngx_uint_t value, int64_t ts, u_char *data, size_t n)
{
    ngx_webrtc_media_record_t  r;

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = (uint8_t) type;
    r.track = NGX_WEBRTC_MEDIA_VIDEO;
    r.value = (uint16_t) value;
    r.ts = ts;
    r.data = data;
    r.len = n;

    return ngx_webrtc_media_write(job, &r);
}
