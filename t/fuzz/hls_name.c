
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: names of files of a stream in segments, arguments of requests
 * for its playlists, and a directory for a stream's name.
 * Property: a name that is understood is printed as it was, so that each file
 * has one; a directory is a single name, and has nothing in it but what it
 * says.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_hls_name.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(int ok)
{
    if (!ok) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                 *copy, *p, *end;
    ngx_str_t               name;
    ngx_webrtc_hls_ask_t    ask;
    ngx_webrtc_hls_file_t   file;
    u_char                  to[NGX_WEBRTC_HLS_DIR + 1];
    u_char                  buf[NGX_WEBRTC_HLS_NAME];

    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);

    if (ngx_webrtc_hls_name_parse(copy, size, &file) == NGX_OK) {

        check(file.kind >= NGX_WEBRTC_HLS_FILE_INDEX
              && file.kind <= NGX_WEBRTC_HLS_FILE_PART);
        check(file.track < NGX_WEBRTC_HLS_TRACKS);

        if (file.kind >= NGX_WEBRTC_HLS_FILE_LIST) {
            end = ngx_webrtc_hls_name_print(buf, buf + sizeof(buf), &file);

            check((size_t) (end - buf) == size
                  && memcmp(buf, copy, size) == 0);
        }
    }

    if (ngx_webrtc_hls_ask_parse(copy, size, &ask) == NGX_OK) {
        check(!ask.has_part || ask.has_msn);
    }

    name.data = copy;
    name.len = ngx_min(size, 127);

    ngx_webrtc_hls_name_dir(to, &name, (uint32_t) size);

    check(ngx_strlen(to) >= 9);

    for (p = to; *p; p++) {
        check((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || (*p >= '0' && *p <= '9') || *p == '-' || *p == '_'
              || *p == '~');
    }

    free(copy);

    return 0;
}
