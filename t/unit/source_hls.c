
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Media playlists as libavformat reads them one after the other: which of them
 * begin anew.
 */


#include "ngx_webrtc_source_hls.h"
#include "tap.h"


/* EXT-X-MEDIA-SEQUENCE and how many segments there are */
typedef struct {
    ngx_uint_t   sequence;
    ngx_uint_t   segments;
} list_t;


static const struct {
    const char  *name;
    list_t       lists[16];
    ngx_uint_t   anew;         /* the how many-th does, 0: none */
} rows[] = {

    { "live", { { 7, 4 }, { 7, 4 }, { 8, 4 }, { 11, 4 } }, 0 },
    { "grows", { { 0, 1 }, { 0, 2 }, { 0, 3 } }, 0 },

    { "one is a segment behind",
      { { 7, 4 }, { 6, 4 }, { 7, 4 }, { 7, 4 }, { 8, 4 } }, 0 },
    { "it takes turns",
      { { 7, 4 }, { 6, 4 }, { 8, 4 }, { 7, 4 }, { 9, 4 }, { 8, 4 }, { 10, 4 },
        { 9, 4 }, { 11, 4 }, { 10, 4 }, { 12, 4 }, { 11, 4 }, { 13, 4 } }, 0 },
    { "it stays so",
      { { 7, 4 }, { 6, 4 }, { 6, 4 }, { 6, 4 }, { 7, 4 }, { 8, 4 } }, 0 },
    { "two segments behind",
      { { 7, 4 }, { 5, 4 }, { 5, 4 }, { 6, 4 }, { 6, 4 }, { 7, 4 } }, 0 },
    { "behind at the beginning", { { 0, 2 }, { 0, 1 }, { 0, 2 } }, 0 },

    { "begins anew", { { 7, 4 }, { 0, 1 } }, 2 },
    { "begins anew, after a day", { { 86400, 4 }, { 0, 4 } }, 2 },
    { "begins anew, up to where it was", { { 3, 4 }, { 0, 3 } }, 2 },
    { "begins anew soon",
      { { 0, 6 }, { 0, 1 }, { 0, 1 }, { 0, 2 }, { 0, 2 } }, 3 },
    { "begins anew and stays behind",
      { { 0, 4 }, { 0, 3 }, { 0, 3 }, { 0, 3 }, { 0, 3 }, { 0, 3 }, { 0, 3 },
        { 0, 3 } }, 8 },
    { "begins anew with nothing", { { 0, 4 }, { 0, 0 } }, 2 },

    { NULL, { { 0, 0 } }, 0 }
};


static char    text[4096];
static size_t  at, len;


static int
text_read(void *opaque, uint8_t *buf, int size)
{
    size_t  n;

    (void) opaque;

    n = ngx_min((size_t) size, len - at);

    if (n == 0) {
        return AVERROR_EOF;
    }

    ngx_memcpy(buf, text + at, n);
    at += n;

    return (int) n;
}


static int
text_open(AVFormatContext *ic, AVIOContext **pb, const char *url, int flags,
    AVDictionary **options)
{
    (void) ic;
    (void) url;
    (void) flags;
    (void) options;

    at = 0;
    *pb = avio_alloc_context(av_malloc(512), 512, 0, text, text_read, NULL,
                             NULL);

    return *pb ? 0 : AVERROR(ENOMEM);
}


static void
list_read(AVFormatContext *ic, const list_t *list)
{
    u_char       buf[256];
    ngx_uint_t   i;
    AVIOContext  *pb;

    len = sprintf(text, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
                  "#EXT-X-MEDIA-SEQUENCE:%u\n", (unsigned) list->sequence);

    for (i = 0; i < list->segments; i++) {
        len += sprintf(text + len, "#EXTINF:2.0,\nlive.ts\n");
    }

    if (ic->io_open(ic, &pb, "http://127.0.0.1/live.m3u8", AVIO_FLAG_READ,
                    NULL) < 0)
    {
        abort();
    }

    while (avio_read(pb, buf, sizeof(buf)) > 0) {
        /* void */
    }

    av_freep(&pb->buffer);
    avio_context_free(&pb);
}


int
main(void)
{
    ngx_uint_t        i, k, anew;
    AVFormatContext  *ic;

    static ngx_webrtc_source_run_t     run;
    static ngx_webrtc_source_from_t    from;
    static ngx_webrtc_source_thread_t  th;

    from.lists = 1;
    th.at = &from;

    for (i = 0; rows[i].name; i++) {

        ic = avformat_alloc_context();

        if (ic == NULL) {
            abort();
        }

        ic->io_open = text_open;

        ngx_memzero(&run, sizeof(run));
        run.ic = ic;
        run.th = &th;
        ngx_webrtc_source_hls_attach(&run);

        anew = 0;

        for (k = 0; k < 16 && (rows[i].lists[k].sequence
                               || rows[i].lists[k].segments
                               || k + 1 == rows[i].anew);
             k++)
        {
            list_read(ic, &rows[i].lists[k]);

            if (run.hls.anew && !anew) {
                anew = k + 1;
            }
        }

        tap_is_int(anew, rows[i].anew, "%s", rows[i].name);

        avformat_free_context(ic);
    }

    return tap_done();
}
