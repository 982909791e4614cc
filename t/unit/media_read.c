
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is read of a job in a turn: in order, nothing lost, and no more than
 * others can wait for, whatever the job says and however fast it goes on.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <stdlib.h>
#include <sys/socket.h>

#include "ngx_webrtc_media_read.h"
#include "ngx_webrtc_media_socket.h"
#include "tap.h"


#define MB  (1024 * 1024)


typedef struct {
    ngx_webrtc_media_job_t    job;
    ngx_connection_t          c;
    ngx_webrtc_media_ring_t   w;
    int                       fd;        /* the process's end */

    ngx_uint_t                records;   /* seen */
    ngx_uint_t                notes;
    size_t                    bytes;
    ngx_uint_t                early;     /* records before the last note */
    ngx_uint_t                ports;

    ngx_uint_t                more;      /* a handler makes another of it */
    ngx_uint_t                hold_at;   /* after so many records */
    ngx_uint_t                close_at;
} job_t;


static ngx_log_t   quiet;
static ngx_uint_t  sent;


/* instead of the real one, which needs nginx */

ngx_int_t
ngx_webrtc_media_socket_send(int fd, ngx_webrtc_media_message_t *m, int *fds,
    ngx_uint_t nfds)
{
    (void) fd;
    (void) m;
    (void) fds;
    (void) nfds;

    sent++;

    return NGX_OK;
}


/* 0: the socket takes no more */

static int
say(job_t *j, ngx_webrtc_media_type_e type)
{
    u_char                      *p;
    u_char                       buf[NGX_WEBRTC_MEDIA_MESSAGE];
    ngx_webrtc_media_message_t   m;

    ngx_memzero(&m, sizeof(m));
    m.type = type;

    if (type == NGX_WEBRTC_MEDIA_NOTE) {
        m.u.note.type = NGX_WEBRTC_MEDIA_LOG;
        m.u.note.level = NGX_LOG_INFO;
        m.u.note.len = ngx_sprintf(m.u.note.text, "well") - m.u.note.text;
    }

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);

    return send(j->fd, buf, p - buf, MSG_DONTWAIT|MSG_NOSIGNAL) == p - buf;
}


static int
put(job_t *j, size_t n)
{
    u_char                     head[NGX_WEBRTC_MEDIA_RECORD_HEAD];
    ngx_webrtc_media_record_t  r;

    static u_char  data[8 * MB];

    ngx_memzero(&r, sizeof(r));
    r.type = NGX_WEBRTC_MEDIA_FRAME;

    ngx_webrtc_media_record_write(head, &r);

    return ngx_webrtc_media_ring_write(&j->w, head, sizeof(head), data, n)
           == NGX_OK;
}


static void
on_note(void *data, ngx_webrtc_media_note_t *note)
{
    job_t  *j = data;

    (void) note;

    j->notes++;
    j->early = j->records;

    if (j->more) {
        (void) say(j, NGX_WEBRTC_MEDIA_NOTE);
        (void) say(j, NGX_WEBRTC_MEDIA_DATA);
    }
}


static void
on_record(void *data, ngx_webrtc_media_record_t *record)
{
    job_t  *j = data;

    j->records++;
    j->bytes += record->len;

    if (j->more) {
        (void) put(j, 0);
    }

    if (j->records == j->hold_at) {
        j->job.held = 1;
    }

    if (j->records == j->close_at) {
        j->job.closed = 1;
    }
}


static void
on_ask(void *data, struct sockaddr *sa, ngx_webrtc_media_ports_t *ports)
{
    job_t  *j = data;

    (void) sa;
    (void) ports;

    j->ports++;
}


static const ngx_webrtc_media_handlers_t  handlers = {
    on_note, on_record, on_ask, NULL, NULL
};


static void
begin(job_t *j)
{
    int  fd, fds[2];

    ngx_memzero(j, sizeof(job_t));

    fd = ngx_webrtc_media_ring_create(&j->job.ring);

    if (fd == -1
        || ngx_webrtc_media_ring_map(&j->w, fd) != NGX_OK
        || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == -1
        || fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
    {
        tap_fail("a job");
        exit(tap_done());
    }

    close(fd);

    j->c.fd = fds[0];
    j->fd = fds[1];
    j->job.connection = &j->c;
    j->job.handlers = &handlers;
    j->job.data = j;
    j->job.log = &quiet;
}


static void
end(job_t *j)
{
    ngx_webrtc_media_read_free(&j->job);
    ngx_webrtc_media_ring_unmap(&j->job.ring);
    ngx_webrtc_media_ring_unmap(&j->w);
    close(j->c.fd);

    if (j->fd != -1) {
        close(j->fd);
    }
}


/* turns until there is something else than NGX_AGAIN, and the most of one */

typedef struct {
    ngx_int_t   rc;
    ngx_uint_t  turns;
    ngx_uint_t  records;
    ngx_uint_t  notes;
    size_t      bytes;
} turns_t;


static turns_t
turns(job_t *j, ngx_uint_t most)
{
    job_t    was;
    turns_t  t;

    ngx_memzero(&t, sizeof(t));

    do {
        was = *j;
        t.rc = ngx_webrtc_media_read(&j->job);
        t.turns++;
        t.records = ngx_max(t.records, j->records - was.records);
        t.notes = ngx_max(t.notes, j->notes - was.notes);
        t.bytes = ngx_max(t.bytes, j->bytes - was.bytes);
    } while (t.rc == NGX_AGAIN && t.turns < most);

    return t;
}


static void
test_order(void)
{
    job_t  j;

    begin(&j);

    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_OK, "nothing");

    (void) put(&j, 10);
    (void) put(&j, 0);
    (void) say(&j, NGX_WEBRTC_MEDIA_NOTE);

    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_OK, "all is read");
    tap_is_int(j.records, 2, "records");
    tap_is_int(j.notes, 1, "a note");
    tap_is_int(j.early, 2, "after what was written before it");

    (void) say(&j, NGX_WEBRTC_MEDIA_ASK);
    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_OK, "a question");
    tap_is_int(sent, 1, "is answered");
    tap_is_int(j.ports, 0, "what is no address is not looked for");

    (void) say(&j, NGX_WEBRTC_MEDIA_ENDED);
    (void) put(&j, 0);
    close(j.fd);
    j.fd = -1;

    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_DECLINED, "its end");
    tap_is_int(j.records, 3, "with what it wrote last");
    tap_is_int(j.job.ended, 1, "as it has said");
    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_DECLINED, "it stays ended");

    end(&j);
}


static void
test_floods(void)
{
    job_t       j;
    turns_t     t;
    ngx_uint_t  n;

    /* messages */

    begin(&j);

    for (n = 0; say(&j, NGX_WEBRTC_MEDIA_NOTE); n++) { /* void */ }

    t = turns(&j, 100000);

    tap_is_int(t.rc, NGX_OK, "%d notes: all are read", (int) n);
    tap_is_int(j.notes, n, "each of them");
    tap_ok(n > NGX_WEBRTC_MEDIA_TURN_MESSAGES
           && t.notes <= NGX_WEBRTC_MEDIA_TURN_MESSAGES,
           "%d in a turn at most", (int) t.notes);

    for (n = 0; say(&j, NGX_WEBRTC_MEDIA_DATA); n++) { /* void */ }

    t = turns(&j, 100000);

    tap_is_int(t.rc, NGX_OK, "%d messages of data", (int) n);
    tap_ok(t.turns >= n / NGX_WEBRTC_MEDIA_TURN_MESSAGES, "take %d turns",
           (int) t.turns);

    /* small records, then a message, then the end */

    for (n = 0; n < 50000 && put(&j, 0); n++) { /* void */ }

    (void) say(&j, NGX_WEBRTC_MEDIA_NOTE);
    close(j.fd);
    j.fd = -1;
    j.early = 0;

    t = turns(&j, 100000);

    tap_is_int(t.rc, NGX_DECLINED, "%d records, and the end", (int) n);
    tap_is_int(j.records, n, "each of them is read");
    tap_is_int(j.early, n, "and then the note");
    tap_is_int(t.records, NGX_WEBRTC_MEDIA_TURN_RECORDS, "so many in a turn");

    end(&j);

    /* large ones */

    begin(&j);

    for (n = 0; put(&j, 3 * MB); n++) { /* void */ }

    t = turns(&j, 100000);

    tap_is_int(t.rc, NGX_OK, "%d records of 3 MB", (int) n);
    tap_is_int(j.records, n, "each of them is read");
    tap_is_int(t.bytes, 6 * MB, "in a turn no more than the second one");

    (void) put(&j, 8 * MB);
    tap_is_int(turns(&j, 1).rc, NGX_OK, "one that is larger than a turn");

    end(&j);
}


/* one that makes a new message of each, and a record of each */

static void
test_endless(void)
{
    job_t    j;
    turns_t  t;

    begin(&j);

    j.more = 1;

    (void) put(&j, 0);
    t = turns(&j, 1);

    tap_is_int(t.rc, NGX_AGAIN, "records without end");
    tap_is_int(t.records, NGX_WEBRTC_MEDIA_TURN_RECORDS, "have a turn's share");

    ngx_webrtc_media_read_last(&j.job);

    tap_is_int(j.records, 2 * NGX_WEBRTC_MEDIA_TURN_RECORDS,
               "and no more of one that has died");

    end(&j);
    begin(&j);

    j.more = 1;

    (void) say(&j, NGX_WEBRTC_MEDIA_NOTE);
    t = turns(&j, 50);

    tap_is_int(t.rc, NGX_AGAIN, "messages without end");
    tap_is_int(t.turns, 50, "in each turn");
    tap_ok(t.notes <= NGX_WEBRTC_MEDIA_TURN_MESSAGES, "have a turn's share");

    end(&j);
}


static void
test_handlers(void)
{
    job_t  j;

    begin(&j);

    (void) put(&j, 1);
    (void) put(&j, 1);
    (void) say(&j, NGX_WEBRTC_MEDIA_NOTE);
    close(j.fd);
    j.fd = -1;

    j.hold_at = 1;

    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_AGAIN, "held by a handler");
    tap_is_int(j.records, 1, "then no other is called");
    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_AGAIN, "it stays held");

    j.job.held = 0;
    j.close_at = 2;

    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_DONE, "closed by a handler");
    tap_is_int(j.records, 2, "with its record");
    tap_is_int(j.notes, 0, "and no other is called");

    end(&j);
}


/* one that ends and leaves a message of ours unread: ECONNRESET */

static void
test_unread(void)
{
    job_t  j;

    begin(&j);

    (void) say(&j, NGX_WEBRTC_MEDIA_NOTE);
    (void) say(&j, NGX_WEBRTC_MEDIA_ENDED);
    (void) send(j.job.connection->fd, "\n", 1, MSG_NOSIGNAL);
    close(j.fd);
    j.fd = -1;

    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_DECLINED, "unread: it ends");
    tap_is_int(j.notes, 1, "unread: what it has said before");
    tap_ok(j.job.ended, "unread: and that it ends");

    end(&j);
}


static void
test_wrong(void)
{
    job_t       j;
    u_char      junk[] = { 0xff, 0, 1 };
    ngx_uint_t  i;

    static const ngx_webrtc_media_type_e  types[] = {
        NGX_WEBRTC_MEDIA_HELLO, NGX_WEBRTC_MEDIA_PONG, NGX_WEBRTC_MEDIA_GO,
        NGX_WEBRTC_MEDIA_ROOM, NGX_WEBRTC_MEDIA_STOP,
        NGX_WEBRTC_MEDIA_KEYFRAME
    };

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        begin(&j);
        (void) say(&j, types[i]);
        tap_is_int(ngx_webrtc_media_read(&j.job), NGX_ERROR,
                   "message %d is none of a job's", (int) types[i]);
        end(&j);
    }

    begin(&j);
    (void) send(j.fd, junk, sizeof(junk), 0);
    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_ERROR, "junk");
    end(&j);

    begin(&j);
    (void) ngx_webrtc_media_ring_write(&j.w, junk, sizeof(junk), junk, 0);
    tap_is_int(ngx_webrtc_media_read(&j.job), NGX_ERROR, "a record of junk");
    end(&j);
}


int
main(void)
{
    test_order();
    test_floods();
    test_endless();
    test_handlers();
    test_unread();
    test_wrong();

    ngx_webrtc_media_read_done();

    return tap_done();
}
