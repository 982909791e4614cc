
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What an HLS playlist says about its end (RFC 8216): libavformat does not
 * report it, and waits in vain for the next segment of a playlist that has
 * restarted.
 *
 * Pure: no clock, no allocation.
 */


#ifndef _NGX_WEBRTC_SOURCE_PLAYLIST_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_PLAYLIST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a line that are examined; chosen: relevant tags are shorter */
#define NGX_WEBRTC_SOURCE_PLAYLIST_LINE  64


/* limits, all chosen: a day of segments of a second, ladders of every codec and
 * language; what libavformat keeps of a line is up to 45 kB for a variant and
 * some 200 bytes for a segment */
#define NGX_WEBRTC_SOURCE_PLAYLIST_BYTES     (8 * 1024 * 1024)
#define NGX_WEBRTC_SOURCE_PLAYLIST_LONGEST   65536
#define NGX_WEBRTC_SOURCE_PLAYLIST_SEGMENTS  100000
#define NGX_WEBRTC_SOURCE_PLAYLIST_VARIANTS  128


/* All zero initially. */
typedef struct {
    uint64_t     sequence;        /* of the first segment */
    uint64_t     segments;
    uint64_t     bytes;
    uint64_t     longest;         /* bytes of the current line */
    ngx_uint_t   maps;            /* initialization sections */
    ngx_uint_t   variants;        /* and renditions */
    ngx_uint_t   counted;         /* by the caller: of these */
    const char  *cause;           /* which limit is exceeded, or NULL */
    unsigned     is:1;            /* it is a playlist */
    unsigned     isnt:1;          /* or something else */
    unsigned     master:1;        /* of other playlists */
    unsigned     ended:1;         /* no segment will be added */

    ngx_uint_t   n;               /* of the line under way */
    u_char       line[NGX_WEBRTC_SOURCE_PLAYLIST_LINE];
} ngx_webrtc_source_playlist_t;


/*
 * The next bytes, in pieces of any size.
 *
 * NGX_OK        so far it is a playlist, or too short to tell
 * NGX_DECLINED  it is something else, or beyond a limit (pl->cause); nothing
 *               more need be given
 */
ngx_int_t ngx_webrtc_source_playlist_feed(ngx_webrtc_source_playlist_t *pl,
    const u_char *p, size_t n);

/*
 * There are no more bytes; the last line need not be terminated.
 *
 * NGX_OK        a media playlist: sequence, segments and ended are set
 * NGX_DECLINED  something else
 */
ngx_int_t ngx_webrtc_source_playlist_end(ngx_webrtc_source_playlist_t *pl);


#endif /* _NGX_WEBRTC_SOURCE_PLAYLIST_H_INCLUDED_ */
