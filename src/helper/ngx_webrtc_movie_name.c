
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Names of codecs: RFC 6381, ISO/IEC 14496-15 Annex E, the codec strings of
 * VP9 and AV1 in ISOBMFF.  They are made of the configuration record where the
 * stream has one, and of what libavcodec has found in it where not.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include <libavutil/pixdesc.h>

#include "ngx_webrtc_movie_name.h"
#include "ngx_webrtc_nal.h"


/* a NAL unit of H.264: sequence parameter set */
#define NGX_WEBRTC_MOVIE_NAME_SPS  7


static int ngx_webrtc_movie_name_avc(const AVCodecParameters *par, char *buf,
    size_t size);
static int ngx_webrtc_movie_name_hevc(const AVCodecParameters *par, char *buf,
    size_t size);
static int ngx_webrtc_movie_name_vp9(const AVCodecParameters *par, char *buf,
    size_t size);
static int ngx_webrtc_movie_name_av1(const AVCodecParameters *par, char *buf,
    size_t size);
static int ngx_webrtc_movie_name_aac(const AVCodecParameters *par, char *buf,
    size_t size);
static int ngx_webrtc_movie_name_depth(const AVCodecParameters *par);
static char ngx_webrtc_movie_name_hex(unsigned n);


/* those without a function have one name; any other codec has FFmpeg's */

static const struct {
    enum AVCodecID   id;
    const char      *name;
    int            (*print)(const AVCodecParameters *par, char *buf,
                         size_t size);
} ngx_webrtc_movie_name_codecs[] = {
    { AV_CODEC_ID_H264,       NULL,       ngx_webrtc_movie_name_avc },
    { AV_CODEC_ID_HEVC,       NULL,       ngx_webrtc_movie_name_hevc },
    { AV_CODEC_ID_VP9,        NULL,       ngx_webrtc_movie_name_vp9 },
    { AV_CODEC_ID_AV1,        NULL,       ngx_webrtc_movie_name_av1 },
    { AV_CODEC_ID_AAC,        NULL,       ngx_webrtc_movie_name_aac },
    { AV_CODEC_ID_VP8,        "vp8",      NULL },
    { AV_CODEC_ID_MP3,        "mp3",      NULL },
    { AV_CODEC_ID_OPUS,       "opus",     NULL },
    { AV_CODEC_ID_FLAC,       "flac",     NULL },
    { AV_CODEC_ID_VORBIS,     "vorbis",   NULL },
    { AV_CODEC_ID_AC3,        "ac-3",     NULL },
    { AV_CODEC_ID_EAC3,       "ec-3",     NULL },
    { AV_CODEC_ID_DTS,        "dtsc",     NULL },
    { AV_CODEC_ID_TRUEHD,     "mlpa",     NULL },
    { AV_CODEC_ID_MPEG1VIDEO, "mp4v.6A",  NULL },
    { AV_CODEC_ID_MPEG2VIDEO, "mp4v.61",  NULL },
    { AV_CODEC_ID_MPEG4,      "mp4v.20",  NULL },
    { AV_CODEC_ID_MJPEG,      "mp4v.6C",  NULL },
    { AV_CODEC_ID_NONE,       NULL,       NULL }
};


size_t
ngx_webrtc_movie_name(const AVCodecParameters *par, char *buf, size_t size)
{
    int         n;
    ngx_uint_t  i;

    for (i = 0; ngx_webrtc_movie_name_codecs[i].id != AV_CODEC_ID_NONE; i++) {

        if (ngx_webrtc_movie_name_codecs[i].id == par->codec_id) {
            break;
        }
    }

    if (ngx_webrtc_movie_name_codecs[i].print) {
        n = ngx_webrtc_movie_name_codecs[i].print(par, buf, size);

    } else {
        n = snprintf(buf, size, "%s",
                     ngx_webrtc_movie_name_codecs[i].name
                     ? ngx_webrtc_movie_name_codecs[i].name
                     : avcodec_get_name(par->codec_id));
    }

    n = ngx_max(n, 0);

    return ngx_min((size_t) n, size - 1);
}


static int
ngx_webrtc_movie_name_avc(const AVCodecParameters *par, char *buf, size_t size)
{
    size_t            n;
    u_char           *nal;
    unsigned          profile, constraints, level;
    ngx_webrtc_nal_t  it;

    if (par->extradata_size >= 4 && par->extradata[0] == 1) {
        return snprintf(buf, size, "avc1.%02X%02X%02X", par->extradata[1],
                        par->extradata[2], par->extradata[3]);
    }

    ngx_webrtc_nal_init(&it, par->extradata, par->extradata_size, 0);

    while (ngx_webrtc_nal_next(&it, &nal, &n) == NGX_OK) {

        if (n >= 4 && (nal[0] & 0x1f) == NGX_WEBRTC_MOVIE_NAME_SPS) {
            return snprintf(buf, size, "avc1.%02X%02X%02X", nal[1], nal[2],
                            nal[3]);
        }
    }

    profile = par->profile > 0 ? (unsigned) par->profile & 0xff : 100;
    constraints = (par->profile > 0
                   && (par->profile & FF_PROFILE_H264_CONSTRAINED))
                  ? 0x40 : 0;
    level = par->level > 0 ? (unsigned) par->level & 0xff : 40;

    return snprintf(buf, size, "avc1.%02X%02X%02X", profile, constraints,
                    level);
}


/*
 * General profile space and profile, the compatibility flags bit by bit in
 * reverse, tier and level, constraint bytes without trailing zeros.
 */

static int
ngx_webrtc_movie_name_hevc(const AVCodecParameters *par, char *buf,
    size_t size)
{
    int             n, i, last;
    unsigned        flags, bits;
    const uint8_t  *p;

    p = par->extradata;

    if (par->extradata_size < 23 || p[0] != 1) {
        return snprintf(buf, size, "hvc1.%d.%X.L%d.B0",
                        par->profile > 0 ? par->profile & 0x1f : 1,
                        par->profile == 1 ? 6 : par->profile == 2 ? 4 : 0,
                        par->level > 0 ? par->level : 93);
    }

    flags = (unsigned) p[2] << 24 | (unsigned) p[3] << 16
            | (unsigned) p[4] << 8 | p[5];
    bits = 0;

    for (i = 0; i < 32; i++) {
        bits |= ((flags >> i) & 1u) << (31 - i);
    }

    n = snprintf(buf, size, "hvc1.%.*s%d.%X.%c%d", p[1] >> 6 ? 1 : 0,
                 &"\0ABC"[p[1] >> 6], p[1] & 0x1f, bits,
                 (p[1] & 0x20) ? 'H' : 'L', p[12]);

    for (last = 11; last >= 6 && p[last] == 0; last--) { /* void */ }

    for (i = 6; i <= last && n >= 0 && (size_t) n + 3 < size; i++) {
        buf[n++] = '.';

        if (p[i] >> 4) {
            buf[n++] = ngx_webrtc_movie_name_hex(p[i] >> 4);
        }

        buf[n++] = ngx_webrtc_movie_name_hex(p[i] & 0x0f);
        buf[n] = '\0';
    }

    return n;
}


/* the level is the least one for the size of the picture */

static int
ngx_webrtc_movie_name_vp9(const AVCodecParameters *par, char *buf, size_t size)
{
    int         level;
    int64_t     area;
    ngx_uint_t  i;

    static const struct {
        int32_t  area;
        int      level;
    } levels[] = {
        { 36864, 10 }, { 73728, 11 }, { 122880, 20 }, { 245760, 21 },
        { 552960, 30 }, { 983040, 31 }, { 2228224, 40 }, { 8912896, 50 },
        { INT32_MAX, 60 }
    };

    level = par->level;

    if (level <= 0) {
        area = (int64_t) par->width * par->height;

        for (i = 0; area > levels[i].area
                    && levels[i].area != INT32_MAX; i++) { /* void */ }

        level = levels[i].level;
    }

    return snprintf(buf, size, "vp09.%02d.%02d.%02d",
                    par->profile > 0 ? par->profile & 3 : 0,
                    ngx_min(level, 99), ngx_webrtc_movie_name_depth(par));
}


static int
ngx_webrtc_movie_name_av1(const AVCodecParameters *par, char *buf, size_t size)
{
    int             depth;
    const uint8_t  *p;

    p = par->extradata;

    if (par->extradata_size < 4 || p[0] != 0x81) {
        return snprintf(buf, size, "av01.%d.%02dM.%02d",
                        par->profile > 0 ? par->profile & 7 : 0,
                        par->level > 0 ? par->level & 0x1f : 8,
                        ngx_webrtc_movie_name_depth(par));
    }

    depth = (p[2] & 0x40) ? ((p[2] & 0x20) ? 12 : 10) : 8;

    return snprintf(buf, size, "av01.%d.%02d%c.%02d", p[1] >> 5, p[1] & 0x1f,
                    (p[2] & 0x80) ? 'H' : 'M', depth);
}


static int
ngx_webrtc_movie_name_aac(const AVCodecParameters *par, char *buf, size_t size)
{
    return snprintf(buf, size, "mp4a.40.%d",
                    par->profile >= 0 && par->profile < 64 ? par->profile + 1
                                                           : 2);
}


static int
ngx_webrtc_movie_name_depth(const AVCodecParameters *par)
{
    const AVPixFmtDescriptor  *desc;

    desc = av_pix_fmt_desc_get(par->format);

    return desc && desc->comp[0].depth > 8 ? desc->comp[0].depth : 8;
}


static char
ngx_webrtc_movie_name_hex(unsigned n)
{
    return "0123456789ABCDEF"[n & 0x0f];
}
