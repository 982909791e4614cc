
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Video of codecs other than H.264 and H.265 from a byte stream: MPEG-TS, or
 * RTP whose depacketizer gives pieces of pictures.  It is transcoded, so one
 * picture of delay, which the parser needs, is nothing.
 *
 * Pictures without a time follow the last one that has one at the distance that
 * was seen last; decoders use the times of those that have some.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_codecs.h"
#include "ngx_webrtc_source_unit.h"


/* 90 kHz; 25 pictures per second, as long as there is nothing to go by */
#define NGX_WEBRTC_SOURCE_PARSE_STEP      3600

/* 90 kHz; chosen: no distance between two pictures is longer */
#define NGX_WEBRTC_SOURCE_PARSE_STEP_MAX  90000


static int ngx_webrtc_source_unit_parse_out(ngx_webrtc_source_unit_t *u,
    u_char *p, int n);
static int64_t ngx_webrtc_source_unit_parse_time(ngx_webrtc_source_unit_t *u);
static void ngx_webrtc_source_unit_parse_track(AVCodecParserContext *parser,
    AVCodecContext *ctx, ngx_webrtc_track_t *track);


void
ngx_webrtc_source_unit_parse_init(ngx_webrtc_source_unit_t *u,
    const AVCodecParameters *par)
{
    if (par->codec_id == AV_CODEC_ID_MJPEG
        || par->codec_id == AV_CODEC_ID_VP8
        || par->codec_id == AV_CODEC_ID_VP9
        || par->codec_id == AV_CODEC_ID_AV1)
    {
        /* packets are frames everywhere */
        return;
    }

    u->parser_ctx = avcodec_alloc_context3(NULL);

    if (u->parser_ctx
        && avcodec_parameters_to_context(u->parser_ctx, par) >= 0)
    {
        u->parser = av_parser_init(par->codec_id);
    }

    if (u->parser) {
        u->state = NGX_WEBRTC_SOURCE_UNIT_PARSE;
    }
}


int
ngx_webrtc_source_unit_parse(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts)
{
    int       n, rc, left, size;
    uint8_t  *p, *out;

    p = pkt ? pkt->data : NULL;
    left = pkt ? pkt->size : 0;

    do {
        n = av_parser_parse2(u->parser, u->parser_ctx, &out, &size, p, left,
                             pts, dts, 0);

        if (n < 0 || n > left) {
            u->damaged++;
            return 0;
        }

        /* the time is that of what begins in this packet: once */

        pts = AV_NOPTS_VALUE;
        dts = AV_NOPTS_VALUE;

        if (size > 0) {
            rc = ngx_webrtc_source_unit_parse_out(u, out, size);

            if (rc < 0) {
                return rc;
            }

        } else if (n == 0) {
            break;
        }

        if (p) {
            p += n;
            left -= n;
        }

    } while (left > 0);

    return 0;
}


static int
ngx_webrtc_source_unit_parse_out(ngx_webrtc_source_unit_t *u, u_char *p, int n)
{
    int                    rc;
    int64_t                pts, dts;
    AVPacket              *pkt;
    AVCodecParserContext  *parser;

    parser = u->parser;

    pts = parser->pts;
    dts = parser->dts;

    if (dts == AV_NOPTS_VALUE) {
        dts = ngx_webrtc_source_unit_parse_time(u);
    }

    if (dts == AV_NOPTS_VALUE) {
        dts = pts;
    }

    if (dts == AV_NOPTS_VALUE) {
        /* no time, no place */
        u->damaged++;
        return 0;
    }

    if (pts == AV_NOPTS_VALUE) {
        pts = dts;
    }

    if (u->set && dts > u->dts
        && dts - u->dts <= NGX_WEBRTC_SOURCE_PARSE_STEP_MAX)
    {
        u->step = dts - u->dts;
    }

    u->set = 1;
    u->dts = dts;

    pkt = av_packet_alloc();

    if (pkt == NULL || av_new_packet(pkt, n) < 0) {
        av_packet_free(&pkt);
        return AVERROR(ENOMEM);
    }

    ngx_memcpy(pkt->data, p, n);

    if (parser->key_frame == 1
        || (parser->key_frame == -1
            && parser->pict_type == AV_PICTURE_TYPE_I))
    {
        pkt->flags |= AV_PKT_FLAG_KEY;
    }

    rc = u->out(u->ctx, pkt, pts, dts, 0);

    av_packet_free(&pkt);

    return rc;
}


/* of a picture that has none, in decoding order */

static int64_t
ngx_webrtc_source_unit_parse_time(ngx_webrtc_source_unit_t *u)
{
    if (u->parser->pts != AV_NOPTS_VALUE
        && u->parser->pict_type == AV_PICTURE_TYPE_B)
    {
        /* shown at once: H.222.0, 2.4.3.7 */
        return u->parser->pts;
    }

    if (!u->set) {
        return AV_NOPTS_VALUE;
    }

    return u->dts + (u->step ? u->step : NGX_WEBRTC_SOURCE_PARSE_STEP);
}


void
ngx_webrtc_source_unit_track(ngx_webrtc_source_unit_t *u,
    const AVCodecParameters *par, AVPacket *pkt, ngx_webrtc_track_t *track)
{
    int                    size;
    uint8_t               *out;
    AVCodecContext        *ctx;
    AVCodecParserContext  *parser;

    ngx_webrtc_source_codecs_track(par, track);

    if (u->state == NGX_WEBRTC_SOURCE_UNIT_PARSE) {
        ngx_webrtc_source_unit_parse_track(u->parser, u->parser_ctx, track);
        return;
    }

    parser = av_parser_init(par->codec_id);
    ctx = avcodec_alloc_context3(NULL);

    if (parser && ctx && avcodec_parameters_to_context(ctx, par) >= 0) {
        parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;

        (void) av_parser_parse2(parser, ctx, &out, &size, pkt->data, pkt->size,
                                AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0);

        ngx_webrtc_source_unit_parse_track(parser, ctx, track);
    }

    avcodec_free_context(&ctx);
    av_parser_close(parser);

    if (track->width == 0) {
        ngx_webrtc_source_codecs_size(track, pkt->data, pkt->size);
    }
}


static void
ngx_webrtc_source_unit_parse_track(AVCodecParserContext *parser,
    AVCodecContext *ctx, ngx_webrtc_track_t *track)
{
    AVCodecParameters  *known;

    known = avcodec_parameters_alloc();

    if (known && avcodec_parameters_from_context(known, ctx) >= 0) {

        if (parser->width > 0 && parser->height > 0) {
            known->width = parser->width;
            known->height = parser->height;
        }

        if (parser->format >= 0) {
            known->format = parser->format;
        }

        if (parser->field_order > AV_FIELD_PROGRESSIVE) {
            known->field_order = parser->field_order;
        }

        ngx_webrtc_source_codecs_track(known, track);
    }

    avcodec_parameters_free(&known);
}
