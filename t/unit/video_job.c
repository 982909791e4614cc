
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Jobs that transcode, in the media process itself, with all that it is denied:
 * this test is their worker.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <libavutil/log.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_helper_gpu.h"
#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_media_ring.h"
#include "ngx_webrtc_pack.h"
#include "ngx_webrtc_time.h"
#include "tap.h"
#include "video_make.h"


/* ms that anything may take */
#define PATIENCE  60000


typedef struct {
    int                       fd;
    ngx_webrtc_media_ring_t   ring;
    ngx_webrtc_media_ring_t   feed;
    ngx_uint_t                ups;
    ngx_uint_t                mores;
    ngx_uint_t                ended;
    ngx_uint_t                closed;
    ngx_uint_t                broken;
    ngx_webrtc_track_t        track;
    ngx_webrtc_media_note_t   note;         /* the last one with a text */
    ngx_uint_t                records[NGX_WEBRTC_MEDIA_RECORDS];
    stream_t                  out;
} job_t;


static pid_t  program;
static int    control;
static u_char *big;


static void
start_program(const char *more)
{
    int    fds[2];
    char   parent[32], path[512];

    snprintf(path, sizeof(path), "%s/ngx-webrtc-media",
             getenv("WEBRTC_BUILD") ? getenv("WEBRTC_BUILD") : "build");
    snprintf(parent, sizeof(parent), "%d", (int) getpid());

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == -1) {
        abort();
    }

    program = fork();

    if (program == 0) {
        dup2(fds[1], 3);
        execl(path, "media", parent, "1073741824", more, NULL);
        _exit(127);
    }

    close(fds[1]);
    control = fds[0];
}


static void
end_program(const char *what)
{
    int  status;

    close(control);

    tap_ok(waitpid(program, &status, 0) == program && WIFEXITED(status)
           && WEXITSTATUS(status) == 0, "%s: it ends with its worker", what);
}


static ngx_int_t
receive(int fd, ngx_webrtc_media_message_t *m, int ms)
{
    ssize_t        n;
    struct pollfd  p;

    static u_char  buf[NGX_WEBRTC_MEDIA_MESSAGE];

    p.fd = fd;
    p.events = POLLIN;

    if (poll(&p, 1, ms) != 1) {
        return NGX_AGAIN;
    }

    n = recv(fd, buf, sizeof(buf), 0);

    if (n <= 0) {
        return NGX_DONE;
    }

    return ngx_webrtc_media_message_parse(buf, buf + n, m);
}


static void
say(int fd, ngx_uint_t type, uint32_t number)
{
    u_char                      *p;
    u_char                       buf[64];
    ngx_webrtc_media_message_t   m;

    memset(&m, 0, sizeof(m));
    m.type = type;
    m.number = number;

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);

    (void) (send(fd, buf, p - buf, MSG_NOSIGNAL) == -1);
}


/* descriptors given: 3, or less than a job needs */

static void
start(job_t *job, ngx_webrtc_media_transcode_t *want, ngx_uint_t nfds)
{
    int                          fds[2], give[3];
    u_char                      *p;
    u_char                       buf[1024];
    struct iovec                 iov;
    struct msghdr                msg;
    struct cmsghdr              *cmsg;
    ngx_webrtc_media_message_t   m;

    union {
        struct cmsghdr  align;
        char            space[CMSG_SPACE(sizeof(give))];
    } ctl;

    memset(job, 0, sizeof(job_t));
    memset(&m, 0, sizeof(m));
    memset(&msg, 0, sizeof(msg));
    memset(&ctl, 0, sizeof(ctl));

    m.type = NGX_WEBRTC_MEDIA_START;
    m.u.start.kind = NGX_WEBRTC_MEDIA_TRANSCODE;
    ngx_str_set(&m.u.start.name, "studio");
    m.u.start.encode = *want;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == -1) {
        abort();
    }

    job->fd = fds[0];

    give[0] = fds[1];
    give[1] = ngx_webrtc_media_ring_create(&job->ring);
    give[2] = ngx_webrtc_media_ring_create(&job->feed);

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);

    iov.iov_base = buf;
    iov.iov_len = p - buf;
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;
    msg.msg_control = &ctl;
    msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));

    cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
    memcpy(CMSG_DATA(cmsg), give, nfds * sizeof(int));

    if (sendmsg(control, &msg, 0) == -1) {
        abort();
    }

    close(give[0]);
    close(give[1]);
    close(give[2]);
}


static void
finish(job_t *job)
{
    close(job->fd);
    ngx_webrtc_media_ring_unmap(&job->ring);
    ngx_webrtc_media_ring_unmap(&job->feed);
    stream_free(&job->out);
}


static void
records(job_t *job)
{
    size_t                      n;
    ngx_int_t                   rc;
    ngx_webrtc_media_record_t   r;

    ngx_webrtc_media_ring_told(&job->ring);

    while ((rc = ngx_webrtc_media_ring_next(&job->ring, &n)) == NGX_OK) {

        ngx_webrtc_media_ring_read(&job->ring, big, n);

        if (ngx_webrtc_media_ring_wanted(&job->ring)) {
            say(job->fd, NGX_WEBRTC_MEDIA_ROOM, 0);
        }

        if (ngx_webrtc_media_record_parse(big, big + n, &r) != NGX_OK) {
            job->broken++;
            continue;
        }

        job->records[r.type]++;

        if (r.type == NGX_WEBRTC_MEDIA_FRAME) {
            stream_add(&job->out, r.data, r.len, r.ts, 0);
        }
    }

    job->broken += (rc == NGX_ERROR);
}


/* acts on what comes, for ms milliseconds or until there are n frames */

static void
turn(job_t *job, ngx_uint_t n, int ms)
{
    ngx_int_t                    rc;
    uint64_t                     until;
    ngx_webrtc_media_message_t   m;

    until = ngx_webrtc_time_now() + (uint64_t) ms * 1000;

    while (job->out.n < n && !job->closed && ngx_webrtc_time_now() < until) {

        rc = receive(job->fd, &m, 50);

        if (rc == NGX_AGAIN) {
            records(job);
            continue;
        }

        if (rc == NGX_DONE) {
            job->closed = 1;
        }

        records(job);

        if (rc != NGX_OK) {
            job->broken += (rc == NGX_DECLINED);
            continue;
        }

        switch (m.type) {

        case NGX_WEBRTC_MEDIA_NOTE:

            if (m.u.note.type <= NGX_WEBRTC_MEDIA_MORE) {
                job->ups += m.u.note.type == NGX_WEBRTC_MEDIA_UP;
                job->mores += m.u.note.type == NGX_WEBRTC_MEDIA_MORE;
                job->track = m.u.note.tracks[NGX_WEBRTC_MEDIA_VIDEO];
                say(job->fd, NGX_WEBRTC_MEDIA_GO, 0);

            } else {
                job->note = m.u.note;
            }

            break;

        case NGX_WEBRTC_MEDIA_ENDED:
            job->ended++;
            break;

        case NGX_WEBRTC_MEDIA_DATA:
        case NGX_WEBRTC_MEDIA_ROOM:
            break;

        default:
            job->broken++;
        }
    }
}


static ngx_int_t
put(job_t *job, ngx_uint_t type, ngx_uint_t value, u_char *data, size_t n,
    int64_t ts)
{
    u_char                      head[NGX_WEBRTC_MEDIA_RECORD_HEAD];
    ngx_int_t                   rc;
    ngx_webrtc_media_record_t   r;

    memset(&r, 0, sizeof(r));

    r.type = type;
    r.value = value;
    r.ts = ts;

    ngx_webrtc_media_record_write(head, &r);

    rc = ngx_webrtc_media_ring_write(&job->feed, head, sizeof(head), data, n);

    if (rc == NGX_OK && ngx_webrtc_media_ring_tell(&job->feed)) {
        say(job->fd, NGX_WEBRTC_MEDIA_DATA, 0);
    }

    return rc;
}


static void
feed(job_t *job, stream_t *s, ngx_uint_t from, ngx_uint_t to)
{
    for ( /* void */ ; from < to; from++) {
        (void) put(job, NGX_WEBRTC_MEDIA_FRAME,
                   s->key[from] ? NGX_WEBRTC_MEDIA_KEY : 0, s->data[from],
                   s->size[from], s->ts[from]);
    }
}


/* is the n-th frame that came out a key frame? */

static int
key(job_t *job, ngx_uint_t codec, ngx_uint_t n)
{
    ngx_webrtc_pack_t   pack;
    ngx_webrtc_frame_t  frame;

    memset(&pack, 0, sizeof(pack));

    (void) ngx_webrtc_pack_init(&pack, ngx_webrtc_codec(codec), 0,
                                (ngx_webrtc_pack_out_pt) abort, NULL);

    return n < job->out.n
           && ngx_webrtc_pack_probe(&pack, job->out.data[n], job->out.size[n],
                                    &frame) == NGX_OK
           && frame.key;
}


static void
test_job(ngx_uint_t codec, const char *hw)
{
    int                            ok;
    job_t                          job;
    stream_t                       s, t;
    const char                    *name;
    ngx_uint_t                     i, n;
    ngx_webrtc_media_transcode_t   want;

    name = (const char *) ngx_webrtc_codec(codec)->name.data;

    (void) stream_make(&s, "libx264", "preset=veryfast:bf=2:g=500", 0,
                       AV_PIX_FMT_YUV420P, 320, 240, 60, START);
    (void) stream_make(&t, "libx264", "preset=veryfast:bf=2:g=500", 0,
                       AV_PIX_FMT_YUV420P, 160, 120, 10, START + 60 * STEP);

    memset(&want, 0, sizeof(want));
    want.codec = codec;
    want.hw.data = (u_char *) hw;
    want.hw.len = strlen(hw);

    start(&job, &want, 3);

    (void) put(&job, NGX_WEBRTC_MEDIA_BEGIN, 0, NULL, 0, 0);
    (void) put(&job, NGX_WEBRTC_MEDIA_TRACK, NGX_WEBRTC_CODEC_H264, NULL, 0,
               0);

    feed(&job, &s, 0, 30);
    turn(&job, 28, PATIENCE);

    tap_ok(job.ups == 1 && job.track.codec == codec && job.track.width == 320
           && job.track.height == 240, "%s, hw=%s: it says what it makes",
           name, hw);
    tap_ok(job.records[NGX_WEBRTC_MEDIA_BEGIN] == 1
           && job.records[NGX_WEBRTC_MEDIA_TRACK] == 1 && job.out.n >= 28,
           "%s: a run, a track, %d frames", name, (int) job.out.n);

    n = job.out.n;

    say(job.fd, NGX_WEBRTC_MEDIA_KEYFRAME, 0);
    say(job.fd, NGX_WEBRTC_MEDIA_BITRATE, 300000);

    feed(&job, &s, 30, 60);
    turn(&job, 55, PATIENCE);

    for (i = n, ok = 0; i < job.out.n; i++) {
        ok += key(&job, codec, i);
    }

    tap_ok(ok == 1, "%s: one key frame for a request", name);

    /* another size, then the end: all that was put in comes out */

    feed(&job, &t, 0, t.n);
    (void) put(&job, NGX_WEBRTC_MEDIA_END, 0, NULL, 0, 0);
    turn(&job, 70, PATIENCE);

    for (i = 0; i < job.out.n; i++) {
        if (job.out.ts[i] != START + (int64_t) i * STEP) {
            break;
        }
    }

    tap_ok(i == 70 && job.out.n == 70, "%s: all pictures, with their times",
           name);
    tap_ok(job.mores == 1 && job.track.width == 160, "%s: another size", name);
    tap_ok(job.note.type == 0, "%s: no complaint: %.*s", name,
           (int) job.note.len, job.note.text);

    say(job.fd, NGX_WEBRTC_MEDIA_STOP, 0);
    turn(&job, FRAMES, PATIENCE);

    tap_ok(job.ended == 1 && job.closed && job.broken == 0,
           "%s: ended on request", name);

    finish(&job);
    stream_free(&s);
    stream_free(&t);
}


static void
test_wrong(void)
{
    job_t                          job;
    ngx_uint_t                     i;
    ngx_webrtc_media_message_t     m;
    ngx_webrtc_media_transcode_t   want;

    memset(&want, 0, sizeof(want));
    want.codec = NGX_WEBRTC_CODEC_H264;
    ngx_str_set(&want.hw, "none");

    /* no ring to it */

    start(&job, &want, 2);
    turn(&job, 1, PATIENCE);
    tap_ok(job.closed && !job.ended, "without a ring it is no job");
    finish(&job);

    /* a codec that nobody makes */

    want.codec = NGX_WEBRTC_CODEC_MPEG2;

    start(&job, &want, 3);
    turn(&job, 0, 1);
    finish(&job);

    /* a ring full of lies */

    want.codec = NGX_WEBRTC_CODEC_H264;

    start(&job, &want, 3);
    memset(job.feed.data, 0xa5, 4096);
    *(uint64_t *) job.feed.shared = 4096;
    say(job.fd, NGX_WEBRTC_MEDIA_DATA, 0);
    turn(&job, 1, PATIENCE);
    tap_ok(job.ended == 1 && job.note.type == NGX_WEBRTC_MEDIA_FAILED,
           "a ring of nonsense ends the job: %.*s", (int) job.note.len,
           job.note.text);
    finish(&job);

    /* messages of another kind of job */

    start(&job, &want, 3);
    say(job.fd, NGX_WEBRTC_MEDIA_PONG, 0);
    turn(&job, 1, PATIENCE);
    tap_ok(job.ended == 1, "a message that is not for it ends it");
    finish(&job);

    /* a worker that closes without a word, while it is at work */

    for (i = 0; i < 20; i++) {
        start(&job, &want, 3);
        (void) put(&job, NGX_WEBRTC_MEDIA_BEGIN, 0, NULL, 0, 0);
        finish(&job);
    }

    say(control, NGX_WEBRTC_MEDIA_PING, 7);

    tap_ok(receive(control, &m, PATIENCE) == NGX_OK
           && m.type == NGX_WEBRTC_MEDIA_PONG && m.number == 7,
           "the process is well after all that");
}


/* nothing but devices can be written to, or, without any, all that could be */

static void
test_gpu(void)
{
    int    fd, status, allowed;
    char   path[512];
    pid_t  pid;

    snprintf(path, sizeof(path), "%s/webrtc-gpu-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");

    fd = mkstemp(path);
    close(fd);

    fflush(stdout);

    pid = fork();

    if (pid == 0) {
        (void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

        allowed = ngx_webrtc_helper_gpu_allow() == NGX_OK;
        fd = open(path, O_WRONLY);

        _exit(allowed == (fd == -1) ? 0 : 1);
    }

    tap_ok(waitpid(pid, &status, 0) == pid && status == 0,
           "where there is hardware, files stay as they are");

    (void) unlink(path);
}


int
main(void)
{
    ngx_webrtc_media_message_t  m;

    av_log_set_level(AV_LOG_QUIET);
    signal(SIGPIPE, SIG_IGN);

    big = malloc(NGX_WEBRTC_MEDIA_RING_RECORD);

    start_program(NULL);

    tap_ok(receive(control, &m, PATIENCE) == NGX_OK
           && m.type == NGX_WEBRTC_MEDIA_HELLO
           && m.number == NGX_WEBRTC_MEDIA_VERSION, "hello");

    test_job(NGX_WEBRTC_CODEC_H264, "none");
    test_job(NGX_WEBRTC_CODEC_VP8, "none");
    test_job(NGX_WEBRTC_CODEC_VP9, "none");
    test_job(NGX_WEBRTC_CODEC_AV1, "none");
    test_wrong();
    end_program("all of them");

    /* where hardware may be used, without there being any, perhaps */

    start_program("gpu");
    (void) receive(control, &m, PATIENCE);
    test_job(NGX_WEBRTC_CODEC_H264, "auto");
    end_program("with hardware");

    free(big);

    test_gpu();

    return tap_done();
}
