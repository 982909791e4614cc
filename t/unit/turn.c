
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_turn.h>

#include "tap.h"


/* a success response to a binding request without attributes */
#define BOUND  "\x01\x01\x00\x00\x21\x12\xa4\x42" "abcdefghijkl"

/* the header of a Data indication, of so many bytes */
#define DATA(n)  "\x00\x17\x00" n "\x21\x12\xa4\x42" "ABCDEFGHIJKL"

/* XOR-PEER-ADDRESS, RFC 8656, 18.3 */
#define PEER  "\x00\x12\x00\x08\x00\x01\x12\x34\x01\x02\x03\x04"


static void
test_response(void)
{
    size_t       n;
    u_char      *p, *copy;
    ngx_uint_t   i;

    static const struct {
        const char  *name;
        const char  *text;
        size_t       len;
        int          at;          /* -1: none */
        size_t       n;
    } rows[] = {
#define ROW(name, text, at, n)  { name, text, sizeof(text) - 1, at, n }
        ROW("a response", BOUND, 0, 20),
        ROW("a request", "\0\1" "\0\0\x21\x12\xa4\x42" "abcdefghijkl", -1, 0),
        ROW("an error", "\1\x11\0\0\x21\x12\xa4\x42" "abcdefghijkl", -1, 0),
        ROW("cut", "\1\1\0\0\x21\x12\xa4\x42" "abcdefghijk", -1, 0),
        ROW("RTP", "\x80\x60\0\1\0\0\0\0\0\0\0\0abcdefghijkl", -1, 0),

        ROW("ChannelData", "\x40\0\0\x14" BOUND, 4, 20),
        ROW("the last channel", "\x7f\xff\0\x14" BOUND, 4, 20),
        ROW("ChannelData with padding", "\x40\0\0\x14" BOUND "\0\0", 4, 20),
        ROW("ChannelData of RTP", "\x40\0\0\x14" "\x80\0\0\0\0\0\0\0"
            "abcdefghijkl", -1, 0),
        ROW("ChannelData that is cut", "\x40\0\0\x15" BOUND, -1, 0),
        ROW("ChannelData that is shorter", "\x40\0\0\x13" BOUND, -1, 0),

        ROW("Data indication", DATA("\x24") PEER "\0\x13\0\x14" BOUND, 36, 20),
        ROW("the data first", DATA("\x24") "\0\x13\0\x14" BOUND PEER, 24, 20),
        ROW("padding before it", DATA("\x1c") "\x80\x22\0\1x\0\0\0"
            "\0\x13\0\x14" BOUND, 32, 20),
        ROW("no data", DATA("\xc") PEER, -1, 0),
        ROW("no attributes", DATA("\0"), -1, 0),
        ROW("half an attribute", DATA("\0") "\0\x13\0", -1, 0),
        ROW("data that is cut", DATA("\x24") PEER "\0\x13\0\x15" BOUND, -1, 0),
        ROW("an attribute that is cut", DATA("\x24") "\0\x12\xff\xff" BOUND,
            -1, 0),
        ROW("nothing", "", -1, 0),
#undef ROW
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        /* of its size, so that what is read behind it shows */

        copy = malloc(rows[i].len + (rows[i].len == 0));
        memcpy(copy, rows[i].text, rows[i].len);

        n = rows[i].len;
        p = ngx_webrtc_turn_response(copy, &n);

        tap_ok(rows[i].at < 0 ? p == NULL
                              : p == copy + rows[i].at && n == rows[i].n,
               "%s", rows[i].name);

        free(copy);
    }
}


static void
test_channel(void)
{
    u_char      p[4];
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        size_t       len;
        ngx_uint_t   channel;
    } rows[] = {
        { "\x40\0\0\x14", 4, 0x4000 },
        { "\x7f\xff\0\0", 4, 0x7fff },
        { "\x40\0\0", 3, 0 },                  /* cut */
        { "\x3f\xff\0\0", 4, 0 },              /* STUN */
        { "\x80\x60\0\1", 4, 0 },              /* RTP */
        { "", 0, 0 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is_int(ngx_webrtc_turn_channel((u_char *) rows[i].text,
                                           rows[i].len),
                   rows[i].channel, "channel, row %d", (int) i);
    }

    /* RFC 8656, 12.4: number, length */

    ngx_webrtc_turn_frame(p, 0x4001, 1191);
    tap_is_mem(p, 4, "\x40\x01\x04\xa7", 4, "a frame of a channel");
}


static void
test_data(void)
{
    size_t       n;
    u_char      *p, *copy;
    ngx_uint_t   i;

    static const struct {
        const char  *name;
        const char  *text;
        size_t       len;
        int          n;           /* -1: none */
    } rows[] = {
#define ROW(name, text, n)  { name, text, sizeof(text) - 1, n }
        ROW("all of it", "\x40\1\0\5" "abcde", 5),
        ROW("with padding", "\x40\1\0\5" "abcde\0\0\0", 5),
        ROW("nothing in it", "\x40\1\0\0", 0),
        ROW("cut", "\x40\1\0\6" "abcde", -1),
        ROW("as long as can be told", "\x40\1\xff\xff" "abcde", -1),
        ROW("no length", "\x40\1\0", -1),
        ROW("another channel", "\x40\2\0\5" "abcde", -1),
        ROW("STUN", "\0\1\0\5" "abcde", -1),
        ROW("DTLS", "\x17\xfe\xfd\0" "abcde", -1),
        ROW("an empty datagram", "", -1),
#undef ROW
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        copy = malloc(rows[i].len + (rows[i].len == 0));
        memcpy(copy, rows[i].text, rows[i].len);

        n = rows[i].len;
        p = ngx_webrtc_turn_data(copy, &n, 0x4001);

        tap_ok(rows[i].n < 0 ? p == NULL
                             : p == copy + 4 && n == (size_t) rows[i].n,
               "data of a channel: %s", rows[i].name);

        free(copy);
    }

    n = 4;
    tap_ok(ngx_webrtc_turn_data((u_char *) "\0\0\0\0", &n, 0) == NULL,
           "data of no channel");
}


/* header of an answer to an Allocate request, of so many bytes */
#define ALLOCATED  "\x01\x03\0\0\x21\x12\xa4\x42" "abcdefghijkl"
#define REFUSED(n)  "\x01\x13\0" n "\x21\x12\xa4\x42" "abcdefghijkl"


static void
test_allocate(void)
{
    u_char                    *copy;
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_webrtc_turn_answer_t   a;

    static const struct {
        const char  *name;
        const char  *text;
        size_t       len;
        int          code;        /* -1: none */
        const char  *reason;
    } rows[] = {
#define ROW(name, text, code, reason)                                         \
    { name, text, sizeof(text) - 1, code, reason }
        ROW("success", ALLOCATED, 0, ""),
        ROW("401", REFUSED("\x14") "\0\x09\0\x10\0\0\4\1Unauthorized", 401,
            "Unauthorized"),
        ROW("486", REFUSED("\x0c") "\0\x09\0\x06\0\0\4\x56" "No\0\0", 486,
            "No"),
        ROW("508, no reason", REFUSED("\x08") "\0\x09\0\4\0\0\5\x08", 508,
            ""),
        ROW("reserved bits", REFUSED("\x08") "\0\x09\0\4\xff\xff\xfd\x08",
            508, ""),
        ROW("behind another attribute", REFUSED("\x10") "\0\x14\0\3abc\0"
            "\0\x09\0\4\0\0\4\x25", 437, ""),

        ROW("a binding response", BOUND, -1, ""),
        ROW("an indication", DATA("\0"), -1, ""),
        ROW("no code", REFUSED("\0"), -1, ""),
        ROW("half a code", REFUSED("\x08") "\0\x09\0\3\0\0\4\0", -1, ""),
        ROW("a class that is none", REFUSED("\x08") "\0\x09\0\4\0\0\2\0", -1,
            ""),
        ROW("a number that is none", REFUSED("\x08") "\0\x09\0\4\0\0\4\x64",
            -1, ""),
        ROW("a reason that is cut", REFUSED("\x0c") "\0\x09\0\x09\0\0\4\1"
            "abcd", -1, ""),
        ROW("an attribute that is cut", REFUSED("\x08") "\0\x14\0\5abcd", -1,
            ""),
        ROW("cut", REFUSED("\x08") "\0\x09\0\4\0\0\4", -1, ""),
        ROW("longer", ALLOCATED "x", -1, ""),
        ROW("another cookie", "\1\3\0\0\x21\x12\xa4\x43" "abcdefghijkl", -1,
            ""),
        ROW("nothing", "", -1, ""),
#undef ROW
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        copy = malloc(rows[i].len + (rows[i].len == 0));
        memcpy(copy, rows[i].text, rows[i].len);

        rc = ngx_webrtc_turn_allocate(copy, rows[i].len, &a);

        if (rows[i].code == -1) {
            tap_ok(rc == NGX_DECLINED, "allocate: %s", rows[i].name);
            free(copy);
            continue;
        }

        tap_ok(rc == NGX_OK && a.code == (ngx_uint_t) rows[i].code,
               "allocate: %s", rows[i].name);
        tap_ok(rc == NGX_OK && a.reason.len == strlen(rows[i].reason)
               && memcmp(a.reason.data ? a.reason.data : copy, rows[i].reason,
                         a.reason.len)
                  == 0,
               "allocate: %s: the reason", rows[i].name);
        tap_ok(rc == NGX_OK && memcmp(a.id, "abcdefghijkl", 12) == 0,
               "allocate: %s: the transaction", rows[i].name);

        free(copy);
    }
}


static void
test_length(void)
{
    size_t  n;
    u_char  text[] = REFUSED("\x08") "\0\x09\0\4\0\0\4\1" "next";

    for (n = 0; n < 20; n++) {
        tap_ok(ngx_webrtc_turn_length(text, n) == 20, "%d bytes of a header",
               (int) n);
    }

    tap_ok(ngx_webrtc_turn_length(text, 20) == 28, "a header");
    tap_ok(ngx_webrtc_turn_length(text, 32) == 28, "more than a message");

    text[4] = 0;
    tap_ok(ngx_webrtc_turn_length(text, 25) == 25, "something else");

    text[0] = 0x40;
    tap_ok(ngx_webrtc_turn_length(text, 4) == 4, "ChannelData");
}


int
main(void)
{
    test_response();
    test_channel();
    test_data();
    test_allocate();
    test_length();

    return tap_done();
}
