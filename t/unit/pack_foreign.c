
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Codecs that go through the ring to be transcoded: ngx_webrtc_foreign.h.
 */


#include "media.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_foreign.h"


static media_out_t  out;


/* sizes of configuration and frame, key; packets of each */

static const struct {
    size_t       config;
    size_t       frame;
    unsigned     key:1;
    ngx_uint_t   nconfig;
    ngx_uint_t   nframe;
} cases[] = {
    {    0,     1, 1, 0,  1 },
    {    0,  1150, 0, 0,  1 },
    {    0,  1151, 1, 0,  2 },
    {   40,   500, 0, 0,  1 },
    {   40,   500, 1, 1,  1 },
    { 2048, 60000, 1, 2, 53 },
};


static void
test_frames(void)
{
    size_t               i, k, at;
    ngx_uint_t           bad, first;
    ngx_webrtc_pack_t    pack;
    ngx_webrtc_frame_t   frame;
    static u_char        config[2048], data[60000];

    for (i = 0; i < sizeof(data); i++) {
        data[i] = (u_char) (i * 7 + i / 256);
        config[i % sizeof(config)] = (u_char) (i * 11);
    }

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        (void) ngx_webrtc_pack_init(&pack,
                                    ngx_webrtc_codec(NGX_WEBRTC_CODEC_MPEG4),
                                    0, media_out, &out);

        tap_is_int(ngx_webrtc_pack_config(&pack, config, cases[i].config),
                   NGX_OK, "%d: configured", (int) i);

        pack.key = cases[i].key;

        tap_is_int(ngx_webrtc_pack_probe(&pack, data, cases[i].frame, &frame),
                   NGX_OK, "%d: probed", (int) i);
        tap_is_int(frame.key, cases[i].key, "%d: key", (int) i);
        tap_is_int(frame.discardable, 0, "%d: needed", (int) i);

        tap_is_int(ngx_webrtc_pack_frame(&pack, data, cases[i].frame, &frame),
                   NGX_OK, "%d: packed", (int) i);
        tap_is_int(out.n, cases[i].nconfig + cases[i].nframe, "%d: packets",
                   (int) i);
        tap_ok(media_flags(&out, NGX_WEBRTC_PACK_PAYLOAD, &frame),
               "%d: flags", (int) i);

        /* as a reader puts it together */

        first = 0;
        at = 0;
        bad = 0;

        for (k = 0; k < out.n; k++) {

            if (out.flags[k] & NGX_WEBRTC_PKT_PARAMS) {
                bad += (k >= cases[i].nconfig);
                bad += memcmp(out.data[k], config + first, out.size[k]) != 0;
                first += out.size[k];
                continue;
            }

            bad += memcmp(out.data[k], data + at, out.size[k]) != 0;
            at += out.size[k];
        }

        tap_is_int(bad, 0, "%d: the same bytes", (int) i);
        tap_is_int(at, cases[i].frame, "%d: the whole frame", (int) i);
        tap_is_int(first, cases[i].key ? cases[i].config : 0,
                   "%d: the configuration before a key frame", (int) i);

        media_free(&out);
    }

    tap_is_int(ngx_webrtc_pack_config(&pack, data, 2049), NGX_DECLINED,
               "a configuration that is too long");
}


static void
test_rows(void)
{
    ngx_uint_t                 i;
    const ngx_webrtc_codec_t  *c;

    for (i = NGX_WEBRTC_CODEC_MPEG1; i < NGX_WEBRTC_CODEC_N; i++) {

        c = ngx_webrtc_codec(i);

        tap_is_int(c->codec, i, "number of %s", c->name.data);
        tap_is_int(c->kind, NGX_WEBRTC_VIDEO, "%s is video", c->name.data);
        tap_ok(ngx_webrtc_foreign(i), "%s is not sent", c->name.data);
        tap_is_int(c->offer_pt, NGX_WEBRTC_CODEC_NO_PT, "%s is not offered",
                   c->name.data);
        tap_ok(ngx_webrtc_codec_find(c->name.data, c->name.len, 90000) == NULL,
               "%s is not found in SDP", c->name.data);
    }

    for (i = 0; i < NGX_WEBRTC_CODEC_MPEG1; i++) {
        tap_ok(!ngx_webrtc_foreign(i), "codec %d may be sent", (int) i);
    }
}


int
main(void)
{
    test_rows();
    test_frames();

    return tap_done();
}
