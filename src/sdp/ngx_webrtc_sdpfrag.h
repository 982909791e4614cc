
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP fragments, application/trickle-ice-sdpfrag: the body of a PATCH that
 * adds candidates or restarts ICE, and of the answer to a restart.  Parsed into
 * views; ngx_webrtc_sdpfrag_classify() determines what a fragment means for a
 * session.
 *
 * RFC 8840, 9; RFC 8838 (trickle ICE); RFC 9725, 4.3 (use in WHIP).  The
 * grammar of RFC 8840 is applied loosely, as by clients: m-lines may lack or
 * have formats, mid may come late, unknown lines and attributes are skipped.
 */


#ifndef _NGX_WEBRTC_SDPFRAG_H_INCLUDED_
#define _NGX_WEBRTC_SDPFRAG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_desc.h>
#include <ngx_webrtc_sdp.h>


/* mline of a candidate before the first m-line */
#define NGX_WEBRTC_SDPFRAG_NO_MLINE    0xff

/* what a fragment means for a session */
#define NGX_WEBRTC_SDPFRAG_TRICKLE     1
#define NGX_WEBRTC_SDPFRAG_RESTART     2

/*
 * Room for a printed fragment, in bytes, without candidates.  Add
 * NGX_WEBRTC_SDPFRAG_CANDIDATE for each candidate.
 */
#define NGX_WEBRTC_SDPFRAG_ROOM        2048
#define NGX_WEBRTC_SDPFRAG_CANDIDATE   512


typedef struct {
    ngx_str_t   type;                /* "video"; empty: mid without m-line */
    ngx_str_t   mid;                 /* empty = none */
    unsigned    end_of_candidates:1;
} ngx_webrtc_sdpfrag_media_t;


typedef struct {
    /* of the session or of any m-line: with BUNDLE they must all be the same;
     * empty if there are none */
    ngx_str_t   ufrag;
    ngx_str_t   pwd;

    unsigned    ice_lite:1;
    unsigned    end_of_candidates:1; /* of the session or of any m-line: with
                                      * BUNDLE there is one transport */

    ngx_uint_t                  ncandidates;
    ngx_uint_t                  nmedia;

    /* only the first n of each are set; candidates over the limit and those of
     * unknown transports are silently left out (RFC 8839, 5.1) */
    ngx_webrtc_sdp_candidate_t  candidates[NGX_WEBRTC_SDP_CANDIDATES];
    ngx_webrtc_sdpfrag_media_t  media[NGX_WEBRTC_SDP_MEDIA];
} ngx_webrtc_sdpfrag_t;


/* what is printed; text as in ngx_webrtc_sdp_answer_t */
typedef struct {
    unsigned    ice_lite:1;
    unsigned    end_of_candidates:1;

    ngx_str_t   ufrag;               /* up to NGX_WEBRTC_DESC_LOCAL_UFRAG */
    ngx_str_t   pwd;                 /* up to NGX_WEBRTC_DESC_LOCAL_PWD */

    const ngx_webrtc_sdp_candidate_t  *candidates;
    ngx_uint_t                         ncandidates;
} ngx_webrtc_sdpfrag_answer_t;


/*
 * Parses a whole fragment.  Lines end in CRLF or LF.  An empty one is valid and
 * means nothing.
 *
 *   frag    need not be initialised; holds views into p .. end
 *   err     filled when refused
 *
 * NGX_OK
 * NGX_DECLINED  malformed, over a limit, or with several ufrags or pwds
 */
ngx_int_t ngx_webrtc_sdpfrag_parse(u_char *p, u_char *end,
    ngx_webrtc_sdpfrag_t *frag, ngx_webrtc_sdp_error_t *err);

/*
 * RFC 8840, 9; RFC 9725, 4.3.2 and 4.3.3.  What a fragment means for a session.
 *
 *   desc    of the session, with its current credentials
 *   kind    out: NGX_WEBRTC_SDPFRAG_TRICKLE: candidates, perhaps their end, of
 *           the current generation; a fragment without ufrag counts as such.
 *           NGX_WEBRTC_SDPFRAG_RESTART: frag's ufrag and pwd are the peer's new
 *           ones, their lengths fit desc.
 *   err     filled when refused
 *
 * NGX_OK
 * NGX_DECLINED  a new ufrag without a new pwd or the other way round (RFC 8445,
 *               9: both change), or the session has no remote credentials yet
 *
 * Mids are not checked: clients that trickle while they wait for the answer
 * also send candidates for m-lines that are then rejected.
 */
ngx_int_t ngx_webrtc_sdpfrag_classify(const ngx_webrtc_sdpfrag_t *frag,
    const ngx_webrtc_desc_t *desc, ngx_uint_t *kind,
    ngx_webrtc_sdp_error_t *err);

/*
 * Prints the answer to a restart: the session's tagged m-line with our new
 * credentials and all candidates (RFC 9725, 4.3.3).
 *
 *   desc    of the session: mids and kinds of its m-lines
 *
 * Returns the position behind it (no null byte), or NULL if there is no room.
 */
u_char *ngx_webrtc_sdpfrag_print(u_char *p, u_char *end,
    const ngx_webrtc_desc_t *desc, const ngx_webrtc_sdpfrag_answer_t *answer);


#endif /* _NGX_WEBRTC_SDPFRAG_H_INCLUDED_ */
