
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SCTP: events that usrsctp reports in the middle of its work, and their
 * delivery to the user.  Private to ngx_webrtc_sctp.
 */


#ifndef _NGX_WEBRTC_SCTP_EVENT_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_sctp_assoc.h>
#include <ngx_webrtc_sctp_setup.h>


/* usrsctp's callbacks, as usrsctp.h says. */
int ngx_webrtc_sctp_event_output(void *id, void *buf, size_t n, uint8_t tos,
    uint8_t df);
int ngx_webrtc_sctp_event_receive(ngx_webrtc_sctp_so_pt so,
    union sctp_sockstore addr, void *data, size_t n, struct sctp_rcvinfo info,
    int flags, void *id);
int ngx_webrtc_sctp_event_room(ngx_webrtc_sctp_so_pt so, uint32_t room,
    void *id);

/* ngx_webrtc_sctp_repair_pt; ctx is the association. */
void ngx_webrtc_sctp_event_repeat(void *ctx, u_char *p, size_t n);

/* Delivers events to the users; not while usrsctp is running. */
void ngx_webrtc_sctp_event_dispatch(ngx_webrtc_sctp_t *sctp);

/* Drops events that were not delivered. */
void ngx_webrtc_sctp_event_forget(ngx_webrtc_sctp_assoc_t *assoc);


#endif /* _NGX_WEBRTC_SCTP_EVENT_H_INCLUDED_ */
