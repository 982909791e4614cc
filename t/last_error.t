#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What went wrong with a stream is said once in the log, and in the status and
# the 409's detail: upstreams that refuse, are silent, speak nonsense, go away
# and come back; streams that nobody publishes.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->write_file('noise.ts', join '', map { chr(($_ * 7919 + 13) % 251) }
                                    1 .. 60000);

my %pull = (
    refused => 'rtmp://u:secret@127.0.0.1:%%PORT_nobody%%/live/x?token=secret',
    silent  => 'tcp://127.0.0.1:%%PORT_silent%%',
    missing => 'file:%%DIR%%/missing.ts loop',
    noise   => 'file:%%DIR%%/noise.ts loop',
    http    => 'http://127.0.0.1:%%PORT_http%%/gone.ts?token=secret',
    host    => 'http://no-such-host.invalid/x.ts',
    late    => 'tcp://127.0.0.1:%%PORT_late%%',
);

my $server = join '', map { "location = /whep/$_ { webrtc_play $_; "
                            . "webrtc_pull $pull{$_}; }\n" } sort keys %pull;

# a backlog only: connections come up, nothing is said

my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5,
                                   LocalPort => $t->port('silent'),
                                   ReuseAddr => 1) or die;

$t->start(http => <<'EOF', server => $server . <<'EOF');
webrtc_idle_timeout 60s;
webrtc_wait 3s;
webrtc_buffer 256k;
EOF
location = /gone.ts { return 404; }
location = /whep/nobody { webrtc_play nobody; }
location ~ ^/line/([^/]+)$ { webrtc_play $1; webrtc_pull file:%%DIR%%/$1; }
location = /whep/fed {
    webrtc_play  fed;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop start=always;
}
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish $name; }
location = /whep/empty { webrtc_play $arg_name; }
location ~ ^/any/(.+)$ {
    webrtc_play $1;
    webrtc_wait 1s;
    webrtc_pull file:%%DIR%%/any-$1.ts;
}
EOF

my %want = (
    refused => qr/^"refused": its source failed .*Connection refused/,
    silent  => qr/^"silent": its source (?:failed .*timed out|is starting)/,
    missing => qr/^"missing": its source failed .*No such file or directory/,
    noise   => qr/^"noise": its source failed .*Invalid data/,
    http    => qr/^"http": its source failed .*404 Not Found/,
    host    => qr/^"host": its source (?:failed .*resolve|is starting)/,
    nobody  => qr/^"nobody": nobody publishes it$/,
    late    => qr/^"late": its source failed .*Connection refused/,
);

# all at once: each waits for webrtc_wait

my $offer = NgxWebRTC::Offer::offer();

sub ask {
    my (%path) = @_;

    my (%sock, %got);

    for my $name (keys %path) {
        $sock{$name} = IO::Socket::INET->new('127.0.0.1:' . $t->port('http'))
            or die;
        $sock{$name}->print("POST $path{$name} HTTP/1.0\r\nContent-Type: "
                            . "application/sdp\r\nContent-Length: "
                            . length($offer) . "\r\n\r\n$offer");
    }

    for my $name (keys %sock) {
        local $/;

        my $text = readline($sock{$name}) // '';
        my ($status) = $text =~ m{^HTTP/1.1 (\d+)};
        my ($body) = $text =~ /\r\n\r\n(.*)/s;

        $got{$name} = { status => $status,
                        detail => (json($body // '') || {})->{detail} // '' };
    }

    return %got;
}

my %got = ask(map { $_ => "/whep/$_" } keys %want);

for my $name (sort keys %want) {
    is($got{$name}{status}, 409, "$name: 409");
    like($got{$name}{detail}, $want{$name}, "$name: and says why");
    unlike($got{$name}{detail}, qr/secret|127\.0\.0\.1|\.ts|\.invalid/,
           "$name: nothing of the upstream's address in it");
}

for my $name (qw/ refused missing noise http late /) {
    my $st = $t->stream($name);

    (my $why = $got{$name}{detail}) =~ s/.*tried again: ([\w :]+).*/$1/;

    like($st->{last_error} // '', qr/^\Q$why\E/,
         "$name: the same words in the status");
    cmp_ok(abs($st->{last_error_time} - time()), '<', 300, "$name: and when");
    cmp_ok($st->{failures}, '>', 1, "$name: it has been tried again");

    is(scalar(grep { /\[error\].* webrtc source failed .*stream: "$name"/ }
              split /\n/, $t->log), 1, "$name: logged once, as an error");
}

# it comes back: the error is no reason any more, but is still known

my $late = $t->publish('bars.ts', 'mpegts', 'tcp://127.0.0.1:'
                       . $t->port('late') . '?listen=1');

ok(wait_for(60, sub { ($t->stream('late') || {})->{state} eq 'active' }),
   'an upstream that comes late');
like($t->stream('late')->{last_error}, qr/refused/, 'its last error is kept');

$t->kill($late, 'KILL');

ok(wait_for(60, sub { $t->log =~ /\[error\].* webrtc source down .*"late"/ }),
   'its loss is an error');

# publishers are told whom the name belongs to

ok(wait_for(60, sub { ($t->stream('fed') || {})->{state} eq 'active' }),
   'an upstream feeds a stream');

my $sends = NgxWebRTC::Offer::offer(direction => 'sendonly');

sub taken {
    my $r = $t->post_offer("/whip/$_[0]", $sends);

    return join ' ', $r->{status}, @{ json($r->{content}) || {} }{qw/ title
                                                                detail /};
}

is(taken('fed'), '409 the stream has a source "fed": "webrtc_pull" feeds it'
                 . ' while it has viewers; publish under another name',
   'its name is not to be published');

$t->post_offer('/whip/mine', $sends);

is(taken('mine'), '409 the stream is already published mine',
   'nor is that of another publisher');

# names that exist because somebody asks for them

my %any = ask(map { ("n$_" => "/any/n$_") } 1 .. 40);

is(scalar(grep { $_->{detail} =~ /No such file/ } values %any), 40,
   '40 names that are not there');

my $errors = $t->status->{errors};

is(scalar(@$errors), 32, 'the last errors of all streams are bounded');
cmp_ok($errors->[0]{time}, '>=', $errors->[31]{time}, 'the newest first');
like($errors->[0]{error}, qr/No such file/, 'what');
like($errors->[0]{stream}, qr/^n\d+$/, 'and of which stream');

# a name that is no UTF-8, and one that is empty

my %odd = ask(odd => '/any/%ff%c3%28%22', empty => '/whep/empty',
              line => '/line/a%0aforged%20[emerg]%20line');

is($odd{line}{status}, 404, 'a name with a line feed is none');
unlike($t->log, qr/^forged/m, 'and makes no line of the log');

like($odd{odd}{detail}, qr/^"\?\?\("": its source failed/,
     'a name that is no UTF-8: JSON all the same');
like($odd{empty}{detail}, qr/this URL gives the stream no name/,
     'a URL without a name');
ok($t->status->{streams}, 'and the status is JSON');

# docs/status.md explains each field of the status

my ($fields, $status, %keys) = (slurp("$NgxWebRTC::ROOT/docs/status.md"),
                                 $t->status);

$keys{$_} = 1 for keys %$status, keys %{ $status->{dropped} },
                  map { keys %$_ } @{ $status->{streams} },
                                   @{ $status->{errors} },
                                   map { @{ $_->{tracks} } }
                                       @{ $status->{streams} };

cmp_ok(scalar(keys %keys), '>', 40, 'the status has fields');
is(join(' ', grep { $fields !~ /^\|.*`$_`.*\|/m } sort keys %keys), '',
   'which are all explained in docs/status.md');

unlike($t->log . $t->http('GET', '/streams')->{content}, qr/secret/,
       'no secrets in log or status');

$t->done;
