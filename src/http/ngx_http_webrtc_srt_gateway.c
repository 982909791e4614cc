
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The gateway of an SRT port: how it is configured, found and started.
 *
 * It belongs to no worker and no configuration: it lives as long as somebody
 * takes its connections to the unix socket, which nginx keeps over reloads and
 * binary upgrades as any socket that it listens on.  A file beside that socket
 * says whether there is one: it holds a lock on it, which goes with it, however
 * it ends.  The first worker looks at that and starts one if there is none; if
 * two are started at once, the lock decides.
 *
 * Only connections of the process that has the lock are taken
 * (ngx_http_webrtc_srt.c), so nobody else can say that a publisher has come.
 */


#include "ngx_http_webrtc_srt_gateway.h"
#include "ngx_webrtc_media_process.h"
#include "ngx_webrtc_udp_listen.h"

#include <sys/un.h>
#include <sys/xattr.h>


#define NGX_HTTP_WEBRTC_SRT_PROGRAM  "ngx-webrtc-srt"

/* the first port that anybody may open, unless the system says another one */
#define NGX_HTTP_WEBRTC_SRT_PORT         1024
#define NGX_HTTP_WEBRTC_SRT_PORTS                                             \
    "/proc/sys/net/ipv4/ip_unprivileged_port_start"

/* ms, libsrt's own default; the most that makes sense */
#define NGX_HTTP_WEBRTC_SRT_LATENCY      120
#define NGX_HTTP_WEBRTC_SRT_LATENCY_MAX  10000

/* ms between two looks; between two attempts to start one, at most */
#define NGX_HTTP_WEBRTC_SRT_LOOK         500
#define NGX_HTTP_WEBRTC_SRT_BACKOFF      10000

/* starts without one that was ever there, until that is said */
#define NGX_HTTP_WEBRTC_SRT_STARTS       2


static ngx_int_t ngx_http_webrtc_srt_option(ngx_http_webrtc_srt_conf_t *scf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_srt_program(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest);
static ngx_int_t ngx_http_webrtc_srt_may(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest);
static ngx_uint_t ngx_http_webrtc_srt_ports(void);
static ngx_int_t ngx_http_webrtc_srt_free(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest);
static ngx_int_t ngx_http_webrtc_srt_socket(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest, struct sockaddr_un *sun);
static void ngx_http_webrtc_srt_stale(ngx_cycle_t *cycle,
    struct sockaddr_un *sun);
static ngx_int_t ngx_http_webrtc_srt_lock(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest);
static void ngx_http_webrtc_srt_unlock(void *data);
static void ngx_http_webrtc_srt_look(ngx_http_webrtc_ingest_conf_t *ingest);
static void ngx_http_webrtc_srt_start(ngx_http_webrtc_ingest_conf_t *ingest);
static void ngx_http_webrtc_srt_failed(ngx_http_webrtc_ingest_conf_t *ingest,
    ngx_err_t err, const char *what);


ngx_int_t
ngx_http_webrtc_srt_options(ngx_conf_t *cf,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_str_t *rest)
{
    u_char                      *p, *last, *end, *eq;
    ngx_str_t                    name, value;
    ngx_http_webrtc_srt_conf_t  *scf;

    scf = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_srt_conf_t));
    if (scf == NULL) {
        return NGX_ERROR;
    }

    scf->lock = NGX_INVALID_FILE;
    scf->config.latency_ms = NGX_HTTP_WEBRTC_SRT_LATENCY;
    ingest->srt = scf;

    if (rest->len == 0) {
        return NGX_OK;
    }

    if (rest->data[0] != '?') {
        return NGX_DECLINED;
    }

    p = rest->data + 1;
    last = rest->data + rest->len;

    while (p < last) {

        end = ngx_strlchr(p, last, '&');

        if (end == NULL) {
            end = last;
        }

        eq = ngx_strlchr(p, end, '=');

        if (eq == NULL) {
            return NGX_DECLINED;
        }

        name.data = p;
        name.len = eq - p;
        value.data = eq + 1;
        value.len = end - value.data;

        if (ngx_http_webrtc_srt_option(scf, &name, &value) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid option in webrtc_ingest "
                               "\"srt://\", expected \"passphrase=\" with %d "
                               "to %d bytes, \"latency=\" with milliseconds "
                               "up to %d, or \"pbkeylen=\" with 16, 24 or 32",
                               NGX_WEBRTC_SRT_PASSPHRASE_MIN,
                               NGX_WEBRTC_SRT_PASSPHRASE_MAX,
                               NGX_HTTP_WEBRTC_SRT_LATENCY_MAX);
            return NGX_ERROR;
        }

        p = (end < last) ? end + 1 : last;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_srt_option(ngx_http_webrtc_srt_conf_t *scf, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_int_t                 n;
    ngx_webrtc_srt_config_t  *config;

    config = &scf->config;

    if (name->len == 10 && ngx_strncmp(name->data, "passphrase", 10) == 0) {

        if (value->len < NGX_WEBRTC_SRT_PASSPHRASE_MIN
            || value->len > NGX_WEBRTC_SRT_PASSPHRASE_MAX)
        {
            return NGX_ERROR;
        }

        config->passphrase_len = value->len;
        ngx_memcpy(config->passphrase, value->data, value->len);

        return NGX_OK;
    }

    n = ngx_atoi(value->data, value->len);

    if (name->len == 7 && ngx_strncmp(name->data, "latency", 7) == 0) {

        if (n == NGX_ERROR || n > NGX_HTTP_WEBRTC_SRT_LATENCY_MAX) {
            return NGX_ERROR;
        }

        config->latency_ms = (uint32_t) n;

        return NGX_OK;
    }

    if (name->len == 8 && ngx_strncmp(name->data, "pbkeylen", 8) == 0) {

        if (n != 16 && n != 24 && n != 32) {
            return NGX_ERROR;
        }

        config->pbkeylen = (uint8_t) n;

        return NGX_OK;
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_http_webrtc_srt_listen(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest, ngx_addr_t *addr)
{
    struct sockaddr_un  *sun;

    sun = ngx_pcalloc(cycle->pool, sizeof(struct sockaddr_un));
    if (sun == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_webrtc_srt_socket(cycle, ingest, sun) != NGX_OK) {
        return NGX_ERROR;
    }

    addr->sockaddr = (struct sockaddr *) sun;
    addr->socklen = sizeof(struct sockaddr_un);
    addr->name = ingest->srt->path;

    /* "nginx -s" needs none of it, and has to work */

    if (ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_OK;
    }

    if (ngx_http_webrtc_srt_program(cycle, ingest) != NGX_OK
        || ngx_http_webrtc_srt_may(cycle, ingest) != NGX_OK
        || ngx_http_webrtc_srt_free(cycle, ingest) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_test_config) {
        return NGX_OK;
    }

    ngx_http_webrtc_srt_stale(cycle, sun);

    return ngx_http_webrtc_srt_lock(cycle, ingest);
}


/* beside the media process, with which it is built and installed */

static ngx_int_t
ngx_http_webrtc_srt_program(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
    u_char                       *p;
    ngx_str_t                    *media, *program;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_webrtc_module);

    media = &wmcf->media_path;
    program = &ingest->srt->program;

    program->data = ngx_pnalloc(cycle->pool, media->len
                                + sizeof(NGX_HTTP_WEBRTC_SRT_PROGRAM));
    if (program->data == NULL) {
        return NGX_ERROR;
    }

    p = media->data + media->len;

    while (p > media->data && p[-1] != '/') {
        p--;
    }

    p = ngx_cpymem(program->data, media->data, p - media->data);
    p = ngx_cpymem(p, NGX_HTTP_WEBRTC_SRT_PROGRAM,
                   sizeof(NGX_HTTP_WEBRTC_SRT_PROGRAM));
    program->len = p - program->data - 1;

    if (access((char *) program->data, X_OK) == 0) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                  "\"webrtc_ingest %V\" in %V:%ui needs the program \"%V\", "
                  "which is built and installed with the module where there "
                  "is libsrt (in Debian libsrt-gnutls-dev)",
                  &ingest->addr.name, &ingest->where.file, ingest->where.line,
                  program);

    return NGX_ERROR;
}


/*
 * The program has the user of workers, and a port that is for root is not
 * opened by it, unless the file has a capability.  Where nginx is not root's,
 * it may have been given one, which the program has, too.
 */

static ngx_int_t
ngx_http_webrtc_srt_may(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
    ngx_str_t        *program;
    ngx_uint_t        ports;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    program = &ingest->srt->program;
    ports = ngx_http_webrtc_srt_ports();

    if (ngx_inet_get_port(ingest->addr.sockaddr) >= ports
        || geteuid() != 0
        || ccf->user == 0
        || getxattr((char *) program->data, "security.capability", NULL, 0)
           > 0)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                  "the port of \"webrtc_ingest srt://%V\" is for root alone, "
                  "and \"%V\", which opens it, has the \"user\" of workers, "
                  "expected a port from %ui on, or \"setcap "
                  "cap_net_bind_service+ep %V\" for the one in %V:%ui",
                  &ingest->addr.name, program, ports, program,
                  &ingest->where.file, ingest->where.line);

    return NGX_ERROR;
}


static ngx_uint_t
ngx_http_webrtc_srt_ports(void)
{
    u_char      buf[NGX_INT_T_LEN];
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_int_t   port;

    fd = ngx_open_file(NGX_HTTP_WEBRTC_SRT_PORTS, NGX_FILE_RDONLY,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_HTTP_WEBRTC_SRT_PORT;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));
    (void) ngx_close_file(fd);

    port = (n > 1) ? ngx_atoi(buf, n - 1) : NGX_ERROR;

    return (port == NGX_ERROR) ? NGX_HTTP_WEBRTC_SRT_PORT : (ngx_uint_t) port;
}


/* another program that has it is found out when it is opened */

static ngx_int_t
ngx_http_webrtc_srt_free(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if (ls[i].type == SOCK_DGRAM
            && ngx_webrtc_udp_overlap(ls[i].sockaddr, ls[i].socklen,
                                      &ingest->addr))
        {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "the UDP port of \"webrtc_ingest srt://%V\" is that "
                          "of \"webrtc_listen\" or another \"listen\", "
                          "expected one of its own in %V:%ui",
                          &ingest->addr.name, &ingest->where.file,
                          ingest->where.line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Beside the pid file, where the master can write, and nobody else.  The
 * gateway has another working directory.
 */

static ngx_int_t
ngx_http_webrtc_srt_socket(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest, struct sockaddr_un *sun)
{
    u_char           *p, *last;
    ngx_str_t        *path;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    sun->sun_family = AF_UNIX;

    p = (u_char *) sun->sun_path;
    last = p + sizeof(sun->sun_path);

    if (ccf->pid.data[0] != '/' && getcwd((char *) p, last - p)) {
        p += ngx_strlen(p);
        p = ngx_slprintf(p, last, "/");
    }

    p = ngx_slprintf(p, last, "%V.srt-%V%Z", &ccf->pid, &ingest->addr.name);

    if (p == last) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"webrtc_ingest srt://%V\" needs a socket "
                      "\"%V.srt-%V\", whose name is too long, expected a "
                      "shorter \"pid\"",
                      &ingest->addr.name, &ccf->pid, &ingest->addr.name);
        return NGX_ERROR;
    }

    path = &ingest->srt->path;
    path->data = (u_char *) sun->sun_path;
    path->len = p - path->data - 1;

    return NGX_OK;
}


/* what a master that was killed has left: nobody takes connections there */

static void
ngx_http_webrtc_srt_stale(ngx_cycle_t *cycle, struct sockaddr_un *sun)
{
    ngx_err_t         err;
    ngx_uint_t        i;
    ngx_socket_t      fd;
    ngx_listening_t  *ls;

    ls = cycle->old_cycle ? cycle->old_cycle->listening.elts : NULL;

    for (i = 0; ls && i < cycle->old_cycle->listening.nelts; i++) {
        if (ls[i].fd != (ngx_socket_t) -1
            && ngx_cmp_sockaddr(ls[i].sockaddr, ls[i].socklen,
                                (struct sockaddr *) sun,
                                sizeof(struct sockaddr_un), 1)
               == NGX_OK)
        {
            /* it is ours */
            return;
        }
    }

    fd = ngx_socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0);

    if (fd == (ngx_socket_t) -1) {
        return;
    }

    err = (connect(fd, (struct sockaddr *) sun, sizeof(struct sockaddr_un))
           == -1) ? ngx_socket_errno : 0;

    (void) ngx_close_socket(fd);

    if (err == NGX_ECONNREFUSED) {
        (void) ngx_delete_file(sun->sun_path);
    }
}


static ngx_int_t
ngx_http_webrtc_srt_lock(ngx_cycle_t *cycle,
    ngx_http_webrtc_ingest_conf_t *ingest)
{
    u_char                      *name;
    ngx_pool_cleanup_t          *cln;
    ngx_http_webrtc_srt_conf_t  *scf;

    scf = ingest->srt;

    name = ngx_pnalloc(cycle->pool, scf->path.len + sizeof(".lock"));
    cln = ngx_pool_cleanup_add(cycle->pool, 0);

    if (name == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(name, "%V.lock%Z", &scf->path);

    scf->lock = open((char *) name, O_RDWR|O_CREAT|O_CLOEXEC|O_NOFOLLOW, 0600);

    if (scf->lock == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", name);
        return NGX_ERROR;
    }

    cln->handler = ngx_http_webrtc_srt_unlock;
    cln->data = scf;

    return NGX_OK;
}


static void
ngx_http_webrtc_srt_unlock(void *data)
{
    ngx_http_webrtc_srt_conf_t *scf = data;

    (void) ngx_close_file(scf->lock);
}


void
ngx_http_webrtc_srt_own(ngx_cycle_t *cycle, ngx_http_webrtc_main_conf_t *wmcf)
{
    char                           *path;
    ngx_uint_t                      i;
    ngx_core_conf_t                *ccf;
    ngx_http_webrtc_ingest_conf_t  *ingest;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    ingest = wmcf->ingests.elts;

    for (i = 0; i < wmcf->ingests.nelts; i++) {

        if (ingest[i].srt == NULL || ngx_test_config) {
            continue;
        }

        path = (char *) ingest[i].srt->path.data;

        /* nginx's are for everybody */

        if (chmod(path, 0600) == -1
            || (geteuid() == 0
                && ccf->user != (ngx_uid_t) NGX_CONF_UNSET_UINT
                && chown(path, ccf->user, (gid_t) -1) == -1))
        {
            ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                          "webrtc srt: mode and owner of \"%s\" cannot be set",
                          path);
        }
    }
}


ngx_pid_t
ngx_http_webrtc_srt_pid(ngx_http_webrtc_srt_conf_t *scf)
{
    struct flock  fl;

    ngx_memzero(&fl, sizeof(struct flock));
    fl.l_type = F_WRLCK;
    fl.l_whence = SEEK_SET;

    if (fcntl(scf->lock, F_GETLK, &fl) == -1 || fl.l_type == F_UNLCK) {
        return 0;
    }

    return fl.l_pid;
}


void
ngx_http_webrtc_srt_tick(ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                      i;
    ngx_http_webrtc_ingest_conf_t  *ingest;

    if (ngx_worker != 0 || ngx_exiting) {
        return;
    }

    ingest = wmcf->ingests.elts;

    for (i = 0; i < wmcf->ingests.nelts; i++) {

        if (ingest[i].srt
            && (ngx_msec_int_t) (ngx_current_msec - ingest[i].srt->next) >= 0)
        {
            ngx_http_webrtc_srt_look(&ingest[i]);
        }
    }
}


static void
ngx_http_webrtc_srt_look(ngx_http_webrtc_ingest_conf_t *ingest)
{
    int                          status;
    ngx_http_webrtc_srt_conf_t  *scf;

    scf = ingest->srt;

    if (scf->pid && ngx_webrtc_media_process_ended(scf->pid, &status) == NGX_OK)
    {
        scf->pid = 0;

        if (status) {
            ngx_http_webrtc_srt_failed(ingest, 0, "cannot be started");
        }
    }

    if (ngx_http_webrtc_srt_pid(scf)) {
        scf->there = 1;
        scf->failed = 0;
        scf->started = 0;
        scf->backoff = NGX_HTTP_WEBRTC_SRT_LOOK;
        scf->next = ngx_current_msec + NGX_HTTP_WEBRTC_SRT_LOOK;
        return;
    }

    if (scf->there) {
        scf->there = 0;
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "webrtc srt process of %V has ended, it is started again",
                      &ingest->addr.name);
    }

    scf->backoff = ngx_max(NGX_HTTP_WEBRTC_SRT_LOOK, scf->backoff);
    scf->next = ngx_current_msec + scf->backoff;
    scf->backoff = ngx_min(2 * scf->backoff, NGX_HTTP_WEBRTC_SRT_BACKOFF);

    /* what it does wrong it can tell nobody, without a link */

    if (scf->started == NGX_HTTP_WEBRTC_SRT_STARTS) {
        ngx_http_webrtc_srt_failed(ingest, 0,
                                   "ends at once: may the user of workers "
                                   "run it, and reach the socket");
    }

    if (scf->pid == 0) {
        ngx_http_webrtc_srt_start(ingest);
    }
}


static void
ngx_http_webrtc_srt_start(ngx_http_webrtc_ingest_conf_t *ingest)
{
    char                        *argv[5];
    u_char                       ip[NGX_SOCKADDR_STRLEN + 1];
    u_char                       port[NGX_INT_T_LEN + 1];
    ngx_pid_t                    pid;
    ngx_http_webrtc_srt_conf_t  *scf;

    scf = ingest->srt;

    ip[ngx_sock_ntop(ingest->addr.sockaddr, ingest->addr.socklen, ip,
                     NGX_SOCKADDR_STRLEN, 0)] = '\0';
    (void) ngx_sprintf(port, "%ui%Z",
                       (ngx_uint_t) ngx_inet_get_port(ingest->addr.sockaddr));

    argv[0] = "nginx: webrtc srt process";
    argv[1] = (char *) ip;
    argv[2] = (char *) port;
    argv[3] = (char *) scf->path.data;
    argv[4] = NULL;

    pid = ngx_webrtc_media_process_start((char *) scf->program.data, argv,
                                         scf->lock);

    if (pid == -1) {
        ngx_http_webrtc_srt_failed(ingest, ngx_errno, "cannot be started");
        return;
    }

    scf->pid = pid;
    scf->started++;

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "webrtc srt process of %V started", &ingest->addr.name);
}


static void
ngx_http_webrtc_srt_failed(ngx_http_webrtc_ingest_conf_t *ingest,
    ngx_err_t err, const char *what)
{
    if (ingest->srt->failed) {
        return;
    }

    ingest->srt->failed = 1;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, err,
                  "webrtc srt process of %V %s: \"%V\", \"%V\"",
                  &ingest->addr.name, what, &ingest->srt->program,
                  &ingest->srt->path);
}
