
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_sdpfrag: fragments as in RFC 8840, 9 and RFC 9725, 4.3, and as
 * clients are known to write them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdpfrag.h>

#include "tap.h"


#define UFRAG  "a=ice-ufrag:EsAw\r\n"
#define PWD    "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"

#define CAND   "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ " \
               "host generation 0 ufrag EsAw network-id 1\r\n"
#define CAND2  "a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 "  \
               "typ srflx raddr 192.0.2.1 rport 61764\r\n"

#define TRICKLE  NGX_WEBRTC_SDPFRAG_TRICKLE
#define RESTART  NGX_WEBRTC_SDPFRAG_RESTART


static ngx_webrtc_sdpfrag_t    frag;
static ngx_webrtc_sdp_error_t  err;
static ngx_webrtc_desc_t       desc;


static ngx_int_t
parse(const char *text)
{
    ngx_memset(&frag, 0xa5, sizeof(frag));
    ngx_memzero(&err, sizeof(err));

    return ngx_webrtc_sdpfrag_parse((u_char *) text,
                                    (u_char *) text + strlen(text), &frag,
                                    &err);
}


static ngx_uint_t
is(const ngx_str_t *got, const char *want)
{
    return got->len == strlen(want)
           && (got->len == 0 || ngx_memcmp(got->data, want, got->len) == 0);
}


static void
test_parse(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        const char  *text;
        ngx_uint_t   ncandidates;
        ngx_uint_t   nmedia;
        ngx_uint_t   end;
        ngx_uint_t   mline;              /* of the last candidate */
        const char  *mid;                /* of the last m-line */
        const char  *ufrag;
        const char  *pwd;
    } rows[] = {
        { "RFC 8840, 9",
          UFRAG PWD "m=audio 9 RTP/AVP 0\r\na=mid:foo\r\n" CAND CAND2
          "a=end-of-candidates\r\n",
          2, 1, 1, 0, "foo", "EsAw", "P2uYro0UCOQ4zxjKXaWCBui1" },
        { "RFC 9725, 4.3.3",
          "a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\n"
          "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" UFRAG PWD CAND
          CAND2 "a=end-of-candidates\r\n",
          2, 1, 1, 0, "0", "EsAw", "P2uYro0UCOQ4zxjKXaWCBui1" },
        { "two m-lines with the same credentials",
          "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n" UFRAG PWD CAND
          "m=video 9 RTP/AVP 0\r\na=mid:1\r\n" UFRAG PWD CAND2,
          2, 2, 0, 1, "1", "EsAw", "P2uYro0UCOQ4zxjKXaWCBui1" },
        { "the end of candidates alone",
          UFRAG PWD "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
          "a=end-of-candidates\r\n",
          0, 1, 1, 0, "0", "EsAw", "P2uYro0UCOQ4zxjKXaWCBui1" },
        { "the end of candidates of the session",
          UFRAG PWD "a=end-of-candidates\r\n",
          0, 0, 1, 0, "", "EsAw", "P2uYro0UCOQ4zxjKXaWCBui1" },
        { "LF, no last line end", "a=ice-ufrag:EsAw\na=mid:v\n"
          "a=candidate:1 1 UDP 1 192.0.2.1 9 typ host",
          1, 1, 0, 0, "v", "EsAw", "" },
        { "mids without m-lines",
          "a=mid:0\r\n" CAND "a=mid:1\r\n" CAND2, 2, 2, 0, 1, "1", "", "" },
        { "a candidate in front of all", CAND, 1, 0, 0,
          NGX_WEBRTC_SDPFRAG_NO_MLINE, "", "", "" },
        { "candidates that aren't understood",
          "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
          "a=candidate:1 1 sctp 1 192.0.2.1 9 typ host\r\n"
          "a=candidate:1 1 udp 1 192.0.2.1 9 typ other\r\n"
          "a=candidate:nonsense\r\na=candidate:\r\n" CAND,
          1, 1, 0, 0, "0", "", "" },
        { "a name and a TCP candidate",
          "a=mid:0\r\na=candidate:1 1 udp 1 4f3a.local 9 typ host\r\n"
          "a=candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active\r\n",
          2, 1, 0, 0, "0", "", "" },
        { "unknown lines",
          "v=0\r\ns=-\r\nx=y\r\na=\r\na=unknown\r\na=unknown:1\r\n"
          "A=b\r\na=Mid:7\r\na=mid:0\r\n", 0, 1, 0, 0, "0", "", "" },
        { "an m-line without formats", "m=audio\r\na=mid:0\r\n",
          0, 1, 0, 0, "0", "", "" },
        { "nothing", "", 0, 0, 0, 0, "", "", "" },
        { "an empty line", "\r\n", 0, 0, 0, 0, "", "", "" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        if (parse(rows[i].text) != NGX_OK) {
            tap_fail("parse: %s: %s", rows[i].name, err.cause);
            continue;
        }

        tap_ok(frag.ncandidates == rows[i].ncandidates
               && frag.nmedia == rows[i].nmedia
               && frag.end_of_candidates == rows[i].end
               && (frag.ncandidates == 0
                   || frag.candidates[frag.ncandidates - 1].mline
                      == rows[i].mline)
               && (frag.nmedia == 0
                   || is(&frag.media[frag.nmedia - 1].mid, rows[i].mid))
               && is(&frag.ufrag, rows[i].ufrag)
               && is(&frag.pwd, rows[i].pwd), "parse: %s", rows[i].name);
    }

    (void) parse(rows[0].text);

    tap_ok(is(&frag.media[0].type, "audio")
           && frag.media[0].end_of_candidates
           && is(&frag.candidates[0].address, "192.0.2.1")
           && frag.candidates[0].port == 61764
           && frag.candidates[1].type == NGX_WEBRTC_SDP_SRFLX
           && frag.candidates[1].rport == 61764, "parse: the candidates");
}


static void
test_refused(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        const char  *cause;              /* part of it */
        ngx_uint_t   line;
    } rows[] = {
        { "{\"candidate\":\"\"}", "not of the form", 1 },
        { "a=mid:0\r\nnonsense\r\n", "not of the form", 2 },
        { "a", "not of the form", 1 },
        { "a=mid:0\r\na=x\x01y\r\n", "control character", 2 },
        { "m=\r\n", "m-line is malformed", 1 },
        { "a=mid:\r\n", "mid is malformed", 1 },
        { "a=mid:a b\r\n", "mid is malformed", 1 },
        { "a=mid:01234567890123456789012345678901"
          "012345678901234567890123456789012\r\n", "mid is too long",
          1 },
        { "a=ice-ufrag:abc\r\n", "ice-ufrag is malformed", 1 },
        { "a=ice-ufrag:ab:cd\r\n", "ice-ufrag is malformed", 1 },
        { "a=ice-ufrag\r\n", "ice-ufrag is malformed", 1 },
        { "a=ice-pwd:short\r\n", "ice-pwd is malformed", 1 },
        { "m=audio 9 x\r\n" UFRAG "m=video 9 x\r\na=ice-ufrag:Othe\r\n",
          "several ice-ufrags", 4 },
        { PWD "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui2\r\n", "several ice-pwds",
          2 },
        { "m=a\nm=b\nm=c\nm=d\nm=e\nm=f\nm=g\nm=h\nm=i\nm=j\nm=k\nm=l\nm=m\n"
          "m=n\nm=o\nm=p\nm=q\n", "too many m-lines", 17 },
        { "m=a\nm=b\nm=c\nm=d\nm=e\nm=f\nm=g\nm=h\nm=i\nm=j\nm=k\nm=l\nm=m\n"
          "m=n\nm=o\nm=p\na=mid:0\na=mid:1\n", "too many m-lines", 18 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_ok(parse(rows[i].text) == NGX_DECLINED
               && strstr(err.cause, rows[i].cause) != NULL
               && err.line == rows[i].line,
               "refused %d: %s (line %d)", (int) i,
               err.cause ? err.cause : "accepted", (int) err.line);
    }
}


static void
test_limits(void)
{
    char        text[NGX_WEBRTC_SDP_CANDIDATES * 2 * sizeof(CAND)];
    ngx_uint_t  i;

    text[0] = '\0';

    for (i = 0; i < NGX_WEBRTC_SDP_CANDIDATES + 8; i++) {
        strcat(text, CAND);
    }

    tap_ok(parse(text) == NGX_OK
           && frag.ncandidates == NGX_WEBRTC_SDP_CANDIDATES,
           "candidates over the limit are left out");
}


static void
set_desc(void)
{
    ngx_webrtc_desc_media_t  *m;

    ngx_memzero(&desc, sizeof(desc));

    desc.nmedia = 2;

    m = &desc.media[0];
    m->kind = NGX_WEBRTC_SDP_AUDIO;
    m->pt = 111;
    m->mid_len = 1;
    m->mid[0] = '0';

    m = &desc.media[1];
    m->kind = NGX_WEBRTC_SDP_VIDEO;
    m->pt = 96;
    m->mid_len = 5;
    ngx_memcpy(m->mid, "video", 5);

    desc.remote_ufrag_len = 4;
    ngx_memcpy(desc.remote_ufrag, "EsAw", 4);
    desc.remote_pwd_len = 24;
    ngx_memcpy(desc.remote_pwd, "P2uYro0UCOQ4zxjKXaWCBui1", 24);
}


static void
test_classify(void)
{
    ngx_int_t   rc;
    ngx_uint_t  i, kind;

    static const struct {
        const char  *name;
        const char  *text;
        ngx_uint_t   kind;               /* 0: refused */
        const char  *cause;
    } rows[] = {
        { "same credentials", UFRAG PWD "a=mid:0\r\n" CAND, TRICKLE, NULL },
        { "the same ufrag alone", UFRAG CAND, TRICKLE, NULL },
        { "the same pwd alone", PWD CAND, TRICKLE, NULL },
        { "no credentials", "a=mid:0\r\n" CAND, TRICKLE, NULL },
        { "nothing", "", TRICKLE, NULL },
        { "an m-line that the session hasn't",
          UFRAG PWD "m=application 9 x\r\na=mid:7\r\n" CAND, TRICKLE, NULL },
        { "both are new", "a=ice-ufrag:ysXw\r\n"
          "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n" CAND, RESTART, NULL },
        { "both are new, in an m-line", "m=audio 9 x\r\na=mid:0\r\n"
          "a=ice-ufrag:EsAwx\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n",
          RESTART, NULL },
        { "a new ufrag alone", "a=ice-ufrag:ysXw\r\n", 0,
          "a new ice-ufrag without an ice-pwd" },
        { "a new ufrag, the old pwd", "a=ice-ufrag:ysXw\r\n" PWD, 0,
          "a new ice-ufrag with the old ice-pwd" },
        { "a new pwd, the old ufrag",
          UFRAG "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n", 0,
          "does not belong" },
        { "a new pwd alone", "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n", 0,
          "an ice-pwd without an ice-ufrag" },
        { "a shorter ufrag", "a=ice-ufrag:EsAv\r\n" PWD, 0,
          "with the old ice-pwd" }
    };

    set_desc();

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        tap_is_int(parse(rows[i].text), NGX_OK, "classify: %s", rows[i].name);

        kind = 99;
        rc = ngx_webrtc_sdpfrag_classify(&frag, &desc, &kind, &err);

        if (rows[i].kind == 0) {
            tap_ok(rc == NGX_DECLINED
                   && strstr(err.cause, rows[i].cause) != NULL
                   && err.line == 0 && err.mline == -1,
                   "is refused: %s", err.cause);

        } else {
            tap_ok(rc == NGX_OK && kind == rows[i].kind, "is of kind %d",
                   (int) kind);
        }
    }

    desc.remote_ufrag_len = 0;
    desc.remote_pwd_len = 0;

    (void) parse(UFRAG PWD);

    tap_ok(ngx_webrtc_sdpfrag_classify(&frag, &desc, &kind, &err)
           == NGX_DECLINED && strstr(err.cause, "counter-offer") != NULL,
           "nothing to restart before the answer to a counter-offer");
}


static void
test_print(void)
{
    u_char                       *p;
    size_t                        n, size;
    ngx_uint_t                    kind;
    static u_char                 buf[NGX_WEBRTC_SDPFRAG_ROOM
                                      + 2 * NGX_WEBRTC_SDPFRAG_CANDIDATE];
    ngx_webrtc_sdp_candidate_t    cands[2];
    ngx_webrtc_sdpfrag_answer_t   answer;

    static const char  want[] =
        "a=ice-lite\r\n"
        "a=group:BUNDLE 0 video\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
        "a=mid:0\r\n"
        "a=ice-ufrag:289b31b754eaa438\r\n"
        "a=ice-pwd:0b66f472495ef0ccac7bda653ab6be49\r\n"
        "a=candidate:1 1 udp 2130706431 198.51.100.1 39132 typ host\r\n"
        "a=candidate:2 1 udp 2130706175 2001:db8::1 39132 typ host\r\n"
        "a=end-of-candidates\r\n";

    set_desc();

    ngx_memzero(&answer, sizeof(answer));
    ngx_memzero(cands, sizeof(cands));

    ngx_str_set(&cands[0].address, "198.51.100.1");
    cands[0].port = 39132;
    ngx_str_set(&cands[1].address, "2001:db8::1");
    cands[1].port = 39132;

    answer.ice_lite = 1;
    answer.end_of_candidates = 1;
    ngx_str_set(&answer.ufrag, "289b31b754eaa438");
    ngx_str_set(&answer.pwd, "0b66f472495ef0ccac7bda653ab6be49");
    answer.candidates = cands;
    answer.ncandidates = 2;

    p = ngx_webrtc_sdpfrag_print(buf, buf + sizeof(buf), &desc, &answer);
    size = p ? (size_t) (p - buf) : 0;

    tap_is_mem(buf, size, want, sizeof(want) - 1, "print");

    for (n = 0; n <= size; n++) {
        if (ngx_webrtc_sdpfrag_print(buf, buf + n, &desc, &answer) != NULL) {
            break;
        }
    }

    tap_is_int(n, size + 1, "print: no room is NULL at every length");

    (void) ngx_webrtc_sdpfrag_print(buf, buf + sizeof(buf), &desc, &answer);

    tap_ok(ngx_webrtc_sdpfrag_parse(buf, buf + size, &frag, &err) == NGX_OK
           && frag.ice_lite && frag.end_of_candidates
           && frag.ncandidates == 2 && frag.nmedia == 1
           && is(&frag.ufrag, "289b31b754eaa438")
           && is(&frag.media[0].mid, "0")
           && ngx_webrtc_sdpfrag_classify(&frag, &desc, &kind, &err) == NGX_OK
           && kind == RESTART, "print: parses back");

    /* the tagged m-line is the first accepted one, here without a mid */

    desc.nmedia = 1;
    desc.media[0] = desc.media[1];
    desc.media[0].mid_len = 0;
    answer.ice_lite = 0;
    answer.ncandidates = 0;
    answer.end_of_candidates = 0;

    p = ngx_webrtc_sdpfrag_print(buf, buf + sizeof(buf), &desc, &answer);

    tap_is_mem(buf, p ? (size_t) (p - buf) : 0,
               "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
               "a=ice-ufrag:289b31b754eaa438\r\n"
               "a=ice-pwd:0b66f472495ef0ccac7bda653ab6be49\r\n", 106,
               "print: without BUNDLE");
}


int
main(void)
{
    test_parse();
    test_refused();
    test_limits();
    test_classify();
    test_print();

    return tap_done();
}
