/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/state.c - users, directories and files that must be there, with the
 * right owners, before a role starts. */
#include "parent/parent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSUSERS	"systemd-sysusers etc/sealane.sysusers"

int
state_user(enum role role, uid_t *uid, gid_t *gid, struct fault *f)
{
	char name[64];
	struct passwd *pw;

	*uid = geteuid();
	*gid = getegid();
	if (*uid != 0)
		return 0;
	snprintf(name, sizeof name, "_sealane-%s", role_name(role));
	pw = getpwnam(name);
	if (pw == NULL)
		return fault_set(f, FAULT_PERM, 0, NULL, "user %s does not "
		    "exist; make the role users with: " SYSUSERS, name);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

static gid_t
group_sealane(void)
{
	struct group *g = getgrnam("sealane");

	return g == NULL ? 0 : g->gr_gid;
}

/* mkdir -p, root-owned and passable: /run/sealane, /var/lib/sealane. */
static int
make_path(const char *path, mode_t mode, struct fault *f)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof part)
		return fault_set(f, FAULT_PERM, 0, NULL,
		    "directory name %.60s...: too long", path);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, i == n ? mode : 0755) == -1 && errno != EEXIST)
			return fault_sys(f, part);
	}
	return 0;
}

/* Roles open their directories by name under their own users, so each folder
 * on the way must let them pass. */
static int
check_passable(const char *path, struct fault *f)
{
	char full[PATH_MAX];
	struct stat st;

	if (realpath(path, full) == NULL)
		return fault_sys(f, path);
	while (strcmp(full, "/") != 0) {
		char copy[PATH_MAX];

		if (stat(full, &st) == -1)
			return fault_sys(f, full);
		if ((st.st_mode & S_IXOTH) == 0)
			return fault_set(f, FAULT_PERM, 0, NULL, "%.150s has "
			    "mode %04o: the role users cannot pass it "
			    "(chmod o+x, or another state directory)", full,
			    (unsigned)(st.st_mode & 07777));
		memcpy(copy, full, sizeof copy);
		snprintf(full, sizeof full, "%s", dirname(copy));
	}
	return 0;
}

/* Opened without following a link, then judged and changed by descriptor: a
 * role that planted a symlink here gains nothing. */
static int
own_fd(int fd, const char *path, uid_t uid, gid_t gid, mode_t mode,
    struct fault *f)
{
	if (geteuid() == 0 && fchown(fd, uid, gid) == -1)
		return fault_sys(f, path);
	if (fchmod(fd, mode) == -1)
		return fault_sys(f, path);
	return 0;
}

static int
role_directory(const char *state, const char *name, enum role role, gid_t group,
    mode_t mode, struct fault *f)
{
	char path[PATH_MAX];
	uid_t uid;
	gid_t gid;
	int fd, rc;

	if (state_user(role, &uid, &gid, f) == -1)
		return -1;
	snprintf(path, sizeof path, "%s/%s", state, name);
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return fault_sys(f, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return fault_sys(f, path);
	rc = own_fd(fd, path, uid, group != 0 ? group : gid, mode, f);
	close(fd);
	return rc;
}

/* SQLite makes -wal and -shm beside the database; the role's user may not
 * write into state/, so all three are there from the start.  `group`, if
 * any, may read them. */
static int
db_files(const char *state, const char *name, enum role role, gid_t group,
    struct fault *f)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	uid_t uid;
	gid_t gid;

	if (state_user(role, &uid, &gid, f) == -1)
		return -1;
	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		char path[PATH_MAX];
		struct stat st;
		int fd, rc = 0;

		snprintf(path, sizeof path, "%s/%s%s", state, name, tails[i]);
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
		if (fd == -1)
			return fault_sys(f, path);
		if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
		    st.st_nlink != 1)
			rc = fault_set(f, FAULT_PERM, 0, NULL,
			    "%.150s is not a plain file", path);
		if (rc == 0)
			rc = own_fd(fd, path, uid, group != 0 ? group : gid,
			    0660, f);
		close(fd);
		if (rc == -1)
			return -1;
	}
	return 0;
}

/* One that was handed over: of this state directory? */
static int
check_lock(const char *path, const int *lock_fd, struct fault *f)
{
	struct stat ours, there;

	if (fstat(*lock_fd, &ours) == 0 && stat(path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		return 0;
	return fault_set(f, FAULT_PERM, 0, NULL, "%.150s is not the lock that "
	    "was handed over", path);
}

static int
lock_state(const char *state, int *lock_fd, struct fault *f)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/lock", state);
	if (*lock_fd != -1)
		return check_lock(path, lock_fd, f);
	*lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*lock_fd == -1)
		return fault_sys(f, path);
	if (flock(*lock_fd, LOCK_EX | LOCK_NB) == -1)
		return fault_set(f, FAULT_PERM, 0, NULL, "another Sealane "
		    "runs on the state directory %.150s", state);
	/* For commands that send it a signal. */
	if (ftruncate(*lock_fd, 0) == -1 ||
	    dprintf(*lock_fd, "%d\n", (int)getpid()) < 0)
		return fault_sys(f, path);
	return 0;
}

int
state_policy_files(const char *state, struct fault *f)
{
	if (geteuid() == 0 && check_passable(state, f) == -1)
		return -1;
	return db_files(state, "policy.db", ROLE_POLICY, 0, f);
}

int
state_prepare(const struct conf *conf, int *lock_fd, struct fault *f)
{
	const char *state = conf->state_directory;
	gid_t group = geteuid() == 0 ? group_sealane() : 0;
	int fd, rc;

	if (make_path(state, 0755, f) == -1 ||
	    make_path(conf->control_directory, 0750, f) == -1 ||
	    lock_state(state, lock_fd, f) == -1)
		return -1;
	if (geteuid() == 0 && check_passable(state, f) == -1)
		return -1;
	if (role_directory(state, "spool", ROLE_QUEUE, 0, 0700, f) == -1 ||
	    role_directory(state, "keys", ROLE_KEYS, group, 0750, f) == -1 ||
	    db_files(state, "ledger.db", ROLE_LEDGER, group, f) == -1 ||
	    state_policy_files(state, f) == -1)
		return -1;
	fd = open(conf->control_directory,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return fault_sys(f, conf->control_directory);
	rc = own_fd(fd, conf->control_directory, 0, group, 0750, f);
	close(fd);
	return rc;
}
