
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file session: what its parts share.
 *
 *   ngx_webrtc_files.c          comes, goes, whose turn it is, its timer
 *   ngx_webrtc_files_channel.c  SCTP and its channels
 *   ngx_webrtc_files_read.c     reads, by threads, too
 *   ngx_webrtc_files_change.c   the file, and how it changes
 */


#ifndef _NGX_WEBRTC_FILES_RUN_H_INCLUDED_
#define _NGX_WEBRTC_FILES_RUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_files.h"
#include "ngx_webrtc_bus_file.h"
#include "ngx_webrtc_channel.h"
#include "ngx_webrtc_ranges.h"
#include "ngx_webrtc_memory.h"
#include "ngx_webrtc_sctp.h"


/* bytes of the file's name in Hello; NAME_MAX */
#define NGX_WEBRTC_FILES_NAME   255

/* milliseconds between looks at a file that is followed: while a range waits
 * for bytes, while it grows, and otherwise; chosen: a part of what a fragment
 * of a recording takes, and rare enough for thousands of sessions */
#define NGX_WEBRTC_FILES_LOOK_WAIT   250
#define NGX_WEBRTC_FILES_LOOK_GROW   1000
#define NGX_WEBRTC_FILES_LOOK_IDLE   5000

/* bytes that a frame has room for */
#define NGX_WEBRTC_FILES_FRAME                                                \
    (NGX_WEBRTC_RANGE_HEADER + NGX_WEBRTC_RANGE_PAYLOAD)


typedef struct ngx_webrtc_files_s  ngx_webrtc_files_t;


/* what a worker keeps for its file sessions */
typedef struct {
    ngx_webrtc_worker_t         *wk;
    ngx_webrtc_files_conf_t      conf;

    /* made by the first one */
    ngx_webrtc_sctp_t           *sctp;
    ngx_event_t                  timer;       /* of SCTP, cancelable */
    u_char                      *frame;       /* what a file is read into */

    ngx_webrtc_memory_t          memory;      /* on its way to clients */
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

    unsigned                     hello:1;     /* is owed */
    unsigned                     full:1;      /* wait for room */
} ngx_webrtc_files_channel_t;


/* s->part of a file session */
struct ngx_webrtc_files_s {
    ngx_webrtc_session_t        *session;     /* NULL: only tasks are left */
    ngx_webrtc_files_worker_t   *fw;
    ngx_fd_t                     fd;
    ngx_webrtc_peer_file_t       file;        /* a copy */

    ngx_webrtc_sctp_assoc_t      assoc;
    ngx_webrtc_channels_t        channels;
    ngx_webrtc_channel_t         slots[NGX_WEBRTC_CHANNELS];
    ngx_webrtc_files_channel_t  *served[NGX_WEBRTC_CHANNELS];
    ngx_webrtc_ranges_slots_t    active;
    ngx_uint_t                   turn;        /* of served */
    uint64_t                     serial;

    ngx_event_t                  pump;        /* posted */
    ngx_event_t                  timer;       /* the earliest deadline */
    ngx_uint_t                   tasks;       /* of threads, under way, */
    ngx_uint_t                   reading;     /* of them: reads */

    uint64_t                     size;        /* of the file, as told */
    ngx_msec_t                   grown;       /* when it was last seen to */
    ngx_msec_t                   looked;      /* at it, if it is followed */

    uint64_t                     after;       /* bytes yet without a limit */
    ngx_webrtc_memory_account_t  account;     /* what is on its way */

    int64_t                      credit;      /* bytes that may be read now */
    ngx_msec_t                   credited;    /* time it was filled up to */

    size_t                       name_len;
    u_char                       name[NGX_WEBRTC_FILES_NAME + 1];

    unsigned                     sctp:1;      /* assoc is initialized */
    unsigned                     opened:1;    /* there was a channel */
    unsigned                     changed:1;   /* the file is another one now */
    unsigned                     nowait:1;    /* RWF_NOWAIT works here */
    unsigned                     growing:1;   /* the file, as told */
    unsigned                     looking:1;   /* a task is */
};


/* Takes the application data of one DTLS record. */
void ngx_webrtc_files_input(ngx_webrtc_session_t *s, u_char *p, size_t n);

/* The session holds more or less: tells the worker, which may end a session,
 * this one, too: nothing is to be done with it afterwards. */
void ngx_webrtc_files_account(ngx_webrtc_files_t *f);

/* Something has happened: posts the pump. */
void ngx_webrtc_files_wake(ngx_webrtc_files_t *f);

/* Not zero if nothing is served and all has been acknowledged. */
ngx_uint_t ngx_webrtc_files_idle(ngx_webrtc_files_t *f);

/* Frees what is left when the session has ended and no task is under way. */
void ngx_webrtc_files_free(ngx_webrtc_files_t *f);

/*
 * Makes the association and sends its INIT.
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_files_associate(ngx_webrtc_files_t *f);

/* Sets the worker's one timer of SCTP. */
void ngx_webrtc_files_sctp_arm(ngx_webrtc_files_worker_t *fw);

/* Reads a chunk; the ranges get it now, or when a thread has read it. */
void ngx_webrtc_files_read(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc, ngx_webrtc_ranges_read_t *read);

#if (NGX_THREADS)

/*
 * A task of a thread, to be posted.
 *
 *   size    bytes of its context, task->ctx, zeroed
 *   room    bytes behind it, not zeroed
 *   done    in the event loop; ev->data is the task
 *
 * Returns NULL if there is no memory, or no pool.
 */
ngx_thread_task_t *ngx_webrtc_files_task(ngx_webrtc_files_t *f, size_t size,
    size_t room, void (*handler)(void *data, ngx_log_t *log),
    ngx_event_handler_pt done);

/* NGX_OK; NGX_DECLINED: no pool takes it, and it has been freed */
ngx_int_t ngx_webrtc_files_post(ngx_webrtc_files_t *f,
    ngx_thread_task_t *task);

/*
 * A task is done; to be freed by the caller, with ngx_free().
 *
 * NGX_OK
 * NGX_DECLINED  the session is not up any more, and f may be gone
 */
ngx_int_t ngx_webrtc_files_returned(ngx_webrtc_files_t *f);

#endif

/*
 * Opens the file; all rules were applied when the offer was answered, so it has
 * to be that one.
 *
 *   path   null-terminated
 *
 * NGX_OK, NGX_DECLINED
 */
ngx_int_t ngx_webrtc_files_open(ngx_webrtc_files_t *f, u_char *path);

/*
 * Something has been read: may it be sent?
 *
 *   fi     the file after that, or NULL: is looked at now
 *   told   f->size when the read began
 *
 * NGX_OK
 * NGX_DECLINED  the file has changed: all ranges have ended with status 3
 */
ngx_int_t ngx_webrtc_files_check(ngx_webrtc_files_t *f, ngx_file_info_t *fi,
    uint64_t told);

/* A file that is followed: when to look at it, and to do so. */
ngx_msec_t ngx_webrtc_files_look_at(ngx_webrtc_files_t *f);
void ngx_webrtc_files_look(ngx_webrtc_files_t *f);


#endif /* _NGX_WEBRTC_FILES_RUN_H_INCLUDED_ */
