
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Audio of a demuxer: see ngx_webrtc_source_sound.h.
 *
 * The duration comes from the frame itself or from a parser.  The distance of
 * two timestamps does not tell: any number of frames may lie between them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_opus.h"
#include "ngx_webrtc_source_item.h"
#include "ngx_webrtc_source_sound.h"


static int ngx_webrtc_source_sound_split(ngx_webrtc_source_read_t *rd,
    AVStream *st, AVPacket *pkt, int64_t pts);
static int ngx_webrtc_source_sound_part(ngx_webrtc_source_read_t *rd,
    AVStream *st, uint8_t *p, int n);
static int64_t ngx_webrtc_source_sound_duration(ngx_webrtc_source_read_t *rd,
    AVStream *st, u_char *p, size_t n);
static void ngx_webrtc_source_sound_config(ngx_webrtc_source_stream_t *s,
    u_char *p, size_t n);


/*
 * A PES packet has several frames, or parts of them; without a parser it
 * counts as one.  The same goes for RTP packets of RFC 2250 and RFC 4184.
 */

void
ngx_webrtc_source_sound_init(ngx_webrtc_source_read_t *rd, AVStream *st)
{
    enum AVCodecID               id;
    ngx_webrtc_source_stream_t  *s;

    s = &rd->audio;
    id = st->codecpar->codec_id;

    ngx_memzero(&s->aac, sizeof(ngx_webrtc_aac_t));

    ngx_webrtc_source_sound_config(s, st->codecpar->extradata,
                                   st->codecpar->extradata_size);

    if (!rd->ts
        && !(rd->rtp && (st->pts_wrap_bits == 33
                         || id == AV_CODEC_ID_MP2
                         || id == AV_CODEC_ID_MP3
                         || id == AV_CODEC_ID_AC3
                         || id == AV_CODEC_ID_EAC3)))
    {
        return;
    }

    s->parser_ctx = avcodec_alloc_context3(NULL);

    if (s->parser_ctx == NULL
        || avcodec_parameters_to_context(s->parser_ctx, st->codecpar) < 0)
    {
        avcodec_free_context(&s->parser_ctx);
        return;
    }

    s->parser = av_parser_init(id);
}


void
ngx_webrtc_source_sound_close(ngx_webrtc_source_read_t *rd)
{
    ngx_webrtc_source_stream_t  *s;

    s = &rd->audio;

    av_parser_close(s->parser);
    s->parser = NULL;

    avcodec_free_context(&s->parser_ctx);
}


int
ngx_webrtc_source_sound_put(ngx_webrtc_source_read_t *rd, AVPacket *pkt)
{
    size_t                       n;
    int64_t                      pts, duration;
    uint8_t                     *p;
    AVStream                    *st;
    ngx_webrtc_source_stream_t  *s;

    s = &rd->audio;
    st = rd->ic->streams[pkt->stream_index];

    pts = ngx_webrtc_source_item_time(rd, st, pkt->pts != AV_NOPTS_VALUE
                                              ? pkt->pts : pkt->dts);

    if (s->parser) {
        return ngx_webrtc_source_sound_split(rd, st, pkt, pts);
    }

    p = av_packet_get_side_data(pkt, AV_PKT_DATA_NEW_EXTRADATA, &n);

    if (p) {
        ngx_webrtc_source_sound_config(s, p, n);
    }

    duration = pkt->duration > 0
               ? av_rescale_q(pkt->duration, st->time_base,
                              (AVRational) { 1, NGX_WEBRTC_SOURCE_CLOCK })
               : ngx_webrtc_source_sound_duration(rd, st, pkt->data,
                                                  pkt->size);

    return ngx_webrtc_source_item_take(rd, NGX_WEBRTC_AUDIO, pkt, pts, pts,
                                       duration);
}


static int
ngx_webrtc_source_sound_split(ngx_webrtc_source_read_t *rd, AVStream *st,
    AVPacket *pkt, int64_t pts)
{
    int                          n, rc, size;
    u_char                      *p;
    uint8_t                     *out;
    ngx_webrtc_source_stream_t  *s;

    s = &rd->audio;
    p = pkt->data;
    n = pkt->size;

    while (n > 0) {

        rc = av_parser_parse2(s->parser, s->parser_ctx, &out, &size, p, n, pts,
                              pts, 0);

        if (rc < 0 || (rc == 0 && size == 0)) {
            break;
        }

        /* handed out with the first frame that begins in the packet */

        pts = AV_NOPTS_VALUE;

        p += rc;
        n -= rc;

        if (size) {

            rc = ngx_webrtc_source_sound_part(rd, st, out, size);

            if (rc < 0) {
                return rc;
            }
        }
    }

    return 0;
}


static int
ngx_webrtc_source_sound_part(ngx_webrtc_source_read_t *rd, AVStream *st,
    uint8_t *p, int n)
{
    int        rc;
    int64_t    pts;
    AVPacket  *part;

    part = av_packet_alloc();
    if (part == NULL) {
        return AVERROR(ENOMEM);
    }

    rc = av_new_packet(part, n);

    if (rc == 0) {
        ngx_memcpy(part->data, p, n);

        pts = rd->audio.parser->pts;

        rc = ngx_webrtc_source_item_take(rd, NGX_WEBRTC_AUDIO, part, pts, pts,
                            ngx_webrtc_source_sound_duration(rd, st, p, n));
    }

    av_packet_free(&part);

    return rc;
}


/* duration of a frame, 90 kHz, 0: unknown */

static int64_t
ngx_webrtc_source_sound_duration(ngx_webrtc_source_read_t *rd, AVStream *st,
    u_char *p, size_t n)
{
    int64_t                      samples;
    uint32_t                     rate;
    ngx_webrtc_source_stream_t  *s;

    s = &rd->audio;

    switch (s->id) {

    case AV_CODEC_ID_AAC:
        /* with a header, or as configured */
        (void) ngx_webrtc_aac_adts(&s->aac, p, n);

        rate = s->aac.rate;
        samples = s->aac.samples;
        break;

    case AV_CODEC_ID_AAC_LATM:
        (void) ngx_webrtc_aac_loas(&s->aac, p, n);

        rate = s->aac.rate;
        samples = s->aac.samples;
        break;

    case AV_CODEC_ID_OPUS:
        rate = 48000;
        samples = ngx_webrtc_opus_samples(p, n);
        break;

    default:

        if (s->parser) {
            rate = s->parser_ctx->sample_rate;
            samples = s->parser->duration;

        } else {
            rate = st->codecpar->sample_rate;
            samples = av_get_audio_frame_duration2(st->codecpar, n);
        }
    }

    if (rate == 0 || samples <= 0 || samples > rate) {
        return 0;
    }

    return samples * NGX_WEBRTC_SOURCE_CLOCK / rate;
}


/* an AudioSpecificConfig */

static void
ngx_webrtc_source_sound_config(ngx_webrtc_source_stream_t *s, u_char *p,
    size_t n)
{
    if (s->id == AV_CODEC_ID_AAC && n) {
        (void) ngx_webrtc_aac_config(&s->aac, p, n);
    }
}
