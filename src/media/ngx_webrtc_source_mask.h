
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Keeps secrets of URLs out of logs, the status and answers to clients: user
 * names and passwords, stream keys, tokens.
 *
 * Secrets of a URL are:
 *
 *   - all of the authority up to its last '@'
 *   - of rtmp and rtmps, the last component of the path, which is the stream
 *     key, unless it is the stream's own name
 *   - in other schemes, a component that looks like a token: 16 bytes and
 *     more before the first '.', in which letters, capitals and digits change
 *     four times
 *   - in the path, what follows '=' in a component
 *   - in the query, every value, and everything without a name, except
 *     numbers and words of options that are known to be harmless
 *   - the fragment
 *
 * A file's name is not a secret.
 *
 * User information is left out.  Of a key or token in the path up to four
 * bytes are kept, a quarter of it at most, so that an operator can tell which
 * it is; "***" stands for the rest, and for values.  No text gets longer.
 *
 * Pure: no clock, no allocation.
 */


#ifndef _NGX_WEBRTC_SOURCE_MASK_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_MASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Prints a URL without its secrets, and with '?' for bytes that are not
 * printable ASCII.  Truncated to fit.
 *
 *   p, last  room, last - p > 0; the result is not null-terminated
 *   name     of the stream, or NULL for a URL as configured: there, a
 *            component that is a variable is not a secret
 *
 * Returns the end of what was written.
 */
u_char *ngx_webrtc_source_mask_url(u_char *p, u_char *last, ngx_str_t *url,
    ngx_str_t *name);

/*
 * Does the same, in place, for each URL in a message, such as libavformat's
 * errors; control characters become '?'.
 *
 *   p, n    text, not null-terminated
 *   name    of the stream
 *
 * Returns the new length.
 */
size_t ngx_webrtc_source_mask_text(u_char *p, size_t n, ngx_str_t *name);

/*
 * Removes, in place, a known URL's secrets of four bytes and more from a
 * message that may have pieces of it, percent-encoded or not; also the
 * beginning of a secret that the end of the text cuts.
 *
 * Returns the new length.
 */
size_t ngx_webrtc_source_mask_secrets(u_char *p, size_t n, ngx_str_t *url,
    ngx_str_t *name);

/*
 * Does the same, in place, for the arguments of a request, after its '?'.
 *
 *   plain   names whose values stay, besides the harmless ones; ends with an
 *           empty one
 *
 * Returns the new length.
 */
size_t ngx_webrtc_source_mask_query(u_char *p, size_t n,
    const ngx_str_t *plain);


#endif /* _NGX_WEBRTC_SOURCE_MASK_H_INCLUDED_ */
