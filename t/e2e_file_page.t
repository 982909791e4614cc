#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A download of the file page: stopped, with the server started again in the middle
# of it, and longer than Firefox lets a service worker live (3 s here: firefox.js),
# over an ICE restart.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Demo;

my $t = NgxWebRTC->new(workers => 2);

my $demo = NgxWebRTC::Demo->new($t, files => [ 'a.bin' ], server => <<'EOF');
location /slow/ {
    alias        %%DIR%%/files/;
    webrtc_file  on;
    limit_rate   100k;
}
location /files/ {
    alias        %%DIR%%/files/;
    webrtc_file  on;
    limit_rate   300k;
}
EOF

$demo->start;

sub on_page { return $demo->eval(@_) }

my $progress = "document.getElementById('progress').textContent";

sub download {
    my ($in) = @_;

    $demo->open("/file.html?file=/$in/a.bin");
    ok(on_page("document.getElementById('save').disabled ? null : true"),
       'the page has the file');
    on_page("document.getElementById('save').click(), true");
}

sub says {
    my ($like, $what) = @_;

    my $text = on_page("/complete|Downloaded/.test($progress)"
                       . " && $progress || null");

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    like($text, $like, $what);
}

download('files');
ok(on_page("parseFloat($progress) > 0.2 || null"), 'it comes');
on_page("document.getElementById('stop').click(), true");
says(qr/^Not\ complete\ \(stopped\):\ \d\.\d\ of\ 2\.6\ MB/x,
     'stopped: not complete');
is(on_page('player.file().active == 0 || null'), JSON::PP::true(),
   'nothing comes any more');
$demo->close;

download('files');
ok(on_page("parseFloat($progress) > 0.2 || null"), 'another');
ok($t->stop, 'the server stops');
ok(on_page("/lost/.test(document.getElementById('server').textContent)"
           . ' || null'), 'the page says so');
ok($demo->start, 'and starts');
says(qr/^Downloaded/, 'the download is complete');
ok(on_page("/^connected/.test(document.getElementById('server').textContent)"
           . ' || null'), 'and the page connected');
$demo->close;

# Firefox: a worker lives for less than a download takes

SKIP: {
    skip 'firefox-esr is not installed', 9
        if !-x '/usr/lib/firefox-esr/firefox-esr' && !$ENV{FIREFOX};

    $demo->browser($t->firefox);
    my $saved = $t->dir . '/firefox/downloads/a.bin';

    download('files');
    on_page(<<'EOF');
(() => {
    const real = window.fetch;

    window.session = player.file().session;
    window.fetch = async (url, o) => {
        const r = await real(url, o);

        if (o?.method == 'PATCH') {
            window.patched = r.status;
        }

        return r;
    };

    dispatchEvent(new Event('online'));
    return true;
})()
EOF
    is(on_page('window.patched || null'), 200, 'Firefox: ICE restarts');
    says(qr/^Downloaded/, 'Firefox: complete, it says');
    ok(on_page('player.file().session == session'), 'in the same session');
    ok(wait_for(30, sub { !-e "$saved.part" && -s $saved
                          && -s $saved == length $demo->{data} }),
       'and so is the file') or diag(-s $saved);
    is(sha256_hex(slurp($saved)), sha256_hex($demo->{data}), 'with the right bytes');
    $demo->close;

    # without the page's messages

    download('slow');
    ok(on_page("parseFloat($progress) > 0.1 || null"), 'another');
    on_page(<<'EOF');
(() => {
    const real = ServiceWorker.prototype.postMessage;

    ServiceWorker.prototype.postMessage = () => {};
    setTimeout(() => { ServiceWorker.prototype.postMessage = real; }, 9000);
    return true;
})()
EOF
    says(qr/^Not\ complete\ \(the\ browser\ has\ ended\ its\ worker\)/x,
         'a worker that was ended: not complete');
    on_page('player.file().close(), true');
}

ok($t->no_sessions, 'no session is left');

$t->done;
