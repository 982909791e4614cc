
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The clocks, and conversions between microseconds and the NTP formats of
 * RFC 3550, 4.
 *
 * There are two clocks.  All durations and deadlines use the monotonic one,
 * which is never set and is the same in all processes of the machine, so that
 * its times may be kept in the zone.  In milliseconds it is ngx_current_msec.
 * The wall clock is only for what the outside sees: NTP times of reports, logs,
 * validity of certificates.
 *
 * No other file reads the system's clocks.  The protocol engines never read a
 * clock: the time is passed to them.
 */


#ifndef _NGX_WEBRTC_TIME_H_INCLUDED_
#define _NGX_WEBRTC_TIME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* seconds from 1900-01-01 to 1970-01-01, RFC 868 */
#define NGX_WEBRTC_NTP_EPOCH  2208988800ULL


/*
 * Stores the offset of the wall clock from the monotonic one, once, when the
 * process starts.  Later changes of the wall clock are ignored: otherwise
 * peers would see sender reports jump and round trips of hours (libwebrtc does
 * the same).
 */
void ngx_webrtc_time_init(void);

/* The monotonic clock, microseconds, > 0; in any thread. */
uint64_t ngx_webrtc_time_now(void);

/*
 * The wall clock at an instant of the monotonic one (as of
 * ngx_webrtc_time_now()): microseconds since the Unix epoch.
 */
uint64_t ngx_webrtc_time_wall(uint64_t us);


/*
 * Microseconds since the Unix epoch -> NTP timestamp, 32.32 fixed point, the
 * fraction rounded down.  Seconds are taken modulo 2^32: RFC 5905, 6, eras;
 * era 1 begins 2036-02-07.
 */

static ngx_inline uint64_t
ngx_webrtc_time_ntp(uint64_t us)
{
    uint64_t  sec, frac;

    sec = us / 1000000 + NGX_WEBRTC_NTP_EPOCH;
    frac = ((us % 1000000) << 32) / 1000000;

    return (sec << 32) | frac;
}


/*
 * NTP timestamp -> microseconds since the Unix epoch, rounded to the nearest,
 * so that it reverses ngx_webrtc_time_ntp() exactly.  Timestamps with
 * the top bit clear are of era 1 (2036 to 2104), as in RFC 4330, 3.
 */

static ngx_inline uint64_t
ngx_webrtc_time_from_ntp(uint64_t ntp)
{
    uint64_t  sec, us;

    sec = ntp >> 32;

    if (sec < 0x80000000) {
        sec += (uint64_t) 1 << 32;
    }

    us = ((ntp & 0xffffffff) * 1000000 + 0x80000000) >> 32;

    return (sec - NGX_WEBRTC_NTP_EPOCH) * 1000000 + us;
}


/* RFC 3550, 6.4.1: the middle 32 bits, as in LSR */

static ngx_inline uint32_t
ngx_webrtc_time_compact(uint64_t ntp)
{
    return (uint32_t) (ntp >> 16);
}


/* a duration in 1/65536 s (DLSR, RTT) -> microseconds, rounded down */

static ngx_inline uint64_t
ngx_webrtc_time_compact_to_us(uint32_t compact)
{
    return ((uint64_t) compact * 1000000) >> 16;
}


/* a duration in microseconds -> 1/65536 s, rounded down, at most 2^32 - 1 */

static ngx_inline uint32_t
ngx_webrtc_time_us_to_compact(uint64_t us)
{
    uint64_t  sec;

    sec = us / 1000000;

    if (sec > 0xffff) {
        return 0xffffffff;
    }

    return (uint32_t) ((sec << 16) | (((us % 1000000) << 16) / 1000000));
}


/*
 * Microseconds since the Unix epoch -> the 24-bit 6.18 fixed point value of
 * the RTP header extension abs-send-time.
 */

static ngx_inline uint32_t
ngx_webrtc_time_abs_send(uint64_t us)
{
    return (uint32_t) (ngx_webrtc_time_ntp(us) >> 14) & 0xffffff;
}


#endif /* _NGX_WEBRTC_TIME_H_INCLUDED_ */
