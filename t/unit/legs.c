
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_legs: words of the directives, SDPs, and what is made of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_legs.h>
#include <ngx_webrtc_track.h>

#include "tap.h"


static void
test_words(void)
{
    u_char             *p, out[NGX_WEBRTC_LEGS_TEXT];
    ngx_str_t           text, word;
    ngx_uint_t          i;
    const char         *cause;
    ngx_webrtc_legs_t   legs;

    static const struct {
        const char  *text;
        const char  *printed;        /* NULL: refused */
    } rows[] = {
        { "5004",
          "127.0.0.1:5004 video=H264/102 audio=opus/111 audio_port=5006" },
        { " 5004  video=vp8 ", "127.0.0.1:5004 video=VP8/102" },
        { "*:6000 audio=PCMU", "0.0.0.0:6000 audio=PCMU/0" },
        { "192.0.2.1:6000 audio=OPUS/97 video=H265/96",
          "192.0.2.1:6000 video=H265/96 audio=opus/97 audio_port=6002" },
        { "[::1]:6000 video=AV1/98 rtcp_mux",
          "[::1]:6000 video=AV1/98 rtcp_mux" },
        { "6000 audio_port=6000",
          "127.0.0.1:6000 video=H264/102 audio=opus/111 audio_port=6000" },
        { "6000 video=VP9/127 from=10.1.2.3/8",
          "127.0.0.1:6000 video=VP9/127 from=10.0.0.0/8" },
        { "6000 video=VP9/63 from=192.0.2.7",
          "127.0.0.1:6000 video=VP9/63 from=192.0.2.7/32" },
        { "6000 video=VP9 from=2001:db8::/32",
          "127.0.0.1:6000 video=VP9/102 from=2001:db8::/32" },
        { "65535 audio=opus rtcp_mux", "127.0.0.1:65535 audio=opus/111 "
                                       "rtcp_mux" },
        { "", NULL }, { " ", NULL }, { "0", NULL }, { "65536", NULL },
        { "65535 audio=opus", NULL }, { "65533", NULL },
        { "host:5004", NULL }, { "[::1]5004", NULL }, { "[x]:5004", NULL },
        { ":5004", NULL }, { "127.0.0.1:", NULL }, { "127.0.0.1", NULL },
        { "5004 video=", NULL }, { "5004 video=H264/64", NULL },
        { "5004 video=H264/95", NULL }, { "5004 video=H264/128", NULL },
        { "5004 video=H264/", NULL }, { "5004 video=H264/-1", NULL },
        { "5004 video=opus", NULL }, { "5004 audio=H264", NULL },
        { "5004 audio=red", NULL }, { "5004 video=VP8 video=VP9", NULL },
        { "5004 video=VP8/96 audio=opus/96", NULL },
        { "5004 audio_port=0", NULL }, { "5004 audio_port=", NULL },
        { "5004 from=", NULL }, { "5004 from=lan", NULL },
        { "5004 rtcp_muxx", NULL }, { "5004 5006", NULL },
        { "5004 start=always", NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text.data = (u_char *) rows[i].text;
        text.len = strlen(rows[i].text);
        cause = NULL;

        if (ngx_webrtc_legs_parse(&legs, &text, &word, &cause) != NGX_OK) {
            tap_ok(rows[i].printed == NULL && cause != NULL,
                   "\"%s\" is refused: %s", rows[i].text, cause);
            continue;
        }

        p = ngx_webrtc_legs_print(&legs, out, out + sizeof(out));
        tap_ok(p != NULL && rows[i].printed != NULL
               && (size_t) (p - out) == strlen(rows[i].printed)
               && memcmp(out, rows[i].printed, p - out) == 0,
               "\"%s\" is \"%.*s\"", rows[i].text, p ? (int) (p - out) : 0,
               out);
    }
}


static void
test_sdp(void)
{
    u_char             *p, out[NGX_WEBRTC_LEGS_TEXT];
    ngx_uint_t          i;
    const char         *cause;
    ngx_webrtc_legs_t   legs;

    static ngx_webrtc_sdp_t  sdp;

#define HEAD  "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\n"              \
              "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"

    static const struct {
        const char  *name;
        const char  *sdp;
        const char  *printed;        /* NULL: refused */
    } rows[] = {
        { "of FFmpeg",
          HEAD "a=tool:libavformat 59.27.100\r\n"
          "m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
          "a=fmtp:96 packetization-mode=1\r\n"
          "m=audio 5006 RTP/AVP 97\r\nb=AS:96\r\n"
          "a=rtpmap:97 opus/48000/2\r\n",
          "127.0.0.1:5004 video=H264/96 audio=opus/97 audio_port=5006" },
        { "of a static type, before it one that is not ours",
          HEAD "m=audio 7000 RTP/AVP 3 8\r\n",
          "127.0.0.1:7000 audio=PCMA/8" },
        { "with rtcp-mux",
          HEAD "m=video 7000 RTP/AVPF 100\r\na=rtpmap:100 VP8/90000\r\n"
          "a=rtcp-mux\r\n", "127.0.0.1:7000 video=VP8/100 rtcp_mux" },
        { "the first video counts",
          HEAD "m=video 7000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
          "m=video 7002 RTP/AVP 97\r\na=rtpmap:97 VP9/90000\r\n",
          "127.0.0.1:7000 video=VP8/96" },
        { "without a codec of ours",
          HEAD "m=video 7000 RTP/AVP 26\r\n", NULL },
        { "another clock rate",
          HEAD "m=audio 7000 RTP/AVP 96\r\na=rtpmap:96 opus/16000\r\n", NULL },
        { "no m-line", HEAD, NULL },
        { "no SDP", "Session Description", NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ngx_webrtc_legs_init(&legs);
        cause = NULL;

        if (ngx_webrtc_legs_sdp(&legs, (u_char *) rows[i].sdp,
                                (u_char *) rows[i].sdp + strlen(rows[i].sdp),
                                &sdp, &cause)
            != NGX_OK)
        {
            tap_ok(rows[i].printed == NULL && cause != NULL,
                   "SDP %s: %s", rows[i].name, cause);
            continue;
        }

        p = ngx_webrtc_legs_print(&legs, out, out + sizeof(out));
        tap_ok(p != NULL && rows[i].printed != NULL
               && (size_t) (p - out) == strlen(rows[i].printed)
               && memcmp(out, rows[i].printed, p - out) == 0,
               "SDP %s: \"%.*s\"", rows[i].name, p ? (int) (p - out) : 0, out);
    }
}


static void
test_desc(void)
{
    ngx_str_t           text = ngx_string("5004 video=VP8/96 audio=PCMA");
    ngx_str_t           word;
    const char         *cause;
    ngx_webrtc_desc_t   desc;
    ngx_webrtc_legs_t   legs;

    tap_is_int(ngx_webrtc_legs_parse(&legs, &text, &word, &cause), NGX_OK,
               "two legs");

    ngx_webrtc_legs_desc(&legs, &desc);

    tap_is_int(desc.nmedia, 2, "are two m-lines");
    tap_is_int(desc.media[0].codec, NGX_WEBRTC_CODEC_VP8, "VP8");
    tap_is_int(desc.media[0].pt, 96, "its type");
    tap_is_int(desc.media[0].fb, NGX_WEBRTC_FB_PLI, "key frames by PLI");
    tap_is_int(desc.media[1].codec, NGX_WEBRTC_CODEC_PCMA, "PCMA");
    tap_is_int(desc.media[1].pt, 8, "its static type");
    tap_is_int(desc.media[1].clock_rate, 8000, "its clock");
    tap_is_int(ngx_webrtc_desc_payload(&desc.media[1], 96), 0,
               "no other type");
}


int
main(void)
{
    test_words();
    test_sdp();
    test_desc();

    return tap_done();
}
