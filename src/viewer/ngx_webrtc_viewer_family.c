
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which stream of its family a viewer reads.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_family.h"
#include "ngx_webrtc_viewer_switch.h"
#include "ngx_webrtc_bus_variant.h"


static ngx_webrtc_stream_t *ngx_webrtc_viewer_family_layer(
    ngx_webrtc_session_t *s, ngx_webrtc_choice_t *choice);
static void ngx_webrtc_viewer_family_choose(ngx_webrtc_session_t *s,
    ngx_webrtc_choice_t *choice);
static ngx_int_t ngx_webrtc_viewer_family_go(ngx_webrtc_session_t *s,
    ngx_webrtc_choice_t *choice);
static void ngx_webrtc_viewer_family_plays(ngx_webrtc_viewer_t *v);


ngx_int_t
ngx_webrtc_viewer_family_begin(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;
    ngx_webrtc_choice_t   choice;

    v = s->part;

    ngx_webrtc_viewer_family_choose(s, &choice);

    if (choice.what == NGX_WEBRTC_CHOICE_LAYER) {
        v->st = ngx_webrtc_viewer_family_layer(s, &choice);

        if (v->st) {
            s->peer->reads = v->st->ref;
            return NGX_OK;
        }
    }

    if (choice.what != NGX_WEBRTC_CHOICE_VARIANT) {

        /* also if nothing plays: another publisher was there when it came */

        ngx_webrtc_bus_hold(s->wk->bus, s->st);
        v->st = s->st;

        return NGX_OK;
    }

    v->st = ngx_webrtc_viewer_family_get(s->wk->bus, s->st, &choice,
                                         &s->peer->policy, &s->log);

    if (v->st == NULL) {
        ngx_webrtc_session_close(s, "no room to encode the stream");
        return NGX_DECLINED;
    }

    s->peer->reads = v->st->ref;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_viewer_family_check(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;
    ngx_webrtc_choice_t   choice;

    v = s->part;

    if (ngx_webrtc_bus_tracks(s->st, NULL, NULL) == v->family
        || ngx_webrtc_bus_state(s->st) != NGX_WEBRTC_STREAM_ACTIVE)
    {
        return NGX_OK;
    }

    ngx_webrtc_viewer_family_choose(s, &choice);

    return ngx_webrtc_viewer_family_go(s, &choice);
}


ngx_webrtc_stream_t *
ngx_webrtc_viewer_family_get(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_choice_t *choice, const ngx_webrtc_policy_t *policy,
    ngx_log_t *log)
{
    ngx_webrtc_stream_t  *variant;

    variant = ngx_webrtc_bus_variant(bus, st, &choice->variant,
                                     NGX_WEBRTC_VIEWER_FAMILY_IDLE,
                                     policy->buffer, policy->buffer_max);
    if (variant == NULL) {
        return NULL;
    }

    /* some worker begins to make it in its next tick, if nobody does */

    ngx_webrtc_bus_want(variant, ngx_current_msec + NGX_WEBRTC_VIEWER_WANTED);

    if (ngx_webrtc_atomic_swap(&variant->variant_why, choice->reason + 1)
        == 0)
    {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "webrtc stream encoded stream:\"%*s\" layer:\"%*s\" "
                      "why:\"%s\"", (size_t) st->name_len, st->name,
                      (size_t) choice->variant.label_len,
                      choice->variant.label,
                      ngx_webrtc_choice_why(choice->reason));
    }

    return variant;
}


ngx_int_t
ngx_webrtc_viewer_family_move(ngx_webrtc_session_t *s, ngx_uint_t hurry)
{
    ngx_webrtc_stream_t            *st;
    ngx_webrtc_choice_t             choice;
    ngx_webrtc_viewer_switch_at_e   at;

    ngx_webrtc_viewer_family_choose(s, &choice);

    switch (choice.what) {

    case NGX_WEBRTC_CHOICE_NONE:
        return NGX_DECLINED;

    case NGX_WEBRTC_CHOICE_ORIGINAL:
        st = s->st;
        ngx_webrtc_bus_hold(s->wk->bus, st);
        break;

    case NGX_WEBRTC_CHOICE_LAYER:
        st = ngx_webrtc_viewer_family_layer(s, &choice);

        if (st == NULL) {
            return NGX_DECLINED;
        }

        break;

    default: /* NGX_WEBRTC_CHOICE_VARIANT */

        st = ngx_webrtc_viewer_family_get(s->wk->bus, s->st, &choice,
                                          &s->peer->policy, &s->log);
        if (st == NULL) {
            return NGX_DECLINED;
        }
    }

    at = hurry ? NGX_WEBRTC_VIEWER_SWITCH_RECENT
               : NGX_WEBRTC_VIEWER_SWITCH_NEXT;

    return (ngx_webrtc_viewer_switch(s, st, at) == NGX_OK) ? NGX_OK
                                                           : NGX_DECLINED;
}


/* Returns it, held, if it comes; or NULL. */

static ngx_webrtc_stream_t *
ngx_webrtc_viewer_family_layer(ngx_webrtc_session_t *s,
    ngx_webrtc_choice_t *choice)
{
    ngx_webrtc_stream_t  *st;

    st = ngx_webrtc_bus_variant_find(s->wk->bus, s->st, &choice->variant);

    if (st && ngx_webrtc_bus_state(st) != NGX_WEBRTC_STREAM_ACTIVE) {
        ngx_webrtc_bus_release(s->wk->bus, st);
        st = NULL;
    }

    if (st) {
        ngx_webrtc_atomic_store(&st->variant_why, choice->reason + 1);
    }

    return st;
}


static void
ngx_webrtc_viewer_family_choose(ngx_webrtc_session_t *s,
    ngx_webrtc_choice_t *choice)
{
    ngx_uint_t                   n;
    ngx_webrtc_track_t           tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_viewer_t         *v;
    ngx_webrtc_choice_viewer_t   can;

    v = s->part;

    n = 0;
    v->family = ngx_webrtc_bus_tracks(s->st, tracks, &n);

    ngx_webrtc_choice_desc(&s->peer->desc, &can);

    ngx_webrtc_choice(tracks, n, &can, s->peer->policy.transcode, v->how,
                      choice);
}


static ngx_int_t
ngx_webrtc_viewer_family_go(ngx_webrtc_session_t *s,
    ngx_webrtc_choice_t *choice)
{
    ngx_webrtc_viewer_t            *v;
    ngx_webrtc_stream_t            *st;
    ngx_webrtc_viewer_switch_at_e   at;

    v = s->part;
    at = NGX_WEBRTC_VIEWER_SWITCH_NEXT;

    switch (choice->what) {

    case NGX_WEBRTC_CHOICE_NONE:

        if (v->st == s->st) {
            ngx_webrtc_session_close(s, "codec of the stream has changed");
            return NGX_DECLINED;
        }

        /* what it reads is made of it all the same */
        return NGX_OK;

    case NGX_WEBRTC_CHOICE_ORIGINAL:
        ngx_webrtc_viewer_family_plays(v);

        st = s->st;
        ngx_webrtc_bus_hold(s->wk->bus, st);
        break;

    case NGX_WEBRTC_CHOICE_LAYER:
        ngx_webrtc_viewer_family_plays(v);

        st = ngx_webrtc_viewer_family_layer(s, choice);

        if (st == NULL) {
            /* the next look at its layers finds another */
            return NGX_OK;
        }

        break;

    default: /* NGX_WEBRTC_CHOICE_VARIANT */

        st = ngx_webrtc_viewer_family_get(s->wk->bus, s->st, choice,
                                          &s->peer->policy, &s->log);
        if (st == NULL) {
            ngx_webrtc_session_close(s, "no room to encode the stream");
            return NGX_DECLINED;
        }

        if (v->st == s->st && choice->reason < NGX_WEBRTC_CHOICE_ALWAYS) {
            v->hushed = 1;
            at = NGX_WEBRTC_VIEWER_SWITCH_ANY;
        }
    }

    if (ngx_webrtc_viewer_switch(s, st, at) != NGX_OK) {
        ngx_webrtc_session_close(s, "no memory");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* what the publisher sends can be played again */

static void
ngx_webrtc_viewer_family_plays(ngx_webrtc_viewer_t *v)
{
    if (v->hushed) {
        v->hushed = 0;
        v->wait_key = v->video;
        v->waits = ngx_current_msec;
    }
}
