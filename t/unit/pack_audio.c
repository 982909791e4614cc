
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Audio packetizers: RFC 7587, 4.2 and RFC 3551, 4.2.
 */


#include "media.h"
#include "ngx_webrtc_codecs.h"

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


static media_out_t   out;


/* sizes of PCM frames in, packets and the tick of the first out */

static const struct {
    size_t       in;
    ngx_uint_t   n;
    int32_t      tick;
} pcms[] = {
    { 160, 1,    0 },
    { 320, 2,    0 },
    { 100, 0,    0 },           /* 100 held */
    { 100, 1, -100 },           /*  40 */
    { 120, 1,  -40 },           /*   0 */
    {   1, 0,    0 },           /*   1 */
    { 1024, 6,  -1 },           /*  65 */
    {  95, 1,  -65 },           /*   0 */
    { 159, 0,    0 },
    {   1, 1, -159 },
};


static void
test_pcm(ngx_uint_t codec, const char *name)
{
    size_t              n, i, k, m, bad;
    int32_t             tick;
    u_char              next, *p;
    ngx_webrtc_pack_t   pack;
    ngx_webrtc_frame_t  frame;
    ngx_webrtc_track_t  track;
    static u_char       data[2048];

    tap_is_int(ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(codec), 0,
                                    media_out, &out), NGX_OK, "%s init", name);

    out.pack = &pack;
    next = 0;
    n = 0;
    bad = 0;

    for (i = 0; i < nelts(pcms); i++) {

        for (k = 0; k < pcms[i].in; k++) {
            data[k] = (u_char) (n++ * 7);
        }

        p = malloc(pcms[i].in);
        memcpy(p, data, pcms[i].in);

        tap_is_int(ngx_webrtc_pack_probe(&pack, p, pcms[i].in, &frame),
                   NGX_OK, "%s probe %d", name, (int) i);
        tap_is_int(ngx_webrtc_pack_frame(&pack, p, pcms[i].in, &frame),
                   NGX_OK, "%s frame %d", name, (int) i);
        tap_is_int(out.n, pcms[i].n, "%s packets %d", name, (int) i);

        tick = pcms[i].tick;

        for (k = 0; k < out.n; k++) {
            bad += (out.size[k] != 160);
            bad += (out.tick[k] != tick);
            bad += (out.flags[k] != (NGX_WEBRTC_PKT_FIRST
                                     |NGX_WEBRTC_PKT_LAST));

            for (m = 0; m < out.size[k]; m++) {
                bad += (out.data[k][m] != next);
                next += 7;
            }

            tick += 160;
        }

        media_free(&out);
        free(p);
    }

    tap_is_int(bad, 0, "%s bytes, sizes and ticks", name);

    tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_OK, "%s track", name);
    tap_is_int(track.kind, NGX_WEBRTC_AUDIO, "%s kind", name);
    tap_is_int(track.codec, codec, "%s codec", name);
    tap_is_int(track.clock_rate, 8000, "%s clock rate", name);
    tap_is_int(track.channels, 1, "%s channels", name);

    out.pack = NULL;
}


static void
test_opus(void)
{
    ngx_webrtc_pack_t   pack;
    ngx_webrtc_track_t  track;
    static u_char       data[1500] = "\xfc\xff\xfe";

    (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(NGX_WEBRTC_CODEC_OPUS),
                                1200, media_out, &out);

    tap_is_int(ngx_webrtc_pack_frame(&pack, data, 3, NULL), NGX_OK, "opus");
    tap_is_int(out.n, 1, "opus packet");
    tap_is_mem(out.data[0], out.size[0], "\xfc\xff\xfe", 3, "opus bytes");
    tap_is_int(out.flags[0], NGX_WEBRTC_PKT_FIRST|NGX_WEBRTC_PKT_LAST,
               "opus flags");
    media_free(&out);

    tap_is_int(ngx_webrtc_pack_frame(&pack, data, 1200, NULL), NGX_OK,
               "largest opus packet");
    tap_is_int(out.size[0], 1200, "its size");
    media_free(&out);

    tap_is_int(ngx_webrtc_pack_frame(&pack, data, 1201, NULL), NGX_DECLINED,
               "opus packet too large");
    tap_is_int(ngx_webrtc_pack_frame(&pack, data, 0, NULL), NGX_DECLINED,
               "empty opus packet");
    tap_is_int(out.n, 0, "nothing came out");

    tap_is_int(ngx_webrtc_pack_track(&pack, &track), NGX_OK, "opus track");
    tap_is_int(track.clock_rate, 48000, "opus clock rate");
    tap_is_int(track.channels, 2, "opus channels");
    tap_is_int(ngx_webrtc_pack_config(&pack, data, 19), NGX_OK,
               "OpusHead is ignored");
}


/* names, kinds, clock rates and static payload types of the codecs' RFCs */

static const struct {
    const char  *name;
    uint32_t     rate;
    ngx_uint_t   codec;
    ngx_uint_t   kind;
    int          pt;
} codecs[] = {
    { "H264", 90000, NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_VIDEO,  -1 },
    { "h265", 90000, NGX_WEBRTC_CODEC_H265, NGX_WEBRTC_VIDEO,  -1 },
    { "VP8",  90000, NGX_WEBRTC_CODEC_VP8,  NGX_WEBRTC_VIDEO,  -1 },
    { "vp9",  90000, NGX_WEBRTC_CODEC_VP9,  NGX_WEBRTC_VIDEO,  -1 },
    { "AV1",  90000, NGX_WEBRTC_CODEC_AV1,  NGX_WEBRTC_VIDEO,  -1 },
    { "opus", 48000, NGX_WEBRTC_CODEC_OPUS, NGX_WEBRTC_AUDIO,  -1 },
    { "OPUS", 48000, NGX_WEBRTC_CODEC_OPUS, NGX_WEBRTC_AUDIO,  -1 },
    { "PCMU",  8000, NGX_WEBRTC_CODEC_PCMU, NGX_WEBRTC_AUDIO,   0 },
    { "PCMA",  8000, NGX_WEBRTC_CODEC_PCMA, NGX_WEBRTC_AUDIO,   8 },
    { "G722",  8000, NGX_WEBRTC_CODEC_G722, NGX_WEBRTC_AUDIO,   9 },
    { "red",  48000, NGX_WEBRTC_CODEC_RED,  NGX_WEBRTC_AUDIO,  -1 },
    { "opus", 90000, NGX_WEBRTC_CODEC_NONE, 0, -1 },
    { "H26",  90000, NGX_WEBRTC_CODEC_NONE, 0, -1 },
    { "H2640", 90000, NGX_WEBRTC_CODEC_NONE, 0, -1 },
    { "",     0,     NGX_WEBRTC_CODEC_NONE, 0, -1 },
};


static void
test_codecs(void)
{
    ngx_uint_t                 i;
    const ngx_webrtc_codec_t  *c;

    for (i = 0; i < nelts(codecs); i++) {
        c = ngx_webrtc_codec_find((u_char *) codecs[i].name,
                                  strlen(codecs[i].name), codecs[i].rate);

        tap_is_int(c ? c->codec : NGX_WEBRTC_CODEC_NONE, codecs[i].codec,
                   "codec %s/%u", codecs[i].name, codecs[i].rate);

        if (c == NULL) {
            continue;
        }

        tap_is_int(c->kind, codecs[i].kind, "kind of %s", codecs[i].name);
        tap_is_int(c->static_pt, codecs[i].pt, "pt of %s", codecs[i].name);
        tap_ok(ngx_webrtc_codec(codecs[i].codec) == c, "by number %s",
               codecs[i].name);

        if (codecs[i].pt >= 0) {
            tap_ok(ngx_webrtc_codec_static(codecs[i].pt) == c, "by pt %s",
                   codecs[i].name);
        }
    }

    tap_ok(ngx_webrtc_codec_static(96) == NULL, "no codec of pt 96");
    tap_ok(ngx_webrtc_codec_static(255) == NULL, "no codec of pt 255");
    tap_is_int(ngx_webrtc_codec(NGX_WEBRTC_CODEC_N)->kind, 0, "out of range");
    tap_is_int(ngx_webrtc_codec(12345)->name.len, 0, "out of range");
}


int
main(void)
{
    test_pcm(NGX_WEBRTC_CODEC_PCMU, "pcmu");
    test_pcm(NGX_WEBRTC_CODEC_PCMA, "pcma");
    test_pcm(NGX_WEBRTC_CODEC_G722, "g722");
    test_opus();
    test_codecs();

    return tap_done();
}
