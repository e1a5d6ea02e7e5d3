/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/upgrade.c - sealane upgrade: asks the running relay to become the program
 * that is installed now; and how commands find that relay. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The lock says that there is one, its content which process that is. */
static int
find_daemon(const struct conf *conf, pid_t *pid)
{
	char path[1024], text[32] = "";
	unsigned long long number;
	int fd, n;
	bool held;

	snprintf(path, sizeof path, "%s/lock", conf->state_directory);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno != ENOENT)
		return cli_fail("%s: %s", path, strerror(errno));
	held = fd != -1 && flock(fd, LOCK_SH | LOCK_NB) == -1 &&
	    errno == EWOULDBLOCK;
	n = held ? (int)read(fd, text, sizeof text - 1) : 0;
	if (fd != -1)
		close(fd);
	if (!held || n <= 0 || !span_u64(span_head(span_str(text),
	    strcspn(text, "\n")), INT32_MAX, &number) || number < 2)
		return CLI_NOT_RUNNING;
	*pid = (pid_t)number;
	return CLI_OK;
}

int
cli_signal(const struct conf *conf, int signum, pid_t *pid)
{
	int rc = find_daemon(conf, pid);

	if (rc == CLI_OK && kill(*pid, signum) == -1)
		return cli_fail("process %d: %s", (int)*pid, strerror(errno));
	return rc;
}

int
cli_upgrade(const struct conf *conf, int argc, char **argv)
{
	pid_t pid;
	int rc;

	if (argc > 1)
		return cli_usage("upgrade takes no argument `%s`", argv[1]);
	rc = cli_signal(conf, SIGUSR2, &pid);
	if (rc == CLI_NOT_RUNNING)
		cli_fail("no Sealane runs on the state directory %s",
		    conf->state_directory);
	if (rc == CLI_OK)
		printf("process %d was asked; its log says `upgrading`, and "
		    "`started` or `upgrade-failed`\n", (int)pid);
	return rc;
}
