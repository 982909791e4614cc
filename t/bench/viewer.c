
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A WHEP viewer.
 *
 * Light mode.  A viewer decrypts until its first key frame.  After that only
 * the start of each message is read (recvmmsg() with UDP_GRO and a short
 * buffer): the header of its first packet, its length and that of a packet.
 * Since the next message has to begin with the sequence number behind it, no
 * loss goes unseen, at 2 us per frame and viewer.
 *
 * Checking mode.  Every packet is authenticated and decrypted by the module's
 * ingress, which t/unit/srtp.c holds against libsrtp2; sequence numbers must be
 * unbroken, timestamps in order, and every H.264 fragment must have its start
 * and end.  Of stamped packets (stamp.h) none may
 * be missing or come twice, and timestamps must go on with the time they were
 * sent, also from one publisher to the next.
 *
 * Bad viewers report loss, and each second ask for packets again that are
 * spread over it, although they have got them.
 *
 * Blind mode.  All but every 32nd viewer have the kernel drop RTP in front of
 * the socket, so that the client costs next to nothing and two workers can be
 * measured on two cores.
 */


#include "viewer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define BATCH          16
#define LIGHT_BUF      256
#define FULL_BUF       65536
#define BLIND_EVERY    32

/* numbers in a NACK */
#define VIEWER_NACKS   250


viewer_conf_t  viewer_conf;

static struct mmsghdr    msgs[BATCH];
static struct iovec      iovs[BATCH];
static u_char           *bufs[BATCH];
static u_char            controls[BATCH][128] __attribute__((aligned(8)));


static size_t viewer_offer(client_t *c, char *p, size_t n);
static void viewer_socket(client_t *c);
static void viewer_read(client_t *c);
static void viewer_framed(client_t *c, u_char *p, size_t n);
static void viewer_up(client_t *c);
static void viewer_ended(client_t *c);

static const client_role_t  role = {
    viewer_offer, NULL, viewer_socket, viewer_read, viewer_framed, viewer_up,
    viewer_ended
};


/* RTP in front of the socket is dropped; DTLS, STUN and RTCP pass */

static void
blind(viewer_t *v)
{
    static struct sock_filter  code[] = {
        /* UDP payload begins behind the header of 8 bytes */
        { BPF_LD | BPF_B | BPF_ABS, 0, 0, 8 },
        { BPF_JMP | BPF_JGE | BPF_K, 0, 4, 128 },
        { BPF_LD | BPF_B | BPF_ABS, 0, 0, 9 },
        { BPF_JMP | BPF_JGE | BPF_K, 0, 1, 192 },
        { BPF_JMP | BPF_JGE | BPF_K, 0, 1, 224 },
        { BPF_RET | BPF_K, 0, 0, 0 },
        { BPF_RET | BPF_K, 0, 0, 0xffff },
    };

    struct sock_fprog  prog = { sizeof(code) / sizeof(code[0]), code };

    if (setsockopt(v->c.fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog))
        == -1)
    {
        bench_die("SO_ATTACH_FILTER");
    }
}


/* RTP */

static viewer_stream_t *
stream_of(viewer_t *v, const u_char *p)
{
    size_t     i;
    uint32_t   ssrc;
    viewer_stream_t  *st;

    memcpy(&ssrc, p + 8, 4);

    for (i = 0; i < v->nstreams; i++) {
        if (v->streams[i].ssrc == ssrc) {
            return &v->streams[i];
        }
    }

    if (v->nstreams == VIEWER_SSRCS) {
        return NULL;
    }

    st = &v->streams[v->nstreams++];

    memset(st, 0, sizeof(*st));
    st->ssrc = ssrc;
    st->next = (uint16_t) (p[2] << 8 | p[3]);
    st->pt = p[1] & 0x7f;
    st->ext = st->next;

    return st;
}


static int
is_video(unsigned pt)
{
    return pt == STAMP_PT_H264 || pt == STAMP_PT_VP8;
}


static uint32_t
rtp_ts(const u_char *p)
{
    return (uint32_t) p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7];
}


/*
 * RFC 6184: a marker ends a frame, and nothing else does; a fragment has start
 * and end.
 */

static void
h264_check(viewer_stream_t *st, const u_char *p, size_t n, uint32_t ts)
{
    if (st->marked != (ts != st->checked_ts)) {
        st->broken++;
    }

    if ((p[0] & 31) == 28) {
        if (n < 2 || st->fragment == ((p[1] & 0x80) != 0)) {
            st->broken++;
        }

    } else if (st->fragment) {
        st->broken++;
    }
}


static void
stamp_check(viewer_t *v, viewer_stream_t *st, const stamp_t *s, uint64_t wall)
{
    int32_t        d;
    int64_t        lead;
    uint64_t       late;
    viewer_gen_t  *g;

    g = st->ngens ? &st->gens[st->ngens - 1] : NULL;

    if (g && g->gen == s->gen && g->pt == st->pt) {
        d = (int32_t) (s->n - st->n);

        if (d > 0) {
            st->missing += (uint64_t) d - 1;

        } else {
            st->again++;
        }

        v->n.broken += st->broken;

    } else {

        /* what the publisher before has not finished is no fault */

        if (st->ngens == VIEWER_GENERATIONS) {
            memmove(st->gens, st->gens + 1,
                    sizeof(st->gens) - sizeof(viewer_gen_t));
            st->ngens--;
        }

        g = &st->gens[st->ngens++];
        g->gen = s->gen;
        g->pt = st->pt;
        g->packets = 0;
    }

    st->broken = 0;
    st->n = s->n;
    st->stamped++;
    g->packets++;

    if (s->ns >= v->c.secured_ns) {

        /* not of the replay, whose time is squeezed */

        lead = st->media * 1000000 / stamp_rate(st->pt)
               - (int64_t) (s->ns / 1000);

        if (!st->led || lead < st->lead_min) {
            st->lead_min = lead;
        }

        if (!st->led || lead > st->lead_max) {
            st->lead_max = lead;
        }

        st->led = 1;

        late = bench_now_ns() - s->ns;

        if (late > st->late) {
            st->late = late;
        }
    }

    if (wall && viewer_conf.measuring) {
        bench_add(&viewer_conf.latency_ms,
                  ((double) wall - (double) bench_wall_offset()
                   - (double) s->ns) / 1e6);
    }
}


/* a decrypted packet */

static void
rtp_check(viewer_t *v, viewer_stream_t *st, const u_char *p, size_t n,
    int in_order, uint64_t wall)
{
    size_t    h;
    uint32_t  ts;
    unsigned  pt;
    stamp_t   stamp;

    h = 12 + 4 * (size_t) (p[0] & 15);
    pt = p[1] & 0x7f;

    if ((p[0] & 0x10) && n >= h + 4) {
        h += 4 + 4 * (size_t) (p[h + 2] << 8 | p[h + 3]);
    }

    if (h >= n) {
        v->n.broken++;
        return;
    }

    p += h;
    n -= h;

    if (!v->keyed && is_video(pt) && stamp_is_key(pt, p, n)) {
        v->keyed = 1;
        v->key = client_since_ms(&v->c);
    }

    if (!viewer_conf.verify) {
        return;
    }

    ts = rtp_ts(p - h);

    if (st->checked) {
        st->media += (int32_t) (ts - st->checked_ts);

        if (in_order && (int32_t) (ts - st->checked_ts) < 0) {
            st->backwards++;
            v->n.broken++;
        }

        if (pt != st->pt) {
            st->switches++;
            st->fragment = 0;
            st->marked = 1;

        } else if (in_order && pt == STAMP_PT_H264) {
            h264_check(st, p, n, ts);
        }
    }

    st->checked++;
    st->pt = (uint8_t) pt;

    st->fragment = pt == STAMP_PT_H264 && (p[0] & 31) == 28
                   && n > 1 && !(p[1] & 0x40);
    st->marked = (p[1 - (ptrdiff_t) h] & 0x80) != 0;
    st->checked_ts = ts;

    if (stamp_read(p, n, &stamp)) {
        stamp_check(v, st, &stamp, wall);

    } else if (st->ngens == 0) {
        v->n.broken += st->broken;
        st->broken = 0;
    }
}


static void
rtp_trace(size_t n, int marker)
{
    if (ftell(viewer_conf.trace) > 0 || marker) {

        /* from a whole frame on */

        static int  begun;

        if (!begun) {
            begun = marker;
            return;
        }

        fprintf(viewer_conf.trace, "%zu%s", n, marker ? "\n" : " ");

        return;
    }
}


/*
 * A message of count packets with consecutive numbers, of which the first's
 * header is at p.
 */

static void
rtp_count(viewer_t *v, viewer_stream_t *st, const u_char *p, size_t n,
    size_t count)
{
    int16_t   d;
    uint16_t  seq;
    uint32_t  ts;
    uint64_t  now;

    seq = (uint16_t) (p[2] << 8 | p[3]);
    ts = rtp_ts(p);

    d = (int16_t) (seq - st->next);

    st->breaks += (d != 0);

    if (d < 0) {
        v->n.reordered += count;
        v->n.lost -= (v->n.lost < count) ? v->n.lost : count;

    } else {
        v->n.lost += (uint16_t) d;
        st->ext += (uint64_t) d + count;
        st->next = (uint16_t) (seq + count);

        if (ts != st->ts || st->received == 0) {
            v->n.frames += (uint64_t) is_video(p[1] & 0x7f);

            now = bench_now_ns();

            if (st->received && now - st->frame_ns > st->gap_ns) {
                st->gap_ns = now - st->frame_ns;
            }

            st->frame_ns = now;
        }

        st->ts = ts;
    }

    st->received += count;
    v->n.packets += count;
    v->n.bytes += n;
}


static void
rtp_input(viewer_t *v, u_char *p, size_t n, size_t size, int whole,
    uint64_t arrival)
{
    size_t     k, len, count;
    uint16_t   was;
    viewer_stream_t  *st;

    if (n < 12) {
        return;
    }

    if (v->packet == 0) {
        v->packet = client_since_ms(&v->c);
    }

    st = stream_of(v, p);

    if (st == NULL) {
        v->n.other++;
        return;
    }

    if (arrival && st->synced && viewer_conf.measuring
        && is_video(p[1] & 0x7f))
    {
        bench_add(&viewer_conf.lags,
                  ((double) arrival / 1e3 - (double) st->sr_us
                   - (double) (int32_t) (rtp_ts(p) - st->sr_ts)
                     * 1000.0 / 90.0) / 1e3);
    }

    if (!whole) {
        count = (n + size - 1) / size;
        v->n.messages++;
        rtp_count(v, st, p, n, count);
        return;
    }

    v->n.messages++;

    for (k = 0; k < n; k += size) {
        len = (n - k < size) ? n - k : size;

        if (len < 12) {
            v->n.other++;
            continue;
        }

        if (v == viewer_conf.traced && v->c.state == CLIENT_RUNNING) {
            rtp_trace(len, p[k + 1] & 0x80);
        }

        /* the last segment may be of another stream */

        st = stream_of(v, p + k);

        if (st == NULL) {
            v->n.other++;
            continue;
        }

        was = st->next;
        rtp_count(v, st, p + k, len, 1);

        if (v->c.in.rtp == NULL) {
            continue;
        }

        if (ngx_webrtc_srtp_unprotect(&v->c.in, p + k, &len) != NGX_OK) {
            v->n.auth_fail++;
            continue;
        }

        rtp_check(v, st, p + k, len,
                  was == (uint16_t) (p[k + 2] << 8 | p[k + 3]), arrival);
    }

    if (v->keyed && v->c.state == CLIENT_STARTING) {
        client_set_state(&v->c, CLIENT_RUNNING);

        if (v->blind) {
            blind(v);
        }

        if (!viewer_conf.verify && !v->stamped) {
            /* its memory is not what is measured */
            ngx_webrtc_srtp_in_cleanup(&v->c.in);
        }
    }
}


/* a sender report: what ties timestamps to the clock; RFC 3550, 6.4.1 */

static void
rtcp_input(viewer_t *v, u_char *p, size_t n)
{
    size_t    i;
    uint32_t  ssrc, hi, lo, ts;

    v->n.rtcp++;

    if (!v->stamped || v->c.in.rtp == NULL) {
        return;
    }

    if (ngx_webrtc_srtp_unprotect_rtcp(&v->c.in, p, &n) != NGX_OK) {
        v->n.auth_fail++;
        return;
    }

    if (n < 28 || p[1] != 200) {
        return;
    }

    memcpy(&ssrc, p + 4, 4);
    memcpy(&hi, p + 8, 4);
    memcpy(&lo, p + 12, 4);
    memcpy(&ts, p + 16, 4);

    for (i = 0; i < v->nstreams; i++) {
        if (v->streams[i].ssrc == ssrc) {
            v->streams[i].sr_ts = ntohl(ts);
            v->streams[i].sr_us = ((int64_t) ntohl(hi) - 2208988800ll)
                                  * 1000000
                                  + (int64_t) ((uint64_t) ntohl(lo) * 1000000
                                               >> 32);
            v->streams[i].synced = 1;
        }
    }
}


/* RFC 3550, 6.4.2: one block per stream, without LSR */

static void
rtcp_report(viewer_t *v)
{
    u_char    p[64 + 24 * VIEWER_SSRCS + NGX_WEBRTC_SRTP_RTCP_TAG], *b;
    size_t    i, n;
    uint32_t  word;

    if (v->nstreams == 0 || v->c.out.rtp == NULL) {
        return;
    }

    n = 8 + 24 * v->nstreams;

    memset(p, 0, n);
    p[0] = (u_char) (0x80 | v->nstreams);
    p[1] = 201;
    p[3] = (u_char) (n / 4 - 1);
    word = htonl((uint32_t) v->c.id + 1);
    memcpy(p + 4, &word, 4);

    for (i = 0; i < v->nstreams; i++) {
        b = p + 8 + 24 * i;
        memcpy(b, &v->streams[i].ssrc, 4);
        word = htonl((uint32_t) v->streams[i].ext - 1);
        memcpy(b + 8, &word, 4);

        if (v->c.id < viewer_conf.bad) {
            b[4] = (u_char) (viewer_conf.lose * 255 / 100);
        }
    }

    if (ngx_webrtc_srtp_protect_rtcp(&v->c.out, p, &n, sizeof(p)) == NGX_OK) {
        client_send(&v->c, p, n);
    }
}


/* RFC 4585, 6.2.1: numbers of video since the last one, one by one */

static void
rtcp_nack(viewer_t *v)
{
    u_char            p[12 + 4 * VIEWER_NACKS + NGX_WEBRTC_SRTP_RTCP_TAG];
    size_t            i, n, count;
    uint16_t          seq;
    uint32_t          word;
    uint64_t          since;
    viewer_stream_t  *st;

    for (i = 0; i < v->nstreams; i++) {
        if (is_video(v->streams[i].pt ? v->streams[i].pt : STAMP_PT_H264)) {
            break;
        }
    }

    if (i == v->nstreams || v->c.out.rtp == NULL) {
        return;
    }

    st = &v->streams[i];
    since = st->asked ? st->ext - st->asked : 0;
    count = since * viewer_conf.lose / 100;
    count = (count < VIEWER_NACKS) ? count : VIEWER_NACKS;
    st->asked = st->ext;

    if (count == 0) {
        return;
    }

    memset(p, 0, sizeof(p));
    p[0] = 0x81;
    p[1] = 205;
    p[3] = (u_char) (2 + count);
    word = htonl((uint32_t) v->c.id + 1);
    memcpy(p + 4, &word, 4);
    memcpy(p + 8, &st->ssrc, 4);

    for (i = 0; i < count; i++) {
        seq = htons((uint16_t) (st->ext - since + i * since / count));
        memcpy(p + 12 + 4 * i, &seq, 2);
    }

    n = 12 + 4 * count;

    if (ngx_webrtc_srtp_protect_rtcp(&v->c.out, p, &n, sizeof(p)) == NGX_OK) {
        client_send(&v->c, p, n);
    }
}


static void
viewer_datagram(viewer_t *v, u_char *p, size_t got, size_t n, size_t size,
    uint64_t arrival)
{
    if (got == 0) {
        return;
    }

    if (p[0] < 128) {
        client_input(&v->c, p, got);
        return;
    }

    if (p[0] < 128 || p[0] > 191 || got < 2) {
        v->n.other++;
        return;
    }

    if (p[1] >= 192 && p[1] <= 223) {
        rtcp_input(v, p, got);
        return;
    }

    rtp_input(v, p, n, size, got == n, arrival);
}


static void
viewer_read(client_t *c)
{
    viewer_t         *v = (viewer_t *) c;

    int               i, n, whole;
    int               size;
    size_t            cap, len;
    uint64_t          arrival;
    struct cmsghdr   *cmsg;
    struct timespec   ts;

    do {
        whole = (v->c.state != CLIENT_RUNNING || viewer_conf.verify
                 || v == viewer_conf.traced);
        cap = whole ? FULL_BUF : LIGHT_BUF;

        for (i = 0; i < BATCH; i++) {
            iovs[i].iov_base = bufs[i];
            iovs[i].iov_len = cap;
            msgs[i].msg_hdr.msg_controllen = sizeof(controls[i]);
            msgs[i].msg_hdr.msg_control = controls[i];
            msgs[i].msg_hdr.msg_iov = &iovs[i];
            msgs[i].msg_hdr.msg_iovlen = 1;
        }

        n = recvmmsg(v->c.fd, msgs, BATCH, MSG_DONTWAIT|MSG_TRUNC, NULL);

        for (i = 0; i < n; i++) {
            len = msgs[i].msg_len;
            size = 0;
            arrival = 0;

            for (cmsg = CMSG_FIRSTHDR(&msgs[i].msg_hdr); cmsg;
                 cmsg = CMSG_NXTHDR(&msgs[i].msg_hdr, cmsg))
            {
                if (cmsg->cmsg_level == IPPROTO_UDP
                    && cmsg->cmsg_type == UDP_GRO)
                {
                    memcpy(&size, CMSG_DATA(cmsg), sizeof(int));
                }

                if (cmsg->cmsg_level == SOL_SOCKET
                    && cmsg->cmsg_type == SO_TIMESTAMPNS)
                {
                    memcpy(&ts, CMSG_DATA(cmsg), sizeof(ts));
                    arrival = (uint64_t) ts.tv_sec * 1000000000
                              + (uint64_t) ts.tv_nsec;
                }
            }

            viewer_datagram(v, bufs[i], len < cap ? len : cap, len,
                            size ? (size_t) size : len, arrival);

            if (v->c.fd == -1) {
                return;
            }
        }
    } while (n == BATCH);
}


static void
viewer_framed(client_t *c, u_char *p, size_t n)
{
    viewer_datagram((viewer_t *) c, p, n, n, n, 0);
}


static size_t
viewer_offer(client_t *c, char *p, size_t n)
{
    int    len, h264, vp8;

    h264 = strstr(viewer_conf.codecs, "h264") != NULL;
    vp8 = strstr(viewer_conf.codecs, "vp8") != NULL;

    len = snprintf(p, n,
        "a=group:BUNDLE 0%s\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF%s%s\r\nc=IN IP4 0.0.0.0\r\n"
        "a=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n%s%s",
        viewer_conf.audio ? " 1" : "",
        h264 ? " 102 103" : "", vp8 ? " 96 97" : "",
        h264 ? "a=rtpmap:102 H264/90000\r\n"
               "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;"
               "profile-level-id=64001f\r\n"
               "a=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
               "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n" : "",
        vp8 ? "a=rtpmap:96 VP8/90000\r\n"
              "a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
              "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" : "");

    if (viewer_conf.audio) {
        len += snprintf(p + len, n - (size_t) len,
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
            "a=mid:1\r\na=recvonly\r\na=rtcp-mux\r\n"
            "a=rtpmap:111 opus/48000/2\r\n");
    }

    (void) c;

    return (size_t) len;
}


static void
viewer_socket(client_t *c)
{
    int        on;
    viewer_t  *v = (viewer_t *) c;

    on = viewer_conf.rcvbuf;

    if (setsockopt(c->fd, SOL_SOCKET, SO_RCVBUFFORCE, &on, sizeof(on)) == -1) {
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &on, sizeof(on));
    }

    on = 1;

    if (viewer_conf.gro && !client_conf.framed) {
        setsockopt(c->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
    }

    if (v->stamped) {
        setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    }
}


/* the first key frame makes it RUNNING */

static void
viewer_up(client_t *c)
{
    (void) c;
}


static void
viewer_init(viewer_t *v, size_t id)
{
    viewer_counters_t  n;

    n = v->n;

    memset(v, 0, sizeof(*v));

    client_init(&v->c, &role, id);

    v->n = n;
    v->turns = (unsigned) (id % client_conf.consent);
    v->blind = viewer_conf.blind && (id % BLIND_EVERY != 0);
    v->stamped = viewer_conf.latency
                 && (viewer_conf.verify || id % (viewer_conf.n / 64 + 1) == 0);
}


void
viewer_start(viewer_t *v, size_t id)
{
    viewer_init(v, id);

    if (viewer_conf.streams > 1) {
        snprintf(v->c.path, sizeof(v->c.path), "%s%zu", client_conf.path,
                 id % viewer_conf.streams);

    } else {
        snprintf(v->c.path, sizeof(v->c.path), "%s", client_conf.path);
    }

    client_post(&v->c);
}


/* churn and cycles: another one takes the place of one that has left */

static void
viewer_ended(client_t *c)
{
    viewer_t  *v = (viewer_t *) c;

    if (c->state == CLIENT_FAILED) {
        return;
    }

    viewer_conf.ended++;

    if (viewer_conf.measuring
        && (viewer_conf.churn > 0
            || viewer_conf.restarts + viewer_conf.n < viewer_conf.cycles))
    {
        viewer_conf.restarts++;
        viewer_start(v, c->id);
    }
}


void
viewer_leave(viewer_t *v, int notify)
{
    if (!notify) {
        client_delete(&v->c);
        return;
    }

    ngx_webrtc_dtls_close(&v->c.dtls);
    client_close(&v->c);
    client_set_state(&v->c, CLIENT_GONE);
    viewer_ended(&v->c);
}


void
viewer_timer(viewer_t *v, uint64_t now, int second)
{
    if (v->c.state != CLIENT_RUNNING) {
        client_timer(&v->c, now);
        return;
    }

    if (second) {
        rtcp_report(v);

        if (v->c.id < viewer_conf.bad) {
            rtcp_nack(v);
        }

        if (++v->turns % client_conf.consent == 0) {
            client_check(&v->c);
        }
    }
}


void
viewer_pli(viewer_t *v)
{
    u_char    p[12 + NGX_WEBRTC_SRTP_RTCP_TAG];
    size_t    i, n;
    uint32_t  word;

    for (i = 0; i < v->nstreams; i++) {
        if (is_video(v->streams[i].pt)) {
            break;
        }
    }

    if (i == v->nstreams || v->c.out.rtp == NULL) {
        return;
    }

    memcpy(p, "\x81\xce\x00\x02", 4);
    word = htonl((uint32_t) v->c.id + 1);
    memcpy(p + 4, &word, 4);
    memcpy(p + 8, &v->streams[i].ssrc, 4);
    n = 12;

    if (ngx_webrtc_srtp_protect_rtcp(&v->c.out, p, &n, sizeof(p)) == NGX_OK) {
        client_send(&v->c, p, n);
    }
}


void
viewer_conf_init(void)
{
    int  i;

    for (i = 0; i < BATCH; i++) {
        bufs[i] = malloc(FULL_BUF);
    }
}
