
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Signalling of file sessions: messages in and out (ngx_webrtc_signal*), and
 * offers of DataChannels against their answers (ngx_webrtc_negotiate_data).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_data.h>
#include <ngx_webrtc_signal.h>
#include <ngx_webrtc_signal_json.h>

#include "tap.h"


#define SESSION                                                               \
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

#define TRANSPORT                                                             \
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"                \
    "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"  \
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"

#define DATA(proto)                                                           \
    "m=application 9 " proto " webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"

#define AUDIO                                                                 \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 8\r\nc=IN IP4 0.0.0.0\r\n"               \
    "a=rtpmap:111 opus/48000/2\r\na=mid:a\r\na=rtcp-mux\r\na=recvonly\r\n"


static void
test_parse(void)
{
    ngx_int_t             rc;
    ngx_uint_t            i;
    const char           *cause;
    ngx_webrtc_signal_t   msg;

    static const struct {
        const char  *text;
        ngx_uint_t   type;
        const char  *want;
    } rows[] = {
        { "{\"type\":\"offer\",\"payload\":\"{\\\"sdp\\\":\\\"v=0\\\"}\"}",
          NGX_WEBRTC_SIGNAL_OFFER, "v=0" },
        { "{\"payload\":\"{\\\"sdp\\\":\\\"x\\\"}\",\"type\":\"answer\","
          "\"more\":[1]}", NGX_WEBRTC_SIGNAL_ANSWER, "x" },
        { "{\"type\":\"candidate\",\"payload\":"
          "\"{\\\"candidate\\\":\\\"candidate:1\\\"}\"}",
          NGX_WEBRTC_SIGNAL_CANDIDATE, "candidate:1" },
        { "{\"type\":\"candidate\",\"payload\":\"{\\\"candidate\\\":"
          "\\\"\\\"}\"}", NGX_WEBRTC_SIGNAL_CANDIDATE, "" },
        { "{\"type\":\"candidate-end\"}", NGX_WEBRTC_SIGNAL_CANDIDATE_END,
          "" },
        { " {\"type\":\"bye\",\"payload\":7} ", NGX_WEBRTC_SIGNAL_BYE, "" },

        { "", 0, NULL },
        { "{", 0, NULL },
        { "null", 0, NULL },
        { "[\"offer\"]", 0, NULL },
        { "{\"type\":\"Offer\",\"payload\":\"{}\"}", 0, NULL },
        { "{\"type\":\"offer\\u0000\"}", 0, NULL },
        { "{\"type\":\"offer\",\"payload\":\"{}\"}", 0, NULL },
        { "{\"type\":\"offer\",\"payload\":\"[]\"}", 0, NULL },
        { "{\"type\":\"offer\",\"payload\":\"{\\\"sdp\\\":1}\"}", 0, NULL },
        { "{\"type\":\"candidate\",\"payload\":\"\"}", 0, NULL },
        { "{\"type\":\"bye\",\"type\":\"bye\"}", 0, NULL },
        { "{\"type\":\"bye\"} x", 0, NULL },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cause = NULL;

        rc = ngx_webrtc_signal_parse((u_char *) rows[i].text,
                                     ngx_strlen(rows[i].text), &msg, &cause);

        if (rows[i].want == NULL) {
            tap_ok(rc == NGX_DECLINED && cause != NULL, "refused: %s",
                   rows[i].text);
            continue;
        }

        tap_ok(rc == NGX_OK && msg.type == rows[i].type, "parsed: %s",
               rows[i].text);
        tap_ok(msg.text.len == ngx_strlen(rows[i].want)
               && (msg.text.len == 0
                   || ngx_memcmp(msg.text.data, rows[i].want, msg.text.len)
                      == 0),
               "text: %s", rows[i].want);

        ngx_webrtc_signal_free(&msg);
        ngx_webrtc_signal_free(&msg);
    }
}


static void
test_print(void)
{
    u_char      buf[512], *p;
    size_t      n;
    ngx_str_t   text, mid, ufrag, payload;

    static const char  answer[] =
        "{\"type\":\"answer\",\"sdp\":\"v=0\\r\\na=\\\"\"}";
    static const char  candidate[] =
        "{\"candidate\":\"candidate:1\",\"sdpMid\":\"0\",\"sdpMLineIndex\":2,"
        "\"usernameFragment\":\"uf\"}";
    static const char  event[] =
        "id: 3\nevent: signal\ndata: {\"from\":\"server\",\"type\":\"answer\","
        "\"payload\":\"{\\\"type\\\":\\\"answer\\\",\\\"sdp\\\":\\\"v=0\\\\r"
        "\\\\na=\\\\\\\"\\\"}\",\"ts\":5}\n\n";

    ngx_str_set(&text, "v=0\r\na=\"");

    p = ngx_webrtc_signal_print_answer(buf, buf + sizeof(buf), &text);
    tap_ok(p && p - buf == sizeof(answer) - 1
           && ngx_memcmp(buf, answer, sizeof(answer) - 1) == 0, "answer");

    payload.data = (u_char *) answer;
    payload.len = sizeof(answer) - 1;

    p = ngx_webrtc_signal_print_event(buf, buf + sizeof(buf), 3,
                                      NGX_WEBRTC_SIGNAL_ANSWER, &payload, 5);
    tap_ok(p && p - buf == sizeof(event) - 1
           && ngx_memcmp(buf, event, sizeof(event) - 1) == 0, "event");

    for (n = 0; n < sizeof(event) - 1; n++) {
        if (ngx_webrtc_signal_print_event(buf, buf + n, 3,
                                          NGX_WEBRTC_SIGNAL_ANSWER, &payload,
                                          5))
        {
            break;
        }
    }

    tap_ok(n == sizeof(event) - 1, "no room: NULL");

    ngx_str_set(&text, "candidate:1");
    ngx_str_set(&mid, "0");
    ngx_str_set(&ufrag, "uf");

    p = ngx_webrtc_signal_print_candidate(buf, buf + sizeof(buf), &text, &mid,
                                          2, &ufrag);
    tap_ok(p && p - buf == sizeof(candidate) - 1
           && ngx_memcmp(buf, candidate, sizeof(candidate) - 1) == 0,
           "candidate");

    tap_ok(ngx_webrtc_signal_name(0) == NULL
           && ngx_webrtc_signal_name(6) == NULL, "unknown types");
}


static void
test_negotiate(void)
{
    u_char                          buf[8192], *p;
    ngx_int_t                       rc;
    ngx_uint_t                      i, trickle;
    ngx_webrtc_sdp_t               *sdp, *back;
    ngx_webrtc_desc_t               desc;
    ngx_webrtc_sdp_error_t          err;
    ngx_webrtc_sdp_candidate_t      cand;
    ngx_webrtc_negotiate_cause_t    cause;
    ngx_webrtc_negotiate_policy_t   policy;

    static const struct {
        const char  *sdp;
        ngx_int_t    rc;
        ngx_uint_t   kind;
        ngx_uint_t   mline;
        uint32_t     max;
        ngx_uint_t   port;
        ngx_uint_t   role;
        const char  *text;           /* in the answer */
    } rows[] = {
        { SESSION DATA("UDP/DTLS/SCTP") TRANSPORT "a=setup:actpass\r\n"
          "a=mid:0\r\na=sctp-port:5001\r\na=max-message-size:70000\r\n",
          NGX_OK, 0, 0, 70000, 5001, NGX_WEBRTC_DTLS_SERVER,
          "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" },
        { SESSION DATA("UDP/DTLS/SCTP") TRANSPORT "a=setup:passive\r\n",
          NGX_OK, 0, 0, 65536, 5000, NGX_WEBRTC_DTLS_CLIENT,
          "a=setup:active\r\n" },
        { SESSION DATA("UDP/DTLS/SCTP") TRANSPORT
          "a=max-message-size:0\r\n",
          NGX_OK, 0, 0, 262144, 5000, NGX_WEBRTC_DTLS_SERVER,
          "a=max-message-size:262144\r\n" },
        { SESSION "a=group:BUNDLE a 1\r\n" AUDIO TRANSPORT
          DATA("UDP/DTLS/SCTP") TRANSPORT "a=mid:1\r\n",
          NGX_OK, 0, 1, 65536, 5000, NGX_WEBRTC_DTLS_SERVER,
          "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n" },
        { SESSION "a=group:BUNDLE a 1\r\n" AUDIO TRANSPORT
          DATA("UDP/DTLS/SCTP") "a=mid:1\r\n",
          NGX_OK, 0, 1, 65536, 5000, NGX_WEBRTC_DTLS_SERVER,
          "a=group:BUNDLE 1\r\n" },

        { SESSION AUDIO TRANSPORT, NGX_DECLINED,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, 0, 0, 0, 0, NULL },
        { SESSION DATA("UDP/TLS/BFCP") TRANSPORT, NGX_DECLINED,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, 0, 0, 0, 0, NULL },
        { SESSION DATA("UDP/DTLS/SCTP"), NGX_DECLINED,
          NGX_WEBRTC_NEGOTIATE_BAD, 0, 0, 0, 0, NULL },
        { SESSION DATA("UDP/DTLS/SCTP") TRANSPORT "a=setup:holdconn\r\n",
          NGX_DECLINED, NGX_WEBRTC_NEGOTIATE_BAD, 0, 0, 0, 0, NULL },
        { SESSION "a=ice-lite\r\n" DATA("UDP/DTLS/SCTP") TRANSPORT,
          NGX_DECLINED, NGX_WEBRTC_NEGOTIATE_BAD, 0, 0, 0, 0, NULL },
        { SESSION DATA("UDP/DTLS/SCTP") TRANSPORT
          "a=max-message-size:100\r\n", NGX_DECLINED,
          NGX_WEBRTC_NEGOTIATE_UNSUPPORTED, 0, 0, 0, 0, NULL },
    };

    sdp = malloc(sizeof(ngx_webrtc_sdp_t));
    back = malloc(sizeof(ngx_webrtc_sdp_t));

    if (sdp == NULL || back == NULL) {
        tap_ok(0, "memory");
        return;
    }

    ngx_memzero(&cand, sizeof(ngx_webrtc_sdp_candidate_t));
    ngx_str_set(&cand.address, "127.0.0.1");
    cand.port = 8000;

    ngx_memzero(&policy, sizeof(ngx_webrtc_negotiate_policy_t));
    policy.ice_lite = 1;
    ngx_str_set(&policy.ufrag, "0123456789abcdef");
    ngx_str_set(&policy.pwd, "0123456789abcdef0123456789abcdef");
    ngx_str_set(&policy.fingerprint, "sha-256 00:01:02:03:04:05:06:07:08:09:"
                "0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:"
                "1E:1F");
    policy.candidates = &cand;
    policy.ncandidates = 1;

    for (i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {

        trickle = i % 2;

        p = (u_char *) rows[i / 2].sdp;

        rc = ngx_webrtc_sdp_parse(p, p + ngx_strlen(p), sdp, &err);

        if (rc != NGX_OK) {
            tap_ok(0, "row %d: %s", (int) i / 2, err.cause);
            continue;
        }

        p = buf;
        rc = ngx_webrtc_negotiate_data(sdp, &policy, trickle, &desc, &p,
                                       buf + sizeof(buf) - 1, &cause);

        tap_is_int(rc, rows[i / 2].rc, "row %d, trickle %d", (int) i / 2,
                   (int) trickle);

        if (rc != NGX_OK) {
            tap_is_int(cause.kind, rows[i / 2].kind, "kind: %s", cause.title);
            continue;
        }

        *p = '\0';

        tap_is_int(desc.media[0].mline, rows[i / 2].mline, "m-line");
        tap_is_int(desc.max_message, rows[i / 2].max, "max-message-size");
        tap_is_int(desc.sctp_port, rows[i / 2].port, "sctp-port");
        tap_is_int(desc.dtls_role, rows[i / 2].role, "DTLS role");
        tap_is_int(desc.fingerprint_len, 32, "fingerprint");
        tap_ok(strstr((char *) buf, rows[i / 2].text) != NULL, "has %s",
               rows[i / 2].text);
        tap_is_int(ngx_webrtc_sdp_parse(buf, p, back, &err), NGX_OK,
                   "the answer parses");
        tap_is_int(back->ncandidates, trickle ? 0 : 1, "candidates");
        tap_is_int(back->nmedia, sdp->nmedia, "m-lines");

        p = buf;
        tap_is_int(ngx_webrtc_negotiate_data(sdp, &policy, trickle, &desc, &p,
                                             buf + 200, &cause), NGX_ERROR,
                   "no room");
    }

    free(sdp);
    free(back);
}


int
main(void)
{
    test_parse();
    test_print();
    test_negotiate();

    return tap_done();
}
