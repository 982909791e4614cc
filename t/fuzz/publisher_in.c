
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: a publisher as a whole, who has the keys.  A session is made of
 * an offer, in a zone, with layers if the last byte is odd; then operations, of
 * a byte each with what they need behind it: RTP and RTCP that is protected,
 * the same again, datagrams as they are, time that passes, the end of a batch,
 * the timer.
 * Property: nothing is read or written that is not there, what is in the ring
 * can be read, and with the session all memory of the zone is back.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_thread_pool.h>

#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_publish.h"
#include "ngx_webrtc_bus_ring.h"
#include "ngx_webrtc_negotiate.h"
#include "ngx_webrtc_publisher.h"
#include "ngx_webrtc_publisher_role.h"
#include "ngx_webrtc_session_life.h"

#include "bus_zone.h"


#define ZONE  (16 * 1024 * 1024)

/* the session's own limit, and some */
#define ROOM  2300


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* what nginx's event core has */

ngx_rbtree_t           ngx_event_timer_rbtree;
ngx_queue_t            ngx_posted_events;
ngx_queue_t            ngx_posted_next_events;
ngx_uint_t             ngx_exiting;
ngx_uint_t             ngx_worker;
ngx_uint_t             ngx_test_config;

static ngx_rbtree_node_t        sentinel;
static ngx_time_t               clock_now;

static uint64_t                 now_us;
static ngx_webrtc_bus_t        *bus;
static ngx_webrtc_worker_t      worker;
static ngx_webrtc_session_t     session;
static ngx_webrtc_peer_t        made[2];      /* as sessions begin: without
                                                 layers, and with */
static ngx_webrtc_srtp_out_t    out;
static ngx_webrtc_srtp_key_t    key;
static u_char                   last[ROOM];   /* what was sent last */
static size_t                   last_n;


static const char  text[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "a=group:BUNDLE 0 1\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n"
#define TRANSPORT                                                             \
    "c=IN IP4 0.0.0.0\r\na=ice-ufrag:tEsT\r\n"                                \
    "a=ice-pwd:a-password-of-24-letters\r\n"                                  \
    "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"  \
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"                     \
    "a=setup:actpass\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=sendonly\r\n"         \
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"                      \
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-" \
    "extensions-01\r\na=extmap:13 urn:3gpp:video-orientation\r\n"
    TRANSPORT
    "a=mid:0\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 45\r\n"
    TRANSPORT
    "a=mid:1\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n"
    "a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
    "a=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 goog-remb\r\n"
    "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "a=rtpmap:98 VP8/90000\r\na=rtcp-fb:98 nack\r\n"
    "a=rtpmap:99 VP9/90000\r\na=rtcp-fb:99 nack\r\n"
    "a=rtpmap:100 H265/90000\r\na=rtpmap:45 AV1/90000\r\n"
    "a=ssrc-group:FID 2000 2001\r\na=ssrc:2000 cname:a\r\n"
    "a=ssrc:2001 cname:a\r\n";


/* behind the m-line of video */

static const char  rids[] =
    "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
    "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n"
    "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\n"
    "a=simulcast:send h;m;~l\r\n";


/* all payload types of the offer, and one that is not */
static const uint8_t  types[] = { 111, 63, 96, 96, 97, 98, 99, 100, 45, 0 };


uint64_t
ngx_webrtc_time_now(void)
{
    return now_us;
}


uint64_t
ngx_webrtc_time_wall(uint64_t us)
{
    return us;
}


void
ngx_webrtc_time_init(void)
{
}


ngx_int_t
ngx_thread_task_post(ngx_thread_pool_t *tp, ngx_thread_task_t *task)
{
    (void) tp; (void) task;

    return NGX_ERROR;
}


void
ngx_free_connection(ngx_connection_t *c)
{
    (void) c;
}


ngx_listening_t *
ngx_create_listening(ngx_conf_t *cf, struct sockaddr *sa, socklen_t len)
{
    (void) cf; (void) sa; (void) len;

    return NULL;
}


u_char *
ngx_accept_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    (void) log; (void) len;

    return buf;
}


static void
check(ngx_uint_t cond)
{
    if (!cond) {
        abort();
    }
}


static void
on_stream(void *ctx, ngx_webrtc_stream_t *st)
{
    (void) ctx; (void) st;
}


static void
negotiate(ngx_webrtc_peer_t *peer, ngx_uint_t layered)
{
    u_char                         *p, *end;
    ngx_webrtc_sdp_error_t          err;
    ngx_webrtc_negotiate_cause_t    cause;
    ngx_webrtc_negotiate_policy_t   policy;

    static u_char            offer[sizeof(text) + sizeof(rids)];
    static u_char            room[NGX_WEBRTC_NEGOTIATE_ANSWER];
    static ngx_webrtc_sdp_t  sdp;

    ngx_memzero(&policy, sizeof(policy));

    policy.role = NGX_WEBRTC_NEGOTIATE_PUBLISH;
    policy.fb = 0xff;
    policy.exts = 0xff;
    ngx_str_set(&policy.ufrag, "0123456789abcdef");
    ngx_str_set(&policy.pwd, "0123456789abcdef0123456789abcdef");
    ngx_str_set(&policy.fingerprint, "sha-256 00:01");
    ngx_str_set(&policy.cname, "cname");
    ngx_str_set(&policy.stream_id, "webrtc");

    end = ngx_cpymem(offer, text, sizeof(text) - 1);

    if (layered) {
        end = ngx_cpymem(end, rids, sizeof(rids) - 1);
    }

    check(ngx_webrtc_sdp_parse(offer, end, &sdp, &err) == NGX_OK);

    p = room;

    check(ngx_webrtc_negotiate(&sdp, &policy, &peer->desc, &p,
                               room + sizeof(room), &cause)
          == NGX_OK);

    peer->role = NGX_WEBRTC_PEER_PUBLISH;
    peer->name_len = 1;
    peer->name[0] = 'x';
    peer->expires_ms = (uint64_t) 1 << 40;
    peer->policy.keyframe_interval = 500;
    peer->policy.layer_bitrate[0] = 30000;
    peer->policy.layer_bitrate[1] = 20000;
    peer->policy.timeout = 30000;
    peer->policy.handshake_timeout = 30000;
    ngx_memset(peer->id, 'a', NGX_WEBRTC_PEER_ID_LEN);
    ngx_memset(peer->etag, 'a', NGX_WEBRTC_PEER_ETAG_LEN);
}


static void
make(void)
{
    ngx_rbtree_init(&ngx_event_timer_rbtree, &sentinel,
                    ngx_rbtree_insert_timer_value);
    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);
    ngx_cached_time = &clock_now;

    bus = bus_zone(ZONE);
    check(bus != NULL);
    check(ngx_webrtc_bus_attach(bus, &bus_log) == NGX_OK);

    worker.bus = bus;
    worker.log = &bus_log;
    worker.conf.on_stream = on_stream;
    worker.roles[NGX_WEBRTC_PEER_PUBLISH].role = &ngx_webrtc_publisher_role;
    worker.roles[NGX_WEBRTC_PEER_PUBLISH].state
                                = ngx_webrtc_publisher_role.init(&worker, NULL);
    check(worker.roles[NGX_WEBRTC_PEER_PUBLISH].state != NULL);

    negotiate(&made[0], 0);
    negotiate(&made[1], 1);

    key.profile = NGX_WEBRTC_SRTP_AES128_CM_SHA1_80;
    ngx_memset(key.key, 7, sizeof(key.key));
}


/* a datagram of its size, which the session may change */

static void
input(const u_char *p, size_t n)
{
    u_char  *copy;

    copy = malloc(n + (n == 0));
    ngx_memcpy(copy, p, n);

    if (session.state == NGX_WEBRTC_SESSION_UP) {
        ngx_webrtc_session_life_input(&session, NULL, copy, n);
    }

    free(copy);
}


static void
passed(uint64_t us)
{
    now_us += us;
    ngx_current_msec = now_us / 1000;
}


/* what a viewer's cursor would do */

static void
look(void)
{
    u_char                    *payload;
    uint64_t                   at, head;
    ngx_webrtc_ring_packet_t   pkt;

    static u_char  copy[4096];

    head = ngx_webrtc_ring_head(session.st->ring);
    at = (head > 20) ? head - 20 : 0;

    for ( /* void */ ; at < head; at++) {
        if (ngx_webrtc_ring_peek(session.st->ring, at, &pkt, &payload)
            == NGX_OK)
        {
            check(pkt.len <= sizeof(copy));
            ngx_memcpy(copy, payload, pkt.len);
        }
    }
}


/* the end of a batch of datagrams */

static void
batch(void)
{
    ngx_webrtc_publisher_role.batch(
                               worker.roles[NGX_WEBRTC_PEER_PUBLISH].state);
}


/* the stream of a layer, if any has begun */

static ngx_webrtc_stream_t *
layer(void)
{
    ngx_uint_t                   i;
    ngx_webrtc_publisher_t      *pub;

    pub = session.part;

    for (i = 0; i < pub->in.nlayers; i++) {
        if (pub->in.layers[i].out.st) {
            return pub->in.layers[i].out.st;
        }
    }

    return session.st;
}


static void
step(uint8_t op, const uint8_t **data, const uint8_t *end, uint16_t *seq)
{
    size_t                 n, len;
    u_char                 pkt[ROOM];
    ngx_webrtc_publisher_t  *pub;

    n = ngx_min((size_t) (op >> 3) * 8, (size_t) (end - *data));

    switch (op & 7) {

    case 0:
    case 1:
    case 2:

        /* what is behind: type, flags, step of the number, time, payload */

        if (n < 8) {
            return;
        }

        n -= 7;
        *seq += (int8_t) (*data)[2];

        ngx_memzero(pkt, sizeof(pkt));

        pkt[0] = 0x80 | ((*data)[1] & 0x30);
        pkt[1] = types[(*data)[0] % sizeof(types)] | ((*data)[1] & 0x80);
        pkt[2] = (u_char) (*seq >> 8);
        pkt[3] = (u_char) *seq;
        ngx_memcpy(pkt + 4, *data + 3, 4);
        pkt[10] = 2000 >> 8;
        pkt[11] = (2000 & 0xff) + ((*data)[1] & 15);

        ngx_memcpy(pkt + 12, *data + 7, n);
        *data += n + 7;

        if ((op & 7) == 2) {
            /* long ones, to fill the ring */
            n += 1000;
        }

        len = sizeof(last);

        if (ngx_webrtc_srtp_protect(&out, *seq, pkt, 12, NULL, 0, pkt + 12, n,
                                    last, &len)
            == NGX_OK)
        {
            last_n = len;
            input(last, len);
        }

        break;

    case 3:

        /* RTCP */

        if (n < 8) {
            return;
        }

        ngx_memcpy(pkt, *data, n);
        pkt[0] = 0x80 | (pkt[0] & 0x3f);
        pkt[1] = 192 + pkt[1] % 32;
        *data += n;

        if (ngx_webrtc_srtp_protect_rtcp(&out, pkt, &n, ROOM) == NGX_OK) {
            input(pkt, n);
        }

        break;

    case 4:
        input(*data, n);
        *data += n;
        break;

    case 5:

        if (last_n) {
            input(last, last_n);
        }

        break;

    case 6:
        passed((uint64_t) 1 << (op >> 3) % 24);

        pub = session.part;

        if (pub->in.timer.timer_set && pub->claimed) {
            ngx_event_del_timer(&pub->in.timer);
            pub->in.timer.handler(&pub->in.timer);
        }

        break;

    default:
        ngx_webrtc_publisher_role.keyframe(&session, session.st);
        ngx_webrtc_publisher_role.keyframe(&session, layer());
        batch();
        look();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                before, budget;
    uint16_t              seq;
    ngx_str_t             name;
    ngx_uint_t            steps;
    const uint8_t        *end;
    ngx_webrtc_peer_t     peer;

    if (bus == NULL) {
        make();
    }

    now_us = 1000000000;
    passed(0);

    ngx_memzero(&session, sizeof(session));

    before = ngx_webrtc_bus_free(bus);

    ngx_str_set(&name, "x");

    session.wk = &worker;
    session.role = &ngx_webrtc_publisher_role;
    session.log = bus_log;
    session.close.log = &session.log;
    session.timer.log = &session.log;
    session.state = NGX_WEBRTC_SESSION_UP;
    session.st = ngx_webrtc_bus_stream(bus, &name, 65536, 1);
    check(session.st != NULL);
    ngx_webrtc_bus_set_ring_max(session.st, 262144);

    budget = 0;
    session.transport.budget = &budget;

    peer = made[size ? data[size - 1] & 1 : 0];
    peer.stream = session.st->ref;
    check(ngx_webrtc_peers_create(bus, &peer) == NGX_OK);

    check(ngx_webrtc_bus_reserve(bus, session.st, peer.ref, 0,
                                 ngx_current_msec)
          == NGX_OK);

    session.peer = ngx_webrtc_peers_claim(bus, peer.ref);
    check(session.peer != NULL);

    check(ngx_webrtc_srtp_out_init(&out, &key) == NGX_OK);
    check(ngx_webrtc_srtp_out_init(&session.out, &key) == NGX_OK);
    check(ngx_webrtc_srtp_in_init(&session.in, &key) == NGX_OK);
    session.role->start(&session);
    check(session.state == NGX_WEBRTC_SESSION_UP
          && ((ngx_webrtc_publisher_t *) session.part)->claimed);

    end = data + size;
    seq = 100;
    last_n = 0;

    for (steps = 0; data < end && steps < 256; steps++) {
        uint8_t  op = *data++;

        step(op, &data, end, &seq);
    }

    batch();
    look();

    if (session.close.posted) {
        ngx_delete_posted_event(&session.close);
    }

    if (session.timer.timer_set) {
        ngx_event_del_timer(&session.timer);
    }

    /* what is complained of stays in the zone */

    session.reason = "deleted";

    session.role->stop(&session);
    ngx_webrtc_srtp_out_cleanup(&out);
    ngx_webrtc_srtp_out_cleanup(&session.out);
    ngx_webrtc_srtp_in_cleanup(&session.in);
    ngx_webrtc_peers_close(bus, peer.ref);
    ngx_webrtc_bus_release(bus, session.st);

    check(ngx_webrtc_bus_free(bus) == before);

    return 0;
}
