
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which stream of a family is for an output: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_choice.h"
#include "ngx_webrtc_output_pick.h"
#include "ngx_webrtc_variants.h"


/* ms for which a variant is wanted at a time: several ticks */
#define NGX_WEBRTC_OUTPUT_PICK_WANTED  2000

/* ms that it goes on without anybody; chosen: as for viewers */
#define NGX_WEBRTC_OUTPUT_PICK_IDLE    10000


static void ngx_webrtc_output_pick_choice(ngx_webrtc_stream_t *st,
    uint32_t codecs, const ngx_webrtc_output_how_t *how,
    ngx_webrtc_output_pick_t *pick, ngx_webrtc_choice_t *choice);
static ngx_webrtc_stream_t *ngx_webrtc_output_pick_variant(
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_webrtc_output_how_t *how, ngx_webrtc_choice_t *choice,
    ngx_log_t *log);


ngx_int_t
ngx_webrtc_output_pick(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    uint32_t codecs, const ngx_webrtc_output_how_t *how, ngx_log_t *log,
    ngx_webrtc_output_pick_t *pick)
{
    ngx_webrtc_choice_t  choice;

    ngx_memzero(pick, sizeof(ngx_webrtc_output_pick_t));

    ngx_webrtc_output_pick_choice(st, codecs, how, pick, &choice);

    switch (choice.what) {

    case NGX_WEBRTC_CHOICE_NONE:
        break;

    case NGX_WEBRTC_CHOICE_VARIANT:
        pick->st = ngx_webrtc_output_pick_variant(bus, st, how, &choice, log);

        pick->cause = (bus->lack == NGX_WEBRTC_LACK_VARIANTS)
                      ? "it has to be encoded, and as many as "
                        "webrtc_max_transcodes are"
                      : "it has to be encoded, and webrtc_zone is full";
        break;

    default: /* NGX_WEBRTC_CHOICE_ORIGINAL */
        ngx_webrtc_bus_hold(bus, st);
        pick->st = st;
    }

    return pick->st ? NGX_OK : NGX_DECLINED;
}


static void
ngx_webrtc_output_pick_choice(ngx_webrtc_stream_t *st, uint32_t codecs,
    const ngx_webrtc_output_how_t *how, ngx_webrtc_output_pick_t *pick,
    ngx_webrtc_choice_t *choice)
{
    ngx_uint_t                   i, n;
    ngx_webrtc_track_t           tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_choice_viewer_t   can;

    n = 0;
    pick->version = ngx_webrtc_bus_tracks(st, tracks, &n);

    for (i = 0; i < n; i++) {
        tracks[i].traits &= NGX_WEBRTC_TRACK_INTERLACED;
        tracks[i].depth = 8;
        tracks[i].chroma = NGX_WEBRTC_CHROMA_420;

        if (tracks[i].kind == NGX_WEBRTC_VIDEO) {
            pick->codec = tracks[i].codec;
        }
    }

    ngx_memzero(&can, sizeof(ngx_webrtc_choice_viewer_t));

    can.video = 1;
    can.codecs = codecs;

    ngx_webrtc_choice(tracks, n, &can, how->transcode, &how->variant, choice);
}


static ngx_webrtc_stream_t *
ngx_webrtc_output_pick_variant(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_webrtc_output_how_t *how, ngx_webrtc_choice_t *choice,
    ngx_log_t *log)
{
    ngx_webrtc_stream_t  *variant;

    variant = ngx_webrtc_bus_variant(bus, st, &choice->variant,
                                     NGX_WEBRTC_OUTPUT_PICK_IDLE, how->buffer,
                                     how->buffer_max);

    if (variant
        && ngx_webrtc_atomic_swap(&variant->variant_why, choice->reason + 1)
           == 0)
    {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "webrtc stream encoded layer:\"%*s\" why:\"%s\"",
                      (size_t) choice->variant.label_len,
                      choice->variant.label,
                      ngx_webrtc_choice_why(choice->reason));
    }

    return variant;
}


void
ngx_webrtc_output_pick_keep(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_t *picked, ngx_uint_t keep, ngx_log_t *log)
{
    ngx_uint_t  others;

    if (picked == st) {
        return;
    }

    /* a variant that is made is a reader of its parent */

    others = ngx_webrtc_bus_viewers(bus, st)
             + ngx_webrtc_bus_viewers(bus, picked)
             + ngx_webrtc_bus_readers(bus, st);

    if (others && ngx_webrtc_bus_claimed(picked, NULL)) {
        others--;
    }

    if (keep || others) {
        ngx_webrtc_bus_want(picked, ngx_current_msec
                                    + NGX_WEBRTC_OUTPUT_PICK_WANTED);
        ngx_webrtc_variants_check(bus, picked, log);
    }
}
