/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/cli.c - what `sealane queue` accepts, with no daemon. */
#include <check.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tests/unit/suite.h"

static const struct {
	const char	*argv[8];
	int		 code;
} rows[] = {
	{ { "queue" }, CLI_USAGE },
	{ { "queue", "frobnicate" }, CLI_USAGE },
	{ { "queue", "frobnicate", "id" }, CLI_USAGE },
	{ { "queue", "list", "--verbose", "1" }, CLI_USAGE },
	{ { "queue", "list", "someid" }, CLI_USAGE },
	{ { "queue", "list", "--body" }, CLI_USAGE },
	{ { "queue", "list", "--older" }, CLI_USAGE },
	{ { "queue", "list", "--older", "soon" }, CLI_USAGE },
	{ { "queue", "show" }, CLI_USAGE },
	{ { "queue", "show", "a", "b" }, CLI_USAGE },
	{ { "queue", "show", "a", "--domain", "b" }, CLI_USAGE },
	{ { "queue", "show", "a", "--body", "--json" }, CLI_USAGE },
	{ { "queue", "flush", "--domain" }, CLI_USAGE },
	{ { "queue", "hold" }, CLI_USAGE },
	{ { "queue", "release", "--json" }, CLI_USAGE },
	{ { "queue", "drop" }, CLI_USAGE },
	{ { "queue", "bounce" }, CLI_USAGE },
	{ { "queue", "damaged", "a", "b" }, CLI_USAGE },
	{ { "queue", "damaged", "--forget" }, CLI_USAGE },
	{ { "queue", "drop", "a", "--forget" }, CLI_USAGE },
	{ { "queue", "damaged" }, CLI_NOT_RUNNING },
	{ { "queue", "damaged", "seg-1:4096" }, CLI_NOT_RUNNING },
	{ { "queue", "damaged", "--forget", "seg-1" }, CLI_NOT_RUNNING },
	{ { "queue", "list" }, CLI_NOT_RUNNING },
	{ { "queue", "list", "--json" }, CLI_NOT_RUNNING },
	{ { "queue", "list", "--domain", "x", "--state", "held" },
	    CLI_NOT_RUNNING },
	{ { "queue", "show", "id" }, CLI_NOT_RUNNING },
	{ { "queue", "show", "id", "--body" }, CLI_NOT_RUNNING },
	{ { "queue", "flush" }, CLI_NOT_RUNNING },
	{ { "queue", "flush", "--sender", "a@b" }, CLI_NOT_RUNNING },
	{ { "queue", "flush", "--domain", "a", "--domain", "b" },
	    CLI_NOT_RUNNING },
	{ { "queue", "drop", "--sender", "" }, CLI_NOT_RUNNING },
	{ { "queue", "drop", "id", "--domain", "x" }, CLI_NOT_RUNNING },
	{ { "queue", "hold", "a", "b", "c" }, CLI_NOT_RUNNING },
	{ { "queue", "hold", "--older", "0s" }, CLI_NOT_RUNNING },
	{ { "queue", "bounce", "--older", "4d", "--reason", "full" },
	    CLI_NOT_RUNNING },
	{ { "queue", "release", "--older", "2026-01-01" }, CLI_NOT_RUNNING },
};

START_TEST(arguments)
{
	struct conf conf = { .control_directory = "/nonexistent/sealane" };
	int argc = 0;

	while (rows[_i].argv[argc] != NULL)
		argc++;
	ck_assert_int_eq(cli_queue(&conf, argc,
	    (char **)(uintptr_t)rows[_i].argv), rows[_i].code);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue cli");
	TCase *t = tcase_create("cli");
	int null = open("/dev/null", O_WRONLY);

	if (null != -1) {
		(void)dup2(null, STDERR_FILENO);	/* complaints */
		close(null);
	}
	tcase_add_loop_test(t, arguments, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(s, t);
	return suite_run(s);
}
