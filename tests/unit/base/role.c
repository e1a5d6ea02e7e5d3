/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The frame of a role, in a process of its own, led by the test in the
 * parent's place: what it tells its role about configurations. */
#include "base/role.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/base/conf_test.h"

#define ROLE_FD		3
#define PATIENCE_MS	20000

static struct {
	struct loop		*loop;
	struct loop_timer	*guard;
	struct link		*link;
	pid_t			 pid;
	unsigned		 ready, dones, blames;
	struct ipc_config_done	 done;
	bool			 refused;
	uint32_t		 generation;	/* as the role sees it */
	bool			 timed_out;
} x;

/* ---- the role ---- */

static int
fake_prepare(struct role_env *env, const struct conf *next, struct fault *f)
{
	(void)env;
	if (strcmp(next->hostname, "bad.example") == 0)
		return fault_set(f, FAULT_TEMP, 0, NULL, "it cannot be done");
	return 0;
}

static void
fake_adopt(struct role_env *env, const struct conf *old)
{
	(void)env, (void)old;
}

/* Any message from the parent: the answer says which number is in force. */
static void
fake_asked(struct role_env *env, struct link *l, struct ipc_msg *m)
{
	const struct ipc_blame b = { .index = env->generation,
	    .reason = SPAN_LIT("") };

	(void)l, (void)m;
	ipc_send_blame(env->parent, &b, -1);
}

static const struct role_handler handlers[] = { { IPC_LISTEN, fake_asked } };
static const struct role_ops ops = { .prepare = fake_prepare,
    .adopt = fake_adopt, .handlers = handlers, .nhandlers = 1 };

/* ---- the parent ---- */

static void
on_message(void *ctx, struct link *l, struct ipc_msg *m)
{
	(void)ctx, (void)l;
	if (m->type == IPC_READY) {
		x.ready++;
		ck_assert_uint_eq(m->u.ready.ok, 1);
	} else if (m->type == IPC_CONFIG_DONE) {
		x.dones++;
		x.done = m->u.config_done;
		x.refused = m->u.config_done.error.n > 0;
	} else if (m->type == IPC_BLAME) {
		x.blames++;
		x.generation = m->u.blame.index;
	}
	loop_stop(x.loop);
}

static void
on_closed(void *ctx, struct link *l, const char *why)
{
	(void)ctx, (void)l, (void)why;
	x.link = NULL;
	loop_stop(x.loop);
}

static const struct link_ops link_ops = { on_message, NULL, on_closed };

static void
on_guard(void *arg)
{
	(void)arg;
	x.timed_out = true;
	loop_stop(x.loop);
}

static void
until(const unsigned *count, unsigned n)
{
	loop_timer_set(x.guard, PATIENCE_MS);
	while (*count < n && !x.timed_out && x.link != NULL)
		loop_run(x.loop);
	loop_timer_stop(x.guard);
	ck_assert_uint_eq(*count, n);
}

static void
setup(void)
{
	int fds[2];

	memset(&x, 0, sizeof x);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	x.pid = fork();
	if (x.pid == 0) {
		close(fds[0]);
		if (fds[1] != ROLE_FD && dup2(fds[1], ROLE_FD) == -1)
			_exit(99);
		_exit(role_run(ROLE_SMTPD, 1, &ops));
	}
	ck_assert_int_gt(x.pid, 0);
	close(fds[1]);
	x.loop = loop_new();
	ck_assert_ptr_nonnull(x.loop);
	x.guard = loop_timer_new(x.loop, on_guard, NULL);
	x.link = link_new(x.loop, fds[0], ROLE_PARENT, ROLE_SMTPD, 1,
	    &link_ops, NULL);
	ck_assert_ptr_nonnull(x.link);
}

static void
teardown(void)
{
	int status;

	link_close(&x.link);
	loop_timer_close(&x.guard);
	loop_free(&x.loop);
	ck_assert_int_eq(waitpid(x.pid, &status, 0), x.pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
configure(uint32_t generation, const char *hostname)
{
	const struct ipc_config m = { .generation = generation };
	char text[100], bundle[300];
	int n, fd = memfd_create("bundle", MFD_CLOEXEC);

	n = snprintf(text, sizeof text, "hostname = \"%s\"\n", hostname);
	n = snprintf(bundle, sizeof bundle, "sealane-conf 1\n"
	    "machine host.example.org 3\npart 0 1 1 %d t.conf\n%s\n", n, text);
	ck_assert_int_eq(write(fd, bundle, (size_t)n), n);
	ck_assert_int_eq(ipc_send_config(x.link, &m, fd), 0);
}

static void
tell(bool take)
{
	const struct ipc_config_switch m = { .take = take };

	ck_assert_int_eq(ipc_send_config_switch(x.link, &m, -1), 0);
}

static uint32_t
in_force(void)
{
	const struct ipc_listen m = { .index = 0 };

	ck_assert_int_eq(ipc_send_listen(x.link, &m,
	    open("/dev/null", O_RDONLY | O_CLOEXEC)), 0);
	until(&x.blames, x.blames + 1);
	return x.generation;
}

/* ---- tests ---- */

START_TEST(a_generation_is_taken)
{
	configure(4, "one.example");
	until(&x.ready, 1);
	ck_assert_uint_eq(in_force(), 4);
	configure(5, "two.example");
	until(&x.dones, 1);
	ck_assert(!x.refused && x.done.generation == 5 && !x.done.switched);
	tell(true);
	until(&x.dones, 2);
	ck_assert(!x.refused && x.done.generation == 5 && x.done.switched);
	ck_assert_uint_eq(in_force(), 5);
}
END_TEST

/* What is refused, by this role or by another one, leaves nothing behind: keys
 * compares what it makes later by this number. */
START_TEST(a_refused_one_leaves_the_old)
{
	configure(0, "one.example");
	until(&x.ready, 1);
	configure(1, "bad.example");
	until(&x.dones, 1);
	ck_assert(x.refused && x.done.generation == 1);
	ck_assert_uint_eq(in_force(), 0);
	configure(2, "two.example");
	until(&x.dones, 2);
	ck_assert(!x.refused && x.done.generation == 2);
	tell(false);
	ck_assert_uint_eq(in_force(), 0);
	configure(3, "three.example");
	until(&x.dones, 3);
	tell(true);
	until(&x.dones, 4);
	ck_assert_uint_eq(in_force(), 3);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("role");
	TCase *tc = tcase_create("configurations");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_generation_is_taken);
	tcase_add_test(tc, a_refused_one_leaves_the_old);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
