
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a publisher of another protocol than WHIP asks for, as a URI.
 */


#ifndef _NGX_WEBRTC_URI_H_INCLUDED_
#define _NGX_WEBRTC_URI_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The URI of application and name, "/application/name?arguments": arguments of
 * both are kept, slashes at either end are not.
 *
 *   buf   2 bytes more than both strings have
 *
 * Returns its end; NULL: the name is empty, or leads elsewhere: a part of it is
 * "." or "..", or has a dot or slash in disguise ("%2e").
 */
u_char *ngx_webrtc_uri(u_char *buf, ngx_str_t *app, ngx_str_t *name);


#endif /* _NGX_WEBRTC_URI_H_INCLUDED_ */
