/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "base/db.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[80], wal[90], shm[90], journal[90];

static const char *const schema[] = {
	"CREATE TABLE t (a INTEGER, b TEXT UNIQUE)",
	"ALTER TABLE t ADD COLUMN c INTEGER; CREATE INDEX t_a ON t (a)",
};

static void
setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/sealane-db-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/test.db", dir);
	snprintf(wal, sizeof wal, "%s-wal", path);
	snprintf(shm, sizeof shm, "%s-shm", path);
	snprintf(journal, sizeof journal, "%s-journal", path);
}

static void
teardown(void)
{
	unlink(path);
	unlink(wal);
	unlink(shm);
	unlink(journal);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct db *
writer(unsigned migrations)
{
	struct fault f = { 0 };
	struct db *db = db_open_writer(path, schema, migrations, &f);

	ck_assert_msg(db != NULL, "%s", f.text);
	return db;
}

static struct db *
reader(void)
{
	struct fault f = { 0 };
	struct db *db = db_open_reader(path, &f);

	ck_assert_msg(db != NULL, "%s", f.text);
	return db;
}

static int64_t
number(struct db *db, const char *sql)
{
	struct fault f = { 0 };
	struct db_stmt *s = db_prepare(db, sql, &f);
	int64_t n;

	ck_assert_msg(s != NULL, "%s", f.text);
	ck_assert_msg(db_step(s, &f) == 1, "%s", f.text);
	n = db_int(s, 0);
	db_finish(&s);
	return n;
}

static int
run(struct db *db, const char *sql, struct fault *f)
{
	struct db_stmt *s = db_prepare(db, sql, f);
	int rc = s == NULL ? -1 : db_step(s, f);

	db_finish(&s);
	return rc;
}

static void
insert(struct db *db, int64_t a, const char *b)
{
	struct fault f = { 0 };
	struct db_stmt *s = db_prepare(db,
	    "INSERT INTO t (a, b) VALUES (?, ?)", &f);

	ck_assert_ptr_nonnull(s);
	db_bind_int(s, 1, a);
	db_bind_text(s, 2, span_str(b));
	ck_assert_msg(db_step(s, &f) == 0, "%s", f.text);
	db_finish(&s);
}

static void
insert_many(struct db *db, int round)
{
	struct fault f = { 0 };
	struct db_stmt *s = db_prepare(db, "WITH RECURSIVE n(i) AS (SELECT 1 "
	    "UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
	    "INSERT INTO t (a, b) SELECT i, i || '.' || ?1 FROM n", &f);

	ck_assert_msg(s != NULL, "%s", f.text);
	db_bind_int(s, 1, round);
	ck_assert_msg(db_step(s, &f) == 0, "%s", f.text);
	db_finish(&s);
}

static void
spill(const char *name, const void *p, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	close(fd);
}

START_TEST(created_as_promised)
{
	struct db *db = writer(2);
	struct stat st;

	ck_assert_int_eq(number(db, "PRAGMA user_version"), 2);
	ck_assert_int_eq(number(db, "PRAGMA application_id"), 0x5365614c);
	ck_assert_int_eq(number(db, "PRAGMA synchronous"), 1);	/* NORMAL */
	insert(db, 1, "x");
	ck_assert_int_eq(stat(wal, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
	db_close(&db);
	ck_assert_ptr_null(db);
	/* Both stay for readers that may not create them. */
	ck_assert_int_eq(stat(wal, &st), 0);
	ck_assert_int_eq(stat(shm, &st), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
	db_close(&db);			/* NULL is fine */
	db = writer(2);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM t"), 1);
	db_close(&db);
}
END_TEST

START_TEST(precreated_files_keep_their_mode)
{
	struct db *db;
	struct stat st;
	mode_t old = umask(0);

	close(open(path, O_CREAT | O_WRONLY, 0660));
	close(open(wal, O_CREAT | O_WRONLY, 0660));
	close(open(shm, O_CREAT | O_WRONLY, 0660));
	umask(old);
	db = writer(2);
	insert(db, 1, "x");
	db_close(&db);
	ck_assert_int_eq(stat(shm, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0660);
	ck_assert_int_eq(stat(wal, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0660);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0660);
}
END_TEST

START_TEST(migrations_go_on_where_they_stopped)
{
	static const char *const broken[] = {
		"CREATE TABLE t (a INTEGER, b TEXT UNIQUE)",
		"CREATE TABLE half (a); CREATE TABLE half (a)",
	};
	struct fault f = { 0 };
	struct db *db = writer(1);

	insert(db, 7, "kept");
	db_close(&db);
	ck_assert_ptr_null(db_open_writer(path, broken, 2, &f));
	ck_assert_ptr_nonnull(strstr(f.text, path));
	ck_assert_ptr_nonnull(strstr(f.text, "half already exists"));
	db = writer(1);		/* still version 1: not newer */
	ck_assert_int_eq(number(db, "SELECT count(*) FROM sqlite_schema "
	    "WHERE name = 'half'"), 0);
	db_close(&db);
	db = writer(2);
	ck_assert_int_eq(number(db, "SELECT a FROM t WHERE c IS NULL"), 7);
	db_close(&db);
}
END_TEST

START_TEST(newer_is_refused)
{
	struct fault f = { 0 };
	struct db *db = writer(2);

	db_close(&db);
	ck_assert_ptr_null(db_open_writer(path, schema, 1, &f));
	ck_assert_int_eq(f.class, FAULT_PERM);
	ck_assert_ptr_nonnull(strstr(f.text, path));
	ck_assert_ptr_nonnull(strstr(f.text, "newer"));
}
END_TEST

/* ---- files that are not what they should be ---- */

enum wreck { WRECK_MISSING, WRECK_EMPTY, WRECK_TEXT, WRECK_CUT, WRECK_FOREIGN,
	WRECK_DIRECTORY, WRECK_PAGES };

static const struct {
	const char	*name;
	enum wreck	 wreck;
	bool		 writer;
	const char	*text;
} wrecks[] = {
	{ "missing", WRECK_MISSING, false, "No such file" },
	{ "empty", WRECK_EMPTY, false, "is empty" },
	{ "text", WRECK_TEXT, false, "not a database" },
	{ "text", WRECK_TEXT, true, "not a database" },
	{ "cut off", WRECK_CUT, false, "damaged" },
	{ "cut off", WRECK_CUT, true, "damaged" },
	{ "pages overwritten", WRECK_PAGES, true, "damaged" },
	{ "pages overwritten", WRECK_PAGES, false, "damaged" },
	{ "of another program", WRECK_FOREIGN, false, "another program" },
	{ "of another program", WRECK_FOREIGN, true, "another program" },
	{ "a directory", WRECK_DIRECTORY, true, "Is a directory" },
};

static void
wreck_make(enum wreck wreck)
{
	static char rubbish[8192];
	struct db *db;
	int fd;

	memset(rubbish, 'x', sizeof rubbish);
	if (wreck == WRECK_MISSING)
		return;
	if (wreck == WRECK_DIRECTORY) {
		mkdir(path, 0700);
		return;
	}
	if (wreck == WRECK_EMPTY || wreck == WRECK_TEXT) {
		spill(path, rubbish, wreck == WRECK_TEXT ? sizeof rubbish : 0);
		return;
	}
	db = writer(2);
	insert_many(db, 1);
	if (wreck == WRECK_FOREIGN)
		ck_assert_int_eq(run(db, "PRAGMA application_id = 99", NULL), 0);
	db_close(&db);
	if (wreck == WRECK_FOREIGN)
		return;
	if (wreck == WRECK_CUT) {
		ck_assert_int_eq(truncate(path, 600), 0);
	} else {
		/* The schema's page itself, behind the file header. */
		fd = open(path, O_WRONLY);
		ck_assert_int_eq(pwrite(fd, rubbish, 3000, 100), 3000);
		close(fd);
	}
}

START_TEST(wreck_rows)
{
	struct fault f = { 0 };
	struct db *db;

	wreck_make(wrecks[_i].wreck);
	db = wrecks[_i].writer ? db_open_writer(path, schema, 2, &f) :
	    db_open_reader(path, &f);
	ck_assert_msg(db == NULL, "%s was opened", wrecks[_i].name);
	ck_assert_msg(strstr(f.text, path) != NULL &&
	    strstr(f.text, wrecks[_i].text) != NULL, "%s: %s",
	    wrecks[_i].name, f.text);
	if (wrecks[_i].wreck == WRECK_DIRECTORY)
		rmdir(path);
}
END_TEST

START_TEST(damage_found_while_reading)
{
	static char rubbish[4096];
	struct fault f = { 0 };
	struct db *db = writer(2);
	struct db_stmt *s;
	int fd, i, rc;

	insert_many(db, 1);
	db_close(&db);
	memset(rubbish, 0xff, sizeof rubbish);
	fd = open(path, O_WRONLY);
	for (i = 3; i < 12; i++)
		ck_assert_int_eq(pwrite(fd, rubbish, 4096, i * 4096), 4096);
	close(fd);
	db = reader();
	s = db_prepare(db, "SELECT a FROM t NOT INDEXED", &f);
	ck_assert_ptr_nonnull(s);
	while ((rc = db_step(s, &f)) == 1)
		;
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.class, FAULT_PERM);
	ck_assert_ptr_nonnull(strstr(f.text, "damaged"));
	ck_assert_ptr_nonnull(strstr(f.text, path));
	db_close(&db);
}
END_TEST

/* ---- statements ---- */

START_TEST(values_come_back)
{
	static const int64_t ints[] = { 0, -1, INT64_MAX, INT64_MIN };
	static const struct span texts[] = {
		{ "", 0 }, { "plain", 5 }, { "with\0nul", 8 }, { "'; DROP", 7 },
	};
	struct fault f = { 0 };
	struct db *db = writer(2);
	struct db_stmt *in, *out;
	size_t i;

	in = db_prepare(db, "INSERT INTO t (a, b) VALUES (?, ?)", &f);
	out = db_prepare(db, "SELECT a, b, c FROM t WHERE b = ?", &f);
	for (i = 0; i < NELEM(ints); i++) {
		db_bind_int(in, 1, ints[i]);
		db_bind_text(in, 2, texts[i]);
		ck_assert_int_eq(db_step(in, &f), 0);
		db_bind_text(out, 1, texts[i]);
		ck_assert_int_eq(db_step(out, &f), 1);
		ck_assert_int_eq(db_int(out, 0), ints[i]);
		ck_assert(span_eq(db_text(out, 1), texts[i]));
		ck_assert_uint_eq(db_text(out, 2).n, 0);	/* NULL */
		ck_assert_int_eq(db_step(out, &f), 0);
	}
	/* A constraint is a fault, and the statement goes on to be usable. */
	ck_assert_int_eq(db_step(in, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.text, "UNIQUE"));
	db_bind_text(in, 2, SPAN_LIT("new"));
	ck_assert_int_eq(db_step(in, &f), 0);
	/* A step given up half way. */
	db_bind_text(out, 1, SPAN_LIT("new"));
	ck_assert_int_eq(db_step(out, &f), 1);
	db_reset(out);
	ck_assert_ptr_null(db_prepare(db, "SELECT nix FROM t", &f));
	ck_assert_msg(strstr(f.text, "no such column") != NULL, "%s", f.text);
	db_close(&db);			/* with both statements still there */
}
END_TEST

START_TEST(no_way_out_of_the_file)
{
	static const char *const sql[] = {
		"ATTACH '/tmp/other.db' AS o",
		"SELECT load_extension('x.so')",
		"UPDATE sqlite_schema SET sql = ''",
		"SELECT \"not a column\"",	/* a slip in our own SQL */
	};
	struct fault f = { 0 };
	struct db *db = writer(2);
	size_t i;

	ck_assert_int_eq(run(db, "PRAGMA writable_schema = 1", &f), 0);
	for (i = 0; i < NELEM(sql); i++)
		ck_assert_msg(run(db, sql[i], &f) == -1, "%s ran", sql[i]);
	db_close(&db);
}
END_TEST

START_TEST(rollback_and_commit)
{
	struct fault f = { 0 };
	struct db *db = writer(2);

	db_rollback(db);		/* outside of any: nothing */
	ck_assert_int_eq(db_begin(db, &f), 0);
	insert(db, 1, "gone");
	db_rollback(db);
	ck_assert_int_eq(db_begin(db, &f), 0);
	insert(db, 2, "kept");
	ck_assert_int_eq(db_commit(db, &f), 0);
	ck_assert_int_eq(number(db, "SELECT sum(a) FROM t"), 2);
	db_close(&db);
}
END_TEST

/* ---- more than one process ---- */

START_TEST(reader_has_a_stable_view)
{
	struct fault f = { 0 };
	struct db *w = writer(2), *r;

	insert(w, 1, "a");
	r = reader();
	ck_assert_int_eq(db_begin(r, &f), 0);
	ck_assert_int_eq(number(r, "SELECT count(*) FROM t"), 1);
	insert(w, 2, "b");
	ck_assert_int_eq(number(r, "SELECT count(*) FROM t"), 1);
	ck_assert_int_eq(db_commit(r, &f), 0);
	ck_assert_int_eq(number(r, "SELECT count(*) FROM t"), 2);
	ck_assert_int_eq(run(r, "DELETE FROM t", &f), -1);
	ck_assert_ptr_nonnull(strstr(f.text, "readonly"));
	db_close(&r);
	db_close(&w);
}
END_TEST

START_TEST(second_writer_waits_then_gives_up)
{
	struct fault f = { 0 };
	struct db *a = writer(2), *b = writer(2);

	ck_assert_int_eq(db_begin(a, &f), 0);
	ck_assert_int_eq(db_begin(b, &f), -1);
	ck_assert_int_eq(f.class, FAULT_TEMP);
	ck_assert_ptr_nonnull(strstr(f.text, "locked"));
	ck_assert_int_eq(db_commit(a, &f), 0);
	ck_assert_int_eq(db_begin(b, &f), 0);
	db_rollback(b);
	db_close(&a);
	db_close(&b);
}
END_TEST

START_TEST(killed_writer_leaves_what_it_committed)
{
	struct db *db;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		db = writer(2);
		db_begin(db, NULL);
		insert(db, 1, "committed");
		db_commit(db, NULL);
		db_begin(db, NULL);
		insert(db, 2, "not");
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	db = reader();
	ck_assert_int_eq(number(db, "SELECT sum(a) FROM t"), 1);
	db_close(&db);
	db = writer(2);
	ck_assert_int_eq(number(db, "SELECT sum(a) FROM t"), 1);
	db_close(&db);
}
END_TEST

/* A member of the group reads, whether the writer runs or not, without any
 * right to write to the files or the directory. */
START_TEST(group_may_read)
{
	struct db *w = writer(2), *r;
	int status, round;
	pid_t pid;

	insert(w, 5, "x");
	ck_assert_int_eq(chmod(dir, 0750), 0);
	ck_assert_int_eq(chown(dir, 0, 4242), 0);
	ck_assert_int_eq(chown(path, 0, 4242), 0);
	ck_assert_int_eq(chown(wal, 0, 4242), 0);
	ck_assert_int_eq(chown(shm, 0, 4242), 0);
	for (round = 0; round < 2; round++) {
		pid = fork();
		if (pid == 0) {
			if (setgroups(0, NULL) != 0 || setgid(4242) != 0 ||
			    setuid(4243) != 0)
				_exit(9);
			r = reader();
			_exit(number(r, "SELECT sum(a) FROM t") == 5 ? 0 : 1);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(status == 0, "round %d: %x", round, status);
		db_close(&w);
	}
}
END_TEST

/* As the parent sets it up: the writer owns three empty files in a directory
 * where it may create nothing. */
START_TEST(writer_without_right_to_the_directory)
{
	const char *const names[] = { path, wal, shm };
	struct db *w;
	int status, round;
	pid_t pid;
	size_t i;

	ck_assert_int_eq(chmod(dir, 0755), 0);
	for (i = 0; i < NELEM(names); i++) {
		close(open(names[i], O_CREAT | O_WRONLY, 0600));
		ck_assert_int_eq(chown(names[i], 4243, 4242), 0);
	}
	for (round = 1; round <= 2; round++) {
		pid = fork();
		if (pid == 0) {
			if (setgroups(0, NULL) != 0 || setgid(4243) != 0 ||
			    setuid(4243) != 0)
				_exit(9);
			w = writer(2);
			insert_many(w, round);
			db_close(&w);
			_exit(0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(status == 0, "round %d: %x", round, status);
	}
	w = reader();
	ck_assert_int_eq(number(w, "SELECT count(*) FROM t"), 10000);
	db_close(&w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db");
	TCase *tc = tcase_create("db");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, created_as_promised);
	tcase_add_test(tc, precreated_files_keep_their_mode);
	tcase_add_test(tc, migrations_go_on_where_they_stopped);
	tcase_add_test(tc, newer_is_refused);
	tcase_add_loop_test(tc, wreck_rows, 0, (int)NELEM(wrecks));
	tcase_add_test(tc, damage_found_while_reading);
	tcase_add_test(tc, values_come_back);
	tcase_add_test(tc, no_way_out_of_the_file);
	tcase_add_test(tc, rollback_and_commit);
	tcase_add_test(tc, reader_has_a_stable_view);
	tcase_add_test(tc, second_writer_waits_then_gives_up);
	tcase_add_test(tc, killed_writer_leaves_what_it_committed);
	if (geteuid() == 0) {
		tcase_add_test(tc, group_may_read);
		tcase_add_test(tc, writer_without_right_to_the_directory);
	}
	suite_add_tcase(s, tc);
	return suite_run(s);
}
