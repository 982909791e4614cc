
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Durations of AAC frames.  Headers made after ISO/IEC 14496-3, and those that
 * FFmpeg 5.1 writes (-c:a aac into flv, adts, and mpegts with latm).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdlib.h>

#include "ngx_webrtc_aac.h"
#include "tap.h"

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


typedef ngx_int_t (*parse_pt)(ngx_webrtc_aac_t *aac, u_char *p, size_t n);


static const struct {
    const char  *name;
    parse_pt     parse;
    const char  *hex;
    uint32_t     rate;            /* 0: declined */
    uint32_t     samples;
} headers[] = {

    { "LC, 44100 Hz", ngx_webrtc_aac_config, "1210", 44100, 1024 },
    { "LC, 48000 Hz, of FFmpeg", ngx_webrtc_aac_config, "119056e500", 48000,
      1024 },
    { "LC, 48000 Hz, frames of 960", ngx_webrtc_aac_config, "1194", 48000,
      960 },
    { "Main, 8000 Hz", ngx_webrtc_aac_config, "0d88", 8000, 1024 },
    { "LC, a rate of its own, 37800 Hz", ngx_webrtc_aac_config,
      "1780" "49d4" "10", 37800, 1024 },
    { "SBR announced, 24000 to 48000 Hz", ngx_webrtc_aac_config, "2b11" "8800",
      24000, 1024 },
    { "PS announced, 22050 to 44100 Hz", ngx_webrtc_aac_config, "eb8a" "0800",
      22050, 1024 },
    { "ER AAC LD, 48000 Hz", ngx_webrtc_aac_config, "b990", 48000, 512 },
    { "ELD, 48000 Hz, frames of 480", ngx_webrtc_aac_config, "f8e63000", 48000,
      480 },
    { "a reserved rate", ngx_webrtc_aac_config, "1690", 0, 0 },
    { "object type 0", ngx_webrtc_aac_config, "0190", 0, 0 },
    { "layer 3", ngx_webrtc_aac_config, "f8440000", 0, 0 },
    { "one byte", ngx_webrtc_aac_config, "12", 0, 0 },
    { "nothing", ngx_webrtc_aac_config, "", 0, 0 },

    { "ADTS, 48000 Hz", ngx_webrtc_aac_adts, "fff14c80255ffc", 48000, 1024 },
    { "ADTS, 44100 Hz, MPEG-2, CRC", ngx_webrtc_aac_adts, "fff850801e7ffc",
      44100, 1024 },
    { "ADTS, 4 blocks, 24000 Hz", ngx_webrtc_aac_adts, "fff158801e7fff", 24000,
      4096 },
    { "ADTS, a reserved rate", ngx_webrtc_aac_adts, "fff17880255ffc", 0, 0 },
    { "ADTS, cut", ngx_webrtc_aac_adts, "fff14c80255f", 0, 0 },
    { "ADTS, layer not 0", ngx_webrtc_aac_adts, "fffb4c80255ffc", 0, 0 },
    { "raw", ngx_webrtc_aac_adts, "211004608c1c00", 0, 0 },

    /* useSameStreamMux 0, version 0, same framing 1, 0 0 0, LC 48000 stereo */
    { "LATM", ngx_webrtc_aac_loas, "56e010" "2000" "119000", 48000, 1024 },
    { "LATM, 44100 Hz, frames of 960", ngx_webrtc_aac_loas,
      "56e010" "2000" "121400", 44100, 960 },
    { "LATM, 2 frames", ngx_webrtc_aac_loas, "56e010" "2080" "119000", 48000,
      2048 },
    /* version 1, A 0; fullness ff; same framing 1, 0 0 0; length 16 */
    { "LATM, version 1", ngx_webrtc_aac_loas,
      "56e010" "47fc0000" "808c80", 48000, 1024 },
    { "LATM, version A", ngx_webrtc_aac_loas, "56e010" "6000" "119000", 0, 0 },
    { "LATM, no configuration", ngx_webrtc_aac_loas, "56e010" "8000", 0, 0 },
    { "LATM, cut", ngx_webrtc_aac_loas, "56e010" "2000", 0, 0 },
    { "LATM, no syncword", ngx_webrtc_aac_loas, "56c010" "2000" "119000", 0,
      0 },
};


int
main(void)
{
    size_t             n;
    u_char             buf[32], *p;
    unsigned           b;
    ngx_uint_t         i;
    const char        *hex;
    ngx_webrtc_aac_t   aac;

    static u_char  same[] = "\x56\xe0\x10\x80\x00";

    for (i = 0; i < nelts(headers); i++) {

        n = 0;

        for (hex = headers[i].hex; sscanf(hex, "%2x", &b) == 1; hex += 2) {
            buf[n++] = (u_char) b;
        }

        p = malloc(n + 1);
        ngx_memcpy(p, buf, n);

        ngx_memzero(&aac, sizeof(ngx_webrtc_aac_t));

        tap_is_int(headers[i].parse(&aac, p, n),
                   headers[i].rate ? NGX_OK : NGX_DECLINED, "%s",
                   headers[i].name);
        tap_is_int(aac.rate, headers[i].rate, "%s: rate", headers[i].name);
        tap_is_int(aac.samples, headers[i].samples, "%s: samples",
                   headers[i].name);

        free(p);
    }

    aac.rate = 32000;
    aac.samples = 960;

    tap_is_int(ngx_webrtc_aac_loas(&aac, same, 5), NGX_OK,
               "LATM, the configuration of before");
    tap_is_int(aac.rate, 32000, "its rate");
    tap_is_int(aac.samples, 960, "its samples");

    return tap_done();
}
