
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The table of addresses: whose one is, when many share a bucket, too.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_paths.h"

#include "tap.h"


#define N  4096


static ngx_webrtc_worker_t       worker;
static ngx_webrtc_paths_entry_t  entries[N];


static void
set(ngx_webrtc_path_t *path, ngx_uint_t n, ngx_uint_t listen)
{
    struct sockaddr_in  *sin;

    ngx_memzero(path, sizeof(ngx_webrtc_path_t));

    path->listen = listen;
    path->remote.len = sizeof(struct sockaddr_in);

    sin = (struct sockaddr_in *) &path->remote.u.sa;
    sin->sin_family = AF_INET;
    sin->sin_addr.s_addr = htonl(0x7f000001 + n / 1024);
    sin->sin_port = htons((in_port_t) (1024 + n % 1024));
}


int
main(void)
{
    ngx_uint_t         i, wrong;
    ngx_webrtc_path_t  path;

    for (i = 0; i < NGX_WEBRTC_PATHS; i++) {
        ngx_queue_init(&worker.paths[i]);
    }

    set(&path, 0, 0);
    tap_ok(ngx_webrtc_paths_find(&worker, &path) == NULL, "empty");

    for (i = 0; i < N; i++) {
        set(&entries[i].path, i, 0);
        entries[i].session = (ngx_webrtc_session_t *) &entries[i];
        ngx_webrtc_paths_add(&worker, &entries[i]);
    }

    wrong = 0;

    for (i = 0; i < N; i++) {
        set(&path, i, 0);
        wrong += (ngx_webrtc_paths_find(&worker, &path) != &entries[i]);
    }

    tap_ok(wrong == 0, "each address finds its entry");

    set(&path, N, 0);
    tap_ok(ngx_webrtc_paths_find(&worker, &path) == NULL, "another finds none");

    set(&path, 7, 1);
    tap_ok(ngx_webrtc_paths_find(&worker, &path) == NULL,
           "nor does the same one at another port of ours");

    for (i = 0; i < N; i += 2) {
        ngx_webrtc_paths_remove(&entries[i]);
    }

    wrong = 0;

    for (i = 0; i < N; i++) {
        set(&path, i, 0);
        wrong += (ngx_webrtc_paths_find(&worker, &path)
                  != (i % 2 ? &entries[i] : NULL));
    }

    tap_ok(wrong == 0, "what was taken out is gone, and nothing else");
    tap_ok(entries[0].session == NULL && entries[1].session != NULL,
           "an entry that was taken out is nobody's");

    return tap_done();
}
