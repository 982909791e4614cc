/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the demo's pages have in common.
 */

import { Reason } from './whep.js';

export const $ = (id) => document.getElementById(id);


/* a name of a stream, or where it is: a path or an URL */

export function address(value, prefix) {
    return /^(https?:\/)?\//.test(value) ? value
           : prefix + encodeURIComponent(value);
}


export function put(id, value, digits = 0) {
    $(id).textContent = value === undefined || value === null
                        || Number.isNaN(value)
                        ? '–' : typeof value == 'number'
                        ? value.toFixed(digits) : value;
}


/* the veil over the picture: a title, and what there is to say about it */

export function veil(title, text = '') {
    $('veil-title').textContent = title;
    $('veil-text').textContent = text;
}


/* browsers give these to pages over https, and of this machine, only */

export function insecure(what) {
    return new Reason('insecure', what + ' need https',
                      'this page came over http from ' + location.host
                      + '; browsers give them to pages that come over https,'
                      + ' or from localhost.');
}


const DEVICES = {
    NotAllowedError: ['The browser was not allowed to',
                      'allow it beside the address of this page, and try'
                      + ' again.'],
    NotFoundError: ['There is no such device',
                    'no camera or microphone is connected.'],
    NotReadableError: ['The device cannot be opened',
                       'another program may be using it.'],
    OverconstrainedError: ['The device cannot do that',
                           'choose another size or device.'],
};

export function deviceReason(e) {
    const [title, detail] = DEVICES[e.name] || ['That did not work', e.message];

    return e instanceof Reason ? e : new Reason('device', title, detail);
}
