
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_transcode" and "webrtc_rendition".
 */


#include "ngx_http_webrtc_transcode.h"
#include "ngx_http_webrtc_conf_check.h"
#include "ngx_webrtc_codecs.h"


/* renditions of a location; chosen */
#define NGX_HTTP_WEBRTC_TRANSCODE_RENDITIONS  16


typedef ngx_uint_t (*ngx_http_webrtc_transcode_pt)(ngx_str_t *value,
    ngx_webrtc_variant_t *variant);


/* a parameter "name=value" */
typedef struct {
    ngx_str_t                      name;       /* with its "=" */
    ngx_http_webrtc_transcode_pt   parse;      /* 0: invalid */
    ngx_uint_t                     rendition;  /* of that too */
    const char                    *expected;
} ngx_http_webrtc_transcode_param_t;


typedef struct {
    ngx_str_t                      name;
    ngx_uint_t                     value;
} ngx_http_webrtc_transcode_name_t;


static char *ngx_http_webrtc_transcode_param(ngx_conf_t *cf,
    ngx_str_t *directive, ngx_str_t *arg, ngx_webrtc_variant_t *variant,
    ngx_uint_t rendition, ngx_uint_t *seen);
static char *ngx_http_webrtc_transcode_invalid(ngx_conf_t *cf,
    const char *what, ngx_str_t *value, ngx_str_t *directive,
    const char *expected);
static ngx_uint_t ngx_http_webrtc_transcode_find(
    const ngx_http_webrtc_transcode_name_t *names, ngx_str_t *value,
    ngx_uint_t *found);
static ngx_uint_t ngx_http_webrtc_transcode_codec(ngx_str_t *value,
    ngx_webrtc_variant_t *variant);
static ngx_uint_t ngx_http_webrtc_transcode_bitrate(ngx_str_t *value,
    ngx_webrtc_variant_t *variant);
static ngx_uint_t ngx_http_webrtc_transcode_size(ngx_str_t *value,
    ngx_webrtc_variant_t *variant);
static ngx_uint_t ngx_http_webrtc_transcode_side(u_char *p, u_char *end,
    uint16_t *side);
static ngx_uint_t ngx_http_webrtc_transcode_fps(ngx_str_t *value,
    ngx_webrtc_variant_t *variant);
static ngx_uint_t ngx_http_webrtc_transcode_hw(ngx_str_t *value,
    ngx_webrtc_variant_t *variant);
static ngx_uint_t ngx_http_webrtc_transcode_deinterlace(ngx_str_t *value,
    ngx_webrtc_variant_t *variant);
static ngx_uint_t ngx_http_webrtc_transcode_is_name(ngx_str_t *value);


#define NGX_HTTP_WEBRTC_TRANSCODE_CODEC                                       \
    "\"h264\", \"vp8\", \"vp9\" or \"av1\""

#define NGX_HTTP_WEBRTC_TRANSCODE_BITRATE                                     \
    "bits per second from \"16k\" to \"1g\", such as \"2m\""

#define NGX_HTTP_WEBRTC_TRANSCODE_SIZE                                        \
    "a width and a height or a height alone, even numbers from 16 to 16384, " \
    "such as \"1280x720\" or \"720\""


static const ngx_http_webrtc_transcode_param_t
    ngx_http_webrtc_transcode_params[] =
{
    { ngx_string("codec="), ngx_http_webrtc_transcode_codec, 0,
      NGX_HTTP_WEBRTC_TRANSCODE_CODEC },

    { ngx_string("bitrate="), ngx_http_webrtc_transcode_bitrate, 0,
      NGX_HTTP_WEBRTC_TRANSCODE_BITRATE },

    { ngx_string("size="), ngx_http_webrtc_transcode_size, 0,
      NGX_HTTP_WEBRTC_TRANSCODE_SIZE },

    { ngx_string("fps="), ngx_http_webrtc_transcode_fps, 1,
      "pictures per second from \"1\" to \"240\", such as \"30\"" },

    { ngx_string("hw="), ngx_http_webrtc_transcode_hw, 0,
      "\"auto\", \"none\", \"vaapi\", \"nvenc\", \"qsv\" or \"v4l2m2m\"" },

    { ngx_string("deinterlace="), ngx_http_webrtc_transcode_deinterlace, 0,
      "\"on\" or \"off\"" },

    { ngx_null_string, NULL, 0, NULL }
};


static const ngx_http_webrtc_transcode_name_t
    ngx_http_webrtc_transcode_modes[] =
{
    { ngx_string("off"), NGX_WEBRTC_TRANSCODE_OFF },
    { ngx_string("auto"), NGX_WEBRTC_TRANSCODE_AUTO },
    { ngx_string("always"), NGX_WEBRTC_TRANSCODE_ALWAYS },
    { ngx_null_string, 0 }
};


static const ngx_http_webrtc_transcode_name_t
    ngx_http_webrtc_transcode_codecs[] =
{
    { ngx_string("h264"), NGX_WEBRTC_CODEC_H264 },
    { ngx_string("vp8"), NGX_WEBRTC_CODEC_VP8 },
    { ngx_string("vp9"), NGX_WEBRTC_CODEC_VP9 },
    { ngx_string("av1"), NGX_WEBRTC_CODEC_AV1 },
    { ngx_null_string, 0 }
};


static const ngx_http_webrtc_transcode_name_t
    ngx_http_webrtc_transcode_hws[] =
{
    { ngx_string("auto"), NGX_WEBRTC_VARIANT_HW_AUTO },
    { ngx_string("none"), NGX_WEBRTC_VARIANT_HW_NONE },
    { ngx_string("vaapi"), NGX_WEBRTC_VARIANT_HW_VAAPI },
    { ngx_string("nvenc"), NGX_WEBRTC_VARIANT_HW_NVENC },
    { ngx_string("qsv"), NGX_WEBRTC_VARIANT_HW_QSV },
    { ngx_string("v4l2m2m"), NGX_WEBRTC_VARIANT_HW_V4L2M2M },
    { ngx_null_string, 0 }
};


static const ngx_http_webrtc_transcode_name_t
    ngx_http_webrtc_transcode_flags[] =
{
    { ngx_string("off"), 0 },
    { ngx_string("on"), 1 },
    { ngx_null_string, 0 }
};


/* names that "?layer=" has a meaning for, or that may get one */

static const ngx_http_webrtc_transcode_name_t
    ngx_http_webrtc_transcode_taken[] =
{
    { ngx_string("h264"), 0 },
    { ngx_string("h265"), 0 },
    { ngx_string("vp8"), 0 },
    { ngx_string("vp9"), 0 },
    { ngx_string("av1"), 0 },
    { ngx_string("auto"), 0 },
    { ngx_string("original"), 0 },
    { ngx_null_string, 0 }
};


char *
ngx_http_webrtc_transcode_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i, mode, seen;

    if (wlcf->policy.transcode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (!ngx_http_webrtc_transcode_find(ngx_http_webrtc_transcode_modes,
                                        &value[1], &mode))
    {
        return ngx_http_webrtc_transcode_invalid(cf, "value", &value[1],
                                    &value[0],
                                    "\"off\", \"auto\" or \"always\"");
    }

    if (mode == NGX_WEBRTC_TRANSCODE_OFF && cf->args->nelts > 2) {
        return ngx_http_webrtc_transcode_invalid(cf, "parameter", &value[2],
                                    &value[0],
                                    "none with \"off\", which encodes nothing");
    }

    ngx_memzero(&wlcf->policy.variant, sizeof(ngx_webrtc_variant_t));

    seen = 0;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_webrtc_transcode_param(cf, &value[0], &value[i],
                                             &wlcf->policy.variant, 0, &seen);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    wlcf->policy.transcode = mode;

    return NGX_CONF_OK;
}


char *
ngx_http_webrtc_transcode_rendition(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    char                  *rv;
    ngx_str_t             *value;
    ngx_uint_t             i, seen;
    ngx_webrtc_variant_t  *variant, *other;

    value = cf->args->elts;

    if (!ngx_http_webrtc_transcode_is_name(&value[1])) {
        return ngx_http_webrtc_transcode_invalid(cf, "name", &value[1],
                                    &value[0],
                                    "1 to 24 letters, digits, \"-\" or \"_\", "
                                    "and no codec, \"auto\" or \"original\", "
                                    "such as \"720p\"");
    }

    if (wlcf->renditions == NULL) {
        wlcf->renditions = ngx_array_create(cf->pool, 4,
                                            sizeof(ngx_webrtc_variant_t));
        if (wlcf->renditions == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    other = wlcf->renditions->elts;

    for (i = 0; i < wlcf->renditions->nelts; i++) {
        if (other[i].label_len == value[1].len
            && ngx_memcmp(other[i].label, value[1].data, value[1].len) == 0)
        {
            return ngx_http_webrtc_transcode_invalid(cf, "name", &value[1],
                                    &value[0],
                                    "each name once, it is duplicate");
        }
    }

    if (i == NGX_HTTP_WEBRTC_TRANSCODE_RENDITIONS) {
        return "is there more than 16 times";
    }

    variant = ngx_array_push(wlcf->renditions);
    if (variant == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(variant, sizeof(ngx_webrtc_variant_t));

    variant->label_len = (uint8_t) value[1].len;
    ngx_memcpy(variant->label, value[1].data, value[1].len);

    if (!ngx_http_webrtc_transcode_size(&value[2], variant)) {
        return ngx_http_webrtc_transcode_invalid(cf, "size", &value[2],
                                    &value[0], NGX_HTTP_WEBRTC_TRANSCODE_SIZE);
    }

    if (!ngx_http_webrtc_transcode_bitrate(&value[3], variant)) {
        return ngx_http_webrtc_transcode_invalid(cf, "bitrate", &value[3],
                                    &value[0],
                                    NGX_HTTP_WEBRTC_TRANSCODE_BITRATE);
    }

    seen = 0;

    for (i = 4; i < cf->args->nelts; i++) {
        rv = ngx_http_webrtc_transcode_param(cf, &value[0], &value[i], variant,
                                             1, &seen);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_webrtc_transcode_merge(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf)
{
    if (conf->policy.transcode == NGX_CONF_UNSET_UINT) {

        if (prev->policy.transcode == NGX_CONF_UNSET_UINT) {
            conf->policy.transcode = NGX_WEBRTC_TRANSCODE_AUTO;

        } else {
            conf->policy.transcode = prev->policy.transcode;
            conf->policy.variant = prev->policy.variant;
        }
    }

    if (conf->renditions == NULL) {
        conf->renditions = prev->renditions;

    } else if (conf->policy.transcode == NGX_WEBRTC_TRANSCODE_OFF) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"webrtc_rendition\" needs \"webrtc_transcode\" "
                           "to be \"auto\" or \"always\", which is \"off\" "
                           "here");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 *   rendition   1: only what is of a rendition
 *   seen        in, out: which there were, a mask
 */

static char *
ngx_http_webrtc_transcode_param(ngx_conf_t *cf, ngx_str_t *directive,
    ngx_str_t *arg, ngx_webrtc_variant_t *variant, ngx_uint_t rendition,
    ngx_uint_t *seen)
{
    ngx_str_t                                 value;
    ngx_uint_t                                bit;
    const ngx_http_webrtc_transcode_param_t  *param;

    bit = 1;

    for (param = ngx_http_webrtc_transcode_params;
         param->name.len;
         param++, bit <<= 1)
    {
        if (arg->len < param->name.len
            || ngx_strncmp(arg->data, param->name.data, param->name.len) != 0
            || (rendition && !param->rendition))
        {
            continue;
        }

        value.data = arg->data + param->name.len;
        value.len = arg->len - param->name.len;

        if (*seen & bit) {
            return ngx_http_webrtc_transcode_invalid(cf, "parameter", arg,
                                        directive, "each parameter once");
        }

        if (!param->parse(&value, variant)) {
            return ngx_http_webrtc_transcode_invalid(cf, "parameter", arg,
                                        directive, param->expected);
        }

        *seen |= bit;

        return NGX_CONF_OK;
    }

    return ngx_http_webrtc_transcode_invalid(cf, "parameter", arg, directive,
                                rendition ? "\"fps=number\"" :
                                "\"codec=\", \"bitrate=\", \"size=\", "
                                "\"fps=\", \"hw=\" or \"deinterlace=\"");
}


static char *
ngx_http_webrtc_transcode_invalid(ngx_conf_t *cf, const char *what,
    ngx_str_t *value, ngx_str_t *directive, const char *expected)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid %s \"%V\" in %V, expected %s", what, value,
                       directive, expected);

    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_http_webrtc_transcode_find(const ngx_http_webrtc_transcode_name_t *names,
    ngx_str_t *value, ngx_uint_t *found)
{
    for ( /* void */ ; names->name.len; names++) {
        if (names->name.len == value->len
            && ngx_strncasecmp(names->name.data, value->data, value->len) == 0)
        {
            *found = names->value;
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_webrtc_transcode_codec(ngx_str_t *value, ngx_webrtc_variant_t *variant)
{
    ngx_uint_t  codec;

    if (!ngx_http_webrtc_transcode_find(ngx_http_webrtc_transcode_codecs,
                                        value, &codec))
    {
        return 0;
    }

    variant->codec = (uint8_t) codec;

    return 1;
}


static ngx_uint_t
ngx_http_webrtc_transcode_bitrate(ngx_str_t *value,
    ngx_webrtc_variant_t *variant)
{
    off_t  bitrate;

    bitrate = ngx_parse_offset(value);

    if (bitrate < NGX_WEBRTC_VARIANT_BIT_LEAST
        || bitrate > NGX_WEBRTC_VARIANT_BIT_MOST)
    {
        return 0;
    }

    variant->bitrate = (uint32_t) bitrate;

    return 1;
}


static ngx_uint_t
ngx_http_webrtc_transcode_size(ngx_str_t *value, ngx_webrtc_variant_t *variant)
{
    u_char  *p, *end;

    end = value->data + value->len;
    p = ngx_strlchr(value->data, end, 'x');

    if (p == NULL) {
        variant->width = 0;
        return ngx_http_webrtc_transcode_side(value->data, end,
                                              &variant->height);
    }

    return ngx_http_webrtc_transcode_side(value->data, p, &variant->width)
           && ngx_http_webrtc_transcode_side(p + 1, end, &variant->height);
}


/* pictures of 4:2:0 have even sides */

static ngx_uint_t
ngx_http_webrtc_transcode_side(u_char *p, u_char *end, uint16_t *side)
{
    ngx_int_t  n;

    n = ngx_atoi(p, end - p);

    if (n < NGX_WEBRTC_VARIANT_SIDE_LEAST || n > NGX_WEBRTC_VARIANT_SIDE_MOST
        || n % 2)
    {
        return 0;
    }

    *side = (uint16_t) n;

    return 1;
}


static ngx_uint_t
ngx_http_webrtc_transcode_fps(ngx_str_t *value, ngx_webrtc_variant_t *variant)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n < 1 || n > NGX_WEBRTC_VARIANT_FPS_MOST) {
        return 0;
    }

    variant->fps = (uint8_t) n;

    return 1;
}


static ngx_uint_t
ngx_http_webrtc_transcode_hw(ngx_str_t *value, ngx_webrtc_variant_t *variant)
{
    ngx_uint_t  hw;

    if (!ngx_http_webrtc_transcode_find(ngx_http_webrtc_transcode_hws, value,
                                        &hw))
    {
        return 0;
    }

    variant->hw = (uint8_t) hw;

    return 1;
}


static ngx_uint_t
ngx_http_webrtc_transcode_deinterlace(ngx_str_t *value,
    ngx_webrtc_variant_t *variant)
{
    ngx_uint_t  flag;

    if (!ngx_http_webrtc_transcode_find(ngx_http_webrtc_transcode_flags, value,
                                        &flag))
    {
        return 0;
    }

    variant->deinterlace = (uint8_t) flag;

    return 1;
}


static ngx_uint_t
ngx_http_webrtc_transcode_is_name(ngx_str_t *value)
{
    ngx_uint_t  i;

    return ngx_webrtc_desc_is_name(value, NGX_WEBRTC_VARIANT_NAME)
           && !ngx_http_webrtc_transcode_find(ngx_http_webrtc_transcode_taken,
                                              value, &i);
}
