
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_command_text: words, variables, names, lines.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_command_text.h>

#include "tap.h"


static char        said[65536];
static ngx_uint_t  nsaid, more;


static void
test_words(void)
{
    ngx_str_t   word, bad;
    ngx_int_t   rc;
    ngx_uint_t  i, bits;

    static const struct {
        const char  *word;
        ngx_int_t    bits;           /* -1: refused */
    } rows[] = {
        { "", 0 }, { "-i", 0 }, { "$", 0 }, { "a$ b", 0 }, { "$1", 0 },
        { "a$$b", -1 }, { "$$", 0 }, { "100%$", 0 },
        { "$webrtc_name", NGX_WEBRTC_COMMAND_NAME },
        { "x${webrtc_name}y", NGX_WEBRTC_COMMAND_NAME },
        { "rtp://127.0.0.1:$webrtc_video_port", NGX_WEBRTC_COMMAND_VIDEO },
        { "$webrtc_video_port,$webrtc_audio_port?$webrtc_sdp",
          NGX_WEBRTC_COMMAND_VIDEO|NGX_WEBRTC_COMMAND_AUDIO
          |NGX_WEBRTC_COMMAND_SDP },
        { "$webrtc_names", -1 }, { "$arg_x", -1 }, { "${webrtc_name", -1 },
        { "${}", -1 }, { "${webrtc_name x}", -1 }, { "$WEBRTC_NAME", -1 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        word.data = (u_char *) rows[i].word;
        word.len = strlen(rows[i].word);
        bits = 0;

        rc = ngx_webrtc_command_word(&word, &bits, &bad);

        tap_is_int(rc == NGX_OK ? (ngx_int_t) bits : -1, rows[i].bits,
                   "%s", rows[i].word);
    }
}


static void
test_names(void)
{
    ngx_str_t   name;
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        ngx_uint_t   plain;
    } rows[] = {
        { "cam", 1 }, { "Cam_1.hall", 1 }, { "a/b", 1 }, { "a-b+c@d~e", 1 },
        { "k\xc3\xbc" "che", 1 }, { "1", 1 }, { "a..b", 1 },
        { "", 0 }, { "-i", 0 }, { "/etc/passwd", 0 }, { "../x", 0 },
        { "a/../b", 0 }, { "a/.b", 0 }, { ".a", 0 }, { "a:b", 0 },
        { "http://x/", 0 }, { "concat:a|b", 0 }, { "a b", 0 }, { "a%d", 0 },
        { "a\\b", 0 }, { "a\nb", 0 }, { "a$b", 0 }, { "a=b", 0 }, { "a?b", 0 },
        { "a,b", 0 }, { "[a]", 0 }, { "*", 0 }, { "a\x7f", 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        name.data = (u_char *) rows[i].name;
        name.len = strlen(rows[i].name);

        tap_ok(ngx_webrtc_command_is_plain(&name) == rows[i].plain,
               "a name, \"%s\", is%s plain", rows[i].name,
               rows[i].plain ? "" : " not");
    }
}


static void
test_expand(void)
{
    u_char                     *big;
    ngx_str_t                   text;
    ngx_webrtc_command_vars_t   vars;

    static ngx_webrtc_command_argv_t  out;
    static char  line[] = "/bin/x\0a $ b\0\0$webrtc_name.mp4\0"
                          "u:$webrtc_video_port/${webrtc_audio_port}x\0"
                          "$webrtc_sdp";

    ngx_memzero(&vars, sizeof(vars));
    ngx_str_set(&vars.name, "cam");
    ngx_str_set(&vars.sdp, "/tmp/a b.sdp");
    vars.video = 4000;
    vars.audio = 65534;

    text.data = (u_char *) line;
    text.len = sizeof(line);

    tap_is_int(ngx_webrtc_command_expand(&text, &vars, &out), NGX_OK,
               "a command");
    tap_is_int(out.n, 6, "its words");
    tap_ok(strcmp(out.argv[0], "/bin/x") == 0, "the program");
    tap_ok(strcmp(out.argv[1], "a $ b") == 0, "with spaces, and a dollar");
    tap_ok(strcmp(out.argv[2], "") == 0, "an empty one");
    tap_ok(strcmp(out.argv[3], "cam.mp4") == 0, "with the name");
    tap_ok(strcmp(out.argv[4], "u:4000/65534x") == 0, "with ports");
    tap_ok(strcmp(out.argv[5], "/tmp/a b.sdp") == 0, "with a path: one word");
    tap_ok(out.argv[6] == NULL, "the end");

    ngx_str_set(&vars.name, "-y");
    tap_is_int(ngx_webrtc_command_expand(&text, &vars, &out), NGX_DECLINED,
               "not with a name that is an option");

    text.len--;
    tap_is_int(ngx_webrtc_command_expand(&text, &vars, &out), NGX_DECLINED,
               "not without its end");
    text.len = 0;
    tap_is_int(ngx_webrtc_command_expand(&text, &vars, &out), NGX_DECLINED,
               "not without a word");

    big = malloc(NGX_WEBRTC_COMMAND_ROOM + 2);
    ngx_memset(big, 'x', NGX_WEBRTC_COMMAND_ROOM + 2);
    text.data = big;
    text.len = NGX_WEBRTC_COMMAND_ROOM;
    big[NGX_WEBRTC_COMMAND_ROOM - 1] = '\0';
    tap_is_int(ngx_webrtc_command_expand(&text, &vars, &out), NGX_OK,
               "as long as there is room");
    big[NGX_WEBRTC_COMMAND_ROOM - 1] = 'x';
    big[NGX_WEBRTC_COMMAND_ROOM] = '\0';
    text.len++;
    tap_is_int(ngx_webrtc_command_expand(&text, &vars, &out), NGX_DECLINED,
               "not longer");

    ngx_memzero(big, NGX_WEBRTC_COMMAND_WORDS + 1);
    text.len = NGX_WEBRTC_COMMAND_WORDS;
    tap_is_int(ngx_webrtc_command_expand(&text, &vars, &out), NGX_OK,
               "as many words as there may be");
    text.len++;
    tap_is_int(ngx_webrtc_command_expand(&text, &vars, &out), NGX_DECLINED,
               "not more");

    free(big);
}


static void
on_line(void *data, u_char *p, size_t n, ngx_uint_t left_out)
{
    (void) data;

    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%.*s|",
             (int) n, p);
    nsaid++;
    more += left_out;
}


static void
test_lines(void)
{
    char                        line[1000];
    uint64_t                    now;
    ngx_uint_t                  i;
    ngx_webrtc_command_lines_t  lines;

#define in(text)                                                              \
    ngx_webrtc_command_lines(&lines, (u_char *) text, strlen(text), now,      \
                             on_line, NULL)

    ngx_memzero(&lines, sizeof(lines));
    now = 5000;

    in("a li");
    tap_ok(said[0] == '\0', "not before its end");
    in("ne \nand \t\r\n\n\nmore\rx");
    tap_ok(strcmp(said, "a line|and|more|") == 0, "lines, \"%s\"", said);
    ngx_webrtc_command_lines_end(&lines, now, on_line, NULL);
    tap_ok(strcmp(said, "a line|and|more|x|") == 0, "the last one");

    said[0] = '\0';
    in("[rtsp @ 0x55e0c8f0] no, 7 @ 8\n");
    tap_ok(strcmp(said, "[rtsp] no, 7 @ 8|") == 0,
           "without addresses, \"%s\"", said);

    said[0] = '\0';
    memset(line, 'y', sizeof(line) - 2);
    line[sizeof(line) - 2] = '\n';
    line[sizeof(line) - 1] = '\0';
    in(line);
    tap_is_int(strlen(said), NGX_WEBRTC_COMMAND_LINE + 1, "a long one is cut");

    said[0] = '\0';
    nsaid = 0;

    for (i = 0; i < 1000; i++) {
        in("z\n");
    }

    tap_ok(nsaid < NGX_WEBRTC_COMMAND_BURST, "so many at once: %lu",
           (unsigned long) nsaid);

    now += 1000;
    i = nsaid;
    in("z\n");
    tap_is_int(nsaid, i + 1, "one more a second later");
    tap_is_int(more, 1000 - i, "and how many were left out");
    tap_ok(lines.last_n == 1 && lines.last[0] == 'z', "the last one");
}


int
main(void)
{
    test_words();
    test_names();
    test_expand();
    test_lines();

    return tap_done();
}
