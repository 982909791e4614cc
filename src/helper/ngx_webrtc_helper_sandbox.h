
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Drops the media process's privileges before it reads any outside data.
 */


#ifndef _NGX_WEBRTC_HELPER_SANDBOX_H_INCLUDED_
#define _NGX_WEBRTC_HELPER_SANDBOX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* Closes all descriptors from fd up. */
void ngx_webrtc_helper_sandbox_close(int fd);

/*
 * Closes all descriptors from fd up; the process will end with its parent.
 *
 *   parent   its process id; NGX_DECLINED: it is gone already
 */
ngx_int_t ngx_webrtc_helper_sandbox_begin(pid_t parent, int fd);

/*
 * No new privileges, no programs, no processes, no writing to files.
 * Restrictions unknown to the kernel are skipped.
 *
 *   gpu      1: hardware that encodes may be used, where it can be told from
 *            files (ngx_webrtc_helper_gpu.h)
 */
void ngx_webrtc_helper_sandbox_enter(ngx_uint_t gpu);

/*
 * An allocation that would exceed it fails: twice what may be resident, which
 * the worker watches, and what jobs reserve and do not use: thread stacks, and
 * 2 MB for each picture of an MPEG-TS while it is opened.
 *
 *   memory   bytes that may be resident, webrtc_media_memory
 *   njobs    how many there are
 */
void ngx_webrtc_helper_sandbox_data(size_t memory, ngx_uint_t njobs);

/*
 * For a thread whose upstreams are not files: from now on it, and threads that
 * it starts, read what libraries need of the system, and no other file.
 */
void ngx_webrtc_helper_sandbox_no_files(void);


#endif /* _NGX_WEBRTC_HELPER_SANDBOX_H_INCLUDED_ */
