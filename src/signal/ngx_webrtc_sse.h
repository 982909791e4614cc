
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The events of a WHEP session: which ones a client orders (a JSON array), what
 * they look like (text/event-stream), and which one comes next when the stream
 * changes.
 *
 * Draft "WHEP extensions" (server-sent events); WHATWG HTML, 9.2 (event
 * streams); RFC 8259 (JSON).
 *
 * Events describe a state, so what matters is not which ones a client has
 * missed but what it knows.  The id of an event says that, and Last-Event-ID
 * takes it to whichever worker the client comes back to.
 */


#ifndef _NGX_WEBRTC_SSE_H_INCLUDED_
#define _NGX_WEBRTC_SSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_SSE_ACTIVE       0x01
#define NGX_WEBRTC_SSE_INACTIVE     0x02
#define NGX_WEBRTC_SSE_RECONNECT    0x04
#define NGX_WEBRTC_SSE_VIEWERCOUNT  0x08
#define NGX_WEBRTC_SSE_LAYERS       0x10

#define NGX_WEBRTC_SSE_ALL          0x1f

/* the names of all of them, for a Link header */
#define NGX_WEBRTC_SSE_NAMES        "active,inactive,layers,reconnect,"       \
                                    "viewercount"

/* digits of the name of an event stream that was ordered */
#define NGX_WEBRTC_SSE_NAME         8

/* bytes of an id, and room for one event without its data */
#define NGX_WEBRTC_SSE_ID           16
#define NGX_WEBRTC_SSE_ROOM         96


/* what a client knows */
typedef struct {
    uint32_t    viewers;
    unsigned    active:1;
    unsigned    inactive:1;          /* neither: nothing so far */
    unsigned    counted:1;           /* viewers is set */
} ngx_webrtc_sse_state_t;


/*
 * Parses the events that a client orders: a JSON array of names.  Nothing but
 * white space orders all.
 *
 *   mask    out: NGX_WEBRTC_SSE_*, 0 for an empty array
 *   cause   out when refused, constant text
 *
 * NGX_OK; NGX_DECLINED: malformed, or with a name that is unknown
 */
ngx_int_t ngx_webrtc_sse_parse_order(u_char *p, u_char *end, ngx_uint_t *mask,
    const char **cause);

/*
 * The next event that a client has to be told, if any.
 *
 *   known    updated
 *   live     the stream is active
 *   viewers  of it, or -1: not to be told now
 *
 * Returns one of NGX_WEBRTC_SSE_ACTIVE, _INACTIVE and _VIEWERCOUNT; 0: no more.
 * There is never an initial INACTIVE.
 */
ngx_uint_t ngx_webrtc_sse_next(ngx_webrtc_sse_state_t *known, ngx_uint_t live,
    ngx_int_t viewers);

/*
 * Prints an event.
 *
 *   event   one of NGX_WEBRTC_SSE_*
 *   known   makes the id
 *   data    one line of JSON
 *
 * Returns the position behind it (no null byte), or NULL if there is no room.
 */
u_char *ngx_webrtc_sse_print(u_char *p, u_char *end, ngx_uint_t event,
    ngx_webrtc_sse_state_t *known, ngx_str_t *data);

/*
 * Parses the name of an event stream that was ordered, as it stands in its URL:
 * eight hexadecimal digits, not 0.
 *
 * NGX_OK; NGX_DECLINED: not one of ours, name is 0
 */
ngx_int_t ngx_webrtc_sse_parse_name(u_char *p, u_char *end, uint32_t *name);

/*
 * Parses the value of Last-Event-ID.
 *
 * NGX_OK; NGX_DECLINED: not one of ours, known is zeroed
 */
ngx_int_t ngx_webrtc_sse_parse_id(u_char *p, u_char *end,
    ngx_webrtc_sse_state_t *known);


#endif /* _NGX_WEBRTC_SSE_H_INCLUDED_ */
