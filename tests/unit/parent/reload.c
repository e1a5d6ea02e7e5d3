/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The two phases of a reload with three roles, one of each wave, whose answers,
 * deaths and births the test plays. */
#include "parent/parent_priv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"

enum { POLICY, QUEUE, SMTPD, NCHILDREN };

static const enum role roles[NCHILDREN] = { ROLE_POLICY, ROLE_QUEUE,
    ROLE_SMTPD };

static struct parent p;
static struct child children[NCHILDREN];
static int far[NCHILDREN];		/* the roles' ends, which nobody reads */
static char dir[64], file[80];

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
write_conf(const char *text)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	/* An address of this process's own: tests run side by side. */
	fprintf(f, "listen \"a\" { address = \"127.%u.%u.9:2525\" }\n%s\n",
	    (unsigned)getpid() >> 8 & 127, (unsigned)getpid() & 255, text);
	ck_assert_int_eq(fclose(f), 0);
}

static void
be_born(unsigned i)
{
	struct child *c = &children[i];
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	far[i] = fds[1];
	c->link = link_new(p.loop, fds[0], ROLE_PARENT, c->role, c->index,
	    &link_ops, c);
	ck_assert_ptr_nonnull(c->link);
	c->generation = p.now.number;
	c->state = CHILD_READY;
}

static void
die(unsigned i)
{
	struct child *c = &children[i];

	link_close(&c->link);
	close(far[i]);
	c->state = CHILD_DOWN;
	reload_child_down(c);
}

static void
setup(void)
{
	struct conf_notes notes = { 0 };
	struct fault f = { 0 };
	size_t bad;

	snprintf(dir, sizeof dir, "/tmp/sealane-reload-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/conf", dir);
	write_conf("");
	memset(&p, 0, sizeof p);
	p = (struct parent){ .loop = loop_new(), .path = file,
	    .children = children, .nchildren = NCHILDREN, .announced = true,
	    .notify_fd = -1 };
	generation_init(&p.now);
	generation_init(&p.next);
	ck_assert_int_eq(generation_load(&p.now, file, &notes, &f), 0);
	conf_notes_free(&notes);
	ck_assert_msg(generation_listen(&p.now, NULL, &bad, &f) == 0, "%s",
	    f.text);
	ck_assert_int_eq(reload_start(&p), 0);
	for (unsigned i = 0; i < NCHILDREN; i++) {
		children[i] = (struct child){ .parent = &p, .role = roles[i],
		    .index = 1 };
		be_born(i);
	}
}

static void
teardown(void)
{
	for (unsigned i = 0; i < NCHILDREN; i++) {
		child_free(&children[i]);
		close(far[i]);
	}
	loop_timer_close(&p.reload.timer);
	generation_free(&p.now);
	generation_free(&p.next);
	loop_free(&p.loop);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
answer(unsigned i, bool switched, const char *error)
{
	const struct ipc_config_done m = { .generation = p.reload.tried,
	    .switched = switched, .error = span_str(error) };

	reload_answer(&children[i], &m);
}

static void
all_prepared(void)
{
	for (unsigned i = 0; i < NCHILDREN; i++)
		answer(i, false, "");
}

START_TEST(from_the_inside_out)
{
	reload_begin(&p);
	ck_assert_int_eq(p.reload.phase, RELOAD_PREPARE);
	ck_assert_uint_eq(p.now.number, 0);
	all_prepared();
	ck_assert_int_eq(p.reload.phase, RELOAD_SWITCH);
	ck_assert_uint_eq(p.now.number, 1);
	for (unsigned i = 0; i < NCHILDREN; i++) {
		ck_assert_uint_eq(p.reload.wave, i);
		answer(i, true, "");
	}
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
	for (unsigned i = 0; i < NCHILDREN; i++)
		ck_assert_uint_eq(children[i].generation, 1);
}
END_TEST

START_TEST(refused_by_one)
{
	reload_begin(&p);
	answer(POLICY, false, "");
	answer(QUEUE, false, "no memory");
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
	ck_assert_uint_eq(p.now.number, 0);
	/* Too late, and of another reload. */
	answer(SMTPD, false, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
}
END_TEST

/* It was started under the new configuration, and is not asked to take it:
 * nobody would answer. */
START_TEST(born_while_others_switch)
{
	reload_begin(&p);
	all_prepared();
	die(SMTPD);
	be_born(SMTPD);
	reload_child_ready(&children[SMTPD]);
	answer(POLICY, true, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_SWITCH);
	answer(QUEUE, true, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
}
END_TEST

START_TEST(dead_before_the_switch)
{
	reload_begin(&p);
	die(QUEUE);
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
	ck_assert_uint_eq(p.now.number, 0);
}
END_TEST

/* It may be down because of what is in force. */
START_TEST(not_waited_for)
{
	die(QUEUE);
	reload_begin(&p);
	ck_assert_int_eq(p.reload.phase, RELOAD_PREPARE);
	answer(POLICY, false, "");
	answer(SMTPD, false, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_SWITCH);
	answer(POLICY, true, "");
	answer(SMTPD, true, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
	ck_assert_uint_eq(p.now.number, 1);
}
END_TEST

/* It came up under the old one while others prepare: asked as they are. */
START_TEST(asked_when_it_is_up)
{
	die(QUEUE);
	reload_begin(&p);
	answer(POLICY, false, "");
	be_born(QUEUE);
	reload_child_ready(&children[QUEUE]);
	answer(SMTPD, false, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_PREPARE);
	answer(QUEUE, false, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_SWITCH);
}
END_TEST

/* It began to start under the old one, and was up too late to be asked: while
 * others switch, or behind that. */
START_TEST(up_with_the_old_one)
{
	die(SMTPD);
	reload_begin(&p);
	be_born(SMTPD);
	children[SMTPD].state = CHILD_STARTING;
	answer(POLICY, false, "");
	answer(QUEUE, false, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_SWITCH);
	for (unsigned i = POLICY; _i == 1 && i <= QUEUE; i++)
		answer(i, true, "");
	children[SMTPD].state = CHILD_READY;
	reload_child_ready(&children[SMTPD]);
	ck_assert(children[SMTPD].renewing);
	ck_assert_int_eq(children[SMTPD].state, CHILD_DOWN);
	for (unsigned i = POLICY; _i == 0 && i <= QUEUE; i++)
		answer(i, true, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
}
END_TEST

/* From the switch on nothing can fail: who refuses then is ended. */
START_TEST(refused_after_all)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		for (;;)
			pause();
	children[POLICY].pid = pid;
	reload_begin(&p);
	all_prepared();
	answer(POLICY, true, "no memory");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	children[POLICY].pid = 0;
	ck_assert_int_eq(p.reload.phase, RELOAD_SWITCH);
	die(POLICY);
	answer(QUEUE, true, "");
	answer(SMTPD, true, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
}
END_TEST

/* What came meanwhile is done afterwards, however this one ends. */
START_TEST(asked_twice)
{
	const char *said = _i == 0 ? "" : "no memory";

	reload_begin(&p);
	reload_begin(&p);
	answer(POLICY, false, "");
	answer(QUEUE, false, "");
	answer(SMTPD, false, said);
	for (unsigned i = 0; _i == 0 && i < NCHILDREN; i++)
		answer(i, true, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_PREPARE);
	ck_assert_uint_eq(p.reload.tried, 2);
	ck_assert(!p.reload.again);
}
END_TEST

START_TEST(mistakes)
{
	write_conf("nonsense = 1");
	reload_begin(&p);
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
	ck_assert_uint_eq(p.now.number, 0);
	ck_assert_ptr_null(p.next.conf);
}
END_TEST

/* Another version looks at the configuration and may soon be in our place. */
START_TEST(waits_for_an_upgrade)
{
	p.checker = -1;
	reload_begin(&p);
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
	ck_assert(p.reload.again);
}
END_TEST

START_TEST(ends_with_all)
{
	reload_begin(&p);
	if (_i == 1)
		all_prepared();
	reload_begin(&p);
	p.stage = STAGE_DRAIN_SMTPD;
	reload_end(&p);
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
	ck_assert(!p.reload.again && !loop_timer_active(p.reload.timer));
	ck_assert_uint_eq(p.now.number, (unsigned)_i);
	answer(POLICY, _i == 1, "");
	ck_assert_int_eq(p.reload.phase, RELOAD_NONE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reload");
	TCase *tc = tcase_create("phases");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, from_the_inside_out);
	tcase_add_test(tc, refused_by_one);
	tcase_add_test(tc, born_while_others_switch);
	tcase_add_test(tc, dead_before_the_switch);
	tcase_add_test(tc, not_waited_for);
	tcase_add_test(tc, asked_when_it_is_up);
	tcase_add_loop_test(tc, up_with_the_old_one, 0, 2);
	tcase_add_test(tc, refused_after_all);
	tcase_add_loop_test(tc, asked_twice, 0, 2);
	tcase_add_test(tc, mistakes);
	tcase_add_test(tc, waits_for_an_upgrade);
	tcase_add_loop_test(tc, ends_with_all, 0, 2);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
