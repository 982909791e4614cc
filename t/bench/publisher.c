
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A WHIP publisher: see publisher.h.  RFC 3550, RFC 4585, RFC 4588, RFC 5104,
 * RFC 8285 (header extensions), draft-holmer-rmcat-transport-wide-cc-01.
 */


#include "publisher.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <ngx_webrtc_rtcp.h>
#include <ngx_webrtc_rtcp_fb.h>
#include <ngx_webrtc_report.h>
#include <ngx_webrtc_time.h>
#include <peer.h>


#define HEADER         24                 /* with our extensions */
#define EXT_TWCC       3
#define EXT_MID        4

#define AUDIO_NS       (20 * CLIENT_MS)
#define AUDIO_SIZE     120                /* 48 kbit/s */

/* a publisher that was held up for longer begins anew, and does not catch up */
#define LATE_NS        (200 * CLIENT_MS)

#define READS          64


publisher_conf_t  publisher_conf;


static size_t publisher_offer(client_t *c, char *buf, size_t n);
static void publisher_answered(client_t *c, const char *sdp);
static void publisher_socket(client_t *c);
static void publisher_read(client_t *c);
static void publisher_datagram(client_t *c, u_char *b, size_t n);
static void publisher_up(client_t *c);
static void publisher_ended(client_t *c);

static const client_role_t  role = {
    publisher_offer, publisher_answered, publisher_socket, publisher_read,
    publisher_datagram, publisher_up, publisher_ended
};


static uint32_t
random32(void)
{
    uint32_t  v;

    if (getrandom(&v, sizeof(v), 0) != sizeof(v)) {
        bench_die("getrandom");
    }

    return v;
}


/* session */

/* the codec of video that a publisher could send, too */

static stamp_codec_t
other(stamp_codec_t codec)
{
    return codec == STAMP_VP8 ? STAMP_H264 : STAMP_VP8;
}


/* attributes of a payload type of video; returns bytes */

static int
offer_video(stamp_codec_t codec, char *buf, size_t n)
{
    int  len, pt;

    pt = stamp_pt(codec);

    len = snprintf(buf, n, "%s"
        "a=rtcp-fb:%d nack\r\na=rtcp-fb:%d nack pli\r\n"
        "a=rtcp-fb:%d ccm fir\r\na=rtcp-fb:%d transport-cc\r\n"
        "a=rtcp-fb:%d goog-remb\r\n",
        codec == STAMP_VP8
        ? "a=rtpmap:96 VP8/90000\r\n"
        : "a=rtpmap:102 H264/90000\r\n"
          "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;"
          "profile-level-id=64001f\r\n",
        pt, pt, pt, pt, pt);

    if (publisher_conf.rtx) {
        len += snprintf(buf + len, n - (size_t) len,
            "a=rtpmap:%d rtx/90000\r\na=fmtp:%d apt=%d\r\n", pt + 1, pt + 1,
            pt);
    }

    return len;
}


static size_t
publisher_offer(client_t *c, char *buf, size_t n)
{
    int                 len, pt, first;
    char                fmts[32];
    publisher_t        *p = (publisher_t *) c;
    publisher_track_t  *v = &p->tracks[0], *a = &p->tracks[1];

    pt = stamp_pt(publisher_conf.codec);
    first = stamp_pt(other(publisher_conf.codec));

    if (publisher_conf.both) {
        snprintf(fmts, sizeof(fmts), "%d %d %d %d", first, first + 1, pt,
                 pt + 1);

    } else {
        snprintf(fmts, sizeof(fmts), "%d %d", pt, pt + 1);
    }

    len = snprintf(buf, n,
        "a=group:BUNDLE 0%s\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\n"
        "a=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
        "a=msid:- video\r\n"
        "a=extmap:%d http://www.ietf.org/id/"
        "draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
        "a=extmap:%d urn:ietf:params:rtp-hdrext:sdes:mid\r\n",
        publisher_conf.audio ? " 1" : "", fmts, EXT_TWCC, EXT_MID);

    if (publisher_conf.both) {
        len += offer_video(other(publisher_conf.codec), buf + len,
                           n - (size_t) len);
    }

    len += offer_video(publisher_conf.codec, buf + len, n - (size_t) len);

    if (publisher_conf.rtx) {
        len += snprintf(buf + len, n - (size_t) len,
            "a=ssrc-group:FID %u %u\r\n", v->ssrc, v->rtx_ssrc);
    }

    len += snprintf(buf + len, n - (size_t) len,
        "a=ssrc:%u cname:whipbench\r\n", v->ssrc);

    if (publisher_conf.rtx) {
        len += snprintf(buf + len, n - (size_t) len,
            "a=ssrc:%u cname:whipbench\r\n", v->rtx_ssrc);
    }

    if (publisher_conf.audio) {
        len += snprintf(buf + len, n - (size_t) len,
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
            "a=mid:1\r\na=sendonly\r\na=rtcp-mux\r\na=msid:- audio\r\n"
            "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
            "a=extmap:%d http://www.ietf.org/id/"
            "draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
            "a=extmap:%d urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
            "a=ssrc:%u cname:whipbench\r\n", EXT_TWCC, EXT_MID, a->ssrc);
    }

    return (size_t) len;
}


static void
publisher_answered(client_t *c, const char *sdp)
{
    char          map[32];
    publisher_t  *p = (publisher_t *) c;

    snprintf(map, sizeof(map), "\na=rtpmap:%d ",
             stamp_pt(publisher_conf.codec));

    if (strstr(sdp, map) == NULL) {
        client_fail(c, "the answer has not the codec");
        return;
    }

    p->twcc = strstr(sdp, "\na=rtcp-fb:") && strstr(sdp, "transport-cc")
              && strstr(sdp, "transport-wide-cc");
    p->mid = strstr(sdp, "sdes:mid") != NULL;
    p->tracks[0].rtx = strstr(sdp, " rtx/90000") != NULL;
}


static void
publisher_socket(client_t *c)
{
    int  n = 1 << 20;

    setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n));
}


static void
publisher_up(client_t *c)
{
    int           i;
    uint64_t      now;
    publisher_t  *p = (publisher_t *) c;

    now = bench_now_ns();

    p->begun = now;
    p->change = publisher_conf.change;
    p->paced = now;
    p->reported = now;
    p->want_key = 1;

    for (i = 0; i <= publisher_conf.audio; i++) {
        p->tracks[i].due = now;
        p->tracks[i].history = calloc(PUBLISHER_HISTORY,
                                      sizeof(publisher_packet_t));

        if (p->tracks[i].history == NULL) {
            bench_die("calloc");
        }
    }

    client_set_state(c, CLIENT_RUNNING);
}


void
publisher_start(publisher_t *p, size_t id)
{
    int                 i;
    publisher_track_t  *t;

    memset(p, 0, sizeof(*p));
    client_init(&p->c, &role, id);

    p->generation = publisher_conf.generation
                    + (uint32_t) publisher_conf.begun++;

    for (i = 0; i < 2; i++) {
        t = &p->tracks[i];

        t->codec = i ? STAMP_OPUS : publisher_conf.codec;
        t->pt = (uint8_t) stamp_pt(t->codec);
        t->ssrc = random32() | 1;
        t->rtx_ssrc = random32() | 1;
        t->ts = random32();

        /* RFC 3711, 3.3.1: below 2^15 */
        t->index = random32() & 0x7fff;
        t->rtx_index = random32() & 0x7fff;
    }

    if (publisher_conf.n > 1) {
        snprintf(p->c.path, sizeof(p->c.path), "%s%zu", client_conf.path, id);

    } else {
        snprintf(p->c.path, sizeof(p->c.path), "%s", client_conf.path);
    }

    client_post(&p->c);
}


static void
publisher_ended(client_t *c)
{
    publisher_t  *p = (publisher_t *) c;

    free(p->tracks[0].history);
    free(p->tracks[1].history);
    p->tracks[0].history = NULL;
    p->tracks[1].history = NULL;

    if (c->state == CLIENT_FAILED) {
        return;
    }

    publisher_conf.ended++;

    if (publisher_conf.begun < publisher_conf.cycles) {
        publisher_start(p, c->id);
    }
}


void
publisher_leave(publisher_t *p, int notify)
{
    if (!notify) {
        client_delete(&p->c);
        return;
    }

    ngx_webrtc_dtls_close(&p->c.dtls);
    client_close(&p->c);
    client_set_state(&p->c, CLIENT_GONE);
    publisher_ended(&p->c);
}


/* sending */

static void
write32(u_char *b, uint32_t v)
{
    v = htonl(v);
    memcpy(b, &v, 4);
}


/* an RTP header with the extensions negotiated; returns its bytes */

static size_t
rtp_header(publisher_t *p, u_char *b, int pt, int marker, uint64_t index,
    uint32_t ts, uint32_t ssrc, int track)
{
    u_char  *e;

    b[0] = 0x80;
    b[1] = (u_char) ((marker ? 0x80 : 0) | pt);
    b[2] = (u_char) (index >> 8);
    b[3] = (u_char) index;
    write32(b + 4, ts);
    write32(b + 8, ssrc);

    if (!p->twcc && !p->mid) {
        return 12;
    }

    b[0] |= 0x10;
    memcpy(b + 12, "\xbe\xde\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00", 12);

    e = b + 16;

    if (p->twcc) {
        *e++ = EXT_TWCC << 4 | 1;
        *e++ = (u_char) (p->twcc_seq >> 8);
        *e++ = (u_char) p->twcc_seq;
        p->twcc_seq++;
    }

    if (p->mid) {
        *e++ = EXT_MID << 4;
        *e++ = (u_char) ('0' + track);
    }

    return HEADER;
}


static void
protect_and_send(publisher_t *p, uint64_t index, const u_char *data,
    size_t hdr_n, const u_char *prefix, size_t prefix_n, size_t n)
{
    size_t  len;
    u_char  out[PUBLISHER_PACKET + 64];

    len = sizeof(out);

    if (ngx_webrtc_srtp_protect(&p->c.out, index, data, hdr_n, prefix,
                                prefix_n, data + hdr_n, n, out, &len)
        != NGX_OK)
    {
        bench_die("protect");
    }

    client_send(&p->c, out, len);
}


/* a new packet; payload of n bytes or a stamped one */

static void
publisher_send(publisher_t *p, publisher_track_t *t, const u_char *payload,
    size_t n, int marker)
{
    stamp_t              s;
    publisher_packet_t  *h;

    h = &t->history[t->index & (PUBLISHER_HISTORY - 1)];

    h->index = t->index;
    h->hdr_n = (uint16_t) rtp_header(p, h->data, t->pt, marker, t->index,
                                     t->last_ts, t->ssrc, t != p->tracks);
    h->n = (uint16_t) n;

    if (payload) {
        memcpy(h->data + h->hdr_n, payload, n);

    } else {
        s.gen = p->generation;
        s.track = (uint8_t) (t != p->tracks);
        s.n = t->stamps++;
        s.frame = t->frame;
        s.ns = bench_now_ns();

        stamp_write(h->data + h->hdr_n, n, &t->f, &s);
    }

    t->index++;
    t->packets++;
    t->octets += n;

    p->sent++;
    publisher_conf.packets++;
    publisher_conf.bytes += n;

    if (publisher_conf.drop && t == p->tracks
        && t->packets % publisher_conf.drop == 0)
    {
        publisher_conf.dropped++;
        return;
    }

    protect_and_send(p, h->index, h->data, h->hdr_n, NULL, 0, n);
}


/* bytes of a frame, so that a group of pictures has the bitrate asked for */

static double
frame_bytes(int key)
{
    double  mean, group;

    mean = publisher_conf.bitrate / 8 / publisher_conf.fps;
    group = publisher_conf.fps * publisher_conf.key;

    if (group >= 1) {
        mean = mean * group / (group - 1 + publisher_conf.key_factor);
    }

    return key ? mean * publisher_conf.key_factor : mean;
}


static void
video_begin(publisher_t *p, publisher_track_t *t)
{
    int       key;
    u_char    params[128];
    double    bytes;
    uint32_t  group;

    group = (uint32_t) (publisher_conf.fps * publisher_conf.key);

    key = p->want_key == 1 || (group && t->frame % group == 0);
    p->want_key = p->want_key && !key ? p->want_key - 1 : 0;

    t->f.codec = t->codec;
    t->f.key = key;
    t->f.first = 1;

    bytes = frame_bytes(key);

    t->left = (size_t) (bytes / (double) publisher_conf.size) + 1;
    t->size = (size_t) (bytes / (double) t->left);

    if (t->size < STAMP_MIN) {
        t->size = STAMP_MIN;
    }

    publisher_conf.frames++;
    publisher_conf.keyframes += (uint64_t) key;

    if (key && t->codec == STAMP_H264) {
        publisher_send(p, t, params, stamp_params(params), 0);
    }
}


/* up to n packets of the frame that is being sent */

static void
video_send(publisher_t *p, publisher_track_t *t, size_t n)
{
    while (t->left && n--) {
        t->left--;
        t->f.last = (t->left == 0);

        publisher_send(p, t, NULL, t->size, t->f.last);

        t->f.first = 0;
    }

    if (t->left == 0) {
        t->frame++;
    }
}


/* the timestamp of a frame that is due now */

static void
frame_due(publisher_track_t *t, uint64_t begun, uint64_t now, uint64_t step)
{
    if (now - t->due > LATE_NS) {
        t->due += (now - t->due) / step * step;
    }

    t->last_ns = t->due;
    t->last_ts = t->ts + (uint32_t) ((t->due - begun)
                                     * stamp_rate(t->pt) / 1000000000);
    t->due += step;
}


/*
 * Another SSRC, with timestamps of its own: "5" a new one, whose numbers are 5
 * ahead; "5r" with a new one for retransmissions too; "back" the one before.
 * "codec": the same SSRC, with the other codec of video.
 */

static void
track_change(publisher_track_t *t, const char *change)
{
    int                i;
    char              *end;
    long               step;
    publisher_ssrc_t   now;

    if (*change == 'c') {

        if (t->codec != STAMP_OPUS) {
            t->codec = other(t->codec);
            t->pt = (uint8_t) stamp_pt(t->codec);
        }

        return;
    }

    now.ssrc = t->ssrc;
    now.rtx_ssrc = t->rtx_ssrc;
    now.index = t->index;
    now.rtx_index = t->rtx_index;

    step = strtol(change, &end, 10);

    if (end == change) {
        t->ssrc = t->before.ssrc;
        t->index = t->before.index;

        if (t->rtx_ssrc != t->before.rtx_ssrc) {
            t->rtx_ssrc = t->before.rtx_ssrc;
            t->rtx_index = t->before.rtx_index;
        }

    } else {
        t->ssrc = random32() | 1;
        t->index = (uint16_t) (t->index + (uint64_t) step);

        if (*end == 'r') {
            t->rtx_ssrc = random32() | 1;
            t->rtx_index = random32() & 0x7fff;
        }
    }

    t->before = now;
    t->ts += 0x40000000;
    t->last_ts += 0x40000000;

    for (i = 0; i < PUBLISHER_HISTORY; i++) {
        t->history[i].n = 0;
    }
}


static void
publisher_change(publisher_t *p)
{
    int  i;

    for (i = 0; i <= publisher_conf.audio; i++) {
        track_change(&p->tracks[i], p->change);
    }

    if (*p->change == 'c') {
        /* an encoder begins with one */
        p->want_key = 1;
    }

    p->change = strchr(p->change, ',');

    if (p->change) {
        p->change++;
    }

    p->changed = p->sent;
    publisher_conf.changes++;
}


uint64_t
publisher_pump(publisher_t *p, uint64_t now)
{
    uint64_t            next;
    publisher_track_t  *v = &p->tracks[0], *a = &p->tracks[1];

    if (p->c.state != CLIENT_RUNNING) {
        return UINT64_MAX;
    }

    if (publisher_conf.mute >= 0
        && (!publisher_conf.audio
            || a->packets >= (uint64_t) publisher_conf.mute))
    {
        return UINT64_MAX;
    }

    if (now >= v->due && publisher_conf.mute < 0) {
        if (v->left) {
            /* the link is not slower than the encoder */
            video_send(p, v, v->left);
        }

        if (p->change && p->sent - p->changed >= publisher_conf.hold) {
            publisher_change(p);
        }

        frame_due(v, p->begun, now, (uint64_t) (1e9 / publisher_conf.fps));
        video_begin(p, v);
        p->paced = now;
    }

    if (v->left && now >= p->paced) {
        p->paced = now + (uint64_t) (publisher_conf.pace_ms * 1e6);
        video_send(p, v, publisher_conf.burst ? publisher_conf.burst
                                              : v->left);
    }

    if (publisher_conf.audio && now >= a->due) {
        frame_due(a, p->begun, now, AUDIO_NS);

        a->f.codec = STAMP_OPUS;
        publisher_send(p, a, NULL, AUDIO_SIZE, a->frame == 0);
        a->frame++;
    }

    next = publisher_conf.mute < 0 ? v->due : UINT64_MAX;

    if (v->left && p->paced < next) {
        next = p->paced;
    }

    if (publisher_conf.audio && a->due < next) {
        next = a->due;
    }

    return next;
}


static void
rtcp_send(publisher_t *p, u_char *b, u_char *end)
{
    size_t  n;

    if (end == NULL) {
        return;
    }

    n = (size_t) (end - b);

    if (ngx_webrtc_srtp_protect_rtcp(&p->c.out, b, &n,
                                     n + NGX_WEBRTC_SRTP_RTCP_TAG)
        == NGX_OK)
    {
        client_send(&p->c, b, n);
    }
}


/* RFC 3550, 6.4.1 */

static void
publisher_report(publisher_t *p)
{
    int                    i;
    u_char                 b[256], *e;
    uint64_t               now, wall;
    publisher_track_t     *t;
    ngx_webrtc_rtcp_sr_t   sr;

    now = bench_now_ns();
    wall = bench_wall_ns() / 1000;

    for (i = 0; i <= publisher_conf.audio; i++) {
        t = &p->tracks[i];

        if (t->packets == 0) {
            continue;
        }

        sr.ssrc = t->ssrc;
        sr.ntp = ngx_webrtc_time_ntp(wall);
        sr.rtp = t->last_ts + (uint32_t) ((now - t->last_ns)
                                          * stamp_rate(t->pt) / 1000000000);
        sr.packets = (uint32_t) t->packets;
        sr.octets = (uint32_t) t->octets;

        e = ngx_webrtc_rtcp_write_sr(b, b + 200, &sr, NULL, 0);
        e = ngx_webrtc_rtcp_write_sdes(e, b + 200, t->ssrc,
                                       (u_char *) "whipbench", 9);
        rtcp_send(p, b, e);
    }
}


void
publisher_timer(publisher_t *p, uint64_t now, int second)
{
    if (p->c.state != CLIENT_RUNNING) {
        client_timer(&p->c, now);
        return;
    }

    if (second) {
        publisher_report(p);

        if (++p->turns % client_conf.consent == 0) {
            client_check(&p->c);
        }
    }

    if (publisher_conf.cycles && p->sent >= publisher_conf.hold) {
        publisher_leave(p, publisher_conf.left++ % 2);
    }
}


/* feedback */

static publisher_track_t *
track_of(publisher_t *p, uint32_t ssrc)
{
    int  i;

    for (i = 0; i <= publisher_conf.audio; i++) {
        if (p->tracks[i].ssrc == ssrc) {
            return &p->tracks[i];
        }
    }

    return NULL;
}


static void
resend(publisher_t *p, publisher_track_t *t, uint16_t seq)
{
    u_char               data[PUBLISHER_PACKET], osn[2];
    size_t               hdr_n;
    uint64_t             index;
    publisher_packet_t  *h;

    publisher_conf.nacks++;

    index = t->index - (uint16_t) ((uint16_t) t->index - seq);
    h = &t->history[index & (PUBLISHER_HISTORY - 1)];

    if (index >= t->index || h->index != index || h->n == 0) {
        publisher_conf.unknown++;
        return;
    }

    publisher_conf.resent++;

    if (!t->rtx) {
        protect_and_send(p, index, h->data, h->hdr_n, NULL, 0, h->n);
        return;
    }

    hdr_n = rtp_header(p, data, (h->data[1] & 0x7f) + 1, h->data[1] & 0x80,
                       t->rtx_index,
                       ntohl(*(uint32_t *) (void *) (h->data + 4)),
                       t->rtx_ssrc, t != p->tracks);
    memcpy(data + hdr_n, h->data + h->hdr_n, h->n);

    osn[0] = (u_char) (seq >> 8);
    osn[1] = (u_char) seq;

    protect_and_send(p, t->rtx_index++, data, hdr_n, osn, 2, h->n);
}


static void
want_key(publisher_t *p)
{
    publisher_conf.last_pli = bench_now_ns();

    if (!publisher_conf.deaf && p->want_key == 0) {
        p->want_key = 1 + publisher_conf.late;
    }
}


static void
rtpfb(publisher_t *p, const ngx_webrtc_rtcp_t *r)
{
    int64_t                     arrival;
    uint16_t                    pid, blp, seq;
    ngx_uint_t                  i, received;
    publisher_track_t          *t;
    ngx_webrtc_rtcp_fb_t        fb;
    ngx_webrtc_rtcp_twcc_t      twcc;
    ngx_webrtc_rtcp_fb_twcc_t   it;

    if (ngx_webrtc_rtcp_parse_fb(r, &fb) != NGX_OK) {
        return;
    }

    if (r->count == NGX_WEBRTC_RTPFB_NACK) {
        t = track_of(p, fb.media);

        for (i = 0;
             t && ngx_webrtc_rtcp_parse_nack(&fb, i, &pid, &blp) == NGX_OK;
             i++)
        {
            for (resend(p, t, pid++); blp; blp >>= 1, pid++) {
                if (blp & 1) {
                    resend(p, t, pid);
                }
            }
        }

        return;
    }

    if (r->count == NGX_WEBRTC_RTPFB_TWCC
        && ngx_webrtc_rtcp_parse_twcc(&fb, &twcc) == NGX_OK
        && ngx_webrtc_rtcp_fb_twcc_init(&it, &twcc) == NGX_OK)
    {
        publisher_conf.feedback++;

        while (ngx_webrtc_rtcp_fb_twcc_next(&it, &seq, &received, &arrival)
               == NGX_OK)
        {
            publisher_conf.fed += (received != 0);
            publisher_conf.fed_lost += (received == 0);
        }
    }
}


static void
psfb(publisher_t *p, const ngx_webrtc_rtcp_t *r)
{
    uint8_t                  n;
    uint32_t                 ssrc;
    ngx_webrtc_rtcp_fb_t     fb;
    ngx_webrtc_rtcp_remb_t   remb;

    if (ngx_webrtc_rtcp_parse_fb(r, &fb) != NGX_OK) {
        return;
    }

    switch (r->count) {

    case NGX_WEBRTC_PSFB_PLI:
        publisher_conf.plis++;
        want_key(p);
        return;

    case NGX_WEBRTC_PSFB_FIR:

        if (ngx_webrtc_rtcp_parse_fir(&fb, 0, &ssrc, &n) == NGX_OK) {
            publisher_conf.firs++;
            want_key(p);
        }

        return;

    case NGX_WEBRTC_PSFB_AFB:

        if (ngx_webrtc_rtcp_parse_remb(&fb, &remb) == NGX_OK) {
            publisher_conf.rembs++;
            publisher_conf.remb = (double) remb.bitrate;
        }

        return;
    }
}


/* RFC 3611, 4.4 and 4.5: what lets the server know its round trip */

static void
xr(publisher_t *p, const ngx_webrtc_rtcp_t *r)
{
    u_char                   b[128], *e, *at;
    uint32_t                 ssrc;
    uint64_t                 ntp;
    ngx_webrtc_rtcp_xr_t     block;
    ngx_webrtc_rtcp_dlrr_t   dlrr;

    at = NULL;

    while ((at = ngx_webrtc_rtcp_parse_xr(r, at, &ssrc, &block)) != NULL) {

        if (ngx_webrtc_rtcp_parse_rrt(&block, &ntp) != NGX_OK) {
            continue;
        }

        dlrr.ssrc = ssrc;
        dlrr.lrr = (uint32_t) (ntp >> 16);
        dlrr.dlrr = 0;

        e = ngx_webrtc_rtcp_write_rr(b, b + 100, p->tracks[0].ssrc, NULL, 0);
        e = ngx_webrtc_rtcp_fb_write_dlrr(e, b + 100, p->tracks[0].ssrc,
                                          &dlrr, 1);
        rtcp_send(p, b, e);
    }
}


static void
rtcp_input(publisher_t *p, u_char *b, size_t n)
{
    u_char                   *at, *end;
    uint32_t                  ssrc, now, rtt;
    ngx_uint_t                i;
    ngx_webrtc_rtcp_t         r;
    ngx_webrtc_rtcp_block_t   block;

    if (p->c.in.rtcp == NULL
        || ngx_webrtc_srtp_unprotect_rtcp(&p->c.in, b, &n) != NGX_OK
        || ngx_webrtc_rtcp_check(b, b + n) != NGX_OK)
    {
        publisher_conf.unknown++;
        return;
    }

    end = b + n;

    for (at = b; (at = ngx_webrtc_rtcp_next(at, end, &r)) != NULL; ) {

        if (publisher_conf.alone
            && (r.type == NGX_WEBRTC_RTCP_RTPFB
                || r.type == NGX_WEBRTC_RTCP_PSFB)
            && r.body - 4 != b)
        {
            publisher_conf.ignored++;
            continue;
        }

        switch (r.type) {

        case NGX_WEBRTC_RTCP_RR:

            now = (uint32_t) (ngx_webrtc_time_ntp(bench_wall_ns() / 1000)
                              >> 16);

            for (i = 0;
                 ngx_webrtc_rtcp_parse_block(&r, i, &ssrc, &block) == NGX_OK;
                 i++)
            {
                publisher_conf.reports++;

                if (ngx_webrtc_report_rtt(now, block.lsr, block.dlsr, &rtt)
                    == NGX_OK)
                {
                    bench_add(&publisher_conf.rtt_ms, rtt / 1e3);
                }
            }

            break;

        case NGX_WEBRTC_RTCP_RTPFB:
            rtpfb(p, &r);
            break;

        case NGX_WEBRTC_RTCP_PSFB:
            psfb(p, &r);
            break;

        case NGX_WEBRTC_RTCP_XR:
            xr(p, &r);
            break;
        }
    }
}


static void
publisher_read(client_t *c)
{
    int           i;
    u_char        b[2048];
    ssize_t       n;

    for (i = 0; i < READS && c->fd != -1; i++) {
        n = recv(c->fd, b, sizeof(b), MSG_DONTWAIT);

        if (n <= 0) {
            return;
        }

        publisher_datagram(c, b, (size_t) n);
    }
}


static void
publisher_datagram(client_t *c, u_char *b, size_t n)
{
    if (b[0] < 128) {
        client_input(c, b, n);

    } else if (n > 1 && b[1] >= 192 && b[1] <= 223) {
        rtcp_input((publisher_t *) c, b, n);

    } else {
        publisher_conf.unknown++;
    }
}


/* the same without a server */

void
publisher_loopback(bench_values_t *ms, size_t n)
{
    int                    fd, on;
    u_char                 b[2048], control[128];
    size_t                 i;
    stamp_t                s;
    socklen_t              len;
    publisher_t            p;
    struct iovec           iov;
    struct pollfd          pfd;
    struct msghdr          msg;
    struct cmsghdr        *cmsg;
    struct timespec        ts;
    publisher_track_t     *t;
    struct sockaddr_in     addr;
    ngx_webrtc_srtp_in_t   in;
    ngx_webrtc_srtp_key_t  key;

    memset(&p, 0, sizeof(p));
    memset(&in, 0, sizeof(in));
    memset(&key, 0x5a, sizeof(key));
    memset(&addr, 0, sizeof(addr));

    key.profile = NGX_WEBRTC_SRTP_AEAD_AES_128_GCM;

    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    len = sizeof(addr);
    on = 1;

    fd = socket(AF_INET, SOCK_DGRAM, 0);
    p.c.fd = socket(AF_INET, SOCK_DGRAM, 0);

    t = &p.tracks[0];
    t->history = calloc(PUBLISHER_HISTORY, sizeof(publisher_packet_t));

    if (fd == -1 || p.c.fd == -1 || t->history == NULL
        || bind(fd, (struct sockaddr *) &addr, len) == -1
        || getsockname(fd, (struct sockaddr *) &addr, &len) == -1
        || connect(p.c.fd, (struct sockaddr *) &addr, len) == -1
        || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == -1
        || ngx_webrtc_srtp_out_init(&p.c.out, &key) != NGX_OK
        || ngx_webrtc_srtp_in_init(&in, &key) != NGX_OK)
    {
        bench_die("loopback");
    }

    t->codec = STAMP_H264;
    t->pt = STAMP_PT_H264;
    t->ssrc = 1;

    for (i = 0; i < n; i++) {

        publisher_send(&p, t, NULL, publisher_conf.size, 1);

        pfd.fd = fd;
        pfd.events = POLLIN;
        iov.iov_base = b;
        iov.iov_len = sizeof(b);

        memset(&msg, 0, sizeof(msg));
        msg.msg_iov = &iov;
        msg.msg_iovlen = 1;
        msg.msg_control = control;
        msg.msg_controllen = sizeof(control);

        if (poll(&pfd, 1, 100) <= 0) {
            continue;
        }

        len = (socklen_t) recvmsg(fd, &msg, 0);
        cmsg = CMSG_FIRSTHDR(&msg);

        on = (int) len;
        iov.iov_len = (size_t) on;

        if (cmsg == NULL || cmsg->cmsg_type != SO_TIMESTAMPNS
            || ngx_webrtc_srtp_unprotect(&in, b, &iov.iov_len) != NGX_OK
            || !stamp_read(b + 12, iov.iov_len - 12, &s))
        {
            continue;
        }

        memcpy(&ts, CMSG_DATA(cmsg), sizeof(ts));

        bench_add(ms, ((double) ts.tv_sec * 1e9 + (double) ts.tv_nsec
                       - (double) bench_wall_offset() - (double) s.ns) / 1e6);
    }

    publisher_conf.packets -= n;
    publisher_conf.bytes -= n * publisher_conf.size;

    free(t->history);
    close(fd);
    close(p.c.fd);
    ngx_webrtc_srtp_in_cleanup(&in);
    ngx_webrtc_srtp_out_cleanup(&p.c.out);
}
