// SPDX-License-Identifier: GPL-2.0-only
/*
 * vtcp_lso: lets the virtio-net cards of this guest be given TCP packets of more than 64 KiB.
 *
 * A device of virtio-net has no field that says how large a packet to segment may be, and Linux' driver takes it for 64 KiB. A back-end that
 * splits what its uplink does not take in one piece (the first stage of multi-stage large send offload) takes up to 512 KiB. Each card's
 * back-end is asked how much, in a frame that goes no further, and says so again whenever it changes: docs/large-send.md has the octets.
 *
 *   modprobe vtcp_lso
 *   modprobe vtcp_lso asks=0 first_size=262144
 *   echo 65536 >/sys/module/vtcp_lso/parameters/first_size
 *
 * first_size is what all cards have until their back-end says otherwise, those that appear later included. Writing it is for all cards at
 * once. Unloading the module makes it 64 KiB again.
 */
#include <linux/device.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#define ORDINARY_SIZE 65536u
/* Of less a back-end makes nothing larger. */
#define LEAST_SIZE 4096u
#define MOST_SIZE ((unsigned int)GSO_MAX_SIZE)

/* "Local Experimental EtherType 1". */
#define MESSAGE_TYPE 0x88b5
#define MESSAGE_NAME 0x76546c73u
#define MESSAGE_VERSION 1
#define FRAME_LENGTH 60

/* A back-end that does not answer is asked so often, a second apart. */
#define MOST_QUESTIONS 5
/* Who invites may do so as often as it likes. */
#define QUESTION_PAUSE (HZ / 10)

enum message_kind { QUESTION = 1, ANNOUNCEMENT = 2, REPORT = 3, INVITATION = 4 };

struct message {
	__be32 name;
	u8 version;
	u8 kind;
	__be16 zero;
	__be64 nonce;
	__be32 ipv4_size;
	__be32 ipv6_size;
} __packed;

struct card {
	/* Changed under RTNL, read under RCU. */
	struct list_head list;
	struct net_device *dev;
	/* Comes back in what its back-end says: nobody else can tell this card anything. */
	u64 nonce;
	struct delayed_work work;
	/* Of what follows. */
	spinlock_t lock;
	unsigned int questions;
	bool is_told;
	unsigned int ipv4_told;
	unsigned int ipv6_told;
};

static unsigned int first_size = ORDINARY_SIZE;
static bool asks = true;
static bool is_loaded;
static LIST_HEAD(cards);

static bool is_ours(const struct net_device *dev)
{
	const struct device *parent = dev->dev.parent;

	return parent && parent->driver && !strcmp(parent->driver->name, "virtio_net");
}

static unsigned int ipv4_size(const struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return READ_ONCE(dev->gso_ipv4_max_size);
#else
	return min(READ_ONCE(dev->gso_max_size), ORDINARY_SIZE);
#endif
}

/*
 * The first call says what the device takes and brings down what the stack makes; it raises nothing. A connection takes the sizes up with its
 * route, and those that are there have to look for theirs again.
 */
static void apply(struct net_device *dev, unsigned int ipv4, unsigned int ipv6)
{
	ASSERT_RTNL();
	netif_set_tso_max_size(dev, max(ipv4, ipv6));
	WRITE_ONCE(dev->gso_max_size, ipv6);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	WRITE_ONCE(dev->gso_ipv4_max_size, ipv4);
#endif
	rt_genid_bump_all(dev_net(dev));
	netdev_dbg(dev, "packets to segment are of %u bytes at most, of IPv6 %u\n", ipv4, ipv6);
}

static void say(const struct card *card, enum message_kind kind)
{
	struct net_device *dev = card->dev;
	/* The group of the nearest bridge: no bridge forwards it. */
	static const u8 group[ETH_ALEN] = { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e };
	struct message message = {
		.name = htonl(MESSAGE_NAME),
		.version = MESSAGE_VERSION,
		.kind = kind,
		.nonce = cpu_to_be64(card->nonce),
		.ipv4_size = htonl(ipv4_size(dev)),
		.ipv6_size = htonl(READ_ONCE(dev->gso_max_size)),
	};
	struct sk_buff *skb;

	if (!netif_running(dev) || !netif_carrier_ok(dev))
		return;
	skb = alloc_skb(LL_RESERVED_SPACE(dev) + FRAME_LENGTH + dev->needed_tailroom, GFP_KERNEL);
	if (!skb)
		return;
	skb_reserve(skb, LL_RESERVED_SPACE(dev));
	skb_reset_network_header(skb);
	memset(skb_put(skb, FRAME_LENGTH - ETH_HLEN), 0, FRAME_LENGTH - ETH_HLEN);
	memcpy(skb->data, &message, sizeof(message));
	skb->dev = dev;
	skb->protocol = htons(MESSAGE_TYPE);
	if (dev_hard_header(skb, dev, MESSAGE_TYPE, group, dev->dev_addr, skb->len) < 0) {
		kfree_skb(skb);
		return;
	}
	dev_queue_xmit(skb);
}

/* Says what is to be said, and does what was said. */
static void card_work(struct work_struct *work)
{
	struct card *card = container_of(to_delayed_work(work), struct card, work);
	unsigned int ipv4, ipv6;
	bool was_told, has_question;

	/* Who holds it may be waiting for us to end. */
	if (!rtnl_trylock()) {
		schedule_delayed_work(&card->work, 1);
		return;
	}
	spin_lock_bh(&card->lock);
	was_told = card->is_told;
	ipv4 = card->ipv4_told;
	ipv6 = card->ipv6_told;
	card->is_told = false;
	has_question = !was_told && card->questions;
	if (was_told)
		card->questions = 0;
	else if (has_question)
		card->questions--;
	spin_unlock_bh(&card->lock);
	if (was_told) {
		apply(card->dev, ipv4, ipv6);
		say(card, REPORT);
	} else if (has_question) {
		say(card, QUESTION);
		schedule_delayed_work(&card->work, HZ);
	}
	rtnl_unlock();
}

static void begin_asking(struct card *card, unsigned long delay)
{
	if (!READ_ONCE(asks))
		return;
	spin_lock_bh(&card->lock);
	card->questions = MOST_QUESTIONS;
	spin_unlock_bh(&card->lock);
	schedule_delayed_work(&card->work, delay);
}

static bool is_size(unsigned int size)
{
	return size >= LEAST_SIZE && size <= MOST_SIZE;
}

static void take(struct card *card, const struct message *message)
{
	unsigned int ipv4 = ntohl(message->ipv4_size), ipv6 = ntohl(message->ipv6_size);

	if (message->kind == INVITATION) {
		begin_asking(card, QUESTION_PAUSE);
		return;
	}
	if (message->kind != ANNOUNCEMENT || be64_to_cpu(message->nonce) != card->nonce || !READ_ONCE(asks))
		return;
	if (!is_size(ipv4) || !is_size(ipv6))
		return;
	spin_lock_bh(&card->lock);
	card->is_told = true;
	card->ipv4_told = ipv4;
	card->ipv6_told = ipv6;
	spin_unlock_bh(&card->lock);
	/* It may be about to ask in a second. */
	cancel_delayed_work(&card->work);
	schedule_delayed_work(&card->work, 0);
}

/* A card that a bridge or a bond has is the one that the frame came by. */
static int message_came(struct sk_buff *skb, struct net_device *dev, struct packet_type *type, struct net_device *by)
{
	struct message room;
	const struct message *message = skb_header_pointer(skb, 0, sizeof(room), &room);
	struct card *card;

	if (message && message->name == htonl(MESSAGE_NAME) && message->version == MESSAGE_VERSION) {
		rcu_read_lock();
		list_for_each_entry_rcu(card, &cards, list) {
			if (card->dev != by)
				continue;
			take(card, message);
			break;
		}
		rcu_read_unlock();
	}
	kfree_skb(skb);
	return NET_RX_SUCCESS;
}

static struct packet_type message_type = { .type = cpu_to_be16(MESSAGE_TYPE), .func = message_came };

static struct card *card_of(const struct net_device *dev)
{
	struct card *card;

	ASSERT_RTNL();
	list_for_each_entry(card, &cards, list)
		if (card->dev == dev)
			return card;
	return NULL;
}

static void add(struct net_device *dev)
{
	struct card *card = kzalloc(sizeof(*card), GFP_KERNEL);

	/* It stays as it is. */
	if (!card)
		return;
	apply(dev, first_size, first_size);
	card->dev = dev;
	get_random_bytes(&card->nonce, sizeof(card->nonce));
	spin_lock_init(&card->lock);
	INIT_DELAYED_WORK(&card->work, card_work);
	list_add_rcu(&card->list, &cards);
}

/* The card goes, or we do: then it is as it was before. */
static void remove(struct card *card)
{
	list_del_rcu(&card->list);
	/* No message that comes now finds it. */
	synchronize_net();
	cancel_delayed_work_sync(&card->work);
	apply(card->dev, ORDINARY_SIZE, ORDINARY_SIZE);
	say(card, REPORT);
	kfree(card);
}

static int device_event(struct notifier_block *block, unsigned long event, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);
	struct card *card;

	switch (event) {
	case NETDEV_REGISTER:
		if (is_ours(dev) && !card_of(dev))
			add(dev);
		break;
	case NETDEV_UP:
	case NETDEV_CHANGE:
		card = card_of(dev);
		if (card && netif_running(dev) && netif_carrier_ok(dev))
			begin_asking(card, 0);
		break;
	case NETDEV_UNREGISTER:
		card = card_of(dev);
		if (card)
			remove(card);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = { .notifier_call = device_event };

static void apply_to_all(void)
{
	struct card *card;

	ASSERT_RTNL();
	list_for_each_entry(card, &cards, list) {
		apply(card->dev, first_size, first_size);
		say(card, REPORT);
	}
}

static int set_first_size(const char *text, const struct kernel_param *parameter)
{
	unsigned int wanted;
	int error = kstrtouint(text, 0, &wanted);

	if (error)
		return error;
	if (!is_size(wanted)) {
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
MODULE_PARM_DESC(first_size, "bytes of the largest packet to segment, until the back-end says otherwise");
module_param(asks, bool, 0644);
MODULE_PARM_DESC(asks, "whether cards ask their back-end, and go by what it says");

static int __init vtcp_lso_init(void)
{
	int error;

	/* Tells of the devices that are there as well, and of those that are up. */
	error = register_netdevice_notifier(&device_notifier);
	if (error)
		return error;
	dev_add_pack(&message_type);
	rtnl_lock();
	is_loaded = true;
	rtnl_unlock();
	return 0;
}

static void __exit vtcp_lso_exit(void)
{
	/* The parameters' files outlive this function: what is written there now changes no card. */
	rtnl_lock();
	is_loaded = false;
	rtnl_unlock();
	dev_remove_pack(&message_type);
	/* Tells of all devices as if they went. */
	unregister_netdevice_notifier(&device_notifier);
}

module_init(vtcp_lso_init);
module_exit(vtcp_lso_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Packets of more than 64 KiB for virtio-net, for back-ends that split them");
