/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A headless Firefox as browser.js needs one: what it uses of playwright-core's
 * interface, on Marionette, the protocol that every Firefox has.  (playwright
 * drives a Firefox of its own only.)
 *
 *     const browser = await launch();
 *     const page = await (await browser.newContext()).newPage();
 *
 * Marionette: over TCP, messages "<bytes>:<json>"; requests [0, id, command,
 * parameters], answers [1, id, error, result].  A page is a window: tabs in the
 * background have slow timers.
 */

'use strict';

const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const { spawn } = require('child_process');

/* a shell script in /usr/bin starts it; the program gets our signals */
const BINARIES = ['/usr/lib/firefox-esr/firefox-esr',
                  '/usr/lib/firefox/firefox'];

const PREFS = {
    'marionette.port': 0,

    /* devices that are made up, and no questions */
    'media.navigator.streams.fake': true,
    'media.navigator.permission.disabled': true,
    'media.navigator.audio.fake_frequency': 440,
    'media.autoplay.default': 0,
    'media.autoplay.blocking_policy': 0,

    /*
     * Loopback is where everything is; who may not use the microphone has the
     * one address only that leads to the internet.
     */
    'permissions.default.microphone': 1,
    'media.peerconnection.ice.loopback': true,
    'media.peerconnection.ice.obfuscate_host_addresses': false,

    /* H.264's plugin would be fetched */
    'media.gmp-manager.updateEnabled': false,
    'media.gmp-provider.enabled': false,

    /* nothing leaves this machine: loopback is never proxied */
    'network.proxy.type': 1,
    'network.proxy.http': '127.0.0.1',
    'network.proxy.http_port': 9,
    'network.proxy.ssl': '127.0.0.1',
    'network.proxy.ssl_port': 9,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'network.dns.disablePrefetch': true,
    'services.settings.server': 'data:,none',
    'datareporting.policy.dataSubmissionEnabled': false,
    'toolkit.telemetry.server': 'data:,none',
    'app.update.disabledForTesting': true,
    'browser.shell.checkDefaultBrowser': false,

    /* files are saved without questions; workers live for 3 s and not for 30 */
    'browser.download.folderList': 2,
    'browser.download.alwaysOpenPanel': false,
    'browser.download.always_ask_before_handling_new_types': false,
    'dom.serviceWorkers.idle_timeout': 3000,
    'dom.serviceWorkers.idle_extended_timeout': 3000,

    /* small and quick */
    'browser.startup.page': 0,
    'browser.sessionstore.resume_from_crash': false,
    'browser.newtabpage.enabled': false,
    'dom.ipc.processCount': 1,
    'dom.ipc.processPrelaunch.enabled': false,
    'fission.autostart': false,
    'dom.timeout.enable_budget_timer_throttling': false,
    'layout.throttled_frame_rate': 60,
};


class Marionette {
    constructor(socket) {
        this.socket = socket;
        this.buffer = Buffer.alloc(0);
        this.waiting = new Map();
        this.id = 0;

        this.hello = new Promise((resolve) => { this.greeted = resolve; });

        socket.on('data', (d) => this.input(d));
        socket.on('error', () => {});
        socket.on('close', () => this.end());
    }

    input(data) {
        this.buffer = Buffer.concat([this.buffer, data]);

        for ( ;; ) {
            const colon = this.buffer.indexOf(':');
            const n = parseInt(this.buffer.toString('latin1', 0, colon), 10);

            if (colon < 0 || this.buffer.length < colon + 1 + n) {
                return;
            }

            const text = this.buffer.toString('utf8', colon + 1,
                                              colon + 1 + n);
            this.buffer = this.buffer.subarray(colon + 1 + n);
            this.message(JSON.parse(text));
        }
    }

    message(m) {
        if (!Array.isArray(m)) {
            this.greeted(m);
            return;
        }

        const [, id, error, result] = m;
        const w = this.waiting.get(id);

        this.waiting.delete(id);

        if (error) {
            w.reject(new Error(error.error + ': ' + error.message));
        } else {
            w.resolve(result);
        }
    }

    end() {
        for (const w of this.waiting.values()) {
            w.reject(new Error('Firefox has gone'));
        }

        this.waiting.clear();
    }

    call(command, params = {}) {
        return new Promise((resolve, reject) => {
            const id = ++this.id;
            const text = JSON.stringify([0, id, command, params]);

            this.waiting.set(id, { resolve, reject });
            this.socket.write(Buffer.byteLength(text) + ':' + text);
        });
    }
}


class Page {
    constructor(m, handle) {
        this.m = m;
        this.handle = handle;
    }

    async here() {
        await this.m.call('WebDriver:SwitchToWindow',
                          { handle: this.handle, focus: true });
    }

    on() {
    }

    /* the server's own answer has its origin too, whatever it is */

    async route() {
    }

    async goto(url) {
        await this.here();
        await this.m.call('WebDriver:Navigate', { url });

        const status = await this.evaluate(
            () => performance.getEntriesByType('navigation')[0]
                             .responseStatus);

        return { status: () => status };
    }

    /* an expression, or a function that is called with an argument */

    async evaluate(what, arg) {
        const text = typeof what == 'function'
                     ? '(' + what + ')(' + (JSON.stringify(arg) || '') + ')'
                     : what;

        await this.here();

        const r = await this.m.call('WebDriver:ExecuteAsyncScript', {
            script: `const [text, done] = arguments;
                     new Promise((resolve) => resolve(window.eval(text)))
                         .then((v) => done(JSON.stringify({ value: v })),
                               (e) => done(JSON.stringify({
                                               error: String(e) })));`,
            args: [text],
        });

        const { value, error } = JSON.parse(r.value);

        if (error !== undefined) {
            throw new Error(error);
        }

        return value;
    }

    async close() {
        await this.here();
        await this.m.call('WebDriver:CloseWindow');
    }
}


const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));


async function launch() {
    const binary = process.env.FIREFOX
                   || BINARIES.find((f) => fs.existsSync(f));

    if (!binary) {
        throw new Error('no Firefox');
    }

    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'firefox-'));

    const downloads = path.join(os.tmpdir(), 'downloads');

    fs.mkdirSync(downloads, { recursive: true });

    fs.writeFileSync(path.join(home, 'user.js'),
        Object.entries({ ...PREFS, 'browser.download.dir': downloads }).map(([k, v]) =>
            'user_pref(' + JSON.stringify(k) + ', ' + JSON.stringify(v)
            + ');\n').join(''));

    /* it ends with us, however we end */

    const child = spawn('setpriv', ['--pdeathsig', 'KILL', binary,
        '--headless', '--no-remote', '--marionette', '--profile', home], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, MOZ_CRASHREPORTER_DISABLE: '1',
               MOZ_DISABLE_AUTO_SAFE_MODE: '1' },
    });

    const gone = new Promise((resolve) => {
        child.on('exit', resolve);
        child.on('error', resolve);
    });

    let ended = false;
    gone.then(() => { ended = true; });

    const file = path.join(home, 'MarionetteActivePort');

    for (let i = 0; i < 1200 && !ended; i++) {
        if (fs.existsSync(file) && fs.readFileSync(file, 'latin1').trim()) {
            break;
        }

        await wait(50);
    }

    if (ended || !fs.existsSync(file)) {
        child.kill('SIGKILL');
        throw new Error('Firefox does not start');
    }

    const socket = net.connect(+fs.readFileSync(file, 'latin1'), '127.0.0.1');
    const m = new Marionette(socket);

    await m.hello;
    await m.call('WebDriver:NewSession', { timeouts: { script: 120000 } });

    const first = (await m.call('WebDriver:GetWindowHandle')).value;

    return {
        async newContext() {
            return {
                async newPage() {
                    /* the current one may have been closed */

                    await m.call('WebDriver:SwitchToWindow',
                                 { handle: first });

                    const r = await m.call('WebDriver:NewWindow',
                                           { type: 'window', focus: false });
                    return new Page(m, r.handle);
                },
            };
        },

        async close() {
            m.call('Marionette:Quit', { flags: ['eForceQuit'] })
                .catch(() => {});

            await Promise.race([gone, wait(10000)]);

            child.kill('SIGKILL');
            await gone;

            fs.rmSync(home, { recursive: true, force: true });
        },
    };
}


module.exports = { launch };
