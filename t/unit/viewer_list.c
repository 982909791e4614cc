
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_viewer_list: what a publisher sends, as steps of a viewer.
 */


#include "bus_zone.h"
#include "ngx_webrtc_viewer_list.h"


#define NONE  NGX_WEBRTC_LADDER_NONE


static ngx_webrtc_viewer_layers_t  vl, was;
static ngx_webrtc_stream_t         *st;
static ngx_uint_t                   two_take = 60;


/*
 * "rid:bitrate in kbit/s[:temporal layers[:spatial layer[:width]]]", the first
 * one is what the stream has; of three temporal layers the lowest one takes
 * 40 %, two take 60 %, as the lowest of two does
 */

static void
publish(const char *text)
{
    int                          n, kbit, tids, sid, width;
    char                         rid[17];
    ngx_webrtc_stream_layer_t   *e;
    ngx_webrtc_stream_layers_t   list;

    memset(&list, 0, sizeof(list));

    while (*text) {
        e = &list.layers[list.n];
        rid[0] = '\0';
        kbit = tids = sid = width = 0;

        n = 0;

        if (*text != ':') {
            (void) sscanf(text, "%16[^:]%n", rid, &n);
        }

        text += n;
        (void) sscanf(text, ":%d:%d:%d:%d", &kbit, &tids, &sid, &width);
        text += strcspn(text, " ");
        text += (*text == ' ');

        e->rid_len = (uint8_t) strlen(rid);
        memcpy(e->rid, rid, e->rid_len);
        e->bitrate = (uint32_t) kbit * 1000;
        e->tids = (uint8_t) tids;
        e->sid = (uint8_t) sid;
        e->width = (uint16_t) width;
        e->top = (list.n == 0);
        e->ref = (list.n && e->rid_len) ? 100 + list.n : 0;
        e->share[0] = (tids == 3) ? 40 : (tids == 2) ? two_take : 100;
        e->share[1] = (tids == 3) ? 60 : 100;
        e->share[2] = 100;
        list.n++;
    }

    ngx_webrtc_bus_set_layers(st, &list);
}


/* "rid/temporal[/spatial]:kbit/s" of each step that can be taken */

static char *
steps(void)
{
    ngx_uint_t              i, sid, tid;
    ngx_webrtc_ladder_in_t  in;
    static char             out[4096];
    char                   *o;

    memset(&in, 0, sizeof(in));
    ngx_webrtc_viewer_list_rates(&vl, &in);

    o = out;
    *o = '\0';

    for (i = 0; i < vl.n; i++) {

        if (in.rates[NGX_WEBRTC_LADDER_LAYER + i] == NONE) {
            continue;
        }

        tid = ngx_webrtc_layer_tid(vl.layers[i].want);
        sid = ngx_webrtc_layer_sid(vl.layers[i].want);

        o += sprintf(o, "%s%.*s", o == out ? "" : " ",
                     (int) vl.layers[i].variant.label_len,
                     (char *) vl.layers[i].variant.label);

        if (tid != 3) {
            o += sprintf(o, "/%u", (unsigned) tid);
        }

        if (sid != 3) {
            o += sprintf(o, "@%u", (unsigned) sid);
        }

        o += sprintf(o, ":%u",
                     in.rates[NGX_WEBRTC_LADDER_LAYER + i] / 1000);
    }

    return out;
}


/* where all of the layer with that name stands */

static ngx_uint_t
place(const char *name)
{
    ngx_uint_t  i;

    for (i = 0; i < vl.n; i++) {
        if (vl.layers[i].want == NGX_WEBRTC_LAYER_ALL
            && vl.layers[i].variant.label_len == strlen(name)
            && memcmp(vl.layers[i].variant.label, name, strlen(name)) == 0)
        {
            break;
        }
    }

    return i;
}


static void
list(ngx_uint_t best)
{
    ngx_webrtc_viewer_list(&vl, st);
    vl.layers[vl.n - 1].rate = (uint32_t) best;
    ngx_webrtc_viewer_list_choice(&vl);
}


static void
test_steps(void)
{
    ngx_str_t   rid;
    ngx_uint_t  i, sid, bad;

    memset(&vl, 0, sizeof(vl));

    publish("h:1000:3 m:300:3 l:100:3");
    list(1060000);

    tap_is_str(steps(), "l/0:42 l/1:63 l:106 m/1:190 m:318 /1:636 :1060",
               "fewer pictures of each, by bitrate, half of them at least");

    /* what has just begun is guessed by its size, if anything is known */

    publish("h:1000:3:0:960 m:0:3:0:480 l:0:3:0:240");
    list(1060000);

    tap_is_str(steps(), "l:159 m:392 /1:636 :1060",
               "layers that have just begun");

    list(0);

    tap_is_str(steps(), ":0", "so has the best one");

    publish("h:1000:3:0:960 m:300:1:0:480 l:0:3:0:240");
    list(1060000);

    tap_is_str(steps(), "l:159 m:318 /1:636 :1060",
               "the lowest one has just begun");

    publish("h:1000:3:0:960 m:300:3:0:480 l:0:3:0:240");
    list(1060000);

    tap_is_str(steps(), "m/0:127 m/1:190 m:318 /1:636 :1060",
               "but a part of another one may be less");

    publish("h:1000:3:0:960 m:0:3:0:480 l:100:3:0:240");
    list(1060000);

    tap_is_str(steps(), "l/0:42 l/1:63 l:106 /1:636 :1060",
               "one between others is known later: they are in order");

    publish("h:1000:3:0:960 m:0:3 l:0:3");
    list(1060000);

    tap_is_str(steps(), "/0:424 /1:636 :1060", "no size is known");

    publish("h:1000:3 m:560:1");
    list(1060000);

    tap_is_str(steps(), "/0:424 m:593 :1060",
               "no part that is less than all of the next one");

    publish("h:1000:1 m:300:1");
    list(1060000);
    tap_is_str(steps(), "m:318 :1060", "no temporal layers");

    publish(":900:3:2 :300:3:1 :100:3:0");
    list(1000000);

    tap_is_str(steps(), "/0@0:40 /1@0:60 @0:110 /0@1:130 /1@1:190 @1:330 "
               "/0:400 /1:600 :1000", "spatial layers are the same");

    /* how many there are, of which a viewer may wait for the upper ones */

    for (bad = 0, i = 0; i < vl.n; i++) {
        sid = ngx_min(ngx_webrtc_layer_sid(vl.layers[i].want), 2);
        bad += (vl.layers[i].sids != sid + 1 || vl.layers[i].tids != 3);
    }

    tap_is_int(bad, 0, "and each says how many of them it has");

    vl.chosen = NGX_WEBRTC_PEER_LAYER_BEST
                | ngx_webrtc_peer_layer_below(1, 3);
    list(1000000);
    tap_is_str(steps(), "/0:400", "all spatial ones, fewer pictures");

    vl.chosen = NGX_WEBRTC_PEER_LAYER_BEST
                | ngx_webrtc_peer_layer_below(2, 2);
    list(1000000);
    tap_is_str(steps(), "/1@1:190", "and a part of both");

    vl.chosen = 0;

    /* choices */

    publish("h:1000:3 m:300:3 l:100:3");

    ngx_str_set(&rid, "m");
    ngx_webrtc_bus_layer_key(&rid, &vl.choice);
    list(1060000);
    tap_is_str(steps(), "m:318", "one is chosen");

    vl.chosen = ngx_webrtc_peer_layer_below(1, 0);
    list(1060000);
    tap_is_str(steps(), "m/0:127", "and of that a part");

    vl.chosen = ngx_webrtc_peer_layer_below(3, 2);
    list(1060000);
    tap_is_str(steps(), "m:318", "the highest is all");

    vl.chosen = NGX_WEBRTC_PEER_LAYER_MOST;
    list(1060000);
    tap_is_str(steps(), "l/0:42 l/1:63 l:106 m/1:190 m:318",
               "no better one");

    vl.chosen = NGX_WEBRTC_PEER_LAYER_BEST
                | ngx_webrtc_peer_layer_below(2, 0);
    list(1060000);
    tap_is_str(steps(), "/1:636", "half of the best one");

    memset(&vl.choice, 0, sizeof(vl.choice));
    vl.chosen = ngx_webrtc_peer_layer_below(1, 0);
    list(1060000);
    tap_is_str(steps(), "l/0:42 m/0:127 /0:424", "a quarter of any");

    vl.chosen = 0;
}


/* the stream comes to have the layer that is chosen, which is read as it was */

static void
test_becomes_top(void)
{
    ngx_str_t   rid;
    ngx_uint_t  how;

    for (how = 0; how < 2; how++) {

        memset(&vl, 0, sizeof(vl));

        vl.chosen = how ? NGX_WEBRTC_PEER_LAYER_MOST : 0;
        ngx_str_set(&rid, "l");
        ngx_webrtc_bus_layer_key(&rid, &vl.choice);

        publish("h:1000:3 m:300:3 l:100:3");
        list(1060000);

        vl.at = vl.to = place("l");
        was = vl;

        publish("l:100:1");
        ngx_webrtc_viewer_list(&vl, st);
        ngx_webrtc_viewer_list_again(&vl, &was);
        ngx_webrtc_viewer_list_choice(&vl);

        tap_is_int(how ? vl.most : vl.only, vl.n - 1,
                   "a layer that the stream has is not absent");
    }
}


/* the layer that is the best one a viewer wants does not come any more */

static void
test_most_gone(void)
{
    ngx_str_t  rid;

    memset(&vl, 0, sizeof(vl));

    vl.chosen = NGX_WEBRTC_PEER_LAYER_MOST;
    ngx_str_set(&rid, "m");
    ngx_webrtc_bus_layer_key(&rid, &vl.choice);

    publish("h:1000:1 m:300:1 l:100:1");
    list(1060000);
    tap_is_str(steps(), "l:106 m:318", "no better one");

    vl.at = vl.to = place("m");
    was = vl;
    publish("h:1000:1 l:100:1");
    list(1060000);
    ngx_webrtc_viewer_list_again(&vl, &was);
    ngx_webrtc_viewer_list_choice(&vl);
    tap_is_str(steps(), "l:106", "which is gone: one that is less");

    vl.at = vl.to = place("l");
    was = vl;
    publish("h:1000:1 l:110:1");
    list(1060000);
    ngx_webrtc_viewer_list_again(&vl, &was);
    ngx_webrtc_viewer_list_choice(&vl);
    tap_is_str(steps(), "l:116", "for good");

    was = vl;
    publish("h:1000:1 m:300:1 l:110:1");
    list(1060000);
    ngx_webrtc_viewer_list_again(&vl, &was);
    ngx_webrtc_viewer_list_choice(&vl);
    tap_is_str(steps(), "l:116 m:318", "and it is back");
}


/* a quarter or half of a layer's pictures is not worth more than all of the one
 * below, and what is around that stays */

static void
test_half(void)
{
    char        text[64];
    ngx_uint_t  i, shown;

    static const struct {
        const char   *name;
        ngx_uint_t    percent;     /* that the lowest temporal layer takes */
        ngx_uint_t    shown;
    } t[] = {
        { "more than half", 60, 1 },
        { "about half, as before", 46, 1 },
        { "less", 44, 0 },
        { "about half, as before", 54, 0 },
        { "more again", 56, 1 },
    };

    memset(&vl, 0, sizeof(vl));
    publish("h:1000:1 l:100:1");
    list(1060000);

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        two_take = t[i].percent;
        publish("h:1000:2 l:100:1");

        was = vl;
        ngx_webrtc_viewer_list(&vl, st);
        ngx_webrtc_viewer_list_again(&vl, &was);
        vl.layers[vl.n - 1].rate = 1060000;
        ngx_webrtc_viewer_list_choice(&vl);

        snprintf(text, sizeof(text), "/0:%u ",
                 (unsigned) (1060 * t[i].percent / 100));
        shown = (strstr(steps(), text) != NULL);

        tap_is_int(shown, t[i].shown, "%s", t[i].name);
    }

    two_take = 60;
}


/* as many as there may be, of which the publisher's are replaced by others */

static void
test_room(void)
{
    ngx_uint_t            i, k, bad;
    ngx_webrtc_variant_t  renditions[16];

    memset(&vl, 0, sizeof(vl));
    memset(renditions, 0, sizeof(renditions));

    for (i = 0; i < 16; i++) {
        renditions[i].bitrate = (uint32_t) (i + 1) * 100000;
        renditions[i].label_len = 2;
        renditions[i].label[0] = 'r';
        renditions[i].label[1] = (u_char) ('a' + i);
    }

    vl.conf.renditions = renditions;
    vl.conf.n = 16;

    bad = 0;

    for (k = 0; k < 40; k++) {

        if (k % 2) {
            publish("a:4000:4 b:2000:4 c:1000:4 d:500:4");
        } else {
            publish("e:4000:4 f:2000:4 g:1000:4 h:500:4");
        }

        was = vl;
        list(4240000);

        if (k) {
            ngx_webrtc_viewer_list_again(&vl, &was);
        }

        bad += (vl.n > NGX_WEBRTC_LADDER_LAYERS || vl.at >= vl.n
                || vl.to >= vl.n
                || (vl.ladder.step >= NGX_WEBRTC_LADDER_LAYER
                    && vl.ladder.step - NGX_WEBRTC_LADDER_LAYER >= vl.n));

        (void) steps();

        /* what is read, where it goes, and its step: three that will be gone */

        for (i = 0; i < vl.n; i++) {
            if (vl.layers[i].published && !vl.layers[i].absent
                && vl.layers[i].variant.label_len
                && vl.layers[i].want == NGX_WEBRTC_LAYER_ALL)
            {
                vl.at = vl.to;
                vl.to = vl.ladder.step >= NGX_WEBRTC_LADDER_LAYER
                        ? vl.ladder.step - NGX_WEBRTC_LADDER_LAYER : i;
                vl.ladder.step = NGX_WEBRTC_LADDER_LAYER + i;
            }
        }
    }

    tap_is_int(bad, 0, "all that there may be");

    /* without room in the list at all, it stays inside */

    was = vl;
    was.at = was.to = 0;
    ngx_memset(was.layers[0].variant.label, 'x', 3);
    was.layers[0].variant.label_len = 3;
    was.layers[0].want = NGX_WEBRTC_LAYER_ALL;

    while (vl.n < NGX_WEBRTC_LADDER_LAYERS) {
        vl.layers[vl.n] = vl.layers[vl.n - 1];
        vl.n++;
    }

    ngx_webrtc_viewer_list_again(&vl, &was);

    tap_ok(vl.at < vl.n && vl.to < vl.n, "no room for what is gone");
}


int
main(void)
{
    st = calloc(1, sizeof(ngx_webrtc_stream_t));

    test_steps();
    test_becomes_top();
    test_half();
    test_most_gone();
    test_room();

    free(st);

    return tap_done();
}
