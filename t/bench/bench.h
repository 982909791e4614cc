
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the load tools share: clocks, percentiles, figures from /proc, and a
 * printer of JSON.
 */


#ifndef _BENCH_H_INCLUDED_
#define _BENCH_H_INCLUDED_


#define _GNU_SOURCE

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>


#define BENCH_CPUS   64
#define BENCH_PIDS   64

#ifndef UDP_SEGMENT
#define UDP_SEGMENT  103
#endif

#ifndef UDP_GRO
#define UDP_GRO      104
#endif


/* values of which percentiles are asked; grows */
typedef struct {
    double    *v;
    size_t     n;
    size_t     cap;
    int        sorted;
} bench_values_t;


/* processes and machine at one moment; differences are what counts */
typedef struct {
    uint64_t   cpu_ns;             /* of the scheduler: user, system, softirq */
    uint64_t   ticks_ns;           /* utime + stime, in steps of 10 ms */
    uint64_t   self_ns;            /* of the caller */
    uint64_t   rss_kb;
    uint64_t   anon_kb;            /* of rss: what is the process' own */
    uint64_t   shmem_kb;
    uint64_t   rcvbuf_errors;      /* of the machine */
    uint64_t   sndbuf_errors;
    int        cpus;
    uint64_t   busy[BENCH_CPUS];
    uint64_t   total[BENCH_CPUS];
} bench_proc_t;


/*
 * A file that is written anew and renamed into its place, so it has to be a
 * regular one, or not there: exits if it is /dev/null or the like.
 */
void bench_json(const char *name);

uint64_t bench_now_ns(void);               /* CLOCK_MONOTONIC */
uint64_t bench_wall_ns(void);              /* CLOCK_REALTIME */
uint64_t bench_wall_offset(void);          /* CLOCK_REALTIME less _MONOTONIC,
                                              ns; measured once per second */
uint64_t bench_cpu_ns(void);               /* of this process */

void bench_pin(int cpu);                   /* -1: nowhere */
void bench_files(size_t n);                /* room for n descriptors */
void bench_die(const char *what);

/* n hexadecimal digits, at most 128, and the null character */
void bench_random_hex(char *p, size_t n);

/* value of the first line with this name; 0: there is none, or no room */
int bench_sdp_line(const char *text, const char *name, char *dst, size_t size);

void bench_add(bench_values_t *b, double v);
double bench_at(bench_values_t *b, double q);      /* q 0 .. 1; 0 if empty */

/* "1,2,3" -> pids; returns how many */
size_t bench_pids(const char *s, int *pids);
/* of these processes, and of their children */
void bench_proc(bench_proc_t *p, const int *pids, size_t n);

/*
 * JSON: objects of numbers, texts and objects, one member per line.  Depth is
 * kept inside; name is NULL within nothing.
 */
void bench_open(FILE *f, const char *name);
void bench_close(FILE *f);
void bench_num(FILE *f, const char *name, double v, int digits);
void bench_text(FILE *f, const char *name, const char *v);
void bench_spread(FILE *f, const char *name, bench_values_t *b, int digits);


#endif /* _BENCH_H_INCLUDED_ */
