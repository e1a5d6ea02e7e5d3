/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/sandbox_roles.c - who keeps what.  docs/threat.md argues from this
 * table; what it leaves out is denied.
 *
 * The parent is not here: it stays root to start others, and reads nothing
 * that comes from the network. */
#include "base/sandbox_priv.h"

#include <assert.h>

#define UNDER(member, file)	.base = offsetof(struct conf, member), .name = file
#define PATH(file)		.base = PLACE_NONE, .name = file

/* SQLite seeds itself there, and so do the tables of jansson. */
#define RANDOM_SEED	{ .access = ACCESS_READ, PATH("/dev/urandom") }

static const struct role_sandbox roles[ROLE_COUNT] = {
	/* Talks to strangers: clients on listeners that the parent opened, no
	 * file by name, nobody to call.  A large message goes to a descriptor
	 * that queue handed out. */
	[ROLE_SMTPD] = {
		.promises = GROUND | ACCEPT,
	},
	/* Signs for smtpd over one socket; its directory holds the private
	 * keys, and cert renewal writes there while it runs. */
	[ROLE_KEYS] = {
		.promises = GROUND | FILES_READ | FILES_WRITE,
		.places = {
			{ .access = ACCESS_TREE, UNDER(state_directory, "keys") },
		},
		.nplaces = 1,
	},
	/* The spool; the pool's threads run fdatasync.  ACCEPT: its control
	 * socket. */
	[ROLE_QUEUE] = {
		.promises = GROUND | ACCEPT | FILES_READ | FILES_WRITE,
		.pool = true,
		.places = {
			{ .access = ACCESS_TREE, UNDER(state_directory, "spool") },
			RANDOM_SEED,
		},
		.nplaces = 2,
	},
	/* Calls next hops by TCP wherever the queue sends it, and reads bodies
	 * from descriptors that came with the jobs.  LOCAL_OUT: mail stores
	 * (lmtp:unix:), where one is configured; no kernel tells such sockets
	 * apart but by their permissions. */
	[ROLE_RELAY] = {
		.promises = GROUND | TCP_OUT | LOCAL_OUT | BODY_READ,
		.reach = REACH_ALL,
	},
	/* libunbound has read its trust anchor and hints by now. */
	[ROLE_RESOLVER] = {
		.promises = GROUND | TCP_OUT | UDP_OUT,
		.reach = REACH_DNS,
	},
	/* HTTPS to wherever a domain's policy is said to be.  libcurl reads the
	 * authorities anew for each connection, and makes a pair of sockets to
	 * wake itself. */
	[ROLE_FETCH] = {
		.promises = GROUND | TCP_OUT | FILES_READ | WAKE_PAIR,
		.reach = REACH_HTTPS,
		.places = {
			{ .access = ACCESS_READ, UNDER(tls.ca_file, NULL) },
			RANDOM_SEED,
		},
		.nplaces = 2,
	},
	/* Decides, by messages alone; keeps what it learns in SQLite's three
	 * files, which the parent made.  ACCEPT: its control socket. */
	[ROLE_POLICY] = {
		.promises = GROUND | ACCEPT | FILES_READ | FILES_WRITE,
		.places = {
			{ .access = ACCESS_CHANGE,
			  UNDER(state_directory, "policy.db") },
			{ .access = ACCESS_CHANGE,
			  UNDER(state_directory, "policy.db-wal") },
			{ .access = ACCESS_CHANGE,
			  UNDER(state_directory, "policy.db-shm") },
			RANDOM_SEED,
		},
		.nplaces = 4,
	},
	/* Likewise, and a control socket. */
	[ROLE_LEDGER] = {
		.promises = GROUND | ACCEPT | FILES_READ | FILES_WRITE,
		.places = {
			{ .access = ACCESS_CHANGE,
			  UNDER(state_directory, "ledger.db") },
			{ .access = ACCESS_CHANGE,
			  UNDER(state_directory, "ledger.db-wal") },
			{ .access = ACCESS_CHANGE,
			  UNDER(state_directory, "ledger.db-shm") },
			RANDOM_SEED,
		},
		.nplaces = 4,
	},
};

const struct role_sandbox *
sandbox_of(enum role role)
{
	assert(role < ROLE_COUNT && roles[role].promises != 0);
	return &roles[role];
}

unsigned
sandbox_promises(enum role role, const struct conf *conf)
{
	unsigned promises = sandbox_of(role)->promises;

	return conf_names_socket(conf) ? promises :
	    promises & ~(unsigned)LOCAL_OUT;
}
