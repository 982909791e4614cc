
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A child of a worker that nginx does not know about: started, and reaped
 * before nginx's own handler of SIGCHLD, which would log an alert for it.
 */


#ifndef _NGX_WEBRTC_MEDIA_PROCESS_H_INCLUDED_
#define _NGX_WEBRTC_MEDIA_PROCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * children known at the same time; chosen: more jobs in processes of their
 * own than a machine has cores for
 */
#define NGX_WEBRTC_MEDIA_CHILDREN  256


/*
 * Starts a program.
 *
 *   argv   ends with NULL; argv[0] is what ps shows
 *   fd     becomes its descriptor 3
 *
 * Its process id; or -1, errno is set.
 */
ngx_pid_t ngx_webrtc_media_process_start(const char *program,
    char *const argv[], int fd);

/*
 * Starts a command of the operator: as the leader of a process group, which
 * ends with it; with this process it is killed (PR_SET_PDEATHSIG).  It has
 * /dev/null as input and output, and no other descriptor.
 *
 *   fd     becomes its standard error; says so if the program cannot be run
 *   guard  read end of a pipe: when nobody has the write end any more, the
 *          group is killed
 *
 * Its process id; or -1, errno is set.
 */
ngx_pid_t ngx_webrtc_media_process_command(const char *program,
    char *const argv[], int fd, int guard);

/*
 * How it ended.
 *
 * NGX_OK     *status as of waitpid(); the id is free
 * NGX_AGAIN  still running
 */
ngx_int_t ngx_webrtc_media_process_ended(ngx_pid_t pid, int *status);

/* Has somebody stopped it (SIGSTOP)? */
ngx_uint_t ngx_webrtc_media_process_stopped(ngx_pid_t pid);

/* Sends it a signal, and to its group if it leads one. */
void ngx_webrtc_media_process_signal(ngx_pid_t pid, int signo);

/* private resident memory, in bytes; 0: it cannot be told */
uint64_t ngx_webrtc_media_process_memory(ngx_pid_t pid);

/* Kills it (its group), and forgets it as soon as it is gone. */
void ngx_webrtc_media_process_kill(ngx_pid_t pid);

/*
 * When all children have been killed: from now on nginx's SIGCHLD handler is in
 * charge again.  Waits for them, a fifth of a second at most.
 */
void ngx_webrtc_media_process_done(void);


#endif /* _NGX_WEBRTC_MEDIA_PROCESS_H_INCLUDED_ */
