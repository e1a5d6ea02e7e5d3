/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/hostile/hostile.c - the program with a traitor in it.
 *
 * All of Sealane, but that the role which SEALANE_HOSTILE names ("smtpd 0")
 * turns on the others when it is up and linked.  Instance 1 tries what ought
 * to fail and go on; each further instance one of the things that ought to end
 * it, beginning with the one of that number.  What is tried and what came of
 * it goes to stderr, one line each:
 *
 *	hostile smtpd 1 read-shadow 38
 *	hostile smtpd 3 exec begins
 *
 * When the file that SEALANE_HOSTILE_OFF names is there, new processes are
 * honest.  docs/threat.md has the list; tests/e2e/cases/hostile.py judges. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/role.h"
#include "relay/relay.h"
#include "resolver/resolver.h"
#include "smtpd/smtpd.h"
#include "tests/hostile/attempts.h"
#include "tests/hostile/forge.h"

#define AFTER_LINKS_MS	300
#define LEN(a)		(sizeof(a) / sizeof((a)[0]))

int	sealane_main(int argc, char **argv);	/* cli/main.c, renamed */

struct attempt {
	const char	*name;
	int		(*run)(void);
};

static const struct attempt quiet[] = {
	{ "read-passwd", attempt_read_passwd },
	{ "read-shadow", attempt_read_shadow },
	{ "read-key", attempt_read_key },
	{ "make-key", attempt_make_key },
	{ "read-spool", attempt_read_spool },
	{ "make-spool", attempt_make_spool },
	{ "write-ledger", attempt_write_ledger },
	{ "make-state", attempt_make_state },
	{ "open-memory", attempt_open_memory },
	{ "open-own-memory", attempt_open_own_memory },
	{ "tcp", attempt_tcp },
	{ "connect-other", attempt_connect_other },
	{ "udp", attempt_udp },
	{ "raw-socket", attempt_raw },
	{ "local-socket", attempt_local },
	{ "listen", attempt_listen },
	{ "filter-socket", attempt_filter_socket },
	{ "fork", attempt_fork },
	{ "signal", attempt_signal },
	{ "signal-thread", attempt_signal_thread },
	{ "signal-owner", attempt_signal_owner },
	{ "map-code", attempt_map_code },
	{ "make-code", attempt_make_code },
	{ "memory-file", attempt_memory_file },
	{ "set-limit", attempt_set_limit },
};

static const struct attempt deadly[] = {
	{ "exec", attempt_exec },
	{ "trace", attempt_trace },
	{ "process-memory", attempt_process_memory },
	{ "netlink", attempt_netlink },
	{ "packet", attempt_packet },
	{ "vsock", attempt_vsock },
	{ "io-uring", attempt_io_uring },
	{ "bpf", attempt_bpf },
	{ "keyring", attempt_keyring },
	{ "mount", attempt_mount },
	{ "user-namespace", attempt_user_namespace },
	{ "setuid", attempt_setuid },
	{ "forge-direction", forge_direction },
	{ "forge-type", forge_type },
	{ "forge-garbage", forge_garbage },
	{ "forge-acknowledgement", forge_acknowledgement },
	{ "forge-descriptor", forge_descriptor },
	{ "forge-to-parent", forge_to_parent },
};

static const struct {
	enum role		 role;
	const struct role_ops	*ops;
	enum role		 waits_for;
} network_roles[] = {
	{ ROLE_SMTPD, &smtpd_ops, ROLE_QUEUE },
	{ ROLE_RELAY, &relay_ops, ROLE_QUEUE },
	{ ROLE_RESOLVER, &resolver_ops, ROLE_POLICY },
};

static struct {
	const struct role_ops	*honest;
	enum role		 waits_for;
	unsigned		 first;		/* number in deadly[] of instance 2 */
	struct loop_timer	*timer;
} traitor;

static void
say(const struct role_env *env, const char *name, const char *what)
{
	fprintf(stderr, "hostile %s %u %s %s\n", role_name(env->role),
	    env->index, name, what);
}

static void
attack(void *arg)
{
	struct role_env *env = arg;
	size_t n = env->index - 2 + traitor.first;
	char number[16];

	loop_timer_close(&traitor.timer);
	for (size_t i = 0; env->index == 1 && i < LEN(quiet); i++) {
		snprintf(number, sizeof number, "%d", quiet[i].run());
		say(env, quiet[i].name, number);
	}
	if (env->index == 1 || n >= LEN(deadly)) {
		say(env, "all", "done");
		return;
	}
	say(env, deadly[n].name, "begins");
	snprintf(number, sizeof number, "%d", deadly[n].run());
	say(env, deadly[n].name, number);
}

static void
peer_up(struct role_env *env, struct link *l)
{
	if (traitor.honest->peer_up != NULL)
		traitor.honest->peer_up(env, l);
	if (link_role(l) != traitor.waits_for || traitor.timer != NULL)
		return;
	attempt_state = env->conf->state_directory;
	traitor.timer = loop_timer_new(env->loop, attack, env);
	loop_timer_set(traitor.timer, AFTER_LINKS_MS);
}

static int
run_traitor(const char *name, unsigned index, unsigned first)
{
	static struct role_ops ops;

	for (size_t i = 0; i < LEN(network_roles); i++) {
		if (strcmp(name, role_name(network_roles[i].role)) != 0)
			continue;
		traitor.honest = network_roles[i].ops;
		traitor.waits_for = network_roles[i].waits_for;
		traitor.first = first;
		ops = *traitor.honest;
		ops.peer_up = peer_up;
		attempt_victim = getppid();
		return role_run(network_roles[i].role, index, &ops);
	}
	return 64;
}

int
main(int argc, char **argv)
{
	const char *wanted = getenv("SEALANE_HOSTILE");
	const char *off = getenv("SEALANE_HOSTILE_OFF");
	char name[16], chosen[16];
	unsigned index, first;

	if (wanted != NULL && (off == NULL || access(off, F_OK) == -1) &&
	    sscanf(wanted, "%15s %u", chosen, &first) == 2 &&
	    sscanf(argv[0], "sealane: %15s %u", name, &index) == 2 &&
	    strcmp(name, chosen) == 0)
		return run_traitor(name, index, first);
	return sealane_main(argc, argv);
}
