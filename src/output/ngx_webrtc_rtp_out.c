
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A stream as plain RTP.
 *
 * Who receives it has to open his ports first, which takes a command some
 * time, and a publisher of WebRTC makes key frames only when asked.  So the
 * sockets are connected: what is sent to a port that nobody has opened is
 * refused.  When a port is found to be open, a key frame is asked for, and
 * video begins with it.
 *
 *   closed -- nothing was refused for a while --> open: asks for a key frame
 *     ^                                             |
 *     +---------------------- refused --------------+
 *
 * Packets that were overwritten before we came to them are left out: video goes
 * on with the next key frame.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/socket.h>

#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_media_socket.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_red.h"
#include "ngx_webrtc_report.h"
#include "ngx_webrtc_rewrite.h"
#include "ngx_webrtc_rtcp.h"
#include "ngx_webrtc_rtp.h"
#include "ngx_webrtc_rtp_out.h"
#include "ngx_webrtc_time.h"


/* us without a refusal after which a port counts as open; chosen: audio has
 * been sent several times, and been answered each time */
#define NGX_WEBRTC_RTP_OUT_OPEN    200000

/* us between two requests for a key frame until there is one; chosen */
#define NGX_WEBRTC_RTP_OUT_ASK     1000000

/* bytes of an RTCP datagram */
#define NGX_WEBRTC_RTP_OUT_RTCP    512

/* datagrams of RTCP read at a time; chosen: what comes in a second */
#define NGX_WEBRTC_RTP_OUT_READS   64

/* packets in one turn of the event loop; chosen: a large key frame */
#define NGX_WEBRTC_RTP_OUT_TURN    2048


typedef struct {
    ngx_webrtc_rtp_out_t        *ro;
    ngx_connection_t            *rtp;         /* NULL: no such leg */
    int                          rtcp;        /* -1 */
    ngx_uint_t                   track;       /* of the stream */
    ngx_uint_t                   kind;
    uint32_t                     clock_rate;
    ngx_webrtc_rewrite_t         rw;
    ngx_webrtc_report_out_t      report;
    uint64_t                     refused_us;  /* when it last was */
    unsigned                     open:1;
    unsigned                     jump:1;
} ngx_webrtc_rtp_out_leg_t;


struct ngx_webrtc_rtp_out_s {
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_stream_t         *st;
    ngx_log_t                   *log;
    ngx_webrtc_legs_t            legs;
    ngx_webrtc_track_t           tracks[NGX_WEBRTC_LEGS];
    ngx_webrtc_rtp_out_leg_t     leg[NGX_WEBRTC_LEGS];
    uint64_t                     tracks_version;
    uint64_t                     cursor;
    uint64_t                     asked_us;
    u_char                       cname[9];
    unsigned                     wait_key:1;
};


static ngx_int_t ngx_webrtc_rtp_out_leg(ngx_webrtc_rtp_out_t *ro,
    ngx_uint_t i, ngx_uint_t track, const char **cause, ngx_err_t *err);
static int ngx_webrtc_rtp_out_socket(in_port_t port);
static void ngx_webrtc_rtp_out_free(ngx_webrtc_rtp_out_t *ro);
static ngx_int_t ngx_webrtc_rtp_out_changed(ngx_webrtc_rtp_out_t *ro);
static void ngx_webrtc_rtp_out_packet(ngx_webrtc_rtp_out_t *ro,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload, uint64_t now_us);
static void ngx_webrtc_rtp_out_lapped(ngx_webrtc_rtp_out_t *ro);
static void ngx_webrtc_rtp_out_send(ngx_webrtc_rtp_out_leg_t *leg, u_char *p,
    size_t n, uint64_t now_us);
static void ngx_webrtc_rtp_out_ask(ngx_webrtc_rtp_out_t *ro,
    uint64_t now_us);
static void ngx_webrtc_rtp_out_read(ngx_event_t *rev);
static void ngx_webrtc_rtp_out_rtcp(ngx_webrtc_rtp_out_leg_t *leg, int fd);


ngx_webrtc_rtp_out_t *
ngx_webrtc_rtp_out_open(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_legs_t *legs, ngx_log_t *log, const char **cause,
    ngx_err_t *err)
{
    ngx_uint_t                 i, k, n;
    ngx_webrtc_leg_t          *leg;
    ngx_webrtc_track_t         tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_rtp_out_t      *ro;
    const ngx_webrtc_codec_t  *codec;

    *cause = "no memory";
    *err = 0;

    ro = ngx_calloc(sizeof(ngx_webrtc_rtp_out_t), log);
    if (ro == NULL) {
        return NULL;
    }

    ro->bus = bus;
    ro->st = st;
    ro->log = log;
    ro->wait_key = 1;
    ro->cursor = ngx_webrtc_ring_head(st->ring);
    ro->tracks_version = ngx_webrtc_bus_tracks(st, tracks, &n);

    (void) ngx_sprintf(ro->cname, "%08xD", (uint32_t) ngx_random());

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        ro->leg[i].rtcp = -1;
    }

    for (i = 0; i < n; i++) {

        k = (tracks[i].kind == NGX_WEBRTC_VIDEO) ? NGX_WEBRTC_LEG_VIDEO
                                                 : NGX_WEBRTC_LEG_AUDIO;
        leg = &legs->legs[k];

        if (tracks[i].kind == 0 || ro->leg[k].rtp) {
            continue;
        }

        codec = ngx_webrtc_codec(tracks[i].codec);

        leg->codec = tracks[i].codec;
        leg->pt = (codec->static_pt >= 0) ? (uint8_t) codec->static_pt
                  : (k == NGX_WEBRTC_LEG_VIDEO) ? NGX_WEBRTC_LEG_VIDEO_PT
                                                : NGX_WEBRTC_LEG_AUDIO_PT;
        ro->tracks[k] = tracks[i];
        ro->legs = *legs;

        if (ngx_webrtc_rtp_out_leg(ro, k, i, cause, err) != NGX_OK) {
            ngx_webrtc_rtp_out_free(ro);
            return NULL;
        }
    }

    *cause = "the stream has no track";

    if (ro->leg[0].rtp == NULL && ro->leg[1].rtp == NULL) {
        ngx_webrtc_rtp_out_free(ro);
        return NULL;
    }

    return ro;
}


static ngx_int_t
ngx_webrtc_rtp_out_leg(ngx_webrtc_rtp_out_t *ro, ngx_uint_t i,
    ngx_uint_t track, const char **cause, ngx_err_t *err)
{
    int                        fd;
    ngx_webrtc_leg_t          *l;
    ngx_webrtc_rtp_out_leg_t  *leg;

    l = &ro->legs.legs[i];
    leg = &ro->leg[i];

    leg->ro = ro;
    leg->track = track;
    leg->kind = ro->tracks[i].kind;
    leg->clock_rate = ro->tracks[i].clock_rate;
    leg->refused_us = ngx_webrtc_time_now();
    leg->jump = 1;

    ngx_webrtc_rewrite_init(&leg->rw, (uint32_t) ngx_random() | 1, l->pt,
                            (uint16_t) ngx_random(),
                            (uint32_t) ngx_random());

    *cause = "no descriptor, raise worker_rlimit_nofile";

    leg->rtcp = ngx_webrtc_rtp_out_socket(l->port + 1);
    fd = ngx_webrtc_rtp_out_socket(l->port);

    if (fd == -1 || leg->rtcp == -1) {
        *err = ngx_errno;

        if (fd != -1) {
            (void) close(fd);
        }

        return NGX_ERROR;
    }

    *cause = "no free connection, raise worker_connections";

    leg->rtp = ngx_webrtc_media_socket_watch(fd, leg, ngx_webrtc_rtp_out_read,
                                             ro->log);
    if (leg->rtp == NULL) {
        (void) close(fd);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* connected to a port of the loopback; -1 */

static int
ngx_webrtc_rtp_out_socket(in_port_t port)
{
    int                 fd;
    struct sockaddr_in  sin;

    fd = socket(AF_INET, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -1;
    }

    ngx_memzero(&sin, sizeof(struct sockaddr_in));

    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (connect(fd, (struct sockaddr *) &sin, sizeof(struct sockaddr_in))
        == -1)
    {
        (void) close(fd);
        return -1;
    }

    return fd;
}


void
ngx_webrtc_rtp_out_close(ngx_webrtc_rtp_out_t *ro)
{
    u_char                    *p, *end, buf[NGX_WEBRTC_RTP_OUT_RTCP];
    ngx_uint_t                 i;
    ngx_webrtc_rtp_out_leg_t  *leg;

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &ro->leg[i];

        if (leg->rtp == NULL || leg->report.packets == 0) {
            continue;
        }

        /* RFC 3550, 6.6 */

        end = buf + sizeof(buf);

        p = ngx_webrtc_rtcp_write_rr(buf, end, leg->rw.ssrc, NULL, 0);
        p = ngx_webrtc_rtcp_write_head(p, end, NGX_WEBRTC_RTCP_BYE, 1, 4);
        p = ngx_webrtc_write_u32(p, end, leg->rw.ssrc);

        if (p) {
            (void) send(leg->rtcp, buf, p - buf, MSG_DONTWAIT|MSG_NOSIGNAL);
        }
    }

    ngx_webrtc_rtp_out_free(ro);
}


static void
ngx_webrtc_rtp_out_free(ngx_webrtc_rtp_out_t *ro)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {

        if (ro->leg[i].rtp) {
            ngx_close_connection(ro->leg[i].rtp);
        }

        if (ro->leg[i].rtcp != -1) {
            (void) close(ro->leg[i].rtcp);
        }
    }

    ngx_free(ro);
}


ngx_int_t
ngx_webrtc_rtp_out_news(ngx_webrtc_rtp_out_t *ro)
{
    u_char                    *payload;
    uint64_t                   now_us;
    ngx_int_t                  rc;
    ngx_uint_t                 n;
    ngx_webrtc_ring_packet_t   pkt;

    if (ngx_webrtc_atomic_load(&ro->st->tracks_version) != ro->tracks_version
        && ngx_webrtc_rtp_out_changed(ro) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    now_us = ngx_webrtc_time_now();

    ngx_webrtc_bus_climb(ro->st, ngx_current_msec);

    for (n = 0; n < NGX_WEBRTC_RTP_OUT_TURN; n++) {

        rc = ngx_webrtc_ring_peek(ro->st->ring, ro->cursor, &pkt, &payload);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_DECLINED) {
            ngx_webrtc_rtp_out_lapped(ro);
            continue;
        }

        ngx_webrtc_rtp_out_packet(ro, &pkt, payload, now_us);
        ro->cursor++;
    }

    return NGX_OK;
}


/* NGX_OK: nothing that the SDP says */

static ngx_int_t
ngx_webrtc_rtp_out_changed(ngx_webrtc_rtp_out_t *ro)
{
    ngx_uint_t                 i, n;
    ngx_webrtc_track_t         tracks[NGX_WEBRTC_TRACKS];
    ngx_webrtc_rtp_out_leg_t  *leg;

    ro->tracks_version = ngx_webrtc_bus_tracks(ro->st, tracks, &n);

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &ro->leg[i];

        if (leg->rtp
            && (leg->track >= n
                || tracks[leg->track].codec != ro->tracks[i].codec))
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static void
ngx_webrtc_rtp_out_packet(ngx_webrtc_rtp_out_t *ro,
    ngx_webrtc_ring_packet_t *pkt, u_char *payload, uint64_t now_us)
{
    u_char                    *p, *data;
    size_t                     n;
    uint32_t                   ts;
    uint64_t                   index;
    ngx_uint_t                 i, marker;
    ngx_webrtc_red_block_t     blocks[NGX_WEBRTC_RED_BLOCKS];
    ngx_webrtc_rtp_out_leg_t  *leg;
    u_char                     copy[NGX_WEBRTC_RING_MAX_PAYLOAD];
    u_char                     buf[NGX_WEBRTC_RTP_HEADER
                                   + NGX_WEBRTC_RING_MAX_PAYLOAD];

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        if (ro->leg[i].rtp && ro->leg[i].track == pkt->track) {
            break;
        }
    }

    if (i == NGX_WEBRTC_LEGS || pkt->len > sizeof(copy)) {
        return;
    }

    leg = &ro->leg[i];

    if (leg->kind == NGX_WEBRTC_VIDEO && ro->wait_key) {

        if ((pkt->flags & (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
            != (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
        {
            leg->jump = 1;
            ngx_webrtc_rtp_out_ask(ro, now_us);
            return;
        }

        ro->wait_key = 0;
    }

    ngx_memcpy(copy, payload, pkt->len);

    if (ngx_webrtc_ring_check(ro->st->ring, ro->cursor) != NGX_OK) {
        return;
    }

    data = copy;
    n = pkt->len;

    if (pkt->flags & NGX_WEBRTC_PKT_RED) {

        if (ngx_webrtc_red_parse(copy, n, blocks, &i) != NGX_OK) {
            return;
        }

        data = blocks[i - 1].data;
        n = blocks[i - 1].n;
    }

    if (pkt->flags & NGX_WEBRTC_PKT_PADDED) {
        n -= ngx_min(n, (size_t) data[n - 1]);
    }

    if (leg->jump) {
        leg->jump = 0;
        ngx_webrtc_rewrite_jump(&leg->rw, pkt->index);
    }

    if (ngx_webrtc_rewrite_map(&leg->rw, pkt->index, pkt->ts, &index, &ts)
        != NGX_OK)
    {
        leg->jump = 1;
        return;
    }

    marker = (pkt->flags & NGX_WEBRTC_PKT_MARKER) ? 0x80 : 0;

    p = buf;
    *p++ = 0x80;
    *p++ = (u_char) (marker | leg->rw.pt);
    p = ngx_webrtc_write_u16(p, buf + sizeof(buf), (uint16_t) index);
    p = ngx_webrtc_write_u32(p, buf + sizeof(buf), ts);
    p = ngx_webrtc_write_u32(p, buf + sizeof(buf), leg->rw.ssrc);
    p = ngx_cpymem(p, data, n);

    ngx_webrtc_report_sent(&leg->report, n);

    ngx_webrtc_rtp_out_send(leg, buf, p - buf, now_us);
}


/* the writer has overtaken us */

static void
ngx_webrtc_rtp_out_lapped(ngx_webrtc_rtp_out_t *ro)
{
    ngx_uint_t  i;

    ro->cursor = ngx_webrtc_ring_head(ro->st->ring);
    ro->wait_key = 1;

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        ro->leg[i].jump = 1;
    }
}


static void
ngx_webrtc_rtp_out_send(ngx_webrtc_rtp_out_leg_t *leg, u_char *p, size_t n,
    uint64_t now_us)
{
    if (send(leg->rtp->fd, p, n, MSG_DONTWAIT|MSG_NOSIGNAL) == -1) {

        if (ngx_errno == NGX_ECONNREFUSED) {

            /* that was the last one: this one has not been sent */

            leg->refused_us = now_us;
            leg->open = 0;
        }

        return;
    }

    if (!leg->open && now_us - leg->refused_us > NGX_WEBRTC_RTP_OUT_OPEN) {
        leg->open = 1;

        if (leg->kind == NGX_WEBRTC_VIDEO) {
            leg->ro->wait_key = 1;
            leg->ro->asked_us = 0;
        }
    }
}


static void
ngx_webrtc_rtp_out_ask(ngx_webrtc_rtp_out_t *ro, uint64_t now_us)
{
    if (ro->asked_us && now_us - ro->asked_us < NGX_WEBRTC_RTP_OUT_ASK) {
        return;
    }

    ro->asked_us = now_us;

    (void) ngx_webrtc_bus_keyframe(ro->bus, ro->st);
}


void
ngx_webrtc_rtp_out_second(ngx_webrtc_rtp_out_t *ro)
{
    u_char                    *p, *end, buf[NGX_WEBRTC_RTP_OUT_RTCP];
    uint32_t                   rtp;
    uint64_t                   now_us, ntp;
    ngx_uint_t                 i;
    ngx_webrtc_rtcp_sr_t       sr;
    ngx_webrtc_rtp_out_leg_t  *leg;

    now_us = ngx_webrtc_time_now();
    ntp = ngx_webrtc_time_ntp(ngx_webrtc_time_wall(now_us));
    end = buf + sizeof(buf);

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &ro->leg[i];

        if (leg->rtp == NULL) {
            continue;
        }

        ngx_webrtc_rtp_out_rtcp(leg, leg->rtcp);

        if (leg->report.packets == 0
            || ngx_webrtc_timeline_at(&ro->st->timeline, leg->clock_rate,
                                      (int64_t) now_us, &rtp)
               != NGX_OK)
        {
            continue;
        }

        ngx_webrtc_report_sr(&leg->report, leg->rw.ssrc, ntp,
                             rtp + leg->rw.ts_offset, &sr);

        p = ngx_webrtc_rtcp_write_sr(buf, end, &sr, NULL, 0);
        p = ngx_webrtc_rtcp_write_sdes(p, end, leg->rw.ssrc, ro->cname,
                                       sizeof(ro->cname) - 1);
        if (p) {
            (void) send(leg->rtcp, buf, p - buf, MSG_DONTWAIT|MSG_NOSIGNAL);
        }
    }
}


/* RTCP of the receiver, on the port that RTP comes from */

static void
ngx_webrtc_rtp_out_read(ngx_event_t *rev)
{
    ngx_connection_t  *c;

    c = rev->data;

    ngx_webrtc_rtp_out_rtcp(c->data, c->fd);

    rev->ready = 0;
    (void) ngx_handle_read_event(rev, 0);
}


/* it may ask for a key frame */

static void
ngx_webrtc_rtp_out_rtcp(ngx_webrtc_rtp_out_leg_t *leg, int fd)
{
    u_char             *p, *end, buf[NGX_WEBRTC_RTP_OUT_RTCP];
    ssize_t             n;
    ngx_uint_t          i;
    ngx_webrtc_rtcp_t   rtcp;

    for (i = 0; i < NGX_WEBRTC_RTP_OUT_READS; i++) {

        n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

        if (n == -1) {

            if (ngx_errno != NGX_ECONNREFUSED) {
                return;
            }

            if (fd == leg->rtp->fd) {
                leg->refused_us = ngx_webrtc_time_now();
                leg->open = 0;
            }

            continue;
        }

        p = buf;
        end = buf + n;

        if (ngx_webrtc_rtcp_check(p, end) != NGX_OK) {
            continue;
        }

        while ((p = ngx_webrtc_rtcp_next(p, end, &rtcp)) != NULL) {

            if (rtcp.type == NGX_WEBRTC_RTCP_PSFB
                && (rtcp.count == NGX_WEBRTC_PSFB_PLI
                    || rtcp.count == NGX_WEBRTC_PSFB_FIR))
            {
                (void) ngx_webrtc_bus_keyframe(leg->ro->bus, leg->ro->st);
            }
        }
    }
}


u_char *
ngx_webrtc_rtp_out_sdp(ngx_webrtc_rtp_out_t *ro, u_char *p, u_char *end)
{
    u_char                    *q, fmtp[256];
    ngx_uint_t                 i;
    ngx_webrtc_leg_t          *l;
    const ngx_webrtc_codec_t  *codec;

    p = ngx_slprintf(p, end, "v=0\r\no=- %uD 1 IN IP4 127.0.0.1\r\ns=-\r\n"
                     "c=IN IP4 127.0.0.1\r\nt=0 0\r\n",
                     (uint32_t) ngx_random() >> 1);

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        l = &ro->legs.legs[i];

        if (ro->leg[i].rtp == NULL) {
            continue;
        }

        codec = ngx_webrtc_codec(l->codec);

        p = ngx_slprintf(p, end, "m=%s %ui RTP/AVP %ui\r\n"
                         "a=rtpmap:%ui %V/%uD",
                         codec->kind == NGX_WEBRTC_VIDEO ? "video" : "audio",
                         (ngx_uint_t) l->port, (ngx_uint_t) l->pt,
                         (ngx_uint_t) l->pt, &codec->name, codec->clock_rate);

        if (codec->channels) {
            p = ngx_slprintf(p, end, "/%ui", (ngx_uint_t) codec->channels);
        }

        p = ngx_slprintf(p, end, "\r\n");

        if (codec->fmtp->offer) {
            q = codec->fmtp->offer(fmtp, fmtp + sizeof(fmtp),
                                   ro->tracks[i].profile,
                                   ro->tracks[i].channels);
            if (q && q > fmtp) {
                p = ngx_slprintf(p, end, "a=fmtp:%ui %*s\r\n",
                                 (ngx_uint_t) l->pt, (size_t) (q - fmtp),
                                 fmtp);
            }
        }
    }

    return p;
}
