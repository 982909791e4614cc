
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_choice: who gets the original and who a variant, by real offers;
 * what was negotiated has the same answer as the offer had.
 */


#include "negotiate.h"
#include "ngx_webrtc_choice.h"


#define OFF     NGX_WEBRTC_TRANSCODE_OFF
#define AUTO    NGX_WEBRTC_TRANSCODE_AUTO
#define ALWAYS  NGX_WEBRTC_TRANSCODE_ALWAYS

#define B       NGX_WEBRTC_TRACK_REORDERED
#define REFRESH NGX_WEBRTC_TRACK_NO_IDR
#define FIELDS  NGX_WEBRTC_TRACK_INTERLACED

#define CODEC(c)  NGX_WEBRTC_CODEC_##c

/* "original:plays", "variant:B-frames:h264" or "none:codec not offered" */

static char *
text(const ngx_webrtc_choice_t *choice)
{
    static char  buf[256];

    static const char  *what[] = { "original", "variant", "layer", "none" };

    snprintf(buf, sizeof(buf), "%s:%s%s%.*s", what[choice->what],
             ngx_webrtc_choice_why(choice->reason),
             choice->what == NGX_WEBRTC_CHOICE_VARIANT
             || choice->what == NGX_WEBRTC_CHOICE_LAYER ? ":" : "",
             (int) choice->variant.label_len, choice->variant.label);

    return buf;
}


static void
test_offers(void)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_webrtc_track_t         *t;
    ngx_webrtc_choice_t         choice;
    ngx_webrtc_variant_t        how;
    ngx_webrtc_choice_viewer_t  viewer;

    static const struct {
        const char  *offer;
        ngx_uint_t   mode;
        ngx_uint_t   codec;
        ngx_uint_t   traits;
        ngx_uint_t   depth;
        ngx_uint_t   chroma;
        ngx_uint_t   cvo;
        const char  *want;
    } rows[] = {
        { "chromium-recvonly", AUTO, CODEC(H264), 0, 8, 1, 0,
          "original:plays" },
        { "chromium-recvonly", AUTO, CODEC(H264), 0, 0, 0, 0,
          "original:plays" },
        { "chromium-recvonly", AUTO, CODEC(H264), B, 8, 1, 0,
          "variant:B-frames:h264" },
        { "chromium-recvonly", OFF, CODEC(H264), B, 8, 1, 0,
          "original:B-frames" },
        { "chromium-recvonly", AUTO, CODEC(H264), REFRESH, 8, 1, 0,
          "variant:no IDR (intra refresh):h264" },
        { "chromium-recvonly", AUTO, CODEC(H264), FIELDS, 8, 1, 0,
          "original:plays" },
        { "chromium-recvonly", ALWAYS, CODEC(H264), 0, 8, 1, 0,
          "variant:always:h264" },
        { "chromium-recvonly", AUTO, CODEC(H265), 0, 8, 1, 0,
          "variant:codec not offered:h264" },
        { "chromium-recvonly", OFF, CODEC(H265), 0, 8, 1, 0,
          "none:codec not offered" },
        { "chromium-recvonly", AUTO, CODEC(MPEG2), B, 8, 1, 0,
          "variant:codec not offered:h264" },
        { "chromium-recvonly", AUTO, CODEC(MJPEG), 0, 8, 2, 0,
          "variant:codec not offered:h264" },
        { "firefox-recvonly", AUTO, CODEC(H264), 0, 8, 1, 0,
          "variant:codec not offered:vp8" },
        { "firefox-recvonly", AUTO, CODEC(AV1), 0, 8, 1, 0,
          "original:plays" },
        { "safari-recvonly", AUTO, CODEC(H265), 0, 8, 1, 0,
          "original:plays" },
        { "safari-recvonly", AUTO, CODEC(H265), B, 8, 1, 0,
          "variant:B-frames:h264" },
        { "gstreamer-recvonly", AUTO, CODEC(VP8), 0, 0, 0, 0,
          "variant:codec not offered:h264" },

        /* formats: chromium has profiles f4 of H.264, 1 to 3 of VP9, and 1 of
         * AV1; safari those of 8 bit, and 2 of VP9 */

        { "chromium-recvonly", AUTO, CODEC(H264), 0, 10, 1, 0,
          "original:plays" },
        { "chromium-recvonly", AUTO, CODEC(H264), 0, 8, 4, 0,
          "variant:chroma is not 4:2:0:h264" },
        { "safari-recvonly", AUTO, CODEC(H264), 0, 10, 1, 0,
          "variant:more than 8 bits:h264" },
        { "safari-recvonly", AUTO, CODEC(H264), 0, 8, 2, 0,
          "variant:chroma is not 4:2:0:h264" },
        { "safari-recvonly", AUTO, CODEC(H264), 0, 8, 3, 0,
          "variant:chroma is not 4:2:0:h264" },
        { "safari-recvonly", AUTO, CODEC(H265), 0, 10, 1, 0,
          "variant:more than 8 bits:h264" },
        { "safari-recvonly", AUTO, CODEC(VP9), 0, 10, 1, 0,
          "original:plays" },
        { "safari-recvonly", AUTO, CODEC(VP9), 0, 8, 3, 0,
          "variant:chroma is not 4:2:0:h264" },
        { "firefox-recvonly", AUTO, CODEC(VP9), 0, 10, 1, 0,
          "variant:more than 8 bits:vp8" },
        { "chromium-recvonly", AUTO, CODEC(AV1), 0, 10, 1, 0,
          "variant:more than 8 bits:h264" },
        { "chromium-recvonly", AUTO, CODEC(AV1), 0, 8, 3, 0,
          "original:plays" },

        /* orientation: gstreamer has no such extension */

        { "chromium-recvonly", AUTO, CODEC(H264), 0, 8, 1, 1,
          "original:plays" },
        { "gstreamer-recvonly", AUTO, CODEC(H264), 0, 8, 1, 1,
          "variant:rotated:h264" },
        { "gstreamer-recvonly", OFF, CODEC(H264), 0, 8, 1, 1,
          "original:rotated" },

        /* no video in the stream */

        { "chromium-recvonly", ALWAYS, CODEC(OPUS), 0, 0, 0, 0,
          "original:plays" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PLAY);
        track(rows[i].codec, 0);
        policy.exts = NGX_WEBRTC_EXT_CVO;
        policy.alternatives = ~(ngx_uint_t) 0;

        t = &tracks[0];
        t->traits = (uint8_t) rows[i].traits;
        t->depth = (uint8_t) rows[i].depth;
        t->chroma = (uint8_t) rows[i].chroma;
        t->cvo = (uint8_t) rows[i].cvo;

        ngx_memzero(&how, sizeof(how));

        rc = negotiate_file(rows[i].offer);

        ngx_webrtc_choice_offer(&sdp, &viewer);
        ngx_webrtc_choice(tracks, 1, &viewer, rows[i].mode, &how, &choice);

        tap_is_str(text(&choice), rows[i].want, "%s, row %d", rows[i].offer,
                   (int) i);

        if (choice.what == NGX_WEBRTC_CHOICE_VARIANT) {

            /* as if it had been answered with the variant */

            policy.ntracks = 0;
            track(choice.variant.codec, 0);
            rc = negotiate_file(rows[i].offer);
            policy.ntracks = 0;
            track(rows[i].codec, 0);

            t->traits = (uint8_t) rows[i].traits;
            t->depth = (uint8_t) rows[i].depth;
            t->chroma = (uint8_t) rows[i].chroma;
            t->cvo = (uint8_t) rows[i].cvo;
        }

        if (rc != NGX_OK) {
            continue;
        }

        ngx_webrtc_choice_keep(&viewer, &desc);
        ngx_webrtc_choice_desc(&desc, &viewer);
        ngx_webrtc_choice(tracks, 1, &viewer, rows[i].mode, &how, &choice);

        tap_is_str(text(&choice), rows[i].want, "%s, row %d: negotiated",
                   rows[i].offer, (int) i);
    }
}


static void
test_labels(void)
{
    ngx_uint_t                  i;
    ngx_webrtc_choice_t         choice;
    ngx_webrtc_variant_t        how;
    ngx_webrtc_choice_viewer_t  viewer;

    static const struct {
        const char           *offer;
        ngx_uint_t            mode;
        ngx_webrtc_variant_t  how;
        const char           *want;
    } rows[] = {
        { "chromium-recvonly", AUTO, { .codec = CODEC(VP9) }, "vp9" },
        { "gstreamer-recvonly", AUTO, { .codec = CODEC(VP9) }, "h264" },
        { "chromium-recvonly", AUTO, { .width = 1280, .height = 720 },
          "h264:1280x720" },
        { "chromium-recvonly", AUTO, { .height = 720, .fps = 30 },
          "h264:720:30fps" },
        { "firefox-recvonly", ALWAYS, { .bitrate = 2097152 }, "vp8:2097152" },
        { "chromium-recvonly", AUTO, { .deinterlace = 1, .hw = 1 },
          "h264:p" },
        { "chromium-recvonly", AUTO,
          { .codec = CODEC(AV1), .width = 16384, .height = 16384, .fps = 240,
            .bitrate = NGX_WEBRTC_VARIANT_BIT_MOST, .deinterlace = 1 },
          "av1:16384x16384:1073741824:240fps:p" },
        { "chromium-recvonly", AUTO,
          { .height = 720, .label_len = 4, .label = "720p" }, "720p" },
        { "firefox-recvonly", AUTO,
          { .height = 720, .label_len = 4, .label = "720p" }, "720p:vp8" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PLAY);
        track(NGX_WEBRTC_CODEC_H264, 0);
        tracks[0].traits = B;

        (void) negotiate_file(rows[i].offer);

        how = rows[i].how;

        ngx_webrtc_choice_offer(&sdp, &viewer);
        ngx_webrtc_choice(tracks, 1, &viewer, rows[i].mode, &how, &choice);

        tap_is_mem(choice.variant.label, choice.variant.label_len,
                   rows[i].want, strlen(rows[i].want), "label %d", (int) i);
        tap_is_int(choice.variant.height, how.height, "label %d: height",
                   (int) i);
        tap_is_int(choice.variant.hw, how.hw, "label %d: encoder", (int) i);
    }
}


/* whom no variant helps: an offer of H.265 alone */

static void
test_no_encoder(void)
{
    ngx_webrtc_choice_t         choice;
    ngx_webrtc_variant_t        how;
    ngx_webrtc_choice_viewer_t  viewer;

    static const char  h265[] =
        HEAD "a=group:BUNDLE v\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 106\na=mid:v\na=recvonly\n"
        "a=rtpmap:106 H265/90000\n" T;

    ngx_memzero(&how, sizeof(how));

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_H265, 0);
    tap_is_int(negotiate_text(h265), NGX_OK, "an offer of H.265 alone");

    ngx_webrtc_choice_offer(&sdp, &viewer);

    ngx_webrtc_choice(tracks, 1, &viewer, ALWAYS, &how, &choice);
    tap_is_str(text(&choice), "original:plays", "always: there is no other");

    tracks[0].traits = B;
    ngx_webrtc_choice(tracks, 1, &viewer, AUTO, &how, &choice);
    tap_is_str(text(&choice), "none:B-frames", "B-frames: cannot be helped");

    tracks[0].flags = NGX_WEBRTC_TRACK_PENDING;
    ngx_webrtc_choice(tracks, 1, &viewer, AUTO, &how, &choice);
    tap_is_str(text(&choice), "original:plays", "it has not come yet");
    tracks[0].flags = 0;

    (void) negotiate_text(HEAD "a=group:BUNDLE a\n" AUDIO T);
    ngx_webrtc_choice_offer(&sdp, &viewer);
    ngx_webrtc_choice(tracks, 1, &viewer, AUTO, &how, &choice);
    tap_is_str(text(&choice), "original:plays", "no video is wanted");

    ngx_webrtc_choice(tracks, 0, &viewer, AUTO, &how, &choice);
    tap_is_str(text(&choice), "original:plays", "no tracks");

    tap_is_int(ngx_webrtc_choice_codec(&viewer, &how), 0, "nothing to encode");
}


/* a layer that the publisher sends is for those who can play the stream */

static void
test_layer(void)
{
    ngx_uint_t                  i;
    ngx_webrtc_choice_t         choice;
    ngx_webrtc_variant_t        how;
    ngx_webrtc_choice_viewer_t  viewer;

    static const struct {
        ngx_uint_t   mode;
        ngx_uint_t   codec;
        ngx_uint_t   traits;
        const char  *want;
    } rows[] = {
        { OFF, CODEC(VP8), 0, "layer:simulcast:m" },
        { AUTO, CODEC(VP8), 0, "layer:simulcast:m" },
        { OFF, CODEC(H264), B, "layer:simulcast:m" },
        { AUTO, CODEC(H264), B, "variant:B-frames:h264" },
        { ALWAYS, CODEC(VP8), 0, "variant:always:h264" },
        { AUTO, CODEC(H265), 0, "variant:codec not offered:h264" },
        { OFF, CODEC(H265), 0, "none:codec not offered" }
    };

    ngx_memzero(&how, sizeof(how));

    how.hw = NGX_WEBRTC_VARIANT_PUBLISHED;
    how.label[0] = 'm';
    how.label_len = 1;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PLAY);
        track(rows[i].codec, 0);

        tracks[0].traits = (uint8_t) rows[i].traits;

        (void) negotiate_file("chromium-recvonly");

        ngx_webrtc_choice_offer(&sdp, &viewer);
        ngx_webrtc_choice(tracks, 1, &viewer, rows[i].mode, &how, &choice);

        tap_is_str(text(&choice), rows[i].want, "a layer, row %d", (int) i);
    }
}


int
main(void)
{
    test_offers();
    test_labels();
    test_no_encoder();
    test_layer();

    return tap_done();
}
