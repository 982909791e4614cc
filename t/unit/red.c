
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_red: RFC 2198, 3.  Rows are payloads by hand from its figure, with
 * the blocks that are in them; which are written as they were.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"
#include "ngx_webrtc_red.h"


static const struct {
    const char  *name;
    const char  *in;                 /* hexadecimal */
    const char  *out;                /* "pt-offset:block ...", NULL: declined */
} rows[] = {
    { "the primary alone", "6fddeeff", "111-0:ddeeff" },
    { "an empty primary", "6f", "111-0:" },
    { "one before it", "ef0f0001" "6f" "cc" "ddee", "111-960:cc 111-0:ddee" },
    { "two before it", "ef1e0002" "ef0f0001" "6f" "aabb" "cc" "ddeeff",
      "111-1920:aabb 111-960:cc 111-0:ddeeff" },
    { "empty blocks", "ef1e0000" "ef0f0000" "6f" "dd",
      "111-1920: 111-960: 111-0:dd" },
    { "no primary left", "ef0f0002" "6f" "aabb", "111-960:aabb 111-0:" },
    { "types of their own", "800f0001" "ff0f0001" "08" "aa" "bb" "cc",
      "0-960:aa 127-960:bb 8-0:cc" },
    { "the largest offset", "effffc01" "6f" "aa" "bb",
      "111-16383:aa 111-0:bb" },
    { "seven before it", "ef000000" "ef000000" "ef000000" "ef000000"
      "ef000000" "ef000000" "ef000000" "6f" "aa",
      "111-0: 111-0: 111-0: 111-0: 111-0: 111-0: 111-0: 111-0:aa" },

    { "nothing", "", NULL },
    { "half a header", "ef0f", NULL },
    { "a header without the primary's", "ef0f0000", NULL },
    { "a block that is cut", "ef0f0003" "6f" "aabb", NULL },
    { "the longest length", "ef0f03ff" "6f" "aabb", NULL },
    { "lengths that add up to too much", "ef1e0002" "ef0f0002" "6f" "aabbcc",
      NULL },
    { "eight before it", "ef000000" "ef000000" "ef000000" "ef000000"
      "ef000000" "ef000000" "ef000000" "ef000000" "6f" "aa", NULL }
};


static u_char *
unhex(const char *hex, size_t *n)
{
    size_t    i;
    u_char   *p;
    unsigned  byte;

    *n = strlen(hex) / 2;

    /* a block of its own: what is read behind it is found */

    p = malloc(*n + !*n);

    for (i = 0; i < *n; i++) {
        sscanf(hex + 2 * i, "%2x", &byte);
        p[i] = (u_char) byte;
    }

    return p;
}


static char *
print(ngx_webrtc_red_block_t *b, ngx_uint_t count, char *out)
{
    char        *o;
    size_t       k;
    ngx_uint_t   i;

    o = out;

    for (i = 0; i < count; i++) {
        o += sprintf(o, "%s%d-%d:", i ? " " : "", b[i].pt,
                     (int) b[i].ts_offset);

        for (k = 0; k < b[i].n; k++) {
            o += sprintf(o, "%02x", b[i].data[k]);
        }
    }

    return out;
}


int
main(void)
{
    char                     out[512];
    u_char                  *p, *end, again[1500], large[1500];
    size_t                   n;
    ngx_int_t                rc;
    ngx_uint_t               i, k, count;
    ngx_webrtc_red_block_t   b[NGX_WEBRTC_RED_BLOCKS];

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        p = unhex(rows[i].in, &n);

        rc = ngx_webrtc_red_parse(p, n, b, &count);

        if (rows[i].out == NULL) {
            tap_is_int(rc, NGX_DECLINED, "%s", rows[i].name);
            free(p);
            continue;
        }

        tap_ok(rc == NGX_OK && strcmp(print(b, count, out), rows[i].out) == 0,
               "%s: %s", rows[i].name, rc == NGX_OK ? out : "declined");

        /* another payload type: nothing else is changed */

        if (rc == NGX_OK) {
            end = ngx_webrtc_red_write(again, again + n, b, count);

            tap_ok(end == again + n && memcmp(again, p, n) == 0,
                   "%s: written", rows[i].name);
            tap_ok(n == 0 || ngx_webrtc_red_write(again, again + n - 1, b,
                                                  count) == NULL,
                   "%s: not without room", rows[i].name);

            ngx_webrtc_red_set_pt(p, count, 96);

            rc = ngx_webrtc_red_parse(p, n, b, &count);

            for (k = 0; rc == NGX_OK && k < count; k++) {
                if (b[k].pt != 96) {
                    rc = NGX_ERROR;
                }

                b[k].pt = 111;
            }

            if (strstr(rows[i].out, "127-") == NULL) {
                tap_ok(rc == NGX_OK
                       && strcmp(print(b, count, out), rows[i].out) == 0,
                       "%s: as 96", rows[i].name);
            }
        }

        free(p);
    }

    memset(b, 0, sizeof(b));

    b[0].data = b[1].data = again;
    b[0].n = NGX_WEBRTC_RED_LEN;
    b[0].ts_offset = NGX_WEBRTC_RED_OFFSET;

    tap_ok(ngx_webrtc_red_write(large, large + sizeof(large), b, 2)
           == large + 5 + NGX_WEBRTC_RED_LEN
           && memcmp(large, "\x80\xff\xff\xff", 4) == 0,
           "the longest and oldest that can be said");

    b[0].n++;

    tap_ok(ngx_webrtc_red_write(large, large + sizeof(large), b, 2) == NULL,
           "not a longer one");

    b[0].n = 0;
    b[0].ts_offset++;

    tap_ok(ngx_webrtc_red_write(large, large + sizeof(large), b, 2) == NULL,
           "nor an older one");

    return tap_done();
}
