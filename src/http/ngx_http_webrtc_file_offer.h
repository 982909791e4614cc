
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
 * NGX_OK; NGX_DECLINED: the zone is full
 */
ngx_int_t ngx_http_webrtc_file_attach_with(ngx_http_webrtc_offer_t *offer,
    size_t room);


#endif /* _NGX_HTTP_WEBRTC_FILE_OFFER_H_INCLUDED_ */
