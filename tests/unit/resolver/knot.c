/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/resolver/knot.h"

/* The package is installed, or unpacked under $KNOT_ROOT with its libraries in
 * $KNOT_LIBS, as scripts/test has it: tests install no DNS server. */
static void
program(const char *name, char out[512])
{
	const char *root = getenv("KNOT_ROOT"), *libs = getenv("KNOT_LIBS");

	snprintf(out, 512, "%s/usr/sbin/%s", root == NULL ? "" : root, name);
	if (libs != NULL)
		setenv("LD_LIBRARY_PATH", libs, 1);
}

static const char conf_text[] =
    "server:\n"
    "    rundir: \"%1$s\"\n"
    "    listen: 127.0.0.1@%2$u\n"
    "    udp-workers: 1\n"
    "    tcp-workers: 1\n"
    "    background-workers: 1\n"
    "log:\n"
    "  - target: \"%1$s/log\"\n"
    "    any: info\n"
    "database:\n"
    "    storage: \"%1$s/db\"\n"
    "    journal-db-max-size: 20M\n"
    "    kasp-db-max-size: 20M\n"
    "    timer-db-max-size: 20M\n"
    "template:\n"
    "  - id: default\n"
    "    storage: \"%1$s\"\n"
    "    zonefile-sync: -1\n"
    "    zonefile-load: difference-no-serial\n"
    "    journal-content: all\n"
    "zone:\n"
    "  - domain: plain.example.org\n"
    "    file: plain.zone\n"
    "  - domain: signed.example.org\n"
    "    file: signed.zone\n"
    "    dnssec-signing: on\n";

static const char zone_text[] =
    "$TTL 300\n"
    "@ SOA ns.%s.example.org. root.%s.example.org. 1 7200 3600 86400 60\n"
    "@ NS ns\n"
    "@ MX 20 mx2\n"
    "@ MX 10 mx1\n"
    "ns A 127.0.0.1\n"
    "mx1 A 192.0.2.1\n"
    "mx1 AAAA 2001:db8::1\n"
    "mx2 A 192.0.2.2\n"
    "alias CNAME mx1\n"
    "out CNAME mx1.plain.example.org.\n"
    "null MX 0 .\n"
    "*.wild A 192.0.2.9\n";

static void
file_write(const struct knot *k, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	f = fopen(path, "w");
	assert(f != NULL);
	fputs(text, f);
	fclose(f);
}

/* With a set of addresses too large for UDP. */
static void
zone_write(const struct knot *k, const char *zone)
{
	char text[4096], name[32];
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), zone_text, zone, zone);
	for (int i = 1; i <= 120; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "big A 192.0.2.%d\n", i);
	assert(n < sizeof(text));
	snprintf(name, sizeof(name), "%s.zone", zone);
	file_write(k, name, text);
}

int
udp_socket(uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert(fd != -1);
	assert(bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0);
	assert(getsockname(fd, (struct sockaddr *)&in, &len) == 0);
	*port = ntohs(in.sin_port);
	return fd;
}

/* Does the server answer "signed.example.org DNSKEY" with records yet? */
static int
answers(const struct knot *k)
{
	static const char q[] = "\x12\x34\0\0\0\1\0\0\0\0\0\0"
	    "\6signed\7example\3org\0\0\x30\0\1";
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(k->port) };
	struct timeval limit = { .tv_usec = 100000 };
	unsigned char a[4096];
	ssize_t n = -1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert(fd != -1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0 &&
	    send(fd, q, sizeof(q) - 1, 0) == sizeof(q) - 1)
		n = recv(fd, a, sizeof(a), 0);
	close(fd);
	return n > 12 && (a[3] & 15) == 0 && a[7] > 0;
}

static void
nap(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

void
knot_again(struct knot *k)
{
	char conf[96], path[512];
	pid_t me = getpid();

	snprintf(conf, sizeof(conf), "%s/knot.conf", k->dir);
	k->pid = fork();
	assert(k->pid != -1);
	if (k->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != me)
			_exit(1);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		program("knotd", path);
		execl(path, "knotd", "-c", conf, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 150 && !answers(k); i++)
		nap(100);
	assert(answers(k));
}

/* The signed zone's DS records, which are what a parent zone would hold. */
static void
anchor_write(struct knot *k)
{
	char cmd[1024], path[512], line[512], text[2048] = "", *digest;
	FILE *p;

	snprintf(k->anchor, sizeof(k->anchor), "%s/anchor", k->dir);
	snprintf(k->wrong, sizeof(k->wrong), "%s/wrong", k->dir);
	program("keymgr", path);
	snprintf(cmd, sizeof(cmd),
	    "%s -c %s/knot.conf signed.example.org ds 2>/dev/null", path, k->dir);
	p = popen(cmd, "r");
	assert(p != NULL);
	while (fgets(line, sizeof(line), p) != NULL)
		if (strstr(line, " DS ") != NULL && strstr(line, " 13 2 ") != NULL)
			snprintf(text, sizeof(text), "%s", line);
	assert(pclose(p) == 0 && text[0] != '\0');
	file_write(k, "anchor", text);
	digest = strstr(text, " 13 2 ") + 6;
	*digest = *digest == '0' ? '1' : '0';
	file_write(k, "wrong", text);
}

int
knot_start(struct knot *k)
{
	char text[2048], path[512];

	program("knotd", path);
	if (access(path, X_OK) == -1)
		return -1;
	program("keymgr", path);
	if (access(path, X_OK) == -1)
		return -1;
	*k = (struct knot){ .dir = "/tmp/sealane-knot-XXXXXX" };
	assert(mkdtemp(k->dir) != NULL);
	snprintf(text, sizeof(text), "%s/db", k->dir);
	assert(mkdir(text, 0700) == 0);
	close(udp_socket(&k->port));
	snprintf(text, sizeof(text), conf_text, k->dir, k->port);
	file_write(k, "knot.conf", text);
	zone_write(k, "plain");
	zone_write(k, "signed");
	knot_again(k);
	anchor_write(k);
	return 0;
}

void
knot_kill(struct knot *k)
{
	if (k->pid == 0)
		return;
	kill(k->pid, SIGKILL);
	waitpid(k->pid, NULL, 0);
	k->pid = 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st, (void)type, (void)w;
	return remove(path);
}

void
knot_remove(struct knot *k)
{
	knot_kill(k);
	nftw(k->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
