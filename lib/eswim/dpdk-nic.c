/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/dpdk-nic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>

RTE_LOG_REGISTER(eswim_logtype, pmd.net.eswim, NOTICE);

/* All NICs, for those who know but a name. */
static TAILQ_HEAD(, eswim_nic) nics = TAILQ_HEAD_INITIALIZER(nics);
static pthread_mutex_t nics_mutex = PTHREAD_MUTEX_INITIALIZER;

/* While the NICs are locked, none comes or goes, and none of their ports is
 * closed.  To be called by threads that
 * are none of DPDK's control threads, which make and destroy NICs. */
void
eswim_nics_lock(void)
{
    pthread_mutex_lock(&nics_mutex);
}

void
eswim_nics_unlock(void)
{
    pthread_mutex_unlock(&nics_mutex);
}

/* Returns the first NIC, or NULL.  The others follow by their 'link'. */
struct eswim_nic *
eswim_nic_first(void)
{
    return TAILQ_FIRST(&nics);
}

/* Returns the NIC called 'name', or NULL. */
struct eswim_nic *
eswim_nic_find(const char *name)
{
    struct eswim_nic *nic;

    TAILQ_FOREACH (nic, &nics, link) {
        if (!strcmp(nic->name, name)) {
            break;
        }
    }
    return nic;
}

/* Returns the port of 'nic' that DPDK knows as 'port_id', or NULL. */
struct eswim_port *
eswim_port_by_id(const struct eswim_nic *nic, uint32_t port_id)
{
    for (unsigned int i = 0; i < nic->n_ports; i++) {
        struct eswim_port *port = &nic->ports[i];

        if (atomic_load(&port->port_id) == (int64_t) port_id) {
            return port;
        }
    }
    return NULL;
}

/* Does any NIC have an open port that DPDK knows as 'port_id'?  The caller has
 * locked the NICs. */
bool
eswim_has_port(uint32_t port_id)
{
    struct eswim_nic *nic;

    TAILQ_FOREACH (nic, &nics, link) {
        if (eswim_port_by_id(nic, port_id)) {
            return true;
        }
    }
    return false;
}

static bool
refuse_each(struct eswitch *eswitch, const char *names, bool refused,
            char message[ESWIM_MESSAGE_LEN])
{
    char copy[ESWIM_REFUSE_LEN], *save, *name;
    struct eswitch_error error;

    strcpy(copy, strcmp(names, "none") ? names : "");
    for (name = strtok_r(copy, "+", &save); name;
         name = strtok_r(NULL, "+", &save)) {
        if (eswitch_refuse(eswitch, name, refused, &error)) {
            snprintf(message, ESWIM_MESSAGE_LEN, "refuse: %s", error.text);
            return false;
        }
    }
    return true;
}

/* Brings what can change at any time to the eswitch, where it was as 'before'
 * says; NULL: it is new. */
static bool
apply_config(struct eswitch *eswitch, const struct eswim_config *config,
             const struct eswim_config *before,
             char message[ESWIM_MESSAGE_LEN])
{
    const char *refused_before = before ? before->refuse : "";

    if (strcmp(refused_before, config->refuse)) {
        refuse_each(eswitch, refused_before, false, message);
        if (!refuse_each(eswitch, config->refuse, true, message)) {
            refuse_each(eswitch, config->refuse, false, message);
            refuse_each(eswitch, refused_before, true, message);
            return false;
        }
    }
    eswitch_set_capacity(eswitch, config->capacity);
    eswitch_set_insert_latency(eswitch, config->insert_latency);
    if (!before || before->counter_refresh != config->counter_refresh) {
        eswitch_set_counter_refresh(eswitch, config->counter_refresh);
    }
    if (config->has_fail) {
        eswitch_inject(eswitch, config->fail_operation, config->fail_nth,
                       config->fail_errno);
    }
    return true;
}

/* Changes a setting while 'nic' runs.  Returns false with the reason in
 * 'message', and all as before. */
bool
eswim_nic_set(struct eswim_nic *nic, const char *key, const char *value,
              char message[ESWIM_MESSAGE_LEN])
{
    struct eswim_config config;
    bool ok;

    pthread_mutex_lock(&nic->config_mutex);
    config = nic->config;
    ok = eswim_config_set(&config, key, value, false, message)
         && apply_config(nic->eswitch, &config, &nic->config, message);
    if (ok) {
        config.has_fail = false;
        nic->config = config;
    }
    pthread_mutex_unlock(&nic->config_mutex);
    return ok;
}

static void
all_rules_are_gone(void *nic_)
{
    struct eswim_nic *nic = nic_;

    for (unsigned int i = 0; i < nic->n_ports; i++) {
        eswim_port_notify(&nic->ports[i], atomic_load(&nic->removed)
                                              ? RTE_ETH_EVENT_INTR_RMV
                                              : RTE_ETH_EVENT_INTR_RESET);
    }
}

/* As if somebody had pulled 'nic' out of its slot: no rule, no traffic, and
 * nothing works any more but to close its ports and to remove it. */
void
eswim_nic_pull_out(struct eswim_nic *nic)
{
    if (atomic_exchange(&nic->removed, true)) {
        return;
    }
    for (unsigned int i = 0; i < nic->n_ports; i++) {
        eswim_hardware_unplug(&nic->ports[i]);
    }
    eswitch_reset(nic->eswitch);
}

static int
create_eswitch(struct eswim_nic *nic)
{
    struct eswitch_params params = ESWITCH_PARAMS_INITIALIZER;
    char message[ESWIM_MESSAGE_LEN] = "";
    struct eswitch_error error;

    params.n_vfs = nic->config.vfs;
    params.reset = all_rules_are_gone;
    params.aux = nic;
    if (eswitch_create(&params, &nic->eswitch, &error)) {
        ESWIM_LOG(ERR, "%s: %s\n", nic->name, error.text);
        return error.error;
    }
    if (!apply_config(nic->eswitch, &nic->config, NULL, message)) {
        ESWIM_LOG(ERR, "%s: %s\n", nic->name, message);
        return EINVAL;
    }
    nic->config.has_fail = false;
    return 0;
}

static void
name_guest(struct eswim_port *port, const struct eswim_config *config)
{
    if (port->index) {
        snprintf(port->guest_name, sizeof port->guest_name, "%.13s%u",
                 config->guest_if, (port->index - 1) % 100);
    } else {
        snprintf(port->guest_name, sizeof port->guest_name, "%s",
                 config->wire_if);
    }
}

static int
init_ports(struct eswim_nic *nic)
{
    nic->ports = calloc(nic->config.vfs + 1, sizeof *nic->ports);
    if (!nic->ports) {
        return ENOMEM;
    }
    nic->n_ports = nic->config.vfs + 1;
    for (unsigned int i = 0; i < nic->n_ports; i++) {
        struct eswim_port *port = &nic->ports[i];

        port->nic = nic;
        port->index = i;
        port->port_id = -1;
        port->guest.fd = -1;
        atomic_init(&port->admin_up, true);
        rte_eth_random_addr(port->mac.addr_bytes);
        name_guest(port, &nic->config);
    }
    for (unsigned int i = 0; nic->config.generators && i < nic->n_ports; i++) {
        nic->ports[i].generator = eswim_generator_create();
        if (!nic->ports[i].generator) {
            return ENOMEM;
        }
    }
    return 0;
}

static int
create_ports(struct eswim_nic *nic)
{
    for (unsigned int i = 0; i < nic->n_ports; i++) {
        struct eswim_port *port = &nic->ports[i];
        int error = eswim_hardware_plug(port);

        if (error) {
            ESWIM_LOG(ERR, "%s: can't make the TAP device %s: %s\n",
                      nic->name, port->guest_name, strerror(error));
            return error;
        }
    }
    for (unsigned int i = 0; i < nic->n_ports; i++) {
        int error = eswim_port_create(&nic->ports[i]);

        if (error) {
            ESWIM_LOG(ERR, "%s: can't make port %u: %s\n", nic->name, i,
                      strerror(error));
            return error;
        }
    }
    return 0;
}

static int
create_parts(struct eswim_nic *nic)
{
    int error = -rte_eth_switch_domain_alloc(&nic->domain_id);

    if (!error) {
        error = init_ports(nic);
    }
    if (!error) {
        error = create_eswitch(nic);
    }
    if (!error) {
        error = eswim_hardware_start(nic);
    }
    return error ? error : create_ports(nic);
}

/* Destroys 'nic', with all of its ports, rules and far ends. */
static void
destroy(struct eswim_nic *nic)
{
    for (unsigned int i = 0; i < nic->n_ports; i++) {
        eswim_port_destroy(&nic->ports[i]);
    }
    eswim_hardware_stop(nic);
    if (nic->eswitch) {
        eswitch_destroy(nic->eswitch);
    }
    if (nic->domain_id != RTE_ETH_DEV_SWITCH_DOMAIN_ID_INVALID) {
        rte_eth_switch_domain_free(nic->domain_id);
    }
    pthread_mutex_destroy(&nic->config_mutex);
    pthread_mutex_destroy(&nic->io_mutex);
    for (unsigned int i = 0; i < nic->n_ports; i++) {
        eswim_generator_destroy(nic->ports[i].generator);
    }
    free(nic->ports);
    free(nic);
}

/* Makes a NIC for 'vdev', with its ports, far ends and thread.  Returns 0 or a
 * positive errno, having logged why and left nothing behind. */
static int
create(struct rte_vdev_device *vdev, const struct eswim_config *config)
{
    struct eswim_nic *nic = calloc(1, sizeof *nic);
    int error;

    if (!nic) {
        return ENOMEM;
    }
    nic->vdev = vdev;
    nic->config = *config;
    nic->domain_id = RTE_ETH_DEV_SWITCH_DOMAIN_ID_INVALID;
    nic->epoll_fd = nic->wake_fd = -1;
    snprintf(nic->name, sizeof nic->name, "%s", rte_vdev_device_name(vdev));
    pthread_mutex_init(&nic->config_mutex, NULL);
    pthread_mutex_init(&nic->io_mutex, NULL);

    error = create_parts(nic);
    if (error) {
        destroy(nic);
        return error;
    }
    eswim_nics_lock();
    TAILQ_INSERT_TAIL(&nics, nic, link);
    eswim_nics_unlock();
    for (unsigned int i = 0; i < nic->n_ports; i++) {
        rte_eth_dev_probing_finish(nic->ports[i].dev);
    }
    return 0;
}

static int
probe(struct rte_vdev_device *vdev)
{
    const char *name = rte_vdev_device_name(vdev);
    char message[ESWIM_MESSAGE_LEN];
    struct eswim_config config;

    if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
        ESWIM_LOG(ERR, "%s: works in a primary process only\n", name);
        return -ENOTSUP;
    }
    if (!eswim_config_parse(&config, name, rte_vdev_device_args(vdev),
                            message)) {
        ESWIM_LOG(ERR, "%s: %s\n", name, message);
        return -EINVAL;
    }
    return -create(vdev, &config);
}

static int
unprobe(struct rte_vdev_device *vdev)
{
    struct eswim_nic *nic;

    eswim_nics_lock();
    nic = eswim_nic_find(rte_vdev_device_name(vdev));
    if (nic) {
        TAILQ_REMOVE(&nics, nic, link);
    }
    eswim_nics_unlock();
    if (!nic) {
        return -ENODEV;
    }
    destroy(nic);
    return 0;
}

static struct rte_vdev_driver eswim_driver = {
    .probe = probe,
    .remove = unprobe,
};

RTE_PMD_REGISTER_VDEV(net_eswim, eswim_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_eswim,
    "vfs=<number> "
    "guest=tap|generator "
    "guest-if=<prefix> "
    "wire-if=<name> "
    "capacity=<rules> "
    "insert-latency=<us> "
    "counter-refresh=<ms> "
    "refuse=<name>[+<name>...] "
    "fail=<nth>:<errno>[:<operation>] "
    "representor=vf<list>");
