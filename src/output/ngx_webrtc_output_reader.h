
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Reads a stream's ring as a viewer does, and makes frames of its packets: for
 * whatever takes media out of a stream without WebRTC.
 *
 *   - It starts at the newest key frame in the ring.
 *   - Frames come in decoding order, with timestamps of 64 bits; those of all
 *     tracks count from the same zero.
 *   - What is not whole (a publisher's packets were lost, the ring's writer has
 *     overtaken the reader) is left out, and with it all video up to the next
 *     key frame: what a reader gives can be decoded.  It is counted.
 *   - A track's codec may change at any packet.
 *
 * It never holds up the ring's writer.  Belongs to the event loop; nothing of
 * the ring is kept from one call to the next but its number.
 */


#ifndef _NGX_WEBRTC_OUTPUT_READER_H_INCLUDED_
#define _NGX_WEBRTC_OUTPUT_READER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_unpack.h"


/* bytes of a frame, at most; chosen: what goes to the media process at once */
#define NGX_WEBRTC_OUTPUT_FRAME  (14 * 1024 * 1024 - 4096)


typedef struct {
    ngx_uint_t                track;       /* number of the stream's track */
    uint64_t                  number;      /* of the entry that ends it */
    int64_t                   ts;          /* presentation, in the track's
                                              clock rate */
    int64_t                   arrival_us;  /* monotonic clock */

    /*
     * As ngx_webrtc_unpack.h makes it; the first "config" bytes are the codec's
     * configuration.  Valid until the next call.
     */
    u_char                   *data;
    size_t                    n;
    size_t                    config;

    uint8_t                   cvo;         /* video: its orientation, bits of
                                              NGX_WEBRTC_CVO_MASK */
    unsigned                  key:1;       /* decoding may start here */
    unsigned                  discard:1;   /* no other frame refers to it */
    unsigned                  seam:1;      /* frames before it are left out */

    /* audio: the packet as it is in the ring, to be copied to another one */
    ngx_webrtc_ring_packet_t  packet;
    u_char                   *payload;     /* packet.len bytes */
    ngx_uint_t                missing;     /* packets before it are lost */
} ngx_webrtc_output_unit_t;


/* private to the reader, but for "wait_key" */
typedef struct {
    ngx_webrtc_unpack_t       unpack;
    size_t                    size;        /* bytes of its buffer */
    uint64_t                  next;        /* index of its next packet */
    uint64_t                  since;       /* first index of the codec that the
                                              stream says */
    uint64_t                  first;       /* same, when the reader began */
    uint32_t                  ts;          /* of the frame under way, as are */
    ngx_uint_t                flags;
    int64_t                   arrival_us;
    uint8_t                   codec;       /* of what is read now */
    uint8_t                   cvo;
    unsigned                  known:1;     /* "next" is */
    unsigned                  begun:1;     /* a frame */
    unsigned                  key:1;       /* decoding may start at it */
    unsigned                  cut:1;       /* something of it is missing */
    unsigned                  wait_key:1;  /* video: nothing up to the next */
    unsigned                  seam:1;      /* to be told with the next frame */
} ngx_webrtc_output_track_t;


/* may be read: tracks, ntracks, codec of each, and the counters */
typedef struct {
    ngx_webrtc_stream_t      *st;
    ngx_log_t                *log;
    uint64_t                  cursor;      /* number of the next entry */
    uint64_t                  version;     /* of the tracks */

    ngx_uint_t                ntracks;
    ngx_webrtc_track_t        tracks[NGX_WEBRTC_TRACKS];   /* the stream's */
    ngx_webrtc_output_track_t each[NGX_WEBRTC_TRACKS];

    u_char                    payload[NGX_WEBRTC_RING_MAX_PAYLOAD];

    uint64_t                  frames;      /* given, audio packets included */
    uint64_t                  left_out;    /* video frames */
    uint64_t                  lapped;      /* times */
    uint64_t                  skipped;     /* ngx_webrtc_output_reader_skip() */
} ngx_webrtc_output_reader_t;


/*
 * Puts a reader at the newest key frame of a stream, or at its end if it has
 * none that is whole.
 *
 *   rd    zeroed; ended with ngx_webrtc_output_reader_done()
 *   st    held as long as the reader is used
 *   log   for lack of memory
 */
void ngx_webrtc_output_reader_init(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_stream_t *st, ngx_log_t *log);

/* Frees its buffers; may be repeated. */
void ngx_webrtc_output_reader_done(ngx_webrtc_output_reader_t *rd);

/*
 * The next frame.
 *
 * NGX_OK      *unit is filled
 * NGX_DONE    rd->tracks, or the codec of one, is another from here on:
 *             call again for the frame
 * NGX_AGAIN   there is none yet
 */
ngx_int_t ngx_webrtc_output_reader_next(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_unit_t *unit);

/*
 * The caller could not take a frame of video: leaves out those up to the next
 * key frame.
 */
void ngx_webrtc_output_reader_skip(ngx_webrtc_output_reader_t *rd,
    ngx_uint_t track);

/*
 * Reads what there still is from an entry on that it has passed, of the codecs
 * that the tracks have now.
 */
void ngx_webrtc_output_reader_back(ngx_webrtc_output_reader_t *rd,
    uint64_t cursor);

/*
 * The codec of a track's frames, NGX_WEBRTC_CODEC_NONE: there is no such track,
 * or it cannot be made frames of.
 */
ngx_uint_t ngx_webrtc_output_reader_codec(ngx_webrtc_output_reader_t *rd,
    ngx_uint_t track);

/* Would a key frame be of use?  Then one may be asked for. */
ngx_uint_t ngx_webrtc_output_reader_wants_key(ngx_webrtc_output_reader_t *rd);


#endif /* _NGX_WEBRTC_OUTPUT_READER_H_INCLUDED_ */
