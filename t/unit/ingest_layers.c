
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Layers of a publisher, in virtual time: whose packets are whose, which ring
 * has which of them, what becomes of one that stops, comes back or takes more
 * than it may, and key frames that are asked for.
 */


#include "ingest.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_ingest_feedback.h"
#include "ngx_webrtc_ingest_limit.h"


/* bit/s; frames without more in them take 8000, with MORE bytes 45000 */
#define LIMIT     20000
#define MORE      150


/*
 * Is the video of a ring in order, from "from" on?  Counts its packets and
 * those of audio; *plain: it has no numbers.
 */

static ngx_uint_t
ordered(ngx_webrtc_stream_t *st, uint64_t from, ngx_uint_t *video,
    ngx_uint_t *audio, ngx_uint_t *plain)
{
    u_char                    *payload;
    uint32_t                   ts;
    uint64_t                   n;
    ngx_uint_t                 ok;
    ngx_webrtc_ring_packet_t   pkt;

    *video = 0;
    *audio = 0;
    *plain = 1;
    ts = 0;
    ok = 1;

    for (n = from; n < ngx_webrtc_ring_head(st->ring); n++) {

        if (ngx_webrtc_ring_peek(st->ring, n, &pkt, &payload) != NGX_OK) {
            continue;
        }

        if (pkt.track == 0) {
            (*audio)++;
            continue;
        }

        ok &= (*video == 0 || (int32_t) (pkt.ts - ts) > 0);
        *plain &= !(payload[0] & 0x80);
        ts = pkt.ts;
        (*video)++;
    }

    return ok;
}


static ngx_webrtc_stream_t *
layer_stream(ngx_uint_t layer)
{
    return in.layers[layer].out.st;
}


static void
test_begin(void)
{
    ngx_uint_t                 drops;
    ngx_webrtc_stream_layer_t *e;

    told = 1;

    tap_is_str(state(), ":-", "nothing comes yet");
    tap_is_int(in.nlayers, 3, "three layers");

    send_frame(L, 1);
    turn();
    tap_is_str(state(), "l:l", "the first one is the stream");
    tap_is_int(ngx_webrtc_bus_state(in.st), NGX_WEBRTC_STREAM_ACTIVE,
               "which is live");

    send_frame(L, 0);
    send_frame(H, 1);
    turn();
    tap_is_str(state(), "h:h", "a larger one takes its place");
    tap_ok(nasked > 0 && asked[nasked - 1] == senders[L].ssrc,
           "a key frame of the other one is asked for");

    pictures(20, 1 << H | 1 << L);
    tap_is_str(state(), "hl:h", "with which it has a ring of its own");

    send_frame(M, 0);
    turn();
    tap_ok(asked[nasked - 1] == senders[M].ssrc,
           "a layer that begins without a key frame");
    pictures(40, 1 << H | 1 << M | 1 << L);
    tap_is_str(state(), "hml:h", "all come");

    e = listed(M);
    tap_ok(e->width == 640 && e->height == 360, "the list has sizes");
    tap_ok(listed(L)->bitrate == 0 || listed(L)->bitrate < 100000000,
           "and bitrates");

    /* packets that do not say it any more */

    told = 0;
    drops = complaints;
    pictures(5, 1 << H | 1 << M | 1 << L);
    tap_is_int(complaints - drops, 0, "by their SSRC, once that is known");

    /* of none */

    packet(96, 1, 1, 99, RID, "x", (u_char *) "\x10\x31\x00\x00", 4);
    packet(96, 1, 1, 98, 0, NULL, (u_char *) "\x10\x31\x00\x00", 4);
    packet(96, 1, 1, 97, RRID, "m", (u_char *) "\x10\x31\x00\x00", 4);
    tap_is_int(complaints - drops, 3, "of no layer: dropped");
    tap_is_str(state(), "hml:h", "which changes nothing");
}


static void
test_rings(void)
{
    ngx_uint_t  i, video, audio, plain;

    tap_ok(ordered(in.st, 0, &video, &audio, &plain), "the stream is in order");
    tap_ok(plain, "without numbers of its layers' pictures");
    tap_ok(video > 40 && audio > 40, "with sound");

    for (i = M; i <= L; i++) {
        tap_ok(ordered(layer_stream(i), 0, &video, &audio, &plain) && plain,
               "so is layer %s", senders[i].rid);
        tap_ok(video > 20 && audio > 20, "layer %s: with sound (%d, %d)",
               senders[i].rid, (int) video, (int) audio);
    }

    tap_ok(layer_stream(H) == NULL, "the best one has no other ring");
}


/* what is lost is asked for, and comes by the layer's RTX */

static void
test_rtx(void)
{
    size_t               n;
    u_char               buf[160];
    uint64_t             from;
    sender_t            *s;
    ngx_uint_t           before, video, audio, plain;
    ngx_webrtc_stream_t *st;

    s = &senders[M];
    st = layer_stream(M);
    from = ngx_webrtc_ring_head(st->ring);

    ngx_memzero(buf, sizeof(buf));
    buf[0] = (u_char) (s->seq >> 8);
    buf[1] = (u_char) s->seq;
    n = 2 + frame(s, 0, buf + 2);

    s->seq++;
    now_us += FRAME_US;

    send_frame(M, 0);
    now_us += 1000;

    before = complaints;
    packet(97, 7, s->base + (uint32_t) ((now_us - 1000 - FRAME_US) * 9 / 100),
           512, RRID, "m", buf, n);

    tap_is_int(complaints - before, 0, "a retransmission by its repaired rid");

    send_frame(M, 0);
    turn();

    (void) ordered(st, from, &video, &audio, &plain);
    tap_is_int(video, 3, "is in the ring of that layer");

    /* padding, of a layer that it does not say */

    packet(97, 8, 0, 513, 0, NULL, buf, 0);
    tap_is_int(complaints - before, 0, "a probe");
    packet(97, 9, 0, 513, RRID, "x", buf, n);
    tap_is_int(complaints - before, 1, "of a layer that there is not");
}


/* its last packet once more */

static void
again(ngx_uint_t layer)
{
    size_t           n;
    u_char           buf[160];
    sender_t        *s;
    static uint16_t  seq = 100;

    s = &senders[layer];

    ngx_memzero(buf, sizeof(buf));
    buf[0] = (u_char) ((s->seq - 1) >> 8);
    buf[1] = (u_char) (s->seq - 1);
    n = 2 + frame(s, 0, buf + 2);

    packet(97, seq++, s->base, 600 + (uint32_t) layer, RRID, s->rid, buf, n);
}


/* the best one is suspected before it is known to have stopped */

static void
test_quiet(void)
{
    ngx_uint_t  i, k, n, key;

    /* a longer pause, in which the key frame that is asked for does not come */

    pictures(2, 1 << H | 1 << M | 1 << L);

    n = nasked;
    deaf = 1;
    pictures(7, 1 << M | 1 << L);
    deaf = 0;

    tap_is_str(state(), "hml:h", "a longer pause: it is still the best one");
    tap_ok(nasked == n + 1 && asked[n] == senders[M].ssrc,
           "but the next one is asked for a key frame");

    send_frame(H, 0);
    send_frame(M, 1);
    turn();
    tap_is_str(state(), "hml:h", "which comes too late: it goes on");

    n = nasked;
    pictures(7, 1 << M | 1 << L);
    tap_is_int(nasked - n, 0, "no other one is asked for so soon");

    /* a while later it is right, though something is sent again */

    nasked = 0;
    pictures(320, 1 << H | 1 << M | 1 << L);

    for (i = 0; i < 8; i++) {
        pictures(1, 1 << M | 1 << L);
        again(H);

        if (nasked) {
            break;
        }
    }

    tap_ok(nasked == 1 && asked[0] == senders[M].ssrc,
           "a pause: the next one is asked for a key frame (%d)", (int) i);

    send_frame(M, 1);
    turn();
    tap_is_str(state(), "ml:m", "with which the best one has stopped");
    tap_ok((i + 2) * FRAME_US < 300000, "earlier than without it");

    pictures(12, 1 << M | 1 << L);
    tap_is_int(nasked, 1, "it is not asked for again");

    senders[H].seq += 7;
    send_frame(M, 0);
    send_frame(H, 1);
    turn();
    pictures(20, 1 << H | 1 << M | 1 << L);
    tap_is_str(state(), "hml:h", "it is back");

    /* what a queue still has of it comes with the key frame, then no more */

    pictures(320, 1 << H | 1 << M | 1 << L);
    nasked = 0;

    for (i = 0; i < 8 && nasked == 0; i++) {
        pictures(1, 1 << M | 1 << L);
    }

    tap_ok(nasked == 1 && asked[0] == senders[M].ssrc, "asked for once more");

    send_frame(H, 0);
    send_frame(M, 1);
    turn();
    tap_is_str(state(), "hml:h", "the key frame came too soon");

    n = nasked;
    pictures(12, 1 << M | 1 << L);
    tap_ok(nasked == n + 1 && asked[n] == senders[M].ssrc,
           "the best one has stopped: another key frame is asked for");

    send_frame(M, 1);
    turn();
    tap_is_str(state(), "ml:m", "which replaces it");

    senders[H].seq += 7;
    send_frame(M, 0);
    send_frame(H, 1);
    turn();
    pictures(20, 1 << H | 1 << M | 1 << L);
    tap_is_str(state(), "hml:h", "it is back again");

    /* one of few pictures, whose publisher answers at once */

    pictures(320, 1 << H | 1 << M | 1 << L);
    nasked = 0;

    for (n = 0, i = 0; i < 40; i++) {
        pictures(6, 1 << M | 1 << L);

        for (key = 0, k = 0; k < nasked; k++) {
            key |= (asked[k] == senders[H].ssrc);
            n += (asked[k] == senders[M].ssrc);
        }

        nasked = 0;

        send_frame(L, 0);
        send_frame(M, 0);
        send_frame(H, key);
        turn();
    }

    tap_is_int(n, 1, "one of few pictures is suspected once in 10 s");
    tap_is_str(state(), "hml:h", "and is the best one");

    /* two at once: the one that was to follow does not */

    pictures(320, 1 << H | 1 << M | 1 << L);
    pictures(30, 1 << L);
    tap_is_str(state(), "l:l", "two stop at once: the third one is asked for");

    for (i = 0; i < LAYERS; i++) {
        senders[i].seq += 7;
    }

    send_frame(L, 0);
    send_frame(M, 1);
    send_frame(H, 1);
    turn();
    pictures(20, 1 << H | 1 << M | 1 << L);
    tap_is_str(state(), "hml:h", "they are back");

    /* long ago, for what follows */

    pictures(320, 1 << H | 1 << M | 1 << L);
    nasked = 0;
}


static void
test_stops(void)
{
    uint64_t    from;
    ngx_uint_t  n, video, audio, plain;

    from = ngx_webrtc_ring_head(in.st->ring);
    n = nasked;

    pictures(4, 1 << M | 1 << L);
    tap_is_str(state(), "hml:h", "a short pause of the best one");

    pictures(30, 1 << M | 1 << L);
    tap_is_str(state(), "ml:m", "it has stopped: the next one");
    tap_ok(nasked == n + 1 && asked[n] == senders[M].ssrc,
           "by a key frame that was asked for");

    senders[H].seq += 7;
    send_frame(M, 0);
    send_frame(H, 1);
    turn();
    pictures(20, 1 << H | 1 << M | 1 << L);
    tap_is_str(state(), "hml:h", "it is back");

    tap_ok(ordered(in.st, from, &video, &audio, &plain) && video >= 50,
           "the stream's time has gone on");

    pictures(30, 1 << H | 1 << M);
    tap_is_str(state(), "hm:h", "the lowest one has stopped");
    tap_is_int(ngx_webrtc_bus_state(layer_stream(L)),
               NGX_WEBRTC_STREAM_STARTING, "which is no reason to end anybody");

    n = nasked;
    pictures(30, 1 << H | 1 << M);
    tap_is_int(nasked - n, 0, "and it is not asked for anything");

    pictures(3, 1 << H | 1 << M | 1 << L);
    tap_ok(asked[nasked - 1] == senders[L].ssrc, "it is back: it is asked");
    pictures(3, 1 << H | 1 << M | 1 << L);
    tap_is_str(state(), "hml:h", "and is there with its key frame");
    tap_is_int(ngx_webrtc_bus_state(layer_stream(L)),
               NGX_WEBRTC_STREAM_ACTIVE, "live again");

    /* all of them: a picture that stands still */

    pictures(60, 0);
    tap_is_str(state(), "hml:h", "nothing comes of any: they have not stopped");
    pictures(2, 1 << H | 1 << M | 1 << L);
}


/* a layer stops; the others go on */

static void
stop(ngx_uint_t layer)
{
    ngx_uint_t  all;

    all = 1 << H | 1 << M | 1 << L;

    nasked = 0;
    pictures(30, all & ~(1 << layer));
}


/* one that has come back, and stops again, is held back when it comes */

static void
test_held(void)
{
    ngx_uint_t  i, k, n, all;

    static const ngx_uint_t  holds[] = { 8000, 16000, 16000 };

    all = 1 << H | 1 << M | 1 << L;

    pictures(320, all);
    tap_is_str(state(), "hml:h", "the best one has lasted");

    stop(H);
    tap_is_str(state(), "ml:m", "it stops");
    back(H);
    tap_is_str(state()[0] == 'h' ? "h" : state(), "h", "it is back at once");
    pictures(30, all);
    tap_is_str(state(), "hml:h", "for a second");

    stop(H);
    tap_is_str(state(), "ml:m", "it stops again");
    back(H);
    tap_is_str(state(), "ml:m", "and is held back");
    nasked = 0;
    pictures(55, all);
    tap_is_str(state(), "ml:m", "for 2 s");

    for (n = 0, k = 0; k < nasked; k++) {
        n += (asked[k] == senders[H].ssrc);
    }

    tap_is_int(n, 0, "in which it is not asked for key frames");

    pictures(10, all);
    tap_is_str(state()[0] == 'h' ? "h" : state(), "h",
               "then it is, and comes with it");
    pictures(30, all);
    tap_is_str(state(), "hml:h", "for a second");

    /* what counts is that it comes without a pause */

    stop(H);
    back(H);
    pictures(100, all);
    tap_is_str(state(), "ml:m", "once more: for 4 s");
    stop(H);
    back(H);
    pictures(110, all);
    tap_is_str(state(), "ml:m", "anew after a pause");
    pictures(50, all);
    tap_is_str(state(), "hml:h", "until it has lasted");

    for (i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
        stop(H);
        back(H);
        pictures(holds[i] * 1000 / FRAME_US - 5, all);
        tap_is_str(state(), "ml:m", "again: for longer");
        pictures(30, all);
        tap_is_str(state(), "hml:h", "for %d ms", (int) holds[i]);
    }

    /* nothing else comes */

    stop(H);
    back(H);
    pictures(30, all);
    tap_is_str(state(), "ml:m", "it is held back");
    nasked = 0;
    pictures(30, 1 << H | 1 << L);
    tap_is_str(state(), "l:l", "the next one stops, too: the third one");
    nasked = 0;
    pictures(30, 1 << H);
    tap_is_str(state(), "h:h", "and that: it is taken, as there is no other");
    nasked = 0;
    pictures(30, all);
    tap_is_str(state(), "hml:h", "they are back");

    /* the next one has no key frame */

    deaf = 1;
    stop(H);
    tap_is_str(state(), "ml:-", "it stops, and nothing follows it");
    back(H);
    tap_is_str(state(), "ml:-", "it is back: the next one is waited for");
    pictures(20, all);
    back(H);
    tap_is_str(state(), "ml:-", "it still is");
    pictures(12, all);
    back(H);
    tap_is_str(state(), "hml:h", "for a second");
    deaf = 0;
    pictures(30, all);

    /* it is forgotten */

    pictures(320, all);
    stop(H);
    back(H);
    pictures(20, all);
    tap_is_str(state(), "hml:h", "it has lasted: it is back at once");

    /* one that is not the best */

    for (i = 0; i < 2; i++) {
        pictures(30, all);
        stop(M);
        tap_is_str(state(), "hl:h", "the middle one stops");
        back(M);
    }

    tap_is_str(state(), "hl:h", "it is held back, too");
    pictures(50, all);
    tap_is_str(state(), "hl:h", "nobody is sent there");
    pictures(20, all);
    tap_is_str(state(), "hml:h", "until it has lasted");

    pictures(320, all);
    nasked = 0;
}


/* one that loses packets before it stops is held back the first time, too */

static void
test_lost(void)
{
    ngx_uint_t  all;

    all = 1 << H | 1 << M | 1 << L;

    pictures(320, all);
    tap_is_str(state(), "hml:h", "they have lasted");

    lose(H);
    pictures(30, all);
    tap_is_str(state(), "hml:h", "one loses a packet, and goes on");
    stop(H);
    back(H);
    tap_is_str(state(), "ml:m", "it stops a second later: it is held back");
    pictures(55, all);
    tap_is_str(state(), "ml:m", "for 2 s");
    pictures(10, all);
    tap_is_str(state(), "hml:h", "no longer");

    /* what is held back has to come whole */

    pictures(320, all);
    lose(H);
    pictures(30, all);
    stop(H);
    back(H);
    pictures(50, all);
    lose(H);
    pictures(30, all);
    tap_is_str(state(), "ml:m", "it loses one meanwhile: it is not back yet");
    pictures(50, all);
    tap_is_str(state(), "hml:h", "until it has come whole for 2 s");

    /* nothing else has a key frame */

    pictures(320, all);
    lose(H);
    pictures(30, all);
    deaf = 1;
    stop(H);
    back(H);
    pictures(20, all);
    lose(H);
    pictures(12, all);
    tap_is_str(state(), "ml:-", "it is held back, and nothing follows it");
    pictures(20, all);
    back(H);
    tap_is_str(state(), "hml:h", "it is back, though packets were lost");
    deaf = 0;
    pictures(60, all);

    /* it was long ago, or of another one */

    pictures(320, all);
    lose(H);
    pictures(120, all);
    lose(L);
    pictures(20, all);
    stop(H);
    back(H);
    pictures(2, all);
    tap_is_str(state(), "hml:h", "lost 4 s before, or of another: not held");

    pictures(320, all);
    nasked = 0;
}


/* a full queue: so many times some packets of a layer, all layers come */

static void
gaps(ngx_uint_t layer, ngx_uint_t n, ngx_uint_t lost)
{
    while (n--) {
        senders[layer].seq += lost;
        pictures(1, 1 << H | 1 << M | 1 << L);
    }
}


/* one that loses more than can be had again */

static void
test_broken(void)
{
    ngx_uint_t  i, all;

    static const struct {
        const char  *name;
        ngx_uint_t   gaps;
        ngx_uint_t   lost;
        const char  *state;
    } t[] = {
        { "as much as it may lose", 2, 4, "hml:h" },
        { "a pause in the air", 1, 100, "hml:h" },
        { "more: the next one that has a key frame replaces it", 3, 4, "ml:m" },
    };

    all = 1 << H | 1 << M | 1 << L;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        pictures(320, all);
        nasked = 0;
        gaps(H, t[i].gaps, t[i].lost);
        pictures(12, all);
        tap_is_str(state(), t[i].state, "%s", t[i].name);
    }

    pictures(50, all);
    tap_is_str(state(), "ml:m", "which is held back");
    pictures(30, all);
    tap_is_str(state(), "hml:h", "until it has come whole");

    /* its own key frame comes first */

    pictures(320, all);
    deaf = 1;
    gaps(H, 3, 4);
    pictures(12, all);
    tap_is_str(state(), "hml:h", "there is no key frame");
    back(H);
    tap_ok(in.layers[H].broken, "one of its own is not enough");
    pictures(20, all);
    back(M);
    tap_is_str(state(), "hml:h", "but that it comes whole");
    gaps(H, 3, 4);
    pictures(12, all);
    back(H);
    back(M);
    tap_is_str(state(), "ml:m", "if it does not, that of another replaces it");
    deaf = 0;

    /* one that is not the best */

    pictures(320, all);
    gaps(M, 3, 4);
    pictures(12, all);
    tap_is_str(state(), "hl:h", "the middle one loses too much");
    pictures(50, all);
    tap_is_str(state(), "hl:h", "its key frame makes no difference");
    pictures(30, all);
    tap_is_str(state(), "hml:h", "but two seconds");

    /* both: it is better than none */

    pictures(320, all);
    deaf = 1;

    for (i = 0; i < 3; i++) {
        gaps(H, 1, 4);
        gaps(M, 1, 4);
    }

    pictures(12, all);
    tap_ok(in.layers[H].broken && in.layers[M].broken, "both lose too much");
    back(M);
    tap_is_str(state(), "ml:m", "it is better than none");
    deaf = 0;

    /* the one that was to follow it stops */

    pictures(320, all);
    deaf = 1;
    gaps(H, 3, 4);
    pictures(12, all);
    tap_ok(in.layers[H].broken && in.layers[M].t->want_key,
           "the next one is asked for a key frame");
    nasked = 0;
    gaps(H, 3, 4);
    pictures(30, 1 << H | 1 << L);
    tap_ok(asked_of(L), "the one below it, when that has stopped");
    deaf = 0;

    /* there is none below it */

    pictures(320, all);
    gaps(L, 3, 4);
    deaf = 1;
    pictures(12, all);
    tap_ok(in.layers[L].broken, "the smallest one loses too much");
    back(L);
    tap_ok(!in.layers[L].broken && !in.layers[L].hold_us,
           "its key frame is taken");
    deaf = 0;

    pictures(320, all);
    nasked = 0;
}


/* a key frame behind a gap */

static void
test_ahead(void)
{
    ngx_uint_t                  all;
    ngx_webrtc_ingest_track_t  *t;

    all = 1 << H | 1 << M | 1 << L;
    t = in.layers[H].t;

    pictures(30, all);
    lose(H);
    pictures(2, all);
    back(H);
    tap_is_int(t->reorder.held, 3, "a key frame waits for what is missing");

    pictures(30, all);
    tap_is_int(t->reorder.held, 0, "not for ever");
    nasked = 0;
    deaf = 1;
    lose(H);
    pictures(2, all);
    ngx_webrtc_ingest_feedback_keyframe(&in, in.st);
    tap_ok(t->want_key && t->reorder.held == 2, "once more, and one is wanted");
    back(H);
    tap_ok(!t->want_key && t->reorder.held == 0, "it does not wait");

    /* what has been lost for good makes no difference to it */

    lose(H);
    pictures(20, all);
    tap_ok(t->want_key && t->lacks && t->reorder.held == 0, "a packet is lost");
    lose(H);
    back(H);
    tap_ok(!t->want_key && !t->lacks, "the next key frame does not wait");

    /* nor is another one asked for when it has waited */

    pictures(320, all);
    lose(H);
    back(H);
    tap_is_int(t->reorder.held, 1, "a key frame directly behind a gap");
    nasked = 0;
    pictures(30, all);
    tap_ok(t->reorder.held == 0 && !t->lacks && nasked == 0,
           "nothing is wanted when it has waited long enough");

    deaf = 0;
    pictures(320, all);
    nasked = 0;
}


static void
test_keyframes(void)
{
    ngx_uint_t  n;

    pictures(60, 1 << H | 1 << M | 1 << L);
    nasked = 0;

    ngx_webrtc_ingest_feedback_keyframe(&in, layer_stream(L));
    tap_ok(nasked == 1 && asked[0] == senders[L].ssrc,
           "a key frame of the layer that is watched");

    ngx_webrtc_ingest_feedback_keyframe(&in, in.st);
    tap_ok(nasked == 2 && asked[1] == senders[H].ssrc, "and of the stream");

    for (n = 0; n < 10; n++) {
        ngx_webrtc_ingest_feedback_keyframe(&in, layer_stream(L));
        ngx_webrtc_ingest_feedback_keyframe(&in, in.st);
        now_us += 10000;
    }

    tap_is_int(nasked, 2, "once per interval, for each of them");

    /* libwebrtc does not listen for 300 ms after the first one */

    now_us += 240000;
    ngx_webrtc_ingest_feedback_keyframe(&in, layer_stream(L));
    ngx_webrtc_ingest_feedback_keyframe(&in, in.st);
    tap_is_int(nasked, 2, "340 ms later: not yet");

    now_us += 20000;
    ngx_webrtc_ingest_feedback_keyframe(&in, layer_stream(L));
    ngx_webrtc_ingest_feedback_keyframe(&in, in.st);
    tap_ok(nasked == 3 && asked[2] == senders[H].ssrc,
           "then the second one again, and not the first");

    now_us += 150000;
    ngx_webrtc_ingest_feedback_keyframe(&in, layer_stream(L));
    ngx_webrtc_ingest_feedback_keyframe(&in, in.st);
    tap_ok(nasked == 4 && asked[3] == senders[L].ssrc,
           "which has its turn after an interval");
}


/* pictures of these layers until one of them is left out, or is not any more */

static ngx_uint_t
until_over(ngx_uint_t layer, ngx_uint_t over, ngx_uint_t layers)
{
    ngx_uint_t  n;

    for (n = 0; n < 2000 && listed(layer)->over != over; n++) {

        if (nasked > 8) {
            nasked = 0;
        }

        pictures(1, layers);
    }

    return n * FRAME_US / 1000;
}


static void
test_limits(void)
{
    uint64_t             from;
    ngx_uint_t           ms, i, n, video, audio, plain, all;
    ngx_webrtc_stream_t *st;

    all = 1 << H | 1 << M | 1 << L;

    pictures(200, all);
    nasked = 0;
    tap_is_str(state(), "hml:h", "all are within their limits");
    tap_is_int(listed(H)->limit, LIMIT, "which the list has");

    /* one that has a ring of its own */

    st = layer_stream(M);
    senders[M].more = MORE;
    ms = until_over(M, 1, all);
    tap_ok(ms > 1500 && ms < 6000, "the middle one takes more: %d ms",
           (int) ms);
    tap_is_str(state(), "hl:h", "it is left out");
    tap_ok(listed(M)->bitrate > LIMIT / 100 * 115, "the list says why: %d",
           (int) listed(M)->bitrate);

    from = ngx_webrtc_ring_head(st->ring);
    pictures(45, all);
    (void) ordered(st, from, &video, &audio, &plain);
    tap_is_int(video, 45, "who reads it may go on for a while");
    tap_is_int(ngx_webrtc_bus_state(st), NGX_WEBRTC_STREAM_ACTIVE, "as before");

    pictures(20, all);
    from = ngx_webrtc_ring_head(st->ring);
    nasked = 0;
    pictures(60, all);
    (void) ordered(st, from, &video, &audio, &plain);
    tap_is_int(video + audio, 0, "then nothing comes");
    tap_is_int(ngx_webrtc_bus_state(st), NGX_WEBRTC_STREAM_STARTING,
               "which is as if it had stopped");
    tap_is_int(nasked, 0, "and no key frame is asked for");

    senders[M].more = 0;
    ms = until_over(M, 0, all);
    tap_ok(ms < 9000, "it is within its limit again: %d ms", (int) ms);
    pictures(20, all);
    tap_is_str(state(), "hml:h", "it is back, with a key frame");
    tap_is_int(ngx_webrtc_bus_state(st), NGX_WEBRTC_STREAM_ACTIVE, "live");

    /* the stream itself */

    nasked = 0;
    senders[H].more = MORE;
    from = ngx_webrtc_ring_head(in.st->ring);
    (void) until_over(H, 1, all);
    from = ngx_max(from, ngx_webrtc_ring_head(in.st->ring) - 40);
    nasked = 0;
    pictures(30, all);
    tap_is_str(state(), "ml:m", "the best one is left out: the next");
    tap_ok(ordered(in.st, from, &video, &audio, &plain)
           && video >= audio - 1, "without a picture less (%d, %d)",
           (int) video, (int) audio);

    for (i = 0, n = 0; i < nasked; i++) {
        n += (asked[i] == senders[H].ssrc);
    }

    tap_is_int(n, 0, "it is not asked for key frames");

    senders[H].more = 0;
    (void) until_over(H, 0, all);
    pictures(20, all);
    tap_is_str(state(), "hml:h", "it is back");

    /* two of them: the larger one */

    senders[H].more = MORE;
    senders[M].more = MORE;
    (void) until_over(M, 1, all);
    tap_is_int(listed(H)->over, 1, "two take more");
    pictures(20, all);
    tap_is_str(state(), "l:l", "the smallest is left");
    tap_ok(closed == NULL, "and goes on");

    /* it alone */

    senders[L].more = MORE;

    for (i = 0; i < 600 && closed == NULL; i++) {
        nasked = 0;
        pictures(1, all);
    }

    tap_is_str(closed, "above webrtc_max_bitrate of its only layer",
               "the only one that is left: ended");
    tap_ok(i > 200 && i < 360, "after %d ms", (int) (i * FRAME_US / 1000));
    tap_is_str(state(), "l:l", "nothing else was left out");

    for (i = 0; i < LAYERS; i++) {
        senders[i].more = 0;
    }

    for (i = 0; i < 40; i++) {
        nasked = 0;
        pictures(15, all);
    }

    tap_is_str(state(), "hml:h", "all obey");

    /* who sends key frames of no other one does not get around it */

    closed = NULL;
    deaf = 1;
    senders[H].more = MORE;
    (void) until_over(H, 1, all);

    for (i = 0; i < 600 && closed == NULL; i++) {
        nasked = 0;
        pictures(1, all);
    }

    tap_ok(closed && i > 270 && i < 330,
           "the best one cannot be replaced: ended after %d ms",
           (int) (i * FRAME_US / 1000));
}


int
main(void)
{
    begin(LIMIT);

    test_begin();
    test_rings();
    test_rtx();
    test_quiet();
    test_stops();
    test_held();
    test_lost();
    test_broken();
    test_ahead();
    test_keyframes();
    tap_ok(closed == NULL, "nobody was ended");

    test_limits();

    end();

    return tap_done();
}
