
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_viewer_thin: which frames a viewer gets, by what it should.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "tap.h"

#include <ngx_webrtc_viewer_thin.h>


/*
 * Frames and orders.  A frame is its temporal layer, with "k" a key frame, "s"
 * SYNC, "d" nothing refers to it; "+" in front: one more packet of the frame
 * before.  "=2" the highest temporal layer that is wanted, "=3" all; "=t",
 * "=k", "=n", "=w": frames that others refer to, key frames, none, all.
 */

static const struct {
    const char  *name;
    const char  *in;
    const char  *out;        /* frames that it gets */
} rows[] = {
    { "all", "0k 2s 1s 2 0 2 1", "0k 2s 1s 2 0 2 1" },
    { "without the highest", "0k =1 2s 1s 2 0 2 1", "0k 1s 0 1" },
    { "the lowest alone", "0k 2 1 2 =0 0 2s 1s 2 0 2s 1s", "0k 2 1 2 0 0" },
    { "down in a frame: from the next one on",
      "0k 2 +2 =0 +2 1 0 2 1", "0k 2 +2 +2 0" },
    { "up with a marked frame, one at a time",
      "=0 0k 2s 1s 0 =3 2s 1 2 0 2s 1s 2 0 2s 1 2", "0k 0 0 1s 0 2s 1 2" },
    { "up in a frame: not with the rest of it",
      "=0 0k 1s =3 +1s 2s 0 1s +1s", "0k 0 1s +1s" },
    { "no further than is wanted", "=0 0k =1 1s 2s 1 2s 0 1", "0k 1s 1 0 1" },
    { "not marked: at a key frame", "=0 0k 2 1 =3 2 1 2 0 2 1 0k 2 1",
      "0k 0 0k 2 1" },
    { "a key frame of all packets", "=0 0k 1 =3 0k +0k 1", "0k 0k +0k 1" },
    { "down and up again", "0k 2 =1 1 2 =3 0 2 1 2 0 2s 1 2",
      "0k 2 1 0 1 0 2s 1 2" },
    { "wanted less, and then not", "0k 2 =0 =3 1 2", "0k 2 1 2" },
    { "those that others refer to", "0k =t 2d 1 2d 0 2d", "0k 1 0" },
    { "and of lower layers", "0k =1 =t 2d 1d 2 0 1", "0k 0 1" },
    { "key frames", "0k =k 2 1 0 0k 1", "0k 0k" },
    { "none", "0k =n 2 1 0 0k 1", "0k" },
    { "all again, from a frame on", "0k 2 =t 2d +2d =w +2d 1 2d", "0k 2 1 2d" },
};


/* a stream that has no key frame of its own: viewer_keys.c is about these */

static u_char               empty[NGX_WEBRTC_RING_NO_SIZE]
                                  __attribute__((aligned(64)));
static ngx_webrtc_stream_t  stream;


static void
test_rows(void)
{
    char                        line[256], out[256], *p, *o, *q;
    uint32_t                    ts, out_ts;
    uint64_t                    index, to;
    ngx_uint_t                  i, want, thin;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_viewer_track_t  *t;
    ngx_webrtc_ring_packet_t    pkt;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        v = calloc(1, sizeof(ngx_webrtc_viewer_t));
        t = &v->tracks[0];

        v->st = &stream;

        ngx_webrtc_viewer_thin_init(v);
        ngx_webrtc_rewrite_init(&t->rw, 1, 96, 1, 0);

        ts = 1000;
        index = 0;
        want = 3;
        thin = NGX_WEBRTC_VIEWER_WHOLE;

        strcpy(line, rows[i].in);
        o = out;

        for (p = strtok(line, " "); p; p = strtok(NULL, " ")) {

            if (*p == '=') {

                if (p[1] >= '0' && p[1] <= '9') {
                    want = p[1] - '0';

                } else {
                    thin = strchr("wtkn", p[1]) - "wtkn";
                }

                ngx_webrtc_viewer_thin_set(v, thin,
                                           NGX_WEBRTC_LAYER_SID | want);
                continue;
            }

            memset(&pkt, 0, sizeof(pkt));

            q = p;

            if (*q == '+') {
                q++;

            } else {
                ts += 3000;
                pkt.flags = NGX_WEBRTC_PKT_FIRST;
            }

            pkt.ts = ts;
            pkt.index = index++;
            pkt.layer = (uint8_t) (*q - '0');
            pkt.layer |= strchr(q, 's') ? NGX_WEBRTC_LAYER_SYNC : 0;
            pkt.flags |= strchr(q, 'k') ? NGX_WEBRTC_PKT_KEY : 0;
            pkt.flags |= strchr(q, 'd') ? NGX_WEBRTC_PKT_DISCARD : 0;

            if (v->partial && ngx_webrtc_viewer_thin(v, t, &pkt)) {
                continue;
            }

            ngx_webrtc_rewrite_jump(&t->rw, pkt.index);
            (void) ngx_webrtc_rewrite_map(&t->rw, pkt.index, pkt.ts, &to,
                                          &out_ts);

            o += sprintf(o, "%s%s", o == out ? "" : " ", p);
        }

        *o = '\0';

        tap_is_str(out, rows[i].out, "%s", rows[i].name);

        free(v);
    }
}


/* of three spatial layers, each of two packets */

static void
test_spatial(void)
{
    char                        out[256], *o;
    ngx_uint_t                  i, k;
    ngx_webrtc_viewer_t        *v;
    ngx_webrtc_ring_packet_t    pkt;

    static const struct {
        ngx_uint_t   want;       /* before the picture */
        ngx_uint_t   key;
        const char  *out;        /* spatial layers, "m" with the marker */
    } t[] = {
        { 3, 1, "001122m " },
        { 1, 0, "0011m " },
        { 0, 0, "00m " },
        { 2, 0, "00m " },
        { 2, 1, "001122m " },
        { 3, 0, "001122m " }
    };

    v = calloc(1, sizeof(ngx_webrtc_viewer_t));
    ngx_webrtc_viewer_thin_init(v);

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        o = out;

        ngx_webrtc_viewer_thin_set(v, NGX_WEBRTC_VIEWER_WHOLE,
                                   NGX_WEBRTC_LAYER_TID | t[i].want << 3);

        for (k = 0; k < 6; k++) {
            memset(&pkt, 0, sizeof(pkt));

            pkt.ts = (uint32_t) (1000 + i * 3000);
            pkt.layer = (uint8_t) (k / 2 << 3);
            pkt.layer |= (k % 2) ? NGX_WEBRTC_LAYER_END : 0;
            pkt.flags = t[i].key ? NGX_WEBRTC_PKT_KEY : 0;
            pkt.flags |= (k == 0) ? NGX_WEBRTC_PKT_FIRST : 0;
            pkt.flags |= (k == 5) ? NGX_WEBRTC_PKT_MARKER : 0;

            if (v->partial && ngx_webrtc_viewer_thin(v, &v->tracks[0], &pkt)) {
                continue;
            }

            o += sprintf(o, "%u%s", (unsigned) k / 2,
                         (pkt.flags & NGX_WEBRTC_PKT_MARKER) ? "m" : "");
        }

        *o++ = ' ';
        *o = '\0';

        tap_is_str(out, t[i].out, "spatial %u",
                   (unsigned) i);
    }

    /* what it waits for */

    ngx_webrtc_viewer_thin_set(v, NGX_WEBRTC_VIEWER_WHOLE, 0);

    memset(&pkt, 0, sizeof(pkt));
    pkt.flags = NGX_WEBRTC_PKT_FIRST;
    (void) ngx_webrtc_viewer_thin(v, &v->tracks[0], &pkt);

    ngx_webrtc_viewer_thin_set(v, NGX_WEBRTC_VIEWER_WHOLE,
                               NGX_WEBRTC_LAYER_ALL);

    tap_ok(ngx_webrtc_viewer_thin_waits(v, 2, 1), "for a temporal layer");
    tap_ok(ngx_webrtc_viewer_thin_waits(v, 1, 2), "for a spatial layer");
    tap_ok(!ngx_webrtc_viewer_thin_waits(v, 1, 1), "for none that there is");

    free(v);
}


int
main(void)
{
    stream.ring = ngx_webrtc_ring_init_empty(empty);

    test_rows();
    test_spatial();

    return tap_done();
}
