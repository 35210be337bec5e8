/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/dpdk-config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_config.h>
#include <rte_kvargs.h>
#include <ethdev_driver.h>

/* A setting.  'parse' stores what 'value' says at 'field' of 'config', or
 * returns false with 'message' filled. */
struct setting {
    const char *key;
    bool at_start_only;
    bool (*parse)(struct eswim_config *config, const struct setting *,
                  const char *value, char message[ESWIM_MESSAGE_LEN]);
    size_t field;               /* Offset in struct eswim_config. */
    uint64_t min, max;          /* For numbers. */
    uint64_t initial;
};

static bool __rte_format_printf(2, 3)
refuse(char message[ESWIM_MESSAGE_LEN], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(message, ESWIM_MESSAGE_LEN, format, args);
    va_end(args);
    return false;
}

/* The number that a row of parse_number()'s is about. */
static uint64_t *
number_of(struct eswim_config *config, const struct setting *setting)
{
    return (void *) ((char *) config + setting->field);
}

static bool
parse_unsigned(const char *value, uint64_t *number)
{
    char *end;

    if (!value[0] || value[strspn(value, "0123456789")]) {
        return false;
    }
    errno = 0;
    *number = strtoull(value, &end, 10);
    return !errno;
}

static bool
parse_number(struct eswim_config *config, const struct setting *setting,
             const char *value, char message[ESWIM_MESSAGE_LEN])
{
    uint64_t number;

    if (!parse_unsigned(value, &number) || number < setting->min
        || number > setting->max) {
        return refuse(message, "%s=%s: not a number from %llu to %llu",
                      setting->key, value, (unsigned long long) setting->min,
                      (unsigned long long) setting->max);
    }
    *number_of(config, setting) = number;
    return true;
}

/* A network device's name; 'max' is how many characters it may have, so that
 * a VF's number can follow. */
static bool
parse_if_name(struct eswim_config *config, const struct setting *setting,
              const char *value, char message[ESWIM_MESSAGE_LEN])
{
    if (!value[0] || strlen(value) > setting->max
        || strpbrk(value, "/% :\t\n") || value[0] == '.') {
        return refuse(message, "%s=%s: not a network device's name of at most "
                      "%llu characters", setting->key, value,
                      (unsigned long long) setting->max);
    }
    strcpy((char *) config + setting->field, value);
    return true;
}

static bool
parse_guest(struct eswim_config *config, const struct setting *setting,
            const char *value, char message[ESWIM_MESSAGE_LEN])
{
    config->generators = !strcmp(value, "generator");
    return (config->generators || !strcmp(value, "tap")
            || refuse(message, "%s=%s: neither tap nor generator",
                      setting->key, value));
}

/* Names are looked up when the setting is applied: only the eswitch knows
 * them. */
static bool
parse_refuse(struct eswim_config *config, const struct setting *setting,
             const char *value, char message[ESWIM_MESSAGE_LEN])
{
    if (!value[0] || strlen(value) >= sizeof config->refuse) {
        return refuse(message, "%s: not NAME[+NAME...], or too long",
                      setting->key);
    }
    strcpy(config->refuse, value);
    return true;
}

/* A word that stands for a number. */
struct word {
    const char *word;
    int number;
};

static bool
find_word(const struct word words[], const char *text, int *number)
{
    for (; words->word; words++) {
        if (!strcmp(words->word, text)) {
            *number = words->number;
            return true;
        }
    }
    return false;
}

static bool
parse_errno(const char *text, int *number)
{
    static const struct word errors[] = {
        { "EAGAIN", EAGAIN }, { "EBUSY", EBUSY }, { "EEXIST", EEXIST },
        { "EINVAL", EINVAL }, { "EIO", EIO }, { "ENOMEM", ENOMEM },
        { "ENOSPC", ENOSPC }, { "ENOTSUP", ENOTSUP },
        { "ETIMEDOUT", ETIMEDOUT }, { NULL, 0 }
    };
    uint64_t n;

    if (find_word(errors, text, number)) {
        return true;
    }
    if (!parse_unsigned(text, &n) || !n || n > 4095) {
        return false;
    }
    *number = n;
    return true;
}

/* NTH:ERRNO[:OPERATION], where ERRNO is a number or a name. */
static bool
parse_fail(struct eswim_config *config, const struct setting *setting,
           const char *value, char message[ESWIM_MESSAGE_LEN])
{
    static const struct word operations[] = {
        { "create", ESWITCH_CREATE }, { "destroy", ESWITCH_DESTROY },
        { "query", ESWITCH_QUERY }, { NULL, 0 }
    };
    char nth[16], error[16], operation[16] = "create";
    int number, operation_number, end = 0;
    uint64_t nth_number;

    sscanf(value, "%15[0-9]:%15[A-Z0-9]%n:%15[a-z]%n", nth, error, &end,
           operation, &end);
    if (!end || value[end]
        || !parse_unsigned(nth, &nth_number) || nth_number > UINT32_MAX
        || !parse_errno(error, &number)
        || !find_word(operations, operation, &operation_number)) {
        return refuse(message, "%s=%.40s: not NTH:ERRNO[:OPERATION], such as "
                      "3:ENOMEM or 1:EIO:destroy", setting->key, value);
    }
    config->has_fail = true;
    config->fail_operation = operation_number;
    config->fail_nth = nth_number;
    config->fail_errno = number;
    return true;
}

/* "representor" selects among the ports, which are all there from the start.
 * That is DPDK's own doing, but those that are named must exist. */
static bool
parse_representor(struct eswim_config *config, const struct setting *setting,
                  const char *value, char message[ESWIM_MESSAGE_LEN])
{
    struct rte_eth_devargs selected;
    char arg[256];

    if (snprintf(arg, sizeof arg, "representor=%s", value) >= (int) sizeof arg
        || rte_eth_devargs_parse(arg, &selected)
        || selected.type != RTE_ETH_REPRESENTOR_VF) {
        return refuse(message, "%s=%s: not a list of VFs, such as vf[0-3]",
                      setting->key, value);
    }
    for (int i = 0; i < selected.nb_representor_ports; i++) {
        if (selected.representor_ports[i] >= config->vfs) {
            return refuse(message, "%s=%s: there are %llu VFs", setting->key,
                          value, (unsigned long long) config->vfs);
        }
    }
    return true;
}

#define FIELD(NAME) offsetof(struct eswim_config, NAME)

/* "vfs" comes first: the last row refers to it. */
static const struct setting settings[] = {
    { "vfs", true, parse_number, FIELD(vfs), 0, RTE_MAX_ETHPORTS - 1, 2 },
    { "guest", true, parse_guest, 0, 0, 0, 0 },
    { "guest-if", true, parse_if_name, FIELD(guest_if), 0, IFNAMSIZ - 3, 0 },
    { "wire-if", true, parse_if_name, FIELD(wire_if), 0, IFNAMSIZ - 1, 0 },
    { "capacity", false, parse_number, FIELD(capacity), 0, 1u << 24,
      1u << 20 },
    { "insert-latency", false, parse_number, FIELD(insert_latency), 0,
      10 * 1000 * 1000, 0 },
    { "counter-refresh", false, parse_number, FIELD(counter_refresh), 0,
      60 * 1000, 500 },
    { "refuse", false, parse_refuse, 0, 0, 0, 0 },
    { "fail", false, parse_fail, 0, 0, 0, 0 },
    { "representor", true, parse_representor, 0, 0, 0, 0 },
};

#define N_SETTINGS (sizeof settings / sizeof settings[0])

static const struct setting *
find_setting(const char *key)
{
    for (size_t i = 0; i < N_SETTINGS; i++) {
        if (!strcmp(key, settings[i].key)) {
            return &settings[i];
        }
    }
    return NULL;
}

static bool
unknown(const char *key, char message[ESWIM_MESSAGE_LEN])
{
    size_t n = snprintf(message, ESWIM_MESSAGE_LEN,
                        "no argument \"%.30s\"; there are", key);

    for (size_t i = 0; i < N_SETTINGS && n < ESWIM_MESSAGE_LEN; i++) {
        n += snprintf(message + n, ESWIM_MESSAGE_LEN - n, " %s",
                      settings[i].key);
    }
    return false;
}

/* Sets in 'config' what 'key' names to 'value'.  Returns true, or false with
 * the reason in 'message' and 'config' as it was: there is no such setting,
 * the value makes no sense, or it can be set only while the NIC is made and
 * this isn't 'at_start'. */
bool
eswim_config_set(struct eswim_config *config, const char *key,
                 const char *value, bool at_start,
                 char message[ESWIM_MESSAGE_LEN])
{
    const struct setting *setting = find_setting(key);

    if (!setting) {
        return unknown(key, message);
    }
    if (setting->at_start_only && !at_start) {
        return refuse(message, "%s can be set only at start", key);
    }
    return setting->parse(config, setting, value, message);
}

static void
set_defaults(struct eswim_config *config, const char *nic_name)
{
    const char *short_name = !strncmp(nic_name, "net_", 4) ? nic_name + 4
                                                           : nic_name;

    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < N_SETTINGS; i++) {
        if (settings[i].parse == parse_number) {
            *number_of(config, &settings[i]) = settings[i].initial;
        }
    }
    snprintf(config->guest_if, sizeof config->guest_if, "%.9svf", short_name);
    snprintf(config->wire_if, sizeof config->wire_if, "%.9swire", short_name);
}

/* Fills 'config' from 'args', the arguments of the device 'nic_name', and
 * defaults.  Returns false, with the reason in 'message', if they are wrong:
 * unknown, out of their limits, or given twice. */
bool
eswim_config_parse(struct eswim_config *config, const char *nic_name,
                   const char *args, char message[ESWIM_MESSAGE_LEN])
{
    struct rte_kvargs *kvargs;
    bool ok = true;

    set_defaults(config, nic_name);
    if (!args || !args[0]) {
        return true;
    }
    kvargs = rte_kvargs_parse(args, NULL);
    if (!kvargs) {
        return refuse(message, "\"%.100s\" isn't KEY=VALUE[,KEY=VALUE...]",
                      args);
    }
    /* By the table's order, so that "vfs" is known when others need it. */
    for (size_t i = 0; ok && i < N_SETTINGS; i++) {
        const char *key = settings[i].key;
        unsigned int n = rte_kvargs_count(kvargs, key);

        if (n > 1) {
            ok = refuse(message, "%s is given %u times", key, n);
        } else if (n == 1) {
            const char *value = rte_kvargs_get(kvargs, key);

            ok = eswim_config_set(config, key, value ? value : "", true,
                                  message);
        }
    }
    for (unsigned int i = 0; ok && i < kvargs->count; i++) {
        if (!find_setting(kvargs->pairs[i].key)) {
            ok = unknown(kvargs->pairs[i].key, message);
        }
    }
    rte_kvargs_free(kvargs);
    return ok;
}
