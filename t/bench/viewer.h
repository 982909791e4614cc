
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A WHEP viewer of the load tools: counts what comes, or checks it.
 */


#ifndef _VIEWER_H_INCLUDED_
#define _VIEWER_H_INCLUDED_


#include "client.h"
#include "stamp.h"


#define VIEWER_SSRCS        4
#define VIEWER_GENERATIONS  16
#define VIEWER_PTS          8


/* stamped packets of one publisher in a row */
typedef struct {
    uint32_t    gen;
    uint8_t     pt;
    uint64_t    packets;
} viewer_gen_t;


/* one RTP stream of a viewer */
typedef struct {
    uint32_t    ssrc;
    uint32_t    ts;                       /* of the last packet */
    uint32_t    checked_ts;               /* of the last one decrypted */
    uint16_t    next;                     /* sequence number expected */
    uint8_t     pt;                       /* of the last packet */
    unsigned    fragment:1;               /* within an FU-A */
    unsigned    marked:1;                 /* last packet ended a frame */
    unsigned    synced:1;                 /* by a sender report */
    unsigned    led:1;                    /* lead_* are set */
    uint64_t    received;
    uint64_t    frame_ns;                 /* when the last frame began */
    uint64_t    gap_ns;                   /* longest time between two */
    uint64_t    ext;                      /* highest number, extended */
    uint64_t    asked;                    /* up to there, by "bad" viewers */
    uint32_t    sr_ts;
    int64_t     sr_us;                    /* wall clock of sr_ts */

    /* checking mode */
    uint64_t    checked;                  /* decrypted */
    uint64_t    breaks;                   /* not the number expected */
    uint64_t    backwards;                /* timestamp below the one before */
    uint64_t    switches;                 /* of the payload type */

    uint64_t    stamped;
    uint64_t    broken;                   /* to be counted unless the next
                                             stamp is of another publisher */
    uint64_t    missing;                  /* stamped packets */
    uint64_t    again;                    /* ones that were there before */
    uint32_t    n;                        /* of the last stamp */
    int64_t     media;                    /* unwrapped timestamp */
    int64_t     lead_min, lead_max;       /* media time less time of sending,
                                             us; of what was sent live */
    uint64_t    late;                     /* ns from sending to our reading,
                                             at most, of such */
    size_t      ngens;
    viewer_gen_t  gens[VIEWER_GENERATIONS];
} viewer_stream_t;


typedef struct {
    uint64_t    packets;
    uint64_t    bytes;
    uint64_t    frames;
    uint64_t    messages;                 /* as UDP_GRO gave them */
    uint64_t    lost;
    uint64_t    reordered;
    uint64_t    rtcp;
    uint64_t    auth_fail;
    uint64_t    broken;                   /* H.264 or timestamps */
    uint64_t    other;
} viewer_counters_t;


typedef struct {
    client_t                c;            /* first */

    viewer_counters_t       n;
    viewer_stream_t         streams[VIEWER_SSRCS];
    size_t                  nstreams;

    unsigned                blind:1;
    unsigned                stamped:1;    /* its arrivals are timed */
    unsigned                keyed:1;

    unsigned                turns;
    double                  packet, key;  /* ms from POST */
} viewer_t;


typedef struct {
    size_t          n, streams, burst, cycles;
    double          churn;
    const char     *codecs;               /* "h264,vp8" */
    int             audio, verify, blind, gro, latency, rcvbuf;

    /* so many say that they have lost so much, and want it again; percent */
    size_t          bad, lose;

    /* of all */
    int             measuring;
    uint64_t        restarts;
    uint64_t        left, ended;          /* cycles */
    bench_values_t  lags;                 /* ms behind the timestamps */
    bench_values_t  latency_ms;           /* ms behind the stamps */
    FILE           *trace;
    viewer_t       *traced;
} viewer_conf_t;

extern viewer_conf_t  viewer_conf;


void viewer_conf_init(void);
void viewer_start(viewer_t *v, size_t id);

/* by DELETE, or without a word but DTLS' close_notify */
void viewer_leave(viewer_t *v, int notify);

/* second: the turn that comes once per second */
void viewer_timer(viewer_t *v, uint64_t now, int second);

/* RFC 4585, 6.3.1, for the video stream */
void viewer_pli(viewer_t *v);


#endif /* _VIEWER_H_INCLUDED_ */
