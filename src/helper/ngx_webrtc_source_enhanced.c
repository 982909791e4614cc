
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Enhanced RTMP (veovera.org, v1): see ngx_webrtc_source_enhanced.h.
 *
 * libavformat takes the low four bits of a tag's first byte for the codec.
 * There enhanced RTMP has the kind of packet, so that a track appears as one
 * stream for each kind, and its packets still have the FourCC in front.  The
 * stream of sequence headers, which come first, becomes the track's: the
 * packets of the others are moved to it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_source_codecs.h"
#include "ngx_webrtc_source_enhanced.h"


/* PacketType */
#define NGX_WEBRTC_ENHANCED_START    0
#define NGX_WEBRTC_ENHANCED_FRAMES   1        /* with a composition time */
#define NGX_WEBRTC_ENHANCED_FRAMES_X 3

/* of numbers 12 and 13, as of H.264: AVCPacketType */
#define NGX_WEBRTC_ENHANCED_NALU     1

/* bytes of a sequence header; chosen: as parameter sets that are kept */
#define NGX_WEBRTC_ENHANCED_CONFIG   4096


typedef struct {
    const char      *fourcc;
    int              number;      /* or this number of FLV, 0: none */
    enum AVCodecID   id;
    unsigned         cts:1;       /* frames have a composition time */
} ngx_webrtc_enhanced_codec_t;


static ngx_int_t ngx_webrtc_source_enhanced_config(
    ngx_webrtc_source_read_t *rd, int index, enum AVCodecID id, u_char *p,
    size_t n);
static ngx_int_t ngx_webrtc_source_enhanced_frame(
    ngx_webrtc_source_read_t *rd, AVPacket *pkt, u_char *p, ngx_uint_t cts);


static const ngx_webrtc_enhanced_codec_t  ngx_webrtc_enhanced_codecs[] = {
    { "hvc1", 12, AV_CODEC_ID_HEVC, 1 },
    { "av01", 13, AV_CODEC_ID_AV1, 0 },
    { "vp09", 0, AV_CODEC_ID_VP9, 0 },
    { "vp08", 0, AV_CODEC_ID_VP8, 0 },
    { NULL, 0, AV_CODEC_ID_NONE, 0 }
};


ngx_int_t
ngx_webrtc_source_enhanced(ngx_webrtc_source_read_t *rd, AVPacket *pkt)
{
    int                 type;
    u_char             *p;
    AVCodecParameters  *par;

    const ngx_webrtc_enhanced_codec_t  *c;

    par = rd->ic->streams[pkt->stream_index]->codecpar;

    if (par->codec_type != AVMEDIA_TYPE_VIDEO || pkt->size < 5) {
        return NGX_OK;
    }

    p = pkt->data;

    /* 3 is also the number of a codec */

    type = (par->codec_id == AV_CODEC_ID_FLASHSV)
           ? NGX_WEBRTC_ENHANCED_FRAMES_X : (int) par->codec_tag;

    for (c = ngx_webrtc_enhanced_codecs; c->fourcc; c++) {

        if (ngx_memcmp(p, c->fourcc, 4) == 0
            && (par->codec_id == AV_CODEC_ID_NONE
                || par->codec_id == AV_CODEC_ID_FLASHSV
                || (rd->enhanced && par->codec_id == c->id)))
        {
            if (type == NGX_WEBRTC_ENHANCED_START) {
                return ngx_webrtc_source_enhanced_config(rd, pkt->stream_index,
                                                         c->id, p + 4,
                                                         pkt->size - 4);
            }

            if (type == NGX_WEBRTC_ENHANCED_FRAMES
                || type == NGX_WEBRTC_ENHANCED_FRAMES_X)
            {
                return ngx_webrtc_source_enhanced_frame(rd, pkt, p + 4,
                            c->cts && type == NGX_WEBRTC_ENHANCED_FRAMES);
            }

            return NGX_DONE;
        }

        if (c->number && type == c->number
            && (par->codec_id == AV_CODEC_ID_NONE
                || (rd->enhanced && par->codec_id == c->id)))
        {
            if (p[0] == NGX_WEBRTC_ENHANCED_START) {
                return ngx_webrtc_source_enhanced_config(rd, pkt->stream_index,
                                                         c->id, p + 4,
                                                         pkt->size - 4);
            }

            if (p[0] != NGX_WEBRTC_ENHANCED_NALU) {
                return NGX_DONE;
            }

            return ngx_webrtc_source_enhanced_frame(rd, pkt, p + 1, 1);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_source_enhanced_config(ngx_webrtc_source_read_t *rd, int index,
    enum AVCodecID id, u_char *p, size_t n)
{
    u_char                    *data;
    AVCodecParameters         *par;
    ngx_webrtc_pack_t          pack;
    const ngx_webrtc_codec_t  *codec;

    if (n > NGX_WEBRTC_ENHANCED_CONFIG) {
        return NGX_DECLINED;
    }

    /* something else under that number stays what nobody has a name for */

    codec = ngx_webrtc_codec(ngx_webrtc_source_codecs_video(id, 0));

    if (ngx_webrtc_pack_init(&pack, codec, 0, NULL, NULL) != NGX_OK
        || ngx_webrtc_pack_config(&pack, p, n) != NGX_OK
        || (id == AV_CODEC_ID_HEVC && pack.params.n == 0))
    {
        return NGX_OK;
    }

    data = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);
    if (data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(data, p, n);

    par = rd->ic->streams[index]->codecpar;

    if (par->codec_id == AV_CODEC_ID_NONE) {
        par->codec_id = id;
        par->extradata = data;
        par->extradata_size = (int) n;

        rd->enhanced = 1;
        rd->enhanced_index = index;

        return NGX_DONE;
    }

    if (par->extradata_size == (int) n
        && ngx_memcmp(par->extradata, data, n) == 0)
    {
        av_free(data);
        return NGX_DONE;
    }

    /* goes with the next frame */

    av_free(par->extradata);
    par->extradata = data;
    par->extradata_size = (int) n;

    rd->enhanced_anew = 1;

    return NGX_DONE;
}


/* p: what follows the FourCC, or AVCPacketType; cts: a composition time, ms */

static ngx_int_t
ngx_webrtc_source_enhanced_frame(ngx_webrtc_source_read_t *rd, AVPacket *pkt,
    u_char *p, ngx_uint_t cts)
{
    int                 n;
    int32_t             offset;
    uint8_t            *side;
    AVCodecParameters  *par;

    if (!rd->enhanced) {
        /* without a header, or before it */
        return NGX_OK;
    }

    if (cts) {

        if (pkt->data + pkt->size - p < 3) {
            return NGX_DECLINED;
        }

        offset = p[0] << 16 | p[1] << 8 | p[2];
        offset = (offset ^ 0x800000) - 0x800000;

        if (pkt->dts != AV_NOPTS_VALUE) {
            pkt->pts = pkt->dts + offset;
        }

        p += 3;
    }

    n = (int) (p - pkt->data);

    if (n >= pkt->size) {
        return NGX_DONE;
    }

    pkt->data += n;
    pkt->size -= n;
    pkt->stream_index = rd->enhanced_index;

    if (rd->enhanced_anew) {

        par = rd->ic->streams[rd->enhanced_index]->codecpar;

        side = av_packet_new_side_data(pkt, AV_PKT_DATA_NEW_EXTRADATA,
                                       par->extradata_size);
        if (side == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(side, par->extradata, par->extradata_size);

        rd->enhanced_anew = 0;
    }

    return NGX_OK;
}
