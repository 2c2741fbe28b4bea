// SPDX-License-Identifier: GPL-2.0-only
/*
 * vtcp_lso: lets the virtio-net cards of this guest be given TCP packets of more than 64 KiB.
 *
 * A device of virtio-net has no field that says how large a packet to segment may be, and Linux' driver takes it for 64 KiB. A back-end that
 * splits what its uplink does not take in one piece (the first stage of multi-stage large send offload) takes up to 512 KiB. How much that is
 * on this host is said in first_size, by who reads it from where the host has written it: see docs/large-send.md.
 *
 *   modprobe vtcp_lso first_size=262144
 *   echo 65536 >/sys/module/vtcp_lso/parameters/first_size
 *
 * It applies to all cards of the driver, also to those that appear later, and to connections that begin afterwards. Unloading the module
 * makes it 64 KiB again.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/rwsem.h>
#include <linux/string.h>
#include <linux/version.h>
#include <net/net_namespace.h>

#define ORDINARY_SIZE 65536u
/* Of less a back-end makes nothing larger. */
#define LEAST_SIZE 4096u
#define MOST_SIZE ((unsigned int)GSO_MAX_SIZE)

static unsigned int first_size = ORDINARY_SIZE;
static bool is_loaded;

static bool is_ours(const struct net_device *dev)
{
	const struct device *parent = dev->dev.parent;

	return parent && parent->driver && !strcmp(parent->driver->name, "virtio_net");
}

/* The first call says what the device takes and brings down what the stack makes; it raises nothing. */
static void apply(struct net_device *dev)
{
	ASSERT_RTNL();
	netif_set_tso_max_size(dev, first_size);
	WRITE_ONCE(dev->gso_max_size, first_size);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	WRITE_ONCE(dev->gso_ipv4_max_size, first_size);
#endif
	netdev_info(dev, "packets to segment are of %u bytes at most\n", first_size);
}

static void apply_to_all(void)
{
	struct net_device *dev;
	struct net *net;

	ASSERT_RTNL();
	/* Namespaces come and go without RTNL; this lock nests inside it. */
	down_read(&net_rwsem);
	for_each_net(net)
		for_each_netdev(net, dev)
			if (is_ours(dev))
				apply(dev);
	up_read(&net_rwsem);
}

static int device_event(struct notifier_block *block, unsigned long event, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);

	if (event == NETDEV_REGISTER && is_ours(dev))
		apply(dev);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = { .notifier_call = device_event };

static int set_first_size(const char *text, const struct kernel_param *parameter)
{
	unsigned int wanted;
	int error = kstrtouint(text, 0, &wanted);

	if (error)
		return error;
	if (wanted < LEAST_SIZE || wanted > MOST_SIZE) {
		pr_err("vtcp_lso: first_size is %u, and has to be between %u and %u\n", wanted, LEAST_SIZE, MOST_SIZE);
		return -ERANGE;
	}
	rtnl_lock();
	first_size = wanted;
	/* Before the module is there, registering the notifier does it. */
	if (is_loaded)
		apply_to_all();
	rtnl_unlock();
	return 0;
}

static const struct kernel_param_ops first_size_ops = { .set = set_first_size, .get = param_get_uint };

module_param_cb(first_size, &first_size_ops, &first_size, 0644);
MODULE_PARM_DESC(first_size, "bytes of the largest packet to segment that the back-end takes");

static int __init vtcp_lso_init(void)
{
	/* Tells of the devices that are there as well. */
	int error = register_netdevice_notifier(&device_notifier);

	if (error)
		return error;
	rtnl_lock();
	is_loaded = true;
	rtnl_unlock();
	return 0;
}

static void __exit vtcp_lso_exit(void)
{
	/* Unregistering tells of devices that go, which means nothing here. */
	unregister_netdevice_notifier(&device_notifier);
	rtnl_lock();
	first_size = ORDINARY_SIZE;
	apply_to_all();
	/* The parameter's file outlives this function: what is written there now changes no card. */
	is_loaded = false;
	rtnl_unlock();
}

module_init(vtcp_lso_init);
module_exit(vtcp_lso_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Packets of more than 64 KiB for virtio-net, for back-ends that split them");
