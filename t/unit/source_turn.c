
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a picture is to be turned.  Matrices are those of ISO/IEC 14496-12, 8.3.2
 * (16.16, the third column 2.30), and what is expected was read from what they
 * do to the corners of a picture.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>

#include "ngx_webrtc_source_turn.h"
#include "tap.h"


#define ONE  65536
#define nelts(a)  (sizeof(a) / sizeof(a[0]))


static const struct {
    const char  *name;
    int32_t      m[4];         /* a b c d: x' = a x + c y, y' = b x + d y */
    ngx_uint_t   want;         /* CVO: flip 4, quarters clockwise */
} matrices[] = {
    { "upright",                     {  ONE,    0,    0,  ONE }, 0 },
    { "90 degrees, as phones write", {    0,  ONE, -ONE,    0 }, 1 },
    { "180 degrees",                 { -ONE,    0,    0, -ONE }, 2 },
    { "270 degrees",                 {    0, -ONE,  ONE,    0 }, 3 },
    { "nearly 90 degrees",           { 5712, 65287, -65287, 5712 }, 1 },
    { "larger",                      {    0, 2 * ONE, -2 * ONE, 0 }, 1 },
    { "mirrored",                    { -ONE,    0,    0,  ONE }, 4 },
    { "upside down in a mirror",     {  ONE,    0,    0, -ONE }, 6 },
    { "nothing",                     {    0,    0,    0,    0 }, 0 }
};


static const struct {
    const char  *tag;
    ngx_uint_t   want;
} tags[] = {
    { "0", 0 }, { "90", 1 }, { "180", 2 }, { "270", 3 }, { "-90", 3 },
    { "360", 0 }, { "much", 0 }
};


static AVFormatContext *
make(const int32_t *m)
{
    int32_t          *p;
    AVStream         *st;
    AVFormatContext  *ic;

    ic = avformat_alloc_context();
    st = avformat_new_stream(ic, NULL);

    if (m == NULL) {
        return ic;
    }

#if (LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100))
    p = (int32_t *) (void *)
            av_packet_side_data_new(&st->codecpar->coded_side_data,
                                    &st->codecpar->nb_coded_side_data,
                                    AV_PKT_DATA_DISPLAYMATRIX, 36, 0)->data;
#else
    p = (int32_t *) (void *)
            av_stream_new_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, 36);
#endif

    ngx_memzero(p, 36);

    p[0] = m[0];
    p[1] = m[1];
    p[3] = m[2];
    p[4] = m[3];
    p[8] = 1 << 30;

    return ic;
}


int
main(void)
{
    ngx_uint_t        i;
    AVFormatContext  *ic;

    for (i = 0; i < nelts(matrices); i++) {
        ic = make(matrices[i].m);

        tap_is_int(ngx_webrtc_source_turn(ic->streams[0]), matrices[i].want,
                   "%s", matrices[i].name);

        avformat_free_context(ic);
    }

    for (i = 0; i < nelts(tags); i++) {
        ic = make(NULL);

        (void) av_dict_set(&ic->streams[0]->metadata, "ROTATE", tags[i].tag, 0);

        tap_is_int(ngx_webrtc_source_turn(ic->streams[0]), tags[i].want,
                   "tag \"%s\"", tags[i].tag);

        avformat_free_context(ic);
    }

    return tap_done();
}
