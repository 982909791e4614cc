
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The way of a source from its bytes to the ring: demuxers, frames, audio,
 * packetizers, timeline.  The input is a file of any format.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>

#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_source_retry.h"
#include "ngx_webrtc_source_out.h"
#include "ngx_webrtc_source_thread.h"


#define RING  (256 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
notify(void *ctx)
{
    ngx_webrtc_source_thread_t  **th = ctx;
    ngx_webrtc_media_note_t      note;

    while (ngx_webrtc_source_thread_note(*th, &note) == NGX_OK) {

        if (note.len > NGX_WEBRTC_MEDIA_TEXT
            || note.ntracks > NGX_WEBRTC_SOURCE_TRACKS)
        {
            abort();
        }
    }

    ngx_webrtc_source_thread_go(*th);
}


static void
published(void *ctx, ngx_webrtc_source_delta_t *delta)
{
    (void) ctx;
    (void) delta;
}


static ngx_int_t
put(void *ctx, ngx_webrtc_media_record_t *r)
{
    (void) ngx_webrtc_source_out_record(ctx, r);

    return NGX_OK;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                               fd;
    char                              url[64];
    ngx_str_t                         s;
    ngx_webrtc_timeline_t             timeline;
    ngx_webrtc_source_out_t           out;
    ngx_webrtc_source_out_conf_t      out_conf;
    ngx_webrtc_source_thread_t       *th;
    ngx_webrtc_source_from_t          from;
    ngx_webrtc_source_thread_conf_t   conf;

    static u_char  ring[RING] __attribute__((aligned(4096)));

    if (size > 256 * 1024) {
        return 0;
    }

    ngx_webrtc_source_av_init();

    fd = memfd_create("source", MFD_CLOEXEC);

    if (fd == -1 || write(fd, data, size) != (ssize_t) size) {
        abort();
    }

    snprintf(url, sizeof(url), "file:/proc/self/fd/%d", fd);

    s.data = (u_char *) url;
    s.len = ngx_strlen(url);

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));

    ngx_memzero(&from, sizeof(ngx_webrtc_source_from_t));

    from.url = url;
    from.scheme = ngx_webrtc_source_url_scheme(&s);
    from.lists = 1;

    conf.from = &from;
    conf.nfrom = 1;
    conf.body = ngx_webrtc_source_retry_run;
    conf.once = 1;
    conf.unpaced = 1;
    conf.backoff_min = 1;
    conf.backoff_max = 1;
    conf.connect_timeout = 5000;
    conf.read_timeout = 5000;
    conf.notify = notify;
    conf.ctx = &th;
    conf.feed.put = put;
    conf.feed.ctx = &out;

    ngx_memzero(&out_conf, sizeof(ngx_webrtc_source_out_conf_t));
    out_conf.ring = ngx_webrtc_ring_init(ring, RING);
    out_conf.timeline = &timeline;
    out_conf.published = published;

    ngx_webrtc_timeline_init(&timeline);
    ngx_webrtc_source_out_init(&out, &out_conf);

    th = ngx_webrtc_source_thread_create(&conf);

    if (th == NULL) {
        abort();
    }

    ngx_webrtc_source_retry_run(th);
    ngx_webrtc_source_thread_destroy(th);

    close(fd);

    return 0;
}
