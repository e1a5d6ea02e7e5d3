/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/received.h - the trace field that we put on top of a message.
 *
 * Pure.  RFC 5321 sec 4.4; the protocol words of RFC 3848 and RFC 6531 sec 4.3; the
 * TLS clause is a comment, in the vocabulary of base/hop.h:
 *
 *	Received: from client.example ([192.0.2.1])
 *		by mx1.example.org with ESMTPS
 *		(TLS1.3 cipher=AES-256-GCM kx=X25519 level=encrypted)
 *		id abcdefghijklmnop for <b@example.org>;
 *		Fri, 2 Jan 2026 04:04:05 +0100
 */
#ifndef SMTP_RECEIVED_H
#define SMTP_RECEIVED_H

#include "base/buf.h"
#include "base/hop.h"
#include "base/net.h"
#include "base/span.h"

struct smtp_received {
	struct span		 helo;		/* as smtp_helo() let it through */
	struct addr		 client;
	struct span		 by;		/* our host name */
	bool			 ehlo;
	bool			 utf8;		/* SMTPUTF8 was asked for */
	const struct tls_facts	*tls;		/* NULL in clear */
	enum level		 level;
	struct span		 id;
	/* The only recipient, else empty: with more, the field would show
	 * each of them who else got it (RFC 5321 sec 7.2). */
	struct span		 only_rcpt;
	const char		*date;		/* RFC 5322 */
};

/* SMTP, ESMTP, ESMTPS, UTF8SMTP, UTF8SMTPS; there is no registered word for HELO
 * over TLS, nor for SMTPUTF8 behind it. */
const char	*smtp_protocol(bool ehlo, bool tls, bool utf8);

/* 0, or -1 when `out` is full. */
int	smtp_received_put(struct buf *out, const struct smtp_received *);

/* What a message of one's own people should not lack (RFC 6409 sec 8.2, 8.3):
 * Date: unless `date` is NULL, Message-ID: <id@host> unless `id` is empty.
 * 0, or -1 when `out` is full. */
int	smtp_missing_put(struct buf *out, const char *date, struct span id,
	    struct span host);

#endif
