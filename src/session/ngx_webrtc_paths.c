
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which session has an address: a table by hash of the remote address.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_paths.h"


static ngx_queue_t *ngx_webrtc_paths_bucket(ngx_webrtc_worker_t *wk,
    ngx_webrtc_path_t *path);


ngx_webrtc_paths_entry_t *
ngx_webrtc_paths_find(ngx_webrtc_worker_t *wk, ngx_webrtc_path_t *path)
{
    ngx_queue_t               *q, *bucket;
    ngx_webrtc_paths_entry_t  *wp;

    bucket = ngx_webrtc_paths_bucket(wk, path);

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        wp = ngx_queue_data(q, ngx_webrtc_paths_entry_t, queue);

        if (wp->path.listen == path->listen
            && ngx_webrtc_addr_cmp(&wp->path.remote, &path->remote) == 0)
        {
            return wp;
        }
    }

    return NULL;
}


void
ngx_webrtc_paths_add(ngx_webrtc_worker_t *wk,
    ngx_webrtc_paths_entry_t *wp)
{
    ngx_queue_insert_head(ngx_webrtc_paths_bucket(wk, &wp->path), &wp->queue);
}


void
ngx_webrtc_paths_remove(ngx_webrtc_paths_entry_t *wp)
{
    ngx_queue_remove(&wp->queue);
    wp->session = NULL;
}


static ngx_queue_t *
ngx_webrtc_paths_bucket(ngx_webrtc_worker_t *wk, ngx_webrtc_path_t *path)
{
    uint32_t  hash;

    /*
     * Only addresses that passed a check are in the table, so that nobody can
     * fill a bucket without as many sessions.
     */

    hash = ngx_murmur_hash2((u_char *) &path->remote.u, path->remote.len);
    hash += path->listen;

    return &wk->paths[hash & (NGX_WEBRTC_PATHS - 1)];
}
