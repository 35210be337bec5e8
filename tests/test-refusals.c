/* SPDX-License-Identifier: Apache-2.0 */

/* What is remembered of refused flows, and how commands answer.
 *
 * usage: test-refusals TEST, or
 *        test-refusals report ARGUMENT...
 *
 * The latter prints a report of hostile values, made with the arguments of a
 * command. */

#include <config.h>
#undef NDEBUG

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow.h"
#include "ofproto-offload/refusal-log.h"
#include "ofproto-offload/report.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "random.h"
#include "unixctl.h"
#include "util.h"

void __wrap_unixctl_command_reply(struct unixctl_conn *, const char *);
void __wrap_unixctl_command_reply_error(struct unixctl_conn *, const char *);

/* In the place of Open vSwitch's, with which nobody is connected. */
void
__wrap_unixctl_command_reply(struct unixctl_conn *conn OVS_UNUSED,
                             const char *body)
{
    puts(body ? body : "");
}

void
__wrap_unixctl_command_reply_error(struct unixctl_conn *conn OVS_UNUSED,
                                   const char *error)
{
    printf("error: %s\n", error);
}

/* Whoever reads a refusal is told what to do, whatever its code is, and is
 * told so in a line or two of a terminal. */
static void
test_hints(void)
{
    for (int code = OFFLOAD_REFUSED_NOT + 1; code < OFFLOAD_N_REFUSALS;
         code++) {
        struct offload_refusal refusal;
        const char *hint;

        offload_refuse(&refusal, code, "x", NULL, "y");
        hint = offload_refusal_hint(&refusal);
        if (!hint || strlen(hint) < 10 || strlen(hint) > 140
            || strchr(hint, '\n')) {
            ovs_fatal(0, "%s: hint %s", offload_refusal_name(code),
                      hint ? hint : "missing");
        }
        /* What is known better goes first. */
        refusal.hint = "z";
        assert(!strcmp(offload_refusal_hint(&refusal), "z"));
    }
}

static const struct refusal_place p0 = { OFFLOAD_DP_SYSTEM, ODP_PORT_C(1),
                                         "p0" };

static ovs_u128
ufid_from(uint32_t n)
{
    return (ovs_u128) { .u32 = { n, n * 2654435761u, ~n, 7 } };
}

static void
note(uint32_t n, const struct refusal_place *place,
     enum offload_refusal_code code, const char *subject, const char *detail)
{
    struct offload_refusal refusal;
    ovs_u128 ufid = ufid_from(n);

    offload_refuse(&refusal, code, subject, NULL, "%s", detail);
    refusal_log_note(&refusal, place, &ufid);
}

static void
forget(uint32_t n)
{
    ovs_u128 ufid = ufid_from(n);

    refusal_log_forget(&ufid);
}

/* What all reasons say together. */
struct sums {
    size_t n_reasons;
    uint64_t n_flows, n_dropped, n_refused;
};

static void
add_sums(const struct refusal_reason_stats *s, void *sums_)
{
    struct sums *sums = sums_;

    sums->n_reasons++;
    sums->n_flows += s->n_flows;
    sums->n_dropped += s->n_dropped;
    sums->n_refused += s->n_refused;
}

static struct sums
sum_up(void)
{
    struct sums sums = { 0, 0, 0, 0 };

    refusal_log_for_each_reason(add_sums, &sums);
    return sums;
}

static void
count_flow(const struct refused_flow *flow, size_t reason OVS_UNUSED, void *n_)
{
    uint64_t *n = n_;

    assert(flow->n > 0);
    ++*n;
}

static uint64_t
n_walked(void)
{
    uint64_t n = 0;

    refusal_log_for_each_flow(count_flow, &n);
    return n;
}

static void
test_bounded(void)
{
    enum { N = 300000 };
    struct refused_flow flow;
    char detail[160];
    struct sums sums;
    ovs_u128 ufid;

    memset(detail, 'x', sizeof detail - 1);
    detail[sizeof detail - 1] = '\0';
    for (uint32_t i = 0; i < N; i++) {
        note(i, &p0, OFFLOAD_REFUSED_FIELD, "nd(target)", detail);
    }
    assert(refusal_log_count() <= REFUSAL_LOG_MAX_FLOWS);
    assert(refusal_log_count() > REFUSAL_LOG_MAX_FLOWS * 9 / 10);
    assert(refusal_log_count() + refusal_log_n_dropped() == N);
    assert(n_walked() == refusal_log_count());
    sums = sum_up();
    assert(sums.n_reasons == 1);
    assert(sums.n_flows + sums.n_dropped == N);
    assert(sums.n_refused == N);

    /* The oldest went, the newest didn't. */
    ufid = ufid_from(N - 1);
    assert(refusal_log_lookup(&ufid, &flow));
    assert(!strcmp(flow.refusal.detail, detail));
    ufid = ufid_from(0);
    assert(!refusal_log_lookup(&ufid, &flow));

    for (uint32_t i = 0; i < N; i++) {
        forget(i);
    }
    assert(!refusal_log_count() && !n_walked() && !sum_up().n_flows);
}

static void
test_reasons(void)
{
    enum { N = 10000 };
    struct sums sums;

    for (uint32_t i = 0; i < N; i++) {
        char name[16];
        struct refusal_place place = {
            OFFLOAD_DP_SYSTEM, u32_to_odp(i), name
        };

        snprintf(name, sizeof name, "p%"PRIu32, i);
        note(i, &place, OFFLOAD_REFUSED_ACTION, "trunc", "");
    }
    sums = sum_up();
    assert(sums.n_reasons == REFUSAL_LOG_MAX_REASONS + 1);
    assert(sums.n_flows == N);

    /* A port's flows go with it, wherever they are counted. */
    refusal_log_forget_port(OFFLOAD_DP_SYSTEM, u32_to_odp(0));
    refusal_log_forget_port(OFFLOAD_DP_SYSTEM, u32_to_odp(N - 1));
    refusal_log_forget_port(OFFLOAD_DP_NETDEV, u32_to_odp(1));
    assert(refusal_log_count() == N - 2);
    assert(sum_up().n_flows == N - 2);
}

static uint64_t
n_refused(enum offload_refusal_code code)
{
    uint64_t totals[OFFLOAD_N_REFUSALS];

    refusal_log_totals(totals);
    return totals[code];
}

/* Runs until at most 'max' reasons are left, or 'now' is over 'end'. */
static void
run_until(size_t max, long long int *now, long long int end)
{
    do {
        ovsrcu_quiesce();
        usleep(100);
        *now += 1000;
        refusal_log_run(*now);
    } while (refusal_log_n_reasons() > max && *now < end);
    assert(refusal_log_n_reasons() <= max);
}

static struct refusal_place
place_from(uint32_t n, char name[16])
{
    snprintf(name, 16, "p%"PRIu32, n);
    return (struct refusal_place) { OFFLOAD_DP_SYSTEM, u32_to_odp(n), name };
}

/* Ports come, are refused something, and go. */
static void
test_churn(void)
{
    enum { ROUNDS = 20, PORTS = 1000, CODES = 3 };
    long long int now = 0;

    for (uint32_t i = 0; i < ROUNDS; i++) {
        for (uint32_t j = 0; j < PORTS; j++) {
            char name[16];
            struct refusal_place place = place_from(i * PORTS + j, name);

            for (uint32_t k = 0; k < CODES; k++) {
                note(j * CODES + k, &place, OFFLOAD_REFUSED_FIELD + k, "s",
                     "");
            }
        }
        /* Each has a reason of its own, none is under its code alone. */
        assert(sum_up().n_reasons == PORTS * CODES);
        assert(sum_up().n_flows == PORTS * CODES);
        for (uint32_t j = 0; j < PORTS; j++) {
            refusal_log_forget_port(OFFLOAD_DP_SYSTEM,
                                    u32_to_odp(i * PORTS + j));
        }
        assert(!sum_up().n_reasons);
        run_until(0, &now, LLONG_MAX);
    }
    /* What was counted stays counted. */
    assert(n_refused(OFFLOAD_REFUSED_FIELD) == ROUNDS * PORTS);
}

/* Ports stay, and are refused something else each time. */
static void
test_idle(void)
{
    enum { N = REFUSAL_LOG_MAX_REASONS * 7 / 8 };
    long long int now = 0;

    for (uint32_t i = 0; i < N; i++) {
        char name[16];
        struct refusal_place place = place_from(i, name);

        note(i, &place, OFFLOAD_REFUSED_FIELD, "s", "");
    }
    run_until(N, &now, LLONG_MAX);
    for (uint32_t i = 1; i < N; i++) {
        forget(i);
    }
    /* Not before their time, nor while they have a flow, nor more than
     * needed. */
    run_until(N, &now, now + REFUSAL_LOG_IDLE_MS / 2);
    assert(refusal_log_n_reasons() == N);
    now += REFUSAL_LOG_IDLE_MS;
    run_until(REFUSAL_LOG_MAX_REASONS * 3 / 4, &now, LLONG_MAX);
    assert(sum_up().n_reasons == 1 && sum_up().n_flows == 1);
    assert(n_refused(OFFLOAD_REFUSED_FIELD) == N);
}

static void
test_device(void)
{
    /* Numbers don't make another reason, words do. */
    note(1, &p0, OFFLOAD_REFUSED_DEVICE, "tc flower", "table 1 is full");
    note(2, &p0, OFFLOAD_REFUSED_DEVICE, "tc flower", "table 2 is full");
    assert(sum_up().n_reasons == 1);
    note(3, &p0, OFFLOAD_REFUSED_DEVICE, "tc flower", "no such table");
    assert(sum_up().n_reasons == 2);
}

static void
test_again(void)
{
    struct refused_flow flow, again;
    ovs_u128 ufid = ufid_from(1);

    note(1, &p0, OFFLOAD_REFUSED_ACTION, "trunc", "");
    assert(refusal_log_lookup(&ufid, &flow) && flow.n == 1);
    note(1, &p0, OFFLOAD_REFUSED_ACTION, "trunc", "");
    assert(refusal_log_lookup(&ufid, &again) && again.n == 2);
    assert(again.since == flow.since && again.last >= flow.last);
    assert(refusal_log_count() == 1);

    /* For another reason: counted anew. */
    note(1, &p0, OFFLOAD_REFUSED_FIELD, "nd(target)", "why");
    assert(refusal_log_lookup(&ufid, &again) && again.n == 1);
    assert(!strcmp(again.refusal.detail, "why"));
    assert(!strcmp(again.port, "p0"));
    assert(sum_up().n_reasons == 1 && sum_up().n_flows == 1);

    forget(1);
    forget(1);
    assert(!refusal_log_lookup(&ufid, &again));
    assert(!refusal_log_count());
}

static atomic_count n_hammers;
static atomic_count n_noted;

static void *
hammer(void *seed_)
{
    uint32_t seed = *(const uint32_t *) seed_;

    random_set_seed(seed);
    for (int i = 0; i < 100000; i++) {
        uint32_t n = random_range(1000);

        if (!(i % 16)) {
            ovsrcu_quiesce();
        }
        if (random_range(2)) {
            atomic_count_inc(&n_noted);
            note(n, &p0, OFFLOAD_REFUSED_FIELD + random_range(5), "s", "d");
        } else if (random_range(1000)) {
            forget(n);
        } else {
            refusal_log_forget_port(p0.datapath, p0.odp_port);
        }
    }
    atomic_count_dec(&n_hammers);
    return NULL;
}

/* All the codes that hammer() notes. */
static uint64_t
n_all_refused(void)
{
    uint64_t n = 0;

    for (int i = 0; i < 5; i++) {
        n += n_refused(OFFLOAD_REFUSED_FIELD + i);
    }
    return n;
}

static void
test_threads(void)
{
    uint32_t seeds[] = { 1, 2, 3, 4 };
    pthread_t threads[ARRAY_SIZE(seeds)];
    uint64_t last = 0;
    long long int now = 0;

    atomic_count_set(&n_hammers, ARRAY_SIZE(seeds));
    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
        threads[i] = ovs_thread_create("hammer", hammer, &seeds[i]);
    }
    while (atomic_count_get(&n_hammers)) {
        refusal_log_run(now += 1000);
        assert(n_all_refused() >= last);
        last = n_all_refused();
        ovsrcu_quiesce();
    }
    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
        xpthread_join(threads[i], NULL);
    }
    assert(n_walked() == refusal_log_count());
    assert(sum_up().n_flows == refusal_log_count());
    refusal_log_forget_port(p0.datapath, p0.odp_port);
    assert(!refusal_log_count() && !sum_up().n_flows);
    run_until(0, &now, LLONG_MAX);
    assert(n_all_refused() == atomic_count_get(&n_noted));
}

/* A report. */

static void
print_report(int argc, const char *argv[])
{
    static const struct report_column columns[] = {
        { "name", "NAME", REPORT_LEFT }, { "n", "N", REPORT_RIGHT },
        { "what", "WHAT", REPORT_LEFT },
    };
    struct json *rows = json_array_create_empty();
    struct json *row = json_object_create();
    struct report r;

    if (!report_begin(&r, NULL, &argc, argv)) {
        json_destroy(rows);
        json_destroy(row);
        return;
    }
    report_put_string(row, "name", "a\"\\\n\x01\033[31m");
    report_put_uint(row, "n", UINT64_MAX);
    report_put_string(row, "what", "caf\xc3\xa9");
    json_array_add(rows, row);
    row = json_object_create();
    report_put_string(row, "name", "\xff\xfe not utf-8");
    report_put_unknown(row, "n");
    report_put_real(row, "what", NAN);
    json_array_add(rows, row);
    json_object_put(r.root, "rows", rows);
    report_put_uint(r.root, "left", argc - 1);
    report_put_bool(r.root, "yes", true);
    report_table(&r, rows, columns, ARRAY_SIZE(columns));
    report_end(&r);
}

int
main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        { "bounded", test_bounded },
        { "reasons", test_reasons },
        { "churn", test_churn },
        { "idle", test_idle },
        { "device", test_device },
        { "again", test_again },
        { "threads", test_threads },
        { "hints", test_hints },
    };

    set_program_name(argv[0]);
    if (argc > 1 && !strcmp(argv[1], "report")) {
        print_report(argc - 1, (const char **) argv + 1);
        return 0;
    }
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(tests); i++) {
        if (!strcmp(argv[1], tests[i].name)) {
            tests[i].run();
            return 0;
        }
    }
    ovs_fatal(0, "usage: %s TEST | report ARGUMENT...", argv[0]);
}
