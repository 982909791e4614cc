
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Secrets of URLs, kept out of logs, of the status and of what clients are
 * told: user names and passwords, stream keys, tokens.
 *
 * What is a secret of a URL:
 *
 *   - all of the authority up to its last '@'
 *   - of rtmp and rtmps, the last component of the path, which is the stream
 *     key, unless it is the stream's own name
 *   - of others, a component that looks like a token: 16 bytes and more before
 *     the first '.', in which letters, capitals and digits change four times
 *   - in the path, what follows '=' in a component
 *   - in the query, every value, and all that has no name; but for numbers and
 *     words of options that are known to be harmless
 *   - the fragment
 *
 * A file's name is none.
 *
 * User information is left out.  Of a key or token of the path up to four bytes
 * are left, a quarter of it at most, so that an operator sees which it is;
 * "***" stands for the rest, and for values.  No text gets longer.
 *
 * Pure: no clock, no allocation.
 */


#ifndef _NGX_WEBRTC_SOURCE_MASK_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_MASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * A URL as text: without its secrets, and with bytes that are no printable
 * ASCII as '?'.  Cut to the room.
 *
 *   p, last  room, last - p > 0; the result is not null-terminated
 *   name     of the stream, or NULL for a URL as configured: there a component
 *            that is a variable is none of the secrets
 *
 * Returns the end of what was written.
 */
u_char *ngx_webrtc_source_mask_url(u_char *p, u_char *last, ngx_str_t *url,
    ngx_str_t *name);

/*
 * A message that may have URLs in it, such as libavformat's errors: the same
 * for each of them, in place, and control characters become '?'.
 *
 *   p, n    text, not null-terminated
 *   name    of the stream
 *
 * Returns the new length.
 */
size_t ngx_webrtc_source_mask_text(u_char *p, size_t n, ngx_str_t *name);

/*
 * A message about a known URL, of which it may have pieces, percent-encoded or
 * not: the URL's secrets of four bytes and more, in place; also the beginning
 * of one where the text ends.
 *
 * Returns the new length.
 */
size_t ngx_webrtc_source_mask_secrets(u_char *p, size_t n, ngx_str_t *url,
    ngx_str_t *name);

/*
 * The arguments of a request, behind its '?', in place.
 *
 *   plain   names whose values stay, besides the harmless ones; ends with an
 *           empty one
 *
 * Returns the new length.
 */
size_t ngx_webrtc_source_mask_query(u_char *p, size_t n,
    const ngx_str_t *plain);


#endif /* _NGX_WEBRTC_SOURCE_MASK_H_INCLUDED_ */
