
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The range protocol server of one channel: decides which ranges are served and
 * which wait, which one is read next, when reading stops because the channel is
 * full, and what the client is told.  It reads no files: it says what to read
 * next and is given the bytes.  The frames are those of ngx_webrtc_range, the
 * rules those of docs/datachannel.md.
 */


#ifndef _NGX_WEBRTC_RANGES_H_INCLUDED_
#define _NGX_WEBRTC_RANGES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_range.h>


/* bytes of file in a frame; the protocol's default */
#define NGX_WEBRTC_RANGES_CHUNK      16384

/* ranges served at once; the protocol's default */
#define NGX_WEBRTC_RANGES_ACTIVE     4

/* milliseconds until a range that waits is refused; the protocol's */
#define NGX_WEBRTC_RANGES_WAIT       5000

/* ranges that wait, for a slot or for bytes; chosen: one more is refused at
 * once, as if it had waited.  Allocated as needed */
#define NGX_WEBRTC_RANGES_WAITING    16384

/* bytes that one of them takes */
#define NGX_WEBRTC_RANGES_ITEM       80

/* of these, ranges that wait for bytes, without a deadline: so many for each
 * range served at once, and a minimum; chosen: more than a client that reads a
 * few parts ahead asks for */
#define NGX_WEBRTC_RANGES_STARVED    16
#define NGX_WEBRTC_RANGES_STARVED_MIN  64

/* ranges that wait, for a slot or for bytes, and RangeEnds that could not be
 * sent yet, of all channels of a session; chosen: the above, all at once, and
 * as many again */
#define NGX_WEBRTC_RANGES_OWED       (2 * NGX_WEBRTC_RANGES_WAITING)

/* bytes of the name in Hello at most; chosen: NAME_MAX is 255 */
#define NGX_WEBRTC_RANGES_NAME       1024

/* bytes buffered in the channel: reading stops at the one and resumes at the
 * other; the protocol's, for paths fast enough for them */
#define NGX_WEBRTC_RANGES_HIGH       8388608
#define NGX_WEBRTC_RANGES_LOW        1048576

#define NGX_WEBRTC_RANGES_NO_DEADLINE  ((uint64_t) -1)


/*
 * Sends one frame, to be wired to ngx_webrtc_channel_send(); n bytes owned by
 * the engine.  It must not call the engine.
 *
 * NGX_OK, NGX_AGAIN (no room; the engine tries again in _flush(), _next() and
 * _timeout()), NGX_DECLINED (the channel is gone)
 */
typedef ngx_int_t (*ngx_webrtc_ranges_send_pt)(void *ctx, u_char *p, size_t n);


/* how many there are; shared by the channels of a session */
typedef struct {
    ngx_uint_t   max;
    ngx_uint_t   active;
    ngx_uint_t   starved;
    ngx_uint_t   items;       /* waiting and starved ranges, owed RangeEnds */
} ngx_webrtc_ranges_slots_t;


typedef struct {
    uint64_t                    size;        /* of the file, bytes */
    ngx_str_t                   name;        /* copied by no one: used by
                                                _hello() alone */
    ngx_uint_t                  flags;       /* of Hello:
                                                NGX_WEBRTC_RANGE_SEEKABLE,
                                                NGX_WEBRTC_RANGE_GROWING */
    size_t                      chunk;       /* 1 .. NGX_WEBRTC_RANGE_PAYLOAD,
                                                and 12 bytes more have to fit
                                                the peer's max-message-size */
    size_t                      high;        /* bytes buffered: stop, go on */
    size_t                      low;
    ngx_uint_t                  wait_ms;
    ngx_webrtc_ranges_slots_t  *slots;       /* outlives it */

    ngx_webrtc_ranges_send_pt   send;
    void                       *ctx;
} ngx_webrtc_ranges_opts_t;


/* what is to be read next */
typedef struct {
    uint32_t                    id;          /* the client's, for logs */
    uint32_t                    serial;      /* of the range, for _data() */
    uint64_t                    offset;
    size_t                      length;      /* 1 .. chunk */
} ngx_webrtc_ranges_read_t;


typedef struct ngx_webrtc_ranges_item_s  ngx_webrtc_ranges_item_t;


/* Must not be moved while initialized.  Readable: the counters. */
typedef struct {
    ngx_uint_t                  nactive;     /* of this channel */
    ngx_uint_t                  nwaiting;
    ngx_uint_t                  nstarved;    /* wait for bytes */
    ngx_uint_t                  malformed;   /* frames dropped: by form, */
    ngx_uint_t                  unexpected;  /* by type: the server's own */
    ngx_uint_t                  dropped;     /* Pongs, and RangeEnds beyond
                                                _OWED, for which was no room */
    ngx_uint_t                  refused;     /* no slot, out of range, twice */
    ngx_uint_t                  served;      /* ranges done */
    uint64_t                    bytes;       /* of file sent */
    uint64_t                    seek_ms;     /* the last SeekHint */

    /* private */
    ngx_webrtc_ranges_opts_t    opts;
    ngx_queue_t                 active;      /* its head's turn */
    ngx_queue_t                 waiting;     /* by arrival, hence by expiry */
    ngx_queue_t                 starved;     /* at the end of what there is */
    ngx_queue_t                 owed;        /* RangeEnds, by arrival */
    ngx_webrtc_ranges_item_t  **hash;        /* by id: all but owed */
    ngx_uint_t                  bits;        /* of the number of buckets */
    uint32_t                    factor;      /* of the hash, odd */
    ngx_uint_t                  nitems;      /* in hash */
    ngx_uint_t                  nowed;
    uint32_t                    serial;
    unsigned                    paused:1;    /* above high, not yet at low */
    unsigned                    closed:1;    /* send() said so */
} ngx_webrtc_ranges_t;


/*
 * Prepares it; sends nothing.
 *
 * NGX_OK       to be ended with ngx_webrtc_ranges_cleanup()
 * NGX_ERROR    no memory, or chunk is out of range
 */
ngx_int_t ngx_webrtc_ranges_init(ngx_webrtc_ranges_t *r,
    const ngx_webrtc_ranges_opts_t *opts);

/* Forgets everything and gives the slots back; may be called twice. */
void ngx_webrtc_ranges_cleanup(ngx_webrtc_ranges_t *r);

/*
 * Sends Hello; to be called when the channel has opened.  A name that does not
 * fit a chunk, or is longer than NGX_WEBRTC_RANGES_NAME, is cut at a character.
 *
 * NGX_OK
 * NGX_AGAIN    there was no room: to be called again
 * NGX_ERROR    the channel is gone
 */
ngx_int_t ngx_webrtc_ranges_hello(ngx_webrtc_ranges_t *r);

/*
 * Takes a binary message of the client.  String messages are always malformed:
 * ngx_webrtc_ranges_malformed().
 *
 * NGX_OK        taken; ask _next()
 * NGX_DECLINED  dropped and counted
 * NGX_ERROR     the channel is gone
 */
ngx_int_t ngx_webrtc_ranges_input(ngx_webrtc_ranges_t *r, u_char *p, size_t n,
    uint64_t now_ms);

void ngx_webrtc_ranges_malformed(ngx_webrtc_ranges_t *r);

/* Replaces the marks of opts from now on. */
void ngx_webrtc_ranges_marks(ngx_webrtc_ranges_t *r, size_t high, size_t low);

/*
 * What is to be read next.  Ranges take turns chunk by chunk, and each has at
 * most one read under way.  To be called until it is not NGX_OK, after
 * _input(), _data(), _timeout() and whenever buffered has fallen; after a range
 * of one channel has ended, for the session's other channels too.
 *
 *   buffered    bytes buffered in the channel: reading stops at opts.high;
 *               ngx_webrtc_sctp_assoc_t.buffered
 *   unsent      those of them not in flight: reading resumes at opts.low;
 *               ngx_webrtc_sctp_unsent(), used only after an NGX_AGAIN
 *
 * NGX_OK        read is filled: read it and call _data() or _error()
 * NGX_AGAIN     stopped: the channel is full, call when it is writable
 * NGX_DONE      there is nothing to read, or all of it is being read
 */
ngx_int_t ngx_webrtc_ranges_next(ngx_webrtc_ranges_t *r, size_t buffered,
    size_t unsent, uint64_t now_ms, ngx_webrtc_ranges_read_t *read);

/*
 * Takes the bytes read and sends them.
 *
 *   read     as _next() filled it
 *   frame    NGX_WEBRTC_RANGE_HEADER bytes that are written here, behind them
 *            the n bytes read
 *   n        less than read->length: the file has shrunk, status 3
 *
 * NGX_OK        sent; the buffer is the caller's again
 * NGX_AGAIN     the channel has no room: call again with the same arguments
 *               when it has
 * NGX_DECLINED  the range has ended meanwhile (cancelled): nothing was sent
 * NGX_ERROR     the channel is gone
 */
ngx_int_t ngx_webrtc_ranges_data(ngx_webrtc_ranges_t *r,
    const ngx_webrtc_ranges_read_t *read, u_char *frame, size_t n,
    uint64_t now_ms);

/* The read failed: status 3.  Harmless if the range has ended meanwhile. */
void ngx_webrtc_ranges_error(ngx_webrtc_ranges_t *r,
    const ngx_webrtc_ranges_read_t *read, uint64_t now_ms);

/* The file has changed: every range ends with status 3. */
void ngx_webrtc_ranges_fail(ngx_webrtc_ranges_t *r, uint64_t now_ms);

/*
 * The file's size has changed, or it has started or stopped growing.
 *
 * While it grows, a range may extend beyond its end, and a range to the end is
 * unbounded.  A range that has been sent everything available waits for more,
 * without taking a slot.  When the file stops growing, such a range ends with
 * status 0, or with 2 if nothing was sent.
 *
 *   size      not less than before
 *
 * Hello is up to the caller: ngx_webrtc_ranges_hello().
 */
void ngx_webrtc_ranges_resize(ngx_webrtc_ranges_t *r, uint64_t size,
    ngx_uint_t growing, uint64_t now_ms);

/* Sends RangeEnds that are owed; to be called when there is room again. */
void ngx_webrtc_ranges_flush(ngx_webrtc_ranges_t *r);

/*
 * The instant at which _timeout() is to be called, or
 * NGX_WEBRTC_RANGES_NO_DEADLINE.  Changes with every call.
 */
uint64_t ngx_webrtc_ranges_deadline(const ngx_webrtc_ranges_t *r);

/* Refuses what has waited too long; harmless at any other time. */
void ngx_webrtc_ranges_timeout(ngx_webrtc_ranges_t *r, uint64_t now_ms);


#endif /* _NGX_WEBRTC_RANGES_H_INCLUDED_ */
