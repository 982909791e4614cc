
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_pass.h>

#include "tap.h"


/* a message of the binary with pid 1 */
#define OPEN   "\x77\x70\x44\x01\0\0\0\1"

#define IPV4   "\x1f\x90\x7f\0\0\1"
#define IPV6   "\x1f\x90\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\2"


static void
test_read(void)
{
    size_t              n;
    u_char             *p, *copy, *data, again[128];
    uint32_t            pid;
    ngx_uint_t          i;
    ngx_webrtc_path_t   path;

    static const struct {
        const char  *name;
        const char  *text;
        size_t       len;
        int          n;           /* bytes of the datagram; -1: malformed */
        int          local;
    } rows[] = {
#define ROW(name, text, n, local)  { name, text, sizeof(text) - 1, n, local }
        ROW("IPv4", OPEN "\0\3\4\0" IPV4 "abc", 3, 0),
        ROW("IPv4, to a known address", OPEN "\0\3\4\4" IPV4 "\x7f\0\0\2abc",
            3, AF_INET),
        ROW("IPv6", OPEN "\0\3\6\0" IPV6 "abc", 3, 0),
        ROW("IPv6, to a known address", OPEN "\0\3\6\6" IPV6
            "0123456789abcdef" "abc", 3, AF_INET6),
        ROW("an empty one", OPEN "\0\0\4\0" IPV4, 0, 0),

        ROW("another magic", "\x77\x70\x44\x02\0\0\0\1\0\3\4\0" IPV4 "abc",
            -1, 0),
        ROW("half a magic", "\x77\x70\x44", -1, 0),
        ROW("no pid", "\x77\x70\x44\x01\0\0\0", -1, 0),
        ROW("another family", OPEN "\0\3\5\0" IPV4 "abc", -1, 0),
        ROW("another family of ours", OPEN "\0\3\4\1" IPV4 "abc", -1, 0),
        ROW("a datagram that is cut", OPEN "\0\3\4\0" IPV4 "ab", -1, 0),
        ROW("an address that is cut", OPEN "\0\3\4\0" "\x1f\x90\x7f\0\0",
            -1, 0),
        ROW("a scope that is cut", OPEN "\0\0\6\0" "\x1f\x90"
            "0123456789abcdef" "\0\0\0", -1, 0),
        ROW("an address of ours that is cut", OPEN "\0\0\4\6" IPV4
            "0123456789abcde", -1, 0),
        ROW("half a header", OPEN "\0\0\4\0\0", -1, 0),
        ROW("nothing", "", -1, 0),
#undef ROW
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        /* of its size, so that what is read behind it shows */

        copy = malloc(rows[i].len + (rows[i].len == 0));
        memcpy(copy, rows[i].text, rows[i].len);

        p = ngx_webrtc_pass_open(copy, copy + rows[i].len, &pid);

        if (p) {
            tap_ok(pid == 1, "%s: the pid", rows[i].name);

            p = ngx_webrtc_pass_read(p, copy + rows[i].len, &path, &data, &n);
        }

        if (rows[i].n < 0) {
            tap_ok(p == NULL, "%s", rows[i].name);
            free(copy);
            continue;
        }

        tap_ok(p == copy + rows[i].len && n == (size_t) rows[i].n
               && data == p - n,
               "%s", rows[i].name);
        tap_ok(ngx_inet_get_port(&path.remote.u.sa) == 8080, "%s: the port",
               rows[i].name);
        tap_ok(path.local.family == rows[i].local, "%s: ours", rows[i].name);

        p = ngx_webrtc_pass_begin(again, again + sizeof(again), 1);
        p = ngx_webrtc_pass_write(p, again + sizeof(again), &path, data, n);

        tap_ok(p && (size_t) (p - again) == rows[i].len
               && memcmp(again, copy, rows[i].len) == 0,
               "%s: written", rows[i].name);
        tap_ok(ngx_webrtc_pass_write(again, again + rows[i].len - 9, &path,
                                     data, n)
               == NULL,
               "%s: no room", rows[i].name);

        free(copy);
    }
}


int
main(void)
{
    test_read();

    return tap_done();
}
