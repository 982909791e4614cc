
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Who has sent a message over a unix socket with SO_PASSCRED, and a descriptor
 * that goes with a message: unix(7).
 */


#ifndef _NGX_WEBRTC_UCRED_H_INCLUDED_
#define _NGX_WEBRTC_UCRED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* control data of a message: there is room for credentials only, so that the
 * kernel closes descriptors that somebody sends along */
typedef union {
    struct cmsghdr  cmsg;
    char            space[CMSG_SPACE(sizeof(struct ucred))];
} ngx_webrtc_ucred_t;


/*
 * Finds the credentials.
 *
 *   msg   as received, with room for ngx_webrtc_ucred_t
 *
 * NGX_OK; NGX_DECLINED when there are none
 */

static ngx_inline ngx_int_t
ngx_webrtc_ucred(struct msghdr *msg, struct ucred *cred)
{
    struct cmsghdr  *cmsg;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {

        if (cmsg->cmsg_level == SOL_SOCKET
            && cmsg->cmsg_type == SCM_CREDENTIALS
            && cmsg->cmsg_len == CMSG_LEN(sizeof(struct ucred)))
        {
            ngx_memcpy(cred, CMSG_DATA(cmsg), sizeof(struct ucred));
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* control data of a message that is sent with a descriptor */
typedef union {
    struct cmsghdr  cmsg;
    char            space[CMSG_SPACE(sizeof(int))];
} ngx_webrtc_rights_t;


/* control data of a message that may come with one */
typedef union {
    struct cmsghdr  cmsg;
    char            space[CMSG_SPACE(sizeof(struct ucred))
                          + CMSG_SPACE(sizeof(int))];
} ngx_webrtc_ucred_rights_t;


/* Makes the descriptor go with a message. */

static ngx_inline void
ngx_webrtc_rights_set(struct msghdr *msg, ngx_webrtc_rights_t *rights,
    ngx_socket_t fd)
{
    ngx_memzero(rights, sizeof(ngx_webrtc_rights_t));

    rights->cmsg.cmsg_level = SOL_SOCKET;
    rights->cmsg.cmsg_type = SCM_RIGHTS;
    rights->cmsg.cmsg_len = CMSG_LEN(sizeof(int));
    ngx_memcpy(CMSG_DATA(&rights->cmsg), &fd, sizeof(int));

    msg->msg_control = rights;
    msg->msg_controllen = sizeof(ngx_webrtc_rights_t);
}


/*
 * Returns the descriptor that has come with a message, for the caller to close,
 * or -1.  If there are more, all others are closed.
 *
 *   msg   as received, with room for ngx_webrtc_ucred_rights_t
 */

static ngx_inline ngx_socket_t
ngx_webrtc_rights_get(struct msghdr *msg)
{
    size_t           n;
    ngx_socket_t     fd, first;
    struct cmsghdr  *cmsg;

    first = (ngx_socket_t) -1;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
            continue;
        }

        for (n = 0; CMSG_LEN((n + 1) * sizeof(int)) <= cmsg->cmsg_len; n++) {

            ngx_memcpy(&fd, CMSG_DATA(cmsg) + n * sizeof(int), sizeof(int));

            if (first == (ngx_socket_t) -1) {
                first = fd;
                continue;
            }

            (void) ngx_close_socket(fd);
        }
    }

    return first;
}


#endif /* _NGX_WEBRTC_UCRED_H_INCLUDED_ */
