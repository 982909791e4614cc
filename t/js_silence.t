#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# When docs/demo takes a path for dead: Silence of whep.js, with time passed in.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new;
my $demo = "$NgxWebRTC::ROOT/docs/demo";

my $script = "import { Silence } from '$demo/whep.js';\n" . <<'EOF2';

/*
 * Looks each 300 ms at a path that dies after "dies" ms: "media" bytes come until
 * "quiet", a report each second but those that are "lost", a check is asked each
 * 2.5 s and answered at once.  The times of all verdicts.
 */

function run({ until = 30000, dies = Infinity, quiet = Infinity, reports = true,
               lost = [], checks = true, phase = 0, every = 300, rtt = 0,
               hidden = [0, 0], back = Infinity, unanswered = [] }) {
    const silence = new Silence();
    const dead = [];
    const up = (at) => at < dies || at >= back;
    const seen = { bytes: 0, asked: 0, report: 0, rtt };
    let now = 0;

    for (let at = 0; at <= until; at += 100) {
        if (up(at)) {
            seen.bytes += at < quiet ? 1000 : 0;

            if (reports && at % 1000 == 0 && !lost.includes(at)) {
                seen.report = at;
                seen.bytes += 50;
            }
        }

        if (checks && (at - phase) % 2500 == 0) {
            seen.asked++;
            seen.bytes += up(at) && !unanswered.includes(at) ? 1 : 0;
        }

        if (at - now >= every) {
            now = at;

            if (silence.look(at, at >= hidden[0] && at < hidden[1]
                                 ? null : { ...seen }))
            {
                dead.push(at);
            }
        }
    }

    return dead;
}

const first = (o) => run(o)[0] ?? null;

console.log(JSON.stringify({
    plays: run({}),
    quiet: run({ quiet: 5000 }),
    checks: run({ quiet: 5000, reports: false }),
    reports: run({ quiet: 5000, checks: false }),
    lostReport: run({ quiet: 5000, lost: [8000, 12000, 14000, 20000] }),
    lostReportAlone: run({ quiet: 5000, checks: false, lost: [8000, 12000] }),
    lostCheck: run({ quiet: 5000, unanswered: [7500, 15000] }),
    nothing: run({ quiet: 5000, reports: false, checks: false }),

    dies: [0, 500, 1000, 1500, 2000, 2400].map((phase) =>
        first({ dies: 10050, phase }) - 10050),
    noReports: [0, 500, 1000, 1500, 2000, 2400].map((phase) =>
        first({ dies: 10050, phase, reports: false }) - 10050),
    noChecks: [10050, 10350, 10650, 10950].map((dies) =>
        first({ dies, checks: false }) - dies),
    quietDies: first({ dies: 10050, quiet: 5000 }) - 10050,
    slow: first({ dies: 10050, reports: false, rtt: 1000 }) - 10050,

    again: run({ dies: 10050, until: 60000 }),
    later: run({ dies: 10050, back: 12000, until: 20000 }),

    late: run({ dies: 10050, every: 1000 }),
    hidden: run({ dies: 10050, hidden: [9000, 31000] }),
    shown: first({ dies: 10050, hidden: [9000, 20000] }) - 20000,
}));
EOF2

$t->write_file('test.mjs', $script);

my $p = $t->spawn('node', [ 'node', $t->dir . '/test.mjs' ]);

is($t->reap($p, 60), 0, 'node') or diag(slurp($p->{log}));

my $r = json(slurp($p->{log})) || {};

is_deeply($r->{plays}, [], 'media comes: no verdict');
is_deeply($r->{quiet}, [], 'a source that is quiet');
is_deeply($r->{checks}, [], 'of which no reports come');
is_deeply($r->{reports}, [], 'of whose checks nobody tells');
is_deeply($r->{lostReport}, [], 'a report is lost now and then');
is_deeply($r->{lostReportAlone}, [], 'with checks that nobody tells of, too');
is_deeply($r->{lostCheck}, [], 'a check is');
is_deeply($r->{nothing}, [], 'nobody has promised anything');

sub within {
    my ($what, $least, $most) = @_;

    my @out = grep { $_ < $least || $_ > $most }
              ref $r->{$what} ? @{ $r->{$what} } : $r->{$what};

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    ok(!@out, "$what: $least to $most ms") or diag(explain($r->{$what}));
}

within('dies', 1450, 2700);
within('noReports', 1450, 3400);
within('noChecks', 1450, 2700);
within('quietDies', 1450, 2700);
within('slow', 2000, 4700);

my @gaps = map { $r->{again}[$_] - $r->{again}[$_ - 1] } 1 .. $#{ $r->{again} };

cmp_ok(scalar(@gaps), '>=', 2, 'a path that stays dead: again');
is(scalar(grep { $gaps[$_] < 1.8 * $gaps[$_ - 1] } 1 .. $#gaps), 0,
   'each time later') or diag(explain($r->{again}));
cmp_ok(scalar(@{ $r->{later} }), '<=', 1, 'one that is back: not again');

is_deeply($r->{late}, [], 'timers of once a second tell nothing');
is_deeply($r->{hidden}, [], 'nor do those of a hidden page');
within('shown', 1450, 4000);

$t->done;
