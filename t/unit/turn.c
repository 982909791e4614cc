
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


int
main(void)
{
    test_response();

    return tap_done();
}
