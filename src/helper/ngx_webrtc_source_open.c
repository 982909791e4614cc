
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Everything that libavformat opens for a source: the upstream itself, and
 * what its playlists name.
 *
 * Local files are opened by us.  Everything else is opened by libavformat,
 * with the scheme's protocols, after a check of where it leads.  Where a
 * server redirects to is known only afterwards; if that is refused, nothing
 * of the answer is read.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/opt.h>

#include "ngx_webrtc_source_crypto.h"
#include "ngx_webrtc_source_file.h"
#include "ngx_webrtc_source_reach.h"
#include "ngx_webrtc_source_open.h"


static int ngx_webrtc_source_open(AVFormatContext *ic, AVIOContext **pb,
    const char *url, int flags, AVDictionary **options);
static int ngx_webrtc_source_open_file(ngx_webrtc_source_run_t *run,
    AVIOContext **pb, const char *url, ngx_uint_t first);
static int ngx_webrtc_source_open_led(ngx_webrtc_source_run_t *run,
    AVIOContext *pb);
static int ngx_webrtc_source_open_close(AVFormatContext *ic, AVIOContext *pb);


void
ngx_webrtc_source_open_attach(ngx_webrtc_source_run_t *run)
{
    run->open.io_open = run->ic->io_open;
    run->open.io_close = run->ic->io_close2;
    run->open.opened = 0;

    run->ic->io_open = ngx_webrtc_source_open;
    run->ic->io_close2 = ngx_webrtc_source_open_close;
}


void
ngx_webrtc_source_open_refuse(ngx_webrtc_source_run_t *run,
    const char *doing, const char *cause)
{
    if (run->refusal[0] == '\0') {
        (void) snprintf(run->refusal, sizeof(run->refusal), "%s%s", doing,
                        cause);
    }
}


ngx_int_t
ngx_webrtc_source_open_check(ngx_webrtc_source_run_t *run)
{
    const char  *cause, *url;

    url = run->ic->url;

    /* RTSP follows a redirect by itself and reports it here */

    if (!(run->th->at->scheme->flags & NGX_WEBRTC_SOURCE_URL_RTSP)
        || ngx_webrtc_source_reach_host_ok(run->th->at->url, url, &cause)
           == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_webrtc_source_open_refuse(run, "it leads to ", cause);

    return NGX_DECLINED;
}


static int
ngx_webrtc_source_open(AVFormatContext *ic, AVIOContext **pb, const char *url,
    int flags, AVDictionary **options)
{
    int                       rc;
    ngx_uint_t                first;
    AVIOContext              *inner;
    const char               *cause, *encrypted;
    ngx_webrtc_source_run_t  *run;

    run = ic->interrupt_callback.opaque;

    first = !run->open.opened;
    run->open.opened = 1;

    if (flags & AVIO_FLAG_WRITE) {
        return AVERROR(EACCES);
    }

    if (run->th->at->scheme->flags & NGX_WEBRTC_SOURCE_URL_FILE) {
        return ngx_webrtc_source_open_file(run, pb, url, first);
    }

    if (run->th->at->scheme->flags & NGX_WEBRTC_SOURCE_URL_GIVEN) {

        /* there is nothing but that */

        *pb = first ? ngx_webrtc_source_file_given(run->th->conf.given,
                                                   &ic->interrupt_callback)
                    : NULL;

        return *pb ? 0 : AVERROR(EACCES);
    }

    if (!first
        && ngx_webrtc_source_reach(run->th->at->url, url, &cause) != NGX_OK)
    {
        ngx_webrtc_source_open_refuse(run, "it names ", cause);
        return AVERROR(EACCES);
    }

    encrypted = ngx_webrtc_source_reach_encrypted(url);
    inner = NULL;
    *pb = NULL;

    rc = run->open.io_open(ic, &inner, encrypted ? encrypted : url, flags,
                           options);
    if (rc < 0) {
        return rc;
    }

    rc = ngx_webrtc_source_open_led(run, inner);

    if (rc >= 0 && encrypted) {
        rc = ngx_webrtc_source_crypto_io(inner, options, pb);

    } else if (rc >= 0) {
        *pb = inner;
    }

    if (rc < 0) {
        (void) run->open.io_close(ic, inner);
    }

    return rc;
}


static int
ngx_webrtc_source_open_file(ngx_webrtc_source_run_t *run, AVIOContext **pb,
    const char *url, ngx_uint_t first)
{
    ngx_fd_t                   fd;
    ngx_err_t                  err;
    const char                *path, *cause;
    ngx_webrtc_source_from_t  *from;

    from = run->th->at;

    path = from->url + from->scheme->name.len + 1;

    if (!first
        && ngx_webrtc_source_reach_file(from->url, url, &path, &cause)
           != NGX_OK)
    {
        ngx_webrtc_source_open_refuse(run, "it names ", cause);
        return AVERROR(EACCES);
    }

    fd = ngx_webrtc_source_file_open(path, from->links, from->links_from,
                                     &cause);

    if (fd == NGX_INVALID_FILE) {

        err = ngx_errno;

        /* segments come and go */

        if (first || err == EACCES) {
            ngx_webrtc_source_open_refuse(run, first ? "" : "it names ",
                                          cause);
        }

        return AVERROR(err);
    }

    *pb = ngx_webrtc_source_file_io(fd, &run->ic->interrupt_callback);

    return *pb ? 0 : AVERROR(ENOMEM);
}


/* where an HTTP server has redirected to */

static int
ngx_webrtc_source_open_led(ngx_webrtc_source_run_t *run, AVIOContext *pb)
{
    int          rc;
    uint8_t     *to;
    const char  *cause;

    to = NULL;
    rc = 0;

    if (av_opt_get(pb, "location", AV_OPT_SEARCH_CHILDREN, &to) >= 0
        && to && to[0]
        && ngx_webrtc_source_reach(run->th->at->url, (char *) to, &cause)
           != NGX_OK)
    {
        ngx_webrtc_source_open_refuse(run, "it redirects to ", cause);
        rc = AVERROR(EACCES);
    }

    av_free(to);

    return rc;
}


static int
ngx_webrtc_source_open_close(AVFormatContext *ic, AVIOContext *pb)
{
    ngx_webrtc_source_run_t  *run;

    if (ngx_webrtc_source_file_is(pb)) {
        ngx_webrtc_source_file_close(pb);
        return 0;
    }

    if (ngx_webrtc_source_crypto_is(pb)) {
        pb = ngx_webrtc_source_crypto_close(pb);
    }

    run = ic->interrupt_callback.opaque;

    return run->open.io_close(ic, pb);
}
