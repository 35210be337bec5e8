# SPDX-License-Identifier: Apache-2.0
"""What the figures say.

The JSON that "run" writes is an object with

    "runs"      everything that was measured, as it came from inside.py
    "daemons"   {"FLOWS": {"ours": METRICS, "stock": METRICS,
                           "software": METRICS, "ratio": METRICS,
                           "least": METRICS, "most": METRICS}}
                medians of all turns; a ratio is the median of the turns'
                ratios ours / stock, "least" and "most" are the smallest and
                the largest of those.  "software" is stock with hw-offload
                off: births and memory only.  METRICS is an object with the
                keys of METRICS below.
    "refused"   the same with flows that no backend takes: what it costs to
                find that out, and to remember why.  Without "software" and
                latencies.
    "calls"     {"ours": CALLS, "stock": CALLS}; CALLS is an object with the
                system calls per flow that was born ("birth") or deleted
                ("death"), per second with no flow ("empty") and with idle
                flows ("idle"), each {"total": NUMBER, "NAME": NUMBER...}
    "rules"     {"PROGRAM BATCH": {"add": RATE, "del": RATE, "dump": RATE}}
                rules a second, medians; PROGRAM is "tc-rules" (the kernel
                alone), "backend-rules" (our TC backend alone) or "tc"
                (iproute2), BATCH the number of rules a system call
    "targets"   [{"what": TEXT, "limit": NUMBER, "value": NUMBER or null,
                  "at_least": whether the limit is a lower one,
                  "met": true, false or null (not measured)}]

All times are scaled as explained in measure.py, except the latencies.
"""

import statistics

# Name, what a person calls it, and how to get it from one run with n flows.
METRICS = {
    'birth_cpu_us': ('CPU per new flow, us',
                     lambda r, n: r['births']['cpu'] / n * 1e6),
    'birth_handler_cpu_us': (
        '  of it in handler threads',
        lambda r, n: r['births']['cpu_by_thread']['handler'] / n * 1e6),
    'births_per_s': ('new flows a second',
                     lambda r, n: n / r['births']['wall']),
    'lone_p50_us': ('lone flow to rule p50, us',
                    lambda r, n: percentile(r['lone_us'], 50)),
    'lone_p99_us': ('lone flow to rule p99, us',
                    lambda r, n: percentile(r['lone_us'], 99)),
    'sweep_ms': ('CPU of a sweep, ms', lambda r, n: sweep_seconds(r) * 1e3),
    'sweep_clock_ms': ('sweep by the clock, least, ms',
                       lambda r, n: min(r['idle']['sweeps_ms'])),
    'idle_cpu_percent': ('CPU of idle flows, % of one',
                         lambda r, n: (r['idle']['cpu'] / n_sweeps(r) * 100
                                       / max(INTERVAL, sweep_seconds(r)))),
    'memory_per_flow': ('resident bytes per flow',
                        lambda r, n: grown(r, 'memory_full', 'rss') / n),
    'memory_kept_per_flow': ('  of it kept when all are gone',
                             lambda r, n: grown(r, 'memory_after', 'rss') / n),
    'death_cpu_us': ('CPU per aged flow, us',
                     lambda r, n: r['deaths']['cpu'] / n * 1e6),
    'deaths_per_s': ('aged flows deleted a second',
                     lambda r, n: n / r['deaths']['wall']),
}

# Open vSwitch begins a sweep that long after the last one began, if that has
# ended, seconds.
INTERVAL = 0.5


def n_sweeps(run):
    return len(run['idle']['sweeps_ms'])


# On a busy machine a sweep takes longer by the clock, and there are fewer of
# them: what one costs says more.
def sweep_seconds(run):
    return run['idle']['cpu_by_thread']['revalidator'] / n_sweeps(run)


TARGET_FLOWS = 50000

# Of a daemon, at TARGET_FLOWS: metric, ratio ours / stock at most.
DAEMON_TARGETS = [
    ('sweep_ms', 0.5),
    ('idle_cpu_percent', 0.5),
    ('memory_per_flow', 0.6),
    ('birth_cpu_us', 0.8),
    ('birth_cpu_us', 0.6),
    ('lone_p50_us', 1.0),
    ('lone_p99_us', 1.0),
]

# Of the backend alone, beside the kernel alone: ratio of rates at least.
RULES_TARGETS = [('add', 0.9), ('del', 0.9)]
TARGET_BATCH = 64


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * p // 100)]


def grown(run, when, what):
    return run[when][what] - run['memory_empty'][what]


def ratio(a, b):
    return a / b if b else None


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def least(values):
    return min((v for v in values if v is not None), default=None)


def most(values):
    return max((v for v in values if v is not None), default=None)


def summarize(runs, sizes):
    figures = {
        'runs': runs,
        'daemons': daemons(runs, 'daemon', sizes),
        'refused': daemons(runs, 'refused', sizes),
        'calls': {r['daemon']: calls(r) for r in runs if r['what'] == 'calls'},
        'rules': rules(runs),
    }
    figures['targets'] = targets(figures)
    return figures


def daemons(runs, what, sizes):
    runs = [r for r in runs if r['what'] == what]
    return {str(n): daemons_at(runs, n) for n in sizes
            if any(r['flows'] == n for r in runs)}


def metrics(run, n):
    found = {}
    for name, (_, get) in METRICS.items():
        try:
            found[name] = get(run, n)
        except KeyError:
            found[name] = None      # Isn't measured in such a run.
    return found


def daemons_at(runs, n):
    values = {which: {r['turn']: metrics(r, n) for r in runs
                      if r['flows'] == n and r['daemon'] == which}
              for which in ('ours', 'stock', 'software')}
    result = {which: {m: median([v[m] for v in values[which].values()])
                      for m in METRICS} for which in values}
    ratios = {m: [ratio(values['ours'][t][m], values['stock'][t][m])
                  for t in values['ours'] if t in values['stock']]
              for m in METRICS}
    for name, choose in ('ratio', median), ('least', least), ('most', most):
        result[name] = {m: choose(ratios[m]) for m in METRICS}
    return result


def calls(run):
    def per(counts, n):
        result = {'total': sum(counts.values()) / n}
        result.update((k, v / n) for k, v in counts.items())
        return result
    return {'birth': per(run['births'], run['flows']),
            'death': per(run['deaths'], run['flows']),
            'empty': per(run['empty'], run['seconds']),
            'idle': per(run['idle'], run['seconds'])}


def rules(runs):
    found = {}
    for r in runs:
        if r['what'] == 'rules':
            rates = found.setdefault('%(program)s %(batch)d' % r, {})
            for what in 'add', 'dump', 'del':
                if what + '_seconds' in r:
                    rates.setdefault(what, []).append(
                        r['flows'] / (r[what + '_seconds'] * r['pace']))
    return {key: {what: median(values) for what, values in rates.items()}
            for key, rates in found.items()}


def targets(figures):
    result = []
    sizes = [int(n) for n in figures['daemons']]
    n = (TARGET_FLOWS if TARGET_FLOWS in sizes
         else max(sizes) if sizes else None)
    for metric, limit in DAEMON_TARGETS:
        value = figures['daemons'][str(n)]['ratio'][metric] if n else None
        result.append(target('%s, ours / stock at %s flows'
                             % (METRICS[metric][0], n), limit, value, False))
    for what, limit in RULES_TARGETS:
        backend = figures['rules'].get('backend-rules %d' % TARGET_BATCH)
        kernel = figures['rules'].get('tc-rules %d' % TARGET_BATCH)
        value = (ratio(backend[what], kernel[what])
                 if backend and kernel else None)
        result.append(target('rules a second (%s), backend / kernel in '
                             'batches of %d' % (what, TARGET_BATCH),
                             limit, value, True))
    return result


def target(what, limit, value, at_least):
    met = (None if value is None
           else value >= limit if at_least else value <= limit)
    return {'what': what, 'limit': limit, 'value': value,
            'at_least': at_least, 'met': met}


def unmeasured(figures, metrics):
    """Metrics and targets without a value."""
    names = ['%s of %s at %s flows' % (m, which, n)
             for n, found in figures['daemons'].items()
             for which in ('ours', 'stock')
             for m in metrics if found[which][m] is None]
    return names + [t['what'] for t in figures['targets'] if t['met'] is None]


def missing(figures):
    """What should be in a whole benchmark, but isn't."""
    names = unmeasured(figures, METRICS)
    names += ['calls of ' + which for which in ('ours', 'stock')
              if not figures['calls'].get(which, {}).get(
                  'birth', {}).get('total')]
    return names


def show(figures):
    for n, found in figures['daemons'].items():
        show_daemons(n + ' flows', found)
    for n, found in figures.get('refused', {}).items():
        show_daemons(n + ' refused flows', found)
    show_calls(figures['calls'])
    show_rules(figures['rules'])
    print('\nTargets')
    for t in figures['targets']:
        print('  %-8s %s: %s %s %s' % (
            {True: 'met', False: 'MISSED', None: '-'}[t['met']], t['what'],
            number(t['value']).strip(), '>=' if t['at_least'] else '<=',
            t['limit']))


def show_daemons(heading, found):
    print('\n%-33s %10s %10s %10s  %-16s %10s'
          % (heading, 'ours', 'stock', 'ours/stock', 'from .. to',
             'no offload'))
    for m, (title, _) in METRICS.items():
        if found['ours'][m] is not None or found['stock'][m] is not None:
            print('  %-31s %s %s %s  %-16s %s'
                  % (title, *(number(found[k][m])
                              for k in ('ours', 'stock', 'ratio')),
                     ' .. '.join(number(found[k][m]).strip()
                                 for k in ('least', 'most')),
                     number(found['software'][m])))


def show_calls(found):
    titles = {'birth': 'per new flow', 'death': 'per aged flow',
              'idle': 'per second, idle flows', 'empty': 'per second, none'}
    if not found:
        return
    print('\n%-32s %s' % ('system calls',
                          ''.join('%11s' % d for d in found)))
    for what, title in titles.items():
        print('  %-31s %s' % (title, ' '.join(
            number(c[what]['total']) for c in found.values())))
        for which, c in found.items():
            names = sorted((n for n in c[what] if n != 'total'),
                           key=lambda name: -c[what][name])
            print('    %-7s %s' % (which, ', '.join(
                '%s %.3g' % (name, c[what][name]) for name in names[:6])))


def show_rules(found):
    if not found:
        return
    print('\n%-33s %10s %10s %10s' % ('rules a second', 'add', 'del', 'dump'))
    for key in sorted(found, key=lambda k: (k.split()[0], int(k.split()[1]))):
        program, batch = key.split()
        print('  %-31s %s %s %s' % (
            '%s, %s a system call' % (program, batch),
            *(number(found[key].get(k)) for k in ('add', 'del', 'dump'))))


def number(value):
    if value is None:
        return '%10s' % '-'
    return '%10.*f' % (0 if abs(value) >= 1000 else
                       1 if abs(value) >= 100 else 2, value)
