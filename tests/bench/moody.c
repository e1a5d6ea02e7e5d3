/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/bench/moody.c - many SMTP servers that are honest and have bad days:
 * now and then one resets a connection, falls silent, answers 4xx or starts anew,
 * at any step.  STARTTLS itself fails only where it works a moment later.
 *
 *	load_moody [-a FIRST-ADDRESS] [-h HOSTS] [-f PERMILLE] [-s PERMILLE]
 *	    -k PEM [-k PEM]...
 *
 * HOSTS addresses in a row, port 25.  -f: of connections that fail at a step
 * that is not STARTTLS; -s: of those that fail there.  At each new start a host
 * has the next of the PEMs: a renewed certificate or a new key.  Ends at SIGTERM
 * and prints `connections=N messages=N failed=N starttls=N starts=N clear=N`,
 * clear being messages that came without TLS. */
#include <poll.h>
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

#define HOSTS_MAX	256
#define PEMS_MAX	16
#define CALM_US		5000000		/* between two failures of STARTTLS */
#define DOWN_US		300000		/* of a start */

enum step { GREETING, EHLO, STARTTLS, HANDSHAKE, EHLO_TLS, MAIL, RCPT, DATA,
	BODY, DOT, STEPS, NEVER = STEPS };
enum mood { SILENT, RESET, CLOSES, SAYS_4XX, SAYS_421, STARTS, MOODS };

struct host {
	int		listener;
	atomic_uint	starts;
	atomic_llong	calm_until, down_until;
};

struct visit {
	struct wire	wire;
	struct host	*host;
	enum step	step;		/* at which it fails */
	enum mood	mood;
};

static struct {
	struct sockaddr_in	first;
	unsigned long		hosts, faults, starttls;
	gnutls_certificate_credentials_t creds[PEMS_MAX];
	unsigned		npems;
} opt = { .hosts = 1, .faults = 100, .starttls = 10 };
static struct host hosts[HOSTS_MAX];
static gnutls_priority_t prio;
static atomic_ulong connections, messages, in_clear, failed, failed_starttls;

/* ---- moods ---- */

static unsigned
chance(unsigned n)
{
	static _Thread_local uint64_t x;
	static atomic_ullong seed = 88172645463325252ull;

	if (x == 0)
		x = atomic_fetch_add(&seed, 0x9e3779b97f4a7c15ull) | 1;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x >> 33) % n;
}

/* And stays so for a while, for whoever comes back. */
static bool
is_calm(struct host *h, long long now)
{
	long long until = atomic_load(&h->calm_until);

	return now >= until && atomic_compare_exchange_strong(&h->calm_until,
	    &until, now + CALM_US);
}

static void
choose_mood(struct visit *v)
{
	int64_t now = now_us();

	v->step = NEVER;
	v->mood = (enum mood)chance(MOODS);
	if (chance(1000) < opt.starttls && is_calm(v->host, now)) {
		v->step = chance(2) == 0 ? STARTTLS : HANDSHAKE;
	} else if (chance(1000) < opt.faults) {
		do
			v->step = (enum step)chance(STEPS);
		while (v->step == STARTTLS || v->step == HANDSHAKE);
	}
}

static void
reset(struct wire *w)
{
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	if (w->tls != NULL)
		gnutls_deinit(w->tls);
	w->tls = NULL;
	(void)setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(w->fd);
	w->fd = -1;
}

/* Until the other side has had enough. */
static void
be_silent(struct wire *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLRDHUP };

	(void)poll(&p, 1, 30000);
}

static int
say(struct wire *w, const char *text)
{
	return wire_write(w, text, strlen(text));
}

/* Fails here, if it is to fail here: 1 no; 0 it was refused for now; -1 the
 * connection is over. */
static int
at(struct visit *v, enum step step)
{
	bool mute = step == BODY || step == HANDSHAKE;	/* no reply is due */

	if (v->step != step)
		return 1;
	v->step = NEVER;
	atomic_fetch_add(step == STARTTLS || step == HANDSHAKE ?
	    &failed_starttls : &failed, 1);
	switch (v->mood) {
	case SILENT:
		be_silent(&v->wire);
		return -1;
	case SAYS_4XX:
		return mute ? -1 : say(&v->wire, step == STARTTLS ?
		    "454 4.7.0 Not now\r\n" : "451 4.3.0 Not now\r\n");
	case SAYS_421:
		return mute ? -1 : say(&v->wire, "421 4.3.2 Bye\r\n") - 1;
	case STARTS:
		atomic_store(&v->host->down_until, now_us() + DOWN_US);
		atomic_fetch_add(&v->host->starts, 1);
		/* FALLTHROUGH */
	case RESET:
		reset(&v->wire);
		return -1;
	default:
		return -1;
	}
}

/* ---- commands: -1 ends the connection ---- */

static int
answer(struct visit *v, enum step step, const char *text)
{
	int rc = at(v, step);

	return rc == 1 && say(&v->wire, text) == -1 ? -1 : rc;
}

static int
ehlo(struct visit *v)
{
	return v->wire.tls != NULL ?
	    answer(v, EHLO_TLS, "250-moody.example\r\n250-PIPELINING\r\n"
	    "250 LIMITS MAILMAX=1\r\n") :
	    answer(v, EHLO, "250-moody.example\r\n250-PIPELINING\r\n"
	    "250-STARTTLS\r\n250 LIMITS MAILMAX=1\r\n");
}

static int
starttls(struct visit *v)
{
	unsigned which = atomic_load(&v->host->starts) % opt.npems;
	int rc = answer(v, STARTTLS, "220 2.0.0 Ready\r\n");

	if (rc != 1)
		return rc;
	if (at(v, HANDSHAKE) != 1)
		return -1;
	return wire_shake(&v->wire, GNUTLS_SERVER, opt.creds[which], prio,
	    NULL);
}

static int
take_body(struct wire *w)
{
	const char *line;

	while ((line = wire_line(w)) != NULL)
		if (strcmp(line, ".") == 0)
			return 0;
	return -1;
}

static int
data(struct visit *v)
{
	int rc = answer(v, DATA, "354 Go\r\n");

	if (rc != 1)
		return rc;
	if (at(v, BODY) != 1 || take_body(&v->wire) == -1)
		return -1;
	atomic_fetch_add(&messages, 1);
	if (v->wire.tls == NULL)
		atomic_fetch_add(&in_clear, 1);
	return answer(v, DOT, "250 2.0.0 Ok\r\n");
}

static int
command(struct visit *v, const char *line)
{
	if (strncasecmp(line, "EHLO", 4) == 0)
		return ehlo(v);
	if (strncasecmp(line, "STARTTLS", 8) == 0)
		return starttls(v);
	if (strncasecmp(line, "MAIL", 4) == 0)
		return answer(v, MAIL, "250 2.1.0 Ok\r\n");
	if (strncasecmp(line, "RCPT", 4) == 0)
		return answer(v, RCPT, "250 2.1.5 Ok\r\n");
	if (strncasecmp(line, "DATA", 4) == 0)
		return data(v);
	if (strncasecmp(line, "QUIT", 4) == 0)
		return say(&v->wire, "221 2.0.0 Bye\r\n") - 1;
	return say(&v->wire, strncasecmp(line, "RSET", 4) == 0 ||
	    strncasecmp(line, "HELO", 4) == 0 ? "250 2.0.0 Ok\r\n" :
	    "502 5.5.1 What?\r\n");
}

/* ---- connections ---- */

static void *
visit_thread(void *arg)
{
	struct visit *v = arg;
	const char *line;

	choose_mood(v);
	if (answer(v, GREETING, "220 moody.example ESMTP\r\n") == 1)
		while ((line = wire_line(&v->wire)) != NULL)
			if (command(v, line) < 0)
				break;
	wire_close(&v->wire);
	free(v);
	return NULL;
}

static void
welcome(struct host *h, int fd, const pthread_attr_t *attr)
{
	struct visit *v = malloc(sizeof(*v));
	pthread_t thread;

	if (v == NULL) {
		(void)close(fd);
		return;
	}
	wire_open(&v->wire, fd);
	v->host = h;
	atomic_fetch_add(&connections, 1);
	if (now_us() < atomic_load(&h->down_until)) {
		reset(&v->wire);
		free(v);
	} else if (pthread_create(&thread, attr, visit_thread, v) != 0) {
		wire_close(&v->wire);
		free(v);
	}
}

static void *
accept_thread(void *arg)
{
	pthread_attr_t attr;
	int fd;

	(void)arg;
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, 256 * 1024);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (;;) {
		struct pollfd p[HOSTS_MAX];

		for (unsigned long i = 0; i < opt.hosts; i++)
			p[i] = (struct pollfd){ .fd = hosts[i].listener,
			    .events = POLLIN };
		(void)poll(p, opt.hosts, -1);
		for (unsigned long i = 0; i < opt.hosts; i++)
			if ((p[i].revents & POLLIN) != 0 && (fd = accept4(
			    p[i].fd, NULL, NULL, SOCK_CLOEXEC)) != -1)
				welcome(&hosts[i], fd, &attr);
	}
	return NULL;
}

static void
listen_at(struct host *h, unsigned long which)
{
	struct sockaddr_in to = opt.first;
	int on = 1;

	to.sin_addr.s_addr = htonl(ntohl(to.sin_addr.s_addr) + (uint32_t)which);
	h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (h->listener == -1 || setsockopt(h->listener, SOL_SOCKET,
	    SO_REUSEADDR, &on, sizeof(on)) == -1 || bind(h->listener,
	    (struct sockaddr *)&to, sizeof(to)) == -1 ||
	    listen(h->listener, 1024) == -1) {
		perror("load_moody");
		exit(71);
	}
}

static void
load_pem(const char *pem)
{
	gnutls_certificate_credentials_t *c = &opt.creds[opt.npems];

	if (opt.npems == PEMS_MAX ||
	    gnutls_certificate_allocate_credentials(c) != 0 ||
	    gnutls_certificate_set_x509_key_file(*c, pem, pem,
	    GNUTLS_X509_FMT_PEM) < 0) {
		(void)fprintf(stderr, "load_moody: %s: no usable key and "
		    "certificate\n", pem);
		exit(66);
	}
	opt.npems++;
}

static void
options(int argc, char **argv)
{
	bool good = true;
	int c;

	opt.first.sin_family = AF_INET;
	opt.first.sin_port = htons(25);
	opt.first.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while ((c = getopt(argc, argv, "a:f:h:k:s:")) != -1) {
		switch (c) {
		case 'a':
			good = inet_pton(AF_INET, optarg,
			    &opt.first.sin_addr) == 1;
			break;
		case 'f': opt.faults = number(optarg, 0, 1000); break;
		case 'h': opt.hosts = number(optarg, 1, HOSTS_MAX); break;
		case 'k': load_pem(optarg); break;
		case 's': opt.starttls = number(optarg, 0, 1000); break;
		default: good = false;
		}
	}
	if (!good || optind != argc || opt.npems == 0) {
		(void)fprintf(stderr, "usage: load_moody [-a first-address]"
		    " [-h hosts] [-f permille] [-s permille] -k pem ...\n");
		exit(64);
	}
}

int
main(int argc, char **argv)
{
	unsigned long starts = 0;
	pthread_t acceptor;
	sigset_t end;
	int sig;

	options(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &end, NULL);
	if (gnutls_priority_init(&prio, "NORMAL", NULL) != 0)
		return 71;
	for (unsigned long i = 0; i < opt.hosts; i++)
		listen_at(&hosts[i], i);
	if (pthread_create(&acceptor, NULL, accept_thread, NULL) != 0)
		return 71;
	(void)sigwait(&end, &sig);
	for (unsigned long i = 0; i < opt.hosts; i++)
		starts += atomic_load(&hosts[i].starts);
	(void)printf("connections=%lu messages=%lu failed=%lu starttls=%lu "
	    "starts=%lu clear=%lu\n", atomic_load(&connections),
	    atomic_load(&messages), atomic_load(&failed),
	    atomic_load(&failed_starttls), starts, atomic_load(&in_clear));
	return 0;
}
