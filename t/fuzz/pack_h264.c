
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */


#include "pack.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_pack(NGX_WEBRTC_CODEC_H264, data, size);
}
