
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Superframes of VP9 with several spatial layers: of their frames, the last one
 * is shown.  Headers are bits, as the specification has them, 6.2.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_unpack.h"
#include "ngx_webrtc_vp9.h"
#include "ngx_webrtc_vp9_hide.h"
#include "media.h"
#include "tap.h"


#define SYNC   "010010011000001101000010"
#define W320   "0000000100111111"
#define W640   "0000001001111111"
#define H180   "0000000010110011"

/* color_config() of profile 0: a colour space, range */
#define COLOUR "0010"

/* sizes are no others; no other one to render to */
#define KEY(w) SYNC COLOUR w H180 "0"

/* refresh_frame_context, parallel, frame_context_idx */
#define CONTEXT "11" "00"

/* loop filter, quantizer, no segments, the header that follows has 2 bytes */
#define TAIL(tiles) "010101" "001" "0" "01100100" "000" "0" tiles              \
                    "0000000000000010"

/* three references, all of them slot 0 */
#define REFS(slots) slots "0000" "0000" "0000"

/* what the frame has behind that: two bytes of the compressed header */
#define DATA "\xa5\x5a\x81\x7e"


static u_char  frame[256];


static size_t
made(const char *bits, size_t *header)
{
    size_t  n;

    memset(frame, 0, sizeof(frame));

    for (n = 0; *bits; bits++, n++) {
        frame[n / 8] |= (u_char) ((*bits == '1') << (7 - n % 8));
    }

    *header = n;
    n = (n + 7) / 8;
    memcpy(frame + n, DATA, 4);

    return n + 4;
}


static void
text(char *buf, size_t bits)
{
    size_t  i;

    for (i = 0; i < bits; i++) {
        buf[i] = (frame[i / 8] >> (7 - i % 8) & 1) ? '1' : '0';
    }

    buf[bits] = '\0';
}


/* a key frame of a width into all slots, or into none that is known */

static void
known(ngx_webrtc_vp9_refs_t *refs, uint32_t width)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_VP9_SLOTS; i++) {
        refs->width[i] = width;
    }
}


static void
test_headers(void)
{
    char                   got[2048];
    size_t                 n, bits;
    ngx_int_t              rc;
    ngx_uint_t             i;
    ngx_webrtc_vp9_look_t  look;
    ngx_webrtc_vp9_refs_t  refs;

    static const struct {
        const char  *name;
        uint32_t     width;           /* of all references */
        const char  *bits;
        const char  *hidden;          /* NULL: refused */
    } t[] = {
        { "key frame", 0,
          "10" "00" "0" "0" "1" "0" KEY(W320) CONTEXT TAIL("0"),
          "10" "00" "0" "0" "0" "0" KEY(W320) CONTEXT TAIL("0") },

        { "key frame, hidden already", 0,
          "10" "00" "0" "0" "0" "0" KEY(W320) CONTEXT TAIL("0"),
          "10" "00" "0" "0" "0" "0" KEY(W320) CONTEXT TAIL("0") },

        { "key frame of profile 1", 0,
          "10" "10" "0" "0" "1" "1" SYNC "0010" "000" W320 H180 "0" "00"
          TAIL("0"),
          "10" "10" "0" "0" "0" "1" SYNC "0010" "000" W320 H180 "0" "00"
          TAIL("0") },

        { "key frame of profile 3, RGB", 0,
          "10" "11" "0" "0" "0" "1" "1" SYNC "1" "111" "0" W320 H180 "0" "00"
          TAIL("0"),
          "10" "11" "0" "0" "0" "0" "1" SYNC "1" "111" "0" W320 H180 "0" "00"
          TAIL("0") },

        { "predicted", 320,
          "10" "00" "0" "1" "1" "0" "00" REFS("00000001") "1" "0" "1" "1"
          CONTEXT TAIL("0"),
          "10" "00" "0" "1" "0" "0" "0" "00" REFS("00000001") "1" "0" "1" "1"
          CONTEXT TAIL("0") },

        { "predicted, resilient, a filter of its own", 320,
          "10" "00" "0" "1" "1" "1" REFS("00000001") "001" "0" "1" "0" "10"
          "00" TAIL("0"),
          "10" "00" "0" "1" "0" "1" "0" REFS("00000001") "001" "0" "1" "0" "10"
          "00" TAIL("0") },

        { "predicted, with a size, and one to render to", 0,
          "10" "00" "0" "1" "1" "0" "00" REFS("00000001") "000" W640 H180
          "1" W320 H180 "1" "1" CONTEXT TAIL("0" "0"),
          "10" "00" "0" "1" "0" "0" "0" "00" REFS("00000001") "000" W640 H180
          "1" W320 H180 "1" "1" CONTEXT TAIL("0" "0") },

        { "wide: four tiles may be", 1280,
          "10" "00" "0" "1" "1" "1" REFS("00000001") "1" "0" "1" "1" "00"
          TAIL("11" "10"),
          "10" "00" "0" "1" "0" "1" "0" REFS("00000001") "1" "0" "1" "1" "00"
          TAIL("11" "10") },

        { "loop filter's and quantizer's differences", 320,
          "10" "00" "0" "1" "1" "1" REFS("00000001") "1" "0" "1" "1" "00"
          "010101" "001" "1" "1" "1" "0000010" "0" "1" "1000001" "0" "0" "0"
          "01100100" "1" "00100" "0" "1" "00011" "0" "0"
          "0000000000000010",
          "10" "00" "0" "1" "0" "1" "0" REFS("00000001") "1" "0" "1" "1" "00"
          "010101" "001" "1" "1" "1" "0000010" "0" "1" "1000001" "0" "0" "0"
          "01100100" "1" "00100" "0" "1" "00011" "0" "0"
          "0000000000000010" },

        { "segments", 320,
          "10" "00" "0" "1" "1" "1" REFS("00000001") "1" "0" "1" "1" "00"
          "010101" "001" "0" "01100100" "000"
          "1" "1" "1" "10101010" "000000" "1" "1" "11110000" "00" "1" "0"
          "1" "000011110" "0" "1" "10" "1" "0000" "0000" "0000" "0000" "0000"
          "0000" "0000" "0" "0000000000000010",
          "10" "00" "0" "1" "0" "1" "0" REFS("00000001") "1" "0" "1" "1" "00"
          "010101" "001" "0" "01100100" "000"
          "1" "1" "1" "10101010" "000000" "1" "1" "11110000" "00" "1" "0"
          "1" "000011110" "0" "1" "10" "1" "0000" "0000" "0000" "0000" "0000"
          "0000" "0000" "0" "0000000000000010" },

        { "predicted from a size that is not known", 0,
          "10" "00" "0" "1" "1" "0" "00" REFS("00000001") "1" "0" "1" "1"
          CONTEXT TAIL("0"), NULL },
        { "shown again", 320, "10" "00" "1" "000", NULL },
        { "no VP9", 320, "01" "00" "0" "0" "1" "0" KEY(W320) CONTEXT
          TAIL("0"), NULL },
        { "no sync code", 320,
          "10" "00" "0" "0" "1" "0" "000000000000000000000000" COLOUR W320 H180
          "0" CONTEXT TAIL("0"), NULL },
        { "no compressed header", 320,
          "10" "00" "0" "0" "1" "0" KEY(W320) CONTEXT
          "010101" "001" "0" "01100100" "000" "0" "0" "0000000000000000",
          NULL },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        known(&refs, t[i].width);

        n = made(t[i].bits, &bits);
        rc = ngx_webrtc_vp9_look(frame, n, &refs, &look);

        if (t[i].hidden == NULL) {
            tap_is_int(rc, NGX_DECLINED, "%s: is refused", t[i].name);
            continue;
        }

        tap_is_int(look.bits, bits, "%s: its header", t[i].name);

        n = ngx_webrtc_vp9_hide(frame, n, &look);
        bits = strlen(t[i].hidden);
        text(got, bits);

        tap_ok(rc == NGX_OK && strcmp(got, t[i].hidden) == 0, "%s", t[i].name);
        tap_ok(n == (bits + 7) / 8 + 4
               && memcmp(frame + n - 4, DATA, 4) == 0,
               "%s: what follows is at a byte's boundary", t[i].name);
    }
}


/* wherever a frame is cut, its header is whole or it is refused */

static void
test_cut(void)
{
    size_t                 whole, len, bits;
    u_char                *cut;
    ngx_int_t              rc;
    ngx_uint_t             bad;
    ngx_webrtc_vp9_look_t  look;
    ngx_webrtc_vp9_refs_t  refs;

    whole = made("10" "00" "0" "1" "1" "0" "00" REFS("00000001") "1" "0" "1" "1"
                 CONTEXT TAIL("0"), &bits);
    bad = 0;

    for (len = 0; len <= whole; len++) {
        known(&refs, 320);

        cut = malloc(len + !len);
        memcpy(cut, frame, len);

        rc = ngx_webrtc_vp9_look(cut, len, &refs, &look);

        bad += (rc == NGX_OK) != (len * 8 >= bits);
        free(cut);
    }

    tap_is_int(bad, 0, "cut");
}


/* what a frame leaves in the slots of references */

static void
test_slots(void)
{
    size_t                 n, bits;
    ngx_webrtc_vp9_look_t  look;
    ngx_webrtc_vp9_refs_t  refs;

    known(&refs, 0);

    n = made("10" "00" "0" "0" "1" "0" KEY(W320) CONTEXT TAIL("0"), &bits);
    tap_ok(ngx_webrtc_vp9_look(frame, n, &refs, &look) == NGX_OK
           && look.key && refs.width[0] == 320 && refs.width[7] == 320,
           "a key frame is in all slots");

    n = made("10" "00" "0" "1" "1" "0" "00" REFS("00000010") "000" W640 H180
             "0" "1" "1" CONTEXT TAIL("0" "0"), &bits);
    tap_ok(ngx_webrtc_vp9_look(frame, n, &refs, &look) == NGX_OK
           && !look.key && refs.width[0] == 320 && refs.width[1] == 640
           && refs.width[2] == 320,
           "a predicted one in those that it says");

    n = made("10" "00" "0" "1" "1" "0" "00" "00000000" "0010" "0000" "0000" "1"
             "0" "1" "1" CONTEXT TAIL("0" "0"), &bits);
    tap_ok(ngx_webrtc_vp9_look(frame, n, &refs, &look) == NGX_OK
           && look.width == 640 && refs.width[0] == 320,
           "one has the size of its reference, and is in none");

    n = made("10" "00" "0" "1" "0" "0" "1" "00" SYNC "00000100" W640 H180 "0"
             CONTEXT TAIL("0" "0"), &bits);
    tap_ok(ngx_webrtc_vp9_look(frame, n, &refs, &look) == NGX_OK
           && look.bits == bits && refs.width[2] == 640,
           "intra only");
}


/* layers of a key picture, as a publisher's packets have them */

static void
test_layers(void)
{
    u_char               data[1024], payload[256];
    size_t               n, bits, first;
    ngx_uint_t           i;
    ngx_webrtc_vp9_t     vp9;
    ngx_webrtc_unpack_t  u;

    static const struct {
        const char  *name;
        const char  *upper;
        ngx_uint_t   show;            /* of the lower one */
        ngx_uint_t   width;
    } t[] = {
        { "another size",
          "10" "00" "0" "1" "1" "0" "00" REFS("00000010") "000" W640 H180
          "0" "1" "1" CONTEXT TAIL("0" "0"), 0, 640 },
        { "one size, which takes motion vectors from it",
          "10" "00" "0" "1" "1" "0" "00" REFS("00000010") "1" "0" "1" "1"
          CONTEXT TAIL("0"), 1, 320 },
        { "one size, resilient",
          "10" "00" "0" "1" "1" "1" REFS("00000010") "1" "0" "1" "1" "00"
          TAIL("0"), 0, 320 },
        { "one that is not understood", "00", 1, 0 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        ngx_webrtc_unpack_init(&u, ngx_webrtc_codec(NGX_WEBRTC_CODEC_VP9));
        u.data = data;
        ngx_webrtc_unpack_begin(&u);

        payload[0] = 0x0c;                                 /* B, E */

        first = made("10" "00" "0" "0" "1" "0" KEY(W320) CONTEXT TAIL("0"),
                     &bits);
        memcpy(payload + 1, frame, first);
        (void) ngx_webrtc_unpack_payload(&u, payload, first + 1, 0);

        n = made(t[i].upper, &bits);
        memcpy(payload + 1, frame, n);
        (void) ngx_webrtc_unpack_payload(&u, payload, n + 1, 0);

        tap_ok(ngx_webrtc_unpack_end(&u) == NGX_OK && u.n == first + n + 10
               && memcmp(data + first, frame, n) == 0,
               "%s: is behind the lower one", t[i].name);
        tap_ok(ngx_webrtc_vp9_parse(data, first, &vp9) == NGX_OK
               && vp9.key && vp9.show == t[i].show,
               "%s: the lower one is %s", t[i].name,
               t[i].show ? "shown, too" : "hidden");

        if (strlen(t[i].upper) > 2) {
            tap_ok(ngx_webrtc_vp9_parse(data, u.n, &vp9) == NGX_OK
                   && vp9.key && vp9.width == t[i].width && vp9.height == 180,
                   "%s: the size is the upper one's", t[i].name);
        }
    }
}


/* an encoder's frames */

static void
test_encoded(void)
{
    u_char                 *p, *copy;
    size_t                  n, m, pos;
    ngx_uint_t              frames, bad;
    ngx_webrtc_vp9_t        vp9;
    ngx_webrtc_vp9_look_t   look;
    ngx_webrtc_vp9_refs_t   refs;

    static media_file_t  file;

    media_read(&file, "t/data/media/vp9.ivf");

    memset(&refs, 0, sizeof(refs));

    pos = 0;
    bad = 0;

    for (frames = 0; (p = media_ivf(&file, &pos, &n)) != NULL; frames++) {

        copy = malloc(n + 1);
        memcpy(copy, p, n);

        bad += ngx_webrtc_vp9_look(copy, n, &refs, &look) != NGX_OK;

        m = ngx_webrtc_vp9_hide(copy, n, &look);

        bad += m < n || m > n + 1
               || ngx_webrtc_vp9_parse(copy, m, &vp9) != NGX_OK || vp9.show
               || (n > 64 && memcmp(copy + m - (n - 64), p + 64, n - 64) != 0)
               || ngx_webrtc_vp9_look(copy, m, &refs, &look) != NGX_OK
               || look.show;

        free(copy);
    }

    tap_is_int(frames, 8, "frames of an encoder");
    tap_is_int(bad, 0, "are read, and hidden");
}


int
main(void)
{
    test_headers();
    test_cut();
    test_slots();
    test_layers();
    test_encoded();

    return tap_done();
}
