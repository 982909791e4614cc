
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a viewer is sent over a path in virtual time (path.h), and sees of it.
 * For one test that includes it.
 */


#ifndef _VIEW_H_INCLUDED_
#define _VIEW_H_INCLUDED_


#include "path.h"

#include <ngx_webrtc_again.h>


/*
 * Frames wait for pacing and are shown when they are whole, one after the
 * other; what is lost is sent again.
 */

#define FRAMES  512
#define AGAIN   256

typedef struct {
    ngx_uint_t   step;           /* at its end */
    ngx_uint_t   changes;
    ngx_uint_t   shown;
    uint32_t     lag;            /* ms, greatest */
    uint32_t     gap;            /* ms between two pictures, likewise */
} view_t;

typedef struct {
    uint64_t     made;
    uint64_t     at;             /* its last packet arrives */
    uint32_t     left;           /* bytes to be sent */
    uint32_t     lost;           /* packets */
    unsigned     key:1;
} frame_t;

static view_t   view[120];

static frame_t  frames[FRAMES];
static uint64_t first, sending, last;      /* to be shown, to be sent, made */
static uint64_t shown;                     /* when the last one was */
static unsigned broken;                    /* until a key frame */

static struct {
    uint64_t     due;
    uint64_t     frame;
    uint32_t     size;
} again[AGAIN];
static ngx_uint_t  nagain;
static ngx_webrtc_again_t  allowed;

#define frame(n)  (&frames[(n) % FRAMES])


static void
transmit(const leg_t *leg, uint64_t n, uint32_t size, uint64_t now)
{
    uint64_t  at;

    at = path_send_size(leg, size + 40, now);

    if (at) {
        frame(n)->at = ngx_max(frame(n)->at, at);
        return;
    }

    frame(n)->lost++;

    if (nagain < AGAIN) {
        again[nagain].due = now + leg->delay * 2000 + 50000;
        again[nagain].frame = n;
        again[nagain++].size = size;
    }
}


/* what was lost is sent again, of frames that are still wanted, as far as may
 * be; what may not is asked for again */

static void
repeat(const leg_t *leg, uint64_t now)
{
    ngx_uint_t  i;

    for (i = 0; i < nagain; i++) {

        if (again[i].due > now) {
            continue;
        }

        if (again[i].frame >= first && frame(again[i].frame)->lost) {

            if (ngx_webrtc_again(&allowed, 0, again[i].size,
                                 ngx_webrtc_bwe_estimate(&bwe), 0, now / 1000)
                != NGX_OK)
            {
                again[i].due += leg->delay * 2000 + 50000;
                continue;
            }

            frame(again[i].frame)->lost--;
            transmit(leg, again[i].frame, again[i].size, now);
        }

        again[i--] = again[--nagain];
    }
}


#define whole(f)  ((f)->lost == 0 && (f)->at <= now)


/* one that is not whole is waited for, unless there is a key frame behind it */

static void
show(uint64_t now)
{
    frame_t   *f;
    view_t    *v;
    uint64_t   n;

    for ( /* void */ ; first < sending; first++) {
        f = frame(first);

        if (!whole(f)) {

            for (n = first + 1; n < sending; n++) {
                if (frame(n)->key && whole(frame(n))) {
                    break;
                }
            }

            if (n == sending && now - f->made < 2 * SECOND) {
                return;
            }

            broken = 1;
            continue;
        }

        if (broken && !f->key) {
            continue;
        }

        broken = 0;
        v = &view[now / SECOND];

        if (shown) {
            v->gap = ngx_max(v->gap, (now - shown) / 1000);
        }

        v->shown++;
        shown = now;
    }
}


#endif /* _VIEW_H_INCLUDED_ */
