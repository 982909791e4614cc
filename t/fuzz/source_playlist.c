
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Playlists of HLS: the same whole and in pieces.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_playlist.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                         i, n;
    ngx_int_t                      whole, parts;
    ngx_webrtc_source_playlist_t   a, b;

    if (size < 1) {
        return 0;
    }

    n = 1 + data[0] % 16;
    data++;
    size--;

    ngx_memzero(&a, sizeof(ngx_webrtc_source_playlist_t));
    ngx_memzero(&b, sizeof(ngx_webrtc_source_playlist_t));

    (void) ngx_webrtc_source_playlist_feed(&a, data, size);

    for (i = 0; i < size; i += n) {
        (void) ngx_webrtc_source_playlist_feed(&b, data + i,
                                               ngx_min(n, size - i));
    }

    if (a.variants > NGX_WEBRTC_SOURCE_PLAYLIST_VARIANTS + 1
        || (a.cause == NULL) != (b.cause == NULL))
    {
        abort();
    }

    whole = ngx_webrtc_source_playlist_end(&a);
    parts = ngx_webrtc_source_playlist_end(&b);

    if (whole != parts
        || (whole == NGX_OK
            && (a.sequence != b.sequence || a.segments != b.segments
                || a.ended != b.ended || a.segments > size)))
    {
        abort();
    }

    return 0;
}
