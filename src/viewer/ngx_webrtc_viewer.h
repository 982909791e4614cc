
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A viewer: a cursor into the packet ring of a stream, and per track the state
 * of its RTP stream.  Nothing is copied except by encryption.
 *
 * What it reads is v->st: the stream of its session, or a variant of that
 * (ngx_webrtc_variant.h).  It may go from one to another and back; they are a
 * family, with the same tracks on the same timeline.
 *
 *   ngx_webrtc_viewer_role.c      start and end
 *   ngx_webrtc_viewer_stream.c    the streams that have viewers in this worker
 *   ngx_webrtc_viewer_track.c     negotiated tracks of the stream
 *   ngx_webrtc_viewer_family.c    which stream of the family it should read
 *   ngx_webrtc_viewer_switch.c    from one to another
 *   ngx_webrtc_viewer_keyframe.c  the key frame to start or resume with
 *   ngx_webrtc_viewer_send.c      from the ring to the port
 *   ngx_webrtc_viewer_pace.c      how much it gets at once
 *   ngx_webrtc_viewer_header.c    headers of outgoing packets
 *   ngx_webrtc_viewer_payload.c   their payloads
 *   ngx_webrtc_viewer_resend.c    packets that it gets once more, and padding
 *   ngx_webrtc_viewer_feedback.c  its reports and requests, and our reports
 *   ngx_webrtc_viewer_bandwidth.c what its path carries
 *   ngx_webrtc_viewer_layers.c    which layer it gets for that
 *   ngx_webrtc_viewer_list.c      of those that there are
 *   ngx_webrtc_viewer_narrow.c    the same where there is only one, if need be
 *   ngx_webrtc_viewer_keys.c      key frames, where these are what is left
 *   ngx_webrtc_viewer_thin.c      frames that are left out
 */


#ifndef _NGX_WEBRTC_VIEWER_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_bus_ring.h"
#include "ngx_webrtc_narrow.h"
#include "ngx_webrtc_repeat.h"
#include "ngx_webrtc_rewrite.h"
#include "ngx_webrtc_report.h"


/* buckets of the table of streams that have viewers here, a power of two;
 * chosen: a few hundred streams stay near one per bucket */
#define NGX_WEBRTC_VIEWER_STREAMS   256

/* packets that a viewer may have resent, at once and per second; chosen: 5 % of
 * 60 Mbit/s, and no more than a fraction of what it is sent anyway */
#define NGX_WEBRTC_VIEWER_RESEND   300

/* least ms between two replays for PLI or FIR of a viewer; more if what is
 * replayed is longer, so that a storm costs at most twice the stream */
#define NGX_WEBRTC_VIEWER_REPLAY   1000


/*
 * reports of a track until a viewer can put it on the other one's clock:
 * libwebrtc draws a line through two
 */
#define NGX_WEBRTC_VIEWER_REPORTS  2

/* ms for which each look at a variant that a viewer waits for keeps it running;
 * chosen: a few ticks of the worker's timer */
#define NGX_WEBRTC_VIEWER_WANTED  1000


typedef struct ngx_webrtc_viewer_worker_s     ngx_webrtc_viewer_worker_t;
typedef struct ngx_webrtc_viewer_bandwidth_s  ngx_webrtc_viewer_bandwidth_t;
typedef struct ngx_webrtc_viewer_layers_s     ngx_webrtc_viewer_layers_t;


/* of frames of the layer that a viewer reads, it gets ... */
typedef enum {
    NGX_WEBRTC_VIEWER_WHOLE = 0,          /* all */
    NGX_WEBRTC_VIEWER_THIN,               /* those that others refer to */
    NGX_WEBRTC_VIEWER_KEYS,               /* key frames */
    NGX_WEBRTC_VIEWER_NONE,               /* none */
    NGX_WEBRTC_VIEWER_THINS
} ngx_webrtc_viewer_thin_e;

/* in "thin" of ngx_webrtc_peer_about_t, from this bit on: what it does not get
 * of NGX_WEBRTC_LAYER_TID and _SID */
#define NGX_WEBRTC_VIEWER_THIN_LAYERS  2


/*
 * A location's layers:
 *
 *   base         what a viewer gets in place of a stream that it cannot play
 *   renditions   n of them, with labels; only what "webrtc_rendition" says
 */
typedef struct {
    const ngx_webrtc_variant_t  *base;
    const ngx_webrtc_variant_t  *renditions;
    ngx_uint_t                   n;
} ngx_webrtc_viewer_family_conf_t;


/*
 *   layers   NGX_OK; NGX_DECLINED: there is no such location (any more), see
 *            ngx_webrtc_peer_t
 */
typedef struct {
    ngx_int_t                  (*layers)(uint32_t location,
                                     ngx_webrtc_viewer_family_conf_t *conf);
} ngx_webrtc_viewer_conf_t;


/* per-worker state of viewers */
struct ngx_webrtc_viewer_worker_s {
    ngx_webrtc_worker_t         *wk;
    ngx_webrtc_viewer_conf_t     conf;
    ngx_uint_t                   writable;    /* bucket that is served first */
    ngx_queue_t                  streams[NGX_WEBRTC_VIEWER_STREAMS];
};


/* viewers of one stream in this worker */
typedef struct {
    ngx_queue_t                  queue;       /* of vw->streams[] */
    ngx_webrtc_stream_t         *st;
    ngx_queue_t                  viewers;
    ngx_queue_t                  coming;      /* from others of the family */
    ngx_queue_t                  held;        /* those held back by pacing */
    ngx_event_t                  pace;        /* runs while there are any */
    ngx_int_t                  (*send)(ngx_webrtc_session_t *s);
                                              /* resumes one of them */
    ngx_webrtc_viewer_worker_t  *vw;
} ngx_webrtc_viewer_stream_t;


/* of a viewer; private */
typedef struct {
    uint32_t                     rate;        /* bytes per ms, 0: no limit */
    uint32_t                     burst;       /* bytes */
    uint32_t                     budget;      /* bytes that may be sent now */
    unsigned                     held:1;      /* in vs->held */
    ngx_msec_t                   filled;      /* time of the budget */
    ngx_queue_t                  queue;       /* of vs->held */
} ngx_webrtc_viewer_pace_t;


typedef struct {
    ngx_webrtc_rewrite_t         rw;
    ngx_webrtc_report_out_t      report;
    uint64_t                     rtx_next;    /* out index of the next RTX */
    uint32_t                     rtx_ssrc;
    uint64_t                     since;       /* index of the first packet of
                                                 this codec */
    uint32_t                     clock_rate;
    ngx_webrtc_desc_media_t     *media;       /* in our slot */
    uint8_t                      kind;
    uint8_t                      codec;
    uint8_t                      rtx_pt;
    uint8_t                      red_pt;      /* or NGX_WEBRTC_DESC_NO_PT */
    uint8_t                      repeats;     /* packets of sound that each one
                                                 repeats */
    uint8_t                      ext_cvo;     /* 0: the viewer has none */
    uint8_t                      ext_playout; /* likewise */
    uint8_t                      ext_stamp;   /* of its bandwidth; likewise */
    uint8_t                      stamp;       /* bytes of that; 0: none */
    uint8_t                      reported;    /* sender reports so far, up to
                                                 NGX_WEBRTC_VIEWER_REPORTS */
    ngx_msec_t                   reported_ms; /* time of the last one */
    uint32_t                     playout;     /* ngx_webrtc_playout.h */
    uint32_t                     from;        /* if held: not sent before this
                                                 timestamp of the stream */
    unsigned                     used:1;
    unsigned                     held:1;
    unsigned                     jump:1;      /* packets were skipped */
    unsigned                     rtx:1;
    unsigned                     repeated:1;  /* there have been any */
    unsigned                     passed:1;    /* the publisher's playout delay
                                                 has been passed on */
} ngx_webrtc_viewer_track_t;


/* of a viewer: the stream that it goes to; private to viewer_switch */
typedef struct {
    ngx_queue_t                  queue;       /* of vs->coming */
    ngx_webrtc_viewer_stream_t  *vs;          /* NULL: it stays */
    uint64_t                     from;        /* key frames from there on will
                                                 do */
    ngx_msec_t                   since;
    ngx_msec_t                   asked;       /* for a key frame, last */
    unsigned                     urgent:1;    /* what it reads does not play */
    uint8_t                      want;        /* as below, of that stream */
} ngx_webrtc_viewer_switch_t;


/* s->part of a viewer */
typedef struct {
    ngx_queue_t                  queue;       /* of vs->viewers */
    ngx_webrtc_session_t        *session;
    ngx_webrtc_stream_t         *st;          /* that it reads, held */
    ngx_webrtc_viewer_stream_t  *vs;          /* its viewers here */
    ngx_webrtc_viewer_switch_t   to;
    const ngx_webrtc_variant_t  *how;         /* it should get: with a label,
                                                 that rendition */
    ngx_webrtc_viewer_bandwidth_t
                                *bw;          /* NULL: nothing follows its
                                                 bandwidth */
    ngx_webrtc_viewer_layers_t  *layers;      /* NULL: there are none */
    uint64_t                     family;      /* version of the tracks of s->st
                                                 that were looked at */
    uint64_t                     cursor;      /* next entry of the ring */
    uint64_t                     audio;       /* entries before it: no audio */
    uint64_t                     tracks_version;    /* of what is in tracks */
    uint64_t                     looked;      /* for video, up to here */
    uint64_t                     keyed;       /* a key frame from there on is
                                                 the one that was asked for */

    ngx_msec_t                   waits;       /* for a key frame, since when */
    ngx_msec_t                   replayed;    /* time of the last replay */
    ngx_msec_t                   pause;       /* ms until the next one */
    ngx_msec_t                   asked_ms;    /* second that is counted */
    ngx_uint_t                   asked;       /* numbers asked for in it */
    ngx_msec_t                   refilled;
    ngx_uint_t                   resends;     /* that may be sent now */

    ngx_webrtc_viewer_pace_t     pace;
    ngx_webrtc_repeat_t          repeat;

    unsigned                     wait_key:1;  /* no video before a key frame */
    unsigned                     want_key:1;  /* the viewer asked for one */
    unsigned                     stalled:1;   /* no replay before video */
    unsigned                     video:1;     /* there is a video track */
    unsigned                     started:1;   /* something was sent */
    unsigned                     fresh:1;     /* its first reports are due */
    unsigned                     hushed:1;    /* no video: it does not play */
    unsigned                     choked:1;    /* no video: over TCP, it does
                                                 not take what it is sent */
    unsigned                     thin:2;      /* ngx_webrtc_viewer_thin_e */
    unsigned                     partial:1;   /* frames are left out */
    unsigned                     cut:1;       /* so is the present one */
    unsigned                     push:1;      /* another server, which keeps
                                                 what it gets */
    unsigned                     dark:1;      /* no sound before a picture */
    unsigned                     asking:1;    /* for a key frame, while what
                                                 there is goes on */

    /* private to viewer_thin: NGX_WEBRTC_LAYER_TID and _SID, the highest layers
     * that it should get, and that it gets; and the frame they are of */
    uint8_t                      want;
    uint8_t                      has;
    uint32_t                     frame_ts;

    /* by track of the stream */
    ngx_webrtc_viewer_track_t    tracks[NGX_WEBRTC_TRACKS];

    /* behind what each packet needs: private to viewer_narrow */
    ngx_webrtc_narrow_t          narrow;
    ngx_msec_t                   calm;        /* ms without trouble after which
                                                 its path is not looked at any
                                                 more */
} ngx_webrtc_viewer_t;


#define ngx_webrtc_viewer_worker(wk)                                          \
    ((ngx_webrtc_viewer_worker_t *) (wk)->roles[NGX_WEBRTC_PEER_PLAY].state)


#endif /* _NGX_WEBRTC_VIEWER_H_INCLUDED_ */
