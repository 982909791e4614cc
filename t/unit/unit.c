
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Access units in a byte stream: H.264, 7.4.1.2.3, H.265, 7.4.2.4.4.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdlib.h>

#include "ngx_webrtc_unit.h"
#include "tap.h"

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


/*
 * NAL units by a letter each; what follows a space is an access unit.
 *
 *   H.264                            H.265
 *   d  AUD                           d  AUD
 *   v  -                             v  VPS
 *   s  SPS, progressive              s  SPS
 *   t  SPS, with fields              p  PPS
 *   p  PPS                           e  prefix SEI
 *   e  SEI                           r  suffix SEI
 *   f  filler data                   f  filler data
 *   i  IDR, first slice              i  IDR, first slice
 *   I  IDR, another slice            I  IDR, another slice
 *   x  slice, first                  x  TRAIL, first
 *   X  slice, another                X  TRAIL, another
 *   a  top field, frame_num 1        l  slice of layer 1, first
 *   A  top field, another slice      q  reserved NAL unit, 41
 *   b  bottom field, frame_num 1
 *   B  bottom field, frame_num 2
 *   q  end of sequence
 */

typedef struct {
    const char  *name;
    ngx_uint_t   h265;
    const char  *units;
} stream_t;


static const stream_t  streams[] = {

    { "one slice each", 0, "spi x x x" },
    { "delimiters", 0, "dspi dx dx dx" },
    { "slices", 0, "spiIII xXX xX x xXXX" },
    { "SEI in front", 0, "dspei dex ex ex x" },
    { "parameter sets before each slice", 0, "spispIspI spxspX spxspX" },
    { "PPS in between", 0, "spi px x pxX" },
    { "filler behind", 0, "spif xff xf" },
    { "end of sequence behind", 0, "spiq spi x" },
    { "a delimiter, the first slice lost", 0, "dspi dX dx" },
    { "SEI twice", 0, "spi eex eex" },
    { "SPS while nothing is under way", 0, "ssppssppi x" },
    { "fields", 0, "tpab ab ab tpab" },
    { "fields with slices", 0, "tpaAbA aAbA aA" },
    { "fields with delimiters", 0, "dtpadb dadb dadb" },
    { "bottom field first", 0, "tpba ba ba" },
    { "fields of two frames", 0, "tpa B a B ab" },
    { "frames where fields may be", 0, "tpi x x ab x" },
    { "H.265, one slice each", 1, "vspi x x x" },
    { "H.265, delimiters", 1, "dvspi dx dx" },
    { "H.265, slices", 1, "vspiII xX xXX" },
    { "H.265, SEI", 1, "vspeir exr exr xr" },
    { "H.265, filler", 1, "vspif xff x" },
    { "H.265, reserved in front", 1, "vspi qx qx" },
    { "H.265, layers", 1, "vspil xl xl" },
    { "H.265, parameter sets before each slice", 1, "vspivspI xvspX x" },
};


static size_t
put(u_char *p, const char *hex, size_t code)
{
    u_char    *q;
    unsigned   b;

    q = p;

    if (code == 4) {
        *q++ = 0;
    }

    *q++ = 0;
    *q++ = 0;
    *q++ = 1;

    while (sscanf(hex, "%2x", &b) == 1) {
        *q++ = (u_char) b;
        hex += 2;
    }

    return q - p;
}


/* slices have 30 bytes more, so that headers are there */

#define MORE  "88888888888888888888888888888888888888888888888888888888aaaa80"

static const char *
nal(ngx_uint_t h265, char c)
{
    if (h265) {
        switch (c) {
        case 'd': return "460150";
        case 'v': return "40010c01ffff";
        case 's': return "420101016000";
        case 'p': return "4401c072f0";
        case 'e': return "4e01891880";
        case 'r': return "5001840180";
        case 'f': return "4c01ffff80";
        case 'i': return "2601af" MORE;
        case 'I': return "260140" MORE;
        case 'x': return "0201d0" MORE;
        case 'X': return "020140" MORE;
        case 'l': return "0209d0" MORE;
        case 'q': return "5201ff80";
        }

        return NULL;
    }

    switch (c) {
    case 'd': return "09f0";
    /* 160x120, Baseline, log2_max_frame_num 4, as x264 writes it */
    case 's': return "6742c00adc1423a1000003000100000300320f122540";
    /* High, 4:2:0, 8 bits, frame_num of 4 bits, poc type 2, one reference,
       10 x 4 macroblocks of fields, frame_mbs_only 0, mbaff 0 */
    case 't': return "6764001eacb4144240";
    case 'p': return "68ce3c80";
    case 'e': return "0605018080";
    case 'f': return "0cffff80";
    case 'i': return "658880" MORE;
    case 'I': return "656084" MORE;
    case 'x': return "41e0" MORE;         /* 1 1 1: as a frame */
    case 'X': return "4160" MORE;
    /* first_mb 0, slice_type 0, pps 0, frame_num 0001, field, top */
    case 'a': return "41e35f" MORE;
    case 'A': return "41635f" MORE;
    case 'b': return "41e3df" MORE;
    case 'B': return "41e5df" MORE;
    case 'q': return "0a";
    }

    return NULL;
}


/*
 * The stream as bytes; ends[] are those of its units.  0: start codes of
 * 4 bytes, 1: of 3, 2: in turns.
 */

static size_t
build(const stream_t *s, ngx_uint_t codes, u_char *buf, size_t *ends,
    ngx_uint_t *n)
{
    size_t       len;
    ngx_uint_t   k;
    const char  *c;

    len = 0;
    k = 0;
    *n = 0;

    for (c = s->units; *c; c++) {

        if (*c == ' ') {
            ends[(*n)++] = len;
            continue;
        }

        len += put(buf + len, nal(s->h265, *c),
                   codes == 2 ? 3 + (k++ & 1) : 4 - codes);
    }

    ends[(*n)++] = len;

    return len;
}


/* how many of the ends are found, given so many bytes more each time */

static ngx_uint_t
cut(const stream_t *s, u_char *buf, size_t len, size_t step, size_t *ends,
    ngx_uint_t n)
{
    size_t             at, have, size;
    u_char            *p;
    ngx_int_t          rc;
    ngx_uint_t         i, whole;
    ngx_webrtc_unit_t  u;

    ngx_webrtc_unit_init(&u, s->h265);

    at = 0;
    have = 0;
    i = 0;

    for ( ;; ) {

        /* of its own, so that a sanitizer sees a byte too many */

        p = malloc(have - at + 1);
        ngx_memcpy(p, buf + at, have - at);

        rc = ngx_webrtc_unit_next(&u, p, have - at, have == len, &size,
                                  &whole);
        free(p);

        if (rc == NGX_AGAIN) {
            have = ngx_min(have + step, len);
            continue;
        }

        if (i == n || at + size != ends[i]) {
            tap_diag("unit %d: %d, not %d", (int) i, (int) (at + size),
                     i < n ? (int) ends[i] : -1);
            return i;
        }

        at += size;
        i++;

        if (rc == NGX_DONE) {
            return i;
        }
    }
}


static void
test_stream(const stream_t *s)
{
    size_t             ends[64], len, from;
    u_char             buf[4096];
    ngx_uint_t         codes, step, n, i, alone;
    ngx_webrtc_unit_t  u;

    static const size_t  steps[] = { 4096, 188, 7, 1 };

    for (codes = 0; codes < 3; codes++) {

        len = build(s, codes, buf, ends, &n);

        for (step = 0; step < nelts(steps); step++) {
            tap_is_int(cut(s, buf, len, steps[step], ends, n), n,
                       "%s: start codes %d, %d bytes at a time", s->name,
                       (int) codes, (int) steps[step]);
        }

        ngx_webrtc_unit_init(&u, s->h265);

        alone = 0;
        from = 0;

        for (i = 0; i < n; i++) {
            alone += ngx_webrtc_unit_alone(&u, buf + from, ends[i] - from);
            from = ends[i];
        }

        tap_is_int(alone, n, "%s: start codes %d: each is one", s->name,
                   (int) codes);

        tap_is_int(ngx_webrtc_unit_alone(&u, buf, len), n == 1,
                   "%s: start codes %d: all together", s->name, (int) codes);
    }
}


/* what is not an access unit by itself */

static const struct {
    const char  *name;
    ngx_uint_t   h265;
    const char  *hex;
    ngx_uint_t   begins;
} parts[] = {
    { "nothing", 0, "", 0 },
    { "a start code", 0, "000001", 0 },
    { "no start code", 0, "41e0888888888888", 0 },
    { "a slice that is not the first", 0, "00000141608888", 0 },
    { "parameter sets alone", 0, "0000016742c00a00000168ce3c80", 1 },
    { "a delimiter alone", 0, "0000000109f0", 1 },
    { "the rest of a picture, and one more", 0,
      "8877665544000001" "09f0" "000001" "41e08888", 1 },
    { "filler data alone", 0, "0000010cffff80", 0 },
    { "H.265, a slice that is not the first", 1, "00000102014088", 0 },
    { "H.265, parameter sets alone", 1, "00000142010101", 1 },
    { "H.265, a header cut", 1, "0000010201", 0 },
};


static void
test_parts(void)
{
    size_t             n;
    u_char             buf[64], *p;
    unsigned           b;
    ngx_uint_t         i;
    const char        *hex;
    ngx_webrtc_unit_t  u;

    for (i = 0; i < nelts(parts); i++) {

        n = 0;

        for (hex = parts[i].hex; sscanf(hex, "%2x", &b) == 1; hex += 2) {
            buf[n++] = (u_char) b;
        }

        p = malloc(n + 1);
        ngx_memcpy(p, buf, n);

        ngx_webrtc_unit_init(&u, parts[i].h265);

        tap_is_int(ngx_webrtc_unit_alone(&u, p, n), 0, "%s: is no unit",
                   parts[i].name);
        tap_is_int(ngx_webrtc_unit_begins(parts[i].h265, p, n),
                   parts[i].begins, "%s: begins one", parts[i].name);

        free(p);
    }
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < nelts(streams); i++) {
        test_stream(&streams[i]);
    }

    test_parts();

    return tap_done();
}
