
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A command of the operator.
 *
 *   running -- stop() --> stopping: TERM -- 3 s --> KILL
 *      |                     |                       |
 *      +---------------------+-----------------------+--> ended()
 *
 * That it has ended is seen when its standard error is closed, or by a timer:
 * what it has started may keep that open.  Its process group is killed with it
 * (ngx_webrtc_media_process.c).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/wait.h>

#include "ngx_webrtc_command.h"
#include "ngx_webrtc_media_process.h"
#include "ngx_webrtc_media_socket.h"
#include "ngx_webrtc_source_mask.h"


/* ms between two looks; chosen: a restart within half a second */
#define NGX_WEBRTC_COMMAND_LOOK   250

/* the same once it is known to end soon */
#define NGX_WEBRTC_COMMAND_SOON   20

/* ms from TERM to KILL; chosen: FFmpeg writes the end of its file */
#define NGX_WEBRTC_COMMAND_TERM   3000

/* ms that an exiting process waits for all commands; chosen: nginx's master
 * kills workers after a second */
#define NGX_WEBRTC_COMMAND_LEAVE  500

/* bytes of its output in one turn of the event loop; chosen */
#define NGX_WEBRTC_COMMAND_TURN   65536


struct ngx_webrtc_command_s {
    ngx_pid_t                     pid;
    ngx_connection_t             *connection; /* NULL: closed */
    int                           guard;      /* ends with this process */
    ngx_event_t                   timer;
    ngx_msec_t                    stopped;    /* when TERM was sent */
    ngx_webrtc_command_lines_t    lines;
    ngx_webrtc_command_argv_t     argv;       /* for what is masked */
    ngx_str_t                     name;
    u_char                        name_buf[256];
    ngx_webrtc_command_ended_pt   ended;
    void                         *data;
    ngx_log_t                    *log;
    unsigned                      stopping:1;
    unsigned                      killed:1;
};


static ngx_int_t ngx_webrtc_command_run(ngx_webrtc_command_t *command,
    const char **cause, ngx_err_t *err);
static void ngx_webrtc_command_read(ngx_event_t *rev);
static void ngx_webrtc_command_said(void *data, u_char *p, size_t n,
    ngx_uint_t left_out);
static void ngx_webrtc_command_more(ngx_webrtc_command_t *command,
    ngx_uint_t left_out);
static size_t ngx_webrtc_command_mask(ngx_webrtc_command_t *command,
    u_char *p, size_t n);
static void ngx_webrtc_command_look(ngx_event_t *ev);
static void ngx_webrtc_command_end(ngx_webrtc_command_t *command, int status);
static void ngx_webrtc_command_free(ngx_webrtc_command_t *command);


/* of this process: those that ngx_webrtc_command_exit() has left */

static ngx_pid_t   ngx_webrtc_command_left[NGX_WEBRTC_MEDIA_CHILDREN];
static ngx_uint_t  ngx_webrtc_command_nleft;


ngx_webrtc_command_t *
ngx_webrtc_command_start(const ngx_str_t *text,
    const ngx_webrtc_command_vars_t *vars, ngx_webrtc_command_ended_pt ended,
    void *data, ngx_log_t *log, const char **cause, ngx_err_t *err)
{
    ngx_webrtc_command_t  *command;

    *cause = "no memory";
    *err = 0;

    command = ngx_calloc(sizeof(ngx_webrtc_command_t), log);
    if (command == NULL) {
        return NULL;
    }

    command->ended = ended;
    command->data = data;
    command->log = log;

    command->name.data = command->name_buf;
    command->name.len = ngx_min(vars->name.len, sizeof(command->name_buf));
    ngx_memcpy(command->name_buf, vars->name.data, command->name.len);

    command->timer.handler = ngx_webrtc_command_look;
    command->timer.data = command;
    command->timer.log = log;

    *cause = "its words are too many or too long, or the name of the stream "
             "is none for a command";

    if (ngx_webrtc_command_expand(text, vars, &command->argv) != NGX_OK
        || ngx_webrtc_command_run(command, cause, err) != NGX_OK)
    {
        ngx_free(command);
        return NULL;
    }

    ngx_add_timer(&command->timer, NGX_WEBRTC_COMMAND_LOOK);

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "webrtc command started pid:%P program:\"%s\"",
                  command->pid, command->argv.argv[0]);

    return command;
}


static ngx_int_t
ngx_webrtc_command_run(ngx_webrtc_command_t *command, const char **cause,
    ngx_err_t *err)
{
    int  fds[2], guard[2];

    *cause = "no descriptor, raise worker_rlimit_nofile";

    if (pipe2(fds, O_CLOEXEC) == -1) {
        *err = ngx_errno;
        return NGX_ERROR;
    }

    if (pipe2(guard, O_CLOEXEC) == -1) {
        *err = ngx_errno;
        (void) close(fds[0]);
        (void) close(fds[1]);
        return NGX_ERROR;
    }

    command->guard = guard[1];

    if (ngx_nonblocking(fds[0]) == -1) {
        *err = ngx_errno;
        (void) close(fds[0]);
        goto failed;
    }

    *cause = "no free connection, raise worker_connections";

    command->connection = ngx_webrtc_media_socket_watch(fds[0], command,
                                                       ngx_webrtc_command_read,
                                                       command->log);
    if (command->connection == NULL) {
        (void) close(fds[0]);
        goto failed;
    }

    *cause = "it cannot be started";

    command->pid = ngx_webrtc_media_process_command(command->argv.argv[0],
                                                    command->argv.argv,
                                                    fds[1], guard[0]);

    if (command->pid != -1) {
        (void) close(fds[1]);
        (void) close(guard[0]);
        return NGX_OK;
    }

    *err = ngx_errno;
    ngx_close_connection(command->connection);

failed:

    (void) close(fds[1]);
    (void) close(guard[0]);
    (void) close(guard[1]);

    return NGX_ERROR;
}


void
ngx_webrtc_command_stop(ngx_webrtc_command_t *command)
{
    if (command->stopping) {
        return;
    }

    command->stopping = 1;
    command->stopped = ngx_current_msec;

    ngx_webrtc_media_process_signal(command->pid, SIGTERM);

    if (command->timer.timer_set) {
        ngx_del_timer(&command->timer);
    }

    ngx_add_timer(&command->timer, NGX_WEBRTC_COMMAND_SOON);
}


ngx_uint_t
ngx_webrtc_command_stopping(ngx_webrtc_command_t *command)
{
    return command->stopping;
}


void
ngx_webrtc_command_exit(ngx_webrtc_command_t *command)
{
    ngx_webrtc_media_process_signal(command->pid, SIGTERM);

    if (ngx_webrtc_command_nleft == NGX_WEBRTC_MEDIA_CHILDREN) {
        ngx_webrtc_media_process_kill(command->pid);

    } else {
        ngx_webrtc_command_left[ngx_webrtc_command_nleft++] = command->pid;
    }

    ngx_webrtc_command_free(command);
}


void
ngx_webrtc_command_done(void)
{
    int         status;
    ngx_uint_t  i, n, ms;

    for (ms = 0; ms < NGX_WEBRTC_COMMAND_LEAVE; ms += 10) {

        for (i = 0, n = 0; i < ngx_webrtc_command_nleft; i++) {

            if (ngx_webrtc_media_process_ended(ngx_webrtc_command_left[i],
                                               &status)
                != NGX_OK)
            {
                ngx_webrtc_command_left[n++] = ngx_webrtc_command_left[i];
            }
        }

        ngx_webrtc_command_nleft = n;

        if (n == 0) {
            return;
        }

        ngx_msleep(10);
    }

    for (i = 0; i < ngx_webrtc_command_nleft; i++) {
        ngx_webrtc_media_process_kill(ngx_webrtc_command_left[i]);
    }

    ngx_webrtc_command_nleft = 0;
}


static void
ngx_webrtc_command_read(ngx_event_t *rev)
{
    size_t                 all;
    ssize_t                n;
    ngx_connection_t      *c;
    ngx_webrtc_command_t  *command;
    u_char                 buf[4096];

    c = rev->data;
    command = c->data;

    for (all = 0; all < NGX_WEBRTC_COMMAND_TURN; all += n) {

        n = read(c->fd, buf, sizeof(buf));

        if (n > 0) {
            ngx_webrtc_command_lines(&command->lines, buf, n, ngx_current_msec,
                                     ngx_webrtc_command_said, command);
            continue;
        }

        if (n == -1 && (ngx_errno == NGX_EAGAIN || ngx_errno == NGX_EINTR)) {
            rev->ready = 0;
            (void) ngx_handle_read_event(rev, 0);
            return;
        }

        /* it has ended, or closed it */

        command->connection = NULL;
        ngx_close_connection(c);

        if (command->timer.timer_set) {
            ngx_del_timer(&command->timer);
        }

        ngx_add_timer(&command->timer, NGX_WEBRTC_COMMAND_SOON);
        return;
    }

    ngx_post_event(rev, &ngx_posted_next_events);
}


static void
ngx_webrtc_command_said(void *data, u_char *p, size_t n, ngx_uint_t left_out)
{
    ngx_webrtc_command_t *command = data;

    n = ngx_webrtc_command_mask(command, p, n);

    ngx_webrtc_command_more(command, left_out);

    ngx_log_error(NGX_LOG_INFO, command->log, 0,
                  "webrtc command pid:%P says: %*s", command->pid, n, p);
}


static void
ngx_webrtc_command_more(ngx_webrtc_command_t *command, ngx_uint_t left_out)
{
    if (left_out) {
        ngx_log_error(NGX_LOG_INFO, command->log, 0,
                      "webrtc command pid:%P has written %ui lines more",
                      command->pid, left_out);
    }
}


/* without secrets of the URLs that are its words, or of others */

static size_t
ngx_webrtc_command_mask(ngx_webrtc_command_t *command, u_char *p, size_t n)
{
    ngx_str_t    word;
    ngx_uint_t   i;

    for (i = 1; i < command->argv.n; i++) {
        word.data = (u_char *) command->argv.argv[i];
        word.len = ngx_strlen(word.data);

        if (ngx_strnstr(word.data, "://", word.len)) {
            n = ngx_webrtc_source_mask_secrets(p, n, &word, &command->name);
        }
    }

    return ngx_webrtc_source_mask_text(p, n, &command->name);
}


/* has it ended? */

static void
ngx_webrtc_command_look(ngx_event_t *ev)
{
    int                    status;
    ngx_webrtc_command_t  *command;

    command = ev->data;

    if (ngx_webrtc_media_process_ended(command->pid, &status) == NGX_OK) {
        ngx_webrtc_command_end(command, status);
        return;
    }

    if (ngx_current_msec - command->lines.filled_ms > 1000) {
        ngx_webrtc_command_more(command, command->lines.left_out);
        command->lines.left_out = 0;
    }

    if (command->stopping && !command->killed
        && ngx_current_msec - command->stopped >= NGX_WEBRTC_COMMAND_TERM)
    {
        command->killed = 1;
        ngx_webrtc_media_process_signal(command->pid, SIGKILL);
    }

    ngx_add_timer(ev, command->stopping ? NGX_WEBRTC_COMMAND_SOON
                                        : NGX_WEBRTC_COMMAND_LOOK);
}


static void
ngx_webrtc_command_end(ngx_webrtc_command_t *command, int status)
{
    ssize_t     n;
    ngx_str_t   how;
    u_char      buf[4096], text[NGX_WEBRTC_COMMAND_HOW];

    /* what it has written last */

    if (command->connection) {
        n = read(command->connection->fd, buf, sizeof(buf));

        if (n > 0) {
            ngx_webrtc_command_lines(&command->lines, buf, n, ngx_current_msec,
                                     ngx_webrtc_command_said, command);
        }
    }

    ngx_webrtc_command_lines_end(&command->lines, ngx_current_msec,
                                 ngx_webrtc_command_said, command);

    command->lines.last_n = ngx_webrtc_command_mask(command,
                                                    command->lines.last,
                                                    command->lines.last_n);
    how.data = text;
    how.len = ngx_snprintf(text, sizeof(text),
                           "the command has ended %s %d%s%*s",
                           WIFSIGNALED(status) ? "by signal" : "with code",
                           WIFSIGNALED(status) ? WTERMSIG(status)
                                               : WEXITSTATUS(status),
                           command->lines.last_n ? ": " : "",
                           command->lines.last_n, command->lines.last)
              - text;

    ngx_log_error(NGX_LOG_NOTICE, command->log, 0,
                  "webrtc command pid:%P: %V", command->pid, &how);

    command->ended(command->data, &how);

    ngx_webrtc_command_free(command);
}


static void
ngx_webrtc_command_free(ngx_webrtc_command_t *command)
{
    if (command->timer.timer_set) {
        ngx_del_timer(&command->timer);
    }

    if (command->connection) {
        ngx_close_connection(command->connection);
    }

    (void) close(command->guard);

    ngx_free(command);
}
