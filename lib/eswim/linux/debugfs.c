// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/eswim/eswimN/:
 *
 *	rules			the hardware's rules and their counters
 *	meters			what police actions measure by, and its counters
 *	capacity, insert_latency_us, counter_lag_ms, fail_nth, fail_errno
 *				numbers; see fault.h
 *	refuse_keys, refuse_actions
 *				names, "none", or "all"; a write replaces
 *	reset			any write makes the firmware fail; "devlink
 *				health" recovers it, unless told not to
 */

#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "meter.h"
#include "table.h"

static struct dentry *eswim_debugfs;

/* --- rules ---------------------------------------------------------------- */

static void eswim_rule_show(struct seq_file *file,
			    const struct eswim_rule *rule)
{
	seq_printf(file, "cookie %lx chain %u prio %u", rule->cookie,
		   rule->chain, rule->prio);
	eswim_key_show(file, &rule->key, eswim_rule_mask(rule));
	seq_puts(file, " ->");
	eswim_acts_show(file, rule->acts, rule->n_acts);
	seq_printf(file, " packets %lld bytes %lld drops %lld\n",
		   atomic64_read(&rule->counter.packets),
		   atomic64_read(&rule->counter.bytes),
		   atomic64_read(&rule->counter.drops));
}

static void *eswim_rules_start(struct seq_file *file, loff_t *pos)
{
	struct eswim_nic *nic = file->private;

	mutex_lock(&nic->rules_lock);
	return seq_list_start(&nic->rules, *pos);
}

static void *eswim_rules_next(struct seq_file *file, void *v, loff_t *pos)
{
	struct eswim_nic *nic = file->private;

	return seq_list_next(v, &nic->rules, pos);
}

static void eswim_rules_stop(struct seq_file *file, void *v)
{
	struct eswim_nic *nic = file->private;

	mutex_unlock(&nic->rules_lock);
}

static int eswim_rules_show(struct seq_file *file, void *v)
{
	struct eswim_rule *rule = list_entry(v, struct eswim_rule, list);

	if (rule->table)
		eswim_rule_show(file, rule);
	return 0;
}

static const struct seq_operations eswim_rules_sops = {
	.start = eswim_rules_start,
	.next = eswim_rules_next,
	.stop = eswim_rules_stop,
	.show = eswim_rules_show,
};
DEFINE_SEQ_ATTRIBUTE(eswim_rules);

/* --- meters --------------------------------------------------------------- */

static int eswim_meters_show(struct seq_file *file, void *v)
{
	struct eswim_nic *nic = file->private;
	struct eswim_meter *meter;

	mutex_lock(&nic->rules_lock);
	list_for_each_entry(meter, &nic->meters, list)
		eswim_meter_show(file, meter);
	mutex_unlock(&nic->rules_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(eswim_meters);

/* --- numbers -------------------------------------------------------------- */

static const struct eswim_number {
	const char *name;
	u16 offset;
	u32 min, max;
} eswim_numbers[] = {
#define ESWIM_NUMBER(NAME, MIN, MAX) \
	{ #NAME, offsetof(struct eswim_faults, NAME), MIN, MAX }
	ESWIM_NUMBER(capacity, 0, U32_MAX),
	ESWIM_NUMBER(insert_latency_us, 0, USEC_PER_SEC),
	ESWIM_NUMBER(counter_lag_ms, 0, 60 * MSEC_PER_SEC),
	ESWIM_NUMBER(fail_nth, 0, U32_MAX),
	ESWIM_NUMBER(fail_errno, 1, MAX_ERRNO),
#undef ESWIM_NUMBER
};

static struct eswim_nic *eswim_file_nic(const struct file *file)
{
	return file->f_path.dentry->d_parent->d_inode->i_private;
}

static u32 *eswim_number_of(struct eswim_nic *nic,
			    const struct eswim_number *number)
{
	return (void *)&nic->faults + number->offset;
}

static ssize_t eswim_number_read(struct file *file, char __user *to,
				 size_t size, loff_t *pos)
{
	const struct eswim_number *number = file->private_data;
	char buf[16];
	int n;

	n = scnprintf(buf, sizeof(buf), "%u\n",
		      READ_ONCE(*eswim_number_of(eswim_file_nic(file),
						 number)));
	return simple_read_from_buffer(to, size, pos, buf, n);
}

static ssize_t eswim_number_write(struct file *file, const char __user *from,
				  size_t size, loff_t *pos)
{
	const struct eswim_number *number = file->private_data;
	struct eswim_nic *nic = eswim_file_nic(file);
	u32 value;
	int err;

	err = kstrtou32_from_user(from, size, 0, &value);
	if (err)
		return err;
	if (value < number->min || value > number->max)
		return -ERANGE;
	mutex_lock(&nic->rules_lock);
	*eswim_number_of(nic, number) = value;
	/* A new lag is for the refresh to come. */
	cancel_delayed_work(&nic->counters_work);
	eswim_counters_start(nic);
	mutex_unlock(&nic->rules_lock);
	return size;
}

static const struct file_operations eswim_number_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = eswim_number_read,
	.write = eswim_number_write,
	.llseek = default_llseek,
};

/* --- names ---------------------------------------------------------------- */

static const struct eswim_names {
	const char *file;
	u16 offset;
	const char *(*name)(unsigned int row);
} eswim_names[] = {
	{ "refuse_keys", offsetof(struct eswim_faults, refused_keys),
	  eswim_key_name },
	{ "refuse_actions", offsetof(struct eswim_faults, refused_acts),
	  eswim_act_name },
};

static u64 *eswim_names_of(struct eswim_nic *nic,
			   const struct eswim_names *names)
{
	return (void *)&nic->faults + names->offset;
}

static ssize_t eswim_names_read(struct file *file, char __user *to,
				size_t size, loff_t *pos)
{
	const struct eswim_names *names = file->private_data;
	u64 set = *eswim_names_of(eswim_file_nic(file), names);
	char *buf;
	ssize_t n = 0;
	unsigned int i;

	buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	for (i = 0; names->name(i); i++) {
		if (set & BIT_ULL(i))
			n += scnprintf(buf + n, PAGE_SIZE - n, "%s\n",
				       names->name(i));
	}
	n = simple_read_from_buffer(to, size, pos, buf, n);
	kfree(buf);
	return n;
}

/* Adds what @word names to @set. */
static int eswim_names_add(const struct eswim_names *names, const char *word,
			   u64 *set)
{
	bool is_all = !strcmp(word, "all");
	bool is_known = is_all || !strcmp(word, "none") || !*word;
	unsigned int i;

	for (i = 0; names->name(i); i++) {
		if (*names->name(i) &&
		    (is_all || !strcmp(word, names->name(i)))) {
			*set |= BIT_ULL(i);
			is_known = true;
		}
	}
	return is_known ? 0 : -EINVAL;
}

static ssize_t eswim_names_write(struct file *file, const char __user *from,
				 size_t size, loff_t *pos)
{
	const struct eswim_names *names = file->private_data;
	struct eswim_nic *nic = eswim_file_nic(file);
	char *buf, *rest, *word;
	u64 set = 0;
	int err = 0;

	if (size >= PAGE_SIZE)
		return -E2BIG;
	buf = memdup_user_nul(from, size);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	rest = buf;
	while (!err && (word = strsep(&rest, " ,\t\n")))
		err = eswim_names_add(names, word, &set);
	kfree(buf);
	if (err)
		return err;
	mutex_lock(&nic->rules_lock);
	*eswim_names_of(nic, names) = set;
	mutex_unlock(&nic->rules_lock);
	return size;
}

static const struct file_operations eswim_names_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = eswim_names_read,
	.write = eswim_names_write,
	.llseek = default_llseek,
};

/* --- reset ---------------------------------------------------------------- */

static ssize_t eswim_reset_write(struct file *file, const char __user *from,
				 size_t size, loff_t *pos)
{
	eswim_health_fail(file->private_data);
	return size;
}

static const struct file_operations eswim_reset_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = eswim_reset_write,
	.llseek = noop_llseek,
};

/* -------------------------------------------------------------------------- */

void eswim_debugfs_add(struct eswim_nic *nic)
{
	int i;

	nic->debugfs = debugfs_create_dir(dev_name(nic->dev), eswim_debugfs);
	if (IS_ERR(nic->debugfs))
		return;
	d_inode(nic->debugfs)->i_private = nic;
	debugfs_create_file("rules", 0444, nic->debugfs, nic,
			    &eswim_rules_fops);
	debugfs_create_file("meters", 0444, nic->debugfs, nic,
			    &eswim_meters_fops);
	debugfs_create_file("reset", 0200, nic->debugfs, nic,
			    &eswim_reset_fops);
	for (i = 0; i < ARRAY_SIZE(eswim_numbers); i++)
		debugfs_create_file(eswim_numbers[i].name, 0644, nic->debugfs,
				    (void *)&eswim_numbers[i],
				    &eswim_number_fops);
	for (i = 0; i < ARRAY_SIZE(eswim_names); i++)
		debugfs_create_file(eswim_names[i].file, 0644, nic->debugfs,
				    (void *)&eswim_names[i],
				    &eswim_names_fops);
}

void eswim_debugfs_del(struct eswim_nic *nic)
{
	debugfs_remove_recursive(nic->debugfs);
}

void eswim_debugfs_init(void)
{
	eswim_debugfs = debugfs_create_dir("eswim", NULL);
}

void eswim_debugfs_exit(void)
{
	debugfs_remove_recursive(eswim_debugfs);
}
