
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_movie_text: events of ASS become the text of cues.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_text.h"

#include "tap.h"


#define HEAD  "0,0,Default,,0,0,0,,"


int
main(void)
{
    size_t       room;
    u_char      *p;
    u_char       buf[256];
    ngx_uint_t   i;

    static const struct {
        const char  *ass;
        const char  *text;
    } rows[] = {
        { HEAD "one", "one" },
        { HEAD "one, two", "one, two" },
        { HEAD "one\\Ntwo\\nthree", "one\ntwo\nthree" },
        { HEAD "one\\hand", "one and" },
        { HEAD "{\\i1}one{\\i0} two", "one two" },
        { HEAD "a brace { alone", "a brace { alone" },
        { HEAD "a < b && c > d", "a &lt; b &amp;&amp; c &gt; d" },
        { HEAD "1 --> 2", "1 --&gt; 2" },
        { HEAD "one\\N\\N\\Ntwo", "one\ntwo" },       /* no blank lines */
        { HEAD "\\None", "one" },
        { HEAD "one\r\ntwo", "one\ntwo" },
        { HEAD "\\", "\\" },
        { HEAD, "" },
        { "no fields", "" },
        { "", "" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        p = ngx_webrtc_movie_text_ass(buf, buf + sizeof(buf), rows[i].ass);

        tap_is_mem(buf, p - buf, rows[i].text, strlen(rows[i].text), "\"%s\"",
                   rows[i].ass);
    }

    for (room = 0; room < 20; room++) {
        p = ngx_webrtc_movie_text_ass(buf, buf + room,
                                      HEAD "<<<<{x}\\N\\N&&&&\\h\\hxxxxxxxxx");

        if (p < buf || p > buf + room) {
            break;
        }
    }

    tap_is_int(room, 20, "no more than there is room for");

    return tap_done();
}
