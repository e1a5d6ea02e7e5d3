/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/roles.c - from the name a process was started under to its role. The
 * only file that sees every role's entry. */
#include "parent/parent.h"

#include <stdio.h>
#include <string.h>

#include "base/role.h"
#include "fetch/fetch.h"
#include "keys/keys.h"
#include "ledger/ledger.h"
#include "policy/policy.h"
#include "queue/queue.h"
#include "relay/relay.h"
#include "resolver/resolver.h"
#include "smtpd/smtpd.h"

static const struct role_ops *const roles[ROLE_COUNT] = {
	[ROLE_SMTPD] = &smtpd_ops,
	[ROLE_KEYS] = &keys_ops,
	[ROLE_QUEUE] = &queue_ops,
	[ROLE_RELAY] = &relay_ops,
	[ROLE_RESOLVER] = &resolver_ops,
	[ROLE_POLICY] = &policy_ops,
	[ROLE_LEDGER] = &ledger_ops,
	[ROLE_FETCH] = &fetch_ops,
};

int
roles_main(int argc, char **argv)
{
	char name[16];
	unsigned index;

	if (argc != 1 || sscanf(argv[0], "sealane: %15s %u", name, &index) != 2 ||
	    index == 0 || index > ROLE_INSTANCES)
		return 64;
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		if (roles[r] != NULL && strcmp(name, role_name((enum role)r)) == 0)
			return role_run((enum role)r, index, roles[r]);
	return 64;
}
