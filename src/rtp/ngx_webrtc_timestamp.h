
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * From the timestamps of a source to RTP timestamps, in four pure steps:
 *
 *   unwrap      33 bits (MPEG-TS), 32 bits (RTMP) -> 64 bits
 *   scale       one clock rate -> another, exactly
 *   timeline    the stream's own unbroken time, across sources, restarts and
 *               jumps; and its relation to NTP time for sender reports
 *   order       decoding order with B-frames -> timestamps that only grow
 *
 * and a cast to 32 bits at the very end.
 */


#ifndef _NGX_WEBRTC_TIMESTAMP_H_INCLUDED_
#define _NGX_WEBRTC_TIMESTAMP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Unwrapping.  All zero is the state before the first timestamp.
 */

typedef struct {
    int64_t      last;
    unsigned     set:1;
} ngx_webrtc_ts_unwrap_t;


/*
 * Unwraps by the nearest difference modulo 2^bits to the timestamp before it.
 *
 *   u      one per program, shared by all its tracks: they wrap at the same
 *          time but are not read at the same time
 *   pts    as in the source, or sign-extended: only the low bits count
 *   bits   1..64; 64: taken as it is
 *
 * Returns the 64-bit timestamp, for the first one pts modulo 2^bits; may be
 * negative when a later one lies before a wrap.  At exactly half the range the
 * earlier one is taken.
 */

int64_t ngx_webrtc_ts_unwrap(ngx_webrtc_ts_unwrap_t *u, uint64_t pts,
    ngx_uint_t bits);

/*
 * floor(v * num / den), exact; den > 0.  No intermediate overflows.  A result
 * that does not fit is given modulo 2^64, so its low 32 bits are always right.
 */

int64_t ngx_webrtc_ts_scale(int64_t v, uint32_t num, uint32_t den);


/*
 * The timeline of a stream.
 *
 * Media time starts at the monotonic clock (ngx_webrtc_time.h) when the first
 * packet comes, and from then on is counted by the source's clock.  The RTP
 * timestamp of a packet is its media time in units of the track's clock rate,
 * modulo 2^32:
 *
 *     floor(t * num * rate / den) + offset_ms * rate / 1000
 *
 * t is the source's (unwrapped) timestamp in units of num/den seconds.  The
 * offset is in whole milliseconds, which every RTP clock rate in use divides
 * into whole units, so that one and the same offset is exact for all tracks.
 *
 * A discontinuity changes the offset so that media time advances with the
 * monotonic clock.  There is one when a track's timestamp
 *   - begins a new source (ngx_webrtc_timeline_start), or
 *   - goes back by more than NGX_WEBRTC_TIMELINE_BACK_MS, or
 *   - is more than NGX_WEBRTC_TIMELINE_AHEAD_MS later than both the track's
 *     latest one and what that clock suggests (bursts and pauses are no
 *     discontinuities), or
 *   - is more than NGX_WEBRTC_TIMELINE_LAG_MS behind that clock's progress.
 * The other tracks take the new offset when they reach the discontinuity, so
 * late packets from before it are still placed correctly.
 *
 * Writing.  The timeline lives in shared memory in the stream.  Only the
 * holder of the stream's claim may call start(), track() and map(), in one
 * thread at a time; the hand-over of the claim orders the memory accesses of
 * one writer before those of the next.  A writer may die at any point: every
 * combination of fields is a valid state for the start() of the next one.
 *
 * Reading.  ngx_webrtc_timeline_at() may be called in any thread of any
 * process at any time, on the struct in shared memory: all it reads is `line',
 * one aligned word that is loaded and stored atomically.  There is no lock and
 * no retry, and nothing to wait for if a writer died.  No other field may be
 * read by anyone but the writer, except `jumps', for a status page.
 */

/*
 * chosen: more than the reordering of B-frames (16 frames at 12.5 per second)
 * and less than the shortest clip anyone would loop
 */
#define NGX_WEBRTC_TIMELINE_BACK_MS   2000

/* chosen: more than the distance between tracks in a multiplex */
#define NGX_WEBRTC_TIMELINE_AHEAD_MS  3000

/* chosen: tracks of one new source are this close, or else unrelated */
#define NGX_WEBRTC_TIMELINE_JOIN_MS   10000

/*
 * chosen: far above the lag of a stalled TCP upstream that catches up, and far
 * below half the range of a 90 kHz RTP timestamp (6.6 hours)
 */
#define NGX_WEBRTC_TIMELINE_LAG_MS    3600000

/*
 * The NTP line follows the drift of the source's clock at most this fast: above
 * any crystal's error (100 ppm), and below what would put the reports of two
 * tracks, sent 5 s apart, out of sync by 3 ms
 */
#define NGX_WEBRTC_TIMELINE_SLEW_PPM  500

/* window in which the least delayed packet is looked for; chosen: a segment */
#define NGX_WEBRTC_TIMELINE_WINDOW_US  10000000

#define NGX_WEBRTC_TIMELINE_TRACKS    4

/* added to `line', so that 0 can say "none": 2^62 us are 146000 years */
#define NGX_WEBRTC_TIMELINE_BIAS      ((uint64_t) 1 << 62)


typedef struct {
    uint32_t     rate;            /* RTP clock rate; 0: not in use */
    uint32_t     num;             /* source's timestamps are in units of */
    uint32_t     den;             /* num / den seconds */
    uint32_t     joined;          /* had a packet of this source */
    int64_t      offset_ms;       /* of this track; differs from the timeline's
                                     while only one side of a jump was seen */
    int64_t      newest_ms;       /* latest media time */
    int64_t      newest_us;       /* when it came; 0: no packet ever */
} ngx_webrtc_timeline_track_t;


/* Plain data; all zero is a timeline without history. */

typedef struct {
    uint64_t     line;            /* media time less our clock, us, + BIAS;
                                     0: no packet ever.  Atomic */

    int64_t      offset_ms;       /* newest common offset */
    uint32_t     running;         /* 0: the next packet sets offset_ms */
    uint32_t     jumps;           /* discontinuities, start() not counted */

    int64_t      window_us;       /* when the window began */
    int64_t      best_us;         /* greatest media time less our clock */
    int64_t      target_us;       /* the same of the window before: the line
                                     moves there */
    int64_t      slewed_us;       /* when the line made its last step */

    ngx_webrtc_timeline_track_t  tracks[NGX_WEBRTC_TIMELINE_TRACKS];
} ngx_webrtc_timeline_t;


/* Makes a timeline without history (all zero), before anybody can see it. */

void ngx_webrtc_timeline_init(ngx_webrtc_timeline_t *tl);

/*
 * A new source begins: the first one, a restart, another publisher.  Forgets
 * the clocks of all tracks but keeps media time: the first packet continues it
 * as far as our clock has advanced, the other tracks follow with the same
 * offset.
 */

void ngx_webrtc_timeline_start(ngx_webrtc_timeline_t *tl);

/*
 * Declares the clock of a track.  To be called after start(), before the
 * track's first map(); the source's tracks all count from the same zero.
 *
 *   i          index of the track in the stream, < NGX_WEBRTC_TIMELINE_TRACKS
 *   rate       RTP clock rate
 *   num, den   timestamps given to map() are in units of num/den seconds
 *
 * NGX_OK
 * NGX_DECLINED  index too large, rate no multiple of 1000, num or den 0,
 *               rate * num or 1000 * num above 2^32 - 1
 */

ngx_int_t ngx_webrtc_timeline_track(ngx_webrtc_timeline_t *tl, ngx_uint_t i,
    uint32_t rate, uint32_t num, uint32_t den);

/*
 * The media time of a packet, on the stream's line.
 *
 *   i        a track that ngx_webrtc_timeline_track() returned NGX_OK for
 *   t        the source's timestamp (presentation), unwrapped; one beyond
 *            2^40 s can only be garbage and is taken as 0
 *   now_us   when it came, monotonic clock, > 0.  Packets that were held may
 *            have come before the last one: that counts as no progress
 *
 * Returns it in units of the track's clock rate; the RTP timestamp is
 * ngx_webrtc_timeline_rtp() of it.  After a discontinuity it is later than all
 * the track's earlier times: if one track would step back although the others
 * do not, all are moved forward together.  Within a source it goes back as t
 * does (B-frames): see ngx_webrtc_order().
 */

int64_t ngx_webrtc_timeline_map(ngx_webrtc_timeline_t *tl, ngx_uint_t i,
    int64_t t, int64_t now_us);

#define ngx_webrtc_timeline_rtp(media)  ((uint32_t) (uint64_t) (media))

/*
 * The RTP timestamp of a sender report (RFC 3550, 6.4.1) that is sent now; for
 * any reader (see above).
 *
 *   rate     the track's RTP clock rate
 *   now_us   monotonic clock
 *   rtp      the track's RTP timestamp at that instant, before a viewer's own
 *            offset is added
 *
 * The reports of all tracks lie on one line: rtp is now_us + line in units of
 * the track's clock rate, and the line is the same for all tracks at any
 * instant.  It follows the drift of the source's clock against ours,
 * measured over all tracks together (the least delayed packet of each window),
 * by at most SLEW_PPM; it never jumps, except when it is more than LAG_MS
 * wrong.  A discontinuity does not change it.
 *
 * NGX_OK
 * NGX_AGAIN   there was no packet yet
 */

ngx_int_t ngx_webrtc_timeline_at(ngx_webrtc_timeline_t *tl, uint32_t rate,
    int64_t now_us, uint32_t *rtp);

/*
 * The media time of an RTP timestamp of the timeline, 64 bits, in units of the
 * clock rate, for any reader: all tracks count from the same zero.
 *
 *   rate     the track's RTP clock rate
 *   now_us   monotonic clock when the packet came; hours do not matter
 *   rtp      its timestamp
 */

int64_t ngx_webrtc_timeline_media(ngx_webrtc_timeline_t *tl, uint32_t rate,
    int64_t now_us, uint32_t rtp);

/*
 * Another stream has the timestamps of this one: its reports lie on the same
 * line.
 *
 *   tl     written by the caller alone
 *   from   any timeline
 */

void ngx_webrtc_timeline_follow(ngx_webrtc_timeline_t *tl,
    ngx_webrtc_timeline_t *from);


/*
 * Presentation times of frames in decoding order, made strictly increasing,
 * because viewers get frames in decoding order and must not see time run
 * backwards.  One per track, per source; all zero is the beginning.
 */

typedef struct {
    int64_t      last;
    unsigned     set:1;
    uint64_t     sent;            /* as they were */
    uint64_t     dropped;         /* ORDER_DROP */
    uint64_t     clamped;         /* ORDER_CLAMP */
} ngx_webrtc_order_t;


typedef enum {
    NGX_WEBRTC_ORDER_SEND = 0,
    NGX_WEBRTC_ORDER_DROP,        /* goes backwards, nothing refers to it */
    NGX_WEBRTC_ORDER_CLAMP        /* goes backwards or stands still: *media is
                                     the one before + 1 */
} ngx_webrtc_order_e;


/*
 *   media         in: as from ngx_webrtc_timeline_map(); out: what to send
 *   discardable   from the packetizer's probe; for audio always 1
 *
 * A frame with the time of the one before it (the second field of a picture,
 * a hidden frame) is clamped even when discardable.
 */

ngx_webrtc_order_e ngx_webrtc_order(ngx_webrtc_order_t *o, int64_t *media,
    ngx_uint_t discardable);


#endif /* _NGX_WEBRTC_TIMESTAMP_H_INCLUDED_ */
