
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Offers for files over DataChannels: what their rows of
 * ngx_http_webrtc_offer_kind_t have in common.
 */


#ifndef _NGX_HTTP_WEBRTC_FILE_OFFER_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_FILE_OFFER_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_webrtc_bus_file.h"


/* the target of such an offer; offer->data */
typedef struct {
    ngx_str_t                    path;
    ngx_webrtc_peer_file_t       file;
    ngx_fd_t                     fd;         /* of the request's pool */
} ngx_http_webrtc_file_target_t;


/* callbacks of a row */
ngx_int_t ngx_http_webrtc_file_find(ngx_http_webrtc_offer_t *offer);
ngx_int_t ngx_http_webrtc_file_negotiate(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy, u_char **p, u_char *end,
    ngx_webrtc_negotiate_cause_t *cause);
ngx_int_t ngx_http_webrtc_file_attach(ngx_http_webrtc_offer_t *offer);

/*
 * Attaches the file to the slot.
 *
 *   room   bytes for the messages of an answer, in addition to the others
 *
 * As ngx_webrtc_file_attach(), and for ngx_http_webrtc_file_attached()
 */
ngx_int_t ngx_http_webrtc_file_attach_with(ngx_http_webrtc_offer_t *offer,
    size_t room);

/* The result of attach_with(): answers unless it was NGX_OK. */
ngx_int_t ngx_http_webrtc_file_attached(ngx_http_webrtc_offer_t *offer,
    ngx_int_t rc);


#endif /* _NGX_HTTP_WEBRTC_FILE_OFFER_H_INCLUDED_ */
