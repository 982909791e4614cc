#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_push by WHIP to targets (aiortc) that lose packets, with RTX and without,
# that ask for key frames, that are busy for a while, that are no such thing, that
# do not know the token, whose sessions have relative URLs, and whose name nobody
# knows when nginx starts.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw/ time /;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;

my $pushes = join '', map { "webrtc_push whip://127.0.0.1:%%PORT_py%%/$_;\n" }
    map { "$_ token=w0rd" } qw{ lossy plain busy/4 gone up/here };

$t->start(http => 'webrtc_wait 30s;', server => <<"EOF2");
location = /control {
    webrtc_status  control;
}
location = /whip/cam {
    webrtc_publish  cam;
    $pushes
    webrtc_push     whip://127.0.0.1:%%PORT_py%%/closed token=wr0ng;
    webrtc_push     whip://target.invalid:%%PORT_py%%/named token=w0rd;
    webrtc_push     whip://other.invalid:%%PORT_py%%/other token=w0rd;
    resolver        127.0.0.1:%%PORT_dns%% valid=1s ipv6=off;
}
EOF2

my $dns = $t->spawn('dns', [ '/usr/bin/python3', "$ENV{WEBRTC_ROOT}/t/lib/nameserver.py",
                             $t->port('dns'), 'target.invalid', '127.0.0.1' ]);

my $py = $t->spawn('whip', [ '/usr/bin/python3', "$ENV{WEBRTC_ROOT}/t/lib/whip.py",
                             $t->port('py'), 'w0rd', "$dir/seen" ]);

ok(wait_for(60, sub { $t->connects('py') }), 'the targets are there');

my $pub = $t->python('whep.py', $t->url('/whip/cam'),
    JSON::PP::encode_json({ publish => \1, codec => 'VP8', most => 120, until => "$dir/enough" }));

sub seen { return NgxWebRTC::json(NgxWebRTC::slurp("$dir/seen")) || {} }
sub sent { return (seen()->{sent} || {})->{"/$_[0]"} || {} }
sub at   { return (seen()->{at} || {})->{"/$_[0]"} || [] }

sub output {
    my ($like) = @_;
    my ($ol) = grep { $_->{to} =~ $like } @{ ($t->stream('cam') || {})->{outputs} || [] };

    return $ol || {};
}

sub becomes {
    my ($like, $state) = @_;

    return ok(wait_for(60, sub { (output($like)->{state} // '') eq $state }), "the push to $like is $state")
           || diag(explain(($t->stream('cam') || {})->{outputs}), $t->log);
}

subtest 'packets that a target loses' => sub {
    ok(wait_for(20, sub { (sent("lossy")->{rtx} // 0) >= 8 }), 'come again, by RTX') or diag($t->log);
    is(sent('lossy')->{again} // 0, 0, 'and not otherwise');
    ok(wait_for(20, sub { (sent("plain")->{again} // 0) >= 8 }), 'as they were, where there is no RTX')
        or diag($t->log);
    is(sent('plain')->{rtx} // 0, 0, 'and by nothing that it does not know');

    my $told = NgxWebRTC::json($t->http('GET', '/streams?stream=cam')->{content})->{session_list};

    is(scalar(grep { $_->{role} eq 'push' && $_->{nacks} } @$told), 2, 'which the status tells');
};

subtest 'a target that asks for key frames' => sub {
    my $before = $t->stream('cam')->{key_requests};
    my $keys = sent('lossy')->{keys};
    my $begun = time();

    is($t->http('GET', 'http://127.0.0.1:' . $t->port('py') . '/pli')->{status}, 200, 'it asks');
    ok(wait_for(60, sub { $t->stream('cam')->{key_requests} > $before }), 'the publisher is asked');
    ok(wait_for(60, sub { sent('lossy')->{keys} > $keys }), 'and the target gets one');

    # as many as it likes

    for (1 .. 20) {
        $t->http('GET', 'http://127.0.0.1:' . $t->port('py') . '/pli');
    }

    my $plis = sent('lossy')->{plis};

    ok(wait_for(60, sub { sent('lossy')->{plis} >= 21 }), "asks $plis times");

    my $asked = $t->stream('cam')->{key_requests} - $before;
    my $most = 2 + (time() - $begun);

    # webrtc_keyframe_interval is 1 s

    cmp_ok($asked, '<=', $most, 'the publisher is asked once a second');
};

subtest 'a target that is busy' => sub {
    becomes(qr/busy/, 'active');

    my $at = at('busy/4');

    cmp_ok(scalar @$at, '>=', 2, 'is asked again');
    cmp_ok($at->[1] - $at->[0], '>=', 4000, 'not before its Retry-After');
};

subtest 'no target' => sub {
    becomes(qr/gone/, 'failed');
    like(output(qr/gone/)->{last_error}, qr/404: is this the URL of a WHIP endpoint/, 'the status says why');

    ok(wait_for(60, sub { @{ at('gone') } >= 4 }), 'it is tried again');

    my @at = @{ at('gone') };

    for (1 .. 3) {
        cmp_ok($at[$_] - $at[$_ - 1], '>=', 1000 * 2 ** ($_ - 1) - 50, "after pause $_, twice as long");
    }

    is(scalar(() = $t->log =~ /\[error\].*push failed reason:"the target has answered 404/g), 1, 'one line in the log');
};

subtest 'a token that is wrong' => sub {
    becomes(qr/closed/, 'failed');
    like(output(qr/closed/)->{last_error}, qr/401: is there a "token="/, 'the status says why');
    is(scalar(() = $t->log =~ /\[error\].*push failed reason:"the target has answered 401/g), 1, 'one line in the log');
};

subtest 'names that are not known when nginx starts' => sub {
    becomes(qr/target\.invalid/, 'active');
    becomes(qr/other\.invalid/, 'failed');
    like(output(qr/other\.invalid/)->{last_error}, qr/its host cannot be resolved/, 'which is told');
};

subtest 'the end' => sub {
    becomes(qr/here/, 'active');

    my ($posts, $deleted) = @{ seen() }{qw/ posts deleted /};

    cmp_ok($posts - $deleted, '==', 5, 'five sessions');

    is($t->http('POST', '/control?push_stop=cam&target=5')->{status}, 200, 'one is stopped');
    ok(wait_for(20, sub { seen()->{deleted} == $deleted + 1 }), 'a relative Location is deleted');

    $t->write_file('enough', '1');
    $t->python_result($pub);

    ok(wait_for(60, sub { seen()->{deleted} == $posts }), 'the others when the publisher leaves')
        or diag(explain(seen()->{deleted}), $t->log);
};

unlike($t->log, qr/w0rd|wr0ng/, 'no secret is in the log');

$t->kill($_, 'TERM') for $py, $dns;

$t->done;
