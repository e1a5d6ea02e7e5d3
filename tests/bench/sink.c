/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/bench/sink.c - an SMTP server that takes everything, by STARTTLS or in
 * clear, and keeps nothing but the count.
 *
 *	load_sink [-1t] [-a ADDRESS] [-p PORT] [-k PEM] [-w SECONDS] [-d MS]
 *	    -n MESSAGES
 *
 * Ends when it has MESSAGES, or after SECONDS, and prints
 * `got=N tls=N connections=N resumed=N end_us=T`: messages, those of them by
 * TLS, sessions that went on from earlier ones, and when the last message came
 * (CLOCK_MONOTONIC).  PEM holds key and certificate; without it STARTTLS is not
 * offered.  -1: one message over each connection; -t: with session tickets;
 * -d: it waits MS before the reply to each message.
 * Exit 1 when messages are missing. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "tests/bench/wire.h"

static gnutls_certificate_credentials_t creds;	/* NULL: no STARTTLS */
static gnutls_priority_t prio;
static gnutls_datum_t tickets;
static bool once;
static unsigned long want, patience = 300, delay_ms;
static atomic_ulong got, by_tls, connections, resumed;
static atomic_llong last_us;

static int
say(struct wire *w, const char *text)
{
	return wire_write(w, text, strlen(text));
}

/* Reads up to CRLF.CRLF; the state is how much of it was seen.  The CRLF of
 * the DATA line counts as the first. */
static int
take_body(struct wire *w)
{
	static const char end[] = "\r\n.\r\n";
	size_t state = 2, n, i;
	const char *p;

	while ((n = wire_some(w, &p, 65536)) > 0) {
		for (i = 0; i < n; i++) {
			if (p[i] == end[state])
				state++;
			else
				state = p[i] == '\r' ? 1 : 0;
			if (state == sizeof(end) - 1) {
				w->used -= n - i - 1;
				return 0;
			}
		}
	}
	return -1;
}

static int
data(struct wire *w)
{
	if (say(w, "354 Go\r\n") == -1 || take_body(w) == -1)
		return -1;
	if (delay_ms > 0)
		(void)usleep((useconds_t)(delay_ms * 1000));
	atomic_store(&last_us, now_us());
	if (w->tls != NULL)
		atomic_fetch_add(&by_tls, 1);
	atomic_fetch_add(&got, 1);
	return say(w, "250 2.0.0 Ok\r\n");
}

static int
ehlo(struct wire *w)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "250-sink.example.org\r\n"
	    "250-PIPELINING\r\n250-SIZE 104857600\r\n%s%s250 8BITMIME\r\n",
	    creds != NULL && w->tls == NULL ? "250-STARTTLS\r\n" : "",
	    once ? "250-LIMITS MAILMAX=1\r\n" : "");	/* RFC 9422 */
	return say(w, text);
}

static int
starttls(struct wire *w)
{
	if (creds == NULL || w->tls != NULL)
		return say(w, "502 5.5.1 No\r\n");
	if (say(w, "220 2.0.0 Ready\r\n") == -1)
		return -1;
	if (wire_shake(w, GNUTLS_SERVER, creds, prio,
	    tickets.data != NULL ? &tickets : NULL) == -1)
		return -1;
	if (gnutls_session_is_resumed(w->tls))
		atomic_fetch_add(&resumed, 1);
	return 0;
}

static int
quit(struct wire *w)
{
	(void)say(w, "221 2.0.0 Bye\r\n");
	return -1;
}

static int
fine(struct wire *w)
{
	return say(w, "250 2.0.0 Ok\r\n");
}

static const struct {
	const char	*verb;
	int		(*run)(struct wire *);
} verbs[] = {
	{ "DATA", data }, { "EHLO", ehlo }, { "HELO", fine }, { "MAIL", fine },
	{ "NOOP", fine }, { "QUIT", quit }, { "RCPT", fine }, { "RSET", fine },
	{ "STARTTLS", starttls },
};

static int
command(struct wire *w, const char *line)
{
	size_t i, n;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		n = strlen(verbs[i].verb);
		if (strncasecmp(line, verbs[i].verb, n) == 0 &&
		    (line[n] == '\0' || line[n] == ' '))
			return verbs[i].run(w);
	}
	return say(w, "502 5.5.1 What?\r\n");
}

static void *
connection_thread(void *arg)
{
	struct wire *w = arg;
	const char *line;

	if (say(w, "220 sink.example.org ESMTP\r\n") == 0)
		while ((line = wire_line(w)) != NULL)
			if (command(w, line) == -1)
				break;
	wire_close(w);
	free(w);
	return NULL;
}

static void *
accept_thread(void *arg)
{
	int fd, listener = *(int *)arg;
	pthread_attr_t attr;
	pthread_t thread;
	struct wire *w;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd == -1)
			continue;
		if ((w = malloc(sizeof(*w))) == NULL) {
			(void)close(fd);
			continue;
		}
		wire_open(w, fd);
		atomic_fetch_add(&connections, 1);
		if (pthread_create(&thread, &attr, connection_thread, w) != 0) {
			wire_close(w);
			free(w);
		}
	}
	return NULL;
}

static int
listen_at(struct sockaddr_in *at)
{
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1 || bind(fd, (struct sockaddr *)at,
	    sizeof(*at)) == -1 || listen(fd, 1024) == -1) {
		perror("load_sink");
		exit(71);
	}
	return fd;
}

static void
load_pem(const char *pem)
{
	if (gnutls_certificate_allocate_credentials(&creds) != 0 ||
	    gnutls_certificate_set_x509_key_file(creds, pem, pem,
	    GNUTLS_X509_FMT_PEM) < 0 ||
	    gnutls_priority_init(&prio, "NORMAL", NULL) != 0) {
		fprintf(stderr, "load_sink: %s: no usable key and certificate\n",
		    pem);
		exit(66);
	}
}

static void
options(int argc, char **argv, struct sockaddr_in *at)
{
	int c;

	while ((c = getopt(argc, argv, "1a:d:p:k:n:tw:")) != -1) {
		switch (c) {
		case '1': once = true; break;
		case 'a':
			if (inet_pton(AF_INET, optarg, &at->sin_addr) == 1)
				break;
			want = 0;
			optind = argc;
			break;
		case 'p':
			at->sin_port = htons((uint16_t)number(optarg, 1, 65535));
			break;
		case 'd': delay_ms = number(optarg, 0, 3600000); break;
		case 'k': load_pem(optarg); break;
		case 'n': want = number(optarg, 1, 100000000); break;
		case 't':
			if (gnutls_session_ticket_key_generate(&tickets) != 0)
				exit(71);
			break;
		case 'w': patience = number(optarg, 1, 86400); break;
		default: want = 0; optind = argc;
		}
	}
	if (want == 0 || optind != argc) {
		fprintf(stderr, "usage: load_sink [-1t] [-a address] [-p port]"
		    " [-k pem] [-w seconds] [-d ms] -n messages\n");
		exit(64);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(2626),
		.sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) },
	};
	pthread_t acceptor;
	int64_t end;
	int listener;

	options(argc, argv, &at);
	(void)signal(SIGPIPE, SIG_IGN);
	listener = listen_at(&at);
	if (pthread_create(&acceptor, NULL, accept_thread, &listener) != 0)
		return 71;
	printf("ready\n");
	(void)fflush(stdout);
	end = now_us() + (int64_t)patience * 1000000;
	while (atomic_load(&got) < want && now_us() < end)
		(void)usleep(5000);
	/* The last replies are on their way; doubled messages would still come. */
	(void)usleep(300000);
	printf("got=%lu tls=%lu connections=%lu resumed=%lu end_us=%lld\n",
	    got, by_tls, connections, resumed, (long long)last_us);
	(void)fflush(stdout);
	/* Threads still serve connections: no clean-up under them. */
	_exit(atomic_load(&got) >= want ? 0 : 1);
}
