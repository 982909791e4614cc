
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the client of a file that is remuxed or transcoded wants: see the header
 * file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_play.h>


static void ngx_webrtc_play_next(ngx_webrtc_play_t *play, uint64_t ms);


void
ngx_webrtc_play_init(ngx_webrtc_play_t *play)
{
    ngx_memzero(play, sizeof(ngx_webrtc_play_t));

    play->generation = 1;
    play->audio = NGX_WEBRTC_PLAY_NONE;
}


ngx_int_t
ngx_webrtc_play_input(ngx_webrtc_play_t *play,
    const ngx_webrtc_range_frame_t *frame)
{
    switch (frame->type) {

    case NGX_WEBRTC_RANGE_CANCEL:

        /* one of an earlier generation has crossed our Init */

        if (frame->id && frame->id != play->generation) {
            return NGX_DECLINED;
        }

        play->paused = 1;
        return NGX_DONE;

    case NGX_WEBRTC_RANGE_SEEK_HINT:
        ngx_webrtc_play_next(play, ngx_min(frame->u.seek_ms,
                                           NGX_WEBRTC_PLAY_LAST));
        return NGX_OK;

    case NGX_WEBRTC_RANGE_QUALITY:

        if (frame->u.index >= NGX_WEBRTC_PLAY_NONE) {
            return NGX_DECLINED;
        }

        if (frame->flags & NGX_WEBRTC_RANGE_TRACK) {
            play->audio = (uint8_t) frame->u.index;

        } else {
            play->quality = (uint8_t) frame->u.index;
        }

        ngx_webrtc_play_next(play, play->sent_ms);

        return NGX_OK;

    default:
        return NGX_DECLINED;
    }
}


static void
ngx_webrtc_play_next(ngx_webrtc_play_t *play, uint64_t ms)
{
    play->generation = (play->generation == 0xffffffff) ? 1
                                                        : play->generation + 1;
    play->ms = ms;
    play->sent_ms = ms;
    play->paused = 0;
    play->over = 0;
}


ngx_int_t
ngx_webrtc_play_again(ngx_webrtc_play_t *play)
{
    ngx_uint_t  paused;

    if (play->tries == NGX_WEBRTC_PLAY_AGAIN) {
        return NGX_DECLINED;
    }

    play->tries++;

    paused = play->paused;
    ngx_webrtc_play_next(play, play->sent_ms);
    play->paused = paused;

    return NGX_OK;
}


void
ngx_webrtc_play_sent(ngx_webrtc_play_t *play, uint64_t ms)
{
    play->sent_ms = ms;
    play->tries = 0;
}
