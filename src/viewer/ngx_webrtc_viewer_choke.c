
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A viewer over a connection (ICE-TCP) that does not take what it is sent.
 *
 * What waits for it would be seen late, and ever later.  So when its backlog is
 * long (ngx_webrtc_tcp_late()) no frame is begun any more.  A frame that has
 * been begun is finished.  Sound goes on, as there is little of it, unless the
 * peer takes nothing at all.  When everything has been taken video resumes with
 * the next key frame, which is asked for; if none comes soon, with the last
 * one, as for everybody who waits (ngx_webrtc_viewer_keyframe.c).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_choke.h"
#include "ngx_webrtc_bus_ring.h"


static void ngx_webrtc_viewer_choke_end(ngx_webrtc_session_t *s);


ngx_int_t
ngx_webrtc_viewer_choke_packet(ngx_webrtc_session_t *s,
    ngx_webrtc_viewer_track_t *t, ngx_webrtc_ring_packet_t *pkt)
{
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    if (t->kind == NGX_WEBRTC_AUDIO) {

        if (s->transport.conn && ngx_webrtc_tcp_full(s->transport.conn)) {
            t->jump = 1;
            return NGX_OK;
        }

        return NGX_DECLINED;
    }

    if (v->choked) {

        /* or it has gone over to UDP */

        if (s->transport.conn == NULL
            || ngx_webrtc_tcp_idle(s->transport.conn))
        {
            ngx_webrtc_viewer_choke_end(s);
        }

    } else if (ngx_webrtc_tcp_late(s->transport.conn)
               && ((pkt->flags & NGX_WEBRTC_PKT_FIRST)
                   || ngx_webrtc_tcp_full(s->transport.conn)))
    {
        v->choked = 1;

        ngx_webrtc_atomic_add(&s->peer->stat.lapped, 1);
        ngx_webrtc_atomic_add(&v->st->stat.lapped, 1);
    }

    if (!v->choked) {
        return NGX_DECLINED;
    }

    t->jump = 1;

    return NGX_OK;
}


static void
ngx_webrtc_viewer_choke_end(ngx_webrtc_session_t *s)
{
    ngx_webrtc_viewer_t  *v;

    v = s->part;

    v->choked = 0;
    v->wait_key = 1;
    v->waits = ngx_current_msec;

    (void) ngx_webrtc_bus_keyframe(s->wk->bus, v->st);
}
