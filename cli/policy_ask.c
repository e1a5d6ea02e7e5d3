/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/policy_ask.c - see cli/policy_ask.h. */
#include "cli/policy_ask.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/control.h"
#include "base/proctitle.h"
#include "cli/cli.h"
#include "parent/parent.h"

#define START_MS	20000
#define TEXT_MAX	4000		/* of a log that says why */

/* ---- a start aside ---- */

static void
run_aside(int fd, int log_fd)
{
	const char *path = cli_conf_path();
	char *copy = path == NULL ? NULL : strdup(path);

	(void)dup2(log_fd, STDOUT_FILENO);
	(void)dup2(log_fd, STDERR_FILENO);
	/* The title takes the place of the arguments, the path among them. */
	proctitle_set("sealane: aside 1");
	_exit(parent_aside(copy, fd));
}

/* Why it did not come up: the end of what it logged. */
static void
say_why(int log_fd)
{
	char text[TEXT_MAX];
	off_t end = lseek(log_fd, 0, SEEK_END);
	off_t from = end > TEXT_MAX ? end - TEXT_MAX : 0;
	ssize_t n = pread(log_fd, text, sizeof text, from);

	cli_fail("nobody could be started to ask:");
	if (n > 0)
		(void)fwrite(text, 1, (size_t)n, stderr);
}

/* Waits until all its roles are up; its directory. */
static bool
wait_up(const struct policy_ask *a, char *out, size_t size)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	ssize_t n = 0;

	if (poll(&p, 1, START_MS) == 1)
		n = recv(a->fd, out, size - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static int
start_aside(struct policy_ask *a, int log_fd)
{
	int fds[2];

	if (log_fd == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	a->pid = fork();
	if (a->pid == 0) {
		close(fds[0]);
		run_aside(fds[1], log_fd);
	}
	close(fds[1]);
	a->fd = fds[0];
	return a->pid == -1 ? -1 : 0;
}

static int
begin_aside(struct policy_ask *a, const struct conf *conf)
{
	int log_fd = memfd_create("sealane aside", MFD_CLOEXEC);
	char directory[100];
	struct conf there = *conf;
	struct fault f = { 0 };
	int rc = CLI_OK;

	if (start_aside(a, log_fd) == -1) {
		rc = cli_fail("no process to ask could be started: %s",
		    strerror(errno));
	} else if (!wait_up(a, directory, sizeof directory)) {
		say_why(log_fd);
		rc = CLI_NOT_RUNNING;
	} else {
		there.control_directory = directory;
		a->session = control_begin(&there, "policy", &f);
		if (a->session == NULL) {
			cli_fail("%s", f.text);
			rc = CLI_NOT_RUNNING;
		}
	}
	if (log_fd != -1)
		close(log_fd);
	return rc;
}

/* ---- whoever there is ---- */

int
policy_ask_begin(struct policy_ask *a, const struct conf *conf)
{
	struct fault f = { 0 };
	int rc;

	*a = (struct policy_ask){ .fd = -1 };
	a->session = control_begin(conf, "policy", &f);
	if (a->session != NULL)
		return CLI_OK;
	if (f.class == FAULT_PERM)
		fprintf(stderr, "sealane: %s; what it remembers is not known "
		    "here\n", f.text);
	rc = begin_aside(a, conf);
	if (rc != CLI_OK)
		policy_ask_end(a);
	return rc;
}

void
policy_ask_end(struct policy_ask *a)
{
	control_end(&a->session);
	if (a->fd != -1)
		close(a->fd);
	if (a->pid > 0)
		(void)waitpid(a->pid, NULL, 0);
	*a = (struct policy_ask){ .fd = -1 };
}

static void
take(void *arg, const json_t *line)
{
	json_t **answer = arg;

	if (json_object_get(line, "decision") != NULL && *answer == NULL)
		*answer = json_deep_copy(line);
}

json_t *
policy_ask_explain(struct policy_ask *a, const char *domain, int *rc)
{
	json_t *answer = NULL;
	struct fault f = { 0 };

	*rc = control_ask(a->session, json_pack("{s:s, s:o}", "cmd", "explain",
	    "domain", cli_json_text(domain)), take, &answer, &f);
	if (*rc == CLI_OK && answer == NULL)
		*rc = cli_fail("policy gave no answer");
	else if (*rc != CLI_OK)
		cli_fail("%s", f.text);
	else
		(void)json_object_set_new(answer, "daemon",
		    json_boolean(a->pid == 0));
	if (*rc != CLI_OK) {
		json_decref(answer);
		answer = NULL;
	}
	return answer;
}
