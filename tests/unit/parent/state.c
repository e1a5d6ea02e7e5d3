/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* What the parent makes before any role starts: directories, files, sockets,
 * and who is wired to whom.  Runs as an ordinary user; what root does besides
 * (owners) is tested end to end. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parent/parent_priv.h"
#include "tests/unit/suite.h"

static char top[64], state[128], control[128];
static struct conf conf;
static int lock_fd;

static void
setup(void)
{
	if (geteuid() == 0 && (setresgid(65534, 65534, 65534) == -1 ||
	    setresuid(65534, 65534, 65534) == -1))
		ck_abort_msg("cannot become an ordinary user");
	snprintf(top, sizeof top, "/tmp/sealane-parent-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(state, sizeof state, "%s/a/state", top);
	snprintf(control, sizeof control, "%s/run", top);
	conf = (struct conf){ .hostname = "mx1.example.org",
	    .state_directory = state, .control_directory = control,
	    .smtpd_processes = 3, .relay_processes = 2 };
	lock_fd = -1;
}

static void
remove_tree(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char below[PATH_MAX];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof below, "%s/%s", path, e->d_name);
		if (unlink(below) == -1)
			remove_tree(below);
	}
	if (d != NULL)
		closedir(d);
	rmdir(path);
}

static void
teardown(void)
{
	if (lock_fd != -1)
		close(lock_fd);
	remove_tree(top);
}

static mode_t
mode_of(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", state, name);
	return lstat(path, &st) == -1 ? 0 : st.st_mode & 07777;
}

START_TEST(makes_what_is_missing)
{
	struct fault f = { 0 };
	struct stat st;

	ck_assert_msg(state_prepare(&conf, &lock_fd, &f) == 0, "%s", f.text);
	ck_assert_uint_eq(mode_of("spool"), 0700);
	ck_assert_uint_eq(mode_of("keys"), 0750);
	ck_assert_uint_eq(mode_of("ledger.db"), 0660);
	ck_assert_uint_eq(mode_of("ledger.db-wal"), 0660);
	ck_assert_uint_eq(mode_of("ledger.db-shm"), 0660);
	ck_assert_uint_eq(mode_of("policy.db"), 0660);
	ck_assert_int_eq(stat(control, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
}
END_TEST

START_TEST(one_at_a_time)
{
	struct fault f = { 0 };
	int second = -1;

	ck_assert_int_eq(state_prepare(&conf, &lock_fd, &f), 0);
	ck_assert_int_eq(state_prepare(&conf, &second, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.text, "another Sealane runs"));
	close(second);
	close(lock_fd);
	lock_fd = -1;
	ck_assert_int_eq(state_prepare(&conf, &lock_fd, &f), 0);
}
END_TEST

/* What somebody planted is refused, and what it points to is left alone. */
static const struct {
	const char *name;
	bool hard;
} planted[] = {
	{ "spool", false }, { "keys", false }, { "lock", false },
	{ "ledger.db", false }, { "ledger.db", true }, { "ledger.db-wal", false },
	{ "policy.db-shm", false },
};

START_TEST(planted_links)
{
	char target[160], path[192];
	struct fault f = { 0 };
	struct stat st;
	int fd;

	snprintf(target, sizeof target, "%s/target", top);
	snprintf(path, sizeof path, "%s/%s", state, planted[_i].name);
	ck_assert_int_eq(state_prepare(&conf, &lock_fd, &f), 0);
	close(lock_fd);
	lock_fd = -1;
	fd = open(target, O_CREAT | O_WRONLY, 0400);
	ck_assert_int_ne(fd, -1);
	close(fd);
	ck_assert(unlink(path) == 0 || rmdir(path) == 0);
	ck_assert_int_eq(planted[_i].hard ? link(target, path) :
	    symlink(target, path), 0);
	ck_assert_int_eq(state_prepare(&conf, &lock_fd, &f), -1);
	ck_assert_str_ne(f.text, "");
	ck_assert_int_eq(stat(target, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0400);
}
END_TEST

static void
put(const char *directory, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *fp;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	fp = fopen(path, "w");
	ck_assert_ptr_nonnull(fp);
	ck_assert_int_ge(fputs(text, fp), 0);
	ck_assert_int_eq(fclose(fp), 0);
}

static const char *
text_of(const char *directory, const char *name)
{
	static char text[64];
	char path[PATH_MAX];
	FILE *fp;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	fp = fopen(path, "r");
	ck_assert_ptr_nonnull(fp);
	text[fread(text, 1, sizeof text - 1, fp)] = '\0';
	fclose(fp);
	return text;
}

/* It knows what the relay remembers, but not what a running one is writing. */
START_TEST(start_aside)
{
	struct fault f = { 0 };
	char place[128];
	struct conf aside = { .state_directory = place, .aside_of = state };

	snprintf(place, sizeof place, "%s/aside", top);
	ck_assert_int_eq(mkdir(place, 0755), 0);
	/* No relay was ever here. */
	ck_assert_msg(state_prepare_aside(&aside, &f) == 0, "%s", f.text);
	ck_assert_str_eq(text_of(place, "policy.db"), "");
	ck_assert_int_eq(state_prepare(&conf, &lock_fd, &f), 0);
	put(state, "policy.db", "remembered");
	put(state, "policy.db-wal", "and since");
	ck_assert_int_eq(state_prepare_aside(&aside, &f), 0);
	ck_assert_str_eq(text_of(place, "policy.db"), "");
	close(lock_fd);
	lock_fd = -1;
	ck_assert_int_eq(state_prepare_aside(&aside, &f), 0);
	ck_assert_str_eq(text_of(place, "policy.db"), "remembered");
	ck_assert_str_eq(text_of(place, "policy.db-wal"), "and since");
	/* Nor is anything of another's followed. */
	snprintf(place, sizeof place, "%s/aside/policy.db", top);
	ck_assert_int_eq(unlink(place), 0);
	ck_assert_int_eq(symlink("/etc/passwd", place), 0);
	snprintf(place, sizeof place, "%s/aside", top);
	ck_assert_int_eq(state_prepare_aside(&aside, &f), -1);
}
END_TEST

START_TEST(control_sockets)
{
	struct fault f = { 0 };
	char path[192];
	struct stat st;
	int fd;

	ck_assert_int_eq(state_prepare(&conf, &lock_fd, &f), 0);
	snprintf(path, sizeof path, "%s/queue", control);
	fd = listen_control(&conf, ROLE_QUEUE, &f);
	ck_assert_msg(fd != -1, "%s", f.text);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 077, 0);
	close(fd);
	fd = listen_control(&conf, ROLE_QUEUE, &f);	/* left by a kill -9 */
	ck_assert_msg(fd != -1, "%s", f.text);
	listen_unlink_control(&conf, ROLE_QUEUE);
	ck_assert_int_eq(stat(path, &st), -1);
	close(fd);
}
END_TEST

START_TEST(control_path_too_long)
{
	char longer[200];
	struct fault f = { 0 };

	memset(longer, 'x', sizeof longer);
	longer[0] = '/';
	longer[sizeof longer - 1] = '\0';
	conf.control_directory = longer;
	ck_assert_int_eq(listen_control(&conf, ROLE_LEDGER, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.text, "too long"));
}
END_TEST

START_TEST(listeners)
{
	struct conf_listen l = { .label = "x" };
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	struct fault f = { 0 };
	int first, second;

	ck_assert(addr_parse(SPAN_LIT("127.0.0.1"), 1, &l.address));
	l.address.port = 0;
	first = listen_open(&l, &f);
	ck_assert_msg(first != -1, "%s", f.text);
	ck_assert_int_eq(getsockname(first, (struct sockaddr *)&ss, &len), 0);
	addr_from_sockaddr(&l.address, (struct sockaddr *)&ss);
	second = listen_open(&l, &f);
	ck_assert_int_eq(second, -1);
	ck_assert_ptr_nonnull(strstr(f.text, "listen on 127.0.0.1:"));
	close(first);
}
END_TEST

START_TEST(instances)
{
	ck_assert_uint_eq(wiring_instances(&conf, ROLE_SMTPD), 3);
	ck_assert_uint_eq(wiring_instances(&conf, ROLE_KEYS), 3);
	ck_assert_uint_eq(wiring_instances(&conf, ROLE_RELAY), 2);
	ck_assert_uint_eq(wiring_instances(&conf, ROLE_QUEUE), 1);
	ck_assert_uint_eq(wiring_instances(&conf, ROLE_PARENT), 0);
	ck_assert(wiring_has_control(ROLE_QUEUE));
	ck_assert(wiring_has_control(ROLE_LEDGER));
	ck_assert(!wiring_has_control(ROLE_SMTPD));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("parent state");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, makes_what_is_missing);
	tcase_add_test(tc, one_at_a_time);
	tcase_add_loop_test(tc, planted_links, 0, NELEM(planted));
	tcase_add_test(tc, start_aside);
	tcase_add_test(tc, control_sockets);
	tcase_add_test(tc, control_path_too_long);
	tcase_add_test(tc, listeners);
	tcase_add_test(tc, instances);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
