/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "tests/bench/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#define PATIENCE	60	/* seconds without a byte */

void
wire_open(struct wire *w, int fd)
{
	struct timeval tv = { .tv_sec = PATIENCE };
	int on = 1;

	w->fd = fd;
	w->tls = NULL;
	w->have = w->used = 0;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

void
wire_close(struct wire *w)
{
	if (w->tls != NULL) {
		(void)gnutls_bye(w->tls, GNUTLS_SHUT_WR);
		gnutls_deinit(w->tls);
		w->tls = NULL;
	}
	if (w->fd != -1)
		(void)close(w->fd);
	w->fd = -1;
}

int
wire_shake(struct wire *w, unsigned flags,
    gnutls_certificate_credentials_t creds, gnutls_priority_t prio,
    const gnutls_datum_t *tickets)
{
	int rc;

	if (wire_buffered(w) || gnutls_init(&w->tls, flags) != 0)
		return -1;
	if (gnutls_priority_set(w->tls, prio) != 0 ||
	    gnutls_credentials_set(w->tls, GNUTLS_CRD_CERTIFICATE, creds) != 0)
		return -1;
	if (tickets != NULL &&
	    gnutls_session_ticket_enable_server(w->tls, tickets) != 0)
		return -1;
	gnutls_transport_set_int(w->tls, w->fd);
	do
		rc = gnutls_handshake(w->tls);
	while (rc != 0 && !gnutls_error_is_fatal(rc));
	return rc == 0 ? 0 : -1;
}

/* GnuTLS answers E_AGAIN also when it has taken a session ticket and no data
 * yet, on a blocking socket too.  A real timeout answers the same: hence the
 * bound. */
static ssize_t
receive(struct wire *w, void *to, size_t room)
{
	ssize_t n;
	int tries = 0;

	if (w->tls == NULL) {
		while ((n = recv(w->fd, to, room, 0)) == -1 && errno == EINTR)
			;
		return n;
	}
	do
		n = gnutls_record_recv(w->tls, to, room);
	while ((n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) &&
	    ++tries < 16);
	return n;
}

static ssize_t
fill(struct wire *w)
{
	ssize_t n;

	if (w->used > 0) {
		memmove(w->buf, w->buf + w->used, w->have - w->used);
		w->have -= w->used;
		w->used = 0;
	}
	if (w->have == sizeof(w->buf))
		return 0;
	n = receive(w, w->buf + w->have, sizeof(w->buf) - w->have);
	if (n > 0)
		w->have += (size_t)n;
	return n;
}

char *
wire_line(struct wire *w)
{
	char *start, *nl;

	for (;;) {
		start = w->buf + w->used;
		nl = memchr(start, '\n', w->have - w->used);
		if (nl != NULL)
			break;
		if (fill(w) <= 0)
			return NULL;
	}
	w->used = (size_t)(nl + 1 - w->buf);
	if (nl > start && nl[-1] == '\r')
		nl--;
	*nl = '\0';
	return start;
}

size_t
wire_some(struct wire *w, const char **at, size_t most)
{
	size_t n;

	if (w->used == w->have && fill(w) <= 0)
		return 0;
	n = w->have - w->used;
	if (n > most)
		n = most;
	*at = w->buf + w->used;
	w->used += n;
	return n;
}

int
wire_write(struct wire *w, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		if (w->tls != NULL)
			n = gnutls_record_send(w->tls, p, len);
		else
			n = send(w->fd, p, len, MSG_NOSIGNAL);
		if (w->tls != NULL ? n == GNUTLS_E_INTERRUPTED :
		    n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
wire_reply(struct wire *w)
{
	char *line;

	do {
		if ((line = wire_line(w)) == NULL || strlen(line) < 3)
			return -1;
	} while (line[3] == '-');
	return atoi(line);
}

int
wire_command(struct wire *w, const char *line)
{
	char out[600];
	int n;

	n = snprintf(out, sizeof(out), "%s\r\n", line);
	if (n < 0 || (size_t)n >= sizeof(out) ||
	    wire_write(w, out, (size_t)n) == -1)
		return -1;
	return wire_reply(w);
}

bool
wire_buffered(const struct wire *w)
{
	return w->used < w->have;
}

int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

unsigned long
number(const char *text, unsigned long least, unsigned long most)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text || n < least || n > most) {
		fprintf(stderr, "%s: a number from %lu to %lu is needed\n",
		    text, least, most);
		exit(64);
	}
	return n;
}
