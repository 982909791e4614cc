
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_srtp_imb.h>


#if (NGX_WEBRTC_IPSEC_MB)

IMB_MGR *
ngx_webrtc_srtp_imb_mgr(ngx_webrtc_srtp_imb_t *imb)
{
    IMB_ARCH  arch;

    if (imb->tried) {
        return imb->mgr;
    }

    imb->tried = 1;

    imb->mgr = alloc_mb_mgr(0);
    if (imb->mgr == NULL) {
        return NULL;
    }

    init_mb_mgr_auto(imb->mgr, &arch);

    if (imb_get_errno(imb->mgr) != 0 || arch < IMB_ARCH_SSE) {
        free_mb_mgr(imb->mgr);
        imb->mgr = NULL;
    }

    return imb->mgr;
}


const char *
ngx_webrtc_srtp_imb_usable(ngx_webrtc_srtp_imb_t *imb)
{
    return ngx_webrtc_srtp_imb_mgr(imb)
           ? NULL : "this processor lacks what intel-ipsec-mb needs";
}

#endif
