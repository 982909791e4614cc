
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * An extra block for slots of role NGX_WEBRTC_PEER_FILES: the file, as it was
 * when the offer was answered, and the messages of its signalling, so that any
 * worker can send them as often as asked.
 *
 * Owned by the slot (peer->file) and freed with it.
 */


#ifndef _NGX_WEBRTC_BUS_FILE_H_INCLUDED_
#define _NGX_WEBRTC_BUS_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_peers.h"


/* bytes in front of a message's text: type, length, time */
#define NGX_WEBRTC_FILE_LOG_HEADER       16

/* bytes of all messages of a session; chosen: an answer and 32 candidates */
#define NGX_WEBRTC_FILE_LOG              32768


/* bytes of a plan: ngx_webrtc_movie_plan_write() */
#define NGX_WEBRTC_FILE_PLAN             12


/*
 * Constant once attached, except for the log, which only grows, under the
 * zone's mutex.
 */
typedef struct {
    uint64_t                 dev;             /* identity of the file */
    uint64_t                 ino;
    uint64_t                 size;
    int64_t                  mtime_sec;
    uint32_t                 mtime_nsec;
    uint32_t                 path_len;
    uint64_t                 limit_rate;      /* bytes per s, 0: none */
    uint64_t                 limit_after;

    uint8_t                  playing;         /* remuxed or transcoded, */
    u_char                   plan[NGX_WEBRTC_FILE_PLAN];    /* like that */
    uint32_t                 most;            /* such sessions at once */

    uint32_t                 log_size;        /* room */
    uint32_t                 log_len;         /* used */
} ngx_webrtc_peer_file_t;


/* null-terminated */
#define ngx_webrtc_file_path(f)  ((u_char *) (f) + sizeof(*(f)))

#define ngx_webrtc_file_log(f)                                                \
    (ngx_webrtc_file_path(f) + (f)->path_len + 1)


/* a message of the log */
typedef struct {
    ngx_uint_t               type;            /* NGX_WEBRTC_SIGNAL_* */
    uint64_t                 time_ms;         /* of the Unix epoch */
    ngx_str_t                text;            /* the payload */
} ngx_webrtc_file_message_t;


/*
 * Gives a slot its file.
 *
 *   ref    of a NEW slot that nobody else knows of yet
 *   file   path_len and the fields before it are set
 *   path   path_len bytes
 *   room   bytes for messages, up to NGX_WEBRTC_FILE_LOG
 *
 * NGX_OK
 * NGX_BUSY      file->most such sessions are there already
 * NGX_DECLINED  the zone is full, or the slot is gone
 */
ngx_int_t ngx_webrtc_file_attach(ngx_webrtc_bus_t *bus, uint64_t ref,
    const ngx_webrtc_peer_file_t *file, u_char *path, size_t room);

/*
 * Adds a message, from any worker.
 *
 * NGX_OK
 * NGX_DECLINED  the slot is gone, or there is no room
 */
ngx_int_t ngx_webrtc_file_append(ngx_webrtc_bus_t *bus, uint64_t ref,
    const ngx_webrtc_file_message_t *msg);

/*
 * Copies the messages out.
 *
 *   buf    NGX_WEBRTC_FILE_LOG bytes of room
 *   n      in: bytes copied the last time, out: bytes
 *
 * NGX_OK
 * NGX_AGAIN     nothing new since
 * NGX_DECLINED  the slot is gone, or has no file
 */
ngx_int_t ngx_webrtc_file_copy_log(ngx_webrtc_bus_t *bus, uint64_t ref,
    u_char *buf, size_t *n);

/*
 * Reads the message at p of such a copy.  Returns the position after it, or
 * NULL at the end.
 */
u_char *ngx_webrtc_file_next(u_char *p, u_char *end,
    ngx_webrtc_file_message_t *msg);


#endif /* _NGX_WEBRTC_BUS_FILE_H_INCLUDED_ */
