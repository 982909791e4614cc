
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * CRC32c with the processor's instruction, for ngx_webrtc_sctp.  RFC 9260,
 * Appendix A.  Where there is none, usrsctp's table does it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_sctp_crc32c.h>


#if ((defined __x86_64__) && (NGX_HAVE_LITTLE_ENDIAN))

ngx_uint_t
ngx_webrtc_sctp_crc32c_available(void)
{
    return __builtin_cpu_supports("sse4.2") ? 1 : 0;
}


__attribute__((target("sse4.2")))
uint32_t
ngx_webrtc_sctp_crc32c(uint32_t crc, const u_char *p, size_t n)
{
    uint64_t  c, v;

    c = (uint32_t) ~crc;

    while (n >= 8) {
        ngx_memcpy(&v, p, 8);
        c = __builtin_ia32_crc32di(c, v);
        p += 8;
        n -= 8;
    }

    crc = (uint32_t) c;

    while (n--) {
        crc = __builtin_ia32_crc32qi(crc, *p++);
    }

    return ~crc;
}

#else

ngx_uint_t
ngx_webrtc_sctp_crc32c_available(void)
{
    return 0;
}


uint32_t
ngx_webrtc_sctp_crc32c(uint32_t crc, const u_char *p, size_t n)
{
    (void) p;
    (void) n;

    return crc;
}

#endif


uint32_t
ngx_webrtc_sctp_checksum(const u_char *p, size_t n)
{
    if (ngx_webrtc_sctp_crc32c_available()) {
        return ngx_webrtc_sctp_crc32c(0, p, n);
    }

    return usrsctp_crc32c((void *) (uintptr_t) p, n);
}
