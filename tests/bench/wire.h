/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/bench/wire.h - a blocking SMTP connection for the load source and the
 * sink, in clear or under GnuTLS.  Deliberately none of Sealane's own code: the
 * same tools measure Postfix, and a slow spot of ours must not hide in both. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

struct wire {
	int			 fd;
	gnutls_session_t	 tls;		/* NULL in clear */
	size_t			 have, used;	/* bytes in buf, of them consumed */
	char			 buf[16384];
};

void	wire_open(struct wire *, int fd);	/* takes fd */
void	wire_close(struct wire *);
/* Handshake on an open connection; 0 or -1.  `tickets` (of a server) NULL:
 * none are given. */
int	wire_shake(struct wire *, unsigned flags,
	    gnutls_certificate_credentials_t, gnutls_priority_t,
	    const gnutls_datum_t *tickets);
/* The next line without its CRLF, valid until the next call; NULL at the end
 * of the connection or when the line is longer than the buffer. */
char	*wire_line(struct wire *);
/* Bytes that are there, at most `most`, at least one; 0 at the end. */
size_t	 wire_some(struct wire *, const char **at, size_t most);
int	wire_write(struct wire *, const void *, size_t);
/* The last line of a reply; its code, or -1. */
int	wire_reply(struct wire *);
int	wire_command(struct wire *, const char *line);	/* writes, then wire_reply */
bool	wire_buffered(const struct wire *);

int64_t	now_us(void);			/* CLOCK_MONOTONIC, the same in all processes */
/* A number within [least, most], or the program ends with a usage error. */
unsigned long	number(const char *text, unsigned long least, unsigned long most);

#endif
