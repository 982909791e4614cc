
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Who has sent a message over a unix socket with SO_PASSCRED, unix(7).
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


#endif /* _NGX_WEBRTC_UCRED_H_INCLUDED_ */
