
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Checks where an upstream may lead: the URLs that its playlists name, and
 * the targets of its redirects.
 *
 * - A local playlist: files in its own directory and below.
 * - One that came over HTTP: http and https only.  A host on the Internet may
 *   lead neither into a private network nor to this machine, and one in a
 *   private network not to this machine.  The host that the configuration
 *   names may name itself, whatever it is.
 *
 * URLs are parsed as libavformat does, not as in RFC 3986.
 */


#ifndef _NGX_WEBRTC_SOURCE_REACH_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_REACH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the larger, the closer; unknown ones must not be reached */
typedef enum {
    NGX_WEBRTC_SOURCE_REACH_PUBLIC = 0,
    NGX_WEBRTC_SOURCE_REACH_PRIVATE,
    NGX_WEBRTC_SOURCE_REACH_LOCAL,     /* loopback, link-local, none */
    NGX_WEBRTC_SOURCE_REACH_UNKNOWN
} ngx_webrtc_source_reach_e;


/* The reach of an address; IPv4 in IPv6 counts as IPv4. */
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
 * May "main", as configured, lead to "url"?  Resolves names: not for the
 * event loop.
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
 * The same for files: both are absolute paths, with or without "file:".
 *
 *   path    set to the path of url
 */
ngx_int_t ngx_webrtc_source_reach_file(const char *main, const char *url,
    const char **path, const char **cause);

/*
 * The encrypted URL in hls' "crypto+url" or "crypto:url"; or NULL.
 */
const char *ngx_webrtc_source_reach_encrypted(const char *url);


#endif /* _NGX_WEBRTC_SOURCE_REACH_H_INCLUDED_ */
