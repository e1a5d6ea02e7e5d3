/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/heard.h - what a server said in clear before STARTTLS: the evidence when
 * there is no TLS.  Pure, and bounded.
 *
 * The text is that of struct reply: printable ASCII, every other byte is '?'.
 * Behind TLS nothing is taken. */
#ifndef SMTP_HEARD_H
#define SMTP_HEARD_H

#include <stdbool.h>

#include "smtp/reply.h"

#define HEARD_GREETING_SIZE	257
#define HEARD_EHLO_SIZE		1025

struct heard {
	char	greeting[HEARD_GREETING_SIZE];	/* "220 mx.example.org ESMTP" */
	char	ehlo[HEARD_EHLO_SIZE];		/* code and lines, '\n' between */
	bool	helo;		/* EHLO was refused, and HELO taken */
};

void	heard_greeting(struct heard *, const struct reply *);
void	heard_ehlo(struct heard *, const struct reply *);

#endif
