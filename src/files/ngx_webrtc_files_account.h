
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The memory that file sessions hold.
 */


#ifndef _NGX_WEBRTC_FILES_ACCOUNT_H_INCLUDED_
#define _NGX_WEBRTC_FILES_ACCOUNT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_files.h"


/* Reports how much memory the session holds now; that may end a session, even
 * this one: do not use it afterwards. */
void ngx_webrtc_files_account(ngx_webrtc_files_t *f);

/* Ends a session.  last: its account, or NULL */
void ngx_webrtc_files_account_laggard(ngx_webrtc_files_worker_t *fw,
    ngx_webrtc_budget_account_t *last);


#endif /* _NGX_WEBRTC_FILES_ACCOUNT_H_INCLUDED_ */
