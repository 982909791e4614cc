
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTP that somebody sends us, until it is in the ring of a stream: reordering,
 * retransmissions, reports, key frame requests, time.  Of whom the packets
 * are, and how RTCP gets back to him, is its owner's business: a publisher's
 * session (SRTP, an address that was checked) or RTP legs (plain, an address
 * that was pinned).
 *
 *   ngx_webrtc_ingest_life.c      begins, ends, does what is due
 *   ngx_webrtc_ingest_track.c     its m-lines, as tracks of the stream
 *   ngx_webrtc_ingest_rtp.c       its packets, until they are in the ring
 *   ngx_webrtc_ingest_depay.c     what they are
 *   ngx_webrtc_ingest_ext.c       what header extensions say of a packet
 *   ngx_webrtc_ingest_rid.c       of simulcast: which layer they are of
 *   ngx_webrtc_ingest_layers.c    of simulcast: which ring gets which of them
 *   ngx_webrtc_ingest_list.c      what is told of them
 *   ngx_webrtc_ingest_depth.c     layers inside a track
 *   ngx_webrtc_ingest_limit.c     layers that take more than they may
 *   ngx_webrtc_ingest_ring.c      when viewers see them, and for how long
 *   ngx_webrtc_ingest_feedback.c  RTCP in both directions
 *   ngx_webrtc_ingest_timer.c     when something is due
 */


#ifndef _NGX_WEBRTC_INGEST_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_ring.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_padding.h"
#include "ngx_webrtc_bitrate.h"
#include "ngx_webrtc_dd.h"
#include "ngx_webrtc_limit.h"
#include "ngx_webrtc_nack.h"
#include "ngx_webrtc_overuse.h"
#include "ngx_webrtc_reorder.h"
#include "ngx_webrtc_report.h"
#include "ngx_webrtc_rtx.h"
#include "ngx_webrtc_srtp.h"
#include "ngx_webrtc_sync.h"
#include "ngx_webrtc_twcc.h"


/* us between receiver reports; chosen: RFC 3550's minimum for small sessions
 * is 5 s, libwebrtc's for video 1 s */
#define NGX_WEBRTC_INGEST_REPORT    1000000

/* layers of a simulcast, and tracks at most: each layer is one */
#define NGX_WEBRTC_INGEST_LAYERS    NGX_WEBRTC_DESC_RIDS
#define NGX_WEBRTC_INGEST_TRACKS    (NGX_WEBRTC_DESC_MEDIA                     \
                                     + NGX_WEBRTC_INGEST_LAYERS - 1)

/* us between two looks at layers that may have stopped */
#define NGX_WEBRTC_INGEST_LOOK      50000

/* SSRCs of media that are remembered: the tracks', and as many earlier ones;
 * must be more than tracks */
#define NGX_WEBRTC_INGEST_SSRCS     (2 * NGX_WEBRTC_INGEST_TRACKS)


typedef struct ngx_webrtc_ingest_s        ngx_webrtc_ingest_t;
typedef struct ngx_webrtc_ingest_track_s  ngx_webrtc_ingest_track_t;
typedef struct ngx_webrtc_ingest_layer_s  ngx_webrtc_ingest_layer_t;


/* what it needs of its owner; "data" is in->data */
typedef struct {

    /* sends RTCP; NGX_WEBRTC_SRTP_RTCP_TAG bytes behind p, n are free */
    void                   (*send)(void *data, u_char *p, size_t n);

    /* the ring of a stream has been published: wakes viewers */
    void                   (*news)(void *data, ngx_webrtc_stream_t *st);

    /* the sender does something wrong; static text */
    void                   (*complain)(void *data, const char *what);

    /* cannot go on; static text.  Ends nothing before it has returned */
    void                   (*close)(void *data, const char *reason);
} ngx_webrtc_ingest_ops_t;


/* a ring that is written: the stream's, or a layer's */
typedef struct {
    ngx_webrtc_stream_t            *st;       /* claimed; NULL: there is none */
    ngx_webrtc_ring_writer_t        writer;
    ngx_webrtc_track_t              stream[NGX_WEBRTC_TRACKS];
    ngx_uint_t                      nstream;
    ngx_webrtc_ingest_track_t      *from;     /* its video, the first if there
                                                 are several; or NULL */

    uint64_t                        full_us;  /* until then the ring cannot
                                                 grow; 0: it may */
    uint64_t                        dry_us;   /* no ring since then, or 0 */
    ngx_webrtc_ring_key_e           told;     /* of its key frame, last seen */

    unsigned                        dirty:1;  /* written, not flushed */
    unsigned                        news:1;   /* tracks have changed */
    unsigned                        key:1;    /* a key frame was written */
} ngx_webrtc_ingest_out_t;


/* layers inside a track: temporal ones, of each spatial one */
#define NGX_WEBRTC_INGEST_DEPTHS    (NGX_WEBRTC_LAYER_MOST                     \
                                     * NGX_WEBRTC_LAYER_MOST)

/* private to ngx_webrtc_ingest_depth.c */
typedef struct {
    uint64_t                        since_us; /* they are told apart; 0: not */
    uint64_t                        turned_us;
    uint64_t                        bytes[NGX_WEBRTC_INGEST_DEPTHS];
    uint64_t                        taken[NGX_WEBRTC_INGEST_DEPTHS];
                                              /* lately */
} ngx_webrtc_ingest_depth_t;


/* one m-line, or a layer of it */
struct ngx_webrtc_ingest_track_s {
    ngx_webrtc_desc_media_t        *media;    /* in the description */
    ngx_webrtc_ingest_t            *in;
    ngx_webrtc_ingest_layer_t      *layer;    /* NULL: it has none */
    uint8_t                         track;    /* of the stream */
    uint8_t                         clock;    /* of in->sync */
    uint8_t                         nouts;    /* rings that it is written to */
    uint8_t                         most;     /* highest spatial layer that is
                                                 written; 3: all */
    uint8_t                         seen;     /* highest that has come */
    uint64_t                        most_us;  /* when it last changed */
    ngx_webrtc_ingest_out_t        *outs[1 + NGX_WEBRTC_INGEST_LAYERS];
    uint32_t                        ssrc;     /* of its packets, 0: none yet */
    uint64_t                        changed_us;   /* when it last changed */
    uint64_t                        switched_us;  /* its codec, first of
                                                     these */
    ngx_uint_t                      switches;

    void                           *mem;      /* of reorder */
    ngx_webrtc_reorder_t            reorder;
    uint64_t                        held_us;  /* its next timeout, or 0 */
    ngx_webrtc_nack_t               nack;
    ngx_webrtc_depay_t              depay;
    ngx_webrtc_report_in_t          report;

    ngx_webrtc_order_t              order;
    int64_t                         ts;       /* of the frame, media time */
    uint32_t                        rtp_ts;   /* as received */
    ngx_webrtc_padding_t            padding;
    ngx_webrtc_ingest_depth_t       depth;
    ngx_webrtc_dd_t                 dd;
    uint32_t                        npackets; /* of the frame so far */
    uint8_t                         cvo;      /* of its frames now */
    unsigned                        framed:1; /* there was a frame */
    unsigned                        told:1;   /* cvo, by the last packet */
    unsigned                        drop:1;   /* the frame: time runs back */
    unsigned                        open:1;   /* video: the last packet did not
                                                 end its frame */
    unsigned                        want_key:1;
    unsigned                        lacks:1;  /* packets since its last key
                                                 frame: they were lost */
    unsigned                        deaf:1;   /* ignores key frame requests */
    unsigned                        answers:1;    /* sends key frames when
                                                     asked */
    uint8_t                         fir_seq;
    uint64_t                        asked_us; /* last request for a key frame */
    uint64_t                        hush_us;  /* until then there is none */
    uint64_t                        key_us;   /* last key frame */
    uint64_t                        waits_us; /* first of those since the last
                                                 key frame, or 0 */
};


/* a layer of a simulcast */
struct ngx_webrtc_ingest_layer_s {
    ngx_webrtc_ingest_track_t      *t;
    ngx_str_t                       rid;      /* in the description */
    uint32_t                        rtx_ssrc; /* 0: not known yet */
    uint64_t                        last_us;  /* when its last packet came */
    ngx_uint_t                      missed;   /* frames of others since then */
    uint64_t                        lost_us;  /* when packets of it were last
                                                 lost for good, or 0 */
    uint64_t                        beyond_us;    /* until then it is more than
                                                     its path carries */
    uint32_t                        lost;     /* twice as many lately, less
                                                 those that were not */
    uint64_t                        failed_us;    /* no room for its ring */
    uint64_t                        left_us;  /* when it was left out: it is
                                                 still written for those who
                                                 read it; 0: it is not */
    uint64_t                        since_us; /* since when it is live, or else
                                                 comes; 0: it does not */
    uint64_t                        hold_us;  /* how long it has to come before
                                                 it is live again */
    ngx_webrtc_ingest_out_t         out;
    unsigned                        live:1;   /* frames come, and may be
                                                 decoded */
    unsigned                        stopped:1;    /* it has, once */
    unsigned                        broken:1; /* its path no longer carries
                                                 it */
};


/* an SSRC of media that was seen */
typedef struct {
    uint32_t                        ssrc;
    uint16_t                        n;        /* of tracks */
    uint16_t                        seq;      /* newest */
} ngx_webrtc_ingest_ssrc_t;


struct ngx_webrtc_ingest_s {

    /* set by the owner before ngx_webrtc_ingest_begin() */

    const ngx_webrtc_ingest_ops_t  *ops;
    void                           *data;
    const char                     *what;     /* for logs: "publisher" */
    ngx_webrtc_bus_t               *bus;
    ngx_webrtc_stream_t            *st;       /* held and claimed */
    ngx_webrtc_desc_t              *desc;     /* its m-lines */
    ngx_webrtc_policy_t            *policy;
    ngx_webrtc_peer_stat_t         *stat;
    ngx_log_t                      *log;
    ngx_queue_t                    *batch;    /* of those that have written, for
                                                 the end of a batch; or NULL */
    u_char                         *cname;
    size_t                          cname_len;
    ngx_event_t                     timer;    /* handler and data of the
                                                 owner */

    /* private */

    ngx_queue_t                     queue;    /* of batch */

    ngx_webrtc_ingest_track_t      *tracks;   /* room for those there are */
    ngx_uint_t                      ntracks;

    ngx_webrtc_ingest_layer_t       layers[NGX_WEBRTC_INGEST_LAYERS];
    ngx_uint_t                      nlayers;  /* 0: no simulcast */
    ngx_webrtc_limit_t              limits[NGX_WEBRTC_INGEST_LAYERS];
                                              /* of them, or of the spatial
                                                 layers of the only one */
    ngx_webrtc_nack_share_t         share;    /* of what is requested again */
    uint64_t                        checked_us;   /* what has become of them */
    uint64_t                        asked_us;     /* last request for a key
                                                     frame of any */
    uint64_t                        quiet_us;     /* when the best one was
                                                     suspected to have stopped;
                                                     0: never */
    ngx_webrtc_ingest_layer_t      *suspect;      /* which it was; NULL: that is
                                                     decided */
    ngx_webrtc_ingest_layer_t      *heir;     /* that is to replace it on a path
                                                 that has become narrow; NULL:
                                                 it has */
    uint64_t                        listed_us;    /* when that was told */
    int64_t                         frame_in; /* the stream's video: time of its
                                                 frame in the layer, */
    int64_t                         frame;    /* and there */
    int64_t                         floor;    /* what it was when the layer
                                                 changed */

    ngx_webrtc_ingest_ssrc_t        ssrcs[NGX_WEBRTC_INGEST_SSRCS];
    ngx_uint_t                      nssrcs;

    ngx_webrtc_ingest_out_t         out;      /* of the stream */
    ngx_webrtc_rtx_t                rtx;
    ngx_webrtc_sync_t               sync;
    ngx_webrtc_twcc_t               twcc;
    ngx_webrtc_bitrate_t            bitrate;
    ngx_webrtc_overuse_t            overuse;

    uint32_t                        ssrc;     /* ours, of reports */
    uint64_t                        first_us; /* first packet, 0: none */
    uint64_t                        last_us;  /* last one, or the beginning */
    uint64_t                        reported_us;

    unsigned                        limited:1;    /* some layer is */
    unsigned                        warned:1; /* of one that took more */
    unsigned                        queued:1; /* in batch */
    unsigned                        video:1;
    unsigned                        reordered:1;  /* B-frames were logged */
    unsigned                        large:1;  /* so were too large pictures */
    unsigned                        rsize:1;  /* all that have transport-wide
                                                 feedback have rtcp-rsize */
};


#endif /* _NGX_WEBRTC_INGEST_H_INCLUDED_ */
