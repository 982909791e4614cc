
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a picture is to be rotated: see ngx_webrtc_source_turn.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <math.h>

#include <libavcodec/avcodec.h>
#include <libavutil/display.h>

#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_source_turn.h"


/* int32_t of a display matrix: libavutil/display.h */
#define NGX_WEBRTC_SOURCE_TURN_MATRIX  9


ngx_uint_t
ngx_webrtc_source_turn(AVStream *st)
{
    double              angle;
    int32_t             m[NGX_WEBRTC_SOURCE_TURN_MATRIX];
    ngx_uint_t          flip;
    const uint8_t      *data;
    AVDictionaryEntry  *e;

    data = ngx_webrtc_source_turn_matrix(st);

    if (data == NULL) {

        /* Matroska has it as a tag */

        e = av_dict_get(st->metadata, "rotate", NULL, 0);

        return e ? (ngx_uint_t) lround(atoi(e->value) / 90.0) & 3 : 0;
    }

    ngx_memcpy(m, data, sizeof(m));

    flip = 0;

    if ((double) m[0] * m[4] < (double) m[1] * m[3]) {

        /* mirrored: the rest is a rotation */

        av_display_matrix_flip(m, 1, 0);
        flip = NGX_WEBRTC_CVO_FLIP;
    }

    angle = av_display_rotation_get(m);

    if (isnan(angle)) {
        return 0;
    }

    /* counterclockwise there */

    return flip | ((ngx_uint_t) lround(-angle / 90)
                   & NGX_WEBRTC_CVO_QUARTERS);
}


const uint8_t *
ngx_webrtc_source_turn_matrix(AVStream *st)
{
#if (LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100))

    const AVPacketSideData  *sd;

    sd = av_packet_side_data_get(st->codecpar->coded_side_data,
                                 st->codecpar->nb_coded_side_data,
                                 AV_PKT_DATA_DISPLAYMATRIX);

    return (sd && sd->size >= NGX_WEBRTC_SOURCE_TURN_MATRIX * sizeof(int32_t))
           ? sd->data : NULL;

#else

    size_t    n;
    uint8_t  *data;

    data = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, &n);

    return (data && n >= NGX_WEBRTC_SOURCE_TURN_MATRIX * sizeof(int32_t))
           ? data : NULL;

#endif
}
