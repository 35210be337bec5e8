/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/dpdk-generator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "eswim/eswitch.h"

/* Frames in a row before others get their turn. */
#define BURST 32

/* A generator that is behind its time by more than this forgets about it, and
 * doesn't send all at once when it can again.  Nanoseconds. */
#define MAX_DEBT 10000000

#define SECOND UINT64_C(1000000000)

/* Ethernet, IPv4, UDP. */
#define ETH_LEN 14
#define IP_LEN 20
#define UDP_LEN 8

/* At the end of each frame. */
struct signature {
    uint8_t magic[8];
    uint32_t flow, sequence;    /* Host byte order: for people. */
};
static const uint8_t magic[8] = { 'e', 's', 'w', 'i', 'm', 'g', 'e', 'n' };

#define MIN_FRAME (ETH_LEN + IP_LEN + UDP_LEN + sizeof(struct signature))

/* Settings. */

/* Fields of a frame that can be set and varied: name, offset, bytes, value. */
enum field { ETH_DST, ETH_SRC, IP_SRC, IP_DST, UDP_SRC, UDP_DST, N_FIELDS };

static const struct field_row {
    const char *name;
    size_t offset, size;
    uint64_t initial;
} fields[N_FIELDS] = {
    [ETH_DST] = { "eth-dst", 0, 6, UINT64_C(0x020000000002) },
    [ETH_SRC] = { "eth-src", 6, 6, UINT64_C(0x020000000001) },
    [IP_SRC] = { "ip-src", ETH_LEN + 12, 4, 0x0a000001 },
    [IP_DST] = { "ip-dst", ETH_LEN + 16, 4, 0x0a400000 },
    [UDP_SRC] = { "udp-src", ETH_LEN + IP_LEN, 2, 1024 },
    [UDP_DST] = { "udp-dst", ETH_LEN + IP_LEN + 2, 2, 9 },
};

/* Numbers: flows to send, the number of the first one, frames a second (0: as
 * fast as it goes), frames (0: without end), and bytes of a frame. */
enum number { FLOWS, FIRST, RATE, COUNT, SIZE, N_NUMBERS };

static const struct number_row {
    const char *name;
    uint64_t min, max, initial;
} numbers[N_NUMBERS] = {
    [FLOWS] = { "flows", 1, 1u << 24, 1 },
    [FIRST] = { "first", 0, 1u << 24, 0 },
    [RATE] = { "rate", 0, 1000000000, 1000 },
    [COUNT] = { "count", 0, UINT64_C(1) << 48, 0 },
    [SIZE] = { "size", MIN_FRAME, ESWITCH_MAX_FRAME, 64 },
};

struct settings {
    uint64_t field[N_FIELDS];
    uint64_t number[N_NUMBERS];
    bool vary[N_FIELDS];
};

struct eswim_generator {
    struct settings settings;
    bool running;
    uint64_t start, end;        /* Of the run, ns. */
    uint64_t due;               /* When the next frame is, ns. */
    uint64_t *first_sent;       /* By flow, ns; 0: not yet. */
    struct eswim_generator_report totals;   /* Without settings. */
    size_t size;
    uint8_t frame[ESWITCH_MAX_FRAME];
};

static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static bool
parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && !errno
           && *value >= min && *value <= max;
}

/* An address as people write it, or a port's number. */
static bool
parse_field(const struct field_row *row, const char *text, uint64_t *value)
{
    unsigned int b[6];
    struct in_addr ip;
    int n = 0;

    switch (row->size) {
    case 2:
        return parse_number(text, 0, UINT16_MAX, value);
    case 4:
        if (inet_pton(AF_INET, text, &ip) != 1) {
            return false;
        }
        *value = ntohl(ip.s_addr);
        return true;
    default:
        if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2],
                   &b[3], &b[4], &b[5], &n) != 6 || text[n]) {
            return false;
        }
        *value = 0;
        for (int i = 0; i < 6; i++) {
            *value = *value << 8 | b[i];
        }
        return true;
    }
}

/* NAME[+NAME...] */
static bool
parse_vary(const char *text, bool vary[N_FIELDS])
{
    memset(vary, 0, N_FIELDS * sizeof *vary);
    for (;;) {
        size_t len = strcspn(text, "+");
        int i = 0;

        while (i < N_FIELDS && (strlen(fields[i].name) != len
                                || memcmp(fields[i].name, text, len))) {
            i++;
        }
        if (i == N_FIELDS) {
            return false;
        }
        vary[i] = true;
        if (!text[len]) {
            return true;
        }
        text += len + 1;
    }
}

/* Returns false if there is no such setting, or the value makes no sense. */
static bool
set_one(struct settings *settings, const char *key, const char *value)
{
    if (!strcmp(key, "vary")) {
        return parse_vary(value, settings->vary);
    }
    for (int i = 0; i < N_NUMBERS; i++) {
        if (!strcmp(key, numbers[i].name)) {
            return parse_number(value, numbers[i].min, numbers[i].max,
                                &settings->number[i]);
        }
    }
    for (int i = 0; i < N_FIELDS; i++) {
        if (!strcmp(key, fields[i].name)) {
            return parse_field(&fields[i], value, &settings->field[i]);
        }
    }
    return false;
}

static void
set_defaults(struct settings *settings)
{
    memset(settings, 0, sizeof *settings);
    for (int i = 0; i < N_NUMBERS; i++) {
        settings->number[i] = numbers[i].initial;
    }
    for (int i = 0; i < N_FIELDS; i++) {
        settings->field[i] = fields[i].initial;
    }
    settings->vary[IP_DST] = true;
}

static bool
parse_settings(struct settings *settings, const char *text, char *message,
               size_t message_size)
{
    char copy[512], *save, *setting;

    if (strlen(text) >= sizeof copy) {
        snprintf(message, message_size, "too long");
        return false;
    }
    strcpy(copy, text);
    set_defaults(settings);
    for (setting = strtok_r(copy, ",", &save); setting;
         setting = strtok_r(NULL, ",", &save)) {
        char *value = strchr(setting, '=');

        if (value) {
            *value++ = '\0';
        }
        if (!value || !set_one(settings, setting, value)) {
            snprintf(message, message_size, "%.40s=%.60s: no such setting, or "
                     "not a value for it", setting, value ? value : "");
            return false;
        }
    }
    return true;
}

/* Frames. */

static void
put(uint8_t *p, size_t size, uint64_t value)
{
    while (size--) {
        p[size] = value;
        value >>= 8;
    }
}

static void
put_ip_checksum(uint8_t *ip)
{
    uint32_t sum = 0;

    put(ip + 10, 2, 0);
    for (int i = 0; i < IP_LEN; i += 2) {
        sum += ip[i] << 8 | ip[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    put(ip + 10, 2, ~(sum + (sum >> 16)));
}

/* What all frames have in common.  There is no UDP checksum, which IPv4
 * allows. */
static void
make_frame(struct eswim_generator *generator)
{
    uint8_t *frame = generator->frame;
    uint8_t *ip = frame + ETH_LEN;
    size_t size = generator->settings.number[SIZE];

    generator->size = size;
    memset(frame, 0, size);
    put(frame + 12, 2, 0x0800);
    put(ip, 2, 0x4500);
    put(ip + 2, 2, size - ETH_LEN);
    put(ip + 8, 2, 64 << 8 | IPPROTO_UDP);
    put(ip + IP_LEN + 4, 2, size - ETH_LEN - IP_LEN);
    memcpy(frame + size - sizeof(struct signature), magic, sizeof magic);
}

static void
make_flow(struct eswim_generator *generator, uint64_t flow)
{
    const struct settings *settings = &generator->settings;
    uint8_t *frame = generator->frame;

    for (int i = 0; i < N_FIELDS; i++) {
        put(frame + fields[i].offset, fields[i].size,
            settings->field[i] + (settings->vary[i] ? flow : 0));
    }
    put_ip_checksum(frame + ETH_LEN);
}

static void
sign(struct eswim_generator *generator, uint32_t flow, uint32_t sequence)
{
    uint8_t *p = (generator->frame + generator->size
                  - sizeof(struct signature));

    memcpy(p + offsetof(struct signature, flow), &flow, sizeof flow);
    memcpy(p + offsetof(struct signature, sequence), &sequence,
           sizeof sequence);
}

/* The generator. */

struct eswim_generator *
eswim_generator_create(void)
{
    struct eswim_generator *generator = calloc(1, sizeof *generator);

    if (generator) {
        set_defaults(&generator->settings);
    }
    return generator;
}

void
eswim_generator_destroy(struct eswim_generator *generator)
{
    if (generator) {
        free(generator->first_sent);
        free(generator);
    }
}

bool
eswim_generator_start(struct eswim_generator *generator, const char *text,
                      char *message, size_t message_size)
{
    struct settings settings;
    uint64_t *first_sent;
    size_t n_bytes;

    if (!parse_settings(&settings, text, message, message_size)) {
        return false;
    }
    n_bytes = settings.number[FLOWS] * sizeof *first_sent;
    first_sent = malloc(n_bytes);
    if (!first_sent) {
        snprintf(message, message_size, "no memory for so many flows");
        return false;
    }
    /* Not calloc(): it is to be resident before anything is measured. */
    memset(first_sent, 0, n_bytes);
    free(generator->first_sent);
    generator->first_sent = first_sent;
    generator->settings = settings;
    generator->totals.run = 0;
    generator->running = true;
    generator->start = generator->end = generator->due = now_ns();
    make_frame(generator);
    return true;
}

void
eswim_generator_stop(struct eswim_generator *generator)
{
    if (generator->running) {
        generator->running = false;
        generator->end = now_ns();
    }
}

static void
send_one(struct eswim_generator *generator, eswim_generator_deliver *deliver,
         void *aux)
{
    const uint64_t *number = generator->settings.number;
    uint64_t index = generator->totals.run % number[FLOWS];

    make_flow(generator, number[FIRST] + index);
    sign(generator, number[FIRST] + index, generator->totals.run);
    if (!generator->first_sent[index]) {
        generator->first_sent[index] = now_ns();
    }
    generator->totals.run++;
    generator->totals.sent++;
    generator->totals.sent_bytes += generator->size;
    deliver(aux, generator->frame, generator->size);
    if (number[COUNT] && generator->totals.run >= number[COUNT]) {
        eswim_generator_stop(generator);
    }
}

/* What is due since too long isn't sent any more. */
static void
forgive(struct eswim_generator *generator, uint64_t now, uint64_t gap)
{
    if (now > generator->due + MAX_DEBT) {
        uint64_t n = (now - generator->due) / gap;

        generator->totals.forgiven += n;
        generator->due += n * gap;
    }
}

/* Gaps are whole nanoseconds: the rate is met to that. */
uint64_t
eswim_generator_send(struct eswim_generator *generator,
                     eswim_generator_deliver *deliver, void *aux)
{
    uint64_t rate = generator->settings.number[RATE];
    uint64_t gap = rate ? SECOND / rate : 0;
    uint64_t now;

    if (!generator->running) {
        return UINT64_MAX;
    }
    now = now_ns();
    if (gap) {
        forgive(generator, now, gap);
    }
    for (int i = 0; i < BURST && generator->running; i++) {
        if (generator->due > now) {
            return generator->due - now;
        }
        send_one(generator, deliver, aux);
        generator->due += gap;
    }
    return generator->running ? 0 : UINT64_MAX;
}

void
eswim_generator_receive(struct eswim_generator *generator, const void *frame,
                        size_t size)
{
    const uint8_t *signature = (const uint8_t *) frame + size
                               - sizeof(struct signature);

    if (size >= MIN_FRAME && !memcmp(signature, magic, sizeof magic)) {
        generator->totals.got++;
        generator->totals.got_bytes += size;
    } else {
        generator->totals.got_other++;
    }
}

void
eswim_generator_report(const struct eswim_generator *generator,
                       struct eswim_generator_report *report)
{
    const uint64_t *number = generator->settings.number;
    uint64_t end = generator->running ? now_ns() : generator->end;

    *report = generator->totals;
    report->running = generator->running;
    report->flows = number[FLOWS];
    report->rate = number[RATE];
    report->size = number[SIZE];
    report->count = number[COUNT];
    report->run_us = (end - generator->start) / 1000;
}

/* Latencies. */

static int
compare(const void *a_, const void *b_)
{
    const uint64_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void
summarize(uint64_t us[], size_t n, struct eswim_generator_latency *latency)
{
    qsort(us, n, sizeof *us, compare);
    latency->p50 = n ? us[n * 50 / 100] : 0;
    latency->p90 = n ? us[n * 90 / 100] : 0;
    latency->p99 = n ? us[n * 99 / 100] : 0;
    latency->max = n ? us[n - 1] : 0;
}

int
eswim_generator_latency(struct eswim_generator *generator,
                        eswim_generator_ask *ask, void *aux,
                        struct eswim_generator_latency *latency)
{
    const uint64_t *number = generator->settings.number;
    uint64_t *us = malloc(number[FLOWS] * sizeof *us);
    size_t n = 0;

    memset(latency, 0, sizeof *latency);
    if (!us) {
        return ENOMEM;
    }
    for (uint64_t i = 0; generator->first_sent && i < number[FLOWS]; i++) {
        uint64_t sent = generator->first_sent[i];
        uint64_t since;

        if (!sent) {
            continue;
        }
        make_flow(generator, number[FIRST] + i);
        since = ask(aux, generator->frame, generator->size);
        if (!since) {
            latency->without_rule++;
        } else if (since < sent) {
            latency->earlier++;
        } else {
            us[n++] = (since - sent) / 1000;
        }
    }
    latency->with_rule = n;
    summarize(us, n, latency);
    free(us);
    return 0;
}
