
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Streams in segments ("webrtc_hls"): what there is of each, for all workers,
 * which print playlists of it.  The files are made by one worker, the owner.
 *
 *   - A channel is found by its stream's name and the number of its directive.
 *     It has tracks, one file each: videos, and sound in one or two codecs.
 *   - A track has segments, numbered from 0.  Those from "first" on, up to but
 *     not with "next", are whole, and are listed; "next" may be under way.  Of
 *     the newest the parts are known, too, which are pieces of their files.
 *   - What is published is written before: there is nothing in a channel that
 *     cannot be read.  Files of segments before "first" stay for a while.
 *   - A run, from 1 on, is what the jobs of one start have made: tracks, codecs
 *     and times are the same throughout.  Between two runs there is a
 *     discontinuity, so its number is the same for all tracks.
 *
 * All is read and written under the zone's mutex, and pointers to a channel are
 * for its owner only, who alone frees it.  One that nobody owns (its worker has
 * died) is adopted by any worker, or freed by the first that finds it unwanted.
 */


#ifndef _NGX_WEBRTC_BUS_HLS_H_INCLUDED_
#define _NGX_WEBRTC_BUS_HLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_variant.h"


/* tracks: videos from 0 on, then sound as AAC, and as it is */
#define NGX_WEBRTC_HLS_VIDEOS     4
#define NGX_WEBRTC_HLS_AAC        4
#define NGX_WEBRTC_HLS_OPUS       5
#define NGX_WEBRTC_HLS_TRACKS     6

/* parts that are known of a track; chosen: those of four segments of six
 * seconds, of 0.2 s each */
#define NGX_WEBRTC_HLS_PARTS      128

/* bytes of a codec's name (RFC 6381); chosen */
#define NGX_WEBRTC_HLS_CODEC      48

/* segments of a track at most; chosen: four hours of two seconds */
#define NGX_WEBRTC_HLS_SEGMENTS   7200


/* times are in the track's clock; *_us: the wall clock at its beginning, and at
 * that of its run; bytes 0: a gap, there is no file */
typedef struct {
    int64_t                   ts;
    int64_t                   wall_us;
    int64_t                   run_us;
    uint32_t                  duration;
    uint32_t                  bytes;
    uint32_t                  run;
    uint32_t                  parts;
} ngx_webrtc_hls_segment_t;


/* bytes of its segment's file from offset on */
typedef struct {
    uint32_t                  msn;
    uint32_t                  n;
    uint32_t                  offset;
    uint32_t                  bytes;
    uint32_t                  duration;
    uint32_t                  independent;
} ngx_webrtc_hls_part_t;


typedef struct {
    uint32_t                  clock;      /* 0: there is no such track */
    uint32_t                  width;      /* of video */
    uint32_t                  height;
    uint32_t                  fps_milli;  /* 0: unknown */
    uint32_t                  channels;   /* of sound */
    uint32_t                  peak;       /* bit/s of a segment, the largest */
    uint32_t                  average;    /* of all that are listed */
    uint32_t                  first;      /* whole segments */
    uint32_t                  next;
    uint32_t                  head;       /* run of the newest head */
    uint32_t                  nparts;     /* ever: a ring of the newest */
    uint32_t                  last_parts; /* of the segment before "next" */
    uint32_t                  dependent;  /* a segment that begins with no key
                                             frame */
    uint32_t                  gap;        /* its newest segment is one */
    uint32_t                  frames;     /* of the segment under way */
    uint32_t                  max;        /* segments that there is room for */
    uint32_t                  codec_len;
    u_char                    codec[NGX_WEBRTC_HLS_CODEC];
    ngx_webrtc_hls_segment_t  open;       /* the one under way: its parts */
} ngx_webrtc_hls_track_t;


/* what is configured, ms; part 0: there are none */
typedef struct {
    uint32_t                  segment;
    uint32_t                  part;
    uint32_t                  window;
} ngx_webrtc_hls_params_t;


/* what a video's number, and so its playlist, is for, as long as it can be; of
 * all but the first.  It outlives the worker that has begun it */
typedef struct {
    ngx_webrtc_variant_t      variant;
    uint8_t                   used;
    uint8_t                   stopped;    /* it has, once */
} ngx_webrtc_hls_place_t;


/* what a playlist is printed of, but segments and parts */
typedef struct {
    ngx_webrtc_hls_params_t   params;
    uint32_t                  gen;        /* of all its names: another channel
                                             has others */
    uint32_t                  target;     /* s, of the longest segment */
    uint32_t                  part_us;    /* of the longest part */
    uint32_t                  run;
    uint32_t                  over;       /* nothing more comes */
    uint64_t                  news;       /* of its slot, when it was read */
    uint32_t                  failed;     /* it cannot be written now */
    int64_t                   begun_us;   /* wall clock */
    int64_t                   run_us;     /* likewise, 0: nothing so far */
    int64_t                   end_us;     /* likewise, of what there is */
    int64_t                   media_us;   /* its time, of the stream: */
    uint64_t                  stream;     /* ref */
    ngx_webrtc_hls_track_t    tracks[NGX_WEBRTC_HLS_TRACKS];
    ngx_webrtc_hls_place_t    places[NGX_WEBRTC_HLS_VIDEOS];
} ngx_webrtc_hls_info_t;


typedef struct ngx_webrtc_hls_channel_s  ngx_webrtc_hls_channel_t;


/* a track of a channel, as a reader gets it */
typedef struct {
    ngx_webrtc_hls_segment_t  *segments;  /* from first on; room for "room" */
    ngx_uint_t                 room;
    ngx_uint_t                 nsegments;
    uint32_t                   first;     /* number of the first of them */
    ngx_webrtc_hls_part_t      parts[NGX_WEBRTC_HLS_PARTS];   /* oldest first */
    ngx_uint_t                 nparts;
} ngx_webrtc_hls_list_t;


/* a channel that is listed; see ngx_webrtc_bus_hls_next() */
typedef struct {
    uint32_t                   id;
    uint32_t                   gen;
    uint32_t                   owned;
    uint64_t                   wanted_ms;
    ngx_str_t                  name;
    u_char                     name_buf[NGX_WEBRTC_NAME_MAX + 1];
} ngx_webrtc_hls_entry_t;


/*
 * For readers.
 *
 *   name, id   of the channel
 *   now_ms     ngx_current_msec: it is wanted now; 0: it is only looked at
 *   info       filled; may be NULL
 *   track      filled into list, if list is not NULL
 *
 * NGX_OK
 * NGX_DECLINED   there is none
 * NGX_AGAIN      list->room is too small; list->nsegments is what is needed
 */
ngx_int_t ngx_webrtc_bus_hls_read(ngx_webrtc_bus_t *bus, ngx_str_t *name,
    uint32_t id, uint64_t now_ms, ngx_webrtc_hls_info_t *info,
    ngx_uint_t track, ngx_webrtc_hls_list_t *list);

/*
 * The channel becomes this worker's, and is made if there is none.
 *
 *   gen        of a new one; now_us: the wall clock
 *   adopted    set: 1, it was another's; its segments that were under way are
 *              as whole as they get
 *
 * NULL: another worker has it, or the zone is full (*full is set)
 */
ngx_webrtc_hls_channel_t *ngx_webrtc_bus_hls_take(ngx_webrtc_bus_t *bus,
    ngx_str_t *name, uint32_t id, const ngx_webrtc_hls_params_t *params,
    uint32_t gen, int64_t now_us, ngx_uint_t *adopted, ngx_uint_t *full);

/* The owner gives it up, for another worker to go on with; or frees it. */
void ngx_webrtc_bus_hls_give(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch);
void ngx_webrtc_bus_hls_free(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch);

/*
 * For owners.
 *
 * run: another one begins, of a stream; returns its number.
 *
 * head: a track's head of this run has been written.  NGX_OK; NGX_ERROR: the
 * zone is full.
 *
 * part: it belongs to the segment under way, or, if that has none yet, begins
 * it.  frames: of video, for its rate; 0: unknown
 *
 * gap: the next segment is one, of so many us; follow it by close.
 *
 * close: the segment under way is whole, if it has any parts.  *run: of the
 * oldest that is listed.
 *
 * place: a video's number is for that from now on.
 */
uint32_t ngx_webrtc_bus_hls_run(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch, uint64_t stream);
ngx_int_t ngx_webrtc_bus_hls_head(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch, ngx_uint_t track,
    const ngx_webrtc_hls_track_t *head);
void ngx_webrtc_bus_hls_part(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch, ngx_uint_t track, int64_t ts,
    int64_t wall_us, uint32_t frames, const ngx_webrtc_hls_part_t *part);
void ngx_webrtc_bus_hls_gap(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch, ngx_uint_t track, int64_t wall_us,
    uint32_t duration_us);
void ngx_webrtc_bus_hls_close(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch, ngx_uint_t track, uint32_t *run);
void ngx_webrtc_bus_hls_place(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch, ngx_uint_t video,
    const ngx_webrtc_hls_place_t *place);
void ngx_webrtc_bus_hls_state(ngx_webrtc_bus_t *bus,
    ngx_webrtc_hls_channel_t *ch, ngx_uint_t over, ngx_uint_t failed);
ngx_webrtc_hls_info_t *ngx_webrtc_bus_hls_info(ngx_webrtc_hls_channel_t *ch);

/*
 * Changes whenever a channel does, and now and then when it does not; without a
 * lock.  slot: of the channel.
 */
ngx_uint_t ngx_webrtc_bus_hls_slot(ngx_str_t *name, uint32_t id);
uint64_t ngx_webrtc_bus_hls_news(ngx_webrtc_bus_t *bus, ngx_uint_t slot);

/* When it was wanted last, ms. */
uint64_t ngx_webrtc_bus_hls_wanted(ngx_webrtc_hls_channel_t *ch);

/*
 * The nth channel, for the ticks of workers.
 *
 * NGX_OK: *entry is a copy; NGX_DONE
 */
ngx_int_t ngx_webrtc_bus_hls_next(ngx_webrtc_bus_t *bus, ngx_uint_t n,
    ngx_webrtc_hls_entry_t *entry);

/* Frees a channel that nobody owns. */
void ngx_webrtc_bus_hls_drop(ngx_webrtc_bus_t *bus, ngx_str_t *name,
    uint32_t id);


#endif /* _NGX_WEBRTC_BUS_HLS_H_INCLUDED_ */
