/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* A GET from an HTTPS server that means harm: RFC 8461 sec 3.3, and the rows
 * on MTA-STS of what broke others: redirects, endless bodies, inner networks. */
#include "tests/unit/suite.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fetch/request.h"

#define MOST	65536

static struct {
	char		 dir[64], ca[128];
	pid_t		 server;
	int		 input;		/* the server ends with it */
	uint16_t	 port;
} lab;

static struct {
	struct loop	*loop;
	unsigned	 calls;
	enum fetched	 what;
	unsigned	 status;
	size_t		 size;
	char		 why[256];
} got;

static void
lab_start(void)
{
	int in[2], out[2];
	char text[16] = "";
	FILE *f;

	(void)snprintf(lab.dir, sizeof lab.dir, "/tmp/sealane-fetch-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(lab.dir));
	(void)snprintf(lab.ca, sizeof lab.ca, "%s/ca.pem", lab.dir);
	ck_assert_int_eq(pipe(in) | pipe(out), 0);
	lab.server = fork();
	if (lab.server == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		execlp("python3", "python3", FETCH_SERVER, lab.dir, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	lab.input = in[1];
	f = fdopen(out[0], "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_msg(fgets(text, sizeof text, f) != NULL, "no server");
	lab.port = (uint16_t)atoi(text);
	fclose(f);
	ck_assert_int_eq(request_library_init(), 0);
}

static void
lab_stop(void)
{
	char command[128];

	close(lab.input);
	waitpid(lab.server, NULL, 0);
	(void)snprintf(command, sizeof command, "rm -rf %s", lab.dir);
	ck_assert_int_eq(system(command), 0);
}

static void
on_done(void *arg, const struct request_result *r)
{
	(void)arg;
	got.calls++;
	got.what = r->what;
	got.status = r->status;
	got.size = r->body.n;
	(void)snprintf(got.why, sizeof got.why, "%s", r->why);
	loop_stop(got.loop);
}

static void
get(const char *host, const char *path, const char *ip, bool special_ok)
{
	struct request_setup s = { .host = host, .port = lab.port, .path = path,
	    .naddrs = 1, .timeout_ms = 1500, .most = MOST, .ca_file = lab.ca,
	    .special_ok = special_ok };

	ck_assert(addr_parse_ip(span_str(ip), &s.addrs[0]));
	got.calls = 0;
	got.loop = loop_new();
	ck_assert_ptr_nonnull(got.loop);
	ck_assert_ptr_nonnull(request_start(got.loop, &s, on_done, NULL));
	ck_assert_uint_eq(got.calls, 0);
	loop_run(got.loop);
	ck_assert_uint_eq(got.calls, 1);
	loop_free(&got.loop);
}

static const struct row {
	const char	*host, *path;
	enum fetched	 want;
	unsigned	 status;
	size_t		 size;
} rows[] = {
	{ "good.example", "/ok", FETCHED_OK, 200, 40 },
	{ "good.example", "/charset", FETCHED_OK, 200, 40 },
	{ "good.example", "/chunked", FETCHED_OK, 200, 3 },
	{ "good.example", "/full", FETCHED_OK, 200, MOST },
	{ "mta-sts.wild.example", "/ok", FETCHED_OK, 200, 40 },

	/* the certificate: DNS-ID only, valid, from a known authority */
	{ "cn.example", "/ok", FETCHED_CERTIFICATE, 200, 0 },
	{ "ip.example", "/ok", FETCHED_CERTIFICATE, 0, 0 },
	{ "other.example", "/ok", FETCHED_CERTIFICATE, 0, 0 },
	{ "old.example", "/ok", FETCHED_CERTIFICATE, 0, 0 },
	{ "self.example", "/ok", FETCHED_CERTIFICATE, 0, 0 },

	/* only 200 counts, and no redirect is followed */
	{ "good.example", "/404", FETCHED_STATUS, 404, 0 },
	{ "good.example", "/204", FETCHED_STATUS, 204, 0 },
	{ "good.example", "/redirect", FETCHED_STATUS, 301, 0 },
	{ "good.example", "/html", FETCHED_TYPE, 200, 0 },
	{ "good.example", "/no-type", FETCHED_TYPE, 200, 0 },
	{ "good.example", "/plainly", FETCHED_TYPE, 200, 0 },

	/* bounded by real bytes and by one deadline */
	{ "good.example", "/large", FETCHED_TOO_LARGE, 200, 0 },
	{ "good.example", "/endless", FETCHED_TOO_LARGE, 200, 0 },
	{ "good.example", "/headers", FETCHED_TOO_LARGE, 200, 0 },
	{ "good.example", "/drip", FETCHED_UNREACHABLE, 200, 0 },
	{ "good.example", "/silent", FETCHED_UNREACHABLE, 0, 0 },
	{ "good.example", "/short", FETCHED_UNREACHABLE, 200, 0 },
	{ "good.example", "/nonsense", FETCHED_UNREACHABLE, 0, 0 },
	/* no encoding was offered, so none is undone: no bomb */
	{ "good.example", "/gzip", FETCHED_OK, 200, 7 },
};

START_TEST(request)
{
	const struct row *r = &rows[_i];

	get(r->host, r->path, "127.0.0.1", true);
	ck_assert_msg(got.what == r->want, "%s%s: %s: %s", r->host, r->path,
	    fetched_name(got.what), got.why);
	ck_assert_msg(got.status == r->status, "%s%s: %u", r->host, r->path,
	    got.status);
	ck_assert_msg(got.size == r->size, "%s%s: %zu bytes", r->host, r->path,
	    got.size);
	ck_assert((got.why[0] == '\0') == (r->want == FETCHED_OK));
}
END_TEST

static const char *const inner[] = { "127.0.0.1", "::1", "10.0.0.1",
    "169.254.169.254", "192.168.1.1", "172.16.0.1", "fe80::1", "fd00::1",
    "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0" };

/* No socket is made: the server would have said yes. */
START_TEST(inner_addresses)
{
	get("good.example", "/ok", inner[_i], false);
	ck_assert_msg(got.what == FETCHED_ADDRESS, "%s: %s: %s", inner[_i],
	    fetched_name(got.what), got.why);
}
END_TEST

START_TEST(environment)
{
	ck_assert_int_eq(setenv("https_proxy", "http://127.0.0.1:9", 1) |
	    setenv("ALL_PROXY", "http://127.0.0.1:9", 1), 0);
	get("good.example", "/ok", "127.0.0.1", true);
	ck_assert_msg(got.what == FETCHED_OK, "%s", got.why);
}
END_TEST

START_TEST(refused)
{
	uint16_t port = lab.port;

	lab.port = 1;
	get("good.example", "/ok", "127.0.0.1", true);
	lab.port = port;
	ck_assert_int_eq(got.what, FETCHED_UNREACHABLE);
}
END_TEST

static void
cancel_now(void *arg)
{
	request_cancel(arg);
	loop_stop(got.loop);
}

/* Ended at any moment, nothing is called and no handle is left. */
START_TEST(cancel)
{
	struct request_setup s = { .host = "good.example", .port = lab.port,
	    .path = "/drip", .naddrs = 1, .timeout_ms = 5000, .most = MOST,
	    .ca_file = lab.ca, .special_ok = true };
	struct request *r;
	struct loop_timer *t;

	got.calls = 0;
	got.loop = loop_new();
	ck_assert(addr_parse_ip(SPAN_LIT("127.0.0.1"), &s.addrs[0]));
	r = request_start(got.loop, &s, on_done, NULL);
	t = loop_timer_new(got.loop, cancel_now, &r);
	loop_timer_set(t, (uint64_t)_i * 7);
	loop_run(got.loop);
	loop_timer_close(&t);
	loop_free(&got.loop);
	ck_assert_uint_eq(got.calls, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fetch/request");
	TCase *tc = tcase_create("request");

	tcase_add_unchecked_fixture(tc, lab_start, lab_stop);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, request, 0, NELEM(rows));
	tcase_add_loop_test(tc, inner_addresses, 0, NELEM(inner));
	tcase_add_test(tc, environment);
	tcase_add_test(tc, refused);
	tcase_add_loop_test(tc, cancel, 0, 10);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
