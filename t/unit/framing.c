
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams over a connection, RFC 4571: whole and in pieces.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_framing.h>

#include "tap.h"


#define MAX  8                        /* bytes of the longest frame */


/*
 * Feeds a stream in pieces, keeping what is left as a connection does, and
 * writes its frames as text, each with a "|" behind it.
 */

static void
read_pieces(const char *text, size_t len, size_t piece, char *out,
    uint64_t *cut)
{
    char                  *o;
    size_t                 n, m, at, kept;
    u_char                *buf, *p, *end, *frame, part[MAX + 2];
    ngx_webrtc_framing_t   f;

    memset(&f, 0, sizeof(f));
    f.max = MAX;

    o = out;
    kept = 0;

    for (at = 0; at < len; at += n) {
        n = ngx_min(piece, len - at);

        /* of its size, so that what is read behind it shows */

        buf = malloc(kept + n);
        memcpy(buf, part, kept);
        memcpy(buf + kept, text + at, n);

        p = buf;
        end = buf + kept + n;

        while (ngx_webrtc_framing_next(&f, &p, end, &frame, &m) == NGX_OK) {
            memcpy(o, frame, m);
            o += m;
            *o++ = '|';
        }

        kept = (size_t) (end - p);

        if (kept >= MAX + NGX_WEBRTC_FRAMING_HEADER) {
            tap_ok(0, "what is kept is part of a frame");
            kept = 0;
        }

        memcpy(part, p, kept);
        free(buf);
    }

    *o = '\0';
    *cut = f.cut;
}


static void
test_read(void)
{
    char        out[64];
    size_t      piece;
    uint64_t    cut;
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        const char  *text;
        size_t       len;
        const char  *frames;
        uint64_t     cut;
    } rows[] = {
#define ROW(name, text, frames, cut)                                          \
        { name, text, sizeof(text) - 1, frames, cut }
        ROW("one", "\0\3abc", "abc|", 0),
        ROW("two", "\0\3abc\0\1d", "abc|d|", 0),
        ROW("as long as may be", "\0\010abcdefgh\0\1i", "abcdefgh|i|", 0),
        ROW("an empty one", "\0\0\0\1a", "a|", 0),
        ROW("empty ones only", "\0\0\0\0\0\0", "", 0),
        ROW("one that is too long", "\0\011abcdefghi\0\1j", "j|", 1),
        ROW("two that are too long", "\0\011abcdefghi\0\012abcdefghij\0\1k",
            "k|", 2),
        ROW("one that is too long, and cut", "\1\0abcdefghijkl", "", 1),
        ROW("one that is cut", "\0\1a\0\3bc", "a|", 0),
        ROW("half a length", "\0\1a\0", "a|", 0),
        ROW("a length alone", "\0\3", "", 0),
        ROW("HTTP", "GET / HTTP/1.0\r\n\r\n", "", 1),
        ROW("nothing", "", "", 0),
#undef ROW
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        for (piece = 1; piece <= rows[i].len + 1; piece++) {

            read_pieces(rows[i].text, rows[i].len, piece, out, &cut);

            if (strcmp(out, rows[i].frames) != 0 || cut != rows[i].cut) {
                tap_ok(0, "%s, in pieces of %zu: \"%s\"", rows[i].name, piece,
                       out);
                break;
            }
        }

        tap_ok(piece == rows[i].len + 2, "%s", rows[i].name);
    }
}


static void
test_write(void)
{
    u_char  buf[3];

    buf[2] = 0x55;

    ngx_webrtc_framing_write(buf, 0x1234);

    tap_ok(memcmp(buf, "\x12\x34\x55", 3) == 0, "a length");
}


int
main(void)
{
    test_read();
    test_write();

    return tap_done();
}
