
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The worker's side of the media process.
 *
 *   process:  started -> (HELLO) -> answers pings -> closed
 *   job:      START sent -> notes, records ... -> its socket is closed -> ended
 *
 * A process is ended by closing its socket.  It is killed if it does not
 * answer, has been stopped, exceeds its memory limit, or sends anything
 * invalid.  Either way each of its jobs ends as "crashed" once everything it
 * wrote has been read, and its owner starts it again.
 *
 * Handlers may close the job that they are called for, or any other.  Nothing
 * is freed while a handler is running: a job closed by it is freed once it
 * has returned.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/socket.h>

#include "ngx_webrtc_media.h"
#include "ngx_webrtc_media_process.h"
#include "ngx_webrtc_media_read.h"
#include "ngx_webrtc_media_ring.h"
#include "ngx_webrtc_media_socket.h"


/* ms from the close of a process's socket until its exit is known; chosen */
#define NGX_WEBRTC_MEDIA_GONE_MS  20

/* ms until a cause that has been logged is an error again */
#define NGX_WEBRTC_MEDIA_SAID_MS  60000


/* groups of jobs that share a process */
typedef enum {
    NGX_WEBRTC_MEDIA_FEEDS = 0,
    NGX_WEBRTC_MEDIA_OUTPUTS,
    NGX_WEBRTC_MEDIA_PICTURES
} ngx_webrtc_media_group_e;


struct ngx_webrtc_media_process_s {
    ngx_queue_t                         queue;       /* of all processes */
    ngx_queue_t                         jobs;
    ngx_uint_t                          njobs;
    ngx_pid_t                           pid;
    ngx_connection_t                   *connection;
    ngx_event_t                         timer;       /* pings, idle */
    uint32_t                            pings;       /* the last one's number */
    uint32_t                            answered;    /* likewise */
    ngx_uint_t                          idle;        /* timer's turns */
    ngx_uint_t                          group;       /* of jobs it takes */
    unsigned                            alone:1;     /* takes no other jobs */
    unsigned                            gone:1;      /* has closed its socket */
    unsigned                            greeted:1;
};


static ngx_int_t ngx_webrtc_media_give(ngx_webrtc_media_job_t *job,
    ngx_webrtc_media_start_t *start, int *give, ngx_uint_t *n);
static ngx_webrtc_media_process_t *ngx_webrtc_media_process(
    ngx_webrtc_media_start_t *start, ngx_uint_t alone, const char **cause,
    ngx_err_t *err);
static ngx_webrtc_media_process_t *ngx_webrtc_media_create(ngx_uint_t alone,
    ngx_uint_t gpu, const char **cause, ngx_err_t *err);
static ngx_uint_t ngx_webrtc_media_gpu(ngx_webrtc_media_start_t *start);
static void ngx_webrtc_media_timer_handler(ngx_event_t *ev);
static ngx_uint_t ngx_webrtc_media_kept(ngx_webrtc_media_process_t *process);
static void ngx_webrtc_media_control_handler(ngx_event_t *rev);
static ngx_int_t ngx_webrtc_media_control(ngx_webrtc_media_process_t *process,
    u_char *p, size_t n);
static void ngx_webrtc_media_gone(ngx_webrtc_media_process_t *process);
static void ngx_webrtc_media_lost(ngx_webrtc_media_process_t *process,
    const char *cause);
static ngx_uint_t ngx_webrtc_media_level(const char *cause);
static void ngx_webrtc_media_end(ngx_webrtc_media_process_t *process);
static void ngx_webrtc_media_job_handler(ngx_event_t *rev);
static void ngx_webrtc_media_free(ngx_webrtc_media_job_t *job,
    ngx_uint_t tell, ngx_uint_t crashed);


/*
 * Who shares a process.  What is made of streams does not share one with what
 * feeds them: an upstream that kills its own must not damage recordings, nor
 * must a key frame that kills its decoder.
 */

static const ngx_uint_t  ngx_webrtc_media_groups[NGX_WEBRTC_MEDIA_KINDS] = {
    0,
    NGX_WEBRTC_MEDIA_FEEDS,        /* SOURCE */
    NGX_WEBRTC_MEDIA_FEEDS,        /* TRANSCODE */
    NGX_WEBRTC_MEDIA_FEEDS,        /* FILE */
    NGX_WEBRTC_MEDIA_OUTPUTS,      /* RECORD */
    NGX_WEBRTC_MEDIA_OUTPUTS,      /* OUTPUT */
    NGX_WEBRTC_MEDIA_PICTURES      /* PICTURE */
};


/* of this process */

static struct {
    ngx_str_t                           program;
    size_t                              memory;
    ngx_uint_t                          ready;       /* one is kept */
    ngx_log_t                          *log;
    ngx_queue_t                         processes;
    ngx_uint_t                          blind;       /* to its memory: told */
    const char                         *said;        /* the last error */
    ngx_msec_t                          said_ms;
} ngx_webrtc_media_worker;


void
ngx_webrtc_media_init(ngx_str_t *program, size_t memory, ngx_uint_t ready,
    ngx_log_t *log)
{
    ngx_err_t    err;
    const char  *cause;

    ngx_webrtc_media_worker.program = *program;
    ngx_webrtc_media_worker.memory = memory;
    ngx_webrtc_media_worker.ready = ready;
    ngx_webrtc_media_worker.log = log;

    ngx_queue_init(&ngx_webrtc_media_worker.processes);

    if (ready && ngx_webrtc_media_create(0, 0, &cause, &err) == NULL) {

        /* jobs try again */

        ngx_log_error(NGX_LOG_ERR, log, err, "webrtc: %s", cause);
    }
}


ngx_webrtc_media_job_t *
ngx_webrtc_media_start(ngx_webrtc_media_start_t *start, ngx_uint_t alone,
    const ngx_webrtc_media_handlers_t *handlers, void *data, ngx_log_t *log,
    const char **cause, ngx_err_t *err)
{
    int                          fds[2], give[NGX_WEBRTC_MEDIA_SOCKET_FDS];
    ngx_int_t                    rc;
    ngx_uint_t                   i, n;
    ngx_webrtc_media_job_t      *job;
    ngx_webrtc_media_message_t   m;
    ngx_webrtc_media_process_t  *process;

    process = ngx_webrtc_media_process(start, alone, cause, err);

    if (process == NULL) {
        return NULL;
    }

    *cause = "no memory";
    *err = 0;

    job = ngx_calloc(sizeof(ngx_webrtc_media_job_t), log);

    if (job == NULL) {
        return NULL;
    }

    job->handlers = handlers;
    job->data = data;
    job->log = log;

    *cause = "no descriptor, raise worker_rlimit_nofile";

    if (ngx_webrtc_media_socket_pair(fds) != NGX_OK) {
        *err = ngx_errno;
        ngx_free(job);
        return NULL;
    }

    give[0] = fds[1];
    n = 1;

    if (ngx_webrtc_media_give(job, start, give, &n) != NGX_OK) {
        *err = ngx_errno;
        goto failed;
    }

    *cause = "no free connection, raise worker_connections";

    job->connection = ngx_webrtc_media_socket_watch(fds[0], job,
                                          ngx_webrtc_media_job_handler, log);
    if (job->connection == NULL) {
        goto failed;
    }

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_START;
    m.u.start = *start;

    *cause = "the media process does not answer";

    rc = ngx_webrtc_media_socket_send(process->connection->fd, &m, give, n);

    if (rc != NGX_OK) {
        *err = ngx_errno;
        ngx_close_connection(job->connection);
        fds[0] = -1;
        goto failed;
    }

    for (i = 0; i < n; i++) {
        (void) close(give[i]);
    }

    job->process = process;
    ngx_queue_insert_tail(&process->jobs, &job->queue);
    process->njobs++;
    process->idle = 0;

    return job;

failed:

    if (fds[0] != -1) {
        (void) close(fds[0]);
    }

    for (i = 0; i < n; i++) {
        (void) close(give[i]);
    }

    ngx_webrtc_media_ring_unmap(&job->ring);
    ngx_webrtc_media_ring_unmap(&job->feed);
    ngx_free(job);

    return NULL;
}


/*
 * What START gives along beside the socket: the ring to the worker, the ring to
 * the job and the file, as its kind has them.  *n counts them.
 *
 * NGX_OK; NGX_ERROR: errno is set
 */

static ngx_int_t
ngx_webrtc_media_give(ngx_webrtc_media_job_t *job,
    ngx_webrtc_media_start_t *start, int *give, ngx_uint_t *n)
{
    give[*n] = ngx_webrtc_media_ring_create(&job->ring);

    if (give[*n] == -1) {
        return NGX_ERROR;
    }

    (*n)++;

    if (ngx_webrtc_media_fed(start->kind)) {
        give[*n] = ngx_webrtc_media_ring_create(&job->feed);

        if (give[*n] == -1) {
            return NGX_ERROR;
        }

        (*n)++;
    }

    if (ngx_webrtc_media_filed(start->kind) || start->given) {
        give[*n] = dup(start->fd);

        if (give[*n] == -1) {
            return NGX_ERROR;
        }

        (*n)++;
    }

    return NGX_OK;
}


void
ngx_webrtc_media_close(ngx_webrtc_media_job_t *job)
{
    job->closed = 1;

    if (!job->busy) {
        ngx_webrtc_media_free(job, 0, 0);
    }
}


void
ngx_webrtc_media_done(void)
{
    ngx_queue_t  *q;

    if (ngx_webrtc_media_worker.log == NULL) {
        return;
    }

    while (!ngx_queue_empty(&ngx_webrtc_media_worker.processes)) {
        q = ngx_queue_head(&ngx_webrtc_media_worker.processes);

        ngx_webrtc_media_end(ngx_queue_data(q, ngx_webrtc_media_process_t,
                                            queue));
    }

    ngx_webrtc_media_process_done();
    ngx_webrtc_media_read_done();
}


/*
 * Finds a process that takes the job, or starts one, of those that jobs of its
 * group share.
 */

static ngx_webrtc_media_process_t *
ngx_webrtc_media_process(ngx_webrtc_media_start_t *start, ngx_uint_t alone,
    const char **cause, ngx_err_t *err)
{
    ngx_uint_t                   group;
    ngx_queue_t                 *q;
    ngx_webrtc_media_process_t  *process;

    group = ngx_webrtc_media_groups[start->kind];

    for (q = ngx_queue_head(&ngx_webrtc_media_worker.processes);
         q != ngx_queue_sentinel(&ngx_webrtc_media_worker.processes);
         q = ngx_queue_next(q))
    {
        process = ngx_queue_data(q, ngx_webrtc_media_process_t, queue);

        if (!alone && !process->alone && process->group == group) {
            return process;
        }
    }

    process = ngx_webrtc_media_create(alone, ngx_webrtc_media_gpu(start), cause,
                                      err);
    if (process) {
        process->group = group;
    }

    return process;
}


/* what a process may open is settled before it has its first job */

static ngx_uint_t
ngx_webrtc_media_gpu(ngx_webrtc_media_start_t *start)
{
    return start->kind == NGX_WEBRTC_MEDIA_TRANSCODE
           && (start->encode.hw.len != 4
               || ngx_strncmp(start->encode.hw.data, "none", 4) != 0);
}


static ngx_webrtc_media_process_t *
ngx_webrtc_media_create(ngx_uint_t alone, ngx_uint_t gpu, const char **cause,
    ngx_err_t *err)
{
    int                           fds[2];
    char                         *argv[5];
    u_char                        parent[NGX_INT64_LEN + 1];
    u_char                        memory[NGX_INT64_LEN + 1];
    ngx_log_t                    *log;
    ngx_webrtc_media_process_t   *process;

    log = ngx_webrtc_media_worker.log;

    *cause = "no descriptor, raise worker_rlimit_nofile";

    if (ngx_webrtc_media_socket_pair(fds) != NGX_OK) {
        *err = ngx_errno;
        return NULL;
    }

    *cause = "no memory";
    *err = 0;

    process = ngx_calloc(sizeof(ngx_webrtc_media_process_t), log);

    if (process == NULL) {
        goto failed;
    }

    *cause = "no free connection, raise worker_connections";

    process->connection = ngx_webrtc_media_socket_watch(fds[0], process,
                                      ngx_webrtc_media_control_handler, log);
    if (process->connection == NULL) {
        goto failed;
    }

    /* it ends with the process that started it */

    (void) ngx_sprintf(parent, "%P%Z", ngx_pid);
    (void) ngx_sprintf(memory, "%uz%Z", ngx_webrtc_media_worker.memory);

    argv[0] = "nginx: webrtc media process";
    argv[1] = (char *) parent;
    argv[2] = (char *) memory;
    argv[3] = (alone && gpu) ? "gpu" : NULL;
    argv[4] = NULL;

    process->pid = ngx_webrtc_media_process_start(
                     (char *) ngx_webrtc_media_worker.program.data, argv,
                     fds[1]);

    if (process->pid == -1) {
        *cause = "the media process cannot be started, see webrtc_media_path";
        *err = ngx_errno;

        ngx_close_connection(process->connection);
        fds[0] = -1;
        goto failed;
    }

    (void) close(fds[1]);

    process->alone = alone;

    ngx_queue_init(&process->jobs);
    ngx_queue_insert_tail(&ngx_webrtc_media_worker.processes, &process->queue);

    process->timer.handler = ngx_webrtc_media_timer_handler;
    process->timer.data = process;
    process->timer.log = log;
    process->timer.cancelable = 1;

    ngx_add_timer(&process->timer, NGX_WEBRTC_MEDIA_PING_MS);

    ngx_log_error(NGX_LOG_INFO, log, 0, "webrtc media process %P started",
                  process->pid);

    return process;

failed:

    if (fds[0] != -1) {
        (void) close(fds[0]);
    }

    (void) close(fds[1]);

    if (process) {
        ngx_free(process);
    }

    return NULL;
}


static void
ngx_webrtc_media_timer_handler(ngx_event_t *ev)
{
    ngx_webrtc_media_message_t   m;
    ngx_webrtc_media_process_t  *process;

    process = ev->data;

    if (process->gone) {
        ngx_webrtc_media_lost(process, NULL);
        return;
    }

    if (process->njobs == 0
        && !ngx_webrtc_media_kept(process)
        && ++process->idle * NGX_WEBRTC_MEDIA_PING_MS
           >= NGX_WEBRTC_MEDIA_IDLE_MS)
    {
        ngx_webrtc_media_end(process);
        return;
    }

    if (ngx_webrtc_media_process_stopped(process->pid)) {
        ngx_webrtc_media_lost(process, "has been stopped");
        return;
    }

    /*
     * Counted in pings, not in time: a worker that has been held up finds the
     * answers queued behind this timer.
     */

    if (process->pings - process->answered == NGX_WEBRTC_MEDIA_UNANSWERED) {
        ngx_webrtc_media_lost(process, "does not answer");
        return;
    }

    m.type = NGX_WEBRTC_MEDIA_PING;
    m.number = ++process->pings;

    (void) ngx_webrtc_media_socket_send(process->connection->fd, &m, NULL, 0);

    ngx_add_timer(ev, NGX_WEBRTC_MEDIA_PING_MS);
}


/* for the next one who wants something pulled */

static ngx_uint_t
ngx_webrtc_media_kept(ngx_webrtc_media_process_t *process)
{
    return ngx_webrtc_media_worker.ready && !ngx_exiting
           && !process->alone
           && process->group == NGX_WEBRTC_MEDIA_FEEDS;
}


static void
ngx_webrtc_media_control_handler(ngx_event_t *rev)
{
    ssize_t                      n;
    u_char                       buf[NGX_WEBRTC_MEDIA_MESSAGE];
    ngx_connection_t            *c;
    ngx_webrtc_media_process_t  *process;

    c = rev->data;
    process = c->data;

    for ( ;; ) {
        n = recv(c->fd, buf, sizeof(buf), 0);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n == -1 && ngx_errno == NGX_EAGAIN) {
            break;
        }

        if (n <= 0) {
            ngx_webrtc_media_gone(process);
            return;
        }

        if (ngx_webrtc_media_control(process, buf, n) != NGX_OK) {
            return;
        }
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_webrtc_media_lost(process, "cannot be listened to");
    }
}


/* NGX_DONE: the process is gone */

static ngx_int_t
ngx_webrtc_media_control(ngx_webrtc_media_process_t *process, u_char *p,
    size_t n)
{
    uint64_t                    memory;
    ngx_webrtc_media_message_t  m;

    if (ngx_webrtc_media_message_parse(p, p + n, &m) != NGX_OK) {
        goto invalid;
    }

    if (m.type == NGX_WEBRTC_MEDIA_HELLO && !process->greeted) {

        if (m.number != NGX_WEBRTC_MEDIA_VERSION) {
            ngx_webrtc_media_lost(process, "is of another version than the "
                                  "module, see webrtc_media_path");
            return NGX_DONE;
        }

        process->greeted = 1;
        return NGX_OK;
    }

    /* each ping is answered once: a flood would hold up the worker */

    if (m.type != NGX_WEBRTC_MEDIA_PONG
        || !process->greeted
        || m.number - process->answered - 1
           >= process->pings - process->answered)
    {
        goto invalid;
    }

    process->answered = m.number;

    /* what it said itself might be wrong */

    memory = ngx_webrtc_media_process_memory(process->pid);

    if (memory == 0 && !ngx_webrtc_media_worker.blind) {
        ngx_webrtc_media_worker.blind = 1;

        ngx_log_error(NGX_LOG_WARN, ngx_webrtc_media_worker.log, 0,
                      "webrtc cannot see in /proc how much memory a media "
                      "process has: webrtc_media_memory bounds what it may "
                      "allocate, not what is resident");
    }

    if (memory > ngx_webrtc_media_worker.memory) {
        ngx_webrtc_media_lost(process, "has taken more memory than "
                              "webrtc_media_memory");
        return NGX_DONE;
    }

    return NGX_OK;

invalid:

    ngx_webrtc_media_lost(process, "has broken the protocol");

    return NGX_DONE;
}


/* its sockets close before its exit status is known */

static void
ngx_webrtc_media_gone(ngx_webrtc_media_process_t *process)
{
    if (process->gone) {
        return;
    }

    process->gone = 1;
    process->alone = 1;

    (void) ngx_del_event(process->connection->read, NGX_READ_EVENT, 0);

    ngx_del_timer(&process->timer);
    ngx_add_timer(&process->timer, NGX_WEBRTC_MEDIA_GONE_MS);
}


/*
 * Gives up a process.
 *
 *   cause   NULL: it has closed its socket
 */

static void
ngx_webrtc_media_lost(ngx_webrtc_media_process_t *process, const char *cause)
{
    int                      status;
    u_char                   how[64];
    ngx_uint_t               njobs, level;
    ngx_queue_t             *q, jobs;
    ngx_webrtc_media_job_t  *job;

    how[0] = '\0';

    if (cause == NULL) {
        cause = "has ended";

        if (ngx_webrtc_media_process_ended(process->pid, &status) == NGX_OK) {

            if (WIFSIGNALED(status)) {
                (void) ngx_snprintf(how, sizeof(how), " on signal %d%Z",
                                    WTERMSIG(status));

            } else if (WEXITSTATUS(status) == 127) {
                cause = "cannot be started, see webrtc_media_path";

            } else {
                (void) ngx_snprintf(how, sizeof(how), " with code %d%Z",
                                    WEXITSTATUS(status));
            }

            process->pid = 0;
        }
    }

    njobs = process->njobs;

    level = ngx_webrtc_media_level(cause);

    ngx_log_error(level, ngx_webrtc_media_worker.log, 0,
                  "webrtc media process %s%s: %ui of its streams start again",
                  cause, how, njobs);

    /* a handler that starts a job must not find this one */

    ngx_queue_init(&jobs);

    if (!ngx_queue_empty(&process->jobs)) {
        ngx_queue_add(&jobs, &process->jobs);
        ngx_queue_init(&process->jobs);
    }

    for (q = ngx_queue_head(&jobs);
         q != ngx_queue_sentinel(&jobs);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_webrtc_media_job_t, queue);
        job->process = NULL;
    }

    process->njobs = 0;
    ngx_webrtc_media_end(process);

    while (!ngx_queue_empty(&jobs)) {
        q = ngx_queue_head(&jobs);
        job = ngx_queue_data(q, ngx_webrtc_media_job_t, queue);

        ngx_webrtc_media_read_last(job);

        ngx_webrtc_media_free(job, !job->closed, 1);
    }
}


/* a recurring cause is logged as an error once a minute */

static ngx_uint_t
ngx_webrtc_media_level(const char *cause)
{
    ngx_msec_t  now;

    now = ngx_current_msec;

    if (ngx_webrtc_media_worker.said == cause
        && now - ngx_webrtc_media_worker.said_ms < NGX_WEBRTC_MEDIA_SAID_MS)
    {
        return NGX_LOG_INFO;
    }

    ngx_webrtc_media_worker.said = cause;
    ngx_webrtc_media_worker.said_ms = now;

    return NGX_LOG_ERR;
}


/* it has no jobs, or they have been notified */

static void
ngx_webrtc_media_end(ngx_webrtc_media_process_t *process)
{
    if (process->timer.timer_set) {
        ngx_del_timer(&process->timer);
    }

    ngx_queue_remove(&process->queue);

    ngx_close_connection(process->connection);

    if (process->pid) {
        ngx_webrtc_media_process_kill(process->pid);
    }

    ngx_free(process);
}


static void
ngx_webrtc_media_job_handler(ngx_event_t *rev)
{
    ngx_connection_t        *c;
    ngx_webrtc_media_job_t  *job;

    c = rev->data;
    job = c->data;

    if (job->held) {
        return;
    }

    switch (ngx_webrtc_media_read(job)) {

    case NGX_OK:

        if (ngx_handle_read_event(rev, 0) == NGX_OK) {
            return;
        }

        break;

    case NGX_AGAIN:

        /* yields one turn of the loop to the others */

        if (!job->held) {
            ngx_post_event(rev, &ngx_posted_next_events);
        }

        return;

    case NGX_DECLINED:

        if (job->ended) {
            ngx_webrtc_media_free(job, 1, 0);
            return;
        }

        if (rev->active) {
            (void) ngx_del_event(rev, NGX_READ_EVENT, 0);
        }

        ngx_webrtc_media_gone(job->process);
        return;

    case NGX_DONE:
        ngx_webrtc_media_free(job, 0, 0);
        return;

    default:
        break;
    }

    ngx_webrtc_media_lost(job->process, "has broken the protocol");
}


static void
ngx_webrtc_media_free(ngx_webrtc_media_job_t *job, ngx_uint_t tell,
    ngx_uint_t crashed)
{
    void                               *data;
    const ngx_webrtc_media_handlers_t  *handlers;

    handlers = job->handlers;
    data = job->data;

    ngx_queue_remove(&job->queue);

    if (job->process) {
        job->process->njobs--;
    }

    ngx_close_connection(job->connection);
    ngx_webrtc_media_ring_unmap(&job->ring);
    ngx_webrtc_media_ring_unmap(&job->feed);
    ngx_webrtc_media_read_free(job);
    ngx_free(job);

    if (tell) {
        handlers->ended(data, crashed);
    }
}
