/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Throughput of one file session on loopback: nginx with webrtc_file against
 * libdatachannel (node-datachannel) serving the same file with the same frames,
 * in one run, to the same client (libdatachannel in a process of its own).
 *
 *     node t/bench/file.js <nginx URL of the file> <path of the file> [runs]
 *
 * With NGINX_PID (of the worker) it also tells CPU time per MB.
 */

'use strict';

const { fork } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');

const build = process.env.WEBRTC_BUILD
              || path.join(__dirname, '..', '..', 'build');


/* a server on libdatachannel: 16 KiB frames, paused at 8 MiB, resumed at 1 */

function serve(file, port) {
    const ndc = require(path.join(build, 'node_modules', 'node-datachannel'));
    const data = fs.readFileSync(file);
    const keep = [];

    http.createServer((req, res) => {
        const parts = [];

        req.on('data', (d) => parts.push(d));
        req.on('end', () => {
            const pc = new ndc.PeerConnection('server', {
                iceServers: [], bindAddress: '127.0.0.1' });

            keep.push(pc);

            pc.onDataChannel((dc) => {
                keep.push(dc);

                let at = -1;
                const frame = Buffer.alloc(12 + 16384);

                const pump = () => {
                    while (at >= 0 && dc.bufferedAmount() < 8388608) {
                        const n = Math.min(16384, data.length - at);

                        frame[0] = 2;
                        frame[1] = at + n == data.length ? 1 : 0;
                        frame.writeUInt32BE(1, 4);
                        frame.writeUInt32BE(n, 8);
                        data.copy(frame, 12, at, at + n);
                        dc.sendMessageBinary(frame.subarray(0, 12 + n));

                        at += n;

                        if (at == data.length) {
                            at = -1;
                            const end = Buffer.alloc(16);
                            end[0] = 3;
                            end.writeUInt32BE(1, 4);
                            end.writeUInt32BE(4, 8);
                            dc.sendMessageBinary(end);
                        }
                    }
                };

                dc.setBufferedAmountLowThreshold(1048576);
                dc.onBufferedAmountLow(pump);
                dc.onMessage((m) => {
                    if (m[0] == 1) {
                        at = 0;
                        pump();
                    }
                });

                const hello = Buffer.alloc(24);
                hello.writeUInt32BE(12, 8);
                hello.writeBigUInt64BE(BigInt(data.length), 12);
                dc.sendMessageBinary(hello);
            });

            let answered = false;

            pc.onGatheringStateChange((s) => {
                if (s == 'complete' && !answered) {
                    answered = true;

                    /* its description may be behind its state */

                    setTimeout(() => {
                        res.writeHead(201, { Location: '/s' });
                        res.end(pc.localDescription().sdp);
                    }, 200);
                }
            });

            pc.setRemoteDescription(Buffer.concat(parts).toString(), 'offer');
        });
    }).listen(port, '127.0.0.1', () => process.send({ up: true }));
}


function cpu(pid) {
    const f = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]
              .split(' ');
    return (Number(f[11]) + Number(f[12])) / 100;
}


async function fetchAll(url) {
    const { spawn } = require('child_process');
    const c = spawn(process.execPath, [path.join(__dirname, '..', 'lib',
        'range.js')], { stdio: ['pipe', 'pipe', 'inherit'],
                        env: { ...process.env, WEBRTC_BUILD: build } });
    const rl = require('readline').createInterface({ input: c.stdout });
    const lines = rl[Symbol.asyncIterator]();
    const call = async (o) => {
        c.stdin.write(JSON.stringify(o) + '\n');
        return JSON.parse((await lines.next()).value);
    };

    const p = await call({ cmd: 'open', url });
    const r = await call({ cmd: 'get', peer: 0, timeout: 300,
        ranges: [{ id: 1, offset: '0', length: '0' }] });

    c.stdin.end(JSON.stringify({ cmd: 'quit' }) + '\n');

    if (!r.ranges) {
        throw new Error(JSON.stringify([p, r]));
    }

    return r.ranges[0];
}


async function main() {
    const [url, file, runs] = process.argv.slice(2);
    const pids = (process.env.NGINX_PID || '').split(',').filter(Boolean);
    const port = 20000 + process.pid % 10000;
    const child = fork(__filename, ['serve', file, String(port)]);

    await new Promise((resolve) => child.once('message', resolve));

    const all = { nginx: [], ndc: [] };

    for (let i = 0; i < (runs || 3); i++) {
        for (const [name, u, who] of [
            ['nginx', url, pids],
            ['ndc', `http://127.0.0.1:${port}/`, [child.pid]]])
        {
            const sum = () => who.reduce((s, p) => s + cpu(p), 0);
            const before = sum();
            let r;

            for (let n = 0; !r; n++) {
                r = await fetchAll(u).catch((e) => {
                    if (n == 5) {
                        throw e;
                    }
                });
            }

            const ms = r.bytes / 1e3 / r.ms;

            all[name].push(ms);
            console.log(`${name}: ${ms.toFixed(1)} MB/s`
                + (who.length ? `, ${(1e6 * (sum() - before)
                    / (r.bytes / 1e6) / 1e3).toFixed(2)} ms CPU per MB` : ''));
        }
    }

    const best = (l) => Math.max(...l);

    console.log(`best: nginx ${best(all.nginx).toFixed(1)}, node-datachannel `
        + `${best(all.ndc).toFixed(1)} MB/s, ratio `
        + (best(all.nginx) / best(all.ndc)).toFixed(2));

    child.kill();
    process.exit(0);
}


if (process.argv[2] == 'serve') {
    serve(process.argv[3], Number(process.argv[4]));
} else {
    main().catch((e) => { console.error(e); process.exit(1); });
}
