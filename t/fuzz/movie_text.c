
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: events of ASS, as subtitles of a file have them.  What comes of
 * them ends no cue and has no markup.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_text.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t   room;
    char    *ass;
    u_char  *buf, *p, *s;

    if (size < 1) {
        return 0;
    }

    room = data[0];

    ass = malloc(size);
    memcpy(ass, data + 1, size - 1);
    ass[size - 1] = '\0';

    buf = malloc(room + 1);

    p = ngx_webrtc_movie_text_ass(buf, buf + room, ass);

    if (p < buf || p > buf + room) {
        abort();
    }

    for (s = buf; s < p; s++) {
        if (*s == '<' || *s == '>'
            || (*s == '\n' && (s == buf || s[-1] == '\n')))
        {
            abort();
        }
    }

    free(buf);
    free(ass);

    return 0;
}
