
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Checksums of SCTP.
 */


#ifndef _NGX_WEBRTC_SCTP_CRC32C_H_INCLUDED_
#define _NGX_WEBRTC_SCTP_CRC32C_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * CRC32c (RFC 9260, Appendix A) with the processor's instruction, of n bytes;
 * as it stands in a packet when stored in little-endian order.
 *
 *   crc    0, or the result for the bytes before
 */
uint32_t ngx_webrtc_sctp_crc32c(uint32_t crc, const u_char *p, size_t n);

/* Not zero if the processor has the instruction; else do not call the above. */
ngx_uint_t ngx_webrtc_sctp_crc32c_available(void);

/* The same of a whole packet, by any means; its checksum field is zero. */
uint32_t ngx_webrtc_sctp_checksum(const u_char *p, size_t n);


#endif /* _NGX_WEBRTC_SCTP_CRC32C_H_INCLUDED_ */
