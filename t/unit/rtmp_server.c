
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTMP for publishers: handshake, chunks, commands, limits.  What the engine
 * tells is written down as text, and is the same however the bytes are cut.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include "tap.h"
#include "ngx_webrtc_amf0.h"
#include "ngx_webrtc_rtmp_server.h"
#include "ngx_webrtc_uri.h"


#define SAID  4096


/* what the client sends, and what was told */

static u_char   bytes[1 << 20];
static size_t   nbytes;
static u_char   answers[1 << 16];
static size_t   nanswers;
static char     said[SAID];
static int      wants;               /* 1: "publish" is accepted; 0: refused */
static int      knows = 1;           /* the application */
static int      full;                /* media() takes one at a time */

static ngx_webrtc_rtmp_server_t  s;


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


static ngx_int_t
on_connect(void *ctx, ngx_str_t *app, ngx_str_t *url, ngx_str_t *agent)
{
    (void) ctx;

    say("connect %.*s %.*s %.*s\n", (int) app->len, app->data, (int) url->len,
        url->data, (int) agent->len, agent->data);

    return knows ? NGX_OK : NGX_DECLINED;
}


static void
on_publish(void *ctx, ngx_str_t *name)
{
    (void) ctx;

    say("publish %.*s\n", (int) name->len, name->data);
}


static ngx_int_t
on_media(void *ctx, ngx_uint_t type, uint32_t ms, u_char *data, size_t len)
{
    size_t    i;
    unsigned  sum;

    (void) ctx;

    for (i = 0, sum = 0; i < len; i++) {
        sum = sum * 31 + data[i];
    }

    say("%d %u %zu %04x\n", (int) type, (unsigned) ms, len, sum & 0xffff);

    return full ? NGX_AGAIN : NGX_OK;
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


static const ngx_webrtc_rtmp_server_ops_t  ops = {
    on_connect, on_publish, on_media, on_grow
};


/* the client's side: bytes of a message in one chunk stream */

static void
put(const void *p, size_t n)
{
    memcpy(bytes + nbytes, p, n);
    nbytes += n;
}


static void
put_be(uint64_t v, size_t n)
{
    while (n--) {
        bytes[nbytes++] = (u_char) (v >> (8 * n));
    }
}


/* fmt 0, chunks of 128 bytes or as many as was said */

static size_t  chunk = 128;

static void
message(int csid, int type, uint32_t ts, const void *body, size_t len)
{
    size_t  n, i;

    bytes[nbytes++] = (u_char) csid;
    put_be(ts < 0xffffff ? ts : 0xffffff, 3);
    put_be(len, 3);
    put_be(type, 1);
    put("\001\000\000\000", 4);

    if (ts >= 0xffffff) {
        put_be(ts, 4);
    }

    for (i = 0; i < len; i += n) {
        n = len - i < chunk ? len - i : chunk;

        if (i) {
            bytes[nbytes++] = (u_char) (0xc0 | csid);

            if (ts >= 0xffffff) {
                put_be(ts, 4);
            }
        }

        put((u_char *) body + i, n);
    }
}


/* a command: name, number, and AMF 0 as it is */

static void
command(const char *name, int number, const void *rest, size_t n)
{
    u_char     *p, *end;
    u_char      buf[1024];
    ngx_str_t   text;

    text.data = (u_char *) name;
    text.len = strlen(name);
    end = buf + sizeof(buf);

    p = ngx_webrtc_amf0_write_string(buf, end, &text);
    p = ngx_webrtc_amf0_write_number(p, end, number);
    memcpy(p, rest, n);

    message(3, 20, 0, buf, p + n - buf);
}


#define LITERAL(s)  s, sizeof(s) - 1

static void
hello(void)
{
    nbytes = 0;
    chunk = 128;

    bytes[nbytes++] = 3;
    memset(bytes + nbytes, 0x5a, 2 * 1536);
    nbytes += 2 * 1536;
}


static void
connects(void)
{
    command("connect", 1, LITERAL("\003"
            "\000\003app\002\000\004live"
            "\000\004type\002\000\012nonprivate"
            "\000\010flashVer\002\000\003OBS"
            "\000\005tcUrl\002\000\015rtmp://h/live"
            "\000\004caps\000\100\000\000\000\000\000\000\000"
            "\000\000\011"));
}


static void
publishes(void)
{
    hello();
    connects();
    command("releaseStream", 2, LITERAL("\005\002\000\003key"));
    command("FCPublish", 3, LITERAL("\005\002\000\003key"));
    command("createStream", 4, LITERAL("\005"));
    command("publish", 5, LITERAL("\005\002\000\003key\002\000\004live"));
}


/* gives the engine all of it, in pieces; the last result */

static ngx_int_t
feed(size_t piece)
{
    u_char     *p, *end;
    ngx_int_t   rc;
    ngx_str_t   why = ngx_string("no");

    ngx_webrtc_rtmp_server_free(&s);
    memset(&s, 0, sizeof(s));
    said[0] = '\0';
    nanswers = 0;

    ngx_webrtc_rtmp_server_init(&s, &ops, NULL);

    p = bytes;
    rc = NGX_OK;

    while (p < bytes + nbytes) {
        end = p + piece;

        if (end > bytes + nbytes) {
            end = bytes + nbytes;
        }

        do {
            rc = ngx_webrtc_rtmp_server_read(&s, &p, end);

            if (rc == NGX_AGAIN
                && s.state == NGX_WEBRTC_RTMP_SERVER_ASKED)
            {
                if (wants) {
                    ngx_webrtc_rtmp_server_accept(&s);

                } else {
                    ngx_webrtc_rtmp_server_refuse(&s, &why);
                }
            }

            memcpy(answers + nanswers, s.out, s.nout);
            nanswers += s.nout;
            s.nout = 0;

        } while (rc == NGX_AGAIN);

        if (rc != NGX_OK) {
            break;
        }
    }

    return rc;
}


/* the same text whatever the pieces; the result */

static ngx_int_t
told(const char *want, const char *name)
{
    size_t       i;
    ngx_int_t    rc, first;
    const char  *cause;

    static const size_t  pieces[] = { 1 << 20, 1, 7, 1537 };

    first = NGX_OK;
    cause = NULL;

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        rc = feed(pieces[i]);

        if (i == 0) {
            first = rc;
            cause = s.cause;

            if (want) {
                tap_ok(strcmp(said, want) == 0, "%s: %s", name, want);

                if (strcmp(said, want) != 0) {
                    tap_diag("got: %s", said);
                }
            }
        }

        if (rc != first || s.cause != cause
            || (want && strcmp(said, want) != 0))
        {
            tap_ok(0, "%s, in pieces of %zu", name, pieces[i]);
        }
    }

    return first;
}


/* does an answer have the text? */

static int
answered(const char *text)
{
    return memmem(answers, nanswers, text, strlen(text)) != NULL;
}


static void
refused(const char *name, const char *cause)
{
    ngx_int_t  rc;

    rc = told(NULL, name);

    tap_ok(rc == NGX_DECLINED && s.cause && strcmp(s.cause, cause) == 0,
           "%s: %s", name, cause);

    if (rc != NGX_DECLINED || s.cause == NULL
        || strcmp(s.cause, cause) != 0)
    {
        tap_diag("%d %s", (int) rc, s.cause ? s.cause : "-");
    }
}


static void
test_handshake(void)
{
    size_t  i;

    static const struct {
        u_char       c;
        const char  *cause;
    } rows[] = {
        { 6, "encrypted RTMP (rtmpe)" },
        { 0x16, "TLS, as of rtmps" },
        { 'G', "HTTP" },
        { 0, "no RTMP" },
        { 0x80, "no RTMP" },
    };

    hello();
    tap_ok(told("", "handshake") == NGX_OK
           && s.state == NGX_WEBRTC_RTMP_SERVER_NEW, "handshake");

    /* 5.2: S0, S1, and S2, which repeats C1 */

    tap_ok(nanswers == 3073 && answers[0] == 3, "S0, S1 and S2");
    tap_ok(memcmp(answers + 1537, bytes + 1, 1536) == 0, "S2 is C1");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hello();
        bytes[0] = rows[i].c;
        refused("another protocol", rows[i].cause);
    }
}


static void
test_dialogue(void)
{
    wants = 1;
    publishes();
    tap_ok(told("connect live rtmp://h/live OBS\npublish key\n", "publishes")
           == NGX_OK, "a publisher is accepted");
    tap_ok(answered("NetConnection.Connect.Success")
           && answered("NetStream.Publish.Start"), "and told so");

    wants = 0;
    tap_ok(told(NULL, "refused") == NGX_DONE, "a publisher is refused");
    tap_ok(answered("NetStream.Publish.BadName") && answered("no"),
           "and told so");
    wants = 1;

    knows = 0;
    tap_ok(told(NULL, "rejected") == NGX_DONE, "no such application");
    tap_ok(answered("_error")
           && answered("NetConnection.Connect.Rejected"), "and told so");
    knows = 1;

    publishes();
    command("publish", 6, LITERAL("\005\002\000\003two\002\000\004live"));
    refused("one stream per connection", "a second \"publish\"");

    publishes();
    command("FCUnpublish", 6, LITERAL("\005\002\000\003key"));
    command("deleteStream", 7, LITERAL("\005\000\077\360\000\000\000\000\000"
                                       "\000"));
    tap_ok(told(NULL, "unpublish") == NGX_DONE, "it says that it ends");

    hello();
    connects();
    command("deleteStream", 7, LITERAL("\005\000\077\360\000\000\000\000\000"
                                       "\000"));
    command("_checkbw", 8, LITERAL("\005"));
    tap_ok(told(NULL, "nothing to end") == NGX_OK, "commands without effect");

    hello();
    connects();
    command("createStream", 4, LITERAL("\005"));
    command("play", 5, LITERAL("\005\002\000\003key"));
    tap_ok(told(NULL, "play") == NGX_DONE
           && answered("NetStream.Play.Failed"), "there is nothing to play");

    hello();
    command("createStream", 4, LITERAL("\005"));
    refused("before connect", "a command out of order");

    hello();
    connects();
    connects();
    refused("connect twice", "a command out of order");

    hello();
    message(3, 20, 0, LITERAL("\002\000\007connect"));
    refused("no number", "a malformed command");

    hello();
    message(3, 20, 0, LITERAL(""));
    refused("empty", "a malformed command");

    hello();
    command("connect", 1, LITERAL("\003\000\003app\002\000\377live"));
    refused("cut", "a malformed \"connect\"");

    /* AMF 3's command has a byte before it */

    hello();
    nbytes = 1 + 2 * 1536;
    message(3, 17, 0, LITERAL("\000\002\000\007connect\000\077\360\000\000"
                              "\000\000\000\000\003\000\003app\002\000\001x"
                              "\000\000\011"));
    tap_ok(told("connect x  \n", "AMF 3") == NGX_OK, "AMF 3");

    /* 7.1.7: a ping, and what came with it */

    publishes();
    message(2, 4, 0, LITERAL("\000\006ping"));
    tap_ok(told(NULL, "ping") == NGX_OK
           && memmem(answers, nanswers, "\000\007ping", 6), "pong");
}


static void
test_chunks(void)
{
    u_char  body[400];
    size_t  i;

    for (i = 0; i < sizeof(body); i++) {
        body[i] = (u_char) i;
    }

#define BEGIN  "connect live rtmp://h/live OBS\npublish key\n"

    publishes();
    message(4, 8, 10, body, 1);
    message(5, 9, 20, body, 300);
    message(4, 8, 0xffffff, body, 1);
    message(5, 9, 0x12345678, body, 129);
    message(4, 8, 5, body, 0);
    (void) told(BEGIN "8 10 1 0000\n9 20 300 dc96\n8 16777215 1 0000\n"
                "9 305419896 129 8840\n", "times and sizes");

    /* 5.3.1.2: no stream; no length either; nothing */

    publishes();
    message(4, 8, 1000, body, 2);
    put("\104\000\000\012\000\000\002\011ab", 10);
    put("\204\000\000\024cd", 6);
    put("\304ef", 3);
    (void) told(BEGIN "8 1000 2 0001\n9 1010 2 0c21\n9 1030 2 0c61\n"
                "9 1050 2 0ca1\n", "headers that leave out what is known");

    /* 5.3.1.2.4: after an absolute time, that time */

    publishes();
    message(4, 8, 40, body, 1);
    put("\304x", 2);
    (void) told(BEGIN "8 40 1 0000\n8 80 1 0078\n", "nothing after a time");

    /* chunks of two messages take turns */

    publishes();
    put("\004\000\000\001\000\000\202\010\001\000\000\000", 12);
    put(body, 128);
    put("\005\000\000\002\000\000\001\011\001\000\000\000v", 13);
    put("\304ab", 3);
    (void) told(BEGIN "9 2 1 0076\n8 1 130 7c61\n", "interleaved");

    /* a basic header of two bytes, and of three */

    publishes();
    put("\000\000\000\000\001\000\000\001\010\001\000\000\000a", 14);
    put("\001\000\001\000\000\002\000\000\001\010\001\000\000\000b", 15);
    put("\300\000c", 3);
    (void) told(BEGIN "8 1 1 0061\n8 2 1 0062\n8 2 1 0063\n",
                "numbers of chunk streams");

    /* an extended time that is not repeated: the bytes are data */

    publishes();
    chunk = 128;
    put("\004\377\377\377\000\000\204\010\001\000\000\000\001\000\000\000",
        16);
    put(body, 128);
    put("\304abcd", 5);
    (void) told(BEGIN "8 16777216 132 f482\n", "time not repeated");

    /* 5.4.2 */

    publishes();
    put("\004\000\000\001\000\000\202\010\001\000\000\000", 12);
    put(body, 128);
    message(2, 2, 0, LITERAL("\000\000\000\004"));
    message(4, 8, 3, "z", 1);
    (void) told(BEGIN "8 3 1 007a\n", "a message is given up");

    /* 5.4.1 */

    publishes();
    message(2, 1, 0, LITERAL("\000\000\000\001"));
    chunk = 1;
    message(4, 8, 3, "xyz", 3);
    message(2, 1, 0, LITERAL("\000\001\000\000"));
    chunk = 65536;
    message(5, 9, 4, body, 400);
    (void) told(BEGIN "8 3 3 d199\n9 4 400 f0c8\n", "sizes of chunks");
}


static void
test_media(void)
{
    publishes();
    message(4, 18, 0, LITERAL("\002\000\015@setDataFrame\002\000\012onMetaData"
                              "\010\000\000\000\000\000\000\011"));
    message(4, 18, 0, LITERAL("\002\000\012onTextData\005"));
    message(4, 15, 0, LITERAL("\000\002\000\012onMetaData\005"));
    (void) told(BEGIN "18 0 21 07db\n18 0 14 406b\n", "metadata");

    /* 7.1.6: tags as in a file, whose times are relative to the first; what is
     * neither is left out */

    publishes();
    message(4, 22, 1000, LITERAL(
            "\010\000\000\001\000\000\144\000\000\000\000a\000\000\000\014"
            "\022\000\000\001\000\000\145\000\000\000\000x\000\000\000\014"
            "\011\000\000\002\000\000\156\000\000\000\000bc\000\000\000\015"));
    (void) told(BEGIN "22 0 33 7003\n", "aggregate");

    publishes();
    message(4, 22, 1000, LITERAL("\010\000\000\011\000\000\144\000\000\000"
                                 "\000a\000\000\000\014"));
    refused("aggregate, cut", "a malformed aggregate");

    full = 1;
    publishes();
    message(4, 8, 1, "a", 1);
    message(4, 8, 2, "b", 1);
    (void) told(BEGIN "8 1 1 0061\n8 2 1 0062\n", "media, one at a time");
    full = 0;
}


static void
test_limits(void)
{
    size_t  i;
    u_char  big[1];

    hello();
    connects();
    put("\004\000\000\000\001\000\001\010\001\000\000\000", 12);
    refused("65537 bytes before \"publish\"", "a message that is too large");

    publishes();
    put("\004\000\000\000\200\000\001\010\001\000\000\000", 12);
    refused("more than 8 MB", "a message that is too large");

    publishes();

    for (i = 0; i < 20; i++) {
        message(8 + (int) i, 8, 0, "a", 1);
    }

    refused("chunk streams", "too many chunk streams");

    hello();
    put("\304", 1);
    refused("no header before", "a chunk without a header before it");

    publishes();
    message(2, 1, 0, LITERAL("\000\000\000\000"));
    refused("chunks of 0 bytes", "an invalid chunk size");

    publishes();
    message(2, 1, 0, LITERAL("\200\000\000\001"));
    refused("chunks of more than 2 GB", "an invalid chunk size");

    publishes();
    message(2, 5, 0, LITERAL("\000\000\000"));
    refused("short", "a control message that is too short");

    /* what is announced takes nothing, what comes does */

    publishes();
    put("\004\000\000\000\177\377\377\010\001\000\000\000", 12);
    put(big, 0);
    (void) told(BEGIN, "8 MB announced");
    tap_ok(s.chunks.held < 16384, "memory follows what has come");

    /* who does not read what it is sent */

    publishes();
    (void) feed(1 << 20);

    for (i = 0; i < 1000; i++) {
        u_char  ping[] = "\002\000\000\000\000\000\006\004\000\000\000\000"
                         "\000\006ping";
        u_char  *p = ping;

        if (ngx_webrtc_rtmp_server_read(&s, &p, ping + 18) != NGX_OK) {
            break;
        }
    }

    tap_ok(i < 1000 && s.cause
           && strcmp(s.cause, "it does not read what it is sent") == 0,
           "answers that are not read have an end");

    /* 5.4.3 */

    publishes();
    message(2, 5, 0, LITERAL("\000\001\000\000"));

    for (i = 0; i < 400; i++) {
        message(4, 8, (uint32_t) i, bytes, 128);
    }

    (void) feed(4096);

    for (i = 0; i + 12 < nanswers; i++) {
        if (memcmp(answers + i, "\002\000\000\000\000\000\004\003", 8) == 0) {
            break;
        }
    }

    tap_ok(i + 12 < nanswers, "is told how much has come");
}


static void
test_uri(void)
{
    size_t     i;
    u_char    *p;
    u_char     buf[128];
    ngx_str_t  app, name;

    static const struct {
        const char  *app, *name, *uri;
    } rows[] = {
        { "live", "key", "/live/key" },
        { "live/", "/key", "/live/key" },
        { "live", "key?token=a", "/live/key?token=a" },
        { "live?token=a", "key", "/live/key?token=a" },
        { "live?x=1", "key?y=2", "/live/key?x=1&y=2" },
        { "", "key", "/key" },
        { "a/b", "c/d", "/a/b/c/d" },
        { "live", "", NULL },
        { "live", "///", NULL },
        { "live", "?token=a", NULL },
        { "live", "../other", NULL },
        { "live/..", "key", NULL },
        { "live", "a/./b", NULL },
        { "live", "a%2e.b", NULL },
        { "live", "..%2Fother", NULL },
        { "live", "a..b/.c?x=../d", "/live/a..b/.c?x=../d" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        app.data = (u_char *) rows[i].app;
        app.len = strlen(rows[i].app);
        name.data = (u_char *) rows[i].name;
        name.len = strlen(rows[i].name);

        p = ngx_webrtc_uri(buf, &app, &name);

        tap_ok(rows[i].uri ? p && (size_t) (p - buf) == strlen(rows[i].uri)
                             && memcmp(buf, rows[i].uri, p - buf) == 0
                           : p == NULL,
               "\"%s\" and \"%s\"", rows[i].app, rows[i].name);
    }
}


static void
test_amf0(void)
{
    size_t      i, n;
    u_char      deep[64];
    ngx_str_t   text;

    const ngx_webrtc_amf0_want_t  want[] = { { "b", &text } };

    /* all kinds of values, and every beginning of them */

    static const u_char  object[] =
        "\003\000\001a\000\100\000\000\000\000\000\000\000"
        "\000\001b\002\000\002hi\000\001c\001\001\000\001d\005\000\001e\006"
        "\000\001f\010\000\000\000\001\000\001b\002\000\002no\000\000\011"
        "\000\001g\012\000\000\000\002\005\006"
        "\000\001h\013\000\000\000\000\000\000\000\000\000\000"
        "\000\001i\014\000\000\000\001z\000\001j\007\000\001\000\000\011";

    n = sizeof(object) - 1;
    ngx_str_null(&text);

    tap_ok(ngx_webrtc_amf0_read((u_char *) object, (u_char *) object + n, want,
                                1)
           == object + n, "an object");
    tap_ok(text.len == 2 && memcmp(text.data, "hi", 2) == 0,
           "and what is wanted of it, not of one in it");

    for (i = 0; i < n; i++) {
        u_char  *copy = malloc(i ? i : 1);

        memcpy(copy, object, i);

        if (ngx_webrtc_amf0_read(copy, copy + i, NULL, 0) != NULL) {
            tap_ok(0, "the first %zu bytes of it", i);
        }

        free(copy);
    }

    for (i = 0; i + 5 <= sizeof(deep); i += 5) {
        memcpy(deep + i, "\012\000\000\000\001", 5);
    }

    tap_ok(ngx_webrtc_amf0_read(deep, deep + 60, NULL, 0) == NULL,
           "arrays in arrays in arrays ...");
}


int
main(void)
{
    test_handshake();
    test_dialogue();
    test_chunks();
    test_media();
    test_limits();
    test_uri();
    test_amf0();

    ngx_webrtc_rtmp_server_free(&s);

    return tap_done();
}
