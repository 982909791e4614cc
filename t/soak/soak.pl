#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Churn: viewers, publishers, files, pulls, reloads, killed workers; for so many
# minutes ("make soak MINUTES=30").  A line a minute says what each process and
# the zone hold.  In the end nothing may be left, and the private memory of workers
# and master must have been flat after it was warm: the exit code tells.
#
# The youngest of three workers is killed now and then.  The others live from one
# reload to the next, for a third of the time each.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use JSON::PP ();
use NgxWebRTC;
use NgxWebRTC::Range;
use Test::More;
use Time::HiRes qw/ time sleep /;

my $MINUTES = $ENV{MINUTES} || 10;
my $SECONDS = $MINUTES * 60;

# s between samples, and between kills
my $SAMPLE = 5;
my $KILL = 50;

# what private memory may grow by between the second and the last quarter of a
# process' life: threads' arenas come and go
my $PART = 0.10;
my $MORE = 4096;                        # kB

$| = 1;

my $t = NgxWebRTC->new(workers => 3, asan => 0);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', pack('N*', map { $_ } 0 .. 512 * 1024));

my %conf = (main => 'worker_rlimit_core 0;', http => <<'EOF', server => <<'EOF');
webrtc_zone               webrtc 128m;
webrtc_max_pending        off;
webrtc_wait               1s;
webrtc_timeout            10s;
webrtc_handshake_timeout  5s;
webrtc_idle_timeout       2s;
webrtc_linger             5s;
webrtc_publish_conflict   replace;
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location = /udp {
    webrtc_play  udp;
    webrtc_pull  udp://127.0.0.1:%%PORT_ts%%?timeout=2000000;
}
location = /dead {
    webrtc_play  dead;
    webrtc_pull  tcp://127.0.0.1:%%PORT_dead%%;
    webrtc_wait  200ms;
}
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish $name; }
location ~ ^/live/(?<name>\w+)$ { webrtc_play    $name; }
location /files/ { alias %%DIR%%/www/; webrtc_file on; }
EOF

$t->start(%conf);
$t->publish('bars.ts', 'mpegts', 'udp://127.0.0.1:%%PORT_ts%%?pkt_size=1316');

# what a process holds

sub process {
    my ($pid) = @_;

    my $text = slurp("/proc/$pid/status");
    my ($rss) = $text =~ /^VmRSS:\s+(\d+)/m or return undef;
    my ($anon) = $text =~ /^RssAnon:\s+(\d+)/m;
    my ($threads) = $text =~ /^Threads:\s+(\d+)/m;

    return { pid => $pid, rss => $rss, anon => $anon, threads => $threads,
             fds => scalar(() = glob "/proc/$pid/fd/*") };
}

# the numbers of processes come round: by when they began

sub workers {
    my %began = map { $_ => (split ' ', slurp("/proc/$_/stat") =~ s/^.*\) //sr)[19]
                            // 0 } $t->workers;

    return sort { $began{$a} <=> $began{$b} || $a <=> $b } keys %began;
}

# an idle server: no session, no stream, and sources that have ended

sub idle {
    my ($seconds) = @_;

    return wait_for($seconds, sub {
        my $s = $t->status;
        return defined $s->{sessions} && !$s->{sessions}
               && !@{ $s->{streams} || [ 1 ] };
    });
}

sub files {
    my ($seconds, $progress) = @_;

    my $c = NgxWebRTC::Range->new($t) or return;
    my ($n, $end) = (0, time() + $seconds);

    while (time() < $end) {
        my $p = $c->call('open', url => $t->url('/files/a.bin'), quiet => 1,
                         signal => $n % 2);
        if (defined $p->{peer}) {
            $c->send('get', peer => $p->{peer}, ranges => [
                { id => 1, offset => '0', length => $n % 3 ? '0' : '9999' } ]);
            $c->result(20);
            $n++;
            $c->call('close', peer => $p->{peer}, quiet => 1);
        } else {
            sleep 0.3;
        }
        $t->write_file($progress, "{\"files\":$n}");
    }
}

my $run = 0;

sub churn {
    my ($seconds) = @_;

    $run++;

    my @names = qw/ a b c /;

    my @all = map {
        my $n = $_;
        $t->spawn('churn', [ '/usr/bin/python3', "$FindBin::Bin/churn.py",
            JSON::PP::encode_json({ seconds => $seconds,
                seed => 100 * $run + $n, peers => 8,
                whep => [ map { $t->url($_) } '/whep/bars', '/whep/video',
                          '/udp', '/dead' ],
                live => [ map { $t->url("/live/$_") } @names ],
                whip => [ map { $t->url("/whip/$_") } @names ],
                progress => $t->dir . "/churn.$n" }) ]) } 1, 2, 4;

    my $progress = $t->dir . '/churn.3';

    push @all, $t->spawn('files', sub { files($seconds, $progress) });

    return @all;
}

sub counts {
    my %sum;

    for my $n (1 .. 4) {
        my $c = json(slurp($t->dir . "/churn.$n")) || {};
        $sum{$_} += $c->{$_} for keys %$c;
    }

    return join ' ', map { "$_:$sum{$_}" } sort keys %sum;
}

sub line {
    my ($when) = @_;

    my $s = $t->status;
    my $m = process($t->pid);

    printf "%s master %.1fM", $when, $m->{rss} / 1024;

    for my $p (grep { $_ } map { process($_) } workers()) {
        printf " | %d %.1fM private %.1fM fd %d threads %d", $p->{pid},
               $p->{rss} / 1024, $p->{anon} / 1024, $p->{fds}, $p->{threads};
    }

    printf " | sessions %s streams %d zone_free %s\n", $s->{sessions} // '-',
           scalar @{ $s->{streams} || [] }, $s->{zone_free} // '-';
}

# each worker has done everything once, so that what stays for good is there;
# what an idle server holds then

my @clients = churn(10);
$t->reap($_, 120) for @clients;
idle(60) or print "not idle after the warm-up\n";

my $zone = $t->status->{zone_free};
my ($fds) = sort { $b <=> $a } map { process($_)->{fds} } $t->workers;
my ($threads) = sort { $b <=> $a } map { process($_)->{threads} } $t->workers;

line('idle');

# the churn

my $start = time();
my (%samples, %was);
my ($reloads, $kills, $minute, $sampled, $killed) = (0, 0, 0, 0, time());

@clients = churn($SECONDS);

while ((my $age = time() - $start) < $SECONDS) {
    my @workers = workers();

    if (time() - $sampled >= $SAMPLE) {
        $sampled = time();

        for my $pid ($t->pid, @workers) {
            my $p = process($pid) or next;
            push @{ $samples{$pid} }, [ $sampled, $p->{anon} ];
        }
    }

    if ($reloads < 2 && $age > $SECONDS * ($reloads + 1) / 3) {
        $t->reload(%conf) for 1 .. 3;
        $reloads++;
        $killed = time();

    } elsif (time() - $killed > $KILL && @workers == 3) {
        kill 'KILL', $workers[-1];
        wait_for(20, sub {
            my @now = $t->workers;
            return @now == 3 && !grep { $_ == $workers[-1] } @now;
        });
        $kills++;
        $killed = time();
    }

    if ($age >= 60 * ($minute + 1)) {
        $minute++;
        line(sprintf '%3d min', $minute);
        print "        ", counts(), "\n";
    }

    sleep 0.5;
}

$t->{killed} = $kills;
$t->allow(qr/worker process \d+ exited on signal 9/);

$t->reap($_, 120) for @clients;

print "        ", counts(), " reloads:", 3 * $reloads, " kills:$kills\n";

# the end

ok(idle(120), 'no session and no stream is left')
    or diag(explain($t->status));

ok(wait_for(60, sub { $t->workers == 3 }), 'no worker of before a reload');

ok(wait_for(60, sub { ($t->status->{zone_free} // 0) >= $zone }),
   'the zone has as many free pages as before')
    or diag($t->status->{zone_free}, " of $zone");

for my $what ([ fds => $fds, 3, 'descriptors' ],
              [ threads => $threads, 0, 'threads' ])
{
    my ($key, $most, $more, $name) = @$what;

    ok(wait_for(60, sub {
        !grep { process($_)->{$key} > $most + $more } $t->workers;
    }), "no $name are left")
        or diag(join ' ', "of $most:", map { process($_)->{$key} } $t->workers);
}

my @temporary = grep { -f } map { glob $t->dir . "/$_/*" }
                            qw/ client_body proxy fastcgi uwsgi scgi /;

is(scalar @temporary, 0, 'no temporary file is left');

line(' end');

sub median {
    my @x = sort { $a <=> $b } map { $_->[1] } @_;
    return $x[@x / 2];
}

for my $pid (sort { $a <=> $b } keys %samples) {
    my @s = @{ $samples{$pid} };
    my $life = $s[-1][0] - $s[0][0];

    next if $life < 90;

    my $before = median(@s[@s / 4 .. @s / 2]);
    my $after = median(@s[3 * @s / 4 .. $#s]);

    cmp_ok($after, '<=', $before * (1 + $PART) + $MORE,
        sprintf '%s %d is flat: %d kB, then %d, within %d s',
                $pid == $t->pid ? 'master' : 'worker', $pid, $before, $after,
                $life);
}

$t->done;
