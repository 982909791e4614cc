package NgxWebRTC::Bench;

# Copyright (C) the ngx_http_webrtc_module authors
#
# The load clients of t/bench as clients of tests: publishers (whipbench) and
# viewers (whepbench) whose packets are stamped and checked.
#
#     my $pub = NgxWebRTC::Bench->publish($t, '/whip/x', audio => undef);
#     my $view = NgxWebRTC::Bench->view($t, '/whep/x', n => 4);
#
#     $view->wait(20, sub { $_[0]{playing} == 4 });
#     $pub->kill;
#     my $r = $view->stop;
#
# Options are the programs' own, undef for those without a value.  A report is
# what they write as JSON, anew every 100 ms.

use strict;
use warnings;

use NgxWebRTC;
use Test::More;

my $n = 0;


sub publish { return _start(shift, 'whipbench', @_) }

# a viewer that checks all it gets

sub view { return _start(shift, 'whepbench', @_, verify => undef) }


sub _start {
    my ($class, $program, $t, $path, %o) = @_;

    my $json = $t->dir . "/$program." . ++$n . '.json';

    %o = (t => 600, settle => 0, timeout => 60, every => 100, %o);

    my $p = $t->spawn($program, [ "$NgxWebRTC::BUILD/unit/$program",
        '-url', $t->url($path), '-json', $json,
        $program eq 'whepbench' ? '-quiet' : (),
        map { ("-$_", defined $o{$_} ? $o{$_} : ()) } sort keys %o ],
        env => { ASAN_OPTIONS => 'detect_leaks=0' });

    return bless { %$p, t => $t, p => $p, json => $json }, $class;
}


sub report { return json(slurp($_[0]{json})) || {} }


# the first report that the code likes, undef when the time is over

sub wait {
    my ($self, $seconds, $code) = @_;

    my $r = wait_for($seconds, sub {
        my $r = $self->report;
        return $code->($r) ? $r : undef;
    });

    diag(explain($self->report), slurp($self->{log})) if !$r;

    return $r;
}


# "gap_ms" of the streams of viewers is measured from here on

sub mark {
    my ($self) = @_;

    my $n = $self->report->{marks} || 0;

    CORE::kill('USR1', $self->{pid});

    return $self->wait(60, sub { ($_[0]{marks} || 0) > $n });
}


# ends by itself: its last report

sub finish {
    my ($self, $seconds) = @_;

    if (!defined $self->{t}->reap($self->{p}, $seconds)) {
        diag("$self->{name} does not end", explain($self->report));
        return {};
    }

    return $self->report;
}


sub stop {
    my ($self) = @_;

    CORE::kill('TERM', $self->{pid});

    return $self->finish(30);
}


sub signal { CORE::kill($_[1], $_[0]{pid}) }


# vanishes, without a word to the server

sub kill { return $_[0]{t}->kill($_[0]{p}, 'KILL') }


1;
