
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_negotiate: which codecs an answer has, alternatives of a player
 * and preferences for a publisher, and what a publisher is told besides.  The
 * expected payload types were read off the offers.
 */


#include "negotiate.h"
#include "ngx_webrtc_codecs.h"


#define BIT(c)  ((ngx_uint_t) 1 << NGX_WEBRTC_CODEC_##c)
#define ALL     (~(ngx_uint_t) 0)

#define FB_VIDEO  (NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR    \
                   |NGX_WEBRTC_FB_TWCC|NGX_WEBRTC_FB_REMB)

/* bytes of an answer; FFmpeg 8 takes no more */
#define FFMPEG  8192


static void
test_alternatives(void)
{
    u_char                    text[256], *p;
    ngx_int_t                 rc;
    ngx_uint_t                i, n;
    ngx_webrtc_desc_media_t  *m;

    static const struct {
        const char  *offer;
        ngx_uint_t   codec;
        ngx_uint_t   set;
        const char  *want;               /* "codec:pt/rtx ..." */
        const char  *mline;              /* in the answer */
    } rows[] = {
        { "chromium-recvonly", NGX_WEBRTC_CODEC_H264, 0, "1:102/103",
          "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\n" },
        { "chromium-recvonly", NGX_WEBRTC_CODEC_H264, BIT(H264),
          "1:102/103", "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\n" },
        { "chromium-recvonly", NGX_WEBRTC_CODEC_H264, ALL,
          "1:102/103 3:96/97 4:98/99 5:45/46",
          "m=video 9 UDP/TLS/RTP/SAVPF 102 103 96 97 98 99 45 46\r\n" },
        { "chromium-recvonly", NGX_WEBRTC_CODEC_VP9, BIT(H264) | BIT(VP9),
          "4:98/99 1:102/103",
          "m=video 9 UDP/TLS/RTP/SAVPF 98 99 102 103\r\n" },
        { "firefox-recvonly", NGX_WEBRTC_CODEC_AV1, ALL,
          "5:99/100 3:120/124 4:121/125",
          "m=video 9 UDP/TLS/RTP/SAVPF 99 100 120 124 121 125\r\n" },
        { "safari-recvonly", NGX_WEBRTC_CODEC_VP8, ALL & ~BIT(VP9),
          "3:106/107 1:96/97 2:104/125",
          "m=video 9 UDP/TLS/RTP/SAVPF 106 107 96 97 104 125\r\n" },

        /* an offer with one codec */

        { "gstreamer-recvonly", NGX_WEBRTC_CODEC_H264, ALL, "1:96/255",
          "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" },

        /* one SSRC has one clock rate */

        { "chromium-recvonly", NGX_WEBRTC_CODEC_OPUS, ALL, "6:111/255",
          "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n" },
        { "chromium-recvonly", NGX_WEBRTC_CODEC_OPUS, ALL & ~BIT(RED),
          "6:111/255", "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "chromium-recvonly", NGX_WEBRTC_CODEC_G722, ALL,
          "9:9/255 7:0/255 8:8/255",
          "m=audio 9 UDP/TLS/RTP/SAVPF 9 0 8\r\n" },
        { "firefox-recvonly", NGX_WEBRTC_CODEC_PCMU, BIT(PCMA) | BIT(OPUS),
          "7:0/255 8:8/255", "m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\n" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PLAY);
        track(rows[i].codec, 0);
        policy.alternatives = rows[i].set;

        rc = negotiate_file(rows[i].offer);

        m = (rc == NGX_OK) ? find(ngx_webrtc_codec(rows[i].codec)->kind)
                           : NULL;

        if (m == NULL) {
            tap_fail("alternatives %d: %s", (int) i, rows[i].offer);
            continue;
        }

        p = ngx_sprintf(text, "%ui:%ui/%ui", (ngx_uint_t) m->codec,
                        (ngx_uint_t) m->pt, (ngx_uint_t) m->rtx_pt);

        for (n = 0; n < m->nalts; n++) {
            p = ngx_sprintf(p, " %ui:%ui/%ui", (ngx_uint_t) m->alts[n].codec,
                            (ngx_uint_t) m->alts[n].pt,
                            (ngx_uint_t) m->alts[n].rtx_pt);
        }

        tap_is_mem(text, p - text, rows[i].want, strlen(rows[i].want),
                   "alternatives %d: %s", (int) i, rows[i].offer);
        tap_ok(has(rows[i].mline), "alternatives %d: %.*s", (int) i,
               (int) strlen(rows[i].mline) - 2, rows[i].mline);
    }
}


static void
test_alternatives_answer(void)
{
    ngx_webrtc_desc_alt_t     alt;
    ngx_webrtc_desc_media_t  *m;

    static const char  rest[] =
        "a=rtpmap:98 VP9/90000\r\n"
        "a=fmtp:98 profile-id=0\r\n"
        "a=rtcp-fb:98 ccm fir\r\n"
        "a=rtcp-fb:98 nack\r\n"
        "a=rtcp-fb:98 nack pli\r\n"
        "a=rtpmap:99 rtx/90000\r\n"
        "a=fmtp:99 apt=98\r\n"
        "a=rtpmap:102 H264/90000\r\n"
        "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;"
            "profile-level-id=42001f\r\n"
        "a=rtcp-fb:102 ccm fir\r\n"
        "a=rtcp-fb:102 nack\r\n"
        "a=rtcp-fb:102 nack pli\r\n"
        "a=rtpmap:103 rtx/90000\r\n"
        "a=fmtp:103 apt=102\r\n"
        "a=ssrc-group:FID 1003 1004\r\n";

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_VP9, 0);
    policy.alternatives = BIT(H264);

    tap_ok(negotiate_file("chromium-recvonly") == NGX_OK && has(rest),
           "an alternative is told like the codec itself");

    m = find(NGX_WEBRTC_VIDEO);

    tap_ok(ngx_webrtc_desc_codec(m, NGX_WEBRTC_CODEC_VP9, &alt) == NGX_OK
           && alt.codec == NGX_WEBRTC_CODEC_VP9 && alt.pt == 98
           && alt.rtx_pt == 99, "payload types of the codec");
    tap_ok(ngx_webrtc_desc_codec(m, NGX_WEBRTC_CODEC_H264, &alt) == NGX_OK
           && alt.codec == NGX_WEBRTC_CODEC_H264 && alt.pt == 102
           && alt.rtx_pt == 103, "payload types of the alternative");
    tap_is_int(ngx_webrtc_desc_codec(m, NGX_WEBRTC_CODEC_AV1, &alt),
               NGX_DECLINED, "payload types of neither");

    /* the alternative has RTX, the codec hasn't: there is an SSRC for it */

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_H264, 0);
    policy.alternatives = ALL;

    tap_ok(negotiate_text(HEAD "m=video 9 UDP/TLS/RTP/SAVPF 106 98 99\n"
                          "a=recvonly\na=rtpmap:106 H264/90000\n"
                          "a=rtpmap:98 VP8/90000\na=rtcp-fb:98 nack\n"
                          "a=rtpmap:99 rtx/90000\na=fmtp:99 apt=98\n" T)
           == NGX_OK
           && desc.media[0].rtx_pt == NONE && desc.media[0].nalts == 1
           && desc.media[0].alts[0].rtx_pt == 99
           && desc.media[0].rtx_ssrc == 1004
           && has("a=ssrc-group:FID 1003 1004\r\n"),
           "RTX of an alternative alone");

    policy.no_rtx = 1;

    tap_ok(negotiate_file("chromium-recvonly") == NGX_OK && !has("rtx")
           && find(NGX_WEBRTC_VIDEO)->nalts == 3
           && find(NGX_WEBRTC_VIDEO)->rtx_ssrc == 0,
           "alternatives without RTX");

    /* not of what is inactive */

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_OPUS, 0);
    policy.alternatives = ALL;

    tap_ok(negotiate_file("chromium-recvonly") == NGX_OK
           && find(NGX_WEBRTC_VIDEO)->nalts == 0
           && find(NGX_WEBRTC_VIDEO)->track == NGX_WEBRTC_DESC_NO_TRACK,
           "an inactive m-line has no alternatives");

    tap_ok(sizeof(ngx_webrtc_desc_t) <= 1400, "the description has %d bytes",
           (int) sizeof(ngx_webrtc_desc_t));
}


/* all that a publisher may send, RFC 3264, 6.1 */

static void
test_accepted(void)
{
    u_char                    text[256], *p;
    ngx_int_t                 rc;
    ngx_uint_t                i, n, k;
    ngx_webrtc_desc_media_t  *m;

#define M(fmts)  HEAD "m=video 9 UDP/TLS/RTP/SAVPF " fmts "\na=sendonly\n" T
#define A(fmts)  HEAD "m=audio 9 UDP/TLS/RTP/SAVPF " fmts "\na=sendonly\n" T
#define MAP(pt, name)  "a=rtpmap:" pt " " name "\n"
#define MODE(pt, mode)                                                        \
    "a=rtpmap:" pt " H264/90000\na=fmtp:" pt " packetization-mode=" mode "\n"

    static const struct {
        const char  *name;
        const char  *offer;              /* SDP, or one of t/data/offers */
        uint8_t      order[4];
        ngx_uint_t   n;
        const char  *want;               /* "codec:pt/rtx ..." */
    } rows[] = {
        { "Chromium", "chromium-sendonly", { 0 }, 0,
          "3:96/97 1:102/103 1:104/107 1:108/109 1:114/115 1:116/117 1:39/40 "
          "5:45/46 4:98/99 4:100/101" },
        { "Chromium, two codecs of a list", "chromium-sendonly",
          { NGX_WEBRTC_CODEC_AV1, NGX_WEBRTC_CODEC_VP9,
            NGX_WEBRTC_CODEC_OPUS }, 3, "5:45/46 4:98/99 4:100/101" },
        { "the list's order", "chromium-sendonly",
          { NGX_WEBRTC_CODEC_VP9, 200, NGX_WEBRTC_CODEC_VP8,
            NGX_WEBRTC_CODEC_OPUS }, 4, "4:98/99 4:100/101 3:96/97" },
        { "Firefox", "firefox-simulcast", { 0 }, 0,
          "3:120/124 4:121/125 5:99/100" },
        { "GStreamer", "gstreamer-publish", { 0 }, 0,
          "3:96/108 1:98/109 2:100/255 4:102/255 5:104/255" },
        { "pion", "pion-publish", { 0 }, 0,
          "3:96/97 4:98/99 4:100/101 1:102/121 1:127/120 1:125/107 1:108/109 "
          "1:123/118" },
        { "audio of several clock rates",
          A("111 9 0 8 13 101") MAP("111", "opus/48000/2")
          MAP("101", "telephone-event/8000"), { 0 }, 0,
          "6:111/255 9:9/255 7:0/255 8:8/255" },
        { "PCMU first", A("0 111") MAP("111", "opus/48000/2"), { 0 }, 0,
          "7:0/255 6:111/255" },
        { "what is not known", M("100 96 101") MAP("100", "H263/90000")
          MAP("96", "VP8/90000") MAP("101", "VP8/48000"), { 0 }, 0,
          "3:96/255" },
        { "the better mode first", M("100 101 96") MODE("100", "0")
          MODE("101", "1") MAP("96", "VP8/90000"), { 0 }, 0,
          "1:101/255 1:100/255 3:96/255" },
        { "interleaved H.264 never", M("100 101 96") MODE("100", "2")
          MODE("101", "0") MAP("96", "VP8/90000"), { 0 }, 0,
          "1:101/255 3:96/255" },
        { "interleaved H.264 alone", M("100 96") MODE("100", "2")
          MAP("96", "VP8/90000"), { 0 }, 0, "3:96/255" },
        { "only that", M("100") MODE("100", "2"), { 0 }, 0, NULL },

        /* RFC 5761, 4 */

        { "payload types of RTCP", M("64 95 96 63 102") MAP("64", "VP8/90000")
          MAP("95", "AV1/90000") MAP("96", "VP9/90000")
          MAP("63", "H264/90000") MAP("102", "H265/90000"), { 0 }, 0,
          "4:96/255 1:63/255 2:102/255" },
        { "its retransmissions", M("96 72 63 97") MAP("96", "VP9/90000")
          "a=rtcp-fb:96 nack\na=rtcp-fb:63 nack\n"
          MAP("72", "rtx/90000") "a=fmtp:72 apt=96\n"
          MAP("63", "H264/90000") MAP("97", "rtx/90000")
          "a=fmtp:97 apt=63\n", { 0 }, 0,
          "4:96/255 1:63/97" },

        /* of too many some of the same codec are left out, no codec is */

        { "too many",
          M("96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 111 112 "
            "113 114 115")
          MAP("96", "H264/90000") MAP("97", "H264/90000")
          MAP("98", "H264/90000") MAP("99", "H264/90000")
          MAP("100", "H264/90000") MAP("101", "H264/90000")
          MAP("102", "H264/90000") MAP("103", "H264/90000")
          MAP("104", "H264/90000") MAP("105", "H264/90000")
          MAP("106", "H264/90000") MAP("107", "H264/90000")
          MAP("108", "H264/90000") MAP("109", "H264/90000")
          MAP("110", "H264/90000") MAP("111", "H264/90000")
          MAP("112", "VP9/90000") MAP("113", "VP9/90000")
          MAP("114", "VP8/90000") MAP("115", "AV1/90000"), { 0 }, 0,
          "1:96/255 1:97/255 1:98/255 1:99/255 1:100/255 1:101/255 1:102/255 "
          "1:103/255 1:104/255 1:105/255 1:106/255 1:107/255 1:108/255 "
          "4:112/255 3:114/255 5:115/255" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PUBLISH);
        policy.codec_order = rows[i].order;
        policy.ncodec_order = rows[i].n;

        rc = (rows[i].offer[1] == '=') ? negotiate_text(rows[i].offer)
                                       : negotiate_file(rows[i].offer);

        if (rows[i].want == NULL || rc != NGX_OK) {
            tap_ok(rows[i].want == NULL && rc == NGX_DECLINED,
                   "accepted: %s: %.*s", rows[i].name, (int) cause.len,
                   cause.detail);
            continue;
        }

        m = find(NGX_WEBRTC_VIDEO);
        m = m ? m : find(NGX_WEBRTC_AUDIO);

        p = ngx_sprintf(text, "%ui:%ui/%ui", (ngx_uint_t) m->codec,
                        (ngx_uint_t) m->pt, (ngx_uint_t) m->rtx_pt);

        for (n = 0; n < m->nalts; n++) {
            p = ngx_sprintf(p, " %ui:%ui/%ui", (ngx_uint_t) m->alts[n].codec,
                            (ngx_uint_t) m->alts[n].pt,
                            (ngx_uint_t) m->alts[n].rtx_pt);
        }

        tap_is_mem(text, p - text, rows[i].want, strlen(rows[i].want),
                   "accepted: %s", rows[i].name);

        /* the answer says the same, in this order */

        for (n = 0, k = 0; n < parsed.media[m->mline].ncodecs; n++) {

            if (parsed.media[m->mline].codecs[n].apt != NONE) {
                continue;
            }

            if (parsed.media[m->mline].codecs[n].pt
                != (k ? m->alts[k - 1].pt : m->pt))
            {
                break;
            }

            k++;
        }

        tap_ok(k == m->nalts + 1U, "answered: %s", rows[i].name);
        tap_ok(ngx_webrtc_desc_payload(m, m->pt) == m->codec
               && ngx_webrtc_desc_payload(m, 64) == 0
               && (m->nalts == 0
                   || ngx_webrtc_desc_payload(m, m->alts[m->nalts - 1].pt)
                      == m->alts[m->nalts - 1].codec),
               "codecs of payload types: %s", rows[i].name);
    }

    /* stereo is Opus', wherever it stands */

    reset(PUBLISH);

    tap_ok(negotiate_text(A("0 111") MAP("111", "opus/48000/2")
                          "a=fmtp:111 sprop-stereo=1\n") == NGX_OK
           && desc.media[0].stereo && has("a=fmtp:111 stereo=1\r\n"),
           "stereo behind PCMU");
}


static void
test_order(void)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *offer;
        uint8_t      order[4];
        ngx_uint_t   n;
        ngx_uint_t   video;              /* 0: refused */
        ngx_uint_t   audio;
    } rows[] = {
        { "chromium-sendonly", { 0 }, 0,
          NGX_WEBRTC_CODEC_VP8, NGX_WEBRTC_CODEC_OPUS },
        { "chromium-sendonly",
          { NGX_WEBRTC_CODEC_AV1, NGX_WEBRTC_CODEC_H264,
            NGX_WEBRTC_CODEC_OPUS }, 3,
          NGX_WEBRTC_CODEC_AV1, NGX_WEBRTC_CODEC_OPUS },
        { "chromium-sendonly",
          { NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_AV1,
            NGX_WEBRTC_CODEC_G722, NGX_WEBRTC_CODEC_OPUS }, 4,
          NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_G722 },
        { "chromium-sendonly",
          { NGX_WEBRTC_CODEC_H265, NGX_WEBRTC_CODEC_PCMA,
            NGX_WEBRTC_CODEC_VP9 }, 3,
          NGX_WEBRTC_CODEC_VP9, NGX_WEBRTC_CODEC_PCMA },
        { "firefox-simulcast",
          { NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS,
            NGX_WEBRTC_CODEC_AV1 }, 3,
          NGX_WEBRTC_CODEC_AV1, NGX_WEBRTC_CODEC_OPUS },
        { "obs-publish",
          { NGX_WEBRTC_CODEC_VP8, NGX_WEBRTC_CODEC_H264,
            NGX_WEBRTC_CODEC_PCMA, NGX_WEBRTC_CODEC_OPUS }, 4,
          NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS },

        /* nothing of the list, or RED, which is nothing by itself; more of it
         * is in negotiate_red.c */

        { "obs-publish", { NGX_WEBRTC_CODEC_VP8, NGX_WEBRTC_CODEC_OPUS }, 2,
          0, 0 },
        { "chromium-sendonly",
          { NGX_WEBRTC_CODEC_RED, NGX_WEBRTC_CODEC_VP8 }, 2, 0, 0 },
        { "chromium-sendonly",
          { NGX_WEBRTC_CODEC_RED, NGX_WEBRTC_CODEC_OPUS,
            NGX_WEBRTC_CODEC_VP8 }, 3,
          NGX_WEBRTC_CODEC_VP8, NGX_WEBRTC_CODEC_OPUS },

        /* what is no codec is passed over */

        { "chromium-sendonly",
          { 0, 200, NGX_WEBRTC_CODEC_OPUS, NGX_WEBRTC_CODEC_VP8 }, 4,
          NGX_WEBRTC_CODEC_VP8, NGX_WEBRTC_CODEC_OPUS }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PUBLISH);
        policy.codec_order = rows[i].order;
        policy.ncodec_order = rows[i].n;

        rc = negotiate_file(rows[i].offer);

        if (rows[i].video == 0) {
            tap_ok(rc == NGX_DECLINED
                   && cause.kind == NGX_WEBRTC_NEGOTIATE_UNSUPPORTED
                   && strcmp(cause.title, "no codec in common") == 0
                   && cause.len != 0, "order %d is refused", (int) i);
            continue;
        }

        tap_ok(rc == NGX_OK
               && find(NGX_WEBRTC_VIDEO)->codec == rows[i].video
               && find(NGX_WEBRTC_AUDIO)->codec == rows[i].audio,
               "order %d: %s", (int) i, rows[i].offer);
    }
}


/* Opus: FEC and DTX as the publisher has said, RFC 7587, 7 */

static void
test_opus(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *fmtp;
        const char  *publish;
        const char  *play;
    } rows[] = {
        { "minptime=10;useinbandfec=1;usedtx=1",
          "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n",
          "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1\r\n" },
        { "useinbandfec=0; usedtx=0",
          "a=fmtp:111 useinbandfec=0;usedtx=0\r\n",
          "a=fmtp:111 useinbandfec=0;stereo=1;sprop-stereo=1\r\n" },
        { "maxaveragebitrate=96000;x=1", "a=rtpmap:111 opus/48000/2\r\n",
          "a=fmtp:111 stereo=1;sprop-stereo=1\r\n" },
        { "minptime=aaaaaaaaaaaaaaaa;useinbandfec=bbbbbbbbbbbbbbbb;"
              "usedtx=cccccccccccccccc;stereo=1",
          "a=fmtp:111 minptime=aaaaaaaaaaaaaaaa;useinbandfec=bbbbbbbbbbbbbbbb;"
              "usedtx=cccccccccccccccc;stereo=1\r\n",
          "a=fmtp:111 minptime=aaaaaaaaaaaaaaaa;useinbandfec=bbbbbbbbbbbbbbbb;"
              "stereo=1;sprop-stereo=1\r\n" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char  text[1024];

        snprintf(text, sizeof(text), HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\n"
                 "a=rtpmap:111 opus/48000/2\na=fmtp:111 %s\n" T,
                 rows[i].fmtp);

        reset(PUBLISH);
        tap_ok(negotiate_text(text) == NGX_OK && has(rows[i].publish),
               "Opus of a publisher %d", (int) i);

        reset(PLAY);
        track(NGX_WEBRTC_CODEC_OPUS, 0);
        tap_ok(negotiate_text(text) == NGX_OK && has(rows[i].play),
               "Opus of a viewer %d", (int) i);
    }
}


/* what real publishers are answered */

static void
test_publishers(void)
{
    ngx_int_t                 rc;
    ngx_uint_t                i, n;
    ngx_webrtc_desc_media_t  *v, *a;

    static const struct {
        const char  *offer;
        ngx_uint_t   codec;
        ngx_uint_t   pt;
        ngx_uint_t   rtx_pt;
        ngx_uint_t   fb;                 /* of video */
        ngx_uint_t   ext_mid;
        ngx_uint_t   ext_twcc;
        ngx_uint_t   ext_abs;
        ngx_uint_t   audio_fb;
        ngx_uint_t   stereo;
        ngx_uint_t   role;
        uint32_t     ssrc;
    } rows[] = {
        { "chromium-sendonly", NGX_WEBRTC_CODEC_VP8, 96, 97,
          FB_VIDEO|NGX_WEBRTC_FB_RRTR, 4, 3, 2,
          NGX_WEBRTC_FB_TWCC|NGX_WEBRTC_FB_RRTR, 0,
          NGX_WEBRTC_DTLS_SERVER, 1138480443 },
        { "firefox-simulcast", NGX_WEBRTC_CODEC_VP8, 120, 124,
          FB_VIDEO, 3, 7, 4, NGX_WEBRTC_FB_TWCC, 1,
          NGX_WEBRTC_DTLS_SERVER, 695235857 },
        { "gstreamer-publish", NGX_WEBRTC_CODEC_VP8, 96, 108,
          FB_VIDEO & ~NGX_WEBRTC_FB_REMB, 0, 1, 0,
          NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_TWCC, 1,
          NGX_WEBRTC_DTLS_SERVER, 2954106201U },
        { "obs-publish", NGX_WEBRTC_CODEC_H264, 96, NONE,
          NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_REMB, 0, 0, 0,
          0, 1, NGX_WEBRTC_DTLS_SERVER, 1777332212 },
        { "ffmpeg-publish", NGX_WEBRTC_CODEC_H264, 106, 105,
          NGX_WEBRTC_FB_NACK, 0, 0, 0, 0, 0, NGX_WEBRTC_DTLS_CLIENT,
          1369276253 },
        { "ffmpeg8-publish", NGX_WEBRTC_CODEC_H264, 106, NONE,
          0, 0, 0, 0, 0, 0, NGX_WEBRTC_DTLS_CLIENT, 3010285116U }
    };

    static const char *const  never[] = {
        "simulcast", "a=rid", "rtp-stream-id", "red/", "ulpfec", "video-timing",
        "a=ssrc", "a=msid:", "a=sendonly", "a=sendrecv", "a=inactive"
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PUBLISH);
        policy.fb = 0xff;
        policy.exts = 0xff & ~NGX_WEBRTC_EXT_RID;

        rc = negotiate_file(rows[i].offer);

        v = (rc == NGX_OK) ? find(NGX_WEBRTC_VIDEO) : NULL;
        a = (rc == NGX_OK) ? find(NGX_WEBRTC_AUDIO) : NULL;

        if (v == NULL || a == NULL) {
            tap_fail("%s: %.*s", rows[i].offer, (int) cause.len, cause.detail);
            continue;
        }

        tap_ok(v->codec == rows[i].codec && v->pt == rows[i].pt
               && v->rtx_pt == rows[i].rtx_pt && v->receiving && !v->sending
               && v->ssrc == rows[i].ssrc && a->receiving
               && a->codec == NGX_WEBRTC_CODEC_OPUS,
               "%s: payload types", rows[i].offer);
        tap_is_int(v->fb & ~NGX_WEBRTC_FB_RSIZE, rows[i].fb, "%s: feedback",
                   rows[i].offer);
        tap_is_int(a->fb & ~NGX_WEBRTC_FB_RSIZE, rows[i].audio_fb,
                   "%s: of audio", rows[i].offer);
        tap_is_int((v->fb & NGX_WEBRTC_FB_RSIZE) != 0,
                   sdp.media[v->mline].rtcp_rsize, "%s: alone",
                   rows[i].offer);
        tap_ok(v->ext_mid == rows[i].ext_mid
               && v->ext_twcc == rows[i].ext_twcc
               && v->ext_abs_send_time == rows[i].ext_abs,
               "%s: extensions", rows[i].offer);
        tap_ok(a->stereo == rows[i].stereo
               && has("stereo=1") == rows[i].stereo
               && !has("sprop-stereo"), "%s: stereo", rows[i].offer);
        tap_is_int(desc.dtls_role, rows[i].role, "%s: role", rows[i].offer);
        tap_ok(has((rows[i].role == NGX_WEBRTC_DTLS_CLIENT)
                   ? "a=setup:active\r\n" : "a=setup:passive\r\n"),
               "%s: setup", rows[i].offer);
        tap_ok(parsed.media[0].direction == NGX_WEBRTC_SDP_RECVONLY
               && parsed.media[1].direction == NGX_WEBRTC_SDP_RECVONLY,
               "%s: recvonly", rows[i].offer);

        for (n = 0; n < sizeof(never) / sizeof(never[0]); n++) {
            if (has(never[n])) {
                tap_fail("%s: the answer has \"%s\"", rows[i].offer,
                         never[n]);
            }
        }
    }

    reset(PUBLISH);
    policy.fb = 0xff;

    tap_ok(negotiate_file("chromium-simulcast") == NGX_OK
           && has("a=rtcp-xr:rcvr-rtt=all\r\n") && !has("rid")
           && !has("simulcast") && desc.media[0].ssrc == 0,
           "simulcast of rids is answered with one layer");

    policy.fb &= ~NGX_WEBRTC_FB_RRTR;

    tap_ok(negotiate_file("chromium-simulcast") == NGX_OK
           && !has("rtcp-xr") && !(desc.media[0].fb & NGX_WEBRTC_FB_RRTR),
           "no reference times where we have none");
}


static void
test_details(void)
{
    ngx_webrtc_desc_media_t           *m;
    static ngx_webrtc_sdp_candidate_t  cands[32];
    ngx_uint_t                         i;

#define PUB  "m=video 9 UDP/TLS/RTP/SAVPF 96\na=sendonly\n"                   \
             "a=rtpmap:96 VP8/90000\n"
#define URI_MID   "urn:ietf:params:rtp-hdrext:sdes:mid\n"
#define URI_TWCC  "http://www.ietf.org/id/"                                   \
                  "draft-holmer-rmcat-transport-wide-cc-extensions-01\n"

    m = desc.media;

    reset(PUBLISH);
    policy.fb = 0xff;
    policy.exts = 0xff;

    tap_ok(negotiate_text(HEAD PUB T "a=rtcp-fb:96 rrtr\n") == NGX_OK
           && m[0].fb == NGX_WEBRTC_FB_RRTR && has("a=rtcp-fb:96 rrtr\r\n")
           && !has("rtcp-xr"), "rrtr as libwebrtc has it");

    tap_ok(negotiate_text(HEAD PUB T "a=rtcp-xr:stat-summary=loss "
                          "rcvr-rtt=all:10000\n") == NGX_OK
           && m[0].fb == NGX_WEBRTC_FB_RRTR
           && has("a=rtcp-xr:rcvr-rtt=all\r\n") && !has("stat-summary"),
           "rcvr-rtt among others, with a size");

    tap_ok(negotiate_text(HEAD PUB T "a=rtcp-xr:rcvr-rtt=sender\n") == NGX_OK
           && m[0].fb == 0 && !has("rtcp-xr"),
           "rcvr-rtt of senders of media: we are none");

    /* RFC 8285, 4.2: ids of the one-byte form */

    tap_ok(negotiate_text(HEAD PUB T "a=extmap:14 " URI_MID
                          "a=extmap:15 " URI_TWCC
                          "a=extmap:16 " URI_TWCC) == NGX_OK
           && m[0].ext_mid == 14 && m[0].ext_twcc == 0
           && has("a=extmap:14 ") && !has("a=extmap:15 ")
           && !has("a=extmap:16"), "ids up to 14");

    tap_ok(negotiate_text(HEAD PUB T "a=extmap:3 " URI_MID
                          "a=extmap:3 " URI_TWCC) == NGX_OK
           && m[0].ext_mid == 3 && m[0].ext_twcc == 0,
           "an id that stands for two extensions");

    tap_ok(negotiate_text(HEAD "a=group:BUNDLE a v\n"
                          "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:a\n"
                          "a=sendonly\na=rtpmap:111 opus/48000/2\n" T
                          "a=extmap:3 " URI_MID PUB "a=mid:v\n" T
                          "a=extmap:3 " URI_TWCC "a=extmap:4 " URI_MID)
           == NGX_OK
           && m[0].ext_mid == 3 && m[1].ext_twcc == 0 && m[1].ext_mid == 4,
           "and in another m-line of the bundle");

    tap_ok(negotiate_text(HEAD PUB T "a=extmap:2/recvonly " URI_TWCC
                          "a=extmap:3/sendonly " URI_MID) == NGX_OK
           && m[0].ext_mid == 3 && m[0].ext_twcc == 0,
           "an extension for the other direction");

    /* simulcast as Chromium had it before rids: the first layer */

    tap_ok(negotiate_text(HEAD PUB T "a=ssrc-group:SIM 11 12 13\n"
                          "a=ssrc-group:FID 11 21\na=ssrc-group:FID 12 22\n"
                          "a=ssrc-group:FID 13 23\n"
                          "a=ssrc:11 cname:c\na=ssrc:12 cname:c\n") == NGX_OK
           && m[0].ssrc == 11 && m[0].rtx_ssrc == 21,
           "simulcast of SSRCs: the first layer");

    /* mono as FFmpeg writes it; a profile that it doesn't know: -99 */

    tap_ok(negotiate_text(HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=sendonly\n"
                          "a=rtpmap:111 opus/48000/1\n" T) == NGX_OK
           && m[0].codec == NGX_WEBRTC_CODEC_OPUS
           && has("a=rtpmap:111 opus/48000/2\r\n"), "Opus with one channel");

    tap_ok(negotiate_text(HEAD "m=video 9 UDP/TLS/RTP/SAVPF 106\na=sendonly\n"
                          "a=rtpmap:106 H264/90000\na=fmtp:106 "
                          "packetization-mode=1;"
                          "profile-level-id=ffffff9d00ffffff9d\n" T) == NGX_OK
           && has("profile-level-id=42e01f"), "a profile that is none");

    /* video alone, of the group's mids the first has no m-line */

    tap_ok(negotiate_text(HEAD "a=group:BUNDLE 0 1\n" PUB "a=mid:1\n" T)
           == NGX_OK && m[0].track == 0
           && has("a=group:BUNDLE 1\r\n"), "video alone");

    /* FFmpeg's room for an answer, with as many candidates as there can be */

    reset(PUBLISH);
    policy.candidates = cands;
    policy.ncandidates = 32;

    for (i = 0; i < 32; i++) {
        ngx_str_set(&cands[i].address,
                    "2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff");
        cands[i].port = 65535;
    }

    tap_is_int(negotiate_file("ffmpeg8-publish"), NGX_OK, "32 candidates");
    tap_ok(last - answer < FFMPEG, "FFmpeg takes the answer of %d bytes",
           (int) (last - answer));
}


int
main(void)
{
    test_alternatives();
    test_alternatives_answer();
    test_order();
    test_opus();
    test_publishers();
    test_accepted();
    test_details();

    return tap_done();
}
