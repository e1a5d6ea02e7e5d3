/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The command as a person calls it: options, exit codes, both streams. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hop.h"
#include "cli/cli.h"
#include "report/schema.h"
#include "ledger/store.h"
#include "tests/unit/suite.h"

#define ARGS		8

static char dir[64], path[80], out[100], err[100];
static char said[65536], complained[4096];
static struct conf conf;

static void
setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/sealane-cli-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/" LEDGER_FILE, dir);
	snprintf(out, sizeof out, "%s/out", dir);
	snprintf(err, sizeof err, "%s/err", dir);
	/* Nobody listens there: the daemon is not needed. */
	conf = (struct conf){ .state_directory = dir, .control_directory = dir };
}

static void
teardown(void)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char name[100];
	size_t i;

	for (i = 0; i < NELEM(tails); i++) {
		snprintf(name, sizeof name, "%s%s", path, tails[i]);
		unlink(name);
	}
	unlink(out);
	unlink(err);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
fill(void)
{
	uint64_t now = clock_wall_ms();
	const struct ledger_now at = { 1, now };
	struct fault f = { 0 };
	struct store *s = ledger_store_open(path, &f);
	struct ipc_fact_delivery d = { .out = 1, .time = now - 1000,
	    .id = SPAN_LIT("m1"), .session = SPAN_LIT("s1"),
	    .domain = SPAN_LIT("a.example"), .status = SPAN_LIT("sent"),
	    .reached = LEVEL_ENCRYPTED, .recipients = 3, .bytes = 10 };

	ck_assert_msg(s != NULL, "%s", f.text);
	ck_assert_int_eq(ledger_store_delivery(s, at, &d, &f), STORE_OK);
	d.domain = SPAN_LIT("b.example");
	d.reached = LEVEL_CLEAR;
	d.recipients = 1;
	ck_assert_int_eq(ledger_store_delivery(s, at, &d, &f), STORE_OK);
	d.time = now - 8 * 86400000ULL;		/* before the default period */
	ck_assert_int_eq(ledger_store_delivery(s, at, &d, &f), STORE_OK);
	d.time = now - 1000;
	d.out = 0;
	d.status = SPAN_LIT("accepted");
	ck_assert_int_eq(ledger_store_delivery(s, at, &d, &f), STORE_OK);
	ck_assert_int_eq(ledger_store_gap(s, at, ROLE_RELAY, 1, 5, &f), STORE_OK);
	ledger_store_close(&s, now);
}

static void
slurp(const char *name, char *text, size_t size)
{
	FILE *in = fopen(name, "r");
	size_t n = fread(text, 1, size - 1, in);

	text[n] = '\0';
	fclose(in);
}

/* In a child, with both streams in files. */
static int
run(const char *const *args)
{
	char *argv[ARGS + 2] = { strdup("report") };
	int argc = 1, status;
	pid_t pid;

	while (args[argc - 1] != NULL) {
		argv[argc] = strdup(args[argc - 1]);
		argc++;
	}
	pid = fork();
	if (pid == 0) {
		if (freopen(out, "w", stdout) == NULL ||
		    freopen(err, "w", stderr) == NULL)
			_exit(99);
		status = cli_report(&conf, argc, argv);
		fflush(NULL);
		_exit(status);
	}
	while (argc-- > 0)
		free(argv[argc]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	slurp(out, said, sizeof said);
	slurp(err, complained, sizeof complained);
	return WEXITSTATUS(status);
}

static const struct row {
	const char	*args[ARGS];
	int		 rc;
	const char	*out, *err;	/* parts */
} rows[] = {
	{ { NULL }, 0, "Careful: 5 facts", "" },
	{ { NULL }, 0, "\na.example  100.0%", "" },
	{ { "--json" }, 0, "\"direction\": \"both\"", "5 facts" },
	{ { "--format", "json" }, 0, "\"recipients\": 5,", "" },
	{ { "--format=json", "--direction=out" }, 0, "\"recipients\": 4,", "" },
	{ { "--json", "--direction", "in" }, 0, "\"recipients\": 1,", "" },
	{ { "--json", "--since", "30d" }, 0, "\"recipients\": 6,", "" },
	{ { "--json", "--since=30d", "--until=7d" }, 0, "\"recipients\": 1,", "" },
	{ { "--json", "--since", "2020-01-01", "--until", "2020-01-02T12:30" },
	  0, "\"2020-01-01T00:00:00Z\",\n  \"until\": \"2020-01-02T12:30:00Z\"", "" },
	{ { "--since", "2020-01-01", "--until", "2020-01-02" }, 0,
	  "There was no mail in this period", "" },
	{ { "--by", "level", "--format", "table" }, 0, "\nclear ", "" },
	{ { "--by", "day" }, 0, "\nday  ", "" },
	{ { "--from-log" }, 64, "", "--from-log needs the name of a file" },
	{ { "--from-log", "--json" }, 64, "", "--from-log needs the name" },
	{ { "--from-log", "/nonexistent/log" }, 1, "",
	  "/nonexistent/log: open: No such file" },
	{ { "--from-log", "/dev/null", "--by", "level" }, 0,
	  "There was no mail in this period", "0 lines" },
	{ { "--fail-below", "60" }, 0, "travelled", "" },
	{ { "--fail-below", "60.001", "--json" }, 1, "\"rows\"", "60.001 %" },
	{ { "--fail-below", "100", "--since", "2020-01-01", "--until",
	    "2020-01-02" }, 0, "no mail", "" },
	{ { "--by", "mx" }, 64, "", "allowed: domain, level, day" },
	{ { "--by" }, 64, "", "needs a value" },
	{ { "--direction", "up" }, 64, "", "allowed: in, out, both" },
	{ { "--format", "csv" }, 64, "", "allowed: table, json" },
	{ { "--since", "yesterday" }, 64, "", "allowed: 2026-01-02" },
	{ { "--until", "" }, 64, "", "allowed: 2026-01-02" },
	{ { "--since", "1d", "--until", "2d" }, 64, "", "not before" },
	{ { "--fail-below", "101" }, 64, "", "0 to 100" },
	{ { "--from-logs", "x" }, 64, "", "--from-logs is not known" },
{ { "what-if" }, 64, "", "what-if is not known" },
	{ { "--" }, 64, "", "is not known" },
	{ { "" }, 64, "", "is not known" },
};

START_TEST(call_rows)
{
	const struct row *r = &rows[_i];

	fill();
	ck_assert_msg(run(r->args) == r->rc, "row %d: %s%s", _i, said,
	    complained);
	ck_assert_msg(strstr(said, r->out) != NULL, "row %d: %s", _i, said);
	ck_assert_msg(strstr(complained, r->err) != NULL, "row %d: %s", _i,
	    complained);
	if (r->rc == 64)
		ck_assert_str_eq(said, "");
}
END_TEST

static const char *const json_args[] = { "--json", NULL };

START_TEST(no_ledger_is_no_zero)
{
	int fd;

	ck_assert_int_eq(run(json_args), 1);
	ck_assert_str_eq(said, "");
	ck_assert_ptr_nonnull(strstr(complained, "there is no ledger yet at "));
	ck_assert_ptr_nonnull(strstr(complained, path));
	/* Made by the parent, not yet begun by the role. */
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	ck_assert_int_eq(run(json_args), 1);
	ck_assert_str_eq(said, "");
	ck_assert_ptr_nonnull(strstr(complained, "there is no ledger yet at "));
}
END_TEST

START_TEST(damaged_ledger)
{
	fill();
	ck_assert_int_eq(truncate(path, 600), 0);
	ck_assert_int_eq(run(json_args), 1);
	ck_assert_str_eq(said, "");
	ck_assert_ptr_nonnull(strstr(complained, path));
	ck_assert_ptr_nonnull(strstr(complained, "damaged"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli_report");
	TCase *tc = tcase_create("report");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, call_rows, 0, (int)NELEM(rows));
	tcase_add_test(tc, no_ledger_is_no_zero);
	tcase_add_test(tc, damaged_ledger);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
