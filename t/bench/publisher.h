
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A WHIP publisher of the load tools: sends stamped payloads (stamp.h) in the
 * shape of H.264 or VP8 and Opus, at the pace of an encoder; answers NACK, PLI
 * and FIR; counts what it is told.
 */


#ifndef _PUBLISHER_H_INCLUDED_
#define _PUBLISHER_H_INCLUDED_


#include "client.h"
#include "stamp.h"


/* packets that can be sent again, per track; a power of two */
#define PUBLISHER_HISTORY  1024

/* bytes of an RTP packet without protection, at most */
#define PUBLISHER_PACKET   1472


/* an SSRC, with that of its retransmissions */
typedef struct {
    uint32_t        ssrc, rtx_ssrc;
    uint64_t        index, rtx_index;     /* of the next packet */
} publisher_ssrc_t;


/* a packet that was sent */
typedef struct {
    uint64_t        index;                /* rollover counter << 16 | number */
    uint16_t        hdr_n;
    uint16_t        n;                    /* of the payload; 0: none */
    u_char          data[PUBLISHER_PACKET];
} publisher_packet_t;


typedef struct {
    stamp_codec_t   codec;
    uint32_t        ssrc, rtx_ssrc;
    uint8_t         pt;
    uint8_t         rtx;                  /* RTX was negotiated */
    uint64_t        index, rtx_index;     /* of the next packet */
    publisher_ssrc_t  before;             /* the SSRC */
    uint32_t        ts;                   /* of the first frame */
    uint32_t        frame;                /* number of the next one */
    uint32_t        stamps;
    uint64_t        due;                  /* ns, when the next frame is */
    uint64_t        packets, octets;      /* for SR */
    uint32_t        last_ts;
    uint64_t        last_ns;              /* when last_ts was due */
    publisher_packet_t  *history;

    /* of the frame that is being sent */
    stamp_frame_t   f;
    size_t          left;                 /* packets */
    size_t          size;                 /* of a payload */
} publisher_track_t;


typedef struct {
    client_t           c;                 /* first */
    uint32_t           generation;
    publisher_track_t  tracks[2];         /* video, audio */
    unsigned           twcc:1, mid:1;     /* header extensions negotiated */
    uint32_t           want_key;          /* in how many frames; 0: none */
    uint16_t           twcc_seq;
    uint64_t           begun;             /* ns, first packet */
    uint64_t           paced;             /* ns, next part of a frame */
    uint64_t           reported;          /* ns, last SR */
    uint64_t           turns;
    uint64_t           sent;              /* packets */
    const char        *change;            /* what is left of the list */
    uint64_t           changed;           /* packets, when it was */
} publisher_t;


typedef struct {
    size_t          n, cycles;
    uint32_t        generation;           /* of the first publisher */
    stamp_codec_t   codec;
    double          bitrate, fps, key;    /* bits/s, 1/s, s (0: when asked) */
    double          key_factor;           /* key frame : other frame, bytes */
    size_t          size;                 /* bytes of a payload, at most */
    int             audio, rtx;
    int             both;                 /* codecs of video are offered */
    volatile int    mute;                 /* packets of audio, no more; -1: all
                                             that there is */
    uint32_t        late;                 /* frames before a key frame that
                                             is asked for */
    volatile int    deaf;
    int             alone;                /* no feedback is taken but alone in
                                             its datagram */
    size_t          burst;                /* packets at once, 0: the frame */
    double          pace_ms;
    size_t          drop;                 /* of video, every n-th is not
                                             sent; 0: all are */
    size_t          hold;                 /* packets of a cycle, an SSRC */
    const char     *change;               /* of SSRCs */

    /* of all */
    uint64_t        begun, left, ended;   /* cycles */
    uint64_t        changes;
    uint64_t        packets, bytes, frames, keyframes;
    uint64_t        plis, firs, last_pli;
    uint64_t        nacks, resent, unknown, dropped, ignored;
    uint64_t        reports, rembs, feedback, fed, fed_lost;
    double          remb;
    bench_values_t  rtt_ms;
} publisher_conf_t;

extern publisher_conf_t  publisher_conf;


void publisher_start(publisher_t *p, size_t id);

/* by DELETE, or without a word but DTLS' close_notify */
void publisher_leave(publisher_t *p, int notify);

/*
 * Sends what is due.  Returns when it wants to be called next, ns; UINT64_MAX
 * when nothing will be.
 */
uint64_t publisher_pump(publisher_t *p, uint64_t now);

/* about 50 times per second; second: the one that comes once */
void publisher_timer(publisher_t *p, uint64_t now, int second);

/*
 * What stamping, encrypting, sending and the kernel take without a server: n
 * packets from one socket to another, as publisher_pump() sends them and as
 * viewers time them; adds ms.
 */
void publisher_loopback(bench_values_t *ms, size_t n);


#endif /* _PUBLISHER_H_INCLUDED_ */
