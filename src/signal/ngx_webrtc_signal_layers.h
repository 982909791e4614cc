
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Layers of a stream, as they are told to a viewer ("layers" event), and as it
 * chooses one: draft "WHEP extensions".
 */


#ifndef _NGX_WEBRTC_SIGNAL_LAYERS_H_INCLUDED_
#define _NGX_WEBRTC_SIGNAL_LAYERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* layers in an event: renditions of a location, and the stream itself */
#define NGX_WEBRTC_SIGNAL_LAYERS     17

/* temporal layers of each */
#define NGX_WEBRTC_SIGNAL_TIDS       4

/* bytes of an event's data: names of 24 bytes, each as often as it has temporal
 * layers, and once more, and numbers */
#define NGX_WEBRTC_SIGNAL_LAYERS_ROOM                                         \
    (NGX_WEBRTC_SIGNAL_LAYERS * (NGX_WEBRTC_SIGNAL_TIDS + 1) * 160 + 640)


typedef struct {
    ngx_str_t    name;
    uint32_t     bitrate;            /* bit/s; 0: not known */
    uint32_t     width;              /* likewise */
    uint32_t     height;
    uint8_t      inside;             /* 1: a spatial layer of the first one,
                                        whose name it has */
    uint8_t      sid;                /* which it is, from 0 */
    uint8_t      tids;               /* temporal layers in it; 0: not known */
    uint8_t      share[NGX_WEBRTC_SIGNAL_TIDS - 1];
                                     /* percent of the bitrate that is of the
                                        lowest one, two, ... */
} ngx_webrtc_signal_layer_t;


typedef struct {
    ngx_str_t                  mid;           /* of the video */
    ngx_uint_t                 n;
    ngx_webrtc_signal_layer_t  layers[NGX_WEBRTC_SIGNAL_LAYERS];
    ngx_uint_t                 current;       /* that the viewer gets */
    uint8_t                    sid;           /* the highest layers that it gets
                                                 inside of that */
    uint8_t                    tid;
    ngx_uint_t                 automatic;     /* 1: by its bandwidth */
    const char                *limited;       /* what it gets of it, or "" */
    u_char                     room[128];     /* for the caller: of names that
                                                 are nowhere else */
} ngx_webrtc_signal_layers_t;


/* a choice; NULL data: it has no such member */
typedef struct {
    ngx_str_t    media;
    ngx_str_t    encoding;
    uint32_t     max_width;          /* 0: any */
    uint32_t     max_height;
    uint32_t     spatial;            /* layers below this one; 0: all */
    uint32_t     temporal;

    void        *message;            /* private */
} ngx_webrtc_signal_choice_t;


/*
 * Prints the data of an event: one line of JSON.
 *
 * Returns the position behind it, or NULL if there is no room.
 */
u_char *ngx_webrtc_signal_print_layers(u_char *p, u_char *end,
    const ngx_webrtc_signal_layers_t *l);

/*
 * Parses a choice: an object with any of "mediaId", "encodingId" or "rid",
 * "spatialLayerId", "temporalLayerId", "maxSpatialLayerId",
 * "maxTemporalLayerId", "maxWidth", "maxHeight".  Nothing but white space, or
 * an object without members, is the automatic choice.  Numbers of layers are
 * those of the highest that the viewer wants; above what there is, all.
 *
 *   choice  out, to be ended with ngx_webrtc_signal_choice_free() on NGX_OK
 *   cause   out when refused, constant text
 *
 * NGX_OK; NGX_DECLINED
 */
ngx_int_t ngx_webrtc_signal_parse_choice(const u_char *p, size_t n,
    ngx_webrtc_signal_choice_t *choice, const char **cause);

/* May be called twice. */
void ngx_webrtc_signal_choice_free(ngx_webrtc_signal_choice_t *choice);

/*
 * The layer that a choice means: one by name, or the best that is not too
 * large, which is the lowest if all are.  One that is inside of another means
 * the other one up to there.
 *
 *   layer   out
 *
 * NGX_OK
 * NGX_DONE      it is automatic
 * NGX_DECLINED  there is no such layer, or no such media
 */
ngx_int_t ngx_webrtc_signal_choose(const ngx_webrtc_signal_layers_t *l,
    const ngx_webrtc_signal_choice_t *choice, ngx_uint_t *layer);


#endif /* _NGX_WEBRTC_SIGNAL_LAYERS_H_INCLUDED_ */
