
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_negotiate: RED, RFC 2198.  It is taken beside the codec that it
 * wraps, or not at all.
 */


#include "negotiate.h"


#define RED   NGX_WEBRTC_CODEC_RED
#define OPUS  NGX_WEBRTC_CODEC_OPUS
#define PCMU  NGX_WEBRTC_CODEC_PCMU

#define OFFER(fmts)  HEAD "m=audio 9 UDP/TLS/RTP/SAVPF " fmts "\n" T
#define FMTS         "a=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\n"


static void
test_publish(void)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_webrtc_desc_media_t  *m;

    static const struct {
        const char  *name;
        const char  *offer;
        uint8_t      order[3];
        ngx_uint_t   n;
        ngx_uint_t   red_pt;
        const char  *mline;
    } rows[] = {
        { "a browser's order", OFFER("111 63") FMTS "a=fmtp:63 111/111\n",
          { 0 }, 0, NONE, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "preferred", OFFER("63 111") FMTS "a=fmtp:63 111/111\n",
          { 0 }, 0, 63, "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n" },
        { "listed first", OFFER("111 63") FMTS "a=fmtp:63 111/111\n",
          { RED, OPUS }, 2, 63, "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n" },
        { "listed behind", OFFER("63 111") FMTS "a=fmtp:63 111/111\n",
          { OPUS, RED }, 2, 63, "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n" },
        { "not listed", OFFER("63 111") FMTS "a=fmtp:63 111/111\n",
          { OPUS }, 1, NONE, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "of another codec than the one taken",
          OFFER("63 111 0") FMTS "a=fmtp:63 111/111\n",
          { PCMU, RED, OPUS }, 3, NONE,
          "m=audio 9 UDP/TLS/RTP/SAVPF 0 111\r\n" },
        { "with others behind it", OFFER("63 111 9 0") FMTS
          "a=fmtp:63 111/111\n",
          { 0 }, 0, 63, "m=audio 9 UDP/TLS/RTP/SAVPF 63 111 9 0\r\n" },
        { "three blocks", OFFER("63 111") FMTS "a=fmtp:63 111/111/111\n",
          { 0 }, 0, 63, "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n" },
        { "one block", OFFER("63 111") FMTS "a=fmtp:63 111\n",
          { 0 }, 0, 63, "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n" },
        { "no fmtp", OFFER("63 111") FMTS,
          { 0 }, 0, NONE, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "blocks of two codecs",
          OFFER("63 111 0") FMTS "a=fmtp:63 111/0\n",
          { RED, OPUS }, 2, NONE, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "a slash too many", OFFER("63 111") FMTS "a=fmtp:63 111/\n",
          { 0 }, 0, NONE, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "no number", OFFER("63 111") FMTS "a=fmtp:63 /111\n",
          { 0 }, 0, NONE, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "the second of two",
          OFFER("63 96 111") FMTS "a=rtpmap:96 red/48000/2\n"
          "a=fmtp:63 0/0\na=fmtp:96 111/111\n",
          { 0 }, 0, 96, "m=audio 9 UDP/TLS/RTP/SAVPF 96 111\r\n" },
        { "of RTCP's numbers",
          OFFER("64 111") "a=rtpmap:111 opus/48000/2\n"
          "a=rtpmap:64 red/48000/2\na=fmtp:64 111/111\n",
          { 0 }, 0, NONE, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "of another clock rate",
          OFFER("63 111") "a=rtpmap:111 opus/48000/2\n"
          "a=rtpmap:63 red/8000\na=fmtp:63 111/111\n",
          { 0 }, 0, NONE, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },

        /* its retransmission would not say what it wraps */

        { "with RTX", OFFER("63 111 112") FMTS "a=fmtp:63 111/111\n"
          "a=rtpmap:112 rtx/48000/2\na=fmtp:112 apt=111\n"
          "a=rtcp-fb:111 nack\n",
          { 0 }, 0, 63, "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PUBLISH);
        policy.codec_order = rows[i].n ? rows[i].order : NULL;
        policy.ncodec_order = rows[i].n;

        rc = negotiate_text(rows[i].offer);

        m = (rc == NGX_OK) ? find(NGX_WEBRTC_AUDIO) : NULL;

        if (m == NULL) {
            tap_fail("%s: %.*s", rows[i].name, (int) cause.len, cause.detail);
            continue;
        }

        tap_is_int(m->red_pt, rows[i].red_pt, "%s", rows[i].name);
        tap_ok(has(rows[i].mline), "%s: answered", rows[i].name);
    }

    /* the rest of an answer */

    reset(PUBLISH);

    tap_ok(negotiate_text(OFFER("63 111") FMTS "a=fmtp:63 111/111\n"
                          "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\n"
                          "a=rtcp-fb:111 nack\n")
           == NGX_OK
           && has("a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
                  "a=rtcp-fb:63 nack\r\na=rtpmap:111 opus/48000/2\r\n")
           && desc.media[0].codec == OPUS && desc.media[0].pt == 111
           && (desc.media[0].fb & NGX_WEBRTC_FB_NACK),
           "RED is answered beside what it wraps");
}


static void
test_play(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        const char  *offer;
        ngx_uint_t   codec;
        ngx_uint_t   alternatives;
        ngx_uint_t   red_pt;
        const char  *mline;
    } rows[] = {
        { "a browser", OFFER("111 63") FMTS "a=fmtp:63 111/111\n",
          OPUS, ~(ngx_uint_t) 0, 63,
          "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n" },
        { "prefers it", OFFER("63 111") FMTS "a=fmtp:63 111/111\n",
          OPUS, ~(ngx_uint_t) 0, 63,
          "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n" },
        { "without it", OFFER("111") "a=rtpmap:111 opus/48000/2\n",
          OPUS, ~(ngx_uint_t) 0, NONE,
          "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "not allowed", OFFER("111 63") FMTS "a=fmtp:63 111/111\n",
          OPUS, (ngx_uint_t) 1 << OPUS, NONE,
          "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" },
        { "another codec", OFFER("0 111 63") FMTS "a=fmtp:63 111/111\n",
          PCMU, ~(ngx_uint_t) 0, NONE,
          "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reset(PLAY);
        track(rows[i].codec, 0);
        policy.alternatives = rows[i].alternatives;

        if (negotiate_text(rows[i].offer) != NGX_OK) {
            tap_fail("a viewer: %s", rows[i].name);
            continue;
        }

        tap_is_int(desc.media[0].red_pt, rows[i].red_pt, "a viewer: %s",
                   rows[i].name);
        tap_ok(has(rows[i].mline), "a viewer: %s: answered", rows[i].name);
    }
}


int
main(void)
{
    test_publish();
    test_play();

    return tap_done();
}
