#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What the demo's pages say when something does not work, each cause in words of
# its own; the publisher's page with devices, size and token; both schemes of
# colours, and a phone.  NGX_WEBRTC_KEEP=1 keeps the pictures.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;
use NgxWebRTC;

# far: answers that tell an UDP port where nothing is; open to all pages

my $far = NgxWebRTC->new;

$far->start(http => 'webrtc_candidate 127.0.0.1:%%PORT_nothing%%;'
                    . ' webrtc_cors_origin *;',
            server => <<'EOF');
location /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
EOF

my $t = NgxWebRTC->new(workers => 2);
my $turn = $t->turn;

my $made = $t->spawn('openssl', [ qw/ openssl req -x509 -newkey rsa:2048 -nodes
    -days 2 -subj \/CN=far -keyout key.pem -out cert.pem / ]);
is($t->reap($made, 60), 0, 'a certificate');

my %conf = (http => <<'EOF', server => <<'EOF');
types { text/html html; text/css css; text/javascript js; }
webrtc_wait  1s;

map $http_authorization $allowed { default 0; "Bearer s3cret" 1; }

server {
    listen  127.0.0.1:%%PORT_other%%;
    location /whep/bars {
        webrtc_play  bars;
        webrtc_pull  file:%%MEDIA%%/bars.ts loop start=always;
    }
}
EOF
listen               127.0.0.1:%%PORT_https%% ssl;
ssl_certificate      %%DIR%%/cert.pem;
ssl_certificate_key  %%DIR%%/key.pem;

location / { root %%ROOT%%/docs/demo; index index.html; }

location = /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop start=always;
}
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish $name; }
location ~ ^/live/(?<name>\w+)$ { webrtc_play $name; }
location ~ ^/whep/(?<name>\w+)$ { webrtc_play $name; }
location = /whep/tcp {
    webrtc_play  tcp;
    webrtc_pull  tcp://127.0.0.1:%%PORT_ts%%;
}
location = /whep/shut {
    webrtc_play  shut;
    webrtc_pull  tcp://127.0.0.1:%%PORT_shut%%;
}
location = /token {
    if ($allowed = 0) { return 401; }
    webrtc_play bars;
}
location = /token/in {
    if ($allowed = 0) { return 401; }
    webrtc_publish mine;
}
location /files/ {
    if ($allowed = 0) { return 401; }
    alias        %%DIR%%/files/;
    webrtc_file  on;
}
location = /relay {
    webrtc_play        bars;
    webrtc_ice_server  turn:127.0.0.1:%%PORT_turn%% username=u credential=p;
}
location = /page { return 200 'hello'; }
EOF

mkdir $t->dir . '/files';
$t->write_file('files/text', 'ranges of a file');
$t->start(%conf);

my $b = $t->browser;
my $page;

sub on_page {
    my ($script, $timeout) = @_;

    return $b->call('eval', page => $page->{page}, script => $script,
                    timeout => $timeout || 30)->{value};
}

sub open_page {
    my ($path, %o) = @_;

    $page = $b->page($path =~ /^http/ ? $path : $t->url($path), %o);
}

sub text { return "document.getElementById('$_[0]').textContent" }

my $state = "document.getElementById('screen').dataset.state";
my $said = text('veil-title') . " + ' | ' + " . text('veil-text');

# what the veil says, once it matches the first expression (JavaScript)

sub says {
    my ($what, $when, $like) = @_;

    my $got = on_page("(t => t.match($when) && t)($said)", 50)
              // 'not in time: ' . on_page($said);

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    like($got, $like, $what);
}

sub set {
    my ($id, $value, $event) = @_;

    on_page("((e) => { e.value = '$value'; "
            . ($event ? "e.dispatchEvent(new Event('$event'));" : '')
            . " })(document.getElementById('$id')), true");
}

sub submit {
    my ($form) = @_;

    on_page("document.getElementById('$form').requestSubmit(), true");
}

sub shot {
    my ($name, $w, $h) = @_;

    my $file = $t->dir . "/$name.png";

    $b->call('shot', page => $page->{page}, path => $file,
             $w ? (width => $w, height => $h) : ());

    ok(-s $file, "a picture: $name");
}

sub close_page { $b->call('close', page => $page->{page}) }


# what takes its time to be known begins first

open_page('/?stream=' . $far->url('/whep/bars'));
my $unheard = $page;

my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 9,
                                 LocalPort => $t->port('mute')) or die $!;

open_page('/?stream=http://127.0.0.1:' . $t->port('mute') . '/whep/bars');
my $unanswered = $page;

my $source = $t->publish('bars.ts', 'mpegts', 'tcp://127.0.0.1:'
                         . $t->port('ts') . '?listen=1');
open_page('/#tcp');
my $upstream = $page;


# the address of a stream opens its player

open_page('/#bars');
ok(on_page("$state == 'playing'"), '/#name plays');
close_page();

open_page('/?stream=/whep/bars', context => { colorScheme => 'light' });
ok(on_page("$state == 'playing'"), '?stream=path plays');
is(on_page("getComputedStyle(document.body).backgroundColor"),
   'rgb(244, 246, 250)', 'a light scheme');
shot('light', 1280, 800);
shot('light-phone', 360, 640);
ok(on_page("document.querySelector('.item').getBoundingClientRect().bottom"
           . ' < innerHeight'), 'phone: the streams are in sight');
close_page();


# why a stream does not play

open_page('/?stream=nobody');
says('nobody publishes: the problem in words', '/trying again/i',
     qr/live.*nobody.*Trying\ again/ix);
shot('retry', 1280, 800);

# through some attempts

on_page("window.seen = [], new MutationObserver(() => seen.push($state + ' '"
        . ' + ' . text('veil-title') . ")).observe(document.getElementById("
        . "'screen'), { attributes: true, attributeFilter: ['data-state'] }),"
        . ' true');

my $seen = on_page("seen.filter((s) => s.startsWith('connecting')).length > 1"
                   . ' && seen', 30) || [];

cmp_ok(scalar(@$seen), '>', 2, 'it is tried again and again');
is(join('; ', grep { !/live/ } @$seen), '', 'the last reason stays meanwhile');
close_page();

my $other = 'http://127.0.0.1:' . $t->port('other');
my $closed = 'http://127.0.0.1:' . $t->port('closed');
my $nothing = $far->port('nothing');

my @cases = (
    [ 'an address without WebRTC', '/page', qr/no\ WebRTC.*HTTP\ 200/x ],
    [ 'no such address', '/no/such', qr/nothing\ at.*HTTP\ 404/x ],
    [ 'CORS', "$other/whep/bars",
      qr/not\ for\ this\ page\ \|\ http:.*CORS.*"webrtc_cors_origin\ http:/x ],
    [ 'no answer', "$closed/whep/bars",
      qr/server\ does\ not\ answer\ \|\ http:.*cannot\ be\ reached/x ],
);

open_page("/?stream=$_->[1]") && push @$_, $page for reverse @cases;

for my $case (@cases) {
    (my ($what, $at, $like), $page) = @$case;

    says($what, '/\. |\.$/', $like);
    close_page();
}

$page = $unheard;
says('answered, and no packet', '/packets/',
     qr/No\ packets\ arrive:\ UDP\ port\ $nothing\ blocked\?
        .*is\ UDP\ blocked,\ or\ "webrtc_candidate"\ wrong\?
        .*told\ 127\.0\.0\.1:$nothing/x);
close_page();

$page = $unanswered;
says('taken, and not answered', '/not answered/', qr/not\ answered\ yet/x);
close_page();
close $mute;

# an upstream that refuses: said by the answer, and so not by the status again

open_page('/#shut');
says('a source that fails', '/tried again: /', qr/"shut":.*refused/x);
ok(on_page('fetch("/streams").then((r) => r.json()).then((s) => new Promise('
           . '(resolve) => setTimeout(() => resolve(s.streams.some((one) =>'
           . ' one.name == "shut" && one.last_error)), 2500)))'),
   'the status has it, too');
unlike(on_page($said), qr/server\ says/x, 'which is not said twice');
close_page();

# what the status says of the source

$page = $upstream;
ok(on_page("$state == 'playing'"), 'a source over TCP plays');
$t->kill($source);
says('its source is gone: in the words of the server',
     '/quiet[^]*server says/',
     qr/source\ is\ quiet.*The\ server\ says:\ .*(?:end|refused|lost|closed)/ix);
shot('source-gone', 1280, 800);
close_page();

open_page('https://127.0.0.1:' . $t->port('https')
          . '/?stream=http://far.test/whep/bars',
          context => { ignoreHTTPSErrors => JSON::PP::true() });
says('mixed content', '/block/',
     qr/http:\/\/far\.test\ is\ http;\ use\ https\ for\ both/x);
close_page();


# tokens

open_page('/?stream=/token');
says('a token is missing', '/valid/', qr/valid\ token.*401/x);
ok(on_page("document.getElementById('more-open').open"), 'its field is shown');
set('token', 's3cret');
submit('open');
ok(on_page("$state == 'playing'"), 'and with it the stream plays');
close_page();


# the events of SSE signalling carry it, too

open_page('/page');

is(on_page(<<'EOF', 60), 'range', 'a file by SSE signalling with a token');
(window.reads ||= import('/range-client.js').then(async ({ RangeClient }) => {
    const file = new RangeClient('/files/text', {
        token: async () => 's3cret', signalling: 'sse',
    });
    await file.open();
    window.got = new TextDecoder().decode(await file.read(0, 5));
    file.close();
}).catch((e) => { window.got = e.message; }), window.got)
EOF

like(on_page(<<'EOF', 60), qr/valid\ token.*401/x, 'and not without one');
(window.fails ||= import('/range-client.js').then(({ RangeClient }) =>
    new RangeClient('/files/text', { signalling: 'sse' }).open())
    .catch((e) => { window.why = e.message; }), window.why)
EOF
close_page();


# the servers of "Link": nothing but relayed candidates is allowed

SKIP: {
    skip 'no coturn', 1 if !$turn;

    open_page('/page');
    like(on_page(<<'EOF', 60), qr/^turn:127/, 'plays through TURN of Link');
(window.relay ||= import('/whep.js').then(({ WhepPlayer }) => {
    const video = document.createElement('video');
    const player = new WhepPlayer('/relay', video,
                                  { iceTransportPolicy: 'relay' });
    video.muted = true;
    document.body.append(video);
    player.addEventListener('stats', (e) => {
        if (e.detail.frames > 5) {
            window.relayed = e.detail.relay;
        }
    });
    player.start();
}), window.relayed)
EOF
    close_page();
}


# the publisher's page, on a phone

my $button = "document.getElementById('go').getBoundingClientRect()";
my $in_sight = "(r => r.top >= 0 && r.bottom <= innerHeight && r.left >= 0"
               . " && r.right <= innerWidth)($button)";

open_page('/publish.html',
          context => { viewport => { width => 360, height => 640 },
                       permissions => [ 'camera', 'microphone' ] });

ok(on_page($in_sight), 'phone: the button is in sight');
is(on_page('document.documentElement.scrollWidth'), 360, 'nothing is cut off');
shot('publish-phone');

set('source', 'camera', 'change');
ok(on_page("document.getElementById('camera').options[0]?.text.match(/fake/i)"),
   'cameras are listed by name');
ok(on_page("document.getElementById('microphone').options.length > 1"),
   'and microphones');
ok(on_page("document.getElementById('video').videoWidth > 0"), 'a preview');
ok(on_page($in_sight), 'the button is still in sight');
shot('publish-camera-phone');

on_page("document.querySelector('.publish details').open = true");
ok(on_page($in_sight), 'and with everything opened');
set('size', '640x360', 'change');
ok(on_page("document.getElementById('video').videoWidth == 640"),
   'the size that was chosen');

set('name', '/token/in');
submit('form');
says('without the token', '/valid/', qr/valid\ token.*401/x);
shot('publish-refused-phone');
set('token', 's3cret');
submit('form');
ok(on_page("$state == 'playing'"), 'with it it is live');
like(on_page(text('s-size') . ".length > 3 && " . text('s-size')),
     qr/^640.360$/, 'in that size');
ok(on_page('+' . text('s-fps') . ' > 3'), 'frames are sent');

# what a viewer sees when the source goes quiet

my $publishes = $page;

open_page('/?stream=/live/mine');
my $views = $page;
ok(on_page("$state == 'playing'"), 'it is played');

$page = $publishes;
submit('form');
ok(on_page("$state == 'idle'"), 'it stops');
close_page();

$page = $views;
says('a source that is quiet', '/quiet/', qr/server\ is\ there/x);
close_page();

# and when nothing arrives

open_page('/#bars');
ok(on_page("$state == 'playing'"), 'another plays');

my @workers = $t->workers;

kill 'STOP', @workers;
says('nothing arrives', '/nothing arrives/i',
     qr/neither|from\ the\ server/xi);
kill 'CONT', @workers;
ok(on_page("$state == 'playing'", 60), 'it comes back');
close_page();

# a name that is taken

open_page('/publish.html', context => { colorScheme => 'dark' });
set('name', 'twice');
submit('form');
ok(on_page("$state == 'playing'"), 'a test pattern is published');
shot('publish', 1280, 800);

my $first = $page;

open_page('/publish.html', context => { colorScheme => 'light' });
set('name', 'twice');
submit('form');
says('the name is taken', '/publish/i', qr/already\ published/x);
shot('publish-taken-light', 1280, 800);
close_page();

$page = $first;
submit('form');
ok(on_page("$state == 'idle'"), 'stopped');
close_page();

# pages over http, from elsewhere

(my $plain = $t->url('/publish.html')) =~ s/127\.0\.0\.1/far.test/;

open_page($plain);
set('source', 'camera', 'change');
says('no camera over http', '/https/', qr/came\ over\ http\ from\ far\.test/x);
close_page();

$plain =~ s/publish/file/;
open_page($plain);
says('no service worker over http', '/https/', qr/far\.test/);
close_page();

ok($t->no_sessions, 'no session is left');
ok($far->no_sessions, 'nor at the far one');
ok($far->stop, 'which stops');
is(join("\n", $far->complaints), '', 'without complaints');
$far->{remove} = Test::More->builder->is_passing;

$t->done;
