
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How many bytes an association may have in flight: congestion control by
 * delivery rate and delay, see the source file.  It knows neither packets nor
 * timers: acknowledgements and losses are reported to it.
 */


#ifndef _NGX_WEBRTC_SCTP_RATE_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_RATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* rates of the past that are remembered, one per round trip, the best of them
 * counts; chosen: longer than a cycle of probing */
#define NGX_WEBRTC_SCTP_RATES        10


typedef enum {
    NGX_WEBRTC_SCTP_RATE_STARTUP = 0,   /* -> PROBE: the path is full */
    NGX_WEBRTC_SCTP_RATE_PROBE,         /* -> RIVAL: a queue that is not ours */
    NGX_WEBRTC_SCTP_RATE_RIVAL          /* -> PROBE: it is gone, or is none */
} ngx_webrtc_sctp_rate_mode_e;          /* any -> STARTUP: restart() */


/* readable: mode, cwnd, min_ms, ever_ms, srtt_ms, var_ms */
typedef struct {
    ngx_webrtc_sctp_rate_mode_e  mode;
    uint32_t                     cwnd;       /* bytes */
    uint32_t                     max;        /* of cwnd */
    uint32_t                     min_ms;     /* shortest recent round trip, */
    uint32_t                     ever_ms;    /* and of all */
    uint32_t                     srtt_ms;    /* RFC 9260, 6.3.1 */
    uint32_t                     var_ms;

    /* private */
    uint64_t                     min_at;     /* ms: min_ms was seen then */
    uint64_t                     delivered;  /* bytes ever */
    uint64_t                     rates[NGX_WEBRTC_SCTP_RATES];
                                             /* bytes per second */
    uint32_t                     nrates;     /* counted */

    uint64_t                     round_ms;   /* this round began then, */
    uint64_t                     round_from; /* when so many were delivered */
    uint64_t                     round_sent; /* ms: so far it was then */
    uint64_t                     sent_ms;    /* when the latest one was sent
                                                that has arrived */
    uint64_t                     round_lost; /* bytes */
    uint32_t                     round_min;  /* ms, of its round trips, */
    uint64_t                     round_sum;  /* and all of them */
    uint32_t                     samples;
    uint32_t                     longer;     /* of them in a row, in STARTUP */
    uint32_t                     avg_ms;     /* of the round before */

    uint64_t                     best;       /* rate when probing began */
    uint32_t                     extra_ms;   /* of the rate, beyond min_ms, */
    uint32_t                     varies_ms;  /* or this: round trips vary */
    uint32_t                     phase;      /* of a cycle of PROBE */
    uint32_t                     up;         /* percent that it has more */
    uint32_t                     usual;      /* loss when it has not, of 1000 */
    uint32_t                     stale;      /* rounds of no better rate */
    uint32_t                     patience;   /* of queued, until a look */
    uint32_t                     queued;     /* rounds in a row with a queue, */
    uint32_t                     empty;      /* and without */
    uint32_t                     lossy;      /* with heavy loss */

    uint64_t                     look_at;    /* ms: the next look, or its
                                                beginning */
    uint32_t                     doubts;     /* looks in a row: no rival */
    uint32_t                     look;       /* rounds left of one */
    uint32_t                     look_ms;    /* round trips before it */

    double                       window;     /* cwnd of RIVAL, packets */
    double                       top;        /* W_max, */
    double                       k;          /* K, */
    double                       friendly;   /* W_est of RFC 9438 */
    uint64_t                     epoch_ms;
    uint64_t                     cut_from;   /* losses of before are one */

    unsigned                     rtt:1;      /* there was a round trip */
    unsigned                     full:1;     /* STARTUP is ending */
    unsigned                     limited:1;  /* this round was not filled */
} ngx_webrtc_sctp_rate_t;


/* what an acknowledgement tells; ->delivered as of the time of sending is kept
 * with each packet by the caller */
typedef struct {
    size_t      flight;          /* bytes on their way before it */
    size_t      acked;           /* bytes that have arrived, now known */
    uint64_t    acked_prior;     /* the latest of their ->delivered, */
    uint64_t    sent_ms;         /* and when the last one was sent */
    size_t      lost;            /* bytes taken for lost */
    uint64_t    lost_prior;      /* the latest of their ->delivered */
    uint32_t    rtt_ms;          /* measured, if has_rtt, */
    size_t      rtt_flight;      /* with that on its way when it was sent */
    unsigned    has_rtt:1;
} ngx_webrtc_sctp_rate_sample_t;


/* max: bytes that cwnd will have at most */
void ngx_webrtc_sctp_rate_init(ngx_webrtc_sctp_rate_t *r, uint32_t max,
    uint64_t now_ms);

/* Sending resumes after nothing was in flight. */
void ngx_webrtc_sctp_rate_resume(ngx_webrtc_sctp_rate_t *r, uint64_t now_ms);

/* An acknowledgement has come, or something was taken for lost. */
void ngx_webrtc_sctp_rate_update(ngx_webrtc_sctp_rate_t *r,
    const ngx_webrtc_sctp_rate_sample_t *sample, uint64_t now_ms);

/* Nothing has come back for long: persistent congestion, RFC 9002, 7.6. */
void ngx_webrtc_sctp_rate_restart(ngx_webrtc_sctp_rate_t *r,
    uint64_t now_ms);

/* Bytes per second that arrive; 0: not known yet. */
uint64_t ngx_webrtc_sctp_rate_best(ngx_webrtc_sctp_rate_t *r);


#endif /* _NGX_WEBRTC_SCTP_RATE_H_INCLUDED_ */
