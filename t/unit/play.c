
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_play: generations, pauses, and jobs that crash.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_play.h"

#include "tap.h"


static ngx_webrtc_play_t  play;


static ngx_int_t
frame(ngx_uint_t type, ngx_uint_t flags, uint32_t id, uint64_t value)
{
    ngx_webrtc_range_frame_t  f;

    ngx_memzero(&f, sizeof(f));

    f.type = (uint8_t) type;
    f.flags = (uint8_t) flags;
    f.id = id;

    if (type == NGX_WEBRTC_RANGE_QUALITY) {
        f.u.index = (uint32_t) value;

    } else {
        f.u.seek_ms = value;
    }

    return ngx_webrtc_play_input(&play, &f);
}


int
main(void)
{
    ngx_webrtc_play_init(&play);

    tap_is_int(play.generation, 1, "it begins by itself");
    tap_is_int(play.ms, 0, "at 0");

    ngx_webrtc_play_sent(&play, 4000);

    tap_is_int(frame(NGX_WEBRTC_RANGE_PING, 0, 0, 0), NGX_DECLINED, "Ping");
    tap_is_int(frame(NGX_WEBRTC_RANGE_REQ, 0, 0, 0), NGX_DECLINED, "RangeReq");
    tap_is_int(play.generation, 1, "change nothing");

    tap_is_int(frame(NGX_WEBRTC_RANGE_CANCEL, 0, 7, 0), NGX_DECLINED,
               "Cancel of another generation");
    tap_is_int(play.paused, 0, "does not pause");
    tap_is_int(frame(NGX_WEBRTC_RANGE_CANCEL, 0, 1, 0), NGX_DONE,
               "of this one");
    tap_is_int(play.paused, 1, "does");

    tap_is_int(frame(NGX_WEBRTC_RANGE_QUALITY, 0, 0, 2), NGX_OK, "Quality");
    tap_is_int(play.generation, 2, "begins another");
    tap_is_int(play.ms, 4000, "where it was");
    tap_is_int(play.quality, 2, "of that quality");
    tap_is_int(play.paused, 0, "not paused");

    tap_is_int(frame(NGX_WEBRTC_RANGE_QUALITY, NGX_WEBRTC_RANGE_TRACK, 0, 3),
               NGX_OK, "a track");
    tap_is_int(play.audio, 3, "is its sound");
    tap_is_int(play.quality, 2, "and not its quality");
    tap_is_int(frame(NGX_WEBRTC_RANGE_QUALITY, 0, 0, 0xffffffff), NGX_DECLINED,
               "no quality at all");
    tap_is_int(play.generation, 3, "changes nothing");

    play.over = 1;
    tap_is_int(frame(NGX_WEBRTC_RANGE_SEEK_HINT, 0, 0, 1500), NGX_OK,
               "SeekHint");
    tap_is_int(play.ms, 1500, "there");
    tap_is_int(play.over, 0, "after the end too");
    tap_is_int(play.sent_ms, 1500, "nothing has been sent of it");
    tap_is_int(frame(NGX_WEBRTC_RANGE_SEEK_HINT, 0, 0, (uint64_t) -1), NGX_OK,
               "2^64-1 ms");
    tap_ok(play.ms == NGX_WEBRTC_PLAY_LAST, "are the end");

    (void) frame(NGX_WEBRTC_RANGE_SEEK_HINT, 0, 0, 1000);
    ngx_webrtc_play_sent(&play, 3000);
    (void) frame(NGX_WEBRTC_RANGE_CANCEL, 0, 0, 0);

    tap_is_int(ngx_webrtc_play_again(&play), NGX_OK, "a crash");
    tap_is_int(play.ms, 3000, "goes on where it was");
    tap_is_int(play.paused, 1, "paused, as it was");
    tap_is_int(ngx_webrtc_play_again(&play), NGX_OK, "another");
    tap_is_int(ngx_webrtc_play_again(&play), NGX_DECLINED, "a third");
    ngx_webrtc_play_sent(&play, 3500);
    tap_is_int(ngx_webrtc_play_again(&play), NGX_OK, "not after a fragment");

    play.generation = 0xffffffff;
    (void) frame(NGX_WEBRTC_RANGE_SEEK_HINT, 0, 0, 0);
    tap_is_int(play.generation, 1, "numbers begin anew, without 0");

    return tap_done();
}
