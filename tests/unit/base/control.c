/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* A real socket in a temporary directory, an owner in a child process, and
 * clients of every bad habit. */
#include "base/control.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[80];
static pid_t server;

/* ---- the owner ---- */

struct owner {
	struct loop		*loop;
	struct control		*control;
	struct loop_signal	*term;
	struct loop_timer	*timer;
	struct control_client	*later;
	json_int_t		 gone, most;	/* most: furthest position of a listing */
};

struct listing {
	json_int_t	 at, n;
};

static void
list_some(struct owner *o, struct control_client *c)
{
	void **cursor = control_cursor(c);
	struct listing *l = *cursor;
	int i;

	for (i = 0; i < 100 && l->at < l->n && !control_full(c); i++)
		control_answer(c, json_pack("{s:I}", "entry", l->at++));
	if (l->at > o->most)
		o->most = l->at;
	if (l->at == l->n) {
		free(l);
		*cursor = NULL;
		control_done(c);
	}
}

static void
owner_request(void *ctx, struct control_client *c, const json_t *req)
{
	struct owner *o = ctx;
	const char *cmd = json_string_value(json_object_get(req, "cmd"));
	struct listing *l;
	int i;

	if (strcmp(cmd, "echo") == 0) {
		control_answer(c, json_pack("{s:O}", "echo",
		    json_object_get(req, "value")));
		control_done(c);
	} else if (strcmp(cmd, "list") == 0) {
		l = calloc(1, sizeof *l);
		l->n = json_integer_value(json_object_get(req, "n"));
		*control_cursor(c) = l;
		list_some(o, c);
	} else if (strcmp(cmd, "later") == 0) {
		o->later = c;
		loop_timer_set(o->timer, 20);
	} else if (strcmp(cmd, "flood") == 0) {
		/* An owner that looks at nothing, and goes on after it. */
		for (i = 0; i < 600 * 1000; i++)
			control_answer(c, json_pack("{s:s}", "x",
			    "a line of forty bytes, more or less......"));
		control_done(c);
	} else if (strcmp(cmd, "broken") == 0) {
		control_answer(c, NULL);
		control_done(c);
	} else if (strcmp(cmd, "stats") == 0) {
		control_answer(c, json_pack("{s:I,s:I}", "gone", o->gone,
		    "most", o->most));
		control_done(c);
	} else if (strcmp(cmd, "die") == 0) {
		_exit(9);
	} else {
		control_error(c, 64, "no such\ncommand \xff%s", cmd);
	}
}

static void
owner_more(void *ctx, struct control_client *c)
{
	list_some(ctx, c);
}

static void
owner_gone(void *ctx, struct control_client *c)
{
	struct owner *o = ctx;

	free(*control_cursor(c));
	control_done(c);		/* too late, but safe */
	if (o->later == c)
		o->later = NULL;
	o->gone++;
}

static void
owner_timer(void *arg)
{
	struct owner *o = arg;

	if (o->later != NULL)
		control_done(o->later);
	o->later = NULL;
}

static void
owner_term(void *arg)
{
	loop_stop(((struct owner *)arg)->loop);
}

static _Noreturn void
owner_main(int fd, int ready)
{
	static const struct control_ops ops = {
		owner_request, owner_more, owner_gone
	};
	struct owner o = { .loop = loop_new() };

	o.term = loop_signal_new(o.loop, SIGTERM, owner_term, &o);
	o.timer = loop_timer_new(o.loop, owner_timer, &o);
	o.control = control_new(o.loop, fd, &ops, &o);
	if (o.control == NULL || write(ready, "x", 1) != 1)
		_exit(3);
	close(ready);
	loop_run(o.loop);
	control_close(&o.control);
	loop_signal_close(&o.term);
	loop_timer_close(&o.timer);
	loop_free(&o.loop);		/* asserts that nothing was forgotten */
	_exit(0);
}

static void
setup(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, ready[2];
	char c;

	snprintf(dir, sizeof dir, "/tmp/sealane-control-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/test", dir);
	snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	ck_assert_int_eq(pipe(ready), 0);
	server = fork();
	ck_assert_int_ne(server, -1);
	if (server == 0) {
		close(ready[0]);
		alarm(25);
		owner_main(fd, ready[1]);
	}
	close(fd);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
}

static void
teardown(void)
{
	int status;

	if (server > 0) {
		kill(server, SIGTERM);
		ck_assert_int_eq(waitpid(server, &status, 0), server);
		/* 9: a test let it die */
		ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 0 ||
		    WEXITSTATUS(status) == 9), "owner ended with %x", status);
	}
	unlink(path);
	rmdir(dir);
}

/* ---- clients ---- */

static int
dial(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval wait = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	return fd;
}

static void
say(int fd, const void *p, size_t n)
{
	ck_assert_int_eq(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void
say_str(int fd, const char *s)
{
	say(fd, s, strlen(s));
}

/* Byte by byte; slow but never reads too far. -1 at the end. */
static ssize_t
hear_line(int fd, char *line, size_t size)
{
	size_t n = 0;
	char c;

	while (recv(fd, &c, 1, 0) == 1) {
		if (c == '\n') {
			line[n] = '\0';
			return (ssize_t)n;
		}
		ck_assert_uint_lt(n, size - 1);
		line[n++] = c;
	}
	return -1;
}

#define hears(fd, want) do {						\
	char hears_[512];						\
	ck_assert_int_ne(hear_line((fd), hears_, sizeof hears_), -1);	\
	ck_assert_str_eq(hears_, (want));				\
} while (0)

static void
hears_end(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	/* Closed with our bytes unread shows as a reset. */
	ck_assert_msg(n == 0 || (n == -1 && errno == ECONNRESET),
	    "got %zd, errno %d", n, errno);
}

static json_int_t
stat_of(const char *key)
{
	int fd = dial();
	char line[200];
	json_t *j;
	json_int_t n;

	say_str(fd, "{\"cmd\":\"stats\"}\n");
	ck_assert_int_ne(hear_line(fd, line, sizeof line), -1);
	j = json_loads(line, 0, NULL);
	n = json_integer_value(json_object_get(j, key));
	json_decref(j);
	close(fd);
	return n;
}

static void
wait_gone(json_int_t least)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (stat_of("gone") >= least)
			return;
		usleep(10 * 1000);
	}
	ck_abort_msg("the owner was not told that clients went");
}

/* ---- tests ---- */

START_TEST(split_anywhere)
{
	static const char req[] = "{\"cmd\":\"echo\",\"value\":\"a\\nb\"}\n";
	size_t cut, n = sizeof req - 1;
	int fd = dial();

	for (cut = 1; cut < n; cut++) {
		say(fd, req, cut);
		usleep(200);
		say(fd, req + cut, n - cut);
		hears(fd, "{\"echo\":\"a\\nb\"}");
		hears(fd, "{\"done\":true}");
	}
	for (cut = 0; cut < n; cut++) {
		say(fd, req + cut, 1);
		usleep(200);
	}
	hears(fd, "{\"echo\":\"a\\nb\"}");
	hears(fd, "{\"done\":true}");
	close(fd);
}
END_TEST

START_TEST(many_at_once_in_order)
{
	int fd = dial(), i;
	char req[80];

	for (i = 0; i < 50; i++) {
		snprintf(req, sizeof req,
		    "{\"cmd\":\"echo\",\"value\":%d}\n", i);
		say_str(fd, req);
		if (i == 25)
			say_str(fd, "{\"cmd\":\"later\"}\n");
	}
	for (i = 0; i < 50; i++) {
		snprintf(req, sizeof req, "{\"echo\":%d}", i);
		hears(fd, req);
		hears(fd, "{\"done\":true}");
		if (i == 25)
			hears(fd, "{\"done\":true}");
	}
	close(fd);
}
END_TEST

static const struct { const char *name, *p; size_t n; } nonsense[] = {
#define ROW(name, s)	{ name, s, sizeof(s) - 1 }
	ROW("empty line", "\n"),
	ROW("not JSON", "HELP\n"),
	ROW("SMTP", "EHLO example.org\r\n"),
	ROW("an array", "[\"cmd\"]\n"),
	ROW("no cmd", "{}\n"),
	ROW("cmd not a string", "{\"cmd\":1}\n"),
	ROW("duplicate key", "{\"cmd\":\"stats\",\"cmd\":\"die\"}\n"),
	ROW("two documents", "{\"cmd\":\"stats\"}{}\n"),
	ROW("a NUL", "{\"cmd\":\"st\0ts\"}\n"),
	ROW("an escaped NUL", "{\"cmd\":\"st\\u0000ts\"}\n"),
	ROW("not UTF-8", "{\"cmd\":\"\xff\"}\n"),
	ROW("unended", "{\"cmd\":\"stats\"\n"),
#undef ROW
};

START_TEST(nonsense_closes)
{
	int fd = dial();

	say(fd, nonsense[_i].p, nonsense[_i].n);
	hears_end(fd);
	close(fd);
	wait_gone(1);
}
END_TEST

static const struct { size_t line; bool newline, ok; } lengths[] = {
	{ CONTROL_REQUEST_MAX, true, true },
	{ CONTROL_REQUEST_MAX + 1, true, false },
	{ CONTROL_REQUEST_MAX + 1, false, false },
	{ 10 * CONTROL_REQUEST_MAX, false, false },
};

START_TEST(request_length)
{
	static const char head[] = "{\"cmd\":\"echo\",\"value\":1,\"pad\":\"";
	size_t n = lengths[_i].line, sent = 0;
	char *line = malloc(n + 1);
	ssize_t w;
	int fd = dial();

	memset(line, 'x', n);
	memcpy(line, head, sizeof head - 1);
	memcpy(line + n - 2, "\"}", 2);
	if (lengths[_i].newline)
		line[n++] = '\n';
	while (sent < n) {
		w = send(fd, line + sent, n - sent, MSG_NOSIGNAL);
		if (w <= 0)
			break;
		sent += (size_t)w;
	}
	if (lengths[_i].ok) {
		hears(fd, "{\"echo\":1}");
		hears(fd, "{\"done\":true}");
	} else {
		hears_end(fd);
	}
	free(line);
	close(fd);
}
END_TEST

START_TEST(listing_waits_for_a_slow_reader)
{
	enum { N = 200 * 1000 };
	char want[40], buf[65536];
	int fd = dial(), i = 0, len;
	size_t have = 0;
	ssize_t n;
	char *at, *end;

	snprintf(buf, sizeof buf, "{\"cmd\":\"list\",\"n\":%d}\n", N);
	say_str(fd, buf);
	usleep(300 * 1000);
	/* What fits the kernel's buffers and CONTROL_PAUSE, far from all. */
	ck_assert_int_gt(stat_of("most"), 100);
	ck_assert_int_lt(stat_of("most"), N / 2);
	while ((n = recv(fd, buf + have, sizeof buf - have, 0)) > 0) {
		have += (size_t)n;
		for (at = buf; (end = memchr(at, '\n',
		    have - (size_t)(at - buf))) != NULL; at = end + 1) {
			len = i < N ?
			    snprintf(want, sizeof want, "{\"entry\":%d}", i) :
			    snprintf(want, sizeof want, "{\"done\":true}");
			ck_assert_int_eq(end - at, len);
			ck_assert_int_eq(memcmp(at, want, (size_t)len), 0);
			i++;
		}
		have -= (size_t)(at - buf);
		memmove(buf, at, have);
		if (i == N + 1)
			break;
	}
	ck_assert_int_eq(i, N + 1);
	close(fd);
}
END_TEST

START_TEST(client_vanishes_in_a_listing)
{
	int fd, i;
	char c;

	for (i = 0; i < 20; i++) {
		fd = dial();
		say_str(fd, "{\"cmd\":\"list\",\"n\":1000000}\n");
		ck_assert_int_eq(recv(fd, &c, 1, 0), 1);
		close(fd);
	}
	fd = dial();
	say_str(fd, "{\"cmd\":\"later\"}\n");
	close(fd);
	wait_gone(21);
}
END_TEST

START_TEST(half_closed_gets_its_answer)
{
	int fd = dial();

	say_str(fd, "{\"cmd\":\"later\"}\n{\"cmd\":\"echo\",\"value\":2}\n");
	shutdown(fd, SHUT_WR);
	hears(fd, "{\"done\":true}");
	hears(fd, "{\"echo\":2}");
	hears(fd, "{\"done\":true}");
	hears_end(fd);
	close(fd);
}
END_TEST

START_TEST(owner_that_floods)
{
	char buf[65536];
	size_t total = 0;
	ssize_t n;
	int fd = dial();

	say_str(fd, "{\"cmd\":\"flood\"}\n");
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
		total += (size_t)n;
	ck_assert_uint_le(total, CONTROL_QUEUE_MAX);
	close(fd);
	/* The others are still served. */
	wait_gone(1);
}
END_TEST

START_TEST(answer_that_could_not_be_made)
{
	int fd = dial();

	say_str(fd, "{\"cmd\":\"broken\"}\n");
	hears_end(fd);
	close(fd);
}
END_TEST

START_TEST(errors_are_clean_text)
{
	int fd = dial();

	say_str(fd, "{\"cmd\":\"nix\"}\n");
	hears(fd, "{\"error\":\"no such?command ?nix\",\"exit\":64}");
	/* and the connection goes on */
	say_str(fd, "{\"cmd\":\"echo\",\"value\":null}\n");
	hears(fd, "{\"echo\":null}");
	hears(fd, "{\"done\":true}");
	close(fd);
}
END_TEST

START_TEST(too_many_clients)
{
	int fd[CONTROL_CLIENTS_MAX], i, extra;

	for (i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		fd[i] = dial();
		say_str(fd[i], "{\"cmd\":\"echo\",\"value\":1}\n");
		hears(fd[i], "{\"echo\":1}");
	}
	extra = dial();
	hears(extra, "{\"error\":\"too many clients are connected to this "
	    "control socket\",\"exit\":69}");
	hears_end(extra);
	close(extra);
	close(fd[0]);
	wait_gone(1);
	for (i = 1; i < CONTROL_CLIENTS_MAX; i++)
		close(fd[i]);
}
END_TEST

/* ---- the CLI's side ---- */

struct heard {
	int	n;
	bool	in_order;
};

static void
call_heard(void *arg, const json_t *answer)
{
	struct heard *h = arg;

	if (json_integer_value(json_object_get(answer, "entry")) != h->n)
		h->in_order = false;
	h->n++;
}

static const struct {
	const char	*name, *socket, *cmd, *text;
	int		 rc, answers;
} calls[] = {
	{ "listing", "test", "list", "", 0, 3000 },
	{ "later", "test", "later", "", 0, 0 },
	{ "an error", "test", "nix", "no such?command ?nix", 64, 0 },
	{ "no socket", "none", "list", "is sealane running?", 69, 0 },
	{ "owner dies", "test", "die", "ended the connection", 69, 0 },
	{ "name too long",
	  "0123456789012345678901234567890123456789012345678901234567890123456"
	  "789012345678901234567890", "list", "too long", 69, 0 },
};

START_TEST(call_rows)
{
	struct conf conf = { .control_directory = dir };
	struct heard h = { 0, true };
	struct fault f = { 0 };
	int rc;

	rc = control_call(&conf, calls[_i].socket, json_pack("{s:s,s:i}",
	    "cmd", calls[_i].cmd, "n", 3000), call_heard, &h, &f);
	ck_assert_msg(rc == calls[_i].rc, "%s: %d, %s", calls[_i].name, rc,
	    f.text);
	ck_assert_int_eq(h.n, calls[_i].answers);
	ck_assert(h.in_order);
	ck_assert_msg(strstr(f.text, calls[_i].text) != NULL, "%s: %s",
	    calls[_i].name, f.text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("control");
	TCase *tc = tcase_create("control");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 25);
	tcase_add_test(tc, split_anywhere);
	tcase_add_test(tc, many_at_once_in_order);
	tcase_add_loop_test(tc, nonsense_closes, 0, (int)NELEM(nonsense));
	tcase_add_loop_test(tc, request_length, 0, (int)NELEM(lengths));
	tcase_add_test(tc, listing_waits_for_a_slow_reader);
	tcase_add_test(tc, client_vanishes_in_a_listing);
	tcase_add_test(tc, half_closed_gets_its_answer);
	tcase_add_test(tc, owner_that_floods);
	tcase_add_test(tc, answer_that_could_not_be_made);
	tcase_add_test(tc, errors_are_clean_text);
	tcase_add_test(tc, too_many_clients);
	tcase_add_loop_test(tc, call_rows, 0, (int)NELEM(calls));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
