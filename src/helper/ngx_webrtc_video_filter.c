
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Pictures between decoder and encoder: see the header file.
 *
 * A graph of libavfilter is made for the first picture, and again whenever one
 * comes that it was not made for.  Where nothing has to be done there is none.
 * Deinterlacing needs the picture that follows, and so delays each by one: it
 * begins with the first interlaced picture.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>

#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_video_decode.h"
#include "ngx_webrtc_video_filter.h"


/* the least that encoders take; chosen: all of ours do */
#define NGX_WEBRTC_VIDEO_FILTER_LEAST  16

/* bytes of the text that describes a graph; chosen: all filters, and more */
#define NGX_WEBRTC_VIDEO_FILTER_TEXT   512

/* and of what is in it about colours */
#define NGX_WEBRTC_VIDEO_FILTER_COLORS  96

/* lines of a picture that does not tell its colours and is taken for HD, as
 * browsers do */
#define NGX_WEBRTC_VIDEO_FILTER_HD     720


static ngx_uint_t ngx_webrtc_video_filter_fits(ngx_webrtc_video_filter_t *f,
    const ngx_webrtc_video_filter_conf_t *conf, const AVFrame *frame);
static ngx_int_t ngx_webrtc_video_filter_make(ngx_webrtc_video_filter_t *f,
    const ngx_webrtc_video_filter_conf_t *conf, const AVFrame *frame);
static ngx_int_t ngx_webrtc_video_filter_link(ngx_webrtc_video_filter_t *f,
    const AVFrame *frame, const char *text);
static AVFilterContext *ngx_webrtc_video_filter_source(
    ngx_webrtc_video_filter_t *f, const AVFrame *frame);
static ngx_uint_t ngx_webrtc_video_filter_text(
    const ngx_webrtc_video_filter_conf_t *conf, const AVFrame *frame,
    ngx_uint_t fields, char *text, size_t size);
static ngx_uint_t ngx_webrtc_video_filter_full(const AVFrame *frame);
static const char *ngx_webrtc_video_filter_matrix(const AVFrame *frame);
static int ngx_webrtc_video_filter_even(int64_t n);


/* by quarters of a turn clockwise, without and with a flip before it */

static const char  *ngx_webrtc_video_filter_turns[] = {
    "",
    "transpose=clock,",
    "hflip,vflip,",
    "transpose=cclock,",
    "hflip,",
    "hflip,transpose=clock,",
    "vflip,",
    "hflip,transpose=cclock,"
};


void
ngx_webrtc_video_filter_size(const ngx_webrtc_video_filter_conf_t *conf,
    const AVFrame *frame, int *width, int *height)
{
    int64_t     w, h, t;
    AVRational  sar;

    w = frame->width;
    h = frame->height;
    sar = frame->sample_aspect_ratio;

    /* samples become square by making less of them; 16: what exists is less */

    if (sar.num > 0 && sar.den > 0
        && sar.num / 16 <= sar.den && sar.den / 16 <= sar.num)
    {
        if (sar.num > sar.den) {
            h = h * sar.den / sar.num;

        } else {
            w = w * sar.num / sar.den;
        }
    }

    if (conf->cvo & 1) {
        t = w;
        w = h;
        h = t;
    }

    w = ngx_max(w, 1);
    h = ngx_max(h, 1);

    if (conf->width && w > (int64_t) conf->width) {
        h = (h * conf->width + w / 2) / w;
        w = conf->width;
    }

    if (conf->height && h > (int64_t) conf->height) {
        w = (w * conf->height + h / 2) / h;
        h = conf->height;
    }

    *width = ngx_webrtc_video_filter_even(w);
    *height = ngx_webrtc_video_filter_even(h);
}


static int
ngx_webrtc_video_filter_even(int64_t n)
{
    n &= ~(int64_t) 1;

    return (int) ngx_max(n, NGX_WEBRTC_VIDEO_FILTER_LEAST);
}


ngx_int_t
ngx_webrtc_video_filter_put(ngx_webrtc_video_filter_t *f,
    const ngx_webrtc_video_filter_conf_t *conf, AVFrame *frame)
{
    if (frame == NULL) {
        return (f->graph && av_buffersrc_add_frame(f->in, NULL) >= 0)
               ? NGX_OK : NGX_ERROR;
    }

    if (!ngx_webrtc_video_filter_fits(f, conf, frame)) {

        ngx_webrtc_video_filter_reset(f);

        if (ngx_webrtc_video_filter_make(f, conf, frame) != NGX_OK) {
            ngx_webrtc_video_filter_reset(f);
            av_frame_unref(frame);
            return NGX_ERROR;
        }
    }

    if (f->graph == NULL) {
        av_frame_unref(f->same);
        av_frame_move_ref(f->same, frame);
        return NGX_OK;
    }

    if (av_buffersrc_add_frame(f->in, frame) < 0) {
        av_frame_unref(frame);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_video_filter_get(ngx_webrtc_video_filter_t *f, AVFrame *frame)
{
    if (f->graph == NULL) {

        if (f->same == NULL || f->same->buf[0] == NULL) {
            return NGX_AGAIN;
        }

        av_frame_move_ref(frame, f->same);
        return NGX_OK;
    }

    if (av_buffersink_get_frame(f->out, frame) < 0) {
        return NGX_AGAIN;
    }

    if (frame->pts != AV_NOPTS_VALUE) {
        frame->pts = av_rescale_q(frame->pts,
                            av_buffersink_get_time_base(f->out),
                            (AVRational) { 1, NGX_WEBRTC_VIDEO_CLOCK });
    }

    return NGX_OK;
}


void
ngx_webrtc_video_filter_reset(ngx_webrtc_video_filter_t *f)
{
    avfilter_graph_free(&f->graph);
    av_frame_free(&f->same);

    ngx_memzero(f, sizeof(ngx_webrtc_video_filter_t));
}


static ngx_uint_t
ngx_webrtc_video_filter_fits(ngx_webrtc_video_filter_t *f,
    const ngx_webrtc_video_filter_conf_t *conf, const AVFrame *frame)
{
    return f->made
           && f->conf.width == conf->width
           && f->conf.height == conf->height
           && f->conf.format == conf->format
           && f->conf.cvo == conf->cvo
           && f->conf.deinterlace == conf->deinterlace
           && f->conf.still == conf->still
           && f->conf.full == conf->full
           && f->width == frame->width
           && f->height == frame->height
           && f->format == frame->format
           && f->range == (int) frame->color_range
           && f->space == (int) frame->colorspace
           && av_cmp_q(f->sar, frame->sample_aspect_ratio) == 0
           && (f->fields || !conf->deinterlace
               || !ngx_webrtc_video_decode_interlaced(frame));
}


static ngx_int_t
ngx_webrtc_video_filter_make(ngx_webrtc_video_filter_t *f,
    const ngx_webrtc_video_filter_conf_t *conf, const AVFrame *frame)
{
    char  text[NGX_WEBRTC_VIDEO_FILTER_TEXT];

    f->conf = *conf;
    f->width = frame->width;
    f->height = frame->height;
    f->format = frame->format;
    f->range = frame->color_range;
    f->space = frame->colorspace;
    f->sar = frame->sample_aspect_ratio;
    f->fields = conf->deinterlace
                && ngx_webrtc_video_decode_interlaced(frame);
    f->made = 1;

    f->same = av_frame_alloc();

    if (f->same == NULL) {
        return NGX_ERROR;
    }

    if (!ngx_webrtc_video_filter_text(conf, frame, f->fields, text,
                                      sizeof(text)))
    {
        return NGX_OK;
    }

    return ngx_webrtc_video_filter_link(f, frame, text);
}


static ngx_int_t
ngx_webrtc_video_filter_link(ngx_webrtc_video_filter_t *f,
    const AVFrame *frame, const char *text)
{
    ngx_int_t       rc;
    AVFilterInOut  *in, *out;

    rc = NGX_ERROR;
    in = avfilter_inout_alloc();
    out = avfilter_inout_alloc();
    f->graph = avfilter_graph_alloc();

    if (in == NULL || out == NULL || f->graph == NULL) {
        goto done;
    }

    f->graph->nb_threads = 1;

    f->in = ngx_webrtc_video_filter_source(f, frame);

    if (f->in == NULL
        || avfilter_graph_create_filter(&f->out,
                                        avfilter_get_by_name("buffersink"),
                                        "out", NULL, NULL, f->graph)
           < 0)
    {
        goto done;
    }

    /* of the text: its input is our source's output, and so on */

    out->name = av_strdup("in");
    out->filter_ctx = f->in;
    in->name = av_strdup("out");
    in->filter_ctx = f->out;

    if (avfilter_graph_parse_ptr(f->graph, text, &in, &out, NULL) >= 0
        && avfilter_graph_config(f->graph, NULL) >= 0)
    {
        rc = NGX_OK;
    }

done:

    avfilter_inout_free(&in);
    avfilter_inout_free(&out);

    return rc;
}


static AVFilterContext *
ngx_webrtc_video_filter_source(ngx_webrtc_video_filter_t *f,
    const AVFrame *frame)
{
    int                      rc;
    AVFilterContext         *in;
    AVBufferSrcParameters   *par;

    in = avfilter_graph_alloc_filter(f->graph, avfilter_get_by_name("buffer"),
                                     "in");
    par = av_buffersrc_parameters_alloc();

    if (in == NULL || par == NULL) {
        av_free(par);
        return NULL;
    }

    par->format = frame->format;
    par->width = frame->width;
    par->height = frame->height;
    par->sample_aspect_ratio = frame->sample_aspect_ratio;
    par->time_base = (AVRational) { 1, NGX_WEBRTC_VIDEO_CLOCK };

#if (LIBAVFILTER_VERSION_MAJOR >= 10)
    par->color_space = frame->colorspace;
    par->color_range = frame->color_range;
#endif

    rc = av_buffersrc_parameters_set(in, par);

    av_free(par);

    return (rc >= 0 && avfilter_init_str(in, NULL) >= 0) ? in : NULL;
}


/* 0: nothing has to be done */

static ngx_uint_t
ngx_webrtc_video_filter_text(const ngx_webrtc_video_filter_conf_t *conf,
    const AVFrame *frame, ngx_uint_t fields, char *text, size_t size)
{
    int          width, height;
    char         colors[NGX_WEBRTC_VIDEO_FILTER_COLORS];
    const char  *format, *turn;

    ngx_webrtc_video_filter_size(conf, frame, &width, &height);

    turn = ngx_webrtc_video_filter_turns[conf->cvo & NGX_WEBRTC_CVO_MASK];
    format = av_get_pix_fmt_name(conf->format);

    if (!fields
        && *turn == '\0'
        && width == frame->width
        && height == frame->height
        && conf->format == frame->format
        && !conf->still
        && !ngx_webrtc_video_filter_full(frame))
    {
        return 0;
    }

    colors[0] = '\0';

    if (conf->still) {
        (void) snprintf(colors, sizeof(colors),
                        "in_color_matrix=%s:out_color_matrix=bt601:",
                        ngx_webrtc_video_filter_matrix(frame));
    }

    /* turned last: there is less to turn */

    (void) snprintf(text, size,
                    "%sscale=w=%d:h=%d:flags=bilinear:%sout_range=%s,"
                    "format=%s,%ssetsar=1",
                    fields ? "bwdif=mode=send_frame:deint=interlaced," : "",
                    (conf->cvo & 1) ? height : width,
                    (conf->cvo & 1) ? width : height,
                    colors, conf->full ? "pc" : "tv",
                    format ? format : "yuv420p", turn);

    return 1;
}


static ngx_uint_t
ngx_webrtc_video_filter_full(const AVFrame *frame)
{
    return frame->color_range == AVCOL_RANGE_JPEG;
}


static const char *
ngx_webrtc_video_filter_matrix(const AVFrame *frame)
{
    switch (frame->colorspace) {

    case AVCOL_SPC_BT709:
        return "bt709";

    case AVCOL_SPC_SMPTE240M:
        return "smpte240m";

    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return "bt2020";

    case AVCOL_SPC_UNSPECIFIED:
        return ngx_min(frame->width, frame->height)
               >= NGX_WEBRTC_VIDEO_FILTER_HD ? "bt709" : "bt601";

    default:
        return "bt601";
    }
}
