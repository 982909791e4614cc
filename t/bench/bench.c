
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the load tools share.
 */


#include "bench.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


static int  depth;
static int  first = 1;


static uint64_t
clock_ns(clockid_t id)
{
    struct timespec  ts;

    clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}


void
bench_json(const char *name)
{
    struct stat  st;

    if (stat(name, &st) == 0 && !S_ISREG(st.st_mode)) {
        fprintf(stderr, "-json %s: not a regular file\n", name);
        exit(2);
    }
}


uint64_t
bench_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}


uint64_t
bench_wall_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}


uint64_t
bench_wall_offset(void)
{
    int              i;
    uint64_t         a, b, wall, least;

    static uint64_t  offset, measured;

    a = bench_now_ns();

    if (measured && a - measured < 1000000000) {
        return offset;
    }

    /* of several tries the one that nothing came between */

    measured = a;
    least = UINT64_MAX;

    for (i = 0; i < 10; i++) {
        a = bench_now_ns();
        wall = bench_wall_ns();
        b = bench_now_ns();

        if (b - a < least) {
            least = b - a;
            offset = wall - (a + (b - a) / 2);
        }
    }

    return offset;
}


uint64_t
bench_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}


void
bench_die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}


void
bench_random_hex(char *p, size_t n)
{
    size_t         i;
    unsigned char  b[64];

    if (getrandom(b, n / 2, 0) != (ssize_t) (n / 2)) {
        bench_die("getrandom");
    }

    for (i = 0; i < n / 2; i++) {
        sprintf(p + 2 * i, "%02x", b[i]);
    }
}


int
bench_sdp_line(const char *text, const char *name, char *dst, size_t size)
{
    size_t       n;
    const char  *p;

    p = strstr(text, name);
    if (p == NULL) {
        return 0;
    }

    p += strlen(name);
    n = strcspn(p, "\r\n");

    if (n >= size) {
        return 0;
    }

    memcpy(dst, p, n);
    dst[n] = '\0';

    return 1;
}


void
bench_pin(int cpu)
{
    cpu_set_t  set;

    if (cpu < 0) {
        return;
    }

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);

    if (sched_setaffinity(0, sizeof(set), &set) == -1) {
        bench_die("sched_setaffinity");
    }
}


void
bench_files(size_t n)
{
    struct rlimit  rl;

    if (getrlimit(RLIMIT_NOFILE, &rl) == -1) {
        bench_die("getrlimit");
    }

    if (rl.rlim_cur < n) {
        rl.rlim_cur = n;

        if (rl.rlim_max < n) {
            rl.rlim_max = n;
        }

        if (setrlimit(RLIMIT_NOFILE, &rl) == -1) {
            bench_die("setrlimit(RLIMIT_NOFILE)");
        }
    }
}


void
bench_add(bench_values_t *b, double v)
{
    if (b->n == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 1024;
        b->v = realloc(b->v, b->cap * sizeof(double));

        if (b->v == NULL) {
            bench_die("realloc");
        }
    }

    b->v[b->n++] = v;
    b->sorted = 0;
}


static int
compare(const void *a, const void *b)
{
    double  x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}


double
bench_at(bench_values_t *b, double q)
{
    if (b->n == 0) {
        return 0;
    }

    if (!b->sorted) {
        qsort(b->v, b->n, sizeof(double), compare);
        b->sorted = 1;
    }

    return b->v[(size_t) (q * (double) (b->n - 1) + 0.5)];
}


size_t
bench_pids(const char *s, int *pids)
{
    char    *end;
    size_t   n;

    for (n = 0; *s && n < BENCH_PIDS; s = end) {
        pids[n] = (int) strtol(s, &end, 10);

        if (end == s) {
            break;
        }

        n++;

        while (*end == ',' || *end == ' ') {
            end++;
        }
    }

    return n;
}


/* one value of a file of "name: value" lines */

static uint64_t
field(const char *text, const char *name)
{
    const char  *p;

    p = strstr(text, name);

    return p ? strtoull(p + strlen(name), NULL, 10) : 0;
}


static size_t
slurp(const char *name, char *buf, size_t size)
{
    FILE    *f;
    size_t   n;

    buf[0] = '\0';

    f = fopen(name, "r");
    if (f == NULL) {
        return 0;
    }

    n = fread(buf, 1, size - 1, f);
    buf[n] = '\0';
    fclose(f);

    return n;
}


static void
proc_one(bench_proc_t *p, int pid)
{
    int         i;
    char        name[64], text[8192], *s;
    uint64_t    ticks;
    clockid_t   clock;

    snprintf(name, sizeof(name), "/proc/%d/stat", pid);
    slurp(name, text, sizeof(text));

    s = strrchr(text, ')');

    for (i = 0; s && i < 12; i++) {
        s = strchr(s + 1, ' ');
    }

    if (s) {
        ticks = strtoull(s, &s, 10);
        ticks += strtoull(s, NULL, 10);
        p->ticks_ns += ticks * (1000000000
                                / (uint64_t) sysconf(_SC_CLK_TCK));
    }

    snprintf(name, sizeof(name), "/proc/%d/status", pid);
    slurp(name, text, sizeof(text));

    p->rss_kb += field(text, "VmRSS:");
    p->anon_kb += field(text, "RssAnon:");
    p->shmem_kb += field(text, "RssShmem:");

    /* of all threads, also of those that have ended */

    if (clock_getcpuclockid(pid, &clock) == 0) {
        p->cpu_ns += clock_ns(clock);
    }
}


static void
proc_machine(bench_proc_t *p)
{
    int        i, cpu;
    char       text[32768], *s, *end, *names, *values, *a, *b;
    uint64_t   v;

    slurp("/proc/stat", text, sizeof(text));

    for (s = strstr(text, "\ncpu"); s; s = strstr(s + 1, "\ncpu")) {
        cpu = (int) strtol(s + 4, &end, 10);

        if (cpu < 0 || cpu >= BENCH_CPUS) {
            continue;
        }

        if (p->cpus <= cpu) {
            p->cpus = cpu + 1;
        }

        for (i = 0; i < 8; i++) {
            v = strtoull(end, &end, 10);
            p->total[cpu] += v;

            /* idle, iowait */
            p->busy[cpu] += (i == 3 || i == 4) ? 0 : v;
        }
    }

    slurp("/proc/net/snmp", text, sizeof(text));

    names = strstr(text, "\nUdp:");
    values = names ? strstr(names + 1, "\nUdp:") : NULL;

    if (values == NULL) {
        return;
    }

    *values = '\0';

    a = strtok_r(names, " \n", &names);
    b = strtok_r(values + 1, " \n", &values);

    while (a && b) {
        if (strcmp(a, "RcvbufErrors") == 0) {
            p->rcvbuf_errors = strtoull(b, NULL, 10);
        }

        if (strcmp(a, "SndbufErrors") == 0) {
            p->sndbuf_errors = strtoull(b, NULL, 10);
        }

        a = strtok_r(NULL, " \n", &names);
        b = strtok_r(NULL, " \n", &values);
    }
}


/* a worker's media process, which comes and goes */

static void
proc_children(bench_proc_t *p, const int *pids, size_t n, int pid)
{
    int      child;
    char     name[64], text[1024], *s, *end;
    size_t   i;

    snprintf(name, sizeof(name), "/proc/%d/task/%d/children", pid, pid);
    slurp(name, text, sizeof(text));

    for (s = text; (child = (int) strtol(s, &end, 10)) > 0; s = end) {

        for (i = 0; i < n && pids[i] != child; i++) { /* void */ }

        if (i == n) {
            proc_one(p, child);
        }
    }
}


void
bench_proc(bench_proc_t *p, const int *pids, size_t n)
{
    size_t  i;

    memset(p, 0, sizeof(*p));

    for (i = 0; i < n; i++) {
        proc_one(p, pids[i]);
        proc_children(p, pids, n, pids[i]);
    }

    p->self_ns = bench_cpu_ns();

    proc_machine(p);
}


static void
member(FILE *f, const char *name)
{
    fprintf(f, "%s%*s", first ? (depth ? "\n" : "") : ",\n", depth * 2, "");

    if (name) {
        fprintf(f, "\"%s\": ", name);
    }

    first = 0;
}


void
bench_open(FILE *f, const char *name)
{
    member(f, name);
    fprintf(f, "{");
    depth++;
    first = 1;
}


void
bench_close(FILE *f)
{
    depth--;
    fprintf(f, "\n%*s}%s", depth * 2, "", depth ? "" : "\n");
    first = depth ? 0 : 1;
}


void
bench_num(FILE *f, const char *name, double v, int digits)
{
    member(f, name);
    fprintf(f, "%.*f", digits, isfinite(v) ? v : 0.0);
}


void
bench_text(FILE *f, const char *name, const char *v)
{
    member(f, name);
    fprintf(f, "\"%s\"", v);
}


void
bench_spread(FILE *f, const char *name, bench_values_t *b, int digits)
{
    member(f, name);
    fprintf(f, "{ \"n\": %zu, \"min\": %.*f, \"p50\": %.*f, \"p95\": %.*f, "
            "\"p99\": %.*f, \"max\": %.*f }", b->n,
            digits, bench_at(b, 0), digits, bench_at(b, 0.5),
            digits, bench_at(b, 0.95), digits, bench_at(b, 0.99),
            digits, bench_at(b, 1));
}
