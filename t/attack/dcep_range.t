#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Floods of a file session's own protocols: thousands of channels are opened,
# 100,000 tiny ranges and many Pings sent by one client.  What is kept for it is
# bounded, and others are served meanwhile.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 1);

my $data = pack 'N*', map { $_ * 2654435761 & 0xffffffff } 0 .. 262143;
my $want = sha256_hex($data);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', $data);
$t->start(server => <<'EOF2');
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;

    location /files/grows/ {
        alias                %%DIR%%/www/;
        webrtc_file_changes  follow;
        webrtc_file_quiet    1h;
    }
}
EOF2

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';
my $p = $c->call('open', url => $t->url('/files/a.bin'));

sub rss {
    my ($pid) = $t->workers;
    return slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;
}

sub served {
    my ($name) = @_;

    is($c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0]{sha256}, $want,
       "$name: others are served");
}

served('before');

# channels

my $before = rss();
my $py = $t->python('sctp.py', 'channels', $t->url('/files/a.bin'), 1);
my $line = json(NgxWebRTC::_read_line($py->{out}, 95) // '') || {};

cmp_ok($line->{held} // 0, '>', 1000, 'OPENs are taken')
    or diag(slurp($py->{log}));

my $more = rss() - $before;

cmp_ok($more, '<', 4000, 'what is kept of them is bounded');
served('channels');

print { $py->{in} } "\n";

my $r = $t->python_result($py);

is($r->{hellos}, 16, 'channels there are no more than 16');
ok(wait_for(30, sub { $t->log =~ /too many messages to no channel/ }),
   'and who goes on for long is ended');
diag("$line->{held} OPENs: $more kB, ", $r->{hellos} // '?', ' Hellos');

# ranges, and Pings between them; none of the answers is waited for

my $flood = NgxWebRTC::Range->new($t);

for my $row (
    [ 'tiny ranges',   '',       1, 0,       1, 100_000 ],
    [ 'out of range',  '',       1, 1 << 40, 1, 20_000 ],
    [ 'bytes to come', 'grows/', 1, 1 << 40, 1, 20_000 ],
    [ 'Pings',         '',       5, 0,       0, 20_000 ])
{
    my ($name, $where, $type, $offset, $length, $n) = @$row;

    my $q = $flood->call('open', url => $t->url("/files/${where}a.bin"));
    my $before = rss();

    $flood->send('flood', peer => $q->{peer}, type => $type,
                 offset => "$offset", length => "$length", times => $n);
    served($name);
    is($flood->result(95)->{sent}, $n, "$name: $n frames are sent");

    my $more = 0;

    ok(wait_for(60, sub {
        my $now = rss() - $before;
        $more = $now if $now > $more;
        return !$flood->call('state', peer => $q->{peer})->{queued};
    }), "$name: and taken");

    diag("$name: $more kB");
    cmp_ok($more, '<', 14_000, "$name: what is kept is bounded");

    # a Pong may be lost while there is no room

    ok(wait_for(60, sub {
        $flood->call('send', peer => $q->{peer},
                     hex => '05000000ffffffff00000000');
        grep { $_->{type} == 6 && $_->{id} == 0xffffffff }
             @{ $flood->call('frames', peer => $q->{peer}, count => 1,
                             timeout => 1)->{frames} };
    }), "$name: it is served still");

    $flood->call('close', peer => $q->{peer});
}

$c->call('close', peer => $p->{peer});
ok($t->no_sessions, 'no session is left');

$t->done;
