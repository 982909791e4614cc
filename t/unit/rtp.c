
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_rtp: classification (RFC 7983, 7; RFC 5761, 4), header, header
 * extensions.  Packets named "aiortc" were made by aiortc 1.4's serializer.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtp.h>

#include "tap.h"
#include <peer.h>


typedef struct {
    const char  *name;
    const char  *hex;
    ngx_int_t    rc;
    uint8_t      pt;
    uint8_t      marker;
    uint16_t     seq;
    uint32_t     ts;
    uint32_t     ssrc;
    uint8_t      ncsrc;
    uint8_t      padding;
    size_t       ext_len;
    const char  *payload;
} rtp_row_t;


static size_t
unhex(const char *hex, u_char *out)
{
    size_t  n;

    for (n = 0; hex[0] != '\0'; n++) {

        if (hex[0] == ' ') {
            hex++;
        }

        out[n] = (u_char) ngx_hextoi((u_char *) hex, 2);
        hex += 2;
    }

    return n;
}


static void
test_classify(void)
{
    u_char      b[20];
    ngx_uint_t  i, first, want;

    static const struct {
        u_char      first, second;
        size_t      n;
        ngx_uint_t  want;
    } rows[] = {
        { 0x00, 0x01, 20, NGX_WEBRTC_DATAGRAM_STUN },
        { 0x01, 0x01, 20, NGX_WEBRTC_DATAGRAM_STUN },
        { 0x00, 0x01, 19, NGX_WEBRTC_DATAGRAM_UNKNOWN },
        { 22, 0xfe, 13, NGX_WEBRTC_DATAGRAM_DTLS },
        { 22, 0xfe, 12, NGX_WEBRTC_DATAGRAM_UNKNOWN },
        { 0x80, 0, 12, NGX_WEBRTC_DATAGRAM_RTP },
        { 0x80, 0, 11, NGX_WEBRTC_DATAGRAM_UNKNOWN },
        { 0x80, 63, 12, NGX_WEBRTC_DATAGRAM_RTP },
        { 0x80, 96, 12, NGX_WEBRTC_DATAGRAM_RTP },
        { 0x80, 127, 12, NGX_WEBRTC_DATAGRAM_RTP },
        { 0x80, 0x80 | 63, 12, NGX_WEBRTC_DATAGRAM_RTP },
        { 0x80, 0x80 | 96, 12, NGX_WEBRTC_DATAGRAM_RTP },
        { 0x80, 0x80 | 127, 12, NGX_WEBRTC_DATAGRAM_RTP },
        { 0x80, 192, 8, NGX_WEBRTC_DATAGRAM_RTCP },
        { 0x80, 200, 8, NGX_WEBRTC_DATAGRAM_RTCP },
        { 0x80, 207, 8, NGX_WEBRTC_DATAGRAM_RTCP },
        { 0x80, 223, 8, NGX_WEBRTC_DATAGRAM_RTCP },
        { 0x80, 200, 7, NGX_WEBRTC_DATAGRAM_UNKNOWN },
        { 0x00, 0x00, 0, NGX_WEBRTC_DATAGRAM_UNKNOWN }
    };

    ngx_memzero(b, sizeof(b));

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        b[0] = rows[i].first;
        b[1] = rows[i].second;

        tap_is_int(ngx_webrtc_rtp_classify(b, rows[i].n), rows[i].want,
                   "classify %u %u of %u bytes", rows[i].first,
                   rows[i].second, (unsigned) rows[i].n);
    }

    /* RFC 7983, 7, every first byte */

    b[1] = 0;

    for (first = 0; first < 256; first++) {
        b[0] = (u_char) first;

        want = (first <= 3) ? NGX_WEBRTC_DATAGRAM_STUN
               : (first >= 20 && first <= 63) ? NGX_WEBRTC_DATAGRAM_DTLS
               : (first >= 128 && first <= 191) ? NGX_WEBRTC_DATAGRAM_RTP
               : NGX_WEBRTC_DATAGRAM_UNKNOWN;

        if (ngx_webrtc_rtp_classify(b, 20) != want) {
            break;
        }
    }

    tap_is_int(first, 256, "classify every first byte");
}


static void
test_parse(void)
{
    size_t             n;
    u_char             b[256];
    ngx_uint_t         i;
    const rtp_row_t   *row;
    ngx_webrtc_rtp_t   rtp;

    static const rtp_row_t  rows[] = {
        { "plain, aiortc", "80effffffffffff0deadbeef 68656c6c6f", NGX_OK,
          111, 1, 65535, 0xfffffff0, 0xdeadbeef, 0, 0, 0, "hello" },
        { "two CSRCs, aiortc",
          "82effffffffffff0deadbeef 00000001 fffffffe 68656c6c6f", NGX_OK,
          111, 1, 65535, 0xfffffff0, 0xdeadbeef, 2, 0, 0, "hello" },
        { "no payload", "80600001 00000002 00000003", NGX_OK,
          96, 0, 1, 2, 3, 0, 0, 0, "" },
        { "extension", "90600001 00000002 00000003 bede0001 10ff0000 6869",
          NGX_OK, 96, 0, 1, 2, 3, 0, 0, 4, "hi" },
        { "empty extension", "90600001 00000002 00000003 bede0000 6869",
          NGX_OK, 96, 0, 1, 2, 3, 0, 0, 0, "hi" },
        { "padding", "a0600001 00000002 00000003 6869 0002", NGX_OK,
          96, 0, 1, 2, 3, 0, 2, 0, "hi" },
        { "nothing but padding", "a0600001 00000002 00000003 00000004",
          NGX_OK, 96, 0, 1, 2, 3, 0, 4, 0, "" },
        { "padding of 0", "a0600001 00000002 00000003 68690000",
          NGX_DECLINED, 0, 0, 0, 0, 0, 0, 0, 0, NULL },
        { "padding above payload", "a0600001 00000002 00000003 68690005",
          NGX_DECLINED, 0, 0, 0, 0, 0, 0, 0, 0, NULL },
        { "padding without payload", "a0600001 00000002 00000003",
          NGX_DECLINED, 0, 0, 0, 0, 0, 0, 0, 0, NULL },
        { "version 1", "40600001 00000002 00000003",
          NGX_DECLINED, 0, 0, 0, 0, 0, 0, 0, 0, NULL },
        { "11 bytes", "80600001 00000002 000000",
          NGX_DECLINED, 0, 0, 0, 0, 0, 0, 0, 0, NULL },
        { "cut CSRCs", "82600001 00000002 00000003 00000001",
          NGX_DECLINED, 0, 0, 0, 0, 0, 0, 0, 0, NULL },
        { "cut extension header", "90600001 00000002 00000003 bede",
          NGX_DECLINED, 0, 0, 0, 0, 0, 0, 0, 0, NULL },
        { "cut extension", "90600001 00000002 00000003 bede0002 10ff0000",
          NGX_DECLINED, 0, 0, 0, 0, 0, 0, 0, 0, NULL },
        { "nothing", "", NGX_DECLINED, 0, 0, 0, 0, 0, 0, 0, 0, NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row = &rows[i];
        n = unhex(row->hex, b);

        tap_is_int(ngx_webrtc_rtp_parse(b, b + n, &rtp), row->rc,
                   "parse: %s", row->name);

        if (row->rc != NGX_OK) {
            continue;
        }

        tap_ok(rtp.pt == row->pt && rtp.marker == row->marker
               && rtp.seq == row->seq && rtp.ts == row->ts
               && rtp.ssrc == row->ssrc && rtp.ncsrc == row->ncsrc
               && rtp.padding == row->padding && rtp.ext_len == row->ext_len,
               "fields: %s", row->name);

        tap_is_mem(rtp.payload, rtp.len, row->payload, strlen(row->payload),
                   "payload: %s", row->name);
    }

    /* of an encrypted packet the last byte is no padding count */

    n = unhex("a0600001 00000002 00000003 686900ff", b);

    tap_ok(ngx_webrtc_rtp_parse_header(b, b + n, &rtp) == NGX_OK
           && rtp.len == 4 && rtp.padding == 0,
           "parse_header ignores the P bit");
}


static void
test_ext(void)
{
    size_t                 n, len;
    u_char                 b[256], ids[16], *p;
    ngx_uint_t             i, count;
    ngx_webrtc_rtp_t       rtp;
    ngx_webrtc_rtp_ext_t   ext;

    static const struct {
        const char  *name;
        const char  *hex;          /* profile, length, extension */
        const char  *ids;
        ngx_uint_t   id;           /* to be found */
        const char  *value;
    } rows[] = {
        { "aiortc: mid, abs-send-time",
          "bede 0003 95617564696f3022 12345600", "\x09\x02", 9, "audio0" },
        { "padding between", "bede 0002 00001061 00002062", "\x01\x02", 2,
          NULL },
        { "id 15 ends it", "bede 0002 1061 f062 2063 0000", "\x01", 2, NULL },
        { "id 0 with a length ends it", "bede 0001 1061 0162", "\x01", 2,
          NULL },
        { "cut element", "bede 0001 10611f00", "\x01", 3, NULL },
        { "nothing", "bede 0000", "", 1, NULL },
        { "RFC 8285, 4.3: two-byte form",
          "1000 0003 0100 020161 00 0304 62626262 00", "\x01\x02\x03", 3,
          "bbbb" },
        { "two-byte form, appbits", "1005 0001 c8026869", "\xc8", 200, "hi" },
        { "two-byte form, element of nothing", "1000 0001 01000000", "\x01",
          1, "" },
        { "two-byte form, cut header", "1000 0001 01000001", "\x01", 2, NULL },
        { "two-byte form, cut element", "1000 0001 01020000", "\x01", 1, "\0" },
        { "other profile", "1234 0001 10610000", "", 1, NULL }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        n = unhex("90600001 00000002 00000003", b);
        n += unhex(rows[i].hex, b + n);

        if (ngx_webrtc_rtp_parse(b, b + n, &rtp) != NGX_OK) {
            tap_fail("ext: %s", rows[i].name);
            continue;
        }

        count = 0;

        for (p = ngx_webrtc_rtp_ext_next(&rtp, NULL, &ext);
             p != NULL;
             p = ngx_webrtc_rtp_ext_next(&rtp, p, &ext))
        {
            ids[count++] = ext.id;
        }

        tap_is_mem(ids, count, rows[i].ids, strlen(rows[i].ids), "ext ids: %s",
                   rows[i].name);

        if (rows[i].value == NULL || rows[i].value[0] == '\0') {
            continue;
        }

        len = strlen(rows[i].value);

        tap_ok(ngx_webrtc_rtp_ext_find(&rtp, rows[i].id, &ext) == NGX_OK
               && ext.len == len
               && ngx_memcmp(ext.data, rows[i].value, len) == 0,
               "ext find: %s", rows[i].name);
    }

    tap_is_int(ngx_webrtc_rtp_ext_find(&rtp, 0, &ext), NGX_DECLINED,
               "id 0 is never found");
}


/* two-byte elements, RFC 8285, 4.3, of no length */

static void
test_crowded(void)
{
    u_char             b[12 + 4 + 4 * 40];
    size_t             n;
    ngx_uint_t         i, k;
    ngx_webrtc_rtp_t   rtp;

    static const ngx_uint_t  rows[][2] = {
        { 0, 0 }, { 1, 0 }, { NGX_WEBRTC_RTP_EXT_ELEMENTS, 0 },
        { NGX_WEBRTC_RTP_EXT_ELEMENTS + 1, 1 }, { 79, 1 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ngx_memzero(b, sizeof(b));

        n = (rows[i][0] * 2 + 3) / 4;

        b[0] = 0x90;
        b[12] = 0x10;
        b[15] = (u_char) n;

        for (k = 0; k < rows[i][0]; k++) {
            b[16 + 2 * k] = 1;
        }

        tap_ok(ngx_webrtc_rtp_parse(b, b + 16 + 4 * n, &rtp) == NGX_OK
               && ngx_webrtc_rtp_ext_crowded(&rtp) == rows[i][1],
               "%d header extensions", (int) rows[i][0]);
    }
}


static void
test_write(void)
{
    size_t             n;
    u_char             b[64], want[64], *p, *start;
    ngx_uint_t         i;
    ngx_webrtc_rtp_t   rtp;

    ngx_memzero(&rtp, sizeof(ngx_webrtc_rtp_t));

    rtp.pt = 111;
    rtp.marker = 1;
    rtp.seq = 65535;
    rtp.ts = 0xfffffff0;
    rtp.ssrc = 0xdeadbeef;

    n = unhex("80effffffffffff0deadbeef", want);
    p = ngx_webrtc_rtp_write(b, b + sizeof(b), &rtp);

    tap_is_mem(b, p - b, want, n, "write: header as aiortc");

    rtp.extension = 1;

    n = unhex("90effffffffffff0deadbeef bede0003 95617564696f3022 12345600",
              want);

    start = ngx_webrtc_rtp_write(b, b + sizeof(b), &rtp);
    p = ngx_webrtc_rtp_ext_begin(start, b + sizeof(b));
    p = ngx_webrtc_rtp_ext_add(p, b + sizeof(b), 9, (u_char *) "audio0", 6);
    p = ngx_webrtc_rtp_ext_add(p, b + sizeof(b), 2, (u_char *) "\x12\x34\x56",
                               3);
    p = ngx_webrtc_rtp_ext_end(start, p, b + sizeof(b));

    tap_is_mem(b, p - b, want, n, "write: extensions as aiortc");

    for (i = 0; i < n; i++) {
        start = ngx_webrtc_rtp_write(b, b + i, &rtp);
        p = ngx_webrtc_rtp_ext_begin(start, b + i);
        p = ngx_webrtc_rtp_ext_add(p, b + i, 2, (u_char *) "\x12\x34\x56", 3);
        p = ngx_webrtc_rtp_ext_add(p, b + i, 9, (u_char *) "audio0", 6);

        if (ngx_webrtc_rtp_ext_end(start, p, b + i) != NULL) {
            break;
        }
    }

    tap_is_int(i, n, "write: no room is NULL at every length");

    tap_ok(ngx_webrtc_rtp_ext_add(b, b + 64, 0, b, 1) == NULL, "write: id 0");
    tap_ok(ngx_webrtc_rtp_ext_add(b, b + 64, 15, b, 1) == NULL,
           "write: id 15");
    tap_ok(ngx_webrtc_rtp_ext_add(b, b + 64, 1, b, 0) == NULL,
           "write: empty element");
    tap_ok(ngx_webrtc_rtp_ext_add(b, b + 64, 1, b, 17) == NULL,
           "write: element of 17 bytes");
}


int
main(void)
{
    test_classify();
    test_parse();
    test_ext();
    test_crowded();
    test_write();

    return tap_done();
}
