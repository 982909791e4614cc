
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_signal_wanted: which layers a publisher is to send, in virtual
 * time, and how it is told.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include <ngx_webrtc_signal_wanted.h>


#define KEEP  NGX_WEBRTC_SIGNAL_WANTED_KEEP


static ngx_webrtc_signal_watched_t  layers[4];


static char *
text(ngx_webrtc_signal_wanted_t *w, ngx_uint_t watched, uint64_t now_ms)
{
    ngx_uint_t   i, wanted;
    static char  out[5];

    for (i = 0; i < 3; i++) {
        layers[i].watched = (watched >> i) & 1;
    }

    wanted = ngx_webrtc_signal_wanted(w, layers, 3, now_ms);

    for (i = 0; i < 3; i++) {
        out[i] = (wanted >> i & 1) ? "hml"[i] : '-';
    }

    return out;
}


static void
test_wanted(void)
{
    ngx_webrtc_signal_wanted_t  w;

    ngx_str_set(&layers[0].rid, "h");
    ngx_str_set(&layers[1].rid, "m");
    ngx_str_set(&layers[2].rid, "l");

    layers[0].size = 1280 * 720;
    layers[1].size = 640 * 360;
    layers[2].size = 320 * 180;

    memset(&w, 0, sizeof(w));

    tap_is_str(text(&w, 0, 1000), "hml", "all, at first");
    tap_is_str(text(&w, 0, 1000 + KEEP - 1), "hml", "for a while");
    tap_is_str(text(&w, 0, 1000 + KEEP), "--l", "then the lowest one alone");
    tap_is_str(text(&w, 2, 1250 + KEEP), "-ml", "somebody comes: at once");
    tap_is_str(text(&w, 0, 1500 + KEEP), "-ml", "and leaves");
    tap_is_str(text(&w, 1, 2000 + KEEP), "hml", "another one is watched");
    tap_is_str(text(&w, 1, 1250 + 2 * KEEP), "h-l", "not the one before");
    tap_is_str(text(&w, 7, 1500 + 2 * KEEP), "hml", "all of them");

    /* which one is the lowest */

    layers[0].size = 100;

    memset(&w, 0, sizeof(w));
    (void) text(&w, 0, 1000);
    tap_is_str(text(&w, 0, 1000 + KEEP), "h--", "by size, in any order");

    layers[1].size = 0;
    tap_is_str(text(&w, 0, 1000 + KEEP), "--l", "sizes not known: the last");
}


static void
test_print(void)
{
    u_char      *p, buf[NGX_WEBRTC_SIGNAL_WANTED_ROOM];
    ngx_str_t    mid;
    ngx_uint_t   i;

    static u_char  odd[64];

    ngx_str_set(&mid, "0");

    p = ngx_webrtc_signal_print_wanted(buf, buf + sizeof(buf), &mid, layers, 3,
                                       5);
    *p = '\0';

    tap_is_str((char *) buf, "{\"medias\":{\"0\":{\"layers\":["
               "{\"encodingId\":\"h\",\"active\":true},"
               "{\"encodingId\":\"m\",\"active\":false},"
               "{\"encodingId\":\"l\",\"active\":true}]}}}", "an event");

    layers[1].limit = 600000;
    layers[2].limit = 4294967295U;

    p = ngx_webrtc_signal_print_wanted(buf, buf + sizeof(buf), &mid, layers, 3,
                                       4);
    *p = '\0';

    tap_is_str((char *) buf, "{\"medias\":{\"0\":{\"layers\":["
               "{\"encodingId\":\"h\",\"active\":false},"
               "{\"encodingId\":\"m\",\"active\":false,\"maxBitrate\":600000},"
               "{\"encodingId\":\"l\",\"active\":true,"
               "\"maxBitrate\":4294967295}]}}}", "with what each may take");

    memset(odd, 1, sizeof(odd));
    mid.data = odd;
    mid.len = sizeof(odd);

    for (i = 0; i < 4; i++) {
        ngx_str_set(&layers[i].rid, "0123456789012345");
        layers[i].limit = 4294967295U;
    }

    tap_ok(ngx_webrtc_signal_print_wanted(buf, buf + sizeof(buf), &mid, layers,
                                          4, 0)
           != NULL, "room for all");
    tap_ok(ngx_webrtc_signal_print_wanted(buf, buf + 100, &mid, layers, 4, 0)
           == NULL, "no room");
}


int
main(void)
{
    test_wanted();
    test_print();

    return tap_done();
}
