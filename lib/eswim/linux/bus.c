// SPDX-License-Identifier: GPL-2.0
/*
 * The bus that NICs and their VFs sit on, in the place of PCI.
 *
 *	/sys/bus/eswim/new_device		takes "ID"
 *	/sys/bus/eswim/del_device		takes "ID"
 *	/sys/bus/eswim/devices/eswimN		a NIC
 *		sriov_totalvfs, sriov_numvfs	as of PCI
 *		virtfnM				link to VF M
 *	/sys/bus/eswim/devices/eswimNvfM	a VF
 *		physfn				link to its NIC
 *
 * A VF may be unbound from this driver and bound again: its guest end goes
 * and comes back, as if a virtual machine had taken the VF.
 */

#include <linux/module.h>
#include <linux/slab.h>

#include "eswim.h"

#define ESWIM_MAX_ID	255

static LIST_HEAD(eswim_nics);
static DEFINE_MUTEX(eswim_nics_lock);
static bool eswim_bus_is_open;		/* Are NICs taken? Under that lock. */

static struct bus_type eswim_bus;
static const struct device_type eswim_pf_type;
static const struct device_type eswim_vf_type;

/* Devices there are, and one; they may live longer than they are registered:
 * devlink has references, which it drops some time later.
 */
static refcount_t eswim_n_devs = REFCOUNT_INIT(1);
static DECLARE_COMPLETION(eswim_devs_are_gone);

static void eswim_bus_dev_put(void)
{
	if (refcount_dec_and_test(&eswim_n_devs))
		complete(&eswim_devs_are_gone);
}

static void eswim_bus_dev_init(struct eswim_bus_dev *bus_dev)
{
	refcount_inc(&eswim_n_devs);
	device_initialize(&bus_dev->dev);
}

static void eswim_bus_dev_release(struct device *dev)
{
	kfree(to_eswim_bus_dev(dev));
	eswim_bus_dev_put();
}

/* --- VFs ------------------------------------------------------------------ */

static struct eswim_bus_dev *eswim_vf_add(struct eswim_bus_dev *pf,
					  unsigned int index)
{
	struct eswim_bus_dev *vf;
	char link[16];
	int err;

	vf = kzalloc(sizeof(*vf), GFP_KERNEL);
	if (!vf)
		return ERR_PTR(-ENOMEM);
	vf->pf = pf;
	vf->id = index;
	vf->dev.bus = &eswim_bus;
	vf->dev.type = &eswim_vf_type;
	vf->dev.parent = &pf->dev;
	eswim_bus_dev_init(vf);
	err = dev_set_name(&vf->dev, "eswim%uvf%u", pf->id, index);
	if (!err)
		err = device_add(&vf->dev);
	if (err) {
		put_device(&vf->dev);
		return ERR_PTR(err);
	}

	snprintf(link, sizeof(link), "virtfn%u", index);
	if (sysfs_create_link(&vf->dev.kobj, &pf->dev.kobj, "physfn") ||
	    sysfs_create_link(&pf->dev.kobj, &vf->dev.kobj, link))
		dev_warn(&vf->dev, "no links between PF and VF in sysfs\n");
	return vf;
}

static void eswim_vf_del(struct eswim_bus_dev *vf)
{
	char link[16];

	snprintf(link, sizeof(link), "virtfn%u", vf->id);
	sysfs_remove_link(&vf->pf->dev.kobj, link);
	sysfs_remove_link(&vf->dev.kobj, "physfn");
	device_unregister(&vf->dev);
}

/* With the PF's device_lock. */
static void eswim_sriov_disable(struct eswim_bus_dev *pf)
{
	while (pf->n_vfs)
		eswim_vf_del(pf->vfs[--pf->n_vfs]);
	eswim_nic_set_vfs(pf->nic, 0, NULL);
}

static int eswim_sriov_enable(struct eswim_bus_dev *pf, unsigned int n_vfs)
{
	struct eswim_bus_dev *vf;
	int err;

	err = eswim_nic_set_vfs(pf->nic, n_vfs, NULL);
	if (err)
		return err;
	while (pf->n_vfs < n_vfs) {
		vf = eswim_vf_add(pf, pf->n_vfs);
		if (IS_ERR(vf)) {
			eswim_sriov_disable(pf);
			return PTR_ERR(vf);
		}
		pf->vfs[pf->n_vfs++] = vf;
	}
	return 0;
}

/* As PCI: from some VFs to another number of them only by way of none. */
static int eswim_sriov_set(struct eswim_bus_dev *pf, unsigned int n_vfs)
{
	if (!pf->nic)
		return -ENODEV;
	if (n_vfs > ESWIM_MAX_VFS)
		return -ERANGE;
	if (n_vfs == pf->n_vfs)
		return 0;
	if (!n_vfs) {
		eswim_sriov_disable(pf);
		return 0;
	}
	if (pf->n_vfs) {
		dev_warn(&pf->dev, "%u VFs are enabled, disable them first\n",
			 pf->n_vfs);
		return -EBUSY;
	}
	return eswim_sriov_enable(pf, n_vfs);
}

static ssize_t sriov_numvfs_store(struct device *dev,
				  struct device_attribute *attr,
				  const char *buf, size_t count)
{
	unsigned int n_vfs;
	int err;

	err = kstrtouint(buf, 0, &n_vfs);
	if (err)
		return err;
	device_lock(dev);
	err = eswim_sriov_set(to_eswim_bus_dev(dev), n_vfs);
	device_unlock(dev);
	return err ?: count;
}

static ssize_t sriov_numvfs_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_eswim_bus_dev(dev)->n_vfs));
}
static DEVICE_ATTR_RW(sriov_numvfs);

static ssize_t sriov_totalvfs_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", ESWIM_MAX_VFS);
}
static DEVICE_ATTR_RO(sriov_totalvfs);

static struct attribute *eswim_pf_attrs[] = {
	&dev_attr_sriov_numvfs.attr,
	&dev_attr_sriov_totalvfs.attr,
	NULL
};
ATTRIBUTE_GROUPS(eswim_pf);

static const struct device_type eswim_pf_type = {
	.name = "eswim_pf",
	.groups = eswim_pf_groups,
	.release = eswim_bus_dev_release,
};

static const struct device_type eswim_vf_type = {
	.name = "eswim_vf",
	.release = eswim_bus_dev_release,
};

/* --- NICs ----------------------------------------------------------------- */

static struct eswim_bus_dev *eswim_nic_find(unsigned int id)
{
	struct eswim_bus_dev *pf;

	list_for_each_entry(pf, &eswim_nics, list) {
		if (pf->id == id)
			return pf;
	}
	return NULL;
}

static int eswim_nic_add(unsigned int id)
{
	struct eswim_bus_dev *pf;
	int err;

	lockdep_assert_held(&eswim_nics_lock);
	if (!eswim_bus_is_open)
		return -EBUSY;
	if (id > ESWIM_MAX_ID)
		return -ERANGE;
	if (eswim_nic_find(id))
		return -EEXIST;
	pf = kzalloc(sizeof(*pf), GFP_KERNEL);
	if (!pf)
		return -ENOMEM;
	pf->id = id;
	pf->dev.bus = &eswim_bus;
	pf->dev.type = &eswim_pf_type;
	eswim_bus_dev_init(pf);
	err = dev_set_name(&pf->dev, "eswim%u", id);
	if (!err)
		err = device_add(&pf->dev);
	if (err) {
		put_device(&pf->dev);
		return err;
	}
	list_add_tail(&pf->list, &eswim_nics);
	return 0;
}

static void eswim_nic_del(struct eswim_bus_dev *pf)
{
	lockdep_assert_held(&eswim_nics_lock);
	list_del(&pf->list);
	device_unregister(&pf->dev);
}

static ssize_t new_device_store(ESWIM_CONST_BUS struct bus_type *bus,
				const char *buf, size_t count)
{
	unsigned int id;
	int err;

	err = kstrtouint(buf, 0, &id);
	if (err)
		return err;
	mutex_lock(&eswim_nics_lock);
	err = eswim_nic_add(id);
	mutex_unlock(&eswim_nics_lock);
	return err ?: count;
}
static BUS_ATTR_WO(new_device);

static ssize_t del_device_store(ESWIM_CONST_BUS struct bus_type *bus,
				const char *buf, size_t count)
{
	struct eswim_bus_dev *pf;
	unsigned int id;
	int err;

	err = kstrtouint(buf, 0, &id);
	if (err)
		return err;
	mutex_lock(&eswim_nics_lock);
	pf = eswim_nic_find(id);
	if (pf)
		eswim_nic_del(pf);
	mutex_unlock(&eswim_nics_lock);
	return pf ? count : -ENOENT;
}
static BUS_ATTR_WO(del_device);

static struct attribute *eswim_bus_attrs[] = {
	&bus_attr_new_device.attr,
	&bus_attr_del_device.attr,
	NULL
};
ATTRIBUTE_GROUPS(eswim_bus);

/* --- bus and driver ------------------------------------------------------- */

static struct eswim_vport *eswim_vf_vport(struct eswim_bus_dev *vf)
{
	return &vf->pf->nic->vports[1 + vf->id];
}

static int eswim_probe(struct device *dev)
{
	struct eswim_bus_dev *bus_dev = to_eswim_bus_dev(dev);
	struct eswim_nic *nic;

	if (bus_dev->pf)
		return eswim_far_create(eswim_vf_vport(bus_dev), dev);

	nic = eswim_nic_create(dev, bus_dev->id);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	bus_dev->nic = nic;
	return 0;
}

static void eswim_remove(struct device *dev)
{
	struct eswim_bus_dev *bus_dev = to_eswim_bus_dev(dev);

	if (bus_dev->pf) {
		eswim_far_destroy(eswim_vf_vport(bus_dev));
		return;
	}
	eswim_sriov_disable(bus_dev);
	eswim_nic_destroy(bus_dev->nic);
	bus_dev->nic = NULL;
}

static int eswim_num_vf(struct device *dev)
{
	return READ_ONCE(to_eswim_bus_dev(dev)->n_vfs);
}

static struct bus_type eswim_bus = {
	.name = "eswim",
	.bus_groups = eswim_bus_groups,
	.probe = eswim_probe,
	.remove = eswim_remove,
	.num_vf = eswim_num_vf,
};

static struct device_driver eswim_driver = {
	.name = "eswim",
	.bus = &eswim_bus,
	.owner = THIS_MODULE,
};

/* When this returns, nothing of this module is used by devices. */
static void eswim_bus_del_nics(void)
{
	struct eswim_bus_dev *pf, *next;

	mutex_lock(&eswim_nics_lock);
	eswim_bus_is_open = false;
	list_for_each_entry_safe(pf, next, &eswim_nics, list)
		eswim_nic_del(pf);
	mutex_unlock(&eswim_nics_lock);
	eswim_bus_dev_put();
	wait_for_completion(&eswim_devs_are_gone);
}

static int eswim_bus_add_nics(unsigned int n)
{
	unsigned int id;
	int err = 0;

	mutex_lock(&eswim_nics_lock);
	eswim_bus_is_open = true;
	for (id = 0; id < n && !err; id++)
		err = eswim_nic_add(id);
	mutex_unlock(&eswim_nics_lock);
	return err;
}

int eswim_bus_init(unsigned int n_nics)
{
	int err;

	err = bus_register(&eswim_bus);
	if (err)
		return err;
	err = driver_register(&eswim_driver);
	if (err)
		goto err_bus;
	err = eswim_bus_add_nics(n_nics);
	if (err)
		goto err_nics;
	return 0;

err_nics:
	eswim_bus_del_nics();
	driver_unregister(&eswim_driver);
err_bus:
	bus_unregister(&eswim_bus);
	return err;
}

void eswim_bus_exit(void)
{
	eswim_bus_del_nics();
	driver_unregister(&eswim_driver);
	bus_unregister(&eswim_bus);
}
