
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_signal_layers: what is told of layers, and a choice of one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <string.h>

#include <ngx_webrtc_signal_layers.h>

#include "tap.h"


static void
fill(ngx_webrtc_signal_layers_t *l)
{
    memset(l, 0, sizeof(ngx_webrtc_signal_layers_t));

    ngx_str_set(&l->mid, "0");
    l->n = 3;
    l->limited = "";

    ngx_str_set(&l->layers[0].name, "original");
    l->layers[0].width = 1280;
    l->layers[0].height = 720;

    ngx_str_set(&l->layers[1].name, "mid");
    l->layers[1].bitrate = 1000000;
    l->layers[1].width = 640;
    l->layers[1].height = 360;

    ngx_str_set(&l->layers[2].name, "low");
    l->layers[2].bitrate = 400000;
    l->layers[2].width = 320;
    l->layers[2].height = 180;
}


static void
test_print(void)
{
    u_char                     *p, buf[NGX_WEBRTC_SIGNAL_LAYERS_ROOM];
    ngx_uint_t                  i;
    ngx_webrtc_signal_layers_t  l;

    static const char  expected[] =
        "{\"medias\":{\"0\":{\"active\":["
        "{\"id\":\"original\",\"width\":1280,\"height\":720},"
        "{\"id\":\"mid\",\"bitrate\":1000000,\"width\":640,\"height\":360},"
        "{\"id\":\"low\",\"bitrate\":400000,\"width\":320,\"height\":180}],"
        "\"inactive\":[],\"layers\":["
        "{\"encodingId\":\"original\",\"spatialLayerId\":0,"
        "\"temporalLayerId\":0,\"width\":1280,\"height\":720},"
        "{\"encodingId\":\"mid\",\"spatialLayerId\":0,\"temporalLayerId\":0,"
        "\"bitrate\":1000000,\"width\":640,\"height\":360},"
        "{\"encodingId\":\"low\",\"spatialLayerId\":0,\"temporalLayerId\":0,"
        "\"bitrate\":400000,\"width\":320,\"height\":180}]}},"
        "\"current\":\"mid\",\"automatic\":true,\"limited\":\"key frames\"}";

    fill(&l);
    l.current = 1;
    l.automatic = 1;
    l.limited = "key frames";

    p = ngx_webrtc_signal_print_layers(buf, buf + sizeof(buf), &l);
    tap_ok(p && (size_t) (p - buf) == sizeof(expected) - 1
           && memcmp(buf, expected, p - buf) == 0, "an event");

    for (i = 0; i < sizeof(expected) - 1; i++) {
        if (ngx_webrtc_signal_print_layers(buf, buf + i, &l) != NULL) {
            break;
        }
    }

    tap_ok(i >= sizeof(expected) - 1, "no room: %u", (unsigned) i);

    ngx_str_set(&l.mid, "a\"\\");
    p = ngx_webrtc_signal_print_layers(buf, buf + sizeof(buf), &l);
    *p = '\0';
    tap_ok(strstr((char *) buf, "{\"a\\\"\\\\\":{") != NULL,
           "a mid with quotation marks");

    /* layers inside them: two spatial ones, the lower of which has two temporal
     * ones, and three of another */

    fill(&l);
    l.n = 3;
    l.layers[0].sid = 1;
    l.layers[1].name = l.layers[0].name;
    l.layers[1].inside = 1;
    l.layers[1].tids = 2;
    l.layers[1].share[0] = 60;
    l.layers[2].tids = 3;
    l.layers[2].share[0] = 50;
    l.layers[2].share[1] = 75;
    l.sid = 3;
    l.tid = 3;
    l.limited = "";

    p = ngx_webrtc_signal_print_layers(buf, buf + sizeof(buf), &l);
    *p = '\0';

    tap_is_str((char *) buf,
        "{\"medias\":{\"0\":{\"active\":["
        "{\"id\":\"original\",\"width\":1280,\"height\":720},"
        "{\"id\":\"low\",\"bitrate\":400000,\"width\":320,\"height\":180}],"
        "\"inactive\":[],\"layers\":["
        "{\"encodingId\":\"original\",\"spatialLayerId\":1,"
        "\"temporalLayerId\":0,\"width\":1280,\"height\":720},"
        "{\"encodingId\":\"original\",\"spatialLayerId\":0,"
        "\"temporalLayerId\":1,\"bitrate\":1000000,\"width\":640,"
        "\"height\":360},"
        "{\"encodingId\":\"original\",\"spatialLayerId\":0,"
        "\"temporalLayerId\":0,\"bitrate\":600000,\"width\":640,"
        "\"height\":360},"
        "{\"encodingId\":\"low\",\"spatialLayerId\":0,\"temporalLayerId\":2,"
        "\"bitrate\":400000,\"width\":320,\"height\":180},"
        "{\"encodingId\":\"low\",\"spatialLayerId\":0,\"temporalLayerId\":1,"
        "\"bitrate\":300000,\"width\":320,\"height\":180},"
        "{\"encodingId\":\"low\",\"spatialLayerId\":0,\"temporalLayerId\":0,"
        "\"bitrate\":200000,\"width\":320,\"height\":180}]}},"
        "\"current\":\"original\",\"spatialLayerId\":1,\"automatic\":false,"
        "\"limited\":\"\"}", "layers inside of layers");

    l.current = 2;
    l.tid = 1;

    p = ngx_webrtc_signal_print_layers(buf, buf + sizeof(buf), &l);
    *p = '\0';

    tap_ok(strstr((char *) buf, "\"current\":\"low\",\"temporalLayerId\":1,")
           != NULL, "those that it gets");

    /* all there may be */

    l.mid.data = (u_char *) "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1";
    l.mid.len = 16;
    l.n = NGX_WEBRTC_SIGNAL_LAYERS;

    for (i = 0; i < l.n; i++) {
        l.layers[i].tids = NGX_WEBRTC_SIGNAL_TIDS;
        l.layers[i].share[0] = 99;
        l.layers[i].share[1] = 99;
        l.layers[i].share[2] = 99;
        ngx_str_set(&l.layers[i].name, "123456789012345678901234");
        l.layers[i].bitrate = 1073741824;
        l.layers[i].width = 16384;
        l.layers[i].height = 16384;
    }

    tap_ok(ngx_webrtc_signal_print_layers(buf, buf + sizeof(buf), &l) != NULL,
           "room for all");
}


static void
test_choice(void)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i, layer;
    const char                 *cause;
    ngx_webrtc_signal_layers_t  l;
    ngx_webrtc_signal_choice_t  choice;

    static const struct {
        const char  *text;
        ngx_int_t    rc;         /* NGX_ABORT: it is not taken */
        ngx_uint_t   layer;
    } t[] = {
        { "", NGX_DONE, 0 },
        { " \r\n\t ", NGX_DONE, 0 },
        { "{}", NGX_DONE, 0 },
        { " { } ", NGX_DONE, 0 },
        { "{\"mediaId\":\"0\"}", NGX_DONE, 0 },
        { "{\"mediaId\":\"1\"}", NGX_DECLINED, 0 },
        { "{\"encodingId\":\"low\"}", NGX_OK, 2 },
        { "{\"rid\":\"mid\"}", NGX_OK, 1 },
        { "{\"encodingId\":\"original\"}", NGX_OK, 0 },
        { "{\"mediaId\":\"0\",\"encodingId\":\"mid\",\"spatialLayerId\":0,"
          "\"temporalLayerId\":3,\"maxSpatialLayerId\":1,"
          "\"maxTemporalLayerId\":255}", NGX_OK, 1 },
        { "{\"encodingId\":\"lo\"}", NGX_DECLINED, 0 },
        { "{\"encodingId\":\"lower\"}", NGX_DECLINED, 0 },
        { "{\"encodingId\":\"\"}", NGX_DECLINED, 0 },
        { "{\"encodingId\":null}", NGX_DONE, 0 },
        { "{\"maxWidth\":1280}", NGX_OK, 0 },
        { "{\"maxWidth\":1279}", NGX_OK, 1 },
        { "{\"maxHeight\":359}", NGX_OK, 2 },
        { "{\"maxWidth\":1}", NGX_OK, 2 },
        { "{\"maxWidth\":2000,\"maxHeight\":360}", NGX_OK, 1 },
        { "{\"what\":{\"ever\":[1,2]}}", NGX_DONE, 0 },
        { "[]", NGX_ABORT, 0 },
        { "\"low\"", NGX_ABORT, 0 },
        { "low", NGX_ABORT, 0 },
        { "{", NGX_ABORT, 0 },
        { "{}x", NGX_ABORT, 0 },
        { "{\"encodingId\":1}", NGX_ABORT, 0 },
        { "{\"mediaId\":0}", NGX_ABORT, 0 },
        { "{\"maxWidth\":0}", NGX_ABORT, 0 },
        { "{\"maxWidth\":-1}", NGX_ABORT, 0 },
        { "{\"maxWidth\":65536}", NGX_ABORT, 0 },
        { "{\"maxWidth\":99999999999999999999}", NGX_ABORT, 0 },
        { "{\"maxWidth\":1.5}", NGX_ABORT, 0 },
        { "{\"maxHeight\":\"360\"}", NGX_ABORT, 0 },
        { "{\"spatialLayerId\":256}", NGX_ABORT, 0 },
        { "{\"temporalLayerId\":true}", NGX_ABORT, 0 },
        { "{\"encodingId\":\"low\",\"encodingId\":\"mid\"}", NGX_ABORT, 0 },
    };

    fill(&l);

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        layer = 0;
        cause = NULL;

        rc = ngx_webrtc_signal_parse_choice((u_char *) t[i].text,
                                            strlen(t[i].text), &choice,
                                            &cause);

        if (rc == NGX_OK) {
            rc = ngx_webrtc_signal_choose(&l, &choice, &layer);
            ngx_webrtc_signal_choice_free(&choice);
            ngx_webrtc_signal_choice_free(&choice);

        } else {
            rc = cause ? NGX_ABORT : NGX_ERROR;
        }

        tap_ok(rc == t[i].rc && layer == t[i].layer, "%s: %d, %u", t[i].text,
               (int) rc, (unsigned) layer);
    }
}


int
main(void)
{
    test_print();
    test_choice();

    return tap_done();
}
