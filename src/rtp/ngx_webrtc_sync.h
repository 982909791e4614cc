
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Puts the RTP clocks of a publisher's tracks, which start at random values, on
 * one common clock, as ngx_webrtc_timeline_map() requires of its source.
 *
 * A track starts at the arrival of its first packet; one that comes later, as
 * far from its arrival as the others are from theirs by then.  Once sender
 * reports (RFC 3550, 6.4.1) of two tracks are known, they tell how the two
 * relate: one track, the reference, stays as it is, and the others are moved
 * relative to it, by at most NGX_WEBRTC_SYNC_SLEW, so that no viewer sees a
 * jump.  The reference is an audio track, if any: a shift of a few milliseconds
 * is not seen in video, but it is heard in audio.  Without reports, tracks are
 * aligned by the least delayed packets of a window.
 *
 * Pure arithmetic on plain data; times are passed in.
 */


#ifndef _NGX_WEBRTC_SYNC_H_INCLUDED_
#define _NGX_WEBRTC_SYNC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* those of a stream, and layers of one of them, each of which has a clock */
#define NGX_WEBRTC_SYNC_TRACKS   8

/* us per second that a track is moved at most; chosen: 5 percent faster or
 * slower is not seen, and 250 ms are made up in 5 s */
#define NGX_WEBRTC_SYNC_SLEW     50000

/* us; chosen: reports that disagree with the arrivals by more than that are of
 * another clock or wrong */
#define NGX_WEBRTC_SYNC_MAX      3000000

/* us; without reports differences below are left alone; chosen: jitter of
 * the least delayed packets, and not noticed in lip sync (ITU-R BT.1359) */
#define NGX_WEBRTC_SYNC_NOISE    30000

/* us; window of the least delayed packet */
#define NGX_WEBRTC_SYNC_WINDOW   5000000

/* us that a track's time may be before or after the one expected from the
 * arrival: beyond that, its clock has jumped */
#define NGX_WEBRTC_SYNC_LAG      10000000
#define NGX_WEBRTC_SYNC_AHEAD    3000000


/* private */
typedef struct {
    uint32_t     rate;            /* 0: not in use */
    uint8_t      kind;            /* NGX_WEBRTC_AUDIO, NGX_WEBRTC_VIDEO */
    unsigned     started:1;       /* had a packet */
    unsigned     renewed:1;       /* the next one has another clock */
    unsigned     reported:1;      /* sr_* are set, and of this clock */
    unsigned     measured:1;      /* lead_us is set */
    unsigned     windowed:1;      /* best_us is set */

    int64_t      last;            /* unwrapped timestamp of the last packet */
    int64_t      newest;          /* latest time returned, in track units */
    int64_t      base;            /* added to unwrapped ones, in track units */
    int64_t      shift_us;        /* also added, slowly changing */
    int64_t      target_us;       /* what it is to become */
    int64_t      moved_us;        /* when shift_us was changed */

    int64_t      sr_ts;           /* unwrapped timestamp of the newest SR */
    int64_t      sr_us;           /* and its NTP time, us */

    int64_t      window_us;       /* when the window began */
    int64_t      best_us;         /* greatest time less arrival in it, without
                                     shift_us */
    int64_t      lead_us;         /* the same of the window before */
} ngx_webrtc_sync_track_t;


/* Plain data. */
typedef struct {
    ngx_webrtc_sync_track_t  tracks[NGX_WEBRTC_SYNC_TRACKS];
    int64_t                  zero_us;    /* when the first packet came */
    unsigned                 started:1;
    unsigned                 synced:1;   /* by reports, for the status */
    uint32_t                 jumps;      /* of a track's clock, likewise */
} ngx_webrtc_sync_t;


/* a publisher begins */

void ngx_webrtc_sync_init(ngx_webrtc_sync_t *sync);

/*
 * Before a track's first packet.
 *
 *   i      number of the track, < NGX_WEBRTC_SYNC_TRACKS
 *   kind   NGX_WEBRTC_AUDIO, NGX_WEBRTC_VIDEO
 *   rate   RTP clock rate, Hz
 *
 * NGX_OK
 * NGX_DECLINED  index too large or rate 0
 */

ngx_int_t ngx_webrtc_sync_track(ngx_webrtc_sync_t *sync, ngx_uint_t i,
    ngx_uint_t kind, uint32_t rate);

/*
 * Another stream replaces this track's: its SSRC has changed.  The next
 * timestamp is not compared with the previous one, but placed at its arrival;
 * earlier reports no longer count.
 */

void ngx_webrtc_sync_renew(ngx_webrtc_sync_t *sync, ngx_uint_t i);

/*
 * The time of a packet on the publisher's common clock.
 *
 *   i            a track that ngx_webrtc_sync_track() was called for
 *   ts           RTP timestamp as received
 *   arrival_us   when it came in, monotonic clock: that of the timeline
 *
 * Returns it in units of 1/rate s, counted from the same zero in all tracks:
 * for ngx_webrtc_timeline_map() of a track declared with num 1, den rate.
 * Consecutive packets of one timestamp have one time.  When the track's clock
 * jumps, the time continues with the arrivals.
 */

int64_t ngx_webrtc_sync_map(ngx_webrtc_sync_t *sync, ngx_uint_t i, uint32_t ts,
    int64_t arrival_us);

/*
 * A sender report of the publisher.
 *
 *   ntp, rtp   as in it
 *
 * NGX_OK        taken
 * NGX_AGAIN     the track had no packet yet, so this report cannot be used; the
 *               next one will
 * NGX_DECLINED  no NTP time (0: RFC 3550, 6.4.1), or far off the track's
 *               packets
 */

ngx_int_t ngx_webrtc_sync_sr(ngx_webrtc_sync_t *sync, ngx_uint_t i,
    uint64_t ntp, uint32_t rtp);


#endif /* _NGX_WEBRTC_SYNC_H_INCLUDED_ */
