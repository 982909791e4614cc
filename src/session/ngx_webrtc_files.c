
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file session.  It wires engines that know nothing of each other:
 *
 *   DTLS -> ngx_webrtc_sctp -> ngx_webrtc_channel -> ngx_webrtc_ranges
 *                                       |                 which bytes next
 *   DTLS <- packets <- message <- frame +--- file: pread, or a thread
 *
 * Who runs when.  Whatever comes in (a packet, room in the association, a read
 * that a thread has done, a deadline) posts one event; ngx_webrtc_files_pump()
 * is the only place that asks ranges for work and reads.  It serves the
 * session's channels in turn, chunk by chunk, and gives way to other sessions
 * after NGX_WEBRTC_FILES_TURN bytes.
 *
 * Reading.  preadv2() with RWF_NOWAIT takes what is in the page cache; what is
 * not is read by nginx's default thread pool, which also makes the kernel read
 * ahead, so that mostly the next reads do not need it.  A thread sees its task
 * and the descriptor.  A session that ends meanwhile leaves its struct and the
 * descriptor to the last of its tasks.
 *
 * What is read ahead.  A message waits for all that SCTP has been given, the
 * first bytes of where a viewer seeks to as well, and it cannot be taken back.
 * So it is given no more than it says that the path is good for (assoc.high);
 * what is not read yet is forgotten with its range.
 *
 * A file that changes.  The descriptor is looked at (fstat) after each read and
 * before what was read is sent: size, time or the last name of the inode being
 * gone (the file was replaced or removed) end all ranges with status 3, now
 * and from then on.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif
#include <sys/uio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_files.h"
#include "ngx_webrtc_bus_file.h"
#include "ngx_webrtc_channel.h"
#include "ngx_webrtc_ranges.h"
#include "ngx_webrtc_sctp.h"


/* bytes of the file's name in Hello; NAME_MAX */
#define NGX_WEBRTC_FILES_NAME   255

/* milliseconds between warnings of too little memory; chosen */
#define NGX_WEBRTC_FILES_WARN   60000

/* bytes that a frame has room for */
#define NGX_WEBRTC_FILES_FRAME                                                \
    (NGX_WEBRTC_RANGE_HEADER + NGX_WEBRTC_RANGE_PAYLOAD)


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


struct ngx_webrtc_files_s {
    ngx_webrtc_session_t        *session;     /* NULL: only tasks are left */
    ngx_webrtc_worker_t         *wk;
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
    ngx_uint_t                   reading;     /* tasks under way */

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
};


#if (NGX_THREADS)

/* a read by a thread */
typedef struct {
    ngx_webrtc_files_t          *files;
    ngx_uint_t                   slot;        /* of served, */
    uint64_t                     serial;      /* if it is still that one */
    ngx_webrtc_ranges_read_t     read;
    ngx_fd_t                     fd;
    size_t                       n;           /* out: bytes read */
    ngx_err_t                    err;
    u_char                      *frame;
} ngx_webrtc_files_task_t;

#endif


static ngx_int_t ngx_webrtc_files_open(ngx_webrtc_files_t *f, u_char *path);
static ngx_int_t ngx_webrtc_files_check(ngx_webrtc_files_t *f);
static void ngx_webrtc_files_set_name(ngx_webrtc_files_t *f, u_char *path);
static ngx_int_t ngx_webrtc_files_associate(ngx_webrtc_files_t *f);
static void ngx_webrtc_files_free(ngx_webrtc_files_t *f);

static void ngx_webrtc_files_sctp_send(void *ctx, u_char *p, size_t n);
static void ngx_webrtc_files_sctp_state(void *ctx,
    ngx_webrtc_sctp_state_e state);
static void ngx_webrtc_files_sctp_message(void *ctx, uint16_t stream,
    uint32_t ppid, u_char *p, size_t n);
static void ngx_webrtc_files_sctp_reset(void *ctx, ngx_uint_t what,
    uint16_t stream);
static void ngx_webrtc_files_sctp_writable(void *ctx);
static void ngx_webrtc_files_sctp_arm(ngx_webrtc_worker_t *wk);
static void ngx_webrtc_files_sctp_timer(ngx_event_t *ev);

static ngx_int_t ngx_webrtc_files_channel_send(void *ctx, uint16_t stream,
    uint32_t ppid, uint8_t type, uint32_t reliability, const u_char *p,
    size_t n);
static ngx_int_t ngx_webrtc_files_channel_reset(void *ctx, uint16_t stream);
static void ngx_webrtc_files_channel_open(void *ctx, ngx_webrtc_channel_t *ch);
static ngx_int_t ngx_webrtc_files_channel_stranger(void *ctx, uint16_t id,
    ngx_uint_t string, u_char *p, size_t n);
static void ngx_webrtc_files_channel_message(void *ctx,
    ngx_webrtc_channel_t *ch, ngx_uint_t string, u_char *p, size_t n);
static void ngx_webrtc_files_channel_closed(void *ctx,
    ngx_webrtc_channel_t *ch);
static ngx_int_t ngx_webrtc_files_range_send(void *ctx, u_char *p, size_t n);

static void ngx_webrtc_files_account(ngx_webrtc_files_t *f);
static void ngx_webrtc_files_laggard(ngx_webrtc_worker_t *wk,
    ngx_webrtc_memory_account_t *last);
static void ngx_webrtc_files_wake(ngx_webrtc_files_t *f);
static void ngx_webrtc_files_pump(ngx_event_t *ev);
static size_t ngx_webrtc_files_step(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc);
static void ngx_webrtc_files_read(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc, ngx_webrtc_ranges_read_t *read);
static void ngx_webrtc_files_data(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc, ngx_webrtc_ranges_read_t *read,
    u_char *frame, size_t n);
static void ngx_webrtc_files_fail(ngx_webrtc_files_t *f);
static void ngx_webrtc_files_pread(ngx_fd_t fd, u_char *p, size_t size,
    uint64_t offset, size_t *n, ngx_err_t *err);
#if (NGX_THREADS)
static ngx_int_t ngx_webrtc_files_post(ngx_webrtc_files_t *f,
    ngx_webrtc_files_channel_t *fc, ngx_webrtc_ranges_read_t *read);
static void ngx_webrtc_files_thread(void *data, ngx_log_t *log);
static void ngx_webrtc_files_thread_done(ngx_event_t *ev);
#endif

static void ngx_webrtc_files_credit(ngx_webrtc_files_t *f);
static void ngx_webrtc_files_arm(ngx_webrtc_files_t *f);
static void ngx_webrtc_files_timer(ngx_event_t *ev);


ngx_int_t
ngx_webrtc_files_start(ngx_webrtc_session_t *s)
{
    ngx_int_t                rc;
    ngx_webrtc_files_t      *f;
    ngx_webrtc_peer_file_t  *file;

    file = s->peer->file;

    if (file == NULL) {
        return NGX_DECLINED;
    }

    f = ngx_calloc(sizeof(ngx_webrtc_files_t), &s->log);
    if (f == NULL) {
        return NGX_ERROR;
    }

    f->session = s;
    f->wk = s->wk;
    f->file = *file;
    f->nowait = 1;

    f->active.max = file->ranges;
    f->after = file->limit_after;
    f->credit = (int64_t) file->limit_rate;
    f->credited = ngx_current_msec;

    f->pump.handler = ngx_webrtc_files_pump;
    f->pump.data = f;
    f->pump.log = &s->log;

    f->timer.handler = ngx_webrtc_files_timer;
    f->timer.data = f;
    f->timer.log = &s->log;

    rc = ngx_webrtc_files_open(f, ngx_webrtc_file_path(file));

    if (rc != NGX_OK) {
        ngx_free(f);
        return rc;
    }

    s->files = f;

    ngx_webrtc_memory_begin(&f->wk->file_memory, &f->account, f,
                            ngx_current_msec);

    ngx_webrtc_files_set_name(f, ngx_webrtc_file_path(file));

    if (ngx_webrtc_files_associate(f) != NGX_OK) {
        ngx_webrtc_files_stop(s);
        return NGX_ERROR;
    }

    ngx_webrtc_files_arm(f);

    return NGX_OK;
}


/* all rules were applied when the offer was answered: it has to be that file */

static ngx_int_t
ngx_webrtc_files_open(ngx_webrtc_files_t *f, u_char *path)
{
    f->fd = ngx_open_file(path, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                          NGX_FILE_OPEN, 0);

    if (f->fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, &f->session->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
        return NGX_DECLINED;
    }

    if (ngx_webrtc_files_check(f) != NGX_OK) {
        (void) ngx_close_file(f->fd);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* NGX_OK if the file is what it was, NGX_DECLINED if not */

static ngx_int_t
ngx_webrtc_files_check(ngx_webrtc_files_t *f)
{
    ngx_file_info_t  fi;

    if (f->changed) {
        return NGX_DECLINED;
    }

    if (ngx_fd_info(f->fd, &fi) == NGX_FILE_ERROR
        || !ngx_is_file(&fi)
        || (uint64_t) fi.st_dev != f->file.dev
        || (uint64_t) fi.st_ino != f->file.ino
        || (uint64_t) fi.st_size != f->file.size
        || (int64_t) fi.st_mtim.tv_sec != f->file.mtime_sec
        || (uint32_t) fi.st_mtim.tv_nsec != f->file.mtime_nsec
        || fi.st_nlink == 0)
    {
        f->changed = 1;

        ngx_log_error(NGX_LOG_INFO, &f->session->log, 0,
                      "webrtc file changed while being served");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* what stands behind the last slash, with all that is not UTF-8 replaced */

static void
ngx_webrtc_files_set_name(ngx_webrtc_files_t *f, u_char *path)
{
    u_char    *p, *end, *last, *start;
    size_t     n;
    uint32_t   c;

    end = path + f->file.path_len;

    for (p = end; p > path && p[-1] != '/'; p--) { /* void */ }

    last = f->name;

    while (p < end && (size_t) (last - f->name) < NGX_WEBRTC_FILES_NAME) {
        start = p;

        if (*p < 0x80) {
            *last++ = *p++;
            continue;
        }

        c = ngx_utf8_decode(&p, end - p);

        if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
            *last++ = '?';
            p = start + 1;
            continue;
        }

        n = p - start;

        if (n > (size_t) (f->name + NGX_WEBRTC_FILES_NAME - last)) {
            break;
        }

        last = ngx_cpymem(last, start, n);
    }

    f->name_len = last - f->name;
}


static ngx_int_t
ngx_webrtc_files_associate(ngx_webrtc_files_t *f)
{
    ngx_webrtc_worker_t        *wk;
    ngx_webrtc_session_t       *s;
    ngx_webrtc_sctp_opts_t      sctp;
    ngx_webrtc_channel_opts_t   channels;

    s = f->session;
    wk = f->wk;

    if (wk->sctp == NULL) {

        wk->sctp = ngx_webrtc_sctp_create(NGX_WEBRTC_FILES_SESSIONS,
                                          NGX_WEBRTC_SCTP_CRC_AUTO,
                                          ngx_current_msec);
        if (wk->sctp == NULL) {
            ngx_log_error(NGX_LOG_CRIT, &s->log, 0, "webrtc sctp init failed");
            return NGX_ERROR;
        }

        wk->sctp_timer.handler = ngx_webrtc_files_sctp_timer;
        wk->sctp_timer.data = wk;
        wk->sctp_timer.log = wk->log;
        wk->sctp_timer.cancelable = 1;
    }

    if (wk->frame == NULL) {
        wk->frame = ngx_alloc(NGX_WEBRTC_FILES_FRAME, wk->log);
        if (wk->frame == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memzero(&sctp, sizeof(ngx_webrtc_sctp_opts_t));

    sctp.remote_port = s->peer->desc.sctp_port;
    sctp.low = NGX_WEBRTC_RANGES_LOW;
    sctp.send = ngx_webrtc_files_sctp_send;
    sctp.state = ngx_webrtc_files_sctp_state;
    sctp.message = ngx_webrtc_files_sctp_message;
    sctp.reset = ngx_webrtc_files_sctp_reset;
    sctp.writable = ngx_webrtc_files_sctp_writable;
    sctp.ctx = f;

    if (ngx_webrtc_sctp_init(&f->assoc, wk->sctp, &sctp) != NGX_OK) {
        return NGX_ERROR;
    }

    f->sctp = 1;

    ngx_memzero(&channels, sizeof(ngx_webrtc_channel_opts_t));

    channels.role = s->peer->desc.dtls_role;
    channels.remote_max = s->peer->desc.max_message;
    channels.slots = f->slots;
    channels.nslots = NGX_WEBRTC_CHANNELS;
    channels.send = ngx_webrtc_files_channel_send;
    channels.reset = ngx_webrtc_files_channel_reset;
    channels.open = ngx_webrtc_files_channel_open;
    channels.stranger = ngx_webrtc_files_channel_stranger;
    channels.message = ngx_webrtc_files_channel_message;
    channels.closed = ngx_webrtc_files_channel_closed;
    channels.ctx = f;

    ngx_webrtc_channels_init(&f->channels, &channels);

    if (ngx_webrtc_sctp_start(&f->assoc, ngx_current_msec) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_webrtc_files_sctp_arm(wk);
    ngx_webrtc_udp_flush(wk->udp);

    return NGX_OK;
}


void
ngx_webrtc_files_stop(ngx_webrtc_session_t *s)
{
    ngx_webrtc_files_t  *f;

    f = s->files;

    if (f == NULL) {
        return;
    }

    if (f->pump.posted) {
        ngx_delete_posted_event(&f->pump);
    }

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    if (f->sctp) {
        ngx_webrtc_channels_down(&f->channels);

        ngx_webrtc_sctp_abort(&f->assoc);
        ngx_webrtc_sctp_cleanup(&f->assoc);
        f->sctp = 0;

        ngx_webrtc_udp_flush(f->wk->udp);
        ngx_webrtc_files_sctp_arm(f->wk);
    }

    ngx_webrtc_memory_end(&f->wk->file_memory, &f->account);

    s->files = NULL;
    f->session = NULL;

    if (f->reading == 0) {
        ngx_webrtc_files_free(f);
    }
}


static void
ngx_webrtc_files_free(ngx_webrtc_files_t *f)
{
    if (ngx_close_file(f->fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, f->wk->log, ngx_errno,
                      ngx_close_file_n " of a file session failed");
    }

    ngx_free(f);
}


void
ngx_webrtc_files_done(ngx_webrtc_worker_t *wk)
{
    if (wk->sctp_timer.timer_set) {
        ngx_del_timer(&wk->sctp_timer);
    }

    if (wk->sctp) {
        ngx_webrtc_sctp_destroy(wk->sctp);
        wk->sctp = NULL;
    }

    if (wk->frame) {
        ngx_free(wk->frame);
        wk->frame = NULL;
    }
}


void
ngx_webrtc_files_input(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    ngx_webrtc_files_t  *f;

    f = s->files;

    if (f == NULL || s->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    if (ngx_webrtc_sctp_input(&f->assoc, p, n, ngx_current_msec) != NGX_OK) {
        ngx_webrtc_session_complain(s, "bad sctp packet");
        return;
    }

    ngx_webrtc_files_sctp_arm(s->wk);
    ngx_webrtc_files_account(f);
}


void
ngx_webrtc_files_tick(ngx_webrtc_worker_t *wk)
{
    ngx_webrtc_files_laggard(wk, ngx_webrtc_memory_laggard(&wk->file_memory,
                                                         ngx_current_msec));

    if (!ngx_webrtc_memory_fell(&wk->file_memory)) {
        return;
    }

#ifdef __GLIBC__

    /* usrsctp's buffers are small pieces all over the heap */

    (void) malloc_trim(0);

#endif
}


/*
 * Tells what the session holds.  When all together hold too much, one of them
 * is ended, which may be this one: nothing is to be done with it afterwards.
 */

static void
ngx_webrtc_files_account(ngx_webrtc_files_t *f)
{
    size_t                        held;
    ngx_webrtc_memory_account_t  *last;

    held = f->assoc.buffered + f->reading * f->file.chunk;

    last = ngx_webrtc_memory_note(&f->wk->file_memory, &f->account, held,
                                  f->assoc.total - f->assoc.buffered,
                                  ngx_current_msec);

    ngx_webrtc_files_laggard(f->wk, last);
}


/* last: the account of a session that has to go, or NULL */

static void
ngx_webrtc_files_laggard(ngx_webrtc_worker_t *wk,
    ngx_webrtc_memory_account_t *last)
{
    ngx_webrtc_files_t  *f;

    if (last == NULL) {
        return;
    }

    f = last->data;

    if (wk->file_warned == 0
        || ngx_current_msec - wk->file_warned >= NGX_WEBRTC_FILES_WARN)
    {
        wk->file_warned = ngx_current_msec;

        ngx_log_error(NGX_LOG_WARN, &f->session->log, 0,
                      "webrtc_file_memory of %uz bytes is used up, "
                      "the slowest file sessions are ended",
                      wk->conf.file_memory);
    }

    ngx_webrtc_session_close(f->session, "webrtc_file_memory is used up");
}


static void
ngx_webrtc_files_sctp_send(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    (void) ngx_webrtc_dtls_send(&f->session->dtls, p, n);
}


static void
ngx_webrtc_files_sctp_state(void *ctx, ngx_webrtc_sctp_state_e state)
{
    ngx_webrtc_files_t *f = ctx;

    switch (state) {

    case NGX_WEBRTC_SCTP_OPEN:
        ngx_webrtc_channels_up(&f->channels, f->assoc.streams);
        break;

    case NGX_WEBRTC_SCTP_CLOSED:
        ngx_webrtc_session_close(f->session, "association closed by peer");
        break;

    case NGX_WEBRTC_SCTP_FAILED:
        ngx_webrtc_session_close(f->session, f->assoc.reason
                                             ? f->assoc.reason
                                             : "association failed");
        break;

    default:
        break;
    }
}


static void
ngx_webrtc_files_sctp_message(void *ctx, uint16_t stream, uint32_t ppid,
    u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_session_t  *s;

    s = f->session;

    ngx_webrtc_atomic_add(&s->peer->stat.packets_in, 1);
    ngx_webrtc_atomic_add(&s->peer->stat.bytes_in, n);

    switch (ngx_webrtc_channels_input(&f->channels, stream, ppid, p, n)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        ngx_webrtc_session_complain(s, "message that is no channel's");
        break;

    default:
        ngx_webrtc_session_close(s, "too many messages to no channel");
        break;
    }
}


static void
ngx_webrtc_files_sctp_reset(void *ctx, ngx_uint_t what, uint16_t stream)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_channels_reset(&f->channels, what, stream);
}


static void
ngx_webrtc_files_sctp_writable(void *ctx)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_channels_writable(&f->channels);
    ngx_webrtc_files_wake(f);
}


/* the worker's one timer of SCTP */

static void
ngx_webrtc_files_sctp_arm(ngx_webrtc_worker_t *wk)
{
    uint64_t      deadline;
    ngx_msec_t    delay;
    ngx_event_t  *ev;

    ev = &wk->sctp_timer;

    deadline = ngx_webrtc_sctp_deadline(wk->sctp);

    if (deadline == NGX_WEBRTC_SCTP_NO_DEADLINE) {
        if (ev->timer_set) {
            ngx_del_timer(ev);
        }

        return;
    }

    delay = ((int64_t) (deadline - ngx_current_msec) > 0)
            ? (ngx_msec_t) (deadline - ngx_current_msec) : 0;

    if (ev->timer_set) {

        if (ev->timer.key == ngx_current_msec + delay) {
            return;
        }

        ngx_del_timer(ev);
    }

    ngx_add_timer(ev, delay);
}


static void
ngx_webrtc_files_sctp_timer(ngx_event_t *ev)
{
    ngx_webrtc_worker_t  *wk;

    wk = ev->data;

    ngx_webrtc_sctp_timeout(wk->sctp, ngx_current_msec);

    ngx_webrtc_udp_flush(wk->udp);
    ngx_webrtc_files_sctp_arm(wk);
}


static ngx_int_t
ngx_webrtc_files_channel_send(void *ctx, uint16_t stream, uint32_t ppid,
    uint8_t type, uint32_t reliability, const u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_sctp_msg_t  msg;

    ngx_memzero(&msg, sizeof(ngx_webrtc_sctp_msg_t));

    msg.stream = stream;
    msg.ppid = ppid;
    msg.unordered = (type & NGX_WEBRTC_DCEP_UNORDERED) ? 1 : 0;
    msg.value = reliability;

    switch (type & ~NGX_WEBRTC_DCEP_UNORDERED) {

    case NGX_WEBRTC_DCEP_REXMIT:
        msg.policy = NGX_WEBRTC_SCTP_REXMIT;
        break;

    case NGX_WEBRTC_DCEP_TIMED:
        msg.policy = NGX_WEBRTC_SCTP_TIMED;
        break;

    default:
        msg.policy = NGX_WEBRTC_SCTP_RELIABLE;
        break;
    }

    return ngx_webrtc_sctp_send(&f->assoc, &msg, p, n, ngx_current_msec);
}


static ngx_int_t
ngx_webrtc_files_channel_reset(void *ctx, uint16_t stream)
{
    ngx_webrtc_files_t *f = ctx;

    return ngx_webrtc_sctp_reset(&f->assoc, stream, ngx_current_msec);
}


static void
ngx_webrtc_files_channel_open(void *ctx, ngx_webrtc_channel_t *ch)
{
    ngx_webrtc_files_t *f = ctx;

    size_t                       chunk;
    ngx_webrtc_ranges_opts_t     opts;
    ngx_webrtc_files_channel_t  *fc;

    static ngx_str_t  protocol = ngx_string("range.v1");

    ch->data = NULL;

    /* frames of a range rely on their order, and on none being lost */

    if (ch->type != NGX_WEBRTC_DCEP_RELIABLE
        || (ch->protocol_len
            && (ch->protocol_len != protocol.len
                || ngx_memcmp(ch->protocol, protocol.data, protocol.len)
                   != 0)))
    {
        ngx_webrtc_session_complain(f->session,
                                    "channel of an unknown protocol, "
                                    "unordered or unreliable");
        ngx_webrtc_channel_close(ch);
        return;
    }

    fc = ngx_calloc(sizeof(ngx_webrtc_files_channel_t), &f->session->log);

    if (fc == NULL) {
        ngx_webrtc_channel_close(ch);
        return;
    }

    ngx_memzero(&opts, sizeof(ngx_webrtc_ranges_opts_t));

    chunk = f->file.chunk;
    chunk = ngx_min(chunk, f->session->peer->desc.max_message
                           - NGX_WEBRTC_RANGE_HEADER);

    opts.size = f->file.size;
    opts.name.data = f->name;
    opts.name.len = f->name_len;
    opts.flags = NGX_WEBRTC_RANGE_SEEKABLE;
    opts.chunk = chunk;
    opts.high = NGX_WEBRTC_RANGES_HIGH;
    opts.low = NGX_WEBRTC_RANGES_LOW;
    opts.wait_ms = NGX_WEBRTC_RANGES_WAIT;
    opts.slots = &f->active;
    opts.send = ngx_webrtc_files_range_send;
    opts.ctx = fc;

    if (ngx_webrtc_ranges_init(&fc->ranges, &opts) != NGX_OK) {
        ngx_free(fc);
        ngx_webrtc_channel_close(ch);
        return;
    }

    fc->files = f;
    fc->ch = ch;
    fc->serial = ++f->serial;
    fc->hello = 1;

    ch->data = fc;
    f->served[ch - f->slots] = fc;

    if (!f->opened) {
        f->opened = 1;

        ngx_log_error(NGX_LOG_INFO, &f->session->log, 0,
                      "webrtc file channel open size:%uL ms:%M",
                      f->file.size, ngx_current_msec
                      - (ngx_msec_t) f->session->peer->created_ms);
    }

    ngx_webrtc_files_wake(f);
}


/*
 * Nothing but a frame of a client tells that there is a negotiated channel; it
 * has to be ordered and reliable, which cannot be seen from here.
 */

static ngx_int_t
ngx_webrtc_files_channel_stranger(void *ctx, uint16_t id, ngx_uint_t string,
    u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_channel_t      *ch;
    ngx_webrtc_range_frame_t   frame;

    if (string || ngx_webrtc_range_parse(p, p + n, &frame) != NGX_OK) {
        return NGX_DECLINED;
    }

    switch (frame.type) {

    case NGX_WEBRTC_RANGE_REQ:
    case NGX_WEBRTC_RANGE_CANCEL:
    case NGX_WEBRTC_RANGE_PING:
    case NGX_WEBRTC_RANGE_SEEK_HINT:
        break;

    default:
        return NGX_DECLINED;
    }

    ch = ngx_webrtc_channel_negotiated(&f->channels, id,
                                       NGX_WEBRTC_DCEP_RELIABLE, 0);
    if (ch == NULL) {
        return NGX_DECLINED;
    }

    ngx_webrtc_files_channel_open(f, ch);

    return NGX_OK;
}


static void
ngx_webrtc_files_channel_message(void *ctx, ngx_webrtc_channel_t *ch,
    ngx_uint_t string, u_char *p, size_t n)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_files_channel_t  *fc;

    fc = ch->data;

    if (fc == NULL) {
        return;
    }

    if (string) {
        ngx_webrtc_ranges_malformed(&fc->ranges);
        ngx_webrtc_session_complain(f->session, "string on a file channel");
        return;
    }

    if (ngx_webrtc_ranges_input(&fc->ranges, p, n, ngx_current_msec)
        == NGX_DECLINED)
    {
        ngx_webrtc_session_complain(f->session, "malformed range frame");
        return;
    }

    ngx_webrtc_files_wake(f);
}


static void
ngx_webrtc_files_channel_closed(void *ctx, ngx_webrtc_channel_t *ch)
{
    ngx_webrtc_files_t *f = ctx;

    ngx_webrtc_files_channel_t  *fc;

    fc = ch->data;

    if (fc == NULL) {
        return;
    }

    ch->data = NULL;
    f->served[ch - f->slots] = NULL;

    ngx_webrtc_ranges_cleanup(&fc->ranges);

    if (fc->held) {
        ngx_free(fc->held);
    }

    ngx_free(fc);

    /* its places are free for the session's other channels */

    if (f->session->state == NGX_WEBRTC_SESSION_UP) {
        ngx_webrtc_files_wake(f);
    }
}


static ngx_int_t
ngx_webrtc_files_range_send(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_files_channel_t *fc = ctx;

    return ngx_webrtc_channel_send(fc->ch, 0, p, n);
}


static void
ngx_webrtc_files_wake(ngx_webrtc_files_t *f)
{
    if (!f->pump.posted) {
        ngx_post_event(&f->pump, &ngx_posted_events);
    }
}


static void
ngx_webrtc_files_pump(ngx_event_t *ev)
{
    size_t                       n, left;
    ngx_uint_t                   idle;
    ngx_webrtc_files_t          *f;
    ngx_webrtc_files_channel_t  *fc;

    f = ev->data;

    if (f->session->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    ngx_webrtc_files_credit(f);

    left = NGX_WEBRTC_FILES_TURN;
    idle = 0;

    while (idle < NGX_WEBRTC_CHANNELS) {

        fc = f->served[f->turn];
        f->turn = (f->turn + 1) % NGX_WEBRTC_CHANNELS;

        n = fc ? ngx_webrtc_files_step(f, fc) : 0;

        if (n == 0) {
            idle++;
            continue;
        }

        idle = 0;

        if (n >= left) {
            /* others first, and what has come in meanwhile */
            ngx_post_event(ev, &ngx_posted_next_events);
            break;
        }

        left -= n;
    }

    ngx_webrtc_udp_flush(f->wk->udp);

    ngx_webrtc_files_sctp_arm(f->wk);
    ngx_webrtc_files_arm(f);
    ngx_webrtc_files_account(f);
}


/* one chunk of a channel; returns 0 when there is nothing to do for it now */

static size_t
ngx_webrtc_files_step(ngx_webrtc_files_t *f, ngx_webrtc_files_channel_t *fc)
{
    size_t                     buffered, unsent, high;
    ngx_int_t                  rc;
    ngx_webrtc_ranges_read_t   read;

    if (fc->hello) {

        if (ngx_webrtc_ranges_hello(&fc->ranges) == NGX_AGAIN) {
            return 0;
        }

        fc->hello = 0;
    }

    if (fc->held) {

        rc = ngx_webrtc_ranges_data(&fc->ranges, &fc->read, fc->held,
                                    fc->nheld, ngx_current_msec);

        if (rc == NGX_AGAIN) {
            return 0;
        }

        ngx_free(fc->held);
        fc->held = NULL;
    }

    if (f->file.limit_rate && f->after == 0 && f->credit <= 0) {
        return 0;
    }

    unsent = fc->full ? ngx_webrtc_sctp_unsent(&f->assoc) : 0;

    /* what threads are reading will be buffered */

    buffered = f->assoc.buffered + f->reading * fc->ranges.opts.chunk;

    high = ngx_webrtc_memory_share(&f->wk->file_memory, &f->account,
                                   NGX_WEBRTC_SCTP_HIGH_MIN, f->assoc.high);

    ngx_webrtc_ranges_marks(&fc->ranges, high, ngx_min(f->assoc.low, high));

    rc = ngx_webrtc_ranges_next(&fc->ranges, buffered, unsent,
                                ngx_current_msec, &read);

    fc->full = (rc == NGX_AGAIN);

    if (fc->full) {
        ngx_webrtc_sctp_wait(&f->assoc);
    }

    if (rc != NGX_OK) {
        return 0;
    }

    if (f->after >= read.length) {
        f->after -= read.length;

    } else {
        f->credit -= read.length - f->after;
        f->after = 0;
    }

    ngx_webrtc_files_read(f, fc, &read);

    return read.length;
}


static void
ngx_webrtc_files_read(ngx_webrtc_files_t *f, ngx_webrtc_files_channel_t *fc,
    ngx_webrtc_ranges_read_t *read)
{
    u_char        *p;
    size_t         done;
    ngx_err_t      err;
#ifdef RWF_NOWAIT
    ssize_t        n;
    struct iovec   iov;
#endif

    p = f->wk->frame + NGX_WEBRTC_RANGE_HEADER;

#ifdef RWF_NOWAIT

    if (f->nowait) {
        iov.iov_base = p;
        iov.iov_len = read->length;

        n = preadv2(f->fd, &iov, 1, (off_t) read->offset, RWF_NOWAIT);

        if (n == (ssize_t) read->length) {
            ngx_webrtc_files_data(f, fc, read, f->wk->frame, n);
            return;
        }

        if (n == -1 && ngx_errno != NGX_EAGAIN && ngx_errno != NGX_EINTR) {

            /* EOPNOTSUPP, ENOSYS, ...: the file system or the kernel cannot */

            f->nowait = 0;
        }
    }

#endif

#if (NGX_THREADS)

    if (ngx_webrtc_files_post(f, fc, read) == NGX_OK) {
        return;
    }

#endif

    ngx_webrtc_files_pread(f->fd, p, read->length, read->offset, &done, &err);

    if (err) {
        ngx_log_error(NGX_LOG_CRIT, &f->session->log, err,
                      "pread() of a file session failed");
    }

    ngx_webrtc_files_data(f, fc, read, f->wk->frame, done);
}


/* bytes of the file have been read, n < read->length: failed */

static void
ngx_webrtc_files_data(ngx_webrtc_files_t *f, ngx_webrtc_files_channel_t *fc,
    ngx_webrtc_ranges_read_t *read, u_char *frame, size_t n)
{
    u_char     *p;
    ngx_int_t   rc;

    if (ngx_webrtc_files_check(f) != NGX_OK) {
        ngx_webrtc_files_fail(f);
        return;
    }

    rc = ngx_webrtc_ranges_data(&fc->ranges, read, frame, n,
                                ngx_current_msec);

    if (rc == NGX_OK) {
        ngx_webrtc_atomic_add(&f->session->peer->stat.packets_out, 1);
        ngx_webrtc_atomic_add(&f->session->peer->stat.bytes_out, n);
        return;
    }

    if (rc != NGX_AGAIN) {
        return;
    }

    /* one is held back at most: nothing is read while there is one */

    p = NULL;

    if (fc->held == NULL) {
        p = ngx_alloc(NGX_WEBRTC_RANGE_HEADER + n, &f->session->log);
    }

    if (p == NULL) {
        ngx_webrtc_ranges_error(&fc->ranges, read, ngx_current_msec);
        return;
    }

    ngx_memcpy(p + NGX_WEBRTC_RANGE_HEADER, frame + NGX_WEBRTC_RANGE_HEADER, n);

    fc->held = p;
    fc->nheld = n;
    fc->read = *read;
}


static void
ngx_webrtc_files_fail(ngx_webrtc_files_t *f)
{
    ngx_uint_t                   i;
    ngx_webrtc_files_channel_t  *fc;

    for (i = 0; i < NGX_WEBRTC_CHANNELS; i++) {
        fc = f->served[i];

        if (fc) {
            ngx_webrtc_ranges_fail(&fc->ranges, ngx_current_msec);
        }
    }
}


/* n is less than size at the end of the file or on an error */

static void
ngx_webrtc_files_pread(ngx_fd_t fd, u_char *p, size_t size, uint64_t offset,
    size_t *n, ngx_err_t *err)
{
    ssize_t  rc;

    *n = 0;
    *err = 0;

    while (*n < size) {
        rc = pread(fd, p + *n, size - *n, (off_t) (offset + *n));

        if (rc == 0) {
            return;
        }

        if (rc == -1) {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            *err = ngx_errno;
            return;
        }

        *n += rc;
    }
}


#if (NGX_THREADS)

static ngx_int_t
ngx_webrtc_files_post(ngx_webrtc_files_t *f, ngx_webrtc_files_channel_t *fc,
    ngx_webrtc_ranges_read_t *read)
{
    ngx_uint_t                 pool;
    ngx_thread_task_t         *task;
    ngx_webrtc_files_task_t   *ft;
    ngx_webrtc_worker_conf_t  *conf;

    conf = &f->wk->conf;

    if (conf->npools == 0) {
        return NGX_DECLINED;
    }

    /* the slot may be of a configuration before ours */

    pool = (f->file.pool < conf->npools) ? f->file.pool : 0;

    task = ngx_alloc(sizeof(ngx_thread_task_t)
                     + sizeof(ngx_webrtc_files_task_t)
                     + NGX_WEBRTC_RANGE_HEADER + read->length,
                     &f->session->log);
    if (task == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(task, sizeof(ngx_thread_task_t)
                      + sizeof(ngx_webrtc_files_task_t));

    ft = (ngx_webrtc_files_task_t *) (task + 1);

    ft->files = f;
    ft->slot = fc->ch - f->slots;
    ft->serial = fc->serial;
    ft->read = *read;
    ft->fd = f->fd;
    ft->frame = (u_char *) (ft + 1);

    task->ctx = ft;
    task->handler = ngx_webrtc_files_thread;
    task->event.data = task;
    task->event.handler = ngx_webrtc_files_thread_done;
    task->event.log = f->wk->log;

    if (ngx_thread_task_post(conf->pools[pool], task) != NGX_OK) {
        ngx_free(task);
        return NGX_DECLINED;
    }

    f->reading++;

    return NGX_OK;
}


/* in a thread */

static void
ngx_webrtc_files_thread(void *data, ngx_log_t *log)
{
    ngx_webrtc_files_task_t *ft = data;

    ngx_webrtc_files_pread(ft->fd, ft->frame + NGX_WEBRTC_RANGE_HEADER,
                           ft->read.length, ft->read.offset, &ft->n, &ft->err);

#if (NGX_HAVE_POSIX_FADVISE)
    (void) posix_fadvise(ft->fd, (off_t) (ft->read.offset + ft->read.length),
                         NGX_WEBRTC_FILES_AHEAD, POSIX_FADV_WILLNEED);
#endif
}


static void
ngx_webrtc_files_thread_done(ngx_event_t *ev)
{
    ngx_thread_task_t           *task;
    ngx_webrtc_files_t          *f;
    ngx_webrtc_files_task_t     *ft;
    ngx_webrtc_files_channel_t  *fc;

    task = ev->data;
    ft = task->ctx;
    f = ft->files;

    f->reading--;

    if (f->session == NULL) {

        if (f->reading == 0) {
            ngx_webrtc_files_free(f);
        }

        ngx_free(task);
        return;
    }

    fc = f->served[ft->slot];

    if (f->session->state == NGX_WEBRTC_SESSION_UP
        && fc && fc->serial == ft->serial)
    {
        if (ft->err) {
            ngx_log_error(NGX_LOG_CRIT, &f->session->log, ft->err,
                          "pread() of a file session failed");
        }

        ngx_webrtc_files_data(f, fc, &ft->read, ft->frame, ft->n);
        ngx_webrtc_files_wake(f);
    }

    ngx_free(task);
}

#endif


/* limit_rate: a bucket that holds what a second brings */

static void
ngx_webrtc_files_credit(ngx_webrtc_files_t *f)
{
    uint64_t    n, rate;
    ngx_msec_t  ms;

    rate = f->file.limit_rate;

    if (rate == 0) {
        return;
    }

    ms = ngx_current_msec - f->credited;

    if (ms >= 1000 && f->credit >= 0) {
        f->credit = (int64_t) rate;
        f->credited = ngx_current_msec;
        return;
    }

    /* what is not a byte yet is left for the next time */

    n = (rate / 1000) * ms + (rate % 1000) * ms / 1000;

    if (n == 0) {
        return;
    }

    f->credited = ngx_current_msec;
    f->credit += (int64_t) n;

    if (f->credit > (int64_t) rate) {
        f->credit = (int64_t) rate;
    }
}


/* the session's file timer: the earliest of all deadlines */

static void
ngx_webrtc_files_arm(ngx_webrtc_files_t *f)
{
    uint64_t                     deadline;
    ngx_uint_t                   i;
    ngx_msec_t                   now, next;
    ngx_webrtc_files_channel_t  *fc;

    now = ngx_current_msec;
    next = now + NGX_WEBRTC_FILES_OPEN;

    if (!f->opened) {
        next = (ngx_msec_t) f->session->peer->created_ms
               + NGX_WEBRTC_FILES_OPEN;
    }

    for (i = 0; i < NGX_WEBRTC_CHANNELS; i++) {
        fc = f->served[i];

        if (fc == NULL) {
            continue;
        }

        deadline = ngx_webrtc_ranges_deadline(&fc->ranges);

        if (deadline != NGX_WEBRTC_RANGES_NO_DEADLINE
            && (ngx_msec_int_t) ((ngx_msec_t) deadline - next) < 0)
        {
            next = (ngx_msec_t) deadline;
        }
    }

    if (f->file.limit_rate && f->after == 0 && f->credit <= 0) {

        deadline = now + 1 + (uint64_t) -f->credit * 1000 / f->file.limit_rate;

        if ((ngx_msec_int_t) ((ngx_msec_t) deadline - next) < 0) {
            next = (ngx_msec_t) deadline;
        }
    }

    if ((ngx_msec_int_t) (next - now) < 1) {
        next = now + 1;
    }

    if (f->timer.timer_set) {

        if (f->timer.timer.key == next) {
            return;
        }

        ngx_del_timer(&f->timer);
    }

    ngx_add_timer(&f->timer, next - now);
}


static void
ngx_webrtc_files_timer(ngx_event_t *ev)
{
    ngx_uint_t                   i;
    ngx_webrtc_files_t          *f;
    ngx_webrtc_files_channel_t  *fc;

    f = ev->data;

    if (f->session->state != NGX_WEBRTC_SESSION_UP) {
        return;
    }

    if (!f->opened
        && ngx_current_msec - (ngx_msec_t) f->session->peer->created_ms
           >= NGX_WEBRTC_FILES_OPEN)
    {
        ngx_webrtc_session_close(f->session, "no channel was opened");
        return;
    }

    for (i = 0; i < NGX_WEBRTC_CHANNELS; i++) {
        fc = f->served[i];

        if (fc) {
            ngx_webrtc_ranges_timeout(&fc->ranges, ngx_current_msec);
        }
    }

    ngx_webrtc_files_wake(f);
}
