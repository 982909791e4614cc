
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_negotiate: offers of t/data/offers and changed ones against
 * streams.  The expected payload types were read off the offers.
 */


#include "negotiate.h"


static void
test_offers(void)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_webrtc_desc_media_t  *v, *a;

    static const struct {
        const char  *offer;
        ngx_uint_t   role;
        ngx_uint_t   video;
        uint32_t     profile;
        ngx_uint_t   audio;
        ngx_uint_t   pt;
        ngx_uint_t   rtx_pt;
        ngx_uint_t   audio_pt;
        const char  *fmtp;
    } rows[] = {

        /* the profiles that Chromium's software decoder names */

        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x42e01f,
          NGX_WEBRTC_CODEC_OPUS, 108, 109, 111, "profile-level-id=42e01f" },
        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x42c01e,
          NGX_WEBRTC_CODEC_OPUS, 108, 109, 111, "packetization-mode=1;" },
        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x42001f,
          NGX_WEBRTC_CODEC_OPUS, 102, 103, 111, "profile-level-id=42001f" },
        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x4d401f,
          NGX_WEBRTC_CODEC_OPUS, 116, 117, 111, "profile-level-id=4d001f" },

        /* High isn't offered: the best below, not 4:4:4 */

        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x640028,
          NGX_WEBRTC_CODEC_OPUS, 116, 117, 111, "profile-level-id=4d001f" },
        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0xf4001f,
          NGX_WEBRTC_CODEC_OPUS, 41, 42, 111, "profile-level-id=f4001f" },

        /* nothing known of the stream */

        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0,
          NGX_WEBRTC_CODEC_OPUS, 102, 103, 111, "packetization-mode=1;" },

        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_VP8, 0,
          NGX_WEBRTC_CODEC_OPUS, 96, 97, 111, "a=rtpmap:96 VP8/90000" },
        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_VP9, 0,
          NGX_WEBRTC_CODEC_PCMU, 98, 99, 0, "a=fmtp:98 profile-id=0" },
        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_VP9, 2 << 16,
          NGX_WEBRTC_CODEC_PCMA, 100, 101, 8, "a=fmtp:100 profile-id=2" },
        { "chromium-recvonly", PLAY, NGX_WEBRTC_CODEC_AV1, 0,
          NGX_WEBRTC_CODEC_G722, 45, 46, 9,
          "a=fmtp:45 profile=0;level-idx=5;tier=0\r\n" },

        { "safari-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x640028,
          NGX_WEBRTC_CODEC_OPUS, 96, 97, 111, "profile-level-id=640c1f" },
        { "safari-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x42c01f,
          NGX_WEBRTC_CODEC_OPUS, 98, 99, 111, "profile-level-id=42e01f" },
        { "safari-recvonly", PLAY, NGX_WEBRTC_CODEC_H265, 0x01005d,
          NGX_WEBRTC_CODEC_OPUS, 104, 125, 111,
          "a=fmtp:104 profile-id=1;tier-flag=0;level-id=93;tx-mode=SRST\r\n" },

        { "firefox-openh264", PLAY, NGX_WEBRTC_CODEC_H264, 0x640028,
          NGX_WEBRTC_CODEC_OPUS, 126, 127, 109, "packetization-mode=1;" },
        { "firefox-recvonly", PLAY, NGX_WEBRTC_CODEC_VP9, 0,
          NGX_WEBRTC_CODEC_PCMA, 121, 125, 8, "a=rtpmap:121 VP9/90000\r\n" },
        { "firefox-recvonly", PLAY, NGX_WEBRTC_CODEC_AV1, 0,
          NGX_WEBRTC_CODEC_OPUS, 99, 100, 109,
          "a=fmtp:109 useinbandfec=1;stereo=1;sprop-stereo=1\r\n" },
        { "firefox-openh264", PLAY, NGX_WEBRTC_CODEC_VP8, 0,
          NGX_WEBRTC_CODEC_G722, 120, 124, 9, "a=rtpmap:9 G722/8000\r\n" },
        { "aiortc-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x42c01f,
          NGX_WEBRTC_CODEC_OPUS, 101, 102, 96,
          "a=fmtp:96 stereo=1;sprop-stereo=1\r\n" },
        { "libdatachannel-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x64001f,
          NGX_WEBRTC_CODEC_OPUS, 96, NONE, 111,
          "a=group:BUNDLE video audio\r\n" },
        { "gstreamer-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x64001f,
          NGX_WEBRTC_CODEC_OPUS, 96, NONE, 97,
          "a=group:BUNDLE video0 audio1\r\n" },
        { "pion-recvonly", PLAY, NGX_WEBRTC_CODEC_H264, 0x640028,
          NGX_WEBRTC_CODEC_OPUS, 123, 118, 111, "profile-level-id=640032" },

        /* no fmtp in the offer */

        { "whepload", PLAY, NGX_WEBRTC_CODEC_H264, 0x64001f, 0, 106, NONE,
          NONE, "a=fmtp:106 level-asymmetry-allowed=1;"
                "profile-level-id=42e01f\r\n" },

        { "chromium-sendonly", PUBLISH, NGX_WEBRTC_CODEC_VP8, 0,
          NGX_WEBRTC_CODEC_OPUS, 96, 97, 111, "a=recvonly\r\n" },
        { "chromium-simulcast", PUBLISH, NGX_WEBRTC_CODEC_VP8, 0, 0,
          96, 97, NONE, "a=recvonly\r\n" },
        { "obs-publish", PUBLISH, NGX_WEBRTC_CODEC_H264, 0,
          NGX_WEBRTC_CODEC_OPUS, 96, NONE, 111,
          "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n" },
        { "ffmpeg-publish", PUBLISH, NGX_WEBRTC_CODEC_H264, 0,
          NGX_WEBRTC_CODEC_OPUS, 106, 105, 111, "a=setup:active\r\n" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(rows[i].role);

        if (rows[i].role == PLAY) {
            track(rows[i].audio, 0);
            track(rows[i].video, rows[i].profile);
        }

        rc = negotiate_file(rows[i].offer);

        if (rc != NGX_OK) {
            tap_fail("%s, row %d: %.*s", rows[i].offer, (int) i,
                     (int) cause.len, cause.detail);
            continue;
        }

        v = find(NGX_WEBRTC_VIDEO);
        a = find(NGX_WEBRTC_AUDIO);

        tap_ok(v != NULL && v->codec == rows[i].video
               && v->pt == rows[i].pt && v->rtx_pt == rows[i].rtx_pt,
               "%s, row %d: video %d and RTX %d", rows[i].offer, (int) i,
               v ? v->pt : -1, v ? v->rtx_pt : -1);

        tap_ok((rows[i].audio_pt == NONE)
               ? (a == NULL)
               : (a != NULL && a->codec == rows[i].audio
                  && a->pt == rows[i].audio_pt),
               "%s, row %d: audio", rows[i].offer, (int) i);

        tap_ok(has(rows[i].fmtp), "%s, row %d: the answer has %s",
               rows[i].offer, (int) i, rows[i].fmtp);
    }
}


/* the whole answer, once; line by line after RFC 8829, 5.3.1 and our rules */

static void
test_answer(void)
{
    static const char  want[] =
        "v=0\r\n"
        "o=- 9223372036854775807 1 IN IP4 0.0.0.0\r\n"
        "s=-\r\n"
        "t=0 0\r\n"
        "a=group:BUNDLE 0 1\r\n"
        "a=ice-lite\r\n"
        "a=msid-semantic: WMS *\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
        "c=IN IP4 0.0.0.0\r\n"
        "a=mid:0\r\n"
        "a=ice-ufrag:localufr\r\n"
        "a=ice-pwd:local67890123456789012\r\n"
        "a=fingerprint:sha-256 " FP "\r\n"
        "a=setup:passive\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.1 8000 typ host\r\n"
        "a=end-of-candidates\r\n"
        "a=rtcp-mux\r\n"
        "a=rtcp-rsize\r\n"
        "a=sendonly\r\n"
        "a=msid:cam1 audio\r\n"
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "a=rtpmap:111 opus/48000/2\r\n"
        "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1\r\n"
        "a=ssrc:1001 cname:cname\r\n"
        "a=ssrc:1001 msid:cam1 audio\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 98 99\r\n"
        "c=IN IP4 0.0.0.0\r\n"
        "a=mid:1\r\n"
        "a=ice-ufrag:localufr\r\n"
        "a=ice-pwd:local67890123456789012\r\n"
        "a=fingerprint:sha-256 " FP "\r\n"
        "a=setup:passive\r\n"
        "a=rtcp-mux\r\n"
        "a=rtcp-rsize\r\n"
        "a=sendonly\r\n"
        "a=msid:cam1 video\r\n"
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "a=rtpmap:98 H264/90000\r\n"
        "a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;"
            "profile-level-id=42e01f\r\n"
        "a=rtcp-fb:98 ccm fir\r\n"
        "a=rtcp-fb:98 nack\r\n"
        "a=rtcp-fb:98 nack pli\r\n"
        "a=rtpmap:99 rtx/90000\r\n"
        "a=fmtp:99 apt=98\r\n"
        "a=ssrc-group:FID 1003 1004\r\n"
        "a=ssrc:1003 cname:cname\r\n"
        "a=ssrc:1003 msid:cam1 video\r\n"
        "a=ssrc:1004 cname:cname\r\n"
        "a=ssrc:1004 msid:cam1 video\r\n";

    static const ngx_webrtc_desc_media_t  video = {
        .ssrc = 1003, .rtx_ssrc = 1004, .clock_rate = 90000,
        .kind = NGX_WEBRTC_VIDEO, .codec = NGX_WEBRTC_CODEC_H264, .track = 1,
        .pt = 98, .rtx_pt = 99, .red_pt = NONE, .ext_mid = 4,
        .fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR
              |NGX_WEBRTC_FB_RSIZE,
        .sending = 1, .mline = 1, .mid_len = 1, .mid = "1"
    };

    reset(PLAY);
    policy.exts = NGX_WEBRTC_EXT_MID;
    track(NGX_WEBRTC_CODEC_OPUS, 0);
    track(NGX_WEBRTC_CODEC_H264, 0x42c01f);

    tap_is_int(negotiate_file("safari-recvonly"), NGX_OK, "safari");
    tap_is_mem(answer, last - answer, want, sizeof(want) - 1, "the answer");

    tap_is_int(desc.nmedia, 2, "two m-lines");
    tap_is_mem(&desc.media[1], sizeof(video), &video, sizeof(video),
               "the description of video");

    tap_ok(desc.media[0].stereo && desc.media[0].sending
           && desc.media[0].ssrc == 1001 && desc.media[0].rtx_ssrc == 0
           && desc.media[0].rtx_pt == NONE, "the description of audio");

    tap_is_mem(desc.remote_ufrag, desc.remote_ufrag_len, "Lu4k", 4,
               "remote ufrag");
    tap_is_mem(desc.remote_pwd, desc.remote_pwd_len,
               "y1CTCJ2zcDoMYPsPEYHSzWL4", 24, "remote pwd");
    tap_is_mem(desc.local_ufrag, desc.local_ufrag_len, "localufr", 8,
               "local ufrag");
    tap_is_mem(desc.local_pwd, desc.local_pwd_len, "local67890123456789012",
               22, "local pwd");
    tap_ok(desc.fingerprint_alg == NGX_WEBRTC_FINGERPRINT_SHA256
           && desc.fingerprint_len == 32 && desc.fingerprint[0] == 0x33
           && desc.fingerprint[31] == 0x1f, "fingerprint");
    tap_is_int(desc.dtls_role, NGX_WEBRTC_DTLS_SERVER, "DTLS role");

    tap_ok(sizeof(ngx_webrtc_desc_t) <= 1400, "the description fits its slot");
}


static void
test_room(void)
{
    u_char      *p;
    ngx_int_t    rc;
    size_t       n, size;

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_H264, 0);
    (void) negotiate_text(BOTH);

    size = last - answer;

    for (n = 0; n <= size; n++) {
        p = answer;
        rc = ngx_webrtc_negotiate(&sdp, &policy, &desc, &p, answer + n,
                                  &cause);
        if (rc != NGX_ERROR) {
            break;
        }
    }

    tap_is_int(n, size + 1, "no room is an error at every length");
}


static void
test_refused(void)
{
    ngx_int_t    rc;
    ngx_uint_t   i;

    static const struct {
        const char  *name;
        const char  *text;
        ngx_uint_t   role;
        ngx_uint_t   kind;
        const char  *title;
        const char  *detail;             /* part of it */
        ngx_int_t    mline;
    } rows[] = {
        { "no m-line", HEAD, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no media", "", -1 },
        { "data channel alone",
          HEAD "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n" T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no media", "", -1 },
        { "all rejected",
          HEAD "m=video 0 UDP/TLS/RTP/SAVPF 106\n" T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no media", "", -1 },
        { "no rtcp-mux", HEAD VIDEO "a=ice-ufrag:remo\n", PLAY,
          NGX_WEBRTC_NEGOTIATE_BAD, "no rtcp-mux", "m-line 0 (video)", 0 },
        { "no BUNDLE", HEAD AUDIO T VIDEO T, PLAY,
          NGX_WEBRTC_NEGOTIATE_BAD, "no BUNDLE", "", -1 },
        { "one outside BUNDLE", HEAD "a=group:BUNDLE a\n" AUDIO T VIDEO T,
          PLAY, NGX_WEBRTC_NEGOTIATE_BAD, "no BUNDLE", "", -1 },
        { "no ICE", HEAD VIDEO "a=rtcp-mux\n", PLAY,
          NGX_WEBRTC_NEGOTIATE_BAD, "no ICE credentials", "m-line 0", 0 },
        { "ufrag alone", HEAD VIDEO "a=rtcp-mux\na=ice-ufrag:remo\n", PLAY,
          NGX_WEBRTC_NEGOTIATE_BAD, "no ICE credentials", "m-line 0", 0 },
        { "no fingerprint",
          HEAD VIDEO "a=rtcp-mux\na=ice-ufrag:remo\n"
          "a=ice-pwd:remote7890123456789012\n", PLAY,
          NGX_WEBRTC_NEGOTIATE_BAD, "no fingerprint", "m-line 0", 0 },
        { "SHA-1 alone",
          HEAD VIDEO "a=rtcp-mux\na=ice-ufrag:remo\n"
          "a=ice-pwd:remote7890123456789012\na=fingerprint:sha-1 00\n", PLAY,
          NGX_WEBRTC_NEGOTIATE_BAD, "no fingerprint", "sha-256", 0 },
        { "holdconn", HEAD VIDEO T "a=setup:holdconn\n", PLAY,
          NGX_WEBRTC_NEGOTIATE_BAD, "no DTLS role", "holdconn", 0 },
        { "lite", HEAD "a=ice-lite\n" VIDEO T, PLAY,
          NGX_WEBRTC_NEGOTIATE_BAD, "ICE lite on both sides", "", -1 },
        { "sendonly to a player", HEAD VIDEO "a=sendonly\n" T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "wrong direction",
          "m-line 0 (video) is sendonly", 0 },
        { "recvonly to a publisher", HEAD VIDEO T, PUBLISH,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "wrong direction",
          "m-line 0 (video) is recvonly", 0 },
        { "two of a kind",
          HEAD "a=group:BUNDLE v w\n" VIDEO T
          "m=video 9 UDP/TLS/RTP/SAVPF 106\na=mid:w\na=recvonly\n" T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "two tracks of one kind",
          "m-lines 0 and 1 are both video", 1 },
        { "other codec",
          HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99\na=recvonly\n"
          "a=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n"
          "a=rtpmap:98 VP9/90000\na=rtpmap:99 vp8/90000\n" T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no codec in common",
          "the stream has H264 video, m-line 0 offers VP8, VP9", 0 },
        { "other clock rate",
          HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96\na=recvonly\n"
          "a=rtpmap:96 H264/48000\n" T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no codec in common", "H264", 0 },
        { "no rtpmap",
          HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96\na=recvonly\n" T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no codec in common", "none", 0 },
        { "nasty name",
          HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96\na=recvonly\n"
          "a=rtpmap:96 \xf0\x9f\x98\x80/90000\n" T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no codec in common", "????", 0 },
        { "no such kind in the stream", HEAD AUDIO T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no track in common", "", -1 },
        { "a payload type of RTCP",
          HEAD "m=video 9 UDP/TLS/RTP/SAVPF 72\na=recvonly\n"
          "a=rtpmap:72 H264/90000\n" T, PLAY,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no codec in common",
          "the stream has H264 video, m-line 0 offers H264 (payload type 72 "
          "clashes with RTCP)", 0 },
        { "nothing that may be published",
          HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=sendonly\n"
          "a=rtpmap:96 H263/90000\n" T, PUBLISH,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no codec in common", "H263", 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(rows[i].role);
        track(NGX_WEBRTC_CODEC_H264, 0);

        rc = negotiate_text(rows[i].text);

        cause.detail[ngx_min(cause.len, NGX_WEBRTC_NEGOTIATE_DETAIL - 1)] =
                                                                         '\0';

        tap_ok(rc == NGX_DECLINED && cause.kind == rows[i].kind
               && strcmp(cause.title, rows[i].title) == 0
               && strstr((char *) cause.detail, rows[i].detail) != NULL
               && cause.mline == rows[i].mline,
               "refused: %s: %s: %s", rows[i].name,
               cause.title ? cause.title : "accepted", cause.detail);
    }

    err.cause = "an rtpmap is malformed";
    err.mline = 3;
    err.line = 42;

    ngx_webrtc_negotiate_malformed(&err, &cause);

    tap_ok(cause.kind == NGX_WEBRTC_NEGOTIATE_BAD && cause.mline == 3,
           "cause of a parse error");
    tap_is_mem(cause.detail, cause.len, "an rtpmap is malformed (line 42)", 32,
               "its text");
}


#define MID64  "123456789012345678901234567890123456789012345678901234567890123"


static void
test_shapes(void)
{
    ngx_webrtc_desc_media_t  *m;

    static const uint8_t  h264[] = {
        NGX_WEBRTC_CODEC_OPUS,
        NGX_WEBRTC_CODEC_H264
    };

    m = desc.media;

    /* as long as a mid may be */

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_H264, 0);

    tap_ok(negotiate_text(HEAD "a=group:BUNDLE " MID64 "a " MID64 "v\n"
                          "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:" MID64
                          "a\na=recvonly\na=rtpmap:111 opus/48000/2\n" T
                          "m=video 9 UDP/TLS/RTP/SAVPF 106\na=mid:" MID64
                          "v\na=recvonly\na=rtpmap:106 H264/90000\n" T)
           == NGX_OK
           && desc.nmedia == 2 && m[0].mid_len == 64 && m[1].mid_len == 64
           && memcmp(m[1].mid, MID64 "v", 64) == 0
           && has("a=group:BUNDLE " MID64 "a " MID64 "v\r\n"),
           "mids of 64 bytes");

    /* the stream has no audio: that m-line stays in the bundle, inactive */

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_H264, 0);

    tap_ok(negotiate_text(BOTH) == NGX_OK
           && parsed.nbundles == 2
           && parsed.media[0].direction == NGX_WEBRTC_SDP_INACTIVE
           && !parsed.media[0].rejected
           && parsed.media[0].nssrcs == 0
           && parsed.media[1].direction == NGX_WEBRTC_SDP_SENDONLY
           && parsed.ncandidates == 1 && parsed.candidates[0].mline == 0,
           "a kind that the stream lacks is inactive");
    tap_ok(desc.nmedia == 2 && m[0].track == NGX_WEBRTC_DESC_NO_TRACK
           && !m[0].sending && !m[0].receiving && m[0].ssrc == 0
           && m[1].track == 0 && m[1].sending && m[1].mline == 1,
           "so it is in the description");

    /* what may come yet has its m-line, whatever is offered there */

    track(NGX_WEBRTC_CODEC_OPUS, 0);
    tracks[1].flags = NGX_WEBRTC_TRACK_PENDING|NGX_WEBRTC_TRACK_GUESSED;

    tap_ok(negotiate_text(BOTH) == NGX_OK
           && parsed.media[0].direction == NGX_WEBRTC_SDP_SENDONLY
           && m[0].track == 1 && m[0].sending
           && m[0].codec == NGX_WEBRTC_CODEC_OPUS
           && m[1].track == 0 && m[1].nalts == 0,
           "a track that is to come is sendonly");

    tap_ok(negotiate_text(HEAD "a=group:BUNDLE a v\n"
                          "m=audio 9 UDP/TLS/RTP/SAVPF 8 0\na=mid:a\n"
                          "a=recvonly\na=rtpmap:8 PCMA/8000\n"
                          "a=rtpmap:0 PCMU/8000\n" T VIDEO T) == NGX_OK
           && m[0].track == 1 && m[0].sending
           && m[0].codec == NGX_WEBRTC_CODEC_PCMA
           && m[0].nalts == 1 && m[0].alts[0].codec == NGX_WEBRTC_CODEC_PCMU,
           "a guess yields to what is offered");

    tracks[1].flags = NGX_WEBRTC_TRACK_PENDING;

    tap_ok(negotiate_text(HEAD "a=group:BUNDLE a v\n"
                          "m=audio 9 UDP/TLS/RTP/SAVPF 8 0\na=mid:a\n"
                          "a=recvonly\na=rtpmap:8 PCMA/8000\n"
                          "a=rtpmap:0 PCMU/8000\n" T VIDEO T) == NGX_DECLINED,
           "what is known does not");

    tracks[1].kind = 0;
    tracks[1].flags = 0;

    tap_ok(negotiate_text(BOTH) == NGX_OK
           && parsed.media[0].direction == NGX_WEBRTC_SDP_INACTIVE,
           "a place without a track is none");

    policy.ntracks = 1;

    /* unknown codec there: rejected, the tagged m-line is the next one */

    tap_ok(negotiate_text(HEAD "a=group:BUNDLE a v\n"
                          "m=audio 9 UDP/TLS/RTP/SAVPF 103\na=mid:a\n"
                          "a=recvonly\na=rtpmap:103 ISAC/16000\n" T VIDEO
                          "a=rtcp-mux\na=ice-ufrag:othe\n"
                          "a=ice-pwd:other67890123456789012\n"
                          "a=fingerprint:sha-256 " FP "\n"
                          "a=setup:passive\n") == NGX_OK
           && parsed.media[0].rejected && parsed.nbundles == 1
           && parsed.candidates[0].mline == 1
           && desc.nmedia == 1 && m[0].mline == 1
           && desc.remote_ufrag_len == 4
           && ngx_memcmp(desc.remote_ufrag, "othe", 4) == 0
           && desc.dtls_role == NGX_WEBRTC_DTLS_CLIENT
           && parsed.media[1].transport.setup == NGX_WEBRTC_SDP_SETUP_ACTIVE,
           "the first m-line rejected: transport of the second");

    /* data channel first: rejected in place */

    tap_ok(negotiate_file("chromium-datachannel") == NGX_OK
           && parsed.media[1].rejected && parsed.nbundles == 1
           && parsed.media[1].kind == NGX_WEBRTC_SDP_APPLICATION
           && desc.nmedia == 1,
           "a data channel is rejected for now");

    /* transport in the first m-line of the group alone: RFC 9143, 7.1.3 */

    tap_ok(negotiate_text(HEAD "a=group:BUNDLE x v\n"
                          "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n"
                          "a=mid:x\na=ice-ufrag:remo\na=setup:actpass\n"
                          "a=ice-pwd:remote7890123456789012\n"
                          "a=fingerprint:sha-256 " FP "\n"
                          VIDEO "a=bundle-only\na=rtcp-mux\n") == NGX_OK
           && desc.remote_pwd_len == 22 && desc.fingerprint_len == 32
           && parsed.media[0].rejected
           && parsed.nbundles == 1 && parsed.candidates[0].mline == 1,
           "the offerer's tagged m-line has the transport");

    /* found by fuzzing: only a space separates, so a tab can be a format */

    tap_ok(negotiate_text(HEAD VIDEO T "m=x 9 y \t z\n") == NGX_OK
           && parsed.media[1].rejected, "a rejected m-line with a tab");

    /* one m-line needs no BUNDLE and no mid */

    tap_ok(negotiate_text(HEAD "m=video 9 UDP/TLS/RTP/SAVPF 106\n"
                          "a=rtpmap:106 H264/90000\n" T) == NGX_OK
           && !parsed.bundle && desc.media[0].mid_len == 0
           && parsed.media[0].direction == NGX_WEBRTC_SDP_SENDONLY
           && desc.dtls_role == NGX_WEBRTC_DTLS_SERVER,
           "a single m-line without BUNDLE, mid, direction and setup");

    tap_ok(negotiate_text(HEAD AUDIO "a=inactive\n" T VIDEO T) == NGX_OK
           && parsed.media[0].rejected && desc.nmedia == 1,
           "an inactive m-line outside of BUNDLE is rejected");

    tap_ok(negotiate_text(HEAD VIDEO "a=sendrecv\n" T) == NGX_OK
           && parsed.media[0].direction == NGX_WEBRTC_SDP_SENDONLY,
           "sendrecv is answered by sendonly");

    /* of two tracks of a kind the one that the offer can take */

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_H265, 0);
    track(NGX_WEBRTC_CODEC_H264, 0);

    tap_ok(negotiate_text(HEAD VIDEO T) == NGX_OK && m[0].track == 1,
           "the second video track");

    /* packetization-mode=1 wins over a better profile */

    tap_ok(negotiate_text(HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98\n"
                          "a=recvonly\na=rtpmap:96 H264/90000\n"
                          "a=rtpmap:97 h264/90000\na=rtpmap:98 H264/90000\n"
                          "a=fmtp:96 profile-level-id=64001f\n"
                          "a=fmtp:97 profile-level-id=42e01f;"
                          "packetization-mode=1\n"
                          "a=fmtp:98 packetization-mode=0;"
                          "profile-level-id=64001f\n" T) == NGX_OK
           && m[0].pt == 97, "packetization-mode first");

    tap_ok(negotiate_text(HEAD "m=video 9 UDP/TLS/RTP/SAVPF 98\na=recvonly\n"
                          "a=rtpmap:98 H264/90000\na=fmtp:98 "
                          "packetization-mode=0;profile-level-id=xyz\n" T)
           == NGX_OK
           && has("a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=0;"
                  "profile-level-id=42e01f\r\n"),
           "mode 0 is repeated, a malformed profile is not");

    /* RTX needs NACK, and a policy that does it */

    tap_ok(negotiate_text(HEAD "m=video 9 UDP/TLS/RTP/SAVPF 98 99\n"
                          "a=recvonly\na=rtpmap:98 H264/90000\n"
                          "a=rtpmap:99 rtx/90000\na=fmtp:99 apt=98\n" T)
           == NGX_OK && m[0].rtx_pt == NONE && m[0].rtx_ssrc == 0
           && m[0].fb == 0, "no RTX without NACK");

    policy.no_rtx = 1;

    tap_ok(negotiate_file("chromium-h264") == NGX_OK
           && find(NGX_WEBRTC_VIDEO)->rtx_pt == NONE && !has("rtx"),
           "no RTX where the policy refuses it");

    /* feedback is what both do; transport-cc needs its extension */

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_H264, 0);
    policy.fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_TWCC;

    tap_ok(negotiate_file("chromium-h264") == NGX_OK
           && find(NGX_WEBRTC_VIDEO)->fb
              == (NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_RSIZE)
           && !has("transport-cc") && !has("nack pli") && !has("extmap"),
           "feedback of the policy alone");

    policy.exts = NGX_WEBRTC_EXT_TWCC|NGX_WEBRTC_EXT_ABS_SEND_TIME;

    tap_ok(negotiate_file("safari-recvonly") == NGX_OK
           && find(NGX_WEBRTC_VIDEO)->ext_twcc == 3
           && find(NGX_WEBRTC_VIDEO)->ext_abs_send_time == 2
           && find(NGX_WEBRTC_VIDEO)->ext_mid == 0
           && (find(NGX_WEBRTC_VIDEO)->fb & NGX_WEBRTC_FB_TWCC),
           "transport-cc with its extension");

    /* orientation, of video alone */

    policy.exts = NGX_WEBRTC_EXT_CVO;

    tap_ok(negotiate_file("chromium-h264") == NGX_OK
           && find(NGX_WEBRTC_VIDEO)->ext_cvo != 0
           && has("urn:3gpp:video-orientation"), "video orientation");

    tap_ok(negotiate_text(HEAD VIDEO "a=extmap:9 urn:3gpp:video-orientation\r\n"
                          T) == NGX_OK
           && m[0].ext_cvo == 9 && has("a=extmap:9 urn:3gpp:video-orientation"),
           "its number is the offer's");

    policy.exts = NGX_WEBRTC_EXT_PLAYOUT;

    tap_ok(negotiate_text(HEAD VIDEO "a=extmap:12 http://www.webrtc.org/"
                          "experiments/rtp-hdrext/playout-delay\r\n" T)
           == NGX_OK
           && m[0].ext_playout == 12 && m[0].ext_cvo == 0
           && has("a=extmap:12 http://www.webrtc.org/experiments/rtp-hdrext/"
                  "playout-delay"),
           "playout delay");

    /* dependency descriptors: a publisher's */

    policy.exts = NGX_WEBRTC_EXT_DD;

    tap_ok(negotiate_text(HEAD VIDEO "a=extmap:13 https://aomediacodec."
                          "github.io/av1-rtp-spec/#dependency-descriptor-rtp-"
                          "header-extension\r\n" T) == NGX_OK
           && !has("extmap"), "no dependency descriptors for viewers");

    reset(PUBLISH);
    policy.exts = NGX_WEBRTC_EXT_DD;

    tap_ok(negotiate_file("chromium-simulcast") == NGX_OK
           && find(NGX_WEBRTC_VIDEO)->ext_dd == 13
           && has("a=extmap-allow-mixed\r\na=extmap:13 "),
           "a publisher's, longer than the one-byte form has room for");

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_OPUS, 0);
    policy.exts = NGX_WEBRTC_EXT_CVO;

    tap_ok(negotiate_text(HEAD AUDIO "a=extmap:9 urn:3gpp:video-orientation\r\n"
                          T) == NGX_OK
           && m[0].ext_cvo == 0 && !has("extmap"), "not of audio");

    /* mono */

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_OPUS, 0);
    tracks[0].channels = 1;

    tap_ok(negotiate_text(HEAD AUDIO T) == NGX_OK && !m[0].stereo
           && !has("stereo") && has("a=rtpmap:111 opus/48000/2\r\n"), "mono");

    /* SSRCs that collide or are 0 */

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_OPUS, 0);
    track(NGX_WEBRTC_CODEC_H264, 0);
    ngx_memzero(policy.ssrcs, sizeof(policy.ssrcs));

    tap_ok(negotiate_file("chromium-h264") == NGX_OK
           && m[0].ssrc == 1 && m[1].ssrc == 3 && m[1].rtx_ssrc == 4,
           "SSRCs are made distinct");

    /* what a publisher announces */

    reset(PUBLISH);
    policy.fb = 0xff;
    policy.exts = 0xff;

    tap_ok(negotiate_file("ffmpeg-publish") == NGX_OK
           && m[1].ssrc == 1369276253 && m[1].rtx_ssrc == 3541129741U
           && m[0].ssrc == 2742894109U && m[1].receiving && !m[1].sending
           && m[0].track == 0 && m[1].track == 1
           && desc.dtls_role == NGX_WEBRTC_DTLS_CLIENT && !has("a=ssrc"),
           "SSRCs of a publisher");

    policy.codec_order = h264;
    policy.ncodec_order = 2;

    tap_ok(negotiate_file("chromium-sendonly") == NGX_OK
           && m[1].codec == NGX_WEBRTC_CODEC_H264
           && has("packetization-mode=1"), "allowed codecs");
}


static void
test_policy(void)
{
    reset(PLAY);
    track(NGX_WEBRTC_CODEC_H264, 0);
    policy.ufrag.len = 3;
    tap_is_int(negotiate_text(HEAD VIDEO T), NGX_ERROR, "policy: short ufrag");

    reset(PLAY);
    policy.pwd.len = 21;
    tap_is_int(negotiate_text(HEAD VIDEO T), NGX_ERROR, "policy: short pwd");

    reset(PLAY);
    policy.cname.len = 0;
    tap_is_int(negotiate_text(HEAD VIDEO T), NGX_ERROR, "policy: no cname");

    reset(3);
    tap_is_int(negotiate_text(HEAD VIDEO T), NGX_ERROR, "policy: no role");

    reset(PLAY);
    policy.candidates = NULL;
    policy.ncandidates = 0;
    track(NGX_WEBRTC_CODEC_H264, 0);
    tap_is_int(negotiate_text(HEAD VIDEO T), NGX_OK, "policy: no candidates");
}


int
main(void)
{
    tap_ok(NGX_WEBRTC_SDP_AUDIO == NGX_WEBRTC_AUDIO
           && NGX_WEBRTC_SDP_VIDEO == NGX_WEBRTC_VIDEO,
           "kinds of wire and media are the same");

    test_offers();
    test_answer();
    test_room();
    test_refused();
    test_shapes();
    test_policy();

    return tap_done();
}
