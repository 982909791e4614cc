
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fragments of MP4 (ngx_webrtc_movie_mux.h): each is whole when it is written,
 * so a file whose writer was killed lacks the last one at most.
 *
 * Players that do not look for the last fragment take a file's length from its
 * head, which is written before that is known: it is set at the end.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/display.h>

#include "ngx_webrtc_movie_mux.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_writer.h"


typedef struct {
    ngx_webrtc_movie_mux_t   mux;
    u_char                  *head;       /* what was written first */
    size_t                   nhead;
    unsigned                 has:1;      /* the head has been written */
} ngx_webrtc_writer_fmp4_t;


static ngx_int_t ngx_webrtc_writer_fmp4_begin(ngx_webrtc_writer_t *w);
static ngx_int_t ngx_webrtc_writer_fmp4_packet(ngx_webrtc_writer_t *w,
    ngx_uint_t i, AVPacket *pkt);
static ngx_int_t ngx_webrtc_writer_fmp4_out(ngx_webrtc_writer_t *w);
static ngx_int_t ngx_webrtc_writer_fmp4_head(ngx_webrtc_writer_t *w);
static ngx_uint_t ngx_webrtc_writer_fmp4_key(ngx_webrtc_movie_mux_t *mux);
static void ngx_webrtc_writer_fmp4_end(ngx_webrtc_writer_t *w);
static void ngx_webrtc_writer_fmp4_last(ngx_webrtc_writer_t *w);
static void ngx_webrtc_writer_fmp4_boxes(u_char *p, u_char *last,
    int64_t ms);
static void ngx_webrtc_writer_fmp4_length(u_char *p, u_char *last,
    ngx_uint_t times, uint32_t scale, int64_t ms);
static uint32_t ngx_webrtc_writer_fmp4_u32(const u_char *p);
static void ngx_webrtc_writer_fmp4_free(ngx_webrtc_writer_t *w);


const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_fmp4 = {
    "fmp4",
    "mp4",
    NULL,
    AV_CODEC_ID_NONE,
    ngx_webrtc_writer_fmp4_begin,
    ngx_webrtc_writer_fmp4_packet,
    ngx_webrtc_writer_fmp4_end,
    ngx_webrtc_writer_fmp4_free,
    NULL
};


static ngx_int_t
ngx_webrtc_writer_fmp4_begin(ngx_webrtc_writer_t *w)
{
    ngx_uint_t                  depth;
    ngx_webrtc_writer_fmp4_t   *part;
    ngx_webrtc_writer_track_t  *video;

    part = calloc(1, sizeof(ngx_webrtc_writer_fmp4_t));

    if (part == NULL) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
        return NGX_ERROR;
    }

    w->part = part;

    video = &w->tracks[NGX_WEBRTC_MEDIA_VIDEO];

    depth = (video->traits & NGX_WEBRTC_TRACK_REORDERED)
            ? NGX_WEBRTC_WRITER_DEPTH : 0;

    if (ngx_webrtc_movie_mux_begin(&part->mux, video->par,
                                   w->tracks[NGX_WEBRTC_MEDIA_AUDIO].par,
                                   depth, 0)
        != NGX_OK)
    {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
        return NGX_ERROR;
    }

    if (w->conf->seek == NULL) {
        ngx_webrtc_movie_mux_live(&part->mux);
    }

    ngx_webrtc_writer_fmp4_turn(w, &part->mux);

    return NGX_OK;
}


void
ngx_webrtc_writer_fmp4_turn(ngx_webrtc_writer_t *w,
    ngx_webrtc_movie_mux_t *mux)
{
    int32_t  matrix[9];

    if ((w->cvo & NGX_WEBRTC_CVO_MASK) == 0) {
        return;
    }

    av_display_rotation_set(matrix, (w->cvo & NGX_WEBRTC_CVO_QUARTERS) * 90.0);

    if (w->cvo & NGX_WEBRTC_CVO_FLIP) {
        av_display_matrix_flip(matrix, 1, 0);
    }

    ngx_webrtc_movie_mux_turn(mux, (uint8_t *) matrix);
}


static ngx_int_t
ngx_webrtc_writer_fmp4_packet(ngx_webrtc_writer_t *w, ngx_uint_t i,
    AVPacket *pkt)
{
    ngx_webrtc_writer_fmp4_t  *part;

    part = w->part;

    pkt->dts = pkt->pts;

    if (ngx_webrtc_movie_mux_packet(&part->mux, i == NGX_WEBRTC_MEDIA_VIDEO,
                                    pkt,
                                    av_make_q(1, (int) w->tracks[i].units))
        != NGX_OK)
    {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory, or too much of one "
                              "track before the other");
        return NGX_ERROR;
    }

    return ngx_webrtc_writer_fmp4_out(w);
}


/* what is complete */

static ngx_int_t
ngx_webrtc_writer_fmp4_out(ngx_webrtc_writer_t *w)
{
    int64_t                    cut_us;
    ngx_int_t                  rc;
    ngx_uint_t                 key;
    ngx_webrtc_movie_mux_t    *mux;
    ngx_webrtc_writer_fmp4_t  *part;

    part = w->part;
    mux = &part->mux;

    while (ngx_webrtc_movie_mux_ready(mux, &cut_us) == NGX_OK) {

        if (!part->has && ngx_webrtc_writer_fmp4_head(w) != NGX_OK) {
            return NGX_ERROR;
        }

        key = ngx_webrtc_writer_fmp4_key(mux);

        rc = ngx_webrtc_movie_mux_fragment(mux, cut_us);

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (rc != NGX_OK) {
            ngx_webrtc_writer_say(w, NGX_LOG_ERR, "no memory");
            return NGX_ERROR;
        }

        if (w->conf->bytes(w->conf->ctx, mux->out.data, mux->out.len,
                           key ? NGX_WEBRTC_MEDIA_MUXED_KEY : 0)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_writer_fmp4_head(ngx_webrtc_writer_t *w)
{
    ngx_webrtc_movie_buf_t    *out;
    ngx_webrtc_writer_fmp4_t  *part;

    part = w->part;
    out = &part->mux.out;

    if (ngx_webrtc_movie_mux_init(&part->mux) != NGX_OK) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "the stream's parameters do not "
                              "describe it");
        return NGX_ERROR;
    }

    part->head = malloc(out->len);

    if (part->head) {
        ngx_memcpy(part->head, out->data, out->len);
        part->nhead = out->len;
    }

    part->has = 1;

    return w->conf->bytes(w->conf->ctx, out->data, out->len,
                          NGX_WEBRTC_MEDIA_MUXED_HEAD);
}


/* may a decoder begin with the next fragment? */

static ngx_uint_t
ngx_webrtc_writer_fmp4_key(ngx_webrtc_movie_mux_t *mux)
{
    ngx_uint_t                     i;
    ngx_webrtc_movie_mux_track_t  *t;

    for (i = 0; i < mux->ntracks; i++) {
        t = &mux->tracks[i];

        if (t->video) {
            return t->n && (t->samples[0].pkt->flags & AV_PKT_FLAG_KEY);
        }
    }

    return 1;
}


static void
ngx_webrtc_writer_fmp4_end(ngx_webrtc_writer_t *w)
{
    ngx_webrtc_writer_fmp4_t  *part;

    part = w->part;

    ngx_webrtc_movie_mux_flush(&part->mux);

    if (ngx_webrtc_writer_fmp4_out(w) == NGX_OK) {
        ngx_webrtc_writer_fmp4_last(w);
    }
}


static void
ngx_webrtc_writer_fmp4_last(ngx_webrtc_writer_t *w)
{
    ngx_webrtc_writer_fmp4_t  *part;

    part = w->part;

    if (part->head == NULL || w->conf->seek == NULL
        || w->conf->seek(w->conf->ctx, 0) != 0)
    {
        return;
    }

    ngx_webrtc_writer_fmp4_boxes(part->head, part->head + part->nhead,
                                 ngx_webrtc_writer_ms(w));

    (void) w->conf->bytes(w->conf->ctx, part->head, part->nhead,
                          NGX_WEBRTC_MEDIA_MUXED_HEAD);

    (void) w->conf->seek(w->conf->ctx, -1);
}


/* durations of ISO/IEC 14496-12, 8.2.2, 8.3.2 and 8.4.2; boxes of ours */

static void
ngx_webrtc_writer_fmp4_boxes(u_char *p, u_char *last, int64_t ms)
{
    u_char    *end;
    size_t     size;
    uint32_t   scale;

    /* of the movie, which comes before its tracks and counts for their tkhd */

    scale = 1000;

    for ( /* void */ ; last - p >= 8; p = end) {
        size = ngx_webrtc_writer_fmp4_u32(p);

        if (size < 8 || size > (size_t) (last - p)) {
            return;
        }

        end = p + size;

        if (ngx_memcmp(p + 4, "moov", 4) == 0
            || ngx_memcmp(p + 4, "trak", 4) == 0
            || ngx_memcmp(p + 4, "mdia", 4) == 0)
        {
            ngx_webrtc_writer_fmp4_boxes(p + 8, end, ms);

        } else if (ngx_memcmp(p + 4, "mvhd", 4) == 0
                   || ngx_memcmp(p + 4, "mdhd", 4) == 0)
        {
            ngx_webrtc_writer_fmp4_length(p + 8, end, 1, 0, ms);

        } else if (ngx_memcmp(p + 4, "tkhd", 4) == 0) {
            ngx_webrtc_writer_fmp4_length(p + 8, end, 0, scale, ms);
        }
    }
}


/*
 * Sets the duration of a full box that has two times, and then its time scale
 * (times), or an id and a reserved word.
 */

static void
ngx_webrtc_writer_fmp4_length(u_char *p, u_char *last, ngx_uint_t times,
    uint32_t scale, int64_t ms)
{
    size_t   at, n;
    int64_t  v;

    n = (p < last && p[0] == 1) ? 8 : 4;
    at = 4 + 2 * n + (times ? 4 : 8);

    if ((size_t) (last - p) < at + n) {
        return;
    }

    if (times) {
        scale = ngx_webrtc_writer_fmp4_u32(p + 4 + 2 * n);
    }

    v = av_rescale(ms, scale, 1000);

    if (n == 4 && v > UINT32_MAX) {
        return;
    }

    for (p += at + n; n; n--, v >>= 8) {
        *--p = (u_char) v;
    }
}


static uint32_t
ngx_webrtc_writer_fmp4_u32(const u_char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


static void
ngx_webrtc_writer_fmp4_free(ngx_webrtc_writer_t *w)
{
    ngx_webrtc_writer_fmp4_t  *part;

    part = w->part;

    if (part) {
        ngx_webrtc_movie_mux_end(&part->mux);
        free(part->head);
        free(part);

        w->part = NULL;
    }
}
