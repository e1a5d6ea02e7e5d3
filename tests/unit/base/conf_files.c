/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Files on disk: includes, their bounds and modes, and the example that is
 * installed. */
#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf_table.h"
#include "tests/unit/base/conf_test.h"

static char dir[64];

static void
make_dir(void)
{
	snprintf(dir, sizeof dir, "/tmp/sealane-conf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static int
remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void
remove_dir(void)
{
	nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void
put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0644), 0);
}

static void
subdir(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static struct conf *
load(const char *name, char *said, size_t size)
{
	struct conf_notes notes = { 0 };
	char path[256];
	struct conf *c;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	c = conf_load(path, &notes, NULL);
	ck_assert((c == NULL) == (notes.nerrors > 0));
	said[0] = '\0';
	conf_notes_text(&notes, said, size);
	conf_notes_free(&notes);
	return c;
}

/* "DIR" in `wanted` stands for the test's directory. */
static void
expect(const char *said, const char *wanted)
{
	const char *mark = strstr(wanted, "DIR");
	char full[512];

	snprintf(full, sizeof full, "%s", wanted);
	if (mark != NULL)
		snprintf(full, sizeof full, "%.*s%s%s", (int)(mark - wanted),
		    wanted, dir, mark + 3);
	ck_assert_msg(strstr(said, full) != NULL, "misses: %s\nsaid: %s", full,
	    said);
}

START_TEST(includes)
{
	char said[2048];
	struct conf *c;

	subdir("d[1]");		/* the folder's own name is no pattern */
	put("d[1]/main", "accept {\n  include \"*.conf\"; include \"sub/x\"\n}\n"
	    "include \"none-*.conf\"\nhostname = \"mx.example.org\"\n");
	put("d[1]/a.conf", "domain \"a.example\" { to = \"discard:\"; "
	    "recipients = \"any\" } # no newline at the end");
	put("d[1]/b.conf", "domain \"b.example\" { to = \"discard:\"; "
	    "recipients = \"any\" }");
	subdir("d[1]/sub");
	put("d[1]/sub/x", "include \"y\"\n");	/* relative to its own folder */
	put("d[1]/sub/y", "domain \"y.example\" { to = \"discard:\"; "
	    "recipients = \"any\" }\n");
	c = load("d[1]/main", said, sizeof said);
	ck_assert_msg(c != NULL, "%s", said);
	ck_assert_uint_eq(c->naccepts, 3);
	ck_assert_str_eq(c->accepts[2].pattern, "y.example");
	ck_assert_str_eq(c->hostname, "mx.example.org");
	conf_free(&c);
}
END_TEST

START_TEST(places)
{
	char said[2048];

	put("main", "limits { recipients = 5 }\ninclude \"a\"; foo = 1\n"
	    "bar = 1\ninclude \"gone\"\n");
	put("a", "\n# x\nlimits { recipients = 6 }\n");
	ck_assert_ptr_null(load("main", said, sizeof said));
	expect(said, "DIR/main:4:9: error: include \"gone\": no such file");
	expect(said, "DIR/a:3:10: error: `recipients` is set twice: first at "
	    "/tmp/");
	expect(said, "DIR/main:2:14: error: unknown key `foo`");
	expect(said, "DIR/main:3:1: error: unknown key `bar`");
}
END_TEST

/* What an included file must not do. */
static const struct {
	const char	*main, *included, *said;
} bads[] = {
	{ "include \"a\"", "include \"main\"", "DIR/a:1:9: error: " },
	{ "include \"main\"", "", "includes itself" },
	{ "limits {\ninclude \"a\"\n}", "}", "DIR/a:1:1: error: this `}` closes "
	  "a block that was opened in another file" },
	{ "include \"a\"\n}", "limits {", "DIR/main:2:1: error: this `}` closes "
	  "a block that was opened in another file" },
	{ "include \"a\"", "limits {", "DIR/a:1:1: error: this block is never "
	  "closed" },
	{ "include \"a\" log { }", "", "DIR/main:1:13: error: an include ends "
	  "at" },
	{ "include \"\"", "", "DIR/main:1:9: error: include takes the name" },
	{ "include \"d\"", "", "d is not a regular file" },
	{ "include a", "", "DIR/main:1:1: error: an include stands on" },
	{ "dns { forward = [\ninclude \"a\" ] }", "", "DIR/main:2:9: error: "
	  "expected `,` or `]`" },
};

START_TEST(bad_includes)
{
	char said[2048];

	subdir("d");
	put("main", bads[_i].main);
	put("a", bads[_i].included);
	ck_assert_ptr_null(load("main", said, sizeof said));
	expect(said, bads[_i].said);
}
END_TEST

START_TEST(depth)
{
	char said[2048], name[16], text[32];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "f%d", i);
		snprintf(text, sizeof text, "include \"f%d\"\n", i + 1);
		put(name, i < 19 ? text : "");
	}
	ck_assert_ptr_null(load("f0", said, sizeof said));
	expect(said, "DIR/f7:1:9: error: includes are nested deeper than 8");
}
END_TEST

START_TEST(many_files)
{
	char said[4096], name[16];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "%d.conf", i);
		put(name, "");
	}
	put("main", "include \"*.conf\"\n");
	ck_assert_ptr_null(load("main", said, sizeof said));
	expect(said, "DIR/main:1:9: error: more than 256 files");
}
END_TEST

static const struct {
	mode_t	 mode;
	bool	 good;
} modes[] = {
	{ 0644, true }, { 0600, true }, { 0440, true }, { 0640, true },
	{ 0664, false }, { 0646, false }, { 0620, false }, { 0602, false },
};

START_TEST(writable)
{
	char said[2048], path[256];
	struct conf *c;

	put("main", "include \"a\"\nfoo = 1\n");
	put("a", "hostname = \"a.example\"\n");
	snprintf(path, sizeof path, "%s/a", dir);
	ck_assert_int_eq(chmod(path, modes[_i].mode), 0);
	c = load("main", said, sizeof said);
	ck_assert_ptr_null(c);		/* for foo at least */
	expect(said, "DIR/main:2:1: error: unknown key `foo`");
	if (modes[_i].good)
		ck_assert_ptr_null(strstr(said, "may write"));
	else
		expect(said, "DIR/a:1:1: error: group or others may write this "
		    "file");
}
END_TEST

START_TEST(odd_files)
{
	char said[2048], path[256];

	ck_assert_ptr_null(load("gone", said, sizeof said));
	expect(said, "DIR/gone:1:1: error: ");
	expect(said, "No such file");
	ck_assert_ptr_null(load(".", said, sizeof said));
	expect(said, "is not a regular file");
	snprintf(path, sizeof path, "%s/pipe", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(load("pipe", said, sizeof said));
	expect(said, "is not a regular file");
	put("big", "");
	snprintf(path, sizeof path, "%s/big", dir);
	ck_assert_int_eq(truncate(path, (1 << 20) + 1), 0);
	ck_assert_ptr_null(load("big", said, sizeof said));
	expect(said, "larger than");
}
END_TEST

/* ---- files that it names ---- */

static const struct named {
	mode_t		 mode;
	bool		 secret;
	const char	*says;		/* NULL: opened */
} nameds[] = {
	{ 0600, true, NULL }, { 0640, true, NULL }, { 0400, true, NULL },
	{ 0644, false, NULL }, { 0444, false, NULL },
	{ 0644, true, "is a private key and open to everybody (mode 0644)" },
	{ 0601, true, "open to everybody (mode 0601)" },
	{ 0660, true, "group or others may write" },
	{ 0664, false, "group or others may write" },
	{ 0646, false, "group or others may write" },
};

START_TEST(named_files)
{
	const struct named *r = &nameds[_i];
	const struct conf_place at = { "t.conf", 7, 9 };
	struct conf_notes notes = { 0 };
	char path[300], said[1024] = "";
	int fd;

	put("real", "text");
	snprintf(path, sizeof path, "%s/real", dir);
	ck_assert_int_eq(chmod(path, r->mode), 0);
	/* What is at a link's end counts. */
	subdir("live");
	snprintf(said, sizeof said, "%s/live/link", dir);
	ck_assert_int_eq(symlink("../real", said), 0);
	fd = conf_open_file(said, r->secret, at, &notes);
	conf_notes_text(&notes, said, sizeof said);
	ck_assert_msg((fd != -1) == (r->says == NULL), "%04o: %s", r->mode,
	    said);
	if (fd != -1)
		close(fd);
	else
		ck_assert_msg(strncmp(said, "t.conf:7:9: error: ", 19) == 0 &&
		    strstr(said, r->says) != NULL, "%s", said);
	conf_notes_free(&notes);
}
END_TEST

START_TEST(named_credential)
{
	const struct conf_place at = { "t.conf", 7, 9 };
	struct conf_notes notes = { 0 };
	char said[1024] = "";
	int fd;

	put("key.pem", "text");
	unsetenv("CREDENTIALS_DIRECTORY");
	ck_assert_int_eq(conf_open_file("credential:key.pem", false, at,
	    &notes), -1);
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	fd = conf_open_file("credential:key.pem", false, at, &notes);
	ck_assert_int_ne(fd, -1);
	close(fd);
	ck_assert_int_eq(conf_open_file("credential:other", false, at,
	    &notes), -1);
	conf_notes_text(&notes, said, sizeof said);
	expect(said, "t.conf:7:9: error: there is no credential key.pem");
	expect(said, "/other: No such file");
	conf_notes_free(&notes);
	unsetenv("CREDENTIALS_DIRECTORY");
}
END_TEST

START_TEST(named_odd_files)
{
	const struct conf_place at = { "t.conf", 7, 9 };
	static const char *const says[] = { "No such file", "is not a regular "
	    "file", "is not a regular file", "is larger than", "belongs to "
	    "user 12345" };
	struct conf_notes notes = { 0 };
	char path[300], said[1024] = "";

	snprintf(path, sizeof path, "%s/x", dir);
	if (_i == 1)
		subdir("x");
	if (_i == 2)
		ck_assert_int_eq(mkfifo(path, 0600), 0);
	if (_i >= 3)
		put("x", "text");
	if (_i == 3)
		ck_assert_int_eq(truncate(path, (1 << 20) + 1), 0);
	if (_i == 4 && (geteuid() != 0 || chown(path, 12345, 0) == -1))
		return;			/* only root can give a file away */
	ck_assert_int_eq(conf_open_file(path, false, at, &notes), -1);
	conf_notes_text(&notes, said, sizeof said);
	ck_assert_msg(strstr(said, says[_i]) != NULL, "%s", said);
	conf_notes_free(&notes);
}
END_TEST

/* The same bytes give the same configuration to everybody; and the machine's
 * name is among them. */
START_TEST(bundle_names_machine)
{
	struct conf_notes notes = { 0 };
	struct conf *c;
	struct buf b;
	char path[256];

	put("main", "");
	snprintf(path, sizeof path, "%s/main", dir);
	buf_init(&b, 1u << 20);
	ck_assert_int_eq(conf_read(path, NULL, &b, &notes), 0);
	c = conf_parse(buf_get(&b), &notes);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_gt(strlen(c->hostname), 0);
	ck_assert_str_eq(c->file, path);
	conf_free(&c);
	/* A bundle that outgrows its buffer is an error, not a part of it. */
	buf_free(&b);
	put("main", "# a comment that takes some room, so that it is too much\n");
	buf_init(&b, 64);
	ck_assert_int_eq(conf_read(path, NULL, &b, &notes), -1);
	ck_assert_uint_ge(notes.nerrors, 1);
	conf_notes_free(&notes);
	buf_free(&b);
}
END_TEST

/* A start aside lives in its own directory, whatever the file says, and knows
 * where the relay's is; no file is an empty one. */
START_TEST(aside)
{
	struct conf_notes notes = { 0 };
	struct conf *c;
	char path[256];

	put("main", "state { directory = \"/var/lib/x\" }\n"
	    "log { target = \"syslog\" }\n");
	snprintf(path, sizeof path, "%s/main", dir);
	c = conf_load_aside(path, "/tmp/aside.1", &notes, NULL);
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(c->state_directory, "/tmp/aside.1");
	ck_assert_str_eq(c->control_directory, "/tmp/aside.1");
	ck_assert_str_eq(c->aside_of, "/var/lib/x");
	ck_assert_int_eq(c->log_target, LOG_STDERR);
	conf_free(&c);
	c = conf_load_aside(NULL, "/tmp/aside.1", &notes, NULL);
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(c->aside_of, "/var/lib/sealane");
	ck_assert_uint_gt(c->nlistens, 0);
	conf_free(&c);
	c = conf_load(path, &notes, NULL);
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(c->state_directory, "/var/lib/x");
	ck_assert_ptr_null(c->aside_of);
	conf_free(&c);
	conf_notes_free(&notes);
}
END_TEST

START_TEST(example)
{
	struct conf_notes notes = { 0 };
	struct conf *c = conf_load(SOURCE_ROOT "/etc/sealane.conf", &notes, NULL);

	for (size_t i = 0; i < notes.n; i++)
		/* A checkout may have any umask; the text is what counts. */
		ck_assert_msg(strstr(notes.v[i].text, "may write") != NULL,
		    "%s", notes.v[i].text);
	ck_assert(c != NULL || notes.nerrors > 0);
	conf_free(&c);
	conf_notes_free(&notes);
}
END_TEST

/* ---- lists of recipients ---- */

static const struct list_row {
	const char	*local, *domain;
	bool		 listed;
} list_rows[] = {
	{ "joe", "a.example", true },
	{ "JOE", "a.example", true },
	{ "joe", "b.example", true },
	{ "joseph", "a.example", false },
	{ "jo", "a.example", false },
	{ "", "a.example", false },
	{ "ann", "a.example", true },
	{ "ann", "b.example", false },
	{ "ann", "x.a.example", false },
	{ "who", "all.example", true },
	{ "who", "xn--bcher-kva.example", true },
	{ "user", "a.example", false },
	{ "user+tag", "a.example", true },
	{ "user+", "b.example", true },
	{ "user+a+b", "b.example", true },
	{ "own+tag", "a.example", false },
	{ "own+tag", "b.example", true },
	{ "ann+tag", "a.example", false },
	{ "\"two words\"", "a.example", true },
	{ "a#b", "a.example", true },
	{ "# no", "a.example", false },
	{ "a", "a.example", false },
	{ "zz", "a.example", true },
};

START_TEST(lists)
{
	const struct list_row *r = list_rows;
	char said[2048], main_text[512];
	struct conf *c;

	put("list", "# people\nzz\njoe\n\n  Joe # again\r\nAnn@A.Example\n"
	    "@all.example\n@b\xc3\xbc""cher.example\nuser+*\t#x\n"
	    "own+*@b.example\n\"two words\"\na#b\n\n0");
	snprintf(main_text, sizeof main_text, "accept { domain \"*\" { to = "
	    "\"discard:\"; recipients = \"file:%s/list\" }\n domain "
	    "\"x.example\" { to = \"discard:\"; recipients = "
	    "\"file:%s/list\" }\n domain \"y.example\" { to = \"discard:\"; "
	    "recipients = \"file:/dev/null\" } }", dir, dir);
	put("main", main_text);
	c = load("main", said, sizeof said);
	ck_assert_ptr_null(c);
	expect(said, "main:3:53: error: /dev/null is not a regular file");
	put("none", "# nobody\n");
	snprintf(strstr(main_text, "/dev/null"), 200, "%s/none\" } }", dir);
	put("main", main_text);
	c = load("main", said, sizeof said);
	ck_assert_msg(c != NULL, "%s", said);
	ck_assert_ptr_eq(c->accepts[0].table.p, c->accepts[1].table.p);
	ck_assert_uint_eq(c->accepts[2].table.n, 0);
	for (; r < list_rows + sizeof list_rows / sizeof list_rows[0]; r++)
		ck_assert_msg(conf_table_has(c->accepts[0].table,
		    span_str(r->local), span_str(r->domain)) == r->listed,
		    "%s@%s", r->local, r->domain);
	ck_assert(!conf_table_has(c->accepts[2].table, SPAN_LIT("joe"),
	    SPAN_LIT("y.example")));
	conf_free(&c);
}
END_TEST

static const struct {
	const char	*text, *said;
} bad_lists[] = {
	{ "joe\nj oe\n", "DIR/list:2:1: error: \"j oe\" is no recipient; "
	  "allowed: a local part, local@domain, @domain or local+*" },
	{ "joe@", "list:1:1: error: \"joe@\" is no recipient" },
	{ "@", "list:1:1: error: \"@\" is no recipient" },
	{ "\n\na@b@c.example", "list:3:1: error: \"a@b@c.example\"" },
	{ "joe@-x.example", "list:1:1: error:" },
	{ "a\x01", "list:1:1: error: \"a\\x01\" is no" },
};

START_TEST(wrong_lists)
{
	char said[2048], main_text[512];

	put("list", bad_lists[_i].text);
	snprintf(main_text, sizeof main_text, "hostnam = 1\naccept { domain "
	    "\"*\" { to = \"discard:\"; recipients = \"file:%s/list\" } }",
	    dir);
	put("main", main_text);
	ck_assert_ptr_null(load("main", said, sizeof said));
	expect(said, bad_lists[_i].said);
	expect(said, "unknown key `hostnam`");	/* all in one run */
}
END_TEST

/* The million is about time and size, which the plain build shows.  Sanitizers
 * look at memory: 50,000 lines make every buffer grow several times, and each
 * further line only does the same once more, for minutes. */
#ifdef SEALANE_SANITIZED
#define LINES	50000u
#else
#define LINES	1000000u
#endif

/* A million lines, and each is found. */
START_TEST(long_list)
{
	char said[2048], main_text[512], path[256], name[32];
	struct conf *c;
	FILE *f;

	snprintf(path, sizeof path, "%s/list", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	for (unsigned i = 0; i < LINES; i++)
		fprintf(f, "user%u\n", (unsigned)(i * 7919ull % LINES));
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0644), 0);
	snprintf(main_text, sizeof main_text, "accept { domain \"*\" { to = "
	    "\"discard:\"; recipients = \"file:%s\" } }", path);
	put("main", main_text);
	c = load("main", said, sizeof said);
	ck_assert_msg(c != NULL, "%s", said);
	for (unsigned i = 0; i < LINES; i++) {
		snprintf(name, sizeof name, "user%u", i);
		ck_assert(conf_table_has(c->accepts[0].table, span_str(name),
		    SPAN_LIT("a.example")));
	}
	ck_assert(!conf_table_has(c->accepts[0].table,
	    SPAN_LIT("user1000000"), SPAN_LIT("a.example")));
	conf_free(&c);
}
END_TEST

/* What stands commented out in the example is right, too. */
/* A list of recipients lies in the mapped file: it lives as long as any
 * holder. */
START_TEST(held)
{
	static const char text[] = "hostname = \"held.example.org\"\n";
	char bundle[256];
	int n = snprintf(bundle, sizeof bundle, "sealane-conf 1\n"
	    "machine host.example.org 3\npart 0 1 1 %zu t.conf\n%s\n",
	    sizeof text - 1, text);
	int fd = memfd_create("held", MFD_CLOEXEC);
	struct conf_notes notes = { 0 };
	const struct conf *a, *b;
	struct conf *c;

	ck_assert_int_eq(write(fd, bundle, (size_t)n), n);
	c = conf_parse_fd(fd, &notes);
	close(fd);
	ck_assert_ptr_nonnull(c);
	a = conf_hold(c);
	b = conf_hold(c);
	conf_free(&c);
	ck_assert_ptr_null(c);
	conf_release(&a);
	ck_assert_ptr_null(a);
	ck_assert_str_eq(b->hostname, "held.example.org");
	conf_release(&b);
	conf_release(&b);
	ck_assert_ptr_null(conf_parse_fd(-1, &notes));
	ck_assert_uint_eq(notes.n, 0);
	conf_notes_free(&notes);
}
END_TEST

START_TEST(example_uncommented)
{
	char line[512], said[4096];
	FILE *f = fopen(SOURCE_ROOT "/etc/sealane.conf", "r");
	struct conf *c;
	struct buf b;

	ck_assert_ptr_nonnull(f);
	buf_init(&b, 1u << 16);
	while (fgets(line, sizeof line, f) != NULL) {
		char *p = line + strspn(line, "\t");

		/* "#key" is a statement, "# Text" a comment. */
		if (p[0] == '#' && p[1] != ' ' && p[1] != '\n')
			p++;
		buf_str(&b, p);
	}
	fclose(f);
	put("main", buf_cstr(&b));
	buf_free(&b);
	c = load("main", said, sizeof said);
	/* "local" and "public" are alternatives, as the example says. */
	ck_assert_ptr_null(c);
	expect(said, "has [::]:25 or covers it");
	ck_assert_ptr_null(strstr(strstr(said, "error:") + 1, "error:"));
}
END_TEST

#define ROWS(a)	((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("conf_files");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_set_timeout(t, 20);
	tcase_add_test(t, includes);
	tcase_add_test(t, places);
	tcase_add_loop_test(t, bad_includes, 0, ROWS(bads));
	tcase_add_test(t, depth);
	tcase_add_test(t, many_files);
	tcase_add_loop_test(t, named_files, 0,
	    sizeof nameds / sizeof nameds[0]);
	tcase_add_test(t, named_credential);
	tcase_add_loop_test(t, named_odd_files, 0, 5);
	tcase_add_loop_test(t, writable, 0, ROWS(modes));
	tcase_add_test(t, odd_files);
	tcase_add_test(t, bundle_names_machine);
	tcase_add_test(t, aside);
	tcase_add_test(t, lists);
	tcase_add_loop_test(t, wrong_lists, 0, ROWS(bad_lists));
	tcase_add_test(t, long_list);
	tcase_add_test(t, example);
	tcase_add_test(t, example_uncommented);
	tcase_add_test(t, held);
	suite_add_tcase(s, t);
	return suite_run(s);
}
