#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_push by WHIP: to another instance of ours, where a viewer decodes it,
# over TLS, and to an endpoint that is not ours (aiortc).  Tokens, redirects,
# what refuses, what dies and comes back; each target is on its own.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $far = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;
my ($there, $tls) = ($far->port('http'), $far->port('tls'));

system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
       . " -keyout $dir/key.pem -out $dir/cert.pem >/dev/null 2>&1") == 0
    or die "openssl: $?";

sub far {
    $far->start(http => 'webrtc_wait 30s;', server => <<"EOF2");
listen 127.0.0.1:$tls ssl;
ssl_certificate      $dir/cert.pem;
ssl_certificate_key  $dir/key.pem;
location ~ ^/whip/(?<name>\\w+)\$ {
    if (\$http_authorization != "Bearer s3cretOfTheTarget") {
        return 401;
    }
    webrtc_publish  \$name;
}
location ~ ^/whep/(?<name>\\w+)\$ {
    webrtc_play  \$name;
}
EOF2
}

far();

$t->start(http => 'webrtc_wait 30s; webrtc_linger 30s;', server => <<"EOF2");
location = /control {
    webrtc_status  control;
}
location ~ ^/whip/(?<name>\\w+)\$ {
    webrtc_publish  \$name;
    webrtc_push     whip://127.0.0.1:$there/whip/\$name token=\$http_x_token;
    webrtc_push     whip://127.0.0.1:$there/whip/\${name}_no token=\$http_y_token;
}
location = /film {
    webrtc_play  film;
    webrtc_pull  file:%%MEDIA%%/vp8.webm loop start=always;
    webrtc_push  whips://127.0.0.1:$tls/whip/film token=s3cretOfTheTarget verify=off;
    webrtc_push  whip://127.0.0.1:%%PORT_py%%/moved?key=s3cretKeyOfTheUrl token=w0rd;
    webrtc_push  whips://127.0.0.1:$tls/whip/no token=s3cretOfTheTarget;
    webrtc_push  whip://127.0.0.1:%%PORT_dead%%/whip;
    webrtc_push  whip://127.0.0.1:$there/whip/later token=s3cretOfTheTarget on=demand;
    webrtc_push  whip://user:s3cretWord\@127.0.0.1:%%PORT_py%%/elsewhere;
}
EOF2

sub output {
    my ($name, $like) = @_;
    my ($ol) = grep { $_->{to} =~ $like }
               @{ ($t->stream($name) || {})->{outputs} || [] };

    return $ol || {};
}

sub becomes {
    my ($name, $like, $state) = @_;

    return ok(wait_for(90, sub { (output($name, $like)->{state} // '')
                                 eq $state }), "$name to $like is $state")
           || diag(explain(($t->stream($name) || {})->{outputs}), $t->log);
}

sub seen { return NgxWebRTC::json(NgxWebRTC::slurp("$dir/seen")) || {} }

my $py = $t->spawn('whip', [ '/usr/bin/python3', "$ENV{WEBRTC_ROOT}/t/lib/whip.py",
                             $t->port('py'), 'w0rd', "$dir/seen" ]);

subtest 'to an instance of ours, over TLS' => sub {
    becomes('film', qr/whip\/film/, 'active');

    my $r = $far->aiortc($far->url('/whep/film'), frames => 20);

    cmp_ok($r->{frames} // 0, '>=', 20, 'a viewer decodes it there')
        or diag(explain($r));
    cmp_ok($r->{audioFrames} // 0, '>=', 40, 'and hears it');

    my $ol = output('film', qr/whip\/film/);

    cmp_ok($ol->{bytes}, '>', 10000, 'bytes are counted');
    cmp_ok($ol->{starts}, '>=', 1, 'a session');
    is($t->stream('film')->{viewers}, 0, 'it is no viewer of the stream');
};

subtest 'to an endpoint that is not ours, which redirects' => sub {
    ok(wait_for(90, sub { (seen()->{frames} // 0) > 20
                          && (seen()->{audio} // 0) > 20 }),
       'it decodes pictures and hears sound') or diag(explain(seen()), $t->log);

    cmp_ok(seen()->{moved}, '>=', 1, '307 is followed');
    is(seen()->{refused}, 0, 'with the token');
    unlike(seen()->{offer}, qr/ice-lite/, 'the offer is of a full agent');
    like(output('film', qr/moved/)->{to}, qr/moved\?key=\*\*\*/,
         'what may be a secret is not told');
};

subtest 'what does not work' => sub {
    becomes('film', qr/whip\/no/, 'failed');
    like(output('film', qr/whip\/no/)->{last_error}, qr/not trusted/,
         'a certificate that nobody has signed');

    becomes('film', qr/elsewhere/, 'failed');
    ok(wait_for(60, sub { (output('film', qr/elsewhere/)->{last_error} // '')
                          =~ /403/ }), 'another host that it is sent to');
    is(seen()->{leaked}, 0, 'which does not get its password');
    like(output('film', qr/elsewhere/)->{to}, qr{^whip://127}, 'and is not told');

    becomes('film', qr/\/whip$/, 'failed');
    like(output('film', qr/\/whip$/)->{last_error}, qr/refused/,
         'nobody listens there');
};

subtest 'ordered' => sub {
    is($t->http('POST', '/control?push=film&target=5')->{status}, 200,
       'push=');
    becomes('film', qr/later/, 'active');
    is($t->http('POST', '/control?push_stop=film&target=5')->{status}, 200,
       'push_stop=');
    ok(wait_for(60, sub { !output('film', qr/later/)->{state} }), 'it ends');
    ok(wait_for(60, sub { !grep { $_->{name} eq 'later'
                                  && $_->{state} eq 'active' }
                          @{ $far->status->{streams} } }), 'there, too');

    my $deleted = seen()->{deleted};

    is($t->http('POST', '/control?push_stop=film&target=2')->{status}, 200,
       'push_stop= of the other');
    ok(wait_for(60, sub { seen()->{deleted} > $deleted }),
       'its session is deleted');
};

subtest 'what a publisher sends, and a target that comes back' => sub {
    my $pub = $t->python('whep.py',
        $t->url('/whip/cam'),
        JSON::PP::encode_json({ publish => \1, codec => 'VP8',
                                headers => { 'X-Token' => 's3cretOfTheTarget' },
                                until => "$dir/enough" }));

    becomes('cam', qr/whip\/cam$/, 'active');
    becomes('cam', qr/whip\/cam_no/, 'failed');
    like(output('cam', qr/whip\/cam_no/)->{last_error}, qr/401.*token/,
         'a token is missing');

    $far->stop;
    becomes('cam', qr/whip\/cam$/, 'failed');
    far();
    becomes('cam', qr/whip\/cam$/, 'active');

    my $r = $far->aiortc($far->url('/whep/cam'), frames => 10);

    cmp_ok($r->{frames} // 0, '>=', 10, 'a viewer decodes it there')
        or diag(explain($r), $t->log, $far->log);

    $t->write_file('enough', '1');
    $t->python_result($pub);
};

unlike($t->log, qr/s3cret|w0rd/, 'no secret is in the log');

$t->kill($py, 'TERM');

subtest 'the other instance' => sub { $far->done };

$t->done;
