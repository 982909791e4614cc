
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_dcep: DATA_CHANNEL_OPEN and _ACK, written by hand after RFC 8832,
 * 5.1, 5.2 and 8.2.2.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_dcep.h>

#include "tap.h"


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


static const struct {
    const char  *name;
    const char  *hex;
    ngx_int_t    rc;
    uint8_t      type;
    uint8_t      channel_type;
    uint16_t     priority;
    uint32_t     reliability;
    const char  *label;
    const char  *protocol;
} rows[] = {
    { "reliable, label chat",
      "03 00 0000 00000000 0004 0000 63686174",
      NGX_OK, 3, 0x00, 0, 0, "chat", "" },
    { "unordered, 3 retransmissions, label and protocol",
      "03 81 0100 00000003 0001 0008 61 72616e67652e7631",
      NGX_OK, 3, 0x81, 256, 3, "a", "range.v1" },
    { "500 ms, no texts", "03 02 0080 000001f4 0000 0000",
      NGX_OK, 3, 0x02, 128, 500, "", "" },
    { "unordered", "03 80 0000 00000000 0000 0000",
      NGX_OK, 3, 0x80, 0, 0, "", "" },
    { "retransmissions", "03 01 0000 ffffffff 0000 0000",
      NGX_OK, 3, 0x01, 0, 0xffffffff, "", "" },
    { "unordered, timed", "03 82 0000 00000000 0000 0000",
      NGX_OK, 3, 0x82, 0, 0, "", "" },
    { "ack", "02", NGX_OK, 2, 0, 0, 0, NULL, NULL },
    { "ack with more", "02 00", NGX_OK, 2, 0, 0, 0, NULL, NULL },
    { "nothing", "", NGX_DECLINED, 0, 0, 0, 0, NULL, NULL },
    { "unknown message", "01", NGX_DECLINED, 0, 0, 0, 0, NULL, NULL },
    { "unknown channel type", "03 03 0000 00000000 0000 0000",
      NGX_DECLINED, 0, 0, 0, 0, NULL, NULL },
    { "unknown channel type, unordered", "03 83 0000 00000000 0000 0000",
      NGX_DECLINED, 0, 0, 0, 0, NULL, NULL },
    { "cut header", "03 00 0000 00000000 0000 00",
      NGX_DECLINED, 0, 0, 0, 0, NULL, NULL },
    { "cut label", "03 00 0000 00000000 0004 0000 636861",
      NGX_DECLINED, 0, 0, 0, 0, NULL, NULL },
    { "cut protocol", "03 00 0000 00000000 0001 0002 6361",
      NGX_DECLINED, 0, 0, 0, 0, NULL, NULL },
    { "lengths of 65535", "03 00 0000 00000000 ffff ffff 6361",
      NGX_DECLINED, 0, 0, 0, 0, NULL, NULL },
    { "bytes behind it", "03 00 0000 00000000 0001 0000 6361",
      NGX_DECLINED, 0, 0, 0, 0, NULL, NULL }
};


int
main(void)
{
    size_t              n, i;
    u_char              b[64], out[64], *p;
    ngx_uint_t          k;
    ngx_webrtc_dcep_t   dcep;

    for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        n = unhex(rows[k].hex, b);

        tap_is_int(ngx_webrtc_dcep_parse(b, b + n, &dcep), rows[k].rc,
                   "parse: %s", rows[k].name);

        if (rows[k].rc != NGX_OK) {
            continue;
        }

        tap_is_int(dcep.type, rows[k].type, "type: %s", rows[k].name);

        if (dcep.type != NGX_WEBRTC_DCEP_OPEN) {
            continue;
        }

        tap_ok(dcep.channel_type == rows[k].channel_type
               && dcep.priority == rows[k].priority
               && dcep.reliability == rows[k].reliability,
               "fields: %s", rows[k].name);

        tap_is_mem(dcep.label.data, dcep.label.len, rows[k].label,
                   strlen(rows[k].label), "label: %s", rows[k].name);
        tap_is_mem(dcep.protocol.data, dcep.protocol.len, rows[k].protocol,
                   strlen(rows[k].protocol), "protocol: %s", rows[k].name);

        p = ngx_webrtc_dcep_write(out, out + sizeof(out), &dcep);

        tap_is_mem(out, p ? p - out : 0, b, n, "write: %s", rows[k].name);

        for (i = 0; i < n; i++) {
            if (ngx_webrtc_dcep_write(out, out + i, &dcep) != NULL) {
                break;
            }
        }

        tap_is_int(i, n, "write, no room at any length: %s", rows[k].name);
    }

    dcep.type = NGX_WEBRTC_DCEP_ACK;

    p = ngx_webrtc_dcep_write(out, out + sizeof(out), &dcep);
    tap_is_mem(out, p ? p - out : 0, "\x02", 1, "write: ack");

    dcep.type = NGX_WEBRTC_DCEP_OPEN;
    dcep.label.len = 65536;

    tap_ok(ngx_webrtc_dcep_write(out, out + sizeof(out), &dcep) == NULL,
           "write: label too long");

    return tap_done();
}
