
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_negotiate: simulcast, RFC 8851 and RFC 8853.  Layers are taken as
 * they are offered, or the offer is answered as one without them.
 */


#include "negotiate.h"


#define VP8  "m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=mid:0\na=sendonly\n"       \
             "a=rtpmap:96 VP8/90000\na=rtcp-fb:96 nack\n"                     \
             "a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n"
#define RID  "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n"
#define RRID "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:"                   \
             "repaired-rtp-stream-id\n"
#define OFFER(rest)  HEAD "a=group:BUNDLE 0\n" VP8 T RID RRID rest

#define R(id)   "a=rid:" id " send\n"
#define SIM     "a=simulcast:send "
#define L16     "0123456789abcdef"


static void
test_rids(void)
{
    ngx_int_t   rc;
    ngx_str_t   rid;
    ngx_uint_t  i, n;
    u_char      list[128], *p;

    static const struct {
        const char  *name;
        const char  *offer;
        const char  *rids;        /* of the description, and of the answer */
    } rows[] = {
        { "three", OFFER(R("h") R("m") R("l") SIM "h;m;l\n"), "h;m;l" },
        { "their order is that of a=simulcast",
          OFFER(R("h") R("m") R("l") SIM "l;m;h\n"), "l;m;h" },
        { "both directions",
          OFFER(R("a") R("b") "a=rid:c recv\na=simulcast:recv c send a;b\n"),
          "a;b" },
        { "paused", OFFER(R("a") R("b") R("c") SIM "a;~b;~c\n"), "a;b;c" },
        { "alternatives: the first",
          OFFER(R("a") R("b") R("c") R("d") SIM "a,b;c,d\n"), "a;c" },
        { "alternatives: the first that may be",
          OFFER("a=rid:a send pt=98\n" R("b") R("c") SIM "a,~b;c\n"), "b;c" },
        { "four", OFFER(R("1") R("2") R("3") R("4") SIM "1;2;3;4\n"),
          "1;2;3;4" },
        { "a fifth one is left out",
          OFFER(R("1") R("2") R("3") R("4") R("5") SIM "1;2;3;4;5\n"),
          "1;2;3;4" },
        { "one is none", OFFER(R("a") SIM "a\n"), "" },
        { "without a=simulcast", OFFER(R("a") R("b")), "" },
        { "nothing behind send", OFFER(R("a") R("b") "a=simulcast:send\n"),
          "" },
        { "an empty value", OFFER(R("a") R("b") "a=simulcast:\n"), "" },
        { "received only",
          OFFER("a=rid:a recv\na=rid:b recv\na=simulcast:recv a;b\n"), "" },
        { "of the other direction",
          OFFER("a=rid:a recv\n" R("b") R("c") SIM "a;b;c\n"), "b;c" },
        { "one without a=rid", OFFER(R("a") R("c") SIM "a;b;c\n"), "a;c" },
        { "twice the same", OFFER(R("a") R("b") SIM "a;a;b;a\n"), "a;b" },
        { "a=rid twice", OFFER(R("a") R("a") R("b") SIM "a;b\n"), "a;b" },
        { "semicolons", OFFER(R("a") R("b") SIM ";;a;;,;b;\n"), "a;b" },
        { "commas and tildes", OFFER(R("a") R("b") SIM "~~a,~b;~;b\n"), "" },
        { "16 bytes", OFFER(R(L16) R("b") SIM L16 ";b\n"), L16 ";b" },
        { "17 bytes", OFFER(R(L16 "x") R("b") R("c") SIM L16 "x;b;c\n"),
          "b;c" },
        { "more than there is room for",
          OFFER(R(L16) R(L16 "2") R("a23456789012345") R("b2345678901234567")
                R("c23456789012345") R("d2345678901234") R("e")
                SIM L16 ";a23456789012345;c23456789012345;d2345678901234;e\n"),
          L16 ";a23456789012345;c23456789012345" },
        { "letters, digits, - and _",
          OFFER(R("a-_Z9") R("b!") R("c\"") R("d.") R("e") SIM
                "a-_Z9;b!;c\";d.;e\n"), "a-_Z9;e" },
        { "bytes above 0x7f", OFFER(R("\xc3\xa4") R("b") R("c") SIM
                                    "\xc3\xa4;b;c\n"), "b;c" },
        { "restrictions are repeated",
          OFFER("a=rid:a send max-width=1280;max-fps=30\n"
                "a=rid:b send pt=96;max-br=100000\n" SIM "a;b\n"), "a;b" },
        { "a payload type that is not offered",
          OFFER("a=rid:a send pt=96,98\n" R("b") R("c") SIM "a;b;c\n"),
          "b;c" },
        { "no payload type",
          OFFER("a=rid:a send pt=\n" R("b") R("c") SIM "a;b;c\n"), "b;c" },
        { "the extension is not offered",
          HEAD VP8 T R("a") R("b") SIM "a;b\n", "" },
        { "it is not for what is sent",
          HEAD VP8 T "a=extmap:10/recvonly urn:ietf:params:rtp-hdrext:sdes:"
          "rtp-stream-id\n" R("a") R("b") SIM "a;b\n", "" },
        { "its id is too large",
          HEAD VP8 T "a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:"
          "rtp-stream-id\n" R("a") R("b") SIM "a;b\n", "" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PUBLISH);
        policy.exts = NGX_WEBRTC_EXT_MID|NGX_WEBRTC_EXT_RID;

        rc = negotiate_text(rows[i].offer);

        if (rc != NGX_OK) {
            tap_fail("%s: %.*s", rows[i].name, (int) cause.len, cause.detail);
            continue;
        }

        p = list;

        for (n = 0; ngx_webrtc_desc_rid(desc.media, n, &rid) == NGX_OK; n++) {
            p = ngx_sprintf(p, "%s%V", n ? ";" : "", &rid);
        }

        *p = '\0';

        tap_is_str((char *) list, rows[i].rids, "%s", rows[i].name);

        p = ngx_sprintf(list, "a=simulcast:recv %s\r\n", rows[i].rids);
        *p = '\0';

        tap_ok(rows[i].rids[0] ? has((char *) list)
                                 && parsed.media[0].nrids == n
                               : !has("simulcast") && !has("a=rid"),
               "%s: answered", rows[i].name);
    }
}


static void
test_answer(void)
{
    ngx_webrtc_desc_media_t  *m;

    m = desc.media;

    reset(PUBLISH);
    policy.exts = NGX_WEBRTC_EXT_MID|NGX_WEBRTC_EXT_RID;

    tap_ok(negotiate_text(OFFER("a=rid:a send pt=96;max-width=1280\n" R("b")
                                "a=ssrc:77 cname:x\n" SIM "a;~b\n"))
           == NGX_OK
           && has("a=rid:a recv pt=96;max-width=1280\r\na=rid:b recv\r\n"
                  "a=simulcast:recv a;b\r\n"),
           "the lines of an answer");
    tap_ok(m->ext_rid == 10 && m->ext_rrid == 11
           && has("a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id")
           && has("a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-"
                  "rtp-stream-id"), "both extensions");
    tap_ok(m->ssrc == 0 && m->rtx_ssrc == 0, "SSRCs are learnt by rid");
    tap_ok(m->mid_len == 1 && m->mid[0] == '0', "the mid is what it was");

    policy.exts = NGX_WEBRTC_EXT_MID;

    tap_ok(negotiate_text(OFFER(R("a") R("b") SIM "a;b\n")) == NGX_OK
           && !has("simulcast") && m->ext_rid == 0,
           "a policy without layers");

    reset(PUBLISH);
    policy.exts = NGX_WEBRTC_EXT_MID|NGX_WEBRTC_EXT_RID;

    tap_ok(negotiate_file("chromium-simulcast") == NGX_OK
           && has("a=simulcast:recv h;m;l\r\n") && m->ext_rid && m->ext_rrid,
           "Chromium");
    tap_ok(negotiate_file("firefox-simulcast") == NGX_OK
           && has("a=simulcast:recv hi;mid;lo\r\n"), "Firefox");

    reset(PLAY);
    track(NGX_WEBRTC_CODEC_VP8, 0);
    policy.exts = NGX_WEBRTC_EXT_MID|NGX_WEBRTC_EXT_RID;

    tap_ok(negotiate_text(HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96\na=recvonly\n"
                          "a=rtpmap:96 VP8/90000\n" T RID "a=rid:a recv\n"
                          "a=rid:b recv\na=simulcast:recv a;b\n") == NGX_OK
           && !has("simulcast") && !has("rtp-stream-id"),
           "viewers get one layer");
}


int
main(void)
{
    test_rids();
    test_answer();

    return tap_done();
}
