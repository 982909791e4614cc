
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the media process gives up before it reads a byte from outside.
 */


#ifndef _NGX_WEBRTC_HELPER_SANDBOX_H_INCLUDED_
#define _NGX_WEBRTC_HELPER_SANDBOX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Closes all descriptors from fd on, and ends the process with its parent.
 *
 *   parent   its process id; NGX_DECLINED: it is gone already
 */
ngx_int_t ngx_webrtc_helper_sandbox_begin(pid_t parent, int fd);

/*
 * No new privileges, no programs, no processes, no writing to files, and no
 * more memory than that.  What the kernel does not know is left out.
 *
 *   memory   bytes
 */
void ngx_webrtc_helper_sandbox_enter(size_t memory);


#endif /* _NGX_WEBRTC_HELPER_SANDBOX_H_INCLUDED_ */
