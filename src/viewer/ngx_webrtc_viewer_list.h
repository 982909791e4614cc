
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The layers of its stream that a viewer may get, by bitrate: those of its
 * location and of the publisher, and what is left of each where frames of its
 * upper temporal or spatial layers are left out.  Private to
 * ngx_webrtc_viewer_layers.c.
 */


#ifndef _NGX_WEBRTC_VIEWER_LIST_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_LIST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"
#include "ngx_webrtc_viewer_keys.h"
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_ladder.h"


/*
 * One of them: all of a stream of the family, or a part of that.  No label: of
 * the best one.
 */
typedef struct {
    ngx_webrtc_variant_t         variant;
    uint32_t                     rate;        /* that it takes; 0: not known */
    uint32_t                     most;        /* that it has taken */
    ngx_msec_t                   failed;      /* when; 0: not */
    uint8_t                      want;        /* NGX_WEBRTC_LAYER_TID and _SID:
                                                 the highest of its layers; ALL:
                                                 it is all of it */
    uint8_t                      share;       /* percent of that */
    uint8_t                      guess;       /* percent that it takes of the
                                                 best one, if nothing else is
                                                 known; 0: nor is that */
    uint8_t                      part;        /* the same for its temporal
                                                 layers alone; 0: all */
    uint8_t                      tids;        /* that there are in all of it,
                                                 0: not known */
    uint8_t                      sids;
    unsigned                     published:1; /* by the publisher */
    unsigned                     absent:1;    /* which has stopped it */
    unsigned                     few:1;       /* less than half of it */
} ngx_webrtc_viewer_layer_t;


struct ngx_webrtc_viewer_layers_s {
    ngx_webrtc_viewer_family_conf_t  conf;
    ngx_webrtc_variant_t         base;        /* of conf */
    ngx_webrtc_variant_t         how;         /* v->how */
    ngx_webrtc_variant_t         choice;      /* of the slot's policy */
    ngx_uint_t                   chosen;      /* likewise, all of it */
    uint64_t                     version;     /* of the publisher's layers */
    ngx_str_t                    top;         /* rid of the best one */
    u_char                       top_rid[NGX_WEBRTC_STREAM_RID];
    ngx_webrtc_ladder_t          ladder;
    ngx_msec_t                   looked;
    ngx_msec_t                   asked;       /* for a key frame */
    ngx_msec_t                   waits;       /* for layers, since; 0: not */
    ngx_uint_t                   at;          /* the layer that it reads */
    ngx_uint_t                   to;          /* and goes to, or the same */
    ngx_uint_t                   only;        /* its choice; n: none */
    ngx_uint_t                   most;        /* no better one */
    uint32_t                     most_rate;   /* of that, when it was in the
                                                 list last; 0: it never was */
    ngx_uint_t                   n;
    ngx_uint_t                   share;       /* of what is sent that nothing
                                                 refers to, percent */
    uint32_t                     keys_rate;   /* of its key frames alone; 0: not
                                                 known */
    ngx_webrtc_viewer_keys_t     keys;        /* if it is "late" */
    ngx_webrtc_rate_t            comes;       /* of the stream that it reads */
    uint64_t                     of;          /* "comes" is of this one */
    ngx_msec_t                   came;        /* its last sample */
    ngx_msec_t                   trouble;     /* when there was any last */
    unsigned                     late:1;      /* begun when its path was found
                                                 to be narrow */
    ngx_webrtc_viewer_layer_t    layers[NGX_WEBRTC_LADDER_LAYERS];
    ngx_webrtc_rewrite_past_t    past[NGX_WEBRTC_REWRITE_PAST];
};


/* Makes the list anew, by bitrate, the best one last. */
void ngx_webrtc_viewer_list(ngx_webrtc_viewer_layers_t *vl,
    ngx_webrtc_stream_t *st);

/* Takes what is known of the layers, and where the viewer is, from another. */
void ngx_webrtc_viewer_list_again(ngx_webrtc_viewer_layers_t *vl,
    const ngx_webrtc_viewer_layers_t *was);

/* Sets what the viewer has chosen. */
void ngx_webrtc_viewer_list_choice(ngx_webrtc_viewer_layers_t *vl);

/* Sets what has to be read for a layer. */
void ngx_webrtc_viewer_list_how(ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t layer);

/* The layer, or the next one down that comes, or up. */
ngx_uint_t ngx_webrtc_viewer_list_instead(ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t layer);

/* What the viewer's choice leaves of a layer, as in "want". */
ngx_uint_t ngx_webrtc_viewer_list_want(const ngx_webrtc_viewer_layers_t *vl,
    ngx_uint_t layer);

/* Are two layers parts of the same stream? */
#define ngx_webrtc_viewer_list_same(vl, one, two)                             \
    (ngx_memcmp(&(vl)->layers[one].variant, &(vl)->layers[two].variant,       \
                sizeof(ngx_webrtc_variant_t))                                 \
     == 0)

/* Is it the best one, or a part of that? */
#define ngx_webrtc_viewer_list_best(vl, layer)                                \
    ((vl)->layers[layer].variant.label_len == 0)

/* The rates of the ladder's steps. */
void ngx_webrtc_viewer_list_rates(ngx_webrtc_viewer_layers_t *vl,
    ngx_webrtc_ladder_in_t *in);


#endif /* _NGX_WEBRTC_VIEWER_LIST_H_INCLUDED_ */
