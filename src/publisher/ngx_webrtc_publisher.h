
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher: state shared by its parts.
 *
 *   ngx_webrtc_publisher_role.c      start, end and timer
 *   ngx_webrtc_publisher_track.c     its m-lines, as tracks of the stream
 *   ngx_webrtc_publisher_in.c        its packets, until they are in the ring
 *   ngx_webrtc_publisher_ring.c      when viewers see them, and for how long
 *   ngx_webrtc_publisher_feedback.c  RTCP in both directions
 *   ngx_webrtc_publisher_timer.c     when something is due
 */


#ifndef _NGX_WEBRTC_PUBLISHER_H_INCLUDED_
#define _NGX_WEBRTC_PUBLISHER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_bus_ring.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_padding.h"
#include "ngx_webrtc_bitrate.h"
#include "ngx_webrtc_nack.h"
#include "ngx_webrtc_reorder.h"
#include "ngx_webrtc_report.h"
#include "ngx_webrtc_rtx.h"
#include "ngx_webrtc_sync.h"
#include "ngx_webrtc_twcc.h"


/* us between receiver reports; chosen: RFC 3550's minimum for small sessions
 * is 5 s, libwebrtc's for video 1 s */
#define NGX_WEBRTC_PUBLISHER_REPORT    1000000

/* SSRCs of media that are remembered: the tracks', and as many earlier ones;
 * must be more than tracks */
#define NGX_WEBRTC_PUBLISHER_SSRCS     (2 * NGX_WEBRTC_TRACKS)


typedef struct ngx_webrtc_publisher_s  ngx_webrtc_publisher_t;


#define ngx_webrtc_publisher_worker(wk)                                       \
    ((ngx_webrtc_publisher_worker_t *)                                        \
     (wk)->roles[NGX_WEBRTC_PEER_PUBLISH].state)


/* one m-line */
typedef struct {
    ngx_webrtc_desc_media_t     *media;       /* in our slot; NULL: unused */
    ngx_webrtc_session_t        *session;
    uint8_t                      track;       /* of the stream */
    uint32_t                     ssrc;        /* of its packets, 0: none yet */
    uint64_t                     changed_us;  /* when it last changed */
    uint64_t                     switched_us; /* its codec, first of these */
    ngx_uint_t                   switches;

    void                        *mem;         /* of reorder */
    ngx_webrtc_reorder_t         reorder;
    uint64_t                     held_us;     /* its next timeout, or 0 */
    ngx_webrtc_nack_t            nack;
    ngx_webrtc_depay_t           depay;
    ngx_webrtc_report_in_t       report;

    ngx_webrtc_order_t           order;
    int64_t                      ts;          /* of the frame, media time */
    uint32_t                     rtp_ts;      /* as received */
    ngx_webrtc_padding_t         padding;
    uint32_t                     npackets;    /* of the frame so far */
    uint8_t                      cvo;         /* of its frames now */
    unsigned                     framed:1;    /* there was a frame */
    unsigned                     told:1;      /* cvo, by the last packet */
    unsigned                     drop:1;      /* the frame: time runs back */
    unsigned                     open:1;      /* video: the last packet did not
                                                 end its frame */
} ngx_webrtc_publisher_track_t;


/* an SSRC of media that was seen */
typedef struct {
    uint32_t                     ssrc;
    uint16_t                     n;           /* of tracks */
    uint16_t                     seq;         /* newest */
} ngx_webrtc_publisher_ssrc_t;


/* per-worker state of publishers */
typedef struct {
    ngx_queue_t                  dirty;       /* have written, in this batch */
} ngx_webrtc_publisher_worker_t;


/* s->part of a publisher */
struct ngx_webrtc_publisher_s {
    ngx_webrtc_session_t        *session;
    ngx_queue_t                  queue;       /* of pw->dirty */

    ngx_webrtc_publisher_track_t tracks[NGX_WEBRTC_DESC_MEDIA];
    ngx_uint_t                   ntracks;

    ngx_webrtc_publisher_ssrc_t  ssrcs[NGX_WEBRTC_PUBLISHER_SSRCS];
    ngx_uint_t                   nssrcs;

    ngx_webrtc_ring_writer_t     writer;
    ngx_webrtc_rtx_t             rtx;
    ngx_webrtc_sync_t            sync;
    ngx_webrtc_twcc_t            twcc;
    ngx_webrtc_bitrate_t         bitrate;

    ngx_webrtc_track_t           stream[NGX_WEBRTC_TRACKS];
    ngx_uint_t                   nstream;

    ngx_event_t                  timer;
    ngx_uint_t                   tries;

    uint32_t                     ssrc;        /* ours, of reports */
    uint64_t                     first_us;    /* first packet, 0: none */
    uint64_t                     last_us;     /* last one, or its claim */
    uint64_t                     reported_us;
    uint64_t                     asked_us;    /* last request for a key frame */
    uint64_t                     waits_us;    /* first of those since the last
                                                 key frame, or 0 */
    uint8_t                      fir_seq;

    unsigned                     claimed:1;
    unsigned                     queued:1;    /* in pw->dirty */
    unsigned                     video:1;
    unsigned                     want_key:1;
    unsigned                     dirty:1;     /* written, not flushed */
    unsigned                     news:1;      /* tracks have changed */
    unsigned                     key:1;       /* a key frame was written */
    unsigned                     reordered:1; /* B-frames were logged */
    unsigned                     large:1;     /* so were too large pictures */
    unsigned                     rsize:1;     /* all that have transport-wide
                                                 feedback have rtcp-rsize */
    unsigned                     deaf:1;      /* ignores key frame requests */
    unsigned                     answers:1;   /* sends key frames when asked */

    uint64_t                     full_us;     /* until then the ring cannot
                                                 grow; 0: it may */
    uint64_t                     dry_us;      /* no ring since then, or 0 */
    ngx_webrtc_ring_key_e        told;        /* of its key frame, last seen */
};


#endif /* _NGX_WEBRTC_PUBLISHER_H_INCLUDED_ */
