
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file session: application data of DTLS <-> SCTP association <-> channels
 * <-> ranges of one file.  Reads of the file never block the event loop.
 *
 * Memory of a session, in bytes: sizeof(ngx_webrtc_files_t) (6 kB) and what
 * usrsctp and OpenSSL keep while it is idle; up to ngx_webrtc_sctp_assoc_t.high
 * (64 KiB to 8 MiB, depending on its rate) if its peer does not read while
 * ranges are served; one frame for each range that is read by a thread or held
 * back (webrtc_file_ranges of webrtc_file_chunk); 80 for each waiting range;
 * and 512 for each small message that its peer has not acknowledged.
 * All sessions of a worker: webrtc_file_memory, see ngx_webrtc_budget.h.
 *
 *   ngx_webrtc_files_role.c     start and end
 *   ngx_webrtc_files_turn.c     whose turn it is, its timer
 *   ngx_webrtc_files_channel.c  SCTP and its channels
 *   ngx_webrtc_files_read.c     reads, also by threads
 *   ngx_webrtc_files_play.c     what is remuxed or transcoded
 *   ngx_webrtc_files_probe.c    what a file is
 *   ngx_webrtc_files_change.c   the file, and how it changes
 *   ngx_webrtc_files_task.c     tasks for threads
 *   ngx_webrtc_files_account.c  the memory that it holds
 */


#ifndef _NGX_WEBRTC_FILES_H_INCLUDED_
#define _NGX_WEBRTC_FILES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_bus_file.h"
#include "ngx_webrtc_channel.h"
#include "ngx_webrtc_ranges.h"
#include "ngx_webrtc_budget.h"
#include "ngx_webrtc_sctp.h"


/* ms after the answer by which a channel has to be open; the protocol's */
#define NGX_WEBRTC_FILES_OPEN      30000

/* bytes read for a session before others get their turn; chosen: a ms or so */
#define NGX_WEBRTC_FILES_TURN      262144

/* least bytes that a read counts for; chosen: 128 reads are a turn */
#define NGX_WEBRTC_FILES_LEAST     2048

/* file sessions of a worker at most; chosen: 32 bytes each, and far more than
 * one processor serves */
#define NGX_WEBRTC_FILES_SESSIONS  16384

/* bytes that a thread asks the kernel to read ahead; chosen: so that the next
 * reads need no thread */
#define NGX_WEBRTC_FILES_AHEAD     1048576

/* bytes of the file's name in Hello; NAME_MAX */
#define NGX_WEBRTC_FILES_NAME   255

/* milliseconds between looks at a file that is followed: while a range waits
 * for bytes, while it grows, and otherwise; chosen: a fraction of the duration
 * of a recording's fragment, and rare enough for thousands of sessions */
#define NGX_WEBRTC_FILES_LOOK_WAIT   250
#define NGX_WEBRTC_FILES_LOOK_GROW   1000
#define NGX_WEBRTC_FILES_LOOK_IDLE   5000

/* milliseconds until a read is retried that the threads had no room for, first
 * and longest; chosen: a few reads of a disk, what a viewer may notice */
#define NGX_WEBRTC_FILES_AGAIN       10
#define NGX_WEBRTC_FILES_AGAINS      320

/* bytes that a frame has room for */
#define NGX_WEBRTC_FILES_FRAME                                                \
    (NGX_WEBRTC_RANGE_HEADER + NGX_WEBRTC_RANGE_PAYLOAD)


typedef struct ngx_webrtc_files_s       ngx_webrtc_files_t;
typedef struct ngx_webrtc_files_play_s  ngx_webrtc_files_play_t;


typedef struct {
    size_t                       memory;      /* on its way to clients, of all
                                                 sessions of a worker */
    void                       **pools;       /* ngx_thread_pool_t */
    ngx_uint_t                   npools;
} ngx_webrtc_files_conf_t;


/* per-worker state of file sessions */
typedef struct {
    ngx_webrtc_worker_t         *wk;
    ngx_webrtc_files_conf_t      conf;

    /* made by the first one */
    ngx_webrtc_sctp_t           *sctp;
    ngx_event_t                  timer;       /* of SCTP, cancelable */
    u_char                      *frame;       /* what a file is read into */

    ngx_queue_t                  batch;       /* of sessions that packets
                                                 have come for */
    ngx_webrtc_budget_t          memory;      /* on its way to clients */
    ngx_msec_t                   warned;      /* when there was too little */
} ngx_webrtc_files_worker_t;


#define ngx_webrtc_files_worker(wk)                                           \
    ((ngx_webrtc_files_worker_t *) (wk)->roles[NGX_WEBRTC_PEER_FILES].state)


/* a channel that ranges are served on */
typedef struct {
    ngx_webrtc_files_t          *files;
    ngx_webrtc_channel_t        *ch;
    ngx_webrtc_ranges_t          ranges;
    uint64_t                     serial;      /* tasks of an old one end */

    ngx_webrtc_ranges_read_t     read;        /* of held */
    u_char                      *held;        /* a frame without room for it */
    size_t                       nheld;

    ngx_webrtc_ranges_read_t     refused;     /* by threads, */
    ngx_msec_t                   again;       /* when it is tried again, */
    ngx_msec_t                   pause;       /* the delay; 0: none refused */

    ngx_webrtc_files_play_t     *play;        /* it is remuxed, or NULL */

    unsigned                     hello:1;     /* has to be sent */
    unsigned                     full:1;      /* wait for room */
} ngx_webrtc_files_channel_t;


/* s->part of a file session */
struct ngx_webrtc_files_s {
    ngx_webrtc_session_t        *session;     /* NULL: only tasks are left */
    ngx_webrtc_files_worker_t   *fw;
    ngx_fd_t                     fd;
    ngx_webrtc_peer_file_t       file;        /* a copy */
    ngx_webrtc_policy_t          policy;      /* of the slot, a copy */

    ngx_webrtc_sctp_assoc_t      assoc;
    ngx_queue_t                  queue;       /* in fw->batch, if batched */
    ngx_webrtc_channels_t        channels;
    ngx_webrtc_channel_t         slots[NGX_WEBRTC_CHANNELS];
    ngx_webrtc_files_channel_t  *served[NGX_WEBRTC_CHANNELS];
    ngx_webrtc_ranges_slots_t    active;
    ngx_uint_t                   turn;        /* of served */
    uint64_t                     serial;

    ngx_event_t                  pump;        /* posted */
    ngx_event_t                  timer;       /* the earliest deadline */
    ngx_uint_t                   tasks;       /* of threads, not finished, */
    ngx_uint_t                   reading;     /* of them: reads */

    uint64_t                     size;        /* of the file, as told */
    ngx_msec_t                   grown;       /* when last seen to grow */
    ngx_msec_t                   looked;      /* when last checked */

    ngx_webrtc_files_channel_t  *playing;     /* that which has play, or NULL */
    size_t                       kept;        /* bytes of it, without room */

    uint64_t                     after;       /* bytes left before the limit */
    ngx_webrtc_budget_account_t  account;     /* what is on its way */

    int64_t                      credit;      /* bytes that may be read now */
    ngx_msec_t                   credited;    /* time it was filled up to */

    size_t                       name_len;
    u_char                       name[NGX_WEBRTC_FILES_NAME + 1];

    unsigned                     sctp:1;      /* assoc is initialized */
    unsigned                     batched:1;   /* packets have come */
    unsigned                     opened:1;    /* there was a channel */
    unsigned                     changed:1;   /* since the file was opened */
    unsigned                     nowait:1;    /* RWF_NOWAIT works here */
    unsigned                     growing:1;   /* the file, as told */
    unsigned                     looking:1;   /* a task checks the file */
};


/* Something has happened: posts the pump. */
#define ngx_webrtc_files_wake(f)                                              \
    if (!(f)->pump.posted) {                                                  \
        ngx_post_event(&(f)->pump, &ngx_posted_events);                       \
    }

/* Not zero if nothing is served and all has been acknowledged. */
#define ngx_webrtc_files_idle(f)                                              \
    ((f)->assoc.buffered == 0 && (f)->active.active == 0)


#endif /* _NGX_WEBRTC_FILES_H_INCLUDED_ */
