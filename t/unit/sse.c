
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The events of WHEP sessions: orders, ids, what comes next.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "tap.h"
#include "ngx_webrtc_sse.h"


#define A  NGX_WEBRTC_SSE_ACTIVE
#define I  NGX_WEBRTC_SSE_INACTIVE
#define R  NGX_WEBRTC_SSE_RECONNECT
#define V  NGX_WEBRTC_SSE_VIEWERCOUNT
#define L  NGX_WEBRTC_SSE_LAYERS

#define BAD  1000


static void
test_order(void)
{
    u_char      *copy;
    size_t       n, k;
    ngx_int_t    rc;
    ngx_uint_t   i, mask;
    const char  *cause;

    static const struct {
        const char  *text;
        ngx_uint_t   want;
    } rows[] = {
        { "", A|I|R|V|L },
        { " \r\n\t", A|I|R|V|L },
        { "[]", 0 },
        { " [ ] ", 0 },
        { "[\"active\"]", A },
        { "[\"viewercount\",\"inactive\"]", V|I },
        { " [ \"active\" ,\n\"active\" , \"reconnect\" ] ", A|R },
        { "[\"layers\"]", L },
        { "[\"active\",\"scte35\"]", BAD },
        { "[\"Active\"]", BAD },
        { "[\"\"]", BAD },
        { "[\"\\u0061ctive\"]", BAD },
        { "[active]", BAD },
        { "[\"active\",]", BAD },
        { "[,\"active\"]", BAD },
        { "[\"active\" \"inactive\"]", BAD },
        { "[\"active\"", BAD },
        { "[\"active\",", BAD },
        { "[\"active", BAD },
        { "[\"act\nive\"]", BAD },
        { "[", BAD },
        { "\"active\"", BAD },
        { "{\"active\":1}", BAD },
        { "[[\"active\"]]", BAD },
        { "[1]", BAD },
        { "[\"active\"]x", BAD },
        { "null", BAD },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        /* exactly as long as it is, for the sanitizer */

        n = strlen(rows[i].text);
        copy = malloc(n ? n : 1);
        memcpy(copy, rows[i].text, n);

        rc = ngx_webrtc_sse_parse_order(copy, copy + n, &mask, &cause);

        if (rows[i].want == BAD) {
            tap_ok(rc == NGX_DECLINED && cause, "refused: %s", rows[i].text);

        } else {
            tap_ok(rc == NGX_OK && mask == rows[i].want, "taken: %s",
                   rows[i].text);
        }

        for (k = 0; k < n; k++) {
            (void) ngx_webrtc_sse_parse_order(copy + k, copy + n, &mask,
                                              &cause);
        }

        free(copy);
    }
}


static void
test_next(void)
{
    ngx_webrtc_sse_state_t  known;

    ngx_memzero(&known, sizeof(ngx_webrtc_sse_state_t));

    tap_is_int(ngx_webrtc_sse_next(&known, 0, -1), 0, "no initial inactive");
    tap_is_int(ngx_webrtc_sse_next(&known, 1, -1), A, "active");
    tap_is_int(ngx_webrtc_sse_next(&known, 1, -1), 0, "once");
    tap_is_int(ngx_webrtc_sse_next(&known, 1, 0), V, "an initial count");
    tap_is_int(ngx_webrtc_sse_next(&known, 1, 0), 0, "once");
    tap_is_int(ngx_webrtc_sse_next(&known, 0, 2), I, "inactive");
    tap_is_int(ngx_webrtc_sse_next(&known, 0, 2), V, "then the count");
    tap_is_int(ngx_webrtc_sse_next(&known, 0, -1), 0, "and nothing");
    tap_is_int(ngx_webrtc_sse_next(&known, 1, 2), A, "active again");
}


static void
test_name(void)
{
    u_char      *p;
    uint32_t     name;
    ngx_uint_t   i;

    static const struct {
        const char  *text;
        ngx_int_t    rc;
        uint32_t     name;
    } rows[] = {
        { "0badcafe", NGX_OK, 0x0badcafe },
        { "FFFFFFFF", NGX_OK, 0xffffffff },
        { "00000001", NGX_OK, 1 },
        { "00000000", NGX_DECLINED, 0 },
        { "", NGX_DECLINED, 0 },
        { "1234567", NGX_DECLINED, 0 },
        { "012345678", NGX_DECLINED, 0 },
        { "0123456g", NGX_DECLINED, 0 },
        { "-1234567", NGX_DECLINED, 0 },
        { "0x123456", NGX_DECLINED, 0 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        p = (u_char *) rows[i].text;

        tap_ok(ngx_webrtc_sse_parse_name(p, p + strlen(rows[i].text), &name)
               == rows[i].rc
               && name == rows[i].name, "name \"%s\"", rows[i].text);
    }
}


static void
test_id(void)
{
    u_char                  *p;
    u_char                   buf[256];
    ngx_str_t                data;
    ngx_uint_t               i;
    ngx_webrtc_sse_state_t   known;

    static const struct {
        const char  *id;
        ngx_int_t    rc;
        unsigned     active, inactive, counted;
        uint32_t     viewers;
    } rows[] = {
        { "1-3", NGX_OK, 1, 0, 1, 3 },
        { "2-0", NGX_OK, 0, 1, 1, 0 },
        { "0-", NGX_OK, 0, 0, 0, 0 },
        { "1-2147483647", NGX_OK, 1, 0, 1, 2147483647 },
        { "", NGX_DECLINED, 0, 0, 0, 0 },
        { "1", NGX_DECLINED, 0, 0, 0, 0 },
        { "3-1", NGX_DECLINED, 0, 0, 0, 0 },
        { "1-x", NGX_DECLINED, 0, 0, 0, 0 },
        { "1--1", NGX_DECLINED, 0, 0, 0, 0 },
        { "1-99999999999999", NGX_DECLINED, 0, 0, 0, 0 },
        { "1-4294967296", NGX_DECLINED, 0, 0, 0, 0 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        tap_ok(ngx_webrtc_sse_parse_id((u_char *) rows[i].id,
                                       (u_char *) rows[i].id
                                       + strlen(rows[i].id), &known)
               == rows[i].rc
               && known.active == rows[i].active
               && known.inactive == rows[i].inactive
               && known.counted == rows[i].counted
               && known.viewers == rows[i].viewers, "id \"%s\"", rows[i].id);
    }

    ngx_memzero(&known, sizeof(ngx_webrtc_sse_state_t));
    known.active = 1;
    known.counted = 1;
    known.viewers = 3;

    ngx_str_set(&data, "{\"viewercount\":3}");

    p = ngx_webrtc_sse_print(buf, buf + sizeof(buf), V, &known, &data);

    tap_is_str((char *) (*p = 0, buf),
               "event: viewercount\nid: 1-3\ndata: {\"viewercount\":3}\n\n",
               "an event");

    tap_ok(ngx_webrtc_sse_print(buf, buf + 40, V, &known, &data) == NULL,
           "no room");
}


int
main(void)
{
    test_order();
    test_next();
    test_name();
    test_id();

    return tap_done();
}
