#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_metrics: promtool finds nothing to complain of, a real Prometheus
# scrapes it, the numbers are those of the status and of clients; the alert
# rules and the dashboard of docs/monitoring name metrics that there are.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 15s;', server => <<'EOF');
location ~ ^/whip/(?<name>.+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>.+)$ {
    webrtc_play  $name;
}
location = /metrics {
    webrtc_metrics;
}
location = /few {
    webrtc_metrics  streams=2;
}
location = /none {
    webrtc_metrics  streams=0;
}
EOF

my $open = 'application/openmetrics-text; version=1.0.0';

# name{labels} => value; # TYPE name => type

sub metrics {
    my ($path, %headers) = @_;

    my $r = $t->http('GET', $path, headers => \%headers);
    my %m = ('' => $r);

    for (split /\n/, $r->{content}) {
        $m{"TYPE $1"} = $2 if /^# TYPE (\S+) (\S+)$/;
        $m{$1} = $2 if /^([^#{ ]+(?:\{.*\})?) (\S+)$/;
    }

    return \%m;
}


my $pub = NgxWebRTC::Bench->publish($t, '/whip/live', bitrate => 500000,
                                    size => 600, codec => 'h264');
my $view = NgxWebRTC::Bench->view($t, '/whep/live', n => 2, codecs => 'h264');

ok($view->wait(40, sub {
    ($_[0]{viewer1}{video}{stamped} // 0) >= 100
    && ($_[0]{viewer0}{video}{stamped} // 0) >= 100
}), 'viewers see it');

$t->post_offer("/whip/$_", offer(direction => 'sendonly'))
    for 'b%22ack%5Cslash', 'three', 'four';

# workers tell once a second

my $m;

ok(wait_for(30, sub {
    $m = metrics('/metrics');
    return ($m->{'nginx_webrtc_sessions{role="play"}'} // 0) == 2
           && $m->{'nginx_webrtc_sessions_answered_total{role="play"}'} == 2
           && $m->{'nginx_webrtc_sessions_answered_total{role="publish"}'} == 4
           && $m->{'nginx_webrtc_rtt_seconds_count'} >= 0
           && $m->{'nginx_webrtc_setup_seconds_count'} == 3
           && $m->{'nginx_webrtc_loss_ratio_count'} > 0
           && $m->{'nginx_webrtc_first_frame_seconds_count'} == 3;
}), 'sessions are there') or diag($m->{''}{content});

subtest 'numbers' => sub {
    is($m->{'nginx_webrtc_sessions_answered_total{role="play"}'}, 2,
       'answered');
    is($m->{'nginx_webrtc_sessions_answered_total{role="publish"}'}, 4,
       'published, connected or not');
    is($m->{'nginx_webrtc_sessions_connected_total{role="publish"}'}, 1,
       'connected');
    is($m->{'nginx_webrtc_zone_sessions'}, 6, 'sessions of the zone');
    is($m->{'nginx_webrtc_stream_viewers{stream="live"}'}, 2, 'viewers');
    is($m->{'nginx_webrtc_stream_active{stream="live"}'}, 1, 'active');
    is($m->{'nginx_webrtc_stream_active{stream="b\"ack\\\\slash"}'}, 0,
       'a name that is to be escaped');
    is($m->{'nginx_webrtc_streams_active'}, 1, 'streams');
    is($m->{'nginx_webrtc_setup_seconds_bucket{le="+Inf"}'}, 3,
       'all in the last bucket');
    ok(!(grep { /^nginx_webrtc_(\S+)_bucket/ && !defined
                $m->{"nginx_webrtc_$1_sum"} } keys %$m), 'sums');

    # buckets are cumulative

    for my $name (qw/ setup_seconds first_frame_seconds rtt_seconds
                      loss_ratio /)
    {
        my ($last, $bad) = (-1, 0);

        for ($m->{''}{content} =~ /^nginx_webrtc_${name}_bucket\{.*\} (\d+)/mg)
        {
            $bad++ if $_ < $last;
            $last = $_;
        }

        is($bad, 0, "$name grows");
        is($last, $m->{"nginx_webrtc_${name}_count"}, 'to their number');
    }
};

subtest 'formats' => sub {
    is($m->{''}{headers}{'content-type'},
       'text/plain; version=0.0.4; charset=utf-8', 'text');
    is($m->{'TYPE nginx_webrtc_sent_bytes_total'}, 'counter',
       'a counter of the text format');
    unlike($m->{''}{content}, qr/# EOF/, 'no end');

    my $o = metrics('/metrics', Accept => "$open;q=0.8,text/plain;q=0.5");

    is($o->{''}{headers}{'content-type'}, "$open; charset=utf-8",
       'OpenMetrics');
    is($o->{'TYPE nginx_webrtc_sent_bytes'}, 'counter', 'a counter of it');
    ok($o->{'nginx_webrtc_sent_bytes_total{role="play"}'}, 'and its value');
    like($o->{''}{content}, qr/\n# EOF\n\z/, 'an end');
    is($o->{''}{headers}{'content-length'}, length $o->{''}{content},
       'its length');

    is(grep(/^nginx_webrtc_stream_viewers/, keys %{ metrics('/few') }), 2,
       'some streams');
    is(grep(/nginx_webrtc_stream_/, keys %{ metrics('/none') }), 0, 'none');
    is($t->http('POST', '/metrics', body => 'x')->{status}, 405, 'POST');
};

subtest 'promtool' => sub {
    $t->write_file('metrics', $m->{''}{content});

    my $out = `promtool check metrics < @{[ $t->dir ]}/metrics 2>&1`;
    is($?, 0, 'metrics');
    is($out, '', 'no complaint');

    my $docs = "$NgxWebRTC::ROOT/docs/monitoring";

    $out = `promtool check rules $docs/alerts.yml 2>&1`;
    is($?, 0, 'alert rules') or diag($out);

    # what rules and dashboard ask for is there

    my %there = map { /^([a-z_]+)/ ? ($1 => 1) : () } keys %$m;

    for my $file ('alerts.yml', 'grafana.json') {
        my %used = map { $_ => 1 } slurp("$docs/$file")
                                   =~ /\b(nginx_webrtc_[a-z_]+)/g;

        is_deeply([ grep { !$there{$_} } sort keys %used ], [],
                  "metrics of $file");
    }

    ok(json(slurp("$docs/grafana.json")), 'the dashboard is JSON');

    # and what there is stands in the docs

    my $text = slurp("$NgxWebRTC::ROOT/docs/monitoring.md");

    is_deeply([ grep { s/^TYPE nginx_webrtc_// && $text !~ /`$_`/ }
                sort keys %$m ], [], 'all metrics are described');
};

subtest 'Prometheus' => sub {
    $t->write_file('prometheus.yml', $t->expand(<<'EOF'));
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: webrtc
    static_configs:
      - targets: [ "127.0.0.1:%%PORT_http%%" ]
EOF

    $t->spawn('prometheus', [ 'prometheus',
        '--config.file=' . $t->dir . '/prometheus.yml',
        '--storage.tsdb.path=' . $t->dir . '/tsdb',
        '--web.listen-address=127.0.0.1:' . $t->port('prometheus') ]);

    my $get = sub {
        my $r = $t->http('GET', 'http://127.0.0.1:' . $t->port('prometheus')
                                . "/api/v1/$_[0]");
        return $r->{status} == 200 ? json($r->{content})->{data} : undef;
    };

    my ($up, $data);

    ok(wait_for(40, sub {
        $data = $get->('query?query=nginx_webrtc_stream_viewers');
        return $data && @{ $data->{result} };
    }), 'it scrapes');

    my %viewers = map { $_->{metric}{stream} => $_->{value}[1] }
                  @{ $data->{result} };

    is($viewers{live}, 2, 'viewers, as it has them');
    ok(exists $viewers{'b"ack\\slash'}, 'a name, as it was');

    is($get->('targets')->{activeTargets}[0]{lastError}, '', 'no error');
    is($get->('metadata?metric=nginx_webrtc_sent_bytes')
       ->{nginx_webrtc_sent_bytes}[0]{type}, 'counter', 'types');
};

$view->stop;
$pub->stop;

# what has ended stays in the sums

ok(wait_for(20, sub {
    $m = metrics('/metrics');
    return $m->{'nginx_webrtc_sessions_ended_total{role="play"}'} == 2
           && $m->{'nginx_webrtc_sessions{role="play"}'} == 0;
}), 'sessions have ended');

cmp_ok($m->{'nginx_webrtc_sent_packets_total{role="play"}'}, '>=', 200,
       'what they were sent stays');

$t->reload;

is(metrics('/metrics')->{'nginx_webrtc_sessions_answered_total{role="play"}'},
   2, 'over a reload, too');

$t->done;
