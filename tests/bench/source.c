/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/bench/source.c - load source: parallel SMTP sessions that hand in
 * messages, with STARTTLS unless told not to.
 *
 *	load_source [-C] [-a ADDRESS] [-p PORT] [-n MESSAGES] [-c SESSIONS]
 *	    [-m MESSAGES-PER-SESSION] [-s SIZE] [-f SENDER] [-t RECIPIENT]
 *
 * Prints `sent=N failed=N handshakes=N start_us=T seconds=S`; exit 1 when a
 * message failed.  No retries: what fails is counted. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "tests/bench/wire.h"

static struct {
	struct sockaddr_in	 to;
	unsigned long		 messages, sessions, per_session, size;
	const char		*sender, *rcpt;
	bool			 clear;
	char			*body;
	size_t			 body_len;
} opt = {
	.messages = 1000, .sessions = 10, .per_session = 20, .size = 4096,
	.sender = "load@home.example.org", .rcpt = "sink@sink.example.org",
};
static gnutls_certificate_credentials_t creds;
static gnutls_priority_t prio;
static atomic_ulong taken, sent, failed, handshakes;

/* Lines of 76 bytes up to the size asked for, the final dot behind them. */
static int
make_body(void)
{
	static const char head[] = "From: <load@home.example.org>\r\n"
	    "Subject: load\r\nMessage-Id: <load@home.example.org>\r\n\r\n";
	static const char line[] = "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab\r\n";
	size_t room = opt.size + sizeof(head) + sizeof(line) + 3, n;

	if ((opt.body = malloc(room)) == NULL)
		return -1;
	memcpy(opt.body, head, n = sizeof(head) - 1);
	while (n < opt.size) {
		memcpy(opt.body + n, line, sizeof(line) - 1);
		n += sizeof(line) - 1;
	}
	memcpy(opt.body + n, ".\r\n", 3);
	opt.body_len = n + 3;
	return 0;
}

static int
greet(struct wire *w)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	wire_open(w, fd);
	if (fd == -1 || connect(fd, (const struct sockaddr *)&opt.to,
	    sizeof(opt.to)) == -1 || wire_reply(w) != 220 ||
	    wire_command(w, "EHLO source.example.org") != 250)
		return -1;
	if (opt.clear)
		return 0;
	if (wire_command(w, "STARTTLS") != 220 ||
	    wire_shake(w, GNUTLS_CLIENT, creds, prio, NULL) == -1)
		return -1;
	atomic_fetch_add(&handshakes, 1);
	return wire_command(w, "EHLO source.example.org") == 250 ? 0 : -1;
}

static int
hand_in(struct wire *w)
{
	char line[400];

	(void)snprintf(line, sizeof(line), "MAIL FROM:<%s>", opt.sender);
	if (wire_command(w, line) != 250)
		return -1;
	(void)snprintf(line, sizeof(line), "RCPT TO:<%s>", opt.rcpt);
	if (wire_command(w, line) != 250 || wire_command(w, "DATA") != 354)
		return -1;
	if (wire_write(w, opt.body, opt.body_len) == -1)
		return -1;
	return wire_reply(w) == 250 ? 0 : -1;
}

static void *
session_thread(void *arg)
{
	struct wire *w = arg;
	unsigned long in_session = 0;
	bool up = false;

	while (atomic_fetch_add(&taken, 1) < opt.messages) {
		if (!up && greet(w) == 0)
			up = true;
		if (up && hand_in(w) == 0) {
			atomic_fetch_add(&sent, 1);
		} else {
			atomic_fetch_add(&failed, 1);
			wire_close(w);
			up = false;
		}
		if (up && ++in_session % opt.per_session == 0) {
			(void)wire_command(w, "QUIT");
			wire_close(w);
			up = false;
		}
	}
	if (up)
		(void)wire_command(w, "QUIT");
	wire_close(w);
	return NULL;
}

static void
usage(void)
{
	fprintf(stderr, "usage: load_source [-C] [-a address] [-p port]"
	    " [-n messages] [-c sessions]\n    [-m messages-per-session]"
	    " [-s size] [-f sender] [-t recipient]\n");
	exit(64);
}

static void
options(int argc, char **argv)
{
	int c;

	opt.to.sin_family = AF_INET;
	opt.to.sin_port = htons(2525);
	opt.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while ((c = getopt(argc, argv, "Ca:p:n:c:m:s:f:t:")) != -1) {
		switch (c) {
		case 'C': opt.clear = true; break;
		case 'a':
			if (inet_pton(AF_INET, optarg, &opt.to.sin_addr) != 1)
				usage();
			break;
		case 'p':
			opt.to.sin_port = htons((uint16_t)number(optarg, 1, 65535));
			break;
		case 'n': opt.messages = number(optarg, 1, 100000000); break;
		case 'c': opt.sessions = number(optarg, 1, 2000); break;
		case 'm': opt.per_session = number(optarg, 1, 1000000); break;
		case 's': opt.size = number(optarg, 1, 100000000); break;
		case 'f': opt.sender = optarg; break;
		case 't': opt.rcpt = optarg; break;
		default: usage();
		}
	}
	if (optind != argc)
		usage();
}

int
main(int argc, char **argv)
{
	struct wire *wires;
	pthread_t *threads;
	int64_t start;
	unsigned long i, n;

	options(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	wires = calloc(opt.sessions, sizeof(*wires));
	threads = calloc(opt.sessions, sizeof(*threads));
	if (wires == NULL || threads == NULL || make_body() == -1 ||
	    gnutls_certificate_allocate_credentials(&creds) != 0 ||
	    gnutls_priority_init(&prio, "NORMAL", NULL) != 0) {
		fprintf(stderr, "load_source: out of memory\n");
		return 71;
	}
	start = now_us();
	for (n = 0; n < opt.sessions; n++) {
		wires[n].fd = -1;
		if (pthread_create(&threads[n], NULL, session_thread,
		    &wires[n]) != 0)
			break;
	}
	for (i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	printf("sent=%lu failed=%lu handshakes=%lu start_us=%lld seconds=%.3f\n",
	    sent, failed, handshakes, (long long)start,
	    (double)(now_us() - start) / 1e6);
	gnutls_priority_deinit(prio);
	gnutls_certificate_free_credentials(creds);
	free(opt.body);
	free(threads);
	free(wires);
	return failed == 0 && sent == opt.messages ? 0 : 1;
}
