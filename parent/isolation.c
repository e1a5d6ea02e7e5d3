/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/isolation.c - says once what keeps the roles apart: the least that
 * any of them has. */
#include "parent/parent_priv.h"

#include <unistd.h>

#include "base/log.h"

static struct sandbox
weakest(const struct parent *p)
{
	struct sandbox least = p->children[0].sandbox;

	for (size_t i = 1; i < p->nchildren; i++) {
		const struct sandbox *s = &p->children[i].sandbox;

		if (s->calls < least.calls)
			least.calls = s->calls;
		if (s->landlock < least.landlock)
			least.landlock = s->landlock;
	}
	return least;
}

/* Of queue, which stands for the roles that have no business with a network. */
static bool
firewalled(void)
{
	uid_t uid;
	gid_t gid;

	return geteuid() == 0 && state_user(ROLE_QUEUE, &uid, &gid, NULL) == 0 &&
	    sandbox_firewall(uid, gid);
}

void
isolation_log(const struct parent *p)
{
	struct sandbox s = weakest(p);
	bool own_users = geteuid() == 0;
	bool whole = own_users && s.calls == SANDBOX_CALLS_STRICT &&
	    s.landlock > 0;

	log_event(whole ? LOG_INFO : LOG_WARN, "isolation", (const struct kv[]){
	    KV_S("users", own_users ? "separate" : "one"),
	    KV_S("calls", sandbox_calls_name(s.calls)),
	    KV_N("landlock", s.landlock),
	    KV_S("firewall", firewalled() ? "yes" : "no") }, 4);
}
