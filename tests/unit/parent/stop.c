/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The end, beside what else the parent may be at, with one role that does not
 * say that it has drained. */
#include "parent/parent_priv.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"

#define DRAIN_MS	20000

static struct parent p;
static struct child smtpd;
static struct conf conf = { .drain = DRAIN_MS };
static int far;

static void
nothing(void *ctx, struct link *l, struct ipc_msg *m)
{
	(void)ctx, (void)l, (void)m;
}

static void
gone(void *ctx, struct link *l, const char *why)
{
	(void)ctx, (void)l, (void)why;
}

static const struct link_ops link_ops = { nothing, NULL, gone };

static void
setup(void)
{
	int fds[2];

	p = (struct parent){ .loop = loop_new(), .children = &smtpd,
	    .nchildren = 1, .announced = true, .notify_fd = -1 };
	generation_init(&p.now);
	generation_init(&p.next);
	p.now.conf = &conf;
	p.stage_timer = loop_timer_new(p.loop, stop_timeout, &p);
	ck_assert_int_eq(reload_start(&p), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	far = fds[1];
	smtpd = (struct child){ .parent = &p, .role = ROLE_SMTPD, .index = 1,
	    .state = CHILD_READY, .pid = -1 };
	smtpd.link = link_new(p.loop, fds[0], ROLE_PARENT, ROLE_SMTPD, 1,
	    &link_ops, &smtpd);
	ck_assert_ptr_nonnull(smtpd.link);
}

static void
teardown(void)
{
	child_free(&smtpd);
	close(far);
	loop_timer_close(&p.stage_timer);
	loop_timer_close(&p.reload.timer);
	loop_free(&p.loop);
}

/* The program that is asked whether it could take over ends when it likes: the
 * deadline of a stop that came meanwhile stays. */
START_TEST(beside_an_upgrade)
{
	siginfo_t ended;

	p.checker = fork();
	if (p.checker == 0)
		_exit(_i);
	stop_begin(&p);
	ck_assert_int_eq(p.stage, STAGE_DRAIN_SMTPD);
	ck_assert(loop_timer_active(p.stage_timer));
	ck_assert_int_eq(waitid(P_PID, (id_t)p.checker, &ended, WEXITED |
	    WNOWAIT), 0);
	upgrade_reap(&p);
	ck_assert_int_eq(p.checker, 0);
	ck_assert(!p.upgrading);
	ck_assert(loop_timer_active(p.stage_timer));
}
END_TEST

/* Nobody's answer is waited for any more. */
START_TEST(beside_a_reload)
{
	p.reload.phase = _i == 0 ? RELOAD_PREPARE : RELOAD_SWITCH;
	p.reload.again = true;
	loop_timer_set(p.reload.timer, 1000);
	stop_begin(&p);
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
	ck_assert(!loop_timer_active(p.reload.timer));
	ck_assert_int_eq(p.stage, STAGE_DRAIN_SMTPD);
}
END_TEST

/* A verdict of the new program: no, while SIGHUP has been waiting for it. */
START_TEST(upgrade_refused_then_reload)
{
	siginfo_t ended;

	p.path = "/nonexistent/sealane.conf";
	p.checker = fork();
	if (p.checker == 0)
		_exit(1);
	reload_begin(&p);
	ck_assert(p.reload.again);
	ck_assert_int_eq(waitid(P_PID, (id_t)p.checker, &ended, WEXITED |
	    WNOWAIT), 0);
	upgrade_reap(&p);
	/* It was tried: there is no such file. */
	ck_assert(!p.reload.again);
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
	ck_assert_int_eq(p.stage, STAGE_RUNNING);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("stop");
	TCase *tc = tcase_create("beside");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, beside_an_upgrade, 0, 2);
	tcase_add_loop_test(tc, beside_a_reload, 0, 2);
	tcase_add_test(tc, upgrade_refused_then_reload);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
