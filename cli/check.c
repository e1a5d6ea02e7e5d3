/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/check.c - sealane check: all that can be known before a start.
 *
 * Errors and warnings go to stderr as file:line:column, also those about the
 * machine: each belongs to the key that asks for what is not there.  Nothing
 * is changed, and the relay need not run. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ipc/ipc.h"
#include "cli/check.h"

/* ---- files and directories ---- */

static void
check_file(const struct conf *c, const char *key, const char *path,
    const char *hint, struct conf_notes *notes)
{
	struct conf_place at;

	if (path[0] == '\0' || access(path, R_OK) == 0)
		return;
	conf_where(c, "dns", key, NULL, &at);
	conf_error(notes, at, "%.150s: %s%s", path, strerror(errno), hint);
}

/* Mail goes out without them, though not to hosts that must prove more. */
static void
check_authorities(const struct conf *c, struct conf_notes *notes)
{
	struct conf_place at;

	if (access(c->tls.ca_file, R_OK) == 0)
		return;
	conf_where(c, "tls", "ca-file", NULL, &at);
	conf_warn(notes, at, "%.150s: %s; no policy of MTA-STS can be fetched "
	    "or kept to without it (Debian: package ca-certificates)",
	    c->tls.ca_file, strerror(errno));
}

/* Where a directory is missing, `serve` makes it: can it? */
static void
check_makeable(const char *path, struct conf_place at,
    struct conf_notes *notes)
{
	char part[PATH_MAX];
	char *slash;

	snprintf(part, sizeof part, "%s", path);
	while ((slash = strrchr(part, '/')) != NULL) {
		slash[slash == part ? 1 : 0] = '\0';
		if (access(part, F_OK) == 0)
			break;
		if (slash == part)
			break;
	}
	if (access(part, W_OK | X_OK) == -1)
		conf_warn(notes, at, "%.150s does not exist, and this user may "
		    "not make it; `sealane serve` makes it when started as "
		    "root", path);
}

/* As root, the roles come there under users of their own: each folder on the
 * way must let them pass, of what is there already. */
static void
check_passable(const struct conf *c, struct conf_notes *notes)
{
	char part[PATH_MAX], real[PATH_MAX];
	struct conf_place at;
	struct stat st;
	char *slash;

	if (geteuid() != 0)
		return;
	snprintf(part, sizeof part, "%s", c->state_directory);
	while (realpath(part, real) == NULL) {
		slash = strrchr(part, '/');
		if (slash == NULL || slash == part)
			return;
		*slash = '\0';
	}
	conf_where(c, "state", "directory", NULL, &at);
	while (real[0] == '/' && real[1] != '\0') {
		if (stat(real, &st) == 0 && (st.st_mode & S_IXOTH) == 0) {
			conf_error(notes, at, "%.150s has mode %04o: the "
			    "users of the roles cannot pass it; chmod o+x, or "
			    "take another directory", real,
			    (unsigned)st.st_mode & 07777);
			return;
		}
		*strrchr(real, '/') = '\0';
	}
}

static void
check_directory(const struct conf *c, const char *block, const char *path,
    struct conf_notes *notes)
{
	struct conf_place at;
	struct stat st;

	conf_where(c, block, "directory", NULL, &at);
	if (stat(path, &st) == -1) {
		if (errno == ENOENT)
			check_makeable(path, at, notes);
		else
			conf_error(notes, at, "%.150s: %s", path,
			    strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		conf_error(notes, at, "%.150s is not a directory", path);
		return;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		conf_error(notes, at, "group or others may write %.150s (mode "
		    "%04o); run: chmod go-w %.100s", path,
		    (unsigned)st.st_mode & 07777, path);
	if (geteuid() != 0 && access(path, W_OK | X_OK) == -1)
		conf_warn(notes, at, "%.150s: this user may not write there",
		    path);
	if (geteuid() == 0 && st.st_uid != 0)
		conf_warn(notes, at, "%.150s belongs to uid %u, who could put "
		    "other files there; it should belong to root", path,
		    (unsigned)st.st_uid);
}

/* Private keys are for the role `keys` and its group alone. */
static void
check_keys(const struct conf *c, struct conf_notes *notes)
{
	char path[PATH_MAX];
	struct conf_place at;
	struct stat st;

	snprintf(path, sizeof path, "%.1000s/keys", c->state_directory);
	conf_where(c, "state", "directory", NULL, &at);
	if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		conf_error(notes, at, "%.150s is open to everybody (mode "
		    "%04o), and private keys are in it; run: chmod o= %.100s",
		    path, (unsigned)st.st_mode & 07777, path);
}

static void
check_owner(const struct conf *c, struct conf_notes *notes)
{
	struct conf_place at = { c->file, 1, 1 };
	struct stat st;

	if (geteuid() == 0 && stat(c->file, &st) == 0 && st.st_uid != 0)
		conf_warn(notes, at, "the file belongs to uid %u, who thereby "
		    "commands what starts as root", (unsigned)st.st_uid);
}

/* ---- ports ---- */

/* Does something answer on a control socket?  One that only refuses us is
 * there too. */
static bool
seems_running(const struct conf *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = false;

	if (fd == -1)
		return false;
	if (snprintf(sun.sun_path, sizeof sun.sun_path, "%s/%s",
	    c->control_directory, role_name(ROLE_QUEUE)) <
	    (int)sizeof sun.sun_path)
		yes = connect(fd, (struct sockaddr *)&sun, sizeof sun) == 0 ||
		    errno == EACCES;
	close(fd);
	return yes;
}

/* As the parent binds it, but without listening: no client notices. */
static int
try_bind(const struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(a, &ss);
	int on = 1, off = 0, err = 0;
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a->family == 6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, (struct sockaddr *)&ss, len) == -1)
		err = errno;
	close(fd);
	return err;
}

static void
check_port(const struct conf *c, const struct conf_listen *l,
    struct conf_notes *notes)
{
	char text[ADDR_TEXT_SIZE];
	struct conf_place at;
	int err = try_bind(&l->address);

	if (err == 0)
		return;
	if (!conf_where(c, "listen", "address", l->label, &at))
		conf_where(c, "", "listen", l->label, &at);
	addr_text(&l->address, text);
	if (err == EADDRINUSE && seems_running(c))
		printf("port: %s is in use, by the running Sealane it seems\n",
		    text);
	else if (err == EADDRINUSE)
		conf_error(notes, at, "%s is in use by another program; "
		    "`ss -ltnp` says which", text);
	else if (err == EACCES)
		conf_warn(notes, at, "%s: this user may not listen on ports "
		    "below 1024; start as root", text);
	else if (err == EADDRNOTAVAIL || err == EAFNOSUPPORT)
		conf_error(notes, at, "%s: no interface of this machine has "
		    "that address", text);
	else
		conf_error(notes, at, "%s: %s", text, strerror(err));
}

/* ---- all of it ---- */

static void
check_machine(const struct conf *c, struct conf_notes *notes)
{
	check_owner(c, notes);
	check_directory(c, "state", c->state_directory, notes);
	check_directory(c, "control", c->control_directory, notes);
	check_passable(c, notes);
	check_keys(c, notes);
	check_file(c, "trust-anchor-file", c->dns.trust_anchor_file,
	    "; Debian has it in the package dns-root-data", notes);
	check_file(c, "root-hints", c->dns.root_hints, "", notes);
	check_authorities(c, notes);
	check_certs(c, notes);
	check_dns(c, notes);
	for (size_t i = 0; i < c->nlistens; i++)
		check_port(c, &c->listens[i], notes);
	check_isolation(c, notes);
}

static int
verdict(const struct conf_notes *notes, bool strict)
{
	size_t warnings = 0;

	for (size_t i = 0; i < notes->n; i++)
		warnings += notes->v[i].warning;
	printf("%s: %zu %s, %zu %s\n", cli_conf_path(), notes->nerrors,
	    notes->nerrors == 1 ? "error" : "errors", warnings,
	    warnings == 1 ? "warning" : "warnings");
	return notes->nerrors > 0 || (strict && warnings > 0) ? CLI_BAD :
	    CLI_OK;
}

int
cli_check(const struct conf *unused, int argc, char **argv)
{
	static const struct option options[] = {
		{ "strict", no_argument, NULL, 's' },
		/* Prints the key table of sealane.conf(5), for its test. */
		{ "print-schema", no_argument, NULL, 'S' },
		{ NULL, 0, NULL, 0 }
	};
	struct conf_notes notes = { 0 };
	bool strict = false;
	struct conf *c;
	int o, rc;

	(void)unused;
	optind = 1;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'S') {
			cli_schema_mdoc(stdout);
			return CLI_OK;
		}
		if (o != 's')
			return CLI_USAGE;
		strict = true;
	}
	if (optind < argc)
		return cli_usage("check takes no argument `%s`", argv[optind]);
	c = conf_load(cli_conf_path(), &notes, NULL);
	if (c != NULL) {
		conf_review(c, &notes);
		check_machine(c, &notes);
	}
	fflush(stdout);
	conf_notes_print(&notes, stderr);
	rc = verdict(&notes, strict);
	conf_free(&c);
	conf_notes_free(&notes);
	return rc;
}
