
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What went wrong last with a stream: when it is to be logged, what is kept,
 * of streams that are gone too.
 */


#include "bus_zone.h"
#include "ngx_webrtc_bus_error.h"


#define RING    (64 * 1024)

#define SECOND  1000
#define MINUTE  (60 * SECOND)


static ngx_webrtc_bus_t  *bus;


static ngx_webrtc_stream_t *
stream(const char *name)
{
    ngx_str_t  v;

    v.data = (u_char *) name;
    v.len = strlen(name);

    return ngx_webrtc_bus_stream(bus, &v, RING, 1);
}


static ngx_uint_t
fails(ngx_webrtc_stream_t *st, const char *text, uint64_t ms)
{
    u_char     buf[1024];
    ngx_str_t  v;

    v.data = buf;
    v.len = strlen(text);
    memcpy(buf, text, v.len);

    return ngx_webrtc_bus_error(bus, st, NGX_LOG_ERR, &v, ms, ms / 1000);
}


static void
test_when(void)
{
    ngx_webrtc_stream_t  *st;

    st = stream("when");

    tap_is_int(fails(st, "refused", 1000), 1, "the first time is logged");
    tap_is_int(fails(st, "refused", 1500), 0, "the same again is not");
    tap_is_int(fails(st, "refused", 9 * MINUTE), 0, "nor for minutes");
    tap_is_int(fails(st, "refused", 11 * MINUTE), 3,
           "ten minutes later it is, with how often it came");
    tap_is_int(fails(st, "refused", 12 * MINUTE), 0, "and then not again");

    tap_is_int(fails(st, "timed out", 12 * MINUTE), 1,
               "another cause is logged");
    tap_is_int(fails(st, "refused", 13 * MINUTE), 0, "causes that alternate");
    tap_is_int(fails(st, "timed out", 13 * MINUTE), 0, "are not news");

    /* media flows, 14 minutes after the start */

    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_ACTIVE, 14 * MINUTE);

    tap_is_int(fails(st, "refused", 14 * MINUTE + SECOND), 3,
           "a cause after media has flowed is logged");
    tap_is_int(fails(st, "refused", 14 * MINUTE + 2 * SECOND), 0, "once");

    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_ACTIVE,
                             14 * MINUTE + 3 * SECOND);

    tap_is_int(fails(st, "refused", 14 * MINUTE + 4 * SECOND), 0,
           "an upstream that flaps is logged");
    tap_is_int(fails(st, "refused", 15 * MINUTE + 2 * SECOND), 3,
           "once per minute");

    ngx_webrtc_bus_release(bus, st);
}


static void
test_text(void)
{
    char                  longer[600];
    ngx_webrtc_error_t    e;
    ngx_webrtc_stream_t  *st;

    st = stream("text");

    tap_is_int(ngx_webrtc_bus_error_now(bus, st, &e), NGX_DECLINED,
           "nothing has failed");

    fails(st, "said \"no\"\n\x1b[31m\xc3\xa4", 1000);

    tap_is_int(ngx_webrtc_bus_error_now(bus, st, &e), NGX_OK, "it has failed");
    tap_is_mem(e.text, e.len, "said 'no'??[31m??", 17, "the text is printable");
    tap_is_int(e.time, 1, "its time");

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';

    fails(st, longer, 2000);
    (void) ngx_webrtc_bus_error_now(bus, st, &e);
    tap_is_int(e.len, NGX_WEBRTC_ERROR_TEXT, "a long text is cut");
    tap_is_int(e.count, 1, "another cause counts from one");

    fails(st, longer, 2500);
    (void) ngx_webrtc_bus_error_now(bus, st, &e);
    tap_is_int(e.count, 2, "the same cause counts on");

    tap_is_int(fails(st, "", 3000), 0, "no text is no error");

    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_ACTIVE, 4000);
    tap_is_int(ngx_webrtc_bus_error_now(bus, st, &e), NGX_DECLINED,
           "when media flows it is not why nothing plays");
    tap_is_int(e.count, 2, "but is still known");

    ngx_webrtc_bus_release(bus, st);
}


static void
test_level(void)
{
    ngx_str_t             v;
    u_char                buf[] = "audio is left out";
    ngx_webrtc_error_t    e;
    ngx_webrtc_stream_t  *st;

    st = stream("level");

    v.data = buf;
    v.len = sizeof(buf) - 1;

    tap_is_int(ngx_webrtc_bus_error(bus, st, NGX_LOG_WARN, &v, 1000, 1), 1,
           "a warning is logged");
    tap_is_int(ngx_webrtc_bus_error_now(bus, st, &e), NGX_DECLINED,
           "but is not why nothing plays");

    fails(st, "video is left out", 2000);

    tap_is_int(ngx_webrtc_bus_error(bus, st, NGX_LOG_WARN, &v,
                                    2000 + 9 * MINUTE, 1), 0,
           "a warning after an error");
    tap_is_int(st->error.level, NGX_LOG_ERR, "the error is kept");
    tap_is_mem(st->error.text, st->error.len, "video is left out", 17,
               "with its text");

    (void) ngx_webrtc_bus_error(bus, st, NGX_LOG_WARN, &v,
                                2000 + 10 * MINUTE, 1);

    tap_is_int(st->error.level, NGX_LOG_WARN, "but for ten minutes only");

    ngx_webrtc_bus_release(bus, st);
}


static void
test_recent(void)
{
    char                        name[32];
    ngx_uint_t                  i;
    ngx_webrtc_stream_t        *st;
    ngx_webrtc_error_recent_t   recent[NGX_WEBRTC_ERRORS];

    st = stream("gone");
    fails(st, "refused", 100 * MINUTE);
    ngx_webrtc_bus_release(bus, st);

    tap_is_int(ngx_webrtc_bus_errors(bus, recent), 4, "kept of all names");
    tap_is_mem(recent[0].name, recent[0].name_len, "gone", 4,
               "of a stream that is gone, the newest first");

    st = stream("gone");
    tap_is_int(fails(st, "refused", 100 * MINUTE + 1), 0,
           "a stream that is made anew goes on with what was said");
    ngx_webrtc_bus_release(bus, st);

    tap_is_int(ngx_webrtc_bus_errors(bus, recent), 4, "one per name");
    tap_is_int(recent[0].error.count, 2, "and it counts on");

    /* names that exist because somebody asks for them */

    for (i = 0; i < 1000; i++) {
        sprintf(name, "asked%d", (int) i);
        st = stream(name);
        fails(st, "no such file", 101 * MINUTE + i);
        ngx_webrtc_bus_release(bus, st);
    }

    tap_is_int(ngx_webrtc_bus_errors(bus, recent), NGX_WEBRTC_ERRORS,
               "bounded");
    tap_is_mem(recent[0].name, recent[0].name_len, "asked999", 8, "the newest");
    tap_is_mem(recent[NGX_WEBRTC_ERRORS - 1].name,
               recent[NGX_WEBRTC_ERRORS - 1].name_len, "asked968", 8,
               "to the oldest that is kept");
}


int
main(void)
{
    bus = bus_zone(8 * 1024 * 1024);

    if (bus == NULL || ngx_webrtc_bus_attach(bus, &bus_log) != NGX_OK) {
        return 2;
    }

    test_when();
    test_text();
    test_level();
    test_recent();

    return tap_done();
}
