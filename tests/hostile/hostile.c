/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/hostile/hostile.c - the program with a traitor in it.
 *
 * All of Sealane, but that the processes of the role which SEALANE_HOSTILE
 * names ("smtpd 0") turn on the others at SIGUSR1.  The sum of that number and
 * the instance's, from 1, chooses: 1 tries all that ought to fail and go on,
 * each higher one a thing that ought to end it.  What is tried and what came
 * of it goes to stderr, one line each:
 *
 *	hostile smtpd 1 read-shadow 38
 *	hostile smtpd 3 exec begins
 *
 * docs/threat.md has the list; tests/e2e/cases/hostile.py judges. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/role.h"
#include "fetch/fetch.h"
#include "relay/relay.h"
#include "resolver/resolver.h"
#include "smtpd/smtpd.h"
#include "tests/hostile/attempts.h"
#include "tests/hostile/forge.h"

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
} network_roles[] = {
	{ ROLE_SMTPD, &smtpd_ops },
	{ ROLE_RELAY, &relay_ops },
	{ ROLE_RESOLVER, &resolver_ops },
	{ ROLE_FETCH, &fetch_ops },
};

static struct {
	const struct role_ops	*honest;
	unsigned		 choice;	/* 0 quiet[], else deadly[] from 1 */
	struct loop_signal	*go;
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
	const struct attempt *a = quiet;
	size_t n = LEN(quiet);
	char number[16];

	loop_signal_close(&traitor.go);
	attempt_state = env->conf->state_directory;
	forge_env = env;
	if (traitor.choice > LEN(deadly))
		return;
	if (traitor.choice > 0) {
		a = &deadly[traitor.choice - 1];
		n = 1;
		say(env, a->name, "begins");
	}
	for (; n > 0; n--, a++) {
		snprintf(number, sizeof number, "%d", a->run());
		say(env, a->name, number);
	}
	say(env, "all", "done");
}

static int
start(struct role_env *env, struct fault *f)
{
	if (traitor.honest->start(env, f) == -1)
		return -1;
	traitor.go = loop_signal_new(env->loop, SIGUSR1, attack, env);
	return traitor.go == NULL ? fault_sys(f, "SIGUSR1") : 0;
}

static void
stop(struct role_env *env)
{
	loop_signal_close(&traitor.go);
	traitor.honest->stop(env);
}

static int
run_traitor(const char *name, unsigned index, unsigned choice)
{
	static struct role_ops ops;

	for (size_t i = 0; i < LEN(network_roles); i++) {
		if (strcmp(name, role_name(network_roles[i].role)) != 0)
			continue;
		traitor.honest = network_roles[i].ops;
		traitor.choice = choice;
		ops = *traitor.honest;
		ops.start = start;
		ops.stop = stop;
		attempt_victim = getppid();
		return role_run(network_roles[i].role, index, &ops);
	}
	return 64;
}

int
main(int argc, char **argv)
{
	const char *wanted = getenv("SEALANE_HOSTILE");
	char name[16], chosen[16];
	unsigned index, first;

	if (wanted != NULL &&
	    sscanf(wanted, "%15s %u", chosen, &first) == 2 &&
	    sscanf(argv[0], "sealane: %15s %u", name, &index) == 2 &&
	    strcmp(name, chosen) == 0)
		return run_traitor(name, index, first + index - 1);
	return sealane_main(argc, argv);
}
