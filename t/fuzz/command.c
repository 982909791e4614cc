
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: the words of a command with a name from a URL, and what it
 * writes to its standard error.  The input is the name, up to a line feed, and
 * words; all of it is also lines, in pieces.
 * Property: the number of words does not depend on the name, a name is never
 * the beginning of an option, and lines are bounded, in length and number.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_command_text.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_uint_t  n;


static void
check(int ok)
{
    if (!ok) {
        abort();
    }
}


static void
on_line(void *data, u_char *p, size_t len, ngx_uint_t left_out)
{
    (void) data; (void) left_out;

    check(len > 0 && len <= NGX_WEBRTC_COMMAND_LINE);
    check(memchr(p, '\0', len) == NULL && memchr(p, '\n', len) == NULL);
    n++;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                      i, step;
    u_char                     *copy, *lf;
    ngx_str_t                   text, bad;
    ngx_uint_t                  bits, words;
    ngx_webrtc_command_vars_t   vars;
    ngx_webrtc_command_lines_t  lines;

    static ngx_webrtc_command_argv_t  out;

    if (size < 2) {
        return 0;
    }

    copy = malloc(size);
    memcpy(copy, data, size);

    lf = memchr(copy, '\n', size);
    lf = lf ? lf : copy + size - 1;

    ngx_memzero(&vars, sizeof(vars));
    vars.name.data = copy;
    vars.name.len = lf - copy;
    ngx_str_set(&vars.sdp, "/x");
    vars.video = 1;

    text.data = lf + 1;
    text.len = copy + size - text.data;
    bits = 0;

    for (i = 0, words = 0; i < text.len; i++) {
        words += (text.data[i] == '\0');
    }

    if (ngx_webrtc_command_expand(&text, &vars, &out) == NGX_OK) {
        check(out.n == words && out.argv[words] == NULL);

        if (ngx_webrtc_command_word(&text, &bits, &bad) == NGX_OK
            && (bits & NGX_WEBRTC_COMMAND_NAME))
        {
            check(ngx_webrtc_command_is_plain(&vars.name));
            check(vars.name.len && copy[0] != '-' && copy[0] != '/');
        }
    }

    ngx_memzero(&lines, sizeof(lines));
    n = 0;
    step = 1 + data[0] % 64;

    for (i = 0; i < size; i += step) {
        ngx_webrtc_command_lines(&lines, copy + i, ngx_min(step, size - i),
                                 1000, on_line, NULL);
    }

    ngx_webrtc_command_lines_end(&lines, 1000, on_line, NULL);
    check(n <= NGX_WEBRTC_COMMAND_BURST);

    free(copy);

    return 0;
}
