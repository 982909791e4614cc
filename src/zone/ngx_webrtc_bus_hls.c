
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Channels are in a list, as there are few.  A channel is whole before one
 * store puts it in, and one store takes it out.  A writer that dies in between
 * leaves a track that lacks its newest part or segment: "next" and "nparts" are
 * counted up last.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_bus_hls.h"
#include "ngx_webrtc_bus_zone.h"


/* segments of a list at least: players want three, Apple six */
#define NGX_WEBRTC_BUS_HLS_LEAST   4

/* nobody's */
#define NGX_WEBRTC_BUS_HLS_NOBODY  0xffffffff


struct ngx_webrtc_hls_channel_s {
    ngx_webrtc_hls_channel_t  *next;
    ngx_webrtc_hls_segment_t  *segments[NGX_WEBRTC_HLS_TRACKS];
    ngx_webrtc_hls_part_t     *parts[NGX_WEBRTC_HLS_TRACKS];
    uint64_t                   wanted_ms;
    uint32_t                   id;
    uint32_t                   slot;
    uint32_t                   owner;
    uint32_t                   name_len;
    u_char                     name[NGX_WEBRTC_NAME_MAX + 1];
    ngx_webrtc_hls_info_t      info;
};


static ngx_webrtc_hls_channel_t **ngx_webrtc_bus_hls_find(
    ngx_webrtc_bus_t *bus, ngx_str_t *name, uint32_t id);
static ngx_webrtc_hls_channel_t *ngx_webrtc_bus_hls_make(
    ngx_webrtc_bus_t *bus, ngx_str_t *name);
static ngx_int_t ngx_webrtc_bus_hls_copy(ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track, ngx_webrtc_hls_list_t *list);
static void ngx_webrtc_bus_hls_free_locked(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t **link);
static ngx_int_t ngx_webrtc_bus_hls_room(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch, ngx_uint_t track);
static void ngx_webrtc_bus_hls_close_locked(ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track);
static void ngx_webrtc_bus_hls_add(ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track, const ngx_webrtc_hls_segment_t *segment);
static void ngx_webrtc_bus_hls_trim(ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track);
static void ngx_webrtc_bus_hls_tell(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch);


#define ngx_webrtc_bus_hls_at(ch, track, msn)                                 \
    (&(ch)->segments[track][(msn) % (ch)->info.tracks[track].max])


ngx_int_t
ngx_webrtc_bus_hls_read(ngx_webrtc_bus_t *bus, ngx_str_t *name, uint32_t id,
    uint64_t now_ms, ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    ngx_webrtc_hls_list_t *list)
{
    ngx_int_t                  rc;
    ngx_webrtc_hls_channel_t  *ch;

    rc = NGX_DECLINED;

    ngx_shmtx_lock(&bus->shpool->mutex);

    ch = *ngx_webrtc_bus_hls_find(bus, name, id);

    if (ch) {
        rc = NGX_OK;

        if (now_ms) {
            ngx_webrtc_atomic_store(&ch->wanted_ms, now_ms);
        }

        if (info) {
            *info = ch->info;
            info->news = bus->sh->channels_news[ch->slot];
        }

        if (list) {
            rc = ngx_webrtc_bus_hls_copy(ch, track, list);
        }
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return rc;
}


/* where the channel is linked, or would be */

static ngx_webrtc_hls_channel_t **
ngx_webrtc_bus_hls_find(ngx_webrtc_bus_t *bus, ngx_str_t *name, uint32_t id)
{
    ngx_webrtc_hls_channel_t  **link;

    for (link = &bus->sh->channels; *link; link = &(*link)->next) {

        if ((*link)->id == id
            && (*link)->name_len == name->len
            && ngx_memcmp((*link)->name, name->data, name->len) == 0)
        {
            break;
        }
    }

    return link;
}


static ngx_int_t
ngx_webrtc_bus_hls_copy(ngx_webrtc_hls_channel_t *ch, ngx_uint_t track,
    ngx_webrtc_hls_list_t *list)
{
    uint32_t                 n, k;
    ngx_webrtc_hls_track_t  *t;

    t = &ch->info.tracks[track];

    list->nsegments = 0;
    list->nparts = 0;

    if (t->clock == 0) {
        return NGX_OK;
    }

    list->first = t->first;
    list->nsegments = t->next - t->first;

    if (list->nsegments > list->room) {
        return NGX_AGAIN;
    }

    for (k = 0, n = t->first; n != t->next; n++, k++) {
        list->segments[k] = *ngx_webrtc_bus_hls_at(ch, track, n);
    }

    n = (t->nparts > NGX_WEBRTC_HLS_PARTS) ? t->nparts - NGX_WEBRTC_HLS_PARTS
                                           : 0;

    for ( /* void */ ; n != t->nparts; n++) {
        list->parts[list->nparts++]
                               = ch->parts[track][n % NGX_WEBRTC_HLS_PARTS];
    }

    return NGX_OK;
}


ngx_webrtc_hls_channel_t *
ngx_webrtc_bus_hls_take(ngx_webrtc_bus_t *bus, ngx_str_t *name, uint32_t id,
    const ngx_webrtc_hls_params_t *params, uint32_t gen, int64_t now_us,
    ngx_uint_t *adopted, ngx_uint_t *full)
{
    ngx_uint_t                 i;
    ngx_webrtc_hls_channel_t  *ch;

    *adopted = 0;
    *full = 0;

    ngx_shmtx_lock(&bus->shpool->mutex);

    ch = *ngx_webrtc_bus_hls_find(bus, name, id);

    if (ch && ch->owner != NGX_WEBRTC_BUS_HLS_NOBODY) {
        ch = NULL;

    } else if (ch) {
        ch->owner = (uint32_t) bus->worker;
        *adopted = 1;

        for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
            ngx_webrtc_bus_hls_close_locked(ch, i);
        }

    } else {
        ch = ngx_webrtc_bus_hls_make(bus, name);

        if (ch) {
            ch->id = id;
            ch->slot = (uint32_t) ngx_webrtc_bus_hls_slot(name, id);
            ch->wanted_ms = ngx_current_msec;
            ch->info.params = *params;
            ch->info.gen = gen;
            ch->info.begun_us = now_us;
            ch->info.target = (params->segment + 999) / 1000;
            ch->info.part_us = params->part * 1000;
            ch->next = bus->sh->channels;

            ngx_webrtc_atomic_store_release(&bus->sh->channels, ch);

        } else {
            *full = 1;
        }
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return ch;
}


static ngx_webrtc_hls_channel_t *
ngx_webrtc_bus_hls_make(ngx_webrtc_bus_t *bus, ngx_str_t *name)
{
    ngx_webrtc_hls_channel_t  *ch;

    if (name->len > NGX_WEBRTC_NAME_MAX) {
        return NULL;
    }

    ch = ngx_slab_calloc_locked(bus->shpool, sizeof(ngx_webrtc_hls_channel_t));

    if (ch == NULL) {
        return NULL;
    }

    ch->owner = (uint32_t) bus->worker;
    ch->name_len = (uint32_t) name->len;
    ngx_memcpy(ch->name, name->data, name->len);

    return ch;
}


void
ngx_webrtc_bus_hls_give(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch)
{
    ngx_shmtx_lock(&bus->shpool->mutex);
    ch->owner = NGX_WEBRTC_BUS_HLS_NOBODY;
    ngx_shmtx_unlock(&bus->shpool->mutex);
}


void
ngx_webrtc_bus_hls_free(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch)
{
    ngx_webrtc_hls_channel_t  **link;

    ngx_shmtx_lock(&bus->shpool->mutex);

    for (link = &bus->sh->channels; *link; link = &(*link)->next) {

        if (*link == ch) {
            ngx_webrtc_bus_hls_free_locked(bus, link);
            break;
        }
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


static void
ngx_webrtc_bus_hls_free_locked(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t **link)
{
    ngx_uint_t                 i;
    ngx_webrtc_hls_channel_t  *ch;

    ch = *link;

    ngx_webrtc_atomic_store_release(link, ch->next);

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {

        if (ch->segments[i]) {
            ngx_slab_free_locked(bus->shpool, ch->segments[i]);
        }

        if (ch->parts[i]) {
            ngx_slab_free_locked(bus->shpool, ch->parts[i]);
        }
    }

    ngx_slab_free_locked(bus->shpool, ch);
}


uint32_t
ngx_webrtc_bus_hls_run(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch,
    uint64_t stream)
{
    uint32_t  run;

    ngx_shmtx_lock(&bus->shpool->mutex);

    run = ++ch->info.run;
    ch->info.run_us = 0;

    if (ch->info.stream != stream) {
        ch->info.stream = stream;
        ch->info.media_us = 0;
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return run;
}


ngx_int_t
ngx_webrtc_bus_hls_head(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track, const ngx_webrtc_hls_track_t *head)
{
    ngx_int_t                rc;
    ngx_webrtc_hls_track_t  *t;

    ngx_shmtx_lock(&bus->shpool->mutex);

    rc = ngx_webrtc_bus_hls_room(bus, ch, track);

    if (rc == NGX_OK) {
        t = &ch->info.tracks[track];

        t->width = head->width;
        t->height = head->height;
        t->channels = head->channels;
        t->head = head->head;
        t->codec_len = ngx_min(head->codec_len, NGX_WEBRTC_HLS_CODEC);
        ngx_memcpy(t->codec, head->codec, t->codec_len);
        t->clock = head->clock;
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return rc;
}


/* a track gets its tables when it has media for the first time */

static ngx_int_t
ngx_webrtc_bus_hls_room(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track)
{
    uint32_t                  max;
    ngx_webrtc_hls_params_t  *params;

    params = &ch->info.params;

    if (ch->segments[track] == NULL) {

        /* segments that are shorter than they should be leave earlier */

        max = params->window / ngx_max(params->segment, 1) * 2
              + 2 * NGX_WEBRTC_BUS_HLS_LEAST;
        max = ngx_min(max, NGX_WEBRTC_HLS_SEGMENTS);

        ch->segments[track] = ngx_slab_calloc_locked(bus->shpool,
                                     max * sizeof(ngx_webrtc_hls_segment_t));
        ch->info.tracks[track].max = max;
    }

    if (ch->parts[track] == NULL) {
        ch->parts[track] = ngx_slab_calloc_locked(bus->shpool,
                                     NGX_WEBRTC_HLS_PARTS
                                     * sizeof(ngx_webrtc_hls_part_t));
    }

    return (ch->segments[track] && ch->parts[track]) ? NGX_OK : NGX_ERROR;
}


void
ngx_webrtc_bus_hls_part(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track, int64_t ts, int64_t wall_us, uint32_t frames,
    const ngx_webrtc_hls_part_t *part)
{
    uint64_t                   us;
    ngx_webrtc_hls_part_t     *to;
    ngx_webrtc_hls_track_t    *t;
    ngx_webrtc_hls_segment_t  *open;

    ngx_shmtx_lock(&bus->shpool->mutex);

    t = &ch->info.tracks[track];
    open = &t->open;

    if (ch->info.run_us == 0) {
        ch->info.run_us = wall_us;
    }

    if (open->parts == 0) {
        open->ts = ts;
        open->wall_us = wall_us;
        open->run_us = ch->info.run_us;
        open->duration = 0;
        open->bytes = 0;
        open->run = ch->info.run;
        t->frames = 0;
        t->gap = 0;

        if (!part->independent) {
            t->dependent = 1;
        }
    }

    to = &ch->parts[track][t->nparts % NGX_WEBRTC_HLS_PARTS];

    *to = *part;
    to->msn = t->next;
    to->n = open->parts;
    to->offset = open->bytes;

    open->bytes += part->bytes;
    open->duration += part->duration;
    open->parts++;
    t->frames += frames;
    t->nparts++;

    us = (uint64_t) part->duration * 1000000 / t->clock;

    if (ch->info.params.part && us > ch->info.part_us) {
        ch->info.part_us = (uint32_t) ngx_min(us, UINT32_MAX);
    }

    ch->info.end_us = ngx_max(ch->info.end_us, wall_us + (int64_t) us);
    ch->info.media_us = ngx_max(ch->info.media_us,
                                ts / t->clock * 1000000
                                + ts % t->clock * 1000000 / t->clock
                                + (int64_t) us);

    ngx_webrtc_bus_hls_tell(bus, ch);

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


void
ngx_webrtc_bus_hls_gap(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track, int64_t wall_us, uint32_t duration_us)
{
    ngx_webrtc_hls_track_t    *t;
    ngx_webrtc_hls_segment_t   gap;

    ngx_shmtx_lock(&bus->shpool->mutex);

    t = &ch->info.tracks[track];

    if (t->clock && ch->segments[track]) {

        ngx_memzero(&gap, sizeof(ngx_webrtc_hls_segment_t));

        gap.wall_us = wall_us;
        gap.run_us = ch->info.run_us;
        gap.run = ch->info.run;
        gap.duration = (uint32_t) ((uint64_t) duration_us * t->clock
                                   / 1000000);

        ngx_webrtc_bus_hls_close_locked(ch, track);

        t->gap = 1;
        ngx_webrtc_bus_hls_add(ch, track, &gap);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


void
ngx_webrtc_bus_hls_close(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track, uint32_t *run)
{
    ngx_webrtc_hls_track_t  *t;

    ngx_shmtx_lock(&bus->shpool->mutex);

    ngx_webrtc_bus_hls_close_locked(ch, track);

    t = &ch->info.tracks[track];

    *run = (t->first != t->next)
           ? ngx_webrtc_bus_hls_at(ch, track, t->first)->run : t->head;

    ngx_webrtc_bus_hls_tell(bus, ch);

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


static void
ngx_webrtc_bus_hls_close_locked(ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t track)
{
    uint64_t                   bps;
    ngx_webrtc_hls_track_t    *t;
    ngx_webrtc_hls_segment_t  *open;

    t = &ch->info.tracks[track];
    open = &t->open;

    if (t->clock == 0 || open->parts == 0) {
        return;
    }

    /* short ones say little */

    if (open->duration > t->clock / 4) {
        bps = (uint64_t) open->bytes * 8 * t->clock / open->duration;
        t->peak = (uint32_t) ngx_max(bps, t->peak);
        t->fps_milli = (uint32_t) ((uint64_t) t->frames * 1000 * t->clock
                                   / open->duration);
    }

    ngx_webrtc_bus_hls_add(ch, track, open);

    t->last_parts = open->parts;
    open->parts = 0;
}


/* one more segment */

static void
ngx_webrtc_bus_hls_add(ngx_webrtc_hls_channel_t *ch, ngx_uint_t track,
    const ngx_webrtc_hls_segment_t *segment)
{
    uint64_t                 s;
    ngx_webrtc_hls_track_t  *t;

    t = &ch->info.tracks[track];

    if (t->next - t->first == t->max) {
        t->first++;
    }

    *ngx_webrtc_bus_hls_at(ch, track, t->next) = *segment;
    t->next++;

    /* RFC 8216, 4.3.3.1: rounded to the nearest integer */

    s = ((uint64_t) segment->duration + t->clock / 2) / t->clock;
    ch->info.target = (uint32_t) ngx_max(s, ch->info.target);

    ngx_webrtc_bus_hls_trim(ch, track);
}


/* what is older than the window leaves the list; t->average is made anew */

static void
ngx_webrtc_bus_hls_trim(ngx_webrtc_hls_channel_t *ch, ngx_uint_t track)
{
    uint32_t                   n;
    uint64_t                   all, media, bytes, window;
    ngx_webrtc_hls_track_t    *t;
    ngx_webrtc_hls_segment_t  *s;

    t = &ch->info.tracks[track];

    all = 0;
    media = 0;
    bytes = 0;

    for (n = t->first; n != t->next; n++) {
        s = ngx_webrtc_bus_hls_at(ch, track, n);
        all += s->duration;
        bytes += s->bytes;

        if (s->bytes) {
            media += s->duration;
        }
    }

    window = (uint64_t) ch->info.params.window * t->clock / 1000;

    while (t->next - t->first > NGX_WEBRTC_BUS_HLS_LEAST) {
        s = ngx_webrtc_bus_hls_at(ch, track, t->first);

        if (all - s->duration < window) {
            break;
        }

        all -= s->duration;
        bytes -= s->bytes;

        if (s->bytes) {
            media -= s->duration;
        }

        t->first++;
    }

    if (media) {
        t->average = (uint32_t) (bytes * 8 * t->clock / media);
    }
}


void
ngx_webrtc_bus_hls_place(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t video, const ngx_webrtc_hls_place_t *place)
{
    ngx_shmtx_lock(&bus->shpool->mutex);
    ch->info.places[video] = *place;
    ngx_shmtx_unlock(&bus->shpool->mutex);
}


void
ngx_webrtc_bus_hls_state(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch,
    ngx_uint_t over, ngx_uint_t failed)
{
    ngx_shmtx_lock(&bus->shpool->mutex);
    ch->info.over = (uint32_t) over;
    ch->info.failed = (uint32_t) failed;
    ngx_webrtc_bus_hls_tell(bus, ch);
    ngx_shmtx_unlock(&bus->shpool->mutex);
}


ngx_webrtc_hls_info_t *
ngx_webrtc_bus_hls_info(ngx_webrtc_hls_channel_t *ch)
{
    return &ch->info;
}


uint64_t
ngx_webrtc_bus_hls_wanted(ngx_webrtc_hls_channel_t *ch)
{
    return ngx_webrtc_atomic_load(&ch->wanted_ms);
}


static void
ngx_webrtc_bus_hls_tell(ngx_webrtc_bus_t *bus, ngx_webrtc_hls_channel_t *ch)
{
    ngx_webrtc_atomic_add(&bus->sh->channels_news[ch->slot], 1);
}


ngx_uint_t
ngx_webrtc_bus_hls_slot(ngx_str_t *name, uint32_t id)
{
    return (ngx_crc32_short(name->data, name->len) ^ id)
           % NGX_WEBRTC_CHANNEL_SLOTS;
}


uint64_t
ngx_webrtc_bus_hls_news(ngx_webrtc_bus_t *bus, ngx_uint_t slot)
{
    return ngx_webrtc_atomic_load(&bus->sh->channels_news[slot]);
}


ngx_int_t
ngx_webrtc_bus_hls_next(ngx_webrtc_bus_t *bus, ngx_uint_t n,
    ngx_webrtc_hls_entry_t *entry)
{
    ngx_webrtc_hls_channel_t  *ch;

    if (ngx_webrtc_atomic_load(&bus->sh->channels) == NULL) {
        return NGX_DONE;
    }

    ngx_shmtx_lock(&bus->shpool->mutex);

    for (ch = bus->sh->channels; ch && n; ch = ch->next) {
        n--;
    }

    if (ch) {
        entry->id = ch->id;
        entry->gen = ch->info.gen;
        entry->owned = (ch->owner != NGX_WEBRTC_BUS_HLS_NOBODY);
        entry->wanted_ms = ch->wanted_ms;
        entry->name.data = entry->name_buf;
        entry->name.len = ch->name_len;
        ngx_memcpy(entry->name_buf, ch->name, ch->name_len);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return ch ? NGX_OK : NGX_DONE;
}


void
ngx_webrtc_bus_hls_drop(ngx_webrtc_bus_t *bus, ngx_str_t *name, uint32_t id)
{
    ngx_webrtc_hls_channel_t  **link;

    ngx_shmtx_lock(&bus->shpool->mutex);

    link = ngx_webrtc_bus_hls_find(bus, name, id);

    if (*link && (*link)->owner == NGX_WEBRTC_BUS_HLS_NOBODY) {
        ngx_webrtc_bus_hls_free_locked(bus, link);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


void
ngx_webrtc_bus_hls_reap(ngx_webrtc_bus_t *bus, ngx_uint_t worker)
{
    ngx_webrtc_hls_channel_t  *ch;

    for (ch = bus->sh->channels; ch; ch = ch->next) {

        if (ch->owner == worker) {
            ch->owner = NGX_WEBRTC_BUS_HLS_NOBODY;
        }
    }
}
