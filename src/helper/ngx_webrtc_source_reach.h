
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What an upstream may lead to: the URLs that its playlists name, and where it
 * redirects to.
 *
 * - A local playlist: files of its own directory and of those below.
 * - One that came over HTTP: http and https only.  A host of the Internet leads
 *   neither into a private network nor to this machine, and one of a private
 *   network not to this machine.  The host that the configuration names may
 *   name itself, whatever it is.
 *
 * What a URL looks like is libavformat's view of it, not RFC 3986's.
 */


#ifndef _NGX_WEBRTC_SOURCE_REACH_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_REACH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the larger, the closer; an unknown one is not reached */
typedef enum {
    NGX_WEBRTC_SOURCE_REACH_PUBLIC = 0,
    NGX_WEBRTC_SOURCE_REACH_PRIVATE,
    NGX_WEBRTC_SOURCE_REACH_LOCAL,     /* loopback, link-local, none */
    NGX_WEBRTC_SOURCE_REACH_UNKNOWN
} ngx_webrtc_source_reach_e;


/* Of an address; one of IPv4 in IPv6 counts as what it is. */
ngx_webrtc_source_reach_e ngx_webrtc_source_reach_address(
    struct sockaddr *sa);

/*
 * The host of a URL, without user information, port and brackets.
 *
 * NGX_OK, host is a part of url
 * NGX_DECLINED   there is none, or it is longer than any name
 */
ngx_int_t ngx_webrtc_source_reach_host(const char *url, ngx_str_t *host);

/*
 * May "main", as configured, lead to "url"?  Resolves names: not for the loop.
 *
 *   cause   set on refusal, constant text
 *
 * NGX_OK, NGX_DECLINED
 */
ngx_int_t ngx_webrtc_source_reach(const char *main, const char *url,
    const char **cause);

/* The same, whatever the scheme of url. */
ngx_int_t ngx_webrtc_source_reach_host_ok(const char *main, const char *url,
    const char **cause);

/*
 * The same for files: both are "file:" and an absolute path, or such a path.
 *
 *   path    set to the path of url
 */
ngx_int_t ngx_webrtc_source_reach_file(const char *main, const char *url,
    const char **path, const char **cause);

/*
 * The URL of what is encrypted, in hls' "crypto+url" or "crypto:url"; or NULL.
 */
const char *ngx_webrtc_source_reach_encrypted(const char *url);


#endif /* _NGX_WEBRTC_SOURCE_REACH_H_INCLUDED_ */
