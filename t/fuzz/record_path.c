
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: the path of a recording, with names from outside.
 * Property: what is made of it has no name that leads anywhere else, no longer
 * one, and no control character; doing it again changes nothing.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_record_path.h>


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
    size_t       len, again;
    u_char      *copy, *p, *end, *slash;
    ngx_str_t    name;
    const char  *cause;
    u_char       to[NGX_WEBRTC_RECORD_NAME + 32];

    if (size == 0) {
        return 0;
    }

    copy = malloc(size);
    memcpy(copy, data, size);

    if (ngx_webrtc_record_path_clean(copy, size, &len, &cause) == NGX_OK) {

        check(len > 0 && len <= size && len <= NGX_WEBRTC_RECORD_PATH);

        end = copy + len;

        for (p = copy; p < end; p = slash + 1) {
            slash = memchr(p, '/', end - p);
            slash = slash ? slash : end;

            name.data = p;
            name.len = slash - p;

            check(name.len > 0 && name.len <= NGX_WEBRTC_RECORD_NAME);
            check(!(name.len == 1 && p[0] == '.'));
            check(!(name.len == 2 && p[0] == '.' && p[1] == '.'));

            ngx_webrtc_record_path_name(to, &name, size);
            check(ngx_strlen(to) > name.len && ngx_strchr(to, '/') == NULL);
        }

        for (p = copy; p < end; p++) {
            check(*p >= 0x20 && *p != 0x7f);
        }

        check(ngx_webrtc_record_path_clean(copy, len, &again, &cause)
              == NGX_OK && again == len);
    }

    free(copy);

    return 0;
}
