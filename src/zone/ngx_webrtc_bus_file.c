
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The file of a slot.
 *
 * Crash safety.  The block is filled before the slot points to it, and the
 * pointer is cleared before the block is freed (ngx_webrtc_peers_free()): a
 * worker that dies in between leaks the block, but nobody ever follows a
 * pointer to freed memory.  A message is written before log_len includes it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_atomic.h"
#include "ngx_webrtc_bus_file.h"
#include "ngx_webrtc_bus_zone.h"


static ngx_uint_t ngx_webrtc_file_playing(ngx_webrtc_bus_t *bus);


ngx_int_t
ngx_webrtc_file_attach(ngx_webrtc_bus_t *bus, uint64_t ref,
    const ngx_webrtc_peer_file_t *file, u_char *path, size_t room)
{
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_file_t  *f;

    peer = ngx_webrtc_peers_lock(bus, ref);
    if (peer == NULL) {
        return NGX_DECLINED;
    }

    if (file->playing && ngx_webrtc_file_playing(bus) >= file->most) {
        ngx_webrtc_peers_unlock(bus);
        return NGX_BUSY;
    }

    f = NULL;

    if (peer->file == NULL) {
        f = ngx_slab_alloc_locked(bus->shpool, sizeof(ngx_webrtc_peer_file_t)
                                               + file->path_len + 1 + room);
    }

    if (f == NULL) {
        ngx_webrtc_peers_unlock(bus);
        return NGX_DECLINED;
    }

    *f = *file;
    f->log_size = (uint32_t) room;
    f->log_len = 0;

    ngx_memcpy(ngx_webrtc_file_path(f), path, file->path_len);
    ngx_webrtc_file_path(f)[file->path_len] = '\0';

    ngx_webrtc_atomic_store_release(&peer->file, (void *) f);

    ngx_webrtc_peers_unlock(bus);

    return NGX_OK;
}


/*
 * Sessions whose file is remuxed or transcoded; under the mutex.  They are
 * counted when another one comes, so that none that has died counts.
 */

static ngx_uint_t
ngx_webrtc_file_playing(ngx_webrtc_bus_t *bus)
{
    uint32_t                 n, top;
    uint64_t                 word;
    ngx_uint_t               playing;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_table_t      *t;
    ngx_webrtc_peer_file_t  *file;

    t = &bus->sh->peers;
    top = ngx_webrtc_atomic_load(&t->top);
    playing = 0;

    for (n = 0; n < top; n++) {
        word = ngx_webrtc_atomic_load_acquire(&t->entries[n].word);

        if (ngx_webrtc_entry_state(word) == NGX_WEBRTC_ENTRY_FREE) {
            continue;
        }

        peer = t->entries[n].p;
        file = (peer && peer->role == NGX_WEBRTC_PEER_FILES) ? peer->file
                                                             : NULL;

        if (file && file->playing && !peer->closing) {
            playing++;
        }
    }

    return playing;
}


ngx_int_t
ngx_webrtc_file_append(ngx_webrtc_bus_t *bus, uint64_t ref,
    const ngx_webrtc_file_message_t *msg)
{
    u_char                  *p;
    uint32_t                 word;
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_file_t  *f;

    peer = ngx_webrtc_peers_lock(bus, ref);
    if (peer == NULL) {
        return NGX_DECLINED;
    }

    f = (peer->role == NGX_WEBRTC_PEER_FILES) ? peer->file : NULL;

    if (f == NULL
        || msg->text.len > NGX_WEBRTC_FILE_LOG
        || NGX_WEBRTC_FILE_LOG_HEADER + msg->text.len
           > f->log_size - f->log_len)
    {
        ngx_webrtc_peers_unlock(bus);
        return NGX_DECLINED;
    }

    p = ngx_webrtc_file_log(f) + f->log_len;

    word = (uint32_t) msg->type;
    p = ngx_cpymem(p, &word, sizeof(uint32_t));
    word = (uint32_t) msg->text.len;
    p = ngx_cpymem(p, &word, sizeof(uint32_t));
    p = ngx_cpymem(p, &msg->time_ms, sizeof(uint64_t));

    if (msg->text.len) {
        ngx_memcpy(p, msg->text.data, msg->text.len);
    }

    ngx_webrtc_atomic_store_release(&f->log_len,
                                    f->log_len + NGX_WEBRTC_FILE_LOG_HEADER
                                    + (uint32_t) msg->text.len);

    ngx_webrtc_peers_unlock(bus);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_file_copy_log(ngx_webrtc_bus_t *bus, uint64_t ref, u_char *buf,
    size_t *n)
{
    ngx_webrtc_peer_t       *peer;
    ngx_webrtc_peer_file_t  *f;

    peer = ngx_webrtc_peers_lock(bus, ref);
    if (peer == NULL) {
        return NGX_DECLINED;
    }

    f = (peer->role == NGX_WEBRTC_PEER_FILES) ? peer->file : NULL;

    if (f == NULL || peer->closing) {
        ngx_webrtc_peers_unlock(bus);
        return NGX_DECLINED;
    }

    if (f->log_len == *n) {
        ngx_webrtc_peers_unlock(bus);
        return NGX_AGAIN;
    }

    *n = ngx_min(f->log_len, NGX_WEBRTC_FILE_LOG);
    ngx_memcpy(buf, ngx_webrtc_file_log(f), *n);

    ngx_webrtc_peers_unlock(bus);

    return NGX_OK;
}


u_char *
ngx_webrtc_file_next(u_char *p, u_char *end, ngx_webrtc_file_message_t *msg)
{
    uint32_t  type, len;

    if ((size_t) (end - p) < NGX_WEBRTC_FILE_LOG_HEADER) {
        return NULL;
    }

    ngx_memcpy(&type, p, sizeof(uint32_t));
    ngx_memcpy(&len, p + 4, sizeof(uint32_t));
    ngx_memcpy(&msg->time_ms, p + 8, sizeof(uint64_t));

    p += NGX_WEBRTC_FILE_LOG_HEADER;

    if (len > (size_t) (end - p)) {
        return NULL;
    }

    msg->type = type;
    msg->text.data = p;
    msg->text.len = len;

    return p + len;
}
