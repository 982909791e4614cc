
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Commands that get the media of publishers.
 *
 *   wanted --> waits -- the claim is ours --> running -- ended --> pause --+
 *                ^                              |                          |
 *                +------ other codecs ----------+-- not wanted --> gone    |
 *                +---------------------------------------------------------+
 *
 * The claim (ngx_webrtc_bus_output.h) is kept until the command has ended: the
 * worker that has the next publisher of the stream waits for that.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_bus_output.h"
#include "ngx_webrtc_command.h"
#include "ngx_webrtc_exec_out.h"
#include "ngx_webrtc_rtp_out.h"


/* attempts to find ports; chosen */
#define NGX_WEBRTC_EXEC_OUT_TRIES   10

/* of the kernel's for clients */
#define NGX_WEBRTC_EXEC_OUT_FIRST   32768
#define NGX_WEBRTC_EXEC_OUT_LAST    60998

/* ms of the pause before a restart; the first one, and the longest */
#define NGX_WEBRTC_EXEC_OUT_PAUSE   500
#define NGX_WEBRTC_EXEC_OUT_PAUSES  10000

/* ms after which a run counts as good; chosen */
#define NGX_WEBRTC_EXEC_OUT_GOOD    10000

/* ticks per second */
#define NGX_WEBRTC_EXEC_OUT_SECOND  4

/* bytes of a file's path */
#define NGX_WEBRTC_EXEC_OUT_PATH    512

/* files of a predecessor that are looked for; chosen: more than a worker has
 * publishers with commands */
#define NGX_WEBRTC_EXEC_OUT_OLD     256


typedef struct {
    ngx_queue_t                  queue;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_stream_t         *st;          /* held and watched */
    const ngx_str_t             *text;        /* of the configuration */
    const ngx_str_t             *dir;
    ngx_webrtc_legs_t            legs;
    ngx_webrtc_rtp_out_t        *ro;          /* NULL: not running */
    ngx_webrtc_command_t        *command;     /* likewise */
    ngx_msec_t                   started;
    ngx_msec_t                   pause;       /* the last one; 0: none */
    ngx_msec_t                   until;       /* of it */
    ngx_uint_t                   ticks;
    ngx_log_t                    log;
    ngx_str_t                    name;        /* of the stream */
    u_char                       name_buf[NGX_WEBRTC_NAME_MAX + 1];
    u_char                       path[NGX_WEBRTC_EXEC_OUT_PATH];
    unsigned                     wanted:1;
    unsigned                     claimed:1;
    unsigned                     rests:1;     /* in the pause */
} ngx_webrtc_exec_out_t;


static ngx_webrtc_exec_out_t *ngx_webrtc_exec_out_find(
    ngx_webrtc_stream_t *st);
static u_char *ngx_webrtc_exec_out_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_exec_out_tick(ngx_webrtc_exec_out_t *run);
static void ngx_webrtc_exec_out_begin(ngx_webrtc_exec_out_t *run);
static ngx_int_t ngx_webrtc_exec_out_ports(ngx_webrtc_exec_out_t *run);
static ngx_uint_t ngx_webrtc_exec_out_free_port(in_port_t port);
static ngx_int_t ngx_webrtc_exec_out_write(ngx_webrtc_exec_out_t *run,
    ngx_err_t *err);
static void ngx_webrtc_exec_out_name(ngx_webrtc_exec_out_t *run,
    ngx_uint_t n);
static void ngx_webrtc_exec_out_rest(ngx_webrtc_exec_out_t *run);
static void ngx_webrtc_exec_out_gone(void *data, ngx_str_t *how);
static void ngx_webrtc_exec_out_close(ngx_webrtc_exec_out_t *run);
static void ngx_webrtc_exec_out_free(ngx_webrtc_exec_out_t *run);


/* of this process */

static ngx_queue_t  ngx_webrtc_exec_outs = {
    &ngx_webrtc_exec_outs, &ngx_webrtc_exec_outs
};

static ngx_uint_t   ngx_webrtc_exec_out_files;


void
ngx_webrtc_exec_outs_want(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    const ngx_str_t *text, const ngx_str_t *dir, ngx_log_t *log)
{
    ngx_webrtc_exec_out_t  *run;

    run = ngx_webrtc_exec_out_find(st);

    if (run) {

        /* that of another location comes after this one */

        run->wanted = (run->text == text);
        return;
    }

    run = ngx_calloc(sizeof(ngx_webrtc_exec_out_t), log);
    if (run == NULL) {
        return;
    }

    run->bus = bus;
    run->st = st;
    run->text = text;
    run->dir = dir;
    run->wanted = 1;

    run->name.data = run->name_buf;
    run->name.len = st->name_len;
    ngx_memcpy(run->name_buf, st->name, st->name_len);

    run->log = *log;
    run->log.handler = ngx_webrtc_exec_out_log_error;
    run->log.data = run;
    run->log.action = NULL;

    ngx_webrtc_bus_hold(bus, st);
    ngx_webrtc_bus_watch(bus, st);

    ngx_queue_insert_tail(&ngx_webrtc_exec_outs, &run->queue);
}


static ngx_webrtc_exec_out_t *
ngx_webrtc_exec_out_find(ngx_webrtc_stream_t *st)
{
    ngx_queue_t            *q;
    ngx_webrtc_exec_out_t  *run;

    for (q = ngx_queue_head(&ngx_webrtc_exec_outs);
         q != ngx_queue_sentinel(&ngx_webrtc_exec_outs);
         q = ngx_queue_next(q))
    {
        run = ngx_queue_data(q, ngx_webrtc_exec_out_t, queue);

        if (run->st == st) {
            return run;
        }
    }

    return NULL;
}


static u_char *
ngx_webrtc_exec_out_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_exec_out_t  *run;

    run = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\"", &run->name);
}


void
ngx_webrtc_exec_outs_tick(void)
{
    ngx_queue_t  *q, *next;

    for (q = ngx_queue_head(&ngx_webrtc_exec_outs);
         q != ngx_queue_sentinel(&ngx_webrtc_exec_outs);
         q = next)
    {
        next = ngx_queue_next(q);

        ngx_webrtc_exec_out_tick(ngx_queue_data(q, ngx_webrtc_exec_out_t,
                                                queue));
    }
}


static void
ngx_webrtc_exec_out_tick(ngx_webrtc_exec_out_t *run)
{
    if (!run->wanted) {

        if (run->command) {
            ngx_webrtc_command_stop(run->command);
            return;
        }

        ngx_webrtc_exec_out_free(run);
        return;
    }

    run->wanted = 0;

    if (run->command) {

        if (run->ro
            && ++run->ticks % NGX_WEBRTC_EXEC_OUT_SECOND == 0)
        {
            ngx_webrtc_rtp_out_second(run->ro);
        }

        return;
    }

    if (run->rests
        && (ngx_msec_int_t) (run->until - ngx_current_msec) > 0)
    {
        return;
    }

    run->rests = 0;

    if (ngx_webrtc_bus_state(run->st) != NGX_WEBRTC_STREAM_ACTIVE) {
        /* its media has not come yet */
        return;
    }

    if (ngx_webrtc_bus_output_claim(run->bus, run->st) == NGX_OK) {
        run->claimed = 1;
        ngx_webrtc_exec_out_begin(run);
    }
}


static void
ngx_webrtc_exec_out_begin(ngx_webrtc_exec_out_t *run)
{
    ngx_err_t                  err;
    const char                *cause;
    ngx_webrtc_command_vars_t  vars;

    run->started = ngx_current_msec;

    err = 0;
    cause = "no ports";

    if (ngx_webrtc_exec_out_ports(run) != NGX_OK) {
        goto failed;
    }

    run->ro = ngx_webrtc_rtp_out_open(run->bus, run->st, &run->legs,
                                      &run->log, &cause, &err);
    if (run->ro == NULL) {
        goto failed;
    }

    cause = "its SDP cannot be written";

    if (ngx_webrtc_exec_out_write(run, &err) != NGX_OK) {
        goto failed;
    }

    ngx_memzero(&vars, sizeof(ngx_webrtc_command_vars_t));

    vars.name = run->name;
    vars.video = run->legs.legs[NGX_WEBRTC_LEG_VIDEO].port;
    vars.audio = run->legs.legs[NGX_WEBRTC_LEG_AUDIO].port;
    vars.sdp.data = run->path;
    vars.sdp.len = ngx_strlen(run->path);

    run->command = ngx_webrtc_command_start(run->text, &vars,
                                            ngx_webrtc_exec_out_gone, run,
                                            &run->log, &cause, &err);
    if (run->command) {
        return;
    }

failed:

    ngx_webrtc_bus_complain(run->bus, run->st, NGX_LOG_WARN, &run->log,
                            "exec_publish", "the command has not been "
                            "started: %s%s%s", cause, err ? ": " : "",
                            err ? strerror(err) : "");

    ngx_webrtc_exec_out_close(run);
    ngx_webrtc_exec_out_rest(run);
}


/* four in a row that nobody has now; the command opens them */

static ngx_int_t
ngx_webrtc_exec_out_ports(ngx_webrtc_exec_out_t *run)
{
    ngx_uint_t  i, k, port;

    for (i = 0; i < NGX_WEBRTC_EXEC_OUT_TRIES; i++) {

        port = NGX_WEBRTC_EXEC_OUT_FIRST
               + (ngx_uint_t) ngx_random()
                 % ((NGX_WEBRTC_EXEC_OUT_LAST - NGX_WEBRTC_EXEC_OUT_FIRST) / 4)
                 * 4;

        for (k = 0; k < NGX_WEBRTC_LEGS * NGX_WEBRTC_LEG_STEP; k++) {
            if (!ngx_webrtc_exec_out_free_port((in_port_t) (port + k))) {
                break;
            }
        }

        if (k < NGX_WEBRTC_LEGS * NGX_WEBRTC_LEG_STEP) {
            continue;
        }

        ngx_webrtc_legs_init(&run->legs);

        run->legs.legs[NGX_WEBRTC_LEG_VIDEO].port = (in_port_t) port;
        run->legs.legs[NGX_WEBRTC_LEG_AUDIO].port
                                   = (in_port_t) (port + NGX_WEBRTC_LEG_STEP);

        return NGX_OK;
    }

    return NGX_ERROR;
}


static ngx_uint_t
ngx_webrtc_exec_out_free_port(in_port_t port)
{
    int                 fd, rc;
    struct sockaddr_in  sin;

    fd = socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return 0;
    }

    ngx_memzero(&sin, sizeof(struct sockaddr_in));

    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_ANY);

    rc = bind(fd, (struct sockaddr *) &sin, sizeof(struct sockaddr_in));

    (void) close(fd);

    return rc == 0;
}


/*
 * The SDP, in a file of ours.  Numbers begin anew in each process: what one
 * that was killed has left is removed by its successor.
 */

static ngx_int_t
ngx_webrtc_exec_out_write(ngx_webrtc_exec_out_t *run, ngx_err_t *err)
{
    u_char      *p, sdp[NGX_WEBRTC_RTP_OUT_SDP];
    size_t       n;
    ngx_fd_t     fd;
    ssize_t      written;
    ngx_uint_t   i;

    for (i = 0; ngx_webrtc_exec_out_files == 0 && i < NGX_WEBRTC_EXEC_OUT_OLD;
         i++)
    {
        ngx_webrtc_exec_out_name(run, i);
        (void) ngx_delete_file(run->path);
    }

    ngx_webrtc_exec_out_name(run, ngx_webrtc_exec_out_files++);
    (void) ngx_delete_file(run->path);

    fd = open((char *) run->path, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC|O_NOFOLLOW,
              0600);

    if (fd == NGX_INVALID_FILE) {
        *err = ngx_errno;
        run->path[0] = '\0';
        return NGX_ERROR;
    }

    p = ngx_webrtc_rtp_out_sdp(run->ro, sdp, sdp + sizeof(sdp));
    n = p - sdp;

    written = write(fd, sdp, n);
    *err = ngx_errno;

    (void) close(fd);

    if (written != (ssize_t) n) {
        return NGX_ERROR;
    }

    *err = 0;

    return NGX_OK;
}


static void
ngx_webrtc_exec_out_name(ngx_webrtc_exec_out_t *run, ngx_uint_t n)
{
    (void) ngx_snprintf(run->path, NGX_WEBRTC_EXEC_OUT_PATH,
                        "%V/webrtc-%ui-%ui.sdp%Z", run->dir, run->bus->worker,
                        n);

    run->path[NGX_WEBRTC_EXEC_OUT_PATH - 1] = '\0';
}


static void
ngx_webrtc_exec_out_rest(ngx_webrtc_exec_out_t *run)
{
    if (ngx_current_msec - run->started >= NGX_WEBRTC_EXEC_OUT_GOOD) {
        run->pause = 0;
    }

    run->pause = run->pause ? ngx_min(2 * run->pause,
                                      NGX_WEBRTC_EXEC_OUT_PAUSES)
                            : NGX_WEBRTC_EXEC_OUT_PAUSE;

    run->rests = 1;
    run->until = ngx_current_msec + run->pause;
}


/* of the command */

static void
ngx_webrtc_exec_out_gone(void *data, ngx_str_t *how)
{
    ngx_webrtc_exec_out_t *run = data;

    ngx_uint_t  asked;

    asked = ngx_webrtc_command_stopping(run->command);

    run->command = NULL;

    ngx_webrtc_exec_out_close(run);

    if (asked) {
        return;
    }

    ngx_webrtc_bus_complain(run->bus, run->st, NGX_LOG_WARN, &run->log,
                            "exec_publish", "%V", how);

    ngx_webrtc_exec_out_rest(run);
}


void
ngx_webrtc_exec_outs_news(ngx_webrtc_stream_t *st)
{
    ngx_webrtc_exec_out_t  *run;

    run = ngx_webrtc_exec_out_find(st);

    if (run == NULL || run->ro == NULL || run->command == NULL) {
        return;
    }

    if (ngx_webrtc_rtp_out_news(run->ro) == NGX_OK) {
        return;
    }

    /* it has been told other codecs: the next tick starts it again */

    ngx_webrtc_rtp_out_close(run->ro);
    run->ro = NULL;

    ngx_webrtc_command_stop(run->command);
}


ngx_uint_t
ngx_webrtc_exec_outs_any(void)
{
    return !ngx_queue_empty(&ngx_webrtc_exec_outs);
}


void
ngx_webrtc_exec_outs_exit(void)
{
    ngx_queue_t            *q;
    ngx_webrtc_exec_out_t  *run;

    for (q = ngx_queue_head(&ngx_webrtc_exec_outs);
         q != ngx_queue_sentinel(&ngx_webrtc_exec_outs);
         q = ngx_queue_next(q))
    {
        run = ngx_queue_data(q, ngx_webrtc_exec_out_t, queue);

        if (run->command) {
            ngx_webrtc_command_exit(run->command);
            run->command = NULL;
        }
    }

    /* another worker starts its own when ours have ended */

    ngx_webrtc_command_done();

    while (!ngx_queue_empty(&ngx_webrtc_exec_outs)) {
        q = ngx_queue_head(&ngx_webrtc_exec_outs);

        ngx_webrtc_exec_out_free(ngx_queue_data(q, ngx_webrtc_exec_out_t,
                                                queue));
    }
}


static void
ngx_webrtc_exec_out_close(ngx_webrtc_exec_out_t *run)
{
    if (run->ro) {
        ngx_webrtc_rtp_out_close(run->ro);
        run->ro = NULL;
    }

    if (run->path[0]) {
        (void) ngx_delete_file(run->path);
        run->path[0] = '\0';
    }
}


static void
ngx_webrtc_exec_out_free(ngx_webrtc_exec_out_t *run)
{
    ngx_webrtc_exec_out_close(run);

    ngx_queue_remove(&run->queue);

    if (run->claimed) {
        ngx_webrtc_bus_output_unclaim(run->bus, run->st);
    }

    ngx_webrtc_bus_unwatch(run->bus, run->st);
    ngx_webrtc_bus_release(run->bus, run->st);

    ngx_free(run);
}
