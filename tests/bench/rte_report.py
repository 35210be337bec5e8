# SPDX-License-Identifier: Apache-2.0
"""What the figures of "run-rte" say.

The JSON that it writes is an object with

    "runs"      everything that was measured
    "daemons"   {"FLOWS": {"ours": METRICS, "stock": METRICS,
                           "software": METRICS, "ratio": METRICS}}
                medians of all turns; a ratio is the median of the turns'
                ratios ours / stock.  METRICS is an object with the keys of
                METRICS below; what makes no sense is null.  "software" is
                Open vSwitch's own without hw-offload.
    "rules"     {"raw": RATES, "backend": RATES, "ratio": RATES}, rules a
                second: "add", "dump", "del"; "memory", bytes a rule
    "eswitch"   [{"masks": NUMBER, "create": RATE, "lookup": RATE,
                  "forward": RATE, "destroy": RATE}], a second and core
    "targets"   [{"what": TEXT, "limit": NUMBER, "value": NUMBER or null,
                  "at_least": false,
                  "met": true, false or null (not measured)}]
    "load"      the machine's load averages at the end
"""

from report import median, number, ratio, target, unmeasured



def all_cpu(cpu, but=()):
    return sum(v for k, v in cpu.items() if k not in but)



# Threads that would spin, or are the hardware's.
NOT_OURS = ('pmd', 'net_eswim')

# Name, what a person calls it, and how to get it from one run with n flows.
METRICS = {
    'rules_per_s': ('rules a second, born from packets',
                    lambda r, n: r['births']['rules'] / r['births']['wall']),
    'latency_p50_us': ('first packet to rule p50, us',
                       lambda r, n: known(r['latency'], 'p50_us')),
    'latency_p99_us': ('first packet to rule p99, us',
                       lambda r, n: known(r['latency'], 'p99_us')),
    'birth_cycles': ('PMD busy cycles per new flow',
                     lambda r, n: (r['births']['busy_cycles']
                                   / r['births']['rules'])),
    'birth_cpu_us': ('CPU per new flow, no PMD, us',
                     lambda r, n: (all_cpu(r['births']['cpu'], NOT_OURS)
                                   / r['births']['rules'] * 1e6)),
    'sweep_ms': ('CPU of a sweep, ms',
                 lambda r, n: (r['idle']['cpu']['revalidator']
                               / r['idle']['sweeps'] * 1e3)),
    'idle_cpu_percent': ('CPU of idle flows, no PMD, % of one',
                         lambda r, n: (all_cpu(r['idle']['cpu'], NOT_OURS)
                                       / r['idle']['wall'] * 100)),
    'idle_cycles_per_s': ('PMD busy cycles a second, idle',
                          lambda r, n: (r['idle']['busy_cycles']
                                        / r['idle']['wall'])),
    'memory_per_flow': ('resident bytes per flow',
                        lambda r, n: (r['memory_full'] - r['memory_empty'])
                        / n),
    'forward_pps': ('frames a second, guest to guest',
                    lambda r, n: r['forward_pps']),
}

TARGET_FLOWS = 100000

# At TARGET_FLOWS: metric, ratio ours / stock at most.
TARGETS = [
    ('sweep_ms', 0.3),
    ('latency_p50_us', 0.2),
    ('memory_per_flow', 0.7),
]


def known(latency, key):
    return latency[key] if latency['with_rule'] else None


def value(run, metric, n):
    try:
        return METRICS[metric][1](run, n)
    except (KeyError, ZeroDivisionError):
        return None


def summarize(runs, sizes):
    figures = {
        'runs': runs,
        'daemons': {str(n): daemons_at(runs, n) for n in sizes
                    if any(is_daemon(r, n) for r in runs)},
        'rules': rules(runs),
        'eswitch': [{k: v for k, v in r.items() if k != 'what'}
                    for r in runs if r['what'] == 'eswitch'],
    }
    figures['targets'] = targets(figures['daemons'])
    return figures


def is_daemon(run, n):
    return run['what'] == 'daemon' and run['flows'] == n


def daemons_at(runs, n):
    found = {which: {r['turn']: {m: value(r, m, n) for m in METRICS}
                     for r in runs
                     if is_daemon(r, n) and r['daemon'] == which}
             for which in ('ours', 'stock', 'software')}
    result = {which: {m: median([v[m] for v in turns.values()])
                      for m in METRICS} for which, turns in found.items()}
    result['ratio'] = {
        m: median([ratio(found['ours'][t][m], found['stock'][t][m])
                   for t in found['ours'] if t in found['stock']
                   and found['ours'][t][m] is not None])
        for m in METRICS}
    return result


def rules(runs):
    found = {}
    for which in 'raw', 'backend':
        its = [r for r in runs if r['what'] == 'rules' and r['which'] == which]
        if its:
            found[which] = {
                what: median([r['flows'] / r[what + '_seconds'] for r in its])
                for what in ('add', 'dump', 'del')}
            found[which]['memory'] = median([r['memory'] / r['flows']
                                             for r in its])
    if len(found) == 2:
        found['ratio'] = {k: ratio(found['backend'][k], found['raw'][k])
                          for k in found['raw']}
    return found


def targets(daemons):
    sizes = [int(n) for n in daemons]
    n = (TARGET_FLOWS if TARGET_FLOWS in sizes
         else max(sizes) if sizes else None)
    return [target('%s, ours / stock at %s flows' % (METRICS[metric][0], n),
                   limit, daemons[str(n)]['ratio'][metric] if n else None,
                   False)
            for metric, limit in TARGETS]


def missing(figures):
    """What should be in a whole benchmark, but isn't."""
    names = unmeasured(figures, METRICS)
    names += [k for k in ('raw', 'backend') if k not in figures['rules']]
    return names + ([] if figures['eswitch'] else ['eswitch'])


def show(figures):
    for n, found in figures['daemons'].items():
        print('\n%-36s %10s %10s %10s %10s'
              % (n + ' flows', 'ours', 'stock', 'ours/stock', 'no offload'))
        for m, (title, _) in METRICS.items():
            print('  %-34s %s' % (title, ' '.join(
                number(found[k][m])
                for k in ('ours', 'stock', 'ratio', 'software'))))
    show_rules(figures['rules'])
    show_eswitch(figures['eswitch'])
    print('\nTargets')
    for t in figures['targets']:
        print('  %-8s %s: %s <= %s' % (
            {True: 'met', False: 'MISSED', None: '-'}[t['met']], t['what'],
            number(t['value']).strip(), t['limit']))
    if 'load' in figures:
        print('\nLoad averages at the end: '
              + ' '.join('%.2f' % x for x in figures['load']))


def show_rules(found):
    if found:
        print('\n%-36s %10s %10s %10s %10s' % (
            'rules a second, no daemon', 'add', 'read', 'del', 'bytes'))
    for which, title in (('backend', 'our backend'),
                         ('raw', 'rte_flow itself'),
                         ('ratio', 'backend/rte_flow')):
        if which in found:
            print('  %-34s %s' % (title, ' '.join(
                number(found[which][k])
                for k in ('add', 'dump', 'del', 'memory'))))


def show_eswitch(found):
    if found:
        print('\n%-36s %10s %10s %10s %10s' % (
            'eswitch, a second and core', 'lookup', 'create', 'destroy',
            'forward'))
    for r in found:
        print('  %-34s %s' % (
            '%d rules, %d masks' % (r['rules'], r['masks']),
            ' '.join(number(r[k])
                     for k in ('lookup', 'create', 'destroy', 'forward'))))
