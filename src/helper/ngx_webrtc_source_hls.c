
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Live HLS: tells the end of a stream from the loss of an upstream.
 *
 * libavformat's demuxer reports end of file when a playlist cannot be read
 * again, and waits forever when it has restarted with fewer segments.  Only
 * EXT-X-ENDLIST is an end (RFC 8216, 4.3.3.4), and the demuxer does not
 * report it.  So we inspect playlists as it reads them: it opens everything
 * through io_open(), and the function that fills the buffer is ours until the
 * first bytes turn out not to be a playlist.
 *
 * A playlist is older than before if the previous request was answered by
 * another of a CDN's servers, or if it has restarted.  Only in the latter
 * case does all of it lie before what was there; in the former it soon
 * catches up.
 *
 * Its persistent connections must be off: a second request on one of them does
 * not go through io_open(), and the demuxer insists on its own function
 * there.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_hls.h"
#include "ngx_webrtc_source_open.h"


/*
 * Chosen: a playlist two segments behind, read twice for each of them as
 * libavformat does, has 2 + 2 + 1 + 1.
 */
#define NGX_WEBRTC_SOURCE_HLS_BEHIND  7


static int ngx_webrtc_source_hls_open(AVFormatContext *ic, AVIOContext **pb,
    const char *url, int flags, AVDictionary **options);
static int ngx_webrtc_source_hls_read(void *opaque, uint8_t *buf, int size);
static ngx_int_t ngx_webrtc_source_hls_check(ngx_webrtc_source_hls_t *hls,
    ngx_webrtc_source_playlist_t *pl);
static void ngx_webrtc_source_hls_done(ngx_webrtc_source_hls_t *hls,
    ngx_webrtc_source_hls_file_t *file);


/* all readers of libavformat's protocols are one function */
static __thread ngx_webrtc_source_hls_t  *ngx_webrtc_source_hls_current;


void
ngx_webrtc_source_hls_attach(ngx_webrtc_source_run_t *run)
{
    AVFormatContext          *ic;
    ngx_webrtc_source_hls_t  *hls;

    ic = run->ic;
    hls = &run->hls;

    hls->run = run;
    hls->variants = 0;

    ngx_memzero(hls->files, sizeof(hls->files));

    hls->io_open = ic->io_open;

    ic->opaque = hls;
    ic->io_open = ngx_webrtc_source_hls_open;

    ngx_webrtc_source_hls_current = hls;
}


void
ngx_webrtc_source_hls_move(ngx_webrtc_source_hls_t *hls)
{
    ngx_webrtc_source_hls_current = hls;
}


ngx_uint_t
ngx_webrtc_source_hls_ended(ngx_webrtc_source_hls_t *hls)
{
    return hls->nlists == 0 || hls->ended;
}


static int
ngx_webrtc_source_hls_open(AVFormatContext *ic, AVIOContext **pb,
    const char *url, int flags, AVDictionary **options)
{
    int                            rc;
    ngx_uint_t                     i;
    ngx_webrtc_source_hls_t       *hls;
    ngx_webrtc_source_hls_file_t  *file;

    hls = ic->opaque;

    rc = hls->io_open(ic, pb, url, flags, options);

    if (rc < 0 || (flags & AVIO_FLAG_WRITE) || (*pb)->read_packet == NULL) {
        return rc;
    }

    /*
     * we are not told of a file closed before its end: its place is found by
     * the next one with the same address
     */

    file = NULL;

    for (i = 0; i < NGX_WEBRTC_SOURCE_HLS_FILES; i++) {

        if (hls->files[i].opaque == (*pb)->opaque) {
            file = &hls->files[i];
            break;
        }

        if (file == NULL && hls->files[i].opaque == NULL) {
            file = &hls->files[i];
        }
    }

    if (file == NULL) {
        file = &hls->files[hls->next++ % NGX_WEBRTC_SOURCE_HLS_FILES];
    }

    ngx_memzero(file, sizeof(ngx_webrtc_source_hls_file_t));

    file->pb = *pb;
    file->opaque = (*pb)->opaque;
    file->url = ngx_crc32_long((u_char *) url, ngx_strlen(url));

    hls->read = (*pb)->read_packet;
    (*pb)->read_packet = ngx_webrtc_source_hls_read;

    return rc;
}


static int
ngx_webrtc_source_hls_read(void *opaque, uint8_t *buf, int size)
{
    int                            rc;
    ngx_uint_t                     i;
    ngx_webrtc_source_hls_t       *hls;
    ngx_webrtc_source_hls_file_t  *file;

    hls = ngx_webrtc_source_hls_current;

    rc = hls->read(opaque, buf, size);

    for (i = 0; i < NGX_WEBRTC_SOURCE_HLS_FILES; i++) {

        file = &hls->files[i];

        if (file->opaque != opaque) {
            continue;
        }

        if (rc == 0 || rc == AVERROR_EOF) {
            ngx_webrtc_source_hls_done(hls, file);

        } else if (rc > 0) {

            if (ngx_webrtc_source_playlist_feed(&file->list, buf, rc)
                != NGX_OK)
            {
                file->pb->read_packet = hls->read;
                file->opaque = NULL;
            }

            if (ngx_webrtc_source_hls_check(hls, &file->list) != NGX_OK) {
                return AVERROR(EACCES);
            }
        }

        break;
    }

    return rc;
}


/* libavformat's demuxer takes as much as it gets and keeps it */

static ngx_int_t
ngx_webrtc_source_hls_check(ngx_webrtc_source_hls_t *hls,
    ngx_webrtc_source_playlist_t *pl)
{
    hls->variants += pl->variants - pl->counted;
    pl->counted = pl->variants;

    if (pl->is && !pl->isnt && !hls->run->th->at->lists) {
        ngx_webrtc_source_open_refuse(hls->run, "it is a playlist, which "
                                      "takes format=hls or a fixed name "
                                      "with .m3u8", "");
        return NGX_DECLINED;
    }

    if (pl->cause) {
        ngx_webrtc_source_open_refuse(hls->run, "the playlist has ",
                                      pl->cause);
        return NGX_DECLINED;
    }

    if (hls->variants > NGX_WEBRTC_SOURCE_PLAYLIST_VARIANTS) {
        ngx_webrtc_source_open_refuse(hls->run, "the playlist has ",
                                      "too many variants");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* a playlist has been read to its end */

static void
ngx_webrtc_source_hls_done(ngx_webrtc_source_hls_t *hls,
    ngx_webrtc_source_hls_file_t *file)
{
    uint64_t                       end;
    ngx_uint_t                     i;
    ngx_webrtc_source_hls_list_t  *list;

    file->pb->read_packet = hls->read;
    file->opaque = NULL;

    if (ngx_webrtc_source_playlist_end(&file->list) != NGX_OK) {
        return;
    }

    for (i = 0; i < hls->nlists; i++) {
        if (hls->lists[i].url == file->url) {
            break;
        }
    }

    if (i == NGX_WEBRTC_SOURCE_HLS_LISTS) {
        return;
    }

    list = &hls->lists[i];
    end = file->list.sequence + file->list.segments;

    if (i == hls->nlists) {
        hls->nlists++;
        list->url = file->url;
        list->end = 0;
    }

    if (end >= list->end) {
        list->first = file->list.sequence;
        list->end = end;
        list->behind = 0;

    } else {

        /* RFC 8216, 6.2.1: numbers only grow */

        list->behind += list->end - end;

        if (end <= list->first
            || list->behind >= NGX_WEBRTC_SOURCE_HLS_BEHIND)
        {
            hls->anew = 1;
        }
    }

    /* if there are several, the others may no longer be read */

    hls->ended = file->list.ended;
}
