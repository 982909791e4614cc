
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_depay: tables of packets with their flags, and the streams of
 * t/data/media through the packetizers.  The parameter sets and headers are
 * those of x264, x265, libvpx and libaom in these streams; which frames are key
 * frames, and sizes and profiles, are what ffprobe says of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_codecs.h"
#include "media.h"


/* H.264, High 1.2, 320x180 */

#define SPS    "6764000cacd941419f9f011000000300100000030320f1429960"
#define PPS    "68ebe084b22c"
#define SPS_L  "001a" SPS
#define PPS_L  "0006" PPS

/* the same as Baseline 1.2 as far as it goes, made up: profile_idc alone */
#define PPS2   "68ebe084b22d"

/* H.265, Main 2.0 */

#define VPS5   "40010c01ffff01600000030090000003000003003c959409"
#define SPS5   "42010101600000030090000003000003003ca00a080b9f796565924c"      \
               "af016808000003000800000300c840"
#define PPS5   "4401c172b46240"

/* AV1, Main 2.0 */

#define SEQ    "000000043cfeccdaf90040"


typedef struct {
    const char  *name;
    ngx_uint_t   codec;

    /* "ts[m][g]:payload ...": m marker, g behind a gap */
    const char  *in;

    /*
     * Per packet its flags (F first, L last, M marker, K key, P parameter sets,
     * D discardable), "." taken in, "x" malformed; before it "(10FKP)" a
     * prefix of 10 bytes with its flags; behind it "*" a new frame, "+" the
     * track is new, "!" a key frame is needed, "~" DTX.
     */
    const char  *out;
} depay_row_t;


static const depay_row_t  rows[] = {

    { "H.264: delta frame", NGX_WEBRTC_CODEC_H264,
      "1m:419a24", "FLM*" },
    { "H.264: delta frame nothing refers to", NGX_WEBRTC_CODEC_H264,
      "1m:019a24", "FDLM*" },
    { "H.264: slices", NGX_WEBRTC_CODEC_H264,
      "1:419a24 1:4103c8 1m:4103c8 2m:419a24", "F* - LM FLM*" },
    { "H.264: fragments", NGX_WEBRTC_CODEC_H264,
      "1:5c819a24 1:5c0124 1m:5c4124", "F* - LM" },
    { "H.264: key frame without parameter sets", NGX_WEBRTC_CODEC_H264,
      "1:658884 1m:6503c8", "K*! KLM" },

    { "H.264: parameter sets in packets of their own", NGX_WEBRTC_CODEC_H264,
      "1:" SPS " 1:" PPS " 1:658884 1m:6503c8 2m:419a24",
      ".+ . (37FKP)K* KLM FLM*" },
    { "H.264: and of their own time and marker", NGX_WEBRTC_CODEC_H264,
      "1:" SPS " 1m:" PPS " 2m:658884", ".+ . (37FKP)KLM*" },
    { "H.264: in one STAP-A, key frame in fragments", NGX_WEBRTC_CODEC_H264,
      "1:78" SPS_L PPS_L " 1:7c858884 1:7c0500 1m:7c4500",
      ".+ (37FKP)K* K KLM" },
    { "H.264: one STAP-A with the whole key frame", NGX_WEBRTC_CODEC_H264,
      "1m:78" SPS_L PPS_L "0003658884", "FKLM*+" },
    { "H.264: cached for the next key frame", NGX_WEBRTC_CODEC_H264,
      "1:" SPS " 1:" PPS " 1m:658884 2m:419a24 3m:658884",
      ".+ . (37FKP)KLM* FLM* (37FKP)KLM*" },
    { "H.264: cached from a STAP-A", NGX_WEBRTC_CODEC_H264,
      "1m:78" SPS_L PPS_L "0003658884 3m:658884", "FKLM*+ (37FKP)KLM*" },
    { "H.264: again the same before a delta frame", NGX_WEBRTC_CODEC_H264,
      "1:" SPS " 1:" PPS " 1m:658884 2:" PPS " 2m:419a24",
      ".+ . (37FKP)KLM* . FLM*" },
    { "H.264: a new PPS before a delta frame", NGX_WEBRTC_CODEC_H264,
      "1:" SPS " 1:" PPS " 1m:658884 2:" PPS2 " 2m:419a24",
      ".+ . (37FKP)KLM* . (37FP)LM*" },
    { "H.264: SPS alone is not enough", NGX_WEBRTC_CODEC_H264,
      "1:" SPS " 1m:658884", ".+ KLM*!" },
    { "H.264: delimiter and SEI before", NGX_WEBRTC_CODEC_H264,
      "1:0910 1:" SPS " 1:" PPS " 1:060500 1m:658884",
      "- .+ . - (37FKP)KLM*" },
    { "H.264: delimiter, sets and SEI in one", NGX_WEBRTC_CODEC_H264,
      "1:78" "00020910" SPS_L PPS_L "0003060500" " 1m:658884",
      "-+ (37FKP)KLM*" },
    { "H.264: filler at the end", NGX_WEBRTC_CODEC_H264,
      "1:419a24 1m:0cffff80", "F* LM" },
    { "H.264: parameter sets at the end keep the marker",
      NGX_WEBRTC_CODEC_H264, "1:419a24 1m:" SPS, "F* PLM+" },

    { "H.264: first fragment lost", NGX_WEBRTC_CODEC_H264,
      "1:" SPS " 1:" PPS " 1g:7c0500 1m:7c4500 2m:658884",
      ".+ . K*! KLM (37FKP)KLM*" },
    { "H.264: first slice lost", NGX_WEBRTC_CODEC_H264,
      "1:" SPS " 1:" PPS " 1mg:6503c8", ".+ . KLM*!" },
    { "H.264: a key frame behind a gap", NGX_WEBRTC_CODEC_H264,
      "1:" SPS " 1:" PPS " 1mg:658884", ".+ . (37FKP)KLM*!" },
    { "H.264: with all that it needs", NGX_WEBRTC_CODEC_H264,
      "1mg:78" SPS_L PPS_L "0003658884", "FKLM*+" },
    { "H.264: without parameter sets", NGX_WEBRTC_CODEC_H264, "1mg:658884",
      "KLM*!" },
    { "H.264: last packet lost", NGX_WEBRTC_CODEC_H264,
      "1:5c819a24 2mg:419a24", "F* FLM*!" },
    { "H.264: delta frame's beginning lost", NGX_WEBRTC_CODEC_H264,
      "1mg:4103c8", "LM*!" },
    { "H.264: key frame known by its second slice", NGX_WEBRTC_CODEC_H264,
      "1:5c0100 1m:6503c8", "* KLM" },

    { "H.264: malformed", NGX_WEBRTC_CODEC_H264,
      "1:e18884 1:00 1:1c85 1:1c8000 1:78 1:7800 1:78000565 1:780000 1:79 1:7d"
      " 1:1c98", "x x x x x x x x x x x" },
    { "H.264: padding", NGX_WEBRTC_CODEC_H264, "1: 1mg:", ". .!" },
    { "H.264: a broken SPS goes through", NGX_WEBRTC_CODEC_H264,
      "1:6764000c", "-" },

    { "H.265: delta frame", NGX_WEBRTC_CODEC_H265, "1m:0201d021", "FLM*" },
    { "H.265: parameter sets alone", NGX_WEBRTC_CODEC_H265,
      "1:" VPS5 " 1:" SPS5 " 1:" PPS5 " 1m:2801af0f 2m:0201d021",
      ". .+ . (82FKP)KLM* FLM*" },
    { "H.265: in one AP, key frame in fragments", NGX_WEBRTC_CODEC_H265,
      "1:6001" "0018" VPS5 "002b" SPS5 "0007" PPS5
      " 1:6201" "94af0f 1:6201" "140f 1m:6201" "540f",
      ".+ (82FKP)K* K KLM" },
    { "H.265: AP with the whole key frame", NGX_WEBRTC_CODEC_H265,
      "1m:6001" "0018" VPS5 "002b" SPS5 "0007" PPS5 "0004" "2801af0f",
      "FKLM*+" },
    { "H.265: nothing known", NGX_WEBRTC_CODEC_H265, "1m:2801af0f", "KLM*!" },
    { "H.265: VPS missing", NGX_WEBRTC_CODEC_H265,
      "1:" SPS5 " 1:" PPS5 " 1m:2801af0f", ".+ . KLM*!" },
    { "H.265: CRA", NGX_WEBRTC_CODEC_H265,
      "1:" VPS5 " 1:" SPS5 " 1:" PPS5 " 1m:2a01af0f",
      ". .+ . (82FKP)KLM*" },
    { "H.265: slices of a key frame", NGX_WEBRTC_CODEC_H265,
      "1:" VPS5 " 1:" SPS5 " 1:" PPS5 " 1:2801af0f 1m:28010f0f",
      ". .+ . (82FKP)K* KLM" },
    { "H.265: nothing refers to it", NGX_WEBRTC_CODEC_H265,
      "1:" SPS5 " 1m:0001d021", ".+ (43FPD)DLM*" },
    { "H.265: first fragment lost", NGX_WEBRTC_CODEC_H265,
      "1mg:6201" "140f", "KLM*!" },
    { "H.265: another layer", NGX_WEBRTC_CODEC_H265, "1m:0209d021", "LM" },
    { "H.265: malformed", NGX_WEBRTC_CODEC_H265,
      "1:2801 1:2800af 1:a801af 1:6201" "94 1:6201" "b0af 1:6001" "00"
      " 1:6001" "000228", "x x x x x x x" },

    /* RFC 7741, 4.5 has these descriptors; key frame header of libvpx */
    { "VP8: key frame", NGX_WEBRTC_CODEC_VP8,
      "1:90800bf062009d012a4001b400 1m:80800b00 2m:90800c1110002b",
      "FK*+ KLM FLM*" },
    { "VP8: no extension", NGX_WEBRTC_CODEC_VP8,
      "1m:10f062009d012a4001b400", "FKLM*+" },
    { "VP8: 15 bits, TL0PICIDX, TID", NGX_WEBRTC_CODEC_VP8,
      "1m:90e0800b05201110002b 2m:90f0800c0520f062009d012a4001b400",
      "FLM* FKLM*+" },
    { "VP8: non-reference", NGX_WEBRTC_CODEC_VP8, "1m:b0800b1110002b",
      "FDLM*" },
    { "VP8: the beginning lost", NGX_WEBRTC_CODEC_VP8,
      "1mg:80800b00", "LM*!" },
    { "VP8: a key frame behind a gap", NGX_WEBRTC_CODEC_VP8,
      "1mg:10f062009d012a4001b400", "FKLM*+" },
    { "VP8: second partition begins", NGX_WEBRTC_CODEC_VP8,
      "1:10f062009d012a4001b400 1:1100 1m:0100", "FK*+ K KLM" },
    { "VP8: the size as it was", NGX_WEBRTC_CODEC_VP8,
      "1m:10f062009d012a4001b400 2m:10f062009d012a4001b400", "FKLM*+ FKLM*" },
    { "VP8: malformed", NGX_WEBRTC_CODEC_VP8, "1:90 1:9080 1:908081 1:9020",
      "x x x x" },

    /* RFC 9628, 4.2; headers of libvpx */
    { "VP9: key frame", NGX_WEBRTC_CODEC_VP9,
      "1:888001824983420013f00b36 1m:848001aabb 2m:cc800286004092f0",
      "FK*+ KLM FLM*" },
    { "VP9: key frame with structure", NGX_WEBRTC_CODEC_VP9,
      "1m:8e8001" "18" "014000b4" "01" "04" "01" "824983420013f00b36",
      "FKLM*+" },
    { "VP9: two spatial layers, key picture", NGX_WEBRTC_CODEC_VP9,
      "1:ae8001" "0000" "30" "014000b402800168" "824983420013f00b36"
      " 1m:ac8001" "0300" "8600 2:ec800200018600 2m:ec800203018600",
      "FK*+ KLM F* LM" },
    { "VP9: a third one begins, without a key picture", NGX_WEBRTC_CODEC_VP9,
      "1:ae8001" "0000" "30" "014000b402800168" "824983420013f00b36"
      " 1m:ac8001" "0300" "8600 2:ee8002" "0001" "50" "014000b402800168"
      "050002d0" "86 2m:ec8002" "0501" "8600", "FK*+ KLM F*+ LM" },
    { "VP9: base layer of a key picture lost", NGX_WEBRTC_CODEC_VP9,
      "1mg:ac8001" "0300" "8600", "LM*!" },
    { "VP9: intra-only frame", NGX_WEBRTC_CODEC_VP9,
      "1m:8c800186004092f0", "FLM*" },
    { "VP9: flexible mode", NGX_WEBRTC_CODEC_VP9,
      "1m:fc8001000302" "86004092 2m:fc8001" "0003030286004092", "FLM* FLM*" },
    { "VP9: a continued packet", NGX_WEBRTC_CODEC_VP9, "1mg:c4800186", "LM*!" },
    { "VP9: malformed", NGX_WEBRTC_CODEC_VP9,
      "1:88 1:8880 1:888001 1:aa8001 1:8e800118 1:dc8001010101" "86"
      " 1:8a80010801", "x x x x x x x" },

    /* AV1 RTP, 4.4; OBUs of libaom; 10 data bytes */
    { "AV1: key frame", NGX_WEBRTC_CODEC_AV1,
      "1:68" "0c08" SEQ "30111400a1 1m:90aabb 2m:10" "3001e040",
      "FK*+ KLM FLM*" },
    { "AV1: no N, but a sequence header", NGX_WEBRTC_CODEC_AV1,
      "1m:20" "0c08" SEQ "30111400a1", "FKLM*+" },
    { "AV1: sequence header in a packet of its own", NGX_WEBRTC_CODEC_AV1,
      "1:18" "08" SEQ " 1m:10" "30111400a1 2m:10" "3001e040",
      ".+ (14FKP)KLM* FLM*" },
    { "AV1: and open, as we send it on", NGX_WEBRTC_CODEC_AV1,
      "1:58" "0a0b" SEQ " 1m:a000" "30111400a1", ".+ (14FKP)KLM*" },
    { "AV1: delimiter and sequence header", NGX_WEBRTC_CODEC_AV1,
      "1:20" "0110" "08" SEQ " 1m:10" "30111400a1", ".+ (14FKP)KLM*" },
    { "AV1: key frame that lacks it", NGX_WEBRTC_CODEC_AV1,
      "1m:68" "0c08" SEQ "30111400a1 2m:10" "30111400a1",
      "FKLM*+ (14FKP)KLM*" },
    { "AV1: key frame, nothing known", NGX_WEBRTC_CODEC_AV1,
      "1m:10" "30111400a1", "KLM*!" },
    { "AV1: repeated sequence header, no key frame", NGX_WEBRTC_CODEC_AV1,
      "1m:20" "0c08" SEQ "3001e040", "FLM*+" },
    { "AV1: elements with lengths", NGX_WEBRTC_CODEC_AV1,
      "1m:08" "0c08" SEQ "05" "30111400a1", "FKLM*+" },
    { "AV1: size fields in the OBUs", NGX_WEBRTC_CODEC_AV1,
      "1m:28" "0d0a0b" SEQ "3203111400", "FKLM*+" },
    { "AV1: a size field beyond the cut", NGX_WEBRTC_CODEC_AV1,
      "1:50" "32ff01e040 1m:90aabb", "F* LM" },
    { "AV1: the beginning lost", NGX_WEBRTC_CODEC_AV1,
      "1g:90aabb 1m:10" "20aabb", "*! LM" },
    { "AV1: a frame behind a gap may not be the first", NGX_WEBRTC_CODEC_AV1,
      "1mg:10" "3001e040 2m:10" "3001e040", "LM*! FLM*" },
    { "AV1: a delimiter says so", NGX_WEBRTC_CODEC_AV1,
      "1mg:20" "0110" "3001e040", "FLM*!" },
    { "AV1: malformed", NGX_WEBRTC_CODEC_AV1,
      "1:10 1:9800 1:0005 1:20053001 1:3001300130 1:00ffffffffffffffffff01",
      "x x x x x x" },

    { "Opus", NGX_WEBRTC_CODEC_OPUS, "1m:fcabcdef 2:fcabcdef",
      "FLM*+ FL*" },
    { "Opus: one channel, then two", NGX_WEBRTC_CODEC_OPUS,
      "1:f8abcdef 2:fcabcdef 3:f8abcdef 4:fcabcdef", "FL* FL*+ FL* FL*" },
    { "Opus: DTX", NGX_WEBRTC_CODEC_OPUS, "1:f8fffe 2:f8 3: 4:f8ff",
      "FL* FL*~ . FL*~" },
    { "PCMU, behind a gap", NGX_WEBRTC_CODEC_PCMU, "1g:ff", "FL*" },
    { "PCMA", NGX_WEBRTC_CODEC_PCMA, "1m:d5", "FLM*" },
    { "G.722", NGX_WEBRTC_CODEC_G722, "1:d5", "FL*" },
    { "RED", NGX_WEBRTC_CODEC_OPUS,
      "1r:6fabcdef 2r:ef0f0003" "6f" "010203" "fcabcdef"
      " 3rm:ef0f0003" "6f" "010203" "f8 4:fcabcdef 5r:ef0f0003" "6f" "010203",
      "FLR* FLR*+ FLMR*~ FL* ." },
    { "RED: malformed", NGX_WEBRTC_CODEC_OPUS,
      "1r:ef 1r:ef0f0003 1r:ef0f0003" "6f" "0102", "x x x" },
    { "RED: of something else", NGX_WEBRTC_CODEC_OPUS,
      "1r:6eabcdef 2r:ee0f0003" "6f" "010203" "fcabcdef"
      " 3r:ef0f0003" "6e" "010203" "fcabcdef", "x x x" },
};


/* a payload in a block of its own */

static u_char *
unhex(const char *hex, size_t n)
{
    size_t   i;
    u_char  *p;

    p = malloc(n / 2 + (n < 2));

    for (i = 0; i < n / 2; i++) {
        p[i] = (u_char) ngx_hextoi((u_char *) hex + i * 2, 2);
    }

    return p;
}


static char *
letters(char *o, ngx_uint_t flags)
{
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t  flag;
        char        c;
    } f[] = {
        { NGX_WEBRTC_PKT_FIRST, 'F' }, { NGX_WEBRTC_PKT_KEY, 'K' },
        { NGX_WEBRTC_PKT_PARAMS, 'P' }, { NGX_WEBRTC_PKT_DISCARD, 'D' },
        { NGX_WEBRTC_PKT_LAST, 'L' }, { NGX_WEBRTC_PKT_MARKER, 'M' },
        { NGX_WEBRTC_PKT_RED, 'R' },
    };

    for (i = 0; i < sizeof(f) / sizeof(f[0]); i++) {
        if (flags & f[i].flag) {
            *o++ = f[i].c;
        }
    }

    return o;
}


static void
test_rows(void)
{
    char                        line[2048], out[512], *p, *o, *hex, *body;
    u_char                      buf[NGX_WEBRTC_DEPAY_PAYLOAD];
    size_t                      n;
    ngx_int_t                   rc;
    ngx_uint_t                  i, flags;
    ngx_webrtc_depay_t          d;
    ngx_webrtc_depay_info_t     info;
    ngx_webrtc_depay_packet_t   pkt;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        tap_is_int(ngx_webrtc_depay_init(&d, ngx_webrtc_codec(rows[i].codec)),
                   NGX_OK, "%s: init", rows[i].name);

        strcpy(line, rows[i].in);
        o = out;

        for (p = strtok(line, " "); p; p = strtok(NULL, " ")) {
            hex = strchr(p, ':') + 1;

            memset(&pkt, 0, sizeof(pkt));
            pkt.ts = (uint32_t) (atoi(p) * 3000 - 6000);
            pkt.n = strlen(hex) / 2;
            pkt.payload = unhex(hex, strlen(hex));
            pkt.marker = (strcspn(p, "m") < (size_t) (hex - p));
            pkt.gap = (strcspn(p, "g") < (size_t) (hex - p));
            pkt.red = (strcspn(p, "r") < (size_t) (hex - p));
            pkt.block_pt = 111;

            rc = ngx_webrtc_depay_input(&d, &pkt, &info);

            if (o != out) {
                *o++ = ' ';
            }

            body = o;

            if (rc == NGX_OK) {

                while (ngx_webrtc_depay_prefix(&d, buf, sizeof(buf), &n,
                                               &flags)
                       == NGX_OK)
                {
                    o += sprintf(o, "(%d", (int) n);
                    o = letters(o, flags);
                    *o++ = ')';
                }

                o = letters(o, info.flags);

            } else {
                *o++ = (rc == NGX_DONE) ? '.' : 'x';
            }

            if (info.frame) {
                *o++ = '*';
            }

            if (o == body) {
                *o++ = '-';
            }

            if (info.changed) {
                if (o == body) {
                    *o++ = '-';
                }

                *o++ = '+';
            }

            if (info.key_needed) {
                *o++ = '!';
            }

            if (info.dtx) {
                *o++ = '~';
            }

            free(pkt.payload);
        }

        *o = '\0';

        tap_is_str(out, rows[i].out, "%s", rows[i].name);
    }
}


/* what the prefix is made of */

static void
test_prefix(void)
{
    u_char                     *p, buf[NGX_WEBRTC_DEPAY_PAYLOAD], *want;
    size_t                      n, total;
    ngx_uint_t                  i, flags, count, id;
    ngx_webrtc_depay_t          d;
    ngx_webrtc_depay_info_t     info;
    ngx_webrtc_depay_packet_t   pkt;

    static const struct {
        const char  *name;
        ngx_uint_t   codec;
        const char  *in[3];
        const char  *frame;
        const char  *want;
    } t[] = {
        { "STAP-A", NGX_WEBRTC_CODEC_H264, { SPS, PPS, "" }, "658884",
          "78" SPS_L PPS_L },
        { "STAP-A in order of types", NGX_WEBRTC_CODEC_H264,
          { PPS, SPS, "" }, "658884", "78" SPS_L PPS_L },
        { "AP", NGX_WEBRTC_CODEC_H265, { PPS5, SPS5, VPS5 }, "2801af0f",
          "6001" "0018" VPS5 "002b" SPS5 "0007" PPS5 },
        { "AV1", NGX_WEBRTC_CODEC_AV1, { "18" "08" SEQ, "", "" },
          "10" "30111400a1", "18" "0a0b" SEQ },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ngx_webrtc_depay_init(&d, ngx_webrtc_codec(t[i].codec));
        memset(&pkt, 0, sizeof(pkt));

        for (count = 0; count < 4; count++) {
            p = (u_char *) (count < 3 ? t[i].in[count] : t[i].frame);
            n = strlen((char *) p);

            pkt.payload = unhex((char *) p, n);
            pkt.n = n / 2;
            ngx_webrtc_depay_input(&d, &pkt, &info);
            free(pkt.payload);
        }

        n = 0;
        (void) ngx_webrtc_depay_prefix(&d, buf, sizeof(buf), &n, &flags);

        want = unhex(t[i].want, strlen(t[i].want));
        tap_is_mem(buf, n, want, strlen(t[i].want) / 2, "%s", t[i].name);
        free(want);
    }

    /* many PPS: several packets, none too large; SPS and 15 PPS of 130 bytes */

    ngx_webrtc_depay_init(&d, ngx_webrtc_codec(NGX_WEBRTC_CODEC_H264));

    memset(&pkt, 0, sizeof(pkt));
    pkt.ts = 77;

    p = unhex(SPS, sizeof(SPS) - 1);
    pkt.payload = p;
    pkt.n = (sizeof(SPS) - 1) / 2;
    tap_is_int(ngx_webrtc_depay_input(&d, &pkt, &info), NGX_DONE, "SPS");
    free(p);

    for (id = 0; id < 15; id++) {
        p = malloc(130);
        memset(p, 0xaa, 130);
        p[0] = 0x68;

        /* ue(v) of id, in 1, 3, 5 or 7 bits */

        p[1] = (u_char) (id == 0 ? 0x80 : id < 3 ? (id + 1) << 5
                         : id < 7 ? (id + 1) << 3 : (id + 1) << 1);
        pkt.payload = p;
        pkt.n = 130;
        tap_is_int(ngx_webrtc_depay_input(&d, &pkt, &info), NGX_DONE, "PPS %d",
                   (int) id);
        free(p);
    }

    pkt.payload = (u_char *) "\x65\x88\x84";
    pkt.n = 3;
    pkt.ts = 77;

    tap_is_int(ngx_webrtc_depay_input(&d, &pkt, &info), NGX_OK, "key frame");

    total = 0;

    for (i = 0; ngx_webrtc_depay_prefix(&d, buf, sizeof(buf), &n, &flags)
                == NGX_OK; i++)
    {
        if (n > NGX_WEBRTC_DEPAY_PAYLOAD || n < 100
            || (buf[0] & 0x9f) != 24
            || flags != (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_PARAMS
                         | (i ? 0 : NGX_WEBRTC_PKT_FIRST)))
        {
            break;
        }

        total += n - 1;
    }

    tap_is_int(total, 28 + 15 * 132, "all sets in %d packets", (int) i);

    /* a new PPS before a frame that the caller drops is not forgotten */

    p = unhex(PPS, sizeof(PPS) - 1);
    pkt.payload = p;
    pkt.n = (sizeof(PPS) - 1) / 2;
    pkt.ts = 78;
    tap_is_int(ngx_webrtc_depay_input(&d, &pkt, &info), NGX_DONE, "PPS");
    free(p);

    pkt.payload = (u_char *) "\x01\x9a\x24";
    pkt.n = 3;
    tap_is_int(ngx_webrtc_depay_input(&d, &pkt, &info), NGX_OK, "dropped");
    pkt.ts = 79;
    tap_ok(ngx_webrtc_depay_input(&d, &pkt, &info) == NGX_OK && info.prefix,
           "prefix for the next one");

    tap_is_int(ngx_webrtc_depay_init(&d,
                                     ngx_webrtc_codec(NGX_WEBRTC_CODEC_NONE)),
               NGX_DECLINED, "no codec");
}


/* a stream of t/data/media: packetized, then looked at */

static void
test_media(void)
{
    u_char                      *p, buf[NGX_WEBRTC_DEPAY_PAYLOAD];
    size_t                       pos, n, len;
    ngx_int_t                    rc;
    ngx_uint_t                   i, k, frame, flags, starts, bad;
    media_out_t                  out;
    ngx_webrtc_pack_t            pack;
    ngx_webrtc_frame_t           fr;
    ngx_webrtc_depay_t           d;
    ngx_webrtc_depay_info_t      info;
    ngx_webrtc_depay_packet_t    pkt;

    static media_file_t  file;

    /* as ffprobe -show_entries packet=flags says */

    static const struct {
        const char  *path;
        ngx_uint_t   codec;
        u_char       aud;                  /* 0: IVF */
        ngx_uint_t   frames;
        ngx_uint_t   keyframes[3];
        uint32_t     profile;
    } t[] = {
        { "t/data/media/bframes.h264", NGX_WEBRTC_CODEC_H264, 0x09,
          14, { 0, 8, 99 }, 0x64000c },
        { "t/data/media/bframes.h265", NGX_WEBRTC_CODEC_H265, 0x46,
          14, { 0, 8, 99 }, 0x01003c },
        { "t/data/media/vp8.ivf", NGX_WEBRTC_CODEC_VP8, 0,
          8, { 0, 5, 99 }, 0 },
        { "t/data/media/vp9.ivf", NGX_WEBRTC_CODEC_VP9, 0,
          8, { 0, 5, 99 }, 0 },
        { "t/data/media/av1.ivf", NGX_WEBRTC_CODEC_AV1, 0,
          8, { 0, 5, 99 }, 0 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        media_read(&file, t[i].path);

        memset(&out, 0, sizeof(out));
        ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(t[i].codec), 300,
                             media_out, &out);
        ngx_webrtc_depay_init(&d, ngx_webrtc_codec(t[i].codec));

        pos = 0;
        bad = 0;
        starts = 0;

        for (frame = 0; /* void */ ; frame++) {
            p = t[i].aud ? media_annexb(&file, &pos, &n, t[i].aud)
                         : media_ivf(&file, &pos, &n);

            if (p == NULL) {
                break;
            }

            if (ngx_webrtc_pack_probe(&pack, p, n, &fr) != NGX_OK
                || ngx_webrtc_pack_frame(&pack, p, n, &fr) != NGX_OK)
            {
                bad++;
            }

            for (k = 0; k < out.n; k++) {
                memset(&pkt, 0, sizeof(pkt));
                pkt.payload = out.data[k];
                pkt.n = out.size[k];
                pkt.ts = (uint32_t) (frame * 3600 - 7200);
                pkt.marker = ((out.flags[k] & NGX_WEBRTC_PKT_MARKER) != 0);

                rc = ngx_webrtc_depay_input(&d, &pkt, &info);

                if (rc == NGX_DONE) {
                    /* put before the key frame again */
                    bad += !(out.flags[k] & NGX_WEBRTC_PKT_PARAMS);
                    continue;
                }

                flags = 0;

                while (ngx_webrtc_depay_prefix(&d, buf, sizeof(buf), &len,
                                               &flags)
                       == NGX_OK)
                {
                    info.flags |= flags & NGX_WEBRTC_PKT_FIRST;
                    bad += !(flags & NGX_WEBRTC_PKT_KEY);
                }

                if (rc == NGX_OK && !d.begun && info.flags == 0) {
                    /* SEI of the encoder, in fragments, before the picture */
                    continue;
                }

                if (info.flags & NGX_WEBRTC_PKT_FIRST) {
                    starts++;
                }

                if (rc != NGX_OK
                    || !(info.flags & NGX_WEBRTC_PKT_KEY)
                       != (frame != t[i].keyframes[0]
                           && frame != t[i].keyframes[1])
                    || (info.flags & (NGX_WEBRTC_PKT_LAST
                                      |NGX_WEBRTC_PKT_MARKER
                                      |NGX_WEBRTC_PKT_DISCARD))
                       != (out.flags[k] & (NGX_WEBRTC_PKT_LAST
                                           |NGX_WEBRTC_PKT_MARKER
                                           |NGX_WEBRTC_PKT_DISCARD)))
                {
                    tap_diag("frame %d packet %d: %x, packed as %x",
                             (int) frame, (int) k, (int) info.flags,
                             (int) out.flags[k]);
                    bad++;
                }
            }

            media_free(&out);
        }

        tap_is_int(bad, 0, "%s", t[i].path);
        tap_is_int(frame, t[i].frames, "%s: frames", t[i].path);
        tap_is_int(starts, t[i].frames, "%s: starts", t[i].path);
        tap_is_int(d.frames, t[i].frames, "%s: counted", t[i].path);
        tap_is_int(d.keyframes, 2, "%s: key frames", t[i].path);
        tap_is_int(d.track.width, 320, "%s: width", t[i].path);
        tap_is_int(d.track.height, 180, "%s: height", t[i].path);
        tap_is_int(d.track.profile, t[i].profile, "%s: profile", t[i].path);
    }
}


/* intra refresh: recovery points and no IDR picture */

static void
test_recovery(void)
{
    u_char                     *p;
    ngx_uint_t                  i, keys;
    ngx_webrtc_depay_t          d;
    ngx_webrtc_depay_info_t     info;
    ngx_webrtc_depay_packet_t   pkt;

    ngx_webrtc_depay_init(&d, ngx_webrtc_codec(NGX_WEBRTC_CODEC_H264));

    memset(&pkt, 0, sizeof(pkt));

    p = unhex(SPS, sizeof(SPS) - 1);
    pkt.payload = p;
    pkt.n = (sizeof(SPS) - 1) / 2;
    (void) ngx_webrtc_depay_input(&d, &pkt, &info);
    free(p);

    p = unhex(PPS, sizeof(PPS) - 1);
    pkt.payload = p;
    pkt.n = (sizeof(PPS) - 1) / 2;
    (void) ngx_webrtc_depay_input(&d, &pkt, &info);
    free(p);

    for (keys = 0, i = 0; i < 1000; i++) {
        pkt.ts += 3600;

        if (i % 100 == 0) {
            pkt.marker = 0;
            pkt.payload = (u_char *) "\x06\x06\x01\xc4\x80";
            pkt.n = 5;
            (void) ngx_webrtc_depay_input(&d, &pkt, &info);
        }

        pkt.marker = 1;
        pkt.payload = (u_char *) "\x41\x9a\x24";
        pkt.n = 3;
        (void) ngx_webrtc_depay_input(&d, &pkt, &info);

        if (info.flags & NGX_WEBRTC_PKT_KEY) {
            keys++;
            tap_ok(i % 100 == 0 && i >= 300 && info.prefix, "frame %d",
                   (int) i);
        }
    }

    tap_is_int(keys, 7, "recovery points of the rest");
}


/* layers that packets are of, and where one may begin with one */

static void
test_layers(void)
{
    char                        line[2048], out[512], *p, *o, *hex;
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_webrtc_depay_t          d;
    ngx_webrtc_depay_info_t     info;
    ngx_webrtc_depay_packet_t   pkt;

    /*
     * Frames of VP8 have X S, then L T, TL0PICIDX, TID Y KEYIDX; of VP9 I P L F
     * B E V, the number of the picture, TID U SID D, TL0PICIDX or P_DIFF
     */

    static const struct {
        const char  *name;
        ngx_uint_t   codec;
        const char  *in;         /* as above; "[]" what an extension says */
        const char  *out;        /* temporal layer, "s" SYNC, "/" spatial layer
                                    if any, "e" END */
    } rows[] = {
        { "VP8: Y", NGX_WEBRTC_CODEC_VP8,
          "1m:9060" "00" "00" "11 2m:9060" "00" "a0" "11 3m:9060" "00" "60" "11"
          " 4m:9060" "00" "80" "11 5m:9060" "01" "00" "11", "0 2s 1s 2 0" },
        { "VP8: no layers", NGX_WEBRTC_CODEC_VP8, "1m:1011 2m:9080" "01" "11"
          " 3m:9010" "05" "11", "0 0 0" },
        { "VP8: behind a key frame any may begin", NGX_WEBRTC_CODEC_VP8,
          "1m:9060" "00" "00" "500100" "9d012a" "4001" "b400"
          " 2m:9060" "00" "80" "11 3m:9060" "00" "40" "11"
          " 4m:9060" "00" "80" "11 5m:9060" "01" "40" "11", "0 2s 1s 2 1" },
        { "VP8: all packets of a frame", NGX_WEBRTC_CODEC_VP8,
          "1:9060" "00" "60" "11 1m:8060" "00" "60" "11", "1s 1s" },

        { "VP9: U of the base layer", NGX_WEBRTC_CODEC_VP9,
          "1m:ec" "01" "10" "00" "86 2m:ec" "02" "40" "00" "86"
          " 3m:ec" "03" "20" "00" "86 4m:ec" "04" "40" "00" "86",
          "0e 2se 1se 2e" },
        { "VP9: no U", NGX_WEBRTC_CODEC_VP9,
          "1m:ec" "01" "00" "00" "86 2m:ec" "02" "40" "00" "86", "0e 2e" },
        { "VP9: U does not hold behind a gap", NGX_WEBRTC_CODEC_VP9,
          "1m:ec" "01" "10" "00" "86 3mg:ec" "03" "20" "00" "86", "0e 1e" },
        { "VP9: flexible mode, by what it refers to", NGX_WEBRTC_CODEC_VP9,
          "1m:fc" "11" "00" "08" "86 2m:fc" "12" "40" "02" "86"
          " 3m:fc" "13" "20" "04" "86 4m:fc" "14" "40" "0304" "86"
          " 5m:fc" "15" "40" "02" "86",
          "0e 2se 1se 2e 2e" },
        { "VP9: a group of pictures says so", NGX_WEBRTC_CODEC_VP9,
          /* T0, T2 from it, T1 from the same, T2 from that and another one */
          "1m:ae" "10" "00" "00" "08" "04" "04" "04" "44" "01" "24" "02"
          "48" "01" "02" "82498342" "0013f00b30"
          " 2m:ec" "11" "40" "00" "86 3m:ec" "12" "20" "00" "86"
          " 4m:ec" "13" "40" "00" "86 5m:ec" "14" "00" "01" "86"
          " 6m:ec" "15" "40" "01" "86",
          "0e 2se 1se 2e 0e 2se" },
        { "VP9: spatial layers of a picture", NGX_WEBRTC_CODEC_VP9,
          "1:ac" "01" "00" "00" "82498342" " 1:ac" "01" "03" "00" "86"
          " 1m:a4" "01" "03" "00" "86 2:ec" "02" "20" "00" "86"
          " 2m:ec" "02" "23" "00" "86", "0e 0/1e 0/1e 1se 1s/1e" },

        { "H.265: TSA", NGX_WEBRTC_CODEC_H265,
          "1m:0201d021 2m:0403d021 3m:0402d021 4m:0203d021",
          "0 2s 1s 2s" },
        { "H.265: STSA says nothing of those above", NGX_WEBRTC_CODEC_H265,
          "1m:0201d021 2m:0802d021 3m:0003d021", "0 1s 2" },
        { "H.265: an SEI is of its frame", NGX_WEBRTC_CODEC_H265,
          "1m:0201d021 2:4e020501ff80 2m:0402d021", "0 1 1s" },

        { "AV1: numbers alone", NGX_WEBRTC_CODEC_AV1,
          "1m:68" "0c08" SEQ "3400111400a1 2m:10" "3440e040"
          " 3:50" "3420e040 3m:90" "aabb 4m:10" "3440e040",
          "0 2s 1s 1s 2" },
        { "AV1: an extension knows better", NGX_WEBRTC_CODEC_AV1,
          "1m[8600]:10" "3000e040 2m[8002]:10" "3000e040"
          " 3m[8025]:10" "3000e040", "0 2s 1se" },
        { "AV1: spatial layers", NGX_WEBRTC_CODEC_AV1,
          "1[b600]:18" "3000e040 1m[b62c]:10" "3008e040"
          " 2[b002]:10" "3000e040 2m[b00a]:10" "3008e040"
          " 3[b025]:10" "3000e040 3m[b02d]:10" "3008e040",
          "0 0/1e 2s 2s/1 1se 1s/1e" },
        { "AV1: shifted temporal layers, up to the next key frame",
          NGX_WEBRTC_CODEC_AV1,
          "1[9200]:18" "3000e040 1m[922c]:10" "3008e040"
          " 2[9000]:10" "3000e040 2m[9009]:10" "3008e040"
          " 3[9001]:10" "3000e040 3m[9008]:10" "3008e040"
          " 4[9200]:18" "3000e040 4m[922c]:10" "3008e040"
          " 5[9001]:10" "3000e040 5m[9009]:10" "3008e040",
          "0 0/1e 0 0/1 0 0/1 0 0/1e 1s 1s/1" },
        { "H.264: of an extension", NGX_WEBRTC_CODEC_H264,
          "1m[8000]:419a24 2:060500 2m[8005]:419a24 3m:419a24", "0 0 1s 0" },
        { "VP8: not of an extension", NGX_WEBRTC_CODEC_VP8,
          "1m[8002]:9060" "00" "60" "11", "1s" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        (void) ngx_webrtc_depay_init(&d, ngx_webrtc_codec(rows[i].codec));

        strcpy(line, rows[i].in);
        o = out;

        for (p = strtok(line, " "); p; p = strtok(NULL, " ")) {
            hex = strchr(p, ':') + 1;

            memset(&pkt, 0, sizeof(pkt));
            pkt.ts = (uint32_t) (atoi(p) * 3000);
            pkt.n = strlen(hex) / 2;
            pkt.payload = unhex(hex, strlen(hex));
            pkt.marker = (strcspn(p, "m") < (size_t) (hex - p));
            pkt.gap = (strcspn(p, "g") < (size_t) (hex - p));

            if (strcspn(p, "[") < (size_t) (hex - p)) {
                pkt.told = (uint16_t) strtoul(strchr(p, '[') + 1, NULL, 16);
            }

            rc = ngx_webrtc_depay_input(&d, &pkt, &info);

            o += sprintf(o, "%s%s", o == out ? "" : " ",
                         rc == NGX_OK ? "" : "x");
            o += sprintf(o, "%u%s",
                         (unsigned) ngx_webrtc_layer_tid(info.layer),
                         (info.layer & NGX_WEBRTC_LAYER_SYNC) ? "s" : "");

            if (ngx_webrtc_layer_sid(info.layer)) {
                o += sprintf(o, "/%u",
                             (unsigned) ngx_webrtc_layer_sid(info.layer));
            }

            if (info.layer & NGX_WEBRTC_LAYER_END) {
                *o++ = 'e';
            }

            free(pkt.payload);
        }

        *o = '\0';

        tap_is_str(out, rows[i].out, "layers: %s", rows[i].name);
    }
}


/* payloads without what numbers them, RFC 7741, 4.2 and RFC 9628, 4.2 */

static void
test_plain(void)
{
    size_t              n, want;
    u_char             *p, *q, *plain;
    ngx_uint_t          i;
    ngx_webrtc_depay_t  d;

    static const struct {
        ngx_uint_t   codec;
        const char  *payload;
        const char  *plain;
    } rows[] = {
        { NGX_WEBRTC_CODEC_VP8, "10" "aabb", "10" "aabb" },
        { NGX_WEBRTC_CODEC_VP8, "90" "80" "17" "aabb", "10" "aabb" },
        { NGX_WEBRTC_CODEC_VP8, "90" "80" "9234" "aabb", "10" "aabb" },
        { NGX_WEBRTC_CODEC_VP8, "b0" "e0" "9234" "07" "40" "aabb",
          "30" "aabb" },
        { NGX_WEBRTC_CODEC_VP8, "80" "f0" "9234" "07" "41" "aabb",
          "00" "aabb" },
        { NGX_WEBRTC_CODEC_VP8, "83" "10" "01" "aabb", "03" "aabb" },
        { NGX_WEBRTC_CODEC_VP8, "90" "e0" "92", "90" "e0" "92" },
        { NGX_WEBRTC_CODEC_VP9, "0c" "aabb", "0c" "aabb" },
        { NGX_WEBRTC_CODEC_VP9, "8c" "9234" "aabb", "0c" "aabb" },
        { NGX_WEBRTC_CODEC_VP9, "ec" "9234" "20" "07" "aabb", "4c" "aabb" },
        { NGX_WEBRTC_CODEC_VP9, "f9" "9234" "20" "03" "02" "aabb",
          "49" "aabb" },
        { NGX_WEBRTC_CODEC_VP9, "ae" "9234" "00" "07"
          "18" "0500" "02d0" "01" "04" "01" "aabb", "0c" "aabb" },
        { NGX_WEBRTC_CODEC_VP9, "ec" "9234" "22" "07" "aabb",
          "ec" "9234" "22" "07" "aabb" },
        { NGX_WEBRTC_CODEC_H264, "6588aabb", "6588aabb" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void) ngx_webrtc_depay_init(&d, ngx_webrtc_codec(rows[i].codec));

        n = strlen(rows[i].payload);
        p = unhex(rows[i].payload, n);
        q = ngx_webrtc_depay_plain(&d, p, p + n / 2);

        want = strlen(rows[i].plain);
        plain = unhex(rows[i].plain, want);

        tap_is_mem(q, p + n / 2 - q, plain, want / 2, "plain: %s",
                   rows[i].payload);

        free(plain);
        free(p);
    }
}


/*
 * What a receiver takes for a frame of AV1: one for each picture.  Packets are
 * "[m]hex" with the marker, "!" in front of a new picture.
 */

static void
test_join(void)
{
    char                        out[512], *o;
    u_char                     *p, *q, *buf;
    size_t                      n;
    ngx_uint_t                  i, k, flags;
    const char                 *in;
    ngx_webrtc_depay_t          d;
    ngx_webrtc_depay_info_t     info;
    ngx_webrtc_depay_packet_t   pkt;

    static const struct {
        const char  *name;
        const char  *in;
        const char  *out;
    } t[] = {
        { "one packet", "m103001e040 !m103001e040", "103001e040 103001e040" },
        { "fragments", "503001e0 m9040aa", "503001e0 9040aa" },
        { "two spatial layers", "10340031e0 m10340831e0",
          "50340031e0 a000340831e0" },
        { "three", "10340031e0 10340831e0 m10341031e0",
          "50340031e0 e000340831e0 a000341031e0" },
        { "of fragments", "5034003100 90aabb 5034083100 m90ccdd",
          "5034003100 d0aabb e00034083100 90ccdd" },
        { "the next picture", "103001e0 !m103001e0", "503001e0 103001e0" },
        { "two elements", "103001e0 m20033001e03001e0",
          "503001e0 b000033001e03001e0" },
        { "three elements, four then", "103001e0 m300120022101300123",
          "503001e0 8000012002210103300123" },
        { "all with lengths", "103001e0 m00033001e0", "503001e0 8000033001e0" },
        { "joined elsewhere", "503001e0 m9000aa", "503001e0 9000aa" },
        { "to nothing", "ma0003001e0", "103001e0" },
        { "to nothing, with lengths", "m8000033001e0", "00033001e0" },
        { "joined already", "503001e0 ma0003001e0", "503001e0 a0003001e0" },
        { "a sequence header", "1808" SEQ " m1030111400a1",
          "580a0b" SEQ " a00030111400a1" },
        { "which says that it is new", "1808" SEQ " m1830111400a1",
          "580a0b" SEQ " a00030111400a1" },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        ngx_webrtc_depay_init(&d, ngx_webrtc_codec(NGX_WEBRTC_CODEC_AV1));
        memset(&pkt, 0, sizeof(pkt));

        o = out;

        for (in = t[i].in; *in; in += strspn(in, " ")) {

            pkt.ts += (*in == '!') ? 3000 : 0;
            in += (*in == '!');

            pkt.marker = (*in == 'm');
            in += (*in == 'm');

            n = strcspn(in, " ");
            pkt.payload = unhex(in, n);
            pkt.n = n / 2;
            in += n;

            if (ngx_webrtc_depay_input(&d, &pkt, &info) == NGX_OK) {

                buf = malloc(NGX_WEBRTC_DEPAY_PAYLOAD);
                p = malloc(NGX_WEBRTC_DEPAY_PAYLOAD);

                while (ngx_webrtc_depay_prefix(&d, p, NGX_WEBRTC_DEPAY_PAYLOAD,
                                               &n, &flags)
                       == NGX_OK)
                {
                    q = ngx_webrtc_depay_join(&d, p, &n, 1, buf);

                    for (k = 0; k < n; k++) {
                        o += sprintf(o, "%02x", q[k]);
                    }

                    *o++ = ' ';
                }

                free(p);
                free(buf);

                n = pkt.n;
                buf = malloc(n + NGX_WEBRTC_DEPAY_JOIN);

                q = ngx_webrtc_depay_join(&d, pkt.payload, &n, !pkt.marker,
                                          buf);

                for (k = 0; k < n; k++) {
                    o += sprintf(o, "%02x", q[k]);
                }

                *o++ = ' ';

                free(buf);
            }

            free(pkt.payload);
        }

        o[-(o > out)] = '\0';

        tap_is_str(out, t[i].out, "joined: %s", t[i].name);
    }

    tap_is_int(ngx_webrtc_depay_closed(d.ops, 0xd0), 0x90, "closed");
}


int
main(void)
{
    test_rows();
    test_prefix();
    test_join();
    test_media();
    test_recovery();
    test_layers();
    test_plain();

    return tap_done();
}
