
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The beginning of a recorded MP4.  Any file may be in the directory, so that
 * nothing in it is believed.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_record_head.h"


/* boxes in boxes: moov, trak, mdia, minf, stbl */
#define NGX_WEBRTC_RECORD_HEAD_DEPTH  5

/* ms of a duration that is believed: a year */
#define NGX_WEBRTC_RECORD_HEAD_MS     ((uint64_t) 366 * 86400 * 1000)


static void ngx_webrtc_record_head_boxes(const u_char *p, const u_char *last,
    ngx_uint_t depth, ngx_webrtc_record_head_t *head);
static void ngx_webrtc_record_head_movie(const u_char *p, const u_char *last,
    ngx_webrtc_record_head_t *head);
static void ngx_webrtc_record_head_sample(const u_char *p, const u_char *last,
    ngx_webrtc_record_head_t *head);
static uint32_t ngx_webrtc_record_head_u32(const u_char *p);


static const struct {
    u_char       type[5];
    const char  *name;
} ngx_webrtc_record_head_codecs[] = {
    { "avc1", "H264" },
    { "avc3", "H264" },
    { "hvc1", "H265" },
    { "hev1", "H265" },
    { "vp08", "VP8" },
    { "vp09", "VP9" },
    { "av01", "AV1" },
    { "Opus", "opus" },
    { "mp4a", "AAC" },
    { "ulaw", "PCMU" },
    { "alaw", "PCMA" },
    { "", NULL }
};


void
ngx_webrtc_record_head(const u_char *p, size_t n,
    ngx_webrtc_record_head_t *head)
{
    ngx_memzero(head, sizeof(ngx_webrtc_record_head_t));

    ngx_webrtc_record_head_boxes(p, p + n, 0, head);
}


static void
ngx_webrtc_record_head_boxes(const u_char *p, const u_char *last,
    ngx_uint_t depth, ngx_webrtc_record_head_t *head)
{
    size_t         size;
    const u_char  *end;

    for ( /* void */ ; last - p >= 8; p = end) {
        size = ngx_webrtc_record_head_u32(p);

        if (size < 8) {
            return;
        }

        /* one that goes on beyond what was read ends there */

        end = (size > (size_t) (last - p)) ? last : p + size;

        if (ngx_memcmp(p + 4, "mvhd", 4) == 0) {
            ngx_webrtc_record_head_movie(p + 8, end, head);

        } else if (ngx_memcmp(p + 4, "stsd", 4) == 0) {
            ngx_webrtc_record_head_sample(p + 8, end, head);

        } else if (depth < NGX_WEBRTC_RECORD_HEAD_DEPTH
                   && (ngx_memcmp(p + 4, "moov", 4) == 0
                       || ngx_memcmp(p + 4, "trak", 4) == 0
                       || ngx_memcmp(p + 4, "mdia", 4) == 0
                       || ngx_memcmp(p + 4, "minf", 4) == 0
                       || ngx_memcmp(p + 4, "stbl", 4) == 0))
        {
            ngx_webrtc_record_head_boxes(p + 8, end, depth + 1, head);
        }
    }
}


/* a version, two times, a time scale, the duration in it */

static void
ngx_webrtc_record_head_movie(const u_char *p, const u_char *last,
    ngx_webrtc_record_head_t *head)
{
    size_t    n;
    uint64_t  duration, scale;

    n = (p < last && p[0] == 1) ? 8 : 4;

    if ((size_t) (last - p) < 4 + 2 * n + 4 + n) {
        return;
    }

    scale = ngx_webrtc_record_head_u32(p + 4 + 2 * n);
    p += 4 + 2 * n + 4;

    duration = ngx_webrtc_record_head_u32(p);

    if (n == 8) {
        duration = duration << 32 | ngx_webrtc_record_head_u32(p + 4);
    }

    if (scale == 0 || duration > NGX_WEBRTC_RECORD_HEAD_MS * 1000) {
        return;
    }

    duration = duration * 1000 / scale;

    if (duration <= NGX_WEBRTC_RECORD_HEAD_MS) {
        head->duration_ms = duration;
    }
}


/* the type of the first entry */

static void
ngx_webrtc_record_head_sample(const u_char *p, const u_char *last,
    ngx_webrtc_record_head_t *head)
{
    ngx_uint_t  i;

    if (last - p < 16 || head->n == NGX_WEBRTC_RECORD_HEAD_TRACKS) {
        return;
    }

    for (i = 0; ngx_webrtc_record_head_codecs[i].name; i++) {
        if (ngx_memcmp(p + 12, ngx_webrtc_record_head_codecs[i].type, 4) == 0)
        {
            head->codecs[head->n++] = ngx_webrtc_record_head_codecs[i].name;
            return;
        }
    }
}


static uint32_t
ngx_webrtc_record_head_u32(const u_char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}
