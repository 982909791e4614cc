
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Padding to one size: frames as libwebrtc and others split them, and that what
 * is written is what the parser of RTP takes off again.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_padding.h>
#include <ngx_webrtc_packet.h>
#include <ngx_webrtc_rtp.h>

#include <tap.h>


typedef struct {
    const char  *name;
    ngx_uint_t   n;
    size_t       in[8];
    size_t       out[8];
} frame_t;


static const frame_t  frames[] = {
    { "libwebrtc: the last ones are a byte larger", 6,
      { 1030, 1030, 1030, 1031, 1031, 1031 },
      { 1031, 1031, 1031, 1031, 1031, 1031 } },

    { "all of one size, the last one shorter", 4,
      { 1100, 1100, 1100, 300 },
      { 1101, 1101, 1101, 300 } },

    { "a few bytes less", 5,
      { 1100, 1085, 1099, 1092, 1101 },
      { 1101, 1101, 1101, 1101, 1101 } },

    { "much less: a new size", 5,
      { 1100, 1084, 1085, 400, 400 },
      { 1101, 1085, 1085, 401, 400 } },

    { "larger: a new size", 4,
      { 700, 1100, 1101, 1101 },
      { 701, 1101, 1101, 1101 } },

    { "nothing beyond what browsers send", 4,
      { 1188, 1187, 1188, 1187 },
      { 1188, 1188, 1188, 1187 } },

    { "larger than that", 3,
      { 1400, 1399, 1400 },
      { 1400, 1399, 1400 } },

    { "one packet", 1, { 500 }, { 500 } },
    { "two", 2, { 500, 501 }, { 501, 501 } },
};


int
main(void)
{
    size_t               pad;
    u_char               packet[12 + 100 + 255];
    ngx_uint_t           i, k, flags, bad;
    ngx_webrtc_rtp_t     rtp;
    const frame_t       *f;
    ngx_webrtc_padding_t   eq;

    ngx_memzero(&eq, sizeof(eq));

    /* one after the other: a frame knows nothing of the one before */

    for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        f = &frames[i];
        bad = 0;

        for (k = 0; k < f->n; k++) {
            flags = (k == 0) ? NGX_WEBRTC_PKT_FIRST : 0;

            if (k == f->n - 1) {
                flags |= (i & 1) ? NGX_WEBRTC_PKT_LAST : NGX_WEBRTC_PKT_MARKER;
            }

            pad = ngx_webrtc_padding_size(&eq, f->in[k], flags);

            if (f->in[k] + pad != f->out[k]) {
                tap_diag("packet %d: %d + %d", (int) k, (int) f->in[k],
                         (int) pad);
                bad++;
            }
        }

        tap_is_int(bad, 0, "%s", f->name);
    }

    ngx_memzero(&eq, sizeof(eq));
    tap_is_int(ngx_webrtc_padding_size(&eq, 0, 0), 0, "no payload, no padding");
    tap_is_int(ngx_webrtc_padding_size(&eq, 900, 0), 1,
               "the middle of a frame whose beginning is lost");

    bad = 0;

    for (pad = 1; pad < 256; pad++) {
        memset(packet, 'x', sizeof(packet));
        memset(packet, 0, 12);
        packet[0] = 0xa0;

        ngx_webrtc_padding_write(packet + 12 + 100, pad);

        if (ngx_webrtc_rtp_parse(packet, packet + 12 + 100 + pad, &rtp)
            != NGX_OK
            || rtp.len != 100 || rtp.padding != pad)
        {
            bad++;
        }

        for (k = 0; k + 1 < pad; k++) {
            bad += (packet[12 + 100 + k] != 0);
        }
    }

    tap_is_int(bad, 0, "what is written is taken off again");

    return tap_done();
}
