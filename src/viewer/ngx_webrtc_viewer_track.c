
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The tracks of a viewer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_track.h"
#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_track.h"


static void ngx_webrtc_viewer_track_warn_turned(ngx_webrtc_session_t *s,
    ngx_uint_t cvo);


void
ngx_webrtc_viewer_track_init(ngx_webrtc_session_t *s)
{
    ngx_uint_t                  i;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_desc_media_t    *m;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;

    for (i = 0; i < s->peer->desc.nmedia; i++) {
        m = &s->peer->desc.media[i];

        if (!m->sending || m->track >= NGX_WEBRTC_TRACKS) {
            continue;
        }

        t = &v->tracks[m->track];

        t->used = 1;
        t->jump = 1;
        t->media = m;
        t->since = ngx_webrtc_atomic_load(&v->st->since[m->track]);
        t->kind = m->kind;
        t->codec = m->codec;
        t->clock_rate = m->clock_rate;

        ngx_webrtc_rewrite_init(&t->rw, m->ssrc, m->pt,
                                (uint16_t) ngx_random(),
                                (uint32_t) ngx_random());

        t->rtx = (m->rtx_pt != NGX_WEBRTC_DESC_NO_PT);
        t->rtx_pt = m->rtx_pt;
        t->red_pt = m->red_pt;
        t->ext_cvo = m->ext_cvo;
        t->ext_playout = m->ext_playout;
        t->rtx_ssrc = m->rtx_ssrc;
        t->rtx_next = ngx_random() & 0x7fff;

        if (t->kind == NGX_WEBRTC_VIDEO) {
            v->video = 1;
        }
    }

    ngx_webrtc_viewer_track_playout(s);
}


/*
 * The location's, else the publisher's.  The latter may change, and then a
 * packet that is sent again would be another one: not without RTX.
 */

void
ngx_webrtc_viewer_track_playout(ngx_webrtc_session_t *s)
{
    uint32_t                    value;
    ngx_uint_t                  i;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (t->ext_playout == 0) {
            continue;
        }

        value = s->peer->about->playout;

        if (value == 0 && t->rtx) {
            value = ngx_webrtc_atomic_load(&v->st->playout);
            t->passed |= (value != 0);
        }

        t->playout = value;
    }
}


ngx_uint_t
ngx_webrtc_viewer_track_may(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_track_t *track)
{
    ngx_webrtc_desc_alt_t  alt;

    return track->kind == t->kind && track->clock_rate == t->clock_rate
           && ngx_webrtc_desc_codec(t->media, track->codec, &alt) == NGX_OK;
}


void
ngx_webrtc_viewer_track_take(ngx_webrtc_viewer_track_t *t,
    ngx_webrtc_track_t *track)
{
    ngx_webrtc_desc_alt_t  alt;

    if (ngx_webrtc_desc_codec(t->media, track->codec, &alt) != NGX_OK) {
        return;
    }

    t->codec = alt.codec;
    t->held = 0;
    t->rw.pt = alt.pt;
    t->rtx = (alt.rtx_pt != NGX_WEBRTC_DESC_NO_PT);
    t->rtx_pt = alt.rtx_pt;
}


ngx_int_t
ngx_webrtc_viewer_track_changed(ngx_webrtc_session_t *s)
{
    ngx_uint_t                  i, n;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_track_t          tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_viewer_track_t  *t;

    v = s->part;
    v->tracks_version = ngx_webrtc_bus_tracks(v->st, tracks, &n);

    for (i = 0; i < NGX_WEBRTC_TRACKS; i++) {
        t = &v->tracks[i];

        if (!t->used || i >= n || tracks[i].kind == 0
            || (tracks[i].flags & NGX_WEBRTC_TRACK_PENDING)
            || (v->hushed && t->kind == NGX_WEBRTC_VIDEO))
        {
            continue;
        }

        if (tracks[i].cvo && t->ext_cvo == 0) {
            ngx_webrtc_viewer_track_warn_turned(s, tracks[i].cvo);
        }

        if (tracks[i].codec == t->codec
            && tracks[i].clock_rate == t->clock_rate)
        {
            continue;
        }

        if (!ngx_webrtc_viewer_track_may(t, &tracks[i])) {
            ngx_webrtc_session_close(s, "codec of the stream has changed");
            return NGX_DECLINED;
        }

        ngx_webrtc_viewer_track_take(t, &tracks[i]);

        t->jump = 1;
        t->since = ngx_webrtc_atomic_load(&v->st->since[i]);

        if (t->kind == NGX_WEBRTC_VIDEO) {
            v->wait_key = 1;
            v->waits = ngx_current_msec;
        }
    }

    return NGX_OK;
}


/* without the extension for it, the viewer sees the picture rotated */

static void
ngx_webrtc_viewer_track_warn_turned(ngx_webrtc_session_t *s, ngx_uint_t cvo)
{
    ngx_webrtc_bus_complain(s->wk->bus, s->st, NGX_LOG_WARN, &s->log,
                            "viewer sees it turned",
                            "the picture is to be turned by %ui degrees%s, "
                            "and the viewer's offer has no "
                            "\"urn:3gpp:video-orientation\"",
                            (cvo & NGX_WEBRTC_CVO_QUARTERS) * 90,
                            (cvo & NGX_WEBRTC_CVO_FLIP) ? " and flipped" : "");
}
