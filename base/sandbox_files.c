/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/sandbox_files.c - Landlock: which files a role may open, where it may
 * connect by TCP, whom it may signal.
 *
 * By raw system calls: Debian 12 has no library for it, and its kernel header
 * is older than the newest rights, whose numbers therefore stand here.  What a
 * process has open already stays open. */
#include "base/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RULESET_VERSION		1u
#define RULE_PATH		1
#define RULE_PORT		2

/* Below ABI 2 no file may change its directory (no REFER), and the spool does
 * that to put damaged segments aside. */
#define ABI_LEAST		2
#define ABI_NET			4
#define ABI_SCOPE		6

#define BIT(n)			(1ull << (n))
#define FS_WRITE_FILE		BIT(1)
#define FS_READ_FILE		BIT(2)
#define FS_READ_DIR		BIT(3)
#define FS_REMOVE_DIR		BIT(4)
#define FS_REMOVE_FILE		BIT(5)
#define FS_MAKE_DIR		BIT(7)
#define FS_MAKE_REG		BIT(8)
#define FS_REFER		BIT(13)
#define FS_TRUNCATE		BIT(14)		/* ABI 3 */
#define FS_ABI_2		(BIT(14) - 1)	/* all up to REFER */
#define FS_IOCTL_DEV		BIT(15)		/* ABI 5 */
#define NET_BIND		BIT(0)
#define NET_CONNECT		BIT(1)
#define SCOPE_ALL		(BIT(0) | BIT(1))	/* abstract sockets, signals */

#define DNS_PORT		53
#define HTTPS_PORT	443

/* The kernel's structures; it takes a shorter one from older programs. */
struct ruleset_attr {
	uint64_t	fs, net, scoped;
};
struct path_attr {
	uint64_t	allowed;
	int32_t		fd;
} __attribute__((packed));
struct port_attr {
	uint64_t	allowed, port;
};

static int
create_ruleset(const struct ruleset_attr *a, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, a, size, flags);
}

static int
add_rule(int ruleset, int kind, const void *rule)
{
	return (int)syscall(SYS_landlock_add_rule, ruleset, kind, rule, 0);
}

/* ---- what there is to handle, by ABI and role ---- */

static uint64_t
fs_rights(int abi)
{
	return FS_ABI_2 | (abi >= 3 ? FS_TRUNCATE : 0) |
	    (abi >= 5 ? FS_IOCTL_DEV : 0);
}

static uint64_t
net_rights(const struct role_sandbox *r, int abi)
{
	if (abi < ABI_NET)
		return 0;
	return r->reach == REACH_ALL ? NET_BIND : NET_BIND | NET_CONNECT;
}

static int
open_ruleset(const struct role_sandbox *r, int abi)
{
	struct ruleset_attr a = { .fs = fs_rights(abi),
	    .net = net_rights(r, abi),
	    .scoped = abi >= ABI_SCOPE ? SCOPE_ALL : 0 };

	return create_ruleset(&a, abi >= ABI_SCOPE ? sizeof a :
	    abi >= ABI_NET ? offsetof(struct ruleset_attr, scoped) :
	    offsetof(struct ruleset_attr, net), 0);
}

/* ---- rules ---- */

static uint64_t
access_rights(enum access access)
{
	switch (access) {
	case ACCESS_READ:
		return FS_READ_FILE;
	case ACCESS_CHANGE:
		return FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE;
	case ACCESS_TREE:
		break;
	}
	return FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_READ_DIR |
	    FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE | FS_REMOVE_DIR |
	    FS_REFER;
}

static int
allow_path(int ruleset, const char *path, uint64_t allowed, struct fault *f)
{
	struct path_attr rule = { .allowed = allowed,
	    .fd = open(path, O_PATH | O_CLOEXEC) };
	int rc;

	/* What can't be reached can't be opened either. */
	if (rule.fd == -1)
		return errno == ENOENT || errno == EACCES ? 0 :
		    fault_sys(f, path);
	rc = add_rule(ruleset, RULE_PATH, &rule);
	if (rc == -1)
		fault_sys(f, path);
	close(rule.fd);
	return rc;
}

static int
allow_place(int ruleset, const struct place *p, const struct conf *conf,
    int abi, struct fault *f)
{
	char path[PATH_MAX];
	const char *base = "";
	int n;

	if (p->base != PLACE_NONE)
		memcpy(&base, (const char *)conf + p->base, sizeof base);
	n = snprintf(path, sizeof path, "%s%s%s", base,
	    p->base != PLACE_NONE && p->name != NULL ? "/" : "",
	    p->name != NULL ? p->name : "");
	if (n < 0 || (size_t)n >= sizeof path)
		return fault_set(f, FAULT_PERM, 0, NULL,
		    "%.100s...: path too long", base);
	return allow_path(ruleset, path,
	    access_rights(p->access) & fs_rights(abi), f);
}

static int
allow_port(int ruleset, uint64_t access, unsigned port, struct fault *f)
{
	struct port_attr rule = { .allowed = access, .port = port };

	return add_rule(ruleset, RULE_PORT, &rule) == -1 ?
	    fault_sys(f, "Landlock port rule") : 0;
}

/* "192.0.2.53@5353": the schema has checked it. */
static unsigned
forward_port(const char *server)
{
	struct span rest = span_str(server);
	unsigned long long port;

	span_cut(&rest, '@');
	return span_u64(rest, 65535, &port) ? (unsigned)port : DNS_PORT;
}

static int
allow_ports(int ruleset, const struct role_sandbox *r, const struct conf *conf,
    struct fault *f)
{
	/* Port 0: a source address without a port of its own. */
	if (r->reach != REACH_NOTHING &&
	    allow_port(ruleset, NET_BIND, 0, f) == -1)
		return -1;
	if (r->reach == REACH_HTTPS)
		return allow_port(ruleset, NET_CONNECT, HTTPS_PORT, f);
	if (r->reach != REACH_DNS)
		return 0;
	if (allow_port(ruleset, NET_CONNECT, DNS_PORT, f) == -1)
		return -1;
	for (size_t i = 0; i < conf->dns.nforward; i++)
		if (allow_port(ruleset, NET_CONNECT,
		    forward_port(conf->dns.forward[i]), f) == -1)
			return -1;
	return 0;
}

static int
fill_ruleset(int ruleset, const struct role_sandbox *r,
    const struct conf *conf, int abi, struct fault *f)
{
	for (size_t i = 0; i < r->nplaces; i++)
		if (allow_place(ruleset, &r->places[i], conf, abi, f) == -1)
			return -1;
#ifdef SEALANE_SANITIZED
	/* Reports read /proc, the program and its libraries. */
	if (allow_path(ruleset, "/", FS_READ_FILE | FS_READ_DIR, f) == -1)
		return -1;
#endif
	return abi >= ABI_NET ? allow_ports(ruleset, r, conf, f) : 0;
}

int
sandbox_files(const struct role_sandbox *r, const struct conf *conf,
    unsigned most, struct fault *f)
{
	int abi = create_ruleset(NULL, 0, RULESET_VERSION);
	int ruleset, rc;

	if (abi > (int)most)
		abi = (int)most;
	if (abi < ABI_LEAST)
		return 0;
	ruleset = open_ruleset(r, abi);
	if (ruleset == -1)
		return fault_sys(f, "Landlock ruleset");
	rc = fill_ruleset(ruleset, r, conf, abi, f);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		rc = fault_sys(f, "Landlock");
	close(ruleset);
	return rc == -1 ? -1 : abi;
}
