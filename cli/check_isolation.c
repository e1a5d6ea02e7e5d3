/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/check_isolation.c - sealane check: what keeps the roles apart on this
 * machine.  Not guessed from versions: for each role a child process goes into
 * that role's sandbox and says what it got. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/sandbox.h"
#include "cli/check.h"

static void
try_in_child(enum role role, const struct conf *c, int fd)
{
	struct loop *loop = loop_new();
	struct sandbox got;
	struct fault f = { 0 };
	bool ok = loop != NULL && sandbox_enter(role, c, loop, &got, &f) == 0;

	if (ok)
		ok = write(fd, &got, sizeof got) == sizeof got;
	else
		fprintf(stderr, "sealane: %s: %s\n", role_name(role), f.text);
	_exit(ok ? 0 : 1);
}

static int
try_role(enum role role, const struct conf *c, struct sandbox *got)
{
	int fds[2], rc;
	pid_t pid;

	if (pipe(fds) == -1)
		return -1;
	pid = fork();
	if (pid == 0)
		try_in_child(role, c, fds[1]);
	close(fds[1]);
	rc = read(fds[0], got, sizeof *got) == sizeof *got ? 0 : -1;
	close(fds[0]);
	if (pid != -1)
		waitpid(pid, NULL, 0);
	return rc;
}

static const char *
landlock_text(unsigned abi, char *out, size_t size)
{
	if (abi == 0)
		return "none";
	snprintf(out, size, "ABI %u%s", abi, abi < 4 ? ", no ports" : "");
	return out;
}

static void
check_role(struct cli_table *t, enum role role, const struct conf *c,
    const char *user, struct conf_place at, struct conf_notes *notes)
{
	struct passwd *pw = geteuid() == 0 ? getpwnam(user) : NULL;
	struct sandbox got = { 0 };
	char text[32];

	cli_table_cell(t, "%s", role_name(role));
	cli_table_cell(t, "%s", user);
	if (try_role(role, c, &got) == -1) {
		conf_error(notes, at, "the sandbox of %s cannot be entered",
		    role_name(role));
		cli_table_cell(t, "-");
		cli_table_cell(t, "-");
	} else {
		cli_table_cell(t, "%s", sandbox_calls_name(got.calls));
		cli_table_cell(t, "%s", landlock_text(got.landlock, text,
		    sizeof text));
	}
	cli_table_cell(t, "%s", pw == NULL ? "-" :
	    sandbox_firewall(pw->pw_uid, pw->pw_gid) ? "yes" : "no");
}

static void
add_missing(char *missing, size_t size, const char *user)
{
	size_t n = strlen(missing);

	snprintf(missing + n, size - n, " %s", user);
}

void
check_isolation(const struct conf *c, struct conf_notes *notes)
{
	struct cli_table *t = cli_table_new("isolation|user|calls|landlock|"
	    "firewall");
	struct conf_place at = { c->file, 1, 1 };
	char user[64], missing[200] = "";
	struct passwd *pw = getpwuid(geteuid());

	fflush(NULL);		/* or the children would print it again */
	for (unsigned r = ROLE_PARENT + 1; r < ROLE_COUNT; r++) {
		snprintf(user, sizeof user, "_sealane-%s",
		    role_name((enum role)r));
		if (geteuid() != 0)
			snprintf(user, sizeof user, "%s",
			    pw == NULL ? "this one" : pw->pw_name);
		else if (getpwnam(user) == NULL)
			add_missing(missing, sizeof missing, user);
		check_role(t, (enum role)r, c, user, at, notes);
	}
	(void)cli_table_print(t, stdout);
	cli_table_free(&t);
	if (geteuid() != 0)
		printf("isolation: started by this user, all roles run as it\n");
	if (missing[0] != '\0')
		/* No error of the configuration: another machine may be meant. */
		conf_warn(notes, at, "`serve` will not start as root: no "
		    "users%.160s; systemd-sysusers etc/sealane.sysusers makes "
		    "them", missing);
}
