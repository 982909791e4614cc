
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_dd: descriptors bit by bit, as the appendix of the RTP Payload
 * Format For AV1 has them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include <ngx_webrtc_dd.h>
#include <ngx_webrtc_packet.h>


#define TOLD   NGX_WEBRTC_DD_TOLD
#define SYNC   NGX_WEBRTC_LAYER_SYNC
#define END    NGX_WEBRTC_LAYER_END
#define TWO   (1 << NGX_WEBRTC_DD_SID)
#define UP(n)  (1 << (NGX_WEBRTC_DD_UPS + (n)))


/* start_of_frame, end_of_frame, frame_number; template ids are 6 bits */
#define FIRST   "1 0 "
#define ONLY    "1 1 "
#define NUMBER  " 0000000000000111 "

/* structure, active, dtis, fdiffs, chains */
#define STRUCT  "1 0 0 0 0 "
#define DTIS    "0 0 1 0 0 "

/* decode target indications */
#define N  "00"
#define D  "01"
#define S  "10"
#define R  "11"

/*
 * Three temporal layers and as many decode targets, one chain: a key frame;
 * frames of layers 0, 1 and 2, the first of which is 4 frames apart
 */
#define L1T3(offset)                                                          \
    offset "00010"                                                            \
    "00 01 01 11"                                                             \
    S S S  S S S  N D S  N N D                                                \
    "0  1 0011 0  1 0001 0  1 0000 0"                                         \
    "01"                                                                      \
    "0000 0100 0010 0001"                                                     \
    "0"

/*
 * Two spatial layers of two temporal ones: S0T0 S0T1 S1T0 S1T1, four targets in
 * that order, two chains, sizes of 320x180 and 640x360
 */
#define L2T2                                                                  \
    "000000" "00011"                                                          \
    "01 10 01 11"                                                             \
    S S S S  N S N D  N N S S  N N N D                                        \
    "0  1 0001 0  1 0000 0  1 0001 1 0000 0"                                  \
    "10"    /* ns(5) of 2 */                                                  \
    "0 0 1 1"                                                                 \
    "0000 0000  0010 0001  0001 0001  0011 0010"                              \
    "1"                                                                       \
    "0000000100111111 0000000010110011"                                       \
    "0000001001111111 0000000101100111"


static size_t
bits(u_char *p, const char *text)
{
    size_t  n;

    for (n = 0; *text; text++) {

        if (*text != '0' && *text != '1') {
            continue;
        }

        if (n % 8 == 0) {
            p[n / 8] = 0;
        }

        p[n / 8] |= (u_char) ((*text - '0') << (7 - n % 8));
        n++;
    }

    return (n + 7) / 8;
}


static void
test_read(void)
{
    size_t           n;
    u_char           buf[256];
    ngx_uint_t       i;
    ngx_webrtc_dd_t  dd;

    static const struct {
        const char  *name;
        const char  *text;
        ngx_uint_t   told;
    } t[] = {
        { "nothing known", ONLY "000000" NUMBER, 0 },
        { "too short", "1 1 000000 00000000", 0 },
        { "three temporal layers: the key frame",
          FIRST "000000" NUMBER STRUCT L1T3("000000"),
          TOLD|SYNC|UP(1)|UP(2) },
        { "its last packet", "0 1 000000" NUMBER, TOLD|SYNC|UP(1)|UP(2)|END },
        { "the highest layer", ONLY "000011" NUMBER, TOLD|END|2 },
        { "the middle one", FIRST "000010" NUMBER, TOLD|UP(2)|1 },
        { "the lowest one", FIRST "000001" NUMBER, TOLD|SYNC|UP(1)|UP(2) },
        { "no such template", FIRST "000100" NUMBER, 0 },
        { "indications of its own", FIRST "000010" NUMBER DTIS N S R,
          TOLD|SYNC|1 },
        { "which are cut", FIRST "000010" NUMBER "0 0 1 0 0 10", 0 },
        { "active decode targets", FIRST "000010" NUMBER "0 1 0 0 0 011",
          TOLD|UP(2)|1 },
        { "flags for what we have no use for",
          FIRST "000010" NUMBER "0 0 0 1 1 01 0000 00 0001", TOLD|UP(2)|1 },

        { "a new structure, with other numbers",
          FIRST "111110" NUMBER STRUCT L1T3("111110"),
          TOLD|SYNC|UP(1)|UP(2) },
        { "which go on with 0", FIRST "000001" NUMBER, TOLD|2 },
        { "not those of before", FIRST "000010" NUMBER, 0 },

        { "two spatial layers", FIRST "000000" NUMBER STRUCT L2T2,
          TOLD|SYNC|UP(1)|TWO },
        { "the upper one", ONLY "000010" NUMBER,
          TOLD|SYNC|UP(1)|END|TWO|1 << 3 },
        { "its upper temporal one", ONLY "000011" NUMBER,
          TOLD|END|TWO|1 << 3|1 },
        { "the lower one's", ONLY "000001" NUMBER, TOLD|SYNC|END|TWO|1 },

        { "no layers", ONLY "000000" NUMBER STRUCT "000000" "00000" "00 11"
          S S "0  1 0000 0" "1" "0000 0001" "0", 0 },
        { "nor in the next frame", ONLY "000001" NUMBER, 0 }
    };

    memset(&dd, 0, sizeof(dd));

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        n = bits(buf, t[i].text);

        tap_is_int(ngx_webrtc_dd_read(&dd, buf, n), t[i].told, "%s",
                   t[i].name);
    }
}


/* cut anywhere a structure is not taken, and the one before stays */

static void
test_cut(void)
{
    size_t           i, n, taken;
    u_char           buf[256], *p;
    ngx_webrtc_dd_t  dd, was;

    memset(&dd, 0, sizeof(dd));

    n = bits(buf, FIRST "000000" NUMBER STRUCT L1T3("000000"));
    (void) ngx_webrtc_dd_read(&dd, buf, n);
    was = dd;

    n = bits(buf, FIRST "000000" NUMBER STRUCT L2T2);
    taken = 0;

    for (i = 4; i < n; i++) {
        p = malloc(i);
        memcpy(p, buf, i);

        taken += (ngx_webrtc_dd_read(&dd, p, i) != 0
                  || memcmp(&dd, &was, sizeof(dd)) != 0);

        free(p);
    }

    tap_is_int(taken, 0, "a structure that is cut");

    /* 65 templates of one layer */

    n = bits(buf, FIRST "000000" NUMBER STRUCT "000000" "00000");
    memset(buf + n, 0, sizeof(buf) - n);

    tap_ok(ngx_webrtc_dd_read(&dd, buf, sizeof(buf)) == 0
           && memcmp(&dd, &was, sizeof(dd)) == 0, "too many templates");
}


int
main(void)
{
    test_read();
    test_cut();

    return tap_done();
}
