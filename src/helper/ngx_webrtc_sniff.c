
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Recognizes what an upstream sends: see ngx_webrtc_sniff.h.
 *
 * ITU-T H.222.0; Adobe Flash Video File Format 10.1, annex E; Enhanced RTMP v2.
 */


#include "ngx_webrtc_sniff.h"


/*
 * scrambled packets, with next to none that can be read, before we are sure;
 * chosen: a tenth of a second
 */
#define NGX_WEBRTC_SNIFF_SURE   100

/* the same for one PID; chosen: a second of sound */
#define NGX_WEBRTC_SNIFF_PID    40

/* packets in a row that make a transport stream; chosen: as libavformat */
#define NGX_WEBRTC_SNIFF_SYNC   5

/* 2.4.3.2, 2.4.3.6 */
#define NGX_WEBRTC_TS_SYNC      0x47
#define NGX_WEBRTC_TS_NULL      0x1fff


typedef struct {
    const char  *name;
    const char  *bytes;
    size_t       len;
} ngx_webrtc_sniff_magic_t;


static void ngx_webrtc_sniff_ts(ngx_webrtc_sniff_t *s);
static void ngx_webrtc_sniff_ts_count(ngx_webrtc_sniff_t *s, ngx_uint_t pid,
    ngx_uint_t scrambled);
static void ngx_webrtc_sniff_ts_sync(ngx_webrtc_sniff_t *s);
static ngx_uint_t ngx_webrtc_sniff_text(ngx_webrtc_sniff_t *s, ngx_uint_t i);


/* lower-case letters match either case */

static const ngx_webrtc_sniff_magic_t  ngx_webrtc_sniff_magics[] = {
    { "HTML", "<!doctype html", 14 },
    { "HTML", "<html", 5 },
    { "HTML", "<head", 5 },
    { "XML", "<?xml", 5 },
    { "a playlist", "#extm3u", 7 },
    { "SDP", "v=0", 3 },
    { "JSON", "{", 1 },
    { "JSON", "[", 1 },
    { "JPEG", "\xff\xd8\xff", 3 },
    { "PNG", "\x89png\r\n", 6 },
    { "GIF", "gif8", 4 },
    { "PDF", "%pdf", 4 },
    { "ZIP", "pk\x03\x04", 4 },
    { "gzip", "\x1f\x8b", 2 },
    { NULL, NULL, 0 }
};


static const ngx_webrtc_sniff_magic_t  ngx_webrtc_sniff_fourccs[] = {
    { "hevc", "hvc1", 4 },
    { "h264", "avc1", 4 },
    { "vvc", "vvc1", 4 },
    { "av1", "av01", 4 },
    { "vp9", "vp09", 4 },
    { "vp8", "vp08", 4 },
    { "opus", "Opus", 4 },
    { "flac", "fLaC", 4 },
    { "ac3", "ac-3", 4 },
    { "eac3", "ec-3", 4 },
    { "mp3", ".mp3", 4 },
    { "aac", "mp4a", 4 },
    { NULL, NULL, 0 }
};


void
ngx_webrtc_sniff(ngx_webrtc_sniff_t *s, u_char *p, size_t n)
{
    size_t  len;

    len = ngx_min(n, NGX_WEBRTC_SNIFF_HEAD - s->nhead);

    ngx_memcpy(s->head + s->nhead, p, len);
    s->nhead += len;

    while (n) {

        len = ngx_min(n, NGX_WEBRTC_SNIFF_TS - s->npacket);

        ngx_memcpy(s->packet + s->npacket, p, len);
        s->npacket += len;

        p += len;
        n -= len;

        if (s->packet[0] != NGX_WEBRTC_TS_SYNC) {
            ngx_webrtc_sniff_ts_sync(s);
        }

        if (s->npacket == NGX_WEBRTC_SNIFF_TS) {

            if (++s->synced > NGX_WEBRTC_SNIFF_SYNC) {
                ngx_webrtc_sniff_ts(s);
            }

            s->npacket = 0;
        }
    }
}


const char *
ngx_webrtc_sniff_name(ngx_webrtc_sniff_t *s)
{
    u_char                           c;
    size_t                           k;
    ngx_uint_t                       i;
    const ngx_webrtc_sniff_magic_t  *magic;

    /* white space and the UTF-8 byte order mark */

    i = (s->nhead >= 3 && ngx_memcmp(s->head, "\xef\xbb\xbf", 3) == 0) ? 3 : 0;

    while (i < s->nhead && (s->head[i] == ' ' || s->head[i] == '\t'
                            || s->head[i] == CR || s->head[i] == LF))
    {
        i++;
    }

    for (magic = ngx_webrtc_sniff_magics; magic->name; magic++) {

        if (magic->len > s->nhead - i) {
            continue;
        }

        for (k = 0; k < magic->len; k++) {
            c = s->head[i + k];

            if (c >= 'A' && c <= 'Z') {
                c |= 0x20;
            }

            if (c != (u_char) magic->bytes[k]) {
                break;
            }
        }

        if (k == magic->len) {
            return magic->name;
        }
    }

    return ngx_webrtc_sniff_text(s, i) ? "text" : NULL;
}


ngx_uint_t
ngx_webrtc_sniff_scrambled(ngx_webrtc_sniff_t *s)
{
    return s->scrambled >= NGX_WEBRTC_SNIFF_SURE
           && s->clear < s->scrambled / 16;
}


ngx_uint_t
ngx_webrtc_sniff_pid(ngx_webrtc_sniff_t *s, ngx_uint_t pid)
{
    ngx_uint_t  i;

    for (i = 0; i < s->npids; i++) {
        if (s->pids[i].pid == pid) {
            return s->pids[i].scrambled >= NGX_WEBRTC_SNIFF_PID
                   && s->pids[i].clear == 0;
        }
    }

    return 0;
}


const char *
ngx_webrtc_sniff_flv(ngx_uint_t video, ngx_uint_t codec, u_char *p, size_t n,
    ngx_uint_t *fourcc)
{
    const ngx_webrtc_sniff_magic_t  *magic;

    *fourcc = 1;

    for (magic = ngx_webrtc_sniff_fourccs; magic->name; magic++) {
        if (n >= magic->len
            && ngx_memcmp(p, magic->bytes, magic->len) == 0)
        {
            return magic->name;
        }
    }

    *fourcc = 0;

    /* 12 and 13 are not Adobe's: Chinese encoders have long used them */

    if (video) {
        return (codec == 12) ? "hevc" : (codec == 13) ? "av1" : NULL;
    }

    return (codec == 13) ? "opus" : NULL;
}


static void
ngx_webrtc_sniff_ts(ngx_webrtc_sniff_t *s)
{
    u_char      *p, *end;
    ngx_uint_t   pid;

    p = s->packet;
    end = p + NGX_WEBRTC_SNIFF_TS;

    pid = (p[1] & 0x1f) << 8 | p[2];

    /* transport_error_indicator; no payload */

    if (pid == NGX_WEBRTC_TS_NULL || (p[1] & 0x80) || !(p[3] & 0x10)) {
        return;
    }

    /* Table 2-4: transport_scrambling_control, 01 is user-defined */

    if (p[3] & 0x80) {
        ngx_webrtc_sniff_ts_count(s, pid, 1);
        return;
    }

    /* payload_unit_start_indicator */

    if (!(p[1] & 0x40)) {
        return;
    }

    if (p[3] & 0x20) {

        if (p[4] > NGX_WEBRTC_SNIFF_TS - 5) {
            return;
        }

        p += 1 + p[4];
    }

    p += 4;

    /* a PES packet of audio, video or private data, Table 2-22 */

    if (end - p < 7
        || p[0] != 0 || p[1] != 0 || p[2] != 1
        || (p[3] != 0xbd && p[3] != 0xfd && (p[3] < 0xc0 || p[3] > 0xef)))
    {
        return;
    }

    /* PES_scrambling_control */

    ngx_webrtc_sniff_ts_count(s, pid,
                              (p[6] & 0xc0) == 0x80 && (p[6] & 0x20));
}


static void
ngx_webrtc_sniff_ts_count(ngx_webrtc_sniff_t *s, ngx_uint_t pid,
    ngx_uint_t scrambled)
{
    ngx_uint_t               i;
    ngx_webrtc_sniff_pid_t  *p;

    if (scrambled) {
        s->scrambled++;

    } else {
        s->clear++;
    }

    for (i = 0; i < s->npids && s->pids[i].pid != pid; i++) { /* void */ }

    if (i == NGX_WEBRTC_SNIFF_PIDS) {
        return;
    }

    p = &s->pids[i];

    if (i == s->npids) {
        s->npids++;
        p->pid = pid;
    }

    if (scrambled) {
        p->scrambled++;

    } else {
        p->clear++;
    }
}


/* from where a packet may begin, on */

static void
ngx_webrtc_sniff_ts_sync(ngx_webrtc_sniff_t *s)
{
    u_char  *p;

    s->synced = 0;

    p = memchr(s->packet, NGX_WEBRTC_TS_SYNC, s->npacket);

    if (p == NULL) {
        s->npacket = 0;
        return;
    }

    s->npacket -= p - s->packet;
    ngx_memmove(s->packet, p, s->npacket);
}


static ngx_uint_t
ngx_webrtc_sniff_text(ngx_webrtc_sniff_t *s, ngx_uint_t i)
{
    u_char  c;

    if (s->nhead - i < 8) {
        return 0;
    }

    for ( /* void */ ; i < s->nhead; i++) {
        c = s->head[i];

        if ((c < ' ' && c != '\t' && c != CR && c != LF) || c >= 0x7f) {
            return 0;
        }
    }

    return 1;
}
