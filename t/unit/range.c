
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_range: the vectors of the range protocol and what is malformed.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_range.h>

#include "tap.h"
#include <peer.h>


static size_t
unhex(const char *hex, u_char *out)
{
    size_t  n;

    for (n = 0; hex[0] != '\0'; n++) {

        if (hex[0] == ' ') {
            hex++;
        }

        out[n] = (u_char) ngx_hextoi((u_char *) hex, 2);
        hex += 2;
    }

    return n;
}


static void
test_vectors(void)
{
    size_t                     n;
    u_char                     b[128], out[128], *p;
    ngx_str_t                  name = ngx_string("movie.mp4");
    ngx_uint_t                 i;
    ngx_webrtc_range_frame_t   f;

    static const struct {
        const char  *name;
        const char  *hex;
        uint8_t      type;
        uint8_t      flags;
        uint32_t     id;
        uint64_t     a;                /* size, offset, status, milliseconds */
        uint64_t     b;                /* length */
    } rows[] = {
        { "Hello", "00040000 00000000 00000015 0000000007a00000 00000009"
          "6d6f7669652e6d7034", 0, 4, 0, 127926272, 0 },
        { "RangeReq 0, 1 MiB", "01000000 00000001 00000010 0000000000000000"
          "0000000000100000", 1, 0, 1, 0, 1048576 },
        { "RangeReq 0, rest", "01000000 00000002 00000010 0000000000000000"
          "0000000000000000", 1, 0, 2, 0, 0 },
        { "RangeReq 2^63", "01000000 00000003 00000010 8000000000000000"
          "0000000000000001", 1, 0, 3, 9223372036854775808ull, 1 },
        { "RangeData, last", "02010000 00000063 00000005 deadbeef42",
          2, 1, 99, 0, 0 },
        { "RangeEnd 0", "03000000 00000001 00000004 00000000", 3, 0, 1, 0, 0 },
        { "RangeEnd 1", "03000000 00000001 00000004 00000001", 3, 0, 1, 1, 0 },
        { "RangeEnd 2", "03000000 00000001 00000004 00000002", 3, 0, 1, 2, 0 },
        { "RangeEnd 3", "03000000 00000001 00000004 00000003", 3, 0, 1, 3, 0 },
        { "RangeEnd 4", "03000000 00000001 00000004 00000004", 3, 0, 1, 4, 0 },
        { "RangeEnd 5", "03000000 00000001 00000004 00000005", 3, 0, 1, 5, 0 },
        { "Cancel", "04000000 00000007 00000000", 4, 0, 7, 0, 0 },
        { "Ping", "05000000 deadbeef 00000000", 5, 0, 0xdeadbeef, 0, 0 },
        { "Pong", "06000000 deadbeef 00000000", 6, 0, 0xdeadbeef, 0, 0 },
        { "SeekHint", "07000000 00000000 00000008 000000000001e240",
          7, 0, 0, 123456, 0 },
        { "Info", "08000000 00000002 00000002 7b7d", 8, 0, 2, 0, 0 },
        { "Init", "09000000 00000002 0000000c 000000000001e240 66747970",
          9, 0, 2, 123456, 0 },
        { "Quality", "0a000000 00000000 00000004 00000002", 10, 0, 0, 2, 0 },
        { "a track", "0a100000 00000000 00000004 00000003", 10, 16, 0, 3, 0 },
        { "Cue", "0b000000 00000002 00000006 00000003 6f6b", 11, 0, 2, 3, 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        n = unhex(rows[i].hex, b);

        tap_is_int(ngx_webrtc_range_parse(b, b + n, &f), NGX_OK, "parse: %s",
                   rows[i].name);

        tap_ok(f.type == rows[i].type && f.flags == rows[i].flags
               && f.id == rows[i].id && f.len == n - 12
               && f.payload == b + 12,
               "header: %s", rows[i].name);

        switch (f.type) {

        case NGX_WEBRTC_RANGE_HELLO:
            tap_ok(f.u.hello.size == rows[i].a && f.u.hello.name.len == 9
                   && ngx_memcmp(f.u.hello.name.data, "movie.mp4", 9) == 0,
                   "payload: %s", rows[i].name);

            p = ngx_webrtc_range_write_hello(out, out + sizeof(out),
                                             NGX_WEBRTC_RANGE_SEEKABLE,
                                             rows[i].a, &name);
            break;

        case NGX_WEBRTC_RANGE_REQ:
            tap_ok(f.u.req.offset == rows[i].a && f.u.req.length == rows[i].b,
                   "payload: %s", rows[i].name);

            p = ngx_webrtc_range_write_req(out, out + sizeof(out), rows[i].id,
                                           rows[i].a, rows[i].b);
            break;

        case NGX_WEBRTC_RANGE_DATA:
            tap_is_mem(f.payload, f.len, "\xde\xad\xbe\xef\x42", 5,
                       "payload: %s", rows[i].name);

            p = ngx_webrtc_range_write_header(out, out + sizeof(out), f.type,
                                              f.flags, f.id, 5);
            p = ngx_cpymem(p, "\xde\xad\xbe\xef\x42", 5);
            break;

        case NGX_WEBRTC_RANGE_END:
            tap_is_int(f.u.status, rows[i].a, "payload: %s", rows[i].name);

            p = ngx_webrtc_range_write_end(out, out + sizeof(out), rows[i].id,
                                           rows[i].a);
            break;

        case NGX_WEBRTC_RANGE_SEEK_HINT:
            tap_is_int(f.u.seek_ms, rows[i].a, "payload: %s", rows[i].name);

            p = ngx_webrtc_range_write_seek_hint(out, out + sizeof(out),
                                                 rows[i].a);
            break;

        case NGX_WEBRTC_RANGE_INFO:
            tap_is_mem(f.payload, f.len, "{}", 2, "payload: %s", rows[i].name);

            p = ngx_webrtc_range_write_header(out, out + sizeof(out), f.type, 0,
                                              f.id, 2);
            p = ngx_cpymem(p, "{}", 2);
            break;

        case NGX_WEBRTC_RANGE_INIT:
            tap_is_int(f.u.start_ms, rows[i].a, "payload: %s", rows[i].name);

            p = ngx_webrtc_range_write_init(out, out + sizeof(out), f.id,
                                            rows[i].a, 4);
            p = ngx_cpymem(p, "ftyp", 4);
            break;

        case NGX_WEBRTC_RANGE_QUALITY:
        case NGX_WEBRTC_RANGE_CUE:
            tap_is_int(f.type == NGX_WEBRTC_RANGE_CUE ? f.u.track : f.u.index,
                       rows[i].a, "payload: %s", rows[i].name);

            p = ngx_webrtc_range_write_header(out, out + sizeof(out), f.type,
                                              f.flags, f.id, f.len);
            p = ngx_cpymem(p, f.payload, f.len);
            break;

        default:
            p = ngx_webrtc_range_write_header(out, out + sizeof(out),
                                              rows[i].type, 0, rows[i].id, 0);
        }

        tap_is_mem(out, p ? p - out : 0, b, n, "write: %s", rows[i].name);
    }
}


static void
test_malformed(void)
{
    size_t                     n;
    u_char                     b[128];
    ngx_uint_t                 i;
    ngx_webrtc_range_frame_t   f;

    static const struct {
        const char  *name;
        const char  *hex;
    } rows[] = {
        { "nothing", "" },
        { "3-byte header", "010000" },
        { "11-byte header", "05000000 deadbeef 000000" },
        { "length ffffffff", "02000000 00000001 ffffffff 00" },
        { "length of 65537", "02000000 00000001 00010001 00" },
        { "payload short", "02000000 00000001 00000002 00" },
        { "payload long", "02000000 00000001 00000001 0000" },
        { "RangeReq of 15", "01000000 00000001 0000000f 0000000000000000"
          "00000000000000" },
        { "RangeReq of 17", "01000000 00000001 00000011 0000000000000000"
          "000000000000000000" },
        { "RangeReq of 0", "01000000 00000001 00000000" },
        { "SeekHint of 7", "07000000 00000000 00000007 00000000000000" },
        { "SeekHint of 9", "07000000 00000000 00000009 000000000000000000" },
        { "RangeEnd of 3", "03000000 00000001 00000003 000000" },
        { "RangeEnd of 5", "03000000 00000001 00000005 0000000000" },
        { "Cancel with payload", "04000000 00000001 00000001 00" },
        { "Ping with payload", "05000000 00000001 00000001 00" },
        { "Pong with payload", "06000000 00000001 00000001 00" },
        { "Init of 7", "09000000 00000001 00000007 00000000000000" },
        { "Quality of 3", "0a000000 00000000 00000003 000000" },
        { "Quality of 5", "0a000000 00000000 00000005 0000000000" },
        { "Cue of 3", "0b000000 00000001 00000003 000000" },
        { "unknown type", "0c000000 00000001 00000000" },
        { "type ff", "ff000000 00000001 00000000" },
        { "Hello without name length", "00000000 00000000 00000008"
          "0000000000000000" },
        { "Hello, name short", "00000000 00000000 0000000d 0000000000000000"
          "00000002 61" },
        { "Hello, name long", "00000000 00000000 0000000d 0000000000000000"
          "00000000 61" },
        { "Hello, name length ffffffff", "00000000 00000000 0000000d"
          "0000000000000000 ffffffff 61" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        n = unhex(rows[i].hex, b);

        tap_is_int(ngx_webrtc_range_parse(b, b + n, &f), NGX_DECLINED,
                   "malformed: %s", rows[i].name);
    }
}


static void
test_limits(void)
{
    size_t                     i;
    u_char                     out[64];
    ngx_str_t                  name = ngx_string("a");
    ngx_webrtc_range_frame_t   f;

    static u_char  big[NGX_WEBRTC_RANGE_HEADER + NGX_WEBRTC_RANGE_PAYLOAD];

    ngx_webrtc_range_write_header(big, big + sizeof(big),
                                  NGX_WEBRTC_RANGE_DATA, 0, 1,
                                  NGX_WEBRTC_RANGE_PAYLOAD);

    tap_ok(ngx_webrtc_range_parse(big, big + sizeof(big), &f) == NGX_OK
           && f.len == 65536, "a payload of 65536 is taken");

    big[2] = 0xff;
    big[3] = 0xff;
    big[1] = 0xff;

    tap_ok(ngx_webrtc_range_parse(big, big + sizeof(big), &f) == NGX_OK,
           "reserved bits and flags are not judged");

    for (i = 0; i < 28; i++) {
        if (ngx_webrtc_range_write_req(out, out + i, 1, 2, 3)
            || (i < 25 && ngx_webrtc_range_write_hello(out, out + i, 0, 1,
                                                       &name))
            || (i < 20 && ngx_webrtc_range_write_seek_hint(out, out + i, 1))
            || (i < 16 && ngx_webrtc_range_write_end(out, out + i, 1, 1))
            || (i < 12 && ngx_webrtc_range_write_header(out, out + i, 4, 0, 1,
                                                        0)))
        {
            break;
        }
    }

    tap_is_int(i, 28, "write: no room is NULL at every length");

    name.len = 65536;
    tap_ok(ngx_webrtc_range_write_hello(out, out + sizeof(out), 0, 1, &name)
           == NULL, "write: a name too long");
}


int
main(void)
{
    test_vectors();
    test_malformed();
    test_limits();

    return tap_done();
}
