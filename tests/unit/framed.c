/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/unit/framed.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ipc/ipc.h"
#include "tests/unit/allocs.h"

#define PARENT_FD	3
#define LOOK_MS		5
#define PATIENCE_MS	60000

static struct {
	_Atomic pid_t	 role;
	_Atomic bool	 again;
	_Atomic unsigned allocs;
	int		 code;		/* of the whole test */
	char		 wrong[200];	/* the first thing, "" none */
} *shared;

static const struct framed *f;
static struct loop *loop;		/* of the peers */
static struct link *parent;
static struct loop_timer *look;
static unsigned waited;			/* ms */
static int role_end;

void *
framed_share(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void
framed_wrong(const char *format, ...)
{
	va_list ap;

	if (shared->wrong[0] != '\0')
		return;
	va_start(ap, format);
	(void)vsnprintf(shared->wrong, sizeof(shared->wrong), format, ap);
	va_end(ap);
}

bool
framed_again(void)
{
	return shared->again;
}

/* ---- the role ---- */

static unsigned fail_at;

static int
start(struct role_env *env, struct fault *fault)
{
	allocs_seen = 0;
	allocs_fail = fail_at;
	step_begin();
	if (f->ops->start(env, fault) == -1)
		return -1;
	if (f->started != NULL)
		f->started(env);
	return 0;
}

static void
run_role(void *arg)
{
	struct role_ops ops = *f->ops;
	int code;

	(void)arg;
	shared->role = getpid();
	ops.start = start;
	/* No socket of another process: its end would never be seen. */
	if (dup2(role_end, PARENT_FD) == -1 ||
	    close_range(PARENT_FD + 1, ~0u, 0) == -1)
		_exit(99);
	code = role_run(f->role, 1, &ops);
	allocs_fail = 0;
	shared->allocs = allocs_seen;
	_exit(code);
}

static pid_t
in_a_process(void (*run)(void *), void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(arg);
		_exit(0);
	}
	return pid;
}

/* ---- its parent, in the process of the peers ---- */

static int	link_up(int fd);

/* Its tracer has the role's end of the link as well, and thus all that nobody
 * has read there: no socket tells that it is gone. */
static bool
is_gone(void)
{
	return shared->role != 0 && kill(shared->role, 0) == -1;
}

static void
start_again(void)
{
	int sv[2];

	link_close(&parent);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, sv) == -1 || link_up(sv[0]) == -1) {
		framed_wrong("not started again: %s", strerror(errno));
		loop_stop(loop);
		return;
	}
	shared->again = true;
	role_end = sv[1];
	shared->role = in_a_process(run_role, NULL);
	close(sv[1]);
}

static void
on_look(void *arg)
{
	(void)arg;
	loop_timer_set(look, LOOK_MS);
	waited += LOOK_MS;
	if (waited > PATIENCE_MS)
		framed_wrong("not all was done in time");
	if (f->over() || shared->wrong[0] != '\0')
		loop_stop(loop);
	else if (!shared->again && is_gone())
		start_again();
	else if (shared->again && waitpid(shared->role, NULL, WNOHANG) > 0)
		framed_wrong("the next one ended, too");
}

static void
parent_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	(void)ctx;
	if (m->type == IPC_READY && m->u.ready.ok == 1)
		f->ready(l);
}

static void
parent_closed(void *ctx, struct link *l, const char *why)
{
	(void)ctx, (void)l, (void)why;
	parent = NULL;
}

static const struct link_ops parent_ops = { parent_message, NULL,
    parent_closed };

static int
link_up(int fd)
{
	char bundle[1000];
	int conf = memfd_create("bundle", MFD_CLOEXEC);
	int n = snprintf(bundle, sizeof(bundle), "sealane-conf 1\n"
	    "machine host.example.org 3\npart 0 1 1 %zu t.conf\n%s\n",
	    strlen(f->conf), f->conf);

	parent = link_new(loop, fd, ROLE_PARENT, f->role, 1, &parent_ops, NULL);
	if (parent == NULL || write(conf, bundle, (size_t)n) != n)
		return -1;
	return ipc_send_config(parent, &(struct ipc_config){ 0 }, conf);
}

struct link *
framed_peer(struct link *to, enum role role, const struct link_ops *ops)
{
	const struct ipc_peer peer = { .role = (uint8_t)role, .index = 1 };
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, sv) == -1)
		return NULL;
	(void)ipc_send_peer(to, &peer, sv[1]);
	return link_new(loop, sv[0], role, f->role, 1, ops, NULL);
}

/* Its end closes what the role has of the peers, who thus ends in order. */
static void
run_peers(void *arg)
{
	int status;

	loop = loop_new();
	look = loop_timer_new(loop, on_look, NULL);
	if (link_up(*(int *)arg) == -1)
		framed_wrong("no parent");
	f->open(loop);
	loop_timer_set(look, LOOK_MS);
	loop_run(loop);
	link_close(&parent);
	if (shared->again && waitpid(shared->role, &status, 0) > 0 &&
	    status != 0)
		framed_wrong("the next one ended with status %d", status);
}

static void
run_client(void *arg)
{
	(void)arg;
	f->client();
}

/* ---- one run ---- */

/* The role's end stays open here; see is_gone(). */
static bool
begin(const struct framed *what)
{
	int sv[2];

	f = what;
	memset(shared, 0, sizeof(*shared));	/* ->code comes last */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, sv) == -1)
		return false;
	role_end = sv[1];
	(void)in_a_process(run_peers, &sv[0]);
	close(sv[0]);
	if (f->client != NULL)
		(void)in_a_process(run_client, NULL);
	return true;
}

void
framed_run(const struct framed *what, struct step *s)
{
	if (!begin(what))
		return;
	step_run(s, run_role, NULL);		/* reaps the others as well */
	close(role_end);
}

unsigned
framed_run_short(const struct framed *what, unsigned at, struct step *s)
{
	pid_t pid, got;
	int status;

	if (!begin(what))
		return 0;
	fail_at = at;
	pid = in_a_process(run_role, NULL);
	fail_at = 0;
	while ((got = waitpid(-1, &status, 0)) > 0)
		if (got == pid)
			s->status = status;
	close(role_end);
	return shared->allocs;
}

bool
framed_look(const char *done, const struct step *s)
{
	const char *why = shared->wrong;
	char ended[60] = "";

	if (why[0] == '\0' && !WIFEXITED(s->status) && !(s->done &&
	    s->what == STEP_KILL && WTERMSIG(s->status) == SIGKILL)) {
		(void)snprintf(ended, sizeof(ended), "ended by signal %d",
		    WTERMSIG(s->status));
		why = ended;
	}
	if (why[0] != '\0')
		fprintf(stderr, "%s: %s\n", done, why);
	return why[0] == '\0';
}

/* ---- all runs ---- */

struct fix framed_keys;

static const struct places *places;
static int argc;
static char **argv;

START_TEST(each_place)
{
	fix_open(&framed_keys, true, false);
	shared->code = places_main(places, argc, argv);
	fix_close(&framed_keys);
}
END_TEST

int
framed_main(const struct places *p, int count, char **words)
{
	Suite *s = suite_create("a role is hurt");
	TCase *tc = tcase_create("places");

	shared = framed_share(sizeof(*shared));
	if (shared == NULL)
		return 1;
	places = p;
	argc = count;
	argv = words;
	tcase_set_timeout(tc, 3600);
	tcase_add_test(tc, each_place);
	suite_add_tcase(s, tc);
	return suite_run(s) != 0 ? 1 : shared->code;
}
