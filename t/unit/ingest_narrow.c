
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher of three layers whose path becomes narrow, in virtual time: what
 * it is told, what it is asked for, and which layers viewers have.
 */


#include "ingest.h"


/*
 * A path that suddenly carries the lower layers only, for so many pictures: a
 * queue grows, and what is lost in it is the best one, and something of the
 * next one, or (middle: 0) nearly all of that.  Returns the number of pictures
 * until the sender was told, 0: it was not.
 */

static ngx_uint_t
squeeze(ngx_uint_t n, uint64_t queue_us, ngx_uint_t middle)
{
    size_t      more;
    ngx_uint_t  i, soon, before;

    more = senders[H].more;

    for (i = 0, soon = 0, before = nrembs; i < n; i++) {
        late_us = ngx_min(late_us + 30000, queue_us);

        send_frame(L, 0);

        if (i % 4 == 2 || !middle) {
            lose(M);
        }

        if (middle || i % 5 == 1) {
            send_frame(M, 0);
        }

        if (i % 5 == 3) {
            lose(H);
            lose(H);

            senders[H].more = 0;
            send_frame(H, 0);
            senders[H].more = more;
        }

        turn();

        if (soon == 0 && nrembs > before) {
            soon = i + 1;
        }
    }

    return soon;
}


static void
test_narrow(void)
{
    ngx_uint_t  i, n, all;

    all = 1 << H | 1 << M | 1 << L;

    told = 1;
    senders[H].more = 1200;
    senders[M].more = 1000;
    senders[L].more = 100;

    for (i = LAYERS; i-- > 0; /* void */ ) {
        send_frame(i, 1);
        turn();
    }

    pictures(320, all);
    tap_is_str(state(), "hml:h", "narrow: all layers");
    tap_is_int(nrembs, 0, "narrow: nothing to tell");

    /* a queue alone */

    late_us = 200000;
    pictures(10, all);
    late_us = 0;
    pictures(320, all);
    tap_is_int(nrembs, 0, "narrow: it has to be less that comes");
    tap_is_str(state(), "hml:h", "narrow: all layers go on");

    /* what is lost is requested, until it is known why */

    nasked = 0;
    n = squeeze(9, 250000, 1);

    tap_ok(n >= 7, "narrow: told (%d)", (int) n);
    tap_ok(remb > 240000 && remb < 400000, "narrow: what comes (%d)",
           (int) remb);
    tap_ok(in.layers[H].broken && !in.layers[M].broken && !in.layers[L].broken,
           "narrow: it does not carry the best layer");
    tap_is_int(nasked, 0, "narrow: no key frame before that is heard");

    nrequests = 0;
    (void) squeeze(4, 250000, 1);
    tap_is_int(nrequests, 0, "narrow: nothing else is sent again");
    tap_is_int(asked_of(M), 1, "narrow: then one of the next layer");

    for (i = 0; i < 14; i++) {
        send_frame(L, 0);
        send_frame(M, 0);
        send_frame(H, 0);
        turn();
    }

    tap_is_str(state(), "hml:h", "narrow: what is in the queue");
    tap_ok(in.layers[H].broken, "narrow: which changes nothing");

    send_frame(M, 1);
    turn();
    tap_is_str(state(), "ml:m", "narrow: which replaces the best one");
    tap_is_int(asked_of(H), 0, "narrow: of which none is asked");

    /* the queue is gone */

    late_us = 0;
    nrembs = 0;
    pictures(20, 1 << M | 1 << L);
    lose(M);
    nrequests = 0;
    pictures(3, 1 << M | 1 << L);
    tap_ok(nrequests > 0, "narrow: without a queue it is requested again");
    pictures(50, 1 << M | 1 << L);
    tap_ok(remb > 1000000, "narrow: a while later it may do what it wants");
    n = nrembs;
    pictures(320, 1 << M | 1 << L);
    tap_ok(nrembs >= n && nrembs <= n + 2, "narrow: which is told some times");

    nasked = 0;
    pictures(200, all);
    tap_is_str(state(), "hml:h", "narrow: the best one is back");

    /* who sends no key frames: what is sent again is all that there is */

    for (i = 0; i < LAYERS; i++) {
        back(i);
    }

    pictures(320, all);
    deaf = 1;

    for (i = 0; i < LAYERS; i++) {
        in.layers[i].t->deaf = 1;
    }

    n = squeeze(9, 250000, 1);
    nrequests = 0;
    (void) squeeze(4, 250000, 1);
    tap_ok(n && nrequests > 0, "narrow: who ignores that is asked for packets");
    deaf = 0;

    late_us = 0;
    pictures(400, all);
    tap_is_str(state(), "hml:h", "narrow: all are back");

    /* who cannot be told */

    for (i = 0; i < LAYERS; i++) {
        back(i);
    }

    pictures(320, all);

    in.bitrate.remb = 0;
    nrembs = 0;
    nasked = 0;
    n = squeeze(13, 250000, 1);
    tap_ok(n == 0 && asked_of(M) == 1 && asked_of(H) == 0,
           "narrow: without REMB a lower layer is asked for all the same");
    in.bitrate.remb = 1;

    late_us = 0;
    pictures(400, all);
    tap_is_str(state(), "hml:h", "narrow: all are back");
}


/* it carries the smallest one only */

static void
test_narrower(void)
{
    ngx_uint_t  i, all;

    static const struct {
        const char  *name;
        ngx_uint_t   before;             /* pictures with the middle one */
        ngx_uint_t   asked;              /* key frames of that */
    } t[] = {
        { "at once", 0, 0 },
        { "as the next measurement shows", 6, 1 },
    };

    all = 1 << H | 1 << M | 1 << L;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        back(L);
        back(M);
        back(H);
        pictures(400, all);
        tap_is_str(state(), "hml:h", "%s: all layers", t[i].name);

        nasked = 0;
        (void) squeeze(t[i].before, 250000, 1);
        (void) squeeze(16 - t[i].before, 250000, 0);

        tap_ok(in.layers[H].broken && in.layers[M].broken
               && !in.layers[L].broken, "%s: two that it does not carry",
               t[i].name);
        tap_is_int(asked_of(M), t[i].asked, "%s: the middle one", t[i].name);
        tap_is_int(asked_of(L), 1, "%s: the smallest one is asked", t[i].name);
        tap_is_int(asked_of(H), 0, "%s: nor the best one", t[i].name);

        send_frame(L, 1);
        turn();
        tap_is_str(state(), "ml:l", "%s: which replaces it", t[i].name);

        late_us = 0;
        pictures(30, 1 << L);
        tap_is_str(state(), "l:l", "%s: the others have stopped", t[i].name);
    }

    late_us = 0;
    pictures(400, all);
    tap_is_str(state(), "hml:h", "they are back");
}


int
main(void)
{
    begin(0);

    test_narrow();
    test_narrower();
    tap_ok(closed == NULL, "nobody was ended");

    end();

    return tap_done();
}
