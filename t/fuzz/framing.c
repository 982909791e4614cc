
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: datagrams over a connection.  However a stream is cut into
 * pieces, its frames are the same; the first byte says how.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_framing.h>


#define MAX  64


/* returns a hash of the frames */

static uint64_t
read_pieces(const uint8_t *data, size_t size, size_t piece, uint64_t *cut)
{
    size_t                 n, m, i, at, kept;
    u_char                *buf, *p, *end, *frame, part[MAX + 2];
    uint64_t               hash;
    ngx_webrtc_framing_t   f;

    memset(&f, 0, sizeof(f));
    f.max = MAX;

    kept = 0;
    hash = 14695981039346656037u;

    for (at = 0; at < size; at += n) {
        n = ngx_min(piece, size - at);

        buf = malloc(kept + n);
        memcpy(buf, part, kept);
        memcpy(buf + kept, data + at, n);

        p = buf;
        end = buf + kept + n;

        while (ngx_webrtc_framing_next(&f, &p, end, &frame, &m) == NGX_OK) {

            if (m == 0 || m > MAX || frame < buf || frame + m != p || p > end) {
                abort();
            }

            for (i = 0; i < m; i++) {
                hash = (hash ^ frame[i]) * 1099511628211u;
            }

            hash = (hash ^ m) * 1099511628211u;
        }

        kept = (size_t) (end - p);

        if (p > end || kept >= MAX + NGX_WEBRTC_FRAMING_HEADER) {
            abort();
        }

        memcpy(part, p, kept);
        free(buf);
    }

    *cut = f.cut;

    return hash;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t  whole, pieces, cut, cuts;

    if (size == 0) {
        return 0;
    }

    whole = read_pieces(data + 1, size - 1, size, &cut);
    pieces = read_pieces(data + 1, size - 1, 1 + data[0] % 80, &cuts);

    if (whole != pieces || cut != cuts) {
        abort();
    }

    return 0;
}
