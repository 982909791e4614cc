
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What playlists name: a file stays in its directory, a host is a part of its
 * URL.  Up to the first newline it is the playlist's name.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reach.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         *text, *url, *dir;
    ngx_str_t     host;
    const char   *path, *cause;

    text = malloc(size + 1);

    if (text == NULL) {
        return 0;
    }

    memcpy(text, data, size);
    text[size] = '\0';

    url = strchr(text, '\n');

    if (url == NULL) {
        free(text);
        return 0;
    }

    *url++ = '\0';

    if (ngx_webrtc_source_reach_host(url, &host) == NGX_OK
        && (host.len == 0
            || (char *) host.data < url
            || (char *) host.data + host.len > url + strlen(url)
            || memchr(host.data, '/', host.len) != NULL))
    {
        abort();
    }

    cause = NULL;

    if (ngx_webrtc_source_reach_file(text, url, &path, &cause) == NGX_OK) {

        dir = strncmp(text, "file:", 5) == 0 ? text + 5 : text;

        if (*path != '/'
            || strrchr(dir, '/') == NULL
            || strncmp(path, dir, strrchr(dir, '/') + 1 - dir) != 0
            || strstr(path + (strrchr(dir, '/') - dir), "/../") != NULL)
        {
            abort();
        }

    } else if (cause == NULL) {
        abort();
    }

    free(text);

    return 0;
}
