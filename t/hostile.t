#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Bad input: what comes to the UDP port from strangers makes no state and gets
# no answer, but is counted; upstreams that are broken take no worker down.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;
use NgxWebRTC::Stun qw/ request answer parse /;

my $seed = $ENV{TEST_SEED} // 20;
srand($seed);
diag("TEST_SEED=$seed");

my $t = NgxWebRTC->new(asan => 1, workers => 2);

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_wait               3s;
webrtc_transcode          off;
webrtc_handshake_timeout  60s;
webrtc_idle_timeout       20s;
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location ~ ^/broken/(?<name>\w+)\.(?<ext>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%DIR%%/$name.$ext loop;
}
location /ts {
    webrtc_play  ts;
    webrtc_pull  udp://127.0.0.1:%%PORT_ts%%;
}
EOF

my @workers = sort $t->workers;

sub udp {
    return IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1',
                                 PeerPort => $t->port('udp')) || die "udp: $!";
}

sub dropped {
    my $d = $t->status->{dropped} || {};
    my $n = 0;
    $n += $_ for values %$d;
    return $n;
}

sub session {
    my ($offer) = @_;

    my $r = $t->post_offer('/whep/bars', $offer // offer());
    my %s = (location => $r->{headers}{location});

    ($s{ufrag}) = ($r->{content} // '') =~ /^a=ice-ufrag:(\S+)/m;
    ($s{pwd}) = ($r->{content} // '') =~ /^a=ice-pwd:(\S+)/m;

    is($r->{status}, 201, 'POST') or diag($r->{content});

    return \%s;
}

# everything that was sent has been read when a good check is answered by each
# worker: sockets are read in order, and so are those of each worker's port

sub settle {
    my ($before, $n) = @_;

    return wait_for(60, sub { dropped() >= $before + $n });
}

sub random {
    my ($n) = @_;
    return join '', map { chr int rand 256 } 1 .. $n;
}


my $good = session();


subtest 'random bytes' => sub {
    my $s = udp();
    my $before = dropped();

    for my $first (0 .. 255) {
        $s->send(chr($first) . random(int rand 100));
        $s->send(chr($first) . random(1200)) if $first % 8 == 0;
    }

    $s->send('') for 1 .. 3;
    $s->send(random($_)) for 1 .. 40, 1500, 2047, 2048, 2049, 9000;

    ok(settle($before, 256), 'all are dropped and counted')
        or diag(explain($t->status->{dropped}));
    is(answer($s, 0.2), undef, 'no answer');
    is($t->status->{sessions}, 1, 'no state');
};


subtest 'STUN' => sub {
    my $name = "$good->{ufrag}:tEsT";

    my %rows = (
        'no integrity'         => request(username => $name),
        'a wrong password'     => request(username => $name, pwd => 'x' x 24),
        'an unknown name'      => request(username => 'abcd:tEsT',
                                          pwd => $good->{pwd}),
        'no name'              => request(pwd => $good->{pwd}),
        'a wrong name'         => request(username => "$good->{ufrag}:other",
                                          pwd => $good->{pwd}),
        'half a name'          => request(username => $good->{ufrag},
                                          pwd => $good->{pwd}),
        'an empty name'        => request(username => '', pwd => $good->{pwd}),
        'a long name'          => request(username => 'a' x 1000,
                                          pwd => $good->{pwd}),
        'an indication'        => request(username => $name, type => 0x0011,
                                          pwd => $good->{pwd}),
        'a response'           => request(username => $name, type => 0x0101,
                                          pwd => $good->{pwd}),
        'another method'       => request(username => $name, type => 0x0003,
                                          pwd => $good->{pwd}),
        'cut short'            => substr(request(username => $name,
                                         pwd => $good->{pwd}), 0, 60),
        'a header alone'       => request(fingerprint => 0, bare => 1),
    );

    for my $what (sort keys %rows) {
        my $s = udp();

        $s->send($rows{$what}) for 1 .. 3;

        is(answer($s, 0.15), undef, "$what: no answer");
    }

    # one byte changed: integrity covers the message up to itself

    my $right = request(username => $name, pwd => $good->{pwd}, use => 1,
                        fingerprint => 0);
    my $s = udp();

    for my $i (20 .. length($right) - 25, length($right) - 5) {
        my $wrong = $right;
        substr($wrong, $i, 1) ^= "\x10";
        $s->send($wrong);
    }

    is(answer($s, 0.3), undef, 'a changed byte: no answer');
    is($t->status->{sessions}, 1, 'no state');
};


subtest 'a body that looks like a request' => sub {
    my $inner = "GET /whep/bars HTTP/1.1\r\nHost: x\r\n\r\n";
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port('http')) || die;

    print $s 'POST ' . '/streams' . " HTTP/1.1\r\nHost: x\r\n"
             . 'Content-Length: ' . length($inner) . "\r\n\r\n$inner"
             . 'GET ' . '/streams' . " HTTP/1.1\r\nHost: x\r\n"
             . "Connection: close\r\n\r\n";

    my $got = do { local $/; <$s> } // '';
    my @codes = $got =~ m{HTTP/1\.1 (\d+)}g;

    is("@codes", '405 200', 'is not taken for one');
};


subtest 'DTLS, RTP and RTCP from strangers' => sub {
    my $hello = "\x16\xfe\xfd" . "\0" x 8 . pack('n', 60) . "\1" . random(59);
    my $before = dropped();

    my $s = udp();

    for (1 .. 50) {
        $s->send($hello);
        $s->send("\x80\x66" . random(100));
        $s->send("\x80\xc9\0\7" . random(60));
        $s->send("\x17\xfe\xfd" . random(40));
    }

    ok(settle($before, 200), 'dropped and counted')
        or diag(explain($t->status->{dropped}));
    is(answer($s, 0.2), undef, 'no answer');
};


subtest 'the right check, then strangers again' => sub {
    my $s = udp();
    my $id = 'abcdefghijkl';

    $s->send(request(username => "$good->{ufrag}:tEsT", pwd => $good->{pwd},
                     use => 1, id => $id));

    my $m = parse(answer($s, 30));

    ok($m, 'an answer') or return;
    is($m->{type}, 0x0101, 'success');
    is($m->{id}, $id, 'to this request');
    is($m->{address}, '127.0.0.1', 'XOR-MAPPED-ADDRESS');
    is($m->{port}, $s->sockport, 'and port');
    ok(defined $m->{INTEGRITY}, 'with integrity');
    ok(defined $m->{FINGERPRINT}, 'and fingerprint');

    # old FFmpeg

    $s->send(request(username => "$good->{ufrag}:tEsT", pwd => $good->{pwd},
                     bare => 1));
    $m = parse(answer($s, 30));
    is($m && $m->{type}, 0x0101, 'neither PRIORITY nor ICE-CONTROLLING');

    # who says that he is controlled, as we are: RFC 8445, 7.3.1.1

    $s->send(request(username => "$good->{ufrag}:tEsT", pwd => $good->{pwd},
                     controlled => 1));
    $m = parse(answer($s, 30));
    is($m && $m->{code}, 487, 'role conflict');

    # media and handshakes only from an address that passed a check

    my $other = udp();
    my $before = dropped();

    $other->send("\x16\xfe\xfd" . "\0" x 8 . pack('n', 60) . "\1" . random(59))
        for 1 .. 5;
    $other->send("\x80\x66" . random(100)) for 1 .. 5;

    ok(settle($before, 10), 'another address: dropped');
    is(answer($other, 0.2), undef, 'no answer');

    # rubbish from the right address ends nothing

    $s->send("\x16\xfe\xfd" . random(80)) for 1 .. 20;
    $s->send("\x17\xfe\xfd" . random(80)) for 1 .. 20;
    $s->send("\x80\x66" . random(100)) for 1 .. 20;
    $s->send("\x80\xc8\0\6" . random(100)) for 1 .. 20;

    $s->send(request(username => "$good->{ufrag}:tEsT",
                     pwd => $good->{pwd}));

    my $reply;
    wait_for(5, sub {
        my $d = answer($s, 0.1);
        $reply = parse($d) if defined $d && ord($d) < 4;
        return $reply;
    });

    is($reply && $reply->{type}, 0x0101, 'the session still answers');
    is($t->http('DELETE', $good->{location})->{status}, 200, 'DELETE');

    # not a word after it

    $s->send(request(username => "$good->{ufrag}:tEsT",
                     pwd => $good->{pwd})) for 1 .. 3;

    my $late;
    wait_for(0.5, sub {
        my $d = answer($s, 0.05);
        $late = parse($d) if defined $d && ord($d) < 4;
        return $late;
    });

    is($late, undef, 'no answer after DELETE');
};


# An address belongs to the first session that was claimed from it; the others
# ask for it with binding requests.

subtest 'many sessions, claimed from one address' => sub {
    my @sessions = map { session() } 1 .. 20;
    my $s = udp();
    my $n = 0;

    for my $x (@sessions) {
        $s->send(request(username => "$x->{ufrag}:tEsT", pwd => $x->{pwd},
                         use => 1));

        my $m;
        do { $m = parse(answer($s, 30)) } while $m && $m->{type} == 0x0001;

        $n++ if $m && $m->{type} == 0x0101;
    }

    is($n, 20, 'all checks are answered');

    like($t->http('DELETE', $_->{location})->{status}, qr/^(?:200|404)$/,
         'DELETE') for @sessions;

    ok($t->no_sessions, 'no session is left');
};


# upstreams

my $ts = slurp($t->media . '/bars.ts');
my $mkv = slurp($t->media . '/opus.mkv');

my %broken = (
    empty    => '',
    noise    => random(100000),
    cut      => substr($ts, 0, 100003),
    head     => substr($ts, 0, 188 * 3),
    late     => substr($ts, 50001),
    joined   => substr($ts, 0, 99999) . substr($ts, 140001),
    zeros    => "\0" x 200000,
    sync     => "\x47" x 200000,
);

for my $rate (20, 200, 2000) {
    my $data = $ts;

    for (1 .. length($ts) / $rate) {
        substr($data, int rand length $data, 1) ^= chr(1 << int rand 8);
    }

    $broken{"flip$rate"} = $data;
}

my %files = map { ("$_.ts" => $broken{$_}) } keys %broken;

{
    my $data = $mkv;
    substr($data, int rand length $data, 1) ^= chr(1 << int rand 8)
        for 1 .. 300;
    $files{'flip.mkv'} = $data;
    $files{'cut.mkv'} = substr $mkv, 0, 30000;
    $files{'list.m3u8'} = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
                          . "file:///etc/passwd\n#EXT-X-ENDLIST\n";
    $files{'concat.txt'} = "ffconcat version 1.0\nfile /etc/passwd\n";
}

subtest 'broken files' => sub {
    for my $name (sort keys %files) {
        $t->write_file($name, $files{$name});

        my $stream = $name =~ s/\..*//r;
        my $r = $t->post_offer("/broken/$name", offer());

        like($r->{status}, qr/^(?:201|406|409)$/, "$name: $r->{status}");

        next if $r->{status} != 201;

        wait_for(2.5, sub {
            my $st = $t->stream($stream);
            return !$st || $st->{frames} > 50;
        });

        is($t->http('DELETE', $r->{headers}{location})->{status}, 200,
           "$name: DELETE");
    }

    is(join(' ', sort $t->workers), "@workers", 'all workers live');
};



subtest 'a check that was seen on its way' => sub {
    my $mine = session();
    my $check = request(username => "$mine->{ufrag}:tEsT", use => 1,
                        pwd => $mine->{pwd});

    my $s = udp();
    $s->send($check);
    ok(answer($s, 30), 'is answered');

    $s->send($check);
    ok(answer($s, 30), 'again, when it is repeated from there');

    # each port leads to a worker by its number: some reach the session's own

    my $before = dropped();

    for my $n (1 .. 8) {
        my $thief = udp();

        $thief->send($check);
        is(answer($thief, 0.1), undef, "not from another address, $n");
    }

    ok(settle($before, 8), 'but counted');

    my $other = udp();
    $other->send(request(username => "$mine->{ufrag}:tEsT",
                         pwd => $mine->{pwd}));
    ok(answer($other, 30), 'a new one opens another address');

    is($t->http('DELETE', $mine->{location})->{status}, 200, 'DELETE');
};


subtest 'broken packets over UDP' => sub {
    my $s = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port('ts'));

    my $child = $t->spawn('viewer', sub {
        print STDERR $t->post_offer('/ts', offer())->{status}, "\n";
    });

    wait_for(60, sub { $t->stream('ts') });

    for my $data ($broken{flip200}, $broken{noise}, $broken{flip20}) {
        my $n = 0;

        for (my $p = 0; $p < length $data; $p += 1316) {
            $s->send(substr $data, $p, 1316);
            select undef, undef, undef, 0.002 if ++$n % 20 == 0;
        }
    }

    ok(defined $t->reap($child, 10), 'the offer is answered');
    is(join(' ', sort $t->workers), "@workers", 'all workers live');
};


# and after all this a viewer like any other

my $p = $t->browser->play($t->url('/whep/bars'));

is($p->{status}, 201, 'POST');
cmp_ok($p->wait(25)->{framesDecoded} // 0, '>=', 25,
       'a viewer plays after all this');
is($p->stop->{status}, 200, 'DELETE');

ok(index(join('', map { slurp($_) } glob($t->dir . '/*.log')), 'root:x:0')
   < 0, 'no file was read that is not ours');

$t->done;
