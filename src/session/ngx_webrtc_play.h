
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A viewer: a cursor into the packet ring of a stream, and per track what makes
 * an RTP stream of it.  Nothing is copied but by encryption.
 */


#ifndef _NGX_WEBRTC_PLAY_H_INCLUDED_
#define _NGX_WEBRTC_PLAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_worker.h"
#include "ngx_webrtc_play_pace.h"
#include "ngx_webrtc_bus_ring.h"
#include "ngx_webrtc_rtcp.h"
#include "ngx_webrtc_rewrite.h"
#include "ngx_webrtc_report.h"


/* bytes of an RTP header as we send it, without CSRCs, and of its extension
 * where it has one */
#define NGX_WEBRTC_PLAY_HEADER     12
#define NGX_WEBRTC_PLAY_EXTENSION  8

/* packets that a viewer may have sent again: at once, and per second; chosen:
 * 5 % of 60 Mbit/s, and no more than a fraction of what it is sent anyway */
#define NGX_WEBRTC_PLAY_RESEND   300

/* bytes of a session id that make the CNAME: RFC 7022 wants 96 random bits, but
 * the id itself is a secret of its owner */
#define NGX_WEBRTC_PLAY_CNAME    8

/* sequence numbers that a viewer may ask for within a second; chosen: several
 * times what it may get, and cheap */
#define NGX_WEBRTC_PLAY_ASK      2000

/* ms between two replays for PLI or FIR of a viewer, at least; else as long as
 * what is replayed: a storm costs at most twice the stream */
#define NGX_WEBRTC_PLAY_REPLAY   1000

/* ms that a viewer waits for a key frame that the publisher was asked for,
 * before it gets an old one; chosen: two round trips between continents */
#define NGX_WEBRTC_PLAY_WAIT     500


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
    uint8_t                      ext_cvo;     /* 0: the viewer has none */
    unsigned                     used:1;
    unsigned                     jump:1;      /* packets were skipped */
    unsigned                     rtx:1;
} ngx_webrtc_play_track_t;


typedef struct {
    ngx_queue_t                  queue;       /* of ws->viewers */
    ngx_webrtc_worker_stream_t  *ws;          /* NULL: not playing */
    uint64_t                     cursor;      /* next entry of the ring */
    uint64_t                     audio;       /* entries before it: no audio */
    uint64_t                     tracks_version;    /* of what is in tracks */
    uint64_t                     looked;      /* for video, while stalled */

    ngx_msec_t                   waits;       /* for a key frame since then */
    ngx_msec_t                   replayed;    /* time of the last replay */
    ngx_msec_t                   pause;       /* ms until the next one */
    ngx_msec_t                   asked_ms;    /* second that is counted */
    ngx_uint_t                   asked;       /* numbers asked for in it */
    ngx_msec_t                   refilled;
    ngx_uint_t                   resends;     /* that may be sent now */

    ngx_webrtc_play_pace_t       pace;

    unsigned                     wait_key:1;  /* no video before a key frame */
    unsigned                     want_key:1;  /* the viewer asked for one */
    unsigned                     stalled:1;   /* no replay before video */
    unsigned                     video:1;     /* there is a video track */
    unsigned                     started:1;   /* something was sent */

    /* by track of the stream */
    ngx_webrtc_play_track_t      tracks[NGX_WEBRTC_TRACKS];
} ngx_webrtc_play_t;


/*
 * Makes a session that is UP a viewer of its stream and sends what there is.
 *
 * NGX_OK
 * NGX_ERROR  without memory, or the stream's codecs are not those of the answer
 *            any more
 */
ngx_int_t ngx_webrtc_play_start(ngx_webrtc_session_t *s);

/* The viewer leaves.  May be called twice. */
void ngx_webrtc_play_stop(ngx_webrtc_session_t *s);

/* Ends all viewers of a stream in this worker; reason is static text. */
void ngx_webrtc_play_end(ngx_webrtc_worker_stream_t *ws, const char *reason);

/*
 * Sends what is between the viewer's cursor and the head, into the batch.
 *
 * NGX_OK     the cursor is at the head, or a timer goes on with the rest
 * NGX_AGAIN  the port is full
 */
ngx_int_t ngx_webrtc_play_send(ngx_webrtc_session_t *s);

/*
 * Sends to all viewers of a stream what is new, and flushes the port.
 *
 * NGX_OK
 * NGX_AGAIN  a port is full; the next call begins with the viewer that met it
 */
ngx_int_t ngx_webrtc_play_pump(ngx_webrtc_worker_t *wk,
    ngx_webrtc_worker_stream_t *ws);

/* RFC 4585, 6.2.1: packets that the viewer has lost. */
void ngx_webrtc_play_nack(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_fb_t *fb);

/* PLI or FIR: the viewer cannot decode. */
void ngx_webrtc_play_keyframe(ngx_webrtc_session_t *s);

/* A report block of the viewer about one of our tracks. */
void ngx_webrtc_play_report(ngx_webrtc_session_t *s,
    const ngx_webrtc_rtcp_block_t *block);

/* what leaves of a packet in the ring */
typedef struct {
    u_char                      *data;        /* n bytes */
    size_t                       n;
    uint8_t                      pt;
    u_char                       red[NGX_WEBRTC_RING_MAX_PAYLOAD];
} ngx_webrtc_play_payload_t;


/*
 * RED goes to viewers who have negotiated it with their own payload type in its
 * blocks, to others as its primary block.  The same packet always becomes the
 * same bytes.
 *
 *   pkt, payload   of the ring; it may be overwritten meanwhile, which is for
 *                  the caller to check afterwards
 *   pt             of the viewer for the track's codec
 *   out            filled in, data in the ring or in itself
 */
void ngx_webrtc_play_payload(ngx_webrtc_play_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload, ngx_uint_t pt,
    ngx_webrtc_play_payload_t *out);

/*
 * The header of a packet as it leaves: the same one for the same packet.
 *
 *   pt, index, ts, ssrc   what the viewer sees
 *   dst                   ngx_webrtc_play_header_size() bytes
 *
 * Returns its size.
 */
size_t ngx_webrtc_play_header(ngx_webrtc_play_track_t *t,
    ngx_webrtc_ring_packet_t *pkt, ngx_uint_t pt, uint64_t index, uint32_t ts,
    uint32_t ssrc, u_char *dst);
size_t ngx_webrtc_play_header_size(ngx_webrtc_play_track_t *t,
    ngx_webrtc_ring_packet_t *pkt);

/* Says that a viewer who has no extension for it sees the picture turned. */
void ngx_webrtc_play_sideways(ngx_webrtc_session_t *s, ngx_uint_t cvo);

/* Sends the sender reports, when there is something to report. */
void ngx_webrtc_play_send_reports(ngx_webrtc_session_t *s);


#endif /* _NGX_WEBRTC_PLAY_H_INCLUDED_ */
