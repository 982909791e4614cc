
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The initialization segment of ngx_webrtc_movie_mux.h: libavformat's muxer is
 * given the first packet of each track, and what it then writes in front of
 * them is taken.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_mux.h"


/* FF_COMPLIANCE_EXPERIMENTAL: FLAC, and what else is new in MP4 for FFmpeg */
#define NGX_WEBRTC_MOVIE_MUX_STRICT  (-2)


static AVFormatContext *ngx_webrtc_movie_mux_open(ngx_webrtc_movie_mux_t *mux);
static ngx_int_t ngx_webrtc_movie_mux_matrix(ngx_webrtc_movie_mux_t *mux,
    AVStream *st);
static size_t ngx_webrtc_movie_mux_boxes(const u_char *p, size_t n);


ngx_int_t
ngx_webrtc_movie_mux_init(ngx_webrtc_movie_mux_t *mux)
{
    int               n;
    u_char           *p, *data;
    size_t            len;
    AVPacket         *pkt;
    ngx_int_t         rc;
    ngx_uint_t        i;
    AVFormatContext  *oc;

    oc = ngx_webrtc_movie_mux_open(mux);

    if (oc == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;
    pkt = av_packet_alloc();

    for (i = 0; pkt && i < mux->ntracks; i++) {

        if (mux->tracks[i].n == 0
            || av_packet_ref(pkt, mux->tracks[i].samples[0].pkt) < 0)
        {
            continue;
        }

        /* its times do not matter */

        pkt->stream_index = (int) i;
        pkt->pts = 0;
        pkt->dts = 0;
        pkt->duration = 1;

        (void) av_write_frame(oc, pkt);
        av_packet_unref(pkt);
    }

    av_packet_free(&pkt);

    (void) av_write_frame(oc, NULL);

    n = avio_close_dyn_buf(oc->pb, &data);
    oc->pb = NULL;

    len = ngx_webrtc_movie_mux_boxes(data, n > 0 ? (size_t) n : 0);

    if (len) {
        mux->out.len = 0;
        mux->out.failed = 0;

        p = ngx_webrtc_movie_buf_add(&mux->out, len);

        if (p) {
            ngx_memcpy(p, data, len);
            rc = NGX_OK;
        }
    }

    av_free(data);
    avformat_free_context(oc);

    return rc;
}


static AVFormatContext *
ngx_webrtc_movie_mux_open(ngx_webrtc_movie_mux_t *mux)
{
    u_char           *data;
    AVStream         *st;
    ngx_uint_t        i;
    AVDictionary     *options;
    AVFormatContext  *oc;

    oc = NULL;
    options = NULL;

    if (avformat_alloc_output_context2(&oc, NULL, "mp4", NULL) < 0
        || avio_open_dyn_buf(&oc->pb) < 0)
    {
        avformat_free_context(oc);
        return NULL;
    }

    oc->strict_std_compliance = NGX_WEBRTC_MOVIE_MUX_STRICT;

    for (i = 0; i < mux->ntracks; i++) {
        st = avformat_new_stream(oc, NULL);

        if (st == NULL
            || avcodec_parameters_copy(st->codecpar, mux->tracks[i].par) < 0)
        {
            goto failed;
        }

        st->time_base = av_make_q(1, (int) mux->tracks[i].clock);

        if (mux->turned && mux->tracks[i].video
            && ngx_webrtc_movie_mux_matrix(mux, st) != NGX_OK)
        {
            goto failed;
        }
    }

    (void) av_dict_set(&options, "movflags",
                       "frag_custom+empty_moov+delay_moov+default_base_moof",
                       0);
    (void) av_dict_set(&options, "use_editlist", "0", 0);
    (void) av_dict_set_int(&options, "video_track_timescale",
                           NGX_WEBRTC_MOVIE_MUX_CLOCK, 0);

    if (avformat_write_header(oc, &options) < 0) {
        goto failed;
    }

    av_dict_free(&options);

    for (i = 0; i < mux->ntracks; i++) {
        if (oc->streams[i]->time_base.den != (int) mux->tracks[i].clock) {
            goto failed;
        }
    }

    return oc;

failed:

    av_dict_free(&options);

    (void) avio_close_dyn_buf(oc->pb, &data);
    av_free(data);
    oc->pb = NULL;

    avformat_free_context(oc);

    return NULL;
}


static ngx_int_t
ngx_webrtc_movie_mux_matrix(ngx_webrtc_movie_mux_t *mux, AVStream *st)
{
    uint8_t           *data;

#if (LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100))

    AVPacketSideData  *sd;

    sd = av_packet_side_data_new(&st->codecpar->coded_side_data,
                                 &st->codecpar->nb_coded_side_data,
                                 AV_PKT_DATA_DISPLAYMATRIX,
                                 sizeof(mux->matrix), 0);
    data = sd ? sd->data : NULL;

#else

    data = av_stream_new_side_data(st, AV_PKT_DATA_DISPLAYMATRIX,
                                   sizeof(mux->matrix));

#endif

    if (data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(data, mux->matrix, sizeof(mux->matrix));

    return NGX_OK;
}


/* bytes of ftyp and moov; 0: there is no moov */

static size_t
ngx_webrtc_movie_mux_boxes(const u_char *p, size_t n)
{
    size_t  at, size;

    for (at = 0; at + 8 <= n; at += size) {
        size = (size_t) p[at] << 24 | p[at + 1] << 16 | p[at + 2] << 8
               | p[at + 3];

        if (size < 8 || size > n - at) {
            break;
        }

        if (ngx_memcmp(p + at + 4, "moov", 4) == 0) {
            return at + size;
        }
    }

    return 0;
}
