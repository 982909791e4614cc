/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the clients on libdatachannel (range.js, rtp.js) have in common.
 */

'use strict';

const path = require('path');
const http = require('http');

const build = process.env.WEBRTC_BUILD
              || path.join(__dirname, '..', '..', 'build');

const ndc = require(path.join(build, 'node_modules', 'node-datachannel'));


/* {status, headers, text}; with keep the response as it comes */

function request(method, url, headers, body, keep) {
    return new Promise((resolve, reject) => {
        const r = http.request(url, { method, headers, agent: false },
                               (res) => {
            if (keep) {
                resolve(res);
                return;
            }

            const parts = [];
            res.on('data', (d) => parts.push(d));
            res.on('end', () => resolve({ status: res.statusCode,
                headers: res.headers,
                text: Buffer.concat(parts).toString() }));
            res.on('error', reject);
        });

        r.on('error', reject);
        r.end(body);
    });
}


/* what a test returns once it is true, within some seconds */

function until(seconds, test) {
    return new Promise((resolve, reject) => {
        const end = Date.now() + seconds * 1000;
        const look = () => {
            const v = test();
            if (v) {
                resolve(v);
            } else if (Date.now() > end) {
                reject(new Error('timeout'));
            } else {
                setTimeout(look, 5);
            }
        };
        look();
    });
}


module.exports = { ndc, request, until };
