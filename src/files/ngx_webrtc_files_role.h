
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A file session as a role of sessions.
 */


#ifndef _NGX_WEBRTC_FILES_ROLE_H_INCLUDED_
#define _NGX_WEBRTC_FILES_ROLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_files.h"


/* its conf is a ngx_webrtc_files_conf_t, which is copied */
extern const ngx_webrtc_role_t  ngx_webrtc_files_role;


#endif /* _NGX_WEBRTC_FILES_ROLE_H_INCLUDED_ */
