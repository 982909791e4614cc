
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_sdp: parser and printer.  Offers in t/data/offers; the expected
 * values were read off those files by eye.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>
#include <ngx_webrtc_sdp_candidate.h>
#include <ngx_webrtc_fmtp.h>

#include "tap.h"


#define V   "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
#define M   V "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"

#define FP  "B1:80:35:59:5C:AC:06:12:C8:16:33:9C:D4:3D:B0:F4:"                \
            "2D:FD:A9:DE:36:2E:81:53:4C:39:6B:A2:C3:E9:B4:7E"


static ngx_webrtc_sdp_t        sdp;
static ngx_webrtc_sdp_error_t  err;


static ngx_int_t
parse(const char *text)
{
    return ngx_webrtc_sdp_parse((u_char *) text,
                                (u_char *) text + strlen(text), &sdp, &err);
}


static ngx_uint_t
is(const ngx_str_t *got, const char *want)
{
    return got->len == strlen(want)
           && ngx_memcmp(got->data, want, got->len) == 0;
}


static ngx_int_t
parse_file(const char *name)
{
    FILE           *f;
    char            path[256];
    size_t          n;
    static u_char   text[65536];

    snprintf(path, sizeof(path), "t/data/offers/%s.sdp", name);

    f = fopen(path, "rb");
    if (f == NULL) {
        tap_diag("cannot open %s, run from the root of the tree", path);
        return NGX_ERROR;
    }

    n = fread(text, 1, sizeof(text), f);
    fclose(f);

    return ngx_webrtc_sdp_parse(text, text + n, &sdp, &err);
}


static void
test_offers(void)
{
    ngx_uint_t               i;
    ngx_webrtc_sdp_media_t  *m;
    ngx_webrtc_sdp_codec_t  *c;

    static const struct {
        const char  *name;
        ngx_uint_t   nmedia;
        ngx_uint_t   nbundles;
        ngx_uint_t   ncodecs;            /* of the first m-line */
        ngx_uint_t   ncandidates;
        const char  *ufrag;
        ngx_uint_t   setup;
    } rows[] = {
        { "aiortc-recvonly", 2, 2, 3, 4, "sgNx",
          NGX_WEBRTC_SDP_SETUP_ACTPASS },
        { "ffmpeg-publish", 2, 2, 1, 0, "4fd7c31a",
          NGX_WEBRTC_SDP_SETUP_PASSIVE },
        { "firefox-openh264", 2, 2, 11, 0, "b0a1d2f4",
          NGX_WEBRTC_SDP_SETUP_ACTPASS },
        { "firefox-recvonly", 2, 2, 9, 0, "1cb9b212",
          NGX_WEBRTC_SDP_SETUP_ACTPASS },
        { "gstreamer-recvonly", 2, 2, 1, 0, "m2DKp7VdyTcZ0eXbbFqxhWZ8CTvXnW4e",
          NGX_WEBRTC_SDP_SETUP_ACTPASS },
        { "libdatachannel-recvonly", 2, 2, 1, 2, "Toet",
          NGX_WEBRTC_SDP_SETUP_ACTPASS },
        { "obs-publish", 2, 2, 1, 0, "0eXj", NGX_WEBRTC_SDP_SETUP_ACTPASS },
        { "safari-recvonly", 2, 2, 11, 0, "Lu4k",
          NGX_WEBRTC_SDP_SETUP_ACTPASS },
        { "whepload", 1, 1, 1, 0, "wl01", NGX_WEBRTC_SDP_SETUP_ACTPASS }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        tap_is_int(parse_file(rows[i].name), NGX_OK, "%s", rows[i].name);

        m = &sdp.media[0];

        tap_ok(sdp.nmedia == rows[i].nmedia && sdp.bundle
               && sdp.nbundles == rows[i].nbundles
               && m->ncodecs == rows[i].ncodecs
               && sdp.ncandidates == rows[i].ncandidates
               && is(&m->transport.ufrag, rows[i].ufrag)
               && m->transport.setup == rows[i].setup
               && m->transport.fingerprint_alg
                  == NGX_WEBRTC_FINGERPRINT_SHA256
               && m->rtcp_mux && m->bundled && m->rtp && !m->rejected,
               "%s: first m-line", rows[i].name);
    }

    /* one of them in depth */

    tap_is_int(parse_file("safari-recvonly"), NGX_OK, "safari");

    m = &sdp.media[1];

    tap_ok(is(&m->type, "video") && is(&m->proto, "UDP/TLS/RTP/SAVPF")
           && m->kind == NGX_WEBRTC_SDP_VIDEO && m->port == 9
           && is(&m->mid, "1") && m->rtcp_rsize
           && m->direction == NGX_WEBRTC_SDP_RECVONLY, "safari: video");
    tap_ok(m->nexts == 6 && m->exts[0].id == 14 && m->exts[5].id == 4
           && is(&m->exts[5].uri, "urn:ietf:params:rtp-hdrext:sdes:mid"),
           "safari: extensions");

    c = &m->codecs[0];

    tap_ok(is(&c->name, "H264") && c->clock_rate == 90000 && c->pt == 96
           && c->channels == 1 && c->apt == NGX_WEBRTC_DESC_NO_PT
           && c->fb == (NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI
                        |NGX_WEBRTC_FB_FIR|NGX_WEBRTC_FB_TWCC
                        |NGX_WEBRTC_FB_REMB)
           && is(&c->fmtp, "level-asymmetry-allowed=1;packetization-mode=1;"
                           "profile-level-id=640c1f"), "safari: H.264");
    tap_ok(is(&m->codecs[1].name, "rtx") && m->codecs[1].apt == 96,
           "safari: RTX");

    m = &sdp.media[0];

    tap_ok(is(&m->codecs[0].name, "opus") && m->codecs[0].channels == 2
           && m->codecs[0].clock_rate == 48000
           && m->codecs[0].fb == NGX_WEBRTC_FB_TWCC, "safari: Opus");

    tap_is_int(parse_file("chromium-simulcast"), NGX_OK, "simulcast");
    tap_ok(sdp.media[0].nrids == 3 && is(&sdp.media[0].rids[0].id, "h")
           && sdp.media[0].rids[2].direction == NGX_WEBRTC_SDP_SENDONLY
           && is(&sdp.media[0].simulcast, "send h;m;l"), "simulcast: rids");

    tap_is_int(parse_file("chromium-datachannel"), NGX_OK, "data channel");
    tap_ok(sdp.media[1].kind == NGX_WEBRTC_SDP_APPLICATION
           && !sdp.media[1].rtp && sdp.media[1].sctp_port == 5000
           && sdp.media[1].max_message_size == 262144,
           "data channel: port and size");

    tap_is_int(parse_file("ffmpeg-publish"), NGX_OK, "ffmpeg");
    tap_ok(sdp.media[1].nfids == 1
           && sdp.media[1].fids[0].ssrc == 1369276253
           && sdp.media[1].fids[0].rtx_ssrc == 3541129741U
           && sdp.media[1].nssrcs == 1
           && is(&sdp.media[1].ssrcs[0].cname, "FFmpeg"), "ffmpeg: SSRCs");

    tap_is_int(parse_file("gstreamer-recvonly"), NGX_OK, "gstreamer");
    tap_ok(sdp.media[1].port == 0 && sdp.media[1].bundle_only
           && !sdp.media[1].rejected, "gstreamer: bundle-only is no rejection");

    tap_is_int(parse_file("firefox-openh264"), NGX_OK, "firefox");
    tap_ok(sdp.media[0].exts[3].direction == NGX_WEBRTC_SDP_RECVONLY
           && sdp.media[0].exts[2].direction == NGX_WEBRTC_SDP_SENDRECV,
           "firefox: extension with a direction");
}


static void
test_refused(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        const char  *text;
        ngx_int_t    mline;
        ngx_uint_t   line;
    } rows[] = {
        { "nothing", "", -1, 1 },
        { "JSON", "{\"type\":\"offer\"}", -1, 1 },
        { "version 1", "v=1\r\n", -1, 1 },
        { "no line end", "v=0", -1, 1 },
        { "no key", V "garbage\r\n", -1, 5 },
        { "one letter", V "a\r\n", -1, 5 },
        { "control character", V "a=x\001y\r\n", -1, 5 },
        { "bare CR", V "a=x\ry\r\n", -1, 5 },
        { "m-line: no port", V "m=video\r\n", -1, 5 },
        { "m-line: port", V "m=video x UDP/TLS/RTP/SAVPF 96\r\n", -1, 5 },
        { "m-line: port above 65535",
          V "m=video 65536 UDP/TLS/RTP/SAVPF 96\r\n", -1, 5 },
        { "m-line: no protocol", V "m=video 9\r\n", -1, 5 },
        { "m-line: no formats", V "m=video 9 UDP/TLS/RTP/SAVPF\r\n", -1, 5 },
        { "m-line: payload type", V "m=video 9 UDP/TLS/RTP/SAVPF 96 a\r\n", 0,
          5 },
        { "m-line: payload type of 128",
          V "m=video 9 UDP/TLS/RTP/SAVPF 128\r\n", 0, 5 },
        { "m-line: long type", V "m=123456789012345678901234567890123 9 "
          "UDP/TLS/RTP/SAVPF 96\r\n", -1, 5 },
        { "rtpmap: empty", M "a=rtpmap:\r\n", 0, 6 },
        { "rtpmap: no name", M "a=rtpmap:96\r\n", 0, 6 },
        { "rtpmap: no rate", M "a=rtpmap:96 H264\r\n", 0, 6 },
        { "rtpmap: rate of 0", M "a=rtpmap:96 H264/0\r\n", 0, 6 },
        { "rtpmap: rate above 32 bits", M "a=rtpmap:96 H264/4294967296\r\n",
          0, 6 },
        { "rtpmap: channels", M "a=rtpmap:96 L16/48000/x\r\n", 0, 6 },
        { "rtpmap: no encoding", M "a=rtpmap:96 /90000\r\n", 0, 6 },
        { "rtpmap: type of 128", M "a=rtpmap:128 H264/90000\r\n", 0, 6 },
        { "fmtp", M "a=fmtp:x apt=96\r\n", 0, 6 },
        { "rtcp-fb", M "a=rtcp-fb:96\r\n", 0, 6 },
        { "extmap: no URI", M "a=extmap:1\r\n", 0, 6 },
        { "extmap: id", M "a=extmap:x urn:x\r\n", 0, 6 },
        { "ssrc", M "a=ssrc:4294967296 cname:x\r\n", 0, 6 },
        { "ssrc-group", M "a=ssrc-group:FID 1\r\n", 0, 6 },
        { "rid", M "a=rid:h\r\n", 0, 6 },
        { "rid: direction", M "a=rid:h sideways\r\n", 0, 6 },
        { "mid: empty", M "a=mid:\r\n", 0, 6 },
        { "mid: space", M "a=mid:a b\r\n", 0, 6 },
        { "mid: 65 bytes", M "a=mid:12345678901234567890123456789012"
          "123456789012345678901234567890123\r\n",
          0, 6 },
        { "mid: twice", M "a=mid:a\r\nm=audio 9 RTP/SAVPF 0\r\na=mid:a\r\n",
          1, 0 },
        { "ice-ufrag: short", M "a=ice-ufrag:abc\r\n", 0, 6 },
        { "ice-ufrag: colon", M "a=ice-ufrag:ab:cd\r\n", 0, 6 },
        { "ice-pwd: 21 bytes", V "a=ice-pwd:123456789012345678901\r\n", -1,
          5 },
        { "fingerprint: none", V "a=fingerprint:sha-256\r\n", -1, 5 },
        { "fingerprint: short", V "a=fingerprint:sha-256 B1:80\r\n", -1, 5 },
        { "fingerprint: sha-512 of 32 bytes", V "a=fingerprint:sha-512 " FP
          "\r\n", -1, 5 },
        { "setup", V "a=setup:maybe\r\n", -1, 5 },
        { "sctp-port", V "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
          "a=sctp-port:x\r\n", 0, 6 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        err.cause = NULL;

        tap_ok(parse(rows[i].text) == NGX_DECLINED && err.cause != NULL
               && err.mline == rows[i].mline && err.line == rows[i].line,
               "refused: %s: %s (m-line %d, line %d)", rows[i].name,
               err.cause ? err.cause : "accepted", (int) err.mline,
               (int) err.line);
    }
}


static void
test_accepted(void)
{
    ngx_webrtc_sdp_media_t  *m;

    m = &sdp.media[0];

    tap_is_int(parse("v=0\n"), NGX_OK, "nothing but a version");
    tap_is_int(sdp.nmedia, 0, "no m-lines");

    tap_ok(parse(V "a=ice-ufrag:abcd\n" "a=setup:active\n" "a=sendonly\n"
                 "a=fingerprint:SHA-256 " FP "\n" "a=extmap:3 urn:x\n"
                 "a=ice-pwd:1234567890123456789012\n"
                 "m=audio 9 RTP/SAVPF 0 8 9 13\n" "a=extmap:4 urn:y\n"
                 "m=video 9 RTP/SAVPF 96\n" "a=ice-ufrag:efgh\n"
                 "a=setup:passive\n" "a=recvonly\n")
           == NGX_OK
           && is(&m[0].transport.ufrag, "abcd")
           && is(&m[1].transport.ufrag, "efgh")
           && is(&m[1].transport.pwd, "1234567890123456789012")
           && m[0].transport.setup == NGX_WEBRTC_SDP_SETUP_ACTIVE
           && m[1].transport.setup == NGX_WEBRTC_SDP_SETUP_PASSIVE
           && m[1].transport.fingerprint_alg == NGX_WEBRTC_FINGERPRINT_SHA256
           && m[0].direction == NGX_WEBRTC_SDP_SENDONLY
           && m[1].direction == NGX_WEBRTC_SDP_RECVONLY
           && m[0].nexts == 2 && m[1].nexts == 1,
           "session level holds for m-lines; LF alone");

    tap_ok(parse(V "m=audio 9 RTP/SAVPF 0 8 9 13\r\n") == NGX_OK
           && is(&m->codecs[0].name, "PCMU") && is(&m->codecs[1].name, "PCMA")
           && is(&m->codecs[2].name, "G722") && m->codecs[3].name.len == 0
           && m->codecs[2].clock_rate == 8000, "static payload types");

    tap_ok(parse(V "m=video 9 RTP/SAVPF 96 97 96\r\na=rtcp-fb:* nack\r\n"
                 "a=rtcp-fb:97 nack pli \r\na=rtcp-fb:97 trr-int 100\r\n")
           == NGX_OK
           && m->ncodecs == 2
           && m->codecs[0].fb == NGX_WEBRTC_FB_NACK
           && m->codecs[1].fb == (NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI),
           "rtcp-fb of every type; a type listed twice");

    tap_ok(parse(M "a=rtpmap:97 H264/90000\r\na=fmtp:97 x=1\r\n"
                 "a=rtcp-fb:97 nack\r\n") == NGX_OK
           && m->ncodecs == 1 && m->codecs[0].name.len == 0,
           "attributes of a type that isn't listed are skipped");

    tap_ok(parse(M "a=mid:12345678901234567890123456789012"
                 "12345678901234567890123456789012\r\n") == NGX_OK
           && m->mid.len == 64, "a mid of 64 bytes");

    tap_ok(parse(V "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n") == NGX_OK
           && m->rejected, "port 0 is a rejection");

    tap_ok(parse(V "m=video 49170/2 RTP/AVP 31\r\n") == NGX_OK
           && m->port == 49170, "number of ports");

    tap_ok(parse(M "a=fingerprint:sha-1 00:11\r\n"
                 "a=fingerprint:sha-384 " FP ":00:01:02:03:04:05:06:07:08:09:"
                 "0a:0b:0c:0d:0e:0f\r\na=fingerprint:sha-256 " FP "\r\n")
           == NGX_OK
           && m->transport.fingerprint_alg == NGX_WEBRTC_FINGERPRINT_SHA256
           && m->transport.fingerprint_other, "of several hashes SHA-256");

    tap_ok(parse(V "a=group:LS 1 2\r\na=group:BUNDLE 1\r\na=group:BUNDLE 2\r\n"
                 "m=audio 9 RTP/SAVPF 0\r\na=mid:1\r\n"
                 "m=video 9 RTP/SAVPF 96\r\na=mid:2\r\n") == NGX_OK
           && sdp.nbundles == 1 && m[0].bundled && !m[1].bundled,
           "the first BUNDLE group");

    tap_ok(parse(M "a=extmap:4097 urn:x\r\na=extmap:0 urn:y\r\n"
                 "a=extmap:5/inactive urn:z\r\n") == NGX_OK
           && m->nexts == 1 && m->exts[0].direction == 0,
           "extension ids out of range are skipped");

    tap_ok(parse(V "m=application 9 DTLS/SCTP 5000\r\n"
                 "a=sctpmap:5000 webrtc-datachannel 1024\r\n"
                 "a=max-message-size:0\r\n") == NGX_OK
           && m->sctp_port == 5000
           && m->max_message_size == 0xffffffffffffffffULL,
           "the old form of data channels; a size of 0 is none");

    tap_ok(parse("v=0\r\no=x 18446744073709551615 18446744073709551616 IN IP4"
                 " 0.0.0.0\r\n") == NGX_OK
           && sdp.sess_id == 0xffffffffffffffffULL && sdp.sess_version == 0,
           "numbers of o= at and above 64 bits");

    tap_ok(parse(V "\r\n\r\n") == NGX_OK, "empty lines at the end");
}


/* each limit is reached and then passed by one */

static void
test_limits(void)
{
    char        *p, text[16384];
    ngx_uint_t   i, n, over;

    static const struct {
        const char  *name;
        const char  *head;
        const char  *fmt;
        ngx_uint_t   limit;
        ngx_int_t    rc;
    } rows[] = {
        { "m-lines", V, "m=audio 9 RTP/SAVPF %d\r\n", NGX_WEBRTC_SDP_MEDIA,
          NGX_DECLINED },
        { "extmaps", M, "a=extmap:%d urn:x\r\n", NGX_WEBRTC_SDP_EXTS,
          NGX_DECLINED },
        { "SSRCs", M, "a=ssrc:%d cname:x\r\n", NGX_WEBRTC_SDP_SSRCS,
          NGX_DECLINED },
        { "ssrc-groups", M, "a=ssrc-group:FID %d 1\r\n", NGX_WEBRTC_SDP_FIDS,
          NGX_DECLINED },
        { "rids", M, "a=rid:%d send\r\n", NGX_WEBRTC_SDP_RIDS, NGX_DECLINED },
        { "payload types", V "m=video 9 RTP/SAVPF", " %d",
          NGX_WEBRTC_SDP_CODECS, NGX_DECLINED },
        { "bundled mids", V "a=group:BUNDLE", " %d", NGX_WEBRTC_SDP_BUNDLES,
          NGX_DECLINED },
        { "candidates", M,
          "a=candidate:%d 1 udp 1 192.0.2.1 9 typ host\r\n",
          NGX_WEBRTC_SDP_CANDIDATES, NGX_OK }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        for (over = 0; over < 2; over++) {
            p = text + sprintf(text, "%s", rows[i].head);

            for (n = 0; n < rows[i].limit + over; n++) {
                p += sprintf(p, rows[i].fmt, (int) n + 1);
            }

            sprintf(p, "\r\n");

            tap_is_int(parse(text), over ? rows[i].rc : NGX_OK, "%d %s",
                       (int) (rows[i].limit + over), rows[i].name);
        }
    }

    tap_is_int(sdp.ncandidates, NGX_WEBRTC_SDP_CANDIDATES,
               "the first candidates are kept");

    /* session and m-line together */

    p = text + sprintf(text, "%s", V "a=extmap:1 urn:a\r\n"
                       "m=video 9 RTP/SAVPF 96\r\n");

    for (n = 0; n < NGX_WEBRTC_SDP_EXTS; n++) {
        p += sprintf(p, "a=extmap:%d urn:x\r\n", (int) n + 1);
    }

    tap_ok(parse(text) == NGX_DECLINED && err.mline == 0,
           "extmaps of session and m-line together");
}


static void
test_candidate(void)
{
    u_char                      *text, buf[256], *p;
    ngx_uint_t                   i, n;
    ngx_webrtc_sdp_candidate_t   c;

    static const struct {
        const char  *text;
        const char  *printed;        /* NULL: declined */
    } rows[] = {
        { "candidate:1 1 udp 2130706431 192.0.2.1 9 typ host",
          "candidate:1 1 udp 2130706431 192.0.2.1 9 typ host" },
        { "candidate:1663409131 1 UDP 2113937151 "
          "e304c722-160e-4ea1-83bb-85c35913252c.local 36440 typ host "
          "generation 0 network-cost 999",
          "candidate:1663409131 1 udp 2113937151 "
          "e304c722-160e-4ea1-83bb-85c35913252c.local 36440 typ host" },
        { "candidate:2 2 udp 1694498815 2001:db8::1 60769 typ srflx "
          "raddr 10.0.1.1 rport 8998",
          "candidate:2 2 udp 1694498815 2001:db8::1 60769 typ srflx "
          "raddr 10.0.1.1 rport 8998" },
        { "candidate:x 1 TCP 1 192.0.2.1 9 typ relay tcptype passive",
          "candidate:x 1 tcp 1 192.0.2.1 9 typ relay tcptype passive" },
        { "candidate:1 1 udp 1 192.0.2.1 9 typ prflx odd",
          "candidate:1 1 udp 1 192.0.2.1 9 typ prflx" },
        { "candidate:1 1 sctp 1 192.0.2.1 9 typ host", NULL },
        { "candidate:1 1 udp 1 192.0.2.1 9 typ magic", NULL },
        { "candidate:1 0 udp 1 192.0.2.1 9 typ host", NULL },
        { "candidate:1 1 udp 4294967296 192.0.2.1 9 typ host", NULL },
        { "candidate:1 1 udp 1 192.0.2.1 65536 typ host", NULL },
        { "candidate:1 1 udp 1 192.0.2.1 9 host", NULL },
        { "candidate:1 1 udp 1 192.0.2.1 9 typ", NULL },
        { "candidate:", NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text = (u_char *) rows[i].text;
        n = 0;

        ngx_webrtc_sdp_candidate_add(&c, &n, 0,
                                     text + sizeof("candidate:") - 1,
                                     text + strlen(rows[i].text));

        if (rows[i].printed == NULL) {
            tap_is_int(n, 0, "ignored: %s", rows[i].text);
            continue;
        }

        p = ngx_webrtc_sdp_print_candidate(buf, buf + sizeof(buf), &c, 0);

        tap_is_mem(buf, p ? (size_t) (p - buf) : 0, rows[i].printed,
                   strlen(rows[i].printed), "printed: %s", rows[i].text);
    }

    /* RFC 8445, 5.1.2.1: (2^24)*type + (2^8)*local + (256 - component) */

    tap_is_int(ngx_webrtc_sdp_priority(NGX_WEBRTC_SDP_HOST, 0), 2130706431,
               "priority of a host candidate as in RFC 8839's example");
    tap_is_int(ngx_webrtc_sdp_priority(NGX_WEBRTC_SDP_SRFLX, 0), 1694498815,
               "priority of a reflexive candidate as there");
    tap_is_int(ngx_webrtc_sdp_priority(NGX_WEBRTC_SDP_HOST, 1), 2130706175,
               "the next one is below");
    tap_is_int(ngx_webrtc_sdp_priority(NGX_WEBRTC_SDP_RELAY, 0), 16777215,
               "priority of a relay");
}


static void
test_fmtp(void)
{
    ngx_int_t    rc;
    ngx_str_t    fmtp, value;
    ngx_uint_t   i;

    static const struct {
        const char  *fmtp;
        const char  *name;
        const char  *value;          /* NULL: isn't there */
    } rows[] = {
        { "apt=96", "apt", "96" },
        { "apt=96;rtx-time=3000", "rtx-time", "3000" },
        { "a=1; packetization-mode=1 ;b=2", "packetization-mode", "1" },
        { "Profile-Level-Id=42E01F", "profile-level-id", "42E01F" },
        { "a=", "a", "" },
        { ";;a=1;", "a", "1" },
        { "sprop-stereo=1", "stereo", NULL },
        { "stereo", "stereo", NULL },
        { "0-15", "apt", NULL },
        { "", "apt", NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fmtp.data = (u_char *) rows[i].fmtp;
        fmtp.len = strlen(rows[i].fmtp);

        rc = ngx_webrtc_fmtp_find(&fmtp, rows[i].name, &value);

        tap_ok((rows[i].value == NULL) ? rc == NGX_DECLINED
               : rc == NGX_OK && is(&value, rows[i].value),
               "fmtp \"%s\": %s", rows[i].fmtp, rows[i].name);
    }

    ngx_str_null(&fmtp);
    tap_is_int(ngx_webrtc_fmtp_find(&fmtp, "apt", &value), NGX_DECLINED,
               "no fmtp");
}


static void
test_fingerprint(void)
{
    u_char      bytes[NGX_WEBRTC_DESC_FINGERPRINT];
    ngx_str_t   text;

    static u_char  lower[] =
        "b1:80:35:59:5c:ac:06:12:c8:16:33:9c:d4:3d:b0:f4:"
        "2d:fd:a9:de:36:2e:81:53:4c:39:6b:a2:c3:e9:b4:7e";

    ngx_str_set(&text, FP);

    tap_is_int(ngx_webrtc_sdp_parse_fingerprint(&text,
                                                NGX_WEBRTC_FINGERPRINT_SHA256,
                                                bytes), 32, "fingerprint");
    tap_ok(bytes[0] == 0xb1 && bytes[31] == 0x7e, "fingerprint: bytes");

    text.data = lower;
    tap_is_int(ngx_webrtc_sdp_parse_fingerprint(&text,
                                                NGX_WEBRTC_FINGERPRINT_SHA256,
                                                bytes), 32,
               "fingerprint: lower case");

    lower[2] = '-';
    tap_is_int(ngx_webrtc_sdp_parse_fingerprint(&text,
                                                NGX_WEBRTC_FINGERPRINT_SHA256,
                                                bytes), 0,
               "fingerprint: wrong separator");

    lower[2] = ':';
    lower[3] = 'g';
    tap_is_int(ngx_webrtc_sdp_parse_fingerprint(&text,
                                                NGX_WEBRTC_FINGERPRINT_SHA256,
                                                bytes), 0,
               "fingerprint: no hexadecimal digit");

    tap_is_int(ngx_webrtc_sdp_parse_fingerprint(&text, 0, bytes), 0,
               "fingerprint: no algorithm");
}


static void
test_print(void)
{
    size_t                          n, size;
    u_char                         *p, buf[4096];
    ngx_webrtc_sdp_answer_t         answer;
    ngx_webrtc_sdp_candidate_t      cands[2];
    ngx_webrtc_sdp_answer_media_t  *m;

    static const char  want[] =
        "v=0\r\n"
        "o=- 9223372036854775807 1 IN IP4 0.0.0.0\r\n"
        "s=-\r\n"
        "t=0 0\r\n"
        "a=group:BUNDLE v\r\n"
        "a=ice-lite\r\n"
        "a=msid-semantic: WMS *\r\n"
        "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n"
        "c=IN IP4 0.0.0.0\r\n"
        "a=mid:a\r\n"
        "a=ice-ufrag:ufra\r\n"
        "a=ice-pwd:1234567890123456789012\r\n"
        "a=fingerprint:sha-256 " FP "\r\n"
        "a=setup:passive\r\n"
        "a=inactive\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\n"
        "c=IN IP4 0.0.0.0\r\n"
        "a=mid:v\r\n"
        "a=ice-ufrag:ufra\r\n"
        "a=ice-pwd:1234567890123456789012\r\n"
        "a=fingerprint:sha-256 " FP "\r\n"
        "a=setup:passive\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.1 8000 typ host\r\n"
        "a=candidate:2 1 udp 2130706175 2001:db8::1 8000 typ host\r\n"
        "a=end-of-candidates\r\n"
        "a=rtcp-mux\r\n"
        "a=rtcp-rsize\r\n"
        "a=sendonly\r\n"
        "a=msid:cam1 video\r\n"
        "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "a=rtpmap:102 H264/90000\r\n"
        "a=fmtp:102 packetization-mode=1\r\n"
        "a=rtcp-fb:102 nack\r\n"
        "a=rtcp-fb:102 nack pli\r\n"
        "a=rtpmap:103 rtx/90000\r\n"
        "a=fmtp:103 apt=102\r\n"
        "a=ssrc-group:FID 4294967295 7\r\n"
        "a=ssrc:4294967295 cname:c\r\n"
        "a=ssrc:4294967295 msid:cam1 video\r\n"
        "a=ssrc:7 cname:c\r\n"
        "a=ssrc:7 msid:cam1 video\r\n";

    ngx_memzero(&answer, sizeof(answer));
    ngx_memzero(cands, sizeof(cands));

    ngx_str_set(&cands[0].address, "192.0.2.1");
    cands[0].port = 8000;
    ngx_str_set(&cands[1].address, "2001:db8::1");
    cands[1].port = 8000;

    answer.sess_id = 0x7fffffffffffffffULL;
    answer.sess_version = 1;
    answer.ice_lite = 1;
    answer.end_of_candidates = 1;
    answer.setup = NGX_WEBRTC_SDP_SETUP_PASSIVE;
    ngx_str_set(&answer.ufrag, "ufra");
    ngx_str_set(&answer.pwd, "1234567890123456789012");
    ngx_str_set(&answer.fingerprint, "sha-256 " FP);
    ngx_str_set(&answer.cname, "c");
    ngx_str_set(&answer.stream_id, "cam1");
    answer.candidates = cands;
    answer.ncandidates = 2;
    answer.nmedia = 2;

    m = &answer.media[0];
    m->rejected = 1;
    m->bundled = 1;
    ngx_str_set(&m->type, "audio");
    ngx_str_set(&m->proto, "UDP/TLS/RTP/SAVPF");
    ngx_str_set(&m->fmt, "0");
    ngx_str_set(&m->mid, "a");

    m = &answer.media[1];
    m->bundled = 1;
    m->rtcp_rsize = 1;
    m->direction = NGX_WEBRTC_SDP_SENDONLY;
    ngx_str_set(&m->type, "video");
    ngx_str_set(&m->proto, "UDP/TLS/RTP/SAVPF");
    ngx_str_set(&m->mid, "v");
    ngx_str_set(&m->codecs[0].name, "H264");
    ngx_str_set(&m->codecs[0].fmtp, "packetization-mode=1");
    m->codecs[0].clock_rate = 90000;
    m->codecs[0].pt = 102;
    m->codecs[0].rtx_pt = 103;
    m->codecs[0].fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI;
    m->ncodecs = 1;
    m->nexts = 1;
    m->exts[0].id = 9;
    ngx_str_set(&m->exts[0].uri, "urn:ietf:params:rtp-hdrext:sdes:mid");
    m->ssrc = 0xffffffff;
    m->rtx_ssrc = 7;
    ngx_str_set(&m->track_id, "video");

    p = ngx_webrtc_sdp_print(buf, buf + sizeof(buf), &answer);
    size = p ? (size_t) (p - buf) : 0;

    tap_is_mem(buf, size, want, sizeof(want) - 1, "print");

    for (n = 0; n <= size; n++) {
        if (ngx_webrtc_sdp_print(buf, buf + n, &answer) != NULL) {
            break;
        }
    }

    tap_is_int(n, size + 1, "print: no room is NULL at every length");

    (void) ngx_webrtc_sdp_print(buf, buf + sizeof(buf), &answer);

    tap_ok(ngx_webrtc_sdp_parse(buf, buf + size, &sdp, &err) == NGX_OK
           && sdp.nmedia == 2 && sdp.media[0].rejected && sdp.ice_lite
           && sdp.ncandidates == 2 && sdp.candidates[1].mline == 1
           && sdp.end_of_candidates
           && sdp.media[1].fids[0].ssrc == 0xffffffff
           && sdp.media[1].codecs[1].apt == 102
           && sdp.media[1].direction == NGX_WEBRTC_SDP_SENDONLY,
           "print: parses back");
}


int
main(void)
{
    test_offers();
    test_refused();
    test_accepted();
    test_limits();
    test_candidate();
    test_fmtp();
    test_fingerprint();
    test_print();

    return tap_done();
}
