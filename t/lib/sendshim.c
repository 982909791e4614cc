
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * To be preloaded into nginx: a kernel whose sockets are full again and again,
 * or which refuses UDP_SEGMENT, and a record of the RTP that it has taken.
 *
 *     SENDSHIM       "EAGAIN", "ENOBUFS": every third sendmmsg() with RTP fails
 *                    so, the others take two messages; "SEGMENT": messages with
 *                    UDP_SEGMENT fail with EIO, and every fifth piece that is
 *                    sent instead with EAGAIN; "REFUSE": a sendmsg() of such a
 *                    message fails with EIO; "CREATED": a writev() of a 201
 *                    fails with ECONNRESET
 *     SENDSHIM_LOG   file; "R ssrc seq segments padded" for each packet
 *                    taken, "X what" for each call that failed
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>


#ifndef UDP_SEGMENT
#define UDP_SEGMENT  103
#endif


static int          fd = -1;
static const char  *mode = "";

static int (*real_sendmmsg)(int, struct mmsghdr *, unsigned int, int);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static ssize_t (*real_writev)(int, const struct iovec *, int);


__attribute__((constructor)) static void
begin(void)
{
    const char  *name;

    *(void **) &real_sendmmsg = dlsym(RTLD_NEXT, "sendmmsg");
    *(void **) &real_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
    *(void **) &real_writev = dlsym(RTLD_NEXT, "writev");

    if (getenv("SENDSHIM")) {
        mode = strdup(getenv("SENDSHIM"));
    }

    name = getenv("SENDSHIM_LOG");

    if (name) {
        fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
}


static size_t
segment(const struct msghdr *hdr)
{
    uint16_t         n;
    struct cmsghdr  *c;

    for (c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR((struct msghdr *) hdr, c)) {

        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT) {
            memcpy(&n, CMSG_DATA(c), sizeof(n));
            return n;
        }
    }

    return 0;
}


/* RFC 5761, 4: not RTCP */

static int
is_rtp(const struct msghdr *hdr)
{
    const unsigned char  *p;

    if (hdr->msg_iovlen != 1 || hdr->msg_iov[0].iov_len < 12) {
        return 0;
    }

    p = hdr->msg_iov[0].iov_base;

    return p[0] >> 6 == 2 && ((p[1] & 0x7f) < 64 || (p[1] & 0x7f) > 95);
}


static void
say(const char *text, size_t n)
{
    if (fd != -1 && write(fd, text, n) == -1) {
        abort();
    }
}


static void
failed(const char *what)
{
    char  line[64];

    say(line, snprintf(line, sizeof(line), "X %s\n", what));
}


static void
taken(const struct msghdr *hdr)
{
    char                  line[64];
    size_t                n, left, seg, all;
    const unsigned char  *p;

    if (!is_rtp(hdr)) {
        return;
    }

    p = hdr->msg_iov[0].iov_base;
    left = hdr->msg_iov[0].iov_len;

    seg = segment(hdr);
    seg = seg ? seg : left;
    all = (left + seg - 1) / seg;

    while (left) {
        n = left < seg ? left : seg;

        say(line, snprintf(line, sizeof(line), "R %u %u %u %u\n",
                           (unsigned) p[8] << 24 | p[9] << 16 | p[10] << 8
                           | p[11],
                           (unsigned) (p[2] << 8 | p[3]), (unsigned) all,
                           (unsigned) (p[0] >> 5 & 1)));
        p += n;
        left -= n;
    }
}


int
sendmmsg(int s, struct mmsghdr *msgs, unsigned int n, int flags)
{
    int           rc, i;
    unsigned int  k;

    static unsigned  calls;

    if (n && is_rtp(&msgs[0].msg_hdr)) {

        if (strcmp(mode, "SEGMENT") == 0) {

            for (k = 0; k < n && !segment(&msgs[k].msg_hdr); k++);

            if (k == 0) {
                failed("segment");
                errno = EIO;
                return -1;
            }

            n = k;

        } else if (*mode) {

            if (++calls % 3 == 0) {
                failed(mode);
                errno = strcmp(mode, "EAGAIN") ? ENOBUFS : EAGAIN;
                return -1;
            }

            n = n < 2 ? n : 2;
        }
    }

    rc = real_sendmmsg(s, msgs, n, flags);

    for (i = 0; i < rc; i++) {
        taken(&msgs[i].msg_hdr);
    }

    return rc;
}


ssize_t
sendmsg(int s, const struct msghdr *hdr, int flags)
{
    ssize_t  rc;

    static unsigned  calls;

    if (strcmp(mode, "REFUSE") == 0 && segment(hdr)) {
        failed("segment");
        errno = EIO;
        return -1;
    }

    if (strcmp(mode, "SEGMENT") == 0 && is_rtp(hdr) && ++calls % 5 == 0) {
        failed("piece");
        errno = EAGAIN;
        return -1;
    }

    rc = real_sendmsg(s, hdr, flags);

    if (rc >= 0) {
        taken(hdr);
    }

    return rc;
}


ssize_t
writev(int s, const struct iovec *iov, int n)
{
    static const char  created[] = "HTTP/1.1 201";

    if (strcmp(mode, "CREATED") == 0 && n
        && iov[0].iov_len > sizeof(created)
        && memcmp(iov[0].iov_base, created, sizeof(created) - 1) == 0)
    {
        failed("created");
        errno = ECONNRESET;
        return -1;
    }

    return real_writev(s, iov, n);
}
