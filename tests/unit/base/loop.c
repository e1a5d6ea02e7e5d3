/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The loop's life-cycle rules. */
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "tests/unit/suite.h"

static struct loop *loop;
static int fired, worked;
static struct loop_io *io;
static struct loop_timer *timer;
static struct loop_signal *sig;

static void
fire(void *arg)
{
	(void)arg;
	fired++;
	loop_stop(loop);
}

static void
readable(void *arg, int events)
{
	char byte;

	(void)arg;
	ck_assert_int_eq(events, LOOP_READ);
	ck_assert_int_eq(read(loop_io_fd(io), &byte, 1), 1);
	fired++;
	loop_io_close(&io);		/* its own handle, inside its callback */
	loop_stop(loop);
}

START_TEST(timers)
{
	loop = loop_new();
	timer = loop_timer_new(loop, fire, NULL);
	ck_assert(!loop_timer_active(timer));
	loop_timer_set(timer, 5);
	ck_assert(loop_timer_active(timer));
	loop_run(loop);
	ck_assert_int_eq(fired, 1);
	ck_assert(!loop_timer_active(timer));	/* one-shot */
	loop_timer_set(timer, 5);
	loop_timer_close(&timer);
	ck_assert_ptr_null(timer);
	loop_timer_close(&timer);		/* NULL may be closed */
	loop_free(&loop);			/* runs what is left: nothing fires */
	ck_assert_int_eq(fired, 1);
}
END_TEST

START_TEST(descriptors)
{
	int fds[2];

	loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	io = loop_io_new(loop, fds[0], readable, NULL);
	ck_assert_int_eq(loop_io_watch(io, LOOP_READ), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	loop_run(loop);
	ck_assert_int_eq(fired, 1);
	ck_assert_ptr_null(io);
	ck_assert_int_eq(close(fds[0]), -1);	/* closed with its handle */
	close(fds[1]);
	loop_free(&loop);
}
END_TEST

START_TEST(released_descriptor_stays_open)
{
	int fds[2];

	loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	io = loop_io_new(loop, fds[0], readable, NULL);
	loop_io_watch(io, LOOP_READ);
	ck_assert_int_eq(loop_io_release(&io), fds[0]);
	io = loop_io_new(loop, fds[0], readable, NULL);	/* the number again, at once */
	ck_assert_ptr_nonnull(io);
	loop_io_watch(io, LOOP_READ);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	loop_run(loop);
	ck_assert_int_eq(fired, 1);
	close(fds[1]);
	loop_free(&loop);
}
END_TEST

static void
work(void *arg)
{
	usleep(1000);
	*(int *)arg = 1;
}

START_TEST(thread_pool)
{
	loop = loop_new();
	ck_assert_int_eq(loop_work(loop, work, fire, &worked), 0);
	loop_run(loop);
	ck_assert_int_eq(worked, 1);
	ck_assert_int_eq(fired, 1);
	loop_free(&loop);
}
END_TEST

START_TEST(signals)
{
	loop = loop_new();
	sig = loop_signal_new(loop, SIGUSR1, fire, NULL);
	kill(getpid(), SIGUSR1);
	loop_run(loop);
	ck_assert_int_eq(fired, 1);
	loop_signal_close(&sig);
	loop_free(&loop);
}
END_TEST

START_TEST(forgotten_handle_is_our_bug)
{
	loop = loop_new();
	timer = loop_timer_new(loop, fire, NULL);
	loop_free(&loop);	/* asserts */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base loop");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, timers);
	tcase_add_test(tc, descriptors);
	tcase_add_test(tc, released_descriptor_stays_open);
	tcase_add_test(tc, thread_pool);
	tcase_add_test(tc, signals);
	tcase_add_test_raise_signal(tc, forgotten_handle_is_our_bug, SIGABRT);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
