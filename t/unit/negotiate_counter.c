
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_negotiate_counter: counter-offers, and answers to them as
 * Chromium and others give them.
 */


#include "negotiate.h"

#include <ngx_webrtc_negotiate_counter.h>
#include <ngx_webrtc_codecs.h>


#define BIT(c)  ((ngx_uint_t) 1 << NGX_WEBRTC_CODEC_##c)

/* of an answer: transport, and m-lines to the counter-offer below */
#define ICE  "a=ice-ufrag:remo\na=ice-pwd:remote7890123456789012\n"           \
             "a=fingerprint:sha-256 " FP "\n"
#define A(dir)  "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:0\na=" dir "\n"       \
                "a=rtcp-mux\na=rtpmap:111 opus/48000/2\n"
#define V(dir)  "m=video 9 UDP/TLS/RTP/SAVPF 96 97 100\na=mid:1\na=" dir "\n" \
                "a=rtcp-mux\na=rtpmap:96 H264/90000\na=rtcp-fb:96 nack\n"     \
                "a=rtcp-fb:96 nack pli\na=rtcp-fb:96 goog-remb\n"             \
                "a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n"                   \
                "a=rtpmap:100 VP8/90000\n"
#define GROUP  "a=group:BUNDLE 0 1\n"


static ngx_webrtc_desc_t  result;


static ngx_int_t
counter_offer(void)
{
    ngx_int_t  rc;

    last = answer;
    rc = ngx_webrtc_negotiate_counter_offer(&policy, &desc, &last,
                                            answer + ROOM);

    if (rc == NGX_OK
        && ngx_webrtc_sdp_parse(answer, last, &parsed, &err) != NGX_OK)
    {
        tap_fail("the counter-offer parses: %s", err.cause);
    }

    return rc;
}


/* an alternative will do: an offer of ours */
static ngx_uint_t  any;


static ngx_int_t
counter_answer(const char *text)
{
    ngx_memzero(&cause, sizeof(cause));
    ngx_memcpy(offer, text, strlen(text));

    if (ngx_webrtc_sdp_parse(offer, offer + strlen(text), &sdp, &err)
        != NGX_OK)
    {
        tap_diag("the answer: %s, line %d", err.cause, (int) err.line);
        return NGX_ERROR;
    }

    ngx_memset(&result, 0xa5, sizeof(result));

    return ngx_webrtc_negotiate_counter_answer(&sdp, &desc, policy.ice_lite,
                                               any, &result, &cause);
}


static void
set_stream(void)
{
    reset(PLAY);
    track(NGX_WEBRTC_CODEC_H264, 0x640028);
    track(NGX_WEBRTC_CODEC_OPUS, 0);
    policy.alternatives = BIT(VP8) | BIT(AV1) | BIT(PCMU);
    policy.exts = NGX_WEBRTC_EXT_MID;
}


/* the whole counter-offer, line by line after RFC 8829, 5.2.1 */

static void
test_offer(void)
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
        "a=setup:actpass\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.1 8000 typ host\r\n"
        "a=end-of-candidates\r\n"
        "a=rtcp-mux\r\n"
        "a=rtcp-rsize\r\n"
        "a=sendonly\r\n"
        "a=msid:cam1 audio\r\n"
        "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "a=rtpmap:111 opus/48000/2\r\n"
        "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1\r\n"
        "a=ssrc:1001 cname:cname\r\n"
        "a=ssrc:1001 msid:cam1 audio\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 100 101\r\n"
        "c=IN IP4 0.0.0.0\r\n"
        "a=mid:1\r\n"
        "a=ice-ufrag:localufr\r\n"
        "a=ice-pwd:local67890123456789012\r\n"
        "a=fingerprint:sha-256 " FP "\r\n"
        "a=setup:actpass\r\n"
        "a=rtcp-mux\r\n"
        "a=rtcp-rsize\r\n"
        "a=sendonly\r\n"
        "a=msid:cam1 video\r\n"
        "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "a=rtpmap:96 H264/90000\r\n"
        "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;"
            "profile-level-id=42e01f\r\n"
        "a=rtcp-fb:96 ccm fir\r\n"
        "a=rtcp-fb:96 nack\r\n"
        "a=rtcp-fb:96 nack pli\r\n"
        "a=rtpmap:97 rtx/90000\r\n"
        "a=fmtp:97 apt=96\r\n"
        "a=rtpmap:100 VP8/90000\r\n"
        "a=rtcp-fb:100 ccm fir\r\n"
        "a=rtcp-fb:100 nack\r\n"
        "a=rtcp-fb:100 nack pli\r\n"
        "a=rtpmap:101 rtx/90000\r\n"
        "a=fmtp:101 apt=100\r\n"
        "a=ssrc-group:FID 1003 1004\r\n"
        "a=ssrc:1003 cname:cname\r\n"
        "a=ssrc:1003 msid:cam1 video\r\n"
        "a=ssrc:1004 cname:cname\r\n"
        "a=ssrc:1004 msid:cam1 video\r\n";

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_OPUS, 0);
    track(NGX_WEBRTC_CODEC_H264, 0x640028);
    policy.alternatives = BIT(VP8) | BIT(PCMU);
    policy.exts = NGX_WEBRTC_EXT_MID;

    tap_is_int(counter_offer(), NGX_OK, "a counter-offer");
    tap_is_mem(answer, last - answer, want, sizeof(want) - 1, "its text");
    tap_ok(ngx_webrtc_negotiate_counter_pending(&desc), "is pending");
    tap_ok(desc.nmedia == 2 && desc.media[1].pt == 96
           && desc.media[1].nalts == 1 && desc.media[1].alts[0].rtx_pt == 101
           && desc.media[0].nalts == 0 && desc.media[0].stereo
           && desc.local_ufrag_len == 8, "its description");
}


static void
test_streams(void)
{
    u_char      *p;
    ngx_int_t    rc;
    ngx_uint_t   i;
    size_t       n, size;

    static const struct {
        ngx_uint_t   codec;
        uint32_t     profile;
        const char  *text;
    } rows[] = {
        { NGX_WEBRTC_CODEC_H265, 0, "a=fmtp:98 level-id=93;profile-id=1;"
                                    "tier-flag=0;tx-mode=SRST\r\n" },
        { NGX_WEBRTC_CODEC_H265, 2 << 16 | 1 << 8 | 120,
          "a=fmtp:98 level-id=120;profile-id=2;tier-flag=1;tx-mode=SRST\r\n" },
        { NGX_WEBRTC_CODEC_VP8, 0, "a=rtpmap:100 VP8/90000\r\na=rtcp" },
        { NGX_WEBRTC_CODEC_VP9, 2 << 16, "a=fmtp:102 profile-id=2\r\n" },
        { NGX_WEBRTC_CODEC_AV1, 0,
          "a=fmtp:104 level-idx=5;profile=0;tier=0\r\n" },
        { NGX_WEBRTC_CODEC_AV1, 1 << 16 | 1 << 8 | 8,
          "a=fmtp:104 level-idx=8;profile=1;tier=1\r\n" },
        { NGX_WEBRTC_CODEC_PCMU, 0, "a=rtpmap:0 PCMU/8000\r\n" },
        { NGX_WEBRTC_CODEC_PCMA, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 8\r\n" },
        { NGX_WEBRTC_CODEC_G722, 0, "a=rtpmap:9 G722/8000\r\n" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PLAY);
        track(rows[i].codec, rows[i].profile);

        tap_ok(counter_offer() == NGX_OK && has(rows[i].text)
               && desc.media[0].codec == rows[i].codec,
               "stream %d: %s", (int) i, ngx_webrtc_codec(rows[i].codec)
                                         ->name.data);
    }

    /* the first of each kind; RED can't stand alone */

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_RED, 0);
    track(NGX_WEBRTC_CODEC_VP8, 0);
    track(NGX_WEBRTC_CODEC_VP9, 0);
    track(NGX_WEBRTC_CODEC_OPUS, 0);

    tap_ok(counter_offer() == NGX_OK && desc.nmedia == 2
           && desc.media[0].track == 1 && desc.media[1].track == 3,
           "the first track of each kind");

    reset(PLAY);
    tap_is_int(counter_offer(), NGX_DECLINED, "a stream without tracks");

    track(NGX_WEBRTC_CODEC_RED, 0);
    tap_is_int(counter_offer(), NGX_DECLINED, "a stream of RED alone");

    reset(PUBLISH);
    tap_is_int(counter_offer(), NGX_ERROR, "a publisher gets none");

    set_stream();
    policy.alternatives = ~(ngx_uint_t) 0;
    policy.exts = 0xff;
    policy.fb = 0xff;
    (void) counter_offer();

    tap_ok(desc.media[0].nalts == 4 && desc.media[1].nalts == 0
           && desc.media[0].ext_twcc == 3 && desc.media[1].ext_twcc == 0
           && has(" transport-cc\r\n") && !has("a=rtcp-fb:111 transport-cc")
           && !has("rrtr"),
           "everything; what is stamped is video");

    size = last - answer;

    for (n = 0; n <= size; n++) {
        p = answer;
        rc = ngx_webrtc_negotiate_counter_offer(&policy, &desc, &p,
                                                answer + n);
        if (rc != NGX_ERROR) {
            break;
        }
    }

    tap_is_int(n, size + 1, "no room is an error at every length");
}


static void
test_answer(void)
{
    ngx_webrtc_desc_media_t  *m;

    m = result.media;

    set_stream();
    (void) counter_offer();

    /* video is "0" and audio is "1" here: the tracks' order */

    tap_ok(counter_answer(HEAD GROUP
                          "m=video 9 UDP/TLS/RTP/SAVPF 96 97 100\na=mid:0\n"
                          "a=recvonly\na=rtcp-mux\na=setup:active\n" ICE
                          "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\n"
                          "a=rtpmap:96 H264/90000\na=rtcp-fb:96 nack\n"
                          "a=rtcp-fb:96 goog-remb\na=rtpmap:97 rtx/90000\n"
                          "a=fmtp:97 apt=96\na=rtpmap:100 VP8/90000\n"
                          "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:1\n"
                          "a=recvonly\na=rtcp-mux\n"
                          "a=rtpmap:111 opus/48000/2\n" ICE)
           == NGX_OK
           && result.nmedia == 2 && !ngx_webrtc_negotiate_counter_pending(
                                        &result)
           && result.dtls_role == NGX_WEBRTC_DTLS_SERVER
           && result.remote_ufrag_len == 4 && result.remote_pwd_len == 22
           && result.fingerprint_len == 32
           && result.local_ufrag_len == 8
           && ngx_memcmp(result.local_ufrag, "localufr", 8) == 0,
           "an answer: %.*s", (int) cause.len, cause.detail);
    tap_ok(m[0].codec == NGX_WEBRTC_CODEC_H264 && m[0].pt == 96
           && m[0].rtx_pt == 97 && m[0].fb == NGX_WEBRTC_FB_NACK
           && m[0].red_pt == NONE && m[1].red_pt == NONE
           && m[0].ssrc == 1003 && m[0].rtx_ssrc == 1004
           && m[0].sending && m[0].track == 0 && m[0].ext_mid == 1,
           "video of it");
    tap_ok(m[0].nalts == 1 && m[0].alts[0].codec == NGX_WEBRTC_CODEC_VP8
           && m[0].alts[0].pt == 100 && m[0].alts[0].rtx_pt == NONE
           && m[0].alts[1].codec == 0, "what remains of the alternatives");
    tap_ok(m[1].codec == NGX_WEBRTC_CODEC_OPUS && m[1].pt == 111
           && m[1].ssrc == 1001 && m[1].ext_mid == 0 && m[1].track == 1
           && m[1].mline == 1, "audio of it");

    /* one is rejected, the other one has the transport; passive */

    tap_ok(counter_answer(HEAD "a=group:BUNDLE 1\n"
                          "m=video 0 UDP/TLS/RTP/SAVPF 96\na=mid:0\n"
                          "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:1\n"
                          "a=recvonly\na=rtcp-mux\na=setup:passive\n"
                          "a=rtpmap:111 opus/48000/2\n" ICE)
           == NGX_OK
           && result.nmedia == 1 && m[0].codec == NGX_WEBRTC_CODEC_OPUS
           && m[0].mline == 1 && result.dtls_role == NGX_WEBRTC_DTLS_CLIENT
           && m[1].codec == 0,
           "one rejected: %.*s", (int) cause.len, cause.detail);

    /* one is inactive: it stays, and nothing is sent */

    tap_ok(counter_answer(HEAD GROUP
                          "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:0\n"
                          "a=inactive\na=rtcp-mux\n" ICE
                          "a=rtpmap:96 H264/90000\n"
                          "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:1\n"
                          "a=recvonly\na=rtcp-mux\n"
                          "a=rtpmap:111 opus/48000/2\n" ICE)
           == NGX_OK
           && result.nmedia == 2 && !m[0].sending && m[0].nalts == 0
           && m[0].track == NGX_WEBRTC_DESC_NO_TRACK && m[0].ssrc == 0
           && m[0].rtx_pt == NONE && m[0].rtx_ssrc == 0 && m[1].sending,
           "one inactive: %.*s", (int) cause.len, cause.detail);
}


static void
test_refused(void)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        const char  *text;
        ngx_uint_t   kind;
        const char  *title;
        const char  *detail;             /* part of it */
        ngx_int_t    mline;
    } rows[] = {
        { "fewer m-lines", HEAD A("recvonly") ICE, NGX_WEBRTC_NEGOTIATE_BAD,
          "other m-lines", "1 m-lines, the offer had 2", -1 },
        { "another order", HEAD GROUP V("recvonly") ICE A("recvonly") ICE,
          NGX_WEBRTC_NEGOTIATE_BAD, "other m-lines", "m-line 0 (video)", 0 },
        { "another mid", HEAD GROUP A("recvonly") ICE
          "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:7\na=rtcp-mux\n",
          NGX_WEBRTC_NEGOTIATE_BAD, "other m-lines", "m-line 1", 1 },
        { "no rtcp-mux", HEAD GROUP A("recvonly") ICE
          "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\n",
          NGX_WEBRTC_NEGOTIATE_BAD, "no rtcp-mux", "m-line 1 (video)", 1 },
        { "actpass", HEAD GROUP "a=setup:actpass\n" A("recvonly") ICE
          V("recvonly") ICE,
          NGX_WEBRTC_NEGOTIATE_BAD, "no DTLS role", "actpass", 0 },
        { "holdconn", HEAD GROUP "a=setup:holdconn\n" A("recvonly") ICE
          V("recvonly") ICE,
          NGX_WEBRTC_NEGOTIATE_BAD, "no DTLS role", "holdconn", 0 },
        { "sendonly", HEAD GROUP A("sendonly") ICE V("recvonly") ICE,
          NGX_WEBRTC_NEGOTIATE_BAD, "wrong direction", "m-line 0", 0 },
        { "lite", HEAD GROUP "a=ice-lite\n" A("recvonly") ICE V("recvonly")
          ICE, NGX_WEBRTC_NEGOTIATE_BAD, "ICE lite on both sides", "", -1 },
        { "no BUNDLE", HEAD A("recvonly") ICE V("recvonly") ICE,
          NGX_WEBRTC_NEGOTIATE_BAD, "no BUNDLE", "", -1 },
        { "no ICE", HEAD GROUP A("recvonly") V("recvonly"),
          NGX_WEBRTC_NEGOTIATE_BAD, "no ICE credentials", "m-line 0", 0 },
        { "no fingerprint", HEAD GROUP A("recvonly")
          "a=ice-ufrag:remo\na=ice-pwd:remote7890123456789012\n"
          V("recvonly"),
          NGX_WEBRTC_NEGOTIATE_BAD, "no fingerprint", "m-line 0", 0 },
        { "all rejected", HEAD "m=audio 0 UDP/TLS/RTP/SAVPF 111\na=mid:0\n"
          "m=video 0 UDP/TLS/RTP/SAVPF 96\na=mid:1\n",
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no media", "", -1 },
        { "all inactive", HEAD GROUP A("inactive") ICE V("inactive") ICE,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no media", "", -1 },
        { "an alternative alone", HEAD GROUP A("recvonly") ICE
          "m=video 9 UDP/TLS/RTP/SAVPF 100\na=mid:1\na=rtcp-mux\n"
          "a=recvonly\na=rtpmap:100 VP8/90000\n",
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no codec in common",
          "H264 video as payload type 96, m-line 1 accepts VP8", 1 },
        { "another codec at that payload type", HEAD GROUP A("recvonly") ICE
          "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\na=rtcp-mux\n"
          "a=recvonly\na=rtpmap:96 VP8/90000\n",
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, "no codec in common", "VP8", 1 }
    };

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_OPUS, 0);
    track(NGX_WEBRTC_CODEC_H264, 0);
    policy.alternatives = BIT(VP8);
    (void) counter_offer();

    tap_ok(counter_answer(HEAD GROUP A("recvonly") ICE V("recvonly") ICE)
           == NGX_OK && result.media[1].fb
                        == (NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI),
           "what the rows change: %.*s", (int) cause.len, cause.detail);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rc = counter_answer(rows[i].text);

        cause.detail[ngx_min(cause.len, NGX_WEBRTC_NEGOTIATE_DETAIL - 1)] =
                                                                         '\0';

        tap_ok(rc == NGX_DECLINED && cause.kind == rows[i].kind
               && strcmp(cause.title, rows[i].title) == 0
               && strstr((char *) cause.detail, rows[i].detail) != NULL
               && cause.mline == rows[i].mline && cause.len != 0,
               "refused: %s: %s: %s", rows[i].name,
               cause.title ? cause.title : "accepted", cause.detail);
    }

    /* an offer of ours: the target need not take the stream as it is */

    any = 1;

    rc = counter_answer(HEAD GROUP A("recvonly") ICE
                        "m=video 9 UDP/TLS/RTP/SAVPF 100\na=mid:1\na=rtcp-mux\n"
                        "a=recvonly\na=rtpmap:100 VP8/90000\n" ICE);

    tap_ok(rc == NGX_OK && result.media[1].codec == NGX_WEBRTC_CODEC_VP8
           && result.media[1].pt == 100 && result.media[1].nalts == 0
           && result.media[1].rtx_pt == NGX_WEBRTC_DESC_NO_PT,
           "an alternative takes the codec's place: %.*s", (int) cause.len,
           cause.detail);

    any = 0;
}


/* our own answer to our own offer: as a recorder of the stream would */

static void
test_both(void)
{
    size_t                          n;
    uint8_t                         one;
    ngx_uint_t                      i;
    ngx_webrtc_negotiate_policy_t   ours;
    static u_char                   text[ROOM];
    ngx_webrtc_desc_t               theirs;

    for (i = NGX_WEBRTC_CODEC_H264; i <= NGX_WEBRTC_CODEC_G722; i++) {
        reset(PLAY);
        track(i, 0);
        policy.alternatives = ~(ngx_uint_t) 0;
        policy.exts = 0xff;
        policy.fb = 0xff;

        (void) counter_offer();

        ours = policy;
        n = last - answer;
        ngx_memcpy(text, answer, n);
        theirs = desc;

        reset(PUBLISH);
        policy.ice_lite = 0;
        policy.fb = 0xff;
        policy.exts = 0xff;
        one = (uint8_t) i;
        policy.codec_order = &one;
        policy.ncodec_order = 1;
        ngx_str_set(&policy.ufrag, "peerufr");

        ngx_memcpy(offer, text, n);

        if (negotiate(n) != NGX_OK) {
            tap_fail("counter-offer of codec %d: %.*s", (int) i,
                     (int) cause.len, cause.detail);
            continue;
        }

        /* the answer has that codec alone */

        policy = ours;
        n = last - answer;
        ngx_memcpy(text, answer, n);
        text[n] = '\0';
        desc = theirs;

        tap_ok(counter_answer((char *) text) == NGX_OK
               && result.media[0].codec == i
               && result.media[0].pt == theirs.media[0].pt
               && result.media[0].rtx_pt == theirs.media[0].rtx_pt
               && result.media[0].red_pt == NONE
               && result.media[0].nalts == 0
               && result.media[0].ext_mid == 1
               && result.media[0].ext_twcc
                  == (theirs.media[0].kind == NGX_WEBRTC_VIDEO ? 3 : 0)
               && result.media[0].fb == theirs.media[0].fb
               && result.remote_ufrag_len == 7
               && result.dtls_role == NGX_WEBRTC_DTLS_CLIENT,
               "offer and answer of codec %d: %.*s", (int) i,
               (int) cause.len, cause.detail);
    }
}


int
main(void)
{
    test_offer();
    test_streams();
    test_answer();
    test_refused();
    test_both();

    return tap_done();
}
