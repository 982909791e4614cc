
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTSP for publishers: requests, tracks, frames, limits.  What the engine tells
 * is written down as text, and is the same however the bytes are cut.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include "tap.h"
#include "ngx_webrtc_rtsp_server.h"


#define SAID  16384


static char                      said[SAID];      /* what was told, */
static char                      sent[SAID];      /* and answered */
static int                       wants;           /* the answer's status */
static int                       full;            /* media() takes one */
static ngx_webrtc_rtsp_server_t  s;


#define ANNOUNCE(url, sdp)                                                    \
    "ANNOUNCE " url " RTSP/1.0\r\nCSeq: 2\r\nUser-Agent: t\r\n"               \
    "Content-Type: application/sdp\r\nContent-Length: 000\r\n\r\n" sdp

#define SETUP(url, transport)                                                 \
    "SETUP " url " RTSP/1.0\r\nCSeq: 3\r\nTransport: " transport "\r\n\r\n"

#define RECORD                                                                \
    "RECORD rtsp://h/live/cam RTSP/1.0\r\nCSeq: 4\r\n"                        \
    "Session: 0123456789ABCDEF\r\n\r\n"

#define TCP    "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record"
#define OK(n)  "RTSP/1.0 200 OK\r\nCSeq: " #n "\r\n"
#define IN     "Session: 0123456789ABCDEF;timeout=10\r\n"
#define PUBLIC                                                                \
    "OPTIONS, ANNOUNCE, SETUP, RECORD, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
#define TRANSPORT(c)                                                          \
    "Transport: RTP/AVP/TCP;unicast;interleaved=" c ";mode=record\r\n"
#define HEAD                                                                  \
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"        \
    "t=0 0\r\n"

#define VIDEO  "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"    \
               "a=control:streamid=0\r\n"
#define BOTH   VIDEO "m=audio 0 RTP/AVP 97\r\n"                               \
               "a=rtpmap:97 MPEG4-GENERIC/48000/2\r\n"                        \
               "a=fmtp:97 mode=AAC-hbr; config=1190\r\n"                      \
               "a=control:streamid=1\r\n"


static void
say(const char *fmt, ...)
{
    size_t   n;
    va_list  args;

    n = strlen(said);

    va_start(args, fmt);
    (void) vsnprintf(said + n, SAID - n, fmt, args);
    va_end(args);
}


static void
drain(void)
{
    size_t  n;

    n = strlen(sent);

    (void) snprintf(sent + n, SAID - n, "%.*s", (int) s.nout, s.out);
    s.nout = 0;
}


static void
on_announce(void *ctx, const ngx_webrtc_rtsp_message_t *m)
{
    ngx_str_t  uri, host, path;

    (void) ctx;

    uri = m->uri;
    ngx_webrtc_rtsp_message_url(&uri, &host, &path);

    say("announce %.*s %.*s %.*s %.*s\n", (int) host.len, host.data,
        (int) path.len, path.data, (int) m->agent.len, m->agent.data,
        (int) m->authorization.len, m->authorization.data);
}


static void
on_record(void *ctx, u_char *sdp, size_t len)
{
    (void) ctx;

    say("record\n%.*s", (int) len, sdp);
}


static ngx_int_t
on_media(void *ctx, u_char *p, size_t len)
{
    (void) ctx;

    say("media %02x%02x %u %zu\n", p[0], p[1],
        p[1] == 200 ? p[7] : p[11], len);

    return full ? NGX_AGAIN : NGX_OK;
}


static ngx_int_t
on_ports(void *ctx, ngx_uint_t track, ngx_uint_t from, in_port_t *port)
{
    (void) ctx;
    (void) from;

    *port = (in_port_t) (7000 + 2 * track);

    return full ? NGX_DECLINED : NGX_OK;
}


static u_char *
on_grow(void *ctx, u_char *old, size_t size)
{
    (void) ctx;

    if (size == 0) {
        free(old);
        return NULL;
    }

    return realloc(old, size);
}


static const ngx_webrtc_rtsp_server_ops_t  ops = {
    on_announce, on_record, on_media, on_ports, on_grow
};


static void
answer(void)
{
    ngx_str_t  why = ngx_string("taken by\nanother");
    ngx_str_t  fields = ngx_string("WWW-Authenticate: Basic realm=\"x\"\r\n");

    if (s.state != NGX_WEBRTC_RTSP_SERVER_ASKED) {
        return;
    }

    if (wants == 200) {
        ngx_webrtc_rtsp_server_accept(&s);

    } else if (wants == 401) {
        (void) ngx_webrtc_rtsp_server_again(&s, &fields);

    } else {
        ngx_webrtc_rtsp_server_refuse(&s, wants, &why);
    }
}


/* "~" separates requests, so that the length of a body is known, and is left
 * out */

static char *
lengths(const char *text, size_t *len)
{
    char    *t, *p;
    size_t   i, n;

    t = malloc(*len + 1);
    memcpy(t, text, *len);
    t[*len] = '\0';

    for (p = t; (p = strstr(p, "Content-Length: 000")); p++) {
        n = strcspn(strstr(p, "\r\n\r\n") + 4, "~");
        p[16] = '0' + n / 100;
        p[17] = '0' + n / 10 % 10;
        p[18] = '0' + n % 10;
    }

    for (i = n = 0; i < *len; i++) {
        if (t[i] != '~') {
            t[n++] = t[i];
        }
    }

    *len = n;

    return t;
}


/* from the beginning, in pieces */

static ngx_int_t
feed(const char *text, size_t len, size_t piece)
{
    u_char     *copy, *p, *end;
    ngx_int_t   rc;

    copy = malloc(len + 1);
    memcpy(copy, text, len);

    ngx_webrtc_rtsp_server_free(&s);
    memset(&s, 0, sizeof(s));
    memcpy(s.session, "0123456789ABCDEF", sizeof(s.session));
    s.timeout = 10;
    s.max_sdp = 900;
    ngx_webrtc_rtsp_server_init(&s, &ops, NULL);

    said[0] = '\0';
    sent[0] = '\0';
    rc = NGX_OK;

    for (p = copy; p < copy + len && (rc == NGX_OK || rc == NGX_AGAIN);
         /* void */ )
    {
        end = (size_t) (copy + len - p) > piece ? p + piece : copy + len;

        rc = ngx_webrtc_rtsp_server_read(&s, &p, end);

        drain();
        answer();
        drain();
    }

    if (rc != NGX_DECLINED && s.state == NGX_WEBRTC_RTSP_SERVER_OVER) {
        rc = NGX_DONE;
    }

    free(copy);

    return rc;
}


static void
check(const char *text, size_t len, ngx_int_t want, const char *told,
    const char *answered, const char *name)
{
    char       *t;
    size_t      i;
    ngx_int_t   rc;

    static const size_t  pieces[] = { 65536, 1, 7, 100 };

    t = lengths(text, &len);

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {

        rc = feed(t, len, pieces[i]);

        if (rc != want || strcmp(said, told) != 0
            || strcmp(sent, answered) != 0)
        {
            tap_ok(0, "%s, in pieces of %zu: %d", name, pieces[i], (int) rc);
            tap_diag("%s%s", said, sent);
            free(t);
            return;
        }
    }

    tap_ok(1, "%s", name);

    free(t);
}


#define CHECK(text, want, told, answered, name)                               \
    check(text, sizeof(text) - 1, want, told, answered, name)


static void
test_dialogue(void)
{
    wants = 200;

    CHECK("OPTIONS rtsp://h/live/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n~"
          ANNOUNCE("rtsp://u@h:8554/live/cam?a=b", BOTH) "~"
          SETUP("rtsp://h:8554/live/cam?a=b/streamid=0", TCP) "~"
          SETUP("rtsp://h/live/cam?a=b/streamid=1",
                "RTP/AVP/TCP;unicast;interleaved=2-3") "~"
          RECORD
          "$\000\000\015\200\340\000\001\000\000\000\001\011\011\011\011x"
          "$\002\000\015\200\141\000\001\000\000\000\001\011\011\011\011x"
          "\r\n"
          "GET_PARAMETER * RTSP/1.0\r\nCSeq: 5\r\n\r\n"
          "$\001\000\034\201\310\000\006\011\011\011\0111234567812345678abcd"
          "$\003\000\010\200\311\000\001\011\011\011\011"
          "$\002\000\015\200\142\000\001\000\000\000\001\011\011\011\011x"
          "$\007\000\001x$\000\000\000"
          "TEARDOWN rtsp://h/live/cam RTSP/1.0\nCSeq: 6\n\n",
          NGX_DONE,
          "announce h:8554 /live/cam?a=b t \n"
          "record\n" HEAD
          "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=ssrc:1\r\n"
          "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\n"
          "a=fmtp:97 mode=AAC-hbr; config=1190\r\na=ssrc:2\r\n"
          "media 80e0 1 13\n"
          "media 8061 2 13\n"
          "media 80c8 1 28\n",
          OK(1) "Public: " PUBLIC "\r\n\r\n"
          OK(2) IN "\r\n"
          OK(3) IN TRANSPORT("0-1") "\r\n"
          OK(3) IN TRANSPORT("2-3") "\r\n"
          OK(4) IN "\r\n" OK(5) IN "\r\n" OK(6) IN "\r\n",
          "what FFmpeg says, and more");
}


/* one thing only, whether it is told, answered, or the cause of the end */

static void
one(const char *text, size_t len, ngx_int_t want, const char *has,
    const char *name)
{
    char       *t;
    ngx_int_t   rc;

    t = lengths(text, &len);

    rc = feed(t, len, len);

    if (!tap_ok(rc == want
                && (strstr(said, has) || strstr(sent, has)
                    || (s.cause && strcmp(s.cause, has) == 0)),
                "%s", name))
    {
        tap_diag("%d %s %s %s", (int) rc, said, sent,
                 s.cause ? s.cause : "");
    }

    free(t);
}


#define ONE(text, want, has, name)                                            \
    one(text, sizeof(text) - 1, want, has, name)


static void
test_answers(void)
{
    wants = 409;

    ONE(ANNOUNCE("/live/cam", VIDEO), NGX_DONE,
        "RTSP/1.0 409 taken by?another\r\nCSeq: 2\r\n\r\n", "refused");

    wants = 401;

    ONE(ANNOUNCE("/live/cam", VIDEO), NGX_AGAIN,
        "401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Basic realm=\"x\""
        "\r\n\r\n", "asked who it is");

    ONE("ANNOUNCE / RTSP/1.0\r\nCSeq: 7\r\nAuthorization: Basic eA==\r\n"
        "Content-Length: 000\r\n\r\n" VIDEO, NGX_AGAIN,
        "announce  /  Basic eA==\n", "and says so");

    ONE(ANNOUNCE("/a", VIDEO) "~" ANNOUNCE("/a", VIDEO) "~"
        ANNOUNCE("/a", VIDEO) "~" ANNOUNCE("/a", VIDEO) "~"
        ANNOUNCE("/a", VIDEO), NGX_DONE, "401", "but not for ever");

    wants = 200;

    ONE("OPTIONS * RTSP/1.0\r\n\r\n", NGX_OK,
        "RTSP/1.0 400 Bad Request\r\n\r\n",
        "without CSeq");
    ONE("OPTIONS * RTSP/1.0\r\nCSeq: 12345678901\r\n\r\n", NGX_OK,
        "RTSP/1.0 400 Bad Request\r\n\r\n", "a CSeq that is too long");
    ONE("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n", NGX_OK,
        "400", "a length that is none");
    ONE("OPTIONS *\r\nCSeq: 1\r\n\r\n", NGX_OK, "400", "no version");
    ONE("OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", NGX_OK, "505", "RTSP 2.0");
    ONE("DESCRIBE /a RTSP/1.0\r\nCSeq: 1\r\n\r\n", NGX_OK,
        "405 Method Not Allowed\r\nCSeq: 1\r\nAllow: OPTIONS, ANNOUNCE,",
        "nothing is served");
    ONE("TEAR /a RTSP/1.0\r\nCSeq: 1\r\n\r\n", NGX_OK, "501", "no such method");
    ONE("SETUP /a RTSP/1.0\r\nCSeq: 1\r\n\r\n", NGX_OK, "455",
        "SETUP comes after ANNOUNCE");
    ONE(ANNOUNCE("/a", VIDEO) "~" RECORD, NGX_OK, "455",
        "RECORD comes after SETUP");
    ONE(ANNOUNCE("/a", VIDEO) "~" ANNOUNCE("/a", VIDEO), NGX_OK, "455",
        "one stream is enough");
    ONE("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nRequire: a.b\r\n\r\n", NGX_OK,
        "551 Option Not Supported\r\nCSeq: 1\r\nUnsupported: a.b\r\n",
        "Require");
    ONE(ANNOUNCE("/a", VIDEO)
        "~GET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nSession: 7\r\n\r\n", NGX_OK,
        "454", "a session that is not this one");
    ONE("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nOPTIONS * RTSP/1.0\r\nCSeq: 1\r\n"
        "\r\n", NGX_OK, "Public", "an answer to nothing");
    ONE(ANNOUNCE("/a", "v=0\r\n"), NGX_OK, "415", "no tracks");
    ONE("ANNOUNCE /a RTSP/1.0\r\nCSeq: 1\r\nContent-Type: text/x\r\n"
        "Content-Length: 000\r\n\r\n" VIDEO, NGX_OK, "415", "no SDP");
    ONE("ANNOUNCE /a RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 901\r\n\r\n",
        NGX_DONE, "413", "a body that is too large");
    ONE(ANNOUNCE("/a", BOTH) "~"
        SETUP("/a/streamid=1", "RTP/AVP/UDP;unicast;client_port=5000-5001"),
        NGX_OK, "Transport: RTP/AVP;unicast;client_port=5000-5001;"
        "server_port=7002-7003;mode=record\r\n", "UDP");
    ONE("ANNOUNCE /a RTSP/1.0\r\nCSeq: 7\r\nUser-Agent: Lavf59.27.100\r\n"
        "Content-Length: 000\r\n\r\n" VIDEO "~"
        SETUP("/a/streamid=0", "RTP/AVP;unicast;client_port=5000-5001"),
        NGX_OK, "461", "UDP of FFmpeg, which takes TCP afterwards");
    ONE(ANNOUNCE("/a", VIDEO) "~"
        SETUP("/a/streamid=0", "RTP/AVP;multicast;client_port=5000-5001"),
        NGX_OK, "461", "multicast");
    ONE(ANNOUNCE("/a", VIDEO) "~"
        SETUP("/a/streamid=0", "RTP/AVP;unicast;client_port=65535-65536"),
        NGX_OK, "461", "ports that are none");
    ONE(ANNOUNCE("/a", VIDEO) "~"
        SETUP("/a/streamid=0", "RTP/AVP;unicast;client_port=5000-5001,"
                               "RTP/AVP/TCP;interleaved=8-9"),
        NGX_OK, "interleaved=8-9", "UDP, or TCP");
    ONE(ANNOUNCE("/a", BOTH) "~" SETUP("/a/streamid=1", TCP) "~"
        SETUP("/a/streamid=0", TCP), NGX_OK, "interleaved=2-3",
        "channels that are taken");
    ONE(ANNOUNCE("/a", VIDEO) "~" SETUP("/a/streamid=00", TCP), NGX_OK,
        "404", "no such track");

    /* not RTSP */

    ONE("\026\003\001", NGX_DECLINED, "TLS, as of rtsps", "TLS");
    ONE("\003abc", NGX_DECLINED, "no RTSP", "RTMP");
    ONE("GET / HTTP/1.1\r\nHost: a\r\n\r\n", NGX_DECLINED, "HTTP", "HTTP");

    full = 1;

    ONE(ANNOUNCE("/live/cam", VIDEO) "~"
        SETUP("rtsp://h/live/cam/streamid=0", TCP) "~" RECORD
        "$\000\000\015\200\340\000\001\000\000\000\001\011\011\011\011x"
        "$\000\000\015\200\140\000\001\000\000\000\001\011\011\011\011x",
        NGX_AGAIN, "media 80e0 1 13\nmedia 8060 1 13\n",
        "no more for now, and more later");

    full = 0;
}


/* a track that comes by UDP, and one that does not */

static void
test_datagrams(void)
{
    u_char  rtp[13] = "\200\340\000\001\000\000\000\001\011\011\011\011x";

    wants = 200;

    ONE(ANNOUNCE("/a", BOTH) "~" SETUP("/a/streamid=0", TCP) "~"
        SETUP("/a/streamid=1", "RTP/AVP;unicast;client_port=5000-5001"),
        NGX_OK, "server_port=7002", "one by TCP, one by UDP");

    rtp[1] = 97;
    said[0] = '\0';
    ngx_webrtc_rtsp_server_datagram(&s, 1, 0, rtp, sizeof(rtp));
    tap_ok(said[0] == '\0', "nothing is taken before RECORD");

    s.state = NGX_WEBRTC_RTSP_SERVER_RECORDS;
    ngx_webrtc_rtsp_server_datagram(&s, 0, 0, rtp, sizeof(rtp));
    ngx_webrtc_rtsp_server_datagram(&s, 2, 0, rtp, sizeof(rtp));
    ngx_webrtc_rtsp_server_datagram(&s, 1, 1, rtp, sizeof(rtp));
    tap_ok(said[0] == '\0', "nor of another track, or as RTCP");

    ngx_webrtc_rtsp_server_datagram(&s, 1, 0, rtp, sizeof(rtp));
    tap_ok(strcmp(said, "media 8061 2 13\n") == 0, "a datagram");
}


static void
test_limits(void)
{
    u_char     *p, *end;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static u_char  large[NGX_WEBRTC_RTSP_HEAD + 1];

    memset(large, 'A', sizeof(large));

    (void) feed("", 0, 1);

    p = large;
    rc = ngx_webrtc_rtsp_server_read(&s, &p, large + sizeof(large));

    tap_ok(rc == NGX_DECLINED && s.cause
           && strcmp(s.cause, "a request that is too large") == 0,
           "a header without end");

    (void) feed("", 0, 1);

    for (i = 0, rc = NGX_OK; i < 1000 && rc == NGX_OK; i++) {
        memcpy(large, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", 32);
        p = large;
        end = large + 31;
        rc = ngx_webrtc_rtsp_server_read(&s, &p, end);
    }

    tap_ok(rc == NGX_DECLINED && s.cause
           && strcmp(s.cause, "answers that are not read") == 0,
           "answers that are not read");
}


static const struct {
    const char  *sdp;
    const char  *uri;
    int          track;          /* -1: none, -2: no description */
    const char  *written;        /* behind the head; NULL: not looked at */
    const char  *name;
} sdps[] = {
    { "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n", "/live/cam", 0,
      "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=ssrc:1\r\n",
      "without a control URL" },
    { "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:*\n",
      "rtsp://h/live/cam", 0, NULL, "of the whole" },
    { "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
      "a=control:rtsp://a:1/live/cam/trackID=1\n",
      "rtsp://b/live/cam/trackID=1", 0, NULL, "absolute" },
    { "m=audio 0 RTP/AVP 8\na=control:a\nm=video 0 RTP/AVP 96\n"
      "a=rtpmap:96 H265/90000\na=control:v\n", "rtsp://b/x/v?token=a/a", 0,
      NULL, "the longer way to say it wins" },
    { "m=audio 0 RTP/AVP 8\na=control:a\nm=video 0 RTP/AVP 96\n"
      "a=rtpmap:96 H265/90000\na=control:v\n", "rtsp://b/x/v?token=b", 1,
      "m=video 0 RTP/AVP 97\r\na=rtpmap:97 H265/90000\r\na=ssrc:2\r\n",
      "before a query" },
    { "m=audio 0 RTP/AVP 0 8\na=control:trackID=1\n", "/x/trackID=1", 0,
      "m=audio 0 RTP/AVP 0\r\na=ssrc:1\r\n", "a type without a name" },
    { "m=audio 0 RTP/AVP 0\nm=audio 0 RTP/AVP 0\na=control:b\n", "/x/b", 1, "",
      "which only one may have" },
    { "m=video 0 RTP/AVP 96\na=rtpmap:96 VP8/1\nm=audio 0 RTP/AVP 96\n"
      "a=rtpmap:96 opus/2\na=fmtp:96 c=d\na=control:b\n", "/x/b", 1,
      "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 opus/2\r\na=fmtp:97 c=d\r\n"
      "a=ssrc:2\r\n", "the same type twice" },
    { "m=application 0 RTP/AVP 98\na=rtpmap:98 vnd.onvif.metadata/90000\n"
      "a=control:m\nm=video 0 RTP/AVP 26\na=control:v\n", "/x/m", 0, "",
      "metadata is nothing to us" },
    { "m=video 0 RTP/AVP 33\n", "/x", -2, NULL, "MPEG-TS" },
    { "m=video 0 RTP/AVP 96\na=rtpmap:96 MP2T/90000\n", "/x", -2, NULL,
      "and by its name" },
    { "m=video 0 RTP/AVP 96\na=rtpmap:96 MP2T /90000\n", "/x", -2, NULL,
      "with a blank behind it" },
    { "m=video 0 RTP/AVP 96\na=rtpmap:96 X-QT/600\n", "/x", -2, NULL,
      "what nobody needs" },
    { "m=video 0 RTP/AVP 96\na=rtpmap:96 H264X/90000\n", "/x", -2, NULL,
      "a name that begins like one" },
    { "m=video 0 RTP/AVP 127\n", "/x", -2, NULL, "a type that has none" },
    { "m=video 0 RTP/AVP 96\n", "/x", -2, NULL, "no codec" },
    { "m=video 0 RTP/SAVP 96\na=rtpmap:96 H264/90000\n", "/x", -2, NULL,
      "SRTP" },
    { "m=video 0 RTP/AVP x\n", "/x", -2, NULL, "no type" },
    { "m=\nm=video\na=\na=rtpmap\n=\n", "/x", -2, NULL, "nothing" },
    { "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
      "a=fmtp:96 a=\001b\na=fmtp:97 x=y\na=fmtp:96 c\n", "/x", 0,
      "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 c\r\n"
      "a=ssrc:1\r\n", "lines that are not plain, and of others" },
    { "m=audio 0 RTP/AVP 0\nm=audio 0 RTP/AVP 0\nm=audio 0 RTP/AVP 0\n"
      "m=audio 0 RTP/AVP 0\nm=audio 0 RTP/AVP 0\nm=audio 0 RTP/AVP 0\n"
      "m=audio 0 RTP/AVP 0\nm=audio 0 RTP/AVP 0\nm=audio 0 RTP/AVP 0\n", "/x",
      -2, NULL, "too many tracks" }
};


static void
test_sdp(void)
{
    int                       found;
    size_t                    i, n;
    ngx_int_t                 rc;
    ngx_str_t                 sdp, uri;
    ngx_uint_t                ntracks;
    ngx_webrtc_rtsp_track_t  *t, tracks[NGX_WEBRTC_RTSP_TRACKS];
    u_char                    buf[NGX_WEBRTC_RTSP_SDP_MAX];

    for (i = 0; i < sizeof(sdps) / sizeof(sdps[0]); i++) {

        sdp.data = (u_char *) sdps[i].sdp;
        sdp.len = strlen(sdps[i].sdp);
        uri.data = (u_char *) sdps[i].uri;
        uri.len = strlen(sdps[i].uri);

        rc = ngx_webrtc_rtsp_sdp_parse(&sdp, tracks, &ntracks);

        if (rc != NGX_OK) {
            tap_ok(sdps[i].track == -2, "%s", sdps[i].name);
            continue;
        }

        t = ngx_webrtc_rtsp_sdp_find(tracks, ntracks, &uri);
        found = t ? (int) (t - tracks) : -1;

        if (!tap_ok(found == sdps[i].track, "%s", sdps[i].name)) {
            tap_diag("%d", found);
        }

        if (t && sdps[i].written) {
            t->set = 1;
            n = ngx_webrtc_rtsp_sdp_write(buf, tracks, ntracks);

            if (!tap_ok(n == (sdps[i].written[0]
                              ? sizeof(HEAD) - 1 + strlen(sdps[i].written) : 0)
                        && (n == 0 || memcmp(buf + sizeof(HEAD) - 1,
                                             sdps[i].written,
                                             n - (sizeof(HEAD) - 1)) == 0),
                        "%s, written", sdps[i].name))
            {
                tap_diag("%.*s", (int) n, buf);
            }
        }
    }
}


static const struct {
    const char  *transport;
    int          channel;        /* -2: none */
} transports[] = {
    { "", -2 },
    { "RTP/AVP", -2 },
    { "RTP/AVP/UDP;unicast;client_port=1-2", -2 },
    { "RTP/SAVP/TCP;interleaved=0-1", -2 },
    { "RTP/AVP/TCPX;interleaved=0-1", -2 },
    { "rtp/avp/tcp", -1 },
    { "RTP/AVP/TCP;unicast;mode=\"record\"", -1 },
    { "RTP/AVP/TCP;interleaved=", -1 },
    { "RTP/AVP/TCP;interleaved=255-256", -1 },
    { "RTP/AVP/TCP;interleaved=4", 4 },
    { "RTP/AVPF/TCP; interleaved=254-255 ;mode=receive", 254 },
    { "RTP/AVP;unicast;client_port=4-5,RTP/AVP/TCP;interleaved=2-3", 2 }
};


static void
test_transport(void)
{
    size_t     i;
    ngx_int_t  rc, channel;
    ngx_str_t  t;

    for (i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
        t.data = (u_char *) transports[i].transport;
        t.len = strlen(transports[i].transport);
        channel = -3;

        rc = ngx_webrtc_rtsp_message_transport(&t, &channel);

        tap_ok(rc == NGX_OK ? channel == transports[i].channel
                            : transports[i].channel == -2,
               "transport \"%s\"", transports[i].transport);
    }
}


int
main(void)
{
    test_dialogue();
    test_answers();
    test_datagrams();
    test_limits();
    test_sdp();
    test_transport();

    ngx_webrtc_rtsp_server_free(&s);

    return tap_done();
}
