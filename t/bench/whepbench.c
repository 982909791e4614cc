
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A load of WHEP viewers (viewer.h), in one thread: as many as the machine has
 * ports for, and what reached them as a table and JSON.
 *
 *     whepbench -url http://127.0.0.1:8080/whep/demo -n 1000 -pid 123,124
 *
 * -verify    checking mode; so is -audio
 * -blind     blind mode
 * -churn n   n viewers per second leave and come again
 * -cycles n  every viewer leaves as soon as it plays and comes again, until
 *            there were n of them; every second one without DELETE
 * -flood     no viewers but clients that only begin: POST, check, ClientHello,
 *            and DELETE when the server has answered it with its certificate and
 *            signature: most of a handshake for the server, little for them
 * -port n    of a relay to which the media goes, one viewer's
 * -pli ms    all viewers ask for a key frame at once, every so often
 * -unchecked  sends no checks once it is connected
 * -consent s  sends one every s seconds, 5
 * -bad n, -lose p   n viewers report p percent of loss and ask for as much again
 * -list n    viewers that are reported one by one, with -verify; 8
 * -every ms  writes the -json file anew (and renames it) that often, so that a
 *            test can wait for what it says; SIGTERM ends the measurement, and
 *            from SIGUSR1 on gaps are measured anew
 */


#include "viewer.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define MS         CLIENT_MS
#define SLICES     50                     /* of a second: timers of 1/50 */


static struct {
    const char   *json;
    double        ramp, seconds, settle, stall;
    int           quiet, cpu, pli, every, flood;
    int           pids[BENCH_PIDS];
    size_t        npids;
    size_t        list;                   /* viewers in the report */
} o;

static viewer_t               *viewers;
static size_t                  nviewers;
static uint64_t                plis;
static volatile sig_atomic_t   stopped;
static volatile sig_atomic_t   marks;      /* SIGUSR1s */
static sig_atomic_t            marked;     /* of them, seen */


static void report_live(void);


static void
turn(int wait_ms)
{
    size_t            k, from, to;
    uint64_t          now;

    static size_t     slice;
    static uint64_t   next, written;

    client_turn((uint64_t) wait_ms * MS);

    now = bench_now_ns();

    if (now < next) {
        return;
    }

    next = now + 1000 * MS / SLICES;

    from = nviewers * slice / SLICES;
    to = nviewers * (slice + 1) / SLICES;

    for (k = 0; k < nviewers; k++) {
        if (viewers[k].c.state != CLIENT_RUNNING
            || (k >= from && k < to))
        {
            viewer_timer(&viewers[k], now, k >= from && k < to);
        }
    }

    slice = (slice + 1) % SLICES;

    if (o.every && now - written >= (uint64_t) o.every * MS) {
        written = now;
        report_live();
    }
}


/* sums of all viewers */

static void
sum(viewer_counters_t *c)
{
    size_t     i, k;
    uint64_t  *to, *from;

    memset(c, 0, sizeof(*c));

    for (i = 0; i < nviewers; i++) {
        to = (uint64_t *) (void *) c;
        from = (uint64_t *) (void *) &viewers[i].n;

        for (k = 0; k < sizeof(*c) / sizeof(uint64_t); k++) {
            to[k] += from[k];
        }
    }
}


static size_t
playing(void)
{
    size_t  i, n;

    for (i = 0, n = 0; i < nviewers; i++) {
        n += (viewers[i].c.state == CLIENT_RUNNING);
    }

    return n;
}


/* runs for so long; a line of figures every second */

static void
run(double seconds, const char *what)
{
    double              churned;
    size_t              i, victim;
    uint64_t            begin, now, second, asked;
    viewer_counters_t   a, b;

    begin = bench_now_ns();
    second = begin;
    asked = begin;
    churned = 0;
    victim = 0;
    sum(&a);

    for ( ;; ) {
        turn(2);

        now = bench_now_ns();

        if (viewer_conf.measuring && viewer_conf.churn > 0) {
            while (churned < (double) (now - begin) / 1e9
                             * viewer_conf.churn)
            {
                churned++;

                if (viewers[victim].c.state == CLIENT_RUNNING) {
                    viewer_leave(&viewers[victim], 0);
                }

                victim = (victim + 1) % nviewers;
            }
        }

        if (viewer_conf.measuring && viewer_conf.cycles) {
            for (i = 0; i < nviewers; i++) {
                if (viewers[i].c.state == CLIENT_RUNNING) {
                    viewer_leave(&viewers[i], viewer_conf.left++ % 2);
                }
            }
        }

        if (viewer_conf.measuring && o.pli
            && now - asked >= (uint64_t) o.pli * MS)
        {
            asked = now;

            for (i = 0; i < nviewers; i++) {
                if (viewers[i].c.state == CLIENT_RUNNING) {
                    viewer_pli(&viewers[i]);
                    plis++;
                }
            }
        }

        if (now - second >= 1000 * MS && !o.quiet) {
            sum(&b);
            fprintf(stderr, "%-8s %5zu playing  %8.0f packets/s  %8.1f Mbit/s"
                    "  lost %ld  failed %lu\n", what, playing(),
                    (double) (b.packets - a.packets) * 1e9
                    / (double) (now - second),
                    (double) (b.bytes - a.bytes) * 8e3
                    / (double) (now - second),
                    (long) (b.lost - a.lost),
                    (unsigned long) client_conf.failures);
            a = b;
            second = now;
        }

        if (stopped || (double) (now - begin) / 1e9 >= seconds
            || (viewer_conf.measuring && viewer_conf.cycles
                && viewer_conf.ended + client_conf.failures
                   >= viewer_conf.cycles))
        {
            return;
        }
    }
}


/* starts viewers [from, to) at so many per second, until they play or fail */

static void
ramp(size_t from, size_t to, double rate, int wait)
{
    size_t    i, left;
    uint64_t  begin;

    begin = bench_now_ns();
    i = from;

    for ( ;; ) {
        while (i < to
               && (double) (i - from)
                  <= (double) (bench_now_ns() - begin) / 1e9 * rate)
        {
            nviewers = i + 1;
            viewer_start(&viewers[i], i);
            i++;
        }

        turn(1);

        if (i < to) {
            continue;
        }

        for (left = 0, i = from; i < to; i++) {
            left += (viewers[i].c.state != CLIENT_RUNNING
                     && viewers[i].c.state != CLIENT_FAILED);
        }

        i = to;

        if (left == 0 || !wait || stopped) {
            return;
        }
    }
}


static void
leave(void)
{
    size_t    i, left;
    uint64_t  begin;

    begin = bench_now_ns();

    do {
        left = 0;

        for (i = 0; i < nviewers; i++) {

            if ((viewers[i].c.state == CLIENT_RUNNING
                 || viewers[i].c.state == CLIENT_STARTING)
                && client_conf.active_http < 32)
            {
                viewer_leave(&viewers[i], 0);
            }

            left += (viewers[i].c.state == CLIENT_RUNNING
                     || viewers[i].c.state == CLIENT_STARTING
                     || viewers[i].c.state == CLIENT_DELETING);
        }

        turn(1);

    } while (left && bench_now_ns() - begin < 20000 * MS);
}


static void
report_starts(FILE *f, const char *name, size_t from, size_t to)
{
    size_t           i;
    bench_values_t   a, c, s, p, k;

    memset(&a, 0, sizeof(a));
    memset(&c, 0, sizeof(c));
    memset(&s, 0, sizeof(s));
    memset(&p, 0, sizeof(p));
    memset(&k, 0, sizeof(k));

    for (i = from; i < to; i++) {
        if (viewers[i].keyed) {
            bench_add(&a, viewers[i].c.answered);
            bench_add(&c, viewers[i].c.checked);
            bench_add(&s, viewers[i].c.secured);
            bench_add(&p, viewers[i].packet);
            bench_add(&k, viewers[i].key);
        }
    }

    bench_open(f, name);
    bench_spread(f, "answer", &a, 2);
    bench_spread(f, "ice", &c, 2);
    bench_spread(f, "dtls", &s, 2);
    bench_spread(f, "first_packet", &p, 2);
    bench_spread(f, "first_key_frame", &k, 2);
    bench_close(f);

    free(a.v);
    free(c.v);
    free(s.v);
    free(p.v);
    free(k.v);
}


/* what one viewer has seen of a track */

static void
report_stream(FILE *f, const char *name, const viewer_stream_t *st)
{
    size_t  i;
    char    text[32];

    bench_open(f, name);
    bench_num(f, "packets", (double) st->received, 0);
    bench_num(f, "gap_ms", (double) ngx_max(st->gap_ns, bench_now_ns()
                                            - st->frame_ns) / 1e6, 0);
    bench_num(f, "seq_breaks", (double) st->breaks, 0);
    bench_num(f, "backwards", (double) st->backwards, 0);
    bench_num(f, "pt_switches", (double) st->switches, 0);
    bench_num(f, "stamped", (double) st->stamped, 0);
    bench_num(f, "missing", (double) st->missing, 0);
    bench_num(f, "again", (double) st->again, 0);

    /* of timestamps against the time of sending */

    bench_num(f, "spread_ms", (double) (st->lead_max - st->lead_min) / 1e3, 1);
    bench_num(f, "late_ms", (double) st->late / 1e6, 1);
    bench_num(f, "advance_ms", (double) st->media * 1e3
                               / stamp_rate(st->pt), 1);
    bench_open(f, "publishers");

    for (i = 0; i < st->ngens; i++) {
        snprintf(text, sizeof(text), "%zu", i);
        bench_open(f, text);
        bench_num(f, "generation", st->gens[i].gen, 0);
        bench_num(f, "pt", st->gens[i].pt, 0);
        bench_num(f, "packets", (double) st->gens[i].packets, 0);
        bench_close(f);
    }

    bench_close(f);
    bench_close(f);
}


/* that the media comes to */

static unsigned
client_port(client_t *c)
{
    socklen_t           n;
    struct sockaddr_in  addr;

    n = sizeof(addr);

    if (getsockname(c->fd, (struct sockaddr *) &addr, &n) == -1) {
        return 0;
    }

    return ntohs(addr.sin_port);
}


/* gaps are measured from here on */

static void
mark(void)
{
    size_t            i, k;
    viewer_stream_t  *st;

    marked = marks;

    for (i = 0; i < nviewers; i++) {
        for (k = 0; k < viewers[i].nstreams; k++) {
            st = &viewers[i].streams[k];
            st->gap_ns = 0;
            st->frame_ns = bench_now_ns();
        }
    }
}


static void
report_checks(FILE *f)
{
    char                      name[32];
    size_t                    i, k;
    uint64_t                  missing, again, breaks, backwards;
    const viewer_stream_t    *st;

    missing = again = breaks = backwards = 0;

    for (i = 0; i < nviewers; i++) {
        for (k = 0; k < viewers[i].nstreams; k++) {
            st = &viewers[i].streams[k];
            missing += st->missing;
            again += st->again;
            breaks += st->breaks;
            backwards += st->backwards;
        }
    }

    bench_num(f, "handshakes", (double) client_conf.handshakes, 0);
    bench_num(f, "ended", (double) viewer_conf.ended, 0);
    bench_num(f, "plis_sent", (double) plis, 0);
    bench_num(f, "seq_breaks", (double) breaks, 0);
    bench_num(f, "backwards", (double) backwards, 0);
    bench_num(f, "missing", (double) missing, 0);
    bench_num(f, "again", (double) again, 0);

    for (i = 0; viewer_conf.verify && i < nviewers && i < o.list; i++) {
        snprintf(name, sizeof(name), "viewer%zu", i);
        bench_open(f, name);
        bench_text(f, "state", client_state(&viewers[i].c));
        bench_num(f, "port", client_port(&viewers[i].c), 0);
        bench_num(f, "frames", (double) viewers[i].n.frames, 0);
        bench_num(f, "lost", (double) viewers[i].n.lost, 0);

        for (k = 0; k < viewers[i].nstreams; k++) {
            st = &viewers[i].streams[k];
            report_stream(f, st->pt == STAMP_PT_OPUS ? "audio" : "video", st);
        }

        bench_close(f);
    }
}


/* the -json file, as a whole or not at all */

static FILE *
report_open(void)
{
    FILE  *f;
    char   name[1024];

    if (o.json == NULL) {
        return stdout;
    }

    snprintf(name, sizeof(name), "%s.new", o.json);

    f = fopen(name, "w");
    if (f == NULL) {
        bench_die(name);
    }

    return f;
}


static void
report_done(FILE *f)
{
    char  name[1024];

    if (f == stdout) {
        fflush(f);
        return;
    }

    fclose(f);

    snprintf(name, sizeof(name), "%s.new", o.json);

    if (rename(name, o.json) == -1) {
        bench_die(o.json);
    }
}


static void
report_live(void)
{
    FILE               *f;
    viewer_counters_t   c;

    if (o.json == NULL) {
        return;
    }

    sum(&c);

    if (marked != marks) {
        mark();
    }

    f = report_open();

    bench_open(f, NULL);
    bench_num(f, "ms", (double) bench_now_ns() / 1e6, 1);
    bench_num(f, "bytes", (double) c.bytes, 0);
    bench_num(f, "marks", (double) marked, 0);
    bench_num(f, "playing", (double) playing(), 0);
    bench_num(f, "measuring", viewer_conf.measuring, 0);
    bench_num(f, "failed", (double) client_conf.failures, 0);
    bench_num(f, "packets", (double) c.packets, 0);
    bench_num(f, "lost", (double) c.lost, 0);
    bench_num(f, "reordered", (double) c.reordered, 0);
    bench_num(f, "auth_fail", (double) c.auth_fail, 0);
    bench_num(f, "broken", (double) c.broken, 0);
    report_checks(f);
    bench_close(f);

    report_done(f);
}


static void
report(FILE *f, double window, const viewer_counters_t *a,
    const viewer_counters_t *b, const uint64_t *frames,
    const bench_proc_t *idle, const bench_proc_t *p0, const bench_proc_t *p1,
    size_t base, uint64_t hs)
{
    int              i;
    char             name[32];
    double           packets, cpu, n;
    size_t           k;
    bench_values_t   fps;

    memset(&fps, 0, sizeof(fps));

    packets = (double) (b->packets - a->packets);
    n = (double) playing();

    for (k = 0; k < base; k++) {
        if (viewers[k].c.state == CLIENT_RUNNING && !viewers[k].blind) {
            bench_add(&fps, (double) (viewers[k].n.frames - frames[k])
                            / window);
        }
    }

    if (viewer_conf.blind) {

        /* all get what those get that look */

        packets *= n / (double) (fps.n ? fps.n : 1);
    }

    bench_open(f, NULL);
    bench_num(f, "viewers", (double) nviewers, 0);
    bench_num(f, "playing", n, 0);
    bench_num(f, "failed", (double) client_conf.failures, 0);
    bench_num(f, "streams", (double) viewer_conf.streams, 0);
    bench_text(f, "srtp", client_conf.profile);
    bench_text(f, "mode", viewer_conf.verify ? "verify"
                          : viewer_conf.blind ? "blind" : "light");
    bench_num(f, "gro", viewer_conf.gro, 0);
    bench_num(f, "window_s", window, 3);
    bench_num(f, "packets_per_s", packets / window, 0);
    bench_num(f, "mbit_per_s", (double) (b->bytes - a->bytes) * 8 / window
                               / 1e6, 1);
    bench_num(f, "packets", (double) (b->packets - a->packets), 0);
    bench_num(f, "packets_per_message", packets
              / (double) (b->messages - a->messages ? b->messages - a->messages
                                                    : 1), 2);
    bench_num(f, "lost", (double) (int64_t) (b->lost - a->lost), 0);
    bench_num(f, "reordered", (double) (b->reordered - a->reordered), 0);
    bench_num(f, "auth_fail", (double) b->auth_fail, 0);
    bench_num(f, "broken", (double) b->broken, 0);
    bench_num(f, "sender_reports", (double) (b->rtcp - a->rtcp), 0);
    bench_spread(f, "fps_per_viewer", &fps, 2);

    report_starts(f, "post_to_ms", 0, base);

    if (nviewers > base) {
        report_starts(f, "burst_post_to_ms", base, nviewers);
    }

    report_checks(f);

    if (viewer_conf.latency_ms.n) {
        bench_spread(f, "latency_ms", &viewer_conf.latency_ms, 3);
    }

    if (viewer_conf.latency) {
        bench_spread(f, "arrival_after_timestamp_ms", &viewer_conf.lags, 3);
    }

    if (viewer_conf.churn > 0) {
        bench_num(f, "restarts", (double) viewer_conf.restarts, 0);
        bench_num(f, "handshakes_per_s", (double) hs / window, 1);
    }

    bench_open(f, "client");
    bench_num(f, "cpu_percent", (double) (p1->self_ns - p0->self_ns) / window
                                / 1e7, 1);
    bench_num(f, "rcvbuf_errors", (double) (p1->rcvbuf_errors
                                            - p0->rcvbuf_errors), 0);
    bench_close(f);

    if (o.npids) {
        cpu = (double) (p1->cpu_ns - p0->cpu_ns);

        bench_open(f, "server");
        bench_num(f, "cpu_percent", cpu / window / 1e7, 1);
        bench_num(f, "cpu_us_per_packet", packets ? cpu / 1e3 / packets : 0,
                  3);
        bench_num(f, "ticks_us_per_packet",
                  packets ? (double) (p1->ticks_ns - p0->ticks_ns) / 1e3
                            / packets : 0, 3);
        bench_num(f, "cpu_ms_per_viewer_second", n ? cpu / 1e6 / window / n
                                                   : 0, 4);
        bench_num(f, "rss_kb", (double) p1->rss_kb, 0);
        bench_num(f, "anon_kb", (double) p1->anon_kb, 0);
        bench_num(f, "shmem_kb", (double) p1->shmem_kb, 0);
        bench_num(f, "rss_kb_per_viewer",
                  n ? ((double) p1->rss_kb - (double) idle->rss_kb) / n : 0,
                  1);
        bench_num(f, "anon_kb_per_viewer",
                  n ? ((double) p1->anon_kb - (double) idle->anon_kb) / n : 0,
                  1);
        bench_num(f, "sndbuf_errors", (double) (p1->sndbuf_errors
                                                - p0->sndbuf_errors), 0);
        bench_close(f);
    }

    bench_open(f, "core_busy");

    for (i = 0; i < p1->cpus; i++) {
        snprintf(name, sizeof(name), "cpu%d", i);
        bench_num(f, name, (double) (p1->busy[i] - p0->busy[i])
                           / (double) (p1->total[i] - p0->total[i]), 3);
    }

    bench_close(f);

    if (client_conf.failures) {
        bench_open(f, "errors");

        for (k = 0, i = 0; k < nviewers && i < 5; k++) {
            if (viewers[k].c.state == CLIENT_FAILED) {
                snprintf(name, sizeof(name), "viewer%zu", k);
                bench_text(f, name, viewers[k].c.error);
                i++;
            }
        }

        bench_close(f);
    }

    bench_close(f);
}


static void
options(int argc, char **argv)
{
    int  c;

    static const struct option  opts[] = {
        { "url", 1, NULL, 'u' }, { "n", 1, NULL, 'n' },
        { "ramp", 1, NULL, 'r' }, { "t", 1, NULL, 't' },
        { "settle", 1, NULL, 's' }, { "timeout", 1, NULL, 'o' },
        { "srtp", 1, NULL, 'p' }, { "audio", 0, NULL, 'a' },
        { "verify", 0, NULL, 'v' }, { "blind", 0, NULL, 'b' },
        { "gro", 1, NULL, 'g' }, { "latency", 0, NULL, 'l' },
        { "pid", 1, NULL, 'i' }, { "json", 1, NULL, 'j' },
        { "streams", 1, NULL, 'm' }, { "burst", 1, NULL, 'B' },
        { "churn", 1, NULL, 'C' }, { "quiet", 0, NULL, 'q' },
        { "cpu", 1, NULL, 'c' }, { "rcvbuf", 1, NULL, 'R' },
        { "trace", 1, NULL, 'T' }, { "codecs", 1, NULL, 'd' },
        { "cycles", 1, NULL, 'y' }, { "pli", 1, NULL, 'P' },
        { "every", 1, NULL, 'e' }, { "setup", 1, NULL, 'S' },
        { "flood", 0, NULL, 'F' }, { "port", 1, NULL, 'O' },
        { "list", 1, NULL, 'L' }, { "unchecked", 0, NULL, 'U' },
        { "consent", 1, NULL, 'I' }, { "tcp", 0, NULL, 'X' },
        { "stall", 1, NULL, 'W' }, { "bad", 1, NULL, 'D' },
        { "lose", 1, NULL, 'E' },
        { NULL, 0, NULL, 0 }
    };

    viewer_conf.n = 1;
    viewer_conf.streams = 1;
    o.ramp = 200;
    o.seconds = 10;
    o.settle = 2;
    o.list = 8;
    client_conf.timeout = 10;
    client_conf.consent = CLIENT_CONSENT;
    client_conf.profile = "gcm";
    client_conf.setup = "actpass";
    viewer_conf.codecs = "h264";
    viewer_conf.gro = 1;
    o.cpu = -1;
    viewer_conf.rcvbuf = 1 << 20;

    while ((c = getopt_long_only(argc, argv, "", opts, NULL)) != -1) {
        switch (c) {
        case 'u': client_conf.url = optarg; break;
        case 'n': viewer_conf.n = strtoul(optarg, NULL, 10); break;
        case 'r': o.ramp = atof(optarg); break;
        case 't': o.seconds = atof(optarg); break;
        case 's': o.settle = atof(optarg); break;
        case 'o': client_conf.timeout = atof(optarg); break;
        case 'O': client_conf.port = atoi(optarg); break;
        case 'L': o.list = strtoul(optarg, NULL, 10); break;
        case 'p': client_conf.profile = optarg; break;
        case 'a': viewer_conf.audio = 1; break;
        case 'v': viewer_conf.verify = 1; break;
        case 'b': viewer_conf.blind = 1; break;
        case 'g': viewer_conf.gro = atoi(optarg); break;
        case 'l': viewer_conf.latency = 1; break;
        case 'i': o.npids = bench_pids(optarg, o.pids); break;
        case 'j': o.json = optarg; bench_json(optarg); break;
        case 'm': viewer_conf.streams = strtoul(optarg, NULL, 10); break;
        case 'B': viewer_conf.burst = strtoul(optarg, NULL, 10); break;
        case 'C': viewer_conf.churn = atof(optarg); break;
        case 'q': o.quiet = 1; break;
        case 'c': o.cpu = atoi(optarg); break;
        case 'R': viewer_conf.rcvbuf = atoi(optarg); break;
        case 'T':
            viewer_conf.trace = fopen(optarg, "w");

            if (viewer_conf.trace == NULL) {
                bench_die(optarg);
            }

            break;

        case 'd': viewer_conf.codecs = optarg; break;
        case 'y': viewer_conf.cycles = strtoul(optarg, NULL, 10); break;
        case 'P': o.pli = atoi(optarg); break;
        case 'e': o.every = atoi(optarg); break;
        case 'S': client_conf.setup = optarg; break;
        case 'U': client_conf.unchecked = 1; break;
        case 'I': client_conf.consent = (unsigned) atoi(optarg); break;
        case 'F': o.flood = 1; break;
        case 'X': client_conf.framed = 1; break;
        case 'W': o.stall = atof(optarg); break;
        case 'D': viewer_conf.bad = strtoul(optarg, NULL, 10); break;
        case 'E': viewer_conf.lose = strtoul(optarg, NULL, 10); break;
        default: exit(2);
        }
    }

    if (viewer_conf.audio) {
        /* light mode takes a message for one stream's */
        viewer_conf.verify = 1;
    }

    if (client_conf.url == NULL || viewer_conf.n == 0
        || viewer_conf.streams == 0 || client_conf.consent == 0)
    {
        fprintf(stderr, "usage: whepbench -url http://a.b.c.d:port/path "
                "[-n viewers] [-ramp per second] [-t seconds] [-settle "
                "seconds]\n    [-timeout seconds] [-srtp gcm|sha1_80] "
                "[-setup actpass|active|passive] [-audio]\n    "
                "[-codecs h264,vp8] [-verify] [-blind] [-gro 0|1] [-latency] "
                "[-pid pid,...]\n    [-json file] [-every ms] [-streams n: "
                "path0, path1, ...] [-burst viewers]\n    [-churn per second] "
                "[-cycles n] [-pli ms] [-cpu n] [-rcvbuf bytes] [-trace "
                "file]\n    [-flood] [-port relay] [-list n] [-unchecked] "
                "[-consent seconds] [-tcp] [-stall seconds] [-bad viewers] "
                "[-lose percent]\n    [-quiet]\n");
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
count_mark(int signo)
{
    (void) signo;

    marks = marks + 1;
}


/* who has ended, or was refused, begins again */

static int
flood(void)
{
    size_t    i;
    double    seconds;
    uint64_t  begin;

    client_conf.half = 1;

    begin = bench_now_ns();

    for (i = 0; i < viewer_conf.n; i++) {
        nviewers = i + 1;
        viewer_start(&viewers[i], i);
    }

    do {
        turn(2);

        for (i = 0; i < viewer_conf.n; i++) {
            if (viewers[i].c.state == CLIENT_FAILED
                || viewers[i].c.state == CLIENT_GONE)
            {
                viewer_start(&viewers[i], i);
            }
        }

        seconds = (double) (bench_now_ns() - begin) / 1e9;

    } while (seconds < o.seconds && !stopped);

    bench_open(stdout, NULL);
    bench_num(stdout, "begun_per_s", (double) client_conf.handshakes
                                     / seconds, 1);
    bench_num(stdout, "failed", (double) client_conf.failures, 0);
    bench_close(stdout);

    return 0;
}


int
main(int argc, char **argv)
{
    FILE               *f;
    size_t              k, base;
    uint64_t            t0, t1, *frames, hs;
    bench_proc_t        idle, p0, p1;
    viewer_counters_t   a, b;

    options(argc, argv);
    bench_pin(o.cpu);
    bench_files(2 * (viewer_conf.n + viewer_conf.burst) + 128);

    signal(SIGTERM, stop);
    signal(SIGUSR1, count_mark);
    signal(SIGINT, stop);

    client_conf_init();
    viewer_conf_init();

    viewers = calloc(viewer_conf.n + viewer_conf.burst, sizeof(viewer_t));
    frames = calloc(viewer_conf.n, sizeof(uint64_t));

    if (viewers == NULL || frames == NULL) {
        bench_die("init");
    }

    if (viewer_conf.trace) {
        viewer_conf.traced = &viewers[0];
    }

    bench_proc(&idle, o.pids, o.npids);

    if (o.flood) {
        return flood();
    }

    ramp(0, viewer_conf.n, o.ramp, 1);
    run(o.settle, "settle");

    base = nviewers;

    for (k = 0; k < base; k++) {
        frames[k] = viewers[k].n.frames;
    }

    viewer_conf.measuring = 1;
    hs = client_conf.handshakes;
    sum(&a);
    bench_proc(&p0, o.pids, o.npids);
    t0 = bench_now_ns();

    if (o.stall > 0) {
        client_conf.stall = t0 + (uint64_t) (o.stall * 1e9);
    }

    if (viewer_conf.burst) {
        ramp(base, base + viewer_conf.burst, (double) viewer_conf.burst, 0);
    }

    if ((double) (bench_now_ns() - t0) / 1e9 < o.seconds) {
        run(o.seconds - (double) (bench_now_ns() - t0) / 1e9, "measure");
    }

    t1 = bench_now_ns();
    bench_proc(&p1, o.pids, o.npids);
    sum(&b);
    hs = client_conf.handshakes - hs;
    viewer_conf.measuring = 0;

    f = report_open();

    report(f, (double) (t1 - t0) / 1e9, &a, &b, frames, &idle, &p0, &p1, base,
           hs);

    report_done(f);

    o.every = 0;
    leave();

    return client_conf.failures ? 1 : 0;
}
