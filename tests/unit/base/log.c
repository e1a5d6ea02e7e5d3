/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Where the log goes: the shapes for syslog and the journal, and that nobody
 * waits for a reader that does not read, or is not there. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log_out.h"
#include "base/span.h"
#include "tests/unit/suite.h"

static int fds[2];		/* ours, and the log's */
static int old_stderr;
static unsigned wakes;
static char got[65536];

static void
wake(void *arg)
{
	(*(unsigned *)arg)++;
}

static void
open_sockets(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds),
	    0);
	log_open("test", LOG_LOGFMT);
	wakes = 0;
	log_on_wait(wake, &wakes);
}

/* One datagram, "" if there is none. */
static const char *
receive(void)
{
	ssize_t n = recv(fds[0], got, sizeof got - 1, MSG_DONTWAIT);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void
say(const char *text)
{
	log_warn("event", KV_S("not-after", text), KV_Q("q", text),
	    KV_ADDR("from", span_str(text)), KV_N("n", -5), KV_SEC("s", 1234));
}

/* ---- shapes ---- */

START_TEST(syslog_shape)
{
	char want[200];

	open_sockets();
	log_to(LOG_SYSLOG, fds[1]);
	say("a\nb");
	snprintf(want, sizeof want, "<20>sealane/test[%d]: event level=warn "
	    "not-after=\"a\\x0ab\" q=\"a\\x0ab\" from=\"<a\\x0ab>\" n=-5 s=1.234",
	    (int)getpid());
	ck_assert_str_eq(receive(), want);
	log_signal("trap", KV_N("number", 7));
	snprintf(want, sizeof want, "<19>sealane/test[%d]: trap level=error "
	    "number=7\n", (int)getpid());
	ck_assert_str_eq(receive(), want);
}
END_TEST

START_TEST(journal_shape)
{
	open_sockets();
	log_to(LOG_JOURNAL, fds[1]);
	say("a\"\n\\=b");
	ck_assert_str_eq(receive(),
	    "PRIORITY=4\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=sealane/test\n"
	    "SEALANE_ROLE=test\nSEALANE_EVENT=event\n"
	    "SEALANE_NOT_AFTER=a\"\\x0a\\\\=b\nSEALANE_Q=a\"\\x0a\\\\=b\n"
	    "SEALANE_FROM=a\"\\x0a\\\\=b\nSEALANE_N=-5\nSEALANE_S=1.234\n"
	    "MESSAGE=event level=warn not-after=\"a\\\"\\x0a\\\\=b\" "
	    "q=\"a\\\"\\x0a\\\\=b\" from=\"<a\\\"\\x0a\\\\=b>\" n=-5 s=1.234\n");
	log_signal("trap", KV_S("call", "open"));
	ck_assert_str_eq(receive(), "PRIORITY=3\nSYSLOG_IDENTIFIER=sealane/test\n"
	    "SEALANE_ROLE=test\nSEALANE_EVENT=trap\n"
	    "MESSAGE=trap level=error call=open\n");
}
END_TEST

/* Whatever byte comes from outside: no field is made by it. */
START_TEST(journal_every_byte)
{
	const char text[] = { 'x', (char)_i, 'P', 'R', 'I', '=', '\0' };
	unsigned lines = 0;

	open_sockets();
	log_to(LOG_JOURNAL, fds[1]);
	log_info("event", KV_SPAN("w", span_of(text, 6)));
	for (const char *c = receive(); *c != '\0'; c++) {
		ck_assert_msg((*c >= ' ' && *c < 0x7f) || *c == '\n',
		    "byte %d", *c);
		lines += *c == '\n';
	}
	ck_assert_uint_eq(lines, 7);
}
END_TEST

START_TEST(json_in_both)
{
	open_sockets();
	log_open("test", LOG_JSON);
	log_to(LOG_SYSLOG, fds[1]);
	log_info("event", KV_S("w", "x"));
	ck_assert_ptr_nonnull(strstr(receive(), "]: {\"time\":\""));
	ck_assert_ptr_nonnull(strstr(got, "\"w\":\"x\"}"));
	log_to(LOG_JOURNAL, dup(fds[1]));
	log_info("event", KV_S("w", "x"));
	ck_assert_ptr_nonnull(strstr(receive(), "\nSEALANE_W=x\nMESSAGE={\"time"));
}
END_TEST

static const struct { enum log_level level; const char *head; } priorities[] = {
	{ LOG_DEBUG, "<23>" }, { LOG_INFO, "<22>" }, { LOG_WARN, "<20>" },
	{ LOG_ERROR, "<19>" },
};

START_TEST(syslog_priorities)
{
	open_sockets();
	log_set_level(LOG_DEBUG);
	log_to(LOG_SYSLOG, fds[1]);
	log_event(priorities[_i].level, "event", NULL, 0);
	ck_assert_mem_eq(receive(), priorities[_i].head, 4);
}
END_TEST

/* A line that does not fit says its event at least, in the same shape. */
START_TEST(too_long)
{
	static char text[1400];
	struct kv kv[12];

	memset(text, '\t', sizeof text - 1);	/* each four bytes, escaped */
	for (int i = 0; i < NELEM(kv); i++)
		kv[i] = (struct kv)KV_Q("q", text);
	open_sockets();
	log_to(LOG_JOURNAL, fds[1]);
	log_event(LOG_INFO, "event", kv, NELEM(kv));
	ck_assert_ptr_nonnull(strstr(receive(), "\nMESSAGE=event cut=yes\n"));
	ck_assert_mem_eq(got, "PRIORITY=6\n", 11);
}
END_TEST

/* ---- readers that do not read ---- */

START_TEST(bursts_are_kept)
{
	char want[64];
	unsigned n = 0, sent = 0;

	open_sockets();
	log_to(LOG_SYSLOG, fds[1]);
	while (wakes == 0) {		/* the kernel's queue is full */
		log_info("event", KV_N("number", sent++));
		ck_assert_uint_lt(sent, 100000);
	}
	for (int i = 0; i < 100; i++)
		log_info("event", KV_N("number", sent++));
	ck_assert(!log_flush());
	do {
		for (; receive()[0] != '\0'; n++) {
			snprintf(want, sizeof want, ": event number=%u", n);
			ck_assert_ptr_nonnull(strstr(got, want));
		}
	} while (!log_flush() || n < sent);
	ck_assert_uint_eq(n, sent);
}
END_TEST

START_TEST(bounded_and_counted)
{
	static const char lines[] = ": log-dropped level=warn lines=";
	unsigned n = 0, dropped;
	const char *at;

	open_sockets();
	log_to(LOG_SYSLOG, fds[1]);
	for (unsigned i = 0; i < 20000; i++)
		log_info("event", KV_N("number", i));
	while ((at = strstr(receive(), lines)) == NULL) {
		if (got[0] == '\0')
			(void)log_flush();
		else
			n++;
	}
	dropped = (unsigned)atoi(at + strlen(lines));
	ck_assert_uint_gt(n, LOG_BACKLOG / 64);
	ck_assert_uint_eq(n + dropped, 20000);
	log_info("event", KV_N("number", 1));
	ck_assert_ptr_nonnull(strstr(receive(), "event number=1"));
	ck_assert_str_eq(receive(), "");
}
END_TEST

/* A log daemon that is restarted with a socket of its own. */
START_TEST(reader_gone)
{
	open_sockets();
	log_to(LOG_SYSLOG, fds[1]);
	close(fds[0]);
	ck_assert(!log_gone());
	log_info("one");
	ck_assert(log_gone());
	ck_assert_uint_gt(wakes, 0);
	log_info("two");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds),
	    0);
	log_to(LOG_SYSLOG, fds[1]);
	ck_assert(!log_gone());
	ck_assert(log_flush());
	ck_assert_ptr_nonnull(strstr(receive(), ": one"));
	ck_assert_ptr_nonnull(strstr(receive(), ": two"));
}
END_TEST

/* It was not there at the start. */
START_TEST(reader_late)
{
	open_sockets();
	log_to(LOG_JOURNAL, -1);
	ck_assert(log_gone());
	log_info("one");
	log_signal("trap", KV_N("number", 7));	/* counted, not kept */
	log_to(LOG_JOURNAL, fds[1]);
	ck_assert(log_flush());
	ck_assert_ptr_nonnull(strstr(receive(), "MESSAGE=one"));
	ck_assert_ptr_nonnull(strstr(receive(), "SEALANE_LINES=1\n"));
}
END_TEST

/* Standard error may be a pipe that nobody reads. */
START_TEST(full_pipe)
{
	static char text[1000];
	size_t n = 0, lines = 0;
	ssize_t k;

	memset(text, 'x', sizeof text - 1);
	ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	old_stderr = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	log_open("test", LOG_LOGFMT);
	for (int i = 0; i < 200; i++)
		log_info("event", KV_S("t", text));
	do {
		while ((k = read(fds[0], got, sizeof got)) > 0) {
			n += (size_t)k;
			for (ssize_t i = 0; i < k; i++)
				lines += got[i] == '\n';
		}
	} while (!log_flush());
	while ((k = read(fds[0], got, sizeof got)) > 0) {
		n += (size_t)k;
		for (ssize_t i = 0; i < k; i++)
			lines += got[i] == '\n';
	}
	dup2(old_stderr, STDERR_FILENO);
	ck_assert_uint_eq(lines, 200);
	ck_assert_uint_gt(n, 200000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base log");
	TCase *tc = tcase_create("log");

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, syslog_shape);
	tcase_add_test(tc, journal_shape);
	tcase_add_loop_test(tc, journal_every_byte, 0, 256);
	tcase_add_test(tc, json_in_both);
	tcase_add_loop_test(tc, syslog_priorities, 0, NELEM(priorities));
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, bursts_are_kept);
	tcase_add_test(tc, bounded_and_counted);
	tcase_add_test(tc, reader_gone);
	tcase_add_test(tc, reader_late);
	tcase_add_test(tc, full_pipe);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
