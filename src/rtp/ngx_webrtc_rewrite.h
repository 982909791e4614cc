
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a viewer sees of a track: the packets of a ring, numbered per track by
 * 64-bit indexes and stamped on the stream's timeline, become one RTP stream
 * with unbroken sequence numbers and its own SSRC and timestamp offset, across
 * jumps to a key frame and replays of a group of pictures.  Also the reverse:
 * from a sequence number in a NACK to the packet in the ring.
 *
 * Everything here is deterministic: a packet that is sent again has the same
 * index, timestamp and payload type as before, or is not sent at all (SRTP
 * relies on it, see ngx_webrtc_srtp_protect()).
 *
 * Nothing here allocates or fails.  RFC 3550, RFC 3711 (index), RFC 4588.
 */


#ifndef _NGX_WEBRTC_REWRITE_H_INCLUDED_
#define _NGX_WEBRTC_REWRITE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* segments kept; chosen: a NACK reaches back about a second, and more jumps
 * in a second are not worth supporting */
#define NGX_WEBRTC_REWRITE_SEGMENTS  4

/* 90 kHz ticks that a replay is squeezed into; chosen: 100 ms is not visible as
 * fast-forward and is more than a jitter buffer delays */
#define NGX_WEBRTC_REWRITE_REPLAY    9000

/* how much a replay is squeezed at most; chosen: frames of 120 per second, 750
 * ticks apart, stay apart.  A replay of over 51 s takes more than 100 ms */
#define NGX_WEBRTC_REWRITE_SQUEEZE   512


/*
 * Packets between two jumps: out index - track index is constant.  A replay
 * maps timestamps from [in_ts, live_ts] to [out_ts, live_ts], linearly.
 */
typedef struct {
    uint64_t  first_out;             /* index of its first packet, outside */
    uint64_t  first_track;           /* and in the ring */
    uint64_t  replay_until;          /* track index, exclusive; or 0 */
    uint64_t  clamped_until;         /* track index, exclusive; or 0 */
    uint32_t  in_ts;
    uint32_t  out_ts;
    uint32_t  live_ts;
    uint8_t   pt;
    uint8_t   open;                  /* behind live_ts timestamps are kept */
} ngx_webrtc_rewrite_segment_t;


/* earlier segments, of a track that jumps often: frames are left out of it */
#define NGX_WEBRTC_REWRITE_PAST      64

typedef struct {
    uint64_t  first_out;             /* as above */
    uint64_t  first_track;
    uint8_t   pt;
    uint8_t   plain;                 /* timestamps were those of the ring */
} ngx_webrtc_rewrite_past_t;


/* private except for the first group */
typedef struct {
    uint32_t  ssrc;
    uint32_t  ts_offset;             /* RTP = timeline + this, modulo 2^32 */
    uint32_t  room;                  /* ticks that a replay is squeezed into,
                                      * NGX_WEBRTC_REWRITE_REPLAY at first */
    uint8_t   pt;                    /* of what is sent next; may only be set
                                      * before a jump, start or replay */
    uint8_t   nsegments;
    uint8_t   current;
    unsigned  sent:1;                /* last_ts is valid */
    unsigned  frame:1;               /* last_in_ts is of this segment */
    unsigned  clamping:1;            /* last_ts is ahead of the timeline */

    uint32_t  last_in_ts;            /* of the last packet mapped: as it came */
    uint32_t  last_ts;               /* and as it left, without offset */
    uint64_t  next;                  /* out index of the next packet */

    ngx_webrtc_rewrite_past_t  *past;    /* the caller's, or NULL */
    uint8_t   npast;
    uint8_t   newest;                /* of past */

    ngx_webrtc_rewrite_segment_t  segments[NGX_WEBRTC_REWRITE_SEGMENTS];
} ngx_webrtc_rewrite_t;


/*
 *   seq          random; 15 bits of it are the first sequence number, so that
 *                the first rollover is not lost when the first packets are
 *                (RFC 3711, 3.3.1)
 *   ts_offset    random, or 0
 */
void ngx_webrtc_rewrite_init(ngx_webrtc_rewrite_t *rw, uint32_t ssrc,
    ngx_uint_t pt, uint16_t seq, uint32_t ts_offset);

/*
 * Segments that there is no room for go there, so that more of what was sent
 * can be looked up.
 *
 *   past   NGX_WEBRTC_REWRITE_PAST of them, for as long as rw is used; NULL: no
 *          more
 */
void ngx_webrtc_rewrite_remember(ngx_webrtc_rewrite_t *rw,
    ngx_webrtc_rewrite_past_t *past);

/*
 * The next packet to be sent is `track_index` of the ring: at the start, after
 * skipped packets (a lapped reader, dropped frames) and on a change of the
 * payload type.  The sequence numbers go on without a gap; so do the timestamps
 * of a replay, or of what catches up, that the packet is of.
 */
void ngx_webrtc_rewrite_jump(ngx_webrtc_rewrite_t *rw, uint64_t track_index);

#define ngx_webrtc_rewrite_start  ngx_webrtc_rewrite_jump

/*
 * The track's indexes start over (another ring, a source that restarts its
 * count): nothing sent so far may be looked up any more, as the same index
 * would yield another packet under a used SRTP index.  A jump, start or replay
 * has to follow; sequence numbers go on.
 */
void ngx_webrtc_rewrite_forget(ngx_webrtc_rewrite_t *rw);

/*
 * A jump to a key frame in the past that is followed by what is already in the
 * ring: its timestamps are squeezed into the NGX_WEBRTC_REWRITE_REPLAY ticks
 * before live_ts (if they span more), but after those sent so far.
 *
 *   track_index    first packet of the key frame
 *   ts             its timestamp on the timeline
 *   until_index    first track index behind the replay: the ring's head
 *   live_ts        timestamp of the last packet of the replay
 *
 * NGX_OK
 * NGX_AGAIN     there is not enough room between what has been sent and live_ts
 *               (the viewer is at the live point): nothing is changed; try
 *               again when there is a newer frame
 * NGX_DECLINED  ts is after live_ts or until_index is not after track_index
 */
ngx_int_t ngx_webrtc_rewrite_replay(ngx_webrtc_rewrite_t *rw,
    uint64_t track_index, uint32_t ts, uint64_t until_index,
    uint32_t live_ts);

/*
 * The track goes on in another ring of the same timeline, with its packet
 * track_index, a key frame of a variant for instance.  Nothing sent so far may
 * be looked up any more; sequence numbers go on.  What has been sent may be
 * ahead of it, by what it takes to encode: then it catches up, at twice the
 * speed, until its timestamps are the ring's again.
 *
 *   ts    of that packet on the timeline
 */
void ngx_webrtc_rewrite_follow(ngx_webrtc_rewrite_t *rw, uint64_t track_index,
    uint32_t ts);

/*
 * The packet at track_index is being sent.  To be called with ascending
 * indexes; one that is left out looks like a loss to the viewer (which may
 * request it); use a jump to avoid that.
 *
 *   ts           its timestamp on the timeline
 *   out_index    out: rollover counter << 16 | sequence number
 *   out_ts       out: RTP timestamp.  It grows by at least 1 from frame to
 *                frame (of different ts), within and behind a replay
 *
 * NGX_OK
 * NGX_DECLINED  before the last jump or packet, or there was no start
 */
ngx_int_t ngx_webrtc_rewrite_map(ngx_webrtc_rewrite_t *rw,
    uint64_t track_index, uint32_t ts, uint64_t *out_index, uint32_t *out_ts);

/*
 * Which packet had this sequence number?
 *
 *   seq            from a NACK
 *   track_index    out: for ngx_webrtc_ring_find()
 *   out_index      out: as it was sent
 *
 * NGX_OK
 * NGX_DECLINED  not sent yet, or forgotten
 */
ngx_int_t ngx_webrtc_rewrite_unmap(const ngx_webrtc_rewrite_t *rw, uint16_t seq,
    uint64_t *track_index, uint64_t *out_index);

/*
 * Timestamp and payload type of a packet that is sent again.
 *
 *   out_index    from ngx_webrtc_rewrite_unmap()
 *   ts           of the packet, from the ring
 *
 * NGX_OK
 * NGX_DECLINED  forgotten, or they are not known any more (frames of a replay
 *               that were closer than it can express): do not send it
 */
ngx_int_t ngx_webrtc_rewrite_remap(const ngx_webrtc_rewrite_t *rw,
    uint64_t out_index, uint32_t ts, uint32_t *out_ts, uint8_t *pt);


#endif /* _NGX_WEBRTC_REWRITE_H_INCLUDED_ */
