
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * WHIP publishers (publisher.h), in one thread, and what they were told as
 * JSON.
 *
 *     whipbench -url http://127.0.0.1:8080/whip/demo -pid 123,124
 *
 * With -n their streams are the URL's with 0, 1, .. behind it.  SIGTERM ends
 * the measurement, and the sessions with DELETE; a publisher that is killed is
 * one that vanishes.
 *
 * -codec c    h264, vp8
 * -both       the other one of these is offered, too, and before it
 * -key s      a key frame that often; 0: at first and when asked
 * -late n     a key frame that is asked for is the n-th frame after the next
 * -deaf       no key frame when asked; from SIGUSR1 on in any case
 * -alone      takes feedback as FFmpeg 8.1 does, only where it is the first of
 *             its datagram
 * -unchecked  sends no checks once it is connected, as FFmpeg 8.0
 * -consent s  sends one every s seconds, 5
 * -burst n    packets that leave at once, every -pace ms; 0: whole frames.  The
 *             default is what libwebrtc's pacer does: 5 ms, at 2.5 times the
 *             bitrate
 * -drop n     every n-th packet of video does not leave, but when it is asked
 *             for again
 * -mute n     n packets of audio leave, and no other media until SIGUSR2, which
 *             stops video alone at any other time, and lets it go on
 * -cycles n   each leaves after -hold packets and comes again, until there were
 *             n of them; every second one without DELETE
 * -change l   after each -hold packets all tracks change their SSRCs, to what is
 *             next in the list: "-1000,20000r,back": numbers 1000 behind; 20000
 *             ahead, with another SSRC of RTX; the SSRC before that one again.
 *             "codec": video, with -both, goes on with the other codec
 * -generation n   of the first one, in stamps
 * -every ms   writes the -json file anew (and renames it) that often
 */


#include "publisher.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define MS      CLIENT_MS
#define SLICES  50                        /* of a second: timers of 1/50 */


static struct {
    const char   *json;
    double        ramp, seconds, settle;
    int           quiet, cpu, every, loopback;
    int           pids[BENCH_PIDS];
    size_t        npids;
} o;

static publisher_t            *publishers;
static size_t                  npublishers;
static uint64_t                begun;
static volatile sig_atomic_t   stopped;


static void report(double window, uint64_t packets, const bench_proc_t *p0,
    const bench_proc_t *p1);


static size_t
publishing(void)
{
    size_t  i, n;

    for (i = 0, n = 0; i < npublishers; i++) {
        n += (publishers[i].c.state == CLIENT_RUNNING);
    }

    return n;
}


static void
turn(void)
{
    size_t    i, from, to;
    uint64_t  now, due, next;

    static size_t     slice;
    static uint64_t   timers, written;

    now = bench_now_ns();
    next = timers;

    for (i = 0; i < npublishers; i++) {
        due = publisher_pump(&publishers[i], now);

        if (due < next) {
            next = due;
        }
    }

    now = bench_now_ns();

    client_turn(next > now ? next - now : 0);

    now = bench_now_ns();

    if (now < timers) {
        return;
    }

    timers = now + 1000 * MS / SLICES;

    from = npublishers * slice / SLICES;
    to = npublishers * (slice + 1) / SLICES;

    for (i = 0; i < npublishers; i++) {
        publisher_timer(&publishers[i], now, i >= from && i < to);
    }

    slice = (slice + 1) % SLICES;

    if (o.every && o.json && now - written >= (uint64_t) o.every * MS) {
        written = now;
        report(0, 0, NULL, NULL);
    }
}


static int
cycled(void)
{
    return publisher_conf.cycles
           && publisher_conf.ended + client_conf.failures
              >= publisher_conf.cycles;
}


static void
run(double seconds)
{
    uint64_t  begin;

    begin = bench_now_ns();

    while (!stopped && !cycled()
           && (double) (bench_now_ns() - begin) / 1e9 < seconds)
    {
        turn();
    }
}


static void
ramp(void)
{
    size_t    i, left;
    uint64_t  begin;

    begin = bench_now_ns();

    do {
        while (npublishers < publisher_conf.n
               && (double) npublishers
                  <= (double) (bench_now_ns() - begin) / 1e9 * o.ramp)
        {
            npublishers++;
            publisher_start(&publishers[npublishers - 1], npublishers - 1);
        }

        turn();

        left = publisher_conf.n - npublishers;

        for (i = 0; i < npublishers; i++) {
            left += (publishers[i].c.state < CLIENT_RUNNING);
        }

        if (publisher_conf.cycles) {
            left = publisher_conf.n - npublishers;
        }

    } while (left && !stopped);
}


static void
leave(void)
{
    size_t    i, left;
    uint64_t  begin;

    begin = bench_now_ns();

    publisher_conf.cycles = 0;

    do {
        left = 0;

        for (i = 0; i < npublishers; i++) {

            if (publishers[i].c.state == CLIENT_RUNNING) {
                publisher_leave(&publishers[i], 0);
            }

            left += (publishers[i].c.state == CLIENT_DELETING);
        }

        turn();

    } while (left && bench_now_ns() - begin < 20000 * MS);
}


/* p0, p1: NULL in the midst of it */

static void
report(double window, uint64_t packets, const bench_proc_t *p0,
    const bench_proc_t *p1)
{
    FILE             *f;
    char              name[1024];
    double            cpu;
    size_t            i, n;
    bench_values_t    ms;

    const publisher_conf_t  *c = &publisher_conf;

    snprintf(name, sizeof(name), "%s.new", o.json ? o.json : "");

    f = o.json ? fopen(name, "w") : stdout;
    if (f == NULL) {
        bench_die(name);
    }

    bench_open(f, NULL);
    bench_num(f, "ms", (double) (bench_now_ns() - begun) / 1e6, 1);
    bench_num(f, "publishers", (double) npublishers, 0);
    bench_num(f, "publishing", (double) publishing(), 0);
    bench_num(f, "failed", (double) client_conf.failures, 0);
    bench_num(f, "handshakes", (double) client_conf.handshakes, 0);
    bench_num(f, "ended", (double) c->ended, 0);
    bench_num(f, "packets", (double) c->packets, 0);
    bench_num(f, "bytes", (double) c->bytes, 0);
    bench_num(f, "changes", (double) c->changes, 0);
    bench_num(f, "frames", (double) c->frames, 0);
    bench_num(f, "keyframes", (double) c->keyframes, 0);
    bench_num(f, "plis", (double) c->plis, 0);
    bench_num(f, "firs", (double) c->firs, 0);
    bench_num(f, "last_pli_ms", c->last_pli ? (double) (c->last_pli - begun)
                                              / 1e6 : 0, 1);
    bench_num(f, "nacks", (double) c->nacks, 0);
    bench_num(f, "resent", (double) c->resent, 0);
    bench_num(f, "rtx", publishers[0].tracks[0].rtx, 0);
    bench_num(f, "dropped", (double) c->dropped, 0);
    bench_num(f, "unknown", (double) c->unknown, 0);
    bench_num(f, "ignored", (double) c->ignored, 0);
    bench_num(f, "report_blocks", (double) c->reports, 0);
    bench_num(f, "rembs", (double) c->rembs, 0);
    bench_num(f, "remb", c->remb, 0);
    bench_num(f, "twcc", (double) c->feedback, 0);
    bench_num(f, "twcc_received", (double) c->fed, 0);
    bench_num(f, "twcc_lost", (double) c->fed_lost, 0);

    if (p0) {
        bench_num(f, "window_s", window, 3);
        bench_num(f, "packets_per_s", (double) packets / window, 1);

        ms = c->rtt_ms;
        bench_spread(f, "rtt_ms", &ms, 3);

        if (o.loopback) {
            memset(&ms, 0, sizeof(ms));
            publisher_loopback(&ms, 2000);
            bench_spread(f, "loopback_ms", &ms, 4);
            free(ms.v);
        }

        bench_open(f, "client");
        bench_num(f, "cpu_percent", (double) (p1->self_ns - p0->self_ns)
                                    / window / 1e7, 1);
        bench_close(f);
    }

    if (p0 && o.npids) {
        cpu = (double) (p1->cpu_ns - p0->cpu_ns);

        bench_open(f, "server");
        bench_num(f, "cpu_percent", cpu / window / 1e7, 2);
        bench_num(f, "cpu_us_per_packet", packets ? cpu / 1e3
                                                    / (double) packets : 0, 3);
        bench_num(f, "rss_kb", (double) p1->rss_kb, 0);
        bench_close(f);
    }

    if (client_conf.failures) {
        bench_open(f, "errors");

        for (i = 0, n = 0; i < npublishers && n < 5; i++) {
            if (publishers[i].c.error) {
                snprintf(name, sizeof(name), "publisher%zu", i);
                bench_text(f, name, publishers[i].c.error);
                n++;
            }
        }

        bench_close(f);
    }

    bench_close(f);

    if (o.json) {
        fclose(f);
        snprintf(name, sizeof(name), "%s.new", o.json);

        if (rename(name, o.json) == -1) {
            bench_die(o.json);
        }

    } else {
        fflush(f);
    }
}


static void
options(int argc, char **argv)
{
    int  c, usage;

    static const struct option  opts[] = {
        { "url", 1, NULL, 'u' }, { "n", 1, NULL, 'n' },
        { "ramp", 1, NULL, 'r' }, { "t", 1, NULL, 't' },
        { "settle", 1, NULL, 's' }, { "timeout", 1, NULL, 'o' },
        { "srtp", 1, NULL, 'p' }, { "setup", 1, NULL, 'S' },
        { "audio", 0, NULL, 'a' }, { "codec", 1, NULL, 'd' },
        { "both", 0, NULL, 'w' },
        { "bitrate", 1, NULL, 'b' }, { "fps", 1, NULL, 'f' },
        { "key", 1, NULL, 'k' }, { "factor", 1, NULL, 'K' },
        { "size", 1, NULL, 'z' }, { "burst", 1, NULL, 'B' },
        { "pace", 1, NULL, 'P' }, { "deaf", 0, NULL, 'D' },
        { "alone", 0, NULL, 'N' }, { "unchecked", 0, NULL, 'U' },
        { "late", 1, NULL, 'A' }, { "consent", 1, NULL, 'I' },
        { "nortx", 0, NULL, 'x' }, { "drop", 1, NULL, 'L' },
        { "cycles", 1, NULL, 'y' }, { "hold", 1, NULL, 'h' },
        { "change", 1, NULL, 'C' }, { "mute", 1, NULL, 'M' },
        { "generation", 1, NULL, 'g' }, { "pid", 1, NULL, 'i' },
        { "json", 1, NULL, 'j' }, { "every", 1, NULL, 'e' },
        { "cpu", 1, NULL, 'c' }, { "loopback", 0, NULL, 'l' },
        { "tcp", 0, NULL, 'X' },
        { NULL, 0, NULL, 0 }
    };

    publisher_conf.n = 1;
    publisher_conf.generation = 1;
    publisher_conf.bitrate = 2.5e6;
    publisher_conf.fps = 30;
    publisher_conf.key = 1;
    publisher_conf.key_factor = 5;
    publisher_conf.size = 1160;
    publisher_conf.rtx = 1;
    publisher_conf.mute = -1;
    publisher_conf.burst = (size_t) -1;
    publisher_conf.pace_ms = 5;
    publisher_conf.hold = 20;
    client_conf.timeout = 10;
    client_conf.consent = CLIENT_CONSENT;
    client_conf.profile = "gcm";
    client_conf.setup = "actpass";
    o.ramp = 200;
    o.seconds = 10;
    o.cpu = -1;
    usage = 0;

    while ((c = getopt_long_only(argc, argv, "", opts, NULL)) != -1) {
        switch (c) {
        case 'u': client_conf.url = optarg; break;
        case 'n': publisher_conf.n = strtoul(optarg, NULL, 10); break;
        case 'r': o.ramp = atof(optarg); break;
        case 't': o.seconds = atof(optarg); break;
        case 's': o.settle = atof(optarg); break;
        case 'o': client_conf.timeout = atof(optarg); break;
        case 'p': client_conf.profile = optarg; break;
        case 'S': client_conf.setup = optarg; break;
        case 'a': publisher_conf.audio = 1; break;
        case 'w': publisher_conf.both = 1; break;
        case 'b': publisher_conf.bitrate = atof(optarg); break;
        case 'f': publisher_conf.fps = atof(optarg); break;
        case 'k': publisher_conf.key = atof(optarg); break;
        case 'K': publisher_conf.key_factor = atof(optarg); break;
        case 'z': publisher_conf.size = strtoul(optarg, NULL, 10); break;
        case 'B': publisher_conf.burst = strtoul(optarg, NULL, 10); break;
        case 'P': publisher_conf.pace_ms = atof(optarg); break;
        case 'D': publisher_conf.deaf = 1; break;
        case 'N': publisher_conf.alone = 1; break;
        case 'U': client_conf.unchecked = 1; break;
        case 'I': client_conf.consent = (unsigned) atoi(optarg); break;
        case 'A': publisher_conf.late = (uint32_t) atol(optarg); break;
        case 'x': publisher_conf.rtx = 0; break;
        case 'L': publisher_conf.drop = strtoul(optarg, NULL, 10); break;
        case 'y': publisher_conf.cycles = strtoul(optarg, NULL, 10); break;
        case 'h': publisher_conf.hold = strtoul(optarg, NULL, 10); break;
        case 'C': publisher_conf.change = optarg; break;
        case 'M': publisher_conf.mute = atoi(optarg); break;
        case 'g': publisher_conf.generation = (uint32_t) atol(optarg); break;
        case 'i': o.npids = bench_pids(optarg, o.pids); break;
        case 'j': o.json = optarg; bench_json(optarg); break;
        case 'e': o.every = atoi(optarg); break;
        case 'c': o.cpu = atoi(optarg); break;
        case 'l': o.loopback = 1; break;
        case 'X': client_conf.framed = 1; break;

        case 'd':
            publisher_conf.codec = strcmp(optarg, "vp8") == 0 ? STAMP_VP8
                                                              : STAMP_H264;
            break;

        default: usage = 1;
        }
    }

    if (publisher_conf.burst == (size_t) -1) {
        publisher_conf.burst = (size_t) (2.5 * publisher_conf.bitrate / 8
                                         * publisher_conf.pace_ms / 1e3
                                         / (double) publisher_conf.size) + 1;
    }

    if (usage || client_conf.url == NULL || publisher_conf.n == 0
        || client_conf.consent == 0
        || publisher_conf.fps < 1 || publisher_conf.bitrate < 1000
        || publisher_conf.size < STAMP_MIN
        || publisher_conf.size > PUBLISHER_PACKET - 64)
    {
        fprintf(stderr, "usage: whipbench -url http://a.b.c.d:port/path "
                "[-n publishers] [-ramp per second]\n    [-t seconds] "
                "[-settle seconds] [-timeout seconds] [-srtp gcm|sha1_80]\n"
                "    [-setup actpass|active|passive] [-audio] [-codec "
                "h264|vp8] [-both] [-bitrate bits/s]\n    [-fps n] [-key seconds] "
                "[-factor key frame:other] [-size bytes] [-burst packets]\n"
                "    [-pace ms] [-late frames] [-deaf] [-alone] [-unchecked] "
                "[-consent seconds] [-mute packets]\n    [-nortx] [-drop n] [-cycles n] "
                "[-hold packets] [-change list] [-generation n]\n    "
                "[-pid pid,...] [-json file] [-every ms] [-cpu n] "
                "[-loopback]\n");
        exit(2);
    }
}


static void
stop(int signo)
{
    (void) signo;

    stopped = 1;
}


static void
deaf(int signo)
{
    (void) signo;

    publisher_conf.deaf = 1;
}


static void
toggle_mute(int signo)
{
    (void) signo;

    publisher_conf.mute = publisher_conf.mute < 0 ? INT_MAX : -1;
}


int
main(int argc, char **argv)
{
    uint64_t      t0, t1, n0, n1;
    bench_proc_t  p0, p1;

    options(argc, argv);
    bench_pin(o.cpu);
    bench_files(2 * publisher_conf.n + 128);

    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    signal(SIGUSR1, deaf);
    signal(SIGUSR2, toggle_mute);

    begun = bench_now_ns();

    client_conf_init();

    publishers = calloc(publisher_conf.n, sizeof(publisher_t));

    if (publishers == NULL) {
        bench_die("calloc");
    }

    ramp();
    run(o.settle);

    n0 = publisher_conf.packets;
    bench_proc(&p0, o.pids, o.npids);
    t0 = bench_now_ns();

    run(o.seconds);

    t1 = bench_now_ns();
    bench_proc(&p1, o.pids, o.npids);
    n1 = publisher_conf.packets;

    leave();
    report((double) (t1 - t0) / 1e9, n1 - n0, &p0, &p1);

    return client_conf.failures ? 1 : 0;
}
