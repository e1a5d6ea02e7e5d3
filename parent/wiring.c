/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/wiring.c - who talks to whom.  This table is the whole truth: two
 * roles that are not in one row share nothing. */
#include "parent/parent_priv.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

static const struct wire {
	enum role	a, b;
	bool		same_index;	/* only N with N, else each with each */
} wires[] = {
	{ ROLE_SMTPD,	ROLE_KEYS,	true },		/* signatures, blocking */
	{ ROLE_SMTPD,	ROLE_QUEUE,	false },	/* messages */
	{ ROLE_SMTPD,	ROLE_LEDGER,	false },	/* facts */
	{ ROLE_QUEUE,	ROLE_POLICY,	false },	/* routes */
	{ ROLE_QUEUE,	ROLE_RELAY,	false },	/* jobs, outcomes */
	{ ROLE_POLICY,	ROLE_RESOLVER,	false },	/* DNS */
	{ ROLE_POLICY,	ROLE_FETCH,	false },	/* MTA-STS policies */
	{ ROLE_RELAY,	ROLE_LEDGER,	false },	/* facts */
	{ ROLE_RELAY,	ROLE_POLICY,	false },	/* what peers have shown */
};

#define RESOLVERS	2	/* a hostile zone that pins one leaves the other */

unsigned
wiring_instances(const struct conf *conf, enum role role)
{
	switch (role) {
	case ROLE_SMTPD:
	case ROLE_KEYS:		/* one each: a slow signature stops one smtpd */
		return conf->smtpd_processes;
	case ROLE_RELAY:
		return conf->relay_processes;
	case ROLE_RESOLVER:
		return RESOLVERS;
	case ROLE_QUEUE:
	case ROLE_POLICY:
	case ROLE_LEDGER:
	case ROLE_FETCH:
		return 1;
	default:
		return 0;
	}
}

unsigned
wiring_wave(enum role role)
{
	return role == ROLE_SMTPD ? 2 : role == ROLE_QUEUE ? 1 : 0;
}

bool
wiring_has_control(enum role role)
{
	return role == ROLE_QUEUE || role == ROLE_LEDGER ||
	    role == ROLE_POLICY;
}

static bool
wired(const struct child *a, const struct child *b)
{
	for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
		const struct wire *w = &wires[i];
		bool match = (w->a == a->role && w->b == b->role) ||
		    (w->a == b->role && w->b == a->role);

		if (match)
			return !w->same_index || a->index == b->index;
	}
	return false;
}

static int
give_end(struct child *to, const struct child *peer, int fd)
{
	struct ipc_peer m = { .role = (uint8_t)peer->role,
	    .index = peer->index };

	return ipc_send_peer(to->link, &m, fd);
}

/* The keys socket of smtpd is used with blocking calls under a time-out. */
static int
pair_flags(const struct child *a, const struct child *b)
{
	bool keys = a->role == ROLE_KEYS || b->role == ROLE_KEYS;

	return SOCK_SEQPACKET | SOCK_CLOEXEC | (keys ? 0 : SOCK_NONBLOCK);
}

static void
connect_two(struct child *a, struct child *b)
{
	int fds[2];

	if (socketpair(AF_UNIX, pair_flags(a, b), 0, fds) == -1) {
		struct fault f;

		fault_sys(&f, "socketpair");
		log_error("wire-failed", KV_S("a", role_name(a->role)),
		    KV_S("b", role_name(b->role)), KV_Q("reason", f.text));
		child_kill(a);
		return;
	}
	/* Two roles without their link would look well and do nothing: the new
	 * one is started again, which wires it anew. */
	if ((give_end(a, b, fds[0]) | give_end(b, a, fds[1])) != 0)
		child_kill(a);
}

void
wiring_connect(struct parent *p, struct child *c)
{
	for (size_t i = 0; i < p->nchildren; i++) {
		struct child *peer = &p->children[i];

		if (peer != c && peer->state == CHILD_READY && wired(c, peer))
			connect_two(c, peer);
	}
}

/* How far a role is from strangers' bytes.  Of two that fell out, the nearer
 * one is ended, whoever complains: a relay that was broken into cannot have
 * the queue restarted by accusing it. */
static unsigned
distance(enum role role)
{
	switch (role) {
	case ROLE_KEYS:
	case ROLE_QUEUE:
		return 2;
	case ROLE_POLICY:
	case ROLE_LEDGER:
		return 1;
	default:
		return 0;
	}
}

void
wiring_blame(struct child *by, const struct ipc_blame *m)
{
	struct parent *p = by->parent;
	char reason[128];

	span_copy(m->reason, reason, sizeof reason);
	for (size_t i = 0; i < p->nchildren; i++) {
		struct child *c = &p->children[i];
		bool ours = distance(c->role) > distance(by->role);

		if ((unsigned)c->role != m->role || c->index != m->index ||
		    !wired(by, c))
			continue;
		child_misbehaved(ours ? by : c, role_name(by->role), reason);
		return;
	}
}
