
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * AAC headers: see ngx_webrtc_aac.h.  ISO/IEC 14496-3:2019.
 */


#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_aac.h"


/* audioObjectType, Table 1.17 */
#define NGX_WEBRTC_AAC_SBR       5
#define NGX_WEBRTC_AAC_ER_LD     23
#define NGX_WEBRTC_AAC_PS        29
#define NGX_WEBRTC_AAC_ESCAPE    31
#define NGX_WEBRTC_AAC_ER_ELD    39


static ngx_int_t ngx_webrtc_aac_read(ngx_webrtc_aac_t *aac,
    ngx_webrtc_bits_t *b);
static ngx_uint_t ngx_webrtc_aac_type(ngx_webrtc_bits_t *b);
static uint32_t ngx_webrtc_aac_rate(ngx_webrtc_bits_t *b);
static ngx_uint_t ngx_webrtc_aac_samples(ngx_uint_t type, ngx_uint_t shorter);
static uint32_t ngx_webrtc_aac_latm_value(ngx_webrtc_bits_t *b);


/* 1.6.3.4: sampling_frequency_index */

static const uint32_t  ngx_webrtc_aac_rates[16] = {
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050,
    16000, 12000, 11025, 8000, 7350, 0, 0, 0
};


ngx_int_t
ngx_webrtc_aac_config(ngx_webrtc_aac_t *aac, u_char *p, size_t n)
{
    ngx_webrtc_bits_t  b;

    ngx_webrtc_bits_init(&b, p, p + n);

    return ngx_webrtc_aac_read(aac, &b);
}


ngx_int_t
ngx_webrtc_aac_adts(ngx_webrtc_aac_t *aac, u_char *p, size_t n)
{
    uint32_t  rate;

    /* syncword and layer */

    if (n < 7 || p[0] != 0xff || (p[1] & 0xf6) != 0xf0) {
        return NGX_DECLINED;
    }

    rate = ngx_webrtc_aac_rates[(p[2] >> 2) & 0x0f];

    if (rate == 0) {
        return NGX_DECLINED;
    }

    aac->rate = rate;
    aac->samples = 1024 * ((p[6] & 0x03) + 1);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_aac_loas(ngx_webrtc_aac_t *aac, u_char *p, size_t n)
{
    ngx_uint_t          version, frames;
    ngx_webrtc_aac_t    frame;
    ngx_webrtc_bits_t   b;

    /* syncword 0x2b7 */

    if (n < 4 || p[0] != 0x56 || (p[1] & 0xe0) != 0xe0) {
        return NGX_DECLINED;
    }

    ngx_webrtc_bits_init(&b, p + 3, p + n);

    if (ngx_webrtc_bits_flag(&b)) {            /* useSameStreamMux */
        return aac->rate ? NGX_OK : NGX_DECLINED;
    }

    /* 1.7.3.1, StreamMuxConfig */

    version = ngx_webrtc_bits_flag(&b);        /* audioMuxVersion */

    if (version) {

        if (ngx_webrtc_bits_flag(&b)) {        /* audioMuxVersionA */
            return NGX_DECLINED;
        }

        (void) ngx_webrtc_aac_latm_value(&b);  /* taraBufferFullness */
    }

    (void) ngx_webrtc_bits_flag(&b);           /* allStreamsSameTimeFraming */
    frames = ngx_webrtc_bits_get(&b, 6) + 1;   /* numSubFrames */
    (void) ngx_webrtc_bits_get(&b, 7);         /* numProgram, numLayer */

    if (version) {
        (void) ngx_webrtc_aac_latm_value(&b);  /* ascLen */
    }

    /* of the first layer of the first program */

    if (ngx_webrtc_aac_read(&frame, &b) != NGX_OK) {
        return NGX_DECLINED;
    }

    aac->rate = frame.rate;
    aac->samples = frame.samples * (uint32_t) frames;

    return NGX_OK;
}


/* AudioSpecificConfig, as far as frameLengthFlag */

static ngx_int_t
ngx_webrtc_aac_read(ngx_webrtc_aac_t *aac, ngx_webrtc_bits_t *b)
{
    uint32_t    rate;
    ngx_uint_t  type, samples;

    type = ngx_webrtc_aac_type(b);
    rate = ngx_webrtc_aac_rate(b);

    (void) ngx_webrtc_bits_get(b, 4);          /* channelConfiguration */

    if (type == NGX_WEBRTC_AAC_SBR || type == NGX_WEBRTC_AAC_PS) {
        (void) ngx_webrtc_aac_rate(b);         /* extension's */
        type = ngx_webrtc_aac_type(b);
    }

    samples = ngx_webrtc_aac_samples(type, ngx_webrtc_bits_flag(b));

    if (b->error || rate == 0 || samples == 0) {
        return NGX_DECLINED;
    }

    aac->rate = rate;
    aac->samples = (uint32_t) samples;

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_aac_type(ngx_webrtc_bits_t *b)
{
    ngx_uint_t  type;

    type = ngx_webrtc_bits_get(b, 5);

    if (type == NGX_WEBRTC_AAC_ESCAPE) {
        type = 32 + ngx_webrtc_bits_get(b, 6);
    }

    return type;
}


static uint32_t
ngx_webrtc_aac_rate(ngx_webrtc_bits_t *b)
{
    ngx_uint_t  index;

    index = ngx_webrtc_bits_get(b, 4);

    return (index == 15) ? ngx_webrtc_bits_get(b, 24)
                         : ngx_webrtc_aac_rates[index];
}


/* 4.4.1, GASpecificConfig, and ELDSpecificConfig: frameLengthFlag is first */

static ngx_uint_t
ngx_webrtc_aac_samples(ngx_uint_t type, ngx_uint_t shorter)
{
    switch (type) {

    case 1:                                    /* Main */
    case 2:                                    /* LC */
    case 3:                                    /* SSR */
    case 4:                                    /* LTP */
    case 6:                                    /* scalable */
    case 7:                                    /* TwinVQ */
    case 17:                                   /* ER LC */
    case 19:                                   /* ER LTP */
    case 20:                                   /* ER scalable */
    case 21:                                   /* ER TwinVQ */
    case 22:                                   /* ER BSAC */
        return shorter ? 960 : 1024;

    case NGX_WEBRTC_AAC_ER_LD:
    case NGX_WEBRTC_AAC_ER_ELD:
        return shorter ? 480 : 512;

    default:
        return 0;
    }
}


/* 1.7.3.1, LatmGetValue */

static uint32_t
ngx_webrtc_aac_latm_value(ngx_webrtc_bits_t *b)
{
    return ngx_webrtc_bits_get(b, 8 * (ngx_webrtc_bits_get(b, 2) + 1));
}
