/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* The frame of commands: arguments, exit codes, `check`, tables, and that the
 * man page says what the program knows. */
#define main sealane_main
int	sealane_main(int argc, char **argv);
#include "cli/main.c"
#include "tests/unit/suite.h"
#undef main

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char got[512];		/* what ran, with which arguments */

static int
record(const char *what, int argc, char **argv)
{
	size_t at = (size_t)snprintf(got, sizeof got, "%s", what);

	for (int i = 0; i < argc; i++)
		at += (size_t)snprintf(got + at, sizeof got - at, " %s",
		    argv[i]);
	return 0;
}

int
parent_serve(const char *path)
{
	return record("serve", 1, (char *[]){ (char *)(uintptr_t)path });
}

int
parent_aside(const char *path, int fd)
{
	close(fd);
	return record("aside", 1, (char *[]){ (char *)(uintptr_t)path });
}

int
roles_main(int argc, char **argv)
{
	return record("role", argc, argv);
}

int
cli_queue(const struct conf *c, int argc, char **argv)
{
	return record(c->hostname, argc, argv);
}

int
cli_report(const struct conf *c, int argc, char **argv)
{
	/* It reads the configuration by itself, where it needs one. */
	return record(c == NULL ? "none" : c->hostname, argc, argv);
}

int
cli_cert(const struct conf *c, int argc, char **argv)
{
	return record(c->hostname, argc, argv);
}

static char conf_file[64];

static void
put_conf(const char *text)
{
	int fd;

	snprintf(conf_file, sizeof conf_file, "/tmp/sealane-cli-XXXXXX");
	fd = mkstemp(conf_file);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void
remove_conf(void)
{
	unlink(conf_file);
}

/* Splits at blanks; "@" stands for the configuration's name. */
static int
run_line(const char *line)
{
	char copy[512], *argv[16], *save = NULL;
	int argc = 0;

	snprintf(copy, sizeof copy, "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w != NULL && argc < 15;
	    w = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(w, "@") == 0 ? conf_file : w;
	argv[argc] = NULL;
	got[0] = '\0';
	return sealane_main(argc, argv);
}

static const struct {
	const char	*line;
	int		 exit;
	const char	*got;		/* "" nothing ran */
} lines[] = {
	{ "sealane", 64, "" },
	{ "sealane --help", 0, "" },
	{ "sealane --version", 0, "" },
	{ "sealane version", 0, "" },
	{ "sealane version x", 64, "" },
	{ "sealane nonsense", 64, "" },
	{ "sealane -c", 64, "" },
	{ "sealane serve -c", 64, "" },
	{ "sealane serve", 0, "serve /etc/sealane/sealane.conf" },
	{ "sealane serve x", 64, "" },
	{ "sealane -c /x serve", 0, "serve /x" },
	{ "sealane serve -c /x", 0, "serve /x" },
	{ "sealane serve -c/x", 0, "serve /x" },
	{ "sealane -c @ queue list --json", 0, "t.example queue list --json" },
	{ "sealane queue -c @ list", 0, "t.example queue list" },
	{ "sealane queue list -c @", 0, "t.example queue list" },
	{ "sealane -c @ queue -- -c", 0, "t.example queue -- -c" },
	{ "sealane -c /nonexistent report -- -c", 0, "none report -- -c" },
	{ "sealane -c @ cert show", 0, "t.example cert show" },
	{ "sealane queue --help", 0, "" },
	{ "sealane queue -h", 0, "" },
	{ "sealane -c /nonexistent queue list", 64, "" },
	{ "sealane -c /nonexistent check", 1, "" },
	{ "sealane -c @ check --bad", 64, "" },
	{ "sealane -c @ check more", 64, "" },
};

START_TEST(arguments)
{
	put_conf("hostname = \"t.example\"\n");
	cli_set_conf_path("/etc/sealane/sealane.conf");
	ck_assert_msg(run_line(lines[_i].line) == lines[_i].exit, "%s",
	    lines[_i].line);
	ck_assert_str_eq(got, lines[_i].got);
}
END_TEST

START_TEST(bad_conf)
{
	put_conf("hostnam = \"t.example\"\n");
	ck_assert_int_eq(run_line("sealane -c @ queue list"), 64);
	ck_assert_str_eq(got, "");
	ck_assert_int_eq(run_line("sealane -c @ check"), 1);
}
END_TEST

START_TEST(role_name_runs_role)
{
	char name[] = "sealane: smtpd 3";

	got[0] = '\0';
	ck_assert_int_eq(sealane_main(1, (char *[]){ name, NULL }), 0);
	ck_assert_str_eq(got, "role sealane: smtpd 3");
}
END_TEST

/* What a function writes to stderr or stdout. */
static char said[16384];

static int
capture(int fd, const char *line)
{
	FILE *f = tmpfile();
	int old = dup(fd), rc;
	size_t n;

	ck_assert_ptr_nonnull(f);
	fflush(stdout);
	dup2(fileno(f), fd);
	rc = run_line(line);
	fflush(stdout);
	dup2(old, fd);
	close(old);
	rewind(f);
	n = fread(said, 1, sizeof said - 1, f);
	said[n] = '\0';
	fclose(f);
	return rc;
}

static void
has(const char *piece)
{
	ck_assert_msg(strstr(said, piece) != NULL, "misses: %s\nsaid: %s",
	    piece, said);
}

START_TEST(check_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[256], want[64];

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, len), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	snprintf(text, sizeof text, "hostname = \"t.example\"\nlisten \"a\" { "
	    "address = \"127.0.0.1:%u\" }\nstate { directory = \"/tmp/none/s\" }"
	    "\ncontrol { directory = \"/tmp/none/c\" }\n", ntohs(in.sin_port));
	put_conf(text);
	ck_assert_int_eq(capture(STDERR_FILENO, "sealane -c @ check"), 1);
	snprintf(want, sizeof want, ":2:24: error: 127.0.0.1:%u is in use by "
	    "another", ntohs(in.sin_port));
	has(want);
	close(fd);
}
END_TEST

START_TEST(check_warnings)
{
	put_conf("hostname = \"t.example\"\n"
	    "listen \"a\" { address = \"127.0.0.1:0\" }\n");
	ck_assert_int_eq(capture(STDERR_FILENO, "sealane -c @ check"), 1);
	has(":2:24: error: `address` cannot be");
	remove_conf();
	/* Of the trust anchor only that it can be read is looked at here. */
	put_conf("hostname = \"t.example\"\nallow-loopback = true\n"
	    "listen \"a\" { address = \"127.0.0.1:39217\" }\n"
	    "dns { trust-anchor-file = \"/dev/null\" }\n"
	    "state { directory = \"/tmp/none/s\" }\n"
	    "control { directory = \"/tmp/none/c\" }\n");
	ck_assert_int_eq(capture(STDERR_FILENO, "sealane -c @ check"), 0);
	has(":2:18: warning: `allow-loopback` lets");
	ck_assert_int_eq(run_line("sealane -c @ check --strict"), 1);
	ck_assert_int_eq(capture(STDOUT_FILENO, "sealane -c @ check"), 0);
	has("0 errors, ");
}
END_TEST

START_TEST(check_directories)
{
	char dir[] = "/tmp/sealane-state-XXXXXX", keys[64], text[512];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(keys, sizeof keys, "%s/keys", dir);
	ck_assert_int_eq(mkdir(keys, 0700), 0);
	ck_assert_int_eq(chmod(keys, 0755), 0);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	snprintf(text, sizeof text, "hostname = \"t.example\"\n"
	    "state { directory = \"%s\" }\n"
	    "control { directory = \"/dev/null\" }\n"
	    "dns { trust-anchor-file = \"/nonexistent/ta\" }\n", dir);
	put_conf(text);
	ck_assert_int_eq(capture(STDERR_FILENO, "sealane -c @ check"), 1);
	rmdir(keys);
	rmdir(dir);
	has(":2:21: error: group or others may write /tmp/sealane-state-");
	has(":2:21: error: /tmp/sealane-state-");
	has("is open to everybody");
	has(":3:23: error: /dev/null is not a directory");
	has(":4:27: error: /nonexistent/ta: No such file");
}
END_TEST

START_TEST(table)
{
	struct cli_table *t = cli_table_new("id|>size|from");
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	cli_table_cell(t, "a");
	cli_table_cell(t, "%d", 5);
	cli_table_cell(t, "x\033[2Jy");
	cli_table_cell(t, "b\xc3\xbc" "cher");
	cli_table_cell(t, "%d", 12345);
	cli_table_cell(t, "%s", "");
	ck_assert_uint_eq(cli_table_rows(t), 2);
	ck_assert_int_eq(cli_table_print(t, f), 0);
	fclose(f);
	ck_assert_str_eq(text, "id       size  from\n"
	    "a           5  x?[2Jy\n"
	    "b\xc3\xbc" "cher  12345  \n");
	free(text);
	cli_table_free(&t);
	ck_assert_ptr_null(t);
}
END_TEST

static const struct {
	uint64_t	 value;
	const char	*size, *age;
} units[] = {
	{ 0, "0", "0s" }, { 999, "999", "0s" }, { 1023, "1023", "1s" },
	{ 1024, "1.0K", "1s" }, { 90000, "87.9K", "1m30s" },
	{ 3600000, "3.4M", "1h" }, { 93600000, "89.3M", "1d2h" },
	{ 1048575, "1.0M", "17m28s" },
};

START_TEST(units_for_people)
{
	char out[CLI_TEXT];

	ck_assert_str_eq(cli_size(units[_i].value, out), units[_i].size);
	ck_assert_str_eq(cli_age(units[_i].value, out), units[_i].age);
}
END_TEST

START_TEST(json_text)
{
	json_t *j = cli_json_text("caf\xc3\xa9"), *bad = cli_json_text("a\xffz");

	ck_assert_str_eq(json_string_value(j), "caf\xc3\xa9");
	ck_assert_str_eq(json_string_value(bad), "a?z");
	ck_assert(json_is_null(cli_json_text(NULL)));
	ck_assert(json_is_null(cli_json_time(0)));
	json_decref(j);
	json_decref(bad);
	j = cli_json_time(1767323045000);
	ck_assert_str_eq(json_string_value(j), "2026-01-02T03:04:05Z");
	json_decref(j);
}
END_TEST

/* sealane.conf.5 holds the schema as the program prints it. */
START_TEST(man_page)
{
	static const char begin[] = "(sealane check --print-schema)\n";
	char *text = NULL, *page = NULL;
	size_t n = 0, page_n = 0;
	FILE *f = open_memstream(&text, &n), *file;
	char line[512];

	cli_schema_mdoc(f);
	fclose(f);
	file = fopen(SOURCE_ROOT "/docs/man/sealane.conf.5", "r");
	ck_assert_ptr_nonnull(file);
	f = open_memstream(&page, &page_n);
	while (fgets(line, sizeof line, file) != NULL)
		fputs(line, f);
	fclose(f);
	fclose(file);
	ck_assert_ptr_nonnull(strstr(page, begin));
	ck_assert_msg(strncmp(strstr(page, begin) + sizeof begin - 1, text,
	    n) == 0, "docs/man/sealane.conf.5 is not what `sealane check "
	    "--print-schema` prints: put that between its two marks");
	ck_assert_msg(strncmp(strstr(page, begin) + sizeof begin - 1 + n,
	    ".\\\" end", 7) == 0, "the page has more than the schema");
	free(text);
	free(page);
}
END_TEST

#define ROWS(a)	((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("cli_frame");
	TCase *t = tcase_create("frame");

	tcase_add_checked_fixture(t, NULL, remove_conf);
	tcase_add_loop_test(t, arguments, 0, ROWS(lines));
	tcase_add_test(t, bad_conf);
	tcase_add_test(t, role_name_runs_role);
	tcase_add_test(t, check_port);
	tcase_add_test(t, check_warnings);
	tcase_add_test(t, check_directories);
	tcase_add_test(t, table);
	tcase_add_loop_test(t, units_for_people, 0, ROWS(units));
	tcase_add_test(t, json_text);
	tcase_add_test(t, man_page);
	suite_add_tcase(s, t);
	return suite_run(s);
}
